"""Sizing: totals of memory, what a step reads, and the largest batch, prompt or replica within a target time.

Knows nothing of sheets, files or other formulas. These are answers to questions about one configuration; the
quantities that every configuration has are in memory.py, decode.py and prefill.py.
"""

import numpy as np

from engine.units import (
    FLOP_PER_PARAMETER,
    GIGA,
    NOT_AVAILABLE,
    ONE_REQUEST,
    ONE_TOKEN,
    ONE_TOKEN_PER_REQUEST,
    TERA,
    Constant,
    Count,
    Flag,
    Gigabytes,
    GigabytesPerSecond,
    Number,
    RequestsPerSecond,
    Seconds,
    SecondsPerRequest,
    SecondsPerToken,
    Sequences,
    Share,
    Text,
    Tokens,
    TokensPerSecond,
)

NOISE = Constant(1e-9, "")
SEQUENCE_NOISE = Constant(1e-9, "request")
BYTES_PER_SCORE = Constant(2, "B*request/token/token")


def kv_cache_memory(batch_size, sequence_memory) -> Gigabytes:
    """KV cache of the whole batch.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return batch_size * sequence_memory


def cache_per_weight(kv_cache_memory, weight_memory) -> Number:
    """KV cache of the batch as a multiple of the weights.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return kv_cache_memory / weight_memory


def score_memory(batch_size, attention_heads, input_tokens) -> Gigabytes:
    """Attention scores of whole prompts, if they were kept as a matrix instead of tile by tile.

    Source: Dao et al., FlashAttention (2022).
    """
    return batch_size * attention_heads * input_tokens * input_tokens * BYTES_PER_SCORE / GIGA


def itemized_memory(
    accelerator_memory, accelerator_count, fragmentation_share, runtime_memory, working_memory
) -> Gigabytes:
    """Memory for weights and KV cache, item by item: less fragmentation, the runtime on each accelerator, activations.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return accelerator_count * (accelerator_memory * (1 - fragmentation_share) - runtime_memory) - working_memory


def memory_use(weight_memory, kv_cache_memory, accelerator_memory, accelerator_count) -> Share:
    """Share of a replica's memory that weights and KV cache fill.

    Source: definition.
    """
    return (weight_memory + kv_cache_memory) / (accelerator_memory * accelerator_count)


def memory_per_accelerator(weight_memory, kv_cache_memory, accelerator_count) -> Gigabytes:
    """What lies on one accelerator: its part of the weights and of the cache, copies included.

    Source: definition; copies follow the attention of the model.
    """
    return (weight_memory + kv_cache_memory) / accelerator_count


def memory_warning(memory_use, safe_memory_share) -> Text:
    """What to say about how full the memory is.

    Source: Austin et al., How to Scale Your Model (2025): fragmentation ends service before memory is full.
    """
    close = np.where(memory_use > safe_memory_share, "so full that fragmentation may end the service", "")
    return np.where(memory_use > 1, "does not fit", close)


def minimum_with_cache(weight_memory, kv_cache_memory, accelerator_memory, usable_memory_share) -> Count:
    """Fewest accelerators that hold the weights and the KV cache of the batch.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return np.ceil((weight_memory + kv_cache_memory) / (accelerator_memory * usable_memory_share) - NOISE)


def step_memory(weight_memory, kv_cache_memory) -> Gigabytes:
    """What a step of a dense model reads: all weights and the KV cache of the batch.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return weight_memory + kv_cache_memory


def replica_bandwidth(accelerator_count, memory_bandwidth) -> GigabytesPerSecond:
    """Memory bandwidth of all accelerators of a replica.

    Source: definition.
    """
    return accelerator_count * memory_bandwidth


def full_memory_time(accelerator_memory, memory_bandwidth) -> Seconds:
    """Reading a full memory once: the step of a replica that is filled to the brim. Not a floor of the step.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return accelerator_memory / memory_bandwidth


def speed_ceiling(step_time_floor) -> TokensPerSecond:
    """Tokens per second of a single sequence at the shortest possible step.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return ONE_TOKEN / step_time_floor


def batched_speed(batch_size, user_speed) -> TokensPerSecond:
    """Output tokens per second of a batch whose users each see the same speed.

    Source: definition.
    """
    return batch_size / ONE_REQUEST * user_speed


def multiplied_speed(user_speed, accelerator_multiple) -> TokensPerSecond:
    """Speed of a single sequence, bound by bandwidth, on a multiple of the accelerators.

    Source: definition; collectives left out.
    """
    return user_speed * accelerator_multiple


def weight_time_share(weight_reading_time, step_time) -> Share:
    """Share of a step that goes to reading weights.

    Source: definition.
    """
    return weight_reading_time / step_time


def attention_time_share(attention_time, step_time) -> Share:
    """Share of a step that goes to attention over the KV cache.

    Source: definition.
    """
    return attention_time / step_time


def other_time_share(weight_time_share, attention_time_share) -> Share:
    """Share of a step that is neither: exposed arithmetic, collectives and software.

    Source: definition.
    """
    return 1 - weight_time_share - attention_time_share


def accelerator_speed(output_speed, accelerator_count) -> TokensPerSecond:
    """Output tokens per second of one accelerator.

    Source: definition.
    """
    return output_speed / accelerator_count


def accelerator_request_rate(request_rate, accelerator_count) -> RequestsPerSecond:
    """Requests per second of one accelerator.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return request_rate / accelerator_count


def output_token_time(step_time, batch_size) -> SecondsPerToken:
    """Time of a replica that one output token takes.

    Source: definition.
    """
    return step_time / (batch_size * ONE_TOKEN_PER_REQUEST)


def input_token_time(prefill_time, input_tokens) -> SecondsPerToken:
    """Time of a replica that one prompt token takes.

    Source: definition.
    """
    return prefill_time / input_tokens


def prompt_is_slower(input_token_time, output_token_time) -> Flag:
    """Whether a prompt token takes a replica longer than an output token.

    Source: definition.
    """
    return np.where(input_token_time > output_token_time, 1, 0)


def sequence_arithmetic_time(
    active_dense_parameters, tensor_parallel, peak_compute, compute_share
) -> SecondsPerRequest:
    """Arithmetic that one more sequence adds to a step of a dense model.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    work = FLOP_PER_PARAMETER * active_dense_parameters * GIGA * ONE_TOKEN_PER_REQUEST
    return work / (tensor_parallel * peak_compute * TERA * compute_share)


def sequence_reading_time(sequence_memory, tensor_parallel, memory_bandwidth, kv_bandwidth_share) -> SecondsPerRequest:
    """Reading that one more sequence adds to a step.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return sequence_memory / (tensor_parallel * memory_bandwidth * kv_bandwidth_share)


def step_time_target(single_step_time, latency_multiple) -> Seconds:
    """Target of a step, as a multiple of the step of a single sequence.

    Source: definition.
    """
    return single_step_time * latency_multiple


def batch_within_target(
    step_time_target, weight_reading_time, sequence_arithmetic_time, sequence_reading_time
) -> Sequences:
    """Batch at which a step takes just the target, a fraction of a sequence included; 0 where the weights take longer.

    Source: Austin et al. (2025), the roofline of a step solved for the batch.
    """
    by_reading = (step_time_target - weight_reading_time) / sequence_reading_time
    by_arithmetic = step_time_target / (sequence_arithmetic_time + sequence_reading_time)
    return np.maximum(0, np.minimum(by_reading, by_arithmetic))


def whole_batch_within_target(batch_within_target, batch_size_limit) -> Sequences:
    """Largest batch whose step keeps the target and whose cache fits.

    Source: definition.
    """
    return np.minimum(np.floor(batch_within_target + SEQUENCE_NOISE), batch_size_limit)


def accelerators_within_target(step_memory, memory_bandwidth, weight_bandwidth_share, step_time_target) -> Count:
    """Fewest accelerators that read a step's memory within the target.

    Source: Austin et al. (2025), the roofline of a step solved for the accelerators.
    """
    needed = np.ceil(step_memory / (memory_bandwidth * weight_bandwidth_share * step_time_target) - NOISE)
    return np.where(step_time_target > 0, needed, NOT_AVAILABLE)


def slice_within_target(accelerators_within_target, minimum_slice) -> Count:
    """Smallest power of two of accelerators that keeps the target and holds the model.

    Source: definition.
    """
    power = 2 ** np.ceil(np.log2(np.maximum(1, accelerators_within_target)) - NOISE)
    return np.maximum(power, minimum_slice)


def prompt_within_time(time_budget, tensor_parallel, peak_compute, prefill_compute_share, active_parameters) -> Tokens:
    """Prompt tokens that can be computed in a time: a first token's target, or what a step may grow by.

    Source: Austin et al., How to Scale Your Model (2025), prefill bound by compute.
    """
    work_of_token = FLOP_PER_PARAMETER * active_parameters * GIGA
    return time_budget * tensor_parallel * peak_compute * TERA * prefill_compute_share / work_of_token


def meets_targets(step_time, step_time_target, prefill_time, first_token_target) -> Flag:
    """Whether a step and a prompt by itself keep their targets.

    Source: definition.
    """
    first = prefill_time * ONE_REQUEST <= first_token_target
    return np.where(np.logical_and(step_time <= step_time_target, first), 1, 0)


def target_reason(step_time, step_time_target, prefill_time, first_token_target) -> Text:
    """Which target is missed; empty where both are kept.

    Source: definition.
    """
    prompt = np.where(prefill_time * ONE_REQUEST > first_token_target, "the prompt takes longer than its target", "")
    return np.where(step_time > step_time_target, "the step takes longer than its target", prompt)
