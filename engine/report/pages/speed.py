"""Speed: what a decode step is made of."""

from __future__ import annotations

from engine.derivation import label
from engine.report.live import LiveSheet
from engine.report.pages.deployments import MOST_ROWS
from engine.report.values import (
    Head,
    Margin,
    Row,
    Section,
    Segment,
    Side,
    Stack,
    Table,
)
from engine.report.workbook import by_traffic_first
from engine.scenarios import CONFIGURED, Grain, Scenario
from engine.units import (
    Count,
    Milliseconds,
    TokensPerSecond,
    show,
)

PARTS = (
    ("reading weights", "weight_reading_time", "blue"),
    ("arithmetic beyond it", "exposed_arithmetic_time", "grey"),
    ("KV cache", "attention_time", "blue2"),
    ("network", "network_time", "blue3"),
    ("software", "overhead_time", "idle"),
)


def speed(scenario: Scenario, sheet: LiveSheet) -> Section:
    """What a decode step is made of, for each configuration that serves."""
    grain = scenario[CONFIGURED]
    keys = [key for key in by_traffic_first(grain) if grain.value("counts", key)][:MOST_ROWS]
    slowest = max(keys, key=lambda key: grain.value("step_time", key))
    shares = {
        name: sum(grain.value(quantity, key) / grain.value("step_time", key) for key in keys)
        for name, quantity, _ in PARTS
    }
    longest = show(grain.value("step_time", slowest), grain.annotation("step_time"))
    headline = f"Decode waits mostly for {max(shares, key=lambda name: shares[name])}; the slowest step takes {longest}"
    return Section("Speed", headline, (_steps(grain, keys, sheet), _replicas(grain, keys, sheet)))


def _milliseconds(grain: Grain, quantity: str, keys: list[str]) -> tuple[float, ...]:
    return tuple(grain.value(quantity, key) * 1e3 for key in keys)


def _steps(grain: Grain, keys: list[str], sheet: LiveSheet) -> Stack:
    parts = {key: grain.value("network_time", key) + grain.value("overhead_time", key) for key in keys}
    waiting = max(keys, key=lambda key: parts[key] / grain.value("step_time", key))
    return Stack(
        title=f"{label(waiting)} waits longest for network and software, for its step."
        if parts[waiting] > 0 and len(keys) > 1
        else "What a step is made of."
        if parts[waiting] > 0
        else "No step waits for network or software: the calibration leaves both out.",
        description="Parts of one decode step, ms, by configuration that serves",
        labels=tuple(label(key) for key in keys),
        segments=tuple(Segment(name, _milliseconds(grain, quantity, keys), tone) for name, quantity, tone in PARTS),
        unit=Milliseconds,
        sides=(
            Side("step", _milliseconds(grain, "step_time", keys), Milliseconds),
            Side("all weights", _milliseconds(grain, "step_time_floor", keys), Milliseconds),
        ),
        note=Margin("Chart", sheet.range(), "all weights: reading them once; experts are read as they are touched"),
        alt="Parts of one decode step by configuration.",
    )


def _replicas(grain: Grain, keys: list[str], sheet: LiveSheet) -> Table:
    return Table(
        "Speed of one replica",
        "at the batch it runs",
        (
            Head("Configuration"),
            Head("Limited by"),
            Head("Batch", Count),
            Head("Critical", Count),
            Head("Per token", Milliseconds, "ms"),
            Head("First token", Milliseconds, "ms", decimals=0),
            Head("Prefill", Milliseconds, "ms", decimals=0),
            Head("Output", TokensPerSecond, "tok/s"),
            Head("Input", TokensPerSecond, "tok/s"),
        ),
        tuple(
            Row(
                (
                    label(key),
                    grain.value("bound", key),
                    grain.value("batch_size", key),
                    grain.value("critical_batch_size", key),
                    grain.value("time_per_output_token", key) * 1e3,
                    grain.value("time_to_first_token", key) * 1e3,
                    grain.value("prefill_time", key) * 1e3,
                    grain.value("output_speed", key),
                    grain.value("input_speed", key),
                )
            )
            for key in keys
        ),
        Margin("Table", sheet.range()),
        "Critical: the batch at which arithmetic takes as long as reading the weights, at datasheet rates. Speeds are "
        "predicted with the row of the Calibration sheet that the configuration names, whose source says how far off "
        "the fit was, unless a measured speed is given.",
    )
