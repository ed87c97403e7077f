"""Billing: that price lists and the shares of what is billed hold together. Knows tables and cells, no Excel file.

A price list may have a row for each of its prices; the days of its rows never overlap. A day or a bucket without a
price bills nothing, which is warned of.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

from engine.workbook.demand import classes_of
from engine.workbook.describe import number
from engine.workbook.problems import Problem, listed
from engine.workbook.tables import Row, Tables

TOLERANCE = 1e-9
# Shares of the same requests, or of the same invoices: together at most all of them.
TOGETHER = (("free_share", "retry_share", "aborted_share", "internal_share"), ("credit_share", "refund_share"))
TIERS = ("long_context_input_multiple", "long_context_output_multiple", "batch_discount", "off_peak_discount")
# The price of a bucket, and the column of Traffic that says whether a class has tokens in it.
BUCKETS = {
    "input_price": "",
    "cached_input_price": "cached_share",
    "cache_write_price": "cache_write_share",
    "output_price": "",
    "reasoning_price": "reasoning_tokens",
}
# What a class sells at a discount that its price list may lack.
DISCOUNTED = {"batch_share": "batch_discount", "off_peak_share": "off_peak_discount"}


def month_of(tables: Tables) -> tuple[date, date] | None:
    """First and last day of the month reported; None where it could not be read."""
    settings = tables["Settings"]
    month: date | None = settings.columns["report_month"].item(0) if len(settings) else None
    if month is None:
        return None
    return month.replace(day=1), month.replace(day=calendar.monthrange(month.year, month.month)[1])


def _rows_of(tables: Tables) -> dict[str, list[Row]]:
    """The rows of every price list whose days could be read, the first that holds first."""
    rows: dict[str, list[Row]] = {}
    for row in tables["Prices"]:
        if row["price_list"] and row["valid_from"] and row.sound("valid_from", "valid_until"):
            rows.setdefault(row["price_list"], []).append(row)
    return {name: sorted(of_list, key=lambda row: row["valid_from"]) for name, of_list in rows.items()}


def _users(tables: Tables) -> dict[str, list[Row]]:
    """The configurations that name each price list."""
    users: dict[str, list[Row]] = {}
    for row in tables["Configurations"]:
        users.setdefault(row["price_list"], []).append(row)
    return users


def _in_month(row: Row, month: tuple[date, date]) -> bool:
    first, last = month
    return row["valid_from"] <= last and (row["valid_until"] is None or row["valid_until"] >= first)


def _days(tables: Tables) -> Iterator[Problem]:
    """A row holds from a day to the same or a later one, and no two rows of a list hold on the same day."""
    for name, rows in _rows_of(tables).items():
        for row in rows:
            if row["valid_until"] and row["valid_until"] < row["valid_from"]:
                found = f"valid_until is {row['valid_until']:%Y-%m-%d}"
                allowed = f"allowed is valid_from or later, {row['valid_from']:%Y-%m-%d} ({row.address('valid_from')})"
                yield Problem(*row.place("valid_until"), found, allowed, "Correct whichever is wrong.")
        for row, following in pairwise(rows):
            if row["valid_until"] is None or row["valid_until"] >= following["valid_from"]:
                until = f"until {row['valid_until']:%Y-%m-%d}" if row["valid_until"] else "until further notice"
                found = f"'{name}' holds {until}, but its next prices hold from {following['valid_from']:%Y-%m-%d}"
                before = following["valid_from"] - timedelta(days=1)
                advice = f"Type {before:%Y-%m-%d} as valid_until, or give one of the two another name."
                yield Problem(*row.place("valid_until"), found, f"which is in {following.cell('valid_from')}", advice)


def _in_force(tables: Tables) -> Iterator[Problem]:
    """Price lists in use hold in the month; days of it without prices are warned of."""
    month = month_of(tables)
    if month is None:
        return
    first, last = month
    users = _users(tables)
    for name, rows in _rows_of(tables).items():
        # A list that ends before it begins has been told.
        if name not in users or any(row["valid_until"] and row["valid_until"] < row["valid_from"] for row in rows):
            continue
        used = f"it is used by: {listed(row['configuration'] for row in users[name])}"
        advice = "Name another price list there, or correct the date."
        if rows[0]["valid_from"] > last:
            found = f"'{name}' holds from {rows[0]['valid_from']:%Y-%m-%d}"
            allowed = f"the month reported ends on {last:%Y-%m-%d}, and {used}"
            yield Problem(*rows[0].place("valid_from"), found, allowed, advice)
            continue
        held = [row for row in rows if _in_month(row, month)]
        if not held:
            before = max((row for row in rows if row["valid_from"] <= last), key=lambda row: row["valid_until"])
            found = f"'{name}' held until {before['valid_until']:%Y-%m-%d}"
            allowed = f"the month reported begins on {first:%Y-%m-%d}, and {used}"
            yield Problem(*before.place("valid_until"), found, allowed, advice)
        elif gaps := list(_gaps(held, month)):
            days = sum((end - start).days + 1 for start, end in gaps)
            when = " and ".join(f"{a:%Y-%m-%d}" if a == b else f"{a:%Y-%m-%d} to {b:%Y-%m-%d}" for a, b in gaps)
            share = number(round(100 * days / last.day, 1))
            found = f"'{name}' has no prices on {days} days of the month, {when}"
            allowed = f"{share} % of the requests that it prices are billed nothing, and {used}"
            advice = "Add a row for these days, or correct a date."
            yield Problem(*held[0].place("valid_from"), found, allowed, advice, "warning")


def _gaps(rows: list[Row], month: tuple[date, date]) -> Iterator[tuple[date, date]]:
    """First and last days of the runs of days in the month on which none of the rows holds."""
    first, last = month
    open_day = first
    for row in rows:
        if row["valid_from"] > open_day:
            yield open_day, row["valid_from"] - timedelta(days=1)
        if row["valid_until"] is None:
            return
        open_day = max(open_day, row["valid_until"] + timedelta(days=1))
    if open_day <= last:
        yield open_day, last


def _tiers(tables: Tables) -> Iterator[Problem]:
    """A list keeps its threshold within the month; warns of other terms that change, billed at their mean."""
    month = month_of(tables)
    if month is None:
        return
    for name, rows in _rows_of(tables).items():
        held = [row for row in rows if _in_month(row, month)]
        for row, following in pairwise(held):
            column = "long_context_threshold"
            if row.sound(column) and following.sound(column) and row[column] != following[column]:
                found = f"'{name}' changes its long_context_threshold within the month"
                allowed = f"it is {number(row[column])} in {row.cell(column)}"
                advice = "Give the new terms a price list of their own, or keep the threshold."
                yield Problem(*following.place(column), found, allowed, advice)
            for tier in TIERS:
                if row.sound(tier) and following.sound(tier) and row[tier] != following[tier]:
                    found = f"'{name}' changes its {tier} within the month"
                    allowed = f"it is {number(row[tier])} in {row.cell(tier)}"
                    advice = "The month is billed at the mean over its days."
                    yield Problem(*following.place(tier), found, allowed, advice, "warning")


def _shares(tables: Tables) -> Iterator[Problem]:
    """What is not billed, and what is not collected, is no more than all of it."""
    for row in tables["Traffic"]:
        for names in TOGETHER:
            total = sum(row[name] for name in names)
            if row.sound(*names) and total > 1 + TOLERANCE:
                parts = ", ".join(f"{name} {number(row[name] * 100)} %" for name in names if row[name])
                found = f"{parts} of '{row['traffic']}' add to {number(round(total * 100, 6))} %"
                yield Problem(*row.place(names[0]), found, "allowed is at most 100 %", "Lower one of them.")


def _unpriced(tables: Tables) -> Iterator[Problem]:
    """Warns of buckets without a price that some class has tokens in, and of tiers without a discount."""
    month = month_of(tables)
    if month is None:
        return
    rows, users = _rows_of(tables), _users(tables)
    for name in users:
        classes = {
            member["traffic"]: member
            for user in users[name]
            if not user.is_blank("requests_share")
            for member, _ in classes_of(tables, user["traffic"])
        }
        for row in rows.get(name, []):
            if not _in_month(row, month):
                continue
            for price, tokens in BUCKETS.items():
                losing = [each for each, member in classes.items() if not tokens or member[tokens] > 0]
                if row.is_blank(price) and losing:
                    found = f"'{name}' has no {price}, and tokens of {listed(losing)} fall under it"
                    advice = "They are billed nothing; type a price, or 0 where that is meant."
                    yield Problem(*row.place(price), found, "", advice, "warning")
            for share, discount in DISCOUNTED.items():
                losing = [each for each, member in classes.items() if member[share] > 0]
                if losing and row.sound(discount) and row[discount] == 0:
                    found = f"'{name}' has no {discount}, and a {share} is given for {listed(losing)}"
                    advice = "These requests are billed in full; type the discount, or clear the share on Traffic."
                    yield Problem(*row.place(discount), found, "", advice, "warning")


def _other_costs(tables: Tables) -> Iterator[Problem]:
    """Other costs belong to something that is served, and what is taken of revenue is a share."""
    serving = [row for row in tables["Configurations"] if not row.is_blank("requests_share")]
    for row in tables["Other costs"]:
        if row["driver"] == "revenue" and row["amount"] > 1:
            found = f"amount is {number(row['amount'])}, of revenue"
            advice = "Type 0.029 for 2.9 % of revenue."
            yield Problem(*row.place("amount"), found, "allowed is 0 to 1, a share of revenue", advice)
        if not row.sound("model", "traffic"):
            continue
        served = any(
            row["model"] in ("", user["model"])
            and row["traffic"]
            in ("", user["traffic"], *(each["traffic"] for each, _ in classes_of(tables, user["traffic"])))
            for user in serving
        )
        if serving and not served:
            belongs = " of ".join(f"'{row[name]}'" for name in ("traffic", "model") if row[name])
            found = (
                f"'{row['other_cost_line']}' belongs to {belongs}, which no configuration with a requests_share serves"
            )
            advice = "It is in no total; name what is served, or clear the cell."
            column = "model" if row["model"] else "traffic"
            yield Problem(*row.place(column), found, "", advice, "warning")


def _thresholds(tables: Tables) -> Iterator[Problem]:
    """Warns of a mix with classes on both sides of a threshold."""
    rows = _rows_of(tables)
    for user in tables["Configurations"]:
        if user.is_blank("requests_share"):
            continue
        members = [member for member, _ in classes_of(tables, user["traffic"])]
        for row in rows.get(user["price_list"], []):
            limit = row["long_context_threshold"]
            above = [member["traffic"] for member in members if member["input_tokens"] > limit > 0]
            below = [member["traffic"] for member in members if member["input_tokens"] <= limit]
            if above and below:
                found = f"the mix '{user['traffic']}' has classes on both sides of the long-context tier"
                allowed = f"{listed(above)} above {number(limit)} tokens ({row.cell('long_context_threshold')})"
                advice = f"Each class is billed by its own mean prompt, {listed(below)} below the tier: check them."
                yield Problem(*user.place("traffic"), found, allowed, advice, "warning")


CHECKS = (_days, _in_force, _tiers, _shares, _unpriced, _thresholds, _other_costs)
