"""Search: what would serve a configuration for least, why the next one lost, what holds it back, what is fastest."""

from __future__ import annotations

from engine.report.live import LiveSheet
from engine.report.search import FRONT, HELD_BACK, RANKED, ceiling_of, layout_of, why_not, words_of
from engine.report.values import Head, Margin, Paragraph, Point, Row, Scatter, Section, Table
from engine.report.words import count_of, sentence, shortened
from engine.scenarios import CONFIGURED, Scenario
from engine.sheets import SETTINGS
from engine.studies.questions import Asked
from engine.studies.search import TERMS, Search, SetUp
from engine.units import (
    Count,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    Share,
    TokensPerSecond,
    brief_money,
    digits,
    in_currency,
    show,
)

MOST_ROWS = 12
LONGEST_SOURCE = 60  # characters, within a sentence


def search_page(scenario: Scenario, asked: Asked, sheet: LiveSheet | None) -> Section | None:
    """The page; None where nothing was searched or found."""
    found = asked.search
    if found is None or sheet is None:
        return None
    best = found.ranked[0]
    today = scenario[CONFIGURED].value("blended_cost", asked.base)
    cost, now = (show(value, DollarsPerMillionTokens, label=False) for value in (best.cost, today))
    finding = f"{words_of(best)} would serve the requests of {asked.base} for {cost} a million tokens"
    text = (
        f"{digits(found.tried)} set-ups were tried: every accelerator {TERMS}, its slices, stages, attention groups, "
        f"precisions and batches, one pool or two. {_drafts(scenario, found)} {digits(found.fitting)} fit, "
        f"{digits(found.keeping)} also keep what is promised. Today\u2019s costs {now} on its own terms. "
        f"{_next(found)} {_binding(found)} {_fastest(found)} Whether a precision answers as well is not in "
        "these figures."
    )
    return Section("Search", finding, (Paragraph(text), _chart(scenario, asked, found, sheet), _table(found, sheet)))


def _drafts(scenario: Scenario, found: Search) -> str:
    """What was tried of speculative decoding, on whose word."""
    if found.draft is None:
        return "Speculative decoding was not: that takes a draft model, and its acceptance with a source (Settings)."
    accepted, cell = show(found.draft.acceptance, Share), scenario.inputs.cell(SETTINGS.name, "acceptance")
    return (
        f"Each was also tried with drafts by {found.draft.model}, {accepted} of them accepted ({cell}, "
        f"{shortened(found.draft.source, LONGEST_SOURCE)})."
    )


def _next(found: Search) -> str:
    if len(found.ranked) < 2:
        return "No other accelerator keeps the promises."
    second = found.ranked[1]
    cost = show(second.cost, DollarsPerMillionTokens, label=False)
    return f"Next comes {words_of(second)}, at {cost}: {why_not(second, found.ranked[0])}."


def _binding(found: Search) -> str:
    saving = [each for each in found.relaxed if each.saving > 0]
    if not saving:
        return "A tenth more room in any promise or limit would save nothing."
    most = max(saving, key=lambda each: each.saving)
    others = count_of(len(found.relaxed) - len(saving), "other constraint")
    return (
        f"What holds it back is {most.constraint}: a tenth of it would save {brief_money(most.saving)} a month"
        + (f"; {others} would save nothing." if len(saving) == 1 and len(found.relaxed) > 1 else ".")
    )


def _fastest(found: Search) -> str:
    if found.fastest is None:
        return f"Nothing serves for less than {ceiling_of(found)}."
    speed = digits(found.fastest.speed)
    return f"The fastest below {ceiling_of(found)} is {words_of(found.fastest)}: {speed} tok/s."


def _chart(scenario: Scenario, asked: Asked, found: Search, sheet: LiveSheet) -> Scatter:
    base = scenario[CONFIGURED]
    target = base.value("target_user_speed", asked.base)
    today = Point(
        asked.base, base.value("user_speed", asked.base), base.value("blended_cost", asked.base), highlighted=True
    )
    limit = {"limit": target, "limit_words": f"promised: {digits(target)} tok/s"} if target else {}
    return Scatter(
        title="Nothing that was tried lies below the line.",
        description=f"All-in cost against the speed one user sees, all accelerators {TERMS}; blue runs today",
        points=(*(Point(_short(each), each.speed, each.cost) for each in found.frontier), today),
        x_axis="speed per user, tok/s \u2192 faster",
        y_axis=in_currency("\u2193 cheaper: all-in cost, $ per million tokens, log scale"),
        x_unit=TokensPerSecond,
        y_unit=DollarsPerMillionTokens,
        note=Margin("Chart", sheet.range(_place(sheet, FRONT)), "values of a search"),
        alt="All-in cost against speed per user: what no other set-up beats.",
        joined=tuple(range(len(found.frontier))),
        **limit,
    )


def _short(setup: SetUp) -> str:
    return f"{setup.place.accelerators}\u00a0\u00d7\u00a0{setup.place.hardware}"


def _place(sheet: LiveSheet, title: str) -> int:
    return next(place for place, table in enumerate(sheet.tables) if table.title.startswith(title))


def _table(found: Search, sheet: LiveSheet) -> Table:
    best = found.ranked[0]
    rows = tuple(
        Row(
            (
                setup.place.hardware,
                setup.place.accelerators,
                layout_of(setup),
                setup.place.precision,
                setup.batch,
                "one" if setup.place.is_shared else "two",
                "yes" if setup.place.is_drafted else "no",
                setup.speed,
                setup.figures["utilization"],
                setup.figures["replica_count"],
                setup.cost,
                setup.figures["fleet_cost"],
            ),
            "key" if setup is best else "plain",
        )
        for setup in found.ranked[:MOST_ROWS]
    )
    more = len(found.ranked) - MOST_ROWS
    held = "; ".join(
        f"{each.constraint}: {each.reason or brief_money(each.saving)}" for each in found.relaxed
    )
    foot = f"A tenth more room saves, a month, one at a time: {held} ({sheet.range(_place(sheet, HELD_BACK))})."
    return Table(
        RANKED,
        "of the set-ups that keep the promises",
        (
            Head("Accelerator"),
            Head("Count", Count),
            Head("Layout"),
            Head("Precision"),
            Head("Batch", Count),
            Head("Pools"),
            Head("Drafts"),
            Head("Speed", TokensPerSecond, "tok/s"),
            Head("Load", Share, decimals=0),
            Head("Replicas", Count),
            Head("All-in", DollarsPerMillionTokens, "$/Mtoken", tone="strong"),
            Head("Bill", DollarsPerMonth, "$/month", decimals=0),
        ),
        rows,
        Margin("Table", sheet.range(_place(sheet, RANKED))),
        (f"{sentence(count_of(more, 'accelerator'))} more in the workbook. " if more > 0 else "")
        + (foot if found.relaxed else ""),
    )
