"""A marked copy keeps the workbook as it was, shows every problem in its cell, and lists them with links."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from analysts_workbook import keeping, with_chart_and_picture, write_analysts_workbook
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment

from engine.workbook.copying import Target
from engine.workbook.marking import write_marked
from engine.workbook.problems import Problem
from engine.workbook.read import problems_of
from engine.workbook.recalculation import recalculate

ROOT = Path(__file__).parents[1]
RED, AMBER = "FFF4B6B6", "FFFCDD9A"


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An analyst's workbook with two problems, one on a cell with a note, and a warning."""
    path = write_analysts_workbook(tmp_path_factory.mktemp("spoiled") / "november.xlsx")
    book = load_workbook(path)
    book["Hardware"]["H5"].value = "3,350"
    book["Hardware"]["H5"].comment = Comment("read this off the slide", "an analyst")
    book["Configurations"]["C5"].value = "H1000 SXM"
    book["Models"]["H6"].value = None
    book["Hardware"]["C6"].value *= 2
    book.save(path)
    recalculate(path)
    return path


@pytest.fixture(scope="module")
def marked(spoiled: Path) -> tuple[Path, tuple[Problem, ...]]:
    found = problems_of(spoiled)
    path = spoiled.with_name("marked.xlsx")
    copy = write_marked(spoiled, found, Target(path))
    assert copy.done == ("4 cells are marked; the sheet Problems of the copy lists 3 problems and 1 warning",)
    return path, found


def test_each_problem_stands_in_its_cell(marked: tuple[Path, tuple[Problem, ...]]) -> None:
    path, found = marked
    book = load_workbook(path)
    for problem in found:
        cell = book[problem.sheet][problem.cell]
        assert cell.fill.fgColor.rgb == (RED if problem.severity == "error" else AMBER)
        assert problem.sentence in cell.comment.text
    assert book["Hardware"]["H5"].comment.text.startswith("read this off the slide\n\nProblem: memory_bandwidth")
    red = {
        f"{sheet.title}!{cell.coordinate}"
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.comment and cell.comment.author == "check"
    }
    assert red == {problem.place for problem in found} - {"Hardware!H5"}


def test_the_index_links_to_every_cell(marked: tuple[Path, tuple[Problem, ...]]) -> None:
    path, found = marked
    index = load_workbook(path).worksheets[0]
    assert index.title == "Problems"
    rows = list(index.iter_rows(min_row=5))
    assert [row[0].hyperlink.location for row in rows] == [problem.place for problem in found]
    assert [row[2].value for row in rows] == [problem.found for problem in found]
    assert index.page_setup.fitToWidth == 1


def test_all_else_is_as_it_was(marked: tuple[Path, tuple[Problem, ...]], spoiled: Path) -> None:
    path, found = marked
    before, now = keeping(spoiled), keeping(path)
    changed = {place for place in before if before[place] != now.get(place)}
    assert changed == {problem.place.replace("'", "") for problem in found} | {"sheets"}
    # Under the colour and the note, the value is the same.
    assert all(before[place][:4] == now[place][:4] for place in changed - {"sheets"})
    assert {place.split("!")[0] for place in now.keys() - before.keys()} == {"Problems"}


def test_odd_places_are_marked_too(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "problems"
    book.active.merge_cells("B2:C3")
    book.save(tmp_path / "odd.xlsx")
    found = (
        Problem("odd.xlsx", "", "is odd", "", "Look."),
        Problem("problems", "C3", "is doubtful", "", "Look.", "warning"),
        Problem("problems", "C3", "is wrong", "", "Look."),
        Problem("problems", "", "the sheet is odd", "", "Look."),
        Problem("nowhere", "A1", "is missing", "", "Look."),
    )
    copy = write_marked(tmp_path / "odd.xlsx", found, Target(tmp_path / "marked.xlsx"))
    assert copy.done == ("1 cell is marked; the sheet Problems 2 of the copy lists 4 problems and 1 warning",)
    marked = load_workbook(tmp_path / "marked.xlsx")
    assert marked["problems"]["B2"].fill.fgColor.rgb == RED
    assert marked["problems"]["B2"].comment.text == "Problem: is wrong. Look.\n\nWarning: is doubtful. Look."
    links = [row[0].hyperlink for row in marked["Problems 2"].iter_rows(min_row=5)]
    assert [link and link.location for link in links] == [None, "problems!C3", "problems!C3", "problems!A1", None]


def check(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "engine", "check", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "400"},
        check=False,
    )


def test_the_command(spoiled: Path, tmp_path: Path) -> None:
    before = spoiled.read_bytes()
    done = check(spoiled, "--marked", "marked.xlsx", folder=tmp_path)
    assert done.returncode == 3
    assert "Hardware!H5" in done.stdout
    assert done.stderr.splitlines()[-1] == "Written: marked.xlsx"
    assert load_workbook(tmp_path / "marked.xlsx").sheetnames[0] == "Problems"
    assert spoiled.read_bytes() == before
    again = check(spoiled, "--marked", "marked.xlsx", folder=tmp_path)
    assert (again.returncode, "--replace" in again.stderr) == (2, True)


def test_the_command_says_why_nothing_is_marked(spoiled: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.xlsx").write_bytes(spoiled.read_bytes()[:9000])
    done = check("broken.xlsx", "--marked", "marked.xlsx", folder=tmp_path)
    assert done.returncode == 3
    assert done.stderr == "Not written: marked.xlsx, because the workbook cannot be opened.\n"
    (tmp_path / "chart.xlsx").write_bytes(spoiled.read_bytes())
    with_chart_and_picture(tmp_path / "chart.xlsx")
    done = check("chart.xlsx", "--marked", "marked.xlsx", folder=tmp_path)
    assert (done.returncode, "--accept-loss" in done.stderr) == (3, True)
    assert not (tmp_path / "marked.xlsx").exists()
    assert check("chart.xlsx", "--marked", "marked.xlsx", "--accept-loss", folder=tmp_path).returncode == 3
    assert (tmp_path / "marked.xlsx").exists()
