"""Defects of whole sheets and columns: missing, renamed, there twice, without rows."""

from __future__ import annotations

from bad_workbooks.valid import ROWS, Defect, Edit, both, coordinate, fill, more, put
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from engine.sheets import BY_NAME, HEAD_ROW


def _head(sheet: str, column: str) -> str:
    return coordinate(sheet, column).rstrip("0123456789") + str(HEAD_ROW)


HEAD = _head("Hardware", "memory_bandwidth")


def _merge(sheet: str, cells: str) -> Edit:
    def edit(book: Workbook) -> None:
        book[sheet].merge_cells(cells)

    return edit


NAME_OF_HEADROOM = coordinate("Settings", "headroom").replace("B", "A")


def _retitle(sheet: str, name: str) -> Edit:
    def edit(book: Workbook) -> None:
        book[sheet].title = name

    return edit


def _remove(sheet: str) -> Edit:
    def edit(book: Workbook) -> None:
        del book[sheet]

    return edit


# Columns beside those of the sheet, where an analyst may have put one of them.
FURTHER, FARTHER = (get_column_letter(len(BY_NAME["Hardware"].columns) + place) for place in (1, 2))

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
        "the column memory_bandwidth is missing. Add it as a head in this row; the columns may stand in any order.",
    ),
    Defect(
        "a missing setting",
        put("Settings", NAME_OF_HEADROOM, None),
        "Settings!A4",
        "the setting headroom is missing. Add it as a row of its own; the settings may stand in any order.",
    ),
    Defect(
        "a column renamed beyond recognition",
        put("Traffic", _head("Traffic", "mean_requests"), "per second"),
        "Traffic!B4",
        "the column mean_requests is missing; 'per second' (B4) may be it. Rename it to mean_requests, or add that as "
        "a head in this row; the columns may stand in any order.",
    ),
    Defect(
        "a column moved and renamed",
        both(
            put("Hardware", HEAD, None),
            put("Hardware", f"{FARTHER}4", "our speed"),
            put("Hardware", f"{FURTHER}4", "ours"),
        ),
        "Hardware!A4",
        "the column memory_bandwidth is missing; one of these may be it: "
        f"'ours' ({FURTHER}4), 'our speed' ({FARTHER}4). "
        "Rename the right one to memory_bandwidth, or add that as a head in this row; the columns may stand in any "
        "order.",
    ),
    Defect(
        "a column moved and renamed under its unit",
        both(
            put("Hardware", HEAD, None),
            put("Hardware", f"{FURTHER}4", "ours"),
            put("Hardware", f"{FARTHER}4", "our speed"),
            put("Hardware", f"{FARTHER}3", "GB/s"),
        ),
        f"Hardware!{FARTHER}4",
        "the column memory_bandwidth is missing; one of these may be it: "
        f"'our speed' ({FARTHER}4), 'ours' ({FURTHER}4). "
        "Rename the right one to memory_bandwidth, or add that as a head in this row; the columns may stand in any "
        "order.",
    ),
    Defect(
        "two columns renamed, each in its place",
        both(put("Traffic", "B4", "per second"), put("Traffic", "C4", "at noon"), put("Traffic", "N4", "ours")),
        "Traffic!C4",
        "the column peak_requests is missing; 'at noon' (C4) may be it. Rename it to peak_requests, or add that as "
        "a head in this row; the columns may stand in any order.",
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
        "a setting renamed beyond recognition",
        put("Settings", NAME_OF_HEADROOM, "spare"),
        f"Settings!{NAME_OF_HEADROOM}",
        f"the setting headroom is missing; 'spare' ({NAME_OF_HEADROOM}) may be it. Rename it to headroom, or add that "
        "as a row of its own; the settings may stand in any order.",
    ),
    Defect(
        "a renamed setting",
        put("Settings", NAME_OF_HEADROOM, "head room"),
        f"Settings!{NAME_OF_HEADROOM}",
        "'head room' is no setting of this sheet, which needs headroom. Rename it to headroom.",
    ),
    Defect(
        "a renamed column among other names",
        put("Models", _head("Models", "kv_heads"), "KV-heads"),
        f"Models!{_head('Models', 'kv_heads')}",
        "'KV-heads' is no column of this sheet, which needs kv_heads. Rename it to kv_heads.",
    ),
    Defect(
        "a column with spaces around its name",
        put("Hardware", HEAD, " memory_bandwidth "),
        f"Hardware!{HEAD}",
        "' memory_bandwidth ' is no column of this sheet, which needs memory_bandwidth. Rename it to memory_bandwidth.",
    ),
    Defect(
        "cells merged over rows",
        both(more("Configurations", {"configuration": "second"}), _merge("Configurations", "C5:D6")),
        "Configurations!C5",
        "C5:D6 are merged; only C5 can hold a value. Unmerge them (Home, Merge & Center), and fill in every cell.",
    ),
    Defect(
        "a formula that starts a program",
        put("Hardware", "H5", "=cmd|'/c calc'!A0"),
        "Hardware!H5",
        "is a formula that starts or asks another program (DDE): =cmd|'/c calc'!A0. "
        "Type the value instead, and ask who made the file.",
    ),
    Defect(
        "a sheet without rows",
        fill("Prices", dict.fromkeys(ROWS["Prices"][0])),
        "Prices!A5",
        "the sheet has no rows; at least one is needed. Fill in this row.",
    ),
)
