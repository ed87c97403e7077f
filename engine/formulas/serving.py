"""Serving: separate pools, chunked prompts, batching, paging and prompt caching.

Knows nothing of sheets, files or other formulas. Limits and efficiencies are inputs.
"""

import numpy as np

from engine.units import (
    DECODE_FIRST,
    FLOP_PER_PARAMETER,
    GIGA,
    NOT_AVAILABLE,
    ONE_REQUEST,
    ONE_TOKEN_PER_REQUEST,
    PREFILL_FIRST,
    TERA,
    TOKENS_PER_MILLION,
    Constant,
    Count,
    Dollars,
    DollarsPerMillionTokens,
    Flag,
    Gigabytes,
    Number,
    RequestsPerSecond,
    Seconds,
    SecondsPerRequest,
    Sequences,
    Share,
    Text,
    Tokens,
)

NOISE = Constant(1e-9, "")
SEQUENCE_NOISE = Constant(1e-9, "request")


def prefill_rate(prefill_time) -> RequestsPerSecond:
    """Prompts per second that one prefill server computes; 0 where the cache holds all prompts and none computes any.

    Source: Austin et al., How to Scale Your Model (2025), disaggregated serving.
    """
    return np.where(prefill_time > 0, 1 / prefill_time, 0)


def decode_rate(replica_slots, query_time) -> RequestsPerSecond:
    """Answers per second that one decode server completes with the requests that it serves at once.

    Source: Austin et al., How to Scale Your Model (2025), disaggregated serving.
    """
    return replica_slots / ONE_REQUEST / query_time


def prefill_per_decode(prefill_rate, decode_rate) -> Number:
    """Prefill servers that keep one decode server busy; below 1, its inverse is decode servers for one of prefill.

    Source: Austin et al., How to Scale Your Model (2025), disaggregated serving.
    """
    return np.where(prefill_rate > 0, decode_rate / prefill_rate, NOT_AVAILABLE)


def pools_rate(prefill_replica_count, prefill_rate, replica_count, decode_rate) -> RequestsPerSecond:
    """Requests per second that two separate pools complete: what the narrower one lets through.

    Source: Zhong et al., DistServe (2024).
    """
    return np.minimum(prefill_replica_count * prefill_rate, replica_count * decode_rate)


def separate_pools(
    prefill_time,
    prefill_time_limit,
    input_tokens,
    output_tokens,
    prompt_heavy_ratio,
    mixed_traffic,
    pool_servers,
    smallest_deployment,
) -> Flag:
    """Whether separate pools are advised: long prompts, or many in mixed traffic, in a deployment that is not tiny.

    Source: Austin et al., How to Scale Your Model (2025), disaggregated serving; limits are inputs.
    """
    heavy = np.logical_and(input_tokens >= prompt_heavy_ratio * output_tokens, mixed_traffic > 0)
    wanted = np.logical_or(prefill_time > prefill_time_limit, heavy)
    return np.where(np.logical_and(wanted, pool_servers >= smallest_deployment), 1, 0)


def separate_pools_reason(
    prefill_time,
    prefill_time_limit,
    input_tokens,
    output_tokens,
    prompt_heavy_ratio,
    mixed_traffic,
    pool_servers,
    smallest_deployment,
) -> Text:
    """Why separate pools are advised, or why not.

    Source: Austin et al., How to Scale Your Model (2025), disaggregated serving; limits are inputs.
    """
    heavy = np.logical_and(input_tokens >= prompt_heavy_ratio * output_tokens, mixed_traffic > 0)
    ratio = np.where(heavy, "prompts outweigh answers and would hold up mixed traffic", "prompts are short enough")
    stall = np.where(prefill_time > prefill_time_limit, "a prompt would hold up decode for too long", ratio)
    return np.where(pool_servers < smallest_deployment, "too few servers for two pools", stall)


def pool_servers(prefill_replica_count, replica_count) -> Count:
    """Servers of both pools.

    Source: definition.
    """
    return prefill_replica_count + replica_count


def steps_lost(prefill_time, step_time) -> Number:
    """Decode steps that a blocking prompt takes the time of.

    Source: Austin et al., How to Scale Your Model (2025), interference.
    """
    return np.where(step_time > 0, prefill_time * ONE_REQUEST / step_time, NOT_AVAILABLE)


def tokens_lost(steps_lost, batch_size) -> Tokens:
    """Output tokens that a blocking prompt costs: one for every sequence and step, counted once.

    Source: Austin et al., How to Scale Your Model (2025), interference, corrected.
    """
    return steps_lost * batch_size * ONE_TOKEN_PER_REQUEST


def interference_cost(tokens_lost, output_cost) -> Dollars:
    """What the lost tokens would have cost to make.

    Source: definition.
    """
    return tokens_lost * output_cost / TOKENS_PER_MILLION


def longest_stall(shared_pool, scheduling, prefill_time, prefill_chunk_time) -> Seconds:
    """Longest pause that a prompt makes in answers under way, where replicas are shared.

    The whole prompt where prefill comes first, none where decode does, else a chunk of it.

    Source: Agrawal et al., Sarathi-Serve (2024).
    """
    whole = prefill_time * ONE_REQUEST
    first = np.where(scheduling >= DECODE_FIRST, 0, whole)
    stall = np.where(scheduling >= PREFILL_FIRST, first, np.minimum(whole, prefill_chunk_time))
    return np.where(shared_pool > 0, stall, 0)


def chunk_count(input_tokens, prefill_chunk) -> Count:
    """Chunks of a prompt, the last one partial.

    Source: Agrawal et al., Sarathi-Serve (2024).
    """
    return np.where(prefill_chunk > 0, np.ceil(input_tokens * ONE_REQUEST / prefill_chunk - NOISE), NOT_AVAILABLE)


def prefill_chunk_time(
    prefill_chunk, active_parameters, tensor_parallel, peak_compute, prefill_compute_share
) -> Seconds:
    """Arithmetic of one chunk of a prompt.

    Source: Austin et al., How to Scale Your Model (2025), prefill bound by compute.
    """
    work = FLOP_PER_PARAMETER * active_parameters * GIGA * prefill_chunk
    return work / (tensor_parallel * peak_compute * TERA * prefill_compute_share)


def fused_step_time(prefill_chunk_time, decoding_batch, prefill_chunk, weight_reading_time, attention_time) -> Seconds:
    """A step that carries a chunk beside its batch: the arithmetic of both, at prefill's share, or reading the weights.

    Source: Agrawal et al., Sarathi-Serve (2024).
    """
    tokens = prefill_chunk + decoding_batch * ONE_TOKEN_PER_REQUEST
    return np.maximum(prefill_chunk_time * tokens / prefill_chunk, weight_reading_time) + attention_time


def serial_step_time(step_time, prefill_chunk_time) -> Seconds:
    """A step and a chunk one after the other.

    Source: definition.
    """
    return step_time + prefill_chunk_time


def chunks_time(chunk_count, fused_step_time) -> Seconds:
    """Steps that carry a whole prompt, one chunk each.

    Source: Agrawal et al., Sarathi-Serve (2024).
    """
    return chunk_count * fused_step_time


def chunked_prefill_time(chunks_time, prefill_time) -> Seconds:
    """From the first to the last chunk of a prompt: never shorter than computing it in one piece.

    Source: Austin et al., How to Scale Your Model (2025), corrected: chunks bound the stall, not the work.
    """
    return np.maximum(chunks_time, prefill_time * ONE_REQUEST)


def static_efficiency(output_tokens, longest_output_tokens) -> Share:
    """Share of a static batch's places that work, when all wait for the longest answer.

    Source: Yu et al., Orca (2022).
    """
    return np.where(longest_output_tokens > 0, output_tokens / longest_output_tokens, NOT_AVAILABLE)


def effective_batch(batch_size, batching_efficiency) -> Sequences:
    """Sequences that work on average.

    Source: definition.
    """
    return batch_size * batching_efficiency


def batching_gain(batch_size, single_step_time, step_time) -> Number:
    """Throughput of a batch as a multiple of a single sequence's.

    Source: definition.
    """
    return np.where(step_time > 0, batch_size / ONE_REQUEST * single_step_time / step_time, NOT_AVAILABLE)


def finished_per_step(batch_size, generated_tokens) -> Sequences:
    """Sequences that end in a step and leave their place, in steady state.

    Source: definition.
    """
    return np.where(generated_tokens > 0, batch_size * ONE_TOKEN_PER_REQUEST / generated_tokens, NOT_AVAILABLE)


def offered_batch(
    replica_rate, generated_tokens, weight_reading_time, sequence_reading_time, sequence_arithmetic_time
) -> Sequences:
    """Sequences that a demand keeps in a replica, by Little's law with the step they themselves make.

    Not available where demand exceeds what the replica can serve, at whatever batch.

    Source: Little (1961); the roofline of a step solved for the batch.
    """
    token_rate = replica_rate * generated_tokens / ONE_TOKEN_PER_REQUEST
    reading, busy = token_rate * sequence_reading_time, sequence_reading_time + sequence_arithmetic_time
    sequences = token_rate * weight_reading_time / (1 - reading)
    return np.where(token_rate * busy < 1, sequences, NOT_AVAILABLE)


def demand_warning(
    replica_rate, generated_tokens, sequence_reading_time, sequence_arithmetic_time, offered_batch, batch_size_limit
) -> Text:
    """What to say about a demand: empty where the replica serves it.

    Source: definition.
    """
    token_rate = replica_rate * generated_tokens / ONE_TOKEN_PER_REQUEST
    memory = np.where(offered_batch > batch_size_limit, "demand keeps more sequences than memory holds", "")
    load = token_rate * (sequence_reading_time + sequence_arithmetic_time)
    return np.where(load >= 1, "demand exceeds what the replica can serve", memory)


def paged_batch(free_memory, paging_efficiency, sequence_memory) -> Sequences:
    """Sequences that fit where an allocator turns only a share of the free memory to use.

    Source: Kwon et al., PagedAttention (2023).
    """
    return np.floor(free_memory * paging_efficiency / sequence_memory + SEQUENCE_NOISE)


def cached_input_cost(input_cost, hit_rate, cached_cost_ratio, write_premium) -> DollarsPerMillionTokens:
    """Input cost over fresh and cached tokens, with what writing the cache adds to the fresh ones.

    Source: definition.
    """
    return input_cost * ((1 - hit_rate) * (1 + write_premium) + hit_rate * cached_cost_ratio)


def cached_prefill_time(prefill_time, hit_rate) -> SecondsPerRequest:
    """Computing a prompt of which a share is found in the cache; attention over that share left out.

    Source: definition.
    """
    return prefill_time * (1 - hit_rate)


def prefix_memory(cached_tokens, kv_cache_per_token, cached_prefixes) -> Gigabytes:
    """Memory that keeps the KV cache of prompts' beginnings.

    Source: definition.
    """
    return cached_tokens * kv_cache_per_token * cached_prefixes / GIGA
