"""Since last month: what moved gross profit, by step and by traffic, and which inputs were typed anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import accumulate

from engine.formulas import STEPS
from engine.report.comparison import (
    BY_LINE,
    COURSE,
    HISTORY,
    INPUTS,
    LEAST_SHOWN,
    METHOD,
    STEP_NAMES,
    TOGETHER,
    effects,
    moves,
    relative,
    told_steps,
    values,
    what,
)
from engine.report.live import LiveSheet
from engine.report.pages.deployments import MOST_ROWS
from engine.report.values import Block, Figure, Head, Line, Lines, Margin, Paragraph, Row, Section, Table, Waterfall
from engine.report.words import MoneyScale, listed, money_scale
from engine.scenarios import ALL_TRAFFICS, BRIDGE, BRIDGE_LINES, TOTAL, Scenario
from engine.studies.bridge import CHANGED, Change
from engine.units import DollarsPerMillionTokens, DollarsPerMonth, Share, Text, brief_money, in_currency, show

MOST_INPUTS = 10
FEWEST_MONTHS = 3
AMOUNTS = ("revenue", "fleet_cost", "gross_profit")
PRICED = ("served_price", "served_cost")


def since(
    scenario: Scenario, before: str, changes: Sequence[Change] | None, sheet: LiveSheet, changed: LiveSheet
) -> Section:
    """The bridge from the month before."""
    month = f"{scenario.inputs.settings['report_month']:%B}"
    money = money_scale(scenario[TOTAL].value("fleet_cost", "Total"))
    blocks: list[Block] = [Paragraph(_lead(scenario, before))]
    blocks += [_chart(scenario, before, month, money, sheet), _by_traffic(scenario, before, month, money, sheet)]
    if shown := _typed(changes or ()):
        blocks.append(_inputs(shown, len(changes or ()), before, month, changed))
    return Section(f"Since {before}", _finding(scenario, before), tuple(blocks))


def _finding(scenario: Scenario, before: str) -> str:
    change, steps = scenario[BRIDGE].value("profit_change", ALL_TRAFFICS), told_steps(scenario)
    if not steps:
        return f"Gross profit is what it was in {before}"
    return f"Gross profit {'rose' if change >= 0 else 'fell'} {brief_money(abs(change))}: {', '.join(steps)}"


def _lead(scenario: Scenario, before: str) -> str:
    lines = scenario[BRIDGE_LINES]
    due = [str(key) for key in lines.keys if lines.value("comment_due", str(key))]
    settings = scenario.inputs.settings
    threshold = f"{brief_money(settings['comment_above'])} and {show(settings['comment_above_share'], Share)}"
    if not due:
        return f"No traffic moved by more than {threshold}."
    largest = max(due, key=lambda key: abs(lines.value("profit_change", key)))
    change = brief_money(lines.value("profit_change", largest), signed=True)
    step = max(STEPS, key=lambda name: abs(lines.value(f"{name}_step", largest)))
    by = brief_money(lines.value(f"{step}_step", largest), signed=True)
    return (
        f"{listed(due)} moved by more than {threshold} since {before} and should be commented. {largest} moved most, "
        f"{change}, above all by {STEP_NAMES[step].lower()}, {by}."
    )


def _chart(scenario: Scenario, before: str, month: str, money: MoneyScale, sheet: LiveSheet) -> Waterfall:
    moved, start = effects(scenario), scenario[BRIDGE].value("before_profit", ALL_TRAFFICS)
    end = scenario[BRIDGE].value("gross_profit", ALL_TRAFFICS)
    largest = max(moved, key=lambda name: abs(moved[name]), default="")
    return Waterfall(
        title=f"{largest} was the largest step, {brief_money(moved[largest], signed=True)}."
        if largest
        else "Nothing moved.",
        description=f"Gross profit, {before} to {month}, {money.words}; the axis does not begin at zero",
        labels=(before, *moved),
        levels=tuple(money.of(level) for level in accumulate(moved.values(), initial=start)),
        end_label=month,
        unit=DollarsPerMonth,
        value_head="gross profit",
        note=Margin("Chart", sheet.range(TOGETHER)),
        alt=f"Gross profit from {brief_money(start)} in {before} to {brief_money(end)} in {month}: "
        + ", ".join(f"{name} {brief_money(effect, signed=True)}" for name, effect in moved.items()),
        rising=True,
        from_zero=False,
    )


def _by_traffic(scenario: Scenario, before: str, month: str, money: MoneyScale, sheet: LiveSheet) -> Table:
    lines, together = scenario[BRIDGE_LINES], scenario[BRIDGE]
    least = LEAST_SHOWN * max(abs(value) for value in lines.values["gross_profit"])
    shown = [step for step in STEPS if (abs(lines.values[f"{step}_step"]) > least).any()]
    names = ("before_profit", *(f"{step}_step" for step in shown), "gross_profit")
    every = sorted(map(str, lines.keys), key=lambda key: -abs(lines.value("profit_change", key)))
    kept = every[: MOST_ROWS - 1]
    rows = [Row((key, *(money.of(lines.value(name, key)) for name in names))) for key in kept]
    total = Row(("Total", *(money.of(together.value(name, ALL_TRAFFICS)) for name in names)), "total")
    more = f" {len(every) - len(kept)} smaller ones are on the {sheet.name} sheet." if kept != every else ""
    return Table(
        "The same by traffic",
        f"{money.words}, adds up across and down",
        (
            Head("Traffic"),
            Head(before, DollarsPerMonth, decimals=1),
            *(Head(STEP_NAMES[step], DollarsPerMonth, signed=True, decimals=1) for step in shown),
            Head(month, DollarsPerMonth, decimals=1),
        ),
        (*rows, total),
        Margin("Table", sheet.range(BY_LINE)),
        f"{METHOD} Steps too small to be seen, if any, are on the {sheet.name} sheet.{more}",
    )


def _typed(changes: Sequence[Change]) -> list[Change]:
    """What moves a figure, the largest changes first; names, dates and sources are on the sheet."""
    found = [change for change in changes if moves(change)]
    return sorted(found, key=lambda change: -abs(relative(change) or (0.0 if change.kind == CHANGED else 1.0)))


def _inputs(found: Sequence[Change], every: int, before: str, month: str, sheet: LiveSheet) -> Table:
    kept = found[:MOST_INPUTS]
    rows = tuple(
        Row((each.cell, what(each), *(Figure(text, Text) for text in values(each)), relative(each), moves(each)))
        for each in kept
    )
    return Table(
        "Inputs that changed",
        f"{len(kept)} of {every}; the whole list is in the workbook",
        (
            Head("Cell", tone="quiet"),
            Head("Input"),
            Head(before, DollarsPerMonth),
            Head(month, DollarsPerMonth),
            Head("Change", Share, signed=True),
            Head("Moves"),
        ),
        rows,
        Margin("Table", sheet.range(INPUTS)),
    )


def so_far(scenario: Scenario, sheet: LiveSheet) -> Section | None:
    """Price and cost of a million tokens by month; None of fewer than three months."""
    rows = sheet.tables[HISTORY].rows
    if len(rows) < FEWEST_MONTHS:
        return None
    months = [date.fromisoformat(f"{row.cells[0].value}-01") for row in rows]
    course = {name: [row.cells[1 + place].value for row in rows] for place, name in enumerate(COURSE)}
    known = all(value is not None for name in PRICED for value in course[name])
    note = Margin("Chart", sheet.range(HISTORY), "earlier months are values of their runs")
    price, cost = (course[name] for name in PRICED)
    chart = Lines(
        title=_apart(price, cost),
        description="Price and cost of a million tokens that customers see",
        labels=tuple(f"{month:%b %Y}" for month in months),
        lines=(Line("price", tuple(price), "strong"), Line("cost", tuple(cost), "dashed")),
        unit=DollarsPerMillionTokens,
        value_head=in_currency("$/Mtoken"),
        note=note,
        alt="Price and cost of a million tokens by month.",
    )
    money = money_scale(scenario[TOTAL].value("fleet_cost", "Total"))
    table = Table(
        "The months so far",
        money.words,
        (
            Head("Month"),
            Head("Revenue", DollarsPerMonth),
            Head("Bill", DollarsPerMonth),
            Head("Gross profit", DollarsPerMonth),
            Head("Margin", Share),
            Head("Cost", DollarsPerMillionTokens, in_currency("$/Mtoken")),
            Head("Price", DollarsPerMillionTokens, in_currency("$/Mtoken")),
            Head("Idle", Share, "of the bill"),
        ),
        tuple(
            Row(
                (
                    f"{month:%B %Y}",
                    *(
                        money.of(course[name][place]) if name in AMOUNTS and course[name][place] is not None
                        else course[name][place]
                        for name in COURSE
                    ),
                ),
                "key" if month == months[-1] else "plain",
            )
            for place, month in enumerate(months)
        ),
        Margin("Table", sheet.range(HISTORY)),
    )
    profits = course["gross_profit"]
    first, last = brief_money(profits[0]), brief_money(profits[-1])
    headline = f"Gross profit went from {first} in {months[0]:%B} to {last} in {months[-1]:%B}"
    return Section("Months so far", headline, (*((chart,) if known else ()), table))


def _apart(price: Sequence[float], cost: Sequence[float]) -> str:
    first, last = price[0] - cost[0], price[-1] - cost[-1]
    moved = "rose to" if last > first else "fell to" if last < first else "stayed at"
    return f"What a million tokens leave of their price {moved} {show(last, DollarsPerMillionTokens)}."
