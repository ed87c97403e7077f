"""Comparing: two runs of the archive side by side, as lines of text. Knows runs and their files, not how they came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.report.comparison import METHOD, STEP_NAMES, moved, moves, relative, values, what
from engine.scenarios import ALL_TRAFFICS, BRIDGE, TOTAL, Scenario, scenario
from engine.studies.bridge import Change, bridged, changes
from engine.units import DollarsPerMonth, Share, money_in, show, unit_of
from engine.workbook.problems import InvalidWorkbook
from engine.workbook.read import Inputs, read


class NoRunError(Exception):
    """What was named is no run, or two runs cannot be compared; in a sentence."""


@dataclass(frozen=True)
class Run:
    """A run of the archive: its folder, run.json, and the workbook it was made from; None where that cannot be read."""

    folder: Path
    facts: dict[str, Any]
    inputs: Inputs | None


@dataclass(frozen=True)
class Compared:
    """What two runs differ in, as lines, and by how much gross profit moved: an amount, and a share of what it was."""

    lines: tuple[str, ...]
    change: float
    before: float


def run_in(folder: Path) -> Run:
    """The run in a folder. Errors: NoRunError where there is none."""
    path = folder / "run.json"
    if not path.is_file():
        raise NoRunError(f"{folder} is no run: it has no run.json. Name a month's folder of the archive.")
    try:
        inputs = read(folder / "input.xlsx")
    except InvalidWorkbook:
        inputs = None
    return Run(folder, json.loads(path.read_text(encoding="utf-8")), inputs)


def compare(before: Path, now: Path) -> Compared:
    """What moved from one run to the other: inputs by cell, figures by size, and the steps of gross profit.

    Errors: NoRunError, with the reason in a sentence.
    """
    then, here = run_in(before), run_in(now)
    currencies = [run.facts.get("currency", "USD") for run in (then, here)]
    if len(set(currencies)) > 1:
        raise NoRunError(f"{before} is in {currencies[0]} and {now} in {currencies[1]}: amounts cannot be compared.")
    if here.inputs is None:
        raise NoRunError(f"{now}/input.xlsx cannot be read by this version; bring it into its layout with `migrate`.")
    with money_in(currencies[0]):
        calculated = bridged(scenario(here.inputs), then.facts.get("traffics", {}), then.inputs)
        lines = tuple(_lines(then, here, calculated))
    profit = float(calculated[TOTAL].value("gross_profit", "Total"))
    was = float(then.facts["figures"]["gross_profit"])
    return Compared(lines, profit - was, was)


def _lines(then: Run, here: Run, calculated: Scenario) -> Iterator[str]:
    yield f"{then.facts['month']} ({then.folder}) and {here.facts['month']} ({here.folder})"
    if then.facts["engine"] != here.facts["engine"]:
        yield f"Made by engine {_engine(then)} and {_engine(here)}."
    yield ""
    yield from _steps(calculated, then.facts["month"], here.facts["month"])
    yield ""
    changed = changes(then.inputs, calculated.inputs) if then.inputs else None
    yield from _inputs(then, changed)
    yield ""
    yield from _figures(calculated, then)


def _engine(run: Run) -> str:
    return " ".join(filter(None, (run.facts["engine"]["version"], run.facts["engine"]["commit"])))


def _steps(calculated: Scenario, before: str, now: str) -> Iterator[str]:
    if BRIDGE not in calculated.grains:
        yield f"The run of {before} was made by a version that left too little to say what moved gross profit."
        return
    grain = calculated[BRIDGE]

    # To the cent, so that they can be added; what rounding leaves is told with what no step explains.
    was, profit = (round(grain.value(name, ALL_TRAFFICS), 2) for name in ("before_profit", "gross_profit"))
    steps = {name: round(grain.value(f"{step}_step", ALL_TRAFFICS), 2) for step, name in STEP_NAMES.items()}
    steps[STEP_NAMES["other"]] += round(profit - was - sum(steps.values()), 2)
    yield f"Gross profit, {unit_of(DollarsPerMonth).symbol}"
    yield f"  {before:<20}{was:>18,.2f}"
    yield from (f"  {name:<20}{effect:>+18,.2f}" for name, effect in steps.items())
    yield f"  {now:<20}{profit:>18,.2f}"
    yield f"  {METHOD}"


def _inputs(then: Run, changed: tuple[Change, ...] | None) -> Iterator[str]:
    if changed is None:
        yield f"Inputs are not compared: {then.folder}/input.xlsx cannot be read by this version."
        return
    yield f"Inputs that changed: {len(changed)}"
    for change in changed:
        share = relative(change)
        by = "" if share is None else f"  {'+' if share > 0 else ''}{show(share, Share)}"
        step = f"  ({moves(change).lower()})" if moves(change) else ""
        was, is_now = values(change)
        yield f"  {change.cell:<22}{what(change)}: {was} \u2192 {is_now}{by}{step}"


def _figures(calculated: Scenario, then: Run) -> Iterator[str]:
    found = moved(calculated, then.facts["figures"])
    yield f"Figures that changed, the largest first: {len(found)}"
    for name, figure, was in found:
        yield f"  {name}: {show(was, figure.annotation)} \u2192 {show(figure.value, figure.annotation)}"
