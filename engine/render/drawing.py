"""Paper of a chart: words, bars and marks placed in mm from the top left, as SVG. Knows no chart and no report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from matplotlib.transforms import Affine2D

from engine.render.typesetting import MM_PER_POINT, brand, printable, text_width

WIDTH = 150.0
TEXT = 7.6
SMALL = 6.8
SMALLEST = 6.6
# Text stands on a baseline this far below its middle: half the height of a digit, so that words with and without
# descenders sit alike.
_HALF_DIGIT = 0.325 * MM_PER_POINT

# Nothing from a matplotlibrc of the machine may reach a chart.
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "inference-margin",
    "text.usetex": False,
    "path.sketch": None,
    "path.effects": [],
}


class Paper:
    """150 mm wide, `height` mm high; x to the right, y downwards. Lengths in mm, text and lines in points."""

    def __init__(self, height: float, colours: Mapping[str, str]) -> None:
        brand()
        self.height = height
        self.colours = colours
        self._drawn = 0
        with matplotlib.rc_context(_SETTINGS):
            self.figure = Figure(figsize=(WIDTH / 25.4, height / 25.4), facecolor="none")
        self._mm = Affine2D().scale(1 / 25.4, -1 / 25.4).translate(0, height / 25.4) + self.figure.dpi_scale_trans

    def text(
        self,
        x: float,
        y: float,
        words: str,
        colour: str = "ink",
        *,
        size: float = TEXT,
        bold: bool = False,
        align: str = "left",
    ) -> None:
        """One line of words whose digits have their middle at y; `align` says which side of them x is."""
        self.figure.text(
            x,
            y + _HALF_DIGIT * size,
            printable(words),
            transform=self._mm,
            color=self.colours.get(colour, colour),
            fontproperties=FontProperties(family="text", weight=600 if bold else 400, size=size),
            horizontalalignment=align,
            verticalalignment="baseline",
            # Two dollar signs in a label are money, not mathematics.
            parse_math=False,
            zorder=self._above(),
        )

    def box(self, x: float, y: float, width: float, height: float, colour: str, *, edge: str = "none") -> None:
        """A filled rectangle around the height y."""
        self._add(x, y, width, height, facecolor=self._of(colour), edgecolor=self._of(edge), linewidth=0.6)

    def hatched(self, x: float, y: float, width: float, height: float) -> None:
        """White with orange hatching and outline: a loss, or idle money."""
        self._add(x, y, width, height, facecolor="white", edgecolor=self._of("orange"), linewidth=0.7, hatch="//////")

    def line(
        self,
        x: Sequence[float],
        y: Sequence[float],
        colour: str = "ink",
        *,
        width: float = 0.75,
        style: Any = "-",
    ) -> None:
        """A line through the points."""
        artist = Line2D(x, y, color=self._of(colour), linewidth=width, linestyle=style, solid_capstyle="butt")
        self._place(artist)

    def area(self, x: Sequence[float], y: Sequence[float], colour: str) -> None:
        """What lies within the points, filled."""
        self._place(Polygon(list(zip(x, y, strict=True)), facecolor=self._of(colour), edgecolor="none"))

    def mark(self, x: float, y: float, colour: str, *, shape: str = "o", size: float = 5, edge: str = "white") -> None:
        """A dot or a square of `size` points."""
        artist = Line2D(
            [x],
            [y],
            linestyle="none",
            marker=shape,
            markersize=size,
            markerfacecolor=self._of(colour),
            markeredgecolor=self._of(edge),
            markeredgewidth=0.9,
        )
        self._place(artist)

    def svg(self) -> str:
        """The drawing; the same bytes for the same drawing."""
        out = StringIO()
        with matplotlib.rc_context(_SETTINGS):
            self.figure.savefig(
                out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
            )
        return out.getvalue()

    def _above(self) -> int:
        # What is drawn later lies on top, whatever its kind.
        self._drawn += 1
        return self._drawn

    def _of(self, colour: str) -> str:
        return self.colours.get(colour, colour)

    def _add(self, x: float, y: float, width: float, height: float, **look: Any) -> None:
        rectangle = Rectangle((x, y - height / 2), width, height, **look)
        rectangle.set_hatch_linewidth(0.55)
        self._place(rectangle)

    def _place(self, artist: Any) -> None:
        artist.set_transform(self._mm)
        artist.set_zorder(self._above())
        self.figure.add_artist(artist)


def wide(words: str, size: float = TEXT, *, bold: bool = False) -> float:
    """How many mm the words take on paper."""
    return text_width(printable(words), size, "text", "semibold" if bold else "regular")


def wrapped(words: str, width: float, size: float = TEXT, most: int = 2) -> list[str]:
    """The words on at most so many lines of `width` mm; what does not fit ends in an ellipsis."""
    lines: list[str] = []
    for word in words.split(" "):
        if lines and wide(f"{lines[-1]} {word}", size) <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    cut = len(lines) > most
    lines = lines[:most]
    for place, line in enumerate(lines):
        last = cut and place == len(lines) - 1
        if last or wide(line, size) > width:
            while line and wide(line + "…", size) > width:
                line = line[:-1]
            lines[place] = line.rstrip(" ,;·") + "…"
    return lines
