"""Demand by the hour: parts add up to the month, valleys fill, and the batch of an hour is the one that it makes."""

import calendar
import time
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calculation import behind, calculate
from engine.formulas import CLASS_HOUR_FORMULAS, EVERY_FORMULA, HOUR_FORMULAS, PROMPT_FORMULAS, needs
from engine.scenarios import CONFIGURED, scenario
from engine.workbook.read import read

# Every run draws the same cases, and a slow machine fails none.
STEADY = settings(deadline=None, derandomize=True, max_examples=60)
# Of an hour, where its name stands for a configuration's figure too.
OF_HOURS = EVERY_FORMULA | HOUR_FORMULAS | PROMPT_FORMULAS | CLASS_HOUR_FORMULAS
INPUTS = Path(__file__).parents[1] / "inputs"
HOURS = np.arange(48)
IS_WEEKEND = (HOURS >= 24).astype(float)


def ask(*wanted, **columns):
    """The columns asked for, from the columns given."""
    rows = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value, float)) for value in columns.values()))
    formulas = {name: OF_HOURS[name] for name in behind(wanted, columns, OF_HOURS)}
    result = calculate(dict(zip(columns, rows, strict=True)), formulas)
    return result[wanted[0]] if len(wanted) == 1 else [result[name] for name in wanted]


def weekend_days(year, month):
    days = calendar.monthrange(year, month)[1]
    return sum(date(year, month, day).weekday() >= 5 for day in range(1, days + 1))


def profile(shape):
    """Shares of the day's requests in 24 hours of a weekday and 24 of a weekend day; each adds up to 1."""
    shape = np.asarray(shape, float).reshape(2, 24)
    return (shape / shape.sum(axis=1, keepdims=True)).ravel()


DAYTIME = profile(2 + np.tile(np.sin((np.arange(24) - 9) / 24 * 2 * np.pi), 2))


def the_month(days, weekends, **more):
    """Days of a month, all of them billed."""
    calendar_days = {"part_days": days, "calendar_days": days, "days_in_month": days}
    return {**calendar_days, "working_days": days - weekends, "is_every_day": 0, **more}


shapes = st.lists(st.floats(0.01, 10), min_size=48, max_size=48).map(profile)
months = st.tuples(st.integers(2020, 2035), st.integers(1, 12))


# Parts and wholes


@STEADY
@given(shape=shapes, month=months, mean=st.floats(0, 1e4), weight=st.floats(0, 3))
def test_hours_add_up_to_the_month(shape, month, mean, weight):
    days, weekends = calendar.monthrange(*month)[1], weekend_days(*month)
    hours, requests, rates = ask(
        *("profile_hours", "profile_requests", "hour_requests"),
        **the_month(days, weekends),
        class_requests=mean,
        weekend_weight=weight,
        is_weekend=IS_WEEKEND,
        hour_share=shape,
    )
    assert hours.sum() == 24 * days
    assert requests.sum() == pytest.approx(mean * 86400 * days, rel=1e-12)
    assert (rates * hours).sum() / hours.sum() == pytest.approx(mean, rel=1e-12)
    assert rates[24:].sum() == pytest.approx(weight * rates[:24].sum())


def test_months_of_all_lengths():
    for year, month, days, weekends in ((2026, 2, 28, 8), (2028, 2, 29, 8), (2026, 11, 30, 9), (2026, 8, 31, 10)):
        assert (calendar.monthrange(year, month)[1], weekend_days(year, month)) == (days, weekends)
        assert [kind[0] for kind in ask("weekdays", "weekend_days", **the_month(days, weekends))] == [
            days - weekends,
            weekends,
        ]
    # A document that bills 30.4 days has them in the proportion of the calendar's.
    billed = {**the_month(30, 9), "days_in_month": 30.4}
    assert sum(kind[0] for kind in ask("weekdays", "weekend_days", **billed)) == pytest.approx(30.4)


def test_a_flat_profile_is_the_mean():
    flat = the_month(31, 10, weekend_weight=1, is_weekend=IS_WEEKEND)
    assert ask("hour_requests", class_requests=7, hour_share=1 / 24, **flat) == pytest.approx(np.full(48, 7.0))
    every = the_month(31, 10, weekend_weight=0.3, is_weekend=0) | {"is_every_day": 1}
    requests, hours = ask("hour_requests", "profile_hours", class_requests=7, hour_share=1 / 24, **every)
    assert (requests[0], hours[0]) == (pytest.approx(7), 744)


def test_days_that_bring_nothing_have_no_requests_to_spread():
    given_ = the_month(8, 8, class_requests=3, is_weekend=1)
    assert np.isnan(ask("day_requests", weekend_weight=0, **given_)[0])
    assert ask("day_requests", weekend_weight=0.5, **given_)[0] == pytest.approx(3 * 86400)


def test_busiest_minutes_exceed_their_hour_or_are_part_of_it():
    assert ask("sized_requests", immediate_requests=10, peak_requests=45, busiest_hour_requests=30)[0] == 15
    assert ask("sized_requests", immediate_requests=10, peak_requests=20, busiest_hour_requests=30)[0] == 10
    assert ask("sized_requests", immediate_requests=0, peak_requests=0, busiest_hour_requests=0)[0] == 0


# Valleys


@STEADY
@given(shape=shapes, share=st.floats(0, 1), limit=st.floats(0.1, 1), fleet=st.floats(1, 300))
def test_batch_work_is_served_or_left_over_and_keeps_the_limit(shape, share, limit, fleet):
    rates = 2400 * shape[:24]
    given_ = {"hour_requests": rates, "batch_share": share, "fleet_rate": fleet, "valley_limit": limit}
    deferrable, room, immediate = ask("deferrable_requests", "valley_room", "immediate_requests", **given_)
    sums = {"day_deferrable_requests": deferrable.sum(), "day_valley_room": room.sum()}
    filled, served, left, warning = ask(
        "filled_requests", "served_hour_requests", "day_left_over", "valley_warning", **given_, **sums
    )
    assert filled.sum() + left[0] == pytest.approx(deferrable.sum(), abs=1e-9)
    # What no valley holds is served when it comes: nothing is lost.
    assert served.sum() == pytest.approx(rates.sum())
    if not left[0]:
        assert np.all(served <= np.maximum(limit * fleet, immediate) + 1e-9)
    assert (warning[0] == "") == (left[0] == 0)


def test_a_day_without_room_leaves_all_batch_work():
    given_ = {"day_deferrable_requests": 5, "day_valley_room": 0}
    assert ask("valley_fill", **given_)[0] == 0
    assert ask("day_left_over", **given_)[0] == 5
    assert ask("valley_warning", **given_)[0] == "the valleys do not hold all batch work"


def test_replicas_of_a_filled_valley_carry_it():
    given_ = {"wanted_replicas": 3, "request_rate": 10, "valley_limit": 0.8, "left_over_requests": 0}
    assert ask("running_replicas", filled_requests=20, served_hour_requests=40, **given_)[0] == 5
    assert ask("running_replicas", filled_requests=0, served_hour_requests=29, **given_)[0] == 3


def test_replicas_follow_the_hour_only_where_they_may():
    given_ = {"needed_replicas": 3, "replica_count": 9}
    assert ask("wanted_replicas", scales_hourly=1, **given_)[0] == 3
    assert ask("wanted_replicas", scales_hourly=0, **given_)[0] == 9


# What is kept beside


@pytest.mark.parametrize(
    ("replicas", "size", "node", "accelerators"),
    [
        (0, 8, 8, 0),
        (1, 1, 1, 1),
        (7, 1, 8, 8),
        (9, 1, 8, 16),
        (3, 3, 8, 16),
        (2, 8, 8, 16),
        (2, 16, 8, 32),
        (1, 12, 8, 16),
    ],
)
def test_replicas_pack_into_whole_nodes(replicas, size, node, accelerators):
    given_ = {"running_replicas": replicas, "accelerator_count": size, "accelerators_per_node": node}
    assert ask("pool_accelerators", **given_)[0] == accelerators


@STEADY
@given(
    replicas=st.integers(0, 50),
    prefill=st.integers(0, 50),
    spare=st.integers(0, 2),
    size=st.integers(1, 16),
    node=st.integers(1, 16),
)
def test_accelerators_are_in_use_spare_or_in_reserve(replicas, prefill, spare, size, node):
    given_ = {"running_replicas": replicas, "prefill_pool_replicas": prefill, "spare_replicas": spare}
    required, reserve, unused = ask(
        *("required_accelerators", "reserve_accelerators", "spare_accelerators"),
        **given_,
        accelerator_count=size,
        accelerators_per_node=node,
    )
    assert required[0] == (replicas + prefill) * size + unused[0]
    assert unused[0] >= 0 and reserve[0] >= 0
    assert required[0] % node == 0 and reserve[0] % node == 0
    assert (required[0] == 0) == (replicas + prefill == 0)
    # The reserve of each pool has room: on its own nodes, or on those it needed anyway.
    assert reserve[0] + unused[0] >= spare * size * ((replicas > 0) + (prefill > 0))


def test_a_pool_is_emptied_only_where_a_cold_start_is_soon_over():
    given_ = {"minimum_replicas": 2, "start_target": 60}
    for scales, start, kept, told in ((1, 59, 0, False), (1, 61, 2, True), (0, 59, 2, False), (0, 61, 2, False)):
        assert ask("kept_replicas", scales_to_zero=scales, start_time=start, **given_)[0] == kept
        assert bool(ask("kept_warning", scales_to_zero=scales, start_time=start, start_target=60)[0]) == told


# The batch of an hour


@lru_cache(maxsize=1)
def running():
    """What is known of the example's configurations that fit."""
    grain = scenario(read(INPUTS / "example.xlsx"))[CONFIGURED]
    fits = np.asarray(grain.values["fits"]) > 0
    return {name: np.asarray(values)[fits] for name, values in grain.values.items()}


def at_load(share, *wanted):
    """The example's configurations, one replica of each at a share of what it can serve."""
    given_ = {**running(), "served_hour_requests": share * running()["request_rate"]}
    given_["running_replicas"] = np.ones_like(given_["request_rate"])
    formulas = {name: OF_HOURS[name] for name in behind(wanted, given_, OF_HOURS)}
    return given_, calculate(given_, formulas)


AFTER = ("busy_batch_hour", "following_batch_hour", "time_per_output_token_hour")


def settled_by_halving(columns):
    """The decoding batch that its own step keeps, and what follows from it: sixty halvings instead of four tries."""
    wanted = behind(AFTER, {**columns, "hour_decoding_batch": 0}, EVERY_FORMULA)
    formulas = {name: EVERY_FORMULA[name] for name in wanted if name.endswith("_hour")}
    known = {name: value for name, value in columns.items() if name not in formulas}
    low, high = np.zeros_like(columns["batch_size"], float), np.asarray(columns["batch_size"], float)
    for _ in range(60):
        middle = (low + high) / 2
        more = calculate({**known, "hour_decoding_batch": middle}, formulas)["following_batch_hour"] > middle
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return calculate({**known, "hour_decoding_batch": low}, formulas)


@pytest.mark.parametrize("share", [1e-4, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99, 1])
def test_four_tries_settle_the_batch(share):
    _, found = at_load(share, *AFTER)
    settled = settled_by_halving(found)
    assert found["hour_decoding_batch"] == pytest.approx(settled["hour_decoding_batch"], rel=0.02, abs=0.01)
    assert found["busy_batch_hour"] == pytest.approx(settled["busy_batch_hour"], rel=0.01)
    assert found["time_per_output_token_hour"] == pytest.approx(settled["time_per_output_token_hour"], rel=0.01)


def test_a_full_replica_has_its_own_batch_and_speed():
    columns, found = at_load(1.0, *AFTER)
    measured = columns["measured_output_speed"] > 0
    for name, own in (
        ("busy_batch_hour", "batch_size"),
        ("hour_decoding_batch", "decoding_batch"),
        ("time_per_output_token_hour", "time_per_output_token"),
    ):
        assert found[name][~measured] == pytest.approx(np.asarray(columns[own], float)[~measured], rel=1e-3)


def test_more_demand_never_makes_a_smaller_batch_or_a_faster_one():
    shares = [0, 0.02, 0.1, 0.25, 0.4, 0.6, 0.75, 0.9, 1, 2]
    found = [at_load(share, *AFTER)[1] for share in shares]
    for name in ("busy_batch_hour", "time_per_output_token_hour"):
        rows = np.array([columns[name] for columns in found])
        assert np.all(np.diff(rows, axis=0) >= -0.005 * rows[1:]), name
    assert np.all(found[0]["busy_batch_hour"] == 0)
    for name in AFTER:
        assert np.array_equal(found[-1][name], found[-2][name]), name


def test_little():
    """Sequences in a replica are requests per second times the seconds that each is in it."""
    columns, found = at_load(0.6, *AFTER)
    inside = found["replica_rate"] / columns["pipeline_stages"] * found["busy_cycle_time_hour"]
    assert found["busy_batch_hour"] == pytest.approx(inside)


# A grain of hours


def hours_of_the_example(mean, **changes):
    """The example's configurations over 48 hours of a profile, each with this share of its capacity times 40."""
    count = len(running()["request_rate"])
    # What the peak's fleet has of the same name is not what the hour has.
    known = {name: values for name, values in running().items() if name not in HOUR_FORMULAS | PROMPT_FORMULAS}
    columns = {name: np.repeat(values, 48) for name, values in known.items()}
    rows = {
        **the_month(30, 9),
        "weekend_weight": 0.6,
        "is_weekend": np.tile(IS_WEEKEND, count),
        "hour_share": np.tile(DAYTIME, count),
        "class_requests": mean * 40 * columns["request_rate"],
        "scales_hourly": 1,
        "batch_share": 0,
        "peak_multiple": 1,
        "filled_requests": 0,
        "left_over_requests": 0,
        "valley_limit": 1,
        "service_variability": 1,
        "waiting_percentile": 0.99,
        "waiting_target": 0.5,
        "planned_utilization": changes.get("utilization_cap", 0.85),
        "kept_replicas": 0 if changes.get("scales_to_zero") else columns["minimum_replicas"],
        "spare_replicas": 1,
        "accelerators_per_node": 8,
        **changes,
    }
    columns |= {name: np.broadcast_to(np.asarray(value, float), count * 48) for name, value in rows.items()}
    return columns


HOURLY = (
    *(
        "required_accelerators",
        "reserve_accelerators",
        "spare_accelerators",
        "profile_requests",
        "waiting_warning_hour",
    ),
    *("waiting_warning_prefill", "tail_waiting_time_hour", "needed_replicas", *AFTER),
)


def hourly(mean, **changes):
    columns = hours_of_the_example(mean, **changes)
    formulas = {name: OF_HOURS[name] for name in behind(HOURLY, columns, OF_HOURS)}
    return calculate(columns, formulas)


@settings(STEADY, max_examples=15)
@given(mean=st.floats(0.001, 5), cap=st.floats(0.3, 0.95), target=st.sampled_from([0, 0.2, 5]))
def test_more_demand_never_needs_a_smaller_fleet(mean, cap, target):
    less, more = (hourly(mean * factor, utilization_cap=cap, waiting_target=target) for factor in (1, 1.2))
    for name in ("needed_replicas", "required_accelerators"):
        assert np.all(more[name] >= less[name]), name
    for found in (less, more):
        assert np.all(found["offered_load"] <= cap * found["slots_hour"] * (1 + 1e-9))
        late = found["tail_waiting_time_hour"] > target
        assert np.all((found["waiting_warning_hour"] != "") == late)


def test_an_hour_without_demand_keeps_the_minimum_and_no_batch():
    found = hourly(0)
    assert np.all(found["needed_replicas"] == found["minimum_replicas"])
    assert np.all(found["busy_batch_hour"] == 0)
    assert not found["waiting_warning_hour"].astype(bool).any()
    emptied = hourly(0, scales_to_zero=1, start_time=5)
    assert not emptied["required_accelerators"].any() and not emptied["reserve_accelerators"].any()


def test_a_grain_of_hours_is_calculated_at_once():
    columns = hours_of_the_example(1.0)
    formulas = {name: OF_HOURS[name] for name in behind(HOURLY, columns, OF_HOURS)}
    assert len(columns["hour_share"]) > 1000
    begin = time.perf_counter()
    found = calculate(columns, formulas)
    taken = time.perf_counter() - begin
    assert all(np.isfinite(found[name]).all() for name in ("required_accelerators", *AFTER))
    print(f"{len(formulas)} formulas over {len(columns['hour_share'])} rows: {taken * 1000:.0f} ms")
    assert max(len(needs(formula)) for formula in formulas.values()) < 12
