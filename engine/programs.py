"""Programs: formulas read once and run over many draws, in chunks that stay in the cache. Knows no quantity.

A formula that is called on `Deferred` operands leaves the operations it would have done, and what does not depend on
them is calculated at once; so is the choice of a branch whose condition is known. What is left is run draw by draw.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.tracing import StandIn

CHUNK = 16384  # draws at once: an array of them takes 128 kB
Array = NDArray[np.float64]
_PRODUCTS = (2, 3)  # powers
# One operand decides these, whatever the other is.
_DECIDED: dict[Any, bool] = {np.logical_and: False, np.logical_or: True}


class Deferred(StandIn):
    """A quantity that is known only with the draws: an operation on operands; without one, something drawn itself."""

    __hash__ = object.__hash__

    def __init__(self, operation: Callable[..., Any] | None = None, operands: tuple[Any, ...] = ()) -> None:
        self.operation, self.operands = operation, operands

    def meet(self, operation: Any, operands: tuple[Any, ...]) -> Any:
        if operation is np.where and not isinstance(operands[0], Deferred):
            return operands[1] if operands[0] else operands[2]
        if any(_is(each, _DECIDED.get(operation)) for each in operands):
            return _DECIDED[operation]
        if operation is np.power and not isinstance(operands[1], Deferred) and operands[1] in _PRODUCTS:
            # As products, which take a tenth of the time of a power.
            return reduce(operator.mul, operands[:1] * int(operands[1]))
        return Deferred(operation, operands)


def _is(operand: Any, known: Any) -> bool:
    return known is not None and not isinstance(operand, Deferred) and bool(operand) is known


class Program:
    """What it takes to calculate some quantities from what is drawn; a quantity may also be a plain number.

    `faster` names functions that give the same as others in less time.
    """

    def __init__(self, outcomes: Sequence[Any], faster: Mapping[Any, Any] = MappingProxyType({})) -> None:
        nodes = list(_in_order(outcomes))
        places = {id(node): place for place, node in enumerate(nodes)}
        self._fixed: list[Any] = []

        def place_of(operand: Any) -> int:
            if isinstance(operand, Deferred):
                return places[id(operand)]
            self._fixed.append(operand)
            return len(nodes) + len(self._fixed) - 1

        steps = [
            (place, faster.get(node.operation, node.operation), [place_of(operand) for operand in node.operands])
            for place, node in enumerate(nodes)
            if node.operation
        ]
        self._outcomes = [place_of(outcome) for outcome in outcomes]
        self.drawn = tuple(node for node in nodes if not node.operation)
        self._drawn = [places[id(node)] for node in self.drawn]
        last = {used: number for number, (_, _, operands) in enumerate(steps) for used in operands}
        kept = {*self._outcomes, *range(len(nodes), len(nodes) + len(self._fixed))}
        dead: list[list[int]] = [[] for _ in steps]
        for used, number in last.items():
            if used not in kept:
                dead[number].append(used)
        self._steps = [(*step, over) for step, over in zip(steps, dead, strict=True)]
        self._size = len(nodes)

    def run(self, given: Mapping[Deferred, Array], count: int) -> list[Array]:
        """Every outcome, one value per draw; `given` has `count` values of everything that is drawn."""
        results = [np.empty(count) for _ in self._outcomes]
        columns = [given[node] for node in self.drawn]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for start in range(0, count, CHUNK):
                part = slice(start, min(start + CHUNK, count))
                values = self._values([column[part] for column in columns])
                for result, place in zip(results, self._outcomes, strict=True):
                    result[part] = values[place]
        return results

    def _values(self, drawn: Sequence[Array]) -> list[Any]:
        values: list[Any] = [None] * self._size + self._fixed
        for place, column in zip(self._drawn, drawn, strict=True):
            values[place] = column
        for place, operation, operands, dead in self._steps:
            values[place] = operation(*[values[operand] for operand in operands])
            for over in dead:
                values[over] = None  # its memory is taken again while it is still in the cache
        return values


def _in_order(outcomes: Sequence[Any]) -> Iterator[Deferred]:
    """Everything deferred that the outcomes need, each after its operands."""
    done: set[int] = set()
    open_ = [(outcome, False) for outcome in reversed(outcomes)]
    while open_:
        node, ready = open_.pop()
        if not isinstance(node, Deferred) or id(node) in done:
            continue
        if ready:
            done.add(id(node))
            yield node
        else:
            open_.append((node, True))
            open_ += [(operand, False) for operand in node.operands]
