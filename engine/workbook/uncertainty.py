"""Uncertainty: that what is said of uncertain inputs can be drawn. Knows tables and cells, no Excel file, no draw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.sheets import (
    BY_NAME,
    DISTRIBUTIONS,
    EACH,
    EMPIRICAL,
    LIKELY,
    SETTINGS,
    TRIANGULAR,
    UNCERTAINTY,
    UNIFORM,
    Column,
    Sheet,
)
from engine.spreads import END, Spread
from engine.workbook.describe import amount, bounds, number
from engine.workbook.problems import Problem, address, listed, nearest
from engine.workbook.tables import Row, Tables

Cell = tuple[str, str, int]  # sheet, column, row from 0

FEWEST_POINTS = 5  # from which an empirical distribution is taken
TOGETHER = ("requests_share", "mix_share")  # what must add up whatever is drawn
PARAMETERS = ("low", "likely", "high", "deviation", "measured_points", "measured_column")
NOISE = 1e-9


def columns_of(sheet: Sheet) -> dict[str, Column]:
    """The columns of a sheet that may be uncertain: numbers that need not be whole, and need not add up."""
    return {
        column.name: column
        for column in sheet.columns
        if column.unit.is_number and not (column.words or column.whole or column.key or column.name in TOGETHER)
    }


def names_in(row: Row) -> list[str]:
    """The columns that a driver names."""
    return [name.strip() for name in str(row["input_column"]).split(",")]


def is_each(row: Row) -> bool:
    """Whether a driver moves every row of its sheet by itself, as its input_row then says in place of a name."""
    return str(row["input_row"]).casefold() == EACH and not BY_NAME[str(row["input_sheet"])].vertical


def rows_of(tables: Tables, row: Row) -> list[int]:
    """The rows of its sheet that a driver moves."""
    table = tables[str(row["input_sheet"])]
    if table.sheet.vertical or not row["input_row"] or is_each(row):
        return list(range(len(table)))
    return [each.index for each in table if each[table.sheet.keys[0].name] == row["input_row"]]


def cells_of(tables: Tables, row: Row) -> Iterator[Cell]:
    """The cells that a driver moves: those it names that hold a number other than 0.

    A blank cell holds its column's default, where that is all it means. It is not moved where it stands for none at
    all, or for a setting, with which it then moves.
    """
    table = tables[str(row["input_sheet"])]
    for name in names_in(row):
        is_held = table.sheet.column(name).is_number_when_blank
        for place in rows_of(tables, row):
            if (is_held or (name, place) not in table.blank) and table.columns[name].item(place) != 0:
                yield table.sheet.name, name, place


def members_of(tables: Tables, row: Row) -> list[tuple[Cell, ...]]:
    """The cells that a driver moves, those in one tuple that it moves by one multiple.

    These are all, but where every row moves by itself: then those of a row, or of the rows that err as one.
    """
    if not is_each(row):
        return [tuple(cells_of(tables, row))]
    table = tables[str(row["input_sheet"])]
    said = {table.sheet.column(name).alike for name in names_in(row)}
    # Columns that are named together move together, so they have to agree on which rows do.
    alike = said.pop() if len(said) == 1 else ()
    found: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in cells_of(tables, row):
        of = tuple(table.columns[name].item(cell[2]) for name in alike) or (cell[2],)
        found.setdefault(of, []).append(cell)
    return [tuple(cells) for cells in found.values()]


def points_of(tables: Tables, row: Row) -> list[float]:
    """The measured points whose scatter an empirical distribution takes."""
    name, beginning = str(row["measured_column"]), str(row["measured_points"])
    values = [point[name] for point in tables["Measurements"] if str(point["measurement"]).startswith(beginning)]
    return [value for value in values if value > 0]


def spread_of(tables: Tables, row: Row) -> Spread:
    """How a driver's multiple is distributed."""
    points = tuple(points_of(tables, row)) if row["distribution"] == EMPIRICAL else ()
    return Spread(str(row["distribution"]), row["low"], row["likely"], row["high"], row["deviation"], points)


def groups_of(tables: Tables) -> list[tuple[str, list[Row]]]:
    """The drivers that move together, with the name of their group; one without a group with its own."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in tables[UNCERTAINTY.name]:
        group = str(row["correlation_group"])
        found.setdefault(("group", group) if group else ("alone", str(row["driver"])), []).append(row)
    return [(name, rows) for (_, name), rows in found.items()]


def _readable(row: Row) -> bool:
    return row.sound(*(column.name for column in UNCERTAINTY.columns))


def _unknown_column(row: Row) -> Problem | None:
    """What is wrong with the columns that a driver names."""
    sheet = BY_NAME[str(row["input_sheet"])]
    possible = columns_of(sheet)
    what = "setting" if sheet.vertical else "column"
    for name in names_in(row):
        if name in possible:
            continue
        known = next((column for column in sheet.columns if column.name == name), None)
        if known is None:
            near = nearest(name, possible)
            found = f"'{name}' is no {what} of {sheet.name}"
            advice = f"Did you mean {near}? " if near else ""
            allowed = f"those that may be uncertain are {listed(possible)}"
            return Problem(*row.place("input_column"), found, allowed, f"{advice}Name one of them.")
        why = "must add up" if name in TOGETHER else "holds whole numbers" if known.whole else "holds no plain numbers"
        found = f"{name} of {sheet.name} {why} and cannot be drawn"
        return Problem(*row.place("input_column"), found, f"allowed are {listed(possible)}", "Name one of them.")
    return None


def _unknown_row(tables: Tables, row: Row) -> Problem | None:
    """What is wrong with the row that a driver names, or with what stands there."""
    table = tables[str(row["input_sheet"])]
    named = str(row["input_row"])
    if table.sheet.vertical:
        if named:
            found = f"input_row is '{named}', but {table.sheet.name} has one value for each setting"
            return Problem(*row.place("input_row"), found, "", "Clear this cell.")
    elif is_each(row):
        key = table.sheet.keys[0].name
        if called := next((each for each in table if str(each[key]).casefold() == EACH), None):
            found = f"'{named}' is also the name of a row ({called.cell(key)})"
            allowed = f"{EACH} says that every row moves by itself"
            return Problem(*row.place("input_row"), found, allowed, "Rename that row, or clear this cell for all rows.")
    elif named and not rows_of(tables, row):
        names = list(dict.fromkeys(str(each[table.sheet.keys[0].name]) for each in table))
        near = nearest(named, names)
        has = f"which has: {listed(names)}" if names else "which has no rows"
        advice = f"Did you mean {near}? " if near else ""
        found = f"'{named}' is not on {table.sheet.name}"
        others = f"clear the cell for all rows together, or type {EACH} for every row by itself."
        return Problem(*row.place("input_row"), found, has, f"{advice}Choose one, {others}")
    # A sheet without rows has its own message.
    if len(table) and not any(cells_of(tables, row)):
        where = f"of '{named}'" if named and not is_each(row) else f"on {table.sheet.name}"
        found = f"{listed(names_in(row))} {where} is blank or 0"
        allowed = "a distribution holds multiples of what stands there, and a multiple of nothing is nothing"
        return Problem(*row.place("input_column"), found, allowed, "Fill it in there, or delete this row.")
    return None


def _parameters(tables: Tables, row: Row) -> Iterator[Problem]:
    """What a distribution needs is given, and nothing else."""
    kind = str(row["distribution"])
    needed = DISTRIBUTIONS[kind]
    takes = (*needed, *(("likely",) if kind in LIKELY else ()))
    for name in PARAMETERS:
        if name in needed and row.is_blank(name):
            found = f"{name} is blank, and '{row['driver']}' is {kind}"
            yield Problem(*row.place(name), found, f"such a distribution needs {' and '.join(needed)}", "Fill it in.")
        elif name not in takes and not row.is_blank(name):
            found = f"{name} is given, but '{row['driver']}' is {kind}"
            allowed = f"such a distribution takes {' and '.join(takes)}"
            yield Problem(*row.place(name), found, allowed, "Clear this cell, or choose another distribution.")
    low, high, likely = row["low"], row["high"], row["likely"]
    if kind in (UNIFORM, TRIANGULAR) and low >= high:
        found = f"low is {number(low)} and high is {number(high)} ({row.address('high')})"
        yield Problem(*row.place("low"), found, "low must be below high", "Correct whichever is wrong.")
    elif kind == TRIANGULAR and not low <= likely <= high:
        found = f"likely is {number(likely)}"
        allowed = f"allowed is low to high, {number(low)} to {number(high)}"
        yield Problem(*row.place("likely"), found, allowed, "Correct whichever is wrong.")
    if kind == EMPIRICAL and not row.is_blank("measured_points") and not row.is_blank("measured_column"):
        count = len(points_of(tables, row))
        if count < FEWEST_POINTS:
            named = f"begin with '{row['measured_points']}' and have {row['measured_column']}"
            found = f"{count} points on Measurements {named}"
            allowed = f"a distribution is taken from {FEWEST_POINTS} or more"
            advice = "Add measured points there, correct the beginning, or choose another distribution."
            yield Problem(*row.place("measured_points"), found, allowed, advice)


def _drawable(tables: Tables, row: Row) -> bool:
    """Whether nothing is wrong with a driver by itself."""
    if not _readable(row) or _unknown_column(row):
        return False
    return not _unknown_row(tables, row) and not any(_parameters(tables, row))


def _drivers(tables: Tables) -> Iterator[Problem]:
    """Every driver names cells that hold numbers, and is distributed as it can be."""
    for row in tables[UNCERTAINTY.name]:
        if not _readable(row):
            continue
        wrong = _unknown_column(row) or _unknown_row(tables, row)
        if wrong:
            yield wrong
        yield from _parameters(tables, row)


def _bounds(tables: Tables) -> Iterator[Problem]:
    """No draw leaves what its column allows, also where several drivers move one cell."""
    movers: dict[Cell, list[Row]] = {}
    for row in tables[UNCERTAINTY.name]:
        if _drawable(tables, row):
            for cell in cells_of(tables, row):
                movers.setdefault(cell, []).append(row)
    told: set[int] = set()
    for cell, rows in movers.items():
        last = rows[-1]
        if last.index in told:
            continue
        low, high = _reach(tables, cell, rows)
        column = BY_NAME[cell[0]].column(cell[1])
        end = low if column.at_least is not None and low < column.at_least - NOISE else high
        if end is low or (column.at_most is not None and high > column.at_most * (1 + NOISE)):
            told.add(last.index)
            yield _outside(tables, cell, rows, column, end)
        elif problem := _above_its_peak(tables, cell, movers, high):
            told.add(last.index)
            yield problem


def _reach(tables: Tables, cell: Cell, rows: list[Row]) -> tuple[float, float]:
    """The lowest and highest that a cell may be drawn at."""
    low = high = tables[cell[0]].columns[cell[1]].item(cell[2])
    for row in rows:
        reach = spread_of(tables, row).reach
        low, high = sorted((low, high))
        low, high = min(low * reach[0], low * reach[1]), max(high * reach[0], high * reach[1])
    return low, high


def _outside(tables: Tables, cell: Cell, rows: list[Row], column: Column, end: float) -> Problem:
    last = rows[-1]
    place = address(cell[0], tables[cell[0]].addresses[cell[1]][cell[2]])
    down = end < tables[cell[0]].columns[cell[1]].item(cell[2])
    names = " and ".join(f"'{row['driver']}'" for row in rows)
    verb = "draws" if len(rows) == 1 else "draw"
    found = f"{names} {verb} {column.name} ({place}) {'down' if down else 'up'} to {amount(column, end)}"
    kind, where, advice = str(last["distribution"]), "low" if down else "high", "Narrow it."
    if kind == EMPIRICAL:
        where, advice = "measured_points", "Choose another distribution, or fewer points."
    elif kind not in (UNIFORM, TRIANGULAR):
        where = "deviation"
        ends = f"{kind} ends at {END:.0f} of them"
        advice = f"Lower the deviation ({ends}), or choose triangular, which ends where you say."
    return Problem(*last.place(where), found, f"allowed is {bounds(column)}", advice)


def _above_its_peak(tables: Tables, cell: Cell, movers: dict[Cell, list[Row]], high: float) -> Problem | None:
    """Requests on average do not exceed those of the busiest minutes, which may be drawn with them."""
    sheet, name, place = cell
    if (sheet, name) != ("Traffic", "mean_requests"):
        return None
    peak = tables[sheet].columns["peak_requests"].item(place)
    beside = movers.get((sheet, "peak_requests", place), [])
    least = peak * min((spread_of(tables, row).reach[0] for row in beside), default=1.0)
    own = [row.index for row in movers[cell]]
    if [row.index for row in beside] == own or high <= least:
        return None
    row = movers[cell][-1]
    at = address(sheet, tables[sheet].addresses["peak_requests"][place])
    found = f"'{row['driver']}' draws mean_requests up to {number(round(high, 2))} requests/s"
    allowed = f"allowed is the peak or less, {number(round(least, 2))} ({at})"
    return Problem(
        *row.place("input_column"), found, allowed, "Name mean_requests, peak_requests to have them move together."
    )


def _correlations(tables: Tables) -> Iterator[Problem]:
    """A group has two drivers or more of one multiple, one correlation, and a matrix that is positive definite."""
    for row in tables[UNCERTAINTY.name]:
        if row.sound("correlation_group", "correlation"):
            if row["correlation_group"] and row.is_blank("correlation"):
                found = f"correlation is blank, and '{row['driver']}' is in group '{row['correlation_group']}'"
                yield Problem(*row.place("correlation"), found, "", "Fill it in, or clear the group.")
            elif not row["correlation_group"] and not row.is_blank("correlation"):
                found = f"correlation is given, but '{row['driver']}' is in no correlation_group"
                yield Problem(*row.place("correlation"), found, "", "Name the group, or clear this cell.")
    for group, rows in groups_of(tables):
        first = rows[0]
        if apart := [row for row in rows if row["correlation_group"] and _readable(row) and is_each(row)]:
            for row in apart:
                found = f"'{row['driver']}' moves every row by itself, and is in group '{group}'"
                allowed = "a group joins inputs that have one multiple each"
                advice = "Clear the group and the correlation, or name a row in input_row."
                yield Problem(*row.place("correlation_group"), found, allowed, advice)
            continue
        if not all(row["correlation_group"] and row.sound("correlation", "correlation_group") for row in rows):
            continue
        if any(row.is_blank("correlation") for row in rows):
            continue
        if len(rows) == 1:
            found = f"'{first['driver']}' is alone in group '{group}'"
            advice = "Put another driver into it, or clear the group and the correlation."
            yield Problem(*first.place("correlation_group"), found, "a correlation needs two", advice)
            continue
        differing = next((row for row in rows if row["correlation"] != first["correlation"]), None)
        if differing:
            found = f"the correlation of group '{group}' is {number(differing['correlation'])}"
            allowed = f"it is {number(first['correlation'])} in {first.address('correlation')}, and one for the group"
            yield Problem(*differing.place("correlation"), found, allowed, "Type the same in all its rows.")
            continue
        least = -1 / (len(rows) - 1)
        if not least < first["correlation"] < 1:
            found = (
                f"{len(rows)} drivers cannot all have a correlation of {number(first['correlation'])} with each other: "
                "their matrix is not positive definite"
            )
            allowed = f"allowed is above {number(round(least, 4))} and below 1"
            advice = "Type one between, or have what moves as one in one row (several columns, or all rows)."
            yield Problem(*first.place("correlation"), found, allowed, advice)


def _draws(tables: Tables) -> Iterator[Problem]:
    """Sobol points fill the ranges evenly only where their number is a power of two."""
    for row in tables[SETTINGS.name]:
        if row.sound("draws") and (count := int(row["draws"])) & (count - 1):
            below = 1 << (count.bit_length() - 1)
            found = f"draws is {number(count)}"
            advice = f"Type {below} or {2 * below}."
            yield Problem(*row.place("draws"), found, "allowed are powers of two", advice)


CHECKS = (_drivers, _bounds, _correlations, _draws)
