"""Grains: tables of rows, read by their sources and calculated by their formulas. Knows not which grains there are."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from engine.calculation import Columns, calculate, depending_on
from engine.formulas import CURRENCY_FORMULAS, Formulas, needs
from engine.scenarios.currencies import in_report_currency, rates
from engine.scenarios.sources import (
    Aggregate,
    Booked,
    CalendarDays,
    Chosen,
    Converted,
    Crossed,
    DayOf,
    DaysAhead,
    DaysBilled,
    EndDay,
    Filled,
    HasOne,
    HourShare,
    IsWord,
    Known,
    Largest,
    Looked,
    Matched,
    Mean,
    MonthStart,
    Moved,
    Named,
    OneOf,
    Paired,
    Running,
    Said,
    Setting,
    Smallest,
    Source,
    StartAhead,
    Sum,
    SumAbove,
    Varied,
    WorkingDays,
)
from engine.sheets import BY_NAME, LOAD_PROFILES, Sheet
from engine.tracing import written
from engine.units import unit_of
from engine.workbook.read import Inputs

HOURS_OF_THE_DAY = 24


_DAY_ZERO = date(1899, 12, 30)  # of a workbook
LAST_DAY = date(9999, 12, 31)


@dataclass(frozen=True, eq=False)
class Grain:
    """One table of rows: how each input comes to it, the formulas over them, and all values.

    `guarded` quantities stand only in rows where the flag `fits` does; elsewhere they are NaN, or empty text. `typed`
    are the quantities and rows in which a case types over what its source gives, `moved` those in which it takes a
    multiple of it. `unsure` quantities rest on a figure that an analyst may leave blank as unknown, and are then
    unknown themselves. `inlined` quantities have no column: the formulas of a long grain have them where they need
    them.
    """

    name: str
    sources: Mapping[str, Source]
    formulas: Formulas
    values: Columns
    guarded: frozenset[str] = field(default=frozenset())
    typed: frozenset[tuple[str, int]] = field(default=frozenset())
    unsure: frozenset[str] = field(default=frozenset())
    inlined: frozenset[str] = field(default=frozenset())
    moved: Mapping[tuple[str, int], Moved] = field(default_factory=dict)

    def annotation(self, quantity: str) -> Any:
        """The unit a quantity of this grain is annotated with."""
        if quantity in self.sources:
            return self.sources[quantity].annotation
        return self.formulas[quantity].__annotations__["return"]

    def has_column(self, quantity: str) -> bool:
        """Whether other grains can read it here: it is known, and has a column of its own."""
        return quantity in self.values and quantity not in self.inlined

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
    return calendar_days(month_ahead(inputs, 0))


def month_ahead(inputs: Inputs, months: float) -> date:
    """First day of the month so many after the report's."""
    month: date = inputs.settings["report_month"]
    years, past = divmod(month.month - 1 + int(months), 12)
    return date(month.year + years, past + 1, 1)


def calendar_days(month: date) -> float:
    """Days of a month by the calendar."""
    return float(calendar.monthrange(month.year, month.month)[1])


def working_days(inputs: Inputs) -> float:
    """Days of the report month that are not a Saturday or Sunday."""
    first: date = inputs.settings["report_month"].replace(day=1)
    return float(np.busday_count(first, first + timedelta(days=int(calendar_days(first)))))


def _hour_shares(inputs: Inputs, profiles: Any, hours: Any, is_weekend: Any, is_every_day: Any) -> Any:
    table = inputs.tables[LOAD_PROFILES.name]
    shares: dict[tuple[str, bool], dict[float, float]] = {}
    for row in table:
        for column, weekend in (("weekday_share", False), ("weekend_share", True)):
            shares.setdefault((row["load_profile"], weekend), {})[row["hour"]] = row[column]
    # Typed shares add up to the day but for their last digit; requests must do so exactly.
    parts = {kind: {hour: share / sum(of.values()) for hour, share in of.items()} for kind, of in shares.items()}
    even = 1 / HOURS_OF_THE_DAY
    return np.array(
        [
            even if every or not profile else parts[profile, bool(weekend)].get(hour, 0.0)
            for profile, hour, weekend, every in zip(profiles, hours, is_weekend, is_every_day, strict=True)
        ]
    )


def _values_of(source: Source, inputs: Inputs, columns: Columns, grains: Mapping[str, Grain]) -> Any:
    """The column that a source gives, one value per row of the grain whose keys `columns` holds."""
    rows = len(next(iter(columns.values())))
    match source:
        case Looked(sheet, column, by, placed):
            places = [int(place) - 1 for place in columns[by]] if placed else None
            return _look_up(inputs, sheet, columns[by], column.name, places)
        case Booked():
            return _booked(source, inputs, columns)
        case Paired(sheet, column, by, alone):
            one, other = (columns[name] for name in by)
            return np.where(one == other, alone, _look_up_pairs(inputs, sheet, [one, other], column.name))
        case Said(amount, word_in, word, _):
            said = _values_of(word_in, inputs, columns, grains) == word
            return np.where(said, _values_of(amount, inputs, columns, grains), 0.0)
        case DayOf(looked, instead):
            days = _values_of(looked, inputs, columns, grains)
            return np.array([instead if day is None else day_number(day) for day in days], dtype=float)
        case MonthStart():
            return np.full(rows, float(day_number(inputs.settings["report_month"].replace(day=1))))
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
            return CURRENCY_FORMULAS["converted_price"](amounts, rates(inputs, currencies))
        case Setting(column):
            return np.full(rows, float(inputs.settings[column.name]))
        case DaysBilled():
            return np.full(rows, month_days(inputs))
        case CalendarDays():
            return np.full(rows, calendar_days(month_ahead(inputs, 0)))
        case WorkingDays():
            return np.full(rows, working_days(inputs))
        case HourShare(profile, hour, is_weekend, is_every_day):
            return _hour_shares(inputs, *(columns[name] for name in (profile, hour, is_weekend, is_every_day)))
        case IsWord(by, word):
            return np.where(columns[by] == word, 1.0, 0.0)
        case DaysAhead(by):
            billed = None if np.isnan(inputs.settings["days_in_month"]) else inputs.settings["days_in_month"]
            return np.array([billed or calendar_days(month_ahead(inputs, months)) for months in columns[by]])
        case StartAhead(by, later):
            return np.array([day_number(month_ahead(inputs, months + later)) for months in columns[by]])
        case EndDay(looked):
            return np.array([day_number(day or LAST_DAY) for day in _values_of(looked, inputs, columns, grains)])
        case OneOf(looked, words):
            return np.where(np.isin(_values_of(looked, inputs, columns, grains), words), 1.0, 0.0)
        case Crossed(sheet, by, across):
            crossings = zip(columns[by], columns[across], strict=True)
            return np.array([_look_up(inputs, sheet, [key], name)[0] if key else 1.0 for key, name in crossings])
        case Running(grain, quantity, _, order):
            places, values = grains[grain].values[order], np.nan_to_num(grains[grain].values[quantity])
            return np.array([values[(places > 0) & (places <= here)].sum() for here in columns[order]])
        case Sum(grain, quantity, _, by, where, weight):
            values = np.nan_to_num(grains[grain].values[quantity])
            counted = values * grains[grain].values[where] if where else values
            counted = counted * grains[grain].values[weight] if weight else counted
            return _of_groups(grains[grain], by, columns, lambda group: counted[group].sum())
        case SumAbove(grain, quantity, by, high, level, _):
            finer = grains[grain].values
            levels = zip(_groups(grains[grain], by, columns, rows), columns[level], strict=True)
            return np.array([finer[quantity][group][finer[high][group] > least].sum() for group, least in levels])
        case Matched(grain, quantity, _, by):
            values = grains[grain].values[quantity]
            return np.array([values[matching_rows(grains[grain], by, columns, row)].sum() for row in range(rows)])
        case Mean(grain, quantity, weight, by, _):
            values, weights = grains[grain].values[quantity], grains[grain].values[weight]

            def mean(group: Any) -> Any:
                return (values[group] * weights[group]).sum() / weights[group].sum()

            return _of_groups(grains[grain], by, columns, mean)
        case HasOne(grain, quantity, by):
            values = grains[grain].values[quantity]
            return _of_groups(grains[grain], by, columns, lambda group: values[group].max())
        case Largest(grain, quantity, by, _):
            values = grains[grain].values[quantity]
            return _of_groups(grains[grain], by, columns, lambda group: values[group].max(initial=0.0))
        case Smallest(grain, quantity, by, _):
            values = grains[grain].values[quantity]
            return _of_groups(grains[grain], by, columns, lambda group: values[group].min())
        case Varied(grain, quantity, by, _):
            return grains[grain].values[quantity][[grains[grain].row(key) for key in columns[by]]]
        case Named(grain, by):
            return np.array([grains[grain].values[name][0] for name in columns[by]], dtype=float)
    raise TypeError(f"a key has no source: {source}")


def day_number(day: date) -> int:
    """The number by which a workbook counts a day."""
    return (day - _DAY_ZERO).days


def _look_up(inputs: Inputs, sheet: Sheet, keys: Any, name: str, places: list[int] | None = None) -> Any:
    """The cells of a column, in the rows of these keys; at these places where they are given."""
    table = inputs.tables[sheet.name]
    if places is None:
        row_of = {key: row for row, key in enumerate(table.columns[sheet.keys[0].name])}
        places = [row_of[key] for key in keys]
    return table.columns[name][places]


def _look_up_pairs(inputs: Inputs, sheet: Sheet, keys: Sequence[Any], name: str) -> Any:
    table = inputs.tables[sheet.name]
    names = zip(*(table.columns[key.name] for key in sheet.keys), strict=True)
    value_of = dict(zip(names, table.columns[name], strict=True))
    return np.array([value_of.get(pair, 0.0) for pair in zip(*keys, strict=True)], dtype=float)


def _booked(source: Booked, inputs: Inputs, columns: Columns) -> Any:
    """The sum over the rows of a line in the month of each row; NaN where there are none."""
    booked = inputs.tables[source.sheet.name].columns
    prices = booked["unit_price"]
    amounts = {
        "amount": booked["amount"],
        "priced": booked["amount"] * np.nan_to_num(prices),
        "unpriced": np.where(np.isnan(prices), booked["amount"], 0.0),
    }[source.how]
    numbers = np.array([month_number(month) for month in booked["actual_month"]])
    rows = [(booked["line"] == source.line) & (numbers == number) for number in columns[source.by]]
    return np.array([amounts[row].sum() if row.any() else np.nan for row in rows])


def month_number(month: date) -> int:
    """Months since the year 0, by which months are compared."""
    return 12 * month.year + month.month


def _of_groups(grain: Grain, by: str | tuple[str, ...], columns: Columns, figure: Callable[[Any], Any]) -> Any:
    """For each row a figure of the rows of the other grain that share its key; worked out once for each key."""
    groups = _groups(grain, by, columns, len(next(iter(columns.values()))))
    known: dict[int, Any] = {}
    for group in groups:
        if id(group) not in known:
            known[id(group)] = figure(group)
    return np.array([known[id(group)] for group in groups])


def _groups(grain: Grain, by: str | tuple[str, ...], columns: Columns, rows: int) -> list[Any]:
    """For each row, which rows of the other grain share its key, or its keys."""
    if not by:
        return [np.ones(len(grain.keys), dtype=bool)] * rows
    names = (by,) if isinstance(by, str) else by
    places: dict[tuple[Any, ...], list[int]] = {}
    for place, key in enumerate(zip(*(grain.values[name] for name in names), strict=True)):
        places.setdefault(key, []).append(place)
    keys = list(zip(*(columns[name] for name in names), strict=True))
    shared = {key: np.array(places.get(key, []), dtype=int) for key in dict.fromkeys(keys)}
    return [shared[key] for key in keys]


def matching_rows(grain: Grain, by: Sequence[tuple[Sequence[str], Sequence[str]]], columns: Columns, row: int) -> Any:
    """Which rows of the other grain match a row in every pair of names; a blank one matches all."""
    matching = np.ones(len(grain.keys), dtype=bool)
    for own, others in by:
        same = np.zeros(len(grain.keys), dtype=bool)
        for name in own:
            for other in others:
                same |= (grain.values[other] == columns[name][row]) | (grain.values[other] == "")
            same |= columns[name][row] == ""
        matching &= same
    return matching


def rows_behind(source: Aggregate, finer: Grain, columns: Columns, row: int) -> list[int]:
    """Numbers of the rows of the finer grain that an aggregate goes over, for one row of its own grain."""
    if isinstance(source, Matched):
        return np.flatnonzero(matching_rows(finer, source.by, columns, row)).tolist()
    own = {name: values[row : row + 1] for name, values in columns.items()}
    rows: list[int] = np.arange(len(finer.keys))[_groups(finer, source.by, own, 1)[0]].tolist()
    return rows


def named_once(formulas: Formulas) -> list[str]:
    """Steps of an operating point, such as a pass, that one formula alone names, and names once."""
    users: dict[str, list[str]] = {}
    for name, formula in formulas.items():
        for quantity in needs(formula):
            users.setdefault(quantity, []).append(name)
    return [
        quantity
        for quantity, by in users.items()
        if len(by) == 1
        and quantity in formulas
        and hasattr(formulas[quantity], "__origin__")
        and written(formulas[by[0]], "<{}>".format).count(f"<{quantity}>") == 1
    ]


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
    inlined: Iterable[str] = (),
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
    changed = {(quantity, row): to for row, change in enumerate(changes) for quantity, to in change.items()}
    moved = {spot: to for spot, to in changed.items() if isinstance(to, Moved)}
    typed = frozenset(set(changed) - set(moved))
    unsure = frozenset(q for blank in unknown for q in depending_on(blank, formulas) if q in formulas)
    return Grain(name, sources, formulas, values, guarded, typed, unsure, frozenset(inlined), moved)


def _typed_over(values: Any, quantity: str, changes: Sequence[Mapping[str, Any]]) -> Any:
    if not any(quantity in change for change in changes):
        return values
    given = (change.get(quantity, value) for value, change in zip(values.tolist(), changes, strict=True))
    return np.array([to.value if isinstance(to, Moved) else to for to in given])
