"""Assumptions: those that carry the result, with source and age, stale ones first."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from engine.derivation import label
from engine.report.pages.deployments import MOST_ROWS, serving
from engine.report.values import Figure, Head, Row, Section, Table
from engine.report.words import in_words, sentence
from engine.scenarios import CONFIGURED, LINES, Grain, Scenario
from engine.scenarios.currencies import is_own
from engine.sheets import CALIBRATION, CURRENCY, HARDWARE, MODELS, PRICE_BASES, PRICES, TRAFFIC, Sheet
from engine.units import Count, Date, Number, money_in, show, unit_of
from engine.workbook.tables import Row as InputRow

LONGEST_SOURCE = 170  # two lines of the table

# What of a row a reader should see: of accelerators the price that is paid, chosen below.
SHOWN: tuple[tuple[Sheet, str, tuple[str, ...]], ...] = (
    (TRAFFIC, "traffic", ("mean_requests", "peak_requests", "input_tokens", "output_tokens", "reasoning_tokens")),
    (PRICES, "price_list", ("input_price", "output_price")),
    (MODELS, "model", ("total_parameters",)),
    (CALIBRATION, "calibration", ("weight_bandwidth_share", "prefill_compute_share")),
)


@dataclass(frozen=True)
class Assumption:
    """One input cell behind the result, and the bill of the configurations that rest on it."""

    cell: str
    name: str
    value: Any
    annotation: Any
    currency: str  # of an amount that is in another than the report's
    source: str
    checked_on: date
    age: int
    unverified: bool
    bill: float


def assumptions(scenario: Scenario) -> Section:
    """The assumptions that carry the result: stale ones first, then those that most money rests on."""
    limit = int(scenario.inputs.settings["staleness_limit"])
    found = sorted(_found(scenario), key=lambda item: (item.age <= limit, not item.unverified, -item.bill))
    stale = sum(item.age > limit for item in found)
    table = Table(
        "Assumptions that carry the result",
        f"{min(len(found), MOST_ROWS)} of {len(found)}; all of them with their sources on the input sheets",
        (
            Head("Cell", tone="quiet"),
            Head("Assumption"),
            Head("Value", Number, tone="strong"),
            Head("Source"),
            Head("Checked on", Date),
            Head("Age", Count, "days"),
            Head("Flag"),
        ),
        tuple(_row(item, limit) for item in found[:MOST_ROWS]),
        None,
        f"Stale: checked more than {limit} days before the end of the month (Settings). Unverified: the sheet says so "
        "of a figure in that row, and it is used as it is.",
    )
    verb = "is" if stale == 1 else "are"
    number = sentence(in_words(stale)) if stale else "None"
    headline = f"{number} of {len(found)} assumptions behind the result {verb} stale"
    return Section("Assumptions", headline, (table,), landscape=True)


def _row(item: Assumption, limit: int) -> Row:
    stale = item.age > limit
    flag = ", ".join(word for word, holds in (("stale", stale), ("unverified", item.unverified)) if holds)
    source = textwrap.shorten(item.source, LONGEST_SOURCE, placeholder=" \u2026")
    flagged = Figure(flag, tone="bad") if stale else flag
    return Row((item.cell, item.name, _value(item), source, item.checked_on, item.age, flagged))


def _value(item: Assumption) -> Figure | str:
    """The value as it was typed; an amount in another currency with that currency's symbol."""
    if not item.currency:
        return Figure(item.value, item.annotation)
    with money_in(item.currency):
        return show(item.value, item.annotation)


def _other_currency(scenario: Scenario, row: InputRow, annotation: Any) -> str:
    if CURRENCY not in row.table.sheet.columns or not unit_of(annotation).is_money:
        return ""
    currency = str(row[CURRENCY.name])
    return "" if is_own(scenario.inputs, currency) else currency


def _found(scenario: Scenario) -> Iterator[Assumption]:
    grain = scenario[CONFIGURED]
    bills: dict[tuple[str, str, str], float] = {}
    for key in serving(grain):
        for sheet, name, columns in _rests_on(scenario, grain, key):
            for column in columns:
                place = (sheet.name, name, column)
                bills[place] = bills.get(place, 0.0) + grain.value("fleet_cost", key)
    month: date = scenario.inputs.settings["report_month"]
    end = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    for (sheet_name, name, column), bill in bills.items():
        table = scenario.inputs.tables[sheet_name]
        row = table.find(name)
        if row is None or (isinstance(row[column], float) and (np.isnan(row[column]) or row[column] == 0)):
            continue
        checked: date = row["checked_on"]
        priced = column in PRICE_BASES.values()
        annotation = table.sheet.column(column).annotation
        yield Assumption(
            row.cell(column),
            f"{name}, {label(column)}",
            row[column],
            annotation,
            _other_currency(scenario, row, annotation),
            str(row["price_source" if priced else "source"]),
            checked,
            max(0, (end - checked).days - 1),
            # The note of an accelerator speaks of its specifications; its prices have a source of their own.
            not priced and "unverified" in str(row["note"]).lower(),
            bill,
        )


def _rests_on(scenario: Scenario, grain: Grain, key: str) -> Iterator[tuple[Sheet, str, tuple[str, ...]]]:
    """Rows of input sheets, with the columns to show, that one configuration rests on."""
    yield (
        HARDWARE,
        str(grain.value("hardware", key)),
        (
            PRICE_BASES[str(grain.value("price_basis", key))],
            "memory_bandwidth",
        ),
    )
    lines = scenario[LINES].values
    for sheet, by, columns in SHOWN:
        name = str(grain.value(by, key))
        classes = lines["traffic_class"][lines["traffic"] == name] if sheet is TRAFFIC else [name]
        for row in classes:
            yield sheet, str(row), columns
