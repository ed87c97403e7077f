"""Chunks: a graph evaluated with NumPy, on as many rows at once as a cache holds. Knows nothing of what they mean.

What the inner axes do not change is calculated first, for all of the outer ones together, stage by stage, each in
chunks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from engine.fusing.boxes import Boxes, part
from engine.fusing.graph import Branches, Graph, Known, Operation, Program, program, stages

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
    _cut: dict[Any, _Staged] = field(default_factory=dict, init=False, repr=False, compare=False)

    rows = CALL_ROWS

    @cached_property
    def _program(self) -> Program:
        return program(self.graph, _WORTH_A_LOOK)

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
        evaluators, called = self._staged(columns)
        held = dict(columns)
        for axis, evaluator in evaluators:
            held |= evaluator._in_boxes(held, (*shape[: axis + 1], *[1] * (len(shape) - axis - 1)))
        known = {name: np.full([1] * len(shape), value) for name, value in self.graph.known.items()}
        return known | {name: held[step] for name, step in called.items()}

    def _staged(self, columns: Mapping[str, Any]) -> _Staged:
        """An evaluator for each stage, and what it calls each of the wanted quantities."""
        key = tuple(tuple(length > 1 for length in columns[name].shape) for name in self._given)
        if key not in self._cut:
            found, called = stages(self.graph, self.graph.axes(columns))
            self._cut[key] = [(stage.axis, Chunked(stage.graph)) for stage in found], called
        return self._cut[key]

    def _in_boxes(self, columns: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
        answers: dict[str, Any] = {}
        for box in Boxes(shape, CHUNK_ROWS):
            own = {name: part(columns[name], box) for name in self._given}
            for name, values in self.at_once(own, shape).items():
                if name not in answers:
                    answers[name] = np.empty(shape, values.dtype)
                answers[name][box] = values
        return answers

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


# Evaluators of the stages, each with its innermost axis, and what they call the wanted quantities.
_Staged = tuple[list[tuple[int, Chunked]], dict[str, str]]


def _flat(steps: Program) -> list[int]:
    places: list[int] = []
    for item in steps:
        if isinstance(item, Branches):
            # In the order in which they run.
            places += [*_flat(item.otherwise), *_flat(item.then), item.at]
        else:
            places.append(item)
    return places
