"""Sensitivity: which input moves gross profit most, two of them together, and whole scenarios."""

from __future__ import annotations

from engine.report.live import LiveSheet
from engine.report.pages.deployments import MOST_ROWS
from engine.report.sensitivity import CONFIGURATION, SCENARIO_TABLE, change_of, title_of
from engine.report.values import Block, Head, Heatmap, Margin, Paragraph, Row, Section, Swing, Table, Tornado
from engine.report.words import MoneyScale, listed, money_scale
from engine.scenarios import CASES, PAIRS, TOTAL, Scenario
from engine.studies.questions import Asked
from engine.studies.sensitivity import AS_IT_IS, HIGH, KEPT, LOW, MODES, REFILLED, SIDES, Pair, Sensitivity
from engine.units import DollarsPerMillionTokens, DollarsPerMonth, Number, Share, brief_money, show

MOST_SWINGS = 12
MOST_PAIRS = 1  # on the page; all are in the workbook


def sensitivity_pages(scenario: Scenario, asked: Asked, sheet: LiveSheet | None) -> list[Section]:
    """The month by driver with scenarios, and the configuration by driver and by two; none where nothing was asked."""
    found = asked.sensitivity
    if found is None or sheet is None:
        return []
    pages = [_month_page(scenario, found, sheet), _configuration_page(scenario, found, asked.base, sheet)]
    return [page for page in pages if page]


def _largest(scenario: Scenario, found: Sensitivity) -> list[tuple[float, str, str]]:
    """What each side of each driver does to gross profit, the largest change first, with driver and side."""
    profit = scenario[TOTAL].value("gross_profit", "Total")
    changes = [(change_of(outcome, profit), driver, side) for (driver, side), outcome in found.month.items()]
    known = [(change, driver, side) for change, driver, side in changes if change is not None]
    return sorted(known, key=lambda each: -abs(each[0]))


def _month_page(scenario: Scenario, found: Sensitivity, sheet: LiveSheet) -> Section | None:
    money = money_scale(scenario[TOTAL].value("fleet_cost", "Total"))
    profit = scenario[TOTAL].value("gross_profit", "Total")
    ranked = [each for each in _largest(scenario, found) if each[0]]
    blocks: list[Block] = []
    headline = "What scenarios do to the month"
    if ranked:
        headline = _headline(found, ranked)
        blocks = [Paragraph(_lead(found, ranked)), _tornado(scenario, found, money, profit, sheet)]
    elif found.drivers:
        headline = "None of the drivers moves the month’s gross profit"
    if found.scenarios:
        blocks.append(_scenarios(found, money, sheet))
    return Section("Sensitivity", headline, tuple(blocks)) if blocks else None


def _words(found: Sensitivity, driver: str, side: str) -> str:
    """`request volume −20%`."""
    words = next(each.sides[side].words for each in found.drivers if each.name == driver)
    return f"{driver[:1].lower()}{driver[1:]} {words}"


def _headline(found: Sensitivity, ranked: list[tuple[float, str, str]]) -> str:
    worst = [each for each in ranked if each[0] < 0][:2] or ranked[:2]
    parts = [f"{_words(found, driver, side)}, {brief_money(abs(change))}" for change, driver, side in worst]
    verb = "cost" if worst[0][0] < 0 else "bring"
    first, *others = parts
    name, _, amount = first.rpartition(", ")
    told = f"{name[:1].upper()}{name[1:]} would {verb} {amount} a month"
    return f"{told}; {'; '.join(others)}" if others else told


def _lead(found: Sensitivity, ranked: list[tuple[float, str, str]]) -> str:
    best = next(((change, driver, side) for change, driver, side in ranked if change > 0), None)
    most = f" What would help most is {_words(found, *best[1:])}, {brief_money(best[0], signed=True)}." if best else ""
    without = [
        f"{driver} {_side_words(found, driver, side)}: {outcome.reason}"
        for (driver, side), outcome in found.month.items()
        if outcome.reason
    ]
    told = f" Without a figure: {'; '.join(without)}." if without else ""
    return (
        "One input moves at a time, in all its rows unless it says which, and the whole month is calculated again: "
        f"replicas follow, batches and contracts stay.{most}{told}"
    )


def _side_words(found: Sensitivity, driver: str, side: str) -> str:
    return next(each.sides[side].words for each in found.drivers if each.name == driver)


def _tornado(
    scenario: Scenario, found: Sensitivity, money: MoneyScale, profit: float, sheet: LiveSheet
) -> Tornado:
    swings = []
    for driver in found.drivers:
        values: dict[str, float | None] = dict.fromkeys(SIDES)
        for side in driver.sides:
            change = change_of(found.month[driver.name, side], profit)
            values[side] = None if change is None else money.of(change)
        words = {side: driver.sides[side].words if side in driver.sides else "" for side in SIDES}
        swings.append(Swing(driver.name, values[LOW], values[HIGH], words[LOW], words[HIGH]))
    swings.sort(key=lambda swing: -max(abs(swing.low or 0.0), abs(swing.high or 0.0)))
    left_out = len(swings) - MOST_SWINGS
    more = f"; {left_out} smaller drivers are in the workbook" if left_out > 0 else ""
    return Tornado(
        title=f"Most depends on {swings[0].label[:1].lower()}{swings[0].label[1:]}.",
        description=f"Change of gross profit when one input moves, {money.words}; grey: what was tried{more}",
        swings=tuple(swings[:MOST_SWINGS]),
        unit=DollarsPerMonth,
        value_head=f"gross profit {brief_money(profit)} in {scenario.inputs.settings['report_month']:%B}; the change",
        note=Margin("Chart", sheet.range(0), "values; whether they stand is told there"),
        alt="Change of gross profit by driver: "
        + ", ".join(
            f"{driver} {side} {brief_money(change, signed=True)}" for change, driver, side in _largest(scenario, found)
        ),
    )


def _scenarios(found: Sensitivity, money: MoneyScale, sheet: LiveSheet) -> Table:
    names = list(dict.fromkeys(name for name, _ in found.scenarios))
    rows = []
    for name in names[:MOST_ROWS]:
        reason = next((found.scenarios[name, mode].reason for mode in MODES if found.scenarios[name, mode].reason), "")
        if reason:
            rows.append(Row((name,), across=reason))
            continue
        cells: list[object] = [name if name != AS_IT_IS else "The month as it is"]
        for mode in MODES:
            outcome, start = found.scenarios[name, mode], found.scenarios[AS_IT_IS, mode]
            change = change_of(outcome, start.figures["gross_profit"])
            cells += [
                money.of(outcome.figures["gross_profit"]),
                money.of(change or 0.0),
                outcome.figures["gross_margin"],
            ]
        rows.append(Row(tuple(cells), "key" if name == AS_IT_IS else "plain"))
    place = sheet.place_of(SCENARIO_TABLE) or 0
    return Table(
        "Scenarios",
        f"the whole month calculated again, {money.words}",
        (
            Head("Scenario"),
            *(
                head
                for mode in MODES
                for head in (
                    Head(f"Gross profit, {mode}", DollarsPerMonth, decimals=1),
                    Head("Change", DollarsPerMonth, signed=True, decimals=1),
                    Head("Margin", Share, decimals=1),
                )
            ),
        ),
        tuple(rows),
        Margin("Table", sheet.range(place)),
        f"{KEPT.capitalize()}: as many sequences as run today. {REFILLED.capitalize()}: as many as memory then holds; "
        "changes are against the month at that batch, in which answers may come slower than users are promised.",
    )


def _configuration_page(scenario: Scenario, found: Sensitivity, base: str, sheet: LiveSheet) -> Section | None:
    if not found.names:
        return None
    grain = scenario[CASES]
    place = sheet.place_of(f"{CONFIGURATION}, {base}")
    if place is None:
        return None
    live = sheet.tables[place]
    figures = live.rows[0].cells
    rows = [Row((*(cell.value for cell in figures), None), "key")]
    moved = []
    for row in live.rows[1:]:
        values = [cell.value for cell in row.cells]
        if values[2] is None:
            rows.append(Row((values[0],), across=f"{values[1]}: {values[-1]}"))
            continue
        rows.append(Row(tuple(values[:-1])))
        if values[3] is not None:
            moved.append((abs(values[3]), str(values[0]), str(values[1]), values[3]))
    if not moved:
        return None
    _, driver, words, change = max(moved)
    cost = show(grain.value("blended_cost", found.bases[KEPT]), DollarsPerMillionTokens)
    finding = (
        f"{driver} {words} moves the cost of {base} most: by {show(change, Share)} from {cost}"
    )
    table = Table(
        f"Drivers of {base}",
        "as a fleet around the clock; live in the workbook",
        (
            Head("Driver"),
            Head("Moved"),
            *(
                head
                for mode in MODES
                for head in (
                    Head(f"All-in, {mode}", DollarsPerMillionTokens, "$/Mtoken"),
                    Head("Change", Share, signed=True, decimals=1),
                    Head("Margin", Share, decimals=1),
                )
            ),
            Head("Elasticity", Number, decimals=2, signed=True),
        ),
        tuple(rows[: MOST_ROWS]),
        Margin("Table", sheet.range(place)),
        "Elasticity: by how many percent the all-in cost moves for each percent of the driver, batch kept.",
    )
    maps = [_heatmap(scenario, pair, base, sheet) for pair in found.pairs[:MOST_PAIRS]]
    more = [title_of(pair, base, KEPT) for pair in found.pairs[MOST_PAIRS:]]
    told = [Paragraph(f"In the workbook: {listed(more)}.")] if more else []
    return Section("Sensitivity of a configuration", finding, (table, *(each for each in maps if each), *told))


def _heatmap(scenario: Scenario, pair: Pair, base: str, sheet: LiveSheet) -> Heatmap | None:
    place = sheet.place_of(title_of(pair, base, KEPT))
    if PAIRS not in scenario.grains or place is None:
        return None
    rows = sheet.tables[place].rows
    values = tuple(tuple(cell.value for cell in row.cells[1:]) for row in rows)
    today = (pair.lines.index(AS_IT_IS), pair.columns.index(AS_IT_IS))
    return Heatmap(
        title=f"Gross margin by {pair.across.lower()} and {pair.down.lower()}",
        description=f"{pair.across} across; {base}, % of revenue; heavy line: break-even; frame: as it is",
        corner=pair.down,
        columns=pair.columns,
        lines=pair.lines,
        values=values,
        unit=Share,
        today=today,
        note=Margin("Table", sheet.range(place), f"{KEPT}; refilled below it"),
        alt=f"Gross margin of {base}, {pair.across.lower()} across and {pair.down.lower()} down.",
    )
