"""Standing: whether the month's figures are modelled or reconciled, what is missing to say, and who stands by them.

Words only; that a month is reconciled is a formula's answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.report.words import listed, shortened
from engine.scenarios import ACTUAL_MONTHS, Grain, Scenario, month_name
from engine.units import Date, Share, brief_money, show

RECONCILED = "reconciled"
LONGEST_NAME = 60  # characters of one who signs, in the margin
# Flags of a month, with what is missing where they are 0.
WANTED = {
    "has_invoice": "invoices",
    "has_billing": "billed revenue",
    "has_tokens": "metered tokens",
    "has_hours": "accelerator-hours",
}


def months_of(scenario: Scenario) -> Grain | None:
    """The months of the sheet Actuals; None where it has none."""
    return scenario.grains.get(ACTUAL_MONTHS)


def report_key(scenario: Scenario) -> str:
    """The report month's row among them."""
    return month_name(scenario.inputs.settings["report_month"])


def is_reconciled(scenario: Scenario) -> bool:
    grain = months_of(scenario)
    return grain is not None and str(grain.value("standing", report_key(scenario))) == RECONCILED


def missing(grain: Grain, key: str) -> list[str]:
    """What Actuals does not have of a month."""
    return [name for flag, name in WANTED.items() if not grain.value(flag, key)]


def none_of(names: list[str]) -> str:
    """`no invoices and no billed revenue`."""
    return listed([f"no {name}" for name in names])


def compared(difference: float) -> str:
    """`$6k less than modelled`."""
    word = "more" if difference >= 0 else "less"
    return f"{brief_money(abs(difference))} {word} than modelled"


def unexplained(scenario: Scenario, grain: Grain, key: str) -> str:
    """What of a month's bill and revenue no effect explains, and what is allowed."""
    parts = [
        f"{brief_money(abs(grain.value(f'{line}_rest', key)))} of what was {verb}"
        for line, verb in (("cost", "invoiced"), ("revenue", "billed"))
        if not grain.value(f"{line}_is_reconciled", key)
    ]
    tolerance = show(scenario.inputs.settings["rest_tolerance"], Share)
    return f"{listed(parts)} stays unexplained, and {tolerance} of it is allowed"


def standing_line(scenario: Scenario) -> str:
    """For page 1: modelled or reconciled, and who prepared, reviewed and approved it."""
    return f"{_standing(scenario)} {signatures(scenario.inputs.settings)}"


def _standing(scenario: Scenario) -> str:
    grain, key = months_of(scenario), report_key(scenario)
    month = f"{scenario.inputs.settings['report_month']:%B}"
    if grain is None:
        return "Modelled, not compared with invoices and meters."
    if is_reconciled(scenario):
        return f"Reconciled with the invoices and meters of {month}; other figures are modelled."
    if gaps := missing(grain, key):
        return f"Modelled: {none_of(gaps)} for {month} yet."
    return f"Modelled, not reconciled: {unexplained(scenario, grain, key)}."


def signatures(settings: Mapping[str, Any]) -> str:
    """Who prepared, reviewed and approved the month and when, and what nobody has done yet."""
    steps = ("prepared", "reviewed", "approved")
    names = {step: shortened(str(settings[f"{step}_by"]), LONGEST_NAME) for step in steps}
    done = [
        f"{step} by {name}" + (f" on {show(on, Date)}" if (on := settings[f"{step}_on"]) else "")
        for step, name in names.items()
        if name
    ]
    left = next((step for step in ("reviewed", "approved") if not settings[f"{step}_by"]), "")
    told = [", ".join(done)] if done else []
    text = "; ".join([*told, *([f"not yet {left}"] if left else [])])
    return f"{text[:1].upper()}{text[1:]}."
