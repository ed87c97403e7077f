"""Blind: how wrong a fit of the speed model is on points that it has not seen, and the bands that follow from it.

Knows no file and neither Excel nor HTML.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from engine.measured import Point, folded
from engine.studies.calibration import ALL, FIRST_TOKEN, NO_ERRORS, Fit, Prior, fit, sizes, stack_fit, unseen
from engine.studies.fidelity import Level, Parameters, Prediction, at_level, predictions

SOURCE = "source"
COVERED = 0.8  # of measured figures, by a band
UNMEASURED = ("accelerator", "model family")
FEW = 1.533  # of Student's distribution, between which 80 % lie where five groups say how far groups differ
SHARE_GIVEN = 0.25  # of a stack's runs, for the errors of a stack that has points of its own


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


KINDS: Mapping[str, Callable[[Point], str]] = {
    "accelerator": lambda point: folded(point.row["system"]),
    "model family": lambda point: point.family,
    SOURCE: lambda point: point.row.get("source_key") or point.row.get("source") or "",
    "engine": lambda point: point.engine,
}


def left_out(points: Sequence[Point], priors: Sequence[Prior], year: float, kind: str) -> LeftOut:
    """Every point beside a fit without all points of its accelerator, family, source or engine; one of KINDS."""
    name_of = KINDS[kind]
    parts = []
    for name in sorted({name_of(point) for point in points}):
        rest = [point for point in points if name_of(point) != name]
        hidden = [unseen(point, rest) for point in points if name_of(point) == name]
        parts.append((hidden, fit(rest, priors, year)))
    return LeftOut(kind, parts)


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
        found += at_level([unseen(point, mine) for point in rest] if given else rest, level)
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
