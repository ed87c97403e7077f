"""Sources: the ways in which a quantity comes to a grain, as data: numbers are read by them, live lookups written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.sheets import ACTUALS, BY_NAME, HARDWARE, MODELS, SETTINGS, Choice, Column, Sheet
from engine.units import AnyFigure, Count, Date, Days, Flag, Number, Share, Text

LINES, CONFIGURED, BY_TRAFFIC, TOTAL = "Traffic lines", "Calculation", "By traffic", "Total"
CASES, PAIRS, DECISIONS = "Cases", "Two-way", "Decisions"
MONTH_PARTS, CALENDAR, CLASS_HOURS, TRAFFIC_HOURS = (
    "Parts of the month",
    "Calendar",
    "Classes by hour",
    "Requests by hour",
)
VALLEYS, DAYS, HOURS, BILLS, FLEETS = "Valleys", "Days", "Hours", "Bills", "Fleets"
CONTRACTS, HELD, POOLS, SLICES, LOADS = "Contracts", "Held", "Pools", "Slices", "Load of the day"
BATCHES, MONTH_BOOKS = "Batches", "Month in the books"
PRICE_ROWS, PRICE_LISTS, BILLED, TARIFFS = "Price rows", "Price lists", "Billed requests", "Tariffs"
LEDGER, OTHER_COST_LINES, PROFIT_LINES = "Ledger", "Other cost lines", "Profit lines"
BY_MODEL, BY_CLASS = "By model", "By class"
BRIDGE_LINES, BRIDGE = "Bridge by traffic", "Bridge"
ACTUAL_MONTHS, YEAR_TO_DATE, TWELVE_MONTHS = "Actual months", "Year to date", "Twelve months"
ACCELERATORS, APIS, RATIOS, DRAFTS, PRICE_COURSE = "Accelerators", "APIs", "Ratios", "Drafts", "Price course"
OWNERSHIP, BOOKS, HOURS_OF_USE = "Ownership", "Books", "Hours of use"
WAYS, VOLUMES, SEARCHED, CROSSINGS = "Ways to serve", "Volumes", "Searched from", "Crossovers"

CALENDAR_AHEAD, DEMAND_AHEAD, NEEDS_AHEAD = "Calendar ahead", "Demand ahead", "Needs ahead"
CONTRACTS_AHEAD, MONTHS_AHEAD = "Contracts ahead", "Months ahead"
MODELS_AHEAD, TOTALS_AHEAD, MODEL_OUTLOOK, PAYBACK = "Models ahead", "Totals ahead", "Model outlook", "Payback"


@dataclass(frozen=True)
class Key:
    """Names the row; written as text."""

    annotation: Any = Text


@dataclass(frozen=True)
class Looked:
    """Read from `column` of an input sheet, in the row whose key stands in the quantity `by` of this grain.

    Where the key of that sheet may stand in several rows, `by` holds the row's `place` instead, counted from 1.
    """

    sheet: Sheet
    column: Column
    by: str
    placed: bool = False

    @property
    def annotation(self) -> Any:
        # A word that stands for a number arrives as that number.
        return Count if self.column.words and self.column.unit.kind == "text" else self.column.annotation


@dataclass(frozen=True)
class Booked:
    """What the rows of a line on Actuals add up to in the month whose number stands in the quantity `by`.

    `how`: the amounts; or what they come to at their unit prices (`priced`); or those without one (`unpriced`). Blank
    where the month has no row of the line, because nothing typed is not nothing spent.
    """

    line: str
    annotation: Any
    by: str
    how: str = "amount"

    sheet: Sheet = ACTUALS


@dataclass(frozen=True)
class Known:
    """1 where the cell that `Looked` reads is filled, or the rows that `Booked` adds up are there; else 0."""

    looked: Looked | Booked
    annotation: Any = Flag


@dataclass(frozen=True)
class Filled:
    """The cell that `Looked` reads, or `instead` where it is blank: a number, or another cell of the row."""

    looked: Looked
    instead: float | Looked

    @property
    def annotation(self) -> Any:
        return self.looked.annotation


@dataclass(frozen=True)
class Paired:
    """Read from `column` of an input sheet by its two keys, which stand in the quantities `by`; 0 without a row.

    Where both keys are the same, it is `alone`.
    """

    sheet: Sheet
    column: Column
    by: tuple[str, str]
    alone: float = 0.0

    @property
    def annotation(self) -> Any:
        return self.column.annotation


@dataclass(frozen=True)
class Said:
    """The number that `amount` reads, where the cell that `word_in` reads holds the word; 0 elsewhere."""

    amount: Looked
    word_in: Looked
    word: str
    annotation: Any


@dataclass(frozen=True)
class DayOf:
    """The day in the cell that `Looked` reads, as the number by which a workbook counts it; `instead` where blank."""

    looked: Looked
    instead: int = 0
    annotation: Any = Date


@dataclass(frozen=True)
class MonthStart:
    """The first day of the report month, as the number by which a workbook counts it."""

    annotation: Any = Date


@dataclass(frozen=True)
class Chosen:
    """Read from one of several columns of a sheet, chosen by a word of this row; `named` holds the sheet's key."""

    choice: Choice
    by: str
    named: str

    @property
    def annotation(self) -> Any:
        return BY_NAME[self.choice.sheet].column(next(iter(self.choice.columns.values()))).annotation


@dataclass(frozen=True)
class Converted:
    """The amount that `amount` reads, in the currency of the report: at the rate of the currency that its row names."""

    amount: Looked | Filled | Chosen | Said

    @property
    def annotation(self) -> Any:
        return self.amount.annotation

    @property
    def currency(self) -> Looked:
        """Where the currency of the amount stands."""
        match self.amount:
            case Chosen(choice, _, named):
                sheet = BY_NAME[choice.sheet]
                return Looked(sheet, sheet.column("currency"), named)
            case Filled(looked) | Said(looked) | (Looked() as looked):
                return replace(looked, column=looked.sheet.column("currency"))


@dataclass(frozen=True)
class Setting:
    """Read from the Settings sheet."""

    column: Column

    @property
    def annotation(self) -> Any:
        return self.column.annotation


@dataclass(frozen=True)
class DaysBilled:
    """Days of the report month: the setting, or the calendar's."""

    annotation: Any = SETTINGS.column("days_in_month").annotation


@dataclass(frozen=True)
class CalendarDays:
    """Days of the report month by the calendar."""

    annotation: Any = SETTINGS.column("days_in_month").annotation


@dataclass(frozen=True)
class DaysAhead:
    """Days of the month so many ahead of the report's: the setting, or the calendar's."""

    by: str
    annotation: Any = SETTINGS.column("days_in_month").annotation


@dataclass(frozen=True)
class StartAhead:
    """First day of the month so many ahead of the report's, `later` months after it, as the number of that day."""

    by: str
    later: int = 0
    annotation: Any = Date


@dataclass(frozen=True)
class EndDay:
    """The number of the day in the cell that `Looked` reads; where it is blank, of a day that nobody waits for."""

    looked: Looked
    annotation: Any = Date


@dataclass(frozen=True)
class OneOf:
    """1 where the cell that `Looked` reads holds one of the words."""

    looked: Looked
    words: tuple[str, ...]
    annotation: Any = Flag


@dataclass(frozen=True)
class Crossed:
    """Read from a sheet where the row whose key stands in `by` meets the column named in `across`; 1 without a row."""

    sheet: Sheet
    by: str
    across: str
    annotation: Any = Number


@dataclass(frozen=True)
class WorkingDays:
    """Days of the report month that are not a Saturday or Sunday."""

    annotation: Any = Days


@dataclass(frozen=True)
class HourShare:
    """Share of a day's requests in an hour, of the load profile named in `profile`; 1/24 without one, and every day."""

    profile: str
    hour: str
    is_weekend: str
    is_every_day: str
    annotation: Any = Share


@dataclass(frozen=True)
class IsWord:
    """1 where the text in the quantity `by` is `word`, else 0."""

    by: str
    word: str
    annotation: Any = Flag


@dataclass(frozen=True)
class Sum:
    """Sum of a quantity over the rows of another grain that share this row's key, or several, or over all of them.

    `where` names a flag of that grain; rows without it are left out. `weight` names a quantity that multiplies it.
    """

    grain: str
    quantity: str
    annotation: Any
    by: str | tuple[str, ...] = ""
    where: str = ""
    weight: str = ""


@dataclass(frozen=True)
class SumAbove:
    """Sum of a quantity over the rows of another grain that share this row's key and in which `high` is above `level`.

    `high` is a quantity of that grain, `level` one of this row.
    """

    grain: str
    quantity: str
    by: str
    high: str
    level: str
    annotation: Any


@dataclass(frozen=True)
class Matched:
    """Sum of a quantity over the rows of another grain whose names match this row's; a blank name matches all.

    `by` has pairs: names of this grain, and names of the other, of which any two must be the same.
    """

    grain: str
    quantity: str
    annotation: Any
    by: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


@dataclass(frozen=True)
class Running:
    """Sum of a quantity over the rows of another grain whose `order` is above 0 and at most this row's."""

    grain: str
    quantity: str
    annotation: Any
    order: str


@dataclass(frozen=True)
class Mean:
    """Weighted mean of a quantity over the rows of another grain that share this row's key."""

    grain: str
    quantity: str
    weight: str
    by: str
    annotation: Any


@dataclass(frozen=True)
class HasOne:
    """1 where any row of another grain that shares this row's key has the flag."""

    grain: str
    quantity: str
    by: str
    annotation: Any = Flag


@dataclass(frozen=True)
class Varied:
    """As in the row of another grain whose key stands in the quantity `by`; a case types over what it changes."""

    grain: str
    quantity: str
    by: str
    annotation: Any


@dataclass(frozen=True)
class Named:
    """The quantity of another grain, which has one row, whose name stands in the quantity `by` of this row."""

    grain: str
    by: str
    annotation: Any = AnyFigure


@dataclass(frozen=True)
class Largest:
    """Largest of a quantity over the rows of another grain that share this row's key, or over all; never below 0."""

    grain: str
    quantity: str
    by: str
    annotation: Any


@dataclass(frozen=True)
class Smallest:
    """Smallest of a quantity that is above 0, over the rows of another grain that share this row's key."""

    grain: str
    quantity: str
    by: str
    annotation: Any


Calendar = DaysBilled | CalendarDays | WorkingDays | DaysAhead | MonthStart | StartAhead | DayOf | EndDay
Aggregate = Sum | SumAbove | Matched | Mean | Largest | Smallest | HasOne
Read = Looked | Booked | Known | Filled | Paired | Said | OneOf | Crossed | Chosen | Converted | Setting
Source = Key | Read | Calendar | HourShare | IsWord | Aggregate | Running | Varied | Named


def may_be_unknown(source: Source) -> bool:
    """Whether a source reads a cell that an analyst may leave blank because the figure is not known."""
    match source:
        case Looked(column=column) | Setting(column):
            return column.default is None
        case Chosen(choice):
            return any(BY_NAME[choice.sheet].column(name).default is None for name in choice.columns.values())
        case Converted(amount):
            return may_be_unknown(amount)
        case Varied(quantity=quantity):
            columns = (column for sheet in (HARDWARE, MODELS) for column in sheet.columns)
            return any(column.name == quantity and column.default is None for column in columns)
    return False


@dataclass(frozen=True)
class Moved:
    """A figure that a case has larger or smaller by shares: by those in input cells, or in quantities of its own row.

    A cell is named by sheet, column and row.
    """

    value: float
    shares: tuple[tuple[str, str, int] | str, ...]


@dataclass(frozen=True)
class Case:
    """A configuration with something changed: the question it belongs to, and the quantities typed over or Moved."""

    name: str
    study: str
    configuration: str
    changes: Mapping[str, Any]
