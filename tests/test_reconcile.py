"""Every published figure beside the engine's: which are reproduced, which are flagged, and what fails."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from bad_workbooks.valid import ROWS, TODAY
from openpyxl import load_workbook
from typer.testing import CliRunner

from engine.__main__ import FAILED_CHECK, INVALID, app
from engine.report import published
from engine.report.build import draft
from engine.run import report_month
from engine.scenarios import scenario
from engine.sheets import HEAD_ROW
from engine.studies import reconcile
from engine.studies.reconcile import (
    FAILED,
    INPUT,
    RULE,
    VERDICTS,
    WRONG,
    agrees_in_digits,
    published_figures,
    reconcile_figures,
)
from engine.studies.worked_examples import ExampleError, Examples
from engine.workbook.blank import write_blank
from engine.workbook.read import read

ROOT = Path(__file__).parents[1]
LIST = ROOT / "inputs/catalogue/published_figures.csv"
FOLDER = ROOT / "tests/worked_examples"
FIGURES = published_figures(LIST)


@pytest.fixture(scope="module")
def outcome():
    return reconcile_figures(FIGURES, Examples(FOLDER))


def _row(outcome, identity):
    return next(row for row in outcome.rows if row.published.identity == identity)


def test_all_are_reproduced_or_flagged(outcome):
    assert not outcome.failures
    assert outcome.counts == {
        "reproduced exactly": 182,
        "within rounding": 38,
        "wrong": 60,
        "input": 59,
        "rule": 48,
    }
    assert "220 reproduced" in outcome.summary and "60 flagged" in outcome.summary


def test_every_flag_and_every_rounding_has_a_reason(outcome):
    for row in outcome.rows:
        if row.verdict in (VERDICTS[WRONG], "within rounding"):
            assert len(row.why) > 12, row.published.identity
        if row.verdict == VERDICTS[WRONG]:
            assert row.why.startswith("right: "), row.published.identity
            assert row.ours, row.published.identity


def test_every_reproduced_row_has_the_engines_figure_and_its_difference(outcome):
    for row in outcome.rows:
        if row.published.verdict not in (INPUT, RULE, WRONG):
            assert row.ours, row.published.identity
            assert row.difference is not None and (abs(row.difference) < 0.2 or ">" in row.published.printed)


def test_the_engine_computes_the_figures_that_change_decisions(outcome):
    assert float(_row(outcome, "003-C4-75").ours) == pytest.approx(0.000476, rel=1e-3)
    assert _row(outcome, "003-C4-75").difference == pytest.approx(-0.90, abs=0.01)
    assert _row(outcome, "003-C6-17").ours == "211.765"
    assert _row(outcome, "000-KeyPoints-08").ours == "2359.68"


def test_worked_examples_name_rows_of_the_list():
    listed = {figure.identity for figure in FIGURES}
    assert {figure.identity for figure in Examples(FOLDER).figures} <= listed
    assert len(listed) == len(FIGURES) == 387


# What must fail


def _outcome(identity, **changes):
    row = next(figure for figure in FIGURES if figure.identity == identity)
    return reconcile_figures([replace(row, **changes)], Examples(FOLDER)).rows[0]


def test_another_printed_figure_is_not_reproduced():
    row = _outcome("003-C3-03", printed="18")
    assert not row.passed and row.verdict == FAILED
    assert "prints 18" in row.why


def test_dressing_does_not_matter():
    assert _outcome("003-C4-11", printed="1.18").passed


def test_another_verdict_is_not_reproduced():
    assert not _outcome("003-C3-07", verdict="EXACT").passed
    assert not _outcome("003-C3-03", verdict="NO").passed


def test_a_figure_without_a_worked_example_is_not_reproduced():
    row = next(figure for figure in FIGURES if figure.identity == "003-C3-03")
    row = reconcile_figures([replace(row, identity="003-C3-99")], Examples(FOLDER)).rows[0]
    assert row.why == "no worked example gives it"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(FOLDER, tmp_path / "worked_examples"))


# What is changed in which file, and the row that must fail for it.
CHANGES = {
    "a wrong given": ("decode-latency.toml", "step_time = 0.017 ", "step_time = 0.018 ", "003-C3-04"),
    "a wrong base": ("v5e.base.toml", "memory_bandwidth = 820", "memory_bandwidth = 900", "003-C3-03"),
    "a tolerance too narrow": ("kv-cache.toml", "within = 0.0114", "within = 0.0113", "003-C2-09"),
    "another printed figure": ("training.toml", 'printed = "$40"', 'printed = "$41"', "003-C4-54"),
    "a wrong right figure": ("pareto.toml", 'right = "17.3"', 'right = "17.4"', "003-C8-14"),
    "no reason for a wrong figure": ("fleet.toml", "ten times too much: $411,494 over 864 million", "", "003-C4-75"),
    "no reason for a rounding": ("training.toml", 'verdict = "EXACT"', 'verdict = "ROUNDING"', "003-C4-54"),
    "a printed intermediate of no use": ("pareto.toml", "step_time = 0.0117 }", "step_time = 0.0118 }", "003-C4-41"),
    "a scale ten times off": ("serving-architecture.toml", '"26", scale = "1000', '"26", scale = "100', "003-C6-10"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_worked_example_fails(change, folder):
    file, old, new, identity = CHANGES[change]
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    failures = {row.published.identity for row in reconcile_figures(FIGURES, Examples(folder)).failures}
    assert identity in failures


def test_agreement_is_to_every_printed_digit():
    assert agrees_in_digits(0.8935, "0.89") and not agrees_in_digits(0.8951, "0.89")
    assert agrees_in_digits(3.34e17, "3.3e17") and not agrees_in_digits(3.36e17, "3.3e17")
    assert agrees_in_digits(-45.9, "-46") and not agrees_in_digits(45.9, "-46")
    assert agrees_in_digits(5.6, "5-6") and not agrees_in_digits(6.4, "5-6")
    assert agrees_in_digits(2.0, "2-4", end="low") and not agrees_in_digits(2.0, "2-4", end="high")
    assert agrees_in_digits(3.57, ">3") and not agrees_in_digits(2.9, ">3")
    assert agrees_in_digits(25.97, "25", at_least=True) and not agrees_in_digits(25.97, "25")
    assert agrees_in_digits(1.0, "yes") and not agrees_in_digits(1.0, "false")
    assert not agrees_in_digits(float("nan"), "5") and not agrees_in_digits(5.0, "slim")


# The command


def _run(*arguments):
    return CliRunner().invoke(app, ["reconcile", *map(str, arguments)])


def test_command_reconciles_the_shipped_list(tmp_path):
    out = tmp_path / "reconciled.csv"
    result = _run("--out", out)
    assert result.exit_code == 0
    assert "220 reproduced" in result.output and "60 flagged as wrong" in result.output
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 387
    wrong = next(row for row in rows if row["id"] == "003-C4-76")
    assert wrong["verdict"] == "wrong" and wrong["why"].startswith("right: 0.411; ten times too much")


def test_command_takes_a_list_with_further_columns(tmp_path):
    path = tmp_path / "figures.csv"
    lines = [{"id": f.identity, "seed": "x", "published": f.printed, "note": "n"} for f in FIGURES]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["id", "seed", "section", "quantity", "published", "unit", "verdict", "note"])
        writer.writeheader()
        for line, figure in zip(lines, FIGURES, strict=True):
            writer.writerow({**line, "quantity": "q", "unit": "u", "verdict": figure.verdict})
    assert _run("--figures", path).exit_code == 0


def test_command_fails_with_the_rows_that_fail(tmp_path):
    path = tmp_path / "figures.csv"
    text = LIST.read_text(encoding="utf-8").replace(",17,ms,EXACT", ",18,ms,EXACT")
    path.write_text(text, encoding="utf-8")
    result = _run("--figures", path)
    assert result.exit_code == FAILED_CHECK
    assert "003-C3-03 prints 18" in result.output


def test_command_names_what_cannot_be_read(tmp_path, folder):
    path = tmp_path / "figures.csv"
    path.write_text("id,printed\na,1\n", encoding="utf-8")
    assert _run("--figures", path).exit_code == INVALID
    (folder / "pareto.toml").write_text("[[case]\n", encoding="utf-8")
    result = _run("--examples", folder)
    assert result.exit_code == INVALID and "pareto.toml" in result.output
    (tmp_path / "empty").mkdir()
    assert _run("--examples", tmp_path / "empty").exit_code == INVALID


# The report


def test_the_sheet_has_every_figure(november, outcome):
    sheet = load_workbook(november / "results.xlsx", read_only=True, data_only=True)[published.SHEET]
    heads, *rows = sheet.iter_rows(min_row=HEAD_ROW, values_only=True)
    assert heads == tuple(head.name for head in published.HEADS)
    shown = [dict(zip(heads, row, strict=True)) for row in rows]
    assert [row["Id"] for row in shown] == [figure.identity for figure in FIGURES]
    for row, expected in zip(shown, outcome.rows, strict=True):
        assert (row["Printed"], row["Verdict"]) == (expected.published.printed, expected.verdict)
        assert str(row["Why"] or "") == expected.why
        assert row["Difference"] == pytest.approx(expected.difference)
    query = next(row for row in shown if row["Id"] == "003-C4-75")
    assert query["Ours"] == pytest.approx(0.000476, rel=1e-3)


def test_the_page_has_the_counts(november, pages_of, outcome):
    page = pages_of(november / "report.pdf")[-1]
    assert "Of 387 published figures our formulas reproduce 220; 60 are wrong as printed" in page
    documents = {row.published.document for row in outcome.rows}
    for document in documents:
        verdicts = [row.verdict for row in outcome.rows if row.published.document == document]
        counts = [len(verdicts), *(verdicts.count(verdict) for verdict in VERDICTS.values())]
        assert f"{document} {' '.join(map(str, counts))}" in page
    assert f"All documents 387 {' '.join(str(outcome.counts[verdict]) for verdict in VERDICTS.values())}" in page


def test_the_page_has_what_changes_a_conclusion(november, pages_of, outcome):
    page = pages_of(november / "report.pdf")[-1]
    changing = [row for row in outcome.rows if row.published.changes_conclusion]
    assert 8 <= len(changing) <= 12
    for row in changing:
        assert row.verdict == VERDICTS[WRONG] and row.right
        assert row.published.identity in page
    assert "$0.0048 $0.000476" in page and "216,832 tokens 6,776 tokens" in page


def test_the_report_leaves_it_out_where_the_settings_say_so():
    inputs = read(ROOT / "inputs/example.xlsx")
    assert draft(scenario(inputs), None, {}).published
    inputs.tables["Settings"].columns["published_figures"][:] = 0
    assert draft(scenario(inputs), None, {}).published is None


@pytest.mark.parametrize("text", [None, "[[case]]\n"], ids=["no worked examples", "worked examples with a mistake"])
def test_the_report_does_without(text, tmp_path, monkeypatch, pages_of):
    if text:
        (tmp_path / "pareto.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(reconcile, "EXAMPLES", tmp_path)
    write_blank(tmp_path / "small.xlsx", ROWS, today=TODAY)
    run = report_month(tmp_path / "small.xlsx", tmp_path / "reports")
    assert run.passed
    assert published.SHEET not in load_workbook(run.folder / "results.xlsx", read_only=True).sheetnames
    assert not any(published.SHEET in page for page in pages_of(run.folder / "report.pdf"))


def test_a_row_named_twice_is_an_error(tmp_path):
    path = tmp_path / "figures.csv"
    path.write_text("id,quantity,published,unit,verdict\na,q,1,u,RULE\na,q,1,u,RULE\n", encoding="utf-8")
    with pytest.raises(ExampleError, match="more than once"):
        published_figures(path)
