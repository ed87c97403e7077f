"""Shapes: how many parameters a model has, from the widths in its published configuration.

Knows nothing of sheets, files or other formulas. Biases and norms are left out: they are less than 0.1 %.
"""

import numpy as np

from engine.units import GIGA, ONE_TOKEN, WEIGHT_PER_PAIR, Billions, Constant

# Queries and outputs; keys and values.
MATRICES_PER_HEAD = Constant(2, "")
# Gate, up and down.
FEED_FORWARD_MATRICES = Constant(3, "")


def attention_parameters(
    layers,
    hidden_size,
    attention_heads,
    kv_heads,
    head_dim,
    query_lora_rank,
    kv_lora_rank,
    nope_dim,
    rope_dim,
    value_dim,
) -> Billions:
    """Parameters of attention: four matrices, or those to and from the latents of queries and of keys and values.

    Source: Ainslie et al., GQA (2023); DeepSeek-V2 (2024), section 2.1, latent attention.
    """
    grouped = hidden_size * head_dim * MATRICES_PER_HEAD * (attention_heads + kv_heads)
    query_width = attention_heads * (nope_dim + rope_dim)
    compressed = query_lora_rank * (hidden_size + query_width)
    queries = np.where(query_lora_rank > 0, compressed, hidden_size * query_width)
    keys_and_values = hidden_size * (kv_lora_rank + rope_dim) + kv_lora_rank * attention_heads * (nope_dim + value_dim)
    latent = queries + keys_and_values + attention_heads * value_dim * hidden_size
    return layers * np.where(kv_lora_rank > 0, latent, grouped) * WEIGHT_PER_PAIR / GIGA


def feed_forward_parameters(
    dense_layers, feed_forward_size, expert_layers, shared_expert_size, hidden_size
) -> Billions:
    """Parameters of gated feed-forward layers that every token passes: of dense layers, and of shared experts.

    Source: Shazeer, GLU variants (2020); Dai et al., DeepSeekMoE (2024), shared experts.
    """
    widths = dense_layers * feed_forward_size + expert_layers * shared_expert_size
    return FEED_FORWARD_MATRICES * hidden_size * widths * WEIGHT_PER_PAIR / GIGA


def router_parameters(expert_layers, experts, hidden_size) -> Billions:
    """Parameters that choose a token's experts: a weight for each element and expert; none in a dense model.

    Source: Fedus et al., Switch Transformers (2021).
    """
    return expert_layers * experts * hidden_size * ONE_TOKEN / GIGA


def routed_parameters(expert_layers, experts, expert_size, hidden_size) -> Billions:
    """Parameters of the routed experts; none in a dense model.

    Source: Fedus et al., Switch Transformers (2021); with gated experts, Jiang et al., Mixtral of Experts (2024).
    """
    return expert_layers * experts * FEED_FORWARD_MATRICES * hidden_size * expert_size * WEIGHT_PER_PAIR / GIGA


def embedding_parameters(vocabulary_size, hidden_size, embedding_tables) -> Billions:
    """Parameters of the table that tokens are looked up in and of the one that gives the next; tied, it is one table.

    Source: Press and Wolf (2017).
    """
    return vocabulary_size * hidden_size * embedding_tables * WEIGHT_PER_PAIR / GIGA


def total_parameters(
    attention_parameters, feed_forward_parameters, router_parameters, routed_parameters, embedding_parameters
) -> Billions:
    """All parameters of a model.

    Source: definition.
    """
    dense = attention_parameters + feed_forward_parameters + router_parameters + embedding_parameters
    return dense + routed_parameters


def active_parameters(
    total_parameters, routed_parameters, experts, experts_per_token, embedding_parameters, inactive_embedding_share
) -> Billions:
    """Parameters that a token passes: all but the experts it does not visit, and tables that its vendor leaves out.

    Source: Fedus et al., Switch Transformers (2021); gpt-oss model card (2025), which counts one of the two tables.
    """
    visited = np.where(experts > 0, routed_parameters * experts_per_token / experts, 0)
    return total_parameters - routed_parameters + visited - embedding_parameters * inactive_embedding_share
