"""Defects of hours: profiles that do not add up, fleets with nothing to follow, contracts that nobody serves on."""

from __future__ import annotations

from datetime import date
from typing import Any

from bad_workbooks.valid import SEEN, Defect, Edit, at, both, coordinate, fill

_EVEN = 1 / 24


def _profile(shares: dict[int, float] | None = None, hours: range = range(24)) -> Edit:
    """A profile of the name day; every hour has an even share unless it is given."""
    rows = [
        {
            "load_profile": "day",
            "hour": hour,
            "weekday_share": (shares or {}).get(hour, _EVEN),
            "weekend_share": _EVEN,
            **SEEN,
        }
        for hour in hours
    ]
    return fill("Load profiles", *rows)


def _contract(**cells: Any) -> Edit:
    given = {
        "contract": "a year",
        "hardware": "H100",
        "term": "1 year",
        "contract_accelerators": 8,
        "contract_price": 2,
        "contract_start": date(2026, 1, 1),
        "contract_end": date(2026, 12, 31),
        **SEEN,
    }
    return fill("Commitments", {**given, **cells})


_FOLLOWS = both(_profile({8: 2 * _EVEN, 2: 0.0}), fill("Traffic", {"load_profile": "day"}))

DEFECTS = (
    Defect(
        "a profile without two hours",
        both(_profile(hours=range(22)), fill("Traffic", {"load_profile": "day"})),
        at("Load profiles", "load_profile"),
        "profile 'day' has no row for the hours 22, 23; allowed are the hours 0 to 23, each once. "
        "Add a row for each; a share may be 0 %.",
    ),
    Defect(
        "a profile of more than a day",
        both(_profile({8: 3 * _EVEN}), fill("Traffic", {"load_profile": "day"})),
        at("Load profiles", "weekday_share"),
        "the weekday_share of 'day' adds to 108.3 %; allowed is 100 %. Correct the hours.",
    ),
    Defect(
        "an hour busier than the peak",
        both(_profile({8: 4 * _EVEN, 1: 0.0, 2: 0.0, 3: 0.0}), fill("Traffic", {"load_profile": "day"})),
        at("Traffic", "peak_requests"),
        "peak_requests is 45 requests/s; allowed is the busiest hour or more: profile 'day' makes 80 of the mean 20 "
        "(B5). Raise the peak, or flatten the profile.",
    ),
    Defect(
        "replicas that are committed and let go",
        both(_FOLLOWS, fill("Configurations", {"scales_hourly": "yes", "price_basis": "1 year"})),
        at("Configurations", "scales_hourly"),
        f"scales_hourly is yes, but price_basis is '1 year' ({coordinate('Configurations', 'price_basis')}); "
        "allowed is on demand or spot: what is committed is paid around the clock. "
        "Change one of them; accelerators that are reserved stand on Commitments.",
    ),
    Defect(
        "a contract that ends before it begins",
        _contract(contract_end=date(2025, 12, 31)),
        at("Commitments", "contract_end"),
        "contract_end is 2025-12-31; allowed is 2026-01-01 or later, when it begins "
        f"({coordinate('Commitments', 'contract_start')}). "
        "Correct whichever is wrong.",
    ),
    Defect(
        "a contract that nobody serves on",
        both(_contract(), fill("Configurations", {"requests_share": None})),
        at("Commitments", "hardware"),
        "no configuration that serves runs on H100; what 'a year' costs would be in no total. "
        "Give a configuration on it a requests_share, or delete the contract.",
    ),
)

WARNINGS = (
    Defect(
        "nothing to follow",
        fill("Configurations", {"scales_hourly": "yes"}),
        at("Configurations", "scales_hourly"),
        "scales_hourly is yes, but the requests of 'chat' are the same in every hour. "
        "Name a load_profile on Traffic, or type no.",
    ),
    Defect(
        "emptied and never let go",
        fill("Configurations", {"scales_to_zero": "yes"}),
        at("Configurations", "scales_to_zero"),
        "scales_to_zero is yes, but scales_hourly is no; replicas that run around the clock are never let go. "
        "Set scales_hourly to yes, or clear this cell.",
    ),
    Defect(
        "a contract of another year",
        _contract(contract_end=date(2026, 6, 30)),
        at("Commitments", "contract_start"),
        "'a year' is not in force in November 2026; it costs nothing in this report. "
        "Check its days, or delete it.",
    ),
)
