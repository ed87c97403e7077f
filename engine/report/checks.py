"""The checks of a run: each a live formula of the workbook, with what it should give and by how much it may be off."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from engine.formulas import STEPS
from engine.report.live import PARTS, cell_of, letters, quoted, range_of, sheets_of
from engine.scenarios import (
    ACCELERATORS,
    ACTUAL_MONTHS,
    ALL_TRAFFICS,
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
    Grain,
    Scenario,
)
from engine.sheets import FIRST_ROW
from engine.units import in_currency

CHECKS = "Run checks"
ENGINE = "Engine figures"
TIE_OUT = "Tie-out"
GRAINS = (
    MONTH_PARTS,
    CALENDAR,
    LINES,
    CLASS_HOURS,
    TRAFFIC_HOURS,
    PRICE_ROWS,
    PRICE_LISTS,
    BILLED,
    TARIFFS,
    CONFIGURED,
    VALLEYS,
    DAYS,
    HOURS,
    BATCHES,
    LOADS,
    CONTRACTS,
    HELD,
    POOLS,
    SLICES,
    BILLS,
    FLEETS,
    LEDGER,
    OTHER_COST_LINES,
    PROFIT_LINES,
    BY_TRAFFIC,
    BY_MODEL,
    BY_CLASS,
    TOTAL,
    MONTH_BOOKS,
    BRIDGE_LINES,
    BRIDGE,
    DECISIONS,
    CASES,
    PAIRS,
    ACCELERATORS,
    APIS,
    RATIOS,
    DRAFTS,
    PRICE_COURSE,
    CALENDAR_AHEAD,
    DEMAND_AHEAD,
    NEEDS_AHEAD,
    CONTRACTS_AHEAD,
    MONTHS_AHEAD,
    MODELS_AHEAD,
    TOTALS_AHEAD,
    MODEL_OUTLOOK,
    PAYBACK,
    OWNERSHIP,
    BOOKS,
    HOURS_OF_USE,
    WAYS,
    VOLUMES,
    SEARCHED,
    CROSSINGS,
    ACTUAL_MONTHS,
    YEAR_TO_DATE,
    TWELVE_MONTHS,
)

# A live figure may be off by this share of the engine's own; below 1E-15, only rounding is left of either. Written as
# squares, because the second engine takes no ABS of a range.
TOLERANCE, ROUNDING = "1E-9", "1E-30"
RUNS_A_LINE = 30  # Excel takes 8,192 characters a formula


@dataclass(frozen=True)
class LiveCheck:
    """One check: formulas for what is found and what is expected, and the difference allowed."""

    name: str
    found: str
    expected: str
    allowed: float


@dataclass(frozen=True)
class Block:
    """One live sheet's place on the sheet that holds the engine's own figures, block under block."""

    grain: Grain
    sheet: str
    quantities: tuple[str, ...]
    first_row: int


def blocks(scenario: Scenario) -> list[Block]:
    """Every live sheet with the row at which its block starts."""
    found, row = [], FIRST_ROW
    for grain in (scenario[name] for name in GRAINS if name in scenario.grains):
        for sheet, names in sheets_of(grain).items():
            # What a case looks up, and its passes, show in its figures; those are compared.
            if sheet in PARTS[CASES]:
                continue
            found.append(Block(grain, sheet, tuple(names), row))
            row += len(grain.keys) + 2
    return found


@dataclass(frozen=True)
class TiedColumn:
    """A column of a live sheet, or a part of it: how many cells are compared, and a formula for how many differ."""

    sheet: str
    quantity: str
    cells: str
    rows: int
    differing: str


@dataclass(frozen=True)
class _Run:
    """Rows of a column, one after the other, in which the engine's figure is of one kind."""

    kind: str  # number, text, nothing
    first: int
    rows: int


def tied_columns(scenario: Scenario) -> list[TiedColumn]:
    """Every column that is compared with the engine's figures, in the order of the sheets."""
    return [
        column
        for block in blocks(scenario)
        for place, quantity in enumerate(block.quantities[1:], 2)
        for column in _tied(block, quantity, letters(place))
    ]


def _tied(block: Block, quantity: str, column: str) -> list[TiedColumn]:
    found, runs = [], _runs(block.grain.values[quantity].tolist())
    for start in range(0, len(runs), RUNS_A_LINE):
        part = runs[start : start + RUNS_A_LINE]
        first, rows = part[0].first, sum(run.rows for run in part)
        counts = "+".join(_differing(block, column, run) for run in part)
        found.append(TiedColumn(block.sheet, quantity, _cells(column, FIRST_ROW + first, rows), rows, "=" + counts))
    return found


def _runs(values: list[Any]) -> list[_Run]:
    runs, first = [], 0
    for kind, group in groupby(values, _kind):
        rows = len(list(group))
        runs.append(_Run(kind, first, rows))
        first += rows
    return runs


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "text" if value else "nothing"
    return "number" if value == value else "nothing"  # NaN equals nothing, not even itself


def _cells(column: str, first: int, rows: int) -> str:
    return f"{column}{first}:{column}{first + rows - 1}"


def _differing(block: Block, column: str, run: _Run) -> str:
    """How many cells of a run are not the engine's, each compared on its own. Where one is no number, all are.

    What must be empty is compared with empty text, because a zero equals an empty cell.
    """
    live = f"{quoted(block.sheet)}!{_cells(column, FIRST_ROW + run.first, run.rows)}"
    own = f"{quoted(ENGINE)}!{_cells(column, block.first_row + run.first, run.rows)}"
    if run.kind == "number":
        # Products and not powers: LibreOffice calls a power too small for it an error.
        away = f"({live}-{own})*({live}-{own})>({TOLERANCE}*{own})*({TOLERANCE}*{own})+{ROUNDING}"
        return f"IF(COUNT({live})<{run.rows},{run.rows},SUMPRODUCT(({away})*1))"
    other = own if run.kind == "text" else '""'
    return f"IFERROR(SUMPRODUCT(({live}<>{other})*1),{run.rows})"


def live_checks(scenario: Scenario) -> tuple[LiveCheck, ...]:
    """Every check in the order of the sheet; the first is the tie-out."""
    configured, by_traffic, total = scenario[CONFIGURED], scenario[BY_TRAFFIC], scenario[TOTAL]
    ledger = scenario[LEDGER]
    last_row = FIRST_ROW + len(tied_columns(scenario)) - 1
    compared, differing = (f"SUM({quoted(TIE_OUT)}!{c}{FIRST_ROW}:{c}{last_row})" for c in "DE")
    counts, serves = range_of(configured, "counts"), range_of(configured, "serves")

    def of_total(quantity: str) -> str:
        return "=" + cell_of(total, quantity, "Total")

    return (
        LiveCheck(
            "Live figures that equal the engine\u2019s, each to a relative 1e-9",
            f"={compared}-{differing}",
            f"={compared}",
            0,
        ),
        LiveCheck("Configurations that serve and do not fit", f"=SUM({serves})-SUM({counts})", "=0", 0),
        LiveCheck(
            in_currency("Requests, each at its cost, add up to the bill, $ a month"),
            f"=SUMIFS({range_of(configured, 'allocated_cost')},{counts},1)",
            of_total("fleet_cost"),
            0.01,
        ),
        LiveCheck(
            in_currency("Traffics add up to the total gross profit, $ a month"),
            f"=SUM({range_of(by_traffic, 'gross_profit')})",
            of_total("gross_profit"),
            0.01,
        ),
        LiveCheck(
            in_currency("Revenue less the bill is gross profit, $ a month"),
            f"{of_total('revenue')}-{of_total('fleet_cost')[1:]}",
            of_total("gross_profit"),
            0.01,
        ),
        LiveCheck(
            in_currency("Lines of the ledger add up to the revenue, $ a month"),
            f"=SUM({range_of(ledger, 'net_revenue')})",
            of_total("revenue"),
            0.01,
        ),
        LiveCheck(
            in_currency("Lines of the ledger add up to the bill, $ a month"),
            f"=SUM({range_of(ledger, 'line_bill')})",
            of_total("fleet_cost"),
            0.01,
        ),
        LiveCheck(
            in_currency("List value less all that is not collected is the revenue, $ a month"),
            of_total("list_value")
            + "".join(f"-{of_total(part)[1:]}" for part in ("not_billed_value", "discounts", "not_collected_value")),
            of_total("revenue"),
            0.01,
        ),
        LiveCheck(
            in_currency("Models add up to the profit after all costs, $ a month"),
            f"=SUM({range_of(scenario[BY_MODEL], 'profit_after_other_costs')})",
            of_total("profit_after_other_costs"),
            0.01,
        ),
        LiveCheck(
            in_currency("Serving and idle add up to the bill, $ a month"),
            f"{of_total('busy_cost')}+{of_total('idle_cost')[1:]}",
            of_total("fleet_cost"),
            0.01,
        ),
        *_of_the_outlook(scenario),
        *((_steps(scenario),) if BRIDGE in scenario.grains else ()),
        *((_effects(scenario[ACTUAL_MONTHS]),) if ACTUAL_MONTHS in scenario.grains else ()),
    )


def _of_the_outlook(scenario: Scenario) -> tuple[LiveCheck, ...]:
    """That the months ahead begin where the month reported stands, and that their models add up; none without them."""
    if TOTALS_AHEAD not in scenario.grains:
        return ()
    totals, models = scenario[TOTALS_AHEAD], scenario[MODELS_AHEAD]
    first = str(totals.keys[0])
    return (
        *(
            LiveCheck(
                in_currency(f"The months ahead begin with the month reported, {name}, $ a month"),
                "=" + cell_of(totals, quantity, first),
                "=" + cell_of(scenario[TOTAL], reported, "Total"),
                0.01,
            )
            for name, quantity, reported in (
                ("gross profit", "forward_profit", "gross_profit"),
                ("profit after all costs", "forward_earnings", "profit_after_other_costs"),
            )
        ),
        LiveCheck(
            in_currency("Models add up to the profit after all costs of all months ahead, $"),
            f"=SUM({range_of(models, 'forward_earnings')})",
            f"=SUM({range_of(totals, 'forward_earnings')})",
            0.01,
        ),
    )


def _steps(scenario: Scenario) -> LiveCheck:
    """The steps from the month before lead to this month's gross profit."""
    bridge = scenario[BRIDGE]
    steps = "+".join(cell_of(bridge, f"{step}_step", ALL_TRAFFICS) for step in STEPS)
    return LiveCheck(
        in_currency("The steps from the month before lead to this month's gross profit, $"),
        f"={cell_of(bridge, 'before_profit', ALL_TRAFFICS)}+{steps}",
        "=" + cell_of(scenario[TOTAL], "gross_profit", "Total"),
        0.01,
    )


def _effects(months: Grain) -> LiveCheck:
    """What explains a difference from the model adds up to it, over all months."""

    def together(names: str) -> str:
        return "=" + "+".join(f"SUM({range_of(months, name)})" for name in names.split())

    return LiveCheck(
        in_currency("Volume, price, efficiency and rest add up to what is invoiced and billed beyond the model, $"),
        together(
            "cost_volume_effect cost_efficiency_effect cost_price_effect cost_rest revenue_volume_effect "
            "revenue_price_effect revenue_rest"
        ),
        together("cost_difference revenue_difference"),
        0.01,
    )
