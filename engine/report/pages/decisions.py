"""Serving and checklist: what configurations suggest about links, pools and memory, and six steps for one of them."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

from engine.derivation import label
from engine.report.live import cell_of, letters, sheets_of
from engine.report.pages.deployments import MOST_ROWS, deployment, serving
from engine.report.values import Figure, Head, Margin, Paragraph, Row, Section, Table
from engine.report.words import count_of, some_of
from engine.scenarios import CONFIGURED, DECISIONS, Grain, Scenario
from engine.sheets import HEAD_ROW
from engine.units import (
    Count,
    Dollars,
    Milliseconds,
    Number,
    Seconds,
    Sequences,
    Share,
    Text,
    TokensPerSecond,
    digits,
    show,
)


def _range(grain: Grain) -> str:
    (sheet, columns), *_ = sheets_of(grain).items()
    return f"{sheet}!A{HEAD_ROW}:{letters(len(columns))}{HEAD_ROW + len(grain.keys)}"


def _network_limit(grain: Grain, key: str) -> float | None:
    """The smaller of the two limits on tensor parallelism; None where a figure behind them is not known."""
    limits = [grain.value(name, key) for name in ("compute_parallel_limit", "bandwidth_parallel_limit")]
    return None if None in limits else max(limits)


def decisions(scenario: Scenario) -> Section:
    """Links, pools and memory of every configuration that serves."""
    grain, keys = scenario[DECISIONS], serving(scenario[CONFIGURED])[:MOST_ROWS]
    shared = [key for key in keys if grain.value("shared_pool", key)]
    apart = [key for key in shared if grain.value("separate_pools", key)]
    longest = max(keys, key=lambda key: grain.value("longest_stall", key))
    stall = show(grain.value("longest_stall", longest), grain.annotation("longest_stall"))
    finding = f"A prompt holds up decode for {stall} at most, in {label(longest)}"
    limit = show(scenario.inputs.settings["prefill_time_limit"], scenario[DECISIONS].annotation("prefill_time_limit"))
    if not shared:
        split = "Every configuration keeps prompts and answers apart; the rule for that is"
    elif apart:
        split = f"{some_of(len(apart), len(shared), 'shared pool')} would by rule be split in two, for"
    else:
        split = "By rule no shared pool need be split in two; that is for"
    text = (
        f"{split} prompts above {limit}, or many input tokens for each output token in mixed traffic. Chunked prefill "
        "bounds the stall "
        "and does not shorten the prompt; a pool of its own removes the stall and pays for whole replicas."
    )
    rows = tuple(_serving_row(grain, key) for key in keys)
    table = Table(
        "Links, pools and memory",
        "by configuration that serves",
        (
            Head("Configuration"),
            Head("Ranks", Count),
            Head("Limit", Number, "ranks", decimals=1),
            Head("KV heads", Number, "per rank", decimals=2),
            Head("Prefill", Milliseconds, "ms", decimals=0),
            Head("In chunks", Milliseconds, "ms", decimals=0),
            Head("KV transfer", Share, "of prefill"),
            Head("Pools", Number, "prefill : decode", decimals=2),
            Head("Memory", Share, "in use"),
            Head("By rule"),
        ),
        rows,
        Margin("Table", _range(grain)),
        "Limit: tensor-parallel ranks up to which links keep up, by arithmetic or by bandwidth, at datasheet "
        "rates; beyond it (orange) a step waits for the network, which the predicted speed includes. In chunks: the "
        "same prompt computed beside decode steps. Pools: prefill replicas for each decode replica if they were apart.",
    )
    requests = scenario.inputs.settings["burst_requests"]
    job = () if isnan(requests) else (_burst(grain, keys, requests),)
    return Section("Serving", finding, (Paragraph(text), table, *job))


def _burst(grain: Grain, keys: list[str], requests: float) -> Table:
    """What a job of so many requests takes on the replicas that each configuration has for its peak."""
    rows = tuple(
        Row(
            (
                label(key),
                grain.value("burst_batch", key),
                *(grain.value(name, key) for name in ("ramp_time", "steady_time", "tail_time", "burst_time")),
                grain.value("burst_first_token", key),
                grain.value("burst_output_speed", key),
                grain.value("burst_slowdown", key),
                grain.value("burst_cost", key),
            )
        )
        for key in keys
    )
    return Table(
        f"A job of {digits(requests)} requests at once",
        "by configuration, on the peak\u2019s replicas while they do nothing else",
        (
            Head("Configuration"),
            Head("Batch", Sequences, decimals=0),
            Head("Ramp", Seconds, "s", decimals=1),
            Head("Steady", Seconds, "s", decimals=1),
            Head("Tail", Seconds, "s", decimals=1),
            Head("Whole", Seconds, "s", decimals=1),
            Head("First token", Seconds, "s, mean", decimals=1),
            Head("Output", TokensPerSecond, "tok/s", decimals=0),
            Head("Full", Number, "times as fast", decimals=2),
            Head("Rent", Dollars, "$"),
        ),
        rows,
        Margin("Table", _range(grain)),
        "Ramp: prompts of the first batch. Steady: rounds in which whoever leaves makes room for another. Tail: the "
        "batch empties, at a length that answers' variability on Traffic decides. Full: speed of replicas that never "
        "empty, as a multiple of the job's.",
    )


def _serving_row(grain: Grain, key: str) -> Row:
    limit, ranks = _network_limit(grain, key), grain.value("tensor_parallel", key)
    beyond = limit is not None and ranks > max(limit, 1)
    return Row(
        (
            label(key),
            Figure(ranks, Count, tone="bad") if beyond else ranks,
            limit,
            grain.value("kv_heads_per_accelerator", key),
            grain.value("prefill_time", key) * 1e3,
            grain.value("chunked_prefill_time", key) * 1e3,
            grain.value("transfer_share", key),
            grain.value("prefill_per_decode", key),
            grain.value("memory_use", key),
            "keep apart" if grain.value("separate_pools", key) else "share",
        )
    )


def checklist(scenario: Scenario, base: str, beside: Table | None) -> Section:
    """Six steps for one configuration: what is chosen, the rule, the number behind it, pass or warn.

    `beside` stands below them, where the accelerators are compared.
    """
    steps = list(_steps(scenario, base))
    warned = sum(not passed for *_, passed in steps)
    told = f"{count_of(warned, 'warning')}" if warned else "no warning"
    table = Table(
        "Six steps",
        f"{label(base)}: {deployment(scenario[CONFIGURED], base)}",
        (
            Head("Step"),
            Head("Chosen"),
            Head("Rule"),
            Head("Number behind it"),
            Head("Cell", tone="quiet"),
            Head("Result"),
        ),
        tuple(
            Row(
                (step, chosen, rule, number, cell, "\u2713 pass" if passed else Figure("\u2717 warn", Text, tone="bad"))
            )
            for step, chosen, rule, number, cell, passed in steps
        ),
        Margin("Table", _range(scenario[DECISIONS])),
        "The steps are those of Austin et al. (2025); their limits are on the Settings sheet.",
    )
    blocks = (table, beside) if beside else (table,)
    return Section("Checklist", f"Six steps for {label(base)}, {told}", blocks, landscape=True)


def _steps(scenario: Scenario, base: str) -> Iterator[tuple[str, str, str, str, str, bool]]:
    grain, decided = scenario[CONFIGURED], scenario[DECISIONS]

    def shown(of: Grain, quantity: str) -> str:
        return show(of.value(quantity, base), of.annotation(quantity))

    def counted(of: Grain, quantity: str, noun: str) -> str:
        return f"{shown(of, quantity)} {noun}{'' if of.value(quantity, base) == 1 else 's'}"

    def cell(of: Grain, quantity: str) -> str:
        return cell_of(of, quantity, base)

    replicas = decided.value("pool_servers", base)
    same = [str(key) for key in grain.keys if grain.value("traffic", key) == grain.value("traffic", base)]
    costs = {key: grain.value("blended_cost", key) for key in same if grain.value("blended_cost", key) is not None}
    cheapest = min(costs, key=lambda key: costs[key])
    yield (
        "1. Hardware",
        str(grain.value("hardware", base)),
        "lowest all-in cost of the configurations for this traffic",
        f"{shown(grain, 'blended_cost')}; lowest is {label(cheapest)}",
        cell(grain, "blended_cost"),
        shown(grain, "blended_cost") == show(costs[cheapest], grain.annotation("blended_cost")),
    )
    yield (
        "2. Precision",
        str(grain.value("precision", base)),
        "weights and cache leave room to grow",
        f"memory in use {shown(decided, 'memory_use')}",
        cell(decided, "memory_use"),
        not decided.value("memory_warning", base),
    )
    yield (
        "3. Slice and batch",
        f"{counted(grain, 'accelerator_count', 'accelerator')}, batch {digits(grain.value('batch_size', base))}",
        "holds the weights, and users see what is promised",
        f"at least {counted(grain, 'minimum_accelerators', 'accelerator')}; {shown(grain, 'user_speed')} for each user",
        cell(grain, "user_speed"),
        bool(grain.value("meets_target", base)),
    )
    limit = _network_limit(decided, base)
    yield (
        "4. Links",
        counted(grain, "tensor_parallel", "rank"),
        "no more ranks than the links keep up with",
        "not known for this model or accelerator" if limit is None else f"{digits(limit, 1)} ranks",
        cell(decided, "compute_parallel_limit"),
        limit is not None and grain.value("tensor_parallel", base) <= max(limit, 1),
    )
    apart = bool(decided.value("separate_pools", base))
    yield (
        "5. Pools",
        "shared" if grain.value("shared_pool", base) else "kept apart",
        str(decided.value("separate_pools_reason", base)),
        f"a prompt takes {shown(grain, 'prefill_time')}",
        cell(decided, "separate_pools"),
        apart != bool(grain.value("shared_pool", base)),
    )
    yield (
        "6. Replicas",
        f"{digits(replicas)} replica{'' if replicas == 1 else 's'}",
        "load above the break-even utilization",
        f"load {shown(grain, 'utilization')}, break-even {shown(grain, 'break_even_utilization')}",
        cell(grain, "break_even_utilization"),
        grain.value("utilization", base) >= (grain.value("break_even_utilization", base) or 0),
    )
