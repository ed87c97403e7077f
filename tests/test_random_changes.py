"""Fifty random cells typed over at once: results.xlsx, calculated by LibreOffice, says what the engine says."""

import random
import string
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.utils.datetime import to_excel
from oracles import needs_libreoffice, recalculated_by_libreoffice
from test_results_workbook import LAID_OUT, alike

from engine.report.live import sheets_of
from engine.scenarios import BRIDGE, BRIDGE_LINES, DECISIONS, POOLS, SLICES, scenario
from engine.sheets import FIRST_ROW
from engine.studies.bridge import bridged, left
from engine.workbook.problems import InvalidWorkbook
from engine.workbook.read import read

INPUTS = Path(__file__).parents[1] / "inputs"
SEED, CHANGES = 20261121, 50
LETTERS = string.ascii_uppercase


def drawn(inputs, dice):
    """A cell with a number in it, and another number that may stand there; None where the cell has none."""
    table = inputs.tables[dice.choice([name for name, table in inputs.tables.items() if len(table)])]
    column, row = dice.choice(table.sheet.columns), dice.randrange(len(table))
    value = table.columns[column.name].item(row)
    if not isinstance(value, float) or not value > 0 or column.words or column.unit.kind not in ("number", "share"):
        return None
    other = value * dice.uniform(0.8, 1.25)
    other = round(other) if column.whole else other
    fits = (column.at_least is None or other >= column.at_least) and (column.at_most is None or other <= column.at_most)
    return (table.sheet.name, table.addresses[column.name][row], other) if fits and other != value else None


def typed_over(inputs, folder, dice):
    """The changes, all of which a workbook takes: what is refused is drawn again."""
    refused, changes = set(), {}
    while True:
        while len(changes) < CHANGES:
            change = drawn(inputs, dice)
            if change and change[:2] not in refused:
                changes[change[:2]] = change[2]
        book = load_workbook(INPUTS / "example.xlsx")
        for (sheet, cell), value in changes.items():
            book[sheet][cell].value = value
        book.save(folder / "input.xlsx")
        try:
            return changes, read(folder / "input.xlsx")
        except InvalidWorkbook as found:
            places = {(problem.sheet, problem.cell) for problem in found.problems}
            rows = {(sheet, cell.lstrip(LETTERS)) for sheet, cell in places}
            # A problem may name another cell of the row than the one that was typed over.
            wrong = {at for at in changes if at in places or (at[0], at[1].lstrip(LETTERS)) in rows}
            wrong = wrong or {at for at in changes if at[0] in {sheet for sheet, _ in places}} or set(changes)
            refused |= wrong
            changes = {at: value for at, value in changes.items() if at not in wrong}


@pytest.fixture(scope="module")
def changed(november, tmp_path_factory):
    """The changes, the engine's grains after them, and results.xlsx with the same cells changed, calculated anew."""
    folder = tmp_path_factory.mktemp("random")
    before, now = read(INPUTS / "example-october.xlsx"), read(INPUTS / "example.xlsx")
    changes, typed = typed_over(now, folder, random.Random(SEED))
    calculated = bridged(scenario(typed), left(scenario(before)), before)
    book = load_workbook(november / "results.xlsx")
    for (sheet, cell), value in changes.items():
        book[sheet][cell].value = value
    book.save(folder / "results.xlsx")
    found = recalculated_by_libreoffice(folder / "results.xlsx", folder)
    return changes, calculated, load_workbook(found, data_only=True)


@needs_libreoffice
def test_every_figure_follows_every_change(changed):
    changes, calculated, book = changed
    wrong, compared = [], 0
    for name, grain in calculated.grains.items():
        if name in (DECISIONS, POOLS, SLICES):
            continue
        for sheet in sheets_of(grain):
            heads, *rows = book[sheet].iter_rows(min_row=FIRST_ROW - 1, values_only=True)
            for row, values in enumerate(rows[: len(grain.keys)]):
                for quantity, value in zip(heads, values, strict=True):
                    if quantity is None or quantity in LAID_OUT:
                        continue
                    own = grain.at(quantity, row)
                    value = to_excel(value) if isinstance(value, datetime) else value
                    compared += 1
                    if not alike(value, own.item() if hasattr(own, "item") else own, noise(quantity, name)):
                        wrong.append((sheet, values[0], quantity, value, own))
    assert not wrong, (len(wrong), changes, wrong[:10])
    assert len(changes) == CHANGES and len({sheet for sheet, _ in changes}) >= 8
    assert compared > 30_000


def noise(quantity, grain):
    """How far apart steps may be, which are differences of large amounts: a thousandth of a cent."""
    return 1e-5 if grain in (BRIDGE, BRIDGE_LINES) and quantity.endswith("_step") else 0.0
