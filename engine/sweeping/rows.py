"""Rows: what the formulas read in every row of a grid, looked up once for each combination that it depends on.

Each quantity is an array with a dimension for every axis, of length 1 along those that do not change it. Knows
nothing of Excel, nor of what is calculated from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import product
from typing import Any

import numpy as np

from engine.calculation import Columns
from engine.formulas import FORMULAS, needs
from engine.scenarios import CONFIGURED, Case, Scenario, case_inputs
from engine.scenarios.joins import case_sources
from engine.studies.variants import computes
from engine.sweeping.grid import Axis, Grid
from engine.units import unit_of

# Axes longer than this are calculated by place, piece by piece, and stand here without their values.
LONGEST_HELD = 1 << 20


def columns_of(scenario: Scenario, grid: Grid) -> Columns:
    """Every quantity that a formula may read, as arrays that broadcast to the whole grid."""
    sources = case_sources(scenario[CONFIGURED].sources)
    read = set().union(*(needs(formula) for formula in FORMULAS.values())) & set(sources)
    chosen = {axis.quantity: number for number, axis in enumerate(grid.axes) if axis.is_text}
    typed = {axis.quantity: number for number, axis in enumerate(grid.axes) if not axis.is_text}
    texts = {name for name, source in sources.items() if unit_of(source.annotation).kind == "text"}
    following = _following(sources, texts, chosen)
    columns: Columns = {}
    for axes in set(following.values()):
        own = [name for name in read - set(typed) if following[name] == axes]
        if own:
            columns |= _looked_up(scenario, grid, sorted(axes), own)
    return columns | {name: _numbers(grid, number) for name, number in typed.items()}


def _numbers(grid: Grid, number: int) -> Any:
    axis, shape = grid.axes[number], _shape(grid, [number])
    if len(axis) > LONGEST_HELD:
        return np.broadcast_to(np.float64(0), shape)
    return axis.numbers(0, len(axis)).reshape(shape)


def _shape(grid: Grid, axes: list[int]) -> list[int]:
    return [len(axis) if number in axes else 1 for number, axis in enumerate(grid.axes)]


def _following(
    sources: Mapping[str, Any], texts: set[str], chosen: Mapping[str, int]
) -> dict[str, frozenset[int]]:
    """For each quantity the axes of names that it follows from, through the names by which it is looked up."""
    found: dict[str, frozenset[int]] = {}

    def axes_of(name: str) -> frozenset[int]:
        if name not in found:
            named = {other for other in _strings(sources[name]) if other in texts and other != name}
            by_name = frozenset[int]().union(*(axes_of(other) for other in named))
            found[name] = frozenset({chosen[name]}) if name in chosen else by_name
        return found[name]

    return {name: axes_of(name) for name in sources}


def _strings(source: Any) -> Iterator[str]:
    """The names within a source, however deep: the quantities that it looks up by are among them."""
    for field in fields(source):
        value = getattr(source, field.name)
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, str))
        elif is_dataclass(value) and field.name != "column":
            yield from _strings(value)


def _looked_up(scenario: Scenario, grid: Grid, axes: list[int], names: list[str]) -> Columns:
    """These quantities for every combination of the axes, with the first value along the other axes of names."""
    first = {axis.quantity: axis.values[0] for axis in grid.axes if axis.is_text}
    cases = [
        _case(grid, str(number), {**first, **dict(combination)})
        for number, combination in enumerate(product(*(_pairs(grid.axes[axis]) for axis in axes)))
    ]
    values = case_inputs(scenario, cases)
    found = {name: np.asarray(values[name], dtype=float) for name in names}
    if "peak_compute" in found:
        # What an accelerator cannot calculate with it has no arithmetic for.
        pairs = zip(values["hardware"], values["precision"], strict=True)
        can = np.array([computes(scenario, str(hardware), str(precision)) for hardware, precision in pairs])
        found["peak_compute"] = np.where(can, found["peak_compute"], np.nan)
    shape = _shape(grid, axes)
    assert math.prod(shape) == len(cases)
    return {name: column.reshape(shape) for name, column in found.items()}


def _pairs(axis: Axis) -> list[tuple[str, Any]]:
    return [(axis.quantity, value) for value in axis.values]


def _case(grid: Grid, name: str, names: dict[str, Any]) -> Case:
    configuration = names.pop("configuration", grid.base)
    return Case(name, "sweep", configuration, names)
