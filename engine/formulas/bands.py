"""Bands: between what two figures eight of ten measured ones lie, for a predicted speed and what follows from it.

Knows nothing of sheets, files or other formulas. A band is a factor: its ends are the figure divided by it, and times
it. How wide it is was found on measurements that the fit had not seen (README, Fidelity).
"""

import numpy as np

from engine.units import (
    NOT_AVAILABLE,
    Count,
    DollarsPerMillionTokens,
    Number,
    Seconds,
    Share,
    Text,
    TokensPerSecond,
)


def unmeasured_kinds(
    accelerator_measured,
    model_measured,
    final_context,
    measured_context,
    accelerator_count,
    measured_ranks,
    batch_size,
    measured_batch,
) -> Count:
    """In how many ways a configuration lies outside what was measured: its accelerator, its model, its size.

    Source: our calibration (README, Fidelity).
    """
    longer = np.where(final_context > measured_context, 1, 0)
    wider = np.where(accelerator_count > measured_ranks, 1, 0)
    larger = np.where(batch_size > measured_batch, 1, 0)
    size = np.maximum(longer, np.maximum(wider, larger))
    return np.where(accelerator_measured > 0, 0, 1) + np.where(model_measured > 0, 0, 1) + size


def calibration_verdict(
    measured_output_speed,
    speed_error,
    accelerator_measured,
    model_measured,
    final_context,
    measured_context,
    accelerator_count,
    measured_ranks,
    batch_size,
    measured_batch,
) -> Text:
    """What a speed rests on: the first thing that lies outside what was measured, or that nothing does.

    Source: our calibration (README, Fidelity).
    """
    batch = np.where(batch_size > measured_batch, "outside: batch", "within what was measured")
    ranks = np.where(accelerator_count > measured_ranks, "outside: accelerators of a replica", batch)
    context = np.where(final_context > measured_context, "outside: context", ranks)
    model = np.where(model_measured > 0, context, "outside: model")
    accelerator = np.where(accelerator_measured > 0, model, "outside: accelerator")
    fitted = np.where(speed_error > 1, accelerator, "not fitted")
    return np.where(measured_output_speed > 0, "measured", fitted)


def speed_band(speed_error, unmeasured_error, unmeasured_kinds, measured_output_speed) -> Number:
    """Factor within which eight of ten measured speeds lie; 1 where a measured speed is used, or nothing was fitted.

    Source: our calibration (README, Fidelity); errors that do not depend on each other add up by their squares.
    """
    spread = np.log(np.maximum(1, speed_error)) ** 2 + unmeasured_kinds * np.log(np.maximum(1, unmeasured_error)) ** 2
    predicted = np.where(measured_output_speed > 0, 0, np.where(speed_error > 1, spread, 0))
    return np.exp(predicted**0.5)


def first_token_band(first_token_error, unmeasured_error, unmeasured_kinds) -> Number:
    """Factor within which eight of ten measured times to the first token lie.

    Source: our calibration (README, Fidelity).
    """
    error, other = np.maximum(1, first_token_error), np.maximum(1, unmeasured_error)
    spread = np.log(error) ** 2 + unmeasured_kinds * np.log(other) ** 2
    return np.exp(np.where(first_token_error > 1, spread, 0) ** 0.5)


def lower_output_speed(output_speed, speed_band) -> TokensPerSecond:
    """Output tokens per second of one replica, at the lower end of its band.

    Source: definition.
    """
    return output_speed / speed_band


def upper_output_speed(output_speed, speed_band) -> TokensPerSecond:
    """Output tokens per second of one replica, at the upper end of its band.

    Source: definition.
    """
    return output_speed * speed_band


def lower_user_speed(user_speed, speed_band) -> TokensPerSecond:
    """Tokens per second that one user sees, at the lower end of its band.

    Source: definition.
    """
    return user_speed / speed_band


def upper_user_speed(user_speed, speed_band) -> TokensPerSecond:
    """Tokens per second that one user sees, at the upper end of its band.

    Source: definition.
    """
    return user_speed * speed_band


def lower_time_to_first_token(time_to_first_token, first_token_band) -> Seconds:
    """Time to the first token, at the lower end of its band.

    Source: definition.
    """
    return time_to_first_token / first_token_band


def upper_time_to_first_token(time_to_first_token, first_token_band) -> Seconds:
    """Time to the first token, at the upper end of its band.

    Source: definition.
    """
    return time_to_first_token * first_token_band


def lower_blended_cost(blended_cost, speed_band) -> DollarsPerMillionTokens:
    """Cost of all tokens at the upper end of the speeds: the fleet is so much smaller, at the same utilization.

    Source: definition.
    """
    return blended_cost / speed_band


def upper_blended_cost(blended_cost, speed_band) -> DollarsPerMillionTokens:
    """Cost of all tokens at the lower end of the speeds: the fleet is so much larger, at the same utilization.

    Source: definition.
    """
    return blended_cost * speed_band


def lower_gross_margin(fleet_cost, revenue, speed_band) -> Share:
    """Gross margin with the fleet that the lower end of the speeds needs.

    Source: definition.
    """
    return np.where(revenue > 0, 1 - fleet_cost * speed_band / revenue, NOT_AVAILABLE)


def upper_gross_margin(fleet_cost, revenue, speed_band) -> Share:
    """Gross margin with the fleet that the upper end of the speeds needs.

    Source: definition.
    """
    return np.where(revenue > 0, 1 - fleet_cost / speed_band / revenue, NOT_AVAILABLE)
