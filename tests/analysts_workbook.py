"""A workbook as analysts keep it: the example with sheets, rules and formulas of their own, and what a copy would lose.

`keeping` lists what a copy must keep, so that two workbooks can be compared item by item.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from copy import copy
from datetime import date, time
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.formatting.rule import CellIsRule, ColorScaleRule, FormulaRule
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table, TableColumn
from openpyxl.xml.functions import tostring
from PIL import Image as Picture

from engine.sheets import HARDWARE
from engine.workbook.recalculation import recalculate

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "inputs" / "example.xlsx"
# Columns of the rents on demand and for a year.
RENT, A_YEAR = (
    get_column_letter(1 + HARDWARE.columns.index(HARDWARE.column(name)))
    for name in ("on_demand_price", "one_year_price")
)


def write_analysts_workbook(path: Path) -> Path:
    """The example with an analyst's own sheet, columns, rules, comments and formulas, and the values of these."""
    book = load_workbook(EXAMPLE)
    _own_sheet(book)
    hardware = book["Hardware"]
    column = hardware.max_column + 1
    for row in range(4, hardware.max_row + 1):
        cell = hardware.cell(row, column)
        cell.value = "our margin" if row == 4 else f"={RENT}{row}*1.2"
        cell._style = copy(hardware[f"{RENT}{row}"]._style)
    table = hardware.tables["tblHardware"]
    table.ref = re.sub(r":[A-Z]+", f":{cell.column_letter}", table.ref)
    table.autoFilter.ref = table.ref
    table.tableColumns.append(TableColumn(id=len(table.tableColumns) + 1, name="our margin"))
    hardware[f"{A_YEAR}5"].value = "=2+0.35"
    hardware["A6"].comment = Comment("quoted by phone", "an analyst", width=300, height=80)
    shades = ColorScaleRule("min", None, "FFFFFF", "max", None, "FF0000")
    hardware.conditional_formatting.add(f"{RENT}5:{RENT}{hardware.max_row}", shades)
    hardware.row_dimensions[7].height = 33
    models = book["Models"]
    last = models.max_row
    models.conditional_formatting.add(f"B5:B{last}", CellIsRule("greaterThan", ["100"], font=Font(b=True)))
    # As Excel saves columns that look the same.
    texts = models.max_column - 2
    for number in range(texts + 1, texts + 3):
        del models.column_dimensions[get_column_letter(number)]
    run = models.column_dimensions[get_column_letter(texts)]
    run.min, run.max = texts, texts + 2
    models.print_area = f"A1:Z{last}"
    models["A5"].fill = PatternFill("solid", fgColor="FFAABBCC")
    book.defined_names["Our_Rate"] = DefinedName("Our_Rate", attr_text="'our notes'!$B$3", comment="kept by us")
    book.save(path)
    recalculate(path)
    return path


def _own_sheet(book: Workbook) -> None:
    own = book.create_sheet("our notes", 2)
    own["A1"] = CellRichText("Notes of ", TextBlock(InlineFont(b=True), "our team"))
    own.merge_cells("A1:C1")
    own["A3"], own["B3"], own["C3"] = "rate", 0.925, "=Our_Rate*100"
    own["A4"], own["B4"] = "total", f"=SUM(Hardware!{RENT}5:{RENT}6)"
    own["B5"], own["B6"], own["B7"] = date(2026, 11, 3), time(12, 34, 56), "=1/0"
    own["B8"], own["B9"], own["B10"] = True, "'=not a formula", "0042"
    own["B9"].quotePrefix = True
    own["B10"].number_format = "@"
    own["B11"].hyperlink = "https://example.com/prices"
    own["B11"].value = "prices"
    own["D3"], own["D4"], own["D5"] = "head", 1, "=D4+1"
    own.add_table(Table(displayName="ours", ref="D3:D5"))
    rule = DataValidation("list", formula1="Hardware!$A$5:$A$9", allow_blank=True, showErrorMessage=True)
    rule.add("E1:E9")
    own.add_data_validation(rule)
    own.conditional_formatting.add("B3:B8", FormulaRule(["$B3>1"], fill=PatternFill("solid", bgColor="FFFF0000")))
    own.column_dimensions["B"].width, own.column_dimensions["C"].hidden = 31, True
    own.row_dimensions.group(12, 14, hidden=True)
    own.freeze_panes, own.sheet_properties.tabColor = "B4", "112233"
    own.print_title_rows, own.oddFooter.center.text = "1:3", "ours"
    own.page_setup.orientation = "landscape"
    book.create_sheet("hidden").sheet_state = "hidden"


def keeping(path: Path) -> dict[str, Any]:
    """Everything of a workbook that a copy keeps: by sheet, kind and place."""
    book = load_workbook(path, rich_text=True)
    values = load_workbook(path, data_only=True)
    kept: dict[str, Any] = {f"name {name}": (each.attr_text, each.comment) for name, each in book.defined_names.items()}
    kept["sheets"] = [(sheet.title, sheet.sheet_state) for sheet in book.worksheets]
    for sheet in book.worksheets:
        kept |= {f"{sheet.title}!{what}": item for what, item in _of_sheet(sheet, values[sheet.title])}
    return kept


def _of_sheet(sheet: Any, values: Any) -> Iterator[tuple[str, Any]]:
    for row in sheet.iter_rows():
        for cell in row:
            shown = values[cell.coordinate].value
            looks = (cell.style, cell.font, cell.fill, cell.border, cell.number_format, cell.alignment, cell.protection)
            if cell.value is not None or cell.has_style:
                link = cell.hyperlink.target or cell.hyperlink.location if cell.hyperlink else None
                note = (cell.comment.text, cell.comment.author) if cell.comment else None
                # An array formula is an object of openpyxl's.
                value = (repr(getattr(cell.value, "text", cell.value)), cell.data_type, cell.quotePrefix, shown)
                yield cell.coordinate, (*value, link, note, repr(looks))
    yield "validations", sorted(map(_xml, sheet.data_validations.dataValidation))
    formats = sheet.conditional_formatting
    yield "formats", sorted((str(each.sqref), _xml(rule), repr(rule.dxf)) for each in formats for rule in each.rules)
    yield "tables", sorted(_xml(table) for table in sheet.tables.values())
    yield "set-up", (sheet.freeze_panes, sheet.print_area, sheet.print_title_rows, str(sheet.merged_cells))
    for part in ("page_setup", "page_margins", "HeaderFooter", "protection", "sheet_properties"):
        yield part, _xml(getattr(sheet, part))
    for number, height in sheet.row_dimensions.items():
        yield f"row {number}", (height.height, height.hidden, height.outlineLevel)
    for letter, width in sheet.column_dimensions.items():
        yield f"column {letter}", (width.width, width.hidden, width.min, width.max)


def _xml(item: Any) -> str:
    return tostring(item.to_tree()).decode()


# What openpyxl loses


def with_chart_and_picture(path: Path) -> None:
    """Adds a chart to the analyst's own sheet, and a picture to Models."""
    book = load_workbook(path)
    chart = BarChart()
    chart.add_data(Reference(book["our notes"], min_col=4, min_row=4, max_row=5))
    book["our notes"].add_chart(chart, "F7")
    picture = io.BytesIO()
    Picture.new("RGB", (4, 4), "red").save(picture, "PNG")
    book["Models"].add_image(Image(picture), "C20")
    book.save(path)


def with_xml(path: Path, sheet: str, xml: str) -> None:
    """Adds XML before the end of a sheet's part."""
    book = load_workbook(path, read_only=True)
    part = f"xl/worksheets/sheet{book.sheetnames.index(sheet) + 1}.xml"
    with ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    parts[part] = parts[part].replace(b"</worksheet>", xml.encode() + b"</worksheet>")
    with ZipFile(path, "w", ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)


X14 = 'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"'
XM = 'xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main"'
SPARKLINE = (
    f'<extLst><ext uri="{{05C60535-1F16-4fd2-B633-F4F36F0B64E0}}" {X14}><x14:sparklineGroups {XM}><x14:sparklineGroup>'
    "<x14:sparklines><x14:sparkline><xm:f>'our notes'!B3:B8</xm:f><xm:sqref>F3</xm:sqref></x14:sparkline>"
    "</x14:sparklines></x14:sparklineGroup></x14:sparklineGroups></ext></extLst>"
)
RULES = (
    f'<extLst><ext uri="{{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}}" {X14}><x14:dataValidations count="1" {XM}>'
    '<x14:dataValidation type="list" allowBlank="1" showErrorMessage="1" errorTitle="vendor" error="Choose one.">'
    "<x14:formula1><xm:f>Hardware!$B$5:$B$9</xm:f></x14:formula1><xm:sqref>G1:G9</xm:sqref></x14:dataValidation>"
    f'</x14:dataValidations></ext><ext uri="{{78C0D931-6437-407d-A8EE-F0AAD7539E65}}" {X14}>'
    f'<x14:conditionalFormattings><x14:conditionalFormatting {XM}><x14:cfRule type="expression" priority="9">'
    "<xm:f>Hardware!$K5&gt;3</xm:f><x14:dxf><font><b/></font></x14:dxf></x14:cfRule><xm:sqref>H1:H9</xm:sqref>"
    "</x14:conditionalFormatting></x14:conditionalFormattings></ext></extLst>"
)
