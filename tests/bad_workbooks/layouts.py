"""Defects of whole sheets and columns: missing, renamed, there twice, without rows."""

from __future__ import annotations

from bad_workbooks.valid import ROWS, Defect, Edit, coordinate, fill, put
from openpyxl import Workbook

from engine.sheets import HEAD_ROW


def _head(sheet: str, column: str) -> str:
    return coordinate(sheet, column).rstrip("0123456789") + str(HEAD_ROW)


HEAD = _head("Hardware", "memory_bandwidth")
NAME_OF_HEADROOM = coordinate("Settings", "headroom").replace("B", "A")


def _retitle(sheet: str, name: str) -> Edit:
    def edit(book: Workbook) -> None:
        book[sheet].title = name

    return edit


def _remove(sheet: str) -> Edit:
    def edit(book: Workbook) -> None:
        del book[sheet]

    return edit


DEFECTS = (
    Defect(
        "a missing sheet",
        _remove("Prices"),
        "Prices",
        "the sheet is missing. Take it from a blank workbook (the command blank writes one).",
    ),
    Defect(
        "a renamed sheet",
        _retitle("Hardware", "hardwares"),
        "Hardware",
        "the sheet is missing. Rename 'hardwares' to Hardware.",
    ),
    Defect(
        "a missing column",
        put("Hardware", HEAD, None),
        "Hardware!A4",
        "the column memory_bandwidth is missing. Add it; the columns may stand in any order.",
    ),
    Defect(
        "a renamed column",
        put("Hardware", HEAD, "Memory bandwith"),
        f"Hardware!{HEAD}",
        "'Memory bandwith' is no column of this sheet, which needs memory_bandwidth. Rename it to memory_bandwidth.",
    ),
    Defect(
        "a column that is there twice",
        put("Hardware", "Z4", "vendor"),
        "Hardware!Z4",
        "vendor is here a second time; the first is B4. Rename or delete one of the two.",
    ),
    Defect(
        "a renamed setting",
        put("Settings", NAME_OF_HEADROOM, "head room"),
        f"Settings!{NAME_OF_HEADROOM}",
        "'head room' is no setting of this sheet, which needs headroom. Rename it to headroom.",
    ),
    Defect(
        "a sheet without rows",
        fill("Prices", dict.fromkeys(ROWS["Prices"][0])),
        "Prices!A5",
        "the sheet has no rows; at least one is needed. Fill in this row.",
    ),
)
