"""Deployment: what several replicas that were measured together come to, and a layout where none is told.

Knows nothing of sheets, files or other formulas.
"""

import numpy as np

from engine.units import ONE_REQUEST, Count, Seconds, Sequences, TokensPerSecond

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


def deployed_output_speed(output_speed, deployed_replicas) -> TokensPerSecond:
    """Output tokens per second of all replicas.

    Source: definition.
    """
    return output_speed * deployed_replicas


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
    time_to_first_token, cycle_time, measured_users, deployed_replicas, pipeline_stages, batch_size
) -> Seconds:
    """Time to the first token where more users than find room wait for those before them, a cycle each wave.

    Source: our calibration (README, Fidelity).
    """
    waves = measured_users / (deployed_replicas * pipeline_stages * batch_size) - 1
    return time_to_first_token + np.maximum(0, waves) * cycle_time
