"""Amounts in several currencies: converted at their rates, live and in the engine, and shown in the report's."""

import copy
import json
import math
import re
from datetime import date

import pytest
from bad_workbooks.valid import ROWS, SEEN, TODAY, at
from openpyxl import load_workbook
from oracles import needs_libreoffice, recalculated_by_libreoffice

from engine.derivation import derive
from engine.filling.competitor_prices import competitor_rows
from engine.render.typesetting import number, printable
from engine.run import report_month
from engine.scenarios import CONFIGURED, Converted, scenario
from engine.sheets import BY_NAME, FIRST_ROW, SHEETS, UNIT_ROW
from engine.units import (
    CURRENCIES,
    NO_BREAK,
    DollarsPerHour,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    brief_money,
    in_currency,
    money_in,
    show,
    unit_of,
)
from engine.workbook.blank import write_blank
from engine.workbook.read import read

RATES = {"USD": 0.925, "GBP": 1.195}
API = {
    "competitor": "an API",
    "api_input_price": 0.3,
    "api_output_price": 0.6,
    "as_of": date(2026, 11, 3),
    "source": "assumption",
}


def workbook(path, *, report="EUR", hardware="USD", prices="GBP", api="USD", by_hand=False, **settings):
    """A workbook with a currency on every sheet that has one; `by_hand`: the same amounts, converted beforehand."""
    rows = copy.deepcopy(ROWS)
    rows["Settings"][0] |= {"currency": report, "published_figures": "no", **settings}
    rows["Competitors"] = [dict(API)]
    for sheet, currency in (("Hardware", hardware), ("Prices", prices), ("Competitors", api)):
        for row in rows[sheet]:
            if by_hand:
                priced = {name for name in row if name.endswith("_price")}
                row |= {name: row[name] * RATES[currency] for name in priced}
            else:
                row["currency"] = currency
    if not by_hand:
        rows["Exchange rates"] = [
            {"currency": currency, "exchange_rate": rate, "rate_date": date(2026, 11, 27), "source": "a central bank"}
            for currency, rate in RATES.items()
            if currency != report
        ]
    write_blank(path, rows, today=TODAY)
    return path


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """The workbook in three currencies, and the folder of its report in euros."""
    folder = tmp_path_factory.mktemp("currency")
    path = workbook(folder / "three.xlsx")
    outcome = report_month(path, folder / "reports")
    assert outcome.passed and not outcome.warnings
    return path, outcome.folder


# Figures


def test_converted_by_the_sheet_is_converted_by_hand(tmp_path):
    live = scenario(read(workbook(tmp_path / "live.xlsx")))
    hand = scenario(read(workbook(tmp_path / "hand.xlsx", by_hand=True)))
    for name, grain in hand.grains.items():
        for quantity, values in grain.values.items():
            if values.dtype.kind == "f":
                assert live[name].values[quantity] == pytest.approx(values, rel=1e-12, nan_ok=True), quantity
    (price,) = live[CONFIGURED].values["accelerator_price"]
    assert price == pytest.approx(2.95 * 0.925)


MORE = {
    "Hardware": {
        "accelerators_per_node": 8,
        "node_purchase_price": 270e3,
        "installation_cost": 20e3,
        "service_life": 5,
        "accelerator_power": 0.7,
        "node_staff_cost": 6e3,
        "accelerator_licence_price": 4500.0,
        "ownership_source": "assumption",
    },
    "Models": {"licence_price": 0.02},
}
CONTRACT = {
    "contract": "servers of our own",
    "hardware": "H100",
    "term": "owned",
    "contract_accelerators": 8,
    "contract_price": 1.73,
    "contract_start": date(2026, 1, 1),
    "contract_end": date(2029, 12, 31),
    **SEEN,
}
OTHER_COSTS = [
    {"other_cost_line": f"by the {driver}", "driver": driver, "amount": amount, **SEEN}
    for driver, amount in (
        ("month", 900.0),
        ("request", 2e-6),
        ("million tokens", 0.004),
        ("replica", 40.0),
        ("revenue", 0.02),
    )
]


def in_pounds(path, *, by_hand):
    """Servers, a licence, a contract and other costs in pounds; `by_hand`: in the report's euros."""
    rows = copy.deepcopy(ROWS)
    rows["Settings"][0] |= {"currency": "EUR", "published_figures": "no"}
    for sheet, more in MORE.items():
        rows[sheet][0] |= more
    rows["Commitments"] = [dict(CONTRACT)]
    rows["Other costs"] = copy.deepcopy(OTHER_COSTS)
    for sheet in (*MORE, "Commitments", "Other costs"):
        amounts = {"amount"} | {column.name for column in BY_NAME[sheet].columns if column.unit.is_money}
        for row in rows[sheet]:
            if not by_hand:
                row["currency"] = "GBP"
            elif row.get("driver") != "revenue":  # a share of it is no amount
                row |= {name: row[name] * RATES["GBP"] for name in amounts & set(row)}
    if not by_hand:
        rates = {"currency": "GBP", "exchange_rate": RATES["GBP"], "rate_date": date(2026, 11, 27), "source": "a bank"}
        rows["Exchange rates"] = [rates]
    write_blank(path, rows, today=TODAY)
    return path


def test_servers_licences_contracts_and_other_costs_are_converted_too(tmp_path):
    pounds = scenario(read(in_pounds(tmp_path / "pounds.xlsx", by_hand=False)))
    hand = scenario(read(in_pounds(tmp_path / "hand.xlsx", by_hand=True)))
    assert pounds["Ownership"].values["owned_cost"][0] > 0 and pounds["Total"].value("other_cost", "Total") > 900
    for name, grain in hand.grains.items():
        for quantity, values in grain.values.items():
            if values.dtype.kind == "f":
                assert pounds[name].values[quantity] == pytest.approx(values, rel=1e-12, nan_ok=True), quantity
    outcome = report_month(tmp_path / "pounds.xlsx", tmp_path / "reports")
    assert outcome.passed


def test_revenue_and_bill_move_with_their_own_rates(tmp_path, monkeypatch):
    before = scenario(read(workbook(tmp_path / "before.xlsx")))[CONFIGURED].values
    monkeypatch.setitem(RATES, "GBP", 2 * RATES["GBP"])
    after = scenario(read(workbook(tmp_path / "after.xlsx")))[CONFIGURED].values
    assert after["revenue"] == pytest.approx(2 * before["revenue"])
    assert after["fleet_cost"] == pytest.approx(before["fleet_cost"])


def test_amounts_in_the_reports_currency_need_no_formula(tmp_path):
    """A report in dollars stays as it was: a blank currency, and the report's own, are looked up plainly."""
    named = workbook(tmp_path / "named.xlsx", report="USD", hardware="USD", prices="USD", api="USD")
    for grain in scenario(read(named)).grains.values():
        assert not [source for source in grain.sources.values() if isinstance(source, Converted)]
    mixed = scenario(read(workbook(tmp_path / "mixed.xlsx", report="USD", prices="USD", api="GBP")))
    assert not any(isinstance(source, Converted) for source in mixed[CONFIGURED].sources.values())


def test_every_sheet_with_prices_of_others_has_a_currency():
    """Amounts on Settings and Configurations are the report's; of any other sheet they may be in another currency."""
    for sheet in SHEETS:
        if not sheet.vertical and any(column.unit.is_money for column in sheet.columns):
            assert any(column.name == "currency" for column in sheet.columns), sheet.name


def test_an_unknown_amount_stays_unknown(reported):
    path, folder = reported
    grain = scenario(read(path))["Decisions"]
    assert isinstance(grain.sources["reserved_price"], Converted)
    assert math.isnan(grain.values["reserved_price"][0]) and math.isnan(grain.values["on_demand_premium"][0])
    book = load_workbook(folder / "results.xlsx", data_only=True)
    rows = list(book["Decisions"].iter_rows(min_row=FIRST_ROW - 1, values_only=True))
    found = dict(zip(rows[0], rows[1], strict=True))
    assert not found["reserved_price"] and not found["on_demand_premium"]


# The report


@needs_libreoffice
def test_libreoffice_finds_the_same(reported, tmp_path):
    _, folder = reported
    ours = load_workbook(folder / "results.xlsx", data_only=True)
    theirs = load_workbook(recalculated_by_libreoffice(folder / "results.xlsx", tmp_path), data_only=True)
    assert ours["Report"]["B11"].value == theirs["Report"]["B11"].value == "ALL CHECKS PASSED"
    compared = 0
    for sheet in ours:
        for row in sheet.iter_rows():
            for cell in row:
                other = theirs[sheet.title][cell.coordinate].value
                if isinstance(cell.value, float):
                    compared += 1
                    assert other == pytest.approx(cell.value, rel=1e-9, abs=1e-12), (sheet.title, cell.coordinate)
    assert compared > 1000


def test_a_changed_rate_moves_the_live_figures(reported, tmp_path):
    """Another rate typed into results.xlsx: what is in that currency follows, and nothing else."""
    from engine.workbook.recalculation import recalculate

    _, folder = reported
    before = load_workbook(folder / "results.xlsx", data_only=True)
    book = load_workbook(folder / "results.xlsx")
    cell = at("Exchange rates", "exchange_rate").split("!")[1]
    assert book["Exchange rates"][cell].value == RATES["USD"]
    book["Exchange rates"][cell].value = 2 * RATES["USD"]
    book.save(tmp_path / "results.xlsx")
    assert not recalculate(tmp_path / "results.xlsx").errors
    after = load_workbook(tmp_path / "results.xlsx", data_only=True)

    def figure(book, quantity):
        for sheet in ("Joined inputs", "Calculation"):
            rows = list(book[sheet].iter_rows(min_row=FIRST_ROW - 1, max_row=FIRST_ROW, values_only=True))
            if quantity in rows[0]:
                return rows[1][rows[0].index(quantity)]
        raise KeyError(quantity)

    assert figure(after, "accelerator_price") == pytest.approx(2 * figure(before, "accelerator_price"))
    assert figure(after, "fleet_cost") == pytest.approx(2 * figure(before, "fleet_cost"))
    assert figure(after, "revenue") == pytest.approx(figure(before, "revenue"))


def test_the_report_is_in_its_currency(reported, pages_of):
    _, folder = reported
    text = " ".join(pages_of(folder / "report.pdf"))
    assert "November 2026 · euros" in text and re.search(r"€\d", text) and "€/Mtoken" in text
    # What stands in a row of dollars is shown as it was typed, on the page of the assumptions.
    assert set(re.findall(r"\S*\$\S*", text)) == {"$2.95/h"}
    assert "£0.100/Mtoken" in text
    book = load_workbook(folder / "results.xlsx")
    inputs = {sheet.name for sheet in SHEETS}
    shown = [
        str(cell.value)
        for sheet in book
        if sheet.title not in inputs
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "s"
    ]
    assert not [text for text in shown if "$" in text]
    assert "€/Mtoken" in {cell.value for cell in book["Calculation"][UNIT_ROW]}


def test_a_figure_is_derived_from_what_was_typed(reported):
    path, _ = reported
    lines = derive(path, "replica_cost", configuration="chat on H100")
    assert lines[0].startswith("replica cost = €5.46/h")
    rate = at("Exchange rates", "exchange_rate")
    assert any(line.endswith(f"{at('Hardware', 'on_demand_price')} in USD, at 0.925 ({rate})") for line in lines)


def test_another_report_in_dollars_is_not_touched(reported, tmp_path, pages_of):
    """The currency of one report does not outlast it; charts with the same figures are drawn again."""
    path = workbook(tmp_path / "dollars.xlsx", report="USD", hardware="USD", prices="USD", api="USD")
    text = " ".join(pages_of(report_month(path, tmp_path / "reports").folder / "report.pdf"))
    assert "US dollars" in text and "€" not in text and "$/Mtoken" in text


def test_a_month_in_another_currency_is_not_compared(tmp_path):
    """October in dollars says nothing about November in euros; in euros it does."""
    for october, compared in (("USD", False), ("EUR", True)):
        reports = tmp_path / october
        report_month(workbook(tmp_path / "october.xlsx", report=october), reports, date(2026, 10, 1))
        folder = report_month(workbook(tmp_path / "november.xlsx"), reports).folder
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        assert run["currency"] == "EUR"
        rows = load_workbook(folder / "results.xlsx")["Summary"].iter_rows(values_only=True)
        assert any("October" in str(cell) for row in rows for cell in row) == compared


# Words


@pytest.mark.parametrize(
    ("currency", "brief", "hourly", "label"),
    [
        ("USD", "\u2212$604k", "$2.35/h", "$/Mtoken"),
        ("EUR", "\u2212€604k", "€2.35/h", "€/Mtoken"),
        ("CHF", f"\u2212CHF{NO_BREAK}604k", f"CHF{NO_BREAK}2.35/h", "CHF/Mtoken"),
    ],
)
def test_money_is_shown_in_its_currency(currency, brief, hourly, label):
    with money_in(currency):
        assert brief_money(-604_000) == brief
        assert show(2.35, DollarsPerHour) == number(2.35, DollarsPerHour, label=True) == hourly
        assert unit_of(DollarsPerMillionTokens).symbol == label
        assert in_currency("$ a month") == f"{label.partition('/')[0]} a month"
        assert show(-5, DollarsPerMonth, label=False).startswith("\u2212")
    assert brief_money(604_000) == "$604k"


def test_every_symbol_can_be_printed():
    for symbol, name in CURRENCIES.values():
        assert printable(symbol) == symbol and name
    symbols = [symbol for symbol, _ in CURRENCIES.values()]
    assert len(set(symbols)) == len(symbols)


def test_prices_of_other_vendors_are_dollars():
    rows = competitor_rows(["openai"])
    assert rows and {row["currency"] for row in rows} == {"USD"}


def test_rents_in_another_currency_are_not_held_against_the_catalogues(tmp_path):
    """320 yen an hour is no slip; 320 dollars are."""
    for currency, told in (("JPY", 0), ("USD", 1)):
        rows = copy.deepcopy(ROWS)
        rows["Hardware"][0] |= {"on_demand_price": 320.0, "currency": currency}
        rates = {"currency": "JPY", "exchange_rate": 0.0064, "rate_date": date(2026, 11, 27), "source": "assumption"}
        rows["Exchange rates"] = [rates]
        write_blank(tmp_path / f"{currency}.xlsx", rows, today=TODAY)
        warnings = read(tmp_path / f"{currency}.xlsx").warnings
        assert sum("the catalogue has" in warning.sentence for warning in warnings) == told
