"""Cases of a question on a page: the table of what each would run at and cost, and which of them is recommended."""

from __future__ import annotations

from engine.report.live import LiveSheet
from engine.report.pages.deployments import MOST_ROWS
from engine.report.promises import first_token_cell, orange_words, promise_words, speed_cell
from engine.report.values import Head, Margin, Row, Table
from engine.scenarios import Grain
from engine.studies.questions import within
from engine.units import Count, DollarsPerMillionTokens, Milliseconds, Share, TokensPerSecond, show

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


def price_of(grain: Grain, name: str) -> str:
    return show(grain.value("blended_cost", name), DollarsPerMillionTokens, label=False)


def fitting_of(grain: Grain, names: list[str]) -> list[str]:
    return [name for name in names if grain.value("fits", name)]


def fast_enough(grain: Grain, names: list[str]) -> list[str]:
    return [name for name in fitting_of(grain, names) if grain.value("meets_target", name)]


def cheapest_of(grain: Grain, names: list[str]) -> str:
    """The cheapest as shown; of several at the same cost the fastest."""
    return min(names, key=lambda name: (round(grain.value("blended_cost", name), 3), -grain.value("user_speed", name)))


def _row(grain: Grain, name: str, label: str, tinted: bool = False) -> Row:
    if not grain.value("fits", name):
        return Row((label,), across=f"does not fit: {grain.value('reason', name)}")
    cells = (
        label,
        grain.value("accelerator_count", name),
        grain.value("batch_size", name),
        grain.value("step_time", name) * 1e3,
        speed_cell(grain, name),
        first_token_cell(grain, name),
        grain.value("utilization", name),
        grain.value("output_cost", name),
        grain.value("blended_cost", name),
        str(grain.value("bound", name)),
    )
    return Row(cells, "key" if tinted else "plain")


def case_table(
    grain: Grain, names: list[str], title: str, description: str, first: str, sheet: LiveSheet, footnote: str = ""
) -> Table:
    shown = names[:MOST_ROWS]
    fast = fast_enough(grain, shown)
    best = cheapest_of(grain, fast) if fast else None
    return Table(
        title,
        description,
        (Head(first), *HEADS),
        tuple(_row(grain, name, within(name), name == best) for name in shown),
        Margin("Table", sheet.range()),
        footnote,
    )


def promise_of(grain: Grain, name: str) -> str:
    promised = promise_words(grain, name)
    return f" that keeps the promised {promised}" if promised else ""


def orange_note(grain: Grain, names: list[str]) -> str:
    return orange_words(grain, fitting_of(grain, names))
