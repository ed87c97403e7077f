"""Published figures: the page and the sheet that set what others have published beside what the formulas give.

Decides what is shown; knows neither how a figure is compared nor how anything looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from engine.report.live import letters, quoted
from engine.report.pages.deployments import MOST_ROWS
from engine.report.values import Head, Margin, Row, Section, Table
from engine.report.words import sentence
from engine.sheets import HEAD_ROW
from engine.studies.reconcile import EXACT, FAILED, ROUNDED, VERDICTS, WRONG, Published, Reconciled, Reconciliation
from engine.units import Count, Share

SHEET = "Published figures"
PURPOSE = (
    "Figures that others have published beside our own: values that `python -m engine reconcile` computes from worked "
    "examples, not live and not of this month."
)
HEADS = (
    Head("Id"),
    Head("Document"),
    Head("What"),
    Head("Printed"),
    Head("Unit"),
    Head("Ours", Count),
    Head("Difference", Share),
    Head("Verdict"),
    Head("Why"),
)


def cells(reconciliation: Reconciliation) -> Iterator[tuple[Any, ...]]:
    """The rows of the sheet, a cell for each of HEADS: text, a number, or None where there is none."""
    for row in reconciliation.rows:
        p = row.published
        given = (p.identity, p.document, p.quantity, p.printed, p.unit)
        yield (*given, _number(row.ours), row.difference, row.verdict, row.why)


def _number(text: str) -> float | str:
    """The engine's figure as a number; several figures of one row stay text."""
    try:
        return float(text)
    except ValueError:
        return text


def published(reconciliation: Reconciliation) -> Section:
    """How many published figures come out, by document, and the wrong ones that change a conclusion."""
    counts = reconciliation.counts
    reproduced = counts.get(VERDICTS[EXACT], 0) + counts.get(VERDICTS[ROUNDED], 0)
    headline = (
        f"Of {len(reconciliation.rows)} published figures our formulas reproduce {reproduced}; "
        f"{counts.get(VERDICTS[WRONG], 0)} are wrong as printed"
    )
    last = f"{letters(len(HEADS))}{HEAD_ROW + len(reconciliation.rows)}"
    note = Margin("Table", f"{quoted(SHEET)}!A{HEAD_ROW}:{last}", "the same in every report")
    return Section(SHEET, headline, (_counts(reconciliation, note), _conclusions(reconciliation, note)))


def _counts(reconciliation: Reconciliation, note: Margin) -> Table:
    verdicts = [*VERDICTS.values(), *([FAILED] if reconciliation.failures else [])]
    documents = dict.fromkeys(row.published.document for row in reconciliation.rows)

    def line(name: str, rows: list[Reconciled], style: str = "plain") -> Row:
        return Row((name, len(rows), *(sum(row.verdict == verdict for row in rows) for verdict in verdicts)), style)

    rows = [line(name, [r for r in reconciliation.rows if r.published.document == name]) for name in documents]
    heads = (Head("Document"), Head("Figures", Count), *(Head(_short(verdict), Count) for verdict in verdicts))
    return Table(
        "Published figures by verdict",
        "number of figures",
        heads,
        (*rows[: MOST_ROWS - 1], line("All documents", list(reconciliation.rows), "total")),
        note,
        "Within rounding: the document calculates on with a figure that it has rounded. Inputs are stated and not "
        "derived; rules are statements without a calculation.",
    )


def _short(verdict: str) -> str:
    return {"reproduced exactly": "exact", "input": "inputs", "rule": "rules"}.get(verdict, verdict).capitalize()


def _conclusions(reconciliation: Reconciliation, note: Margin) -> Table:
    """The wrong figures that have a consequence, in the order of the list."""
    rows = [row for row in reconciliation.rows if row.right and row.published.changes_conclusion]
    right = Head("Right", tone="strong")
    return Table(
        "Wrong figures that change a conclusion",
        "as printed, as they should be, and what follows",
        (Head("Id", tone="quiet"), Head("Figure"), Head("Printed"), right, Head("Why it matters")),
        tuple(Row(_conclusion(row.published, row.right)) for row in rows[:MOST_ROWS]),
        note,
        "Why each is wrong stands on the sheet, as for the other wrong figures.",
    )


def _conclusion(figure: Published, right: str) -> tuple[str, ...]:
    printed, right = (_with_unit(text, figure.unit) for text in (figure.printed, right))
    return figure.identity, sentence(figure.quantity), printed, right, sentence(figure.changes_conclusion)


def _with_unit(figure: str, unit: str) -> str:
    """A figure as printed, in our dressing: `$2,359.68/day`, `6,776 tokens`, `120%`."""
    figure = re.sub(r"(?<![\d.])\d{4,}", lambda found: f"{int(found[0]):,}", figure.removeprefix("$"))
    if unit.startswith("$"):
        return f"${figure}{unit[1:]}"
    return figure + unit if unit in ("%", ":1") else f"{figure}\u00a0{'times' if unit == 'x' else unit}"
