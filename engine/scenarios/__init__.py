"""Scenarios: which rows are calculated, and where each of their inputs is read. Knows nothing of Excel's grammar.

Each grain is one table. How a quantity comes to a grain is declared once, as data (`sources`): `grains` reads the
numbers by it, and the results workbook writes its live lookups by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from engine.calculation import Columns
from engine.formulas import FORMULAS, LINE_FORMULAS, TOTAL_FORMULAS
from engine.scenarios.actual_months import MODELLED, Archived, actual_grains, looked_back_on, month_name
from engine.scenarios.asked import FURTHER
from engine.scenarios.grains import Grain, make_grain
from engine.scenarios.joins import (
    DECISION_FORMULAS,
    case_sources,
    configuration_sources,
    decision_sources,
    line_sources,
    sum_sources,
    wanted,
)
from engine.scenarios.sources import (
    ACCELERATORS,
    ACTUAL_MONTHS,
    APIS,
    BY_TRAFFIC,
    CASES,
    CONFIGURED,
    DECISIONS,
    DRAFTS,
    LINES,
    PRICE_COURSE,
    RATIOS,
    TOTAL,
    TWELVE_MONTHS,
    YEAR_TO_DATE,
    Booked,
    Case,
    Chosen,
    DaysBilled,
    Filled,
    HasOne,
    Key,
    Known,
    Largest,
    Looked,
    Mean,
    Setting,
    Source,
    Sum,
    Varied,
    may_be_unknown,
)
from engine.sheets import CONFIGURATIONS, TRAFFIC, TRAFFIC_MIXES
from engine.workbook.read import Inputs

__all__ = [
    "ACCELERATORS",
    "ACTUAL_MONTHS",
    "APIS",
    "BY_TRAFFIC",
    "CASES",
    "CONFIGURED",
    "DECISIONS",
    "DRAFTS",
    "LINES",
    "MODELLED",
    "PRICE_COURSE",
    "RATIOS",
    "TOTAL",
    "TWELVE_MONTHS",
    "YEAR_TO_DATE",
    "Archived",
    "Booked",
    "Case",
    "Chosen",
    "DaysBilled",
    "Filled",
    "Grain",
    "HasOne",
    "Key",
    "Known",
    "Largest",
    "Looked",
    "Mean",
    "Scenario",
    "Setting",
    "Source",
    "Sum",
    "Varied",
    "looked_back_on",
    "month_name",
    "scenario",
    "with_actuals",
    "with_asked",
    "with_cases",
]


@dataclass(frozen=True)
class Scenario:
    """All grains of one report."""

    inputs: Inputs
    grains: Mapping[str, Grain]

    def __getitem__(self, name: str) -> Grain:
        return self.grains[name]


def scenario(inputs: Inputs) -> Scenario:
    """Every grain of the report, joined and calculated from what the workbook holds."""
    grains: dict[str, Grain] = {}
    traffic, mixes = inputs.tables[TRAFFIC.name], inputs.tables[TRAFFIC_MIXES.name]
    classes = traffic.columns["traffic"]
    line_keys = {
        "traffic": np.concatenate([classes, mixes.columns["traffic_mix"]]),
        "traffic_class": np.concatenate([classes, mixes.columns["traffic"]]),
        "mix_share": np.concatenate([np.ones(len(classes)), mixes.columns["mix_share"]]),
    }
    grains[LINES] = make_grain(LINES, line_keys, line_sources(), LINE_FORMULAS, inputs, grains)

    configured = {"configuration": inputs.tables[CONFIGURATIONS.name].columns["configuration"]}
    sources = wanted(configuration_sources(), FORMULAS)
    grains[CONFIGURED] = make_grain(CONFIGURED, configured, sources, FORMULAS, inputs, grains, guards=["batch_size"])

    served = grains[CONFIGURED].values
    names = list(dict.fromkeys(t for t, counts in zip(served["traffic"], served["counts"], strict=True) if counts > 0))
    by_traffic = {"traffic": np.array(names)}
    grains[BY_TRAFFIC] = make_grain(
        BY_TRAFFIC, by_traffic, {"traffic": Key(), **sum_sources("traffic")}, TOTAL_FORMULAS, inputs, grains
    )
    total = {"total": np.array(["Total"])}
    grains[TOTAL] = make_grain(TOTAL, total, {"total": Key(), **sum_sources("")}, TOTAL_FORMULAS, inputs, grains)
    decided = decision_sources(grains[CONFIGURED])
    stands = [quantity for quantity in decided if quantity in grains[CONFIGURED].guarded]
    blank = [name for name, source in decided.items() if may_be_unknown(source)]
    grains[DECISIONS] = make_grain(
        DECISIONS, configured, decided, DECISION_FORMULAS, inputs, grains, guards=stands, unknown=blank
    )
    return Scenario(inputs, grains)


def with_cases(calculated: Scenario, cases: Sequence[Case]) -> Scenario:
    """The same grains, and one more: configurations with something changed, each a full row of the model.

    What a case does not change it shares with its configuration; a change of a name (hardware, precision, model)
    brings everything that is looked up by that name. Cases are in no total.
    """
    names = [case.name for case in cases]
    if len(set(names)) < len(names):
        # Rows are found by name, here and in the workbook.
        raise ValueError(f"two cases have one name: {sorted(name for name in set(names) if names.count(name) > 1)}")
    sources = case_sources(calculated[CONFIGURED].sources)
    keys: Columns = {
        "case": np.array(names),
        "study": np.array([case.study for case in cases]),
        "configuration": np.array([case.configuration for case in cases]),
    }
    changes = [{"serves": 0.0, **case.changes} for case in cases]
    grain = make_grain(CASES, keys, sources, FORMULAS, calculated.inputs, calculated.grains, ["batch_size"], changes)
    return Scenario(calculated.inputs, {**calculated.grains, CASES: grain})


def with_asked(calculated: Scenario, base: str, wanted: Mapping[str, Sequence[str]]) -> Scenario:
    """The same grains, and those of further questions, asked of `base`.

    `wanted` names the grains (ACCELERATORS, APIS, RATIOS, DRAFTS, PRICE_COURSE), each with the cases that are its rows
    where it has such. A grain without rows is left out.
    """
    grains = dict(calculated.grains)
    for name, cases in wanted.items():
        grain = FURTHER[name](calculated.inputs, grains, base, cases)
        if len(grain.keys):
            grains[name] = grain
    return Scenario(calculated.inputs, grains)


def with_actuals(calculated: Scenario, archived: Mapping[date, Archived]) -> Scenario:
    """The same grains, and those of the months on Actuals, beside the archive's runs of earlier months."""
    found = actual_grains(calculated.inputs, calculated.grains, archived)
    return Scenario(calculated.inputs, {**calculated.grains, **found})
