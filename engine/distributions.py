"""Distributions: the three functions that waiting needs, that Excel has and NumPy has not. Knows nothing of the engine.

A stand-in for a column answers them as it answers NumPy's own functions (NumPy's `__array_function__` protocol), so a
formula that uses them can still be written as text.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

# Beyond this count waiting.py has a form with the normal distribution, and spreadsheets differ from each other.
MOST_COUNTED = 100
# Above this mean there is no probability left for any of these counts.
MOST_EXPECTED = 10_000
LOG_FACTORIALS = np.cumsum(np.log(np.maximum(np.arange(MOST_COUNTED + 1), 1)))


def _answerable(compute: Callable[..., Any]) -> Callable[..., Any]:
    """The function, answered by the first operand that takes the place of an array."""

    @wraps(compute)
    def call(*operands: Any) -> Any:
        for operand in operands:
            if hasattr(operand, "__array_function__") and not isinstance(operand, np.ndarray | np.generic):
                return operand.__array_function__(call, (type(operand),), operands, {})
        return compute(*operands)

    return call


def _where_known(count: Any, mean: Any, compute: Callable[[Any, Any], Any]) -> Any:
    """The answers for whole counts and means, worked out only where there is one; elsewhere NaN."""
    count, mean = np.broadcast_arrays(np.floor(count), mean)
    known = (mean > 0) & (count >= 0) & (count < MOST_COUNTED + 1)
    answers = np.full(count.shape, np.nan)
    answers[known] = compute(count[known].astype(int), mean[known])
    return answers


def _probability(count: Any, mean: Any) -> Any:
    return np.exp(count * np.log(mean) - mean - LOG_FACTORIALS[count])


@_answerable
def poisson_probability(count: Any, mean: Any) -> Any:
    """Probability of just this count, rounded down; NaN below 0, above MOST_COUNTED, or without a mean."""
    return _where_known(count, mean, _probability)


@_answerable
def poisson_cumulative(count: Any, mean: Any) -> Any:
    """Probability of at most this count, rounded down; NaN below 0, above MOST_COUNTED, or without a mean."""

    def cumulative(count: Any, mean: Any) -> Any:
        # Each term from the one before it; the largest counts first, so that those with a term left stand together.
        order = np.argsort(-count.astype(np.int16), kind="stable")
        left = np.bincount(count)[::-1].cumsum()[::-1]
        mean, half = np.minimum(mean[order], MOST_EXPECTED), np.exp(-mean / 2)
        term, total, answers = np.ones(len(mean)), np.ones(len(mean)), np.empty(len(mean))
        for below in range(1, len(left)):
            term[: left[below]] *= mean[: left[below]] / below
            total[: left[below]] += term[: left[below]]
        answers[order] = total
        # By halves, because the first term may be less than what a number holds where their sum is not.
        return answers * half * half

    return _where_known(count, mean, cumulative)


# exp(z^2) erfc(z) (1 + 2z) in powers of (z - 3) / (z + 3): the scaled complementary error function, interpolated in 80
# digits at Chebyshev points from 0 to 28, where erfc ends. Within 7e-16.
_SCALED_TAIL = (
    1.2530080582697296,
    -0.13562110612458,
    -0.04756229435344756,
    0.12964515870257853,
    -0.1192736634151268,
    0.0683080273510634,
    -0.023770514926777942,
    0.0025293916974281016,
    0.0018886904647967854,
    -0.0007798312105913324,
    -0.00010516041881526383,
    0.00012509371317058382,
    4.951160754493588e-06,
    -2.0081864594672196e-05,
    -7.32409712125061e-07,
    3.4331689317834988e-06,
    3.504243374577423e-07,
    -5.657024330235796e-07,
    -1.2418558024936116e-07,
    6.390588178845851e-08,
    2.3026697174523652e-08,
)


@_answerable
def normal_cumulative(deviations: Any) -> Any:
    """Probability of lying at most so many standard deviations above the mean."""
    # Beyond 28 there is nothing left of it.
    distance = np.minimum(abs(deviations) / math.sqrt(2), 28)
    place = (distance - 3) / (distance + 3)
    scaled = _SCALED_TAIL[-1]
    for factor in _SCALED_TAIL[-2::-1]:
        scaled = factor + place * scaled
    beyond = np.exp(-(distance * distance)) * scaled / (1 + 2 * distance) / 2
    return np.where(deviations > 0, 1 - beyond, beyond)
