"""The commands `add ...`: what exists, typed into a copy, with a sentence for all that stands in the way."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from bad_workbooks.valid import coordinate
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from engine.sheets import MODELS
from engine.workbook.blank import write_blank
from engine.workbook.read import read

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "inputs" / "example.xlsx"
CONFIGS = ROOT / "tests" / "model_configs"


def engine(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "engine", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "400"},
        check=False,
    )


def test_a_config_becomes_a_row(tmp_path: Path) -> None:
    before = hashlib.sha256(EXAMPLE.read_bytes()).hexdigest()
    seen = ("--checked-on", "2026-11-20")
    config = CONFIGS / "qwen3-30b-a3b.json"
    done = engine("add", "model", config, "--to", EXAMPLE, "--out", "new.xlsx", *seen, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    last = get_column_letter(len(MODELS.columns))
    assert done.stdout == f"Models!A16:{last}16  Qwen3-30B-A3B\nWritten: new.xlsx\n"
    row = read(tmp_path / "new.xlsx").tables["Models"].find("Qwen3-30B-A3B")
    assert row is not None
    assert row["total_parameters"] == pytest.approx(30.5, rel=0.01)
    assert (row["experts"], row["experts_per_token"], row["kv_heads"]) == (128, 8, 4)
    assert row["source"] == "config.json of Qwen/Qwen3-30B-A3B"
    assert row["checked_on"] == date(2026, 11, 20)
    assert hashlib.sha256(EXAMPLE.read_bytes()).hexdigest() == before


def test_the_catalogue_fills_a_blank_workbook(tmp_path: Path) -> None:
    write_blank(tmp_path / "blank.xlsx", today=date(2026, 12, 1))
    to, name = ("--to", "blank.xlsx", "--out", "one.xlsx"), ("--name", "H100")
    done = engine("add", "hardware", "h100 sxm", *to, *name, folder=tmp_path)
    assert done.stdout.splitlines()[0] == f"Hardware!A5:{coordinate('Hardware', 'note')}  H100"
    done = engine("add", "hardware", "L4", "--to", "one.xlsx", "--out", "two.xlsx", folder=tmp_path)
    assert done.stdout.splitlines()[0] == f"Hardware!A6:{coordinate('Hardware', 'note', 1)}  L4"
    sheet = load_workbook(tmp_path / "two.xlsx")["Hardware"]
    assert [sheet[cell].value for cell in ("A5", "A6", "A7", "H5")] == ["H100", "L4", None, 3350]
    assert sheet.tables["tblHardware"].ref == f"A4:{coordinate('Hardware', 'note', 7)}"
    assert sheet["A6"].style == "Input Name"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("hardware", "H200 SMX"), 2, "'H200 SMX' is not in inputs/catalogue/accelerators.csv; did you mean H200 SXM?"),
        (("hardware", "h100"), 2, "did you mean H100 SXM, H100 PCIe, H100 NVL?"),
        (("model", "nothing of the kind"), 2, "models.csv; it has: GPT-J 6B, Llama 2 7B"),
        (("model", "Llama 3.1 8B"), 3, "Models!A9  'Llama 3.1 8B' is already here; a name stands once"),
        (("model", "config.json"), 3, "config.json cannot be read as JSON; name a model's config.json."),
        (("model", "Phi-4", "--checked-on", "3/11/2026"), 2, "'3/11/2026' is not a day; write it as 2026-11-03"),
    ],
)
def test_what_stands_in_the_way_is_said(arguments: tuple[str, ...], code: int, says: str, tmp_path: Path) -> None:
    done = engine("add", *arguments, "--to", EXAMPLE, "--out", "new.xlsx", folder=tmp_path)
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (code, "", [])


OWN_HEADS = (
    "measurement,model,hardware,precision,engine,accelerators,concurrency,measured_output_speed,source,measured_on"
)
LONG_HEADS = (
    "id,system,n_chips,tp,model,weight_precision,input_len,output_len,batch_or_concurrency,metric,value,unit,source"
)
POINT = "night run,Our 70B,H100 SXM,fp8,vLLM,4,64,2512.5,=our log,2026-11-03"
TTFT = "p-1,H100-SXM,2,2,llama-2-70b,fp8,128,256,16,ttft_ms,183.5,ms,a paper"
EARNED = "p-2,H100-SXM,2,2,llama-2-70b,fp8,128,256,16,cost_usd_day,9,USD,a paper"


def add_points(folder: Path, *lines: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    (folder / "points.csv").write_text("\n".join(lines), encoding="utf-8")
    where = ("--to", EXAMPLE, "--out", "new.xlsx", *options)
    return engine("add", "measurements", "points.csv", *where, folder=folder)


def test_measured_points_under_the_sheets_own_names(tmp_path: Path) -> None:
    done = add_points(tmp_path, f"{OWN_HEADS},rack", f"{POINT},7", "", f"{POINT.replace('night', 'day')},8")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Measurements!A5:Q5  night run",
        "Measurements!A6:Q6  day run",
        "Left out of points.csv, for lack of a column on Measurements: rack",
        "Written: new.xlsx",
    ]
    row = read(tmp_path / "new.xlsx").tables["Measurements"].find("night run")
    assert row is not None
    assert (row["model"], row["accelerators"], row["concurrency"]) == ("Our 70B", 4, 64)
    assert (row["measured_output_speed"], row["source"]) == (2512.5, "=our log")
    assert row["measured_on"] == date(2026, 11, 3)
    assert row.is_blank("measured_time_to_first_token") and row.is_blank("input_tokens")


def test_measured_points_of_one_figure_per_line(tmp_path: Path) -> None:
    speed = "p-3,H100-SXM,2,2,llama-2-70b,fp8,128,256,16,output_tok_s_total,900,tok/s,a paper"
    done = add_points(tmp_path, LONG_HEADS, TTFT, EARNED, speed)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[2:4] == [
        "Left out of points.csv, for lack of a column on Measurements: tp",
        "Left out of points.csv, for lack of a column for the metric cost_usd_day: line 3",
    ]
    first, second = read(tmp_path / "new.xlsx").tables["Measurements"]
    wanted = ("measurement", "hardware", "accelerators", "model", "precision", "input_tokens", "output_tokens")
    assert [first[name] for name in wanted] == ["p-1", "H100-SXM", 2, "llama-2-70b", "fp8", 128, 256]
    assert (first["concurrency"], first["measured_time_to_first_token"]) == (16, 183.5)
    assert first.is_blank("measured_output_speed")
    assert second["measured_output_speed"] == 900


def test_points_that_are_there_are_typed_over_only_when_told(tmp_path: Path) -> None:
    assert add_points(tmp_path, OWN_HEADS, POINT).returncode == 0
    (tmp_path / "points.csv").write_text(f"{OWN_HEADS}\n{POINT.replace('2512.5', '2600')}", encoding="utf-8")
    more = ("add", "measurements", "points.csv", "--to", "new.xlsx", "--out", "more.xlsx")
    refused = engine(*more, folder=tmp_path)
    assert (refused.returncode, (tmp_path / "more.xlsx").exists()) == (3, False)
    assert "Measurements!A5  'night run' is already here; a name stands once" in refused.stderr
    assert engine(*more, "--update", folder=tmp_path).stdout.startswith("Measurements!A5:Q5  night run, typed over\n")
    table = read(tmp_path / "more.xlsx").tables["Measurements"]
    assert [row["measured_output_speed"] for row in table] == [2600]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ((OWN_HEADS, POINT, POINT.replace("night", "NIGHT")), "line 3  'NIGHT run' is already in line 2; a name"),
        ((OWN_HEADS, POINT.replace("Our 70B", " ")), "line 2  model is blank; every row needs one. Fill it in."),
        ((OWN_HEADS, POINT.replace("2512.5", "")), "line 2  there is no measured figure; every line needs one."),
        ((OWN_HEADS, POINT.replace("2512.5", "2.5k")), "line 2  measured_output_speed is the text '2.5k'; allowed is"),
        ((OWN_HEADS, POINT.replace("2512.5", "nan")), "line 2  measured_output_speed is the text 'nan'; allowed is"),
        ((OWN_HEADS, POINT.replace(",4,", ",0,")), "line 2  accelerators is 0"),
        ((OWN_HEADS, POINT.replace("2026-11-03", "3/11/2026")), "line 2  measured_on is '3/11/2026'; allowed is"),
        ((OWN_HEADS, f"{POINT},more"), "line 2  there are 11 cells; the heads are 10."),
        ((OWN_HEADS, POINT.replace("our log", "our\x07log")), "line 2  source holds a control character."),
        ((OWN_HEADS.replace("model", "models"), POINT), "line 1  the column model is missing; there are: "),
        ((OWN_HEADS.replace("measured_o", "o"), POINT), "line 1  there is no column of a figure. Add one of measured_"),
        ((f"{OWN_HEADS},model", f"{POINT},x"), "line 1  model is there twice. Rename or delete one of the two."),
        ((LONG_HEADS, TTFT.replace(",ms,", ",s,")), "line 2  the unit of ttft_ms is 's'; allowed is ms. Convert"),
        ((LONG_HEADS, TTFT.replace(",183.5,", ",,")), "line 2  there is no measured figure; every line needs one."),
        ((LONG_HEADS.replace(",value", ",values"), TTFT), "line 1  the column value is missing; there are: id, system"),
        ((LONG_HEADS, EARNED), "points.csv  has no line with a figure that is kept. Add lines with one of measured_"),
        (('a,"b',), "points.csv  cannot be read as CSV in UTF-8. Name a CSV file of measured points, with commas"),
        ((" ",), "points.csv  is empty. Name a CSV file of measured points"),
    ],
)
def test_what_is_wrong_with_measured_points_is_said(lines: tuple[str, ...], says: str, tmp_path: Path) -> None:
    done = add_points(tmp_path, *lines)
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stdout) == (3, "")
    assert [path.name for path in tmp_path.iterdir()] == ["points.csv"]


def test_all_bad_lines_are_said_at_once_in_their_order(tmp_path: Path) -> None:
    good = [POINT.replace("night", f"night {number}") for number in range(9)]
    bad = [POINT.replace(",fp8,", ",,"), POINT.replace(",4,", ",many,").replace("night", "late")]
    done = add_points(tmp_path, OWN_HEADS, bad[0], *good, bad[1])
    places = [line.partition("  ")[0] for line in done.stderr.splitlines()]
    assert places == ["points.csv, line 2", "points.csv, line 12"]


def test_the_newest_calibration_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    to = ("--to", EXAMPLE, "--out", "one.xlsx")
    taken = engine("add", "calibration", "all", *to, folder=tmp_path)
    assert taken.returncode == 3 and "'all' is already here" in taken.stderr
    over = engine("add", "calibration", "all", *to, "--update", folder=tmp_path)
    assert over.returncode == 0 and over.stdout.splitlines()[0].endswith("all, typed over")
    more = engine("add", "calibration", "vllm", "--to", "one.xlsx", "--out", "two.xlsx", folder=tmp_path)
    assert more.returncode == 0, more.stderr
    row = read(tmp_path / "two.xlsx").tables["Calibration"].find("vLLM")
    assert row is not None and row["speed_error"] > 1


# Benchmarks

VLLM = {
    "date": "20261103-101500", "backend": "vllm", "model_id": "meta-llama/Llama-3.1-70B-Instruct", "completed": 100,
    "max_concurrency": 16, "total_input_tokens": 102400, "total_output_tokens": 51200, "request_throughput": 2.4,
    "output_throughput": 1228.8, "mean_ttft_ms": 210.5, "mean_tpot_ms": 12.5,
}  # fmt: skip
TRTLLM = {
    "engine": {"model": "Llama 3.1 70B", "version": "1.2.0"}, "world_info": {"tp_size": 4, "world_size": 4},
    "request_info": {"avg_num_concurrent_requests": 63.9, "avg_input_length": 1000.0, "avg_output_length": 500.0},
    "performance": {"request_throughput_req_s": 5.0, "system_output_throughput_tok_s": 2500.0},
}  # fmt: skip
AIPERF = {
    "input_config": {"endpoint": {"model_names": ["Llama 3.1 70B"]}, "loadgen": {"concurrency": 8}},
    "request_throughput": {"unit": "requests/sec", "avg": 1.5}, "output_token_throughput": {"avg": 750.0},
    "time_to_first_token": {"unit": "ms", "avg": 90.0}, "inter_token_latency": {"unit": "ms", "avg": 9.0},
    "input_sequence_length": {"avg": 800.0}, "output_sequence_length": {"avg": 500.0},
}  # fmt: skip


RAN_ON = ("--hardware", "H100 SXM", "--precision", "fp8", "--accelerators", 4, "--model", "Llama 3.1 70B")


def _guidellm(*rates: float) -> dict[str, object]:
    def load(rate: float) -> dict[str, object]:
        means = {
            "request_concurrency": 4.0 * rate, "prompt_token_count": 256.0, "output_token_count": 128.0,
            "requests_per_second": rate, "output_tokens_per_second": 128.0 * rate, "time_to_first_token_ms": 40.0,
            "inter_token_latency_ms": 11.0,
        }  # fmt: skip
        return {"metrics": {name: {"successful": {"mean": mean}} for name, mean in means.items()}}

    return {"args": {"model": "Llama 3.1 70B"}, "benchmarks": [load(rate) for rate in rates]}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (VLLM, [(1024, 512, 16, 1228.8, 210.5, 12.5)]),
        (TRTLLM, [(1000, 500, 63.9, 2500, None, None)]),
        (AIPERF, [(800, 500, 8, 750, 90, 9)]),
        (_guidellm(1.0, 2.0), [(256, 128, 4, 128, 40, 11), (256, 128, 8, 256, 40, 11)]),
    ],
    ids=["vLLM", "trtllm-bench", "AIPerf", "GuideLLM"],
)
def test_a_benchmark_becomes_rows(tmp_path: Path, content: object, expected: list[tuple[float | None, ...]]) -> None:
    (tmp_path / "run.json").write_text(json.dumps(content), encoding="utf-8")
    done = engine("add", "measurements", "run.json", "--to", EXAMPLE, "--out", "new.xlsx", *RAN_ON, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [row for row in read(tmp_path / "new.xlsx").tables["Measurements"] if row["source"] == "run.json"]
    names = (
        "input_tokens", "output_tokens", "concurrency", "measured_output_speed", "measured_time_to_first_token",
        "measured_time_per_output_token",
    )  # fmt: skip
    for row, figures in zip(rows, expected, strict=True):
        assert (row["hardware"], row["model"], row["accelerators"]) == ("H100 SXM", "Llama 3.1 70B", 4)
        for name, figure in zip(names, figures, strict=True):
            assert row[name] == pytest.approx(figure) if figure is not None else row[name] != row[name], name


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        ("{", (), "run.json  cannot be read as JSON. Name a finished benchmark's file."),
        ('{"a": 1}', (), "is no benchmark that is known. Known are the files of vLLM or SGLang, GuideLLM, AIPerf"),
        (json.dumps(VLLM), (), "does not say its hardware, precision, accelerators. Give --hardware beside it."),
        (json.dumps({"benchmarks": [{}]}), RAN_ON, "has no figure of load 1"),
    ],
)
def test_a_benchmark_that_says_too_little_is_refused(
    tmp_path: Path, content: str, options: tuple[object, ...], says: str
) -> None:
    (tmp_path / "run.json").write_text(content, encoding="utf-8")
    done = engine("add", "measurements", "run.json", "--to", EXAMPLE, "--out", "new.xlsx", *options, folder=tmp_path)
    assert done.returncode == 3 and says in done.stderr, done.stderr
    assert not (tmp_path / "new.xlsx").exists()
