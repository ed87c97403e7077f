"""All formulas of the engine by name, and the operating points at which a group of them is instantiated again.

A formula is a plain function: its name is the quantity it gives, its parameters name what it needs, its return
annotation is the unit. This file only collects them; the economics is in the modules beside it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

from engine.formulas import (
    actuals,
    bill,
    billing,
    commitments,
    comparison,
    cost,
    crossover,
    decode,
    demand,
    fleet,
    forward,
    hardware,
    margin,
    memory,
    network,
    ownership,
    phases,
    planning,
    prefill,
    pricing,
    profit,
    provision,
    serving,
    shapes,
    sizing,
    speculation,
    traffic,
    training,
    waiting,
)

Formula = Callable[..., Any]
Formulas = dict[str, Formula]


@cache  # every grain asks for every formula, several times
def needs(formula: Formula) -> tuple[str, ...]:
    """Names of the quantities that a formula takes."""
    return tuple(inspect.signature(formula).parameters)


def _formulas_of(module: ModuleType) -> Formulas:
    return {
        name: function
        for name, function in vars(module).items()
        if isinstance(function, FunctionType) and function.__module__ == module.__name__ and not name.startswith("_")
    }


def _renamed(formula: Formula, name: str, parameters: Iterable[str]) -> Formula:
    """The same function under other names: what it gives, and what it takes, position by position."""
    assert isinstance(formula, FunctionType)
    copy = FunctionType(formula.__code__, formula.__globals__, name, formula.__defaults__, formula.__closure__)
    copy.__doc__, copy.__annotations__ = formula.__doc__, formula.__annotations__
    copy.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(p, inspect.Parameter.POSITIONAL_OR_KEYWORD) for p in parameters],
        return_annotation=formula.__annotations__["return"],
    )
    # Of an instance of an instance too, the function as it is written.
    copy.__origin__ = getattr(formula, "__origin__", formula.__name__)  # type: ignore[attr-defined]
    return copy


def again(formulas: Mapping[str, Formula], suffix: str, **renames: str) -> Formulas:
    """A group of formulas at another operating point.

    `renames` says which quantity takes the place of which. Every formula of the group that depends on a replaced
    quantity, directly or through the group, comes again under `name_suffix` (or under the name `renames` gives it);
    the others are left out, because nothing would change for them.
    """
    touched: set[str] = set()
    while True:
        more = {n for n, f in formulas.items() if n not in touched and (set(renames) | touched) & set(needs(f))}
        if not more:
            break
        touched |= more
    outputs = {name: renames.get(name, f"{name}_{suffix}") for name in touched}
    inputs = {**{name: outputs[name] for name in touched}, **{k: v for k, v in renames.items() if k not in touched}}
    return {
        outputs[name]: _renamed(formulas[name], outputs[name], [inputs.get(p, p) for p in needs(formulas[name])])
        for name in formulas
        if name in touched
    }


def _group(names: str) -> Formulas:
    return {name: _WRITTEN[name] for name in names.split()}


_WRITTEN: Formulas = {}
for _module in (memory, decode, prefill, fleet, cost, margin):
    _WRITTEN.update(_formulas_of(_module))

MATRICES = _group(
    "compute_share dense_arithmetic_time dense_time expert_share expert_reading_time expert_arithmetic_time "
    "expert_time matrix_time collective_transfer_time"
)
STEP = MATRICES | _group(
    "step_tokens attention_reading_time attention_arithmetic_time attention_time sequence_overhead_time step_time"
)
PASS = STEP | _group("time_to_first_token cycle_time settled_batch")

# How many sequences decode depends on how long they wait for a first token, and the reverse: three passes settle it.
_FIRST_PASS = again(PASS, "first_pass", decoding_batch="batch_size")
_SECOND_PASS = again(PASS, "second_pass", decoding_batch="settled_batch_first_pass", settled_batch="decoding_batch")
_CHUNK = again(MATRICES, "chunk", step_tokens="chunk_tokens", decode_compute_share="prefill_compute_share")
_KEPT = _group("kept_tokens")

_OF_MANY = _group("busy_share idle_share served_cost served_price break_even_price_rise")
_OF_ACTIONS = _group("saving break_even_gain")
_ELSEWHERE = {"settled_batch", *_OF_MANY, *_OF_ACTIONS}

# One table of formulas for each grain: a class within a traffic, a configuration, and several configurations together.
LINE_FORMULAS: Formulas = _formulas_of(traffic)
TOTAL_FORMULAS: Formulas = {
    **_OF_MANY,
    **_group("busy_cost gross_profit_per_day gross_profit gross_margin"),
    **again(
        _group("break_even_utilization"),
        "",
        utilization="busy_share",
        break_even_utilization="break_even_utilization",
    ),
}
ACTION_FORMULAS: Formulas = {**_OF_ACTIONS, **_group("break_even_price_rise")}
FORMULAS: Formulas = {
    **{name: formula for name, formula in _WRITTEN.items() if name not in _ELSEWHERE},
    **again(_KEPT, "final", mean_context="final_context"),
    **again(_KEPT, "prompt", mean_context="input_tokens"),
    **_CHUNK,
    **_FIRST_PASS,
    **_SECOND_PASS,
}

# Answers to questions: each group for a row that brings what it needs.
HARDWARE_FORMULAS: Formulas = _formulas_of(hardware)
SIZING_FORMULAS: Formulas = _formulas_of(sizing)
NETWORK_FORMULAS: Formulas = _formulas_of(network)
SERVING_FORMULAS: Formulas = _formulas_of(serving)
PLANNING_FORMULAS: Formulas = _formulas_of(planning)
PRICING_FORMULAS: Formulas = _formulas_of(pricing)
TRAINING_FORMULAS: Formulas = _formulas_of(training)
COMPARISON_FORMULAS: Formulas = _formulas_of(comparison)
# What the sheet Models asks for, from a published configuration.
SHAPE_FORMULAS: Formulas = _formulas_of(shapes)

# A verify pass takes every sequence's draft through the matrices and reads the cache once. The draft model is dense.
_VERIFY_ATTENTION = again(
    _group("attention_arithmetic_time attention_time"), "verify", decoding_batch="verify_sequences"
)
_VERIFY = again(
    MATRICES | _group("step_time"), "verify", step_tokens="verify_tokens", attention_time="attention_time_verify"
)
_DRAFT = again(
    _group(
        "dense_reading_time dense_arithmetic_time dense_time attention_reading_time attention_arithmetic_time "
        "attention_time collective_latency collective_transfer_time layer_overhead_time step_time"
    ),
    "draft",
    dense_weight_memory="draft_weight_memory",
    active_dense_parameters="draft_parameters",
    attention_width="draft_attention_width",
    kv_cache_per_token="draft_kv_cache_per_token",
    kv_layers="draft_layers",
    layers="draft_layers",
    hidden_size="draft_hidden_size",
    experts="draft_experts",
    matrix_time="dense_time_draft",
)
_DRAFT_SHAPES = again(
    _group("kv_elements kv_cache_per_token attention_width"),
    "draft",
    kv_heads="draft_kv_heads",
    head_dim="draft_head_dim",
    attention_heads="draft_attention_heads",
    kv_lora_rank="draft_kv_lora_rank",
    rope_dim="draft_rope_dim",
    kv_layers="draft_layers",
    kv_cache_override="draft_kv_cache_override",
    kv_cache_per_token="draft_kv_cache_per_token",
    attention_width="draft_attention_width",
)
SPECULATION_FORMULAS: Formulas = {
    **_formulas_of(speculation),
    **_DRAFT_SHAPES,
    **_VERIFY_ATTENTION,
    **_VERIFY,
    **_DRAFT,
}

# What every accelerator gives for a dollar, beside the one in use.
_METRICS = ("compute_per_dollar", "bandwidth_per_dollar", "memory_per_dollar")
HARDWARE_FORMULAS |= {
    name: formula
    for metric in _METRICS
    for name, formula in {
        **again(
            {metric: HARDWARE_FORMULAS[metric]},
            "in_use",
            accelerator_price="accelerator_price_in_use",
            peak_compute="peak_compute_in_use",
            memory_bandwidth="memory_bandwidth_in_use",
            accelerator_memory="accelerator_memory_in_use",
        ),
        **again(
            {"advantage": HARDWARE_FORMULAS["advantage"]},
            "",
            per_dollar=metric,
            baseline_per_dollar=f"{metric}_in_use",
            advantage=f"{metric.partition('_')[0]}_advantage",
        ),
    }.items()
}
SERVING_FORMULAS |= again(
    {"paged_batch": SERVING_FORMULAS["paged_batch"]},
    "",
    paging_efficiency="contiguous_efficiency",
    paged_batch="contiguous_batch",
)
HARDWARE_FORMULAS |= again(
    {"blended_rent": HARDWARE_FORMULAS["blended_rent"]}, "", base_share="load_factor", blended_rent="mean_reserved_rent"
)
PRICING_FORMULAS |= again(
    {"ratio_cost": PRICING_FORMULAS["ratio_cost"]},
    "",
    input_cost="api_input_price",
    output_cost="api_output_price",
    ratio_cost="api_ratio_cost",
)

# Waiting at a number of replicas: that of a fleet of fixed size, the four that are tried for an hour, and the hour's.
_WAITING = _formulas_of(waiting)
_AT_REPLICAS = {
    name: _WAITING[name]
    for name in ["slots", "spare_share", "spare_deviations", "waiting_probability", "tail_waiting_time"]
}
_TOLD = {name: _WAITING[name] for name in ("mean_waiting_time", "waiting_warning")}
_TRIED = {
    name: formula
    for trial in ("middle", "quarter", "eighth", "last")
    for name, formula in again(_AT_REPLICAS, trial, replica_count=f"{trial}_replicas").items()
}
WAITING_FORMULAS: Formulas = _WAITING | _TRIED | again(_AT_REPLICAS | _TOLD, "hour", replica_count="needed_replicas")
# The same for a pool of prompts, each of which takes a place of it for as long as it is computed.
PREFILL_WAITING_FORMULAS: Formulas = again(
    {name: formula for name, formula in WAITING_FORMULAS.items() if name not in ("replica_slots", "service_time")},
    "prefill",
    service_time="prompt_service_time",
    service_variability="prompt_variability",
    replica_slots="prefill_slots",
    replica_count="prefill_replica_count",
)

# The batch of an hour: the one that follows from a full replica's step is tried, and then three on secants.
_DEMAND = _formulas_of(demand)
_SECANT = {"closer_batch": _DEMAND.pop("closer_batch")}
_FOLLOWING = again(
    _group("settled_batch"), "", batch_size="busy_batch", cycle_time="busy_cycle_time", settled_batch="following_batch"
)
_BUSY = STEP | _FOLLOWING | {name: _DEMAND[name] for name in ("busy_cycle_time", "busy_batch")}


def _closer(name: str, earlier: tuple[str, str], later: tuple[str, str]) -> Formulas:
    return again(
        _SECANT,
        "",
        earlier_batch=earlier[0],
        earlier_result=earlier[1],
        later_batch=later[0],
        later_result=later[1],
        closer_batch=name,
    )


_TRIES = (
    ("decoding_batch", "following_batch"),
    *((f"{nth}_batch", f"following_batch_{nth}") for nth in ("first", "second", "third")),
)
DEMAND_FORMULAS: Formulas = {
    **_DEMAND,
    **_FOLLOWING,
    **again(_BUSY, "first", decoding_batch="first_batch"),
    **_closer("second_batch", *_TRIES[0:2]),
    **again(_BUSY, "second", decoding_batch="second_batch"),
    **_closer("third_batch", *_TRIES[1:3]),
    **again(_BUSY, "third", decoding_batch="third_batch"),
    **_closer("hour_decoding_batch", *_TRIES[2:4]),
    **again(_BUSY, "hour", decoding_batch="hour_decoding_batch"),
    **again(_group("time_per_output_token"), "hour", step_time="step_time_hour", cycle_time="busy_cycle_time_hour"),
}
_PROVISION = _formulas_of(provision)
_PACKED = {name: _PROVISION[name] for name in ("replicas_with_reserve", "pool_accelerators")}
_NODES = {"pool_accelerators": _PROVISION["pool_accelerators"]}
_RESERVED = again(_NODES, "with_reserve", running_replicas="replicas_with_reserve")
PROVISION_FORMULAS: Formulas = {
    **_PROVISION,
    **_RESERVED,
    **again(_PACKED | _RESERVED, "prefill", running_replicas="prefill_pool_replicas"),
}
# The money: each group for a row that brings what it needs, as its file says.
OWNERSHIP_FORMULAS: Formulas = _formulas_of(ownership)
ACTUALS_FORMULAS: Formulas = _formulas_of(actuals)
FORWARD_FORMULAS: Formulas = _formulas_of(forward)


def _instances(formulas: Formulas, formula: str, *renames: Mapping[str, str]) -> Formulas:
    """A formula that stands for several quantities, once for each of them and no more as itself."""
    one = {formula: formulas[formula]}
    others = {name: other for name, other in formulas.items() if name != formula}
    return others | {name: instance for rename in renames for name, instance in again(one, "", **rename).items()}


def _lines(formulas: Formulas, formula: str, parameter: str, lines: Mapping[str, str]) -> Formulas:
    """The same where only one parameter differs: the name of each line and the quantity in the parameter's place."""
    return _instances(formulas, formula, *({formula: name, parameter: taken} for name, taken in lines.items()))


_FILLED = {f"{level}_hour_cost": f"{level}_accelerators" for level in ("useful", "required", "needed")}
_BILLS = ("useful", "headroom", "reserve", "idle", "transition", "commitment", "rented", "interruption")
_HELD = ("useful", "held", "idle", "rented")
_BILL = _lines(_formulas_of(bill), "filled_hour_cost", "filled_accelerators", _FILLED)
_BILL = _lines(
    _BILL, "month_bill", "hour_cost", {"bill": "hour_bill", **{f"{part}_bill": f"{part}_hour_cost" for part in _BILLS}}
)
_BILL = _lines(_BILL, "month_hours", "hour_accelerators", {f"{part}_hours": f"{part}_accelerators" for part in _HELD})
_OF_BILLS = ("held_utilization", "bill_token_cost", "full_load_token_cost")
BILL_FORMULAS: Formulas = {name: formula for name, formula in _BILL.items() if name not in _OF_BILLS}
BILL_TOTAL_FORMULAS: Formulas = {name: _BILL[name] for name in _OF_BILLS}

_COMMITTED = {"one_year": "one_year_price", "three_year": "three_year_price", "owned": "owned_cost"}
_COMMITMENTS = _formulas_of(commitments)
_SLICE = ("break_even_hours", "slice_rented_cost", "cheapest_slice_cost", "cheapest_term", "slice_saving")
SLICE_FORMULAS: Formulas = {name: _COMMITMENTS[name] for name in (*_SLICE, "slice_committed_cost")}
SLICE_FORMULAS = _lines(
    SLICE_FORMULAS,
    "slice_committed_cost",
    "committed_price",
    {f"slice_{term}_cost": price for term, price in _COMMITTED.items()},
)
SLICE_FORMULAS = _lines(
    SLICE_FORMULAS,
    "break_even_hours",
    "committed_price",
    {f"{term}_break_even_hours": price for term, price in _COMMITTED.items()},
)
COMMITMENT_FORMULAS: Formulas = {
    **{name: formula for name, formula in _COMMITMENTS.items() if name not in (*_SLICE, "slice_committed_cost")},
    **again(
        {"contract_days": _COMMITMENTS["contract_days"]},
        "",
        contract_start="valid_from",
        contract_end="valid_until",
        contract_days="valid_days",
    ),
}

# The buckets of a price list: the tokens of a request, the price, whether there is one, the tier that multiplies it.
_BUCKETS = {
    "plain_input": ("plain_input_tokens", "input_price", "input"),
    "cache_write": ("cache_write_tokens", "cache_write_price", "input"),
    "cache_read": ("cached_tokens", "cached_input_price", "input"),
    "output": ("output_tokens", "output_price", "output"),
    "reasoning": ("reasoning_tokens", "reasoning_price", "output"),
}
BILLING_FORMULAS: Formulas = _instances(
    _formulas_of(billing),
    "bucket_list",
    *(
        {
            "bucket_list": f"{bucket}_list",
            "bucket_tokens": tokens,
            "bucket_price": price,
            "has_bucket_price": f"has_{price}",
            "tier_multiple": f"{side}_tier_multiple",
        }
        for bucket, (tokens, price, side) in _BUCKETS.items()
    ),
)
BILLING_FORMULAS = _lines(
    BILLING_FORMULAS, "bucket_revenue", "bucket_list", {f"{bucket}_revenue": f"{bucket}_list" for bucket in _BUCKETS}
)
BILLING_FORMULAS = _lines(
    BILLING_FORMULAS,
    "given_away",
    "unbilled_share",
    {f"{reason}_value": f"{reason}_share" for reason in ("free", "retry", "aborted", "internal")},
)

PHASE_FORMULAS: Formulas = _lines(
    _formulas_of(phases),
    "phase_month",
    "phase_cost",
    {f"{phase}_month": f"{phase}_phase_cost" for phase in ("prefill", "decode", "idle", "storage", "transfer")},
)
PROFIT_FORMULAS: Formulas = _lines(
    _formulas_of(profit),
    "day_of_month",
    "month_amount",
    {
        f"{amount}_per_day": amount
        for amount in ("net_revenue", "bill", "other_cost", "profit_before_other_costs", "profit_after_other_costs")
    },
)
PROFIT_FORMULAS |= {
    f"margin_{when}_other_costs": formula
    for when in ("before", "after")
    for formula in again(
        _group("gross_margin"), "", gross_profit=f"profit_{when}_other_costs", revenue="net_revenue"
    ).values()
}
PROFIT_FORMULAS |= again(_group("served_price"), "", revenue="net_revenue", served_price="net_price")

# What serves in whole steps: nodes that are owned, replicas that are rented.
_STEPPED = {name: _formulas_of(crossover)[name] for name in ("step_count", "stepped_cost")}
CROSSOVER_FORMULAS: Formulas = {
    **{name: formula for name, formula in _formulas_of(crossover).items() if name not in _STEPPED},
    **again(
        _STEPPED,
        "",
        step_tokens="own_step_tokens",
        fewest_steps="fewest_own_steps",
        step_count="own_steps",
        base_cost="own_base_cost",
        step_cost="own_step_cost",
        stepped_cost="own_volume_cost",
    ),
    **again(
        _STEPPED,
        "",
        step_tokens="replica_tokens",
        fewest_steps="minimum_replicas",
        step_count="rent_steps",
        base_cost="rent_base_cost",
        step_cost="replica_month_cost",
        stepped_cost="rent_volume_cost",
    ),
}
CROSSOVER_FORMULAS = _lines(
    CROSSOVER_FORMULAS,
    "volume_token_cost",
    "volume_cost",
    {f"{way}_token_cost": f"{way}_volume_cost" for way in ("own", "rent", "api")},
)

EVERY_GROUP: dict[str, Formulas] = {
    "class": LINE_FORMULAS,
    "total": TOTAL_FORMULAS,
    "action": ACTION_FORMULAS,
    "configuration": FORMULAS,
    "hardware": HARDWARE_FORMULAS,
    "sizing": SIZING_FORMULAS,
    "network": NETWORK_FORMULAS,
    "serving": SERVING_FORMULAS,
    "speculation": SPECULATION_FORMULAS,
    "planning": PLANNING_FORMULAS,
    "pricing": PRICING_FORMULAS,
    "training": TRAINING_FORMULAS,
    "comparison": COMPARISON_FORMULAS,
    "shapes": SHAPE_FORMULAS,
    "demand": DEMAND_FORMULAS,
    "waiting": WAITING_FORMULAS,
    "prefill waiting": PREFILL_WAITING_FORMULAS,
    "provision": PROVISION_FORMULAS,
    "ownership": OWNERSHIP_FORMULAS,
    "bill": BILL_FORMULAS,
    "bill total": BILL_TOTAL_FORMULAS,
    "commitment": COMMITMENT_FORMULAS,
    "slice": SLICE_FORMULAS,
    "billing": BILLING_FORMULAS,
    "phase": PHASE_FORMULAS,
    "profit": PROFIT_FORMULAS,
    "crossover": CROSSOVER_FORMULAS,
    "forward": FORWARD_FORMULAS,
    "actuals": ACTUALS_FORMULAS,
}
# All of them by name. Where grains share a name, as gross_profit does, it is the configuration's.
EVERY_FORMULA: Formulas = {name: formula for group in EVERY_GROUP.values() for name, formula in group.items()}
EVERY_FORMULA |= FORMULAS
