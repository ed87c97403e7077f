"""Memory: what the weights and the KV cache of a model take, and how many sequences fit beside them.

Knows nothing of sheets, files or other formulas. Symbols of the sources: S context, B batch, N accelerators.
"""

import numpy as np

from engine.units import (
    BITS_PER_BYTE,
    GIGA,
    ONE_REQUEST,
    Bits,
    BytesPerToken,
    Constant,
    Count,
    Elements,
    Flag,
    Gigabytes,
    GigabytesPerSequence,
    Sequences,
    Share,
    Text,
    TokensPerRequest,
)

KEY_AND_VALUE = Constant(2, "")
# Whole numbers survive floating point: 88.0000000001 sequences are 88, and 8.9999999999 accelerators are 9.
NOISE = Constant(1e-9, "")
SEQUENCE_NOISE = Constant(1e-9, "request")


def accelerator_count(tensor_parallel, pipeline_stages) -> Count:
    """Accelerators of one replica.

    Source: definition.
    """
    return tensor_parallel * pipeline_stages


def dense_weight_bits(weight_bits, mixture_dense_bits, experts) -> Bits:
    """Bits of a weight outside the experts: four-bit mixtures of experts keep these weights at a higher precision.

    Source: checkpoints of gpt-oss and DeepSeek-R1 fp4, read from their published configurations.
    """
    return np.where(experts > 1, mixture_dense_bits, weight_bits)


def routed_weight_memory(routed_parameters, weight_bits) -> Gigabytes:
    """Weights of the routed experts, of which a step reads only those that its tokens touch.

    Source: definition.
    """
    return routed_parameters * weight_bits / BITS_PER_BYTE


def weight_memory(
    total_parameters, routed_parameters, routed_weight_memory, dense_weight_bits, weight_memory_override
) -> Gigabytes:
    """All weights of the model as they are stored, or the size of the checkpoint where it is given.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    dense = (total_parameters - routed_parameters) * dense_weight_bits / BITS_PER_BYTE
    return np.where(weight_memory_override > 0, weight_memory_override, dense + routed_weight_memory)


def dense_weight_memory(weight_memory, routed_weight_memory) -> Gigabytes:
    """Weights that every step reads: all but the routed experts.

    Source: definition.
    """
    return weight_memory - routed_weight_memory


def kv_elements(kv_heads, head_dim, kv_lora_rank, rope_dim) -> Elements:
    """What one token leaves in one layer: a key and a value for each KV head, or one latent with its rotary part.

    Source: Ainslie et al., GQA (2023); DeepSeek-AI, DeepSeek-V2 (2024) for the latent.
    """
    return np.where(kv_lora_rank > 0, kv_lora_rank + rope_dim, KEY_AND_VALUE * kv_heads * head_dim)


def kv_layers(layers, linear_layers) -> Count:
    """Layers that keep a KV cache; linear attention keeps none.

    Source: definition.
    """
    return layers - linear_layers


def kv_cache_per_token(kv_elements, kv_layers, kv_bits, kv_cache_override) -> BytesPerToken:
    """KV cache that one more token adds over all layers, or the figure given for the model.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    calculated = kv_elements * kv_layers * kv_bits / BITS_PER_BYTE
    return np.where(kv_cache_override > 0, kv_cache_override, calculated)


def kv_copies(tensor_parallel, attention_data_parallel, kv_heads, kv_lora_rank, kv_copy_weight) -> Count:
    """How often a sequence's cache lies in a replica: ranks beyond the KV heads copy them, a latent lies on each rank.

    The copy weight is 1 where heads are copied and 0 where a source splits a head instead.

    Source: vLLM and TensorRT-LLM behaviour; Austin et al. (2025) for the split.
    """
    ranks = tensor_parallel / attention_data_parallel
    copies = np.where(kv_lora_rank > 0, ranks, np.maximum(1, ranks / kv_heads))
    return 1 + kv_copy_weight * (copies - 1)


def window_share(window_layers, kv_layers) -> Share:
    """Share of the KV layers that keep only a sliding window.

    Source: definition.
    """
    return window_layers / np.maximum(kv_layers, 1)


def generated_tokens(output_tokens, reasoning_tokens) -> TokensPerRequest:
    """Tokens that are decoded for a request: the visible answer and the hidden reasoning before it.

    Source: definition.
    """
    return output_tokens + reasoning_tokens


def mean_context(input_tokens, generated_tokens, context_override) -> TokensPerRequest:
    """Context at the middle of the answer, at which a decode step is timed, or the context given for the configuration.

    Source: our calibration (README, Fidelity).
    """
    return np.where(context_override > 0, context_override, input_tokens + generated_tokens / 2)


def final_context(input_tokens, generated_tokens, context_override) -> TokensPerRequest:
    """Context at the last token of the answer, or the context given for the configuration.

    Source: definition.
    """
    return np.where(context_override > 0, context_override, input_tokens + generated_tokens)


def kept_tokens(mean_context, window, window_share) -> TokensPerRequest:
    """Tokens that a layer keeps in its cache, averaged over layers: the context, or no more than the window.

    Source: Gemma 2 and gpt-oss model cards.
    """
    return mean_context * (1 - window_share) + np.minimum(mean_context, window) * window_share


def reserved_tokens(kept_tokens, kept_tokens_final, reserved_growth) -> TokensPerRequest:
    """Tokens for which a sequence holds memory: those of the mean context and a share of the growth still to come.

    Source: our calibration (README, Fidelity).
    """
    return kept_tokens + reserved_growth * (kept_tokens_final - kept_tokens)


def sequence_memory(reserved_tokens, kv_cache_per_token, kv_copies) -> GigabytesPerSequence:
    """KV cache that one sequence takes in a replica, copies included.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return reserved_tokens * kv_cache_per_token * kv_copies / GIGA


def usable_memory(accelerator_memory, accelerator_count, usable_memory_share) -> Gigabytes:
    """Memory of a replica that weights and KV cache may fill; the rest is working memory, runtime and fragmentation.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return accelerator_memory * accelerator_count * usable_memory_share


def free_memory(accelerator_memory, accelerator_count, weight_memory, usable_memory, tight_memory_share) -> Gigabytes:
    """Memory left for KV cache: what is usable less the weights, or a share of what they leave where that is more.

    Engines give back working memory when the weights nearly fill the accelerators, hence the second reading.

    Source: our calibration (README, Fidelity).
    """
    left = accelerator_memory * accelerator_count - weight_memory
    return np.maximum(0, np.maximum(usable_memory - weight_memory, tight_memory_share * left))


def batch_size_limit(free_memory, pipeline_stages, sequence_memory) -> Sequences:
    """Sequences that memory allows in one batch; every pipeline stage has a batch of its own in flight.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    sequences = free_memory / (pipeline_stages * sequence_memory)
    return np.floor(sequences + SEQUENCE_NOISE)


def minimum_accelerators(weight_memory, accelerator_memory, usable_memory_share) -> Count:
    """Fewest accelerators that hold the weights.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return np.ceil(weight_memory / (accelerator_memory * usable_memory_share) - NOISE)


def minimum_slice(weight_memory, sequence_memory, accelerator_memory, usable_memory_share) -> Count:
    """Smallest power of two of accelerators that holds the weights and one sequence beside them.

    Source: Austin et al. (2025) for slices; a slice that the weights fill exactly serves nobody.
    """
    sequence = sequence_memory * ONE_REQUEST
    needed = np.ceil((weight_memory + sequence) / (accelerator_memory * usable_memory_share) - NOISE)
    return 2 ** np.ceil(np.log2(np.maximum(1, needed)) - NOISE)


def batch_size(requested_batch_size, batch_size_limit, engine_batch_limit, attention_data_parallel) -> Sequences:
    """Sequences decoded together: what was asked for, or where that is `max` what memory and the engine allow.

    Source: definition.
    """
    allowed = np.minimum(batch_size_limit, engine_batch_limit * attention_data_parallel)
    return np.where(requested_batch_size > 0, requested_batch_size, allowed)


def fits(requested_batch_size, batch_size_limit, final_context, maximum_context) -> Flag:
    """Whether the weights, the batch asked for (at least one sequence) and the context find room.

    Source: definition.
    """
    room = np.logical_and(batch_size_limit >= ONE_REQUEST, batch_size_limit >= requested_batch_size)
    return np.where(np.logical_and(room, final_context <= maximum_context), 1, 0)


def reason(
    weight_memory, usable_memory, requested_batch_size, batch_size_limit, final_context, maximum_context
) -> Text:
    """Why a configuration does not fit; empty where it does.

    Source: definition.
    """
    context = np.where(final_context > maximum_context, "the context exceeds what the model supports", "")
    batch = np.where(
        batch_size_limit < requested_batch_size, "memory holds fewer sequences than the batch asked for", context
    )
    sequence = np.where(batch_size_limit < ONE_REQUEST, "beside the weights there is no memory for one sequence", batch)
    return np.where(weight_memory > usable_memory, "the weights exceed the usable memory", sequence)
