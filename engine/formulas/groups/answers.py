"""Answers: the formulas of questions, each group for a row that brings what it needs."""

from __future__ import annotations

from engine.formulas import (
    bursts,
    comparison,
    deployment,
    hardware,
    network,
    planning,
    pricing,
    serving,
    shapes,
    sizing,
    speculation,
    training,
)
from engine.formulas.groups.configuration import MATRICES, group
from engine.formulas.groups.renaming import Formulas, again, formulas_of

HARDWARE_FORMULAS: Formulas = formulas_of(hardware)
SIZING_FORMULAS: Formulas = formulas_of(sizing)
NETWORK_FORMULAS: Formulas = formulas_of(network)
SERVING_FORMULAS: Formulas = formulas_of(serving)
PLANNING_FORMULAS: Formulas = formulas_of(planning)
PRICING_FORMULAS: Formulas = formulas_of(pricing)
TRAINING_FORMULAS: Formulas = formulas_of(training)
COMPARISON_FORMULAS: Formulas = formulas_of(comparison)
BURST_FORMULAS: Formulas = formulas_of(bursts)
DEPLOYMENT_FORMULAS: Formulas = {
    **formulas_of(deployment),
    **again(BURST_FORMULAS, "deployed", replica_count="deployed_replicas"),
}
# What the sheet Models asks for, from a published configuration.
SHAPE_FORMULAS: Formulas = formulas_of(shapes)

# A verify pass takes every sequence's draft through the matrices and reads the cache once. The draft model is dense.
_VERIFY_ATTENTION = again(
    group("attention_arithmetic_time attention_time"), "verify", decoding_batch="verify_sequences"
)
_VERIFY = again(
    MATRICES | group("step_time"), "verify", step_tokens="verify_tokens", attention_time="attention_time_verify"
)
_DRAFT = again(
    group(
        "dense_reading_time dense_arithmetic_time dense_time attention_reading_time attention_arithmetic_time "
        "attention_time collective_latency collective_transfer_time layer_overhead_time step_time"
    ),
    "draft",
    dense_weight_memory="draft_weight_memory",
    active_dense_parameters="draft_parameters",
    attention_width="draft_attention_width",
    kv_cache_per_token="draft_kv_cache_per_token",
    kv_layers="draft_layers",
    layers="draft_layers",
    hidden_size="draft_hidden_size",
    experts="draft_experts",
    matrix_time="dense_time_draft",
)
_DRAFT_SHAPES = again(
    group("kv_elements kv_cache_per_token attention_width"),
    "draft",
    kv_heads="draft_kv_heads",
    head_dim="draft_head_dim",
    attention_heads="draft_attention_heads",
    kv_lora_rank="draft_kv_lora_rank",
    rope_dim="draft_rope_dim",
    kv_layers="draft_layers",
    kv_cache_override="draft_kv_cache_override",
    kv_cache_per_token="draft_kv_cache_per_token",
    attention_width="draft_attention_width",
)
SPECULATION_FORMULAS: Formulas = {
    **formulas_of(speculation),
    **_DRAFT_SHAPES,
    **_VERIFY_ATTENTION,
    **_VERIFY,
    **_DRAFT,
}

# What every accelerator gives for a dollar, beside the one in use.
_METRICS = ("compute_per_dollar", "bandwidth_per_dollar", "memory_per_dollar")
HARDWARE_FORMULAS |= {
    name: formula
    for metric in _METRICS
    for name, formula in {
        **again(
            {metric: HARDWARE_FORMULAS[metric]},
            "in_use",
            accelerator_price="accelerator_price_in_use",
            peak_compute="peak_compute_in_use",
            memory_bandwidth="memory_bandwidth_in_use",
            accelerator_memory="accelerator_memory_in_use",
        ),
        **again(
            {"advantage": HARDWARE_FORMULAS["advantage"]},
            "",
            per_dollar=metric,
            baseline_per_dollar=f"{metric}_in_use",
            advantage=f"{metric.partition('_')[0]}_advantage",
        ),
    }.items()
}
SERVING_FORMULAS |= again(
    {"paged_batch": SERVING_FORMULAS["paged_batch"]},
    "",
    paging_efficiency="contiguous_efficiency",
    paged_batch="contiguous_batch",
)
HARDWARE_FORMULAS |= again(
    {"blended_rent": HARDWARE_FORMULAS["blended_rent"]}, "", base_share="load_factor", blended_rent="mean_reserved_rent"
)
PRICING_FORMULAS |= again(
    {"ratio_cost": PRICING_FORMULAS["ratio_cost"]},
    "",
    input_cost="api_input_price",
    output_cost="api_output_price",
    ratio_cost="api_ratio_cost",
)
