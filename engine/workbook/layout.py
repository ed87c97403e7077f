"""Layout: where on a sheet each column and each row stands, wherever the analyst has put them. Knows no values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl.utils import get_column_letter

from engine.sheets import FIRST_ROW, HEAD_ROW, PURPOSE_ROW, Column, Sheet
from engine.workbook import describe, problems
from engine.workbook.grid import Grid
from engine.workbook.problems import Problem

Position = tuple[int, int]  # row and column of a cell, both from 1

HEADS_WITHIN = 20  # rows from the top in which the heads are looked for
NAMES, VALUES, UNITS = 1, 2, 3  # columns of a vertical sheet
HEAD_OF_NAMES = "setting"


@dataclass(frozen=True)
class Candidate:
    """A head that is not known here, and may be that of a column that is missing."""

    head: str
    position: Position
    in_place: bool  # where a blank workbook has the column
    same_unit: bool
    same_name: bool = False  # or nearly so

    @property
    def likeness(self) -> int:
        return self.in_place + self.same_unit

    @property
    def is_likely(self) -> bool:
        return self.same_name or (self.in_place and self.same_unit)

    def __str__(self) -> str:
        return f"'{self.head}' ({coordinate(self.position)})"


@dataclass(frozen=True)
class Layout:
    """For every column that was found, its head and each row's cell; and what is wrong with the sheet itself.

    `missing` gives, for every column that was not found, the heads that it may have now, likeliest first.
    """

    positions: Mapping[str, Sequence[Position]]
    rows: int
    problems: Sequence[Problem]
    heads: Mapping[str, Position]
    missing: Mapping[str, Sequence[Candidate]]


def coordinate(position: Position) -> str:
    """The position as Excel writes it: (9, 5) is E9."""
    row, column = position
    return f"{get_column_letter(column)}{row}"


def layout_of(sheet: Sheet, grid: Grid) -> Layout:
    """Finds the columns by their heads and the rows by anything filled in; order and places are free."""
    return _upright(sheet, grid) if sheet.vertical else _lying(sheet, grid)


def _lying(sheet: Sheet, grid: Grid) -> Layout:
    """Heads in a row, and a thing in every row below it."""
    head_row = _head_row(grid, [column.name for column in sheet.columns])
    lines = {(row, column): cell.value for (row, column), cell in sorted(grid.items()) if row == head_row}
    heads, twice = _matched(sheet, lines)
    missing = _missing(sheet, heads, lines, grid)
    wrong = [*twice, *_told(sheet, "column", missing, (head_row, 1))]
    columns = {name: column for name, (_, column) in heads.items()}
    rows = sorted({row for row, column in grid if row > head_row and column in columns.values()})
    if not rows and not sheet.may_be_empty:
        wrong.append(problems.empty_sheet((sheet.name, coordinate((head_row + 1, 1)))))
    positions = {name: [(row, column) for row in rows] for name, column in columns.items()}
    return Layout(positions, len(rows), wrong, heads, missing)


def _upright(sheet: Sheet, grid: Grid) -> Layout:
    """A named value in every row."""
    lines = {
        (row, column): cell.value
        for (row, column), cell in sorted(grid.items())
        if column == NAMES and row > PURPOSE_ROW and cell.value != HEAD_OF_NAMES
    }
    heads, twice = _matched(sheet, lines)
    missing = _missing(sheet, heads, lines, grid)
    wrong = [*twice, *_told(sheet, "setting", missing, (HEAD_ROW, NAMES))]
    positions = {name: [(row, VALUES)] for name, (row, _) in heads.items()}
    return Layout(positions, 1, wrong, heads, missing)


def _head_row(grid: Grid, names: Sequence[str]) -> int:
    """The row near the top with most of the names: rows may have been inserted above it."""
    counts = dict.fromkeys(range(1, HEADS_WITHIN + 1), 0)
    for (row, _), cell in grid.items():
        if row in counts and cell.value in names:
            counts[row] += 1
    best = max(counts, key=lambda row: counts[row])
    return best if counts[best] else HEAD_ROW


def _matched(sheet: Sheet, lines: Mapping[Position, Any]) -> tuple[dict[str, Position], list[Problem]]:
    """Where each column has its head, and which are there twice. The analyst's own heads are left."""
    found: dict[str, Position] = {}
    wrong: list[Problem] = []
    names = {column.name for column in sheet.columns}
    for position, head in lines.items():
        if head in found:
            place = sheet.name, coordinate(position)
            wrong.append(problems.repeated_column(place, head, coordinate(found[head])))
        elif head in names:
            found[head] = position
    return found, wrong


def _missing(
    sheet: Sheet, heads: Mapping[str, Position], lines: Mapping[Position, Any], grid: Grid
) -> dict[str, list[Candidate]]:
    """For every column without a head, the strange heads that may be its own."""
    strange = {str(head): position for position, head in lines.items() if head not in heads}
    missing: dict[str, list[Candidate]] = {}
    for column in (column for column in sheet.columns if column.name not in heads):
        near = problems.nearest(column.name, strange)
        candidates = [
            _candidate(sheet, column, head, position, grid, same_name=head == near)
            for head, position in strange.items()
        ]
        missing[column.name] = sorted(candidates, key=lambda each: (each.same_name, each.likeness), reverse=True)
    # What is most likely one column is no candidate for another.
    taken = {each.head for candidates in missing.values() for each in candidates if each.is_likely}
    return {
        name: [each for each in candidates if each.is_likely] or [each for each in candidates if each.head not in taken]
        for name, candidates in missing.items()
    }


def _candidate(
    sheet: Sheet, column: Column, head: str, position: Position, grid: Grid, *, same_name: bool
) -> Candidate:
    (row, number), index = position, sheet.columns.index(column)
    in_place = row == FIRST_ROW + index if sheet.vertical else number == 1 + index
    unit = grid.get((row, UNITS) if sheet.vertical else (row - 1, number))
    same_unit = unit is not None and unit.value == describe.unit(column)
    return Candidate(head, position, in_place, same_unit, same_name)


def _told(
    sheet: Sheet, what: str, missing: Mapping[str, Sequence[Candidate]], corner: Position
) -> Iterator[Problem]:
    """What is missing, in the cell where it may be under another name; else in the corner."""
    for name, candidates in missing.items():
        first = candidates[0] if candidates else None
        at = first.position if first and (first.same_name or first.likeness) else corner
        place = sheet.name, coordinate(at)
        if first and first.same_name:
            yield problems.renamed_column(place, first.head, name, what)
        else:
            yield problems.missing_column(place, name, what, list(map(str, candidates)))
