"""Pricing: own cost against an API's price, the cost of a response, falling prices and reasoning tokens.

Knows nothing of sheets, files or other formulas. A break-even that does not exist is no number; a text says why.
"""

import numpy as np

from engine.units import (
    A_YEAR,
    MONTHS_PER_YEAR,
    NOT_AVAILABLE,
    ONE_REQUEST,
    SECONDS_PER_DAY,
    TOKENS_PER_MILLION,
    Constant,
    Dollars,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    DollarsPerRequest,
    DollarsPerYear,
    MillionTokensPerYear,
    Number,
    Requests,
    RequestsPerSecond,
    Share,
    Text,
    TokensPerRequest,
    Years,
)

ONE_OUTPUT = Constant(1, "")


def query_cost(
    fresh_input_tokens, input_cost, cached_tokens, cached_token_cost, generated_tokens, output_cost
) -> DollarsPerRequest:
    """One request all-in: fresh prompt, cached prompt and answer, hidden reasoning included.

    Source: definition.
    """
    prompt = fresh_input_tokens * input_cost + cached_tokens * cached_token_cost
    return (prompt + generated_tokens * output_cost) / TOKENS_PER_MILLION


def decode_cost_share(generated_tokens, output_cost, request_cost) -> Share:
    """Share of a request's cost that its answer takes.

    Source: definition.
    """
    return generated_tokens * output_cost / TOKENS_PER_MILLION / request_cost


def spread_output_cost(single_output_cost, batch_size) -> DollarsPerMillionTokens:
    """Output cost where a batch does not lengthen the step: the cost of a single sequence, shared. Output only.

    Source: Sanger, Inference characteristics of Llama (2023), bandwidth-bound decode without KV cache.
    """
    return single_output_cost / (batch_size / ONE_REQUEST)


def api_request_cost(
    fresh_input_tokens,
    cached_tokens,
    generated_tokens,
    api_input_price,
    cache_write_premium,
    api_cached_price,
    api_output_price,
) -> DollarsPerRequest:
    """What an API bills for one request; fresh input is written to its cache, hidden reasoning is billed as output.

    Source: definition.
    """
    written = fresh_input_tokens * api_input_price * (1 + cache_write_premium)
    prompt = written + cached_tokens * api_cached_price
    return (prompt + generated_tokens * api_output_price) / TOKENS_PER_MILLION


def break_even_input_output(input_cost, output_cost, api_input_price, api_output_price) -> Number:
    """Input tokens for each output token at which own serving and the API cost the same.

    Only where each is cheaper at one of the two; elsewhere one of them always wins and there is none.

    Source: Sanger, Inference characteristics of Llama (2023).
    """
    prompts = np.logical_and(input_cost < api_input_price, output_cost > api_output_price)
    answers = np.logical_and(input_cost > api_input_price, output_cost < api_output_price)
    crossing = (output_cost - api_output_price) / (api_input_price - input_cost)
    return np.where(np.logical_or(prompts, answers), crossing, NOT_AVAILABLE)


def own_or_api(input_cost, output_cost, api_input_price, api_output_price) -> Text:
    """Where own serving is cheaper than the API.

    Source: definition.
    """
    above = np.where(input_cost < api_input_price, "above the break-even ratio", "the same at any ratio")
    dearer = np.logical_and(input_cost >= api_input_price, output_cost >= api_output_price)
    cheaper = np.logical_and(input_cost <= api_input_price, output_cost <= api_output_price)
    below = np.where(input_cost > api_input_price, "below the break-even ratio", above)
    never = np.where(np.logical_or(input_cost > api_input_price, output_cost > api_output_price), "never", below)
    always = np.where(np.logical_or(input_cost < api_input_price, output_cost < api_output_price), "always", below)
    return np.where(dearer, never, np.where(cheaper, always, below))


def ratio_cost(input_ratio, input_cost, output_cost) -> DollarsPerMillionTokens:
    """A million tokens of which so many are input for each token of output.

    Source: Sanger, Inference characteristics of Llama (2023).
    """
    return (input_ratio * input_cost + output_cost) / (input_ratio + ONE_OUTPUT)


def cheaper_side(ratio_cost, api_ratio_cost) -> Text:
    """Who is cheaper at a ratio of input to output.

    Source: definition.
    """
    return np.where(ratio_cost < api_ratio_cost, "own", "API")


def context_warning(input_tokens, generated_tokens, context_limit) -> Text:
    """What to say where a request is longer than an API's prices hold for; empty where it is not.

    Source: definition; a limit of 0 is none.
    """
    longer = np.logical_and(context_limit > 0, input_tokens + generated_tokens > context_limit)
    return np.where(longer, "requests are longer than these prices hold for", "")


def api_cost_ratio(api_request_cost, request_cost) -> Number:
    """What the API bills for a request as a multiple of its own cost.

    Source: definition.
    """
    return np.where(request_cost > 0, api_request_cost / request_cost, NOT_AVAILABLE)


def api_month(mean_load, api_request_cost, days_in_month) -> DollarsPerMonth:
    """What the API bills for the month's requests.

    Source: definition.
    """
    return mean_load * SECONDS_PER_DAY * days_in_month * api_request_cost


def own_saving(api_month, fleet_cost) -> DollarsPerMonth:
    """What serving oneself saves in the month against the API; negative where the API is cheaper.

    Source: definition.
    """
    return api_month - fleet_cost


def break_even_requests(fleet_cost, api_request_cost, days_in_month) -> RequestsPerSecond:
    """Requests per second at which the API's bill reaches the rent of the fleet.

    Source: definition; the fleet has to be able to serve them.
    """
    month = fleet_cost / (api_request_cost * SECONDS_PER_DAY * days_in_month)
    return np.where(api_request_cost > 0, month, NOT_AVAILABLE)


def response_cost(output_cost, generated_tokens) -> DollarsPerRequest:
    """One answer. Output only.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return output_cost * generated_tokens / TOKENS_PER_MILLION


def responses_cost(response_cost, response_count) -> Dollars:
    """Several answers. Output only.

    Source: definition.
    """
    return response_cost * response_count


def responses_within(budget, response_cost) -> Requests:
    """Answers that a sum of money pays for.

    Source: definition.
    """
    return np.where(response_cost > 0, budget / response_cost, NOT_AVAILABLE)


def annual_price_factor(first_price, last_price, price_years) -> Number:
    """By what factor a price falls in a year, when it fell from the first to the last; below 1 it rises.

    Source: definition.
    """
    known = np.logical_and(price_years > 0, np.minimum(first_price, last_price) > 0)
    return np.where(known, (first_price / last_price) ** (A_YEAR / price_years), NOT_AVAILABLE)


def price_warning(first_price, last_price, price_years) -> Text:
    """What to say about a course of prices; empty where it falls as expected.

    Source: definition.
    """
    rising = np.where(last_price > first_price, "the price rises", "")
    unknown = np.where(np.minimum(first_price, last_price) > 0, rising, "a price is missing")
    return np.where(price_years > 0, unknown, "no time passes between the prices")


def projected_price(last_price, annual_price_factor, years_ahead, price_floor) -> DollarsPerMillionTokens:
    """Price after some years of the same decline, never below the floor.

    Source: definition; the floor is own marginal cost, or 0.
    """
    return np.maximum(price_floor, last_price / annual_price_factor ** (years_ahead / A_YEAR))


def yearly_tokens(sold_tokens) -> MillionTokensPerYear:
    """Tokens that customers see in a year at the month's rate.

    Source: definition.
    """
    return sold_tokens * MONTHS_PER_YEAR


def contract_value(projected_price, yearly_tokens) -> DollarsPerYear:
    """What a year of a contract brings at the price of that year.

    Source: definition.
    """
    return projected_price * yearly_tokens


def years_to_cost(last_price, price_floor, annual_price_factor) -> Years:
    """Years until a falling price reaches its floor, own cost: 0 where it has, none where it does not fall.

    Source: definition.
    """
    years = np.log2(last_price / price_floor) / np.log2(annual_price_factor) * A_YEAR
    return np.where(annual_price_factor > 1, np.maximum(0, years), NOT_AVAILABLE)


def reasoning_ratio(reasoning_tokens, output_tokens) -> Number:
    """Hidden tokens for each visible one.

    Source: definition.
    """
    return np.where(output_tokens > 0, reasoning_tokens / output_tokens, NOT_AVAILABLE)


def reasoning_multiple(reasoning_ratio, reasoning_price, output_price) -> Number:
    """What an answer costs with reasoning as a multiple of one without, where output dominates the bill.

    Source: definition; hidden tokens are billed as output.
    """
    return np.where(output_price > 0, (1 + reasoning_ratio) * reasoning_price / output_price, NOT_AVAILABLE)


def affordable_reasoning(answer_budget, input_tokens, input_price, output_tokens, output_price) -> TokensPerRequest:
    """Hidden tokens that an answer's budget leaves room for.

    Source: definition.
    """
    left = answer_budget * TOKENS_PER_MILLION - input_tokens * input_price
    return np.where(output_price > 0, np.maximum(0, left / output_price - output_tokens), NOT_AVAILABLE)
