"""One run: from an analyst's workbook to a folder with results.xlsx, report.pdf, results.parquet and run.json.

Knows the order of the stages and nothing of what happens in them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from engine import __version__, archive
from engine.report import build
from engine.report.answer import Check, Earlier
from engine.scenarios import CONFIGURED, Grain, Scenario, scenario
from engine.units import unit_of
from engine.workbook.problems import Problem
from engine.workbook.read import Inputs, read, without_collecting

Progress = Callable[[str], None]


@dataclass
class Stages:
    """Names the stage that runs, and remembers how long each took."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.progress(name)
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 3)


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    folder: Path
    headline: str
    checks: tuple[Check, ...]
    warnings: tuple[Problem, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


def report_month(
    path: Path, reports: Path, month: date | None = None, progress: Progress = lambda stage: None
) -> Outcome:
    """Reads a workbook and writes the month's folder in the archive.

    Errors: InvalidWorkbook with every problem found; nothing is written then.
    """
    # A run is short; what it makes is freed when it ends.
    with without_collecting():
        return _report_month(path, reports, month, Stages(progress))


def _report_month(path: Path, reports: Path, month: date | None, stages: Stages) -> Outcome:
    with stages.stage("read"):
        inputs = read(path, month)
    with stages.stage("calculate"):
        calculated = scenario(inputs)
    reported: date = inputs.settings["report_month"]
    earlier = _earlier(reports, reported)
    outcome: list[Outcome] = []

    def write(folder: Path) -> None:
        outcome.append(_write(folder, calculated, earlier, stages))

    folder = archive.write_run(reports, reported, write)
    return replace(outcome[0], folder=folder)


def _earlier(reports: Path, month: date) -> Earlier | None:
    before = archive.month_before(month)
    run = archive.run_of(reports, before)
    return Earlier(f"{before:%B}", run["figures"]) if run else None


def _write(folder: Path, calculated: Scenario, earlier: Earlier | None, stages: Stages) -> Outcome:
    # The two renderers are what is slow to import; a workbook with problems is reported without them.
    from engine.render.excel import write_results
    from engine.render.pdf import write_pdf

    inputs = calculated.inputs
    created = _created(inputs)
    with stages.stage("decide"):
        draft = build.draft(calculated, earlier)
    with stages.stage("results.xlsx"):
        checks = write_results(draft, folder / "results.xlsx", created=created)
    with stages.stage("report.pdf"):
        report = build.report(draft, checks, input_hash=inputs.sha256[:8], engine_version=__version__)
        write_pdf(report, folder / "report.pdf", created=created)
    with stages.stage("results.parquet"):
        write_parquet(calculated[CONFIGURED], folder / "results.parquet")
    shutil.copyfile(inputs.path, folder / "input.xlsx")
    archive.write_json(folder / "run.json", _run_json(draft, report.answer.headline, checks, stages))
    return Outcome(folder, report.answer.headline, checks, inputs.warnings)


def _created(inputs: Inputs) -> datetime:
    """The date that files carry: the 28th of the month, so that the same input gives the same bytes."""
    month: date = inputs.settings["report_month"]
    return datetime(month.year, month.month, 28, tzinfo=UTC)


def write_parquet(grain: Grain, path: Path) -> None:
    """One row per configuration, one column per quantity; their units stand in the file's metadata (`attrs`)."""
    import pandas as pd

    frame = pd.DataFrame({name: grain.values[name] for name in [*grain.sources, *grain.formulas]})
    for name in frame.columns:
        if unit_of(grain.annotation(name)).kind == "flag":
            frame[name] = frame[name] > 0
    frame.attrs = {name: unit_of(grain.annotation(name)).symbol for name in frame.columns}
    frame.to_parquet(path, index=False)


def _run_json(draft: build.Draft, headline: str, checks: tuple[Check, ...], stages: Stages) -> dict[str, Any]:
    inputs = draft.scenario.inputs
    figures = build.figures(draft.scenario)
    settings = {name: str(value) for name, value in inputs.settings.items()}
    return {
        "state": "draft",
        "month": f"{inputs.settings['report_month']:%Y-%m}",
        "input": {"file": inputs.path.name, "sha256": inputs.sha256},
        "engine": {"version": __version__, "commit": _commit()},
        "settings_sha256": hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest(),
        "headline": headline,
        "figures": figures,
        "checks": [
            {"name": c.name, "found": c.found, "expected": c.expected, "allowed": c.allowed, "passed": c.passed}
            for c in checks
        ],
        "passed": all(check.passed for check in checks),
        "seconds": stages.seconds,
    }


def _commit() -> str:
    """The commit the engine runs at, marked `-dirty` where files differ from it; empty outside a checkout."""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--exclude=*"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()
