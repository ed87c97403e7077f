"""Charts: the drawing repeats, says what it must in text, and nothing is cut off or written over."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import pytest

from engine.render.charts import Chart, draw
from engine.render.typesetting import MM_PER_POINT, brand, text_width
from engine.report.values import Bars, Line, Lines, Pairs, Point, Scatter, Segment, Side, Stack, Waterfall
from engine.units import DollarsPerMillionTokens, Milliseconds, Number, Share, TokensPerSecond

SVG = "{http://www.w3.org/2000/svg}"
CLASSES = ("Chat", "Search", "Code", "Reasoning")

BARS = Bars(
    "Chat earns, Reasoning loses.",
    "Gross profit by class",
    CLASSES,
    (356.2, 298.7, 28.6, -152.2),
    Number,
    "gross profit",
    (343.8, None, -21.3, -118.9),
    "October",
    (Side("vs October", (12.4, None, 49.9, -33.3), Number, True), Side("margin", (0.6, 0.68, 0.07, -1.1), Share)),
)
STACK = Stack(
    "A quarter is idle.",
    "Accelerator bill",
    CLASSES,
    (
        Segment("serving", (174.0, 106.0, 193.0, 192.0), "blue"),
        Segment("headroom", (29.0, 17.0, 41.0, 37.0), "blue2"),
        Segment("reserve", (6.0, 3.0, 25.0, 16.0), "blue3"),
        Segment("idle", (29.0, 14.0, 95.0, 45.0), "idle"),
    ),
    Number,
    (Side("bill", (238.0, 141.0, 355.0, 291.0), Number),),
)
PAIRS = Pairs(
    "Reasoning is sold at half its cost.",
    "Price and cost",
    CLASSES,
    (0.21, 0.044, 0.30, 5.35),
    (0.53, 0.14, 0.32, 2.55),
    "cost",
    "price",
    DollarsPerMillionTokens,
    "$ per million tokens",
    (Side("price − cost", (0.315, 0.094, 0.024, -2.804), DollarsPerMillionTokens, True),),
)

WATERFALL = Waterfall(
    "Two levers of three help.",
    "All-in cost after each lever",
    ("As it runs", "Slice", "Batch", "Terms"),
    (0.382, 0.284, 0.310, 0.151),
    "With all levers",
    DollarsPerMillionTokens,
    "all-in cost",
    (Side("tok/s", (49, 34, 30, 30, 30), TokensPerSecond),),
)
PROFIT = Waterfall(
    "Volume added most.",
    "From modelled to actual gross profit",
    ("Modelled", "Volume", "Rest"),
    (545.9, 590.0, 560.4),
    "Actual",
    DollarsPerMillionTokens,
    "gross profit",
    (Side("of revenue", (None, 40.1, -29.6, None), DollarsPerMillionTokens, True),),
    rising=True,
    from_zero=False,
)

# The other way round, with subtotals, and below zero in the end.
DOWNWARDS = Waterfall(
    "More is spent than collected.",
    "From list value to profit",
    ("List value", "Discounts", "Net revenue", "Accelerators", "Gross profit", "Other costs"),
    (100.0, 80.0, 80.0, -10.0, -10.0, -25.0),
    "Profit",
    Number,
    "",
    rising=True,
    standing=(2, 4),
)


def scatter(count: int, spread: float) -> Scatter:
    """So many points whose labels are as long as real ones; a small spread crowds them."""
    drawn = random.Random(count)
    machines = [
        f"Llama 3.1 {size}B · {n} × {a}" for size in (8, 70, 405) for n in (2, 4, 8) for a in ("H100", "MI300X")
    ]
    points = tuple(
        Point(
            f"{machines[i % len(machines)]}", 60 + drawn.gauss(0, spread), 2 ** drawn.gauss(0, spread / 10), i % 5 == 0
        )
        for i in range(count)
    )
    return Scatter("Who is cheaper?", "", points, "speed per user", "output cost", TokensPerSecond, Number)


LINES = Lines(
    "Profit halves.",
    "Revenue, bill and profit",
    tuple(f"{month} {year}" for year in (2026, 2027) for month in ("Jan", "Apr", "Jul", "Oct")),
    (
        Line("revenue", (1934.0, 1901.5, 1958.0, 1776.0, 1979.0, 1896.0, 1957.0, 1891.0)),
        Line("bill", (1305.0, 1340.0, 1380.0, 1266.0, 1431.0, 1600.0, 1700.0, 1666.0), "dashed"),
        Line("profit", (629.0, 561.5, 578.0, 510.0, 548.0, 296.0, 257.0, 225.0), "strong"),
    ),
    Number,
    "$ thousand a month",
)

ALL: dict[str, Chart] = {
    "lines": LINES,
    "lines below zero": replace(
        LINES, lines=(Line("added up", (-4000.0, -3000.0, -1500.0, -20.0, 40.0, 900.0, 2000.0, 2600.0), "strong"),)
    ),
    "lines with a mark": replace(LINES, mark=(7, "paid back: October 2027")),
    "lines that end alike": replace(LINES, lines=tuple(Line(name, (1.0,) * 8) for name in ("a", "b", "c"))),
    "lines of nothing": replace(LINES, lines=(Line("none", (0.0,) * 8),)),
    "three years of months": replace(
        LINES,
        labels=tuple(f"Dec {2026 + month // 12}" for month in range(37)),
        lines=(Line("revenue", tuple(float(month) for month in range(37))),),
    ),
    "bars": BARS,
    "waterfall": WATERFALL,
    "waterfall of a profit": PROFIT,
    "waterfall of a loss": replace(PROFIT, levels=(12.0, -30.0, -8.0)),
    "waterfall that stands still": replace(PROFIT, levels=(12.0, 12.0, 12.0)),
    "waterfall of one": replace(WATERFALL, labels=("As it runs",), levels=(0.4,), sides=()),
    "scatter with a limit": replace(scatter(12, 12), joined=(1, 2, 3), limit=30, limit_words="promised: 30 tok/s"),
    "long bars": replace(
        BARS,
        labels=tuple(f"DeepSeek-V3 in fp8 on {i} × MI300X, rented for three years, Frankfurt" for i in range(24)),
        values=tuple(40.0 * i - 300 for i in range(24)),
        before=(),
        sides=(),
    ),
    "losses only": replace(BARS, values=(-5.0, -1.0, -0.004, -3.0), before=(-9.0, -1.2, None, None), sides=()),
    "nothing": replace(BARS, values=(0.0, float("nan"), 0.0, 0.0), before=(), sides=()),
    "empty": Bars("", "", (), (), Number, "gross profit"),
    "stack": STACK,
    "stack without sides": replace(STACK, sides=()),
    "small first bar": replace(
        STACK,
        labels=CLASSES[::-1],
        segments=tuple(
            replace(segment, values=(segment.values[0] / 40, *segment.values[1:])) for segment in STACK.segments
        ),
    ),
    "many parts": Stack(
        "",
        "",
        ("8B", "70B"),
        tuple(
            Segment(f"part number {i}", (i + 0.1, 3.0), tone)
            for i, tone in enumerate(("blue", "blue2", "blue3", "grey") * 2)
        ),
        Milliseconds,
        (Side("step", (28.8, 24.0), Milliseconds),),
    ),
    "downwards": DOWNWARDS,
    "downwards to nothing": replace(DOWNWARDS, levels=(0.0,) * 6),
    "pairs": PAIRS,
    "one pair": replace(PAIRS, labels=("Chat",), low=(2.0,), high=(2.0,), sides=()),
    "pairs off the axis": replace(PAIRS, low=(0.0, float("nan"), 3.0, 2000.0)),
    "scatter": scatter(24, 20),
    "crowded scatter": scatter(24, 8),
    "one point": scatter(1, 1),
    "no point": replace(scatter(1, 1), points=()),
}


def svg_of(chart: Chart) -> str:
    return draw(chart, brand().colours)


def words_of(svg: str) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Every text of the drawing with its box in mm; widths from the font files, heights of capitals and digits."""
    found = []
    for element in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        style = element.attrib["style"]
        points = float(re.search(r"font-size: ([\d.]+)px", style).group(1))  # type: ignore[union-attr]
        anchor = re.search(r"text-anchor: (\w+)", style).group(1)  # type: ignore[union-attr]
        text = element.text or ""
        width = text_width(text, points, "text", "semibold" if "font-weight: 600" in style else "regular")
        x, y = float(element.attrib["x"]) * MM_PER_POINT, float(element.attrib["y"]) * MM_PER_POINT
        left = x - width * {"start": 0, "middle": 0.5, "end": 1}[anchor]
        found.append((text, (left, y - 0.66 * points * MM_PER_POINT, left + width, y)))
    return found


@pytest.mark.parametrize("name", ALL)
def test_a_drawing_repeats_and_is_150_mm_wide(name: str) -> None:
    svg = svg_of(ALL[name])
    assert svg == svg_of(ALL[name])
    assert not re.search(r"<dc:date|20\d\d-\d\d-\d\d", svg)
    width = ElementTree.fromstring(svg).attrib["width"]
    assert float(width.removesuffix("pt")) * MM_PER_POINT == pytest.approx(150, abs=0.01)


@pytest.mark.parametrize("name", ALL)
def test_no_text_is_cut_off_or_written_over(name: str) -> None:
    svg = svg_of(ALL[name])
    height = float(ElementTree.fromstring(svg).attrib["height"].removesuffix("pt")) * MM_PER_POINT
    words = words_of(svg)
    for text, (left, top, right, bottom) in words:
        # Letters such as g reach a little below the line.
        assert left >= -0.1 and top >= 0 and right <= 150.1 and bottom <= height - 0.4, text
    for (one, a), (other, b) in combinations(words, 2):
        apart = a[2] <= b[0] + 0.05 or b[2] <= a[0] + 0.05 or a[3] <= b[1] + 0.05 or b[3] <= a[1] + 0.05
        assert apart, f"{one!r} and {other!r} overlap"


@pytest.mark.parametrize("seed", range(6))
def test_labels_of_24_points_keep_clear_of_each_other(seed: int) -> None:
    drawn = random.Random(seed)
    points = tuple(
        Point(f"gpt-oss-120b · {i} × MI300X", drawn.uniform(20, 120), 10 ** drawn.uniform(-1.5, 1), i % 4 == 0)
        for i in range(24)
    )
    svg = svg_of(Scatter("", "", points, "speed", "cost", TokensPerSecond, Number))
    labels = [(text, box) for text, box in words_of(svg) if "gpt-oss" in text]
    assert len(labels) == 24
    for (one, a), (other, b) in combinations(labels, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], f"{one!r} and {other!r} overlap"


def test_the_words_of_a_chart_are_text() -> None:
    texts = {text for text, _ in words_of(svg_of(BARS))}
    assert texts >= {*CLASSES, "gross profit", "October", "vs October", "margin"}
    assert texts >= {"+356.200", "−152.200", "+12.400", "−33.300", "60.0%", "−110.0%", "–"}
    assert {"serving", "headroom", "reserve", "idle", "bill"} <= {text for text, _ in words_of(svg_of(STACK))}
    texts = {text for text, _ in words_of(svg_of(PAIRS))}
    assert texts >= {"cost □", "● price", "0.044", "5.35", "−2.804", "$ per million tokens, log scale"}


def test_losses_and_idle_money_are_hatched_and_gains_are_not() -> None:
    assert "<pattern" in svg_of(BARS)
    assert "<pattern" in svg_of(STACK)
    assert "<pattern" not in svg_of(replace(BARS, values=(1.0, 2.0, 3.0, 4.0)))
    assert "<pattern" not in svg_of(replace(STACK, segments=STACK.segments[:3]))


def test_a_waterfall_names_its_steps_and_hatches_what_goes_up() -> None:
    texts = [text for text, _ in words_of(svg_of(WATERFALL))]
    assert {"0.382", "−0.098", "+0.026", "−0.159", "0.151"} <= set(texts)
    assert "<pattern" in svg_of(WATERFALL)
    assert "<pattern" not in svg_of(replace(WATERFALL, levels=(0.382, 0.284, 0.284, 0.151)))
    with pytest.raises(ValueError, match=r"Two levers of three help.*5 rows"):
        draw(replace(WATERFALL, levels=(0.3, 0.2)), brand().colours)


def test_lines_are_named_at_their_ends_with_their_last_values() -> None:
    texts = {text for text, _ in words_of(svg_of(replace(LINES, mark=(2, "paid back"))))}
    assert texts >= {"revenue 1,891.000", "bill 1,666.000", "profit 225.000", "paid back", "Jan 2026", "Oct 2027"}
    for values in ((1.0,) * 7, (float("nan"),) * 8):
        with pytest.raises(ValueError, match=r"Profit halves.*month"):
            draw(replace(LINES, lines=(Line("revenue", values),)), brand().colours)


def test_of_a_profit_what_goes_down_is_hatched_and_near_levels_are_told_apart() -> None:
    assert "<pattern" in svg_of(PROFIT)
    assert "<pattern" not in svg_of(replace(PROFIT, levels=(545.9, 590.0, 590.0)))
    lefts = {text: box[0] for text, box in words_of(svg_of(PROFIT))}
    assert lefts["560.400"] - lefts["545.900"] > 5


def test_a_log_axis_says_so() -> None:
    for chart in (PAIRS, scatter(3, 5)):
        assert any("log scale" in text for text, _ in words_of(svg_of(chart)))


def test_labels_are_text_and_neither_markup_nor_mathematics() -> None:
    label = "</text><script>alert(1)</script> $x^2$ & $y$ 千 \u202e"
    texts = [text for text, _ in words_of(svg_of(replace(BARS, labels=(label, *CLASSES[1:]), sides=())))]
    assert "<script" not in svg_of(replace(BARS, labels=(label, *CLASSES[1:])))
    shown = "".join(texts)
    assert "</text><script>" in shown and "$x^2$" in shown and "千" not in shown and "□" in shown


def test_what_cannot_be_read_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"Chat earns.*24"):
        draw(replace(BARS, labels=("a",) * 25, values=(1.0,) * 25), brand().colours)
    with pytest.raises(ValueError, match=r"Chat earns.*4 labels"):
        draw(replace(BARS, values=(1.0,)), brand().colours)
    with pytest.raises(ValueError, match=r"A quarter is idle.*'idle' is below zero"):
        draw(replace(STACK, segments=(Segment("idle", (-4.0, 1.0, 1.0, 1.0), "idle"),)), brand().colours)
    with pytest.raises(ValueError, match=r"Who is cheaper.*30"):
        draw(scatter(31, 10), brand().colours)


def test_a_fall_is_a_loss_where_rising_is_good() -> None:
    texts = {text for text, _ in words_of(svg_of(DOWNWARDS))}
    assert texts >= {"100.000", "80.000", "\u221210.000", "\u221225.000"}  # levels
    assert texts >= {"\u221220.000", "\u221290.000", "\u221215.000"}  # steps
    falls, rises = (svg_of(replace(DOWNWARDS, rising=rising)) for rising in (True, False))
    assert falls.count("url(#h") == 3 and "url(#h" not in rises
