"""The sheet Search: which set-up would serve a configuration for least, what comes next, and what holds it back.

Decides which figures stand in which row; the PDF shows the same. All are values of a search. Knows neither openpyxl nor
how anything looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.formulas import COMPARISON_FORMULAS
from engine.report.live import Live, LiveChart, LiveRow, LiveSheet, LiveTable, as_text
from engine.report.recommendation import standing, typed_numbers
from engine.report.values import Head
from engine.scenarios import Scenario
from engine.sheets import HARDWARE, MODELS, PRECISIONS, SETTINGS
from engine.studies.questions import Asked
from engine.studies.search import TERMS, Search, SetUp
from engine.units import (
    NO_BREAK,
    Count,
    DollarsPerHour,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    Milliseconds,
    RequestsPerSecond,
    Share,
    TokensPerSecond,
    digits,
    in_currency,
)
from engine.workbook.tables import Row

NAME = "Search"
RANKED, HELD_BACK = "Cheapest of each accelerator", "What holds it back"
FAST, FRONT = "Fastest for the money", "Frontier"
MILLI = 1e3
# Head, quantity, unit, how many of those make one of the engine's.
_FIGURES: tuple[tuple[str, str, Any, str, float], ...] = (
    ("Speed per user", "user_speed", TokensPerSecond, "tok/s", 1),
    ("First token", "time_to_first_token", Milliseconds, "ms", MILLI),
    ("Load", "utilization", Share, "", 1),
    ("Replicas", "replica_count", Count, "", 1),
    ("Rent of a replica", "replica_cost", DollarsPerHour, "$/h", 1),
    ("Its requests", "request_rate", RequestsPerSecond, "requests/s", 1),
    ("Output", "output_cost", DollarsPerMillionTokens, "$/Mtoken", 1),
    ("All-in", "blended_cost", DollarsPerMillionTokens, "$/Mtoken", 1),
    ("Bill", "fleet_cost", DollarsPerMonth, "$/month", 1),
)


def words_of(setup: SetUp) -> str:
    """`16 × H100 SXM in 2 stages, fp8, batch 64, prefill apart, speculative decoding`."""
    place = setup.place
    spread = [f"{place.accelerators}{NO_BREAK}\u00d7{NO_BREAK}{place.hardware}"]
    if place.pipeline_stages > 1:
        spread.append(f"in {place.pipeline_stages}{NO_BREAK}stages")
    if place.attention_groups > 1:
        spread.append(f"in {place.attention_groups}{NO_BREAK}attention groups")
    words = [" ".join(spread), place.precision, f"batch{NO_BREAK}{setup.batch}"]
    words += [] if place.is_shared else ["prefill apart"]
    words += ["speculative decoding"] if place.is_drafted else []
    return ", ".join(words)


def layout_of(setup: SetUp) -> str:
    """`2 stages`, `8 groups`; `one slice` where neither is there."""
    place = setup.place
    parts = ((place.pipeline_stages, "stages"), (place.attention_groups, "groups"))
    return ", ".join(f"{count}{NO_BREAK}{word}" for count, word in parts if count > 1) or "one slice"


def why_not(setup: SetUp, best: SetUp) -> str:
    """Why a set-up lost to the cheapest: what its replica costs and serves beside the other's."""
    ratio = COMPARISON_FORMULAS["ratio"]
    rent, work = (
        digits(float(ratio(setup.figures[name], best.figures[name])), 2) for name in ("replica_cost", "request_rate")
    )
    return f"a replica costs {rent} times as much an hour and completes {work} times the requests"


def search_sheet(scenario: Scenario, asked: Asked) -> LiveSheet | None:
    """The sheet; None where nothing was searched or found."""
    found = asked.search
    if found is None:
        return None
    tables = [_ranked(found), _held_back(found)]
    if found.fastest:
        tables.append(_table([found.fastest], f"{FAST}, below {ceiling_of(found)}"))
    tables.append(_table(found.frontier, f"{FRONT}, whatever is promised"))
    ceiling = Row(scenario.inputs.tables[SETTINGS.name], 0)
    most = (0.0 if ceiling.is_blank("cost_ceiling") else found.ceiling, ceiling.cell("cost_ceiling"))
    # No other figure need rest on what is only searched over.
    searched = [HARDWARE, PRECISIONS, *([MODELS] if found.draft else [])]
    stands = standing(most, *_drafted(ceiling, found), *(typed_numbers(scenario, sheet) for sheet in searched))
    tables.append(LiveTable((Head("All of this"),), (LiveRow((stands,)),), "Whether it stands"))
    place = len(tables) - 2
    columns = [quantity for _, quantity, *_ in _FIGURES]
    speed, cost = (1 + columns.index(name) for name in ("user_speed", "blended_cost"))
    return LiveSheet(
        NAME,
        f"What would serve {asked.base} for least",
        f"{found.tried:,} set-ups were tried, {TERMS}; {found.fitting:,} fit and {found.keeping:,} keep the promises. "
        "Values of a search.",
        tuple(tables),
        (
            LiveChart(
                "scatter",
                "Beaten by no other in cost and speed: cheaper is lower, faster is right",
                table=place,
                across=speed,
                up=cost,
                x_axis="speed per user, tok/s",
                y_axis=in_currency("all-in cost, $/Mtoken (log scale)"),
                alt="Scatter chart of all-in cost against speed per user along the frontier of all accelerators.",
            ),
        ),
        landscape=True,
    )


def _drafted(settings: Row, found: Search) -> list[tuple[float, str]]:
    """What the Settings say of the draft model that was tried."""
    names = ("acceptance", "draft_tokens") if found.draft else ()
    return [(settings[name], settings.cell(name)) for name in names if not settings.is_blank(name)]


def ceiling_of(found: Search) -> str:
    """The cost that the question of the fastest set-up allows."""
    return in_currency(f"${digits(found.ceiling, 3)} a million tokens")


def _heads() -> tuple[Head, ...]:
    return tuple(Head(name, annotation, in_currency(label)) for name, _, annotation, label, _ in _FIGURES)


def _cells(setup: SetUp) -> tuple[Live, ...]:
    return tuple(Live(setup.figures[name] * scale, annotation, "") for _, name, annotation, _, scale in _FIGURES)


def _table(setups: Sequence[SetUp], title: str) -> LiveTable:
    rows = tuple(LiveRow((as_text(words_of(setup)), *_cells(setup))) for setup in setups)
    return LiveTable((Head("Set-up"), *_heads()), rows, title)


def _ranked(found: Search) -> LiveTable:
    best = found.ranked[0]
    rows = tuple(
        LiveRow(
            (
                as_text(words_of(setup)),
                *_cells(setup),
                as_text("" if setup is best else why_not(setup, best)),
            ),
            "key" if setup is best else "plain",
        )
        for setup in found.ranked
    )
    return LiveTable((Head("Set-up"), *_heads(), Head("Why not")), rows, f"{RANKED}, promises kept")


def _held_back(found: Search) -> LiveTable:
    rows = tuple(
        LiveRow(
            (
                as_text(each.constraint),
                Live(each.saving, DollarsPerMonth, ""),
                as_text(words_of(each.best) if each.best and each.saving > 0 else each.reason or "the same set-up"),
            )
        )
        for each in sorted(found.relaxed, key=lambda each: -each.saving)
    )
    heads = (
        Head("With a tenth more room"),
        Head("Saves", DollarsPerMonth, in_currency("$/month")),
        Head("Cheapest then"),
    )
    none = LiveRow((as_text("nothing is promised"), Live(None, DollarsPerMonth, ""), as_text("")))
    return LiveTable(heads, rows or (none,), f"{HELD_BACK}, one constraint at a time")
