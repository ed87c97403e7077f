"""Search: what it finds is cheapest, keeps the promises, and is what the model says of it."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from engine.catalogue import example
from engine.report.search import search_sheet, why_not
from engine.scenarios import CONFIGURED, scenario
from engine.sheets import HARDWARE, PRECISIONS, SETTINGS, TRAFFIC
from engine.studies.questions import Asked
from engine.studies.search import SetUp, search
from engine.studies.variants import computes, tried
from engine.workbook.blank import write_blank
from engine.workbook.read import read

BASE = "Chat on 4 H100"
SOME = ("H100 SXM", "MI300X", "L40S")  # few, so that a test is quick


def with_cells(inputs, sheet, **columns):
    table = inputs.tables[sheet]
    changed = {name: np.full(len(table), value) for name, value in columns.items()}
    return replace(inputs, tables={**inputs.tables, sheet: replace(table, columns={**table.columns, **changed})})


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    path = tmp_path_factory.mktemp("search") / "example.xlsx"
    write_blank(path, example("november"), today=date(2026, 11, 30))
    read_inputs = read(path)
    table = read_inputs.tables[HARDWARE.name]
    prices = np.where(np.isin(table.columns["hardware"], SOME), table.columns["on_demand_price"], np.nan)
    few = replace(table, columns={**table.columns, "on_demand_price": prices})
    return replace(read_inputs, tables={**read_inputs.tables, HARDWARE.name: few})


@pytest.fixture(scope="module")
def calculated(inputs):
    return scenario(inputs)


@pytest.fixture(scope="module")
def found(calculated):
    return search(calculated, BASE)


def test_nothing_that_keeps_the_promises_is_cheaper(calculated, found):
    """Against an enumeration of its own, with batches that the search does not begin with."""
    names = [str(row["precision"]) for row in calculated.inputs.tables[PRECISIONS.name]]
    asked = [
        {
            "hardware": hardware, "price_basis": "on demand", "precision": precision, "tensor_parallel": float(count),
            "shared_pool": shared, "requested_batch_size": float(batch),
        }
        for hardware in SOME
        for precision in names
        if computes(calculated, hardware, precision)
        for count in (1, 2, 4, 8)
        for shared in (0.0, 1.0)
        for batch in (3, 12, 24, 48, 64, 96, 200)
    ]  # fmt: skip
    answers = tried(calculated, BASE, asked).values
    keeps = (answers["fits"] > 0) & (answers["meets_target"] > 0) & (answers["waiting_warning"] == "")
    costs = np.where(keeps & (answers["waiting_warning_prefill"] == ""), answers["blended_cost"], np.inf)
    assert np.isfinite(costs).any()
    assert found.ranked[0].cost <= costs.min() * (1 + 1e-6)


def test_a_set_up_is_what_the_model_says_of_it(calculated, found):
    best = found.ranked[0]
    changes = {
        "hardware": best.hardware, "price_basis": "on demand", "precision": best.precision,
        "tensor_parallel": float(best.accelerators), "shared_pool": float(best.is_shared),
        "requested_batch_size": float(best.batch),
    }  # fmt: skip
    answer = tried(calculated, BASE, [changes])
    for name, figure in best.figures.items():
        assert figure == pytest.approx(answer.at(name, 0), rel=1e-12), name
    assert answer.at("fits", 0) and answer.at("meets_target", 0)


def test_the_ranking_has_each_accelerator_once_cheapest_first(found):
    names, costs = [each.hardware for each in found.ranked], [each.cost for each in found.ranked]
    assert len(set(names)) == len(names) and set(names) <= set(SOME)
    assert costs == sorted(costs)
    assert found.tried >= found.fitting >= found.keeping > 0


def test_the_frontier_trades_cost_for_speed(found):
    costs, speeds = [each.cost for each in found.frontier], [each.speed for each in found.frontier]
    assert costs == sorted(costs) and speeds == sorted(speeds) and len(set(speeds)) == len(speeds)
    assert costs[0] <= found.ranked[0].cost * (1 + 1e-6)


def test_the_fastest_below_a_cost(calculated, found):
    assert found.ceiling == calculated[CONFIGURED].value("blended_cost", BASE)
    assert found.fastest.cost <= found.ceiling
    affordable = [each for each in found.frontier if each.cost <= found.ceiling]
    assert all(each.speed <= found.fastest.speed for each in affordable)


def test_a_ceiling_of_the_analysts(inputs):
    cheap = search(scenario(with_cells(inputs, SETTINGS.name, cost_ceiling=1e-6)), BASE)
    assert cheap.ceiling == 1e-6 and cheap.fastest is None


def test_a_tenth_more_room_never_costs(found):
    by_name = {each.constraint: each for each in found.relaxed}
    assert set(by_name) == {
        "the promised speed", "the memory that may be filled", "the promised wait", "the engine\u2019s batch limit",
    }  # fmt: skip
    assert all(each.saving >= 0 for each in found.relaxed)


def test_what_holds_it_back_is_the_promise(inputs):
    """A promise that the cheapest keeps by a hair: a tenth of it saves; with no promise that constraint is gone."""
    strict = search(scenario(with_cells(inputs, TRAFFIC.name, target_user_speed=60.0)), BASE)
    speed = next(each for each in strict.relaxed if each.constraint == "the promised speed")
    assert speed.saving > 0 and speed.best.speed >= 54 and speed.best.cost < strict.ranked[0].cost
    free = search(scenario(with_cells(inputs, TRAFFIC.name, target_user_speed=0.0)), BASE)
    assert "the promised speed" not in {each.constraint for each in free.relaxed}
    assert free.ranked[0].cost <= strict.ranked[0].cost


def test_memory_without_a_tenth_left(inputs):
    full = search(scenario(with_cells(inputs, "Configurations", usable_memory_share=0.95)), BASE)
    memory = next(each for each in full.relaxed if each.constraint == "the memory that may be filled")
    assert memory.best is None and memory.reason == "there is no tenth left of it"


def test_a_promise_that_nothing_keeps(inputs):
    assert search(scenario(with_cells(inputs, TRAFFIC.name, target_user_speed=1e5)), BASE) is None


def test_why_one_lost_by_hand():
    def made(rent, work):
        return SetUp("A", "fp8", 1, True, 1, {"replica_cost": rent, "request_rate": work})

    assert why_not(made(3.0, 12.0), made(2.0, 10.0)) == (
        "a replica costs 1.50 times as much an hour and completes 1.20 times the requests"
    )


def test_the_sheet_shows_what_was_found(calculated, found):
    sheet = search_sheet(calculated, Asked(BASE, (), {}, search=found))
    first = sheet.tables[0].rows[0]
    assert found.ranked[0].hardware in first.cells[0].value
    assert found.ranked[0].cost in [cell.value for cell in first.cells]
    assert sheet.tables[-1].rows[0].cells[0].value == "as calculated"
