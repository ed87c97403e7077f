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

from engine.sweeping.counts import Answers, Record, add_counts, piece_rows
from engine.sweeping.grid import COST, FITS, TARGET, Axis, Grid
from engine.sweeping.ranking import Best, Frontier

MOST_BEST = 10_000
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


# A number's sign, exponent and first six binary digits: values that share them differ by less than 1.6 %.
_KEPT_BITS, _DROPPED_BITS = 18, 46


@dataclass(frozen=True)
class Quantiles:
    """How each quantity is distributed over the rows that fit: counts by size, and from them quantiles within 1 %."""

    quantities: tuple[str, ...]

    name = "quantiles"

    def piece_rows(self, rows: int) -> int:
        return piece_rows(rows)

    def start(self) -> dict[str, Any]:
        counts = {name: np.zeros(1 << _KEPT_BITS, np.int64) for name in self.quantities}
        return {"counts": counts, FITS: 0, TARGET: 0}

    def take(self, state: dict[str, Any], answers: Answers, shape: tuple[int, ...], first: int) -> None:
        add_counts(state, answers, shape)
        for name in self.quantities:
            values = np.ascontiguousarray(answers[name])
            known = values[np.isfinite(values)] + 0.0  # no negative zero
            sizes = (known.view(np.uint64) >> np.uint64(_DROPPED_BITS)).view(np.int64)
            repeated = math.prod(shape) // values.size
            state["counts"][name] += np.bincount(sizes.reshape(-1), minlength=1 << _KEPT_BITS) * repeated

    def record(self, state: dict[str, Any]) -> dict[str, Any]:
        counts = {}
        for name, found in state["counts"].items():
            sizes = np.flatnonzero(found)
            counts[name] = [sizes.tolist(), found[sizes].tolist()]
        return {"counts": counts, FITS: state[FITS], TARGET: state[TARGET]}

    def result(self, records: Iterable[Record]) -> dict[str, Any]:
        counts = self.start()["counts"]
        for record in records:
            for name, (sizes, found) in record["counts"].items():
                counts[name][sizes] += found
        return {name: _quantiles(found) for name, found in counts.items()}


QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def _quantiles(counts: Any) -> dict[str, float]:
    """Quantiles of values that were counted by their size; none where there are none."""
    sizes = np.flatnonzero(counts)
    if not len(sizes):
        return {}
    lower = (sizes.astype(np.uint64) << np.uint64(_DROPPED_BITS)).view(np.float64)
    upper = ((sizes + 1).astype(np.uint64) << np.uint64(_DROPPED_BITS)).view(np.float64)
    middle = np.where(lower == 0, 0.0, (lower + upper) / 2)
    order = np.argsort(middle)
    passed = np.cumsum(counts[sizes][order]) / counts.sum()
    return {f"{share:g}": float(middle[order][np.searchsorted(passed, share)]) for share in QUANTILES}


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
    kinds: dict[str, Callable[[tuple[str, ...]], Reduction]] = {
        kind.name: kind for kind in (Frontier, All, Quantiles)
    }
    if keep not in kinds:
        allowed = f"best:10 (at most best:{MOST_BEST}), frontier, quantiles or all"
        raise ValueError(f"'{keep}' is nothing to keep; write {allowed}")
    return kinds[keep](grid.quantities)
