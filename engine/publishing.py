"""Publishing: from a month's draft to the report that is never replaced. Knows no format of what it publishes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine import archive
from engine.archive import ArchiveError
from engine.report.values import Issue
from engine.run import (
    INPUT,
    Progress,
    Record,
    Stages,
    looked_at_in,
    neighbours_of,
    stored_scenario,
    write_files,
)

AGAIN = "Run the report again, look at it, and publish that"


class FailedChecksError(Exception):
    """A run whose checks failed is not published unless that is forced."""


def publish(folder: Path, *, force: bool = False, progress: Progress = lambda stage: None) -> Record:
    """Writes a draft anew without its marks, in its own place, and returns what its run.json then says.

    It is made from the stored input, and must say what the draft said: what is published is what somebody has seen.

    Errors, after each of which the draft is as it was: ArchiveError where there is none, where it would come out
    otherwise than it was seen, or where another process writes; FailedChecksError where its checks failed, unless
    `force`; InvalidWorkbook, RenderingError as of any run.
    """
    folder = folder.resolve()
    stages = Stages(progress)
    # Also before it is locked, because locking makes the archive's folder where there is none.
    archive.run_of_folder(folder)
    with archive.locked(folder.parent, f"publish {folder.name}", waiting=stages.wait):
        draft = archive.run_of_folder(folder)
        _refuse(draft, force)
        calculated = stored_scenario(draft, stages)
        neighbours = neighbours_of(folder.parent, calculated.inputs.settings["report_month"])
        if moved := changed_neighbours(draft.record, [looked_at_in(run.record) for run in neighbours.values()]):
            raise ArchiveError(f"{folder.name} is not published: {moved}. {AGAIN}.")
        issue = Issue(archive.revision_of(draft.record), published=True)
        written: list[dict[str, Any]] = []

        def write(beside: Path) -> None:
            write_files(beside, calculated, neighbours, issue, stages)
            record = json.loads((beside / archive.RECORD).read_text(encoding="utf-8"))
            if differing := ", ".join(_differing(draft, record)):
                raise ArchiveError(
                    f"{folder.name} is not published: made again, it differs from the draft in {differing}. {AGAIN}."
                )
            stamp = {"at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "forced": not record["passed"]}
            written.append({**record, "published": stamp})
            archive.write_json(beside / archive.RECORD, written[0])

        archive.replace_run(folder, write)
    return written[0]


def changed_neighbours(record: Record, now: list[dict[str, Any]]) -> str:
    """In words, which earlier months are not those that a run looked at; nothing where all are."""
    before = {each["month"]: each for each in record.get("looked_at", ())}
    current = {each["month"]: each for each in now}
    told = []
    for month in sorted(before.keys() | current.keys()):
        if month not in current:
            told.append(f"{month}, which it looked back on, is gone")
        elif month not in before:
            told.append(f"{month} has come into the archive since")
        elif before[month]["revision"] != current[month]["revision"]:
            told.append(f"{month}, which it looked back on, has a revision {current[month]['revision']} since")
        elif before[month] != current[month]:
            told.append(f"{month}, which it looked back on, has been run again since")
    return "; ".join(told)


def _refuse(draft: archive.Run, force: bool) -> None:
    """Says what forbids publishing, before any work is done."""
    name, record = draft.folder.name, draft.record
    if "published" in record:
        raise ArchiveError(f"{name} is published already. A run of its month now makes the next revision, a draft.")
    if draft.is_final:
        raise ArchiveError(f"{name} was sent, as a draft, and stays what was sent. {AGAIN}: it is the next revision.")
    if not record["passed"] and not force:
        failed = "; ".join(check["name"] for check in record["checks"] if not check["passed"])
        raise FailedChecksError(f"{name} is not published, because checks failed: {failed}. --force publishes it.")
    if not (draft.place / INPUT).is_file():
        raise ArchiveError(f"{name} is not published: its {INPUT} is gone. {AGAIN}.")


def _differing(draft: archive.Run, record: Record) -> Iterator[str]:
    """What the run that would be published says otherwise than the draft that was looked at."""
    names = {name: f"its {name}" for name in ("headline", "figures", "traffics", "checks", "input")}
    yield from (words for key, words in names.items() if draft.record.get(key) != record[key])
    # Every quantity of every configuration; a workbook and a PDF say whether they are drafts, and so differ.
    same = "results.parquet"
    if draft.record.get("files", {}).get(same) != record["files"][same]:
        yield same
