"""Decode: how long one step of a replica takes, and what of it is reading, arithmetic, network and software.

Knows nothing of sheets, files or other formulas. The form and its parameters are our calibration, a roofline made
honest: reached shares of the datasheet, a soft maximum of reading and arithmetic, and overheads. With softness 0,
overheads 0 and shares of 1 it is the roofline of Austin et al. (2025).
"""

import numpy as np

from engine.units import (
    BITS_PER_BYTE,
    BYTES_PER_ACTIVATION,
    FLOP_PER_ELEMENT,
    FLOP_PER_PARAMETER,
    GIGA,
    MICRO,
    ONE_TOKEN,
    ONE_TOKEN_PER_REQUEST,
    PETAFLOP,
    TERA,
    Billions,
    Constant,
    Elements,
    Number,
    Seconds,
    Sequences,
    Share,
    Text,
    Tokens,
    TokensPerRequest,
)

ALL_REDUCES_PER_LAYER = Constant(2, "")
RING_PASSES = Constant(2, "")
# The narrowest format that units multiply as it is stored.
PLAIN_BITS = Constant(8, "bit/value")


def _soft_maximum(reading, arithmetic, softness):
    """The larger of two times that overlap, imperfectly where softness is 1, perfectly where it is 0."""
    larger = np.maximum(reading, arithmetic)
    return larger + softness * (np.cbrt(reading**3 + arithmetic**3) - larger)


def critical_batch_size(peak_compute, weight_bits, memory_bandwidth, total_parameters, active_parameters) -> Sequences:
    """Batch at which arithmetic takes as long as reading the weights: below it bandwidth is paid for, above it compute.

    Source: Austin et al., How to Scale Your Model (2025); times total over active for a mixture of experts.
    """
    arithmetic_per_byte = peak_compute * TERA / (memory_bandwidth * GIGA)
    tokens = arithmetic_per_byte * weight_bits / BITS_PER_BYTE / FLOP_PER_PARAMETER
    return tokens * total_parameters / active_parameters / ONE_TOKEN_PER_REQUEST


def engine_factor(time_factor, yearly_speed_up, calibrated_year, engine_year) -> Number:
    """Time that steps and prompts take on this serving engine, as a multiple of one of the calibration's year.

    Source: our calibration (README, Fidelity); engines of 2023 to 2026 on the same accelerators.
    """
    age = np.where(np.logical_and(engine_year > 0, calibrated_year > 0), calibrated_year - engine_year, 0)
    return time_factor * np.maximum(0, 1 + yearly_speed_up) ** age


def compute_share(peak_compute, decode_compute_share, compute_share_exponent) -> Share:
    """Share of the datasheet's dense peak that matrix products reach; it falls as the peak grows.

    Source: our calibration (README, Fidelity).
    """
    return decode_compute_share * (peak_compute / PETAFLOP) ** (-compute_share_exponent)


def attention_share(bf16_compute, decode_compute_share, compute_share_exponent, attention_compute_share) -> Share:
    """Share of the bf16 peak that attention reaches.

    Source: our calibration (README, Fidelity).
    """
    return attention_compute_share * decode_compute_share * (bf16_compute / PETAFLOP) ** (-compute_share_exponent)


def dense_share(dense_weight_bits, narrow_weight_share) -> Share:
    """Share of the reached rates that matrices outside the experts reach: less where they are of fewer than 8 bits.

    Source: our calibration (README, Fidelity); what is stored that narrow has to be unpacked and scaled.
    """
    return np.where(dense_weight_bits < PLAIN_BITS, narrow_weight_share, 1)


def active_dense_parameters(
    total_parameters, active_parameters, routed_parameters, experts, experts_per_token
) -> Billions:
    """Parameters outside the experts that a token is multiplied with: all but embeddings, so at least half.

    Source: our calibration (README, Fidelity).
    """
    outside = active_parameters - routed_parameters * experts_per_token / experts
    return np.maximum(outside, (total_parameters - routed_parameters) / 2)


def step_tokens(decoding_batch) -> Tokens:
    """Tokens that pass through the matrices in one step: one for each sequence.

    Source: definition.
    """
    return decoding_batch * ONE_TOKEN_PER_REQUEST


def dense_reading_time(
    dense_weight_memory, tensor_parallel, attention_data_parallel, memory_bandwidth, weight_bandwidth_share, dense_share
) -> Seconds:
    """Reading the weights that every step needs.

    Source: Austin et al. (2025); reached share: our calibration.
    """
    ranks = tensor_parallel / attention_data_parallel
    return dense_weight_memory / (ranks * memory_bandwidth * weight_bandwidth_share * dense_share)


def dense_arithmetic_time(
    active_dense_parameters, step_tokens, tensor_parallel, peak_compute, compute_share, dense_share
) -> Seconds:
    """Multiplying the step's tokens with the weights outside the experts.

    Source: Austin et al. (2025); reached share: our calibration.
    """
    work = FLOP_PER_PARAMETER * active_dense_parameters * GIGA * step_tokens
    return work / (tensor_parallel * peak_compute * TERA * compute_share * dense_share)


def dense_time(dense_reading_time, dense_arithmetic_time, softness) -> Seconds:
    """Matrix products outside the experts: the longer of reading and arithmetic, softly.

    Source: our calibration (README, Fidelity).
    """
    return _soft_maximum(dense_reading_time, dense_arithmetic_time, softness)


def expert_share(step_tokens, experts, experts_per_token, routing_correlation) -> Share:
    """Share of the experts that a step's tokens touch; routing is correlated, so fewer than independent tokens would.

    Source: uniform routing 1 - (1 - k/E)^T; the exponent on T is our calibration.
    """
    independent_tokens = (step_tokens / ONE_TOKEN) ** routing_correlation
    touched = 1 - (1 - experts_per_token / experts) ** independent_tokens
    return np.where(experts_per_token < experts, touched, 1)


def expert_reading_time(
    expert_share,
    routed_weight_memory,
    tensor_parallel,
    memory_bandwidth,
    weight_bandwidth_share,
    expert_bandwidth_share,
) -> Seconds:
    """Reading the experts that are touched.

    Source: our calibration (README, Fidelity).
    """
    bandwidth = tensor_parallel * memory_bandwidth * weight_bandwidth_share * expert_bandwidth_share
    return expert_share * routed_weight_memory / bandwidth


def expert_arithmetic_time(
    routed_parameters,
    step_tokens,
    experts,
    experts_per_token,
    expert_share,
    expert_tile,
    tensor_parallel,
    peak_compute,
    compute_share,
    expert_compute_share,
) -> Seconds:
    """Multiplying tokens with their experts; every touched expert also works through the padding of its tile.

    Source: our calibration (README, Fidelity).
    """
    tokens = step_tokens * experts_per_token / experts + expert_share * expert_tile
    work = FLOP_PER_PARAMETER * routed_parameters * GIGA * tokens
    return work / (tensor_parallel * peak_compute * TERA * compute_share * expert_compute_share)


def expert_time(expert_reading_time, expert_arithmetic_time, softness) -> Seconds:
    """Matrix products in the experts: the longer of reading and arithmetic, softly.

    Source: our calibration (README, Fidelity).
    """
    return _soft_maximum(expert_reading_time, expert_arithmetic_time, softness)


def matrix_time(dense_time, expert_time) -> Seconds:
    """All matrix products of a step.

    Source: definition.
    """
    return dense_time + expert_time


def attention_tokens(kept_tokens, mean_context, sparse_tokens, sparse_index_share) -> TokensPerRequest:
    """Cached tokens that attention reads in a step; sparse attention reads its selection and an index over the rest.

    Source: DeepSeek-AI, DeepSeek-V3.2 (2025); the index's share is our calibration.
    """
    sparse = np.minimum(mean_context, sparse_tokens) + sparse_index_share * mean_context
    return np.where(sparse_tokens > 0, sparse, kept_tokens)


def attention_width(attention_heads, head_dim, kv_lora_rank, rope_dim) -> Elements:
    """Elements that one token's queries meet in one cached token and layer: scores and values over all heads.

    Source: Vaswani et al. (2017); DeepSeek-AI, DeepSeek-V2 (2024) for the absorbed latent.
    """
    return attention_heads * np.where(kv_lora_rank > 0, 2 * kv_lora_rank + rope_dim, 2 * head_dim)


def attention_reading_time(
    decoding_batch,
    attention_tokens,
    kv_cache_per_token,
    kv_copies,
    tensor_parallel,
    memory_bandwidth,
    kv_bandwidth_share,
) -> Seconds:
    """Reading the KV cache of the batch.

    Source: Austin et al. (2025); reached share: our calibration.
    """
    bytes_read = decoding_batch * attention_tokens * kv_cache_per_token * kv_copies
    return bytes_read / (tensor_parallel * memory_bandwidth * GIGA * kv_bandwidth_share)


def attention_arithmetic_time(
    decoding_batch,
    attention_tokens,
    attention_width,
    kv_layers,
    tensor_parallel,
    bf16_compute,
    attention_share,
    attention_weight,
) -> Seconds:
    """Arithmetic of attention over the cache; the weight is 0 where a source leaves it out.

    Source: our calibration (README, Fidelity).
    """
    work = FLOP_PER_ELEMENT * decoding_batch * attention_tokens * attention_width * kv_layers
    return attention_weight * work / (tensor_parallel * bf16_compute * TERA * attention_share)


def attention_time(attention_reading_time, attention_arithmetic_time, softness) -> Seconds:
    """Attention over the KV cache: the longer of reading and arithmetic, softly.

    Source: our calibration (README, Fidelity).
    """
    return _soft_maximum(attention_reading_time, attention_arithmetic_time, softness)


def collective_latency(layers, tensor_parallel, pipeline_stages, collective_overhead, collective_overlap) -> Seconds:
    """Fixed part of the two all-reduces of every layer and of hand-overs between stages, less what is overlapped.

    Source: our calibration (README, Fidelity); no hand-over was measured, so it is taken to cost what a round costs.
    """
    rounds = ALL_REDUCES_PER_LAYER * layers * np.log2(tensor_parallel) + pipeline_stages - 1
    return rounds * collective_overhead * MICRO * (1 - collective_overlap)


def collective_transfer_time(
    layers, tensor_parallel, pipeline_stages, step_tokens, hidden_size, link_bandwidth, link_share, collective_overlap
) -> Seconds:
    """Bytes of the two ring all-reduces of every layer and of hand-overs between stages, less what is overlapped.

    Source: ring all-reduce, 2 (n - 1) / n of the data; Huang et al., GPipe (2019); reached share: our calibration.
    """
    data = step_tokens * hidden_size * BYTES_PER_ACTIVATION
    reduced = ALL_REDUCES_PER_LAYER * layers * RING_PASSES * (tensor_parallel - 1) / tensor_parallel
    exposed = (reduced + pipeline_stages - 1) * data * (1 - collective_overlap) / (link_bandwidth * GIGA * link_share)
    return np.where(tensor_parallel * pipeline_stages > 1, exposed, 0)


def layer_overhead_time(layers, layer_overhead, expert_layer_overhead, experts) -> Seconds:
    """What software adds to every layer of a step: launching kernels, synchronising, and more where there are experts.

    Source: our calibration (README, Fidelity).
    """
    return layers * np.where(experts > 1, layer_overhead + expert_layer_overhead, layer_overhead) * MICRO


def sequence_overhead_time(decoding_batch, attention_data_parallel, sequence_overhead) -> Seconds:
    """What the host adds to a step for every sequence: sampling, detokenizing, scheduling.

    Source: our calibration (README, Fidelity).
    """
    return decoding_batch / attention_data_parallel * sequence_overhead * MICRO


def step_time(
    matrix_time,
    attention_time,
    collective_latency,
    collective_transfer_time,
    layer_overhead_time,
    sequence_overhead_time,
    engine_factor,
) -> Seconds:
    """One decode step of a replica: matrix products, attention over the KV cache, collectives, and what software adds.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter; overheads: our calibration.
    """
    collectives = collective_latency + collective_transfer_time
    parts = matrix_time + attention_time + collectives + layer_overhead_time + sequence_overhead_time
    return parts * engine_factor


def step_time_floor(weight_memory, tensor_parallel, memory_bandwidth, weight_bandwidth_share) -> Seconds:
    """The shortest possible step: all weights read once, no KV cache, nothing else.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return weight_memory / (tensor_parallel * memory_bandwidth * weight_bandwidth_share)


def weight_reading_time(dense_reading_time, expert_reading_time) -> Seconds:
    """Reading weights in a step, experts included.

    Source: definition.
    """
    return dense_reading_time + expert_reading_time


def arithmetic_time(dense_arithmetic_time, expert_arithmetic_time) -> Seconds:
    """Arithmetic of a step's matrix products, experts included; it hides behind reading where it is shorter.

    Source: definition.
    """
    return dense_arithmetic_time + expert_arithmetic_time


def exposed_arithmetic_time(matrix_time, weight_reading_time) -> Seconds:
    """What arithmetic adds to a step beyond the reading that it hides behind.

    Source: definition.
    """
    return matrix_time - weight_reading_time


def network_time(collective_latency, collective_transfer_time) -> Seconds:
    """Collectives of a step.

    Source: definition.
    """
    return collective_latency + collective_transfer_time


def overhead_time(layer_overhead_time, sequence_overhead_time, step_time, engine_factor) -> Seconds:
    """What software adds to a step, what a slower or older engine takes longer included.

    Source: definition.
    """
    return layer_overhead_time + sequence_overhead_time + step_time * (1 - 1 / engine_factor)


def bound(weight_reading_time, arithmetic_time, attention_time, network_time, overhead_time) -> Text:
    """The largest part of a step: reading weights, compute, KV cache, network or software overhead.

    Source: definition.
    """
    software = np.where(network_time >= overhead_time, "network", "overhead")
    beyond = np.maximum(network_time, overhead_time)
    cache = np.where(attention_time >= beyond, "KV cache", software)
    beyond = np.maximum(attention_time, beyond)
    compute = np.where(arithmetic_time >= beyond, "compute", cache)
    return np.where(weight_reading_time >= np.maximum(arithmetic_time, beyond), "weights", compute)
