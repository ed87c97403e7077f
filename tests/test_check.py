"""Checking a workbook: what the command answers, that all is found at once, and that nothing brings it down."""

from __future__ import annotations

import io
import json
import os
import random
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZipFile

import pytest
from bad_workbooks import doubtful, files
from bad_workbooks.valid import ROWS, at, fill, spoil, write_valid
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.cell import coordinate_to_tuple
from typer.testing import CliRunner

from engine.__main__ import INVALID, app
from engine.sheets import FIRST_ROW, Column
from engine.workbook import grid
from engine.workbook.blank import write_blank
from engine.workbook.problems import listing
from engine.workbook.read import READ, problems_of

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "inputs" / "example.xlsx"
USAGE = 2


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_valid(tmp_path_factory.mktemp("valid") / "november.xlsx")


@pytest.fixture(scope="module")
def bad(valid: Path) -> Path:
    """Two problems and a warning, on three sheets."""
    edits = (
        fill("Hardware", {"memory_bandwidth": "3,350"}),
        fill("Settings", {"headroom": 15}),
        doubtful.hide("Models", FIRST_ROW),
    )
    return spoil(valid, valid.with_name("bad.xlsx"), *edits)


@pytest.fixture(scope="module")
def doubted(valid: Path) -> Path:
    """A warning alone."""
    return spoil(valid, valid.with_name("doubted.xlsx"), doubtful.hide("Models", FIRST_ROW))


def check(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


# The command


def test_the_command_line_lists_everything_and_writes_nothing(bad: Path) -> None:
    before = {path: path.read_bytes() for path in bad.parent.iterdir()}
    call = [sys.executable, "-m", "engine", "check", bad.name]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(call, cwd=bad.parent, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (INVALID, "")
    assert done.stdout.splitlines() == [
        "Settings!B11  headroom is 1500 %; allowed is 0 % to 300 %. Type 15 % or 0.15.",
        "Hardware!H5   memory_bandwidth is the text '3,350'; allowed is 50 to 100,000 GB/s. Type 3350 as a number.",
        "Models!A5     warning: row 5 is hidden, by hand or by a filter; it counts all the same. "
        "Show it, and delete what is not meant.",
        "bad.xlsx: 2 problems and 1 warning.",
    ]
    assert {path: path.read_bytes() for path in bad.parent.iterdir()} == before


def test_exit_codes(valid: Path, bad: Path, doubted: Path) -> None:
    for path, code, strict_code in ((valid, 0, 0), (doubted, 0, INVALID), (bad, INVALID, INVALID)):
        assert check(path).exit_code == code, path
        assert check(path, "--strict").exit_code == strict_code, path
    assert check(valid).stdout == "november.xlsx: no problems.\n"
    assert check(doubted).stdout.splitlines()[-1] == "doubted.xlsx: 1 warning."


def test_json_has_every_part_of_a_problem(valid: Path, bad: Path, doubted: Path) -> None:
    done = check(bad, "--json")
    records = json.loads(done.stdout)
    assert done.exit_code == INVALID
    assert [record["place"] for record in records] == ["Settings!B11", "Hardware!H5", "Models!A5"]
    assert [record["severity"] for record in records] == ["error", "error", "warning"]
    assert records[0] == {
        "place": "Settings!B11",
        "sheet": "Settings",
        "cell": "B11",
        "severity": "error",
        "message": "headroom is 1500 %; allowed is 0 % to 300 %. Type 15 % or 0.15.",
        "found": "headroom is 1500 %",
        "allowed": "allowed is 0 % to 300 %",
        "remedy": "Type 15 % or 0.15.",
    }
    assert json.loads(check(valid, "--json").stdout) == []
    assert check(doubted, "--json").exit_code == 0
    assert check(doubted, "--json", "--strict").exit_code == INVALID


@pytest.mark.parametrize("command", ["check", "report", "explain"])
def test_a_file_that_is_not_there_is_a_usage_error(command: str, tmp_path: Path) -> None:
    for path, says in ((tmp_path / "december.xlsx", "does not exist"), (tmp_path, "is a directory")):
        done = CliRunner().invoke(app, [command, str(path)])
        assert done.exit_code == USAGE
        assert says in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("chek",), "No such command 'chek'. Did you mean 'check'?"),
        (("check",), "Missing argument 'workbook'."),
        (("check", "--loud", str(EXAMPLE)), "No such option: --loud"),
        (("report", str(EXAMPLE), "--month", "2026"), "'2026' is not a month; write it as 2026-11"),
        (("add", "hardware"), "Missing argument 'source'."),
    ],
)
def test_a_call_that_is_not_understood_is_answered_in_one_line(arguments: tuple[str, ...], sentence: str) -> None:
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, done.stdout, done.stderr) == (USAGE, "", f"Error: {sentence}\n")


def test_commands_without_arguments_show_their_help() -> None:
    for arguments in ((), ("add",)):
        done = CliRunner().invoke(app, arguments)
        assert (done.exit_code, done.stderr) == (USAGE, "")
        assert "Usage:" in done.stdout and "--help" in done.stdout


def test_a_file_that_is_no_workbook_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "picture.xlsx").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    done = check(tmp_path / "picture.xlsx")
    assert done.exit_code == INVALID
    assert done.stdout.startswith("picture.xlsx  is no Excel workbook but a picture (PNG), whatever its name.")
    assert json.loads(check(tmp_path / "picture.xlsx", "--json").stdout)[0]["sheet"] == "picture.xlsx"


# Hostile files


def test_hostile_files_take_little_memory(valid: Path, tmp_path: Path) -> None:
    """All of them together, in a process of their own, beside one that reads the valid workbook."""
    paths = []
    for number, each in enumerate(files.FILES):
        (tmp_path / str(number)).mkdir()
        paths.append(files.write(each, valid, tmp_path / str(number)))
    # On Linux a process's own peak, because what it is told as such begins with that of the process that started it.
    code = (
        "import re, resource, sys; from pathlib import Path; from engine.workbook.read import problems_of\n"
        "print(sum(len(problems_of(path)) for path in sys.argv[1:]))\n"
        "own = Path('/proc/self/status')\n"
        "print(re.search(r'VmHWM:\\s*(\\d+)', own.read_text())[1] if own.exists()"
        " else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    call = [sys.executable, "-c", code, *map(str, paths)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    told, memory = map(int, done.stdout.split())
    assert told == len(files.FILES)
    # Linux counts in KiB, macOS in bytes.
    assert memory * (1 if sys.platform == "darwin" else 1024) < 300e6


# Everything at once


def many(count: int) -> dict[str, list[dict[str, Any]]]:
    """The valid workbook with this many rows on every sheet; one configuration serves, the others are compared."""

    def again(rows: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
        return rows + [{**rows[0], key: f"{rows[0][key]} {number}"} for number in range(1, count)]

    sheets = {sheet.name: sheet for sheet in READ}
    rows = {
        name: given if sheets[name].vertical else again(given, sheets[name].keys[0].name)
        for name, given in ROWS.items()
    }
    rows["Configurations"] = [{**row, "requests_share": None} for row in rows["Configurations"]]
    rows["Configurations"][0]["requests_share"] = 1
    rows["Traffic"][1:] = [{**row, "mean_requests": None, "peak_requests": None} for row in rows["Traffic"][1:]]
    # The others name rows of their own, so that a slip in the first of a sheet is not the slip of all.
    for number, row in enumerate(rows["Configurations"]):
        for column, sheet in (("model", "Models"), ("hardware", "Hardware"), ("precision", "Precisions")):
            row[column] = rows[sheet][number][column]
    return rows


def slip(column: Column, value: Any, chance: random.Random) -> Any:
    """Something that this column does not allow. A name is padded, because without it others would miss it."""
    if column.key:
        return f"{value} "
    if column.unit.is_number and not column.words:
        return chance.choice(["n/a", "1 000", True, datetime(2026, 11, 3), -1e12, 1e12, "  ", "=1+1", "#N/A"])
    if column.unit.is_number or column.unit.kind in ("date", "month"):
        return chance.choice(["03.11.2026", False, "=TODAY()", "#REF!", " "])
    if column.refers_to or column.choices or column.words:
        return chance.choice(["nowhere to be found", 7, "#N/A", "   "])
    return chance.choice([7, True, datetime(2026, 11, 3), "#VALUE!", "=A1"])


def test_two_hundred_slips_are_found_at_once_and_nothing_else(tmp_path: Path) -> None:
    chance = random.Random(200)
    rows = many(30)
    write_blank(tmp_path / "many.xlsx", rows, today=datetime(2026, 12, 1).date())
    assert problems_of(tmp_path / "many.xlsx") == ()
    cells = [
        (sheet.name, column, row)
        for sheet in READ
        for row in range(len(rows.get(sheet.name, ())))
        for column in sheet.columns
    ]
    slips = chance.sample(cells, 200)
    edits = [
        fill(sheet, {column.name: slip(column, rows[sheet][row].get(column.name), chance)}, start=row)
        for sheet, column, row in slips
    ]
    found = problems_of(spoil(tmp_path / "many.xlsx", tmp_path / "bad.xlsx", *edits))
    expected = sorted(at(sheet, column.name, row) for sheet, column, row in slips)
    assert sorted(problem.place for problem in found) == expected, listing(found)


# Junk


@pytest.fixture(scope="module")
def parts() -> dict[str, bytes]:
    """The parts of the example's file."""
    with ZipFile(EXAMPLE) as package:
        return {name: package.read(name) for name in package.namelist()}


@pytest.fixture(scope="module")
def sheets() -> dict[str, tuple[str, set[str]]]:
    """Of every sheet that is read, the part that it lies in and its cells."""
    book = load_workbook(EXAMPLE)
    read = {sheet.name for sheet in READ}
    return {
        name: (f"xl/worksheets/sheet{number}.xml", {cell.coordinate for row in book[name].iter_rows() for cell in row})
        for number, name in enumerate(book.sheetnames, 1)
        if name in read
    }


TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn")), max_size=12)
NUMBERS = st.one_of(st.integers(), st.floats()).map(repr)
ERRORS = st.sampled_from(["#N/A", "#DIV/0!", "#REF!", "#NAME?"])
FORMULAS = st.sampled_from(["1/0", "A1", "cmd|'/c calc'!A0", "SUM(A1:XFD9)"])
JUNK = st.one_of(
    TEXTS.map(lambda text: f't="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is>'),
    NUMBERS.map(lambda number: f"><v>{number}</v>"),
    st.sampled_from(["0", "1"]).map(lambda flag: f't="b"><v>{flag}</v>'),
    ERRORS.map(lambda error: f't="e"><v>{error}</v>'),
    st.tuples(FORMULAS, NUMBERS).map(lambda both: f"><f>{escape(both[0])}</f><v>{both[1]}</v>"),
    FORMULAS.map(lambda formula: f"><f>{escape(formula)}</f>"),
    st.just(">"),
)


def with_junk(xml: bytes, junk: dict[str, str]) -> bytes:
    """The XML of a sheet with other things in some of its cells, in the style that they have."""

    def replaced(match: re.Match[str]) -> str:
        return f'<c r="{match[1]}"{match[2]} {junk[match[1]]}</c>' if match[1] in junk else match[0]

    return re.sub(r'<c r="(\w+)"( s="\d+")?[^>]*?(?:/>|>.*?</c>)', replaced, xml.decode()).encode()


@settings(
    max_examples=500, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_junk_in_any_cells_gives_problems_with_their_cells(data, parts, sheets, tmp_path, monkeypatch) -> None:
    """Read from a file as ever; only what is not junk is not parsed anew each time."""
    name = data.draw(st.sampled_from(sorted(sheets)))
    part, cells = sheets[name]
    junk = data.draw(st.dictionaries(st.sampled_from(sorted(cells, key=coordinate_to_tuple)), JUNK, max_size=8))
    packed = io.BytesIO()
    with ZipFile(packed, "w") as package:
        for each, content in parts.items():
            package.writestr(each, with_junk(content, junk) if each == part else content)
    path = tmp_path / "junk.xlsx"
    path.write_bytes(packed.getvalue())
    monkeypatch.setattr(grid, "_contents", remembered)
    for problem in problems_of(path):
        assert problem.sheet in sheets, problem
        assert not problem.cell or problem.cell in sheets[problem.sheet][1], problem
        assert problem.found and problem.advice
    assert path.read_bytes() == packed.getvalue()


PARSED: dict[tuple[str, bytes], grid.Contents] = {}
PARSE = grid._contents


def remembered(sheet: str, xml: bytes, reading: Any) -> grid.Contents:
    if (sheet, xml) not in PARSED:
        if len(PARSED) > 50:
            PARSED.clear()
        PARSED[sheet, xml] = PARSE(sheet, xml, reading)
    return PARSED[sheet, xml]
