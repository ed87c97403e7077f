"""Fidelity: how far predicted speeds lie from measured ones, by source, accelerator, class of model and metric.

Knows no file and neither Excel nor HTML.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.calculation import Columns, behind, calculate
from engine.formulas import DEPLOYMENT_FORMULAS, FORMULAS, Formulas
from engine.measured import Point
from engine.sheets import CALIBRATION, CONFIGURATIONS, SETTINGS, TRAFFIC

EVERY: Formulas = {**FORMULAS, **DEPLOYMENT_FORMULAS}
MILLI = 1e3
# By the name of the metric: which quantity it is, and how many of its units make one of the engine's.
FIGURES: Mapping[str, tuple[str, float]] = {
    "output_tok_s_total": ("deployed_output_speed", 1),
    "output_tok_s_per_chip": ("output_speed_per_accelerator", 1),
    "tpot_ms": ("time_per_output_token", MILLI),
    "ttft_ms": ("time_to_first_token_in_waves", MILLI),
    "input_tok_s": ("deployed_input_speed", 1),
}
Array = NDArray[np.float64]
WANTED = ("fits", *(quantity for quantity, _ in FIGURES.values()))
WEIGHTS_FILL = 0.65  # share of memory that weights fill on the fewest accelerators, where a layout is not told
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
    answers = _calculated([points[place] for place in able], parameters)
    for row, place in enumerate(able):
        point = points[place]
        if not answers["fits"][row] > 0:
            found[place] = Prediction(point, reason="the weights and one sequence do not fit")
        else:
            quantity, scale = FIGURES[point.row["metric"]]
            found[place] = Prediction(point, float(answers[quantity][row]) * scale)
    return found


def _calculated(points: Sequence[Point], parameters: Mapping[str, float]) -> Columns:
    """The speeds of every point: first its layout, then the batch that its users make, then all that follows."""
    given = {**_defaults(), **parameters}
    named = {name for point in points for name in point.quantities} | set(given)
    columns: Columns = {
        name: np.array([point.quantities.get(name, given.get(name, math.nan)) for point in points], dtype=float)
        for name in named
    }
    static = np.array([STATIC in (point.row.get("notes") or "") for point in points])
    for name, value in STATIC_QUEUE.items():
        columns[name] = np.where(static, value, columns[name])
    columns |= _layouts(columns)
    limit = _of(columns | {"requested_batch_size": np.full(len(points), FILL)}, "batch_size_limit")
    full = np.isnan(columns["measured_users"])
    columns["measured_users"] = np.where(full, 1.0, columns["measured_users"])
    batch = _of(columns | {"batch_size_limit": limit}, "deployed_batch")
    columns["requested_batch_size"] = np.where(full, FILL, batch)
    return calculate(columns, {name: EVERY[name] for name in behind(WANTED, columns, EVERY)})


def _layouts(columns: Columns) -> Columns:
    """Ranks, stages, replicas and attention groups: as told, else as few accelerators as hold the weights."""
    filled = np.full(len(columns["memory_bandwidth"]), WEIGHTS_FILL)
    fewest = _of(columns | {"usable_memory_share": filled}, "assumed_ranks")
    told = {name: columns[name] for name in ("tensor_parallel", "pipeline_stages", "measured_groups")}
    layout = {
        "tensor_parallel": np.where(np.isnan(told["tensor_parallel"]), fewest, told["tensor_parallel"]),
        "pipeline_stages": np.where(np.isnan(told["pipeline_stages"]), 1.0, told["pipeline_stages"]),
        "measured_groups": np.where(np.isnan(told["measured_groups"]), 1.0, told["measured_groups"]),
    }
    layout["deployed_replicas"] = _of(columns | layout, "deployed_replicas")
    return {**layout, "attention_data_parallel": _of(columns | layout, "deployed_attention_groups")}


def _of(columns: Columns, wanted: str) -> Array:
    """One quantity of all rows."""
    found: Array = calculate(columns, {name: EVERY[name] for name in behind([wanted], columns, EVERY)})[wanted]
    return found


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


def regime(point: Point) -> str:
    """How many users were measured together."""
    users = point.quantities["measured_users"]
    return "as many as fit" if math.isnan(users) else next(name for most, name in REGIMES if users <= most)


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
