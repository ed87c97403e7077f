"""Waiting: the formulas of a queue at a number of replicas, tried at four counts; of answers, and of prompts."""

from __future__ import annotations

from engine.formulas import waiting
from engine.formulas.groups.renaming import Formulas, again, formulas_of

# Waiting at a number of replicas: that of a fleet, the four that are tried, and the fewest that keep the target.
_WAITING = formulas_of(waiting)
_OF_PROMPTS = {name: _WAITING.pop(name) for name in ("prompt_service_time", "prefill_slots")}
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
FLEET_WAITING: Formulas = _WAITING | _TRIED


def at_replicas(suffix: str, replica_count: str) -> Formulas:
    """The queue at another number of replicas, with what there is to say about it."""
    return again(_AT_REPLICAS | _TOLD, suffix, replica_count=replica_count)


# How many replicas keep the target, without what a fleet of given size makes of it.
NEEDED: Formulas = {name: f for name, f in FLEET_WAITING.items() if name not in (*_AT_REPLICAS, *_TOLD)}


def of_prompts(formulas: Formulas, **renames: str) -> Formulas:
    """The same for a pool of prompts, each of which takes a place of it for as long as it is computed."""
    queue = {name: formula for name, formula in formulas.items() if name not in ("replica_slots", "service_time")}
    return _OF_PROMPTS | again(
        queue,
        "prefill",
        service_time="prompt_service_time",
        replica_slots="prefill_slots",
        replica_count="prefill_replica_count",
        **renames,
    )
