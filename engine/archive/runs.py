"""Runs: which folders an archive has, what their run.json says, and which one speaks for a month. Writes nothing.

A folder is `2026-11`, or `2026-11-r2` for the second revision of that month. A run is a draft, which the next run of
its month replaces, until it is published or sent; then it is final, and the next run is a revision beside it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from engine.archive.locking import ArchiveError

DRAFT, PUBLISHED, SENT = "draft", "published", "sent"  # sent, whether published before or not
RECORD = "run.json"
_FOLDER = re.compile(r"(\d{4})-(0[1-9]|1[0-2])(?:-r([1-9]\d*))?")


@dataclass(frozen=True)
class Run:
    """One run of an archive: its folder, and what run.json says. `place` is where that lies at this moment."""

    folder: Path
    place: Path
    record: Mapping[str, Any]

    @property
    def is_final(self) -> bool:
        """Whether it was published or sent, so that nothing may replace it."""
        return bool(self.record["state"] != DRAFT)


def folder_name(month: date, revision: int = 1) -> str:
    """`2026-11`, and `2026-11-r2` for its second revision."""
    return f"{month:%Y-%m}" + (f"-r{revision}" if revision > 1 else "")


def month_before(month: date) -> date:
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def revision_of(record: Mapping[str, Any]) -> int:
    return int(record.get("revision", 1))


def fingerprint(record: Mapping[str, Any]) -> str:
    """A hash of what later months take from a run; being published or sent does not change it."""
    taken = [record["input"]["sha256"], record.get("currency"), record["figures"], record.get("traffics")]
    return hashlib.sha256(json.dumps(taken, sort_keys=True).encode()).hexdigest()


def set_aside(folder: Path) -> Path:
    """Where a run lies while another is put in its place."""
    return folder.with_name(f".{folder.name}.old")


def run_at(folder: Path) -> Run | None:
    """The run of a folder, also while another is being put in its place; None where there is none.

    Errors: ArchiveError where its run.json cannot be read.
    """
    # The last look is for the moment between the first and the second, at which the new run took its place.
    for place in (folder, set_aside(folder), folder):
        try:
            text = (place / RECORD).read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, UnicodeDecodeError):
            raise damaged(folder) from None
        return Run(folder, place, _parsed(folder, text))
    return None


def damaged(folder: Path) -> ArchiveError:
    return ArchiveError(f"{folder / RECORD} is damaged or cannot be read; run that month's report again.")


def _parsed(folder: Path, text: str) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(text)
        # What the archive itself relies on.
        fingerprint(record), revision_of(record), record["state"], record["passed"], record["engine"]["version"]
    except (ValueError, TypeError, KeyError):
        raise damaged(folder) from None
    return record


def run_of_folder(folder: Path) -> Run:
    """The run of a folder that must have one.

    Errors: ArchiveError where there is no run, or its run.json cannot be read.
    """
    found = run_at(folder)
    if found is None:
        raise ArchiveError(
            f"{folder} is no run: it has no {RECORD}. Name a folder of the archive, such as reports/2026-11."
        )
    return found


def record_of(folder: Path) -> dict[str, Any]:
    """What run.json of a folder says; errors as of `run_of_folder`."""
    return dict(run_of_folder(folder).record)


def folders(reports: Path) -> Iterator[tuple[date, int, Path]]:
    """Month, revision and folder of every run, by month and revision; a run that is set aside is still there."""
    if not reports.is_dir():
        return
    found = set()
    for entry in reports.iterdir():
        name = entry.name.removeprefix(".").removesuffix(".old") if entry.name.endswith(".old") else entry.name
        if (match := _FOLDER.fullmatch(name)) and (entry / RECORD).is_file():
            found.add((date(int(match[1]), int(match[2]), 1), int(match[3] or 1), reports / name))
    yield from sorted(found)


def runs(reports: Path, month: date) -> list[Run]:
    """The revisions of a month, the first one first.

    Errors: ArchiveError where a run.json cannot be read.
    """
    wanted = (folder for of, _, folder in folders(reports) if of == month.replace(day=1))
    return [run for run in map(run_at, wanted) if run]


def speaks_for(reports: Path, month: date) -> Run | None:
    """The latest revision that is published or sent; where none is, the month's draft; None where nothing is there.

    So a draft of a correction changes no later month until it is published.
    """
    revisions = runs(reports, month)
    final = [run for run in revisions if run.is_final]
    return next(reversed(final or revisions), None)


def run_of(reports: Path, month: date) -> dict[str, Any] | None:
    """run.json of the run that speaks for a month: its latest published or sent revision, else its draft."""
    run = speaks_for(reports, month)
    return dict(run.record) if run else None


def place_of(reports: Path, month: date) -> Path | None:
    """The folder of that run, in which its files lie."""
    run = speaks_for(reports, month)
    return run.place if run else None
