"""Model config: the row of the sheet Models that a Hugging Face `config.json` gives. Knows families, no workbook.

A family is known by its `model_type`; of another one nothing is guessed. Where a file is silent, what the family's
own code assumes holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.calculation import calculate
from engine.formulas import SHAPE_FORMULAS

Config = Mapping[str, Any]
Row = dict[str, Any]

FILE_LIMIT = 1_000_000
DECIMALS = 3  # of a billion parameters
LATENTS = {
    "kv_lora_rank": "kv_lora_rank",
    "nope_dim": "qk_nope_head_dim",
    "rope_dim": "qk_rope_head_dim",
    "value_dim": "v_head_dim",
}


class ConfigError(ValueError):
    """The file gives no row; says what was found and what to do."""


@dataclass(frozen=True)
class Family:
    """What is peculiar to a family of models: the names of its fields, and what its code assumes where they lack.

    `experts` and `expert_size` name the fields of a mixture of experts. `counts_lookup`: whether the vendor's active
    parameters include the table that tokens are looked up in.
    """

    name: str
    experts: str = ""
    expert_size: str = "moe_intermediate_size"
    latent: bool = False
    counts_lookup: bool = True
    assumes: Mapping[str, Any] = field(default_factory=dict)


# What holds where neither the file nor the family says otherwise.
ASSUMED = {
    "tie_word_embeddings": False,
    "use_sliding_window": False,
    "sliding_window": None,
    "sliding_window_pattern": None,
    "max_window_layers": 0,
    "decoder_sparse_step": 1,
    "mlp_only_layers": (),
    "first_k_dense_replace": 0,
    "moe_layer_freq": 1,
    "n_shared_experts": None,
    "shared_expert_intermediate_size": None,
    "q_lora_rank": None,
}
SPLIT_WIDTH = {"head_dim": None}  # the hidden size, split among the heads
OWN_KEYS = {"num_key_value_heads": None}  # as many as query heads
WINDOWS = {"use_sliding_window": True}
# Published configurations of Gemma 3 say only what differs from these.
GEMMA_3 = {
    "vocab_size": 262208,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "max_position_embeddings": 131072,
}

FAMILIES = {
    "llama": Family("Llama", assumes=SPLIT_WIDTH | OWN_KEYS),
    "mistral": Family("Mistral", assumes=SPLIT_WIDTH | WINDOWS),
    "mixtral": Family("Mixtral", "num_local_experts", "intermediate_size", assumes=SPLIT_WIDTH | WINDOWS),
    "qwen2": Family("Qwen2", assumes=SPLIT_WIDTH),
    "qwen2_moe": Family("Qwen2 MoE", "num_experts", assumes=SPLIT_WIDTH),
    "qwen3": Family("Qwen3"),
    "qwen3_moe": Family("Qwen3 MoE", "num_experts"),
    "deepseek_v2": Family("DeepSeek-V2", "n_routed_experts", latent=True, counts_lookup=False, assumes=OWN_KEYS),
    "deepseek_v3": Family("DeepSeek-V3", "n_routed_experts", latent=True, counts_lookup=False, assumes=OWN_KEYS),
    "kimi_k2": Family("Kimi K2", "n_routed_experts", latent=True, assumes=OWN_KEYS),
    "gpt_oss": Family(
        "gpt-oss",
        "num_local_experts",
        "intermediate_size",
        counts_lookup=False,
        assumes=WINDOWS | {"sliding_window_pattern": 2},
    ),
    "gemma2": Family("Gemma 2", assumes=WINDOWS | {"tie_word_embeddings": True, "sliding_window_pattern": 2}),
    "gemma3_text": Family(
        "Gemma 3", assumes=WINDOWS | GEMMA_3 | {"tie_word_embeddings": True, "sliding_window_pattern": 6}
    ),
}


def model_row(path: Path, name: str = "") -> Row:
    """The row by column, without the day it was checked on; parameters in billions are rounded to three decimals.

    `name` is what the model is called on the sheet; where left out, what the file calls it.
    Errors: ConfigError.
    """
    config, family = _config(path)
    published = str(config.get("_name_or_path") or "")
    name = name or published.rpartition("/")[2]
    if not name:
        raise ConfigError(f"{path.name} does not say what the model is called; say it with --name")
    shapes = _Shapes(path.name, family, {**ASSUMED, **family.assumes, **config})
    row = {
        "model": name,
        **_parameters(shapes),
        "layers": shapes.layers,
        "hidden_size": shapes.hidden_size,
        "attention_heads": shapes.attention_heads,
        "kv_heads": shapes.kv_heads,
        "head_dim": shapes.head_dim,
        "feed_forward_size": shapes.whole("intermediate_size") if shapes.dense_layers else shapes.expert_size,
        "experts": shapes.experts,
        "experts_per_token": shapes.experts_per_token,
        **shapes.latents,
        **shapes.window,
        "maximum_context": shapes.whole("max_position_embeddings"),
        "source": f"config.json of {published or name}",
        "note": _note(config, family),
    }
    return {column: value for column, value in row.items() if value != 0}


def _config(path: Path) -> tuple[Config, Family]:
    """What the file says of the text model, and the family it is of."""
    try:
        if path.stat().st_size > FILE_LIMIT:
            raise ConfigError(f"{path.name} is far larger than a config.json; name the file of that name")
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path.name} cannot be read as JSON; name a model's config.json") from error
    if not isinstance(config, dict):
        raise ConfigError(f"{path.name} is no object of JSON; name a model's config.json")
    # A model that also sees or hears keeps its language model's shapes apart.
    if isinstance(inner := config.get("text_config"), dict):
        config = {**config, **inner}
    kind = config.get("model_type")
    if kind not in FAMILIES:
        known = ", ".join(family.name for family in FAMILIES.values())
        raise ConfigError(
            f"{path.name} has the model_type {kind!r}, whose shapes are not known here; known are {known}. "
            "Type the row by hand, from the model's card"
        )
    return config, FAMILIES[str(kind)]


@dataclass(frozen=True)
class _Shapes:
    """The file's fields, checked one by one."""

    file: str
    family: Family
    fields: Config

    def value(self, name: str) -> Any:
        if name not in self.fields:
            raise ConfigError(
                f"{self.file} lacks {name}, from which the shapes of {self.family.name} follow; take the file from the "
                "model's own repository, or type the row by hand"
            )
        return self.fields[name]

    def whole(self, name: str, otherwise: int | None = None) -> int:
        """A whole number; `otherwise` is what null means."""
        value = self.value(name)
        if value is None and otherwise is not None:
            return otherwise
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ConfigError(f"{self.file}: {name} is {value!r}; a whole number is needed")
        return value

    @property
    def layers(self) -> int:
        return self.whole("num_hidden_layers")

    @property
    def hidden_size(self) -> int:
        return self.whole("hidden_size")

    @property
    def attention_heads(self) -> int:
        return self.whole("num_attention_heads")

    @property
    def kv_heads(self) -> int:
        return self.whole("num_key_value_heads", self.attention_heads)

    @property
    def head_dim(self) -> int:
        if self.family.latent:
            return self.whole("qk_nope_head_dim")
        return self.whole("head_dim", self.hidden_size // max(1, self.attention_heads))

    @property
    def latents(self) -> dict[str, int]:
        """The widths of latent attention; none in other families."""
        if not self.family.latent:
            return dict.fromkeys(LATENTS, 0)
        return {column: self.whole(name) for column, name in LATENTS.items()}

    @property
    def experts(self) -> int:
        return self.whole(self.family.experts) if self.family.experts else 0

    @property
    def experts_per_token(self) -> int:
        return self.whole("num_experts_per_tok") if self.experts else 0

    @property
    def expert_size(self) -> int:
        return self.whole(self.family.expert_size) if self.experts else 0

    @property
    def shared_expert_size(self) -> int:
        """Width of what every token passes beside the experts it visits."""
        return self.whole("n_shared_experts", 0) * self.expert_size + self.whole("shared_expert_intermediate_size", 0)

    @property
    def expert_layers(self) -> int:
        if not self.experts:
            return 0
        first, every = self.whole("first_k_dense_replace"), max(1, self.whole("moe_layer_freq"))
        dense, step = self.value("mlp_only_layers") or (), max(1, self.whole("decoder_sparse_step"))
        layers = range(first, self.layers)
        return sum(1 for layer in layers if not layer % every and not (layer + 1) % step and layer not in dense)

    @property
    def dense_layers(self) -> int:
        return self.layers - self.expert_layers

    @property
    def window(self) -> dict[str, int]:
        """The tokens that windows keep and the layers that have one; empty where none does."""
        tokens = self.whole("sliding_window", 0) if self.value("use_sliding_window") else 0
        layers = self._window_layers()
        return {"window": tokens, "window_layers": layers} if tokens and layers else {}

    def _window_layers(self) -> int:
        if kinds := self.fields.get("layer_types"):
            return sum(1 for kind in kinds if kind == "sliding_attention")
        full_every = self.whole("sliding_window_pattern", 0)
        layers = range(self.whole("max_window_layers"), self.layers)
        return sum(1 for layer in layers if not full_every or (layer + 1) % full_every)


def _parameters(shapes: _Shapes) -> Row:
    """Total, active and routed parameters in billions."""
    tables = 1 if shapes.value("tie_word_embeddings") else 2
    given = {
        "layers": shapes.layers,
        "hidden_size": shapes.hidden_size,
        "attention_heads": shapes.attention_heads,
        "kv_heads": shapes.kv_heads,
        "head_dim": shapes.head_dim,
        "query_lora_rank": shapes.whole("q_lora_rank", 0) if shapes.family.latent else 0,
        **shapes.latents,
        "dense_layers": shapes.dense_layers,
        "feed_forward_size": shapes.whole("intermediate_size"),
        "expert_layers": shapes.expert_layers,
        "shared_expert_size": shapes.shared_expert_size,
        "experts": shapes.experts,
        "experts_per_token": shapes.experts_per_token,
        "expert_size": shapes.expert_size,
        "vocabulary_size": shapes.whole("vocab_size"),
        "embedding_tables": tables,
        "inactive_embedding_share": 0 if shapes.family.counts_lookup or tables == 1 else 1 / tables,
    }
    columns = calculate({name: np.array([float(value)]) for name, value in given.items()}, SHAPE_FORMULAS)
    names = ("total_parameters", "active_parameters", "routed_parameters")
    return {name: round(columns[name].item(), DECIMALS) for name in names}


def _note(config: Config, family: Family) -> str:
    notes = ["parameters computed from the shapes"]
    if not family.counts_lookup:
        notes.append("active ones without the table that tokens are looked up in")
    published = config.get("quantization_config")
    if isinstance(published, dict) and published.get("quant_method"):
        notes.append(f"weights published in {published['quant_method']}")
    return "; ".join(notes)
