"""Tables of the workbook on a page: the same heads and figures, as many rows as a page holds."""

from __future__ import annotations

from collections.abc import Iterable

from engine.report.live import LiveSheet
from engine.report.pages.deployments import MOST_ROWS
from engine.report.values import Block, Margin, Row, Table


def table_of(
    sheet: LiveSheet,
    title: str,
    description: str,
    footnote: str = "",
    tinted: Iterable[str] = (),
    most: int = MOST_ROWS,
) -> Table | None:
    """The table of that title as the PDF shows it: the same heads and figures, the first `most` rows."""
    place = sheet.place_of(title)
    if place is None:
        return None
    live = sheet.tables[place]
    keys = set(tinted)
    rows = tuple(
        Row(tuple(cell.value for cell in row.cells), "key" if row.cells[0].value in keys else row.style)
        for row in live.rows[:most]
    )
    name, _, more = title.partition(", ")
    told = ", ".join(part for part in (more, description) if part)
    return Table(name, told, live.heads, rows, Margin("Table", sheet.range(place)), footnote)


def present(*blocks: Block | None) -> tuple[Block, ...]:
    """The blocks that there are."""
    return tuple(block for block in blocks if block is not None)
