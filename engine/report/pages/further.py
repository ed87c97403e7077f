"""Pages of the further tables: techniques of serving, and what load, reasoning and time do.

A table appears where the workbook has one; a page where it has a table. Knows no addresses of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.derivation import label
from engine.formulas import COMPARISON_FORMULAS
from engine.report.further import CACHES, HIDDEN, HIT_RATES, LOADS, MEMORY, PER_DOLLAR, PRICES, SPECULATION, TRAINING
from engine.report.live import LiveSheet
from engine.report.pages.make_or_buy import make_or_buy
from engine.report.pages.tables import present, table_of
from engine.report.values import Paragraph, Section, Table
from engine.scenarios import CONFIGURED, DECISIONS, DRAFTS, PRICE_COURSE, Grain, Scenario
from engine.studies.questions import Asked, within
from engine.units import NO_BREAK, DollarsPerHour, DollarsPerMillionTokens, Share, digits, plain, show, with_currency


def further_pages(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> list[Section]:
    """The pages that have something to show."""
    pages = (page(scenario, asked, sheet) for page in (make_or_buy, _techniques, _outlook))
    return [page for page in pages if page is not None]


def memory(sheet: LiveSheet) -> Table | None:
    """What each precision takes of memory; None where it is not asked."""
    return table_of(sheet, MEMORY, "of the model on the accelerators in use; at least: weights and one sequence fit")


def per_dollar(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Table | None:
    """What a dollar buys of every accelerator; None where the question is not asked."""
    in_use = scenario[CONFIGURED].value("hardware", asked.base)
    governs = scenario[DECISIONS].value("deciding_metric", asked.base)
    tinted = [str(in_use)]
    return table_of(
        sheet,
        PER_DOLLAR,
        f"best first by what governs at today\u2019s batch, {governs}; tinted: in use",
        "At dense datasheet peaks; in bf16 where an accelerator has no arithmetic of today\u2019s precision. Reserve "
        "from: utilization from which a year\u2019s commitment costs less than renting on demand only while there is "
        "work.",
        tinted,
    )


def _techniques(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Section | None:
    today = f"{scenario[CONFIGURED].value('batch_size', asked.base):.0f}"
    drafts = table_of(
        sheet,
        SPECULATION,
        f"{asked.base}; tinted: today\u2019s batch",
        "A verify pass is charged for every drafted token of every sequence. Output with: switched on only where it "
        "gains. Not in any other figure of this report.",
        [today],
    )
    hits = table_of(sheet, HIT_RATES, asked.base, "A cached token costs no arithmetic and still takes its memory.")
    caches = table_of(sheet, CACHES, "the largest batch of each, at the shares of memory on Settings")
    if drafts is None and hits is None:
        return None
    paragraphs = [*_of_drafts(scenario, asked), *_of_prefixes(scenario, asked.base)]
    finding = _draft_finding(scenario, today) or _hit_finding(scenario, asked)
    text = Paragraph(" ".join(paragraphs)) if paragraphs else None
    return Section("Techniques of serving", finding, present(text, drafts, hits, caches))


def _draft_finding(scenario: Scenario, today: str) -> str:
    if DRAFTS not in scenario.grains:
        return ""
    grain = scenario[DRAFTS]
    keys = [str(key) for key in grain.keys]
    on = [key for key in keys if grain.value("speculate", key)]
    sizes = [within(key) for key in on]
    if not on:
        return "Speculative decoding loses at every batch: leave it off"
    if len(on) == len(keys):
        return "Speculative decoding gains at every batch: switch it on"
    gain = next((grain.value("speculation_gain", key) for key in keys if within(key) == today), None)
    here = f", and makes {digits(gain, 2)} times the speed at today\u2019s {today}" if gain is not None else ""
    return f"Speculative decoding gains up to batch{NO_BREAK}{sizes[-1]}{here}"


def _hit_finding(scenario: Scenario, asked: Asked) -> str:
    cached, prompt = (scenario[CONFIGURED].value(name, asked.base) for name in ("cached_tokens", "input_tokens"))
    share = float(COMPARISON_FORMULAS["ratio"](cached, prompt))
    return f"{share:.0%} of the prompts of {label(asked.base)} come from the cache"


def _of_drafts(scenario: Scenario, asked: Asked) -> Iterable[str]:
    if DRAFTS not in scenario.grains:
        return
    inputs = scenario.inputs
    source = str(inputs.settings["acceptance_source"])
    told = f" ({source})" if source else ""
    yield (
        f"{inputs.settings['draft_model']} drafts {inputs.settings['draft_tokens']:.0f} tokens, of which "
        f"{show(inputs.settings['acceptance'], Share)} are accepted{told}, {inputs.cell('Settings', 'acceptance')}. "
        "At a large batch the verify pass is bound by arithmetic, and the gain turns into a loss."
    )


def _of_prefixes(scenario: Scenario, base: str) -> Iterable[str]:
    decided = scenario[DECISIONS]
    memory = decided.value("prefix_memory", base)
    if memory:
        kept = f"{digits(scenario.inputs.settings['cached_prefixes'])}"
        yield f"Keeping {kept} beginnings of prompts takes {show(memory, decided.annotation('prefix_memory'))}."


def _outlook(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Section | None:
    loads = table_of(sheet, LOADS, f"{asked.base}, its replicas as they are", _load_foot(scenario, asked.base))
    hidden = table_of(sheet, HIDDEN, asked.base, _hidden_foot(scenario, asked.base))
    training = table_of(
        sheet,
        TRAINING,
        "on the accelerators and terms of each configuration",
        "Six operations for each parameter and token, at the share of the peak on Settings; data, people and failed "
        "runs are not in it. Days: until serving has cost as much, at the month\u2019s requests.",
    )
    prices = table_of(sheet, PRICES, "never below own cost", _price_foot(scenario))
    blocks = present(loads, hidden, training, prices)
    if not blocks:
        return None
    return Section("Load, reasoning and time", _outlook_finding(scenario, asked.base), blocks)


def _outlook_finding(scenario: Scenario, base: str) -> str:
    if PRICE_COURSE in scenario.grains:
        grain = scenario[PRICE_COURSE]
        years, warning = _first(grain, "years_to_cost"), _first(grain, "price_warning")
        if warning:
            return f"The market price is not projected: {warning}"
        if years is not None and years > 0:
            after = digits(years, 1)
            return f"If prices go on falling as they did, they reach the cost of {label(base)} in {after} years"
        if years is not None:
            return f"The market price is already at or below the cost of {label(base)}"
    share = scenario[CONFIGURED].value("utilization", base)
    return f"{label(base)} is {share:.0%} busy: what it earns at other loads" if share else "Load, reasoning and time"


def _first(grain: Grain, quantity: str) -> Any:
    return grain.at(quantity, 0)


def _load_foot(scenario: Scenario, base: str) -> str:
    decided, grain = scenario[DECISIONS], scenario[CONFIGURED]
    share = decided.value("elastic_break_even", base)
    if share is None:
        return "Revenue follows the load; the bill does not."
    blended = show(decided.value("mean_reserved_rent", base), DollarsPerHour)
    return (
        f"Revenue follows the load; the bill does not. A year\u2019s commitment for {grain.value('hardware', base)} "
        f"costs less than rent on demand from {show(share, Share)} utilization on; reserving the mean load and renting "
        f"the rest of the peak on demand would blend to {blended} an accelerator."
    )


def _hidden_foot(scenario: Scenario, base: str) -> str:
    decided, budget = scenario[DECISIONS], scenario.inputs.settings["answer_budget"]
    room = decided.value("affordable_reasoning", base)
    billed = "Hidden tokens are decoded like visible ones and billed at the reasoning price."
    if room is None:
        return billed
    spent = with_currency(plain(budget))
    return f"{billed} An answer for {spent} at our prices leaves room for {digits(room)} of them."


def _price_foot(scenario: Scenario) -> str:
    if PRICE_COURSE not in scenario.grains:
        return ""
    grain, settings = scenario[PRICE_COURSE], scenario.inputs.settings
    factor = _first(grain, "annual_price_factor")
    source = f" ({settings['price_history_source']})" if settings["price_history_source"] else ""
    known = isinstance(factor, float)
    told = f"a factor of {digits(factor, 2)} a year" if known else str(_first(grain, "price_warning"))
    first, last = (show(settings[name], DollarsPerMillionTokens) for name in ("first_price", "last_price"))
    return f"From {first} to {last} in {plain(settings['price_years'])} years{source}: {told}."
