"""Waiting: how long requests queue for a place in a batch, and the fewest replicas that keep the wait within a target.

Knows nothing of sheets, files or other formulas. A slot is a place in a replica's batch, taken for the whole of a
request. Service is timed at the full batch, where it is slowest, so waits err on the long side. Requests arrive at
random (Poisson). Where service times are exponential (variability 1) the wait is exact; else it is an approximation,
within some 10 % where we simulated it and 20 to 40 % off at extremes.
"""

import math

import numpy as np

from engine.distributions import MOST_COUNTED, normal_cumulative, poisson_cumulative, poisson_probability
from engine.units import (
    NOT_AVAILABLE,
    ONE_REQUEST,
    Constant,
    Count,
    Number,
    Seconds,
    Sequences,
    Share,
    Text,
)

NOISE = Constant(1e-9, "")
SEQUENCE_NOISE = Constant(1e-9, "request")
ONE_REQUEST_AT_ONCE = Constant(1, "request")
COUNTED_SLOTS = Constant(MOST_COUNTED, "request")
NORMAL_PEAK = Constant(1 / math.sqrt(2 * math.pi), "")
# Spare capacity below which the logarithm would lose digits, and two terms of its series have them all.
NARROW = Constant(1e-5, "")
# A target as long as this is none: it is what a blank cell means.
NO_TARGET = Constant(1e6, "s")
# Stands for a probability too small for a logarithm.
TINY = Constant(1e-300, "")


def replica_slots(batch_size, pipeline_stages) -> Sequences:
    """Requests that a replica serves at once: a batch for every pipeline stage.

    Source: definition.
    """
    return batch_size * pipeline_stages


def service_time(replica_slots, request_rate) -> Seconds:
    """Time for which a request keeps its slot in a full replica.

    Source: Little (1961).
    """
    return replica_slots / request_rate


def prompt_service_time(prefill_time) -> Seconds:
    """Time for which a prompt keeps its slot in a prefill pool.

    Source: definition.
    """
    return prefill_time * ONE_REQUEST


def prefill_slots(replica_slots) -> Sequences:
    """Prompts that a replica of a prefill pool computes at once: one, however many places its batch has.

    Source: definition.
    """
    return np.minimum(ONE_REQUEST_AT_ONCE, replica_slots)


def offered_load(sized_requests, service_time) -> Sequences:
    """Slots that the requests keep busy on average, if there are enough of them (erlangs).

    Source: Erlang (1917).
    """
    return sized_requests * service_time


def slots(replica_count, replica_slots) -> Sequences:
    """Whole slots of all replicas.

    Source: definition.
    """
    return np.floor(replica_count * replica_slots + SEQUENCE_NOISE)


def spare_share(offered_load, slots) -> Share:
    """Share of the slots that is free on average; not available where requests come faster than they can leave.

    Source: definition.
    """
    return np.where(offered_load < slots, 1 - offered_load / slots, NOT_AVAILABLE)


def spare_deviations(spare_share, slots) -> Number:
    """How far the slots lie above the load, in standard deviations of the requests that are being served.

    Source: Temme (1979), The asymptotic expansion of the incomplete gamma functions.
    """
    series = spare_share**2 / 2 + spare_share**3 / 3
    half_square = np.where(spare_share < NARROW, series, -spare_share - np.log(1 - spare_share))
    known = np.logical_and(spare_share > 0, spare_share < 1)
    return np.where(known, (2 * slots / ONE_REQUEST * half_square) ** 0.5, NOT_AVAILABLE)


def waiting_probability(offered_load, slots, spare_share, spare_deviations) -> Share:
    """Probability that a request finds no free slot; not available where requests come faster than they can leave.

    Exact up to 100 slots. Above, the normal form with its first correction, within a millionth of the exact figure.

    Source: Erlang (1917); Halfin and Whitt (1981), refined by Temme's (1979) expansion.
    """
    exactly = poisson_probability(slots / ONE_REQUEST, offered_load / ONE_REQUEST)
    fewer = poisson_cumulative(slots / ONE_REQUEST - 1, offered_load / ONE_REQUEST)
    counted = exactly / (exactly + spare_share * fewer)
    density = NORMAL_PEAK * np.exp(-(spare_deviations**2) / 2)
    correction = 1 / (12 * slots / ONE_REQUEST)
    below = normal_cumulative(spare_deviations) + density / spare_deviations
    free = spare_share * (slots / ONE_REQUEST) ** 0.5 * (1 + correction) * below
    probability = np.where(slots <= COUNTED_SLOTS, counted, density / (free - correction * density))
    return np.where(offered_load > 0, np.where(offered_load < slots, probability, NOT_AVAILABLE), 0)


def tail_waiting_time(
    waiting_probability, offered_load, slots, service_time, service_variability, waiting_percentile
) -> Seconds:
    """Wait for a slot that only the slowest requests exceed: at 99 %, one in a hundred.

    Not available where requests come faster than they can leave. Variability is the squared coefficient of variation
    of service times.

    Source: Erlang (1917); variability as in Lee and Longton (1959) and Kimura (1986), an approximation.
    """
    exceeding = np.maximum(waiting_probability, TINY) / (1 - waiting_percentile)
    mean = service_time * ONE_REQUEST / (slots - offered_load) * (1 + service_variability) / 2
    wait = np.where(offered_load < slots, np.maximum(0, np.log(exceeding)) * mean, NOT_AVAILABLE)
    return np.where(offered_load > 0, wait, 0)


def mean_waiting_time(waiting_probability, offered_load, slots, service_time, service_variability) -> Seconds:
    """Mean wait for a slot, those who do not wait included; not available where requests come faster than they leave.

    Source: Erlang (1917); variability as in Lee and Longton (1959) and Kimura (1986), an approximation.
    """
    mean = service_time * ONE_REQUEST / (slots - offered_load) * (1 + service_variability) / 2
    wait = np.where(offered_load < slots, waiting_probability * mean, NOT_AVAILABLE)
    return np.where(offered_load > 0, wait, 0)


def waiting_warning(offered_load, slots, tail_waiting_time, waiting_target) -> Text:
    """What to say about waiting; empty where the target is kept.

    Source: definition.
    """
    late = np.where(tail_waiting_time > waiting_target, "more requests wait longer than the target allows", "")
    served = np.where(offered_load < slots, late, "demand exceeds what the replicas can serve")
    return np.where(offered_load > 0, served, "")


# The fewest replicas of sixteen candidates, halved four times: right because with more replicas nobody waits longer.


def planned_utilization(waiting_target, utilization_cap, headroom) -> Share:
    """Load on average that replicas are planned for: the cap where a wait is promised, else what headroom leaves.

    Source: definition; cap and headroom are inputs.
    """
    return np.where(waiting_target < NO_TARGET, utilization_cap, 1 / (1 + headroom))


def fewest_replicas(offered_load, replica_slots, planned_utilization, kept_replicas) -> Count:
    """Fewest replicas whose slots are not busier on average than planned, and never fewer than are kept.

    Source: definition.
    """
    return np.maximum(kept_replicas, np.ceil(offered_load / (replica_slots * planned_utilization) - NOISE))


def middle_replicas(fewest_replicas) -> Count:
    """The first count tried: eight candidates from the fewest to it, eight above.

    Source: definition.
    """
    return fewest_replicas + 7


def quarter_replicas(middle_replicas, tail_waiting_time_middle, waiting_target) -> Count:
    """The second count tried: lower where the first keeps the target, higher where not.

    Source: bisection.
    """
    return middle_replicas + np.where(tail_waiting_time_middle <= waiting_target, -4, 4)


def eighth_replicas(quarter_replicas, tail_waiting_time_quarter, waiting_target) -> Count:
    """The third count tried.

    Source: bisection.
    """
    return quarter_replicas + np.where(tail_waiting_time_quarter <= waiting_target, -2, 2)


def last_replicas(eighth_replicas, tail_waiting_time_eighth, waiting_target) -> Count:
    """The fourth count tried.

    Source: bisection.
    """
    return eighth_replicas + np.where(tail_waiting_time_eighth <= waiting_target, -1, 1)


def needed_replicas(last_replicas, tail_waiting_time_last, waiting_target, offered_load, fewest_replicas) -> Count:
    """Fewest of the sixteen counts that keep the target; the most of them where none does, and a warning says so.

    Without requests, and without a target, the fewest that are kept or planned.

    Source: bisection.
    """
    found = np.where(tail_waiting_time_last <= waiting_target, last_replicas, last_replicas + 1)
    return np.where(np.logical_and(offered_load > 0, waiting_target < NO_TARGET), found, fewest_replicas)
