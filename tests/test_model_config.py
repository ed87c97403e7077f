"""A model's config.json gives the row that its vendor and the catalogue state; what is unknown is not guessed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.catalogue import catalogue
from engine.filling.model_config import FAMILIES, ConfigError, model_row
from engine.sheets import MODELS

CONFIGS = Path(__file__).parent / "model_configs"
# The file, the catalogue's name where it has the model, and the vendor's own billions, as rounded there.
MODELS_STATED = {
    "llama-2-7b": ("Llama 2 7B", "6.74", "6.74"),
    "llama-3.1-8b": ("Llama 3.1 8B", "8.03", "8.03"),
    "llama-3.1-405b": ("Llama 3.1 405B", "405.85", "405.85"),
    "mistral-7b": ("Mistral 7B", "7.25", "7.25"),
    "mixtral-8x7b": ("Mixtral 8x7B", "46.7", "12.9"),
    "mixtral-8x22b": ("Mixtral 8x22B", "140.6", "39.1"),
    "qwen2.5-7b": ("Qwen2.5 7B", "7.62", "7.62"),
    "qwen2.5-72b": ("Qwen2.5 72B", "72.71", "72.71"),
    "qwen3-32b": ("Qwen3 32B", "32.76", "32.76"),
    "qwen3-30b-a3b": ("Qwen3 30B A3B", "30.5", "3.3"),
    "qwen3-235b-a22b": ("Qwen3 235B A22B", "235.1", "22.2"),
    "deepseek-v2": ("", "236", "21"),
    "deepseek-v2-lite": ("", "15.7", "2.4"),
    "deepseek-v3": ("DeepSeek-V3", "671", "37"),
    "kimi-k2": ("Kimi K2", "1026", "32.6"),
    "gpt-oss-20b": ("gpt-oss-20b", "20.9", "3.6"),
    "gpt-oss-120b": ("gpt-oss-120b", "116.8", "5.1"),
    "gemma-2-9b": ("Gemma 2 9B", "9.24", "9.24"),
    "gemma-2-27b": ("Gemma 2 27B", "27.23", "27.23"),
    "gemma-3-4b": ("Gemma 3 4B", "3.88", "3.88"),
    "gemma-3-12b": ("Gemma 3 12B", "11.77", "11.77"),
    "gemma-3-27b": ("Gemma 3 27B", "27.0", "27.0"),
}
# The catalogue states another width than an expert's for these, which have only experts.
LEFT_OUT = {"model", "total_parameters", "active_parameters", "training_tokens", "source", "checked_on", "note"}
OTHERWISE = {"qwen3-30b-a3b": {"feed_forward_size"}, "qwen3-235b-a22b": {"feed_forward_size"}}


def agrees(value: float, stated: str) -> bool:
    """Within 1 % of what the vendor states, or within its last digit: vendors round up or down, or cut."""
    digits = len(stated.partition(".")[2])
    return abs(value - float(stated)) < max(0.01 * float(stated), 10**-digits)


@pytest.mark.parametrize("file", MODELS_STATED)
def test_parameters_are_the_vendors(file: str) -> None:
    _, total, active = MODELS_STATED[file]
    row = model_row(CONFIGS / f"{file}.json")
    assert abs(row["total_parameters"] / float(total) - 1) < 0.01
    assert agrees(row["active_parameters"], active)


@pytest.mark.parametrize("file", [file for file, (name, *_) in MODELS_STATED.items() if name])
def test_shapes_are_the_catalogues(file: str) -> None:
    name, *_ = MODELS_STATED[file]
    stated = next(row for row in catalogue("models") if row["model"] == name)
    row = model_row(CONFIGS / f"{file}.json")
    for column in MODELS.columns:
        if column.name in LEFT_OUT | OTHERWISE.get(file, set()):
            continue
        if not column.unit.is_number:
            continue
        expected = stated.get(column.name) or 0
        assert row.get(column.name, 0) == pytest.approx(expected, rel=1e-3), column.name


def test_every_family_has_a_file() -> None:
    kinds = {json.loads((CONFIGS / f"{file}.json").read_text())["model_type"] for file in MODELS_STATED}
    assert {*kinds, "gemma3_text", "qwen2_moe"} == {*FAMILIES, "gemma3"}


def edited(tmp_path: Path, file: str, **changes: object) -> Path:
    """A copy of a file with fields changed; those that become `...` are left out."""
    fields = {**json.loads((CONFIGS / f"{file}.json").read_text()), **changes}
    path = tmp_path / "config.json"
    path.write_text(json.dumps({name: value for name, value in fields.items() if value is not ...}))
    return path


def test_qwen2_mixtures_share_an_expert_and_may_have_dense_layers(tmp_path: Path) -> None:
    """Qwen1.5-MoE-A2.7B: 14.3 billion, of which 2.7 active."""
    mixture = {
        "model_type": "qwen2_moe",
        "hidden_size": 2048,
        "intermediate_size": 5632,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "num_key_value_heads": 16,
        "vocab_size": 151936,
        "num_experts": 60,
        "num_experts_per_tok": 4,
        "moe_intermediate_size": 1408,
        "shared_expert_intermediate_size": 5632,
        "max_position_embeddings": 8192,
    }
    row = model_row(edited(tmp_path, "qwen2.5-7b", **mixture))
    assert agrees(row["total_parameters"], "14.3") and agrees(row["active_parameters"], "2.7")
    assert row["feed_forward_size"] == 1408
    some_dense = model_row(edited(tmp_path, "qwen2.5-7b", **mixture, mlp_only_layers=[0, 1], decoder_sparse_step=2))
    assert some_dense["feed_forward_size"] == 5632
    # Layers 3, 5, 7 and so on up to 23: the second of each pair, but for the first pair.
    assert some_dense["routed_parameters"] == pytest.approx(11 * 60 * 3 * 2048 * 1408 / 1e9, abs=1e-3)


def test_windows_follow_what_the_file_says(tmp_path: Path) -> None:
    def windows(**changes: object) -> tuple[object, object]:
        row = model_row(edited(tmp_path, "qwen2.5-7b", **changes))
        return row.get("window"), row.get("window_layers")

    assert windows() == (None, None)
    assert windows(use_sliding_window=True) == (None, None)
    assert windows(use_sliding_window=True, max_window_layers=20) == (131072, 8)
    assert model_row(edited(tmp_path, "mistral-7b", sliding_window=4096))["window_layers"] == 32
    listed = ["sliding_attention"] * 3 + ["full_attention"] * 21
    assert model_row(edited(tmp_path, "gpt-oss-20b", layer_types=listed))["window_layers"] == 3


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model_type": "mamba2"}, "config.json has the model_type 'mamba2', whose shapes are not known here"),
        ({"model_type": ...}, "config.json has the model_type None"),
        ({"num_key_value_heads": ...}, "config.json lacks num_key_value_heads, from which the shapes"),
        ({"hidden_size": "4096"}, "config.json: hidden_size is '4096'; a whole number is needed"),
        ({"vocab_size": True}, "config.json: vocab_size is True; a whole number is needed"),
        ({"num_hidden_layers": -2}, "config.json: num_hidden_layers is -2; a whole number is needed"),
        ({"_name_or_path": ...}, "config.json does not say what the model is called; say it with --name"),
    ],
)
def test_what_is_not_known_is_not_guessed(changes: dict[str, object], says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        model_row(edited(tmp_path, "mistral-7b", **changes))
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1]", b"{", b"[" * 100_000, b" " * 1_000_001])
def test_what_is_no_config_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"name a model's config\.json|name the file of that name"):
        model_row(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        model_row(tmp_path / "nowhere.json")
