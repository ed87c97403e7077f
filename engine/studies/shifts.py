"""Shifts: the inputs of a report with some of them changed, as if an analyst had typed other figures.

Knows tables and their declaration, and neither Excel nor what a quantity means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.sheets import SETTINGS, SHEETS, Column
from engine.workbook import describe
from engine.workbook.agreement import disagreements
from engine.workbook.drivers import first_column
from engine.workbook.names import wrong_names
from engine.workbook.problems import Problem, within
from engine.workbook.read import Inputs
from engine.workbook.tables import Table, Tables

NOISE = 1e-9  # of a whole number


class ImpossibleShiftError(Exception):
    """What the inputs would be is not allowed, in a sentence."""


@dataclass(frozen=True)
class Shift:
    """Columns of a sheet, in one row or in all, that change by a share or that a figure or name replaces."""

    sheet: str
    columns: tuple[str, ...]
    row: str
    share: float | None = None
    value: float | str | None = None


def shifting(inputs: Inputs) -> Callable[[Iterable[Shift]], Inputs]:
    """What gives these inputs with some shifts made, one after the other.

    Words that stand for numbers, such as a batch of 'max', do not move by a share. It raises ImpossibleShiftError where
    a cell would leave its bounds, or where sheets would no longer agree.
    """
    known = {(problem.sheet, problem.cell) for problem in _wrong(inputs.tables)}

    def shifted(shifts: Iterable[Shift]) -> Inputs:
        tables = dict(inputs.tables)
        for shift in shifts:
            for name in shift.columns:
                _change(tables, shift, tables[shift.sheet].sheet.column(name))
        for problem in _wrong(tables):
            if problem.severity == "error" and (problem.sheet, problem.cell) not in known:
                raise ImpossibleShiftError(f"{problem.found}; {problem.allowed}")
        return replace(inputs, tables=tables)

    return shifted


def _wrong(tables: Tables) -> list[Problem]:
    return [*wrong_names(tables), *disagreements(tables)]


def _change(tables: dict[str, Table], shift: Shift, column: Column) -> None:
    table = tables[shift.sheet]
    names = [name.casefold() for name in first_column(table)]
    rows = np.array([not shift.row or name == shift.row.casefold() for name in names], dtype=bool)
    tables[shift.sheet] = _with_cells(table, column, rows, shift)
    if table.sheet is SETTINGS:
        # What falls back to a setting was filled in when it was read.
        for sheet, other in _falling_back(column.name):
            below = tables[sheet]
            blank = np.array([(other.name, row) in below.blank for row in range(len(below))], dtype=bool)
            tables[sheet] = _with_cells(below, other, blank, shift)


def _falling_back(setting: str) -> Iterator[tuple[str, Column]]:
    for sheet in SHEETS:
        for column in sheet.columns:
            if column.otherwise == setting:
                yield sheet.name, column


def _with_cells(table: Table, column: Column, rows: NDArray[np.bool_], shift: Shift) -> Table:
    values = table.columns[column.name]
    changed = _moved(values, column, rows, shift.share) if shift.share is not None else values.copy()
    if shift.share is None:
        value: Any = column.words.get(str(shift.value), shift.value)
        if column.choices and value not in column.choices:
            raise ImpossibleShiftError(f"{column.name} would be '{value}'; allowed is {describe.allowed(column)}")
        changed = np.where(rows, value, values) if isinstance(value, float) else _replaced(values, rows, value)
    for row in np.flatnonzero(rows):
        _allowed(table, column, int(row), changed.item(row), values.item(row))
    return replace(table, columns={**table.columns, column.name: changed})


def _moved(values: NDArray[Any], column: Column, rows: NDArray[np.bool_], share: float) -> NDArray[Any]:
    figures = ~np.isin(values, list(column.words.values())) if column.words else np.full(len(values), True)
    return np.where(rows & figures, values * (1 + share), values)


def _replaced(values: NDArray[Any], rows: NDArray[np.bool_], name: str) -> NDArray[Any]:
    return np.array([name if changes else value for value, changes in zip(values.tolist(), rows, strict=True)])


def _allowed(table: Table, column: Column, row: int, value: Any, before: Any) -> None:
    if isinstance(value, str) or np.isnan(value) or value == before:
        return
    where = f"{column.name}{f' of {first_column(table)[row]!r}' if not table.sheet.vertical else ''}"
    shown = describe.amount(column, float(f"{value:.6g}"))
    if not within(column, value):
        raise ImpossibleShiftError(f"{where} would be {shown}; allowed is {describe.bounds(column)}")
    if column.whole and abs(value - round(value)) > NOISE:
        raise ImpossibleShiftError(f"{where} would be {shown}; it has to be a whole number")

