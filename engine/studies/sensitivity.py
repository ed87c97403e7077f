"""Sensitivity: what each driver does to the month and to one configuration, two at a time, and whole scenarios.

The month is calculated again with inputs changed. For the configuration that questions start from, drivers become
cases, which are rows of the model like any other. Knows neither Excel nor HTML.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from engine.scenarios import (
    ACROSS,
    CONFIGURED,
    DOWN,
    TOTAL,
    Case,
    Combination,
    Grain,
    Moved,
    Scenario,
    around_the_clock,
    month_alone,
)
from engine.sheets import BY_NAME, CONFIGURATIONS, SCENARIOS, SENSITIVITY
from engine.studies.shifts import ImpossibleShiftError, Shift, shifting
from engine.studies.variants import LARGEST_BATCH, Changes, named
from engine.units import plain, show
from engine.workbook.drivers import input_columns
from engine.workbook.read import Inputs
from engine.workbook.tables import Row

STUDY = "sensitivity"
LOW, HIGH = SIDES = ("low", "high")
KEPT, REFILLED = MODES = ("batch kept", "batch refilled")
AS_IT_IS = "as it is"
OUTCOMES = ("gross_profit", "gross_margin", "revenue", "fleet_cost")
NEAR = 1e-12


@dataclass(frozen=True)
class Side:
    """A driver moved one way: its words, the shift, and for one by a share the cell that holds it."""

    words: str
    shift: Shift
    share_in: tuple[str, str, int] | None = None


@dataclass(frozen=True)
class Driver:
    name: str
    sides: Mapping[str, Side]
    pair: str
    steps: int


@dataclass(frozen=True)
class Outcome:
    """The month with something changed: its figures, or the reason why there are none."""

    figures: Mapping[str, float]
    reason: str = ""


@dataclass(frozen=True)
class Pair:
    """Two drivers at several values each: their words, and by mode and place across and down a combination.

    Where the two cannot be, there is the reason in its place.
    """

    across: str
    down: str
    columns: tuple[str, ...]
    lines: tuple[str, ...]
    combinations: Mapping[tuple[str, int, int], Combination]
    reasons: Mapping[tuple[int, int], str]


@dataclass(frozen=True)
class Sensitivity:
    """All answers. `names` has the case of a driver, side and mode; a driver that moves nothing there has none."""

    drivers: tuple[Driver, ...]
    month: Mapping[tuple[str, str], Outcome]  # by driver and side
    cases: tuple[Case, ...]
    names: Mapping[tuple[str, str, str], str]
    bases: Mapping[str, str]  # by mode, the case as it is
    reasons: Mapping[tuple[str, str], str]
    scenarios: Mapping[tuple[str, str], Outcome]  # by scenario and mode
    pairs: tuple[Pair, ...]

    @property
    def combinations(self) -> tuple[Combination, ...]:
        """Those of all pairs, one after the other."""
        return tuple(combination for pair in self.pairs for combination in pair.combinations.values())


def drivers_of(inputs: Inputs) -> tuple[Driver, ...]:
    """The drivers of the sheet Sensitivity, in its order."""
    return tuple(_driver(row) for row in inputs.tables[SENSITIVITY.name])


def _driver(row: Row) -> Driver:
    sides = {}
    for side in SIDES:
        share, value = row[f"{side}_change"], row[f"{side}_value"]
        if not math.isnan(share):
            place = (SENSITIVITY.name, f"{side}_change", row.index)
            sides[side] = Side(_percent(share), _shift(row, share=share), place)
        elif not math.isnan(value):
            sides[side] = Side(_figure(row, value), _shift(row, value=value))
    return Driver(str(row["driver"]), sides, str(row["pair"]), int(row["steps"]))


def _shift(row: Row, share: float | None = None, value: float | str | None = None) -> Shift:
    return Shift(str(row["input_sheet"]), tuple(input_columns(row)), str(row["input_row"]), share, value)


def _percent(share: float) -> str:
    return f"{'+' if share > 0 else ''}{plain(share * 100)}%"


def _figure(row: Row, value: float) -> str:
    """A value as its column shows it."""
    column = BY_NAME[str(row["input_sheet"])].column(input_columns(row)[0])
    return show(value, column.annotation)


def sensitivity(scenario: Scenario, base: str) -> Sensitivity:
    """What every driver and scenario does: to the month, and to the configuration `base` at both modes of its batch."""
    inputs, drivers = scenario.inputs, drivers_of(scenario.inputs)
    by_mode = {mode: _in_mode(scenario, mode) for mode in MODES}
    shift = shifting(by_mode[KEPT])
    month: dict[tuple[str, str], Outcome] = {}
    moved: dict[tuple[str, str], Changes] = {}
    reasons: dict[tuple[str, str], str] = {}
    joined = _row_of(around_the_clock(inputs), base)
    for driver in drivers:
        for name, side in driver.sides.items():
            try:
                changed = shift([side.shift])
            except ImpossibleShiftError as impossible:
                month[driver.name, name] = Outcome({}, str(impossible))
                reasons[driver.name, name] = str(impossible)
                continue
            month[driver.name, name] = _outcome(scenario, month_alone(changed))
            moved[driver.name, name] = _changes(joined, _row_of(around_the_clock(changed), base), side)
    batch = {KEPT: float(scenario[CONFIGURED].value("batch_size", base)), REFILLED: LARGEST_BATCH}
    variants: dict[tuple[str, str, str], tuple[str, Changes]] = {}
    for mode in MODES:
        variants["", "", mode] = (f"{AS_IT_IS}, {mode}", {"requested_batch_size": batch[mode]})
        for (driver_name, side_name), changes in moved.items():
            if changes:
                words = f"{driver_name} {side_name}, {mode}"
                variants[driver_name, side_name, mode] = (words, {**changes, "requested_batch_size": batch[mode]})
    cases = named(STUDY, base, variants.values()) if drivers else []
    names = {key: case.name for key, case in zip(variants, cases, strict=bool(cases))}
    bases = {mode: names["", "", mode] for mode in MODES if names}
    return Sensitivity(
        drivers,
        month,
        tuple(cases),
        {key: name for key, name in names.items() if key[0]},
        bases,
        reasons,
        _scenarios(scenario, by_mode),
        tuple(_pairs(drivers, inputs, base, joined, bases)),
    )


def _in_mode(scenario: Scenario, mode: str) -> Inputs:
    """The inputs with every batch as large as it runs, or as memory allows; one that follows demand still does."""
    inputs, grain = scenario.inputs, scenario[CONFIGURED]
    table = inputs.tables[CONFIGURATIONS.name]
    asked = table.columns["requested_batch_size"]
    words = CONFIGURATIONS.column("requested_batch_size").words
    runs = np.nan_to_num(grain.values["batch_size"], nan=LARGEST_BATCH) if mode == KEPT else LARGEST_BATCH
    sizes = np.where(asked == words["demand"], asked, runs)
    # What does not fit runs at no batch, and is asked for as it was.
    sizes = np.where(grain.values["fits"] > 0, sizes, asked)
    changed = replace(table, columns={**table.columns, "requested_batch_size": sizes})
    return replace(inputs, tables={**inputs.tables, CONFIGURATIONS.name: changed})


def _outcome(scenario: Scenario, changed: Scenario) -> Outcome:
    """The figures of a month, unless something that serves in the report no longer fits."""
    before, after = scenario[CONFIGURED], changed[CONFIGURED]
    for row, key in enumerate(before.keys):
        if before.at("counts", row) and not after.at("fits", row):
            return Outcome({}, f"{key} does not fit: {after.at('reason', row)}")
    total = changed[TOTAL]
    return Outcome({name: total.at(name, 0) for name in OUTCOMES})


def _row_of(grain: Grain, key: str) -> Mapping[str, Any]:
    """What a configuration is joined from, but for the words that it looks figures up by."""
    row = grain.row(key)
    figures = (name for name in grain.sources if grain.values[name].dtype.kind == "f")
    return {name: float(grain.values[name][row]) for name in figures}


def _changes(before: Mapping[str, float], after: Mapping[str, float], side: Side) -> Changes:
    """The joined figures that a driver moves: by the share in its cell where they follow it, else typed over."""
    changes: dict[str, Any] = {}
    for name in _moved(before, after):
        follows = side.share_in is not None and _follows(before[name], after[name], side.shift.share)
        changes[name] = Moved(after[name], (side.share_in,)) if follows and side.share_in else after[name]
    return changes


def _moved(before: Mapping[str, float], after: Mapping[str, float]) -> list[str]:
    """Names of the figures that differ, by more than a sum over other weights may."""
    return [
        name
        for name, value in after.items()
        if not math.isclose(value, before[name], rel_tol=NEAR) and not math.isnan(value + before[name])
    ]


def _follows(was: float, value: float, share: float | None) -> bool:
    return share is not None and math.isclose(value, was * (1 + share), rel_tol=NEAR)


def _scenarios(scenario: Scenario, by_mode: Mapping[str, Inputs]) -> dict[tuple[str, str], Outcome]:
    """The month of each scenario of the sheet in both modes, after the month as it is."""
    rows: dict[str, list[Shift]] = {}
    for row in scenario.inputs.tables[SCENARIOS.name]:
        share, value = row["change"], row["new_value"]
        shift = _shift(row, share=share) if not math.isnan(share) else _shift(row, value=_new(row, value))
        rows.setdefault(str(row["scenario"]), []).append(shift)
    found: dict[tuple[str, str], Outcome] = {}
    for mode, inputs in by_mode.items():
        shift_all = shifting(inputs)
        for name, shifts in {AS_IT_IS: [], **rows}.items() if rows else ():
            try:
                found[name, mode] = _outcome(scenario, month_alone(shift_all(shifts)))
            except ImpossibleShiftError as impossible:
                found[name, mode] = Outcome({}, str(impossible))
    return found


def _new(row: Row, value: float) -> float | str:
    return str(row["new_name"]) if math.isnan(value) else value


def _pairs(
    drivers: Sequence[Driver], inputs: Inputs, base: str, joined: Mapping[str, float], cases: Mapping[str, str]
) -> Iterator[Pair]:
    """Every two drivers of a pair at all their values: what each combination moves of each mode’s case."""
    by_pair: dict[str, list[Driver]] = {}
    for driver in drivers:
        by_pair.setdefault(driver.pair, []).append(driver)
    shift = shifting(inputs)

    def joined_at(*steps: Side | None) -> Mapping[str, float] | str:
        """The configuration's joined figures with these shifts, or why they cannot be."""
        try:
            return _row_of(around_the_clock(shift([step.shift for step in steps if step])), base)
        except ImpossibleShiftError as impossible:
            return str(impossible)

    for name, two in by_pair.items():
        if not name or len(two) != 2:
            continue
        across, down = (_steps(driver) for driver in two)
        alone = [[joined_at(step) for step in steps] for steps in (across, down)]
        apart = _apart(joined, *alone)
        rows, reasons = dict[tuple[str, int, int], Combination](), dict[tuple[int, int], str]()
        for (i, one), (j, other) in product(enumerate(across), enumerate(down)):
            first, second = alone[0][i], alone[1][j]
            after = first if isinstance(first, str) else second
            if not isinstance(after, str):
                # Where the drivers move different figures, what both do is what each does.
                after = {**after, **_only(joined, first)} if apart else joined_at(one, other)
            if isinstance(after, str):
                reasons[i, j] = after
                continue
            shares = _share(one), _share(other)
            changes = _changes_by(joined, after, *shares)
            words = f"{two[0].name} {_words(one)}, {two[1].name} {_words(other)}"
            for mode, case in cases.items():
                rows[mode, i, j] = Combination(f"{words}, {mode}", case, *shares, changes)
        yield Pair(two[0].name, two[1].name, tuple(map(_words, across)), tuple(map(_words, down)), rows, reasons)


def _only(before: Mapping[str, float], after: Mapping[str, float] | str) -> dict[str, float]:
    """The figures that differ; none where there are no figures."""
    return {} if isinstance(after, str) else {name: after[name] for name in _moved(before, after)}


def _apart(before: Mapping[str, float], *sides: Sequence[Mapping[str, float] | str]) -> bool:
    """Whether two drivers move different figures."""
    first, second = (set[str]().union(*(_only(before, after) for after in steps)) for steps in sides)
    return not first & second


def _changes_by(before: Mapping[str, float], after: Mapping[str, float], across: float, down: float) -> Changes:
    """What moves by the one share, by the other, or by both; what follows neither is typed over."""
    changes: dict[str, Any] = {}
    for name in _moved(before, after):
        was, value = before[name], after[name]
        shares = {ACROSS: across, DOWN: down}
        by = next(
            (
                names
                for names in ((ACROSS,), (DOWN,), (ACROSS, DOWN))
                if _follows(was, value, math.prod(1 + shares[each] for each in names) - 1)
            ),
            None,
        )
        changes[name] = Moved(value, by) if by else value
    return changes


def _share(side: Side | None) -> float:
    return side.shift.share or 0.0 if side else 0.0


def _words(side: Side | None) -> str:
    return side.words if side else AS_IT_IS


def _steps(driver: Driver) -> list[Side | None]:
    """Values of a driver from its low to its high side, in even steps; nothing changed is among them, as None."""
    low, high = (driver.sides[side].shift for side in SIDES)
    if low.share is None or high.share is None:
        ends = (float(low.value or 0.0), float(high.value or 0.0))
        return [
            None,
            *(Side(plain(value), replace(low, value=value)) for value in np.linspace(*ends, driver.steps).tolist()),
        ]
    shares = sorted({0.0, *np.linspace(low.share, high.share, driver.steps).round(6).tolist()})
    return [Side(_percent(share), replace(low, share=share)) if share else None for share in shares]
