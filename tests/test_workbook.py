"""The input workbook: what is written is what is read, and every defect is named with its cell."""

from __future__ import annotations

import hashlib
import math
import re
import shutil
import time
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from bad_workbooks import (
    actuals,
    billing,
    cells,
    doubtful,
    drivers,
    files,
    hours,
    layouts,
    mail,
    together,
    uncertainty,
)
from bad_workbooks.valid import ROWS, SEEN, TODAY, Defect, at, both, coordinate, fill, more, put, spoil, write_valid
from openpyxl import Workbook, load_workbook

from engine.catalogue import catalogue
from engine.sheets import BY_NAME, FIRST_ROW, HEAD_ROW, SHEETS, Column
from engine.workbook.blank import write_blank
from engine.workbook.grid import Cell, Contents, contents
from engine.workbook.problems import InvalidWorkbook, Problem, listing
from engine.workbook.read import READ, Inputs, read
from engine.workbook.validation import validation

PARTS = (cells, layouts, together, actuals, billing, hours, mail, drivers, uncertainty)
DEFECTS = tuple(defect for part in PARTS for defect in part.DEFECTS)
DOUBTS = doubtful.WARNINGS + actuals.WARNINGS + billing.WARNINGS + hours.WARNINGS


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_valid(tmp_path_factory.mktemp("valid") / "november.xlsx")


def problems_of(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(InvalidWorkbook) as caught:
        read(path)
    return caught.value.problems


def expected(column: Column, typed: Any, settings: dict[str, Any]) -> Any:
    """What reading must give for what was typed."""
    if typed is None and column.otherwise:
        return settings[column.otherwise]
    value = column.default if typed is None else typed
    return column.words.get(value, value)


def same(value: Any, wanted: Any) -> bool:
    return math.isnan(value) if wanted is None and isinstance(value, float) else bool(value == wanted)


# Reading


def test_every_value_comes_back(valid: Path) -> None:
    inputs = read(valid)
    for sheet in READ:
        rows = ROWS.get(sheet.name, [])
        table = inputs.tables[sheet.name]
        assert len(table) == len(rows)
        for row, typed in zip(table, rows, strict=True):
            for column in sheet.columns:
                wanted = expected(column, typed.get(column.name), inputs.settings)
                assert same(row[column.name], wanted), (sheet.name, column.name)
                assert row.is_blank(column.name) == (column.name not in typed)
                assert row.cell(column.name) == at(sheet.name, column.name, row.index)


def test_values_have_cells_and_the_file_a_hash(valid: Path) -> None:
    inputs = read(valid)
    assert inputs.cell("Hardware", "accelerator_memory") == "Hardware!G5"
    assert inputs.cell("Settings", "report_month") == "Settings!B7"
    assert inputs.settings["report_month"] == date(2026, 11, 1)
    assert inputs.settings["headroom"] == 0.2
    assert math.isnan(inputs.settings["days_in_month"])
    assert inputs.tables["Configurations"].columns["requested_batch_size"].tolist() == [0.0]
    assert inputs.tables["Configurations"].columns["shared_pool"].tolist() == [1.0]
    assert inputs.sha256 == hashlib.sha256(valid.read_bytes()).hexdigest()
    assert inputs.warnings == ()


def test_a_file_is_never_written(valid: Path, tmp_path: Path) -> None:
    for path in (valid, spoil(valid, tmp_path / "bad.xlsx", fill("Hardware", {"hardware": None}))):
        before = path.read_bytes(), path.stat().st_mtime_ns
        path.chmod(0o400)
        with suppress(InvalidWorkbook):
            read(path)
        assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_table_grows_below_itself_and_past_gaps(valid: Path, tmp_path: Path) -> None:
    grown = both(
        more("Hardware", {"hardware": "H200"}),
        fill("Hardware", {**ROWS["Hardware"][0], "hardware": "B200"}, start=300),
    )
    table = read(spoil(valid, tmp_path / "grown.xlsx", grown)).tables["Hardware"]
    assert table.columns["hardware"].tolist() == ["H100", "H200", "B200"]
    assert table.addresses["hardware"] == ("A5", "A6", "A305")


def test_cells_without_addresses_count_from_the_one_before(valid: Path, tmp_path: Path) -> None:
    """As some programs write them: the first of a row and every third have their address, the others follow."""

    def thinned(row: re.Match[bytes]) -> bytes:
        first, *others = re.split(rb"(?=<c r=)", row[0])
        kept = (cell if number % 3 == 0 else re.sub(rb'^<c r="\w+"', b"<c", cell) for number, cell in enumerate(others))
        return first + b"".join(kept)

    path = tmp_path / "thinned.xlsx"
    shutil.copy(valid, path)
    for number in range(2, len(SHEETS) + 2):
        part = f"xl/worksheets/sheet{number}.xml"
        with ZipFile(path) as package:
            content = package.read(part)
        thin = re.sub(rb"<row .*?</row>", thinned, content)
        assert thin != content
        path.write_bytes(files.with_part(part, thin)(path.read_bytes()))
    assert same_tables(read(path), read(valid))


def test_what_is_the_analysts_own_is_left_in_peace(valid: Path, tmp_path: Path) -> None:
    def own_sheet(book: Workbook) -> None:
        book.create_sheet("my notes", 0)["B2"] = "=1/0"

    column = layouts.FARTHER
    own = (
        put("Hardware", f"{column}{HEAD_ROW}", "my column"),
        put("Hardware", f"{column}40", "n/a"),
        put("Settings", "A99", "mine"),
        own_sheet,
    )
    assert same_tables(read(spoil(valid, tmp_path / "own.xlsx", *own)), read(valid))


def test_columns_stand_in_any_order_and_rows_above_are_allowed(valid: Path, tmp_path: Path) -> None:
    def turn(book: Workbook) -> None:
        for sheet in SHEETS:
            if not sheet.vertical:
                lines = [[cell.value for cell in row] for row in book[sheet.name].iter_rows(min_row=HEAD_ROW)]
                book[sheet.name].delete_rows(HEAD_ROW, len(lines))
                for row, line in enumerate(lines, start=HEAD_ROW + 2):
                    for column, value in enumerate(reversed(line), start=1):
                        book[sheet.name].cell(row, column).value = value

    inputs = read(spoil(valid, tmp_path / "turned.xlsx", turn))
    assert same_tables(inputs, read(valid))
    assert inputs.cell("Hardware", "note") == f"Hardware!A{FIRST_ROW + 2}"


def same_tables(one: Inputs, other: Inputs) -> bool:
    return all(
        one.tables[sheet.name].columns[column.name].tolist() == other.tables[sheet.name].columns[column.name].tolist()
        or math.isnan(one.tables[sheet.name].columns[column.name].item(0))
        for sheet in READ
        for column in sheet.columns
    )


def test_a_calculated_formula_is_read_and_kept(valid: Path, tmp_path: Path) -> None:
    cell, sheet = coordinate("Hardware", "memory_bandwidth"), _part_of("Hardware", valid)
    calculated = _edited(valid, tmp_path, sheet, b"<v>3350</v>", b"<f>3.35*1000</f><v>3350</v>")
    table = read(calculated).tables["Hardware"]
    assert table.columns["memory_bandwidth"].tolist() == [3350.0]
    assert table.formulas == {("memory_bandwidth", 0): "=3.35*1000"}
    assert table.addresses["memory_bandwidth"] == (cell,)


def test_a_formula_that_gives_empty_text_is_a_blank(valid: Path, tmp_path: Path) -> None:
    formula = b' t="str"><f>IF(TRUE,"",1)</f><v></v>'
    blank = _edited(valid, tmp_path, _part_of("Hardware", valid), b' t="n"><v>989</v>', formula)
    (problem,) = problems_of(blank)
    assert problem.found == "bf16_compute is blank"


def _part_of(sheet: str, path: Path) -> str:
    return f"xl/worksheets/sheet{load_workbook(path, read_only=True).sheetnames.index(sheet) + 1}.xml"


def _edited(path: Path, folder: Path, part: str, old: bytes, new: bytes) -> Path:
    """A copy with bytes of one part replaced, as Excel would have saved them."""
    with ZipFile(path) as package:
        content = package.read(part)
    assert old in content
    copy = folder / "edited.xlsx"
    copy.write_bytes(files.with_part(part, content.replace(old, new))(path.read_bytes()))
    return copy


# Problems


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_is_named_once_with_its_cell(defect: Defect, valid: Path, tmp_path: Path) -> None:
    found = problems_of(spoil(valid, tmp_path / "bad.xlsx", defect.edit))
    assert [problem.sentence for problem in found if problem.place == defect.place] == [defect.says]


def test_all_problems_come_at_once_in_order(valid: Path, tmp_path: Path) -> None:
    several = (
        fill("Hardware", {"memory_bandwidth": "3,350"}),
        fill("Settings", {"headroom": 15}),
        fill("Configurations", {"price_basis": "spot", "model": "Lama 8B"}),
        fill("Models", {"kv_heads": 64}),
    )
    found = problems_of(spoil(valid, tmp_path / "bad.xlsx", *several))
    assert [problem.place for problem in found] == [
        at("Settings", "headroom"),
        at("Configurations", "model"),
        at("Configurations", "price_basis"),
        at("Hardware", "memory_bandwidth"),
        at("Models", "kv_heads"),
    ]


def test_what_follows_from_a_broken_cell_is_not_repeated(valid: Path, tmp_path: Path) -> None:
    for edit in (
        fill("Hardware", {"hardware": " H100 "}),
        fill("Hardware", {"on_demand_price": "n/a"}),
        fill("Traffic", {"mean_requests": "n/a"}),
        fill("Configurations", {"requests_share": "all"}),
        put("Hardware", f"{coordinate('Hardware', 'link_bandwidth')[0]}{HEAD_ROW}", None),
    ):
        assert len(problems_of(spoil(valid, tmp_path / "bad.xlsx", edit))) == 1


def test_the_messages_of_the_house(valid: Path, tmp_path: Path) -> None:
    edits = (
        fill("Configurations", {"hardware": "v5p", "assumed_utilization": 120}),
        fill("Hardware", {"memory_bandwidth": "=1+1"}),
        more("Hardware", {"hardware": "v5e"}),
    )
    assert listing(problems_of(spoil(valid, tmp_path / "bad.xlsx", *edits))) == "\n".join(
        (
            "Configurations!C5  'v5p' is not on the Hardware sheet, which has: H100, v5e. "
            "Choose one, or add a row there.",
            "Configurations!U5  assumed_utilization is 12000 %; allowed is 1 % to 100 %. Type 12 % or 0.12.",
            "Hardware!H5        is a formula that was never calculated (the file was saved by a program that does not "
            "calculate). Open it in Excel, save, and run again.",
        )
    )


ODD = (" ", " H100 ", "12 %", True, -1, 1e300, math.nan, TODAY)


def test_nothing_in_any_cell_brings_reading_down(valid: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, names = contents(valid.read_bytes(), [sheet.name for sheet in READ])
    monkeypatch.setattr("engine.workbook.read.safe_bytes", lambda path: b"")
    odd_cells = (*(Cell(value) for value in ODD), Cell(None, "=1/0"), Cell("#DIV/0!", "=1/0", is_error=True))
    for sheet, grid in good.items():
        for position in [position for position in grid.cells if position[0] >= HEAD_ROW]:
            without = {other: cell for other, cell in grid.cells.items() if other != position}
            for spoiled in (without, *({**grid.cells, position: odd} for odd in odd_cells)):
                held = {**good, sheet: Contents(spoiled)}, names
                monkeypatch.setattr("engine.workbook.read.contents", lambda *_, held=held: held)
                with suppress(InvalidWorkbook):
                    read(valid)


@pytest.mark.parametrize("doubt", DOUBTS, ids=lambda doubt: doubt.name)
def test_a_doubt_is_a_warning(doubt: Defect, valid: Path, tmp_path: Path) -> None:
    (warning,) = read(spoil(valid, tmp_path / "odd.xlsx", doubt.edit)).warnings
    assert (warning.place, warning.sentence, warning.severity) == (doubt.place, doubt.says, "warning")


def test_days_soon_after_the_month_are_not_doubted(valid: Path, tmp_path: Path) -> None:
    """Nor are those of a workbook that reports a month long past."""
    last = fill("Traffic", {"checked_on": date(2027, 3, 2)})
    assert read(spoil(valid, tmp_path / "last.xlsx", last)).warnings == ()
    past = fill("Settings", {"report_month": date(2026, 1, 1)})
    assert read(spoil(valid, tmp_path / "past.xlsx", past)).warnings == ()


def test_measurements_that_fit_are_not_doubted(valid: Path, tmp_path: Path) -> None:
    measured = {"measured_output_speed": 1000, "measured_input_speed": 3900}
    assert read(spoil(valid, tmp_path / "even.xlsx", fill("Configurations", measured))).warnings == ()


def test_the_catalogue_is_not_doubted(valid: Path, tmp_path: Path) -> None:
    known = [{**fact, "price_source": "seen"} for fact in catalogue("accelerators")]
    assert read(spoil(valid, tmp_path / "known.xlsx", fill("Hardware", *known, start=1))).warnings == ()


@pytest.mark.parametrize("note", ["~$november.xlsx", ".~lock.november.xlsx#"])
def test_a_workbook_that_is_open_is_read_with_a_warning(note: str, valid: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(valid, tmp_path / "november.xlsx"))
    (tmp_path / note).write_bytes(b"somebody")
    (warning,) = read(path).warnings
    assert str(warning) == (
        f"november.xlsx  is open in another program ({note} lies beside it); what has not been saved is not read. "
        "Save it there and close it; delete that file where nobody has it open."
    )


def test_shares_may_come_from_a_class_and_its_mixes(valid: Path, tmp_path: Path) -> None:
    mixed = (
        fill("Traffic mixes", {"traffic_mix": "acme", "traffic": "chat", "mix_share": 0.3, **SEEN}),
        fill("Configurations", {"requests_share": 0.7}),
        more("Configurations", {"configuration": "acme's", "traffic": "acme"}),
    )
    assert read(spoil(valid, tmp_path / "mixed.xlsx", *mixed)).warnings == ()


# Files


@pytest.mark.parametrize("bad", files.FILES, ids=lambda bad: bad.name)
def test_a_bad_file_is_refused_quickly(bad: files.BadFile, valid: Path, tmp_path: Path) -> None:
    path = files.write(bad, valid, tmp_path)
    begin = time.process_time()
    read(valid)
    middle = time.process_time()
    (problem,) = problems_of(path)
    # Five readings of a good file are the most that any takes; the rest is for a noisy machine.
    assert time.process_time() - middle < 25 * (middle - begin)
    assert (problem.place, problem.sentence) == (bad.place, bad.says)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "there is no such file" in listing(problems_of(tmp_path / "december.xlsx"))
    assert "is a folder" in listing(problems_of(tmp_path))


# Writing


def test_the_same_rows_give_the_same_bytes(valid: Path, tmp_path: Path) -> None:
    time.sleep(1.1)  # a clock that found its way into the file would show
    assert write_valid(tmp_path / "again.xlsx").read_bytes() == valid.read_bytes()


def test_a_blank_workbook_asks_for_its_rows_only(tmp_path: Path) -> None:
    write_blank(tmp_path / "blank.xlsx", today=TODAY)
    found = problems_of(tmp_path / "blank.xlsx")
    assert {problem.place for problem in found} == {
        at("Settings", "report_month"),
        *(f"{sheet.name}!A5" for sheet in READ if not sheet.may_be_empty and not sheet.vertical),
    }


def test_text_that_begins_like_a_formula_stays_text(tmp_path: Path) -> None:
    rows = {**ROWS, "Configurations": [{**ROWS["Configurations"][0], "note": "=1+1"}]}
    write_blank(tmp_path / "text.xlsx", rows, today=TODAY)
    assert read(tmp_path / "text.xlsx").tables["Configurations"].columns["note"].tolist() == ["=1+1"]
    assert load_workbook(tmp_path / "text.xlsx")["Configurations"][coordinate("Configurations", "note")].quotePrefix


def test_only_declared_sheets_and_columns_are_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such sheet: Hardwares"):
        write_blank(tmp_path / "bad.xlsx", {"Hardwares": []}, today=TODAY)
    with pytest.raises(ValueError, match="no such column on Hardware: speed"):
        write_blank(tmp_path / "bad.xlsx", {"Hardware": [{"speed": 1}]}, today=TODAY)


def test_sheets_can_be_used_and_printed(valid: Path) -> None:
    book = load_workbook(valid)
    assert book.sheetnames == ["Cover", *(sheet.name for sheet in SHEETS), "Checks"]
    assert set(book.defined_names) == {"Report_Month", "Reporting_Currency", "Master_Check"}
    for declared in SHEETS:
        sheet = book[declared.name]
        first = sheet[coordinate(declared.name, declared.columns[0].name)]
        assert list(sheet.tables) == [declared.table]
        assert sheet.sheet_state == "visible"
        assert not sheet.merged_cells.ranges
        assert sheet.protection.sheet and sheet.protection.password is None
        assert not sheet.protection.sort and not sheet.protection.insertRows and not sheet.protection.autoFilter
        assert not first.protection.locked and sheet["A1"].protection.locked
        assert sheet.freeze_panes and sheet.print_title_rows == "$3:$4"
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
        assert not [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.style == "Normal"]


def test_rows_grow_with_what_is_typed_into_them(tmp_path: Path) -> None:
    settings = [{"owner": "those who answer for the figures " * 3}]
    write_blank(tmp_path / "blank.xlsx", {"Settings": settings}, today=TODAY)
    book = load_workbook(tmp_path / "blank.xlsx")
    for declared in SHEETS:
        sheet = book[declared.name]
        assert not sheet.sheet_format.customHeight
        assert declared.vertical or sheet.row_dimensions[FIRST_ROW].height is None
        for column in declared.columns:
            if column.refers_to and not declared.vertical:
                letter = coordinate(declared.name, column.name).rstrip("0123456789")
                assert sheet.column_dimensions[letter].width >= len("Llama 3.1 8B") + 2
    assert book["Settings"].row_dimensions[FIRST_ROW + 1].height > 3 * 13


def test_every_input_has_a_prompt_that_excel_can_show() -> None:
    for sheet in BY_NAME.values():
        for column in sheet.columns:
            rule = validation(sheet, column, "A5:A200")
            assert rule.prompt and rule.error and rule.type
            assert len(rule.formula1) <= 255
