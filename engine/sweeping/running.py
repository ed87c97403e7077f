"""Running: every piece of a plan once, on this machine or on a Dask cluster, and what they come to together.

Whatever stops a run, the pieces that are finished stay, and the same command goes on with the others.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine import __version__
from engine.scenarios import Scenario, scenario
from engine.sweeping.cluster import GoneError, on_cluster
from engine.sweeping.folder import Folder, SweepError, UnfinishedError, parquet
from engine.sweeping.grid import FITS, TARGET, Grid, read_grid
from engine.sweeping.pieces import Outcome, piece, units
from engine.sweeping.plans import Plan, plan
from engine.workbook.read import read

# Longer than this is asked about first.
LONG = 3600.0
_BYTES = 8  # of a number in a file, before it is compressed

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Swept:
    """What came of a sweep: `kept` has the rows with their values, `summary` how many there were."""

    kept: Mapping[str, Any]
    summary: Mapping[str, Any]
    plan: Plan


def sweep(
    workbook: Path,
    grid_file: Path,
    out: Path,
    keep: str,
    *,
    scheduler: str = "",
    yes: bool = False,
    progress: Progress = lambda done, rows: None,
) -> Swept:
    """Calculates every row of a grid, or those that are left of it, and writes what is kept into a folder.

    Errors: InvalidWorkbook and GridError with all that is wrong; SweepError where it cannot begin; UnfinishedError
    where it had to stop; ValueError where `keep` is not understood.
    """
    calculated = scenario(read(workbook))
    grid = read_grid(grid_file, calculated)
    planned = plan(calculated, grid, keep)
    folder = Folder(out, _manifest(calculated, grid, planned, keep))
    folder.begin()
    finished = folder.finished
    pieces = len(planned.pieces)
    left = (number for number in range(pieces) if number not in finished)
    if len(finished) < pieces and not yes:
        _ask(planned, 1 - len(finished) / pieces, out)
    outcomes = on_cluster(planned, left, scheduler) if scheduler else _here(planned, left)
    done = sum(record["rows"] for record in folder.records()) if finished else 0
    progress(done, planned.rows)
    try:
        for record, columns in outcomes:
            folder.keep(record, columns)
            done += record["rows"]
            progress(done, planned.rows)
        return _finished(folder, planned)
    except (OSError, GoneError) as error:
        why = str(error) if isinstance(error, GoneError) else f"{out} could not be written: {error.strerror or error}"
        kept = f"{len(folder.finished):,} of {len(planned.pieces):,} pieces are kept"
        raise UnfinishedError(f"{why}. {kept}, and the same command goes on from there.") from error


def _manifest(calculated: Scenario, grid: Grid, planned: Plan, keep: str) -> dict[str, Any]:
    axes = [[axis.quantity, *(axis.values or (axis.count, *axis.ends, axis.logarithmic))] for axis in planned.axes]
    return {
        "workbook": calculated.inputs.sha256,
        "grid": {"axes": axes, "base": grid.base, "quantities": list(grid.quantities)},
        "keep": [keep, grid.best, grid.highest, grid.per],
        "version of the engine": __version__,
        "pieces": len(planned.pieces),
    }


def _ask(planned: Plan, share: float, out: Path) -> None:
    """Tries a few rows, and refuses what would take longer than an hour, or more room than there is."""
    rows = round(planned.rows * share)
    if planned.reduction.name == "all":
        needed = rows * (len(planned.axes) + len(planned.graph.outputs)) * _BYTES
        free = shutil.disk_usage(out).free
        if needed > free:
            raise SweepError(
                f"{rows:,} rows take up to {needed / 1e9:,.0f} GB, and the disk of {out} has {free / 1e9:,.0f} GB; "
                "keep best:10 or frontier, or add --yes."
            )
    seconds = estimated_seconds(planned) * share
    if seconds > LONG:
        raise SweepError(
            f"{rows:,} rows would take about {in_words(seconds)} here; make the grid smaller, add machines with "
            "--scheduler, or add --yes."
        )


def estimated_seconds(planned: Plan) -> float:
    """How long the whole grid would take here, by the time of one box of it."""
    box = planned.boxes(planned.pieces[len(planned.pieces) // 2])
    first = next(box)
    planned.answers(first, {})
    begun = time.perf_counter()
    planned.answers(next(box, first), {})
    rows = np.prod([cut.stop - cut.start for cut in first])
    return float((time.perf_counter() - begun) / rows * planned.rows / cores())


def in_words(seconds: float) -> str:
    """A time in the unit that suits it: 40 seconds, 3 hours, 12 years."""
    for unit, length in (("year", 365 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= 2 * length or unit == "second":
            return f"{seconds / length:,.0f} {unit}{'' if round(seconds / length) == 1 else 's'}"
    raise AssertionError


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _here(planned: Plan, left: Iterator[int]) -> Iterator[Outcome]:
    """The pieces on all processors of this machine, as they are done."""
    workers = cores()
    with ThreadPoolExecutor(workers) as pool:
        waiting = set[Future[Outcome]]()
        try:
            while True:
                # A few ahead, so that nobody waits, and no more, so that memory stays bounded.
                for number in left:
                    waiting.add(pool.submit(piece, planned, number))
                    if len(waiting) >= 2 * workers:
                        break
                if not waiting:
                    return
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _finished(folder: Folder, planned: Plan) -> Swept:
    """All pieces together."""
    counts = {"rows": 0, FITS: 0, TARGET: 0}
    for record in folder.records():
        for name in counts:
            counts[name] += record[name]
    result = planned.reduction.result(folder.records())
    kept: dict[str, Any] = {}
    rows = None
    if "row" in result:
        numbers = result.pop("row")
        kept = {"row": numbers, **planned.values_of(numbers), **result}
        rows = parquet(kept, units(planned))
    summary = {**counts, **({planned.reduction.name: result} if result and not kept else {})}
    folder.finish(summary, rows)
    return Swept(kept, summary, planned)

