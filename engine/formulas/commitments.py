"""Commitments: how long a contract is in force in the month, what it costs, and on which terms a further one pays.

Knows nothing of sheets, files or other formulas. A date is the number of its day, as a workbook counts; the first and
the last day of a contract both count.
"""

import numpy as np

from engine.units import (
    HOURS_PER_DAY,
    NOT_AVAILABLE,
    Constant,
    Count,
    DollarsPerDay,
    DollarsPerHour,
    DollarsPerMonth,
    HoursPerDay,
    HoursPerMonth,
    Share,
    Text,
    Years,
)

YEARS_OF_A_DAY = Constant(1 / 365.25, "year")


# A contract in a part of the month


def accelerators_in_force(contract_accelerators, in_force) -> Count:
    """Accelerators of a contract in a part of the month; none where it is not in force.

    Source: definition.
    """
    return contract_accelerators * in_force


def contract_hour_cost(accelerators_in_force, contract_price) -> DollarsPerHour:
    """What a contract costs an hour, used or not.

    Source: definition.
    """
    return accelerators_in_force * contract_price


def part_hours(weekdays, weekend_days) -> HoursPerMonth:
    """Hours of a part of the month.

    Source: definition.
    """
    return (weekdays + weekend_days) * HOURS_PER_DAY


def contract_age(contract_start, month_start) -> Years:
    """How long a contract has been in force when the month begins.

    Source: definition.
    """
    return np.maximum(0, month_start - contract_start) * YEARS_OF_A_DAY


def running_price(is_owned, owned_cost, owned_capital_cost, contract_price) -> DollarsPerHour:
    """What is still paid for an owned accelerator in an hour: all but its capital; of a reserved one its price.

    Source: definition; where Hardware has no purchase price, the contract's own.
    """
    known = np.logical_and(is_owned > 0, owned_cost > 0)
    return np.where(known, owned_cost - owned_capital_cost, contract_price)


def booked_price(is_owned, booked_cost, running_price, contract_age, service_life, contract_price) -> DollarsPerHour:
    """What the books charge for it: depreciation in equal parts as long as it lives, and what is still paid.

    Source: definition; of a reserved accelerator, or without a purchase price, the contract's price.
    """
    aged = np.where(contract_age < service_life, booked_cost, running_price)
    return np.where(np.logical_and(is_owned > 0, booked_cost > 0), aged, contract_price)


def booked_hour_cost(accelerators_in_force, booked_price) -> DollarsPerHour:
    """A contract in the books, for an hour.

    Source: definition.
    """
    return accelerators_in_force * booked_price


def running_hour_cost(accelerators_in_force, running_price) -> DollarsPerHour:
    """What is still paid for a contract, for an hour.

    Source: definition.
    """
    return accelerators_in_force * running_price


def held_price(held_hour_cost, held_accelerators) -> DollarsPerHour:
    """What one of several contracts' accelerators costs an hour, on average; nothing where there is none.

    Source: definition.
    """
    return np.where(held_accelerators > 0, held_hour_cost / held_accelerators, 0)


# The month in the books, and what is paid in it


def used_spending(rented_bill, interruption_bill, transition_bill) -> DollarsPerMonth:
    """What is rented beside all contracts: the use that promises and prepaid balances are for.

    Source: definition.
    """
    return rented_bill + interruption_bill + transition_bill


def booked_bill(fleet_cost, contract_bill, booked_contract_bill, take_or_pay_shortfall) -> DollarsPerMonth:
    """The month's accelerators as the books have them: owned ones without interest, and promises that were not used.

    Source: definition.
    """
    return fleet_cost - contract_bill + booked_contract_bill + take_or_pay_shortfall


def booked_profit(revenue, booked_bill) -> DollarsPerMonth:
    """Revenue less the bill in the books.

    Source: definition.
    """
    return revenue - booked_bill


def booked_margin(booked_profit, revenue) -> Share:
    """The same as a share of revenue.

    Source: definition.
    """
    return np.where(revenue > 0, booked_profit / revenue, NOT_AVAILABLE)


def payments(fleet_cost, contract_bill, running_contract_bill, take_or_pay_shortfall, prepaid_use) -> DollarsPerMonth:
    """What is paid for accelerators in the month: nothing for what was bought or prepaid before.

    Source: definition.
    """
    return fleet_cost - contract_bill + running_contract_bill + take_or_pay_shortfall - prepaid_use


# Spending that was promised


def take_or_pay_shortfall(promised_spending, used_spending) -> DollarsPerMonth:
    """What is paid and not used.

    Source: definition.
    """
    return np.maximum(0, promised_spending - used_spending)


def prepaid_use(prepaid_balance, used_spending) -> DollarsPerMonth:
    """The part of the month's use that was paid for before: a cost of the month, and no payment in it.

    Source: definition.
    """
    return np.minimum(prepaid_balance, used_spending)


def prepaid_left(prepaid_balance, prepaid_use) -> DollarsPerMonth:
    """What is left of the prepaid balance after the month.

    Source: definition.
    """
    return prepaid_balance - prepaid_use


# Some more accelerators of the profile, by the hours a day that they are needed. Terms without a price are left out.


def hours_used(needed_hours, days_in_month) -> HoursPerDay:
    """Hours a day in which so many accelerators are needed, on average over the month.

    Source: definition.
    """
    return needed_hours / days_in_month


def slice_width(slice_from, slice_to) -> Count:
    """Accelerators of a slice of the profile.

    Source: definition.
    """
    return slice_to - slice_from


def slice_month_saving(slice_saving, slice_width, days_in_month) -> DollarsPerMonth:
    """What the cheapest terms save in the month, for all accelerators of the slice.

    Source: definition.
    """
    return slice_saving * slice_width * days_in_month


def break_even_hours(committed_price, rented_price) -> HoursPerDay:
    """Hours of use a day above which a commitment costs less than renting; above 24 it never does.

    Source: definition; a commitment is paid around the clock.
    """
    known = np.minimum(committed_price, rented_price) > 0
    return np.where(known, committed_price / rented_price * HOURS_PER_DAY, NOT_AVAILABLE)


def slice_rented_cost(hours_used, rented_price) -> DollarsPerDay:
    """An accelerator that is rented in the hours it is needed.

    Source: definition.
    """
    return hours_used * rented_price


def slice_committed_cost(committed_price, slice_rented_cost) -> DollarsPerDay:
    """An accelerator that is held around the clock; where there is no price, what renting costs.

    Source: definition.
    """
    return np.where(committed_price > 0, committed_price * HOURS_PER_DAY, slice_rented_cost)


def cheapest_slice_cost(
    slice_rented_cost, slice_one_year_cost, slice_three_year_cost, slice_owned_cost
) -> DollarsPerDay:
    """The least that the accelerator can cost.

    Source: definition.
    """
    reserved = np.minimum(slice_one_year_cost, slice_three_year_cost)
    return np.minimum(np.minimum(slice_rented_cost, reserved), slice_owned_cost)


def cheapest_term(cheapest_slice_cost, slice_rented_cost, slice_one_year_cost, slice_three_year_cost) -> Text:
    """On which terms the accelerator costs least; of equal ones those that bind for the shortest time.

    Source: definition.
    """
    longer = np.where(slice_three_year_cost <= cheapest_slice_cost, "3 years", "owned")
    reserved = np.where(slice_one_year_cost <= cheapest_slice_cost, "1 year", longer)
    return np.where(slice_rented_cost <= cheapest_slice_cost, "rented", reserved)


def slice_saving(slice_rented_cost, cheapest_slice_cost) -> DollarsPerDay:
    """What the cheapest terms save against renting.

    Source: definition.
    """
    return slice_rented_cost - cheapest_slice_cost
