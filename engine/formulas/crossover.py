"""Crossover: what a volume of tokens costs in a month on whole nodes, on whole replicas, and from an API.

Knows nothing of sheets, files or other formulas. Nothing here is rounded with a margin and no constant is a fraction:
on whole tokens the formulas are exact, and they take exact fractions as they take columns.
"""

import numpy as np

from engine.units import (
    HOURS_PER_DAY,
    NOT_AVAILABLE,
    SECONDS_PER_DAY,
    TOKENS_PER_MILLION,
    Count,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    DollarsPerToken,
    Text,
    TokensPerMonth,
)


def replica_tokens(request_rate, highest_utilization, input_tokens, output_tokens, days_in_month) -> TokensPerMonth:
    """Whole tokens that customers see from one replica in a month at the load it may be driven to.

    Source: definition.
    """
    rate = request_rate * highest_utilization * (input_tokens + output_tokens)
    return np.floor(rate * SECONDS_PER_DAY * days_in_month)


def own_step_tokens(replica_tokens, replicas_per_node) -> TokensPerMonth:
    """Whole tokens from one node in a month, or from the nodes of one replica that takes several.

    Source: definition.
    """
    return replica_tokens * replicas_per_node


def own_step_cost(node_month_cost, nodes_per_replica) -> DollarsPerMonth:
    """One node for the month, or the nodes of one replica that takes several.

    Source: definition.
    """
    return node_month_cost * nodes_per_replica


def replica_month_cost(replica_cost, days_in_month) -> DollarsPerMonth:
    """Rent of one replica for the month.

    Source: definition.
    """
    return replica_cost * HOURS_PER_DAY * days_in_month


def step_count(monthly_tokens, step_tokens, fewest_steps) -> Count:
    """Whole nodes or replicas that a volume takes, never fewer than are kept.

    Source: definition.
    """
    return np.maximum(fewest_steps, np.ceil(monthly_tokens / step_tokens))


def stepped_cost(base_cost, step_count, step_cost) -> DollarsPerMonth:
    """A volume on whole nodes or replicas: what there is to pay at any volume, and every step.

    Source: definition.
    """
    return base_cost + step_count * step_cost


def api_token_price(api_request_cost, input_tokens, output_tokens) -> DollarsPerToken:
    """What an API bills for a token that customers see, at the mix of a request.

    Source: definition.
    """
    return api_request_cost / (input_tokens + output_tokens)


def api_volume_cost(monthly_tokens, api_token_price) -> DollarsPerMonth:
    """What an API bills for a volume.

    Source: definition.
    """
    return monthly_tokens * api_token_price


def volume_token_cost(volume_cost, monthly_tokens) -> DollarsPerMillionTokens:
    """A volume's cost for a million of its tokens.

    Source: definition.
    """
    return np.where(monthly_tokens > 0, volume_cost / monthly_tokens * TOKENS_PER_MILLION, NOT_AVAILABLE)


def cheapest_way(own_volume_cost, rent_volume_cost, api_volume_cost) -> Text:
    """Whether owning, renting or calling an API costs least; of equal ones the one that binds least.

    Source: definition.
    """
    serve = np.where(own_volume_cost < rent_volume_cost, "own", "rent")
    return np.where(api_volume_cost <= np.minimum(own_volume_cost, rent_volume_cost), "API", serve)
