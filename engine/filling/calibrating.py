"""Calibrating: the points of the sheet Measurements as figures to fit on, and fitted rows typed into a copy.

Knows no cell and no fit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from engine.catalogue import catalogue
from engine.measured import Point, folded
from engine.sheets import CALIBRATION, CONFIGURATIONS, HARDWARE, MEASUREMENTS, MODELS, PRECISIONS
from engine.workbook.adding import add_rows
from engine.workbook.copying import Book, Copy, Target, copied
from engine.workbook.tables import Inputs, Tables

Row = Mapping[str, Any]

# Columns of a measurement, the metric they are, and how many of its units one of theirs makes.
FIGURES = {
    "measured_output_speed": "output_tok_s_total",
    "measured_time_to_first_token": "ttft_ms",
    "measured_time_per_output_token": "tpot_ms",
}
OWN = "own"  # the source of the analyst's own points


def own_points(tables: Tables) -> list[Point]:
    """The figures of the sheet Measurements with what they ran on, or why that is not known.

    An accelerator, model or precision that the workbook does not have is looked for in the catalogue.
    """
    facts = {
        HARDWARE.name: _by_name(tables, HARDWARE.name, "hardware", "accelerators"),
        MODELS.name: _by_name(tables, MODELS.name, "model", "models"),
        PRECISIONS.name: _by_name(tables, PRECISIONS.name, "precision", "precisions"),
    }
    return [point for row in tables[MEASUREMENTS.name] for point in _points(row, facts)]


def _by_name(tables: Tables, sheet: str, key: str, shipped: str) -> dict[str, Row]:
    """Rows of the catalogue and, before them, of the workbook, by their folded name."""
    known = {folded(row[key]): row for row in catalogue(shipped)}
    own = {folded(row[key]): {name: row[name] for name in row.table.columns} for row in tables[sheet]}
    return {**known, **own}


def _points(row: Any, facts: Mapping[str, Mapping[str, Row]]) -> list[Point]:
    named = {
        "id": row["measurement"],
        "source_key": OWN,
        "source": row["source"],
        "system": row["hardware"],
        "model": row["model"],
        "weight_precision": row["precision"],
        "engine": row["engine"],
        "notes": row["note"],
    }
    quantities, reason = _quantities(row, facts)
    figures = {metric: row[name] for name, metric in FIGURES.items()}
    if math.isnan(figures["output_tok_s_total"]) and row["output_tokens"] > 0:
        figures["output_tok_s_total"] = row["measured_request_rate"] * row["output_tokens"]
    return [
        Point({**named, "metric": metric, "value": str(value)}, value, quantities, reason)
        for metric, value in figures.items()
        if value > 0
    ]


def _quantities(row: Any, facts: Mapping[str, Mapping[str, Row]]) -> tuple[dict[str, float], str]:
    """What a measurement ran on; empty with a reason where something is not known."""
    found: list[Row] = []
    for sheet, key in ((HARDWARE, "hardware"), (MODELS, "model"), (PRECISIONS, "precision")):
        fact = facts[sheet.name].get(folded(row[key]))
        if fact is None:
            return {}, f"{row[key]} is neither on the sheet {sheet.name} nor in the catalogue"
        found.append(fact)
    chip, shape, precision = found
    for name in ("input_tokens", "output_tokens"):
        if not row[name] > 0:
            return {}, f"{name} is blank"
    peak = chip.get(f"{precision['compute']}_compute")
    if peak is None or not peak > 0:
        return {}, f"{row['hardware']} has no {precision['compute']}_compute"
    numbers = {**_numbers(MODELS, shape), **_numbers(HARDWARE, chip), **_numbers(PRECISIONS, precision)}
    year = row["measured_on"].year if isinstance(row["measured_on"], date) else 0
    told = {
        "peak_compute": float(peak),
        "input_tokens": row["input_tokens"],
        "output_tokens": row["output_tokens"],
        "measured_accelerators": row["accelerators"],
        "tensor_parallel": row["accelerators"],
        "pipeline_stages": 1.0,
        "measured_groups": 1.0,
        "measured_users": row["concurrency"],
        "engine_year": float(year),
        "accelerator_measured": 1.0,
        "model_measured": 1.0,
    }
    return {**numbers, **told}, ""


def _numbers(sheet: Any, row: Row) -> dict[str, float]:
    """The numbers of a row; what is blank is what its column says, and nothing where that is not known."""
    found = {}
    for column in sheet.columns:
        if column.unit.is_number:
            value = row.get(column.name)
            default = column.default if isinstance(column.default, int | float) else math.nan
            found[column.name] = float(default if value is None else value)
    return found


def calibrated(
    inputs: Inputs, rows: Sequence[Row], uses: Mapping[str, str], target: Target
) -> Copy:
    """A copy with these rows on Calibration, typed over those of their names, and the configurations that use them.

    `uses` maps a configuration to the row it is calibrated by from now on. Errors: as `copied` and `add_rows`.
    """

    def change(book: Book) -> list[str]:
        named = [{"configuration": name, "calibration": row} for name, row in uses.items()]
        return [*add_rows(book, CALIBRATION, rows, over=True), *add_rows(book, CONFIGURATIONS, named, over=True)]

    return copied(Path(inputs.path), target, change)
