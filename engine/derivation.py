"""Derivation: how one figure follows from input cells, formula by formula. Knows no particular quantity or formula."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.formulas import needs
from engine.scenarios import (
    CONFIGURED,
    Chosen,
    DaysBilled,
    Filled,
    Grain,
    HasOne,
    Key,
    Known,
    Looked,
    Mean,
    Scenario,
    Setting,
    Sum,
    scenario,
)
from engine.sheets import BY_NAME, SETTINGS
from engine.tracing import written
from engine.units import show
from engine.workbook.read import read


class UnknownNameError(Exception):
    """A name asked for that the workbook or the engine does not have, in a sentence."""


@dataclass(frozen=True)
class Step:
    """One quantity of one row: its value, how it was made, and the steps it was made from."""

    quantity: str
    value: str
    meaning: str
    words: str = ""
    worked: str = ""
    cell: str = ""
    repeated: bool = False
    behind: tuple[Step, ...] = ()

    def lines(self, depth: int = 0) -> Iterator[str]:
        """The tree as indented text, one quantity a line with its formula beneath."""
        indent = "  " * depth
        yield f"{indent}{label(self.quantity)} = {self.value}" + (f"   {self.cell}" if self.cell else "")
        if self.repeated:
            yield f"{indent}    (as above)"
            return
        if self.words:
            yield f"{indent}    = {self.words}"
            yield f"{indent}    = {self.worked}"
        for step in self.behind:
            yield from step.lines(depth + 1)


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


def shown(grain: Grain, quantity: str, key: str) -> str:
    return show(grain.value(quantity, key), grain.annotation(quantity))


def worked(grain: Grain, quantity: str, key: str) -> str:
    """A formula with the numbers of one row filled in."""
    return written(grain.formulas[quantity], lambda needed: shown(grain, needed, key))


def _input_cell(scenario: Scenario, grain: Grain, quantity: str, key: str) -> str:
    inputs, row = scenario.inputs, grain.sources[quantity]

    def of(looked: Looked) -> str:
        table = inputs.tables[looked.sheet.name]
        names = [str(name) for name in table.columns[looked.sheet.keys[0].name]]
        return inputs.cell(looked.sheet.name, looked.column.name, names.index(str(grain.value(looked.by, key))))

    match row:
        case Looked():
            return of(row)
        case Known(looked) | Filled(looked):
            return of(looked)
        case Chosen(choice, by):
            sheet = BY_NAME[choice.sheet]
            column = sheet.column(choice.columns[str(grain.value(by, key))])
            return of(Looked(sheet, column, sheet.keys[0].name))
        case Setting(column):
            return inputs.cell(SETTINGS.name, column.name, 0)
        case DaysBilled():
            return inputs.cell(SETTINGS.name, "report_month", 0)
    return ""


def derivation(scenario: Scenario, grain: Grain, quantity: str, key: str) -> Step:
    """The tree behind one figure, down to input cells; what was derived before is named and not repeated."""
    seen: set[tuple[str, str]] = set()

    def step(grain: Grain, quantity: str, key: str) -> Step:
        value = shown(grain, quantity, key)
        if (grain.name, quantity + key) in seen and quantity in grain.formulas:
            return Step(quantity, value, "", repeated=True)
        seen.add((grain.name, quantity + key))
        if quantity in grain.formulas:
            formula = grain.formulas[quantity]
            return Step(
                quantity,
                value,
                meaning(grain, quantity),
                words=written(formula, label),
                worked=worked(grain, quantity, key),
                behind=tuple(step(grain, needed, key) for needed in needs(formula)),
            )
        match grain.sources[quantity]:
            case Sum(grain=finer, quantity=name, by=by, where=where):
                what = f"sum of {label(name)} over {finer.lower()}" + (f" of this {label(by)}" if by else "")
                return Step(
                    quantity, value, what, words=what, worked=_parts(scenario[finer], name, by, where, grain, key)
                )
            case Mean(grain=finer, quantity=name, weight=weight, by=by):
                what = f"mean of {label(name)} over {finer.lower()} of this {label(by)}, weighted by {label(weight)}"
                return Step(quantity, value, what, words=what, worked=_parts(scenario[finer], name, by, "", grain, key))
            case HasOne(grain=finer, quantity=name, by=by):
                return Step(
                    quantity, value, f"whether any of the {finer.lower()} of this {label(by)} has {label(name)}"
                )
            case Key():
                return Step(quantity, value, "")
        return Step(quantity, value, "", cell=_input_cell(scenario, grain, quantity, key))

    return step(grain, quantity, key)


def _parts(finer: Grain, quantity: str, by: str, where: str, grain: Grain, key: str) -> str:
    rows = range(len(finer.keys))
    if by:
        rows_of = grain.value(by, key)
        rows = [row for row in rows if finer.values[by][row] == rows_of]  # type: ignore[assignment]
    counted = [row for row in rows if not where or finer.values[where][row] > 0]
    return ", ".join(show(finer.values[quantity][row], finer.annotation(quantity)) for row in counted)


def derive(path: Path, configuration: str, quantity: str) -> list[str]:
    """The derivation of one figure of a workbook as lines of text.

    Errors: InvalidWorkbook for a workbook with problems; UnknownName for a name that is not there.
    """
    calculated = scenario(read(path))
    grain = calculated[CONFIGURED]
    names = [str(key) for key in grain.keys]
    if configuration not in names:
        raise UnknownNameError(f"'{configuration}' is not on the Configurations sheet, which has: {', '.join(names)}.")
    known = [*grain.sources, *grain.formulas]
    if quantity not in known:
        near = difflib.get_close_matches(quantity, known, 3, 0.4)
        raise UnknownNameError(f"'{quantity}' is not a quantity" + (f"; near it: {', '.join(near)}." if near else "."))
    if not grain.value("fits", configuration) and quantity in grain.guarded:
        why = f"{configuration} does not fit: {grain.value('reason', configuration)}."
        return [why, "", *derivation(calculated, grain, "fits", configuration).lines()]
    return list(derivation(calculated, grain, quantity, configuration).lines())
