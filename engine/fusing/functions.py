"""Functions: what a kernel calls, compiled, and the compiler itself. The only file that loads numba."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from engine.distributions import MOST_COUNTED

# Division by zero gives what NumPy gives. Nothing is reordered, so that every reading gives the same figure.
_OPTIONS: Any = {"error_model": "numpy", "nogil": True, "fastmath": False}
# Called, not copied to where they are called from: the compiler takes half the time.
_called = njit(inline="never", **_OPTIONS)


@intrinsic
def _chosen(context: Any, condition: Any, then: Any, otherwise: Any) -> Any:
    """One of two values, both of which are there: no jump, so that loops over rows become vector instructions."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(*values)

    return types.float64(types.boolean, types.float64, types.float64), generate


def _extreme(sign: str) -> Any:
    """The larger or smaller of two numbers, or the one that is none, as NumPy has it."""

    @intrinsic
    def extreme(context: Any, one: Any, other: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            first, second = values
            beyond = builder.fcmp_ordered(sign, first, second)
            missing = builder.fcmp_unordered("uno", first, first)
            return builder.select(builder.or_(beyond, missing), first, second)

        return types.float64(types.float64, types.float64), generate

    return extreme


@_called
def _exp(value: float) -> float:
    return math.exp(value)


@_called
def _log(value: float) -> float:
    return np.log(value)


@_called
def _log2(value: float) -> float:
    return np.log2(value)


def _read_as(read: Any, given: Any) -> Any:
    """The same 64 bits, read as another type."""

    @intrinsic
    def bits(context: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.bitcast(values[0], context.get_value_type(read))

        return read(given), generate

    return bits


_bits_of, _number_of = _read_as(types.uint64, types.float64), _read_as(types.float64, types.uint64)


@_called
def _cbrt(value: float) -> float:
    """As FreeBSD's cbrt: a third of the exponent, a polynomial, one step of Newton's; within a rounding of NumPy's.

    The C library's takes three times as long, and half of a step's time goes to cube roots.
    """
    size = abs(value)
    if not 1e-300 < size < math.inf:
        return np.cbrt(value)
    root = _number_of(((_bits_of(size) >> np.uint64(32)) // np.uint64(3) + np.uint64(715094163)) << np.uint64(32))
    rest = root * root * (root / size)
    even = 1.87595182427177009643 + rest * (-1.88497979543377169875 + rest * 1.621429720105354466140)
    root = root * (even + rest * rest * rest * (-0.758397934778766047437 + rest * 0.145996192886612446982))
    # Few enough digits for the square to be exact.
    root = _number_of((_bits_of(root) + np.uint64(0x80000000)) & np.uint64(0xFFFFFFFFC0000000))
    rest = size / (root * root)
    root += root * ((rest - root) / (root + root + rest))
    return math.copysign(root, value)


@_called
def _power(base: float, exponent: float) -> float:
    return base**exponent


@_called
def _probability(count: float, mean: float) -> float:
    whole = math.floor(count)
    if not (mean > 0 and 0 <= whole < MOST_COUNTED + 1):
        return math.nan
    return math.exp(whole * math.log(mean) - mean - math.lgamma(whole + 1))


@_called
def _cumulative(count: float, mean: float) -> float:
    whole = math.floor(count)
    if not (mean > 0 and 0 <= whole < MOST_COUNTED + 1):
        return math.nan
    # From the last term down, each from the one above it.
    term = math.exp(whole * math.log(mean) - mean - math.lgamma(whole + 1))
    total = term
    below = whole
    while below > 0:
        term *= below / mean
        total += term
        below -= 1
    return total


@_called
def _normal(deviations: float) -> float:
    return math.erfc(-deviations / math.sqrt(2)) / 2


_CALLED = {
    "chosen": _chosen,
    "larger": _extreme(">="),
    "smaller": _extreme("<="),
    "floor": np.floor,
    "ceil": np.ceil,
    "sqrt": np.sqrt,
    "exp": _exp,
    "log": _log,
    "log2": _log2,
    "cbrt": _cbrt,
    "power": _power,
    "poisson_probability": _probability,
    "poisson_cumulative": _cumulative,
    "normal_cumulative": _normal,
    "nan": math.nan,
    "inf": math.inf,
}


def compiled(source: str) -> Callable[..., None]:
    """The function of this source, compiled when it is first called."""
    names: dict[str, Any] = dict(_CALLED)
    exec(compile(source, "kernel", "exec"), names)
    return njit(**_OPTIONS)(names["kernel"])
