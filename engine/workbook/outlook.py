"""Outlook: that what is said of the months to come can be. Knows tables and cells, no Excel file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from engine.sheets import COMMITTED_BASES, MONTH_NAMES
from engine.workbook.describe import number
from engine.workbook.problems import Problem
from engine.workbook.tables import Tables

FEWEST_MONTHS = 12
MEAN_FROM, MEAN_TO = 0.5, 2.0  # of a season's factors, which are multiples of a mean month


def _months(tables: Tables) -> Iterator[Problem]:
    """The outlook covers a year or more, or is not asked for."""
    for row in tables["Settings"]:
        months = row["forward_months"]
        if 0 < months < FEWEST_MONTHS:
            found = f"forward_months is {number(months)}"
            advice = "Type 12 for a year, or 0 to leave the months ahead out."
            yield Problem(*row.place("forward_months"), found, "allowed is 12 to 36, or 0", advice)


def _commitments(tables: Tables) -> Iterator[Problem]:
    """A last day belongs to a commitment, and to one that is still in force."""
    settings = tables["Settings"]
    month: date | None = settings.columns["report_month"].item(0) if len(settings) else None
    for row in tables["Configurations"]:
        until: date | None = row["committed_until"]
        if until is None:
            continue
        place = row.place("committed_until")
        if row["price_basis"] and row["price_basis"] not in COMMITTED_BASES:
            found = f"committed_until is given, but '{row['price_basis']}' commits to nothing"
            allowed = f"a commitment is {' or '.join(COMMITTED_BASES)} ({row.address('price_basis')})"
            yield Problem(*place, found, allowed, "Clear this cell, or correct the price basis.")
        elif month and until < month.replace(day=1):
            found = f"committed_until is {until:%Y-%m-%d}"
            allowed = f"that is before the month reported, {month:%Y-%m}"
            advice = "Type the last day of the commitment that holds now, or choose on demand as price_basis."
            yield Problem(*place, found, allowed, advice)


def _seasons(tables: Tables) -> Iterator[Problem]:
    """Warns of a season whose months are far from their mean being 1."""
    for row in tables["Seasons"]:
        mean = sum(row[name] for name in MONTH_NAMES) / len(MONTH_NAMES)
        if row.sound(*MONTH_NAMES) and not MEAN_FROM <= mean <= MEAN_TO:
            found = f"the factors of season '{row['season']}' have a mean of {number(round(mean, 2))}"
            allowed = "they are multiples of a mean month, so about 1"
            yield Problem(*row.place(MONTH_NAMES[0]), found, allowed, "Check all twelve.", "warning")


CHECKS = (_months, _commitments, _seasons)
