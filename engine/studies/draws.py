"""Draws: the uncertain inputs of a workbook, and values of all of them drawn together.

Scrambled Sobol points, so that few draws fill the ranges evenly; inputs of a correlation group are joined by a Gaussian
copula. Knows neither what the inputs mean nor what is calculated from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.scenarios.moved import Cell
from engine.spreads import Spread
from engine.workbook.read import Inputs
from engine.workbook.uncertainty import groups_of, members_of, spread_of

Points = NDArray[np.float64]  # draws by inputs: shares of all values that lie below


@dataclass(frozen=True)
class Driver:
    """One multiple: of which uncertain input, the cells that it multiplies, and how it is distributed.

    An input has one, but where its rows move each by itself.
    """

    name: str
    cells: tuple[Cell, ...]
    spread: Spread


@dataclass(frozen=True)
class Factor:
    """What varies by itself: one input, with all its multiples, or those of a correlation group together.

    Numbers are places among drivers.
    """

    name: str
    drivers: tuple[int, ...]
    correlation: float = 0.0


def drivers(inputs: Inputs) -> tuple[Driver, ...]:
    """The multiples of every row of the sheet Uncertainty."""
    tables = inputs.tables
    return tuple(
        Driver(str(row["driver"]), cells, spread_of(tables, row))
        for row in tables["Uncertainty"]
        for cells in members_of(tables, row)
    )


def factors(inputs: Inputs, drivers: Sequence[Driver]) -> tuple[Factor, ...]:
    """What varies by itself, in the order of the sheet."""
    found: list[Factor] = []
    for name, rows in groups_of(inputs.tables):
        names = {str(row["driver"]) for row in rows}
        places = tuple(place for place, driver in enumerate(drivers) if driver.name in names)
        found.append(Factor(name, places, rows[0]["correlation"] if len(rows) > 1 else 0.0))
    return tuple(found)


def points(inputs: int, count: int, seed: int) -> tuple[Points, Points]:
    """Two sets of as many draws, independent of each other; `count` is a power of two."""
    from scipy.stats import qmc

    engine = qmc.Sobol(2 * inputs, scramble=True, rng=np.random.default_rng(seed))
    # In the middle of the cells that the points' digits make: never 0, which some distributions put at no value.
    drawn = engine.random_base2(count.bit_length() - 1) + 2.0 ** -(engine.bits + 1)
    return drawn[:, :inputs], drawn[:, inputs:]


def multiples(drivers: Sequence[Driver], factors: Sequence[Factor], drawn: Points) -> list[Any]:
    """What each driver's cells are multiplied by, a value per draw."""
    shares = drawn.copy()
    for factor in factors:
        if factor.correlation:
            places = list(factor.drivers)
            shares[:, places] = _joined(drawn[:, places], factor.correlation)
    return [driver.spread.multiples(shares[:, place]) for place, driver in enumerate(drivers)]


def _joined(drawn: Points, correlation: float) -> Points:
    """The same shares, joined by a Gaussian copula in which any two have this correlation."""
    from scipy.special import ndtr, ndtri

    size = drawn.shape[1]
    matrix = np.full((size, size), correlation) + (1 - correlation) * np.eye(size)
    joined: Points = ndtr(ndtri(drawn) @ np.linalg.cholesky(matrix).T)
    return joined


def exchanged(drawn: Points, others: Points, factor: Factor) -> Points:
    """The draws with one factor taken from the other set."""
    mixed = drawn.copy()
    mixed[:, factor.drivers] = others[:, factor.drivers]
    return mixed
