"""Hours: that load profiles, contracts and ways to follow a load make sense. Knows tables and cells, no Excel file."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date

import numpy as np

from engine.sheets import PRICE_BASES
from engine.workbook.demand import classes_of
from engine.workbook.describe import number
from engine.workbook.problems import Problem, listed
from engine.workbook.tables import Row, Tables

HOURS = 24
# Shares are typed in tenths of a percent, twenty-four of them.
TOLERANCE = 0.0025
GIVEN_BACK = ("on demand", "spot")
SHARES = ("weekday_share", "weekend_share")


def _profiles(tables: Tables) -> Iterator[Problem]:
    """A profile has every hour of the day, and its shares add up."""
    table = tables["Load profiles"]
    for name in dict.fromkeys(row["load_profile"] for row in table if row["load_profile"]):
        rows = [row for row in table if row["load_profile"] == name]
        if not all(row.sound("hour", *SHARES) for row in rows):
            continue
        if missing := sorted(set(range(HOURS)) - {int(row["hour"]) for row in rows}):
            found = f"profile '{name}' has no row for the hours {listed(map(str, missing))}"
            advice = "Add a row for each; a share may be 0 %."
            yield Problem(*rows[0].place("load_profile"), found, "allowed are the hours 0 to 23, each once", advice)
            continue
        for column in SHARES:
            total = sum(row[column] for row in rows)
            if abs(total - 1) > TOLERANCE:
                found = f"the {column} of '{name}' adds to {100 * total:.4g} %"
                yield Problem(*rows[0].place(column), found, "allowed is 100 %", "Correct the hours.")


def busiest_hour(tables: Tables, row: Row, month: date) -> float:
    """Requests per second in the busiest hour of a class, from its mean and its profile."""
    days = calendar.monthrange(month.year, month.month)[1]
    first = month.replace(day=1)
    working = int(np.busday_count(first, np.datetime64(first) + days))
    weight = row["weekend_weight"]
    weekday = row["mean_requests"] * days / (working + weight * (days - working))
    hours = [hour for hour in tables["Load profiles"] if hour["load_profile"] == row["load_profile"]]
    shares = [max(hour["weekday_share"], hour["weekend_share"] * weight) for hour in hours] or [max(1, weight) / HOURS]
    return float(weekday * HOURS * max(shares))


def _busiest_hours(tables: Tables) -> Iterator[Problem]:
    """The peak is at least what the profile brings in its busiest hour."""
    if not len(tables["Settings"]) or not tables["Load profiles"].sound("load_profile", *SHARES):
        return
    month = tables["Settings"].columns["report_month"].item(0)
    needed = ("mean_requests", "peak_requests", "load_profile", "weekend_weight")
    for row in tables["Traffic"]:
        if month is None or not row.sound(*needed) or row.is_blank("mean_requests") or row.is_blank("peak_requests"):
            continue
        if row["peak_requests"] < row["mean_requests"]:
            continue  # which is told as such
        busiest = busiest_hour(tables, row, month)
        if busiest > row["peak_requests"] * (1 + TOLERANCE):
            found = f"peak_requests is {number(row['peak_requests'])} requests/s"
            by = f"profile '{row['load_profile']}'" if row["load_profile"] else "weekend_weight"
            allowed = (
                f"allowed is the busiest hour or more: {by} makes {busiest:.4g} of the mean "
                f"{number(row['mean_requests'])} ({row.address('mean_requests')})"
            )
            yield Problem(*row.place("peak_requests"), found, allowed, "Raise the peak, or flatten the profile.")


def _following(tables: Tables) -> Iterator[Problem]:
    """Replicas that follow the hour can be given back, and have something to follow."""
    for row in tables["Configurations"]:
        if not row.sound("scales_hourly", "scales_to_zero", "price_basis", "traffic", "requested_batch_size"):
            continue
        if row["scales_hourly"] and row["price_basis"] in set(PRICE_BASES) - set(GIVEN_BACK):
            found = f"scales_hourly is yes, but price_basis is '{row['price_basis']}' ({row.address('price_basis')})"
            allowed = f"allowed is {' or '.join(GIVEN_BACK)}: what is committed is paid around the clock"
            advice = "Change one of them; accelerators that are reserved stand on Commitments."
            yield Problem(*row.place("scales_hourly"), found, allowed, advice)
        if row["scales_to_zero"] and not row["scales_hourly"]:
            found = "scales_to_zero is yes, but scales_hourly is no"
            advice = "Set scales_hourly to yes, or clear this cell."
            allowed = "replicas that run around the clock are never let go"
            yield Problem(*row.place("scales_to_zero"), found, allowed, advice, "warning")
        classes = [member for member, _ in classes_of(tables, row["traffic"])]
        if not classes or not all(
            member.sound("load_profile", "weekend_weight", "mean_requests") for member in classes
        ):
            continue
        if row["requested_batch_size"] < 0 and any(member.is_blank("mean_requests") for member in classes):
            found = f"requested_batch_size is demand, but '{row['traffic']}' has none"
            advice = "Type a number or max, or give the requests on Traffic."
            yield Problem(*row.place("requested_batch_size"), found, "", advice)
        elif row["scales_hourly"] and all(not m["load_profile"] and m["weekend_weight"] == 1 for m in classes):
            found = f"scales_hourly is yes, but the requests of '{row['traffic']}' are the same in every hour"
            advice = "Name a load_profile on Traffic, or type no."
            yield Problem(*row.place("scales_hourly"), found, "", advice, "warning")


def _contracts(tables: Tables) -> Iterator[Problem]:
    """A contract ends after it begins, and something that serves runs on its accelerators."""
    settings = tables["Settings"]
    month = settings.columns["report_month"].item(0) if len(settings) else None
    serving = {row["hardware"] for row in tables["Configurations"] if not row.is_blank("requests_share")}
    for row in tables["Commitments"]:
        if not row.sound("contract_start", "contract_end", "hardware"):
            continue
        start, end = row["contract_start"], row["contract_end"]
        if start is None or end is None:
            continue
        if end < start:
            found = f"contract_end is {end:%Y-%m-%d}"
            allowed = f"allowed is {start:%Y-%m-%d} or later, when it begins ({row.address('contract_start')})"
            yield Problem(*row.place("contract_end"), found, allowed, "Correct whichever is wrong.")
        elif month and (end < month.replace(day=1) or start > _end_of(month)):
            found = f"'{row['contract']}' is not in force in {month:%B %Y}"
            advice = "Check its days, or delete it."
            yield Problem(*row.place("contract_start"), found, "it costs nothing in this report", advice, "warning")
        elif row["hardware"] not in serving:
            found = f"no configuration that serves runs on {row['hardware']}"
            allowed = f"what '{row['contract']}' costs would be in no total"
            advice = "Give a configuration on it a requests_share, or delete the contract."
            yield Problem(*row.place("hardware"), found, allowed, advice)


def _end_of(month: date) -> date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


CHECKS = (_profiles, _busiest_hours, _following, _contracts)
