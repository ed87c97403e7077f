"""Hardware: what a dollar of accelerator buys, how full a batch makes it, where a phase is cheapest, on which terms.

Knows nothing of sheets, files or other formulas. An accelerator without a price has no figure per dollar.
"""

import numpy as np

from engine.units import (
    FLOP_PER_PARAMETER,
    GIGA,
    NOT_AVAILABLE,
    ONE_TOKEN_PER_REQUEST,
    SECONDS_PER_HOUR,
    TERA,
    TOKENS_PER_MILLION,
    BandwidthPerDollar,
    DollarsPerHour,
    DollarsPerMillionTokens,
    FlopPerDollar,
    MemoryPerDollar,
    Number,
    Share,
    Text,
)


def compute_per_dollar(peak_compute, accelerator_price) -> FlopPerDollar:
    """Arithmetic that a dollar of rent buys at the dense peak: what counts when compute is the limit.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return np.where(accelerator_price > 0, peak_compute * TERA * SECONDS_PER_HOUR / accelerator_price, NOT_AVAILABLE)


def bandwidth_per_dollar(memory_bandwidth, accelerator_price) -> BandwidthPerDollar:
    """Memory bandwidth for a dollar an hour: what counts when reading is the limit.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return np.where(accelerator_price > 0, memory_bandwidth / accelerator_price, NOT_AVAILABLE)


def memory_per_dollar(accelerator_memory, accelerator_price) -> MemoryPerDollar:
    """Memory for a dollar an hour: what counts when the cache is the limit.

    Source: definition.
    """
    return np.where(accelerator_price > 0, accelerator_memory / accelerator_price, NOT_AVAILABLE)


def advantage(per_dollar, baseline_per_dollar) -> Share:
    """By what share an accelerator gives more for a dollar than another one.

    Source: definition.
    """
    return np.where(baseline_per_dollar > 0, per_dollar / baseline_per_dollar - 1, NOT_AVAILABLE)


def deciding_metric(batch_size, critical_batch_size) -> Text:
    """Which figure per dollar decides at a batch: bandwidth below the critical batch, compute from there on.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return np.where(batch_size < critical_batch_size, "bandwidth per dollar", "compute per dollar")


def reached_compute(batch_size, critical_batch_size) -> Share:
    """Share of the compute that a batch uses while the weights are read, KV cache left out.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return np.minimum(1, batch_size / critical_batch_size)


def idle_compute(reached_compute) -> Share:
    """Share of the compute that waits for the weights.

    Source: definition.
    """
    return 1 - reached_compute


def step_compute_share(arithmetic_time, step_time) -> Share:
    """Share of a whole step, KV cache included, in which the arithmetic units work.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter.
    """
    return np.where(step_time > 0, arithmetic_time / step_time, NOT_AVAILABLE)


def placed_input_cost(
    accelerator_price, peak_compute, prefill_compute_share, active_parameters
) -> DollarsPerMillionTokens:
    """Input cost where prompts run on an accelerator that is kept full: rent over the arithmetic of a token.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter, prefill bound by compute.
    """
    work = FLOP_PER_PARAMETER * active_parameters * GIGA
    tokens_per_hour = peak_compute * TERA * prefill_compute_share * SECONDS_PER_HOUR / work
    return accelerator_price / tokens_per_hour * TOKENS_PER_MILLION


def placed_output_cost(
    accelerator_price, memory_bandwidth, weight_bandwidth_share, weight_memory, sequence_memory, batch_size
) -> DollarsPerMillionTokens:
    """Output cost where answers run on an accelerator bound by its bandwidth: rent over what a token has to read.

    Source: Austin et al., How to Scale Your Model (2025), inference chapter, decode bound by bandwidth.
    """
    read = (weight_memory / batch_size + sequence_memory) / ONE_TOKEN_PER_REQUEST
    tokens_per_hour = memory_bandwidth * weight_bandwidth_share * SECONDS_PER_HOUR / read
    return accelerator_price / tokens_per_hour * TOKENS_PER_MILLION


def on_demand_premium(on_demand_price, reserved_price) -> Number:
    """Rent on demand as a multiple of the rent of a reservation.

    Source: definition.
    """
    return np.where(np.minimum(on_demand_price, reserved_price) > 0, on_demand_price / reserved_price, NOT_AVAILABLE)


def blended_rent(base_share, reserved_price, on_demand_price) -> DollarsPerHour:
    """Rent of an accelerator-hour where a base load is reserved and the bursts above it are rented on demand.

    Source: definition.
    """
    return base_share * reserved_price + (1 - base_share) * on_demand_price


def elastic_break_even(reserved_price, on_demand_price) -> Share:
    """Utilization below which accelerators on demand, rented only while they work, cost less than reserved ones.

    Source: definition.
    """
    return np.where(np.minimum(on_demand_price, reserved_price) > 0, reserved_price / on_demand_price, NOT_AVAILABLE)


def elastic_advice(utilization, elastic_break_even) -> Text:
    """Whether reserved or elastic accelerators are cheaper at a utilization.

    Source: definition.
    """
    reserved = np.where(utilization >= elastic_break_even, "reserve for the peak", "one of the two prices is missing")
    return np.where(utilization < elastic_break_even, "rent on demand", reserved)
