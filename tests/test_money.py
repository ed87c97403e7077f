"""The money: parts add up to wholes to the cent on a thousand drawn rows, and edges have an answer or a reason."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.calculation import behind, calculate
from engine.formulas import EVERY_FORMULA

ROWS = 1000
CENT = 0.005
DRAWN = settings(max_examples=8, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate))
seeds = st.integers(0, 2**32 - 1)
KINDS = ("plain_input", "cache_write", "cache_read", "output", "reasoning")
UNBILLED = ("free", "retry", "aborted", "internal")


def _ask(*quantities, **columns):
    """The formulas' values for all rows, calculated from what is given alone."""
    columns = {name: np.asarray(values) for name, values in columns.items()}
    needed = behind(quantities, columns, EVERY_FORMULA)
    return calculate(columns, {name: EVERY_FORMULA[name] for name in needed})


def _one(quantity, **columns):
    value = _ask(quantity, **columns)[quantity].item()
    return str(value) if isinstance(value, str) else value


def _none(value):
    return isinstance(value, float) and np.isnan(value)


def _to_the_cent(parts, whole):
    assert np.abs(sum(parts) - whole).max() < CENT


# The bill


def _hours(seed, rows=ROWS):
    """Hours of all kinds: idle ones, full ones, with and without each of the terms."""
    random = np.random.default_rng(seed)
    required = random.integers(0, 60, rows) * 8.0

    def held():
        return random.integers(0, 20, rows) * 8.0 * (random.random(rows) < 0.6)

    return {
        "required_accelerators": required,
        "useful_accelerators": required * random.random(rows),
        "reserve_accelerators": 8.0 * random.integers(0, 3, rows),
        "pool_owned_accelerators": held(),
        "pool_three_year_accelerators": held(),
        "pool_one_year_accelerators": held(),
        "pool_needed_accelerators": required,
        "pool_configurations": np.ones(rows),
        "need_share": np.ones(rows),
        "held_owned_price": random.uniform(0.5, 4, rows),
        "held_three_year_price": random.uniform(0.5, 4, rows),
        "held_one_year_price": random.uniform(1, 6, rows),
        "rented_price": random.uniform(2, 13, rows),
        "spot_share": np.round(random.random(rows), 1),
        "interruption_reserve": random.uniform(0, 0.3, rows),
        "previous_needed_accelerators": random.integers(0, 40, rows) * 8.0,
        "start_time": random.uniform(0, 1800, rows),
        "profile_hours": random.integers(8, 24, rows),
    }


def _bill(part, columns):
    """An hour's line of the bill over the hours of the month that look like it."""
    return columns[f"{part}_hour_cost"] * columns["profile_hours"]


PARTS = ("useful", "headroom", "reserve", "idle", "transition")
TERMS = ("commitment", "rented", "interruption", "transition")


@DRAWN
@given(seeds)
def test_a_bill_is_the_sum_of_what_it_was_for_and_of_its_terms(seed):
    names = [f"{part}_hour_cost" for part in {*PARTS, *TERMS}]
    columns = _ask("hour_bill", *names, **_hours(seed))
    whole = columns["hour_bill"] * columns["profile_hours"]
    _to_the_cent([_bill(part, columns) for part in PARTS], whole)
    _to_the_cent([_bill(term, columns) for term in TERMS], whole)
    assert all((columns[name] >= -1e-9).all() for name in names)
    assert (whole > 0).sum() > ROWS / 2 and (columns["idle_hour_cost"] > 0).any()


@DRAWN
@given(seeds)
def test_every_needed_accelerator_is_covered_once(seed):
    sources = ("from_owned", "from_three_year", "from_one_year", "from_spot", "from_on_demand")
    columns = _ask(*sources, "held_accelerators", "idle_accelerators", **_hours(seed))
    assert sum(columns[source] for source in sources) == pytest.approx(columns["needed_accelerators"])
    assert all((columns[source] >= 0).all() for source in sources)
    for term in ("owned", "three_year", "one_year"):
        assert (columns[f"from_{term}"] <= columns[f"held_{term}"]).all()
    # Nothing is rented while something committed is idle.
    assert (np.minimum(columns["rented_accelerators"], columns["idle_accelerators"]) == 0).all()
    paid_for = columns["needed_accelerators"] + columns["idle_accelerators"] + columns["interruption_accelerators"]
    assert columns["held_accelerators"] == pytest.approx(paid_for)


def _quiet_hour(**changes):
    nothing = {name: 0.0 for name in _hours(0, 1)}
    return {**nothing, "need_share": 1.0, "rented_price": 3.49, "profile_hours": 24, **changes}


def test_an_hour_without_demand_costs_what_is_committed_and_all_of_it_is_idle():
    hour = _quiet_hour(pool_owned_accelerators=8, held_owned_price=2.5)
    assert _one("hour_bill", **hour) == _one("idle_hour_cost", **hour) == 8 * 2.5
    assert _one("commitment_warning", **hour) == "commitments are larger than the hour needs"
    assert _one("hour_bill", **_quiet_hour()) == 0
    assert _one("commitment_warning", **_quiet_hour()) == ""
    assert _none(_one("held_utilization", useful_hours=0.0, held_hours=0.0))
    assert _none(_one("bill_token_cost", bill=100.0, sold_tokens=0.0))


def test_a_term_without_a_price_is_asked_for_only_where_something_is_held_on_it():
    prices = ("held_owned_price", "held_one_year_price", "held_three_year_price")
    hour = _quiet_hour(required_accelerators=8, **dict.fromkeys(prices, float("nan")))
    assert _one("hour_bill", **hour) == pytest.approx(8 * 3.49)
    assert _none(_one("hour_bill", **{**hour, "pool_one_year_accelerators": 4}))


@DRAWN
@given(seeds)
def test_contracts_are_shared_by_need_and_none_of_them_twice(seed):
    random = np.random.default_rng(seed)
    needed = random.integers(0, 9, (3, ROWS)) * (random.random(ROWS) < 0.9)
    shares = [
        _ask("need_share", needed_accelerators=own, pool_needed_accelerators=needed.sum(0), pool_configurations=3.0)
        for own in needed
    ]
    assert sum(each["need_share"] for each in shares) == pytest.approx(np.ones(ROWS))


def test_demand_above_the_fleet_keeps_all_of_it_busy_and_no_more():
    fleet = {"request_rate": 2.0, "prefill_time": 0.5, "accelerator_count": 8, "required_accelerators": 16}
    assert _one("useful_accelerators", served_hour_requests=3, shared_pool=1, **fleet) == 12
    assert _one("useful_accelerators", served_hour_requests=40, shared_pool=1, **fleet) == 16
    assert _one("useful_accelerators", served_hour_requests=0.5, shared_pool=0, **fleet) == 4


def test_accelerators_that_start_are_paid_for_before_they_serve():
    hour = _quiet_hour(required_accelerators=16, previous_needed_accelerators=8, start_time=900)
    assert _one("transition_hour_cost", **hour) == pytest.approx(8 * 0.25 * 3.49)
    assert _one("transition_hour_cost", **{**hour, "previous_needed_accelerators": 24}) == 0
    # What is committed never stops, so it does not start either.
    assert _one("transition_hour_cost", **{**hour, "pool_one_year_accelerators": 12, "held_one_year_price": 2}) == (
        pytest.approx(4 * 0.25 * 3.49)
    )


# Commitments


@pytest.mark.parametrize("days", [28, 29, 30, 31])
@pytest.mark.parametrize(
    ("start", "end", "held"),
    [
        (0, 9999, None),
        (0, 1016, 17),
        (1005, 9999, -5),
        (1000, 1000, 1),
        (0, 999, 0),
        (1031, 9999, 0),
        (1010, 1005, 0),
    ],
)
def test_days_of_a_price_list_in_the_month(days, start, end, held):
    month = {"month_start": 1000, "days_in_month": days}
    expected = days if held is None else days + held if held < 0 else held
    assert _one("valid_days", valid_from=start, valid_until=end, **month) == expected


@DRAWN
@given(seeds)
def test_two_price_lists_one_after_the_other_fill_the_month(seed):
    random = np.random.default_rng(seed)
    month = {"month_start": np.full(ROWS, 1000.0), "days_in_month": random.integers(28, 32, ROWS)}
    change = random.integers(980, 1050, ROWS)
    before = _ask("valid_days", valid_from=np.zeros(ROWS), valid_until=change - 1, **month)["valid_days"]
    after = _ask("valid_days", valid_from=change, valid_until=np.full(ROWS, 9e4), **month)["valid_days"]
    assert (before + after == month["days_in_month"]).all()


def test_what_was_promised_is_paid():
    assert _one("take_or_pay_shortfall", promised_spending=100.0, used_spending=80.0) == 20
    assert _one("take_or_pay_shortfall", promised_spending=100.0, used_spending=180.0) == 0
    assert _one("prepaid_left", prepaid_balance=100.0, used_spending=180.0) == 0
    assert _one("prepaid_left", prepaid_balance=100.0, used_spending=30.0) == 70


@DRAWN
@given(seeds)
def test_the_cheapest_terms_of_a_slice_are_those_with_the_smallest_bill(seed):
    random = np.random.default_rng(seed)
    prices = {
        "rented_price": random.uniform(2, 12, ROWS),
        "one_year_price": random.uniform(1, 6, ROWS) * (random.random(ROWS) < 0.8),
        "three_year_price": random.uniform(1, 5, ROWS) * (random.random(ROWS) < 0.8),
        "owned_cost": random.uniform(1, 5, ROWS) * (random.random(ROWS) < 0.8),
    }
    hours = random.uniform(0, 24, ROWS)
    columns = _ask("cheapest_term", "slice_saving", "one_year_break_even_hours", hours_used=hours, **prices)
    for row in range(ROWS):
        bills = {"rented": hours[row] * prices["rented_price"][row]}
        for term, name in (("1 year", "one_year_price"), ("3 years", "three_year_price"), ("owned", "owned_cost")):
            if prices[name][row] > 0:
                bills[term] = 24 * prices[name][row]
        assert columns["cheapest_term"][row] == min(bills, key=bills.get)
        assert columns["slice_saving"][row] == pytest.approx(bills["rented"] - min(bills.values()))
        if prices["one_year_price"][row] > 0:
            pays = hours[row] > columns["one_year_break_even_hours"][row]
            assert pays == (bills["1 year"] < bills["rented"])


# Ownership


@DRAWN
@given(st.floats(0, 0.5), st.integers(1, 15))
def test_capital_is_paid_back_with_interest(rate, years):
    factor = _one("capital_recovery_factor", cost_of_capital=rate, service_life=float(years))
    assert sum(factor / (1 + rate) ** year for year in range(1, years + 1)) == pytest.approx(1, rel=1e-6)


def test_the_books_write_off_all_but_the_residual_and_then_nothing():
    node = {"node_purchase_price": 280e3, "installation_cost": 20e3, "node_residual": 30e3, "service_life": 4.0}
    months = np.arange(-2, 60)
    columns = _ask("node_depreciation", "node_book_value", months_in_service=months, **node)
    assert columns["node_depreciation"].sum() == pytest.approx(270e3)
    assert (columns["node_depreciation"] > 0).sum() == 48
    assert columns["node_book_value"][:3] == pytest.approx(300e3)
    assert columns["node_book_value"][-1] == 30e3
    assert _none(_one("capital_recovery_factor", cost_of_capital=0.08, service_life=0.0))


def test_an_owned_hour_times_all_hours_is_the_owned_month():
    hour = _one("owned_cost", node_cost=178_000.0, accelerators_per_node=8)
    month = _one("node_month_cost", node_cost=178_000.0, days_in_month=31)
    assert month == pytest.approx(hour * 8 * 24 * 31)


# Billing


def _classes(seed, rows=ROWS):
    random = np.random.default_rng(seed)
    prices = ("input_price", "cache_write_price", "cached_input_price", "output_price", "reasoning_price")
    shares = ("batch_share", "list_batch_discount", "off_peak_share", "list_off_peak_discount", "customer_discount")
    tokens = ("fresh_input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
    columns = {name: random.uniform(0, 4000, rows) for name in tokens}
    columns["input_tokens"] = columns["fresh_input_tokens"] + columns["cached_tokens"]
    return {
        **columns,
        **{price: random.uniform(0, 20, rows) for price in prices},
        **{f"has_{price}": np.ones(rows) for price in prices},
        **{share: random.random(rows) for share in shares},
        **{f"{reason}_share": random.uniform(0, 0.25, rows) for reason in UNBILLED},
        "cache_write_share": random.random(rows),
        "credit_share": random.uniform(0, 0.1, rows),
        "refund_share": random.uniform(0, 0.1, rows),
        "list_threshold": random.choice([0, 3000], rows),
        "list_input_multiple": np.full(rows, 2.0),
        "list_output_multiple": np.full(rows, 1.5),
        "line_load": random.uniform(0, 50, rows),
        "days_in_month": random.integers(28, 32, rows),
    }


@DRAWN
@given(seeds)
def test_list_value_less_all_that_is_not_paid_is_the_net_revenue(seed):
    steps = (*(f"{reason}_value" for reason in UNBILLED), "discounts", "credits", "refunds")
    columns = _ask("net_revenue", "list_value", "unbilled_requests", *steps, **_classes(seed))
    _to_the_cent([columns[step] for step in steps] + [columns["net_revenue"]], columns["list_value"])
    _to_the_cent([columns["billed_requests"], columns["unbilled_requests"]], columns["served_requests"])


@DRAWN
@given(seeds)
def test_buckets_add_up_to_the_net_revenue(seed):
    names = [f"{bucket}_revenue" for bucket in KINDS]
    columns = _ask("net_revenue", *names, **_classes(seed))
    _to_the_cent([columns[name] for name in names], columns["net_revenue"])


NAMED = {
    "input_price": "input",
    "cache_write_price": "cache writes",
    "cached_input_price": "cache reads",
    "output_price": "output",
    "reasoning_price": "hidden reasoning",
}


@pytest.mark.parametrize("price", NAMED)
def test_a_bucket_without_a_price_bills_nothing_and_says_what_it_loses(price):
    given = {name: values[:1] for name, values in _classes(1).items()}
    whole = _ask("net_revenue", "unpriced_requests", "unpriced_warning", **given)
    assert whole["unpriced_requests"][0] == 0 and whole["unpriced_warning"][0] == ""
    lost = {**given, f"has_{price}": [0.0], price: [0.0]}
    columns = _ask("net_revenue", "unpriced_requests", "unpriced_warning", "unpriced_tokens", **lost)
    assert 0 < columns["net_revenue"][0] < whole["net_revenue"][0]
    assert columns["unpriced_tokens"][0] > 0
    assert columns["unpriced_requests"] == columns["billed_requests"] > 0
    assert columns["unpriced_warning"][0].startswith(f"{NAMED[price]} ha")
    half = _ask("unpriced_requests", "unpriced_warning", **{**given, f"has_{price}": [0.5]})
    assert half["unpriced_requests"] == columns["unpriced_requests"] / 2
    assert half["unpriced_warning"] == columns["unpriced_warning"]


def test_a_price_of_nothing_is_a_price():
    given = {name: values[:1] for name, values in _classes(1).items()}
    columns = _ask("unpriced_requests", "unpriced_warning", **{**given, "output_price": [0.0]})
    assert columns["unpriced_requests"][0] == 0 and columns["unpriced_warning"][0] == ""


def test_more_unbilled_than_served_has_no_revenue_rather_than_a_negative_one():
    shares = {"retry_share": 0.3, "aborted_share": 0.3, "internal_share": 0.3}
    assert _none(_one("billed_share", free_share=0.2, **shares))
    assert _one("billed_share", free_share=0.0, **shares) == pytest.approx(0.1)


def test_the_long_context_tier_begins_above_its_threshold():
    tier = {"list_input_multiple": 2.0, "list_threshold": 200_000}
    assert _one("input_tier_multiple", input_tokens=200_000, **tier) == 1
    assert _one("input_tier_multiple", input_tokens=200_001, **tier) == 2
    assert _one("input_tier_multiple", input_tokens=9e9, **{**tier, "list_threshold": 0}) == 1


def test_a_price_is_converted_at_the_rate():
    assert _one("converted_price", foreign_price=2.5, exchange_rate=1.08) == pytest.approx(2.7)


# Phases


def _phases(seed):
    random = np.random.default_rng(seed)
    return {
        **_classes(seed),
        "generated_tokens": random.uniform(0, 4000, ROWS),
        "input_cost": random.uniform(0, 3, ROWS),
        "output_cost": random.uniform(0, 20, ROWS),
        "idle_share": random.random(ROWS),
        "kv_cache_per_token": random.uniform(1e4, 5e5, ROWS),
        "cache_retention": random.uniform(0, 2, ROWS),
        "storage_price": random.uniform(0, 0.01, ROWS),
        "transfer_price": random.uniform(0, 0.01, ROWS),
        "shared_pool": random.integers(0, 2, ROWS),
    }


@DRAWN
@given(seeds)
def test_idle_cost_spread_or_separate_is_the_same_sum(seed):
    spread = _ask("line_bill", "idle_phase_cost", spread_idle=np.ones(ROWS), **_phases(seed))
    separate = _ask("line_bill", "idle_phase_cost", spread_idle=np.zeros(ROWS), **_phases(seed))
    assert spread["line_bill"] == pytest.approx(separate["line_bill"], rel=1e-12)
    assert (spread["idle_phase_cost"] == 0).all() and (separate["idle_phase_cost"] > 0).all()


@DRAWN
@given(seeds)
def test_contributions_add_up_to_revenue_less_the_cost_of_all_phases(seed):
    parts = [f"{phase}_contribution" for phase in ("prefill", "cache", "decode")]
    months = [f"{phase}_month" for phase in ("prefill", "decode", "storage", "transfer", "idle")]
    columns = _ask(
        *parts, *months, "line_bill", "net_revenue", "cross_subsidy", spread_idle=np.zeros(ROWS), **_phases(seed)
    )
    whole = columns["net_revenue"] - sum(columns[month] for month in months)
    _to_the_cent([*(columns[part] for part in parts), -columns["idle_month"]], whole)
    request = (
        columns["fresh_input_tokens"] * columns["input_cost"] + columns["generated_tokens"] * columns["output_cost"]
    ) / 1e6
    _to_the_cent([columns[f"{phase}_month"] for phase in ("prefill", "decode", "idle")], columns["line_bill"])
    assert columns["line_bill"] == pytest.approx(request * columns["served_requests"])
    assert (columns["cross_subsidy"] >= 0).all() and (columns["cross_subsidy"] > 0).any()


@pytest.mark.parametrize(
    ("prefill", "cache", "decode", "subsidy", "reason"),
    [
        (5.0, 1.0, 5.0, 0, ""),
        (-5.0, 0.0, 9.0, 5, "answers pay for prompts"),
        (9.0, 0.0, -12.0, 9, "prompts pay for answers"),
        (-5.0, 2.0, -1.0, 2, "neither prompts nor answers pay for themselves"),
        (5.0, -1.0, 5.0, 1, "storing the cache is paid for by other phases"),
    ],
)
def test_who_pays_for_whom(prefill, cache, decode, subsidy, reason):
    given = {"prefill_contribution": prefill, "cache_contribution": cache, "decode_contribution": decode}
    assert _one("cross_subsidy", **given) == subsidy
    assert _one("cross_subsidy_reason", **given) == reason


# Profit


def _months(seed):
    """Wholes of a month, with one line each."""
    random = np.random.default_rng(seed)
    month = {
        "net_revenue": random.uniform(0, 1e6, ROWS),
        "fleet_cost": random.uniform(0, 5e5, ROWS),
        "month_rate": random.uniform(0, 0.1, ROWS),
        "cost_per_replica": random.uniform(0, 100, ROWS),
        "line_replicas": random.integers(1, 50, ROWS),
        "cost_per_request": random.uniform(0, 1e-4, ROWS),
        "served_requests": random.uniform(0, 1e8, ROWS),
        "cost_per_million_tokens": random.uniform(0, 0.1, ROWS),
        "licence_price": random.uniform(0, 0.1, ROWS),
        "line_tokens": random.uniform(1, 1e5, ROWS),
        "storage_month": random.uniform(0, 1e3, ROWS),
        "transfer_month": random.uniform(0, 1e3, ROWS),
        "revenue_share": random.uniform(0, 0.2, ROWS),
        "payment_fee_share": random.uniform(0, 0.05, ROWS),
        "busy_share": random.uniform(0.05, 1, ROWS),
        "target_margin": random.uniform(0, 0.7, ROWS),
        "days_in_month": random.integers(28, 32, ROWS),
    }
    return {**month, **_wholes(month)}


def _wholes(month):
    return {"revenue": month["net_revenue"], "sold_tokens": month["line_tokens"], "line_bill": month["fleet_cost"]}


@DRAWN
@given(seeds)
def test_profit_with_and_without_other_costs(seed):
    columns = _ask("profit_after_other_costs", "profit_after_other_costs_per_day", **_months(seed))
    costs = [columns[name] for name in ("fixed_other_cost", "variable_cost", "payouts")]
    _to_the_cent([columns["profit_after_other_costs"], *costs, columns["fleet_cost"]], columns["revenue"])
    per_day = columns["profit_after_other_costs_per_day"] * columns["days_in_month"]
    _to_the_cent([per_day], columns["profit_after_other_costs"])


@DRAWN
@given(seeds)
def test_the_floor_price_leaves_the_target_margin_and_the_break_even_price_nothing(seed):
    month = _months(seed)
    for price, margin in (("floor_price", month["target_margin"]), ("break_even_price_after_other_costs", 0)):
        asked = _ask(price, **month)[price]
        revenue = asked * month["sold_tokens"]
        sold = {**month, "net_revenue": revenue, "revenue": revenue}
        reached = _ask("margin_after_other_costs", **sold)["margin_after_other_costs"]
        assert np.abs(reached - margin).max() < 1e-9


@DRAWN
@given(seeds)
def test_at_the_break_even_load_nothing_is_left(seed):
    month = _months(seed)
    load = _ask("break_even_load", **month)["break_even_load"]
    known = ~np.isnan(load)
    scale = load / month["busy_share"]
    following = ("net_revenue", "served_requests", "line_tokens", "storage_month", "transfer_month")
    scaled = {**month, **{name: month[name] * scale for name in following}}
    left = _ask("profit_after_other_costs", **{**scaled, **_wholes(scaled)})["profit_after_other_costs"]
    assert known.sum() > ROWS / 2
    assert np.abs(left[known]).max() < 1e-6 * np.nanmax(scaled["net_revenue"])


def test_prices_below_cost_and_no_revenue_are_said():
    given = {"target_margin": 0.5}
    assert _one("price_verdict", profit_after_other_costs=-1.0, revenue=10.0, **given) == "prices are below cost"
    assert _one("price_verdict", profit_after_other_costs=6.0, revenue=10.0, **given) == ""
    assert _one("price_verdict", profit_after_other_costs=-1.0, revenue=0.0, **given) == "there is no revenue"
    costly = {"break_even_load": float("nan"), "revenue": 5.0, "variable_cost": 5.0, "payouts": 0.0}
    assert _one("break_even_load_warning", **costly) == "a request costs more than it brings"
    assert _none(_one("margin_after_other_costs", profit_after_other_costs=-5.0, revenue=0.0))
    nothing = {"fleet_cost": 10.0, "fixed_other_cost": 0.0, "variable_cost": 0.0, "sold_tokens": 5.0}
    assert _none(_one("floor_price", kept_share=0.8, target_margin=0.8, **nothing))
    assert _none(_one("floor_price", kept_share=0.8, target_margin=0.2, **{**nothing, "sold_tokens": 0.0}))


# Forward


def test_nothing_changes_in_month_zero():
    now = {"months_ahead": 0, "month_season": 0.8, "report_season": 0.8, "demand_growth": 0.1, "price_decline": 0.5}
    for factor in ("demand_factor", "price_factor", "speed_factor", "rent_factor"):
        assert _one(factor, software_speed_up=0.4, rent_change=-0.3, **now) == 1


def test_a_model_without_demand_ahead_costs_what_it_keeps():
    ahead = {"demand_factor": 0.0, "required_rate": 10.0, "request_rate": 2.0, "speed_factor": 1.0}
    assert _one("forward_replicas", minimum_replicas=2, **ahead) == 2
    assert _none(_one("forward_margin", forward_earnings=-5.0, forward_revenue=0.0))


@pytest.mark.parametrize(
    ("profits", "investment", "payback", "month", "verdict", "stops"),
    [
        ([10, 10, 10], 20, "paid back", 2, "earns to the last month", None),
        ([10, 10, -5, -5], 25, "not paid back in these months", None, "stops earning", 3),
        ([10, -5, 10], 15, "paid back", 3, "earns to the last month", None),
        ([30, -20, -20], 25, "paid back", 1, "stops earning", 2),
        ([10, -5, 10, 0], 0, "nothing to pay back", None, "stops earning", 4),
        ([-1, 0, -1], 5, "not paid back in these months", None, "stops earning", 1),
    ],
)
def test_payback_and_the_month_a_model_stops_earning(profits, investment, payback, month, verdict, stops):
    """The months ahead after a month reported that earns."""
    given = {"forward_months": float(len(profits)), "investment": float(investment)}
    ahead = np.arange(len(profits) + 1.0)
    months = {"months_ahead": ahead, "forward_earnings": np.array([4.0, *profits])}
    earning = _ask("earning_months", **months)["earning_months"]
    so_far = np.array([0.0, *np.cumsum(profits)])
    paid = _ask("months_paid_back", months_ahead=ahead, earned_so_far=so_far, **given)["months_paid_back"]
    given |= {"last_earning_months": earning.max(), "most_months_paid_back": paid.max()}
    assert _one("earning_verdict", **given) == verdict
    assert _one("payback_verdict", **given) == payback
    for quantity, expected in (("stopping_month", stops), ("payback_month", month)):
        found = _one(quantity, **given)
        assert found == expected if expected is not None else _none(found)


def test_a_model_that_never_earns_does_not_stop():
    never = {"last_earning_months": 0.0, "forward_months": 24.0}
    assert _none(_one("stopping_month", **never))
    assert _one("earning_verdict", **never) == "earns in no month"
