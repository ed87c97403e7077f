"""Variants: a configuration with something changed, for each question, by name. Choices among many are tried out here.

Knows neither which questions are asked nor Excel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.calculation import Columns, behind, calculate
from engine.formulas import FORMULAS, LINE_FORMULAS, PLANNING_FORMULAS, Formulas, needs
from engine.scenarios import CASES, CONFIGURED, DECISIONS, Case, Grain, Scenario, case_inputs, with_cases
from engine.sheets import COMPUTE, HARDWARE, MODELS, PRECISIONS
from engine.units import NO_BREAK

HIT_RATES = (0.0, 0.25, 0.5, 0.75, 0.9)
LOADS = (0.25, 0.5, 0.75, 0.95)
HIDDEN_TOKENS = (0.0, 1.0, 4.0, 9.0)  # for each visible one
SLICES = (1, 2, 4, 8, 16, 32, 64)
LARGEST_SLICE = 32  # where slices are compared with one another
FRONTIER_POINTS = 12
SIGNIFICANT = 6  # digits by which costs are told apart
LARGEST_BATCH = 0.0  # what the word 'max' stands for

Changes = Mapping[str, Any]

# Replicas that a contract keeps would hide what a change does to the cost of a token.
UNCOMMITTED: Changes = {"minimum_replicas": 1.0}


def named(study: str, base: str, variants: Iterable[tuple[str, Changes]]) -> list[Case]:
    """The cases of a study: each variant of the configuration `base` with its changes and a name of its own.

    Rows are found by their names, here and in the workbook; of two that read the same the second is numbered.
    """
    cases: dict[str, Case] = {}
    for variant, changes in variants:
        times = next(n for n in range(1, len(cases) + 2) if _numbered(variant, n).casefold() not in cases)
        name = _numbered(variant, times)
        cases[name.casefold()] = Case(f"{study}: {name}", study, base, {**UNCOMMITTED, **changes})
    return list(cases.values())


def _numbered(name: str, times: int) -> str:
    return name if times == 1 else f"{name} ({times})"


def tried(scenario: Scenario, base: str, variants: Sequence[Changes]) -> Grain:
    """The model's answer to changes that are only tried out, one row each."""
    return with_cases(scenario, _trials(base, variants), formulas=FORMULAS)[CASES]


def _trials(base: str, variants: Sequence[Changes]) -> list[Case]:
    return named("trial", base, [(str(place), change) for place, change in enumerate(variants)])


def tried_together(
    scenario: Scenario,
    base: str,
    named: Sequence[Changes],
    which: Any,
    typed: Columns,
    wanted: Iterable[str],
    formulas: Formulas = FORMULAS,
) -> Columns:
    """Some figures of many rows that are only tried out, each with the names of one of a few changes.

    `which` says for every row which of the changes `named` it takes, looked up once for each of these; `typed` has the
    figures that are typed over, one value per row. Where a row does not fit, what it gives means nothing.
    """
    cases = _trials(base, named)
    looked_up = case_inputs(scenario, cases)
    chosen = behind(wanted, {*looked_up, *typed}, formulas)
    read = set().union(*(needs(formulas[name]) for name in chosen)) | set(wanted)
    given = {name: values[which] for name, values in looked_up.items() if name in read - set(typed)}
    return calculate({**given, **typed}, {name: formulas[name] for name in chosen})


def _cheapest(scenario: Scenario, base: str, variants: Sequence[Changes]) -> int | None:
    """The variant with the lowest all-in cost of those that fit and keep what is promised; if none does, of all."""
    if not variants:
        return None
    answers = tried(scenario, base, variants).values
    cost = comparable(answers["blended_cost"])
    kept = np.where(answers["meets_target"] > 0, cost, np.inf)
    ranked = kept if np.isfinite(kept).any() else cost
    return int(np.argmin(ranked)) if np.isfinite(ranked).any() else None


def comparable(cost: Any) -> Any:
    """Costs without the last digits, by which equal ones differ; what has none costs more than anything."""
    known = np.where(cost > 0, cost, 1.0)
    digits = 10.0 ** (np.floor(np.log10(known)) - SIGNIFICANT)
    return np.where(np.isnan(cost), np.inf, np.round(cost / digits) * digits)


def batches(scenario: Scenario, base: str) -> Iterable[tuple[str, Changes]]:
    """Doubling batches up to the first that memory does not allow, with its limit and what runs today."""
    grain = scenario[CONFIGURED]
    limit, today = grain.value("batch_size_limit", base), grain.value("batch_size", base)
    doubling = [float(2**power) for power in range(14) if 2**power < 2 * limit]
    sizes = _swept([*doubling, limit], today, "{:.0f}".format)
    return [(name, {"requested_batch_size": size}) for name, size in sizes if size >= 1]


def frontier(scenario: Scenario, base: str) -> Iterable[tuple[str, Changes]]:
    """Of all slices, precisions and doubling batches on its accelerator those that no other beats in cost and speed."""
    grain = scenario[CONFIGURED]
    hardware = str(grain.value("hardware", base))
    precisions = [str(row["precision"]) for row in scenario.inputs.tables[PRECISIONS.name]]
    whole = {"pipeline_stages": 1.0, "attention_data_parallel": 1.0}
    tries = [
        (
            f"{count}{NO_BREAK}\u00d7{NO_BREAK}{name}, batch{NO_BREAK}{2**power}",
            {**whole, "precision": name, "tensor_parallel": float(count), "requested_batch_size": 2.0**power},
        )
        for name in precisions
        if computes(scenario, hardware, name)
        for count in linked(scenario, hardware)
        for power in range(12)
        if count <= LARGEST_SLICE and 2**power <= grain.value("engine_batch_limit", base)
    ]
    answers = tried(scenario, base, [changes for _, changes in tries]).values
    cost = comparable(answers["blended_cost"])
    best: list[int] = []
    for place in np.lexsort((-np.nan_to_num(answers["user_speed"]), cost)):
        faster = not best or answers["user_speed"][place] > answers["user_speed"][best[-1]]
        if np.isfinite(cost[place]) and faster:
            best.append(int(place))
    spread = np.unique(np.linspace(0, len(best) - 1, min(FRONTIER_POINTS, len(best))).round().astype(int))
    return [tries[best[place]] for place in spread]


def _swept(values: Iterable[float], today: float, name: Callable[[float], str]) -> list[tuple[str, float]]:
    """Values and today's by name, smallest first; of two that read the same today's stays."""
    by_name = {name(value): value for value in values} | {name(today): today}
    return sorted(by_name.items(), key=lambda item: item[1])


def hit_rates(scenario: Scenario, base: str) -> Iterable[tuple[str, Changes]]:
    """Shares of the prompt that are found in the cache, and today's."""
    grain = scenario[CONFIGURED]
    length, found = grain.value("input_tokens", base), grain.value("cached_tokens", base)
    rates = _swept(HIT_RATES, found / length, "{:.0%}".format)
    return [(name, {"cached_tokens": LINE_FORMULAS["cached_tokens"](length, rate)}) for name, rate in rates]


def caches(scenario: Scenario, base: str) -> Iterable[tuple[str, Changes]]:
    """The most sequences that fit with a cache in pages and with a contiguous one."""
    decided, limit = scenario[DECISIONS], scenario[CONFIGURED].value("engine_batch_limit", base)
    sizes = {"in pages": decided.value("paged_batch", base), "contiguous": decided.value("contiguous_batch", base)}
    return [(name, {"requested_batch_size": min(size, limit)}) for name, size in sizes.items() if size and size >= 1]


def loads(scenario: Scenario, base: str) -> Iterable[tuple[str, Changes]]:
    """Loads of today's fleet, and the one it has; none where its traffic has no demand."""
    grain = scenario[CONFIGURED]
    if not grain.value("has_demand", base) or not grain.value("fits", base):
        return []
    fleet = [grain.value(name, base) for name in ("request_rate", "replica_count", "served_share")]
    kept = {"minimum_replicas": grain.value("minimum_replicas", base)}
    loads = _swept(LOADS, grain.value("utilization", base), "{:.0%}".format)
    at_load = PLANNING_FORMULAS["requests_at_load"]
    return [(name, {**kept, "mean_requests": at_load(load, *fleet)}) for name, load in loads]


def reasoning(scenario: Scenario, base: str) -> Iterable[tuple[str, Changes]]:
    """Hidden tokens for each visible one, and today's."""
    grain = scenario[CONFIGURED]
    visible, hidden = grain.value("output_tokens", base), grain.value("reasoning_tokens", base)
    ratios = _swept(HIDDEN_TOKENS, hidden / visible, "{:.3g}".format)
    return [(name, {"reasoning_tokens": ratio * visible}) for name, ratio in ratios]


def linked(scenario: Scenario, hardware: str) -> Iterable[int]:
    """Slices of an accelerator: one by itself, more only where the link between them is known."""
    row = scenario.inputs.tables[HARDWARE.name].find(hardware)
    linked = row is not None and not np.isnan(row["link_bandwidth"])
    return SLICES if linked else SLICES[:1]


def slices(scenario: Scenario, base: str) -> Iterable[tuple[str, Changes]]:
    """More and fewer accelerators, each with the largest batch that fits."""
    hardware = str(scenario[CONFIGURED].value("hardware", base))
    return [
        (
            f"{count}{NO_BREAK}accelerator{'' if count == 1 else 's'}",
            {"tensor_parallel": float(count), "pipeline_stages": 1.0, "requested_batch_size": LARGEST_BATCH},
        )
        for count in linked(scenario, hardware)
        if count <= LARGEST_SLICE
    ]


def computes(scenario: Scenario, hardware: str, precision: str) -> bool:
    """Whether an accelerator has the arithmetic of a precision, and of the format in which it is stored."""
    accelerator = scenario.inputs.tables[HARDWARE.name].find(hardware)
    arithmetic = scenario.inputs.tables[PRECISIONS.name].find(precision)
    if accelerator is None or arithmetic is None:
        return False
    needed = [word for word in (arithmetic["compute"], arithmetic["requires"]) if word]
    return not any(np.isnan(accelerator[COMPUTE[word]]) for word in needed)


def precisions(scenario: Scenario, base: str) -> Iterable[tuple[str, Changes]]:
    """Each precision that the accelerator computes: weights alone with today's KV cache, and weights with their own."""
    grain = scenario[CONFIGURED]
    today, hardware = grain.value("kv_bits", base), str(grain.value("hardware", base))
    variants: list[tuple[str, Changes]] = []
    for row in scenario.inputs.tables[PRECISIONS.name]:
        name = str(row["precision"])
        if not computes(scenario, hardware, name):
            continue
        common = {"precision": name, "requested_batch_size": LARGEST_BATCH}
        if row["kv_bits"] == today:
            variants.append((name, common))
        else:
            variants.append((f"{name}, weights only", {**common, "kv_bits": today}))
            variants.append((f"{name}, weights and KV cache", common))
    return variants


def accelerators(scenario: Scenario, base: str) -> Iterable[tuple[str, Changes]]:
    """Each accelerator with an on-demand price, on its cheapest slice, at today's batch and precision if it can."""
    precision = str(scenario[CONFIGURED].value("precision", base))
    for row in scenario.inputs.tables[HARDWARE.name]:
        name = str(row["hardware"])
        if np.isnan(row["on_demand_price"]):
            continue
        common: dict[str, Any] = {"hardware": name, "price_basis": "on demand", "pipeline_stages": 1.0}
        if not computes(scenario, name, precision):
            plain = (str(p["precision"]) for p in scenario.inputs.tables[PRECISIONS.name] if p["compute"] == "bf16")
            common["precision"] = next(plain, precision)
        slices = [{**common, "tensor_parallel": float(count)} for count in linked(scenario, name)]
        best = _cheapest(scenario, base, slices)
        if best is not None:
            yield name, slices[best]


def models(scenario: Scenario, base: str) -> Iterable[tuple[str, Changes]]:
    """Each model on the same accelerator, precision and traffic, on its cheapest slice at today's batch."""
    hardware = str(scenario[CONFIGURED].value("hardware", base))
    for row in scenario.inputs.tables[MODELS.name]:
        name = str(row["model"])
        slices = [
            {"model": name, "tensor_parallel": float(count), "pipeline_stages": 1.0, "attention_data_parallel": 1.0}
            for count in linked(scenario, hardware)
        ]
        best = _cheapest(scenario, base, slices)
        if best is not None:
            yield name, slices[best]


def levers(scenario: Scenario, base: str) -> Iterable[tuple[str, Changes]]:
    """What each lever saves on top of those before it, in a fixed order; one that saves nothing changes nothing."""
    grain = scenario[CONFIGURED]
    hardware, limit = str(grain.value("hardware", base)), grain.value("engine_batch_limit", base)
    precisions = [str(row["precision"]) for row in scenario.inputs.tables[PRECISIONS.name]]
    order: list[tuple[str, list[Changes]]] = [
        ("precision", [{"precision": name} for name in precisions if computes(scenario, hardware, name)]),
        ("slice", [{"tensor_parallel": float(c), "pipeline_stages": 1.0} for c in linked(scenario, hardware)]),
        ("batch", [{"requested_batch_size": float(2**power)} for power in range(14) if 2**power <= limit]),
        ("terms", [{"price_basis": basis} for basis in ("1 year", "3 years", "spot")]),
    ]
    total: dict[str, Any] = {}
    yield "as it runs", {}
    for name, options in order:
        variants = [{**total}, *({**total, **option} for option in options)]
        best = _cheapest(scenario, base, variants)
        total = dict(variants[best]) if best is not None else total
        yield name, dict(total)
