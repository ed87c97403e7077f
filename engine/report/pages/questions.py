"""The questions asked of one configuration: batch, slice and precision, accelerators, models and changes, levers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from engine.report.live import LiveSheet
from engine.report.pages.deployments import MOST_ROWS, deployment
from engine.report.pages.further import memory
from engine.report.values import (
    Bars,
    Block,
    Figure,
    Head,
    Margin,
    Paragraph,
    Point,
    Row,
    Scatter,
    Section,
    Side,
    Table,
    Waterfall,
)
from engine.report.words import count_of, in_words, sentence
from engine.scenarios import CASES, CONFIGURED, Grain, Scenario
from engine.studies.questions import (
    BATCH,
    CHANGES,
    FRONTIER,
    LEVERS,
    MODELS_LIKE,
    PLACES,
    PRECISION,
    TOPOLOGY,
    Asked,
    within,
)
from engine.units import (
    Count,
    DollarsPerHour,
    DollarsPerMillionTokens,
    Milliseconds,
    Share,
    TokensPerSecond,
    show,
)

LIKE = 1.05  # costs that differ by less are called alike

HEADS = (
    Head("Accelerators", Count),
    Head("Batch", Count),
    Head("Step", Milliseconds, "ms"),
    Head("Speed", TokensPerSecond, "tok/s"),
    Head("First token", Milliseconds, "ms", decimals=0),
    Head("Load", Share, "", decimals=0),
    Head("Output", DollarsPerMillionTokens, "$/Mtoken"),
    Head("All-in", DollarsPerMillionTokens, "$/Mtoken", tone="strong"),
    Head("Limited by"),
)


def question_pages(scenario: Scenario, asked: Asked, sheet: LiveSheet, further: LiveSheet | None) -> list[Section]:
    """One page for every question that was asked and has an answer."""
    pages = (
        _batch_page(scenario, asked, sheet),
        _frontier_page(scenario, asked, sheet),
        _topology_page(scenario, asked, sheet, memory(further) if further else None),
        _accelerators_page(scenario, asked, sheet),
        _models_page(scenario, asked, sheet),
        _levers_page(scenario, asked, sheet),
    )
    return [page for page in pages if page is not None]


def _price(grain: Grain, name: str) -> str:
    return show(grain.value("blended_cost", name), DollarsPerMillionTokens, label=False)


def _fitting(grain: Grain, names: list[str]) -> list[str]:
    return [name for name in names if grain.value("fits", name)]


def _fast_enough(grain: Grain, names: list[str]) -> list[str]:
    return [name for name in _fitting(grain, names) if grain.value("meets_target", name)]


def _cheapest(grain: Grain, names: list[str]) -> str:
    """The cheapest as shown; of several at the same cost the fastest."""
    return min(names, key=lambda name: (round(grain.value("blended_cost", name), 3), -grain.value("user_speed", name)))


def _row(grain: Grain, name: str, label: str, tinted: bool = False) -> Row:
    if not grain.value("fits", name):
        return Row((label,), across=f"does not fit: {grain.value('reason', name)}")
    speed = grain.value("user_speed", name)
    kept = grain.value("meets_target", name)
    cells = (
        label,
        grain.value("accelerator_count", name),
        grain.value("batch_size", name),
        grain.value("step_time", name) * 1e3,
        speed if kept else Figure(speed, TokensPerSecond, tone="bad"),
        grain.value("time_to_first_token", name) * 1e3,
        grain.value("utilization", name),
        grain.value("output_cost", name),
        grain.value("blended_cost", name),
        str(grain.value("bound", name)),
    )
    return Row(cells, "key" if tinted else "plain")


def _table(
    grain: Grain, names: list[str], title: str, description: str, first: str, sheet: LiveSheet, footnote: str = ""
) -> Table:
    shown = names[:MOST_ROWS]
    fast = _fast_enough(grain, shown)
    best = _cheapest(grain, fast) if fast else None
    return Table(
        title,
        description,
        (Head(first), *HEADS),
        tuple(_row(grain, name, within(name), name == best) for name in shown),
        Margin("Table", sheet.range()),
        footnote,
    )


def _promise(grain: Grain, name: str) -> str:
    target = grain.value("target_user_speed", name)
    return f" that keeps the {target:,.0f} tok/s users are promised" if target else ""


def _orange(grain: Grain, names: list[str]) -> str:
    slow = [name for name in _fitting(grain, names) if not grain.value("meets_target", name)]
    return "Orange: slower than users are promised." if slow else ""


def _batch_page(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Section | None:
    grain, names = scenario[CASES], asked.of(BATCH)
    fast = _fast_enough(grain, names)
    if not fast or not scenario.inputs.settings["study_batch"]:
        return None
    base = scenario[CONFIGURED]
    today = f"{BATCH}: {base.value('batch_size', asked.base):.0f}"
    best, one = _cheapest(grain, fast), names[0]
    if today not in fast:
        runs = f"{grain.value('user_speed', today):,.0f} tok/s at batch {within(today)} break the promise"
        finding = f"{runs}; batch {within(best)} keeps it at {_price(grain, best)} a million tokens"
    elif _price(grain, today) == _price(grain, best):
        finding = f"The batch that runs is as cheap as any{_promise(grain, today)}"
    else:
        cheaper, runs = f"batch {within(best)}", f"batch {within(today)}"
        finding = (
            f"A million tokens cost {_price(grain, today)} at {runs}, and would cost {_price(grain, best)} at {cheaper}"
        )
    last = _fitting(grain, names)[-1]
    kept = base.value("minimum_replicas", asked.base)
    text = (
        f"From one sequence to {within(last)} the cost of a million tokens falls from {_price(grain, one)} to "
        f"{_price(grain, last)}, and a user\u2019s tok/s from {grain.value('user_speed', one):,.0f} to "
        f"{grain.value('user_speed', last):,.0f}. Memory allows {grain.value('batch_size_limit', today):,.0f} "
        f"sequences; arithmetic would govern from {grain.value('critical_batch_size', today):,.0f} on at datasheet "
        "rates. Whole replicas make the steps."
        + (" Those that have to be kept are left out, so costs differ from page 2." if kept > 1 else "")
    )
    cheaper_always = all(
        grain.value("blended_cost", after) < grain.value("blended_cost", before)
        for before, after in pairwise(_fitting(grain, names))
    )
    saves = "is cheaper for us" if cheaper_always else "is cheaper for us where it saves a replica,"
    chart = Scatter(
        title=f"{asked.base}: a larger batch {saves} and slower for the user, until memory ends it.",
        description="All-in cost against the speed one user sees, by batch; blue runs today",
        points=tuple(
            Point(_batch_label(grain, name, names), *_place(grain, name), highlighted=name == today)
            for name in _fitting(grain, names)
        ),
        x_axis="speed per user, tok/s \u2192 faster",
        y_axis="\u2193 cheaper: all-in cost, $ per million tokens, log scale",
        x_unit=TokensPerSecond,
        y_unit=DollarsPerMillionTokens,
        note=Margin("Chart", sheet.range(), f"{asked.base}, no committed replicas"),
        alt="All-in cost against speed per user by batch size.",
        **_service_level(grain, today),
    )
    foot = f"Tinted: the cheapest that keeps the promised speed. {_orange(grain, names)}"
    table = _table(grain, names, "Batch", "all else as it runs", "Batch", sheet, foot)
    return Section("Batch and speed", finding, (Paragraph(text), chart, table))


def _place(grain: Grain, name: str) -> tuple[float, float]:
    """Where a case stands on a chart of cost against speed."""
    return grain.value("user_speed", name), grain.value("blended_cost", name)


def _batch_label(grain: Grain, name: str, names: list[str]) -> str:
    """`batch 64`, and at the first batch for which arithmetic governs that it is the knee."""
    fitting = _fitting(grain, names)
    beyond = [n for n in fitting if grain.value("batch_size", n) >= grain.value("critical_batch_size", n)]
    return f"batch {within(name)}{', knee' if beyond[:1] == [name] else ''}"


def _service_level(grain: Grain, name: str) -> dict[str, Any]:
    """What a scatter needs to show the speed that users are promised; nothing where there is none."""
    target = grain.value("target_user_speed", name)
    return {"limit": target, "limit_words": f"promised: {target:,.0f} tok/s"} if target else {}


def _frontier_page(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Section | None:
    grain, names = scenario[CASES], _fitting(scenario[CASES], asked.of(FRONTIER))
    if len(names) < 2:
        return None
    base = scenario[CONFIGURED]
    fast = _fast_enough(grain, names)
    cheapest, quickest = names[0], names[-1]
    slow, high = (f"{grain.value('user_speed', name):,.0f}" for name in (cheapest, quickest))
    best = _cheapest(grain, fast) if fast else cheapest
    finding = (
        f"On {base.value('hardware', asked.base)}, {within(best)} is the cheapest{_promise(grain, best)}"
        if fast
        else f"No slice, precision and batch on {base.value('hardware', asked.base)} keeps the promised speed"
    )
    text = (
        "Of all slices, precisions and doubling batches on these accelerators, those that no other beats in both cost "
        f"and speed: from {_price(grain, cheapest)} a million tokens at {slow} tok/s to {_price(grain, quickest)} at "
        f"{high}. What does not fit is left out; "
        "whether a precision answers as well is not in these figures."
    )
    points = [Point(within(name), *_place(grain, name)) for name in names]
    chart = Scatter(
        title="Nothing below the line is to be had on these accelerators.",
        description="All-in cost against the speed one user sees; blue runs today, its committed replicas included",
        points=(*points, Point(asked.base, *_place(base, asked.base), highlighted=True)),
        x_axis="speed per user, tok/s \u2192 faster",
        y_axis="\u2193 cheaper: all-in cost, $ per million tokens, log scale",
        x_unit=TokensPerSecond,
        y_unit=DollarsPerMillionTokens,
        note=Margin("Chart", sheet.range(), f"{asked.base}, no committed replicas"),
        alt="All-in cost against speed per user: the frontier over slices, precisions and batches.",
        joined=tuple(range(len(points))),
        **_service_level(grain, names[0]),
    )
    foot = f"Tinted: the cheapest that keeps the promised speed. {_orange(grain, names)}"
    table = _table(grain, names, "Frontier", "cheapest first", "Accelerators, precision", sheet, foot)
    return Section("Frontier", finding, (Paragraph(text), chart, table))


def _topology_page(scenario: Scenario, asked: Asked, sheet: LiveSheet, beside: Table | None) -> Section | None:
    grain, slices, precisions = scenario[CASES], asked.of(TOPOLOGY), asked.of(PRECISION)
    fitting, stored = _fitting(grain, slices), _fitting(grain, precisions)
    if not fitting or not stored:
        return None
    # What breaks the promise is shown, and recommended only where nothing keeps it.
    smallest, cheapest = fitting[0], _cheapest(grain, _fast_enough(grain, fitting) or fitting)
    least = _cheapest(grain, _fast_enough(grain, stored) or stored)
    needed = int(grain.value("minimum_accelerators", smallest))
    weights = f"Weights need at least {count_of(needed, 'accelerator')}. "
    filled = f"Filled to what memory allows, a million tokens on {within(smallest)} cost {_price(grain, smallest)}"
    if smallest == cheapest:
        finding = f"The smallest slice that fits, {within(smallest)}, is also the cheapest per token"
    else:
        finding = f"The smallest slice is not the cheapest: {within(cheapest)} cost less than {within(smallest)}"
        filled += f", on {within(cheapest)} {_price(grain, cheapest)}"
    costs = {_price(grain, name) for name in stored}
    cheap = f"The cheapest precision is {within(least)}, at {_price(grain, least)}"
    text = (
        f"{weights}{filled}. {cheap if len(costs) > 1 else 'All precisions cost the same'}; whether answers are as "
        "good is not ours to compute."
    )
    orange = _orange(grain, slices)
    first = _table(grain, slices, "Slices", "the largest batch that fits", "Slice", sheet, orange)
    second = _table(grain, precisions, "Precisions", "the largest batch that fits", "Weights, KV cache", sheet)
    blocks: tuple[Block | None, ...] = (Paragraph(text), first, second, beside)
    return Section("Slice and precision", finding, tuple(block for block in blocks if block is not None))


def _accelerators_page(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Section | None:
    grain, names = scenario[CASES], asked.of(PLACES)
    fitting = sorted(_fitting(grain, names), key=lambda name: grain.value("blended_cost", name))
    if len(fitting) < 2:
        return None
    best = fitting[0]
    kept = len(_fast_enough(grain, fitting))
    finding = (
        f"On demand, {within(best)} would be the cheapest for {asked.base}: {_price(grain, best)} a million tokens"
    )
    text = (
        f"{sentence(in_words(len(fitting)))} accelerators with an on-demand price hold the model, "
        f"{in_words(kept) if kept else 'none'} of them at the speed that users are promised. Each runs today\u2019s "
        "batch on the slice that costs least, at today\u2019s precision where it has the arithmetic and in bf16 where "
        "not, on demand."
    )
    rents = tuple(grain.value("accelerator_price", name) for name in fitting)
    orange = _orange(grain, fitting)
    chart = Bars(
        title=f"{within(best)} is cheapest for this model and traffic.",
        description="All-in cost, $ per million tokens, on demand",
        labels=tuple(within(name) for name in fitting),
        values=tuple(grain.value("blended_cost", name) for name in fitting),
        unit=DollarsPerMillionTokens,
        value_head="all-in cost",
        sides=(
            Side("accelerators", tuple(grain.value("accelerator_count", name) for name in fitting), Count),
            Side("tok/s", tuple(grain.value("user_speed", name) for name in fitting), TokensPerSecond),
            Side("rent, $/h", rents, DollarsPerHour),
        ),
        note=Margin("Chart", sheet.range(), f"{asked.base}, no committed replicas"),
        alt="All-in cost by accelerator.",
    )
    table = _table(grain, fitting, "Accelerators", "cheapest slice of each", "Accelerator", sheet, orange)
    return Section("Accelerators", finding, (Paragraph(text), chart, table))


def _models_page(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Section | None:
    grain, models, changes = scenario[CASES], asked.of(MODELS_LIKE), asked.of(CHANGES)
    fitting = sorted(_fitting(grain, models), key=lambda name: grain.value("blended_cost", name))
    if not fitting or not changes:
        return None
    cheap, dear = fitting[0], fitting[-1]
    times = grain.value("blended_cost", dear) / grain.value("blended_cost", cheap)
    finding = (
        f"For the same traffic {within(dear)} costs {times:,.1f} times what {within(cheap)} does"
        if times >= LIKE
        else f"One thing changed at a time, and what it does to {asked.base}"
    )
    text = (
        f"Every model on the same accelerators and precision as {deployment(scenario[CONFIGURED], asked.base)}, on the "
        "slice that costs least, for the same requests. Which model answers well enough is not in these figures. "
        "Below, one thing changed at a time: at the batch that runs, and with memory refilled."
    )
    blocks: tuple[Block, ...] = (
        Paragraph(text),
        *([_table(grain, fitting, "Models", "cheapest slice of each", "Model", sheet)] if len(fitting) > 1 else []),
        _table(grain, changes, "One change at a time", asked.base, "Change", sheet, _orange(grain, changes)),
    )
    return Section("Models and changes", finding, blocks)


def _levers_page(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Section | None:
    grain, names = scenario[CASES], asked.of(LEVERS)
    if not names or len(_fitting(grain, names)) < len(names):
        return None
    start, end = _price(grain, names[0]), _price(grain, names[-1])
    finding = f"Pulled in this order, the levers take {asked.base} from {start} to {end} a million tokens"
    levels = tuple(grain.value("blended_cost", name) for name in names)
    speeds = tuple(grain.value("user_speed", name) for name in names)
    chart = Waterfall(
        title="What each lever takes off the cost of a million tokens, on top of those before it.",
        description="All-in cost, $ per million tokens, in this fixed order; each lever takes its cheapest setting"
        f"{_promise(grain, names[0])}",
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
