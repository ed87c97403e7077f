"""Profit: what is left of net revenue after the bill and all other costs of serving, and what it takes to keep it.

Knows nothing of sheets, files or other formulas. Fixed costs do not follow the requests; variable ones do; payouts
follow the revenue. A margin is before other costs, the fleet's bill alone, or after them.
"""

import numpy as np

from engine.units import (
    NOT_AVAILABLE,
    DollarsPerDay,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    Share,
    Text,
)

# Other costs of serving, each by what drives it


def fixed_other_cost(cost_per_month, cost_per_replica, replica_count, licence_fee) -> DollarsPerMonth:
    """Hosts, storage, observability and licences that are paid by the month or by the replica.

    Source: definition.
    """
    return cost_per_month + cost_per_replica * replica_count + licence_fee


def variable_cost(
    cost_per_request, served_requests, cost_per_million_tokens, licence_price, sold_tokens
) -> DollarsPerMonth:
    """Egress, support and licences that are paid by the request or by the token.

    Source: definition.
    """
    return cost_per_request * served_requests + (cost_per_million_tokens + licence_price) * sold_tokens


def kept_share(revenue_share, payment_fee_share) -> Share:
    """Share of net revenue that is not passed on to a model's licensor or a payment provider.

    Source: definition.
    """
    return 1 - revenue_share - payment_fee_share


def payouts(net_revenue, kept_share) -> DollarsPerMonth:
    """Revenue that is passed on.

    Source: definition.
    """
    return net_revenue * (1 - kept_share)


def other_cost(fixed_other_cost, variable_cost, payouts) -> DollarsPerMonth:
    """All costs of serving beside the fleet.

    Source: definition.
    """
    return fixed_other_cost + variable_cost + payouts


# Profit and loss


def profit_before_other_costs(net_revenue, bill) -> DollarsPerMonth:
    """Net revenue less the bill of the accelerators.

    Source: definition.
    """
    return net_revenue - bill


def profit_after_other_costs(profit_before_other_costs, other_cost) -> DollarsPerMonth:
    """Net revenue less the bill and all other costs of serving.

    Source: definition.
    """
    return profit_before_other_costs - other_cost


def day_of_month(month_amount, days_in_month) -> DollarsPerDay:
    """An amount of the month for a day of it.

    Source: definition.
    """
    return np.where(days_in_month > 0, month_amount / days_in_month, NOT_AVAILABLE)


# What it takes


def break_even_load(utilization, bill, fixed_other_cost, net_revenue, variable_cost, payouts) -> Share:
    """Utilization at which revenue pays all costs, prices and fleet unchanged; none where a request costs its price.

    Source: definition; revenue, variable cost and payouts scale with the load, the rest does not.
    """
    contribution = net_revenue - variable_cost - payouts
    return np.where(contribution > 0, utilization * (bill + fixed_other_cost) / contribution, NOT_AVAILABLE)


def break_even_load_warning(break_even_load, net_revenue, variable_cost, payouts) -> Text:
    """What to say about breaking even; empty where it is within reach.

    Source: definition.
    """
    beyond = np.where(break_even_load > 1, "cannot break even at these prices", "")
    unpaid = np.where(net_revenue > variable_cost + payouts, beyond, "a request costs more than it brings")
    return np.where(net_revenue > 0, unpaid, "there is no revenue")


def floor_price(
    bill, fixed_other_cost, variable_cost, sold_tokens, kept_share, target_margin
) -> DollarsPerMillionTokens:
    """Price over all tokens customers see that leaves the target margin after all costs, volume unchanged.

    Source: definition; none where payouts and margin leave nothing for the costs.
    """
    left = kept_share - target_margin
    known = np.logical_and(left > 0, sold_tokens > 0)
    return np.where(known, (bill + fixed_other_cost + variable_cost) / sold_tokens / left, NOT_AVAILABLE)


def break_even_price_after_other_costs(
    bill, fixed_other_cost, variable_cost, sold_tokens, kept_share
) -> DollarsPerMillionTokens:
    """Price over all tokens customers see at which revenue pays all costs, volume unchanged.

    Source: definition.
    """
    known = np.logical_and(kept_share > 0, sold_tokens > 0)
    return np.where(known, (bill + fixed_other_cost + variable_cost) / sold_tokens / kept_share, NOT_AVAILABLE)


def price_verdict(profit_after_other_costs, net_revenue, target_margin) -> Text:
    """Whether prices pay the costs and leave the target margin; empty where they do.

    Source: definition.
    """
    below_target = profit_after_other_costs < target_margin * net_revenue
    missed = np.where(below_target, "the margin is below its target", "")
    loss = np.where(profit_after_other_costs < 0, "prices are below cost", missed)
    return np.where(net_revenue > 0, loss, "there is no revenue")
