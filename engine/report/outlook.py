"""The sheet Outlook of results.xlsx: the months ahead added up, and what they bring each model, every cell live.

Decides which figures stand in which order; knows neither openpyxl nor how anything looks.
"""

from __future__ import annotations

from datetime import date

from engine.report.live import Live, LiveChart, LiveRow, LiveSheet, LiveTable, as_text, cell_of, live, range_of
from engine.report.values import Head
from engine.scenarios import MODEL_OUTLOOK, MODELS_AHEAD, PAYBACK, TOTALS_AHEAD, Grain, Scenario
from engine.scenarios.grains import month_ahead
from engine.units import Count, Dollars, DollarsPerMonth, Months, Share, Text, in_currency

NAME = "Outlook"
BY_MONTH, BY_MODEL = 0, 1
ALL = "All models"


def month_of(scenario: Scenario, ahead: float) -> date:
    """First day of the month so many ahead of the report's."""
    return month_ahead(scenario.inputs, ahead)


def last_month(scenario: Scenario) -> int:
    """How many months ahead the outlook reaches."""
    return len(scenario[TOTALS_AHEAD].keys) - 1


def milestones(scenario: Scenario) -> tuple[int, ...]:
    """Months ahead that a table shows: the report's, each full year, and the last."""
    last = last_month(scenario)
    return tuple(sorted({*range(0, last + 1, 12), last}))


def outlook(scenario: Scenario) -> LiveSheet | None:
    """The sheet; None where the months ahead are not asked for."""
    if PAYBACK not in scenario.grains:
        return None
    months = last_month(scenario)
    return LiveSheet(
        NAME,
        f"The next {months} months",
        "As demand, prices, software and rents are assumed to change on Settings, Traffic and Configurations.",
        (_by_month(scenario), _by_model(scenario)),
        charts=(
            LiveChart(
                "line",
                in_currency("Profit after all costs, revenue and accelerator bill, $ a month"),
                BY_MONTH,
                across=0,
                up=5,
                others=(1, 2),
                x_axis="",
                y_axis=in_currency("$ a month"),
                alt="Line chart of monthly profit after all costs, revenue and accelerator bill over the months ahead.",
            ),
            LiveChart(
                "line",
                in_currency("Profit of the months ahead so far, less what was invested, $"),
                BY_MONTH,
                across=0,
                up=8,
                x_axis="",
                y_axis=in_currency("$"),
                alt="Line chart of the profit after all costs of the months ahead, added up, less the investment.",
            ),
        ),
    )


def _by_month(scenario: Scenario) -> LiveTable:
    grain = scenario[TOTALS_AHEAD]
    columns = (
        ("Revenue", "forward_revenue", DollarsPerMonth),
        ("Accelerator bill", "forward_bill", DollarsPerMonth),
        ("Gross profit", "forward_profit", DollarsPerMonth),
        ("Other costs", "forward_other_cost", DollarsPerMonth),
        ("Profit after all costs", "forward_earnings", DollarsPerMonth),
        ("Margin after all costs", "forward_margin", Share),
        ("Accelerators on average", "forward_mean_accelerators", Count),
        ("Added up, less investment", "forward_balance", Dollars),
    )
    heads = (Head("Month"), *(Head(head, unit, _symbol(unit), decimals=0) for head, _, unit in columns))
    rows = tuple(
        LiveRow((live(grain, "month", str(key)), *(live(grain, name, str(key)) for _, name, _ in columns)))
        for key in grain.keys
    )
    return LiveTable(heads, rows, "By month; the first is the month reported, and the sum begins after it")


def _symbol(annotation: object) -> str:
    return {DollarsPerMonth: "$/month", Dollars: "$"}.get(annotation, "")


def _by_model(scenario: Scenario) -> LiveTable:
    """Profit at the milestones, the sum of all months ahead, and when it stops; the last row for all together."""
    grain, ahead, shown = scenario[MODEL_OUTLOOK], scenario[MODELS_AHEAD], milestones(scenario)
    totals, months = scenario[TOTALS_AHEAD], [str(key) for key in scenario[TOTALS_AHEAD].keys]
    heads = (
        Head("Model"),
        *(Head(f"Profit after all costs in {months[place]}", DollarsPerMonth, "$/month") for place in shown),
        Head("Months ahead together", Dollars, "$"),
        Head("Verdict"),
        Head("Month"),
    )
    rows = [
        LiveRow(
            (
                live(grain, "model", str(key)),
                *(live(ahead, "forward_earnings", f"{key}, {months[place]}") for place in shown),
                live(grain, "outlook_earnings", str(key)),
                live(grain, "earning_verdict", str(key)),
                named_month(scenario, grain, "stopping_month", str(key)),
            )
        )
        for key in grain.keys
    ]
    rows.append(
        LiveRow(
            (
                as_text(ALL),
                *(live(totals, "forward_earnings", months[place]) for place in shown),
                live(scenario[PAYBACK], "outlook_earnings", ALL),
                live(scenario[PAYBACK], "earning_verdict", ALL),
                named_month(scenario, scenario[PAYBACK], "stopping_month", ALL),
            ),
            "total",
        )
    )
    return LiveTable(heads, (*rows, *_invested(scenario, len(shown))), "By model")


def _invested(scenario: Scenario, milestones: int) -> tuple[LiveRow, ...]:
    """When what was invested has come back, where anything was."""
    grain = scenario[PAYBACK]
    if not scenario.inputs.settings["investment"]:
        return ()
    verdict, month = live(grain, "payback_verdict", ALL), named_month(scenario, grain, "payback_month", ALL)
    blank = tuple(Live(None, Months, "") for _ in range(milestones + 1))
    return (LiveRow((as_text("Investment"), *blank, verdict, month)),)


def named_month(scenario: Scenario, grain: Grain, quantity: str, key: str) -> Live:
    """The month that lies so many months ahead, as it is named in the table of months; empty where there is none."""
    months, ahead = scenario[TOTALS_AHEAD], grain.value(quantity, key)
    cell = cell_of(grain, quantity, key)
    name = "" if ahead is None else str(months.keys[int(ahead)])
    return Live(name, Text, f'=IF({cell}="","",INDEX({range_of(months, "month")},{cell}+1))')
