"""Network: how far a layer can be shared before the links decide, what a split KV head costs, and what transfers take.

Knows nothing of sheets, files or other formulas. Without a link bandwidth there is no limit to give.
"""

import numpy as np

from engine.units import (
    BITS_PER_BYTE,
    BYTES_PER_ACTIVATION,
    FLOP_PER_PARAMETER,
    GIGA,
    MICRO,
    NOT_AVAILABLE,
    ONE_TOKEN_PER_REQUEST,
    TERA,
    WEIGHT_PER_PAIR,
    Constant,
    Count,
    FlopPerByte,
    Gigabytes,
    GigabytesPerSecond,
    GigabytesPerSequence,
    Number,
    Seconds,
    SecondsPerRequest,
    Sequences,
    Share,
    Text,
)

ALL_REDUCES_PER_LAYER = Constant(2, "")
RING_PASSES = Constant(2, "")
EXCHANGES_PER_LAYER = Constant(2, "")
NOISE = Constant(1e-9, "")


def compute_per_link_byte(peak_compute, link_bandwidth) -> FlopPerByte:
    """Arithmetic that an accelerator does in the time in which its link carries a byte.

    Source: Austin et al., How to Scale Your Model (2025), sharding for inference.
    """
    return np.where(link_bandwidth > 0, peak_compute * TERA / (link_bandwidth * GIGA), NOT_AVAILABLE)


def bandwidth_over_link(memory_bandwidth, link_bandwidth) -> Number:
    """Memory bandwidth as a multiple of the link's.

    Source: Austin et al., How to Scale Your Model (2025), sharding for inference.
    """
    return np.where(link_bandwidth > 0, memory_bandwidth / link_bandwidth, NOT_AVAILABLE)


def compute_parallel_limit(feed_forward_size, mesh_axes, compute_per_link_byte) -> Number:
    """Tensor parallelism beyond which the links take longer than the arithmetic of a layer.

    Source: Austin et al., How to Scale Your Model (2025), sharding for inference.
    """
    arithmetic = FLOP_PER_PARAMETER * feed_forward_size * WEIGHT_PER_PAIR
    return arithmetic * mesh_axes / (BYTES_PER_ACTIVATION * compute_per_link_byte)


def largest_slice(compute_parallel_limit) -> Count:
    """Largest power of two of accelerators within the limit.

    Source: definition.
    """
    return 2 ** np.floor(np.log2(np.maximum(1, compute_parallel_limit)) + NOISE)


def slice_accelerators(mesh_rows, mesh_columns) -> Count:
    """Accelerators of a rectangular slice, all of which share every layer.

    Source: Austin et al., How to Scale Your Model (2025), sharding for inference.
    """
    return mesh_rows * mesh_columns


def bandwidth_parallel_limit(feed_forward_size, weight_bits, bandwidth_over_link, batch_size) -> Number:
    """Tensor parallelism beyond which the links take longer than reading the weights of a layer.

    Source: Austin et al., How to Scale Your Model (2025), sharding for inference; there for two-byte weights.
    """
    weight_bytes = feed_forward_size * WEIGHT_PER_PAIR * weight_bits / BITS_PER_BYTE
    sent_bytes = BYTES_PER_ACTIVATION * batch_size * ONE_TOKEN_PER_REQUEST
    return weight_bytes / (sent_bytes * bandwidth_over_link)


def linked_batch_limit(feed_forward_size, weight_bits, bandwidth_over_link, tensor_parallel) -> Sequences:
    """Largest batch at which a tensor parallelism keeps the links shorter than reading the weights.

    Source: Austin et al., How to Scale Your Model (2025), solved for the batch.
    """
    weight_bytes = feed_forward_size * WEIGHT_PER_PAIR * weight_bits / BITS_PER_BYTE
    sent_bytes = BYTES_PER_ACTIVATION * bandwidth_over_link * tensor_parallel * ONE_TOKEN_PER_REQUEST
    return weight_bytes / sent_bytes


def matrix_link_time(batch_size, hidden_size, link_bandwidth) -> Seconds:
    """Activations of a batch over the link, for one matrix.

    Source: Austin et al., How to Scale Your Model (2025), sharding for inference.
    """
    sent = BYTES_PER_ACTIVATION * batch_size * ONE_TOKEN_PER_REQUEST * hidden_size
    return np.where(link_bandwidth > 0, sent / (link_bandwidth * GIGA), NOT_AVAILABLE)


def matrix_reading_time(hidden_size, feed_forward_size, weight_bits, tensor_parallel, memory_bandwidth) -> Seconds:
    """Reading one matrix of the feed-forward block, shared over the accelerators.

    Source: Austin et al., How to Scale Your Model (2025), sharding for inference.
    """
    matrix = hidden_size * feed_forward_size * WEIGHT_PER_PAIR * weight_bits / BITS_PER_BYTE
    return matrix / (tensor_parallel * memory_bandwidth * GIGA)


def matrix_arithmetic_time(batch_size, hidden_size, feed_forward_size, tensor_parallel, peak_compute) -> Seconds:
    """Multiplying a batch with one matrix of the feed-forward block, shared over the accelerators.

    Source: Austin et al., How to Scale Your Model (2025), sharding for inference.
    """
    tokens = batch_size * ONE_TOKEN_PER_REQUEST
    work = FLOP_PER_PARAMETER * tokens * hidden_size * feed_forward_size * WEIGHT_PER_PAIR
    return work / (tensor_parallel * peak_compute * TERA)


def matrix_bound(matrix_link_time, matrix_reading_time, matrix_arithmetic_time) -> Text:
    """What takes longest in one matrix: its memory, the links or the arithmetic.

    Source: definition.
    """
    rest = np.where(matrix_link_time >= matrix_arithmetic_time, "link", "compute")
    longest = np.maximum(matrix_link_time, matrix_arithmetic_time)
    return np.where(matrix_reading_time >= longest, "memory", rest)


def kv_heads_per_accelerator(kv_heads, tensor_parallel) -> Number:
    """KV heads that one accelerator of a replica holds, as a mean.

    Source: Austin et al., How to Scale Your Model (2025), sharding for inference.
    """
    return kv_heads / tensor_parallel


def kv_head_split(kv_heads, tensor_parallel) -> Number:
    """Accelerators over which one KV head is split; 1 where every accelerator has whole heads.

    Source: Austin et al., How to Scale Your Model (2025), sharding for inference.
    """
    return np.maximum(1, tensor_parallel / kv_heads)


def most_kv_heads(kv_heads, tensor_parallel) -> Count:
    """KV heads on the accelerator that holds most: the one that the others wait for.

    Source: definition.
    """
    return np.ceil(kv_heads / tensor_parallel - NOISE)


def kv_head_warning(kv_heads, tensor_parallel) -> Text:
    """What to say about KV heads that cannot be shared out evenly, or have to be split or copied.

    Source: definition.
    """
    heads, ranks = kv_heads / tensor_parallel, tensor_parallel / kv_heads
    uneven = np.logical_and(heads - np.floor(heads + NOISE) > NOISE, ranks - np.floor(ranks + NOISE) > NOISE)
    split = np.where(tensor_parallel > kv_heads, "heads have to be split or copied", "")
    return np.where(uneven, "the heads do not divide evenly over the accelerators", split)


def head_split_memory(batch_size, mean_context, head_dim, kv_head_split) -> Gigabytes:
    """Data of one layer that accelerators with parts of a head gather from each other; none without a split.

    Source: Austin et al., How to Scale Your Model (2025), sharding for inference.
    """
    gathered = batch_size * mean_context * head_dim * BYTES_PER_ACTIVATION / GIGA
    return np.where(kv_head_split > 1, gathered, 0)


def head_split_time(head_split_memory, link_bandwidth) -> Seconds:
    """Exchanging the parts of a head, for one layer.

    Source: Austin et al., How to Scale Your Model (2025), sharding for inference.
    """
    return np.where(link_bandwidth > 0, head_split_memory / link_bandwidth, NOT_AVAILABLE)


def head_split_step_time(head_split_time, layers) -> Seconds:
    """Exchanging the parts of a head, for a whole step: every layer does it.

    Source: definition.
    """
    return head_split_time * layers


def transfer_memory(input_tokens, kv_cache_per_token) -> GigabytesPerSequence:
    """KV cache of a prompt that moves from the prefill pool to the decode pool.

    Source: Austin et al., How to Scale Your Model (2025), disaggregated serving.
    """
    return input_tokens * kv_cache_per_token / GIGA


def transfer_time(transfer_memory, transfer_bandwidth) -> SecondsPerRequest:
    """Moving the KV cache of a prompt between pools.

    Source: Austin et al., How to Scale Your Model (2025), disaggregated serving.
    """
    return np.where(transfer_bandwidth > 0, transfer_memory / transfer_bandwidth, NOT_AVAILABLE)


def transfer_share(transfer_time, prefill_time) -> Share:
    """Moving the KV cache of a prompt as a share of computing it.

    Source: definition.
    """
    return np.where(prefill_time > 0, transfer_time / prefill_time, NOT_AVAILABLE)


def slowest_link(tensor_parallel, accelerators_per_node, link_bandwidth, node_bandwidth) -> GigabytesPerSecond:
    """Bandwidth that collectives meet: the link's inside a node, the slower of both where ranks span nodes.

    Source: NCCL and vendor practice: a ring is as fast as its slowest hop.
    """
    return np.where(tensor_parallel > accelerators_per_node, np.minimum(link_bandwidth, node_bandwidth), link_bandwidth)


def step_activations(step_tokens, hidden_size) -> Gigabytes:
    """Activations of a step's tokens at one point of the network.

    Source: definition.
    """
    return step_tokens * hidden_size * BYTES_PER_ACTIVATION / GIGA


def all_reduce_time(tensor_parallel, step_activations, slowest_link, hop_time, call_time) -> Seconds:
    """One ring all-reduce: the call, two passes of hops, and twice all but a share of the data.

    Source: Thakur et al. (2005), ring all-reduce.
    """
    hops = RING_PASSES * (tensor_parallel - 1)
    sent = hops / tensor_parallel * step_activations
    return np.where(tensor_parallel > 1, (call_time + hops * hop_time) * MICRO + sent / slowest_link, 0)


def parallel_time(all_reduce_time, layers, collective_overlap) -> Seconds:
    """All-reduces of a step: two in every layer, less what is hidden behind other work.

    Source: Shoeybi et al., Megatron-LM (2019).
    """
    return ALL_REDUCES_PER_LAYER * layers * all_reduce_time * (1 - collective_overlap)


def hand_over_time(pipeline_stages, step_activations, slowest_link, hop_time) -> Seconds:
    """Handing the activations of a step from stage to stage.

    Source: Huang et al., GPipe (2019).
    """
    return (pipeline_stages - 1) * (hop_time * MICRO + step_activations / slowest_link)


def expert_exchange_time(
    tensor_parallel, layers, experts_per_token, step_activations, slowest_link, hop_time, collective_overlap
) -> Seconds:
    """Sending tokens to their experts and back: two exchanges in every layer, each rank with all others.

    Source: Lepikhin et al., GShard (2020).
    """
    others = (tensor_parallel - 1) / tensor_parallel
    sent = experts_per_token * step_activations / tensor_parallel * others
    exchange = hop_time * MICRO * (tensor_parallel - 1) + sent / slowest_link
    return EXCHANGES_PER_LAYER * layers * exchange * (1 - collective_overlap)
