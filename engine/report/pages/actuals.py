"""Model and actual: the month beside its invoices, billing, meters and budget, what explains it, and the year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import accumulate
from typing import Any

from engine.report.actuals import BY_LINE, BY_MONTH, EXPLAINED, explained_month, month_words
from engine.report.live import LiveSheet
from engine.report.pages.tables import table_of
from engine.report.standing import (
    compared,
    is_reconciled,
    missing,
    months_of,
    none_of,
    report_key,
    signatures,
    unexplained,
)
from engine.report.values import Block, Margin, Paragraph, Section, Side, Table, Waterfall
from engine.report.words import MoneyScale, listed, money_scale
from engine.scenarios import Grain, Scenario, looked_back_on, month_name
from engine.units import DollarsPerMonth, brief_money, in_currency


def actuals(scenario: Scenario, sheet: LiveSheet) -> Section:
    """What was modelled beside what was invoiced, billed and metered."""
    grain = months_of(scenario)
    assert grain is not None  # the sheet has been made of it
    report, last = report_key(scenario), explained_month(grain)
    lines = table_of(
        sheet,
        f"{month_words(report)}, {BY_LINE}",
        in_currency("$, million tokens and hours of the month"),
        "A dash: not typed on Actuals, which does not count as nothing. Difference: actual less modelled.",
    )
    blocks: list[Block | None] = [Paragraph(_lead(scenario, grain)), lines]
    if last:
        blocks += [_waterfall(grain, last, sheet), Paragraph(_how_explained(grain, last))]
    blocks.append(_by_month(scenario, grain, sheet))
    return Section("Model and actual", _headline(scenario, grain, last), tuple(block for block in blocks if block))


def _headline(scenario: Scenario, grain: Grain, last: str | None) -> str:
    report = report_key(scenario)
    month = f"{scenario.inputs.settings['report_month']:%B}"
    gaps = missing(grain, report)
    waits = f"{month} has {none_of(gaps)} yet"
    if last is None:
        return f"{waits}: its figures are modelled"
    earned = f"{_month(last)} earned {brief_money(grain.value('actual_profit', last))}, {_difference(grain, last)}"
    if last != report:
        return f"{earned}; {waits}"
    return f"{earned}" if is_reconciled(scenario) else f"{earned}, and is not reconciled"


def _difference(grain: Grain, month: str) -> str:
    return compared(grain.value("profit_difference", month))


def _month(key: str) -> str:
    return f"{date.fromisoformat(f'{key}-01'):%B}"


def _lead(scenario: Scenario, grain: Grain) -> str:
    """Whether the month is reconciled and why not, and who stands by it."""
    report = report_key(scenario)
    month = _month(report)
    if is_reconciled(scenario):
        told = f"{month} is reconciled: volume, price and efficiency explain its invoices and its billing."
    elif gaps := missing(grain, report):
        told = f"{month} stays modelled until Actuals has its {listed(gaps)}."
    else:
        told = f"{month} stays modelled: {unexplained(scenario, grain, report)}."
    return f"{told} {signatures(scenario.inputs.settings)}"


def _how_explained(grain: Grain, month: str) -> str:
    """What is compared, how the effects are taken, and what could not be."""
    unpriced = [
        thing
        for flag, split, thing in (
            ("hour_price_is_known", "cost_is_split", "accelerator-hours"),
            ("token_price_is_known", "revenue_is_split", "tokens"),
        )
        if grain.value(split, month) and not grain.value(flag, month)
    ]
    whole = [
        what
        for flag, what in (("cost_is_split", "of the bill"), ("revenue_is_split", "of revenue"))
        if not grain.value(flag, month)
    ]
    billed, invoiced, revenue, bill = (
        brief_money(grain.value(name, month))
        for name in ("billed_revenue", "invoiced_cost", "modelled_revenue", "modelled_bill")
    )
    return (
        f"{_month(month)} was billed {billed} and invoiced {invoiced}, where {revenue} and {bill} were modelled. "
        "Effects are taken one after the other: other tokens at modelled prices and hours for a token, other hours for "
        "a token, other prices. The rest is fees, credits and what nothing explains."
        + (f" No unit price beside all {listed(unpriced)}: its effect is in the rest." if unpriced else "")
        + (f" Without meters the whole difference {listed(whole)} is rest." if whole else "")
    )


def _waterfall(grain: Grain, month: str, sheet: LiveSheet) -> Waterfall:
    """From modelled to actual profit, by the effects that are known, with their parts of revenue and bill."""
    place = sheet.place_of(f"{month_words(month)}, {EXPLAINED}")
    assert place is not None
    rows = [[cell.value for cell in row.cells] for row in sheet.tables[place].rows[:-1]]
    effects = [row for row in rows if row[3] is not None]
    modelled, actual = grain.value("modelled_profit", month), grain.value("actual_profit", month)
    money = money_scale(grain.value("modelled_bill", month))
    levels = tuple(money.of(level) for level in accumulate((effect[3] for effect in effects), initial=modelled))
    return Waterfall(
        title=_finding(effects, grain.value("profit_difference", month)),
        description=f"From modelled to actual gross profit, {money.words}, {month_words(month)}; a minus takes from "
        "profit; the axis does not begin at zero",
        labels=("Modelled", *(str(effect[0]) for effect in effects)),
        levels=levels,
        end_label="Actual",
        unit=DollarsPerMonth,
        value_head="gross profit",
        sides=(
            _side("of revenue", [effect[1] for effect in effects], money),
            _side("of the bill", [effect[2] for effect in effects], money),
        ),
        note=Margin("Chart", sheet.range(place)),
        alt=f"Gross profit of {month_words(month)} from modelled {brief_money(modelled)} to actual "
        f"{brief_money(actual)}: "
        + ", ".join(f"{effect[0]} {brief_money(effect[3], signed=True)}" for effect in effects),
        rising=True,
        from_zero=False,
    )


def _finding(effects: Sequence[Sequence[Any]], difference: float) -> str:
    """Which effect is the largest."""
    name, *_, effect = max(effects, key=lambda effect: abs(effect[3]))
    if not effect:
        return "Nothing differs from the model."
    verb = "added" if effect > 0 else "took"
    return f"{name} {verb} most, {brief_money(abs(effect))}: together the difference is {brief_money(difference)}."


def _side(head: str, amounts: Sequence[float | None], money: MoneyScale) -> Side:
    """The effects' parts; their start and end have none."""
    parts = tuple(None if each is None else money.of(each) for each in amounts)
    return Side(head, (None, *parts, None), DollarsPerMonth, signed=True)


def _by_month(scenario: Scenario, grain: Grain, sheet: LiveSheet) -> Table | None:
    whole = table_of(sheet, BY_MONTH, "gross profit of months and of the year", _months_foot(scenario, grain))
    if whole is None:
        return None
    # What is missing is told below, and the runs that figures are of in the workbook.
    rows = tuple(replace(row, cells=row.cells[:-2]) for row in whole.rows)
    return replace(whole, heads=whole.heads[:-2], rows=rows)


def _months_foot(scenario: Scenario, grain: Grain) -> str:
    """What sums are over, and which months of the last twelve are not in them and why."""
    window = looked_back_on(scenario.inputs.settings["report_month"])
    keys = [str(key) for key in grain.keys]
    rows = {month: month_name(month) for month in window if month_name(month) in keys}
    without_run = [month for month in window if month not in rows or not grain.value("has_model", rows[month])]
    without_actual = [
        month
        for month in window
        if month not in rows
        or not (grain.value("has_invoice", rows[month]) and grain.value("has_billing", rows[month]))
    ]
    told = [
        f"{what}: {_spans(months)}."
        for what, months in (("No run in the archive", without_run), ("No invoices or no billing", without_actual))
        if months
    ]
    return (
        "Sums are over the months that have a model, invoices and billing. Figures of earlier months are values of "
        f"their runs. {' '.join(told)}"
    ).strip()


def _spans(months: list[date]) -> str:
    """`December 2025 to September 2026, November 2026`: months in a row as one."""
    spans: list[list[date]] = []
    for month in months:
        after = spans and (month.year * 12 + month.month) - (spans[-1][-1].year * 12 + spans[-1][-1].month) == 1
        if after:
            spans[-1].append(month)
        else:
            spans.append([month])
    return ", ".join(
        f"{span[0]:%B %Y}" if len(span) == 1 else f"{span[0]:%B %Y} to {span[-1]:%B %Y}" for span in spans
    )
