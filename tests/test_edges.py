"""Edges of the formulas: what has no answer gives none, or a text with the reason, and never a wrong number."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from engine.calculation import behind, calculate
from engine.formulas import EVERY_FORMULA
from engine.studies.worked_examples import PLAIN_FLEET

FOLDER = Path(__file__).parent / "worked_examples"
BASE = {}
for _name in ("roofline", "llama-3-70b", "v5e", "long-prompt"):
    BASE |= tomllib.loads((FOLDER / f"{_name}.base.toml").read_text(encoding="utf-8"))


def _ask(quantity, **given):
    """The formula's value, calculated from what is given alone."""
    columns = {name: np.array([value]) for name, value in {**PLAIN_FLEET, **given}.items()}
    needed = behind([quantity], columns, EVERY_FORMULA)
    value = calculate(columns, {name: EVERY_FORMULA[name] for name in needed})[quantity].item()
    return str(value) if isinstance(value, str) else float(value)


def _on_v5e(quantity, **given):
    return _ask(quantity, **{**BASE, **given})


def _none(value):
    return isinstance(value, float) and np.isnan(value)


# Hardware


@pytest.mark.parametrize("quantity", ["compute_per_dollar", "bandwidth_per_dollar", "memory_per_dollar"])
def test_an_accelerator_without_a_price_has_no_figure_per_dollar(quantity):
    facts = {"peak_compute": 990, "memory_bandwidth": 3350, "accelerator_memory": 80}
    assert _none(_ask(quantity, **facts, accelerator_price=0))
    assert _none(_ask("advantage", per_dollar=3.0, baseline_per_dollar=float("nan")))
    assert _none(_ask("advantage", per_dollar=3.0, baseline_per_dollar=0))


def test_a_batch_beyond_the_critical_one_reaches_all_compute_and_no_more():
    assert _ask("reached_compute", batch_size=500, critical_batch_size=240) == 1
    assert _ask("idle_compute", batch_size=500, critical_batch_size=240) == 0
    assert _ask("deciding_metric", batch_size=240, critical_batch_size=240) == "compute per dollar"
    assert _none(_ask("step_compute_share", arithmetic_time=1, step_time=0))


def test_a_missing_reserved_price_has_no_premium_and_no_break_even():
    for given in ({"on_demand_price": 12.0, "reserved_price": 0}, {"on_demand_price": 0, "reserved_price": 3.0}):
        assert _none(_ask("on_demand_premium", **given))
        assert _none(_ask("elastic_break_even", **given))
        assert _ask("elastic_advice", utilization=0.5, **given) == "one of the two prices is missing"


# Memory


def test_weights_that_fill_a_memory_exactly_leave_room_for_nobody():
    given = {"total_parameters": 8, "active_parameters": 8, "layers": 32, "weight_bits": 16, "tensor_parallel": 1}
    assert _on_v5e("minimum_accelerators", **given) == 1
    assert _on_v5e("batch_size_limit", **given) == 0
    assert _on_v5e("fits", **given) == 0
    assert _on_v5e("minimum_slice", **given) == 2


def test_floating_point_noise_adds_no_accelerator_and_takes_no_sequence():
    memory = {"accelerator_memory": 16, "usable_memory_share": 0.7}
    assert _ask("minimum_with_cache", weight_memory=16 * 0.7 * 3, kv_cache_memory=0, **memory) == 3
    assert (
        _ask("minimum_with_cache", weight_memory=384.57, kv_cache_memory=0, **memory | {"usable_memory_share": 1}) == 25
    )
    assert _ask("paged_batch", free_memory=0.3, paging_efficiency=1, sequence_memory=0.1) == 3
    assert _ask("batch_size_limit", free_memory=88 * 0.1, pipeline_stages=1, sequence_memory=0.1) == 88


def test_what_does_not_fit_is_said():
    assert _ask("memory_warning", memory_use=1.01, safe_memory_share=0.95) == "does not fit"
    assert "fragmentation" in _ask("memory_warning", memory_use=0.97, safe_memory_share=0.95)
    assert _ask("memory_warning", memory_use=0.8, safe_memory_share=0.95) == ""
    assert _on_v5e("batch_size_limit", tensor_parallel=2) == 0
    assert _on_v5e("reason", tensor_parallel=2) == "the weights exceed the usable memory"
    assert _on_v5e("paged_batch", tensor_parallel=2, paging_efficiency=0.9) == 0


def test_shares_of_a_step_add_up():
    shares = [
        _on_v5e(f"{part}_time_share", tensor_parallel=8, batch_size=32) for part in ("weight", "attention", "other")
    ]
    assert sum(shares) == pytest.approx(1)
    assert shares[2] == pytest.approx(0, abs=1e-12)


# Speed targets


def test_int4_weights_gain_nothing_once_bound_by_compute():
    eight = _on_v5e("step_time", tensor_parallel=16, batch_size=121)
    four = _on_v5e("step_time", tensor_parallel=16, batch_size=121, weight_bits=4, mixture_dense_bits=4)
    assert four == eight
    assert _on_v5e("step_time", tensor_parallel=16, batch_size=32, weight_bits=4, mixture_dense_bits=4) < 0.0086


def test_a_target_shorter_than_the_weights_leaves_no_batch():
    given = {"tensor_parallel": 8, "batch_size": 1, "step_time_target": 0.01}
    assert _on_v5e("batch_within_target", **given) == 0
    assert _on_v5e("whole_batch_within_target", **given) == 0
    assert _none(_on_v5e("accelerators_within_target", **given | {"step_time_target": 0}))


def test_a_batch_within_the_target_keeps_it_also_where_compute_binds():
    for context in (256, 2048, 8192):
        given = {"tensor_parallel": 16, "context_override": context, "step_time_target": 0.015}
        batch = _on_v5e("batch_within_target", batch_size=1, **given)
        assert _on_v5e("step_time", batch_size=batch, **given) == pytest.approx(0.015)


def test_the_missed_target_is_named():
    given = {"step_time_target": 0.015, "first_token_target": 0.5, "batch_size": 32}
    assert _on_v5e("target_reason", tensor_parallel=8, **given) == "the step takes longer than its target"
    assert _on_v5e("target_reason", tensor_parallel=16, **given) == "the prompt takes longer than its target"
    assert _on_v5e("meets_targets", tensor_parallel=16, **given) == 0
    assert _on_v5e("target_reason", tensor_parallel=16, **given | {"first_token_target": 1}) == ""


# Network


def test_accelerators_without_a_link_have_no_limit():
    assert _none(_ask("compute_per_link_byte", peak_compute=990, link_bandwidth=0))
    assert _none(_on_v5e("compute_parallel_limit", link_bandwidth=0, mesh_axes=2))
    assert _none(_on_v5e("bandwidth_parallel_limit", link_bandwidth=0, batch_size=64))
    assert _none(_ask("head_split_time", head_split_memory=1, link_bandwidth=0))
    assert _none(_ask("transfer_time", transfer_memory=1.3, transfer_bandwidth=0))


@pytest.mark.parametrize(
    ("heads", "ranks", "most", "warning"),
    [
        (8, 4, 2, ""),
        (8, 8, 1, ""),
        (8, 16, 1, "heads have to be split or copied"),
        (8, 3, 3, "the heads do not divide evenly over the accelerators"),
        (8, 12, 1, "the heads do not divide evenly over the accelerators"),
        (1, 8, 1, "heads have to be split or copied"),
        (6, 2, 3, ""),
    ],
)
def test_heads_that_do_not_divide(heads, ranks, most, warning):
    assert _ask("most_kv_heads", kv_heads=heads, tensor_parallel=ranks) == most
    assert _ask("kv_head_warning", kv_heads=heads, tensor_parallel=ranks) == warning


def test_whole_heads_exchange_nothing():
    given = {"batch_size": 64, "mean_context": 8192, "head_dim": 128, "kv_heads": 8}
    assert _ask("head_split_memory", **given, tensor_parallel=8) == 0
    assert _ask("head_split_memory", **given, tensor_parallel=16) > 0


def test_one_accelerator_has_no_collectives():
    given = {"step_activations": 0.001, "slowest_link": 90, "hop_time": 1, "call_time": 5}
    assert _ask("all_reduce_time", tensor_parallel=1, **given) == 0
    assert _ask("all_reduce_time", tensor_parallel=8, **given) == pytest.approx(19e-6 + 1.75 * 0.001 / 90)
    assert _ask("hand_over_time", pipeline_stages=1, **given) == 0
    assert (
        _ask("expert_exchange_time", tensor_parallel=1, layers=61, experts_per_token=8, collective_overlap=0, **given)
        == 0
    )


def test_a_group_that_spans_nodes_meets_the_slower_link():
    links = {"link_bandwidth": 450, "node_bandwidth": 50}
    assert _ask("slowest_link", tensor_parallel=8, accelerators_per_node=8, **links) == 450
    assert _ask("slowest_link", tensor_parallel=16, accelerators_per_node=8, **links) == 50


# Serving


def test_a_prompt_token_is_slower_where_it_takes_longer():
    assert _ask("prompt_is_slower", input_token_time=2e-4, output_token_time=1e-4) == 1
    assert _ask("prompt_is_slower", input_token_time=1e-4, output_token_time=2e-4) == 0


def test_a_ratio_below_one_is_decode_servers_for_one_of_prefill():
    assert _ask("prefill_per_decode", prefill_rate=4.0, decode_rate=1.0) == 0.25
    assert _none(_ask("prefill_per_decode", prefill_rate=0, decode_rate=1.0))
    assert _ask("prefill_rate", prefill_time=0.5) == 2 and _ask("prefill_rate", prefill_time=0) == 0


def test_the_narrower_pool_decides():
    given = {"prefill_rate": 1.1, "decode_rate": 3.3, "replica_count": 1}
    assert _ask("pools_rate", prefill_replica_count=1, **given) == pytest.approx(1.1)
    assert _ask("pools_rate", prefill_replica_count=9, **given) == pytest.approx(3.3)


@pytest.mark.parametrize(
    ("prefill", "prompt", "mixed", "servers", "advised", "reason"),
    [
        (0.91, 8192, 0, 10, 1, "a prompt would hold up decode for too long"),
        (0.05, 4096, 1, 10, 1, "prompts outweigh answers and would hold up mixed traffic"),
        (0.05, 4096, 0, 10, 0, "prompts are short enough"),
        (0.05, 512, 1, 10, 0, "prompts are short enough"),
        (0.91, 8192, 1, 2, 0, "too few servers for two pools"),
    ],
)
def test_separate_pools(prefill, prompt, mixed, servers, advised, reason):
    given = {
        "prefill_time": prefill,
        "prefill_time_limit": 0.2,
        "input_tokens": prompt,
        "output_tokens": 512,
        "prompt_heavy_ratio": 4,
        "mixed_traffic": mixed,
        "pool_servers": servers,
        "smallest_deployment": 3,
    }
    assert _ask("separate_pools", **given) == advised
    assert _ask("separate_pools_reason", **given) == reason


def test_chunks_never_make_a_prompt_shorter():
    for chunk in (64, 512, 5000, 32768):
        given = {"tensor_parallel": 16, "batch_size": 32, "input_tokens": 32768, "prefill_chunk": chunk}
        whole = _on_v5e("prefill_time", **given | {"prefill_chunk": 32768})
        assert _on_v5e("chunked_prefill_time", prefill_time=whole, **given) >= whole
    assert _ask("chunked_prefill_time", chunks_time=1.12, prefill_time=3.64) == 3.64


def test_the_last_chunk_is_partial_and_none_is_no_chunk():
    assert _ask("chunk_count", input_tokens=1000, prefill_chunk=512) == 2
    assert _ask("chunk_count", input_tokens=1024, prefill_chunk=512) == 2
    assert _none(_ask("chunk_count", input_tokens=1024, prefill_chunk=0))


def test_lost_tokens_count_the_batch_once():
    given = {"prefill_time": 3.6, "step_time": 0.017, "batch_size": 32}
    assert _ask("tokens_lost", **given) == pytest.approx(32 * _ask("steps_lost", **given))
    assert _none(_ask("steps_lost", prefill_time=3.6, step_time=0))


def test_pools_apart_do_not_stall():
    assert _ask("longest_stall", shared_pool=0, prefill_time=3.6, prefill_chunk_time=0.06) == 0
    assert _ask("longest_stall", shared_pool=1, prefill_time=3.6, prefill_chunk_time=0.06) == 0.06


def test_a_prompt_stalls_answers_whole_in_chunks_or_not_at_all():
    """By whose turn it is: as calibrated and in chunks a chunk of it, prefill first the whole, decode first none."""
    given = {"shared_pool": 1, "prefill_time": 3.6, "prefill_chunk_time": 0.4}
    assert [_ask("longest_stall", scheduling=turn, **given) for turn in (0, 1, 2, 3)] == [0.4, 0.4, 3.6, 0]
    assert _ask("longest_stall", scheduling=0, **given | {"prefill_time": 0.1}) == pytest.approx(0.1)


def test_demand_above_capacity_has_no_batch_and_a_reason():
    given = {"tensor_parallel": 16, "batch_size": 1, "decoding_batch": 1}
    full = 1 / 512 / (_on_v5e("sequence_reading_time", **given) + _on_v5e("sequence_arithmetic_time", **given))
    assert _none(_on_v5e("offered_batch", replica_rate=full * 1.01, **given))
    assert _on_v5e("demand_warning", replica_rate=full * 1.01, **given) == "demand exceeds what the replica can serve"
    just_below = _on_v5e("offered_batch", replica_rate=full * 0.999, **given)
    assert just_below == pytest.approx(120, rel=0.01)
    assert _on_v5e("offered_batch", replica_rate=0, **given) == 0
    limited = _on_v5e("demand_warning", replica_rate=full * 0.99, batch_size_limit=50, **given)
    assert limited == "demand keeps more sequences than memory holds"


def test_offered_batch_keeps_itself():
    given = {"tensor_parallel": 16, "decoding_batch": 1}
    batch = _on_v5e("offered_batch", replica_rate=8, **given)
    step = _on_v5e("step_time", tensor_parallel=16, batch_size=batch)
    assert batch == pytest.approx(8 * 512 * step)


def test_batches_of_nothing():
    assert _none(_ask("static_efficiency", output_tokens=100, longest_output_tokens=0))
    assert _none(_ask("finished_per_step", batch_size=32, generated_tokens=0))
    assert _ask("static_efficiency", output_tokens=512, longest_output_tokens=512) == 1


# Speculative decoding


@pytest.mark.parametrize(("acceptance", "tokens"), [(0, 1), (1, 5), (0.5, 1.9375), (0.999999999, 5)])
def test_tokens_of_a_pass(acceptance, tokens):
    assert _ask("tokens_per_pass", acceptance=acceptance, draft_tokens=4) == pytest.approx(tokens, rel=1e-6)


def test_speculation_that_loses_is_switched_off():
    given = {"tensor_parallel": 16, "batch_size": 120, "acceptance": 0.0, "draft_tokens": 4, "draft_step_share": 0.05}
    assert _on_v5e("speculation_gain", **given) < 1
    assert _on_v5e("speculate", **given) == 0
    assert _on_v5e("speculative_output_cost", **given) == _on_v5e("output_cost", tensor_parallel=16, batch_size=120)


def test_a_verify_pass_without_a_draft_is_a_step():
    given = {"tensor_parallel": 16, "batch_size": 32, "draft_tokens": 0}
    assert _on_v5e("step_time_verify", **given) == _on_v5e("step_time", tensor_parallel=16, batch_size=32)
    assert _on_v5e("speculation_gain", acceptance=0.8, draft_step_share=0.05, **given) == pytest.approx(1)


def test_a_verify_pass_computes_every_token_and_reads_the_cache_once():
    given = {"tensor_parallel": 16, "batch_size": 120, "draft_tokens": 4}
    matrices = _on_v5e("dense_arithmetic_time_verify", **given)
    assert matrices == pytest.approx(5 * _on_v5e("arithmetic_time", tensor_parallel=16, batch_size=120))
    assert _on_v5e("step_time_verify", **given) == pytest.approx(matrices + _on_v5e("attention_time", **given))


MIXTURE = {"routed_parameters": 60, "experts": 64, "experts_per_token": 4, "active_parameters": 14}
NOT_A_ROOFLINE = {"collective_overlap": 0, "attention_weight": 1, "layer_overhead": 20, "collective_overhead": 5}


@pytest.mark.parametrize(
    "part", ["matrix_time", "expert_arithmetic_time", "collective_transfer_time", "attention_arithmetic_time"]
)
def test_a_verify_pass_of_a_mixture_is_the_pass_of_a_larger_batch(part):
    given = {"tensor_parallel": 16, **MIXTURE, **NOT_A_ROOFLINE}
    verify = _on_v5e(f"{part}_verify", batch_size=10, draft_tokens=4, **given)
    assert verify == pytest.approx(_on_v5e(part, batch_size=50, **given))
    assert verify > _on_v5e(part, batch_size=10, **given)


@pytest.mark.parametrize(("batch", "prompt"), [(32, 8192), (2000, 128)])
def test_a_draft_is_a_step_of_the_smaller_model(batch, prompt):
    given = {"tensor_parallel": 16, "batch_size": batch, "context_override": prompt, **NOT_A_ROOFLINE}
    draft = {
        "draft_weight_memory": 8,
        "draft_parameters": 8,
        "draft_layers": 32,
        "draft_hidden_size": 4096,
        "draft_attention_width": 2 * 32 * 128,
        "draft_kv_cache_per_token": 65536,
        "draft_experts": 1,
    }
    small = {"total_parameters": 8, "active_parameters": 8, "layers": 32, "hidden_size": 4096, "attention_heads": 32}
    for part in ("step_time", "attention_arithmetic_time"):
        assert _on_v5e(f"{part}_draft", **given, **draft) == pytest.approx(_on_v5e(part, **given | small))


# Caching


@pytest.mark.parametrize(("hits", "cost"), [(0, 1.0), (1, 0.1), (0.5, 0.55)])
def test_hit_rates(hits, cost):
    given = {"input_cost": 1.0, "hit_rate": hits, "cached_cost_ratio": 0.1}
    assert _ask("cached_input_cost", write_premium=0, **given) == pytest.approx(cost)
    assert _ask("cached_input_cost", write_premium=0.25, **given) == pytest.approx(cost + 0.25 * (1 - hits))
    assert _ask("cached_prefill_time", prefill_time=0.91, hit_rate=hits) == pytest.approx(0.91 * (1 - hits))


# Pricing


@pytest.mark.parametrize(
    ("own_in", "own_out", "api_in", "api_out", "ratio", "where"),
    [
        (0.43, 66.1, 1.5, 2.0, 59.9, "above the break-even ratio"),
        (2.0, 1.0, 1.5, 2.0, 2.0, "below the break-even ratio"),
        (0.4, 1.0, 1.5, 2.0, None, "always"),
        (1.5, 1.0, 1.5, 2.0, None, "always"),
        (0.4, 2.0, 1.5, 2.0, None, "always"),
        (2.0, 9.0, 1.5, 2.0, None, "never"),
        (1.5, 9.0, 1.5, 2.0, None, "never"),
        (2.0, 2.0, 1.5, 2.0, None, "never"),
        (1.5, 2.0, 1.5, 2.0, None, "the same at any ratio"),
    ],
)
def test_break_even_with_an_api(own_in, own_out, api_in, api_out, ratio, where):
    given = {"input_cost": own_in, "output_cost": own_out, "api_input_price": api_in, "api_output_price": api_out}
    found = _ask("break_even_input_output", **given)
    assert _none(found) if ratio is None else found == pytest.approx(ratio, rel=1e-3)
    assert _ask("own_or_api", **given) == where


def test_an_api_that_is_free_has_no_break_even_volume():
    assert _none(_ask("break_even_requests", fleet_cost=1000, api_request_cost=0, days_in_month=30))
    assert _none(_ask("api_cost_ratio", api_request_cost=0.05, request_cost=0))
    assert _none(_ask("responses_within", budget=1, response_cost=0))


@pytest.mark.parametrize(
    ("first", "last", "years", "factor", "warning"),
    [
        (20, 0.2, 2, 10, ""),
        (1, 4, 2, 0.5, "the price rises"),
        (20, 0.2, 0, None, "no time passes between the prices"),
        (20, 0.2, -1, None, "no time passes between the prices"),
        (20, 0, 2, None, "a price is missing"),
    ],
)
def test_price_decline(first, last, years, factor, warning):
    given = {"first_price": first, "last_price": last, "price_years": years}
    found = _ask("annual_price_factor", **given)
    assert _none(found) if factor is None else found == pytest.approx(factor)
    assert _ask("price_warning", **given) == warning


def test_a_falling_price_stops_at_its_floor_and_a_rising_one_never_reaches_cost():
    price = {"last_price": 0.2, "years_ahead": 3, "price_floor": 0.05}
    assert _ask("projected_price", annual_price_factor=10, **price) == 0.05
    assert _ask("projected_price", annual_price_factor=0.5, **price) == pytest.approx(1.6)
    assert _ask("years_to_cost", last_price=0.2, price_floor=0.02, annual_price_factor=10) == pytest.approx(1)
    assert _ask("years_to_cost", last_price=0.2, price_floor=0.4, annual_price_factor=10) == 0
    assert _none(_ask("years_to_cost", last_price=0.2, price_floor=0.02, annual_price_factor=0.5))
    assert _none(_ask("years_to_cost", last_price=0.2, price_floor=0.02, annual_price_factor=1))


def test_an_answer_without_visible_tokens_has_no_reasoning_ratio():
    assert _none(_ask("reasoning_ratio", reasoning_tokens=1000, output_tokens=0))
    assert _none(_ask("reasoning_multiple", reasoning_ratio=9, reasoning_price=15, output_price=0))


def test_a_budget_that_is_spent_leaves_no_reasoning():
    given = {"input_tokens": 1000, "input_price": 3, "output_tokens": 100}
    assert _ask("affordable_reasoning", answer_budget=0.001, output_price=15, **given) == 0
    assert _none(_ask("affordable_reasoning", answer_budget=0.01, output_price=0, **given))


# Training, planning and comparison


def test_training_is_never_caught_up_with_without_requests():
    given = {"equivalent_tokens": 51.9, "generated_tokens": 512}
    assert _none(_ask("crossover_days", mean_load=0, **given))
    assert _ask("crossover_warning", mean_load=0) == "never: no requests are served"
    assert _ask("crossover_warning", mean_load=1) == ""
    assert _none(_ask("crossover_days_all_in", training_cost=4e7, mean_load=0, request_cost=0.005))
    assert _none(_ask("equivalent_tokens", training_cost=4e7, output_cost=0))


def test_prompts_shorten_the_way_to_the_cost_of_training():
    alone = _ask("crossover_days", training_cost=4e7, output_cost=0.77, mean_load=1e4, generated_tokens=512)
    all_in = _ask("crossover_days_all_in", training_cost=4e7, mean_load=1e4, request_cost=0.00535)
    assert all_in < alone / 10


def test_load_that_is_none_or_too_much():
    assert _none(_ask("load_factor", mean_requests=0, peak_requests=0))
    assert _none(_ask("utilized_cost", full_load_cost=0.77, utilization=0))
    assert _ask("hour_replicas", hour_requests=0, request_rate=11.2, minimum_replicas=2) == 2
    assert _ask("hour_replicas", hour_requests=33.6, request_rate=11.2, minimum_replicas=2) == 3
    fleet = {"replica_count": 3, "request_rate": 11.2}
    assert _ask("lost_requests", hour_requests=40, **fleet) == pytest.approx(6.4)
    assert _ask("hour_warning", hour_requests=40, **fleet) == "demand exceeds what the fleet can serve"
    assert _ask("hour_warning", hour_requests=33, **fleet) == ""
    assert _none(_ask("fleet_cost_per_request", fleet_cost_per_day=100, requests_per_day=0))


def test_breaking_even():
    assert _none(_ask("gross_margin", gross_profit=-10, revenue=0))
    assert _ask("gross_margin", gross_profit=-10, revenue=5) == -2
    assert _ask("break_even_warning", break_even_utilization=1.2, revenue=5) == "cannot break even at these prices"
    assert _ask("break_even_warning", break_even_utilization=float("nan"), revenue=0) == "there is no revenue"
    assert _none(_ask("break_even_price", blended_price=2.8, fleet_cost=10, revenue=0))
    given = {"fleet_cost_per_day": 10, "output_speed": 300, "output_price": 2.8}
    assert _ask("break_even_input_ratio", input_price=2.8, **given) == 0
    assert _none(_ask("break_even_input_ratio", input_price=0, **given))


@pytest.mark.parametrize("quantity", ["ratio", "relative_change", "drop"])
def test_nothing_is_compared_with_nothing(quantity):
    assert _none(_ask(quantity, compared=5, base=0))
