"""The bill: what each dollar was for, fleets over the day, and which contracts would make it smaller."""

from __future__ import annotations

from collections.abc import Sequence

from engine.derivation import label
from engine.report.bill import BOOKED, BOOKS_TABLE, LINES, LOADED, PAYMENTS, PURPOSE, SLICE
from engine.report.live import LiveSheet
from engine.report.pages.deployments import MOST_ROWS
from engine.report.values import Block, Figure, Head, Margin, Paragraph, Row, Section, Segment, Side, Stack, Table
from engine.report.words import listed, money_scale, sentence
from engine.scenarios import CONTRACTS, FLEETS, MONTH_BOOKS, SLICES, TOTAL, Grain, Scenario
from engine.units import (
    Count,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    HoursPerDay,
    Share,
    Text,
    brief_money,
    digits,
    show,
)

TONES = ("blue", "blue2", "blue3", "idle", "grey")


def bill(scenario: Scenario, sheet: LiveSheet) -> Section:
    """What the month's accelerators were paid for, and on which terms they would cost less."""
    blocks: list[Block] = [_lines(scenario, sheet)]
    blocks.append(_loads(scenario, sheet))
    if MONTH_BOOKS in scenario.grains:
        blocks.append(_books(scenario, sheet))
    if SLICES in scenario.grains:
        blocks.append(_contracts(scenario, sheet))
    if warnings := _warnings(scenario[FLEETS]):
        blocks.append(Paragraph(" ".join(warnings)))
    return Section("The bill", _headline(scenario), tuple(blocks))


def _headline(scenario: Scenario) -> str:
    total = scenario[TOTAL]
    useful, paid = total.value("useful_bill", "Total"), total.value("fleet_cost", "Total")
    saving = _saved(scenario)
    more = f"; a contract for what is always needed would save {brief_money(saving)}" if saving > 0 else ""
    return f"Of {brief_money(paid)} paid for accelerators, {brief_money(useful)} served requests{more}"


def _saved(scenario: Scenario) -> float:
    if SLICES not in scenario.grains:
        return 0.0
    return float(scenario[TOTAL].value("contract_saving", "Total"))


def _largest(fleets: Grain) -> list[str]:
    ordered = sorted((str(key) for key in fleets.keys), key=lambda key: -fleets.value("bill", key))
    return ordered[:MOST_ROWS]


def _lines(scenario: Scenario, sheet: LiveSheet) -> Stack:
    fleets, total = scenario[FLEETS], scenario[TOTAL]
    kept, money = _largest(fleets), money_scale(total.value("fleet_cost", "Total"))
    shown = [(head, name) for head, name, _ in LINES if total.value(name, "Total") > 0]
    tones = dict(zip((name for _, name, _ in LINES), TONES, strict=True))
    return Stack(
        title="What each fleet\u2019s bill was for",
        description=f"month, {money.words}",
        labels=tuple(label(key) for key in kept),
        segments=tuple(
            Segment(head.lower(), tuple(money.of(fleets.value(name, key)) for key in kept), tones[name])
            for head, name in shown
        ),
        unit=DollarsPerMonth,
        sides=(
            Side("bill", tuple(money.of(fleets.value("bill", key)) for key in kept), DollarsPerMonth),
            Side("busy", tuple(fleets.value("held_utilization", key) for key in kept), Share),
        ),
        note=_note(sheet, PURPOSE, "Chart"),
        alt="The bill of every fleet in its lines: useful, headroom, reserve, unused contracts, starts.",
    )


def _note(sheet: LiveSheet, title: str, what: str = "Table") -> Margin:
    return Margin(what, sheet.range(sheet.place_of(title) or 0))


def _loads(scenario: Scenario, sheet: LiveSheet) -> Table:
    fleets = scenario[FLEETS]
    kept = _largest(fleets)
    rows = tuple(
        Row(
            (
                label(key),
                fleets.value("most_accelerators", key),
                fleets.value("held_utilization", key),
                fleets.value("bill_token_cost", key),
                fleets.value("full_load_token_cost", key),
            )
        )
        for key in kept
    )
    return Table(
        "A million tokens at actual and at full load",
        "all-in",
        (
            Head("Fleet"),
            Head("Accelerators", Count, "at most"),
            Head("Busy", Share, "of paid hours"),
            Head("At actual load", DollarsPerMillionTokens, "$/Mtoken"),
            Head("At full load", DollarsPerMillionTokens, "$/Mtoken"),
        ),
        rows,
        _note(sheet, LOADED),
        "At full load every accelerator-hour that is paid for would serve requests; the rest is what idling costs.",
    )


def _books(scenario: Scenario, sheet: LiveSheet) -> Table:
    books, total = scenario[MONTH_BOOKS], scenario[TOTAL]
    money = money_scale(total.value("fleet_cost", "Total"))
    views = tuple(
        Row((name, money.of(of.value(bill, "Total")), money.of(of.value(profit, "Total")), of.value(margin, "Total")))
        for (name, bill, profit, margin), of in zip(BOOKED, (total, books), strict=True)
    )
    paid = tuple(
        Row((name, money.of(books.value(quantity, "Total")), None, None))
        for name, quantity, _ in PAYMENTS
        if books.value(quantity, "Total") > 0
    )
    return Table(
        "In the books, and paid",
        money.words,
        (
            Head("View"),
            Head("Bill", DollarsPerMonth),
            Head("Gross profit", DollarsPerMonth),
            Head("Gross margin", Share),
        ),
        (*views, *paid),
        _note(sheet, BOOKS_TABLE),
        "In the books: owned servers written off evenly, without interest. Paid: nothing for what was bought before.",
    )


def _contracts(scenario: Scenario, sheet: LiveSheet) -> Table:
    slices = scenario[SLICES]
    rows = tuple(_slice(slices, together) for together in _together(slices)[:MOST_ROWS])
    held = CONTRACTS in scenario.grains
    return Table(
        "The cheapest terms for what is rented",
        "beyond contracts in force" if held else "no contract is in force",
        (
            Head("Accelerators, from and to"),
            Head("Needed", HoursPerDay, "h/day"),
            Head("1 year pays above", HoursPerDay, "h/day"),
            Head("3 years above", HoursPerDay, "h/day"),
            Head("Owning above", HoursPerDay, "h/day"),
            Head("Cheapest", Text),
            Head("Saves", DollarsPerMonth, "$"),
        ),
        rows,
        _note(sheet, SLICE),
        "A contract is paid around the clock, so it pays from so many hours of use a day. A dash: no price is known.",
    )


def _together(slices: Grain) -> list[list[str]]:
    """Slices in the order of the sheet; those of an accelerator on which nothing can be saved stand in one row."""
    found: list[list[str]] = []
    for key in map(str, slices.keys):
        same = (slices.value("hardware", key), slices.value("slice_month_saving", key)) if found else None
        last = found[-1][-1] if found else ""
        if same and same[1] == 0 and same == (slices.value("hardware", last), slices.value("slice_month_saving", last)):
            found[-1].append(key)
        else:
            found.append([key])
    return found


def _slice(slices: Grain, together: Sequence[str]) -> Row:
    first, last = together[0], together[-1]
    least, most = slices.value("slice_from", first), slices.value("slice_to", last)
    hours = [show(slices.value("hours_used", key), HoursPerDay, label=False) for key in (last, first)]
    return Row(
        (
            f"{slices.value('hardware', first)}, {digits(least)} to {digits(most)}",
            Figure(" to ".join(dict.fromkeys(hours)), Text),
            *(slices.value(f"{term}_break_even_hours", first) for term in ("one_year", "three_year", "owned")),
            slices.value("cheapest_term", first),
            slices.value("slice_month_saving", first),
        ),
        "key" if slices.value("slice_month_saving", first) else "plain",
    )


def _warnings(fleets: Grain) -> Sequence[str]:
    """What cannot be kept or had, by what is wrong."""
    told: dict[str, list[str]] = {}
    for name in ("limit_warning", "peak_waiting_warning", "kept_warning"):
        for key in fleets.keys:
            if text := str(fleets.value(name, str(key)) or ""):
                told.setdefault(text, []).append(label(str(key)))
    return [f"{sentence(text)}: {listed(names)}." for text, names in told.items()]
