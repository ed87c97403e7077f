"""Traffic: what one class of requests adds to the traffic that a configuration serves.

Knows nothing of sheets, files or other formulas. A row is a class within a traffic: a class by itself, or a customer
group's share of it.
"""

import numpy as np

from engine.units import ONE_REQUEST_PER_SECOND, RequestsPerSecond, TokensPerRequest


def cached_tokens(input_tokens, cached_share) -> TokensPerRequest:
    """Prompt tokens whose KV cache is found from an earlier request.

    Source: definition.
    """
    return input_tokens * cached_share


def class_requests(has_demand, mean_requests, mix_share) -> RequestsPerSecond:
    """Requests per second that the class adds, mean of the month.

    Source: definition.
    """
    return np.where(has_demand > 0, mean_requests * mix_share, 0)


def class_peak(has_demand, peak_requests, mix_share) -> RequestsPerSecond:
    """Requests per second that the class adds at its peak; the peaks of a mix are taken to fall together.

    Source: definition.
    """
    return np.where(has_demand > 0, peak_requests * mix_share, 0)


def class_weight(has_demand, class_requests, mix_share) -> RequestsPerSecond:
    """Weight of the class in the mean lengths of a traffic: its requests, or its share where none are known.

    Source: definition.
    """
    return np.where(has_demand > 0, class_requests, mix_share * ONE_REQUEST_PER_SECOND)
