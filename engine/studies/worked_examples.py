"""Worked examples: cases with what is given and what the engine must give, read from a folder of TOML and calculated.

Knows the format (its README stands in the folder) and no quantity. A case may take the result of another one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.calculation import behind, calculate
from engine.formulas import EVERY_FORMULA, Formula
from engine.scenarios.bills import hourly_sources
from engine.sheets import CONFIGURATIONS, HARDWARE, SETTINGS, TRAFFIC

Value = float | str

PLANNED_BESIDE = {
    *("waiting_target", "service_variability", "waiting_percentile", "utilization_cap"),
    *("spare_replicas", "scales_to_zero", "start_time", "start_target", "accelerators_per_node", "scheduling"),
}
# A document knows no promised wait, no reserve, no hours and no scheduler: what it does not give has what a blank
# cell stands for.
PLAIN_FLEET: dict[str, float] = {
    **{name: 0.0 for name in hourly_sources({})},
    **{
        column.name: float(column.words.get(str(column.default), column.default))
        for sheet in (SETTINGS, HARDWARE, TRAFFIC, CONFIGURATIONS)
        for column in sheet.columns
        if column.name in PLANNED_BESIDE
    },
}
Place = tuple[str, str, str]  # file, case, quantity


class ExampleError(ValueError):
    """A file of worked examples that does not hold together; the message names file, case and what is wrong."""


@dataclass(frozen=True)
class Scale:
    """Printed units in one engine unit: `1000 ms/s` multiplies seconds by a thousand."""

    factor: float = 1.0
    unit: str = ""

    @classmethod
    def read(cls, text: str) -> Scale:
        """From the text in a file. Errors: ExampleError where it is not a number and a unit."""
        factor, _, unit = text.partition(" ")
        try:
            return cls(float(factor), unit)
        except ValueError:
            raise ExampleError(f"'{text}' is not a factor and a unit, such as '1000 ms/s'") from None


@dataclass(frozen=True)
class Figure:
    """One published figure: the row of the list, the quantity that gives it, how it was printed, and the verdict.

    `reads` is what a printed formula comes to, `right` what a wrong figure should print, `within` the relative
    tolerance that rounding explains, and `via` a result on printed intermediates that shows every printed digit.
    A row may have several figures: all must hold.
    """

    identity: str
    place: Place
    printed: str
    verdict: str
    scale: Scale = field(default_factory=Scale)
    end: str = ""
    reads: str = ""
    at_least: bool = False
    within: float = 0.0
    right: str = ""
    why: str = ""
    via: Place | None = None


@dataclass(frozen=True)
class Case:
    """One case: quantities given, quantities taken from other cases, and what must come out."""

    file: str
    name: str
    source: str
    given: Mapping[str, Value]
    taken: Mapping[str, Place]
    expect: Mapping[str, Value]
    within: float
    figures: tuple[Figure, ...]

    @property
    def place(self) -> tuple[str, str]:
        return self.file, self.name


_BASE = ".base.toml"
_FILE = {"source", "base", "given", "within", "case"}
_CASE = {"name", "source", "base", "given", "from", "expect", "within", "figures"}
_FIGURE = {"id", "quantity", "printed", "verdict", "scale", "end", "reads", "at_least", "within", "right", "why", "via"}


class Examples:
    """All cases of a folder, and their results, each calculated when it is first asked for."""

    def __init__(self, folder: Path, formulas: Mapping[str, Formula] = EVERY_FORMULA) -> None:
        self.formulas = formulas
        self.cases: dict[tuple[str, str], Case] = {}
        bases = {path.name.removesuffix(_BASE): _content(path) for path in folder.glob(f"*{_BASE}")}
        for path in sorted(folder.glob("*.toml")):
            if not path.name.endswith(_BASE):
                for case in _cases(path, bases):
                    if case.place in self.cases:
                        raise ExampleError(f"{path.name}: two cases are named '{case.name}'")
                    self.cases[case.place] = case
        if not self.cases:
            raise ExampleError(f"{folder} holds no worked examples")
        self._wanted = self._quantities()
        self._results: dict[tuple[str, str], dict[str, Value]] = {}
        self._under_way: list[tuple[str, str]] = []

    @property
    def figures(self) -> list[Figure]:
        """All figures, in the order of the files."""
        return [figure for case in self.cases.values() for figure in case.figures]

    def value(self, place: Place) -> Value:
        """A quantity of a case, given or calculated. Errors: ExampleError where there is none."""
        file, name, quantity = place
        results = self.results((file, name))
        if quantity not in results:
            raise ExampleError(f"{file}: '{name}' has no {quantity}")
        return results[quantity]

    def results(self, case: tuple[str, str]) -> dict[str, Value]:
        """Everything that is known of a case: what is given, taken and asked for."""
        if case not in self._results:
            if case not in self.cases:
                raise ExampleError(f"{case[0]} has no case '{case[1]}'")
            if case in self._under_way:
                raise ExampleError(f"{case[0]}: '{case[1]}' takes from a case that takes from it")
            self._under_way.append(case)
            self._results[case] = self._calculated(self.cases[case])
            self._under_way.pop()
        return self._results[case]

    def _calculated(self, case: Case) -> dict[str, Value]:
        given = {**case.given, **{name: self.value(place) for name, place in case.taken.items()}}
        columns = {name: np.array([value]) for name, value in given.items()}
        columns = {**{name: np.array([value]) for name, value in PLAIN_FLEET.items()}, **columns}
        needed = behind(self._wanted[case.place], columns, self.formulas)
        try:
            columns = calculate(columns, {name: self.formulas[name] for name in needed})
        except KeyError as missing:
            raise ExampleError(f"{case.file}: '{case.name}' lacks {missing}") from None
        return {name: _plain(column[0]) for name, column in columns.items()}

    def _quantities(self) -> dict[tuple[str, str], set[str]]:
        """What is asked of each case: by itself, and by those that take from it."""
        wanted = {place: set(case.expect) for place, case in self.cases.items()}
        for case in self.cases.values():
            asked = [*case.taken.values(), *(f.place for f in case.figures), *(f.via for f in case.figures if f.via)]
            for file, name, quantity in asked:
                if (file, name) not in wanted:
                    raise ExampleError(f"{case.file}: '{case.name}' takes from '{name}' of {file}, which is not there")
                wanted[file, name].add(quantity)
        return wanted


def _plain(value: Any) -> Value:
    return str(value) if isinstance(value, str) else float(value)


def _cases(path: Path, bases: Mapping[str, Mapping[str, Any]]) -> list[Case]:
    content = _content(path)
    _known(content, _FILE, path.name)
    try:
        return [_case(path, content, table, bases) for table in content["case"]]
    except KeyError as missing:
        raise ExampleError(f"{path.name} lacks {missing}") from None


def _content(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ExampleError(f"{path.name} cannot be read: {error}") from None


def _case(
    path: Path, content: dict[str, Any], table: dict[str, Any], bases: Mapping[str, Mapping[str, Any]]
) -> Case:
    where = f"{path.name}: '{table.get('name', '')}'"
    _known(table, _CASE, where)
    given: dict[str, Any] = {}
    for base in table.get("base", content.get("base", [])):
        if base not in bases:
            raise ExampleError(f"{where} is based on {base}{_BASE}, which is not there")
        given |= bases[base]
    given |= {**content.get("given", {}), **table.get("given", {})}
    taken = {quantity: _place(path, place, where) for quantity, place in table.get("from", {}).items()}
    return Case(
        path.name,
        table["name"],
        table.get("source", content.get("source", "")),
        {quantity: _plain(value) for quantity, value in given.items() if quantity not in taken},
        taken,
        table.get("expect", {}),
        table.get("within", content.get("within", 1e-6)),
        tuple(_figure(path, table["name"], figure, where) for figure in table.get("figures", [])),
    )


def _figure(path: Path, case: str, table: dict[str, Any], where: str) -> Figure:
    _known(table, _FIGURE, where)
    try:
        return Figure(
            table["id"],
            (path.name, case, table["quantity"]),
            table["printed"],
            table["verdict"],
            Scale.read(table["scale"]) if "scale" in table else Scale(),
            table.get("end", ""),
            table.get("reads", ""),
            table.get("at_least", False),
            table.get("within", 0.0),
            table.get("right", ""),
            table.get("why", ""),
            _place(path, table["via"], where) if "via" in table else None,
        )
    except KeyError as missing:
        raise ExampleError(f"{where}: a figure lacks {missing}") from None


def _place(path: Path, place: list[str], where: str) -> Place:
    """`[case, quantity]` of this file, or `[file, case, quantity]`."""
    if len(place) == 2:
        return path.name, place[0], place[1]
    if len(place) == 3:
        return f"{place[0]}.toml", place[1], place[2]
    raise ExampleError(f"{where}: {place} is not a case and a quantity")


def _known(table: dict[str, Any], keys: set[str], where: str) -> None:
    unknown = set(table) - keys
    if unknown:
        raise ExampleError(f"{where} has {', '.join(sorted(unknown))}; allowed are {', '.join(sorted(keys))}")
