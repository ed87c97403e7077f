"""The chart of how likely more is: a falling curve, what is likeliest shaded. Knows no quantity and no page."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise

from engine.render.drawing import SMALL, WIDTH, Paper, wide
from engine.render.placing import spread, step_of
from engine.render.typesetting import number
from engine.report.values import Chances
from engine.units import Share

LEFT, TOP, BOTTOM, UNDER = 12.0, 11.0, 58.0, 10.0
RIGHT = WIDTH - 4.0
SHARES = (0.0, 0.1, 0.5, 0.9, 1.0)
_DASHED = (0, (3, 2))


def drawn_chances(block: Chances, colours: Mapping[str, str]) -> Paper:
    """The curve over its values, with its marks and the value that matters.

    Errors: ValueError naming the chart where it has less than two values, or marks outside them.
    """
    values = [value for value, _ in block.points]
    if len(values) < 2 or not all(values[0] <= value <= values[-1] for value, _ in block.marks):
        raise ValueError(f"Chart {block.title!r} needs two values or more, and its marks between them.")
    ends = [*values, *([block.limit[0]] if block.limit else [])]
    low, high = min(ends), max(ends)
    scale = (RIGHT - LEFT) / ((high - low) or 1.0)

    def x_at(value: float) -> float:
        return LEFT + (value - low) * scale

    def y_at(share: float) -> float:
        return BOTTOM - share * (BOTTOM - TOP)

    paper = Paper(BOTTOM + UNDER, colours)
    spots = [(x_at(value), y_at(share)) for value, share in block.points]
    if block.marks:
        first, last = (x_at(value) for value, _ in (block.marks[0], block.marks[-1]))
        inside = [(first, _height(spots, first)), *((x, y) for x, y in spots if first < x < last)]
        inside.append((last, _height(spots, last)))
        paper.area([first, *(x for x, _ in inside), last], [BOTTOM, *(y for _, y in inside), BOTTOM], "blue3")
    for share in SHARES:
        paper.line([LEFT, RIGHT], [y_at(share)] * 2, "ink" if share == 0 else "grid", width=0.6)
        paper.text(LEFT - 1.9, y_at(share), number(share, Share, decimals=0), "text2", size=SMALL, align="right")
    _draw_values(paper, block, low, high, x_at)
    paper.line([x for x, _ in spots], [y for _, y in spots], "blue", width=2.0)
    names = [f"{name} {number(value, block.unit)}" for value, name in block.marks]
    widths = [wide(name, bold=True) for name in names]
    middles = spread([x_at(value) for value, _ in block.marks], widths, LEFT, RIGHT, 2.0)
    for (value, _), name, middle in zip(block.marks, names, middles, strict=True):
        x = x_at(value)
        paper.line([x, x], [TOP - 3.0, BOTTOM], "ink", width=0.8)
        paper.mark(x, _height(spots, x), "ink")
        paper.text(middle, TOP - 5.0, name, bold=True, align="center")
    if block.limit:
        value, words = block.limit
        x = x_at(value)
        beyond = x + 1.5 + wide(words, SMALL) > RIGHT
        paper.line([x, x], [TOP, BOTTOM], "orange", width=1.0, style=_DASHED)
        place = x + (-1.5 if beyond else 1.5)
        paper.text(place, BOTTOM - 3.0, words, "orange", size=SMALL, align="right" if beyond else "left")
    paper.text(LEFT, BOTTOM + 8.2, block.axis, "text2", size=SMALL)
    return paper


def _draw_values(paper: Paper, block: Chances, low: float, high: float, x_at: Callable[[float], float]) -> None:
    step = step_of((high - low) or 1.0)
    for place in range(math.ceil(low / step), math.floor(high / step) + 1):
        x = x_at(place * step)
        paper.line([x, x], [BOTTOM, BOTTOM + 0.9], "grey")
        paper.text(x, BOTTOM + 3.6, number(place * step, block.unit), "text2", size=SMALL, align="center")


def _height(spots: list[tuple[float, float]], x: float) -> float:
    """The height of the curve at x."""
    for (left, y), (right, next_y) in pairwise(spots):
        if left <= x <= right:
            return y if right == left else y + (next_y - y) * (x - left) / (right - left)
    return spots[-1][1]
