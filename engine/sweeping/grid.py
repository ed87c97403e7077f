"""Grid: what a grid file asks for, checked against the workbook. Knows nothing of how it is calculated."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.formulas import FORMULAS
from engine.scenarios import ALONE, CONFIGURED, Key, Scenario
from engine.scenarios.joins import case_sources
from engine.sheets import (
    CALIBRATION,
    CHOICES,
    CONFIGURATIONS,
    HARDWARE,
    MODELS,
    PRECISIONS,
    PRICES,
    SETTINGS,
    TRAFFIC,
    Column,
)
from engine.studies.questions import base_of
from engine.units import Text, unit_of
from engine.workbook import problems
from engine.workbook.problems import Problem

_SHEETS = (CONFIGURATIONS, HARDWARE, MODELS, PRECISIONS, CALIBRATION, TRAFFIC, PRICES, SETTINGS)
# Quantities that are read from a column of another name.
_RENAMED = {"served_share": "requests_share"} | {
    choice.quantity: next(iter(choice.columns.values())) for choice in CHOICES
}
COST, SPEED, FITS, TARGET = "blended_cost", "user_speed", "fits", "meets_target"
_RESULTS = {"quantities", "best", "highest", "per"}


class GridError(Exception):
    """The grid cannot be calculated. Says everything that is wrong with it, a sentence for each."""

    def __init__(self, found: Sequence[Problem]) -> None:
        super().__init__(problems.listing(found))


@dataclass(frozen=True)
class Axis:
    """The values that one quantity takes: names, or numbers; or numbers from one to another, by their place.

    Of a range nothing is held but its ends, however many values it has.
    """

    quantity: str
    values: tuple[Any, ...] = ()
    count: int = 0
    ends: tuple[float, float] = (0.0, 0.0)
    logarithmic: bool = False

    def __len__(self) -> int:
        return len(self.values) or self.count

    @property
    def is_text(self) -> bool:
        return bool(self.values) and isinstance(self.values[0], str)

    def numbers(self, low: int, high: int) -> Any:
        """The numbers from one place up to another, the latter left out."""
        if self.values:
            return np.array(self.values[low:high], dtype=float)
        places = np.arange(low, high)
        first, last = self.ends
        parts = places / max(self.count - 1, 1)
        between = first * (last / first) ** parts if self.logarithmic else first + (last - first) * parts
        # The ends as they were given, without a last digit that rounding left.
        return np.where(places == 0, first, np.where(places == self.count - 1, last, between))


@dataclass(frozen=True)
class Grid:
    """Axes, the quantities that are wanted of every row, and how rows are ranked.

    `base` is the configuration that rows start from where no axis names some. `best` ranks, lowest first unless
    `highest`, separately for each value of the axis `per` where one is named.
    """

    axes: tuple[Axis, ...]
    quantities: tuple[str, ...]
    base: str
    best: str = COST
    highest: bool = False
    per: str = ""

    @property
    def rows(self) -> int:
        return math.prod(len(axis) for axis in self.axes)


def read_grid(path: Path, scenario: Scenario) -> Grid:
    """The grid that a TOML file asks for.

    Errors: GridError with everything that is wrong.
    """
    try:
        asked = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _refused(path.name, f"cannot be read: {error.strerror}", "Check its name.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _refused(path.name, f"is not TOML: {error}", "See the example in the README.") from None
    reader = _Reader(path.name, scenario)
    strange = [name for name in asked if name not in ("axes", "results")]
    if strange:
        reader.wrong("", f"has {problems.listed(strange)}", "which no grid has", "Write [axes] and [results].")
    wanted, given = asked.get("axes"), asked.get("results", {})
    axes = [reader.axis(name, said) for name, said in wanted.items()] if isinstance(wanted, dict) else []
    if not axes:
        form = "Write [axes], and below it one line for each, such as tensor_parallel = [2, 4]."
        reader.wrong("", "has no axes", "", form)
    grid = reader.results([axis for axis in axes if axis], given if isinstance(given, dict) else {})
    if reader.found:
        raise GridError(reader.found)
    return grid


def _refused(file: str, found: str, advice: str) -> GridError:
    return GridError([Problem(file, "", found, "", advice)])


class _Reader:
    """Reads one file, and collects what is wrong with it."""

    def __init__(self, file: str, scenario: Scenario) -> None:
        self.file, self.scenario, self.found = file, scenario, list[Problem]()
        sources = case_sources(scenario[CONFIGURED].sources)
        self.columns = {
            name: _column(name, source.annotation)
            for name, source in sources.items()
            if name not in (*ALONE, "compute") and (name == "configuration" or not isinstance(source, Key))
        }

    def wrong(self, axis: str, found: str, allowed: str, advice: str) -> None:
        self.found.append(Problem(self._place(axis), "", found, allowed, advice))

    def _place(self, axis: str) -> str:
        return f"{self.file}, {axis}" if axis else self.file

    def axis(self, name: str, said: Any) -> Axis | None:
        """One axis; None where it is not understood."""
        column = self.columns.get(name)
        if column is None:
            near = problems.nearest(name, self.columns)
            meant = f"Did you mean {near}?" if near else "See inputs/README.md for what can be varied."
            self.wrong(name, "is nothing that a configuration reads", "", meant)
            return None
        before = len(self.found)
        axis = self._range(column, said) if isinstance(said, dict) else self._list(column, said)
        return axis if len(self.found) == before else None

    def _list(self, column: Column, said: Any) -> Axis | None:
        values = said if isinstance(said, list) else [said]
        if not values:
            self.wrong(column.name, "has no values", "", "Write at least one.")
        read = [self._value(column, value) for value in values]
        if len(set(read)) < len(read):
            self.wrong(column.name, "has a value twice", "", "Leave one of them out.")
        return Axis(column.name, tuple(read))

    def _range(self, column: Column, said: Mapping[str, Any]) -> Axis | None:
        form = 'Write { from = 1, to = 8, count = 8 }, with spacing = "log" where each is a multiple of the one before.'
        first, last, count = said.get("from"), said.get("to"), said.get("count")
        ends = tuple(float(end) for end in (first, last) if isinstance(end, int | float) and not isinstance(end, bool))
        spacing = said.get("spacing", "linear")
        if len(ends) < 2 or set(said) - {"from", "to", "count", "spacing"} or spacing not in ("linear", "log"):
            self.wrong(column.name, "is not a list, and not a range", "", form)
        elif not isinstance(count, int) or isinstance(count, bool) or count < 1:
            self.wrong(column.name, f"has the count {count}", "allowed is a whole number, at least 1", form)
        elif not column.unit.is_number:
            self.wrong(column.name, "is a range", "names have none", "Write a list of names.")
        else:
            return self._spaced(column, Axis(column.name, (), count, (ends[0], ends[1]), spacing == "log"))
        return None

    def _spaced(self, column: Column, axis: Axis) -> Axis:
        for end in axis.ends:
            self._value(column, end)
        step = (axis.ends[1] - axis.ends[0]) / max(len(axis) - 1, 1)
        if axis.logarithmic and min(axis.ends) <= 0:
            self.wrong(axis.quantity, "has spacing = 'log' down to 0", "", "Begin above 0, or leave spacing out.")
        elif axis.ends[0] == axis.ends[1] and len(axis) > 1:
            self.wrong(axis.quantity, "begins where it ends", "", "Give it another end, or a count of 1.")
        elif column.whole and len(axis) > 1 and (axis.logarithmic or step != round(step)):
            self.wrong(axis.quantity, "has values between whole numbers", "", "Choose another count, or write a list.")
        return axis

    def _value(self, column: Column, value: Any) -> Any:
        """A value as the formulas take it; what is wrong with it is kept."""
        at = (self._place(column.name), "")
        if isinstance(value, str) and value in column.words:
            return column.words[value]
        if column.unit.is_number:
            if isinstance(value, str):
                self.found.append(problems.text_for_number(at, column, value))
            elif isinstance(value, bool) or not isinstance(value, int | float):
                self.found.append(problems.wrong_kind(at, column, value))
            elif not problems.within(column, value):
                self.found.append(problems.out_of_bounds(at, column, value))
            elif column.whole and value != round(value):
                self.found.append(problems.not_whole(at, column, value))
            return float(value) if isinstance(value, int | float) else str(value)
        names = self._names(column)
        if not isinstance(value, str):
            self.found.append(problems.wrong_kind(at, column, value))
        elif column.choices and value not in column.choices:
            self.found.append(problems.unknown_word(at, column, value))
        elif not column.choices and value not in names:
            self.found.append(problems.unknown_name(at, value, column.refers_to, names, False))
        return str(value)

    def _names(self, column: Column) -> list[str]:
        tables = self.scenario.inputs.tables
        keys = [tables[sheet].columns[tables[sheet].sheet.keys[0].name] for sheet in column.refers_to]
        return list(dict.fromkeys(str(name) for names in keys for name in names))

    def results(self, axes: Sequence[Axis], said: Mapping[str, Any]) -> Grid:
        """The grid of these axes, with what the table [results] says."""
        for name in set(said) - _RESULTS:
            self.wrong("results", f"has {name}", f"allowed are {', '.join(sorted(_RESULTS))}", "Leave it out.")
        best, per, more = said.get("best", COST), said.get("per", ""), said.get("quantities", [])
        more = more if isinstance(more, list) else [more]
        for name in (best, *more):
            if not isinstance(name, str) or name not in FORMULAS or unit_of(_annotation(name)).kind == "text":
                near = problems.nearest(str(name), FORMULAS)
                advice = f"Did you mean {near}?" if near else "Choose one of engine/formulas/README.md."
                self.wrong("results", f"'{name}' is no figure of a configuration", "", advice)
        if per and per not in {axis.quantity for axis in axes}:
            found = f"which is none of the axes: {_listed(axes)}"
            self.wrong("results", f"per is '{per}'", found, "Choose one of them.")
        if not isinstance(said.get("highest", False), bool):
            self.wrong("results", f"highest is {said['highest']!r}", "allowed is true or false", "Write one of them.")
        base = base_of(self.scenario)
        if base is None and not any(axis.quantity == "configuration" for axis in axes):
            self.wrong("", "names no configuration", "and none serves", 'Write configuration = ["..."] below [axes].')
        quantities = dict.fromkeys((COST, SPEED, FITS, TARGET, str(best), *map(str, more)))
        return Grid(tuple(axes), tuple(quantities), base or "", str(best), said.get("highest") is True, str(per))


def _annotation(quantity: str) -> Any:
    return FORMULAS[quantity].__annotations__["return"]


def _listed(axes: Iterable[Axis]) -> str:
    return ", ".join(axis.quantity for axis in axes)


def _column(quantity: str, annotation: Any) -> Column:
    """The column in which a quantity is filled in; of one that follows from several, any number that it may be."""
    if quantity == "configuration":
        return Column(quantity, Text, "", refers_to=(CONFIGURATIONS.name,))
    name = _RENAMED.get(quantity, quantity)
    for sheet in _SHEETS:
        for column in sheet.columns:
            if column.name == name and column.annotation is not None:
                return replace(column, name=quantity)
    share = unit_of(annotation).kind in ("share", "flag")
    return Column(quantity, annotation, "", at_least=0, at_most=1 if share else None)
