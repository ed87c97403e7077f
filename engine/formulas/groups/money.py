"""Money: the formulas of ownership, bill, price list, profit, crossover, forward and actuals."""

from __future__ import annotations

from engine.formulas import (
    actuals,
    bill,
    billing,
    bridge,
    commitments,
    crossover,
    forward,
    ownership,
    phases,
    price_lists,
    profit,
)
from engine.formulas.groups.configuration import TOTAL_FORMULAS, group
from engine.formulas.groups.hours import OF_TODAY
from engine.formulas.groups.renaming import Formulas, again, formulas_of, instances, lines

# Each group for a row that brings what it needs, as its file says.
# What an owned accelerator costs in an hour: each part of a node's year, the whole of it, and what the books show.
OWNED_PARTS = {
    f"owned_{part}_cost": f"node_{part}_cost"
    for part in ("capital", "power", "maintenance", "hosting", "staff", "licence")
}
OWNERSHIP_FORMULAS: Formulas = lines(
    formulas_of(ownership),
    "accelerator_hour",
    "node_year_cost",
    {**OWNED_PARTS, "owned_cost": "node_cost", "booked_cost": "node_booked_cost"},
)

# The lines of a month: what says that its difference, or its budget, is known, and its amounts.
_DIFFERENCES = {
    "cost": ("cost_is_known", "modelled_bill"),
    "revenue": ("revenue_is_known", "modelled_revenue"),
    "profit": ("profit_is_known", "modelled_profit"),
    "tokens": ("volume_is_known", "modelled_tokens"),
    "hours": ("hours_are_known", "modelled_hours"),
}
_BUDGETS = {
    "cost": ("has_invoice", "has_cost_budget", "invoiced_cost", "budgeted_cost"),
    "revenue": ("has_billing", "has_revenue_budget", "billed_revenue", "budgeted_revenue"),
    "profit": ("cost_budget_is_known", "revenue_budget_is_known", "actual_profit", "budget_profit"),
}
_RECONCILED = {"cost": ("cost_rest", "invoiced_cost"), "revenue": ("revenue_rest", "billed_revenue")}
ACTUALS_FORMULAS: Formulas = instances(
    formulas_of(actuals),
    "difference_share",
    *(
        {
            "difference_share": f"{line}_difference_share",
            "is_known": known,
            "difference": f"{line}_difference",
            "modelled_amount": modelled,
        }
        for line, (known, modelled) in _DIFFERENCES.items()
    ),
)
ACTUALS_FORMULAS = instances(
    ACTUALS_FORMULAS,
    "budget_is_known",
    *(
        {"budget_is_known": f"{line}_budget_is_known", "has_actual": actual, "has_budget": budget}
        for line, (actual, budget, *_) in _BUDGETS.items()
    ),
)
ACTUALS_FORMULAS = instances(
    ACTUALS_FORMULAS,
    "budget_difference",
    *(
        {
            "budget_difference": f"{line}_budget_difference",
            "budget_is_known": f"{line}_budget_is_known",
            "actual_amount": actual,
            "budget_amount": budget,
        }
        for line, (*_, actual, budget) in _BUDGETS.items()
    ),
)
ACTUALS_FORMULAS = instances(
    ACTUALS_FORMULAS,
    "is_reconciled",
    *(
        {
            "is_reconciled": f"{line}_is_reconciled",
            "is_split": f"{line}_is_split",
            "rest_amount": rest,
            "actual_amount": actual,
        }
        for line, (rest, actual) in _RECONCILED.items()
    ),
)
FORWARD_FORMULAS: Formulas = {
    name: formula for name, formula in formulas_of(forward).items() if name not in OF_TODAY
}

# An hour's bill: what the first so many accelerators cost, and a configuration's part of each kind of commitment.
_FILLED = {f"{level}_hour_cost": f"{level}_accelerators" for level in ("useful", "required", "needed")}
_BILL = lines(formulas_of(bill), "filled_hour_cost", "filled_accelerators", _FILLED)
_BILL = lines(
    _BILL,
    "own_commitment",
    "pool_commitment",
    {f"held_{term}": f"pool_{term}_accelerators" for term in ("owned", "three_year", "one_year")},
)
_OF_MONTH = [
    "hourly_utilization",
    "hourly_prefill_utilization",
    "hourly_accelerator_cost",
    "held_utilization",
    "bill_token_cost",
    "full_load_token_cost",
]
_OF_FLEET = ("useful_accelerators", "needed_accelerators")
BILL_FORMULAS: Formulas = {name: f for name, f in _BILL.items() if name not in (*_OF_MONTH, *_OF_FLEET)}
# All hours of the month together.
BILL_TOTAL_FORMULAS: Formulas = {name: _BILL[name] for name in _OF_MONTH}

_COMMITTED = {"one_year": "one_year_price", "three_year": "three_year_price", "owned": "owned_cost"}
_COMMITMENTS = formulas_of(commitments)
_HELD = ("accelerators_in_force", "contract_hour_cost", "held_price")
_SLICE = ("break_even_hours", "slice_rented_cost", "cheapest_slice_cost", "cheapest_term", "slice_saving")
# A slice of a load profile: how long it is needed, and what the cheapest terms save on all of it.
_OF_PROFILE = ("hours_used", "slice_width", "slice_month_saving")
SLICE_FORMULAS: Formulas = {name: _COMMITMENTS[name] for name in (*_SLICE, "slice_committed_cost")}
SLICE_FORMULAS = lines(
    SLICE_FORMULAS,
    "slice_committed_cost",
    "committed_price",
    {f"slice_{term}_cost": price for term, price in _COMMITTED.items()},
)
SLICE_FORMULAS = lines(
    SLICE_FORMULAS,
    "break_even_hours",
    "committed_price",
    {f"{term}_break_even_hours": price for term, price in _COMMITTED.items()},
)
PROFILE_SLICE_FORMULAS: Formulas = {name: _COMMITMENTS[name] for name in _OF_PROFILE}
_OF_CONTRACT = (
    *("accelerators_in_force", "contract_hour_cost", "part_hours", "contract_age", "running_price", "booked_price"),
    *("booked_hour_cost", "running_hour_cost"),
)
_OF_BOOKS = (
    *("used_spending", "take_or_pay_shortfall", "prepaid_use", "prepaid_left"),
    *("booked_bill", "booked_profit", "booked_margin", "payments"),
)
CONTRACT_FORMULAS: Formulas = {name: _COMMITMENTS[name] for name in _OF_CONTRACT}
MONTH_BOOK_FORMULAS: Formulas = {name: _COMMITMENTS[name] for name in _OF_BOOKS}
HELD_FORMULAS: Formulas = instances(
    {"held_price": _COMMITMENTS["held_price"]},
    "held_price",
    *(
        {
            "held_accelerators": f"pool_{term}_accelerators",
            "held_hour_cost": f"pool_{term}_hour_cost",
            "held_price": f"held_{term}_price",
        }
        for term in _COMMITTED
    ),
)

# The buckets of a price list: the tokens of a request, the price, the tier that multiplies it.
_BUCKETS = {
    "plain_input": ("plain_input_tokens", "input_price", "input"),
    "cache_write": ("cache_write_tokens", "cache_write_price", "input"),
    "cache_read": ("cached_tokens", "cached_input_price", "input"),
    "output": ("output_tokens", "output_price", "output"),
    "reasoning": ("reasoning_tokens", "reasoning_price", "output"),
}
BUCKET_PRICES = tuple(price for _, price, _ in _BUCKETS.values())
# Terms of a price list, and the names of their means over the month.
_MULTIPLES = {f"long_context_{side}_multiple": f"list_{side}_multiple" for side in ("input", "output")}
_DISCOUNTS = {f"{tier}_discount": f"list_{tier}_discount" for tier in ("batch", "off_peak")}
LIST_TERMS = {**_MULTIPLES, **_DISCOUNTS}

_BILLING, _LISTS = formulas_of(billing), formulas_of(price_lists)
_OF_ROWS = ("valid_days", "valid_share", "price_part", "priced_share", "term_part", "valid_threshold")
_OF_TARIFFS = ("tariff_collected_share", "tariff_write_share")
_OF_CURRENCY = ("converted_price",)
_OF_REQUESTS = [
    "is_long_context",
    "input_tier_multiple",
    "output_tier_multiple",
    "paid_share",
    "cache_write_tokens",
    "plain_input_tokens",
    "bucket_list",
    "request_list",
    "unpriced_tokens",
    "unpriced_share",
    "unpriced_warning",
    "billed_share",
    "net_request_revenue",
]
_WEIGHTED = ("weighted_list", "weighted_net", "weighted_fresh", "weighted_written")

# A row of the sheet Prices within the month, and all rows of a price list together.
PRICE_ROW_FORMULAS: Formulas = {
    **instances(
        {name: _LISTS[name] for name in _OF_ROWS},
        "price_part",
        *({"price_part": f"{price}_part", "row_price": f"row_{price}"} for price in BUCKET_PRICES),
    ),
}
PRICE_ROW_FORMULAS = lines(
    PRICE_ROW_FORMULAS,
    "priced_share",
    "has_row_price",
    {f"{price}_share": f"has_row_{price}" for price in BUCKET_PRICES},
)
PRICE_ROW_FORMULAS = lines(PRICE_ROW_FORMULAS, "term_part", "row_term", {f"{term}_part": term for term in LIST_TERMS})
PRICE_LIST_FORMULAS: Formulas = {
    **lines(
        {"month_multiple": _LISTS["month_multiple"]},
        "month_multiple",
        "multiple_parts",
        {mean: f"{term}_parts" for term, mean in _MULTIPLES.items()},
    ),
    **lines(
        {"month_discount": _LISTS["month_discount"]},
        "month_discount",
        "discount_parts",
        {mean: f"{term}_parts" for term, mean in _DISCOUNTS.items()},
    ),
}

# A request of a class under a price list; what a traffic pays under it; and the month of a class on a configuration.
BILLED_FORMULAS: Formulas = group("plain_request_list") | instances(
    {name: _BILLING[name] for name in _OF_REQUESTS} | {name: _LISTS[name] for name in _WEIGHTED},
    "bucket_list",
    *(
        {
            "bucket_list": f"{bucket}_list",
            "bucket_tokens": tokens,
            "bucket_price": price,
            "has_bucket_price": f"has_{price}",
            "tier_multiple": f"{side}_tier_multiple",
        }
        for bucket, (tokens, price, side) in _BUCKETS.items()
    ),
)
TARIFF_FORMULAS: Formulas = {name: _LISTS[name] for name in _OF_TARIFFS}
_OF_MONTH = [name for name in _BILLING if name not in (*_OF_CURRENCY, *_OF_REQUESTS)]
_LEDGER: Formulas = lines(
    {name: _BILLING[name] for name in _OF_MONTH},
    "bucket_revenue",
    "bucket_list",
    {f"{bucket}_revenue": f"{bucket}_list" for bucket in _BUCKETS},
)
_LEDGER = lines(
    _LEDGER,
    "given_away",
    "unbilled_share",
    {f"{reason}_value": f"{reason}_share" for reason in ("free", "retry", "aborted", "internal")},
)
PHASE_FORMULAS: Formulas = lines(
    formulas_of(phases),
    "phase_month",
    "phase_cost",
    {f"{phase}_month": f"{phase}_phase_cost" for phase in ("prefill", "decode", "idle", "storage", "transfer")},
)
LEDGER_FORMULAS: Formulas = {
    **_LEDGER,
    **again(group("sold_tokens"), "", mean_load="line_load", sold_tokens="line_tokens"),
    **group("idle_share"),
    **PHASE_FORMULAS,
}
CURRENCY_FORMULAS: Formulas = {name: _BILLING[name] for name in _OF_CURRENCY}

# Other costs: a row of them, a line of the ledger, and the profit of several lines together.
_PROFIT = formulas_of(profit)
_OF_COSTS = ("month_rate", "cost_amount")
_OF_LINES = ("monthly_other_cost", "replica_other_cost", "fixed_other_cost", "variable_cost", "payouts", "other_cost")
OTHER_COST_FORMULAS: Formulas = {name: _PROFIT[name] for name in _OF_COSTS}
PROFIT_LINE_FORMULAS: Formulas = {name: _PROFIT[name] for name in _OF_LINES}
PROFIT_FORMULAS: Formulas = lines(
    {name: formula for name, formula in _PROFIT.items() if name not in (*_OF_COSTS, *_OF_LINES)},
    "day_of_month",
    "month_amount",
    {f"{amount}_per_day": amount for amount in ("other_cost", "profit_after_other_costs")},
)
# Of lines that are not whole configurations, a day's revenue and bill too.
PART_FORMULAS: Formulas = (
    PROFIT_FORMULAS
    | TOTAL_FORMULAS
    | lines(
        {"day_of_month": _PROFIT["day_of_month"]},
        "day_of_month",
        "month_amount",
        {f"{amount}_per_day": amount for amount in ("revenue", "fleet_cost")},
    )
)

# A volume takes whole nodes, as a fleet does.
CROSSOVER_FORMULAS: Formulas = {
    **formulas_of(crossover),
    **again(
        {"required_nodes": formulas_of(ownership)["required_nodes"]},
        "",
        replica_count="volume_replicas",
        prefill_replica_count="volume_prefill_replicas",
        required_nodes="volume_nodes",
    ),
}
CROSSOVER_FORMULAS = lines(
    CROSSOVER_FORMULAS,
    "volume_token_cost",
    "volume_cost",
    {f"{way}_token_cost": f"{way}_volume_cost" for way in ("own", "rent", "api")},
)

# A traffic in two months: its factors in each, the steps between them; and the steps of all traffics together.
_FACTORS = ("volume_share", "line_price", "line_hour_price", "line_busy_share", "line_token_hours")
_MONTHS = {
    "before": {
        "line_tokens": "before_tokens",
        "all_tokens": "all_before_tokens",
        "line_revenue": "before_revenue",
        "line_bill": "before_bill",
        "line_hours": "before_hours",
        "line_used_hours": "before_used_hours",
    },
    "now": {
        "line_tokens": "sold_tokens",
        "line_revenue": "restated_revenue",
        "line_bill": "restated_bill",
        "line_hours": "held_hours",
        "line_used_hours": "used_hours",
    },
}
STEPS = ("volume", "mix", "price", "efficiency", "utilization", "hardware_price", "exchange_rate", "other")
_BRIDGE = formulas_of(bridge)
BRIDGE_LINE_FORMULAS: Formulas = {name: formula for name, formula in _BRIDGE.items() if name not in _FACTORS}
for _when, _names in _MONTHS.items():
    _own = {name: f"{_when}_{name.removeprefix('line_')}" for name in _FACTORS}
    BRIDGE_LINE_FORMULAS |= again({name: _BRIDGE[name] for name in _FACTORS}, "", **_names, **_own)
BRIDGE_FORMULAS: Formulas = {name: _BRIDGE[name] for name in ("profit_change", "comment_due")}
