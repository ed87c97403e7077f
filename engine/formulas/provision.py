"""Provision: what is kept in an hour beside the replicas that its load needs.

Knows nothing of sheets, files or other formulas. Replicas stay warm where a cold start would take too long, one may be
in reserve for another that fails, and nodes are paid for whole.
"""

import numpy as np

from engine.units import Constant, Count, Text

NOISE = Constant(1e-9, "")


def kept_replicas(minimum_replicas, scales_to_zero, start_time, start_target) -> Count:
    """Replicas that stay warm without any load: none where a pool may be emptied and a cold start is soon over.

    Source: definition.
    """
    return np.where(np.logical_and(scales_to_zero > 0, start_time <= start_target), 0, minimum_replicas)


def kept_warning(scales_to_zero, start_time, start_target) -> Text:
    """Why replicas stay warm although the pool was to be emptied; empty where they do not.

    Source: definition.
    """
    late = np.where(start_time > start_target, "replicas stay warm: a cold start takes longer than the target", "")
    return np.where(scales_to_zero > 0, late, "")


def running_replicas(needed_replicas, filled_requests, served_hour_requests, request_rate, valley_limit) -> Count:
    """Replicas that run in the hour: those that keep the waiting target, and more where batch work fills the valley.

    Source: definition.
    """
    carrying = np.ceil(served_hour_requests / (request_rate * valley_limit) - NOISE)
    return np.where(filled_requests > 0, np.maximum(needed_replicas, carrying), needed_replicas)


def prefill_pool_replicas(
    shared_pool, needed_replicas_prefill, filled_requests, served_hour_requests, prefill_time, valley_limit
) -> Count:
    """Replicas of the prefill pool that run in the hour; none where prompts and answers share their replicas.

    Source: definition.
    """
    carrying = np.ceil(served_hour_requests * prefill_time / valley_limit - NOISE)
    running = np.where(filled_requests > 0, np.maximum(needed_replicas_prefill, carrying), needed_replicas_prefill)
    return np.where(shared_pool > 0, 0, running)


def replicas_with_reserve(running_replicas, spare_replicas) -> Count:
    """Replicas of a pool and those in reserve for others that fail; an empty pool needs no reserve.

    Source: definition; N + 1 is one spare replica.
    """
    return np.where(running_replicas > 0, running_replicas + spare_replicas, 0)


def pool_accelerators(running_replicas, accelerator_count, accelerators_per_node) -> Count:
    """Accelerators of the whole nodes that hold a pool's replicas, those included that no replica uses.

    A replica does not span nodes where it fits into one.

    Source: definition.
    """
    in_one = np.maximum(1, np.floor(accelerators_per_node / accelerator_count + NOISE))
    packed = np.ceil(running_replicas / in_one - NOISE)
    spanning = running_replicas * np.ceil(accelerator_count / accelerators_per_node - NOISE)
    return np.where(accelerator_count <= accelerators_per_node, packed, spanning) * accelerators_per_node


def required_accelerators(pool_accelerators, pool_accelerators_prefill) -> Count:
    """Accelerators of both pools that meet the targets in the hour, in whole nodes.

    Source: definition.
    """
    return pool_accelerators + pool_accelerators_prefill


def reserve_accelerators(
    pool_accelerators_with_reserve, pool_accelerators_with_reserve_prefill, required_accelerators
) -> Count:
    """Accelerators that the reserve adds; none where it finds room on nodes that are there anyway.

    Source: definition.
    """
    return pool_accelerators_with_reserve + pool_accelerators_with_reserve_prefill - required_accelerators


def spare_accelerators(required_accelerators, running_replicas, prefill_pool_replicas, accelerator_count) -> Count:
    """Accelerators on whole nodes that no required replica uses; they are paid for all the same.

    Source: definition.
    """
    return required_accelerators - (running_replicas + prefill_pool_replicas) * accelerator_count
