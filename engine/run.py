"""One run: from an analyst's workbook to a folder with results.xlsx, report.pdf, report.eml and run.json.

Knows the order of the stages and nothing of what happens in them.
"""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from engine import __version__, archive
from engine.report import build
from engine.report.answer import Check, Earlier
from engine.report.mail import mail
from engine.report.values import Issue
from engine.scenarios import CONFIGURED, Archived, Grain, Scenario, looked_back_on, scenario
from engine.studies.bridge import left
from engine.studies.uncertainty import Uncertain
from engine.units import Unit, money_in, numbers_in, unit_of
from engine.workbook.problems import InvalidWorkbook, Problem
from engine.workbook.read import Inputs, read

Progress = Callable[[str], None]
Record = Mapping[str, Any]  # what run.json says of a run
Neighbours = Mapping[date, archive.Run]  # runs of earlier months
INPUT = "input.xlsx"  # the copy that a run keeps
# In the order in which they begin.
STAGES = (
    "read",
    "calculate",
    "decide",
    "results.xlsx",
    "results.parquet",
    "charts",
    "recalculation",
    "report.pdf",
    "report.eml",
)


class RenderingError(Exception):
    """A file of the report could not be made from figures that are sound. One sentence says which, and why."""


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

    def wait(self, holder: str) -> None:
        """Says who writes into the archive before this run may."""
        self.progress(f"waiting for {holder}")

    @contextmanager
    def rendering(self, name: str) -> Iterator[None]:
        """A stage that needs libraries, programs and room on the disk, and may fail for want of them."""
        try:
            with self.stage(name):
                yield
        except (RuntimeError, ValueError, OSError) as error:
            why = " ".join(str(error).split())
            raise RenderingError(f"{name} could not be made: {why or type(error).__name__}") from error


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
    """Reads a workbook and writes a run of its month into the archive.

    Errors, after each of which the archive is as it was: InvalidWorkbook with every problem found; ArchiveError where
    another process writes into the archive; RenderingError where a file could not be made.
    """
    stages = Stages(progress)
    with stages.stage("read"):
        inputs = read(path, month)
    with stages.stage("calculate"):
        calculated = scenario(inputs)
    reported: date = inputs.settings["report_month"]
    outcome: list[Outcome] = []
    with archive.locked(reports, f"report {archive.folder_name(reported)}", waiting=stages.wait):
        neighbours = neighbours_of(reports, reported)

        def write(folder: Path, revision: int) -> None:
            outcome.append(write_files(folder, calculated, neighbours, Issue(revision), stages))

        folder = archive.write_run(reports, reported, write)
    return replace(outcome[0], folder=folder)


def stored_scenario(run: archive.Run, stages: Stages) -> Scenario:
    """What a run of the archive was made from, read from its own copy and calculated again.

    Errors: InvalidWorkbook where this version of the program refuses the copy.
    """
    with stages.stage("read"):
        inputs = _stored_inputs(run)
    with stages.stage("calculate"):
        return scenario(inputs)


def _stored_inputs(run: archive.Run) -> Inputs:
    path = run.place / INPUT
    inputs = read(path)
    if f"{inputs.settings['report_month']:%Y-%m}" != run.record["month"]:
        # The run was asked for another month than the workbook's own.
        inputs = read(path, datetime.strptime(run.record["month"], "%Y-%m").date())
    return replace(inputs, path=Path(run.record["input"]["file"]))


def neighbours_of(reports: Path, month: date) -> Neighbours:
    """The runs that speak for the months that are looked back on: published or sent ones, else drafts."""
    found = {earlier: archive.speaks_for(reports, earlier) for earlier in looked_back_on(month)[:-1]}
    return {earlier: run for earlier, run in found.items() if run}


def _earlier(neighbours: Neighbours, month: date, currency: str) -> Earlier | None:
    """The month before, where it was reported in the same currency; what it earned cannot be compared otherwise."""
    before = archive.month_before(month)
    run = neighbours.get(before)
    if run is None or run.record.get("currency", "USD") != currency:
        return None
    try:
        inputs = _stored_inputs(run)
    except InvalidWorkbook:
        inputs = None
    return Earlier(f"{before:%B}", run.record["figures"], run.record.get("traffics", {}), inputs)


def _archived(neighbours: Neighbours, currency: str) -> dict[date, Archived]:
    """The runs of the months that are looked back on, in the same currency."""
    return {
        earlier: Archived(f"run of {earlier:%B %Y}, input {run.record['input']['sha256'][:8]}", run.record["figures"])
        for earlier, run in neighbours.items()
        if run.record.get("currency", "USD") == currency
    }


def write_files(
    folder: Path, calculated: Scenario, neighbours: Neighbours, issue: Issue, stages: Stages
) -> Outcome:
    """Everything that a run consists of, into an empty folder; `neighbours` are the runs of earlier months."""
    from engine.render.typesetting import brand

    with money_in(str(calculated.inputs.settings["currency"])), numbers_in(brand().numbers):
        return _write(folder, calculated, neighbours, issue, stages)


def _write(
    folder: Path, calculated: Scenario, neighbours: Neighbours, issue: Issue, stages: Stages
) -> Outcome:
    # Renderers are slow to import; a workbook with problems is reported without them.
    from engine.render.excel import recalculated, write_results
    from engine.render.mail import write_mail

    inputs = calculated.inputs
    created, results = _created(inputs), folder / "results.xlsx"
    settings = inputs.settings
    with stages.stage("decide"):
        currency = str(settings["currency"])
        earlier = _earlier(neighbours, settings["report_month"], currency)
        draft = build.draft(calculated, earlier, _archived(neighbours, currency), issue)
    with stages.rendering("results.xlsx"):
        live = write_results(draft, results)
    with ThreadPoolExecutor(max_workers=1) as beside:
        # The second engine is another process: what does not need its verdict is done while it calculates.
        recalculation = beside.submit(recalculated, results, live, created=created)
        with stages.stage("results.parquet"):
            write_parquet(calculated[CONFIGURED], folder / "results.parquet")
        with stages.rendering("charts"):
            from engine.render.pdf import draw_charts, write_pdf

            draw_charts(draft.findings)
        with stages.rendering("recalculation"):
            checks = recalculation.result()
    with stages.rendering("report.pdf"):
        report = build.report(draft, checks, input_hash=inputs.sha256[:8], engine_version=__version__)
        write_pdf(report, folder / "report.pdf", created=created, attachments=[results])
    with stages.rendering("report.eml"):
        attached = [folder / "report.pdf", results]
        write_mail(mail(report, settings), folder / "report.eml", created=created, attachments=attached)
    (folder / INPUT).write_bytes(inputs.content)
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    record = _run_json(draft, report.answer.headline, checks, stages)
    looked_at = {"looked_at": [looked_at_in(neighbours[month].record) for month in sorted(neighbours)]}
    archive.write_json(folder / archive.RECORD, {**record, **looked_at, "files": files})
    return Outcome(folder, report.answer.headline, checks, inputs.warnings)


def looked_at_in(run: Record) -> dict[str, Any]:
    """What is kept of a neighbour, so that it can be found again, and be seen to have changed."""
    return {"month": run["month"], "revision": archive.revision_of(run), "fingerprint": archive.fingerprint(run)}


def _created(inputs: Inputs) -> datetime:
    """The date that files carry: the 28th of the month, so that the same input gives the same bytes."""
    month: date = inputs.settings["report_month"]
    return datetime(month.year, month.month, 28, tzinfo=UTC)


def write_parquet(grain: Grain, path: Path) -> None:
    """One row per configuration, one column per quantity; their units stand in the file's metadata (`attrs`)."""
    import pyarrow
    from pyarrow import json as arrow_json
    from pyarrow import parquet

    units = {name: unit_of(grain.annotation(name)) for name in [*grain.sources, *grain.formulas]}
    # Others read the batch that runs, also where it follows demand and is not the one that fills a replica.
    values = {**grain.values, "batch_size": grain.values["running_batch_size"]}
    kinds = {"text": pyarrow.string(), "flag": pyarrow.bool_()}
    schema = pyarrow.schema([(name, kinds.get(unit.kind, pyarrow.float64())) for name, unit in units.items()])
    columns = [[_plain(value, unit) for value in values[name].tolist()] for name, unit in units.items()]
    lines = "\n".join(json.dumps(dict(zip(units, row, strict=True))) for row in zip(*columns, strict=True))
    # As JSON, because pyarrow loads pandas, where that is installed, to convert what stands in Python's memory.
    table = arrow_json.read_json(
        BytesIO(lines.encode()), parse_options=arrow_json.ParseOptions(explicit_schema=schema)
    )
    # Where pandas looks for `attrs`.
    attributes = {"PANDAS_ATTRS": json.dumps({name: unit.symbol for name, unit in units.items()})}
    parquet.write_table(table.replace_schema_metadata(attributes), path)


def _plain(value: Any, unit: Unit) -> Any:
    """A value as it stands in JSON: true or false for a flag, nothing for what is missing."""
    if unit.kind == "flag":
        return value > 0
    return value if isinstance(value, str) or math.isfinite(value) else None


def _run_json(draft: build.Draft, headline: str, checks: tuple[Check, ...], stages: Stages) -> dict[str, Any]:
    inputs = draft.scenario.inputs
    figures = build.figures(draft.scenario)
    settings = {name: str(value) for name, value in inputs.settings.items()}
    return {
        "state": archive.PUBLISHED if draft.issue.published else archive.DRAFT,
        "month": f"{inputs.settings['report_month']:%Y-%m}",
        "revision": draft.issue.revision,
        "currency": str(inputs.settings["currency"]),
        "input": {"file": inputs.path.name, "sha256": inputs.sha256},
        "engine": {"version": __version__, "commit": commit()},
        "settings_sha256": hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest(),
        "headline": headline,
        "figures": figures,
        "uncertainty": _drawn(draft.uncertain) if draft.uncertain else None,
        "traffics": left(draft.scenario),
        "checks": [
            {"name": c.name, "found": c.found, "expected": c.expected, "allowed": c.allowed, "passed": c.passed}
            for c in checks
        ],
        "passed": all(check.passed for check in checks),
        "seconds": stages.seconds,
    }


def _drawn(found: Uncertain) -> dict[str, Any]:
    """How the uncertain inputs were drawn, and what gross profit came to."""
    profit = found.profit
    figures = {"P10": profit.low, "P50": profit.middle, "P90": profit.high, "chance_of_profit": profit.chance}
    return {"seed": found.seed, "draws": found.draws, "gross_profit": figures}


def commit() -> str:
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
