"""Profit: what is left of net revenue after the bill and all other costs of serving, and what it takes to keep it.

Knows nothing of sheets, files or other formulas. Fixed costs do not follow the requests; variable ones do; payouts
follow the revenue. Gross profit is before other costs; what stands here is after them.
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

# Other costs of serving, each by what drives it: a row of costs, and the lines of the ledger that it belongs to


def month_rate(cost_per_month, matched_bill) -> Share:
    """A month's amount for each dollar of the bill that it belongs to; nothing where nothing is served.

    Source: definition.
    """
    return np.where(matched_bill > 0, cost_per_month / matched_bill, 0)


def cost_amount(
    month_rate,
    matched_bill,
    cost_per_request,
    matched_requests,
    cost_per_million_tokens,
    matched_tokens,
    cost_per_replica,
    matched_replicas,
    payment_fee_share,
    matched_revenue,
) -> DollarsPerMonth:
    """A row of other costs over all that it belongs to.

    Source: definition.
    """
    by_volume = cost_per_request * matched_requests + cost_per_million_tokens * matched_tokens
    by_size = month_rate * matched_bill + cost_per_replica * matched_replicas
    return by_volume + by_size + payment_fee_share * matched_revenue


def monthly_other_cost(line_bill, month_rate) -> DollarsPerMonth:
    """Gateways, storage and observability that are paid by the month, as the bill falls on a line.

    Source: definition.
    """
    return line_bill * month_rate


def replica_other_cost(line_replicas, cost_per_replica) -> DollarsPerMonth:
    """Hosts and other costs that are paid by the replica.

    Source: definition.
    """
    return line_replicas * cost_per_replica


def fixed_other_cost(monthly_other_cost, replica_other_cost) -> DollarsPerMonth:
    """Costs beside the fleet that do not follow the requests.

    Source: definition.
    """
    return monthly_other_cost + replica_other_cost


def variable_cost(
    served_requests,
    cost_per_request,
    line_tokens,
    cost_per_million_tokens,
    licence_price,
    storage_month,
    transfer_month,
) -> DollarsPerMonth:
    """Egress, support, licences, and kept or carried cache: what is paid by the request or by the token.

    Source: definition.
    """
    by_token = line_tokens * (cost_per_million_tokens + licence_price)
    return served_requests * cost_per_request + by_token + storage_month + transfer_month


def payouts(net_revenue, revenue_share, payment_fee_share) -> DollarsPerMonth:
    """Net revenue that is passed on to a model's licensor or a payment provider.

    Source: definition.
    """
    return net_revenue * (revenue_share + payment_fee_share)


def other_cost(fixed_other_cost, variable_cost, payouts) -> DollarsPerMonth:
    """All costs of serving beside the fleet.

    Source: definition.
    """
    return fixed_other_cost + variable_cost + payouts


# Profit and loss of several lines together


def not_billed_value(free_value, retry_value, aborted_value, internal_value) -> DollarsPerMonth:
    """List value of requests that are served and not billed.

    Source: definition.
    """
    return free_value + retry_value + aborted_value + internal_value


def billed_value(list_value, not_billed_value) -> DollarsPerMonth:
    """List value of requests that are billed.

    Source: definition.
    """
    return list_value - not_billed_value


def not_collected_value(credits, refunds) -> DollarsPerMonth:
    """Part of the invoices that customers do not pay, or are paid back.

    Source: definition.
    """
    return credits + refunds


def collected_value_share(revenue, list_value) -> Share:
    """Net revenue as a share of the list value of all that is served.

    Source: definition.
    """
    return np.where(list_value > 0, revenue / list_value, NOT_AVAILABLE)


def serving_profit(revenue, busy_cost) -> DollarsPerMonth:
    """Net revenue less the part of the bill that served somebody.

    Source: definition.
    """
    return revenue - busy_cost


def profit_after_other_costs(gross_profit, other_cost) -> DollarsPerMonth:
    """Net revenue less the bill and all other costs of serving.

    Source: definition.
    """
    return gross_profit - other_cost


def margin_after_other_costs(profit_after_other_costs, revenue) -> Share:
    """What is left after all costs as a share of net revenue; not available without revenue.

    Source: definition.
    """
    return np.where(revenue > 0, profit_after_other_costs / revenue, NOT_AVAILABLE)


def day_of_month(month_amount, days_in_month) -> DollarsPerDay:
    """An amount of the month for a day of it.

    Source: definition.
    """
    return np.where(days_in_month > 0, month_amount / days_in_month, NOT_AVAILABLE)


def kept_share(revenue, payouts) -> Share:
    """Share of net revenue that is not passed on.

    Source: definition.
    """
    return np.where(revenue > 0, 1 - payouts / revenue, 1)


# What it takes


def break_even_load(busy_share, fleet_cost, fixed_other_cost, revenue, variable_cost, payouts) -> Share:
    """Utilization at which revenue pays all costs, prices and fleet unchanged; none where a request costs its price.

    Source: definition; revenue, variable cost and payouts scale with the load, the rest does not.
    """
    contribution = revenue - variable_cost - payouts
    return np.where(contribution > 0, busy_share * (fleet_cost + fixed_other_cost) / contribution, NOT_AVAILABLE)


def break_even_load_warning(break_even_load, revenue, variable_cost, payouts) -> Text:
    """What to say about breaking even; empty where it is within reach.

    Source: definition.
    """
    beyond = np.where(break_even_load > 1, "cannot break even at these prices", "")
    unpaid = np.where(revenue > variable_cost + payouts, beyond, "a request costs more than it brings")
    return np.where(revenue > 0, unpaid, "there is no revenue")


def floor_price(
    fleet_cost, fixed_other_cost, variable_cost, sold_tokens, kept_share, target_margin
) -> DollarsPerMillionTokens:
    """Price over all tokens customers see that leaves the target margin after all costs, volume unchanged.

    Source: definition; none where payouts and margin leave nothing for the costs.
    """
    left = kept_share - target_margin
    known = np.logical_and(left > 0, sold_tokens > 0)
    return np.where(known, (fleet_cost + fixed_other_cost + variable_cost) / sold_tokens / left, NOT_AVAILABLE)


def break_even_price_after_other_costs(
    fleet_cost, fixed_other_cost, variable_cost, sold_tokens, kept_share
) -> DollarsPerMillionTokens:
    """Price over all tokens customers see at which revenue pays all costs, volume unchanged.

    Source: definition.
    """
    known = np.logical_and(kept_share > 0, sold_tokens > 0)
    return np.where(known, (fleet_cost + fixed_other_cost + variable_cost) / sold_tokens / kept_share, NOT_AVAILABLE)


def price_verdict(profit_after_other_costs, revenue, target_margin) -> Text:
    """Whether prices pay the costs and leave the target margin; empty where they do.

    Source: definition.
    """
    below_target = profit_after_other_costs < target_margin * revenue
    missed = np.where(below_target, "the margin is below its target", "")
    loss = np.where(profit_after_other_costs < 0, "prices are below cost", missed)
    return np.where(revenue > 0, loss, "there is no revenue")
