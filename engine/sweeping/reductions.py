"""Reductions: what is kept of a grid's rows as they are calculated. Knows numbers of rows, not what they stand for.

A reduction takes answers box by box in the order of the rows, gives a record of each piece as plain values, and makes
one result of all records.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from engine.sweeping.counts import Answers, Record, add_counts
from engine.sweeping.grid import COST, FITS, TARGET, Axis, Grid
from engine.sweeping.ranking import Best, Frontier
from engine.sweeping.sizes import Histogram, Quantiles

MOST_BEST = 10_000
MOST_BINS = 1_000
_LARGEST_FILE = 1 << 20


class Reduction(Protocol):
    """What is kept of the rows."""

    @property
    def name(self) -> str: ...

    def piece_rows(self, rows: int) -> int:
        """How many rows a piece of the grid has at most."""

    def start(self) -> dict[str, Any]:
        """Nothing yet."""

    def take(self, state: dict[str, Any], answers: Answers, shape: tuple[int, ...], first: int) -> None:
        """Adds the rows of a box of this shape, numbered from `first`."""

    def record(self, state: dict[str, Any]) -> dict[str, Any]:
        """What was kept, as plain values."""

    def result(self, records: Iterable[Record]) -> dict[str, Any]:
        """What is kept of all pieces."""


@dataclass(frozen=True)
class All:
    """Every row, one file for each piece."""

    quantities: tuple[str, ...]

    name = "all"

    def piece_rows(self, rows: int) -> int:
        return _LARGEST_FILE

    def start(self) -> dict[str, Any]:
        return {"boxes": [], "row": 0, FITS: 0, TARGET: 0}

    def take(self, state: dict[str, Any], answers: Answers, shape: tuple[int, ...], first: int) -> None:
        add_counts(state, answers, shape)
        if not state["boxes"]:
            state["row"] = first
        state["boxes"].append({name: np.broadcast_to(answers[name], shape).reshape(-1) for name in self.quantities})

    def record(self, state: dict[str, Any]) -> dict[str, Any]:
        columns = {name: np.concatenate([box[name] for box in state["boxes"]]) for name in self.quantities}
        rows = np.arange(len(columns[COST]), dtype=np.int64) + state["row"]
        return {"columns": {"row": rows, **columns}, FITS: state[FITS], TARGET: state[TARGET]}

    def result(self, records: Iterable[Record]) -> dict[str, Any]:
        return {}


def reduction(keep: str, grid: Grid, axes: Sequence[Axis]) -> Reduction:
    """What `--keep` asks for, of a grid whose rows are numbered along these axes.

    Errors: ValueError with a sentence where it is not understood.
    """
    kind, _, count = keep.partition(":")
    if kind == "best" and (count or "10").isdigit() and 0 < int(count or "10") <= MOST_BEST:
        names = [axis.quantity for axis in axes]
        number = names.index(grid.per) if grid.per else 0
        step = math.prod(len(axis) for axis in axes[number + 1 :]) if grid.per else 0
        values = len(axes[number]) if grid.per else 1
        return Best(int(count or "10"), grid.best, grid.highest, grid.quantities, (number, step, values))
    if kind == Histogram.name:
        return _histogram(keep, count, grid)
    kinds: dict[str, Callable[[tuple[str, ...]], Reduction]] = {
        kind.name: kind for kind in (Frontier, All, Quantiles)
    }
    if keep not in kinds:
        allowed = f"best:10 (at most best:{MOST_BEST}), frontier, quantiles, histogram:{COST}:20 or all"
        raise ValueError(f"'{keep}' is nothing to keep; write {allowed}")
    return kinds[keep](grid.quantities)


def _histogram(keep: str, said: str, grid: Grid) -> Histogram:
    quantity, _, bins = said.partition(":")
    if quantity not in grid.quantities:
        known = f"this grid has {', '.join(grid.quantities)}"
        raise ValueError(f"'{keep}' counts '{quantity}'; {known}. Name one of them, or add it to quantities")
    if not (bins.isdecimal() and 0 < int(bins) <= MOST_BINS):
        raise ValueError(f"'{keep}' has '{bins}' bins; allowed is 1 to {MOST_BINS:,}. Write histogram:{quantity}:20")
    return Histogram(quantity, int(bins))
