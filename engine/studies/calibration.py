"""Calibration: the parameters of the speed model, fitted on measured points.

Knows no file and neither Excel nor HTML. A fit is robust least squares on log(predicted / measured): all points of a
stack count as much as one of another, priors say what is physical where the points are silent, and a parameter that
engines differ in has a deviation for each. A stack's own row is the same fit, with what all stacks gave as its prior.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.measured import Point, folded
from engine.studies.fidelity import (
    SPEEDS,
    Array,
    Level,
    Parameters,
    Set,
    at_level,
    calculated,
    figures,
    prepared,
)

ALL = "all"
FIRST_TOKEN = "ttft_ms"
DEVIATIONS = 1.2816  # of a normal distribution, between which 80 % of it lie
BETWEEN = 0.3  # log error at which a point of another stack begins to count as an outlier
FIRST_TOKEN_WEIGHT = 1.5  # it alone says how prompts queue, in which engines differ twofold and more
WITHIN, FIRST_TOKEN_WITHIN = 0.06, 0.15  # the same within a stack, where what is left is noise of the measurement
STEP = 1e-4  # of a parameter, for derivatives
DIGITS = 3
NO_ERRORS = dict.fromkeys(
    ("speed_error", "first_token_error", "unmeasured_error", "stack_speed_error", "stack_first_token_error"), 1.0
)
# Of a row before its errors are known.
UNLIMITED = {
    "measured_context": 1e9,
    "measured_ranks": 1e6,
    "measured_batch": 1e9,
    "measured_points": 0.0,
    **NO_ERRORS,
}
SIZES = {"measured_context": "final_context", "measured_ranks": "accelerator_count", "measured_batch": "batch_size"}


@dataclass(frozen=True)
class Prior:
    """What is thought of a parameter before any point: its typical value, and how far it may lie from that.

    Spreads are standard deviations, of the logarithm but where `is_plain`; 0 keeps the parameter where it is.
    """

    name: str
    typical: float
    is_plain: bool = False
    spread: float = 0.0
    stack_spread: float = 0.0
    engine_spread: float = 0.0

    def moved(self, deviation: Array) -> Array:
        """The parameter so far from its typical value, in its logarithm but where it is plain."""
        found: Array = self.typical + deviation if self.is_plain else self.typical * np.exp(deviation)
        return found


@dataclass(frozen=True)
class Fit:
    """Parameters by engine, those of all engines under ALL, and 80 % intervals of the latter."""

    levels: Mapping[str, Level]
    intervals: Mapping[str, tuple[float, float]]

    def level_of(self, point: Point) -> Level:
        """The row of the point's engine, or of all where that was not measured."""
        return self.levels.get(point.engine, self.levels[ALL])


def priors_of(rows: Iterable[Mapping[str, str]]) -> list[Prior]:
    """The priors of a table with the columns parameter, typical, scale and the three spreads."""
    spreads = ("spread", "stack_spread", "engine_spread")
    return [
        Prior(row["parameter"], float(row["typical"]), row["scale"] == "plain", *(float(row[s] or 0) for s in spreads))
        for row in rows
    ]


def marked(points: Sequence[Point]) -> list[Point]:
    """The points that a fit takes, each marked by what the others measured: rows marked `fit`, all where none is."""
    able = [point for point in points if not point.reason]
    able = [point for point in able if point.row.get("fit", "yes") == "yes"]
    return [unseen(point, able) for point in able]


def fit(points: Sequence[Point], priors: Sequence[Prior], year: float) -> Fit:
    """The parameters that fit the points, in each engine that they name, for engines of a year.

    Errors: ValueError where there is no point that can be predicted.
    """
    base = _base(priors, year)
    able = fitting(points, base)
    if not able:
        raise ValueError("no measured point can be predicted")
    of = prepared(able, base)
    engines = sorted({point.engine for point in able} - {""})
    free = [prior for prior in priors if prior.spread > 0]
    own = [(engine, prior) for prior in free for engine in engines if prior.engine_spread > 0]
    spreads = np.array([prior.spread for prior in free] + [prior.engine_spread for _, prior in own])
    counts = Counter(point.stack for point in able)
    weights = np.array([counts[point.stack] ** -0.5 for point in able])
    weights *= np.where([point.row["metric"] == FIRST_TOKEN for point in able], FIRST_TOKEN_WEIGHT, 1.0)
    runs = [able[place] for place in _firsts(of)]
    solved, covariance = _solved(of, runs, free, own, spreads, weights, np.full(len(able), BETWEEN))
    found = {prior.name: float(prior.moved(solved[place])) for place, prior in enumerate(free)}
    width = DEVIATIONS * np.sqrt(np.diag(covariance))
    intervals = {
        prior.name: tuple(float(prior.moved(solved[place] + side * width[place])) for side in (-1, 1))
        for place, prior in enumerate(free)
    }
    shared = _rounded(base | found, free)
    levels = {ALL: Level(ALL, shared)}
    for engine in engines:
        deviations = {prior: solved[len(free) + place] for place, (name, prior) in enumerate(own) if name == engine}
        moved = {
            prior.name: float(prior.moved(solved[free.index(prior)] + deviation))
            for prior, deviation in deviations.items()
        }
        levels[engine] = Level(engine, {**shared, **_rounded(moved, deviations)})
    return Fit(levels, {name: (low, high) for name, (low, high) in intervals.items()})


def fitting(points: Sequence[Point], base: Parameters) -> list[Point]:
    """Points that can be predicted at all."""
    level = Level(ALL, base)
    return [found.point for found in at_level(points, level) if not found.reason]


def stack_fit(points: Sequence[Point], start: Level, priors: Sequence[Prior], name: str) -> Level:
    """The row of one stack: as `start`, moved by its points as far as they say so. Points that cannot be are left."""
    able = fitting(points, start.parameters)
    if not able:
        return start
    of = prepared(able, start.parameters)
    free = [
        replace(prior, typical=start.parameters[prior.name])
        for prior in priors
        if prior.stack_spread > 0 and (prior.is_plain or start.parameters[prior.name] > 0)
    ]
    spreads = np.array([prior.stack_spread for prior in free])
    noise = np.array([FIRST_TOKEN_WITHIN if point.row["metric"] == FIRST_TOKEN else WITHIN for point in able])
    runs = [able[place] for place in _firsts(of)]
    solved, _ = _solved(of, runs, free, [], spreads, np.ones(len(able)), noise)
    moved = {prior.name: float(prior.moved(solved[place])) for place, prior in enumerate(free)}
    own = {
        "speed_error": start.parameters["stack_speed_error"],
        "first_token_error": start.parameters["stack_first_token_error"],
        "measured_points": float(len(able)),
    }
    return Level(name, {**start.parameters, **_rounded(moved, free), **own, **sizes(able, start.parameters)})


def _solved(
    of: Set,
    runs: Sequence[Point],
    free: Sequence[Prior],
    own: Sequence[tuple[str, Prior]],
    spreads: Array,
    weights: Array,
    noise: Array,
) -> tuple[Array, Array]:
    """The deviations that fit best, of all engines and of each, and their covariance."""
    # Loads for a second, which a report need not wait for.
    from scipy.optimize import least_squares

    measured = np.log([point.value for point in of.points])
    engines = np.array([point.engine for point in runs])

    def errors(deviations: Array) -> Array:
        """Rows of weighted robust residuals, one for each row of deviations; all at once, as that is fastest."""
        times = len(deviations)
        parameters = {name: np.full(times * of.runs, value) for name, value in of.base.items()}
        for place, prior in enumerate(free):
            moved = np.repeat(deviations[:, place], of.runs)
            for other, (engine, same) in enumerate(own, len(free)):
                if same is prior:
                    moved = moved + np.repeat(deviations[:, other], of.runs) * np.tile(engines == engine, times)
            parameters[prior.name] = np.maximum(0, prior.moved(moved))
        if "decode_compute_share" in parameters:
            parameters["prefill_compute_share"] = parameters["decode_compute_share"]
        predicted = np.log(figures(of, calculated(of, parameters, SPEEDS)))
        off = (predicted - measured) / noise
        # As the loss of scipy's soft_l1, but on points only: a prior has no outliers.
        robust: Array = np.sign(off) * np.sqrt(2 * (np.sqrt(1 + off**2) - 1)) * weights
        return robust

    def residuals(deviation: Array) -> Array:
        return np.concatenate([errors(deviation[None])[0], deviation / spreads])

    def slopes(deviation: Array) -> Array:
        moved = errors(np.vstack([deviation, deviation + STEP * np.eye(len(deviation))]))
        return np.vstack([(moved[1:] - moved[0]).T / STEP, np.diag(1 / spreads)])

    start = np.zeros(len(spreads))
    answer = least_squares(residuals, start, slopes, x_scale="jac", max_nfev=60, ftol=1e-8, xtol=1e-8)
    return answer.x, np.linalg.inv(answer.jac.T @ answer.jac)


def _firsts(of: Set) -> list[int]:
    """For every run the first of its points."""
    first = {int(run): place for place, run in reversed(list(enumerate(of.run_of)))}
    return [first[run] for run in range(of.runs)]


def _base(priors: Sequence[Prior], year: float) -> dict[str, float]:
    typical = {prior.name: prior.typical for prior in priors}
    return {**typical, **UNLIMITED, "prefill_compute_share": typical["decode_compute_share"], "calibrated_year": year}


def _rounded(found: Mapping[str, float], fitted: Collection[Prior]) -> dict[str, float]:
    """Fitted parameters with few digits, so that the last of a computer's do not matter; none below 0."""
    names = {prior.name for prior in fitted}
    result = {name: float(f"{max(0.0, value):.{DIGITS}g}") if name in names else value for name, value in found.items()}
    if "decode_compute_share" in names:
        result["prefill_compute_share"] = result["decode_compute_share"]
    return result


def sizes(points: Sequence[Point], base: Parameters) -> dict[str, float]:
    """The largest context, replica and batch among points that can be predicted."""
    of = prepared(points, base)
    parameters = {name: np.full(of.runs, value) for name, value in base.items()}
    answers = calculated(of, parameters, SIZES.values())
    return {name: float(f"{np.max(answers[quantity]):.{DIGITS}g}") for name, quantity in SIZES.items()}


def unseen(point: Point, seen: Sequence[Point]) -> Point:
    """The point, marked by what of it was measured elsewhere."""
    marks = {
        "accelerator_measured": float(any(folded(each.row["system"]) == folded(point.row["system"]) for each in seen)),
        "model_measured": float(any(folded(each.row["model"]) == folded(point.row["model"]) for each in seen)),
    }
    return replace(point, quantities={**point.quantities, **marks})


