"""Bursts: how long requests that come at once take, from the first prompt to the last answer, and what that costs.

Knows nothing of sheets, files or other formulas. Replicas do nothing else meanwhile, and a pool that prompts have of
their own keeps up. A burst has a ramp, in which the prompts of the first batch are computed; a steady part, in which
every answer that ends makes room for another request; and a tail, in which nobody follows and the batch empties. How
long the tail is depends on how much answers differ: for answers of one length, in whole batches, and for exponential
ones the form is exact, if a step takes so much by itself and so much for each sequence.
"""

import numpy as np

from engine.units import (
    ONE_REQUEST,
    SECONDS_PER_HOUR,
    Constant,
    Dollars,
    Number,
    Requests,
    Seconds,
    Sequences,
    TokensPerSecond,
)

EULER = Constant(np.euler_gamma, "")


def burst_share(burst_requests, replica_count, pipeline_stages) -> Requests:
    """Requests of the burst for each batch that its replicas have in flight.

    Source: definition.
    """
    return burst_requests / (replica_count * pipeline_stages)


def burst_batch(burst_share, batch_size) -> Sequences:
    """Sequences of the burst that are decoded together; the others wait.

    Source: definition.
    """
    # As a share, because a minimum of cells would pass over a blank one.
    return np.maximum(ONE_REQUEST, batch_size * np.minimum(1, burst_share / batch_size))


def emptied_step_time(step_time, attention_time, sequence_overhead_time, engine_factor) -> Seconds:
    """What of a step does not grow with the sequences in it: matrices, collectives and the software of layers.

    Source: definition; what arithmetic of matrices adds at large batches is counted as if it stayed.
    """
    return step_time - (attention_time + sequence_overhead_time) * engine_factor


def burst_step_time(step_time, emptied_step_time, burst_batch, batch_size) -> Seconds:
    """A step with the burst's sequences, on the line between an emptied step and a full one.

    Source: definition.
    """
    return emptied_step_time + (step_time - emptied_step_time) * burst_batch / batch_size


def ramp_time(cycle_time, decode_steps, step_time, burst_batch, batch_size) -> Seconds:
    """Computing the prompts of the first batch: what of a full replica's cycle is not answers, for so many sequences.

    Source: definition.
    """
    return (cycle_time - decode_steps * step_time) * burst_batch / batch_size


def steady_time(burst_share, burst_batch, ramp_time, decode_steps, burst_step_time) -> Seconds:
    """The answers of the first batch, and a cycle for every further one.

    Source: definition.
    """
    answers = decode_steps * burst_step_time
    return answers + (np.maximum(1, burst_share / burst_batch) - 1) * (ramp_time + answers)


def tail_time(burst_batch, service_variability, decode_steps, emptied_step_time) -> Seconds:
    """Steps that only the longest answers still need, after as many as an answer takes on average.

    Source: Renyi (1953), the longest of n exponential times exceeds their mean by the n-th harmonic number less 1;
    other variability in proportion to the deviation.
    """
    places = burst_batch / ONE_REQUEST
    harmonic = np.log(places) + EULER + 1 / (2 * places) - 1 / (12 * places**2)
    return np.maximum(0, harmonic - 1) * service_variability**0.5 * decode_steps * emptied_step_time


def burst_time(ramp_time, steady_time, tail_time) -> Seconds:
    """From the moment at which the requests come to the last token.

    Source: definition.
    """
    return ramp_time + steady_time + tail_time


def burst_output_speed(burst_requests, generated_tokens, burst_time) -> TokensPerSecond:
    """Output tokens per second of all replicas together, over the whole burst.

    Source: definition.
    """
    return burst_requests * generated_tokens / burst_time


def burst_first_token(
    ramp_time, steady_time, burst_batch, decode_steps, burst_step_time, prefill_overhead_time
) -> Seconds:
    """Mean time to a first token: half of the ramp, half of the cycles of further batches.

    Source: definition.
    """
    further = steady_time - decode_steps * burst_step_time
    return (ramp_time * (1 + ONE_REQUEST / burst_batch) + further) / 2 + prefill_overhead_time


def burst_slowdown(burst_output_speed, output_speed, replica_count) -> Number:
    """Speed of full replicas as a multiple of the burst's: what reading one as the other would promise too much.

    Source: definition.
    """
    return output_speed * replica_count / burst_output_speed


def burst_cost(burst_time, fleet_accelerators, accelerator_price) -> Dollars:
    """Rent of the fleet while the burst lasts.

    Source: definition.
    """
    return burst_time / SECONDS_PER_HOUR * fleet_accelerators * accelerator_price
