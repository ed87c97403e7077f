"""Model against actual: effects add up, what is missing is said, months and years, and when a month is reconciled."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from bad_workbooks.valid import ROWS, TODAY
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from oracles import needs_libreoffice, recalculated_by_libreoffice

from engine.calculation import behind, calculate
from engine.formulas import ACTUALS_FORMULAS, FORMULAS
from engine.report.answer import headline
from engine.report.standing import signatures, standing_line
from engine.run import report_month
from engine.scenarios import (
    ACTUAL_MONTHS,
    TOTAL,
    TWELVE_MONTHS,
    YEAR_TO_DATE,
    Archived,
    scenario,
    with_actuals,
)
from engine.sheets import FIRST_ROW, HEAD_ROW
from engine.workbook.blank import write_blank
from engine.workbook.read import read

CENT = 0.005
MODELLED = {"revenue": 1000.0, "fleet_cost": 600.0, "sold_tokens": 5000.0, "held_hours": 200.0}
# A month that the model explains but for a little.
WHOLE = {
    "invoice": (660.0, None),
    "accelerator-hours": (220.0, 3.0),
    "metered tokens": (5500.0, 0.2),
    "billed revenue": (1100.0, None),
}
DRAWN = settings(max_examples=8, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate))


def rows(month, lines):
    return [
        {"actual_month": month, "line": line, "amount": amount, "unit_price": price, "source": "test"}
        for line, (amount, price) in lines.items()
    ]


def write(path, month, actuals, **signed):
    """The small valid workbook of a month, with rows on Actuals."""
    lists = [{**ROWS["Prices"][0], "valid_from": date(2025, 1, 1)}]
    held = {**ROWS, "Settings": [{"report_month": month, **signed}], "Prices": lists, "Actuals": actuals}
    write_blank(path, held, today=TODAY)
    return path


def made(path, month, actuals, archived=None, **signed):
    return with_actuals(scenario(read(write(path, month, actuals, **signed))), archived or {})


def archive_of(*months):
    return {month: Archived(f"run of {month:%Y-%m}", MODELLED) for month in months}


def at(grain, key, *names):
    return [grain.value(name, key) for name in names]


# Effects add up


@DRAWN
@given(st.integers(0, 2**32 - 1))
def test_effects_and_rest_are_the_difference_to_the_cent_whatever_is_missing(seed):
    random = np.random.default_rng(seed)
    count = 1000
    flags = ("has_model", "has_invoice", "has_billing", "has_tokens", "has_hours", "has_cost_budget")
    columns = {name: (random.random(count) < 0.7) * 1.0 for name in (*flags, "has_revenue_budget", "in_year")}
    amounts = (
        "modelled_revenue modelled_bill modelled_tokens modelled_hours invoiced_cost billed_revenue metered_tokens "
        "metered_hours priced_cost priced_revenue budgeted_cost budgeted_revenue"
    )
    columns |= {name: random.uniform(0, 2e6, count) * (random.random(count) < 0.95) for name in amounts.split()}
    columns |= {name: 1.0 * (random.random(count) < 0.3) for name in ("hours_without_price", "tokens_without_price")}
    columns["rest_tolerance"] = np.full(count, 0.01)
    values = calculate(columns, ACTUALS_FORMULAS)

    def summed(*names):
        return sum(np.nan_to_num(values[name]) for name in names)

    cost = summed("cost_volume_effect", "cost_efficiency_effect", "cost_price_effect", "cost_rest")
    revenue = summed("revenue_volume_effect", "revenue_price_effect", "revenue_rest")
    known, billed, both = (values[f"{name}_is_known"] > 0 for name in ("cost", "revenue", "profit"))
    assert np.abs(cost - values["cost_difference"])[known].max() < CENT
    assert np.abs(revenue - values["revenue_difference"])[billed].max() < CENT
    profit = summed("profit_volume_effect", "revenue_price_effect", "profit_rest")
    profit -= summed("cost_efficiency_effect", "cost_price_effect")
    assert np.abs(profit - values["profit_difference"])[both].max() < CENT
    assert np.abs(values["actual_profit"] - values["modelled_profit"] - values["profit_difference"])[both].max() < CENT
    # What is missing leaves nothing that could be taken for a figure.
    for name, where in (("cost", known), ("revenue", billed), ("profit", both)):
        assert np.isnan(values[f"{name}_difference"][~where]).all()
        assert np.isnan(values[f"{name}_difference_share"][~where]).all()
    assert known.any() and (~known).any()


def test_hours_that_are_paid_for_are_those_of_the_fleet(tmp_path):
    found = scenario(read(write(tmp_path / "november.xlsx", date(2026, 11, 1), [])))
    accelerators, hours = at(found[TOTAL], "Total", "fleet_accelerators", "held_hours")
    assert hours == accelerators * 24 * 30 > 0
    needed = behind(["held_hours"], {"fleet_accelerators", "days_in_month"}, FORMULAS)
    assert needed == {"held_hours"}


# What is missing


def test_without_actuals_there_is_no_grain_and_all_is_modelled(tmp_path):
    found = made(tmp_path / "november.xlsx", date(2026, 11, 1), [], archive_of(date(2026, 10, 1)))
    assert ACTUAL_MONTHS not in found.grains
    assert standing_line(found) == "Modelled, not compared with invoices and meters. Not yet reviewed."
    assert " a modelled $" in headline(found)


def test_actuals_of_long_ago_change_nothing(tmp_path):
    old = rows(date(2025, 11, 30), WHOLE)
    assert ACTUAL_MONTHS not in made(tmp_path / "november.xlsx", date(2026, 11, 1), old).grains
    recent = rows(date(2025, 12, 1), WHOLE)
    assert ACTUAL_MONTHS in made(tmp_path / "recent.xlsx", date(2026, 11, 1), recent).grains


def test_missing_lines_are_said_and_never_nothing(tmp_path):
    found = made(
        tmp_path / "november.xlsx", date(2026, 11, 1), rows(date(2026, 11, 9), {"metered tokens": (5.0, None)})
    )
    grain = found[ACTUAL_MONTHS]
    names = ("invoiced_cost", "cost_difference", "cost_rest", "actual_profit", "profit_difference", "priced_cost")
    assert at(grain, "2026-11", *names) == [None] * len(names)
    assert grain.value("tokens_difference", "2026-11") == 5 - grain.value("modelled_tokens", "2026-11")
    assert grain.value("standing", "2026-11") == "modelled, not reconciled"
    missing = "Modelled: no invoices, no billed revenue and no accelerator-hours for November yet."
    assert standing_line(found).startswith(missing)
    assert YEAR_TO_DATE not in found.grains and TWELVE_MONTHS not in found.grains


def test_a_month_without_a_run_has_no_difference(tmp_path):
    grain = made(tmp_path / "november.xlsx", date(2026, 11, 1), rows(date(2026, 10, 1), WHOLE))[ACTUAL_MONTHS]
    assert grain.value("modelled_in", "2026-10") == "no run in the archive"
    assert at(grain, "2026-10", "modelled_bill", "cost_difference", "cost_rest") == [None] * 3
    assert grain.value("actual_profit", "2026-10") == 440
    assert grain.value("standing", "2026-10") == "modelled, not reconciled"


def test_a_run_of_before_hours_were_kept_is_no_model(tmp_path):
    october = date(2026, 10, 1)
    run = Archived("old", {name: figure for name, figure in MODELLED.items() if name != "held_hours"})
    grain = made(tmp_path / "november.xlsx", date(2026, 11, 1), rows(october, WHOLE), {october: run})[ACTUAL_MONTHS]
    assert grain.value("has_model", "2026-10") == 0


# A month by hand


def test_rows_of_a_month_add_up_and_prices_explain(tmp_path):
    october = date(2026, 10, 1)
    split = {**WHOLE, "invoice": (700.0, None), "accelerator-hours": (120.0, 3.0)}
    booked = [
        *rows(october, split),
        *({**row, "source": "second"} for row in rows(date(2026, 10, 31), {"invoice": (-40.0, None)})),
        *({**row, "source": "second"} for row in rows(october, {"accelerator-hours": (100.0, 3.1)})),
        *rows(october, {"budgeted cost": (650.0, None), "budgeted revenue": (1050.0, None)}),
    ]
    found = made(tmp_path / "november.xlsx", date(2026, 11, 1), booked, archive_of(october))
    grain = found[ACTUAL_MONTHS]
    # 500 more tokens at 0.04 h and $3; 220 h where those tokens take 220; $670 where 220 h at $3 are modelled.
    names = ("cost_difference", "cost_volume_effect", "cost_efficiency_effect", "cost_price_effect", "cost_rest")
    assert at(grain, "2026-10", *names) == pytest.approx([60, 60, 0, 10, -10])
    names = ("revenue_difference", "revenue_volume_effect", "revenue_price_effect", "revenue_rest")
    assert at(grain, "2026-10", *names) == pytest.approx([100, 100, 0, 0])
    names = ("profit_budget_difference", "cost_budget_difference", "cost_is_reconciled", "revenue_is_reconciled")
    assert at(grain, "2026-10", *names) == pytest.approx([40, 10, 0, 1])


# Year to date and twelve months


def test_the_year_begins_in_january_and_twelve_months_go_back_over_it(tmp_path):
    months = [date(2026, month, 1) for month in (11, 12)]
    booked = [row for month in months for row in rows(month, WHOLE)] + rows(date(2027, 1, 1), WHOLE)
    found = made(tmp_path / "january.xlsx", date(2027, 1, 15), booked, archive_of(*months))
    revenue = found[TOTAL].value("revenue", "Total")
    year, twelve = found[YEAR_TO_DATE], found[TWELVE_MONTHS]
    assert at(year, YEAR_TO_DATE, "has_model", "modelled_revenue") == pytest.approx([1, revenue])
    assert at(twelve, TWELVE_MONTHS, "has_model", "modelled_revenue") == pytest.approx([3, revenue + 2000])
    assert twelve.value("actual_profit", TWELVE_MONTHS) == pytest.approx(3 * 440)


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory):
    """An archive of September, October and November; September has no actuals, the others do."""
    folder = tmp_path_factory.mktemp("three")
    reports = folder / "reports"
    plain = {"study_hardware": "no", "study_models": "no", "study_topology": "no", "published_figures": "no"}
    for month in (9, 10):
        report_month(write(folder / f"{month}.xlsx", date(2026, month, 1), [], **plain), reports)
    booked = [*rows(date(2026, 10, 1), WHOLE), *rows(date(2026, 11, 1), WHOLE)]
    report_month(write(folder / "11.xlsx", date(2026, 11, 1), booked, **plain), reports)
    return reports


def cells(path, sheet):
    """A live sheet's rows by their keys, each by head."""
    heads, *lines = load_workbook(path, data_only=True)[sheet].iter_rows(min_row=HEAD_ROW, values_only=True)
    assert FIRST_ROW == HEAD_ROW + 1
    return {line[0]: dict(zip(heads, line, strict=True)) for line in lines if line[0]}


def test_a_year_is_added_up_from_the_archive(three_runs, pages_of):
    runs = {
        month: json.loads((three_runs / f"2026-{month}" / "run.json").read_text(encoding="utf-8"))
        for month in ("10", "11")
    }
    results = three_runs / "2026-11" / "results.xlsx"
    months, (year,) = cells(results, ACTUAL_MONTHS), cells(results, YEAR_TO_DATE).values()
    assert list(months) == ["2026-09", "2026-10", "2026-11"]
    assert months["2026-10"]["modelled_in"] == f"run of October 2026, input {runs['10']['input']['sha256'][:8]}"
    assert months["2026-10"]["modelled_bill"] == runs["10"]["figures"]["fleet_cost"]
    modelled = sum(run["figures"]["gross_profit"] for run in runs.values())
    assert year["modelled_profit"] == pytest.approx(modelled) and year["actual_profit"] == 880
    assert year["profit_difference"] == pytest.approx(880 - modelled)
    text = pages_of(three_runs / "2026-11" / "report.pdf")[1]
    assert "No run in the archive: December 2025 to August 2026." in text
    assert "No invoices or no billing: December 2025 to September 2026." in text


def test_earlier_months_are_values_and_this_one_is_live(three_runs):
    sheet = load_workbook(three_runs / "2026-11" / "results.xlsx")[ACTUAL_MONTHS]
    heads = [cell.value for cell in sheet[HEAD_ROW]]
    column = heads.index("modelled_bill") + 1
    october, november = (sheet.cell(FIRST_ROW + row, column) for row in (1, 2))
    assert (october.data_type, october.style, november.data_type) == ("n", "Input", "f")


@needs_libreoffice
def test_libreoffice_finds_the_same(three_runs, tmp_path):
    results = Path(shutil.copy(three_runs / "2026-11" / "results.xlsx", tmp_path / "results.xlsx"))
    again = recalculated_by_libreoffice(results, tmp_path)
    compared = 0
    for sheet in (ACTUAL_MONTHS, YEAR_TO_DATE, TWELVE_MONTHS):
        ours, theirs = cells(results, sheet), cells(again, sheet)
        for key, line in ours.items():
            for name, value in line.items():
                other = theirs[key][name]
                assert (other or "") == (value or "") or other == pytest.approx(value, rel=1e-9, abs=1e-9), (key, name)
                compared += isinstance(value, int | float)
    assert compared > 120


# Standing


def reconciled(path, month, **signed):
    """A month whose actuals are its model's figures, but for a rest of half a percent of the invoice."""
    plain = scenario(read(write(path, month, [])))
    revenue, bill, tokens, hours = (
        plain[TOTAL].value(name, "Total") for name in ("revenue", "fleet_cost", "sold_tokens", "held_hours")
    )
    lines = {
        "invoice": (bill * 1.005, None),
        "billed revenue": (revenue, None),
        "metered tokens": (tokens, revenue / tokens),
        "accelerator-hours": (hours, bill / hours),
    }
    return made(path, month, rows(month, lines), **signed)


def test_a_month_is_modelled_until_it_is_reconciled(tmp_path):
    november = date(2026, 11, 1)
    strict = reconciled(tmp_path / "strict.xlsx", november, rest_tolerance=0.004)
    assert strict[ACTUAL_MONTHS].value("standing", "2026-11") == "modelled, not reconciled"
    assert " a modelled $" in headline(strict)
    assert "of what was invoiced stays unexplained, and 0.4% of it is allowed" in standing_line(strict)
    lenient = reconciled(tmp_path / "lenient.xlsx", november)
    assert lenient[ACTUAL_MONTHS].value("standing", "2026-11") == "reconciled"
    told = headline(lenient)
    assert "as billed and invoiced" in told and told.endswith("less than modelled") and "a modelled" not in told
    assert standing_line(lenient).startswith("Reconciled with the invoices and meters of November;")


def test_prices_that_nobody_typed_are_in_the_rest(tmp_path):
    october = date(2026, 10, 1)
    unpriced = {**WHOLE, "accelerator-hours": (220.0, None), "invoice": (690.0, None)}
    grain = made(tmp_path / "november.xlsx", date(2026, 11, 1), rows(october, unpriced), archive_of(october))[
        ACTUAL_MONTHS
    ]
    assert at(grain, "2026-10", "cost_price_effect", "cost_rest") == [None, pytest.approx(30)]
    assert grain.value("standing", "2026-10") == "modelled, not reconciled"


@pytest.mark.parametrize(
    ("signed", "text"),
    [
        ("", "Not yet reviewed."),
        ("prepared", "Prepared by ann on 2026-12-02; not yet reviewed."),
        ("prepared reviewed", "Prepared by ann on 2026-12-02, reviewed by bob on 2026-12-03; not yet approved."),
        (
            "prepared reviewed approved",
            "Prepared by ann on 2026-12-02, reviewed by bob on 2026-12-03, approved by eve on 2026-12-04.",
        ),
    ],
)
def test_who_stands_by_it(signed, text):
    people = {"prepared": "ann", "reviewed": "bob", "approved": "eve"}
    held = {}
    for day, (step, name) in enumerate(people.items(), 2):
        done = step in signed.split()
        held |= {f"{step}_by": name if done else "", f"{step}_on": date(2026, 12, day) if done else None}
    assert signatures(held) == text


def test_the_example_says_modelled_and_october_is_reconciled(archive, november, pages_of):
    page, compared = pages_of(november / "report.pdf")[:2]
    assert "November earned a modelled $" in page and "for November yet. Prepared by finance" in page
    assert "October earned $" in compared and "November has no invoices and no billed revenue yet" in compared
    october = pages_of(archive / "2026-10" / "report.pdf")[0]
    assert "as billed and invoiced" in october and "approved by the CFO on 2026-11-12" in october


def test_a_page_without_actuals_is_not_there(tmp_path, pages_of):
    plain = {"study_hardware": "no", "study_models": "no", "study_topology": "no", "published_figures": "no"}
    path = write(tmp_path / "november.xlsx", date(2026, 11, 1), [], **plain)
    outcome = report_month(path, tmp_path / "reports")
    pages = pages_of(outcome.folder / "report.pdf")
    assert "Modelled, not compared with invoices and meters. Not yet reviewed." in pages[0]
    assert not any("Model and actual" in page for page in pages)
    assert "Model and actual" not in load_workbook(outcome.folder / "results.xlsx", read_only=True).sheetnames
