"""The PDF: what a reader, an auditor and an archive find in it, and what a hostile cell cannot do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from engine.render.pdf import TemplatesOnly, html, write_pdf
from engine.render.typesetting import TEMPLATES, brand, text_width
from engine.report.values import (
    Action,
    Answer,
    Bars,
    Figure,
    Head,
    Issue,
    KeyFigure,
    Margin,
    Method,
    Methods,
    Pairs,
    Paragraph,
    Point,
    Report,
    Row,
    Scatter,
    Section,
    Segment,
    Side,
    Stack,
    Table,
    Verdict,
)
from engine.units import (
    Count,
    Date,
    DollarsPerHour,
    DollarsPerMillionTokens,
    Flag,
    Milliseconds,
    Number,
    Share,
    Text,
    TokensPerSecond,
)

CREATED = datetime(2026, 12, 1, 8, tzinfo=UTC)
HOSTILE = "<link rel=attachment href=file:///etc/passwd><img src=http://127.0.0.1:9/x.png> {{ 7*7 }}"
SCRIPT = "<a href='javascript:alert(1)'>Chat</a>"
CLASSES = ("Chat", "Search", SCRIPT)

COSTS = Table(
    "Cost by configuration",
    "batch as shown",
    (
        Head("Configuration"),
        Head("Step", Milliseconds, "ms", decimals=1),
        Head("Output", DollarsPerMillionTokens, "$/Mtoken", tone="strong"),
        Head("Change", DollarsPerMillionTokens, "$/Mtoken", signed=True),
        Head("Band", Share, "±", decimals=0, tone="quiet"),
        Head("Fits", Flag),
        Head("Serves"),
    ),
    (
        Row(("Llama 3.1 70B",), "group"),
        Row(("4 × H100", 13.62, 0.0662, -0.004, 0.12, True, "Chat")),
        Row(("2 × B200", float("nan"), 0.585, 0.0, 0.22, False, None)),
        Row(("4 × TPU v5e",), across="does not fit: weights 71 GB, usable memory 56 GB"),
        Row(
            (HOSTILE, 9.1, 1.811, 0.25, Figure(-0.002, Share, tone="bad"), True, Figure("✗ too slow", Text, tone="bad"))
        ),
        Row(("All", 1234.5, 0.7, 0.1, Figure(2.1, DollarsPerHour), None, ""), "total"),
    ),
    Margin("Table", "Costs!A5:G9", "rent: one year"),
    "Lowest cost first.",
)
ASSUMPTIONS = Table(
    "Assumptions",
    "",
    (
        Head("Cell", tone="quiet"),
        Head("Assumption"),
        Head("Value", Number),
        Head("Checked on", Date),
        Head("Age", Count),
    ),
    tuple(Row((f"Hardware!H{i}", f"assumption {i}", i / 7, date(2026, 11, i + 1), i)) for i in range(20)),
    Margin("Table", "Assumptions!A5:E24"),
    alike=True,
)
REPORT = Report(
    "Inference margin",
    date(2026, 11, 1),
    "US dollars",
    "3f9c2a7199ab0c55",
    "1.4.0",
    Answer(
        "November earned $604k gross profit, and Reasoning gave $152k of it away",
        "Gross profit rose $54k on October.",
        tuple(KeyFigure(f"figure {i}", f"${i}04k", f"▲ +{i}4k, better", f"Summary!C{i}", "good") for i in range(5, 10)),
        Bars(
            "Chat earns.",
            "Gross profit",
            CLASSES,
            (355.6, -31.3, 8.1),
            Number,
            "gross profit",
            note=Margin("Chart", "M!C1"),
        ),
        (Action("Bill all hidden reasoning tokens.", "+$146k a month"),),
        Verdict(True, "All 7 checks passed.", "Two assumptions are stale.", "Cover!B11"),
        Margin("Effect", "Recommendation!C5:C7"),
    ),
    (
        Section(
            "Cost by configuration",
            "Chat runs at 73 tok/s against a target of 40",
            (
                Paragraph("Memory bandwidth decides. " + HOSTILE),
                COSTS,
                Scatter(
                    "Cheaper, faster.",
                    "",
                    (Point("4 × H100", 73, 0.66, True), Point("2 × B200", 81, 0.585)),
                    "speed",
                    "cost",
                    TokensPerSecond,
                    DollarsPerMillionTokens,
                ),
            ),
        ),
        Section(
            "Margin & idle",
            "Reasoning is sold at half its cost",
            (
                Pairs(
                    "At half its cost.",
                    "",
                    CLASSES,
                    (0.21, 0.044, 5.35),
                    (0.53, 0.14, 2.55),
                    "cost",
                    "price",
                    DollarsPerMillionTokens,
                    "$ per million tokens",
                ),
                Stack(
                    "A third idles.",
                    "",
                    CLASSES,
                    (Segment("serving", (193.0, 106.0, 27.0), "blue"), Segment("idle", (95.0, 14.0, 75.0), "idle")),
                    Number,
                    (Side("bill", (288.0, 120.0, 102.0), Number),),
                ),
            ),
        ),
        Section("Assumptions", "Two of 96 assumptions are stale", (ASSUMPTIONS,), landscape=True),
        Section(
            "Method",
            "Of 280 published figures, 220 hold",
            (
                Methods(
                    (
                        Method(
                            "Step time",
                            "Reading weights, plus overhead.",
                            "8.0 ms + 5.6 ms = 13.6 ms",
                            "Calculation!M5",
                        ),
                    ),
                    Margin("Formulas", "Formulas!A5"),
                ),
            ),
        ),
    ),
)


def text_of(path: Path) -> list[str]:
    """The text of each page, with every run of white space as one space."""
    document = pypdfium2.PdfDocument(path)
    try:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]
    finally:
        document.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pdf")
    (folder / "results.xlsx").write_bytes(b"PK a workbook")
    write_pdf(REPORT, folder / "report.pdf", created=CREATED, attachments=[folder / "results.xlsx"])
    return folder


@pytest.fixture(scope="module")
def pages(folder: Path) -> list[str]:
    return text_of(folder / "report.pdf")


@pytest.fixture(scope="module")
def pdf(folder: Path) -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(folder / "report.pdf") as opened:
        yield opened


def test_the_answer_is_on_page_1(pages: list[str]) -> None:
    page = pages[0]
    for words in (
        "November earned $604k gross profit, and Reasoning gave $152k of it away",
        "Gross profit rose $54k on October.",
        *(f"${i}04k" for i in range(5, 10)),
        *(f"Summary!C{i}" for i in range(5, 10)),
        "Chat earns. Gross profit",
        "+355.600 −31.300 +8.100",
        "1 Bill all hidden reasoning tokens. +$146k a month",
        "✓ All 7 checks passed. Two assumptions are stale.",
        "Master check Cover!B11",
        "Monthly report · November 2026 · US dollars",
        "Draft",
    ):
        assert words in page


def test_tables_show_every_figure(pages: list[str]) -> None:
    for words in (
        "Configuration Step ms Output $/Mtoken Change $/Mtoken Band ± Fits Serves",
        "4 × H100 13.6 0.066 −0.004 12% yes Chat",
        "2 × B200 – 0.585 – 22% no –",
        "4 × TPU v5e does not fit: weights 71 GB, usable memory 56 GB",
        "9.1 1.811 +0.250 −0.2% yes ✗ too slow",
        "All 1,234.5 0.700 +0.100 $2.10/h –",
        "Table Costs!A5:G9 rent: one year",
        "Lowest cost first.",
    ):
        assert words in pages[1], pages[1]
    for i in range(20):
        assert f"Hardware!H{i} assumption {i} {i / 7:.3f} 2026-11-{i + 1:02} {i}" in pages[3]


def test_charts_keep_their_text(pages: list[str]) -> None:
    assert "Cheaper, faster." in pages[1] and "cost, $/Mtoken, log scale" in pages[1] and "2 × B200" in pages[1]
    assert "5.35" in pages[2] and "serving" in pages[2] and "193" in pages[2]
    assert "8.0 ms + 5.6 ms = 13.6 ms (Calculation!M5)" in pages[4]


def test_nothing_unfinished_is_printed(pages: list[str]) -> None:
    text = " ".join(pages).replace("{{ 7*7 }}", "")
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b|\{\{|\}\}|Undefined", text, re.IGNORECASE)


def test_every_page_says_what_it_is(pages: list[str]) -> None:
    assert len(pages) == 5
    names = ["The answer", *(section.name for section in REPORT.sections)]
    for place, page in enumerate(pages, 1):
        assert f"Input 3f9c2a71 · engine 1.4.0 · cell references are to results.xlsx Page {place} of 5" in page
        if place > 1:
            assert f"Inference margin · November 2026 · Draft {names[place - 1]}" in page
        assert re.search(rf"{re.escape(names[place - 1])}\.* ?\.*{place}\b", pages[0])


def test_markup_in_cells_is_text_and_opens_nothing(pages: list[str], pdf: pikepdf.Pdf) -> None:
    assert HOSTILE in pages[1] and pages[1].replace(" ", "").count(HOSTILE.replace(" ", "")) == 2
    assert "javascript:alert(1)" in pages[0]
    assert list(pdf.attachments) == ["results.xlsx"]
    for page in pdf.pages:
        for link in page.get("/Annots", []):
            assert link.get("/A", {}).get("/S") not in ("/URI", "/JavaScript", "/Launch")


def test_only_bundled_fonts_and_all_embedded(pdf: pikepdf.Pdf) -> None:
    names = set()
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/FontDescriptor":
            assert "/FontFile2" in thing or "/FontFile3" in thing
            names.add(str(thing.FontName).split("+")[1])
    assert names == {"text", "text-Semi-Bold", "headline-Semi-Bold", "subhead-Semi-Bold"}


def test_bookmarks_are_the_sections(pdf: pikepdf.Pdf) -> None:
    with pdf.open_outline() as outline:
        assert [item.title for item in outline.root] == ["The answer", *(section.name for section in REPORT.sections)]
        assert not any(item.children for item in outline.root)


def test_it_is_an_accessible_archive_file(pdf: pikepdf.Pdf, folder: Path) -> None:
    assert str(pdf.Root.Lang) == "en" and bool(pdf.Root.MarkInfo.Marked)
    with pdf.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        assert metadata["dc:title"] == "Inference margin, November 2026 (draft)"
        assert metadata["dc:creator"] == [brand().author]
        assert metadata["xmp:CreateDate"] == "2026-12-01T08:00:00Z"
    structure = [thing for thing in pdf.objects if isinstance(thing, pikepdf.Dictionary)]
    alternatives = [str(thing.Alt) for thing in structure if thing.get("/S") == "/Figure"]
    assert len(alternatives) == 4 and "Chat earns. Gross profit" in alternatives
    assert sum(thing.get("/S") == "/Caption" for thing in structure) == 2
    (file,) = pdf.Root.AF
    assert str(file.AFRelationship) == "/Source"
    attached = pdf.attachments["results.xlsx"].get_file()
    assert attached.read_bytes() == (folder / "results.xlsx").read_bytes()
    assert attached.creation_date == attached.mod_date == CREATED


def test_landscape_only_where_asked(pdf: pikepdf.Pdf) -> None:
    wide = [page.mediabox[2] > page.mediabox[3] for page in pdf.pages]
    assert wide == [False, False, False, True, False]


def test_the_same_values_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    # Neither the clock nor the attached file's own dates may reach the PDF.
    shutil.copy(folder / "results.xlsx", tmp_path / "results.xlsx")
    write_pdf(REPORT, tmp_path / "again.pdf", created=CREATED, attachments=[tmp_path / "results.xlsx"])
    assert text_of(tmp_path / "again.pdf") == text_of(folder / "report.pdf")
    assert (tmp_path / "again.pdf").read_bytes() == (folder / "report.pdf").read_bytes()


def test_a_failed_check_is_told_first(tmp_path: Path) -> None:
    answer = replace(
        REPORT.answer, verdict=Verdict(False, "2 of 7 checks failed.", "Parts miss the bill.", "Cover!B11"), actions=()
    )
    report = replace(REPORT, answer=answer, sections=(), issue=Issue(published=True))
    write_pdf(report, tmp_path / "failed.pdf", created=CREATED)
    (page,) = text_of(tmp_path / "failed.pdf")
    assert page.index("✗ 2 of 7 checks failed. Parts miss the bill.") < page.index("$504k")
    assert "Checks failed" in page and "Draft" not in page and "What we recommend" not in page


def test_a_table_too_long_is_named() -> None:
    long = replace(ASSUMPTIONS, title="All runs", rows=ASSUMPTIONS.rows + ASSUMPTIONS.rows[:1])
    with pytest.raises(ValueError, match=r"'All runs' has 21 rows.*at most 20"):
        html(replace(REPORT, sections=(Section("x", "x", (long,)),)), CREATED)
    uneven = replace(COSTS, rows=(Row(("4 × H100", 1.0)),))
    with pytest.raises(ValueError, match=r"'Cost by configuration'.*'4 × H100'.*7 cells"):
        html(replace(REPORT, sections=(Section("x", "x", (uneven,)),)), CREATED)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        f"{TEMPLATES.as_uri()}/../pyproject.toml",
        f"{TEMPLATES.as_uri()}/%2e%2e/pyproject.toml",
        "file://localhost/etc/passwd",
        "http://127.0.0.1:9/",
        "https://example.org/",
        "ftp://example.org/",
    ],
)
def test_the_fetcher_refuses_what_is_not_a_template(url: str) -> None:
    with pytest.raises(ValueError, match=re.escape(url)):
        TemplatesOnly().fetch(url)


def test_the_fetcher_opens_templates_and_data() -> None:
    assert b"@page" in TemplatesOnly().fetch(f"{TEMPLATES.as_uri()}/report.css").read()
    assert TemplatesOnly().fetch("data:text/plain,hello").read() == b"hello"


def test_a_warning_of_weasyprint_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("engine.render.pdf.draw", lambda block, colours: "nothing")
    # A chart that was drawn before is not drawn again.
    another = replace(REPORT.answer, chart=replace(REPORT.answer.chart, title="A chart of its own."))
    with pytest.raises(RuntimeError, match="WeasyPrint warned"):
        write_pdf(replace(REPORT, answer=another), tmp_path / "broken.pdf", created=CREATED)
    assert not (tmp_path / "broken.pdf").exists()


def column_widths(table: Table) -> list[float]:
    """Widths of the columns of a table in mm, as its page has them."""
    page = html(replace(REPORT, sections=(Section("Page", "Finding", (table,)),)), CREATED)
    (columns,) = re.findall(r"<colgroup>(.*?)</colgroup>", page[page.index("Finding") :])
    return [float(width) * 1.5 for width in re.findall(r"width: ([\d.]+)%", columns)]


def test_columns_of_words_share_the_room_by_what_they_hold() -> None:
    """A page of long names beside a few short ones: no name takes four lines, and no word is broken."""
    long, short = "Llama 3 70B, 160 kB/token int8, 16 × TPU v5e (Austin et al.), prefill apart", "10,000 queries/s"
    heads = (Head("Traffic"), Head("Deployment"), *(Head("Figure", Number) for _ in range(7)))
    rows = tuple(Row((short if place % 4 == 0 else "", long, *(1234.5 for _ in range(7)))) for place in range(12))
    traffic, deployment, *figures = column_widths(Table("Costs", "", heads, rows))
    assert traffic + deployment + sum(figures) == pytest.approx(150, abs=0.1)
    assert traffic > text_width("queries/s", 8)
    assert deployment > text_width(long, 8) / 2 > traffic


def test_columns_too_narrow_for_their_words_are_cut_alike() -> None:
    word = "x" * 60
    one, other, *_ = column_widths(Table("Long", "", (Head("One"), Head("Other")), (Row((word, word)),)))
    assert one == pytest.approx(other, rel=0.1)
