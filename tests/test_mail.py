"""The draft mail of a run: that it says what page 1 says, carries what lies beside it, and is the same every time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hostile import UNSEEN
from jinja2 import UndefinedError
from openpyxl import load_workbook
from openpyxl.utils import coordinate_to_tuple
from test_pdf import CREATED, HOSTILE, REPORT, SCRIPT

from engine.render.mail import LONGEST_SUBJECT, body, plain, write_mail
from engine.report.mail import mail
from engine.report.values import Action, Issue, Mail, Report
from engine.workbook.mail import addresses

TO, CC = "ann@example.com; bob@example.com", "ANN@example.com,eve@example.com"
SETTINGS = {"mail_to": TO, "mail_cc": CC, "mail_from": ""}
KINDS = ("plain", "html")


class Words(HTMLParser):
    """The text of an HTML page, and its tags with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))


def one_line(text: str) -> str:
    return " ".join(text.split())


def opened(path: Path) -> Any:
    message: EmailMessage = message_from_bytes(path.read_bytes(), policy=SMTP)
    return message


def text_of(message: Any, kind: str) -> str:
    """The words of a body, with every run of white space as one space."""
    content = message.get_body((kind,)).get_content()
    return one_line(content if kind == "plain" else " ".join(Words(content).texts))


def written(folder: Path, report: Report = REPORT, **settings: str) -> Any:
    files = [folder / "report.pdf", folder / "results.xlsx"]
    for file in files:
        file.write_bytes(b"%PDF \r\n.\r\n\x00\xff" + file.name.encode())
    write_mail(mail(report, {**SETTINGS, **settings}), folder / "report.eml", created=CREATED, attachments=files)
    return opened(folder / "report.eml")


# The example's


@pytest.fixture(scope="module")
def novembers(november: Path) -> Any:
    return opened(november / "report.eml")


@pytest.mark.parametrize("kind", KINDS)
def test_every_headline_figure_is_the_same_everywhere(
    kind: str, november: Path, novembers: Any, pages_of: Any
) -> None:
    """PDF, workbook and run.json on one side, the mail on the other."""
    run = json.loads((november / "run.json").read_text(encoding="utf-8"))
    page, told = pages_of(november / "report.pdf")[0], text_of(novembers, kind)
    values = load_workbook(november / "results.xlsx", data_only=True)
    assert one_line(run["headline"]) in told and one_line(run["headline"]) in one_line(page)
    shown = re.findall(r"(\S+) ([▲▼] \S+(?: pts)?(?:, \w+)?) (Summary![A-Z]+\d+)", page)
    assert len(shown) == 5
    for value, change, cell in shown:
        label = values["Summary"].cell(coordinate_to_tuple(cell.partition("!")[2])[0], 1).value
        line = f"{label}: {value} ({change}), {cell}" if kind == "plain" else f"{label} {value} {change} {cell}"
        assert line in told


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_changed_what_to_do_and_how_it_stands(
    kind: str, november: Path, novembers: Any, pages_of: Any
) -> None:
    page, told = pages_of(november / "report.pdf")[0], text_of(novembers, kind)
    change = re.search(r"Gross profit \w+ by .*? on October: .*? took \$\d+k\.", page)
    actions = re.findall(r"(?<=\d )(?:Move|Raise|Weigh) .*?\+\$\S+ a month", page)
    checks = re.search(r"All \d+ checks passed\..*?total\.", page)
    assert change and change[0] in told
    assert checks and checks[0] in told
    assert len(actions) == 3 and all(action in told for action in actions)
    assert "Draft:" in told and "not published yet" in told and "Modelled" in told and "FAILED" not in told


def test_it_carries_the_report_and_the_workbook(november: Path, novembers: Any) -> None:
    carried = {part.get_filename(): part.get_content() for part in novembers.iter_attachments()}
    assert carried == {name: (november / name).read_bytes() for name in ("report.pdf", "results.xlsx")}
    kinds = [part.get_content_type() for part in novembers.walk()]
    assert kinds[:4] == ["multipart/mixed", "multipart/alternative", "text/plain", "text/html"]
    assert novembers["X-Unsent"] == "1"
    assert re.fullmatch(r"Inference margin, November 2026: November earned .*", novembers["Subject"])


# What a mail is made of


def test_the_same_values_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        written(tmp_path / name)
    assert (tmp_path / "one" / "report.eml").read_bytes() == (tmp_path / "two" / "report.eml").read_bytes()


def test_headers(tmp_path: Path) -> None:
    message = written(tmp_path)
    assert parsedate_to_datetime(message["Date"]) == CREATED
    assert message["Message-ID"] == f"<2026-11.{REPORT.input_hash}@inference-margin.invalid>"
    assert message["To"] == "ann@example.com, bob@example.com"
    assert message["Cc"] == "eve@example.com" and "From" not in message and "Bcc" not in message
    boundaries = [part.get_boundary() for part in message.walk() if part.is_multipart()]
    assert boundaries == [f"=_{REPORT.input_hash}_{place}" for place in range(2)]
    assert max(map(len, (tmp_path / "report.eml").read_bytes().split(b"\r\n"))) < 100
    (tmp_path / "nobody").mkdir()
    assert "To" not in written(tmp_path / "nobody", mail_to="", mail_cc="")
    (tmp_path / "us").mkdir()
    assert written(tmp_path / "us", mail_from="us@example.com")["From"] == "us@example.com"


@pytest.mark.parametrize("kind", KINDS)
def test_a_failed_check_is_told_first(kind: str, tmp_path: Path) -> None:
    verdict = replace(REPORT.answer.verdict, passed=False, headline="2 checks failed.", detail="Parts miss the bill.")
    message = written(tmp_path, replace(REPORT, answer=replace(REPORT.answer, verdict=verdict)))
    assert message["Subject"].startswith("FAILED: Inference margin, November 2026")
    told = text_of(message, kind)
    assert told.index("FAILED: 2 checks failed. Parts miss the bill. Do not use these figures.") < told.index("$504k")


def test_what_is_published_is_no_draft(tmp_path: Path) -> None:
    message = written(tmp_path, replace(REPORT, issue=Issue(published=True)))
    assert all("Draft" not in text_of(message, kind) for kind in KINDS)


def test_templates_name_nothing_that_is_not_there() -> None:
    with pytest.raises(UndefinedError):
        body(Mail("", (), (), "", replace(REPORT, answer=replace(REPORT.answer, verdict=None))), "txt")  # type: ignore[arg-type]


# What a cell cannot do


@pytest.mark.parametrize("kind", KINDS)
def test_markup_is_text_and_opens_nothing(kind: str, tmp_path: Path) -> None:
    answer = replace(REPORT.answer, headline=HOSTILE, lead=SCRIPT, actions=(Action(HOSTILE, SCRIPT),))
    message = written(tmp_path, replace(REPORT, title=HOSTILE, answer=answer))
    told = text_of(message, kind)
    # A page of HTML repeats the subject as its title.
    assert told.count(HOSTILE) == (3 if kind == "plain" else 5) and told.count(SCRIPT) == 2
    page = Words(message.get_body(("html",)).get_content())
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "link", "a", "iframe", "style", "base", "form"})
    assert not any({"href", "src", "background"} & set(attributes) for _, attributes in page.tags)
    assert "url(" not in message.get_body(("html",)).get_content()


def test_a_cell_cannot_begin_a_header_or_turn_text_around(tmp_path: Path) -> None:
    answer = replace(REPORT.answer, headline=f"x{UNSEEN}x", lead=UNSEEN)
    message = written(tmp_path, replace(REPORT, title=f"Title\r\nBcc: eve@example.com\r\n\r\n{UNSEEN}", answer=answer))
    assert set(message.keys()) == {
        *("X-Unsent", "Date", "Message-ID", "To", "Cc", "Subject", "MIME-Version", "Content-Type"),
    }
    assert one_line(message["Subject"]).startswith("Title Bcc: eve@example.com")
    for text in (message["Subject"], *(message.get_body((kind,)).get_content() for kind in KINDS)):
        assert set(text) & set("\x7f\x85\x9b\u2028\u202e\u2066\u200b\ufeff") == set()
        assert "\u25a1gnp.exe" in text


def test_other_scripts_stay_as_they_are() -> None:
    for text in ("Größe, 東京, कर्\u200dनाटक, \u0645\u06cc\u200c\u062e\u0648", "−31k · ▲ ✓"):
        assert plain(text) == text


def test_long_texts_are_shortened(tmp_path: Path) -> None:
    answer = replace(REPORT.answer, headline="long " * 6_000, lead="word " * 6_000)
    message = written(tmp_path, replace(REPORT, answer=answer))
    assert len(message["Subject"]) <= LONGEST_SUBJECT and message["Subject"].endswith("\u2026")
    assert all(len(text_of(message, kind)) < 6_000 for kind in KINDS)


def test_addresses() -> None:
    assert addresses(" a@b.c ;d@e.f,, A@B.C; ") == ("a@b.c", "d@e.f")
    assert addresses("") == addresses(" ; ") == ()
