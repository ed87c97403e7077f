"""Safety: what a file must be before anything in it is parsed. Knows zip files and XML's first lines, no workbook.

Every refusal is one plain sentence, and takes far less time than opening the file would.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

from engine.workbook.problems import InvalidWorkbook, Problem, damaged_file

MEGABYTE = 1024 * 1024
FILE_LIMIT = 20 * MEGABYTE
ENTRY_LIMIT = 2000
UNPACKED_LIMIT = 100 * MEGABYTE
PART_LIMIT = 50 * MEGABYTE
# Sheets of the same row over and over reach about 40; what is made to exhaust memory reaches 1,000.
RATIO_LIMIT = 100

# What tells where the sheets are and how they look is read as a whole, and is small in workbooks that people made.
FRAME = ("[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml")
FRAME_LIMIT = 3 * MEGABYTE

SAVE_AS = "Save it as an Excel workbook (.xlsx)."
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SIGNATURES = {
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"%PDF": "a PDF",
    b"<": "a web page or XML",
    b"{": "JSON",
}

# Parts that reach outside the workbook or run something: what they are, where they lie, how to be rid of them.
REFUSED = (
    (
        "holds macros",
        ("vbaproject", "xl/macrosheets/"),
        "Save it as an Excel workbook (.xlsx), which drops them.",
    ),
    (
        "takes figures from other files or programs",
        ("xl/externallinks/",),
        "Break the links (Data, Edit Links), which keeps the values.",
    ),
    (
        "is connected to outside data",
        ("xl/connections.xml", "xl/querytables/"),
        "Delete the connections (Data, Queries & Connections), which keeps the values.",
    ),
)
WORKBOOK, BINARY_WORKBOOK, CONTENT_TYPES = "xl/workbook.xml", "xl/workbook.bin", "[Content_Types].xml"


def safe_bytes(path: Path) -> bytes:
    """The content of a workbook that may be parsed.

    Errors: InvalidWorkbook saying what the file is instead, or what in it is refused.
    """
    data = _content(path)
    _check_signature(path.name, data)
    try:
        with ZipFile(io.BytesIO(data)) as package:
            _check_size(path.name, package.infolist())
            _check_kind(path.name, package.namelist())
            refusals = [*_refused_parts(path.name, package), *_refused_declarations(path.name, package)]
    except (BadZipFile, EOFError, NotImplementedError, ValueError, zlib.error) as error:
        raise InvalidWorkbook([damaged_file(path.name)]) from error
    if refusals:
        raise InvalidWorkbook(refusals)
    return data


def open_elsewhere(path: Path) -> Iterator[Problem]:
    """A warning where Excel or LibreOffice has left a note beside the file that it is open."""
    for note in (f"~${path.name}", f".~lock.{path.name}#"):
        if path.with_name(note).exists():
            found = f"is open in another program ({note} lies beside it)"
            advice = "Save it there and close it; delete that file where nobody has it open."
            yield Problem(path.name, "", found, "what has not been saved is not read", advice, "warning")


def _refusal(file: str, found: str, advice: str, allowed: str = "") -> InvalidWorkbook:
    return InvalidWorkbook([Problem(file, "", found, allowed, advice)])


def _content(path: Path) -> bytes:
    """The bytes of a file of reasonable size."""
    if path.name.startswith("~$"):
        advice = f"Name the workbook itself, {path.name[2:]}."
        raise _refusal(path.name, "is Excel's note that the workbook is open", advice)
    if not path.exists():
        raise _refusal(path.name, f"there is no such file: {path}", "Check the name and the folder.")
    if not path.is_file():
        raise _refusal(path.name, "is a folder", "Name a workbook in it.")
    try:
        size = path.stat().st_size
        if size > FILE_LIMIT:
            found, allowed = f"is {size / MEGABYTE:,.0f} MB large", f"allowed are {FILE_LIMIT // MEGABYTE} MB"
            raise _refusal(path.name, found, "Delete pictures and data it does not need.", allowed)
        return path.read_bytes()
    except OSError as error:
        advice = "Close it elsewhere, and check its permissions."
        raise _refusal(path.name, f"cannot be read ({error.strerror})", advice) from error


def _check_signature(file: str, data: bytes) -> None:
    """Tells files of other kinds by their first bytes, whatever they are called."""
    if data.startswith(ZIP):
        return
    if not data:
        raise _refusal(file, "is empty", "Save it again in Excel.")
    if data.startswith(OLE) and "EncryptedPackage".encode("utf-16-le") in data:
        advice = "Save a copy without it (File, Info, Protect Workbook)."
        raise _refusal(file, "is protected with a password for opening", advice)
    if data.startswith(OLE):
        raise _refusal(file, "is in the old Excel format (.xls)", SAVE_AS)
    kind = next((kind for start, kind in SIGNATURES.items() if data.lstrip().startswith(start)), "something else")
    raise _refusal(file, f"is no Excel workbook but {kind}, whatever its name", "Name a workbook (.xlsx).")


def _check_size(file: str, parts: list[ZipInfo]) -> None:
    """Refuses what would take too much memory or time to unpack, by what the file says of itself."""
    if len(parts) > ENTRY_LIMIT:
        found, allowed = f"holds {len(parts):,} parts", f"allowed are {ENTRY_LIMIT:,}"
        raise _refusal(file, found, "Copy the sheets into a new workbook.", allowed)
    unpacked = sum(part.file_size for part in parts)
    largest = max((part.file_size for part in parts), default=0)
    dense = any(part.file_size > MEGABYTE and part.file_size > RATIO_LIMIT * part.compress_size for part in parts)
    if unpacked > UNPACKED_LIMIT or largest > PART_LIMIT or dense:
        found = f"unpacks to {unpacked / MEGABYTE:,.0f} MB, far more than a workbook of inputs holds"
        raise _refusal(file, found, "Delete rows and sheets it does not need, or copy the sheets into a new workbook.")
    for part in parts:
        if part.filename in FRAME and part.file_size > FRAME_LIMIT:
            found = f"holds {part.file_size / MEGABYTE:,.0f} MB of names and styles in {part.filename}"
            allowed = f"allowed are {FRAME_LIMIT // MEGABYTE} MB"
            raise _refusal(file, found, "Copy the sheets into a new workbook.", allowed)
    if any(part.flag_bits & 1 for part in parts):
        raise _refusal(file, "is a zip file with a password", "Save the workbook again in Excel, without a password.")


def _check_kind(file: str, names: list[str]) -> None:
    """Tells Excel workbooks from the other things that are zip files."""
    if BINARY_WORKBOOK in names:
        raise _refusal(file, "is a binary workbook (.xlsb)", SAVE_AS)
    if WORKBOOK not in names or CONTENT_TYPES not in names:
        raise _refusal(file, "is a zip file but no Excel workbook", SAVE_AS)


def _refused_parts(file: str, package: ZipFile) -> Iterator[Problem]:
    """What reaches outside the workbook or runs something."""
    names = [name.lower() for name in package.namelist()]
    for found, places, advice in REFUSED:
        if any(place in name for name in names for place in places):
            yield Problem(file, "", found, "", advice)


def _refused_declarations(file: str, package: ZipFile) -> Iterator[Problem]:
    """XML that declares its own entities, which no program writes into a workbook but an attack would."""
    for name in package.namelist():
        # All of them, because a sheet may lie in a part of any name.
        with package.open(name) as part:
            declared = _has_doctype(part)
        if declared:
            found = f"holds a document type declaration (DOCTYPE) in {name}, which Excel never writes"
            yield Problem(file, "", found, "", "Ask who made the file, and copy the figures into a new workbook.")


class _PrologRead(Exception):  # noqa: N818 - not an error: it stops the parser where the answer is known
    def __init__(self, has_doctype: bool) -> None:
        self.has_doctype = has_doctype


def _has_doctype(part: IO[bytes]) -> bool:
    """Whether a DOCTYPE stands before the first element; nothing further is read. What is no XML has none."""

    def stop(has_doctype: bool) -> None:
        raise _PrologRead(has_doctype)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = lambda *_: stop(True)
    parser.StartElementHandler = lambda *_: stop(False)
    try:
        while chunk := part.read(65536):
            parser.Parse(chunk)
    except _PrologRead as answer:
        return answer.has_doctype
    except expat.ExpatError:
        return False
    return False
