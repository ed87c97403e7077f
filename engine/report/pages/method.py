"""Method and checks: formulas worked on one configuration, and what was checked in this run."""

from __future__ import annotations

from collections.abc import Sequence

from engine.derivation import label, meaning, worked
from engine.report.answer import Check
from engine.report.live import cell_of
from engine.report.pages.deployments import serving
from engine.report.values import (
    Figure,
    Head,
    Margin,
    Method,
    Methods,
    Row,
    Section,
    Table,
)
from engine.report.words import in_words
from engine.scenarios import CONFIGURED, Grain, Scenario
from engine.units import (
    Number,
    Text,
    digits,
    show,
)

MOST_WARNINGS = 8
METHODS = ("step_time", "predicted_output_speed", "replica_count", "output_cost", "request_cost", "gross_profit")


def method(scenario: Scenario, checks: Sequence[Check], check_range: str) -> Section:
    """How the figures come about, worked on one configuration, and the checks of this run."""
    grain = scenario[CONFIGURED]
    fitting = [str(key) for key in grain.keys if grain.value("fits", key)]
    key = next(iter(serving(grain) or fitting), None)
    note = Margin("Formulas", "'Formulas in words'!A5", f"worked for {label(key)}" if key else "")
    items = tuple(_worked(grain, quantity, key) for quantity in METHODS) if key else ()
    rows = tuple(
        Row(
            (
                check.name,
                _number(check.found),
                _number(check.expected),
                _number(check.allowed),
                "\u2713 pass" if check.passed else Figure("\u2717 fail", Text, tone="bad"),
            )
        )
        for check in checks
    )
    table = Table(
        "Checks of this run",
        "found by recalculating the workbook with a second engine",
        (Head("Check"), Head("Found", Number), Head("Expected", Number), Head("Allowed", Number), Head("Result")),
        rows,
        Margin("Table", check_range),
    )
    passed, every = sum(check.passed for check in checks), len(checks)
    verdict = f"All {in_words(every)} checks passed" if passed == every else f"{passed} of {every} checks passed"
    headline = f"{verdict}; {len(grain.formulas)} formulas lead from the inputs to the figures"
    warned = scenario.inputs.warnings
    warnings = Table(
        "Warnings about the inputs",
        f"{min(len(warned), MOST_WARNINGS)} of {len(warned)}; the command check lists all",
        (Head("Cell", tone="quiet"), Head("Warning")),
        tuple(Row((problem.place, problem.sentence)) for problem in warned[:MOST_WARNINGS]),
    )
    return Section("Method and checks", headline, (Methods(items, note), table, *([warnings] if warned else [])))


def _worked(grain: Grain, quantity: str, key: str) -> Method:
    result = show(grain.value(quantity, key), grain.annotation(quantity))
    return Method(
        label(quantity).capitalize(),
        meaning(grain, quantity),
        f"{worked(grain, quantity, grain.row(key))} = {result}",
        cell_of(grain, quantity, key),
    )


def _number(value: float) -> str:
    """Checks compare counts, dollars and differences near zero: each as short as it can be read."""
    if value == int(value):
        return digits(value)
    if abs(value) < 1e-3:
        mantissa, exponent = f"{value:.0e}".split("e")
        return f"{mantissa} \u00d7 10^{int(exponent)}".replace("-", "\u2212")
    return digits(value, 2)
