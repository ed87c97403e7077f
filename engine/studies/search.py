"""Search: of all accelerators, slices, precisions, batches and pools the set-up that serves a configuration for least.

Every set-up is a row of the model that is only tried out. Knows neither Excel nor HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from engine.formulas import ACTION_FORMULAS
from engine.scenarios import CONFIGURED, Grain, Scenario
from engine.sheets import HARDWARE, PRECISIONS, TRAFFIC
from engine.studies.variants import LARGEST_SLICE, Changes, comparable, computes, linked, tried

TERMS = "on demand"  # on which all are compared: what can be had without a promise
REFINED = 12  # set-ups whose batch is looked at closely, between half and twice the best
STEPS_A_DOUBLING = 8
RELAXED = 0.1
FRONTIER_POINTS = 12
# What holds a set-up back, in words, by the quantity that says how much; and which way it gives way.
CONSTRAINTS: Mapping[str, tuple[str, float]] = {
    "target_user_speed": ("the promised speed", 1 - RELAXED),
    "usable_memory_share": ("the memory that may be filled", 1 + RELAXED),
    "waiting_target": ("the promised wait", 1 + RELAXED),
    "engine_batch_limit": ("the engine\u2019s batch limit", 1 + RELAXED),
}
_READ = (
    "blended_cost",
    "output_cost",
    "user_speed",
    "time_to_first_token",
    "utilization",
    "replica_count",
    "replica_cost",
    "request_rate",
    "fleet_cost",
)


Place = tuple[str, str, int, bool]  # accelerator, precision, accelerators, whether prompts and answers share a pool


@dataclass(frozen=True)
class SetUp:
    """What was tried, and what came of it."""

    hardware: str
    precision: str
    accelerators: int
    is_shared: bool
    batch: int
    figures: Mapping[str, float]

    @property
    def cost(self) -> float:
        """All-in, of a million tokens."""
        return self.figures["blended_cost"]

    @property
    def speed(self) -> float:
        """Tokens per second that a user sees."""
        return self.figures["user_speed"]

    @property
    def place(self) -> Place:
        """The set-up but for its batch."""
        return self.hardware, self.precision, self.accelerators, self.is_shared


@dataclass(frozen=True)
class Relaxed:
    """A constraint with a tenth of room more: the cheapest set-up then, and what it saves in $ a month."""

    constraint: str
    best: SetUp | None
    saving: float
    reason: str = ""


@dataclass(frozen=True)
class Search:
    """What was found: the cheapest set-up of each accelerator that keeps the promises, cheapest first, and the rest."""

    tried: int
    fitting: int
    keeping: int
    ranked: tuple[SetUp, ...]
    relaxed: tuple[Relaxed, ...]
    ceiling: float
    fastest: SetUp | None
    frontier: tuple[SetUp, ...]


@dataclass(frozen=True)
class _Answers:
    """Set-ups with what came of them, and which fit and keep the promises."""

    setups: tuple[SetUp, ...]
    fits: Any
    keeps: Any

    def where(self, which: Any) -> list[SetUp]:
        return [self.setups[place] for place in np.flatnonzero(which)]


def search(scenario: Scenario, base: str) -> Search | None:
    """The search for the traffic of `base`; None where nothing keeps what is promised."""
    grain = scenario[CONFIGURED]
    places = list(_places(scenario))
    if not places:
        return None
    alone = tried(scenario, base, [_changes(place, 1) for place in places])
    limits = {
        place: int(alone.at("batch_size_limit", row))
        for row, place in enumerate(places)
        if alone.at("fits", row) and alone.at("batch_size_limit", row)
    }
    coarse = _answers(scenario, base, [(place, 2**n) for place, most in limits.items() for n in range(_powers(most))])
    close = _cheapest_places(coarse)
    fine = _answers(scenario, base, [(each.place, size) for each in close for size in _around(each, limits)])
    every = _Answers(
        (*coarse.setups, *fine.setups),
        np.concatenate([coarse.fits, fine.fits]),
        np.concatenate([coarse.keeps, fine.keeps]),
    )
    kept = _by_cost(every.where(every.keeps))
    if not kept:
        return None
    ranked = list({setup.hardware: setup for setup in reversed(kept)}.values())
    given = scenario.inputs.settings["cost_ceiling"]
    ceiling = float(grain.value("blended_cost", base) if given is None or np.isnan(given) else given)
    under = [setup for setup in every.where(every.fits) if setup.cost <= ceiling]
    return Search(
        len(places) + len(every.setups),
        int(every.fits.sum()),
        int(every.keeps.sum()),
        tuple(_by_cost(ranked)),
        tuple(_relaxed(scenario, base, kept[0], close, limits)),
        ceiling,
        max(under, key=lambda setup: setup.speed, default=None),
        tuple(_frontier(every.where(every.fits))),
    )


def _places(scenario: Scenario) -> Iterator[Place]:
    """Accelerators that can be rented, each with the precisions it computes and the slices it is linked in."""
    for row in scenario.inputs.tables[HARDWARE.name]:
        name = str(row["hardware"])
        if np.isnan(row["on_demand_price"]):
            continue
        precisions = (str(each["precision"]) for each in scenario.inputs.tables[PRECISIONS.name])
        able = [precision for precision in precisions if computes(scenario, name, precision)]
        slices = [count for count in linked(scenario, name) if count <= LARGEST_SLICE]
        yield from ((name, *rest) for rest in product(able, slices, (True, False)))


def _changes(place: Place, batch: int) -> Changes:
    hardware, precision, count, shared = place
    return {
        "hardware": hardware,
        "price_basis": TERMS,
        "precision": precision,
        "tensor_parallel": float(count),
        "pipeline_stages": 1.0,
        "attention_data_parallel": 1.0,
        "shared_pool": float(shared),
        "requested_batch_size": float(batch),
    }


def _powers(most: int) -> int:
    """How many powers of two are no larger."""
    return most.bit_length()


def _around(setup: SetUp, limits: Mapping[Place, int], room: float = 1.0) -> list[int]:
    """Batches between half and twice a set-up's, in even steps of their logarithm, up to what memory holds."""
    most = min(2 * setup.batch, int(limits[setup.place] * room))
    count = 2 * STEPS_A_DOUBLING + 1
    return sorted({int(size) for size in np.geomspace(max(1, setup.batch / 2), max(1, most), count).round()})


def _answers(
    scenario: Scenario, base: str, asked: Sequence[tuple[Place, int]], more: Changes | None = None
) -> _Answers:
    if not asked:
        return _Answers((), np.zeros(0, dtype=bool), np.zeros(0, dtype=bool))
    grain = tried(scenario, base, [{**_changes(place, batch), **(more or {})} for place, batch in asked])
    setups = tuple(
        SetUp(*place, batch, {name: float(grain.values[name][row]) for name in _READ})
        for row, (place, batch) in enumerate(asked)
    )
    fits = (grain.values["fits"] > 0) & np.isfinite(grain.values["blended_cost"].astype(float))
    return _Answers(setups, fits, fits & (grain.values["meets_target"] > 0) & _waits(grain))


def _waits(grain: Grain) -> Any:
    """Whether the promised wait is kept by every pool."""
    return (grain.values["waiting_warning"] == "") & (grain.values["waiting_warning_prefill"] == "")


def _by_cost(setups: Sequence[SetUp]) -> list[SetUp]:
    """Cheapest first; of several at one cost the fastest."""
    costs = comparable(np.array([setup.cost for setup in setups], dtype=float))
    speeds = np.array([setup.speed for setup in setups], dtype=float)
    return [setups[place] for place in np.lexsort((-speeds, costs))]


def _cheapest_places(answers: _Answers) -> list[SetUp]:
    """The cheapest batch of each place that keeps the promises, of the places that cost least."""
    ordered = _by_cost(answers.where(answers.keeps))
    first = {setup.place: setup for setup in reversed(ordered)}
    return _by_cost(list(first.values()))[:REFINED]


def _relaxed(
    scenario: Scenario,
    base: str,
    best: SetUp,
    close: Sequence[SetUp],
    limits: Mapping[Place, int],
) -> Iterator[Relaxed]:
    """Each constraint that there is with a tenth more room, all else as it was."""
    grain = scenario[CONFIGURED]
    for quantity, (words, factor) in CONSTRAINTS.items():
        value = grain.value(quantity, base)
        if not value or value == TRAFFIC_DEFAULTS.get(quantity):
            continue
        relaxed = value * factor
        if quantity == "usable_memory_share" and relaxed > 1:
            yield Relaxed(words, None, 0.0, "there is no tenth left of it")
            continue
        asked = [(each.place, size) for each in close for size in _around(each, limits, 1 + 3 * RELAXED)]
        answers = _answers(scenario, base, asked, {quantity: relaxed})
        found = _by_cost([best, *answers.where(answers.keeps)])[0]
        saving = float(ACTION_FORMULAS["saving"](best.figures["fleet_cost"], found.figures["fleet_cost"]))
        yield Relaxed(words, found, max(saving, 0.0))


# A target of this size is none.
TRAFFIC_DEFAULTS = {name: TRAFFIC.column(name).default for name in ("target_user_speed", "waiting_target")}


def _frontier(setups: Sequence[SetUp]) -> list[SetUp]:
    """Those that no other beats in cost and speed, cheapest first, thinned out where they are many."""
    best: list[SetUp] = []
    for setup in _by_cost(setups):
        if not best or setup.speed > best[-1].speed:
            best.append(setup)
    spread = np.unique(np.linspace(0, len(best) - 1, min(FRONTIER_POINTS, len(best))).round().astype(int))
    return [best[place] for place in spread]
