"""A workbook of an older layout comes into today's, with all that is in it, and what a person must do is listed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from analysts_workbook import EXAMPLE, keeping, write_analysts_workbook
from bad_workbooks.valid import coordinate
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter

from engine import sheets
from engine.catalogue import example
from engine.sheets import BY_NAME
from engine.workbook import blank, checks
from engine.workbook.copying import Copy, Target
from engine.workbook.migration import migrated
from engine.workbook.problems import InvalidWorkbook
from engine.workbook.read import READ, read
from engine.workbook.recalculation import recalculate

ROOT = Path(__file__).parents[1]
SINCE = {
    "Settings": ("paging_efficiency", "study_models"),
    "Models": ("sparse_tokens", "weight_memory_override"),
    "Hardware": ("mesh_axes", "price_source"),
    "Configurations": ("measured_input_speed",),
}
ADDED_SHEETS = ("Calibration", "Change log")
# A row of the analyst's own, below all settings that any layout has.
MINE = f"A{sheets.FIRST_ROW + len(sheets.SETTINGS.columns) + 5}"


def older(declared: sheets.Sheet) -> sheets.Sheet:
    left = tuple(column for column in declared.columns if column.name not in SINCE.get(declared.name, ()))
    return replace(declared, columns=left)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as a version would have written it whose sheets lacked some columns, settings and sheets."""
    path = tmp_path_factory.mktemp("old") / "november.xlsx"
    past = tuple(older(declared) for declared in sheets.SHEETS if declared.name not in ADDED_SHEETS)
    rows = {
        declared.name: [
            {name: value for name, value in row.items() if name in {column.name for column in declared.columns}}
            for row in example("november").get(declared.name, ())
        ]
        for declared in past
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blank, "SHEETS", past)
        patch.setattr(blank, "SETTINGS", older(sheets.SETTINGS))
        patch.setattr(blank, "NAMED_CELLS", {"Report_Month": "report_month"})
        patch.setattr(blank, "write_checks", lambda *_: None)
        blank.write_blank(path, rows, today=date(2026, 11, 30))
    book = load_workbook(path)
    for cell in (cell for row in book["Cover"].iter_rows() for cell in row if cell.data_type == "f"):
        cell.value = None
    book["Models"]["AM4"], book["Models"]["AM5"] = "our own", "mine"
    book["Settings"][MINE] = "mine too"
    book.create_sheet("our notes")["A1"] = "keep me"
    book.save(path)
    return path


def column_of(path: Path, sheet: str, head: str) -> str:
    return next(str(cell.column_letter) for cell in load_workbook(path)[sheet][4] if cell.value == head)


@pytest.fixture(scope="module")
def new(old: Path) -> Copy:
    return migrated(old, Target(old.with_name("december.xlsx")), date(2026, 12, 1))


def test_the_old_workbook_is_of_an_older_layout(old: Path) -> None:
    with pytest.raises(InvalidWorkbook, match="the column sparse_tokens is missing"):
        read(old)


def test_what_the_layout_gained_is_added_and_told(new: Copy) -> None:
    assert [line.partition("  ")[2] for line in new.done] == [
        "paging_efficiency is added, blank: 90 %",
        "study_models is added, blank: yes",
        "measured_input_speed is added, blank: 0 tok/s",
        "mesh_axes is added, blank: 1",
        "price_source is added, and must be filled in",
        "sparse_tokens is added, blank: 0 tokens",
        "weight_memory_override is added, blank: 0 GB",
        "the sheet is added, with 5 rows",
        "the sheet is added, without rows",
        "the cell has the name Reporting_Currency now",
        f"the sheet is added: {checks.PURPOSE}",
        "report_month was 2026-11 and is 2026-12",
    ]
    assert new.notes == ()
    book = load_workbook(new.path)
    for line in new.done[2:7]:
        place, _, told = line.partition("  ")
        sheet, _, cell = place.partition("!")
        assert book[sheet][cell].value == told.split()[0]


def test_what_is_left_to_a_person_is_listed(new: Copy) -> None:
    """While a cell that must be filled in is blank, that comes first."""
    letter = column_of(new.path, "Hardware", "price_source")
    assert [need.partition(";")[0] for need in new.needs] == [
        f"Settings!{MINE}  'mine too' may be the renamed paging_efficiency, study_models, which are added blank: "
        "if so, rename it and delete what was added",
        "Models!AM4  'our own' may be the renamed sparse_tokens, weight_memory_override, which are added blank: "
        "if so, rename it and delete what was added",
        *(f"Hardware!{letter}{row}  price_source is blank" for row in range(5, 18)),
    ]


@pytest.fixture(scope="module")
def filled(new: Copy) -> Path:
    """The new workbook with the cells filled in that must be."""
    path = new.path.with_name("filled.xlsx")
    book = load_workbook(new.path)
    for row in range(5, 18):
        book["Hardware"][f"{column_of(new.path, 'Hardware', 'price_source')}{row}"] = "assumption"
    book.save(path)
    return path


def test_the_new_workbook_says_what_the_old_one_said(filled: Path) -> None:
    now, before = read(filled), read(EXAMPLE)
    for sheet in READ:
        for column in sheet.columns:
            if column.name not in (*SINCE.get(sheet.name, ()), "report_month") and sheet.name != "Calibration":
                one, other = (inputs.tables[sheet.name].columns[column.name].tolist() for inputs in (now, before))
                assert str(one) == str(other), (sheet.name, column.name)
    assert now.settings["report_month"] == date(2026, 12, 1)
    assert now.tables["Hardware"].columns["mesh_axes"].tolist() == [1.0] * 13


def test_what_was_there_is_where_it_was(old: Path, new: Copy) -> None:
    before, now = keeping(old), keeping(new.path)
    changed = {place for place in before if before[place] != now.get(place)}
    assert {place.split("!")[-1].split()[0] for place in changed - {"sheets", "Settings!B7"}} == {
        "validations",
        "tables",
        "column",
    }
    book = load_workbook(new.path)
    assert [sheet.title for sheet in book.worksheets] == [
        "Cover",
        *(declared.name for declared in sheets.SHEETS),
        "Checks",
        "our notes",
    ]
    assert (book["Models"]["AM5"].value, book["Settings"][MINE].value) == ("mine", "mine too")


def test_the_live_checks_work(filled: Path) -> None:
    assert recalculate(filled).errors == {}
    verdicts = [row[3].value for row in load_workbook(filled, data_only=True)["Checks"].iter_rows(min_row=7, max_col=4)]
    assert verdicts.count("pass") > 40
    assert load_workbook(filled).defined_names["Master_Check"].attr_text == "Checks!$B$5"


def test_what_is_added_looks_like_the_rest(new: Copy) -> None:
    book = load_workbook(new.path)
    models, settings = book["Models"], book["Settings"]
    last = column_of(new.path, "Models", "weight_memory_override")
    assert last == get_column_letter(len(sheets.MODELS.columns))
    assert [models[f"{last}{row}"].style for row in (3, 4, 15)] == ["Unit", models["B4"].style, "Input"]
    assert models.tables["tblModels"].ref == f"A4:{last}15"
    assert models.tables["tblModels"].tableColumns[-1].name == "weight_memory_override"
    assert f"{last}5:{last}200" in {str(rule.sqref) for rule in models.data_validations.dataValidation}
    bottom = 4 + len(sheets.SETTINGS.columns)
    assert settings.tables["tblSettings"].ref == f"A4:D{bottom}"
    assert settings[f"D{bottom}"].value.startswith("Ask: what would other models")
    # Columns further right are still the analyst's, and unlocked.
    number = len(sheets.MODELS.columns)
    rest = models.column_dimensions[get_column_letter(number + 1)]
    assert (rest.min, rest.max, models.column_dimensions[last].max) == (number + 1, 16384, number)


def migrate(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "engine", "migrate", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "400"},
        check=False,
    )


def test_next_month(tmp_path: Path) -> None:
    before = EXAMPLE.read_bytes()
    done = migrate(EXAMPLE, "december.xlsx", "--month", "2026-12", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Settings!B7  report_month was 2026-11 and is 2026-12",
        "Written: december.xlsx",
        "Needs a person:",
        "Traffic  the figures are those of the old workbook: type those of December 2026",
        "Traffic mixes  the figures are those of the old workbook: type those of December 2026",
        *(
            f"Settings!{coordinate('Settings', name)}  {name} is of the old workbook: clear it until it is done again"
            for name in ("prepared_by", "prepared_on")
        ),
        *(
            f"{sheet}  the sources of 1 row were last looked at more than 90 days before 2026-12-31: "
            + coordinate(sheet, "checked_on", row)
            for sheet, row in (("Traffic", 4), ("Prices", 7))
        ),
    ]
    assert EXAMPLE.read_bytes() == before
    kept, now = keeping(EXAMPLE), keeping(tmp_path / "december.xlsx")
    changed = {place for place in {*kept, *now} if kept.get(place) != now.get(place)}
    # The live checks allow dates up to the end of another month now.
    assert {place for place in changed if not place.startswith("Checks!C")} == {"Settings!B7"}


@pytest.mark.parametrize(("limit", "stale"), [(58, True), (59, False)])
def test_sources_are_stale_after_the_limit(limit: int, stale: bool, tmp_path: Path) -> None:
    """Models were looked at on 2 November, 59 days before the end of December."""

    def set_limit(book: Workbook) -> None:
        book["Settings"][coordinate("Settings", "staleness_limit")] = limit

    path = edited(tmp_path / "limit.xlsx", set_limit)
    needs = migrated(path, Target(tmp_path / "copy.xlsx"), date(2026, 12, 1)).needs
    assert any(need.startswith("Models  the sources of 11 rows") for need in needs) == stale


def test_prices_of_others_are_stale_after_the_limit(tmp_path: Path) -> None:
    """They held on 10 November, 51 days before the end of December; one of them earlier."""

    def age(book: Workbook) -> None:
        book["Competitors"][coordinate("Competitors", "as_of", 2)] = date(2026, 8, 31)

    needs = migrated(edited(tmp_path / "old.xlsx", age), Target(tmp_path / "copy.xlsx"), date(2026, 12, 1)).needs
    cell = coordinate("Competitors", "as_of", 2)
    stale = f"the sources of 1 row were last looked at more than 90 days before 2026-12-31: {cell}"
    assert [need for need in needs if need.startswith("Competitors")] == [f"Competitors  {stale}"]


def test_a_workbook_of_today_moves_nothing(tmp_path: Path) -> None:
    own = write_analysts_workbook(tmp_path / "own.xlsx")
    copy = migrated(own, Target(tmp_path / "copy.xlsx"))
    assert (copy.done, copy.notes, copy.needs) == ((), (), ())
    assert keeping(copy.path) == keeping(own)


def edited(path: Path, edit: object) -> Path:
    book = load_workbook(EXAMPLE)
    edit(book)
    book.save(path)
    return path


def test_what_was_renamed_is_suggested_and_not_added(tmp_path: Path) -> None:
    def rename(book: Workbook) -> None:
        book["Hardware"]["H4"] = "memory bandwith"
        book["Traffic mixes"].title = "Traffic mix"
        book["Settings"]["A11"] = "head room"

    copy = migrated(edited(tmp_path / "renamed.xlsx", rename), Target(tmp_path / "copy.xlsx"))
    assert copy.done == ()
    needs = "\n".join(copy.needs)
    assert "Hardware!H4  'memory bandwith' is no column of this sheet, which needs memory_bandwidth" in needs
    assert "Settings!A11  'head room' is no setting of this sheet, which needs headroom" in needs
    assert "Rename 'Traffic mix' to Traffic mixes." in needs


def test_figures_under_a_strange_head_are_not_abandoned(tmp_path: Path) -> None:
    """What stands in its place under its unit is not added; what may be something else is, and is listed."""

    def rename(book: Workbook) -> None:
        book["Traffic"]["B4"], book["Traffic"]["E4"] = "per second", "found"
        book["Traffic"]["E3"] = None

    copy = migrated(edited(tmp_path / "renamed.xlsx", rename), Target(tmp_path / "copy.xlsx"))
    beyond = f"{get_column_letter(len(BY_NAME['Traffic'].columns) + 1)}4"
    assert copy.done == (f"Traffic!{beyond}  cached_share is added, blank: 0 %",)
    assert copy.needs[0] == (
        "Traffic!E4  'found' may be the renamed cached_share, which is added blank: "
        "if so, rename it and delete what was added"
    )
    assert "Traffic!B4  the column mean_requests is missing; 'per second' (B4) may be it" in copy.needs[1]


def test_a_month_that_is_a_formula_is_left_to_a_person(tmp_path: Path) -> None:
    def formula(book: Workbook) -> None:
        book["Settings"]["B7"] = "=DATE(2026,11,1)"

    path = edited(tmp_path / "formula.xlsx", formula)
    with pytest.raises(InvalidWorkbook, match=r"Settings!B7  report_month is a formula\. Type a month there"):
        migrated(path, Target(tmp_path / "copy.xlsx"), date(2026, 12, 1))
    assert not (tmp_path / "copy.xlsx").exists()


def test_a_column_is_added_beside_what_stands_in_the_way(tmp_path: Path) -> None:
    head, after = coordinate("Models", "sparse_tokens", -1), len(sheets.MODELS.columns) + 1

    def lack(book: Workbook) -> None:
        book["Models"][head], book["Models"][head.replace("4", "3")] = "something of ours", None
        book["Models"].cell(20, after).value = "in the way"

    copy = migrated(edited(tmp_path / "lacking.xlsx", lack), Target(tmp_path / "copy.xlsx"))
    beside = get_column_letter(after + 1)
    assert copy.done == (f"Models!{beside}4  sparse_tokens is added, blank: 0 tokens",)
    assert copy.needs[0].startswith(f"Models!{head}  'something of ours' may be the renamed sparse_tokens")
    book = load_workbook(copy.path)
    assert book["Models"].tables["tblModels"].ref == f"A4:{get_column_letter(after - 1)}15"
    assert read(copy.path).cell("Models", "sparse_tokens") == f"Models!{beside}5"
