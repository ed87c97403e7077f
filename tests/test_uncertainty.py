"""Uncertain inputs: distributions, draws and indices against what is known, and the draws tied to the report."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from bad_workbooks.uncertainty import ANSWERS, DEMAND, EMPIRICAL, RENT, SPEEDS, drawn, grouped, measured
from bad_workbooks.valid import fill, more, spoil, write_valid
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from SALib.analyze import sobol
from scipy import stats
from small_runs import PAGES

from engine.fusing.chunks import CHUNK_ROWS, Chunked
from engine.fusing.graph import Builder
from engine.report.pages.uncertainty import uncertainty as page
from engine.report.recommendation import CHANGED, STANDS
from engine.report.uncertainty import NAME, STANDING, distributed, uncertainties
from engine.run import report_month
from engine.scenarios import BY_TRAFFIC, CASES, CONFIGURED, TOTAL, Case, scenario, with_cases
from engine.scenarios.moved import kept_shares, moved
from engine.sheets import BY_NAME, DISTRIBUTIONS, UNCERTAIN_SHEETS
from engine.spreads import END, Spread
from engine.studies.draws import Driver, Factor, drivers, exchanged, factors, multiples, points
from engine.studies.uncertainty import _indices, _Study, uncertain
from engine.units import brief_money
from engine.workbook.read import problems_of, read
from engine.workbook.recalculation import recalculate
from engine.workbook.uncertainty import cells_of, columns_of

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "inputs" / "example.xlsx"
WANTED = ("revenue", "fleet_cost", "gross_profit", "output_cost", "blended_cost", "meets_target")
MEASURED = (0.7, 0.9, 1.0, 1.1, 1.3)
SPREADS = (
    (Spread("uniform", 0.8, high=1.4), stats.uniform(0.8, 0.6)),
    (Spread("triangular", 0.7, 1.0, 1.2), stats.triang(0.6, 0.7, 0.5)),
    (Spread("triangular", 0.7, 0.7, 1.2), stats.triang(0, 0.7, 0.5)),
    (Spread("normal", likely=1.05, deviation=0.1), stats.truncnorm(-END, END, 1.05, 0.1)),
    (Spread("lognormal", likely=0.9, deviation=0.3), stats.lognorm(np.sqrt(np.log(10 / 9)), scale=0.9 * np.sqrt(0.9))),
)


# Distributions


@pytest.mark.parametrize(("spread", "known"), SPREADS, ids=lambda each: getattr(each, "kind", ""))
def test_a_distribution_has_the_moments_of_scipys(spread, known):
    shares = (np.arange(200_000) + 0.5) / 200_000
    values = spread.multiples(shares)
    assert values.mean() == pytest.approx(known.mean(), rel=2e-4)
    # A lognormal one ends at four deviations, and is that much narrower.
    assert values.std() == pytest.approx(known.std(), rel=0.01 if spread.kind == "lognormal" else 5e-4)
    assert np.quantile(values, 0.2) == pytest.approx(known.ppf(0.2), rel=1e-4)


def test_mean_and_deviation_are_those_typed():
    for kind in ("normal", "lognormal"):
        values = Spread(kind, likely=1.1, deviation=0.2).multiples((np.arange(100_000) + 0.5) / 100_000)
        assert (values.mean(), values.std()) == (pytest.approx(1.1, rel=1e-3), pytest.approx(0.2, rel=5e-3))


def test_an_empirical_distribution_is_the_scatter_around_the_mean():
    values = Spread("empirical", points=tuple(20 * point for point in MEASURED)).multiples(np.linspace(0, 1, 5))
    np.testing.assert_allclose(values, MEASURED)


@given(
    st.sampled_from([kind for kind in DISTRIBUTIONS if kind != "empirical"]),
    st.floats(0.01, 0.9),
    st.floats(0.0, 1.0),
    st.floats(0.001, 2.0),
)
@settings(max_examples=200)
def test_no_multiple_leaves_the_reach_and_all_rise(kind, low, likeliest, width):
    spread = Spread(kind, low, low + likeliest * width, low + width, deviation=width)
    values = spread.multiples(np.linspace(1e-9, 1 - 1e-9, 101))
    assert values.min() >= spread.reach[0] - 1e-9 and values.max() <= spread.reach[1] * (1 + 1e-9)
    assert (np.diff(values) >= -1e-12).all()


# Draws


def test_draws_are_even_and_the_two_sets_independent():
    first, second = points(3, 4096, 7)
    for drawn_points in (first, second):
        assert (drawn_points > 0).all() and (drawn_points < 1).all()
        # Sobol points have one in each of as many parts of a range as there are points.
        assert all(len(set(np.floor(column * 4096))) == 4096 for column in drawn_points.T)
    assert abs(np.corrcoef(np.hstack([first, second]).T) - np.eye(6)).max() < 0.02


@pytest.mark.parametrize("correlation", [0.7, -0.4])
def test_a_group_is_joined_by_its_correlation_and_nothing_else_is(correlation):
    drivers = [Driver(str(place), (), Spread("normal", deviation=0.1)) for place in range(4)]
    factors = [Factor("0", (0,)), Factor("group", (1, 2, 3), correlation)]
    values = np.array(multiples(drivers, factors, points(4, 8192, 1)[0]))
    expected = np.eye(4)
    expected[1:, 1:] = correlation
    np.fill_diagonal(expected, 1)
    np.testing.assert_allclose(np.corrcoef(values), expected, atol=0.02)
    # What is joined is the order: each input keeps its own distribution.
    assert [row.std() for row in values] == pytest.approx([0.1] * 4, rel=0.02)


# Indices


def _estimated(function, inputs, count=8192):
    first, second = points(inputs, count, 3)
    factors = [Factor(str(place), (place,)) for place in range(inputs)]
    mixed = [function(exchanged(first, second, factor)) for factor in factors]
    return (function(first), function(second), mixed), _indices(function(first), function(second), mixed)


def _ishigami(shares):
    x, y, z = (2 * np.pi * shares.T) - np.pi
    return np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)


def test_a_sum_has_the_indices_worked_out_by_hand():
    # Of 3 a + 2 b + c, each evenly between 0 and 1, the variances are 9, 4 and 1 twelfths.
    _, (first, total) = _estimated(lambda shares: shares @ [3.0, 2.0, 1.0], 3)
    assert first == pytest.approx([9 / 14, 4 / 14, 1 / 14], abs=0.003)
    assert total == pytest.approx([9 / 14, 4 / 14, 1 / 14], abs=0.003)


def test_ishigamis_function_has_its_known_indices():
    # With a = 7 and b = 0.1 (Ishigami and Homma 1990): V = a^2/8 + b pi^4/5 + b^2 pi^8/18 + 1/2.
    variance = 49 / 8 + 0.1 * np.pi**4 / 5 + 0.01 * np.pi**8 / 18 + 0.5
    alone = [0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2 / variance, 49 / 8 / variance, 0]
    together = 8 * 0.01 * np.pi**8 / 225 / variance
    assert (*alone, together) == pytest.approx((0.3139, 0.4424, 0, 0.2437), abs=5e-5)
    _, (first, total) = _estimated(_ishigami, 3)
    assert first == pytest.approx(alone, abs=0.01)
    assert total == pytest.approx([alone[0] + together, alone[1], together], abs=0.01)


def test_salib_finds_the_same_indices_in_the_same_figures():
    (one, other, mixed), (first, total) = _estimated(_ishigami, 3)
    problem = {"num_vars": 3, "names": ["x", "y", "z"], "bounds": [[0, 1]] * 3}
    figures = np.column_stack([one, *mixed, other]).ravel()
    found = sobol.analyze(problem, figures, calc_second_order=False, seed=1)
    assert first == pytest.approx(found["S1"], abs=2e-3)
    assert total == pytest.approx(found["ST"], abs=2e-3)


def test_a_figure_without_a_value_has_no_indices():
    spoiled = np.array([1.0, np.nan, 2.0, 3.0])
    assert np.isnan(_indices(spoiled, spoiled, [spoiled])).all()
    assert np.isnan(_indices(np.ones(4), np.ones(4), [np.ones(4)])).all()


# Operations


def test_a_graph_of_draws_gives_what_numpy_gives_over_every_chunk():
    builder = Builder()
    x, y = builder.column("x"), builder.column("y")
    outcome = np.where(x > y, np.cbrt(x) ** 2 + 3 / y, np.maximum(x, 2 * y) ** 0.5) + x**3
    count = CHUNK_ROWS + 17
    drawn_x, drawn_y = np.random.default_rng(1).uniform(0.5, 2, (2, count))
    expected = np.where(
        drawn_x > drawn_y, np.cbrt(drawn_x) ** 2 + 3 / drawn_y, np.maximum(drawn_x, 2 * drawn_y) ** 0.5
    )
    graph = builder.graph({"outcome": outcome, "seven": 7.0})
    answers = Chunked(graph)({"x": drawn_x, "y": drawn_y}, (count,))
    np.testing.assert_allclose(answers["outcome"], expected + drawn_x**3, rtol=1e-14)
    assert (answers["seven"] == 7).all()


def test_what_no_draw_decides_is_decided_at_once():
    builder = Builder()
    x = builder.column("x")
    assert np.logical_and(x > 0, False).is_known and np.logical_or(True, x > 0).is_known
    assert not builder.graph({"two": np.where(np.logical_or(True, x > 0), 2.0, x)}).columns


# Draws tied to the report


@pytest.fixture(scope="module")
def example():
    return scenario(read(EXAMPLE))


@pytest.fixture(scope="module")
def found(example):
    return uncertain(example)


def _run(calculated, keys, cells, multiple):
    builder = Builder()
    found = moved(calculated, keys, dict.fromkeys(cells, builder.column("multiple")), WANTED)
    given = {"multiple": np.array([multiple])}
    answers = {key: Chunked(builder.graph(found[key]))(given, (1,)) for key in keys}
    return {key: {name: answers[key][name][0] for name in WANTED} for key in keys}


def _changed(calculated, keys, cells, multiple):
    """The same from a workbook whose cells hold the multiple, at the prices that make the month's bill."""
    tables = dict(calculated.inputs.tables)
    for sheet, column, row in chain(cells, _falling_back(tables, cells)):
        columns = dict(tables[sheet].columns)
        columns[column] = columns[column].copy()
        columns[column][row] *= multiple
        tables[sheet] = replace(tables[sheet], columns=columns)
    again = scenario(replace(calculated.inputs, tables=tables))
    price, kept = again[CONFIGURED].values["accelerator_price"], kept_shares(calculated, keys)
    rows = {key: again[CONFIGURED].row(key) for key in keys}
    cases = [Case(key, "changed", key, {"accelerator_price": price[row] * kept[key]}) for key, row in rows.items()]
    grain = with_cases(again, cases)[CASES]
    return {key: {name: grain.values[name][grain.row(key)] for name in WANTED} for key in keys}


def _falling_back(tables, cells):
    """The blank cells that take a setting among these, which reading has filled in."""
    settings_ = {column for sheet, column, _ in cells if sheet == "Settings"}
    for name, table in tables.items():
        for column in table.sheet.columns:
            if column.otherwise in settings_:
                yield from ((name, column.name, row) for row in range(len(table)) if (column.name, row) in table.blank)


def _assert_same(found, expected):
    for key, figures in expected.items():
        assert found[key] == pytest.approx(figures, rel=1e-11, nan_ok=True), key


def _serving(calculated):
    grain = calculated[CONFIGURED]
    return [str(key) for key in grain.keys if grain.value("counts", key)]


def _cells(calculated, sheet, *columns, row=None):
    table = calculated.inputs.tables[sheet]
    places = [each.index for each in table if row is None or each[table.sheet.keys[0].name] == row]
    held = {name for name in columns if table.sheet.column(name).is_number_when_blank}
    return [(sheet, name, at) for name in columns for at in places if name in held or (name, at) not in table.blank]


def test_with_nothing_moved_every_configuration_is_as_in_the_report(example):
    keys = _serving(example)
    assert len(keys) == 9
    figures = _run(example, keys, _cells(example, "Calibration", "weight_bandwidth_share"), 1.0)
    grain = example[CONFIGURED]
    for key in keys:
        assert figures[key] == pytest.approx({name: grain.value(name, key) for name in WANTED}, rel=1e-12), key


@pytest.mark.parametrize(
    ("sheet", "columns", "row"),
    [
        ("Traffic", ("mean_requests", "peak_requests"), None),
        ("Traffic", ("cached_share",), "Chat"),
        ("Traffic", ("output_tokens",), "Extraction"),
        ("Traffic", ("free_share",), None),
        ("Traffic mixes", ("customer_discount",), "Partners"),
        ("Prices", ("output_price", "input_price"), "gpt-oss-120b"),
        ("Prices", ("batch_discount",), None),
        ("Hardware", ("memory_bandwidth", "bf16_compute", "on_demand_price"), None),
        ("Calibration", ("prefill_compute_share", "decode_compute_share", "layer_overhead"), "all"),
        ("Settings", ("headroom", "usable_memory_share"), None),
    ],
)
def test_what_is_moved_comes_out_as_from_a_workbook_that_holds_it(example, sheet, columns, row):
    keys, cells = _serving(example), _cells(example, sheet, *columns, row=row)
    assert cells
    figures = _run(example, keys, cells, 0.93)
    _assert_same(figures, _changed(example, keys, cells, 0.93))
    # And something has moved.
    assert any(figures[key]["gross_profit"] != example[CONFIGURED].value("gross_profit", key) for key in keys)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uncertain")
    valid = write_valid(folder / "valid.xlsx")
    rent = fill("Hardware", {"currency": "EUR"})
    rate = {"currency": "EUR", "exchange_rate": 1.1, "rate_date": date(2026, 11, 2), "source": "assumption"}
    more = (
        rent,
        fill("Exchange rates", rate),
        fill("Traffic", {"cached_share": 0.3, "reasoning_tokens": 50, "waiting_target": 2, "credit_share": 0.02}),
        fill("Settings", {"utilization_cap": 0.8, "waiting_percentile": 0.95}),
    )
    return scenario(read(spoil(valid, folder / "small.xlsx", *more)))


def test_every_column_that_may_be_uncertain_is_moved_as_in_the_workbook(small):
    keys, tried, moving = _serving(small), set(), set()
    before = _run(small, keys, [], 1.0)
    for sheet in UNCERTAIN_SHEETS:
        for name in columns_of(BY_NAME[sheet]):
            cells = _cells(small, sheet, name)
            if not cells or np.isnan(small.inputs.tables[sheet].columns[name][0]):
                continue
            figures = _run(small, keys, cells, 0.96)
            _assert_same(figures, _changed(small, keys, cells, 0.96))
            tried.add(name)
            moving |= {name} if figures != before else set()
    assert len(tried) > 50
    assert moving >= {"exchange_rate", "on_demand_price", "credit_share", "memory_bandwidth", "kv_bits", "output_price"}
    # Blank there, and moved as the numbers that blank stands for.
    assert tried >= {"time_factor", "usable_memory_share", "service_variability"} and "time_factor" in moving


def test_the_central_figures_are_the_reports(example, found):
    total = example[TOTAL]
    assert found.profit.central == total.value("gross_profit", "Total")
    assert found.margin.central == total.value("gross_margin", "Total")
    for each in found.traffics:
        assert each.central == example[BY_TRAFFIC].value("gross_profit", each.name)
    assert sum(each.central for each in found.traffics) == pytest.approx(found.profit.central, rel=1e-12)
    assert found.kept["Code on 8 H200"] == pytest.approx(1)
    assert found.kept["Extraction on MI300X"] == pytest.approx(0.3142, abs=0.0005)


def test_ranges_are_in_order_and_chances_are_shares(found):
    outcomes = [found.profit, found.margin, *found.traffics, *found.costs["output_cost"], *found.costs["blended_cost"]]
    for each in outcomes:
        assert each.low <= each.middle <= each.high
        assert 0 <= each.chance <= 1
    assert [each.chance for each in found.traffics if each.high < 0] == [0, 0]
    assert all(each.chance == 1 for each in found.traffics if each.name in ("Chat", "Search"))
    chances = {each.name: each.chance for each in found.costs["output_cost"]}
    assert chances["Partners on 2 A100"] == pytest.approx(0.0125, abs=5e-4)
    # All are kept only where Partners' is, which is not as typed, and the others are by themselves.
    assert found.promises_kept == pytest.approx(0.0076, abs=5e-4)


def test_the_curve_falls_from_all_draws_to_none_and_meets_the_percentiles(found):
    values, shares = np.array(found.curve).T
    assert (np.diff(values) > 0).all() and (np.diff(shares) <= 0).all()
    assert shares[0] >= 1 - 1 / found.draws and shares[-1] == 0
    for value, share in ((found.profit.low, 0.9), (found.profit.middle, 0.5), (found.profit.high, 0.1)):
        assert np.interp(value, values, shares) == pytest.approx(share, abs=0.02)


def test_indices_explain_the_variance_once_and_the_error_of_speeds_most(found):
    shares = {each.factor.name: each for each in found.influences}
    assert sum(each.first for each in found.influences) == pytest.approx(1, abs=0.05)
    assert max(shares, key=lambda name: shares[name].total) == "Error of predicted speeds"
    assert shares["Cached shares"].factor.drivers == (2, 3)
    assert all(each.total >= each.first - 0.01 and abs(each.total - each.earlier) < 0.02 for each in found.influences)


def test_the_same_seed_draws_the_same_and_another_seed_nearly(example, found):
    # As text, because what is not known does not equal itself.
    assert repr(uncertain(example)) == repr(found)
    columns = dict(example.inputs.tables["Settings"].columns)
    columns["seed"] = columns["seed"] + 1
    tables = {**example.inputs.tables, "Settings": replace(example.inputs.tables["Settings"], columns=columns)}
    other = uncertain(replace(example, inputs=replace(example.inputs, tables=tables)))
    assert other.profit != found.profit
    assert other.profit.middle == pytest.approx(found.profit.middle, rel=0.01)


# Workbooks


def _small(tmp_path, *edits):
    valid = write_valid(tmp_path / "valid.xlsx")
    asked = fill("Settings", {**dict.fromkeys([*PAGES, "published_figures"], "no"), "study_uncertainty": "yes"})
    return spoil(valid, tmp_path / "uncertain.xlsx", asked, fill("Settings", {"draws": 256}), *edits)


def _answer(tmp_path, *edits):
    return uncertain(scenario(read(_small(tmp_path, *edits))))


def test_every_distribution_is_drawn_and_correlated(tmp_path):
    answer = _answer(tmp_path, drawn(EMPIRICAL, RENT, ANSWERS), measured(6))
    assert [driver.spread.kind for driver in answer.drivers] == ["empirical", "triangular", "uniform"]
    assert [len(each.factor.drivers) for each in answer.influences] == [1, 1, 1]
    together = _answer(tmp_path, grouped(0.8))
    assert [each.factor.name for each in together.influences] == ["market"]
    # One factor explains everything, whatever is within it.
    assert together.influences[0].first == pytest.approx(1, abs=0.05)


def test_a_group_may_be_called_as_an_input_is(tmp_path):
    group = {"correlation_group": "answers", "correlation": 0.5}
    inputs = read(_small(tmp_path, drawn({**DEMAND, **group}, {**RENT, **group}, ANSWERS)))
    assert factors(inputs, drivers(inputs)) == (Factor("answers", (0, 1), 0.5), Factor("answers", (2,)))


# Every row by itself

TOO = {"traffic": "search"}
# Configurations of the same figures: another traffic, on an accelerator of another name; some tens of replicas each.
TWO = (
    more("Traffic", TOO),
    fill("Traffic", *[{"mean_requests": 2000, "peak_requests": 4500}] * 2),
    more("Hardware", {"hardware": "H100 too"}),
    more("Configurations", {"configuration": "search on H100", "hardware": "H100 too", **TOO}),
)


@pytest.mark.parametrize("word", ["each", "Each"])
def test_every_row_has_a_multiple_of_its_own(tmp_path, word):
    inputs = read(_small(tmp_path, *TWO, drawn({**DEMAND, "input_row": word})))
    own = drivers(inputs)
    both = [("Traffic", "mean_requests"), ("Traffic", "peak_requests")]
    assert [driver.cells for driver in own] == [tuple((*column, row) for column in both) for row in (0, 1)]
    one, other = multiples(own, [Factor("demand", (0, 1))], points(2, 4096, 1)[0])
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02
    assert (one.mean(), one.std()) == (pytest.approx(1, abs=1e-3), pytest.approx(0.1, rel=0.02))
    assert sorted(one) == pytest.approx(sorted(other), rel=0.05)


def test_without_the_word_all_rows_have_one_multiple(tmp_path):
    (driver,) = drivers(read(_small(tmp_path, *TWO, drawn(DEMAND))))
    assert len(driver.cells) == 4


def test_rows_err_as_one_where_their_column_says_so(tmp_path):
    """Speeds of one stack; what else is uncertain of its configurations is of each by itself."""
    same = more("Configurations", {"configuration": "second", **TOO})
    pairs = {"time_factor": 1, "context_override": 2, "time_factor, context_override": 2}
    for columns, count in pairs.items():
        edits = (same, fill("Configurations", *[{"context_override": 2000}] * 2), more("Traffic", TOO))
        inputs = read(_small(tmp_path, *edits, drawn({**SPEEDS, "input_column": columns})))
        assert len(drivers(inputs)) == count, columns
    assert len(drivers(read(_small(tmp_path, *TWO, drawn(SPEEDS))))) == 2


def _profits(path):
    calculated = scenario(read(path))
    study = _Study(calculated, _serving(calculated), 4096, 1)
    return study._total(study._run(study.profits, study.serving, study._given(study.first)))[1]


def test_two_that_err_by_themselves_have_half_the_variance_of_two_that_err_alike(tmp_path):
    """Of two profits alike in all figures: 2 V where they are independent, (1 + 1)^2 V where they are one."""
    apart, together = (_profits(_small(tmp_path, *TWO, drawn({**SPEEDS, "input_row": of}))) for of in ("each", None))
    assert apart.var() / together.var() == pytest.approx(0.5, abs=0.02)
    assert apart.mean() == pytest.approx(together.mean(), rel=0.01)


def test_what_moves_by_itself_is_one_input_among_those_that_are_drawn(tmp_path):
    calculated = scenario(read(_small(tmp_path, *TWO, drawn(SPEEDS, RENT))))
    answer = uncertain(calculated)
    assert {each.factor.name: each.factor.drivers for each in answer.influences} == {"speeds": (0, 1), "rent": (2,)}
    assert sum(each.total for each in answer.influences) == pytest.approx(1, abs=0.1)
    sheet = uncertainties(calculated, answer)
    section = page(calculated, answer, sheet)
    assert "Two inputs are drawn together" in section.blocks[0].text
    words = "log-normal, deviation 10%, each configuration by itself"
    shown = [row.cells for block in section.blocks if hasattr(block, "rows") for row in block.rows]
    assert [cells[1] for cells in shown if cells[0] == "speeds"] == [words]
    assert [row.cells[0].value for table in sheet.tables for row in table.rows].count("speeds") == 1


def test_a_row_that_two_columns_name_is_called_a_row(tmp_path):
    prices = {**DEMAND, "input_sheet": "Prices", "input_column": "output_price", "input_row": "each"}
    calculated = scenario(read(_small(tmp_path, drawn(prices))))
    answer = uncertain(calculated)
    assert distributed(calculated, answer, answer.influences[0].factor).endswith(", each row by itself")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ((DEMAND,), "is not drawn: no row of Uncertainty moves time_factor on Configurations."),
        ((SPEEDS,), "is drawn for each configuration by itself, so that it partly evens out in their sum."),
        (({**SPEEDS, "input_row": None},), "is drawn for all configurations alike; by itself each errs as much, "),
        (({**SPEEDS, "input_row": "chat on H100"},), "is drawn for chat on H100 only."),
    ],
)
def test_the_page_says_whether_the_error_of_speeds_is_drawn(tmp_path, rows, says):
    calculated = scenario(read(_small(tmp_path, *TWO, drawn(*rows))))
    answer = uncertain(calculated)
    section = page(calculated, answer, uncertainties(calculated, answer))
    assert any(f"The error of predicted speeds {says}" in getattr(block, "text", "") for block in section.blocks)


def test_a_blank_cell_moves_where_it_stands_for_a_number(tmp_path):
    """Not for 0, for none, or for a setting, which moves by itself."""
    named = {
        ("Traffic", "service_variability"): 1,
        ("Traffic", "weekend_weight, reasoning_tokens, waiting_target"): 1,
        ("Configurations", "time_factor, usable_memory_share, context_override"): 1,
        ("Settings", "usable_memory_share, price_decline, cost_ceiling"): 1,
    }
    for (sheet, columns), count in named.items():
        row = {**RENT, "input_sheet": sheet, "input_column": columns, "low": 0.9, "high": 1.1}
        tables = read(_small(tmp_path, drawn(row))).tables
        (driver,) = tables["Uncertainty"]
        cells = list(cells_of(tables, driver))
        assert [cell[1] for cell in cells] == [columns.partition(",")[0]] * count
        assert (cells[0][1], 0) in tables[sheet].blank


def test_nothing_is_drawn_where_nothing_is_uncertain_or_it_is_not_asked(tmp_path):
    assert _answer(tmp_path) is None
    assert _answer(tmp_path, drawn(DEMAND), fill("Settings", {"study_uncertainty": "no"})) is None
    assert _answer(tmp_path, drawn(DEMAND), fill("Configurations", {"requests_share": None})) is None


def test_draws_that_do_not_fit_are_left_out_and_told(tmp_path):
    giant = fill("Models", {"total_parameters": 150, "active_parameters": 8.03})
    size = {**RENT, "driver": "size", "input_sheet": "Models", "input_column": "total_parameters", "input_row": None}
    path = _small(tmp_path, giant, drawn({**size, "low": 0.9, "high": 1.2}))
    calculated = scenario(read(path))
    answer = uncertain(calculated)
    (share,) = answer.unfit.values()
    assert 0 < share < 1
    assert answer.profit.low <= answer.profit.high
    assert np.isnan(answer.influences[0].total)
    section = page(calculated, answer, uncertainties(calculated, answer))
    assert any("does not fit in" in getattr(block, "text", "") for block in section.blocks)


def test_without_revenue_there_is_a_loss_and_no_margin(tmp_path):
    unsold = fill("Prices", dict.fromkeys(("input_price", "cached_input_price", "output_price", "reasoning_price")))
    path = _small(tmp_path, unsold, drawn(DEMAND))
    calculated = scenario(read(path))
    answer = uncertain(calculated)
    assert answer.profit.chance == 0 and answer.profit.high < 0 and np.isnan(answer.margin.middle)
    section = page(calculated, answer, uncertainties(calculated, answer))
    assert next(block.title for block in section.blocks if hasattr(block, "marks")) == "Every draw is a loss."


def test_an_input_that_moves_nothing_is_told(tmp_path):
    idle = {**RENT, "driver": "idle input", "input_sheet": "Hardware", "input_column": "one_year_price"}
    path = _small(tmp_path, fill("Hardware", {"one_year_price": 2}), drawn(idle, DEMAND))
    calculated = scenario(read(path))
    answer = uncertain(calculated)
    assert [each.moves for each in answer.influences] == [False, True]
    section = page(calculated, answer, uncertainties(calculated, answer))
    assert any("idle input: no configuration that serves" in getattr(block, "footnote", "") for block in section.blocks)


def test_a_workbook_without_uncertain_inputs_loads_no_scipy(tmp_path):
    code = (
        "import sys; from engine.workbook.read import read; from engine.scenarios import scenario\n"
        "from engine.studies.uncertainty import uncertain; import engine.run\n"
        f"assert uncertain(scenario(read({str(_small(tmp_path))!r}))) is None\n"
        "print('scipy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    path = _small(folder, grouped(0.5), fill("Settings", {"seed": 11}))
    return report_month(path, folder / "reports").folder


def test_run_json_says_how_it_was_drawn(run):
    said = json.loads((run / "run.json").read_text(encoding="utf-8"))
    answer = uncertain(scenario(read(run / "input.xlsx")))
    assert (said["uncertainty"]["seed"], said["uncertainty"]["draws"]) == (11, 256)
    assert said["uncertainty"]["gross_profit"]["P90"] == answer.profit.high
    assert said["passed"]


def test_the_page_shows_the_range_and_what_it_is_drawn_from(run, pages_of):
    text = next(page for page in pages_of(run / "report.pdf") if "Eight times in ten" in page)
    answer = uncertain(scenario(read(run / "input.xlsx")))
    assert f"between {brief_money(answer.profit.low)} and {brief_money(answer.profit.high)}" in text
    assert "256 draws, seed 11" in text
    assert "demand, rent and answers; correlation 50%" in text


@pytest.mark.parametrize(("sheet", "column"), [("Hardware", "on_demand_price"), ("Uncertainty", "deviation")])
def test_the_sheet_says_when_its_values_no_longer_stand(run, tmp_path, sheet, column):
    path = tmp_path / "results.xlsx"
    book = load_workbook(run / "results.xlsx")
    heads = [cell.value for cell in book[sheet][4]]
    cell = book[sheet].cell(5, heads.index(column) + 1)

    def verdicts():
        assert not recalculate(path).errors
        rows = list(load_workbook(path, data_only=True)[NAME].iter_rows(values_only=True))
        start = next(place for place, row in enumerate(rows) if row[0] == STANDING)
        return [row[3] for row in rows[start + 3 : start + 8]]

    book.save(path)
    assert verdicts() == [STANDS] * 5
    cell.value = cell.value * 1.01
    book.save(path)
    assert CHANGED in verdicts()


def test_what_is_wrong_comes_all_at_once(tmp_path):
    path = _small(tmp_path, drawn({**DEMAND, "input_column": "nothing"}, {**RENT, "low": 2}, ANSWERS))
    found = problems_of(path)
    assert [problem.place for problem in found] == ["Uncertainty!C5", "Uncertainty!F6"]
