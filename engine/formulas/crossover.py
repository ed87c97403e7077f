"""Crossover: what a volume of tokens costs in a month on nodes of one's own, on rented nodes, and from an API.

Knows nothing of sheets, files or other formulas. No volume is rounded with a margin and no constant is a fraction: on
whole tokens the formulas are exact, and they take exact fractions as they take columns.
"""

import numpy as np

from engine.units import (
    HOURS_PER_DAY,
    NOT_AVAILABLE,
    SECONDS_PER_DAY,
    TOKENS_PER_MILLION,
    Constant,
    Count,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    DollarsPerToken,
    Flag,
    Text,
    TokensPerMonth,
)

SAME = Constant(1e-9, "")


def replica_tokens(request_rate, utilization_cap, input_tokens, output_tokens, days_in_month) -> TokensPerMonth:
    """Whole tokens that customers see from one replica in a month at the load it may be driven to.

    Source: definition.
    """
    rate = request_rate * utilization_cap * (input_tokens + output_tokens)
    return np.floor(rate * SECONDS_PER_DAY * days_in_month)


def prefill_replica_tokens(
    shared_pool, replica_tokens, prefill_time, utilization_cap, input_tokens, output_tokens, days_in_month
) -> TokensPerMonth:
    """The same of a replica that only computes prompts; where pools are shared, that of any replica.

    Source: definition.
    """
    rate = utilization_cap / prefill_time * (input_tokens + output_tokens)
    return np.where(shared_pool > 0, replica_tokens, np.floor(rate * SECONDS_PER_DAY * days_in_month))


def today_tokens(sold_tokens) -> TokensPerMonth:
    """Whole tokens that customers see this month.

    Source: definition.
    """
    return np.floor(sold_tokens * TOKENS_PER_MILLION)


def rented_node_cost(accelerators_per_node, accelerator_price, days_in_month) -> DollarsPerMonth:
    """Rent of a whole node for the month.

    Source: definition.
    """
    return accelerators_per_node * accelerator_price * HOURS_PER_DAY * days_in_month


def volume_replicas(monthly_tokens, replica_tokens, minimum_replicas) -> Count:
    """Whole replicas that a volume takes, never fewer than are kept.

    Source: definition.
    """
    return np.maximum(minimum_replicas, np.ceil(monthly_tokens / replica_tokens))


def volume_prefill_replicas(monthly_tokens, prefill_replica_tokens, shared_pool) -> Count:
    """Whole replicas of a prefill pool for a volume; none where prompts and answers share their replicas.

    Source: definition.
    """
    return np.where(shared_pool > 0, 0, np.ceil(monthly_tokens / prefill_replica_tokens))


def own_volume_cost(own_base_cost, volume_nodes, node_month_cost) -> DollarsPerMonth:
    """A volume on nodes of one's own: what owning costs at any volume, and every whole node.

    Source: definition.
    """
    return own_base_cost + volume_nodes * node_month_cost


def rent_volume_cost(volume_nodes, rented_node_cost) -> DollarsPerMonth:
    """A volume on rented nodes.

    Source: definition.
    """
    return volume_nodes * rented_node_cost


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


def own_or_rent(own_volume_cost, rent_volume_cost) -> Text:
    """Whether owning or renting costs less; of equal ones renting, which binds less.

    Source: definition.
    """
    return np.where(own_volume_cost < rent_volume_cost, "own", "rent")


def rent_or_api(rent_volume_cost, api_volume_cost) -> Text:
    """Whether renting or an API costs less; of equal ones the API, which binds less.

    Source: definition.
    """
    return np.where(rent_volume_cost < api_volume_cost, "rent", "API")


def cheapest_way(own_volume_cost, rent_volume_cost, api_volume_cost) -> Text:
    """Whether owning, renting or calling an API costs least; of equal ones the one that binds least.

    Source: definition.
    """
    serve = np.where(own_volume_cost < rent_volume_cost, "own", "rent")
    return np.where(api_volume_cost <= np.minimum(own_volume_cost, rent_volume_cost), "API", serve)


def figure_changed(searched_figure, figure) -> Flag:
    """Whether a figure that a search started from is another one now; what two engines round apart is the same.

    Source: definition.
    """
    same = np.logical_and(figure <= searched_figure * (1 + SAME), figure >= searched_figure * (1 - SAME))
    return np.where(same, 0, 1)


def search_verdict(figures_changed) -> Text:
    """Whether a searched value still stands for the figures beside it.

    Source: definition.
    """
    return np.where(figures_changed > 0, "inputs changed since: run the report again", "as searched")
