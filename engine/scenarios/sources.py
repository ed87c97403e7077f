"""Sources: the ways in which a quantity comes to a grain, as data: numbers are read by them, live lookups written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.sheets import BY_NAME, HARDWARE, MODELS, SETTINGS, Choice, Column, Sheet
from engine.units import Count, Date, Flag, Text

LINES, CONFIGURED, BY_TRAFFIC, TOTAL = "Traffic lines", "Calculation", "By traffic", "Total"
CASES, DECISIONS = "Cases", "Decisions"
PRICE_ROWS, PRICE_LISTS, BILLED, TARIFFS = "Price rows", "Price lists", "Billed requests", "Tariffs"
LEDGER, OTHER_COST_LINES, PROFIT_LINES = "Ledger", "Other cost lines", "Profit lines"
BY_MODEL, BY_CLASS = "By model", "By class"
ACCELERATORS, APIS, RATIOS, DRAFTS, PRICE_COURSE = "Accelerators", "APIs", "Ratios", "Drafts", "Price course"


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
class Known:
    """1 where the cell that `Looked` reads is filled, 0 where it is blank."""

    looked: Looked
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
    """Read from `column` of an input sheet by its two keys, which stand in the quantities `by`; 0 without a row."""

    sheet: Sheet
    column: Column
    by: tuple[str, str]

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
class Sum:
    """Sum of a quantity over the rows of another grain that share this row's key, or several, or over all of them.

    `where` names a flag of that grain; rows without it are left out.
    """

    grain: str
    quantity: str
    annotation: Any
    by: str | tuple[str, ...] = ""
    where: str = ""


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
    """As in the configuration that a case starts from; a case types over what it changes."""

    grain: str
    quantity: str
    by: str
    annotation: Any


@dataclass(frozen=True)
class Largest:
    """Largest of a quantity over the rows of another grain that share this row's key."""

    grain: str
    quantity: str
    by: str
    annotation: Any


Source = (
    Key
    | Looked
    | Known
    | Filled
    | Paired
    | Said
    | DayOf
    | MonthStart
    | Chosen
    | Setting
    | DaysBilled
    | Sum
    | Matched
    | Mean
    | Largest
    | HasOne
    | Varied
)


def may_be_unknown(source: Source) -> bool:
    """Whether a source reads a cell that an analyst may leave blank because the figure is not known."""
    match source:
        case Looked(column=column) | Setting(column):
            return column.default is None
        case Chosen(choice):
            return any(BY_NAME[choice.sheet].column(name).default is None for name in choice.columns.values())
        case Varied(quantity=quantity):
            columns = (column for sheet in (HARDWARE, MODELS) for column in sheet.columns)
            return any(column.name == quantity and column.default is None for column in columns)
    return False


@dataclass(frozen=True)
class Case:
    """A configuration with something changed: the question it belongs to, and the quantities typed over."""

    name: str
    study: str
    configuration: str
    changes: Mapping[str, Any]
