"""Forward: demand, prices, speed and rents some months ahead, and the profit and loss that follows.

Knows nothing of sheets, files or other formulas. A row is a configuration in one month to come; month 0 is the month of
the report. What falls cannot fall below nothing.
"""

import numpy as np

from engine.units import (
    A_YEAR,
    HOURS_PER_DAY,
    MONTHS_PER_YEAR,
    NOT_AVAILABLE,
    SECONDS_PER_DAY,
    Constant,
    Count,
    DollarsPerHour,
    DollarsPerMonth,
    DollarsPerRequest,
    Number,
    RequestsPerMonth,
    RequestsPerSecond,
    Share,
    Text,
)

A_MONTH = Constant(1, "month")
NOISE = Constant(1e-9, "")


def demand_factor(demand_growth, months_ahead, season_factor) -> Number:
    """Demand of a month ahead as a multiple of this month's: growth by the month, and the season.

    Source: definition; both are inputs.
    """
    return np.maximum(0, 1 + demand_growth) ** (months_ahead / A_MONTH) * season_factor


def price_factor(price_decline, months_ahead) -> Number:
    """Prices of a month ahead as a multiple of this month's, falling by a share each year.

    Source: definition.
    """
    return np.maximum(0, 1 - price_decline) ** (months_ahead / MONTHS_PER_YEAR / A_YEAR)


def speed_factor(software_speed_up, months_ahead) -> Number:
    """Requests a replica serves some months ahead as a multiple of this month's, by better software alone.

    Source: definition; the gain of a year is an input.
    """
    return np.maximum(0, 1 + software_speed_up) ** (months_ahead / MONTHS_PER_YEAR / A_YEAR)


def rent_factor(rent_change, months_ahead) -> Number:
    """Rents of accelerators some months ahead as a multiple of this month's; what is committed keeps its price.

    Source: definition; the change of a year is an input.
    """
    return np.maximum(0, 1 + rent_change) ** (months_ahead / MONTHS_PER_YEAR / A_YEAR)


def forward_requests(mean_load, demand_factor, forward_days) -> RequestsPerMonth:
    """Requests of the month ahead, over its own days.

    Source: definition.
    """
    return mean_load * demand_factor * SECONDS_PER_DAY * forward_days


def forward_request_revenue(net_revenue, served_requests, price_factor) -> DollarsPerRequest:
    """Net revenue for a served request in the month ahead.

    Source: definition.
    """
    return np.where(served_requests > 0, net_revenue / served_requests * price_factor, 0)


def forward_revenue(forward_requests, forward_request_revenue) -> DollarsPerMonth:
    """Net revenue of the month ahead.

    Source: definition.
    """
    return forward_requests * forward_request_revenue


def forward_rate(required_rate, demand_factor) -> RequestsPerSecond:
    """Requests per second that the fleet of the month ahead is built for.

    Source: definition.
    """
    return required_rate * demand_factor


def forward_replicas(forward_rate, request_rate, speed_factor, minimum_replicas) -> Count:
    """Whole replicas of the month ahead.

    Source: definition.
    """
    return np.maximum(minimum_replicas, np.ceil(forward_rate / (request_rate * speed_factor) - NOISE))


def forward_prefill_replicas(forward_rate, prefill_time, speed_factor, shared_pool) -> Count:
    """Whole replicas of a prefill pool in the month ahead; none where prompts and answers share their replicas.

    Source: definition.
    """
    return np.where(shared_pool > 0, 0, np.ceil(forward_rate * prefill_time / speed_factor - NOISE))


def forward_accelerators(forward_replicas, forward_prefill_replicas, accelerator_count) -> Count:
    """Accelerators of the month ahead.

    Source: definition.
    """
    return (forward_replicas + forward_prefill_replicas) * accelerator_count


def forward_rent(accelerator_price, rent_factor) -> DollarsPerHour:
    """Rent of an accelerator in the month ahead, where it is not committed.

    Source: definition.
    """
    return accelerator_price * rent_factor


def forward_rented_cost(
    forward_accelerators, forward_committed_accelerators, forward_rent, forward_days
) -> DollarsPerMonth:
    """Rent of what commitments in force do not cover.

    Source: definition; a contract that ends within a month covers its share of that month's days.
    """
    rented = np.maximum(0, forward_accelerators - forward_committed_accelerators)
    return rented * forward_rent * HOURS_PER_DAY * forward_days


def forward_idle_accelerators(forward_accelerators, forward_committed_accelerators) -> Count:
    """Committed accelerators that the month ahead does not need.

    Source: definition.
    """
    return np.maximum(0, forward_committed_accelerators - forward_accelerators)


def forward_bill(forward_rented_cost, forward_committed_cost) -> DollarsPerMonth:
    """All accelerators of the month ahead.

    Source: definition.
    """
    return forward_rented_cost + forward_committed_cost


def forward_other_cost(fixed_other_cost, variable_cost, demand_factor, forward_revenue, kept_share) -> DollarsPerMonth:
    """Other costs of the month ahead: fixed ones stay, variable ones follow the demand, payouts the revenue.

    Source: definition.
    """
    return fixed_other_cost + variable_cost * demand_factor + forward_revenue * (1 - kept_share)


def forward_profit(forward_revenue, forward_bill, forward_other_cost) -> DollarsPerMonth:
    """Profit of the month ahead after all costs.

    Source: definition.
    """
    return forward_revenue - forward_bill - forward_other_cost


def forward_margin(forward_profit, forward_revenue) -> Share:
    """The same as a share of revenue.

    Source: definition.
    """
    return np.where(forward_revenue > 0, forward_profit / forward_revenue, NOT_AVAILABLE)


def forward_standing(forward_profit, forward_revenue) -> Text:
    """Whether a model earns in the month ahead.

    Source: definition.
    """
    earning = np.where(forward_profit > 0, "earns", "loses")
    return np.where(forward_revenue > 0, earning, "sells nothing")
