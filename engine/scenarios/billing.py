"""Billing: price lists within the month, what a request of each class is billed, and what a traffic pays under a list.

Says which rows these grains have and where each input is read. Knows neither Excel nor what is inside a formula.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from engine.calculation import Columns
from engine.formulas import (
    BILLED_FORMULAS,
    BUCKET_PRICES,
    LIST_TERMS,
    PRICE_LIST_FORMULAS,
    PRICE_ROW_FORMULAS,
    TARIFF_FORMULAS,
    needs,
)
from engine.scenarios.grains import Grain, make_grain
from engine.scenarios.sources import (
    BILLED,
    LINES,
    PRICE_LISTS,
    PRICE_ROWS,
    TARIFFS,
    DayOf,
    DaysBilled,
    Filled,
    Key,
    Known,
    Largest,
    Looked,
    MonthStart,
    Source,
    Sum,
    Varied,
)
from engine.sheets import CONFIGURATIONS, PRICES
from engine.units import Count, DollarsPerSecond, Number, Share, TokensPerRequest, TokensPerSecond
from engine.workbook.read import Inputs

OPEN_END = 2958465  # 9999-12-31, the last day that a workbook knows


def billing_grains(inputs: Inputs, grains: Mapping[str, Grain]) -> Iterator[Grain]:
    """The grains that a configuration's revenue rests on, each on those before it."""
    made = dict(grains)
    for make in (_price_rows, _price_lists, _billed, _tariffs):
        grain = make(inputs, made)
        made[grain.name] = grain
        yield grain


def _price_rows(inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    """Rows of the sheet Prices, each with its days in the month."""
    table = inputs.tables[PRICES.name]

    def cell(name: str) -> Looked:
        return Looked(PRICES, PRICES.column(name), "place", placed=True)

    keys: Columns = {
        "price_row": np.array([f"{row['price_list']} from {row['valid_from']:%Y-%m-%d}" for row in table]),
        "price_list": table.columns["price_list"],
        "place": np.arange(1.0, len(table) + 1),
    }
    sources: dict[str, Source] = {
        "price_row": Key(),
        "price_list": Key(),
        "place": Key(Count),
        "valid_from": DayOf(cell("valid_from")),
        "valid_until": DayOf(cell("valid_until"), OPEN_END),
        "month_start": MonthStart(),
        "days_in_month": DaysBilled(),
        **{f"row_{price}": Filled(cell(price), 0.0) for price in BUCKET_PRICES},
        **{f"has_row_{price}": Known(cell(price)) for price in BUCKET_PRICES},
        "long_context_threshold": cell("long_context_threshold"),
        **{term: cell(term) for term in LIST_TERMS},
    }
    return make_grain(PRICE_ROWS, keys, sources, PRICE_ROW_FORMULAS, inputs, grains)


def _price_lists(inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    """Price lists: every price and term of the month."""

    def of_rows(quantity: str, annotation: object) -> Sum:
        return Sum(PRICE_ROWS, quantity, annotation, "price_list")

    keys: Columns = {"price_list": np.array(list(dict.fromkeys(inputs.tables[PRICES.name].columns["price_list"])))}
    sources: dict[str, Source] = {
        "price_list": Key(),
        "covered_share": of_rows("valid_share", Share),
        **{price: of_rows(f"{price}_part", PRICES.column(price).annotation) for price in BUCKET_PRICES},
        **{f"has_{price}": of_rows(f"{price}_share", Share) for price in BUCKET_PRICES},
        "list_threshold": Largest(PRICE_ROWS, "valid_threshold", "price_list", TokensPerRequest),
        **{f"{term}_parts": of_rows(f"{term}_part", Number) for term in LIST_TERMS},
    }
    return make_grain(PRICE_LISTS, keys, sources, PRICE_LIST_FORMULAS, inputs, grains)


def _tariff_names(inputs: Inputs) -> list[tuple[str, str]]:
    """The traffics and price lists that some configuration brings together."""
    columns = inputs.tables[CONFIGURATIONS.name].columns
    return list(dict.fromkeys(zip(columns["traffic"].tolist(), columns["price_list"].tolist(), strict=True)))


def billed_name(traffic: str, traffic_class: str, price_list: str) -> str:
    """What the row of a class within a traffic under a price list is called."""
    return f"{traffic_class} of {traffic} at {price_list}"


def _billed(inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    """A request of every class within a traffic, under every price list that a configuration of it names."""
    lines = grains[LINES]
    of_traffic: dict[str, list[str]] = {}
    for traffic, traffic_class in zip(lines.values["traffic"], lines.values["traffic_class"], strict=True):
        of_traffic.setdefault(str(traffic), []).append(str(traffic_class))
    rows = [
        (traffic, traffic_class, price_list)
        for traffic, price_list in _tariff_names(inputs)
        for traffic_class in of_traffic[traffic]
    ]
    keys: Columns = {
        "billed_request": np.array([billed_name(*row) for row in rows]),
        "traffic": np.array([row[0] for row in rows]),
        "traffic_class": np.array([row[1] for row in rows]),
        "price_list": np.array([row[2] for row in rows]),
    }
    sources: dict[str, Source] = {name: Key() for name in keys}
    needed = set().union(*(needs(formula) for formula in BILLED_FORMULAS.values())) - set(BILLED_FORMULAS)
    for quantity in sorted(needed):
        if quantity in lines.values:
            sources[quantity] = Sum(LINES, quantity, lines.annotation(quantity), ("traffic", "traffic_class"))
        else:
            annotation = grains[PRICE_LISTS].annotation(quantity)
            sources[quantity] = Varied(PRICE_LISTS, quantity, "price_list", annotation)
    return make_grain(BILLED, keys, sources, BILLED_FORMULAS, inputs, grains)


def _tariffs(inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    """A traffic under a price list: which share of its list value it brings, over all its classes."""
    pairs = _tariff_names(inputs)
    keys: Columns = {
        "tariff": np.array([f"{traffic} at {price_list}" for traffic, price_list in pairs]),
        "traffic": np.array([traffic for traffic, _ in pairs]),
        "price_list": np.array([price_list for _, price_list in pairs]),
    }
    both = ("traffic", "price_list")
    sources: dict[str, Source] = {
        **{name: Key() for name in keys},
        "traffic_list": Sum(BILLED, "weighted_list", DollarsPerSecond, both),
        "traffic_net": Sum(BILLED, "weighted_net", DollarsPerSecond, both),
        "traffic_fresh": Sum(BILLED, "weighted_fresh", TokensPerSecond, both),
        "traffic_written": Sum(BILLED, "weighted_written", TokensPerSecond, both),
    }
    return make_grain(TARIFFS, keys, sources, TARIFF_FORMULAS, inputs, grains)
