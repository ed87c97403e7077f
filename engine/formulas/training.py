"""Training: what it cost once, and how much serving costs as much.

Knows nothing of sheets, files or other formulas.
"""

import numpy as np

from engine.units import (
    GIGA,
    NOT_AVAILABLE,
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    TERA,
    TOKENS_PER_MILLION,
    Constant,
    Days,
    Dollars,
    Number,
    Text,
    TrillionTokens,
)

# A token passes forwards, and twice as much work backwards.
TRAINING_FLOP_PER_PARAMETER = Constant(6, "FLOP/value/token")


def training_cost(
    active_parameters, training_tokens, peak_compute, training_compute_share, accelerator_price
) -> Dollars:
    """Rent of the accelerator-hours that training takes.

    Source: Kaplan et al. (2020), six operations for each parameter and token.
    """
    work = TRAINING_FLOP_PER_PARAMETER * active_parameters * GIGA * training_tokens * TERA
    hours = work / (peak_compute * TERA * training_compute_share) / SECONDS_PER_HOUR
    return hours * accelerator_price


def equivalent_tokens(training_cost, output_cost) -> TrillionTokens:
    """Output tokens whose serving costs as much as training did. Output only.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return np.where(output_cost > 0, training_cost / output_cost * TOKENS_PER_MILLION / TERA, NOT_AVAILABLE)


def training_multiple(equivalent_tokens, training_tokens) -> Number:
    """Those output tokens as a multiple of the tokens the model was trained on.

    Source: definition.
    """
    return equivalent_tokens / training_tokens


def crossover_days(equivalent_tokens, mean_load, generated_tokens) -> Days:
    """Days of traffic after which serving has cost as much as training. Output only.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    daily_tokens = mean_load * generated_tokens * SECONDS_PER_DAY
    return np.where(daily_tokens > 0, equivalent_tokens * TERA / daily_tokens, NOT_AVAILABLE)


def crossover_days_all_in(training_cost, mean_load, request_cost) -> Days:
    """Days of traffic after which serving has cost as much as training, prompts counted.

    Source: definition.
    """
    daily_cost = mean_load * request_cost * SECONDS_PER_DAY
    return np.where(daily_cost > 0, training_cost / daily_cost, NOT_AVAILABLE)


def crossover_warning(mean_load) -> Text:
    """What to say where serving never costs as much as training; empty where it does.

    Source: definition.
    """
    return np.where(mean_load > 0, "", "never: no requests are served")
