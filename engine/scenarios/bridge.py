"""Bridge: grains that set every traffic beside what it was in the month before, step by step.

What the earlier month came to stands in its run; such figures are values. Knows neither Excel's grammar nor what is
inside a formula.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.calculation import Columns
from engine.formulas import BRIDGE_FORMULAS, BRIDGE_LINE_FORMULAS, STEPS
from engine.scenarios.grains import Grain, make_grain
from engine.scenarios.sources import (
    BRIDGE,
    BRIDGE_LINES,
    BY_TRAFFIC,
    TOTAL,
    Key,
    Setting,
    Source,
    Sum,
    Varied,
)
from engine.sheets import SETTINGS
from engine.units import DollarsPerMonth, HoursPerMonth, MillionTokensPerMonth, Number
from engine.workbook.read import Inputs

ALL = "All traffics"
# What a traffic of the month before is known by, by the name that it has in this month's grain.
BEFORE = {
    "before_tokens": ("sold_tokens", MillionTokensPerMonth),
    "before_revenue": ("revenue", DollarsPerMonth),
    "before_bill": ("fleet_cost", DollarsPerMonth),
    "before_hours": ("held_hours", HoursPerMonth),
    "before_used_hours": ("used_hours", HoursPerMonth),
}
# What every traffic leaves in its month's run, for the month after it.
LEFT = tuple(name for name, _ in BEFORE.values())
THRESHOLDS = ("comment_above", "comment_above_share")


@dataclass(frozen=True)
class Before:
    """The month before: the figures of every traffic, and this month's ratios at the exchange rates of that one."""

    traffics: Mapping[str, Mapping[str, float]]
    rate_ratios: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether it has every figure that is compared; runs of older versions have fewer."""
        return bool(self.traffics) and all(set(LEFT) <= set(figures) for figures in self.traffics.values())


def bridge_grains(inputs: Inputs, grains: Mapping[str, Grain], before: Before) -> dict[str, Grain]:
    """Every traffic of both months with its steps, and all of them together."""
    lines = _lines(inputs, grains, before)
    return {BRIDGE_LINES: lines, BRIDGE: _together(inputs, {**grains, BRIDGE_LINES: lines})}


def _lines(inputs: Inputs, grains: Mapping[str, Grain], before: Before) -> Grain:
    now = grains[BY_TRAFFIC]
    names = list(dict.fromkeys([*map(str, now.keys), *before.traffics]))
    keys: Columns = {"traffic": np.array(names), "total": np.array(["Total"] * len(names))}
    sources: dict[str, Source] = {"traffic": Key(), "total": Key()}
    for quantity, (name, unit) in BEFORE.items():
        keys[quantity] = np.array([before.traffics.get(key, {}).get(name, 0.0) for key in names])
        sources[quantity] = Key(unit)
    keys["all_before_tokens"] = np.full(len(names), keys["before_tokens"].sum())
    sources["all_before_tokens"] = Key(MillionTokensPerMonth)
    for ratio in ("revenue_rate_ratio", "bill_rate_ratio"):
        keys[ratio] = np.array([before.rate_ratios.get(key, {}).get(ratio, 1.0) for key in names])
        sources[ratio] = Key(Number)
    for name in ("sold_tokens", "revenue", "fleet_cost", "held_hours", "used_hours", "gross_profit"):
        sources[name] = Sum(BY_TRAFFIC, name, now.annotation(name), "traffic")
    sources["all_tokens"] = Varied(TOTAL, "sold_tokens", "total", MillionTokensPerMonth)
    sources |= {name: Setting(SETTINGS.column(name)) for name in THRESHOLDS}
    return make_grain(BRIDGE_LINES, keys, sources, BRIDGE_LINE_FORMULAS, inputs, grains)


def _together(inputs: Inputs, grains: Mapping[str, Grain]) -> Grain:
    summed = ("before_profit", *(f"{step}_step" for step in STEPS), "gross_profit")
    sources: dict[str, Source] = {
        "all_traffics": Key(),
        **{name: Sum(BRIDGE_LINES, name, DollarsPerMonth) for name in summed},
        **{name: Setting(SETTINGS.column(name)) for name in THRESHOLDS},
    }
    return make_grain(BRIDGE, {"all_traffics": np.array([ALL])}, sources, BRIDGE_FORMULAS, inputs, grains)
