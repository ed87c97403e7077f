"""Files that are no safe workbook: of another kind, damaged, locked, or reaching outside themselves."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from engine.sheets import SHEETS

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
XML = b'<?xml version="1.0"?>'


@dataclass(frozen=True)
class BadFile:
    """A file made from the bytes of a valid workbook, its name, and what must be said of it."""

    name: str
    made_from: Callable[[bytes], bytes]
    says: str
    called: str = "november.xlsx"
    sheet: str = ""  # where the problem is one of a sheet

    @property
    def place(self) -> str:
        return self.sheet or self.called


def _zip(*parts: tuple[str, bytes], compression: int = ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with ZipFile(packed, "w", compression) as package:
        for name, content in parts:
            package.writestr(name, content)
    return packed.getvalue()


def with_part(name: str, content: bytes) -> Callable[[bytes], bytes]:
    """The workbook with one part added or replaced."""

    def made(valid: bytes) -> bytes:
        with ZipFile(io.BytesIO(valid)) as package:
            parts = [(part, package.read(part)) for part in package.namelist() if part != name]
        return _zip(*parts, (name, content))

    return made


def _corrupted(valid: bytes) -> bytes:
    """Bytes changed in the middle of a part, with the directory of parts left as it is."""
    with ZipFile(io.BytesIO(valid)) as package:
        start = package.getinfo("xl/worksheets/sheet1.xml").header_offset + 100
    return valid[:start] + bytes(200) + valid[start + 200 :]


def _with_sheet(cells: bytes) -> Callable[[bytes], bytes]:
    """The workbook with other rows on the sheet Hardware."""

    def made(valid: bytes) -> bytes:
        with ZipFile(io.BytesIO(valid)) as package:
            content = package.read(HARDWARE)
        start, end = content.index(b"<sheetData>"), content.index(b"</sheetData>")
        return with_part(HARDWARE, content[: start + len(b"<sheetData>")] + cells + content[end:])(valid)

    return made


def _with_texts(texts: bytes) -> Callable[[bytes], bytes]:
    """The workbook with a table of texts that cells share."""

    def made(valid: bytes) -> bytes:
        with ZipFile(io.BytesIO(valid)) as package:
            types = package.read("[Content_Types].xml")
        override = f'<Override PartName="/{STRINGS}" ContentType="{STRINGS_TYPE}"/></Types>'.encode()
        valid = with_part("[Content_Types].xml", types.replace(b"</Types>", override))(valid)
        return with_part(STRINGS, texts)(valid)

    return made


def _understated(valid: bytes) -> bytes:
    """A part of 30 MB that the file says is 1,000 bytes long, in both places where it says so."""
    packed = bytearray(with_part("xl/worksheets/sheet1.xml", bytes(30_000_000))(valid))
    for says in (packed.rindex(b"PK\x03\x04") + 22, packed.rindex(b"PK\x01\x02") + 24):
        packed[says : says + 4] = (1000).to_bytes(4, "little")
    return bytes(packed)


# The cover is the first of all sheets.
HARDWARE = f"xl/worksheets/sheet{2 + [sheet.name for sheet in SHEETS].index('Hardware')}.xml"
STRINGS = "xl/sharedStrings.xml"
STRINGS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
ROWS = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (row, row) for row in range(1, 20_003))
CELLS = b'<row r="5">' + b"".join(b"<c><v>%d</v></c>" % number for number in range(600_001)) + b"</row>"
TEXTS = XML + b"<sst>" + b"".join(b"<si><t>%d</t></si>" % number for number in range(600_001)) + b"</sst>"
WORKBOOK_ONLY = ("[Content_Types].xml", XML + b"<Types/>"), ("xl/workbook.xml", XML + b"<workbook/>")
LAUGHS = XML + b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "' + b"&a;" * 1000 + b'">]><l>' + b"&b;" * 1000 + b"</l>"

FILES = (
    BadFile(
        "a renamed picture",
        lambda _: b"\x89PNG\r\n\x1a\n" + bytes(99),
        "is no Excel workbook but a picture (PNG), whatever its name. Name a workbook (.xlsx).",
    ),
    BadFile(
        "a table as text",
        lambda _: b"a,b\n1,2\n",
        "is no Excel workbook but something else, whatever its name. Name a workbook (.xlsx).",
    ),
    BadFile("an empty file", lambda _: b"", "is empty. Save it again in Excel."),
    BadFile(
        "an old workbook",
        lambda _: OLE + bytes(999),
        "is in the old Excel format (.xls). Save it as an Excel workbook (.xlsx).",
    ),
    BadFile(
        "a workbook with a password",
        lambda _: OLE + bytes(99) + "EncryptedPackage".encode("utf-16-le"),
        "is protected with a password for opening. Save a copy without it (File, Info, Protect Workbook).",
    ),
    BadFile(
        "half a workbook",
        lambda valid: valid[: len(valid) // 2],
        "is damaged or was cut short. Open it in Excel, let it be repaired, and save it again.",
    ),
    BadFile(
        "changed bytes",
        _corrupted,
        "is damaged or was cut short. Open it in Excel, let it be repaired, and save it again.",
    ),
    BadFile(
        "sheets of nonsense",
        lambda _: _zip(*WORKBOOK_ONLY),
        "is damaged or was cut short. Open it in Excel, let it be repaired, and save it again.",
    ),
    BadFile(
        "another zip file",
        lambda _: _zip(("word/document.xml", XML)),
        "is a zip file but no Excel workbook. Save it as an Excel workbook (.xlsx).",
    ),
    BadFile(
        "a binary workbook",
        lambda _: _zip(("xl/workbook.bin", b"")),
        "is a binary workbook (.xlsb). Save it as an Excel workbook (.xlsx).",
    ),
    BadFile(
        "a zip bomb",
        with_part("xl/worksheets/sheet99.xml", bytes(30_000_000)),
        "unpacks to 29 MB, far more than a workbook of inputs holds. "
        "Delete rows and sheets it does not need, or copy the sheets into a new workbook.",
    ),
    BadFile(
        "thousands of parts",
        lambda _: _zip(*((f"xl/{number}.xml", b"") for number in range(2001)), compression=ZIP_STORED),
        "holds 2,001 parts; allowed are 2,000. Copy the sheets into a new workbook.",
    ),
    BadFile(
        "a large file",
        lambda valid: valid + bytes(21 * 1024 * 1024),
        "is 21 MB large; allowed are 20 MB. Delete pictures and data it does not need.",
    ),
    BadFile(
        "more styles than anybody makes",
        with_part("xl/styles.xml", XML + b"".join(b"<xf fontId=\"%d\"/>" % number for number in range(200_000))),
        "holds 4 MB of names and styles in xl/styles.xml; allowed are 3 MB. Copy the sheets into a new workbook.",
    ),
    BadFile(
        "entities",
        with_part("xl/sharedStrings.xml", LAUGHS),
        "holds a document type declaration (DOCTYPE) in xl/sharedStrings.xml, which Excel never writes. "
        "Ask who made the file, and copy the figures into a new workbook.",
    ),
    BadFile(
        "entities in another encoding",
        with_part("xl/sharedStrings.xml", LAUGHS.decode().replace("?>", ' encoding="utf-16"?>', 1).encode("utf-16")),
        "holds a document type declaration (DOCTYPE) in xl/sharedStrings.xml, which Excel never writes. "
        "Ask who made the file, and copy the figures into a new workbook.",
    ),
    BadFile(
        "entities in a part that is not called XML",
        with_part("xl/worksheets/sheet.dat", LAUGHS),
        "holds a document type declaration (DOCTYPE) in xl/worksheets/sheet.dat, which Excel never writes. "
        "Ask who made the file, and copy the figures into a new workbook.",
    ),
    BadFile(
        "macros",
        with_part("xl/vbaProject.bin", b"x"),
        "holds macros. Save it as an Excel workbook (.xlsx), which drops them.",
    ),
    BadFile(
        "links",
        with_part("xl/externalLinks/externalLink1.xml", XML + b"<externalLink/>"),
        "takes figures from other files or programs. Break the links (Data, Edit Links), which keeps the values.",
    ),
    BadFile(
        "connections",
        with_part("xl/connections.xml", XML + b"<connections/>"),
        "is connected to outside data. Delete the connections (Data, Queries & Connections), which keeps the values.",
    ),
    BadFile(
        "a bomb that says it is small",
        _understated,
        "is damaged or was cut short. Open it in Excel, let it be repaired, and save it again.",
    ),
    BadFile(
        "more rows than inputs have",
        _with_sheet(ROWS),
        "holds 20,002 rows; allowed are 20,000. Delete rows and columns that it does not need, also those that look "
        "empty but hold formats, and save.",
        sheet="Hardware",
    ),
    BadFile(
        "more cells than inputs have",
        _with_sheet(CELLS),
        "holds 600,001 cells; allowed are 600,000. Delete rows and columns that it does not need, also those that look "
        "empty but hold formats, and save.",
        sheet="Hardware",
    ),
    BadFile(
        "more texts than inputs have",
        _with_texts(TEXTS),
        "holds 600,001 texts; allowed are 600,000. Delete rows and columns that it does not need, also those that look "
        "empty but hold formats, and save.",
    ),
    BadFile(
        "Excel's note",
        lambda _: b"\x05Owner",
        "is Excel's note that the workbook is open. Name the workbook itself, november.xlsx.",
        called="~$november.xlsx",
    ),
)


def write(bad: BadFile, valid: Path, folder: Path) -> Path:
    path = folder / bad.called
    path.write_bytes(bad.made_from(valid.read_bytes()))
    return path
