"""Lookups: the Excel text of how a quantity comes to a grain. Knows Excel's grammar, not which quantities there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.report.live import quoted, range_of, sheet_and_column
from engine.scenarios import (
    Chosen,
    DayOf,
    DaysBilled,
    Filled,
    Grain,
    HasOne,
    Known,
    Largest,
    Looked,
    Matched,
    Mean,
    MonthStart,
    Paired,
    Said,
    Scenario,
    Setting,
    Source,
    Sum,
    Varied,
)
from engine.sheets import BY_NAME, SETTINGS, Column, Sheet
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
            case Looked():
                return self._filled_in(self._looked(source), source.column)
            case Known(looked):
                return f'IF({self._looked(looked)}="",0,1)'
            case Said(amount, word_in, word):
                return f'IF({self._looked(word_in)}="{word}",{self._looked(amount)},0)'
            case DayOf(looked, instead):
                return f'IF({self._looked(looked)}="",{instead},{self._looked(looked)})'
            case Paired(sheet=sheet) if not len(self.scenario.inputs.tables[sheet.name]):
                return "0"  # A sheet without rows is no table in the file.
            case Paired(sheet, column, by):
                keys = zip((f"{sheet.table}[{key.name}]" for key in sheet.keys), map(self._here, by), strict=True)
                return f"SUMIFS({sheet.table}[{column.name}],{','.join(part for pair in keys for part in pair)})"
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
            case Setting(column):
                return self._setting(column.name)
            case DaysBilled():
                days, month = (setting_cell(self.scenario.inputs, name) for name in ("days_in_month", "report_month"))
                return f'IF({days}="",DAY(DATE(YEAR({month}),MONTH({month})+1,0)),{days})'
            case Sum(grain=grain, quantity=quantity, by=by, where=where):
                finer = self.scenario[grain]
                conditions = self._conditions(finer, by) + ([range_of(finer, where), "1"] if where else [])
                if not conditions:
                    return f"SUM({range_of(finer, quantity)})"
                return f"SUMIFS({range_of(finer, quantity)},{','.join(conditions)})"
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
                rows = f"({range_of(finer, by)}={self._here(by)})"
                return f"SUMPRODUCT(MAX({rows}*{range_of(finer, quantity)}))"
            case Varied(grain=grain, quantity=quantity, by=by):
                finer = self.scenario[grain]
                return f"INDEX({range_of(finer, quantity)},MATCH({self._here(by)},{range_of(finer, by)},0))"
        raise TypeError(f"{source} has no formula")

    def _setting(self, name: str) -> str:
        return self._filled_in(setting_cell(self.scenario.inputs, name), SETTINGS.column(name))

    def _conditions(self, finer: Grain, by: str | tuple[str, ...]) -> list[str]:
        names = (by,) if isinstance(by, str) else by
        return [part for name in names if name for part in (range_of(finer, name), self._here(name))]

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
