"""Drafting: the draft model that speculative decoding may be tried with. Assumes no acceptance; knows no formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.scenarios import CONFIGURED, Scenario, draft_columns
from engine.sheets import MODELS


@dataclass(frozen=True)
class Draft:
    """A draft model, the share of its tokens that is accepted, and who says so; `inputs` is what formulas read."""

    model: str
    acceptance: float
    source: str
    inputs: Mapping[str, float]


def draft_of(scenario: Scenario, base: str) -> Draft | None:
    """The draft model of the Settings for `base`; None without one, or without an acceptance that has a source.

    Nor where the configuration itself serves that model. Acceptance is an input, never assumed by the engine.
    """
    settings = scenario.inputs.settings
    model, acceptance, source = str(settings["draft_model"]), settings["acceptance"], str(settings["acceptance_source"])
    if not model or np.isnan(acceptance) or not source or model == scenario[CONFIGURED].value("model", base):
        return None
    row = scenario.inputs.tables[MODELS.name].find(model)
    assert row is not None  # the workbook was checked
    inputs = {quantity: float(row[column.name]) for quantity, column in draft_columns().items()}
    given = {"acceptance": float(acceptance), "draft_tokens": float(settings["draft_tokens"])}
    return Draft(model, float(acceptance), source, {**inputs, **given})
