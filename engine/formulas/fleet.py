"""Fleet: how many replicas a demand needs, how busy they are, and what they cost in a month.

Knows nothing of sheets, files or other formulas. A configuration without a demand stands for one replica at the
utilization that is assumed for it. One that serves is billed by the hour (`is_billed_hourly`), and what its hours come
to is given; an alternative is costed as the peak's fleet around the clock.
"""

import numpy as np

from engine.units import (
    HOURS_PER_DAY,
    ONE_TOKEN,
    Constant,
    Count,
    DollarsPerDay,
    DollarsPerHour,
    DollarsPerMonth,
    HoursPerMonth,
    RequestsPerSecond,
    Seconds,
    SecondsPerRequest,
    Sequences,
    Share,
)

NOISE = Constant(1e-9, "")
# A target as long as this is none: it is what a blank cell means.
NO_TARGET = Constant(1e6, "s")


def replica_cost(accelerator_count, accelerator_hour_cost) -> DollarsPerHour:
    """What the accelerators of one replica cost an hour, with their part of what stands by.

    Source: definition.
    """
    return accelerator_count * accelerator_hour_cost


def sized_requests(has_demand, peak_requests, served_share) -> RequestsPerSecond:
    """Requests per second that the fleet is sized for: the peak of its share of the traffic.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return np.where(has_demand > 0, peak_requests * served_share, 0)


def required_rate(has_demand, sized_requests, planned_utilization, request_rate) -> RequestsPerSecond:
    """Requests per second that the fleet could serve at full load: what it is sized for, and what is kept above it.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter; headroom is an input.
    """
    return np.where(has_demand > 0, sized_requests / planned_utilization, request_rate)


def replica_count(has_demand, needed_replicas, minimum_replicas) -> Count:
    """Whole replicas that keep the promised wait at the peak, or the headroom where no wait is promised.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return np.where(has_demand > 0, needed_replicas, minimum_replicas)


def prompt_requests(sized_requests, shared_pool) -> RequestsPerSecond:
    """Requests per second that a prefill pool is sized for; none where prompts and answers share their replicas.

    Source: definition.
    """
    return np.where(shared_pool > 0, 0, sized_requests)


def prefill_replica_count(has_demand, needed_replicas_prefill, required_rate, prefill_time, shared_pool) -> Count:
    """Whole replicas of a prefill pool; none where prompts and answers share their replicas.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    wanted = np.where(has_demand > 0, needed_replicas_prefill, np.ceil(required_rate * prefill_time - NOISE))
    return np.where(shared_pool > 0, 0, wanted)


def pool_waiting_target(waiting_target, shared_pool) -> Seconds:
    """The promised wait of each pool: of two pools that a request waits for, each has half of it.

    Source: definition.
    """
    halved = np.where(shared_pool > 0, waiting_target, waiting_target / 2)
    return np.where(waiting_target < NO_TARGET, halved, waiting_target)


def mean_load(
    has_demand, mean_requests, served_share, request_rate, replica_count, assumed_utilization
) -> RequestsPerSecond:
    """Requests per second that are served on average over the month.

    Source: definition.
    """
    return np.where(has_demand > 0, mean_requests * served_share, request_rate * replica_count * assumed_utilization)


def utilization(is_billed_hourly, hourly_utilization, mean_load, replica_count, request_rate) -> Share:
    """Share of what the replicas that run could serve that they do serve, over the month.

    Source: definition.
    """
    return np.where(is_billed_hourly > 0, hourly_utilization, mean_load / (replica_count * request_rate))


def prefill_utilization(
    is_billed_hourly,
    hourly_prefill_utilization,
    utilization,
    mean_load,
    prefill_time,
    prefill_replica_count,
    shared_pool,
) -> Share:
    """Share of what the prefill pool could compute that it does compute; the replicas' own where they are shared.

    Source: definition.
    """
    apart = np.where(is_billed_hourly > 0, hourly_prefill_utilization, mean_load * prefill_time / prefill_replica_count)
    return np.where(shared_pool > 0, utilization, apart)


def fleet_accelerators(
    is_billed_hourly, hourly_accelerators, pool_accelerators_with_reserve, pool_accelerators_with_reserve_prefill
) -> Count:
    """Accelerators in the hour that needs most, in whole servers with the reserve; else those of the peak's pools.

    Source: definition.
    """
    at_peak = pool_accelerators_with_reserve + pool_accelerators_with_reserve_prefill
    return np.where(is_billed_hourly > 0, hourly_accelerators, at_peak)


def accelerator_hour_cost(
    is_billed_hourly,
    hourly_accelerator_cost,
    fleet_accelerators,
    accelerator_price,
    replica_count,
    prefill_replica_count,
    accelerator_count,
) -> DollarsPerHour:
    """An accelerator in a replica that runs, for an hour, with its part of reserve, unused commitments and starts.

    Source: definition.
    """
    used = (replica_count + prefill_replica_count) * accelerator_count
    return np.where(is_billed_hourly > 0, hourly_accelerator_cost, fleet_accelerators / used * accelerator_price)


def fleet_cost_per_day(fleet_cost, days_in_month) -> DollarsPerDay:
    """What the fleet costs in a day of the month, on average.

    Source: definition.
    """
    return fleet_cost / days_in_month


def fleet_cost(is_billed_hourly, hourly_bill, fleet_accelerators, accelerator_price, days_in_month) -> DollarsPerMonth:
    """The bill of the month: by the hour where the configuration serves, else the peak's fleet around the clock.

    Source: definition.
    """
    around_the_clock = fleet_accelerators * accelerator_price * HOURS_PER_DAY * days_in_month
    return np.where(is_billed_hourly > 0, hourly_bill, around_the_clock)


def idle_cost(
    is_billed_hourly,
    hourly_useful_bill,
    fleet_cost,
    replica_count,
    utilization,
    prefill_replica_count,
    prefill_utilization,
    accelerator_count,
    accelerator_price,
    days_in_month,
) -> DollarsPerMonth:
    """The part of the bill that served nobody: headroom, whole replicas, reserve, and the hours below the peak.

    Source: definition.
    """
    busy = (replica_count * utilization + prefill_replica_count * prefill_utilization) * accelerator_count
    useful = busy * accelerator_price * HOURS_PER_DAY * days_in_month
    return fleet_cost - np.where(is_billed_hourly > 0, hourly_useful_bill, useful)


def running_batch_size(hourly_batch, batch_size) -> Sequences:
    """The batch that runs: the one asked for, or what the requests of the hours make, weighted with them.

    Source: definition.
    """
    return np.where(hourly_batch > 0, hourly_batch, batch_size)


def used_hours(
    is_billed_hourly,
    hourly_used,
    replica_count,
    utilization,
    prefill_replica_count,
    prefill_utilization,
    accelerator_count,
    days_in_month,
) -> HoursPerMonth:
    """Accelerator-hours of the month in which requests are served.

    Source: definition.
    """
    busy = (replica_count * utilization + prefill_replica_count * prefill_utilization) * accelerator_count
    return np.where(is_billed_hourly > 0, hourly_used, busy * HOURS_PER_DAY * days_in_month)


def held_hours(is_billed_hourly, hourly_held, fleet_accelerators, days_in_month) -> HoursPerMonth:
    """Accelerator-hours that are paid for in the month.

    Source: definition.
    """
    return np.where(is_billed_hourly > 0, hourly_held, fleet_accelerators * HOURS_PER_DAY * days_in_month)


def query_time(generated_tokens, time_per_output_token) -> SecondsPerRequest:
    """Time from the first to the last token of an answer.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return generated_tokens / ONE_TOKEN * time_per_output_token
