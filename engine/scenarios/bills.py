"""Bills: the grains from the accelerators of an hour to what they cost: contracts, slices, bills, fleets, books.

Says which rows they have and where each input is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from engine.calculation import Columns
from engine.formulas import (
    BILL_FORMULAS,
    BILL_TOTAL_FORMULAS,
    CONTRACT_FORMULAS,
    FLEET_FORMULAS,
    HELD_FORMULAS,
    MONTH_BOOK_FORMULAS,
    PROFILE_SLICE_FORMULAS,
    SLICE_FORMULAS,
)
from engine.scenarios.grains import Grain
from engine.scenarios.hour_rows import PROFILE, Maker, Part, Rows
from engine.scenarios.joins import BILL_LINES
from engine.scenarios.sources import (
    BATCHES,
    BILLS,
    BOOKS,
    CALENDAR,
    CONFIGURED,
    CONTRACTS,
    FLEETS,
    HELD,
    HOURS,
    MONTH_BOOKS,
    MONTH_PARTS,
    OWNERSHIP,
    POOLS,
    SLICES,
    TOTAL,
    DayOf,
    DaysBilled,
    Filled,
    IsWord,
    Key,
    Largest,
    Looked,
    MonthStart,
    Source,
    Sum,
    SumAbove,
    Varied,
)
from engine.sheets import COMMITMENTS, HARDWARE
from engine.units import (
    Count,
    DollarsPerHour,
    DollarsPerMonth,
    Flag,
    HoursPerMonth,
    SequencesByRequests,
    Text,
)
from engine.workbook.read import Inputs

TERMS = {"owned": "owned", "three_year": "3 years", "one_year": "1 year"}
MOST_SLICES = 8  # of the need for one kind of accelerator
HOUR_LINES = ("useful", "held", "committed", "rented")


def bill_hours(maker: Maker, rows: Rows, parts: tuple[Part, ...]) -> None:
    """Adds what is held, which terms would cost least, the bill of every hour and that of every fleet."""
    _contracts(maker, rows, parts)
    _slices(maker, rows)
    _bills(maker, rows, parts)
    _fleets(maker, rows)


def _contracts(maker: Maker, rows: Rows, parts: tuple[Part, ...]) -> None:
    """What is held of each accelerator in each part of the month; nothing to make where there is no contract."""
    table = maker.inputs.tables[COMMITMENTS.name]
    if not len(table):
        return
    pairs = [(row, part) for row in table for part in parts]
    keys: Columns = {
        "contract_part": np.array([f"{row['contract']}, {part.name}" for row, part in pairs]),
        "contract": np.array([row["contract"] for row, _ in pairs]),
        "hardware": np.array([row["hardware"] for row, _ in pairs]),
        "part": np.array([part.name for _, part in pairs]),
        "held": np.array([f"{row['hardware']}, {part.name}" for row, part in pairs]),
        "in_force": np.array(
            [float(row["contract_start"] <= part.first and part.last <= row["contract_end"]) for row, part in pairs]
        ),
    }
    for name, word in TERMS.items():
        keys[f"is_{name}"] = np.array([float(row["term"] == word) for row, _ in pairs])
    given: dict[str, Source] = {
        **{name: Key(Flag) for name in keys if name == "in_force" or name.startswith("is_")},
        **{
            name: Looked(COMMITMENTS, COMMITMENTS.column(name), "contract")
            for name in ("contract_accelerators", "contract_price")
        },
    }
    given["contract_start"] = DayOf(Looked(COMMITMENTS, COMMITMENTS.column("contract_start"), "contract"))
    given["month_start"] = MonthStart()
    given["service_life"] = Filled(_hardware("service_life"), 0.0)
    owned = {"owned_cost": OWNERSHIP, "owned_capital_cost": OWNERSHIP, "booked_cost": BOOKS}
    for name, grain in owned.items():
        if grain in maker.grains:
            given[name] = Largest(grain, name, "hardware", DollarsPerHour)
        else:
            # Where no server has a purchase price, a contract's price is all that is known.
            keys[name] = np.zeros(len(pairs))
            given[name] = Key(DollarsPerHour)
    maker.make(CONTRACTS, keys, given, CONTRACT_FORMULAS, (MONTH_PARTS, "part"))
    used = list(dict.fromkeys(str(rows.configured.value("hardware", key)) for key in rows.serving))
    held: Columns = {
        "held": np.array([f"{hardware}, {part.name}" for hardware in used for part in parts]),
        "hardware": np.array([hardware for hardware in used for _ in parts]),
    }
    sums: dict[str, Source] = {}
    for name in TERMS:
        sums[f"pool_{name}_accelerators"] = Sum(CONTRACTS, "accelerators_in_force", Count, "held", f"is_{name}")
        sums[f"pool_{name}_hour_cost"] = Sum(CONTRACTS, "contract_hour_cost", DollarsPerHour, "held", f"is_{name}")
    maker.make(HELD, held, sums, HELD_FORMULAS)


def _slices(maker: Maker, rows: Rows) -> None:
    """How many hours each further part of what is rented is used, and on which terms it costs least."""
    of = {rows.hardware_hour(key, hour): (key, hour) for key, hour in rows.pairs() if rows.is_rented(key)}
    if not of:
        return
    keys: Columns = {
        "hardware_hour": np.array(list(of)),
        "hardware": np.array([rows.configured.value("hardware", key) for key, _ in of.values()]),
        "hour": np.array([hour.name for _, hour in of.values()]),
    }
    given: dict[str, Source] = {
        "pool_needed_accelerators": Sum(HOURS, "needed_accelerators", Count, "hardware_hour", "is_rented"),
        "profile_hours": Sum(CALENDAR, "profile_hours", HoursPerMonth, "hour"),
    }
    maker.make(POOLS, keys, given, {})
    levels = {hardware: _levels(maker, hardware) for hardware in dict.fromkeys(keys["hardware"])}
    slices = [(hardware, low, high) for hardware, steps in levels.items() for low, high in pairwise(steps)]
    of_slice: Columns = {
        "slice": np.array([f"{hardware}, {low:.0f} to {high:.0f}" for hardware, low, high in slices]),
        "hardware": np.array([hardware for hardware, *_ in slices]),
        "slice_from": np.array([low for _, low, _ in slices]),
        "slice_to": np.array([high for *_, high in slices]),
    }
    # Where no server has a purchase price, owning is no choice.
    owned = OWNERSHIP in maker.grains
    if not owned:
        of_slice["owned_cost"] = np.zeros(len(slices))
    if not slices:
        return
    sources: dict[str, Source] = {
        "slice_from": Key(Count),
        "slice_to": Key(Count),
        "needed_hours": SumAbove(
            POOLS, "profile_hours", "hardware", "pool_needed_accelerators", "slice_from", HoursPerMonth
        ),
        "days_in_month": DaysBilled(),
        "rented_price": Filled(_hardware("on_demand_price"), 0.0),
        "one_year_price": Filled(_hardware("one_year_price"), 0.0),
        "three_year_price": Filled(_hardware("three_year_price"), 0.0),
        "owned_cost": (Sum(OWNERSHIP, "owned_cost", DollarsPerHour, "hardware") if owned else Key(DollarsPerHour)),
    }
    maker.make(SLICES, of_slice, sources, {**SLICE_FORMULAS, **PROFILE_SLICE_FORMULAS})


def _hardware(column: str) -> Looked:
    return Looked(HARDWARE, HARDWARE.column(column), "hardware")


def _levels(maker: Maker, hardware: str) -> list[float]:
    """Needs between which an accelerator's slices lie: those that occur above what is committed, thinned to so many."""
    pools = maker.grains[POOLS].values
    needed = pools["pool_needed_accelerators"][pools["hardware"] == hardware]
    committed = _committed(maker, hardware)
    occurring = np.unique(np.concatenate([[committed], needed[needed > committed]]))
    kept = np.unique(np.linspace(0, len(occurring) - 1, MOST_SLICES + 1).round().astype(int))
    return [float(level) for level in occurring[kept]]


def _committed(maker: Maker, hardware: str) -> float:
    """Accelerators that are owned or reserved all month."""
    if HELD not in maker.grains:
        return 0.0
    held = maker.grains[HELD].values
    rows = [row for row, name in enumerate(held["hardware"]) if name == hardware]
    return min(sum(float(held[f"pool_{term}_accelerators"][row]) for term in TERMS) for row in rows)


def _bills(maker: Maker, rows: Rows, parts: tuple[Part, ...]) -> None:
    """How the accelerators of each hour are paid for, in each part of the month."""
    grain = rows.configured
    hardware = {key: str(grain.value("hardware", key)) for key in rows.serving}
    triples = [(key, hour, part) for key, hour in rows.pairs() for part in parts]
    together = [sum(hardware[other] == hardware[key] for other in rows.serving) for key, *_ in triples]
    keys: Columns = {
        "billed_hour": np.array([f"{key}, {hour.name}, {part.name}" for key, hour, part in triples]),
        "configuration": np.array([key for key, *_ in triples]),
        "configuration_hour": np.array([f"{key}, {hour.name}" for key, hour, _ in triples]),
        "hour_before": np.array([f"{key}, {hour.before}" for key, hour, _ in triples]),
        "hardware_hour": np.array([f"{hardware[key]}, {hour.name}" for key, hour, _ in triples]),
        "calendar_hour": np.array([f"{hour.name}, {part.name}" for _, hour, part in triples]),
        "pool_configurations": np.array(together, dtype=float),
    }
    given: dict[str, Source] = {
        "pool_configurations": Key(Count),
        "pool_needed_accelerators": Sum(HOURS, "needed_accelerators", Count, "hardware_hour"),
        "previous_needed_accelerators": Varied(HOURS, "needed_accelerators", "hour_before", Count),
        "price_basis": Varied(CONFIGURED, "price_basis", "configuration", grain.annotation("price_basis")),
        "spot_share": IsWord("price_basis", "spot"),
        "rented_price": Varied(CONFIGURED, "accelerator_price", "configuration", DollarsPerHour),
        "profile_hours": Varied(CALENDAR, "profile_hours", "calendar_hour", HoursPerMonth),
    }
    others = [(HOURS, "configuration_hour")]
    if HELD in maker.grains:
        keys["held"] = np.array([f"{hardware[key]}, {part.name}" for key, _, part in triples])
        others.append((HELD, "held"))
    else:
        # Without contracts there is nothing to fill with; zeros are no formulas, of which a workbook takes so many.
        for name in TERMS:
            keys[f"pool_{name}_accelerators"], keys[_price(name)] = np.zeros((2, len(triples)))
            given[f"pool_{name}_accelerators"], given[_price(name)] = Key(Count), Key(DollarsPerHour)
    maker.make(BILLS, keys, given, BILL_FORMULAS, *others)


def _price(term: str) -> str:
    return f"held_{term}_price"


def _fleets(maker: Maker, rows: Rows) -> None:
    """The month's bill of each configuration that serves, in lines that add up to it."""
    keys: Columns = {
        "configuration": np.array(rows.serving),
        "is_billed_hourly": np.ones(len(rows.serving)),
        "by_the_hour": np.array([float(rows.hours_of[key] == PROFILE) for key in rows.serving]),
    }
    by, weight = "configuration", "profile_hours"
    given: dict[str, Source] = {"is_billed_hourly": Key(Flag), "by_the_hour": Key(Flag)}
    given["peak_waiting_warning"] = Varied(CONFIGURED, "waiting_warning", by, Text)
    for line in ("bill", *BILL_LINES):
        quantity = f"hour_{line}" if line == "bill" else f"{line.removesuffix('_bill')}_hour_cost"
        given[line] = Sum(BILLS, quantity, DollarsPerMonth, by, weight=weight)
    for line in HOUR_LINES:
        given[f"{line}_hours"] = Sum(BILLS, f"{line}_accelerators", HoursPerMonth, by, weight=weight)
    given["fleet_hours"] = Sum(HOURS, "needed_accelerators", HoursPerMonth, by, weight=weight)
    given["running_hours"] = Sum(HOURS, "running_replicas", HoursPerMonth, by, weight=weight)
    given["prefill_running_hours"] = Sum(HOURS, "prefill_pool_replicas", HoursPerMonth, by, weight=weight)
    requests = maker.grains[HOURS].annotation("profile_requests")
    given["profile_requests"] = Sum(HOURS, "profile_requests", requests, by)
    if BATCHES in maker.grains:
        given["weighted_batch"] = Sum(BATCHES, "busy_batch_hour", SequencesByRequests, by, weight="profile_requests")
    else:
        # No batch follows demand.
        keys["weighted_batch"] = np.zeros(len(rows.serving))
        given["weighted_batch"] = Key(SequencesByRequests)
    given["most_accelerators"] = Largest(HOURS, "needed_accelerators", by, Count)
    given["days_in_month"] = DaysBilled()
    maker.make(FLEETS, keys, given, {**BILL_TOTAL_FORMULAS, **FLEET_FORMULAS}, (CONFIGURED, by))


def month_books(inputs: Inputs, grains: Mapping[str, Grain]) -> dict[str, Grain]:
    """The whole month in the books and in payments, beside what it costs; nothing where nothing differs."""
    promised = inputs.settings["promised_spending"] > 0 or inputs.settings["prepaid_balance"] > 0
    if FLEETS not in grains or not (promised or CONTRACTS in grains):
        return {}
    maker = Maker(inputs, grains)
    keys: Columns = {"total": np.array(["Total"])}
    given: dict[str, Source] = {}
    for name in ("contract", "booked_contract", "running_contract"):
        cost = f"{name.removesuffix('_contract')}_hour_cost"
        if CONTRACTS in grains:
            given[f"{name}_bill"] = Sum(CONTRACTS, cost, DollarsPerMonth, weight="part_hours")
        else:
            keys[f"{name}_bill"] = np.zeros(1)
            given[f"{name}_bill"] = Key(DollarsPerMonth)
    maker.make(MONTH_BOOKS, keys, given, MONTH_BOOK_FORMULAS, (TOTAL, "total"))
    return {MONTH_BOOKS: maker.grains[MONTH_BOOKS]}


def hourly_sources(grains: Mapping[str, Grain]) -> dict[str, Source]:
    """What a configuration takes from its hours; zeros for an alternative, which has none."""
    taken = {
        "is_billed_hourly": ("is_billed_hourly", Flag),
        "hourly_bill": ("bill", DollarsPerMonth),
        "hourly_useful_bill": ("useful_bill", DollarsPerMonth),
        "hourly_held": ("held_hours", HoursPerMonth),
        "hourly_used": ("useful_hours", HoursPerMonth),
        "hourly_accelerators": ("most_accelerators", Count),
        "hourly_batch": ("mean_batch", FLEET_FORMULAS["mean_batch"].__annotations__["return"]),
        **{
            name: (name, BILL_TOTAL_FORMULAS[name].__annotations__["return"])
            for name in ("hourly_utilization", "hourly_prefill_utilization", "hourly_accelerator_cost")
        },
    }
    return {
        name: Sum(FLEETS, quantity, annotation, "configuration") if FLEETS in grains else Key(annotation)
        for name, (quantity, annotation) in taken.items()
    }
