"""Looks: colours, named styles, print set-up and protection of our workbooks. Knows openpyxl's styles, no content."""

from __future__ import annotations

import math
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.utils.indexed_list import IndexedList
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

INK, TEXT2, BLUE, WHITE = "16212B", "56636F", "17517E", "FFFFFF"
GRID, RULE = "E3E8EC", "C8D0D7"
INPUT_FILL, INPUT_TEXT, INPUT_RULE, OUTPUT_FILL = "FFF8E1", "1F3FBF", "E6D9A8", "EEF3F7"
INPUT_TAB = "C9A227"
FONT = "Calibri"

LANDSCAPE_FROM = 110  # characters of width above which a sheet is turned
LAST_COLUMN = 16384
LINE = 16.0  # points


def _font(size: float = 10, color: str = INK, **options: Any) -> Font:
    return Font(name=FONT, sz=size, color=color, **options)


def _style(
    name: str,
    font: Font,
    horizontal: str | None = None,
    *,
    fill: str = "",
    below: Side | None = None,
    above: Side | None = None,
    unlocked: bool = False,
    builtin: int | None = None,
    **alignment: Any,
) -> NamedStyle:
    """A named style; `below` and `above` are lines, `builtin` is Excel's number of a style that it has itself."""
    return NamedStyle(
        name,
        font=font,
        fill=PatternFill("solid", fgColor=fill) if fill else PatternFill(),
        border=Border(bottom=below, top=above),
        alignment=Alignment(horizontal=horizontal, **({"vertical": "center"} | alignment)),
        protection=Protection(locked=not unlocked),
        builtinId=builtin,
    )


def _styles() -> list[NamedStyle]:
    head, typed = _font(9, b=True), _font(10, INPUT_TEXT)
    rule, grid, yellow = Side("thin", INK), Side("hair", GRID), Side("hair", INPUT_RULE)
    return [
        _style("Title", _font(18, b=True), builtin=15),
        _style("Purpose", _font(11, TEXT2)),
        _style("Head", head, "right", below=rule, vertical="bottom", wrap_text=True),
        _style("Head Upright", head, "right", below=rule, vertical="bottom", text_rotation=90),
        _style("Head Text", head, "left", below=rule, vertical="bottom", wrap_text=True),
        _style("Head Text After", head, "left", below=rule, vertical="bottom", wrap_text=True, indent=1),
        _style("Unit", _font(9, TEXT2), "right"),
        _style("Row Label", _font(), "left", below=grid),
        _style("Text", _font(), "left", below=grid, wrap_text=True, indent=1),
        _style("Input", typed, "right", fill=INPUT_FILL, below=yellow, unlocked=True, builtin=20),
        _style("Input Name", typed, "left", fill=INPUT_FILL, below=yellow, unlocked=True),
        _style("Input Text", typed, "left", fill=INPUT_FILL, below=yellow, unlocked=True, wrap_text=True, indent=1),
        _style("Input Below", typed, "right", unlocked=True),
        _style("Input Name Below", typed, "left", unlocked=True),
        _style("Input Text Below", typed, "left", unlocked=True, wrap_text=True, indent=1),
        _style("Own", _font(), unlocked=True),
        _style("Calculation", _font(), "right", below=grid, builtin=22),
        _style("Output", _font(b=True), "right", fill=OUTPUT_FILL, below=Side("hair", RULE), builtin=21),
        _style("Check Cell", _font(10, WHITE, b=True), "center", fill=BLUE, builtin=23),
        _style("Note", _font(9, TEXT2, i=True), "left", indent=1, builtin=10),
        _style("Total", _font(b=True), "right", above=rule, builtin=25),
        _style("Total Text", _font(b=True), "left", above=rule),
        # Words that stand right of figures keep their distance from them, and are cut rather than wrapped.
        _style("Text After", _font(), "left", below=grid, indent=1),
        _style("Total Text After", _font(b=True), "left", above=rule, indent=1),
        _style("Hyperlink", _font(10, BLUE, u="single"), "left", below=grid, builtin=8),
    ]


def new_book() -> Workbook:
    """A workbook without sheets that knows all our styles."""
    book = Workbook()
    book.remove(book.worksheets[0])
    # The font of cells without a style, and of the style Normal, which is the same thing to Excel.
    book._fonts = IndexedList([_font()])  # type: ignore[attr-defined]
    book._named_styles["Normal"].font = _font()  # type: ignore[attr-defined]
    add_missing_styles(book)
    return book


def add_missing_styles(book: Workbook) -> None:
    """Makes a workbook know all our styles; those it has stay as they are."""
    for style in _styles():
        if style.name not in book.named_styles:
            book.add_named_style(style)


def put(cell: Cell | MergedCell, value: Any, style: str, number_format: str = "") -> None:
    """Fills a cell. Text stays text, also where it begins like a formula."""
    cell.value = value
    cell.style = style
    if number_format:
        cell.number_format = number_format
    _keep_text(cell, value)


def retype(cell: Cell | MergedCell, value: Any) -> None:
    """Types into a cell that keeps its looks. Text stays text, also where it begins like a formula."""
    number_format = cell.number_format
    cell.value = value
    # openpyxl gives a day a format of its own choice.
    cell.number_format = number_format
    _keep_text(cell, value)


def _keep_text(cell: Cell | MergedCell, value: Any) -> None:
    if isinstance(value, str):
        cell.data_type = "s"
        cell.quotePrefix = value.startswith(("=", "+", "-", "@"))


def put_title(sheet: Worksheet, title: str, purpose: str, columns: int) -> None:
    """Title and purpose in the first two rows, which are locked over the width of the sheet."""
    for column in range(1, columns + 1):
        put(sheet.cell(1, column), title if column == 1 else None, "Title")
        put(sheet.cell(2, column), purpose if column == 1 else None, "Purpose")
    sheet.row_dimensions[1].height, sheet.row_dimensions[2].height = 27, 18
    sheet.sheet_format.defaultRowHeight, sheet.sheet_format.customHeight = LINE, True


def row_height(text: str, width: float) -> float:
    """The height of a row that shows this text, wrapped at a width in characters."""
    # Letters are a little narrower than the digits that widths are counted in.
    return LINE + 13 * math.floor(0.86 * len(text) / width)


def set_widths(sheet: Worksheet, widths: list[float]) -> None:
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width


def unlock_further_columns(sheet: Worksheet, first: int) -> None:
    """Leaves every column from `first` on to the analyst."""
    letter = get_column_letter(first)
    rest = ColumnDimension(sheet, index=letter, min=first, max=LAST_COLUMN, width=12)
    sheet.column_dimensions[letter] = rest
    set_column_style(sheet, first, "Own")


def set_column_style(sheet: Worksheet, column: int, style: str, number_format: str = "") -> None:
    """The style of a column's cells below those that are written."""
    # openpyxl has no public way to give a column a named style: it is borrowed from a cell that then goes.
    lender = Cell(sheet, row=1, column=column)
    put(lender, None, style, number_format)
    sheet.column_dimensions[get_column_letter(column)]._style = lender._style  # type: ignore[attr-defined]


def set_print(sheet: Worksheet, header: str, widths: list[float], repeated_rows: str = "") -> None:
    """A4, one page wide, turned where that is wide; with running lines and repeated heads."""
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.orientation = "landscape" if sum(widths) > LANDSCAPE_FROM else "portrait"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    margins = sheet.page_margins
    margins.left = margins.right = 0.6
    margins.top, margins.bottom, margins.header, margins.footer = 0.75, 0.7, 0.35, 0.35
    small = f'&"{FONT},Regular"&8&K{TEXT2}'
    above, below = HeaderFooterItem(), HeaderFooterItem()
    above.left.text, above.right.text, below.right.text = f"{small}{header}", f"{small}&A", f"{small}page &P of &N"
    sheet.HeaderFooter.oddHeader, sheet.HeaderFooter.oddFooter = above, below
    if repeated_rows:
        sheet.print_title_rows = repeated_rows


def protect(sheet: Worksheet) -> None:
    """Locks what is no input, without a password; rows and columns may be added, sorted, filtered and formatted."""
    protection = sheet.protection
    protection.sheet = True
    for allowed in (
        "formatCells",
        "formatColumns",
        "formatRows",
        "insertColumns",
        "insertRows",
        "insertHyperlinks",
        "deleteColumns",
        "deleteRows",
        "sort",
        "autoFilter",
    ):
        # The file names what is locked, so that False allows.
        setattr(protection, allowed, False)
