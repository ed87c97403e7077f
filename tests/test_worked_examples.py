"""Published cases: the engine gives what they print, from what they state."""

import tomllib
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from engine.calculation import behind, calculate
from engine.formulas import FORMULAS

FOLDER = Path(__file__).parent / "worked_examples"
EXAMPLES = sorted(path for path in FOLDER.glob("*.toml") if not path.name.endswith(".base.toml"))


def _load(path):
    example = tomllib.loads(path.read_text(encoding="utf-8"))
    base = FOLDER / f"{example['base']}.base.toml" if "base" in example else None
    shared = tomllib.loads(base.read_text(encoding="utf-8")) if base else {}
    example["given"] = {**shared, **example["given"]}
    return example


def _half_a_digit(printed):
    return 0.5 * 10 ** Decimal(printed).as_tuple().exponent * (1 + 1e-9)


def _agrees(value, expected, within):
    if not isinstance(expected, str):
        return value == pytest.approx(expected, rel=within, abs=1e-15)
    try:
        Decimal(expected)
    except ArithmeticError:
        return str(value) == expected
    return abs(float(value) - float(expected)) <= float(_half_a_digit(expected))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_published_case(path):
    example = _load(path)
    given = {name: np.array([value], dtype=float) for name, value in example["given"].items()}
    wanted = behind(example["expect"], given)
    columns = calculate(given, {name: FORMULAS[name] for name in wanted})
    wrong = {
        name: (columns[name][0], expected)
        for name, expected in example["expect"].items()
        if not _agrees(columns[name][0], expected, example.get("within", 1e-6))
    }
    assert not wrong, f"{example['name']}: (engine, published) {wrong}"


def test_enough_published_figures():
    ids = [identity for path in EXAMPLES for identity in _load(path).get("ids", {}).values()]
    assert len(set(ids)) == len(ids)
    assert len(ids) >= 25


def test_expectations_name_formulas_and_are_not_given():
    for path in EXAMPLES:
        example = _load(path)
        assert set(example["expect"]) <= set(FORMULAS), path.name
        assert not set(example["expect"]) & set(example["given"]), path.name
