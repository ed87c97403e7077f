"""Formulary: engine/formulas/README.md, every formula in words with unit, meaning and source. Knows no single one."""

from __future__ import annotations

from collections.abc import Iterator

from engine.derivation import label
from engine.formulas import EVERY_GROUP, FORMULAS, LINE_FORMULAS, Formula, needs
from engine.tracing import written
from engine.units import Unit, unit_of

KINDS = {"text": "text", "flag": "1 or 0", "share": "share"}

INTRODUCTION = """\
<!-- Generated from the functions in this folder by engine/formulary.py; `make golden` writes it anew. -->
# Every formula in words

One entry is one Python function: its name is the quantity, its parameters are the quantities it needs, and its text is
written by calling it on names instead of numbers. The same function computes, and writes the formula of
`results.xlsx`; the sheet *Formulas in words* there names the sheet and column of every quantity that the month is
calculated from. What is filled in by hand is in [inputs/README.md](../../inputs/README.md).

*Our calibration* is the fit described in the project's [README, Fidelity](../../README.md#fidelity)."""

POINTS = """\
## Operating points

Some formulas are needed more than once: at the passes that settle how many sequences decode, for a chunk of prompts,
at another context, for a draft model, or over several configurations. They are not written again: the same function is
used with other quantities in the place of its own."""


def formulary() -> str:
    """The whole of engine/formulas/README.md."""
    parts, module = [INTRODUCTION], ""
    for formula in _originals():
        if formula.__module__ != module:
            module = formula.__module__
            parts += [f"## {module.rpartition('.')[2]}.py", _introduction(formula)]
        parts.append(_entry(formula))
    heads = "| Quantity | Formula | For | In words |\n|---|---|---|---|\n"
    return "\n\n".join([*parts, POINTS, heads + "\n".join(_points())]) + "\n"


def _originals() -> list[Formula]:
    """Every function once, file by file, those first that a configuration is calculated by."""
    groups = (LINE_FORMULAS, FORMULAS, *EVERY_GROUP.values())
    every = dict.fromkeys(_original(formula) for group in groups for formula in group.values())
    files = list(dict.fromkeys(formula.__module__ for formula in every))
    return sorted(every, key=lambda formula: (files.index(formula.__module__), formula.__code__.co_firstlineno))


def _original(formula: Formula) -> Formula:
    """The function as it is written, where the formula is an instance of it at another operating point."""
    original: Formula = formula.__globals__[getattr(formula, "__origin__", formula.__name__)]
    return original


def _introduction(formula: Formula) -> str:
    """The docstring of the formula's file."""
    return str(formula.__globals__["__doc__"]).strip()


def _entry(formula: Formula) -> str:
    unit = unit_of(formula.__annotations__["return"])
    meaning, _, source = (formula.__doc__ or "").partition("Source:")
    lines = (
        f"**`{formula.__name__}`**, {_unit(unit)}. {' '.join(meaning.split())}",
        f"`= {written(formula, label)}`",
        f"Source: {' '.join(source.split())}",
    )
    return "\\\n".join(lines)


def _unit(unit: Unit) -> str:
    return unit.symbol or KINDS.get(unit.kind) or ("number" if unit.decimals else "count")


def _points() -> Iterator[str]:
    """One line for each formula that is used at another operating point."""
    for group, formulas in EVERY_GROUP.items():
        for name, formula in formulas.items():
            if needs(formula) != needs(_original(formula)):
                yield f"| `{name}` | `{_original(formula).__name__}` | {group} | {written(formula, label)} |"
