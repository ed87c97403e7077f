"""The tie-out sees every cell on its own: what is spoiled in results.xlsx is counted in its column, in both engines."""

import copy
from datetime import date

import numpy as np
import pytest
from bad_workbooks.valid import ROWS, TODAY
from openpyxl import load_workbook
from openpyxl.utils import coordinate_to_tuple
from oracles import SOFFICE, recalculated_by_libreoffice

from engine.report.checks import ENGINE, RUNS_A_LINE, TIE_OUT, blocks, tied_columns
from engine.report.live import cell_of
from engine.run import report_month
from engine.scenarios import DECISIONS, TOTAL, Grain, Key, Scenario, scenario
from engine.sheets import FIRST_ROW
from engine.units import DollarsPerMonth
from engine.workbook.blank import write_blank
from engine.workbook.read import read
from engine.workbook.recalculation import recalculate

FITS, ALSO_FITS, TOO_LARGE = "chat on H100", "search on H100", "too large"
# Where, what is typed there (FORMULA stands for what was there), and how many cells of the column then differ.
FORMULA = "FORMULA"
SPOILED = {
    "a hundredth of a millionth more": (FITS, "memory_use", f"=({FORMULA})*(1+1E-8)", 1),
    "less than is allowed": (FITS, "speed_ceiling", f"=({FORMULA})*(1+1E-10)", 0),
    "the other sign": (ALSO_FITS, "fleet_cost_per_year", f"=-({FORMULA})", 1),
    "a blank for a number": (FITS, "interference_cost", '=""', 2),
    "a number as text": (ALSO_FITS, "transfer_share", f'=({FORMULA})&""', 2),
    "other text": (FITS, "deciding_metric", f'={FORMULA}&"."', 1),
    "a blank for text": (FITS, "separate_pools_reason", '=""', 1),
    "a zero for a blank": (TOO_LARGE, "decode_cost_share", "=0", 1),
    "a zero that is not one": (ALSO_FITS, "separate_pools", "=1E-12", 1),
    "a zero but for rounding": (FITS, "break_even_input_ratio", "=1E-16", 0),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """results.xlsx of two configurations that fit and one that does not, and the workbook it was made from."""
    rows = copy.deepcopy(ROWS)
    (first,), (model,) = rows["Configurations"], rows["Models"]
    rows["Models"].append({**model, "model": "Giant", "total_parameters": 800, "active_parameters": 800})
    rows["Configurations"] = [
        first,
        {**first, "configuration": ALSO_FITS, "requests_share": None},
        {**first, "configuration": TOO_LARGE, "requests_share": None, "model": "Giant"},
    ]
    folder = tmp_path_factory.mktemp("tied")
    write_blank(folder / "tied.xlsx", rows, today=TODAY)
    outcome = report_month(folder / "tied.xlsx", folder / "reports", date(2026, 11, 1))
    assert outcome.passed
    return folder / "tied.xlsx", outcome.folder / "results.xlsx"


def _by_formualizer(path, folder):
    assert not recalculate(path).errors
    return path


def _by_libreoffice(path, folder):
    if SOFFICE is None:
        pytest.skip("LibreOffice is not installed; it is the second oracle")
    return recalculated_by_libreoffice(path, folder)


@pytest.fixture(scope="module", params=[_by_formualizer, _by_libreoffice], ids=lambda engine: engine.__name__[4:])
def spoiled(request, results, tmp_path_factory):
    """Every line of the tie-out, and the run's first check, after all cells were spoiled and calculated anew."""
    typed, path = results
    grain = scenario(read(typed))[DECISIONS]
    book = load_workbook(path)
    for key, quantity, typed_over, _ in SPOILED.values():
        cell = book[DECISIONS][cell_of(grain, quantity, key).split("!")[1]]
        cell.value = typed_over.replace(FORMULA, cell.value[1:])
    folder = tmp_path_factory.mktemp("spoiled")
    book.save(folder / "results.xlsx")
    return load_workbook(request.param(folder / "results.xlsx", folder), data_only=True)


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_cell_is_counted(spoiled, name):
    _, quantity, _, differ = SPOILED[name]
    lines = [row for row in spoiled[TIE_OUT].iter_rows(values_only=True) if row[:2] == (DECISIONS, quantity)]
    assert [(row[3], row[4]) for row in lines] == [(3, differ)]


def test_nothing_else_is_counted_and_the_check_fails(spoiled):
    named = {quantity for _, quantity, _, _ in SPOILED.values()}
    others = [row for row in spoiled[TIE_OUT].iter_rows(min_row=FIRST_ROW, values_only=True) if row[1] not in named]
    assert others and not any(row[4] for row in others)
    _, found, expected, allowed, result = next(spoiled["Run checks"].iter_rows(min_row=FIRST_ROW, values_only=True))
    assert expected - found == sum(differ for *_, differ in SPOILED.values())
    assert (allowed, result) == (0, "fail")
    assert spoiled["Report"]["B11"].value == "1 CHECK FAILED"


def test_every_figure_has_its_line(results):
    """No cell of a compared sheet is left out, and each is set beside the engine's own figure of its row."""
    typed, path = results
    book = load_workbook(path, data_only=True)
    lines = [row for row in book[TIE_OUT].iter_rows(min_row=FIRST_ROW, values_only=True) if row[0]]
    compared = {(sheet, cell.coordinate) for sheet, _, cells, *_ in lines for (cell,) in book[sheet][cells]}
    assert len(compared) == sum(row[3] for row in lines)
    engine = book[ENGINE]
    for block in blocks(scenario(read(typed))):
        assert [cell.value for cell in engine[block.first_row - 1][: len(block.quantities)]] == list(block.quantities)
        rows = range(FIRST_ROW, FIRST_ROW + len(block.grain.keys))
        here = {cell.coordinate for row in rows for cell in book[block.sheet][row][1 : len(block.quantities)]}
        assert {(block.sheet, cell) for cell in here} <= compared
        for cell in here:
            row, column = coordinate_to_tuple(cell)
            own = engine.cell(block.first_row + row - FIRST_ROW, column).value
            live = book[block.sheet][cell].value
            assert live == pytest.approx(own, rel=1e-9) if isinstance(own, int | float) else (live or "") == (own or "")


def test_a_column_of_many_gaps_takes_several_lines(results):
    """Every other row is blank: Excel takes 8,192 characters a formula, and none may be longer."""
    rows = 5 * RUNS_A_LINE
    values = {"total": np.array([str(row) for row in range(rows)]), "revenue": np.array([1.0, np.nan] * (rows // 2))}
    grain = Grain(TOTAL, {"total": Key(), "revenue": Key(DollarsPerMonth)}, {}, values)
    lines = tied_columns(Scenario(read(results[0]), {TOTAL: grain}))
    assert [line.rows for line in lines] == [RUNS_A_LINE] * 5
    assert [line.cells for line in lines][1:4] == ["B35:B64", "B65:B94", "B95:B124"]
    assert max(len(line.differing) for line in lines) < 8192
