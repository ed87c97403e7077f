"""The sheet of the bill: what each fleet's dollars were for, on which terms, and what a contract would save."""

from __future__ import annotations

from typing import Any

from engine.report.live import LiveRow, LiveSheet, LiveTable, as_text, live
from engine.report.values import Head
from engine.scenarios import CONTRACTS, FLEETS, MONTH_BOOKS, SLICES, TOTAL, Grain, Scenario
from engine.units import (
    Count,
    DollarsPerHour,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    HoursPerDay,
    Share,
    Text,
    unit_of,
)

Columns = tuple[tuple[str, str, Any], ...]

LINES: Columns = (
    ("Useful", "useful_bill", DollarsPerMonth),
    ("Headroom", "headroom_bill", DollarsPerMonth),
    ("Reserve", "reserve_bill", DollarsPerMonth),
    ("Unused contracts", "idle_bill", DollarsPerMonth),
    ("Starts", "transition_bill", DollarsPerMonth),
)
TERMS: Columns = (
    ("Contracts", "commitment_bill", DollarsPerMonth),
    ("Rented", "rented_bill", DollarsPerMonth),
    ("For interruptions", "interruption_bill", DollarsPerMonth),
    ("Starts", "transition_bill", DollarsPerMonth),
)
LOADS: Columns = (
    ("Of paid hours, busy", "held_utilization", Share),
    ("At actual load", "bill_token_cost", DollarsPerMillionTokens),
    ("At full load", "full_load_token_cost", DollarsPerMillionTokens),
    ("Most accelerators", "most_accelerators", Count),
    ("Remarks", "limit_warning", Text),
)
SLICED: Columns = (
    ("Accelerators", "slice_width", Count),
    ("Hours a day needed", "hours_used", HoursPerDay),
    ("One year pays above", "one_year_break_even_hours", HoursPerDay),
    ("Three years above", "three_year_break_even_hours", HoursPerDay),
    ("Owning above", "owned_break_even_hours", HoursPerDay),
    ("Cheapest", "cheapest_term", Text),
    ("Saves", "slice_month_saving", DollarsPerMonth),
)
HELD: Columns = (
    ("Accelerators", "accelerators_in_force", Count),
    ("An hour each", "contract_price", DollarsPerHour),
    ("An hour", "contract_hour_cost", DollarsPerHour),
)
BOOKED: tuple[tuple[str, str, str, str], ...] = (
    ("As it costs", "fleet_cost", "gross_profit", "gross_margin"),
    ("In the books", "booked_bill", "booked_profit", "booked_margin"),
)
PAYMENTS: Columns = (
    ("Promised and not used", "take_or_pay_shortfall", DollarsPerMonth),
    ("Taken from what was prepaid", "prepaid_use", DollarsPerMonth),
    ("Prepaid and left", "prepaid_left", DollarsPerMonth),
    ("Paid in the month", "payments", DollarsPerMonth),
)
BOOKS_TABLE = "In the books, and paid"
PURPOSE, PAID, LOADED, SLICE = "What it was for", "How it was paid", "At actual and at full load", "Further contracts"
CONTRACT = "Contracts in force"


def bill(scenario: Scenario) -> LiveSheet | None:
    """Every fleet's bill in lines that add up to it; None where nothing serves."""
    if FLEETS not in scenario.grains:
        return None
    fleets = scenario[FLEETS]
    tables = [
        _table(PURPOSE, fleets, (*LINES, ("Bill", "bill", DollarsPerMonth)), _total(scenario, LINES)),
        _table(PAID, fleets, (*TERMS, ("Bill", "bill", DollarsPerMonth)), _total(scenario, TERMS)),
        _table(LOADED, fleets, LOADS),
    ]
    if CONTRACTS in scenario.grains:
        tables.append(_table(CONTRACT, scenario[CONTRACTS], HELD))
    if MONTH_BOOKS in scenario.grains:
        tables.append(_books(scenario))
    if SLICES in scenario.grains:
        tables.append(_table(SLICE, scenario[SLICES], SLICED))
    sentence = "Useful is what requests kept busy, at the cheapest terms first; all lines add up to the bill."
    return LiveSheet("Bill", "The bill, line by line", sentence, tuple(tables), landscape=True)


def _books(scenario: Scenario) -> LiveTable:
    """The month as it costs, as the books have it, and what of it is paid."""
    books, total = scenario[MONTH_BOOKS], scenario[TOTAL]
    money = unit_of(DollarsPerMonth).symbol
    heads = (
        Head("View"),
        Head("Bill", DollarsPerMonth, money),
        Head("Gross profit", DollarsPerMonth, money),
        Head("Gross margin", Share, "%"),
    )
    views = tuple(
        LiveRow((as_text(name), *(live(of, quantity, "Total") for quantity in quantities)))
        for (name, *quantities), of in zip(BOOKED, (total, books), strict=True)
    )
    paid = tuple(LiveRow((as_text(name), live(books, quantity, "Total"))) for name, quantity, _ in PAYMENTS)
    return LiveTable(heads, (*views, *paid), BOOKS_TABLE)


def _total(scenario: Scenario, columns: Columns) -> tuple[LiveRow, ...]:
    total = scenario[TOTAL]
    lines = tuple(live(total, quantity, "Total") for _, quantity, _ in columns)
    return (LiveRow((as_text("Total"), *lines, live(total, "fleet_cost", "Total")), "total"),)


def _table(title: str, grain: Grain, columns: Columns, total: tuple[LiveRow, ...] = ()) -> LiveTable:
    key = next(iter(grain.sources))
    heads = tuple(Head(head, annotation, unit_of(annotation).symbol) for head, _, annotation in columns)
    rows = tuple(
        LiveRow(
            (live(grain, key, str(name)), *(live(grain, quantity, str(name), unit) for _, quantity, unit in columns))
        )
        for name in grain.keys
    )
    return LiveTable((Head(key.replace("_", " ").capitalize()), *heads), (*rows, *total), title)
