"""Price lists: what a list comes to over the days of the month, and which share of it a traffic brings.

Knows nothing of sheets, files or other formulas. A row is a row of a price list with its days, or several classes of a
traffic under one list. A day or a bucket without a price counts as 0.
"""

import numpy as np

from engine.units import (
    NOT_AVAILABLE,
    Constant,
    DaysPerMonth,
    DollarsPerMillionTokens,
    DollarsPerSecond,
    Number,
    Share,
    TokensPerRequest,
    TokensPerSecond,
)

A_DAY = Constant(1, "day/month")

# A row of a list, and all its rows together


def valid_days(valid_from, valid_until, month_start, days_in_month) -> DaysPerMonth:
    """Days of the month on which a row of a price list holds; its first and last day count.

    Source: definition; a date is the number of its day, as a workbook counts.
    """
    days_to_end = np.minimum(valid_until - month_start + 1, days_in_month / A_DAY)
    return np.maximum(0, days_to_end - np.maximum(0, valid_from - month_start)) * A_DAY


def valid_share(valid_days, days_in_month) -> Share:
    """Share of the month in which it holds.

    Source: definition.
    """
    return np.where(days_in_month > 0, valid_days / days_in_month, NOT_AVAILABLE)


def price_part(row_price, valid_share) -> DollarsPerMillionTokens:
    """What one row of a price list adds to a price of the month: the mean over its days; none is 0.

    Source: definition.
    """
    return row_price * valid_share


def priced_share(has_row_price, valid_share) -> Share:
    """Share of the month on which a row of a price list has a price for a bucket.

    Source: definition.
    """
    return has_row_price * valid_share


def term_part(row_term, valid_share) -> Number:
    """What one row of a price list adds to a discount or multiple of the month.

    Source: definition.
    """
    return row_term * valid_share


def valid_threshold(long_context_threshold, valid_share) -> TokensPerRequest:
    """The threshold of a row that holds in the month.

    Source: definition.
    """
    return np.where(valid_share > 0, long_context_threshold, 0)


def month_multiple(multiple_parts, covered_share) -> Number:
    """A multiple of the month: the mean over the days with a price list; 1 where there are none.

    Source: definition.
    """
    return np.where(covered_share > 0, multiple_parts / covered_share, 1)


def month_discount(discount_parts, covered_share) -> Share:
    """A discount of the month: the mean over the days with a price list.

    Source: definition.
    """
    return np.where(covered_share > 0, discount_parts / covered_share, 0)


# Classes of a traffic under one price list, weighted with their requests


def weighted_list(class_weight, plain_request_list) -> DollarsPerSecond:
    """List value of a class's requests, before tiers.

    Source: definition.
    """
    return class_weight * plain_request_list


def weighted_net(class_weight, net_request_revenue) -> DollarsPerSecond:
    """Net revenue of a class's requests.

    Source: definition.
    """
    return class_weight * net_request_revenue


def weighted_fresh(class_weight, fresh_input_tokens) -> TokensPerSecond:
    """Fresh input of a class.

    Source: definition.
    """
    return class_weight * fresh_input_tokens


def weighted_written(class_weight, cache_write_tokens) -> TokensPerSecond:
    """Fresh input of a class that is billed as written to the cache.

    Source: definition.
    """
    return class_weight * cache_write_tokens


def tariff_collected_share(traffic_net, traffic_list) -> Share:
    """Share of the plain list value that a traffic brings; above 1 where its long prompts cost a multiple.

    Source: definition.
    """
    return np.where(traffic_list > 0, traffic_net / traffic_list, 1)


def tariff_write_share(traffic_written, traffic_fresh) -> Share:
    """Share of a traffic's fresh input that is billed as written to the cache.

    Source: definition.
    """
    return np.where(traffic_fresh > 0, traffic_written / traffic_fresh, 0)
