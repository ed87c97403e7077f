"""Actual months: grains that set the months of the sheet Actuals beside what was modelled of them.

The report's own month is modelled by this workbook. What earlier months came to stands in the runs of the archive; such
figures are values, typed over what would be looked up. Knows neither Excel's grammar nor what is inside a formula.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from engine.calculation import Columns
from engine.formulas import ACTUALS_FORMULAS, Formulas
from engine.scenarios.grains import Grain, make_grain, month_number
from engine.scenarios.sources import (
    ACTUAL_MONTHS,
    TOTAL,
    TWELVE_MONTHS,
    YEAR_TO_DATE,
    Booked,
    Key,
    Known,
    Setting,
    Source,
    Sum,
    Varied,
)
from engine.sheets import (
    ACTUALS,
    BILLING,
    COST_BUDGET,
    HOURS,
    INVOICE,
    REVENUE_BUDGET,
    SETTINGS,
    TOKENS,
)
from engine.units import Count, DollarsPerMonth, Flag, HoursPerMonth, MillionTokensPerMonth
from engine.workbook.read import Inputs

MONTHS = 12  # that are looked back on, the report's among them
# What a month's model gives, by the name that it has in the total and in a run of the archive.
MODELLED = {
    "modelled_revenue": "revenue",
    "modelled_bill": "fleet_cost",
    "modelled_tokens": "sold_tokens",
    "modelled_hours": "held_hours",
}
# What a month's rows on Actuals give, and the flag that says whether there are any.
_BOOKED = {
    "invoiced_cost": (INVOICE, DollarsPerMonth, "has_invoice"),
    "billed_revenue": (BILLING, DollarsPerMonth, "has_billing"),
    "metered_tokens": (TOKENS, MillionTokensPerMonth, "has_tokens"),
    "metered_hours": (HOURS, HoursPerMonth, "has_hours"),
    "budgeted_cost": (COST_BUDGET, DollarsPerMonth, "has_cost_budget"),
    "budgeted_revenue": (REVENUE_BUDGET, DollarsPerMonth, "has_revenue_budget"),
}
_PRICES = {
    "priced_cost": Booked(HOURS, DollarsPerMonth, "month_number", "priced"),
    "hours_without_price": Booked(HOURS, HoursPerMonth, "month_number", "unpriced"),
    "priced_revenue": Booked(TOKENS, DollarsPerMonth, "month_number", "priced"),
    "tokens_without_price": Booked(TOKENS, MillionTokensPerMonth, "month_number", "unpriced"),
}
# Of several months together: those whose profit can be compared.
_PERIODS = {YEAR_TO_DATE: "compared_in_year", TWELVE_MONTHS: "profit_is_known"}
_COMPARED = (
    "cost_is_known",
    "revenue_is_known",
    "profit_is_known",
    "modelled_profit",
    "actual_profit",
    "profit_difference",
    "profit_difference_share",
)
_SUMMED = ("modelled_revenue", "modelled_bill", "billed_revenue", "invoiced_cost")
PERIOD_FORMULAS: Formulas = {name: ACTUALS_FORMULAS[name] for name in _COMPARED}


@dataclass(frozen=True)
class Archived:
    """The run of an earlier month: how it is called, and its figures by name."""

    name: str
    figures: Mapping[str, float]

    @property
    def is_whole(self) -> bool:
        """Whether it has every figure that actuals are compared with; runs of older versions have fewer."""
        return set(MODELLED.values()) <= set(self.figures)


def looked_back_on(month: date) -> list[date]:
    """The months up to this one, the oldest first."""
    last = 12 * month.year + month.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(last - MONTHS + 1, last + 1)]


def month_name(month: date) -> str:
    """How the grain's rows are called: `2026-10`."""
    return f"{month:%Y-%m}"


def actual_grains(inputs: Inputs, grains: Mapping[str, Grain], archived: Mapping[date, Archived]) -> dict[str, Grain]:
    """The months that have a run or a row on Actuals, and what they come to together; nothing without such rows."""
    report: date = inputs.settings["report_month"].replace(day=1)
    booked = {month.replace(day=1) for month in inputs.tables[ACTUALS.name].columns["actual_month"]}
    window = looked_back_on(report)
    if not booked & set(window):
        return {}
    runs = {month: run for month, run in archived.items() if run.is_whole and month != report}
    months = [month for month in window if month in booked or month in runs or month == report]
    found = {ACTUAL_MONTHS: _months(inputs, grains, months, runs)}
    for name, flag in _PERIODS.items():
        if found[ACTUAL_MONTHS].values[flag].any():
            found[name] = _period(inputs, found, name, flag)
    return found


def _months(inputs: Inputs, grains: Mapping[str, Grain], months: list[date], runs: Mapping[date, Archived]) -> Grain:
    report = months[-1]
    modelled_in = [runs[month].name if month in runs else "no run in the archive" for month in months[:-1]]
    keys: Columns = {
        "month": np.array([month_name(month) for month in months]),
        "modelled_in": np.array([*modelled_in, "this workbook"]),
        "total": grains[TOTAL].keys.repeat(len(months)),
        "month_number": np.array([month_number(month) for month in months], dtype=float),
        "has_model": np.array([float(month in runs or month == report) for month in months]),
        "in_year": np.array([float(month.year == report.year) for month in months]),
    }
    units = {"month_number": Count, "has_model": Flag, "in_year": Flag}
    sources: dict[str, Source] = {name: Key(units[name]) if name in units else Key() for name in keys}
    for quantity, name in MODELLED.items():
        sources[quantity] = Varied(TOTAL, name, "total", grains[TOTAL].annotation(name))
    for quantity, (line, unit, flag) in _BOOKED.items():
        rows = Booked(line, unit, "month_number")
        sources |= {quantity: rows, flag: Known(rows)}
    sources |= _PRICES
    sources["rest_tolerance"] = Setting(SETTINGS.column("rest_tolerance"))
    nothing = dict.fromkeys(MODELLED, np.nan)
    typed = [
        {quantity: runs[month].figures[name] for quantity, name in MODELLED.items()} if month in runs else nothing
        for month in months[:-1]
    ]
    return make_grain(ACTUAL_MONTHS, keys, sources, ACTUALS_FORMULAS, inputs, grains, changes=[*typed, {}])


def _period(inputs: Inputs, grains: Mapping[str, Grain], name: str, flag: str) -> Grain:
    months = grains[ACTUAL_MONTHS]
    compared = Sum(ACTUAL_MONTHS, flag, Count, where=flag)
    sources: dict[str, Source] = {"period": Key()}
    # How many months there are of each: those are summed that have all three.
    sources |= dict.fromkeys(("has_model", "has_invoice", "has_billing"), compared)
    sources |= {quantity: Sum(ACTUAL_MONTHS, quantity, months.annotation(quantity), where=flag) for quantity in _SUMMED}
    return make_grain(name, {"period": np.array([name])}, sources, PERIOD_FORMULAS, inputs, grains)
