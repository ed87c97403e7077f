"""The pages of questions asked of one configuration: slice and precision, accelerators, models and changes, levers."""

from __future__ import annotations

from engine.formulas import COMPARISON_FORMULAS
from engine.report.live import LiveSheet
from engine.report.pages.batches import batch_page, frontier_page
from engine.report.pages.cases import (
    case_table,
    cheapest_of,
    fast_enough,
    fitting_of,
    orange_note,
    price_of,
    promise_of,
)
from engine.report.pages.deployments import deployment
from engine.report.pages.further import memory
from engine.report.values import (
    Bars,
    Block,
    Head,
    Margin,
    Paragraph,
    Row,
    Section,
    Side,
    Table,
    Waterfall,
)
from engine.report.words import count_of, in_words, sentence
from engine.scenarios import CASES, CONFIGURED, Scenario
from engine.studies.questions import LEVERS, MODELS_LIKE, PLACES, PRECISION, TOPOLOGY, Asked, within
from engine.units import Count, DollarsPerHour, DollarsPerMillionTokens, TokensPerSecond, digits, in_currency

LIKE = 1.05  # costs that differ by less are called alike


def question_pages(scenario: Scenario, asked: Asked, sheet: LiveSheet, further: LiveSheet | None) -> list[Section]:
    """One page for every question that was asked and has an answer."""
    pages = (
        batch_page(scenario, asked, sheet),
        frontier_page(scenario, asked, sheet),
        _topology_page(scenario, asked, sheet, memory(further) if further else None),
        _accelerators_page(scenario, asked, sheet),
        _models_page(scenario, asked, sheet),
        _levers_page(scenario, asked, sheet),
    )
    return [page for page in pages if page is not None]


def _topology_page(scenario: Scenario, asked: Asked, sheet: LiveSheet, beside: Table | None) -> Section | None:
    grain, slices, precisions = scenario[CASES], asked.of(TOPOLOGY), asked.of(PRECISION)
    fitting, stored = fitting_of(grain, slices), fitting_of(grain, precisions)
    if not fitting or not stored:
        return None
    # What breaks the promise is shown, and recommended only where nothing keeps it.
    smallest, cheapest = fitting[0], cheapest_of(grain, fast_enough(grain, fitting) or fitting)
    least = cheapest_of(grain, fast_enough(grain, stored) or stored)
    needed = int(grain.value("minimum_accelerators", smallest))
    weights = f"Weights need at least {count_of(needed, 'accelerator')}. "
    filled = f"Filled to what memory allows, a million tokens on {within(smallest)} cost {price_of(grain, smallest)}"
    if smallest == cheapest:
        finding = f"The smallest slice that fits, {within(smallest)}, is also the cheapest per token"
    else:
        finding = f"The smallest slice is not the cheapest: {within(cheapest)} cost less than {within(smallest)}"
        filled += f", on {within(cheapest)} {price_of(grain, cheapest)}"
    costs = {price_of(grain, name) for name in stored}
    cheap = f"The cheapest precision is {within(least)}, at {price_of(grain, least)}"
    text = (
        f"{weights}{filled}. {cheap if len(costs) > 1 else 'All precisions cost the same'}; whether answers are as "
        "good is not ours to compute."
    )
    orange = orange_note(grain, slices)
    first = case_table(grain, slices, "Slices", "the largest batch that fits", "Slice", sheet, orange)
    second = case_table(grain, precisions, "Precisions", "the largest batch that fits", "Weights, KV cache", sheet)
    blocks: tuple[Block | None, ...] = (Paragraph(text), first, second, beside)
    return Section("Slice and precision", finding, tuple(block for block in blocks if block is not None))


def _accelerators_page(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Section | None:
    grain, names = scenario[CASES], asked.of(PLACES)
    fitting = sorted(fitting_of(grain, names), key=lambda name: grain.value("blended_cost", name))
    if len(fitting) < 2:
        return None
    best = fitting[0]
    kept = len(fast_enough(grain, fitting))
    finding = (
        f"On demand, {within(best)} would be the cheapest for {asked.base}: {price_of(grain, best)} a million tokens"
    )
    text = (
        f"{sentence(in_words(len(fitting)))} accelerators with an on-demand price hold the model, "
        f"{in_words(kept) if kept else 'none'} of them with what users are promised. Each runs today\u2019s "
        "batch on the slice that costs least, at today\u2019s precision where it has the arithmetic and in bf16 where "
        "not, on demand."
    )
    rents = tuple(grain.value("accelerator_price", name) for name in fitting)
    orange = orange_note(grain, fitting)
    chart = Bars(
        title=f"{within(best)} is cheapest for this model and traffic.",
        description=in_currency("All-in cost, $ per million tokens, on demand"),
        labels=tuple(within(name) for name in fitting),
        values=tuple(grain.value("blended_cost", name) for name in fitting),
        unit=DollarsPerMillionTokens,
        value_head="all-in cost",
        sides=(
            Side("accelerators", tuple(grain.value("accelerator_count", name) for name in fitting), Count),
            Side("tok/s", tuple(grain.value("user_speed", name) for name in fitting), TokensPerSecond),
            Side(in_currency("rent, $/h"), rents, DollarsPerHour),
        ),
        note=Margin("Chart", sheet.range(), f"{asked.base}, no committed replicas"),
        alt="All-in cost by accelerator.",
    )
    table = case_table(grain, fitting, "Accelerators", "cheapest slice of each", "Accelerator", sheet, orange)
    return Section("Accelerators", finding, (Paragraph(text), chart, table))


def _models_page(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Section | None:
    grain, models = scenario[CASES], asked.of(MODELS_LIKE)
    fitting = sorted(fitting_of(grain, models), key=lambda name: grain.value("blended_cost", name))
    if len(fitting) < 2:
        return None
    cheap, dear = fitting[0], fitting[-1]
    times = float(COMPARISON_FORMULAS["ratio"](*(grain.value("blended_cost", name) for name in (dear, cheap))))
    finding = (
        f"For the same traffic {within(dear)} costs {digits(times, 1)} times what {within(cheap)} does"
        if times >= LIKE
        else f"Every model that fits costs about what the one of {asked.base} does"
    )
    text = (
        f"Every model on the same accelerators and precision as {deployment(scenario[CONFIGURED], asked.base)}, on the "
        "slice that costs least, for the same requests. Which model answers well enough is not in these figures."
    )
    table = case_table(grain, fitting, "Models", "cheapest slice of each", "Model", sheet)
    return Section("Models", finding, (Paragraph(text), table))


def _levers_page(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Section | None:
    grain, names = scenario[CASES], asked.of(LEVERS)
    if not names or len(fitting_of(grain, names)) < len(names):
        return None
    start, end = price_of(grain, names[0]), price_of(grain, names[-1])
    finding = f"Pulled in this order, the levers take {asked.base} from {start} to {end} a million tokens"
    levels = tuple(grain.value("blended_cost", name) for name in names)
    speeds = tuple(grain.value("user_speed", name) for name in names)
    chart = Waterfall(
        title="What each lever takes off the cost of a million tokens, on top of those before it.",
        description=in_currency("All-in cost, $ per million tokens, in this fixed order; ")
        + "each lever takes its cheapest setting"
        f"{promise_of(grain, names[0])}",
        labels=tuple(sentence(within(name)) for name in names),
        levels=levels,
        end_label="With all levers",
        unit=DollarsPerMillionTokens,
        value_head="all-in cost",
        sides=(
            Side("cost", (*levels, levels[-1]), DollarsPerMillionTokens),
            Side("tok/s", (*speeds, speeds[-1]), TokensPerSecond),
        ),
        note=Margin("Chart", sheet.range(), "no committed replicas"),
        alt="All-in cost after each lever.",
    )
    rows = tuple(
        Row(
            (
                sentence(within(name)),
                deployment(grain, name),
                str(grain.value("precision", name)),
                grain.value("batch_size", name),
                str(grain.value("price_basis", name)),
                grain.value("user_speed", name),
                grain.value("blended_cost", name),
            )
        )
        for name in names
    )
    table = Table(
        "Settings after each lever",
        "cumulative",
        (
            Head("Lever"),
            Head("Deployment"),
            Head("Precision"),
            Head("Batch", Count),
            Head("Terms"),
            Head("Speed", TokensPerSecond, "tok/s"),
            Head("All-in", DollarsPerMillionTokens, "$/Mtoken", tone="strong"),
        ),
        rows,
        Margin("Table", sheet.range()),
        "A lever that saves nothing leaves the line as it was. Terms of a year or more are a commitment, and spot may "
        "be taken away: neither risk is in these figures.",
    )
    return Section("Levers", finding, (chart, table))
