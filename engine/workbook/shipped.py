"""Shipped: the workbooks that the project writes by itself: examples and the empty one. Knows no figure in them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from engine.catalogue import (
    FACTS,
    INPUTS,
    MONTHS,
    PUBLISHED_CASES,
    catalogue,
    drivers,
    end_of_month,
    example,
    published_cases,
    uncertain,
)
from engine.sheets import SENSITIVITY, SETTINGS, UNCERTAINTY
from engine.workbook.blank import Rows, write_blank


def write_examples(folder: Path = INPUTS) -> list[Path]:
    """The example workbooks, one for each month, and the published cases; the same files give the same bytes."""
    workbooks = {name: example(month) for month, name in MONTHS.items()} | {PUBLISHED_CASES: published_cases()}
    for name, rows in workbooks.items():
        write_blank(folder / name, rows, today=end_of_month(rows[SETTINGS.name][0]["report_month"]))
    return [folder / name for name in workbooks]


def write_blank_workbook(path: Path) -> Path:
    """A workbook to fill in: empty, but for the formats, speed parameters and drivers that every one begins with."""
    write_blank(path, given_rows(), today=date.today())
    return path


def given_rows() -> Rows:
    """The rows that every workbook begins with, by sheet: formats, speed parameters and how far they err, drivers."""
    facts = {FACTS[name].name: catalogue(name) for name in ("precisions", "calibration")}
    return {**facts, SENSITIVITY.name: drivers(), UNCERTAINTY.name: uncertain()}
