"""Profit and loss: from the list value to what is left, by model and class; and which phase pays for which."""

from __future__ import annotations

from typing import Any

from engine.derivation import label
from engine.report.live import LiveSheet
from engine.report.pages.deployments import MOST_ROWS
from engine.report.profit import CLASSES, MODELS, PHASES, UNBILLED, by_profit
from engine.report.values import (
    Bars,
    Block,
    Figure,
    Head,
    Margin,
    Paragraph,
    Row,
    Section,
    Side,
    Table,
    Waterfall,
)
from engine.report.words import MoneyScale, count_of, does, listed, money_scale, some_of
from engine.scenarios import BY_CLASS, BY_MODEL, LEDGER, TOTAL, Grain, Scenario
from engine.units import (
    Count,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    Share,
    brief_money,
    show,
)

LOSS = ("gross_profit", "profit_after_other_costs", "margin_after_other_costs", "gross_margin")
MOST_BARS = 12

# Levels of the waterfall: label, the quantity that it comes down to, and whether it stands there and is no step.
LEVELS = (
    ("List value", "list_value", True),
    ("Not billed", "billed_value", False),
    ("Tiers and discounts", "gross_billing", False),
    ("Credits and refunds", "revenue", False),
    ("Net revenue", "revenue", True),
    ("Accelerators that serve", "serving_profit", False),
    ("Accelerators that idle", "gross_profit", False),
    ("Gross profit", "gross_profit", True),
    ("Other costs", "profit_after_other_costs", False),
)


def profit(scenario: Scenario, sheet: LiveSheet) -> Section:
    """From the list value down to the profit after all costs, and the same by model and by class."""
    total = scenario[TOTAL]
    money = money_scale(total.value("fleet_cost", "Total"))
    listed_value, revenue = total.value("list_value", "Total"), total.value("revenue", "Total")
    left = total.value("profit_after_other_costs", "Total")
    end = f"{brief_money(left)} is left after all costs" if left >= 0 else f"all costs exceed it by {brief_money(-left)}"
    headline = f"Of {brief_money(listed_value)} at list prices {brief_money(revenue)} is collected, and {end}"
    return Section(
        "Profit and loss",
        headline,
        (
            _waterfall(total, money, sheet),
            Paragraph(_verdicts(scenario)),
            _by(scenario, BY_MODEL, "Model", MODELS, money, sheet),
            _by(scenario, BY_CLASS, "Class", CLASSES, money, sheet),
        ),
    )


def _waterfall(total: Grain, money: MoneyScale, sheet: LiveSheet) -> Waterfall:
    levels = tuple(money.of(total.value(quantity, "Total")) for _, quantity, _ in LEVELS)
    share = show(total.value("collected_value_share", "Total"), Share)
    return Waterfall(
        title=f"{share} of the list value is collected; accelerators and other costs come out of that.",
        description=f"From the list value of all that is served to the profit after all costs, {money.words}",
        labels=tuple(name for name, *_ in LEVELS),
        levels=levels,
        end_label="Profit",
        unit=DollarsPerMonth,
        value_head="",
        note=_note("Chart", sheet, MODELS, "its last row"),
        alt="Waterfall from list value to profit: "
        + ", ".join(
            f"{name} {brief_money(total.value(quantity, 'Total'))}" for name, quantity, stands in LEVELS if stands
        )
        + f", profit {brief_money(total.value('profit_after_other_costs', 'Total'))}",
        rising=True,
        standing=tuple(place for place, (*_, stands) in enumerate(LEVELS) if stands and place),
    )


def _note(kind: str, sheet: LiveSheet, title: str, fact: str = "") -> Margin:
    place = sheet.place_of(title)
    return Margin(kind, sheet.range(place) if place is not None else "", fact)


def _verdicts(scenario: Scenario) -> str:
    """What it would take: the floor price of the whole, and which models miss the target."""
    total, models = scenario[TOTAL], scenario[BY_MODEL]
    target = scenario.inputs.settings["target_margin"]
    floor, price = total.value("floor_price", "Total"), total.value("served_price", "Total")
    wanted = f"a margin of {show(target, Share)}" if target else "all costs"
    text = ""
    if floor is not None and price is not None:
        shown = tuple(show(figure, DollarsPerMillionTokens) for figure in (floor, price))
        text = f"At today\u2019s volume {wanted} takes a price of {shown[0]}; the average is {shown[1]}. "
    losing = [key for key in by_profit(models) if models.value("profit_after_other_costs", key) < 0]
    missing = [key for key in by_profit(models) if models.value("price_verdict", key) and key not in losing]
    if losing:
        text += f"{listed(losing)} {does(losing, 'sell')} below cost. "
    if missing:
        text += f"{listed(missing)} {does(missing, 'stay')} below the target."
    return text.strip() or "Every model pays all its costs."


def _by(scenario: Scenario, name: str, first: str, title: str, money: MoneyScale, sheet: LiveSheet) -> Table:
    grain, total = scenario[name], scenario[TOTAL]
    keys = by_profit(grain)[: MOST_ROWS - 1]
    columns: tuple[tuple[Head, str, float], ...] = (
        (Head("Net revenue", DollarsPerMonth), "revenue", 1 / money.divisor),
        (Head("Bill", DollarsPerMonth), "fleet_cost", 1 / money.divisor),
        (Head("Gross profit", DollarsPerMonth), "gross_profit", 1 / money.divisor),
        (Head("Gross margin", Share, ""), "gross_margin", 1),
        (Head("Other costs", DollarsPerMonth), "other_cost", 1 / money.divisor),
        (Head("Profit", DollarsPerMonth, tone="strong"), "profit_after_other_costs", 1 / money.divisor),
        (Head("Margin", Share, ""), "margin_after_other_costs", 1),
        (Head("Break-even load", Share, ""), "break_even_load", 1),
        (Head("Price", DollarsPerMillionTokens, "$/Mtoken"), "served_price", 1),
        (Head("Floor price", DollarsPerMillionTokens, "$/Mtoken"), "floor_price", 1),
    )

    def row(of: Grain, key: str, style: str) -> Row:
        return Row((key, *(_cell(of, key, quantity, head.unit, scale) for head, quantity, scale in columns)), style)

    rows = [*(row(grain, key, "plain") for key in keys), row(total, "Total", "total")]
    left_out = len(grain.keys) - len(keys)
    target = scenario.inputs.settings["target_margin"]
    goal = f"leaves {show(target, Share)} of revenue" if target else "pays all costs"
    return Table(
        f"Profit and loss by {first.lower()}",
        f"{money.words}; prices in $ per million tokens that customers see",
        (Head(first), *(head for head, *_ in columns)),
        tuple(rows),
        _note("Table", sheet, title),
        f"Floor price: the average price that {goal} at this volume. Idle time falls on each as its busy time does."
        + (f" {left_out} that earn less are on the sheet only." if left_out else ""),
    )


def _cell(grain: Grain, key: str, quantity: str, unit: Any, scale: float) -> Figure | None:
    value = grain.value(quantity, key)
    if value is None:
        return None
    return Figure(value * scale, unit, tone="bad" if quantity in LOSS and value < 0 else "plain")


def phases(scenario: Scenario, sheet: LiveSheet) -> Section:
    """What prompts, cache and answers bring and cost, line by line; and what is served and not billed."""
    ledger, total = scenario[LEDGER], scenario[TOTAL]
    money = money_scale(total.value("fleet_cost", "Total"))
    every = sorted((str(key) for key in ledger.keys), key=lambda key: -ledger.value("line_bill", key))
    paid_for = [key for key in every if ledger.value("cross_subsidy", key) > 0]
    subsidy = total.value("cross_subsidy", "Total")
    headline = (
        f"{some_of(len(paid_for), len(every), 'line')} {does(paid_for, 'carry')} a phase that others pay for, "
        f"{brief_money(subsidy)} in all"
        if paid_for
        else "Prompts, cache and answers each pay their own way wherever something is served"
    )
    blocks: list[Block] = [_contributions(ledger, every, money, sheet), _phase_table(ledger, total, every, money, sheet)]
    return Section("Price by bucket, cost by phase", headline, (*blocks, *_unbilled(scenario, every, money, sheet)))


def _contributions(ledger: Grain, every: list[str], money: MoneyScale, sheet: LiveSheet) -> Bars:
    kept = every[:MOST_BARS]
    prompts = tuple(money.of(ledger.value("prefill_contribution", key)) for key in kept)
    losing = sum(value < 0 for value in prompts)
    title = (
        f"Prompts cost more than they bring on {count_of(losing, 'line')}."
        if losing
        else "Prompts bring more than they cost on every line."
    )

    def side(head: str, quantity: str) -> Side:
        return Side(head, tuple(money.of(ledger.value(quantity, key)) for key in kept), DollarsPerMonth)

    return Bars(
        title=title,
        description=f"What prompts bring less what they cost, beside cache, answers and idle time, {money.words}",
        labels=tuple(label(key) for key in kept),
        values=prompts,
        unit=DollarsPerMonth,
        value_head="prompts leave",
        sides=(side("cache", "cache_contribution"), side("answers", "decode_contribution"), side("idle", "idle_month")),
        note=_note("Chart", sheet, PHASES, "columns Prompts leave, Cache leaves, Answers leave, Idle"),
        alt="What prompts leave after their cost, by configuration and class.",
    )


def _phase_table(ledger: Grain, total: Grain, every: list[str], money: MoneyScale, sheet: LiveSheet) -> Table:
    kept = every[: MOST_ROWS - 1]
    columns = (
        ("Input", "plain_input_revenue"),
        ("Cache writes", "cache_write_revenue"),
        ("Prefill", "prefill_month"),
        ("Cache reads", "cache_read_revenue"),
        ("Output", "output_revenue"),
        ("Reasoning", "reasoning_revenue"),
        ("Decode", "decode_month"),
        ("Subsidy", "cross_subsidy"),
    )
    rows = [
        Row(
            (
                label(key),
                *(money.of(ledger.value(quantity, key)) for _, quantity in columns),
                str(ledger.value("cross_subsidy_reason", key)),
            )
        )
        for key in kept
    ]
    sums = (money.of(total.value(quantity, "Total")) for _, quantity in columns)
    rows.append(Row(("Total", *sums, ""), "total"))
    return Table(
        "Price by bucket beside cost by phase",
        f"{money.words}; prefill and decode cost, the rest brings",
        (Head("Serves, class"), *(Head(head, DollarsPerMonth) for head, _ in columns), Head("Who pays for whom")),
        tuple(rows),
        _note("Table", sheet, PHASES),
        "Net revenue of each bucket after tiers, discounts, credits and refunds. Subsidy: losses of a phase that others "
        "pay for. Idle time, storage and transfer stand on the sheet."
        + (f" {len(every) - len(kept)} smaller lines are on the sheet only." if len(every) > len(kept) else ""),
    )


def _unbilled(scenario: Scenario, every: list[str], money: MoneyScale, sheet: LiveSheet) -> list[Block]:
    """What is served and not billed, where anything is."""
    ledger, total = scenario[LEDGER], scenario[TOTAL]
    lost = [key for key in every if ledger.value("unbilled_tokens", key) > 0]
    if not lost:
        return [Paragraph("Every token that is served is billed.")]
    lost = sorted(lost, key=lambda key: -ledger.value("unbilled_tokens", key))
    kept = lost[: MOST_ROWS - 1]
    columns = (
        (Head("Not billed", Count, "Mtoken"), "unbilled_tokens", 1.0),
        (Head("Free tier", DollarsPerMonth), "free_value", 1 / money.divisor),
        (Head("Retries", DollarsPerMonth), "retry_value", 1 / money.divisor),
        (Head("Aborted", DollarsPerMonth), "aborted_value", 1 / money.divisor),
        (Head("Internal", DollarsPerMonth), "internal_value", 1 / money.divisor),
        (Head("Credits", DollarsPerMonth), "credits", 1 / money.divisor),
        (Head("Refunds", DollarsPerMonth), "refunds", 1 / money.divisor),
    )

    def row(grain: Grain, key: str, name: str, warning: str, style: str) -> Row:
        return Row((name, *(grain.value(quantity, key) * scale for _, quantity, scale in columns), warning), style)

    rows = [row(ledger, key, label(key), str(ledger.value("unpriced_warning", key)), "plain") for key in kept]
    return [
        Table(
            "Served and not billed",
            f"million tokens of the month; their list value, {money.words}; credits and refunds as invoiced",
            (Head("Serves, class"), *(head for head, *_ in columns), Head("Bucket without a price")),
            (*rows, row(total, "Total", "Total", "", "total")),
            _note("Table", sheet, UNBILLED),
        )
    ]
