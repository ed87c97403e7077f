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
    BILLS,
    CALENDAR_AHEAD,
    CONFIGURED,
    DEMAND_AHEAD,
    FLEETS,
    MODEL_OUTLOOK,
    MODELS_AHEAD,
    MONTHS_AHEAD,
    NEEDS_AHEAD,
    PAYBACK,
    PROFIT_LINES,
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
    "Commitments": {"contract_end": date(2040, 1, 1)},
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
                kind = object if column in ("committed_until", "contract_start", "contract_end") else None
                new[column] = np.array(values, dtype=kind)
            tables[sheet] = replace(table, columns=new)
    return replace(inputs, tables=tables)


def ahead(calculated, quantity, key, months):
    """A figure of a configuration so many months ahead."""
    name = f"{key}, {calculated[CALENDAR_AHEAD].keys[months]}"
    grain = next(calculated[each] for each in (MONTHS_AHEAD, NEEDS_AHEAD) if calculated[each].has_column(quantity))
    return grain.value(quantity, name)


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
        {"Commitments": {"contract_end": {"MI300X for a year": date(2026, 11, 12)}}},
        {"Commitments": {"contract_start": {"H100 servers of our own": date(2026, 11, 20)}}},
        {"Commitments": {"contract_accelerators": 900.0}},
        {"Commitments": {"contract_start": date(2027, 1, 1)}},
        {"Settings": {"days_in_month": 30.4}, "Commitments": {"contract_end": date(2026, 11, 12)}},
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
        # What the hours of the month cost is shared by the hour, months ahead by the month: alike but for contracts
        # that begin or end within it.
        expected = [configured.value(today, key) for key in keys]
        assert grain.values[quantity][first] == pytest.approx(expected, rel=1e-12), quantity
        of_all = calculated[TOTALS_AHEAD].values[quantity][0]
        assert of_all == pytest.approx(calculated[TOTAL].value(today, "Total"), rel=1e-12)
    for quantity, today in (("forward_other_cost", "other_cost"), ("forward_earnings", "profit_after_other_costs")):
        of_all = calculated[TOTALS_AHEAD].values[quantity][0]
        assert of_all == pytest.approx(calculated[TOTAL].value(today, "Total"), rel=1e-12), quantity
    # Accelerators are counted by rate alone, without the hours, waits and whole servers of the month's own fleet.
    counted = [_counted(configured, key) for key in keys]
    assert [ahead(calculated, "forward_accelerators", key, 0) for key in keys] == pytest.approx(counted, rel=1e-12)
    hours, days = (calculated[name].values for name in (FLEETS, CALENDAR_AHEAD))
    needed = hours["fleet_hours"].sum() / 24 / days["forward_days"][0]
    assert calculated[TOTALS_AHEAD].values["forward_mean_accelerators"][0] == pytest.approx(needed, rel=1e-12)


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
    quantities = ("forward_revenue", "forward_bill", "forward_profit")
    for quantity in (*quantities, "forward_other_cost"):
        assert totals[quantity][days == days[0]] == pytest.approx(totals[quantity][0], rel=1e-12)
    for quantity in quantities:
        assert totals[quantity] / days == pytest.approx(totals[quantity][0] / days[0], rel=1e-12)
    assert totals["forward_mean_accelerators"] == pytest.approx(totals["forward_mean_accelerators"][0], rel=1e-12)


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
        {"Commitments": {"contract_end": {"MI300X for a year": date(2027, 2, 28)}}},
        {"Commitments": {"contract_start": {"MI300X for a year": date(2028, 11, 30)}}},
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
    held = ahead(calculated, "forward_committed_hours", MODERATION, 7) / (24 * 30)
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
    rented, held = (
        ahead(calculated, name, on_demand, 12) / ahead(calculated, name, on_demand, 0)
        for name in ("forward_rented_cost", "forward_held_cost")
    )
    assert (rented, held) == (pytest.approx(0.5), pytest.approx(1.0))


def test_a_fleet_that_shrinks_still_pays_its_commitment(example):
    """Half the demand a month later: on demand half the fleet, committed the whole bill."""
    fewer = changed(example, STILL, {"Traffic": {"demand_growth": -0.5}})
    calculated = scenario(fewer)
    assert ahead(calculated, "forward_accelerators", CHAT, 1) < 0.6 * ahead(calculated, "forward_accelerators", CHAT, 0)
    bill = ahead(calculated, "forward_committed_cost", CHAT, 1)
    assert bill == pytest.approx(ahead(calculated, "forward_committed_cost", CHAT, 0) * 31 / 30)
    held = calculated[TOTALS_AHEAD].values["forward_held_cost"]
    assert held[1] == pytest.approx(held[0] * 31 / 30)
    assert ahead(calculated, "forward_rented_cost", CHAT, 1) == 0


def test_a_contract_covers_what_it_did_until_its_last_day(example):
    """16 MI300X at $1.49 to the end of February 2027; in March all is rented at that month's rent."""
    calculated = scenario(example)
    key, hours = "Extraction on MI300X", 24 * 16
    today = calculated[CONFIGURED].value("fleet_cost", key)
    for months, days in ((0, 30), (1, 31), (2, 31), (3, 28)):
        assert ahead(calculated, "forward_held_cost", key, months) == pytest.approx(hours * days * 1.49)
        rented = ahead(calculated, "forward_needed_hours", key, months)
        rented -= hours * days * _contract_use(calculated, key)
        assert ahead(calculated, "forward_rented_hours", key, months) == pytest.approx(rented)
    assert ahead(calculated, "forward_held_cost", key, 4) == 0
    needed = ahead(calculated, "forward_needed_hours", key, 4)
    assert ahead(calculated, "forward_rented_hours", key, 4) == needed
    rent = calculated[CONFIGURED].value("accelerator_price", key) * 0.85 ** (4 / 12)
    ratio = calculated[FLEETS].value("rent_ratio", key)
    assert ahead(calculated, "forward_bill", key, 4) == pytest.approx(needed * rent * ratio) != today


def _contract_use(calculated, key):
    """Share of the contract's hours that the month used, from the hours of its bill."""
    bills = calculated[BILLS].values
    own = bills["configuration"] == key
    used, held = (
        (bills[name][own] * bills["profile_hours"][own]).sum() for name in ("from_one_year", "committed_accelerators")
    )
    assert 0 < used <= held
    return used / held


def test_a_contract_that_begins_later_takes_the_place_of_rent(example):
    """From January 2027 there are so many that nothing is rented; all of it is paid."""
    many = {"contract_start": date(2027, 1, 1), "contract_accelerators": 5000.0}
    calculated = scenario(changed(example, {"Commitments": many}))
    for hardware, price in (("MI300X", 1.49), ("H100 SXM", 1.73)):
        keys = [
            key
            for key in calculated[FLEETS].keys
            if calculated[CONFIGURED].value("hardware", key) == hardware
        ]
        assert sum(ahead(calculated, "forward_held_cost", key, 1) for key in keys) == 0
        held = sum(ahead(calculated, "forward_held_cost", key, 2) for key in keys)
        assert held == pytest.approx(5000 * 24 * 31 * price)
        assert sum(ahead(calculated, "forward_rented_hours", key, 2) for key in keys) == 0


def test_other_costs_move_with_what_drives_them(example):
    """Twice the requests after a month of a third more days: what is by the month stays, the rest moves."""
    twice = changed(example, STILL, {"Traffic": {"demand_growth": 1.0}})
    calculated = scenario(twice)
    lines, totals = calculated[PROFIT_LINES].values, calculated[TOTALS_AHEAD]
    by_month, by_replica, variable, payouts = (
        lines[name].sum() for name in ("monthly_other_cost", "replica_other_cost", "variable_cost", "payouts")
    )
    assert by_month == pytest.approx(14000 + 9000)
    growth = [
        ahead(calculated, "forward_accelerators", key, 1) / ahead(calculated, "forward_accelerators", key, 0)
        for key in lines["configuration"]
    ]
    expected = by_month + (lines["replica_other_cost"] * growth).sum() + (variable + payouts) * 2 * 31 / 30
    assert by_replica > 0 and totals.at("forward_other_cost", 1) == pytest.approx(expected)


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
    for quantity in ("forward_revenue", "forward_earnings"):
        for place, count in enumerate(totals["months_ahead"]):
            parts = [values[quantity][values["months_ahead"] == count].sum() for values in (months, models)]
            assert parts == pytest.approx([totals[quantity][place]] * 2, abs=0.005)
    assert totals["forward_revenue"] - totals["forward_bill"] == pytest.approx(totals["forward_profit"], abs=0.005)
    left = totals["forward_profit"] - totals["forward_other_cost"]
    assert left == pytest.approx(totals["forward_earnings"], abs=0.005)
    so_far = np.array([0.0, *np.cumsum(totals["forward_earnings"][1:])])
    assert totals["earned_so_far"] == pytest.approx(so_far, abs=0.005)
    assert totals["forward_balance"] == pytest.approx(so_far - 4e6, abs=0.005)
    outlook, payback = calculated[MODEL_OUTLOOK].values, calculated[PAYBACK].values
    assert outlook["outlook_earnings"].sum() == pytest.approx(payback["outlook_earnings"][0], abs=0.005)
    assert payback["outlook_earnings"][0] == pytest.approx(so_far[-1], abs=0.005)


def test_payback_and_stopping_are_those_of_the_months(example):
    calculated = scenario(example)
    totals, payback = calculated[TOTALS_AHEAD].values, calculated[PAYBACK]
    first = np.flatnonzero(totals["forward_balance"] >= 0)[0]
    assert payback.at("payback_month", 0) == first
    models, outlook = calculated[MODELS_AHEAD].values, calculated[MODEL_OUTLOOK]
    verdicts = set()
    for key in outlook.keys:
        earning = np.flatnonzero(models["forward_earnings"][models["model"] == key] > 0)
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
    assert (np.diff(fast["forward_mean_accelerators"]) < 1e-9).all()
    assert fast["forward_mean_accelerators"][-1] < slow["forward_mean_accelerators"][-1]


# Pages


def test_the_page_says_what_the_grains_found(example):
    draft = build.draft(scenario(example), None, {})
    months, rest = outlook_pages(draft)
    assert months.name == "The next 24 months"
    assert months.headline.endswith("DeepSeek-V3 stops earning in July 2027")
    assert "is paid back by the end of March 2028" in rest.headline
    cells = [row.cells[0] for row in rest.blocks[1].rows]
    # 4 settings, 6 classes that grow, the season, 7 commitments of configurations, and a contract that ends.
    assert len(cells) == 19 and len(set(cells)) == 19


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Settings": {"investment": 1e9}}, "is not paid back in 24 months"),
        ({"Settings": {"investment": 0.0}}, "In 24 months profit after all costs adds up to"),
        ({"Settings": {"price_decline": 0.9}}, "Profit after all costs falls"),
        ({"Settings": {"price_decline": -1.0, "rent_change": -0.5}}, "Profit after all costs rises"),
        ({"Traffic": {"demand_growth": -0.99}}, "stops earning in December 2026"),
    ],
)
def test_pages_of_other_outlooks(example, change, says):
    draft = build.draft(scenario(changed(example, change)), None, {})
    pages = outlook_pages(draft)
    assert any(says in page.headline for page in pages), [page.headline for page in pages]
    draw_charts(pages)
