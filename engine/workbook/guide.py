"""Guide: inputs/README.md, for whoever fills in a workbook, from the declaration of its sheets. Knows no values."""

from __future__ import annotations

from collections.abc import Sequence

from engine.sheets import SHEETS, Column, Sheet
from engine.workbook import describe
from engine.workbook.cover import LEGEND, STEPS

INTRODUCTION = """\
<!-- Generated from engine/sheets.py by engine/workbook/guide.py; `make golden` writes it anew. -->
# What to fill in

One workbook is one month. Everything here is also in the workbook: select a cell, and a prompt says what belongs there.

| In this folder | What it is |
|---|---|
| `example.xlsx`, `example-october.xlsx` | two months of an example company: real hardware and models, assumed traffic |
| `published-cases.xlsx` | cases of published documents, each with the assumptions of its document |
| `catalogue/` | public facts with source and date: accelerators, models, precisions, calibration |

An empty workbook, with formats and speed parameters filled in (accelerators and models to copy in are in
`catalogue/`): `.venv/bin/python -m engine blank inputs/december.xlsx`."""

TOGETHER = """\
## How the sheets work together

* A **configuration** names a row of Models, Hardware, Precisions, Calibration and Prices, and a traffic. Add the row
  there first, then choose it by name.
* A **traffic** is a class of requests (Traffic) or a mix (Traffic mixes).
* A **mix** is a customer group: a share of the requests of one class or several. A configuration that names a mix is
  timed at the request-weighted mean of their lengths; their peaks are taken to fall together.
* **requests_share** is the share of its traffic's requests that a configuration serves. What all configurations serve
  of a class, directly or through a mix, adds to 100 %. Blank is an alternative: costed as if it served all of the
  traffic, compared, and in no total.
* **requested_batch_size** is how many sequences a replica decodes together: a number, or `max` for as many as memory
  and the engine allow. A larger batch usually costs less per token, and each user waits longer for the next one.
* A class **without demand** (both requests blank) has no load of its own: its configurations say `assumed_utilization`.
* A **measured_output_speed** takes the place of the predicted throughput in cost and fleet. Step time and first token
  stay predicted.
* The columns of Calibration need no change. A row of your own is for a stack that you have measured.

## What is checked

* In the workbook, as you type: the sheet **Checks** counts blanks that must be filled, numbers below zero, names that
  are on no sheet or stand twice, and compares the oldest `checked_on` of each sheet with the staleness limit and the
  requests served of each class with 100 %. Its verdict, `Master_Check`, stands on the cover.
* By the program: `.venv/bin/python -m engine check inputs/december.xlsx` lists every problem and every doubt, each with
  its cell, what is allowed and what to do. So does the report, before anything is calculated.
* A number stored as text, a padded name, a percent typed as 60, a date as text, an error value or a formula that was
  never calculated is a problem. Nothing is converted in silence.
* Left in peace: sheets and columns of your own, the order of columns, whatever stands above the heads."""


def guide() -> str:
    """The whole of inputs/README.md."""
    colours = _table(("Style of a cell", "Meaning"), [meaning.split(": ", 1) for _, _, meaning in LEGEND])
    parts = [
        INTRODUCTION,
        "## How to fill it in",
        "As on the workbook's cover:",
        "\n".join(f"* **{name}.** {text}" for name, text in STEPS).replace("<", "\\<"),
        "## How cells look",
        "Inputs are blue on yellow. The other styles are those of the results workbook.",
        colours,
        TOGETHER,
    ]
    for sheet in SHEETS:
        parts += [f"## {sheet.name}", sheet.purpose, _columns(sheet)]
    return "\n\n".join(parts) + "\n"


def _columns(sheet: Sheet) -> str:
    """Every column of a sheet, or every setting."""
    heads = ("Setting" if sheet.vertical else "Column", "Unit", "Allowed", "Blank means", "What it is")
    return _table(heads, [_line(sheet, column) for column in sheet.columns])


def _line(sheet: Sheet, column: Column) -> tuple[str, ...]:
    allowed = describe.allowed(column)
    if column.key:
        names = " and ".join(key.name for key in sheet.keys)
        allowed += ", no two alike" if len(sheet.keys) == 1 else f", no two rows with the same {names}"
    blank = "must be filled" if column.required else describe.blank(column)
    return f"`{column.name}`", describe.unit(column), allowed, blank, column.help


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
