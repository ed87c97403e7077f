"""Fleet: how many replicas a demand needs, how busy they are, and what they cost in a month.

Knows nothing of sheets, files or other formulas. A configuration without a demand stands for one replica at the
utilization that is assumed for it.
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
    SecondsPerRequest,
    Share,
)

NOISE = Constant(1e-9, "")


def replica_cost(accelerator_count, accelerator_price) -> DollarsPerHour:
    """Rent of the accelerators of one replica.

    Source: definition.
    """
    return accelerator_count * accelerator_price


def required_rate(has_demand, peak_requests, served_share, headroom, request_rate) -> RequestsPerSecond:
    """Requests per second that the fleet is built for: the peak of its share of the traffic, and headroom.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter; headroom is an input.
    """
    return np.where(has_demand > 0, peak_requests * served_share * (1 + headroom), request_rate)


def replica_count(required_rate, request_rate, minimum_replicas) -> Count:
    """Whole replicas that serve the required rate.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return np.maximum(minimum_replicas, np.ceil(required_rate / request_rate - NOISE))


def prefill_replica_count(required_rate, prefill_time, shared_pool) -> Count:
    """Whole replicas of a prefill pool; none where prompts and answers share their replicas.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return np.where(shared_pool > 0, 0, np.ceil(required_rate * prefill_time - NOISE))


def mean_load(
    has_demand, mean_requests, served_share, request_rate, replica_count, assumed_utilization
) -> RequestsPerSecond:
    """Requests per second that are served on average over the month.

    Source: definition.
    """
    return np.where(has_demand > 0, mean_requests * served_share, request_rate * replica_count * assumed_utilization)


def utilization(mean_load, replica_count, request_rate) -> Share:
    """Share of what the replicas could serve that they do serve.

    Source: definition.
    """
    return mean_load / (replica_count * request_rate)


def prefill_utilization(utilization, mean_load, prefill_time, prefill_replica_count, shared_pool) -> Share:
    """Share of what the prefill pool could compute that it does compute; the replicas' own where they are shared.

    Source: definition.
    """
    return np.where(shared_pool > 0, utilization, mean_load * prefill_time / prefill_replica_count)


def fleet_accelerators(replica_count, prefill_replica_count, accelerator_count) -> Count:
    """Accelerators of all replicas.

    Source: definition.
    """
    return (replica_count + prefill_replica_count) * accelerator_count


def fleet_cost_per_day(replica_count, prefill_replica_count, replica_cost) -> DollarsPerDay:
    """Rent of all replicas for a day; it does not depend on the load.

    Source: definition.
    """
    return (replica_count + prefill_replica_count) * replica_cost * HOURS_PER_DAY


def fleet_cost(fleet_cost_per_day, days_in_month) -> DollarsPerMonth:
    """Rent of all replicas for the month.

    Source: definition.
    """
    return fleet_cost_per_day * days_in_month


def held_hours(fleet_accelerators, days_in_month) -> HoursPerMonth:
    """Accelerator-hours that are paid for in the month, whether they serve or not.

    Source: definition.
    """
    return fleet_accelerators * HOURS_PER_DAY * days_in_month


def idle_cost(
    replica_count, prefill_replica_count, utilization, prefill_utilization, replica_cost, days_in_month
) -> DollarsPerMonth:
    """The part of the rent that served nobody: headroom, whole replicas and the hours below the peak.

    Source: definition.
    """
    idle = replica_count * (1 - utilization) + prefill_replica_count * (1 - prefill_utilization)
    return idle * replica_cost * HOURS_PER_DAY * days_in_month


def query_time(generated_tokens, time_per_output_token) -> SecondsPerRequest:
    """Time from the first to the last token of an answer.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return generated_tokens / ONE_TOKEN * time_per_output_token
