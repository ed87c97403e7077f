"""The bridge from last month: it adds up, each cause moves its own step, and what was typed anew is told by cell."""

import copy
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from bad_workbooks.valid import ROWS, TODAY
from hypothesis import given, settings
from hypothesis import strategies as st
from test_currency import RATES, workbook
from test_outlook import changed
from typer.testing import CliRunner

from engine.__main__ import app
from engine.calculation import calculate
from engine.comparing import NoRunError, compare
from engine.formulas import BRIDGE_LINE_FORMULAS, STEPS
from engine.report import build
from engine.report.answer import Earlier
from engine.report.comparison import comparison, moves, relative, values, what
from engine.run import report_month
from engine.scenarios import ALL_TRAFFICS, BRIDGE, BRIDGE_LINES, BY_TRAFFIC, TOTAL, scenario
from engine.studies.bridge import ADDED, CHANGED, REMOVED, bridged, changes, left
from engine.workbook.blank import write_blank
from engine.workbook.read import read

INPUTS = Path(__file__).parents[1] / "inputs"
CENT = 0.005


@pytest.fixture(scope="module")
def months():
    return read(INPUTS / "example-october.xlsx"), read(INPUTS / "example.xlsx")


def between(before, now):
    """The later scenario with its bridge from the earlier inputs."""
    return bridged(scenario(now), left(scenario(before)), before)


def steps(calculated, key=None):
    """What every step moved: of a traffic, or of all."""
    grain, row = (calculated[BRIDGE_LINES], key) if key else (calculated[BRIDGE], ALL_TRAFFICS)
    return {step: grain.value(f"{step}_step", row) for step in STEPS}


# Figures


def test_the_example_adds_up_down_and_across(months):
    october, november = months
    calculated = between(october, november)
    lines, total = calculated[BRIDGE_LINES], calculated[BRIDGE]
    before, now = (scenario(each)[TOTAL].value("gross_profit", "Total") for each in months)
    assert total.value("before_profit", ALL_TRAFFICS) == pytest.approx(before, abs=CENT)
    assert before + sum(steps(calculated).values()) == pytest.approx(now, abs=CENT)
    assert steps(calculated)["other"] == 0
    for key in lines.keys:
        moved = sum(steps(calculated, key).values())
        assert lines.value("before_profit", key) + moved == pytest.approx(lines.value("gross_profit", key), abs=CENT)
    for step in STEPS:
        assert lines.values[f"{step}_step"].sum() == pytest.approx(steps(calculated)[step], abs=CENT)


def test_code_by_hand(months):
    """Code keeps its 192 H200 and its price: more of what they can serve is used, and 30 days are paid, not 31."""
    october, november = months
    moved = steps(between(october, november), "Code")
    request = (2600 * 1.25 + 3900 * 0.625 + 650 * 1.25) / 1e6 * 0.98 * 0.98  # net of own use and credits
    tokens = {20: 20 * 86400 * 31 * 7150 / 1e6, 24: 24 * 86400 * 30 * 7150 / 1e6}
    bill = {20: 192 * 2.79 * 24 * 31, 24: 192 * 2.79 * 24 * 30}
    price = request / 7150 * 1e6
    earned = price - bill[20] / tokens[20]
    all_tokens = [scenario(each)[TOTAL].value("sold_tokens", "Total") for each in months]
    volume = (all_tokens[1] - all_tokens[0]) * tokens[20] / all_tokens[0] * earned
    assert moved["volume"] == pytest.approx(volume, rel=1e-9)
    mix = all_tokens[1] * (tokens[24] / all_tokens[1] - tokens[20] / all_tokens[0]) * earned
    assert moved["mix"] == pytest.approx(mix, rel=1e-9)
    # The rest is that a token's share of the bill falls.
    assert moved["utilization"] == pytest.approx(tokens[24] * bill[20] / tokens[20] - bill[24], rel=1e-9)
    assert [moved[step] for step in ("price", "efficiency", "hardware_price", "exchange_rate", "other")] == [0] * 5


@pytest.mark.parametrize(
    ("change", "step", "sign"),
    [
        ({"Prices": {"output_price": 2.0}}, "price", 1),
        ({"Traffic": {"credit_share": 0.2}}, "price", -1),
        ({"Hardware": {"one_year_price": 5.0, "on_demand_price": 6.0}}, "hardware_price", -1),
        ({"Settings": {"headroom": 0.9}}, "utilization", -1),
    ],
)
def test_one_cause_moves_its_own_step(months, change, step, sign):
    """Fleets without contracts, that run around the clock and promise no wait: a cause moves nothing else.

    But for what a traffic on two kinds of accelerators pays for an hour on average.
    """
    plain = {
        "Traffic": {"load_profile": "", "waiting_target": np.nan, "weekend_weight": 1.0, "batch_share": 0.0},
        "Configurations": {"requested_batch_size": 8.0, "scales_hourly": 0.0, "price_basis": "on demand"},
        "Other costs": {"amount": 0.0},
    }
    october = changed(replace(months[0], tables=_without(months[0].tables, "Commitments")), plain)
    moved = steps(between(october, changed(october, change)))
    assert moved[step] * sign > 1
    others = {name: effect for name, effect in moved.items() if name != step}
    near = 0.05 * abs(moved[step]) if step == "utilization" else 1e-6
    assert others == pytest.approx(dict.fromkeys(others, 0.0), abs=near)


def _without(tables, name):
    table = tables[name]
    empty = {column: values[:0] for column, values in table.columns.items()}
    return {**tables, name: replace(table, columns=empty, addresses=dict.fromkeys(empty, ()))}


def test_more_of_everything_is_volume_alone(months):
    """Twice the days, paid and served: every factor but the tokens stays."""
    days = changed(months[0], {"Settings": {"days_in_month": 15.0}})
    moved = steps(between(days, changed(months[0], {"Settings": {"days_in_month": 30.0}})))
    profit = scenario(days)[TOTAL].value("gross_profit", "Total")
    assert moved["volume"] == pytest.approx(profit, rel=1e-9)
    assert {moved[step] for step in STEPS if step != "volume"} == {0}


def test_another_exchange_rate_moves_its_own_step(tmp_path, monkeypatch):
    before = read(workbook(tmp_path / "before.xlsx"))
    monkeypatch.setitem(RATES, "GBP", 1.1 * RATES["GBP"])
    now = read(workbook(tmp_path / "now.xlsx"))
    moved = steps(between(before, now))
    revenue = scenario(before)[TOTAL].value("revenue", "Total")
    assert moved["exchange_rate"] == pytest.approx(0.1 * revenue, rel=1e-9)
    assert {step: effect for step, effect in moved.items() if effect} == {"exchange_rate": moved["exchange_rate"]}


def test_a_traffic_that_came_or_went_is_mix(months):
    october, november = months
    known = left(scenario(october))
    gone = known.pop("Code")
    came = bridged(scenario(november), {**known, "Gone": gone}, october)
    now = scenario(november)[BY_TRAFFIC].value("gross_profit", "Code")
    assert steps(came, "Code")["mix"] == pytest.approx(now)
    assert steps(came, "Gone")["mix"] == pytest.approx(-(gone["revenue"] - gone["fleet_cost"]))
    total = came[BRIDGE]
    assert total.value("before_profit", ALL_TRAFFICS) + sum(steps(came).values()) == pytest.approx(
        total.value("gross_profit", ALL_TRAFFICS), abs=CENT
    )
    assert steps(came)["other"] == 0


FACTOR = st.floats(1e-3, 1e6)
SHARE = st.floats(0.01, 0.99)
MONTH = st.tuples(FACTOR, FACTOR, FACTOR, FACTOR, SHARE)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(MONTH, MONTH), min_size=1, max_size=6))
def test_any_two_months_add_up(pairs):
    before, now = (np.array(each).T for each in zip(*pairs, strict=True))
    names = ("tokens", "revenue", "bill", "hours")
    columns = {f"before_{name}": values for name, values in zip(names, before[:4], strict=True)}
    columns |= dict(zip(("sold_tokens", "revenue", "fleet_cost", "held_hours"), now[:4], strict=True))
    columns |= {"before_used_hours": before[3] * before[4], "used_hours": now[3] * now[4]}
    rows = np.ones(len(pairs))
    columns |= {"all_before_tokens": before[0].sum() * rows, "all_tokens": now[0].sum() * rows}
    columns |= {"revenue_rate_ratio": 1.1 * rows, "bill_rate_ratio": 0.9 * rows, "gross_profit": now[1] - now[2]}
    found = calculate({**columns, "comment_above": 0 * rows, "comment_above_share": 0 * rows}, BRIDGE_LINE_FORMULAS)
    moved = sum(found[f"{step}_step"] for step in STEPS if step != "other")
    size = np.abs(np.array([found[f"{step}_step"] for step in STEPS])).max(axis=0) + now[1] + now[2]
    assert np.abs(found["before_profit"] + moved - (now[1] - now[2])) / size == pytest.approx(0 * rows, abs=1e-8)


@pytest.mark.parametrize(
    ("above", "share", "due"),
    [(0.0, 0.0, 1), (1e9, 0.0, 0), (0.0, 100.0, 0), (27_000.0, 0.1, 1), (27_200.0, 0.1, 0), (27_000.0, 0.11, 0)],
)
def test_a_comment_is_due_above_both_thresholds(months, above, share, due):
    """Chat moved by $27,091 of $252,991."""
    limits = {"Settings": {"comment_above": above, "comment_above_share": share}}
    calculated = between(months[0], changed(months[1], limits))
    assert calculated[BRIDGE_LINES].value("comment_due", "Chat") == due


# Inputs that changed


def rows_of(path, **sheets):
    rows = copy.deepcopy(ROWS)
    for sheet, change in sheets.items():
        change(rows[sheet.replace("_", " ")])
    write_blank(path, rows, today=TODAY)
    return read(path)


def test_changes_are_told_by_cell(tmp_path):
    def dearer(rows):
        rows[0]["on_demand_price"] = 3.54

    def renamed(rows):
        rows.append({**rows[0], "hardware": "H200"})

    before = rows_of(tmp_path / "before.xlsx")
    (change,) = changes(before, rows_of(tmp_path / "dearer.xlsx", Hardware=dearer))
    assert change.kind == CHANGED and change.cell.startswith("Hardware!") and what(change) == "H100, on demand price"
    assert values(change) == ("$2.95/h", "$3.54/h") and relative(change) == pytest.approx(0.2)
    assert moves(change) == "Hardware price"
    with_row = rows_of(tmp_path / "row.xlsx", Hardware=renamed)
    (came,), (went,) = changes(before, with_row), changes(with_row, before)
    assert (came.kind, came.cell, values(came)) == (ADDED, "Hardware!A6", ("\u2013", "new row"))
    assert (went.kind, went.cell, values(went)) == (REMOVED, "Hardware, formerly A6", ("removed", "\u2013"))
    assert changes(before, before) == ()


def test_a_row_that_moved_did_not_change_and_a_renewed_price_list_did(months):
    found = changes(*months)
    prices = [change for change in found if change.sheet == "Prices"]
    assert {change.column.name for change in prices} == {
        *("input_price", "cached_input_price", "output_price", "reasoning_price", "valid_from")
    }
    november = months[1]
    table = november.tables["Hardware"]
    order = np.arange(len(table))[::-1]
    turned = replace(
        table,
        columns={name: column[order] for name, column in table.columns.items()},
        addresses={name: tuple(cells[place] for place in order) for name, cells in table.addresses.items()},
        blank=frozenset((name, len(table) - 1 - row) for name, row in table.blank),
    )
    assert changes(november, replace(november, tables={**november.tables, "Hardware": turned})) == ()


# Pages and commands


def draft_of(before, now):
    with_left = Earlier("October", build.figures(scenario(before)), left(scenario(before)), before)
    return build.draft(scenario(now), with_left, {})


def test_the_page_names_the_largest_steps(months):
    draft = draft_of(*months)
    page = next(section for section in draft.findings if section.name == "Since October")
    assert page.headline == "Gross profit rose $74k: utilization and volume gave $103k, price and mix took $32k"
    assert "Chat, Code and Reasoning moved by more than $10k and 5.0%" in page.blocks[0].text
    waterfall, table = page.blocks[1], page.blocks[2]
    assert waterfall.levels[-1] == pytest.approx(496.714850618848, abs=0.3)  # of thousands, but for hidden steps
    for row in table.rows:
        assert sum(row.cells[1:-1]) == pytest.approx(row.cells[-1], abs=0.3)


def test_a_month_that_left_too_little_is_not_bridged(months):
    calculated = scenario(months[1])
    assert BRIDGE not in bridged(calculated, {}, months[0]).grains
    assert BRIDGE not in bridged(calculated, {"Chat": {"revenue": 1.0}}, None).grains
    assert comparison(calculated, "October", {}) is None


@pytest.fixture(scope="module")
def three_months(tmp_path_factory):
    """A small workbook in three months, prices falling and rents rising."""
    reports = tmp_path_factory.mktemp("three")
    for month, price, rent in ((9, 1.2, 2.5), (10, 1.1, 2.75), (11, 1.0, 2.95)):
        rows = copy.deepcopy(ROWS)
        rows["Prices"][0]["output_price"] = price
        rows["Hardware"][0]["on_demand_price"] = rent
        rows["Settings"][0] |= {"published_figures": "no", "report_month": date(2026, month, 1)}
        write_blank(reports / f"{month}.xlsx", rows, today=TODAY)
        assert report_month(reports / f"{month}.xlsx", reports / "reports").passed
    return reports / "reports"


def test_the_third_month_shows_its_bridge(three_months, pages_of):
    pages = pages_of(three_months / "2026-11" / "report.pdf")
    (page,) = [page for page in pages if "Since October" in page and "Inputs that changed" in page]
    assert ("hardware price" in page.lower() and "price took" in page) or "took" in page
    assert "$2.75/h" in page and "$2.95/h" in page
    (course,) = [page for page in pages if "Months so far" in page and "Gross profit went from" in page]
    assert "September 2026" in course and "What a million tokens leave of their price fell to" in course
    assert not [page for page in pages_of(three_months / "2026-09" / "report.pdf") if "Inputs that changed" in page]


def test_compare_on_the_command_line(three_months):
    folders = [str(three_months / name) for name in ("2026-09", "2026-11")]
    done = CliRunner().invoke(app, ["compare", *folders])
    assert done.exit_code == 0
    lines = done.output.splitlines()
    place = lines.index("Gross profit, $/month")
    amounts = [float(line[22:].replace(",", "")) for line in lines[place + 1 : place + 3 + len(STEPS)]]
    assert round(sum(amounts[:-1]), 2) == amounts[-1]
    assert any("H100, on demand price: $2.50/h \u2192 $2.95/h  +18.0%" in line for line in lines)
    assert lines[-1].strip().startswith("Gross profit: ")


@pytest.mark.parametrize(
    ("limit", "code", "says"),
    [
        ("0.1%", 4, "FAILED: gross profit moved by more than 0.1%."),
        ("1", 4, "FAILED"),
        ("1e12", 0, ""),
        ("900%", 0, ""),
        ("much", 2, "'much' is no limit"),
        ("-5", 2, "'-5' is no limit"),
    ],
)
def test_compare_fails_above_a_limit(three_months, limit, code, says):
    folders = [str(three_months / name) for name in ("2026-09", "2026-11")]
    done = CliRunner().invoke(app, ["compare", *folders, f"--fail-above={limit}"])
    assert (done.exit_code, says in done.output) == (code, True)


def test_what_is_no_run_is_said(three_months, tmp_path):
    with pytest.raises(NoRunError, match=r"is no run: it has no run.json"):
        compare(tmp_path, three_months / "2026-11")
    other = tmp_path / "2026-10"
    other.mkdir()
    facts = json.loads((three_months / "2026-10" / "run.json").read_text(encoding="utf-8"))
    (other / "run.json").write_text(json.dumps({**facts, "currency": "EUR"}), encoding="utf-8")
    (other / "input.xlsx").write_bytes((three_months / "2026-10" / "input.xlsx").read_bytes())
    with pytest.raises(NoRunError, match=r"is in EUR and .* in USD: amounts cannot be compared"):
        compare(other, three_months / "2026-11")
    (other / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    (other / "input.xlsx").write_bytes(b"not a workbook")
    lines = compare(other, three_months / "2026-11").lines
    assert any(line.startswith("Inputs are not compared") for line in lines)
    with pytest.raises(NoRunError, match="bring it into its layout"):
        compare(three_months / "2026-11", other)
