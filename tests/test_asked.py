"""The grains of further questions: each read from the example's workbook, changed where a case wants it changed."""

from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from engine.catalogue import example
from engine.render.pdf import draw_charts
from engine.report import build
from engine.report.words import money_scale
from engine.scenarios import (
    ACCELERATORS,
    APIS,
    CASES,
    CONFIGURED,
    DECISIONS,
    DRAFTS,
    PRICE_COURSE,
    RATIOS,
    TOTAL,
    scenario,
)
from engine.studies.questions import CACHING, FRONTIER, LOAD, REASONING
from engine.workbook.blank import write_blank
from engine.workbook.read import read

SECONDS_A_MONTH = 86400 * 30  # November
BASE = "Chat on 4 H100"
PAGES = {
    "study_batch": {"Batch and speed", "Frontier"},
    "study_topology": {"Slice and precision"},
    "study_hardware": {"Accelerators"},
    "study_models": {"Models", "Levers"},
    "study_serving": {"Techniques of serving"},
    "study_apis": {"Serving or buying"},
    "study_outlook study_load": {"Load, reasoning and time"},
    "study_sensitivity": {"Sensitivity", "Sensitivity of a configuration"},
    "study_search": {"Search"},
    "study_fidelity": {"Fidelity"},
}


@pytest.fixture(scope="module")
def drafted(tmp_path_factory):
    """A function that drafts the report of the example with other settings, or other rows of a sheet."""
    folder, made = tmp_path_factory.mktemp("asked"), {}

    def draft(sheets=None, **settings):
        name = repr((sorted((sheets or {}).items()), sorted(settings.items())))
        if name not in made:
            rows = {**example("november"), **(sheets or {})}
            rows["Settings"] = [{**rows["Settings"][0], **settings}]
            path = folder / f"{len(made)}.xlsx"
            write_blank(path, rows, today=date(2026, 11, 30))
            made[name] = build.draft(scenario(read(path)), None, {})
        return made[name]

    return draft


def _values(draft, grain):
    return draft.scenario[grain].values


def _sections(draft):
    return {section.name for section in build.report(draft, (), input_hash="", engine_version="").sections}


def test_an_api_without_a_price_for_cached_input_bills_it_as_input(drafted):
    grain = drafted().scenario[APIS]
    assert grain.value("api_request_cost", f"{BASE} or Llama 3.3 70B, Nebius") == pytest.approx(
        (1800 * 0.25 + 420 * 0.75) / 1e6
    )
    # $1 fresh input with a quarter more for writing it to the cache, $0.10 where it is found there.
    assert grain.value("api_request_cost", f"{BASE} or Claude Haiku 4.5, Anthropic") == pytest.approx(
        (990 * 1.25 + 810 * 0.1 + 420 * 5) / 1e6
    )


def test_an_api_is_set_beside_the_model_it_names_or_beside_the_base(drafted):
    values = _values(drafted(), APIS)
    named = {row["competitor"]: row.get("for_model") for row in example("november")["Competitors"]}
    configured = drafted().scenario[CONFIGURED]
    for configuration, api in zip(values["configuration"], values["competitor"], strict=True):
        model = configured.value("model", configuration)
        assert named[api] == model if named[api] else configuration == BASE
    # Each pair once, and every API of a model that is served has one.
    assert len(set(values["comparison"])) == len(values["comparison"]) >= len(named)


def test_many_configurations_are_a_report_too(drafted):
    rows = example("november")["Configurations"]
    others = [{**row, "configuration": f"{row['configuration']}, again", "requests_share": None} for row in rows]
    draft = drafted({"Configurations": [*rows, *others]})
    draw_charts(draft.findings)
    assert len(draft.scenario[CONFIGURED].keys) == 2 * len(rows) > 40


def test_at_the_break_even_load_both_bills_are_equal(drafted):
    values = _values(drafted(), APIS)
    bills = values["break_even_requests"] * values["api_request_cost"] * SECONDS_A_MONTH
    assert bills == pytest.approx(values["fleet_cost"])
    assert values["own_saving"] == pytest.approx(values["api_month"] - values["fleet_cost"])


def test_at_the_break_even_ratio_both_cost_the_same(drafted):
    values = _values(drafted(), RATIOS)
    known = ~np.isnan(values["break_even_input_output"])
    ratio = values["break_even_input_output"][known]
    own = ratio * values["input_cost"][known] + values["output_cost"][known]
    api = ratio * values["api_input_price"][known] + values["api_output_price"][known]
    assert known.any()
    assert own == pytest.approx(api)
    # A winner at every ratio is the winner that the column of words names.
    assert set(values["own_or_api"][~known]) == {"always"}
    assert set(values["cheaper_side"][~known]) == {"own"}


def test_drafting_gains_less_the_larger_the_batch(drafted):
    values = _values(drafted(), DRAFTS)
    assert (np.diff(values["speculation_gain"]) < 0).all()
    assert values["tokens_per_pass"] == pytest.approx((1 - 0.7**5) / (1 - 0.7))
    on = values["speculate"] > 0
    assert values["speculative_output_cost"][~on] == pytest.approx(values["output_cost"][~on])
    assert (values["speculative_output_cost"][on] < values["output_cost"][on]).all()


@pytest.mark.parametrize(("acceptance", "tokens"), [(0, 1), (1, 5)])
def test_acceptance_of_nothing_and_of_everything(drafted, acceptance, tokens):
    draft = drafted(acceptance=acceptance)
    assert _values(draft, DRAFTS)["tokens_per_pass"] == pytest.approx(tokens)
    if acceptance == 0:
        report = build.report(draft, (), input_hash="", engine_version="")
        page = next(section for section in report.sections if section.name == "Techniques of serving")
        assert page.headline == "Speculative decoding loses at every batch: leave it off"


def test_more_hits_in_the_cache_never_cost_more(drafted):
    draft = drafted()
    cases, grain = draft.asked.of(CACHING), draft.scenario[CASES]
    costs = [grain.value("request_cost", case) for case in cases]
    first = [grain.value("time_to_first_token", case) for case in cases]
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in pairwise(costs))
    assert all(later < earlier for earlier, later in pairwise(first))
    # Whole replicas make steps; from nothing to nine tenths there is more than one.
    assert costs[-1] < 0.8 * costs[0]


def test_the_load_moves_revenue_and_not_the_bill(drafted):
    draft = drafted()
    grain, base = draft.scenario[CASES], draft.scenario[CONFIGURED]
    cases = draft.asked.of(LOAD)
    revenue = np.array([grain.value("revenue_per_day", case) for case in cases])
    load = np.array([grain.value("utilization", case) for case in cases])
    assert revenue / load == pytest.approx(base.value("revenue_per_day", BASE) / base.value("utilization", BASE))
    # A question's fleet runs around the clock and is paid by the hour of its rent, whatever its load.
    around_the_clock = base.value("fleet_accelerators", BASE) * base.value("accelerator_price", BASE) * 24
    assert [grain.value("fleet_cost_per_day", case) for case in cases] == pytest.approx([around_the_clock] * len(cases))


def test_a_day_is_a_thirtieth_of_november(drafted):
    total = drafted().scenario[TOTAL]
    assert total.value("gross_profit_per_day", "Total") * 30 == pytest.approx(total.value("gross_profit", "Total"))


def test_hidden_tokens_cost_what_visible_ones_do(drafted):
    draft = drafted()
    grain = draft.scenario[CASES]
    cost = {case.rpartition(": ")[2]: grain.value("request_cost", case) for case in draft.asked.of(REASONING)}
    assert cost["0"] < cost["1"] < cost["4"] < cost["9"]
    room = draft.scenario[DECISIONS].value("affordable_reasoning", BASE)
    # The answer's budget buys the prompt, the visible tokens and just that many hidden ones, all at our prices.
    assert (1800 * 0.88 + (420 + room) * 0.88) / 1e6 == pytest.approx(0.005)


def test_serving_as_much_as_training_cost_takes_those_days(drafted):
    values = _values(drafted(), DECISIONS)
    known = ~np.isnan(values["training_tokens"]) & (values["counts"] > 0)
    tokens = values["crossover_days"] * 86400 * values["mean_load"] * values["generated_tokens"]
    assert known.any()
    assert (tokens * values["output_cost"] / 1e6)[known] == pytest.approx(values["training_cost"][known])
    assert np.isnan(values["training_cost"][np.isnan(values["training_tokens"])]).all()


def test_a_falling_price_stops_at_own_cost_and_a_rising_one_is_named(drafted):
    values = _values(drafted(), PRICE_COURSE)
    assert values["projected_price"][0] == 0.88
    assert values["annual_price_factor"] == pytest.approx((20 / 0.88) ** (1 / 3))
    assert (values["projected_price"] >= values["price_floor"]).all()
    assert values["projected_price"][-1] == values["price_floor"][-1]
    rising = drafted(first_price=0.5)
    assert set(_values(rising, PRICE_COURSE)["price_warning"]) == {"the price rises"}
    assert np.isnan(_values(rising, PRICE_COURSE)["years_to_cost"]).all()
    report = build.report(rising, (), input_hash="", engine_version="")
    page = next(section for section in report.sections if section.name == "Load, reasoning and time")
    assert page.headline == "The market price is not projected: the price rises"


def test_what_a_dollar_buys_is_set_beside_the_accelerator_in_use(drafted):
    grain = drafted().scenario[ACCELERATORS]
    assert grain.value("bandwidth_advantage", "H100 SXM") == 0
    ratio = (6000 / 1.95) / (3350 / 2.95)
    assert grain.value("bandwidth_advantage", "MI325X") == pytest.approx(ratio - 1)
    # Without a price for a year there is nothing to compare the rent on demand with.
    assert grain.value("on_demand_premium", "MI325X") is None


def test_nothing_on_the_frontier_is_beaten(drafted):
    draft = drafted()
    grain = draft.scenario[CASES]
    points = [(grain.value("user_speed", case), grain.value("blended_cost", case)) for case in draft.asked.of(FRONTIER)]
    assert len(points) > 5
    assert points == sorted(points)
    assert all(low[1] < high[1] for low, high in pairwise(points))


@pytest.mark.parametrize("settings", PAGES)
def test_a_question_that_is_not_asked_leaves_its_pages_out(drafted, settings):
    assert PAGES[settings] <= _sections(drafted())
    assert not PAGES[settings] & _sections(drafted(**dict.fromkeys(settings.split(), "no")))


def test_without_competitors_drafts_or_prices_their_questions_are_left_out(drafted):
    draft = drafted(
        {"Competitors": []}, acceptance=None, draft_model=None, first_price=None, last_price=None, price_years=None
    )
    assert not {APIS, RATIOS, DRAFTS, PRICE_COURSE} & set(draft.scenario.grains)
    assert "Serving or buying" not in _sections(draft)
    assert {"Techniques of serving", "Load, reasoning and time"} <= _sections(draft)


def test_what_the_reader_warned_of_stands_beside_the_checks(drafted):
    report = build.report(drafted(acceptance=None), (), input_hash="", engine_version="")
    page = next(section for section in report.sections if section.name == "Method and checks")
    (warnings,) = (block for block in page.blocks if getattr(block, "title", "") == "Warnings about the inputs")
    assert any("acceptance is blank although draft_model is given" in row.cells[1] for row in warnings.rows)
    quiet = build.report(drafted(), (), input_hash="", engine_version="").sections
    assert not any(getattr(b, "title", "") == "Warnings about the inputs" for page in quiet for b in page.blocks)


@pytest.mark.parametrize(("bill", "words", "shown"), [(99_000, "$", 99_000), (1_305_490, "$ thousand", 1305.49)])
def test_small_bills_are_shown_in_dollars(bill, words, shown):
    assert money_scale(bill).words == words
    assert money_scale(bill).of(bill) == pytest.approx(shown)
