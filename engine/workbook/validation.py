"""Validation: prompt, dropdown and refusal of every input cell. Knows columns and Excel's rules, no values."""

from __future__ import annotations

from typing import Any

import numpy as np
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from engine.sheets import BY_NAME, FIRST_ROW, Column, Sheet
from engine.workbook import describe
from engine.workbook.cells import FIRST_YEAR, LAST_YEAR

LAST_ROW = 200  # validations reach to here; rows below are read all the same
LONGEST_TEXT = 1000
TITLE_LIMIT, TEXT_LIMIT = 32, 255  # Excel calls a file damaged whose prompts are longer


def validation(sheet: Sheet, column: Column, cells: str) -> DataValidation:
    """The validation of these cells of a column. The reader checks again, because what is pasted is not validated."""
    first = cells.split(":")[0]
    rule = _rule(sheet, column, first)
    rejection = f"{_capital(describe.allowed(column))}."
    result = DataValidation(
        **rule,
        allow_blank=not column.required,
        showInputMessage=True,
        promptTitle=_within(column.name, TITLE_LIMIT),
        prompt=_within(describe.prompt(column), TEXT_LIMIT),
        showErrorMessage=True,
        errorTitle=_within(column.name, TITLE_LIMIT),
        error=_within(rejection, TEXT_LIMIT),
    )
    if len(column.refers_to) > 1:
        # A list offers the names of one sheet; those of the others are typed, and Excel asks whether that is meant.
        result.errorStyle = "warning"
    result.add(cells)
    return result


def _rule(sheet: Sheet, column: Column, first: str) -> dict[str, Any]:
    """What Excel accepts; `first` is the top cell, to which formulas are relative."""
    if column.refers_to:
        return {"type": "list", "formula1": _names_of(BY_NAME[column.refers_to[0]])}
    words = column.choices or (() if column.unit.is_number else tuple(column.words))
    if words:
        return {"type": "list", "formula1": f'"{",".join(words)}"'}
    if column.unit.is_number:
        return _number_rule(column, first)
    if column.unit.kind in ("date", "month"):
        first_day, last_day = f"DATE({FIRST_YEAR},1,1)", f"DATE({LAST_YEAR},12,31)"
        return {"type": "date", "operator": "between", "formula1": first_day, "formula2": last_day}
    if column.key and len(sheet.keys) == 1:
        letters, row = first.rstrip("0123456789"), first.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        return {"type": "custom", "formula1": f"COUNTIF(${letters}${row}:${letters}${LAST_ROW},{first})=1"}
    return {"type": "textLength", "operator": "lessThanOrEqual", "formula1": str(LONGEST_TEXT)}


def _number_rule(column: Column, first: str) -> dict[str, Any]:
    low, high = (_plain(bound) for bound in (column.at_least, column.at_most))
    if not column.words:
        kind = "whole" if column.whole else "decimal"
        return {"type": kind, "operator": "between", "formula1": low, "formula2": high}
    whole = f",{first}=INT({first})" if column.whole else ""
    words = "".join(f',{first}="{word}"' for word in column.words)
    # AND weighs all its parts, and text times 1 would be an error: IF comes first.
    within = f"AND({first}>={low},{first}<={high}{whole})"
    return {"type": "custom", "formula1": f"IF(ISNUMBER({first}),{within},OR(FALSE{words}))"}


def _names_of(sheet: Sheet) -> str:
    """The keys of another sheet as a list without the blanks below them."""
    column = get_column_letter(1 + sheet.columns.index(sheet.keys[0]))
    name = f"'{sheet.name}'" if " " in sheet.name else sheet.name
    top = f"{name}!${column}${FIRST_ROW}"
    return f"OFFSET({top},0,0,MAX(1,COUNTA({top}:${column}${LAST_ROW})),1)"


def _plain(bound: float | None) -> str:
    """A bound without an exponent, which Excel's dialogs show oddly."""
    if bound is None:
        raise ValueError("a number that analysts type needs both bounds")
    return np.format_float_positional(bound, trim="-")


def _capital(phrase: str) -> str:
    return phrase[0].upper() + phrase[1:]


def _within(text: str, limit: int) -> str:
    if len(text) > limit:
        raise ValueError(f"Excel shows at most {limit} characters: {text!r}")
    return text
