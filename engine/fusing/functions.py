"""Functions: NumPy's and those of distributions, written as sums, products and choices of lanes. Knows no machine.

So all rows of a vector take the same few instructions. Each gives what NumPy gives, within some roundings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from inspect import unwrap
from typing import Any

import numpy as np

from engine.distributions import (
    LOG_FACTORIALS,
    MOST_COUNTED,
    MOST_EXPECTED,
    normal_cumulative,
    poisson_cumulative,
    poisson_probability,
)

# Added to a number, they leave its nearest whole number in the lowest bits: that of 52 bits, and one also below zero.
_WHOLE = 2.0**52
_SIGNED = 1.5 * 2.0**52
_WHOLE_BITS, _ONE_BITS = 0x4330000000000000, 0x3FF0000000000000
_FRACTION_BITS, _SIGN_BIT = 0x000FFFFFFFFFFFFF, 0x8000000000000000
# The sum of both; the first has few enough digits for its product with 2,000 to be exact.
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# The upper half of the bits of a number's inverse cube root is this, less a third of its own, within 4 %.
_INVERSE_ROOT_BITS = 0x553EE800
_SMALLEST = 2.2250738585072014e-308  # of full precision


def _polynomial(value: Any, *factors: float) -> Any:
    """The first factor, plus the next times the value, and so on."""
    total = factors[-1]
    for factor in factors[-2::-1]:
        total = factor + value * total
    return total


def _power_of_two(exponent: Any) -> Any:
    """For whole exponents from -1022 to 1023."""
    return ((exponent + (_SIGNED + 1023)).bits() << 52).number()


def _whole(value: Any) -> Any:
    """As a whole number one that is whole, from 0 on."""
    return (value + _WHOLE).bits() & _FRACTION_BITS


def exp(value: Any) -> Any:
    """As FreeBSD's: the nearest power of two, times a rational function of the rest."""
    # Beyond these there is nothing but 0 and infinity.
    value = np.where(value < -746, -746, np.where(value > 710, 710, value))
    twos = (value * (1 / math.log(2)) + _SIGNED) - _SIGNED
    high, low = value - twos * _LN2_HIGH, twos * _LN2_LOW
    rest = high - low
    square = rest * rest
    even = rest - square * _polynomial(
        square,
        1.66666666666666019037e-01,
        -2.77777777770155933842e-03,
        6.61375632143793436117e-05,
        -1.65339022054652515390e-06,
        4.13813679705723846039e-08,
    )
    power = 1 - ((low - rest * even / (2 - even)) - high)
    # In two halves, because the power of two may lie beyond what a number holds where the product does not.
    half = (twos * 0.5 + _SIGNED) - _SIGNED
    return power * _power_of_two(half) * _power_of_two(twos - half)


def _parts_of_log(value: Any) -> tuple[Any, Any, Any]:
    """As FreeBSD's: the power of two nearest to the value, and the logarithm of the rest, as a sum of two."""
    small = value < _SMALLEST
    bits = np.where(small, value * 2.0**54, value).bits()
    twos = ((bits >> 52) | _WHOLE_BITS).number() - (_WHOLE + 1023) - np.where(small, 54, 0)
    rest = ((bits & _FRACTION_BITS) | _ONE_BITS).number()
    above = rest > math.sqrt(2)
    rest, twos = np.where(above, rest * 0.5, rest) - 1, twos + np.where(above, 1, 0)
    ratio = rest / (2 + rest)
    square = ratio * ratio
    series = square * _polynomial(
        square,
        6.666666666666735130e-01,
        3.999999999940941908e-01,
        2.857142874366239149e-01,
        2.222219843214978396e-01,
        1.818357216161805012e-01,
        1.531383769920937332e-01,
        1.479819860511658591e-01,
    )
    half = rest * rest * 0.5
    return twos, rest, half - ratio * (half + series)


def _where_positive(value: Any, logarithm: Any) -> Any:
    known = np.where(value < math.inf, logarithm, math.inf)
    return np.where(value > 0, known, np.where(value == 0, -math.inf, math.nan))


def log(value: Any) -> Any:
    twos, rest, less = _parts_of_log(value)
    return _where_positive(value, twos * _LN2_HIGH - ((less - twos * _LN2_LOW) - rest))


def log2(value: Any) -> Any:
    """Of a power of two the whole number."""
    twos, rest, less = _parts_of_log(value)
    return _where_positive(value, twos + (rest - less) * (1 / math.log(2)))


def cbrt(value: Any) -> Any:
    """Two steps of fourth order to the inverse of the root, which need no division; begun with a third of the bits."""
    size = abs(value)
    small = size < _SMALLEST
    scaled = np.where(small, size * 2.0**54, size)
    high = ((scaled.bits() >> 32) | _WHOLE_BITS).number() - _WHOLE
    inverse = (((_WHOLE + _INVERSE_ROOT_BITS) - high * (1 / 3)).bits() << 32).number()
    for _ in range(2):
        missing = 1 - scaled * inverse * (inverse * inverse)
        inverse = inverse + inverse * missing * _polynomial(missing, 1 / 3, 2 / 9, 14 / 81)
    root = scaled * inverse * inverse * np.where(small, 2.0**-18, 1)
    signed = (root.bits() | (value.bits() & _SIGN_BIT)).number()
    return np.where(size < math.inf, signed, value)


def power(base: Any, exponent: Any) -> Any:
    size = exp(exponent * log(abs(base)))
    odd = np.floor(exponent * 0.5) * 2 < exponent
    below = np.where(np.floor(exponent) == exponent, np.where(odd, -size, size), math.nan)
    return np.where(np.logical_or(exponent == 0, base == 1), 1, np.where(base < 0, below, size))


def _counted(count: Any, mean: Any) -> tuple[Any, Any, Any]:
    """Whole counts, means, and whether they have a probability; those that have none as such that do."""
    count = np.floor(count)
    known = np.logical_and(np.logical_and(mean > 0, count >= 0), count < MOST_COUNTED + 1)
    count, mean = np.where(known, count, 0), np.where(known, mean, 1)
    return count, mean, known


def _probability(count: Any, mean: Any) -> Any:
    count, mean, known = _counted(count, mean)
    logarithm = count * log(mean) - mean - _whole(count).looked_up(LOG_FACTORIALS)
    return np.where(known, exp(logarithm), math.nan)


def _cumulative(count: Any, mean: Any) -> Any:
    """Each term from the one before it."""
    count, mean, known = _counted(count, mean)
    mean = np.minimum(mean, MOST_EXPECTED)

    def further(below: Any, term: Any, total: Any) -> tuple[Any, Any, Any]:
        term = np.where(below <= count, term * (mean * (1 / below)), 0)
        return below + 1, term, total + term

    one = mean * 0 + 1
    total = count.repeated(further, lambda below, term, total: below <= count, count.taken(1), one, one)
    half = exp(mean * -0.5)
    return np.where(known, total * half * half, math.nan)


WRITTEN: Mapping[Any, Callable[..., Any]] = {
    np.exp: exp,
    np.log: log,
    np.log2: log2,
    np.cbrt: cbrt,
    np.power: power,
    poisson_probability: _probability,
    poisson_cumulative: _cumulative,
    normal_cumulative: unwrap(normal_cumulative),
}
