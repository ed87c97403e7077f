"""Actuals that cannot be added up or stand twice, and signatures that do not follow from one another."""

from __future__ import annotations

from datetime import date
from typing import Any

from bad_workbooks.valid import Defect, Edit, at, coordinate, fill

OCTOBER = date(2026, 10, 15)


def row(line: str, amount: Any, **more: Any) -> dict[str, Any]:
    """A row of October on Actuals."""
    return {"actual_month": OCTOBER, "line": line, "amount": amount, "source": "A-1", **more}


def actuals(*rows: dict[str, Any]) -> Edit:
    return fill("Actuals", *rows)


def signed(**settings: Any) -> Edit:
    return fill("Settings", settings)


_LINES = "invoice, billed revenue, metered tokens, accelerator-hours, budgeted cost, budgeted revenue"
_PREPARED = {"prepared_by": "ann", "prepared_on": date(2026, 12, 2)}
_PREPARED_BY, _PREPARED_ON = (coordinate("Settings", name) for name in _PREPARED)
_REVIEWED = {"reviewed_by": "bob", "reviewed_on": date(2026, 12, 3)}

DEFECTS = (
    Defect(
        "an invoice of a month to come",
        actuals(row("invoice", 100, actual_month=date(2026, 12, 1))),
        at("Actuals", "actual_month"),
        "actual_month of 'invoice' is 2026-12; allowed are months up to the one reported, 2026-11 (Settings!B7). "
        "Correct the month, or take the row out until that month is reported.",
    ),
    Defect(
        "two budgets of a month",
        actuals(row("budgeted cost", 100), row("budgeted cost", 110, source="B-2", actual_month=date(2026, 10, 1))),
        at("Actuals", "line", 1),
        "'budgeted cost' of 2026-10 is already in Actuals!D5; a month has one. "
        "Delete one of the two, or make them one figure.",
    ),
    Defect(
        "an invoice typed twice",
        actuals(row("invoice", 100, provider="Cloud"), row("invoice", 100, provider="cloud")),
        at("Actuals", "line", 1),
        "'invoice' of cloud for 2026-10 from 'A-1' is already in Actuals!D5; both would count. "
        "Delete one of the two, or tell them apart by provider or source.",
    ),
    Defect(
        "a month of a meter typed twice",
        actuals(row("metered tokens", 100), row("metered tokens", 120)),
        at("Actuals", "line", 1),
        "'metered tokens' for 2026-10 from 'A-1' is already in Actuals!D5; both would count. "
        "Delete one of the two, or tell them apart by provider or source.",
    ),
    Defect(
        "tokens below zero",
        actuals(row("metered tokens", -5)),
        at("Actuals", "amount"),
        "'metered tokens' is -5; only invoice and billed revenue may be below zero, for a credit. Correct the figure.",
    ),
    Defect(
        "a budget below zero",
        actuals(row("budgeted cost", -5)),
        at("Actuals", "amount"),
        "'budgeted cost' is -5; only invoice and billed revenue may be below zero, for a credit. Correct the figure.",
    ),
    Defect(
        "text for an amount",
        actuals(row("invoice", "1,200")),
        at("Actuals", "amount"),
        "amount is the text '1,200'; allowed is -1,000,000,000,000 to 1,000,000,000,000. Type 1200 as a number.",
    ),
    Defect(
        "an unknown line",
        actuals(row("invoices", 100)),
        at("Actuals", "line"),
        f"line is 'invoices'; allowed is one of {_LINES}. Did you mean invoice? Choose one from the list.",
    ),
    Defect(
        "a price beside an invoice",
        actuals(row("invoice", 100, unit_price=2.5)),
        at("Actuals", "unit_price"),
        "unit_price is 2.5 beside 'invoice'; it belongs beside metered tokens and accelerator-hours. "
        "Clear the cell, or move the price beside the hours or tokens it is for.",
    ),
    Defect(
        "no amount",
        actuals(row("invoice", None)),
        at("Actuals", "amount"),
        "amount is blank; allowed is -1,000,000,000,000 to 1,000,000,000,000. Fill it in.",
    ),
)

WARNINGS = (
    Defect(
        "tokens that are not in millions",
        actuals(row("metered tokens", 6.5e11)),
        at("Actuals", "amount"),
        "'metered tokens' is 650,000,000,000, which is in million tokens. Check that it is not typed in tokens.",
    ),
    Defect(
        "a review without preparation",
        signed(**_REVIEWED),
        at("Settings", "reviewed_by"),
        "reviewed_by is 'bob' although prepared_by is blank; the review follows the preparation. "
        "Fill in prepared_by, or clear this cell.",
    ),
    Defect(
        "an approval without review",
        signed(**_PREPARED, approved_by="eve", approved_on=date(2026, 12, 4)),
        at("Settings", "approved_by"),
        "approved_by is 'eve' although reviewed_by is blank; the approval follows the review. "
        "Fill in reviewed_by, or clear this cell.",
    ),
    Defect(
        "a review before the preparation",
        signed(**_PREPARED, reviewed_by="bob", reviewed_on=date(2026, 12, 1)),
        at("Settings", "reviewed_on"),
        f"reviewed_on is 2026-12-01; the preparation is of 2026-12-02 ({_PREPARED_ON}). Check both days.",
    ),
    Defect(
        "an approval before the month ends",
        signed(
            prepared_by="ann",
            prepared_on=date(2026, 11, 20),
            reviewed_by="bob",
            reviewed_on=date(2026, 11, 21),
            approved_by="eve",
            approved_on=date(2026, 11, 30),
        ),
        at("Settings", "approved_on"),
        "approved_on is 2026-11-30; the month reported ends on 2026-11-30, and is approved after that. "
        "Check the day, and that it is this month's approval.",
    ),
    Defect(
        "a name without a day",
        signed(prepared_by="ann"),
        at("Settings", "prepared_on"),
        f"prepared_on is blank although prepared_by is given ({_PREPARED_BY}); preparation has a name and a day. "
        "Fill it in.",
    ),
)
