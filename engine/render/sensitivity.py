"""Charts of sensitivity: a tornado of drivers, and shares by two drivers. Knows no driver and no quantity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

from engine.render.drawing import SMALL, SMALLEST, WIDTH, Paper, wide, wrapped
from engine.render.placing import bar_scale
from engine.render.rows import rows_of
from engine.render.typesetting import number
from engine.report.values import Heatmap, Tornado

GAP = 1.0  # mm between a bar and its figure
LINE = 6.2  # mm of a line of the heatmap
_PALEST = 0.12  # share of the ink of the palest cell
_DARK = 0.55  # share of the ink from which words on it are white


def draw_tornado(block: Tornado, colours: Mapping[str, str]) -> Paper:
    """One row a driver; the words of what was tried stand in grey beyond the figures."""
    sides = [
        [(swing.low, swing.low_words), (swing.high, swing.high_words)] for swing in block.swings
    ]
    rows = rows_of([swing.label for swing in block.swings], (), pitch=6.8, head=4.2)
    reach: list[tuple[float, float]] = []
    for pair in sides:
        for (value, words), way in zip(pair, _ways([value for value, _ in pair]), strict=True):
            shown = number(value or 0.0, block.unit, signed=True)
            room = wide(shown, bold=True) + (wide(words, SMALLEST) + 1.6 if words else 0.0) + GAP + 1.0
            reach.append((value or 0.0, way * room))
    scale, zero = bar_scale(reach, rows.left, rows.right - 1)

    paper = Paper(rows.bottom + 2.0, colours)
    paper.text(rows.left, 1.4, block.value_head, "text2", size=SMALL)
    for row, pair in enumerate(sides):
        y = rows.middle(row)
        paper.text(rows.left - 1.9, y, block.swings[row].label, align="right")
        for (value, words), way in zip(pair, _ways([value for value, _ in pair]), strict=True):
            if not words:
                continue
            length = abs(value or 0.0) * scale
            if value and value < 0:
                paper.hatched(zero - length, y, length, rows.bar - 0.2)
            elif value:
                paper.box(zero, y, length, rows.bar, "blue")
            shown = number(value, block.unit, signed=True) if value is not None else "none"
            x, align = zero + way * (length + GAP), "left" if way > 0 else "right"
            colour = "text2" if not value else "blue" if value > 0 else "orange"
            paper.text(x, y, shown, colour, bold=bool(value), align=align)
            beyond = x + way * (wide(shown, bold=bool(value)) + 1.6)
            paper.text(beyond, y, words, "text2", size=SMALLEST, align=align)
    paper.line([zero, zero], [rows.top - 1.2, rows.bottom + 0.6])
    return paper


def _ways(values: Sequence[float | None]) -> list[int]:
    """Which way each side points; one without an effect points away from the other."""
    first, second = ((value > 0) - (value < 0) if value else 0 for value in values)
    if first and second:
        return [first, second]
    if first or second:
        return [first or -second, second or -first]
    return [-1, 1]


def draw_heatmap(block: Heatmap, colours: Mapping[str, str]) -> Paper:
    """A cell for each combination, the one that is framed; a heavy line parts gains from losses."""
    labels = max([wide(line, SMALL) for line in block.lines] + [wide(block.corner, SMALL)]) + 4
    left, top = max(labels, 22.0), 6.4
    width = (WIDTH - left) / len(block.columns)
    most = max((value for line in block.values for value in line if value is not None), default=0.0)

    def corner(line: int, column: int) -> tuple[float, float]:
        return left + column * width, top + line * LINE

    paper = Paper(top + LINE * len(block.lines) + 1.0, colours)
    paper.text(left - 3, 2.6, block.corner, "text2", size=SMALL, bold=True, align="right")
    for column, words in enumerate(block.columns):
        x, _ = corner(0, column)
        (fitted, *_) = wrapped(words, width - 1, SMALL, most=1)
        paper.text(x + width / 2, 2.6, fitted, "text2", size=SMALL, bold=True, align="center")
    for line, words in enumerate(block.lines):
        _, y = corner(line, 0)
        paper.text(left - 3, y + LINE / 2, words, "text2", size=SMALL, align="right")
        for column, value in enumerate(block.values[line]):
            x, _ = corner(line, column)
            gain = value is not None and value >= 0
            ink = _PALEST + (1 - _PALEST) * 0.8 * (value or 0.0) / most if gain and most > 0 else 0.0
            if gain:
                paper.box(x, y + LINE / 2, width, LINE, _mixed(colours["blue"], ink), edge="white")
            shown = number(value, block.unit) if value is not None else "none"
            colour = ("white" if ink > _DARK else "ink") if gain else "orange" if value is not None else "text2"
            paper.text(x + width / 2, y + LINE / 2, shown, colour, bold=value is not None and not gain, align="center")
    _part(paper, block, corner, width)
    line, column = block.today
    x, y = corner(line, column)
    paper.line([x, x + width, x + width, x, x], [y, y, y + LINE, y + LINE, y], width=1.2)
    return paper


def _part(paper: Paper, block: Heatmap, corner: Callable[[int, int], tuple[float, float]], width: float) -> None:
    """A line along every edge between a gain and a loss."""

    def gains(line: int, column: int) -> bool | None:
        value = block.values[line][column]
        return None if value is None else value >= 0

    for line, column in product(range(len(block.lines)), range(len(block.columns))):
        x, y = corner(line, column)
        here = gains(line, column)
        if column + 1 < len(block.columns) and {here, gains(line, column + 1)} == {True, False}:
            paper.line([x + width] * 2, [y, y + LINE], width=1.6)
        if line + 1 < len(block.lines) and {here, gains(line + 1, column)} == {True, False}:
            paper.line([x, x + width], [y + LINE] * 2, width=1.6)


def _mixed(colour: str, ink: float) -> str:
    """A colour on white, so much of it."""
    channels = [int(colour.lstrip("#")[place : place + 2], 16) for place in (0, 2, 4)]
    return "#" + "".join(f"{round(255 - (255 - channel) * ink):02x}" for channel in channels)
