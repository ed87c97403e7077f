"""What a report is made of: frozen values that a renderer draws and never computes with. Knows no other room's work."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from engine.units import Number, Text, show

_CORNER = re.compile(r"\$?([A-Z]+)\$?(\d+)")


@dataclass(frozen=True)
class Figure:
    """One number with its unit and the cell of results.xlsx that holds it, such as `Summary!C5`."""

    value: Any
    unit: Any = Number
    cell: str = ""
    tone: str = "plain"  # in a table's cell: plain, bad (a loss, stale, failed), strong or quiet

    @property
    def text(self) -> str:
        return show(self.value, self.unit)


@dataclass(frozen=True)
class Margin:
    """A note in the margin: what kind of thing it stands beside, its cells, and at most one fact."""

    kind: str
    cells: str
    fact: str = ""


@dataclass(frozen=True)
class Head:
    """Head of a table column. Numbers stand right and are shown without their unit, which `unit_label` names once."""

    name: str
    unit: Any = Text
    unit_label: str = ""
    signed: bool = False  # positive numbers carry a plus
    decimals: int | None = None  # where the unit's own would not do
    tone: str = "plain"  # strong: the column that matters; quiet: context


@dataclass(frozen=True)
class Row:
    """One row. `style`: plain, total (ruled above, semibold), group (a heading in the first cell), key (tinted).

    A row with `across` shows its first cell and then that text over all other columns ("does not fit: ...").
    """

    cells: tuple[Any, ...]
    style: str = "plain"
    across: str = ""


@dataclass(frozen=True)
class Table:
    title: str
    description: str
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    note: Margin | None = None
    footnote: str = ""
    alike: bool = False  # number columns are equally wide


@dataclass(frozen=True)
class Side:
    """A small column of figures at the right of bars, in the same rows."""

    head: str
    values: tuple[Any, ...]
    unit: Any
    signed: bool = False


@dataclass(frozen=True)
class Bars:
    """One horizontal bar per label around zero: gains solid, losses hatched; `before` puts a thin tick on each bar."""

    title: str
    description: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    unit: Any
    value_head: str
    before: tuple[float | None, ...] = ()
    before_label: str = ""
    sides: tuple[Side, ...] = ()
    note: Margin | None = None
    alt: str = ""


@dataclass(frozen=True)
class Segment:
    """One part of every stacked bar. `tone`: blue, blue2, blue3, grey, or idle (hatched)."""

    name: str
    values: tuple[float, ...]
    tone: str


@dataclass(frozen=True)
class Stack:
    """One horizontal bar per label, made of segments that are named above the first bar."""

    title: str
    description: str
    labels: tuple[str, ...]
    segments: tuple[Segment, ...]
    unit: Any
    sides: tuple[Side, ...] = ()
    note: Margin | None = None
    alt: str = ""


@dataclass(frozen=True)
class Pairs:
    """Two values per label on one log axis, joined: what it costs (open square) and what it sells for (dot)."""

    title: str
    description: str
    labels: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    low_name: str
    high_name: str
    unit: Any
    axis: str
    sides: tuple[Side, ...] = ()
    note: Margin | None = None
    alt: str = ""


@dataclass(frozen=True)
class Waterfall:
    """Steps from one level to another: `levels` after each label, the first where it starts; a mark ends it.

    A step downwards is a gain and solid, one upwards a loss and hatched; the reverse where `rising` levels are good.
    `standing` are labels, by their place, that show the level reached and no step. Sides have a value more than the
    labels, for the end. Not `from_zero`, the axis begins near the lowest level.
    """

    title: str
    description: str
    labels: tuple[str, ...]
    levels: tuple[float, ...]
    end_label: str
    unit: Any
    value_head: str
    sides: tuple[Side, ...] = ()
    note: Margin | None = None
    alt: str = ""
    rising: bool = False
    standing: tuple[int, ...] = ()
    from_zero: bool = True


@dataclass(frozen=True)
class Point:
    label: str
    x: float
    y: float
    highlighted: bool = False


@dataclass(frozen=True)
class Scatter:
    """Points labelled directly; the highlighted ones in blue, the others grey; `y` on a log axis.

    `joined` are points, by their place, that a line connects; `limit` is a value across, drawn as a dashed upright with
    its words.
    """

    title: str
    description: str
    points: tuple[Point, ...]
    x_axis: str
    y_axis: str
    x_unit: Any
    y_unit: Any
    note: Margin | None = None
    alt: str = ""
    joined: tuple[int, ...] = ()
    limit: float | None = None
    limit_words: str = ""


@dataclass(frozen=True)
class Panel:
    """The hours of one kind of day: what is busy in each, and what runs."""

    name: str
    busy: tuple[float, ...]
    running: tuple[float, ...]


@dataclass(frozen=True)
class Day:
    """A column for each hour of the day: the busy part solid, what runs beside it hatched; panels share the scale."""

    title: str
    description: str
    panels: tuple[Panel, ...]
    busy_name: str
    running_name: str
    unit: Any
    note: Margin | None = None
    alt: str = ""


@dataclass(frozen=True)
class Line:
    """One line of a course. `tone`: strong (the one that matters), plain, or dashed."""

    name: str
    values: tuple[float, ...]
    tone: str = "plain"


@dataclass(frozen=True)
class Lines:
    """Courses over the same months, named at their ends; `mark` is a month, by its place, with words at an upright."""

    title: str
    description: str
    labels: tuple[str, ...]
    lines: tuple[Line, ...]
    unit: Any
    value_head: str
    mark: tuple[int, str] | None = None
    note: Margin | None = None
    alt: str = ""


@dataclass(frozen=True)
class Curve:
    """A line through its points, named at its right end."""

    name: str
    points: tuple[tuple[float, float], ...]
    tone: str  # blue, ink or text2
    dashed: bool = False


@dataclass(frozen=True)
class Curves:
    """Lines over two log axes; `marks` are points on them, labelled directly.

    `limit` is a value across, drawn as a dotted upright with its words.
    """

    title: str
    description: str
    curves: tuple[Curve, ...]
    marks: tuple[Point, ...]
    x_axis: str
    y_axis: str
    x_unit: Any
    y_unit: Any
    note: Margin | None = None
    alt: str = ""
    limit: float | None = None
    limit_words: str = ""


@dataclass(frozen=True)
class Swing:
    """A driver of a tornado: what each side does, and the words of what was tried; None where there is no figure."""

    label: str
    low: float | None
    high: float | None
    low_words: str
    high_words: str


@dataclass(frozen=True)
class Tornado:
    """A driver per row, around what is: what a low and a high value of it add or take. Gains solid, losses hatched."""

    title: str
    description: str
    swings: tuple[Swing, ...]
    unit: Any
    value_head: str
    note: Margin | None = None
    alt: str = ""


@dataclass(frozen=True)
class Heatmap:
    """Shares by two drivers: losses unshaded in orange, gains the darker the larger, a heavy line where they meet.

    `values` by line, None where there is no figure; `today` is the place, line and column, that is framed.
    """

    title: str
    description: str
    corner: str
    columns: tuple[str, ...]
    lines: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    unit: Any
    today: tuple[int, int]
    note: Margin | None = None
    alt: str = ""


@dataclass(frozen=True)
class Chances:
    """How likely a figure is above each value: `points` are values, lowest first, with the share of outcomes above.

    `marks` are values with their names; what lies between the first and the last of them is shaded. `limit` is a value
    that matters, with its words.
    """

    title: str
    description: str
    points: tuple[tuple[float, float], ...]
    marks: tuple[tuple[float, str], ...]
    unit: Any
    axis: str
    limit: tuple[float, str] | None = None
    note: Margin | None = None
    alt: str = ""


@dataclass(frozen=True)
class Kind:
    """Points of one kind: its name, its tone, and what was predicted and measured of each."""

    name: str
    tone: str
    pairs: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Square:
    """What was predicted against what was measured, both on one log axis; on the diagonal they are equal.

    `band` is the factor between which and its inverse eight of ten are to lie, drawn as dashed lines.
    """

    name: str
    unit: Any
    kinds: tuple[Kind, ...]
    band: float


@dataclass(frozen=True)
class Squares:
    """Squares side by side, with one key."""

    title: str
    description: str
    squares: tuple[Square, ...]
    note: Margin | None = None
    alt: str = ""


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Method:
    """One formula for a reader: its name, its meaning, and its text with numbers filled in."""

    name: str
    meaning: str
    worked: str
    cell: str = ""


@dataclass(frozen=True)
class Methods:
    items: tuple[Method, ...]
    note: Margin | None = None


Chart = Bars | Stack | Pairs | Waterfall | Scatter | Curves | Day | Lines | Tornado | Heatmap | Chances | Squares
Block = Chart | Table | Paragraph | Methods


@dataclass(frozen=True)
class Section:
    """One page: its name for contents and running head, its finding as headline, and what proves it."""

    name: str
    headline: str
    blocks: tuple[Block, ...]
    landscape: bool = False

    @property
    def text_note(self) -> Margin | None:
        """The cells behind the figures in headline and text: those of the tables and charts that prove them."""
        notes = [block.note for block in self.blocks if not isinstance(block, Paragraph) and block.note]
        places = _spanned(note.cells for note in notes if note.cells)
        return Margin("Text", ", ".join(places)) if places and not self.landscape else None


def _spanned(ranges: Iterable[str]) -> list[str]:
    """One range for each sheet, from the first row and column to the last: a margin has room for no more."""
    corners: dict[str, list[tuple[str, int]]] = {}
    for place in ranges:
        sheet, _, cells = place.rpartition("!")
        corners.setdefault(sheet, []).extend((letters, int(row)) for letters, row in _CORNER.findall(cells))
    spans = []
    for sheet, found in corners.items():
        columns = sorted({column for column, _ in found}, key=lambda letters: (len(letters), letters))
        rows = [row for _, row in found]
        first, last = f"{columns[0]}{min(rows)}", f"{columns[-1]}{max(rows)}"
        spans.append(f"{sheet}!{first}" + (f":{last}" if last != first else ""))
    return spans


@dataclass(frozen=True)
class KeyFigure:
    """One of the five figures on page 1. `change` is text such as '▲ +54k, better'; `tone` good, bad or plain."""

    label: str
    value: str
    change: str
    cell: str
    tone: str = "plain"


@dataclass(frozen=True)
class Action:
    text: str
    effect: str


@dataclass(frozen=True)
class Verdict:
    """The checks strip: whether all checks passed, in a sentence, and the cell of the master check."""

    passed: bool
    headline: str
    detail: str
    cell: str


@dataclass(frozen=True)
class Answer:
    """Page 1."""

    headline: str
    lead: str
    key_figures: tuple[KeyFigure, ...]
    chart: Bars
    actions: tuple[Action, ...]
    verdict: Verdict
    actions_note: Margin | None = None
    standing: Margin | None = None  # whether the figures are modelled or reconciled, and who stands by them


@dataclass(frozen=True)
class Issue:
    """Which revision of its month's report this is, and whether it is published or still a draft."""

    revision: int = 1
    published: bool = False

    @property
    def marks(self) -> tuple[str, ...]:
        """What every page is marked with: nothing where it is the first revision, published."""
        corrected = (f"Revision {self.revision}",) if self.revision > 1 else ()
        return corrected if self.published else ("Draft", *corrected)

    @property
    def sentence(self) -> str:
        stands = "Published." if self.published else "Draft: the next run of the month takes its place."
        return stands + (f" Revision {self.revision} of the month." if self.revision > 1 else "")


@dataclass(frozen=True)
class Report:
    """The whole report. `figures` are the headline figures by name, the same in every output."""

    title: str
    month: date
    currency: str
    input_hash: str
    engine_version: str
    answer: Answer
    sections: tuple[Section, ...]
    figures: Mapping[str, Figure] = field(default_factory=dict)
    issue: Issue = field(default_factory=Issue)

    @property
    def draft(self) -> bool:
        return not self.issue.published


@dataclass(frozen=True)
class Mail:
    """The mail that brings the report: from whom, to whom, its subject, and the report whose first page it tells."""

    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    report: Report
