"""The sheet Checks of the input workbook: what it finds while an analyst types, as LibreOffice calculates it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from bad_workbooks.valid import ROWS, SEEN, TODAY, Edit, both, fill, more, spoil, write_valid
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.formula import ArrayFormula
from oracles import all_recalculated_by_libreoffice, needs_libreoffice, recalculated_by_libreoffice

from engine.sheets import FIRST_ROW
from engine.workbook.blank import write_blank
from engine.workbook.checks import MASTER, NAME

ROOT = Path(__file__).parents[1]
SHIPPED = (ROOT / "inputs" / "example.xlsx", ROOT / "inputs" / "example-october.xlsx")
FUNCTIONS = {
    *("ABS", "AND", "COUNT", "COUNTIF", "DATE", "IF", "IFERROR", "INDEX", "ISNUMBER", "MATCH", "MAX", "MIN", "MONTH"),
    *("OR", "SUM", "SUMIF", "SUMPRODUCT", "TRANSPOSE", "YEAR"),
}


def widened(sheet: str) -> Edit:
    """The sheet's native table with one row more, as Excel makes it when one types below it."""

    def edit(book: Workbook) -> None:
        (table,) = book[sheet].tables.values()
        corner, row = re.fullmatch(r"(.*?)(\d+)", table.ref).groups()
        table.ref = table.autoFilter.ref = f"{corner}{int(row) + 1}"

    return edit


THEIRS = {"competitor": "them", "api_input_price": 1, "api_output_price": 2, "source": "assumption"}

# What is wrong, and the checks that must fail of it; few workbooks with several slips, because each is slow to convert.
BROKEN = (
    (
        both(
            fill("Settings", {"report_month": None, "headroom": -0.1, "study_configuration": "x"}),
            fill("Models", {"layers": None, "source": None}),
            fill("Hardware", {"on_demand_price": -1}),
            fill("Configurations", {"model": "Lama"}),
        ),
        {
            "Settings: cells that must be filled and are blank",
            "Settings: numbers below zero",
            "Settings: study_configuration that is not on Configurations",
            "Models: cells that must be filled and are blank",
            "Hardware: numbers below zero",
            "Configurations: model that is not on Models",
        },
    ),
    (
        both(
            fill("Prices", dict.fromkeys(ROWS["Prices"][0])),
            fill("Hardware", {"bf16_compute": 3}, start=1),
            widened("Hardware"),
            more("Precisions", {"precision": "FP8"}),
            widened("Precisions"),
            fill("Configurations", {"requests_share": 0.9}),
            fill("Traffic", {"checked_on": date(2026, 8, 31)}),
            fill("Competitors", {**THEIRS, "as_of": date(2026, 8, 31)}),
        ),
        {
            "Prices: cells that must be filled and are blank",
            "Configurations: price_list that is not on Prices",
            "Hardware: cells that must be filled and are blank",
            "Precisions: names that stand twice",
            "Configurations: precision that is not on Precisions",
            "Requests served of chat",
            "Traffic: oldest checked_on",
            "Competitors: oldest as_of",
        },
    ),
    (
        both(
            fill("Settings", {"staleness_limit": 20}),
            fill("Prices", {"valid_from": date(2026, 12, 1)}),
            fill("Configurations", {"traffic": "chatt"}),
        ),
        {
            *(f"{name}: oldest checked_on" for name in {*ROWS} - {"Settings", "Configurations", "Calibration"}),
            "Configurations: prices that hold only after the month",
            "Configurations: traffic that is not on Traffic or Traffic mixes",
            "Requests served of chat",
        },
    ),
    # The first day that is not too long ago, and a share that no sum can be made of.
    (
        both(fill("Traffic", {"checked_on": date(2026, 9, 1)}), fill("Configurations", {"requests_share": "n/a"})),
        {"Requests served of chat"},
    ),
)


def results(path: Path) -> dict[str, str]:
    """The result of every check, by its name."""
    sheet = load_workbook(path, data_only=True)[NAME]
    rows = sheet.iter_rows(min_row=FIRST_ROW + 1, max_col=4, values_only=True)
    return {name: result for name, _, _, result in rows if name and result}


def failed(path: Path) -> set[str]:
    return {name for name, result in results(path).items() if result == "FAIL"}


def verdict(path: Path) -> str:
    return str(load_workbook(path, data_only=True)["Cover"]["B4"].value)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The valid workbook with a class that is served by a mix of two classes, and directly."""
    rows = {
        **ROWS,
        "Traffic": [ROWS["Traffic"][0], {**ROWS["Traffic"][0], "traffic": "search"}],
        "Traffic mixes": [
            {"traffic_mix": "acme", "traffic": name, "mix_share": share, **SEEN}
            for name, share in (("chat", 0.25), ("search", 1.0))
        ],
        "Configurations": [
            {**ROWS["Configurations"][0], "requests_share": 0.75},
            {**ROWS["Configurations"][0], "configuration": "acme's", "traffic": "acme"},
        ],
    }
    path = tmp_path_factory.mktemp("mixed") / "mixed.xlsx"
    write_blank(path, rows, today=TODAY)
    return path


def test_what_is_written_carries_its_results(tmp_path: Path, mixed: Path) -> None:
    valid = write_valid(tmp_path / "valid.xlsx")
    for path in (valid, mixed):
        assert failed(path) == set()
        assert verdict(path) == "ALL CHECKS PASSED"
        assert len(results(path)) > 30
    write_blank(tmp_path / "blank.xlsx", today=TODAY)
    assert "Configurations: cells that must be filled and are blank" in failed(tmp_path / "blank.xlsx")
    # What a blank workbook lacks is its rows; nothing else is wrong with it.
    assert all("must be filled" in name for name in failed(tmp_path / "blank.xlsx"))
    for path in SHIPPED:
        assert failed(path) == {"Traffic: oldest checked_on", "Prices: oldest checked_on"}
        assert verdict(path) == "2 CHECKS FAILED, see Checks"


def test_only_functions_that_excel_has_had_since_2007(mixed: Path) -> None:
    book = load_workbook(mixed)
    formulas = [cell.value for row in book[NAME].iter_rows() for cell in row if cell.data_type == "f"]
    for formula in formulas:
        text = formula.text if isinstance(formula, ArrayFormula) else formula
        assert set(re.findall(r"([A-Z][A-Z0-9.]*)\(", text)) <= FUNCTIONS, text
        # Excel calls a file damaged whose formulas are longer.
        assert len(text) < 8192
        # Excel of 2007 transposes in array formulas only.
        assert isinstance(formula, ArrayFormula) == ("TRANSPOSE" in text)
    assert MASTER in book.defined_names


def test_lines_to_spare_are_blank_on_paper(mixed: Path) -> None:
    sheet = load_workbook(mixed)[NAME]
    rows = sheet.iter_rows(min_row=FIRST_ROW + 2, max_col=4)
    assert not [cell.coordinate for row in rows for cell in row if cell.border.bottom and cell.border.bottom.style]
    (ruled,) = sheet.conditional_formatting
    assert [rule.formula for rule in ruled.rules] == [[f'$A{FIRST_ROW + 2}<>""']]
    assert str(ruled.sqref) == f"A{FIRST_ROW + 2}:D{sheet.print_area.rpartition('$')[2]}"


@needs_libreoffice
def test_libreoffice_finds_the_same(tmp_path: Path, mixed: Path) -> None:
    valid = write_valid(tmp_path / "valid.xlsx")
    paths = (valid, mixed, *SHIPPED)
    for path, recalculated in zip(paths, all_recalculated_by_libreoffice(paths, tmp_path), strict=True):
        assert results(recalculated) == results(path)


@needs_libreoffice
def test_what_is_broken_fails_its_check(tmp_path: Path) -> None:
    valid = write_valid(tmp_path / "valid.xlsx")
    paths = [spoil(valid, tmp_path / f"{number}.xlsx", edit) for number, (edit, _) in enumerate(BROKEN)]
    recalculated = all_recalculated_by_libreoffice(paths, tmp_path)
    for path, (_, expected) in zip(recalculated, BROKEN, strict=True):
        assert failed(path) == expected, path.stem
        failures = len(expected)
        words = "CHECK FAILED" if failures == 1 else "CHECKS FAILED"
        assert verdict(path) == f"{failures} {words}, see Checks"


@needs_libreoffice
def test_checks_follow_a_table_that_grows(tmp_path: Path, mixed: Path) -> None:
    more_rows = (
        fill("Hardware", {"hardware": "H200", "on_demand_price": -3}, start=1),
        fill("Traffic", {**ROWS["Traffic"][0], "traffic": "code"}, start=2),
        widened("Hardware"),
        widened("Traffic"),
    )
    path = recalculated_by_libreoffice(spoil(mixed, tmp_path / "grown.xlsx", *more_rows), tmp_path)
    assert failed(path) == {
        "Hardware: cells that must be filled and are blank",
        "Hardware: numbers below zero",
        "Requests served of code",
    }
