"""Uncertainty: how sure the month's figures are when the uncertain inputs are drawn together, and what moves them most.

Concludes from draws what they come to. Knows neither Excel nor HTML, nor what is inside a formula.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.formulas import TOTAL_FORMULAS
from engine.fusing.chunks import Chunked
from engine.fusing.graph import Builder
from engine.scenarios import BY_TRAFFIC, CONFIGURED, TOTAL, Scenario
from engine.scenarios.moved import Cell, kept_shares, moved
from engine.sheets import UNCERTAINTY
from engine.studies.draws import Driver, Factor, drivers, exchanged, factors, multiples, points

MONEY = ("revenue", "fleet_cost")
COSTS = ("output_cost", "blended_cost")
PROMISE = "meets_target"
RANGE = (0.1, 0.5, 0.9)
CURVE_POINTS = 101

Array = NDArray[np.float64]
Evaluators = Mapping[str, Chunked]  # by configuration


@dataclass(frozen=True)
class Outcome:
    """One figure: as the month has it, and below what it lies in 10, 50 and 90 of 100 draws.

    `chance` is the share of draws in which what is asked of the figure holds: a profit above 0, a promise kept.
    """

    name: str
    central: float
    low: float
    middle: float
    high: float
    chance: float


@dataclass(frozen=True)
class Influence:
    """A factor's shares of the variance of gross profit: by itself, and with all that it does together with others.

    `earlier` is the latter from half the draws; `moves` says whether it moves any figure at all.
    """

    factor: Factor
    first: float
    total: float
    earlier: float
    moves: bool


@dataclass(frozen=True)
class Uncertain:
    """What the draws come to. `settled` has the range of gross profit by the words for how many draws gave it."""

    seed: int
    draws: int
    drivers: tuple[Driver, ...]
    profit: Outcome
    margin: Outcome
    target_margin: float
    target_chance: float
    traffics: tuple[Outcome, ...]
    costs: Mapping[str, tuple[Outcome, ...]]  # output_cost and blended_cost, by configuration
    promises_kept: float  # share of draws in which all configurations keep theirs
    influences: tuple[Influence, ...]
    settled: tuple[tuple[str, tuple[float, ...]], ...]
    curve: tuple[tuple[float, float], ...]  # gross profit, and the share of draws above it
    unfit: Mapping[str, float]  # configurations that do not fit in some draws, with the share of these
    kept: Mapping[str, float]  # bills as a share of what the peaks' fleets would cost around the clock


def uncertain(scenario: Scenario) -> Uncertain | None:
    """The answer; None where it is not asked for, nothing is uncertain or nothing serves."""
    settings, grain = scenario.inputs.settings, scenario[CONFIGURED]
    serving = [str(key) for key in grain.keys if grain.value("counts", key)]
    if not settings["study_uncertainty"] or not len(scenario.inputs.tables[UNCERTAINTY.name]) or not serving:
        return None
    return _Study(scenario, serving, int(settings["draws"]), int(settings["seed"])).answer()


class _Study:
    """All that is drawn, and each configuration's figures as operations on it."""

    def __init__(self, scenario: Scenario, serving: Sequence[str], count: int, seed: int) -> None:
        self.scenario, self.serving, self.count, self.seed = scenario, serving, count, seed
        self.drivers = drivers(scenario.inputs)
        self.factors = factors(scenario.inputs, self.drivers)
        builder = Builder()
        cells: dict[Cell, Any] = {}
        for place, driver in enumerate(self.drivers):
            multiple = builder.column(_column(place))
            for cell in driver.cells:
                cells[cell] = cells[cell] * multiple if cell in cells else multiple
        every = (*MONEY, *COSTS, PROMISE)
        found = moved(scenario, serving, cells, every)
        self.figures = {key: Chunked(builder.graph(found[key])) for key in serving}
        self.profits = {key: Chunked(builder.graph({name: found[key][name] for name in MONEY})) for key in serving}
        self.first, self.second = points(len(self.drivers), count, seed)

    def answer(self) -> Uncertain:
        given = self._given(self.first)
        drawn = self._run(self.figures, self.serving, given)
        money = {key: values[:2] for key, values in drawn.items()}
        revenue, profit = self._total(money)
        again = self._given(self.second)
        second = self._run(self.profits, self.serving, again)
        with np.errstate(divide="ignore", invalid="ignore"):
            margins = TOTAL_FORMULAS["gross_margin"](profit, revenue)
        total, target = self.scenario[TOTAL], float(self.scenario.inputs.settings["target_margin"])
        return Uncertain(
            seed=self.seed,
            draws=self.count,
            drivers=self.drivers,
            profit=_outcome("Total", total.value("gross_profit", "Total"), profit, profit > 0),
            margin=_outcome("Total", total.value("gross_margin", "Total"), margins, margins > 0),
            target_margin=target,
            target_chance=_share(margins >= target, profit),
            traffics=tuple(self._traffics(money)),
            costs={name: tuple(self._costs(drawn, name)) for name in COSTS},
            promises_kept=float(np.mean(np.all([values[-1] > 0 for values in drawn.values()], axis=0))),
            influences=tuple(self._influences(money, second)),
            settled=self._settled(profit, self._total(second)[1]),
            curve=tuple(_curve(profit)),
            kept=kept_shares(self.scenario, self.serving),
            unfit={key: share for key, values in drawn.items() if (share := float(np.mean(np.isnan(values[1]))))},
        )

    def _given(self, drawn: Array) -> dict[str, Array]:
        values = multiples(self.drivers, self.factors, drawn)
        return {_column(place): multiple for place, multiple in enumerate(values)}

    def _run(self, evaluators: Evaluators, keys: Iterable[str], given: Mapping[str, Array]) -> dict[str, list[Array]]:
        """The figures of these configurations, a value per draw; as many at once as there are cores."""

        def run(key: str) -> list[Array]:
            answers = evaluators[key](given, (self.count,))
            return [np.broadcast_to(answers[name], self.count) for name in evaluators[key].graph.outputs]

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return dict(zip(keys, pool.map(run, keys), strict=True))

    def _total(self, money: Mapping[str, Sequence[Array]]) -> tuple[Array, Array]:
        """Revenue and gross profit of these configurations together, by draw."""
        revenue, bill = (np.sum([values[place] for values in money.values()], axis=0) for place in (0, 1))
        return revenue, TOTAL_FORMULAS["gross_profit"](revenue, bill)

    def _traffics(self, money: Mapping[str, Sequence[Array]]) -> list[Outcome]:
        grain, by_traffic = self.scenario[CONFIGURED], self.scenario[BY_TRAFFIC]
        found = []
        for traffic in map(str, by_traffic.keys):
            own = {key: values for key, values in money.items() if grain.value("traffic", key) == traffic}
            profit = self._total(own)[1]
            found.append(_outcome(traffic, by_traffic.value("gross_profit", traffic), profit, profit > 0))
        return found

    def _costs(self, drawn: Mapping[str, Sequence[Array]], name: str) -> list[Outcome]:
        place, grain = len(MONEY) + COSTS.index(name), self.scenario[CONFIGURED]
        return [_outcome(key, grain.value(name, key), values[place], values[-1] > 0) for key, values in drawn.items()]

    def _settled(self, profit: Array, other: Array) -> tuple[tuple[str, tuple[float, ...]], ...]:
        quarter, half = self.count // 4, self.count // 2
        return (
            ("A quarter of the draws", _range(profit[:quarter])),
            ("Half of the draws", _range(profit[:half])),
            ("All draws", _range(profit)),
            ("As many other draws", _range(other)),
        )

    def _influences(
        self, first: Mapping[str, Sequence[Array]], second: Mapping[str, Sequence[Array]]
    ) -> list[Influence]:
        """Sobol indices of gross profit; not a number where some draw has none, or nothing moves it."""
        mixed = []
        moving = []
        for factor in self.factors:
            mine = {_column(place) for place in factor.drivers}
            touched = [key for key in self.serving if mine & set(self.profits[key].graph.columns)]
            given = self._given(exchanged(self.first, self.second, factor)) if touched else {}
            # What the factor does not move is as it was.
            changed = self._run(self.profits, touched, given)
            mixed.append(self._total({**first, **changed})[1])
            moving.append(bool(touched))
        one, other = self._total(first)[1], self._total(second)[1]
        full, cut = _indices(one, other, mixed), slice(self.count // 2)
        half = _indices(one[cut], other[cut], [values[cut] for values in mixed])
        return [
            Influence(factor, full[0][place], full[1][place], half[1][place], moving[place])
            for place, factor in enumerate(self.factors)
        ]


def _column(place: int) -> str:
    """What the multiples of a driver are called among operations: not by the input's name, which may have several."""
    return f"multiple {place}"


def _indices(one: Array, other: Array, mixed: Sequence[Array]) -> tuple[list[float], list[float]]:
    """First and total Sobol indices.

    From figures of two sets of draws and, for each factor, of the first set with that factor taken from the other.
    """
    from scipy.stats import sobol_indices

    if not all(np.isfinite(values).all() for values in (one, other, *mixed)) or np.ptp(one) == 0:
        return [np.nan] * len(mixed), [np.nan] * len(mixed)
    # scipy fails on a single factor (1.17); given twice, it has the same indices twice.
    drawn = {"f_A": one[np.newaxis], "f_B": other[np.newaxis], "f_AB": np.array([*mixed, mixed[0]])[:, np.newaxis]}
    found = sobol_indices(func=drawn, n=len(one))
    return tuple(np.ravel(shares).tolist()[: len(mixed)] for shares in (found.first_order, found.total_order))


def _outcome(name: str, central: float | None, values: Array, holds: Any) -> Outcome:
    return Outcome(name, np.nan if central is None else float(central), *_range(values), _share(holds, values))


def _known(values: Array) -> Array:
    return values[np.isfinite(values)]


def _range(values: Array) -> tuple[float, float, float]:
    """P10, P50 and P90 of the draws that have a figure."""
    known = _known(values)
    low, middle, high = np.quantile(known, RANGE).tolist() if len(known) else [np.nan] * 3
    return low, middle, high


def _share(holds: Any, values: Array) -> float:
    """Share of the draws with a figure in which something holds."""
    known = np.isfinite(values)
    return float(np.mean(holds[known])) if known.any() else np.nan


def _curve(values: Array) -> list[tuple[float, float]]:
    """Values evenly from the lowest to the highest, each with the share of draws above it."""
    known = np.sort(_known(values))
    if not len(known):
        return []
    levels = np.linspace(known[0], known[-1], CURVE_POINTS)
    above = 1 - np.searchsorted(known, levels, side="right") / len(known)
    return list(zip(levels.tolist(), above.tolist(), strict=True))
