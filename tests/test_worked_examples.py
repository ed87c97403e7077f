"""Published cases: the engine gives what they print, from what they state."""

from pathlib import Path

import pytest

from engine.formulas import EVERY_FORMULA, EVERY_GROUP, needs
from engine.studies.reconcile import EXACT, ROUNDED, WRONG, agrees_in_digits
from engine.studies.worked_examples import ExampleError, Examples, Scale

FOLDER = Path(__file__).parent / "worked_examples"
EXAMPLES = Examples(FOLDER)


def _agrees(value, expected, within):
    if isinstance(expected, str):
        return agrees_in_digits(value, expected)
    return value == pytest.approx(expected, rel=within, abs=1e-15)


@pytest.mark.parametrize("place", EXAMPLES.cases, ids=lambda place: f"{place[0]}: {place[1]}")
def test_published_case(place):
    case, results = EXAMPLES.cases[place], EXAMPLES.results(place)
    wrong = {
        quantity: (results[quantity], expected)
        for quantity, expected in case.expect.items()
        if not _agrees(results[quantity], expected, case.within)
    }
    assert not wrong, f"{case.name}: (engine, published) {wrong}"


def test_expectations_name_formulas_and_are_not_given():
    for case in EXAMPLES.cases.values():
        given = set(case.given) | set(case.taken)
        asked = set(case.expect) | {figure.place[2] for figure in case.figures}
        assert asked <= set(EVERY_FORMULA), case.place
        assert not asked & given, case.place


def test_every_given_quantity_is_one_that_formulas_take():
    taken = {quantity for formula in EVERY_FORMULA.values() for quantity in needs(formula)} | set(EVERY_FORMULA)
    for case in EXAMPLES.cases.values():
        assert not (set(case.given) | set(case.taken)) - taken, case.place


def test_every_group_of_formulas_has_a_published_case():
    asked = {q for case in EXAMPLES.cases.values() for q in (*case.expect, *(f.place[2] for f in case.figures))}
    for group, formulas in EVERY_GROUP.items():
        if group not in ("class", "action", "total"):
            assert asked & set(formulas), group


def test_enough_published_figures():
    rows = {figure.identity for figure in EXAMPLES.figures if figure.verdict in (EXACT, ROUNDED, WRONG)}
    assert len(rows) == 280


def test_a_scale_is_a_factor_and_a_unit():
    assert Scale.read("1000 ms/s") == Scale(1000, "ms/s")
    with pytest.raises(ExampleError, match="is not a factor"):
        Scale.read("ms/s 1000")


BROKEN = {
    "an unknown key": ('[[case]]\nname = "a"\ngivne = {}\n', "givne"),
    "a case twice": ('[[case]]\nname = "a"\n[[case]]\nname = "a"\n', "two cases"),
    "a case that is not there": ('[[case]]\nname = "a"\nfrom = { base = ["b", "ratio"] }\n', "not there"),
    "a quantity that is not there": (
        '[[case]]\nname = "a"\ngiven = { compared = 1, base = 2 }\nexpect = { ratoi = "2" }\n',
        "no ratoi",
    ),
    "an input that is missing": (
        '[[case]]\nname = "a"\ngiven = { compared = 1 }\nexpect = { ratio = "2" }\n',
        "lacks 'base'",
    ),
    "a circle": (
        '[[case]]\nname = "a"\nfrom = { base = ["b", "ratio"] }\ngiven = { compared = 1 }\n'
        '[[case]]\nname = "b"\nfrom = { base = ["a", "ratio"] }\ngiven = { compared = 1 }\n',
        "takes from a case that takes from it",
    ),
}


@pytest.mark.parametrize("defect", BROKEN)
def test_a_broken_file_is_named(defect, tmp_path):
    text, message = BROKEN[defect]
    (tmp_path / "broken.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ExampleError, match=message) as caught:
        examples = Examples(tmp_path)
        for file, name in examples.cases:
            for quantity in (*examples.cases[file, name].expect, "ratio"):
                examples.value((file, name, quantity))
    assert "broken.toml" in str(caught.value)
