"""Bridge: sets a month beside the one before, and says which inputs moved. Knows neither Excel nor HTML nor files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.formulas import COMPARISON_FORMULAS
from engine.scenarios import BRIDGE_LEFT, BY_TRAFFIC, Before, Scenario, scenario, with_bridge
from engine.sheets import ACTUALS, CHANGE_LOG, EXCHANGE_RATES, Column
from engine.workbook.read import Inputs
from engine.workbook.tables import Row, Table

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
_Name = tuple[tuple[str, ...], int]
# What says where a figure came from and not what it is.
UNCOUNTED = (ACTUALS.name, CHANGE_LOG.name)


@dataclass(frozen=True)
class Change:
    """An input that is not what it was: its cell, the name of its row, and both values; a row that came or went."""

    kind: str
    sheet: str
    cell: str
    row: str
    column: Column
    before: Any = None
    now: Any = None


def left(calculated: Scenario) -> dict[str, dict[str, float]]:
    """What every traffic of a month leaves in its run, for the month after it."""
    grain = calculated[BY_TRAFFIC]
    return {
        str(key): {name: float(grain.value(name, str(key)) or 0.0) for name in BRIDGE_LEFT} for key in grain.keys
    }


def bridged(calculated: Scenario, traffics: Mapping[str, Mapping[str, float]], before: Inputs | None) -> Scenario:
    """The scenario with the bridge from the month before; the same where that month left too little to compare."""
    known = Before(traffics, _rate_ratios(calculated, before) if before else {})
    return with_bridge(calculated, known) if known.is_whole and len(calculated[BY_TRAFFIC].keys) else calculated


def _rate_ratios(calculated: Scenario, before: Inputs) -> dict[str, dict[str, float]]:
    """Of every traffic: its revenue and bill at the exchange rates of the month before, of what they are."""
    rates, then = calculated.inputs.tables[EXCHANGE_RATES.name], before.tables[EXCHANGE_RATES.name]
    known = {row["currency"]: row["exchange_rate"] for row in then}
    own = rates.columns["exchange_rate"].tolist()
    at_rates = [known.get(name, rate) for name, rate in zip(rates.columns["currency"], own, strict=True)]
    if at_rates == own:
        return {}
    table = replace(rates, columns={**rates.columns, "exchange_rate": np.array(at_rates)})
    restated = scenario(replace(calculated.inputs, tables={**calculated.inputs.tables, EXCHANGE_RATES.name: table}))
    now, other = calculated[BY_TRAFFIC], restated[BY_TRAFFIC]
    return {
        str(key): {
            ratio: float(COMPARISON_FORMULAS["ratio"](other.value(name, str(key)), now.value(name, str(key))))
            for ratio, name in (("revenue_rate_ratio", "revenue"), ("bill_rate_ratio", "fleet_cost"))
            if now.value(name, str(key)) > 0
        }
        for key in now.keys
    }


def changes(before: Inputs, now: Inputs) -> tuple[Change, ...]:
    """Every input cell that differs, sheet by sheet, rows found by their names; rows that came or went are one each."""
    return tuple(
        change
        for name, table in now.tables.items()
        if name not in UNCOUNTED and name in before.tables
        for change in _of_sheet(before.tables[name], table)
    )


def _of_sheet(before: Table, now: Table) -> Iterator[Change]:
    then, here = _named(before), _named(now)
    sheet, first = now.sheet.name, now.sheet.columns[0]
    then = {_renewed(name, then, here): row for name, row in then.items()}
    for name, row in here.items():
        if name not in then:
            yield Change(ADDED, sheet, row.cell(first.name), _words(name), first)
            continue
        for column in now.sheet.columns:
            if column.name in before.columns and not _same(then[name][column.name], row[column.name]):
                values = then[name][column.name], row[column.name]
                yield Change(CHANGED, sheet, row.cell(column.name), _words(name), column, *values)
    for name in then:
        if name not in here:
            yield Change(REMOVED, sheet, f"{sheet}, formerly {then[name].address(first.name)}", _words(name), first)


def _renewed(name: _Name, then: Mapping[_Name, Row], here: Mapping[_Name, Row]) -> _Name:
    """The name of the row that took the place of one, where one of its kind went and one came, as of a price list."""
    if name in here:
        return name
    gone, came = (
        [other for other in rows if other[0][0] == name[0][0] and other not in others]
        for rows, others in ((then, here), (here, then))
    )
    return came[0] if len(gone) == len(came) == 1 else name


def _named(table: Table) -> dict[_Name, Row]:
    """Rows by what their key columns say, and which of several of that name."""
    found: dict[_Name, Row] = {}
    for row in table:
        name = tuple(_text(row[key.name]) for key in table.sheet.keys)
        place = sum(other == name for other, _ in found)
        found[name or ("",), place] = row
    return found


def _words(name: _Name) -> str:
    return ", ".join(name[0])


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _same(before: Any, now: Any) -> bool:
    unknown = [isinstance(value, float) and np.isnan(value) for value in (before, now)]
    return all(unknown) if any(unknown) else bool(before == now)
