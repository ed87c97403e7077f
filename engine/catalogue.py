"""Catalogue: the public facts, the example and the published cases that ship as CSV in inputs/catalogue.

Does not know what a figure means. A cell becomes what its column is declared to hold; a blank cell is left out.
"""

from __future__ import annotations

import calendar
import csv
from datetime import date
from pathlib import Path
from typing import Any

from engine.sheets import (
    ACTUALS,
    BUDGETS,
    BY_NAME,
    CALIBRATION,
    CHANGE_LOG,
    COMMITMENTS,
    COMPETITORS,
    CONFIGURATIONS,
    HARDWARE,
    LOAD_PROFILES,
    MODELS,
    OTHER_COSTS,
    PRECISIONS,
    PRICES,
    SCENARIOS,
    SEASONS,
    SENSITIVITY,
    SETTINGS,
    TRAFFIC,
    TRAFFIC_MIXES,
    UNCERTAINTY,
    Column,
    Sheet,
)

Row = dict[str, Any]

INPUTS = Path(__file__).parents[1] / "inputs"
FOLDER = INPUTS / "catalogue"
FACTS = {"accelerators": HARDWARE, "models": MODELS, "precisions": PRECISIONS, "calibration": CALIBRATION}
EXAMPLE = FOLDER / "example"
OWN = {
    "configurations": CONFIGURATIONS,
    "traffic": TRAFFIC,
    "load_profiles": LOAD_PROFILES,
    "seasons": SEASONS,
    "traffic_mixes": TRAFFIC_MIXES,
    "prices": PRICES,
    "other_costs": OTHER_COSTS,
    "competitors": COMPETITORS,
    "commitments": COMMITMENTS,
    "scenarios": SCENARIOS,
    "uncertainty": UNCERTAINTY,
    "actuals": ACTUALS,
    "change_log": CHANGE_LOG,
}
# The example as it stands is November; a month before it is a file of what was different.
MONTHS = {"november": "example.xlsx", "october": "example-october.xlsx"}
PUBLISHED = FOLDER / "published"
PUBLISHED_CASES = "published-cases.xlsx"
# What a document's own row of speed parameters leaves blank.
ROOFLINE = "published: hard maximum, no overheads"


def catalogue(name: str) -> list[Row]:
    """All rows of `accelerators`, `models`, `precisions` or `calibration`, by column."""
    return _rows(FOLDER / f"{name}.csv", FACTS[name])


def priors() -> list[dict[str, str]]:
    """What is thought of the speed parameters before any measurement, as text by column."""
    return _table(FOLDER / "priors.csv")


def left_out() -> list[dict[str, Any]]:
    """Median errors of the shipped calibration by what was left out of the fit, as `calibrate` wrote them."""
    rows = _table(FOLDER / "left_out.csv")
    return [{name: text if name == "left_out" else float(text) for name, text in row.items()} for row in rows]


def drivers() -> list[Row]:
    """The drivers that every workbook begins with."""
    return _rows(FOLDER / "sensitivity.csv", SENSITIVITY)


def uncertain() -> list[Row]:
    """The uncertain inputs that every workbook begins with."""
    return _rows(FOLDER / "uncertainty.csv", UNCERTAINTY)


def example(month: str) -> dict[str, list[Row]]:
    """The rows of every sheet of the example workbook; Settings is one row.

    `month` is one of MONTHS. Errors: FileNotFoundError for another.
    """
    sheets = {sheet.name: _rows(EXAMPLE / f"{name}.csv", sheet) for name, sheet in OWN.items()}
    sheets[SETTINGS.name] = [_settings(EXAMPLE)]
    sheets[SENSITIVITY.name] = drivers()
    sheets[UNCERTAINTY.name] += uncertain()
    used = _table(EXAMPLE / "uses.csv")
    for name, sheet in FACTS.items():
        rows = {row[sheet.keys[0].name]: row for row in catalogue(name)}
        sheets[sheet.name] = [rows[use["key"]] for use in used if use["sheet"] == sheet.name]
    for own in _rows(EXAMPLE / "hardware.csv", HARDWARE):
        _merge(sheets[HARDWARE.name], own)
    if month != "november":
        _change(sheets, EXAMPLE / f"{month}.csv")
    end = end_of_month(sheets[SETTINGS.name][0]["report_month"])
    sheets[CHANGE_LOG.name] = [row for row in sheets[CHANGE_LOG.name] if row["changed_on"] <= end]
    # What is invoiced and metered is known only of months that are over; budgets are made ahead.
    sheets[ACTUALS.name] = [row for row in sheets[ACTUALS.name] if row["line"] in BUDGETS or row["actual_month"] <= end]
    return sheets


def published_cases() -> dict[str, list[Row]]:
    """The rows of every sheet of the published cases, each document's with its own assumptions; Settings is one row."""
    declared = {**OWN, **FACTS}
    files = {path.stem for path in PUBLISHED.glob("*.csv")}
    sheets = {sheet.name: _rows(PUBLISHED / f"{name}.csv", sheet) for name, sheet in declared.items() if name in files}
    roofline = next(row for row in catalogue("calibration") if row["calibration"] == ROOFLINE)
    sheets[CALIBRATION.name] = [roofline, *({**roofline, **own} for own in sheets[CALIBRATION.name])]
    return {**sheets, SETTINGS.name: [_settings(PUBLISHED)]}


def _merge(rows: list[Row], own: Row) -> None:
    """Own cells replace those of the accelerator of that name, or make a new one."""
    for row in rows:
        if row["hardware"] == own["hardware"]:
            row.update(own)
            return
    rows.append(own)


def _change(sheets: dict[str, list[Row]], path: Path) -> None:
    """Cells that held something else in that month; a blank value clears the cell."""
    for change in _table(path):
        sheet = BY_NAME[change["sheet"]]
        rows = sheets[sheet.name]
        row = rows[0] if sheet.vertical else next(r for r in rows if r[sheet.keys[0].name] == change["key"])
        row.pop(change["column"], None)
        if change["value"]:
            row[change["column"]] = _cell(sheet.column(change["column"]), change["value"])


def _settings(folder: Path) -> Row:
    values = {line["setting"]: line["value"] for line in _table(folder / "settings.csv")}
    return {name: _cell(SETTINGS.column(name), text) for name, text in values.items() if text}


def end_of_month(month: date) -> date:
    """The last day of a month, of which any day is given."""
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def _rows(path: Path, sheet: Sheet) -> list[Row]:
    return [{name: _cell(sheet.column(name), text) for name, text in line.items() if text} for line in _table(path)]


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines, strict=True))


def _cell(column: Column, text: str) -> Any:
    """What an analyst would have typed: a number, a day, or text."""
    if text in column.words:
        return text
    if column.unit.kind in ("date", "month"):
        return date.fromisoformat(text)
    return float(text) if column.unit.is_number else text
