"""The command sweep, and how its progress and outcome are told. Knows no formula and no file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.commands.exits import INVALID, NOT_DONE, REFUSED

if TYPE_CHECKING:
    from engine.sweeping.running import Swept

_KEEP = "best:10, frontier, quantiles, histogram:COLUMN:BINS, or all rows."
_SHOWN = 10
_BINS_SHOWN, _BAR = 40, 30


def sweep(
    workbook: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The input workbook.")],
    grid: Annotated[Path, typer.Option("--grid", exists=True, dir_okay=False, help="What is varied, as TOML.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for what is kept; a stopped sweep goes on there.")],
    keep: Annotated[str, typer.Option("--keep", help=_KEEP)] = "best:10",
    scheduler: Annotated[str, typer.Option(help="A Dask scheduler whose workers calculate, tcp://HOST:PORT.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it although it takes hours, or fills the disk.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what went wrong.")] = False,
) -> None:
    """Calculate every combination of a grid's values, and keep the best, the frontier, a distribution or all."""
    from engine.sweeping.folder import SweepError, UnfinishedError
    from engine.sweeping.grid import GridError
    from engine.sweeping.running import sweep as swept

    codes: dict[type[Exception], int] = {GridError: INVALID, SweepError: REFUSED, UnfinishedError: NOT_DONE}
    begun = time.monotonic()
    try:
        with _told(quiet) as progress:
            outcome = swept(workbook, grid, out, keep, scheduler=scheduler, yes=yes, progress=progress)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    except tuple(codes) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(codes[type(error)]) from None
    except KeyboardInterrupt:
        print("Stopped. What is finished is kept, and the same command goes on from there.", file=sys.stderr)
        raise typer.Exit(NOT_DONE) from None
    if not quiet:
        print(*_lines(outcome, time.monotonic() - begun), f"Written: {out}", sep="\n")


@contextmanager
def _told(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A function to be told how many rows of how many are done: one line that changes, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, rows: None
        return
    first: list[tuple[float, int]] = []

    def progress(done: int, rows: int) -> None:
        now = time.monotonic()
        if not first:
            first.append((now, done))
        seconds, counted = now - first[0][0], done - first[0][1]
        speed = counted / seconds if seconds > 0 else 0.0
        left = f", {(rows - done) / speed:,.0f} s left" if speed else ""
        told = f"{done / rows:6.1%} of {rows:,} rows, {speed / 1e6:,.1f} M rows/s{left}"
        print(f"\r{told}\x1b[K", end="", file=sys.stderr)

    try:
        yield progress
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _lines(outcome: Swept, seconds: float) -> Iterator[str]:
    counts = outcome.summary
    yield (
        f"{counts['rows']:,} rows in {seconds:,.1f} s: {counts['fits']:,} fit, "
        f"{counts['meets_target']:,} of them keep what is promised."
    )
    for name, found in counts.get("quantiles", {}).items():
        yield f"{name}: " + ", ".join(f"{float(share):.0%} {value:.4g}" for share, value in found.items())
    if "histogram" in counts:
        yield from _bins(counts["histogram"])
    names = [name for name in outcome.kept if name != "row"]
    if names and not len(outcome.kept["row"]):
        yield "No row is kept: none fits and keeps what is promised."
    elif names:
        table = [names, *([_cell(outcome.kept[name][row]) for name in names] for row in range(_shown(outcome)))]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for line in table:
            yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        if len(outcome.kept["row"]) > _SHOWN:
            yield f"and {len(outcome.kept['row']) - _SHOWN:,} more"


def _bins(found: Mapping[str, Any]) -> Iterator[str]:
    """A line for each bin, with a bar; no more than a screen of them."""
    edges, counts = found["edges"], found["counts"]
    if not counts:
        yield "No row is counted: none fits."
    for place, count in enumerate(counts[:_BINS_SHOWN]):
        bar = "#" * round(_BAR * count / max(counts))
        yield f"{found['quantity']} {edges[place]:.4g} to {edges[place + 1]:.4g}: {count:,} {bar}".rstrip()
    if len(counts) > _BINS_SHOWN:
        yield f"and {len(counts) - _BINS_SHOWN:,} bins more"


def _shown(outcome: Swept) -> int:
    return min(_SHOWN, len(outcome.kept["row"]))


def _cell(value: object) -> str:
    return str(value) if isinstance(value, str) else f"{value:.6g}"
