"""Problems: what is wrong with a workbook, as values, and the sentences about single cells. Knows no Excel library."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any

from engine.sheets import SHEETS, Column
from engine.workbook import describe

Place = tuple[str, str]  # sheet and cell; the cell is empty where the whole sheet, or the file, is meant

_ORDER = {sheet.name: position for position, sheet in enumerate(SHEETS)}
_LISTED = 8


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, what was found, what is allowed, what to do about it.

    A `warning` is worth a look and stops nothing.
    """

    sheet: str
    cell: str
    found: str
    allowed: str
    advice: str
    severity: str = "error"

    @property
    def place(self) -> str:
        """The cell as Excel writes it: `Hardware!E9`, `'Traffic mixes'!B5`."""
        if not self.cell:
            return self.sheet
        return address(self.sheet, self.cell)

    @property
    def sentence(self) -> str:
        # A clause that begins with "which" leans on what was found; any other stands for itself.
        joint = ", " if self.allowed.startswith("which ") else "; "
        found = f"{self.found}{joint}{self.allowed}" if self.allowed else self.found
        return f"{found}. {self.advice}"

    def __str__(self) -> str:
        return f"{self.place}  {self.sentence}"

    @property
    def record(self) -> dict[str, str]:
        """The problem for another program. `sheet` is the file's name, and `cell` empty, where the file is meant."""
        return {
            "place": self.place,
            "sheet": self.sheet,
            "cell": self.cell,
            "severity": self.severity,
            "message": self.sentence,
            "found": self.found,
            "allowed": self.allowed,
            "remedy": self.advice,
        }

    @property
    def order(self) -> tuple[int, int, int, str]:
        """Sorts by sheet, row and column; what concerns the file or an undeclared sheet comes first."""
        match = re.fullmatch(r"([A-Z]+)(\d+)", self.cell)
        letters, row = (match[1], int(match[2])) if match else ("", 0)
        column = sum((ord(letter) - 64) * 26**place for place, letter in enumerate(reversed(letters)))
        return _ORDER.get(self.sheet, -1), row, column, self.found


class InvalidWorkbook(Exception):  # noqa: N818 - it is the workbook that is in error
    """The workbook cannot be used. Carries every problem, warnings included, in the order of the sheets."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        super().__init__(listing(self.problems))


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems by sheet and cell, each once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.order))


def listing(problems: Sequence[Problem]) -> str:
    """One line per problem, the sentences below each other; a warning says that it is one."""
    width = max((len(problem.place) for problem in problems), default=0)
    marks = {"error": "", "warning": "warning: "}
    return "\n".join(f"{p.place:<{width}}  {marks[p.severity]}{p.sentence}" for p in problems)


def counted(problems: Sequence[Problem]) -> str:
    """How many there are: `no problems`, `2 problems and 1 warning`."""
    numbers = Counter(problem.severity for problem in problems)
    words = (("error", "problem"), ("warning", "warning"))
    parts = [f"{numbers[kind]} {word}{'s' * (numbers[kind] != 1)}" for kind, word in words if numbers[kind]]
    return " and ".join(parts) or "no problems"


def address(sheet: str, cell: str) -> str:
    """The cell as Excel writes it; a sheet name with a space is quoted."""
    return f"'{sheet}'!{cell}" if " " in sheet else f"{sheet}!{cell}"


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant: the only one that begins so, or the closest; None where none is.

    Case, spaces and hyphens make no difference. Other numbers do: they make another size, version or format.
    """
    wanted = _folded(name)
    folded = {_folded(known): known for known in names if _same_numbers(name, known)}
    begun = [known for known in folded if re.match(rf"{re.escape(wanted)}(_|$)", known)]
    matches = begun if len(begun) == 1 else get_close_matches(wanted, folded, n=1, cutoff=0.7)
    return folded[matches[0]] if matches else None


def _same_numbers(one: str, other: str) -> bool:
    """Whether two names hold the same numbers, or one of them some more."""
    first, second = (Counter(re.findall(r"\d+(?:\.\d+)?", name)) for name in (one, other))
    return first <= second or second <= first


def _folded(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().casefold())


def listed(names: Iterable[str]) -> str:
    """Names after commas, the long tail as a number."""
    first, rest = list(names)[:_LISTED], list(names)[_LISTED:]
    return ", ".join(first) + (f" and {len(rest)} more" if rest else "")


def _meant(name: str, names: Iterable[str]) -> str:
    near = nearest(name, names)
    return f"Did you mean {near}? " if near else ""


def _quoted(value: Any) -> str:
    """A cell's value as the analyst sees it."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return f"the number {describe.number(value)}"
    if isinstance(value, date):
        return f"the date {value:%Y-%m-%d}"
    return f"'{value}'" if isinstance(value, str) else str(value)


# The file, its sheets and columns


def damaged_file(file: str) -> Problem:
    return Problem(
        file, "", "is damaged or was cut short", "", "Open it in Excel, let it be repaired, and save it again."
    )


def too_large(where: str, what: str, count: int, limit: int) -> Problem:
    advice = "Delete rows and columns that it does not need, also those that look empty but hold formats, and save."
    return Problem(where, "", f"holds {count:,} {what}", f"allowed are {limit:,}", advice)


def missing_sheet(name: str, own_sheets: Sequence[str]) -> Problem:
    near = nearest(name, own_sheets)
    advice = f"Rename '{near}' to {name}." if near else "Take it from a blank workbook (the command blank writes one)."
    return Problem(name, "", "the sheet is missing", "", advice)


def empty_sheet(at: Place) -> Problem:
    return Problem(*at, "the sheet has no rows", "at least one is needed", "Fill in this row.")


def missing_column(at: Place, name: str, what: str, strange: Sequence[str] = ()) -> Problem:
    """`strange` are names that are not known here, with their cells: one of them may be the one that is missing."""
    how = "as a row of its own" if what == "setting" else "as a head in this row"
    order = f"the {what}s may stand in any order."
    found = f"the {what} {name} is missing"
    if not strange:
        return Problem(*at, found, "", f"Add it {how}; {order}")
    one = len(strange) == 1
    may_be = f"{strange[0]} may be it" if one else f"one of these may be it: {listed(strange)}"
    which = "it" if one else "the right one"
    return Problem(*at, found, may_be, f"Rename {which} to {name}, or add that {how}; {order}")


def renamed_column(at: Place, found: str, name: str, what: str) -> Problem:
    return Problem(*at, f"'{found}' is no {what} of this sheet, which needs {name}", "", f"Rename it to {name}.")


def repeated_column(at: Place, name: str, other: str) -> Problem:
    return Problem(*at, f"{name} is here a second time", f"the first is {other}", "Rename or delete one of the two.")


# What is done to cells besides filling them in


def merged(at: Place, last: str) -> Problem:
    advice = "Unmerge them (Home, Merge & Center), and fill in every cell."
    return Problem(*at, f"{at[1]}:{last} are merged", f"only {at[1]} can hold a value", advice)


def hidden_rows(at: Place, rows: Sequence[int]) -> Problem:
    which = f"rows {listed(map(str, rows))} are" if len(rows) > 1 else f"row {rows[0]} is"
    it = "they count" if len(rows) > 1 else "it counts"
    advice = f"Show {'them' if len(rows) > 1 else 'it'}, and delete what is not meant."
    return Problem(*at, f"{which} hidden, by hand or by a filter", f"{it} all the same", advice, "warning")


def asks_a_program(at: Place, formula: str) -> Problem:
    found = f"is a formula that starts or asks another program (DDE): {formula}"
    return Problem(*at, found, "", "Type the value instead, and ask who made the file.")


# Cells that hold nothing a value can be read from


def blank(at: Place, column: Column) -> Problem:
    way_out = "Fill it in, or clear the whole row." if column.key else "Fill it in."
    rule = describe.allowed(column)
    allowed = f"allowed is {rule}" if rule != "text" else f"every row needs {'a name' if column.key else 'one'}"
    return Problem(*at, f"{column.name} is blank", allowed, way_out)


def only_spaces(at: Place, column: Column) -> Problem:
    advice = "Fill it in." if column.required else "Clear the cell, or fill it in."
    return Problem(*at, f"{column.name} looks blank but holds spaces", "", advice)


def never_calculated(at: Place) -> Problem:
    found = "is a formula that was never calculated (the file was saved by a program that does not calculate)"
    return Problem(*at, found, "", "Open it in Excel, save, and run again.")


def error_value(at: Place, column: Column, value: str) -> Problem:
    allowed = f"allowed is {describe.allowed(column)}"
    return Problem(*at, f"{column.name} is the error {value}", allowed, "Correct the formula, or type the value.")


# Numbers


def text_for_number(at: Place, column: Column, text: str) -> Problem:
    """A number stored as text, a number dressed up, or no number at all."""
    value = _number_in(text)
    if value is None:
        way_out = " or ".join(("Type a number", *column.words))
        way_out += "." if column.required else ", or clear the cell where there is none."
    elif within(column, value):
        way_out = f"Type {describe.typed(column, value)} as a number."
    else:
        way_out = out_of_bounds(at, column, value).advice
    return Problem(*at, f"{column.name} is the text '{text}'", f"allowed is {describe.allowed(column)}", way_out)


def _number_in(text: str) -> float | None:
    """The number that a text shows, where there is no doubt: a comma must separate thousands."""
    bare = re.sub(r"[\s$€£]", "", text)
    match = re.fullmatch(r"([+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?)(%?)", bare)
    if not match:
        return None
    return float(match[1].replace(",", "")) / (100 if match[2] else 1)


def within(column: Column, value: float) -> bool:
    """Whether a number lies between the bounds of its column; a missing bound bounds nothing."""
    low = -math.inf if column.at_least is None else column.at_least
    high = math.inf if column.at_most is None else column.at_most
    return math.isfinite(value) and low <= value <= high


def wrong_kind(at: Place, column: Column, value: Any) -> Problem:
    """TRUE or a date where a number belongs, a number where text or a date belongs, and the like."""
    if column.unit.kind in ("date", "month"):
        advice = "Type it as a date, such as 2026-11-03, in a cell with a date format."
    elif column.unit.is_number:
        advice = "Type a number, in a cell with a number format."
    elif column.choices or column.words or column.refers_to:
        advice = "Choose one from the list."
    else:
        advice = "Type an apostrophe before it to make it text."
    return Problem(*at, f"{column.name} is {_quoted(value)}", f"allowed is {describe.allowed(column)}", advice)


def out_of_bounds(at: Place, column: Column, value: float) -> Problem:
    """A number too small or too large. A share above its bound was most likely typed without its % sign."""
    if column.unit.kind == "share":
        low, high = column.at_least or 0.0, column.at_most or 1.0
        meant = next((share for share in (value / 100, value / 1000, value / 10000) if low <= share <= high), None)
        advice = f"Type {describe.typed(column, meant)}." if meant else "Type a share within these bounds."
    elif column.unit.symbol:
        advice = f"Check the figure and its unit: the column holds {column.unit.symbol}."
    else:
        advice = "Check the figure."
    found = f"{column.name} is {describe.amount(column, value)}"
    return Problem(*at, found, f"allowed is {describe.bounds(column)}", advice)


def not_whole(at: Place, column: Column, value: float) -> Problem:
    found = f"{column.name} is {describe.amount(column, value)}"
    advice = f"Type {round(value)}, or another whole number."
    return Problem(*at, found, f"allowed is {describe.allowed(column)}", advice)


def implausible_date(at: Place, column: Column, value: date, first: int, last: int) -> Problem:
    found = f"{column.name} is {value:%Y-%m-%d}"
    return Problem(*at, found, f"allowed are the years {first} to {last}", "Check the date.")


# Names and words


def padded(at: Place, name: str) -> Problem:
    return Problem(*at, f"'{name}' has spaces around it", "", f"Type '{name.strip()}'.")


def invisible_character(at: Place, name: str) -> Problem:
    return Problem(*at, f"'{name}' holds a character that cannot be seen", "", "Type the name again by hand.")


def wildcard(at: Place, name: str) -> Problem:
    reason = "which Excel takes for placeholders when it looks a name up"
    return Problem(*at, f"'{name}' holds one of * ? ~", reason, "Rename it.")


def long_name(at: Place, name: str, most: int) -> Problem:
    found, allowed = f"'{name[:40]}...' has {len(name):,} characters", f"Excel looks up no more than {most}"
    return Problem(*at, found, allowed, "Shorten it.")


def unknown_word(at: Place, column: Column, found: str) -> Problem:
    words = column.choices or tuple(column.words)
    advice = f"{_meant(found, words)}Choose one from the list."
    return Problem(*at, f"{column.name} is '{found}'", f"allowed is {describe.allowed(column)}", advice)


def unknown_name(at: Place, name: str, sheets: tuple[str, ...], names: Sequence[str], is_blank: bool) -> Problem:
    found = f"is blank, which means '{name}', and that" if is_blank else f"'{name}'"
    has = f"which {'has' if len(sheets) == 1 else 'have'}: {listed(names)}" if names else "which has no rows"
    where = describe.sheets(sheets) if len(sheets) == 1 else f"the {' and '.join(sheets)} sheets"
    negated = "is not on" if len(sheets) == 1 else "is on neither of"
    return Problem(*at, f"{found} {negated} {where}", has, f"{_meant(name, names)}Choose one, or add a row there.")


def too_many_formulas(found: int, allowed: int, configurations: int, competitors: int) -> Problem:
    """A workbook so large that its results could not be recalculated."""
    competing = f" or of the {competitors} rows of Competitors" if competitors else ""
    return Problem(
        "Configurations",
        "",
        f"the results would hold {found:,} formulas",
        f"allowed are {allowed:,}, which is what the engine that checks them takes",
        f"Use fewer of the {configurations} configurations{competing}, or type no beside study_ settings.",
    )


def duplicate(at: Place, name: str, other: str) -> Problem:
    reason = "a name stands once (capitals make no difference)"
    return Problem(*at, f"'{name}' is already in {other}", reason, "Rename or delete one of the two.")
