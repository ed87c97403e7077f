"""Ranking: the best rows of a grid, and those that no other beats in cost and in speed.

Where several rows are equal the first is kept, so that the pieces may come in any order. Knows numbers of rows, not
what they stand for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.sweeping.counts import Answers, Record, add_counts, piece_rows
from engine.sweeping.grid import COST, FITS, SPEED, TARGET

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
    """The `most` rows of the lowest figure, or of the highest, of those that fit and keep what is promised.

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
        return piece_rows(rows)

    def start(self) -> dict[str, Any]:
        return {"kept": _none(self.quantities), "worst": np.full(self.group[2], np.inf), FITS: 0, TARGET: 0}

    def take(self, state: dict[str, Any], answers: Answers, shape: tuple[int, ...], first: int) -> None:
        add_counts(state, answers, shape)
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


# One row of so many is looked at first: a prime, so that they are of all places along every axis.
_FEW = 61


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
        return piece_rows(rows)

    def start(self) -> dict[str, Any]:
        return {"kept": _none(self.quantities), FITS: 0, TARGET: 0}

    def take(self, state: dict[str, Any], answers: Answers, shape: tuple[int, ...], first: int) -> None:
        add_counts(state, answers, shape)
        deep, whole = _depth(answers[SPEED]), max(_depth(answers[SPEED]), _depth(answers[COST]))
        speeds = _down_to(answers[SPEED], shape, deep).reshape(-1)
        cost = _down_to(answers[COST], shape, whole)
        # Of rows that share their speed only the cheapest can stay.
        alike = cost.reshape(len(speeds), -1)
        lowest = np.fmin.reduce(alike, axis=1)
        lowest = np.where(lowest == lowest, told_apart(lowest), np.inf)
        told = told_apart(speeds)
        # A few rows first: what they beat, which is most, need not be put in order.
        for step in (_FEW, 1):
            ahead = self._ahead(state["kept"], lowest[::step], told[::step]) * step
            if len(ahead):
                # Of those that share both the first.
                found = alike[ahead]
                cheapest = np.where(found == found, told_apart(found), np.inf).argmin(axis=1)
                places = (ahead * alike.shape[1] + cheapest) * math.prod(shape[whole:])
                self._keep(state, {"row": places + first, **_taken(answers, self.quantities, shape, places)})

    def _ahead(self, kept: Mapping[str, Any], costs: Any, speeds: Any) -> Any:
        """Places of those that nothing kept beats. Equals are among them, because the first of these is to stay."""
        # Those of what is kept stand in order: each dearer than the last, and faster.
        at = np.searchsorted(told_apart(kept[COST]), costs, side="right") - 1
        cheaper = np.concatenate([told_apart(kept[COST]), [-np.inf]])[at]
        fastest = np.concatenate([told_apart(kept[SPEED]), [-np.inf]])[at]
        equal = (speeds == fastest) & (costs == cheaper)
        return np.flatnonzero(((speeds > fastest) | equal) & (costs < np.inf))

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
