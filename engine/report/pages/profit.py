"""Profit and loss: from the list value to what is left, by model and by class."""

from __future__ import annotations

from typing import Any

from engine.report.live import LiveSheet
from engine.report.pages.deployments import MOST_ROWS
from engine.report.profit import CLASSES, MODELS, by_profit, note_of
from engine.report.values import (
    Figure,
    Head,
    Paragraph,
    Row,
    Section,
    Table,
    Waterfall,
)
from engine.report.words import MoneyScale, does, listed, money_scale
from engine.scenarios import BY_CLASS, BY_MODEL, TOTAL, Grain, Scenario
from engine.units import (
    DollarsPerMillionTokens,
    DollarsPerMonth,
    Share,
    brief_money,
    in_currency,
    show,
)

LOSS = ("gross_profit", "profit_after_other_costs", "margin_after_other_costs", "gross_margin")

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
    short = f"all costs exceed it by {brief_money(-left)}"
    end = f"{brief_money(left)} is left after all costs" if left >= 0 else short
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
        note=note_of("Chart", sheet, MODELS, "its last row"),
        alt="Waterfall from list value to profit: "
        + ", ".join(
            f"{name} {brief_money(total.value(quantity, 'Total'))}" for name, quantity, stands in LEVELS if stands
        )
        + f", profit {brief_money(total.value('profit_after_other_costs', 'Total'))}",
        rising=True,
        standing=tuple(place for place, (*_, stands) in enumerate(LEVELS) if stands and place),
    )


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
        f"{money.words}; prices in {in_currency('$')} per million tokens that customers see",
        (Head(first), *(head for head, *_ in columns)),
        tuple(rows),
        note_of("Table", sheet, title),
        f"Floor price: the average price that {goal} at this volume. Idle time falls on each as its busy time does."
        + (f" {left_out} that earn less are on the sheet only." if left_out else ""),
    )


def _cell(grain: Grain, key: str, quantity: str, unit: Any, scale: float) -> Figure | None:
    value = grain.value(quantity, key)
    if value is None:
        return None
    return Figure(value * scale, unit, tone="bad" if quantity in LOSS and value < 0 else "plain")
