"""Comparison: what a comparison of two figures of the same kind is.

Knows nothing of sheets, files or other formulas, nor what the figures are. No comparison with a base of nothing.
"""

import numpy as np

from engine.units import NOT_AVAILABLE, Flag, Number, Share


def ratio(compared, base) -> Number:
    """One figure as a multiple of another.

    Source: definition.
    """
    return np.where(base > 0, compared / base, NOT_AVAILABLE)


def relative_change(compared, base) -> Share:
    """By what share a figure lies above another; negative where it lies below.

    Source: definition.
    """
    return np.where(base > 0, compared / base - 1, NOT_AVAILABLE)


def drop(compared, base) -> Share:
    """By what share a figure lies below another.

    Source: definition.
    """
    return np.where(base > 0, 1 - compared / base, NOT_AVAILABLE)


def stays_below(compared, base) -> Flag:
    """Whether a figure lies below another.

    Source: definition.
    """
    return np.where(compared < base, 1, 0)


def elasticity(relative_change, driver_change) -> Number:
    """By how many percent a figure moves for each percent that a driver moves.

    Source: definition; arc elasticity from the value as it is to the one that is tried.
    """
    return np.where(driver_change * driver_change > 0, np.divide(relative_change, driver_change), NOT_AVAILABLE)
