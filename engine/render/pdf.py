"""The report as a PDF: templates filled and laid out, fonts and files fenced in. Knows no quantity and no formula."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from weasyprint import CSS, HTML, Attachment
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from engine.render.charts import draw
from engine.render.typesetting import MM_PER_POINT, TEMPLATES, balanced_width, brand, number, printable, text_width
from engine.report.values import Chart, Figure, Head, KeyFigure, Report, Section, Table
from engine.report.words import shortened
from engine.units import Month, digits, in_currency, show, unit_of, with_currency

MOST_TABLE_ROWS = 20
TEXT_WIDTH, WIDE_TEXT_WIDTH = 150.0, 257.0  # mm
# Characters of a text and of a table's cell; the whole of what an analyst typed stands in the workbook.
LONGEST_TEXT, LONGEST_CELL = 1500, 250
MANY_COLUMNS = 8  # more stand closer, under smaller heads
_HEADLINE_POINTS = {"headline": 22.0, "subhead": 16.0}


class TemplatesOnly(URLFetcher):  # type: ignore[misc]
    """Opens files of the templates folder and data: URLs; whatever else a text may ask for is refused."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols={"file", "data"}, allow_redirects=False, fail_on_errors=True)

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        """What stands at the URL.

        Errors: ValueError where it is neither in the templates folder nor a data: URL.
        """
        parts = urlsplit(url)
        if parts.scheme == "file" and not parts.netloc:
            if not Path(url2pathname(parts.path)).resolve().is_relative_to(TEMPLATES):
                raise ValueError(f"{url} lies outside the templates folder.")
        elif parts.scheme != "data":
            raise ValueError(f"{url} is not a file of the templates folder.")
        return super().fetch(url, headers)


def write_pdf(report: Report, path: Path, *, created: datetime, attachments: Sequence[Path] = ()) -> None:
    """Write the report; the same values and `created` give the same bytes.

    Errors: ValueError naming a table or chart that is too long or uneven; RuntimeError with what WeasyPrint warned of.
    """
    # A date without a zone must not take the machine's.
    created = created.replace(tzinfo=UTC) if created.tzinfo is None else created.astimezone(UTC)
    created = created.replace(microsecond=0)
    text = html(report, created)
    fonts, css = _style()
    files = [
        Attachment(filename=str(file), name=file.name, created=created, modified=created, relationship="Source")
        for file in attachments
    ]
    with _no_warnings():
        pdf = HTML(string=text, base_url=TEMPLATES.as_uri() + "/", url_fetcher=TemplatesOnly()).write_pdf(
            stylesheets=[css],
            font_config=fonts,
            attachments=files,
            finisher=_finish,
            pdf_variant="pdf/a-3a",
            pdf_identifier=sha256(text.encode()).digest()[:16],
        )
    path.write_bytes(pdf)


def html(report: Report, created: datetime) -> str:
    """The report as one HTML page with its charts inside.

    Errors: ValueError naming a table or chart that is too long or uneven.
    """
    for section in report.sections:
        for block in section.blocks:
            if isinstance(block, Table):
                _check(block)
    look = brand()
    marks = [*report.issue.marks, *([] if report.answer.verdict.passed else ["Checks failed"])]
    footer = look.footer.format(input=report.input_hash[:8], engine=report.engine_version)
    text = (
        _environment()
        .get_template("report.html.jinja")
        .render(
            report=report, brand=look, mark=" · ".join(marks), footer=footer, created=f"{created:%Y-%m-%dT%H:%M:%SZ}"
        )
    )
    # Line by line, since `printable` turns line ends into spaces.
    return "\n".join(printable(line) for line in text.splitlines())


def _check(table: Table) -> None:
    rows = [row for row in table.rows if row.style != "group"]
    if len(rows) > MOST_TABLE_ROWS:
        raise ValueError(
            f"Table {table.title!r} has {len(rows)} rows; a page shows at most {MOST_TABLE_ROWS}. "
            "Show the first ones and say where the others are."
        )
    for row in rows:
        if not row.across and len(row.cells) != len(table.heads):
            raise ValueError(f"Table {table.title!r}: row {row.cells[:1]} does not have {len(table.heads)} cells.")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printed,
    )
    environment.globals["month_unit"] = Month
    environment.filters |= {
        "show": show,
        "shown": _shown,
        "tone": _tone,
        "side": lambda head: "figures" if unit_of(head.unit).is_number else "words",
        "kind": lambda block: type(block).__name__,
        "balanced": _balanced,
        "crowded": _crowded,
        "drawn": lambda block: _drawn(block, _written()),
        "many": _many,
        "widths": _widths,
        "in_currency": in_currency,
    }
    return environment


def _printed(value: Any) -> Any:
    """What a template prints: a text of a reasonable length; a drawing and what a macro has made stay as they are."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else shortened(value, LONGEST_TEXT)


@lru_cache(maxsize=1)
def _style() -> tuple[FontConfiguration, CSS]:
    """The stylesheet with its fonts loaded: the slow part of a second report."""
    look = brand()
    colours = "".join(f"--{name}: {colour};" for name, colour in look.colours.items())
    logo = f"--logo: url('data:image/svg+xml,{quote(look.logo)}');" if look.logo else "--logo: none;"
    faces = "".join(
        f"@font-face {{ font-family: {face.family}; font-weight: {face.weight}; font-style: {face.style};"
        f" src: url('{face.file.as_uri()}') }}\n"
        for face in look.faces
    )
    sheet = f":root {{ {colours} {logo} }}\n{faces}" + (TEMPLATES / "report.css").read_text(encoding="utf-8")
    fonts = FontConfiguration()
    with _no_warnings():
        css = CSS(string=sheet, base_url=TEMPLATES.as_uri() + "/", url_fetcher=TemplatesOnly(), font_config=fonts)
    return fonts, css


def _balanced(headline: str, role: str, landscape: bool = False) -> str:
    width = balanced_width(headline, _HEADLINE_POINTS[role], role, WIDE_TEXT_WIDTH if landscape else TEXT_WIDTH)
    return f"{width:.1f}mm"


def _crowded(figures: Sequence[KeyFigure]) -> bool:
    """Whether a name takes two lines over its figure."""
    room = TEXT_WIDTH / len(figures) - 10 * MM_PER_POINT
    return any(text_width(figure.label, 7.6, "text") > room for figure in figures)


def draw_charts(sections: Iterable[Section]) -> None:
    """Draws the charts of these pages ahead of time; a report with the same pages does not draw them again."""
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Chart):
                _drawn(block, _written())


def _written() -> str:
    """An amount as this report writes it: its currency, and its language of numbers."""
    return with_currency(digits(1000.5, 1))


@lru_cache(maxsize=64)
def _drawn(block: Chart, written: str) -> str:
    """The drawing of a block; how amounts are written is what tells two apart that have the same figures."""
    svg = draw(block, brand().colours)
    return Markup("data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode())


def _shown(cell: Any, head: Head) -> str:
    """A cell in its column: the column's decimals and no unit, but a Figure of another unit says its own."""
    if isinstance(cell, Figure):
        unit, label = unit_of(cell.unit), unit_of(cell.unit).symbol != unit_of(head.unit).symbol
        decimals = head.decimals if unit.kind == unit_of(head.unit).kind and not label else None
        shown = number(cell.value, cell.unit, decimals=decimals, signed=head.signed, label=label)
        return shortened(shown, LONGEST_CELL)
    return shortened(number(cell, head.unit, decimals=head.decimals, signed=head.signed), LONGEST_CELL)


def _tone(cell: Any, head: Head) -> str:
    return cell.tone if isinstance(cell, Figure) and cell.tone != "plain" else head.tone


def _many(table: Table, landscape: bool) -> bool:
    return len(table.heads) > MANY_COLUMNS and not landscape


def _widths(table: Table, landscape: bool) -> list[str]:
    """Widths of the columns: what their widest cell needs and a share of the rest, so that gaps do not look random."""
    room = WIDE_TEXT_WIDTH if landscape else TEXT_WIDTH
    many = _many(table, landscape)
    rows = [row for row in table.rows if row.style != "group" and not row.across]
    words = [not unit_of(head.unit).is_number for head in table.heads]
    needs: list[float] = []
    columns: list[_Words] = []
    for place, head in enumerate(table.heads):
        cells = [_shown(row.cells[place], head) for row in rows]
        gap = (0 if place == 0 else (3 if many else 6) + (3 if words[place] else 0)) * MM_PER_POINT + 0.3
        columns.append(_Words(cells, (head.name, in_currency(head.unit_label)), 7 if many else 7.6, gap))
        needs.append(columns[-1].widest)
    if table.alike and not all(words):
        each = max(need for need, word in zip(needs, words, strict=True) if not word)
        needs = [need if word else each for need, word in zip(needs, words, strict=True)]
    spare = room - sum(needs)
    if spare < 0 and any(words):
        # Words can wrap, figures cannot.
        wrapping = [column for column, word in zip(columns, words, strict=True) if word]
        left = room - sum(need for need, word in zip(needs, words, strict=True) if not word)
        shares = iter(_shared(left, wrapping))
        needs = [next(shares) if word else need for need, word in zip(needs, words, strict=True)]
    elif spare > 0:
        # Figures far from their neighbours are hard to follow: words take most of what is left.
        each = min(7.0, spare / len(needs))
        rest = (spare - each * (len(needs) - words.count(True))) / max(1, words.count(True))
        needs = [need + (rest if word else each) for need, word in zip(needs, words, strict=True)]
    return [f"{need / sum(needs) * 100:.3f}%" for need in needs]


class _Words:
    """The texts of a column, in mm: each cell, the widest text, and the longest word."""

    def __init__(self, cells: Sequence[str], heads: Sequence[str], points: float, gap: float) -> None:
        def longest(cells: Iterable[str], heads: Iterable[str]) -> float:
            widths = [text_width(text, 8, "text", "semibold") for text in cells]
            return max([*widths, *(text_width(text, points, "text", "semibold") for text in heads)]) + gap

        self.gap = gap
        self.cells = [text_width(text, 8, "text", "semibold") for text in cells]
        self.widest = longest(cells, heads)
        self.longest_word = longest(" ".join(cells).split(" "), " ".join(heads).split(" "))


def _shared(room: float, columns: Sequence[_Words]) -> list[float]:
    """The room shared among columns so that rows take few lines: each mm goes where it saves most of them.

    Where not even the longest words find room, all columns are cut alike.
    """
    widths = [column.longest_word for column in columns]
    if sum(widths) >= room:
        return [width * max(room, 10.0) / sum(widths) for width in widths]
    rows: list[tuple[float, ...]] = list(zip(*(column.cells for column in columns), strict=True))
    gaps = [column.gap for column in columns]

    def lines(wider: int) -> float:
        tried = [width - gap + (place == wider) for place, (width, gap) in enumerate(zip(widths, gaps, strict=True))]
        return sum(max(1.0, *(cell / width for cell, width in zip(row, tried, strict=True))) for row in rows)

    while (left := room - sum(widths)) > 0:
        place = min(range(len(widths)), key=lines)
        widths[place] += min(1.0, left)
    return widths


def _finish(document: Any, pdf: Any) -> None:
    # WeasyPrint 70 lists a file twice in a PDF/A-3: once as attached, once as found among all objects.
    if "AF" in pdf.catalog:
        files = pdf.catalog["AF"]
        files[:] = dict.fromkeys(files)


@contextmanager
def _no_warnings() -> Iterator[None]:
    """Turn what WeasyPrint would only log into an error: a report with a missing font or image must not go out."""
    found: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    logger, collector = logging.getLogger("weasyprint"), Collector(logging.WARNING)
    logger.addHandler(collector)
    try:
        yield
    finally:
        logger.removeHandler(collector)
    if found:
        raise RuntimeError("WeasyPrint warned: " + "; ".join(found))
