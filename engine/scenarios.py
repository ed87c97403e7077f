"""Scenarios: which rows are calculated, and where each of their inputs is read. Knows nothing of Excel's grammar.

Each grain is one table. How a quantity comes to a grain is declared once, as data (`Looked`, `Chosen`, `Mean`, ...):
this file reads the numbers by it, and the results workbook writes its live lookups by it.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from engine.calculation import Columns, calculate, depending_on
from engine.formulas import FORMULAS, LINE_FORMULAS, TOTAL_FORMULAS, Formulas, needs
from engine.sheets import (
    BY_NAME,
    CALIBRATION,
    CHOICES,
    CONFIGURATIONS,
    HARDWARE,
    MODELS,
    PRECISIONS,
    PRICES,
    SETTINGS,
    TRAFFIC,
    TRAFFIC_MIXES,
    Choice,
    Column,
    Sheet,
)
from engine.units import Count, Flag, RequestsPerSecond, Share, Text, TokensPerRequest, unit_of
from engine.workbook.read import Inputs

LINES, CONFIGURED, BY_TRAFFIC, TOTAL = "Traffic lines", "Calculation", "By traffic", "Total"


@dataclass(frozen=True)
class Key:
    """Names the row; written as text."""

    annotation: Any = Text


@dataclass(frozen=True)
class Looked:
    """Read from `column` of an input sheet, in the row whose key stands in the quantity `by` of this grain."""

    sheet: Sheet
    column: Column
    by: str

    @property
    def annotation(self) -> Any:
        # A word that stands for a number arrives as that number.
        return Count if self.column.words and self.column.unit.kind == "text" else self.column.annotation


@dataclass(frozen=True)
class Known:
    """1 where the cell that `Looked` reads is filled, 0 where it is blank."""

    looked: Looked
    annotation: Any = Flag


@dataclass(frozen=True)
class Filled:
    """The cell that `Looked` reads, or `instead` where it is blank."""

    looked: Looked
    instead: float

    @property
    def annotation(self) -> Any:
        return self.looked.annotation


@dataclass(frozen=True)
class Chosen:
    """Read from one of several columns of a sheet, chosen by a word of this row."""

    choice: Choice
    by: str

    @property
    def annotation(self) -> Any:
        return BY_NAME[self.choice.sheet].column(next(iter(self.choice.columns.values()))).annotation


@dataclass(frozen=True)
class Setting:
    """Read from the Settings sheet."""

    column: Column

    @property
    def annotation(self) -> Any:
        return self.column.annotation


@dataclass(frozen=True)
class DaysBilled:
    """Days of the report month: the setting, or the calendar's."""

    annotation: Any = SETTINGS.column("days_in_month").annotation


@dataclass(frozen=True)
class Sum:
    """Sum of a quantity over the rows of another grain that share this row's key, or over all of them.

    `where` names a flag of that grain; rows without it are left out.
    """

    grain: str
    quantity: str
    annotation: Any
    by: str = ""
    where: str = ""


@dataclass(frozen=True)
class Mean:
    """Weighted mean of a quantity over the rows of another grain that share this row's key."""

    grain: str
    quantity: str
    weight: str
    by: str
    annotation: Any


@dataclass(frozen=True)
class HasOne:
    """1 where any row of another grain that shares this row's key has the flag."""

    grain: str
    quantity: str
    by: str
    annotation: Any = Flag


Source = Key | Looked | Known | Filled | Chosen | Setting | DaysBilled | Sum | Mean | HasOne


@dataclass(frozen=True, eq=False)
class Grain:
    """One table of rows: how each input comes to it, the formulas over them, and all values.

    `guarded` quantities stand only in rows where the flag `fits` does; elsewhere they are NaN, or empty text.
    """

    name: str
    sources: Mapping[str, Source]
    formulas: Formulas
    values: Columns
    guarded: frozenset[str] = field(default=frozenset())

    def annotation(self, quantity: str) -> Any:
        """The unit a quantity of this grain is annotated with."""
        if quantity in self.sources:
            return self.sources[quantity].annotation
        return self.formulas[quantity].__annotations__["return"]

    def row(self, key: str) -> int:
        """Index of the row whose key is given."""
        return list(self.keys).index(key)

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


@dataclass(frozen=True)
class Scenario:
    """All grains of one report."""

    inputs: Inputs
    grains: Mapping[str, Grain]

    def __getitem__(self, name: str) -> Grain:
        return self.grains[name]


def month_days(inputs: Inputs) -> float:
    """Days of the report month, as set or by the calendar."""
    given = inputs.settings["days_in_month"]
    if given is not None and not np.isnan(given):
        return float(given)
    month: date = inputs.settings["report_month"]
    return float(calendar.monthrange(month.year, month.month)[1])


def _numbers(sheet: Sheet) -> Iterable[Column]:
    return (column for column in sheet.columns if column.unit.is_number or column.words)


def _all_of(sheet: Sheet, by: str) -> dict[str, Source]:
    return {column.name: Looked(sheet, column, by) for column in _numbers(sheet)}


def _line_sources() -> dict[str, Source]:
    mean = Looked(TRAFFIC, TRAFFIC.column("mean_requests"), "traffic_class")
    return {
        "traffic": Key(),
        "traffic_class": Key(),
        "mix_share": Key(Share),
        "has_demand": Known(mean),
        **_all_of(TRAFFIC, "traffic_class"),
    }


def _configuration_sources() -> dict[str, Source]:
    own = "configuration"
    share = Looked(CONFIGURATIONS, CONFIGURATIONS.column("requests_share"), own)
    texts = {
        column.name: Looked(CONFIGURATIONS, column, own)
        for column in CONFIGURATIONS.columns
        if column.name in ("model", "hardware", "precision", "calibration", "price_basis", "traffic", "price_list")
    }
    lengths = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
    choices = {choice.quantity: choice for choice in CHOICES}
    return {
        own: Key(),
        **texts,
        "compute": Looked(PRECISIONS, PRECISIONS.column("compute"), "precision"),
        **_all_of(CONFIGURATIONS, own),
        "serves": Known(share),
        "served_share": Filled(share, 1.0),
        **_all_of(HARDWARE, "hardware"),
        "peak_compute": Chosen(choices["peak_compute"], "compute"),
        "accelerator_price": Chosen(choices["accelerator_price"], "price_basis"),
        **_all_of(MODELS, "model"),
        **_all_of(PRECISIONS, "precision"),
        **_all_of(CALIBRATION, "calibration"),
        **_all_of(PRICES, "price_list"),
        "headroom": Setting(SETTINGS.column("headroom")),
        "days_in_month": DaysBilled(),
        "has_demand": HasOne(LINES, "has_demand", "traffic"),
        "mean_requests": Sum(LINES, "class_requests", RequestsPerSecond, "traffic"),
        "peak_requests": Sum(LINES, "class_peak", RequestsPerSecond, "traffic"),
        **{name: Mean(LINES, name, "class_weight", "traffic", TokensPerRequest) for name in lengths},
    }


def _sum_sources(by: str) -> dict[str, Source]:
    annotations = {name: FORMULAS[name].__annotations__["return"] for name in SUMMED}
    return {name: Sum(CONFIGURED, name, annotations[name], by, "counts") for name in SUMMED}


SUMMED = ("mean_load", "sold_tokens", "revenue", "fleet_cost", "idle_cost", "fleet_accelerators")


def _wanted(sources: Mapping[str, Source], formulas: Formulas) -> dict[str, Source]:
    """The sources that some formula needs, and the text that names rows or explains them."""
    needed = set().union(*(needs(f) for f in formulas.values()))
    return {
        name: source
        for name, source in sources.items()
        if name in needed or isinstance(source, Key) or unit_of(source.annotation).kind in ("text", "flag")
    }


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
            return np.where(np.isnan(values), instead, values)
        case Chosen(choice, by):
            sheet = BY_NAME[choice.sheet]
            key = columns[sheet.keys[0].name]
            options = {word: _look_up(inputs, sheet, key, name) for word, name in choice.columns.items()}
            return np.array([options[word][row] for row, word in enumerate(columns[by])], dtype=float)
        case Setting(column):
            return np.full(rows, float(inputs.settings[column.name]))
        case DaysBilled():
            return np.full(rows, month_days(inputs))
        case Sum(grain, quantity, _, by, where):
            values = np.nan_to_num(grains[grain].values[quantity])
            counted = values * grains[grain].values[where] if where else values
            groups = _groups(grains[grain], by, columns, rows)
            return np.array([counted[group].sum() for group in groups])
        case Mean(grain, quantity, weight, by, _):
            values, weights = grains[grain].values[quantity], grains[grain].values[weight]
            groups = _groups(grains[grain], by, columns, rows)
            return np.array([(values[group] * weights[group]).sum() / weights[group].sum() for group in groups])
        case HasOne(grain, quantity, by):
            groups = _groups(grains[grain], by, columns, rows)
            return np.array([grains[grain].values[quantity][group].max() for group in groups])
    raise TypeError(f"a key has no source: {source}")


def _look_up(inputs: Inputs, sheet: Sheet, keys: Any, name: str) -> Any:
    table = inputs.tables[sheet.name]
    row_of = {key: row for row, key in enumerate(table.columns[sheet.keys[0].name])}
    return table.columns[name][[row_of[key] for key in keys]]


def _groups(grain: Grain, by: str, columns: Columns, rows: int) -> list[Any]:
    if not by:
        return [np.ones(len(grain.keys), dtype=bool)] * rows
    return [grain.values[by] == key for key in columns[by]]


def _grain(
    name: str,
    keys: Columns,
    sources: Mapping[str, Source],
    formulas: Formulas,
    inputs: Inputs,
    grains: Mapping[str, Grain],
    guard: str = "",
) -> Grain:
    """Reads the inputs of a grain, calculates its formulas, and blanks what does not stand where the guard is 0."""
    columns: Columns = dict(keys)
    for quantity, source in sources.items():
        if quantity not in columns:
            columns[quantity] = _values_of(source, inputs, columns, grains)
    values = calculate(columns, formulas)
    guarded = frozenset(depending_on(guard, formulas)) if guard else frozenset[str]()
    for quantity in guarded:
        nothing = "" if unit_of(formulas[quantity].__annotations__["return"]).kind == "text" else np.nan
        values[quantity] = np.where(values["fits"] > 0, values[quantity], nothing)
    return Grain(name, sources, formulas, values, guarded)


def scenario(inputs: Inputs) -> Scenario:
    """Every grain of the report, joined and calculated from what the workbook holds."""
    grains: dict[str, Grain] = {}
    traffic, mixes = inputs.tables[TRAFFIC.name], inputs.tables[TRAFFIC_MIXES.name]
    classes = traffic.columns["traffic"]
    line_keys = {
        "traffic": np.concatenate([classes, mixes.columns["traffic_mix"]]),
        "traffic_class": np.concatenate([classes, mixes.columns["traffic"]]),
        "mix_share": np.concatenate([np.ones(len(classes)), mixes.columns["mix_share"]]),
    }
    grains[LINES] = _grain(LINES, line_keys, _line_sources(), LINE_FORMULAS, inputs, grains)

    configured = {"configuration": inputs.tables[CONFIGURATIONS.name].columns["configuration"]}
    sources = _wanted(_configuration_sources(), FORMULAS)
    grains[CONFIGURED] = _grain(CONFIGURED, configured, sources, FORMULAS, inputs, grains, guard="batch_size")

    served = grains[CONFIGURED].values
    names = list(dict.fromkeys(t for t, counts in zip(served["traffic"], served["counts"], strict=True) if counts > 0))
    by_traffic = {"traffic": np.array(names)}
    grains[BY_TRAFFIC] = _grain(
        BY_TRAFFIC, by_traffic, {"traffic": Key(), **_sum_sources("traffic")}, TOTAL_FORMULAS, inputs, grains
    )
    total = {"total": np.array(["Total"])}
    grains[TOTAL] = _grain(TOTAL, total, {"total": Key(), **_sum_sources("")}, TOTAL_FORMULAS, inputs, grains)
    return Scenario(inputs, grains)
