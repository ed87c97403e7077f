"""Sensitivity: drivers, pairs and scenarios, against inputs that are typed anew, and by hand."""

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from engine.catalogue import example
from engine.formulas import COMPARISON_FORMULAS
from engine.report.sensitivity import sensitivities
from engine.scenarios import CASES, CONFIGURED, PAIRS, TOTAL, Moved, month_alone, scenario
from engine.sheets import CONFIGURATIONS, HARDWARE, SETTINGS, TRAFFIC
from engine.studies.questions import answered, questions
from engine.studies.sensitivity import AS_IT_IS, HIGH, KEPT, LOW, MODES, REFILLED, sensitivity
from engine.studies.shifts import ImpossibleShiftError, Shift, shifting
from engine.workbook.blank import write_blank
from engine.workbook.read import read

BASE = "Chat on 4 H100"


def typed(tmp_path, change=lambda rows: None):
    """The example with rows changed, written and read."""
    rows = {name: [dict(row) for row in sheet] for name, sheet in example("november").items()}
    change(rows)
    write_blank(tmp_path / "typed.xlsx", rows, today=date(2026, 11, 30))
    return read(tmp_path / "typed.xlsx")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return typed(tmp_path_factory.mktemp("sensitivity"))


@pytest.fixture(scope="module")
def calculated(inputs):
    return scenario(inputs)


@pytest.fixture(scope="module")
def found(calculated):
    return sensitivity(calculated, BASE)


@pytest.fixture(scope="module")
def answers(calculated):
    asked = questions(calculated)
    return asked, answered(calculated, asked)


def test_a_driver_is_what_typing_its_inputs_anew_gives(tmp_path, found):
    def fewer(rows):
        for row in rows["Traffic"]:
            for name in ("mean_requests", "peak_requests"):
                if row.get(name):
                    row[name] *= 0.8

    total = scenario(typed(tmp_path, fewer))[TOTAL]
    outcome = found.month["Request volume", LOW]
    for name, figure in outcome.figures.items():
        assert figure == pytest.approx(total.value(name, "Total"), rel=1e-12), name


def test_a_scenario_is_all_its_rows_at_once(tmp_path, found):
    def moved(rows):
        (row,) = (row for row in rows["Configurations"] if row["configuration"] == "Reasoning on 8 H100")
        row["hardware"] = "H200 SXM"

    total = scenario(typed(tmp_path, moved))[TOTAL]
    figures = found.scenarios["Reasoning moves to H200", KEPT].figures
    assert figures["gross_profit"] == pytest.approx(total.value("gross_profit", "Total"), rel=1e-12)
    both = found.scenarios["Low", KEPT].figures["revenue"]
    start = found.scenarios[AS_IT_IS, KEPT].figures["revenue"]
    assert both == pytest.approx(start * 0.85 * 0.9, rel=1e-9)


def test_the_month_as_it_is_is_the_months_own(calculated, found):
    for name, figure in found.scenarios[AS_IT_IS, KEPT].figures.items():
        assert figure == calculated[TOTAL].value(name, "Total"), name


def test_refilled_batches_are_what_memory_allows(tmp_path, found):
    def filled(rows):
        for row in rows["Configurations"]:
            if row["requested_batch_size"] != "demand":
                row["requested_batch_size"] = "max"

    total = scenario(typed(tmp_path, filled))[TOTAL]
    figures = found.scenarios[AS_IT_IS, REFILLED].figures
    assert figures["gross_profit"] == pytest.approx(total.value("gross_profit", "Total"), rel=1e-12)


def test_rent_moves_the_cost_of_a_token_in_proportion(answers):
    """Checked by hand: nothing but rent is in the cost, so its elasticity is 1."""
    asked, answer = answers
    cases, names = answer[CASES], asked.sensitivity.names
    for mode in MODES:
        base = cases.value("blended_cost", asked.sensitivity.bases[mode])
        for side, times in ((LOW, 0.85), (HIGH, 1.15)):
            case = names["Accelerator rent", side, mode]
            assert cases.value("blended_cost", case) == pytest.approx(base * times, rel=1e-12)


def test_an_elasticity_by_hand():
    # A cost that rises from 0.40 to 0.46, by 15 %, where the driver rises by 20 %.
    change = COMPARISON_FORMULAS["relative_change"](0.46, 0.40)
    assert COMPARISON_FORMULAS["elasticity"](change, 0.20) == pytest.approx(0.75)
    with np.errstate(divide="ignore"):
        assert math.isnan(COMPARISON_FORMULAS["elasticity"](0.15, 0.0))


def test_a_case_follows_the_cell_of_its_driver(answers):
    asked, answer = answers
    cases = answer[CASES]
    row = cases.row(asked.sensitivity.names["Accelerator rent", HIGH, KEPT])
    moved = cases.moved["accelerator_price", row]
    assert moved == Moved(cases.values["accelerator_price"][row], (("Sensitivity", "high_change", 2),))


def test_what_a_configuration_does_not_read_moves_nothing_there(found):
    assert ("Hidden reasoning", LOW, KEPT) not in found.names
    assert found.month["Hidden reasoning", LOW].figures


def test_a_pair_is_the_model_at_both(answers):
    """Every combination against a full row of the model with the same figures typed over."""
    from engine.studies.variants import tried

    asked, answer = answers
    grain, (pair,) = answer[PAIRS], asked.sensitivity.pairs
    assert len(pair.combinations) == 2 * 25
    batches = {KEPT: answer[CONFIGURED].value("batch_size", BASE), REFILLED: 0.0}
    for mode, batch in batches.items():
        rows = [combination for (of, *_), combination in pair.combinations.items() if of == mode]
        plain = [
            {name: to.value if isinstance(to, Moved) else to for name, to in row.changes.items()} for row in rows
        ]
        full = tried(answer, BASE, [{**changes, "requested_batch_size": batch} for changes in plain])
        for place, row in enumerate(rows):
            for name in ("gross_margin", "blended_cost"):
                assert grain.value(name, row.name) == pytest.approx(full.at(name, place), rel=1e-12)


def test_a_pair_of_drivers_of_one_figure(tmp_path):
    def overlapping(rows):
        for row in rows["Sensitivity"]:
            row["pair"] = ""
        rows["Sensitivity"] += [
            {"driver": f"rent {n}", "input_sheet": "Hardware", "input_column": "one_year_price", "pair": "rents",
             "low_change": -0.1, "high_change": 0.2, "steps": 2}
            for n in (1, 2)
        ]

    calculated = scenario(typed(tmp_path, overlapping))
    asked = questions(calculated)
    answer = answered(calculated, asked)
    (pair,) = asked.sensitivity.pairs
    names = {(i, j): row.name for (mode, i, j), row in pair.combinations.items() if mode == KEPT}
    grain = answer[PAIRS]
    base = grain.value("blended_cost", names[1, 1])
    assert (pair.columns, pair.lines) == (("−10%", AS_IT_IS, "+20%"),) * 2
    assert grain.value("blended_cost", names[0, 2]) == pytest.approx(base * 0.9 * 1.2, rel=1e-12)


def test_a_row_alone_is_changed(inputs):
    shift = shifting(inputs)
    changed = shift([Shift(TRAFFIC.name, ("mean_requests",), "chat", share=-0.5)])
    before, after = (each.tables[TRAFFIC.name] for each in (inputs, changed))
    assert after.find("Chat")["mean_requests"] == before.find("Chat")["mean_requests"] / 2
    assert after.find("Code")["mean_requests"] == before.find("Code")["mean_requests"]


def test_words_do_not_move_by_a_share(inputs):
    changed = shifting(inputs)([Shift(CONFIGURATIONS.name, ("requested_batch_size",), "", share=1.0)])
    for row, other in zip(inputs.tables[CONFIGURATIONS.name], changed.tables[CONFIGURATIONS.name], strict=True):
        was, now = row["requested_batch_size"], other["requested_batch_size"]
        assert now == (was if was <= 0 else 2 * was)


def test_what_falls_back_to_a_setting_moves_with_it(inputs):
    changed = shifting(inputs)([Shift(SETTINGS.name, ("usable_memory_share",), "", value=0.8)])
    assert set(changed.tables[CONFIGURATIONS.name].columns["usable_memory_share"]) == {0.8}


@pytest.mark.parametrize(
    ("shift", "sentence"),
    [
        (
            Shift(SETTINGS.name, ("utilization_cap",), "", share=0.5),
            "utilization_cap would be 127.5 %; allowed is 5 % to 100 %",
        ),
        (
            Shift(CONFIGURATIONS.name, ("tensor_parallel",), BASE, share=0.1),
            "tensor_parallel of 'Chat on 4 H100' would be 4.4; it has to be a whole number",
        ),
        (
            Shift(TRAFFIC.name, ("mean_requests",), "Chat", share=2.0),
            "peak_requests is 290 requests/s; allowed is the mean or more, 570 (B5)",
        ),
        (
            Shift(CONFIGURATIONS.name, ("price_basis",), BASE, value="for ever"),
            "price_basis would be 'for ever'; allowed is one of on demand, 1 year, 3 years, spot",
        ),
    ],
)
def test_what_cannot_be_is_told_and_not_clipped(inputs, shift, sentence):
    with pytest.raises(ImpossibleShiftError) as told:
        shifting(inputs)([shift])
    assert sentence in str(told.value)


def test_a_driver_out_of_bounds_has_a_reason_and_no_figure(inputs):
    table = inputs.tables["Sensitivity"]
    columns = {name: values.copy() for name, values in table.columns.items()}
    columns["input_sheet"][0], columns["input_column"][0] = "Settings", "utilization_cap"
    changed = replace(inputs, tables={**inputs.tables, "Sensitivity": replace(table, columns=columns)})
    calculated = scenario(changed)
    found = sensitivity(calculated, BASE)
    name = found.drivers[0].name
    assert found.month[name, HIGH].reason == "utilization_cap would be 102 %; allowed is 5 % to 100 %"
    assert not found.month[name, HIGH].figures and (name, HIGH, KEPT) not in found.names


def test_what_no_longer_fits_is_told(inputs, calculated):
    from engine.studies.sensitivity import _outcome

    shift = Shift(HARDWARE.name, ("accelerator_memory",), "H100 SXM", share=-0.75)
    outcome = _outcome(calculated, month_alone(shifting(inputs)([shift])))
    assert outcome.reason.startswith("Chat on 4 H100 does not fit: ") and not outcome.figures


def test_nothing_is_asked_where_nothing_is_named(tmp_path):
    def without(rows):
        rows["Sensitivity"], rows["Scenarios"] = [], []

    asked = questions(scenario(typed(tmp_path, without)))
    assert asked.sensitivity is None


def test_the_sheet_says_what_the_studies_found(answers):
    asked, answer = answers
    sheet = sensitivities(answer, asked)
    month = sheet.tables[0]
    row = next(row for row in month.rows if row.cells[0].value == "Our prices")
    outcome = asked.sensitivity.month["Our prices", LOW]
    profit = answer[TOTAL].value("gross_profit", "Total")
    assert row.cells[3].value == outcome.figures["gross_profit"] - profit
    assert row.cells[7].formula.startswith("=IF(AND(Run_Check=0,ABS(SUM(Sensitivity!E5:E13,")
