"""Search: what it finds is cheapest, keeps the promises, and is what the model says of it."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from engine.calculation import in_order
from engine.catalogue import example
from engine.formulas import SPECULATION_FORMULAS, needs
from engine.report.pages.search import search_page
from engine.report.search import layout_of, search_sheet, why_not, words_of
from engine.scenarios import CONFIGURED, scenario
from engine.sheets import HARDWARE, PRECISIONS, SETTINGS, TRAFFIC
from engine.studies.questions import Asked
from engine.studies.search import CONSTRAINTS, Place, SetUp, _Search, search
from engine.studies.variants import computes, tried, tried_together
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


def changes_of(setup):
    place = setup.place
    return {
        "hardware": place.hardware, "price_basis": "on demand", "precision": place.precision,
        "tensor_parallel": float(place.tensor_parallel), "pipeline_stages": float(place.pipeline_stages),
        "attention_data_parallel": float(place.attention_groups), "shared_pool": float(place.is_shared),
        "requested_batch_size": float(setup.batch),
    }  # fmt: skip


def test_a_set_up_is_what_the_model_says_of_it(calculated, found):
    plain = [setup for setup in (*found.ranked, *found.frontier) if not setup.place.is_drafted]
    answer = tried(calculated, BASE, [changes_of(setup) for setup in plain])
    assert len(plain) > 2
    for row, setup in enumerate(plain):
        for name, figure in setup.figures.items():
            assert figure == pytest.approx(answer.at(name, row), rel=1e-12), name
        assert answer.at("fits", row)
    kept = [setup in found.ranked for setup in plain]
    assert all(answer.at("meets_target", row) for row in np.flatnonzero(kept))


def test_many_rows_together_are_what_each_is_by_itself(calculated):
    named = [{"hardware": name, "precision": word} for name in SOME for word in ("fp8", "bf16")]
    which = np.arange(60) % len(named)
    typed = {"tensor_parallel": np.tile([1.0, 2.0, 8.0], 20), "requested_batch_size": np.linspace(1, 60, 60).round()}
    wanted = ("fits", "blended_cost", "user_speed", "waiting_warning", "batch_size_limit")
    found = tried_together(calculated, BASE, named, which, typed, wanted)
    each = tried(
        calculated, BASE,
        [{**named[which[row]], **{name: values[row] for name, values in typed.items()}} for row in range(60)],
    ).values  # fmt: skip
    np.testing.assert_array_equal(found["fits"], each["fits"])
    fits = each["fits"] > 0
    assert 0 < fits.sum() < 60
    for name in wanted[1:3]:
        np.testing.assert_allclose(found[name][fits], each[name][fits].astype(float), rtol=1e-12)
    assert (found["waiting_warning"][fits] == each["waiting_warning"][fits]).all()


def test_the_ranking_has_each_accelerator_once_cheapest_first(found):
    names, costs = [each.place.hardware for each in found.ranked], [each.cost for each in found.ranked]
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
    assert set(by_name) == {words for words, _ in CONSTRAINTS.values()}
    assert all(each.saving >= 0 for each in found.relaxed)


def test_what_holds_it_back_is_the_promise(inputs):
    """A promise that the cheapest keeps by a hair: a tenth of it saves; with no promise that constraint is gone."""
    strict = search(scenario(with_cells(inputs, TRAFFIC.name, target_user_speed=60.0)), BASE)
    speed = next(each for each in strict.relaxed if each.constraint == "the promised speed")
    assert speed.saving > 0 and speed.best.speed >= 54 and speed.best.cost < strict.ranked[0].cost
    free = search(scenario(with_cells(inputs, TRAFFIC.name, target_user_speed=0.0)), BASE)
    assert "the promised speed" not in {each.constraint for each in free.relaxed}
    assert free.ranked[0].cost <= strict.ranked[0].cost


def test_a_first_token_that_is_promised_holds_back(inputs, found):
    """The example promises one: without it other batches are cheaper, and a tenth of one that binds saves."""
    first = []
    for target in (0.3, 0.4, 0.5):
        strict = search(scenario(with_cells(inputs, TRAFFIC.name, first_token_target=target)), BASE)
        first.append(next(each for each in strict.relaxed if each.constraint == "the promised first token"))
        assert first[-1].best is None or first[-1].best.figures["time_to_first_token"] <= target * 1.1
    assert any(each.saving > 0 for each in first)
    assert all(setup.figures["time_to_first_token"] <= 1 for setup in found.ranked)
    free = search(scenario(with_cells(inputs, TRAFFIC.name, first_token_target=1e6)), BASE)
    assert "the promised first token" not in {each.constraint for each in free.relaxed}
    assert free.ranked[0].cost < strict.ranked[0].cost
    assert free.ranked[0].figures["time_to_first_token"] > target


def test_no_batch_is_larger_than_the_engine_takes(inputs):
    small = search(scenario(with_cells(inputs, "Configurations", engine_batch_limit=20)), BASE)
    assert max(setup.batch for setup in (*small.ranked, *small.frontier)) <= 20
    engine = next(each for each in small.relaxed if each.constraint.startswith("the engine"))
    assert engine.saving > 0 and 20 < engine.best.batch <= 22


def test_a_measured_speed_is_that_of_the_configuration_alone(inputs, found):
    measured = scenario(with_cells(inputs, "Configurations", measured_output_speed=1e6, measured_input_speed=1e6))
    assert search(measured, BASE).ranked[0].figures == pytest.approx(found.ranked[0].figures)


# Stages and attention groups


def places_of(calculated, base):
    return list(_Search(calculated, base)._limits()[0])


def test_stages_are_tried_where_a_slice_does_not_hold_the_model_or_is_a_server(calculated):
    places = places_of(calculated, BASE)
    staged = {(p.hardware, p.precision, p.tensor_parallel) for p in places if p.pipeline_stages > 1}
    # 141 GB of weights leave no room in 80 GB, nor 71 in 48; in 192 GB they do. A server of H100 has eight.
    assert ("H100 SXM", "bf16", 1) in staged and ("L40S", "fp8", 1) in staged
    assert ("H100 SXM", "fp8", 8) in staged and ("H100 SXM", "fp8", 2) not in staged
    assert not [place for place in staged if place[0] == "MI300X"]
    assert all(p.accelerators <= 32 for p in places)


def test_groups_are_tried_where_ranks_would_hold_the_same_cache(calculated):
    grouped = {(p.tensor_parallel, p.attention_groups) for p in places_of(calculated, BASE)}
    # Eight KV heads: only sixteen ranks and more have copies.
    assert {groups for count, groups in grouped if count == 8} == {1}
    assert {groups for count, groups in grouped if count == 32} == {1, 2, 4}
    latent = {(p.tensor_parallel, p.attention_groups) for p in places_of(calculated, "Code on 8 H200")}
    assert {groups for count, groups in latent if count == 16} == {1, 2, 4, 8, 16}


def test_every_group_holds_the_weights_that_each_step_reads(calculated):
    """A latent cache lies once in every rank, so groups save copies of it and cost copies of weights."""
    study = _Search(calculated, "Code on 8 H200")
    one = Place("MI300X", "fp8", 16)
    many = Place("MI300X", "fp8", 16, attention_groups=16)
    limits = study._largest([one, many])
    usable, dense, routed, each = 192 * 16 * 0.9, 671.0 - 653.91, 653.91, 61 * (512 + 64) / 1e9
    grain = calculated[CONFIGURED]
    reserved = grain.value("sequence_memory", "Code on 8 H200") / 8 / each  # eight copies there
    assert limits[one] == min(2048, int((usable - dense - routed) / (reserved * each * 16)))
    assert limits[many] == min(2048 * 16, int((usable - 16 * dense - routed) / (reserved * each)))
    assert limits[many] > limits[one]


# Speculative decoding


def drafted(calculated, place, batch):
    study = _Search(calculated, BASE)
    answers = study._answers([(place, batch), (replace(place, is_drafted=True), batch)])
    return answers.setup(0), answers.setup(1), study


def test_a_draft_makes_a_token_as_fast_as_its_passes(calculated):
    """By hand, in a pool without prompts: tokens of a pass over the time of the pass."""
    place = Place("H100 SXM", "fp8", 4, is_shared=False)
    plain, speculative, study = drafted(calculated, place, 16)
    changes = [{**changes_of(plain)}]
    row = tried(calculated, BASE, changes).values
    asked = {name: float(values[0]) for name, values in row.items() if values.dtype.kind == "f"}
    figures = {**asked, **study.draft.inputs}
    for name in in_order(SPECULATION_FORMULAS):
        figures[name] = SPECULATION_FORMULAS[name](*(figures[need] for need in needs(SPECULATION_FORMULAS[name])))
    a, n = study.draft.acceptance, 4
    tokens = (1 - a ** (n + 1)) / (1 - a)
    a_pass = figures["step_time_verify"] + n * figures["step_time_draft"]
    assert speculative.speed == pytest.approx(tokens / a_pass, rel=1e-9)
    assert speculative.speed / plain.speed == pytest.approx(figures["speculation_gain"], rel=1e-9)
    assert speculative.figures["request_rate"] == pytest.approx(16 * tokens / a_pass / 420, rel=1e-9)
    # A first token waits for whole passes, and for the draft's share of the prompts.
    slower = asked["prefill_time"] * asked["prompt_queue"] * 8.03 / 70.55
    longer = asked["first_token_steps"] * (a_pass - asked["step_time"])
    first = plain.figures["time_to_first_token"] + slower + longer
    assert speculative.figures["time_to_first_token"] == pytest.approx(first, rel=1e-9)


def test_a_draft_takes_its_memory(calculated):
    study = _Search(calculated, BASE)
    plain, speculative = (Place("H100 SXM", "fp8", 2, is_drafted=is_drafted) for is_drafted in (False, True))
    limits = study._largest([plain, speculative])
    row = tried(calculated, BASE, [changes_of(SetUp(plain, 1, {}))])
    per_token, draft = 80 * 2 * 8 * 128, 32 * 2 * 8 * 128  # bytes, eight bits each
    sequence = row.at("sequence_memory", 0) * (per_token + draft) / per_token
    assert limits[speculative] == int((160 * 0.9 - 70.55 - 8.03) / sequence)
    assert limits[speculative] < limits[plain]


def test_an_acceptance_without_source_is_not_tried(inputs, calculated, found):
    assert found.draft.model == "Llama 3.1 8B" and found.draft.source
    missing = {"acceptance_source": "", "draft_model": "", "acceptance": np.nan}
    for name, value in (*missing.items(), ("draft_model", "Llama 3.1 70B")):
        without = scenario(with_cells(inputs, SETTINGS.name, **{name: value}))
        other = search(without, BASE)
        assert other.draft is None and other.tried < found.tried / 1.5
        assert not any(setup.place.is_drafted for setup in (*other.ranked, *other.frontier))
        costs = {setup.place.hardware: setup.cost for setup in other.ranked}
        assert all(setup.cost <= costs[setup.place.hardware] for setup in found.ranked)
    asked = Asked(BASE, (), {}, search=other)
    page = search_page(without, asked, search_sheet(without, asked))
    assert "Speculative decoding was not: that takes a draft model" in page.blocks[0].text
    assert search_page(calculated, Asked(BASE, (), {}, search=found), search_sheet(calculated, asked))


def test_a_draft_that_is_never_accepted_is_never_found(inputs):
    rejected = search(scenario(with_cells(inputs, SETTINGS.name, acceptance=0.0)), BASE)
    assert rejected.draft and not any(setup.place.is_drafted for setup in (*rejected.ranked, *rejected.frontier))
    welcome = search(scenario(with_cells(inputs, SETTINGS.name, acceptance=0.95)), BASE)
    assert welcome.ranked[0].place.is_drafted and welcome.ranked[0].cost < rejected.ranked[0].cost


def test_memory_without_a_tenth_left(inputs):
    full = search(scenario(with_cells(inputs, "Configurations", usable_memory_share=0.95)), BASE)
    memory = next(each for each in full.relaxed if each.constraint == "the memory that may be filled")
    assert memory.best is None and memory.reason == "there is no tenth left of it"


def test_a_promise_that_nothing_keeps(inputs):
    assert search(scenario(with_cells(inputs, TRAFFIC.name, target_user_speed=1e5)), BASE) is None


def test_why_one_lost_by_hand():
    def made(rent, work):
        return SetUp(Place("A", "fp8", 1), 1, {"replica_cost": rent, "request_rate": work})

    assert why_not(made(3.0, 12.0), made(2.0, 10.0)) == (
        "a replica costs 1.50 times as much an hour and completes 1.20 times the requests"
    )


@pytest.mark.parametrize(
    ("place", "words", "layout"),
    [
        (Place("A", "fp8", 2), "2 x A, fp8, batch 4", "one slice"),
        (Place("A", "fp8", 8, 2, is_shared=False), "16 x A in 2 stages, fp8, batch 4, prefill apart", "2 stages"),
        (
            Place("A", "fp8", 8, 2, 4, is_drafted=True),
            "16 x A in 2 stages in 4 attention groups, fp8, batch 4, speculative decoding",
            "2 stages, 4 groups",
        ),
    ],
)
def test_a_set_up_in_words(place, words, layout):
    setup = SetUp(place, 4, {})
    assert words_of(setup).replace("\u00a0", " ").replace("\u00d7", "x") == words
    assert layout_of(setup).replace("\u00a0", " ") == layout


def test_the_sheet_shows_what_was_found(calculated, found):
    sheet = search_sheet(calculated, Asked(BASE, (), {}, search=found))
    first = sheet.tables[0].rows[0]
    assert found.ranked[0].place.hardware in first.cells[0].value
    assert found.ranked[0].cost in [cell.value for cell in first.cells]
    assert sheet.tables[-1].rows[0].cells[0].value == "as calculated"
