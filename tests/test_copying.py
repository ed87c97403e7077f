"""A copy keeps what was in the workbook, names what it could not keep, and is never written over the original."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from pathlib import Path
from zipfile import ZipFile

import pytest
from analysts_workbook import RENT, RULES, SPARKLINE, keeping, with_chart_and_picture, with_xml, write_analysts_workbook
from bad_workbooks import files
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from engine.catalogue import catalogue
from engine.sheets import HARDWARE, MODELS
from engine.workbook.adding import add_rows
from engine.workbook.copying import Change, Copy, Target, TargetError, copied
from engine.workbook.problems import InvalidWorkbook
from engine.workbook.read import read

NEW_MODEL = next(row for row in catalogue("models") if row["model"] == "Phi-4")
NEW_HARDWARE = next(row for row in catalogue("accelerators") if row["hardware"] == "A100 40GB SXM")

LAST_OF_MODELS, LAST = (get_column_letter(len(sheet.columns)) for sheet in (MODELS, HARDWARE))
OWN = get_column_letter(len(HARDWARE.columns) + 1)


def nothing(book: object) -> list[str]:
    return []


def more_rows(book: object) -> list[str]:
    return add_rows(book, MODELS, [NEW_MODEL]) + add_rows(book, HARDWARE, [NEW_HARDWARE])


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_analysts_workbook(tmp_path_factory.mktemp("own") / "november.xlsx")


@pytest.fixture
def mine(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(original, tmp_path / "mine.xlsx"))


def copy_of(path: Path, change: Change = nothing, **allowed: bool) -> Copy:
    return copied(path, Target(path.with_name("copy.xlsx"), **allowed), change)


def refusal(path: Path, change: Change = nothing) -> list[str]:
    with pytest.raises(InvalidWorkbook) as caught:
        copy_of(path, change)
    assert not path.with_name("copy.xlsx").exists()
    return [str(problem) for problem in caught.value.problems]


def test_everything_is_kept_cell_by_cell(mine: Path) -> None:
    before, copy = mine.read_bytes(), copy_of(mine)
    assert copy.notes == ()
    kept = keeping(mine)
    assert len(kept) > 2000
    assert keeping(copy.path) == kept
    assert mine.read_bytes() == before


def test_added_rows_change_nothing_else(mine: Path) -> None:
    copy = copy_of(mine, more_rows)
    assert copy.done == (f"Models!A16:{LAST_OF_MODELS}16  Phi-4", f"Hardware!A18:{LAST}18  A100 40GB SXM")
    kept, now = keeping(mine), keeping(copy.path)
    changed = {place for place in {*kept, *now} if kept.get(place) != now.get(place)}
    assert {place for place in changed if not place.endswith(("16", "18"))} == {
        "Models!tables",
        "Models!formats",
        "Models!set-up",
        "Hardware!tables",
        "Hardware!formats",
    }
    assert f'ref="A4:{LAST_OF_MODELS}16"' in now["Models!tables"][0]
    assert f'ref="A4:{OWN}18"' in now["Hardware!tables"][0]
    assert [place for place, *_ in now["Models!formats"]] == ["B5:B16"]
    assert [place for place, *_ in now["Hardware!formats"]] == [f"{RENT}5:{RENT}18"]
    assert now["Models!set-up"][1] == "'Models'!$A$1:$Z$16"


def test_added_rows_are_read_back(mine: Path) -> None:
    inputs = read(copy_of(mine, more_rows).path)
    row = inputs.tables["Models"].find("Phi-4")
    assert row is not None
    assert {name: row[name] for name in NEW_MODEL if name != "checked_on"} == {
        name: value for name, value in NEW_MODEL.items() if name != "checked_on"
    }
    assert row["checked_on"] == NEW_MODEL["checked_on"]


def test_the_analysts_own_column_goes_on(mine: Path) -> None:
    path = copy_of(mine, more_rows).path
    assert load_workbook(path)["Hardware"][f"{OWN}18"].value == f"={RENT}18*1.2"
    assert load_workbook(path, data_only=True)["Hardware"][f"{OWN}18"].value == pytest.approx(1.29 * 1.2)


def test_no_column_is_described_twice(mine: Path) -> None:
    """Excel calls a file damaged in which two runs of columns overlap."""
    part = load_workbook(mine, read_only=True).sheetnames.index("Models") + 1
    with ZipFile(copy_of(mine, more_rows).path) as package:
        xml = package.read(f"xl/worksheets/sheet{part}.xml").decode()
    runs = [(int(first), int(last)) for first, last in re.findall(r'<col [^>]*?min="(\d+)" max="(\d+)"', xml)]
    assert (len(MODELS.columns) - 2, len(MODELS.columns)) in runs
    assert all(one[1] < other[0] for one, other in pairwise(sorted(runs)))


def test_rows_may_be_typed_over(mine: Path) -> None:
    changed = {"model": "LLAMA 3.1 8B", "note": "ours"}
    copy = copy_of(mine, lambda book: add_rows(book, MODELS, [changed, NEW_MODEL], over=True))
    assert copy.done == (
        f"Models!A9:{LAST_OF_MODELS}9  LLAMA 3.1 8B, typed over",
        f"Models!A16:{LAST_OF_MODELS}16  Phi-4",
    )
    row = read(copy.path).tables["Models"].find("Llama 3.1 8B")
    assert row is not None
    assert (row["note"], row["layers"]) == ("ours", 32)


def test_validations_reach_below_row_200(mine: Path) -> None:
    many = [{**NEW_MODEL, "model": f"model {number}"} for number in range(200)]
    copy = copy_of(mine, lambda book: add_rows(book, MODELS, many))
    rules = load_workbook(copy.path)["Models"].data_validations.dataValidation
    assert {str(rule.sqref).partition(":")[2].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for rule in rules} == {"215"}
    assert read(copy.path).tables["Models"].find("model 199")


def test_a_name_that_is_there_is_refused(mine: Path) -> None:
    there = {**NEW_MODEL, "model": load_workbook(mine)["Models"]["A6"].value.upper()}
    (said,) = refusal(mine, lambda book: add_rows(book, MODELS, [there]))
    assert said.startswith(f"Models!A6  '{there['model']}' is already here; a name stands once")


def test_what_a_copy_cannot_keep_is_named_with_its_cell(mine: Path) -> None:
    with_chart_and_picture(mine)
    with_xml(mine, "our notes", SPARKLINE)
    advice = "which a copy cannot keep. Keep working in the original, or copy without it: --accept-loss."
    assert refusal(mine) == [
        f"'our notes'!F3  holds a sparkline, {advice}",
        f"'our notes'!F7  holds the chart 'Chart 1', {advice}",
        f"Models!C20  holds the picture 'Image 1', {advice}",
    ]
    copy = copy_of(mine, accept_loss=True)
    assert copy.notes[1] == "'our notes'!F7 holds the chart 'Chart 1': it is not in the copy"
    book = load_workbook(copy.path)
    assert not book["our notes"]._charts and not book["Models"]._images
    assert copy_of(copy.path.rename(copy.path.with_name("less.xlsx"))).notes == ()


def test_rules_that_excel_files_elsewhere_are_kept(mine: Path) -> None:
    with_xml(mine, "our notes", RULES)
    own = load_workbook(copy_of(mine).path)["our notes"]
    rule = next(rule for rule in own.data_validations.dataValidation if str(rule.sqref) == "G1:G9")
    assert (rule.type, rule.formula1, rule.error) == ("list", "Hardware!$B$5:$B$9", "Choose one.")
    (shown,) = [each for each in own.conditional_formatting if str(each.sqref) == "H1:H9"]
    assert (shown.rules[0].formula, shown.rules[0].dxf.font.b) == (["Hardware!$K5>3"], True)


def test_the_same_workbook_gives_the_same_bytes(mine: Path) -> None:
    first = copy_of(mine, more_rows).path.read_bytes()
    assert copy_of(mine, more_rows, replace=True).path.read_bytes() == first


def test_a_copy_has_the_day_of_its_original(mine: Path) -> None:
    book = load_workbook(mine)
    book.save(mine)
    content = files.with_part("docProps/core.xml", _saved_on(mine, b"2024-02-29"))(mine.read_bytes())
    mine.write_bytes(content)
    with ZipFile(copy_of(mine).path) as package:
        assert {entry.date_time for entry in package.infolist()} == {(2024, 2, 29, 0, 0, 0)}


def _saved_on(path: Path, day: bytes) -> bytes:
    with ZipFile(path) as package:
        return re.sub(rb"\d{4}-\d\d-\d\d(T[^<]*</dcterms:modified)", day + rb"\1", package.read("docProps/core.xml"))


def test_nothing_is_overwritten_unasked(mine: Path) -> None:
    taken = mine.with_name("copy.xlsx")
    taken.write_text("precious")
    with pytest.raises(TargetError, match=r"copy\.xlsx exists; .* --replace"):
        copy_of(mine)
    assert taken.read_text() == "precious"
    copy_of(mine, replace=True)
    assert read(taken)
    with pytest.raises(TargetError, match="is the workbook itself"):
        copied(mine, Target(mine, replace=True), nothing)
    (mine.parent / "folder.xlsx").mkdir()
    with pytest.raises(TargetError, match=r"folder\.xlsx cannot be written"):
        copied(mine, Target(mine.parent / "folder.xlsx", replace=True), nothing)
    assert not list(mine.parent.glob("*.part"))
    with pytest.raises(TargetError, match="there is no folder"):
        copied(mine, Target(mine.parent / "nowhere" / "copy.xlsx"), nothing)


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("=OURMACRO(1)", "Not known here: OURMACRO; cells with it show #NAME? until"),
        ("=B20+1", "The formulas could not be calculated here"),
    ],
)
def test_what_cannot_be_calculated_is_said(mine: Path, formula: str, says: str) -> None:
    def odd(book: object) -> list[str]:
        book["our notes"]["B20"] = formula
        return []

    copy = copy_of(mine, odd)
    (note,) = copy.notes
    assert note.startswith(says)
    assert load_workbook(copy.path)["our notes"]["B20"].value == formula


def test_a_value_that_comes_out_otherwise_is_named(mine: Path) -> None:
    def rate(book: object) -> list[str]:
        book["our notes"]["B3"] = 0.5
        return []

    assert copy_of(mine, rate).notes == (
        "Calculated anew, these came out otherwise than in the original: 'our notes'!C3. Check them.",
    )
