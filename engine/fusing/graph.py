"""Graph: formulas read as one list of operations, each once. Knows NumPy's operations, not which formulas exist.

Columns are arrays that broadcast against each other; what they broadcast to is the grid, and a dimension of it an
axis. An operation depends on the axes of its operands, and on no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.calculation import behind, in_order
from engine.distributions import normal_cumulative, poisson_cumulative, poisson_probability
from engine.formulas import Formula, needs
from engine.tracing import StandIn
from engine.units import NOT_AVAILABLE

# Roughly what an operation costs, in additions; all others count as one.
COSTS: Mapping[Any, int] = {
    np.divide: 3,
    np.sqrt: 4,
    np.exp: 10,
    np.log: 10,
    np.log2: 10,
    np.cbrt: 15,
    np.power: 40,
    normal_cumulative: 40,
    poisson_probability: 60,
    poisson_cumulative: 200,
}


@dataclass(frozen=True)
class Column:
    """A quantity that is given."""

    name: str


@dataclass(frozen=True)
class Known:
    """A number or a word that is the same in every row."""

    value: Any


@dataclass(frozen=True)
class Operation:
    """What a NumPy function makes of earlier steps, which are given by their places in the list."""

    function: Any
    operands: tuple[int, ...]


Step = Column | Known | Operation


@dataclass(frozen=True)
class Graph:
    """Steps, each after those it takes; `outputs` says at which place each wanted quantity stands."""

    steps: tuple[Step, ...]
    outputs: Mapping[str, int]

    @property
    def columns(self) -> dict[str, int]:
        """The quantities that have to be given, and where they stand."""
        return {step.name: place for place, step in enumerate(self.steps) if isinstance(step, Column)}

    @property
    def known(self) -> dict[str, Any]:
        """The outputs that are the same in every row."""
        steps = {name: self.steps[place] for name, place in self.outputs.items()}
        return {name: step.value for name, step in steps.items() if isinstance(step, Known)}

    def axes(self, columns: Mapping[str, Any]) -> list[frozenset[int]]:
        """For each step the axes that it depends on: the dimensions in which its columns are longer than one."""
        found: list[frozenset[int]] = []
        for step in self.steps:
            match step:
                case Column(name):
                    shape = columns[name].shape
                    found.append(frozenset(axis for axis, length in enumerate(shape) if length > 1))
                case Operation(_, operands):
                    found.append(frozenset().union(*(found[operand] for operand in operands)))
                case _:
                    found.append(frozenset())
        return found

    def given(self, places: Mapping[int, str]) -> Graph:
        """The same with the steps at these places as columns of the given names, and without what only they needed."""
        steps = [Column(places[at]) if at in places else step for at, step in enumerate(self.steps)]
        return _pruned(steps, self.outputs)


class Builder:
    """A list of steps that holds each once. What is known everywhere is calculated at once."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._places: dict[Any, int] = {}

    def column(self, name: str) -> Traced:
        """A quantity that is given, as an operand of formulas."""
        return Traced(self.add(Column(name)), self)

    def graph(self, outputs: Mapping[str, Any]) -> Graph:
        """The steps behind these outcomes of formulas."""
        return _pruned(self.steps, {name: self.place(value) for name, value in outputs.items()})

    def place(self, operand: Any) -> int:
        """Where an operand of a formula stands."""
        if isinstance(operand, Traced):
            return operand.at
        value = operand.item() if isinstance(operand, np.ndarray) else operand
        return self.add(Known(value if isinstance(value, str) else float(value)))

    def add(self, step: Step) -> int:
        # 0 and -0 are equal, and not the same.
        key = step.value.hex() if isinstance(step, Known) and not isinstance(step.value, str) else step
        if key not in self._places:
            self._places[key] = len(self.steps)
            self.steps.append(step)
        return self._places[key]

    def meet(self, function: Any, operands: tuple[int, ...]) -> int:
        """Where the outcome of an operation stands."""
        known = [step.value if isinstance(step, Known) else None for step in (self.steps[at] for at in operands)]
        if None not in known:
            with np.errstate(all="ignore"):
                answer = function(*known)
            return self.add(Known(str(answer) if isinstance(answer.item(), str) else float(answer)))
        first, last = known[0], known[-1]
        match function:
            case np.where if first is not None:
                return operands[1] if first else operands[2]
            case np.logical_and | np.logical_or if first is not None or last is not None:
                value, other = (first, operands[-1]) if first is not None else (last, operands[0])
                return other if bool(value) is (function is np.logical_and) else self.add(Known(float(bool(value))))
            # As NumPy itself does for arrays; and a cube as products, which is a tenth of the time of a power.
            case np.power if last == 1:
                return operands[0]
            case np.power if last == 0.5:
                return self.add(Operation(np.sqrt, operands[:1]))
            case np.power if last in (2, 3):
                square = self.add(Operation(np.multiply, (operands[0], operands[0])))
                return square if last == 2 else self.add(Operation(np.multiply, (square, operands[0])))
            case np.multiply if last == 1:
                return operands[0]
            case np.multiply if first == 1:
                return operands[1]
            case np.divide if last == 1:
                return operands[0]
        return self.add(Operation(function, operands))


@dataclass(frozen=True, eq=False)
class Traced(StandIn):
    """Stands for a step while a formula is read."""

    at: int
    builder: Builder

    @property
    def is_known(self) -> bool:
        """Whether it is the same whatever is given."""
        return isinstance(self.builder.steps[self.at], Known)

    def meet(self, operation: Any, operands: tuple[Any, ...]) -> Traced:
        places = tuple(self.builder.place(operand) for operand in operands)
        return Traced(self.builder.meet(operation, places), self.builder)


def read(
    formulas: Mapping[str, Formula],
    wanted: Iterable[str],
    columns: Mapping[str, Any],
    guards: Mapping[str, str] | None = None,
) -> Graph:
    """The operations behind the wanted quantities when the columns are given.

    A column with one value is known everywhere, and whatever follows from such alone is calculated here, once.
    `guards` names, for a wanted quantity, the flag without which it is not available.
    Errors: KeyError naming the quantity that neither the columns nor the formulas hold.
    """
    wanted, guards, builder = list(wanted), guards or {}, Builder()
    values: dict[str, int] = {}
    for name, column in columns.items():
        is_known = np.size(column) == 1
        values[name] = builder.add(Known(float(np.asarray(column).item())) if is_known else Column(name))
    found = behind([*wanted, *(guards[name] for name in wanted if name in guards)], columns, formulas)
    for name in in_order({name: formulas[name] for name in found}):
        operands = (Traced(values[quantity], builder) for quantity in needs(formulas[name]))
        values[name] = builder.place(formulas[name](*operands))
    outputs = {name: values[name] for name in wanted}
    for name in outputs:
        if name in guards:
            stands = builder.meet(np.greater, (values[guards[name]], builder.add(Known(0.0))))
            outputs[name] = builder.meet(np.where, (stands, outputs[name], builder.add(Known(NOT_AVAILABLE))))
    return _eased(_pruned(builder.steps, outputs), columns)


def _eased(graph: Graph, columns: Mapping[str, Any]) -> Graph:
    """The same with less to do in every row: what an operand makes costly is done where that operand changes.

    A quotient is a product with the reciprocal, and a power an exponential with the logarithm of its base.
    """
    builder, places, axes = Builder(), list[int](), graph.axes(columns)
    for at, step in enumerate(graph.steps):
        if not isinstance(step, Operation):
            places.append(builder.add(step))
            continue
        one, last = step.operands[0], step.operands[-1]
        first, second = places[one], places[last]
        if step.function is np.divide and axes[last] < axes[at]:
            reciprocal = builder.meet(np.divide, (builder.add(Known(1.0)), second))
            places.append(builder.add(Operation(np.multiply, (first, reciprocal))))
        elif step.function is np.power and axes[one] < axes[at]:
            above = builder.meet(np.greater, (first, builder.add(Known(0.0))))
            exponent = builder.add(Operation(np.multiply, (second, builder.meet(np.log, (first,)))))
            power = builder.add(Operation(np.power, (first, second)))
            places.append(builder.meet(np.where, (above, builder.add(Operation(np.exp, (exponent,))), power)))
        else:
            places.append(builder.add(Operation(step.function, tuple(places[operand] for operand in step.operands))))
    return _pruned(builder.steps, {name: places[at] for name, at in graph.outputs.items()})


def _pruned(steps: Sequence[Step], outputs: Mapping[str, int]) -> Graph:
    """Only the steps behind the outputs."""
    used, open_ = set[int](), list(outputs.values())
    while open_:
        at = open_.pop()
        step = steps[at]
        if at not in used and isinstance(step, Operation):
            open_ += step.operands
        used.add(at)
    places = {at: place for place, at in enumerate(sorted(used))}
    kept = (steps[at] for at in places)
    moved = (
        Operation(step.function, tuple(places[at] for at in step.operands)) if isinstance(step, Operation) else step
        for step in kept
    )
    return Graph(tuple(moved), {name: places[at] for name, at in outputs.items()})


@dataclass(frozen=True)
class Stage:
    """The operations whose innermost axis is this one. They take what the stages before have left for them."""

    axis: int
    graph: Graph


def stages(graph: Graph, axes: Sequence[frozenset[int]]) -> tuple[list[Stage], dict[str, str]]:
    """The stages of a graph, outermost axis first, and what each output that is not known is called there.

    `axes` has those of each step. So what outer axes decide is calculated once for all that the inner ones vary.
    """
    level = [max(own, default=0) for own in axes]
    asked = set(graph.outputs.values())
    for at, step in enumerate(graph.steps):
        if isinstance(step, Operation):
            asked.update(operand for operand in step.operands if level[operand] < level[at])
    names = {at: f"step {at}" for at in sorted(asked) if isinstance(graph.steps[at], Operation)}
    found = []
    for axis in sorted({level[at] for at in names}):
        before = {at: name for at, name in names.items() if level[at] < axis}
        own = {name: at for at, name in names.items() if level[at] == axis}
        found.append(Stage(axis, Graph(graph.steps, own).given(before)))
    names |= {at: name for name, at in graph.columns.items()}
    return found, {name: names[at] for name, at in graph.outputs.items() if at in names}


@dataclass(frozen=True)
class Branches:
    """A choice whose sides are calculated only where some row takes them: where it stands, and what lies in each."""

    at: int
    then: tuple[int | Branches, ...]
    otherwise: tuple[int | Branches, ...]


Program = tuple["int | Branches", ...]


def program(graph: Graph, worth: int) -> Program:
    """The operations in order, those that only one side of a choice needs within that side.

    A side that costs less than `worth` additions is not set apart.
    """
    sides = _sides(graph)
    costs: dict[tuple[int, int], int] = {}
    for at, path in sides.items():
        step = graph.steps[at]
        cost = COSTS.get(step.function, 1) if isinstance(step, Operation) else 0
        for side in path:
            costs[side] = costs.get(side, 0) + cost
    paths = {at: tuple(side for side in path if costs[side] >= worth) for at, path in sides.items()}
    return _nested(sorted(paths), paths, ())


def _sides(graph: Graph) -> dict[int, tuple[tuple[int, int], ...]]:
    """For each operation, within which sides of which choices all its uses lie, outermost first."""
    paths: dict[int, tuple[tuple[int, int], ...]] = dict.fromkeys(graph.outputs.values(), ())
    found: dict[int, tuple[tuple[int, int], ...]] = {}
    for at in range(len(graph.steps) - 1, -1, -1):
        step = graph.steps[at]
        if not isinstance(step, Operation):
            continue
        found[at] = own = paths[at]
        for number, operand in enumerate(step.operands):
            use = (*own, (at, number)) if step.function is np.where and number else own
            paths[operand] = _common(paths[operand], use) if operand in paths else use
    return found


def _common(
    one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]
) -> tuple[tuple[int, int], ...]:
    length = next((n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    return one[: min(len(one), len(other)) if length is None else length]


def _nested(places: Sequence[int], paths: Mapping[int, tuple[tuple[int, int], ...]], within: Any) -> Program:
    """The operations whose choices begin with `within`, each choice that has sides with what lies in them."""
    depth, items = len(within), []
    inner = {paths[at][depth] for at in places if len(paths[at]) > depth}
    for at in places:
        if len(paths[at]) > depth:
            continue
        sides = [
            _nested([p for p in places if paths[p][depth : depth + 1] == ((at, side),)], paths, (*within, (at, side)))
            if (at, side) in inner
            else ()
            for side in (1, 2)
        ]
        items.append(Branches(at, *sides) if any(sides) else at)
    return tuple(items)
