"""Hours: the grains between a configuration and its bill: parts of the month, hours of the day, contracts and fleets.

Says which rows they have and where each input is read. A configuration that serves has a row for each hour of a weekday
and of a weekend day where its replicas follow the load, or share contracts with some that do; else one row stands for
all hours, because what they cost adds up to the same.
"""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from engine.calculation import Columns
from engine.formulas import (
    BATCH_FORMULAS,
    BILL_FORMULAS,
    BILL_TOTAL_FORMULAS,
    CALENDAR_FORMULAS,
    CLASS_HOUR_FORMULAS,
    CONTRACT_FORMULAS,
    DAY_FORMULAS,
    FLEET_FORMULAS,
    HELD_FORMULAS,
    HOUR_FORMULAS,
    MONTH_BOOK_FORMULAS,
    MONTH_PART_FORMULAS,
    PROFILE_SLICE_FORMULAS,
    PROMPT_FORMULAS,
    SLICE_FORMULAS,
    VALLEY_FORMULAS,
    Formulas,
    needs,
)
from engine.scenarios.grains import Grain, make_grain
from engine.scenarios.joins import BILL_LINES
from engine.scenarios.sources import (
    BATCHES,
    BILLS,
    BOOKS,
    CALENDAR,
    CLASS_HOURS,
    CONFIGURED,
    CONTRACTS,
    DAYS,
    FLEETS,
    HELD,
    HOURS,
    LINES,
    LOADS,
    MONTH_BOOKS,
    MONTH_PARTS,
    OWNERSHIP,
    POOLS,
    SLICES,
    TOTAL,
    TRAFFIC_HOURS,
    VALLEYS,
    CalendarDays,
    DayOf,
    DaysBilled,
    Filled,
    HourShare,
    IsWord,
    Key,
    Largest,
    Looked,
    MonthStart,
    OneOf,
    Setting,
    Source,
    Sum,
    SumAbove,
    Varied,
    WorkingDays,
)
from engine.sheets import COMMITMENTS, CONFIGURATIONS, HARDWARE, SETTINGS, TRAFFIC
from engine.units import (
    Count,
    Days,
    DollarsPerHour,
    DollarsPerMonth,
    Flag,
    HoursPerMonth,
    Number,
    RequestsPerSecond,
    SequencesByRequests,
    Text,
)
from engine.workbook.read import Inputs

EVERY_HOUR = "every hour"
KINDS = ("weekday", "weekend")
WHOLE_MONTH = "whole month"
TERMS = {"owned": "owned", "three_year": "3 years", "one_year": "1 year"}
GIVEN_BACK = ("on demand", "spot")  # terms on which an accelerator is paid only for as long as it is kept
MOST_SLICES = 8  # of the need for one kind of accelerator
HOUR_LINES = ("useful", "held")


@dataclass(frozen=True)
class Hour:
    """An hour of the profile, or all of them as one."""

    name: str
    number: float = 0.0
    is_weekend: float = 0.0
    is_every_day: float = 0.0

    @property
    def before(self) -> str:
        """The hour before it on the same kind of day; midnight comes after eleven."""
        return self.name if self.is_every_day else _name(self.is_weekend, (self.number - 1) % 24)


def _name(is_weekend: float, number: float) -> str:
    return f"{KINDS[int(is_weekend)]} {number:02.0f}"


ALL_HOURS = Hour(EVERY_HOUR, is_every_day=1.0)
PROFILE = tuple(Hour(_name(w, n), float(n), float(w)) for w in (0, 1) for n in range(24))


@dataclass(frozen=True)
class Part:
    """Days of the month between which no contract begins or ends."""

    name: str
    first: date
    last: date

    @property
    def working_days(self) -> float:
        return float(np.busday_count(self.first, self.last + timedelta(days=1)))

    @property
    def days(self) -> float:
        return float((self.last - self.first).days + 1)


def month_parts(inputs: Inputs) -> tuple[Part, ...]:
    """The report month, cut where a contract begins or ends within it."""
    first: date = inputs.settings["report_month"].replace(day=1)
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    contracts = list(inputs.tables[COMMITMENTS.name])
    begins = {row["contract_start"] for row in contracts}
    begins |= {row["contract_end"] + timedelta(days=1) for row in contracts}
    starts = sorted({first, *(day for day in begins if first < day <= last)})
    ends = [*(start - timedelta(days=1) for start in starts[1:]), last]
    if len(starts) == 1:
        return (Part(WHOLE_MONTH, first, last),)
    return tuple(Part(f"{a.day} to {b.day} {b:%B}", a, b) for a, b in zip(starts, ends, strict=True))


@dataclass(frozen=True)
class Rows:
    """Which configurations are billed by the hour, each with its hours."""

    inputs: Inputs
    configured: Grain

    @cached_property
    def serving(self) -> list[str]:
        """Configurations in the totals whose traffic has demand."""
        grain = self.configured
        return [str(key) for key in grain.keys if grain.value("counts", key) and grain.value("has_demand", key)]

    @cached_property
    def hours_of(self) -> Mapping[str, tuple[Hour, ...]]:
        """The hours of each of them."""
        moving = {key for key in self.serving if self._follows_the_hour(key)}
        shared = {self._hardware(key) for key in moving} & {str(row["hardware"]) for row in self._contracts}
        by_the_hour = moving | {key for key in self.serving if self._hardware(key) in shared}
        return {key: PROFILE if key in by_the_hour else (ALL_HOURS,) for key in self.serving}

    @cached_property
    def every(self) -> tuple[Hour, ...]:
        """All hours that anybody has a row of, in order; those of the profile also where a profile is only shown."""
        profiled = any(self._profiled(str(self.configured.value("traffic", key))) for key in self.serving)
        return (ALL_HOURS, *(PROFILE if profiled or PROFILE in self.hours_of.values() else ()))

    @property
    def _contracts(self) -> Any:
        return self.inputs.tables[COMMITMENTS.name]

    def _hardware(self, key: str) -> str:
        return str(self.configured.value("hardware", key))

    def _profiled(self, traffic: str) -> bool:
        """Whether the requests of a class, or of a class of a mix, change with the hour or the day."""
        mixes = self.inputs.tables["Traffic mixes"]
        classes = {traffic, *(row["traffic"] for row in mixes if row["traffic_mix"] == traffic)}
        rows = [row for row in self.inputs.tables[TRAFFIC.name] if row["traffic"] in classes]
        return any(row["load_profile"] or row["weekend_weight"] != 1 for row in rows)

    def _follows_the_hour(self, key: str) -> bool:
        grain = self.configured
        moves = grain.value("scales_hourly", key) or grain.value("requested_batch_size", key) < 0
        return bool(moves) and self._profiled(str(grain.value("traffic", key)))

    def hardware_hour(self, key: str, hour: Hour) -> str:
        """The accelerator and the hour."""
        return f"{self._hardware(key)}, {hour.name}"

    def is_rented(self, key: str) -> bool:
        """Whether a configuration's accelerators can be given back."""
        return self.configured.value("price_basis", key) in GIVEN_BACK

    def pairs(self) -> list[tuple[str, Hour]]:
        """Every configuration with each of its hours."""
        return [(key, hour) for key, hours in self.hours_of.items() for hour in hours]


class Maker:
    """Makes one grain after the other, each from those before it."""

    def __init__(self, inputs: Inputs, grains: Mapping[str, Grain]) -> None:
        self.inputs = inputs
        self.grains = dict(grains)

    def make(
        self, name: str, keys: Columns, given: Mapping[str, Source], formulas: Formulas, *others: tuple[str, str]
    ) -> None:
        """A grain with these keys; what else its formulas need it has from rows of other grains, or from Settings.

        `others` are pairs of a grain and the key by which its row is found; the first that has a quantity gives it.
        """
        sources: dict[str, Source] = {quantity: given.get(quantity, Key()) for quantity in keys} | dict(given)
        asked = Counter(quantity for formula in formulas.values() for quantity in needs(formula))
        wanted = sorted(set(asked) - set(formulas) - set(sources))
        for quantity in wanted:
            sources[quantity] = self._found(quantity, others)
        # What is the same in every hour, and looked up by one formula alone, has no column of its own: a workbook takes
        # only so many formulas.
        inlined = [quantity for quantity in wanted if asked[quantity] == 1 and _is_constant(sources[quantity])]
        self.grains[name] = make_grain(name, keys, sources, formulas, self.inputs, self.grains, inlined=inlined)

    def _found(self, quantity: str, others: Iterable[tuple[str, str]]) -> Source:
        for grain, by in others:
            if self.grains[grain].has_column(quantity):
                return Varied(grain, quantity, by, self.grains[grain].annotation(quantity))
        return Setting(SETTINGS.column(quantity))


def _is_constant(source: Source) -> bool:
    """Whether a source gives all hours of a configuration, or of a class, the same."""
    return isinstance(source, Setting) or (isinstance(source, Varied) and source.grain in (CONFIGURED, LINES))


def parts_and_calendar(inputs: Inputs, parts: tuple[Part, ...]) -> Grain:
    """The parts of the month with their days; as long as there is only one, by the calendar of the report month."""
    keys: Columns = {"part": np.array([part.name for part in parts])}
    given: dict[str, Source] = {"part_days": CalendarDays(Days), "working_days": WorkingDays()}
    if len(parts) > 1:
        keys |= {
            "part_days": np.array([part.days for part in parts]),
            "working_days": np.array([part.working_days for part in parts]),
        }
        given = {"part_days": Key(Days), "working_days": Key(Days)}
    sources = {"part": Key(), **given, "calendar_days": CalendarDays(Days), "days_in_month": DaysBilled()}
    return make_grain(MONTH_PARTS, keys, sources, MONTH_PART_FORMULAS, inputs, {})


def with_hours(inputs: Inputs, grains: Mapping[str, Grain], parts: tuple[Part, ...]) -> dict[str, Grain]:
    """The grains, with those of the hours and of the fleets' bills; unchanged where nothing serves a demand."""
    rows = Rows(inputs, grains[CONFIGURED])
    if not rows.serving:
        return dict(grains)
    maker = Maker(inputs, grains)
    _calendar(maker, rows, parts)
    _requests(maker, rows)
    _valleys(maker, rows)
    _fleet_hours(maker, rows)
    _loads(maker, rows)
    _batches(maker, rows)
    _contracts(maker, rows, parts)
    _slices(maker, rows)
    _bills(maker, rows, parts)
    _fleets(maker, rows)
    return maker.grains


def _calendar(maker: Maker, rows: Rows, parts: tuple[Part, ...]) -> None:
    pairs = [(hour, part) for hour in rows.every for part in parts]
    keys: Columns = {
        "calendar_hour": np.array([f"{hour.name}, {part.name}" for hour, part in pairs]),
        "hour": np.array([hour.name for hour, _ in pairs]),
        "part": np.array([part.name for _, part in pairs]),
        "is_weekend": np.array([hour.is_weekend for hour, _ in pairs]),
        "is_every_day": np.array([hour.is_every_day for hour, _ in pairs]),
    }
    flags: dict[str, Source] = {"is_weekend": Key(Flag), "is_every_day": Key(Flag)}
    maker.make(CALENDAR, keys, flags, CALENDAR_FORMULAS, (MONTH_PARTS, "part"))


def _requests(maker: Maker, rows: Rows) -> None:
    """Requests of every class, and of every traffic that is served, by the hour."""
    served = list(dict.fromkeys(str(rows.configured.value("traffic", key)) for key in rows.serving))
    lines = maker.grains[LINES]
    triples = [
        (str(lines.at("traffic", row)), row, hour)
        for row in range(len(lines.keys))
        if lines.at("traffic", row) in served
        for hour in rows.every
    ]
    keys: Columns = {
        "class_hour": np.array([f"{lines.keys[row]}, {hour.name}" for _, row, hour in triples]),
        "line": np.array([lines.keys[row] for _, row, _ in triples]),
        "traffic_class": np.array([lines.at("traffic_class", row) for _, row, _ in triples]),
        "traffic_hour": np.array([f"{traffic}, {hour.name}" for traffic, _, hour in triples]),
        "hour_number": np.array([hour.number for *_, hour in triples]),
        "is_weekend": np.array([hour.is_weekend for *_, hour in triples]),
        "is_every_day": np.array([hour.is_every_day for *_, hour in triples]),
    }
    given: dict[str, Source] = {
        **{name: Key(Flag) for name in ("is_weekend", "is_every_day")},
        "hour_number": Key(Number),
        "load_profile": Looked(TRAFFIC, TRAFFIC.column("load_profile"), "traffic_class"),
        "hour_share": HourShare("load_profile", "hour_number", "is_weekend", "is_every_day"),
    }
    maker.make(CLASS_HOURS, keys, given, CLASS_HOUR_FORMULAS, (LINES, "line"))
    both = [(traffic, hour) for traffic in served for hour in rows.every]
    of_traffic: Columns = {
        "traffic_hour": np.array([f"{traffic}, {hour.name}" for traffic, hour in both]),
        "traffic": np.array([traffic for traffic, _ in both]),
        "hour": np.array([hour.name for _, hour in both]),
    }
    sums: dict[str, Source] = {
        "traffic_hour_requests": Sum(CLASS_HOURS, "hour_requests", RequestsPerSecond, "traffic_hour"),
        "traffic_hour_deferrable": Sum(CLASS_HOURS, "deferrable_requests", RequestsPerSecond, "traffic_hour"),
    }
    maker.make(TRAFFIC_HOURS, of_traffic, sums, {})


def _valleys(maker: Maker, rows: Rows) -> None:
    """What each configuration serves in an hour, and where its batch work finds room in the day."""
    pairs = rows.pairs()
    traffic = {key: str(rows.configured.value("traffic", key)) for key in rows.serving}
    keys: Columns = {
        "configuration_hour": np.array([f"{key}, {hour.name}" for key, hour in pairs]),
        "configuration": np.array([key for key, _ in pairs]),
        "configuration_day": np.array([_day(key, hour) for key, hour in pairs]),
        "traffic_hour": np.array([f"{traffic[key]}, {hour.name}" for key, hour in pairs]),
    }
    others = ((TRAFFIC_HOURS, "traffic_hour"), (CONFIGURED, "configuration"))
    maker.make(VALLEYS, keys, {}, VALLEY_FORMULAS, *others)
    days: Columns = {"configuration_day": np.array(list(dict.fromkeys(_day(key, hour) for key, hour in pairs)))}
    sums: dict[str, Source] = {
        "day_deferrable_requests": Sum(VALLEYS, "deferrable_requests", RequestsPerSecond, "configuration_day"),
        "day_valley_room": Sum(VALLEYS, "valley_room", RequestsPerSecond, "configuration_day"),
    }
    maker.make(DAYS, days, sums, DAY_FORMULAS)


def _day(key: str, hour: Hour) -> str:
    return f"{key}, {hour.name if hour.is_every_day else KINDS[int(hour.is_weekend)]}"


def _fleet_hours(maker: Maker, rows: Rows) -> None:
    """The replicas and accelerators of each hour."""
    grain, pairs = rows.configured, rows.pairs()
    keys: Columns = {
        "configuration_hour": np.array([f"{key}, {hour.name}" for key, hour in pairs]),
        "configuration": np.array([key for key, _ in pairs]),
        "hour": np.array([hour.name for _, hour in pairs]),
        "configuration_day": np.array([_day(key, hour) for key, hour in pairs]),
        "traffic": np.array([grain.value("traffic", key) for key, _ in pairs]),
        "hardware_hour": np.array([f"{grain.value('hardware', key)}, {hour.name}" for key, hour in pairs]),
    }
    given: dict[str, Source] = {
        "busiest_hour_requests": Largest(TRAFFIC_HOURS, "traffic_hour_requests", "traffic", RequestsPerSecond),
        "profile_hours": Sum(CALENDAR, "profile_hours", HoursPerMonth, "hour"),
        "waiting_target": Varied(
            CONFIGURED, "pool_waiting_target", "configuration", grain.annotation("pool_waiting_target")
        ),
    }
    basis = Looked(CONFIGURATIONS, CONFIGURATIONS.column("price_basis"), "configuration")
    given["is_rented"] = OneOf(basis, GIVEN_BACK)
    others = ((VALLEYS, "configuration_hour"), (DAYS, "configuration_day"), (CONFIGURED, "configuration"))
    maker.make(HOURS, keys, given, {**HOUR_FORMULAS, **PROMPT_FORMULAS}, *others)


def _batches(maker: Maker, rows: Rows) -> None:
    """The batch that each hour's requests make, of configurations whose batch follows demand; none where none does."""
    pairs = [(key, hour) for key, hour in rows.pairs() if rows.configured.value("requested_batch_size", key) < 0]
    if pairs:
        keys: Columns = {
            "configuration_hour": np.array([f"{key}, {hour.name}" for key, hour in pairs]),
            "configuration": np.array([key for key, _ in pairs]),
        }
        others = ((HOURS, "configuration_hour"), (CONFIGURED, "configuration"))
        weight = maker.grains[HOURS].annotation("profile_requests")
        given: dict[str, Source] = {"profile_requests": Varied(HOURS, "profile_requests", "configuration_hour", weight)}
        maker.make(BATCHES, keys, given, BATCH_FORMULAS, *others)


def _loads(maker: Maker, rows: Rows) -> None:
    """Accelerators that are busy and that run, hour by hour, of all fleets that have hours."""
    if PROFILE in rows.hours_of.values():
        keys: Columns = {"hour": np.array([hour.name for hour in PROFILE])}
        sums: dict[str, Source] = {
            "hour_useful": Sum(HOURS, "useful_accelerators", Count, "hour"),
            "hour_needed": Sum(HOURS, "needed_accelerators", Count, "hour"),
        }
        maker.make(LOADS, keys, sums, {})


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
