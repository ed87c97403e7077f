"""Configuration: the formulas of every month: of a class, a configuration, and several configurations together."""

from __future__ import annotations

from engine.formulas import bands, cost, decode, demand, fleet, margin, memory, prefill, provision, traffic
from engine.formulas.groups.renaming import Formulas, again, formulas_of
from engine.formulas.groups.waiting import FLEET_WAITING, of_prompts

_WRITTEN: Formulas = {}
for _module in (memory, decode, prefill, fleet, cost, margin, bands):
    _WRITTEN.update(formulas_of(_module))


def group(names: str) -> Formulas:
    """Some of the formulas that a configuration is calculated by, by their names."""
    return {name: _WRITTEN[name] for name in names.split()}


MATRICES = group(
    "compute_share dense_arithmetic_time dense_time expert_share expert_reading_time expert_arithmetic_time "
    "expert_time matrix_time collective_transfer_time"
)
STEP = MATRICES | group(
    "step_tokens attention_reading_time attention_arithmetic_time attention_time sequence_overhead_time step_time"
)
PASS = STEP | group("time_to_first_token cycle_time settled_batch")

# How many sequences decode depends on how long they wait for a first token, and the reverse: three passes settle it.
_FIRST_PASS = again(PASS, "first_pass", decoding_batch="batch_size")
_SECOND_PASS = again(PASS, "second_pass", decoding_batch="settled_batch_first_pass", settled_batch="decoding_batch")
_CHUNK = again(MATRICES, "chunk", step_tokens="chunk_tokens", decode_compute_share="prefill_compute_share")
_KEPT = group("kept_tokens")

# Each of two pools has its part of the promised wait, and keeps the replicas that its own load needs.
_QUEUE = {name: formula for name, formula in FLEET_WAITING.items() if name not in ("mean_waiting_time",)}
_OF_POOL = {"waiting_target": "pool_waiting_target"}
_WAITED = {"planned_utilization"}
_TRIED = {name: formula for name, formula in _QUEUE.items() if name not in _WAITED}
_WAITING: Formulas = {
    **_QUEUE,
    **again(_TRIED, "", **{name: name for name in _TRIED}, **_OF_POOL),
    **of_prompts(_TRIED, sized_requests="prompt_requests", **_OF_POOL),
}
# The peak's replicas in whole servers, with their reserve.
_PACKED = {name: formulas_of(provision)[name] for name in ("replicas_with_reserve", "pool_accelerators")}
_PROVIDED: Formulas = {"kept_replicas": formulas_of(provision)["kept_replicas"]}
for _pool, _count in (("", "replica_count"), ("_prefill", "prefill_replica_count")):
    _reserve = f"replicas_with_reserve{_pool}"
    _PROVIDED |= again(
        {"replicas_with_reserve": _PACKED["replicas_with_reserve"]},
        "",
        running_replicas=_count,
        replicas_with_reserve=_reserve,
    )
    _PROVIDED |= again(
        {"pool_accelerators": _PACKED["pool_accelerators"]},
        "",
        running_replicas=_reserve,
        pool_accelerators=f"pool_accelerators_with_reserve{_pool}",
    )

# Between what two figures those of a configuration lie.
BAND_FORMULAS: Formulas = formulas_of(bands)

_OF_MANY = group("busy_share idle_share served_cost served_price break_even_price_rise")
_OF_ACTIONS = group("saving break_even_gain")
_ELSEWHERE = {"settled_batch", *_OF_MANY, *_OF_ACTIONS}

# One table of formulas for each grain: a class within a traffic, a configuration, and several configurations together.
_DEMAND = formulas_of(demand)
LINE_FORMULAS: Formulas = {
    **formulas_of(traffic),
    **group("fresh_input_tokens generated_tokens"),
    **{name: _DEMAND[name] for name in ("weighted_days", "weekday_requests")},
}
TOTAL_FORMULAS: Formulas = {
    **_OF_MANY,
    **group("busy_cost gross_profit_per_day gross_profit gross_margin"),
    **again(
        group("break_even_utilization"),
        "",
        utilization="busy_share",
        break_even_utilization="break_even_utilization",
    ),
}
ACTION_FORMULAS: Formulas = {**_OF_ACTIONS, **group("break_even_price_rise")}
FORMULAS: Formulas = {
    **{name: formula for name, formula in _WRITTEN.items() if name not in _ELSEWHERE},
    **_WAITING,
    **_PROVIDED,
    **again(_KEPT, "final", mean_context="final_context"),
    **again(_KEPT, "prompt", mean_context="input_tokens"),
    **_CHUNK,
    **_FIRST_PASS,
    **_SECOND_PASS,
}
