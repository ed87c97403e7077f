"""Losses: what of a workbook openpyxl cannot carry into a copy, found in the parts of its package. Copies nothing.

Each loss is a problem with its place, so that whoever asked for the copy can decide.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from openpyxl.utils import get_column_letter

from engine.workbook.extensions import is_ordinary
from engine.workbook.parts import is_extension, local_name, parsed, related, sheet_parts
from engine.workbook.problems import Problem, in_order

ADVICE = "Keep working in the original, or copy without it: --accept-loss."

# Parts that a sheet points to, by the last word of the kind of relationship, and what each is.
SHEET_PARTS = {
    "image": "a background picture",
    "oleObject": "an embedded document",
    "package": "an embedded document",
    "control": "a control (ActiveX)",
    "ctrlProp": "a form control",
    "slicer": "a slicer",
    "timeline": "a timeline",
}
# Parts that belong to the whole workbook, by the beginning of their names.
WORKBOOK_PARTS = {
    "xl/richdata/": "linked data types or pictures inside cells",
    "xl/model/": "a data model (Power Pivot)",
    "customui/": "buttons of its own in the ribbon",
    "_xmlsignatures/": "a digital signature",
}
# Extensions of a sheet, by the element that holds the places.
CONDITIONAL = "conditionalFormatting"
EXTENSIONS = {"sparkline": "a sparkline", CONDITIONAL: "a conditional format of newer Excel (bars, icons)"}
DRAWN = {
    "pic": "the picture",
    "sp": "the shape",
    "cxnSp": "the line",
    "grpSp": "the group of shapes",
    "contentPart": "the ink",
}
FRAME = "graphicFrame"
FRAMED = {"chart": "the chart", "chartex": "the chart", "slicer": "the slicer", "timeslicer": "the timeline"}


def losses(data: bytes) -> tuple[Problem, ...]:
    """What a copy of this workbook would lack, by sheet and cell."""
    with ZipFile(io.BytesIO(data)) as package:
        found = [*_of_workbook(package)]
        for sheet, part in sheet_parts(package):
            found += _of_sheet(package, sheet, part)
    return in_order(found)


def _loss(sheet: str, cell: str, what: str) -> Problem:
    return Problem(sheet, cell, f"holds {what}", "which a copy cannot keep", ADVICE)


def _of_workbook(package: ZipFile) -> Iterator[Problem]:
    names = [name.lower() for name in package.namelist()]
    for start, what in WORKBOOK_PARTS.items():
        if any(name.startswith(start) for name in names):
            yield _loss("the workbook", "", what)


def _of_sheet(package: ZipFile, sheet: str, part: str) -> Iterator[Problem]:
    for each in related(package, part):
        kind = str(each.Type).rpartition("/")[2]
        if kind in SHEET_PARTS:
            yield _loss(sheet, "", SHEET_PARTS[kind])
        elif kind == "drawing" and each.target in package.namelist():
            yield from _drawn(package, sheet, each.target)
        elif kind == "threadedComment":
            for comment in parsed(package, each.target).iter():
                if local_name(comment) == "threadedComment" and not comment.get("parentId"):
                    yield _loss(sheet, comment.get("ref", ""), "a threaded comment")
    yield from _inside(sheet, parsed(package, part))


def _drawn(package: ZipFile, sheet: str, part: str) -> Iterator[Problem]:
    """Charts, pictures and shapes, each with the cell its upper left corner lies in."""
    for anchor in parsed(package, part):
        drawn = next((_what_is_drawn(each) for each in anchor.iter() if local_name(each) in (*DRAWN, FRAME)), "")
        if drawn:
            name = next((element.get("name", "") for element in anchor.iter() if local_name(element) == "cNvPr"), "")
            yield _loss(sheet, _corner(anchor), f"{drawn} '{name}'")


def _what_is_drawn(element: Element) -> str:
    if local_name(element) != FRAME:
        return DRAWN[local_name(element)]
    kinds = (each.get("uri", "").rpartition("/")[2] for each in element.iter() if local_name(each) == "graphicData")
    return next((FRAMED.get(kind, "the drawing") for kind in kinds), "the drawing")


def _corner(anchor: Element) -> str:
    start = next((each for each in anchor if local_name(each) == "from"), None)
    if start is None:
        return ""
    at = {local_name(each): int(each.text or 0) for each in start}
    return f"{get_column_letter(at['col'] + 1)}{at['row'] + 1}"


def _inside(sheet: str, root: Element) -> Iterator[Problem]:
    """What the sheet's own part holds: extensions, spilling formulas, ranges with owners."""
    for element in root.iter():
        name = local_name(element)
        if name in EXTENSIONS and is_extension(element) and not (name == CONDITIONAL and is_ordinary(element)):
            for place in element.iter():
                if local_name(place) == "sqref":
                    yield _loss(sheet, _first_cell(place.text or ""), EXTENSIONS[name])
        elif name == "c" and element.get("cm"):
            yield _loss(sheet, element.get("r", ""), "a formula that spills over other cells")
        elif name == "protectedRange":
            yield _loss(sheet, _first_cell(element.get("sqref", "")), "a range that only some people may edit")
        elif name == "legacyDrawingHF":
            yield _loss(sheet, "", "a picture in its header or footer")


def _first_cell(places: str) -> str:
    return re.split(r"[ :]", places.strip().replace("$", ""))[0]
