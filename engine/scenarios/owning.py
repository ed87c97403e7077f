"""Owning: grains of accelerators that are bought, and of the ways to serve a volume: own, rent, call an API.

Says which rows they have and where each input is read. Knows neither Excel's grammar nor what is inside a formula.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.calculation import Columns, behind
from engine.formulas import CROSSOVER_FORMULAS, EVERY_FORMULA, OWNED_PARTS, Formulas, again, needs
from engine.scenarios.asked import api_sources, grain_of
from engine.scenarios.grains import Grain, make_grain
from engine.scenarios.sources import (
    BOOKS,
    CONFIGURED,
    CROSSINGS,
    HOURS_OF_USE,
    OWNERSHIP,
    SEARCHED,
    VOLUMES,
    WAYS,
    Filled,
    Key,
    Looked,
    Named,
    Setting,
    Source,
    Sum,
    Varied,
    may_be_unknown,
)
from engine.sheets import HARDWARE, SETTINGS
from engine.units import AnyFigure, Count, HoursPerDay, Months, TokensPerMonth
from engine.workbook.read import Inputs

HOURS = (4, 8, 12, 16, 20, 24)  # of use a day
MONTHS_A_YEAR = 12

BREAK_EVENS = ("one_year_break_even_hours", "three_year_break_even_hours", "owned_break_even_hours")
_TERMS = (
    *("slice_rented_cost", "slice_one_year_cost", "slice_three_year_cost", "slice_owned_cost"),
    *("cheapest_slice_cost", "cheapest_term", "slice_saving"),
)
_BOOKED = ("node_depreciation", "node_book_value", "node_booked_cost", "booked_cost")
# The figures of WAYS that a search of crossovers starts from, by the way that needs them.
_STEPS = ("replica_tokens", "prefill_replica_tokens", "shared_pool", "minimum_replicas")
RENTED = (*_STEPS, "replicas_per_node", "nodes_per_replica", "rented_node_cost")
OWNED = ("own_base_cost", "node_month_cost")
CALLED = ("api_token_price",)


@dataclass(frozen=True)
class Crossing:
    """What a search found for one way to serve: its answer in words, the first token, and how far it looked."""

    way: str
    answer: str
    first_tokens: float  # NaN where none was found
    searched_tokens: float


def _formulas(names: Sequence[str], given: Sequence[str]) -> Formulas:
    """Some formulas and all that they need, but for what is given or filled in."""
    filled_in = [column.name for sheet in (HARDWARE, SETTINGS) for column in sheet.columns]
    wanted = behind(names, [*given, *filled_in], EVERY_FORMULA)
    return {name: formula for name, formula in EVERY_FORMULA.items() if name in wanted}


def _needed(formulas: Formulas) -> list[str]:
    return sorted(set().union(*(needs(formula) for formula in formulas.values())) - set(formulas))


def _hardware(column: str) -> Looked:
    return Looked(HARDWARE, HARDWARE.column(column), "hardware")


def ownership(inputs: Inputs) -> dict[str, Grain]:
    """Every accelerator whose servers have a purchase price: an hour of it, the books, and terms by hours of use.

    Nothing where no price is given.
    """
    bought = [row for row in inputs.tables[HARDWARE.name] if not math.isnan(row["node_purchase_price"])]
    if not bought:
        return {}
    names = np.array([row["hardware"] for row in bought])
    formulas = _formulas((*OWNED_PARTS, "owned_cost", *BREAK_EVENS), ("rented_price",))
    own = {column.name for column in HARDWARE.columns}
    sources: dict[str, Source] = {"hardware": Key(), "rented_price": _hardware("on_demand_price")}
    for name in _needed(formulas):
        if name not in sources:
            sources[name] = _hardware(name) if name in own else Setting(SETTINGS.column(name))
    grains = {OWNERSHIP: _with_blanks(OWNERSHIP, {"hardware": names}, sources, formulas, inputs, {})}
    grains[BOOKS] = _books(inputs, grains)
    compared = [str(row["hardware"]) for row in bought if row["on_demand_price"] > 0]
    if compared:
        grains[HOURS_OF_USE] = _hours_of_use(compared, inputs, grains)
    return grains


def _with_blanks(
    name: str,
    keys: Columns,
    sources: Mapping[str, Source],
    formulas: Formulas,
    inputs: Inputs,
    grains: Mapping[str, Grain],
) -> Grain:
    unknown = [quantity for quantity, source in sources.items() if may_be_unknown(source)]
    return make_grain(name, keys, sources, formulas, inputs, grains, unknown=unknown)


def _of_ownership(grains: Mapping[str, Grain], *quantities: str) -> dict[str, Source]:
    annotation = grains[OWNERSHIP].annotation
    return {name: Varied(OWNERSHIP, name, "hardware", annotation(name)) for name in quantities}


def _books(inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    """What the books show of a server in each year of its life, and after it."""
    owned = grains[OWNERSHIP]
    rows = [
        (str(key), year)
        for key, life in zip(owned.keys, owned.values["service_life"], strict=True)
        for year in range(math.ceil(life) + 1)
    ]
    keys: Columns = {
        "year_in_service": np.array([_year_in_service(owned, key, year) for key, year in rows]),
        "hardware": np.array([key for key, _ in rows]),
        "months_in_service": np.array([year * MONTHS_A_YEAR for _, year in rows], dtype=float),
    }
    formulas = {name: EVERY_FORMULA[name] for name in _BOOKED}
    sources: dict[str, Source] = {
        "year_in_service": Key(),
        "hardware": Key(),
        "months_in_service": Key(Months),
        **_of_ownership(grains, *(name for name in _needed(formulas) if name != "months_in_service"), "owned_cost"),
    }
    return _with_blanks(BOOKS, keys, sources, formulas, inputs, grains)


def _year_in_service(owned: Grain, key: str, year: int) -> str:
    return f"{key}, year {year + 1}" if year < owned.value("service_life", key) else f"{key}, after its life"


def _hours_of_use(compared: Sequence[str], inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    """The terms on which an accelerator costs least, by the hours a day that it is needed."""
    rows = [(name, hours) for name in compared for hours in HOURS]
    keys: Columns = {
        "use": np.array([f"{name}, {hours} hours a day" for name, hours in rows]),
        "hardware": np.array([name for name, _ in rows]),
        "hours_used": np.array([hours for _, hours in rows], dtype=float),
    }
    # A price of 0 is one that is not known, and left out.
    sources: dict[str, Source] = {
        "use": Key(),
        "hardware": Key(),
        "hours_used": Key(HoursPerDay),
        "rented_price": Filled(_hardware("on_demand_price"), 0.0),
        "one_year_price": Filled(_hardware("one_year_price"), 0.0),
        "three_year_price": Filled(_hardware("three_year_price"), 0.0),
        **_of_ownership(grains, "owned_cost"),
    }
    formulas = {name: EVERY_FORMULA[name] for name in _TERMS}
    return make_grain(HOURS_OF_USE, keys, sources, formulas, inputs, grains)


def ways(inputs: Inputs, grains: Mapping[str, Grain], base: str, competitor: str) -> Grain:
    """One row: what a month of `base` is made of on nodes of one's own, on rented ones, and from an API.

    Without a purchase price nothing is said of owning, and without a competitor nothing of an API.
    """
    configured = grains[CONFIGURED]
    hardware = str(configured.value("hardware", base))
    is_owned = OWNERSHIP in grains and hardware in grains[OWNERSHIP].keys
    keys: Columns = {name: np.array([value]) for name, value in (("configuration", base), ("hardware", hardware))}
    sources: dict[str, Source] = {"configuration": Key(), "hardware": Key()}
    figures = ["today_tokens", *RENTED]
    if competitor:
        keys["competitor"] = np.array([competitor])
        sources |= {"competitor": Key(), **api_sources()}
        figures += CALLED
    sources["accelerators_per_node"] = _hardware("accelerators_per_node")
    for name in ("shared_pool", "minimum_replicas"):
        sources[name] = Varied(CONFIGURED, name, "configuration", configured.annotation(name))
    if is_owned:
        sources |= _of_ownership(grains, "node_cost")
        sources["own_base_cost"] = Setting(SETTINGS.column("own_base_cost"))
        figures += OWNED
    formulas = _formulas(figures, [*sources, *configured.values])
    return grain_of(WAYS, keys, sources, formulas, grains, (CONFIGURED, "configuration"), inputs)


def searched_figures(grain: Grain) -> list[str]:
    """The figures of WAYS that a search starts from."""
    return [name for name in (*RENTED, *OWNED, *CALLED) if name in grain.values]


def volume_key(tokens: float) -> str:
    """How VOLUMES names a volume."""
    return f"{tokens:,.0f} token{'' if tokens == 1 else 's'}"


def volumes(inputs: Inputs, grains: Mapping[str, Grain], tokens: Sequence[int]) -> Grain:
    """What each of these volumes costs in a month in every way there is, and which way costs least."""
    base = str(grains[WAYS].keys[0])
    keys: Columns = {
        "volume": np.array([volume_key(volume) for volume in tokens]),
        "configuration": np.array([base] * len(tokens)),
        "monthly_tokens": np.array(tokens, dtype=float),
    }
    sources: dict[str, Source] = {"volume": Key(), "configuration": Key(), "monthly_tokens": Key(TokensPerMonth)}
    formulas = _volume_formulas(OWNED[0] in grains[WAYS].values, CALLED[0] in grains[WAYS].values)
    return grain_of(VOLUMES, keys, sources, formulas, grains, (WAYS, "configuration"), inputs)


def _volume_formulas(is_owned: bool, is_called: bool) -> Formulas:
    """The formulas of the ways there are; the cheapest way is that of two, or of all three."""
    which = "cheapest_way" if is_owned and is_called else "own_or_rent" if is_owned else "rent_or_api"
    ways = [*(["own"] if is_owned else []), "rent", *(["api"] if is_called else [])]
    wanted = behind(
        [which, *(f"{way}_token_cost" for way in ways)],
        [*RENTED, *OWNED, *CALLED, "monthly_tokens"],
        CROSSOVER_FORMULAS,
    )
    chosen = {name: formula for name, formula in CROSSOVER_FORMULAS.items() if name in wanted and name != which}
    return chosen | _under("cheapest_way", which)


def _under(name: str, which: str) -> Formulas:
    """A formula under another name."""
    formula = CROSSOVER_FORMULAS[which]
    first = needs(formula)[0]
    return again({which: formula}, "", **{first: first, which: name})


def searched(inputs: Inputs, grains: Mapping[str, Grain], figures: Mapping[str, float]) -> Grain:
    """The figures that a search started from, frozen as they were, beside what they are now."""
    keys: Columns = {
        "figure_name": np.array(list(figures)),
        "configuration": np.array([str(grains[WAYS].keys[0])] * len(figures)),
        "searched_figure": np.array(list(figures.values()), dtype=float),
    }
    sources: dict[str, Source] = {
        "figure_name": Key(),
        "configuration": Key(),
        "searched_figure": Key(AnyFigure),
        "figure": Named(WAYS, "figure_name"),
    }
    formulas = {"figure_changed": CROSSOVER_FORMULAS["figure_changed"]}
    return make_grain(SEARCHED, keys, sources, formulas, inputs, grains)


def crossings(inputs: Inputs, grains: Mapping[str, Grain], found: Sequence[Crossing]) -> Grain:
    """What was found for each way: values of a search, and whether they still stand for the figures of today."""
    keys: Columns = {
        "way": np.array([crossing.way for crossing in found]),
        "configuration": np.array([str(grains[WAYS].keys[0])] * len(found)),
        "answer": np.array([crossing.answer for crossing in found]),
        "first_tokens": np.array([crossing.first_tokens for crossing in found]),
        "searched_tokens": np.array([crossing.searched_tokens for crossing in found]),
    }
    sources: dict[str, Source] = {
        "way": Key(),
        "configuration": Key(),
        "answer": Key(),
        "first_tokens": Key(TokensPerMonth),
        "searched_tokens": Key(TokensPerMonth),
        "figures_changed": Sum(SEARCHED, "figure_changed", Count, "configuration"),
    }
    formulas = {"search_verdict": CROSSOVER_FORMULAS["search_verdict"]}
    return make_grain(CROSSINGS, keys, sources, formulas, inputs, grains)
