"""What is written means what is computed: precedence, signs, powers and rounding."""

import numpy as np
import pytest

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
