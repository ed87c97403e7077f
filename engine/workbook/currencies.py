"""Currencies: that amounts in another currency than the report's have a rate of the month. Knows no Excel file."""

from __future__ import annotations

from collections.abc import Iterator

from engine.sheets import CURRENCY, EXCHANGE_RATES
from engine.workbook.problems import Problem, listed
from engine.workbook.tables import Row, Tables


def _reported(tables: Tables) -> Row | None:
    """The row of the Settings, where it says in which currency and month the report is."""
    return next((row for row in tables["Settings"] if row.sound("currency", "report_month")), None)


def _rates_are_there(tables: Tables) -> Iterator[Problem]:
    """Every currency that a row names is the report's or has its rate."""
    settings, rates = _reported(tables), tables[EXCHANGE_RATES.name]
    if settings is None or not rates.sound("currency"):
        return
    known = [str(row["currency"]) for row in rates]
    for table in tables.values():
        if CURRENCY not in table.sheet.columns:
            continue
        for row in table:
            currency = row["currency"]
            if row.sound("currency") and currency and currency not in (settings["currency"], *known):
                found = f"'{currency}' is not on the {EXCHANGE_RATES.name} sheet"
                rated = f" and those there, {listed(known)}" if known else "; that sheet has no rows"
                own = f"{settings['currency']} ({settings.cell('currency')})"
                allowed = f"allowed is the report's currency, {own}{rated}"
                yield Problem(*row.place("currency"), found, allowed, "Add its rate there, or choose another one.")


def _rates_are_of_the_month(tables: Tables) -> Iterator[Problem]:
    """No rate is of the report's own currency; warns of one from another month."""
    settings = _reported(tables)
    if settings is None:
        return
    month = settings["report_month"]
    for row in tables[EXCHANGE_RATES.name]:
        if row.sound("currency") and row["currency"] == settings["currency"]:
            found = f"'{row['currency']}' is the currency of the report ({settings.cell('currency')})"
            allowed = "allowed are other currencies, because its rate is 1"
            yield Problem(*row.place("currency"), found, allowed, "Delete this row, or correct either currency.")
        day = row["rate_date"]
        if day and row.sound("rate_date") and (day.year, day.month) != (month.year, month.month):
            found = f"the rate of {row['currency']} is of {day:%Y-%m-%d}"
            allowed = f"that is not in the month reported, {month:%Y-%m}"
            yield Problem(*row.place("rate_date"), found, allowed, "Look up a rate of the month.", "warning")


CHECKS = (_rates_are_there, _rates_are_of_the_month)
