"""Model and actual: the month beside its invoices, billing, meters and budget, what explains the difference, the year."""

from __future__ import annotations

from datetime import date
from itertools import accumulate

from engine.report.actuals import BY_LINE, BY_MONTH, EXPLAINED, explained_month, month_words
from engine.report.live import LiveSheet
from engine.report.pages.further import table_of
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
from engine.units import DollarsPerMonth, brief_money


def actuals(scenario: Scenario, sheet: LiveSheet) -> Section:
    """What was modelled beside what was invoiced, billed and metered."""
    grain = months_of(scenario)
    assert grain is not None  # the sheet has been made of it
    report, last = report_key(scenario), explained_month(grain)
    lines = table_of(
        sheet,
        f"{month_words(report)}, {BY_LINE}",
        "$, million tokens and hours of the month",
        "A dash: nothing has been typed on Actuals; it does not count as nothing. Difference: actual less modelled.",
    )
    blocks: list[Block | None] = [Paragraph(_lead(scenario, grain)), lines]
    if last:
        title = f"{month_words(last)}, {EXPLAINED}"
        explained = table_of(sheet, title, "$; a minus takes from profit", _explained_foot(grain, last))
        blocks += [_waterfall(grain, last, sheet), explained]
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


def _explained_foot(grain: Grain, month: str) -> str:
    """How the effects are taken, and what could not be."""
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
    return (
        "Taken one after the other: other tokens at modelled prices and hours for a token; other hours for a token; "
        "other prices. Rest: fees, credits and what nothing explains."
        + (f" No unit price beside all {listed(unpriced)}: its effect is in the rest." if unpriced else "")
        + (f" Without meters the whole difference {listed(whole)} is rest." if whole else "")
    )


def _waterfall(grain: Grain, month: str, sheet: LiveSheet) -> Waterfall:
    """From modelled to actual profit, by the effects that are known."""
    place = sheet.place_of(f"{month_words(month)}, {EXPLAINED}")
    assert place is not None
    effects = [(str(row.cells[0].value), row.cells[3].value) for row in sheet.tables[place].rows[:-1]]
    known = [(name, effect) for name, effect in effects if effect is not None]
    modelled, actual = grain.value("modelled_profit", month), grain.value("actual_profit", month)
    money = money_scale(grain.value("modelled_bill", month))
    levels = tuple(accumulate((effect for _, effect in known), initial=modelled))
    largest, by = max(known, key=lambda effect: abs(effect[1]))
    verb = "added" if by >= 0 else "took"
    return Waterfall(
        title=f"{largest} {verb} most: {brief_money(abs(by))} of a difference of {brief_money(abs(actual - modelled))}.",
        description=f"From modelled to actual gross profit, {money.words}, {month_words(month)}; "
        "the axis does not begin at zero",
        labels=("Modelled", *(name for name, _ in known)),
        levels=tuple(money.of(level) for level in levels),
        end_label="Actual",
        unit=DollarsPerMonth,
        value_head="gross profit",
        sides=(_after(levels, money),),
        note=Margin("Chart", sheet.range(place), "last column"),
        alt=f"Gross profit of {month_words(month)} from modelled {brief_money(modelled)} to actual "
        f"{brief_money(actual)}: " + ", ".join(f"{name} {brief_money(effect, signed=True)}" for name, effect in known),
        rises_gain=True,
    )


def _after(levels: tuple[float, ...], money: MoneyScale) -> Side:
    after = tuple(money.of(level) for level in levels)
    return Side("profit", (*after, after[-1]), DollarsPerMonth)


def _by_month(scenario: Scenario, grain: Grain, sheet: LiveSheet) -> Table | None:
    return table_of(sheet, BY_MONTH, "gross profit of months and of the year", _months_foot(scenario, grain))


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
