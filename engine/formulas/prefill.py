"""Prefill: how long a prompt takes, and the cycle in which prompts and answers share a replica.

Knows nothing of sheets, files or other formulas. A cycle is the time in which every place of the batch serves one
request: its prompt and its answer. Pools that are kept apart have no prefill in the cycle.
"""

import numpy as np

from engine.units import (
    CHUNKED,
    DECODE_FIRST,
    MILLI,
    ONE_REQUEST,
    ONE_TOKEN,
    ONE_TOKEN_PER_REQUEST,
    PETAFLOP,
    PREFILL_FIRST,
    TERA,
    Constant,
    Count,
    Elements,
    Flag,
    Number,
    RequestsPerSecond,
    Seconds,
    SecondsPerRequest,
    Sequences,
    Share,
    Tokens,
    TokensPerRequest,
    TokensPerSecond,
)

CAUSAL_FLOP_PER_ELEMENT = Constant(2, "FLOP*request/value/token")
QUEUE_ONSET = Constant(3, "request")
SMALLEST_DECODING_SHARE = Constant(0.3, "")
# A prompt comes in the middle of a step, on average.
HALF_A_STEP = Constant(0.5, "")


def fresh_input_tokens(input_tokens, cached_tokens) -> TokensPerRequest:
    """Prompt tokens that have to be computed; a cached prefix is not computed again.

    Source: definition.
    """
    return input_tokens - cached_tokens


def whole_batches(scheduling, shared_pool) -> Flag:
    """Whether a batch is answered to its end before new prompts are computed, all of them at once.

    Source: Agrawal et al., Sarathi-Serve (2024): decode first.
    """
    return np.where(np.logical_and(scheduling >= DECODE_FIRST, shared_pool > 0), 1, 0)


def prompt_queue(batch_size, queue_onset_prompts, queue_prompts_per_sequence, whole_batches) -> Sequences:
    """Prompts that stand in front of a new one, itself included.

    Source: our calibration (README, Fidelity); all of a batch where whole batches are answered.
    """
    others = batch_size / ONE_REQUEST - 1
    onset = queue_onset_prompts * (1 - np.exp(-others * ONE_REQUEST / QUEUE_ONSET))
    queue = (1 + onset + queue_prompts_per_sequence * others) * ONE_REQUEST
    return np.where(whole_batches > 0, batch_size, queue)


def chunk_tokens(fresh_input_tokens, prompt_queue, prefill_chunk, scheduling) -> Tokens:
    """Prompt tokens that pass through the matrices together: the engine's chunk, or the prompts that wait if fewer.

    A longer prompt passes whole, unless prompts are computed in chunks.

    Source: our calibration (README, Fidelity).
    """
    whole = np.maximum(prefill_chunk, fresh_input_tokens * ONE_REQUEST)
    in_chunks = np.logical_and(scheduling >= CHUNKED, scheduling < PREFILL_FIRST)
    chunk = np.where(in_chunks, prefill_chunk, whole)
    # At least one, so that a prompt found whole in the cache takes no time rather than none over none.
    return np.maximum(ONE_TOKEN, np.minimum(chunk, prompt_queue * fresh_input_tokens))


def prefill_attention_share(
    bf16_compute, prefill_compute_share, compute_share_exponent, attention_compute_share
) -> Share:
    """Share of the bf16 peak that attention over a prompt reaches.

    Source: our calibration (README, Fidelity).
    """
    return attention_compute_share * prefill_compute_share * (bf16_compute / PETAFLOP) ** (-compute_share_exponent)


def prompt_width(attention_heads, head_dim, kv_lora_rank, nope_dim, rope_dim, value_dim) -> Elements:
    """Elements that a prompt token meets in an earlier one and a layer: over all heads, mean of key and value width.

    Source: Vaswani et al. (2017); DeepSeek-AI, DeepSeek-V2 (2024) for the latent, expanded in prefill.
    """
    return attention_heads * np.where(kv_lora_rank > 0, (nope_dim + rope_dim + value_dim) / 2, head_dim)


def prompt_attention_time(
    fresh_input_tokens,
    input_tokens,
    cached_tokens,
    kept_tokens_prompt,
    prompt_width,
    kv_layers,
    tensor_parallel,
    bf16_compute,
    prefill_attention_share,
    attention_weight,
) -> SecondsPerRequest:
    """Causal attention of a prompt over itself and over its cached prefix.

    Source: Austin et al. (2025), half of the square; reached share: our calibration.
    """
    pairs = fresh_input_tokens * kept_tokens_prompt * (1 + cached_tokens / input_tokens)
    work = CAUSAL_FLOP_PER_ELEMENT * pairs * prompt_width * kv_layers
    return attention_weight * work / (tensor_parallel * bf16_compute * TERA * prefill_attention_share)


def prefill_time(
    matrix_time_chunk,
    collective_transfer_time_chunk,
    fresh_input_tokens,
    chunk_tokens,
    prompt_attention_time,
    engine_factor,
) -> SecondsPerRequest:
    """Computing one prompt, all layers.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter; reached shares: our calibration.
    """
    chunk_time = matrix_time_chunk + collective_transfer_time_chunk
    return (chunk_time * fresh_input_tokens / chunk_tokens + prompt_attention_time) * engine_factor


def prefill_overhead_time(layer_overhead_time, collective_latency, prefill_overhead_share) -> Seconds:
    """What software and the fixed part of collectives add to a prefill pass.

    Source: our calibration (README, Fidelity).
    """
    return prefill_overhead_share * (layer_overhead_time + collective_latency)


def steps_between(scheduling, first_token_steps, prompt_queue, fresh_input_tokens, prefill_chunk) -> Number:
    """Decode steps that come between a prompt and its first token, by how prompts and answers take turns.

    As the calibration found it where no turn is told. In chunks: a step with each chunk of the prompts in front.
    Prefill first: what is left of the step under way. Decode first: none, as all answers have ended.

    Source: our calibration (README, Fidelity); else Agrawal et al., Sarathi-Serve (2024).
    """
    chunks = np.maximum(1, prompt_queue * fresh_input_tokens / prefill_chunk)
    in_turn = np.where(scheduling >= DECODE_FIRST, 0, np.where(scheduling >= PREFILL_FIRST, HALF_A_STEP, chunks))
    return np.where(scheduling >= CHUNKED, in_turn, first_token_steps)


def time_to_first_token(
    prefill_time,
    request_overhead,
    prompt_queue,
    prefill_overhead_time,
    steps_between,
    step_time,
    batch_size,
    pipeline_stages,
) -> Seconds:
    """From sending a request to its first token: the prompts in front, its own, and the steps that decode lays between.

    Source: our calibration (README, Fidelity).
    """
    prompts = (prefill_time + request_overhead * MILLI) * prompt_queue
    waiting = np.where(batch_size * pipeline_stages > ONE_REQUEST, steps_between * step_time, 0)
    return prompts + prefill_overhead_time + waiting


def decode_steps(generated_tokens, shared_pool) -> Count:
    """Steps of an answer. In a shared pool prefill gives the first token; a decode pool is charged for every one.

    Source: our calibration; Austin et al. (2025) for the decode pool.
    """
    tokens = generated_tokens / ONE_TOKEN_PER_REQUEST
    return np.where(shared_pool > 0, np.maximum(tokens - 1, 1), tokens)


def prefill_work_time(
    batch_size, prefill_time, prefill_busy_share, prefill_overhead_time, fresh_input_tokens, chunk_tokens, shared_pool
) -> Seconds:
    """Time of a cycle that goes to prompts: one for every sequence of the batch; none where pools are kept apart.

    Source: our calibration (README, Fidelity).
    """
    prompt = prefill_busy_share * prefill_time + prefill_overhead_time * fresh_input_tokens / chunk_tokens
    return np.where(shared_pool > 0, batch_size * prompt, 0)


def cycle_time(prefill_work_time, decode_steps, step_time, time_to_first_token, shared_pool) -> Seconds:
    """Time in which a replica serves one batch: prompts and answers, and never less than one request takes.

    Source: our calibration (README, Fidelity).
    """
    answer = decode_steps * step_time
    first = np.where(shared_pool > 0, time_to_first_token, 0)
    return np.maximum(prefill_work_time, first) + answer


def settled_batch(batch_size, time_to_first_token, cycle_time, shared_pool, whole_batches) -> Sequences:
    """Sequences that really decode in a step: those of the batch that are not waiting for their first token.

    Source: our calibration (README, Fidelity).
    """
    decoding = np.minimum(1, np.maximum(SMALLEST_DECODING_SHARE, 1 - time_to_first_token / cycle_time))
    return batch_size * np.where(np.logical_and(shared_pool > 0, whole_batches < 1), decoding, 1)


def time_per_output_token(step_time, cycle_time, time_to_first_token, decode_steps, shared_pool) -> Seconds:
    """Mean time between two tokens of one answer, the prompts of others that come between included.

    A step is the pass of one batch through all stages of a pipeline; the batches of the other stages follow it.

    Source: our calibration (README, Fidelity).
    """
    first = np.where(shared_pool > 0, time_to_first_token, 0)
    return np.maximum(step_time, (cycle_time - first) / decode_steps)


def user_speed(time_per_output_token) -> TokensPerSecond:
    """Tokens per second that one user sees.

    Source: definition.
    """
    return ONE_TOKEN / time_per_output_token


def meets_target(user_speed, target_user_speed, time_to_first_token, first_token_target) -> Flag:
    """Whether users see the speed that is promised, and their first token in time; always where nothing is promised.

    The time to a first token is a mean. The wait for a place in a batch has a promise of its own.

    Source: definition.
    """
    kept = np.logical_and(user_speed >= target_user_speed, time_to_first_token <= first_token_target)
    return np.where(kept, 1, 0)


def predicted_output_speed(pipeline_stages, batch_size, generated_tokens, cycle_time) -> TokensPerSecond:
    """Output tokens per second of one replica at its batch, as predicted.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter; cycle: our calibration.
    """
    return pipeline_stages * batch_size * generated_tokens / cycle_time


def output_speed(predicted_output_speed, measured_output_speed) -> TokensPerSecond:
    """Output tokens per second of one replica at its batch: as measured where a measurement is given.

    Source: definition.
    """
    return np.where(measured_output_speed > 0, measured_output_speed, predicted_output_speed)


def request_rate(output_speed, generated_tokens) -> RequestsPerSecond:
    """Requests per second that one replica completes when it is full.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return output_speed / generated_tokens


def input_speed(measured_input_speed, shared_pool, request_rate, input_tokens, prefill_time) -> TokensPerSecond:
    """Prompt tokens per second of one replica: those that come with its answers, or what a prefill pool computes.

    Source: definition.
    """
    predicted = np.where(shared_pool > 0, request_rate * input_tokens, input_tokens / prefill_time)
    return np.where(measured_input_speed > 0, measured_input_speed, predicted)


def prefill_share(prefill_work_time, decode_steps, step_time) -> Share:
    """Share of a replica's busy time that goes to prompts; cost is split between input and output by it.

    Source: phase-seconds, our convention (CONTRIBUTING.md).
    """
    return prefill_work_time / (prefill_work_time + decode_steps * step_time)


def prefill_replica_time(shared_pool, prefill_share, request_rate, prefill_time) -> SecondsPerRequest:
    """Time of a replica that one request's prompt takes, in the shared pool or in the prefill pool.

    Source: definition.
    """
    return np.where(shared_pool > 0, prefill_share / request_rate, prefill_time)


def decode_replica_time(prefill_share, request_rate) -> SecondsPerRequest:
    """Time of a replica that one request's answer takes.

    Source: definition.
    """
    return (1 - prefill_share) / request_rate
