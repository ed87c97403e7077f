"""Ledger: every class on every configuration that serves it, with what it brings and costs, and other costs beside it.

Says which rows these grains have and where each input is read. Knows neither Excel nor what is inside a formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from engine.calculation import Columns
from engine.formulas import (
    LEDGER_FORMULAS,
    OTHER_COST_FORMULAS,
    PART_FORMULAS,
    PROFIT_FORMULAS,
    PROFIT_LINE_FORMULAS,
    TOTAL_FORMULAS,
    needs,
)
from engine.scenarios.billing import billed_name
from engine.scenarios.grains import Grain, make_grain
from engine.scenarios.joins import bill_sources, sum_sources
from engine.scenarios.sources import (
    BILLED,
    BY_CLASS,
    BY_MODEL,
    BY_TRAFFIC,
    CONFIGURED,
    LEDGER,
    LINES,
    OTHER_COST_LINES,
    PROFIT_LINES,
    TOTAL,
    DaysBilled,
    Key,
    Looked,
    Matched,
    Said,
    Setting,
    Source,
    Sum,
    Varied,
)
from engine.sheets import MODELS, OTHER_COSTS, SETTINGS
from engine.units import (
    DollarsPerMillionTokens,
    DollarsPerMonth,
    DollarsPerRequest,
    Share,
    Text,
)
from engine.workbook.read import Inputs

# What an amount is, by its driver.
DRIVEN = {
    "month": ("cost_per_month", DollarsPerMonth),
    "request": ("cost_per_request", DollarsPerRequest),
    "million tokens": ("cost_per_million_tokens", DollarsPerMillionTokens),
    "replica": ("cost_per_replica", DollarsPerMonth),
    "revenue": ("payment_fee_share", Share),
}
# What a row of other costs is multiplied by, over all lines that it belongs to.
MATCHED = {
    "matched_bill": "line_bill",
    "matched_requests": "served_requests",
    "matched_tokens": "line_tokens",
    "matched_replicas": "line_replicas",
    "matched_revenue": "net_revenue",
}
# What every whole sums over the ledger.
OF_LEDGER = [
    "served_requests",
    "unbilled_requests",
    "unpriced_requests",
    "unbilled_tokens",
    "list_value",
    "free_value",
    "retry_value",
    "aborted_value",
    "internal_value",
    "discounts",
    "gross_billing",
    "credits",
    "refunds",
    "plain_input_revenue",
    "cache_write_revenue",
    "cache_read_revenue",
    "output_revenue",
    "reasoning_revenue",
    "prefill_month",
    "decode_month",
    "idle_month",
    "storage_month",
    "transfer_month",
    "prefill_contribution",
    "cache_contribution",
    "decode_contribution",
    "cross_subsidy",
]
OF_PROFIT_LINES = ("fixed_other_cost", "variable_cost", "payouts", "other_cost")
# Wholes that are not made of configurations sum over the ledger what others sum over configurations.
OF_PARTS = {
    "mean_load": "line_load",
    "sold_tokens": "line_tokens",
    "revenue": "net_revenue",
    "fleet_cost": "line_bill",
    "idle_cost": "line_idle_cost",
}


def _needed(formulas: Mapping[str, Any]) -> list[str]:
    return sorted(set().union(*(needs(formula) for formula in formulas.values())) - set(formulas))


def ledger_grains(inputs: Inputs, grains: Mapping[str, Grain]) -> Iterator[Grain]:
    """The grains of profit and loss, each on those before it."""
    made = dict(grains)
    for make in (_ledger, _other_costs, _profit_lines, _by_traffic, _by_model, _by_class, _total):
        grain = make(inputs, made)
        made[grain.name] = grain
        yield grain


def _ledger(inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    """A row for every class that a serving configuration serves."""
    configured, lines, billed = grains[CONFIGURED], grains[LINES], grains[BILLED]
    classes: dict[str, list[str]] = {}
    for traffic, traffic_class in zip(lines.values["traffic"], lines.values["traffic_class"], strict=True):
        classes.setdefault(str(traffic), []).append(str(traffic_class))
    rows = [
        (str(key), str(configured.value("traffic", key)), traffic_class, str(configured.value("price_list", key)))
        for key in configured.keys
        if configured.value("counts", key)
        for traffic_class in classes[str(configured.value("traffic", key))]
    ]
    keys: Columns = {
        "line": np.array([f"{row[0]}: {row[2]}" for row in rows]),
        "configuration": np.array([row[0] for row in rows]),
        "traffic": np.array([row[1] for row in rows]),
        "traffic_class": np.array([row[2] for row in rows]),
        "billed_request": np.array([billed_name(*row[1:]) for row in rows]),
    }
    sources: dict[str, Source] = {name: Key() for name in keys}
    sources["model"] = Varied(CONFIGURED, "model", "configuration", Text)
    sources["spread_idle"] = Setting(SETTINGS.column("idle"))
    # What a class has of its own comes before what its configuration has on average.
    own = ("input_tokens", "output_tokens", "reasoning_tokens", "fresh_input_tokens", "generated_tokens")
    for quantity in (*_needed(LEDGER_FORMULAS), "unpriced_warning"):
        if quantity in sources:
            continue
        if quantity in billed.values:
            annotation = billed.annotation(quantity)
            sources[quantity] = Varied(BILLED, quantity, "billed_request", annotation)
        elif quantity in lines.values and (quantity in own or quantity not in configured.values):
            annotation = lines.annotation(quantity)
            sources[quantity] = Sum(LINES, quantity, annotation, ("traffic", "traffic_class"))
        elif quantity in configured.values:
            annotation = configured.annotation(quantity)
            sources[quantity] = Varied(CONFIGURED, quantity, "configuration", annotation)
        else:
            sources[quantity] = Setting(SETTINGS.column(quantity))
    return make_grain(LEDGER, keys, sources, LEDGER_FORMULAS, inputs, grains)


_SAME_MODEL = (("model",), ("model",))


def _other_costs(inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    """Rows of the sheet Other costs, each over the lines of the ledger that it belongs to."""
    table = inputs.tables[OTHER_COSTS.name]

    def cell(name: str) -> Looked:
        return Looked(OTHER_COSTS, OTHER_COSTS.column(name), "other_cost_line")

    keys: Columns = {"other_cost_line": table.columns["other_cost_line"]}
    by = (_SAME_MODEL, (("traffic",), ("traffic", "traffic_class")))
    sources: dict[str, Source] = {
        "other_cost_line": Key(),
        **{name: cell(name) for name in ("driver", "model", "traffic")},
        **{name: Said(cell("amount"), cell("driver"), word, unit) for word, (name, unit) in DRIVEN.items()},
        **{
            name: Matched(LEDGER, quantity, grains[LEDGER].annotation(quantity), by)
            for name, quantity in MATCHED.items()
        },
    }
    return make_grain(OTHER_COST_LINES, keys, sources, OTHER_COST_FORMULAS, inputs, grains)


def _profit_lines(inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    """The lines of the ledger again, with the other costs that fall on them."""
    ledger, costs = grains[LEDGER], grains[OTHER_COST_LINES]
    keys: Columns = {"line": ledger.keys}
    names = ("configuration", "traffic", "traffic_class", "model")
    by = (_SAME_MODEL, (("traffic", "traffic_class"), ("traffic",)))
    sources: dict[str, Source] = {"line": Key(), **{name: Varied(LEDGER, name, "line", Text) for name in names}}
    for quantity in _needed(PROFIT_LINE_FORMULAS):
        if quantity in ledger.values:
            sources[quantity] = Varied(LEDGER, quantity, "line", ledger.annotation(quantity))
        elif quantity in costs.values:
            sources[quantity] = Matched(OTHER_COST_LINES, quantity, costs.annotation(quantity), by)
        else:
            sources[quantity] = Looked(MODELS, MODELS.column(quantity), "model")
    return make_grain(PROFIT_LINES, keys, sources, PROFIT_LINE_FORMULAS, inputs, grains)


def _of_lines(grains: Mapping[str, Grain], by: str) -> dict[str, Source]:
    """What every whole sums over the ledger and over other costs, and what it takes from the Settings."""
    ledger, lines = grains[LEDGER], grains[PROFIT_LINES]
    return {
        **{name: Sum(LEDGER, name, ledger.annotation(name), by) for name in OF_LEDGER},
        **{name: Sum(PROFIT_LINES, name, lines.annotation(name), by) for name in OF_PROFIT_LINES},
        "target_margin": Setting(SETTINGS.column("target_margin")),
        "days_in_month": DaysBilled(),
    }


def _whole(name: str, key: str, names: Iterable[str], by: str, inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    """Configurations together, with what their lines come to."""
    bills = bill_sources(grains) if not by else {}
    sources = {key: Key(), **sum_sources(by), **bills, **_of_lines(grains, by)}
    return make_grain(name, {key: np.array(list(names))}, sources, TOTAL_FORMULAS | PROFIT_FORMULAS, inputs, grains)


def _by_traffic(inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    names = dict.fromkeys(grains[LEDGER].values["traffic"].tolist())
    return _whole(BY_TRAFFIC, "traffic", names, "traffic", inputs, grains)


def _total(inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    return _whole(TOTAL, "total", ["Total"], "", inputs, grains)


def _part(name: str, key: str, inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    """Lines together that are not whole configurations."""
    ledger = grains[LEDGER]
    names = np.array(list(dict.fromkeys(ledger.values[key].tolist())))
    parts = {part: Sum(LEDGER, quantity, ledger.annotation(quantity), key) for part, quantity in OF_PARTS.items()}
    sources = {key: Key(), **parts, **_of_lines(grains, key)}
    return make_grain(name, {key: names}, sources, PART_FORMULAS, inputs, grains)


def _by_model(inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    return _part(BY_MODEL, "model", inputs, grains)


def _by_class(inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    return _part(BY_CLASS, "traffic_class", inputs, grains)
