"""Cost: what a token and a request cost at the load that is served.

Knows nothing of sheets, files or other formulas. Every cost is at the actual utilization; at 100 % it is the floor.
"""

import numpy as np

from engine.units import (
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    TOKENS_PER_MILLION,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    DollarsPerRequest,
)


def output_cost(replica_cost, decode_replica_time, generated_tokens, utilization) -> DollarsPerMillionTokens:
    """Rent of the time that answers take, spread over their tokens, hidden reasoning included. Output only.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    busy_cost = replica_cost / SECONDS_PER_HOUR * decode_replica_time / utilization
    return busy_cost / generated_tokens * TOKENS_PER_MILLION


def input_cost(replica_cost, prefill_replica_time, fresh_input_tokens, prefill_utilization) -> DollarsPerMillionTokens:
    """Rent of the time that prompts take, spread over the tokens that are computed; cached tokens cost no compute.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    busy_cost = replica_cost / SECONDS_PER_HOUR * prefill_replica_time / prefill_utilization
    return np.where(fresh_input_tokens > 0, busy_cost / fresh_input_tokens * TOKENS_PER_MILLION, 0)


def request_cost(fresh_input_tokens, input_cost, generated_tokens, output_cost) -> DollarsPerRequest:
    """One request all-in: its prompt and its answer.

    Source: definition.
    """
    return (fresh_input_tokens * input_cost + generated_tokens * output_cost) / TOKENS_PER_MILLION


def blended_cost(request_cost, input_tokens, output_tokens) -> DollarsPerMillionTokens:
    """One request spread over all tokens a customer sees: cached input, fresh input and visible output. All-in.

    Source: definition.
    """
    return request_cost / (input_tokens + output_tokens) * TOKENS_PER_MILLION


def allocated_cost(mean_load, request_cost, days_in_month) -> DollarsPerMonth:
    """Cost of all requests of the month, one by one: must add up to the rent of the fleet that serves them.

    Source: definition.
    """
    return mean_load * request_cost * SECONDS_PER_DAY * days_in_month
