"""The catalogue and the example: every row obeys the declaration, is sourced, and adds up to a month worth reading."""

from datetime import date

import pytest

from engine.catalogue import FACTS, MONTHS, catalogue, example
from engine.scenarios import BY_TRAFFIC, CONFIGURED, TOTAL, scenario
from engine.sheets import BY_NAME, PRICE_BASES
from engine.workbook.read import read
from engine.workbook.shipped import write_blank_workbook, write_examples

UNPRICED = "no public price found"


@pytest.fixture(scope="module")
def months(tmp_path_factory):
    """Both example workbooks, written and read back: reading refuses whatever breaks a rule."""
    paths = write_examples(tmp_path_factory.mktemp("example"))[: len(MONTHS)]
    return {month: scenario(read(path)) for month, path in zip(MONTHS, paths, strict=True)}


def _wrong(sheet, row):
    """What in a row is not what its columns allow."""
    for column in sheet.columns:
        value = row.get(column.name)
        if value is None:
            if column.required:
                yield f"{column.name} is blank"
        elif value in column.words:
            continue
        elif column.unit.is_number:
            low, high = column.at_least, column.at_most
            if (low is not None and value < low) or (high is not None and value > high):
                yield f"{column.name} is {value}"
            if column.whole and value != round(value):
                yield f"{column.name} is not whole: {value}"
        elif column.unit.kind in ("date", "month"):
            if not isinstance(value, date):
                yield f"{column.name} is no day: {value}"
        elif value != value.strip() or (column.choices and value not in column.choices):
            yield f"{column.name} is {value!r}"


def _broken(sheets):
    found = []
    for name, rows in sheets.items():
        sheet = BY_NAME[name]
        found += [f"{name} {list(row.values())[:2]}: {wrong}" for row in rows for wrong in _wrong(sheet, row)]
        keys = [tuple(row[column.name] for column in sheet.keys) for row in rows]
        if sheet.keys and len(keys) != len(set(keys)):
            found.append(f"{name}: a row stands twice")
    return found


def test_every_fact_obeys_the_declaration():
    assert not _broken({sheet.name: catalogue(name) for name, sheet in FACTS.items()})


@pytest.mark.parametrize("month", MONTHS)
def test_every_row_of_the_example_obeys_the_declaration(month):
    assert not _broken(example(month))


def test_names_resolve():
    sheets = example("november")
    for sheet in (BY_NAME["Configurations"], BY_NAME["Traffic mixes"]):
        for column in sheet.columns:
            if column.refers_to:
                targets = [BY_NAME[name] for name in column.refers_to]
                known = {row[target.keys[0].name] for target in targets for row in sheets[target.name]}
                assert {row.get(column.name, column.default) for row in sheets[sheet.name]} <= known


@pytest.mark.parametrize("month", MONTHS)
def test_every_request_is_served_once(month):
    sheets = example(month)
    served = dict.fromkeys((row["traffic"] for row in sheets["Traffic"] if "mean_requests" in row), 0.0)
    for row in sheets["Configurations"]:
        share, traffic = row.get("requests_share", 0.0), row["traffic"]
        groups = [mix for mix in sheets["Traffic mixes"] if mix["traffic_mix"] == traffic]
        for name, part in [(mix["traffic"], mix["mix_share"]) for mix in groups] or [(traffic, 1.0)]:
            if share:
                served[name] += share * part
    assert served == pytest.approx(dict.fromkeys(served, 1.0))


def test_groups_send_all_requests_of_their_classes():
    sent = {}
    for mix in example("november")["Traffic mixes"]:
        sent[mix["traffic"]] = sent.get(mix["traffic"], 0.0) + mix["mix_share"]
    assert sent == pytest.approx(dict.fromkeys(sent, 1.0))


def test_the_example_is_large_enough():
    rows = example("november")["Configurations"]
    facts = {name: {row[sheet.keys[0].name] for row in catalogue(name)} for name, sheet in FACTS.items()}
    assert len(rows) == 24
    assert len({row["hardware"] for row in rows} & facts["accelerators"]) >= 12
    assert len({row["model"] for row in rows} & facts["models"]) >= 10
    assert len({row["precision"] for row in rows}) >= 5


def test_every_price_has_a_source():
    for row in catalogue("accelerators") + example("november")["Hardware"]:
        priced = any(column in row for column in PRICE_BASES.values())
        assert priced != (row["price_source"] == UNPRICED), row["hardware"]


def test_prices_of_the_example_that_nobody_asked_are_marked():
    known = {row["hardware"]: row for row in catalogue("accelerators")}
    for row in example("november")["Hardware"]:
        added = set(PRICE_BASES.values()) & set(row) - set(known.get(row["hardware"], row))
        assert not added or "assumption" in row["price_source"], row["hardware"]


def test_facts_that_nobody_compared_stay_marked():
    second_hand = ("vendor datasheet", "HF config.json or model card")
    for name in ("accelerators", "models"):
        marked = [row for row in catalogue(name) if row["source"] in second_hand]
        assert marked and all("unverified" in row["note"] for row in marked)
    notes = {row["hardware"]: row.get("note", "") for row in example("november")["Hardware"]}
    assert notes["MI300X"].startswith("unverified")


def test_october_differs_only_where_it_says():
    november, october = example("november"), example("october")
    assert october["Settings"][0]["report_month"] == date(2026, 10, 1)
    assert max(row["changed_on"] for row in october["Change log"]) <= date(2026, 10, 31)
    assert october["Hardware"] == november["Hardware"]
    assert october["Traffic"] != november["Traffic"]


@pytest.mark.parametrize("month", MONTHS)
def test_what_serves_fits_and_is_fast_enough_to_read(months, month):
    values = months[month][CONFIGURED].values
    serves = values["serves"] > 0
    assert 8 <= serves.sum() <= 9
    assert (values["fits"][serves] == 1).all()
    assert ((values["user_speed"][serves] >= 20) & (values["user_speed"][serves] <= 150)).all()
    assert ((values["utilization"][serves] >= 0.3) & (values["utilization"][serves] <= 0.85)).all()
    assert (values["fits"] == 0).sum() == 1


def test_the_month_is_worth_a_report(months):
    margin = {month: months[month][TOTAL].value("gross_margin", "Total") for month in MONTHS}
    assert 0.2 < margin["october"] < margin["november"] < 0.45
    by_traffic = months["november"][BY_TRAFFIC]
    assert [key for key in by_traffic.keys if by_traffic.value("gross_profit", key) < 0] == ["Moderation", "Reasoning"]


def test_the_published_case_comes_out(months):
    grain = months["november"][CONFIGURED]
    name = "405B demo on 8 H100"
    assert grain.value("fleet_cost_per_day", name) == pytest.approx(670.08)
    assert grain.value("revenue_per_day", name) == pytest.approx(798.34, abs=0.01)


def test_a_new_workbook_brings_the_facts(tmp_path):
    assert write_blank_workbook(tmp_path / "new.xlsx").stat().st_size > 0
