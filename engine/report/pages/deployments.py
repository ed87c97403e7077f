"""What the pages call a deployment, which of them serve, and how many rows a page holds."""

from __future__ import annotations

from engine.scenarios import Grain
from engine.units import NO_BREAK, Count, show

MOST_ROWS = 20


def serving(grain: Grain) -> list[str]:
    """Configurations that serve and fit, largest bill first."""
    keys = [str(key) for key in grain.keys if grain.value("counts", key)]
    return sorted(keys, key=lambda key: -grain.value("fleet_cost", key))


def deployment(grain: Grain, key: str) -> str:
    """`Llama 3.1 70B fp8, 4 × H100 SXM`; of a precision's name what stands before a comma."""
    count = show(grain.value("accelerator_count", key), Count)
    model, precision, hardware = (str(grain.value(name, key)) for name in ("model", "precision", "hardware"))
    apart = "" if grain.value("shared_pool", key) else ", prefill apart"
    return f"{model} {precision.partition(',')[0]}, {count}{NO_BREAK}\u00d7{NO_BREAK}{hardware}{apart}"
