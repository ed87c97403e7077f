"""Every reading of the formulas gives the same figures: as they stand, in chunks of NumPy, as a compiled kernel."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calculation import calculate, depending_on
from engine.distributions import normal_cumulative, poisson_cumulative, poisson_probability
from engine.formulas import FORMULAS, needs
from engine.fusing.chunks import Chunked
from engine.fusing.graph import Branches, Known, Operation, program, read
from engine.fusing.kernels import kernel
from engine.scenarios import CONFIGURED, scenario
from engine.units import unit_of
from engine.workbook.read import read as read_workbook

EXAMPLE = Path(__file__).parents[1] / "inputs" / "example.xlsx"
NUMBERS = [name for name, f in FORMULAS.items() if unit_of(f.__annotations__["return"]).kind != "text"]
GUARDS = {name: "fits" for name in NUMBERS if name in depending_on("batch_size")}
SAME = 1e-12
# Needs all of the speed and all of the money.
ASKED = ["blended_cost", "user_speed", "fits", "meets_target", "gross_margin", "idle_cost", "replica_count"]
ROWS = 60


@pytest.fixture(scope="module")
def example():
    """What the formulas read for every configuration of the example, and the figures that its report has."""
    grain = scenario(read_workbook(EXAMPLE))[CONFIGURED]
    given = set().union(*(needs(formula) for formula in FORMULAS.values())) - set(FORMULAS)
    return {name: np.asarray(grain.values[name], dtype=float) for name in sorted(given)}, grain.values


@pytest.fixture(scope="module")
def graph(example):
    return read(FORMULAS, NUMBERS, example[0], GUARDS)


@pytest.fixture(scope="module")
def compiled(example):
    """The kernel of what is asked of sweeps, over a column of rows; compiled once for this file."""
    columns = {name: np.resize(values, ROWS) for name, values in example[0].items()}
    return kernel(read(FORMULAS, ASKED, columns, GUARDS), columns)


def _fused(kernel, columns):
    shape = np.broadcast_shapes(*(values.shape for values in columns.values()))
    fitted = {name: kernel.fitted(name, np.broadcast_to(columns[name], shape)) for name in kernel.graph.columns}
    return kernel(fitted, shape)


def _plain(columns, names=NUMBERS):
    found = calculate(columns, FORMULAS)
    return {name: np.where(found["fits"] > 0, found[name], np.nan) if name in GUARDS else found[name] for name in names}


def _same(found, expected, names):
    for name in names:
        one, other = np.broadcast_arrays(found[name], expected[name])
        with np.errstate(all="ignore"):
            apart = np.where((one == other) | (np.isnan(one) & np.isnan(other)), 0, abs(one - other) / abs(other))
        worst = int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))
        assert apart.ravel()[worst] <= SAME, f"{name}: {one.ravel()[worst]!r}, not {other.ravel()[worst]!r}"


def test_chunks_give_the_reports_figures(graph, example):
    columns, values = example
    _same(Chunked(graph)(columns, (len(values["fits"]),)), values, NUMBERS)


def test_the_kernel_gives_the_reports_figures(compiled, example):
    columns, values = example
    rows = {name: np.resize(column, ROWS) for name, column in columns.items()}
    expected = {name: np.resize(values[name], ROWS) for name in ASKED}
    _same(_fused(compiled, rows), expected, ASKED)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_all_readings_agree_on_rows_of_any_kind(graph, compiled, example, seed):
    random = np.random.default_rng(seed)
    columns = {
        name: random.choice(values, ROWS)
        * random.choice([1, 1, 1, 1, 1, 1, 0.5, 2, random.uniform(0.1, 10), 0, -1, np.nan], ROWS)
        for name, values in example[0].items()
    }
    expected = _plain(columns)
    _same(Chunked(graph)(columns, (ROWS,)), expected, ASKED)
    _same(_fused(compiled, columns), expected, ASKED)


def test_each_operation_stands_where_its_axes_change(example):
    """What is calculated once for a whole axis is what does not depend on it."""
    columns = {name: values[:3, np.newaxis] for name, values in example[0].items()}
    columns["accelerator_price"] = np.linspace(1, 4, 5)[np.newaxis]
    columns["is_billed_hourly"] = np.zeros((1, 1))
    found = read(FORMULAS, ["user_speed", "blended_cost"], columns, {})
    axes = found.axes({name: columns[name] for name in found.columns})
    assert axes[found.outputs["user_speed"]] == {0}
    assert axes[found.outputs["blended_cost"]] == {0, 1}
    money = [at for at, own in enumerate(axes) if 1 in own]
    assert len(money) < len(found.steps) / 20
    answers = Chunked(found)({name: columns[name] for name in found.columns}, (3, 5))
    assert answers["user_speed"].shape == (3, 1)
    everywhere = {name: np.broadcast_to(values, (3, 5)).ravel() for name, values in columns.items()}
    expected = calculate(everywhere, FORMULAS)
    _same({"blended_cost": np.broadcast_to(answers["blended_cost"], (3, 5)).ravel()}, expected, ["blended_cost"])


@pytest.mark.parametrize("prices", [1, 3, 8, 21])
def test_all_readings_agree_over_a_grid(example, prices):
    """Of axes shorter than a vector, and of those that no number of vectors fills; with choices made on outer axes."""
    columns = {name: values[:, np.newaxis, np.newaxis] for name, values in example[0].items()}
    columns["requested_batch_size"] = np.linspace(0, 400, 1000)[:, np.newaxis]
    columns["accelerator_price"] = np.linspace(1, 4, prices)
    columns = {name: values.reshape((1,) * (3 - values.ndim) + values.shape) for name, values in columns.items()}
    shape = np.broadcast_shapes(*(values.shape for values in columns.values()))
    found = read(FORMULAS, ASKED, columns, GUARDS)
    expected = _plain({name: np.broadcast_to(values, shape).ravel() for name, values in columns.items()}, ASKED)
    fused = kernel(found, columns)
    every = {**columns, **fused.tables}
    given = {name: fused.fitted(name, every[name]) for name in fused.graph.columns}
    for answers in (Chunked(found)(columns, shape), fused(given, shape)):
        _same({name: np.broadcast_to(answers[name], shape).ravel() for name in ASKED}, expected, ASKED)


def test_what_is_the_same_everywhere_is_calculated_once(example):
    columns = {name: values[:1] for name, values in example[0].items()}
    found = read(FORMULAS, NUMBERS, columns, GUARDS)
    assert all(isinstance(step, Known) for step in found.steps)
    for name, at in found.outputs.items():
        expected = example[1][name][0]
        assert found.steps[at].value == pytest.approx(expected, rel=SAME, nan_ok=True), name


def test_sides_of_a_choice_that_no_row_takes_are_not_calculated():

    def chosen(quantity):
        return np.where(quantity > 2, poisson_cumulative(quantity, quantity) + np.log(quantity), quantity)

    columns = {"quantity": np.array([1.0, 2.0])}
    found = read({"chosen": chosen}, ["chosen"], columns)
    steps = program(found, worth=12)
    (choice,) = [item for item in steps if isinstance(item, Branches)]
    inside = {found.steps[at].function for at in choice.then}
    assert inside == {poisson_cumulative, np.log, np.add}
    assert not choice.otherwise
    with np.errstate(all="raise"):
        # A logarithm of 0 would be told of.
        below = Chunked(found)({"quantity": np.array([0.0, 1.0])}, (2,))["chosen"]
    assert below.tolist() == [0, 1]


def test_cubes_are_products_and_conversions_of_one_are_left_out():
    def cube(side):
        return (side * 1.0) ** 3

    found = read({"cube": cube}, ["cube"], {"side": np.array([1.0, 2.0])})
    functions = [step.function for step in found.steps if isinstance(step, Operation)]
    assert functions == [np.multiply, np.multiply]


@pytest.mark.parametrize(
    "function", [np.cbrt, np.exp, np.log, np.log2, np.floor, np.ceil, normal_cumulative], ids=lambda f: f.__name__
)
def test_functions_of_the_kernel_are_numpys(function):
    values = np.array([0.0, -0.0, 1e-310, 1e-9, 0.3, 1.0, 2.5, 8.0, 700.0, 1e300, np.inf, np.nan])
    values = np.concatenate([values, -values])
    found = read({"answer": lambda value: function(value)}, ["answer"], {"value": values})
    answers = _fused(kernel(found, {"value": values}), {"value": values})
    with np.errstate(all="ignore"):
        _same(answers, {"answer": function(values)}, ["answer"])


@pytest.mark.parametrize("function", [poisson_probability, poisson_cumulative], ids=lambda f: f.__name__)
def test_counts_of_the_kernel_are_those_of_the_distributions(function):
    counts, means = [-1, 0, 1.7, 30, 100, 101, np.nan], [-1, 0, 1e-6, 0.2, 29, 99, 1e3, 1e9]
    count, mean = (values.ravel() for values in np.meshgrid(counts, means))
    columns = {"count": count, "mean": mean}
    found = read({"answer": lambda count, mean: function(count, mean)}, ["answer"], columns)
    _same(_fused(kernel(found, columns), columns), {"answer": function(count, mean)}, ["answer"])


def test_nan_goes_through_extremes_and_choices():
    missing = np.array([np.nan, 1.0, np.nan, 2.0])
    other = np.array([1.0, np.nan, np.nan, 3.0])
    columns = {"one": missing, "other": other}
    formulas = {
        "larger": lambda one, other: np.maximum(one, other),
        "smaller": lambda one, other: np.minimum(one, other),
        "choice": lambda one, other: np.where(one > other, one, other),
        "both": lambda one, other: np.where(np.logical_and(one >= 1, other <= 3), 1, 0),
    }
    found = read(formulas, formulas, columns)
    answers = _fused(kernel(found, columns), columns)
    _same(answers, {name: formula(missing, other) for name, formula in formulas.items()}, formulas)


def test_text_has_no_compiled_form():
    columns = {"value": np.array([1.0, 2.0])}
    found = read({"word": lambda value: np.where(value > 1, "more", "less")}, ["word"], columns)
    assert Chunked(found)(columns, (2,))["word"].tolist() == ["less", "more"]
    with pytest.raises(TypeError, match="text"):
        _fused(kernel(found, columns), columns)
