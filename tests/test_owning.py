"""Owning: an owned hour against figures by hand, crossovers against counting, and what is said where one is missing."""

import re
import shutil
from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from openpyxl import load_workbook

from engine.catalogue import example
from engine.formulas import OWNED_PARTS
from engine.render.charts import draw
from engine.render.typesetting import brand
from engine.report import build
from engine.report.owning import CROSSOVERS
from engine.report.values import Curves
from engine.scenarios import (
    BOOKS,
    CONFIGURED,
    CROSSINGS,
    HOURS_OF_USE,
    OWNERSHIP,
    SEARCHED,
    VOLUMES,
    WAYS,
    scenario,
)
from engine.scenarios.owning import volume_key
from engine.sheets import FIRST_ROW, SETTINGS
from engine.studies.crossovers import FOUND, NOT_REACHED, NOT_VERIFIED
from engine.studies.owning import crossed
from engine.workbook.blank import write_blank
from engine.workbook.read import read
from engine.workbook.recalculation import recalculate

BASE = "Chat on 4 H100"
OWNING, CROSSING = "Owning an accelerator", "Own, rent or call an API"
COSTS = {"own": "own_volume_cost", "rent": "rent_volume_cost", "API": "api_volume_cost"}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A function that gives the example with other settings, hardware or APIs, and its crossovers."""
    folder, made = tmp_path_factory.mktemp("owning"), {}

    def ask(hardware=None, apis=None, **settings):
        name = repr((hardware, apis, sorted(settings.items())))
        if name not in made:
            rows = example("november")
            rows["Settings"] = [{**rows["Settings"][0], **settings}]
            rows["Competitors"] = [{**row, **(apis or {})} for row in rows["Competitors"] if apis != "none"]
            for row in rows["Hardware"]:
                if row["hardware"] == "H100 SXM":
                    row.update(hardware or {})
            path = folder / f"{len(made)}.xlsx"
            write_blank(path, rows, today=date(2026, 11, 30))
            made[name] = crossed(scenario(read(path)))
        return made[name]

    return ask


@pytest.fixture(scope="module")
def pages_asked():
    """A function that gives the pages of owning, by name, drawn from a scenario."""

    def pages(calculated):
        drafted = build.draft(calculated, None, {})
        return {section.name: section for section in drafted.findings if section.name in (OWNING, CROSSING)}

    return pages


def _found(calculated):
    grain = calculated[CROSSINGS]
    return {str(way): (grain.value("answer", way), grain.value("first_tokens", way)) for way in grain.keys}


# An hour of an owned accelerator


def test_an_owned_h100_by_hand(asked):
    owned = asked()[OWNERSHIP]
    # 8 % over 5 years: 0.25046; (270,000 + 20,000 - 27,000) x 0.25046 + 27,000 x 8 % = 68,030 a year.
    assert owned.value("capital_recovery_factor", "H100 SXM") == pytest.approx(0.2504565, rel=1e-6)
    assert owned.value("node_capital_cost", "H100 SXM") == pytest.approx(68030.05, abs=0.01)
    # 10.2 kW x 1.56 x $0.0806 x 8,760 h; 5 % of the price; 10.2 kW x $184.06 x 12; $6,000 for people.
    year = 68030.05 + 11234.76 + 13500 + 22528.94 + 6000
    assert owned.value("node_cost", "H100 SXM") == pytest.approx(year, abs=0.02)
    assert owned.value("owned_cost", "H100 SXM") == pytest.approx(year / 8 / 8760, rel=1e-6)


def test_the_parts_of_an_owned_hour_add_up(asked):
    owned = asked()[OWNERSHIP]
    parts = sum(owned.values[part] for part in OWNED_PARTS)
    assert list(owned.keys) == ["H100 SXM", "B200 SXM"]
    assert parts == pytest.approx(owned.values["owned_cost"], rel=1e-12)


def test_the_books_write_off_price_and_installation_down_to_the_residual(asked):
    books = asked()[BOOKS]
    of = books.values["hardware"] == "H100 SXM"
    assert books.values["node_book_value"][of].tolist() == pytest.approx([290e3, 237400, 184800, 132200, 79600, 27e3])
    assert sum(books.values["node_depreciation"][of]) * 12 == pytest.approx(263e3)
    assert books.value("booked_cost", "H100 SXM, after its life") < books.value("booked_cost", "H100 SXM, year 1")


def test_the_cheapest_terms_are_those_with_the_smallest_bill(asked):
    grain = asked()[HOURS_OF_USE]
    for key in grain.keys:
        bills = {"rented": grain.value("hours_used", key) * grain.value("rented_price", key)}
        for term, price in (("1 year", "one_year_price"), ("3 years", "three_year_price"), ("owned", "owned_cost")):
            if grain.value(price, key) > 0:
                bills[term] = 24 * grain.value(price, key)
        assert grain.value("cheapest_term", key) == min(bills, key=bills.get)
    assert {"rented", "owned"} == set(grain.values["cheapest_term"])


def test_a_rent_that_is_not_known_has_no_break_even(asked):
    owned = asked()[OWNERSHIP]
    assert owned.value("three_year_price", "H100 SXM") is None
    assert owned.value("three_year_break_even_hours", "H100 SXM") is None
    assert owned.value("owned_break_even_hours", "H100 SXM") == pytest.approx(
        24 * owned.value("owned_cost", "H100 SXM") / 2.95
    )


def test_a_workbook_without_a_purchase_price_has_no_grain_of_owning(asked):
    priceless = asked({"node_purchase_price": None})
    assert list(priceless[OWNERSHIP].keys) == ["B200 SXM"]


# Crossovers


def _exact(grain, way, tokens):
    """What a volume costs in a way, written out once more, in exact fractions of the live figures."""
    figure = {name: Fraction(str(grain.at(name, 0))) for name in grain.values if _is_number(grain.at(name, 0))}
    if way == "API":
        return figure["api_token_price"] * tokens
    replicas = max(figure["minimum_replicas"], -(-tokens // figure["replica_tokens"]))
    if not figure["shared_pool"]:
        replicas += -(-tokens // figure["prefill_replica_tokens"])
    nodes = -(-replicas // figure["replicas_per_node"]) * figure["nodes_per_replica"]
    if way == "own":
        return figure["own_base_cost"] + nodes * figure["node_month_cost"]
    return nodes * figure["rented_node_cost"]


def _is_number(value):
    return isinstance(value, int | float | np.number)


def _cheapest(grain, way, tokens, ways):
    return all(_exact(grain, way, tokens) < _exact(grain, other, tokens) for other in ways if other != way)


CASES = {
    "as it is": {},
    "prompts in a pool of their own": {"study_configuration": "Chat on 4 H100, prefill apart"},
    "servers smaller than a replica": {"hardware": {"accelerators_per_node": 2.0, "node_purchase_price": 60e3}},
    "servers of three": {"hardware": {"accelerators_per_node": 3.0, "node_purchase_price": 90e3}},
    "a low load": {"utilization_cap": 0.3},
}


@pytest.mark.parametrize("case", CASES)
def test_a_token_less_and_another_way_is_the_cheapest(asked, case):
    calculated = asked(**CASES[case])
    found, grain = _found(calculated), calculated[WAYS]
    assert set(found) == {"own", "rent", "API"}
    for way, (answer, first) in found.items():
        if answer != FOUND:
            continue
        first = int(first)
        assert _cheapest(grain, way, first, found)
        assert first == 1 or not _cheapest(grain, way, first - 1, found)
        # No earlier server either: costs change only at its steps, and between them only the API's.
        step = int(grain.at("replica_tokens", 0))
        for size in {step, int(grain.at("prefill_replica_tokens", 0))}:
            for count in range(first // size + 1):
                for tokens in (count * size, count * size + 1):
                    assert not 0 < tokens < first or not _cheapest(grain, way, tokens, found)


def test_the_example_crosses_twice(asked):
    found = _found(asked())
    assert found["API"] == (FOUND, 1)
    assert 1 < found["rent"][1] < found["own"][1] < 1e12


def test_live_costs_agree_with_the_search(asked):
    calculated = asked()
    volumes = calculated[VOLUMES]
    for way, (_, first) in _found(calculated).items():
        assert volumes.value("cheapest_way", volume_key(first)) == way
        if first > 1:
            assert volumes.value("cheapest_way", volume_key(first - 1)) != way
        for tokens in volumes.values["monthly_tokens"][:5]:
            exact = _exact(calculated[WAYS], way, int(tokens))
            assert volumes.value(COSTS[way], volume_key(tokens)) == pytest.approx(float(exact), rel=1e-12)


def test_a_pool_for_prompts_is_paid_for(asked):
    apart = asked(study_configuration="Chat on 4 H100, prefill apart")[VOLUMES]
    assert (apart.values["volume_prefill_replicas"] >= 1).all()
    assert (asked()[VOLUMES].values["volume_prefill_replicas"] == 0).all()


def test_an_api_that_is_cheaper_everywhere(asked, pages_asked):
    cheap = asked(apis={"api_input_price": 0.001, "api_cached_price": 0.001, "api_output_price": 0.001})
    found = _found(cheap)
    assert found["API"] == (FOUND, 1)
    assert found["own"][0] == found["rent"][0] == NOT_REACHED
    assert cheap[CROSSINGS].value("searched_tokens", "own") == 1e13
    headline = pages_asked(cheap)[CROSSING].headline.replace("\u00a0", " ")
    assert headline == "The API costs least at every volume that was looked at, up to 10 trillion tokens a month"


def test_owning_that_is_cheaper_from_the_first_token(asked, pages_asked):
    prices = {"node_purchase_price": 30e3, "installation_cost": 0.0, "node_staff_cost": 0.0}
    gift = asked(prices, apis="none", own_base_cost=0.0)
    assert _found(gift)["own"] == (FOUND, 1)
    assert _found(gift)["rent"][0] == NOT_REACHED
    page = pages_asked(gift)[CROSSING]
    assert page.headline.startswith("Owning costs least at every volume")
    assert "none on Competitors names Llama 3.1 70B" in page.blocks[0].text


def test_what_takes_too_many_steps_is_not_verified(asked, pages_asked):
    far = asked({"node_purchase_price": 9e8, "on_demand_price": None}, crossover_limit=1e16)
    assert _found(far)["own"][0] == NOT_VERIFIED
    assert 0 < far[CROSSINGS].value("searched_tokens", "own") < 1e16
    foot = pages_asked(far)[CROSSING].blocks[-1].footnote
    assert "Owning takes too many steps to be looked at further" in foot


def test_without_a_purchase_price_renting_stands_beside_the_api(asked, pages_asked):
    rented = asked({"node_purchase_price": None})
    assert set(_found(rented)) == {"rent", "API"}
    assert set(rented[VOLUMES].values["cheapest_way"]) == {"rent", "API"}
    text = pages_asked(rented)[CROSSING].blocks[0].text
    assert re.search(r"Owning is left out: H100 SXM has no purchase price \(Hardware![A-Z]+\d+\)", text)


def test_with_one_way_there_is_nothing_to_cross(asked, pages_asked):
    alone = asked({"node_purchase_price": None}, apis="none")
    assert CROSSINGS not in alone.grains and VOLUMES not in alone.grains
    assert set(pages_asked(alone)) == {OWNING}


def test_the_question_can_be_left_out(asked, pages_asked):
    quiet = asked(study_ownership="no")
    assert CROSSINGS not in quiet.grains
    assert set(pages_asked(quiet)) == {OWNING}


def test_a_configuration_without_demand_has_its_crossovers(asked):
    # Its accelerators are not bought, and no API sells its model: one way is left.
    assert CROSSINGS not in asked(study_configuration="405B demo on 8 H100").grains
    demo = asked(apis={"for_model": "Llama 3.1 405B"}, study_configuration="405B demo on 8 H100")
    assert not demo[CONFIGURED].value("has_demand", "405B demo on 8 H100")
    assert _found(demo)["rent"][0] in (FOUND, NOT_REACHED)


# Pages, sheets, the workbook


def test_headlines_say_what_was_found(asked, pages_asked):
    pages = pages_asked(asked())
    cost = asked()[OWNERSHIP].value("owned_cost", "H100 SXM")
    assert pages[OWNING].headline == (
        f"An owned H100 SXM costs ${cost:.2f} an hour all-in; renting it for a year costs $2.35"
    )
    found = {way: first for way, (_, first) in _found(asked()).items()}
    rent, own = (f"{found[way] / 1e9:.3g}\u00a0billion" for way in ("rent", "own"))
    assert pages[CROSSING].headline == (
        f"Renting first beats the API at {rent} tokens a month; owning first beats renting at {own}"
    )


def test_the_chart_shows_every_way_its_steps_and_both_crossovers(asked, pages_asked):
    chart = next(block for block in pages_asked(asked())[CROSSING].blocks if isinstance(block, Curves))
    assert [mark.label.split()[0] for mark in chart.marks] == ["renting", "owning"]
    rent = next(curve for curve in chart.curves if curve.name == "rent")
    costs = [cost for _, cost in rent.points]
    assert len(set(costs)) > 5 and costs == sorted(costs)
    assert len({x for x, _ in rent.points}) == len(rent.points)
    svg = draw(chart, brand().colours)
    assert svg == draw(chart, brand().colours)
    for words in ("own", "rent", "this month", *(mark.label.replace("\u00a0", " ") for mark in chart.marks)):
        assert words in svg.replace("\u00a0", " "), words


def test_a_search_says_when_its_inputs_have_changed(november, tmp_path):
    path = tmp_path / "results.xlsx"
    shutil.copyfile(november / "results.xlsx", path)
    assert _verdicts(path) == {"as searched"}
    book = load_workbook(path)
    place = FIRST_ROW + SETTINGS.columns.index(SETTINGS.column("own_base_cost"))
    assert book["Settings"][f"A{place}"].value == "own_base_cost"
    book["Settings"][f"B{place}"].value = 41_000
    book.save(path)
    recalculate(path)
    assert _verdicts(path) == {"inputs changed since: run the report again"}
    changed = [row for row in _rows(path, SEARCHED) if row[-1] == 1]
    assert [row[0] for row in changed] == ["own_base_cost"]


def _rows(path, sheet):
    rows = load_workbook(path, data_only=True)[sheet].iter_rows(min_row=FIRST_ROW, values_only=True)
    return [row for row in rows if row[0]]


def _verdicts(path):
    return {row[-1] for row in _rows(path, CROSSINGS)}


def test_the_sheet_for_readers_shows_the_search_as_values(november):
    sheet = load_workbook(november / "results.xlsx")["Own or rent"]
    heads = next(cell.row for cell in sheet["A"] if cell.value == CROSSOVERS) + 2
    first = [sheet.cell(heads + row, 3).value for row in (1, 2, 3)]
    assert all(value.startswith("=Crossovers!") for value in first)
    typed = load_workbook(november / "results.xlsx")[CROSSINGS]
    place = [cell.value for cell in typed[FIRST_ROW - 1]].index("first_tokens")
    assert all(isinstance(row[place].value, int | float) for row in typed.iter_rows(FIRST_ROW, FIRST_ROW + 2))
