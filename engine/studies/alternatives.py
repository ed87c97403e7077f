"""Alternatives: what each serving configuration would save if another one, or an API, took its requests.

Asks the model for shifted copies of rows and concludes from the answers. Knows neither Excel nor HTML.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.calculation import Columns, calculate
from engine.formulas import ACTION_FORMULAS, FORMULAS
from engine.scenarios import APIS, CONFIGURED, Scenario
from engine.scenarios.bills import hourly_sources
from engine.sheets import COMPETITORS


@dataclass(frozen=True)
class Move:
    """One serving configuration, the alternative that would cost least, and what the move saves in $ a month."""

    serving: str
    alternative: str
    fleet_cost: float
    alternative_fleet_cost: float
    saving: float
    user_speed: float
    alternative_user_speed: float
    kept_replicas: float
    precision: str  # the alternative's, where it is another one


def cheapest_moves(scenario: Scenario) -> list[Move]:
    """For each serving configuration the alternative with the smallest bill for the same requests, if it saves.

    An alternative is a configuration of the same traffic and model that fits and keeps the speed that users are
    promised, unless what serves breaks it too. Largest saving first.
    """
    grain = scenario[CONFIGURED]
    values = grain.values
    serving = np.flatnonzero(values["counts"] > 0)
    pairs = [
        (row, other)
        for row in serving
        for other in range(len(grain.keys))
        if other != row
        and values["fits"][other] > 0
        and values["traffic"][other] == values["traffic"][row]
        and values["model"][other] == values["model"][row]
        and values["meets_target"][other] >= values["meets_target"][row]
    ]
    if not pairs:
        return []
    rows, others = (np.array(side) for side in zip(*pairs, strict=True))
    shifted: Columns = {name: values[name][others] for name in grain.sources}
    shifted["served_share"] = values["served_share"][rows]
    # It would run around the clock at first: what it saves is at least this.
    shifted |= {name: np.zeros(len(others)) for name in hourly_sources({})}
    answers = calculate(shifted, FORMULAS)
    given = {"fleet_cost": values["fleet_cost"][rows], "alternative_fleet_cost": answers["fleet_cost"]}
    savings = ACTION_FORMULAS["saving"](given["fleet_cost"], given["alternative_fleet_cost"])
    best: dict[str, Move] = {}
    for index in np.argsort(-savings):
        row, other = rows[index], others[index]
        move = Move(
            str(grain.keys[row]),
            str(grain.keys[other]),
            float(given["fleet_cost"][index]),
            float(given["alternative_fleet_cost"][index]),
            float(savings[index]),
            float(values["user_speed"][row]),
            float(values["user_speed"][other]),
            float(values["minimum_replicas"][row]),
            "" if values["precision"][other] == values["precision"][row] else str(values["precision"][other]),
        )
        if move.saving > 0:
            best.setdefault(move.serving, move)
    return list(best.values())


def nearest_apis(scenario: Scenario) -> list[str]:
    """For every configuration the cheapest API that names its model, as keys of the grain APIS; none without it."""
    if APIS not in scenario.grains:
        return []
    grain, competitors = scenario[APIS], scenario.inputs.tables[COMPETITORS.name]
    best: dict[str, str] = {}
    for key in (str(key) for key in grain.keys):
        row = competitors.find(str(grain.value("competitor", key)))
        configuration = str(grain.value("configuration", key))
        if row is None or not row["for_model"]:
            continue
        if configuration not in best or grain.value("api_month", key) < grain.value("api_month", best[configuration]):
            best[configuration] = key
    return list(best.values())
