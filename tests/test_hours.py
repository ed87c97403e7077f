"""Hours, contracts and bills of whole months: nothing is lost, nothing paid twice, and parts add up to the cent."""

from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from bad_workbooks.valid import ROWS, SEEN, TODAY
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.scenarios import (
    BATCHES,
    BILLS,
    CONFIGURED,
    FLEETS,
    HOURS,
    LEDGER,
    LOADS,
    SLICES,
    TOTAL,
    scenario,
)
from engine.scenarios.hour_rows import EVERY_HOUR, PROFILE, month_parts
from engine.workbook.blank import write_blank
from engine.workbook.read import read

EXAMPLE = Path(__file__).parents[1] / "inputs" / "example.xlsx"
CENT = 0.005
LINES = ("useful_bill", "headroom_bill", "reserve_bill", "idle_bill", "transition_bill")
TERMS = ("commitment_bill", "rented_bill", "interruption_bill", "transition_bill")
# Shares of a day that is busy in the afternoon and empty at night.
SHAPE = np.concatenate([np.full(6, 0.01), np.full(6, 0.04), np.full(6, 0.09), np.full(6, 0.08 / 3)])
SHAPE = SHAPE / SHAPE.sum()

WORKBOOK = {
    **ROWS,
    "Traffic": [
        {
            **ROWS["Traffic"][0],
            "mean_requests": 300,
            "peak_requests": 800,
            "load_profile": "day",
            "weekend_weight": 0.5,
        }
    ],
    "Load profiles": [
        {
            "load_profile": "day",
            "hour": hour,
            "weekday_share": round(float(share), 4),
            "weekend_share": round(1 / 24, 5),
            **SEEN,
        }
        for hour, share in enumerate(SHAPE)
    ],
    "Configurations": [
        {**ROWS["Configurations"][0], "requests_share": 0.6, "scales_hourly": "yes"},
        {**ROWS["Configurations"][0], "configuration": "the rest", "requests_share": 0.4},
    ],
    "Commitments": [
        {
            "contract": f"contract {number}",
            "hardware": "H100",
            "term": term,
            "contract_accelerators": 4 * number,
            "contract_price": 0.8 + number / 5,
            "contract_start": date(2026, 1, 1),
            "contract_end": date(2027, 12, 31),
            **SEEN,
        }
        for number, term in enumerate(("owned", "1 year", "3 years"), 1)
    ],
}


@lru_cache(maxsize=1)
def example():
    return scenario(read(EXAMPLE))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A workbook of two configurations on one kind of accelerator, one of which follows the hour, with contracts."""
    path = tmp_path_factory.mktemp("hours") / "hours.xlsx"
    write_blank(path, WORKBOOK, today=TODAY)
    return read(path)


def changed(inputs, **sheets):
    """The same tables with cells of rows changed: a sheet's name with underlines, and what each column becomes."""
    tables = dict(inputs.tables)
    for name, columns in sheets.items():
        sheet = name.replace("_", " ")
        table = tables[sheet]
        arrays = {column: np.asarray(values, dtype=table.columns[column].dtype) for column, values in columns.items()}
        tables[sheet] = replace(table, columns={**table.columns, **arrays})
    return scenario(replace(inputs, tables=tables))


def adds_up(calculated):
    """Every whole of a month is the sum of its parts, to the cent."""
    fleets, total, grain = calculated[FLEETS].values, calculated[TOTAL], calculated[CONFIGURED].values
    for parts in (LINES, TERMS):
        assert np.abs(sum(fleets[part] for part in parts) - fleets["bill"]).max() < CENT
        assert abs(sum(total.value(part, "Total") for part in parts) - total.value("fleet_cost", "Total")) < CENT
    serving = grain["counts"] > 0
    assert np.abs(grain["fleet_cost"][serving] - fleets["bill"]).max() < CENT
    # Requests, each at its cost, are the bill; and each is served once.
    assert np.abs(grain["allocated_cost"][serving] - fleets["bill"]).max() < CENT
    month = grain["mean_load"][serving] * 86400 * grain["days_in_month"][serving]
    assert fleets["profile_requests"] == pytest.approx(month, rel=1e-9)
    ledger = calculated[LEDGER].values
    for whole, part in (("revenue", "net_revenue"), ("fleet_cost", "line_bill")):
        assert abs(ledger[part].sum() - total.value(whole, "Total")) < CENT
    profit = total.value("revenue", "Total") - total.value("fleet_cost", "Total")
    assert abs(profit - total.value("gross_profit", "Total")) < CENT
    assert all((fleets[part] >= -CENT).all() for part in (*LINES, *TERMS))


def test_the_example_adds_up():
    adds_up(example())


def draw(random):
    """Cells of a month that might be anybody's."""
    shares = random.random(24) ** 2 + 0.01
    shares /= shares.sum()
    mean = 10 ** random.uniform(0, 3)
    part = random.uniform(0.1, 0.9)
    starts = [date(2026, 10, 1) + timedelta(int(days)) for days in random.integers(0, 62, 3)]
    return {
        "Traffic": {
            "mean_requests": [mean],
            "peak_requests": [mean * random.uniform(6, 30)],
            "weekend_weight": [random.uniform(0, 2)],
            "waiting_target": [random.choice([1e6, 0.05, 2.0])],
            "batch_share": [random.choice([0.0, 0.3, 1.0])],
            "free_share": [random.uniform(0, 0.3)],
            "refund_share": [random.uniform(0, 0.1)],
        },
        "Load_profiles": {"weekday_share": shares, "weekend_share": np.roll(shares, int(random.integers(24)))},
        "Configurations": {
            "requests_share": [part, 1 - part],
            "spare_replicas": random.integers(0, 3, 2),
            "scales_hourly": random.integers(0, 2, 2),
            "requested_batch_size": random.choice([0.0, -1.0, 8.0], 2),
            "shared_pool": random.integers(0, 2, 2),
            "price_basis": random.choice(["on demand", "spot"], 2),
        },
        "Hardware": {
            "on_demand_price": [random.uniform(1, 12)],
            "spot_price": [random.uniform(0.5, 3)],
            "accelerators_per_node": [random.choice([1.0, 4.0, 8.0])],
        },
        "Commitments": {
            "contract_accelerators": random.integers(1, 60, 3),
            "contract_price": random.uniform(0.2, 3, 3),
            "contract_start": starts,
            "contract_end": [start + timedelta(int(random.integers(60))) for start in starts],
        },
        "Settings": {"start_time": [random.uniform(0, 1800)], "valley_limit": [random.uniform(0.2, 1)]},
    }


@settings(max_examples=200, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate))
@given(st.integers(0, 2**32 - 1))
def test_drawn_months_add_up_to_the_cent(inputs, seed):
    """Five months an example: a thousand workbooks as tables in memory."""
    random = np.random.default_rng(seed)
    for _ in range(5):
        adds_up(changed(inputs, **draw(random)))


def test_drawn_months_add_up_through_files(tmp_path):
    random = np.random.default_rng(25)
    for number in range(25):
        drawn = draw(random)
        rows = {name: [dict(row) for row in of] for name, of in WORKBOOK.items()}
        for sheet, columns in drawn.items():
            for column, values in columns.items():
                for row, value in zip(rows[sheet.replace("_", " ")], values, strict=True):
                    row[column] = value.item() if hasattr(value, "item") else value
        _as_typed(rows)
        path = tmp_path / f"{number}.xlsx"
        write_blank(path, rows, today=TODAY)
        adds_up(scenario(read(path)))


def _as_typed(rows):
    """Numbers that stand for words as those words, blanks where a default is meant."""
    words = {"scales_hourly": {0: "no", 1: "yes"}, "shared_pool": {0: "no", 1: "yes"}}
    words["requested_batch_size"] = {0.0: "max", -1.0: "demand"}
    for row in rows["Configurations"]:
        for column, said in words.items():
            row[column] = said.get(row.get(column), row.get(column))
    for row in rows["Traffic"]:
        row["waiting_target"] = None if row["waiting_target"] == 1e6 else row["waiting_target"]
    for column in ("weekday_share", "weekend_share"):
        shares = [round(row[column], 6) for row in rows["Load profiles"]]
        for row, share in zip(rows["Load profiles"], shares, strict=True):
            row[column] = share
        rows["Load profiles"][0][column] += 1 - sum(shares)


# A contract within the month


def test_a_contract_that_ends_within_the_month_is_paid_to_its_last_day(inputs):
    ends = changed(
        inputs,
        Commitments={
            "contract_accelerators": [1000, 4, 4],
            "contract_price": [1, 0, 0],
            "contract_end": [date(2026, 11, 12), date(2027, 12, 31), date(2027, 12, 31)],
        },
    )
    assert [part.name for part in month_parts(ends.inputs)] == ["1 to 12 November", "13 to 30 November"]
    total = ends[TOTAL]
    assert total.value("commitment_bill", "Total") == pytest.approx(1000 * 24 * 12)
    # Till then nothing is rented, since so many are held; afterwards all but eight.
    bills = ends[BILLS].values
    first = np.array([key.endswith("12 November") for key in bills["calendar_hour"]])
    assert (bills["rented_accelerators"][first] == 0).all() and (bills["rented_accelerators"][~first] > 0).any()
    adds_up(ends)


def test_contracts_of_all_terms_are_paid_once_whoever_shares_them(inputs):
    hours = 24 * 30
    per_hour = sum(number * 4 * (0.8 + number / 5) for number in (1, 2, 3))
    assert scenario(inputs)[TOTAL].value("commitment_bill", "Total") == pytest.approx(per_hour * hours)
    one = changed(inputs, Configurations={"requests_share": [0.999999, 0.000001]})
    assert one[TOTAL].value("commitment_bill", "Total") == pytest.approx(per_hour * hours)


def test_more_contracts_than_anybody_needs_are_idle_and_said(inputs):
    many = changed(inputs, Commitments={"contract_accelerators": [5000, 0, 0]})
    total, bills = many[TOTAL], many[BILLS].values
    assert total.value("rented_bill", "Total") == total.value("transition_bill", "Total") == 0
    assert total.value("idle_bill", "Total") > total.value("useful_bill", "Total")
    assert set(bills["commitment_warning"]) == {"commitments are larger than the hour needs"}


# What follows the hour


def test_a_fleet_that_follows_the_hour_costs_less_and_serves_the_same(inputs):
    around = changed(inputs, Configurations={"scales_hourly": [0, 0]}, Commitments={"contract_accelerators": [0, 0, 0]})
    following = changed(inputs, Commitments={"contract_accelerators": [0, 0, 0]})
    for name in ("revenue", "sold_tokens"):
        assert around[TOTAL].value(name, "Total") == pytest.approx(following[TOTAL].value(name, "Total"))
    assert following[TOTAL].value("fleet_cost", "Total") < 0.8 * around[TOTAL].value("fleet_cost", "Total")
    # Around the clock all hours cost the same, and one row stands for them.
    assert set(around[HOURS].values["hour"]) == {EVERY_HOUR}
    grain = around[CONFIGURED].values
    rent = grain["fleet_accelerators"] * grain["accelerator_price"] * 24 * 30
    assert grain["fleet_cost"] == pytest.approx(rent)


def test_a_pool_that_may_be_emptied_is_where_nothing_comes(inputs):
    shares = np.where(np.arange(24) < 6, 0.0, 1 / 18)
    quiet = {"Load_profiles": {"weekday_share": shares}, "Traffic": {"peak_requests": [900]}}
    emptied = {"Settings": {"start_time": [20]}, "Configurations": {"scales_to_zero": [1, 1]}}
    hours = changed(inputs, **quiet, **emptied)[HOURS].values
    night = (hours["configuration"] == "chat on H100") & (hours["hour"] == "weekday 03")
    assert hours["running_replicas"][night] == 0
    late = changed(inputs, **quiet, Settings={"start_time": [300]}, Configurations={"scales_to_zero": [1, 1]})
    assert late[HOURS].values["running_replicas"][night] == 1
    assert late[FLEETS].value("kept_warning", "chat on H100").startswith("replicas stay warm")


def test_a_wait_that_no_fleet_keeps_is_said(inputs):
    hopeless = {"waiting_target": [0.001], "service_variability": [100], "mean_requests": [4], "peak_requests": [20]}
    few = {"requested_batch_size": [1, 1], "requests_share": [0.5, 0.5]}
    fleets = changed(inputs, Traffic=hopeless, Configurations=few)[FLEETS]
    told = {fleets.value("peak_waiting_warning", key) for key in ("chat on H100", "the rest")}
    assert told & {"", "more requests wait longer than the target allows"} == told
    limited = changed(inputs, Configurations={"maximum_replicas": [1, 1e6]})[FLEETS]
    assert limited.value("limit_warning", "chat on H100") == "demand exceeds what the replicas that can be had serve"
    assert limited.value("limit_warning", "the rest") == ""


def test_a_tighter_promise_never_needs_fewer_replicas(inputs):
    counts = [
        changed(inputs, Traffic={"waiting_target": [target]})[CONFIGURED].values["replica_count"]
        for target in (60.0, 2.0, 0.2, 0.01)
    ]
    assert all((more >= fewer).all() for fewer, more in pairwise(counts))


@pytest.mark.parametrize(("month", "days"), [((2027, 2), 28), ((2028, 2), 29), ((2026, 11), 30), ((2026, 12), 31)])
def test_months_of_all_lengths_have_all_their_hours(inputs, month, days):
    calculated = changed(inputs, Settings={"report_month": [date(*month, 1)]})
    hours = calculated[HOURS].values
    own = hours["configuration"] == "chat on H100"
    assert hours["profile_hours"][own].sum() == 24 * days and own.sum() == len(PROFILE)
    adds_up(calculated)


def test_a_batch_that_follows_demand_is_the_mean_of_its_hours():
    calculated = example()
    batches, fleets = calculated[BATCHES].values, calculated[FLEETS]
    assert set(batches["configuration"]) == {"Partners on 2 A100"}
    mean = np.average(batches["busy_batch_hour"], weights=batches["profile_requests"])
    assert fleets.value("mean_batch", "Partners on 2 A100") == pytest.approx(mean)
    grain = calculated[CONFIGURED]
    assert grain.value("running_batch_size", "Partners on 2 A100") == pytest.approx(mean)
    assert mean < grain.value("batch_size", "Partners on 2 A100")
    assert grain.value("running_batch_size", "Chat on 4 H100") == grain.value("batch_size", "Chat on 4 H100")


# The day, and further contracts


def test_the_day_of_the_fleets_is_the_sum_of_those_that_follow_it():
    calculated = example()
    hours, loads = calculated[HOURS].values, calculated[LOADS]
    for hour in PROFILE:
        own = hours["hour"] == hour.name
        assert loads.value("hour_needed", hour.name) == pytest.approx(hours["needed_accelerators"][own].sum())
        assert loads.value("hour_useful", hour.name) <= loads.value("hour_needed", hour.name)


def test_a_further_contract_saves_what_the_bill_falls_by(inputs):
    """The proposal is taken: so many accelerators at the price of a year, around the clock."""
    prices = {"on_demand_price": [4.0], "one_year_price": [1.5], "three_year_price": [np.nan]}
    none = {"contract_accelerators": [0, 0, 0]}
    before = changed(inputs, Hardware=prices, Commitments=none, Settings={"start_time": [0]})
    slices = before[SLICES].values
    worth = slices["cheapest_term"] == "1 year"
    assert worth.any() and not worth.all()
    held = slices["slice_to"][worth].max()
    taken = {"contract_accelerators": [held, 0, 0], "contract_price": [1.5, 1, 1]}
    after = changed(inputs, Hardware=prices, Commitments=taken, Settings={"start_time": [0]})
    saved = before[TOTAL].value("fleet_cost", "Total") - after[TOTAL].value("fleet_cost", "Total")
    proposed = before[TOTAL].value("contract_saving", "Total")
    # Slices are cut where needs lie, thinned to eight; within one an hour may need less than all of it.
    assert saved == pytest.approx(proposed, rel=0.15) and saved > 0
