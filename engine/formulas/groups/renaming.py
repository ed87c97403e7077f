"""Renaming: formulas by name, and the same formulas at another operating point. Knows no particular formula."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

Formula = Callable[..., Any]
Formulas = dict[str, Formula]


@cache  # every grain asks for every formula, several times
def needs(formula: Formula) -> tuple[str, ...]:
    """Names of the quantities that a formula takes."""
    return tuple(inspect.signature(formula).parameters)


def formulas_of(module: ModuleType) -> Formulas:
    """The functions that a file of formulas defines, by name."""
    return {
        name: function
        for name, function in vars(module).items()
        if isinstance(function, FunctionType) and function.__module__ == module.__name__ and not name.startswith("_")
    }


def _renamed(formula: Formula, name: str, parameters: Iterable[str]) -> Formula:
    """The same function under other names: what it gives, and what it takes, position by position."""
    assert isinstance(formula, FunctionType)
    copy = FunctionType(formula.__code__, formula.__globals__, name, formula.__defaults__, formula.__closure__)
    copy.__doc__, copy.__annotations__ = formula.__doc__, formula.__annotations__
    copy.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(p, inspect.Parameter.POSITIONAL_OR_KEYWORD) for p in parameters],
        return_annotation=formula.__annotations__["return"],
    )
    # Of an instance of an instance too, the function as it is written.
    copy.__origin__ = getattr(formula, "__origin__", formula.__name__)  # type: ignore[attr-defined]
    return copy


def again(formulas: Mapping[str, Formula], suffix: str, **renames: str) -> Formulas:
    """A group of formulas at another operating point.

    `renames` says which quantity takes the place of which. Every formula of the group that depends on a replaced
    quantity, directly or through the group, comes again under `name_suffix` (or under the name `renames` gives it);
    the others are left out, because nothing would change for them.
    """
    touched: set[str] = set()
    while True:
        more = {n for n, f in formulas.items() if n not in touched and (set(renames) | touched) & set(needs(f))}
        if not more:
            break
        touched |= more
    outputs = {name: renames.get(name, f"{name}_{suffix}") for name in touched}
    inputs = {**{name: outputs[name] for name in touched}, **{k: v for k, v in renames.items() if k not in touched}}
    return {
        outputs[name]: _renamed(formulas[name], outputs[name], [inputs.get(p, p) for p in needs(formulas[name])])
        for name in formulas
        if name in touched
    }


def instances(formulas: Formulas, formula: str, *renames: Mapping[str, str]) -> Formulas:
    """A formula that stands for several quantities, once for each of them and no more as itself."""
    one = {formula: formulas[formula]}
    others = {name: other for name, other in formulas.items() if name != formula}
    return others | {name: instance for rename in renames for name, instance in again(one, "", **rename).items()}


def lines(formulas: Formulas, formula: str, parameter: str, lines: Mapping[str, str]) -> Formulas:
    """The same where only one parameter differs: the name of each line and the quantity in the parameter's place."""
    return instances(formulas, formula, *({formula: name, parameter: taken} for name, taken in lines.items()))
