"""Fleet and idle money: how many replicas run, how busy they are, and the day of those that follow the hour."""

from __future__ import annotations

from engine.derivation import label
from engine.report.live import LiveSheet
from engine.report.pages.deployments import MOST_ROWS, deployment, serving
from engine.report.values import Day, Head, Margin, Panel, Row, Section, Table
from engine.report.words import listed, money_scale
from engine.scenarios import CONFIGURED, FLEETS, LOADS, TOTAL, Scenario
from engine.units import (
    Count,
    DollarsPerMonth,
    Share,
    brief_money,
    show,
)

HALF = 24  # hours of a weekday; those of a weekend day follow


def fleet(scenario: Scenario, sheet: LiveSheet) -> Section:
    """What the rent paid for: serving, and capacity that served nobody."""
    grain, total = scenario[CONFIGURED], scenario[TOTAL]
    every = serving(grain)
    kept = every[: MOST_ROWS - 1]
    money = money_scale(total.value("fleet_cost", "Total"))
    idle, share = total.value("idle_cost", "Total"), total.value("idle_share", "Total")
    following = [str(key) for key in scenario[FLEETS].keys if scenario[FLEETS].value("by_the_hour", str(key))]
    rows = [
        Row(
            (
                label(key),
                deployment(grain, key),
                grain.value("fleet_accelerators", key),
                grain.value("mean_load", key),
                grain.value("utilization", key),
                grain.value("break_even_utilization", key),
                money.of(grain.value("fleet_cost", key)),
            )
        )
        for key in kept
    ]
    accelerators, bill = total.value("fleet_accelerators", "Total"), total.value("fleet_cost", "Total")
    load, even = total.value("busy_share", "Total"), total.value("break_even_utilization", "Total")
    rows.append(
        Row(("Total", "", accelerators, total.value("mean_load", "Total"), load, even, money.of(bill)), "total")
    )
    table = Table(
        "The fleet",
        "for the wait that is promised, or with headroom",
        (
            Head("Serves as"),
            Head("Deployment"),
            Head("Accelerators", Count, "at most"),
            Head("Mean load", Count, "requests/s"),
            Head("Load", Share),
            Head("Break-even", Share),
            Head("Bill", DollarsPerMonth, money.words),
        ),
        tuple(rows),
        Margin("Table", sheet.range()),
        _footnote(following, len(every) - len(kept)),
    )
    headline = f"{brief_money(idle)}, {show(share, Share)} of the bill, paid for accelerators that served nobody"
    day = (_day(scenario, following),) if LOADS in scenario.grains else ()
    return Section("Fleet and idle money", headline, (table, *day))


def _footnote(following: list[str], smaller: int) -> str:
    how = (
        "Replicas do not follow the hour of the day: what lies between the mean and the peak is idle."
        if not following
        else f"Those of {listed([label(key) for key in following])} run as the hour needs; of the others, what lies "
        "between the mean and the peak is idle."
    )
    more = f" {smaller} smaller ones are on the Fleet sheet." if smaller else ""
    return f"Load: share of what the replicas that run could serve over the whole month. {how}{more}"


def _day(scenario: Scenario, following: list[str]) -> Day:
    loads = scenario[LOADS]
    panels = tuple(
        Panel(
            name,
            tuple(float(value) for value in loads.values["hour_useful"][start : start + HALF]),
            tuple(float(value) for value in loads.values["hour_needed"][start : start + HALF]),
        )
        for name, start in (("Weekday", 0), ("Saturday and Sunday", HALF))
    )
    return Day(
        "Fleets that follow the hour",
        f"accelerators in each hour of the day: {listed([label(key) for key in following])}",
        panels,
        "busy",
        "running",
        Count,
        Margin("Chart", f"'{LOADS}'!A5:C{4 + len(loads.keys)}"),
        "Accelerators that are busy and that run, hour by hour of a weekday and of a weekend day.",
    )
