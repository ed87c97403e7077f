"""Actuals: what the month's invoices and meters say beside the model, and what explains the difference.

Knows nothing of sheets, files or other formulas. A row is a month. Effects are taken one after the other, volume first,
so that they add up to the difference; a cost that rises and a revenue that rises are both positive. What is not known
leaves blank what rests on it: no missing invoice, meter or price counts as nothing.
"""

import numpy as np

from engine.units import (
    NOT_AVAILABLE,
    DollarsPerHour,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    Flag,
    HoursPerMillionTokens,
    HoursPerMonth,
    MillionTokensPerMonth,
    Share,
    Text,
)

# What is known


def cost_is_known(has_model, has_invoice) -> Flag:
    """Whether the month has a modelled bill and an invoice to compare.

    Source: definition.
    """
    return np.where(np.logical_and(has_model > 0, has_invoice > 0), 1, 0)


def revenue_is_known(has_model, has_billing) -> Flag:
    """Whether the month has modelled and billed revenue to compare.

    Source: definition.
    """
    return np.where(np.logical_and(has_model > 0, has_billing > 0), 1, 0)


def profit_is_known(cost_is_known, revenue_is_known) -> Flag:
    """Whether both sides of the month's profit can be compared.

    Source: definition.
    """
    return np.where(np.logical_and(cost_is_known > 0, revenue_is_known > 0), 1, 0)


def compared_in_year(profit_is_known, in_year) -> Flag:
    """Whether the month is one of the report's year whose profit can be compared.

    Source: definition.
    """
    return np.where(np.logical_and(profit_is_known > 0, in_year > 0), 1, 0)


def volume_is_known(has_model, has_tokens) -> Flag:
    """Whether the month has modelled and metered tokens to compare.

    Source: definition.
    """
    return np.where(np.logical_and(has_model > 0, has_tokens > 0), 1, 0)


def hours_are_known(has_model, has_hours) -> Flag:
    """Whether the month has modelled and metered accelerator-hours to compare.

    Source: definition.
    """
    return np.where(np.logical_and(has_model > 0, has_hours > 0), 1, 0)


def cost_is_split(cost_is_known, volume_is_known, hours_are_known) -> Flag:
    """Whether the difference of cost can be split: it takes tokens and accelerator-hours beside the invoice.

    Source: definition.
    """
    return np.where(np.logical_and(cost_is_known > 0, np.logical_and(volume_is_known > 0, hours_are_known > 0)), 1, 0)


def revenue_is_split(revenue_is_known, volume_is_known) -> Flag:
    """Whether the difference of revenue can be split: it takes tokens beside what was billed.

    Source: definition.
    """
    return np.where(np.logical_and(revenue_is_known > 0, volume_is_known > 0), 1, 0)


def hour_price_is_known(cost_is_split, hours_without_price) -> Flag:
    """Whether every metered accelerator-hour has the price of its contract beside it.

    Source: definition.
    """
    return np.where(np.logical_and(cost_is_split > 0, hours_without_price <= 0), 1, 0)


def token_price_is_known(revenue_is_split, tokens_without_price) -> Flag:
    """Whether every metered token has the price that it was sold at beside it.

    Source: definition.
    """
    return np.where(np.logical_and(revenue_is_split > 0, tokens_without_price <= 0), 1, 0)


# Cost: tokens, accelerator-hours for a token, dollars for an accelerator-hour


def modelled_hours_per_token(has_model, modelled_hours, modelled_tokens) -> HoursPerMillionTokens:
    """Accelerator-hours that the model takes for a million tokens, idle ones included.

    Source: definition.
    """
    return np.where(np.logical_and(has_model > 0, modelled_tokens > 0), modelled_hours / modelled_tokens, 0)


def modelled_hour_price(has_model, modelled_bill, modelled_hours) -> DollarsPerHour:
    """What an accelerator-hour costs in the model, over all terms.

    Source: definition.
    """
    return np.where(np.logical_and(has_model > 0, modelled_hours > 0), modelled_bill / modelled_hours, 0)


def cost_difference(cost_is_known, invoiced_cost, modelled_bill) -> DollarsPerMonth:
    """What the invoices come to beyond the modelled bill.

    Source: definition.
    """
    return np.where(cost_is_known > 0, invoiced_cost - modelled_bill, NOT_AVAILABLE)


def cost_volume_effect(
    cost_is_split, metered_tokens, modelled_tokens, modelled_hours_per_token, modelled_hour_price
) -> DollarsPerMonth:
    """Part of the difference because more or fewer tokens were served than modelled.

    Source: management accounting, volume variance.
    """
    effect = (metered_tokens - modelled_tokens) * modelled_hours_per_token * modelled_hour_price
    return np.where(cost_is_split > 0, effect, NOT_AVAILABLE)


def cost_efficiency_effect(
    cost_is_split, metered_hours, metered_tokens, modelled_hours_per_token, modelled_hour_price
) -> DollarsPerMonth:
    """Part of the difference because the tokens took more or fewer accelerator-hours than modelled.

    Source: management accounting, efficiency variance.
    """
    effect = (metered_hours - metered_tokens * modelled_hours_per_token) * modelled_hour_price
    return np.where(cost_is_split > 0, effect, NOT_AVAILABLE)


def cost_price_effect(hour_price_is_known, priced_cost, metered_hours, modelled_hour_price) -> DollarsPerMonth:
    """Part of the difference because contracts charge another price for an accelerator-hour than modelled.

    Source: management accounting, price variance.
    """
    return np.where(hour_price_is_known > 0, priced_cost - metered_hours * modelled_hour_price, NOT_AVAILABLE)


def cost_rest(
    cost_is_split, hour_price_is_known, cost_difference, cost_volume_effect, cost_efficiency_effect, cost_price_effect
) -> DollarsPerMonth:
    """Part of the difference that no known effect explains: fees, credits, errors; and price where none is known.

    Source: definition.
    """
    unpriced = cost_difference - cost_volume_effect - cost_efficiency_effect
    split = np.where(hour_price_is_known > 0, unpriced - cost_price_effect, unpriced)
    return np.where(cost_is_split > 0, split, cost_difference)


# Revenue: tokens, dollars for a token


def modelled_token_price(has_model, modelled_revenue, modelled_tokens) -> DollarsPerMillionTokens:
    """Revenue for a million tokens in the model.

    Source: definition.
    """
    return np.where(np.logical_and(has_model > 0, modelled_tokens > 0), modelled_revenue / modelled_tokens, 0)


def revenue_difference(revenue_is_known, billed_revenue, modelled_revenue) -> DollarsPerMonth:
    """What was billed beyond the modelled revenue.

    Source: definition.
    """
    return np.where(revenue_is_known > 0, billed_revenue - modelled_revenue, NOT_AVAILABLE)


def revenue_volume_effect(revenue_is_split, metered_tokens, modelled_tokens, modelled_token_price) -> DollarsPerMonth:
    """Part of the difference because more or fewer tokens were sold than modelled.

    Source: management accounting, volume variance.
    """
    effect = (metered_tokens - modelled_tokens) * modelled_token_price
    return np.where(revenue_is_split > 0, effect, NOT_AVAILABLE)


def revenue_price_effect(token_price_is_known, priced_revenue, metered_tokens, modelled_token_price) -> DollarsPerMonth:
    """Part of the difference because tokens were sold at another price than modelled, mix included.

    Source: management accounting, price variance.
    """
    return np.where(token_price_is_known > 0, priced_revenue - metered_tokens * modelled_token_price, NOT_AVAILABLE)


def revenue_rest(
    revenue_is_split, token_price_is_known, revenue_difference, revenue_volume_effect, revenue_price_effect
) -> DollarsPerMonth:
    """Part of the difference that no known effect explains: credits, refunds, errors; and price where none is known.

    Source: definition.
    """
    unpriced = revenue_difference - revenue_volume_effect
    split = np.where(token_price_is_known > 0, unpriced - revenue_price_effect, unpriced)
    return np.where(revenue_is_split > 0, split, revenue_difference)


# Profit


def modelled_profit(has_model, modelled_revenue, modelled_bill) -> DollarsPerMonth:
    """Gross profit of the model.

    Source: definition.
    """
    return np.where(has_model > 0, modelled_revenue - modelled_bill, NOT_AVAILABLE)


def actual_profit(has_invoice, has_billing, billed_revenue, invoiced_cost) -> DollarsPerMonth:
    """What was billed less what was invoiced.

    Source: definition.
    """
    known = np.logical_and(has_invoice > 0, has_billing > 0)
    return np.where(known, billed_revenue - invoiced_cost, NOT_AVAILABLE)


def actual_margin(actual_profit, has_invoice, has_billing, billed_revenue) -> Share:
    """What was billed less what was invoiced, as a share of what was billed.

    Source: definition.
    """
    known = np.logical_and(np.logical_and(has_invoice > 0, has_billing > 0), billed_revenue > 0)
    return np.where(known, actual_profit / billed_revenue, NOT_AVAILABLE)


def profit_difference(profit_is_known, actual_profit, modelled_profit) -> DollarsPerMonth:
    """What was earned beyond the modelled gross profit.

    Source: definition.
    """
    return np.where(profit_is_known > 0, actual_profit - modelled_profit, NOT_AVAILABLE)


def profit_volume_effect(
    profit_is_known, cost_is_split, volume_is_known, revenue_volume_effect, cost_volume_effect
) -> DollarsPerMonth:
    """Part of the difference of profit because of volume: its revenue, less its cost where that can be split off.

    Source: definition.
    """
    split = np.where(cost_is_split > 0, revenue_volume_effect - cost_volume_effect, revenue_volume_effect)
    return np.where(np.logical_and(profit_is_known > 0, volume_is_known > 0), split, NOT_AVAILABLE)


def profit_rest(profit_is_known, revenue_rest, cost_rest) -> DollarsPerMonth:
    """Part of the difference of profit that no known effect explains.

    Source: definition.
    """
    return np.where(profit_is_known > 0, revenue_rest - cost_rest, NOT_AVAILABLE)


# Beside the model, beside the budget


def tokens_difference(volume_is_known, metered_tokens, modelled_tokens) -> MillionTokensPerMonth:
    """What the meters count beyond the modelled tokens.

    Source: definition.
    """
    return np.where(volume_is_known > 0, metered_tokens - modelled_tokens, NOT_AVAILABLE)


def hours_difference(hours_are_known, metered_hours, modelled_hours) -> HoursPerMonth:
    """What the meters count beyond the modelled accelerator-hours.

    Source: definition.
    """
    return np.where(hours_are_known > 0, metered_hours - modelled_hours, NOT_AVAILABLE)


def difference_share(is_known, difference, modelled_amount) -> Share:
    """A difference as a share of what was modelled.

    Source: definition.
    """
    known = np.logical_and(is_known > 0, modelled_amount > 0)
    return np.where(known, difference / modelled_amount, NOT_AVAILABLE)


def budget_profit(has_cost_budget, has_revenue_budget, budgeted_revenue, budgeted_cost) -> DollarsPerMonth:
    """Budgeted revenue less budgeted cost.

    Source: definition.
    """
    known = np.logical_and(has_cost_budget > 0, has_revenue_budget > 0)
    return np.where(known, budgeted_revenue - budgeted_cost, NOT_AVAILABLE)


def budget_is_known(has_actual, has_budget) -> Flag:
    """Whether a line has an actual amount and a budget.

    Source: definition.
    """
    return np.where(np.logical_and(has_actual > 0, has_budget > 0), 1, 0)


def budget_difference(budget_is_known, actual_amount, budget_amount) -> DollarsPerMonth:
    """What the actual amount is above the budget.

    Source: definition.
    """
    return np.where(budget_is_known > 0, actual_amount - budget_amount, NOT_AVAILABLE)


# Standing


def is_reconciled(is_split, rest_amount, actual_amount, rest_tolerance) -> Flag:
    """Whether a line's actual is known and explained but for a rest within the tolerance.

    Source: definition; the tolerance is a share of the actual amount.
    """
    explained = np.maximum(rest_amount, -rest_amount) <= rest_tolerance * np.maximum(actual_amount, -actual_amount)
    return np.where(is_split > 0, np.where(explained, 1, 0), 0)


def has_any_actual(has_invoice, has_billing, has_tokens, has_hours) -> Flag:
    """Whether anything of the month has been invoiced, billed or metered.

    Source: definition.
    """
    return np.where(has_invoice + has_billing + has_tokens + has_hours > 0, 1, 0)


def standing(has_any_actual, cost_is_reconciled, revenue_is_reconciled) -> Text:
    """How a headline may be called: modelled until both cost and revenue are reconciled.

    Source: definition.
    """
    both = np.logical_and(cost_is_reconciled > 0, revenue_is_reconciled > 0)
    compared = np.where(both, "reconciled", "modelled, not reconciled")
    return np.where(has_any_actual > 0, compared, "modelled")
