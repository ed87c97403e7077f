"""Defects that no cell shows alone: shares that do not add up, blanks that a choice needs, parts above their whole."""

from __future__ import annotations

from datetime import date
from typing import Any

from bad_workbooks.valid import SEEN, Defect, Edit, at, both, coordinate, fill, more

from engine.sheets import MONTH_NAMES
from engine.units import CURRENCIES


def _mix(*shares: tuple[str, str, float]) -> Edit:
    rows: list[dict[str, Any]] = [
        {"traffic_mix": mix, "traffic": traffic, "mix_share": share, **SEEN} for mix, traffic, share in shares
    ]
    return fill("Traffic mixes", *rows)


def _season(**months: float) -> Edit:
    return fill("Seasons", {"season": "Office year", **dict.fromkeys(MONTH_NAMES, 1), **months, **SEEN})


_BATCH_WITHOUT_DEMAND = more("Traffic", {"traffic": "batch", "mean_requests": None, "peak_requests": None})
_NO_DEMAND = fill("Traffic", {"mean_requests": None, "peak_requests": None})


def _rate(currency: str, rate: float = 0.9, day: date = date(2026, 11, 27)) -> dict[str, Any]:
    return {"currency": currency, "exchange_rate": rate, "rate_date": day, "source": "a central bank"}


_IN_EUROS = fill("Prices", {"currency": "EUR"})

DEFECTS = (
    Defect(
        "a currency without any rates",
        _IN_EUROS,
        at("Prices", "currency"),
        f"'EUR' is not on the Exchange rates sheet; allowed is the report's currency, USD "
        f"({at('Settings', 'currency')}); that sheet has no rows. Add its rate there, or choose another one.",
    ),
    Defect(
        "a currency without its rate",
        both(_IN_EUROS, fill("Exchange rates", _rate("GBP"), _rate("CHF"))),
        at("Prices", "currency"),
        f"'EUR' is not on the Exchange rates sheet; allowed is the report's currency, USD "
        f"({at('Settings', 'currency')}) and those there, GBP, CHF. Add its rate there, or choose another one.",
    ),
    Defect(
        "a currency that nobody knows",
        fill("Hardware", {"currency": "EURO"}),
        at("Hardware", "currency"),
        f"currency is 'EURO'; allowed is one of {', '.join(CURRENCIES)}. Did you mean EUR? Choose one from the list.",
    ),
    Defect(
        "a rate of nothing",
        both(_IN_EUROS, fill("Exchange rates", _rate("EUR", 0))),
        at("Exchange rates", "exchange_rate"),
        "exchange_rate is 0; allowed is 0.000001 to 1,000,000. Check the figure.",
    ),
    Defect(
        "two rates of one currency",
        both(_IN_EUROS, fill("Exchange rates", _rate("EUR", 1.08), _rate("EUR", 1.09))),
        at("Exchange rates", "currency", 1),
        f"'EUR' is already in {at('Exchange rates', 'currency')}; a name stands once "
        "(capitals make no difference). Rename or delete one of the two.",
    ),
    Defect(
        "a rate of the report's own currency",
        fill("Exchange rates", _rate("USD", 1)),
        at("Exchange rates", "currency"),
        f"'USD' is the currency of the report ({at('Settings', 'currency')}); allowed are other currencies, "
        "because its rate is 1. Delete this row, or correct either currency.",
    ),
    Defect(
        "a price basis without a price",
        both(fill("Configurations", {"price_basis": "spot"}), fill("Hardware", {"one_year_price": 2.1})),
        at("Configurations", "price_basis"),
        f"'spot' needs spot_price of H100, which is blank in {at('Hardware', 'spot_price')}. "
        "Fill that in, or choose on demand or 1 year.",
    ),
    Defect(
        "a precision without its peak",
        fill("Precisions", {"compute": "fp4"}),
        at("Configurations", "precision"),
        f"'fp8' needs fp4_compute of H100, which is blank in {at('Hardware', 'fp4_compute')}. "
        "Fill that in, or choose a precision with compute bf16 or fp8.",
    ),
    Defect(
        "a server that is bought for an unknown time",
        fill("Hardware", {"node_purchase_price": 270000, "accelerators_per_node": 8, "accelerator_power": 0.7}),
        at("Hardware", "service_life"),
        "service_life of 'H100' is blank although it has a purchase price; owning it cannot be costed without "
        f"({coordinate('Hardware', 'node_purchase_price')}). Fill it in, or clear the price.",
    ),
    Defect(
        "a server that is bought and draws an unknown power",
        fill("Hardware", {"node_purchase_price": 270000, "accelerators_per_node": 8, "service_life": 5}),
        at("Hardware", "accelerator_power"),
        "accelerator_power of 'H100' is blank although it has a purchase price; owning it cannot be costed without "
        f"({coordinate('Hardware', 'node_purchase_price')}). Fill it in, or clear the price.",
    ),
    Defect(
        "ranks without links",
        fill("Hardware", {"link_bandwidth": None}),
        at("Configurations", "tensor_parallel"),
        "tensor_parallel is 2, which needs link_bandwidth of H100; "
        f"it is blank in {at('Hardware', 'link_bandwidth')}. Fill that in, or type 1 here.",
    ),
    Defect(
        "groups of ranks of unequal size",
        fill("Configurations", {"tensor_parallel": 8, "attention_data_parallel": 3}),
        at("Configurations", "attention_data_parallel"),
        "attention_data_parallel is 3; allowed are divisors of tensor_parallel, 8 (E5). Change one of the two.",
    ),
    Defect(
        "a batch above the engine's",
        fill("Configurations", {"requested_batch_size": 512, "engine_batch_limit": 256}),
        at("Configurations", "requested_batch_size"),
        "requested_batch_size is 512; allowed are 256: engine_batch_limit (I5) for each attention rank. "
        "Type fewer or max, or raise the limit.",
    ),
    Defect(
        "a mean without a peak",
        fill("Traffic", {"peak_requests": None}),
        at("Traffic", "peak_requests"),
        "peak_requests is blank although mean_requests is given (B5); a class has both or neither. "
        "Fill it in, or clear both for a class without demand.",
    ),
    Defect(
        "a peak below the mean",
        fill("Traffic", {"peak_requests": 15}),
        at("Traffic", "peak_requests"),
        "peak_requests is 15 requests/s; allowed is the mean or more, 20 (B5). Correct whichever is wrong.",
    ),
    Defect(
        "a mix of classes with and without demand",
        both(_BATCH_WITHOUT_DEMAND, _mix(("acme", "chat", 0.5), ("acme", "batch", 0.5))),
        at("Traffic mixes", "traffic", 1),
        "'chat' and 'batch' are in one mix, but only 'chat' has demand; "
        "a mix takes classes that all have demand, or all have none. "
        "Give requests for both on Traffic, or split the mix.",
    ),
    Defect(
        "a mix named like a class",
        _mix(("Chat", "chat", 0.5)),
        at("Traffic mixes", "traffic_mix"),
        "'Chat' is a class too, in Traffic!A5; a mix needs a name of its own. Rename the mix.",
    ),
    Defect(
        "mixes of more than all requests",
        _mix(("acme", "chat", 0.7), ("others", "chat", 0.4)),
        at("Traffic mixes", "mix_share"),
        "the mix shares of 'chat' add to 110 %: acme 70 %, others 40 %; allowed is at most 100 %. Lower one of them.",
    ),
    Defect(
        "a mix of nothing",
        _mix(("acme", "chat", 0)),
        at("Traffic mixes", "mix_share"),
        "the shares of mix 'acme' are all 0 %. Type what share of each class it sends, or delete the mix.",
    ),
    Defect(
        "an assumed load beside demand",
        fill("Configurations", {"assumed_utilization": 0.5}),
        at("Configurations", "assumed_utilization"),
        "assumed_utilization is given, but 'chat' has demand, from which the load follows; "
        "allowed is one of the two. Clear this cell.",
    ),
    Defect(
        "no load at all",
        _NO_DEMAND,
        at("Configurations", "assumed_utilization"),
        "assumed_utilization is blank, and 'chat' has no demand a load could follow from; "
        "one of the two is needed. Type a load here, or give its requests on Traffic.",
    ),
    Defect(
        "a share of no demand",
        both(_NO_DEMAND, fill("Configurations", {"assumed_utilization": 0.5})),
        at("Configurations", "requests_share"),
        "requests_share is given, but 'chat' has no demand to share. Clear this cell, or give the requests on Traffic.",
    ),
    Defect(
        "shares below 100 %",
        both(
            fill("Configurations", {"requests_share": 0.5}),
            more("Configurations", {"configuration": "second", "requests_share": 0.4}),
        ),
        at("Configurations", "requests_share"),
        "the requests of 'chat' that are served add to 90 %: chat on H100 50 %, second 40 %; allowed is 100 %. "
        "Change a requests_share, or clear it where a configuration is only compared.",
    ),
    Defect(
        "shares above 100 % through a mix",
        both(_mix(("acme", "chat", 0.3)), more("Configurations", {"configuration": "acme's", "traffic": "acme"})),
        at("Configurations", "requests_share"),
        "the requests of 'chat' that are served add to 130 %: chat on H100 100 %, acme's 30 %; allowed is 100 %. "
        "Change a requests_share, or clear it where a configuration is only compared.",
    ),
    Defect(
        "more experts at once than there are",
        fill("Models", {"experts": 4, "experts_per_token": 8}),
        at("Models", "experts_per_token"),
        "experts_per_token of 'Llama 8B' is 8; allowed is at most experts, 4 (K5). Correct whichever is wrong.",
    ),
    Defect(
        "more active parameters than there are",
        fill("Models", {"active_parameters": 80.3}),
        at("Models", "active_parameters"),
        "active_parameters of 'Llama 8B' is 80.3 billion; allowed is at most total_parameters, 8.03 billion (B5). "
        "Correct whichever is wrong.",
    ),
    Defect(
        "more special layers than layers",
        fill("Models", {"window_layers": 20, "linear_layers": 20}),
        at("Models", "window_layers"),
        "window_layers and linear_layers of 'Llama 8B' are 40; allowed is at most layers, 32 (E5). "
        "Correct whichever is wrong.",
    ),
    Defect(
        "more key heads than query heads",
        fill("Models", {"kv_heads": 64}),
        at("Models", "kv_heads"),
        "kv_heads of 'Llama 8B' is 64; allowed is at most attention_heads, 32 (G5). Correct whichever is wrong.",
    ),
    Defect(
        "a price list of next month",
        fill("Prices", {"valid_from": date(2026, 12, 1)}),
        at("Prices", "valid_from"),
        "'list' holds from 2026-12-01; the month reported ends on 2026-11-30, and it is used by: chat on H100. "
        "Name another price list there, or correct the date.",
    ),
    Defect(
        "prompts the model cannot take",
        fill("Traffic", {"input_tokens": 200000}),
        at("Configurations", "traffic"),
        "'chat' sends prompts of 200,000 tokens (Traffic!D5); Llama 8B takes 131,072 (Models!U5). "
        "Serve it with another model, or correct either figure.",
    ),
    Defect(
        "an outlook of half a year",
        fill("Settings", {"forward_months": 6}),
        at("Settings", "forward_months"),
        "forward_months is 6; allowed is 12 to 36, or 0. Type 12 for a year, or 0 to leave the months ahead out.",
    ),
    Defect(
        "a commitment on demand",
        fill("Configurations", {"committed_until": date(2027, 6, 30)}),
        at("Configurations", "committed_until"),
        "committed_until is given, but 'on demand' commits to nothing; a commitment is 1 year or 3 years (P5). "
        "Clear this cell, or correct the price basis.",
    ),
    Defect(
        "a commitment that is over",
        both(
            fill("Hardware", {"one_year_price": 2.1}),
            fill("Configurations", {"price_basis": "1 year", "committed_until": date(2026, 10, 31)}),
        ),
        at("Configurations", "committed_until"),
        "committed_until is 2026-10-31; that is before the month reported, 2026-11. "
        "Type the last day of the commitment that holds now, or choose on demand as price_basis.",
    ),
    Defect(
        "a season that is not there",
        both(_season(), fill("Traffic", {"season": "Office yaer"})),
        at("Traffic", "season"),
        "'Office yaer' is not on the Seasons sheet, which has: Office year. Did you mean Office year? "
        "Choose one, or add a row there.",
    ),
    Defect(
        "a season with a month of nothing",
        _season(august=0),
        at("Seasons", "august"),
        "august is 0; allowed is 0.01 to 100. Check the figure.",
    ),
    Defect(
        "a season with a month below nothing",
        _season(august=-0.5),
        at("Seasons", "august"),
        "august is -0.5; allowed is 0.01 to 100. Check the figure.",
    ),
    Defect(
        "demand that shrinks by more than there is",
        fill("Traffic", {"demand_growth": -1.2}),
        at("Traffic", "demand_growth"),
        "demand_growth is -120 %; allowed is -99 % to 100 %. Type -1.2 % or -0.012.",
    ),
)
