"""Verification: makes a run of the archive once more from its stored input, and says what comes out otherwise.

Everything is compared: the figures and checks of run.json, every cell of results.xlsx, every word of report.pdf, every
value of results.parquet; and the files themselves with what they were when the run wrote them.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from engine import __version__, archive
from engine.report.values import Issue
from engine.run import (
    INPUT,
    Neighbours,
    Progress,
    Record,
    Stages,
    commit,
    looked_at_in,
    stored_scenario,
    write_files,
)

COMPARISON = "compare"  # the stage that a run does not have
_LISTED = 3  # cells or pages of a file that differ
# Of run.json, what does not depend on when and by which version it was written.
_SAYS = {
    "month": "month",
    "revision": "revision",
    "currency": "currency",
    "settings_sha256": "hash of the settings",
    "headline": "headline",
    "passed": "verdict of the checks",
}


@dataclass(frozen=True)
class Verdict:
    """What differs, one sentence each, and what else should be known."""

    differences: tuple[str, ...]
    notes: tuple[str, ...]


def verify(folder: Path, progress: Progress = lambda stage: None) -> Verdict:
    """Compares a run with what its stored input gives now. Writes nothing into the archive.

    Errors: ArchiveError where there is no run; InvalidWorkbook where this version refuses its input.
    """
    run = archive.run_of_folder(folder.resolve())
    record = run.record
    found = list(_touched(run))
    if not (run.place / INPUT).is_file():
        return Verdict(tuple(found), tuple(_notes(record)))
    stages = Stages(progress)
    calculated = stored_scenario(run, stages)
    neighbours, changed = _neighbours(run)
    found += changed
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary)
        issue = Issue(archive.revision_of(record), published="published" in record)
        write_files(made, calculated, neighbours, issue, stages)
        with stages.stage(COMPARISON):
            found += _of_the_record(record, json.loads((made / archive.RECORD).read_text(encoding="utf-8")))
            found += _of_the_files(run.place, made)
    return Verdict(tuple(found), tuple(_notes(record)))


def _notes(record: Record) -> Iterator[str]:
    """Which version of the program made the run, where it was another."""
    engine, here = record["engine"], {"version": __version__, "commit": commit()}
    if engine != here:
        yield f"The run was made by {_named(engine)}; this is {_named(here)}."


def _named(engine: Mapping[str, str]) -> str:
    at = f", commit {engine['commit']}" if engine.get("commit") else ""
    return f"engine {engine['version']}{at}"


def _touched(run: archive.Run) -> Iterator[str]:
    """Files that are gone, or are not what the run wrote."""
    written = {**run.record.get("files", {}), INPUT: run.record["input"]["sha256"]}
    for name, sha256 in written.items():
        path = run.place / name
        if not path.is_file():
            yield f"{name} is missing."
        elif hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            yield f"{name} was changed after the run: it is not the file whose hash run.json has."


def _neighbours(run: archive.Run) -> tuple[Neighbours, list[str]]:
    """The runs that this one looked back on, as they are now, and which of them are gone or are not what they were.

    The very revisions that it looked at, also where others speak for their months since.
    """
    found, told = dict[date, archive.Run](), []
    for looked_at in run.record.get("looked_at", ()):
        month = datetime.strptime(looked_at["month"], "%Y-%m").date()
        name = archive.folder_name(month, looked_at["revision"])
        neighbour = archive.run_at(run.folder.parent / name)
        if neighbour is None:
            told.append(f"{name}, which the run looked back on, is gone from the archive.")
            continue
        found[month] = neighbour
        if looked_at_in(neighbour.record) != looked_at:
            told.append(f"{name}, which the run looked back on, has been changed or run again since.")
    return found, told


def _of_the_record(stored: Record, made: Record) -> Iterator[str]:
    for key, words in _SAYS.items():
        if stored.get(key) != made[key]:
            yield f"run.json: the {words} is {_shown(stored.get(key))}, recomputed {_shown(made[key])}."
    if stored.get("traffics") != made["traffics"]:
        yield "run.json: what it keeps of each traffic, for the month after, is not what comes out when recomputed."
    yield from _by_name("the figure", stored["figures"], made["figures"])
    yield from _by_name("the check", *({check["name"]: check for check in each["checks"]} for each in (stored, made)))


def _by_name(what: str, stored: Mapping[str, Any], made: Mapping[str, Any]) -> Iterator[str]:
    for name in {**made, **stored}:
        if name not in made:
            yield f"run.json: {what} '{name}' is not there when recomputed."
        elif name not in stored:
            yield f"run.json: {what} '{name}' is missing."
        elif stored[name] != made[name]:
            yield f"run.json: {what} '{name}' is {_shown(stored[name])}, recomputed {_shown(made[name])}."


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {part}" for key, part in value.items() if key != "name")
    return f"'{value}'" if isinstance(value, str) else str(value)


def _of_the_files(stored: Path, made: Path) -> Iterator[str]:
    """Every file of both by its bytes; a PDF by its words, because its bytes depend on the machine's libraries."""
    from engine.render.differences import differing_cells, differing_pages

    reasons = {"results.xlsx": differing_cells, "report.pdf": differing_pages, "results.parquet": _differing_columns}
    for name, reasons_of in reasons.items():
        one, other = stored / name, made / name
        if not one.is_file() or one.read_bytes() == other.read_bytes():
            continue
        try:
            told = reasons_of(one, other)
        except Exception as error:
            # A damaged file fails in as many ways as there are libraries; to the reader they are one.
            told = [f"it cannot be read ({' '.join(str(error).split()) or type(error).__name__})"]
        if told:
            more = f"; and {len(told) - _LISTED:,} more" if len(told) > _LISTED else ""
            yield f"{name}: {'; '.join(told[:_LISTED])}{more}."
        elif name == "results.xlsx":
            yield f"{name}: its values and formulas are the same, but not its looks or how it was saved."


def _differing_columns(stored: Path, made: Path) -> list[str]:
    from pyarrow import parquet

    old, new = parquet.read_table(stored), parquet.read_table(made)
    found = [
        f"the column {name} is not there when recomputed" for name in old.column_names if name not in new.column_names
    ]
    found += [f"the column {name} is missing" for name in new.column_names if name not in old.column_names]
    both = [name for name in new.column_names if name in old.column_names]
    found += [f"the column {name} differs" for name in both if old[name].to_pylist() != new[name].to_pylist()]
    return found or ["it was saved by another program"]
