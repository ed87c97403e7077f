"""The chart of predicted against measured: squares side by side, on log axes. Knows no quantity and no page."""

from __future__ import annotations

import math
from collections.abc import Mapping

from engine.render.drawing import SMALL, WIDTH, Paper, wide
from engine.report.values import Square, Squares
from engine.units import unit_of

TOP, LEFT, APART = 14.0, 9.0, 10.0
UNDER = 9.0
DOT = 2.6  # points
_DASHED = (0, (3, 2))
_ROOM = 0.06  # of a square, around its points, as a share of the decades


def drawn_squares(block: Squares, colours: Mapping[str, str]) -> Paper:
    """The squares with their points, the diagonal, and the band around it.

    Errors: ValueError naming the chart where a square has no point, or one that is not above 0.
    """
    for square in block.squares:
        values = [value for kind in square.kinds for pair in kind.pairs for value in pair]
        if not values or min(values) <= 0:
            raise ValueError(f"Chart {block.title!r} needs points above 0 in {square.name!r}.")
    count = len(block.squares)
    side = (WIDTH - LEFT * count - APART * (count - 1) / 2) / count
    paper = Paper(TOP + side + UNDER, colours)
    x = LEFT
    kinds = {kind.name: kind.tone for square in block.squares for kind in square.kinds}
    place = 0.0
    for name, tone in kinds.items():
        paper.mark(place + 1, 2.0, tone, size=5)
        paper.text(place + 3, 2.0, name)
        place += 3 + wide(name) + 5
    for square in block.squares:
        _draw(paper, square, x, side)
        x += side + LEFT + APART / 2
    return paper


def _draw(paper: Paper, square: Square, left: float, side: float) -> None:
    values = [value for kind in square.kinds for pair in kind.pairs for value in pair]
    low, high = math.log10(min(values)), math.log10(max(values))
    room = max(0.1, (high - low) * _ROOM)
    low, high = low - room, high + room
    scale = side / (high - low)
    bottom = TOP + side

    def at(value: float) -> float:
        return (math.log10(value) - low) * scale

    paper.text(left, TOP - 3.4, f"{square.name}, {unit_of(square.unit).symbol}", bold=True)
    for power in range(math.ceil(low), math.floor(high) + 1):
        place = at(10.0**power)
        paper.line([left + place] * 2, [TOP, bottom], "grid", width=0.6)
        paper.line([left, left + side], [bottom - place] * 2, "grid", width=0.6)
        paper.text(left + place, bottom + 3.2, _short(power), "text2", size=SMALL, align="center")
        paper.text(left - 1.2, bottom - place, _short(power), "text2", size=SMALL, align="right")
    paper.line([left, left, left + side], [TOP, bottom, bottom], "ink", width=0.6)
    shift = math.log10(square.band) * scale
    for kind in square.kinds:
        for predicted, measured in kind.pairs:
            paper.mark(left + at(measured), bottom - at(predicted), kind.tone, size=DOT, edge=kind.tone)
    paper.line([left, left + side], [bottom, TOP], "ink", width=0.8)
    if shift > 0:
        paper.line([left + shift, left + side], [bottom, TOP + shift], "ink", width=0.6, style=_DASHED)
        paper.line([left, left + side - shift], [bottom - shift, TOP], "ink", width=0.6, style=_DASHED)
    paper.text(left + side, bottom + 6.8, "measured \u2192", "text2", size=SMALL, align="right")
    paper.text(left, bottom + 6.8, "\u2191 predicted", "text2", size=SMALL)


def _short(power: int) -> str:
    """1, 10, 100, 1k, 10k."""
    if power >= 3:
        return f"{10 ** (power - 3)}k"
    return f"{10.0**power:g}"
