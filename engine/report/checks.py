"""The checks of a run: each a live formula of the workbook, with what it should give and by how much it may be off."""

from __future__ import annotations

from dataclasses import dataclass

from engine.report.live import PARTS, cell_of, letters, quoted, range_of, sheets_of
from engine.scenarios import (
    ACCELERATORS,
    APIS,
    BILLED,
    BY_CLASS,
    BY_MODEL,
    BY_TRAFFIC,
    CASES,
    CONFIGURED,
    DECISIONS,
    DRAFTS,
    LEDGER,
    LINES,
    OTHER_COST_LINES,
    PRICE_COURSE,
    PRICE_LISTS,
    PRICE_ROWS,
    PROFIT_LINES,
    RATIOS,
    TARIFFS,
    TOTAL,
    Grain,
    Scenario,
)
from engine.sheets import FIRST_ROW

CHECKS = "Run checks"
ENGINE = "Engine figures"
TIE_OUT = "Tie-out"
GRAINS = (
    LINES,
    PRICE_ROWS,
    PRICE_LISTS,
    BILLED,
    TARIFFS,
    CONFIGURED,
    LEDGER,
    OTHER_COST_LINES,
    PROFIT_LINES,
    BY_TRAFFIC,
    BY_MODEL,
    BY_CLASS,
    TOTAL,
    DECISIONS,
    CASES,
    ACCELERATORS,
    APIS,
    RATIOS,
    DRAFTS,
    PRICE_COURSE,
)


@dataclass(frozen=True)
class LiveCheck:
    """One check: formulas for what is found and what is expected, and the difference allowed."""

    name: str
    found: str
    expected: str
    allowed: float


@dataclass(frozen=True)
class Block:
    """One live sheet on the sheets that set the engine's figures beside the live ones, block under block."""

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


def live_checks(scenario: Scenario) -> tuple[LiveCheck, ...]:
    """Every check in the order of the sheet; the first is the tie-out."""
    configured, by_traffic, total = scenario[CONFIGURED], scenario[BY_TRAFFIC], scenario[TOTAL]
    ledger = scenario[LEDGER]
    tied = blocks(scenario)
    last_row = tied[-1].first_row + len(tied[-1].grain.keys)
    last_column = letters(max(len(block.quantities) for block in tied))
    counts, serves = range_of(configured, "counts"), range_of(configured, "serves")

    def of_total(quantity: str) -> str:
        return "=" + cell_of(total, quantity, "Total")

    return (
        LiveCheck(
            "Live formulas equal the engine\u2019s figures: largest relative difference",
            f"=MAX({quoted(TIE_OUT)}!B{FIRST_ROW}:{last_column}{last_row})",
            "=0",
            1e-9,
        ),
        LiveCheck("Configurations that serve and do not fit", f"=SUM({serves})-SUM({counts})", "=0", 0),
        LiveCheck(
            "Requests, each at its cost, add up to the bill, $ a month",
            f"=SUMIFS({range_of(configured, 'allocated_cost')},{counts},1)",
            of_total("fleet_cost"),
            0.01,
        ),
        LiveCheck(
            "Traffics add up to the total gross profit, $ a month",
            f"=SUM({range_of(by_traffic, 'gross_profit')})",
            of_total("gross_profit"),
            0.01,
        ),
        LiveCheck(
            "Revenue less the bill is gross profit, $ a month",
            f"{of_total('revenue')}-{of_total('fleet_cost')[1:]}",
            of_total("gross_profit"),
            0.01,
        ),
        LiveCheck(
            "Lines of the ledger add up to the revenue, $ a month",
            f"=SUM({range_of(ledger, 'net_revenue')})",
            of_total("revenue"),
            0.01,
        ),
        LiveCheck(
            "Lines of the ledger add up to the bill, $ a month",
            f"=SUM({range_of(ledger, 'line_bill')})",
            of_total("fleet_cost"),
            0.01,
        ),
        LiveCheck(
            "List value less all that is not collected is the revenue, $ a month",
            of_total("list_value")
            + "".join(f"-{of_total(part)[1:]}" for part in ("not_billed_value", "discounts", "not_collected_value")),
            of_total("revenue"),
            0.01,
        ),
        LiveCheck(
            "Models add up to the profit after all costs, $ a month",
            f"=SUM({range_of(scenario[BY_MODEL], 'profit_after_other_costs')})",
            of_total("profit_after_other_costs"),
            0.01,
        ),
        LiveCheck(
            "Serving and idle add up to the bill, $ a month",
            f"{of_total('busy_cost')}+{of_total('idle_cost')[1:]}",
            of_total("fleet_cost"),
            0.01,
        ),
    )
