"""Own or rent, a sheet of tables: an owned hour, terms, the books, crossovers, and what volumes cost in each way.

Decides which figures stand in which column; the PDF shows the same tables. Knows neither openpyxl nor how they look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.report.live import Live, LiveRow, LiveSheet, LiveTable, as_text, live
from engine.report.values import Head
from engine.scenarios import BOOKS, CROSSINGS, HOURS_OF_USE, OWNERSHIP, VOLUMES, Grain, Scenario
from engine.scenarios.owning import volume_key
from engine.units import (
    BillionTokensPerMonth,
    Count,
    Dollars,
    DollarsPerHour,
    DollarsPerMonth,
    HoursPerDay,
    Text,
    TokensPerMonth,
    in_currency,
    unit_of,
)

NAME = "Own or rent"
AN_HOUR, TERMS, BY_HOURS, IN_THE_BOOKS, CROSSOVERS, BY_VOLUME = (
    "An owned accelerator, $ an hour",
    "Owned beside rented, $ an hour",
    "Cheapest terms, by hours of use a day",
    "In the books, by year in service",
    "Crossovers, tokens a month",
    "What volumes cost, $ a month",
)
BILLIONTH = 1e-9

# Column of a table: head, quantity, reader's unit, how many of those make one of the grain's.
Columns = Sequence[tuple[str, str, Any, float]]

PARTS: Columns = (
    ("Capital", "owned_capital_cost", DollarsPerHour, 1),
    ("Power", "owned_power_cost", DollarsPerHour, 1),
    ("Hosting", "owned_hosting_cost", DollarsPerHour, 1),
    ("Maintenance", "owned_maintenance_cost", DollarsPerHour, 1),
    ("Staff", "owned_staff_cost", DollarsPerHour, 1),
    ("Licence", "owned_licence_cost", DollarsPerHour, 1),
)
_HOUR: Columns = (*PARTS, ("All-in", "owned_cost", DollarsPerHour, 1))
_TERMS: Columns = (
    ("Owned", "owned_cost", DollarsPerHour, 1),
    ("On demand", "rented_price", DollarsPerHour, 1),
    ("1 year", "one_year_price", DollarsPerHour, 1),
    ("3 years", "three_year_price", DollarsPerHour, 1),
    ("Own from", "owned_break_even_hours", HoursPerDay, 1),
    ("1 year from", "one_year_break_even_hours", HoursPerDay, 1),
    ("3 years from", "three_year_break_even_hours", HoursPerDay, 1),
)
_BOOKS: Columns = (
    ("Book value of a server", "node_book_value", Dollars, 1),
    ("Depreciation of it", "node_depreciation", DollarsPerMonth, 1),
    ("In the books", "booked_cost", DollarsPerHour, 1),
    ("Economic", "owned_cost", DollarsPerHour, 1),
)
_WAYS: Columns = (
    ("Own", "own_volume_cost", DollarsPerMonth, 1),
    ("Rent", "rent_volume_cost", DollarsPerMonth, 1),
    ("API", "api_volume_cost", DollarsPerMonth, 1),
)


def own_or_rent(scenario: Scenario) -> LiveSheet | None:
    """Every table that has rows; None where nothing is bought and nothing crosses."""
    tables = tuple(_tables(scenario))
    if not tables:
        return None
    sentence = "First tokens are values of a search over whole tokens; all else is live."
    return LiveSheet(NAME, "Owning, renting or calling an API", sentence, tables, landscape=True)


def _tables(scenario: Scenario) -> Iterator[LiveTable]:
    grains = scenario.grains
    if OWNERSHIP in grains:
        yield _table(AN_HOUR, "Accelerator", grains[OWNERSHIP], _HOUR)
        yield _table(TERMS, "Accelerator", grains[OWNERSHIP], _TERMS)
    if HOURS_OF_USE in grains:
        yield _by_hours(grains[HOURS_OF_USE])
    if BOOKS in grains:
        yield _table(IN_THE_BOOKS, "Year", grains[BOOKS], _BOOKS)
    if CROSSINGS in grains:
        yield _crossovers(grains[CROSSINGS], grains[VOLUMES])
        yield _volumes(grains[VOLUMES])


def _heads(columns: Columns) -> tuple[Head, ...]:
    return tuple(
        Head(head, annotation, unit_of(annotation).symbol, decimals=0 if annotation is Dollars else None)
        for head, _, annotation, _ in columns
    )


def _cells(grain: Grain, key: str, columns: Columns) -> tuple[Live, ...]:
    return tuple(live(grain, quantity, key, annotation, scale) for _, quantity, annotation, scale in columns)


def _table(title: str, first: str, grain: Grain, columns: Columns) -> LiveTable:
    rows = tuple(LiveRow((as_text(str(key)), *_cells(grain, str(key), columns))) for key in grain.keys)
    return LiveTable((Head(first), *_heads(columns)), rows, in_currency(title))


def _by_hours(grain: Grain) -> LiveTable:
    """A row for each accelerator, a column for each number of hours: the terms on which it costs least."""
    hours = list(dict.fromkeys(grain.values["hours_used"].tolist()))
    keys: dict[str, list[str]] = {}
    for key, hardware in zip(grain.keys, grain.values["hardware"], strict=True):
        keys.setdefault(str(hardware), []).append(str(key))
    rows = tuple(
        LiveRow((as_text(hardware), *(live(grain, "cheapest_term", key) for key in of)))
        for hardware, of in keys.items()
    )
    return LiveTable((Head("Accelerator"), *(Head(f"{each:g} h/day") for each in hours)), rows, BY_HOURS)


def ways_in(grain: Grain) -> Columns:
    """The columns of the ways there are."""
    return tuple(column for column in _WAYS if column[1] in grain.values)


def _crossovers(grain: Grain, volumes: Grain) -> LiveTable:
    """What was found for each way, what each costs there, and which was cheapest a token before."""
    ways = ways_in(volumes)
    heads = (
        Head("Way"),
        Head("Answer"),
        Head("First token", TokensPerMonth, "tokens/month"),
        Head("Looked up to", TokensPerMonth, "tokens/month"),
        *_heads(ways),
        Head("Cheapest"),
        Head("Before it"),
        Head("Inputs"),
    )
    return LiveTable(heads, tuple(_crossover(grain, volumes, str(key), ways) for key in grain.keys), CROSSOVERS)


def _crossover(grain: Grain, volumes: Grain, way: str, ways: Columns) -> LiveRow:
    first = grain.value("first_tokens", way)
    searched = (live(grain, name, way) for name in ("way", "answer", "first_tokens", "searched_tokens"))
    there: list[Live] = [Live(None, annotation, "") for _, _, annotation, _ in ways] + [as_text("")]
    before = as_text("")
    if first is not None:
        there = [*_cells(volumes, volume_key(first), ways), live(volumes, "cheapest_way", volume_key(first))]
        if first > 1:
            before = live(volumes, "cheapest_way", volume_key(first - 1))
    return LiveRow((*searched, *there, before, live(grain, "search_verdict", way)))


def _volumes(grain: Grain) -> LiveTable:
    columns: Columns = (
        ("Volume", "monthly_tokens", BillionTokensPerMonth, BILLIONTH),
        ("Servers", "volume_nodes", Count, 1),
        *ways_in(grain),
        ("Cheapest", "cheapest_way", Text, 1),
    )
    rows = tuple(LiveRow((as_text(str(key)), *_cells(grain, str(key), columns))) for key in grain.keys)
    return LiveTable((Head("Tokens a month"), *_heads(columns)), rows, in_currency(BY_VOLUME))
