"""Calibration: the parameters of the speed model, fitted on measured points, and how wrong the fit is when blind.

Knows no file and neither Excel nor HTML. A fit is robust least squares on log(predicted / measured): all points of a
stack count as much as one of another, priors say what is physical where the points are silent, and a parameter that
engines differ in has a deviation for each. A stack's own row is the same fit, with what all stacks gave as its prior.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from engine.measured import Point, folded
from engine.studies.fidelity import (
    SPEEDS,
    Array,
    Level,
    Parameters,
    Prediction,
    Set,
    at_level,
    calculated,
    figures,
    predictions,
    prepared,
)

ALL, SOURCE = "all", "source"
FIRST_TOKEN = "ttft_ms"
COVERED = 0.8  # of measured figures, by a band
DEVIATIONS = 1.2816  # of a normal distribution, between which 80 % of it lie
BETWEEN = 0.3  # log error at which a point of another stack begins to count as an outlier
FIRST_TOKEN_WEIGHT = 1.5  # it alone says how prompts queue, in which engines differ twofold and more
WITHIN, FIRST_TOKEN_WITHIN = 0.06, 0.15  # the same within a stack, where what is left is noise of the measurement
STEP = 1e-4  # of a parameter, for derivatives
UNMEASURED = ("accelerator", "model family")
FEW = 1.533  # of Student's distribution, between which 80 % lie where five groups say how far groups differ
DIGITS = 3
SHARE_GIVEN = 0.25  # of a stack's runs, for the errors of a stack that has points of its own
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


@dataclass(frozen=True)
class LeftOut:
    """Points beside fits that have not seen them, by what was left out at a time."""

    kind: str
    parts: Sequence[tuple[Sequence[Point], Fit]]

    def found(self, levels: Mapping[str, Level] | None = None) -> list[Prediction]:
        """What the blind fits predict, with the errors of these rows as bands, or with none."""
        return [each for hidden, blind in self.parts for each in predictions(hidden, _with_bands(blind, levels or {}))]


def _with_bands(blind: Fit, levels: Mapping[str, Level]) -> Callable[[Point], Level]:
    """The rows of a blind fit with the errors of others; an engine it does not know has those of all."""

    def level_of(point: Point) -> Level:
        own = blind.level_of(point)
        errors = levels[own.name].parameters if levels else NO_ERRORS
        return Level(own.name, {**own.parameters, **{name: errors[name] for name in NO_ERRORS}})

    return level_of


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
    return [_unseen(point, able) for point in able]


KINDS: Mapping[str, Callable[[Point], str]] = {
    "accelerator": lambda point: folded(point.row["system"]),
    "model family": lambda point: point.family,
    SOURCE: lambda point: point.row.get("source_key") or point.row.get("source") or "",
    "engine": lambda point: point.engine,
}


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


def left_out(points: Sequence[Point], priors: Sequence[Prior], year: float, kind: str) -> LeftOut:
    """Every point beside a fit without all points of its accelerator, family, source or engine; one of KINDS."""
    name_of = KINDS[kind]
    parts = []
    for name in sorted({name_of(point) for point in points}):
        rest = [point for point in points if name_of(point) != name]
        hidden = [_unseen(point, rest) for point in points if name_of(point) == name]
        parts.append((hidden, fit(rest, priors, year)))
    return LeftOut(kind, parts)


def _unseen(point: Point, seen: Sequence[Point]) -> Point:
    """The point, marked by what of it was measured elsewhere."""
    marks = {
        "accelerator_measured": float(any(folded(each.row["system"]) == folded(point.row["system"]) for each in seen)),
        "model_measured": float(any(folded(each.row["model"]) == folded(point.row["model"]) for each in seen)),
    }
    return replace(point, quantities={**point.quantities, **marks})


def given_a_share(
    points: Sequence[Point], level_of: Callable[[Point], Level], priors: Sequence[Prior], share: float
) -> tuple[list[Prediction], list[Point]]:
    """Points as predicted once a share of every stack's runs has been given, and the points that were.

    Runs are given one in so many, in the order of the points; a stack of a single run gets none.
    """
    found: list[Prediction] = []
    used: list[Point] = []
    for stack in dict.fromkeys(point.stack for point in points if not point.reason):
        mine = [point for point in points if not point.reason and point.stack == stack]
        runs = list(dict.fromkeys(point.run for point in mine))
        chosen = {run for place, run in enumerate(runs) if math.floor((place + 1) * share) > math.floor(place * share)}
        if not chosen and len(runs) > 1:
            chosen = {runs[len(runs) // 2]}
        given = [point for point in mine if point.run in chosen]
        rest = [point for point in mine if point.run not in chosen]
        start = level_of(mine[0])
        level = stack_fit(given, start, priors, f"stack, {len(given)} points") if given else start
        found += at_level([_unseen(point, mine) for point in rest] if given else rest, level)
        used += given
    found += [Prediction(point, reason=point.reason) for point in points if point.reason]
    return found, used


def quartered(hidden: LeftOut, priors: Sequence[Prior], errors: Parameters) -> list[Prediction]:
    """What blind fits predict once a quarter of each stack's runs has moved them; `errors` are their rows' errors."""
    found: list[Prediction] = []
    for points, blind in hidden.parts:
        rows = {name: Level(name, {**level.parameters, **errors}) for name, level in blind.levels.items()}
        found += given_a_share(points, replace(blind, levels=rows).level_of, priors, SHARE_GIVEN)[0]
    return found


def with_errors(
    of: Fit, points: Sequence[Point], hidden: Sequence[LeftOut], quartered: Sequence[Prediction]
) -> Mapping[str, Level]:
    """The rows of a fit with their errors: within which factor eight of ten figures lie that it has not seen.

    Of speeds and of all engines' first tokens: with their source left out. Of an engine's first tokens: with the
    accelerator left out, as the engine itself is known. What an accelerator or model adds that was not measured: how
    far all speeds of one lay to one side when it was left out. `hidden` holds all of these, `quartered` what was
    predicted of stacks that a quarter was given of.
    """
    by_kind = {each.kind: each.found() for each in hidden}
    biases = [
        _bias(_speeds(predictions(blind_points, blind.level_of)))
        for each in hidden
        if each.kind in UNMEASURED
        for blind_points, blind in each.parts
    ]
    unmeasured = FEW * float(np.sqrt(np.mean(np.square(biases))))
    shared = {
        "speed_error": _widened(_base_spread(_speeds(by_kind[SOURCE]), unmeasured)),
        "first_token_error": _widened(_base_spread(_first_tokens(by_kind[SOURCE]), unmeasured)),
        "unmeasured_error": _widened(unmeasured),
        "stack_speed_error": _widened(_spread(_speeds(quartered))),
        "stack_first_token_error": _widened(_spread(_first_tokens(quartered))),
        **sizes(points, of.levels[ALL].parameters),
    }
    known = {"first_token_error": _widened(_base_spread(_first_tokens(by_kind["accelerator"]), unmeasured))}
    counts = Counter(point.engine for point in points) + Counter({ALL: len(points)})
    return {
        name: Level(
            name, {**level.parameters, **shared, **(known if name != ALL else {}), "measured_points": counts[name]}
        )
        for name, level in of.levels.items()
    }


def _widened(spread: float) -> float:
    """A factor, rounded up to hundredths."""
    return math.ceil(math.exp(spread) * 100 - 1e-6) / 100


def _speeds(found: Sequence[Prediction]) -> list[Prediction]:
    return [each for each in found if not each.reason and each.point.row["metric"] != FIRST_TOKEN]


def _first_tokens(found: Sequence[Prediction]) -> list[Prediction]:
    return [each for each in found if not each.reason and each.point.row["metric"] == FIRST_TOKEN]


def _spread(found: Sequence[Prediction]) -> float:
    """Log error that eight of ten stay below."""
    return float(np.quantile([abs(math.log(each.ratio)) for each in found], COVERED)) if found else 0.0


def _bias(found: Sequence[Prediction]) -> float:
    """Log of how much faster than measured all of these were predicted, in the middle."""
    return float(np.median([_faster(each) for each in found]))


def _faster(found: Prediction) -> float:
    """Log of how much faster than measured a speed was predicted."""
    return math.log(found.ratio) * (-1 if found.point.row["metric"] == "tpot_ms" else 1)


def correlation(blind: Sequence[Prediction], kind: str = "") -> float:
    """Whether stacks that a fit has not seen err together: 1 where all are off by the same, 0 where each by itself.

    A stack's error is the mean log of how much faster than measured its speeds were predicted. Of all pairs of stacks,
    or of those with the same accelerator, source or other of KINDS: the sum of the products of their two errors, over
    that of their mean squares. Not a number where there is no pair.
    """
    stacks: dict[tuple[str, ...], list[Prediction]] = {}
    for each in _speeds(blind):
        stacks.setdefault(each.point.stack, []).append(each)
    errors = [
        (KINDS[kind](some[0].point) if kind else "", float(np.mean([_faster(each) for each in some])))
        for some in stacks.values()
    ]
    pairs = np.array([(one, two) for (of, one), (also, two) in combinations(errors, 2) if of == also])
    return float(np.sum(np.prod(pairs, axis=1)) / np.sum(np.mean(pairs**2, axis=1))) if len(pairs) else math.nan


def _base_spread(found: Sequence[Prediction], unmeasured: float) -> float:
    """The spread with which eight of ten lie in their band, where an unmeasured accelerator or model widens it."""
    own = [
        math.log(each.ratio) ** 2
        - unmeasured**2 * sum(each.point.quantities[f"{kind}_measured"] == 0 for kind in ("accelerator", "model"))
        for each in found
    ]
    return math.sqrt(max(0.0, float(np.quantile(own, COVERED)))) if own else 0.0


def summary(found: Sequence[Prediction]) -> dict[str, float]:
    """Median absolute errors by what was measured: throughput, time per token, first token, speeds of mixtures."""
    metrics = {
        "throughput": ("output_tok_s_total", "output_tok_s_per_chip"),
        "time per output token": ("tpot_ms",),
        "time to first token": (FIRST_TOKEN,),
    }
    known = [each for each in found if not each.reason]
    result = {
        words: _median(each for each in known if each.point.row["metric"] in of) for words, of in metrics.items()
    }
    mixtures = (each for each in _speeds(known) if each.point.quantities["experts"] > 1)
    return {**result, "mixtures of experts": _median(mixtures)}


def _median(found: Iterable[Prediction]) -> float:
    off = [abs(each.ratio - 1) for each in found]
    return float(np.median(off)) if off else math.nan
