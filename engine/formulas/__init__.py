"""All formulas of the engine by name.

A formula is a plain function: its name is the quantity it gives, its parameters name what it needs, its return
annotation is the unit. This file only collects them, from the groups in groups/; the economics is in the modules
beside it.
"""

from __future__ import annotations

from engine.formulas.groups.answers import (
    COMPARISON_FORMULAS,
    HARDWARE_FORMULAS,
    NETWORK_FORMULAS,
    PLANNING_FORMULAS,
    PRICING_FORMULAS,
    SERVING_FORMULAS,
    SHAPE_FORMULAS,
    SIZING_FORMULAS,
    SPECULATION_FORMULAS,
    TRAINING_FORMULAS,
)
from engine.formulas.groups.configuration import (
    ACTION_FORMULAS,
    FORMULAS,
    LINE_FORMULAS,
    TOTAL_FORMULAS,
)
from engine.formulas.groups.hours import (
    DEMAND_FORMULAS,
    PREFILL_WAITING_FORMULAS,
    PROVISION_FORMULAS,
    WAITING_FORMULAS,
)
from engine.formulas.groups.money import (
    ACTUALS_FORMULAS,
    BILL_FORMULAS,
    BILL_TOTAL_FORMULAS,
    BILLING_FORMULAS,
    COMMITMENT_FORMULAS,
    CROSSOVER_FORMULAS,
    FORWARD_FORMULAS,
    OWNED_PARTS,
    OWNERSHIP_FORMULAS,
    PHASE_FORMULAS,
    PROFIT_FORMULAS,
    SLICE_FORMULAS,
)
from engine.formulas.groups.renaming import Formula, Formulas, again, needs

__all__ = [
    "ACTION_FORMULAS",
    "ACTUALS_FORMULAS",
    "BILLING_FORMULAS",
    "BILL_FORMULAS",
    "BILL_TOTAL_FORMULAS",
    "COMMITMENT_FORMULAS",
    "COMPARISON_FORMULAS",
    "CROSSOVER_FORMULAS",
    "DEMAND_FORMULAS",
    "EVERY_FORMULA",
    "EVERY_GROUP",
    "FORMULAS",
    "FORWARD_FORMULAS",
    "HARDWARE_FORMULAS",
    "LINE_FORMULAS",
    "NETWORK_FORMULAS",
    "OWNED_PARTS",
    "OWNERSHIP_FORMULAS",
    "PHASE_FORMULAS",
    "PLANNING_FORMULAS",
    "PREFILL_WAITING_FORMULAS",
    "PRICING_FORMULAS",
    "PROFIT_FORMULAS",
    "PROVISION_FORMULAS",
    "SERVING_FORMULAS",
    "SHAPE_FORMULAS",
    "SIZING_FORMULAS",
    "SLICE_FORMULAS",
    "SPECULATION_FORMULAS",
    "TOTAL_FORMULAS",
    "TRAINING_FORMULAS",
    "WAITING_FORMULAS",
    "Formula",
    "Formulas",
    "again",
    "needs",
]

EVERY_GROUP: dict[str, Formulas] = {
    "class": LINE_FORMULAS,
    "total": TOTAL_FORMULAS,
    "action": ACTION_FORMULAS,
    "configuration": FORMULAS,
    "hardware": HARDWARE_FORMULAS,
    "sizing": SIZING_FORMULAS,
    "network": NETWORK_FORMULAS,
    "serving": SERVING_FORMULAS,
    "speculation": SPECULATION_FORMULAS,
    "planning": PLANNING_FORMULAS,
    "pricing": PRICING_FORMULAS,
    "training": TRAINING_FORMULAS,
    "comparison": COMPARISON_FORMULAS,
    "shapes": SHAPE_FORMULAS,
    "demand": DEMAND_FORMULAS,
    "waiting": WAITING_FORMULAS,
    "prefill waiting": PREFILL_WAITING_FORMULAS,
    "provision": PROVISION_FORMULAS,
    "ownership": OWNERSHIP_FORMULAS,
    "bill": BILL_FORMULAS,
    "bill total": BILL_TOTAL_FORMULAS,
    "commitment": COMMITMENT_FORMULAS,
    "slice": SLICE_FORMULAS,
    "billing": BILLING_FORMULAS,
    "phase": PHASE_FORMULAS,
    "profit": PROFIT_FORMULAS,
    "crossover": CROSSOVER_FORMULAS,
    "forward": FORWARD_FORMULAS,
    "actuals": ACTUALS_FORMULAS,
}
# All of them by name. Where grains share a name, as gross_profit does, it is the configuration's.
EVERY_FORMULA: Formulas = {name: formula for group in EVERY_GROUP.values() for name, formula in group.items()}
EVERY_FORMULA |= FORMULAS
