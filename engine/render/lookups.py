"""Lookups: the Excel text of how a quantity comes to a grain. Knows Excel's grammar, not which quantities there are."""

from __future__ import annotations

from dataclasses import dataclass

from engine.formulas import BILLING_FORMULAS
from engine.report.live import quoted, range_of, sheet_and_column
from engine.scenarios import (
    CalendarDays,
    Chosen,
    Converted,
    DaysBilled,
    Filled,
    Grain,
    HasOne,
    HourShare,
    IsWord,
    Known,
    Largest,
    Looked,
    Mean,
    Scenario,
    Setting,
    Smallest,
    Source,
    Sum,
    SumAbove,
    Varied,
    WorkingDays,
    may_be_unknown,
)
from engine.scenarios.grains import HOURS_OF_THE_DAY
from engine.sheets import BY_NAME, EXCHANGE_RATES, LOAD_PROFILES, SETTINGS, Column, Sheet
from engine.tracing import EXCEL, written
from engine.workbook.tables import Inputs

GUARD = "fits"
ROW = "\0"


def setting_cell(inputs: Inputs, name: str) -> str:
    """Absolute address of a setting."""
    sheet, cell = inputs.cell(SETTINGS.name, name).split("!")
    letters = cell.rstrip("0123456789")
    return f"{sheet}!${letters}${cell[len(letters) :]}"


@dataclass(frozen=True)
class Lookups:
    """Writes the formulas of a grain as they stand on one of its sheets, with `ROW` where the row's number goes."""

    scenario: Scenario
    grain: Grain
    sheet: str

    def formula(self, quantity: str) -> str:
        """The formula of one column, the same in every row but for the row."""
        if quantity in self.grain.sources:
            return "=" + self._source(self.grain.sources[quantity])
        text = written(self.grain.formulas[quantity], self._here, EXCEL)
        if quantity in self.grain.unsure:
            text = f'IFERROR({text},"")'
        if quantity in self.grain.guarded:
            text = f'IF({self._here(GUARD)}>0,{text},"")'
        return "=" + text

    def _here(self, quantity: str) -> str:
        """A quantity of the same row; its sheet is named where it is another one."""
        sheet, column = sheet_and_column(self.grain, quantity)
        cell = f"{column}{ROW}"
        return cell if sheet == self.sheet else f"{quoted(sheet)}!{cell}"

    def _source(self, source: Source) -> str:
        match source:
            case Looked(sheet, column, by):
                return self._filled_in(self._cell(sheet, column.name, by), column)
            case Known(Looked(sheet, column, by)):
                return f'IF({self._cell(sheet, column.name, by)}="",0,1)'
            case Filled(Looked(sheet, column, by), instead):
                cell = self._cell(sheet, column.name, by)
                other = self._source(instead) if isinstance(instead, Looked) else f"{instead:g}"
                return f'IF({cell}="",{other},{cell})'
            case Chosen(choice, by, named):
                sheet = BY_NAME[choice.sheet]
                text = '""'
                for word, column_name in reversed(list(choice.columns.items())):
                    cell = self._cell(sheet, column_name, named)
                    text = f'IF({self._here(by)}="{word}",{cell},{text})'
                return text
            case Converted(amount):
                return self._converted(amount, source)
            case Setting(column):
                return self._setting(column.name)
            case DaysBilled():
                days = setting_cell(self.scenario.inputs, "days_in_month")
                return f'IF({days}="",{self._last_day()},{days})'
            case CalendarDays():
                return self._last_day()
            case WorkingDays():
                month = setting_cell(self.scenario.inputs, "report_month")
                return f"NETWORKDAYS(DATE(YEAR({month}),MONTH({month}),1),DATE(YEAR({month}),MONTH({month})+1,0))"
            case HourShare(profile, hour, is_weekend, is_every_day):
                return self._hour_share(*(self._here(name) for name in (profile, hour, is_weekend, is_every_day)))
            case IsWord(by, word):
                return f'IF({self._here(by)}="{word}",1,0)'
            case Sum(grain=grain, quantity=quantity, by=by, weight=weight) if weight:
                finer = self.scenario[grain]
                rows = f"({range_of(finer, by)}={self._here(by)})"
                return f"SUMPRODUCT({rows}*{range_of(finer, weight)}*{range_of(finer, quantity)})"
            case Sum(grain=grain, quantity=quantity, by=by, where=where):
                finer = self.scenario[grain]
                conditions = self._conditions(finer, by) + ([range_of(finer, where), "1"] if where else [])
                if not conditions:
                    return f"SUM({range_of(finer, quantity)})"
                return f"SUMIFS({range_of(finer, quantity)},{','.join(conditions)})"
            case SumAbove(grain=grain, quantity=quantity, by=by, high=high, level=level):
                finer = self.scenario[grain]
                above = f'{range_of(finer, high)},">"&{self._here(level)}'
                return f"SUMIFS({range_of(finer, quantity)},{','.join(self._conditions(finer, by))},{above})"
            case Mean(grain=grain, quantity=quantity, weight=weight, by=by):
                finer = self.scenario[grain]
                rows = f"({range_of(finer, by)}={self._here(by)})"
                weights = f"SUMIFS({range_of(finer, weight)},{','.join(self._conditions(finer, by))})"
                return f"SUMPRODUCT({rows}*{range_of(finer, weight)}*{range_of(finer, quantity)})/{weights}"
            case HasOne(grain=grain, quantity=quantity, by=by):
                finer = self.scenario[grain]
                return f"IF(SUMIFS({range_of(finer, quantity)},{','.join(self._conditions(finer, by))})>0,1,0)"
            case Largest(grain=grain, quantity=quantity, by=by):
                finer = self.scenario[grain]
                rows = f"({range_of(finer, by)}={self._here(by)})"
                return f"SUMPRODUCT(MAX({rows}*{range_of(finer, quantity)}))"
            case Smallest(grain=grain, quantity=quantity, by=by):
                finer = self.scenario[grain]
                rows = f"({range_of(finer, by)}={self._here(by)})"
                return f"1/SUMPRODUCT(MAX({rows}/{range_of(finer, quantity)}))"
            case Varied(grain=grain, quantity=quantity, by=by):
                finer = self.scenario[grain]
                keys = range_of(finer, next(iter(finer.sources)))
                return f"INDEX({range_of(finer, quantity)},MATCH({self._here(by)},{keys},0))"
        raise TypeError(f"{source} has no formula")

    def _last_day(self) -> str:
        month = setting_cell(self.scenario.inputs, "report_month")
        return f"DAY(DATE(YEAR({month}),MONTH({month})+1,0))"

    def _hour_share(self, profile: str, hour: str, is_weekend: str, is_every_day: str) -> str:
        even = f"1/{HOURS_OF_THE_DAY}"
        if not len(self.scenario.inputs.tables[LOAD_PROFILES.name]):
            return even
        table = LOAD_PROFILES.table
        weekday, weekend = (
            f"SUMIFS({table}[{column}],{table}[load_profile],{profile},{table}[hour],{hour})"
            for column in ("weekday_share", "weekend_share")
        )
        listed = f"IF({is_weekend}>0,{weekend},{weekday})"
        return f'IF({is_every_day}>0,{even},IF({profile}="",{even},{listed}))'

    def _converted(self, amount: Source, source: Converted) -> str:
        currency = self._cell(source.currency.sheet, source.currency.column.name, source.currency.by)
        own = setting_cell(self.scenario.inputs, "currency")
        table = EXCHANGE_RATES.table
        listed = f"INDEX({table}[exchange_rate],MATCH({currency},{table}[currency],0))"
        parts = {
            "foreign_price": self._source(amount),
            "exchange_rate": f'IF(OR({currency}="",{currency}={own}),1,{listed})',
        }
        text = written(BILLING_FORMULAS["converted_price"], parts.__getitem__, EXCEL)
        return f'IF({parts["foreign_price"]}="","",{text})' if may_be_unknown(amount) else text

    def _setting(self, name: str) -> str:
        return self._filled_in(setting_cell(self.scenario.inputs, name), SETTINGS.column(name))

    def _conditions(self, finer: Grain, by: str) -> list[str]:
        return [range_of(finer, by), self._here(by)] if by else []

    def _cell(self, sheet: Sheet, column: str, by: str) -> str:
        key = sheet.keys[0].name
        return f"INDEX({sheet.table}[{column}],MATCH({self._here(by)},{sheet.table}[{key}],0))"

    def _filled_in(self, cell: str, column: Column) -> str:
        """What a cell means: a word its number, a blank its default or the setting it falls back to."""
        text = cell
        for word, number in column.words.items():
            text = f'IF({cell}="{word}",{number:g},{text})'
        if column.required:
            return text
        if column.otherwise:
            return f'IF({cell}="",{self._setting(column.otherwise)},{text})'
        default = column.words.get(column.default, column.default)
        nothing = '""' if default is None else f'"{default}"' if isinstance(default, str) else f"{default:g}"
        return f'IF({cell}="",{nothing},{text})'
