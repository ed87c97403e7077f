"""Axes of a chart in words: what stands at a tick, and how an axis is titled. Knows no chart."""

from __future__ import annotations

import math
from typing import Any

from engine.render.typesetting import number
from engine.units import in_currency, unit_of


def tick_text(value: float, annotation: Any) -> str:
    """The value with as many decimals as it has."""
    shown = value * 100 if unit_of(annotation).kind == "share" else value
    exact = next(places for places in range(12) if math.isclose(round(shown, places), shown, rel_tol=1e-9))
    return number(value, annotation, decimals=exact)


def axis_title(axis: str, annotation: Any, *, log: bool) -> str:
    """The words of an axis, with its unit and its kind where they do not say them already."""
    unit = unit_of(annotation)
    said = unit.symbol in axis or (unit.is_money and in_currency("$") in axis)
    axis += "" if said else f", {unit.symbol}"
    return axis if not log or "log" in axis else f"{axis}, log scale"
