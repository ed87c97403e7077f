"""Additions: rows of catalogue, config.json, price list or measured points, typed into a copy. Knows no cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from engine.catalogue import catalogue
from engine.filling import UnknownNameError
from engine.filling.benchmarks import benchmark_rows
from engine.filling.competitor_prices import competitor_rows, same_model, without_rows
from engine.filling.measurements import measured_rows
from engine.filling.model_config import model_row
from engine.sheets import CALIBRATION, COMPETITORS, HARDWARE, MEASUREMENTS, MODELS, Sheet
from engine.workbook.adding import add_rows, names_on
from engine.workbook.copying import Book, Copy, Target, copied
from engine.workbook.problems import listed, nearest

Row = dict[str, Any]


def add_model(source: str, workbook: Path, target: Target, *, name: str, checked_on: date) -> Copy:
    """A copy with one more row on Models: of the catalogue, or where `source` is a .json file, of that.

    `name` is what the row is called where it is not blank; `checked_on` the day the file was looked at.
    Errors: UnknownNameError, ConfigError; as `copied` and `add_rows`.
    """
    if source.lower().endswith(".json"):
        row = {**model_row(Path(source), name), "checked_on": checked_on}
    else:
        row = _from_catalogue("models", MODELS, source, name)
    return _added(workbook, target, MODELS, [row])


def add_hardware(source: str, workbook: Path, target: Target, *, name: str) -> Copy:
    """A copy with one more row on Hardware, of the catalogue. Errors: UnknownNameError; as `copied` and `add_rows`."""
    return _added(workbook, target, HARDWARE, [_from_catalogue("accelerators", HARDWARE, source, name)])


def add_calibration(source: str, workbook: Path, target: Target, *, over: bool) -> Copy:
    """A copy with one more row on Calibration, of the catalogue; `over` types over the row of that name.

    Errors: UnknownNameError; as `copied` and `add_rows`.
    """
    return _added(workbook, target, CALIBRATION, [_from_catalogue("calibration", CALIBRATION, source, "")], over=over)


def add_prices(
    providers: Sequence[str], models: Sequence[str], workbook: Path, target: Target, *, over: bool
) -> Copy:
    """A copy with the prices of these providers' models on Competitors; `over` types over the rows that are there.

    A new row is for the model of that name on Models, where there is one.
    Errors: UnknownNameError; as `copied` and `add_rows`.
    """
    rows = competitor_rows(providers, models)

    def change(book: Book) -> list[str]:
        ours, there = names_on(book, MODELS), {name.casefold() for name in names_on(book, COMPETITORS)}
        new = {row["competitor"]: same_model(row, ours) for row in rows if row["competitor"].casefold() not in there}
        filled = [{**row, "for_model": new[row["competitor"]]} if new.get(row["competitor"]) else row for row in rows]
        lines = add_rows(book, COMPETITORS, filled, over=over)
        return [f"{line}{_for(new.get(row['competitor']))}" for line, row in zip(lines, rows, strict=True)]

    copy = copied(workbook, target, change)
    of = f" with {' or '.join(models)} in its name" if models else ""
    silent = (f"no row of {name} is added: it sells no model{of} by tokens" for name in without_rows(providers, rows))
    return replace(copy, notes=(*copy.notes, *silent))


def _for(model: str | None) -> str:
    """What is said of a new row; of one that was there nothing."""
    if model is None:
        return ""
    return f", for {model}" if model else ", for_model blank: no such name on Models"


def add_measurements(
    file: Path, workbook: Path, target: Target, *, over: bool, ran_on: Mapping[str, Any] | None = None
) -> Copy:
    """A copy with the points of a CSV file, or a benchmark's JSON file, on Measurements.

    `over` types over the rows that are there, `ran_on` is what a benchmark's file does not say.
    Errors: MeasurementsError; as `copied` and `add_rows`.
    """
    if file.suffix.lower() == ".json":
        rows = benchmark_rows(file, ran_on or {})
        return copied(workbook, target, lambda book: add_rows(book, MEASUREMENTS, rows, over=over))
    measured = measured_rows(file)
    return copied(
        workbook,
        target,
        lambda book: [*add_rows(book, MEASUREMENTS, measured.rows, over=over), *measured.left_out],
    )


def _added(workbook: Path, target: Target, sheet: Sheet, rows: Sequence[Row], *, over: bool = False) -> Copy:
    return copied(workbook, target, lambda book: add_rows(book, sheet, rows, over=over))


def _from_catalogue(kind: str, sheet: Sheet, source: str, name: str) -> Row:
    """The row of the catalogue, under another name where one is given; capitals make no difference."""
    key = sheet.keys[0].name
    rows = {row[key]: row for row in catalogue(kind)}
    found = next((row for known, row in rows.items() if known.casefold() == source.casefold()), None)
    if found is None:
        near = [known for known in rows if source.casefold() in known.casefold()] or [nearest(source, rows)]
        meant = f"did you mean {listed(filter(None, near))}?" if any(near) else f"it has: {listed(rows)}"
        raise UnknownNameError(f"'{source}' is not in inputs/catalogue/{kind}.csv; {meant}")
    return {**found, key: name or found[key]}
