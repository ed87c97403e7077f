"""Fidelity: measured rows as quantities, predictions beside them, errors by group, and what cannot be predicted."""

import csv
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from engine.__main__ import app
from engine.catalogue import catalogue
from engine.measured import MeasuredError, points
from engine.studies.fidelity import Level, at_level, errors, model_class, parameters_of, regime

CHIP = {
    "chip": "X", "bf16_tflops_dense": "1000", "fp8_tflops_dense": "2000", "int8_tops_dense": "2000",
    "fp4_tflops_dense": "", "hbm_gb": "80", "hbm_gbps": "3350", "interconnect_gbps_per_dir": "450",
}  # fmt: skip
DENSE = {
    "model": "dense-70b", "total_params_b": "70", "active_params_b": "70", "params_calc_routed_b": "0", "layers": "80",
    "hidden": "8192", "n_heads": "64", "n_kv_heads": "8", "head_dim": "128", "n_experts": "", "experts_per_token": "",
    "kv_lora_rank": "", "qk_nope_dim": "", "qk_rope_dim": "", "v_head_dim": "", "sliding_window": "",
    "window_pattern": "", "attn_type": "GQA",
}  # fmt: skip
MIXTURE = DENSE | {
    "model": "mixture", "params_calc_routed_b": "60", "active_params_b": "12", "n_experts": "64",
    "experts_per_token": "4", "sliding_window": "1024", "window_pattern": "5 sliding : 1 full",
}  # fmt: skip
RUN = {
    "id": "1", "source_key": "ours", "system": "X", "n_chips": "4", "tp": "4", "pp": "", "dp": "", "model": "dense-70b",
    "weight_precision": "fp8", "kv_precision": "fp8", "input_len": "1000", "output_len": "200",
    "batch_or_concurrency": "32", "metric": "output_tok_s_total", "value": "1500", "notes": "",
}  # fmt: skip


def written(path, *rows):
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, dict.fromkeys(name for row in rows for name in row))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def pointed(tmp_path):
    """A function that reads measured rows, each RUN with changes."""

    def read(*changes, chips=(CHIP,), models=(DENSE, MIXTURE)):
        rows = [{**RUN, **change} for change in changes or ({},)]
        return points(
            written(tmp_path / "measured.csv", *rows),
            written(tmp_path / "chips.csv", *chips),
            written(tmp_path / "models.csv", *models),
        )

    return read


@pytest.fixture(scope="module")
def fitted():
    return Level("all", parameters_of(next(row for row in catalogue("calibration") if row["calibration"] == "all")))


@pytest.fixture(scope="module")
def roofline():
    """Peak rates, no overheads, as a document would have them."""
    name = "published: hard maximum, no overheads"
    return Level(name, parameters_of(next(row for row in catalogue("calibration") if row["calibration"] == name)))


def predicted(found):
    return [each.predicted for each in found]


def test_a_step_by_hand(pointed, roofline):
    """One user: reading 70 GB of weights and one cache, at its length halfway, over four accelerators."""
    (found,) = at_level(
        pointed({"metric": "tpot_ms", "value": "10", "batch_or_concurrency": "1", "output_len": "20000"}),
        Level("by hand", {**roofline.parameters, "attention_weight": 0.0}),
    )
    cache = 2 * 80 * 8 * 128 * (1000 + 20000 / 2)
    assert found.predicted == pytest.approx((70e9 + cache) / (4 * 3350e9) * 1e3, rel=1e-4)
    assert found.ratio == found.predicted / 10


def test_replicas_of_a_layout_add_up(pointed, fitted):
    one, two = at_level(pointed({}, {"n_chips": "8", "batch_or_concurrency": "64"}), fitted)
    assert two.predicted == pytest.approx(2 * one.predicted, rel=1e-12)
    (each,) = at_level(pointed({"metric": "output_tok_s_per_chip"}), fitted)
    assert each.predicted == pytest.approx(one.predicted / 4, rel=1e-12)


def test_a_layout_that_is_not_given_is_the_smallest_that_holds_the_weights(pointed, fitted):
    """70 GB in 65 % of 80 GB take two accelerators; in 16 bits 140 GB take three, so four."""
    told, blank = at_level(pointed({"n_chips": "8", "tp": "2"}, {"n_chips": "8", "tp": ""}), fitted)
    assert told.predicted == blank.predicted
    four = at_level(pointed({"n_chips": "8", "weight_precision": "bf16", "tp": "4"}), fitted)[0]
    half = at_level(pointed({"n_chips": "8", "weight_precision": "bf16", "tp": ""}), fitted)[0]
    assert half.predicted == four.predicted


def test_formats_an_accelerator_has_no_arithmetic_for(pointed):
    four, plain = pointed({"weight_precision": "mxfp4"}, {"weight_precision": "fp8"})
    assert (four.quantities["peak_compute"], plain.quantities["peak_compute"]) == (1000, 2000)
    assert four.quantities["mixture_dense_bits"] == 16


def test_precisions_by_other_names_are_the_same(pointed):
    for one, other in (("fp8", "fp8_e4m3"), ("bf16", "BFloat16"), ("int4", "awq"), ("fp4", "nvfp4")):
        first, second = pointed({"weight_precision": one}, {"weight_precision": other})
        assert first.quantities == second.quantities and not first.reason


def test_the_engine_and_its_year_are_read_where_they_stand(pointed):
    named, noted, none = pointed(
        {"engine": "vllm 0.9", "engine_year": "2025", "source": "a table of 2023"},
        {"engine": "", "engine_year": "", "notes": "trtllm 1.0; concurrency 8", "source": "a table of 2024-08"},
        {"engine": "", "engine_year": "", "source": "somebody's page"},
    )
    assert [point.engine for point in (named, noted, none)] == ["vLLM", "TensorRT-LLM", ""]
    assert [point.quantities["engine_year"] for point in (named, noted, none)] == [2025, 2024, 0]


def test_windows_and_experts_of_a_model(pointed):
    (point,) = pointed({"model": "mixture"})
    assert point.quantities["window_layers"] == round(80 * 5 / 6)
    assert (point.quantities["experts"], model_class(point)) == (64, "mixture of experts")
    (dense,) = pointed({})
    assert (dense.quantities["experts"], model_class(dense)) == (1, "dense")


def test_more_users_than_fit_wait_for_a_place(pointed, fitted):
    many, more = at_level(
        pointed(
            {"metric": "ttft_ms", "value": "1", "batch_or_concurrency": "100000"},
            {"metric": "ttft_ms", "value": "1", "batch_or_concurrency": "200000"},
        ),
        fitted,
    )
    assert more.predicted > 1.5 * many.predicted


def test_one_user_is_served_by_one_of_many_replicas(pointed, fitted):
    one = {"n_chips": "4", "batch_or_concurrency": "1"}
    here, there = at_level(pointed(one, one | {"n_chips": "16"}), fitted)
    assert there.predicted == pytest.approx(here.predicted, rel=1e-12)


def test_stages_of_a_pipeline_keep_littles_law(pointed, fitted):
    """What is served at once is what is answered in a second times the seconds that each answer takes."""
    staged = {"n_chips": "8", "tp": "4", "pp": "2", "batch_or_concurrency": "64"}
    names = ("output_tok_s_total", "tpot_ms", "ttft_ms")
    speed, between, first = predicted(at_level(pointed(*(staged | {"metric": name} for name in names)), fitted))
    answered = speed / 200 * (first + 199 * between) / 1e3
    assert answered == pytest.approx(64, rel=1e-9)
    # A stage holds half of the layers: a token passes both, so that two stages answer faster and not each token.
    alone = at_level(pointed({"batch_or_concurrency": "32", "metric": "tpot_ms"}), fitted)[0].predicted
    assert alone < between < 1.1 * alone


def test_a_hand_over_costs_what_its_bytes_take(pointed, roofline):
    """Of 16 tokens with 8,192 activations of two bytes, at 450 GB/s, and the fixed time of a round."""
    decode_alone = {**roofline.parameters, "prefill_busy_share": 0.0, "collective_overhead": 9.0}
    priced = Level("by hand", {**decode_alone, "collective_overlap": 0.0})
    flat = {"metric": "tpot_ms", "tp": "1", "n_chips": "2", "weight_precision": "fp4", "output_len": "4000"}
    two, hidden = (
        at_level(pointed(flat | {"pp": "2", "batch_or_concurrency": "32"}), level)[0].predicted
        for level in (priced, Level("by hand", {**priced.parameters, "collective_overlap": 1.0}))
    )
    assert two - hidden == pytest.approx((9e-6 + 16 * 8192 * 2 / 450e9) * 1e3, rel=2e-3)


def test_a_burst_is_slower_than_users_one_after_another(pointed, fitted):
    steady = {"batch_or_concurrency": "64"}
    burst = steady | {"prompts_at_once": "640"}
    names = ("output_tok_s_total", "ttft_ms")
    first, late = (at_level(pointed(*(run | {"metric": name} for name in names)), fitted) for run in (steady, burst))
    assert 0.9 * first[0].predicted < late[0].predicted <= first[0].predicted * (1 + 1e-9)
    # Nine tenths wait for a place, on average half of nine cycles.
    assert late[1].predicted > 4 * first[1].predicted
    varied = at_level(pointed(burst | {"service_variability": "1"}), fitted)[0]
    assert varied.predicted < 0.9 * late[0].predicted
    (small,) = at_level(pointed({"batch_or_concurrency": "64", "prompts_at_once": "8"}), fitted)
    (eight,) = at_level(pointed({"batch_or_concurrency": "8"}), fitted)
    assert small.predicted == pytest.approx(eight.predicted, rel=0.05)


def test_requests_that_arrive_are_served_up_to_what_the_replica_can(pointed, fitted):
    def at(rate, metric="output_tok_s_total"):
        run = {"batch_or_concurrency": "", "request_rate": str(rate), "metric": metric}
        return at_level(pointed(run), fitted)[0].predicted

    full = at_level(pointed({"batch_or_concurrency": ""}), fitted)[0].predicted
    assert at(1) == pytest.approx(200)
    assert at(1000) == pytest.approx(full, rel=0.01)
    (late,) = at_level(pointed({"batch_or_concurrency": "", "request_rate": "1000", "metric": "ttft_ms"}), fitted)
    assert late.reason == "more requests arrive than are served: the wait has no end"
    assert at(1, "ttft_ms") < at(4, "ttft_ms")
    # The fewer requests arrive the fewer are decoded together, and the faster is each.
    between = [at(rate, "tpot_ms") for rate in (0.1, 1, 5, 1000)]
    assert between == sorted(between) and between[0] < 0.8 * between[-1]
    alone = at_level(pointed({"batch_or_concurrency": "1", "metric": "tpot_ms"}), fitted)[0].predicted
    assert between[0] == pytest.approx(alone, rel=0.02)


def test_the_load_is_read_from_its_columns_or_else_from_the_notes(pointed):
    notes = ("burst of 500", "vllm; 64 prompts at once", "QPS 2.5", "request rate: 4", "request rate inf; 8 users")
    columns = [{"notes": note, "prompts_at_once": ""} for note in notes]
    found = pointed(*columns, {"notes": "burst of 5", "prompts_at_once": "7"})
    told = [{name: each.quantities[name] for name in ("burst_requests", "measured_rate") if name in each.quantities}
            for each in found]  # fmt: skip
    assert told == [
        {"burst_requests": 500}, {"burst_requests": 64}, {"measured_rate": 2.5}, {"measured_rate": 4}, {},
        {"burst_requests": 7},
    ]  # fmt: skip


def test_the_turn_of_prompts_and_answers_is_read_and_counts(pointed, fitted):
    turns = [{"scheduling": turn, "metric": "ttft_ms"} for turn in ("", "chunked", "prefill first", "Decode first")]
    blank, chunked, prefill, decode = predicted(at_level(pointed(*turns), fitted))
    assert prefill < chunked < decode
    assert blank == at_level(pointed({"metric": "ttft_ms"}), fitted)[0].predicted
    told = at_level(pointed({"metric": "ttft_ms", "notes": "batched prefill of B prompts"}), fitted)[0]
    assert told.predicted == decode
    (unknown,) = at_level(pointed({"scheduling": "random"}), fitted)
    assert unknown.reason.startswith("scheduling is random, and not one of as calibrated, chunked")


def test_where_no_users_are_given_the_engine_is_full(pointed, fitted):
    full, some = at_level(pointed({"batch_or_concurrency": ""}, {"batch_or_concurrency": "8"}), fitted)
    assert full.predicted > some.predicted
    assert regime(full.point) == "as many as fit" and regime(some.point) == "2 to 16 users"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"metric": "usd_per_mtok_output"}, "usd_per_mtok_output is no speed that is predicted"),
        ({"value": ""}, "the measured value is blank"),
        ({"value": "-3"}, "the measured value is -3"),
        ({"system": "Y"}, "the accelerator Y is not in the file of accelerators"),
        ({"model": "other"}, "the model other is not in the file of models"),
        ({"input_len": ""}, "input_tokens is not given"),
        ({"n_chips": ""}, "the number of accelerators is not given"),
        ({"batch_or_concurrency": "-8"}, "batch_or_concurrency is -8"),
        ({"batch_or_concurrency": "0"}, "batch_or_concurrency is 0"),
        ({"tp": "four"}, "tp is four"),
        ({"request_rate": "-1"}, "request_rate is -1"),
        ({"weight_precision": "int2"}, "the precision int2 is not known"),
        ({"system": "Z"}, "its speed needs what is blank: link_bandwidth"),
        ({"weight_precision": "bf16", "n_chips": "1", "tp": "1"}, "the weights and one sequence do not fit"),
    ],
)
def test_what_cannot_be_predicted_has_its_reason_and_counts(pointed, fitted, change, reason):
    unlinked = CHIP | {"chip": "Z", "interconnect_gbps_per_dir": ""}
    found = at_level(pointed({}, change, chips=(CHIP, unlinked)), fitted)
    assert [each.reason for each in found] == ["", reason]
    assert math.isnan(found[1].predicted) and found[0].predicted > 0
    assert sum(each.count for each in errors(found) if each.group == "all") == 1


def test_errors_by_hand(pointed, fitted):
    first = at_level(pointed(), fitted)[0].predicted
    values = [first / ratio for ratio in (0.8, 1.1, 1.4)]
    found = at_level(pointed(*({"value": str(value)} for value in values)), fitted)
    (every,) = (each for each in errors(found) if each.group == "all")
    assert (every.count, every.name) == (3, "output_tok_s_total")
    assert every.median == pytest.approx(0.2) and every.mean == pytest.approx(0.7 / 3)
    assert every.bias == pytest.approx(0.1)
    assert every.factor == pytest.approx(np.exp((-np.log(0.8) + np.log(1.1) + np.log(1.4)) / 3))


def test_a_file_without_its_columns_is_told(tmp_path):
    short = written(tmp_path / "measured.csv", {"id": "1", "system": "X"})
    chips = written(tmp_path / "chips.csv", CHIP)
    models = written(tmp_path / "models.csv", DENSE)
    with pytest.raises(MeasuredError, match=r"measured\.csv has no column model; it has id, system\. Add it"):
        points(short, chips, models)


def test_the_command_lists_every_row(tmp_path):
    files = {
        "measured": written(tmp_path / "measured.csv", RUN, {**RUN, "id": "2", "system": "Y"}),
        "chips": written(tmp_path / "chips.csv", CHIP),
        "models": written(tmp_path / "models.csv", DENSE),
    }
    out = tmp_path / "out.csv"
    call = ["fidelity", str(files["measured"]), "--hardware", str(files["chips"]), "--models", str(files["models"])]
    answer = CliRunner().invoke(app, [*call, "--out", str(out)])
    assert answer.exit_code == 0, answer.output
    assert "2 rows, 1 predicted." in answer.output and "1 not: the accelerator Y is not in the file" in answer.output
    with out.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["id"] for row in rows] == ["1", "2"]
    assert float(rows[0]["ratio"]) == pytest.approx(float(rows[0]["predicted"]) / 1500)
    assert rows[1]["predicted"] == "" and rows[1]["reason"]
    files["chips"].write_text("no,heads\n1,2\n", encoding="utf-8")
    wrong = CliRunner().invoke(app, call)
    assert wrong.exit_code == 3 and "chips.csv has no column chip" in wrong.output + wrong.stderr
