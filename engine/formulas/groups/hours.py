"""Hours: the formulas of an hour: its demand, the batch that follows from it, and what is provided."""

from __future__ import annotations

from engine.formulas import bill, demand, fleet, forward, provision
from engine.formulas.groups.configuration import STEP, group
from engine.formulas.groups.renaming import Formulas, again, formulas_of, lines
from engine.formulas.groups.waiting import NEEDED, at_replicas, of_prompts

_DEMAND = formulas_of(demand)


def _demand(names: str) -> Formulas:
    return {name: _DEMAND[name] for name in names.split()}


# A part of the month; an hour of its days; an hour of a class; an hour of a configuration; its day.
MONTH_PART_FORMULAS: Formulas = _demand("weekdays weekend_days")
CALENDAR_FORMULAS: Formulas = _demand("kind_days profile_hours")
CLASS_HOUR_FORMULAS: Formulas = _demand("day_requests hour_requests deferrable_requests")
VALLEY_FORMULAS: Formulas = lines(
    _demand("own_part immediate_requests fleet_rate valley_room"),
    "own_part",
    "traffic_part",
    {"hour_requests": "traffic_hour_requests", "deferrable_requests": "traffic_hour_deferrable"},
)
DAY_FORMULAS: Formulas = _demand("valley_fill left_over_share day_left_over valley_warning")

# The batch of an hour: the one that follows from a full replica's step is tried, and then three on secants.
_SECANT = _demand("closer_batch")
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
BATCH_FORMULAS: Formulas = {
    **_demand("replica_rate busy_cycle_time busy_batch first_batch"),
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
_PROVISION = {name: formula for name, formula in formulas_of(provision).items() if name != "kept_replicas"}
_PACKED = {name: _PROVISION[name] for name in ("replicas_with_reserve", "pool_accelerators")}
_NODES = {"pool_accelerators": _PROVISION["pool_accelerators"]}
_RESERVED = again(_NODES, "with_reserve", running_replicas="replicas_with_reserve")
_FLEET = ("kept_warning", "limit_warning")  # of a fleet and not of an hour
_QUEUE = {name: f for name, f in NEEDED.items() if name not in ("replica_slots", "service_time", "planned_utilization")}
HOUR_FORMULAS: Formulas = {
    **_demand("peak_multiple sized_requests filled_requests left_over_requests served_hour_requests profile_requests"),
    **_QUEUE,
    **at_replicas("hour", "wanted_replicas"),
    **{name: formula for name, formula in _PROVISION.items() if name not in _FLEET},
    **_RESERVED,
    **again(_PACKED | _RESERVED, "prefill", running_replicas="prefill_pool_replicas"),
    **{name: formulas_of(bill)[name] for name in ("useful_accelerators", "needed_accelerators")},
}
# Of an hour where a pool of prompts stands apart.
PROMPT_FORMULAS: Formulas = {"prompt_requests": formulas_of(fleet)["prompt_requests"]} | of_prompts(
    _QUEUE, sized_requests="prompt_requests"
)
# What the months ahead keep of the month reported.
OF_TODAY = ("counted_accelerators", "need_ratio", "rent_ratio", "contract_use", "contract_ratio")
FLEET_FORMULAS: Formulas = {
    **_demand("mean_batch"),
    **{name: _PROVISION[name] for name in _FLEET},
    **{name: formulas_of(forward)[name] for name in OF_TODAY},
}
