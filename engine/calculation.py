"""Calculation: runs formulas in the order in which they depend on each other. Does not know what any quantity means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

import numpy as np

from engine.formulas import FORMULAS, Formula, needs

Columns = dict[str, Any]


def in_order(formulas: Mapping[str, Formula]) -> list[str]:
    """Names of the formulas, each after those it needs.

    Errors: graphlib.CycleError where formulas need each other.
    """
    return list(_in_order(tuple(formulas.items())))


@cache  # the same few groups of formulas are put in order again and again
def _in_order(formulas: tuple[tuple[str, Formula], ...]) -> tuple[str, ...]:
    names = {name for name, _ in formulas}
    graph = {name: [q for q in needs(formula) if q in names] for name, formula in formulas}
    return tuple(TopologicalSorter(graph).static_order())


def calculate(columns: Mapping[str, Any], formulas: Mapping[str, Formula] = FORMULAS) -> Columns:
    """The given columns, plus one for every formula that is not given.

    `columns` maps a quantity to an array with one value per row; all arrays are equally long.
    Errors: KeyError naming the quantity that neither the columns nor the formulas hold.
    """
    result: Columns = dict(columns)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for name in in_order({n: f for n, f in formulas.items() if n not in columns}):
            result[name] = formulas[name](*(result[q] for q in needs(formulas[name])))
    return result


def behind(wanted: Iterable[str], given: Iterable[str], formulas: Mapping[str, Formula] = FORMULAS) -> set[str]:
    """Formulas that are needed for the wanted quantities when some are given."""
    known, found, open_ = set(given), set[str](), list(wanted)
    while open_:
        name = open_.pop()
        if name in formulas and name not in known and name not in found:
            found.add(name)
            open_ += needs(formulas[name])
    return found


def depending_on(quantity: str, formulas: Mapping[str, Formula] = FORMULAS) -> set[str]:
    """Quantities that cannot be known without this one, itself included."""
    touched = {quantity}
    for name in in_order(formulas):
        if touched & set(needs(formulas[name])):
            touched.add(name)
    return touched
