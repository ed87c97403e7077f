"""The page of uncertainty: the range of gross profit, how likely more is, and which input to measure next."""

from __future__ import annotations

from typing import Any

from engine.report.live import LiveSheet
from engine.report.pages.deployments import MOST_ROWS
from engine.report.promises import is_promised
from engine.report.uncertainty import ABOVE, COST, ENOUGH, KEPT, PROFIT, SOURCES, by_influence, distributed, row_of
from engine.report.values import Block, Chances, Figure, Head, Margin, Paragraph, Row, Section, Table
from engine.report.words import MoneyScale, in_words, listed, money_scale, sentence, shortened
from engine.scenarios import CONFIGURED, TOTAL, Scenario
from engine.sheets import CONFIGURATIONS
from engine.studies.uncertainty import Influence, Outcome, Uncertain
from engine.units import (
    NO_BREAK,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    Number,
    Share,
    brief_money,
    digits,
    in_currency,
    show,
)
from engine.workbook.uncertainty import is_each

# A share of the variance below this is no more than the noise of the draws.
TELLING = 0.01
LONGEST_NAME = 60  # characters, within a sentence


def uncertainty(scenario: Scenario, found: Uncertain, sheet: LiveSheet) -> Section:
    """What the draws say, with what they are made of and leave out."""
    money = money_scale(scenario[TOTAL].value("fleet_cost", "Total"))
    blocks: list[Block] = [
        Paragraph(_told(scenario, found)),
        *([_chart(found, sheet, money)] if found.curve else []),
        _traffics(found, sheet, money),
        _sources(scenario, found, sheet),
        Paragraph(_kept(scenario, found)),
        _costs(scenario, found, sheet),
        _enough(found, sheet, money),
    ]
    return Section("Uncertainty", _headline(found), tuple(blocks))


def _headline(found: Uncertain) -> str:
    low, high = (brief_money(value) for value in (found.profit.low, found.profit.high))
    return f"Eight times in ten, gross profit lies between {low} and {high}"


def _chance(share: float) -> str:
    """A share of the draws in words that do not promise more than draws can say."""
    if share in (0.0, 1.0):
        return "no draw" if share == 0 else "every draw"
    return f"{show(share, Share)} of the draws"


def _told(scenario: Scenario, found: Uncertain) -> str:
    count = len({driver.name for driver in found.drivers})
    inputs = f"{sentence(in_words(count))} {'input is' if count == 1 else 'inputs are'} drawn together"
    parts = [
        f"{inputs}, {digits(found.draws)} times; the month as typed has {brief_money(found.profit.central)}.",
        f"Gross profit is above zero in {_chance(found.profit.chance)}.",
    ]
    if found.target_margin > 0:
        parts.append(
            f"The gross margin reaches the {show(found.target_margin, Share)} that prices are to leave, other costs "
            f"not yet taken off, in {_chance(found.target_chance)}."
        )
    unsure = [each for each in found.traffics if 0 < each.chance < 1]
    if unsure:
        least = min(unsure, key=lambda each: abs(each.chance - 0.5))
        parts.append(f"{least.name} is the traffic whose sign is least certain.")
    if telling := [each for each in by_influence(found) if each.total > TELLING]:
        name = shortened(telling[0].factor.name, LONGEST_NAME)
        parts.append(f"To narrow the range, measure \u201c{name}\u201d first.")
    return " ".join(parts)


def _chart(found: Uncertain, sheet: LiveSheet, money: MoneyScale) -> Chances:
    profit = found.profit
    lowest, highest = found.curve[0][0], found.curve[-1][0]
    if lowest >= 0:
        title = "A loss is not in sight: no draw has one."
    elif highest <= 0:
        title = "Every draw is a loss."
    else:
        title = f"Gross profit is above zero in {show(profit.chance, Share)} of the draws."
    near_zero = lowest <= 0 <= highest
    marks = zip((profit.low, profit.middle, profit.high), ("P10", "P50", "P90"), strict=True)
    return Chances(
        title=title,
        description="Share of the draws in which gross profit is above a value; shaded: eight outcomes in ten",
        points=tuple((money.of(value), share) for value, share in found.curve),
        marks=tuple((money.of(value), name) for value, name in marks),
        unit=DollarsPerMonth,
        axis=f"gross profit, {money.words} a month",
        limit=(0.0, "break-even") if near_zero else None,
        note=_note("Chart", sheet, ABOVE, f"{digits(found.draws)} draws, seed {found.seed}"),
        alt="Share of the draws in which gross profit is above each value.",
    )


def _note(kind: str, sheet: LiveSheet, title: str, fact: str = "") -> Margin:
    place = sheet.place_of(in_currency(title))
    assert place is not None  # the sheet has every table
    return Margin(kind, sheet.range(place), fact)


def _money(value: float, annotation: Any, money: MoneyScale) -> Figure:
    return Figure(money.of(value), annotation, tone="bad" if value < 0 else "plain")


def _traffics(found: Uncertain, sheet: LiveSheet, money: MoneyScale) -> Table:
    def row(outcome: Outcome, style: str = "plain") -> Row:
        figures = (outcome.central, outcome.low, outcome.middle, outcome.high)
        money_cells = (_money(value, DollarsPerMonth, money) for value in figures)
        return Row((outcome.name, *money_cells, outcome.chance), style)

    margin = found.margin
    shares = (margin.central, margin.low, margin.middle, margin.high)
    heads = (Head("This month", DollarsPerMonth), *(Head(name, DollarsPerMonth) for name in ("P10", "P50", "P90")))
    shown = found.traffics[: MOST_ROWS - 2]
    return Table(
        "By traffic",
        f"gross profit, {money.words}",
        (Head("Traffic"), *heads, Head("Probability of a profit", Share)),
        (
            *(row(each) for each in shown),
            row(found.profit, "total"),
            Row(("Gross margin", *(Figure(share, Share) for share in shares), margin.chance)),
        ),
        _note("Table", sheet, PROFIT),
        "P10: one outcome in ten is below it. Percentiles of traffics do not add up to that of the total."
        + _beyond(len(shown), len(found.traffics)),
    )


def _sources(scenario: Scenario, found: Uncertain, sheet: LiveSheet) -> Table:
    def row(each: Influence) -> Row:
        shares = (each.first, each.total) if each.moves else (None, None)
        return Row((each.factor.name, distributed(scenario, found, each.factor), *shares))

    still = [each.factor.name for each in found.influences if not each.moves]
    moves_nothing = f" {listed(still)}: no configuration that serves depends on it." if still else ""
    return Table(
        "What the spread comes from",
        "share of the variance of gross profit; the first is what to measure next",
        (Head("Input"), Head("Drawn as", tone="quiet"), Head("By itself", Share), Head("With others", Share)),
        tuple(row(each) for each in by_influence(found)[:MOST_ROWS]),
        _note("Table", sheet, SOURCES),
        "Sobol indices, first and total: by how much the variance would shrink if the input were known, and what would "
        f"be left if all others were. Inputs of a correlation group count together.{moves_nothing}"
        + _beyond(MOST_ROWS, len(found.influences)),
    )


def _costs(scenario: Scenario, found: Uncertain, sheet: LiveSheet) -> Table:
    grain = scenario[CONFIGURED]

    def row(outcome: Outcome) -> Row:
        costs = (outcome.central, outcome.low, outcome.middle, outcome.high)
        return Row((outcome.name, *costs, outcome.chance if is_promised(grain, outcome.name) else None))

    heads = (Head(name, DollarsPerMillionTokens) for name in ("This month", "P10", "P50", "P90"))
    kept = _chance(found.promises_kept)
    return Table(
        "Cost of a million tokens",
        in_currency("$, all-in, by configuration"),
        (Head("Configuration"), *heads, Head(KEPT, Share)),
        tuple(row(each) for each in found.costs["blended_cost"][:MOST_ROWS]),
        _note("Table", sheet, COST),
        f"Cost of answers alone is on the sheet. All promises together are kept in {kept}."
        + _beyond(MOST_ROWS, len(found.costs["blended_cost"])),
    )


def _beyond(shown: int, there: int) -> str:
    """What to say of rows that a page has no room for."""
    return f" {there - shown} more are on the sheet Uncertainties." if there > shown else ""


def _enough(found: Uncertain, sheet: LiveSheet, money: MoneyScale) -> Table:
    return Table(
        "Whether there are enough draws",
        f"gross profit, {money.words}",
        (Head("Draws"), *(Head(name, Number, decimals=1) for name in ("P10", "P50", "P90"))),
        tuple(Row((words, *(money.of(value) for value in values))) for words, values in found.settled),
        _note("Table", sheet, ENOUGH),
        "What changes from one row to the next is the error of drawing; more draws are asked for on Settings.",
    )


def _kept(scenario: Scenario, found: Uncertain) -> str:
    """What a draw takes for granted."""
    ratios = _ratios(scenario, found)
    kept = (
        "Each draw sizes every fleet anew, for its peak. What hours and contracts make of a bill is kept in proportion"
    )
    told = f": {listed(ratios)} of what the peak\u2019s fleet would cost around the clock" if ratios else ""
    parts = [f"{kept}{told}."]
    parts += [
        f"{name} does not fit in {show(share, Share)} of the draws, which are left out."
        for name, share in found.unfit.items()
    ]
    parts.append(_speeds(scenario, found))
    return " ".join(parts)


def _speeds(scenario: Scenario, found: Uncertain) -> str:
    """Whether the error of predicted speeds is drawn, and whether configurations err together."""
    of, drawn = (CONFIGURATIONS.name, "time_factor"), "The error of predicted speeds is drawn for"
    movers = dict.fromkeys(driver.name for driver in found.drivers if any(cell[:2] == of for cell in driver.cells))
    rows = [row_of(scenario, name) for name in movers]
    if not rows:
        return "The error of predicted speeds is not drawn: no row of Uncertainty moves time_factor on Configurations."
    if not all(row["input_row"] for row in rows):
        return f"{drawn} all configurations alike; by itself each errs as much, and their sum by less."
    if any(is_each(row) for row in rows):
        return f"{drawn} each configuration by itself, so that it partly evens out in their sum."
    return f"{drawn} {listed([row['input_row'] for row in rows])} only."


def _ratios(scenario: Scenario, found: Uncertain) -> list[str]:
    """The configurations whose bill is far from the peak's fleet around the clock, with that share."""
    return [f"{name}{NO_BREAK}{show(share, Share)}" for name, share in found.kept.items() if abs(share - 1) > 0.05]


