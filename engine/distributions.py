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
_COUNTS = np.arange(MOST_COUNTED + 1)
_LOG_FACTORIALS = np.cumsum(np.log(np.maximum(_COUNTS, 1)))


def _answerable(compute: Callable[..., Any]) -> Callable[..., Any]:
    """The function, answered by the first operand that takes the place of an array."""

    @wraps(compute)
    def call(*operands: Any) -> Any:
        for operand in operands:
            if hasattr(operand, "__array_function__") and not isinstance(operand, np.ndarray | np.generic):
                return operand.__array_function__(call, (type(operand),), operands, {})
        return compute(*operands)

    return call


def _summed(count: Any, mean: Any, counted: Callable[[Any, Any], Any]) -> Any:
    """Poisson probabilities of 0, 1, ... MOST_COUNTED, summed over those that are `counted`; NaN without an answer."""
    count, mean = np.broadcast_arrays(np.floor(count), mean)
    known = (mean > 0) & (count >= 0) & (count < MOST_COUNTED + 1)
    answers = np.full(count.shape, np.nan)
    # Only where there is one, because every answer is made of a hundred terms.
    own, rate = count[known][:, np.newaxis], mean[known][:, np.newaxis]
    terms = np.exp(_COUNTS * np.log(rate) - rate - _LOG_FACTORIALS)
    answers[known] = (terms * counted(own, _COUNTS)).sum(-1)
    return answers


@_answerable
def poisson_probability(count: Any, mean: Any) -> Any:
    """Probability of just this count, rounded down; NaN below 0, above MOST_COUNTED, or without a mean."""
    return _summed(count, mean, np.equal)


@_answerable
def poisson_cumulative(count: Any, mean: Any) -> Any:
    """Probability of at most this count, rounded down; NaN below 0, above MOST_COUNTED, or without a mean."""
    return _summed(count, mean, np.greater_equal)


_erfc = np.vectorize(math.erfc, otypes=[float])


@_answerable
def normal_cumulative(deviations: Any) -> Any:
    """Probability of lying at most so many standard deviations above the mean."""
    return _erfc(-np.asarray(deviations) / math.sqrt(2)) / 2
