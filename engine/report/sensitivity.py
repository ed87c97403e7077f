"""The sheet Sensitivities: what drivers do to the month and to a configuration, two at a time, and whole scenarios.

Decides which figures stand in which row; the PDF shows the same. The month is calculated again for each, so its figures
are values; those of the configuration are live. Knows neither openpyxl nor how anything looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.formulas import BRIDGE_LINE_FORMULAS, COMPARISON_FORMULAS
from engine.report.live import Live, LiveChart, LiveRow, LiveSheet, LiveTable, as_text, cell_of, live
from engine.report.recommendation import standing, typed_numbers
from engine.report.values import Head
from engine.scenarios import CASES, PAIRS, TOTAL, Scenario
from engine.sheets import SCENARIOS, SENSITIVITY
from engine.studies.questions import Asked
from engine.studies.sensitivity import AS_IT_IS, KEPT, MODES, REFILLED, SIDES, Outcome, Pair, Sensitivity
from engine.tracing import EXCEL, written
from engine.units import DollarsPerMillionTokens, DollarsPerMonth, Number, Share, in_currency

NAME = "Sensitivities"
MONTH, CONFIGURATION, SCENARIO_TABLE = "The month, driver by driver", "One configuration", "Scenarios"
NOT_READ = "not read by it"


def sensitivities(scenario: Scenario, asked: Asked) -> LiveSheet | None:
    """The sheet; None where the workbook names neither drivers nor scenarios."""
    found = asked.sensitivity
    if found is None:
        return None
    tables = [_month(scenario, found)] if found.drivers else []
    if found.names:
        tables.append(_configuration(scenario, found, asked.base))
    if PAIRS in scenario.grains:
        tables += [_two_way(scenario, pair, asked.base, mode) for pair in found.pairs for mode in MODES]
    if found.scenarios:
        tables.append(_scenarios(scenario, found))
    charts: tuple[LiveChart, ...] = ()
    if found.drivers:
        charts = (
            LiveChart(
                "bar",
                in_currency("Change of the month\u2019s gross profit on the low side of each driver, $ a month"),
                table=0,
                across=0,
                up=3,
                x_axis="",
                y_axis=in_currency("change of gross profit, $ a month"),
                alt="Bar chart of what the low side of each driver does to gross profit.",
            ),
        )
    return LiveSheet(
        NAME,
        "What matters most: one input moves, all else stays",
        "The month is calculated again for each driver and scenario: values, with whether they still stand. "
        f"Figures of {asked.base} are live, as a fleet around the clock.",
        tuple(tables),
        charts,
        landscape=True,
    )


def change_of(outcome: Outcome, profit: float) -> float | None:
    """What a change of the inputs adds to the month's gross profit; None where it cannot be."""
    if outcome.reason:
        return None
    return float(BRIDGE_LINE_FORMULAS["profit_change"](outcome.figures["gross_profit"], profit))


def _value(value: float | None, annotation: Any) -> Live:
    return Live(value, annotation, "")


def _month(scenario: Scenario, found: Sensitivity) -> LiveTable:
    profit = scenario[TOTAL].value("gross_profit", "Total")
    nothing, stands = Outcome({}, ""), standing(typed_numbers(scenario, SENSITIVITY))
    rows = []
    for driver in found.drivers:
        outcomes = [found.month.get((driver.name, side), nothing) for side in SIDES]
        cells: list[Live] = [as_text(driver.name)]
        cells += [as_text(driver.sides[side].words if side in driver.sides else "") for side in SIDES]
        for name, annotation in (("gross_profit", DollarsPerMonth), ("gross_margin", Share)):
            for outcome in outcomes:
                value = outcome.figures.get(name)
                if name == "gross_profit" and value is not None:
                    value = change_of(outcome, profit)
                cells.append(_value(value, annotation))
        reasons = [outcome.reason for outcome in outcomes if outcome.reason]
        rows.append(LiveRow((*cells, stands, as_text("; ".join(reasons)))))
    unit = in_currency("$/month")
    heads = (
        Head("Driver"),
        Head("Low"),
        Head("High"),
        Head("Change of gross profit, low", DollarsPerMonth, unit, signed=True),
        Head("Change of gross profit, high", DollarsPerMonth, unit, signed=True),
        Head("Gross margin, low", Share),
        Head("Gross margin, high", Share),
        Head("Whether it stands"),
        Head("Why there is no figure"),
    )
    return LiveTable(heads, tuple(rows), f"{MONTH}, {KEPT}")


def _configuration(scenario: Scenario, found: Sensitivity, base: str) -> LiveTable:
    grain = scenario[CASES]
    rows = [LiveRow((as_text(AS_IT_IS), as_text(""), *_of_modes(scenario, found, "", "")), "total")]
    for driver in found.drivers:
        for name, side in driver.sides.items():
            modes = _of_modes(scenario, found, driver.name, name)
            elasticity = _elasticity(scenario, found, driver.name, name)
            reason: Live = as_text(found.reasons.get((driver.name, name), ""))
            case = found.names.get((driver.name, name, KEPT))
            if case:
                reason = live(grain, "reason", case)
            elif not reason.value:
                reason = as_text(NOT_READ)
            rows.append(LiveRow((as_text(driver.name), as_text(side.words), *modes, elasticity, reason)))
    unit = in_currency("$/Mtoken")
    figures = [
        head
        for mode in MODES
        for head in (
            Head(f"All-in, {mode}", DollarsPerMillionTokens, unit),
            Head("Change", Share, signed=True),
            Head("Margin", Share),
        )
    ]
    heads = (
        *(Head("Driver"), Head("Moved"), *figures),
        Head("Elasticity", Number),
        Head("Why there is no figure, or no change"),
    )
    return LiveTable(heads, tuple(rows), f"{CONFIGURATION}, {base}")


def _of_modes(scenario: Scenario, found: Sensitivity, driver: str, side: str) -> list[Live]:
    """Cost, its change and the margin at each mode; nothing where the driver moves nothing there."""
    grain, cells = scenario[CASES], list[Live]()
    for mode in MODES:
        base = found.bases[mode]
        case = found.names.get((driver, side, mode)) if driver else base
        if case is None:
            cells += [_value(None, DollarsPerMillionTokens), _value(None, Share), _value(None, Share)]
            continue
        cells.append(live(grain, "blended_cost", case))
        cells.append(_compared(scenario, case, base) if driver else _value(None, Share))
        cells.append(live(grain, "gross_margin", case))
    return cells


def _compared(scenario: Scenario, case: str, base: str) -> Live:
    """By what share a case costs more than it does as it is."""
    grain, formula = scenario[CASES], COMPARISON_FORMULAS["relative_change"]
    names = {"compared": cell_of(grain, "blended_cost", case), "base": cell_of(grain, "blended_cost", base)}
    costs = [grain.value("blended_cost", name) for name in (case, base)]
    value = None if None in costs else float(formula(*costs))
    return Live(value, Share, f'=IF({names["compared"]}="","",{written(formula, names.__getitem__, EXCEL)})')


def _elasticity(scenario: Scenario, found: Sensitivity, driver: str, side: str) -> Live:
    """Of the all-in cost at the kept batch; of drivers that move by a share, and where there is a cost."""
    share = next(each.sides[side].shift.share for each in found.drivers if each.name == driver)
    case = found.names.get((driver, side, KEPT))
    if not share or case is None:
        return _value(None, Number)
    compared, formula = _compared(scenario, case, found.bases[KEPT]), COMPARISON_FORMULAS["elasticity"]
    if compared.value is None:
        return _value(None, Number)
    place = next(each.sides[side].share_in for each in found.drivers if each.name == driver)
    names = {
        "relative_change": f"({compared.formula[1:]})",
        "driver_change": scenario.inputs.cell(*place) if place else repr(share),
    }
    text = written(formula, names.__getitem__, EXCEL)
    return Live(float(formula(compared.value, share)), Number, f'=IFERROR({text},"")')


def _two_way(scenario: Scenario, pair: Pair, base: str, mode: str) -> LiveTable:
    """Gross margin of the configuration: one driver across, the other down."""
    grain = scenario[PAIRS]
    names = {(i, j): combination.name for (of, i, j), combination in pair.combinations.items() if of == mode}
    rows = []
    for j, line in enumerate(pair.lines):
        cells = [
            live(grain, "gross_margin", names[i, j]) if (i, j) in names else _value(None, Share)
            for i in range(len(pair.columns))
        ]
        rows.append(LiveRow((as_text(line), *cells)))
    heads = (Head(f"{pair.down}, down; {pair.across.lower()}, across"), *(Head(word, Share) for word in pair.columns))
    return LiveTable(heads, tuple(rows), title_of(pair, base, mode))


def title_of(pair: Pair, base: str, mode: str) -> str:
    """The title of a two-way table."""
    return f"Gross margin of {base} by {pair.across.lower()} and {pair.down.lower()}, {mode}"


def _scenarios(scenario: Scenario, found: Sensitivity) -> LiveTable:
    names = list(dict.fromkeys(name for name, _ in found.scenarios))
    stands = standing(typed_numbers(scenario, SCENARIOS))
    rows = []
    for name in names:
        cells: list[Live] = [as_text(name)]
        for mode in MODES:
            outcome, start = found.scenarios[name, mode], found.scenarios[AS_IT_IS, mode]
            cells.append(_value(outcome.figures.get("gross_profit"), DollarsPerMonth))
            cells.append(_value(change_of(outcome, start.figures["gross_profit"]), DollarsPerMonth))
            cells.append(_value(outcome.figures.get("gross_margin"), Share))
        reason = found.scenarios[name, KEPT].reason or found.scenarios[name, REFILLED].reason
        rows.append(LiveRow((*cells, stands, as_text(reason)), "total" if name == AS_IT_IS else "plain"))
    unit = in_currency("$/month")
    figures: Sequence[Head] = [
        head
        for mode in MODES
        for head in (
            Head(f"Gross profit, {mode}", DollarsPerMonth, unit),
            Head("Change", DollarsPerMonth, unit, signed=True),
            Head("Margin", Share),
        )
    ]
    heads = (Head("Scenario"), *figures, Head("Whether it stands"), Head("Why there is no figure"))
    return LiveTable(heads, tuple(rows), SCENARIO_TABLE)
