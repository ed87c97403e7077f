"""Model and actual, a sheet of tables: the month line by line, what explains a difference, and month by month.

Decides which figures stand in which column; the PDF shows the same tables. Knows neither openpyxl nor how they look.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from engine.report.live import Live, LiveChart, LiveRow, LiveSheet, LiveTable, as_text, live
from engine.report.standing import missing, months_of, none_of, report_key
from engine.report.values import Head
from engine.scenarios import TWELVE_MONTHS, YEAR_TO_DATE, Grain, Scenario
from engine.units import Count, DollarsPerMonth, Share, Text, in_currency, unit_of

SHEET = "Model and actual"
BY_LINE, EXPLAINED, BY_MONTH = "line by line", "what explains the difference", "Month by month"

# Lines of a month: label, modelled, actual, difference and its share, budget, actual less budget.
_LINES = (
    ("Revenue", "modelled_revenue", "billed_revenue", "revenue", "budgeted_revenue"),
    ("Accelerator bill", "modelled_bill", "invoiced_cost", "cost", "budgeted_cost"),
    ("Gross profit", "modelled_profit", "actual_profit", "profit", "budget_profit"),
    ("Tokens", "modelled_tokens", "metered_tokens", "tokens", ""),
    ("Accelerator-hours", "modelled_hours", "metered_hours", "hours", ""),
)
# Effects in the order in which they are taken: of revenue, of cost, and of profit where that is neither.
EFFECTS = (
    ("Volume", "revenue_volume_effect", "cost_volume_effect", "profit_volume_effect"),
    ("Price of tokens", "revenue_price_effect", "", ""),
    ("Efficiency", "", "cost_efficiency_effect", ""),
    ("Price of accelerator-hours", "", "cost_price_effect", ""),
    ("Rest", "revenue_rest", "cost_rest", "profit_rest"),
)


def month_words(key: str) -> str:
    """`October 2026` of the row `2026-10`."""
    return f"{date.fromisoformat(f'{key}-01'):%B %Y}"


def explained_month(grain: Grain) -> str | None:
    """The last month whose profit can be compared; None where there is none."""
    known = [str(key) for key in grain.keys if grain.value("profit_is_known", str(key))]
    return known[-1] if known else None


def model_and_actual(scenario: Scenario) -> LiveSheet | None:
    """The sheet; None where Actuals has nothing of the last twelve months."""
    grain = months_of(scenario)
    if grain is None:
        return None
    last = explained_month(grain)
    tables = (
        _by_line(grain, report_key(scenario)),
        *((_explained(grain, last),) if last else ()),
        _by_month(scenario, grain),
    )
    title = "What was modelled, and what invoices, billing and meters say"
    sentence = (
        "This month is modelled live. What earlier months came to are values of their runs in the archive, "
        "named on the sheet Actual months."
    )
    return LiveSheet(SHEET, title, sentence, tables, landscape=True, charts=(_chart(last),) if last else ())


def _chart(month: str) -> LiveChart:
    return LiveChart(
        "bar",
        in_currency(f"What explains the difference of gross profit in {month_words(month)}, $"),
        table=1,
        across=0,
        up=3,
        x_axis="",
        y_axis=in_currency("effect on gross profit, $"),
        alt=f"Bar chart of the effects on gross profit in {month_words(month)}.",
        rows=tuple(range(len(EFFECTS))),
    )


def _by_line(grain: Grain, month: str) -> LiveTable:
    heads = (
        Head("Line"),
        Head("Unit"),
        Head("Modelled", Count),
        Head("Actual", Count),
        Head("Difference", Count, signed=True),
        Head("of modelled", Share, signed=True),
        Head("Budget", Count),
        Head("Actual less budget", Count, signed=True),
    )
    nothing = Live(None, Count, "")
    rows = []
    for label, modelled, actual, line, budget in _LINES:
        figures = [live(grain, name, month) for name in (modelled, actual, f"{line}_difference")]
        budgets = [nothing] * 2
        if budget:
            budgets = [live(grain, name, month) for name in (budget, f"{line}_budget_difference")]
        unit = as_text(unit_of(figures[0].annotation).symbol.removesuffix("/month"))
        share = live(grain, f"{line}_difference_share", month)
        style = "total" if line == "profit" else "plain"
        rows.append(LiveRow((as_text(label), unit, *figures, share, *budgets), style))
    return LiveTable(heads, tuple(rows), f"{month_words(month)}, {BY_LINE}")


def _explained(grain: Grain, month: str) -> LiveTable:
    heads = (
        Head("Effect"),
        Head("Revenue", DollarsPerMonth, "$", signed=True),
        Head("Accelerator bill", DollarsPerMonth, "$", signed=True),
        Head("Gross profit", DollarsPerMonth, "$", signed=True),
    )
    rows = []
    for label, revenue, cost, profit in EFFECTS:
        of_revenue = _figure(grain, revenue, month)
        of_cost = _negated(_figure(grain, cost, month))
        of_profit = _figure(grain, profit, month) if profit else of_revenue if revenue else of_cost
        rows.append(LiveRow((as_text(label), of_revenue, of_cost, of_profit)))
    differences = [_figure(grain, f"{line}_difference", month) for line in ("revenue", "cost", "profit")]
    rows.append(LiveRow((as_text("Difference"), differences[0], _negated(differences[1]), differences[2]), "total"))
    return LiveTable(heads, tuple(rows), f"{month_words(month)}, {EXPLAINED}")


def _figure(grain: Grain, quantity: str, month: str) -> Live:
    return live(grain, quantity, month) if quantity else Live(None, DollarsPerMonth, "")


def _negated(figure: Live) -> Live:
    """With a minus sign, so that what costs more takes from profit; empty where there is nothing."""
    if not figure.formula:
        return figure
    cell = figure.formula[1:]
    value = None if figure.value is None else -figure.value
    return Live(value, figure.annotation, f'=IF({cell}="","",-{cell})')


def _by_month(scenario: Scenario, grain: Grain) -> LiveTable:
    heads = (
        Head("Month"),
        Head("Modelled profit", DollarsPerMonth, "$"),
        Head("Actual profit", DollarsPerMonth, "$"),
        Head("Difference", DollarsPerMonth, "$", signed=True),
        Head("of modelled", Share, signed=True),
        Head("Standing"),
        Head("Missing"),
        Head("Modelled in"),
    )
    names = ("modelled_profit", "actual_profit", "profit_difference", "profit_difference_share")
    rows = [
        LiveRow(
            (
                as_text(month_words(key)),
                *(live(grain, name, key) for name in names),
                live(grain, "standing", key),
                as_text(none_of(gaps) if (gaps := missing(grain, key)) else ""),
                live(grain, "modelled_in", key),
            )
        )
        for key in map(str, grain.keys)
    ]
    for name in (YEAR_TO_DATE, TWELVE_MONTHS):
        if name in scenario.grains:
            period = scenario[name]
            count = live(period, "has_model", name)
            months = Live(_months(count.value), Text, f'{count.formula}&IF({count.formula[1:]}=1," month"," months")')
            cells: list[Any] = [as_text(name), *(live(period, each, name) for each in names)]
            rows.append(LiveRow((*cells, months, as_text(""), as_text("")), "total"))
    return LiveTable(heads, tuple(rows), BY_MONTH)


def _months(count: float) -> str:
    return f"{count:.0f} month{'' if count == 1 else 's'}"
