"""What must hold whatever the figures are: in memory, over the example's configurations and over drawn ones."""

import math
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from second_model import second

from engine.calculation import calculate
from engine.catalogue import catalogue
from engine.formulas import ACTION_FORMULAS, FORMULAS
from engine.scenarios import BY_TRAFFIC, CONFIGURED, LINES, TOTAL, scenario
from engine.sheets import COMPUTE, PRICE_BASES
from engine.studies.alternatives import cheapest_moves
from engine.studies.fidelity import parameters_of
from engine.studies.worked_examples import PLAIN_FLEET
from engine.workbook.read import read

NOVEMBER = Path(__file__).parents[1] / "inputs" / "example.xlsx"
# What fails is readable as it was drawn; making it smaller would take minutes.
settings.register_profile(
    "project", max_examples=30, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile("project")
SLIGHTLY = 1e-9

factors = st.floats(1.0, 8.0)


@lru_cache(maxsize=1)
def inputs():
    return read(NOVEMBER)


@lru_cache(maxsize=1)
def november():
    return scenario(inputs())


def joined():
    """What the example's configurations read from the sheets, one row for each; their fleets run around the clock."""
    grain = november()[CONFIGURED]
    columns = {name: grain.values[name] for name in grain.sources}
    return {**columns, **{name: np.full(len(grain.keys), value) for name, value in PLAIN_FLEET.items()}}


def with_columns(**changes):
    """The example's configurations with some quantities changed, all of them calculated."""
    columns = joined()
    return calculate(
        {**columns, **{name: np.broadcast_to(value, columns[name].shape) for name, value in changes.items()}}
    )


def with_cells(*changes):
    """The whole month with cells of input sheets changed: sheet, column, and what becomes of its values."""
    tables = dict(inputs().tables)
    for sheet, column, change in changes:
        columns = tables[sheet].columns
        tables[sheet] = replace(tables[sheet], columns={**columns, column: change(columns[column])})
    return scenario(replace(inputs(), tables=tables))


def both_fit(one, other):
    return (one["fits"] > 0) & (other["fits"] > 0)


# Memory and batch


@given(factors)
def test_more_memory_never_lowers_the_batch_limit(factor):
    before, after = with_columns(), with_columns(accelerator_memory=joined()["accelerator_memory"] * factor)
    assert (after["batch_size_limit"] >= before["batch_size_limit"]).all()
    assert (after["fits"] >= before["fits"]).all()
    assert (after["minimum_accelerators"] <= before["minimum_accelerators"]).all()
    assert (after["minimum_slice"] <= before["minimum_slice"]).all()


@given(st.floats(1.0, 2.0))
def test_a_larger_precision_of_the_cache_never_raises_the_batch_limit(factor):
    before, after = with_columns(), with_columns(kv_bits=joined()["kv_bits"] * factor)
    assert (after["batch_size_limit"] <= before["batch_size_limit"]).all()
    assert after["kv_cache_per_token"] == pytest.approx(before["kv_cache_per_token"] * factor)
    assert (after["weight_memory"] == before["weight_memory"]).all()


@given(factors)
def test_longer_answers_never_raise_the_batch_limit(factor):
    before, after = with_columns(), with_columns(output_tokens=joined()["output_tokens"] * factor)
    assert (after["batch_size_limit"] <= before["batch_size_limit"]).all()


def test_the_batch_is_what_is_asked_for_or_what_memory_and_the_engine_allow():
    columns = with_columns()
    fits = columns["fits"] > 0
    asked = columns["requested_batch_size"]
    limit = np.minimum(columns["batch_size_limit"], columns["engine_batch_limit"] * columns["attention_data_parallel"])
    assert (columns["batch_size"][fits] <= limit[fits]).all()
    assert (columns["batch_size"] == np.where(asked > 0, asked, limit)).all()
    small = with_columns(requested_batch_size=0, engine_batch_limit=7, attention_data_parallel=2)
    assert (small["batch_size"] == np.minimum(small["batch_size_limit"], 14)).all()


def test_a_batch_that_fills_memory_leaves_less_than_one_sequence():
    columns = with_columns(requested_batch_size=0)
    used = columns["batch_size_limit"] * columns["pipeline_stages"] * columns["sequence_memory"]
    one = columns["pipeline_stages"] * columns["sequence_memory"]
    assert (used <= columns["free_memory"] * (1 + SLIGHTLY)).all()
    assert (used + one > columns["free_memory"]).all()


def test_what_does_not_fit_says_why():
    columns = with_columns()
    assert ((columns["reason"] == "") == (columns["fits"] > 0)).all()
    for change, reason in (
        ({"requested_batch_size": 1e6}, "memory holds fewer sequences than the batch asked for"),
        ({"maximum_context": 100.0}, "the context exceeds what the model supports"),
        ({"accelerator_memory": 1.0}, "the weights exceed the usable memory"),
    ):
        changed = with_columns(**change)
        assert (changed["fits"] == 0).all()
        assert (changed["reason"][columns["fits"] > 0] == reason).all()
    tight = with_columns(
        tight_memory_share=0,
        usable_memory_share=(columns["weight_memory"] + 1e-6)
        / columns["accelerator_memory"]
        / columns["accelerator_count"],
    )
    assert set(tight["reason"]) == {"beside the weights there is no memory for one sequence"}


# Speed


@given(st.integers(1, 512), st.integers(1, 512))
def test_a_step_takes_longer_with_a_larger_batch(one, other):
    smaller, larger = sorted((one, other))
    before = with_columns(requested_batch_size=smaller, shared_pool=0)
    after = with_columns(requested_batch_size=larger, shared_pool=0)
    assert (after["step_time"] >= before["step_time"]).all()
    assert (after["cycle_time"] >= before["cycle_time"]).all()
    assert (after["decoding_batch"] == larger).all()


@given(st.integers(1, 512))
def test_a_step_is_never_faster_than_its_floor_and_the_sum_of_its_parts(batch):
    columns = with_columns(requested_batch_size=batch)
    dense = columns["experts"] <= 1
    assert (columns["step_time"][dense] > columns["step_time_floor"][dense]).all()
    parts = ("weight_reading_time", "exposed_arithmetic_time", "attention_time", "network_time", "overhead_time")
    assert sum(columns[part] for part in parts) == pytest.approx(columns["step_time"])
    assert (columns["exposed_arithmetic_time"] >= -SLIGHTLY).all()


@given(st.floats(0, 1), st.floats(0, 1))
def test_softer_maxima_take_longer(one, other):
    less, more = sorted((one, other))
    before, after = with_columns(softness=less, shared_pool=0), with_columns(softness=more, shared_pool=0)
    assert (after["matrix_time"] >= before["matrix_time"]).all()
    hardest = with_columns(softness=0, shared_pool=0)
    assert (after["attention_time"] <= hardest["attention_time"] * 2 ** (1 / 3) * (1 + SLIGHTLY)).all()


@given(st.floats(0.05, 1))
def test_a_larger_share_of_the_prompt_in_the_cache_is_never_slower(share):
    tokens = joined()["input_tokens"]
    before, after = with_columns(cached_tokens=0 * tokens), with_columns(cached_tokens=tokens * share)
    assert (after["prefill_time"] <= before["prefill_time"] * (1 + SLIGHTLY)).all()
    assert (after["request_rate"] >= before["request_rate"] * (1 - SLIGHTLY)).all()
    whole = with_columns(cached_tokens=tokens)
    assert (whole["prefill_time"] == 0).all() and (whole["input_cost"] == 0).all()


def test_measured_speeds_replace_predicted_ones():
    columns = with_columns(measured_output_speed=1234, measured_input_speed=77)
    assert (columns["output_speed"] == 1234).all() and (columns["input_speed"] == 77).all()
    assert columns["request_rate"] == pytest.approx(1234 / columns["generated_tokens"])


def test_parallel_attention_reads_its_weights_more_than_once():
    """Groups of ranks that serve different sequences each hold all dense weights; a step's reading takes as long."""
    same = {"tensor_parallel": 8, "requested_batch_size": 16, "shared_pool": 0}
    columns, whole = with_columns(attention_data_parallel=4, **same), with_columns(attention_data_parallel=1, **same)
    assert columns["dense_reading_time"] == pytest.approx(4 * whole["dense_reading_time"])
    assert columns["sequence_overhead_time"] == pytest.approx(whole["sequence_overhead_time"] / 4)


@pytest.mark.parametrize("largest", range(5))
def test_a_step_is_bound_by_its_largest_part(largest):
    words = ("weights", "compute", "KV cache", "network", "overhead")
    for seed in range(20):
        parts = [Random(seed + part).uniform(0, 1) for part in range(5)]
        parts[largest] = 1.5
        assert FORMULAS["bound"](*parts) == words[largest]
    # Of two that are equally large, the first in this order.
    for other in range(largest + 1, 5):
        parts = [0.1 * (part not in (largest, other)) + (part in (largest, other)) for part in range(5)]
        assert FORMULAS["bound"](*parts) == words[largest]


def test_one_accelerator_needs_no_link():
    columns = with_columns(tensor_parallel=1, link_bandwidth=math.nan, accelerator_memory=2000)
    assert (columns["fits"] == 1).all()
    assert (columns["network_time"] == 0).all() and np.isfinite(columns["step_time"]).all()


# A roofline, typed here a second time


def published():
    (row,) = (row for row in catalogue("calibration") if row["calibration"].startswith("published"))
    return parameters_of(row)


PLAIN = {
    "engine_year": 0,
    "scheduling": 0,
    "time_factor": 1,
    "accelerator_measured": 0,
    "model_measured": 0,
    **PLAIN_FLEET,
    "pipeline_stages": 1,
    "attention_data_parallel": 1,
    "engine_batch_limit": 1e6,
    "shared_pool": 0,
    "has_demand": 0,
    "serves": 0,
    "served_share": 1,
    "mean_requests": 0,
    "peak_requests": 0,
    "headroom": 0,
    "minimum_replicas": 1,
    "assumed_utilization": 0.5,
    "usable_memory_share": 1,
    "measured_output_speed": 0,
    "measured_input_speed": 0,
    "cached_tokens": 0,
    "reasoning_tokens": 0,
    "kv_cache_override": 0,
    "weight_memory_override": 0,
    "routed_parameters": 0,
    "experts": 1,
    "experts_per_token": 1,
    "kv_lora_rank": 0,
    "nope_dim": 0,
    "rope_dim": 0,
    "value_dim": 0,
    "window": 0,
    "window_layers": 0,
    "linear_layers": 0,
    "sparse_tokens": 0,
    "maximum_context": 1e9,
    "link_bandwidth": 100,
    "days_in_month": 30,
    "input_price": 1,
    "cached_input_price": 1,
    "output_price": 1,
    "reasoning_price": 1,
    "cache_write_price": 1,
    "cache_write_share": 0,
    "collected_share": 1,
    "target_user_speed": 0,
    "first_token_target": 1e6,
}


@given(
    st.integers(1, 600),
    st.integers(128, 100_000),
    st.sampled_from([1, 2, 4, 8, 16]),
    st.floats(1, 500),
    st.sampled_from([(16, 16), (8, 16), (8, 8), (4, 8)]),
    st.floats(100, 5000),
    st.floats(300, 9000),
    st.sampled_from([(32, 8, 128), (80, 8, 128), (61, 64, 64)]),
    st.integers(8, 20_000),
    st.integers(2, 4000),
)
def test_without_softness_and_overheads_it_is_the_roofline(
    batch, context, count, parameters, bits, compute, bandwidth, shape, prompt, answer
):
    layers, kv_heads, head_dim = shape
    columns = calculate(
        {
            name: np.array([float(value)])
            for name, value in {
                **PLAIN,
                **published(),
                "total_parameters": parameters,
                "active_parameters": parameters,
                "layers": layers,
                "kv_heads": kv_heads,
                "attention_heads": 64,
                "head_dim": head_dim,
                "hidden_size": 4096,
                "weight_bits": bits[0],
                "mixture_dense_bits": bits[0],
                "kv_bits": bits[1],
                "peak_compute": compute,
                "bf16_compute": compute,
                "memory_bandwidth": bandwidth,
                "accelerator_memory": 1e5,
                "accelerator_price": 2.5,
                "tensor_parallel": count,
                "context_override": context,
                "requested_batch_size": batch,
                "input_tokens": prompt,
                "output_tokens": answer,
            }.items()
        }
    )
    bytes_of_weights = parameters * 1e9 * bits[0] / 8
    bytes_per_token = 2 * layers * kv_heads * head_dim * bits[1] / 8
    reading = bytes_of_weights / (count * bandwidth * 1e9)
    arithmetic = 2 * parameters * 1e9 * batch / (count * compute * 1e12)
    cache = batch * context * bytes_per_token / (count * bandwidth * 1e9)
    step = max(reading, arithmetic) + cache
    prefill = 2 * parameters * 1e9 * prompt / (count * compute * 1e12 * 0.4)
    speed = batch / step
    rent_per_second = count * 2.5 / 3600
    expected = {
        "weight_memory": bytes_of_weights / 1e9,
        "kv_cache_per_token": bytes_per_token,
        "sequence_memory": context * bytes_per_token / 1e9,
        "batch_size_limit": math.floor((count * 1e5 * 1e9 - bytes_of_weights) / (context * bytes_per_token) + 1e-9),
        "step_time": step,
        "step_time_floor": reading,
        "time_per_output_token": step,
        "output_speed": speed,
        "request_rate": speed / answer,
        "replica_cost": count * 2.5,
        # Half the load at the same rent is twice the cost.
        "output_cost": rent_per_second / speed * 1e6 / 0.5,
        "fleet_cost_per_day": 24 * 2.5 * (count + columns["prefill_replica_count"][0] * count),
    }
    assert {name: columns[name][0] for name in expected} == pytest.approx(expected, rel=1e-9)
    # A prompt is arithmetic or, where it is short, reading the weights once.
    assert columns["prefill_time"][0] == pytest.approx(max(prefill, reading), rel=1e-9)


@given(st.integers(1, 300), st.sampled_from([(128, 4), (256, 8), (8, 2)]))
def test_experts_are_read_as_far_as_tokens_touch_them(batch, experts):
    columns = with_columns(
        experts=experts[0],
        experts_per_token=experts[1],
        routing_correlation=1,
        shared_pool=0,
        requested_batch_size=batch,
    )
    touched = 1 - (1 - experts[1] / experts[0]) ** batch
    assert columns["expert_share"] == pytest.approx(np.full(len(columns["fits"]), touched))
    assert (columns["expert_share"] <= 1).all()


# Fleet, cost and margin


@given(st.floats(0.1, 10))
def test_cost_scales_with_the_price_of_accelerators(factor):
    before, after = with_columns(), with_columns(accelerator_price=joined()["accelerator_price"] * factor)
    for name in (
        "fleet_cost",
        "output_cost",
        "input_cost",
        "request_cost",
        "blended_cost",
        "idle_cost",
        "replica_cost",
    ):
        assert after[name] == pytest.approx(before[name] * factor, nan_ok=True), name
    for name in ("revenue", "step_time", "utilization", "replica_count"):
        assert after[name] == pytest.approx(before[name], nan_ok=True), name


def test_doubling_all_prices_doubles_revenue():
    prices = ("input_price", "cached_input_price", "cache_write_price", "output_price", "reasoning_price")
    after = with_cells(*(("Prices", name, lambda values: values * 2) for name in prices))
    for grain in (BY_TRAFFIC, TOTAL):
        assert after[grain].values["revenue"] == pytest.approx(2 * november()[grain].values["revenue"])
        assert after[grain].values["fleet_cost"] == pytest.approx(november()[grain].values["fleet_cost"])


@pytest.mark.parametrize(
    ("price", "tokens"),
    [
        ("input_price", lambda row: (row["input_tokens"] - row["cached_tokens"]) * (1 - row["cache_write_share"])),
        ("cache_write_price", lambda row: (row["input_tokens"] - row["cached_tokens"]) * row["cache_write_share"]),
        ("cached_input_price", lambda row: row["cached_tokens"]),
        ("output_price", lambda row: row["output_tokens"]),
        ("reasoning_price", lambda row: row["reasoning_tokens"]),
    ],
)
def test_each_price_is_paid_for_its_own_tokens(price, tokens):
    before, after = with_columns(), with_columns(**{price: joined()[price] + 1})
    more = after["request_revenue"] - before["request_revenue"]
    assert more == pytest.approx(tokens(joined()) * joined()["collected_share"] / 1e6)


def test_parts_add_up():
    grain = november()[CONFIGURED].values
    fits = grain["fits"] > 0
    for parts, whole in (
        (("allocated_cost",), "fleet_cost"),
        (("busy_cost", "idle_cost"), "fleet_cost"),
        (("gross_profit", "fleet_cost"), "revenue"),
    ):
        assert sum(grain[part][fits] for part in parts) == pytest.approx(grain[whole][fits]), whole
    total, classes = november()[TOTAL].values, november()[BY_TRAFFIC].values
    for name in ("revenue", "fleet_cost", "idle_cost", "busy_cost", "gross_profit", "mean_load", "sold_tokens"):
        assert classes[name].sum() == pytest.approx(total[name][0]), name
    assert total["mean_load"][0] == pytest.approx(
        sum(row["mean_requests"] for row in inputs().tables["Traffic"] if not row.is_blank("mean_requests"))
    )


@given(st.floats(0, 3), st.floats(0, 3))
def test_more_headroom_never_means_fewer_replicas(one, other):
    less, more = sorted((one, other))
    before, after = with_columns(headroom=less), with_columns(headroom=more)
    for name in ("replica_count", "prefill_replica_count", "fleet_cost", "idle_cost"):
        assert (after[name] >= before[name] * (1 - SLIGHTLY))[both_fit(before, after)].all(), name


@given(st.floats(0, 3), st.integers(1, 200))
def test_demand_never_fills_more_than_the_headroom_leaves(headroom, minimum):
    columns = with_columns(headroom=headroom, minimum_replicas=minimum)
    rows = (columns["fits"] > 0) & (columns["has_demand"] > 0)
    assert rows.sum() > 15
    for name in ("utilization", "prefill_utilization"):
        assert (columns[name][rows] > 0).all()
        assert (columns[name][rows] <= 1 / (1 + headroom) * (1 + SLIGHTLY)).all()
    assert (columns["replica_count"][rows] >= minimum).all()


def test_replicas_are_as_few_as_the_peak_allows():
    columns = with_columns(minimum_replicas=1)
    rows = (columns["fits"] > 0) & (columns["has_demand"] > 0)
    needed = columns["peak_requests"] * columns["served_share"] * (1 + columns["headroom"]) / columns["request_rate"]
    assert (columns["replica_count"][rows] == np.ceil(needed[rows])).all()
    apart = rows & (columns["shared_pool"] == 0)
    work = columns["peak_requests"] * columns["served_share"] * (1 + columns["headroom"]) * columns["prefill_time"]
    assert apart.any() and (columns["prefill_replica_count"][apart] == np.ceil(work[apart])).all()
    assert (columns["prefill_replica_count"][rows & (columns["shared_pool"] == 1)] == 0).all()


def test_alternatives_are_in_no_total():
    """Whatever an alternative costs, the totals stay as they are."""
    serves = ~np.isnan(inputs().tables["Configurations"].columns["requested_batch_size"]) & ~np.isnan(
        inputs().tables["Configurations"].columns["requests_share"]
    )
    dearer = with_cells(
        ("Configurations", "minimum_replicas", lambda values: np.where(serves, values, 1000.0)),
    )
    assert dearer[CONFIGURED].values["fleet_cost"][~serves & (dearer[CONFIGURED].values["fits"] > 0)].min() > 1e5
    for grain in (TOTAL, BY_TRAFFIC):
        for name, values in november()[grain].values.items():
            assert (dearer[grain].values[name] == values).all(), name


@given(st.floats(0.05, 0.95))
def test_a_share_split_in_two_rows_earns_the_same(part):
    tables = dict(inputs().tables)
    table = tables["Configurations"]
    row = list(table.columns["configuration"]).index("Search on 2 H100")
    columns = {name: np.append(values, values[row]) for name, values in table.columns.items()}
    share = columns["requests_share"][row]
    columns["requests_share"][row], columns["requests_share"][-1] = share * part, share * (1 - part)
    columns["configuration"] = np.append(table.columns["configuration"], "the other part")
    addresses = {name: (*cells, "A99") for name, cells in table.addresses.items()}
    tables["Configurations"] = replace(table, columns=columns, addresses=addresses)
    split = scenario(replace(inputs(), tables=tables))
    before, after = november()[TOTAL], split[TOTAL]
    assert after.value("revenue", "Total") == pytest.approx(before.value("revenue", "Total"), rel=1e-12)
    grain = november()[CONFIGURED]
    name = "Search on 2 H100"
    # One more row has at most one more server that is not full.
    server = grain.value("accelerators_per_node", name) * grain.value("accelerator_price", name)
    server *= 24 * grain.value("days_in_month", name)
    more = after.value("fleet_cost", "Total") - before.value("fleet_cost", "Total")
    assert -SLIGHTLY < more < server * (1 + SLIGHTLY)


@given(st.floats(1.1, 3))
def test_revenue_scales_with_the_load_and_cost_does_not(factor):
    before, after = with_columns(), with_columns(mean_requests=joined()["mean_requests"] / factor)
    rows = (before["fits"] > 0) & (before["has_demand"] > 0)
    assert after["revenue"][rows] == pytest.approx(before["revenue"][rows] / factor)
    assert after["fleet_cost"][rows] == pytest.approx(before["fleet_cost"][rows])
    # What pays the fleet does not depend on how much of it is used.
    assert after["break_even_utilization"][rows] == pytest.approx(before["break_even_utilization"][rows])
    assert (after["blended_cost"][rows] > before["blended_cost"][rows]).all()


def test_at_the_break_even_nothing_is_left():
    before = with_columns()
    rows = (before["fits"] > 0) & (before["has_demand"] > 0)
    load = joined()["mean_requests"] * before["break_even_utilization"] / before["utilization"]
    after = with_columns(mean_requests=np.where(rows, load, 1))
    assert after["gross_profit"][rows] == pytest.approx(0, abs=1e-6)
    assert after["utilization"][rows] == pytest.approx(before["break_even_utilization"][rows])
    by_traffic = november()[BY_TRAFFIC].values
    raised = by_traffic["revenue"] * (1 + by_traffic["break_even_price_rise"])
    assert raised == pytest.approx(by_traffic["fleet_cost"])


def test_shares_of_a_total_are_weighted_with_money():
    for name in (BY_TRAFFIC, TOTAL):
        values = november()[name].values
        assert values["idle_share"] + values["busy_share"] == pytest.approx(np.ones(len(values["busy_share"])))
        assert values["busy_cost"] == pytest.approx(values["busy_share"] * values["fleet_cost"])
        assert values["gross_margin"] == pytest.approx(1 - values["served_cost"] / values["served_price"])
        assert values["break_even_utilization"] == pytest.approx(
            values["busy_share"] / (1 - values["gross_margin"]) ** -1
        )


def test_without_revenue_there_is_no_margin():
    prices = ("input_price", "cached_input_price", "cache_write_price", "output_price", "reasoning_price")
    columns = with_columns(**dict.fromkeys(prices, 0))
    fits = columns["fits"] > 0
    assert (columns["revenue"][fits] == 0).all()
    assert np.isnan(columns["gross_margin"][fits]).all() and np.isnan(columns["break_even_utilization"][fits]).all()
    assert (columns["gross_profit"][fits] == -columns["fleet_cost"][fits]).all()
    with np.errstate(divide="ignore"):
        assert np.isnan(ACTION_FORMULAS["break_even_price_rise"](np.array([5.0]), np.array([0.0]))).all()


def test_whole_numbers_survive_floating_point():
    """Three tenths are three times a tenth, and hold three of them, whatever the last bit says."""
    assert 0.1 * 3 / 0.1 > 3 and 0.3 / 0.1 < 3
    assert FORMULAS["prefill_replica_count"](0.0, 1.0, 0.1 * 3, 10.0, 0.0) == 3
    assert FORMULAS["fewest_replicas"](0.1 * 3, 0.1, 1.0, 1.0) == 3
    assert FORMULAS["minimum_accelerators"](0.1 * 3, 0.1, 1.0) == 3
    assert FORMULAS["batch_size_limit"](0.3, 1.0, 0.1) == 3
    assert FORMULAS["minimum_slice"](4 + 1e-12, 0.0, 1.0, 1.0) == 4
    assert FORMULAS["minimum_slice"](0.0, 0.0, 1.0, 1.0) == 1


def test_a_model_without_a_cache_has_no_windows():
    assert FORMULAS["window_share"](0.0, 0.0) == 0
    assert FORMULAS["window_share"](1.0, 1.0) == 1 and FORMULAS["window_share"](20.0, 40.0) == 0.5


def whole_servers(row, replicas):
    """Servers that a pool's replicas and its reserve take; a replica spans servers only where none holds it."""
    replicas += row["spare_replicas"]
    size, server = row["accelerator_count"], row["accelerators_per_node"]
    return math.ceil(replicas / (server // size)) if size <= server else replicas * math.ceil(size / server)


def test_a_move_saves_what_the_bills_differ_by():
    moves = cheapest_moves(november())
    grain = november()[CONFIGURED]
    assert moves and [move.saving for move in moves] == sorted((move.saving for move in moves), reverse=True)
    assert len({move.serving for move in moves}) == len(moves)
    costed = 0
    for move in moves:
        assert grain.value("counts", move.serving) == 1 and move.saving > 0
        assert move.fleet_cost == grain.value("fleet_cost", move.serving)
        assert move.saving == pytest.approx(move.fleet_cost - move.alternative_fleet_cost)
        for name in ("traffic", "model"):
            assert grain.value(name, move.serving) == grain.value(name, move.alternative)
        # The alternative as it is, but for the share of requests that it takes over.
        other = {name: grain.value(name, move.alternative) for name in grain.values}
        rate = other["peak_requests"] * grain.value("served_share", move.serving) * (1 + other["headroom"])
        if other["waiting_target"] < 1e6:
            continue
        pools = [rate / other["request_rate"]] + ([] if other["shared_pool"] else [rate * other["prefill_time"]])
        servers = sum(whole_servers(other, max(other["minimum_replicas"], math.ceil(pool))) for pool in pools)
        bill = servers * other["accelerators_per_node"] * other["accelerator_price"] * 24 * other["days_in_month"]
        assert move.alternative_fleet_cost == pytest.approx(bill)
        costed += 1
        assert move.alternative_user_speed == other["user_speed"]
        assert move.user_speed == grain.value("user_speed", move.serving)
        assert other["meets_target"] or not grain.value("meets_target", move.serving), "users are not made to wait"
    assert costed
    assert ACTION_FORMULAS["break_even_gain"](5.0, 3.0) == 2.0 and ACTION_FORMULAS["break_even_gain"](3.0, 5.0) == 0.0


# What a configuration reads


def test_a_configuration_reads_the_rows_it_names():
    grain, tables = november()[CONFIGURED].values, inputs().tables
    for row, configuration in enumerate(tables["Configurations"]):
        hardware, precision = (
            tables[sheet].find(configuration[name])
            for sheet, name in (("Hardware", "hardware"), ("Precisions", "precision"))
        )
        model, prices = (
            tables[sheet].find(configuration[name]) for sheet, name in (("Models", "model"), ("Prices", "price_list"))
        )
        assert grain["peak_compute"][row] == hardware[COMPUTE[precision["compute"]]]
        assert grain["accelerator_price"][row] == hardware[PRICE_BASES[configuration["price_basis"]]]
        for name in ("accelerator_memory", "memory_bandwidth", "bf16_compute"):
            assert grain[name][row] == hardware[name]
        for name in ("layers", "kv_heads", "head_dim", "total_parameters", "active_parameters", "maximum_context"):
            assert grain[name][row] == model[name]
        # A list whose prices change within the month is tested with the ledger.
        once = sum(tables["Prices"].columns["price_list"] == configuration["price_list"]) == 1
        for name in ("input_price", "cached_input_price", "output_price", "reasoning_price") if once else ():
            assert grain[name][row] == prices[name]
        for name in ("weight_bits", "kv_bits", "mixture_dense_bits"):
            assert grain[name][row] == precision[name]
        blank = configuration.is_blank("requests_share")
        assert grain["serves"][row] == (not blank)
        assert grain["served_share"][row] == (1 if blank else configuration["requests_share"])
        assert grain["usable_memory_share"][row] == configuration["usable_memory_share"]


def test_a_mix_is_the_mean_of_its_classes_by_requests():
    grain, classes = november()[CONFIGURED], {row["traffic"]: row for row in inputs().tables["Traffic"]}
    (partners,) = (key for key in grain.keys if grain.value("traffic", key) == "Partners")
    parts = {
        row["traffic"]: row["mix_share"] for row in inputs().tables["Traffic mixes"] if row["traffic_mix"] == "Partners"
    }
    assert len(parts) >= 2
    requests = {name: classes[name]["mean_requests"] * share for name, share in parts.items()}
    assert grain.value("mean_requests", partners) == pytest.approx(sum(requests.values()))
    assert grain.value("peak_requests", partners) == pytest.approx(
        sum(classes[name]["peak_requests"] * share for name, share in parts.items())
    )
    for quantity, of in (
        ("input_tokens", lambda row: row["input_tokens"]),
        ("output_tokens", lambda row: row["output_tokens"]),
        ("cached_tokens", lambda row: row["input_tokens"] * row["cached_share"]),
    ):
        mean = sum(of(classes[name]) * number for name, number in requests.items()) / sum(requests.values())
        assert grain.value(quantity, partners) == pytest.approx(mean), quantity


def test_a_class_without_demand_stands_for_one_replica():
    grain = november()[CONFIGURED]
    (key,) = (key for key in grain.keys if not grain.value("has_demand", key))
    assert grain.value("replica_count", key) == 1
    assert grain.value("mean_load", key) == pytest.approx(
        grain.value("request_rate", key) * grain.value("assumed_utilization", key)
    )
    assert grain.value("utilization", key) == grain.value("assumed_utilization", key)
    assert grain.value("counts", key) == 0


def test_a_class_and_a_mix_are_lines_of_their_own():
    lines = november()[LINES].values
    own = lines["traffic"] == lines["traffic_class"]
    assert own.sum() == len(inputs().tables["Traffic"])
    assert (lines["mix_share"][own] == 1).all()
    assert (~own).sum() == len(inputs().tables["Traffic mixes"])


@pytest.mark.parametrize(("month", "days"), [((2026, 11), 30), ((2028, 2), 29), ((2026, 2), 28), ((2026, 12), 31)])
def test_a_month_has_its_calendar_days(month, days):
    def changed(given):
        return with_cells(
            ("Settings", "report_month", lambda _: np.array([date(*month, 1)], dtype=object)),
            ("Settings", "days_in_month", lambda _: np.array([given])),
        )

    calendar, typed = changed(math.nan), changed(30.4)
    assert (calendar[CONFIGURED].values["days_in_month"] == days).all()
    assert (typed[CONFIGURED].values["days_in_month"] == 30.4).all()
    assert typed[TOTAL].value("fleet_cost", "Total") == pytest.approx(
        calendar[TOTAL].value("fleet_cost", "Total") * 30.4 / days
    )


def test_the_order_of_rows_changes_nothing():
    def turned(sheet):
        table = inputs().tables[sheet]
        return replace(table, columns={name: values[::-1] for name, values in table.columns.items()})

    tables = {name: turned(name) if name != "Settings" else table for name, table in inputs().tables.items()}
    backwards = scenario(replace(inputs(), tables=tables))
    for name in FORMULAS:
        here, there = november()[CONFIGURED].values[name], backwards[CONFIGURED].values[name][::-1]
        if here.dtype.kind == "f":
            assert there == pytest.approx(here, nan_ok=True), name
        else:
            assert (here == there).all(), name


# The model a second time


def agrees(columns, row):
    """Whether the engine's figures of one row are those of the model written a second time."""
    expected = second({name: value[row].item() for name, value in columns.items() if value.dtype.kind == "f"})
    found = {name: columns[name][row].item() for name in expected}
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
    return expected["fits"]


def test_the_examples_configurations_come_out_a_second_time():
    columns = with_columns()
    assert sum(agrees(columns, row) for row in range(len(columns["fits"]))) > 20


@pytest.mark.parametrize("seed", range(60))
def test_any_configuration_comes_out_a_second_time(seed):
    """Drawn from the kinds there are: mixtures of experts, latents, windows, sparse and linear attention, pools."""
    random = Random(seed)
    between = random.uniform

    def draw(*values):
        return random.choice(values)

    layers = draw(4, 32, 61, 80)
    experts = draw(1, 2, 8, 128)
    total = between(1, 700)
    routed = total * draw(0.5, 0.95) if experts > 1 else 0.0
    latent = draw(True, False)
    ranks = draw(1, 2, 8)
    prompt = draw(1, 300, 5000, 40_000)
    changes = {
        "total_parameters": total,
        "routed_parameters": routed,
        "active_parameters": total if experts == 1 else (total - routed) * draw(0.3, 1.0) + routed / experts,
        "experts": experts,
        "experts_per_token": 1 if experts == 1 else draw(1, experts // 2, experts),
        "layers": layers,
        "window_layers": draw(0, layers // 2),
        "window": draw(128, 4096),
        "linear_layers": draw(0, layers // 4),
        "sparse_tokens": draw(0, 0, 2048),
        "kv_lora_rank": 512 if latent else 0,
        "rope_dim": draw(0, 64),
        "nope_dim": 128,
        "value_dim": 96,
        "kv_heads": draw(1, 4, 8),
        "attention_heads": draw(16, 64),
        "head_dim": draw(64, 128),
        "hidden_size": draw(2048, 8192),
        "kv_cache_override": draw(0, 0, 0, 50_000),
        "weight_memory_override": draw(0, 0, 0, total * 2),
        "weight_bits": draw(4.25, 8, 16),
        "mixture_dense_bits": draw(8, 16),
        "kv_bits": draw(8, 16),
        "tensor_parallel": ranks,
        "attention_data_parallel": draw(1, ranks),
        "pipeline_stages": draw(1, 1, 2),
        "requested_batch_size": draw(0, 0, 1, 2, 16, 200),
        "engine_batch_limit": draw(64, 2048),
        "context_override": draw(0, 0, 3000),
        "maximum_context": 1e6,
        "shared_pool": draw(0, 1, 1),
        "accelerator_memory": draw(80, 288, 2000),
        "memory_bandwidth": between(500, 9000),
        "link_bandwidth": between(20, 900),
        "bf16_compute": between(100, 2500),
        "peak_compute": between(100, 5000),
        "input_tokens": prompt,
        "cached_tokens": prompt * draw(0, 0.4, 1.0),
        "output_tokens": draw(1, 2, 300, 2000),
        "reasoning_tokens": draw(0, 1000),
        "measured_output_speed": draw(0, 0, 777),
        "measured_input_speed": draw(0, 0, 888),
        "minimum_replicas": draw(1, 9),
        "collective_overlap": between(0, 0.9),
        "attention_weight": between(0, 1),
        "softness": between(0, 1),
        "compute_share_exponent": between(0, 0.3),
        "prefill_compute_share": between(0.2, 0.9),
        "reserved_growth": between(0, 1),
        "tight_memory_share": between(0, 0.9),
        "kv_copy_weight": between(0, 1),
        "first_token_steps": between(0, 3),
        "prefill_busy_share": between(0.5, 1.5),
        "prefill_chunk": draw(512, 8192),
        "queue_onset_prompts": between(0, 3),
        "queue_prompts_per_sequence": between(0, 0.2),
        "time_factor": between(0.5, 2),
        "scheduling": draw(0, 0, 1, 2, 3),
        "narrow_weight_share": between(0.5, 1),
        "yearly_speed_up": between(-0.1, 0.3),
        "calibrated_year": draw(0, 2026),
        "engine_year": draw(0, 2023, 2027),
    }
    if changes["cached_tokens"] == prompt:
        # Prompts that take no time are no work to spread the cost of a pool of their own over.
        changes["shared_pool"] = 1
    columns = with_columns(**{name: float(value) for name, value in changes.items()})
    for row in (0, 5, 23):
        agrees(columns, row)


@given(st.floats(1, 3), st.floats(1, 2), st.floats(0.5, 2))
def test_bands_hold_what_they_are_around_and_widen_for_what_was_not_measured(error, other, slower):
    given_ = {"speed_error": error, "first_token_error": error, "unmeasured_error": other, "time_factor": slower}
    known = with_columns(**given_, accelerator_measured=1.0, model_measured=1.0)
    unknown = with_columns(**given_, accelerator_measured=0.0, model_measured=1.0)
    serving = known["fits"] > 0
    for figure in ("output_speed", "user_speed", "time_to_first_token", "blended_cost", "gross_margin"):
        low, high = known[f"lower_{figure}"][serving], known[f"upper_{figure}"][serving]
        here = np.isfinite(known[figure][serving])
        assert (low[here] <= known[figure][serving][here] * (1 + SLIGHTLY)).all() or figure == "gross_margin"
        assert (low[here] <= high[here] + SLIGHTLY).all()
    assert (unknown["speed_band"] >= known["speed_band"] - SLIGHTLY).all()
    measured = with_columns(**given_, measured_output_speed=500.0)
    assert (measured["speed_band"] == 1).all() and (measured["calibration_verdict"] == "measured").all()


def test_a_slower_engine_takes_as_many_times_as_long():
    before, after = with_columns(shared_pool=0), with_columns(shared_pool=0, time_factor=1.25)
    for quantity in ("step_time", "prefill_time"):
        assert after[quantity] == pytest.approx(1.25 * before[quantity], rel=1e-12)
    old = {"yearly_speed_up": 0.1, "calibrated_year": 2026.0}
    aged, young = with_columns(**old, engine_year=2023.0), with_columns(**old, engine_year=2026.0)
    assert aged["engine_factor"] == pytest.approx(1.1**3 * young["engine_factor"])
