"""Aside: what no formula names of native tables, taken out of a workbook while the second engine calculates it.

That engine takes 256 columns of native tables together. A sheet's values do not depend on its being a table, so tables
that no formula refers to stand aside, others end with the last column that one refers to, and all are put back as they
were.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl.packaging.relationship import get_rels_path
from openpyxl.utils import column_index_from_string, get_column_letter

from engine.workbook.parts import parsed, related, sheet_parts

CONTENT_TYPES = "[Content_Types].xml"
_AREA = re.compile(rb' ref="([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)"')
_COLUMNS = re.compile(rb"<tableColumns\b.*?</tableColumns>", re.DOTALL)
_COLUMN = re.compile(rb"<tableColumn\b[^>]*/>|<tableColumn\b[^>]*[^/]>.*?</tableColumn>", re.DOTALL)
_FILTER = re.compile(rb"<autoFilter\b[^>]*/>|<autoFilter\b.*?</autoFilter>", re.DOTALL)
_TABLES = re.compile(rb"<tableParts\b[^>]*/>|<tableParts\b.*?</tableParts>", re.DOTALL)


@dataclass(frozen=True)
class Aside:
    """What was taken out: of each sheet's part the words that name its table, and whole parts as they were."""

    words: Mapping[str, bytes]
    parts: Mapping[str, bytes]


def set_aside(data: bytes) -> tuple[bytes, Aside]:
    """The workbook without what no formula names of its tables, and what is needed to put it back."""
    with ZipFile(io.BytesIO(data)) as package:
        contents = {name: package.read(name) for name in package.namelist()}
        sheets = {part: _tables_of(package, part) for _, part in sheet_parts(package)}
    formulas = b"".join(b"".join(re.findall(rb"<f\b[^>]*>([^<]*)</f>", contents[part])) for part in sheets)
    unnamed = {
        part: tables
        for part, tables in sheets.items()
        if tables and not any(f"{name}[".encode() in formulas for name in tables.values())
    }
    wide = {
        part: narrow
        for tables in sheets.values()
        for part, name in tables.items()
        if (narrow := _narrowed(contents[part], name, formulas)) != contents[part]
    }
    if not unnamed and not wide:
        return data, Aside({}, {})
    words = {part: b"".join(_TABLES.findall(contents[part])) for part in unnamed}
    # In order, because the file has its parts in the order in which they are put back.
    taken = [name for tables in unnamed.values() for name in tables]
    kept = {CONTENT_TYPES: contents[CONTENT_TYPES]} | {part: contents[part] for part in wide}
    contents |= wide
    for part in unnamed:
        rels = str(get_rels_path(part))  # type: ignore[no-untyped-call]
        kept[rels] = contents[rels]
        contents[part] = _TABLES.sub(b"", contents[part])
        contents[rels] = _without(contents[rels], taken, rb"<Relationship\b[^>]*/>")
    kept = {name: contents.pop(name) for name in taken} | kept
    contents[CONTENT_TYPES] = _without(contents[CONTENT_TYPES], taken, rb"<Override\b[^>]*/>")
    return _zipped(contents), Aside(words, kept)


def put_back(data: bytes, aside: Aside) -> bytes:
    """The workbook with its tables again."""
    if not aside.parts:
        return data
    with ZipFile(io.BytesIO(data)) as package:
        contents = {name: package.read(name) for name in package.namelist()}
    for part, words in aside.words.items():
        contents[part] = contents[part].replace(b"</worksheet>", words + b"</worksheet>")
    return _zipped({**contents, **aside.parts})


def _tables_of(package: ZipFile, sheet: str) -> dict[str, str]:
    """The native tables of a sheet: their parts and names."""
    parts = [each.target for each in related(package, sheet) if str(each.target).startswith("xl/tables/")]
    return {part: str(parsed(package, part).get("displayName")) for part in parts}


def _narrowed(part: bytes, name: str, formulas: bytes) -> bytes:
    """The table up to the last column that a formula names; as it is where one names other than single columns."""
    columns = _COLUMN.findall(part)
    named = set(re.findall(re.escape(name).encode() + rb"\[([^\[\]]*)\]", formulas))
    heads = [re.search(rb' name="([^"]*)"', column) for column in columns]
    last = max((place for place, head in enumerate(heads, 1) if head and head[1] in named), default=0)
    area = _AREA.search(part)
    if last in (0, len(columns)) or f"{name}[[".encode() in formulas or area is None or b"totalsRowCount" in part:
        return part
    left, top, _, bottom = (group.decode() for group in area.groups())
    right = get_column_letter(column_index_from_string(left) + last - 1)
    kept = b'<tableColumns count="%d">%s</tableColumns>' % (last, b"".join(columns[:last]))
    narrow = _FILTER.sub(b"", _COLUMNS.sub(lambda _: kept, part))
    return narrow.replace(area.group(), f' ref="{left}{top}:{right}{bottom}"'.encode(), 1)


def _without(part: bytes, names: Sequence[str], elements: bytes) -> bytes:
    """The part without the elements that point to these parts."""
    return re.sub(
        elements, lambda found: b"" if any(name.encode() in found.group() for name in names) else found.group(), part
    )


def _zipped(contents: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as package:
        for name, part in contents.items():
            package.writestr(name, part)
    return packed.getvalue()
