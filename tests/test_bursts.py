"""Bursts: ramp, steady part and tail against requests that are served one by one, and what must hold of any burst."""

import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calculation import calculate
from engine.formulas import BURST_FORMULAS

PROMPT, FIXED, EACH, STEPS = 0.01, 0.01, 0.0001, 200
PLACES = 100


def burst(requests, variability, replicas=1):
    """The formulas for replicas of PLACES whose full step and cycle follow from the figures above."""
    step = FIXED + EACH * PLACES
    given = {
        "burst_requests": requests, "replica_count": replicas, "pipeline_stages": 1,
        "batch_size": PLACES, "cycle_time": PROMPT * PLACES + STEPS * step, "decode_steps": STEPS, "step_time": step,
        "attention_time": EACH * PLACES, "sequence_overhead_time": 0.0, "engine_factor": 1.0,
        "service_variability": variability, "generated_tokens": STEPS + 1, "prefill_overhead_time": 0.0,
        "output_speed": PLACES * (STEPS + 1) / (PROMPT * PLACES + STEPS * step), "fleet_accelerators": 8 * replicas,
        "accelerator_price": 3.0,
    }  # fmt: skip
    found = calculate({name: np.array([float(value)]) for name, value in given.items()}, BURST_FORMULAS)
    return {name: values.item() for name, values in found.items()}


def served_one_by_one(lengths):
    """Seconds until the last of these answers ends: prompts before steps, and whoever leaves makes room at once."""
    waiting, running, now, step = list(reversed(lengths)), [], 0.0, 0.0
    while waiting or running:
        while waiting and len(running) < PLACES:
            now += PROMPT
            heapq.heappush(running, step + waiting.pop())
        # Until the next answer ends nothing changes.
        length = running[0] - step
        now += length * (FIXED + EACH * len(running))
        step = running[0]
        while running and running[0] <= step + 1e-9:
            heapq.heappop(running)
    return now


@pytest.mark.parametrize("requests", [1, 40, 100, 300, 1000])
def test_answers_of_one_length_are_exact(requests):
    assert burst(requests, 0)["burst_time"] == pytest.approx(served_one_by_one([STEPS] * requests), rel=1e-9)


@pytest.mark.parametrize("requests", [100, 250, 1000, 4000])
def test_exponential_answers_are_exact_on_average(requests):
    drawn = np.random.default_rng(7)
    times = [served_one_by_one(list(drawn.exponential(STEPS, requests))) for _ in range(60)]
    assert burst(requests, 1)["burst_time"] == pytest.approx(np.mean(times), rel=0.02)


def test_answers_in_between_lie_in_between():
    """Gamma answers with a quarter of the variance: an approximation, 6 % too long here."""
    drawn = np.random.default_rng(7)
    times = [served_one_by_one(list(drawn.gamma(4, STEPS / 4, 300))) for _ in range(60)]
    assert burst(300, 0.25)["burst_time"] == pytest.approx(np.mean(times), rel=0.1)


@given(st.integers(1, 100_000), st.integers(1, 100_000), st.floats(0, 4), st.integers(1, 8))
def test_more_requests_take_longer_and_are_served_faster(one, other, variability, replicas):
    fewer, more = (burst(count, variability, replicas) for count in sorted((one, other)))
    assert fewer["burst_time"] <= more["burst_time"] * (1 + 1e-12)
    assert fewer["burst_first_token"] <= more["burst_first_token"] * (1 + 1e-12)
    if other >= PLACES * replicas and one >= PLACES * replicas:
        assert fewer["burst_output_speed"] <= more["burst_output_speed"] * (1 + 1e-12)
    parts = sum(more[name] for name in ("ramp_time", "steady_time", "tail_time"))
    assert more["burst_time"] == pytest.approx(parts)


def test_a_large_burst_comes_close_to_full_replicas_and_never_above():
    slowdowns = [burst(count, 1)["burst_slowdown"] for count in (100, 1000, 10_000, 1_000_000)]
    assert slowdowns == sorted(slowdowns, reverse=True)
    assert slowdowns[0] > 1.5 and 1 <= slowdowns[-1] < 1.001


def test_twice_the_replicas_take_twice_the_burst_in_the_same_time():
    assert burst(2000, 0.5, 2)["burst_time"] == pytest.approx(burst(1000, 0.5, 1)["burst_time"])


def test_without_a_burst_there_is_no_figure():
    assert np.isnan(burst(float("nan"), 1)["burst_time"])
