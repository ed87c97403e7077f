"""Crossovers: the first whole token a month at which one way of serving becomes the cheapest. Exact, or it says so.

Asks the crossover formulas for more volumes, in whole numbers and fractions. Knows only that a way costs a straight
line between the volumes at which a further node or replica is needed; not what it costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from engine.calculation import behind, calculate
from engine.formulas import CROSSOVER_FORMULAS

FOUND, NOT_REACHED, NOT_VERIFIED = "found", "not reached below the limit", "not verified"
# Looking at more volumes than these would take longer than a report may.
MOST_STEPS = 200_000
_AT_ONCE = 1_000

Piece = tuple[int, int]  # first and last volume of a range


@dataclass(frozen=True)
class Way:
    """One way of serving: its formula of the crossover group, what that takes beside the volume, and its steps.

    A step is a quantity of `given`: whole tokens after which there may be more to pay.
    """

    cost: str
    given: Mapping[str, float]
    steps: tuple[str, ...] = ()

    @property
    def step_tokens(self) -> list[int]:
        """Whole tokens of each step."""
        return [int(self.given[step]) for step in self.steps]


STEPS = ("replica_tokens", "prefill_replica_tokens")


def own(given: Mapping[str, float]) -> Way:
    """Nodes of one's own: own_base_cost, node_month_cost, and what `rent` takes but the rent."""
    return Way("own_volume_cost", given, STEPS)


def rent(given: Mapping[str, float]) -> Way:
    """Rented nodes: rented_node_cost, STEPS, shared_pool, minimum_replicas, replicas_per_node, nodes_per_replica."""
    return Way("rent_volume_cost", given, STEPS)


def api(given: Mapping[str, float]) -> Way:
    """An API: api_token_price, in $ for a token."""
    return Way("api_volume_cost", given)


@dataclass(frozen=True)
class Crossover:
    """The answer: `found` at `tokens`, or none up to `tokens`, or not verified beyond `tokens`."""

    answer: str
    tokens: int


def exact_cost(way: Way, tokens: int) -> Fraction:
    """$ a month of so many whole tokens, without any rounding."""
    cost: Fraction = _exact_costs(way, [tokens])[0]
    return cost


def first_cheapest(way: Way, others: Sequence[Way], limit: int, most_steps: int = MOST_STEPS) -> Crossover:
    """The first whole number of tokens a month, from 1 to the limit, at which a way costs less than all others.

    A step's tokens and the limit must be whole numbers of at least 1. Errors: ValueError where they are not.
    """
    if limit < 1:
        raise ValueError(f"the limit is {limit} tokens; allowed is a whole number from 1 on")
    ways = (way, *others)
    for step, tokens in {(step, each.given[step]) for each in ways for step in each.steps}:
        if not (tokens >= 1 and tokens == int(tokens)):
            raise ValueError(f"{step} is {tokens}; allowed is a whole number from 1 on")
    steps = sorted({tokens for each in ways for tokens in each.step_tokens})
    verified = limit if _steps_below(limit, steps) <= most_steps else _within(limit, steps, most_steps)
    if not verified:
        return Crossover(NOT_VERIFIED, 0)
    likely = _likely_pieces(verified, steps, ways)
    for begin in range(0, len(likely), _AT_ONCE):
        for first, last in _cheaper_at_an_end(likely[begin : begin + _AT_ONCE], ways):
            if tokens := _first_within(first, last, way, others):
                return Crossover(FOUND, tokens)
    return Crossover(NOT_REACHED, limit) if verified == limit else Crossover(NOT_VERIFIED, verified)


def _steps_below(volume: int, steps: Sequence[int]) -> int:
    return sum(volume // step for step in steps)


def _within(limit: int, steps: Sequence[int], most_steps: int) -> int:
    """The largest volume that no more than so many steps lead to."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _steps_below(middle, steps) <= most_steps else (low, middle - 1)
    return low


def _likely_pieces(limit: int, steps: Sequence[int], ways: Sequence[Way]) -> list[Piece]:
    """First and last volumes of the ranges without a step in them, where the first way may be the cheapest.

    They are looked through in floating point, with a margin far wider than its error; what is left is judged exactly.
    """
    lasts = np.unique(np.concatenate([np.arange(1, limit // step + 1) * step for step in steps] + [np.array([limit])]))
    firsts = np.concatenate([[1], lasts[:-1] + 1])
    likely = np.ones(len(lasts), dtype=bool)
    (at_first, at_last), *others = [
        (_costs(way, way.given, firsts.astype(float)), _costs(way, way.given, lasts.astype(float))) for way in ways
    ]
    for other_first, other_last in others:
        likely &= (at_first < _above(other_first)) | (at_last < _above(other_last))
    return list(zip(firsts[likely].tolist(), lasts[likely].tolist(), strict=True))


def _cheaper_at_an_end(pieces: Sequence[Piece], ways: Sequence[Way]) -> list[Piece]:
    """Those ranges at whose first or last volume the first way is cheaper than each other one, exactly."""
    firsts, lasts = zip(*pieces, strict=True)
    (at_first, at_last), *others = [(_exact_costs(way, firsts), _exact_costs(way, lasts)) for way in ways]
    cheaper = np.ones(len(pieces), dtype=bool)
    for other_first, other_last in others:
        cheaper &= (at_first < other_first) | (at_last < other_last)
    return [piece for piece, one in zip(pieces, cheaper, strict=True) if one]


def _above(cost: Any) -> Any:
    return cost * (1 + 1e-9) + 1e-9


def _first_within(first: int, last: int, way: Way, others: Sequence[Way]) -> int:
    """The first volume of a range without steps at which the way is cheaper than all others; 0 where there is none.

    On a straight line the volumes at which it is cheaper than another one are a beginning or an end of the range.
    """
    start, end = first, last
    for other in others:
        cheaper_first = _is_cheaper(way, other, first)
        cheaper_last = _is_cheaper(way, other, last)
        if cheaper_first and cheaper_last:
            continue
        low, high = first, last
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _is_cheaper(way, other, middle) == cheaper_first else (low, middle)
        if not cheaper_first:
            start = max(start, high)
        else:
            end = min(end, low)
    return start if start <= end else 0


def _is_cheaper(way: Way, other: Way, tokens: int) -> bool:
    return exact_cost(way, tokens) < exact_cost(other, tokens)


def _exact_costs(way: Way, tokens: Sequence[int]) -> Any:
    exact = {name: Fraction(str(value)) for name, value in way.given.items()}
    return _costs(way, exact, np.array([Fraction(volume) for volume in tokens], dtype=object))


def _costs(way: Way, given: Mapping[str, Any], volumes: Any) -> Any:
    """$ a month of each volume: in floating point, or exact where all that is given is."""
    columns = {**given, "monthly_tokens": volumes}
    needed = behind([way.cost], columns, CROSSOVER_FORMULAS)
    return calculate(columns, {name: CROSSOVER_FORMULAS[name] for name in needed})[way.cost]
