"""Cells: the few ways in which anything is put on a sheet of results.xlsx. Knows styles and formats, no figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from copy import copy
from datetime import date
from typing import Any, cast
from weakref import WeakKeyDictionary

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from engine.sheets import HEAD_ROW, PURPOSE_ROW, TITLE_ROW
from engine.workbook.looks import set_print


def put(
    sheet: Worksheet, row: int, column: int, value: Any, style: str, number_format: str = "", *, live: bool = False
) -> Cell:
    """Writes one value in a style; a formula only where `live` says so, text otherwise stays text."""
    cell = cast(Cell, sheet.cell(row, column))
    _dress(cell, style, number_format)
    if live:
        cell.value = value
    elif isinstance(value, str):
        text(cell, str(value))
    elif value is None or (isinstance(value, float) and math.isnan(value)):
        text(cell, "")
    else:
        cell.value = value if isinstance(value, date | int) else float(value)
    return cell


# Looking a style up by name costs more than everything else a cell needs; each is looked up once a workbook.
_LOOKS: WeakKeyDictionary[Any, dict[tuple[str, str], Any]] = WeakKeyDictionary()


def _dress(cell: Cell, style: str, number_format: str) -> None:
    looks = _LOOKS.setdefault(cell.parent.parent, {})
    if (style, number_format) not in looks:
        cell.style = style
        if number_format:
            cell.number_format = number_format
        looks[style, number_format] = copy(cell._style)  # type: ignore[attr-defined]
    cell._style = copy(looks[style, number_format])  # type: ignore[attr-defined]


def text(cell: Cell, value: str) -> None:
    """Writes text that stays text: openpyxl takes a leading '=' for a formula, and Excel a leading sign."""
    cell.value = value
    cell.data_type = "s"
    if value[:1] in ("=", "+", "-", "@"):
        cell.quotePrefix = True


def sheet_of(book: Workbook, name: str, title: str, sentence: str) -> Worksheet:
    """A new sheet with its title and one sentence, without gridlines."""
    sheet: Worksheet = book.create_sheet(name)
    sheet.sheet_view.showGridLines = False
    put(sheet, TITLE_ROW, 1, title, "Title")
    if sentence:
        put(sheet, PURPOSE_ROW, 1, sentence, "Purpose")
    sheet.sheet_format.defaultRowHeight = 16
    return sheet


def head(sheet: Worksheet, row: int, names: Sequence[str], numbers: Sequence[int] = ()) -> None:
    """Heads of a table, aligned with their columns: those in `numbers` (counted from 1) right, the others left."""
    for column, name in enumerate(names, 1):
        put(sheet, row, column, name, "Head" if column in numbers else words("Head Text", column))


def words(style: str, column: int) -> str:
    """The style of words in a column: from the second on they keep their distance from what stands before them."""
    return style if column == 1 else f"{style} After"


def width_for(texts: Iterable[object]) -> float:
    """Width of a column in which none of these texts is cut, within reason."""
    return max(10.0, min(60.0, max((len(str(text)) for text in texts), default=0) * 0.95 + 3))


def fit_to_page(
    sheet: Worksheet, *, landscape: bool, one_page: bool = False, wide: int = 1, one_table: bool = True
) -> None:
    """Print set-up: A4, `wide` pages wide, heads repeated where the whole sheet has the same."""
    repeated = one_table and not one_page
    set_print(sheet, "Inference margin", [], f"{HEAD_ROW}:{HEAD_ROW}" if repeated else "")
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = wide, 1 if one_page else 0
