"""Grains: tables of rows, read by their sources and calculated by their formulas. Knows not which grains there are."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from engine.calculation import Columns, calculate, depending_on
from engine.formulas import BILLING_FORMULAS, Formulas
from engine.scenarios.currencies import in_report_currency, rates
from engine.scenarios.sources import (
    CalendarDays,
    Chosen,
    Converted,
    DaysBilled,
    Filled,
    HasOne,
    HourShare,
    IsWord,
    Known,
    Largest,
    Looked,
    Mean,
    Setting,
    Smallest,
    Source,
    Sum,
    SumAbove,
    Varied,
    WorkingDays,
)
from engine.sheets import BY_NAME, LOAD_PROFILES, Sheet
from engine.units import unit_of
from engine.workbook.read import Inputs

HOURS_OF_THE_DAY = 24


@dataclass(frozen=True, eq=False)
class Grain:
    """One table of rows: how each input comes to it, the formulas over them, and all values.

    `guarded` quantities stand only in rows where the flag `fits` does; elsewhere they are NaN, or empty text. `typed`
    are the quantities and rows in which a case types over what its source gives. `unsure` quantities rest on a figure
    that an analyst may leave blank as unknown, and are then unknown themselves.
    """

    name: str
    sources: Mapping[str, Source]
    formulas: Formulas
    values: Columns
    guarded: frozenset[str] = field(default=frozenset())
    typed: frozenset[tuple[str, int]] = field(default=frozenset())
    unsure: frozenset[str] = field(default=frozenset())

    def annotation(self, quantity: str) -> Any:
        """The unit a quantity of this grain is annotated with."""
        if quantity in self.sources:
            return self.sources[quantity].annotation
        return self.formulas[quantity].__annotations__["return"]

    def row(self, key: str) -> int:
        """Index of the row whose key is given."""
        return self._rows[key]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.keys)}

    @property
    def keys(self) -> Any:
        return next(iter(self.values.values()))

    def value(self, quantity: str, key: str) -> Any:
        """One value; None where the quantity does not stand in that row."""
        return self.at(quantity, self.row(key))

    def at(self, quantity: str, row: int) -> Any:
        """The same by the row's number."""
        value = self.values[quantity][row]
        return None if isinstance(value, float | np.floating) and np.isnan(value) else value


def month_days(inputs: Inputs) -> float:
    """Days of the report month, as set or by the calendar."""
    given = inputs.settings["days_in_month"]
    if given is not None and not np.isnan(given):
        return float(given)
    return calendar_days(inputs)


def calendar_days(inputs: Inputs) -> float:
    """Days of the report month by the calendar."""
    month: date = inputs.settings["report_month"]
    return float(calendar.monthrange(month.year, month.month)[1])


def working_days(inputs: Inputs) -> float:
    """Days of the report month that are not a Saturday or Sunday."""
    first: date = inputs.settings["report_month"].replace(day=1)
    return float(np.busday_count(first, first + timedelta(days=int(calendar_days(inputs)))))


def _hour_shares(inputs: Inputs, profiles: Any, hours: Any, is_weekend: Any, is_every_day: Any) -> Any:
    table = inputs.tables[LOAD_PROFILES.name]
    shares = {(row["load_profile"], row["hour"]): (row["weekday_share"], row["weekend_share"]) for row in table}
    even = 1 / HOURS_OF_THE_DAY
    return np.array(
        [
            even if every or not profile else shares.get((profile, hour), (0.0, 0.0))[int(weekend)]
            for profile, hour, weekend, every in zip(profiles, hours, is_weekend, is_every_day, strict=True)
        ]
    )


def _values_of(source: Source, inputs: Inputs, columns: Columns, grains: Mapping[str, Grain]) -> Any:
    """The column that a source gives, one value per row of the grain whose keys `columns` holds."""
    rows = len(next(iter(columns.values())))
    match source:
        case Looked(sheet, column, by):
            return _look_up(inputs, sheet, columns[by], column.name)
        case Known(looked):
            return np.where(np.isnan(_values_of(looked, inputs, columns, grains)), 0.0, 1.0)
        case Filled(looked, instead):
            values = _values_of(looked, inputs, columns, grains)
            other = _values_of(instead, inputs, columns, grains) if isinstance(instead, Looked) else instead
            return np.where(np.isnan(values), other, values)
        case Chosen(choice, by, named):
            sheet = BY_NAME[choice.sheet]
            options = {word: _look_up(inputs, sheet, columns[named], name) for word, name in choice.columns.items()}
            return np.array([options[word][row] for row, word in enumerate(columns[by])], dtype=float)
        case Converted(amount):
            amounts, currencies = (_values_of(s, inputs, columns, grains) for s in (amount, source.currency))
            return BILLING_FORMULAS["converted_price"](amounts, rates(inputs, currencies))
        case Setting(column):
            return np.full(rows, float(inputs.settings[column.name]))
        case DaysBilled():
            return np.full(rows, month_days(inputs))
        case CalendarDays():
            return np.full(rows, calendar_days(inputs))
        case WorkingDays():
            return np.full(rows, working_days(inputs))
        case HourShare(profile, hour, is_weekend, is_every_day):
            return _hour_shares(inputs, *(columns[name] for name in (profile, hour, is_weekend, is_every_day)))
        case IsWord(by, word):
            return np.where(columns[by] == word, 1.0, 0.0)
        case Sum(grain, quantity, _, by, where, weight):
            values = np.nan_to_num(grains[grain].values[quantity])
            counted = values * grains[grain].values[where] if where else values
            counted = counted * grains[grain].values[weight] if weight else counted
            groups = _groups(grains[grain], by, columns, rows)
            return np.array([counted[group].sum() for group in groups])
        case SumAbove(grain, quantity, by, high, level, _):
            finer = grains[grain].values
            above = [finer[high] > least for least in columns[level]]
            groups = _groups(grains[grain], by, columns, rows)
            return np.array([finer[quantity][g & a].sum() for g, a in zip(groups, above, strict=True)])
        case Mean(grain, quantity, weight, by, _):
            values, weights = grains[grain].values[quantity], grains[grain].values[weight]
            groups = _groups(grains[grain], by, columns, rows)
            return np.array([(values[group] * weights[group]).sum() / weights[group].sum() for group in groups])
        case HasOne(grain, quantity, by):
            groups = _groups(grains[grain], by, columns, rows)
            return np.array([grains[grain].values[quantity][group].max() for group in groups])
        case Largest(grain, quantity, by, _):
            groups = _groups(grains[grain], by, columns, rows)
            return np.array([grains[grain].values[quantity][group].max() for group in groups])
        case Smallest(grain, quantity, by, _):
            groups = _groups(grains[grain], by, columns, rows)
            return np.array([grains[grain].values[quantity][group].min() for group in groups])
        case Varied(grain, quantity, by, _):
            return grains[grain].values[quantity][[grains[grain].row(key) for key in columns[by]]]
    raise TypeError(f"a key has no source: {source}")


def _look_up(inputs: Inputs, sheet: Sheet, keys: Any, name: str) -> Any:
    table = inputs.tables[sheet.name]
    row_of = {key: row for row, key in enumerate(table.columns[sheet.keys[0].name])}
    return table.columns[name][[row_of[key] for key in keys]]


def _groups(grain: Grain, by: str, columns: Columns, rows: int) -> list[Any]:
    if not by:
        return [np.ones(len(grain.keys), dtype=bool)] * rows
    return [grain.values[by] == key for key in columns[by]]


def make_grain(
    name: str,
    keys: Columns,
    sources: Mapping[str, Source],
    formulas: Formulas,
    inputs: Inputs,
    grains: Mapping[str, Grain],
    guards: Iterable[str] = (),
    changes: Sequence[Mapping[str, Any]] = (),
    unknown: Iterable[str] = (),
) -> Grain:
    """Reads the inputs of a grain, calculates its formulas, and blanks what does not stand where the guard is 0."""
    columns: Columns = dict(keys)
    sources = in_report_currency(sources, inputs)
    for quantity, source in sources.items():
        if quantity not in columns:
            columns[quantity] = _typed_over(_values_of(source, inputs, columns, grains), quantity, changes)
    values = calculate(columns, formulas)
    guarded = frozenset(name for guard in guards for name in depending_on(guard, formulas) if name in formulas)
    for quantity in guarded:
        nothing = "" if unit_of(formulas[quantity].__annotations__["return"]).kind == "text" else np.nan
        values[quantity] = np.where(values["fits"] > 0, values[quantity], nothing)
    typed = frozenset((quantity, row) for row, change in enumerate(changes) for quantity in change)
    unsure = frozenset(q for blank in unknown for q in depending_on(blank, formulas) if q in formulas)
    return Grain(name, sources, formulas, values, guarded, typed, unsure)


def _typed_over(values: Any, quantity: str, changes: Sequence[Mapping[str, Any]]) -> Any:
    if not any(quantity in change for change in changes):
        return values
    given = zip(values.tolist(), changes, strict=True)
    return np.array([change.get(quantity, value) for value, change in given])
