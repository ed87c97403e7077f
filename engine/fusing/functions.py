"""Functions: what a kernel calls, compiled, and the compiler itself. The only file that loads numba."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from engine.distributions import MOST_COUNTED

# Division by zero gives what NumPy gives. Nothing is reordered, so that every reading gives the same figure.
_OPTIONS = {"error_model": "numpy", "nogil": True, "fastmath": False}
_inlined = njit(inline="never", **_OPTIONS)


@_inlined
def _larger(one: float, other: float) -> float:
    return one if one >= other or one != one else other


@_inlined
def _smaller(one: float, other: float) -> float:
    return one if one <= other or one != one else other


@_inlined
def _probability(count: float, mean: float) -> float:
    whole = math.floor(count)
    if not (mean > 0 and 0 <= whole < MOST_COUNTED + 1):
        return math.nan
    return math.exp(whole * math.log(mean) - mean - math.lgamma(whole + 1))


@_inlined
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


@_inlined
def _normal(deviations: float) -> float:
    return math.erfc(-deviations / math.sqrt(2)) / 2


_CALLED = {
    "larger": _larger,
    "smaller": _smaller,
    "floor": np.floor,
    "ceil": np.ceil,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "log2": np.log2,
    "cbrt": np.cbrt,
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
    return njit(**_OPTIONS)(names["kernel"])  # type: ignore[no-any-return]
