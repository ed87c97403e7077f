"""Bill: how an hour's accelerators are paid for, cheapest terms first, and what each part of the bill was for.

Knows nothing of sheets, files or other formulas. A row is an hour of a load profile and the hours of the month that
look like it. Commitments are paid whether they are used or not; what they do not cover is rented, on spot terms or on
demand. Where commitments end or begin within the month, the hours before and after are rows of their own.
"""

import numpy as np

from engine.units import (
    NOT_AVAILABLE,
    SECONDS_PER_HOUR,
    Constant,
    Count,
    DollarsPerHour,
    DollarsPerMillionTokens,
    Share,
    Text,
)

AN_HOUR = Constant(1, "h")


# Accelerators


def useful_accelerators(
    served_hour_requests, request_rate, prefill_time, shared_pool, accelerator_count, required_accelerators
) -> Count:
    """Accelerators that the hour's requests keep busy, in parts of one; never more than there are to serve them.

    Source: definition; the load in replica-seconds a second.
    """
    prompts = np.where(shared_pool > 0, 0, served_hour_requests * prefill_time)
    return np.minimum(required_accelerators, (served_hour_requests / request_rate + prompts) * accelerator_count)


def needed_accelerators(required_accelerators, reserve_accelerators) -> Count:
    """Accelerators of the replicas that meet the targets in the hour, and of those in reserve for one that fails.

    Source: definition.
    """
    return required_accelerators + reserve_accelerators


def need_share(needed_accelerators, pool_needed_accelerators, pool_configurations) -> Share:
    """Share of the hour's need on this kind of accelerator: so much of its commitments a configuration has.

    Equal shares where nothing is needed.

    Source: definition.
    """
    needed = needed_accelerators / pool_needed_accelerators
    return np.where(pool_needed_accelerators > 0, needed, 1 / pool_configurations)


def own_commitment(pool_commitment, need_share) -> Count:
    """A configuration's part of the accelerators that are committed on one kind of terms.

    Source: definition.
    """
    return pool_commitment * need_share


def committed_accelerators(held_owned, held_three_year, held_one_year) -> Count:
    """Accelerators that are owned or reserved.

    Source: definition.
    """
    return held_owned + held_three_year + held_one_year


def from_owned(needed_accelerators, held_owned) -> Count:
    """Needed accelerators that owned ones cover.

    Source: definition; owned ones are used first, because using them costs nothing more.
    """
    return np.minimum(needed_accelerators, held_owned)


def from_three_year(needed_accelerators, from_owned, held_three_year) -> Count:
    """Needed accelerators that those reserved for three years cover, after owned ones.

    Source: definition.
    """
    return np.minimum(needed_accelerators - from_owned, held_three_year)


def from_one_year(needed_accelerators, from_owned, from_three_year, held_one_year) -> Count:
    """Needed accelerators that those reserved for a year cover, after owned ones and longer reservations.

    Source: definition.
    """
    return np.minimum(needed_accelerators - from_owned - from_three_year, held_one_year)


def rented_accelerators(needed_accelerators, from_owned, from_three_year, from_one_year) -> Count:
    """Needed accelerators that no commitment covers.

    Source: definition.
    """
    return needed_accelerators - from_owned - from_three_year - from_one_year


def from_spot(rented_accelerators, spot_share) -> Count:
    """Rented accelerators that may be taken away.

    Source: definition.
    """
    return rented_accelerators * spot_share


def from_on_demand(rented_accelerators, from_spot) -> Count:
    """Rented accelerators on demand.

    Source: definition.
    """
    return rented_accelerators - from_spot


def interruption_accelerators(from_spot, interruption_reserve) -> Count:
    """Accelerators on spot terms that stand by for those that are taken away.

    Source: definition; the reserve is a share, measured or assumed.
    """
    return from_spot * interruption_reserve


def started_accelerators(needed_accelerators, previous_needed_accelerators, committed_accelerators) -> Count:
    """Accelerators that are rented in this hour and did not run in the hour before; committed ones never stop.

    Source: definition.
    """
    return np.maximum(0, needed_accelerators - np.maximum(previous_needed_accelerators, committed_accelerators))


def idle_accelerators(committed_accelerators, needed_accelerators) -> Count:
    """Accelerators that are owned or reserved and that the hour does not need.

    Source: definition.
    """
    return np.maximum(0, committed_accelerators - needed_accelerators)


def held_accelerators(committed_accelerators, rented_accelerators, interruption_accelerators) -> Count:
    """All accelerators that are paid for in the hour.

    Source: definition.
    """
    return committed_accelerators + rented_accelerators + interruption_accelerators


def commitment_warning(committed_accelerators, needed_accelerators) -> Text:
    """What to say about an hour that commitments are too large for; empty where they are not.

    Source: definition.
    """
    return np.where(committed_accelerators > needed_accelerators, "commitments are larger than the hour needs", "")


# Dollars an hour. A price that is not known is asked for only where something is held on its terms.


def commitment_hour_cost(
    held_owned,
    held_owned_price,
    held_three_year,
    held_three_year_price,
    held_one_year,
    held_one_year_price,
) -> DollarsPerHour:
    """What is owned and reserved, for an hour, used or not.

    Source: definition.
    """
    owned = np.where(held_owned > 0, held_owned * held_owned_price, 0)
    three_year = np.where(held_three_year > 0, held_three_year * held_three_year_price, 0)
    return owned + three_year + np.where(held_one_year > 0, held_one_year * held_one_year_price, 0)


def rented_hour_cost(rented_accelerators, rented_price) -> DollarsPerHour:
    """What is rented beside the commitments, for an hour.

    Source: definition.
    """
    return np.where(rented_accelerators > 0, rented_accelerators * rented_price, 0)


def interruption_hour_cost(interruption_accelerators, rented_price) -> DollarsPerHour:
    """What stands by for interruptions, for an hour.

    Source: definition.
    """
    return np.where(interruption_accelerators > 0, interruption_accelerators * rented_price, 0)


def transition_hour_cost(started_accelerators, start_time, rented_price) -> DollarsPerHour:
    """Rent of started accelerators from the order to the first request: booting, and loading the weights.

    Source: definition; the time is measured, or assumed.
    """
    order = start_time / SECONDS_PER_HOUR / AN_HOUR
    return np.where(started_accelerators > 0, started_accelerators * order * rented_price, 0)


def hour_bill(commitment_hour_cost, rented_hour_cost, interruption_hour_cost, transition_hour_cost) -> DollarsPerHour:
    """All that is paid for an hour.

    Source: definition.
    """
    return commitment_hour_cost + rented_hour_cost + interruption_hour_cost + transition_hour_cost


def filled_hour_cost(
    filled_accelerators,
    held_owned,
    held_owned_price,
    held_three_year,
    held_three_year_price,
    held_one_year,
    held_one_year_price,
    rented_price,
) -> DollarsPerHour:
    """The first so many accelerators of an hour, taken from the cheapest terms on: owned, three years, one year, rent.

    Source: definition.
    """
    owned = np.minimum(filled_accelerators, held_owned)
    three_year = np.minimum(filled_accelerators - owned, held_three_year)
    one_year = np.minimum(filled_accelerators - owned - three_year, held_one_year)
    rented = filled_accelerators - owned - three_year - one_year
    committed = np.where(owned > 0, owned * held_owned_price, 0) + np.where(
        three_year > 0, three_year * held_three_year_price, 0
    )
    return (
        committed
        + np.where(one_year > 0, one_year * held_one_year_price, 0)
        + np.where(rented > 0, rented * rented_price, 0)
    )


def headroom_hour_cost(required_hour_cost, useful_hour_cost) -> DollarsPerHour:
    """What keeps waiting short: whole replicas, and the load they are not driven to.

    Source: definition.
    """
    return required_hour_cost - useful_hour_cost


def reserve_hour_cost(needed_hour_cost, required_hour_cost, interruption_hour_cost) -> DollarsPerHour:
    """What stands by for failures and interruptions.

    Source: definition.
    """
    return needed_hour_cost - required_hour_cost + interruption_hour_cost


def idle_hour_cost(
    held_owned,
    from_owned,
    held_owned_price,
    held_three_year,
    from_three_year,
    held_three_year_price,
    held_one_year,
    from_one_year,
    held_one_year_price,
) -> DollarsPerHour:
    """Commitments that the hour does not need.

    Source: definition.
    """
    owned = np.where(held_owned > from_owned, (held_owned - from_owned) * held_owned_price, 0)
    three_years = held_three_year - from_three_year
    one_years = held_one_year - from_one_year
    reserved = np.where(three_years > 0, three_years * held_three_year_price, 0)
    return owned + reserved + np.where(one_years > 0, one_years * held_one_year_price, 0)


# All hours of the month together


def hourly_utilization(profile_requests, request_rate, running_hours) -> Share:
    """Share of what the replicas that run could serve that they do serve, over all hours of the month.

    Source: definition.
    """
    served = profile_requests / request_rate / SECONDS_PER_HOUR
    return np.where(running_hours > 0, served / running_hours, NOT_AVAILABLE)


def hourly_prefill_utilization(profile_requests, prefill_time, prefill_running_hours) -> Share:
    """The same of the prefill pool.

    Source: definition.
    """
    served = profile_requests * prefill_time / SECONDS_PER_HOUR
    return np.where(prefill_running_hours > 0, served / prefill_running_hours, NOT_AVAILABLE)


def hourly_accelerator_cost(bill, running_hours, prefill_running_hours, accelerator_count) -> DollarsPerHour:
    """The bill for each hour of an accelerator in a replica that runs.

    Source: definition.
    """
    hours = (running_hours + prefill_running_hours) * accelerator_count
    return np.where(hours > 0, bill / hours, NOT_AVAILABLE)


def held_utilization(useful_hours, held_hours) -> Share:
    """Share of the accelerator-hours that are paid for in which requests are served.

    Source: definition.
    """
    return np.where(held_hours > 0, useful_hours / held_hours, NOT_AVAILABLE)


def bill_token_cost(bill, sold_tokens) -> DollarsPerMillionTokens:
    """The bill spread over all tokens that customers saw: at the actual load. All-in.

    Source: definition.
    """
    return np.where(sold_tokens > 0, bill / sold_tokens, NOT_AVAILABLE)


def full_load_token_cost(bill_token_cost, held_utilization) -> DollarsPerMillionTokens:
    """The same if every accelerator-hour that is paid for served requests: the floor of the actual one. All-in.

    Source: definition.
    """
    return bill_token_cost * held_utilization
