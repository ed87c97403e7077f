"""Money: the formulas of ownership, bill, price list, profit, crossover, forward and actuals."""

from __future__ import annotations

from engine.formulas import (
    actuals,
    bill,
    billing,
    commitments,
    crossover,
    forward,
    ownership,
    phases,
    profit,
)
from engine.formulas.groups.configuration import group
from engine.formulas.groups.renaming import Formulas, again, formulas_of, instances, lines

# Each group for a row that brings what it needs, as its file says.
OWNERSHIP_FORMULAS: Formulas = formulas_of(ownership)

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
FORWARD_FORMULAS: Formulas = formulas_of(forward)

_FILLED = {f"{level}_hour_cost": f"{level}_accelerators" for level in ("useful", "required", "needed")}
_BILLS = ("useful", "headroom", "reserve", "idle", "transition", "commitment", "rented", "interruption")
_HELD = ("useful", "held", "idle", "rented")
_BILL = lines(formulas_of(bill), "filled_hour_cost", "filled_accelerators", _FILLED)
_BILL = lines(
    _BILL, "month_bill", "hour_cost", {"bill": "hour_bill", **{f"{part}_bill": f"{part}_hour_cost" for part in _BILLS}}
)
_BILL = lines(_BILL, "month_hours", "hour_accelerators", {f"{part}_hours": f"{part}_accelerators" for part in _HELD})
_OF_BILLS = ("held_utilization", "bill_token_cost", "full_load_token_cost")
BILL_FORMULAS: Formulas = {name: formula for name, formula in _BILL.items() if name not in _OF_BILLS}
BILL_TOTAL_FORMULAS: Formulas = {name: _BILL[name] for name in _OF_BILLS}

_COMMITTED = {"one_year": "one_year_price", "three_year": "three_year_price", "owned": "owned_cost"}
_COMMITMENTS = formulas_of(commitments)
_SLICE = ("break_even_hours", "slice_rented_cost", "cheapest_slice_cost", "cheapest_term", "slice_saving")
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
COMMITMENT_FORMULAS: Formulas = {
    **{name: formula for name, formula in _COMMITMENTS.items() if name not in (*_SLICE, "slice_committed_cost")},
    **again(
        {"contract_days": _COMMITMENTS["contract_days"]},
        "",
        contract_start="valid_from",
        contract_end="valid_until",
        contract_days="valid_days",
    ),
}

# The buckets of a price list: the tokens of a request, the price, whether there is one, the tier that multiplies it.
_BUCKETS = {
    "plain_input": ("plain_input_tokens", "input_price", "input"),
    "cache_write": ("cache_write_tokens", "cache_write_price", "input"),
    "cache_read": ("cached_tokens", "cached_input_price", "input"),
    "output": ("output_tokens", "output_price", "output"),
    "reasoning": ("reasoning_tokens", "reasoning_price", "output"),
}
BILLING_FORMULAS: Formulas = instances(
    formulas_of(billing),
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
BILLING_FORMULAS = lines(
    BILLING_FORMULAS, "bucket_revenue", "bucket_list", {f"{bucket}_revenue": f"{bucket}_list" for bucket in _BUCKETS}
)
BILLING_FORMULAS = lines(
    BILLING_FORMULAS,
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
PROFIT_FORMULAS: Formulas = lines(
    formulas_of(profit),
    "day_of_month",
    "month_amount",
    {
        f"{amount}_per_day": amount
        for amount in ("net_revenue", "bill", "other_cost", "profit_before_other_costs", "profit_after_other_costs")
    },
)
PROFIT_FORMULAS |= {
    f"margin_{when}_other_costs": formula
    for when in ("before", "after")
    for formula in again(
        group("gross_margin"), "", gross_profit=f"profit_{when}_other_costs", revenue="net_revenue"
    ).values()
}
PROFIT_FORMULAS |= again(group("served_price"), "", revenue="net_revenue", served_price="net_price")

# What serves in whole steps: nodes that are owned, replicas that are rented.
_STEPPED = {name: formulas_of(crossover)[name] for name in ("step_count", "stepped_cost")}
CROSSOVER_FORMULAS: Formulas = {
    **{name: formula for name, formula in formulas_of(crossover).items() if name not in _STEPPED},
    **again(
        _STEPPED,
        "",
        step_tokens="own_step_tokens",
        fewest_steps="fewest_own_steps",
        step_count="own_steps",
        base_cost="own_base_cost",
        step_cost="own_step_cost",
        stepped_cost="own_volume_cost",
    ),
    **again(
        _STEPPED,
        "",
        step_tokens="replica_tokens",
        fewest_steps="minimum_replicas",
        step_count="rent_steps",
        base_cost="rent_base_cost",
        step_cost="replica_month_cost",
        stepped_cost="rent_volume_cost",
    ),
}
CROSSOVER_FORMULAS = lines(
    CROSSOVER_FORMULAS,
    "volume_token_cost",
    "volume_cost",
    {f"{way}_token_cost": f"{way}_volume_cost" for way in ("own", "rent", "api")},
)
