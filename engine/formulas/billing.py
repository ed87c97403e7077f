"""Billing: what customers are billed for a request, bucket by bucket, and what of the month's requests is billed.

Knows nothing of sheets, files or other formulas. A row is a class of requests under one price list. A bucket without a
price bills nothing, and its tokens and requests are said; a price of 0 is a price.
"""

import numpy as np

from engine.units import (
    NOT_AVAILABLE,
    SECONDS_PER_DAY,
    TOKENS_PER_MILLION,
    Constant,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    DollarsPerRequest,
    Flag,
    MillionTokensPerMonth,
    Number,
    RequestsPerMonth,
    RequestsPerSecond,
    Share,
    Text,
    TokensPerRequest,
)

A_DAY = Constant(1, "day/month")
NOISE = Constant(1e-9, "")  # of shares of a month that are added up


# Prices


def converted_price(foreign_price, exchange_rate) -> DollarsPerMillionTokens:
    """A price in the currency of the report, at the rate of a day.

    Source: definition; the rate is an input with its date.
    """
    return foreign_price * exchange_rate


def is_long_context(input_tokens, list_threshold) -> Flag:
    """Whether a prompt is billed in the long-context tier; a threshold of 0 is no tier.

    Source: price lists of Anthropic and Google: the tier starts above 200,000 input tokens.
    """
    return np.where(np.logical_and(list_threshold > 0, input_tokens > list_threshold), 1, 0)


def input_tier_multiple(is_long_context, list_input_multiple) -> Number:
    """By what the input prices are multiplied.

    Source: price lists of Anthropic and Google: twice the price in the long-context tier.
    """
    return np.where(is_long_context > 0, list_input_multiple, 1)


def output_tier_multiple(is_long_context, list_output_multiple) -> Number:
    """By what the output prices are multiplied.

    Source: price lists of Anthropic and Google: one and a half times the price in the long-context tier.
    """
    return np.where(is_long_context > 0, list_output_multiple, 1)


def paid_share(batch_share, list_batch_discount, off_peak_share, list_off_peak_discount, customer_discount) -> Share:
    """Share of the list price that is billed, after batch tier, off-peak hours and the customer's own discount.

    Source: price lists of OpenAI, Anthropic and Google: half the price in the batch tier.
    """
    tiers = (1 - batch_share * list_batch_discount) * (1 - off_peak_share * list_off_peak_discount)
    return tiers * (1 - customer_discount)


# A request by bucket, at list prices


def cache_write_tokens(fresh_input_tokens, cache_write_share) -> TokensPerRequest:
    """Fresh input that is billed as written to the cache.

    Source: definition.
    """
    return fresh_input_tokens * cache_write_share


def plain_input_tokens(fresh_input_tokens, cache_write_tokens) -> TokensPerRequest:
    """Fresh input that is billed as plain input.

    Source: definition.
    """
    return fresh_input_tokens - cache_write_tokens


def bucket_list(bucket_tokens, bucket_price, has_bucket_price, tier_multiple) -> DollarsPerRequest:
    """What a request's tokens of one bucket cost at the list price; nothing where there is none.

    Source: definition.
    """
    return np.where(has_bucket_price > 0, bucket_tokens * bucket_price * tier_multiple / TOKENS_PER_MILLION, 0)


def request_list(plain_input_list, cache_write_list, cache_read_list, output_list, reasoning_list) -> DollarsPerRequest:
    """What a request costs at list prices.

    Source: definition.
    """
    return plain_input_list + cache_write_list + cache_read_list + output_list + reasoning_list


def unpriced_tokens(
    plain_input_tokens,
    has_input_price,
    cache_write_tokens,
    has_cache_write_price,
    cached_tokens,
    has_cached_input_price,
    output_tokens,
    has_output_price,
    reasoning_tokens,
    has_reasoning_price,
) -> TokensPerRequest:
    """Tokens of a request that fall into a bucket without a price, mean over the days of the month.

    Source: definition; `has_` is the share of the month's days on which there is a price.
    """
    prompt = plain_input_tokens * (1 - has_input_price) + cache_write_tokens * (1 - has_cache_write_price)
    answer = output_tokens * (1 - has_output_price) + reasoning_tokens * (1 - has_reasoning_price)
    return prompt + cached_tokens * (1 - has_cached_input_price) + answer


def unpriced_share(
    plain_input_tokens,
    has_input_price,
    cache_write_tokens,
    has_cache_write_price,
    cached_tokens,
    has_cached_input_price,
    output_tokens,
    has_output_price,
    reasoning_tokens,
    has_reasoning_price,
) -> Share:
    """Share of requests of which some tokens have no price: the days of the bucket that lacks most.

    Source: definition.
    """
    plain = np.where(plain_input_tokens > 0, 1 - has_input_price, 0)
    written = np.where(cache_write_tokens > 0, 1 - has_cache_write_price, 0)
    cached = np.where(cached_tokens > 0, 1 - has_cached_input_price, 0)
    output = np.where(output_tokens > 0, 1 - has_output_price, 0)
    reasoning = np.where(reasoning_tokens > 0, 1 - has_reasoning_price, 0)
    prompt = np.maximum(np.maximum(plain, written), cached)
    lacking = np.maximum(prompt, np.maximum(output, reasoning))
    return np.where(lacking > NOISE, lacking, 0)


def unpriced_warning(
    unpriced_share,
    plain_input_tokens,
    has_input_price,
    cache_write_tokens,
    has_cache_write_price,
    cached_tokens,
    has_cached_input_price,
    output_tokens,
    has_output_price,
    reasoning_tokens,
    has_reasoning_price,
) -> Text:
    """Which bucket has tokens and no price on some day, the first of them; empty where none has.

    Source: definition.
    """
    lacks_reasoning = np.logical_and(reasoning_tokens > 0, 1 - has_reasoning_price > NOISE)
    lacks_read = np.logical_and(cached_tokens > 0, 1 - has_cached_input_price > NOISE)
    lacks_write = np.logical_and(cache_write_tokens > 0, 1 - has_cache_write_price > NOISE)
    lacks_output = np.logical_and(output_tokens > 0, 1 - has_output_price > NOISE)
    lacks_plain = np.logical_and(plain_input_tokens > 0, 1 - has_input_price > NOISE)
    reasoning = np.where(lacks_reasoning, "hidden reasoning has no price: its tokens are not billed", "")
    cached = np.where(lacks_read, "cache reads have no price: their tokens are not billed", reasoning)
    written = np.where(lacks_write, "cache writes have no price: their tokens are not billed", cached)
    answers = np.where(lacks_output, "output has no price: its tokens are not billed", written)
    missing = np.where(lacks_plain, "input has no price: its tokens are not billed", answers)
    return np.where(unpriced_share > 0, missing, "")


def net_request_revenue(request_list, paid_share, billed_share, credit_share, refund_share) -> DollarsPerRequest:
    """What a served request brings on average: billed or not, after tiers, discounts, credits and refunds.

    Source: definition.
    """
    return request_list * paid_share * billed_share * (1 - credit_share - refund_share)


# The month


def line_load(mean_load, class_requests, mean_requests) -> RequestsPerSecond:
    """Requests per second of one class that a configuration serves: its share of all that the traffic sends.

    Source: definition.
    """
    return mean_load * class_requests / mean_requests


def served_requests(line_load, days_in_month) -> RequestsPerMonth:
    """Requests that are served in the month, billed or not.

    Source: definition.
    """
    return line_load * SECONDS_PER_DAY * days_in_month


def billed_share(free_share, retry_share, aborted_share, internal_share) -> Share:
    """Share of served requests that is billed: not the free tier, not retries, aborted and internal ones.

    Source: definition; none where the shares come to more than all requests.
    """
    billed = 1 - free_share - retry_share - aborted_share - internal_share
    return np.where(billed >= 0, billed, NOT_AVAILABLE)


def billed_requests(served_requests, billed_share) -> RequestsPerMonth:
    """Requests of the month that are billed.

    Source: definition.
    """
    return served_requests * billed_share


def unbilled_requests(served_requests, billed_requests) -> RequestsPerMonth:
    """Requests of the month that are served and not billed.

    Source: definition.
    """
    return served_requests - billed_requests


def unpriced_requests(billed_requests, unpriced_share) -> RequestsPerMonth:
    """Billed requests of which some tokens fall into a bucket without a price.

    Source: definition.
    """
    return billed_requests * unpriced_share


def unbilled_tokens(
    unbilled_requests, input_tokens, output_tokens, reasoning_tokens, billed_requests, unpriced_tokens
) -> MillionTokensPerMonth:
    """Tokens that are served and not billed: all of unbilled requests, and those without a price of billed ones.

    Source: definition.
    """
    whole = unbilled_requests * (input_tokens + output_tokens + reasoning_tokens)
    return (whole + billed_requests * unpriced_tokens) / TOKENS_PER_MILLION


# From the list value of all that is served down to the net revenue, step by step


def list_value(served_requests, request_list) -> DollarsPerMonth:
    """All served requests at list prices.

    Source: definition.
    """
    return served_requests * request_list


def given_away(list_value, unbilled_share) -> DollarsPerMonth:
    """List value of served requests that are not billed, for one reason.

    Source: definition.
    """
    return list_value * unbilled_share


def discounts(list_value, billed_share, paid_share) -> DollarsPerMonth:
    """List value that tiers and discounts take from billed requests.

    Source: definition.
    """
    return list_value * billed_share * (1 - paid_share)


def gross_billing(billed_requests, request_list, paid_share) -> DollarsPerMonth:
    """What is invoiced in the month.

    Source: definition.
    """
    return billed_requests * request_list * paid_share


def credits(gross_billing, credit_share) -> DollarsPerMonth:
    """Part of the invoices that customers settle with credits they were given.

    Source: definition.
    """
    return gross_billing * credit_share


def refunds(gross_billing, refund_share) -> DollarsPerMonth:
    """Part of the invoices that is paid back.

    Source: definition.
    """
    return gross_billing * refund_share


def net_revenue(gross_billing, credits, refunds) -> DollarsPerMonth:
    """What customers pay for the month.

    Source: definition.
    """
    return gross_billing - credits - refunds


def bucket_revenue(bucket_list, billed_requests, paid_share, credit_share, refund_share) -> DollarsPerMonth:
    """Net revenue of the month from one bucket; credits and refunds fall on all buckets alike.

    Source: definition.
    """
    return bucket_list * billed_requests * paid_share * (1 - credit_share - refund_share)
