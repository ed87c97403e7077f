"""Package: a finished workbook as bytes, the same for the same content. Knows openpyxl's files, no sheet."""

from __future__ import annotations

import io
import re
from datetime import date
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook


def packed(book: Workbook, day: date) -> bytes:
    """The workbook as the bytes of an .xlsx file, dated `day` throughout."""
    raw = io.BytesIO()
    book.save(raw)
    return repacked(raw.getvalue(), day)


def repacked(data: bytes, day: date) -> bytes:
    """The bytes of an .xlsx file, mended and dated `day` throughout."""
    packed = io.BytesIO()
    with ZipFile(io.BytesIO(data)) as source, ZipFile(packed, "w") as target:
        for name in source.namelist():
            entry = ZipInfo(name, (day.year, day.month, day.day, 0, 0, 0))
            entry.compress_type, entry.create_system, entry.external_attr = ZIP_DEFLATED, 3, 0o600 << 16
            target.writestr(entry, _mended(name, source.read(name), day), compresslevel=6)
    return packed.getvalue()


def _mended(name: str, part: bytes, day: date) -> bytes:
    """The part with what openpyxl cannot be told."""
    if name == "docProps/core.xml":
        return re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>%sT00:00:00Z" % str(day).encode(), part)
    if name == "xl/styles.xml":
        # Without this mark Excel shows a restyled built-in style as it ships.
        return re.sub(rb'(?<!customBuiltin="1") builtinId=', b' customBuiltin="1" builtinId=', part)
    return part
