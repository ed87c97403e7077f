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
ACTUALS_FORMULAS: Formulas = formulas_of(actuals)
FORWARD_FORMULAS: Formulas = formulas_of(forward)

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
_SLICE = (
    *("hours_used", "slice_accelerators", "slice_month_saving", "break_even_hours", "slice_rented_cost"),
    *("cheapest_slice_cost", "cheapest_term", "slice_saving"),
)
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
    **{
        name: formula for name, formula in _COMMITMENTS.items() if name not in (*_SLICE, "slice_committed_cost", *_HELD)
    },
    **again(
        {"contract_days": _COMMITMENTS["contract_days"]},
        "",
        contract_start="valid_from",
        contract_end="valid_until",
        contract_days="valid_days",
    ),
}

CONTRACT_FORMULAS: Formulas = {name: _COMMITMENTS[name] for name in ("accelerators_in_force", "contract_hour_cost")}
HELD_FORMULAS: Formulas = instances(
    {"held_price": _COMMITMENTS["held_price"]},
    "held_price",
    *(
        {
            "held_accelerators": f"pool_{term}_accelerators",
            "held_hour_cost": f"pool_{term}_hour_cost",
            "held_price": f"{term}_price",
        }
        for term in _COMMITTED
    ),
)

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
