"""What openpyxl cannot carry into a copy is found in the package, whatever it is, with its sheet and cell."""

from __future__ import annotations

import io
from zipfile import ZipFile

import pytest

from engine.workbook.losses import losses

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
X14 = 'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"'
XM = 'xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main"'
SHEETS = '<sheets><sheet name="Own" sheetId="1" r:id="a"/></sheets>'
WORKBOOK = f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{SHEETS}</workbook>'


def package(sheet: str = "", related: dict[str, tuple[str, str]] | None = None, **parts: str) -> bytes:
    """A workbook of one sheet; `related` names the parts that the sheet points to, each with its kind and content."""
    links = [("a", "worksheet", "worksheets/sheet1.xml")]
    kinds = [(f"b{number}", kind, f"/{name}") for number, (name, (kind, _)) in enumerate((related or {}).items())]
    files = {
        "xl/workbook.xml": WORKBOOK,
        "xl/_rels/workbook.xml.rels": _relationships(links),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}">{sheet}</worksheet>',
        "xl/worksheets/_rels/sheet1.xml.rels": _relationships(kinds),
        **{name: content for name, (_, content) in (related or {}).items()},
        **parts,
    }
    data = io.BytesIO()
    with ZipFile(data, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return data.getvalue()


def _relationships(links: list[tuple[str, str, str]]) -> str:
    lines = "".join(f'<Relationship Id="{key}" Type="{OFFICE}/{kind}" Target="{to}"/>' for key, kind, to in links)
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{lines}</Relationships>'
    )


def drawing(inside: str) -> dict[str, tuple[str, str]]:
    anchored = (
        '<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        "<xdr:twoCellAnchor><xdr:from><xdr:col>27</xdr:col><xdr:row>8</xdr:row></xdr:from>"
        f"{inside}</xdr:twoCellAnchor></xdr:wsDr>"
    )
    return {"xl/drawings/drawing1.xml": ("drawing", anchored)}


def framed(kind: str) -> str:
    data = f'<a:graphic><a:graphicData uri="http://schemas.microsoft.com/office/drawing/2010/{kind}"/></a:graphic>'
    return f'<xdr:graphicFrame><xdr:cNvPr id="2" name="Mine"/>{data}</xdr:graphicFrame>'


def extension(inside: str) -> str:
    return f"<extLst><ext {X14} {XM}>{inside}</ext></extLst>"


NAMED = '<xdr:cNvPr id="2" name="Mine"/>'
BARS = '<x14:cfRule type="dataBar"/>'
ICONS = f"<x14:conditionalFormatting>{BARS}<xm:sqref>C4:C9 E4</xm:sqref></x14:conditionalFormatting>"
COMMENTS = "<ThreadedComments><threadedComment ref='B2'/><threadedComment ref='B2' parentId='1'/></ThreadedComments>"

HELD = {
    "a chart": (package(related=drawing(framed("chart"))), "Own!AB9", "the chart 'Mine'"),
    "a newer chart": (
        package(related=drawing(f"<mc:Choice>{framed('chartex')}</mc:Choice>")),
        "Own!AB9",
        "the chart 'Mine'",
    ),
    "a slicer": (package(related=drawing(framed("slicer"))), "Own!AB9", "the slicer 'Mine'"),
    "a diagram": (package(related=drawing(framed("diagram"))), "Own!AB9", "the drawing 'Mine'"),
    "a picture": (package(related=drawing(f"<xdr:pic>{NAMED}</xdr:pic>")), "Own!AB9", "the picture 'Mine'"),
    "a text box": (package(related=drawing(f"<xdr:sp>{NAMED}</xdr:sp>")), "Own!AB9", "the shape 'Mine'"),
    "a group": (
        package(related=drawing(f"<xdr:grpSp>{NAMED}<xdr:sp/><xdr:pic/></xdr:grpSp>")),
        "Own!AB9",
        "the group of shapes 'Mine'",
    ),
    "a threaded comment": (
        package(related={"xl/threadedComments/threadedComment1.xml": ("threadedComment", COMMENTS)}),
        "Own!B2",
        "a threaded comment",
    ),
    "a form control": (package(related={"xl/ctrlProps/ctrlProp1.xml": ("ctrlProp", "<a/>")}), "Own", "a form control"),
    "a document": (package(related={"xl/embeddings/a.docx": ("package", "")}), "Own", "an embedded document"),
    "a background": (package(related={"xl/media/image1.png": ("image", "")}), "Own", "a background picture"),
    "a formula that spills": (
        package('<sheetData><row r="3"><c r="D3" cm="1"><f>A1:A3</f></c></row></sheetData>'),
        "Own!D3",
        "a formula that spills over other cells",
    ),
    "a range with owners": (
        package('<protectedRanges><protectedRange sqref="$B$2:$B$4" name="ours"/></protectedRanges>'),
        "Own!B2",
        "a range that only some people may edit",
    ),
    "a header's picture": (
        package('<legacyDrawingHF r:id="x"/>'),
        "Own",
        "a picture in its header or footer",
    ),
    "data bars": (package(extension(ICONS)), "Own!C4", "a conditional format of newer Excel (bars, icons)"),
    "linked data types": (
        package(**{"xl/richData/rdrichvalue.xml": "<a/>"}),
        "the workbook",
        "linked data types or pictures inside cells",
    ),
    "a signature": (package(**{"_xmlsignatures/sig1.xml": "<a/>"}), "the workbook", "a digital signature"),
}


@pytest.mark.parametrize("kind", HELD)
def test_what_is_lost_is_found_once(kind: str) -> None:
    data, place, what = HELD[kind]
    (loss,) = losses(data)
    assert (loss.place, loss.found) == (place, f"holds {what}")
    assert "--accept-loss" in loss.advice


def test_what_is_kept_is_no_loss() -> None:
    expression = '<x14:cfRule type="expression"><xm:f>Own!A1</xm:f></x14:cfRule><xm:sqref>C4</xm:sqref>'
    rules = f"<x14:conditionalFormatting>{expression}</x14:conditionalFormatting>"
    validations = "<x14:dataValidation><xm:sqref>A1</xm:sqref></x14:dataValidation>"
    related = {"xl/comments1.xml": ("comments", "<a/>"), "xl/tables/table1.xml": ("table", "<a/>")}
    assert losses(package(extension(rules + validations), related)) == ()
