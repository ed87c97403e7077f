"""Kernels: a graph as one compiled function, a loop for each axis. Knows NumPy's operations as Python writes them.

Each operation stands in the loop of the innermost axis on which it depends, so that what the outer axes decide is
calculated once for all that the inner ones vary. What depends on a few axes only is a table, made beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.distributions import normal_cumulative, poisson_cumulative, poisson_probability
from engine.fusing.chunks import Chunked
from engine.fusing.graph import Branches, Column, Graph, Known, Operation, Program, program

# Rows at once: enough to hide what a call costs, few enough for the answers to stay in the cache.
CHUNK_ROWS = 1 << 17
# What depends on so few combinations of its axes is calculated once for all of them.
_TABLE_ROWS = 1 << 14
# A side of a choice that costs as many additions is worth a jump.
_WORTH_A_JUMP = 40

_FORMS: Mapping[Any, str] = {
    np.add: "{} + {}",
    np.subtract: "{} - {}",
    np.multiply: "{} * {}",
    np.divide: "{} / {}",
    np.greater: "{} > {}",
    np.greater_equal: "{} >= {}",
    np.less: "{} < {}",
    np.less_equal: "{} <= {}",
    np.negative: "-{}",
    np.where: "chosen({}, {}, {})",
    np.power: "power({}, {})",
    np.maximum: "larger({}, {})",
    np.minimum: "smaller({}, {})",
    np.floor: "floor({})",
    np.ceil: "ceil({})",
    np.sqrt: "sqrt({})",
    np.exp: "exp({})",
    np.log: "log({})",
    np.log2: "log2({})",
    np.cbrt: "cbrt({})",
    np.logical_and: "{} & {}",
    np.logical_or: "{} | {}",
    poisson_probability: "poisson_probability({}, {})",
    poisson_cumulative: "poisson_cumulative({}, {})",
    normal_cumulative: "normal_cumulative({})",
}


@dataclass(frozen=True)
class Kernel:
    """The evaluator that is compiled. Its answers are those of NumPy, within rounding.

    `graph` takes `tables` beside the columns, which are then sliced alike; `axes` says on which axes each depends.
    """

    graph: Graph
    tables: Mapping[str, Any]
    axes: Mapping[str, tuple[int, ...]]
    dimensions: int

    rows = CHUNK_ROWS

    @cached_property
    def _levels(self) -> list[int]:
        """For each step its innermost axis; -1 where it depends on none."""
        found: list[int] = []
        for step in self.graph.steps:
            match step:
                case Column(name):
                    found.append(max(self.axes[name], default=-1))
                case Operation(_, operands):
                    found.append(max(found[operand] for operand in operands))
                case _:
                    found.append(-1)
        return found

    @cached_property
    def source(self) -> str:
        """The function as Python."""
        return "\n".join(_lines(self.graph, self._levels, self.axes, self.dimensions))

    @cached_property
    def _compiled(self) -> Callable[..., None]:
        from engine.fusing.functions import compiled

        return compiled(self.source)

    def fitted(self, name: str, column: Any) -> Any:
        """A column, or a part of it, as the kernel takes it: without the axes that do not change it."""
        return np.ascontiguousarray(column.reshape([column.shape[axis] for axis in self.axes[name]]))

    def __call__(self, columns: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
        """The wanted quantities over a grid of this shape: arrays that broadcast to it. The columns are fitted."""
        answers = [np.empty(shape[: level + 1]) for level in self._written]
        self._compiled(*shape, *(columns[name] for name in self._given), *answers)
        return {
            name: answer.reshape(answer.shape + (1,) * (self.dimensions - answer.ndim))
            for name, answer in zip(self.graph.outputs, answers, strict=True)
        }

    @cached_property
    def _given(self) -> list[str]:
        return list(self.graph.columns)

    @cached_property
    def _written(self) -> list[int]:
        return [self._levels[at] for at in self.graph.outputs.values()]


def kernel(graph: Graph, columns: Mapping[str, Any]) -> Kernel:
    """The kernel of a graph over a grid. `columns` are those of the whole grid; what is tabulated is made of them."""
    dimensions = max(np.ndim(column) for column in columns.values())
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
    return Kernel(rest, tables, {name: own[name] for name in rest.columns}, dimensions)


def _of(graph: Graph, places: Mapping[int, str]) -> Graph:
    """The same graph with these places as its outputs."""
    return Graph(graph.steps, {name: at for at, name in places.items()}).given({})


def _lines(
    graph: Graph, levels: list[int], axes: Mapping[str, tuple[int, ...]], dimensions: int
) -> Iterator[str]:
    given = ", ".join(f"q{at}" for at in graph.columns.values())
    answers = ", ".join(f"o{number}" for number, _ in enumerate(graph.outputs))
    lengths = ", ".join(f"n{axis}" for axis in range(dimensions))
    yield f"def kernel({', '.join(filter(None, (lengths, given, answers)))}):"
    for level in range(-1, dimensions):
        if level >= 0:
            yield "    " * (level + 1) + f"for i{level} in range(n{level}):"
        indent = "    " * (level + 2)
        yield indent + "pass"
        for name, at in graph.columns.items():
            if levels[at] == level:
                index = ", ".join(f"i{axis}" for axis in axes[name])
                yield f"{indent}v{at} = q{at}[{index or '()'}]"
        yield from _written(graph, program(graph, levels, level, _WORTH_A_JUMP), indent)
        for number, at in enumerate(graph.outputs.values()):
            if levels[at] == level:
                index = ", ".join(f"i{axis}" for axis in range(level + 1))
                yield f"{indent}o{number}[{index or '()'}] = {_name(graph, at)}"


def _written(graph: Graph, steps: Program, indent: str) -> Iterator[str]:
    for item in steps:
        at = item.at if isinstance(item, Branches) else item
        step = graph.steps[at]
        assert isinstance(step, Operation)
        names = [_name(graph, operand) for operand in step.operands]
        if isinstance(item, Branches):
            yield f"{indent}if {names[0]}:"
            yield from _written(graph, item.then, indent + "    ")
            yield f"{indent}    v{at} = {names[1]}"
            yield f"{indent}else:"
            yield from _written(graph, item.otherwise, indent + "    ")
            yield f"{indent}    v{at} = {names[2]}"
        elif step.function in _FORMS:
            yield f"{indent}v{at} = {_FORMS[step.function].format(*names)}"
        else:
            raise TypeError(f"{step.function.__name__} has no compiled form")


def _name(graph: Graph, at: int) -> str:
    step = graph.steps[at]
    if not isinstance(step, Known):
        return f"v{at}"
    if isinstance(step.value, str):
        raise TypeError(f"'{step.value}' is text, which a kernel does not give")
    return f"({step.value!r})" if math.isfinite(step.value) else {"nan": "nan", "inf": "inf"}.get(
        repr(step.value), "(-inf)"
    )


