"""Owning: from which volume on it is cheapest to own, to rent or to call an API, for one configuration.

Searches the exact first tokens, and chooses the volumes at which the report shows what each way costs. Knows neither
Excel nor HTML, nor what a way costs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.scenarios import CONFIGURED, WAYS, Crossing, Grain, Scenario, with_crossings, with_ways
from engine.scenarios.owning import CALLED, OWNED, RENTED
from engine.sheets import COMPETITORS
from engine.studies.crossovers import FOUND, STEPS, Way, api, first_cheapest, own, rent
from engine.studies.questions import base_of

OWN, RENT, API = "own", "rent", "API"  # as the formula of the cheapest way names them
MOST_STEPS_SHOWN = 24
# How far the volumes that are shown reach below the first crossover and above the last one.
BELOW, ABOVE = 5, 2


def crossed(scenario: Scenario) -> Scenario:
    """The scenario with the crossovers of the configuration that questions start from.

    The same where they are not asked for, or where there is but one way to serve.
    """
    base = base_of(scenario)
    if base is None or not scenario.inputs.settings["study_ownership"]:
        return scenario
    weighed = with_ways(scenario, base, _competitor(scenario, base))
    ways = _ways(weighed[WAYS])
    if len(ways) < 2 or any(tokens < 1 for way in ways.values() for tokens in way.step_tokens):
        return scenario
    limit = int(scenario.inputs.settings["crossover_limit"])
    found = [_crossing(name, ways, limit) for name in ways]
    return with_crossings(weighed, _shown(weighed[WAYS], found, limit), found)


def _competitor(scenario: Scenario, base: str) -> str:
    """The first API that sells the model of `base`; empty where none does."""
    model = scenario[CONFIGURED].value("model", base)
    rows = scenario.inputs.tables[COMPETITORS.name]
    return next((str(row["competitor"]) for row in rows if row["for_model"] == model), "")


def _ways(grain: Grain) -> dict[str, Way]:
    """The ways there are, each with the figures that it takes."""
    figures = {name: float(grain.at(name, 0)) for name in (*RENTED, *OWNED, *CALLED) if name in grain.values}
    rented = {name: figures[name] for name in RENTED}
    ways = {}
    if OWNED[0] in figures:
        ways[OWN] = own({**rented, **{name: figures[name] for name in OWNED}})
    ways[RENT] = rent(rented)
    if CALLED[0] in figures:
        ways[API] = api({name: figures[name] for name in CALLED})
    return ways


def _crossing(name: str, ways: dict[str, Way], limit: int) -> Crossing:
    others = [way for other, way in ways.items() if other != name]
    answer = first_cheapest(ways[name], others, limit)
    if answer.answer == FOUND:
        return Crossing(name, FOUND, answer.tokens, answer.tokens)
    return Crossing(name, answer.answer, math.nan, answer.tokens)


def _shown(grain: Grain, found: Sequence[Crossing], limit: int) -> list[int]:
    """Volumes around the crossovers and that of today, with both sides of every step between, or of some of them.

    Each first token stands beside the one before it, so that a reader can check both.
    """
    firsts = [int(each.first_tokens) for each in found if each.answer == FOUND]
    today = int(grain.at("today_tokens", 0))
    step = int(grain.at("replica_tokens", 0))
    marks = [mark for mark in (*firsts, today) if mark > 1] or [step]
    low = max(1, min(*marks, step) // BELOW)
    high = max(low + 1, min(limit, math.ceil(max(*marks, step) * ABOVE)))
    tokens = {low, high, *marks, *firsts, *(first - 1 for first in firsts if first > 1)}
    for size in _step_sizes(grain):
        reached = max(1, high // size)
        for count in np.unique(np.geomspace(1, reached, MOST_STEPS_SHOWN).round()).astype(int).tolist():
            tokens |= {count * size, count * size + 1}
    return sorted(volume for volume in tokens if low <= volume <= high or volume in firsts)


def _step_sizes(grain: Grain) -> set[int]:
    """Tokens after which a volume takes a further server; where prompts have a pool of their own, those of each."""
    if grain.at("shared_pool", 0):
        return {int(grain.at("replica_tokens", 0)) * int(grain.at("replicas_per_node", 0))}
    return {int(grain.at(name, 0)) for name in STEPS}
