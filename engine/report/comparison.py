"""The sheets Comparison and Changes: the steps from the month before, what was typed anew, which figures moved.

Decides what stands in which row; knows neither openpyxl nor how anything looks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from engine.derivation import label
from engine.formulas import COMPARISON_FORMULAS, STEPS
from engine.report.live import Live, LiveChart, LiveRow, LiveSheet, LiveTable, as_text, live
from engine.report.values import Head
from engine.report.words import listed
from engine.report.workbook import HEADLINES, change_since
from engine.scenarios import ALL_TRAFFICS, BRIDGE, BRIDGE_LINES, BY_TRAFFIC, CONFIGURED, TOTAL, Archived, Scenario
from engine.sheets import HARDWARE
from engine.studies.bridge import ADDED, REMOVED, Change
from engine.units import (
    DollarsPerMillionTokens,
    DollarsPerMonth,
    Flag,
    Number,
    Share,
    Text,
    brief_money,
    in_currency,
    show,
    unit_of,
)

NAME = "Comparison"
TOGETHER, BY_LINE, HISTORY = 0, 1, 2
CHANGES = "Changes"
INPUTS = 0
LEAST_SHOWN = 0.0005  # of the profit
# What is shown of the months so far, by the name that it has in a run.
COURSE = ("revenue", "fleet_cost", "gross_profit", "gross_margin", "served_cost", "served_price", "idle_share")
STEP_NAMES = {step: label(step).capitalize() for step in STEPS}
# Which steps a change of an input can move: by sheet, and by column where a sheet has several kinds.
_BY_SHEET = {
    "Traffic": "Volume, mix",
    "Traffic mixes": "Mix",
    "Load profiles": "Utilization",
    "Prices": "Price",
    "Exchange rates": "Exchange rate",
    "Hardware": "Efficiency",
    "Models": "Efficiency",
    "Precisions": "Efficiency",
    "Calibration": "Efficiency",
    "Configurations": "Efficiency",
    "Commitments": "Hardware price, utilization",
}
_BY_COLUMN = {
    **{column.name: "Hardware price" for column in HARDWARE.columns if column.unit.is_money},
    **dict.fromkeys(("input_tokens", "output_tokens", "reasoning_tokens", "cached_share"), "Price, efficiency"),
    **dict.fromkeys(("peak_requests", "load_profile", "waiting_target", "weekend_weight"), "Utilization"),
    **dict.fromkeys(("free_share", "retry_share", "aborted_share", "internal_share"), "Price"),
    **dict.fromkeys(("credit_share", "refund_share", "customer_discount"), "Price"),
    **dict.fromkeys(("headroom", "utilization_cap", "waiting_percentile"), "Utilization"),
    "requests_share": "Mix",
    "price_basis": "Hardware price",
    "report_month": "Volume",
    "days_in_month": "Volume",
}


def changed(
    scenario: Scenario, before: str, changes: Sequence[Change] | None, figures: Mapping[str, float]
) -> LiveSheet | None:
    """The sheet of what was typed anew and which figures moved; None where the months are not compared."""
    if BRIDGE not in scenario.grains:
        return None
    month = f"{scenario.inputs.settings['report_month']:%B}"
    return LiveSheet(
        CHANGES,
        f"What changed from {before} to {month}",
        f"Input cells by address, and figures by the size of their change; what stands under {before} are values.",
        (_inputs(before, month, changes), _figures(scenario, before, month, figures)),
    )


def comparison(scenario: Scenario, before: str, archived: Mapping[date, Archived]) -> LiveSheet | None:
    """The sheet of the steps; None where there is no month before, or too little of it is known."""
    if BRIDGE not in scenario.grains:
        return None
    month = f"{scenario.inputs.settings['report_month']:%B}"
    tables = (
        _together(scenario, before, month),
        _by_line(scenario, before, month),
        _history(scenario, archived),
    )
    return LiveSheet(
        NAME,
        f"{month} beside {before}",
        f"What stands under {before} are values of its run. {METHOD}",
        tables,
        landscape=True,
        charts=(
            LiveChart(
                "bar",
                in_currency(f"What moved gross profit from {before} to {month}, $ a month"),
                table=TOGETHER,
                across=0,
                up=1,
                x_axis="",
                y_axis=in_currency("effect on gross profit, $ a month"),
                alt=f"Bar chart of the steps of gross profit from {before} to {month}.",
                rows=tuple(range(1, len(STEPS) + 1)),
            ),
        ),
    )


def effects(scenario: Scenario) -> dict[str, float]:
    """Every step with what it moved, those left out that would not be seen beside the profit."""
    grain = scenario[BRIDGE]
    found = {name: float(grain.value(f"{step}_step", ALL_TRAFFICS)) for step, name in STEP_NAMES.items()}
    profits = (abs(grain.value(name, ALL_TRAFFICS)) for name in ("before_profit", "gross_profit"))
    least = LEAST_SHOWN * max(profits)
    return {name: effect for name, effect in found.items() if abs(effect) > least}


def told_steps(scenario: Scenario) -> list[str]:
    """The largest steps in words, what gave first where profit rose; none where there is no bridge."""
    if BRIDGE not in scenario.grains:
        return []
    moved = sorted(effects(scenario).items(), key=lambda item: -abs(item[1]))
    gave, took = ([item for item in moved if (item[1] > 0) == sign][:2] for sign in (True, False))
    parts = [
        f"{listed([name.lower() for name, _ in items])} {verb} {brief_money(abs(sum(effect for _, effect in items)))}"
        for items, verb in ((gave, "gave"), (took, "took"))
        if items
    ]
    return parts if scenario[BRIDGE].value("profit_change", ALL_TRAFFICS) >= 0 else parts[::-1]


METHOD = (
    "One factor after the other moves from the one month to the other, in the order shown; another order would divide "
    "the same total differently."
)


def _together(scenario: Scenario, before: str, month: str) -> LiveTable:
    grain = scenario[BRIDGE]

    def row(name: str, quantity: str, style: str = "plain") -> LiveRow:
        return LiveRow((as_text(name), live(grain, quantity, ALL_TRAFFICS)), style)

    rows = (
        row(f"Gross profit of {before}", "before_profit"),
        *(row(name, f"{step}_step") for step, name in STEP_NAMES.items()),
        row(f"Gross profit of {month}", "gross_profit", "total"),
    )
    heads = (Head("Step"), Head("Effect", DollarsPerMonth, in_currency("$/month"), signed=True))
    return LiveTable(heads, rows, f"From {before} to {month}")


def _by_line(scenario: Scenario, before: str, month: str) -> LiveTable:
    lines, together = scenario[BRIDGE_LINES], scenario[BRIDGE]
    names = ("before_profit", *(f"{step}_step" for step in STEPS), "gross_profit", "profit_change", "comment_due")
    heads = (
        Head("Traffic"),
        Head(before, DollarsPerMonth, in_currency("$/month")),
        *(Head(name, DollarsPerMonth, in_currency("$/month"), signed=True) for name in STEP_NAMES.values()),
        Head(month, DollarsPerMonth, in_currency("$/month")),
        Head("Change", DollarsPerMonth, in_currency("$/month"), signed=True),
        Head("Comment due", Flag),
    )
    rows = [LiveRow((as_text(str(key)), *(live(lines, name, str(key)) for name in names))) for key in lines.keys]
    total = LiveRow((as_text("Total"), *(live(together, name, ALL_TRAFFICS) for name in names)), "total")
    return LiveTable(heads, (*rows, total), "The same by traffic")


def moves(change: Change) -> str:
    """Which steps a changed input can move."""
    of_rents = change.sheet == HARDWARE.name and change.kind in (ADDED, REMOVED)
    return "" if of_rents else _BY_COLUMN.get(change.column.name) or _BY_SHEET.get(change.sheet, "")


def what(change: Change) -> str:
    """The input in words: the row's name and the column."""
    return f"{change.row}, {label(change.column.name)}" if change.row else label(change.column.name).capitalize()


def values(change: Change) -> tuple[str, str]:
    """What was typed before and now, as a reader sees them."""
    if change.kind in (ADDED, REMOVED):
        return ("\u2013", "new row") if change.kind == ADDED else ("removed", "\u2013")
    return _typed(change, change.before), _typed(change, change.now)


def _typed(change: Change, value: Any) -> str:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return "blank"
    word = next((word for word, number in change.column.words.items() if number == value), None)
    return word or (f"{value:%Y-%m-%d}" if isinstance(value, date) else str(show(value, change.column.annotation)))


def relative(change: Change) -> float | None:
    """By what share a number moved; None of what is no amount."""
    numbers = [value for value in (change.before, change.now) if isinstance(value, float) and not math.isnan(value)]
    if len(numbers) < 2 or change.before <= 0 or change.column.unit.kind not in ("number", "share"):
        return None
    return float(COMPARISON_FORMULAS["relative_change"](change.now, change.before))


def _inputs(before: str, month: str, changes: Sequence[Change] | None) -> LiveTable:
    heads = (
        Head("Cell"),
        Head("Input"),
        Head(before, Number),
        Head(month, Number),
        Head("Change", Share, signed=True),
        Head("Moves"),
    )
    rows = [
        LiveRow(
            (
                as_text(change.cell),
                as_text(what(change)),
                *(as_text(text) for text in values(change)),
                Live(relative(change), Share, ""),
                as_text(moves(change)),
            )
        )
        for change in changes or ()
    ]
    told = "No input changed." if changes == () else f"{before}\u2019s workbook cannot be read by this version."
    return LiveTable(heads, tuple(rows) or (LiveRow((as_text(told), *[as_text("")] * 5)),), "Inputs that changed")


def outputs(scenario: Scenario) -> dict[str, tuple[str, Live]]:
    """Every figure that a month leaves in its run: what it is called, and where it is live; the profit of all last."""
    total, traffic, configured = scenario[TOTAL], scenario[BY_TRAFFIC], scenario[CONFIGURED]
    found = {
        f"blended_cost of {key}": (
            f"All-in cost of {label(str(key))}",
            live(configured, "blended_cost", str(key), DollarsPerMillionTokens),
        )
        for key in configured.keys
        if configured.value("counts", str(key))
    }
    found |= {
        f"gross_profit of {key}": (f"Gross profit of {key}", live(traffic, "gross_profit", str(key)))
        for key in traffic.keys
    }
    found |= {
        name: (words, live(total, name, "Total", unit, scale)) for name, words, unit, scale, _ in reversed(HEADLINES)
    }
    return found


def moved(scenario: Scenario, figures: Mapping[str, float]) -> list[tuple[str, Live, float]]:
    """Figures that are not what they were, by the size of their change beside what they were; the profit of all last.

    Without those that moved less than a reader sees.
    """
    every = [
        (name, figure, figures[key])
        for key, (name, figure) in outputs(scenario).items()
        if key in figures and figure.value is not None and show(figure.value, figure.annotation) != show(
            figures[key], figure.annotation
        )
    ]
    last = [item for item in every if item[0] == HEADLINES[0][1]]
    rest = [item for item in every if item not in last]
    return sorted(rest, key=lambda item: -abs(item[1].value - item[2]) / max(abs(item[2]), 1e-12)) + last


def _figures(scenario: Scenario, before: str, month: str, figures: Mapping[str, float]) -> LiveTable:
    heads = (
        Head("Figure"),
        Head("Unit"),
        Head(before, Number),
        Head(month, Number),
        Head("Change", Number, signed=True),
    )
    rows = []
    for name, figure, then in moved(scenario, figures):
        unit = unit_of(figure.annotation)
        cells = (
            as_text(name),
            as_text("%" if unit.kind == "share" else unit.symbol),
            Live(then, figure.annotation, ""),
            figure,
            change_since(figure, then),
        )
        rows.append(LiveRow(cells, "total" if name == HEADLINES[0][1] else "plain"))
    nothing = LiveRow((Live("No figure changed.", Text, ""), *[as_text("")] * 4))
    return LiveTable(heads, tuple(rows) or (nothing,), "Figures that changed, the largest first")


def _history(scenario: Scenario, archived: Mapping[date, Archived]) -> LiveTable:
    """The months so far: of earlier ones values of their runs, this one live."""
    named = {name: (words, unit) for name, words, unit, *_ in HEADLINES}
    heads = (
        Head("Month"),
        *(Head(named[name][0], named[name][1], unit_of(named[name][1]).symbol) for name in COURSE),
        Head("Run"),
    )
    rows = [
        LiveRow(
            (
                as_text(f"{month:%Y-%m}"),
                *(Live(run.figures.get(name), named[name][1], "") for name in COURSE),
                as_text(run.name),
            )
        )
        for month, run in sorted(archived.items())
    ]
    now = f"{scenario.inputs.settings['report_month']:%Y-%m}"
    figures = (live(scenario[TOTAL], name, "Total", named[name][1]) for name in COURSE)
    rows.append(LiveRow((as_text(now), *figures, as_text("this workbook")), "key"))
    return LiveTable(heads, tuple(rows), "The months so far")
