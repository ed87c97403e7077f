"""Sheets of results.xlsx as values: where every live figure stands, and the formula in each cell for readers.

The one place that knows addresses: the workbook is drawn by it, the PDF quotes by it. Knows nothing of openpyxl.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.report.values import Head
from engine.scenarios import CASES, CONFIGURED, Grain
from engine.sheets import FIRST_ROW, HEAD_ROW
from engine.units import Text


def letters(column: int) -> str:
    """Excel's letters of a column, counted from 1."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def quoted(sheet: str) -> str:
    """A sheet's name as a formula writes it."""
    return sheet if sheet.isalnum() else f"'{sheet}'"


def address(sheet: str, column: int, row: int) -> str:
    """`Costs!F12`."""
    return f"{quoted(sheet)}!{letters(column)}{row}"


# A sheet holds at most 256 columns, the widest that the second engine recalculates; a long grain is spread over three.
PARTS = {CONFIGURED: ("Joined inputs", "Operating points"), CASES: ("Case inputs", "Case points")}


@lru_cache(maxsize=64)
def sheets_of(grain: Grain) -> dict[str, list[str]]:
    """The live sheets of a grain, each with its columns in order; the key stands first on every one."""
    key, *sources = (name for name in grain.sources if name not in grain.inlined)
    formulas = [name for name in grain.formulas if name not in grain.inlined]
    if grain.name not in PARTS:
        return {grain.name: [key, *sources, *formulas]}
    instances = [name for name in formulas if hasattr(grain.formulas[name], "__origin__")]
    written = [name for name in formulas if name not in instances]
    joined, points = PARTS[grain.name]
    return {joined: [key, *sources], grain.name: [key, *written], points: [key, *instances]}


@lru_cache(maxsize=64)
def _columns_of(grain: Grain) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for sheet, names in sheets_of(grain).items():
        for column, quantity in enumerate(names, 1):
            found.setdefault(quantity, (sheet, letters(column)))
    return found


def sheet_and_column(grain: Grain, quantity: str) -> tuple[str, str]:
    """Where a quantity's column stands: its sheet, and its letters."""
    return _columns_of(grain)[quantity]


def cell_of(grain: Grain, quantity: str, key: str) -> str:
    """Where the live figure of a grain stands."""
    sheet, column = sheet_and_column(grain, quantity)
    return f"{quoted(sheet)}!{column}{FIRST_ROW + grain.row(key)}"


def range_of(grain: Grain, quantity: str) -> str:
    """A whole column of a grain, as a formula names it."""
    sheet, column = sheet_and_column(grain, quantity)
    last = FIRST_ROW + max(len(grain.keys), 1) - 1
    return f"{quoted(sheet)}!${column}${FIRST_ROW}:${column}${last}"


@dataclass(frozen=True)
class Live:
    """One cell for readers: its value, its unit, and the formula that gives it in the workbook."""

    value: Any
    annotation: Any
    formula: str


@dataclass(frozen=True)
class LiveRow:
    cells: tuple[Any, ...]  # Live, or plain text
    style: str = "plain"  # plain, group, total, key


@dataclass(frozen=True)
class LiveTable:
    """One table of a sheet for readers: heads over rows of live figures; a title where a sheet has several."""

    heads: tuple[Head, ...]
    rows: tuple[LiveRow, ...]
    title: str = ""


@dataclass(frozen=True)
class LiveChart:
    """A native chart over columns of a table: `bar` (categories, values), `scatter` (x, y) or `line` (months, values).

    A line chart may have `others` beside the column `up`, which is the one that matters.
    """

    kind: str
    title: str
    table: int
    across: int
    up: int
    x_axis: str
    y_axis: str
    alt: str
    rows: tuple[int, ...] = ()  # which rows of the table; all where empty
    others: tuple[int, ...] = ()


@dataclass(frozen=True)
class LiveSheet:
    """A sheet for readers: tables one under the other, then charts."""

    name: str
    title: str
    sentence: str
    tables: tuple[LiveTable, ...]
    charts: tuple[LiveChart, ...] = ()
    landscape: bool = False

    def head_row(self, table: int) -> int:
        """Row of a table's heads; units stand one row above, a title above them. Two rows part the tables."""
        return HEAD_ROW + (2 if self.tables[0].title else 0) + sum(len(t.rows) + 4 for t in self.tables[:table])

    def cell(self, table: int, row: int, column: int) -> str:
        """Address of a cell, rows and columns counted from 0."""
        return address(self.name, column + 1, self.head_row(table) + 1 + row)

    def place_of(self, title: str) -> int | None:
        """Which table has that title; None where no table has it."""
        return next((place for place, table in enumerate(self.tables) if table.title == title), None)

    def range(self, table: int = 0) -> str:
        """Address of a whole table, heads included."""
        last = self.tables[table]
        start, end = self.head_row(table), self.head_row(table) + len(last.rows)
        return f"{quoted(self.name)}!A{start}:{letters(len(last.heads))}{end}"


def live(grain: Grain, quantity: str, key: str, annotation: Any = None, scale: float = 1) -> Live:
    """The live figure of a grain, in the unit its reader wants: `scale` of those make one of the grain's.

    A figure that does not stand in that row stays empty in the sheet and None here.
    """
    value, cell = grain.value(quantity, key), cell_of(grain, quantity, key)
    formula = cell if scale == 1 else f"{cell}*{scale:g}" if scale >= 1 else f"{cell}/{1 / scale:g}"
    if quantity in grain.guarded or value is None:
        formula = cell if scale == 1 else f'IF({cell}="","",{formula})'
    shown = value * scale if value is not None and scale != 1 else value
    return Live(shown, annotation or grain.annotation(quantity), "=" + formula)


def as_text(text: str) -> Live:
    """Plain text in a row of live figures."""
    return Live(text, Text, "")
