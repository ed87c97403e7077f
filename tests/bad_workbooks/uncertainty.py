"""Defects of uncertain inputs: what cannot be drawn, distributions that leave their bounds, impossible correlations."""

from __future__ import annotations

from typing import Any

from bad_workbooks.valid import SEEN, Defect, Edit, at, both, coordinate, fill, more

DEMAND = {
    "driver": "demand",
    "input_sheet": "Traffic",
    "input_column": "mean_requests, peak_requests",
    "distribution": "lognormal",
    "deviation": 0.1,
    **SEEN,
}
RENT = {
    "driver": "rent",
    "input_sheet": "Hardware",
    "input_column": "on_demand_price",
    "distribution": "triangular",
    "low": 0.8,
    "high": 1.3,
    **SEEN,
}
ANSWERS = {
    "driver": "answers",
    "input_sheet": "Traffic",
    "input_column": "output_tokens",
    "input_row": "chat",
    "distribution": "uniform",
    "low": 0.9,
    "high": 1.1,
    **SEEN,
}
SPEEDS = {
    "driver": "speeds",
    "input_sheet": "Configurations",
    "input_column": "time_factor",
    "input_row": "each",
    "distribution": "lognormal",
    "deviation": 0.1,
    **SEEN,
}


def drawn(*rows: dict[str, Any]) -> Edit:
    """Uncertain inputs; what a row leaves out stays blank."""
    return fill("Uncertainty", *rows)


def one(**cells: Any) -> Edit:
    """Demand alone, with these cells otherwise."""
    return drawn({**DEMAND, **cells})


def grouped(correlation: Any, *others: Any) -> Edit:
    """Three inputs in one group, with these correlations."""
    given = (correlation, *others, *[correlation] * (2 - len(others)))
    group = {"correlation_group": "market"}
    rows = zip((DEMAND, RENT, ANSWERS), given, strict=True)
    return drawn(*({**row, **group, "correlation": each} for row, each in rows))


def _points(count: int) -> Edit:
    shared = {
        "model": "Llama 8B",
        "hardware": "H100",
        "precision": "fp8",
        "accelerators": 1,
        "source": "log of our own",
    }
    rows = ({"measurement": f"run {place}", "measured_output_speed": 900 + place, **shared} for place in range(count))
    return fill("Measurements", *rows)


EMPIRICAL = {**DEMAND, "distribution": "empirical", "deviation": None, "measured_points": "run"}
EMPIRICAL["measured_column"] = "measured_output_speed"
measured = _points

DEFECTS = (
    Defect(
        "an uncertain column that is none",
        one(input_column="mean_request"),
        at("Uncertainty", "input_column"),
        "'mean_request' is no column of Traffic; those that may be uncertain are mean_requests, peak_requests, "
        "input_tokens, cached_share, output_tokens, reasoning_tokens, target_user_speed, first_token_target and 13 "
        "more. Did you mean mean_requests? Name one of them.",
    ),
    Defect(
        "whole numbers that are uncertain",
        one(input_sheet="Models", input_column="layers"),
        at("Uncertainty", "input_column"),
        "layers of Models holds whole numbers and cannot be drawn; allowed are total_parameters, active_parameters, "
        "routed_parameters, kv_cache_override, weight_memory_override, licence_price, revenue_share, training_tokens. "
        "Name one of them.",
    ),
    Defect(
        "shares that must add up",
        one(input_sheet="Configurations", input_column="requests_share"),
        at("Uncertainty", "input_column"),
        "requests_share of Configurations must add up and cannot be drawn; allowed are context_override, "
        "time_factor, assumed_utilization, usable_memory_share, measured_output_speed, measured_input_speed. "
        "Name one of them.",
    ),
    Defect(
        "an uncertain row that is none",
        one(input_row="chatt"),
        at("Uncertainty", "input_row"),
        "'chatt' is not on Traffic, which has: chat. Did you mean chat? Choose one, clear the cell for all rows "
        "together, or type each for every row by itself.",
    ),
    Defect(
        "a row that has the name of every row",
        both(more("Traffic", {"traffic": "Each"}), one(input_row="each")),
        at("Uncertainty", "input_row"),
        f"'each' is also the name of a row ({at('Traffic', 'traffic', 1)}); each says that every row moves by itself. "
        "Rename that row, or clear this cell for all rows.",
    ),
    Defect(
        "every row of the settings",
        one(input_sheet="Settings", input_column="headroom", input_row="each"),
        at("Uncertainty", "input_row"),
        "input_row is 'each', but Settings has one value for each setting. Clear this cell.",
    ),
    Defect(
        "a row of the settings",
        one(input_sheet="Settings", input_column="headroom", input_row="headroom"),
        at("Uncertainty", "input_row"),
        "input_row is 'headroom', but Settings has one value for each setting. Clear this cell.",
    ),
    Defect(
        "a multiple of nothing",
        one(input_column="cached_share", input_row="chat"),
        at("Uncertainty", "input_column"),
        "cached_share of 'chat' is blank or 0; a distribution holds multiples of what stands there, and a multiple of "
        "nothing is nothing. Fill it in there, or delete this row.",
    ),
    Defect(
        "multiples of nothing in every row",
        one(input_column="cached_share", input_row="each"),
        at("Uncertainty", "input_column"),
        "cached_share on Traffic is blank or 0; a distribution holds multiples of what stands there, and a multiple of "
        "nothing is nothing. Fill it in there, or delete this row.",
    ),
    Defect(
        "a normal distribution without a deviation",
        one(distribution="normal", deviation=None),
        at("Uncertainty", "deviation"),
        "deviation is blank, and 'demand' is normal; such a distribution needs deviation. Fill it in.",
    ),
    Defect(
        "a normal distribution with an end",
        one(distribution="normal", low=0.5),
        at("Uncertainty", "low"),
        "low is given, but 'demand' is normal; such a distribution takes deviation and likely. "
        "Clear this cell, or choose another distribution.",
    ),
    Defect(
        "low above high",
        drawn({**RENT, "low": 1.2, "high": 0.9}),
        at("Uncertainty", "low"),
        f"low is 1.2 and high is 0.9 ({coordinate('Uncertainty', 'high')}); low must be below high. "
        "Correct whichever is wrong.",
    ),
    Defect(
        "likeliest beyond the end",
        drawn({**RENT, "likely": 1.5}),
        at("Uncertainty", "likely"),
        "likely is 1.5; allowed is low to high, 0.8 to 1.3. Correct whichever is wrong.",
    ),
    Defect(
        "a normal distribution below the bounds",
        one(distribution="normal", deviation=0.3),
        at("Uncertainty", "deviation"),
        f"'demand' draws mean_requests ({at('Traffic', 'mean_requests')}) down to -4 requests/s; allowed is "
        "0.000001 to 100,000,000 requests/s. Lower the deviation (normal ends at 4 of them), or choose triangular, "
        "which ends where you say.",
    ),
    Defect(
        "a uniform distribution above the bounds",
        both(
            fill("Settings", {"usable_memory_share": 0.9}),
            drawn({**RENT, "input_sheet": "Settings", "input_column": "usable_memory_share"}),
        ),
        at("Uncertainty", "high"),
        f"'rent' draws usable_memory_share ({at('Settings', 'usable_memory_share')}) up to 117 %; "
        "allowed is 30 % to 100 %. Narrow it.",
    ),
    Defect(
        "two inputs that leave the bounds together",
        both(
            fill("Traffic", {"cached_share": 0.6}),
            drawn(
                {**ANSWERS, "input_column": "cached_share", "high": 1.4},
                {**RENT, "input_sheet": "Traffic", "input_column": "cached_share"},
            ),
        ),
        at("Uncertainty", "high", 1),
        f"'answers' and 'rent' draw cached_share ({at('Traffic', 'cached_share')}) up to 109.2 %; "
        "allowed is 0 % to 100 %. Narrow it.",
    ),
    Defect(
        "requests that outgrow their peak",
        drawn({**RENT, "input_sheet": "Traffic", "input_column": "mean_requests", "high": 2.5}),
        at("Uncertainty", "input_column"),
        "'rent' draws mean_requests up to 50 requests/s; allowed is the peak or less, 45 (Traffic!C5). "
        "Name mean_requests, peak_requests to have them move together.",
    ),
    Defect(
        "too few measured points",
        both(drawn(EMPIRICAL), _points(3)),
        at("Uncertainty", "measured_points"),
        "3 points on Measurements begin with 'run' and have measured_output_speed; a distribution is taken from 5 or "
        "more. Add measured points there, correct the beginning, or choose another distribution.",
    ),
    Defect(
        "a group without a correlation",
        grouped(0.5, None),
        at("Uncertainty", "correlation", 1),
        "correlation is blank, and 'rent' is in group 'market'. Fill it in, or clear the group.",
    ),
    Defect(
        "a correlation without a group",
        one(correlation=0.5),
        at("Uncertainty", "correlation"),
        "correlation is given, but 'demand' is in no correlation_group. Name the group, or clear this cell.",
    ),
    Defect(
        "a group of one",
        one(correlation_group="market", correlation=0.5),
        at("Uncertainty", "correlation_group"),
        "'demand' is alone in group 'market'; a correlation needs two. "
        "Put another driver into it, or clear the group and the correlation.",
    ),
    Defect(
        "a group with one that moves every row by itself",
        drawn(
            {**DEMAND, "correlation_group": "market", "correlation": 0.5},
            {**SPEEDS, "correlation_group": "market", "correlation": 0.5},
        ),
        at("Uncertainty", "correlation_group", 1),
        "'speeds' moves every row by itself, and is in group 'market'; a group joins inputs that have one multiple "
        "each. Clear the group and the correlation, or name a row in input_row.",
    ),
    Defect(
        "two correlations in a group",
        grouped(0.5, 0.4),
        at("Uncertainty", "correlation", 1),
        f"the correlation of group 'market' is 0.4; it is 0.5 in {coordinate('Uncertainty', 'correlation')}, "
        "and one for the group. Type the same in all its rows.",
    ),
    Defect(
        "a matrix that is not positive definite",
        grouped(-0.5),
        at("Uncertainty", "correlation"),
        "3 drivers cannot all have a correlation of -0.5 with each other: their matrix is not positive definite; "
        "allowed is above -0.5 and below 1. Type one between, or have what moves as one in one row (several columns, "
        "or all rows).",
    ),
    Defect(
        "draws that are no power of two",
        fill("Settings", {"draws": 5000}),
        at("Settings", "draws"),
        "draws is 5,000; allowed are powers of two. Type 4096 or 8192.",
    ),
)
