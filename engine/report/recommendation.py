"""The sheet Recommendation of results.xlsx: what to do, and which figures are values with whether they still stand.

Decides what stands in which row; knows neither openpyxl nor how anything looks.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.report.live import Live, LiveRow, LiveSheet, LiveTable, as_text, cell_of, range_of
from engine.report.values import Action, Head
from engine.scenarios import POOLS, TOTAL, WAYS, Scenario
from engine.units import Count, DollarsPerMonth, Number, Text

NAME = "Recommendation"
STANDS, CHANGED = "as calculated", "inputs changed since: run the report again"


def recommendation(scenario: Scenario, actions: Sequence[Action], drawn: bool) -> LiveSheet:
    """Actions with their effects, which a search found, and what in this workbook is a value and no formula.

    `drawn` says whether ranges of uncertain inputs were drawn.
    """
    # The longest last, where it may run on.
    heads = (Head("Effect"), Head("Whether it stands"), Head("What to do"))
    profit = scenario[TOTAL]
    standing = standing_of(cell_of(profit, "gross_profit", "Total"), profit.value("gross_profit", "Total"))
    rows = [LiveRow((as_text(action.effect), standing, as_text(action.text))) for action in actions]
    nothing = "Nothing: no alternative costs less, and every traffic pays its bill."
    none = LiveRow((*[as_text("")] * 2, as_text(nothing)))
    return LiveSheet(
        NAME,
        "What we recommend",
        "Each action alone, all else as in the month. Predicted: measure before moving. Effects are found by a search.",
        (
            LiveTable(heads, tuple(rows) or (none,), "Actions, the largest effect first"),
            LiveTable(
                (
                    Head("What is a value and no formula"),
                    Head("Rests on"),
                    Head("Then", Number),
                    Head("Now", Number),
                    Head("Whether it stands"),
                ),
                tuple(_values(scenario, drawn)),
                "Found by search, or laid out: run the report again where it no longer stands",
            ),
        ),
        landscape=True,
    )


def _values(scenario: Scenario, drawn: bool) -> list[LiveRow]:
    total = scenario[TOTAL]
    found = [
        (what, rests_on, cell_of(total, name, "Total"), total.value(name, "Total"))
        for what, rests_on, name in (
            ("Effects of the actions above", "gross profit of the month", "gross_profit"),
            ("Alternatives that cost less", "accelerator bill of the month", "fleet_cost"),
        )
    ]
    if POOLS in scenario.grains:
        needs = scenario[POOLS].values["pool_needed_accelerators"]
        found.append(
            (
                "Where the need for rented accelerators is cut into slices",
                "accelerators needed, all hours added up",
                f"SUM({range_of(scenario[POOLS], 'pool_needed_accelerators')})",
                float(needs.sum()),
            )
        )
    rows = []
    for what, rests_on, cell, value in found:
        annotation = Count if "SUM" in cell else DollarsPerMonth
        figures = (Live(value, annotation, ""), Live(value, annotation, f"={cell}"))
        rows.append(LiveRow((as_text(what), as_text(rests_on), *figures, standing_of(cell, value))))
    if WAYS in scenario.grains:
        names = ("Volumes and crossovers on Own or rent", "figures on the sheet Searched from", "", "", "told there")
        rows.append(LiveRow(tuple(as_text(name) for name in names)))
    if drawn:
        names = ("Ranges on Uncertainties", "gross profit, bill, ranges of the inputs", "", "", "told there")
        rows.append(LiveRow(tuple(as_text(name) for name in names)))
    return rows


def standing_of(cell: str, value: float) -> Live:
    """Whether a live figure is still what it was when something was found by it."""
    value = float(value)
    formula = f'=IF(ABS({cell}-({value!r}))<=1E-9*MAX(1,ABS({value!r})),"{STANDS}","{CHANGED}")'
    return Live(STANDS, Text, formula)
