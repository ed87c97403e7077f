"""A run from end to end: what it leaves behind, that its parts say the same, and what the commands answer."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pikepdf
import pytest
from bad_workbooks.valid import at, coordinate, fill, more, spoil, write_valid
from openpyxl import load_workbook
from openpyxl.utils import coordinate_to_tuple
from typer.testing import CliRunner

from engine import __version__, archive
from engine.__main__ import FAILED_CHECK, INVALID, app
from engine.derivation import OF_THE_ROW, UnknownNameError, derive
from engine.formulas import BUCKET_PRICES, FORMULAS
from engine.render import typesetting
from engine.run import report_month
from engine.sheets import BY_NAME, CHOICES, FIRST_ROW, HEAD_ROW, SETTINGS
from engine.units import DollarsPerMonth, show
from engine.workbook.problems import InvalidWorkbook, listing
from engine.workbook.read import READ, read

ROOT = Path(__file__).parents[1]
NOVEMBER = ROOT / "inputs" / "example.xlsx"
OF = "gross_profit of "
LEFT_BEHIND = {"results.xlsx", "report.pdf", "report.eml", "results.parquet", "run.json", "input.xlsx"}
USAGE = 2

# What other programs read, and in which unit.
CONTRACT = {
    "configuration": "",
    "model": "",
    "hardware": "",
    "traffic": "",
    "weight_memory": "GB",
    "kv_cache_per_token": "B/token",
    "sequence_memory": "GB",
    "batch_size_limit": "sequences",
    "batch_size": "sequences",
    "step_time": "s",
    "time_per_output_token": "s",
    "prefill_time": "s",
    "time_to_first_token": "s",
    "output_speed": "tok/s",
    "input_speed": "tok/s",
    "output_cost": "$/Mtoken",
    "input_cost": "$/Mtoken",
    "blended_cost": "$/Mtoken",
    "request_cost": "$/request",
    "replica_count": "",
    "accelerator_count": "",
    "fleet_accelerators": "",
    "fleet_cost": "$/month",
    "revenue": "$/month",
    "gross_profit": "$/month",
    "gross_margin": "",
    "break_even_utilization": "",
    "fits": "",
    "bound": "",
    "reason": "",
}
# Known whether or not a configuration fits.
BEFORE_FITTING = {"weight_memory", "kv_cache_per_token", "sequence_memory", "batch_size_limit", "accelerator_count"}


def command(*arguments, folder=ROOT):
    """The command line as a person runs it."""
    return subprocess.run(
        [sys.executable, "-m", "engine", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )


def told(result):
    """What a command wrote to stderr, on one line."""
    return " ".join(result.stderr.split())


def files_of(folder):
    """Every file under a folder, hidden ones too, with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def run(november):
    return json.loads((november / "run.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def frame(november):
    return pd.read_parquet(november / "results.parquet")


@pytest.fixture(scope="module")
def results(november):
    return load_workbook(november / "results.xlsx", data_only=True)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_valid(tmp_path_factory.mktemp("small") / "small.xlsx")


# What is left behind


def test_a_run_leaves_exactly_its_files(archive):
    assert sorted(path.name for path in archive.iterdir()) == ["2026-10", "2026-11"]
    for month in archive.iterdir():
        assert {path.name for path in month.iterdir()} == LEFT_BEHIND


def test_the_input_is_kept_as_it_was(november, run):
    assert (november / "input.xlsx").read_bytes() == NOVEMBER.read_bytes()
    assert run["input"] == {"file": "example.xlsx", "sha256": hashlib.sha256(NOVEMBER.read_bytes()).hexdigest()}


def test_the_run_says_how_it_went(run):
    assert (run["month"], run["state"], run["passed"]) == ("2026-11", "draft", True)
    assert run["engine"]["version"] == __version__
    assert len(run["checks"]) >= 6
    for check in run["checks"]:
        assert check["passed"] and abs(check["found"] - check["expected"]) <= check["allowed"], check
    assert {"read", "calculate", "results.xlsx", "report.pdf", "results.parquet"} <= set(run["seconds"])
    assert all(0 <= seconds < 120 for seconds in run["seconds"].values())


def test_the_parquet_holds_what_other_programs_read(frame):
    assert set(CONTRACT) <= set(frame.columns)
    assert {name: frame.attrs[name] for name in CONTRACT} == CONTRACT
    assert set(frame.attrs) == set(frame.columns)
    typed = read(NOVEMBER).tables["Configurations"].columns["configuration"]
    assert list(frame["configuration"]) == list(typed)
    assert frame["fits"].dtype == bool


def test_what_does_not_fit_is_blank_with_a_reason(frame):
    numbers = [name for name in CONTRACT if frame[name].dtype == float]
    assert len(numbers) >= 20
    out, fits = frame[~frame["fits"]], frame[frame["fits"]]
    assert len(out) == 1 and len(fits) == len(frame) - 1
    assert out[[name for name in numbers if name not in BEFORE_FITTING]].isna().all(axis=None)
    assert out[sorted(BEFORE_FITTING)].notna().all(axis=None)
    assert list(out["reason"]) == ["the weights exceed the usable memory"] and list(out["bound"]) == [""]
    assert fits[numbers].notna().all(axis=None)
    assert (fits["reason"] == "").all()
    assert set(fits["bound"]) <= {"weights", "compute", "KV cache", "network", "overhead"}


def test_figures_are_sums_over_the_parquet(run, frame):
    serving = frame[frame["counts"]]
    summed = ["gross_profit", "revenue", "fleet_cost", "idle_cost", "sold_tokens", "fleet_accelerators", "held_hours"]
    total = serving[summed].sum()
    busy = 1 - total.idle_cost / total.fleet_cost
    expected = {
        "gross_profit": total.gross_profit,
        "gross_margin": total.gross_profit / total.revenue,
        "revenue": total.revenue,
        "fleet_cost": total.fleet_cost,
        "served_cost": total.fleet_cost / total.sold_tokens,
        "served_price": total.revenue / total.sold_tokens,
        "idle_share": total.idle_cost / total.fleet_cost,
        "busy_share": busy,
        "break_even_utilization": busy * total.fleet_cost / total.revenue,
        "fleet_accelerators": total.fleet_accelerators,
        "sold_tokens": total.sold_tokens,
        "held_hours": total.held_hours,
    }
    expected |= serving.groupby("traffic")["gross_profit"].sum().add_prefix("gross_profit of ").to_dict()
    expected |= serving.set_index("configuration")["blended_cost"].add_prefix("blended_cost of ").to_dict()
    assert run["figures"] == pytest.approx(expected, rel=1e-9)


def test_alternatives_are_in_no_total(run, frame):
    alternatives = frame[frame["fits"] & ~frame["serves"]]
    assert len(alternatives) > 10 and not alternatives["counts"].any()
    assert alternatives["fleet_cost"].gt(0).all()
    assert frame.loc[frame["fits"], "fleet_cost"].sum() > 2 * run["figures"]["fleet_cost"]


def test_summary_cells_are_the_figures(run, results):
    cells = {row[0]: row[2] for row in results["Summary"].iter_rows(min_row=5, max_col=3, values_only=True)}
    names = {
        "Gross profit": "gross_profit",
        "Gross margin": "gross_margin",
        "Revenue": "revenue",
        "Accelerator bill": "fleet_cost",
        "Cost per million tokens": "served_cost",
        "Price per million tokens": "served_price",
        "Idle share of the bill": "idle_share",
        "Utilization": "busy_share",
        "Break-even utilization": "break_even_utilization",
        "Accelerators": "fleet_accelerators",
    }
    traffics = {name.removeprefix(OF): name for name in run["figures"] if name.startswith(OF)}
    for label, name in (names | traffics).items():
        assert cells[label] == pytest.approx(run["figures"][name], rel=1e-9), label
    # Tokens, hours and costs are kept for later months, and stand on other sheets.
    rest = {name for name in run["figures"] if not name.startswith("blended_cost of ")}
    assert {*names.values(), *traffics.values(), "sold_tokens", "held_hours"} == rest


def test_summary_shows_the_month_before_and_the_change(archive, run, results):
    before = json.loads((archive / "2026-10" / "run.json").read_text(encoding="utf-8"))["figures"]
    rows = {row[0]: row[1:5] for row in results["Summary"].iter_rows(min_row=5, max_col=5, values_only=True)}
    _, now, then, change = rows["Gross profit"]
    assert then == before["gross_profit"]
    assert change == pytest.approx(now - then) == pytest.approx(run["figures"]["gross_profit"] - before["gross_profit"])
    # The profits of the traffics, in the table below, add up.
    profits = [rows[name.removeprefix(OF)][1] for name in run["figures"] if name.startswith(OF)]
    assert sum(profits) == pytest.approx(run["figures"]["gross_profit"])


def test_key_figures_of_the_pdf_quote_the_summary(november, pages_of, results, run):
    page = pages_of(november / "report.pdf")[0]
    shown = {
        "Gross profit": lambda value: f"${value / 1e3:,.0f}k",
        "Gross margin": lambda value: f"{value * 100:.1f}%",
        "Cost per million tokens": lambda value: f"${value:.3f}",
        "Idle share of the bill": lambda value: f"{value * 100:.1f}%",
        "Utilization": lambda value: f"{value * 100:.1f}%",
    }
    for label, text_of in shown.items():
        quoted, sheet, cell = re.search(rf"{label} (\S+) [▲▼][^!]*? (\w+)!([A-Z]+\d+)", page).groups()
        assert results[sheet].cell(coordinate_to_tuple(cell)[0], 1).value == label
        assert quoted == text_of(results[sheet][cell].value), label
    assert run["headline"] in page
    profit, margin = run["figures"]["gross_profit"], run["figures"]["gross_margin"]
    assert f"${profit / 1e3:.0f}k, a {margin * 100:.1f}% gross margin" in run["headline"]


def test_page_1_tells_the_change_since_october(archive, november, pages_of, run):
    before = json.loads((archive / "2026-10" / "run.json").read_text(encoding="utf-8"))["figures"]
    page = pages_of(november / "report.pdf")[0]
    rise = run["figures"]["gross_profit"] - before["gross_profit"]
    margin = (run["figures"]["gross_margin"] - before["gross_margin"]) * 100
    assert f"Gross profit rose by ${rise / 1e3:.0f}k and the margin moved +{margin:.1f} pts on October: " in page
    first = pages_of(archive / "2026-10" / "report.pdf")[0]
    assert "No earlier month is in the archive, so there is no change to show." in first
    october = json.loads((archive / "2026-10" / "run.json").read_text(encoding="utf-8"))
    # The steps from the month before are checked where there is one.
    assert len(run["checks"]) == len(october["checks"]) + 1
    for told, of in ((page, run), (first, october)):
        assert f"All {len(of['checks'])} checks passed" in told


def test_nothing_unfinished_is_in_the_pdf(archive, pages_of):
    for month in ("2026-10", "2026-11"):
        text = " ".join(pages_of(archive / month / "report.pdf"))
        assert not re.search(r"\bnan\b|\bNone\b|\binf\b|\{\{|\}\}|Undefined", text, re.IGNORECASE)


# The same again, or not at all


def test_the_same_input_gives_the_same_bytes(archive, november, tmp_path, pages_of):
    """In another process, because the order of a set must not show."""
    shutil.copytree(archive / "2026-10", tmp_path / "reports" / "2026-10")
    done = command("report", NOVEMBER, "--out", "reports", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Written: reports/2026-11/report.pdf and results.xlsx" in done.stdout
    again = tmp_path / "reports" / "2026-11"
    assert (again / "results.xlsx").read_bytes() == (november / "results.xlsx").read_bytes()
    assert (again / "results.parquet").read_bytes() == (november / "results.parquet").read_bytes()
    assert pages_of(again / "report.pdf") == pages_of(november / "report.pdf")
    assert (again / "report.pdf").read_bytes() == (november / "report.pdf").read_bytes()
    assert (again / "report.eml").read_bytes() == (november / "report.eml").read_bytes()


def test_the_pdf_is_an_archive_file_with_its_workbook(november):
    """PDF/A-3a: tagged, in a language, with every font inside, and with the workbook that its figures are from."""
    with pikepdf.open(november / "report.pdf") as pdf:
        with pdf.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        assert str(pdf.Root.Lang) == "en" and bool(pdf.Root.MarkInfo.Marked) and "/StructTreeRoot" in pdf.Root
        (intent,) = pdf.Root.OutputIntents
        assert str(intent.S) == "/GTS_PDFA1" and "/DestOutputProfile" in intent
        (file,) = pdf.Root.AF
        assert str(file.AFRelationship) == "/Source" and list(pdf.attachments) == ["results.xlsx"]
        held = pdf.attachments["results.xlsx"].get_file()
        assert held.read_bytes() == (november / "results.xlsx").read_bytes()
        assert held.creation_date == held.mod_date == datetime(2026, 11, 28, tzinfo=UTC)
        objects = [thing for thing in pdf.objects if isinstance(thing, pikepdf.Dictionary)]
        fonts = [thing for thing in objects if thing.get("/Type") == "/FontDescriptor"]
        assert fonts and all("/FontFile2" in font or "/FontFile3" in font for font in fonts)
        figures = [thing for thing in objects if thing.get("/S") == "/Figure"]
        assert len(figures) >= 10 and all(str(figure.get("/Alt", "")).strip() for figure in figures)
        assert not any("/JS" in thing or thing.get("/S") in ("/URI", "/JavaScript", "/Launch") for thing in objects)


def test_a_run_does_not_load_pandas(small, tmp_path):
    """It takes 50 MB, and pyarrow loads it unasked to convert what stands in Python's memory."""
    script = (
        "import sys; from pathlib import Path; from engine.run import report_month;"
        "report_month(*map(Path, sys.argv[1:])); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script, small, tmp_path], cwd=ROOT, check=False).returncode == 0


class BrokenError(Exception):
    pass


def write_new(folder, revision):
    (folder / "new.txt").write_text("new", encoding="utf-8")


@pytest.fixture
def old_month(november, tmp_path):
    """An archive in which November stands, and all that is in it."""
    shutil.copytree(november, tmp_path / "reports" / "2026-11")
    return tmp_path / "reports", files_of(tmp_path / "reports")


def test_a_run_that_fails_midway_changes_nothing(small, old_month, monkeypatch):
    reports, before = old_month

    def fails(*_, **__):
        raise BrokenError

    monkeypatch.setattr("engine.render.pdf.write_pdf", fails)
    with pytest.raises(BrokenError):
        report_month(small, reports)
    assert files_of(reports) == before
    assert [path.name for path in reports.iterdir()] == ["2026-11"]


def test_a_run_that_cannot_take_its_place_changes_nothing(old_month, monkeypatch):
    reports, before = old_month
    rename = Path.rename

    def fails(path, target):
        if (path / "new.txt").exists():
            raise BrokenError
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(BrokenError):
        archive.write_run(reports, date(2026, 11, 1), write_new)
    assert files_of(reports) == before


def test_a_draft_is_replaced(old_month):
    reports, _ = old_month
    archive.write_run(reports, date(2026, 11, 1), write_new)
    assert files_of(reports) == {"2026-11/new.txt": b"new"}
    assert [path.name for path in reports.iterdir()] == ["2026-11"]


def test_the_month_before_january_is_december():
    assert archive.month_before(date(2026, 1, 1)) == date(2025, 12, 1)
    assert archive.month_before(date(2026, 11, 1)) == date(2026, 10, 1)
    assert archive.month_before(date(2026, 12, 1)) == date(2026, 11, 1)


# The commands


def test_a_workbook_with_problems_is_told_and_left_alone(small, tmp_path):
    edits = (
        fill("Hardware", {"memory_bandwidth": "3,350"}),
        fill("Settings", {"headroom": 15}),
        fill("Configurations", {"model": "Lama 8B"}),
    )
    path = spoil(small, tmp_path / "bad.xlsx", *edits)
    before = path.read_bytes(), path.stat().st_mtime_ns
    done = command("report", path, folder=tmp_path)
    assert done.returncode == INVALID == 3
    with pytest.raises(InvalidWorkbook) as invalid:
        read(path)
    assert len(invalid.value.problems) == 3
    assert done.stderr.splitlines() == listing(invalid.value.problems).splitlines()
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert [entry.name for entry in tmp_path.iterdir()] == ["bad.xlsx"]
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_failed_check_is_written_and_told(small, tmp_path, pages_of):
    edits = (
        fill("Configurations", {"requests_share": 0.5, "measured_output_speed": 1000, "measured_input_speed": 3000}),
        more("Configurations", {"configuration": "too large", "requests_share": 0.5, "model": "Giant"}),
        more("Models", {"model": "Giant", "total_parameters": 800, "active_parameters": 800}),
    )
    path = spoil(small, tmp_path / "large.xlsx", *edits)
    done = CliRunner().invoke(app, ["report", str(path), "--out", str(tmp_path / "reports")])
    assert done.exit_code == FAILED_CHECK == 4
    assert "FAILED: Configurations that serve and do not fit" in done.stderr
    place = at("Configurations", "measured_input_speed")
    assert f"Warning: {place}  measured_input_speed is 3,000 tok/s" in done.stderr
    folder = tmp_path / "reports" / "2026-11"
    assert {file.name for file in folder.iterdir()} == LEFT_BEHIND
    left = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert not left["passed"]
    failed = [check["name"] for check in left["checks"] if not check["passed"]]
    assert failed[0] == "Configurations that serve and do not fit" and len(failed) == 1
    (page, *_) = pages_of(folder / "report.pdf")
    assert "One check failed." in page and "Checks failed" in page
    assert b"\r\nSubject: FAILED: " in (folder / "report.eml").read_bytes()
    cover = load_workbook(folder / "results.xlsx", data_only=True)["Report"]
    assert "1 CHECK FAILED" in [cell.value for row in cover.iter_rows() for cell in row]


def test_a_month_can_be_named(small, tmp_path):
    before = small.read_bytes()
    arguments = ["report", str(small), "--month", "2026-02", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert done.stdout.strip().startswith("February earned ")
    assert [path.name for path in tmp_path.iterdir()] == ["2026-02"]
    left = json.loads((tmp_path / "2026-02" / "run.json").read_text(encoding="utf-8"))
    assert left["month"] == "2026-02" and left["headline"].startswith("February")
    settings = load_workbook(tmp_path / "2026-02" / "results.xlsx")["Settings"]
    cell = settings[coordinate("Settings", "report_month")]
    assert f"{cell.value:%Y-%m}" == "2026-02" and "2026-11" in cell.comment.text
    days = pd.read_parquet(tmp_path / "2026-02" / "results.parquet")["days_in_month"]
    assert list(days) == [28.0]
    assert small.read_bytes() == before


@pytest.mark.parametrize("month", ["2026-13", "November", "11-2026", "2026-11-05"])
def test_a_month_that_is_none_is_a_usage_error(small, month, tmp_path):
    done = CliRunner().invoke(app, ["report", str(small), "--month", month, "--out", str(tmp_path / "reports")])
    assert done.exit_code == USAGE
    assert f"'{month}' is not a month; write it as 2026-11" in told(done)
    assert not (tmp_path / "reports").exists()


def test_without_arguments_the_commands_are_listed():
    done = command()
    assert done.returncode == USAGE
    for name in ("report", "blank", "explain"):
        assert name in done.stdout + done.stderr


def test_the_installed_command_helps():
    script = Path(sys.executable).parent / "inference-margin"
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "explain" in done.stdout


def test_a_blank_workbook_misses_only_rows(tmp_path):
    done = command("blank", tmp_path / "new.xlsx", folder=tmp_path)
    assert done.returncode == 0 and f"Written: {tmp_path / 'new.xlsx'}" in done.stdout
    book = load_workbook(tmp_path / "new.xlsx")
    assert {sheet.name for sheet in READ} < set(book.sheetnames)
    with pytest.raises(InvalidWorkbook) as invalid:
        read(tmp_path / "new.xlsx")
    places = {problem.place for problem in invalid.value.problems}
    assert places == {
        at("Settings", "report_month"),
        *(f"{name}!A{FIRST_ROW}" for name in ("Configurations", "Traffic", "Prices", "Hardware", "Models")),
    }


# Explaining


INPUT = re.compile(r"^\s*(?P<label>.+?) = (?P<value>.+?)   (?P<place>'?[A-Z][\w ]*'?![A-Z]+\d+)(?P<more>.*)$")
CHOSEN = {choice.quantity: set(choice.columns.values()) for choice in CHOICES}
RENAMED = {**CHOSEN, "served_share": {"requests_share"}, "serves": {"requests_share"}, "has_demand": {"mean_requests"}}
RENAMED |= {"days_in_month": {"report_month"}, "month_start": {"report_month"}}
RENAMED |= {"hour_share": {"weekday_share", "weekend_share", "load_profile"}}
RENAMED |= {name: {"price_basis"} for name in ("is_rented", "spot_share")}
RENAMED |= {name: {"report_month"} for name in ("part_days", "calendar_days", "working_days")}
RENAMED |= {f"{kind}_{price}": {price} for price in BUCKET_PRICES for kind in ("row", "has_row")}


def head_of(book, place):
    """Sheet, column name and value of an input cell."""
    sheet, cell = place.replace("'", "").split("!")
    row, column = coordinate_to_tuple(cell)
    vertical = BY_NAME[sheet].vertical
    head = book[sheet].cell(row, 1) if vertical else book[sheet].cell(HEAD_ROW, column)
    return BY_NAME[sheet], head.value, book[sheet][cell].value


@pytest.mark.parametrize(
    ("configuration", "quantity"),
    [
        ("Chat on 4 H100", "blended_cost"),
        ("Code on 8 H200", "gross_profit"),
        ("Partners on 2 A100", "gross_margin"),
        ("Chat on 4 H100, prefill apart", "input_cost"),
        ("Reasoning on 4 B300, nvfp4", "step_time"),
        ("405B demo on 8 H100", "revenue"),
    ],
)
def test_a_figure_is_explained_down_to_input_cells(configuration, quantity, frame):
    lines = derive(NOVEMBER, quantity, configuration=configuration)
    value = frame.set_index("configuration")[quantity][configuration]
    unit = FORMULAS[quantity].__annotations__["return"]
    assert lines[0] == f"{quantity.replace('_', ' ')} = {show(value, unit)}"
    assert lines[1].startswith("    = ") and lines[2].startswith("    = ")
    book = load_workbook(NOVEMBER, data_only=True)
    leaves = [found for found in map(INPUT.match, lines) if found]
    assert len(leaves) >= 15
    for leaf in leaves:
        name = leaf["label"].replace(" ", "_")
        sheet, head, typed = head_of(book, leaf["place"])
        assert head in RENAMED.get(name, {name}), leaf[0]
        column = sheet.column(head)
        if typed is not None and column.unit.is_number and name == head:
            shown = typed if typed in column.words else show(float(typed), column.annotation)
            assert leaf["value"] == shown, leaf[0]
        elif typed is None and name == head and sheet is not SETTINGS:
            assert leaf["more"].strip(), f"a blank cell says so: {leaf[0]}"


def test_every_part_of_an_explanation_ends_in_a_cell_or_was_explained():
    """A line either has a formula or an aggregate beneath it, or names its input cell, or says which row it is of."""
    lines = derive(NOVEMBER, "gross_profit", configuration="Partners on 2 A100")
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        text = line.strip()
        if text.startswith(("=", "(")):
            continue
        explained = after.strip().startswith("=") or after.strip() == "(as above)"
        assert explained or "!" in text or text.endswith(f"   {OF_THE_ROW}"), line


def test_what_does_not_fit_is_explained_by_why():
    name = "Chat on 4 TPU v5e"
    lines = derive(NOVEMBER, "output_cost", configuration=name)
    assert lines[:2] == [f"{name} does not fit: the weights exceed the usable memory.", ""]
    assert lines[2] == "fits = no"
    assert any(line.strip().startswith("weight memory = 70.55") for line in lines)
    assert derive(NOVEMBER, "weight_memory", configuration=name)[0].startswith("weight memory = 70.55")


def test_a_workbook_too_large_for_the_second_engine_is_refused(small, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.render.excel.MOST_FORMULAS", 1000)
    with pytest.raises(InvalidWorkbook, match=r"[\d,]+ formulas; allowed are 1,000,.* of the 1 conf"):
        report_month(small, tmp_path / "reports")
    assert not list((tmp_path / "reports").glob("*"))


def test_explaining_a_name_that_is_not_there():
    with pytest.raises(UnknownNameError, match=r"'Chat' is not on the Configurations sheet, which has: Chat on"):
        derive(NOVEMBER, "output_cost", configuration="Chat")
    with pytest.raises(UnknownNameError, match=r"'output_costs' is not .* configuration; near it: output_cost,"):
        derive(NOVEMBER, "output_costs", configuration="Chat on 4 H100")


def test_what_a_configuration_suggests_is_explained_through_its_figures():
    lines = derive(NOVEMBER, "training_multiple", configuration="Chat on 4 H100")
    assert any(re.search(r"training tokens = 15\.00.T tokens   Models!\w+5$", line) for line in lines)
    assert any(re.search(r"accelerator price = \$2\.35/h   Hardware!\w+5$", line) for line in lines)


def test_a_traffic_and_the_whole_month_are_explained(november):
    figures = json.loads((november / "run.json").read_text())["figures"]
    month = derive(NOVEMBER, "gross_profit", most=2)
    assert month[0] == f"gross profit = {show(figures['gross_profit'], DollarsPerMonth)}"
    assert month[1] == "    = revenue \u2212 fleet cost"
    chat = derive(NOVEMBER, "gross_profit", traffic="Chat", most=0)
    assert chat[0] == f"gross profit = {show(figures['gross_profit of Chat'], DollarsPerMonth)}"
    assert len(chat) == 3 < len(month) < len(derive(NOVEMBER, "gross_profit"))
    with pytest.raises(UnknownNameError, match=r"'Nobody' is not a traffic that is served; these are: Chat, "):
        derive(NOVEMBER, "gross_profit", traffic="Nobody")
    with pytest.raises(UnknownNameError, match=r"'step_time' is not a quantity of the whole month"):
        derive(NOVEMBER, "step_time")


def test_explain_on_the_command_line():
    done = command("explain", NOVEMBER, "--configuration", "Chat on 4 H100", "--quantity", "output_cost")
    assert done.returncode == 0
    assert done.stdout.splitlines() == derive(NOVEMBER, "output_cost", configuration="Chat on 4 H100", most=4)
    for arguments in (("Chat", "output_cost"), ("Chat on 4 H100", "nonsense")):
        done = CliRunner().invoke(
            app, ["explain", str(NOVEMBER), "--configuration", arguments[0], "--quantity", arguments[1]]
        )
        assert done.exit_code == USAGE
        assert re.search(r"'(Chat|nonsense)' is not (on the Configurations sheet|a quantity)", told(done))


def test_alternatives_alone_are_a_report_without_totals(small, tmp_path, pages_of):
    path = spoil(small, tmp_path / "alternatives.xlsx", fill("Configurations", {"requests_share": None}))
    done = CliRunner().invoke(app, ["report", str(path), "--out", str(tmp_path / "reports")])
    assert done.exit_code == 0, done.output
    assert "is in no total" in done.stderr or "are in no total" in done.stderr
    page, *_ = pages_of(tmp_path / "reports" / "2026-11" / "report.pdf")
    assert "no configuration serves any requests" in page


def test_a_brand_says_how_numbers_are_written(small, tmp_path, monkeypatch, pages_of):
    look = typesetting.brand()
    monkeypatch.setattr(typesetting, "brand", lambda: replace(look, numbers="de"))
    folder = report_month(small, tmp_path / "reports").folder
    text = " ".join(pages_of(folder / "report.pdf"))
    assert re.search(r"\d,\d%", text) and re.search(r"\$\d+,\d{2}/h", text)
    assert not re.search(r"\d\.\d%|\$\d+\.\d{2}/h", text)
    # Cells hold numbers, which Excel writes as its reader's language does.
    book = load_workbook(folder / "results.xlsx", data_only=True)
    assert isinstance(book["Summary"]["C5"].value, float)
