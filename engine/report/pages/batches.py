"""The pages of batch and frontier: cost against the speed that one user sees."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from engine.report.live import LiveSheet
from engine.report.pages.cases import (
    case_table,
    cheapest_of,
    fast_enough,
    fitting_of,
    orange_note,
    price_of,
    promise_of,
)
from engine.report.promises import missed, promised_speed
from engine.report.values import Margin, Paragraph, Point, Scatter, Section
from engine.scenarios import CASES, CONFIGURED, Grain, Scenario
from engine.studies.questions import BATCH, FRONTIER, Asked, within
from engine.units import NO_BREAK, DollarsPerMillionTokens, TokensPerSecond, digits, in_currency


def batch_page(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Section | None:
    grain, names = scenario[CASES], asked.of(BATCH)
    fast = fast_enough(grain, names)
    if not fast or not scenario.inputs.settings["study_batch"]:
        return None
    base = scenario[CONFIGURED]
    today = f"{BATCH}: {base.value('batch_size', asked.base):.0f}"
    best, one = cheapest_of(grain, fast), names[0]
    if today not in fast:
        runs = f"Users {missed(grain, today)[1]} at batch{NO_BREAK}{within(today)}"
        finding = f"{runs}; batch{NO_BREAK}{within(best)} keeps the promise at {price_of(grain, best)} a million tokens"
    elif price_of(grain, today) == price_of(grain, best):
        finding = f"The batch that runs is as cheap as any{promise_of(grain, today)}"
    else:
        cheaper, runs = f"batch{NO_BREAK}{within(best)}", f"batch{NO_BREAK}{within(today)}"
        now, then = price_of(grain, today), price_of(grain, best)
        finding = f"A million tokens cost {now} at {runs}, and would cost {then} at {cheaper}"
    last = fitting_of(grain, names)[-1]
    kept = base.value("minimum_replicas", asked.base)
    text = (
        f"From one sequence to {within(last)} the cost of a million tokens falls from {price_of(grain, one)} to "
        f"{price_of(grain, last)}, and a user\u2019s tok/s from {digits(grain.value('user_speed', one))} to "
        f"{digits(grain.value('user_speed', last))}. Memory allows {digits(grain.value('batch_size_limit', today))} "
        f"sequences; arithmetic would govern from {digits(grain.value('critical_batch_size', today))} on at datasheet "
        "rates. Whole replicas make the steps."
        + (" Those that have to be kept are left out, so costs differ from page 2." if kept > 1 else "")
    )
    cheaper_always = all(
        grain.value("blended_cost", after) < grain.value("blended_cost", before)
        for before, after in pairwise(fitting_of(grain, names))
    )
    saves = "is cheaper for us" if cheaper_always else "is cheaper for us where it saves a replica,"
    chart = Scatter(
        title=f"{asked.base}: a larger batch {saves} and slower for the user, until memory ends it.",
        description="All-in cost against the speed one user sees, by batch; blue runs today",
        points=tuple(
            Point(_batch_label(grain, name, names), *_place(grain, name), highlighted=name == today)
            for name in fitting_of(grain, names)
        ),
        x_axis="speed per user, tok/s \u2192 faster",
        y_axis=in_currency("\u2193 cheaper: all-in cost, $ per million tokens, log scale"),
        x_unit=TokensPerSecond,
        y_unit=DollarsPerMillionTokens,
        note=Margin("Chart", sheet.range(), f"{asked.base}, no committed replicas"),
        alt="All-in cost against speed per user by batch size.",
        **_service_level(grain, today),
    )
    foot = f"Tinted: the cheapest that keeps what is promised. {orange_note(grain, names)}"
    table = case_table(grain, names, "Batch", "all else as it runs", "Batch", sheet, foot)
    return Section("Batch and speed", finding, (Paragraph(text), chart, table))


def frontier_page(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Section | None:
    grain, names = scenario[CASES], fitting_of(scenario[CASES], asked.of(FRONTIER))
    if len(names) < 2:
        return None
    base = scenario[CONFIGURED]
    fast = fast_enough(grain, names)
    cheapest, quickest = names[0], names[-1]
    slow, high = (f"{digits(grain.value('user_speed', name))}" for name in (cheapest, quickest))
    best = cheapest_of(grain, fast) if fast else cheapest
    finding = (
        f"On {base.value('hardware', asked.base)}, {within(best)} is the cheapest{promise_of(grain, best)}"
        if fast
        else f"No slice, precision and batch on {base.value('hardware', asked.base)} keeps what is promised"
    )
    text = (
        "Of all slices, precisions and doubling batches on these accelerators, those that no other beats in both cost "
        f"and speed: from {price_of(grain, cheapest)} a million tokens at {slow} tok/s to "
        f"{price_of(grain, quickest)} at {high}. What does not fit is left out; whether a precision answers as well is "
        "not in these figures."
    )
    points = [Point(within(name), *_place(grain, name)) for name in names]
    chart = Scatter(
        title="Nothing that was tried lies below the line.",
        description="All-in cost against the speed one user sees; blue runs today, its committed replicas included",
        points=(*points, Point(asked.base, *_place(base, asked.base), highlighted=True)),
        x_axis="speed per user, tok/s \u2192 faster",
        y_axis=in_currency("\u2193 cheaper: all-in cost, $ per million tokens, log scale"),
        x_unit=TokensPerSecond,
        y_unit=DollarsPerMillionTokens,
        note=Margin("Chart", sheet.range(), f"{asked.base}, no committed replicas"),
        alt="All-in cost against speed per user: the frontier over slices, precisions and batches.",
        joined=tuple(range(len(points))),
        **_service_level(grain, names[0]),
    )
    foot = f"Tinted: the cheapest that keeps what is promised. {orange_note(grain, names)}"
    table = case_table(grain, names, "Frontier", "cheapest first", "Accelerators, precision", sheet, foot)
    return Section("Frontier", finding, (Paragraph(text), chart, table))


def _place(grain: Grain, name: str) -> tuple[float, float]:
    """Where a case stands on a chart of cost against speed."""
    return grain.value("user_speed", name), grain.value("blended_cost", name)


def _batch_label(grain: Grain, name: str, names: list[str]) -> str:
    """`batch 64`, and at the first batch for which arithmetic governs that it is the knee."""
    beyond = [
        fitting
        for fitting in fitting_of(grain, names)
        if grain.value("batch_size", fitting) >= grain.value("critical_batch_size", fitting)
    ]
    return f"batch{NO_BREAK}{within(name)}{', knee' if beyond[:1] == [name] else ''}"


def _service_level(grain: Grain, name: str) -> dict[str, Any]:
    """What a scatter needs to show the speed that users are promised; nothing where there is none."""
    target = promised_speed(grain, name)
    return {"limit": target, "limit_words": f"promised: {digits(target)} tok/s"} if target else {}
