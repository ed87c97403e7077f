"""Excel's numbers equal NumPy's: every formula, on ordinary, zero, negative and half values, in two other engines."""

import math
import shutil
import subprocess
import sys
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from openpyxl import Workbook, load_workbook
from oracles import needs_libreoffice, recalculated_by_libreoffice

from engine.formulas import EVERY_GROUP, needs
from engine.report.live import letters
from engine.sheets import SHEETS
from engine.tracing import EXCEL, written

EVERY = {(group, name): formula for group, formulas in EVERY_GROUP.items() for name, formula in formulas.items()}
FORMUALIZER = Path(sys.executable).parent / "formualizer"
MOST = {column.name: column.at_most for sheet in SHEETS for column in sheet.columns if column.at_most is not None}
KINDS = ("ordinary", "ordinary", "ordinary", "zeros", "half", "negative", "mixed")


def _samples(formula, seed):
    """Values for each parameter, one row a kind; ordinary ones keep to the upper bounds that sheets declare."""
    random = np.random.default_rng(seed)
    rows = []
    for kind in KINDS:
        bounds = np.array([min(40.0, MOST.get(quantity, 40.0)) for quantity in needs(formula)])
        ordinary = np.round(random.uniform(0.02, 1, len(bounds)) * bounds, 3)
        rows.append(
            {
                "ordinary": ordinary,
                "zeros": np.zeros_like(ordinary),
                "half": np.full_like(ordinary, 0.5),
                "negative": -ordinary,
                "mixed": np.where(random.random(len(ordinary)) < 0.4, 0.0, ordinary),
            }[kind]
        )
    return np.array(rows)


def _undefined(formula, sample):
    """Whether something on the way is divided by zero or has no value; NumPy may lose that in a minimum, Excel not."""
    try:
        with np.errstate(divide="raise", invalid="raise"):
            formula(*(np.array([value]) for value in sample))
    except FloatingPointError:
        return True
    return False


def _text_or_number(value):
    return str(value) if isinstance(value, str | np.str_) else float(value)


@pytest.fixture(scope="module")
def expected_and_book(tmp_path_factory):
    """One sheet with every formula over every sample; what NumPy gives, by cell."""
    path = tmp_path_factory.mktemp("parity") / "parity.xlsx"
    book, expected, row = Workbook(), {}, 0
    sheet = book.active
    for (_, name), formula in EVERY.items():
        # By name, so that a new formula leaves the samples of the others as they are.
        samples = _samples(formula, crc32(name.encode()))
        with np.errstate(all="ignore"):
            results = np.broadcast_to(formula(*samples.T), len(samples))
        for sample, result in zip(samples, results, strict=True):
            row += 1
            places = {quantity: f"{letters(place)}{row}" for place, quantity in enumerate(needs(formula), 2)}
            for place, value in zip(places.values(), sample, strict=True):
                sheet[place] = float(value)
            sheet[f"A{row}"] = "=" + written(formula, places.__getitem__, EXCEL)
            expected[row] = (name, _text_or_number(result), _undefined(formula, sample))
    book.save(path)
    return expected, path


def _differences(expected, path):
    values = [row[0] for row in load_workbook(path, data_only=True).active.iter_rows(max_col=1, values_only=True)]
    wrong = []
    for row, (name, number, undefined) in expected.items():
        found = values[row - 1]
        if undefined and isinstance(found, str) and found.startswith("#"):
            same = True
        elif isinstance(number, str):
            same = (found or "") == number
        elif math.isfinite(number):
            same = isinstance(found, int | float) and math.isclose(found, number, rel_tol=1e-9, abs_tol=1e-12)
        else:
            # What NumPy cannot compute must not be a number in Excel either: an error, or nothing.
            same = not isinstance(found, int | float) or isinstance(found, bool)
        if not same:
            wrong.append((name, KINDS[(row - 1) % len(KINDS)], number, found))
    return wrong


def test_formualizer_agrees(expected_and_book, tmp_path):
    expected, book = expected_and_book
    path = Path(shutil.copy(book, tmp_path / "parity.xlsx"))
    subprocess.run([FORMUALIZER, "recalc", str(path)], check=True, capture_output=True)
    assert not _differences(expected, path)


@needs_libreoffice
def test_libreoffice_agrees(expected_and_book, tmp_path):
    expected, book = expected_and_book
    assert not _differences(expected, recalculated_by_libreoffice(book, tmp_path))
