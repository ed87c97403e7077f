"""Derivation: how one figure follows from input cells, formula by formula. Knows no particular quantity or formula."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.formulas import needs
from engine.scenarios import (
    BY_TRAFFIC,
    CONFIGURED,
    DECISIONS,
    TOTAL,
    Aggregate,
    CalendarDays,
    Chosen,
    Converted,
    Crossed,
    DayOf,
    DaysAhead,
    DaysBilled,
    EndDay,
    Filled,
    Grain,
    HourShare,
    IsWord,
    Key,
    Known,
    Largest,
    Looked,
    Matched,
    Mean,
    MonthStart,
    OneOf,
    Paired,
    Said,
    Scenario,
    Setting,
    Smallest,
    Source,
    StartAhead,
    Sum,
    SumAbove,
    Varied,
    WorkingDays,
    scenario,
)
from engine.scenarios.currencies import is_own
from engine.scenarios.grains import rows_behind
from engine.sheets import BY_NAME, EXCHANGE_RATES, LOAD_PROFILES, SETTINGS
from engine.tracing import written
from engine.units import money_in, show
from engine.workbook.read import Inputs, Row, read

BLANK = "(blank)"
# What is typed beside a row's name, because it says which row it is, and has no input cell.
OF_THE_ROW = "(which rows there are)"
MOST_FOLLOWED = 3  # of the parts of a sum


class UnknownNameError(Exception):
    """A name asked for that the workbook or the engine does not have, in a sentence."""


@dataclass(frozen=True)
class Step:
    """One quantity of one row: its value, how it was made, and the steps it was made from."""

    quantity: str
    value: str
    words: str = ""
    worked: str = ""
    cell: str = ""
    note: str = ""
    behind: tuple[Step, ...] = ()

    def lines(self, most: float = math.inf) -> Iterator[str]:
        """The tree as indented text, one quantity a line with its formula beneath, down to `most` steps.

        A step whose own steps stand above already is named and not told again.
        """
        return self._told(most, 0, set())

    def _told(self, most: float, depth: int, above: set[int]) -> Iterator[str]:
        indent = "  " * depth
        yield f"{indent}{label(self.quantity)} = {self.value}" + (f"   {self.cell}" if self.cell else "")
        if id(self) in above:
            yield f"{indent}    (as above)"
            return
        if self.words:
            yield f"{indent}    = {self.words}"
            yield f"{indent}    = {self.worked}"
        if depth < most and self.behind:
            above.add(id(self))
            if self.note:
                yield f"{indent}    ({self.note})"
            for step in self.behind:
                yield from step._told(most, depth + 1, above)


def label(quantity: str) -> str:
    """A quantity's name as people read it."""
    return quantity.replace("_", " ")


def meaning(grain: Grain, quantity: str) -> str:
    """First paragraph of a formula's docstring."""
    return (grain.formulas[quantity].__doc__ or "").split("\n\n")[0].replace("\n    ", " ").strip()


def source(grain: Grain, quantity: str) -> str:
    """What a formula's docstring gives as its source."""
    text = (grain.formulas[quantity].__doc__ or "").partition("Source:")[2]
    return " ".join(text.split())


def shown(grain: Grain, quantity: str, row: int) -> str:
    value, source = grain.at(quantity, row), grain.sources.get(quantity)
    if isinstance(source, Looked) and source.column.unit.kind != "text":
        # A word that stands for a number, such as max, is shown as it was typed.
        value = next((word for word, number in source.column.words.items() if number == value), value)
    return value if isinstance(value, str) else show(value, grain.annotation(quantity))


def worked(grain: Grain, quantity: str, row: int) -> str:
    """A formula with the numbers of one row filled in."""
    return written(grain.formulas[quantity], lambda needed: shown(grain, needed, row))


def _input_cell(scenario: Scenario, grain: Grain, source: Source, row: int) -> str:
    """The cell of an input sheet that a source reads in one row, and what a blank there stands for."""
    inputs = scenario.inputs
    match source:
        case Key():
            return OF_THE_ROW
        case Known(Looked() as looked) | Filled(looked) | DayOf(looked) | EndDay(looked) | Said(looked) | OneOf(looked):
            return _input_cell(scenario, grain, looked, row)
        case IsWord(by):
            return _cell_of(scenario, grain, by, row)
        case HourShare():
            return _hour_cell(scenario, grain, source, row)
        case Crossed(sheet, by, across):
            crossed = inputs.tables[sheet.name].find(str(grain.at(by, row)))
            return crossed.cell(str(grain.at(across, row))) if crossed else _cell_of(scenario, grain, by, row)
        case Paired(by=(one, other)) if grain.at(one, row) == grain.at(other, row):
            return OF_THE_ROW
        case Paired(sheet, column, by):
            table, names = inputs.tables[sheet.name], zip(sheet.keys, by, strict=True)
            own = [(key.name, grain.at(name, row)) for key, name in names]
            found = next((each for each in table if all(each[key] == value for key, value in own)), None)
            return found.cell(column.name) if found else f"(no such row on {sheet.name})"
        case Chosen(choice, by, named):
            sheet = BY_NAME[choice.sheet]
            column = sheet.column(choice.columns[str(grain.at(by, row))])
            return _input_cell(scenario, grain, Looked(sheet, column, named), row)
        case Looked(sheet, column, by, placed):
            table, here = inputs.tables[sheet.name], grain.at(by, row)
            found = Row(table, int(here) - 1) if placed else table.find(str(here))
            assert found is not None  # the reader has resolved every name
            cell = found.cell(column.name)
            if not found.is_blank(column.name):
                return cell
            otherwise = f"is blank, so {inputs.cell(SETTINGS.name, column.otherwise)}" if column.otherwise else BLANK
            return f"{cell} {otherwise}"
        case Converted(amount):
            currency = _text_of(inputs, grain, source.currency, row)
            cell = _input_cell(scenario, grain, amount, row)
            if is_own(inputs, currency):
                return cell
            rate = inputs.tables[EXCHANGE_RATES.name].find(currency)
            assert rate is not None  # the reader has looked for it
            return f"{cell} in {currency}, at {rate['exchange_rate']:g} ({rate.cell('exchange_rate')})"
        case Setting(column):
            return inputs.cell(SETTINGS.name, column.name)
        case DaysBilled() | DaysAhead() | CalendarDays() | WorkingDays() | MonthStart() | StartAhead():
            return inputs.cell(SETTINGS.name, "report_month")
    return ""


def _cell_of(scenario: Scenario, grain: Grain, quantity: str, row: int) -> str:
    """The cell of a quantity that has no formula, where need be in the row of the grain that it is taken from."""
    source = grain.sources[quantity]
    if isinstance(source, Varied):
        other = scenario[source.grain]
        return _cell_of(scenario, other, source.quantity, other.row(str(grain.at(source.by, row))))
    return _input_cell(scenario, grain, source, row)


def _hour_cell(scenario: Scenario, grain: Grain, source: HourShare, row: int) -> str:
    """The cell of an hour's share on the sheet of load profiles; that of a class's profile where it names none."""
    profile, hour = grain.at(source.profile, row), grain.at(source.hour, row)
    if grain.at(source.is_every_day, row):
        return OF_THE_ROW
    if not profile:
        return _cell_of(scenario, grain, source.profile, row)
    share = "weekend_share" if grain.at(source.is_weekend, row) else "weekday_share"
    hours = scenario.inputs.tables[LOAD_PROFILES.name]
    found = next((each for each in hours if each["load_profile"] == profile and each["hour"] == hour), None)
    return found.cell(share) if found else f"(no such row on {LOAD_PROFILES.name})"


def _text_of(inputs: Inputs, grain: Grain, looked: Looked, row: int) -> str:
    found = inputs.tables[looked.sheet.name].find(str(grain.at(looked.by, row)))
    return str(found[looked.column.name]) if found else ""


def _over(scenario: Scenario, grain: Grain, source: Aggregate, row: int) -> tuple[str, Grain, list[int]]:
    """What an aggregate is, in words, and the rows of the finer grain that it goes over."""
    finer = scenario[source.grain]
    names = (source.by,) if isinstance(source.by, str) else () if isinstance(source, Matched) else source.by
    same = " and ".join(label(name) for name in names if name)
    of = f"{label(source.quantity)} over {finer.name.lower()}" + (f" of this {same}" if same else "")
    rows = rows_behind(source, finer, grain.values, row)
    match source:
        case Matched():
            return f"sum of {of} that belong together", finer, rows
        case Sum(where=where, weight=weight):
            times = f" times {label(weight)}" if weight else ""
            return f"sum of {of}{times}", finer, [r for r in rows if not where or finer.values[where][r] > 0]
        case SumAbove(high=high, level=level):
            least = grain.at(level, row)
            return (
                f"sum of {of} where {label(high)} is above {label(level)}",
                finer,
                [r for r in rows if finer.values[high][r] > least],
            )
        case Mean(weight=weight):
            return f"mean of {of}, weighted by {label(weight)}", finer, rows
        case Largest():
            return f"largest of {of}", finer, rows
        case Smallest():
            return f"smallest of {of}", finer, rows
    return f"1 where any {of} is 1", finer, rows


def derivation(scenario: Scenario, grain: Grain, quantity: str, key: str) -> Step:
    """The tree behind one figure, down to input cells. Of many parts of a sum only the largest is followed."""
    steps: dict[tuple[str, str, int], Step] = {}

    def step(grain: Grain, quantity: str, row: int) -> Step:
        place = (grain.name, quantity, row)
        if place not in steps:
            steps[place] = made(grain, quantity, row)
        return steps[place]

    def made(grain: Grain, quantity: str, row: int) -> Step:
        value = shown(grain, quantity, row)
        if quantity in grain.formulas:
            formula = grain.formulas[quantity]
            behind = tuple(step(grain, needed, row) for needed in needs(formula))
            return Step(quantity, value, written(formula, label), worked(grain, quantity, row), behind=behind)
        source = grain.sources[quantity]
        if isinstance(source, Varied):
            other = scenario[source.grain]
            return step(other, source.quantity, other.row(str(grain.at(source.by, row))))
        if isinstance(source, Aggregate):
            words, finer, rows = _over(scenario, grain, source, row)
            parts = ", ".join(shown(finer, source.quantity, r) for r in rows)
            note = ""
            if len(rows) > MOST_FOLLOWED:
                rows, count = [max(rows, key=lambda r: np.nan_to_num(finer.values[source.quantity][r]))], len(rows)
                note = f"the largest of {count} follows: {finer.keys[rows[0]]}; all stand on the sheet {finer.name}"
            behind = tuple(step(finer, source.quantity, r) for r in rows)
            return Step(quantity, value, words, parts, note=note, behind=behind)
        return Step(quantity, value, cell=_input_cell(scenario, grain, source, row))

    return step(grain, quantity, grain.row(key))


def derive(
    path: Path, quantity: str, *, configuration: str = "", traffic: str = "", most: float = math.inf
) -> list[str]:
    """The derivation of one figure of a configuration, of a traffic, or of the whole month, as lines of text.

    `most` steps deep. Errors: InvalidWorkbook for a workbook with problems; UnknownName for a name that is not there.
    """
    calculated = scenario(read(path))
    with money_in(str(calculated.inputs.settings["currency"])):
        return _derived(calculated, quantity, configuration, traffic, most)


def _derived(calculated: Scenario, quantity: str, configuration: str, traffic: str, most: float) -> list[str]:
    grains: tuple[Grain, ...]
    if configuration:
        grains, key = (calculated[CONFIGURED], calculated[DECISIONS]), configuration
    elif traffic:
        grains, key = (calculated[BY_TRAFFIC],), traffic
    else:
        grains, key = (calculated[TOTAL],), str(calculated[TOTAL].keys[0])
    names = [str(name) for name in grains[0].keys]
    if key not in names:
        where = "on the Configurations sheet, which has" if configuration else "a traffic that is served; these are"
        raise UnknownNameError(f"'{key}' is not {where}: {', '.join(names)}.")
    known = [name for grain in grains for name in (*grain.sources, *grain.formulas)]
    if quantity not in known:
        near = difflib.get_close_matches(quantity, known, 3, 0.4)
        of = "a configuration" if configuration else "a traffic" if traffic else "the whole month"
        told = f"; near it: {', '.join(near)}." if near else "."
        raise UnknownNameError(f"'{quantity}' is not a quantity of {of}{told}")
    grain = next(grain for grain in grains if quantity in grain.values)
    if configuration and not grain.value("fits", key) and quantity in grain.guarded:
        why = f"{configuration} does not fit: {grain.value('reason', key)}."
        return [why, "", *derivation(calculated, grain, "fits", key).lines(most)]
    return list(derivation(calculated, grain, quantity, key).lines(most))
