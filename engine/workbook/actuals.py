"""Actuals: that a month's invoices, meters and budgets can be added up, and who answers for it. Knows tables and cells.

Several rows of a month and line add up, so what stands twice would count twice.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from engine.sheets import BILLING, BUDGETS, INVOICE, PRICED, TOKENS
from engine.workbook.describe import number
from engine.workbook.problems import Problem
from engine.workbook.tables import Row, Tables

CREDITED = (INVOICE, BILLING)  # lines that a credit may take below zero
MOST_TOKENS = 1e9  # million tokens of a month; more is most likely typed in tokens
STEPS = (("prepared", "preparation"), ("reviewed", "review"), ("approved", "approval"))
SIGNATURES = tuple(f"{step}_{part}" for step, _ in STEPS for part in ("by", "on"))


def _sound(tables: Tables) -> Iterator[Row]:
    """The rows of which month, line and amount could be read."""
    return (row for row in tables["Actuals"] if row.sound("actual_month", "line", "amount"))


def _future_months(tables: Tables) -> Iterator[Problem]:
    """What has been invoiced, billed or metered lies in a month that is over; budgets may be ahead."""
    report = _report_month(tables)
    if report is None:
        return
    for row in _sound(tables):
        month = row["actual_month"]
        if row["line"] not in BUDGETS and (month.year, month.month) > (report.year, report.month):
            found = f"actual_month of '{row['line']}' is {month:%Y-%m}"
            cell = tables["Settings"].addresses["report_month"][0]
            allowed = f"allowed are months up to the one reported, {report:%Y-%m} (Settings!{cell})"
            advice = "Correct the month, or take the row out until that month is reported."
            yield Problem(*row.place("actual_month"), found, allowed, advice)


def _amounts(tables: Tables) -> Iterator[Problem]:
    """Only money can be credited, and only what is counted has a price."""
    for row in _sound(tables):
        line, amount = row["line"], row["amount"]
        if amount < 0 and line not in CREDITED:
            allowed = f"only {' and '.join(CREDITED)} may be below zero, for a credit"
            yield Problem(*row.place("amount"), f"'{line}' is {number(amount)}", allowed, "Correct the figure.")
        if line == TOKENS and amount > MOST_TOKENS:
            found = f"'{line}' is {number(amount)}, which is in million tokens"
            advice = "Check that it is not typed in tokens."
            yield Problem(*row.place("amount"), found, "", advice, "warning")
        if line not in PRICED and row.sound("unit_price") and not row.is_blank("unit_price"):
            found = f"unit_price is {number(row['unit_price'])} beside '{line}'"
            advice = "Clear the cell, or move the price beside the hours or tokens it is for."
            yield Problem(*row.place("unit_price"), found, f"it belongs beside {' and '.join(PRICED)}", advice)


def _twice(tables: Tables) -> Iterator[Problem]:
    """A budget stands once for a month; so does every invoice, bill and meter, known by provider and source."""
    first: dict[tuple[object, ...], Row] = {}
    for row in _sound(tables):
        month, line = row["actual_month"], row["line"]
        known_by = () if line in BUDGETS else (row["provider"].casefold(), row["source"].casefold())
        earlier = first.setdefault((month.year, month.month, line, *known_by), row)
        if earlier is row:
            continue
        if line in BUDGETS:
            found, allowed = f"'{line}' of {month:%Y-%m} is already in {earlier.cell('amount')}", "a month has one"
            advice = "Delete one of the two, or make them one figure."
        else:
            of = f" of {row['provider']}" if row["provider"] else ""
            found = f"'{line}'{of} for {month:%Y-%m} from '{row['source']}' is already in {earlier.cell('amount')}"
            allowed = "both would count"
            advice = "Delete one of the two, or tell them apart by provider or source."
        yield Problem(*row.place("line"), found, allowed, advice)


def _signatures(tables: Tables) -> Iterator[Problem]:
    """Warns of names and days that do not follow from one another: prepared, then reviewed, then approved."""
    for row in tables["Settings"]:
        if not row.sound(*SIGNATURES):
            continue
        yield from _half_signed(row)
        for (step, what), (later, deed) in pairwise(STEPS):
            if row[f"{later}_by"] and not row[f"{step}_by"]:
                found = f"{later}_by is '{row[f'{later}_by']}' although {step}_by is blank"
                allowed = f"the {deed} follows the {what}"
                yield _doubt(row, f"{later}_by", found, allowed, f"Fill in {step}_by, or clear this cell.")
            elif row[f"{later}_on"] and row[f"{step}_on"] and row[f"{later}_on"] < row[f"{step}_on"]:
                found = f"{later}_on is {row[f'{later}_on']:%Y-%m-%d}"
                allowed = f"the {what} is of {row[f'{step}_on']:%Y-%m-%d} ({row.address(f'{step}_on')})"
                yield _doubt(row, f"{later}_on", found, allowed, "Check both days.")
        report = _report_month(tables)
        if report and row["approved_on"] and row["approved_on"] <= (end := _end_of(report)):
            found = f"approved_on is {row['approved_on']:%Y-%m-%d}"
            allowed = f"the month reported ends on {end:%Y-%m-%d}, and is approved after that"
            yield _doubt(row, "approved_on", found, allowed, "Check the day, and that it is this month's approval.")


def _half_signed(row: Row) -> Iterator[Problem]:
    for step, what in STEPS:
        by, on = f"{step}_by", f"{step}_on"
        if bool(row[by]) != bool(row[on]):
            missing, given = (on, by) if row[by] else (by, on)
            found = f"{missing} is blank although {given} is given ({row.address(given)})"
            yield _doubt(row, missing, found, f"{what} has a name and a day", "Fill it in.")


def _doubt(row: Row, column: str, found: str, allowed: str, advice: str) -> Problem:
    return Problem(*row.place(column), found, allowed, advice, "warning")


def _report_month(tables: Tables) -> date | None:
    settings = tables["Settings"]
    month: date | None = settings.columns["report_month"].item(0) if len(settings) else None
    return month


def _end_of(month: date) -> date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


CHECKS = (_future_months, _amounts, _twice, _signatures)
