"""The sheets of results.xlsx for readers: Summary, Costs, Margins, Fleet, Speed, each cell a live figure.

Decides which figures stand in which order; knows neither openpyxl nor how anything looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from engine.report.live import Live, LiveChart, LiveRow, LiveSheet, LiveTable, as_text, live
from engine.report.values import Head
from engine.scenarios import BY_TRAFFIC, CASES, CONFIGURED, TOTAL, Grain, Scenario
from engine.studies.questions import FRONTIER, Asked, within
from engine.units import (
    Count,
    DollarsPerDay,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    Flag,
    Milliseconds,
    Number,
    RequestsPerSecond,
    Sequences,
    Share,
    Text,
    TokensPerSecond,
    in_currency,
    unit_of,
)

Before = Mapping[str, float]

# The figures of the whole month, in the order of the Summary: name, label, reader's unit, how many of the grain's
# units make one, and whether more is better (None where it is neither).
HEADLINES: tuple[tuple[str, str, Any, float, bool | None], ...] = (
    ("gross_profit", "Gross profit", DollarsPerMonth, 1, True),
    ("gross_margin", "Gross margin", Share, 1, True),
    ("revenue", "Revenue", DollarsPerMonth, 1, True),
    ("fleet_cost", "Accelerator bill", DollarsPerMonth, 1, False),
    ("served_cost", "Cost per million tokens", DollarsPerMillionTokens, 1, False),
    ("served_price", "Price per million tokens", DollarsPerMillionTokens, 1, True),
    ("idle_share", "Idle share of the bill", Share, 1, False),
    ("busy_share", "Utilization", Share, 1, True),
    ("break_even_utilization", "Break-even utilization", Share, 1, False),
    ("fleet_accelerators", "Accelerators", Count, 1, None),
)

MILLI_PER_UNIT = 1e3


def month_name(month: date) -> str:
    return f"{month:%B %Y}"


def _unit(annotation: Any) -> Live:
    unit = unit_of(annotation)
    return as_text("%" if unit.kind == "share" else unit.symbol)


def change_since(now: Live, before: float) -> Live:
    """This month's figure less that of the month before, which is frozen."""
    return Live(now.value - before, now.annotation, f"{now.formula}-({before!r})")


def summary(scenario: Scenario, headline: str, lead: str, before: Before | None, before_name: str) -> LiveSheet:
    """The figures of the month, and gross profit by traffic, beside those of the month before where there is one."""
    total, by_traffic = scenario[TOTAL], scenario[BY_TRAFFIC]
    month = month_name(scenario.inputs.settings["report_month"])
    heads = [Head("Figure"), Head("Unit"), Head(month, Number)]
    if before is not None:
        heads += [Head(before_name, Number), Head("Change", Number, signed=True)]

    def row(name: str, figure: Live, key: str, annotation: Any, where: str) -> LiveRow:
        cells: list[Any] = [as_text(name), _unit(annotation), figure]
        if before is not None and key in before and figure.value is not None:
            cells += [Live(before[key], annotation, ""), change_since(figure, before[key])]
        elif before is not None:
            cells += [as_text(""), as_text("")]
        return LiveRow((*cells, as_text(where)))

    figures = [
        row(label, live(total, name, "Total", annotation, scale), name, annotation, f"Total, column {name}")
        for name, label, annotation, scale, _ in HEADLINES
    ]
    classes = [
        row(
            str(key),
            live(by_traffic, "gross_profit", str(key)),
            f"gross_profit of {key}",
            DollarsPerMonth,
            "By traffic",
        )
        for key in by_traffic.keys
    ]
    sum_row = row("Total", live(total, "gross_profit", "Total"), "gross_profit", DollarsPerMonth, "Total")
    after = (*heads, Head("Where it comes from"))
    return LiveSheet(
        "Summary",
        headline,
        lead,
        (
            LiveTable(after, tuple(figures)),
            LiveTable((Head("Gross profit by traffic"), *after[1:]), (*classes, LiveRow(sum_row.cells, "total"))),
        ),
        charts=(
            LiveChart(
                "bar",
                in_currency("Gross profit by traffic, $ a month"),
                table=1,
                across=0,
                up=2,
                x_axis="",
                y_axis=in_currency("gross profit, $ a month"),
                alt="Bar chart of gross profit by traffic.",
                rows=tuple(range(len(classes))),
            ),
        ),
    )


# Columns of the Costs sheet: head, quantity, reader's unit, how many of them make one of the grain's.
COSTS: tuple[tuple[str, str, Any, float], ...] = (
    ("Accelerators", "accelerator_count", Count, 1),
    ("Batch", "batch_size", Sequences, 1),
    ("Batch limit", "batch_size_limit", Sequences, 1),
    ("Bound by", "bound", Text, 1),
    ("Step time", "step_time", Milliseconds, MILLI_PER_UNIT),
    ("Speed per user", "user_speed", TokensPerSecond, 1),
    ("First token", "time_to_first_token", Milliseconds, MILLI_PER_UNIT),
    ("Utilization", "utilization", Share, 1),
    ("Input cost", "input_cost", DollarsPerMillionTokens, 1),
    ("Output cost", "output_cost", DollarsPerMillionTokens, 1),
    ("All-in cost", "blended_cost", DollarsPerMillionTokens, 1),
    ("Why not", "reason", Text, 1),
)

ASKED = (*COSTS[:-1], ("Keeps promise", "meets_target", Flag, 1), COSTS[-1])

SPEED: tuple[tuple[str, str, Any, float], ...] = (
    ("Reading weights", "weight_reading_time", Milliseconds, MILLI_PER_UNIT),
    ("Arithmetic beyond it", "exposed_arithmetic_time", Milliseconds, MILLI_PER_UNIT),
    ("KV cache", "attention_time", Milliseconds, MILLI_PER_UNIT),
    ("Network", "network_time", Milliseconds, MILLI_PER_UNIT),
    ("Software", "overhead_time", Milliseconds, MILLI_PER_UNIT),
    ("Step time", "step_time", Milliseconds, MILLI_PER_UNIT),
    ("Floor", "step_time_floor", Milliseconds, MILLI_PER_UNIT),
    ("Prefill", "prefill_time", Milliseconds, MILLI_PER_UNIT),
    ("Output speed", "output_speed", TokensPerSecond, 1),
    ("Input speed", "input_speed", TokensPerSecond, 1),
    ("Critical batch", "critical_batch_size", Sequences, 1),
    ("Fewest accelerators", "minimum_accelerators", Count, 1),
)

FLEET: tuple[tuple[str, str, Any, float], ...] = (
    ("Mean load", "mean_load", RequestsPerSecond, 1),
    ("Full replica", "request_rate", RequestsPerSecond, 1),
    ("Replicas for the peak", "replica_count", Count, 1),
    ("Prefill replicas for the peak", "prefill_replica_count", Count, 1),
    ("Accelerators at most", "fleet_accelerators", Count, 1),
    ("Utilization", "utilization", Share, 1),
    ("Break-even", "break_even_utilization", Share, 1),
    ("Bill", "fleet_cost", DollarsPerMonth, 1),
    ("of which idle", "idle_cost", DollarsPerMonth, 1),
    ("Revenue", "revenue", DollarsPerMonth, 1),
    ("Gross profit", "gross_profit", DollarsPerMonth, 1),
)


def _heads(columns: tuple[tuple[str, str, Any, float], ...]) -> tuple[Head, ...]:
    return tuple(Head(head, annotation, unit_of(annotation).symbol) for head, _, annotation, _ in columns)


def _cells(grain: Grain, key: str, columns: tuple[tuple[str, str, Any, float], ...]) -> tuple[Live, ...]:
    return tuple(live(grain, quantity, key, annotation, scale) for _, quantity, annotation, scale in columns)


_NAMES = (Head("Traffic"), Head("Configuration"), Head("Model"), Head("Hardware"), Head("Precision"), Head("Serves"))


def _named(grain: Grain, key: str) -> tuple[Live, ...]:
    share = grain.value("served_share", key) if grain.value("serves", key) else None
    serves = live(grain, "served_share", key) if share is not None else as_text("alternative")
    names = tuple(live(grain, name, key) for name in ("traffic", "configuration", "model", "hardware", "precision"))
    return (*names, Live(serves.value, Share if share is not None else Text, serves.formula))


def by_traffic_first(grain: Grain) -> list[str]:
    """Configurations ordered by traffic as the workbook has them, those that serve first, then the cheapest."""
    traffics = list(dict.fromkeys(grain.values["traffic"]))

    def place(key: str) -> tuple[int, bool, float]:
        cost = grain.value("blended_cost", key)
        serves = bool(grain.value("serves", key))
        return traffics.index(grain.value("traffic", key)), not serves, float("inf") if cost is None else cost

    return sorted((str(key) for key in grain.keys), key=place)


def by_configuration(
    name: str, title: str, sentence: str, grain: Grain, columns: tuple[tuple[str, str, Any, float], ...], **more: Any
) -> LiveSheet:
    """One row for every configuration, with these columns of its grain."""
    rows = tuple(LiveRow((*_named(grain, key), *_cells(grain, key, columns))) for key in by_traffic_first(grain))
    table = LiveTable((*_NAMES, *_heads(columns)), rows)
    return LiveSheet(name, title, sentence, (table,), landscape=True, **more)


def by_name(grain: Grain, columns: tuple[tuple[str, str, Any, float], ...], title: str) -> LiveTable:
    """One row for every configuration as well, which its name alone tells."""
    rows = tuple(
        LiveRow((live(grain, "configuration", key), *_cells(grain, key, columns))) for key in by_traffic_first(grain)
    )
    return LiveTable((Head("Configuration"), *_heads(columns)), rows, title)


def costs(scenario: Scenario, title: str) -> LiveSheet:
    """Every configuration: what it runs at and what its tokens cost."""
    return by_configuration(
        "Costs",
        title,
        "Every configuration at the load it serves or would serve; alternatives are costed and in no total.",
        scenario[CONFIGURED],
        COSTS,
        charts=(
            LiveChart(
                "scatter",
                "All-in cost against speed: cheaper is lower, faster is right",
                table=0,
                across=len(_NAMES) + [head for head, *_ in COSTS].index("Speed per user"),
                up=len(_NAMES) + [head for head, *_ in COSTS].index("All-in cost"),
                x_axis="speed per user, tok/s",
                y_axis=in_currency("all-in cost, $/Mtoken (log scale)"),
                alt="Scatter chart of all-in cost against speed per user, one point per configuration.",
            ),
        ),
    )


def questions(scenario: Scenario, asked: Asked) -> LiveSheet:
    """Every case that was asked for: what was changed, and what it would run at and cost."""
    grain = scenario[CASES]
    heads = (Head("Question"), Head("Case"), Head("Model"), Head("Hardware"), Head("Precision"), *_heads(ASKED))
    names = ("study", "case", "model", "hardware", "precision")
    rows = tuple(
        LiveRow((*(live(grain, name, str(key)) for name in names), *_cells(grain, str(key), ASKED)))
        for key in grain.keys
    )
    sentence = "One configuration with something changed; a full row of the model each. In no total."
    title = f"Questions asked of {asked.base}"
    return LiveSheet("Questions", title, sentence, (LiveTable(heads, rows),), landscape=True)


def frontier(scenario: Scenario, asked: Asked) -> LiveSheet | None:
    """What no other slice, precision or batch beats in cost and speed; None where fewer than two are left."""
    names = asked.of(FRONTIER)
    if len(names) < 2:
        return None
    grain = scenario[CASES]
    heads = (Head("Accelerators, precision, batch"), *_heads(ASKED))
    rows = tuple(LiveRow((as_text(within(name)), *_cells(grain, name, ASKED))) for name in names)
    columns = [head for head, *_ in ASKED]
    return LiveSheet(
        "Frontier",
        f"Cost against speed on the accelerators of {asked.base}",
        "Of all that were tried these are beaten by no other in cost and speed. The figures are live; which rows stand "
        "here is what a search found.",
        (LiveTable(heads, rows),),
        landscape=True,
        charts=(
            LiveChart(
                "scatter",
                "The frontier: cheaper is lower, faster is right",
                table=0,
                across=1 + columns.index("Speed per user"),
                up=1 + columns.index("All-in cost"),
                x_axis="speed per user, tok/s",
                y_axis=in_currency("all-in cost, $/Mtoken (log scale)"),
                alt="Scatter chart of all-in cost against speed per user along the frontier.",
            ),
        ),
    )


def speed(scenario: Scenario, title: str) -> LiveSheet:
    """Every configuration: what a decode step is made of."""
    sentence = "Parts of one decode step add up to its time; the floor is reading all weights once."
    return by_configuration("Speed", title, sentence, scenario[CONFIGURED], SPEED)


def fleet(scenario: Scenario, title: str) -> LiveSheet:
    """Every configuration: replicas for its demand, and what they cost and earn."""
    sentence = (
        "Replicas for the peak, and accelerators in the hour that needs most; idle is what the rent paid for capacity "
        "that served nobody."
    )
    return by_configuration("Fleet", title, sentence, scenario[CONFIGURED], FLEET)


# Lines of the profit and loss: label, quantity, unit, sign, style.
MARGINS: tuple[tuple[str, str, Any, float, str], ...] = (
    ("Requests", "mean_load", RequestsPerSecond, 1, "plain"),
    ("Tokens", "sold_tokens", Number, 1, "plain"),
    ("Revenue", "revenue", DollarsPerMonth, 1, "total"),
    ("Serving", "busy_cost", DollarsPerMonth, -1, "plain"),
    ("Idle", "idle_cost", DollarsPerMonth, -1, "plain"),
    ("Accelerator bill", "fleet_cost", DollarsPerMonth, -1, "total"),
    ("Gross profit", "gross_profit", DollarsPerMonth, 1, "total"),
    ("Gross margin", "gross_margin", Share, 1, "key"),
    ("Other costs", "other_cost", DollarsPerMonth, -1, "plain"),
    ("Profit after all costs", "profit_after_other_costs", DollarsPerMonth, 1, "total"),
    ("Margin after all costs", "margin_after_other_costs", Share, 1, "key"),
    ("Revenue a day", "revenue_per_day", DollarsPerDay, 1, "plain"),
    ("Accelerator bill a day", "fleet_cost_per_day", DollarsPerDay, -1, "plain"),
    ("Gross profit a day", "gross_profit_per_day", DollarsPerDay, 1, "plain"),
    ("Utilization", "busy_share", Share, 1, "plain"),
    ("Break-even utilization", "break_even_utilization", Share, 1, "plain"),
    ("Cost per million tokens", "served_cost", DollarsPerMillionTokens, 1, "plain"),
    ("Price per million tokens", "served_price", DollarsPerMillionTokens, 1, "plain"),
)


def _negated(figure: Live) -> Live:
    return Live(None if figure.value is None else -figure.value, figure.annotation, "=-" + figure.formula[1:])


def margins(scenario: Scenario, title: str) -> LiveSheet:
    """Profit and loss of the month by traffic; costs carry a minus sign so that columns add downwards."""
    by_traffic, total = scenario[BY_TRAFFIC], scenario[TOTAL]
    keys = [str(key) for key in by_traffic.keys]

    def line(label: str, quantity: str, annotation: Any, sign: float, style: str) -> LiveRow:
        figures = [live(by_traffic, quantity, key) for key in keys] + [live(total, quantity, "Total")]
        signed = [figure if sign > 0 else _negated(figure) for figure in figures]
        units = unit_of(figures[0].annotation)
        return LiveRow((as_text(label), as_text(units.symbol or "%"), *signed), style)

    heads = (Head("Line"), Head("Unit"), *(Head(key, Number) for key in keys), Head("Total", Number))
    sentence = (
        "Costs carry a minus sign so that columns add downwards. A share at which a class breaks even may exceed 100%."
    )
    table = LiveTable(heads, tuple(line(*item) for item in MARGINS))
    return LiveSheet("Margins", title, sentence, (table,), landscape=True)
