"""Defects of what is billed: days of price lists, shares that are more than all, buckets without a price."""

from __future__ import annotations

from datetime import date
from typing import Any

from bad_workbooks.valid import SEEN, Defect, Edit, at, both, coordinate, fill, more

_USED = "it is used by: chat on H100"


def _prices(first: dict[str, Any], second: dict[str, Any]) -> Edit:
    """The one price list in two rows, the second from the 16th of November unless it says otherwise."""
    return both(fill("Prices", first), more("Prices", {"valid_from": date(2026, 11, 16), **second}))


def _other(**cells: Any) -> Edit:
    return fill("Other costs", {"other_cost_line": "fees", "amount": 1, "driver": "month", **SEEN, **cells})


DEFECTS = (
    Defect(
        "two rows of a list on one day",
        _prices({"valid_until": date(2026, 11, 16)}, {}),
        at("Prices", "valid_until"),
        "'list' holds until 2026-11-16, but its next prices hold from 2026-11-16, which is in "
        f"{at('Prices', 'valid_from', 1)}. Type 2026-11-15 as valid_until, or give one of the two another name.",
    ),
    Defect(
        "a list without an end, and one more row",
        _prices({}, {}),
        at("Prices", "valid_until"),
        "'list' holds until further notice, but its next prices hold from 2026-11-16, which is in "
        f"{at('Prices', 'valid_from', 1)}. Type 2026-11-15 as valid_until, or give one of the two another name.",
    ),
    Defect(
        "the same row of a list twice",
        more("Prices", {}),
        at("Prices", "price_list", 1),
        "'list, 2026-01-01' is already in Prices!A5; a name stands once (capitals make no difference). "
        "Rename or delete one of the two.",
    ),
    Defect(
        "a list that ends before it begins",
        fill("Prices", {"valid_until": date(2025, 12, 31)}),
        at("Prices", "valid_until"),
        "valid_until is 2025-12-31; allowed is valid_from or later, 2026-01-01 "
        f"({coordinate('Prices', 'valid_from')}). Correct whichever is wrong.",
    ),
    Defect(
        "a list that ended last month",
        fill("Prices", {"valid_until": date(2026, 10, 31)}),
        at("Prices", "valid_until"),
        f"'list' held until 2026-10-31; the month reported begins on 2026-11-01, and {_USED}. "
        "Name another price list there, or correct the date.",
    ),
    Defect(
        "another long-context tier within the month",
        _prices(
            {"valid_until": date(2026, 11, 15), "long_context_threshold": 200000},
            {"long_context_threshold": 100000},
        ),
        at("Prices", "long_context_threshold", 1),
        "'list' changes its long_context_threshold within the month; it is 200,000 in Prices!G5. "
        "Give the new terms a price list of their own, or keep the threshold.",
    ),
    Defect(
        "more unbilled than served",
        fill("Traffic", {"free_share": 0.6, "retry_share": 0.3, "internal_share": 0.2}),
        at("Traffic", "free_share"),
        "free_share 60 %, retry_share 30 %, internal_share 20 % of 'chat' add to 110 %; allowed is at most 100 %. "
        "Lower one of them.",
    ),
    Defect(
        "more credits and refunds than invoices",
        fill("Traffic", {"credit_share": 0.6, "refund_share": 0.5}),
        at("Traffic", "credit_share"),
        "credit_share 60 %, refund_share 50 % of 'chat' add to 110 %; allowed is at most 100 %. Lower one of them.",
    ),
    Defect(
        "a discount above the price",
        fill("Prices", {"batch_discount": 1.5}),
        at("Prices", "batch_discount"),
        "batch_discount is 150 %; allowed is 0 % to 100 %. Type 1.5 % or 0.015.",
    ),
    Defect(
        "fees in percent of revenue",
        _other(driver="revenue", amount=2.9),
        at("Other costs", "amount"),
        "amount is 2.9, of revenue; allowed is 0 to 1, a share of revenue. Type 0.029 for 2.9 % of revenue.",
    ),
    Defect(
        "a driver that is none",
        _other(driver="requests"),
        at("Other costs", "driver"),
        "driver is 'requests'; allowed is one of month, request, million tokens, replica, revenue. "
        "Did you mean request? Choose one from the list.",
    ),
)

WARNINGS = (
    Defect(
        "days without prices",
        _prices({"valid_until": date(2026, 11, 3)}, {}),
        at("Prices", "valid_from"),
        "'list' has no prices on 12 days of the month, 2026-11-04 to 2026-11-15; "
        f"40 % of the requests that it prices are billed nothing, and {_USED}. "
        "Add a row for these days, or correct a date.",
    ),
    Defect(
        "a list that begins and ends within the month",
        fill("Prices", {"valid_from": date(2026, 11, 2), "valid_until": date(2026, 11, 29)}),
        at("Prices", "valid_from"),
        "'list' has no prices on 2 days of the month, 2026-11-01 and 2026-11-30; "
        f"6.7 % of the requests that it prices are billed nothing, and {_USED}. "
        "Add a row for these days, or correct a date.",
    ),
    Defect(
        "a bucket without a price",
        fill("Prices", {"output_price": None}),
        at("Prices", "output_price"),
        "'list' has no output_price, and tokens of chat fall under it. "
        "They are billed nothing; type a price, or 0 where that is meant.",
    ),
    Defect(
        "cache writes without a price",
        fill("Traffic", {"cache_write_share": 0.2}),
        at("Prices", "cache_write_price"),
        "'list' has no cache_write_price, and tokens of chat fall under it. "
        "They are billed nothing; type a price, or 0 where that is meant.",
    ),
    Defect(
        "a batch tier without a discount",
        fill("Traffic", {"batch_share": 0.2}),
        at("Prices", "batch_discount"),
        "'list' has no batch_discount, and a batch_share is given for chat. "
        "These requests are billed in full; type the discount, or clear the share on Traffic.",
    ),
    Defect(
        "a discount that changes within the month",
        _prices({"valid_until": date(2026, 11, 15), "batch_discount": 0.5}, {"batch_discount": 0.4}),
        at("Prices", "batch_discount", 1),
        "'list' changes its batch_discount within the month; it is 0.5 in Prices!J5. "
        "The month is billed at the mean over its days.",
    ),
    Defect(
        "a mix on both sides of a tier",
        both(
            more("Traffic", {"traffic": "book", "input_tokens": 90000}),
            fill(
                "Traffic mixes",
                {"traffic_mix": "all", "traffic": "chat", "mix_share": 1, **SEEN},
                {"traffic_mix": "all", "traffic": "book", "mix_share": 1, **SEEN},
            ),
            fill("Configurations", {"traffic": "all"}),
            fill("Prices", {"long_context_threshold": 50000}),
        ),
        at("Configurations", "traffic"),
        "the mix 'all' has classes on both sides of the long-context tier; book above 50,000 tokens (Prices!G5). "
        "Each class is billed by its own mean prompt, chat below the tier: check them.",
    ),
    Defect(
        "a cost of a model that nothing serves",
        both(more("Models", {"model": "Llama 1B"}), _other(model="Llama 1B")),
        at("Other costs", "model"),
        "'fees' belongs to 'Llama 1B', which no configuration with a requests_share serves. "
        "It is in no total; name what is served, or clear the cell.",
    ),
)
