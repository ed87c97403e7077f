"""The unit algebra: runs a formula on stand-ins that know only their dimension, and cancels. For tests only."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.distributions import normal_cumulative, poisson_cumulative, poisson_probability
from engine.formulas import Formula, needs
from engine.tracing import StandIn
from engine.units import Constant

Dimension = dict[str, float]
OF_PURE_NUMBERS = {
    *(np.exp, np.log, np.log2, np.logical_and, np.logical_or),
    *(normal_cumulative, poisson_cumulative, poisson_probability),
}


class UnitError(AssertionError):
    """Two quantities met that cannot be added, compared or raised."""


def parse(text: str) -> Dimension:
    """`$/M*token` is dollars over millions over tokens: everything behind a slash divides until the next slash."""
    powers: Counter[str] = Counter()
    for index, part in enumerate(text.split("/")):
        for symbol in part.split("*"):
            if symbol not in ("", "1"):
                powers[symbol] += 1 if index == 0 else -1
    return {symbol: power for symbol, power in powers.items() if power}


def _product(left: Dimension, right: Dimension, sign: int) -> Dimension:
    powers = Counter(left)
    for symbol, power in right.items():
        powers[symbol] += sign * power
    return {symbol: power for symbol, power in powers.items() if power}


@dataclass(eq=False)
class Measured(StandIn):
    """A quantity of which only the dimension is known; `free` fits any (a literal zero, text, or nothing)."""

    dimension: Dimension
    free: bool = False
    exponent: float | None = None

    def meet(self, operation: Any, operands: tuple[Any, ...]) -> "Measured":
        parts = [_measured(operand) for operand in operands]
        if operation is np.multiply:
            return Measured(_product(parts[0].dimension, parts[1].dimension, 1))
        if operation is np.divide:
            return Measured(_product(parts[0].dimension, parts[1].dimension, -1))
        if operation in (np.add, np.subtract, np.maximum, np.minimum):
            return _alike(operation, *parts)
        if operation in (np.greater, np.greater_equal, np.less, np.less_equal):
            _alike(operation, *parts)
            return Measured({})
        if operation in (np.floor, np.ceil, np.negative):
            return parts[0]
        if operation is np.cbrt:
            return self._power(parts[0], Measured({}, exponent=1 / 3))
        if operation in OF_PURE_NUMBERS:
            return _alike(operation, Measured({}), *parts)
        if operation is np.power:
            return self._power(parts[0], parts[1])
        if operation is np.where:
            return _alike(operation, parts[1], parts[2])
        raise UnitError(f"no unit rule for {operation}")

    def _power(self, base: "Measured", exponent: "Measured") -> "Measured":
        _alike(np.power, Measured({}), exponent)
        if exponent.exponent is not None:
            return Measured({symbol: round(power * exponent.exponent, 9) for symbol, power in base.dimension.items()})
        return _alike(np.power, Measured({}), base)


def _measured(operand: Any) -> Measured:
    if isinstance(operand, Measured):
        return operand
    if isinstance(operand, Constant):
        return Measured(parse(operand.unit))
    if isinstance(operand, str):
        return Measured({}, free=True)
    return Measured({}, free=operand == 0 or operand != operand, exponent=float(operand))


def _alike(operation: Any, *parts: Measured) -> Measured:
    fixed = [part for part in parts if not part.free]
    if any(part.dimension != fixed[0].dimension for part in fixed):
        raise UnitError(f"{operation.__name__} of {' and '.join(str(part.dimension) for part in parts)}")
    return Measured(fixed[0].dimension) if fixed else parts[0]


def dimension_of(formula: Formula, dimensions: dict[str, str]) -> Dimension:
    """What a formula gives when its quantities have these dimensions. Errors: UnitError where they do not fit."""
    result = formula(*(Measured(parse(dimensions[quantity])) for quantity in needs(formula)))
    return _measured(result).dimension
