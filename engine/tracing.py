"""Tracing: reads a formula instead of running it. Knows how NumPy's operations are written, not which formulas exist.

A formula called on stand-ins instead of columns writes itself: as an Excel formula, or as text for people, depending
on the style and on what `name_of` calls each quantity. This is the one clever file; without it no number changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from engine.distributions import normal_cumulative, poisson_cumulative, poisson_probability
from engine.formulas import Formula, needs
from engine.units import MINUS, Constant


class StandIn(NDArrayOperatorsMixin):
    """Takes the place of a column. Subclasses say in `meet` what an operation gives."""

    def meet(self, operation: Any, operands: tuple[Any, ...]) -> Any:
        raise NotImplementedError

    def __array_ufunc__(self, operation: Any, method: str, *operands: Any, **options: Any) -> Any:
        return self.meet(operation, operands)

    def __array_function__(self, function: Any, types: Any, operands: tuple[Any, ...], options: Any) -> Any:
        return self.meet(function, operands)

    def __bool__(self) -> bool:
        raise TypeError("a formula cannot branch on a quantity; use np.where, np.minimum or np.maximum")


@dataclass(frozen=True)
class Style:
    """How operations are written: infix signs with their binding strength, and the names of functions."""

    infix: dict[Any, tuple[str, int]]
    functions: dict[Any, str]
    power: Callable[[str, str], str]
    text: Callable[[str], str]
    number: Callable[[float], str]
    nothing: str
    minus: str


# Binding strength: a part is put in parentheses where it binds more weakly than its place asks for.
COMPARED, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value)).upper()


def _readable(value: float) -> str:
    text = f"{value:,.0f}" if value == int(value) else f"{value:g}"
    return text.replace("-", MINUS)


_COMPARISONS = {
    np.greater: (">", COMPARED),
    np.greater_equal: (">=", COMPARED),
    np.less: ("<", COMPARED),
    np.less_equal: ("<=", COMPARED),
}

# Only functions that Excel has had since 2007. INT rounds down also below zero, as np.floor does. In Excel the sign
# binds more strongly than the power, and powers associate to the left: both are written with parentheses.
EXCEL = Style(
    infix={
        np.add: ("+", SUM),
        np.subtract: ("-", SUM),
        np.multiply: ("*", PRODUCT),
        np.divide: ("/", PRODUCT),
        **_COMPARISONS,
    },
    functions={
        np.maximum: "MAX({},{})",
        np.minimum: "MIN({},{})",
        np.floor: "INT({})",
        np.ceil: "-INT(-({}))",
        np.exp: "EXP({})",
        np.log: "LN({})",
        np.log2: "LOG({},2)",
        np.cbrt: "SIGN({0})*ABS({0})^(1/3)",
        np.where: "IF({},{},{})",
        np.logical_and: "AND({},{})",
        np.logical_or: "OR({},{})",
        poisson_probability: "POISSON({},{},FALSE)",
        poisson_cumulative: "POISSON({},{},TRUE)",
        normal_cumulative: "NORMSDIST({})",
    },
    power=lambda base, exponent: f"{base}^{exponent}",
    text=lambda text: '"' + text.replace('"', '""') + '"',
    number=_plain,
    nothing='""',
    minus="-",
)

# Those that Excel needs more than a call for.
_FUNCTION_STRENGTH = {np.ceil: SIGN, np.cbrt: PRODUCT}

WORDS = Style(
    infix={
        np.add: (" + ", SUM),
        np.subtract: (f" {MINUS} ", SUM),
        np.multiply: (" \u00d7 ", PRODUCT),
        np.divide: (" \u00f7 ", PRODUCT),
        np.greater: (" > ", COMPARED),
        np.greater_equal: (" \u2265 ", COMPARED),
        np.less: (" < ", COMPARED),
        np.less_equal: (" \u2264 ", COMPARED),
    },
    functions={
        np.maximum: "max({}, {})",
        np.minimum: "min({}, {})",
        np.floor: "round down({})",
        np.ceil: "round up({})",
        np.exp: "exp({})",
        np.log: "ln({})",
        np.log2: "log2({})",
        np.cbrt: "cube root({})",
        np.where: "(if {}: {}, else {})",
        np.logical_and: "({} and {})",
        np.logical_or: "({} or {})",
        poisson_probability: "Poisson({}, mean {})",
        poisson_cumulative: "Poisson up to({}, mean {})",
        normal_cumulative: "normal up to({})",
    },
    power=lambda base, exponent: f"{base}^{exponent}",
    text=lambda text: f"\u2018{text}\u2019" if text else "nothing",
    number=_readable,
    nothing="not available",
    minus=MINUS,
)


@dataclass(frozen=True, eq=False)
class Written(StandIn):
    """A piece of text that stands for a quantity or for what operations made of some."""

    text: str
    strength: int
    style: Style

    def meet(self, operation: Any, operands: tuple[Any, ...]) -> Written:
        parts = [self._part(operand) for operand in operands]
        style = self.style
        if operation in style.infix:
            sign, strength = style.infix[operation]
            left, right = parts
            # Multiplying by a conversion of one changes the unit and not the number: nothing to write.
            if operation in (np.multiply, np.divide) and _is_one(operands[1]):
                return left
            if operation is np.multiply and _is_one(operands[0]):
                return right
            # Subtraction and division do not associate: an equally strong right side needs its parentheses. Sums and
            # products keep theirs too, because floating point does not associate either.
            return Written(left.at(strength) + sign + right.at(strength + 1), strength, style)
        if operation is np.power:
            base, exponent = parts
            return Written(style.power(base.at(ATOM), exponent.at(ATOM)), POWER, style)
        if operation is np.negative:
            return Written(style.minus + parts[0].at(ATOM), SIGN, style)
        if operation in style.functions:
            text = style.functions[operation].format(*(part.text for part in parts))
            return Written(text, _FUNCTION_STRENGTH.get(operation, ATOM) if style is EXCEL else ATOM, style)
        raise TypeError(
            f"{getattr(operation, '__name__', operation)} has no {'Excel' if style is EXCEL else 'plain'} form"
        )

    def at(self, strength: int) -> str:
        """The text as part of something that binds with this strength."""
        return self.text if self.strength >= strength else f"({self.text})"

    def _part(self, operand: Any) -> Written:
        if isinstance(operand, Written):
            return operand
        if isinstance(operand, str):
            return Written(self.style.text(operand), ATOM, self.style)
        value = float(operand)
        if math.isnan(value):
            return Written(self.style.nothing, ATOM, self.style)
        return Written(self.style.number(value), ATOM if value >= 0 else SIGN, self.style)


def _is_one(operand: Any) -> bool:
    return isinstance(operand, Constant) and float(operand) == 1


def written(formula: Formula, name_of: Callable[[str], str], style: Style = WORDS) -> str:
    """The formula as text. `name_of` gives what stands for each quantity: a cell, a label, a value with its unit.

    Errors: TypeError where the formula uses an operation that the style cannot write, or branches on a quantity.
    """
    result = formula(*(Written(name_of(quantity), ATOM, style) for quantity in needs(formula)))
    return result.text if isinstance(result, Written) else Written("", ATOM, style)._part(result).text
