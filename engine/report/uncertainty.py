"""Uncertainties, a sheet of values: what the draws come to, how they were drawn, and whether they still stand.

Decides which figures stand in which column; the PDF shows the same figures. Knows neither openpyxl nor how they look.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.report.live import Live, LiveRow, LiveSheet, LiveTable, as_text, cell_of, live
from engine.report.recommendation import standing_of, typed_numbers
from engine.report.values import Head
from engine.report.words import listed, sentence
from engine.scenarios import BY_TRAFFIC, CONFIGURED, TOTAL, Grain, Scenario
from engine.sheets import BY_NAME, EMPIRICAL, NORMAL, SETTINGS, UNCERTAINTY, UNIFORM
from engine.spreads import Spread
from engine.studies.draws import Factor
from engine.studies.uncertainty import Influence, Outcome, Uncertain
from engine.units import (
    Count,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    Number,
    Share,
    digits,
    in_currency,
    plain,
    unit_of,
)
from engine.workbook.tables import Row
from engine.workbook.uncertainty import is_each

NAME = "Uncertainties"
PROFIT, COST, SOURCES, ENOUGH, ABOVE, STANDING = (
    "Gross profit, $ a month",
    "Cost per million tokens, all-in and of answers alone",
    "What the spread comes from",
    "Whether there are enough draws, gross profit in $ a month",
    "How likely more is, gross profit in $ a month",
    "How it was drawn, and whether it stands",
)
KEPT = "Keeps what is promised"
RANGE = ("P10", "P50", "P90")


def uncertainties(scenario: Scenario, found: Uncertain) -> LiveSheet:
    """What the draws came to; the figures of the month beside it are live, all else are values."""
    sentence = (
        f"{digits(found.draws)} draws, seed {found.seed}: values, marked below where they no longer stand. "
        "Percentiles of parts do not add up to those of the whole."
    )
    tables = (
        _profits(scenario, found),
        _costs(scenario, found),
        _sources(found),
        _enough(found),
        _standing(scenario),
        _curve(found),
    )
    return LiveSheet(NAME, "How sure the figures are", sentence, tables, landscape=True)


def distributed(scenario: Scenario, found: Uncertain, factor: Factor) -> str:
    """How a factor was drawn, in words."""
    names = list(dict.fromkeys(found.drivers[place].name for place in factor.drivers))
    if len(names) > 1:
        return f"{listed(names)}; correlation {_percent(factor.correlation)}"
    row = row_of(scenario, names[0])
    words = _distribution(row, found.drivers[factor.drivers[0]].spread)
    if not is_each(row):
        return words
    keys = BY_NAME[str(row["input_sheet"])].keys
    # Where two columns name a row, its first one may stand in several.
    what = "row" if len(keys) > 1 else keys[0].name.replace("_", " ")
    return f"{words}, each {what} by itself"


def row_of(scenario: Scenario, name: str) -> Row:
    """The row of an uncertain input."""
    row = scenario.inputs.tables[UNCERTAINTY.name].find(name)
    assert row is not None  # it was drawn from there
    return row


def _distribution(row: Row, spread: Spread) -> str:
    kind = str(row["distribution"])
    if kind == EMPIRICAL:
        return f"{kind}, {len(spread.points)} measured points"
    if row["low"] == row["low"]:
        ends = f"{_percent(spread.low)} to {_percent(spread.high)} of the value"
        return f"{kind}, {ends}" if kind == UNIFORM else f"{kind}, {ends}, {_percent(spread.likely)} likeliest"
    mean = "" if spread.likely == 1 else f" around {_percent(spread.likely)}"
    return f"{kind if kind == NORMAL else 'log-normal'}, deviation {_percent(spread.deviation)}{mean}"


def _percent(share: float) -> str:
    return f"{plain(round(share * 100, 4))}%"


def _range(outcome: Outcome, annotation: Any) -> Iterator[Live]:
    for value in (outcome.low, outcome.middle, outcome.high):
        yield _value(value, annotation)


def _value(value: float, annotation: Any) -> Live:
    """A value; an empty cell where there is none."""
    return Live(value if value == value else None, annotation, "")


def _heads(annotation: Any, month: str, chance: str) -> tuple[Head, ...]:
    unit = unit_of(annotation).symbol
    ranged = (Head(name, annotation, unit) for name in RANGE)
    return (Head(month, annotation, unit), *ranged, Head(chance, Share))


def _profits(scenario: Scenario, found: Uncertain) -> LiveTable:
    total = scenario[TOTAL]

    def line(grain: Grain, quantity: str, outcome: Outcome, key: str, name: str, style: str) -> LiveRow:
        month, annotation = live(grain, quantity, key), grain.annotation(quantity)
        chance = _value(outcome.chance, Share)
        return LiveRow((as_text(name), month, *_range(outcome, annotation), chance), style)

    rows = [
        line(scenario[BY_TRAFFIC], "gross_profit", each, each.name, each.name, "plain") for each in found.traffics
    ]
    rows.append(line(total, "gross_profit", found.profit, "Total", "Total", "total"))
    rows.append(line(total, "gross_margin", found.margin, "Total", "Gross margin", "key"))
    heads = _heads(DollarsPerMonth, "This month", "Probability of a profit")
    return LiveTable((Head("Traffic"), *heads), tuple(rows), in_currency(PROFIT))


def _costs(scenario: Scenario, found: Uncertain) -> LiveTable:
    grain = scenario[CONFIGURED]
    heads = [Head("Configuration")]
    for name in ("All-in", "Answers"):
        unit = unit_of(DollarsPerMillionTokens).symbol
        heads += [Head(head, DollarsPerMillionTokens, unit) for head in (f"{name}, this month", *RANGE)]
    pairs = zip(found.costs["blended_cost"], found.costs["output_cost"], strict=True)
    rows = tuple(
        LiveRow(
            (
                as_text(blended.name),
                live(grain, "blended_cost", blended.name),
                *_range(blended, DollarsPerMillionTokens),
                live(grain, "output_cost", blended.name),
                *_range(output, DollarsPerMillionTokens),
                _value(blended.chance, Share),
            )
        )
        for blended, output in pairs
    )
    return LiveTable((*heads, Head(KEPT, Share)), rows, COST)


def by_influence(found: Uncertain) -> list[Influence]:
    """The factors, the one with the largest share of the variance first."""
    return sorted(found.influences, key=lambda each: -each.total if each.total == each.total else 0.0)


def _sources(found: Uncertain) -> LiveTable:
    heads = (
        Head("Input"),
        Head("By itself", Share),
        Head("With others", Share),
        Head("Half the draws", Share),
    )
    rows = tuple(
        LiveRow((as_text(each.factor.name), *(_value(v, Share) for v in (each.first, each.total, each.earlier))))
        for each in by_influence(found)
    )
    return LiveTable(heads, rows, SOURCES)


def _enough(found: Uncertain) -> LiveTable:
    heads = (Head("Draws"), *(Head(name, DollarsPerMonth, unit_of(DollarsPerMonth).symbol) for name in RANGE))
    rows = tuple(
        LiveRow((as_text(words), *(_value(value, DollarsPerMonth) for value in values)))
        for words, values in found.settled
    )
    return LiveTable(heads, rows, in_currency(ENOUGH))


def _curve(found: Uncertain) -> LiveTable:
    heads = (Head("Gross profit above", DollarsPerMonth, unit_of(DollarsPerMonth).symbol), Head("Probability", Share))
    rows = tuple(
        LiveRow((_value(value, DollarsPerMonth), _value(share, Share))) for value, share in found.curve
    )
    return LiveTable(heads, rows, in_currency(ABOVE))


def _standing(scenario: Scenario) -> LiveTable:
    """What the draws rest on, then and now; of what is typed on the sheet Uncertainty the sum of its numbers."""
    total = scenario[TOTAL]
    typed, cells = typed_numbers(scenario, UNCERTAINTY)
    rests: list[tuple[str, Any, float, str]] = [
        (words, DollarsPerMonth, total.value(name, "Total"), cell_of(total, name, "Total"))
        for words, name in (("Gross profit of the month", "gross_profit"), ("Accelerator bill of it", "fleet_cost"))
    ]
    rests.append(("Numbers on Uncertainty, added up", Number, typed, cells))
    settings = Row(scenario.inputs.tables[SETTINGS.name], 0)
    for name in ("draws", "seed"):
        then, cell = float(settings[name]), settings.cell(name)
        rests.append((sentence(name), Count, then, f'IF({cell}="",{then:.0f},{cell})'))
    heads = (Head("Rests on"), Head("Then", Number), Head("Now", Number), Head("Whether it stands"))
    rows = tuple(
        LiveRow((as_text(name), Live(then, unit, ""), Live(then, unit, f"={now}"), standing_of(now, then)))
        for name, unit, then, now in rests
    )
    return LiveTable(heads, rows, STANDING)


