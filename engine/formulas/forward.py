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
    HoursPerMonth,
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


def need_ratio(fleet_hours, counted_accelerators, days_in_month) -> Number:
    """Accelerator-hours that the month reported needed, of those accelerators around the clock: hours, waits, servers.

    Source: definition; the months ahead keep it.
    """
    around_the_clock = counted_accelerators * HOURS_PER_DAY * days_in_month
    return np.where(around_the_clock > 0, fleet_hours / around_the_clock, 1)


def rent_ratio(rented_bill, interruption_bill, transition_bill, rented_hours, accelerator_price) -> Number:
    """What renting cost of its hours' plain rent: what stands by for interruptions, and starts, come on top.

    Source: definition; the months ahead keep it, and where nothing was rented they pay the plain rent.
    """
    plain = rented_hours * accelerator_price
    return np.where(plain > 0, (rented_bill + interruption_bill + transition_bill) / plain, 1)


def contract_use(fleet_hours, rented_hours, committed_hours) -> Share:
    """Share of the contracts' accelerator-hours that the month reported used; all of them where there were none.

    Source: definition; the months ahead keep it.
    """
    return np.where(committed_hours > 0, (fleet_hours - rented_hours) / committed_hours, 1)


def contract_ratio(committed_hours, fleet_hours) -> Number:
    """Contracts' accelerator-hours that the month reported gave for each hour needed; one where there were none.

    Source: definition; by it the months ahead share contracts among configurations.
    """
    return np.where(committed_hours > 0, committed_hours / fleet_hours, 1)


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


def forward_needed_hours(forward_accelerators, need_ratio, forward_days) -> HoursPerMonth:
    """Accelerator-hours that the month ahead needs.

    Source: definition.
    """
    return forward_accelerators * need_ratio * HOURS_PER_DAY * forward_days


def forward_mean_accelerators(forward_needed_hours, forward_days) -> Count:
    """Accelerators that the month ahead needs on average over its hours.

    Source: definition.
    """
    return forward_needed_hours / HOURS_PER_DAY / forward_days


# Contracts in a month ahead


def forward_contract_share(contract_start, contract_end, month_start, next_month_start) -> Share:
    """Share of the month ahead in which a contract is in force; its first and last day count.

    Source: definition.
    """
    held = np.minimum(contract_end + 1, next_month_start) - np.maximum(contract_start, month_start)
    return np.maximum(0, held) / (next_month_start - month_start)


def forward_contract_hours(contract_accelerators, forward_contract_share, forward_days) -> HoursPerMonth:
    """Accelerator-hours of a contract in the month ahead.

    Source: definition.
    """
    return contract_accelerators * forward_contract_share * HOURS_PER_DAY * forward_days


def forward_contract_cost(forward_contract_hours, contract_price) -> DollarsPerMonth:
    """What a contract costs in the month ahead, used or not.

    Source: definition.
    """
    return forward_contract_hours * contract_price


def forward_claim(forward_needed_hours, contract_ratio) -> HoursPerMonth:
    """By what the contracts for an accelerator are shared among the configurations on it.

    Source: definition; the need, as the month reported shared them hour by hour.
    """
    return forward_needed_hours * contract_ratio


def claim_share(forward_claim, pool_claim, pool_configurations) -> Share:
    """A configuration's share of the contracts for its accelerator; equal shares where nothing is needed.

    Source: definition.
    """
    return np.where(pool_claim > 0, forward_claim / pool_claim, 1 / pool_configurations)


def forward_held_hours(pool_contract_hours, claim_share) -> HoursPerMonth:
    """A configuration's accelerator-hours of contracts in the month ahead.

    Source: definition.
    """
    return pool_contract_hours * claim_share


def forward_held_cost(pool_contract_cost, claim_share) -> DollarsPerMonth:
    """What they cost, used or not.

    Source: definition.
    """
    return pool_contract_cost * claim_share


# What a configuration costs in a month


def forward_rented_hours(forward_needed_hours, forward_held_hours, contract_use) -> HoursPerMonth:
    """Needed accelerator-hours that no contract covers; of contracts the hours are used that are used today.

    Source: definition.
    """
    return np.maximum(0, forward_needed_hours - forward_held_hours * contract_use)


def forward_committed_share(is_committed, committed_until, month_start, next_month_start) -> Share:
    """Share of the month ahead in which terms that bind are in force; their last day counts.

    Source: definition.
    """
    held = np.minimum(committed_until + 1, next_month_start) - month_start
    return np.where(is_committed > 0, np.maximum(0, held) / (next_month_start - month_start), 0)


def forward_committed_hours(rented_hours, days_in_month, forward_days, forward_committed_share) -> HoursPerMonth:
    """Accelerator-hours of the month ahead that are bound, where all of it is.

    Source: definition; a fleet that is rented for a year or more is bound at the size it has today.
    """
    return np.where(forward_committed_share > 0, rented_hours / days_in_month * forward_days, 0)


def forward_committed_cost(
    forward_committed_hours, forward_committed_share, accelerator_price, rent_ratio
) -> DollarsPerMonth:
    """Rent of what is bound, needed or not, at the price that was agreed.

    Source: definition.
    """
    return forward_committed_hours * forward_committed_share * accelerator_price * rent_ratio


def forward_rented_cost(
    forward_rented_hours,
    forward_committed_hours,
    forward_committed_share,
    accelerator_price,
    rent_factor,
    rent_ratio,
) -> DollarsPerMonth:
    """Rent of what nothing that binds covers, on the same terms at the rents of that month.

    Source: definition; terms that end within a month cover their share of that month's days.
    """
    covered = forward_committed_share * np.minimum(forward_rented_hours, forward_committed_hours)
    return (forward_rented_hours - covered) * accelerator_price * rent_factor * rent_ratio


def forward_bill(forward_rented_cost, forward_committed_cost, forward_held_cost) -> DollarsPerMonth:
    """All accelerators of the month ahead.

    Source: definition.
    """
    return forward_rented_cost + forward_committed_cost + forward_held_cost


def forward_profit(forward_revenue, forward_bill) -> DollarsPerMonth:
    """Gross profit of the month ahead.

    Source: definition.
    """
    return forward_revenue - forward_bill


def forward_other_cost(
    monthly_other_cost,
    replica_other_cost,
    forward_accelerators,
    counted_accelerators,
    variable_cost,
    demand_factor,
    forward_days,
    days_in_month,
    payouts,
    revenue,
    forward_revenue,
) -> DollarsPerMonth:
    """Other costs of the month ahead: by the month as they are, by replica, request, token and revenue as those move.

    Source: definition; amounts and shares stay as they are.
    """
    size = np.where(counted_accelerators > 0, forward_accelerators / counted_accelerators, 1)
    volume = demand_factor * forward_days / days_in_month
    passed_on = np.where(revenue > 0, payouts / revenue, 0)
    return monthly_other_cost + replica_other_cost * size + variable_cost * volume + passed_on * forward_revenue


def forward_earnings(forward_profit, forward_other_cost) -> DollarsPerMonth:
    """What is left of the month ahead after all costs of serving.

    Source: definition.
    """
    return forward_profit - forward_other_cost


def forward_margin(forward_earnings, forward_revenue) -> Share:
    """The same as a share of revenue.

    Source: definition.
    """
    return np.where(forward_revenue > 0, forward_earnings / forward_revenue, NOT_AVAILABLE)


# What the months of a model, or of all, come to


def earning_months(forward_earnings, months_ahead) -> Months:
    """Months from the report's to this one where it earns after all costs, both counted; none where it does not.

    Source: definition.
    """
    return np.where(forward_earnings > 0, months_ahead + A_MONTH, 0 * A_MONTH)


def forward_balance(earned_so_far, investment) -> Dollars:
    """What the months ahead have earned so far after all costs, less what was invested.

    Source: definition.
    """
    return earned_so_far * A_MONTH - investment


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
