"""Reductions: what is kept of a grid's rows as they are calculated. Knows numbers of rows, not what they stand for.

A reduction takes answers box by box in the order of the rows, gives a record of each piece as plain values, and makes
one result of all records. Where several rows are equal the first is kept, so that the pieces may come in any order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from engine.sweeping.grid import COST, FITS, SPEED, TARGET, Axis, Grid

Answers = Mapping[str, Any]
Record = Mapping[str, Any]

MOST_PIECES = 10_000
MOST_BEST = 10_000
_SHARE_OF_ALL, _LARGEST_PIECE, _LARGEST_FILE = 200, 1 << 26, 1 << 20


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


def _piece_rows(rows: int) -> int:
    """A two-hundredth of the grid, or so much that there are not too many pieces."""
    return max(1 << 18, min(rows // _SHARE_OF_ALL, _LARGEST_PIECE), rows // MOST_PIECES)


def _count(state: dict[str, Any], answers: Answers, shape: tuple[int, ...]) -> None:
    """Counts the rows that fit, and of those the ones that keep the promised speed."""
    for name in (FITS, TARGET):
        flags = answers[name]
        state[name] += int(np.count_nonzero(flags > 0)) * (math.prod(shape) // flags.size)


# More than rounding a figure moves it.
_MARGIN = 1e-9


def told_apart(values: Any) -> Any:
    """Numbers rounded to 32 binary digits, ten of ours, because equal figures may differ in the digits behind."""
    bits = np.ascontiguousarray(values).view(np.int64)
    return ((bits + (1 << 19)) >> 20 << 20).view(np.float64)


def _plain(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values.tolist() for name, values in table.items()}


def _joined(records: Iterable[Record], names: Sequence[str]) -> dict[str, Any]:
    tables = [record["kept"] for record in records]
    kinds = {"row": np.int64}
    return {
        name: np.concatenate([np.array(table[name], dtype=kinds.get(name, float)) for table in tables])
        for name in names
    }


def _taken(answers: Answers, names: Iterable[str], shape: tuple[int, ...], places: Any) -> dict[str, Any]:
    """These quantities at some places of a box."""
    index = np.unravel_index(places, shape)
    return {name: np.broadcast_to(answers[name], shape)[index] for name in names}


@dataclass(frozen=True)
class Best:
    """The `most` rows of the lowest figure, or of the highest, of those that fit and keep the promised speed.

    So many for each value of one axis where `group` is given: the axis, how many rows share a value without a break,
    and how many values there are.
    """

    most: int
    by: str
    highest: bool
    quantities: tuple[str, ...]
    group: tuple[int, int, int] = (0, 0, 1)

    name = "best"

    def piece_rows(self, rows: int) -> int:
        return _piece_rows(rows)

    def start(self) -> dict[str, Any]:
        return {"kept": _none(self.quantities), "worst": np.full(self.group[2], np.inf), FITS: 0, TARGET: 0}

    def take(self, state: dict[str, Any], answers: Answers, shape: tuple[int, ...], first: int) -> None:
        _count(state, answers, shape)
        axis, step, count = self.group
        if not self._may_be_better(state["worst"], answers, shape, first).any():
            return
        ranked = np.where(answers[TARGET] > 0, self._ranked(answers), np.inf)
        deep = max(_depth(ranked), axis + 1 if step else 0)
        ranked = _down_to(ranked, shape, deep)
        groups = np.moveaxis(ranked, axis, 0) if step else ranked[np.newaxis]
        # The rows of a group in their order, each for those within it that do not differ.
        alike = math.prod(shape[deep:])
        begun = first // step % count if step else 0
        for number, own in enumerate(groups):
            if not (own < state["worst"][begun + number]).any():
                continue
            at = _lowest(own.reshape(-1), self.most)
            inner = math.prod(shape[axis + 1 : deep]) if step else 1
            at = (at // inner * shape[axis] + number) * inner + at % inner if step else at
            places = (at[:, np.newaxis] * alike + np.arange(min(alike, self.most))).reshape(-1)
            found = {"row": places + first, **_taken(answers, self.quantities, shape, places)}
            self._keep(state, [state["kept"], found])

    def _may_be_better(self, worst: Any, answers: Answers, shape: tuple[int, ...], first: int) -> Any:
        """Where a row may be better than the worst that is kept, at a glance: most boxes have none."""
        axis, step, count = self.group
        if step:
            begun = first // step % count
            lengths = [-1 if other == axis else 1 for other in range(len(shape))]
            worst = worst[begun : begun + shape[axis]].reshape(lengths)
        bound = worst + abs(worst) * _MARGIN
        figures = answers[self.by]
        return ((figures > -bound) if self.highest else (figures < bound)) & (answers[TARGET] > 0)

    def _ranked(self, answers: Answers) -> Any:
        """Figures of which the lowest are the best; what has none comes last."""
        figures = -answers[self.by] if self.highest else answers[self.by]
        return np.where(figures == figures, told_apart(figures), np.inf)

    def _keep(self, state: dict[str, Any], tables: Sequence[Mapping[str, Any]]) -> None:
        both = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
        ranked = self._ranked(both)
        _, step, count = self.group
        groups = both["row"] // step % count if step else np.zeros(len(ranked), int)
        order = np.lexsort((both["row"], ranked, groups))
        # A row's place within its group.
        starts = np.searchsorted(groups[order], np.arange(count))
        within = np.arange(len(order)) - starts[groups[order]]
        kept = order[within < self.most]
        state["kept"] = {name: values[kept] for name, values in both.items()}
        for group in range(count):
            own = ranked[kept][groups[kept] == group]
            state["worst"][group] = own[-1] if len(own) == self.most else np.inf

    def record(self, state: dict[str, Any]) -> dict[str, Any]:
        return {"kept": _plain(state["kept"]), FITS: state[FITS], TARGET: state[TARGET]}

    def result(self, records: Iterable[Record]) -> dict[str, Any]:
        state = self.start()
        for record in records:
            self._keep(state, [state["kept"], _joined([record], list(state["kept"]))])
        return dict(state["kept"])


def _lowest(values: Any, most: int) -> Any:
    """Places of so many of the lowest values, the first of those that are equal; infinite ones are none."""
    limit = np.partition(values, most - 1)[most - 1] if len(values) > most else np.inf
    below = np.flatnonzero(values < limit)
    equal = np.flatnonzero(values == limit)[: most - len(below)] if limit < np.inf else below[:0]
    return np.concatenate([below, equal])


def _none(quantities: Sequence[str]) -> dict[str, Any]:
    return {"row": np.empty(0, np.int64), **{name: np.empty(0) for name in quantities}}


@dataclass(frozen=True)
class Frontier:
    """The rows that no other beats in cost and in speed, of those that fit."""

    quantities: tuple[str, ...]

    name = "frontier"

    def piece_rows(self, rows: int) -> int:
        return _piece_rows(rows)

    def start(self) -> dict[str, Any]:
        return {"kept": _none(self.quantities), FITS: 0, TARGET: 0}

    def take(self, state: dict[str, Any], answers: Answers, shape: tuple[int, ...], first: int) -> None:
        _count(state, answers, shape)
        deep, whole = _depth(answers[SPEED]), max(_depth(answers[SPEED]), _depth(answers[COST]))
        speeds = _down_to(answers[SPEED], shape, deep).reshape(-1)
        cost = _down_to(answers[COST], shape, whole)
        # Of rows that share their speed only the cheapest can stay.
        alike = cost.reshape(len(speeds), -1)
        lowest = np.fmin.reduce(alike, axis=1)
        lowest = np.where(lowest == lowest, told_apart(lowest), np.inf)
        # Those of what is kept stand in order: each dearer than the last, and faster.
        kept = state["kept"]
        at = np.searchsorted(told_apart(kept[COST]), lowest, side="right") - 1
        fastest = np.concatenate([told_apart(kept[SPEED]), [-np.inf]])[at]
        ahead = np.flatnonzero((told_apart(speeds) > fastest) & (lowest < np.inf))
        if len(ahead):
            # Of those that share both the first.
            found = alike[ahead]
            cheapest = np.where(found == found, told_apart(found), np.inf).argmin(axis=1)
            places = (ahead * alike.shape[1] + cheapest) * math.prod(shape[whole:])
            self._keep(state, {"row": places + first, **_taken(answers, self.quantities, shape, places)})

    def _keep(self, state: dict[str, Any], found: Mapping[str, Any]) -> None:
        both = {name: np.concatenate([values, found[name]]) for name, values in state["kept"].items()}
        order = np.lexsort((both["row"], -told_apart(both[SPEED]), told_apart(both[COST])))
        speeds = told_apart(both[SPEED])[order]
        before = np.concatenate([[-np.inf], np.maximum.accumulate(speeds)[:-1]])
        state["kept"] = {name: values[order[speeds > before]] for name, values in both.items()}

    def record(self, state: dict[str, Any]) -> dict[str, Any]:
        return {"kept": _plain(state["kept"]), FITS: state[FITS], TARGET: state[TARGET]}

    def result(self, records: Iterable[Record]) -> dict[str, Any]:
        state = self.start()
        for record in records:
            self._keep(state, _joined([record], list(state["kept"])))
        return dict(state["kept"])


def _depth(values: Any) -> int:
    """How many axes there are up to the innermost that changes anything."""
    return max((axis + 1 for axis, length in enumerate(values.shape) if length > 1), default=0)


def _down_to(values: Any, shape: tuple[int, ...], deep: int) -> Any:
    """The values in every row of the outer axes, and in the first of those within them."""
    return np.broadcast_to(values, (*shape[:deep], *[1] * (len(shape) - deep)))


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
        _count(state, answers, shape)
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
        return _piece_rows(rows)

    def start(self) -> dict[str, Any]:
        counts = {name: np.zeros(1 << _KEPT_BITS, np.int64) for name in self.quantities}
        return {"counts": counts, FITS: 0, TARGET: 0}

    def take(self, state: dict[str, Any], answers: Answers, shape: tuple[int, ...], first: int) -> None:
        _count(state, answers, shape)
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
