"""Search: of accelerators, slices, stages, groups, precisions, batches, pools and drafts what serves for least.

Every set-up is a row of the model that is only tried out. Knows neither Excel nor HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from engine.calculation import Columns
from engine.formulas import ACTION_FORMULAS, DRAFTED_FORMULAS, PLAIN_FORMULAS, UNDRAFTED, Formulas
from engine.scenarios import CONFIGURED, Scenario
from engine.sheets import HARDWARE, PRECISIONS, TRAFFIC
from engine.studies.drafting import Draft, draft_of
from engine.studies.variants import (
    LARGEST_BATCH,
    LARGEST_SLICE,
    Changes,
    comparable,
    computes,
    linked,
    tried_together,
)

TERMS = "on demand"  # on which all are compared: what can be had without a promise
STAGES = (2, 4, 8)
# Costs, as multiples of an accelerator's cheapest, up to which batches between half and twice the best are looked at.
NEAR = 1.5
RELIEVED = 12  # places that are looked at again with a constraint relaxed
STEPS_A_DOUBLING = 8
RELAXED = 0.1
FRONTIER_POINTS = 12
# What holds a set-up back, in words, by the quantity that says how much; and which way it gives way.
CONSTRAINTS: Mapping[str, tuple[str, float]] = {
    "target_user_speed": ("the promised speed", 1 - RELAXED),
    "first_token_target": ("the promised first token", 1 + RELAXED),
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
_JUDGED = ("fits", "batch_size", "meets_target", "waiting_warning", "waiting_warning_prefill")
# A speed that was measured is that of the configuration as it runs.
_UNMEASURED = {"measured_output_speed": 0.0, "measured_input_speed": 0.0}


@dataclass(frozen=True)
class Place:
    """A set-up but for its batch: what it runs on, how it is spread, and whether a draft model runs beside it.

    Accelerators of a slice share every layer; stages of such slices hold different layers; attention groups of a
    slice serve different sequences.
    """

    hardware: str
    precision: str
    tensor_parallel: int
    pipeline_stages: int = 1
    attention_groups: int = 1
    is_shared: bool = True  # whether prompts and answers share a pool
    is_drafted: bool = False

    @property
    def accelerators(self) -> int:
        return self.tensor_parallel * self.pipeline_stages


@dataclass(frozen=True)
class SetUp:
    """What was tried, and what came of it."""

    place: Place
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


@dataclass(frozen=True)
class Relaxed:
    """A constraint with a tenth of room more: the cheapest set-up then, and what it saves in $ a month."""

    constraint: str
    best: SetUp | None
    saving: float
    reason: str = ""


@dataclass(frozen=True)
class Search:
    """What was found: the cheapest set-up of each accelerator that keeps the promises, cheapest first, and the rest.

    `draft` is what was tried as a draft model; None where the workbook names none, or no measured acceptance of it.
    """

    tried: int
    fitting: int
    keeping: int
    ranked: tuple[SetUp, ...]
    relaxed: tuple[Relaxed, ...]
    ceiling: float
    fastest: SetUp | None
    frontier: tuple[SetUp, ...]
    draft: Draft | None = None


@dataclass(frozen=True)
class _Answers:
    """Places, each with a batch, what came of them, and which fit and keep the promises."""

    places: tuple[Place, ...]
    batches: Any
    figures: Columns
    fits: Any
    keeps: Any

    def setup(self, row: int) -> SetUp:
        figures = {name: float(self.figures[name][row]) for name in _READ}
        return SetUp(self.places[row], int(self.batches[row]), figures)

    def cheapest(self, which: Any) -> list[int]:
        """Rows of those that are asked for, cheapest first; of several at one cost the fastest."""
        rows = np.flatnonzero(which)
        costs, speeds = comparable(self.figures["blended_cost"][rows]), self.figures["user_speed"][rows]
        ordered: list[int] = rows[np.lexsort((-speeds, costs))].tolist()
        return ordered

    def with_more(self, other: _Answers) -> _Answers:
        """These and others."""
        return _Answers(
            (*self.places, *other.places),
            np.concatenate([self.batches, other.batches]),
            {name: np.concatenate([values, other.figures[name]]) for name, values in self.figures.items()},
            np.concatenate([self.fits, other.fits]),
            np.concatenate([self.keeps, other.keeps]),
        )


def search(scenario: Scenario, base: str) -> Search | None:
    """The search for the traffic of `base`; None where nothing keeps what is promised."""
    return _Search(scenario, base).found()


class _Search:
    """One configuration's requests, and everything that may be tried to serve them."""

    def __init__(self, scenario: Scenario, base: str) -> None:
        self.scenario, self.base = scenario, base
        self.grain = scenario[CONFIGURED]
        self.draft = draft_of(scenario, base)

    def found(self) -> Search | None:
        limits, tried = self._limits()
        coarse = self._answers([(place, 2**n) for place, most in limits.items() for n in range(_powers(most))])
        fine = self._answers([(each.place, size) for each in _near(coarse) for size in _around(each, limits)])
        every = coarse.with_more(fine)
        kept = every.cheapest(every.keeps)
        if not kept:
            return None
        best = _first_of_each(kept, lambda row: every.places[row])[:RELIEVED]
        ranked = _first_of_each(kept, lambda row: every.places[row].hardware)
        given = self.scenario.inputs.settings["cost_ceiling"]
        ceiling = float(self.grain.value("blended_cost", self.base) if given is None or np.isnan(given) else given)
        under = every.fits & (every.figures["blended_cost"] <= ceiling)
        fastest = int(np.argmax(np.where(under, every.figures["user_speed"], -np.inf)))
        return Search(
            tried + len(every.places),
            int(every.fits.sum()),
            len(kept),
            tuple(map(every.setup, ranked)),
            tuple(self._relaxed([every.setup(row) for row in best])),
            ceiling,
            every.setup(fastest) if under.any() else None,
            tuple(_frontier(every)),
            self.draft,
        )

    def _limits(self) -> tuple[dict[Place, int], int]:
        """The largest batch of every place that holds the model; and how many were asked.

        Stages are tried where a slice by itself does not hold the model, or is a whole server.
        """
        plain = list(self._places())
        limits = self._largest(plain)
        table = self.scenario.inputs.tables[HARDWARE.name]
        nodes = {str(row["hardware"]): row["accelerators_per_node"] for row in table}
        spread = [place for place in plain if place not in limits or 1 < nodes[place.hardware] <= place.tensor_parallel]
        staged = [
            replace(place, pipeline_stages=stages)
            for place, stages in product(spread, STAGES)
            if place.accelerators * stages <= LARGEST_SLICE and max(linked(self.scenario, place.hardware)) > 1
        ]
        limits |= self._largest(staged)
        drafted = [replace(place, is_drafted=True) for place in limits] if self.draft else []
        limits |= self._largest(drafted)
        return limits, len(plain) + len(staged) + len(drafted)

    def _largest(self, places: Sequence[Place], more: Mapping[str, float] | None = None) -> dict[Place, int]:
        """The largest batch that memory and the engine allow, of each place that holds the model."""
        alone = self._answers([(place, int(LARGEST_BATCH)) for place in places], more)
        sizes = np.where(alone.fits, alone.figures["batch_size"], 0)
        return {place: int(size) for place, size in zip(places, sizes, strict=True) if size >= 1}

    def _places(self) -> Iterator[Place]:
        """Accelerators that can be rented, with their precisions, the slices they are linked in, groups and pools."""
        for row in self.scenario.inputs.tables[HARDWARE.name]:
            name = str(row["hardware"])
            if np.isnan(row["on_demand_price"]):
                continue
            precisions = (str(each["precision"]) for each in self.scenario.inputs.tables[PRECISIONS.name])
            able = [precision for precision in precisions if computes(self.scenario, name, precision)]
            for count in linked(self.scenario, name):
                for precision, groups in product(able, self._groups(count) if count <= LARGEST_SLICE else ()):
                    yield Place(name, precision, count, attention_groups=groups, is_shared=True)
                    yield Place(name, precision, count, attention_groups=groups, is_shared=False)

    def _groups(self, count: int) -> Iterator[int]:
        """Attention groups of a slice: doubled while its ranks would else hold the same KV cache several times."""
        is_latent = self.grain.value("kv_lora_rank", self.base) > 0
        heads = 1 if is_latent else self.grain.value("kv_heads", self.base)
        groups = 1
        yield groups
        while count / groups > heads:
            groups *= 2
            yield groups

    def _answers(self, asked: Sequence[tuple[Place, int]], more: Mapping[str, float] | None = None) -> _Answers:
        """The model's answer to each place at a batch, with `more` typed over in all of them."""
        drafted = np.array([place.is_drafted for place, _ in asked], dtype=bool)
        found = {name: np.full(len(asked), np.nan) for name in (*_READ, "batch_size", "fits", "keeps")}
        for rows, formulas, typed in (
            (np.flatnonzero(~drafted), PLAIN_FORMULAS, UNDRAFTED),
            (np.flatnonzero(drafted), DRAFTED_FORMULAS, self.draft.inputs if self.draft else {}),
        ):
            if len(rows):
                own = [asked[row] for row in rows.tolist()]
                answers = self._calculated(own, formulas, {**typed, **_UNMEASURED, **(more or {})})
                for name in (*_READ, "batch_size", "fits"):
                    found[name][rows] = answers[name]
                found["keeps"][rows] = (answers["meets_target"] > 0) & _waits(answers)
        fits = (found["fits"] > 0) & np.isfinite(found["blended_cost"])
        places, batches = tuple(place for place, _ in asked), np.array([batch for _, batch in asked])
        return _Answers(places, batches, found, fits, fits & (found["keeps"] > 0))

    def _calculated(
        self, asked: Sequence[tuple[Place, int]], formulas: Formulas, typed: Mapping[str, float]
    ) -> Columns:
        places = [place for place, _ in asked]
        pairs = [(place.hardware, place.precision) for place in places]
        number = {pair: count for count, pair in enumerate(dict.fromkeys(pairs))}
        named: list[Changes] = [
            {"hardware": hardware, "precision": precision, "price_basis": TERMS} for hardware, precision in number
        ]
        columns = {
            **{name: np.full(len(asked), value) for name, value in typed.items()},
            "tensor_parallel": np.array([place.tensor_parallel for place in places], dtype=float),
            "pipeline_stages": np.array([place.pipeline_stages for place in places], dtype=float),
            "attention_data_parallel": np.array([place.attention_groups for place in places], dtype=float),
            "shared_pool": np.array([place.is_shared for place in places], dtype=float),
            "requested_batch_size": np.array([batch for _, batch in asked], dtype=float),
        }
        which = np.array([number[pair] for pair in pairs])
        return tried_together(self.scenario, self.base, named, which, columns, (*_READ, *_JUDGED), formulas)

    def _relaxed(self, close: Sequence[SetUp]) -> Iterator[Relaxed]:
        """Each constraint there is with a tenth more room, all else as it was. `close` begins with the cheapest."""
        best = close[0]
        for quantity, (words, factor) in CONSTRAINTS.items():
            value = self.grain.value(quantity, self.base)
            if not value or value == TRAFFIC_DEFAULTS.get(quantity):
                continue
            relaxed = value * factor
            if quantity == "usable_memory_share" and relaxed > 1:
                yield Relaxed(words, None, 0.0, "there is no tenth left of it")
                continue
            more = {quantity: relaxed}
            limits = self._largest([each.place for each in close], more)
            asked = [(each.place, size) for each in close for size in _around(each, limits)]
            answers = self._answers(asked, more)
            rows = answers.cheapest(answers.keeps)
            found = min([best, *map(answers.setup, rows[:1])], key=lambda setup: comparable(np.array(setup.cost)))
            saving = float(ACTION_FORMULAS["saving"](best.figures["fleet_cost"], found.figures["fleet_cost"]))
            yield Relaxed(words, found, max(saving, 0.0))


# A target of this size is none.
TRAFFIC_DEFAULTS = {
    name: TRAFFIC.column(name).default for name in ("target_user_speed", "first_token_target", "waiting_target")
}


def _waits(answers: Columns) -> Any:
    """Whether the promised wait is kept by every pool."""
    return (answers["waiting_warning"] == "") & (answers["waiting_warning_prefill"] == "")


def _powers(most: int) -> int:
    """How many powers of two are no larger."""
    return most.bit_length()


def _around(setup: SetUp, limits: Mapping[Place, int]) -> list[int]:
    """Batches between half and twice a set-up's, in even steps of their logarithm, up to the largest allowed."""
    most = min(2 * setup.batch, limits[setup.place])
    count = 2 * STEPS_A_DOUBLING + 1
    return sorted({int(size) for size in np.geomspace(max(1, setup.batch / 2), max(1, most), count).round()})


def _first_of_each(rows: Iterable[int], key: Callable[[int], Any]) -> list[int]:
    """The first row of each key, in their order."""
    first: dict[Any, int] = {}
    for row in rows:
        first.setdefault(key(row), row)
    return list(first.values())


def _near(answers: _Answers) -> list[SetUp]:
    """Set-ups that keep the promises, each place with its cheapest batch: those near the cheapest of an accelerator."""
    near, least = [], dict[str, float]()
    for row in _first_of_each(answers.cheapest(answers.keeps), lambda row: answers.places[row]):
        cost = float(answers.figures["blended_cost"][row])
        if cost <= NEAR * least.setdefault(answers.places[row].hardware, cost):
            near.append(answers.setup(row))
    return near


def _frontier(answers: _Answers) -> list[SetUp]:
    """Those that no other beats in cost and speed, cheapest first, thinned out where they are many."""
    speeds, best = answers.figures["user_speed"], list[int]()
    for row in answers.cheapest(answers.fits):
        if not best or speeds[row] > speeds[best[-1]]:
            best.append(row)
    spread = np.unique(np.linspace(0, len(best) - 1, min(FRONTIER_POINTS, len(best))).round().astype(int))
    return [answers.setup(best[place]) for place in spread]
