"""The ledger: lines add up to wholes to the cent on drawn months, day by day, and edges have an answer or a reason."""

import calendar
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.report.answer import headline
from engine.report.pages.phases import phases
from engine.report.pages.profit import profit
from engine.report.profit import profit_and_loss
from engine.report.values import Paragraph
from engine.scenarios import (
    BILLED,
    BY_CLASS,
    BY_MODEL,
    BY_TRAFFIC,
    CONFIGURED,
    LEDGER,
    OTHER_COST_LINES,
    PRICE_LISTS,
    PROFIT_LINES,
    TOTAL,
    scenario,
)
from engine.sheets import DRIVERS
from engine.workbook.read import read

NOVEMBER = Path(__file__).parents[1] / "inputs" / "example.xlsx"
DRAWN = settings(max_examples=40, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate))
CENT = 0.005
BUCKETS = ("input_price", "cache_write_price", "cached_input_price", "output_price", "reasoning_price")
UNBILLED = ("free_share", "retry_share", "aborted_share", "internal_share")
WHOLES = (BY_TRAFFIC, BY_MODEL, BY_CLASS)
SUMMED = (
    *("list_value", "discounts", "credits", "revenue", "fleet_cost", "idle_cost", "gross_profit", "other_cost"),
    *("profit_after_other_costs", "unbilled_tokens", "sold_tokens"),
    *("prefill_month", "decode_month", "storage_month", "transfer_month"),
)


@lru_cache(maxsize=1)
def inputs():
    return read(NOVEMBER)


def month_of(tables):
    return scenario(replace(inputs(), tables={**inputs().tables, **tables}))


def table(sheet, **columns):
    """A sheet of the example with columns changed; all of them, where it is to have another number of rows."""
    held = inputs().tables[sheet]
    return {sheet: replace(held, columns={**held.columns, **columns})}


def rows_of(sheet, picked, **columns):
    """Rows of a sheet of the example, picked by number, with columns changed."""
    held = inputs().tables[sheet]
    return {sheet: replace(held, columns={**{n: v[picked] for n, v in held.columns.items()}, **columns})}


def _settings(**values):
    held = inputs().tables["Settings"].columns
    return table("Settings", **{name: np.array([value], dtype=held[name].dtype) for name, value in values.items()})


def drawn(seed):
    """A month with drawn shares, tiers, days of price lists and other costs."""
    random = np.random.default_rng(seed)
    classes, mixes = (len(inputs().tables[sheet]) for sheet in ("Traffic", "Traffic mixes"))
    shares = {name: random.uniform(0, 0.24, classes) * (random.random(classes) < 0.6) for name in UNBILLED}
    shares |= {name: random.random(classes) for name in ("cache_write_share", "batch_share", "off_peak_share")}
    shares |= {name: random.uniform(0, 0.3, classes) for name in ("credit_share", "refund_share")}
    month = date(2026, int(random.integers(1, 13)), 1)
    last = calendar.monthrange(month.year, month.month)[1]
    lists = inputs().tables["Prices"].columns["price_list"]
    names = list(dict.fromkeys(lists.tolist()))
    prices = {"price_list": [], "valid_from": [], "valid_until": []}
    for name in names:
        change = month + timedelta(days=int(random.integers(1, last)))
        gap = timedelta(days=int(random.integers(1, 4)))
        for since, until in ((date(2025, 1, 1), change - gap), (change, None)):
            prices["price_list"].append(name)
            prices["valid_from"].append(since)
            prices["valid_until"].append(until)
    rows = len(names) * 2
    by_list = {
        "batch_discount": random.random(len(names)),
        "off_peak_discount": random.random(len(names)),
        "long_context_threshold": random.choice([0.0, 3000.0], len(names)),
        "long_context_input_multiple": random.uniform(1, 3, len(names)),
        "long_context_output_multiple": random.uniform(1, 3, len(names)),
    }
    blank = {price: random.random(rows) < 0.1 for price in BUCKETS}
    columns = {
        "price_list": np.array(prices["price_list"]),
        **{name: np.array(prices[name], dtype=object) for name in ("valid_from", "valid_until")},
        **{price: np.where(blank[price], np.nan, random.uniform(0, 5, rows)) for price in BUCKETS},
        **{name: np.repeat(values, 2) for name, values in by_list.items()},
    }
    models = np.array(["", "Llama 3.1 70B", "gpt-oss-120b", "Mixtral 8x7B"])
    traffics = np.array(["", "Chat", "Search", "Partners", "Extraction"])
    costs = int(random.integers(0, 8))
    other = {
        "other_cost_line": np.array([f"cost {row}" for row in range(costs)]),
        "amount": random.uniform(0, 0.03, costs),
        "driver": random.choice(DRIVERS, costs),
        "model": random.choice(models, costs),
        "traffic": random.choice(traffics, costs),
    }
    model_rows = len(inputs().tables["Models"])
    return {
        **_settings(
            report_month=month,
            idle=float(random.integers(0, 2)),
            cache_retention=random.uniform(0, 2),
            storage_price=random.uniform(0, 1e-3),
            transfer_price=random.uniform(0, 1e-3),
        ),
        **table("Traffic", **shares),
        **table("Traffic mixes", customer_discount=random.random(mixes)),
        **rows_of("Prices", np.zeros(rows, dtype=int), **columns),
        **rows_of("Other costs", np.zeros(costs, dtype=int), **other),
        **table(
            "Models", licence_price=random.uniform(0, 0.1, model_rows), revenue_share=random.uniform(0, 0.3, model_rows)
        ),
    }


def _to_the_cent(parts, whole):
    assert np.abs(np.asarray(sum(parts)) - whole).max() < CENT


@DRAWN
@given(st.integers(0, 2**32 - 1))
def test_parts_add_up_to_wholes_to_the_cent(seed):
    month = month_of(drawn(seed))
    ledger, lines, total = month[LEDGER].values, month[PROFIT_LINES].values, month[TOTAL]
    configured = month[CONFIGURED]
    # Lines of a configuration come to its revenue, bill and idle cost.
    for quantity, whole in (("net_revenue", "revenue"), ("line_bill", "fleet_cost"), ("line_idle_cost", "idle_cost")):
        for key in dict.fromkeys(ledger["configuration"]):
            of_it = ledger["configuration"] == key
            _to_the_cent([ledger[quantity][of_it].sum()], configured.value(whole, key))
    # From the list value down to the net revenue, and the same by bucket; the bill by phase.
    steps = [f"{reason.removesuffix('_share')}_value" for reason in UNBILLED] + ["discounts", "credits", "refunds"]
    _to_the_cent([ledger[name] for name in (*steps, "net_revenue")], ledger["list_value"])
    buckets = [f"{bucket}_revenue" for bucket in ("plain_input", "cache_write", "cache_read", "output", "reasoning")]
    _to_the_cent([ledger[name] for name in buckets], ledger["net_revenue"])
    phases = [f"{phase}_month" for phase in ("prefill", "decode", "idle")]
    _to_the_cent([ledger[name] for name in phases], ledger["line_bill"])
    contributions = [ledger[f"{part}_contribution"] for part in ("prefill", "cache", "decode")]
    kept = ledger["net_revenue"] - ledger["line_bill"] - ledger["storage_month"] - ledger["transfer_month"]
    _to_the_cent([*contributions, -ledger["idle_month"]], kept)
    # Other costs come to what lines are charged: rows of the sheet, licences, cache that is kept and carried.
    licences = lines["line_tokens"] * lines["licence_price"] + lines["net_revenue"] * lines["revenue_share"]
    charged = month[OTHER_COST_LINES].values["cost_amount"].sum() + licences.sum()
    charged += ledger["storage_month"].sum() + ledger["transfer_month"].sum()
    _to_the_cent([charged], total.value("other_cost", "Total"))
    # Models, classes and traffics each come to the total.
    for name in WHOLES:
        for quantity in SUMMED:
            _to_the_cent([month[name].values[quantity].sum()], total.value(quantity, "Total"))
    left = total.value("revenue", "Total") - total.value("fleet_cost", "Total") - total.value("other_cost", "Total")
    _to_the_cent([total.value("profit_after_other_costs", "Total")], left)


@DRAWN
@given(st.integers(0, 2**32 - 1))
def test_the_month_is_the_sum_of_its_days(seed):
    """Every request of every day billed at the prices of that day, without any of the formulas."""
    tables = drawn(seed)
    month = month_of(tables)
    ledger, prices = month[LEDGER], list(tables["Prices"])
    classes = {row["traffic"]: row for row in tables["Traffic"]}
    discounts = {(row["traffic_mix"], row["traffic"]): row["customer_discount"] for row in tables["Traffic mixes"]}
    first = tables["Settings"].columns["report_month"].item(0)
    days = [first + timedelta(days=day) for day in range(calendar.monthrange(first.year, first.month)[1])]
    for key in ledger.keys:
        row = classes[ledger.value("traffic_class", key)]
        price_list = month[CONFIGURED].value("price_list", ledger.value("configuration", key))
        daily = ledger.value("served_requests", key) / len(days)
        fresh = row["input_tokens"] * (1 - row["cached_share"])
        prompt = {
            "input_price": fresh * (1 - row["cache_write_share"]),
            "cache_write_price": fresh * row["cache_write_share"],
            "cached_input_price": row["input_tokens"] * row["cached_share"],
        }
        answer = {"output_price": row["output_tokens"], "reasoning_price": row["reasoning_tokens"]}
        earned = 0.0
        for day in days:
            held = [
                one
                for one in prices
                if one["price_list"] == price_list
                and one["valid_from"] <= day
                and (one["valid_until"] is None or day <= one["valid_until"])
            ]
            for one in held:
                long = row["input_tokens"] > one["long_context_threshold"] > 0
                for tokens, multiple in (
                    (prompt, one["long_context_input_multiple"]),
                    (answer, one["long_context_output_multiple"]),
                ):
                    listed = sum(n * one[price] for price, n in tokens.items() if not np.isnan(one[price])) / 1e6
                    paid = 1 - row["batch_share"] * one["batch_discount"]
                    paid *= 1 - row["off_peak_share"] * one["off_peak_discount"]
                    paid *= 1 - discounts.get((ledger.value("traffic", key), row["traffic"]), 0.0)
                    billed = 1 - sum(row[reason] for reason in UNBILLED)
                    kept = 1 - row["credit_share"] - row["refund_share"]
                    earned += daily * listed * (multiple if long else 1) * paid * billed * kept
        assert ledger.value("net_revenue", key) == pytest.approx(earned, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize(("month", "days"), [((2026, 2), 28), ((2028, 2), 29), ((2026, 11), 30), ((2026, 12), 31)])
def test_months_of_28_to_31_days(month, days):
    first = date(*month, 1)
    change = date(*month, 15)
    held = np.flatnonzero(inputs().tables["Prices"].columns["price_list"] == "gpt-oss-120b")
    until = np.array([change - timedelta(days=1), None], dtype=object)
    since = np.array([date(2020, 1, 1), change], dtype=object)
    others = [row for row in range(len(inputs().tables["Prices"])) if row not in held]
    columns = inputs().tables["Prices"].columns
    tables = rows_of(
        "Prices",
        [*held, *others],
        valid_from=np.concatenate([since, np.full(len(others), date(2020, 1, 1), dtype=object)]),
        valid_until=np.concatenate([until, np.full(len(others), None, dtype=object)]),
    )
    found = month_of({**_settings(report_month=first), **tables})
    before, after = columns["output_price"][held]
    mean = (14 * before + (days - 14) * after) / days
    assert found[PRICE_LISTS].value("output_price", "gpt-oss-120b") == pytest.approx(mean, rel=1e-12)
    assert (found[PRICE_LISTS].values["covered_share"] > 1 - 1e-12).all()
    assert found[TOTAL].value("other_cost_per_day", "Total") * days == pytest.approx(
        found[TOTAL].value("other_cost", "Total")
    )


MATCHED = ("line_bill", "served_requests", "line_tokens", "line_replicas", "net_revenue")


@DRAWN
@given(st.integers(0, 2**32 - 1))
def test_every_other_cost_is_its_amount_times_its_driver(seed):
    tables = drawn(seed)
    month = month_of(tables)
    ledger, found = month[LEDGER], month[OTHER_COST_LINES]
    for row in tables["Other costs"]:
        lines = [
            key
            for key in ledger.keys
            if row["model"] in ("", ledger.value("model", key))
            and row["traffic"] in ("", ledger.value("traffic", key), ledger.value("traffic_class", key))
        ]
        volume = sum(ledger.value(MATCHED[DRIVERS.index(row["driver"])], key) for key in lines)
        # A month is paid once, whoever serves.
        times = (volume > 0) if row["driver"] == "month" else volume
        assert found.value("cost_amount", row["other_cost_line"]) == pytest.approx(row["amount"] * times)


def _plain():
    """The example with nothing filled in that a price list, a class or a mix may have besides prices."""
    tables = {}
    for sheet in ("Traffic", "Traffic mixes", "Prices"):
        held = inputs().tables[sheet]
        zero = {c.name: np.zeros(len(held)) for c in held.sheet.columns if c.default == 0 and c.name in PLAIN}
        tables |= table(sheet, **zero)
    return tables


PLAIN = (
    *UNBILLED,
    *("cache_write_share", "batch_share", "off_peak_share", "credit_share", "refund_share", "customer_discount"),
)


def test_without_tiers_and_shares_a_request_brings_its_list_price():
    grain = month_of(_plain())[CONFIGURED].values
    assert grain["collected_share"] == pytest.approx(1, rel=1e-12)
    paid = (grain["input_tokens"] - grain["cached_tokens"]) * grain["input_price"]
    paid += grain["cached_tokens"] * grain["cached_input_price"] + grain["output_tokens"] * grain["output_price"]
    paid += grain["reasoning_tokens"] * grain["reasoning_price"]
    assert grain["request_revenue"] == pytest.approx(paid / 1e6, rel=1e-12)


def test_a_share_of_a_mix_falls_on_its_class_alone():
    """Extraction has a batch tier and Chat has none: Partners, who send both, get it for their extraction only."""
    billed, ledger = month_of({})[BILLED], month_of({})[LEDGER]
    paid = {str(row): billed.value("paid_share", row) for row in billed.keys if " of Partners at " in row}
    assert paid == pytest.approx(
        {"Chat of Partners at Mixtral 8x7B": 0.85, "Extraction of Partners at Mixtral 8x7B": 0.68}
    )
    extraction = "Partners on 2 A100: Extraction"
    assert ledger.value("discounts", extraction) == pytest.approx(
        ledger.value("list_value", extraction) * (1 - 0.02) * 0.32
    )


def test_a_bucket_without_a_price_says_which_requests_it_loses():
    held = inputs().tables["Prices"].columns
    code = held["price_list"] == "DeepSeek-V3"
    with_price, without = (
        month_of({}),
        month_of(table("Prices", output_price=np.where(code, np.nan, held["output_price"]))),
    )
    (line,) = (key for key in without[LEDGER].keys if key.endswith(": Code"))
    lost = without[LEDGER]
    assert lost.value("unpriced_warning", line) == "output has no price: its tokens are not billed"
    assert lost.value("unpriced_requests", line) == pytest.approx(lost.value("billed_requests", line))
    assert lost.value("output_revenue", line) == 0 < with_price[LEDGER].value("output_revenue", line)
    tokens = lost.value("billed_requests", line) * lost.value("output_tokens", line) / 1e6
    more = lost.value("unbilled_tokens", line) - with_price[LEDGER].value("unbilled_tokens", line)
    assert more == pytest.approx(tokens)
    # A price of nothing is a price.
    free = month_of(table("Prices", output_price=np.where(code, 0.0, held["output_price"])))[LEDGER]
    assert free.value("unpriced_requests", line) == 0 and free.value("unpriced_warning", line) == ""
    assert free.value("net_revenue", line) == pytest.approx(lost.value("net_revenue", line))


def test_prices_below_cost_and_below_the_target_are_said():
    held = inputs().tables["Prices"].columns
    cheap = month_of(table("Prices", **{price: held[price] * 0.2 for price in BUCKETS}))[TOTAL]
    assert cheap.value("price_verdict", "Total") == "prices are below cost"
    assert cheap.value("break_even_load_warning", "Total") == "cannot break even at these prices"
    month = month_of(_settings(target_margin=0.9))[TOTAL]
    assert month.value("price_verdict", "Total") == "the margin is below its target"
    gone = month_of(table("Prices", **{price: held[price] * 0 for price in BUCKETS}))[TOTAL]
    assert gone.value("revenue", "Total") == 0 and gone.value("price_verdict", "Total") == "there is no revenue"
    assert gone.value("margin_after_other_costs", "Total") is None


def test_at_the_floor_price_the_target_margin_is_left():
    total = month_of({})[TOTAL]
    sold, kept = total.value("sold_tokens", "Total"), total.value("kept_share", "Total")
    revenue = total.value("floor_price", "Total") * sold
    costs = sum(total.value(name, "Total") for name in ("fleet_cost", "fixed_other_cost", "variable_cost"))
    assert revenue * kept - costs == pytest.approx(revenue * inputs().settings["target_margin"])


def test_idle_spread_moves_no_money_but_between_phases():
    separate, spread = (month_of(_settings(idle=idle)) for idle in (0.0, 1.0))
    assert spread[LEDGER].values["line_bill"] == pytest.approx(separate[LEDGER].values["line_bill"])
    assert (spread[LEDGER].values["idle_month"] == 0).all() and (separate[LEDGER].values["idle_month"] > 0).all()
    assert spread[TOTAL].value("idle_cost", "Total") == pytest.approx(separate[TOTAL].value("idle_cost", "Total"))


def test_a_class_without_requests_has_lines_of_nothing():
    mixes = inputs().tables["Traffic mixes"]
    nothing = (mixes.columns["traffic_mix"] == "Partners") & (mixes.columns["traffic"] == "Extraction")
    month = month_of(table("Traffic mixes", mix_share=np.where(nothing, 0.0, mixes.columns["mix_share"])))
    line = "Partners on 2 A100: Extraction"
    for quantity in ("list_value", "net_revenue", "line_bill", "served_requests", "unbilled_tokens"):
        assert month[LEDGER].value(quantity, line) == 0
    assert month[LEDGER].values["line_bill"].sum() == pytest.approx(month[TOTAL].value("fleet_cost", "Total"))


def test_nothing_served_has_no_lines():
    shares = np.full(len(inputs().tables["Configurations"]), np.nan)
    month = month_of(table("Configurations", requests_share=shares))
    assert len(month[LEDGER].keys) == 0
    assert month[TOTAL].value("revenue", "Total") == 0 and month[TOTAL].value("gross_margin", "Total") is None
    assert month[TOTAL].value("price_verdict", "Total") == "there is no revenue"


def _pages(month):
    """The headlines of a month's pages of money, and the words of their paragraphs."""
    sheet = profit_and_loss(month)
    sections = (profit(month, sheet), phases(month, sheet))
    texts = [block.text for section in sections for block in section.blocks if isinstance(block, Paragraph)]
    return [section.headline for section in sections], " ".join(texts)


def test_headlines_say_what_the_month_left():
    (left, subsidy), text = _pages(month_of({}))
    assert left == "Of $1.94m at list prices $1.75m is collected, and $407k is left after all costs"
    assert subsidy == "Six of ten lines run a phase that others pay for, $126k in all"
    assert "Qwen3 235B A22B sell below cost" in text


def test_a_month_without_revenue_says_so():
    classes = len(inputs().tables["Traffic"])
    shares = {name: np.zeros(classes) for name in UNBILLED} | {"free_share": np.ones(classes)}
    month = month_of(table("Traffic", **shares))
    assert headline(month) == "November lost $1.26m: nothing that was served brought revenue"
    (left, subsidy), _ = _pages(month)
    assert left == "Of $1.94m at list prices $0 is collected, and all costs exceed it by $1.31m"
    assert subsidy == "Ten of ten lines run a phase that nothing pays for"


def test_a_bucket_without_a_price_stands_on_its_page():
    held = inputs().tables["Prices"].columns
    code = held["price_list"] == "DeepSeek-V3"
    _, text = _pages(month_of(table("Prices", output_price=np.where(code, np.nan, held["output_price"]))))
    assert "Code on 8 H200: output has no price: its tokens are not billed, in 60,963,840\u00a0requests/month." in text
