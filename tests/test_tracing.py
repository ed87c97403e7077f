"""What is written means what is computed: precedence, signs, powers and rounding."""

import re

import numpy as np
import pytest
from test_results_workbook import EXCEL_2007

from engine.distributions import normal_cumulative, poisson_cumulative, poisson_probability
from engine.tracing import EXCEL, WORDS, written
from engine.units import Constant


def _excel(formula):
    return written(formula, lambda quantity: quantity, EXCEL)


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (lambda a, b, c: a - (b - c), "a-(b-c)"),
        (lambda a, b, c: a - b - c, "a-b-c"),
        (lambda a, b, c: a / (b * c), "a/(b*c)"),
        (lambda a, b, c: a * (b / c), "a*(b/c)"),
        (lambda a, b, c: (a + b) * c, "(a+b)*c"),
        (lambda a, b: a * -b, "a*-b"),
        (lambda a: -(a**2), "-(a^2)"),
        (lambda a: (-a) ** 2, "(-a)^2"),
        (lambda a, b, c: (a**b) ** c, "(a^b)^c"),
        (lambda a, b, c: a ** (b**c), "a^(b^c)"),
        (lambda a: 2 / a, "2/a"),
        (lambda a: np.ceil(a / 7) * 2, "-INT(-(a/7))*2"),
        (lambda a, b: a - np.ceil(b), "a--INT(-(b))"),
        (lambda a: np.floor(a), "INT(a)"),
        (lambda a, b: np.where(a > b, "more", ""), 'IF(a>b,"more","")'),
        (lambda a: np.where(a > 0, 1 / a, float("nan")), 'IF(a>0,1/a,"")'),
        (lambda a: a * Constant(1, "x") / Constant(1, "y"), "a"),
        (lambda a: a + Constant(1e-9, ""), "a+1E-09"),
        (lambda a: a * -3, "a*-3"),
        (lambda a: np.log(a / 2), "LN(a/2)"),
        (lambda a, b: poisson_probability(a - 1, b), "POISSON(a-1,b,FALSE)"),
        (lambda a: 1 - poisson_cumulative(3, a), "1-POISSON(3,a,TRUE)"),
        (lambda a: 2 / normal_cumulative(-a), "2/NORMSDIST(-a)"),
    ],
)
def test_excel_text(formula, text):
    assert _excel(formula) == text


def test_words():
    text = written(
        lambda output_cost, batch: np.maximum(output_cost / batch, 1.5), lambda q: q.replace("_", " "), WORDS
    )
    assert text == "max(output cost \u00f7 batch, 1.5)"


def test_an_operation_without_a_form_is_refused():
    with pytest.raises(TypeError, match="sin has no Excel form"):
        _excel(lambda a: np.sin(a))


def test_functions_are_those_that_excel_has_had_since_2007():
    used = {name for text in EXCEL.functions.values() for name in re.findall(r"([A-Z]+)\(", text)}
    assert used <= EXCEL_2007, used - EXCEL_2007


def test_distributions_are_told_in_words():
    text = written(lambda slots, load: poisson_cumulative(slots - 1, load), lambda q: q, WORDS)
    assert text == "Poisson up to(slots \u2212 1, mean load)"
