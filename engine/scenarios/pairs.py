"""Pairs: a grain for two-way tables, one row for each combination of two drivers on a case.

A row has only the formulas that the drivers move and that the outcomes need; all else it reads from the case. Knows
neither Excel's grammar nor what is inside a formula.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.calculation import Columns, behind, depending_on, in_order
from engine.formulas import Formulas, needs
from engine.scenarios.grains import Grain, make_grain, named_once
from engine.scenarios.joins import CASE_FORMULAS
from engine.scenarios.sources import CASES, PAIRS, Key, Source, Varied
from engine.units import Share
from engine.workbook.read import Inputs

PAIR_OUTCOMES = ("blended_cost", "gross_margin")


ACROSS, DOWN = "across_change", "down_change"


@dataclass(frozen=True)
class Combination:
    """One combination: its name, its case, the shares of its two drivers, and the quantities typed over or Moved."""

    name: str
    case: str
    across_change: float
    down_change: float
    changes: Mapping[str, Any]


def _formulas(combinations: Sequence[Combination]) -> Formulas:
    changed = {quantity for combination in combinations for quantity in combination.changes}
    moved = set().union(*(depending_on(quantity, CASE_FORMULAS) for quantity in changed))
    wanted = behind(PAIR_OUTCOMES, changed, CASE_FORMULAS) & moved
    return {name: CASE_FORMULAS[name] for name in in_order(CASE_FORMULAS) if name in wanted}


def read_of_case(combinations: Sequence[Combination]) -> set[str]:
    """What the rows of these combinations read of their case."""
    formulas = _formulas(combinations)
    read = set().union(*(needs(formula) for formula in formulas.values())) - set(formulas)
    return read | {name for each in combinations for name in each.changes} | {"fits"}


def pairs(inputs: Inputs, grains: Mapping[str, Grain], combinations: Sequence[Combination]) -> Grain:
    """The grain of these combinations, each on its case."""
    cases, formulas = grains[CASES], _formulas(combinations)
    keys: Columns = {
        "combination": np.array([each.name for each in combinations]),
        "case": np.array([each.case for each in combinations]),
        ACROSS: np.array([each.across_change for each in combinations], dtype=float),
        DOWN: np.array([each.down_change for each in combinations], dtype=float),
    }
    sources: dict[str, Source] = {name: Key(Share) if name in (ACROSS, DOWN) else Key() for name in keys}
    for quantity in sorted(read_of_case(combinations) - set(formulas)):
        sources[quantity] = Varied(CASES, quantity, "case", cases.annotation(quantity))
    guards = [name for name in (*sources, *formulas) if name in cases.guarded]
    changes = [each.changes for each in combinations]
    asked = Counter(quantity for formula in formulas.values() for quantity in needs(formula))
    columns = set(keys).union(cases.guarded, *changes)
    once = [name for name in sources if asked[name] == 1 and name not in columns]
    once += named_once(formulas)
    return make_grain(PAIRS, keys, sources, formulas, inputs, grains, guards, changes, inlined=once)
