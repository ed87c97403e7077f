"""Charts of a report as SVG: what each kind of chart draws where. Knows no page, no quantity and no number format."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from engine.render.axes import axis_title, tick_text
from engine.render.chances import drawn_chances
from engine.render.curves import curves
from engine.render.drawing import SMALL, SMALLEST, WIDTH, Paper, wide
from engine.render.hours import draw_day
from engine.render.lines import drawn_lines
from engine.render.measured import drawn_squares
from engine.render.placing import Log, around, bar_scale, spread, step_of
from engine.render.rows import Rows, draw_rows, rows_of
from engine.render.sensitivity import draw_heatmap, draw_tornado
from engine.render.typesetting import number
from engine.report.values import (
    Bars,
    Chances,
    Chart,
    Curves,
    Day,
    Heatmap,
    Lines,
    Pairs,
    Scatter,
    Segment,
    Squares,
    Stack,
    Tornado,
    Waterfall,
)
from engine.units import unit_of

MOST_ROWS = 24
MOST_LABELS = 30

HATCHED = "hatched"
KEY_LINE = 3.2  # mm from one line of a key to the next
_KEY_GAP = 2.4
_KEY = 3.6 + _KEY_GAP  # what a name takes besides its words
# The colour of words on each tone of a stacked bar.
_ON_TONE = {"blue": "white", "blue2": "ink", "blue3": "ink", "grey": "ink", "idle": "ink"}


def draw(block: Chart, colours: Mapping[str, str]) -> str:
    """The chart as an SVG of its final size; the same bytes for the same values.

    Errors: ValueError naming the chart where it has too many rows or parts that do not match.
    """
    if isinstance(block, Scatter):
        if sum(bool(point.label) for point in block.points) > MOST_LABELS:
            raise ValueError(f"Chart {block.title!r} names more than {MOST_LABELS} points; leave labels out.")
        return _scatter(block, colours).svg()
    if isinstance(block, Day):
        return draw_day(block, colours).svg()
    if isinstance(block, Lines):
        return drawn_lines(block, colours).svg()
    if isinstance(block, Tornado):
        return draw_tornado(block, colours).svg()
    if isinstance(block, Heatmap):
        return draw_heatmap(block, colours).svg()
    if isinstance(block, Chances):
        return drawn_chances(block, colours).svg()
    if isinstance(block, Squares):
        return drawn_squares(block, colours).svg()
    if isinstance(block, Curves):
        return curves(block, colours).svg()
    if isinstance(block, Waterfall):
        return _waterfall(block, colours).svg()
    if len(block.labels) > MOST_ROWS:
        raise ValueError(f"Chart {block.title!r} has {len(block.labels)} rows; at most {MOST_ROWS} can be read.")
    if isinstance(block, Bars):
        columns: list[Sequence[Any]] = [block.values, *([block.before] if block.before else [])]
        drawer: Callable[[Any, Mapping[str, str]], Paper] = _bars
    elif isinstance(block, Stack):
        columns = [segment.values for segment in block.segments]
        drawer = _stack
    else:
        columns = [block.low, block.high]
        drawer = _pairs
    if any(len(column) != len(block.labels) for column in [*columns, *(side.values for side in block.sides)]):
        raise ValueError(f"Chart {block.title!r} has {len(block.labels)} labels, but not as many of every value.")
    return drawer(block, colours).svg()


def _bars(block: Bars, colours: Mapping[str, str]) -> Paper:
    before = block.before or (None,) * len(block.values)
    ticked = [tick is not None and math.isfinite(tick) for tick in before]
    over_first = bool(ticked and ticked[0])
    rows = rows_of(block.labels, block.sides, pitch=8.2, head=4.8 if any(ticked) else 3.0)
    signed = any(value < 0 for value in block.values)
    shown = [number(value, block.unit, signed=signed) for value in block.values]
    reach: list[tuple[float, float]] = []  # how far the row reaches in values, and in mm beyond that; left is negative
    for value, tick, text in zip(block.values, before, shown, strict=True):
        value = value if math.isfinite(value) else 0.0
        side = -1 if value < 0 else 1
        beyond = tick if tick is not None and math.isfinite(tick) else 0.0
        reach.append((value if beyond * side < value * side else beyond, side * (wide(text, bold=True) + 2.4)))
        if beyond * side < 0:
            reach.append((beyond, -side * 1.0))
    scale, zero = bar_scale(reach, rows.left, rows.right - 1)

    paper = Paper(rows.bottom + 2.4, colours)
    draw_rows(paper, rows, block.sides, style="last")
    paper.text(rows.left, 1.4, block.value_head, "text2", size=SMALL)
    for row, (value, tick, text) in enumerate(zip(block.values, before, shown, strict=True)):
        y = rows.middle(row)
        if not math.isfinite(value):
            paper.text(zero + 1.3, y, text, "text2")
            continue
        length = abs(value) * scale
        if value < 0:
            paper.hatched(zero - length, y, length, rows.bar - 0.2)
        else:
            paper.box(zero, y, length, rows.bar, "blue")
        side = -1 if value < 0 else 1
        end = zero + side * length
        if ticked[row]:
            at = zero + float(tick or 0.0) * scale
            paper.line([at, at], [y - rows.bar / 2 - 0.9, y + rows.bar / 2 + 0.9], width=1.3)
            # Words between the bar and a tick close beyond it would touch the tick.
            if 0 <= (at - end) * side < wide(text, bold=True) + 2.2:
                end = at
        words = "blue" if side > 0 else "orange"
        paper.text(end + side * 1.0, y, text, words, bold=True, align="left" if side > 0 else "right")
    paper.line([zero, zero], [rows.top - 0.8, rows.bottom + 0.8])
    if over_first and block.before_label:
        at, half = zero + float(before[0] or 0.0) * scale, wide(block.before_label, SMALLEST) / 2
        middle = min(max(at, rows.left + half), rows.right - half)
        paper.text(middle, rows.top - 2.4, block.before_label, "text2", size=SMALLEST, align="center")
        paper.line([at, at], [rows.top - 1.1, rows.middle(0) - rows.bar / 2 - 0.9], "text2", width=0.5)
    elif any(ticked) and block.before_label:
        at = rows.left + wide(block.value_head, SMALL) + 4
        paper.line([at, at], [0.2, 2.6], width=1.1)
        paper.text(at + 1.2, 1.4, block.before_label, "text2", size=SMALL)
    return paper


def _stack(block: Stack, colours: Mapping[str, str]) -> Paper:
    for segment in block.segments:
        # A hair below zero is what is left of a subtraction; more is no part of a whole.
        if min(segment.values, default=0.0) < -1e-6 * max(1.0, *(abs(value) for value in segment.values)):
            raise ValueError(f"Chart {block.title!r}: {segment.name!r} is below zero and cannot be stacked.")
    parts = [[max(0.0, value) if math.isfinite(value) else 0.0 for value in s.values] for s in block.segments]
    totals = [math.fsum(part[row] for part in parts) for row in range(len(block.labels))]
    names = [segment.name for segment in block.segments]
    rows = rows_of(block.labels, block.sides, pitch=6.8, head=3.2)
    lines = len(_key_lines(names, rows))
    rows = replace(rows, top=rows.top + (lines - 1) * KEY_LINE)
    ends = [] if block.sides else [number(total, block.unit) for total in totals]
    room = rows.right - rows.left - max((wide(end, bold=True) + 1.4 for end in ends), default=0.0)
    scale = room / max(totals) if totals and max(totals) > 0 else 0.0

    paper = Paper(rows.bottom + 1.6, colours)
    draw_rows(paper, rows, block.sides, style="first")
    fills = _fills(block.segments, colours)
    middles: list[float] = []
    for row in range(len(block.labels)):
        x, y = rows.left, rows.middle(row)
        for place, segment in enumerate(block.segments):
            length = parts[place][row] * scale
            text = number(parts[place][row], block.unit)
            if row == 0:
                middles.append(x + length / 2)
            if fills[place] == HATCHED and length:
                paper.hatched(x + 0.1, y, max(0.1, length - 0.2), rows.bar - 0.2)
            elif length:
                paper.box(x, y, length, rows.bar, fills[place], edge="white")
            if length and length >= wide(text, SMALL) + 1.8:
                if fills[place] == HATCHED:
                    paper.box(x + length / 2 - wide(text, SMALL) / 2 - 0.5, y, wide(text, SMALL) + 1.0, 2.7, "white")
                paper.text(x + length / 2, y, text, _ON_TONE[segment.tone], size=SMALL, align="center")
            x += length
        if ends:
            paper.text(x + 1.2, y, ends[row], bold=True)
    paper.line([rows.left, rows.left], [rows.top - 0.4, rows.bottom + 0.4], "grey")
    if middles:
        _name_segments(paper, names, fills, middles, rows)
    return paper


def _key_lines(names: Sequence[str], rows: Rows) -> list[list[int]]:
    """Which names of a key share a line; it may reach into the gap before the side columns."""
    room = min(WIDTH, rows.right + 4) - rows.left
    lines: list[list[int]] = [[]]
    used = 0.0
    for place, name in enumerate(names):
        needed = wide(name, SMALL) + _KEY
        if lines[-1] and used + needed - _KEY_GAP > room:
            lines.append([])
            used = 0.0
        lines[-1].append(place)
        used += needed
    return lines


def _name_segments(
    paper: Paper, names: Sequence[str], fills: Sequence[str], middles: Sequence[float], rows: Rows
) -> None:
    """Names over the parts of the first bar; where they would drift off their parts, each beside its own colour."""
    widths = [wide(name, SMALL) for name in names]
    key = _key_lines(names, rows)
    at = spread(middles, widths, rows.left, rows.right, 2.4)
    y = rows.middle(0) - rows.bar / 2 - 2.6
    near = all(abs(x - middle) <= max(3.0, width / 2) for x, middle, width in zip(at, middles, widths, strict=True))
    if near and len(key) == 1:
        for name, x, middle in zip(names, at, middles, strict=True):
            paper.text(x, y, name, "text2", size=SMALL, align="center")
            paper.line([x, middle], [y + 1.4, y + 2.4], "grey", width=0.5)
        return
    for above, line in enumerate(reversed(key)):
        x, y_line = rows.left, y - above * KEY_LINE
        for place in line:
            if fills[place] == HATCHED:
                paper.hatched(x + 0.1, y_line, 2.4, 2.0)
            else:
                paper.box(x, y_line, 2.6, 2.2, fills[place])
            paper.text(x + 3.6, y_line, names[place], "text2", size=SMALL)
            x += widths[place] + _KEY


def _fills(segments: Sequence[Segment], colours: Mapping[str, str]) -> list[str]:
    """A tone that comes again is drawn lighter each time, so that parts of one kind can be told apart."""
    fills, seen = [], dict.fromkeys(_ON_TONE, 0)
    for segment in segments:
        if segment.tone == "idle":
            fills.append(HATCHED)
            continue
        again = seen[segment.tone]
        seen[segment.tone] += 1
        colour = colours[segment.tone].lstrip("#")
        channels = [int(colour[i : i + 2], 16) for i in (0, 2, 4)]
        fills.append("#" + "".join(f"{round(255 - (255 - channel) * 0.55**again):02x}" for channel in channels))
    return fills


def _waterfall(block: Waterfall, colours: Mapping[str, str]) -> Paper:
    labels, levels = [*block.labels, block.end_label], [*block.levels, block.levels[-1]]
    if any(len(column) != len(labels) for column in [levels, *(side.values for side in block.sides)]):
        raise ValueError(f"Chart {block.title!r} has {len(labels)} rows, but not as many of every value.")
    rows = rows_of(labels, block.sides, pitch=8.2, head=3.0)
    last = len(labels) - 1
    steps = [None, *(after - before for before, after in pairwise(levels))]
    level = [row in (0, last, *block.standing) for row in range(len(labels))]
    shown = [
        number(levels[row], block.unit) if level[row] else number(steps[row], block.unit, signed=True)
        for row in range(len(labels))
    ]
    room = rows.right - rows.left - max(wide(text, bold=True) for text in shown) - 3
    lowest, highest = min(0.0, *levels), max(0.0, *levels)
    if not block.from_zero:
        # Levels are marks and not bars, so that an axis may begin where they are, also below zero.
        lowest, highest = min(levels) - 0.2 * (max(levels) - min(levels)), max(levels)
    scale = room / (highest - lowest) if highest > lowest else 0.0

    def x_at(value: float) -> float:
        return rows.left + (value - lowest) * scale

    paper = Paper(rows.bottom + 2.4, colours)
    draw_rows(paper, rows, block.sides, style="last")
    paper.text(rows.left, 1.4, block.value_head, "text2", size=SMALL)
    for row, text in enumerate(shown):
        y, now = rows.middle(row), levels[row]
        before = levels[row - 1] if row else now
        if row < last:
            paper.line([x_at(now)] * 2, [y, rows.middle(row + 1)], "grey", width=0.5)
        if level[row]:
            paper.line([x_at(now)] * 2, [y - rows.bar / 2, y + rows.bar / 2], width=2)
        elif now != before:
            loss = (now < before) == block.rising
            left, width = x_at(min(now, before)), abs(now - before) * scale
            if loss:
                paper.hatched(left, y, width, rows.bar - 0.2)
            else:
                paper.box(left, y, width, rows.bar, "blue")
        colour = "ink" if level[row] or now == before else "orange" if (now < before) == block.rising else "blue"
        paper.text(x_at(max(now, before)) + 1.2, y, text, colour, bold=True)
    if block.from_zero:
        paper.line([x_at(0), x_at(0)], [rows.top - 0.8, rows.bottom + 0.8])
    return paper


def _pairs(block: Pairs, colours: Mapping[str, str]) -> Paper:
    rows = rows_of(block.labels, block.sides, pitch=6.6, head=3.6)
    texts = [[_short(value, block.unit) for value in values] for values in (block.low, block.high)]
    pad = 2.4 + max(wide(text, SMALL) for column in texts for text in column) if block.labels else 2.4
    axis = Log.over([*block.low, *block.high], rows.left, rows.right, pad)

    paper = Paper(rows.bottom + 12, colours)
    draw_rows(paper, rows, block.sides, style="differences")
    for each in axis.ticks():
        x = axis.at(each)
        paper.line([x, x], [rows.top - 0.6, rows.bottom + 0.6], "grid")
        paper.text(x, rows.bottom + 3.4, tick_text(each, block.unit), "text2", size=SMALL, align="center")
    paper.line([rows.left, rows.right], [rows.bottom + 0.6] * 2, "grey")
    paper.text(rows.left, rows.bottom + 8.4, axis_title(block.axis, block.unit, log=True), "text2", size=SMALL)
    for row, (low, high) in enumerate(zip(block.low, block.high, strict=True)):
        y, loss = rows.middle(row), high < low
        spots = [axis.at(value) if value > 0 and math.isfinite(value) else None for value in (low, high)]
        colour = "orange" if loss else "blue"
        if spots[0] is not None and spots[1] is not None:
            style: Any = (0, (2, 1.4)) if loss else "-"
            paper.line([spots[0], spots[1]], [y, y], colour, width=1.1 if loss else 2.4, style=style)
        for kind, spot in enumerate(spots):
            if spot is None:
                continue
            if kind == 0:
                paper.mark(spot, y, "white", shape="s", size=5.2, edge="ink")
            else:
                paper.mark(spot, y, colour, size=5.6, edge=colour)
            other = spots[1 - kind]
            leftmost = spot < other if other is not None and spot != other else kind == 0
            align = "right" if leftmost else "left"
            paper.text(spot + (-1.6 if leftmost else 1.6), y, texts[kind][row], "text2", size=SMALL, align=align)
    first = next((i for i in range(len(block.labels)) if min(block.low[i], block.high[i]) > 0), None)
    if first is not None:
        names = [f"{block.low_name} □", f"● {block.high_name}"]
        if block.high[first] < block.low[first]:
            names = [f"{block.high_name} ●", f"□ {block.low_name}"]
        between = (axis.at(block.low[first]) + axis.at(block.high[first])) / 2
        gap = max(1.2, abs(axis.at(block.low[first]) - axis.at(block.high[first])) / 2 - 1)
        between = max(between, rows.left + wide(names[0], SMALL) + gap)
        between = min(between, rows.right - wide(names[1], SMALL) - gap)
        paper.text(between - gap, rows.top - 2.2, names[0], "text2", size=SMALL, align="right")
        paper.text(between + gap, rows.top - 2.2, names[1], "text2", size=SMALL)
    return paper


def _short(value: float, annotation: Any) -> str:
    """Two significant figures and at least two decimals where the unit has them: what a log axis can show."""
    unit = unit_of(annotation)
    shown = abs(value) * (100 if unit.kind == "share" else 1)
    if not shown or not math.isfinite(shown):
        return number(value, annotation)
    return number(value, annotation, decimals=max(min(2, unit.decimals), 1 - math.floor(math.log10(shown))))


def _scatter(block: Scatter, colours: Mapping[str, str]) -> Paper:
    left, right, top, bottom = 12.0, WIDTH, 5.0, 56.0
    points = [p for p in block.points if math.isfinite(p.x) and p.y > 0 and math.isfinite(p.y)]
    upright = Log.over([point.y for point in points], 0, bottom - top, 5)
    across = [point.x for point in points] + ([block.limit] if block.limit is not None else [])
    least, most = min(across, default=0.0), max(across, default=1.0)
    step = step_of(most - least or abs(most) or 1.0)
    start, stop = least - step * 0.35, most + step * 0.35

    def x_at(value: float) -> float:
        return left + (value - start) / (stop - start) * (right - left)

    def y_at(value: float) -> float:
        return bottom - upright.at(value)

    paper = Paper(bottom + 12, colours)
    paper.text(0, 1.4, axis_title(block.y_axis, block.y_unit, log=True), "text2", size=SMALL)
    for each in upright.ticks():
        paper.line([left, right], [y_at(each)] * 2, "grid")
        paper.text(left - 1.9, y_at(each), tick_text(each, block.y_unit), "text2", size=SMALL, align="right")
    paper.line([left, right], [bottom, bottom], "grey")
    count = math.ceil(start / step)
    while count * step <= stop:
        x = x_at(count * step)
        paper.line([x, x], [bottom, bottom + 0.9], "grey")
        paper.text(x, bottom + 3.4, tick_text(count * step, block.x_unit), "text2", size=SMALL, align="center")
        count += 1
    paper.text(left, bottom + 8.4, axis_title(block.x_axis, block.x_unit, log=False), "text2", size=SMALL)

    if block.limit is not None:
        x = x_at(block.limit)
        paper.line([x, x], [top, bottom], "orange", width=0.7, style="--")
        paper.text(x + 0.8, top, block.limit_words, "orange", size=SMALL)
    joined = sorted((block.points[place] for place in block.joined), key=lambda point: point.x)
    paper.line([x_at(point.x) for point in joined], [y_at(point.y) for point in joined], "blue3", width=0.9)

    spots = [(x_at(point.x), y_at(point.y)) for point in points]
    sizes = [(wide(p.label, SMALL, bold=p.highlighted), 2.2) if p.label else None for p in points]
    places = around(spots, sizes, (left + 0.5, top - 1, right, bottom - 0.6))
    for place in places:
        if place and place.leader:
            (x, y), (end_x, end_y) = place.leader
            paper.line([x, end_x], [y, end_y], "grey", width=0.5)
    # Highlighted points last, so that they lie on top.
    for point, spot in sorted(zip(points, spots, strict=True), key=lambda pair: pair[0].highlighted):
        paper.mark(*spot, "blue" if point.highlighted else "grey", size=6 if point.highlighted else 5)
    for point, place in zip(points, places, strict=True):
        if place:
            y = (place.box[1] + place.box[3]) / 2
            paper.box(place.box[0] - 0.3, y, place.box[2] - place.box[0] + 0.6, 2.4, "white")  # no line through words
            colour = "blue" if point.highlighted else "text2"
            paper.text(place.box[0], y, point.label, colour, size=SMALL, bold=point.highlighted)
    return paper
