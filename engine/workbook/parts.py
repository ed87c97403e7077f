"""Parts: which part of an .xlsx file holds which sheet, and what it points to. Knows XML, no meaning of a cell."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from defusedxml.ElementTree import fromstring
from openpyxl.packaging.relationship import Relationship, get_dependents, get_rels_path

WORKBOOK = "xl/workbook.xml"


def sheet_parts(package: ZipFile) -> Iterator[tuple[str, str]]:
    """The name of every sheet and its part."""
    parts = {each.id: each.target for each in related(package, WORKBOOK)}
    for element in parsed(package, WORKBOOK).iter():
        if local_name(element) == "sheet":
            link = next(value for key, value in element.items() if key.endswith("}id"))
            yield element.get("name", ""), parts[link]


def related(package: ZipFile, part: str) -> list[Relationship]:
    """What a part points to."""
    rels = get_rels_path(part)  # type: ignore[no-untyped-call]
    return list(get_dependents(package, rels)) if rels in package.namelist() else []


def parsed(package: ZipFile, part: str) -> Element:
    root: Element = fromstring(package.read(part))
    return root


def local_name(element: Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def is_extension(element: Element) -> bool:
    """Whether the element is of Excel 2010's own namespace, which openpyxl does not read."""
    return str(element.tag).startswith("{http://schemas.microsoft.com/office/spreadsheetml/2009/9/main}")
