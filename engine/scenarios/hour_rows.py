"""Hour rows: which parts of the month and hours of the day there are, and which configurations have a row for each.

A configuration that serves has a row for each hour of a weekday and of a weekend day where its replicas follow the
load, or share contracts with some that do; else one row stands for all hours, because what they cost adds up to the
same.
"""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from engine.calculation import Columns
from engine.formulas import (
    MONTH_PART_FORMULAS,
    Formulas,
    needs,
)
from engine.scenarios.grains import Grain, make_grain
from engine.scenarios.sources import (
    CONFIGURED,
    LINES,
    MONTH_PARTS,
    CalendarDays,
    DaysBilled,
    Key,
    Setting,
    Source,
    Varied,
    WorkingDays,
)
from engine.sheets import COMMITMENTS, SETTINGS, TRAFFIC
from engine.units import (
    Days,
)
from engine.workbook.read import Inputs

EVERY_HOUR = "every hour"
KINDS = ("weekday", "weekend")
WHOLE_MONTH = "whole month"
GIVEN_BACK = ("on demand", "spot")  # terms on which an accelerator is paid only for as long as it is kept


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
