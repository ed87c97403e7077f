"""Hours: the formulas of an hour: its demand, the batch that follows from it, the wait, and what is provided."""

from __future__ import annotations

from engine.formulas import demand, provision, waiting
from engine.formulas.groups.configuration import STEP, group
from engine.formulas.groups.renaming import Formulas, again, formulas_of

# Waiting at a number of replicas: that of a fleet of fixed size, the four that are tried for an hour, and the hour's.
_WAITING = formulas_of(waiting)
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
_DEMAND = formulas_of(demand)
_SECANT = {"closer_batch": _DEMAND.pop("closer_batch")}
_FOLLOWING = again(
    group("settled_batch"), "", batch_size="busy_batch", cycle_time="busy_cycle_time", settled_batch="following_batch"
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
    **again(group("time_per_output_token"), "hour", step_time="step_time_hour", cycle_time="busy_cycle_time_hour"),
}
_PROVISION = formulas_of(provision)
_PACKED = {name: _PROVISION[name] for name in ("replicas_with_reserve", "pool_accelerators")}
_NODES = {"pool_accelerators": _PROVISION["pool_accelerators"]}
_RESERVED = again(_NODES, "with_reserve", running_replicas="replicas_with_reserve")
PROVISION_FORMULAS: Formulas = {
    **_PROVISION,
    **_RESERVED,
    **again(_PACKED | _RESERVED, "prefill", running_replicas="prefill_pool_replicas"),
}
