"""One run: from an analyst's workbook to a folder with results.xlsx, report.pdf, report.eml and run.json.

Knows the order of the stages and nothing of what happens in them.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
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
from engine.scenarios import CONFIGURED, Archived, Grain, Scenario, looked_back_on, scenario
from engine.units import Unit, money_in, unit_of
from engine.workbook.problems import Problem
from engine.workbook.read import Inputs, read

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
    stages = Stages(progress)
    with stages.stage("read"):
        inputs = read(path, month)
    with stages.stage("calculate"):
        calculated = scenario(inputs)
    reported: date = inputs.settings["report_month"]
    earlier = _earlier(reports, reported, str(inputs.settings["currency"]))
    archived = _archived(reports, reported)
    outcome: list[Outcome] = []

    def write(folder: Path) -> None:
        with money_in(str(inputs.settings["currency"])):
            outcome.append(_write(folder, calculated, earlier, archived, stages))

    folder = archive.write_run(reports, reported, write)
    return replace(outcome[0], folder=folder)


def _earlier(reports: Path, month: date, currency: str) -> Earlier | None:
    """The month before, where it was reported in the same currency; what it earned cannot be compared otherwise."""
    before = archive.month_before(month)
    run = archive.run_of(reports, before)
    comparable = run is not None and run.get("currency", "USD") == currency
    return Earlier(f"{before:%B}", run["figures"]) if run and comparable else None


def _archived(reports: Path, month: date) -> dict[date, Archived]:
    """The runs of the months that are looked back on."""
    found = {earlier: archive.run_of(reports, earlier) for earlier in looked_back_on(month)[:-1]}
    return {
        earlier: Archived(f"run of {earlier:%B %Y}, input {run['input']['sha256'][:8]}", run["figures"])
        for earlier, run in found.items()
        if run
    }


def _write(
    folder: Path,
    calculated: Scenario,
    earlier: Earlier | None,
    archived: Mapping[date, Archived],
    stages: Stages,
) -> Outcome:
    # Renderers are slow to import; a workbook with problems is reported without them.
    from engine.render.excel import recalculated, write_results
    from engine.render.mail import write_mail

    inputs = calculated.inputs
    created, results = _created(inputs), folder / "results.xlsx"
    with stages.stage("decide"):
        draft = build.draft(calculated, earlier, archived)
    with stages.stage("results.xlsx"):
        live = write_results(draft, results)
    with ThreadPoolExecutor(max_workers=1) as beside:
        # The second engine is another process: what does not need its verdict is done while it calculates.
        recalculation = beside.submit(recalculated, results, live, created=created)
        with stages.stage("results.parquet"):
            write_parquet(calculated[CONFIGURED], folder / "results.parquet")
        with stages.stage("charts"):
            from engine.render.pdf import draw_charts, write_pdf

            draw_charts(draft.findings)
        with stages.stage("recalculation"):
            checks = recalculation.result()
    with stages.stage("report.pdf"):
        report = build.report(draft, checks, input_hash=inputs.sha256[:8], engine_version=__version__)
        write_pdf(report, folder / "report.pdf", created=created, attachments=[results])
    with stages.stage("report.eml"):
        files = [folder / "report.pdf", results]
        write_mail(mail(report, inputs.settings), folder / "report.eml", created=created, attachments=files)
    shutil.copyfile(inputs.path, folder / "input.xlsx")
    archive.write_json(folder / "run.json", _run_json(draft, report.answer.headline, checks, stages))
    return Outcome(folder, report.answer.headline, checks, inputs.warnings)


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
        "state": "draft",
        "month": f"{inputs.settings['report_month']:%Y-%m}",
        "currency": str(inputs.settings["currency"]),
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
