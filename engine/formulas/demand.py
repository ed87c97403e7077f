"""Demand: requests of a month and of an hour of its days, batch work in the valleys, and the batch an hour makes.

Knows nothing of sheets, files or other formulas. A row is an hour of a weekday or of a weekend day; sums over rows are
given. The batch of an hour follows from its demand: how many sequences a replica decodes, by Little's law with the
step that they themselves make.
"""

import numpy as np

from engine.units import (
    HOURS_PER_DAY,
    NOT_AVAILABLE,
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    Constant,
    DaysPerMonth,
    HoursPerMonth,
    Number,
    RequestsPerDay,
    RequestsPerMonth,
    RequestsPerSecond,
    Seconds,
    Sequences,
    Share,
    Text,
)

ONE_OF_THE_DAY = Constant(1, "h/day")
# A replica that does nothing but prompts would never finish an answer.
MOST_PROMPTS = Constant(0.999999, "")
# Two tries as close as this are one, and a line as steep as this does not meet the other.
SETTLED = Constant(1e-6, "request")
STEEPEST = Constant(0.999999, "")


# The month, its days and their hours


def weekdays(working_days, days_in_month, calendar_days) -> DaysPerMonth:
    """Days of the month, or of a part of it, that are not of a weekend, where so many days are billed.

    Source: definition.
    """
    return working_days * days_in_month / calendar_days


def weekend_days(part_days, working_days, days_in_month, calendar_days) -> DaysPerMonth:
    """The same that are of a weekend.

    Source: definition.
    """
    return (part_days - working_days) * days_in_month / calendar_days


def weighted_days(weekdays, weekend_days, weekend_weight) -> DaysPerMonth:
    """Weekdays that would bring as many requests as the whole month; a weekend day counts by its weight.

    Source: definition.
    """
    return weekdays + weekend_weight * weekend_days


def weekday_requests(class_requests, days_in_month, weighted_days) -> RequestsPerDay:
    """Requests of a class on a weekday.

    Source: definition.
    """
    month = class_requests * SECONDS_PER_DAY * days_in_month
    return np.where(weighted_days > 0, month / weighted_days, NOT_AVAILABLE)


def kind_days(is_every_day, is_weekend, weekdays, weekend_days) -> DaysPerMonth:
    """Days of the month that this hour is an hour of: weekdays, weekend days, or all.

    Source: definition.
    """
    return np.where(is_every_day > 0, weekdays + weekend_days, np.where(is_weekend > 0, weekend_days, weekdays))


def profile_hours(is_every_day, kind_days) -> HoursPerMonth:
    """Hours of the month that look like this one: one on each day of its kind, or all where the load is even.

    Source: definition.
    """
    return kind_days * np.where(is_every_day > 0, HOURS_PER_DAY, ONE_OF_THE_DAY)


def day_requests(is_every_day, is_weekend, class_requests, weekday_requests, weekend_weight) -> RequestsPerDay:
    """Requests of one day of this kind.

    Source: definition.
    """
    of_kind = weekday_requests * np.where(is_weekend > 0, weekend_weight, 1)
    return np.where(is_every_day > 0, class_requests * SECONDS_PER_DAY, of_kind)


def hour_requests(day_requests, hour_share) -> RequestsPerSecond:
    """Requests per second of the hour: its share of the day's.

    Source: definition.
    """
    return day_requests * hour_share / ONE_OF_THE_DAY / SECONDS_PER_HOUR


def own_part(traffic_part, served_share) -> RequestsPerSecond:
    """Requests per second of the hour that a configuration serves: its share of the traffic's.

    Source: definition.
    """
    return traffic_part * served_share


def profile_requests(hour_requests, profile_hours) -> RequestsPerMonth:
    """Requests that come in the month in hours like this one.

    Source: definition.
    """
    return hour_requests * SECONDS_PER_HOUR * profile_hours


# Batch work that may wait for the valleys of the day


def deferrable_requests(hour_requests, batch_share) -> RequestsPerSecond:
    """Requests per second of the batch tier, which may wait for hours of the day with room.

    Source: definition.
    """
    return hour_requests * batch_share


def immediate_requests(hour_requests, deferrable_requests) -> RequestsPerSecond:
    """Requests per second that are answered at once.

    Source: definition.
    """
    return hour_requests - deferrable_requests


def peak_multiple(peak_requests, busiest_hour_requests) -> Number:
    """How much the busiest minutes of the month exceed the mean of their hour; 1 where the hour is as busy as they are.

    Source: definition.
    """
    return np.where(busiest_hour_requests > 0, np.maximum(1, peak_requests / busiest_hour_requests), 1)


def sized_requests(immediate_requests, peak_multiple) -> RequestsPerSecond:
    """Requests per second that the hour's replicas are sized for: those to be answered at once, in its busiest minutes.

    Source: definition.
    """
    return immediate_requests * peak_multiple


def fleet_rate(replica_count, request_rate) -> RequestsPerSecond:
    """Requests per second that the fleet of the busiest hour can serve.

    Source: definition.
    """
    return replica_count * request_rate


def valley_room(fleet_rate, valley_limit, immediate_requests) -> RequestsPerSecond:
    """Requests per second that fit below the stated share of the fleet's capacity, beside those answered at once.

    Source: definition; the limit is an input.
    """
    return np.maximum(0, fleet_rate * valley_limit - immediate_requests)


def valley_fill(day_deferrable_requests, day_valley_room) -> Share:
    """Share of the day's room that batch work takes, the same in every hour; never more than there is.

    Source: definition.
    """
    return np.where(day_valley_room > 0, np.minimum(1, day_deferrable_requests / day_valley_room), 0)


def filled_requests(valley_room, valley_fill) -> RequestsPerSecond:
    """Requests per second of the batch tier that are served in the hour.

    Source: definition.
    """
    return valley_room * valley_fill


def left_over_share(day_deferrable_requests, day_valley_room) -> Share:
    """Share of the batch work for which the day has no room; it is served when it comes.

    Source: definition.
    """
    left = 1 - day_valley_room / day_deferrable_requests
    return np.where(day_deferrable_requests > 0, np.maximum(0, left), 0)


def left_over_requests(deferrable_requests, left_over_share) -> RequestsPerSecond:
    """Requests per second of the batch tier that are served when they come, because no valley holds them.

    Source: definition.
    """
    return deferrable_requests * left_over_share


def served_hour_requests(immediate_requests, filled_requests, left_over_requests) -> RequestsPerSecond:
    """Requests per second that the hour serves, batch work in its valley included.

    Source: definition.
    """
    return immediate_requests + filled_requests + left_over_requests


def day_left_over(day_deferrable_requests, day_valley_room) -> RequestsPerSecond:
    """Batch work for which the day has no room, summed over its hours like the two it follows from.

    Source: definition.
    """
    return np.maximum(0, day_deferrable_requests - day_valley_room)


def valley_warning(day_left_over) -> Text:
    """What to say about batch work; empty where the valleys hold it.

    Source: definition.
    """
    return np.where(day_left_over > 0, "the valleys do not hold all batch work", "")


# The batch of an hour


def replica_rate(served_hour_requests, running_replicas, request_rate) -> RequestsPerSecond:
    """Requests per second that one replica serves: its part of the hour's, and no more than it can.

    Source: definition.
    """
    return np.where(running_replicas > 0, np.minimum(request_rate, served_hour_requests / running_replicas), 0)


def busy_cycle_time(
    replica_rate,
    pipeline_stages,
    prefill_work_time,
    batch_size,
    decode_steps,
    step_time,
    time_to_first_token,
    shared_pool,
) -> Seconds:
    """Time that a request spends in a replica at this rate: its first token, then steps that others' prompts stretch.

    The wait for a first token is that of a full replica.

    Source: the cycle of a full replica, our calibration (README, Fidelity), at the prompts that come with the rate.
    """
    answer = decode_steps * step_time
    first = np.where(shared_pool > 0, time_to_first_token, 0)
    prompts = np.minimum(MOST_PROMPTS, replica_rate / pipeline_stages * prefill_work_time / batch_size)
    return np.maximum(first + answer, answer / (1 - prompts))


def busy_batch(replica_rate, pipeline_stages, busy_cycle_time, batch_size) -> Sequences:
    """Sequences that a replica's requests keep in a batch, by Little's law; never more than its places.

    Source: Little (1961).
    """
    return np.minimum(batch_size, replica_rate / pipeline_stages * busy_cycle_time)


def mean_batch(weighted_batch, profile_requests) -> Sequences:
    """Sequences that a replica decodes together where the batch follows demand, as its requests find it on average.

    None where the batch does not follow demand.

    Source: definition, the mean over the hours weighted with their requests.
    """
    return np.where(profile_requests > 0, weighted_batch / profile_requests, 0)


def first_batch(following_batch, batch_size) -> Sequences:
    """The batch that is tried first: what follows from the step of a full replica, so more than there will be.

    Source: fixed-point iteration.
    """
    return np.minimum(batch_size, following_batch)


def closer_batch(earlier_batch, earlier_result, later_batch, later_result, batch_size) -> Sequences:
    """The batch at which as many sequences decode as it was timed with, if the two tries lay on a straight line.

    Source: secant method.
    """
    apart = np.where(earlier_batch > later_batch, earlier_batch - later_batch, later_batch - earlier_batch)
    slope = (earlier_result - later_result) / (earlier_batch - later_batch)
    crossing = (later_result - slope * later_batch) / (1 - slope)
    useful = np.logical_and(apart > SETTLED, slope < STEEPEST)
    return np.where(useful, np.maximum(0, np.minimum(batch_size, crossing)), later_result)
