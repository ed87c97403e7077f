"""Hours: the grains from the requests of an hour to the replicas and accelerators that serve them, and their bill.

Says where each input of these grains is read; which rows they have, hour_rows says.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.calculation import Columns
from engine.formulas import (
    BATCH_FORMULAS,
    CALENDAR_FORMULAS,
    CLASS_HOUR_FORMULAS,
    DAY_FORMULAS,
    HOUR_FORMULAS,
    PROMPT_FORMULAS,
    VALLEY_FORMULAS,
)
from engine.scenarios.bills import bill_hours
from engine.scenarios.grains import Grain
from engine.scenarios.hour_rows import GIVEN_BACK, KINDS, PROFILE, Hour, Maker, Part, Rows
from engine.scenarios.sources import (
    BATCHES,
    CALENDAR,
    CLASS_HOURS,
    CONFIGURED,
    DAYS,
    HOURS,
    LINES,
    LOADS,
    MONTH_PARTS,
    TRAFFIC_HOURS,
    VALLEYS,
    HourShare,
    Key,
    Largest,
    Looked,
    OneOf,
    Source,
    Sum,
    Varied,
)
from engine.sheets import CONFIGURATIONS, TRAFFIC
from engine.units import (
    Count,
    Flag,
    HoursPerMonth,
    Number,
    RequestsPerSecond,
)
from engine.workbook.read import Inputs


def with_hours(inputs: Inputs, grains: Mapping[str, Grain], parts: tuple[Part, ...]) -> dict[str, Grain]:
    """The grains, with those of the hours and of the fleets' bills; unchanged where nothing serves a demand."""
    rows = Rows(inputs, grains[CONFIGURED])
    if not rows.serving:
        return dict(grains)
    maker = Maker(inputs, grains)
    _calendar(maker, rows, parts)
    _requests(maker, rows)
    _valleys(maker, rows)
    _fleet_hours(maker, rows)
    _loads(maker, rows)
    _batches(maker, rows)
    bill_hours(maker, rows, parts)
    return maker.grains


def _calendar(maker: Maker, rows: Rows, parts: tuple[Part, ...]) -> None:
    pairs = [(hour, part) for hour in rows.every for part in parts]
    keys: Columns = {
        "calendar_hour": np.array([f"{hour.name}, {part.name}" for hour, part in pairs]),
        "hour": np.array([hour.name for hour, _ in pairs]),
        "part": np.array([part.name for _, part in pairs]),
        "is_weekend": np.array([hour.is_weekend for hour, _ in pairs]),
        "is_every_day": np.array([hour.is_every_day for hour, _ in pairs]),
    }
    flags: dict[str, Source] = {"is_weekend": Key(Flag), "is_every_day": Key(Flag)}
    maker.make(CALENDAR, keys, flags, CALENDAR_FORMULAS, (MONTH_PARTS, "part"))


def _requests(maker: Maker, rows: Rows) -> None:
    """Requests of every class, and of every traffic that is served, by the hour."""
    served = list(dict.fromkeys(str(rows.configured.value("traffic", key)) for key in rows.serving))
    lines = maker.grains[LINES]
    triples = [
        (str(lines.at("traffic", row)), row, hour)
        for row in range(len(lines.keys))
        if lines.at("traffic", row) in served
        for hour in rows.every
    ]
    keys: Columns = {
        "class_hour": np.array([f"{lines.keys[row]}, {hour.name}" for _, row, hour in triples]),
        "line": np.array([lines.keys[row] for _, row, _ in triples]),
        "traffic_class": np.array([lines.at("traffic_class", row) for _, row, _ in triples]),
        "traffic_hour": np.array([f"{traffic}, {hour.name}" for traffic, _, hour in triples]),
        "hour_number": np.array([hour.number for *_, hour in triples]),
        "is_weekend": np.array([hour.is_weekend for *_, hour in triples]),
        "is_every_day": np.array([hour.is_every_day for *_, hour in triples]),
    }
    given: dict[str, Source] = {
        **{name: Key(Flag) for name in ("is_weekend", "is_every_day")},
        "hour_number": Key(Number),
        "load_profile": Looked(TRAFFIC, TRAFFIC.column("load_profile"), "traffic_class"),
        "hour_share": HourShare("load_profile", "hour_number", "is_weekend", "is_every_day"),
    }
    maker.make(CLASS_HOURS, keys, given, CLASS_HOUR_FORMULAS, (LINES, "line"))
    both = [(traffic, hour) for traffic in served for hour in rows.every]
    of_traffic: Columns = {
        "traffic_hour": np.array([f"{traffic}, {hour.name}" for traffic, hour in both]),
        "traffic": np.array([traffic for traffic, _ in both]),
        "hour": np.array([hour.name for _, hour in both]),
    }
    sums: dict[str, Source] = {
        "traffic_hour_requests": Sum(CLASS_HOURS, "hour_requests", RequestsPerSecond, "traffic_hour"),
        "traffic_hour_deferrable": Sum(CLASS_HOURS, "deferrable_requests", RequestsPerSecond, "traffic_hour"),
    }
    maker.make(TRAFFIC_HOURS, of_traffic, sums, {})


def _valleys(maker: Maker, rows: Rows) -> None:
    """What each configuration serves in an hour, and where its batch work finds room in the day."""
    pairs = rows.pairs()
    traffic = {key: str(rows.configured.value("traffic", key)) for key in rows.serving}
    keys: Columns = {
        "configuration_hour": np.array([f"{key}, {hour.name}" for key, hour in pairs]),
        "configuration": np.array([key for key, _ in pairs]),
        "configuration_day": np.array([_day(key, hour) for key, hour in pairs]),
        "traffic_hour": np.array([f"{traffic[key]}, {hour.name}" for key, hour in pairs]),
    }
    others = ((TRAFFIC_HOURS, "traffic_hour"), (CONFIGURED, "configuration"))
    maker.make(VALLEYS, keys, {}, VALLEY_FORMULAS, *others)
    days: Columns = {"configuration_day": np.array(list(dict.fromkeys(_day(key, hour) for key, hour in pairs)))}
    sums: dict[str, Source] = {
        "day_deferrable_requests": Sum(VALLEYS, "deferrable_requests", RequestsPerSecond, "configuration_day"),
        "day_valley_room": Sum(VALLEYS, "valley_room", RequestsPerSecond, "configuration_day"),
    }
    maker.make(DAYS, days, sums, DAY_FORMULAS)


def _day(key: str, hour: Hour) -> str:
    return f"{key}, {hour.name if hour.is_every_day else KINDS[int(hour.is_weekend)]}"


def _fleet_hours(maker: Maker, rows: Rows) -> None:
    """The replicas and accelerators of each hour."""
    grain, pairs = rows.configured, rows.pairs()
    keys: Columns = {
        "configuration_hour": np.array([f"{key}, {hour.name}" for key, hour in pairs]),
        "configuration": np.array([key for key, _ in pairs]),
        "hour": np.array([hour.name for _, hour in pairs]),
        "configuration_day": np.array([_day(key, hour) for key, hour in pairs]),
        "traffic": np.array([grain.value("traffic", key) for key, _ in pairs]),
        "hardware_hour": np.array([f"{grain.value('hardware', key)}, {hour.name}" for key, hour in pairs]),
    }
    given: dict[str, Source] = {
        "busiest_hour_requests": Largest(TRAFFIC_HOURS, "traffic_hour_requests", "traffic", RequestsPerSecond),
        "profile_hours": Sum(CALENDAR, "profile_hours", HoursPerMonth, "hour"),
        "waiting_target": Varied(
            CONFIGURED, "pool_waiting_target", "configuration", grain.annotation("pool_waiting_target")
        ),
    }
    basis = Looked(CONFIGURATIONS, CONFIGURATIONS.column("price_basis"), "configuration")
    given["is_rented"] = OneOf(basis, GIVEN_BACK)
    others = ((VALLEYS, "configuration_hour"), (DAYS, "configuration_day"), (CONFIGURED, "configuration"))
    maker.make(HOURS, keys, given, {**HOUR_FORMULAS, **PROMPT_FORMULAS}, *others)


def _batches(maker: Maker, rows: Rows) -> None:
    """The batch that each hour's requests make, of configurations whose batch follows demand; none where none does."""
    pairs = [(key, hour) for key, hour in rows.pairs() if rows.configured.value("requested_batch_size", key) < 0]
    if pairs:
        keys: Columns = {
            "configuration_hour": np.array([f"{key}, {hour.name}" for key, hour in pairs]),
            "configuration": np.array([key for key, _ in pairs]),
        }
        others = ((HOURS, "configuration_hour"), (CONFIGURED, "configuration"))
        weight = maker.grains[HOURS].annotation("profile_requests")
        given: dict[str, Source] = {"profile_requests": Varied(HOURS, "profile_requests", "configuration_hour", weight)}
        maker.make(BATCHES, keys, given, BATCH_FORMULAS, *others)


def _loads(maker: Maker, rows: Rows) -> None:
    """Accelerators that are busy and that run, hour by hour, of all fleets that have hours."""
    if PROFILE in rows.hours_of.values():
        keys: Columns = {"hour": np.array([hour.name for hour in PROFILE])}
        sums: dict[str, Source] = {
            "hour_useful": Sum(HOURS, "useful_accelerators", Count, "hour"),
            "hour_needed": Sum(HOURS, "needed_accelerators", Count, "hour"),
        }
        maker.make(LOADS, keys, sums, {})
