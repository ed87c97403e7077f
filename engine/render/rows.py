"""Rows of a chart: labels at the left, columns of figures at the right. Knows not what is drawn between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.render.drawing import SMALL, SMALLEST, TEXT, WIDTH, Paper, wide, wrapped
from engine.render.typesetting import number
from engine.report.values import Side

LINE = 2.7  # mm from one line of small words to the next
_ROOM = 62.0  # mm of rows before they move together
_LABELS = 46.0  # widest column of labels


@dataclass(frozen=True)
class Rows:
    """Labels at the left, side columns at the right, and the room for bars between `left` and `right`."""

    labels: list[list[str]]
    left: float
    right: float
    top: float
    pitch: float
    heads: list[tuple[float, list[str]]]

    @property
    def bottom(self) -> float:
        return self.top + self.pitch * len(self.labels)

    def middle(self, row: int) -> float:
        return self.top + self.pitch * (row + 0.5)

    @property
    def bar(self) -> float:
        return min(4.8, self.pitch * 0.62)


def rows_of(labels: Sequence[str], sides: Sequence[Side], *, pitch: float, head: float) -> Rows:
    """Rows that move together where there are many. `head`: mm between the heads of the sides and the first row."""
    widest = max((wide(label) for label in labels), default=0.0)
    long = widest > _LABELS
    lines = [wrapped(label, _LABELS, SMALLEST) if long else [label] for label in labels]
    # Steps of 10 mm, so that charts on one page line up.
    left = 10 * math.ceil((min(widest, _LABELS) + 2.2) / 10) if widest > 17.8 else 20.0
    heads: list[tuple[float, list[str]]] = []
    right = WIDTH
    for side in reversed(sides):
        words = wrapped(side.head, 24, SMALL)
        shown = [number(value, side.unit, signed=side.signed) for value in side.values]
        width = max(max(wide(line, SMALL) for line in words), *(wide(text, bold=True) for text in shown), 8.8)
        heads.append((right, words))
        right -= width + 6
    heads.reverse()
    top = head + LINE * max((len(words) for _, words in heads), default=1)
    room = max(6.0 if long else 4.4, min(pitch, _ROOM / max(1, len(labels))))
    return Rows(lines, float(left), right if sides else WIDTH, top, room, heads)


def draw_rows(paper: Paper, rows: Rows, sides: Sequence[Side], *, style: str = "") -> None:
    """Labels and side columns; a share or sum below zero is a loss, a change below zero is not.

    `style`: differences (signed columns are the message, gains blue and losses orange), first (the first column in
    semibold), last (the last of three is context), or nothing.
    """
    for row, lines in enumerate(rows.labels):
        small = len(lines) > 1
        for place, line in enumerate(lines):
            shift = (place - (len(lines) - 1) / 2) * LINE
            size = SMALLEST if small else TEXT
            paper.text(rows.left - 1.9, rows.middle(row) + shift, line, size=size, align="right")
    lines_of_heads = max((len(words) for _, words in rows.heads), default=1)
    for place, (side, (edge, words)) in enumerate(zip(sides, rows.heads, strict=True)):
        for below, word in enumerate(words):
            paper.text(
                edge, 1.4 + LINE * (lines_of_heads - len(words) + below), word, "text2", size=SMALL, align="right"
            )
        message = style == "differences" and side.signed
        first, last = style == "first" and place == 0, style == "last" and 2 <= place == len(sides) - 1
        for row, value in enumerate(side.values):
            loss = isinstance(value, (int, float)) and value < 0 and (message or not side.signed)
            colour = "orange" if loss else "blue" if message else "text2" if last else "ink"
            shown = number(value, side.unit, signed=side.signed)
            paper.text(edge, rows.middle(row), shown, colour, bold=loss or message or first, align="right")
