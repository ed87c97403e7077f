"""Layout: where on a sheet each column and each row stands, wherever the analyst has put them. Knows no values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl.utils import get_column_letter

from engine.sheets import HEAD_ROW, PURPOSE_ROW, Sheet
from engine.workbook import problems
from engine.workbook.grid import Grid
from engine.workbook.problems import Problem

Position = tuple[int, int]  # row and column of a cell, both from 1

HEADS_WITHIN = 20  # rows from the top in which the heads are looked for
NAMES, VALUES = 1, 2  # columns of a vertical sheet


@dataclass(frozen=True)
class Layout:
    """For every column that was found, its head and each row's cell; and what is wrong with the sheet itself."""

    positions: Mapping[str, Sequence[Position]]
    rows: int
    problems: Sequence[Problem]
    heads: Mapping[str, Position]


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
    heads = {column: cell.value for (row, column), cell in sorted(grid.items()) if row == head_row}
    columns, wrong = _matched(sheet, "column", heads, lambda column: (head_row, column), (head_row, 1))
    rows = sorted({row for row, column in grid if row > head_row and column in columns.values()})
    if not rows and not sheet.may_be_empty:
        wrong.append(problems.empty_sheet((sheet.name, coordinate((head_row + 1, 1)))))
    positions = {name: [(row, column) for row in rows] for name, column in columns.items()}
    return Layout(positions, len(rows), wrong, {name: (head_row, column) for name, column in columns.items()})


def _upright(sheet: Sheet, grid: Grid) -> Layout:
    """A named value in every row."""
    heads = {row: cell.value for (row, column), cell in sorted(grid.items()) if column == NAMES and row > PURPOSE_ROW}
    rows, wrong = _matched(sheet, "setting", heads, lambda row: (row, NAMES), (HEAD_ROW, NAMES))
    positions = {name: [(row, VALUES)] for name, row in rows.items()}
    return Layout(positions, 1, wrong, {name: (row, NAMES) for name, row in rows.items()})


def _head_row(grid: Grid, names: Sequence[str]) -> int:
    """The row near the top with most of the names: rows may have been inserted above it."""
    counts = dict.fromkeys(range(1, HEADS_WITHIN + 1), 0)
    for (row, _), cell in grid.items():
        if row in counts and cell.value in names:
            counts[row] += 1
    best = max(counts, key=lambda row: counts[row])
    return best if counts[best] else HEAD_ROW


def _matched(
    sheet: Sheet,
    what: str,
    heads: Mapping[int, Any],
    position_of: Callable[[int], Position],
    corner: Position,
) -> tuple[dict[str, int], list[Problem]]:
    """Which line holds which column, and what is missing, renamed or there twice. The analyst's own lines are left."""

    def place(position: Position) -> problems.Place:
        return sheet.name, coordinate(position)

    found: dict[str, int] = {}
    wrong: list[Problem] = []
    names = [column.name for column in sheet.columns]
    for line, head in heads.items():
        if head in found:
            first = coordinate(position_of(found[head]))
            wrong.append(problems.repeated_column(place(position_of(line)), head, first))
        elif head in names:
            found[head] = line
    own = {str(head): line for line, head in heads.items() if head not in names}
    for name in _missing(names, found):
        near = problems.nearest(name, own)
        if near:
            wrong.append(problems.renamed_column(place(position_of(own[near])), near, name, what))
        else:
            wrong.append(problems.missing_column(place(corner), name, what))
    return found, wrong


def _missing(names: Iterable[str], found: Mapping[str, int]) -> list[str]:
    return [name for name in names if name not in found]
