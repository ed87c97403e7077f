"""Questions: which configurations with something changed the report asks for, each a live row of the model.

All start from one configuration. Knows neither Excel nor HTML, nor which variants answer a question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.scenarios import (
    ACCELERATORS,
    APIS,
    CASES,
    CONFIGURED,
    DRAFTS,
    PRICE_COURSE,
    RATIOS,
    Case,
    Grain,
    Scenario,
    with_asked,
    with_cases,
    with_pairs,
)
from engine.sheets import COMPETITORS
from engine.studies import variants
from engine.studies.search import Search, search
from engine.studies.sensitivity import Sensitivity, sensitivity

BATCH, TOPOLOGY, PRECISION, PLACES, MODELS_LIKE, LEVERS = (
    "batch",
    "topology",
    "precision",
    "accelerators",
    "models",
    "levers",
)
CACHING, PAGING, LOAD, REASONING, FRONTIER = "caching", "paging", "load", "reasoning", "frontier"
PRICE_HISTORY = ("first_price", "last_price", "price_years")


@dataclass(frozen=True)
class Asked:
    """The configuration that the questions start from, the cases asked of it, and the grains of further questions.

    `further` names those grains, each with the study whose cases are its rows, or with nothing. `sensitivity` is what
    drivers and scenarios do, where the workbook names some; `search` what would serve `base` for least.
    """

    base: str
    cases: tuple[Case, ...]
    further: Mapping[str, str]
    sensitivity: Sensitivity | None = None
    search: Search | None = None

    def of(self, study: str) -> list[str]:
        """Names of a study's cases, in order."""
        return [case.name for case in self.cases if case.study == study]


def within(case: str) -> str:
    """What a case is called within its question."""
    return case.partition(": ")[2]


def questions(scenario: Scenario) -> Asked | None:
    """Every question that the settings ask for; None where no configuration serves that it could start from."""
    base = base_of(scenario)
    if base is None:
        return None
    settings = scenario.inputs.settings
    asked: list[Case] = []
    further = _further(scenario)
    if settings["study_batch"] or BATCH in further.values():
        asked += variants.named(BATCH, base, variants.batches(scenario, base))
    if settings["study_batch"]:
        asked += variants.named(FRONTIER, base, variants.frontier(scenario, base))
    if settings["study_topology"]:
        asked += variants.named(TOPOLOGY, base, variants.slices(scenario, base))
        asked += variants.named(PRECISION, base, variants.precisions(scenario, base))
    if settings["study_hardware"]:
        asked += variants.named(PLACES, base, variants.accelerators(scenario, base))
    if settings["study_models"]:
        asked += variants.named(MODELS_LIKE, base, variants.models(scenario, base))
        asked += variants.named(LEVERS, base, variants.levers(scenario, base))
    if settings["study_serving"]:
        asked += variants.named(CACHING, base, variants.hit_rates(scenario, base))
        asked += variants.named(PAGING, base, variants.caches(scenario, base))
    if settings["study_load"]:
        asked += variants.named(LOAD, base, variants.loads(scenario, base))
    if settings["study_outlook"]:
        asked += variants.named(REASONING, base, variants.reasoning(scenario, base))
    moved = sensitivity(scenario, base) if settings["study_sensitivity"] else None
    if moved is not None and not (moved.drivers or moved.scenarios):
        moved = None
    found = search(scenario, base) if settings["study_search"] else None
    asked += moved.cases if moved else ()
    return Asked(base, tuple(asked), further, moved, found) if asked or moved or found else None


def answered(scenario: Scenario, asked: Asked) -> Scenario:
    """The scenario with a row for every case, and with the grains of the further questions."""
    combined = asked.sensitivity.combinations if asked.sensitivity else ()
    scenario = with_cases(scenario, asked.cases, combined) if asked.cases else scenario
    scenario = with_pairs(scenario, combined)
    today = scenario[CONFIGURED].value("batch_size", asked.base)
    rows = {name: _some_of(scenario[CASES], asked.of(study), today) for name, study in asked.further.items()}
    return with_asked(scenario, asked.base, rows)


def _some_of(grain: Grain, cases: Sequence[str], today: float) -> list[str]:
    """Every second of the cases that fit, with the last one and the one whose batch runs today."""
    fitting = [case for case in cases if grain.value("fits", case)]
    return [
        case
        for place, case in enumerate(fitting)
        if place % 2 == 0 or place == len(fitting) - 1 or grain.value("batch_size", case) == today
    ]


def _further(scenario: Scenario) -> dict[str, str]:
    """The grains that the settings ask for and have the inputs of."""
    settings, wanted = scenario.inputs.settings, dict[str, str]()
    if settings["study_hardware"]:
        wanted[ACCELERATORS] = ""
    if settings["study_apis"] and len(scenario.inputs.tables[COMPETITORS.name]):
        wanted |= {APIS: "", RATIOS: BATCH}
    if settings["study_serving"] and settings["draft_model"] and not np.isnan(settings["acceptance"]):
        wanted[DRAFTS] = BATCH
    if settings["study_outlook"] and not any(np.isnan(settings[name]) for name in PRICE_HISTORY):
        wanted[PRICE_COURSE] = ""
    return wanted


def base_of(scenario: Scenario) -> str | None:
    """The configuration that questions start from: the one chosen, or the largest bill; None where there is none."""
    grain, chosen = scenario[CONFIGURED], str(scenario.inputs.settings["study_configuration"])
    if chosen:
        # What does not fit has no figures to start from.
        return chosen if grain.value("fits", chosen) else None
    counted = [str(key) for key in grain.keys if grain.value("counts", key)]
    return max(counted, key=lambda key: grain.value("fleet_cost", key), default=None)
