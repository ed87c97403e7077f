"""Adding: new rows at the end of a sheet's table, with all that covers the table. Knows no figure.

What covers the last row of a table covers the new rows too: the native table with its formulas, validations,
conditional formats, and the print area.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import MergedCell
from openpyxl.formatting.formatting import ConditionalFormattingList
from openpyxl.formula.translate import Translator
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.cell_range import CellRange, MultiCellRange
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from engine.sheets import Sheet
from engine.workbook import problems
from engine.workbook.cells import value_of
from engine.workbook.grid import Cell
from engine.workbook.layout import Layout, coordinate, layout_of
from engine.workbook.looks import LINE, retype, row_height
from engine.workbook.problems import InvalidWorkbook, Problem, address

Row = Mapping[str, Any]

USUAL_WIDTH = 13.0  # of a column that has none of its own

MIGRATE = "Bring the workbook into this version's layout first: python -m engine migrate."


@dataclass(frozen=True)
class Standing:
    """A declared sheet as it stands in a loaded workbook."""

    sheet: Worksheet
    layout: Layout

    @property
    def columns(self) -> dict[str, int]:
        """The column of the sheet that each column of ours stands in."""
        return {name: column for name, (_, column) in self.layout.heads.items()}

    @property
    def width(self) -> range:
        """The columns of the table, the analyst's own among them."""
        edges = list(self.columns.values())
        if self.table is not None:
            area = CellRange(self.table.ref)
            edges += [area.min_col, area.max_col]
        return range(min(edges), max(edges) + 1)

    @property
    def head_row(self) -> int:
        return next(iter(self.layout.heads.values()))[0]

    @property
    def last_row(self) -> int:
        """The last row of the sheet that holds anything of ours, the row of heads where none does."""
        return max((row for row, _ in next(iter(self.layout.positions.values()))), default=self.head_row)

    @property
    def table(self) -> Table | None:
        """The native table that the rows stand in."""
        tables: list[Table] = list(self.sheet.tables.values())
        return next((each for each in tables if self._holds_heads(CellRange(each.ref))), None)

    def _holds_heads(self, area: CellRange) -> bool:
        first = min(self.columns.values())
        return area.min_row <= self.head_row <= area.max_row and area.min_col <= first <= area.max_col


def standing_of(book: Workbook, declared: Sheet) -> Standing:
    """Where the sheet and its columns stand. Errors: InvalidWorkbook where there is no such sheet."""
    sheet = book[declared.name] if declared.name in book.sheetnames else None
    if not isinstance(sheet, Worksheet):
        raise InvalidWorkbook([problems.missing_sheet(declared.name, book.sheetnames)])
    cells = {(cell.row, cell.column): cell for row in sheet.iter_rows() for cell in row if cell.value is not None}
    grid = {position: Cell(str(cell.value)) for position, cell in cells.items()}
    return Standing(sheet, layout_of(replace(declared, may_be_empty=True), grid))


def names_on(book: Workbook, declared: Sheet) -> list[str]:
    """The names in the first key column of a sheet, from top to bottom. Errors: as `standing_of`."""
    place = standing_of(book, declared)
    cells = (place.sheet.cell(*at).value for at in place.layout.positions.get(declared.keys[0].name, ()))
    return [str(name) for name in cells if name is not None]


def add_rows(book: Workbook, declared: Sheet, rows: Sequence[Row], *, over: bool = False) -> list[str]:
    """Types rows, each from column to value, below the last one of the sheet; says where each stands now.

    `over` types over the rows that are there already, as far as the given columns go.
    Errors: InvalidWorkbook where the sheet or a column is missing, a value is not allowed, or a name is there already.
    """
    place = standing_of(book, declared)
    if wrong := [*place.layout.problems, *_totals(declared, place.table)]:
        raise InvalidWorkbook(replace(each, advice=f"{each.advice} {MIGRATE}") for each in wrong)
    there = _numbers(declared, place)
    new = [row for row in rows if _key(declared, row) not in there]
    like, first = max(place.last_row, place.head_row + 1), place.last_row + 1
    numbers = {_key(declared, row): number for number, row in enumerate(new, start=first)}
    numbered = [((there | numbers)[_key(declared, row)], row) for row in rows]
    if wrong := [
        *(_taken(declared, place, number, row) for number, row in numbered if number < first and not over),
        *_wrong_values(declared, place, numbered),
    ]:
        raise InvalidWorkbook(wrong)
    for number, row in numbered:
        if number < first:
            # The name stays as it is, because other sheets write it that way.
            row = {name: value for name, value in row.items() if not declared.column(name).key}
        else:
            _begin(place, like, number)
        _type(place, number, row)
    _grow(place, like, place.last_row + len(new))
    left, right = (get_column_letter(edge(place.columns.values())) for edge in (min, max))
    key = declared.keys[0].name
    return [
        f"{address(declared.name, f'{left}{number}:{right}{number}')}  {row[key]}{', typed over' * (number < first)}"
        for number, row in numbered
    ]


def _key(declared: Sheet, row: Row) -> tuple[str, ...]:
    """The row's name; capitals make no difference."""
    return tuple(str(row[key.name]).casefold() for key in declared.keys)


def _numbers(declared: Sheet, place: Standing) -> dict[tuple[str, ...], int]:
    """The row of the sheet that each name stands in."""
    positions = place.layout.positions
    rows = zip(*(positions[key.name] for key in declared.keys), strict=True)
    return {tuple(str(place.sheet.cell(*at).value).casefold() for at in row): row[0][0] for row in rows}


def _totals(declared: Sheet, table: Table | None) -> Iterable[Problem]:
    if table is not None and table.totalsRowCount:
        found, why = f"has a totals row under the table {table.displayName}", "where new rows belong"
        yield Problem(declared.name, "", found, why, "Switch it off (Table Design, Total Row).")


def _taken(declared: Sheet, place: Standing, number: int, row: Row) -> Problem:
    keys = [key.name for key in declared.keys]
    name = ", ".join(str(row[key]) for key in keys)
    reason = "a name stands once (capitals make no difference)"
    advice = "Add it under another name, or change the row that is there."
    at = coordinate((number, place.columns[keys[0]]))
    return Problem(declared.name, at, f"'{name}' is already here", reason, advice)


def _wrong_values(declared: Sheet, place: Standing, numbered: Iterable[tuple[int, Row]]) -> Iterator[Problem]:
    """What the reader would say of the values."""
    for number, row in numbered:
        for name, value in row.items():
            at = coordinate((number, place.columns[name]))
            _, problem = value_of(declared.column(name), Cell(value), (declared.name, at), {})
            if problem is not None:
                yield problem


def _begin(place: Standing, like: int, number: int) -> None:
    """Begins a row in the looks of the row `like`, with the formulas of the analyst's own columns there."""
    ours = place.columns.values()
    for column in place.width:
        cell, above = place.sheet.cell(number, column), place.sheet.cell(like, column)
        if isinstance(cell, MergedCell) or isinstance(above, MergedCell):
            continue
        if column not in ours and isinstance(above.value, str) and above.data_type == "f":
            cell.value = Translator(above.value, above.coordinate).translate_formula(cell.coordinate)
        if not cell.has_style:
            cell._style = copy(above._style)  # type: ignore[attr-defined]


def _type(place: Standing, number: int, row: Row) -> None:
    """Types one row, and makes it high enough for its texts."""
    height = place.sheet.row_dimensions[number].height or LINE
    for name, value in row.items():
        column = place.columns[name]
        retype(place.sheet.cell(number, column), value)
        if isinstance(value, str):
            height = max(height, row_height(value, _width(place.sheet, column)))
    place.sheet.row_dimensions[number].height = height


def _width(sheet: Worksheet, column: int) -> float:
    """The column's width in characters. Excel keeps columns of the same looks as one run."""
    runs = (run for run in sheet.column_dimensions.values() if (run.min or 0) <= column <= (run.max or 0))
    return next((float(run.width) for run in runs), USUAL_WIDTH)


def _grow(place: Standing, last: int, new: int) -> None:
    """Makes everything that covers row `last` of the table cover the rows down to `new`."""

    def grown(ref: str) -> str:
        area = CellRange(ref)
        covers = area.min_row <= last <= area.max_row
        if covers and area.min_col <= place.width[-1] and place.width[0] <= area.max_col:
            area.expand(down=max(0, new - area.max_row))
        return str(area.coord)

    def all_grown(places: MultiCellRange) -> MultiCellRange:
        return MultiCellRange(" ".join(grown(str(each)) for each in places.ranges))

    sheet = place.sheet
    if place.table is not None:
        place.table.ref = grown(place.table.ref)
        if place.table.autoFilter is not None:
            place.table.autoFilter.ref = place.table.ref
    for validation in sheet.data_validations.dataValidation:
        validation.sqref = all_grown(validation.sqref)
    formats = ConditionalFormattingList()
    for each in sheet.conditional_formatting:
        for rule in each.rules:
            formats.add(str(all_grown(each.sqref)), rule)
    sheet.conditional_formatting = formats
    if sheet.print_area:
        # openpyxl gives the areas with the sheet's name, and takes them without.
        areas = str(sheet.print_area).split(",")
        sheet.print_area = ",".join(grown(area.rpartition("!")[2].replace("$", "")) for area in areas)
