"""Forward: demand, prices, speed and rents some months ahead, and the profit and loss that follows.

Knows nothing of sheets, files or other formulas. A row is a month to come, a class or a configuration in it, or what
all months of a model come to; month 0 is the month of the report. A date is the number of its day, as a workbook
counts. What falls cannot fall below nothing.
"""

import numpy as np

from engine.units import (
    A_MONTH,
    A_YEAR,
    HOURS_PER_DAY,
    MONTHS_PER_YEAR,
    NOT_AVAILABLE,
    Constant,
    Count,
    Dollars,
    DollarsPerMonth,
    Months,
    Number,
    Share,
    Text,
)

NOISE = Constant(1e-9, "")


# A month, and the demand of a class in it


def price_factor(price_decline, months_ahead) -> Number:
    """Prices of a month ahead as a multiple of this month's, falling by a share each year.

    Source: definition; the decline of a year is an input.
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


def demand_factor(demand_growth, months_ahead, month_season, report_season) -> Number:
    """Demand of a month ahead as a multiple of this month's: growth by the month, and its season against this month's.

    Source: definition; growth and seasons are inputs.
    """
    return np.maximum(0, 1 + demand_growth) ** (months_ahead / A_MONTH) * month_season / report_season


# What a month ahead is counted in: accelerators one by one, for the peak and what is kept above it


def counted_accelerators(
    required_rate, request_rate, minimum_replicas, prefill_time, shared_pool, accelerator_count
) -> Count:
    """Accelerators that the month reported would need by rate alone: without hours, promised waits and whole servers.

    Source: definition.
    """
    replicas = np.maximum(minimum_replicas, np.ceil(required_rate / request_rate - NOISE))
    prompts = np.where(shared_pool > 0, 0, np.ceil(required_rate * prefill_time - NOISE))
    return (replicas + prompts) * accelerator_count


def bill_ratio(bill, counted_accelerators, accelerator_price, days_in_month) -> Number:
    """What the month's bill is of those accelerators' rent around the clock: hours, waits, servers and contracts.

    Source: definition; the months ahead keep it.
    """
    rent = counted_accelerators * accelerator_price * HOURS_PER_DAY * days_in_month
    return np.where(rent > 0, bill / rent, 1)


# A configuration in a month


def forward_revenue(revenue_per_day, demand_factor, price_factor, forward_days) -> DollarsPerMonth:
    """Revenue of the month ahead: today's of a day, at that month's demand and prices, over its days.

    Source: definition; what a request is and what it is billed for stay as they are.
    """
    return revenue_per_day * demand_factor * price_factor * forward_days


def forward_replicas(required_rate, demand_factor, request_rate, speed_factor, minimum_replicas) -> Count:
    """Whole replicas of the month ahead.

    Source: definition; the peak grows as the mean does.
    """
    needed = required_rate * demand_factor / (request_rate * speed_factor)
    return np.maximum(minimum_replicas, np.ceil(needed - NOISE))


def forward_prefill_replicas(required_rate, demand_factor, prefill_time, speed_factor, shared_pool) -> Count:
    """Whole replicas of a prefill pool in the month ahead; none where prompts and answers share their replicas.

    Source: definition.
    """
    return np.where(shared_pool > 0, 0, np.ceil(required_rate * demand_factor * prefill_time / speed_factor - NOISE))


def forward_accelerators(forward_replicas, forward_prefill_replicas, accelerator_count) -> Count:
    """Accelerators that the month ahead needs.

    Source: definition.
    """
    return (forward_replicas + forward_prefill_replicas) * accelerator_count


def forward_committed_share(is_committed, committed_until, month_start, next_month_start) -> Share:
    """Share of the month ahead in which the commitment is in force; its last day counts.

    Source: definition.
    """
    held = np.minimum(committed_until + 1, next_month_start) - month_start
    return np.where(is_committed > 0, np.maximum(0, held) / (next_month_start - month_start), 0)


def forward_committed_accelerators(counted_accelerators, forward_committed_share) -> Count:
    """Accelerators that are committed in the month ahead, on the days on which the commitment is in force.

    Source: definition; a fleet that is rented for a year or more is committed at the size it has today.
    """
    return np.where(forward_committed_share > 0, counted_accelerators, 0)


def forward_committed_cost(
    forward_committed_accelerators, forward_committed_share, accelerator_price, forward_days
) -> DollarsPerMonth:
    """Rent of what is committed, needed or not, at the price that was agreed.

    Source: definition.
    """
    hours = HOURS_PER_DAY * forward_days * forward_committed_share
    return forward_committed_accelerators * accelerator_price * hours


def forward_rented_cost(
    forward_accelerators,
    forward_committed_accelerators,
    forward_committed_share,
    accelerator_price,
    rent_factor,
    forward_days,
) -> DollarsPerMonth:
    """Rent of what commitments in force do not cover, on the same terms at the rents of that month.

    Source: definition; a contract that ends within a month covers its share of that month's days.
    """
    covered = forward_committed_share * np.minimum(forward_accelerators, forward_committed_accelerators)
    return (forward_accelerators - covered) * accelerator_price * rent_factor * HOURS_PER_DAY * forward_days


def forward_bill(forward_rented_cost, forward_committed_cost, bill_ratio) -> DollarsPerMonth:
    """All accelerators of the month ahead.

    Source: definition.
    """
    return (forward_rented_cost + forward_committed_cost) * bill_ratio


def forward_profit(forward_revenue, forward_bill) -> DollarsPerMonth:
    """Gross profit of the month ahead.

    Source: definition.
    """
    return forward_revenue - forward_bill


def forward_margin(forward_profit, forward_revenue) -> Share:
    """The same as a share of revenue.

    Source: definition.
    """
    return np.where(forward_revenue > 0, forward_profit / forward_revenue, NOT_AVAILABLE)


# What the months of a model, or of all, come to


def earning_months(forward_profit, months_ahead) -> Months:
    """Months from the report's to this one where it earns, both counted; none where it does not.

    Source: definition.
    """
    return np.where(forward_profit > 0, months_ahead + A_MONTH, 0 * A_MONTH)


def forward_balance(profit_so_far, investment) -> Dollars:
    """Profit of the months ahead so far, less what was invested.

    Source: definition.
    """
    return profit_so_far * A_MONTH - investment


def months_paid_back(forward_balance, months_ahead, forward_months) -> Months:
    """Months from this one to the last where the investment has come back by its end, both counted; else none.

    Source: definition.
    """
    left = np.where(months_ahead > 0, forward_months - months_ahead + A_MONTH, 0 * A_MONTH)
    return np.where(forward_balance >= 0, left, 0 * A_MONTH)


def stopping_month(last_earning_months, forward_months) -> Months:
    """The first month ahead from which on a model earns in none; a loss that is made good is none.

    Source: definition.
    """
    stops = np.logical_and(last_earning_months > 0, last_earning_months <= forward_months)
    return np.where(stops, last_earning_months, NOT_AVAILABLE)


def earning_verdict(last_earning_months, forward_months) -> Text:
    """What the months say about a model.

    Source: definition.
    """
    earns = np.where(last_earning_months > forward_months, "earns to the last month", "stops earning")
    return np.where(last_earning_months > 0, earns, "earns in no month")


def payback_month(investment, most_months_paid_back, forward_months) -> Months:
    """The first month ahead by whose end the investment has come back.

    Source: definition.
    """
    first = forward_months + A_MONTH - most_months_paid_back
    paid = np.logical_and(investment > 0, most_months_paid_back > 0)
    return np.where(paid, first, NOT_AVAILABLE)


def payback_verdict(investment, most_months_paid_back) -> Text:
    """Whether the months ahead pay back what was invested.

    Source: definition.
    """
    paid = np.where(most_months_paid_back > 0, "paid back", "not paid back in these months")
    return np.where(investment > 0, paid, "nothing to pay back")
