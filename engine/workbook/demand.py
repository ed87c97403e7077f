"""Demand: that traffic, customer groups and the shares that are served add up. Knows tables and cells, no Excel file.

A class has demand where its requests are given. Its requests go to the configurations that name it, or that name a
customer group (a traffic mix) it belongs to; each of its requests must be served once.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.workbook.describe import number
from engine.workbook.problems import Problem
from engine.workbook.tables import Row, Tables

TOLERANCE = 1e-6


def classes_of(tables: Tables, traffic: str) -> list[tuple[Row, float]]:
    """The classes behind a name on a configuration, each with its share: one class, or those of a mix."""
    single = tables["Traffic"].find(traffic)
    if single:
        return [(single, 1.0)]
    members = [(tables["Traffic"].find(row["traffic"]), row["mix_share"]) for row in _members(tables, traffic)]
    return [(row, share) for row, share in members if row]


def _members(tables: Tables, mix: str) -> list[Row]:
    return [row for row in tables["Traffic mixes"] if row["traffic_mix"] == mix]


def _has_demand(tables: Tables, traffic: str) -> bool | None:
    """Whether requests are given for a class or a mix; None where that cannot be said."""
    members = [row for row, _ in classes_of(tables, traffic)]
    answers = {not row.is_blank("mean_requests") for row in members}
    sound = all(row.sound("mean_requests") for row in members)
    return answers.pop() if sound and len(answers) == 1 else None


def _requests(tables: Tables) -> Iterator[Problem]:
    """Mean and peak are given together, and the peak is the larger."""
    for row in tables["Traffic"]:
        for given, needed in (("mean_requests", "peak_requests"), ("peak_requests", "mean_requests")):
            if row.sound(given) and not row.is_blank(given) and row.is_blank(needed):
                found = f"{needed} is blank although {given} is given ({row.address(given)})"
                advice = "Fill it in, or clear both for a class without demand."
                yield Problem(*row.place(needed), found, "a class has both or neither", advice)
        if row["peak_requests"] < row["mean_requests"]:
            found = f"peak_requests is {number(row['peak_requests'])} requests/s"
            allowed = f"allowed is the mean or more, {number(row['mean_requests'])} ({row.address('mean_requests')})"
            yield Problem(*row.place("peak_requests"), found, allowed, "Correct whichever is wrong.")


def _mixes(tables: Tables) -> Iterator[Problem]:
    """A mix has a name of its own, its classes have demand or have none, and some of their requests are its own."""
    classes = {row["traffic"].casefold(): row for row in tables["Traffic"]}
    for mix in dict.fromkeys(row["traffic_mix"] for row in tables["Traffic mixes"] if row["traffic_mix"]):
        rows = _members(tables, mix)
        first = rows[0]
        if mix.casefold() in classes:
            where = classes[mix.casefold()].cell("traffic")
            found = f"'{mix}' is a class too, in {where}"
            yield Problem(*first.place("traffic_mix"), found, "a mix needs a name of its own", "Rename the mix.")
        if all(row["mix_share"] == 0 for row in rows):
            found = f"the shares of mix '{mix}' are all 0 %"
            advice = "Type what share of each class it sends, or delete the mix."
            yield Problem(*first.place("mix_share"), found, "", advice)
        with_demand = {row: _has_demand(tables, row["traffic"]) for row in rows}
        for row in rows:
            if {with_demand[first], with_demand[row]} == {True, False}:
                lone = row if with_demand[row] else first
                pair = f"'{first['traffic']}' and '{row['traffic']}'"
                found = f"{pair} are in one mix, but only '{lone['traffic']}' has demand"
                allowed = "a mix takes classes that all have demand, or all have none"
                advice = "Give requests for both on Traffic, or split the mix."
                yield Problem(*row.place("traffic"), found, allowed, advice)


def _mix_shares(tables: Tables) -> Iterator[Problem]:
    """Customer groups together send no more than all requests of a class."""
    for name in tables["Traffic"].columns["traffic"].tolist():
        rows = [row for row in tables["Traffic mixes"] if row["traffic"] == name]
        total = sum(row["mix_share"] for row in rows)
        if total > 1 + TOLERANCE:
            found = f"the mix shares of '{name}' add to {_percent(total)}: {_parts(rows, 'traffic_mix', 'mix_share')}"
            yield Problem(*rows[0].place("mix_share"), found, "allowed is at most 100 %", "Lower one of them.")


def _loads(tables: Tables) -> Iterator[Problem]:
    """A configuration's load comes from demand, or is assumed: never both, never neither."""
    for row in tables["Configurations"]:
        demand = _has_demand(tables, row["traffic"])
        if demand is None or not row.sound("assumed_utilization", "requests_share"):
            continue
        assumed = not row.is_blank("assumed_utilization")
        if demand and assumed:
            found = f"assumed_utilization is given, but '{row['traffic']}' has demand, from which the load follows"
            yield Problem(*row.place("assumed_utilization"), found, "allowed is one of the two", "Clear this cell.")
        if not demand and not assumed:
            found = f"assumed_utilization is blank, and '{row['traffic']}' has no demand a load could follow from"
            advice = "Type a load here, or give its requests on Traffic."
            yield Problem(*row.place("assumed_utilization"), found, "one of the two is needed", advice)
        if not demand and not row.is_blank("requests_share"):
            found = f"requests_share is given, but '{row['traffic']}' has no demand to share"
            advice = "Clear this cell, or give the requests on Traffic."
            yield Problem(*row.place("requests_share"), found, "", advice)


def _served(tables: Tables) -> Iterator[Problem]:
    """Every request of a class with demand is served once; a class that nothing serves is in no total."""
    configurations, mixes = tables["Configurations"], tables["Traffic mixes"]
    shares_known = configurations.sound("traffic", "requests_share") and mixes.sound(
        "traffic_mix", "traffic", "mix_share"
    )
    if not len(configurations) or not shares_known:
        return
    for wanted in tables["Traffic"]:
        if wanted.is_blank("mean_requests") or not wanted.sound("traffic", "mean_requests"):
            continue
        served = [
            (row, row["requests_share"] * share)
            for row in configurations
            if not row.is_blank("requests_share")
            for member, share in classes_of(tables, row["traffic"])
            if member == wanted
        ]
        total = sum(share for _, share in served)
        if not served:
            found = f"'{wanted['traffic']}' has demand, but no configuration with a requests_share serves it"
            advice = "Its requests are in no total; give a configuration a share if they should be."
            yield Problem(*wanted.place("traffic"), found, "", advice, "warning")
        elif abs(total - 1) > TOLERANCE:
            parts = ", ".join(f"{row['configuration']} {_percent(share)}" for row, share in served)
            found = f"the requests of '{wanted['traffic']}' that are served add to {_percent(total)}: {parts}"
            advice = "Change a requests_share, or clear it where a configuration is only compared."
            yield Problem(*served[0][0].place("requests_share"), found, "allowed is 100 %", advice)


def _parts(rows: list[Row], name: str, share: str) -> str:
    return ", ".join(f"{row[name]} {_percent(row[share])}" for row in rows)


def _percent(share: float) -> str:
    return f"{number(share * 100)} %"


CHECKS = (_requests, _mixes, _mix_shares, _loads, _served)
