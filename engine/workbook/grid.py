"""Grid: a workbook's filled cells as they stand in the file. Knows openpyxl's reading side, no meaning of a cell.

The file is read twice, because openpyxl gives either formulas or the values they had when the file was saved.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from openpyxl import load_workbook


@dataclass(frozen=True)
class Cell:
    """One filled cell: its value, the formula behind it if any, and whether it shows an error such as #N/A."""

    value: Any
    formula: str = ""
    is_error: bool = False

    @property
    def never_calculated(self) -> bool:
        return bool(self.formula) and self.value is None


Grid = dict[tuple[int, int], Cell]  # by row and column, both from 1


def grids(data: bytes, wanted: Collection[str]) -> tuple[dict[str, Grid], list[str]]:
    """The cells of the wanted sheets, and the names of all worksheets.

    Errors: whatever openpyxl raises on a damaged file.
    """
    with warnings.catch_warnings():
        # What openpyxl would lose on saving does not matter here: nothing is saved.
        warnings.simplefilter("ignore")
        formulas = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        values = load_workbook(io.BytesIO(data), read_only=True, keep_links=False, data_only=True)
        names = [sheet.title for sheet in formulas.worksheets]
        return {name: dict(_cells(formulas[name], values[name])) for name in names if name in wanted}, names


def _cells(formulas: Any, values: Any) -> Iterator[tuple[tuple[int, int], Cell]]:
    for sheet in (formulas, values):
        # A stored dimension may be wrong, or a whole sheet; the rows themselves tell how far they go.
        sheet.reset_dimensions()
    for formula_row, value_row in zip(formulas.iter_rows(), values.iter_rows(), strict=True):
        for formula, value in zip(formula_row, value_row, strict=True):
            is_formula = formula.data_type == "f"
            # A formula that gives empty text is Excel's way of leaving a cell blank.
            blank = formula.value is None or formula.value == "" or (is_formula and value.data_type == "str")
            if not blank:
                text = str(getattr(formula.value, "text", formula.value)) if is_formula else ""
                yield (formula.row, formula.column), Cell(value.value, text, value.data_type == "e")
