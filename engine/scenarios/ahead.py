"""Ahead: grains of the months to come: a month, a class or configuration in it, and what they add up to.

Says which rows they have and where each input is read. Knows neither Excel's grammar nor what is inside a formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from engine.calculation import Columns
from engine.formulas import EVERY_FORMULA, Formulas, needs
from engine.scenarios.grains import Grain, make_grain, month_ahead
from engine.scenarios.sources import (
    CALENDAR_AHEAD,
    CONFIGURED,
    CONTRACTS_AHEAD,
    DEMAND_AHEAD,
    FLEETS,
    LINES,
    MODEL_OUTLOOK,
    MODELS_AHEAD,
    MONTHS_AHEAD,
    NEEDS_AHEAD,
    PAYBACK,
    PROFIT_LINES,
    TOTALS_AHEAD,
    Crossed,
    DayOf,
    DaysAhead,
    EndDay,
    Key,
    Known,
    Largest,
    Looked,
    Mean,
    OneOf,
    Running,
    Setting,
    Source,
    StartAhead,
    Sum,
    Varied,
)
from engine.sheets import COMMITMENTS, COMMITTED_BASES, CONFIGURATIONS, MONTH_NAMES, SEASONS, SETTINGS, TRAFFIC
from engine.units import Count, Dollars, DollarsPerMonth, Flag, HoursPerMonth, Months, Number, Share, Text
from engine.workbook.read import Inputs
from engine.workbook.tables import Row

Grains = Mapping[str, Grain]

# What the month reported pays beside its fleets.
OTHER_COSTS_OF_TODAY = ("monthly_other_cost", "replica_other_cost", "variable_cost", "payouts")
# What is said of the months to come; without any of it they would only repeat the month reported.
EXPECTED = ("price_decline", "software_speed_up", "rent_change", "investment")
KEY_UNITS = {"months_ahead": Months, "is_ahead": Flag}


def _chosen(names: str) -> Formulas:
    return {name: EVERY_FORMULA[name] for name in names.split()}


CALENDAR_FORMULAS = _chosen("price_factor speed_factor rent_factor")
DEMAND_FORMULAS = _chosen("class_requests demand_factor")
NEED_FORMULAS = _chosen(
    "forward_replicas forward_prefill_replicas forward_accelerators forward_needed_hours forward_claim"
)
CONTRACT_FORMULAS = _chosen("forward_contract_share forward_contract_hours forward_contract_cost")
HELD_FORMULAS = _chosen("claim_share forward_held_hours forward_held_cost")
MONTH_FORMULAS = _chosen(
    "forward_revenue forward_rented_hours forward_committed_share forward_committed_hours forward_committed_cost "
    "forward_rented_cost forward_bill forward_profit forward_other_cost forward_earnings"
)
MODEL_FORMULAS = _chosen("forward_margin earning_months")
TOTAL_FORMULAS = _chosen("forward_mean_accelerators forward_margin forward_balance months_paid_back earning_months")
OUTLOOK_FORMULAS = _chosen("stopping_month earning_verdict")
PAYBACK_FORMULAS = OUTLOOK_FORMULAS | _chosen("payback_month payback_verdict")


@dataclass(frozen=True)
class _Month:
    """A month of the outlook: how far ahead it lies, how its rows are named, and its name in the year."""

    ahead: int
    name: str
    calendar_name: str


def looks_ahead(inputs: Inputs) -> bool:
    """Whether the workbook asks for months ahead, and says of anything how it will change."""
    traffic, configured = inputs.tables[TRAFFIC.name], inputs.tables[CONFIGURATIONS.name]
    said = (
        *(inputs.settings[name] for name in EXPECTED),
        *traffic.columns["demand_growth"],
        *traffic.columns["season"],
        *configured.columns["committed_until"],
        *contracts_that_change(inputs),
    )
    return inputs.settings["forward_months"] > 0 and any(said)


def contracts_that_change(inputs: Inputs) -> list[Row]:
    """Contracts that begin or end within the months to come."""
    first, last = month_ahead(inputs, 1), month_ahead(inputs, inputs.settings["forward_months"] + 1) - timedelta(days=1)
    return [
        row
        for row in inputs.tables[COMMITMENTS.name]
        if first <= row["contract_start"] <= last or first <= row["contract_end"] < last
    ]


def months_ahead(inputs: Inputs, grains: Grains) -> Grains:
    """The grains of the months to come, from the month reported on; none where nothing is asked or nothing serves."""
    served = [str(key) for key in grains[CONFIGURED].keys if grains[CONFIGURED].value("counts", key)]
    if not served or not looks_ahead(inputs):
        return {}
    months = [_month(inputs, ahead) for ahead in range(int(inputs.settings["forward_months"]) + 1)]
    made = dict(grains)
    made[CALENDAR_AHEAD] = _calendar(inputs, made, months)
    made[DEMAND_AHEAD] = _demand(inputs, made, months, served)
    made[NEEDS_AHEAD] = _needs(inputs, made, months, served)
    hardware = {str(grains[CONFIGURED].value("hardware", key)) for key in served}
    contracts = [row for row in inputs.tables[COMMITMENTS.name] if row["hardware"] in hardware]
    if contracts:
        made[CONTRACTS_AHEAD] = _contracts(inputs, made, months, contracts)
    made[MONTHS_AHEAD] = _configurations(inputs, made, months, served)
    models = list(dict.fromkeys(str(grains[CONFIGURED].value("model", key)) for key in served))
    made[MODELS_AHEAD] = _models(inputs, made, months, models)
    made[TOTALS_AHEAD] = _totals(inputs, made, months)
    made[MODEL_OUTLOOK] = _model_outlook(inputs, made, models)
    made[PAYBACK] = _payback(inputs, made)
    return {name: grain for name, grain in made.items() if name not in grains}


def _month(inputs: Inputs, ahead: int) -> _Month:
    first = month_ahead(inputs, ahead)
    return _Month(ahead, f"{first:%Y-%m}", MONTH_NAMES[first.month - 1])


def _grain(
    name: str,
    keys: Columns,
    shown: Mapping[str, Source],
    formulas: Formulas,
    inputs: Inputs,
    grains: Grains,
    looked_up: Mapping[str, Source] | None = None,
    guards: Iterable[str] = (),
) -> Grain:
    """A grain whose keys and `shown` sources have columns; what is `looked_up`, or stands on Settings, has none."""
    every: dict[str, Source] = {key: Key(KEY_UNITS.get(key, Text)) for key in keys}
    every |= {**shown, **(looked_up or {})}
    for quantity in sorted(_needed(formulas) - set(every)):
        every[quantity] = Setting(SETTINGS.column(quantity))
    inlined = [quantity for quantity in every if quantity not in keys and quantity not in shown]
    return make_grain(name, keys, every, formulas, inputs, grains, guards=guards, inlined=inlined)


def _needed(formulas: Formulas) -> set[str]:
    return set().union(*(needs(formula) for formula in formulas.values())) - set(formulas)


def _calendar(inputs: Inputs, grains: Grains, months: list[_Month]) -> Grain:
    keys: Columns = {
        "month": np.array([month.name for month in months]),
        "months_ahead": np.array([float(month.ahead) for month in months]),
    }
    sources: dict[str, Source] = {
        "forward_days": DaysAhead("months_ahead"),
        "month_start": StartAhead("months_ahead"),
        "next_month_start": StartAhead("months_ahead", later=1),
    }
    return _grain(CALENDAR_AHEAD, keys, sources, CALENDAR_FORMULAS, inputs, grains)


def _demand(inputs: Inputs, grains: Grains, months: list[_Month], served: list[str]) -> Grain:
    """Every class within a traffic that is served, in every month."""
    traffics = {str(grains[CONFIGURED].value("traffic", key)) for key in served}
    lines = grains[LINES].values
    of = zip(lines["traffic"].tolist(), lines["traffic_class"].tolist(), lines["line"].tolist(), strict=True)
    rows = [(line, month) for line in of if line[0] in traffics for month in months]
    keys: Columns = {
        "class_month": np.array([f"{_named(*line[:2])}, {month.name}" for line, month in rows]),
        "traffic_month": np.array([f"{line[0]}, {month.name}" for line, month in rows]),
        "traffic_class": np.array([line[1] for line, _ in rows]),
        "line": np.array([line[2] for line, _ in rows]),
        "months_ahead": np.array([float(month.ahead) for _, month in rows]),
        "calendar_month": np.array([month.calendar_name for _, month in rows]),
        "report_month_name": np.array([months[0].calendar_name] * len(rows)),
    }

    def of_class(name: str) -> Looked:
        return Looked(TRAFFIC, TRAFFIC.column(name), "traffic_class")

    sources: dict[str, Source] = {
        "season": of_class("season"),
        "month_season": Crossed(SEASONS, "season", "calendar_month"),
        "report_season": Crossed(SEASONS, "season", "report_month_name"),
    }
    looked_up: dict[str, Source] = {
        "mix_share": Varied(LINES, "mix_share", "line", Share),
        "mean_requests": of_class("mean_requests"),
        "has_demand": Known(of_class("mean_requests")),
        "demand_growth": of_class("demand_growth"),
    }
    return _grain(DEMAND_AHEAD, keys, sources, DEMAND_FORMULAS, inputs, grains, looked_up)


def _named(traffic: str, traffic_class: str) -> str:
    return traffic if traffic == traffic_class else f"{traffic}: {traffic_class}"


def _rows(grains: Grains, months: list[_Month], served: list[str]) -> tuple[list[tuple[str, _Month]], Columns]:
    """Every configuration in every month, and the names by which its rows are found."""
    rows = [(key, month) for key in served for month in months]

    def in_month(quantity: str) -> Any:
        return np.array([f"{grains[CONFIGURED].value(quantity, key)}, {month.name}" for key, month in rows])

    keys: Columns = {
        "configuration_month": np.array([f"{key}, {month.name}" for key, month in rows]),
        "configuration": np.array([key for key, _ in rows]),
        "month": np.array([month.name for _, month in rows]),
        **{f"{quantity}_month": in_month(quantity) for quantity in ("model", "traffic", "hardware")},
    }
    return rows, keys


def _found(formulas: Formulas, known: Iterable[str], grains: Grains, *places: tuple[str, str]) -> dict[str, Source]:
    """What formulas need beside what is known: from the first of the grains that has it, by the key beside it."""
    found: dict[str, Source] = {}
    for quantity in sorted(_needed(formulas) - {*known} | {"fits"}):
        other, by = next(place for place in places if grains[place[0]].has_column(quantity))
        found[quantity] = Varied(other, quantity, by, grains[other].annotation(quantity))
    return found


def _standing(looked_up: Mapping[str, Source], grains: Grains) -> list[str]:
    """What stands only where a configuration fits."""
    return [quantity for quantity in looked_up if quantity in grains[CONFIGURED].guarded]


IN_MONTH, IN_FLEET, IN_CONFIGURED = (CALENDAR_AHEAD, "month"), (FLEETS, "configuration"), (CONFIGURED, "configuration")


def _needs(inputs: Inputs, grains: Grains, months: list[_Month], served: list[str]) -> Grain:
    """What every configuration needs in every month."""
    _, keys = _rows(grains, months, served)
    sources: dict[str, Source] = {
        "demand_factor": Mean(DEMAND_AHEAD, "demand_factor", "class_requests", "traffic_month", Number)
    }
    looked_up = _found(NEED_FORMULAS, {*keys, *sources}, grains, IN_MONTH, IN_FLEET, IN_CONFIGURED)
    stands = _standing(looked_up, grains)
    return _grain(NEEDS_AHEAD, keys, sources, NEED_FORMULAS, inputs, grains, looked_up, stands)


def _contracts(inputs: Inputs, grains: Grains, months: list[_Month], contracts: list[Row]) -> Grain:
    """Every contract for an accelerator that serves, in every month."""
    rows = [(row, month) for row in contracts for month in months]
    keys: Columns = {
        "contract_month": np.array([f"{row['contract']}, {month.name}" for row, month in rows]),
        "contract": np.array([row["contract"] for row, _ in rows]),
        "hardware_month": np.array([f"{row['hardware']}, {month.name}" for row, month in rows]),
        "month": np.array([month.name for _, month in rows]),
    }

    def own(name: str) -> Looked:
        return Looked(COMMITMENTS, COMMITMENTS.column(name), "contract")

    looked_up: dict[str, Source] = {
        **{name: own(name) for name in ("contract_accelerators", "contract_price")},
        **{name: DayOf(own(name)) for name in ("contract_start", "contract_end")},
        **{
            name: Varied(CALENDAR_AHEAD, name, "month", grains[CALENDAR_AHEAD].annotation(name))
            for name in ("month_start", "next_month_start", "forward_days")
        },
    }
    return _grain(CONTRACTS_AHEAD, keys, {}, CONTRACT_FORMULAS, inputs, grains, looked_up)


def _configurations(inputs: Inputs, grains: Grains, months: list[_Month], served: list[str]) -> Grain:
    """What every configuration earns and costs in every month."""
    rows, keys = _rows(grains, months, served)

    def own(name: str) -> Looked:
        return Looked(CONFIGURATIONS, CONFIGURATIONS.column(name), "configuration")

    sources: dict[str, Source] = {}
    formulas = dict(MONTH_FORMULAS)
    if CONTRACTS_AHEAD in grains:
        formulas |= HELD_FORMULAS
        hardware = [str(grains[CONFIGURED].value("hardware", key)) for key, _ in rows]
        keys["pool_configurations"] = np.array([float(hardware.count(each) // len(months)) for each in hardware])
        sources = {
            "pool_configurations": Key(Count),
            "pool_contract_hours": Sum(CONTRACTS_AHEAD, "forward_contract_hours", HoursPerMonth, "hardware_month"),
            "pool_contract_cost": Sum(CONTRACTS_AHEAD, "forward_contract_cost", DollarsPerMonth, "hardware_month"),
            "pool_claim": Sum(NEEDS_AHEAD, "forward_claim", HoursPerMonth, "hardware_month"),
        }
    else:
        # Zeros are no formulas, of which a workbook takes so many.
        keys["forward_held_hours"], keys["forward_held_cost"] = np.zeros((2, len(rows)))
        sources = {"forward_held_hours": Key(HoursPerMonth), "forward_held_cost": Key(DollarsPerMonth)}
    keys["months_ahead"] = np.array([float(month.ahead) for _, month in rows])
    looked_up: dict[str, Source] = {
        "is_committed": OneOf(own("price_basis"), COMMITTED_BASES),
        "committed_until": EndDay(own("committed_until")),
        **{name: Sum(PROFIT_LINES, name, DollarsPerMonth, "configuration") for name in OTHER_COSTS_OF_TODAY},
    }
    places = ((NEEDS_AHEAD, "configuration_month"), IN_MONTH, IN_FLEET, IN_CONFIGURED)
    looked_up |= _found(formulas, {*keys, *sources, *looked_up}, grains, *places)
    return _grain(MONTHS_AHEAD, keys, sources, formulas, inputs, grains, looked_up, _standing(looked_up, grains))


def _sums(names: str, by: str) -> dict[str, Source]:
    """Sums over configurations of what they come to in a month."""
    return {name: Sum(MONTHS_AHEAD, name, DollarsPerMonth, by) for name in names.split()}


def _models(inputs: Inputs, grains: Grains, months: list[_Month], models: list[str]) -> Grain:
    rows = [(model, month) for model in models for month in months]
    keys: Columns = {
        "model_month": np.array([f"{model}, {month.name}" for model, month in rows]),
        "model": np.array([model for model, _ in rows]),
        "months_ahead": np.array([float(month.ahead) for _, month in rows]),
        "is_ahead": np.array([float(month.ahead > 0) for _, month in rows]),
    }
    sources = _sums("forward_revenue forward_earnings", "model_month")
    return _grain(MODELS_AHEAD, keys, sources, MODEL_FORMULAS, inputs, grains)


def _totals(inputs: Inputs, grains: Grains, months: list[_Month]) -> Grain:
    keys: Columns = {
        "month": np.array([month.name for month in months]),
        "months_ahead": np.array([float(month.ahead) for month in months]),
    }
    sources = _sums(
        "forward_revenue forward_bill forward_held_cost forward_profit forward_other_cost forward_earnings",
        "months_ahead",
    )
    sources["forward_needed_hours"] = Sum(NEEDS_AHEAD, "forward_needed_hours", HoursPerMonth, "month")
    days = grains[CALENDAR_AHEAD].annotation("forward_days")
    sources["forward_days"] = Varied(CALENDAR_AHEAD, "forward_days", "month", days)
    sources["earned_so_far"] = Running(MONTHS_AHEAD, "forward_earnings", DollarsPerMonth, "months_ahead")
    return _grain(TOTALS_AHEAD, keys, sources, TOTAL_FORMULAS, inputs, grains)


def _model_outlook(inputs: Inputs, grains: Grains, models: list[str]) -> Grain:
    sources: dict[str, Source] = {
        "outlook_revenue": Sum(MODELS_AHEAD, "forward_revenue", Dollars, "model", "is_ahead"),
        "outlook_earnings": Sum(MODELS_AHEAD, "forward_earnings", Dollars, "model", "is_ahead"),
        "last_earning_months": Largest(MODELS_AHEAD, "earning_months", "model", Months),
    }
    return _grain(MODEL_OUTLOOK, {"model": np.array(models)}, sources, OUTLOOK_FORMULAS, inputs, grains)


def _payback(inputs: Inputs, grains: Grains) -> Grain:
    sources: dict[str, Source] = {
        "outlook_revenue": Sum(MODELS_AHEAD, "forward_revenue", Dollars, "", "is_ahead"),
        "outlook_earnings": Sum(MODELS_AHEAD, "forward_earnings", Dollars, "", "is_ahead"),
        "last_earning_months": Largest(TOTALS_AHEAD, "earning_months", "", Months),
        "most_months_paid_back": Largest(TOTALS_AHEAD, "months_paid_back", "", Months),
    }
    keys: Columns = {"outlook": np.array(["All models"])}
    return _grain(PAYBACK, keys, sources, PAYBACK_FORMULAS, inputs, grains)
