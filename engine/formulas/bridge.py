"""Bridge: what moved gross profit from one month to the next, in steps that add up.

Knows nothing of sheets, files or other formulas. A row is a traffic in two months; what is called `before` is of the
earlier one. Revenue is tokens times a price; the bill is tokens times hours of use, over the share of paid hours that
is used, times the price of an hour. The steps move one factor after the other from the earlier month to the later one,
in the order in which they stand here: those before it as they are now, those after it as they were. Another order would
divide the same total differently.

Source: ordered substitution, as in price and volume analysis of management accounts.
"""

import numpy as np

from engine.units import (
    Constant,
    DollarsPerHour,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    Flag,
    HoursPerMillionTokens,
    Share,
)

NOISE = Constant(1e-9, "")


def _moved(now, before):
    """By how much a factor moved; nothing where both are the same but for their last digits."""
    apart = np.maximum(now - before, before - now)
    return np.where(apart > NOISE * np.maximum(now, before), now - before, 0)


# The factors of a month. Where one is nothing the traffic is not compared, and these have no use.


def volume_share(line_tokens, all_tokens) -> Share:
    """A traffic's share of all tokens that customers see.

    Source: definition.
    """
    return np.where(all_tokens > 0, line_tokens / all_tokens, 0)


def line_price(line_revenue, line_tokens) -> DollarsPerMillionTokens:
    """What its tokens bring on average.

    Source: definition.
    """
    return np.where(line_tokens > 0, line_revenue / line_tokens, 0)


def line_hour_price(line_bill, line_hours) -> DollarsPerHour:
    """What an accelerator-hour costs it on average.

    Source: definition.
    """
    return np.where(line_hours > 0, line_bill / line_hours, 0)


def line_busy_share(line_used_hours, line_hours) -> Share:
    """Share of the accelerator-hours it pays for that is used.

    Source: definition.
    """
    return np.where(line_hours > 0, line_used_hours / line_hours, 0)


def line_token_hours(line_used_hours, line_tokens) -> HoursPerMillionTokens:
    """Accelerator-hours of use that its tokens take.

    Source: definition.
    """
    return np.where(line_tokens > 0, line_used_hours / line_tokens, 0)


def restated_revenue(revenue, revenue_rate_ratio) -> DollarsPerMonth:
    """This month's revenue at the exchange rates of the month before.

    Source: definition; the ratio is that of the whole model calculated at those rates.
    """
    return revenue * revenue_rate_ratio


def restated_bill(fleet_cost, bill_rate_ratio) -> DollarsPerMonth:
    """This month's bill at the exchange rates of the month before.

    Source: definition; the ratio is that of the whole model calculated at those rates.
    """
    return fleet_cost * bill_rate_ratio


def is_compared(before_token_hours, before_busy_share, now_token_hours, now_busy_share) -> Flag:
    """Whether a traffic was served in both months.

    Source: definition.
    """
    before = np.where(before_busy_share > 0, before_token_hours, 0)
    return np.where(np.where(now_busy_share > 0, np.minimum(now_token_hours, before), 0) > 0, 1, 0)


# The steps, in their order


def volume_step(
    is_compared,
    all_tokens,
    all_before_tokens,
    before_volume_share,
    before_price,
    before_token_hours,
    before_busy_share,
    before_hour_price,
) -> DollarsPerMonth:
    """More or fewer tokens in all, at the mix, prices and costs of the month before.

    Source: ordered substitution, first step.
    """
    earned = before_price - before_token_hours / before_busy_share * before_hour_price
    return np.where(is_compared > 0, _moved(all_tokens, all_before_tokens) * before_volume_share * earned, 0)


def mix_step(
    is_compared,
    all_tokens,
    now_volume_share,
    before_volume_share,
    before_price,
    before_token_hours,
    before_busy_share,
    before_hour_price,
    restated_revenue,
    restated_bill,
    before_revenue,
    before_bill,
) -> DollarsPerMonth:
    """Another share of all tokens; the whole difference of a traffic that was served in one of the months alone.

    Source: ordered substitution, second step.
    """
    earned = before_price - before_token_hours / before_busy_share * before_hour_price
    moved = all_tokens * _moved(now_volume_share, before_volume_share) * earned
    return np.where(is_compared > 0, moved, restated_revenue - restated_bill - (before_revenue - before_bill))


def price_step(is_compared, sold_tokens, now_price, before_price) -> DollarsPerMonth:
    """Other prices for the tokens of this month: price lists, discounts, what is not billed, longer answers.

    Source: ordered substitution, third step.
    """
    return np.where(is_compared > 0, sold_tokens * _moved(now_price, before_price), 0)


def efficiency_step(
    is_compared, sold_tokens, now_token_hours, before_token_hours, before_busy_share, before_hour_price
) -> DollarsPerMonth:
    """Other hours of use for a token: models, accelerators, batches, software, longer prompts.

    Source: ordered substitution, fourth step.
    """
    hours = sold_tokens * _moved(before_token_hours, now_token_hours)
    return np.where(is_compared > 0, hours / before_busy_share * before_hour_price, 0)


def utilization_step(
    is_compared, sold_tokens, now_token_hours, now_busy_share, before_busy_share, before_hour_price
) -> DollarsPerMonth:
    """Another share of the paid hours that is used: load, headroom, reserves, contracts that lie idle.

    Source: ordered substitution, fifth step.
    """
    paid = sold_tokens * now_token_hours * _moved(1 / before_busy_share, 1 / now_busy_share)
    return np.where(is_compared > 0, paid * before_hour_price, 0)


def hardware_price_step(
    is_compared, sold_tokens, now_token_hours, now_busy_share, before_hour_price, now_hour_price
) -> DollarsPerMonth:
    """Other prices of an accelerator-hour: rents, contracts, and the kinds of accelerators that are used.

    Source: ordered substitution, sixth step.
    """
    paid = sold_tokens * now_token_hours / now_busy_share
    return np.where(is_compared > 0, paid * _moved(before_hour_price, now_hour_price), 0)


def exchange_rate_step(revenue, fleet_cost, restated_revenue, restated_bill) -> DollarsPerMonth:
    """The same month at other exchange rates.

    Source: ordered substitution, last step.
    """
    return revenue - fleet_cost - (restated_revenue - restated_bill)


def before_profit(before_revenue, before_bill) -> DollarsPerMonth:
    """Gross profit of the month before.

    Source: definition.
    """
    return before_revenue - before_bill


def other_step(
    before_profit,
    volume_step,
    mix_step,
    price_step,
    efficiency_step,
    utilization_step,
    hardware_price_step,
    exchange_rate_step,
    revenue,
    fleet_cost,
) -> DollarsPerMonth:
    """What no step explains; a sum's last digits are nothing.

    Source: definition.
    """
    explained = volume_step + mix_step + price_step + efficiency_step + utilization_step
    rest = revenue - fleet_cost - before_profit - explained - hardware_price_step - exchange_rate_step
    return np.where(np.maximum(rest, -rest) > NOISE * (revenue + fleet_cost), rest, 0)


def profit_change(gross_profit, before_profit) -> DollarsPerMonth:
    """By how much gross profit moved.

    Source: definition.
    """
    return gross_profit - before_profit


def comment_due(profit_change, before_profit, comment_above, comment_above_share) -> Flag:
    """Whether a change is large enough to be commented: above an amount, and above a share of what was before.

    Source: definition; both thresholds are inputs.
    """
    size = np.maximum(profit_change, -profit_change)
    share = comment_above_share * np.maximum(before_profit, -before_profit)
    return np.where(size > np.maximum(comment_above, share), 1, 0)
