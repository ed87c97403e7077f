"""Pieces: one piece of a plan as it is sent and kept: its record, and its rows as a parquet file."""

from __future__ import annotations

from typing import Any

from engine.formulas import FORMULAS
from engine.sweeping.folder import parquet
from engine.sweeping.plans import Plan
from engine.units import Unit, unit_of

Outcome = tuple[dict[str, Any], bytes | None]


def piece(planned: Plan, number: int) -> Outcome:
    """One piece: its record, and its rows as a file where every row is kept."""
    record = planned.calculate(number)
    columns = record.pop("columns", None)
    if columns is None:
        return record, None
    rows = columns.pop("row")
    return record, parquet({"row": rows, **planned.values_of(rows), **columns}, units(planned))


def units(planned: Plan) -> dict[str, Unit]:
    """The unit of each figure that is kept."""
    return {name: unit_of(FORMULAS[name].__annotations__["return"]) for name in planned.graph.outputs}
