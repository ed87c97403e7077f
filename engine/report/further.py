"""Further questions, a sheet of tables: accelerators, APIs, ratios, drafts, caches, load, reasoning, training, prices.

Decides which figures stand in which column; the PDF shows the same tables. Knows neither openpyxl nor how they look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.report.live import Live, LiveRow, LiveSheet, LiveTable, as_text, live
from engine.report.values import Head
from engine.scenarios import (
    ACCELERATORS,
    APIS,
    CASES,
    CONFIGURED,
    DECISIONS,
    DRAFTS,
    PRICE_COURSE,
    RATIOS,
    Grain,
    Scenario,
)
from engine.sheets import COMPETITORS
from engine.studies.questions import CACHING, LOAD, PAGING, PRECISION, REASONING, Asked, within
from engine.units import (
    BandwidthPerDollar,
    BytesPerToken,
    Count,
    Date,
    Days,
    Dollars,
    DollarsPerDay,
    DollarsPerHour,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    DollarsPerRequest,
    DollarsPerYear,
    Gigabytes,
    GigabytesPerSequence,
    MemoryPerDollar,
    Milliseconds,
    Number,
    PetaflopPerDollar,
    RequestsPerSecond,
    Sequences,
    Share,
    TokensPerRequest,
    TokensPerSecond,
    TrillionTokens,
    unit_of,
)

# Column of a table: head, quantity, reader's unit, how many of those make one of the grain's.
Columns = Sequence[tuple[str, str, Any, float]]

# Columns whose fractions nobody wants.
_WHOLE = (
    "training_cost",
    "crossover_days",
    "crossover_days_all_in",
    "revenue_per_day",
    "fleet_cost_per_day",
    "gross_profit_per_day",
)

MEMORY, PER_DOLLAR, MAKE_OR_BUY, BY_RATIO, SPECULATION, HIT_RATES, CACHES, LOADS, HIDDEN, TRAINING, PRICES = (
    "Memory by precision",
    "What a dollar buys, on demand",
    "Serving or buying",
    "By ratio of input to output",
    "Speculative decoding by batch",
    "Prompt caching by hit rate",
    "KV cache in pages or contiguous",
    "One fleet at other loads",
    "Hidden reasoning",
    "Training against serving",
    "A falling market price",
)

_MEMORY: Columns = (
    ("Weights", "weight_memory", Gigabytes, 1),
    ("KV cache", "kv_cache_per_token", BytesPerToken, 1),
    ("A sequence", "sequence_memory", GigabytesPerSequence, 1),
    ("Accelerators, at least", "minimum_accelerators", Count, 1),
    ("Smallest slice", "minimum_slice", Count, 1),
    ("Left for cache", "free_memory", Gigabytes, 1),
    ("Largest batch", "batch_size_limit", Sequences, 1),
)
_DOLLAR: Columns = (
    ("Rent", "accelerator_price", DollarsPerHour, 1),
    ("Compute", "compute_per_dollar", PetaflopPerDollar, 1e-15),
    ("against in use", "compute_advantage", Share, 1),
    ("Bandwidth", "bandwidth_per_dollar", BandwidthPerDollar, 1),
    ("against in use", "bandwidth_advantage", Share, 1),
    ("Memory", "memory_per_dollar", MemoryPerDollar, 1),
    ("against in use", "memory_advantage", Share, 1),
    ("On demand over 1 year", "on_demand_premium", Number, 1),
    ("Reserve from", "elastic_break_even", Share, 1),
)
_API: Columns = (
    ("API's bill", "api_month", DollarsPerMonth, 1),
    ("Own bill", "fleet_cost", DollarsPerMonth, 1),
    ("API over own", "api_cost_ratio", Number, 1),
    ("Own from", "break_even_requests", RequestsPerSecond, 1),
    ("Load", "mean_load", RequestsPerSecond, 1),
)
_DRAFT: Columns = (
    ("Step", "step_time", Milliseconds, 1e3),
    ("Verify pass", "step_time_verify", Milliseconds, 1e3),
    ("Drafting", "draft_time", Milliseconds, 1e3),
    ("Tokens a pass", "tokens_per_pass", Number, 1),
    ("Gain", "speculation_gain", Number, 1),
    ("Output without", "output_cost", DollarsPerMillionTokens, 1),
    ("Output with", "speculative_output_cost", DollarsPerMillionTokens, 1),
)
_CACHING: Columns = (
    ("Cached", "cached_tokens", TokensPerRequest, 1),
    ("First token", "time_to_first_token", Milliseconds, 1e3),
    ("Replicas", "replica_count", Count, 1),
    ("Input of a fresh token", "input_cost", DollarsPerMillionTokens, 1),
    ("Request", "request_cost", DollarsPerRequest, 1),
    ("All-in", "blended_cost", DollarsPerMillionTokens, 1),
)
_PAGING: Columns = (
    ("Batch", "batch_size", Sequences, 1),
    ("Speed", "user_speed", TokensPerSecond, 1),
    ("Replicas", "replica_count", Count, 1),
    ("Output", "output_cost", DollarsPerMillionTokens, 1),
    ("All-in", "blended_cost", DollarsPerMillionTokens, 1),
)
_LOAD: Columns = (
    ("Mean load", "mean_load", RequestsPerSecond, 1),
    ("All-in", "blended_cost", DollarsPerMillionTokens, 1),
    ("Revenue", "revenue_per_day", DollarsPerDay, 1),
    ("Bill", "fleet_cost_per_day", DollarsPerDay, 1),
    ("Gross profit", "gross_profit_per_day", DollarsPerDay, 1),
    ("Gross margin", "gross_margin", Share, 1),
)
_REASONING: Columns = (
    ("Hidden", "reasoning_tokens", TokensPerRequest, 1),
    ("Visible", "output_tokens", TokensPerRequest, 1),
    ("Replicas", "replica_count", Count, 1),
    ("Cost of a request", "request_cost", DollarsPerRequest, 1),
    ("Billed for it", "request_revenue", DollarsPerRequest, 1),
    ("Gross margin", "gross_margin", Share, 1),
)
_TRAINING: Columns = (
    ("Trained on", "training_tokens", TrillionTokens, 1),
    ("Training", "training_cost", Dollars, 1),
    ("Equals output of", "equivalent_tokens", TrillionTokens, 1),
    ("Times its training", "training_multiple", Number, 1),
    ("Days, output only", "crossover_days", Days, 1),
    ("Days, all-in", "crossover_days_all_in", Days, 1),
)
_PRICE: Columns = (
    ("Market price", "projected_price", DollarsPerMillionTokens, 1),
    ("Own cost today", "price_floor", DollarsPerMillionTokens, 1),
    ("A year's tokens at it", "contract_value", DollarsPerYear, 1),
)


def further_questions(scenario: Scenario, asked: Asked) -> LiveSheet | None:
    """Every further table that has rows, one below the other; None where there is none."""
    tables = tuple(table for table in _tables(scenario, asked) if table.rows)
    if not tables:
        return None
    sentence = f"Of {asked.base} where a table does not say otherwise. In no total."
    return LiveSheet("Further questions", "What else was asked", sentence, tables, landscape=True)


def _tables(scenario: Scenario, asked: Asked) -> Iterator[LiveTable]:
    grains = scenario.grains
    cases = grains[CASES]
    yield _table(MEMORY, "Precision", cases, _fitting(cases, asked.of(PRECISION)), _MEMORY)
    if ACCELERATORS in grains:
        accelerators = grains[ACCELERATORS]
        yield _table(PER_DOLLAR, "Accelerator", accelerators, _by_governing_metric(accelerators), _DOLLAR)
    if APIS in grains:
        yield _make_or_buy(scenario)
    if RATIOS in grains:
        yield _by_ratio(grains[RATIOS])
    if DRAFTS in grains:
        yield _table(SPECULATION, "Batch", grains[DRAFTS], [str(key) for key in grains[DRAFTS].keys], _DRAFT)
    for name, first, study, columns in (
        (HIT_RATES, "Hit rate", CACHING, _CACHING),
        (CACHES, "Cache", PAGING, _PAGING),
        (LOADS, "Utilization", LOAD, _LOAD),
        (HIDDEN, "Hidden for each visible", REASONING, _REASONING),
    ):
        yield _table(name, first, cases, _fitting(cases, asked.of(study)), columns)
    if scenario.inputs.settings["study_outlook"]:
        yield _training(scenario)
    if PRICE_COURSE in grains:
        yield _table(PRICES, "Year", grains[PRICE_COURSE], [str(key) for key in grains[PRICE_COURSE].keys], _PRICE)


def _heads(columns: Columns) -> tuple[Head, ...]:
    return tuple(
        Head(head, annotation, unit_of(annotation).symbol, decimals=0 if quantity in _WHOLE else None)
        for head, quantity, annotation, _ in columns
    )


def _fitting(cases: Grain, keys: Sequence[str]) -> list[str]:
    return [key for key in keys if cases.value("fits", key)]


def _cells(grain: Grain, key: str, columns: Columns) -> tuple[Live, ...]:
    return tuple(live(grain, quantity, key, annotation, scale) for _, quantity, annotation, scale in columns)


def _table(title: str, first: str, grain: Grain, keys: Sequence[str], columns: Columns) -> LiveTable:
    """Rows of a grain by their names; of a case's name only what it is called within its question."""
    of_cases = next(iter(grain.sources)) == "case"
    rows = tuple(LiveRow((as_text(within(key) if of_cases else key), *_cells(grain, key, columns))) for key in keys)
    return LiveTable((Head(first), *_heads(columns)), rows, title)


def _by_governing_metric(grain: Grain) -> list[str]:
    """Accelerators by the metric that governs at the batch in use, best first."""
    keys = [str(key) for key in grain.keys]
    in_use = str(grain.values["hardware_in_use"][0]) if keys else ""
    governs = grain.value("deciding_metric", in_use) if in_use in keys else "bandwidth per dollar"
    metric = str(governs).replace(" ", "_")
    return sorted(keys, key=lambda key: -grain.value(metric, key))


def _make_or_buy(scenario: Scenario) -> LiveTable:
    grain, competitors = scenario[APIS], scenario.inputs.tables[COMPETITORS.name]
    heads = (Head("Configuration"), Head("API"), *_heads(_API), Head("Price as of", Date))
    rows = []
    keys = sorted((str(key) for key in grain.keys), key=lambda key: -grain.value("fleet_cost", key))
    for key in keys:
        row = competitors.find(str(grain.value("competitor", key)))
        assert row is not None  # the grain's rows were made from that sheet
        rows.append(
            LiveRow(
                (
                    live(grain, "configuration", key),
                    live(grain, "competitor", key),
                    *_cells(grain, key, _API),
                    Live(row["as_of"], Date, f"={row.cell('as_of')}"),
                )
            )
        )
    return LiveTable(heads, tuple(rows), MAKE_OR_BUY)


def _by_ratio(grain: Grain) -> LiveTable:
    """A row for each case, a column for each ratio; the API's own costs stand in the first row."""
    ratios = list(dict.fromkeys(grain.values["input_ratio"].tolist()))
    cases = list(dict.fromkeys(str(case) for case in grain.values["case"]))

    def keys_of(case: str) -> list[str]:
        return [str(key) for key, of in zip(grain.keys, grain.values["case"], strict=True) if of == case]

    heads = (
        Head("Batch"),
        *(Head(f"{ratio:g} to 1", DollarsPerMillionTokens, "$/Mtoken") for ratio in ratios),
        Head("Equal at", Number, "to 1"),
        Head("At today\u2019s load, own is cheaper"),
    )
    first = keys_of(cases[0])
    api = LiveRow(
        (
            live(grain, "competitor", first[0]),
            *(live(grain, "api_ratio_cost", key) for key in first),
            Live(None, Number, ""),
            as_text(""),
        ),
        "total",
    )
    rows = tuple(
        LiveRow(
            (
                as_text(within(case)),
                *(live(grain, "ratio_cost", key) for key in keys_of(case)),
                live(grain, "break_even_input_output", keys_of(case)[0]),
                live(grain, "own_or_api", keys_of(case)[0]),
            )
        )
        for case in cases
    )
    return LiveTable(heads, (api, *rows), BY_RATIO)


def _training(scenario: Scenario) -> LiveTable:
    grain, configured = scenario[DECISIONS], scenario[CONFIGURED]
    known = [
        str(key)
        for key in configured.keys
        if configured.value("counts", key) and grain.value("training_tokens", key) is not None
    ]
    keys = sorted(known, key=lambda key: -configured.value("fleet_cost", key))
    rows = tuple(LiveRow((live(grain, "configuration", key), *_cells(grain, key, _TRAINING))) for key in keys)
    return LiveTable((Head("Configuration"), *_heads(_TRAINING)), rows, TRAINING)
