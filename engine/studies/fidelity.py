"""Fidelity: how far predicted speeds lie from measured ones, by source, accelerator, class of model and metric.

Knows no file and neither Excel nor HTML.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.calculation import Columns, behind, calculate
from engine.formulas import FORMULAS, needs
from engine.measured import Point
from engine.sheets import CALIBRATION, CONFIGURATIONS, SETTINGS, TRAFFIC

WANTED = ("batch_size_limit", "fits", "output_speed", "input_speed", "time_per_output_token", "time_to_first_token")
STATIC = "batched prefill"  # in a row's notes: all prompts are computed before the first answer goes on
STATIC_QUEUE = {"queue_onset_prompts": 0.0, "queue_prompts_per_sequence": 1.0, "prefill_busy_share": 0.0}
FILL = 0.0  # what the word 'max' stands for
MOST_FILLED = 2048.0  # sequences that an engine takes for each attention rank
REGIMES = ((1, "one user"), (16, "2 to 16 users"), (64, "17 to 64 users"), (math.inf, "more than 64 users"))


@dataclass(frozen=True)
class Prediction:
    """A measured figure beside the predicted one, or the reason why there is none."""

    point: Point
    predicted: float = math.nan
    reason: str = ""

    @property
    def ratio(self) -> float:
        """Predicted over measured."""
        return self.predicted / self.point.value


@dataclass(frozen=True)
class Error:
    """How far predictions of a group lie from what was measured."""

    group: str
    name: str
    count: int
    median: float  # of absolute relative errors
    mean: float
    factor: float  # geometric: how many times too high or too low on average
    bias: float  # median of predicted over measured, less 1


def predictions(points: Sequence[Point], parameters: Mapping[str, float]) -> list[Prediction]:
    """Every point with its prediction, by the parameters of a row of Calibration."""
    able = [place for place, point in enumerate(points) if not point.reason]
    found = [Prediction(point, reason=point.reason) for point in points]
    if not able:
        return found
    chosen = [points[place] for place in able]
    limits = _calculated(chosen, parameters, [FILL] * len(chosen))["batch_size_limit"]
    batches = [_batch(point, limit) for point, limit in zip(chosen, limits, strict=True)]
    answers = _calculated(chosen, parameters, batches)
    for row, place in enumerate(able):
        figures = {name: float(answers[name][row]) for name in WANTED}
        if not figures["fits"] > 0:
            found[place] = Prediction(points[place], reason="the weights and one sequence do not fit")
            continue
        found[place] = Prediction(points[place], _figure(points[place], figures, batches[row], answers, row))
    return found


def _batch(point: Point, limit: float) -> float:
    """Sequences decoded together on a replica: its users for each stage, as far as memory allows."""
    if point.users is None:
        return FILL
    return max(1.0, min(point.users / point.quantities["pipeline_stages"], limit))


def _calculated(points: Sequence[Point], parameters: Mapping[str, float], batches: Sequence[float]) -> Columns:
    formulas = {name: FORMULAS[name] for name in behind([*WANTED, "cycle_time", "batch_size"], ())}
    needed = set().union(*(needs(formula) for formula in formulas.values())) - set(formulas)
    given = {**_defaults(), **parameters}
    columns: Columns = {
        name: np.array([point.quantities.get(name, given.get(name, math.nan)) for point in points], dtype=float)
        for name in needed
    }
    columns["requested_batch_size"] = np.array(batches, dtype=float)
    static = np.array([STATIC in (point.row.get("notes") or "") for point in points])
    # Every prompt of a static batch stands in front, and no other comes between its answers.
    for name, value in STATIC_QUEUE.items():
        columns[name] = np.where(static, value, columns[name])
    return calculate(columns, formulas)


def _defaults() -> dict[str, float]:
    """What is taken where a measured row says nothing: a replica that does nothing else, at the defaults of sheets."""
    sheets = (SETTINGS, TRAFFIC, CONFIGURATIONS)
    numbers = {
        column.name: column.words.get(str(column.default), column.default)
        for sheet in sheets
        for column in sheet.columns
        if column.unit.is_number or column.words
    }
    known = {name: float(value) for name, value in numbers.items() if isinstance(value, int | float)}
    return {
        **known,
        "usable_memory_share": 0.9,
        "engine_batch_limit": MOST_FILLED,
        "cached_tokens": 0.0,
        "kv_cache_override": 0.0,
        "weight_memory_override": 0.0,
        "maximum_context": math.inf,
        "shared_pool": 1.0,
    }


def _figure(point: Point, figures: Mapping[str, float], batch: float, answers: Columns, row: int) -> float:
    """What the metric of the row comes to."""
    speed = point.replicas * figures["output_speed"]
    metric = point.row["metric"]
    if metric == "output_tok_s_total":
        return speed
    if metric == "output_tok_s_per_chip":
        return speed / float(point.row["n_chips"])
    if metric == "tpot_ms":
        return figures["time_per_output_token"] * 1e3
    if metric == "input_tok_s":
        return point.replicas * figures["input_speed"]
    running = batch or float(answers["batch_size"][row])
    stages = point.quantities["pipeline_stages"]
    waves = max(0.0, (point.users or 0.0) / (stages * running) - 1)
    return (figures["time_to_first_token"] + waves * float(answers["cycle_time"][row])) * 1e3


def regime(point: Point) -> str:
    """How many users a replica had."""
    if point.users is None:
        return "as many as fit"
    return next(name for most, name in REGIMES if point.users <= most)


def model_class(point: Point) -> str:
    return "mixture of experts" if point.quantities.get("experts", 0.0) > 1 else "dense"


GROUPS: Mapping[str, Callable[[Point], str]] = {
    "all": lambda point: "",
    "source": lambda point: point.row.get("source_key") or point.row.get("source") or "",
    "accelerator": lambda point: point.row["system"],
    "class": model_class,
    "users": regime,
}


def errors(found: Iterable[Prediction]) -> list[Error]:
    """Errors by metric within every group."""
    known = [each for each in found if not each.reason]
    result = []
    for group, name_of in GROUPS.items():
        names = dict.fromkeys((name_of(each.point), each.point.row["metric"]) for each in known)
        for name, metric in sorted(names):
            ratios = np.array(
                [
                    each.ratio
                    for each in known
                    if name_of(each.point) == name and each.point.row["metric"] == metric
                ]
            )
            off = np.abs(ratios - 1)
            result.append(
                Error(
                    group,
                    f"{name}, {metric}" if name else metric,
                    len(ratios),
                    float(np.median(off)),
                    float(off.mean()),
                    float(np.exp(np.abs(np.log(ratios)).mean())),
                    float(np.median(ratios) - 1),
                )
            )
    return result


def parameters_of(row: Mapping[str, object]) -> dict[str, float]:
    """The speed parameters of a row of Calibration."""
    names = {column.name for column in CALIBRATION.columns if column.unit.is_number}
    return {name: float(str(row[name])) for name in names if name in row}
