"""Deployment: what several replicas that were measured together come to, and a layout where none is told.

Knows nothing of sheets, files or other formulas.
"""

import numpy as np

from engine.units import ONE_REQUEST, Count, RequestsPerSecond, Seconds, Sequences, Share, TokensPerSecond

NOISE = 1e-9


def assumed_ranks(minimum_accelerators, measured_accelerators) -> Count:
    """Ranks of a replica whose layout is not told: the power of two that holds the weights, or all there are.

    Source: definition; engines are started on powers of two.
    """
    fewest = 2 ** np.ceil(np.log2(np.maximum(1, minimum_accelerators)) - NOISE)
    return np.minimum(fewest, measured_accelerators)


def deployed_replicas(measured_accelerators, tensor_parallel, pipeline_stages) -> Count:
    """Replicas that so many accelerators make.

    Source: definition.
    """
    return np.maximum(1, measured_accelerators / (tensor_parallel * pipeline_stages))


def deployed_attention_groups(measured_groups, deployed_replicas, tensor_parallel) -> Count:
    """Groups of ranks in a replica that serve different sequences: data parallelism beyond the replicas.

    Source: DeepSeek-AI, DeepSeek-V3 (2024), data-parallel attention.
    """
    return np.minimum(np.maximum(1, measured_groups / deployed_replicas), tensor_parallel)


def deployed_batch(measured_users, deployed_replicas, pipeline_stages, batch_size_limit) -> Sequences:
    """Sequences decoded together where so many users send one request after the other, as far as memory holds them.

    Source: definition; every pipeline stage has a batch of its own in flight.
    """
    each = measured_users / (deployed_replicas * pipeline_stages)
    return np.maximum(ONE_REQUEST, np.minimum(each, batch_size_limit))


def served_rate(replica_rate, deployed_replicas) -> RequestsPerSecond:
    """Requests per second that all replicas serve of those that arrive: as many as they can.

    Source: definition.
    """
    return replica_rate * deployed_replicas


def arriving_users(busy_batch_hour, deployed_replicas, pipeline_stages) -> Sequences:
    """Requests that are served at once where so many arrive a second.

    Source: Little (1961).
    """
    return busy_batch_hour * deployed_replicas * pipeline_stages


def filled_share(measured_users, deployed_replicas, replica_slots) -> Share:
    """Share of the places in batches that users take: below 1 where there are fewer users than batches in flight.

    Source: definition.
    """
    return np.minimum(1, measured_users / (deployed_replicas * replica_slots))


def deployed_output_speed(
    output_speed,
    deployed_replicas,
    filled_share,
    served_rate,
    generated_tokens,
    burst_requests,
    burst_output_speed_deployed,
) -> TokensPerSecond:
    """Output tokens per second of all replicas: of users one after another, of what arrives a second, or of a burst.

    Source: definition.
    """
    users = output_speed * deployed_replicas * filled_share
    steady = np.where(served_rate > 0, served_rate * generated_tokens, users)
    return np.where(burst_requests > 0, burst_output_speed_deployed, steady)


def deployed_input_speed(input_speed, deployed_replicas) -> TokensPerSecond:
    """Prompt tokens per second of all replicas.

    Source: definition.
    """
    return input_speed * deployed_replicas


def output_speed_per_accelerator(deployed_output_speed, measured_accelerators) -> TokensPerSecond:
    """Output tokens per second for each accelerator that was measured.

    Source: definition.
    """
    return deployed_output_speed / measured_accelerators


def time_to_first_token_in_waves(
    time_to_first_token,
    cycle_time,
    measured_users,
    deployed_replicas,
    replica_slots,
    burst_requests,
    burst_first_token_deployed,
) -> Seconds:
    """Time to the first token where more users than find room wait for those before them, a cycle each wave.

    Source: our calibration (README, Fidelity); of a burst, its own mean.
    """
    waves = measured_users / (deployed_replicas * replica_slots) - 1
    steady = time_to_first_token + np.maximum(0, waves) * cycle_time
    return np.where(burst_requests > 0, burst_first_token_deployed, steady)
