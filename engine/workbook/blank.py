"""Blank: writes the input workbook, empty or filled, from the declaration of its sheets. Knows no figures of its own.

Cells that analysts fill in are unlocked and have a prompt; so have the rows below, in which a table goes on growing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.filters import AutoFilter, FilterColumn
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from engine.sheets import FIRST_ROW, HEAD_ROW, SETTINGS, SHEETS, UNIT_ROW, Column, Sheet
from engine.units import show
from engine.workbook import describe
from engine.workbook.checks import LINED, write_checks
from engine.workbook.cover import TITLE, write_cover
from engine.workbook.looks import (
    INPUT_TAB,
    new_book,
    protect,
    put,
    put_title,
    retype,
    row_height,
    set_column_style,
    set_print,
    set_widths,
    unlock_further_columns,
)
from engine.workbook.package import packed, repacked
from engine.workbook.recalculation import recalculate
from engine.workbook.validation import LAST_ROW, validation

Rows = Mapping[str, Sequence[Mapping[str, Any]]]

SPARE_ROWS = 8  # of a table without rows
WIDEST_LYING = 210.0  # characters of a sheet above which the heads of its numbers stand upright
NARROWEST, LONG_TEXT, WIDEST = 7.0, 16.0, 44.0
SETTING_HEADS = ("setting", "value", "unit", "what it is")
SETTING_WIDTHS = [24.0, 24.0, 10.0, 84.0]
NAMED_CELLS = {"Report_Month": "report_month", "Reporting_Currency": "currency"}


def write_blank(path: str | Path, rows: Rows | None = None, *, today: date) -> None:
    """Writes the input workbook; the same rows and day give the same bytes.

    `rows` maps a sheet's name to its rows, each from column to what is typed; a column or sheet left out is blank.
    Errors: ValueError naming a sheet or column that is not declared; RecalculationError where the second engine, which
    fills in what the live checks show, refuses the file.
    """
    filled = rows or {}
    if unknown := set(filled) - {sheet.name for sheet in SHEETS}:
        raise ValueError(f"no such sheet: {', '.join(sorted(unknown))}")
    book = new_book()
    book.properties.title, book.properties.creator = TITLE, "inference-margin"
    write_cover(book)
    for declared in SHEETS:
        given = filled.get(declared.name, ())
        names = {column.name for column in declared.columns}
        if strange := {name for row in given for name in row} - names:
            raise ValueError(f"no such column on {declared.name}: {', '.join(sorted(strange))}")
        add_sheet(book, declared, given)
    for name, setting in NAMED_CELLS.items():
        row = FIRST_ROW + SETTINGS.columns.index(SETTINGS.column(setting))
        book.defined_names[name] = DefinedName(name, attr_text=f"{SETTINGS.name}!$B${row}")
    write_checks(book, TITLE, *(len(filled.get(each.name, ())) for each in LINED))
    path = Path(path)
    path.write_bytes(packed(book, today))
    recalculate(path)
    path.write_bytes(repacked(path.read_bytes(), today))


def add_sheet(book: Workbook, declared: Sheet, rows: Sequence[Mapping[str, Any]] = ()) -> None:
    """Adds a sheet as the last one, with these rows; the book knows our styles."""
    sheet = book.create_sheet(declared.name)
    put_title(sheet, declared.name, declared.purpose, _columns(declared))
    if declared.vertical:
        _write_upright(sheet, declared, rows[0] if rows else {})
    else:
        _write_lying(sheet, declared, rows)
    # Rows without a height of their own grow with the text that is typed into them.
    sheet.sheet_format.customHeight = False
    protect(sheet)
    sheet.sheet_view.showGridLines = False
    sheet.sheet_properties.tabColor = INPUT_TAB


def _write_upright(sheet: Worksheet, declared: Sheet, row: Mapping[str, Any]) -> None:
    """One setting per row: its name, its value, its unit, what it is."""
    for number, head in enumerate(SETTING_HEADS, start=1):
        put(sheet.cell(UNIT_ROW, number), None, "Unit")
        put(sheet.cell(HEAD_ROW, number), head, "Head Text" if number == 1 else "Head Text After")
    for line, column in enumerate(declared.columns, start=FIRST_ROW):
        put_setting(sheet, declared, column, line, row.get(column.name))
    last = FIRST_ROW + len(declared.columns) - 1
    _finish(sheet, declared, SETTING_HEADS, SETTING_WIDTHS, last)
    sheet.freeze_panes = f"A{FIRST_ROW}"


def put_setting(sheet: Worksheet, declared: Sheet, column: Column, line: int, value: Any = None) -> None:
    """Writes one setting into its line."""
    text = describe.prompt(column)
    put(sheet.cell(line, 1), column.name, "Row Label")
    put(sheet.cell(line, 2), value, "Input Text", column.unit.excel_format)
    put(sheet.cell(line, 3), describe.unit(column), "Text")
    put(sheet.cell(line, 4), text, "Text")
    sheet.row_dimensions[line].height = max(map(row_height, (str(value or ""), text), SETTING_WIDTHS[1::2]))
    sheet.add_data_validation(validation(declared, column, f"B{line}"))


def _write_lying(sheet: Worksheet, declared: Sheet, rows: Sequence[Mapping[str, Any]]) -> None:
    """One thing per row, under heads with their units."""
    widths, upright = _shape(declared, rows)
    last = FIRST_ROW + (len(rows) or SPARE_ROWS) - 1
    for number, column in enumerate(declared.columns, start=1):
        put_column(sheet, declared, column, (HEAD_ROW, number), last, upright=upright)
        for index, row in enumerate(rows, start=FIRST_ROW):
            retype(sheet.cell(index, number), row.get(column.name))
    if upright:
        longest = max(len(column.name) for column in declared.columns if column.unit.is_number)
        sheet.row_dimensions[HEAD_ROW].height = 12 + 4.8 * longest
    for index, row in enumerate(rows, start=FIRST_ROW):
        texts = [str(row.get(column.name) or "") for column in declared.columns]
        sheet.row_dimensions[index].height = max(map(row_height, texts, widths))
    _finish(sheet, declared, [column.name for column in declared.columns], widths, last)
    sheet.freeze_panes = f"B{FIRST_ROW}"


def put_column(
    sheet: Worksheet, declared: Sheet, column: Column, head: tuple[int, int], last: int, *, upright: bool
) -> None:
    """Writes the unit and the head of a column, at the row and column of the head, and blank cells down to `last`."""
    (row, number), letter = head, get_column_letter(head[1])
    style, head_style = _styles(column, number, upright)
    if row > 1:
        put(sheet.cell(row - 1, number), describe.unit(column) or None, "Unit")
    put(sheet.cell(row, number), column.name, head_style)
    for index in range(row + 1, last + 1):
        put(sheet.cell(index, number), None, style, column.unit.excel_format)
    set_column_style(sheet, number, f"{style} Below", column.unit.excel_format)
    below = f"{letter}{row + 1}:{letter}{max(last, LAST_ROW)}"
    sheet.add_data_validation(validation(declared, column, below))


def _columns(declared: Sheet) -> int:
    """How many columns the sheet takes."""
    return len(SETTING_HEADS) if declared.vertical else len(declared.columns)


def _styles(column: Column, number: int, upright: bool) -> tuple[str, str]:
    """The styles of a column's cells and of its head."""
    if column.unit.is_number:
        return "Input", "Head Upright" if upright else "Head"
    return ("Input Name", "Head Text") if number == 1 else ("Input Text", "Head Text After")


def _shape(declared: Sheet, rows: Sequence[Mapping[str, Any]]) -> tuple[list[float], bool]:
    """The widths of the columns, and whether the heads of numbers stand upright to keep a wide sheet legible."""
    narrow = [_width(column, [row.get(column.name) for row in rows]) for column in declared.columns]
    wide = [max(width, _head_width(column)) for column, width in zip(declared.columns, narrow, strict=True)]
    upright = sum(wide) > WIDEST_LYING
    return (narrow if upright else wide), upright


def _width(column: Column, values: Sequence[Any]) -> float:
    """Room for the unit and the figures, or for the text; long text wraps, and short text has its head beside it."""
    if column.unit.is_number:
        digits = len(show(column.at_most, column.annotation, label=False))
        figures = (len(show(value, column.annotation, label=False)) for value in values if isinstance(value, float))
        return max(NARROWEST, len(describe.unit(column)) + 1.5, min(digits, 9) + 1.5, max(figures, default=0) + 1.5)
    if column.unit.kind in ("date", "month"):
        return 13.0
    lengths = [len(str(value)) for value in values if value is not None]
    # Words are short, and of names only those that are there are known to be.
    is_long = not (column.choices or column.words or (column.refers_to and lengths))
    longest = max(lengths, default=0) + 2.0
    return min(max(longest, _head_width(column), LONG_TEXT if is_long else NARROWEST), WIDEST)


def _head_width(column: Column) -> float:
    """Room for the head, and over text for Excel's filter button."""
    return len(column.name) + (1.0 if column.unit.is_number else 4.0)


def _finish(sheet: Worksheet, declared: Sheet, heads: Sequence[str], widths: list[float], last: int) -> None:
    """The native table, the widths, the print set-up, and what lies to the right."""
    ref = f"A{HEAD_ROW}:{get_column_letter(len(heads))}{last}"
    table = Table(displayName=declared.table, ref=ref)
    # Filter buttons would cover the heads of numbers; names and words are what one filters by.
    numbers = [] if declared.vertical else [n for n, column in enumerate(declared.columns) if column.unit.is_number]
    hidden = [FilterColumn(colId=number, hiddenButton=True) for number in numbers]
    table.autoFilter = AutoFilter(ref=ref, filterColumn=hidden)
    table.tableStyleInfo = TableStyleInfo(showRowStripes=False)
    sheet.add_table(table)
    set_widths(sheet, widths)
    unlock_further_columns(sheet, len(heads) + 1)
    set_print(sheet, TITLE, widths, f"{UNIT_ROW}:{HEAD_ROW}")
