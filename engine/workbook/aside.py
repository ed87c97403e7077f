"""Aside: native tables that no formula names, taken out of a workbook while the second engine calculates it.

That engine takes 256 columns of native tables together. A sheet's values do not depend on its being a table, so what no
formula refers to stands aside and is put back as it was.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl.packaging.relationship import get_rels_path

from engine.workbook.parts import parsed, related, sheet_parts

CONTENT_TYPES = "[Content_Types].xml"
_TABLES = re.compile(rb"<tableParts\b[^>]*/>|<tableParts\b.*?</tableParts>", re.DOTALL)


@dataclass(frozen=True)
class Aside:
    """What was taken out: of each sheet's part the words that name its table, and whole parts as they were."""

    words: Mapping[str, bytes]
    parts: Mapping[str, bytes]


def set_aside(data: bytes) -> tuple[bytes, Aside]:
    """The workbook without the tables that no formula names, and what is needed to put them back."""
    with ZipFile(io.BytesIO(data)) as package:
        contents = {name: package.read(name) for name in package.namelist()}
        sheets = {part: _tables_of(package, part) for _, part in sheet_parts(package)}
    formulas = b"".join(b"".join(re.findall(rb"<f\b[^>]*>([^<]*)</f>", contents[part])) for part in sheets)
    unnamed = {
        part: tables
        for part, tables in sheets.items()
        if tables and not any(f"{name}[".encode() in formulas for name in tables.values())
    }
    if not unnamed:
        return data, Aside({}, {})
    words = {part: b"".join(_TABLES.findall(contents[part])) for part in unnamed}
    # In order, because the file has its parts in the order in which they are put back.
    taken = [name for tables in unnamed.values() for name in tables]
    kept = {CONTENT_TYPES: contents[CONTENT_TYPES]}
    for part in unnamed:
        rels = str(get_rels_path(part))  # type: ignore[no-untyped-call]
        kept[rels] = contents[rels]
        contents[part] = _TABLES.sub(b"", contents[part])
        contents[rels] = _without(contents[rels], taken, rb"<Relationship\b[^>]*/>")
    kept |= {name: contents.pop(name) for name in taken}
    contents[CONTENT_TYPES] = _without(contents[CONTENT_TYPES], taken, rb"<Override\b[^>]*/>")
    return _zipped(contents), Aside(words, kept)


def put_back(data: bytes, aside: Aside) -> bytes:
    """The workbook with its tables again."""
    if not aside.words:
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
