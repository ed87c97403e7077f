"""Courses over months, as lines on paper, each named at its end. Knows no page and no quantity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from engine.render.drawing import SMALL, Paper, wide
from engine.render.drawing import WIDTH as PAPER_WIDTH
from engine.render.placing import spread, step_of
from engine.render.typesetting import number
from engine.report.values import Line, Lines

TOP, BOTTOM, UNDER = 6.0, 50.0, 8.0
STEPS = (1, 2, 3, 4, 6, 12)  # months from one label to the next
NAME = 3.4  # mm that the name of a line takes in height
# Colour, width in points and dashes of each tone; told apart also in grey.
LOOKS: dict[str, tuple[str, float, Any]] = {
    "strong": ("blue", 2.2, "-"),
    "plain": ("ink", 0.9, "-"),
    "dashed": ("ink", 0.9, (0, (4, 2))),
}


def drawn_lines(block: Lines, colours: Mapping[str, str]) -> Paper:
    """The lines over their months, from zero or below to their highest.

    Errors: ValueError naming the chart where a line has not a value for every month.
    """
    if len(block.labels) < 2 or any(len(line.values) != len(block.labels) for line in block.lines):
        raise ValueError(f"Chart {block.title!r} has {len(block.labels)} months, but not as many of every value.")
    if not all(math.isfinite(value) for line in block.lines for value in line.values):
        raise ValueError(f"Chart {block.title!r} has a month without a value.")
    ends = [f"{line.name} {number(line.values[-1], block.unit)}" for line in block.lines]
    values = [0.0, *(value for line in block.lines for value in line.values)]
    step = step_of((max(values) - min(values)) or 1.0)
    low, high = math.floor(min(values) / step), math.ceil(max(values) / step)
    ticks = [place * step for place in range(low, max(high, low + 1) + 1)]
    left = max(wide(number(tick, block.unit), SMALL) for tick in ticks) + 2.4
    right = PAPER_WIDTH - max(wide(end, bold=True) for end in ends) - 2.4

    def x_at(place: int) -> float:
        return left + place / (len(block.labels) - 1) * (right - left)

    def y_at(value: float) -> float:
        return BOTTOM - (value - ticks[0]) / (ticks[-1] - ticks[0]) * (BOTTOM - TOP)

    paper = Paper(BOTTOM + UNDER, colours)
    paper.text(0, 1.4, block.value_head, "text2", size=SMALL)
    for tick in ticks:
        paper.line([left, right], [y_at(tick)] * 2, "ink" if tick == 0 else "grid", width=0.75)
        paper.text(left - 1.9, y_at(tick), number(tick, block.unit), "text2", size=SMALL, align="right")
    _draw_months(paper, block.labels, [x_at(place) for place in range(len(block.labels))])
    if block.mark:
        place, words = block.mark
        x = x_at(place)
        beyond = x + 1.0 + wide(words, SMALL) > right
        paper.line([x, x], [TOP - 3.2, BOTTOM], "text2", width=0.7, style="--")
        paper.text(x + (-1.0 if beyond else 1.0), TOP - 2.4, words, size=SMALL, align="right" if beyond else "left")
    # What matters lies on top.
    for line in sorted(block.lines, key=lambda line: line.tone == "strong"):
        colour, width, style = LOOKS[line.tone]
        spots = [(x_at(place), y_at(value)) for place, value in enumerate(line.values)]
        paper.line([x for x, _ in spots], [y for _, y in spots], colour, width=width, style=style)
    _name_lines(paper, block.lines, ends, right, y_at)
    return paper


def _draw_months(paper: Paper, labels: Sequence[str], spots: Sequence[float]) -> None:
    """Every month as a tick, and the names of as many as have room."""
    room = max(wide(label, SMALL) for label in labels) + 3.0
    apart = spots[1] - spots[0]
    named = next((step for step in STEPS if step * apart >= room), STEPS[-1])
    for place, (label, x) in enumerate(zip(labels, spots, strict=True)):
        paper.line([x, x], [BOTTOM, BOTTOM + (1.2 if place % named == 0 else 0.6)], "grey")
        if place % named == 0:
            paper.text(x, BOTTOM + 3.6, label, "text2", size=SMALL, align="center")


def _name_lines(paper: Paper, lines: Sequence[Line], ends: Sequence[str], right: float, y_at: Any) -> None:
    """The name of each line and its last value at its end, one above the other where ends lie close."""
    order = sorted(range(len(lines)), key=lambda place: y_at(lines[place].values[-1]))
    targets = [y_at(lines[place].values[-1]) for place in order]
    heights = spread(targets, [NAME] * len(order), TOP - NAME, BOTTOM + NAME, 0.0)
    for place, y in zip(order, heights, strict=True):
        line = lines[place]
        strong = line.tone == "strong"
        loss = line.values[-1] < 0
        colour = "orange" if loss else LOOKS[line.tone][0]
        paper.text(right + 1.6, y, ends[place], colour, bold=strong)
