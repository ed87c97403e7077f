"""Rules that hold for every formula: a new one is covered by being written."""

import numpy as np
import pytest
from given_units import GIVEN, JOINED
from unit_check import UnitError, dimension_of, parse

from engine.calculation import behind, calculate, depending_on, in_order
from engine.formulas import COMPARISON_FORMULAS, EVERY_FORMULA, EVERY_GROUP, FORMULAS, again, needs
from engine.scenarios import CONFIGURED, LINES
from engine.sheets import SHEETS
from engine.tracing import EXCEL, WORDS, written
from engine.units import Constant, Seconds, unit_of

EVERY = [(group, name) for group, formulas in EVERY_GROUP.items() for name in formulas]
# The grains of the workbook; the other groups are for rows that bring what they need.
GRAINS = (
    *("class", "configuration", "total", "action", "billed request", "ledger", "profit", "part"),
    *("valley", "hour", "hour's prefill", "class by hour", "bill", "bridge line", "bridge"),
)


def _dimensions():
    known = {column.name: column.unit.dimension for sheet in SHEETS for column in sheet.columns} | JOINED | GIVEN
    for formulas in EVERY_GROUP.values():
        known |= {name: unit_of(f.__annotations__["return"]).dimension for name, f in formulas.items()}
    return known


@pytest.mark.parametrize(("group", "name"), EVERY)
def test_gives_the_unit_it_declares(group, name):
    formula = EVERY_GROUP[group][name]
    unit = unit_of(formula.__annotations__["return"])
    found = dimension_of(formula, _dimensions())
    assert unit.kind == "text" or found == parse(unit.dimension)


@pytest.mark.parametrize(("group", "name"), EVERY)
def test_has_a_meaning_and_a_source(group, name):
    text = EVERY_GROUP[group][name].__doc__
    assert text and text.split("\n\n")[0].rstrip().endswith("."), name
    assert "Source: " in text, name


@pytest.mark.parametrize(("group", "name"), EVERY)
def test_can_be_written_for_excel_and_for_people(group, name):
    formula = EVERY_GROUP[group][name]
    for style in (EXCEL, WORDS):
        text = written(formula, lambda quantity: f"<{quantity}>", style)
        assert all(f"<{quantity}>" in text for quantity in needs(formula)), text
        text = written(formula, lambda quantity: "x", style)  # a quantity's name may well hold these letters
        assert "nan" not in text and "None" not in text


def test_a_dropped_conversion_is_found():
    def step(weight_memory, memory_bandwidth) -> Seconds:
        return weight_memory * 3600 / memory_bandwidth

    def wrong_hours(replica_cost, output_speed):
        return replica_cost / output_speed * Constant(1e6, "1/M")

    dimensions = _dimensions()
    assert dimension_of(step, dimensions) == parse("s")
    assert dimension_of(wrong_hours, dimensions) != parse("$/M*token")
    with pytest.raises(UnitError):
        dimension_of(lambda step_time, weight_memory: step_time + weight_memory, dimensions)


def test_a_formula_cannot_branch_on_a_quantity():
    def branches(batch_size):
        return 1 if batch_size > 3 else 2

    with pytest.raises(TypeError, match=r"use np\.where"):
        written(branches, lambda quantity: quantity)


def test_every_needed_quantity_is_filled_in_or_calculated():
    columns = {column.name for sheet in SHEETS for column in sheet.columns} | set(JOINED)
    for group in ("class", "configuration"):
        formulas = EVERY_GROUP[group]
        missing = set().union(*(needs(f) for f in formulas.values())) - set(formulas) - columns
        assert not missing, group
    assert LINES != CONFIGURED


def test_names_are_unique_beyond_the_grains():
    names = [name for group, formulas in EVERY_GROUP.items() if group not in GRAINS for name in formulas]
    assert len(set(names)) == len(names)
    assert not set(names) & set().union(*(EVERY_GROUP[grain] for grain in GRAINS))
    assert set(EVERY_FORMULA) == set(names) | set().union(*(EVERY_GROUP[grain] for grain in GRAINS))
    assert all(EVERY_FORMULA[name] is formula for name, formula in FORMULAS.items())


def test_every_further_input_has_a_dimension_and_is_used():
    columns = {column.name: column.unit.dimension for sheet in SHEETS for column in sheet.columns}
    taken = set().union(*(needs(f) for formulas in EVERY_GROUP.values() for f in formulas.values()))
    assert set(GIVEN) <= taken
    assert not set(GIVEN) & (set(JOINED) | set(EVERY_FORMULA))
    assert not taken - set(columns) - set(JOINED) - set(GIVEN) - set(EVERY_FORMULA)
    # Once a sheet asks for it, the sheet says its unit, and it is the same.
    assert {name: columns.get(name, unit) for name, unit in GIVEN.items()} == GIVEN


def test_a_comparison_takes_figures_of_one_kind():
    formula = COMPARISON_FORMULAS["relative_change"]
    assert dimension_of(formula, {"compared": "$", "base": "$"}) == {}
    with pytest.raises(UnitError):
        dimension_of(formula, {"compared": "$/h", "base": "$"})


def test_order_respects_needs():
    order = {name: place for place, name in enumerate(in_order(FORMULAS))}
    for name, formula in FORMULAS.items():
        assert all(order[needed] < order[name] for needed in needs(formula) if needed in order)


def test_a_given_quantity_is_not_calculated_again():
    columns = calculate(
        {"revenue": np.array([5.0]), "fleet_cost": np.array([3.0])},
        {name: FORMULAS[name] for name in behind(["gross_profit"], ["revenue", "fleet_cost"])},
    )
    assert columns["gross_profit"] == [2.0]
    assert set(columns) == {"revenue", "fleet_cost", "gross_profit"}


def test_a_missing_quantity_is_named():
    with pytest.raises(KeyError, match="fleet_cost"):
        calculate({"revenue": np.array([5.0])}, {"gross_profit": FORMULAS["gross_profit"]})


def test_again_renames_only_what_changes():
    group = {name: FORMULAS[name] for name in ("step_tokens", "dense_arithmetic_time", "dense_reading_time")}
    verify = again(group, "verify", decoding_batch="verify_batch")
    assert set(verify) == {"step_tokens_verify", "dense_arithmetic_time_verify"}
    assert "step_tokens_verify" in needs(verify["dense_arithmetic_time_verify"])
    assert needs(verify["step_tokens_verify"]) == ("verify_batch",)
    assert verify["step_tokens_verify"](7) == FORMULAS["step_tokens"](7)


def test_what_depends_on_a_batch():
    touched = depending_on("batch_size")
    assert {"step_time", "output_cost", "gross_margin"} <= touched
    assert not {"weight_memory", "batch_size_limit", "fits", "reason"} & touched
