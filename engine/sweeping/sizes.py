"""Sizes: how figures are distributed over the rows that fit, counted by their size: quantiles, and a histogram.

A count has as many places as there are sizes told apart, however many rows there are, and counts of pieces add up in
any order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.sweeping.counts import Answers, Record, add_counts, piece_rows
from engine.sweeping.grid import FITS, TARGET

# A number's sign, exponent and first six binary digits: values that share them differ by less than 1.6 %.
_KEPT_BITS, _DROPPED_BITS = 18, 46


def _uncounted() -> Any:
    return np.zeros(1 << _KEPT_BITS, np.int64)


def _known(values: Any) -> Any:
    """Those that are figures, without a negative zero."""
    values = np.ascontiguousarray(values)
    return values[np.isfinite(values)] + 0.0


def _counted(known: Any, repeated: int) -> Any:
    """How many figures there are of each size, each of them in so many rows."""
    sizes = (known.view(np.uint64) >> np.uint64(_DROPPED_BITS)).view(np.int64)
    return np.bincount(sizes.reshape(-1), minlength=1 << _KEPT_BITS) * repeated


def _sparse(counts: Any) -> list[list[int]]:
    """The sizes that occur, and how often, as plain values."""
    sizes = np.flatnonzero(counts)
    return [sizes.tolist(), counts[sizes].tolist()]


def _add(counts: Any, sparse: list[list[int]]) -> None:
    """Adds the counts of a record, which may have none."""
    sizes, found = (np.array(values, np.int64) for values in sparse)
    counts[sizes] += found


def _middles(sizes: Any) -> Any:
    """The middle of each size."""
    lower = (sizes.astype(np.uint64) << np.uint64(_DROPPED_BITS)).view(np.float64)
    upper = ((sizes + 1).astype(np.uint64) << np.uint64(_DROPPED_BITS)).view(np.float64)
    return np.where(lower == 0, 0.0, (lower + upper) / 2)


@dataclass(frozen=True)
class Quantiles:
    """How each quantity is distributed over the rows that fit: counts by size, and from them quantiles within 1 %."""

    quantities: tuple[str, ...]

    name = "quantiles"

    def piece_rows(self, rows: int) -> int:
        return piece_rows(rows)

    def start(self) -> dict[str, Any]:
        return {"counts": {name: _uncounted() for name in self.quantities}, FITS: 0, TARGET: 0}

    def take(self, state: dict[str, Any], answers: Answers, shape: tuple[int, ...], first: int) -> None:
        add_counts(state, answers, shape)
        for name in self.quantities:
            repeated = math.prod(shape) // np.size(answers[name])
            state["counts"][name] += _counted(_known(answers[name]), repeated)

    def record(self, state: dict[str, Any]) -> dict[str, Any]:
        counts = {name: _sparse(found) for name, found in state["counts"].items()}
        return {"counts": counts, FITS: state[FITS], TARGET: state[TARGET]}

    def result(self, records: Iterable[Record]) -> dict[str, Any]:
        counts = self.start()["counts"]
        for record in records:
            for name, found in record["counts"].items():
                _add(counts[name], found)
        return {name: _quantiles(found) for name, found in counts.items()}


QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def _quantiles(counts: Any) -> dict[str, float]:
    """Quantiles of values that were counted by their size; none where there are none."""
    sizes = np.flatnonzero(counts)
    if not len(sizes):
        return {}
    middle = _middles(sizes)
    order = np.argsort(middle)
    passed = np.cumsum(counts[sizes][order]) / counts.sum()
    return {f"{share:g}": float(middle[order][np.searchsorted(passed, share)]) for share in QUANTILES}


@dataclass(frozen=True)
class Histogram:
    """How many rows of those that fit lie in each of some bins of one quantity, from its lowest figure to its highest.

    Where a grid's figures end is known only at the end, so the bins are put together from sizes: the counts are exact,
    and an edge lies within 1 % of where bins of one width would have it. Bins narrower than that are fewer.
    """

    quantity: str
    bins: int

    name = "histogram"

    def piece_rows(self, rows: int) -> int:
        return piece_rows(rows)

    def start(self) -> dict[str, Any]:
        return {"counts": _uncounted(), "ends": (math.inf, -math.inf), FITS: 0, TARGET: 0}

    def take(self, state: dict[str, Any], answers: Answers, shape: tuple[int, ...], first: int) -> None:
        add_counts(state, answers, shape)
        known = _known(answers[self.quantity])
        if known.size:
            state["counts"] += _counted(known, math.prod(shape) // np.size(answers[self.quantity]))
            state["ends"] = _wider(state["ends"], (float(known.min()), float(known.max())))

    def record(self, state: dict[str, Any]) -> dict[str, Any]:
        # Without a figure there are no ends, which JSON could not hold.
        ends = list(state["ends"]) if state["counts"].any() else []
        return {"counts": _sparse(state["counts"]), "ends": ends, FITS: state[FITS], TARGET: state[TARGET]}

    def result(self, records: Iterable[Record]) -> dict[str, Any]:
        counts, ends = _uncounted(), (math.inf, -math.inf)
        for record in records:
            _add(counts, record["counts"])
            if record["ends"]:
                ends = _wider(ends, tuple(record["ends"]))
        return {"quantity": self.quantity, **_binned(counts, ends, self.bins)}


def _wider(ends: tuple[float, float], other: tuple[float, ...]) -> tuple[float, float]:
    return min(ends[0], other[0]), max(ends[1], other[1])


def _binned(counts: Any, ends: tuple[float, float], bins: int) -> dict[str, list[float]]:
    """Edges of bins, one more than there are bins, and how many rows lie in each; none where there are no figures."""
    sizes = np.flatnonzero(counts)
    if not len(sizes):
        return {"edges": [], "counts": []}
    low, high = ends
    even = _nearest(np.linspace(low, high, bins + 1)[1:-1])
    inner = np.unique(even[(even > low) & (even < high)])
    places = np.searchsorted(inner, _middles(sizes))
    found = np.bincount(places, weights=counts[sizes], minlength=len(inner) + 1)
    return {"edges": [low, *inner.tolist(), high], "counts": found.astype(np.int64).tolist()}


def _nearest(values: Any) -> Any:
    """For each value the nearest at which one size ends and the next begins."""
    half = np.uint64(1 << (_DROPPED_BITS - 1))
    nearest = (np.abs(values).view(np.uint64) + half) >> np.uint64(_DROPPED_BITS) << np.uint64(_DROPPED_BITS)
    return np.copysign(nearest.view(np.float64), values) + 0.0
