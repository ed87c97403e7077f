"""Calibration: fits of known points, what stays blind, bands, the table that ships, and a workbook's own points."""

import csv
import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from bad_workbooks.valid import fill, spoil, write_valid
from typer.testing import CliRunner

from engine.__main__ import app
from engine.catalogue import FOLDER, catalogue, left_out, priors, uncertain
from engine.measured import folded, points
from engine.scenarios import CONFIGURED, scenario
from engine.sheets import EACH
from engine.studies.blind import KINDS, SOURCE, correlation, given_a_share, summary
from engine.studies.blind import left_out as left_out_of
from engine.studies.calibration import ALL, NO_ERRORS, UNLIMITED, fit, marked, priors_of, stack_fit
from engine.studies.fidelity import Level, at_level, parameters_of
from engine.workbook.read import read

YEAR = 2026
FILES = [FOLDER / f"{name}.csv" for name in ("measured", "accelerators", "models")]


@pytest.fixture(scope="module")
def before():
    return priors_of(priors())


@pytest.fixture(scope="module")
def public():
    return marked(points(*FILES))


@pytest.fixture(scope="module")
def shipped():
    return {row["calibration"]: Level(row["calibration"], parameters_of(row)) for row in catalogue("calibration")}


def told(given, level, *, off=0.0):
    """The points as if they had been measured to be what the level predicts, times the exponential of `off`."""
    return [
        replace(found.point, value=found.predicted * math.exp(off))
        for found in at_level(given, level)
        if not found.reason
    ]


def few(public, *sources):
    return [point for point in public if point.row["source_key"] in sources]


def test_a_fit_finds_the_parameters_that_points_were_made_with(public, before, shipped):
    """Points of 27 sets of traffic, made by other parameters than the priors'."""
    made = {"weight_bandwidth_share": 0.6, "decode_compute_share": 0.5, "prefill_compute_share": 0.5}
    level = Level("made", {**shipped[ALL].parameters, **made, "layer_overhead": 40.0})
    given = told(public, level)
    found = fit(given, [replace(prior, spread=prior.spread * 10) for prior in before], YEAR).levels[ALL]
    for name in ("weight_bandwidth_share", "decode_compute_share", "layer_overhead", "sequence_overhead"):
        assert found.parameters[name] == pytest.approx(level.parameters[name], rel=0.03), name
    assert found.parameters["prefill_compute_share"] == found.parameters["decode_compute_share"]
    assert max(summary(at_level(given, found)).values()) < 0.02


def test_a_slip_of_a_thousand_times_moves_little(public, before, shipped):
    given = told(few(public, "trtllm10", "trtllm061"), shipped[ALL])
    slipped = [replace(given[0], value=given[0].value * 1000), *given[1:]]
    true, found = (fit(each, before, YEAR).levels[ALL] for each in (given, slipped))
    assert summary(at_level(given, found))["throughput"] < 0.05 + summary(at_level(given, true))["throughput"]


def test_an_engine_differs_only_in_what_it_may(public, before):
    found = fit(few(public, "infx", "trtllm10"), before, YEAR)
    assert set(found.levels) == {ALL, "vLLM", "SGLang", "TensorRT-LLM"}
    for name, level in found.levels.items():
        differ = {key for key, value in level.parameters.items() if value != found.levels[ALL].parameters[key]}
        assert differ == (set() if name == ALL else {"first_token_steps"})
    steps = {name: level.parameters["first_token_steps"] for name, level in found.levels.items()}
    assert steps["vLLM"] < steps["TensorRT-LLM"] < steps["SGLang"]


def test_what_is_left_out_is_not_seen(public, before):
    """Whatever stands in the points of an accelerator, the fit without it stays the same."""
    given = few(public, "trtllm061", "trtllm10")
    wrong = [replace(p, value=p.value * (9 if folded(p.row["system"]) == "h200sxm" else 1)) for p in given]
    one, other = (dict(_by_name(left_out_of(each, before, YEAR, "accelerator"))) for each in (given, wrong))
    assert one["h200sxm"].levels == other["h200sxm"].levels
    assert one["h100sxm"].levels != other["h100sxm"].levels
    hidden = next(points for points, _ in left_out_of(given, before, YEAR, "accelerator").parts)
    assert all(point.quantities["accelerator_measured"] == 0 for point in hidden)


def _by_name(left):
    return ((KINDS[left.kind](hidden[0]), blind) for hidden, blind in left.parts)


def test_a_stack_is_moved_as_far_as_its_points_say(public, before, shipped):
    """Speeds a fifth below the prediction: one run says something, eight nearly all of it, and none nothing."""
    mine = [point for point in few(public, "trtllm10") if point.stack == few(public, "trtllm10")[0].stack]
    slower = told(mine, shipped[ALL], off=-0.2)
    rest = slower[-1:]
    left = [
        abs(math.log(at_level(rest, stack_fit(slower[:count], shipped[ALL], before, "own"))[0].ratio))
        for count in (1, 4, 8)
    ]
    assert 0.2 > left[0] > left[1] > left[2] and left[2] < 0.05
    same = stack_fit(told(mine, shipped[ALL]), shipped[ALL], before, "own")
    assert at_level(rest, same)[0].predicted == pytest.approx(at_level(rest, shipped[ALL])[0].predicted, rel=0.01)
    assert same.parameters["speed_error"] == shipped[ALL].parameters["stack_speed_error"]
    assert same.parameters["measured_points"] == len(mine)


def test_a_share_is_given_by_runs_and_not_asked_again(public, before, shipped):
    given = few(public, "infx")[:120]
    found, used = given_a_share(given, lambda _: shipped[ALL], before, 0.25)
    assert len(found) + len(used) == len(given) and 0.15 < len(used) / len(given) < 0.35
    assert not {(each.stack, each.run) for each in used} & {(each.point.stack, each.point.run) for each in found}
    assert {each.level for each in found} != {ALL}


def test_errors_of_stacks_are_correlated_where_they_are_off_together(public, shipped):
    """One stack predicted too fast: the other as much, as much too slow, half as much, or off on another machine."""
    times = [point for point in few(public, "trtllm10") if point.row["metric"] != "ttft_ms"]
    (one, *_), level = times, shipped[ALL]
    (other, *_) = (point for point in times if point.stack != one.stack)
    (apart, *_) = (point for point in public if KINDS["accelerator"](point) != KINDS["accelerator"](one))

    def blind(point, faster):
        return at_level(told([point], level, off=faster if point.row["metric"] == "tpot_ms" else -faster), level)

    for faster, expected in ((0.2, 1), (-0.2, -1), (0.1, 0.8), (0, 0)):
        assert correlation(blind(one, 0.2) + blind(other, faster)) == pytest.approx(expected, abs=1e-9)
    assert math.isnan(correlation(blind(one, 0.2)))
    assert math.isnan(correlation(blind(one, 0.2) + blind(apart, 0.2), "accelerator"))


def test_stacks_that_were_left_out_err_each_by_itself_as_they_are_drawn(public, before):
    blind = left_out_of(public, before, YEAR, SOURCE).found()
    for kind in ("", "accelerator", SOURCE):
        assert abs(correlation(blind, kind)) < 0.15, kind
    (row,) = uncertain()
    assert (row["input_sheet"], row["input_column"], row["input_row"]) == ("Configurations", "time_factor", EACH)


def test_a_measured_figure_is_inside_its_band_or_not(public, shipped):
    (point,) = few(public, "mlperf41")[:1]
    level = shipped[ALL]
    wide = level.parameters["speed_error"]
    for factor, inside in ((1 / wide * 1.01, True), (wide * 0.99, True), (wide * 1.2, False), (0.8 / wide, False)):
        (told_,) = told([point], level, off=math.log(factor))
        found = at_level([told_], level)[0]
        assert found.is_inside is inside, factor
    unseen = replace(point, quantities={**point.quantities, "accelerator_measured": 0.0, "model_measured": 0.0})
    assert at_level([unseen], level)[0].band > at_level([point], level)[0].band
    assert at_level([unseen], level)[0].verdict == "outside: accelerator"


# What ships


def test_the_table_that_ships_is_made_by_one_command(tmp_path):
    out = tmp_path / "calibration.csv"
    answer = CliRunner().invoke(app, ["calibrate", "--out", str(out)])
    assert answer.exit_code == 0, answer.output
    for name in ("calibration.csv", "left_out.csv"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_readme_tells_the_errors_that_ship():
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    for row in left_out():
        shown = [f"{row['throughput']:.1%}", f"{row['time_per_output_token']:.1%}", f"{row['time_to_first_token']:.0%}"]
        shown += [f"{row['mixtures_of_experts']:.1%}", f"{row['in_their_band']:.0%}"]
        assert " | ".join(each.replace("%", " %") for each in shown) in text, row["left_out"]


def test_bands_hold_what_they_promise_of_a_source_that_was_left_out():
    rows = {row["left_out"]: row for row in left_out()}
    assert 0.75 <= rows["a source"]["in_their_band"] <= 0.85
    assert rows["a source, but for a quarter"]["throughput"] < rows["a source"]["throughput"]


def test_the_error_that_is_drawn_is_the_one_that_was_found(shipped):
    (row,) = uncertain()
    error = shipped[ALL].parameters["speed_error"]
    assert row["deviation"] == pytest.approx(math.log(error) / 1.2816, abs=5e-4)
    assert f"{error:g}:" in row["source"]


def test_the_catalogue_marks_what_was_measured(public):
    for sheet, key, head, column in (
        ("accelerators", "hardware", "system", "accelerator_measured"),
        ("models", "model", "model", "model_measured"),
    ):
        seen = {folded(point.row[head]) for point in public}
        assert {folded(row[key]) for row in catalogue(sheet) if row.get(column) == "yes"} == seen


def test_priors_have_reasons_and_cover_every_speed_parameter(shipped, before):
    assert all(row["why"] for row in priors())
    names = {prior.name for prior in before} | {"prefill_compute_share", "calibrated_year", *UNLIMITED}
    assert set(shipped[ALL].parameters) == names and set(NO_ERRORS) < names


# A workbook's own points

POINT = {
    "measurement": "one", "model": "M", "hardware": "X", "precision": "fp8", "engine": "vLLM", "accelerators": 1,
    "concurrency": 8, "input_tokens": 1000, "output_tokens": 200, "measured_time_per_output_token": 30,
    "source": "our log", "measured_on": date(2026, 11, 1),
}  # fmt: skip


@pytest.fixture
def workbook(tmp_path):
    """A valid workbook with the shipped calibration and measured points of what its configuration runs."""

    def build(*rows):
        valid = write_valid(tmp_path / "valid.xlsx")
        tables = read(valid).tables
        (first, *_) = tables["Configurations"]
        named = {name: first[name] for name in ("model", "hardware", "precision")}
        fitted = next(row for row in catalogue("calibration") if row["calibration"] == ALL)
        edits = [fill("Calibration", {name: value for name, value in fitted.items() if name != "calibration"})]
        edits.append(fill("Measurements", *({**POINT, **named, **row} for row in rows)))
        return spoil(valid, tmp_path / "measured.xlsx", *edits)

    return build


def test_own_points_become_a_row_that_their_configuration_uses(workbook, tmp_path):
    path = workbook({}, {"measurement": "two", "concurrency": 16, "measured_time_per_output_token": 34})
    out = tmp_path / "calibrated.xlsx"
    answer = CliRunner().invoke(app, ["calibrate", str(path), "--out", str(out)])
    assert answer.exit_code == 0, answer.output
    table = read(out).tables
    (first, *_) = table["Configurations"]
    name = str(first["calibration"])
    assert name.endswith(", vLLM") and f"{name}: 2 figures, median error" in answer.output
    row = table["Calibration"].find(name)
    assert row is not None and row["measured_points"] == 2 and "our log" in row["source"]
    assert row["speed_error"] < table["Calibration"].find(ALL)["speed_error"]
    grains = [scenario(read(each))[CONFIGURED] for each in (path, out)]
    key = str(first["configuration"])
    before, after = (grain.value("speed_band", key) for grain in grains)
    assert after < before
    again = CliRunner().invoke(app, ["calibrate", str(path), "--out", str(out)])
    assert again.exit_code == 2 and "exists" in again.output + again.stderr


def test_points_that_say_too_little_are_named_and_not_used(workbook, tmp_path):
    path = workbook({"input_tokens": None}, {"measurement": "two", "model": "nobody's"})
    answer = CliRunner().invoke(app, ["calibrate", str(path), "--out", str(tmp_path / "out.xlsx")])
    assert answer.exit_code == 3 and not (tmp_path / "out.xlsx").exists()
    assert "Not used: one: input_tokens is blank" in answer.output
    assert "Not used: two: nobody's is neither on the sheet Models nor in the catalogue" in answer.output
    assert "Nothing to fit" in answer.output + answer.stderr


def test_calibrate_asks_where_the_copy_goes(workbook):
    answer = CliRunner().invoke(app, ["calibrate", str(workbook({}))])
    assert answer.exit_code == 2 and "--out" in answer.output + answer.stderr


def test_the_command_gives_a_share_and_leaves_it_out(tmp_path):
    out = tmp_path / "o.csv"
    answer = CliRunner().invoke(app, ["fidelity", str(FILES[0]), "--calibrate-on", "0.25", "--out", str(out)])
    assert answer.exit_code == 0, answer.output
    assert "rows were given to the fits of their stacks" in answer.output
    with out.open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if not row["reason"]]
    assert {"yes", "no"} == {row["inside"] for row in rows}
    assert all(float(row["band_low"]) <= float(row["predicted"]) <= float(row["band_high"]) for row in rows)
    off = np.median([abs(float(row["ratio"]) - 1) for row in rows if row["metric"] == "output_tok_s_total"])
    assert off < 0.08
    wrong = CliRunner().invoke(app, ["fidelity", str(FILES[0]), "--calibration", "nobody's"])
    assert wrong.exit_code == 2 and "there are all, SGLang" in " ".join((wrong.output + wrong.stderr).split())
