"""Copying: a changed copy of an analyst's workbook, with all that was in it. Does not know what is changed.

The original is read once and never written. What a copy could not keep is named beforehand, and the copy is refused
unless that is accepted.
"""

from __future__ import annotations

import io
import math
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook

from engine.sheets import SHEETS
from engine.workbook import checks
from engine.workbook.extensions import bring_in
from engine.workbook.grid import TooLargeError, contents
from engine.workbook.losses import losses
from engine.workbook.package import packed, repacked
from engine.workbook.problems import InvalidWorkbook, Place, address, damaged_file, listed, too_large
from engine.workbook.recalculation import RecalculationError, recalculate
from engine.workbook.safety import safe_bytes

Book = Workbook  # for changes from rooms that know no library of Excel's files
# A change works on the loaded book and says, line by line, what it did.
Change = Callable[[Workbook], Sequence[str]]
Places = set[Place]

SAME = 1e-9
OURS = ("Cover", checks.NAME)  # sheets whose formulas follow whatever is changed


class TargetError(ValueError):
    """The copy may not be written where it was asked for."""


@dataclass(frozen=True)
class Copy:
    """A copy that was written: what was done to it, what its reader should know, and what is left to a person."""

    path: Path
    done: tuple[str, ...]
    notes: tuple[str, ...]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """Where a copy goes. `replace` allows to write over a file, `accept_loss` to leave out what a copy cannot keep."""

    path: Path
    replace: bool = False
    accept_loss: bool = False

    def check(self, source: Path) -> None:
        """Errors: TargetError where something else would be overwritten, or there is no such folder."""
        if self.path.exists() and self.path.samefile(source):
            raise TargetError(f"{self.path} is the workbook itself, which is never written; choose another name")
        if self.path.exists() and not self.replace:
            raise TargetError(f"{self.path} exists; choose another name, or write over it with --replace")
        if self.path.suffix.lower() != ".xlsx":
            raise TargetError(f"{self.path.name} does not end in .xlsx; choose another name")
        if not self.path.parent.is_dir():
            raise TargetError(f"there is no folder {self.path.parent}; make it, or choose another one")


def copied(source: Path, target: Target, change: Change) -> Copy:
    """Writes a changed copy of the workbook; the same workbook and change give the same bytes.

    Errors: TargetError; InvalidWorkbook where the file is refused, or holds what a copy could not keep.
    """
    target.check(source)
    data = safe_bytes(source)
    book, notes = _opened(source.name, data, target.accept_loss)
    day = _day(book)
    done = change(book)
    content, more = _calculated(packed(book, day), day, data, _formulas(book))
    _write(target.path, content)
    return Copy(target.path, tuple(done), (*notes, *more))


def _write(path: Path, content: bytes) -> None:
    """Writes the file all at once, or not at all."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        reason = f"{path} cannot be written ({error.strerror})"
        raise TargetError(f"{reason}; close it elsewhere, or choose another name") from error


def _opened(name: str, data: bytes, accept_loss: bool) -> tuple[Workbook, list[str]]:
    """The book as openpyxl holds it, and a note on each thing that it cannot hold."""
    try:
        # Counts before openpyxl holds all of it.
        contents(data, [sheet.name for sheet in SHEETS])
        lost = losses(data)
        with warnings.catch_warnings():
            # What openpyxl warns of is among the losses, or brought in.
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(data), rich_text=True)
        bring_in(data, book)
    except TooLargeError as large:
        raise InvalidWorkbook([too_large(large.sheet or name, large.what, large.count, large.limit)]) from large
    except Exception as error:
        # A damaged file raises many kinds of error, and for the analyst they are all one.
        raise InvalidWorkbook([damaged_file(name)]) from error
    if lost and not accept_loss:
        raise InvalidWorkbook(lost)
    for chartsheet in book.chartsheets:
        book.remove(chartsheet)
    for sheet in book.worksheets:
        # openpyxl would write them again, but not as they were.
        sheet._charts, sheet._images = [], []  # type: ignore[attr-defined]
    return book, [f"{problem.place} {problem.found}: it is not in the copy" for problem in lost]


def _day(book: Workbook) -> date:
    """When the original was last saved: the copy is dated by it, so that it does not depend on the clock."""
    saved: datetime = book.properties.modified or book.properties.created
    # A zip file knows no earlier day.
    return max(saved.date(), date(1980, 1, 1))


def _calculated(content: bytes, day: date, original: bytes, formulas: Places) -> tuple[bytes, list[str]]:
    """The copy with the value of every formula filled in, and what that left open."""
    if not formulas:
        return content, []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.xlsx"
        path.write_bytes(content)
        try:
            unknown = recalculate(path).unknown_functions
        except RecalculationError as refused:
            advice = "Open the copy in Excel and save it before it is used"
            return content, [f"The formulas could not be calculated here ({refused}). {advice}."]
        content = repacked(path.read_bytes(), day)
    notes = []
    if unknown:
        shown = "cells with it show #NAME? until the copy is opened in Excel and saved"
        notes.append(f"Not known here: {listed(unknown)}; {shown}.")
    before, now = _values(original, formulas), _values(content, formulas)
    theirs = [place for place in now if place[0] not in OURS]
    if changed := [address(*place) for place in theirs if _differs(before.get(place), now[place])]:
        notes.append(f"Calculated anew, these came out otherwise than in the original: {listed(changed)}. Check them.")
    return content, notes


def _formulas(book: Workbook) -> Places:
    return {
        (sheet.title, cell.coordinate)
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }


def _values(content: bytes, places: Places) -> dict[Place, Any]:
    """What these cells showed when the file was saved; those without a value are left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        return {
            (sheet.title, cell.coordinate): cell.value
            for sheet in book.worksheets
            for row in sheet.iter_rows()
            for cell in row
            if cell.value is not None and (sheet.title, cell.coordinate) in places
        }


def _differs(before: Any, now: Any) -> bool:
    """Whether a formula that had a value has another one now."""
    if before is None:
        return False
    if isinstance(before, int | float) and isinstance(now, int | float):
        return not math.isclose(before, now, rel_tol=SAME, abs_tol=SAME)
    return bool(before != now)
