"""Fleet and idle money: what the rent paid for."""

from __future__ import annotations

from engine.derivation import label
from engine.report.live import LiveSheet
from engine.report.pages.deployments import MOST_ROWS, deployment, serving
from engine.report.values import (
    Head,
    Margin,
    Row,
    Section,
    Segment,
    Side,
    Stack,
    Table,
)
from engine.report.words import money_scale
from engine.scenarios import CONFIGURED, TOTAL, Grain, Scenario
from engine.units import (
    Count,
    DollarsPerMonth,
    Share,
    brief_money,
    show,
)


def fleet(scenario: Scenario, sheet: LiveSheet) -> Section:
    """What the rent paid for: serving, and capacity that served nobody."""
    grain, total = scenario[CONFIGURED], scenario[TOTAL]
    every = serving(grain)
    kept = every[: MOST_ROWS - 1]
    money = money_scale(total.value("fleet_cost", "Total"))
    idle, share = total.value("idle_cost", "Total"), total.value("idle_share", "Total")
    stack = Stack(
        title=_largest(grain, every),
        description=f"Accelerator bill by configuration that serves, {money.words}",
        labels=tuple(label(key) for key in kept),
        segments=(
            Segment(
                "serving",
                tuple(money.of(grain.value("busy_cost", key)) for key in kept),
                "blue",
            ),
            Segment("idle", tuple(money.of(grain.value("idle_cost", key)) for key in kept), "idle"),
        ),
        unit=DollarsPerMonth,
        sides=(
            Side("bill", tuple(money.of(grain.value("fleet_cost", key)) for key in kept), DollarsPerMonth),
            Side("load", tuple(grain.value("utilization", key) for key in kept), Share),
        ),
        note=Margin("Chart", sheet.range(), "columns Bill and of which idle"),
        alt="Accelerator bill by configuration, served and idle.",
    )
    rows = [
        Row(
            (
                label(key),
                deployment(grain, key),
                grain.value("replica_count", key) + grain.value("prefill_replica_count", key),
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
        Row(("Total", "", None, accelerators, total.value("mean_load", "Total"), load, even, money.of(bill)), "total")
    )
    table = Table(
        "The fleet",
        "replicas for the peak with headroom, rented for the whole month",
        (
            Head("Serves as"),
            Head("Deployment"),
            Head("Replicas", Count),
            Head("Accelerators", Count),
            Head("Mean load", Count, "requests/s"),
            Head("Load", Share),
            Head("Break-even", Share),
            Head("Bill", DollarsPerMonth, money.words),
        ),
        tuple(rows),
        Margin("Table", sheet.range()),
        "Load: share of what the replicas could serve over the whole month. Replicas do not follow the hour of the "
        "day: what lies between the mean and the peak with headroom is idle."
        + (f" {len(every) - len(kept)} smaller ones are on the Fleet sheet." if every != kept else ""),
    )
    headline = f"{brief_money(idle)}, {show(share, Share)} of the bill, paid for accelerators that served nobody"
    return Section("Fleet and idle money", headline, (stack, table))


def _largest(grain: Grain, keys: list[str]) -> str:
    idlest = max(keys, key=lambda key: grain.value("idle_cost", key))
    if idlest == keys[0]:
        return f"{label(idlest)} is the largest bill and idles most."
    return f"{label(keys[0])} is the largest bill; {label(idlest)} idles most."
