"""Cover: the first sheet of the input workbook, for whoever opens it. Knows how it is used, no values."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from engine.sheets import SHEETS
from engine.workbook.checks import MASTER
from engine.workbook.checks import NAME as CHECKS
from engine.workbook.checks import PURPOSE as CHECKS_PURPOSE
from engine.workbook.looks import BLUE, protect, put, put_title, row_height, set_print, set_widths
from engine.workbook.problems import address

TITLE = "Inference margin: inputs"
PURPOSE = "Everything the monthly report is calculated from. One workbook is one month."
WIDTHS = [20.0, 84.0]

VERDICT = (
    f'=IF({MASTER}=0,"ALL CHECKS PASSED",{MASTER}&IF({MASTER}=1," CHECK FAILED"," CHECKS FAILED")&", see {CHECKS}")'
)

STEPS = (
    ("Start", "Copy last month's workbook, or this one, and set report_month on the sheet Settings."),
    ("Type", "Fill in yellow cells and the rows below them; select a cell to read what belongs there."),
    ("Names", "Add a model, an accelerator or a class on its own sheet first, then choose it by name."),
    ("Blanks", "A blank means what its prompt says. Leave unknown figures blank: no n/a, no 0."),
    ("Shares", "Type 60 % or 0.6. Other figures are typed in the unit above the column's head."),
    ("Sources", "Every figure has its source, or the word assumption, and the day somebody last looked."),
    ("Rows", "New rows go below the last one. Rows may be sorted, filtered, inserted and deleted."),
    ("Columns", "Columns and sheets of your own are left in peace. Keep the names of ours as they are."),
    ("Checks", "The sheet Checks says at once what does not add up. The command check says what else is wrong."),
    ("Report", "Save, then: make report INPUT=inputs/<this file>. Every problem comes with its cell."),
    ("Locked cells", "Protection has no password: Review, Unprotect Sheet, for whatever it is in the way of."),
)

LEGEND = (
    ("Input", 12.5, "Input: typed by an analyst; unlocked"),
    ("Calculation", 12.5, "Calculation: a formula of the results workbook; do not type over it"),
    ("Output", 12.5, "Output: a figure that the report quotes"),
    ("Check Cell", "PASS", "Check Cell: a check that passed or failed"),
    ("Note", "see source", "Note: an explanation"),
)


def write_cover(book: Workbook) -> None:
    """Adds the cover as the last sheet so far."""
    sheet = book.create_sheet("Cover")
    put_title(sheet, TITLE, PURPOSE, len(WIDTHS))
    put(sheet.cell(4, 1), "Master check", "Row Label")
    put(sheet.cell(4, 2), None, "Check Cell")
    sheet.cell(4, 2).value = VERDICT
    row = _lines(sheet, 6, ("How to fill it in", ""), STEPS)
    contents = row + 1
    sheets = [*((each.name, each.purpose) for each in SHEETS), (CHECKS, CHECKS_PURPOSE)]
    row = _lines(sheet, contents, ("Sheet", "What it holds"), sheets)
    for link in range(contents + 1, row):
        cell = sheet.cell(link, 1)
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=address(str(cell.value), "A1"))
        cell.style = "Hyperlink"
    legend = row + 1
    _lines(sheet, legend, ("How cells look", "Meaning"), [(style, meaning) for style, _, meaning in LEGEND])
    for row, (style, sample, _) in enumerate(LEGEND, start=legend + 1):
        put(sheet.cell(row, 1), sample, style, "0.0")
    set_widths(sheet, WIDTHS)
    set_print(sheet, TITLE, WIDTHS)
    protect(sheet)
    sheet.sheet_view.showGridLines = False
    sheet.sheet_properties.tabColor = BLUE


def _lines(sheet: Worksheet, row: int, heads: tuple[str, str], lines: Sequence[tuple[str, str]]) -> int:
    """Names and what there is to say of them, under two heads; gives the row below."""
    put(sheet.cell(row, 1), heads[0], "Head Text")
    put(sheet.cell(row, 2), heads[1], "Head Text After")
    for line, (name, text) in enumerate(lines, start=row + 1):
        put(sheet.cell(line, 1), name, "Row Label")
        put(sheet.cell(line, 2), text, "Text")
        sheet.row_dimensions[line].height = row_height(text, WIDTHS[1])
    return row + len(lines) + 1
