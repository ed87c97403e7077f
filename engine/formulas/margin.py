"""Margin: what the served requests are sold for, and what is left of it.

Knows nothing of sheets, files or other formulas. Revenue scales with the load, the fleet's cost does not.
"""

import numpy as np

from engine.units import (
    NOT_AVAILABLE,
    SECONDS_PER_DAY,
    TOKENS_PER_MILLION,
    DollarsPerDay,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    DollarsPerRequest,
    Flag,
    MillionTokensPerMonth,
    Share,
)


def counts(serves, fits) -> Flag:
    """Whether a configuration is part of the totals: it serves a share of the requests, and it fits.

    Source: definition; alternatives are costed and compared, and in no total, so that revenue is counted once.
    """
    return np.where(np.logical_and(serves > 0, fits > 0), 1, 0)


def plain_request_list(
    fresh_input_tokens,
    cache_write_share,
    cached_tokens,
    output_tokens,
    reasoning_tokens,
    input_price,
    cache_write_price,
    cached_input_price,
    output_price,
    reasoning_price,
) -> DollarsPerRequest:
    """What a request costs at list prices, before tiers, discounts and all that is not billed.

    Source: definition.
    """
    fresh_price = (1 - cache_write_share) * input_price + cache_write_share * cache_write_price
    prompt = fresh_input_tokens * fresh_price + cached_tokens * cached_input_price
    answer = output_tokens * output_price + reasoning_tokens * reasoning_price
    return (prompt + answer) / TOKENS_PER_MILLION


def request_revenue(plain_request_list, collected_share) -> DollarsPerRequest:
    """Net revenue of a served request: its list price, and the share of it that tiers, discounts and credits leave.

    Source: definition.
    """
    return plain_request_list * collected_share


def blended_price(request_revenue, input_tokens, output_tokens) -> DollarsPerMillionTokens:
    """Net revenue of a request, spread over all tokens a customer sees.

    Source: definition.
    """
    return request_revenue / (input_tokens + output_tokens) * TOKENS_PER_MILLION


def sold_tokens(mean_load, input_tokens, output_tokens, days_in_month) -> MillionTokensPerMonth:
    """Tokens a customer sees in the month: input and visible output.

    Source: definition.
    """
    return mean_load * (input_tokens + output_tokens) * SECONDS_PER_DAY * days_in_month / TOKENS_PER_MILLION


def revenue_per_day(mean_load, request_revenue) -> DollarsPerDay:
    """Net revenue of the requests that are served in a day.

    Source: definition.
    """
    return mean_load * request_revenue * SECONDS_PER_DAY


def revenue(revenue_per_day, days_in_month) -> DollarsPerMonth:
    """Net revenue of the requests that are served in the month.

    Source: definition.
    """
    return revenue_per_day * days_in_month


def gross_profit_per_day(revenue_per_day, fleet_cost_per_day) -> DollarsPerDay:
    """Revenue less the rent of the fleet, of a day.

    Source: definition.
    """
    return revenue_per_day - fleet_cost_per_day


def gross_profit(revenue, fleet_cost) -> DollarsPerMonth:
    """Revenue less the rent of the fleet.

    Source: definition.
    """
    return revenue - fleet_cost


def gross_margin(gross_profit, revenue) -> Share:
    """Gross profit as a share of revenue; not available without revenue.

    Source: definition.
    """
    return np.where(revenue > 0, gross_profit / revenue, NOT_AVAILABLE)


def break_even_utilization(utilization, fleet_cost, revenue) -> Share:
    """Utilization at which revenue pays the fleet, prices and fleet unchanged; above 100 % it cannot break even.

    Source: definition; revenue scales with utilization.
    """
    return np.where(revenue > 0, utilization * fleet_cost / revenue, NOT_AVAILABLE)


def busy_share(idle_cost, fleet_cost) -> Share:
    """Share of the rent that served somebody: the utilization of several fleets together, weighted by what they cost.

    Source: definition.
    """
    return np.where(fleet_cost > 0, 1 - idle_cost / fleet_cost, NOT_AVAILABLE)


def busy_cost(fleet_cost, idle_cost) -> DollarsPerMonth:
    """The part of the rent that served somebody.

    Source: definition.
    """
    return fleet_cost - idle_cost


def break_even_price_rise(fleet_cost, revenue) -> Share:
    """By how much all prices would have to rise for revenue to pay the fleet, volume unchanged; negative where it does.

    Source: definition.
    """
    return np.where(revenue > 0, fleet_cost / revenue - 1, NOT_AVAILABLE)


def idle_share(idle_cost, fleet_cost) -> Share:
    """Share of the rent that served nobody.

    Source: definition.
    """
    return np.where(fleet_cost > 0, idle_cost / fleet_cost, NOT_AVAILABLE)


def served_cost(fleet_cost, sold_tokens) -> DollarsPerMillionTokens:
    """Rent spread over all tokens that customers saw. All-in.

    Source: definition.
    """
    return np.where(sold_tokens > 0, fleet_cost / sold_tokens, NOT_AVAILABLE)


def served_price(revenue, sold_tokens) -> DollarsPerMillionTokens:
    """Revenue spread over all tokens that customers saw.

    Source: definition.
    """
    return np.where(sold_tokens > 0, revenue / sold_tokens, NOT_AVAILABLE)


def saving(fleet_cost, alternative_fleet_cost) -> DollarsPerMonth:
    """What the rent would fall by if an alternative served the same requests.

    Source: definition.
    """
    return fleet_cost - alternative_fleet_cost


def break_even_gain(fleet_cost, revenue) -> DollarsPerMonth:
    """What a rise of prices to break-even would add, volume unchanged; nothing where revenue pays the fleet.

    Source: definition.
    """
    return np.maximum(0, fleet_cost - revenue)
