"""Profit and loss for readers: by model, class and traffic, by bucket and phase, and what is served and not billed.

Decides which figures stand in which column, and sums each column. Knows neither openpyxl nor how anything looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.report.live import Live, LiveRow, LiveSheet, LiveTable, as_text, letters, live
from engine.report.values import Head, Margin
from engine.scenarios import BY_CLASS, BY_MODEL, BY_TRAFFIC, LEDGER, OTHER_COST_LINES, TOTAL, Grain, Scenario
from engine.units import (
    DollarsPerDay,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    MillionTokensPerMonth,
    RequestsPerMonth,
    Share,
    Text,
    unit_of,
)

NAME = "Profit and loss"
MODELS, CLASSES, TRAFFICS, PHASES, UNBILLED, OTHER = (
    "By model",
    "By class of requests",
    "By traffic and customer group",
    "Price by bucket beside cost by phase",
    "Served and not billed",
    "Other costs",
)

# Columns of a table: head, quantity, unit.
Columns = Sequence[tuple[str, str, Any]]

PROFIT: Columns = (
    ("Requests", "served_requests", RequestsPerMonth),
    ("List value", "list_value", DollarsPerMonth),
    ("Not billed", "not_billed_value", DollarsPerMonth),
    ("Tiers and discounts", "discounts", DollarsPerMonth),
    ("Credits and refunds", "not_collected_value", DollarsPerMonth),
    ("Net revenue", "revenue", DollarsPerMonth),
    ("Accelerator bill", "fleet_cost", DollarsPerMonth),
    ("Gross profit", "gross_profit", DollarsPerMonth),
    ("Gross margin", "gross_margin", Share),
    ("Other costs", "other_cost", DollarsPerMonth),
    ("Profit", "profit_after_other_costs", DollarsPerMonth),
    ("Margin", "margin_after_other_costs", Share),
    ("Profit a day", "profit_after_other_costs_per_day", DollarsPerDay),
    ("Break-even load", "break_even_load", Share),
    ("Price", "served_price", DollarsPerMillionTokens),
    ("Break-even price", "break_even_price_after_other_costs", DollarsPerMillionTokens),
    ("Floor price", "floor_price", DollarsPerMillionTokens),
    ("Prices", "price_verdict", Text),
)
PHASE: Columns = (
    ("Input", "plain_input_revenue", DollarsPerMonth),
    ("Cache writes", "cache_write_revenue", DollarsPerMonth),
    ("Prefill", "prefill_month", DollarsPerMonth),
    ("Transfer", "transfer_month", DollarsPerMonth),
    ("Prompts leave", "prefill_contribution", DollarsPerMonth),
    ("Cache reads", "cache_read_revenue", DollarsPerMonth),
    ("Storage", "storage_month", DollarsPerMonth),
    ("Cache leaves", "cache_contribution", DollarsPerMonth),
    ("Output", "output_revenue", DollarsPerMonth),
    ("Hidden reasoning", "reasoning_revenue", DollarsPerMonth),
    ("Decode", "decode_month", DollarsPerMonth),
    ("Answers leave", "decode_contribution", DollarsPerMonth),
    ("Idle", "idle_month", DollarsPerMonth),
    ("Cross-subsidy", "cross_subsidy", DollarsPerMonth),
    ("Who pays for whom", "cross_subsidy_reason", Text),
)
NOT_BILLED: Columns = (
    ("Served", "served_requests", RequestsPerMonth),
    ("Not billed", "unbilled_requests", RequestsPerMonth),
    ("Without a price", "unpriced_requests", RequestsPerMonth),
    ("Tokens not billed", "unbilled_tokens", MillionTokensPerMonth),
    ("Free tier", "free_value", DollarsPerMonth),
    ("Retries", "retry_value", DollarsPerMonth),
    ("Aborted", "aborted_value", DollarsPerMonth),
    ("Internal", "internal_value", DollarsPerMonth),
    ("Credits", "credits", DollarsPerMonth),
    ("Refunds", "refunds", DollarsPerMonth),
    ("Bucket without a price", "unpriced_warning", Text),
)
OTHERS: Columns = (
    ("Driver", "driver", Text),
    ("Model", "model", Text),
    ("Traffic", "traffic", Text),
    ("Cost", "cost_amount", DollarsPerMonth),
)


def profit_and_loss(scenario: Scenario) -> LiveSheet:
    """All tables, each with its sums; a table without rows is left out."""
    total = scenario[TOTAL]
    tables: list[LiveTable] = []
    for title, first, name, columns, of_total in (
        (MODELS, "Model", BY_MODEL, PROFIT, total),
        (CLASSES, "Class", BY_CLASS, PROFIT, total),
        (TRAFFICS, "Traffic", BY_TRAFFIC, PROFIT, total),
        (PHASES, "Serves, class", LEDGER, PHASE, total),
        (UNBILLED, "Serves, class", LEDGER, NOT_BILLED, total),
        (OTHER, "Cost", OTHER_COST_LINES, OTHERS, None),
    ):
        if len(scenario[name].keys):
            tables.append(_table(title, first, scenario[name], columns, of_total, tables))
    sentence = (
        "From the list value of all that is served to what is left after every cost. Sums are over the rows above; "
        "margins and prices of the last row are those of the whole."
    )
    return LiveSheet(NAME, "Profit and loss of the month", sentence, tuple(tables), landscape=True)


def by_profit(grain: Grain) -> list[str]:
    """Names of a grain of wholes, the one that earns most first."""
    return sorted((str(key) for key in grain.keys), key=lambda key: -grain.value("profit_after_other_costs", key))


def note_of(kind: str, sheet: LiveSheet, title: str, fact: str = "") -> Margin:
    """The note beside what a table of the sheet has in full."""
    place = sheet.place_of(title)
    return Margin(kind, sheet.range(place) if place is not None else "", fact)


def _table(
    title: str, first: str, grain: Grain, columns: Columns, total: Grain | None, before: Sequence[LiveTable]
) -> LiveTable:
    names = by_profit(grain) if "profit_after_other_costs" in grain.values else [str(key) for key in grain.keys]
    key = next(iter(grain.sources))
    rows = [
        LiveRow((live(grain, key, name), *(live(grain, quantity, name, unit) for _, quantity, unit in columns)))
        for name in names
    ]
    heads = (Head(first), *(Head(head, unit, unit_of(unit).symbol) for head, _, unit in columns))
    head_row = LiveSheet(NAME, "", "", (*before, LiveTable(heads, tuple(rows), title))).head_row(len(before))
    span = (head_row + 1, head_row + len(rows))
    sums = [_last(grain, total, item, place, span) for place, item in enumerate(columns, 2)]
    return LiveTable(heads, (*rows, LiveRow((as_text("Total"), *sums), "total")), title)


def _last(grain: Grain, total: Grain | None, item: tuple[str, str, Any], place: int, span: tuple[int, int]) -> Live:
    """What the last row has in a column: the sum of money and volumes, and of anything else the whole's own figure."""
    _, quantity, unit = item
    if unit in (DollarsPerMonth, DollarsPerDay, RequestsPerMonth, MillionTokensPerMonth):
        value = float(sum(grain.values[quantity]))
        return Live(value, unit, f"=SUM({letters(place)}{span[0]}:{letters(place)}{span[1]})")
    if total is not None and quantity in total.values:
        return live(total, quantity, "Total", unit)
    return as_text("")
