"""Asked: grains beside those of the configurations, one for each question about accelerators, APIs, drafts and prices.

Says which rows they have and where each input is read. Knows neither Excel's grammar nor what is inside a formula.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from engine.calculation import Columns
from engine.formulas import (
    EVERY_FORMULA,
    SPECULATION_FORMULAS,
    Formulas,
    needs,
)
from engine.scenarios.grains import Grain, make_grain
from engine.scenarios.sources import (
    ACCELERATORS,
    APIS,
    CASES,
    CONFIGURED,
    DRAFTS,
    PRICE_COURSE,
    RATIOS,
    Chosen,
    Filled,
    Key,
    Looked,
    Setting,
    Source,
    Varied,
    may_be_unknown,
)
from engine.sheets import CHOICES, COMPETITORS, COMPUTE, HARDWARE, MODELS, SETTINGS, Column
from engine.units import Number, Years
from engine.workbook.read import Inputs

INPUT_RATIOS = (0.25, 1, 4, 16)  # input tokens for each output token
YEARS_AHEAD = (0, 1, 2, 3, 4, 5)

Grains = Mapping[str, Grain]


def _chosen(names: str) -> Formulas:
    return {name: EVERY_FORMULA[name] for name in names.split()}


ACCELERATOR_FORMULAS = _chosen(
    "compute_per_dollar bandwidth_per_dollar memory_per_dollar compute_per_dollar_in_use bandwidth_per_dollar_in_use "
    "memory_per_dollar_in_use compute_advantage bandwidth_advantage memory_advantage critical_batch_size "
    "deciding_metric on_demand_premium elastic_break_even"
)
API_FORMULAS = _chosen(
    "api_request_cost api_cost_ratio api_month own_saving break_even_requests break_even_input_output own_or_api "
    "context_warning"
)
RATIO_FORMULAS = _chosen("ratio_cost api_ratio_cost cheaper_side break_even_input_output own_or_api")
PRICE_FORMULAS = _chosen("annual_price_factor price_warning projected_price yearly_tokens contract_value years_to_cost")
# What questions about cases read of them.
READ_OF_CASES = set().union(*(needs(f) for group in (RATIO_FORMULAS, SPECULATION_FORMULAS) for f in group.values()))


def grain_of(
    name: str,
    keys: Columns,
    given: Mapping[str, Source],
    formulas: Formulas,
    grains: Grains,
    of: tuple[str, str],
    inputs: Inputs,
) -> Grain:
    """A grain whose keys and `given` sources come first; what else it needs it has from the row of `of` or Settings.

    `of` names a grain and the key by which its row is found.
    """
    other, by = of
    sources: dict[str, Source] = dict(given)
    needed = set().union(*(needs(formula) for formula in formulas.values())) - set(formulas) | {"fits"}
    for quantity in sorted(needed - set(sources)):
        if quantity in grains[other].values:
            sources[quantity] = Varied(other, quantity, by, grains[other].annotation(quantity))
        else:
            sources[quantity] = Setting(SETTINGS.column(quantity))
    varied = [name for name, source in sources.items() if isinstance(source, Varied)]
    stands = [name for name in varied if _quantity_of(sources[name]) in grains[other].guarded]
    blank = [name for name, source in sources.items() if may_be_unknown(source)]
    return make_grain(name, keys, sources, formulas, inputs, grains, guards=stands, unknown=blank)


def _quantity_of(source: Source) -> str:
    return source.quantity if isinstance(source, Varied) else ""


def _accelerators(inputs: Inputs, grains: Grains, base: str, cases: Sequence[str]) -> Grain:
    """Every accelerator that has an on-demand price: what a dollar buys, beside the one that `base` runs on."""
    table = inputs.tables[HARDWARE.name]
    rows = [row for row in table if row["on_demand_price"] > 0]
    compute = str(grains[CONFIGURED].value("compute", base))
    plain = next(iter(COMPUTE))
    used = str(grains[CONFIGURED].value("hardware", base))
    keys: Columns = {
        "hardware": np.array([row["hardware"] for row in rows]),
        "configuration": np.array([base] * len(rows)),
        "compute": np.array([plain if np.isnan(row[COMPUTE[compute]]) else compute for row in rows]),
        "hardware_in_use": np.array([used] * len(rows)),
        "compute_in_use": np.array([compute] * len(rows)),
    }
    peak = next(choice for choice in CHOICES if choice.quantity == "peak_compute")

    def of(column: str, by: str = "hardware") -> Looked:
        return Looked(HARDWARE, HARDWARE.column(column), by)

    sources: dict[str, Source] = {
        **{name: Key() for name in keys},
        "peak_compute": Chosen(peak, "compute", "hardware"),
        "memory_bandwidth": of("memory_bandwidth"),
        "accelerator_memory": of("accelerator_memory"),
        "accelerator_price": of("on_demand_price"),
        "on_demand_price": of("on_demand_price"),
        "reserved_price": of("one_year_price"),
        "peak_compute_in_use": Chosen(peak, "compute_in_use", "hardware_in_use"),
        "memory_bandwidth_in_use": of("memory_bandwidth", "hardware_in_use"),
        "accelerator_memory_in_use": of("accelerator_memory", "hardware_in_use"),
        "accelerator_price_in_use": of("on_demand_price", "hardware_in_use"),
    }
    return grain_of(ACCELERATORS, keys, sources, ACCELERATOR_FORMULAS, grains, (CONFIGURED, "configuration"), inputs)


def _comparable(inputs: Inputs, model: str) -> list[str]:
    """APIs that could take a model's place: those that name it, and those that name none."""
    return [str(row["competitor"]) for row in inputs.tables[COMPETITORS.name] if row["for_model"] in ("", model)]


def api_sources() -> dict[str, Source]:
    columns = {
        column.name: Looked(COMPETITORS, column, "competitor")
        for column in COMPETITORS.columns
        if column.unit.is_number and not column.key
    }
    cached = Filled(columns["api_cached_price"], columns["api_input_price"])
    return {**columns, "api_cached_price": cached}


def _apis(inputs: Inputs, grains: Grains, base: str, cases: Sequence[str]) -> Grain:
    """Every configuration that serves with the APIs that name its model, and `base` with those that name none."""
    configured = grains[CONFIGURED]
    pairs = [
        (str(key), str(row["competitor"]))
        for key in configured.keys
        if configured.value("counts", key)
        for row in inputs.tables[COMPETITORS.name]
        if row["for_model"] == configured.value("model", key) or (not row["for_model"] and key == base)
    ]
    keys: Columns = {
        "comparison": np.array([f"{key} or {api}" for key, api in pairs]),
        "configuration": np.array([key for key, _ in pairs]),
        "competitor": np.array([api for _, api in pairs]),
    }
    sources: dict[str, Source] = {**{name: Key() for name in keys}, **api_sources()}
    return grain_of(APIS, keys, sources, API_FORMULAS, grains, (CONFIGURED, "configuration"), inputs)


def _ratios(inputs: Inputs, grains: Grains, base: str, cases: Sequence[str]) -> Grain:
    """Each case at several ratios of input to output, beside the first API that could take the place of `base`."""
    model = str(grains[CONFIGURED].value("model", base))
    named = [str(row["competitor"]) for row in inputs.tables[COMPETITORS.name] if row["for_model"] == model]
    rivals = (named or _comparable(inputs, model))[:1]
    rows = [(case, api, ratio) for case in cases for api in rivals for ratio in INPUT_RATIOS]
    keys: Columns = {
        "comparison": np.array([f"{case}, {ratio:g} to 1" for case, _, ratio in rows]),
        "case": np.array([case for case, _, _ in rows]),
        "competitor": np.array([api for _, api, _ in rows]),
        "input_ratio": np.array([ratio for *_, ratio in rows], dtype=float),
    }
    sources: dict[str, Source] = {**{name: Key() for name in keys}, "input_ratio": Key(Number), **api_sources()}
    return grain_of(RATIOS, keys, sources, RATIO_FORMULAS, grains, (CASES, "case"), inputs)


def draft_columns() -> dict[str, Column]:
    """What speculative decoding reads of the draft model, and in which column of Models it stands."""
    renamed = {"draft_parameters": "total_parameters"}
    needed = set().union(*(needs(formula) for formula in SPECULATION_FORMULAS.values())) - set(SPECULATION_FORMULAS)
    read = sorted(name for name in needed if name.startswith("draft_") and name != "draft_tokens")
    return {name: MODELS.column(renamed.get(name, name.removeprefix("draft_"))) for name in read}


def _drafts(inputs: Inputs, grains: Grains, base: str, cases: Sequence[str]) -> Grain:
    """Each case with the draft model of the Settings: what speculative decoding makes of its speed."""
    keys: Columns = {
        "case": np.array(cases),
        "draft_model": np.array([str(inputs.settings["draft_model"])] * len(cases)),
    }
    columns = draft_columns()
    sources: dict[str, Source] = {name: Key() for name in keys}
    sources |= {quantity: Looked(MODELS, column, "draft_model") for quantity, column in columns.items()}
    return grain_of(DRAFTS, keys, sources, SPECULATION_FORMULAS, grains, (CASES, "case"), inputs)


def _price_course(inputs: Inputs, grains: Grains, base: str, cases: Sequence[str]) -> Grain:
    """The market price of the Settings in the years to come, with the cost of `base` as its floor."""
    years = [f"in {year} year{'' if year == 1 else 's'}" if year else "today" for year in YEARS_AHEAD]
    keys: Columns = {
        "year": np.array(years),
        "configuration": np.array([base] * len(years)),
        "years_ahead": np.array(YEARS_AHEAD, dtype=float),
    }
    cost = Varied(CONFIGURED, "blended_cost", "configuration", grains[CONFIGURED].annotation("blended_cost"))
    sources: dict[str, Source] = {
        "year": Key(),
        "configuration": Key(),
        "years_ahead": Key(Years),
        "price_floor": cost,
    }
    return grain_of(PRICE_COURSE, keys, sources, PRICE_FORMULAS, grains, (CONFIGURED, "configuration"), inputs)


FURTHER: Mapping[str, Callable[[Inputs, Grains, str, Sequence[str]], Grain]] = {
    ACCELERATORS: _accelerators,
    APIS: _apis,
    RATIOS: _ratios,
    DRAFTS: _drafts,
    PRICE_COURSE: _price_course,
}
