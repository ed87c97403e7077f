"""Drivers: that the inputs which Sensitivity and Scenarios change are there. Knows tables and cells, no file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain

from engine.sheets import SCENARIOS, SENSITIVITY, Column
from engine.workbook.cells import LONGEST_NAME
from engine.workbook.describe import number
from engine.workbook.problems import Problem, duplicate, listed, long_name
from engine.workbook.tables import Row, Table, Tables

SIDES = ("low_change", "high_change", "low_value", "high_value")


def _inputs(tables: Tables) -> Iterator[Problem]:
    """The column and the row that are named are there."""
    for row in chain(tables[SENSITIVITY.name], tables[SCENARIOS.name]):
        if not row.sound("input_sheet", "input_column", "input_row") or not row["input_sheet"]:
            continue
        table = tables[row["input_sheet"]]
        columns = {column.name: column for column in table.sheet.columns}
        for name in input_columns(row):
            if name in columns:
                yield from _kind(row, columns[name])
                continue
            near = [each for each in columns if name.lower() in each] or list(columns)
            found, allowed = f"'{name}' is no column of {table.sheet.name}", f"it has {listed(near)}"
            yield Problem(*row.place("input_column"), found, allowed, "Type the head as it stands there.")
        yield from _row(row, table)


def input_columns(row: Row) -> list[str]:
    """The heads that a driver or a change names."""
    return [name.strip() for name in str(row["input_column"]).split(",")]


def _kind(row: Row, column: Column) -> Iterator[Problem]:
    """Only a figure can move by a share; a name is replaced by a name."""
    is_figure = column.unit.is_number
    moves = row.table.sheet is SENSITIVITY
    as_name = not moves and bool(row["new_name"])
    place = row.place("input_column" if moves else "new_name" if as_name else "input_column")
    if as_name and is_figure and row["new_name"] not in column.words:
        words = f"or one of {listed(list(column.words))}" if column.words else "in new_value"
        yield Problem(*place, f"{column.name} holds figures", f"allowed is a figure {words}", "Type it there.")
    elif not as_name and not is_figure:
        allowed = "only figures are moved" if moves else "a name takes its place, typed into new_name"
        yield Problem(*place, f"{column.name} holds no figures", allowed, "Choose another column.")


def _row(row: Row, table: Table) -> Iterator[Problem]:
    name = row["input_row"]
    if not name:
        return
    if table.sheet.vertical:
        found, allowed = f"input_row is '{name}'", "Settings has one value for each setting"
        yield Problem(*row.place("input_row"), found, allowed, "Clear it.")
    elif name.casefold() not in (str(each).casefold() for each in first_column(table)):
        names = list(dict.fromkeys(str(each) for each in first_column(table)))
        found = f"'{name}' is no row of {table.sheet.name}"
        advice = "Type one of them, or clear the cell."
        yield Problem(*row.place("input_row"), found, f"it has {listed(names)}", advice)


def first_column(table: Table) -> list[str]:
    """What rows of a sheet are called: the texts of its first column."""
    return [str(name) for name in table.columns[table.sheet.columns[0].name]]


def _ways(tables: Tables) -> Iterator[Problem]:
    """A driver moves by shares or takes figures, a change is one thing."""
    for row in tables[SENSITIVITY.name]:
        if not row.sound(*SIDES):
            continue
        given = [name for name in SIDES if not row.is_blank(name)]
        if not given:
            found, allowed = "nothing says how far it is moved", "a driver has low_change or high_change, or values"
            yield Problem(*row.place("low_change"), found, allowed, "Type how far, such as -20 % and 20 %.")
        elif len({name.partition("_")[2] for name in given}) > 1:
            found, allowed = f"{listed(given)} are given", "a driver moves by shares, or takes values"
            yield Problem(*row.place(given[-1]), found, allowed, "Clear the ones or the others.")
        elif len(given) == 2 and row[given[0]] >= row[given[1]]:
            found = f"{given[0]} is {number(row[given[0]])}, and {given[1]} is {number(row[given[1]])}"
            yield Problem(*row.place(given[0]), found, "the low side is the smaller one", "Exchange them.")
        elif len(given) == 1 and row["pair"]:
            found = f"{given[0]} alone is given"
            allowed = f"a driver of a pair ({row.address('pair')}) has a low and a high side"
            yield Problem(*row.place(given[0]), found, allowed, "Fill in the other side, or clear the pair.")
    for row in tables[SCENARIOS.name]:
        ways = ("change", "new_value", "new_name")
        if not row.sound(*ways):
            continue
        given = [name for name in ways if not row.is_blank(name)]
        if len(given) != 1:
            found = f"{listed(given)} are given" if given else "nothing says what changes"
            allowed = "a row has a change, or a new_value, or a new_name"
            yield Problem(*row.place("change"), found, allowed, "Fill in one of the three.")


def _pairs(tables: Tables) -> Iterator[Problem]:
    """Two drivers make a pair."""
    drivers = [row for row in tables[SENSITIVITY.name] if row.sound("pair") and row["pair"]]
    counts = Counter(row["pair"] for row in drivers)
    for row in drivers:
        if counts[row["pair"]] != 2:
            found = f"{counts[row['pair']]} drivers have the pair '{row['pair']}'"
            yield Problem(*row.place("pair"), found, "a two-way table has two", "Name the pair on two rows.")


def _names(tables: Tables) -> Iterator[Problem]:
    """No two drivers have one name, by which the report tells them apart; it fits a cell together with another."""
    first: dict[str, Row] = {}
    for row in tables[SENSITIVITY.name]:
        if not row.sound("driver"):
            continue
        if len(row["driver"]) > LONGEST_NAME:
            yield long_name(row.place("driver"), row["driver"], LONGEST_NAME)
        other = first.setdefault(row["driver"].casefold(), row)
        if other.index != row.index:
            yield duplicate(row.place("driver"), row["driver"], other.cell("driver"))


CHECKS = (_inputs, _ways, _pairs, _names)
