"""Values that a search found say live whether they still stand: whatever they rest on is changed, and nothing else."""

import copy
import shutil

import pytest
from bad_workbooks.valid import ROWS, TODAY
from openpyxl import load_workbook

from engine.report.recommendation import CHANGED, STANDS
from engine.run import report_month
from engine.workbook.blank import write_blank
from engine.workbook.recalculation import recalculate

SHEETS = ("Search", "Sensitivities", "Recommendation")
OFF = dict.fromkeys(("study_batch", "study_topology", "study_hardware", "study_models", "study_ownership"), "no")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A small month with an accelerator that is only searched over, a driver, and a scenario."""
    folder, rows = tmp_path_factory.mktemp("standing"), copy.deepcopy(ROWS)
    rows["Settings"][0] |= {**OFF, "published_figures": "no", "cost_ceiling": 5}
    rows["Hardware"].append({**rows["Hardware"][0], "hardware": "H100 elsewhere", "on_demand_price": 3.5})
    rent = {"input_sheet": "Hardware", "input_column": "on_demand_price"}
    rows["Sensitivity"] = [{"driver": "rent", **rent, "low_change": -0.1, "high_change": 0.1}]
    rows["Scenarios"] = [{"scenario": "dear", **rent, "change": 0.2}]
    write_blank(folder / "small.xlsx", rows, today=TODAY)
    run = report_month(folder / "small.xlsx", folder / "reports")
    assert run.passed
    return run.folder / "results.xlsx"


def verdicts(path):
    """By sheet every verdict on it, from top to bottom."""
    book = load_workbook(path, data_only=True)
    cells = {name: [cell for row in book[name].iter_rows(values_only=True) for cell in row] for name in SHEETS}
    return {name: [cell for cell in of if cell in (STANDS, CHANGED)] for name, of in cells.items()}


def typed(results, folder, sheet, column, times, row=0):
    """The verdicts once one cell is typed anew."""
    path = shutil.copy(results, folder / "results.xlsx")
    book = load_workbook(path)
    if sheet == "Settings":
        cell = next(line[1] for line in book[sheet].iter_rows(min_row=5) if line[0].value == column)
    else:
        cell = book[sheet].cell(5 + row, [head.value for head in book[sheet][4]].index(column) + 1)
    cell.value = cell.value * times
    book.save(path)
    assert not recalculate(path).errors
    return verdicts(path)


def test_all_stands_as_long_as_nothing_is_typed(results, tmp_path):
    found = typed(results, tmp_path, "Hardware", "on_demand_price", 1.0)
    assert set().union(*found.values()) == {STANDS}
    assert [len(found[name]) for name in ("Search", "Sensitivities")] == [1, 3]


def test_a_price_of_what_is_only_searched_over(results, tmp_path):
    found = typed(results, tmp_path, "Hardware", "on_demand_price", 0.5, row=1)
    assert found["Search"] == [CHANGED]


def test_a_price_that_the_month_is_paid_at(results, tmp_path):
    found = typed(results, tmp_path, "Hardware", "on_demand_price", 1.01)
    assert set(found["Search"] + found["Sensitivities"]) == {CHANGED} and CHANGED in found["Recommendation"]


def test_the_ceiling_of_a_search(results, tmp_path):
    found = typed(results, tmp_path, "Settings", "cost_ceiling", 0.5)
    assert found["Search"] == [CHANGED] and set(found["Sensitivities"]) == {STANDS}


def test_how_far_a_driver_is_moved(results, tmp_path):
    """It also moves live rows, so that nothing is said to stand."""
    found = typed(results, tmp_path, "Sensitivity", "high_change", 1.5)
    assert set(found["Sensitivities"]) == {CHANGED}


def test_what_a_scenario_changes(results, tmp_path):
    """No live figure reads it."""
    found = typed(results, tmp_path, "Scenarios", "change", 1.5)
    assert found["Sensitivities"] == [STANDS, CHANGED, CHANGED] and found["Search"] == [STANDS]
