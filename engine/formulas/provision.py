"""Provision: what is kept in an hour beside the replicas that its load needs.

Knows nothing of sheets, files or other formulas. Replicas stay warm where a cold start would take too long, one may be
in reserve for another that fails, and nodes are paid for whole.
"""

import numpy as np

from engine.units import Constant, Count, RequestsPerSecond, Text

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


def wanted_replicas(scales_hourly, needed_replicas, replica_count) -> Count:
    """Replicas that the hour's own load calls for; the peak's around the clock where they do not follow it.

    Source: definition.
    """
    return np.where(scales_hourly > 0, needed_replicas, replica_count)


def running_replicas(wanted_replicas, served_hour_requests, request_rate, valley_limit, batch_requests) -> Count:
    """Replicas that run in the hour: those that are wanted, and more where batch work comes on top.

    Source: definition.
    """
    carrying = np.ceil(served_hour_requests / (request_rate * valley_limit) - NOISE)
    return np.where(batch_requests > 0, np.maximum(wanted_replicas, carrying), wanted_replicas)


def batch_requests(filled_requests, left_over_requests) -> RequestsPerSecond:
    """Requests per second of the batch tier that the hour serves.

    Source: definition.
    """
    return filled_requests + left_over_requests


def prefill_pool_replicas(
    shared_pool,
    scales_hourly,
    needed_replicas_prefill,
    prefill_replica_count,
    batch_requests,
    served_hour_requests,
    prefill_time,
    valley_limit,
) -> Count:
    """Replicas of the prefill pool that run in the hour; none where prompts and answers share their replicas.

    Source: definition.
    """
    wanted = np.where(scales_hourly > 0, needed_replicas_prefill, prefill_replica_count)
    carrying = np.ceil(served_hour_requests * prefill_time / valley_limit - NOISE)
    running = np.where(batch_requests > 0, np.maximum(wanted, carrying), wanted)
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


def limit_warning(replica_count, maximum_replicas) -> Text:
    """What to say about a fleet that cannot be had; empty where it can.

    Source: definition.
    """
    return np.where(replica_count > maximum_replicas, "demand exceeds what the replicas that can be had serve", "")
