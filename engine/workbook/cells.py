"""Cells: what one filled or blank cell means for its column, or what is wrong with it. Knows nothing of other cells.

Nothing is converted silently: text that looks like a number, a padded name or a date kept as text is a problem.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from engine.sheets import Column
from engine.workbook import problems
from engine.workbook.grid import Cell
from engine.workbook.problems import Place, Problem

Read = tuple[Any, Problem | None]  # the value, and what is wrong with it

FIRST_YEAR, LAST_YEAR = 2000, 2099
LONGEST_NAME = 255  # characters of a text that Excel looks up


def nothing(column: Column) -> Any:
    """What stands in a table where no value is known."""
    if column.words or column.unit.is_number:
        return math.nan
    return None if _is_date(column) else ""


def value_of(column: Column, cell: Cell | None, at: Place, settings: Mapping[str, Any]) -> Read:
    """The value of a cell. A blank takes its default, or the setting that its column falls back to."""
    if cell is None:
        if column.required:
            return nothing(column), problems.blank(at, column)
        return _when_blank(column, settings), None
    value = cell.value
    if cell.never_calculated:
        return nothing(column), problems.never_calculated(at)
    if cell.is_error:
        return nothing(column), problems.error_value(at, column, str(value))
    if isinstance(value, str) and not value.strip():
        return nothing(column), problems.only_spaces(at, column)
    if isinstance(value, str) and value in column.words:
        return column.words[value], None
    if column.unit.is_number:
        return _number(column, value, at)
    if _is_date(column):
        return _date(column, value, at)
    return _text(column, value, at)


def _is_date(column: Column) -> bool:
    return column.unit.kind in ("date", "month")


def _when_blank(column: Column, settings: Mapping[str, Any]) -> Any:
    if column.otherwise:
        return settings[column.otherwise]
    if column.default is None:
        return nothing(column)
    return column.words.get(column.default, column.default)


def _number(column: Column, value: Any, at: Place) -> Read:
    if isinstance(value, str):
        return math.nan, problems.text_for_number(at, column, value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan, problems.wrong_kind(at, column, value)
    if not problems.within(column, value):
        return math.nan, problems.out_of_bounds(at, column, value)
    if column.whole and value != round(value):
        return math.nan, problems.not_whole(at, column, value)
    return float(value), None


def _date(column: Column, value: Any, at: Place) -> Read:
    if not isinstance(value, date):
        return None, problems.wrong_kind(at, column, value)
    day = value.date() if isinstance(value, datetime) else value
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None, problems.implausible_date(at, column, day, FIRST_YEAR, LAST_YEAR)
    return day, None


def _text(column: Column, value: Any, at: Place) -> Read:
    if not isinstance(value, str):
        return nothing(column), problems.wrong_kind(at, column, value)
    words = column.choices or tuple(column.words)
    if not (column.key or column.refers_to or words):
        return value, None
    # A padded name still counts as the name, so that one slip is one problem.
    name = value.strip()
    if words and name not in words:
        return nothing(column), problems.unknown_word(at, column, name)
    if name != value:
        return column.words.get(name, name), problems.padded(at, value)
    if not name.isprintable():
        return name, problems.invisible_character(at, name)
    if column.key and set(name) & set("*?~"):
        return name, problems.wildcard(at, name)
    if column.key and len(name) > LONGEST_NAME:
        return name, problems.long_name(at, name, LONGEST_NAME)
    return name, None
