"""Oddities: what is odd about a sheet's cells besides their values: merged, hidden, asking other programs.

Knows where columns and rows stand, not what belongs in them.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import product

from engine.workbook import problems
from engine.workbook.grid import Contents
from engine.workbook.layout import Layout, Position, coordinate
from engine.workbook.problems import Problem

# `program|topic!item`, outside of text and of quoted names of sheets.
DDE = re.compile(r"(?<!')\b\w+\|(?:'[^']*'|\w+)!")
TEXT = re.compile(r'"[^"]*"')


def oddities(sheet: str, held: Contents, layout: Layout) -> Iterator[Problem]:
    """What is odd on one sheet, where it touches the analyst's inputs."""
    for first, last, _ in _merged(held, layout):
        yield problems.merged((sheet, coordinate(first)), coordinate(last))
    hidden = sorted({place for places in layout.positions.values() for place in places if place[0] in held.hidden_rows})
    if hidden:
        yield problems.hidden_rows((sheet, coordinate(hidden[0])), list(dict.fromkeys(row for row, _ in hidden)))
    for position in _asking(held):
        yield problems.asks_a_program((sheet, coordinate(position)), held.cells[position].formula)


def unreadable(held: Contents, layout: Layout) -> set[Position]:
    """Cells that need not be read, because they lie under a merged one or have been told as odd."""
    return {position for _, _, hidden in _merged(held, layout) for position in hidden} | set(_asking(held))


def _asking(held: Contents) -> Iterator[Position]:
    formulas = ((position, cell.formula) for position, cell in held.cells.items() if "|" in cell.formula)
    return (position for position, formula in formulas if DDE.search(TEXT.sub("", formula)))


def _merged(held: Contents, layout: Layout) -> Iterator[tuple[Position, Position, list[Position]]]:
    """Merged ranges that cover inputs: their first and last cell, and the inputs that lie under the first."""
    if not held.merged:
        return
    inputs = {position for positions in layout.positions.values() for position in positions}
    rows, columns = (sorted(set(lines)) for lines in zip(*inputs, strict=True)) if inputs else ([], [])
    for left, top, right, bottom in held.merged:
        under = product(_between(rows, top, bottom), _between(columns, left, right))
        if hidden := [position for position in under if position in inputs and position != (top, left)]:
            yield (top, left), (bottom, right), hidden


def _between(lines: list[int], first: int, last: int) -> list[int]:
    return lines[bisect_left(lines, first) : bisect_right(lines, last)]
