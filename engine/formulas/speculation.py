"""Speculation: what a draft model and a verify pass make of the speed of decode.

Knows nothing of sheets, files or other formulas. The verify pass and the draft's step are those of decode.py at other
operating points; this file says what follows from them. Acceptance is an input with a source.
"""

import numpy as np

from engine.units import (
    BITS_PER_BYTE,
    ONE_TOKEN_PER_REQUEST,
    Constant,
    DollarsPerMillionTokens,
    Flag,
    Gigabytes,
    Number,
    Seconds,
    Sequences,
    Share,
    Tokens,
)

OWN_TOKEN = Constant(1, "")


def tokens_per_pass(acceptance, draft_tokens) -> Number:
    """Tokens that a verify pass yields on average: the accepted start of the draft, and one of the model's own.

    Source: Leviathan et al., Fast Inference from Transformers via Speculative Decoding (2023).
    """
    accepted = (1 - acceptance ** (draft_tokens + OWN_TOKEN)) / (1 - acceptance)
    return np.where(acceptance < 1, accepted, draft_tokens + OWN_TOKEN)


def verify_sequences(decoding_batch, draft_tokens) -> Sequences:
    """Sequences that a verify pass amounts to in attention: each with its draft and one token more.

    Source: Leviathan et al. (2023).
    """
    return decoding_batch * (draft_tokens + OWN_TOKEN)


def verify_tokens(verify_sequences) -> Tokens:
    """Tokens that a verify pass takes through the matrices.

    Source: Leviathan et al. (2023).
    """
    return verify_sequences * ONE_TOKEN_PER_REQUEST


def draft_weight_memory(draft_parameters, weight_bits) -> Gigabytes:
    """Weights of the draft model, stored as the large model's are.

    Source: definition.
    """
    return draft_parameters * weight_bits / BITS_PER_BYTE


def draft_step_share(step_time_draft, step_time) -> Share:
    """Step of the draft model as a share of the model's own.

    Source: definition.
    """
    return step_time_draft / step_time


def draft_time(draft_tokens, draft_step_share, step_time) -> Seconds:
    """Making a draft, token by token.

    Source: Leviathan et al. (2023).
    """
    return draft_tokens * draft_step_share * step_time


def speculation_gain(tokens_per_pass, step_time, step_time_verify, draft_time) -> Number:
    """Speed with speculative decoding as a multiple of the speed without, at the same batch.

    Source: Leviathan et al. (2023); the verify pass is charged for all its tokens.
    """
    return tokens_per_pass * step_time / (step_time_verify + draft_time)


def speculate(speculation_gain) -> Flag:
    """Whether speculative decoding is worth switching on.

    Source: definition.
    """
    return np.where(speculation_gain > 1, 1, 0)


def speculative_output_cost(output_cost, speculation_gain) -> DollarsPerMillionTokens:
    """Output cost with speculative decoding, switched on only where it gains. Output only.

    Source: definition.
    """
    return output_cost / np.maximum(1, speculation_gain)
