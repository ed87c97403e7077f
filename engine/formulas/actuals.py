"""Actuals: what the month's invoices and meters say beside the model, and what explains the difference.

Knows nothing of sheets, files or other formulas. A row is a line of the month. Effects are taken one after the other,
volume first, so that they add up to the difference; a cost that rises and a revenue that rises are both positive.
"""

import numpy as np

from engine.units import (
    NOT_AVAILABLE,
    DollarsPerHour,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    Flag,
    HoursPerMillionTokens,
    Share,
    Text,
)

# Cost: tokens, accelerator-hours for a token, dollars for an accelerator-hour


def modelled_hours_per_token(modelled_hours, modelled_tokens) -> HoursPerMillionTokens:
    """Accelerator-hours that the model takes for a million tokens, idle ones included.

    Source: definition.
    """
    return np.where(modelled_tokens > 0, modelled_hours / modelled_tokens, 0)


def modelled_hour_price(modelled_bill, modelled_hours) -> DollarsPerHour:
    """What an accelerator-hour costs in the model, over all terms.

    Source: definition.
    """
    return np.where(modelled_hours > 0, modelled_bill / modelled_hours, 0)


def cost_difference(invoiced_cost, modelled_bill) -> DollarsPerMonth:
    """What the invoices come to beyond the modelled bill.

    Source: definition.
    """
    return invoiced_cost - modelled_bill


def cost_volume_effect(
    metered_tokens, modelled_tokens, modelled_hours_per_token, modelled_hour_price
) -> DollarsPerMonth:
    """Part of the difference because more or fewer tokens were served than modelled.

    Source: management accounting, volume variance.
    """
    return (metered_tokens - modelled_tokens) * modelled_hours_per_token * modelled_hour_price


def cost_efficiency_effect(
    metered_hours, metered_tokens, modelled_hours_per_token, modelled_hour_price
) -> DollarsPerMonth:
    """Part of the difference because the tokens took more or fewer accelerator-hours than modelled.

    Source: management accounting, efficiency variance.
    """
    return (metered_hours - metered_tokens * modelled_hours_per_token) * modelled_hour_price


def cost_price_effect(metered_hours, contract_hour_price, modelled_hour_price) -> DollarsPerMonth:
    """Part of the difference because an accelerator-hour is charged at another price than modelled.

    Source: management accounting, price variance.
    """
    return metered_hours * (contract_hour_price - modelled_hour_price)


def cost_rest(cost_difference, cost_volume_effect, cost_efficiency_effect, cost_price_effect) -> DollarsPerMonth:
    """Part of the difference that neither volume, efficiency nor price explains: fees, credits, errors.

    Source: definition.
    """
    return cost_difference - cost_volume_effect - cost_efficiency_effect - cost_price_effect


# Revenue: tokens, dollars for a token


def modelled_token_price(modelled_revenue, modelled_tokens) -> DollarsPerMillionTokens:
    """Revenue for a million tokens in the model.

    Source: definition.
    """
    return np.where(modelled_tokens > 0, modelled_revenue / modelled_tokens, 0)


def revenue_difference(billed_revenue, modelled_revenue) -> DollarsPerMonth:
    """What was billed beyond the modelled revenue.

    Source: definition.
    """
    return billed_revenue - modelled_revenue


def revenue_volume_effect(metered_tokens, modelled_tokens, modelled_token_price) -> DollarsPerMonth:
    """Part of the difference because more or fewer tokens were sold than modelled.

    Source: management accounting, volume variance.
    """
    return (metered_tokens - modelled_tokens) * modelled_token_price


def revenue_price_effect(metered_tokens, billed_token_price, modelled_token_price) -> DollarsPerMonth:
    """Part of the difference because tokens were sold at another price than modelled, mix included.

    Source: management accounting, price variance.
    """
    return metered_tokens * (billed_token_price - modelled_token_price)


def revenue_rest(revenue_difference, revenue_volume_effect, revenue_price_effect) -> DollarsPerMonth:
    """Part of the difference that neither volume nor price explains: credits, refunds, errors.

    Source: definition.
    """
    return revenue_difference - revenue_volume_effect - revenue_price_effect


# Standing


def difference_share(actual_amount, modelled_amount) -> Share:
    """A difference as a share of what was modelled.

    Source: definition.
    """
    return np.where(modelled_amount > 0, (actual_amount - modelled_amount) / modelled_amount, NOT_AVAILABLE)


def budget_difference(actual_amount, budget_amount) -> DollarsPerMonth:
    """What the actual amount is above the budget.

    Source: definition.
    """
    return actual_amount - budget_amount


def actual_profit(billed_revenue, invoiced_cost) -> DollarsPerMonth:
    """What was billed less what was invoiced.

    Source: definition.
    """
    return billed_revenue - invoiced_cost


def is_reconciled(has_actual, rest_amount, actual_amount, rest_tolerance) -> Flag:
    """Whether a line's actual is known and explained but for a rest within the tolerance.

    Source: definition; the tolerance is a share of the actual amount.
    """
    explained = np.maximum(rest_amount, -rest_amount) <= rest_tolerance * np.maximum(actual_amount, -actual_amount)
    return np.where(np.logical_and(has_actual > 0, explained), 1, 0)


def standing(has_actual, is_reconciled) -> Text:
    """How a headline may be called: modelled until it is reconciled.

    Source: definition.
    """
    metered = np.where(is_reconciled > 0, "reconciled", "modelled, not reconciled")
    return np.where(has_actual > 0, metered, "modelled")
