"""Planning: a fleet by the hour, the year and the query, load that varies, and what breaks even.

Knows nothing of sheets, files or other formulas. These are answers to questions about one fleet; what every fleet has
is in fleet.py and margin.py.
"""

import numpy as np

from engine.units import (
    DAYS_PER_YEAR,
    NOT_AVAILABLE,
    ONE_TOKEN,
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    TOKENS_PER_MILLION,
    Constant,
    Count,
    DollarsPerHour,
    DollarsPerMillionTokens,
    DollarsPerRequest,
    DollarsPerSecond,
    DollarsPerYear,
    Number,
    RequestsPerDay,
    RequestsPerSecond,
    Share,
    Text,
)

NOISE = Constant(1e-9, "")


def replica_cost_per_second(replica_cost) -> DollarsPerSecond:
    """Rent of the accelerators of one replica for a second.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return replica_cost / SECONDS_PER_HOUR


def fleet_cost_per_hour(fleet_accelerators, accelerator_price) -> DollarsPerHour:
    """Rent of all accelerators for an hour.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return fleet_accelerators * accelerator_price


def fleet_cost_per_year(fleet_cost_per_day) -> DollarsPerYear:
    """Rent of all replicas for a year of 365 days.

    Source: definition.
    """
    return fleet_cost_per_day * DAYS_PER_YEAR


def requests_per_day(mean_load) -> RequestsPerDay:
    """Requests that are served in a day.

    Source: definition.
    """
    return mean_load * SECONDS_PER_DAY


def fleet_cost_per_request(fleet_cost_per_day, requests_per_day) -> DollarsPerRequest:
    """Rent of the whole fleet spread over the requests it serves, idle time included.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return np.where(requests_per_day > 0, fleet_cost_per_day / requests_per_day, NOT_AVAILABLE)


def prefill_accelerators(prefill_replica_count, accelerator_count) -> Count:
    """Accelerators of the prefill pool.

    Source: definition.
    """
    return prefill_replica_count * accelerator_count


def load_share(input_speed, input_token_time, user_speed, step_time_floor) -> Share:
    """Share of a replica's time that prompts and the reading of weights take; above 100 % it cannot be done.

    Source: definition.
    """
    return input_speed * input_token_time + user_speed / ONE_TOKEN * step_time_floor


def load_factor(mean_requests, peak_requests) -> Share:
    """Mean load as a share of the peak: the utilization of a fleet that is built for the peak.

    Source: definition.
    """
    return np.where(peak_requests > 0, mean_requests / peak_requests, NOT_AVAILABLE)


def requests_at_load(target_load, request_rate, replica_count, served_share) -> RequestsPerSecond:
    """Requests of a whole traffic at which the fleet that serves a share of it is busy to so much of what it could do.

    Source: definition.
    """
    return target_load * request_rate * replica_count / served_share


def utilized_cost(full_load_cost, utilization) -> DollarsPerMillionTokens:
    """Cost of a token at a utilization, from its cost at full load.

    Source: definition.
    """
    return np.where(utilization > 0, full_load_cost / utilization, NOT_AVAILABLE)


def hour_replicas(hour_requests, request_rate, minimum_replicas) -> Count:
    """Replicas that an hour's load needs where the fleet follows the load; never fewer than are kept warm.

    Source: definition.
    """
    return np.maximum(minimum_replicas, np.ceil(hour_requests / request_rate - NOISE))


def hour_cost(hour_replicas, replica_cost) -> DollarsPerHour:
    """Rent of the replicas that an hour's load needs.

    Source: definition.
    """
    return hour_replicas * replica_cost


def hour_warning(hour_requests, replica_count, request_rate) -> Text:
    """What to say about an hour on a fleet of fixed size; empty where it serves the load.

    Source: definition.
    """
    return np.where(hour_requests > replica_count * request_rate, "demand exceeds what the fleet can serve", "")


def lost_requests(hour_requests, replica_count, request_rate) -> RequestsPerSecond:
    """Demand of an hour that a fleet of fixed size cannot serve.

    Source: definition.
    """
    return np.maximum(0, hour_requests - replica_count * request_rate)


def break_even_price(blended_price, fleet_cost, revenue) -> DollarsPerMillionTokens:
    """Price over all tokens at which revenue pays the fleet, volume unchanged.

    Source: definition.
    """
    return np.where(revenue > 0, blended_price * fleet_cost / revenue, NOT_AVAILABLE)


def break_even_input_ratio(fleet_cost_per_day, output_speed, input_price, output_price) -> Number:
    """Billed input tokens for each output token at which revenue pays the fleet; 0 where output alone does.

    Source: Jia, The math behind inference for Llama 3.1 405B (2024), solved for the ratio.
    """
    daily_output = output_speed * SECONDS_PER_DAY / TOKENS_PER_MILLION
    missing = fleet_cost_per_day / daily_output - output_price
    known = np.logical_and(output_speed > 0, input_price > 0)
    return np.where(known, np.maximum(0, missing / input_price), NOT_AVAILABLE)


def break_even_warning(break_even_utilization, revenue) -> Text:
    """What to say about breaking even; empty where it is within reach.

    Source: definition.
    """
    beyond = np.where(break_even_utilization > 1, "cannot break even at these prices", "")
    return np.where(revenue > 0, beyond, "there is no revenue")
