"""Kernels: a graph compiled, stage by stage, for a grid. Knows nothing of machine code, nor of what a quantity means.

What depends on a few axes only is a table, made beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.fusing.chunks import Chunked
from engine.fusing.graph import Graph, Operation, Stage, stages

# Rows at once: enough to hide what a call costs, few enough for the answers to stay in the cache.
CHUNK_ROWS = 1 << 18
# What depends on so few combinations of its axes is calculated once for all of them.
_TABLE_ROWS = 1 << 14


@dataclass(frozen=True)
class Kernel:
    """The evaluator that is compiled. Its answers are those of NumPy, within rounding.

    `graph` takes `tables` beside the columns, which are then sliced alike; `axes` says on which axes each depends.
    `called` is what the stages call the wanted quantities.
    """

    graph: Graph
    tables: Mapping[str, Any]
    axes: Mapping[str, tuple[int, ...]]
    stages: Sequence[Stage]
    called: Mapping[str, str]

    rows = CHUNK_ROWS

    @cached_property
    def _compiled(self) -> list[Callable[[tuple[int, ...], list[Any]], list[Any]]]:
        from engine.fusing.compiling import compiled

        axes = {name: range(stage.axis + 1) for stage in self.stages for name in stage.graph.outputs} | dict(self.axes)
        return [compiled(stage.graph, axes, stage.axis + 1) for stage in self.stages]

    def fitted(self, name: str, column: Any) -> Any:
        """A column, or a part of it, as the kernel takes it: without the axes that do not change it."""
        return np.ascontiguousarray(column.reshape([column.shape[axis] for axis in self.axes[name]]), dtype=float)

    def __call__(self, columns: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
        """The wanted quantities over a grid of this shape: arrays that broadcast to it. The columns are fitted."""
        held = dict(columns)
        for stage, run in zip(self.stages, self._compiled, strict=True):
            answers = run(shape[: stage.axis + 1], [held[name] for name in stage.graph.columns])
            held.update(zip(stage.graph.outputs, answers, strict=True))
        found = {name: np.full([1] * len(shape), value) for name, value in self.graph.known.items()}
        for name, step in self.called.items():
            own = self.axes.get(step, range(held[step].ndim))
            found[name] = held[step].reshape([n if axis in own else 1 for axis, n in enumerate(shape)])
        return found


def kernel(graph: Graph, columns: Mapping[str, Any]) -> Kernel:
    """The kernel of a graph over a grid. `columns` are those of the whole grid; what is tabulated is made of them."""
    axes = graph.axes(columns)
    lengths = np.broadcast_shapes(*(np.shape(column) for column in columns.values()))
    rows = [math.prod(lengths[axis] for axis in own) for own in axes]
    everything = math.prod(lengths)
    small = {at for at, count in enumerate(rows) if count <= _TABLE_ROWS and count < everything}
    asked = {
        operand
        for at, step in enumerate(graph.steps)
        if isinstance(step, Operation) and at not in small
        for operand in step.operands
    } | set(graph.outputs.values())
    tabled = {at: f"table {at}" for at in asked & small if isinstance(graph.steps[at], Operation)}
    made = Chunked(_of(graph, tabled)).at_once(columns, lengths)
    tables = {name: made[name] for name in tabled.values()}
    rest = graph.given(tabled)
    own = {name: tuple(sorted(axes[at])) for at, name in tabled.items()}
    own |= {name: tuple(sorted(axes[at])) for name, at in graph.columns.items()}
    found, called = stages(rest, rest.axes({**columns, **tables}))
    return Kernel(rest, tables, {name: own[name] for name in rest.columns}, found, called)


def _of(graph: Graph, places: Mapping[int, str]) -> Graph:
    """The same graph with these places as its outputs."""
    return Graph(graph.steps, {name: at for at, name in places.items()}).given({})
