"""Measurements: rows of the sheet Measurements from a CSV file of measured points. Knows no workbook.

The file has the sheet's own columns, or one figure per line: its name under `metric`, then `value` and `unit`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from engine.sheets import MEASUREMENTS, Column
from engine.workbook import problems
from engine.workbook.cells import value_of
from engine.workbook.grid import ROW_LIMIT, Cell
from engine.workbook.problems import Problem, listed, listing, nearest

Row = dict[str, Any]
Line = Mapping[str, str]  # what is filled in, by head

FILE_LIMIT = 20_000_000
TEXT_LIMIT = 32_767  # of a cell in Excel
OTHER_NAMES = {
    "id": "measurement",
    "system": "hardware",
    "weight_precision": "precision",
    "n_chips": "accelerators",
    "batch_or_concurrency": "concurrency",
    "input_len": "input_tokens",
    "output_len": "output_tokens",
    "notes": "note",
}
METRIC, VALUE, UNIT = "metric", "value", "unit"
# The column that a metric belongs in, and the only unit it may have.
METRICS = {
    "output_tok_s_total": ("measured_output_speed", "tok/s"),
    "ttft_ms": ("measured_time_to_first_token", "ms"),
    "tpot_ms": ("measured_time_per_output_token", "ms"),
}
FIGURES = (
    "measured_request_rate",
    "measured_output_speed",
    "measured_time_to_first_token",
    "measured_time_per_output_token",
)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # what no cell can hold


class MeasurementsError(ValueError):
    """The file gives no rows; says of every line what is wrong with it."""

    def __init__(self, found: Sequence[Problem]) -> None:
        super().__init__(listing(found))


@dataclass(frozen=True)
class Measured:
    """The rows that a file gives, and sentences on what of it was left out."""

    rows: tuple[Row, ...]
    left_out: tuple[str, ...]


def measured_rows(path: Path) -> Measured:
    """The rows of the file, one per line; what has no column is left out, and nothing is converted.

    Errors: MeasurementsError with all that is wrong, each with its line.
    """
    (_, heads), *lines = _lines(path)
    names = _names(heads)
    if wrong := list(_wrong_heads(path.name, heads, names)):
        raise MeasurementsError(wrong)
    rows: dict[int, Row] = {}
    found: list[Problem] = []
    passed: dict[str, list[str]] = {}
    for number, cells in lines:
        place = _place(path.name, number)
        if len(cells) != len(heads):
            found.append(_ragged(place, len(cells), len(heads)))
            continue
        line = {head: cell for head, cell in zip(heads, cells, strict=True) if cell.strip()}
        metric = line.get(METRIC, "")
        if metric and metric not in METRICS:
            passed.setdefault(metric, []).append(str(number))
            continue
        rows[number], wrong = _row(line, names, place)
        found += wrong
    if found := [*found, *_repeated(path.name, rows)]:
        raise MeasurementsError(sorted(found, key=lambda problem: _number(problem.sheet)))
    if not rows:
        advice = f"Add lines with one of {', '.join(FIGURES)}, or of the metrics {', '.join(METRICS)}."
        raise MeasurementsError([Problem(path.name, "", "has no line with a figure that is kept", "", advice)])
    return Measured(tuple(rows.values()), tuple(_left_out(path.name, heads, names, passed)))


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """The cells of every line that has any, the heads first, each with its number."""
    if path.stat().st_size > FILE_LIMIT:
        raise _refused(path, f"is larger than {FILE_LIMIT // 1_000_000} MB")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True, skipinitialspace=True)
            lines = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    except (OSError, UnicodeDecodeError, csv.Error):
        raise _refused(path, "cannot be read as CSV in UTF-8") from None
    if not lines:
        raise _refused(path, "is empty")
    if len(lines) > ROW_LIMIT:
        raise _refused(path, f"has {len(lines):,} lines, and a sheet takes {ROW_LIMIT:,}")
    return lines


def _refused(path: Path, found: str) -> MeasurementsError:
    advice = "Name a CSV file of measured points, with commas between its columns."
    return MeasurementsError([Problem(path.name, "", found, "", advice)])


def _names(heads: Sequence[str]) -> dict[str, str]:
    """The head that each column of the sheet is filled from; the sheet's own name goes before another one."""
    own = {column.name: column.name for column in MEASUREMENTS.columns if column.name in heads}
    return {OTHER_NAMES[head]: head for head in heads if head in OTHER_NAMES} | own


def _wrong_heads(file: str, heads: Sequence[str], names: Mapping[str, str]) -> Iterator[Problem]:
    place = _place(file, 1)
    for head in sorted({head for head in heads if head and heads.count(head) > 1}):
        yield Problem(*place, f"{head} is there twice", "", "Rename or delete one of the two.")
    others = {name: head for head, name in OTHER_NAMES.items()}
    for column in MEASUREMENTS.columns:
        if column.required and column.name not in names:
            either = f" or {others[column.name]}" if column.name in others else ""
            yield _missing(place, column.name, either, heads)
    if METRIC in heads:
        for name in (VALUE, UNIT):
            if name not in heads:
                yield _missing(place, name, "", heads)
    elif not set(FIGURES) & set(heads):
        advice = f"Add one of {', '.join(FIGURES)}, or {METRIC}, {VALUE} and {UNIT}."
        yield Problem(*place, "there is no column of a figure", "", advice)


def _missing(place: problems.Place, name: str, either: str, heads: Sequence[str]) -> Problem:
    near = nearest(name, heads)
    advice = f"Rename {near} to it." if near else "Add it."
    return Problem(*place, f"the column {name}{either} is missing", f"there are: {listed(heads)}", advice)


def _row(line: Line, names: Mapping[str, str], place: problems.Place) -> tuple[Row, list[Problem]]:
    """The row that a line gives, and what is wrong with it."""
    texts = {name: line[head] for name, head in names.items() if head in line}
    found: list[Problem] = []
    if metric := line.get(METRIC):
        name, unit = METRICS[metric]
        if line.get(UNIT) != unit:
            found.append(_wrong_unit(place, metric, line.get(UNIT, ""), unit))
        if name in texts:
            found.append(Problem(*place, f"{name} is there twice, also as {metric}", "", "Clear one of the two."))
        texts |= {name: line[VALUE]} if VALUE in line else {}
    if not set(FIGURES) & set(texts):
        found.append(Problem(*place, "there is no measured figure", "every line needs one", "Fill it in."))
    row: Row = {}
    for column in MEASUREMENTS.columns:
        if column.name in texts:
            row[column.name] = _typed(column, texts[column.name])
        problem = _wrong_value(column, row.get(column.name), place)
        found += [problem] if problem else []
    return row, found


def _typed(column: Column, text: str) -> Any:
    """What an analyst would have typed; text that is no number or day stays text, of which the reader's rules tell."""
    if column.unit.is_number:
        return float(text) if NUMBER.fullmatch(text.strip()) else text
    if column.unit.kind == "date":
        try:
            return date.fromisoformat(text.strip())
        except ValueError:
            return text
    return text


def _wrong_value(column: Column, value: Any, place: problems.Place) -> Problem | None:
    if isinstance(value, str) and CONTROL.search(value):
        return Problem(*place, f"{column.name} holds a control character", "", "Type it again by hand.")
    if isinstance(value, str) and len(value) > TEXT_LIMIT:
        return Problem(
            *place, f"{column.name} has {len(value):,} characters", f"a cell takes {TEXT_LIMIT:,}", "Shorten it."
        )
    return value_of(column, None if value is None else Cell(value), place, {})[1]


def _repeated(file: str, rows: Mapping[int, Row]) -> Iterator[Problem]:
    """Names that stand on a line before; capitals make no difference."""
    first: dict[str, int] = {}
    for number, row in rows.items():
        name = str(row.get("measurement", ""))
        earlier = first.setdefault(name.casefold(), number)
        if name and earlier != number:
            yield problems.duplicate(_place(file, number), name, f"line {earlier}")


def _left_out(
    file: str, heads: Sequence[str], names: Mapping[str, str], passed: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    taken = {*names.values(), *((METRIC, VALUE, UNIT) if METRIC in heads else ())}
    if unknown := [head or "(without a head)" for head in heads if head not in taken]:
        yield f"Left out of {file}, for lack of a column on {MEASUREMENTS.name}: {', '.join(unknown)}"
    for metric, numbers in passed.items():
        lines = f"line{'s' * (len(numbers) > 1)} {listed(numbers)}"
        yield f"Left out of {file}, for lack of a column for the metric {metric}: {lines}"


def _place(file: str, number: int) -> problems.Place:
    return f"{file}, line {number}", ""


def _number(place: str) -> int:
    return int(place.rpartition(" ")[2])


def _ragged(place: problems.Place, found: int, wanted: int) -> Problem:
    advice = "Put quotation marks around texts with commas."
    return Problem(*place, f"there are {found} cells", f"the heads are {wanted}", advice)


def _wrong_unit(place: problems.Place, metric: str, found: str, wanted: str) -> Problem:
    said = f"the unit of {metric} is '{found}'" if found else f"{metric} has no unit"
    return Problem(*place, said, f"allowed is {wanted}", "Convert the value, or correct the unit.")
