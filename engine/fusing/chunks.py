"""Chunks: a graph evaluated with NumPy, on as many rows at once as a cache holds. Knows nothing of what they mean.

What the inner axes do not change is calculated first, for all of the outer ones together; then come the rows, chunk by
chunk.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from engine.fusing.boxes import Boxes, part
from engine.fusing.graph import Branches, Graph, Known, Operation, Program, program

# Rows at once: few enough for the values between to stay in a core's cache, enough to hide what a call costs.
CHUNK_ROWS = 1 << 14
# Rows of one call: enough outer ones to hide what calls cost there too.
CALL_ROWS = 1 << 18
# A side of a choice that costs as many additions is looked at before it is calculated.
_WORTH_A_LOOK = 12


@dataclass(frozen=True)
class Chunked:
    """The evaluator that needs nothing but NumPy."""

    graph: Graph
    _cut: dict[Any, tuple[Chunked, Chunked]] = field(default_factory=dict, init=False, repr=False, compare=False)

    rows = CALL_ROWS

    @cached_property
    def _program(self) -> Program:
        return program(self.graph, [0] * len(self.graph.steps), 0, _WORTH_A_LOOK)

    @cached_property
    def _freed(self) -> dict[int, list[int]]:
        """After which step which others are no longer needed."""
        last: dict[int, int] = {}
        for at in _flat(self._program):
            step = self.graph.steps[at]
            assert isinstance(step, Operation)
            last.update(dict.fromkeys(step.operands, at))
        freed: dict[int, list[int]] = {}
        kept = set(self.graph.outputs.values())
        for place, at in last.items():
            if place not in kept:
                freed.setdefault(at, []).append(place)
        return freed

    def fitted(self, name: str, column: Any) -> Any:
        """A column, or a part of it, as it is taken here: as it is."""
        return column

    def __call__(self, columns: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
        """The wanted quantities over a grid of this shape: arrays that broadcast to it."""
        if math.prod(shape) <= CHUNK_ROWS:
            return self.at_once(columns, shape)
        # As many inner axes as a chunk holds whole; the innermost, where it holds none.
        inner = next((axis for axis in range(len(shape)) if math.prod(shape[axis:]) <= CHUNK_ROWS), len(shape) - 1)
        outer, rest = self._split(columns, inner)
        columns = dict(columns) | outer(columns, (*shape[:inner], *[1] * (len(shape) - inner)))
        answers: dict[str, Any] = {}
        for box in Boxes(shape, CHUNK_ROWS):
            own = {name: part(columns[name], box) for name in rest.graph.columns}
            for name, values in rest.at_once(own, tuple(cut.stop - cut.start for cut in box)).items():
                if name not in answers:
                    answers[name] = np.empty(shape, values.dtype)
                answers[name][box] = values
        return {
            name: columns[f"step {at}"] if name not in answers else answers[name]
            for name, at in self.graph.outputs.items()
        }

    def _split(self, columns: Mapping[str, Any], inner: int) -> tuple[Chunked, Chunked]:
        """What the axes from `inner` on do not change, and what is left, which takes that as its columns."""
        changed = (any(length > 1 for length in columns[name].shape[inner:]) for name in self._given)
        key = (inner, *changed)
        if key not in self._cut:
            axes = self.graph.axes(columns)
            before = {at for at, own in enumerate(axes) if max(own, default=-1) < inner}
            asked = set(self.graph.outputs.values())
            for at, step in enumerate(self.graph.steps):
                if isinstance(step, Operation) and at not in before:
                    asked.update(step.operands)
            kept = {at: f"step {at}" for at in asked & before if isinstance(self.graph.steps[at], Operation)}
            first = Graph(self.graph.steps, {name: at for at, name in kept.items()}).given({})
            left = {name: at for name, at in self.graph.outputs.items() if at not in kept}
            self._cut[key] = Chunked(first), Chunked(Graph(self.graph.steps, left).given(kept))
        return self._cut[key]

    def at_once(self, columns: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
        """The same without chunks; each answer is as long as the axes that it depends on."""
        values = {at: columns[name] for name, at in self._given.items()}
        values |= self._known
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            self._run(self._program, values)
        ones = (1,) * len(shape)
        return {name: np.asarray(values[at]).reshape(np.shape(values[at]) or ones) for name, at in self._outputs}

    @cached_property
    def _given(self) -> dict[str, int]:
        return self.graph.columns

    @cached_property
    def _known(self) -> dict[int, Any]:
        return {at: step.value for at, step in enumerate(self.graph.steps) if isinstance(step, Known)}

    @cached_property
    def _outputs(self) -> list[tuple[str, int]]:
        return list(self.graph.outputs.items())

    def _run(self, steps: Program, values: dict[int, Any]) -> None:
        for item in steps:
            at = item.at if isinstance(item, Branches) else item
            step = self.graph.steps[at]
            assert isinstance(step, Operation)
            if isinstance(item, Branches):
                values[at] = self._chosen(item, step.operands, values)
            else:
                values[at] = step.function(*[values[operand] for operand in step.operands])
            for place in self._freed.get(at, ()):
                values.pop(place, None)

    def _chosen(self, choice: Branches, operands: tuple[int, ...], values: dict[int, Any]) -> Any:
        """One side where all rows take it, and both where some take the one and some the other."""
        condition, then, otherwise = operands
        taken = np.asarray(values[condition])
        if not taken.all():
            self._run(choice.otherwise, values)
            if not taken.any():
                return values[otherwise]
        self._run(choice.then, values)
        return values[then] if taken.all() else np.where(taken, values[then], values[otherwise])


def _flat(steps: Program) -> list[int]:
    places: list[int] = []
    for item in steps:
        if isinstance(item, Branches):
            # In the order in which they run.
            places += [*_flat(item.otherwise), *_flat(item.then), item.at]
        else:
            places.append(item)
    return places
