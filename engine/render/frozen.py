"""Frozen: the analyst's sheets as they were, at their own addresses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any, cast

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.comments import Comment
from openpyxl.utils import coordinate_to_tuple, get_column_letter
from openpyxl.worksheet.table import Table as NativeTable
from openpyxl.worksheet.table import TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from engine.render.cells import fit_to_page, put, text
from engine.sheets import CHANGE_LOG, PURPOSE_ROW, TITLE_ROW, UNIT_ROW
from engine.workbook.tables import Inputs, Table


def copy_inputs(book: Workbook, inputs: Inputs) -> list[str]:
    """Copies every input sheet, values only; an analyst's own formula stays as a note. Returns the sheets' names."""
    analyst = load_workbook(BytesIO(inputs.content), data_only=True)
    names = [name for name in analyst.sheetnames if name in inputs.tables and name != CHANGE_LOG.name]
    for name in names:
        sheet: Worksheet = book.create_sheet(name)
        sheet.sheet_view.showGridLines = False
        _copy(analyst[name], sheet, inputs.tables[name], inputs.settings)
        fit_to_page(sheet, landscape=True)
    return names


def _copy(analyst: Any, sheet: Worksheet, table: Table, settings: Mapping[str, Any]) -> None:
    inputs = {address for column in table.addresses.values() for address in column}
    for row in analyst.iter_rows():
        for cell in row:
            if cell.value is None and cell.coordinate not in inputs:
                continue
            style = _style(cell.row, cell.coordinate in inputs, cell.row == _head_row(table))
            value = cell.value
            if isinstance(value, datetime):
                value = value.date()
            put(sheet, cell.row, cell.column, value, style, cell.number_format)
            if value is None:
                sheet.cell(cell.row, cell.column).value = None
    for letters, dimension in analyst.column_dimensions.items():
        sheet.column_dimensions[letters].width = dimension.width
    if table.sheet.vertical:
        month = sheet[table.addresses["report_month"][0]]
        if month.value != settings["report_month"]:
            month.comment = Comment(f"The workbook says {month.value}; the run was asked for another month.", "run")
            month.value = settings["report_month"]
    else:
        _native_table(sheet, table)
    for (column, index), formula in table.formulas.items():
        text_of = str(formula)
        sheet[table.addresses[column][index]].comment = Comment(text_of, "analyst")


def _style(row: int, is_input: bool, is_head: bool) -> str:
    if is_input:
        return "Input"
    if is_head:
        return "Head Text"
    return {TITLE_ROW: "Title", PURPOSE_ROW: "Purpose", UNIT_ROW: "Unit"}.get(row, "Text")


def _head_row(table: Table) -> int:
    if table.sheet.vertical or not len(table):
        return 0
    first = next(iter(table.addresses.values()))[0]
    return coordinate_to_tuple(first)[0] - 1


def _native_table(sheet: Worksheet, table: Table) -> None:
    """The native table that lookups name: all columns from the first filled head to the last."""
    if not len(table):
        return
    head_row = _head_row(table)
    last_row = max(coordinate_to_tuple(address)[0] for column in table.addresses.values() for address in column)
    filled = [cell.column for cell in sheet[head_row] if cell.value not in (None, "")]
    seen: set[str] = set()
    for column in range(filled[0], filled[-1] + 1):
        cell = sheet.cell(head_row, column)
        # A table's heads must be text, filled and different from one another, as Excel itself would make them.
        name = str(cell.value or f"Column{column}")
        while name.casefold() in seen:
            name += "_"
        seen.add(name.casefold())
        text(cast(Cell, cell), name)
    ref = f"{get_column_letter(filled[0])}{head_row}:{get_column_letter(filled[-1])}{last_row}"
    native = NativeTable(displayName=table.sheet.table, ref=ref)
    native.tableStyleInfo = TableStyleInfo(name=None, showRowStripes=False)
    sheet.add_table(native)
