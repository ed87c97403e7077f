"""Sweeps: every row is a case of the model, what is kept of them is right, and nothing that is finished is lost."""

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from bad_workbooks.valid import write_valid
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from engine.__main__ import app
from engine.fusing.boxes import Boxes
from engine.scenarios import CASES, Case, scenario, with_cases
from engine.sweeping import cluster, folder, plans, running
from engine.sweeping.folder import SweepError, UnfinishedError
from engine.sweeping.grid import Axis, GridError, read_grid
from engine.sweeping.ranking import Frontier
from engine.sweeping.running import sweep
from engine.sweeping.sizes import Histogram, Quantiles
from engine.workbook.read import read

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "inputs" / "example.xlsx"
SPEEDS = """
[axes]
accelerator_price = { from = 1, to = 3, count = 3 }
configuration = ["Chat on 4 H100", "Search on 2 H100"]
hardware = ["H100 SXM", "A100 80GB SXM"]
precision = ["fp8", "bf16"]
tensor_parallel = [2, 4]
requested_batch_size = [1, 16, "max"]
input_price = { from = 0.1, to = 10, count = 3, spacing = "log" }
[results]
quantities = ["gross_margin", "step_time"]
"""
# Many rows, of which each is cheap: 2.4 million.
MANY = """
[axes]
hardware = ["H100 SXM", "H200 SXM"]
tensor_parallel = [2, 4, 8]
accelerator_price = { from = 1, to = 4, count = 400 }
output_price = { from = 0.5, to = 8, count = 1000 }
[results]
best = "gross_margin"
highest = true
"""


@pytest.fixture(scope="module")
def example():
    return scenario(read(EXAMPLE))


def _written(folder, text):
    path = folder / "grid.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _swept(folder, text, keep, **options):
    return sweep(EXAMPLE, _written(folder, text), folder / "out", keep, **options)


def _rows(out):
    """All rows of a folder, in the order of their numbers."""
    table = pyarrow.parquet.read_table(out / "rows").to_pydict()
    order = np.argsort(table["row"])
    return {name: np.array(values)[order] for name, values in table.items()}


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Every row of the small grid."""
    place = tmp_path_factory.mktemp("all")
    outcome = _swept(place, SPEEDS, "all")
    return _rows(place / "out"), outcome


def test_every_row_is_a_case_of_the_model(everything, example):
    rows, outcome = everything
    axes = ["accelerator_price", "configuration", "hardware", "precision", "tensor_parallel", "requested_batch_size"]
    axes.append("input_price")
    assert len(rows["row"]) == outcome.summary["rows"] == 2 * 2 * 2 * 2 * 3 * 3 * 3
    assert rows["row"].tolist() == list(range(len(rows["row"])))
    combinations = {tuple(rows[name][row] for name in axes) for row in rows["row"]}
    batches = [1.0, 16.0, 0.0]
    names = (["Chat on 4 H100", "Search on 2 H100"], ["H100 SXM", "A100 80GB SXM"], ["fp8", "bf16"])
    assert combinations == set(product([1.0, 2.0, 3.0], *names, [2.0, 4.0], batches, [0.1, 1.0, 10.0]))
    cases = [
        Case(str(row), "sweep", rows["configuration"][row], {n: rows[n][row] for n in axes if n != "configuration"})
        for row in rows["row"]
    ]
    figures = with_cases(example, cases)[CASES].values
    # An A100 does not calculate with fp8; nothing is figured for it.
    known = ~((rows["hardware"] == "A100 80GB SXM") & (rows["precision"] == "fp8"))
    assert known.sum() == len(known) * 3 / 4
    for name in ("blended_cost", "user_speed", "gross_margin", "step_time", "meets_target"):
        np.testing.assert_allclose(rows[name][known], figures[name][known].astype(float), rtol=1e-12, err_msg=name)
    assert np.isnan(rows["blended_cost"][~known]).all()


def test_expensive_axes_stand_outside(everything):
    names = [axis.quantity for axis in everything[1].plan.axes]
    assert set(names[-2:]) == {"accelerator_price", "input_price"}


def test_counts_are_of_all_rows(everything):
    rows, outcome = everything
    assert outcome.summary["fits"] == np.count_nonzero(rows["fits"] > 0)
    assert outcome.summary["meets_target"] == np.count_nonzero(rows["meets_target"] > 0) > 0


@pytest.mark.parametrize("by", ["blended_cost", "gross_margin"])
@pytest.mark.parametrize("per", ["", "hardware", "input_price"])
def test_best_are_the_first_of_all_when_sorted(everything, tmp_path, by, per):
    rows, _ = everything
    text = SPEEDS + f'best = "{by}"\nhighest = {"true" if by == "gross_margin" else "false"}\n'
    text += f'per = "{per}"\n' if per else ""
    kept = _swept(tmp_path, text, "best:7").kept
    ranked = _ranked(rows[by], by == "gross_margin")
    order = [row for row in np.lexsort((rows["row"], ranked)) if rows["meets_target"][row] > 0 and ranked[row] < np.inf]
    groups = sorted(set(rows[per])) if per else [None]
    expected = [row for group in groups for row in [r for r in order if not per or rows[per][r] == group][:7]]
    assert sorted(kept["row"].tolist()) == sorted(expected)
    places = kept["row"]
    assert kept["hardware"].tolist() == rows["hardware"][places].tolist()
    np.testing.assert_array_equal(kept[by], rows[by][places])


def _ranked(figures, highest):
    """Ten digits, lowest first."""
    known = np.where(np.isnan(figures), np.inf, -figures if highest else figures)
    return np.array([float(f"{value:.9e}") if math.isfinite(value) else value for value in known])


def test_the_frontier_is_what_no_row_beats(everything, tmp_path):
    rows, _ = everything
    kept = _swept(tmp_path, SPEEDS, "frontier").kept
    cost, speed = (np.array([float(f"{v:.9e}") for v in rows[name]]) for name in ("blended_cost", "user_speed"))
    points = {(cost[row], speed[row]) for row in np.flatnonzero(~np.isnan(cost))}
    front = {own for own in points if not any(o != own and o[0] <= own[0] and o[1] >= own[1] for o in points)}
    assert {(cost[row], speed[row]) for row in kept["row"]} == front
    assert len(kept["row"]) == len(front) > 1
    assert (np.diff(kept["blended_cost"]) > 0).all() and (np.diff(kept["user_speed"]) > 0).all()


def test_of_rows_alike_in_cost_and_speed_the_first_is_kept():
    frontier = Frontier(("blended_cost", "user_speed"))
    state = frontier.start()
    cost, speed = np.array([2.0, 1.0, 1.0, 3.0, 2.0, np.nan]), np.array([5.0, 4.0, 4.0, 5.0, 6.0, 9.0])
    flags = np.ones(6)
    answers = {"blended_cost": cost, "user_speed": speed, "fits": flags, "meets_target": flags}
    for first in (0, 6):
        frontier.take(state, answers, (6,), first)
    assert state["kept"]["row"].tolist() == [1, 4]
    assert frontier.result([frontier.record(state), frontier.record(state)])["row"].tolist() == [1, 4]


def test_a_format_that_an_accelerator_lacks_has_no_figures(tmp_path):
    text = '[axes]\nhardware = ["H100 SXM", "B200 SXM"]\nprecision = ["mxfp4, fp8 arithmetic", "fp8"]\n'
    _swept(tmp_path, text, "all")
    rows = _rows(tmp_path / "out")
    known = rows["blended_cost"] > 0
    pairs = set(zip(rows["hardware"][known], rows["precision"][known], strict=True))
    assert pairs == {("B200 SXM", "mxfp4, fp8 arithmetic"), ("H100 SXM", "fp8"), ("B200 SXM", "fp8")}


def test_quantiles_are_within_one_percent(everything, tmp_path):
    rows, _ = everything
    found = _swept(tmp_path, SPEEDS, "quantiles").summary["quantiles"]
    for name in ("blended_cost", "gross_margin"):
        values = rows[name][~np.isnan(rows[name])]
        for share, value in found[name].items():
            exact = np.quantile(values, float(share), method="inverted_cdf")
            assert value == pytest.approx(exact, rel=0.01), (name, share)


@pytest.mark.parametrize(("quantity", "bins"), [("blended_cost", 7), ("gross_margin", 12), ("user_speed", 1)])
def test_a_histogram_counts_every_row_that_has_a_figure(everything, tmp_path, quantity, bins):
    rows, _ = everything
    found = _swept(tmp_path, SPEEDS, f"histogram:{quantity}:{bins}").summary["histogram"]
    values = rows[quantity][~np.isnan(rows[quantity])]
    edges = np.array(found["edges"])
    assert found["quantity"] == quantity and len(edges) == len(found["counts"]) + 1 == bins + 1
    assert (edges[0], edges[-1]) == (values.min(), values.max())
    even = np.linspace(values.min(), values.max(), bins + 1)
    np.testing.assert_allclose(edges, even, rtol=0.01)
    assert found["counts"] == np.histogram(values, edges)[0].tolist()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.integers(1, 30), st.integers(1, 59))
def test_pieces_of_a_histogram_add_up_in_any_order(values, bins, cut):
    histogram = Histogram("cost", bins)
    parts = [np.array(part) for part in (values[:cut], values[cut:])]
    states = []
    for part in parts:
        state = histogram.start()
        flags = np.ones(len(part))
        histogram.take(state, {"cost": part, "fits": flags, "meets_target": flags}, (len(part),), 0) if len(part) else 0
        states.append(json.loads(json.dumps(histogram.record(state))))
    found = histogram.result(states)
    assert found == histogram.result(states[::-1])
    edges = found["edges"]
    assert sum(found["counts"]) == len(values) and len(found["counts"]) <= bins
    assert edges[0] == min(values) and edges[-1] == max(values)
    # On an edge itself a figure may lie on either side.
    for low, high, count in zip(edges, edges[1:], found["counts"], strict=False):
        assert sum(low < v < high for v in values) <= count <= sum(low <= v <= high for v in values)


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        (Histogram("cost", 5), {"quantity": "cost", "edges": [], "counts": []}),
        (Quantiles(("cost",)), {"cost": {}}),
    ],
)
def test_a_piece_of_which_nothing_fits_is_counted_as_nothing(reduction, expected):
    state = reduction.start()
    nothing = {"cost": np.full(3, np.nan), "fits": np.zeros(3), "meets_target": np.zeros(3)}
    reduction.take(state, nothing, (3,), 0)
    assert reduction.result([json.loads(json.dumps(reduction.record(state)))]) == expected


def test_a_histogram_goes_on_where_it_was_and_holds_no_rows(tmp_path, monkeypatch):
    before = _swept(tmp_path, MANY, "histogram:gross_margin:30").summary
    assert sum(before["histogram"]["counts"]) == before["fits"] > 1e6
    kept = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) < 300_000 and not list((tmp_path / "out" / "rows").iterdir())
    (tmp_path / "out" / "pieces" / _pieces(tmp_path / "out")[1]).unlink()
    done = []
    monkeypatch.setattr(running, "piece", lambda plan, number: (done.append(number), plan.calculate(number), None)[1:])
    assert _swept(tmp_path, MANY, "histogram:gross_margin:30").summary == before
    assert done == [1]


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        ("histogram:step_time:20", "counts 'step_time'; this grid has blended_cost, user_speed"),
        ("histogram", "counts ''; this grid has"),
        ("histogram:blended_cost", "has '' bins; allowed is 1 to 1,000. Write histogram:blended_cost:20"),
        ("histogram:blended_cost:0", "has '0' bins"),
        ("histogram:blended_cost:many", "has 'many' bins"),
        ("histogram:blended_cost:2000", "has '2000' bins"),
    ],
)
def test_a_histogram_that_is_not_one_is_told(tmp_path, keep, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        _swept(tmp_path, MANY, keep)


def test_the_kernel_keeps_the_same_rows(tmp_path, monkeypatch):
    outcomes = []
    for number, least in enumerate((1 << 40, 1)):
        monkeypatch.setattr(plans, "WORTH_COMPILING", least)
        place = tmp_path / str(number)
        place.mkdir()
        outcomes.append(_swept(place, MANY, "best:20"))
    numpy, fused = outcomes
    assert numpy.summary == fused.summary
    assert numpy.kept["row"].tolist() == fused.kept["row"].tolist()
    np.testing.assert_allclose(numpy.kept["gross_margin"], fused.kept["gross_margin"], rtol=1e-12)


# Index arithmetic


@given(shape=st.lists(st.integers(1, 7), min_size=1, max_size=5), most=st.integers(1, 400))
def test_boxes_are_runs_of_all_rows_in_order(shape, most):
    boxes = Boxes(tuple(shape), most)
    numbers = np.arange(math.prod(shape)).reshape(shape)
    runs = [numbers[boxes[number]].ravel() for number in range(len(boxes))]
    assert np.concatenate(runs).tolist() == list(range(math.prod(shape)))
    assert max(map(len, runs)) <= most


@given(st.floats(0.01, 100), st.floats(101, 1e6), st.integers(2, 50), st.booleans())
def test_a_range_has_its_ends_and_even_steps(first, last, count, logarithmic):
    axis = Axis("x", (), count, (first, last), logarithmic)
    expected = (np.geomspace if logarithmic else np.linspace)(first, last, count)
    found = axis.numbers(0, count)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert (found[0], found[-1]) == (first, last)
    middle = count // 2
    assert axis.numbers(middle, count).tolist() == found[middle:].tolist()


def test_an_axis_too_long_to_hold_is_calculated_by_place(tmp_path, monkeypatch):
    held = _swept(tmp_path, MANY, "best:3").kept
    monkeypatch.setattr("engine.sweeping.rows.LONGEST_HELD", 100)
    place = tmp_path / "other"
    place.mkdir()
    by_place = _swept(place, MANY, "best:3").kept
    assert by_place["row"].tolist() == held["row"].tolist()
    assert by_place["gross_margin"].tolist() == held["gross_margin"].tolist()


# What is finished stays


def _pieces(out):
    return sorted(path.name for path in (out / "pieces").glob("*.json"))


def test_a_finished_piece_is_not_done_again(tmp_path, monkeypatch):
    before = _swept(tmp_path, MANY, "best:5")
    pieces = _pieces(tmp_path / "out")
    assert len(pieces) > 5
    (tmp_path / "out" / "pieces" / pieces[2]).unlink()
    done = []
    monkeypatch.setattr(running, "piece", lambda plan, number: (done.append(number), plan.calculate(number), None)[1:])
    after = _swept(tmp_path, MANY, "best:5")
    assert done == [2]
    assert after.kept["row"].tolist() == before.kept["row"].tolist()


def _command(out, grid, *more):
    command = (sys.executable, "-m", "engine", "sweep", str(EXAMPLE), "--grid", str(grid), "--out", str(out), *more)
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _wait_for(found, process, seconds=60):
    begun = time.monotonic()
    while not found():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - begun < seconds, "nothing happened"
        time.sleep(0.02)


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    grid, out = _written(tmp_path, MANY), tmp_path / "out"
    process = _command(out, grid, "--keep", "frontier")
    _wait_for(lambda: (out / "pieces").exists() and len(_pieces(out)) >= 2, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    killed = _pieces(out)
    times = {name: (out / "pieces" / name).stat().st_mtime_ns for name in killed}
    after = _swept(tmp_path, MANY, "frontier")
    assert len(killed) < len(_pieces(out)) == len(after.plan.pieces)
    assert {name: (out / "pieces" / name).stat().st_mtime_ns for name in killed} == times
    whole = tmp_path / "whole"
    whole.mkdir()
    assert _swept(whole, MANY, "frontier").kept["row"].tolist() == after.kept["row"].tolist()
    assert not list(out.rglob("*.part"))


@pytest.mark.parametrize(
    ("text", "keep", "other"),
    [(MANY, "frontier", "another keep"), (MANY.replace("400", "401"), "best:5", "another grid")],
)
def test_another_sweep_is_not_mixed_in(tmp_path, text, keep, other):
    small = MANY.replace("1000", "10")
    _swept(tmp_path, small, "best:5")
    with pytest.raises(SweepError, match=other):
        _swept(tmp_path, text.replace("1000", "10"), keep)


def test_another_workbook_is_not_mixed_in(tmp_path):
    text = '[axes]\nconfiguration = ["A on 8 X100"]\naccelerator_price = [1, 2]\n'
    valid = write_valid(tmp_path / "valid.xlsx")
    name = str(scenario(read(valid))["Calculation"].keys[0])
    text = text.replace("A on 8 X100", name)
    sweep(valid, _written(tmp_path, text), tmp_path / "out", "all")
    manifest = tmp_path / "out" / "sweep.json"
    manifest.write_text(manifest.read_text().replace(read(valid).sha256, "0"))
    with pytest.raises(SweepError, match="another workbook"):
        sweep(valid, _written(tmp_path, text), tmp_path / "out", "all")


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(SweepError, match="holds other files"):
        _swept(tmp_path, MANY, "best:5")


def test_a_full_disk_is_told_and_loses_nothing(tmp_path, monkeypatch):
    written = []

    def full(descriptor):
        written.append(descriptor)
        if len(written) > 4:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder.os, "fsync", full)
    with pytest.raises(UnfinishedError, match=r"No space left on device\. 3 of \d+ pieces are kept"):
        _swept(tmp_path, MANY, "best:5")
    assert len(_pieces(tmp_path / "out")) == 3
    assert not list((tmp_path / "out").rglob("*.part"))
    monkeypatch.undo()
    assert len(_swept(tmp_path, MANY, "best:5").kept["row"]) == 5


# Bad input


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[axes]\ntensor_paralel = [1]", "tensor_paralel  is nothing that a configuration reads. Did you mean tensor_"),
        ("[axes]\ntensor_parallel = []", "grid.toml, tensor_parallel  has no values. Write at least one."),
        ("[axes]\ntensor_parallel = [2, 2]", "has a value twice"),
        ("[axes]\ntensor_parallel = [2.5]", "tensor_parallel is 2.5; allowed is a whole number, 1 to"),
        ("[axes]\ntensor_parallel = [true]", "tensor_parallel is TRUE"),
        ("[axes]\nassumed_utilization = [45]", "is 4500 %; allowed is 1 % to 100 %. Type 45 % or 0.45."),
        ('[axes]\naccelerator_price = ["cheap"]', "accelerator_price is the text 'cheap'"),
        ('[axes]\nhardware = ["H100"]', "'H100' is not on the Hardware sheet, which has: H100 SXM"),
        ('[axes]\nprice_basis = ["weekly"]', "price_basis is 'weekly'; allowed is one of on demand"),
        ('[axes]\nconfiguration = ["Chat"]', "'Chat' is not on the Configurations sheet"),
        ("[axes]\nhardware = { from = 1, to = 2, count = 2 }", "is a range; names have none"),
        ("[axes]\ntensor_parallel = { from = 1, to = 8 }", "has the count None"),
        ("[axes]\ntensor_parallel = { from = 1, to = 8, count = 5 }", "has values between whole numbers"),
        ("[axes]\naccelerator_price = { from = 0, to = 8, count = 5, spacing = 'log' }", "down to 0"),
        ("[axes]\naccelerator_price = { from = 2, to = 2, count = 5 }", "begins where it ends"),
        ("[axes]\naccelerator_price = { start = 2 }", "is not a list, and not a range"),
        ("[axes]\nmaximum_replicas = [5, 6]", "nothing that is kept depends on it"),
        ("[axes]\nserves = [0, 1]", "serves  is nothing that a configuration reads"),
        ("", "has no axes"),
        ("[axis]\n[axes]\ntensor_parallel = [2]", "has axis, which no grid has"),
        ("axes = 4", "has no axes"),
        ("[axes", "is not TOML"),
        ("[axes]\ntensor_parallel = [2]\n[results]\nbest = 'cost'", "'cost' is no figure of a configuration"),
        ("[axes]\ntensor_parallel = [2]\n[results]\nbest = 'bound'", "'bound' is no figure of a configuration"),
        ("[axes]\ntensor_parallel = [2]\n[results]\nper = 'hardware'", "which is none of the axes: tensor_parallel"),
        ("[axes]\ntensor_parallel = [2]\n[results]\nhighest = 1", "highest is 1; allowed is true or false"),
        ("[axes]\ntensor_parallel = [2]\n[results]\nwanted = 1", "has wanted"),
    ],
)
def test_a_grid_that_is_wrong_is_told_in_a_sentence(tmp_path, example, text, said):
    with pytest.raises(GridError) as told:
        plans.plan(example, read_grid(_written(tmp_path, text), example), "best:10")
    assert said in str(told.value)
    assert len(str(told.value).splitlines()) == 1


def test_all_problems_come_at_once(tmp_path, example):
    text = "[axes]\ntensor_parallel = [0.5, 2]\nhardware = []\nx = [1]\n"
    with pytest.raises(GridError) as told:
        read_grid(_written(tmp_path, text), example)
    assert len(str(told.value).splitlines()) == 3


def _said(tmp_path, text, *more):
    grid = _written(tmp_path, text)
    return CliRunner().invoke(app, ["sweep", str(EXAMPLE), "--grid", str(grid), "--out", str(tmp_path / "out"), *more])


def test_exit_codes_of_the_command(tmp_path):
    good = _said(tmp_path, SPEEDS, "--keep", "best:2")
    assert good.exit_code == 0
    assert "432 rows" in good.output
    assert "Search on 2 H100" in good.output
    assert _said(tmp_path, "[axes]\nx = [1]").exit_code == 3
    assert _said(tmp_path, SPEEDS, "--keep", "frontier").exit_code == 2
    odd = _said(tmp_path, SPEEDS, "--keep", "worst:3")
    assert "histogram:blended_cost:20" in odd.output
    assert odd.exit_code == 2


@pytest.mark.parametrize(
    ("keep", "told"),
    [("quantiles", r"gross_margin: 1% .*50% "), ("histogram:blended_cost:4", r"blended_cost 0\.\S+ to \S+: \d+ #+\n")],
)
def test_what_is_counted_is_told(tmp_path, keep, told):
    said = _said(tmp_path, SPEEDS, "--keep", keep)
    assert said.exit_code == 0, said.output
    assert re.search(told, said.output)


HUGE = """
[axes]
accelerator_price = { from = 1, to = 4, count = 100_000_000 }
output_price = { from = 1, to = 4, count = 10_000_000 }
[results]
best = "gross_margin"
"""


def test_a_grid_of_a_thousand_million_millions_is_asked_about_first(tmp_path, monkeypatch):
    monkeypatch.setattr(plans, "WORTH_COMPILING", 1 << 60)
    said = _said(tmp_path, HUGE)
    assert said.exit_code == 2
    assert "1,000,000,000,000,000 rows would take about" in said.output
    assert "or add --yes." in said.output
    assert not _pieces(tmp_path / "out")


def test_rows_that_no_disk_holds_are_asked_about_first(tmp_path):
    with pytest.raises(SweepError, match=r"rows take up to [\d,]+ GB, and the disk of .* has"):
        _swept(tmp_path, HUGE, "all")


# A cluster


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _dask(*arguments):
    command = (sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:], "--no-dashboard")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def dask(tmp_path):
    """A scheduler and two workers, each a process of its own: the address, and the processes."""
    address = f"tcp://127.0.0.1:{_free_port()}"
    scheduler = _dask("dask_scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2])
    once = ("--nthreads", "1", "--no-nanny", "--local-directory")
    workers = [_dask("dask_worker", address, *once, str(tmp_path / f"worker{number}")) for number in range(2)]
    processes = [scheduler, *workers]
    yield address, processes
    for process in processes:
        process.kill()
        process.wait()


def test_a_cluster_that_loses_a_worker_gives_the_same(tmp_path, dask):
    address, (_, worker, _) = dask
    killed = []

    def progress(done, rows):
        if done and not killed:
            killed.append(worker.kill())

    there = _swept(tmp_path, MANY, "best:9", scheduler=address, progress=progress)
    assert killed
    place = tmp_path / "here"
    place.mkdir()
    here = _swept(place, MANY, "best:9")
    assert there.summary == here.summary
    assert there.kept["row"].tolist() == here.kept["row"].tolist()
    assert there.kept["gross_margin"].tolist() == here.kept["gross_margin"].tolist()


def test_a_scheduler_that_dies_leaves_what_is_finished(tmp_path, dask):
    address, (scheduler, *_) = dask
    killed = []

    def progress(done, rows):
        if done and not killed:
            killed.append(scheduler.kill())

    with pytest.raises(UnfinishedError, match=r"The scheduler is gone.* pieces are kept, and the same command goes on"):
        _swept(tmp_path, MANY, "best:9", scheduler=address, progress=progress)
    assert _pieces(tmp_path / "out")
    assert len(_swept(tmp_path, MANY, "best:9").kept["row"]) == 9


def test_a_scheduler_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_ANSWERS_WITHIN", 1)
    with pytest.raises(SweepError, match=r"No scheduler answers at tcp:"):
        _swept(tmp_path, SPEEDS, "best:9", scheduler=f"tcp://127.0.0.1:{_free_port()}")


def test_the_readmes_grid_is_one(tmp_path, example):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"<!-- grid -->\n```toml\n(.*?)```", readme, re.DOTALL)
    found = read_grid(_written(tmp_path, text), example)
    assert found.rows == 2 * 3 * 2 * 4 * 256 * 401
    planned = plans.plan(example, found, "best:10")
    assert planned.axes[-1].quantity == "accelerator_price"


def test_the_summary_is_plain(tmp_path):
    _swept(tmp_path, SPEEDS, "best:2")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert set(summary) == {"rows", "fits", "meets_target"}
