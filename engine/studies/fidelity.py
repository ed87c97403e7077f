"""Fidelity: how far predicted speeds lie from measured ones, by source, accelerator, class of model and metric.

Knows no file and neither Excel nor HTML.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.calculation import Columns, behind, calculate
from engine.formulas import BATCH_FORMULAS, BURST_FORMULAS, DEPLOYMENT_FORMULAS, FORMULAS, Formulas
from engine.measured import ACCELERATOR, MODEL, Point
from engine.sheets import CALIBRATION, CONFIGURATIONS, SETTINGS, TRAFFIC

EVERY: Formulas = {**BATCH_FORMULAS, **BURST_FORMULAS, **FORMULAS, **DEPLOYMENT_FORMULAS}
MILLI = 1e3
NOISE = 1e-9
# By the name of the metric: which quantity it is, how many of its units make one of the engine's, and its band.
FIGURES: Mapping[str, tuple[str, float, str]] = {
    "output_tok_s_total": ("deployed_output_speed", 1, "speed_band"),
    "output_tok_s_per_chip": ("output_speed_per_accelerator", 1, "speed_band"),
    "tpot_ms": ("time_per_output_token", MILLI, "speed_band"),
    "ttft_ms": ("time_to_first_token_in_waves", MILLI, "first_token_band"),
    "input_tok_s": ("deployed_input_speed", 1, "speed_band"),
}
Array = NDArray[np.float64]
Parameters = Mapping[str, float]
SPEEDS = tuple(dict.fromkeys(quantity for quantity, *_ in FIGURES.values()))
BANDS = ("speed_band", "first_token_band", "calibration_verdict")
WEIGHTS_FILL = 0.65  # share of memory that weights fill on the fewest accelerators, where a layout is not told
FILL = 0.0  # what the word 'max' stands for
MOST_FILLED = 2048.0  # sequences that an engine takes for each attention rank
REGIMES = ((1, "one user"), (16, "2 to 16 users"), (64, "17 to 64 users"), (math.inf, "more than 64 users"))
_FACTS = {*ACCELERATOR.values(), *MODEL.values()} - {"fp4_compute", "fp8_compute", "int8_compute"}


@dataclass(frozen=True)
class Level:
    """A row of Calibration: what it is of, and its numbers."""

    name: str
    parameters: Parameters


@dataclass(frozen=True)
class Prediction:
    """A measured figure beside the predicted one with its band, or the reason why there is none."""

    point: Point
    predicted: float = math.nan
    level: str = ""
    band: float = math.nan  # a factor: eight of ten measured figures lie within the predicted one over and times it
    verdict: str = ""
    reason: str = ""

    @property
    def ratio(self) -> float:
        """Predicted over measured."""
        return self.predicted / self.point.value

    @property
    def is_inside(self) -> bool:
        """Whether what was measured lies within the band."""
        return 1 / self.band <= self.ratio <= self.band


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
    coverage: float  # share of the measured figures that lie within their band


@dataclass(frozen=True)
class Set:
    """Points that can be calculated, as columns; what a run gives several figures of stands once.

    `run_of` is the row of each point; `layout` was chosen, and memory filled, as `base` has it.
    """

    points: Sequence[Point]
    columns: Columns
    run_of: NDArray[np.intp]
    base: Parameters = field(default_factory=dict)

    @property
    def runs(self) -> int:
        return len(self.columns["measured_users"])


def parameters_of(row: Mapping[str, object]) -> dict[str, float]:
    """The numbers of a row of Calibration; what it leaves blank is what its column says."""
    numbers = {column.name: column.default for column in CALIBRATION.columns if column.unit.is_number}
    found = {name: row.get(name, default) for name, default in numbers.items()}
    return {name: float(str(value)) for name, value in found.items() if value is not ...}


def prepared(points: Sequence[Point], base: Parameters) -> Set:
    """The columns of points without a reason: first each one's layout, then the batch that its users make.

    `base` says how memory is filled; it is the same at all levels.
    """
    keys = [each.run for each in points]
    firsts = {key: place for place, key in reversed(list(enumerate(keys)))}
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    first = [firsts[key] for key in places]
    runs = [points[place] for place in first]
    given = {**_defaults(), **base}
    named = {name for point in runs for name in point.quantities} | set(given)
    columns: Columns = {
        name: np.array([point.quantities.get(name, given.get(name, math.nan)) for point in runs], dtype=float)
        for name in named
    }
    columns |= _layouts(columns)
    # A burst has no more users than requests.
    burst = np.where(columns["burst_requests"] > 0, columns["burst_requests"], math.nan)
    columns["measured_users"] = np.fmin(columns["measured_users"], burst)
    filled = columns | {"requested_batch_size": np.full(len(runs), FILL)}
    columns |= _arrivals(filled)
    full = np.isnan(columns["measured_users"])
    most = columns["deployed_replicas"] * _of(filled, "replica_slots")
    columns["measured_users"] = np.where(full, most, columns["measured_users"])
    batch = _of(columns | {"batch_size_limit": _of(filled, "batch_size_limit")}, "deployed_batch")
    columns["requested_batch_size"] = np.where(full, FILL, batch)
    return Set(points, columns, np.array([places[key] for key in keys]), base)


def calculated(of: Set, parameters: Mapping[str, Array], wanted: Iterable[str]) -> Columns:
    """The wanted quantities of every run, at parameters that are given for each of its rows.

    Arrays may hold the runs several times over, one after the other.
    """
    times = len(next(iter(parameters.values()))) // of.runs
    columns = {name: np.tile(column, times) for name, column in of.columns.items()} | dict(parameters)
    return calculate(columns, {name: EVERY[name] for name in behind(wanted, columns, EVERY)})


def figures(of: Set, answers: Columns) -> Array:
    """What each point's metric is, in its own unit: of `answers` for the runs, once or several times over.

    Shape: times by points.
    """
    times = len(answers[SPEEDS[0]]) // of.runs
    found = np.empty((times, len(of.points)))
    metrics = np.array([point.row["metric"] for point in of.points])
    for metric, (quantity, scale, _) in FIGURES.items():
        mine = metrics == metric
        found[:, mine] = answers[quantity].reshape(times, of.runs)[:, of.run_of[mine]] * scale
    return found


def predictions(points: Sequence[Point], level_of: Callable[[Point], Level]) -> list[Prediction]:
    """Every point with its prediction and band, by the row of Calibration that `level_of` says it belongs to."""
    able = [place for place, point in enumerate(points) if not point.reason]
    found = [Prediction(point, reason=point.reason) for point in points]
    if not able:
        return found
    levels = [level_of(points[place]) for place in able]
    of = prepared([points[place] for place in able], levels[0].parameters)
    firsts = {run: row for row, run in reversed(list(enumerate(of.run_of)))}
    parameters = {
        name: np.array([levels[firsts[run]].parameters[name] for run in range(of.runs)])
        for name in levels[0].parameters
    }
    answers = calculated(of, parameters, ("fits", *SPEEDS, *BANDS))
    values = figures(of, answers)[0]
    waits_on = of.columns["measured_rate"] > of.columns["served_rate"] * (1 + NOISE)
    for row, place in enumerate(able):
        run, point = of.run_of[row], points[place]
        if not answers["fits"][run] > 0:
            found[place] = Prediction(point, reason="the weights and one sequence do not fit")
            continue
        if waits_on[run] and point.row["metric"] == "ttft_ms":
            found[place] = Prediction(point, reason="more requests arrive than are served: the wait has no end")
            continue
        if not values[row] > 0 or math.isinf(values[row]):
            found[place] = Prediction(point, reason=f"its speed needs what is blank: {_blank(of, run)}")
            continue
        band = float(answers[FIGURES[point.row["metric"]][2]][run])
        verdict = str(answers["calibration_verdict"][run])
        found[place] = Prediction(point, float(values[row]), levels[row].name, band, verdict)
    return found


def _blank(of: Set, run: int) -> str:
    """Names of what is not known of a run, of its accelerator and model above all."""
    return ", ".join(sorted(name for name, column in of.columns.items() if np.isnan(column[run]) and name in _FACTS))


def at_level(points: Sequence[Point], level: Level) -> list[Prediction]:
    """Every point with its prediction by one row of Calibration."""
    return predictions(points, lambda _: level)


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


def _arrivals(filled: Columns) -> Columns:
    """Users that requests arriving at a rate come to, and the rate that is served, at replicas that could be full."""
    rate = filled["measured_rate"]
    hour = {"served_hour_requests": rate, "running_replicas": filled["deployed_replicas"]}
    arriving = {name: _of(filled | hour, name) for name in ("arriving_users", "served_rate")}
    users = np.where(rate > 0, arriving["arriving_users"], filled["measured_users"])
    return {"measured_users": users, "served_rate": np.where(rate > 0, arriving["served_rate"], 0.0)}


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
        "burst_requests": 0.0,
        "measured_rate": 0.0,
        # Benchmarks ask for answers of one length.
        "service_variability": 0.0,
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
        members: dict[tuple[str, str], list[Prediction]] = {}
        for each in known:
            members.setdefault((name_of(each.point), each.point.row["metric"]), []).append(each)
        for (name, metric), some in sorted(members.items()):
            result.append(error(group, f"{name}, {metric}" if name else metric, some))
    return result


def error(group: str, name: str, found: Sequence[Prediction]) -> Error:
    """How far these predictions, of which there is one at least, lie from what was measured."""
    ratios = np.array([each.ratio for each in found])
    off = np.abs(ratios - 1)
    return Error(
        group,
        name,
        len(found),
        float(np.median(off)),
        float(off.mean()),
        float(np.exp(np.abs(np.log(ratios)).mean())),
        float(np.median(ratios) - 1),
        sum(each.is_inside for each in found) / len(found),
    )
