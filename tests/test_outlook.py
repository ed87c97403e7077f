"""The months ahead: month 0 is the month reported, nothing moves of itself, parts add up; in grains and on pages."""

import calendar
import math
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from engine.render.pdf import draw_charts
from engine.report import build
from engine.scenarios import (
    CALENDAR_AHEAD,
    CONFIGURED,
    DEMAND_AHEAD,
    MODEL_OUTLOOK,
    MODELS_AHEAD,
    MONTHS_AHEAD,
    PAYBACK,
    TOTAL,
    TOTALS_AHEAD,
    scenario,
)
from engine.scenarios.ahead import EXPECTED, looks_ahead
from engine.workbook.read import read

EXAMPLE = Path(__file__).parents[1] / "inputs" / "example.xlsx"
CHAT, CODE, MODERATION = "Chat on 4 H100", "Code on 8 H200", "Moderation on 2 TPU v5e"
STILL = {
    "Settings": dict.fromkeys(EXPECTED, 0.0),
    "Traffic": {"demand_growth": 0.0, "season": ""},
    "Configurations": {"committed_until": None},
}


@pytest.fixture(scope="module")
def example():
    return read(EXAMPLE)


def changed(inputs, *changes):
    """The inputs with columns typed over: every row with a value, or some rows by name with values of their own."""
    tables = dict(inputs.tables)
    for sheets in changes:
        for sheet, columns in sheets.items():
            table = tables[sheet]
            names = [""] if table.sheet.vertical else list(table.columns[table.sheet.keys[0].name])
            new = dict(table.columns)
            for column, value in columns.items():
                given = value if isinstance(value, dict) else dict.fromkeys(names, value)
                values = [given.get(name, old) for name, old in zip(names, new[column].tolist(), strict=True)]
                kind = object if column == "committed_until" else None
                new[column] = np.array(values, dtype=kind)
            tables[sheet] = replace(table, columns=new)
    return replace(inputs, tables=tables)


def ahead(calculated, quantity, key, months):
    """A figure of a configuration so many months ahead."""
    grain = calculated[MONTHS_AHEAD]
    (row,) = np.flatnonzero((grain.values["configuration"] == key) & (grain.values["months_ahead"] == months))
    return grain.at(quantity, row)


def outlook_pages(draft):
    """The pages of a draft about the months ahead: what they earn, and what that rests on."""
    return [page for page in draft.findings if re.fullmatch(r"The next \d+ months|Outlook: assumptions", page.name)]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"Settings": {"days_in_month": 30.4}},
        {"Settings": {"report_month": date(2028, 2, 1)}, "Configurations": {"committed_until": None}},
        {"Configurations": {"committed_until": {CODE: date(2026, 11, 10), CHAT: date(2026, 11, 30)}}},
        {"Configurations": {"shared_pool": {CHAT: 0.0}, "price_basis": {CODE: "on demand"}}},
    ],
)
def test_month_zero_is_the_month_reported(example, change):
    calculated = scenario(changed(example, change))
    configured, grain = calculated[CONFIGURED], calculated[MONTHS_AHEAD]
    first = grain.values["months_ahead"] == 0
    keys = grain.values["configuration"][first]
    assert set(keys) == {key for key in configured.keys if configured.value("counts", key)}
    for quantity, today in (
        ("forward_revenue", "revenue"),
        ("forward_bill", "fleet_cost"),
        ("forward_profit", "gross_profit"),
    ):
        expected = [configured.value(today, key) for key in keys]
        assert grain.values[quantity][first] == pytest.approx(expected, rel=1e-12), quantity
        of_all = calculated[TOTALS_AHEAD].values[quantity][0]
        assert of_all == pytest.approx(calculated[TOTAL].value(today, "Total"), rel=1e-12)
    # Accelerators are counted by rate alone, without the hours, waits and whole servers of the month's own fleet.
    counted = [_counted(configured, key) for key in keys]
    assert grain.values["forward_accelerators"][first] == pytest.approx(counted, rel=1e-12)
    assert calculated[TOTALS_AHEAD].values["forward_accelerators"][0] == pytest.approx(sum(counted), rel=1e-12)


def _counted(configured, key):
    """Whole replicas for the rate required, and a pool for prompts where they are apart, in accelerators."""
    rate = configured.value("required_rate", key)
    replicas = math.ceil(rate / configured.value("request_rate", key) - 1e-9)
    prompts = 0 if configured.value("shared_pool", key) else math.ceil(rate * configured.value("prefill_time", key))
    least = configured.value("minimum_replicas", key)
    return (max(least, replicas) + prompts) * configured.value("accelerator_count", key)


def test_nothing_moves_of_itself(example):
    """Only the days of the months differ, where all that could change is 0; the investment has the question asked."""
    calculated = scenario(changed(example, STILL, {"Settings": {"investment": 1.0}}))
    totals, days = calculated[TOTALS_AHEAD].values, calculated[CALENDAR_AHEAD].values["forward_days"]
    assert set(days) == {28.0, 29.0, 30.0, 31.0}
    for quantity in ("forward_revenue", "forward_bill", "forward_profit"):
        assert totals[quantity][days == days[0]] == pytest.approx(totals[quantity][0], rel=1e-12)
        assert totals[quantity] / days == pytest.approx(totals[quantity][0] / days[0], rel=1e-12)
    assert set(totals["forward_accelerators"]) == {totals["forward_accelerators"][0]}


def test_without_a_change_there_is_no_outlook(example):
    still = changed(example, STILL)
    assert not looks_ahead(still)
    draft = build.draft(scenario(still), None, {})
    assert draft.outlook is None and not {MONTHS_AHEAD, PAYBACK} & set(draft.scenario.grains)
    assert not outlook_pages(draft)


@pytest.mark.parametrize(
    "change",
    [
        *({"Settings": {name: 0.1}} for name in EXPECTED),
        {"Traffic": {"demand_growth": {"Chat": -0.01}}},
        {"Traffic": {"season": {"Code": "Office year"}}},
        {"Configurations": {"committed_until": {CODE: date(2027, 6, 1)}}},
    ],
)
def test_any_change_asks_for_the_outlook_unless_it_is_switched_off(example, change):
    asked = changed(example, STILL, change)
    assert looks_ahead(asked)
    assert not looks_ahead(changed(asked, {"Settings": {"forward_months": 0.0}}))


@pytest.mark.parametrize("months", [12, 36])
def test_so_many_months_by_the_calendar(example, months):
    calculated = scenario(changed(example, {"Settings": {"forward_months": float(months)}}))
    grain = calculated[CALENDAR_AHEAD]
    assert len(grain.keys) == months + 1 and grain.keys[-1] == ("2027-11" if months == 12 else "2029-11")
    for key, days in zip(grain.keys, grain.values["forward_days"], strict=True):
        assert days == calendar.monthrange(int(key[:4]), int(key[5:]))[1]
    assert {name: len(calculated[name].keys) for name in (MONTHS_AHEAD, MODELS_AHEAD, TOTALS_AHEAD)} == {
        MONTHS_AHEAD: 9 * (months + 1),
        MODELS_AHEAD: 7 * (months + 1),
        TOTALS_AHEAD: months + 1,
    }


def test_the_code_fleet_of_december_by_hand(example):
    calculated = scenario(example)
    demand = 1.04 * 0.89 / 1.06
    assert ahead(calculated, "demand_factor", CODE, 1) == pytest.approx(demand)
    # 24 requests a second of 6,500 tokens, of which 60 % are cached, and 650 of answer.
    request = (2600 * 1.25 + 3900 * 0.625 + 650 * 1.25) / 1e6
    # 2 % of requests are our own, and 2 % of what is billed is credited.
    revenue = 24 * demand * 86400 * 31 * request * 0.98 * 0.98 * 0.65 ** (1 / 12)
    assert ahead(calculated, "forward_revenue", CODE, 1) == pytest.approx(revenue)
    # The commitment covers 24 replicas of eight, and fewer would do.
    assert ahead(calculated, "forward_accelerators", CODE, 1) == 24 * 8
    assert ahead(calculated, "forward_bill", CODE, 1) == pytest.approx(192 * 2.79 * 24 * 31)


def test_a_contract_that_ends_mid_month_covers_its_share_of_the_days(example):
    """Moderation's ends on 15 June 2027: 15 of 30 days at the price agreed, the others at June's rent."""
    calculated = scenario(example)
    rent = calculated[CONFIGURED].value("accelerator_price", MODERATION)
    held = ahead(calculated, "forward_committed_accelerators", MODERATION, 7)
    needed = ahead(calculated, "forward_accelerators", MODERATION, 7)
    assert (held, ahead(calculated, "forward_committed_share", MODERATION, 7)) == (108, 0.5)
    market = rent * 0.85 ** (7 / 12)
    hours = 24 * 30
    expected = 0.5 * hours * (held * rent + max(0, needed - held) * market) + 0.5 * hours * needed * market
    assert ahead(calculated, "forward_bill", MODERATION, 7) == pytest.approx(expected)
    for months, share in ((6, 1.0), (8, 0.0)):
        assert ahead(calculated, "forward_committed_share", MODERATION, months) == share
    assert ahead(calculated, "forward_committed_cost", MODERATION, 8) == 0


def test_what_is_committed_keeps_its_price_and_what_is_not_follows_the_market(example):
    cheap = changed(example, STILL, {"Settings": {"rent_change": -0.5}})
    calculated = scenario(cheap)
    on_demand = "Extraction on MI300X"
    assert ahead(calculated, "forward_bill", CHAT, 12) == pytest.approx(ahead(calculated, "forward_bill", CHAT, 0))
    fallen = ahead(calculated, "forward_bill", on_demand, 12) / ahead(calculated, "forward_bill", on_demand, 0)
    assert fallen == pytest.approx(0.5)


def test_a_fleet_that_shrinks_still_pays_its_commitment(example):
    """Half the demand a month later: on demand half the fleet, committed the whole bill."""
    fewer = changed(example, STILL, {"Traffic": {"demand_growth": -0.5}})
    calculated = scenario(fewer)
    assert ahead(calculated, "forward_accelerators", CHAT, 1) < 0.6 * ahead(calculated, "forward_accelerators", CHAT, 0)
    bill = ahead(calculated, "forward_bill", CHAT, 1)
    assert bill == pytest.approx(ahead(calculated, "forward_bill", CHAT, 0) * 31 / 30)
    assert ahead(calculated, "forward_rented_cost", CHAT, 1) == 0


def test_a_group_grows_as_its_classes_do(example):
    """Partners' chat alone grows; a mix of two classes grows by their request-weighted mean."""
    calculated = scenario(example)
    grain = calculated[DEMAND_AHEAD]
    rows = grain.values["traffic_month"] == "Partners, 2027-11"
    weights, factors = grain.values["class_requests"][rows], grain.values["demand_factor"][rows]
    assert rows.sum() >= 1
    expected = (weights * factors).sum() / weights.sum()
    assert ahead(calculated, "demand_factor", "Partners on 2 A100", 12) == pytest.approx(expected)


def test_parts_add_up(example):
    calculated = scenario(example)
    months, models, totals = (calculated[name].values for name in (MONTHS_AHEAD, MODELS_AHEAD, TOTALS_AHEAD))
    for quantity in ("forward_revenue", "forward_profit"):
        for place, count in enumerate(totals["months_ahead"]):
            parts = [values[quantity][values["months_ahead"] == count].sum() for values in (months, models)]
            assert parts == pytest.approx([totals[quantity][place]] * 2, abs=0.005)
    assert totals["forward_revenue"] - totals["forward_bill"] == pytest.approx(totals["forward_profit"], abs=0.005)
    so_far = np.array([0.0, *np.cumsum(totals["forward_profit"][1:])])
    assert totals["profit_so_far"] == pytest.approx(so_far, abs=0.005)
    assert totals["forward_balance"] == pytest.approx(so_far - 4e6, abs=0.005)
    outlook, payback = calculated[MODEL_OUTLOOK].values, calculated[PAYBACK].values
    assert outlook["outlook_profit"].sum() == pytest.approx(payback["outlook_profit"][0], abs=0.005)
    assert payback["outlook_profit"][0] == pytest.approx(so_far[-1], abs=0.005)


def test_payback_and_stopping_are_those_of_the_months(example):
    calculated = scenario(example)
    totals, payback = calculated[TOTALS_AHEAD].values, calculated[PAYBACK]
    first = np.flatnonzero(totals["forward_balance"] >= 0)[0]
    assert payback.at("payback_month", 0) == first
    models, outlook = calculated[MODELS_AHEAD].values, calculated[MODEL_OUTLOOK]
    verdicts = set()
    for key in outlook.keys:
        earning = np.flatnonzero(models["forward_profit"][models["model"] == key] > 0)
        verdicts.add(outlook.value("earning_verdict", key))
        stops = earning[-1] + 1 if earning.size and earning[-1] < 24 else None
        assert outlook.value("stopping_month", key) == stops
    assert verdicts == {"earns to the last month", "stops earning", "earns in no month"}


def test_prices_and_speed_move_one_side_each(example):
    still = scenario(changed(example, STILL, {"Settings": {"investment": 1.0}}))[TOTALS_AHEAD].values
    dearer = scenario(changed(example, STILL, {"Settings": {"price_decline": 0.36}}))[TOTALS_AHEAD].values
    assert dearer["forward_bill"] == pytest.approx(still["forward_bill"])
    assert dearer["forward_revenue"][12] == pytest.approx(0.64 * still["forward_revenue"][12])
    faster = {"Settings": {"software_speed_up": 1.0}, "Configurations": {"price_basis": "on demand"}}
    on_demand = {"Configurations": {"price_basis": "on demand"}, "Settings": {"investment": 1.0}}
    fast, slow = (scenario(changed(example, STILL, each))[TOTALS_AHEAD].values for each in (faster, on_demand))
    assert fast["forward_revenue"] == pytest.approx(slow["forward_revenue"])
    assert (np.diff(fast["forward_accelerators"]) <= 0).all()
    assert fast["forward_accelerators"][-1] < slow["forward_accelerators"][-1]


# Pages


def test_the_page_says_what_the_grains_found(example):
    draft = build.draft(scenario(example), None, {})
    months, rest = outlook_pages(draft)
    assert months.name == "The next 24 months"
    assert months.headline.endswith("DeepSeek-V3 stops earning in April 2028")
    assert "is paid back by the end of October 2027" in rest.headline
    cells = [row.cells[0] for row in rest.blocks[1].rows]
    # 4 settings, 6 classes that grow, the season, and 7 commitments.
    assert len(cells) == 18 and len(set(cells)) == 18


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Settings": {"investment": 1e9}}, "is not paid back in 24 months"),
        ({"Settings": {"investment": 0.0}}, "In 24 months gross profit adds up to"),
        ({"Settings": {"price_decline": 0.9}}, "Gross profit falls"),
        ({"Settings": {"price_decline": -1.0, "rent_change": -0.5}}, "Gross profit rises"),
        ({"Traffic": {"demand_growth": -0.99}}, "stops earning in December 2026"),
    ],
)
def test_pages_of_other_outlooks(example, change, says):
    draft = build.draft(scenario(changed(example, change)), None, {})
    pages = outlook_pages(draft)
    assert any(says in page.headline for page in pages), [page.headline for page in pages]
    draw_charts(pages)
