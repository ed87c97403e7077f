"""Set-ups: what copies of the weights, and a draft model, make of a configuration that is only tried out.

Knows nothing of sheets, files or other formulas. The draft's step and the verify pass are those of speculation.py. The
sequences that decode together are taken to be as many as without a draft, which errs on the side of a longer pass.
"""

from engine.units import BytesPerToken, Gigabytes, Seconds, SecondsPerRequest


def copied_weight_memory(dense_weight_memory, attention_data_parallel) -> Gigabytes:
    """What attention groups hold beyond one copy of the weights: those that every step reads, once for each group.

    Source: DeepSeek-AI, DeepSeek-V3 (2024), data-parallel attention.
    """
    return dense_weight_memory * (attention_data_parallel - 1)


def held_weight_memory(
    weight_memory, copied_weight_memory, draft_weight_memory, attention_data_parallel
) -> Gigabytes:
    """Weights that a replica holds: its own, their copies, and those of a draft model, once for each attention group.

    Source: definition.
    """
    return weight_memory + copied_weight_memory + draft_weight_memory * attention_data_parallel


def held_kv_cache_per_token(kv_cache_per_token, draft_kv_cache_per_token) -> BytesPerToken:
    """KV cache that one more token adds: the model's, and that of a draft model.

    Source: definition.
    """
    return kv_cache_per_token + draft_kv_cache_per_token


def pass_time(step_time_verify, draft_time) -> Seconds:
    """A draft and the pass that verifies it.

    Source: Leviathan et al., Fast Inference from Transformers via Speculative Decoding (2023).
    """
    return step_time_verify + draft_time


def drafted_step_time(pass_time, tokens_per_pass) -> Seconds:
    """Time in which every sequence gains one token, as a mean over the tokens of a pass.

    Source: Leviathan et al. (2023).
    """
    return pass_time / tokens_per_pass


def drafted_prefill_time(prefill_time, draft_parameters, active_parameters) -> SecondsPerRequest:
    """Computing one prompt in both models; the draft's share is that of its parameters.

    Source: Austin et al., How to Scale Your Model (2025), prefill bound by compute.
    """
    return prefill_time * (1 + draft_parameters / active_parameters)
