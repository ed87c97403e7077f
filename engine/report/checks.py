"""The checks of a run: each a live formula of the workbook, with what it should give and by how much it may be off."""

from __future__ import annotations

from dataclasses import dataclass

from engine.report.live import PARTS, cell_of, letters, quoted, range_of, sheets_of
from engine.scenarios import (
    ACCELERATORS,
    ACTUAL_MONTHS,
    APIS,
    BY_TRAFFIC,
    CASES,
    CONFIGURED,
    DECISIONS,
    DRAFTS,
    LINES,
    PRICE_COURSE,
    RATIOS,
    TOTAL,
    TWELVE_MONTHS,
    YEAR_TO_DATE,
    Grain,
    Scenario,
)
from engine.sheets import FIRST_ROW

CHECKS = "Run checks"
ENGINE = "Engine figures"
TIE_OUT = "Tie-out"
GRAINS = (
    LINES,
    CONFIGURED,
    BY_TRAFFIC,
    TOTAL,
    DECISIONS,
    CASES,
    ACCELERATORS,
    APIS,
    RATIOS,
    DRAFTS,
    PRICE_COURSE,
    ACTUAL_MONTHS,
    YEAR_TO_DATE,
    TWELVE_MONTHS,
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
            "Serving and idle add up to the bill, $ a month",
            f"{of_total('busy_cost')}+{of_total('idle_cost')[1:]}",
            of_total("fleet_cost"),
            0.01,
        ),
        *((_effects(scenario[ACTUAL_MONTHS]),) if ACTUAL_MONTHS in scenario.grains else ()),
    )


def _effects(months: Grain) -> LiveCheck:
    """What explains a difference from the model adds up to it, over all months."""

    def together(names: str) -> str:
        return "=" + "+".join(f"SUM({range_of(months, name)})" for name in names.split())

    return LiveCheck(
        "Volume, price, efficiency and rest add up to what is invoiced and billed beyond the model, $",
        together(
            "cost_volume_effect cost_efficiency_effect cost_price_effect cost_rest revenue_volume_effect "
            "revenue_price_effect revenue_rest"
        ),
        together("cost_difference revenue_difference"),
        0.01,
    )
