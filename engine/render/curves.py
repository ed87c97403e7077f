"""Curves: lines over two log axes as a drawing. Knows no page, no quantity and no number format."""

from __future__ import annotations

import math
from collections.abc import Mapping

from engine.render.axes import axis_title, tick_text
from engine.render.drawing import SMALL, WIDTH, Paper, wide
from engine.render.placing import Box, Log, Spot, around, spread
from engine.report.values import Curves

_LEFT, _TOP, _BOTTOM = 14.0, 6.0, 74.0
_LINE = 3.0  # mm from one name at the right to the next
_DASHED = (0, (4, 2))
_DOTTED = (0, (1, 2))


def curves(block: Curves, colours: Mapping[str, str]) -> Paper:
    """The lines, each named at its right end; marks with their words; the limit across."""
    right = WIDTH - max((wide(curve.name, SMALL, bold=True) for curve in block.curves), default=0.0) - 2.5
    lines = [[(x, y) for x, y in curve.points if _shows(x) and _shows(y)] for curve in block.curves]
    every = [point for line in lines for point in line]
    across = Log.over([x for x, _ in every], _LEFT, right, 1.5)
    upright = Log.over([y for _, y in every], 0, _BOTTOM - _TOP, 3)

    def spot(x: float, y: float) -> tuple[float, float]:
        return across.at(x), _BOTTOM - upright.at(y)

    paper = Paper(_BOTTOM + 12, colours)
    paper.text(0, 1.4, axis_title(block.y_axis, block.y_unit, log=True), "text2", size=SMALL)
    for each in upright.ticks():
        y = _BOTTOM - upright.at(each)
        paper.line([_LEFT, right], [y, y], "grid")
        paper.text(_LEFT - 1.9, y, tick_text(each, block.y_unit), "text2", size=SMALL, align="right")
    paper.line([_LEFT, right], [_BOTTOM, _BOTTOM], "grey")
    for each in across.ticks():
        x = across.at(each)
        paper.line([x, x], [_BOTTOM, _BOTTOM + 0.9], "grey")
        paper.text(x, _BOTTOM + 3.4, tick_text(each, block.x_unit), "text2", size=SMALL, align="center")
    paper.text(_LEFT, _BOTTOM + 8.4, axis_title(block.x_axis, block.x_unit, log=True), "text2", size=SMALL)
    if block.limit is not None and across.left <= across.at(block.limit) <= across.right:
        x = across.at(block.limit)
        paper.line([x, x], [_TOP - 1.5, _BOTTOM], "text2", width=0.8, style=_DOTTED)
        paper.text(x, _TOP - 3, block.limit_words, "text2", size=SMALL, align="center")

    for curve, line in zip(block.curves, lines, strict=True):
        spots = [spot(x, y) for x, y in line]
        width, style = (2.0 if curve.tone == "blue" else 1.2), (_DASHED if curve.dashed else "-")
        paper.line([x for x, _ in spots], [y for _, y in spots], curve.tone, width=width, style=style)
    _names(paper, block, [spot(*line[-1]) if line else None for line in lines], right)
    passed = [spot(x, y) for x, y in every]
    marked = [spot(mark.x, mark.y) for mark in block.marks]
    _marks(paper, block, marked, passed, (_LEFT + 0.5, _TOP - 1, right, _BOTTOM - 0.6))
    return paper


def _shows(value: float) -> bool:
    return value > 0 and math.isfinite(value)


def _names(paper: Paper, block: Curves, ends: list[tuple[float, float] | None], right: float) -> None:
    """Each curve's name beside its right end, moved apart where ends lie close together."""
    named = [(end[1], curve) for end, curve in zip(ends, block.curves, strict=True) if end]
    named.sort(key=lambda pair: pair[0])
    places = spread([y for y, _ in named], [_LINE] * len(named), _TOP - 2, _BOTTOM + 1, 0.2)
    for y, (_, curve) in zip(places, named, strict=True):
        paper.text(right + 1.5, y, curve.name, curve.tone, size=SMALL, bold=True)


def _marks(paper: Paper, block: Curves, spots: list[Spot], passed: list[Spot], frame: Box) -> None:
    """Dots with their words beside them, off other words and off what lines pass through where there is room."""
    sizes: list[Spot | None] = [(wide(mark.label, SMALL, bold=True), 2.2) for mark in block.marks]
    places = around([*spots, *passed], [*sizes, *(None for _ in passed)], frame)[: len(spots)]
    for place in places:
        if place and place.leader:
            (x, y), (end_x, end_y) = place.leader
            paper.line([x, end_x], [y, end_y], "grey", width=0.5)
    for x, y in spots:
        paper.mark(x, y, "ink", size=6)
    for mark, place in zip(block.marks, places, strict=True):
        if place:
            y = (place.box[1] + place.box[3]) / 2
            paper.box(place.box[0] - 0.3, y, place.box[2] - place.box[0] + 0.6, 2.6, "white")  # no line through words
            paper.text(place.box[0], y, mark.label, "ink", size=SMALL, bold=True)
