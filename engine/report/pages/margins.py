"""Margin by traffic: profit and loss of the month, and price beside cost."""

from __future__ import annotations

from typing import Any

from engine.report.live import LiveSheet
from engine.report.values import (
    Figure,
    Head,
    Margin,
    Pairs,
    Paragraph,
    Row,
    Section,
    Table,
)
from engine.report.words import MoneyScale, does, listed, money_scale, some_of
from engine.scenarios import BY_TRAFFIC, TOTAL, Grain, Scenario
from engine.units import Count, DollarsPerMillionTokens, DollarsPerMonth, Number, Share, brief_money, in_currency

MOST_COLUMNS = 8


def margins(scenario: Scenario, sheet: LiveSheet) -> Section:
    """Profit and loss by traffic, and price beside cost."""
    by_traffic, total = scenario[BY_TRAFFIC], scenario[TOTAL]
    money = money_scale(total.value("fleet_cost", "Total"))
    every = sorted((str(key) for key in by_traffic.keys), key=lambda key: -by_traffic.value("revenue", key))
    keys = every[:MOST_COLUMNS]
    profit = {key: by_traffic.value("gross_profit", key) for key in every}
    earn, lose = sum(p for p in profit.values() if p > 0), sum(p for p in profit.values() if p < 0)
    loads = {key: by_traffic.value("break_even_utilization", key) for key in every}
    hopeless = [key for key, load in loads.items() if load is None or load > 1]
    losing = [key for key in every if profit[key] < 0]
    if lose < 0:
        lost = f"{listed(losing)} {does(losing, 'lose')} {brief_money(-lose)}"
        earning = len(every) - len(losing)
        headline = f"{some_of(earning, len(every), 'traffic')} earn {brief_money(earn)}; {lost}" if earning else lost
    else:
        headline = f"Every traffic earns money, {brief_money(earn)} together"
    never = (
        f"At today\u2019s prices {listed(hopeless)} cannot break even at any load: "
        "the bill exceeds what full replicas would sell."
        if hopeless
        else "Every traffic would break even at some load below full."
    )
    heads = (Head("Line"), *(Head(key, DollarsPerMonth) for key in keys), Head("Total", DollarsPerMonth))
    table = Table(
        "Profit and loss by traffic",
        f"{money.words} unless a row says so",
        heads,
        tuple(_profit_and_loss(by_traffic, total, keys, money)),
        Margin("Table", sheet.range()),
        "Costs carry a minus sign so that columns add downwards. Figures are rounded one by one and may differ from "
        "their sum by 1. Break-even utilization: the utilization at which revenue pays the bill, prices and fleet "
        "unchanged; above 100% it cannot break even."
        + (f" {len(every) - len(keys)} smaller traffics are on the Margins sheet." if every != keys else ""),
        alike=True,
    )
    below = [key for key in keys if by_traffic.value("served_price", key) < by_traffic.value("served_cost", key)]
    pairs = Pairs(
        title=f"{listed(below)} {does(below, 'sell')} below cost." if below else "Every traffic sells above its cost.",
        description="Price and cost per million tokens, input and visible output together",
        labels=tuple(keys),
        low=tuple(by_traffic.value("served_cost", key) for key in keys),
        high=tuple(by_traffic.value("served_price", key) for key in keys),
        low_name="cost",
        high_name="price",
        unit=DollarsPerMillionTokens,
        axis=in_currency("$ per million tokens (log scale)"),
        note=Margin("Chart", sheet.range(), "last two lines"),
        alt="Price and cost per million tokens by traffic.",
    )
    return Section("Margin by traffic", headline, (Paragraph(never), table, pairs))


def _profit_and_loss(by_traffic: Grain, total: Grain, keys: list[str], scale_of: MoneyScale) -> list[Row]:
    def line(name: str, quantity: str, scale: float, style: str, annotation: Any) -> Row:
        values = [by_traffic.value(quantity, key) for key in keys] + [total.value(quantity, "Total")]
        # A loss is said by its sign and by colour; costs are negative by convention and are not.
        losing = quantity in ("gross_profit", "gross_margin", "profit_after_other_costs")
        cells = tuple(
            None
            if value is None
            else Figure(value * scale, annotation, tone="bad" if losing and value < 0 else "plain")
            for value in values
        )
        return Row((name, *cells), style)

    money, share, price = DollarsPerMonth, Share, Number
    return [
        line("Requests per second", "mean_load", 1, "plain", Count),
        line("Tokens, billion", "sold_tokens", 1e-3, "plain", Count),
        line("Revenue", "revenue", 1 / scale_of.divisor, "total", money),
        line("Serving", "busy_cost", -1 / scale_of.divisor, "plain", money),
        line("Idle", "idle_cost", -1 / scale_of.divisor, "plain", money),
        line("Accelerator bill", "fleet_cost", -1 / scale_of.divisor, "total", money),
        line("Gross profit", "gross_profit", 1 / scale_of.divisor, "total", money),
        line("Gross margin", "gross_margin", 1, "key", share),
        line("Other costs", "other_cost", -1 / scale_of.divisor, "plain", money),
        line("Profit after all costs", "profit_after_other_costs", 1 / scale_of.divisor, "total", money),
        line("Gross profit a day", "gross_profit_per_day", 1 / scale_of.divisor, "plain", Number),
        line("Utilization", "busy_share", 1, "plain", share),
        line("Break-even utilization", "break_even_utilization", 1, "plain", share),
        line(in_currency("Cost, $/Mtoken"), "served_cost", 1, "plain", price),
        line(in_currency("Price, $/Mtoken"), "served_price", 1, "plain", price),
    ]
