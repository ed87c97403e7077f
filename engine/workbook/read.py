"""Read: from a workbook's file to its tables, or to all its problems at once. Knows no economics and never writes.

The file is read once, into memory, and hashed as it was read.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.sheets import CHANGE_LOG, SETTINGS, SHEETS, Column, Sheet
from engine.workbook import problems
from engine.workbook.agreement import disagreements
from engine.workbook.cells import nothing, value_of
from engine.workbook.grid import Contents, TooLargeError, contents
from engine.workbook.layout import Layout, coordinate, layout_of
from engine.workbook.names import wrong_names
from engine.workbook.oddities import oddities, unreadable
from engine.workbook.problems import InvalidWorkbook, Problem, in_order
from engine.workbook.safety import open_elsewhere, safe_bytes
from engine.workbook.tables import Inputs, Row, Spot, Table

__all__ = ["Inputs", "Row", "Table", "problems_of", "read"]

READ = tuple(sheet for sheet in SHEETS if sheet is not CHANGE_LOG)


def read(path: str | Path, month: date | None = None) -> Inputs:
    """The tables of a workbook, every cell checked, for the month that Settings names or for another.

    Errors: InvalidWorkbook with all problems, each with its cell; warnings alone do not stop.
    """
    with without_collecting():
        return _read(Path(path), month)


def problems_of(path: str | Path) -> tuple[Problem, ...]:
    """All problems and warnings of a workbook, in the order of its sheets and cells."""
    try:
        return read(path).warnings
    except InvalidWorkbook as invalid:
        return invalid.problems


@contextmanager
def without_collecting() -> Iterator[None]:
    """Looking for cycles among many cells takes half the time of reading them, and frees nothing."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _read(path: Path, month: date | None) -> Inputs:
    data = safe_bytes(path)
    tables, found = _tables(path.name, data)
    found += open_elsewhere(path)
    if month is not None:
        settings = tables[SETTINGS.name]
        columns = {**settings.columns, "report_month": np.array([month], dtype=object)}
        tables[SETTINGS.name] = replace(settings, columns=columns)
    # A cell that could not be read has been reported; what follows from it would only repeat that.
    reported = {(problem.sheet, problem.cell) for problem in found}
    together = (*wrong_names(tables), *disagreements(tables))
    found += [problem for problem in together if (problem.sheet, problem.cell) not in reported]
    if any(problem.severity == "error" for problem in found):
        raise InvalidWorkbook(found)
    return Inputs(path, hashlib.sha256(data).hexdigest(), data, tables, in_order(found))


def _tables(file: str, data: bytes) -> tuple[dict[str, Table], list[Problem]]:
    """Every sheet as a table, empty where the sheet is missing, and what is wrong with single cells."""
    try:
        held, sheets = contents(data, [sheet.name for sheet in READ])
    except TooLargeError as large:
        where = large.sheet or file
        raise InvalidWorkbook([problems.too_large(where, large.what, large.count, large.limit)]) from large
    except Exception as error:
        # openpyxl raises many kinds of error on a damaged file, and for the analyst they are all one.
        raise InvalidWorkbook([problems.damaged_file(file)]) from error
    found: list[Problem] = []
    tables: dict[str, Table] = {}
    settings: Mapping[str, Any] = {column.name: nothing(column) for column in SETTINGS.columns}
    for sheet in READ:
        if sheet.name in held:
            layout = layout_of(sheet, held[sheet.name].cells)
            tables[sheet.name], wrong = _table(sheet, held[sheet.name], layout, settings)
            found += wrong
        else:
            tables[sheet.name] = _without_rows(sheet)
            found.append(problems.missing_sheet(sheet.name, [name for name in sheets if name not in held]))
        if sheet is SETTINGS and len(tables[sheet.name]):
            settings = {name: values.item(0) for name, values in tables[sheet.name].columns.items()}
    return tables, found


def _table(sheet: Sheet, held: Contents, layout: Layout, settings: Mapping[str, Any]) -> tuple[Table, list[Problem]]:
    """The table whose cells stand at these positions, and what is wrong with them."""
    found = [*layout.problems, *oddities(sheet.name, held, layout)]
    told = unreadable(held, layout)
    columns = {column.name: [nothing(column)] * layout.rows for column in sheet.columns}
    blank, formulas = set[Spot](), dict[Spot, str]()
    broken = {(name, index) for name in columns if name not in layout.positions for index in range(layout.rows)}
    addresses = {name: tuple(map(coordinate, positions)) for name, positions in layout.positions.items()}
    for name, positions in layout.positions.items():
        column = sheet.column(name)
        for index, position in enumerate(positions):
            cell, spot = held.cells.get(position), (name, index)
            place = sheet.name, addresses[name][index]
            if position in told:
                broken.add(spot)
                continue
            columns[name][index], problem = value_of(column, cell, place, settings)
            if problem:
                found.append(problem)
                broken.add(spot)
            elif cell is None:
                blank.add(spot)
            if cell and cell.formula:
                formulas[spot] = cell.formula
    arrays = {column.name: _array(column, columns[column.name]) for column in sheet.columns}
    return Table(sheet, arrays, addresses, frozenset(blank), formulas, frozenset(broken)), found


def _without_rows(sheet: Sheet) -> Table:
    return Table(sheet, {column.name: _array(column, []) for column in sheet.columns}, {})


def _array(column: Column, values: Sequence[Any]) -> NDArray[Any]:
    if column.words or column.unit.is_number:
        return np.array(values, dtype=float)
    return np.array(values, dtype=object if column.unit.kind in ("date", "month") else np.str_)
