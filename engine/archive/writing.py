"""Writing: a run appears in the archive all at once or not at all. Knows folders, not what is written into them.

A run is written into a hidden folder beside its place. Then the old run is set aside, the new one takes its place, and
the old one is removed. A process that is killed leaves hidden folders behind, and the old run in its place or set
aside; whoever writes next puts it back, and until then whoever reads finds it where it lies.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from engine.archive.locking import locked
from engine.archive.runs import RECORD, folder_name, record_of, revision_of, runs, set_aside

_LEFT = re.compile(r"\.(?P<name>\d{4}-\d{2}(-r\d+)?)\.(?P<kind>old|new-\w+)")


def write_run(reports: Path, month: date, write: Callable[[Path, int], None]) -> Path:
    """Lets `write` fill a folder, given the run's revision, then puts it in its place in the archive.

    A draft of the month is replaced. Where the month's latest run is published or sent, this one is the next revision.
    Where `write` fails, or the process is killed, the archive stays as it was.
    """
    with locked(reports, f"report {folder_name(month)}"):
        recover(reports)
        revision = 1
        if revisions := runs(reports, month):
            revision = revision_of(revisions[-1].record) + revisions[-1].is_final
        folder = reports / folder_name(month, revision)
        replace_run(folder, lambda beside: write(beside, revision))
    return folder


def replace_run(folder: Path, write: Callable[[Path], None]) -> None:
    """Puts what `write` fills a folder with in the place of a run. Asks for no permission: is it a draft?"""
    reports = folder.parent
    with locked(reports, f"report {folder.name}"):
        recover(reports)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.new-", dir=reports))
        old = set_aside(folder)
        try:
            write(beside)
            beside.chmod(0o755)
            _onto_disk(beside)
            if folder.exists():
                folder.rename(old)
            beside.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            _put_back(old)
            raise


def recover(reports: Path) -> None:
    """Removes what killed processes left behind, and puts back a run that one of them had set aside.

    Only while the archive is locked: what is found is then of nobody who lives.
    """
    for entry in reports.iterdir():
        match = _LEFT.fullmatch(entry.name)
        if match and match["kind"] == "old":
            _put_back(entry)
        if match and entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        elif match:
            entry.unlink(missing_ok=True)


def _put_back(old: Path) -> None:
    folder = old.with_name(old.name.removeprefix(".").removesuffix(".old"))
    if old.exists() and not folder.exists():
        old.rename(folder)


def _onto_disk(folder: Path) -> None:
    """Has the disk take what is about to be moved, so that a power cut cannot leave empty files in its place."""
    for path in (*(folder.iterdir() if folder.is_dir() else ()), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def mark(folder: Path, **facts: Any) -> dict[str, Any]:
    """Records facts in a run's run.json, over those of the same name, at once or not at all; returns all of it.

    Whoever does something that others must not interrupt, such as sending a run, holds the archive's lock meanwhile
    (`locked`), reads the run (`record_of`), and marks it before letting go.

    Errors: ArchiveError where there is no run, or another process holds the archive.
    """
    folder = folder.resolve()
    # Also before it is locked, because locking makes the archive's folder where there is none.
    record_of(folder)
    with locked(folder.parent, f"marking {folder.name}"):
        recover(folder.parent)
        record = record_of(folder) | facts
        beside = folder.with_name(f".{folder.name}.new-record")
        write_json(beside, record)
        _onto_disk(beside)
        beside.replace(folder / RECORD)
    return record


def write_json(path: Path, run: Mapping[str, Any]) -> None:
    """Keys in the order given, numbers in full, readable."""
    path.write_text(json.dumps(run, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
