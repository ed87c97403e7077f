"""Benchmarks: rows of the sheet Measurements from what load generators write. Knows no workbook.

Known are the JSON files of vLLM's and SGLang's serving benchmarks, GuideLLM, AIPerf and trtllm-bench. None of them
says what it ran on, so that is given beside the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from engine.filling.measurements import FIGURES, MeasurementsError
from engine.workbook.problems import Problem, listed

Row = dict[str, Any]

FILE_LIMIT = 200_000_000  # some list every request


def benchmark_rows(path: Path, ran_on: Mapping[str, Any]) -> list[Row]:
    """The rows of a benchmark's JSON file, a line each where it holds several loads.

    `ran_on` has the columns model, hardware, precision, accelerators and engine as far as they are known.
    Errors: MeasurementsError where the file is none of those known, or lacks what a row must have.
    """
    content = _content(path)
    found: list[Row] = []
    for tool, (has, read) in KNOWN.items():
        if has(content):
            found = [{"note": f"written by {tool}", **row} for row in read(content)]
            break
    else:
        advice = f"Known are the files of {listed(KNOWN)}; else write a CSV file with the sheet's columns."
        raise _refused(path, "is no benchmark that is known", advice)
    rows = []
    for place, row in enumerate(found, 1):
        name = path.stem if len(found) == 1 else f"{path.stem} {place}"
        given = {key: value for key, value in ran_on.items() if value}
        rows.append({"measurement": name, "source": path.name, **_filled(row), **given})
        if lacking := [key for key in ("model", "hardware", "precision", "accelerators") if key not in rows[-1]]:
            raise _refused(path, f"does not say its {listed(lacking)}", f"Give --{lacking[0]} beside it.")
        if not any(key in rows[-1] for key in FIGURES):
            raise _refused(path, f"has no figure of load {place}", "Look whether the run was finished.")
    return rows


def _content(path: Path) -> Any:
    if path.stat().st_size > FILE_LIMIT:
        raise _refused(path, f"is larger than {FILE_LIMIT // 1_000_000} MB", "Leave out what it says of each request.")
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        raise _refused(path, "cannot be read as JSON", "Name a finished benchmark's file.") from None


def _refused(path: Path, found: str, advice: str) -> MeasurementsError:
    return MeasurementsError([Problem(path.name, "", found, "", advice)])


def _filled(row: Mapping[str, Any]) -> Row:
    """What is known: text that is not blank, and numbers above 0."""
    return {
        name: value
        for name, value in row.items()
        if (isinstance(value, str | date) and value)
        or (isinstance(value, int | float) and not isinstance(value, bool) and value > 0)
    }


def _at(content: Any, *path: str) -> Any:
    """What stands there; None where nothing does."""
    for name in path:
        content = content.get(name) if isinstance(content, dict) else None
    return content


def _each(total: Any, count: Any) -> Any:
    """Tokens of a request, of those of all."""
    numbers = all(isinstance(value, int | float) for value in (total, count))
    return total / count if numbers and count > 0 else None


def _of_vllm(content: Any) -> list[Row]:
    day = str(_at(content, "date") or "")[:8]
    return [
        {
            "model": _at(content, "model_id"),
            "engine": _at(content, "backend"),
            "concurrency": _at(content, "max_concurrency"),
            "input_tokens": _each(_at(content, "total_input_tokens"), _at(content, "completed")),
            "output_tokens": _each(_at(content, "total_output_tokens"), _at(content, "completed")),
            "measured_request_rate": _at(content, "request_throughput"),
            "measured_output_speed": _at(content, "output_throughput"),
            "measured_time_to_first_token": _at(content, "mean_ttft_ms"),
            "measured_time_per_output_token": _at(content, "mean_tpot_ms"),
            "measured_on": date.fromisoformat(day) if day.isdigit() and len(day) == 8 else "",
        }
    ]


def _of_guidellm(content: Any) -> list[Row]:
    rows = []
    for load in content["benchmarks"]:

        def mean(name: str, load: Any = load) -> Any:
            return _at(load, "metrics", name, "successful", "mean")

        rows.append(
            {
                "model": _at(load, "worker", "backend_model") or _at(content, "args", "model"),
                "concurrency": mean("request_concurrency"),
                "input_tokens": mean("prompt_token_count"),
                "output_tokens": mean("output_token_count"),
                "measured_request_rate": mean("requests_per_second"),
                "measured_output_speed": mean("output_tokens_per_second"),
                "measured_time_to_first_token": mean("time_to_first_token_ms"),
                "measured_time_per_output_token": mean("inter_token_latency_ms"),
            }
        )
    return rows


def _of_aiperf(content: Any) -> list[Row]:
    def mean(name: str) -> Any:
        return _at(content, name, "avg")

    config = _at(content, "input_config")
    names = _at(config, "endpoint", "model_names")
    return [
        {
            "model": names[0] if isinstance(names, list) and len(names) == 1 else None,
            "concurrency": _at(config, "loadgen", "concurrency"),
            "input_tokens": mean("input_sequence_length"),
            "output_tokens": mean("output_sequence_length"),
            "measured_request_rate": mean("request_throughput"),
            "measured_output_speed": mean("output_token_throughput"),
            "measured_time_to_first_token": mean("time_to_first_token"),
            "measured_time_per_output_token": mean("inter_token_latency"),
        }
    ]


def _of_trtllm(content: Any) -> list[Row]:
    return [
        {
            "model": _at(content, "engine", "model"),
            "engine": "TensorRT-LLM",
            "engine_version": _at(content, "engine", "version"),
            "accelerators": _at(content, "world_info", "world_size"),
            "concurrency": _at(content, "request_info", "avg_num_concurrent_requests"),
            "input_tokens": _at(content, "request_info", "avg_input_length"),
            "output_tokens": _at(content, "request_info", "avg_output_length"),
            "measured_request_rate": _at(content, "performance", "request_throughput_req_s"),
            "measured_output_speed": _at(content, "performance", "system_output_throughput_tok_s"),
            "measured_time_to_first_token": _at(content, "streaming_metrics", "avg_ttft_ms"),
            "measured_time_per_output_token": _at(content, "streaming_metrics", "avg_tpot_ms"),
        }
    ]


# By the tool's name: how its file is known, and how it is read.
KNOWN: Mapping[str, tuple[Callable[[Any], bool], Callable[[Any], list[Row]]]] = {
    "vLLM or SGLang": (lambda content: _at(content, "mean_ttft_ms") is not None, _of_vllm),
    "GuideLLM": (lambda content: isinstance(_at(content, "benchmarks"), list), _of_guidellm),
    "AIPerf": (lambda content: _at(content, "request_throughput", "avg") is not None, _of_aiperf),
    "trtllm-bench": (lambda content: isinstance(_at(content, "performance"), dict), _of_trtllm),
}
