"""Security: whatever a cell of the input holds is text in all that a run writes, and nothing is fetched for it."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname
from zipfile import ZipFile

import pandas as pd
import pikepdf
import pytest
from hostile import CHECKED, FORMULAS, LENGTH, MARKUP, UNSEEN, is_name, write_hostile
from openpyxl import Workbook, load_workbook
from test_mail import Words, opened
from typer.testing import CliRunner

from engine.__main__ import app
from engine.render.pdf import TemplatesOnly
from engine.render.typesetting import TEMPLATES, printable
from engine.run import report_month
from engine.sheets import BY_NAME, CHANGE_LOG, SHEETS

# Each formula begins every text of one workbook, and one kind of trouble follows.
WORKBOOKS = {
    "markup": (FORMULAS[0], MARKUP, True),
    "unseen": (FORMULAS[1], UNSEEN, False),
    "short": (FORMULAS[2], "", False),
    "long": (FORMULAS[3], "", True),
}
FREE_TEXTS = [
    (sheet.name, column.name)
    for sheet in SHEETS
    for column in sheet.columns
    if column.unit.kind == "text" and not column.words and not column.choices
]


class Watch:
    """What is opened, connected to and fetched while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.opened: list[str] = []
        self.connected: list[str] = []
        self.fetched: list[str] = []
        sys.addaudithook(self.note)

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event == "open":
            self.opened.append(str(arguments[0]))
        if self.on and event in ("socket.connect", "socket.getaddrinfo"):
            self.connected.append(f"{event} {arguments}")
        if self.on and event == "urllib.Request":
            self.fetched.append(str(arguments[0]))


@dataclass(frozen=True)
class Hostile:
    """A hostile workbook, the folder of its run, and what was touched meanwhile."""

    kind: str
    folder: Path
    typed: dict[tuple[str, str], str]
    watch: Watch
    book: Workbook

    def text(self, sheet: str, column: str) -> str:
        return self.typed[sheet, column]


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.fixture(scope="module", params=list(WORKBOOKS))
def hostile(request: pytest.FixtureRequest, watch: Watch, tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    prefix, text, questions = WORKBOOKS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    typed = write_hostile(folder / "hostile.xlsx", prefix, text, questions=questions)
    fetch = TemplatesOnly.fetch

    def noted(self: TemplatesOnly, url: str, headers: Any = None) -> Any:
        watch.fetched.append(url)
        return fetch(self, url, headers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TemplatesOnly, "fetch", noted)
        watch.on = True
        outcome = report_month(folder / "hostile.xlsx", folder / "reports")
        watch.on = False
    assert outcome.passed
    return Hostile(request.param, outcome.folder, typed, watch, load_workbook(outcome.folder / "results.xlsx"))


def squeezed(text: str) -> str:
    """Without white space: where a line breaks is the typesetter's affair."""
    return "".join(text.split())


def test_every_column_of_text_is_tried(hostile: Hostile) -> None:
    assert set(hostile.typed) == {spot for spot in FREE_TEXTS if spot[1] not in CHECKED}
    long = [text for (sheet, column), text in hostile.typed.items() if not is_name(BY_NAME[sheet].column(column))]
    if hostile.kind in ("short", "long"):
        assert min(map(len, long)) > LENGTH


def test_all_of_it_is_text_in_the_workbook(hostile: Hostile) -> None:
    given = load_workbook(hostile.folder / "input.xlsx")
    for sheet, column in hostile.typed:
        if sheet == CHANGE_LOG.name:
            continue
        position = [each.name for each in BY_NAME[sheet].columns].index(column)
        at = (5 + position, 2) if BY_NAME[sheet].vertical else (5, 1 + position)
        cell = hostile.book[sheet].cell(*at)
        assert cell.value == given[sheet].cell(*at).value, (sheet, column)
        assert cell.value.startswith(hostile.text(sheet, column)[:40].splitlines()[0])
        assert (cell.data_type, cell.quotePrefix, cell.hyperlink) == ("s", True, None), (sheet, column)


def test_no_cell_of_the_workbook_calculates_what_was_typed(hostile: Hostile) -> None:
    inputs = {sheet.name for sheet in SHEETS}
    for sheet in hostile.book:
        for cell in chain.from_iterable(sheet.rows):
            if cell.data_type == "f":
                assert sheet.title not in inputs, (sheet.title, cell.coordinate)
                assert not any(sign in str(cell.value) for sign in ("cmd|", "HYPERLINK", "/etc/", "script")), cell.value
            elif isinstance(cell.value, str) and cell.value[:1] in tuple("=+-@"):
                assert cell.data_type == "s" and cell.quotePrefix, (sheet.title, cell.coordinate)
    with ZipFile(hostile.folder / "results.xlsx") as package:
        names = package.namelist()
        assert not [name for name in names if "externalLink" in name or "vbaProject" in name or "embeddings" in name]
        relations = b"".join(package.read(name) for name in names if name.endswith(".rels")).decode()
    # The contents lead to sheets, and nothing leads out of the workbook.
    targets = [link for link in re.findall(r"<Relationship [^>]*>", relations) if 'TargetMode="External"' in link]
    assert all(re.search(r'Target="#[^"#/:]+!A1"', link) for link in targets), targets


def test_it_is_text_in_the_pdf(hostile: Hostile, pages_of: Any) -> None:
    words = squeezed(" ".join(pages_of(hostile.folder / "report.pdf")))
    for sheet, column in (("Hardware", "hardware"), ("Traffic", "traffic"), ("Models", "model")):
        assert squeezed(printable(hostile.text(sheet, column))) in words
    for sheet, column in (("Settings", "report_title"), ("Hardware", "price_source"), ("Settings", "prepared_by")):
        assert squeezed(printable(hostile.text(sheet, column)))[:30] in words
    if hostile.kind == "markup":
        # The page of assumptions shows the beginning of a source.
        assert squeezed(hostile.text("Hardware", "price_source"))[:90] in words


def test_the_pdf_opens_and_carries_nothing_else(hostile: Hostile) -> None:
    with pikepdf.open(hostile.folder / "report.pdf") as pdf:
        assert list(pdf.attachments) == ["results.xlsx"]
        assert not {"/OpenAction", "/AA", "/AcroForm"} & set(pdf.Root.keys())
        for thing in pdf.objects:
            if isinstance(thing, pikepdf.Dictionary):
                assert thing.get("/S") not in ("/URI", "/JavaScript", "/Launch", "/GoToR", "/SubmitForm")
                assert "/JS" not in thing
        data = b"".join(bytes(thing.read_bytes()) for thing in pdf.objects if isinstance(thing, pikepdf.Stream)
                        if thing.get("/Type") != "/EmbeddedFile")
    assert b"root:x:0" not in data


def test_it_is_text_in_the_mail(hostile: Hostile) -> None:
    message = opened(hostile.folder / "report.eml")
    assert set(message.keys()) == {
        *("X-Unsent", "Date", "Message-ID", "To", "Subject", "MIME-Version", "Content-Type"),
    }
    assert message["To"] == "ann@example.com"
    # As far as the first character that nobody sees.
    title = hostile.text("Settings", "report_title").split("\t")[0][:40]
    assert message["Subject"].startswith(title)
    page = Words(message.get_body(("html",)).get_content())
    assert title in " ".join(page.texts) and title in message.get_body(("plain",)).get_content()
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "link", "a", "iframe", "style", "base", "form"})
    assert not any({"href", "src", "background"} & set(attributes) for _, attributes in page.tags)
    assert {part.get_filename() for part in message.iter_attachments()} == {"report.pdf", "results.xlsx"}


def test_it_is_text_in_the_parquet(hostile: Hostile) -> None:
    row = pd.read_parquet(hostile.folder / "results.parquet").iloc[0]
    for name in ("configuration", "model", "hardware", "traffic"):
        sheet = {"configuration": "Configurations", "model": "Models"}.get(name, name.title())
        assert row[name] == hostile.text(sheet, name)


def test_nothing_is_fetched(hostile: Hostile) -> None:
    watch = hostile.watch
    assert watch.connected == []
    assert not [name for name in watch.opened if name.startswith(("/etc/passwd", "/etc/hosts"))]
    assert any(name.startswith(str(TEMPLATES)) for name in watch.opened), "the watch sees what is opened"
    for url in watch.fetched:
        parts = urlsplit(url)
        inside = parts.scheme == "file" and Path(url2pathname(parts.path)).resolve().is_relative_to(TEMPLATES)
        assert parts.scheme == "data" or inside, url[:100]
    assert len(watch.fetched) > 5


@pytest.fixture
def listed(tmp_path: Path) -> Iterator[Path]:
    """A list of published figures whose every text is a formula."""
    path = tmp_path / "figures.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "document", "section", "quantity", "published", "unit", "verdict", "changes_conclusion"])
        for number, formula in enumerate((*FORMULAS, " =1+1", "\t=1", "\uff1d1", "-40", "+2.5%", "plain")):
            text = f"{formula} {MARKUP}" if number < len(FORMULAS) else formula
            writer.writerow([f"{number}", text, text, text, formula, text, "INPUT", ""])
    yield path


def test_no_cell_of_a_csv_calculates(listed: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["reconcile", "--figures", str(listed), "--out", str(tmp_path / "out.csv")])
    assert done.exit_code == 0, done.output
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    printed = [row["printed"] for row in rows]
    assert printed == [
        *(f"'{FORMULAS[0]}", "+1", "'-1+1", f"'{FORMULAS[3]}"),
        *("' =1+1", "'\t=1", "'\uff1d1", "-40", "+2.5%", "plain"),
    ]
    for row in rows[: len(FORMULAS)]:
        for name in ("document", "section", "quantity", "unit"):
            assert row[name][:2] in ("'=", "'+", "'-", "'@") and MARKUP in row[name]
