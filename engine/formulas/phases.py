"""Phases: what prefill, decode, cache storage and transfer cost, and which bucket of the price list pays for which.

Knows nothing of sheets, files or other formulas. A row is a class of requests on the configuration that serves it. The
cost of idle time is spread over the phases or stands by itself, as the flag `spread_idle` says; the sum is the same.
"""

import numpy as np

from engine.units import (
    GIGA,
    TOKENS_PER_MILLION,
    Count,
    DollarsPerMonth,
    DollarsPerRequest,
    Text,
)


def prefill_phase_cost(fresh_input_tokens, input_cost, idle_share, spread_idle) -> DollarsPerRequest:
    """Rent of the time that a request's prompt takes.

    Source: definition; input cost is at the actual utilization.
    """
    busy = np.where(spread_idle > 0, 1, 1 - idle_share)
    return fresh_input_tokens * input_cost * busy / TOKENS_PER_MILLION


def decode_phase_cost(generated_tokens, output_cost, idle_share, spread_idle) -> DollarsPerRequest:
    """Rent of the time that a request's answer takes, hidden reasoning included.

    Source: definition; output cost is at the actual utilization.
    """
    busy = np.where(spread_idle > 0, 1, 1 - idle_share)
    return generated_tokens * output_cost * busy / TOKENS_PER_MILLION


def idle_phase_cost(
    fresh_input_tokens, input_cost, generated_tokens, output_cost, idle_share, spread_idle
) -> DollarsPerRequest:
    """Rent of idle time for each request, where it stands by itself; it falls on requests as busy time does.

    Source: definition.
    """
    whole = (fresh_input_tokens * input_cost + generated_tokens * output_cost) / TOKENS_PER_MILLION
    return np.where(spread_idle > 0, 0, whole * idle_share)


def storage_phase_cost(cache_write_tokens, kv_cache_per_token, cache_retention, storage_price) -> DollarsPerRequest:
    """What it costs to keep the KV cache of the tokens that a request writes.

    Source: definition; the memory that holds it is an input with its price.
    """
    return cache_write_tokens * kv_cache_per_token / GIGA * cache_retention * storage_price


def transfer_phase_cost(input_tokens, kv_cache_per_token, shared_pool, transfer_price) -> DollarsPerRequest:
    """What it costs to carry a prompt's KV cache from a prefill pool to a decode pool; nothing in a shared pool.

    Source: definition.
    """
    return np.where(shared_pool > 0, 0, input_tokens * kv_cache_per_token / GIGA * transfer_price)


def phase_month(phase_cost, served_requests) -> DollarsPerMonth:
    """A phase over all served requests of the month, billed or not.

    Source: definition.
    """
    return phase_cost * served_requests


def line_bill(prefill_month, decode_month, idle_month) -> DollarsPerMonth:
    """A class's part of the accelerator bill, by the time that its requests take.

    Source: definition.
    """
    return prefill_month + decode_month + idle_month


def line_idle_cost(line_bill, idle_share) -> DollarsPerMonth:
    """The part of that which paid for idle time, whether it stands by itself or not.

    Source: definition.
    """
    return line_bill * idle_share


def line_replicas(line_bill, fleet_cost, replica_count, prefill_replica_count) -> Count:
    """A class's part of the replicas, as of the bill.

    Source: definition.
    """
    return np.where(fleet_cost > 0, (replica_count + prefill_replica_count) * line_bill / fleet_cost, 0)


def prefill_contribution(plain_input_revenue, cache_write_revenue, prefill_month, transfer_month) -> DollarsPerMonth:
    """What input that is computed brings, less what computing and carrying it costs.

    Source: definition.
    """
    return plain_input_revenue + cache_write_revenue - prefill_month - transfer_month


def cache_contribution(cache_read_revenue, storage_month) -> DollarsPerMonth:
    """What cache reads bring, less what keeping the cache costs.

    Source: definition.
    """
    return cache_read_revenue - storage_month


def decode_contribution(output_revenue, reasoning_revenue, decode_month) -> DollarsPerMonth:
    """What output and hidden reasoning bring, less what decoding them costs.

    Source: definition.
    """
    return output_revenue + reasoning_revenue - decode_month


def cross_subsidy(prefill_contribution, cache_contribution, decode_contribution) -> DollarsPerMonth:
    """Losses of phases that the others pay for, as far as they can.

    Source: definition.
    """
    lost = (
        np.maximum(0, -prefill_contribution) + np.maximum(0, -cache_contribution) + np.maximum(0, -decode_contribution)
    )
    earned = (
        np.maximum(0, prefill_contribution) + np.maximum(0, cache_contribution) + np.maximum(0, decode_contribution)
    )
    return np.minimum(lost, earned)


def cross_subsidy_reason(prefill_contribution, cache_contribution, decode_contribution) -> Text:
    """Who pays for whom; empty where every phase pays for itself.

    Source: definition.
    """
    storage = np.where(cache_contribution < 0, "storing the cache is paid for by other phases", "")
    prompts = np.where(prefill_contribution < 0, "answers pay for prompts", storage)
    answers = np.where(decode_contribution < 0, "prompts pay for answers", prompts)
    both = np.logical_and(prefill_contribution < 0, decode_contribution < 0)
    return np.where(both, "neither prompts nor answers pay for themselves", answers)
