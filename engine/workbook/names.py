"""Names: that every key stands once, and every name used is a key of its sheet. Knows no meaning of names."""

from __future__ import annotations

from collections.abc import Iterator

from engine.sheets import Column
from engine.workbook import problems
from engine.workbook.problems import Problem
from engine.workbook.tables import Row, Table, Tables


def wrong_names(tables: Tables) -> Iterator[Problem]:
    """Duplicate keys, and names that are not where they should be."""
    for table in tables.values():
        yield from _duplicates(table)
        for column in table.sheet.columns:
            if column.refers_to:
                yield from _unknown(table, column, [tables[sheet] for sheet in column.refers_to])


def _duplicates(table: Table) -> Iterator[Problem]:
    keys = [column.name for column in table.sheet.keys]
    first: dict[tuple[str, ...], Row] = {}
    for row in table:
        # Excel's lookups take capitals and small letters for the same.
        name = tuple(str(row[key] or "").casefold() for key in keys)
        if keys and all(name):
            earlier = first.setdefault(name, row)
            if earlier is not row:
                twice = ", ".join(str(row[key]) for key in keys)
                yield problems.duplicate(row.place(keys[0]), twice, earlier.cell(keys[0]))


def _unknown(table: Table, column: Column, targets: list[Table]) -> Iterator[Problem]:
    keys = [target.sheet.keys[0].name for target in targets]
    # A sheet whose names could not be read has its own problem; what refers to it is not to blame.
    if not all(key in target.addresses for key, target in zip(keys, targets, strict=True)):
        return
    sheets = tuple(target.sheet.name for target in targets)
    rows = [(row, key) for key, target in zip(keys, targets, strict=True) for row in target]
    names = list(dict.fromkeys(row[key] for row, key in rows if row[key]))
    known = {"", *names}
    for row in table:
        name = row[column.name]
        if name not in known:
            yield problems.unknown_name(row.place(column.name), name, sheets, names, row.is_blank(column.name))
