"""The sheet Recommendation of results.xlsx: what to do, and which figures are values with whether they still stand.

Decides what stands in which row; knows neither openpyxl nor how anything looks.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.report.live import Live, LiveRow, LiveSheet, LiveTable, as_text, cell_of, range_of
from engine.report.values import Action, Head
from engine.scenarios import POOLS, TOTAL, WAYS, Scenario
from engine.sheets import Sheet
from engine.units import Count, DollarsPerMonth, Number, Text
from engine.workbook.tables import Row

NAME = "Recommendation"
STANDS, CHANGED = "as calculated", "inputs changed since: run the report again"
_ALMOST = "1E-9"


def recommendation(scenario: Scenario, actions: Sequence[Action], others: Sequence[LiveSheet]) -> LiveSheet:
    """Actions with their effects, which a search found, and what in this workbook is a value and no formula.

    `others` are sheets of such values that say themselves whether they still stand.
    """
    # The longest last, where it may run on.
    heads = (Head("Effect"), Head("Whether it stands"), Head("What to do"))
    rows = [LiveRow((as_text(action.effect), standing(), as_text(action.text))) for action in actions]
    nothing = "Nothing: no alternative costs less, and every traffic pays its bill."
    none = LiveRow((*[as_text("")] * 2, as_text(nothing)))
    return LiveSheet(
        NAME,
        "What we recommend",
        "Each action alone, all else as in the month. Predicted: measure before moving. Effects are found by a search.",
        (
            LiveTable(heads, tuple(rows) or (none,), "Actions, the largest effect first"),
            LiveTable(
                (
                    Head("What is a value and no formula"),
                    Head("Rests on"),
                    Head("Then", Number),
                    Head("Now", Number),
                    Head("Whether it stands"),
                ),
                tuple(_values(scenario, others)),
                "Found, drawn or laid out by the command report: run it again where it no longer stands",
            ),
        ),
        landscape=True,
    )


def _values(scenario: Scenario, others: Sequence[LiveSheet]) -> list[LiveRow]:
    total = scenario[TOTAL]
    found = [
        (what, rests_on, cell_of(total, name, "Total"), total.value(name, "Total"))
        for what, rests_on, name in (
            ("Effects of the actions above", "gross profit of the month", "gross_profit"),
            ("Alternatives that cost less", "accelerator bill of the month", "fleet_cost"),
        )
    ]
    if POOLS in scenario.grains:
        needs = scenario[POOLS].values["pool_needed_accelerators"]
        found.append(
            (
                "Where the need for rented accelerators is cut into slices",
                "accelerators needed, all hours added up",
                f"SUM({range_of(scenario[POOLS], 'pool_needed_accelerators')})",
                float(needs.sum()),
            )
        )
    rows = []
    for what, rests_on, cell, value in found:
        annotation = Count if "SUM" in cell else DollarsPerMonth
        figures = (Live(value, annotation, ""), Live(value, annotation, f"={cell}"))
        rows.append(LiveRow((as_text(what), as_text(rests_on), *figures, standing_of(cell, value))))
    if WAYS in scenario.grains:
        names = ("Volumes and crossovers on Own or rent", "figures on the sheet Searched from", "", "", "told there")
        rows.append(LiveRow(tuple(as_text(name) for name in names)))
    for sheet in others:
        names = (f"Values of {sheet.name}", sheet.title, "", "", "told there")
        rows.append(LiveRow(tuple(as_text(name) for name in names)))
    return rows


def standing_of(cell: str, value: float) -> Live:
    """Whether a live figure is still what it was when something was found by it."""
    return _verdict(_unmoved(cell, value))


def standing(*typed: tuple[float, str]) -> Live:
    """Whether what a search found still stands: all live figures are the engine's, and what is typed is what it was.

    `typed` are sums and the formulas that give them. What is only searched over moves no figure of the month, but moves
    a row of those that are compared with the engine.
    """
    unmoved = (_unmoved(cells, total) for total, cells in typed if cells)
    return _verdict(f"AND({','.join(('Run_Check=0', *unmoved))})")


def typed_numbers(scenario: Scenario, sheet: Sheet) -> tuple[float, str]:
    """The sum of all numbers that are typed on an input sheet, and its formula; empty where there are no rows."""
    table = scenario.inputs.tables[sheet.name]
    if not len(table):
        return 0.0, ""
    numbers = [column.name for column in sheet.columns if column.unit.is_number]
    first, last = Row(table, 0), Row(table, len(table) - 1)
    cells = ",".join(f"{first.cell(name)}:{last.address(name)}" for name in numbers)
    # A blank cell counts for nothing in the workbook, whatever it means.
    return float(sum(row[name] for row in table for name in numbers if not row.is_blank(name))), f"SUM({cells})"


def _unmoved(cell: str, value: float) -> str:
    value = float(value)
    return f"ABS({cell}-({value!r}))<={_ALMOST}*MAX(1,ABS({value!r}))"


def _verdict(condition: str) -> Live:
    return Live(STANDS, Text, f'=IF({condition},"{STANDS}","{CHANGED}")')
