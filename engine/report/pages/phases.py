"""Phases: which of prompts, cache and answers pays for which; and what is served and not billed."""

from __future__ import annotations

from engine.report.live import LiveSheet
from engine.report.pages.deployments import MOST_ROWS
from engine.report.profit import PHASES, UNBILLED, note_of
from engine.report.values import (
    Bars,
    Block,
    Head,
    Paragraph,
    Row,
    Section,
    Segment,
    Side,
    Stack,
    Table,
)
from engine.report.words import MoneyScale, count_of, does, money_scale, some_of
from engine.scenarios import BY_CLASS, LEDGER, TOTAL, Grain, Scenario
from engine.units import DollarsPerMonth, MillionTokensPerMonth, RequestsPerMonth, brief_money, show

MOST_BARS = 14
MOST_LACKING = 5
PROMPTS, CACHE, ANSWERS = "prefill_contribution", "cache_contribution", "decode_contribution"
NAMES = {PROMPTS: "prompts", CACHE: "cache", ANSWERS: "answers"}
REASONS = (
    ("free tier", "free_value", "blue"),
    ("retries", "retry_value", "blue2"),
    ("aborted", "aborted_value", "blue3"),
    ("internal", "internal_value", "grey"),
)
# Columns of the table: head, quantity.
BY_BUCKET = (
    ("Input", "plain_input_revenue"),
    ("Cache writes", "cache_write_revenue"),
    ("Prefill", "prefill_month"),
    ("Cache reads", "cache_read_revenue"),
    ("Output", "output_revenue"),
    ("Reasoning", "reasoning_revenue"),
    ("Decode", "decode_month"),
    ("Subsidy", "cross_subsidy"),
)


def phases(scenario: Scenario, sheet: LiveSheet) -> Section:
    """What prompts, cache and answers bring and cost, line by line."""
    ledger, total = scenario[LEDGER], scenario[TOTAL]
    money = money_scale(total.value("fleet_cost", "Total"))
    every = sorted((str(key) for key in ledger.keys), key=lambda key: -ledger.value("line_bill", key))
    headline = _finding(ledger, total, every)
    blocks = (
        _contributions(ledger, every, money, sheet),
        _by_bucket(ledger, total, every, money, sheet),
        *_unbilled(scenario, every, money, sheet),
    )
    return Section("Price and cost by phase", headline, blocks)


def _finding(ledger: Grain, total: Grain, every: list[str]) -> str:
    paid_for = [key for key in every if ledger.value("cross_subsidy", key) > 0]
    losing = [key for key in every if ledger.value("cross_subsidy_reason", key)]
    if paid_for:
        subsidy = brief_money(total.value("cross_subsidy", "Total"))
        lines = some_of(len(paid_for), len(every), "line")
        return f"{lines} {does(paid_for, 'run')} a phase that others pay for, {subsidy} in all"
    if losing:
        return f"{some_of(len(losing), len(every), 'line')} {does(losing, 'run')} a phase that nothing pays for"
    return "Prompts, cache and answers pay their own way wherever something is served"


def _name(ledger: Grain, key: str) -> str:
    """A line by its configuration, and by its class where that serves several."""
    configuration = str(ledger.value("configuration", key))
    alone = (ledger.values["configuration"] == configuration).sum() == 1
    return configuration if alone else key


def _contributions(ledger: Grain, every: list[str], money: MoneyScale, sheet: LiveSheet) -> Bars:
    """The phase that loses most often as bars, the others beside it."""
    shown = max((ANSWERS, PROMPTS, CACHE), key=lambda phase: sum(ledger.values[phase] < 0))
    losing = [key for key in every if ledger.value(shown, key) < 0]
    name = NAMES[shown]
    title = (
        f"{name.capitalize()} bring less than they cost on {count_of(len(losing), 'line')}."
        if losing
        else f"{name.capitalize()} bring more than they cost on every line."
    )
    kept = every[:MOST_BARS]

    def of(quantity: str) -> tuple[float, ...]:
        return tuple(money.of(ledger.value(quantity, key)) for key in kept)

    others = [phase for phase in (PROMPTS, CACHE, ANSWERS) if phase != shown]
    return Bars(
        title=title,
        description=f"Net revenue of {name} less the cost of their time, beside what the other phases leave, "
        f"{money.words}",
        labels=tuple(_name(ledger, key) for key in kept),
        values=of(shown),
        unit=DollarsPerMonth,
        value_head=f"{name} leave",
        sides=(
            *(Side(NAMES[phase], of(phase), DollarsPerMonth) for phase in others),
            Side("idle cost", of("idle_month"), DollarsPerMonth),
        ),
        note=note_of("Chart", sheet, PHASES, "columns Prompts leave, Cache leaves, Answers leave, Idle"),
        alt=f"What {name} leave after their cost, by configuration and class.",
    )


def _by_bucket(ledger: Grain, total: Grain, every: list[str], money: MoneyScale, sheet: LiveSheet) -> Table:
    kept = every[: MOST_ROWS - 1]
    rows = [
        Row(
            (
                _name(ledger, key),
                *(money.of(ledger.value(quantity, key)) for _, quantity in BY_BUCKET),
                str(ledger.value("cross_subsidy_reason", key)),
            )
        )
        for key in kept
    ]
    sums = (money.of(total.value(quantity, "Total")) for _, quantity in BY_BUCKET)
    return Table(
        "Price by bucket beside cost by phase",
        f"{money.words}; prefill and decode cost, the rest brings",
        (Head("Serves as"), *(Head(head, DollarsPerMonth) for head, _ in BY_BUCKET), Head("Who pays for whom")),
        (*rows, Row(("Total", *sums, ""), "total")),
        note_of("Table", sheet, PHASES),
        "Net revenue of each bucket after tiers, discounts, credits and refunds. Subsidy: losses of a phase that "
        "others pay for, as far as they can. Idle time, storage and transfer of cache stand on the sheet."
        + (f" {len(every) - len(kept)} smaller lines are there only." if len(every) > len(kept) else ""),
    )


def _unbilled(scenario: Scenario, every: list[str], money: MoneyScale, sheet: LiveSheet) -> tuple[Block, ...]:
    """What is served and not billed, where anything is; and the lines that lack a price."""
    ledger, total = scenario[LEDGER], scenario[TOTAL]
    unpriced = [
        f"{_name(ledger, key)}: {ledger.value('unpriced_warning', key)}, in "
        f"{show(ledger.value('unpriced_requests', key), RequestsPerMonth)}"
        for key in every
        if ledger.value("unpriced_warning", key)
    ]
    lacking = (Paragraph(". ".join((*unpriced[:MOST_LACKING], *_more(unpriced))) + "."),) if unpriced else ()
    chart = (_by_class(scenario[BY_CLASS], total, money, sheet),) if total.value("not_billed_value", "Total") else ()
    return (*lacking, *chart)


def _more(unpriced: list[str]) -> tuple[str, ...]:
    left = len(unpriced) - MOST_LACKING
    return (f"{count_of(left, 'more line')} lack a price",) if left > 0 else ()


def _by_class(classes: Grain, total: Grain, money: MoneyScale, sheet: LiveSheet) -> Stack:
    keys = [str(key) for key in classes.keys if classes.value("not_billed_value", key) > 0]
    kept = sorted(keys, key=lambda key: -classes.value("not_billed_value", key))[:MOST_BARS]
    largest = max(REASONS, key=lambda reason: total.value(reason[1], "Total"))
    worth = brief_money(total.value("not_billed_value", "Total"))
    tokens = show(total.value("unbilled_tokens", "Total"), MillionTokensPerMonth, label=False)
    given = f"{tokens} million tokens, {worth} at list prices,"

    def of(quantity: str) -> tuple[float, ...]:
        return tuple(money.of(classes.value(quantity, key)) for key in kept)

    return Stack(
        title=f"{given} are not billed: most of it {largest[0]}, most of it in {kept[0]}.",
        description=f"List value of requests that are served and not billed, {money.words}",
        labels=tuple(kept),
        segments=tuple(Segment(name, of(quantity), tone) for name, quantity, tone in REASONS),
        unit=DollarsPerMonth,
        sides=(Side("not billed", of("not_billed_value"), DollarsPerMonth),),
        note=note_of("Chart", sheet, UNBILLED),
        alt="List value of requests that are not billed, by class and reason.",
    )
