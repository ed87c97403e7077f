"""Moved: what configurations come to when input cells are multiplied, worked out through every grain they pass.

A cell is a number, or traced (`engine.fusing.graph`) where something behind it is multiplied. Only such cells are
worked out anew, by the sources and formulas that the grains are made of. Knows neither what is drawn nor what a formula
means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np

from engine.calculation import behind, in_order
from engine.formulas import Formulas, needs
from engine.fusing.graph import Traced
from engine.scenarios import Case, Scenario, with_cases
from engine.scenarios.currencies import is_own
from engine.scenarios.grains import Grain, rows_behind
from engine.scenarios.sources import (
    BILLED,
    CASES,
    CONFIGURED,
    LINES,
    PRICE_LISTS,
    PRICE_ROWS,
    TARIFFS,
    Chosen,
    Converted,
    Filled,
    Largest,
    Looked,
    Mean,
    Paired,
    Said,
    Setting,
    Smallest,
    Source,
    Sum,
    Varied,
)
from engine.sheets import BY_NAME, EXCHANGE_RATES, SETTINGS, Column, Sheet
from engine.units import NOT_AVAILABLE

Cell = tuple[str, str, int]  # sheet, column, row from 0
Found = dict[str, dict[str, Any]]  # by configuration and quantity

FITS = "fits"  # what the others stand or fall with
# The grains behind a configuration, each after those it reads.
BEHIND = (LINES, PRICE_ROWS, PRICE_LISTS, BILLED, TARIFFS, CONFIGURED, CASES)


def moved(scenario: Scenario, keys: Sequence[str], factors: Mapping[Cell, Any], wanted: Iterable[str]) -> Found:
    """The wanted quantities of these configurations, with the cells of `factors` multiplied by them.

    A configuration runs as the peak's fleet around the clock, at a price of an accelerator-hour that makes its bill
    the month's: so what the hours and contracts of the month make of it is kept in proportion.
    """
    cases = _as_billed(scenario, keys)
    grains = with_cases(scenario, cases).grains
    inside = _Inside(Scenario(scenario.inputs, grains), factors)
    names = list(dict.fromkeys(wanted))
    for name in BEHIND:
        # Of a configuration only what a case reads: the case is the row that is worked out.
        formulas = {} if name == CONFIGURED else dict(grains[name].formulas)
        if name == CASES:
            formulas = {quantity: formulas[quantity] for quantity in behind((*names, FITS), (), formulas)}
        inside.work_out(grains[name], formulas)
    grain = grains[CASES]
    return {
        case.configuration: {name: inside.guarded(grain, name, grain.row(case.name)) for name in names}
        for case in cases
    }


def kept_shares(scenario: Scenario, keys: Sequence[str]) -> dict[str, float]:
    """Each configuration's bill of the month, as a share of what the peak's fleet would cost around the clock."""
    return {case.configuration: share for case, share, _ in _around_the_clock(scenario, keys)}


def _around_the_clock(scenario: Scenario, keys: Sequence[str]) -> Iterator[tuple[Case, float, float]]:
    cases = [Case(f"around the clock: {key}", "moved", key, {}) for key in keys]
    around = with_cases(scenario, cases)[CASES]
    for row, case in enumerate(cases):
        bill = scenario[CONFIGURED].value("fleet_cost", case.configuration)
        yield case, float(bill / around.at("fleet_cost", row)), float(around.at("accelerator_price", row))


def _as_billed(scenario: Scenario, keys: Sequence[str]) -> list[Case]:
    """Each configuration at the price of an accelerator-hour that makes its fleet around the clock cost the bill."""
    return [
        Case(f"moved: {case.configuration}", "moved", case.configuration, {"accelerator_price": price * share})
        for case, share, price in _around_the_clock(scenario, keys)
    ]


@dataclass
class _Inside:
    """What is worked out anew: by grain and quantity, the rows and their values."""

    scenario: Scenario
    factors: Mapping[Cell, Any]
    cells: dict[tuple[str, str], dict[int, Any]] = field(default_factory=dict)

    def value(self, grain: Grain, quantity: str, row: int) -> Any:
        return self.cells.get((grain.name, quantity), {}).get(row, grain.values[quantity][row])

    def guarded(self, grain: Grain, quantity: str, row: int) -> Any:
        """The same, not available in draws in which the configuration does not fit."""
        value, fits = self.value(grain, quantity, row), self.value(grain, FITS, row)
        return np.where(fits > 0, value, NOT_AVAILABLE) if isinstance(fits, Traced) else value

    def work_out(self, grain: Grain, formulas: Formulas) -> None:
        """The cells of a grain that something multiplied stands behind: first what it reads, then its formulas."""
        for quantity, source in grain.sources.items():
            for row in range(len(grain.keys)):
                value = self._read(grain, quantity, source, row)
                if value is not None:
                    self.cells.setdefault((grain.name, quantity), {})[row] = value
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for name in in_order(formulas):
                asked = needs(formulas[name])
                for row in sorted(set().union(*(self.cells.get((grain.name, q), {}) for q in asked))):
                    value = formulas[name](*(self.value(grain, q, row) for q in asked))
                    if isinstance(value, Traced) and not value.is_known:
                        self.cells.setdefault((grain.name, name), {})[row] = value

    def _read(self, grain: Grain, quantity: str, source: Source, row: int) -> Any:
        """What a source gives in a row; None where nothing multiplied stands behind it."""
        match source:
            case Varied(other, read, by):
                finer = self.scenario[other]
                return self.cells.get((other, read), {}).get(finer.row(grain.values[by][row]))
            case Sum() | Mean() | Largest() | Smallest():
                return self._aggregated(grain, source, row)
        multiples = [self.factors[cell] for cell in self._cells_of(grain, source, row) if cell in self.factors]
        return reduce(np.multiply, multiples, grain.values[quantity][row]) if multiples else None

    def _aggregated(self, grain: Grain, source: Sum | Mean | Largest | Smallest, row: int) -> Any:
        weighed = (source.quantity, getattr(source, "weight", ""), getattr(source, "where", ""))
        if not any((source.grain, name) in self.cells for name in weighed):
            return None
        finer = self.scenario[source.grain]
        rows = rows_behind(source, finer, grain.values, row)
        if not any(place in self.cells.get((source.grain, name), {}) for name in weighed for place in rows):
            return None
        values, *factors = (
            [self.value(finer, name, place) if name else 1.0 for place in rows] for name in weighed
        )
        match source:
            case Largest():
                return reduce(np.maximum, values, 0.0)
            case Smallest():
                return reduce(np.minimum, values)
            case Mean():
                weights = factors[0]
                return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)
        return sum(_known(v) * w * f for v, w, f in zip(values, *factors, strict=True))

    def _cells_of(self, grain: Grain, source: Source, row: int) -> Iterator[Cell]:
        """The input cells that a source reads in a row."""
        tables = self.scenario.inputs.tables
        match source:
            case Looked(sheet, column, by, placed):
                key = grain.values[by][row]
                yield from self._cell(sheet, column, int(key) - 1 if placed else self._row_of(sheet, str(key)))
            case Filled(looked, instead):
                for cell in self._cells_of(grain, looked, row):
                    if not np.isnan(tables[cell[0]].columns[cell[1]][cell[2]]):
                        yield cell
                    elif isinstance(instead, Looked):
                        yield from self._cells_of(grain, instead, row)
            case Paired(sheet, column, by):
                keys = [tables[sheet.name].columns[key.name] for key in sheet.keys]
                for place, pair in enumerate(zip(*keys, strict=True)):
                    if pair == tuple(grain.values[name][row] for name in by):
                        yield sheet.name, column.name, place
            case Chosen(choice, by, named):
                sheet = BY_NAME[choice.sheet]
                column = sheet.column(choice.columns[grain.values[by][row]])
                yield from self._cell(sheet, column, self._row_of(sheet, str(grain.values[named][row])))
            case Said(amount, word_in, word):
                ((named, word_column, place),) = self._cells_of(grain, word_in, row)
                if tables[named].columns[word_column][place] == word:
                    yield from self._cells_of(grain, amount, row)
            case Converted(amount):
                yield from self._cells_of(grain, amount, row)
                for name, in_currency, place in self._cells_of(grain, source.currency, row):
                    currency = str(tables[name].columns[in_currency][place])
                    if not is_own(self.scenario.inputs, currency):
                        yield EXCHANGE_RATES.name, "exchange_rate", self._row_of(EXCHANGE_RATES, currency)
            case Setting(column):
                yield SETTINGS.name, column.name, 0

    def _cell(self, sheet: Sheet, column: Column, row: int) -> Iterator[Cell]:
        """The cell, or the setting that it falls back to where it is blank."""
        blank = (column.name, row) in self.scenario.inputs.tables[sheet.name].blank
        yield (SETTINGS.name, column.otherwise, 0) if blank and column.otherwise else (sheet.name, column.name, row)

    def _row_of(self, sheet: Sheet, key: str) -> int:
        found = self.scenario.inputs.tables[sheet.name].find(key)
        assert found is not None  # the grain has read it
        return found.index


def _known(value: Any) -> Any:
    """A number that is not known adds nothing to a sum."""
    return value if isinstance(value, Traced) else np.nan_to_num(value)
