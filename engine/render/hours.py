"""The chart of a day: a column for each hour, panels side by side. Knows no quantity and no page."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from engine.render.drawing import SMALL, WIDTH, Paper
from engine.render.placing import step_of
from engine.render.typesetting import number
from engine.report.values import Day, Panel

TOP, FIELD, GAP, LEFT = 9.0, 30.0, 7.0, 12.0  # mm
SHOWN_HOURS = (0, 6, 12, 18)


def draw_day(block: Day, colours: Mapping[str, str]) -> Paper:
    """The chart on paper.

    Errors: ValueError where a panel's two rows are not equally long, or less runs than is busy.
    """
    for panel in block.panels:
        if len(panel.busy) != len(panel.running):
            raise ValueError(f"Chart {block.title!r}: {panel.name!r} has not as many hours that run as are busy.")
        if any(busy > running * (1 + 1e-9) for busy, running in zip(panel.busy, panel.running, strict=True)):
            raise ValueError(f"Chart {block.title!r}: more is busy than runs in {panel.name!r}.")
    highest = max((value for panel in block.panels for value in panel.running), default=0.0) or 1.0
    step = 2 * step_of(highest)
    scale = FIELD / highest
    paper = Paper(TOP + FIELD + 5.4, colours)
    ground = TOP + FIELD
    paper.box(LEFT, 1.6, 3, 2.2, "blue")
    paper.text(LEFT + 4, 1.6, block.busy_name, size=SMALL)
    paper.hatched(LEFT + 22, 1.6, 3, 2.2)
    paper.text(LEFT + 26, 1.6, f"{block.running_name}, not {block.busy_name}", size=SMALL)
    level = 0.0
    while level <= highest:
        y = ground - level * scale
        paper.line([LEFT, WIDTH], [y, y], "rule", width=0.4)
        paper.text(LEFT - 1.5, y, number(level, block.unit), "text2", size=SMALL, align="right")
        level += step
    width = (WIDTH - LEFT - GAP * (len(block.panels) - 1)) / len(block.panels)
    for place, panel in enumerate(block.panels):
        _panel(paper, panel, LEFT + place * (width + GAP), width, ground, scale)
    return paper


def _panel(paper: Paper, panel: Panel, left: float, width: float, ground: float, scale: float) -> None:
    column = width / len(panel.busy)
    for hour, (busy, running) in enumerate(zip(panel.busy, panel.running, strict=True)):
        x, solid, whole = left + hour * column, busy * scale, running * scale
        if whole - solid > 0.05:
            paper.hatched(x, ground - solid - (whole - solid) / 2, column, whole - solid)
        paper.box(x, ground - solid / 2, column, solid, "blue", edge="white")
    edges = [(left, panel.running[0])]
    for hour, (one, other) in enumerate(pairwise(panel.running), 1):
        edges += [(left + hour * column, one), (left + hour * column, other)]
    edges.append((left + width, panel.running[-1]))
    paper.line([x for x, _ in edges], [ground - value * scale for _, value in edges], "ink", width=0.8)
    paper.line([left, left + width], [ground, ground])
    paper.text(left, TOP - 3.4, panel.name, "text2", size=SMALL, bold=True)
    for hour in SHOWN_HOURS:
        paper.text(left + hour * column, ground + 2.4, f"{hour}:00", "text2", size=SMALL)
