"""Scenarios: which rows are calculated, and where each of their inputs is read. Knows nothing of Excel's grammar.

Each grain is one table. How a quantity comes to a grain is declared once, as data (`sources`): `grains` reads the
numbers by it, and the results workbook writes its live lookups by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from engine.calculation import Columns, depending_on
from engine.formulas import FORMULAS, LINE_FORMULAS, Formulas, needs
from engine.scenarios import owning
from engine.scenarios.actual_months import MODELLED, Archived, actual_grains, looked_back_on, month_name
from engine.scenarios.ahead import months_ahead
from engine.scenarios.asked import FURTHER, READ_OF_CASES, draft_columns
from engine.scenarios.billing import billing_grains
from engine.scenarios.bills import hourly_sources, month_books
from engine.scenarios.bridge import ALL as ALL_TRAFFICS
from engine.scenarios.bridge import LEFT as BRIDGE_LEFT
from engine.scenarios.bridge import Before, bridge_grains
from engine.scenarios.grains import Grain, make_grain, named_once
from engine.scenarios.hour_rows import month_parts, parts_and_calendar
from engine.scenarios.hours import with_hours
from engine.scenarios.joins import (
    CASE_FORMULAS,
    DECISION_FORMULAS,
    case_sources,
    configuration_sources,
    decision_sources,
    line_sources,
    wanted,
)
from engine.scenarios.ledger import ledger_grains
from engine.scenarios.owning import Crossing
from engine.scenarios.pairs import ACROSS, DOWN, Combination, pairs, read_of_case
from engine.scenarios.sources import (
    ACCELERATORS,
    ACTUAL_MONTHS,
    APIS,
    BATCHES,
    BILLED,
    BILLS,
    BOOKS,
    BRIDGE,
    BRIDGE_LINES,
    BY_CLASS,
    BY_MODEL,
    BY_TRAFFIC,
    CALENDAR,
    CALENDAR_AHEAD,
    CASES,
    CLASS_HOURS,
    CONFIGURED,
    CONTRACTS,
    CONTRACTS_AHEAD,
    CROSSINGS,
    DAYS,
    DECISIONS,
    DEMAND_AHEAD,
    DRAFTS,
    FLEETS,
    HELD,
    HOURS,
    HOURS_OF_USE,
    LEDGER,
    LINES,
    LOADS,
    MODEL_OUTLOOK,
    MODELS_AHEAD,
    MONTH_BOOKS,
    MONTH_PARTS,
    MONTHS_AHEAD,
    NEEDS_AHEAD,
    OTHER_COST_LINES,
    OWNERSHIP,
    PAIRS,
    PAYBACK,
    POOLS,
    PRICE_COURSE,
    PRICE_LISTS,
    PRICE_ROWS,
    PROFIT_LINES,
    RATIOS,
    SEARCHED,
    SLICES,
    TARIFFS,
    TOTAL,
    TOTALS_AHEAD,
    TRAFFIC_HOURS,
    TWELVE_MONTHS,
    VALLEYS,
    VOLUMES,
    WAYS,
    YEAR_TO_DATE,
    Aggregate,
    Booked,
    CalendarDays,
    Case,
    Chosen,
    Converted,
    Crossed,
    DayOf,
    DaysAhead,
    DaysBilled,
    EndDay,
    Filled,
    HasOne,
    HourShare,
    IsWord,
    Key,
    Known,
    Largest,
    Looked,
    Matched,
    Mean,
    MonthStart,
    Moved,
    Named,
    OneOf,
    Paired,
    Running,
    Said,
    Setting,
    Smallest,
    Source,
    StartAhead,
    Sum,
    SumAbove,
    Varied,
    WorkingDays,
    may_be_unknown,
)
from engine.sheets import CONFIGURATIONS, TRAFFIC, TRAFFIC_MIXES
from engine.units import unit_of
from engine.workbook.read import Inputs

__all__ = [
    "ACCELERATORS",
    "ACROSS",
    "ACTUAL_MONTHS",
    "ALL_TRAFFICS",
    "ALONE",
    "APIS",
    "BATCHES",
    "BILLED",
    "BILLS",
    "BOOKS",
    "BRIDGE",
    "BRIDGE_LEFT",
    "BRIDGE_LINES",
    "BY_CLASS",
    "BY_MODEL",
    "BY_TRAFFIC",
    "CALENDAR",
    "CALENDAR_AHEAD",
    "CASES",
    "CLASS_HOURS",
    "CONFIGURED",
    "CONTRACTS",
    "CONTRACTS_AHEAD",
    "CROSSINGS",
    "DAYS",
    "DECISIONS",
    "DEMAND_AHEAD",
    "DOWN",
    "DRAFTS",
    "FLEETS",
    "HELD",
    "HOURS",
    "HOURS_OF_USE",
    "LEDGER",
    "LINES",
    "LOADS",
    "MODELLED",
    "MODELS_AHEAD",
    "MODEL_OUTLOOK",
    "MONTHS_AHEAD",
    "MONTH_BOOKS",
    "MONTH_PARTS",
    "NEEDS_AHEAD",
    "OTHER_COST_LINES",
    "OWNERSHIP",
    "PAIRS",
    "PAYBACK",
    "POOLS",
    "PRICE_COURSE",
    "PRICE_LISTS",
    "PRICE_ROWS",
    "PROFIT_LINES",
    "RATIOS",
    "SEARCHED",
    "SLICES",
    "TARIFFS",
    "TOTAL",
    "TOTALS_AHEAD",
    "TRAFFIC_HOURS",
    "TWELVE_MONTHS",
    "VALLEYS",
    "VOLUMES",
    "WAYS",
    "YEAR_TO_DATE",
    "Aggregate",
    "Archived",
    "Before",
    "Booked",
    "CalendarDays",
    "Case",
    "Chosen",
    "Combination",
    "Converted",
    "Crossed",
    "Crossing",
    "DayOf",
    "DaysAhead",
    "DaysBilled",
    "EndDay",
    "Filled",
    "Grain",
    "HasOne",
    "HourShare",
    "IsWord",
    "Key",
    "Known",
    "Largest",
    "Looked",
    "Matched",
    "Mean",
    "MonthStart",
    "Moved",
    "Named",
    "OneOf",
    "Paired",
    "Running",
    "Said",
    "Scenario",
    "Setting",
    "Smallest",
    "Source",
    "StartAhead",
    "Sum",
    "SumAbove",
    "Varied",
    "WorkingDays",
    "around_the_clock",
    "case_inputs",
    "draft_columns",
    "looked_back_on",
    "may_be_unknown",
    "month_alone",
    "month_name",
    "scenario",
    "with_actuals",
    "with_asked",
    "with_bridge",
    "with_cases",
    "with_crossings",
    "with_pairs",
    "with_ways",
]


@dataclass(frozen=True)
class Scenario:
    """All grains of one report."""

    inputs: Inputs
    grains: Mapping[str, Grain]

    def __getitem__(self, name: str) -> Grain:
        return self.grains[name]


def scenario(inputs: Inputs) -> Scenario:
    """Every grain of the report, joined and calculated from what the workbook holds."""
    calculated = month_alone(inputs)
    return Scenario(inputs, {**calculated.grains, **months_ahead(inputs, calculated.grains)})


def month_alone(inputs: Inputs) -> Scenario:
    """The same without the months ahead: what a question asks that changes an input and reads the month again."""
    parts = month_parts(inputs)
    grains = _priced(inputs)
    configured = _configured(inputs)
    grains = with_hours(inputs, {**grains, CONFIGURED: _before_hours(inputs, configured, grains)}, parts)
    given = hourly_sources(grains)
    sources = wanted({**configuration_sources(), **given}, FORMULAS)
    nothing: Columns = {
        name: np.zeros(len(configured["configuration"])) for name, source in given.items() if isinstance(source, Key)
    }
    grains[CONFIGURED] = make_grain(
        CONFIGURED, {**configured, **nothing}, sources, FORMULAS, inputs, grains, guards=["batch_size"]
    )

    for grain in ledger_grains(inputs, grains):
        grains[grain.name] = grain
    grains |= month_books(inputs, grains)
    decided = decision_sources(grains[CONFIGURED])
    stands = [quantity for quantity in decided if quantity in grains[CONFIGURED].guarded]
    blank = [name for name, source in decided.items() if may_be_unknown(source)]
    grains[DECISIONS] = make_grain(
        DECISIONS, configured, decided, DECISION_FORMULAS, inputs, grains, guards=stands, unknown=blank
    )
    return Scenario(inputs, grains)


def around_the_clock(inputs: Inputs) -> Grain:
    """The configurations as far as they are known before anything is billed by the hour, as a case has them."""
    return _before_hours(inputs, _configured(inputs), _priced(inputs))


def _configured(inputs: Inputs) -> Columns:
    return {"configuration": inputs.tables[CONFIGURATIONS.name].columns["configuration"]}


def _priced(inputs: Inputs) -> dict[str, Grain]:
    """What configurations are joined from: parts of the month, the classes of each traffic, price lists."""
    grains: dict[str, Grain] = {
        MONTH_PARTS: parts_and_calendar(inputs, month_parts(inputs)),
        **owning.ownership(inputs),
    }
    traffic, mixes = inputs.tables[TRAFFIC.name], inputs.tables[TRAFFIC_MIXES.name]
    classes = traffic.columns["traffic"]
    of_groups = [
        f"{mix}: {name}" for mix, name in zip(mixes.columns["traffic_mix"], mixes.columns["traffic"], strict=True)
    ]
    line_keys = {
        "line": np.array([*classes, *of_groups]),
        "traffic": np.concatenate([classes, mixes.columns["traffic_mix"]]),
        "traffic_class": np.concatenate([classes, mixes.columns["traffic"]]),
    }
    grains[LINES] = make_grain(LINES, line_keys, line_sources(), LINE_FORMULAS, inputs, grains)
    for grain in billing_grains(inputs, grains):
        grains[grain.name] = grain
    return grains


def _before_hours(inputs: Inputs, keys: Columns, grains: Mapping[str, Grain]) -> Grain:
    """The configurations as far as they are known before anything is billed by the hour."""
    billed = {name for given in hourly_sources({}) for name in depending_on(given)}
    formulas = {name: formula for name, formula in FORMULAS.items() if name not in billed}
    sources = wanted(configuration_sources(), formulas)
    return make_grain(CONFIGURED, keys, sources, formulas, inputs, grains, guards=["batch_size"])


def with_cases(
    calculated: Scenario,
    cases: Sequence[Case],
    combinations: Sequence[Combination] = (),
    formulas: Formulas = CASE_FORMULAS,
) -> Scenario:
    """The same grains, and one more: configurations with something changed, each a full row of the model.

    What a case does not change it shares with its configuration; a change of a name (hardware, precision, model)
    brings everything that is looked up by that name. Cases are in no total. `combinations` will be asked of a case.
    """
    keys, changes = _of_cases(cases)
    sources = case_sources(calculated[CONFIGURED].sources)
    grain = make_grain(
        *(CASES, keys, sources, formulas, calculated.inputs, calculated.grains, ["batch_size"], changes),
        inlined=_without_columns(sources, changes, read_of_case(combinations) if combinations else ()),
    )
    return Scenario(calculated.inputs, {**calculated.grains, CASES: grain})


def with_pairs(calculated: Scenario, combinations: Sequence[Combination]) -> Scenario:
    """The same grains, and one for combinations of two drivers on a case; none where there are no combinations."""
    if not combinations:
        return calculated
    grain = pairs(calculated.inputs, calculated.grains, combinations)
    return Scenario(calculated.inputs, {**calculated.grains, PAIRS: grain})


def case_inputs(calculated: Scenario, cases: Sequence[Case]) -> Columns:
    """What the formulas of these cases read, one value for each case, and the names by which it is looked up."""
    keys, changes = _of_cases(cases)
    sources = case_sources(calculated[CONFIGURED].sources)
    return make_grain(CASES, keys, sources, {}, calculated.inputs, calculated.grains, changes=changes).values


# A case is in no total, and costed as the peak's fleet around the clock.
ALONE: Mapping[str, float] = {"serves": 0.0, **{name: 0.0 for name in hourly_sources({})}}


def _of_cases(cases: Sequence[Case]) -> tuple[Columns, list[dict[str, Any]]]:
    """The keys of cases, and what each types over."""
    names = [case.name for case in cases]
    if len(set(names)) < len(names):
        # Rows are found by name, here and in the workbook.
        raise ValueError(f"two cases have one name: {sorted(name for name in set(names) if names.count(name) > 1)}")
    keys: Columns = {
        "case": np.array(names),
        "study": np.array([case.study for case in cases]),
        "configuration": np.array([case.configuration for case in cases]),
    }
    return keys, [{**ALONE, **case.changes} for case in cases]


def _without_columns(
    sources: Mapping[str, Source], changes: Sequence[Mapping[str, Any]], read: Iterable[str]
) -> list[str]:
    """What stands in no column of the cases, but within the formulas that need it.

    It is what one or two formulas look up, and a step of a pass that one formula names once; nobody types it over, and
    no question reads it. A workbook takes only so many formulas, and every column of the cases is a hundred of them.
    """
    asked = Counter(quantity for formula in CASE_FORMULAS.values() for quantity in needs(formula))
    kept = READ_OF_CASES.union(read, *changes)
    looked_up = [
        quantity
        for quantity, source in sources.items()
        if asked[quantity] in (1, 2) and not isinstance(source, Key) and unit_of(source.annotation).is_number
    ]
    return [quantity for quantity in (*looked_up, *named_once(CASE_FORMULAS)) if quantity not in kept]


def with_asked(calculated: Scenario, base: str, wanted: Mapping[str, Sequence[str]]) -> Scenario:
    """The same grains, and those of further questions, asked of `base`.

    `wanted` names the grains (ACCELERATORS, APIS, RATIOS, DRAFTS, PRICE_COURSE), each with the cases that are its rows
    where it has such. A grain without rows is left out.
    """
    grains = dict(calculated.grains)
    for name, cases in wanted.items():
        grain = FURTHER[name](calculated.inputs, grains, base, cases)
        if len(grain.keys):
            grains[name] = grain
    return Scenario(calculated.inputs, grains)


def with_ways(calculated: Scenario, base: str, competitor: str) -> Scenario:
    """The same grains, and what serving `base` is made of when owned, when rented, and from an API if one is named."""
    grains = dict(calculated.grains)
    grains[WAYS] = owning.ways(calculated.inputs, grains, base, competitor)
    return Scenario(calculated.inputs, grains)


def with_crossings(calculated: Scenario, tokens: Sequence[int], found: Sequence[Crossing]) -> Scenario:
    """The same grains, and what those volumes cost in every way, what a search found, and what it started from."""
    inputs, grains = calculated.inputs, dict(calculated.grains)
    figures = {name: float(grains[WAYS].at(name, 0)) for name in owning.searched_figures(grains[WAYS])}
    grains[VOLUMES] = owning.volumes(inputs, grains, tokens)
    grains[SEARCHED] = owning.searched(inputs, grains, figures)
    grains[CROSSINGS] = owning.crossings(inputs, grains, found)
    return Scenario(inputs, grains)


def with_actuals(calculated: Scenario, archived: Mapping[date, Archived]) -> Scenario:
    """The same grains, and those of the months on Actuals, beside the archive's runs of earlier months."""
    found = actual_grains(calculated.inputs, calculated.grains, archived)
    return Scenario(calculated.inputs, {**calculated.grains, **found})


def with_bridge(calculated: Scenario, before: Before) -> Scenario:
    """The same grains, and the steps from the month before to this one."""
    found = bridge_grains(calculated.inputs, calculated.grains, before)
    return Scenario(calculated.inputs, {**calculated.grains, **found})
