"""Lookups: the Excel text of how a quantity comes to a grain. Knows Excel's grammar, not which quantities there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl.utils import coordinate_to_tuple

from engine.formulas import CURRENCY_FORMULAS
from engine.report.live import letters, quoted, range_of, sheet_and_column, sheets_of
from engine.scenarios import (
    Booked,
    CalendarDays,
    Chosen,
    Converted,
    Crossed,
    DayOf,
    DaysAhead,
    DaysBilled,
    EndDay,
    Filled,
    Grain,
    HasOne,
    HourShare,
    IsWord,
    Known,
    Largest,
    Looked,
    Matched,
    Mean,
    MonthStart,
    Moved,
    Named,
    OneOf,
    Paired,
    Running,
    Said,
    Scenario,
    Setting,
    Smallest,
    Source,
    StartAhead,
    Sum,
    SumAbove,
    Varied,
    WorkingDays,
    may_be_unknown,
)
from engine.scenarios.grains import HOURS_OF_THE_DAY, LAST_DAY
from engine.sheets import BY_NAME, EXCHANGE_RATES, FIRST_ROW, HEAD_ROW, LOAD_PROFILES, SETTINGS, Column, Sheet
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

    def moved(self, formula: str, moved: Moved, row: int) -> str:
        """What a cell holds in place of `formula`, where a case has it larger or smaller by shares."""
        cells = (
            self._here(share).replace(ROW, str(row)) if isinstance(share, str) else self.scenario.inputs.cell(*share)
            for share in moved.shares
        )
        return f"=({formula[1:]})" + "".join(f"*(1+{cell})" for cell in cells)

    def _here(self, quantity: str) -> str:
        """A quantity of the same row, with its sheet where that is another; where it has no column, what gives it."""
        if quantity in self.grain.inlined:
            if quantity in self.grain.sources:
                return self._source(self.grain.sources[quantity])
            return f"({written(self.grain.formulas[quantity], self._here, EXCEL)})"
        sheet, column = sheet_and_column(self.grain, quantity)
        cell = f"{column}{ROW}"
        return cell if sheet == self.sheet else f"{quoted(sheet)}!{cell}"

    def _source(self, source: Source) -> str:
        match source:
            case Looked():
                return self._filled_in(self._looked(source), source.column)
            case Booked():
                return f'IF({self._rows_booked(source)}=0,"",{self._booked(source)})'
            case Known(Booked() as booked):
                return f"IF({self._rows_booked(booked)}>0,1,0)"
            case Known(Looked() as looked):
                return f'IF({self._looked(looked)}="",0,1)'
            case Said(amount, word_in, word):
                return f'IF({self._looked(word_in)}="{word}",{self._looked(amount)},0)'
            case DayOf(looked, instead):
                return f'IF({self._looked(looked)}="",{instead},{self._looked(looked)})'
            case Paired(sheet=sheet, by=(one, other), alone=alone) if not len(self.scenario.inputs.tables[sheet.name]):
                # A sheet without rows is no table in the file.
                return f"IF({self._here(one)}={self._here(other)},{alone:g},0)" if alone else "0"
            case Paired(sheet, column, by, alone):
                keys = zip((f"{sheet.table}[{key.name}]" for key in sheet.keys), map(self._criterion, by), strict=True)
                found = f"SUMIFS({sheet.table}[{column.name}],{','.join(part for pair in keys for part in pair)})"
                one, other = (self._here(name) for name in by)
                return f"IF({one}={other},{alone:g},{found})" if alone else found
            case MonthStart():
                month = setting_cell(self.scenario.inputs, "report_month")
                return f"DATE(YEAR({month}),MONTH({month}),1)"
            case Filled(looked, instead):
                cell = self._looked(looked)
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
                return self._days("")
            case CalendarDays():
                return self._last_day()
            case WorkingDays():
                month = setting_cell(self.scenario.inputs, "report_month")
                return f"NETWORKDAYS(DATE(YEAR({month}),MONTH({month}),1),DATE(YEAR({month}),MONTH({month})+1,0))"
            case HourShare(profile, hour, is_weekend, is_every_day):
                return self._hour_share(profile, *map(self._here, (hour, is_weekend, is_every_day)))
            case IsWord(by, word):
                return f'IF({self._here(by)}="{word}",1,0)'
            case Sum(grain=grain, quantity=quantity, by=by, weight=weight) if weight:
                finer = self.scenario[grain]
                names = (by,) if isinstance(by, str) else by
                rows = "".join(f"({range_of(finer, name)}={self._here(name)})*" for name in names if name)
                return f"SUMPRODUCT({rows}{range_of(finer, weight)}*{range_of(finer, quantity)})"
            case DaysAhead(by):
                return self._days(f"+{self._here(by)}")
            case StartAhead(by, later):
                month = self._setting("report_month")
                return f"DATE(YEAR({month}),MONTH({month})+{self._here(by)}{f'+{later}' if later else ''},1)"
            case EndDay(Looked(sheet, column, by)):
                cell = self._cell(sheet, column.name, by)
                return f'IF({cell}="",DATE({LAST_DAY.year},{LAST_DAY.month},{LAST_DAY.day}),{cell})'
            case OneOf(Looked(sheet, column, by), one_of):
                cell = self._cell(sheet, column.name, by)
                cases = ",".join(f'{cell}="{word}"' for word in one_of)
                return f"IF(OR({cases}),1,0)"
            case Crossed(sheet, by, across):
                return self._crossed(sheet, self._here(by), self._here(across))
            case Running(grain=grain, quantity=quantity, order=order):
                finer = self.scenario[grain]
                places, here = range_of(finer, order), self._here(order)
                return f'SUMIFS({range_of(finer, quantity)},{places},">0",{places},"<="&{here})'
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
            case Matched(grain=grain, quantity=quantity, by=by):
                finer = self.scenario[grain]
                rows = "*".join(self._matching(finer, *pair) for pair in by)
                return f"SUMPRODUCT({rows}*{range_of(finer, quantity)})"
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
                if not by:
                    return f"MAX(0,{range_of(finer, quantity)})"
                rows = f"({range_of(finer, by)}={self._here(by)})"
                return f"SUMPRODUCT(MAX({rows}*{range_of(finer, quantity)}))"
            case Smallest(grain=grain, quantity=quantity, by=by):
                finer = self.scenario[grain]
                rows = f"({range_of(finer, by)}={self._here(by)})"
                return f"1/SUMPRODUCT(MAX({rows}/{range_of(finer, quantity)}))"
            case Varied(grain=grain, quantity=quantity, by=by):
                finer = self.scenario[grain]
                first = range_of(finer, next(iter(finer.sources)))
                return f"INDEX({range_of(finer, quantity)},MATCH({self._here(by)},{first},0))"
            case Named(grain=grain, by=by):
                ((name, quantities),) = sheets_of(self.scenario[grain]).items()
                heads, row = (f"{quoted(name)}!$A${n}:${letters(len(quantities))}${n}" for n in (HEAD_ROW, FIRST_ROW))
                return f"INDEX({row},1,MATCH({self._here(by)},{heads},0))"
        raise TypeError(f"{source} has no formula")

    def _last_day(self) -> str:
        month = setting_cell(self.scenario.inputs, "report_month")
        return f"DAY(DATE(YEAR({month}),MONTH({month})+1,0))"

    def _hour_share(self, profile: str, hour: str, is_weekend: str, is_every_day: str) -> str:
        even = f"1/{HOURS_OF_THE_DAY}"
        if not len(self.scenario.inputs.tables[LOAD_PROFILES.name]):
            return even
        table, named = LOAD_PROFILES.table, self._criterion(profile)
        weekday, weekend = (
            f"SUMIFS({table}[{column}],{table}[load_profile],{named},{table}[hour],{hour})"
            f"/SUMIFS({table}[{column}],{table}[load_profile],{named})"
            for column in ("weekday_share", "weekend_share")
        )
        listed = f"IF({is_weekend}>0,{weekend},{weekday})"
        return f'IF({is_every_day}>0,{even},IF({self._here(profile)}="",{even},{listed}))'

    def _days(self, ahead: str) -> str:
        """Days of the report month, or of one ahead of it: the setting, or the calendar's."""
        days, month = (setting_cell(self.scenario.inputs, name) for name in ("days_in_month", "report_month"))
        return f'IF({days}="",DAY(DATE(YEAR({month}),MONTH({month}){ahead}+1,0)),{days})'

    def _crossed(self, sheet: Sheet, key: str, name: str) -> str:
        """Where the row of a key meets the column of a name, wherever on the sheet both stand; 1 without a key."""
        addresses = self.scenario.inputs.tables[sheet.name].addresses
        places = [coordinate_to_tuple(address) for column in addresses.values() for address in column]
        if not places:
            return "1"
        first, last = (f"${letters(of(column for _, column in places))}" for of in (min, max))
        rows = [row for row, _ in places]
        heads = f"{quoted(sheet.name)}!{first}${min(rows) - 1}:{last}${min(rows) - 1}"
        cells = f"{quoted(sheet.name)}!{first}${min(rows)}:{last}${max(rows)}"
        row = f"MATCH({key},{sheet.table}[{sheet.keys[0].name}],0)"
        return f'IF({key}="",1,INDEX({cells},{row},MATCH({name},{heads},0)))'

    def _rows_booked(self, source: Booked) -> str:
        return f"SUMPRODUCT({self._of_month(source)}*1)"

    def _booked(self, source: Booked) -> str:
        amounts, prices = (f"{source.sheet.table}[{column}]" for column in ("amount", "unit_price"))
        summed = {"amount": amounts, "priced": f"{amounts}*{prices}", "unpriced": f'({prices}="")*{amounts}'}
        return f"SUMPRODUCT({self._of_month(source)}*{summed[source.how]})"

    def _of_month(self, source: Booked) -> str:
        """Which rows of the sheet are of the line and of this row's month."""
        months, lines = (f"{source.sheet.table}[{column}]" for column in ("actual_month", "line"))
        # Counted from January 2000, months may be any number.
        first, next_first = (f"DATE(2000,{self._here(source.by)}-{12 * 2000 - after},1)" for after in (0, 1))
        return f'({lines}="{source.line}")*({months}>={first})*({months}<{next_first})'

    def _converted(self, amount: Source, source: Converted) -> str:
        currency = self._looked(source.currency)
        own = setting_cell(self.scenario.inputs, "currency")
        table = EXCHANGE_RATES.table
        listed = f"INDEX({table}[exchange_rate],MATCH({currency},{table}[currency],0))"
        parts = {
            "foreign_price": self._source(amount),
            "exchange_rate": f'IF(OR({currency}="",{currency}={own}),1,{listed})',
        }
        text = written(CURRENCY_FORMULAS["converted_price"], parts.__getitem__, EXCEL)
        return f'IF({parts["foreign_price"]}="","",{text})' if may_be_unknown(amount) else text

    def _setting(self, name: str) -> str:
        return self._filled_in(setting_cell(self.scenario.inputs, name), SETTINGS.column(name))

    def _conditions(self, finer: Grain, by: str | tuple[str, ...]) -> list[str]:
        names = (by,) if isinstance(by, str) else by
        return [part for name in names if name for part in (range_of(finer, name), self._criterion(name))]

    def _criterion(self, quantity: str) -> str:
        """A quantity of this row as SUMIFS compares it: what reads as a comparison or a pattern stays a name."""
        here, names = self._here(quantity), self.grain.values[quantity]
        if not any(isinstance(name, str) and (name[:1] in set("=<>") or set(name) & set("*?~")) for name in names):
            return here
        for sign in "~*?":
            here = f'SUBSTITUTE({here},"{sign}","~{sign}")'
        return f'"="&{here}'

    def _matching(self, finer: Grain, own: Sequence[str], others: Sequence[str]) -> str:
        """1 in the rows of another grain of which a name is one of this row's, or either is blank."""
        same = [f"({range_of(finer, other)}={self._here(name)})" for name in own for other in others]
        blank = [f'({range_of(finer, other)}="")' for other in others] + [f'({self._here(name)}="")' for name in own]
        return f"(({'+'.join(same + blank)})>0)"

    def _looked(self, looked: Looked) -> str:
        if looked.placed:
            return f"INDEX({looked.sheet.table}[{looked.column.name}],{self._here(looked.by)})"
        return self._cell(looked.sheet, looked.column.name, looked.by)

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
