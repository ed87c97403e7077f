"""Publishing and verification: what is published is what was seen, and whatever was changed is found."""

import shutil
from datetime import date

import pandas as pd
import pypdfium2
import pytest
from bad_workbooks.valid import coordinate, fill, more
from openpyxl import Workbook, load_workbook
from small_runs import put_run, said_by, write_tiny
from test_archive import OCTOBER, files_of, is_complete, names
from typer.testing import CliRunner

from engine import archive, verification
from engine.__main__ import app
from engine.archive import ArchiveError
from engine.commands.exits import FAILED_CHECK, INVALID, NOT_DONE, REFUSED
from engine.publishing import publish
from engine.render.differences import differing_cells
from engine.run import report_month
from engine.verification import verify

FAILING = (
    fill("Configurations", {"requests_share": 0.5}),
    more("Configurations", {"configuration": "too large", "requests_share": 0.5, "model": "Giant"}),
    more("Models", {"model": "Giant", "total_parameters": 800, "active_parameters": 800}),
)


def command(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def pale_of(path):
    """How much of each page is in the pale grey that the watermark is drawn in; a few blocks have it too."""
    document = pypdfium2.PdfDocument(path)
    try:
        pictures = [page.render(scale=0.5).to_pil().convert("RGB") for page in document]
    finally:
        document.close()
    return [sum(pixel == (243, 245, 247) for pixel in picture.get_flattened_data()) for picture in pictures]


@pytest.fixture(scope="module")
def drafts(tmp_path_factory):
    """An archive of October and November, both drafts, and the workbook of November."""
    folder = tmp_path_factory.mktemp("drafts")
    workbook = write_tiny(folder)
    report_month(workbook, folder / "reports", date(2026, 10, 1))
    report_month(workbook, folder / "reports")
    return folder / "reports", workbook


@pytest.fixture(scope="module")
def published(drafts, tmp_path_factory):
    """A copy of it with November published."""
    reports = shutil.copytree(drafts[0], tmp_path_factory.mktemp("published") / "reports")
    done = command("publish", reports / "2026-11")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"Published: {reports / '2026-11'}/report.pdf")
    return reports


@pytest.fixture
def copied(drafts, tmp_path):
    """A copy of the drafts that a test may spoil."""
    return shutil.copytree(drafts[0], tmp_path / "reports")


# Publishing


def test_a_published_report_is_no_draft_on_any_page(drafts, published, pages_of):
    before, after = (pages_of(reports / "2026-11" / "report.pdf") for reports in (drafts[0], published))
    assert all("Draft" in page for page in before)
    assert not any("draft" in page.lower() for page in after)
    assert [page.replace(" Draft", "").replace(" ·", "") for page in before] == [
        page.replace(" ·", "") for page in after
    ]
    watermarked, plain = (pale_of(reports / "2026-11" / "report.pdf") for reports in (drafts[0], published))
    assert len(watermarked) == len(before)
    assert all(some > least + 2000 for some, least in zip(watermarked, plain, strict=True))


def test_a_published_workbook_says_so(drafts, published):
    for reports, state in ((drafts[0], "Draft: the next run of the month takes its place."), (published, "Published.")):
        cover = load_workbook(reports / "2026-11" / "results.xlsx")["Report"]
        assert {row[0].value: row[1].value for row in cover.iter_rows(min_row=4, max_row=11)}["State"] == state


def test_a_published_run_says_what_the_draft_said(drafts, published):
    before, after = said_by(drafts[0] / "2026-11"), said_by(published / "2026-11")
    for key in ("month", "revision", "input", "headline", "figures", "checks", "settings_sha256", "looked_at"):
        assert before[key] == after[key], key
    assert (before["state"], after["state"]) == ("draft", "published")
    assert after["published"]["at"].endswith("Z") and after["published"]["forced"] is False
    assert is_complete(published / "2026-11")
    assert names(published) == ["2026-10", "2026-11"]


def test_a_published_run_is_published_once_and_never_replaced(drafts, published, pages_of, tmp_path):
    reports = shutil.copytree(published, tmp_path / "reports")
    before = files_of(reports)
    again = command("publish", reports / "2026-11")
    assert again.exit_code == REFUSED == 2 and "2026-11 is published already." in again.stderr
    assert files_of(reports) == before
    done = command("report", drafts[1], "--out", reports, "--quiet")
    assert done.exit_code == 0 and done.output == ""
    assert {name: content for name, content in files_of(reports).items() if "-r2" not in name} == before
    second = reports / "2026-11-r2"
    assert (said_by(second)["state"], said_by(second)["revision"]) == ("draft", 2)
    assert all("Draft · Revision 2" in page for page in pages_of(second / "report.pdf")[1:])


def test_a_sent_draft_stays_what_was_sent(copied):
    archive.mark(copied / "2026-11", state=archive.SENT, sent=[{"at": "2026-12-01T00:00:00+00:00", "to": ["a@b.c"]}])
    before = files_of(copied)
    done = command("publish", copied / "2026-11")
    assert done.exit_code == REFUSED and "2026-11 was sent, as a draft, and stays what was sent." in done.stderr
    assert files_of(copied) == before


def test_what_is_no_run_is_not_published(tmp_path):
    for name in ("publish", "verify"):
        done = command(name, tmp_path / "reports" / "2026-11")
        assert done.exit_code == REFUSED and "is no run: it has no run.json" in done.stderr
    with pytest.raises(ArchiveError, match="is no run"):
        archive.mark(tmp_path / "reports" / "2026-11", state=archive.SENT)
    assert names(tmp_path) == []


def test_a_failed_check_is_published_only_by_force(tmp_path, pages_of):
    reports = tmp_path / "reports"
    report_month(write_tiny(tmp_path, "failing.xlsx", *FAILING), reports)
    before = files_of(reports)
    done = command("publish", reports / "2026-11")
    assert done.exit_code == FAILED_CHECK == 4
    assert "because checks failed: Configurations that serve and do not fit. --force" in done.stderr
    assert files_of(reports) == before
    done = command("publish", reports / "2026-11", "--force")
    assert done.exit_code == 0 and "Published although checks failed" in done.stderr
    assert said_by(reports / "2026-11")["published"]["forced"] is True
    assert all("Checks failed" in page and "Draft" not in page for page in pages_of(reports / "2026-11/report.pdf"))


def test_a_draft_that_looked_back_on_another_october_is_not_published(copied):
    shutil.rmtree(copied / "2026-10")
    put_run(copied, OCTOBER)
    before = files_of(copied)
    with pytest.raises(ArchiveError, match=r"2026-10, which it looked back on, has been run again since\. Run the"):
        publish(copied / "2026-11")
    archive.mark(copied / "2026-10", state=archive.PUBLISHED)
    archive.mark(put_run(copied, OCTOBER), state=archive.PUBLISHED)
    with pytest.raises(ArchiveError, match="has a revision 2 since"):
        publish(copied / "2026-11")
    for name in ("2026-10", "2026-10-r2"):
        shutil.rmtree(copied / name)
    with pytest.raises(ArchiveError, match="2026-10, which it looked back on, is gone"):
        publish(copied / "2026-11")
    put_run(copied, date(2026, 9, 1))
    with pytest.raises(ArchiveError, match="2026-09 has come into the archive since; 2026-10, which"):
        publish(copied / "2026-11")
    assert {name: content for name, content in before.items() if name.startswith("2026-11/")}.items() <= files_of(
        copied
    ).items()


def test_a_draft_that_would_come_out_otherwise_is_not_published(copied):
    folder = copied / "2026-11"
    archive.mark(folder, figures={**said_by(folder)["figures"], "gross_profit": 1.0})
    before = files_of(copied)
    with pytest.raises(ArchiveError, match=r"made again, it differs from the draft in its figures\. Run the report"):
        publish(folder)
    assert files_of(copied) == before


# Rendering


def test_a_file_that_cannot_be_made_is_said_and_changes_nothing(copied, drafts, monkeypatch):
    before = files_of(copied)
    causes = {
        "engine.render.excel.write_results": (OSError(28, "No space left on device"), "results.xlsx"),
        "engine.render.excel.recalculated": (RuntimeError("2 cells in error"), "recalculation"),
        "engine.render.pdf.write_pdf": (RuntimeError("WeasyPrint warned:\nno font"), "report.pdf"),
    }
    for function, (cause, stage) in causes.items():

        def fails(*_, cause=cause, **__):
            raise cause

        with monkeypatch.context() as patched:
            patched.setattr(function, fails)
            done = command("report", drafts[1], "--out", copied)
        assert done.exit_code == NOT_DONE == 5, done.output
        assert done.stderr == f"{stage} could not be made: {' '.join(str(cause).split())}\n"
        assert files_of(copied) == before


# Verification


def test_an_untouched_run_is_verified(drafts, published):
    before = files_of(published)
    for month in ("2026-10", "2026-11"):
        done = command("verify", published / month)
        assert done.exit_code == 0, done.output
        assert done.stdout == f"{published / month}: everything comes out as it was.\n" and done.stderr == ""
    assert files_of(published) == before


def test_whatever_was_changed_is_found(copied, tmp_path):
    folder = copied / "2026-11"
    said = said_by(folder)
    said["figures"]["gross_profit"] += 1
    said["checks"][1]["passed"] = False
    said["engine"] = {"version": "0.0.9", "commit": "abc1234"}
    archive.write_json(folder / "run.json", said)
    book = load_workbook(folder / "results.xlsx")
    book["Hardware"][coordinate("Hardware", "on_demand_price")].value = 1.5
    book.save(folder / "results.xlsx")
    frame = pd.read_parquet(folder / "results.parquet")
    frame["fleet_cost"] += 1
    frame.to_parquet(folder / "results.parquet")
    shutil.copyfile(copied / "2026-10" / "report.pdf", folder / "report.pdf")
    archive.mark(copied / "2026-10", headline="October, again", currency="EUR")
    done = command("verify", folder)
    assert done.exit_code == FAILED_CHECK
    assert done.stderr.startswith("Note: The run was made by engine 0.0.9, commit abc1234; this is engine ")
    for sentence in (
        "results.xlsx was changed after the run: it is not the file whose hash run.json has.",
        "report.pdf was changed after the run",
        "results.parquet was changed after the run",
        "2026-10, which the run looked back on, has been changed or run again since.",
        f"run.json: the figure 'gross_profit' is {said['figures']['gross_profit']}, recomputed ",
        "run.json: the check 'Configurations that serve and do not fit' is found 0.0, expected 0.0, allowed 0, passed",
        "report.pdf: page 1 says 'Monthly report · October 2026 · US dollars', recomputed 'Monthly report · November",
        "results.parquet: the column fleet_cost differs.",
    ):
        assert sentence in done.stdout, f"{sentence}\n{done.stdout}"
    assert "input.xlsx" not in done.stdout and "headline is" not in done.stdout


def test_a_changed_cell_is_named(tmp_path):
    def book(name, edit=lambda book: None):
        written = Workbook()
        written.active.title = "Costs"
        written.create_sheet("Joined inputs").append(["price", 2.95, "=1+1"])
        edit(written)
        written.save(tmp_path / name)
        return tmp_path / name

    def price(book):
        book["Joined inputs"]["B1"] = 1.5

    def formula(book):
        book["Joined inputs"]["C1"] = "=1+2"

    def row(book):
        book["Joined inputs"]["A2"] = "x" * 100

    def sheet(book):
        del book["Costs"]

    same = book("same.xlsx")
    assert differing_cells(same, book("again.xlsx")) == []
    assert differing_cells(book("a.xlsx", price), same) == ["'Joined inputs'!B1 holds 1.5, recomputed 2.95"]
    assert differing_cells(book("b.xlsx", formula), same) == [
        "'Joined inputs'!C1 is written as '=1+2', recomputed '=1+1'"
    ]
    assert differing_cells(book("c.xlsx", row), same) == [f"'Joined inputs'!A2 holds '{'x' * 60}…', recomputed nothing"]
    assert differing_cells(book("d.xlsx", sheet), same) == ["the sheet Costs is missing"]
    assert differing_cells(same, tmp_path / "d.xlsx") == ["the sheet Costs is not of this report"]


def test_another_input_gives_other_figures(copied, tmp_path):
    folder = copied / "2026-11"
    shutil.copyfile(
        write_tiny(tmp_path, "other.xlsx", fill("Hardware", {"on_demand_price": 1.5})), folder / "input.xlsx"
    )
    found = verify(folder).differences
    assert found[0] == "input.xlsx was changed after the run: it is not the file whose hash run.json has."
    assert any(sentence.startswith("run.json: the headline is 'November earned") for sentence in found)
    assert any(sentence.startswith("run.json: the figure 'fleet_cost' is ") for sentence in found)
    assert any("results.xlsx: " in sentence and "recomputed" in sentence for sentence in found)


def test_missing_files_and_neighbours_are_said(copied, monkeypatch):
    folder = copied / "2026-11"
    shutil.rmtree(copied / "2026-10")
    (folder / "report.pdf").unlink()
    monkeypatch.setattr(verification, "write_files", lambda made, *_: shutil.copytree(folder, made, dirs_exist_ok=True))
    assert verify(folder).differences == (
        "report.pdf is missing.",
        "2026-10, which the run looked back on, is gone from the archive.",
    )
    (folder / "input.xlsx").unlink()
    assert verify(folder).differences == ("input.xlsx is missing.", "report.pdf is missing.")


def test_an_input_that_this_version_refuses_is_told_as_such(copied):
    (copied / "2026-11" / "input.xlsx").write_bytes(b"")
    done = CliRunner().invoke(app, ["verify", str(copied / "2026-11")])
    assert done.exit_code == 1 and "input.xlsx  is empty" in str(done.exception)
    assert INVALID == 3  # which the command line makes of it
