"""Cost by configuration: what each runs at and costs, beside the alternatives for the same traffic."""

from __future__ import annotations

from collections.abc import Sequence

from engine.derivation import label
from engine.report.live import LiveSheet
from engine.report.pages.deployments import deployment
from engine.report.promises import first_token_cell, orange_words, speed_cell
from engine.report.values import (
    Head,
    Margin,
    Paragraph,
    Point,
    Row,
    Scatter,
    Section,
    Table,
)
from engine.report.words import does, some_of
from engine.report.workbook import by_traffic_first
from engine.scenarios import CONFIGURED, Grain, Scenario
from engine.studies.alternatives import Move
from engine.units import (
    NO_BREAK,
    Count,
    DollarsPerMillionTokens,
    Gigabytes,
    Milliseconds,
    Share,
    TokensPerSecond,
    brief_money,
    digits,
    in_currency,
    show,
)

LOWEST = "\u25c4"
MOST_CONFIGURATIONS = 15  # with the chart below, a page
MOST_NAMES = 30  # of points on that chart


def _kept(grain: Grain) -> list[str]:
    """As many configurations as a page holds: all that serve, those that do not fit, then the cheapest alternatives."""
    ordered = by_traffic_first(grain)

    def rank(key: str) -> tuple[bool, bool, float]:
        cost = grain.value("blended_cost", key)
        rivals = [
            grain.value("blended_cost", other)
            for other in ordered
            if grain.value("traffic", other) == grain.value("traffic", key)
        ]
        known = [rival for rival in rivals if rival is not None]
        return not grain.value("serves", key), cost is not None, cost / min(known) if cost is not None else 0.0

    kept = set(sorted(ordered, key=rank)[:MOST_CONFIGURATIONS])
    return [key for key in ordered if key in kept]


def _lowest(grain: Grain, traffic: str) -> str | None:
    """The configuration with the lowest all-in cost of a traffic; none where the shown figures are equal."""
    costs = {
        str(key): grain.value("blended_cost", key)
        for key in grain.keys
        if grain.value("traffic", key) == traffic and grain.value("blended_cost", key) is not None
    }
    if len({show(cost, DollarsPerMillionTokens) for cost in costs.values()}) < 2:
        return None
    return min(costs, key=lambda key: costs[key])


def _why_not(grain: Grain, key: str) -> str:
    weights = show(grain.value("weight_memory", key), Gigabytes)
    usable = show(grain.value("usable_memory", key), Gigabytes)
    return f"does not fit: {grain.value('reason', key)} (weights {weights}, usable memory {usable})"


def costs(scenario: Scenario, moves: Sequence[Move], sheet: LiveSheet) -> Section:
    """What each configuration runs at and costs, beside the alternatives for the same traffic."""
    grain = scenario[CONFIGURED]
    kept = _kept(grain)
    rows: list[Row] = []
    for traffic in dict.fromkeys(str(grain.value("traffic", key)) for key in kept):
        lowest = _lowest(grain, traffic)
        of_traffic = [key for key in kept if grain.value("traffic", key) == traffic]
        rows += [_row(grain, key, traffic if key == of_traffic[0] else "", key == lowest) for key in of_traffic]
    left_out = len(grain.keys) - len(kept)
    footnote = (
        f"{LOWEST} lowest all-in cost for the same traffic. All-in: rent of prompts and answers over all "
        "tokens a customer sees, at the load of the fleet it would need. Serves: share of the traffic\u2019s requests; "
        "an alternative (\u2013) is costed as if it served them all. "
        + orange_words(grain, [key for key in kept if grain.value("fits", key)])
        + (f" {left_out} dearer alternatives are on the Costs sheet only." if left_out else "")
    )
    heads = (
        Head("Traffic"),
        Head("Model, accelerators"),
        Head("Batch", Count),
        Head("Step", Milliseconds, "ms"),
        Head("Speed", TokensPerSecond, "tok/s"),
        Head("First token", Milliseconds, "ms", decimals=0),
        Head("Load", Share, "", decimals=0),
        Head("Input", DollarsPerMillionTokens, "$/Mtoken"),
        Head("Output", DollarsPerMillionTokens, "$/Mtoken"),
        Head("All-in", DollarsPerMillionTokens, "$/Mtoken"),
        Head("Serves", Share, "", decimals=0),
    )
    table = Table(
        "Cost and speed by configuration",
        "at the batch shown and the load it serves",
        heads,
        tuple(rows),
        Margin("Table", sheet.range(), "rent: price basis of each configuration"),
        footnote,
    )
    return Section(
        "Cost by configuration", _cost_headline(scenario, moves), (_cost_lead(grain), table, _frontier(grain, sheet))
    )


def _row(grain: Grain, key: str, traffic: str, lowest: bool) -> Row:
    if not grain.value("fits", key):
        return Row((traffic,), across=f"{deployment(grain, key)} {_why_not(grain, key)}")
    all_in = grain.value("blended_cost", key)
    return Row(
        (
            traffic,
            deployment(grain, key),
            grain.value("batch_size", key),
            grain.value("step_time", key) * 1e3,
            speed_cell(grain, key),
            first_token_cell(grain, key),
            grain.value("utilization", key),
            grain.value("input_cost", key),
            grain.value("output_cost", key),
            f"{LOWEST}{NO_BREAK}{digits(all_in, 3)}" if lowest else all_in,
            grain.value("served_share", key) if grain.value("serves", key) else None,
        )
    )


def _cost_headline(scenario: Scenario, moves: Sequence[Move]) -> str:
    if not moves:
        serving = any(scenario[CONFIGURED].values["counts"] > 0)
        alternatives = any(scenario[CONFIGURED].values["serves"] == 0)
        if not serving:
            return "Nothing serves yet: every configuration is an alternative, costed as if it served all"
        if not alternatives:
            return "What the tokens of each configuration cost"
        return "No alternative that keeps its promises would serve the same requests for less rent"
    move = moves[0]
    cost, other = brief_money(move.fleet_cost), brief_money(move.alternative_fleet_cost)
    return f"{label(move.serving)} costs {cost} a month; {label(move.alternative)} would serve it for {other}"


def _cost_lead(grain: Grain) -> Paragraph:
    fitting = [key for key in grain.keys if grain.value("fits", key)]
    bounds = [str(grain.value("bound", key)) for key in fitting]
    counted = sorted({(bounds.count(bound), bound) for bound in bounds}, reverse=True)
    number, bound = counted[0]
    rest = ", ".join(f"{count} by {name}" for count, name in counted[1:])
    why = {
        "weights": "memory bandwidth per dollar decides their cost, not arithmetic",
        "compute": "arithmetic per dollar decides their cost, not bandwidth",
        "KV cache": "memory bandwidth per dollar decides their cost, and shorter contexts lower it",
        "network": "the links between accelerators decide their cost",
        "overhead": "software time per step decides their cost, and larger batches lower it",
    }[bound]
    return Paragraph(
        f"{some_of(number, len(fitting), 'configuration')} that {does(fitting, 'fit')} "
        f"{'is' if number == 1 else 'are'} limited by {bound}: {why}."
        + (f" Of the others, {rest}." if rest else "")
        + " Whether a model answers as well at another precision is for its owner to judge; the figures only say what "
        "it would cost."
    )


def _frontier(grain: Grain, sheet: LiveSheet) -> Scatter:
    fitting = [str(key) for key in grain.keys if grain.value("fits", key)]
    # Names of more would be unreadable; the table above has the same ones.
    named = fitting if len(fitting) <= MOST_NAMES else _kept(grain)
    return Scatter(
        title="Cheaper is lower, faster is right: what serves, and what could.",
        description="All-in cost against the speed one user sees; blue serves, grey is an alternative",
        points=tuple(
            Point(
                label(key) if key in named else "",
                grain.value("user_speed", key),
                grain.value("blended_cost", key),
                bool(grain.value("serves", key)),
            )
            for key in fitting
        ),
        x_axis="speed per user, tok/s \u2192 faster",
        y_axis=in_currency("\u2193 cheaper: all-in cost, $ per million tokens, log scale"),
        x_unit=TokensPerSecond,
        y_unit=DollarsPerMillionTokens,
        note=Margin("Chart", sheet.range(), "columns Speed per user and All-in cost"),
        alt="Scatter of all-in cost against speed per user for every configuration that fits.",
    )
