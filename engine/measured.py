"""Measured: public serving measurements, with the accelerators and models they ran on, as quantities of the engine.

Reads CSV files with their own heads, or with those of the catalogue. What a row lacks is a reason, never a guess left
unsaid. Knows no formula.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.sheets import AS_CALIBRATED, SCHEDULING

Row = Mapping[str, str]
Quantities = dict[str, float]

# Head of a file, and the quantity it is. A file of the catalogue has the quantities themselves as heads.
ACCELERATOR = {
    "bf16_tflops_dense": "bf16_compute",
    "fp8_tflops_dense": "fp8_compute",
    "int8_tops_dense": "int8_compute",
    "fp4_tflops_dense": "fp4_compute",
    "hbm_gb": "accelerator_memory",
    "hbm_gbps": "memory_bandwidth",
    "interconnect_gbps_per_dir": "link_bandwidth",
}
MODEL = {
    "total_params_b": "total_parameters",
    "active_params_b": "active_parameters",
    "params_calc_routed_b": "routed_parameters",
    "layers": "layers",
    "hidden": "hidden_size",
    "n_heads": "attention_heads",
    "n_kv_heads": "kv_heads",
    "head_dim": "head_dim",
    "n_experts": "experts",
    "experts_per_token": "experts_per_token",
    "kv_lora_rank": "kv_lora_rank",
    "qk_nope_dim": "nope_dim",
    "qk_rope_dim": "rope_dim",
    "v_head_dim": "value_dim",
    "sliding_window": "window",
}
# What is worked out from a model's kind of attention, where its file does not say it.
LAYERS = ("window_layers", "linear_layers", "sparse_tokens")
NEEDED_OF_ACCELERATOR = ("bf16_compute", "accelerator_memory", "memory_bandwidth")
NEEDED_OF_MODEL = ("total_params_b", "active_params_b", "layers", "hidden", "n_heads")
METRICS = ("output_tok_s_total", "output_tok_s_per_chip", "tpot_ms", "ttft_ms", "input_tok_s")
NEEDED = ("id", "system", "model", "n_chips", "weight_precision", "input_len", "output_len", "metric", "value")
ENGINES = {"vLLM": r"vllm", "SGLang": r"sglang", "TensorRT-LLM": r"trt-?llm|tensorrt"}
# Columns that a file may have, of requests that did not come one after another from so many users.
LOADS = {
    "prompts_at_once": "burst_requests",
    "request_rate": "measured_rate",
    "service_variability": "service_variability",
}
USERS = "batch_or_concurrency"
# Columns that may be blank, and what else says that nothing is told, or that there was no limit.
OPTIONAL = ("tp", "pp", "dp", USERS, *LOADS)
UNTOLD = ("", "-", "none", "n/a", "na", "max", "full")
# What LOADS are of in a row's notes, where no column says it.
NOTED = {
    "burst_requests": re.compile(r"(\d+) (?:prompts|requests) at once|burst of (\d+)", re.I),
    "measured_rate": re.compile(r"(?:request[ _-]rate|qps)[ :=]+(\d+(?:\.\d+)?)", re.I),
}
# In a row's notes: how prompts and answers took turns, where no column says it.
TURNS = {"batched prefill": "decode first"}
# What others call a precision.
OTHER_NAMES = {
    **dict.fromkeys(("bfloat16",), "bf16"),
    **dict.fromkeys(("float16", "half"), "fp16"),
    **dict.fromkeys(("float8", "fp8_e4m3", "e4m3"), "fp8"),
    **dict.fromkeys(("awq", "gptq", "w4a16"), "int4"),
    **dict.fromkeys(("nvfp4",), "fp4"),
}
# Tokens whose keys a sparse index selects; DeepSeek-V3.2 (2025).
SELECTED = 2048.0
_ALTERNATING = re.compile(r"alternating")
_RATIO = re.compile(r"(\d+) sliding ?: ?(\d+) full|(\d+) of (\d+) layers")
_EVERY = re.compile(r"full attention every (\d+)")
_YEAR = re.compile(r"(?<!\d)20[12]\d(?!\d)")
_APART = re.compile(r"[\s_-]+")


class MeasuredError(Exception):
    """A file of measurements, accelerators or models that cannot be read, in a sentence."""


@dataclass(frozen=True)
class Point:
    """One measured figure: where it is from, what it ran on as quantities, or why that is not known."""

    row: Row
    value: float
    quantities: Quantities = field(default_factory=dict)
    reason: str = ""

    @property
    def engine(self) -> str:
        """The serving engine, as its column or else its notes and source name it; blank where none does."""
        if named := self.row.get("engine"):
            return next((name for name, words in ENGINES.items() if re.search(words, named, re.I)), named)
        text = f"{self.row.get('notes') or ''} {self.row.get('source_key') or ''} {self.row.get('source') or ''}"
        return next((name for name, words in ENGINES.items() if re.search(words, text, re.I)), "")

    @property
    def stack(self) -> tuple[str, ...]:
        """What is one set-up: source, accelerator, model, precision and engine."""
        named = (self.row.get("source_key") or self.row.get("source") or "", self.row["system"], self.row["model"])
        return (*named, self.row["weight_precision"], self.engine)

    @property
    def stack_name(self) -> str:
        """What a row of Calibration for this stack alone is called."""
        named = f"{self.row['model']} {self.row['weight_precision']} on {self.row['system']}"
        return f"{named}, {self.engine}" if self.engine else named

    @property
    def run(self) -> tuple[tuple[str, float], ...]:
        """What is the same for all figures of one run: everything that is known of it."""
        return tuple(sorted((name, value) for name, value in self.quantities.items() if not math.isnan(value)))

    @property
    def family(self) -> str:
        """The model's family: its name up to the first part with a figure."""
        parts = _APART.split(self.row["model"].casefold())
        named = [part for place, part in enumerate(parts) if not re.search(r"\d", "".join(parts[: place + 1]))]
        return "-".join(named) or re.sub(r"\d.*", "", parts[0])


def folded(name: str) -> str:
    """A name without what files write differently: capitals, spaces, hyphens."""
    return _APART.sub("", name.casefold())


def table(path: Path, keys: Collection[str], needed: Iterable[str]) -> dict[str, Row]:
    """The rows of a CSV file by their folded name, which stands under one of `keys`.

    Errors: MeasuredError where the file is none, or lacks a column.
    """
    rows = rows_of(path, ())
    heads = set(rows[0]) if rows else set()
    key = next((key for key in keys if key in heads), next(iter(keys)))
    _check(path, heads, [key, *needed])
    return {folded(row[key]): row for row in rows}


def rows_of(path: Path, needed: Iterable[str]) -> Sequence[Row]:
    """All rows of a CSV file.

    Errors: MeasuredError where the file is none, or lacks a column.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MeasuredError(f"{path.name} cannot be read as CSV: {error}.") from None
    _check(path, set(rows[0]) if rows else set(), needed)
    return rows


def _check(path: Path, heads: Collection[str], needed: Iterable[str]) -> None:
    others = {**ACCELERATOR, **MODEL}
    if missing := [name for name in needed if name not in heads and others.get(name) not in heads]:
        has = f"it has {', '.join(sorted(filter(None, heads)))}" if heads else "it has no rows"
        raise MeasuredError(f"{path.name} has no column {missing[0]}; {has}. Add it, with that head in the first line.")


def points(measured: Path, accelerators: Path, models: Path, calibrated: Sequence[Row] = ()) -> list[Point]:
    """Every row of `measured`, with its accelerator and model from the two other files.

    `calibrated` are the rows that the calibration was fitted on: what is not among them is marked as not measured.
    Errors: MeasuredError where a file cannot be read.
    """
    chips = table(accelerators, ("chip", "hardware"), ACCELERATOR)
    shapes = table(models, ("model",), NEEDED_OF_MODEL)
    seen = {name: {folded(row[name]) for row in calibrated} for name in ("system", "model")}
    return [_point(row, chips, shapes, seen) for row in rows_of(measured, NEEDED)]


def _point(
    row: Row, chips: Mapping[str, Row], shapes: Mapping[str, Row], seen: Mapping[str, Collection[str]]
) -> Point:
    value = _number(row["value"])
    if row["metric"] not in METRICS:
        return Point(row, value, reason=f"{row['metric']} is no speed that is predicted")
    if not value > 0:
        return Point(row, value, reason=f"the measured value is {row['value'] or 'blank'}")
    chip, shape = chips.get(folded(row["system"])), shapes.get(folded(row["model"]))
    if chip is None:
        return Point(row, value, reason=f"the accelerator {row['system']} is not in the file of accelerators")
    if shape is None:
        return Point(row, value, reason=f"the model {row['model']} is not in the file of models")
    lengths = {"input_tokens": _number(row["input_len"]), "output_tokens": _number(row["output_len"])}
    if blank := [name for name, length in lengths.items() if not length >= 1]:
        return Point(row, value, reason=f"{blank[0]} is not given")
    if not _number(row["n_chips"]) >= 1:
        return Point(row, value, reason="the number of accelerators is not given")
    if wrong := [head for head in OPTIONAL if not _is_usable(head, (row.get(head) or "").strip())]:
        return Point(row, value, reason=f"{wrong[0]} is {row[wrong[0]]}")
    accelerator = {name: _figure(chip, head, name) for head, name in ACCELERATOR.items()}
    if blank := [name for name in NEEDED_OF_ACCELERATOR if not accelerator[name] > 0]:
        return Point(row, value, reason=f"{blank[0]} of {row['system']} is not in the file of accelerators")
    formats = _formats(row, accelerator)
    if formats is None:
        return Point(row, value, reason=f"the precision {row['weight_precision'] or '(blank)'} is not known")
    if (turns := _turns(row)) not in SCHEDULING:
        return Point(row, value, reason=f"scheduling is {turns}, and not one of {', '.join(SCHEDULING)}")
    known = {
        "accelerator_measured": float(folded(row["system"]) in seen["system"]),
        "model_measured": float(folded(row["model"]) in seen["model"]),
        "engine_year": _year(row),
        "scheduling": SCHEDULING[turns],
    }
    told = {**lengths, **_layout(row), **_load(row), **known}
    return Point(row, value, {**accelerator, **formats, **_model(shape), **told})


def _is_usable(head: str, text: str) -> bool:
    """Whether a cell that may be blank is, says so in a word, or holds a number that can be meant."""
    number = _number(text)
    return text.casefold() in UNTOLD or number > 0 or (number == 0 and head != USERS)


def _number(text: str | None) -> float:
    try:
        return float(text) if text and text.strip() else math.nan
    except ValueError:
        return math.nan


def _figure(row: Row, head: str, name: str) -> float:
    return _number(row.get(head) if head in row else row.get(name))


def _turns(row: Row) -> str:
    """How prompts and answers took turns, as the sheet Configurations words it: as its column, or its notes say."""
    told = (row.get("scheduling") or "").strip().casefold()
    notes = row.get("notes") or ""
    return told or next((turns for words, turns in TURNS.items() if words in notes), AS_CALIBRATED)


def _load(row: Row) -> Quantities:
    """Requests that came at once, or a second, and how much their answers differed, as far as it is told."""
    noted = {name: words.search(row.get("notes") or "") for name, words in NOTED.items()}
    found = {name: _number(next(filter(None, said.groups()))) for name, said in noted.items() if said}
    found |= {name: told for head, name in LOADS.items() if (told := _number(row.get(head))) >= 0}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _year(row: Row) -> float:
    """The year of the engine: as its column, or the last that its source names, or its notes; 0 where none does."""
    if (told := _number(row.get("engine_year"))) > 0:
        return told
    years = _YEAR.findall(row.get("source") or "") or _YEAR.findall(row.get("notes") or "")
    return float(max(years, default=0))


def _model(shape: Row) -> Quantities:
    """The architecture; blanks are 0, which formulas take as none."""
    found = {name: _figure(shape, head, name) for head, name in MODEL.items()}
    found = {name: 0.0 if math.isnan(value) else value for name, value in found.items()}
    # A dense model is a mixture of one.
    found |= {name: found[name] or 1.0 for name in ("experts", "experts_per_token")}
    found["kv_heads"] = found["kv_heads"] or found["attention_heads"]
    if LAYERS[0] in shape:
        told = {name: _number(shape.get(name)) for name in LAYERS}
        return found | {name: 0.0 if math.isnan(value) else value for name, value in told.items()}
    pattern, kind = shape.get("window_pattern") or "", shape.get("attn_type") or ""
    layers = found["layers"]
    found["window_layers"] = round(layers * _windowed(pattern)) if found["window"] else 0.0
    every = _EVERY.search(pattern)
    found["linear_layers"] = layers - layers // int(every[1]) if every and "linear" in kind else 0.0
    found["sparse_tokens"] = SELECTED if "DSA" in kind else 0.0
    return found


def _windowed(pattern: str) -> float:
    """Share of the layers that keep a window only."""
    if _ALTERNATING.search(pattern):
        return 0.5
    if ratio := _RATIO.search(pattern):
        sliding, full, some, every = ratio.groups()
        return int(some) / int(every) if some else int(sliding) / (int(sliding) + int(full))
    return 1.0 if not pattern else 0.0


def _formats(row: Row, accelerator: Quantities) -> Quantities | None:
    """Bits of weights and cache, and the peak of their arithmetic; None where the format is not known.

    A cache whose precision is not told has that of the arithmetic, as engines and published checkpoints have it.
    """
    fp4, fp8 = accelerator["fp4_compute"], accelerator["fp8_compute"]
    plain = accelerator["bf16_compute"]
    known = {
        "bf16": (16.0, plain, 16.0),
        "fp16": (16.0, plain, 16.0),
        "fp8": (8.0, fp8 if fp8 > 0 else plain, 8.0),
        "int8": (8.0, accelerator["int8_compute"] if accelerator["int8_compute"] > 0 else plain, 8.0),
        "fp4": (4.5, fp4 if fp4 > 0 else plain, 8.0),
        "mxfp4": (4.24, fp8, 8.0) if fp4 > 0 and fp8 > 0 else (4.24, plain, 16.0),
        "int4": (4.24, plain, 16.0),
    }
    named = row["weight_precision"].casefold()
    named = OTHER_NAMES.get(named, named)
    if named not in known:
        return None
    bits, peak, cache = known[named]
    told = {"fp8": 8.0, "int8": 8.0, "bf16": 16.0, "fp16": 16.0}.get((row.get("kv_precision") or "").casefold(), cache)
    # Four-bit mixtures of experts keep what is not routed at sixteen.
    dense = 16.0 if bits < 8 else bits
    return {"weight_bits": bits, "mixture_dense_bits": dense, "kv_bits": told, "peak_compute": peak}


def _layout(row: Row) -> Quantities:
    """How many accelerators were measured together, in which layout, with how many users; NaN where it is not told."""
    told = {
        "measured_accelerators": _number(row["n_chips"]),
        "tensor_parallel": _number(row.get("tp")),
        "pipeline_stages": _number(row.get("pp")),
        "measured_groups": _number(row.get("dp")),
        "measured_users": _number(row.get(USERS)),
    }
    return {name: value if value >= 1 else math.nan for name, value in told.items()}
