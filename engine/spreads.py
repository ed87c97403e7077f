"""Spreads: how far an uncertain value may lie from what is typed, as multiples of it. Knows no input and no draw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.sheets import EMPIRICAL, LOGNORMAL, NORMAL, TRIANGULAR, UNIFORM

# Where a normal or lognormal distribution ends, in standard deviations: one value in 16,000 would lie beyond.
END = 4.0
_BEYOND = math.erfc(END / math.sqrt(2)) / 2


@dataclass(frozen=True)
class Spread:
    """One distribution of multiples. `kind` is one of DISTRIBUTIONS; `points` are measured, for an empirical one.

    `likely` is the mode of a triangular and the mean of a normal or lognormal one, whose standard deviation is
    `deviation`; what does not go with the kind is not looked at.
    """

    kind: str
    low: float = math.nan
    likely: float = 1.0
    high: float = math.nan
    deviation: float = math.nan
    points: tuple[float, ...] = ()

    @property
    def reach(self) -> tuple[float, float]:
        """The smallest and the largest multiple there is."""
        if self.kind in (UNIFORM, TRIANGULAR):
            return self.low, self.high
        if self.kind == EMPIRICAL:
            return min(self._scatter), max(self._scatter)
        low, high = (float(self._at_deviations(np.float64(end))) for end in (-END, END))
        return low, high

    def multiples(self, shares: Any) -> Any:
        """The multiples below which these shares of all values lie; shares are above 0 and below 1."""
        if self.kind == UNIFORM:
            return self.low + (self.high - self.low) * shares
        if self.kind == TRIANGULAR:
            return self._triangular(shares)
        if self.kind == EMPIRICAL:
            return np.quantile(self._scatter, shares)
        from scipy.special import ndtri

        return self._at_deviations(ndtri(_BEYOND + shares * (1 - 2 * _BEYOND)))

    @property
    def _scatter(self) -> tuple[float, ...]:
        mean = sum(self.points) / len(self.points)
        return tuple(point / mean for point in self.points)

    def _triangular(self, shares: Any) -> Any:
        width, rising = self.high - self.low, self.likely - self.low
        up = self.low + np.sqrt(shares * width * rising)
        down = self.high - np.sqrt((1 - shares) * width * (width - rising))
        return np.where(shares * width < rising, up, down)

    def _at_deviations(self, deviations: Any) -> Any:
        """The multiple that lies so many standard deviations above the middle."""
        if self.kind == NORMAL:
            return self.likely + self.deviation * deviations
        assert self.kind == LOGNORMAL
        # Of the logarithm, so that mean and deviation are those given.
        variance = math.log1p((self.deviation / self.likely) ** 2)
        return np.exp(math.log(self.likely) - variance / 2 + math.sqrt(variance) * deviations)
