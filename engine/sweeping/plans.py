"""Plans: a grid in pieces, each calculated by itself, and the numbers of its rows. Knows no file and no scheduler.

The most expensive axes stand outermost, so that what they decide is calculated once for all values of the others. Rows
are numbered in that order, and a piece is a run of rows; which values a row has follows from its number.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from engine.calculation import Columns, depending_on
from engine.formulas import FORMULAS
from engine.fusing.boxes import Box, Boxes
from engine.fusing.chunks import Chunked
from engine.fusing.graph import COSTS, Graph, Operation, read
from engine.fusing.kernels import Kernel, kernel
from engine.scenarios import Scenario
from engine.sweeping.grid import FITS, Axis, Grid, GridError
from engine.sweeping.reductions import Reduction, reduction
from engine.sweeping.rows import columns_of
from engine.workbook.problems import Problem

# Grids smaller than this are done before a kernel is compiled.
WORTH_COMPILING = 1 << 22
_LOCK = Lock()
_WHOLE = slice(None)

@dataclass
class Plan:
    """All that one piece needs: the operations, the columns, and what is kept. It can be sent to another machine.

    `axes` are in the order in which rows are numbered.
    """

    axes: tuple[Axis, ...]
    graph: Graph
    columns: Columns
    reduction: Reduction
    piece_rows: int
    compiles: bool = True
    _evaluator: Chunked | Kernel | None = field(default=None, repr=False)
    _axes: dict[str, tuple[int, ...]] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # What is compiled stays where it was compiled.
        return {**self.__dict__, "_evaluator": None, "_axes": {}}

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(axis) for axis in self.axes)

    @property
    def rows(self) -> int:
        return math.prod(self.shape)

    @property
    def pieces(self) -> Boxes:
        return Boxes(self.shape, self.piece_rows)

    @property
    def evaluator(self) -> Chunked | Kernel:
        """The kernel where LLVM is installed and the grid is worth compiling one, else NumPy in chunks."""
        with _LOCK:
            if self._evaluator is None:
                found = importlib.util.find_spec("llvmlite") is not None
                is_kernel = self.compiles and found and self.rows >= WORTH_COMPILING
                self._evaluator = kernel(self.graph, self.columns) if is_kernel else Chunked(self.graph)
            return self._evaluator

    def answers(self, box: Box, held: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
        """The wanted quantities in a box: arrays that broadcast to it. `held` keeps what boxes share."""
        evaluator = self.evaluator
        ends = [(cut.start, cut.stop) for cut in box]
        columns = {}
        for name, axes in self._axes_of(evaluator).items():
            here = [ends[axis] for axis in axes]
            if name not in held or held[name][0] != here:
                held[name] = here, evaluator.fitted(name, self._within(name, axes, box, evaluator))
            columns[name] = held[name][1]
        return evaluator(columns, tuple(cut.stop - cut.start for cut in box))

    def _axes_of(self, evaluator: Chunked | Kernel) -> dict[str, tuple[int, ...]]:
        """The axes that each column depends on."""
        if not self._axes:
            shapes = {name: self._whole(name, evaluator).shape for name in evaluator.graph.columns}
            found = {name: [axis for axis, length in enumerate(shape) if length > 1] for name, shape in shapes.items()}
            self._axes = {name: tuple(axes) for name, axes in found.items()}
        return self._axes

    def _whole(self, name: str, evaluator: Chunked | Kernel) -> Any:
        tables = evaluator.tables if isinstance(evaluator, Kernel) else {}
        return tables[name] if name in tables else self.columns[name]

    def _within(self, name: str, axes: tuple[int, ...], box: Box, evaluator: Chunked | Kernel) -> Any:
        """The part of a column that lies in a box; of a range calculated by place."""
        index = [_WHOLE] * len(box)
        for axis in axes:
            index[axis] = box[axis]
        if len(axes) == 1 and self.axes[axes[0]].quantity == name and not self.axes[axes[0]].values:
            numbers = self.axes[axes[0]].numbers(box[axes[0]].start, box[axes[0]].stop)
            return numbers.reshape([-1 if axis in axes else 1 for axis in range(len(box))])
        return self._whole(name, evaluator)[tuple(index)]

    def values_of(self, rows: Any) -> dict[str, Any]:
        """The values along each axis of rows given by their numbers, as places for names."""
        places = np.unravel_index(np.asarray(rows, dtype=np.int64), self.shape)
        return {axis.quantity: _at(axis, place) for axis, place in zip(self.axes, places, strict=True)}

    def boxes(self, piece: Box) -> Iterator[Box]:
        """A piece in boxes of as many rows as the evaluator takes at once."""
        for box in Boxes(tuple(cut.stop - cut.start for cut in piece), self.evaluator.rows):
            yield tuple(
                slice(outer.start + cut.start, outer.start + cut.stop) for outer, cut in zip(piece, box, strict=True)
            )

    def calculate(self, number: int) -> dict[str, Any]:
        """What is kept of one piece, as plain values, and of how many rows."""
        piece = self.pieces[number]
        state, rows = self.reduction.start(), 0
        held: dict[str, tuple[Any, Any]] = {}
        for box in self.boxes(piece):
            shape = tuple(cut.stop - cut.start for cut in box)
            first = int(np.ravel_multi_index([cut.start for cut in box], self.shape))
            self.reduction.take(state, self.answers(box, held), shape, first)
            rows += math.prod(shape)
        return {"piece": number, "rows": rows, **self.reduction.record(state)}


def _at(axis: Axis, places: Any) -> Any:
    if axis.is_text:
        return np.array(axis.values)[places]
    if axis.values:
        return np.array(axis.values, dtype=float)[places]
    return np.array([axis.numbers(int(place), int(place) + 1)[0] for place in np.ravel(places)])


def plan(scenario: Scenario, grid: Grid, keep: str) -> Plan:
    """The plan of a grid: its operations, with the axes that cost most outermost, and what is kept.

    Errors: ValueError with a sentence where `keep` is not understood; GridError where an axis changes nothing.
    """
    columns = columns_of(scenario, grid)
    guarded = depending_on("batch_size")
    wanted = [*dict.fromkeys((*grid.quantities, FITS))]
    graph = read(FORMULAS, wanted, columns, {name: FITS for name in wanted if name in guarded})
    _depended_on(graph, columns, grid)
    order = _order(graph, columns, len(grid.axes))
    axes = tuple(grid.axes[number] for number in order)
    turned = {name: np.transpose(columns[name], order) for name in graph.columns}
    kept = reduction(keep, grid, axes)
    return Plan(axes, graph, turned, kept, kept.piece_rows(grid.rows))


def _depended_on(graph: Graph, columns: Mapping[str, Any], grid: Grid) -> None:
    """Refuses axes that would only repeat rows."""
    touched = frozenset[int]().union(*graph.axes(columns))
    idle = [axis for number, axis in enumerate(grid.axes) if len(axis) > 1 and number not in touched]
    if idle:
        advice = "Leave it out, or name a figure that does below [results]."
        said = [Problem(axis.quantity, "", "nothing that is kept depends on it", "", advice) for axis in idle]
        raise GridError(said)


def _order(graph: Graph, columns: Mapping[str, Any], dimensions: int) -> Sequence[int]:
    """The axes, those first on which the most expensive operations depend."""
    costs = [0] * dimensions
    for step, axes in zip(graph.steps, graph.axes(columns), strict=True):
        if isinstance(step, Operation):
            for axis in axes:
                costs[axis] += COSTS.get(step.function, 1)
    return sorted(range(dimensions), key=lambda axis: -costs[axis])
