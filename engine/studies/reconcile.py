"""Reconcile: every published figure beside the engine's own, with the difference and a verdict.

Knows how a printed number is compared, not what any figure means: which quantity of which case gives it stands in the
worked examples.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from engine.studies.worked_examples import ExampleError, Examples, Figure, Value

EXACT, ROUNDED, WRONG, INPUT, RULE = "EXACT", "ROUNDING", "NO", "INPUT", "RULE"
VERDICTS = {
    EXACT: "reproduced exactly",
    ROUNDED: "within rounding",
    WRONG: "wrong",
    INPUT: "input",
    RULE: "rule",
}
FAILED = "not reproduced"
# Where this file was cloned to: the worked examples are part of the checkout, not of the package.
CHECKOUT = Path(__file__).parents[2]
LIST = CHECKOUT / "inputs/catalogue/published_figures.csv"
EXAMPLES = CHECKOUT / "tests/worked_examples"
_WORDS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
_RANGE = re.compile(r"([\d.]+)-([\d.]+)")
# Some spreadsheets read the wide signs of East Asian keyboards, or what follows a tab, as the narrow ones.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_PLAIN_NUMBER = re.compile(r"[+-]?\d[\d.,]*%?")
_DRESSING = str.maketrans("", "", "$%~+,> ")


@dataclass(frozen=True)
class Published:
    """A row of the list of published figures; `changes_conclusion` says what follows from a wrong one, if anything."""

    identity: str
    document: str
    section: str
    quantity: str
    printed: str
    unit: str
    verdict: str
    note: str = ""
    changes_conclusion: str = ""


@dataclass(frozen=True)
class Reconciled:
    """A published figure with what the engine gives for it, in the printed unit; `passed` as the list expects.

    `right` is what a wrong figure should print.
    """

    published: Published
    ours: str
    difference: float | None
    verdict: str
    why: str
    passed: bool
    right: str = ""


@dataclass(frozen=True)
class Reconciliation:
    """All rows, and what they come to."""

    rows: tuple[Reconciled, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each verdict, those that occur."""
        return dict(Counter(row.verdict for row in self.rows))

    @property
    def failures(self) -> list[Reconciled]:
        return [row for row in self.rows if not row.passed]

    @property
    def summary(self) -> str:
        counts = Counter(row.verdict for row in self.rows)
        reproduced = counts[VERDICTS[EXACT]] + counts[VERDICTS[ROUNDED]]
        return (
            f"{len(self.rows)} published figures: {reproduced} reproduced ({counts[VERDICTS[EXACT]]} exactly, "
            f"{counts[VERDICTS[ROUNDED]]} within rounding), {counts[VERDICTS[WRONG]]} flagged as wrong, "
            f"{counts[VERDICTS[INPUT]]} inputs, {counts[VERDICTS[RULE]]} rules, {counts[FAILED]} not reproduced"
        )


def published_figures(path: Path) -> list[Published]:
    """The list in a CSV file. Errors: ExampleError where it lacks columns or names a row twice."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    needed = {"id", "quantity", "published", "unit", "verdict"}
    if not rows or not needed <= set(rows[0]):
        raise ExampleError(f"{path} needs the columns {', '.join(sorted(needed))}")
    twice = [identity for identity, count in Counter(row["id"] for row in rows).items() if count > 1]
    if twice:
        raise ExampleError(f"{path} names {', '.join(twice)} more than once")
    return [
        Published(
            row["id"],
            row.get("document") or row.get("seed") or "",
            row.get("section") or "",
            row["quantity"],
            row["published"],
            row["unit"],
            row["verdict"],
            row.get("note") or "",
            row.get("changes_conclusion") or "",
        )
        for row in rows
    ]


def reconcile_figures(published: Iterable[Published], examples: Examples) -> Reconciliation:
    """Every published figure beside the engine's."""
    figures: dict[str, list[Figure]] = {}
    for figure in examples.figures:
        figures.setdefault(figure.identity, []).append(figure)
    return Reconciliation(tuple(_reconciled(row, figures.get(row.identity, []), examples) for row in published))


def shipped_figures() -> Reconciliation | None:
    """The shipped list beside the shipped worked examples; None where they are not there or cannot be read."""
    try:
        return reconcile_figures(published_figures(LIST), Examples(EXAMPLES))
    except (ExampleError, OSError):
        return None


def write_csv(reconciliation: Reconciliation, path: Path) -> None:
    """One line for each figure.

    A text that a spreadsheet would take for a formula stands behind an apostrophe, as in a cell; numbers do not.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["id", "document", "section", "quantity", "printed", "unit", "ours", "difference", "verdict", "why"]
        )
        for row in reconciliation.rows:
            p = row.published
            difference = "" if row.difference is None else f"{row.difference:+.6f}"
            place = (p.identity, p.document, p.section, p.quantity, p.printed, p.unit)
            writer.writerow(map(_inert, [*place, row.ours, difference, row.verdict, row.why]))


def _inert(text: str) -> str:
    """The text so that a spreadsheet that opens the file calculates nothing."""
    return f"'{text}" if _FORMULA.match(text) and not _PLAIN_NUMBER.fullmatch(text) else text


def _reconciled(row: Published, figures: Sequence[Figure], examples: Examples) -> Reconciled:
    values, problems = [], []
    for figure in figures:
        try:
            value = scaled(figure, examples.value(figure.place))
        except ExampleError as error:
            problems.append(str(error))
            continue
        values.append((figure, value))
        problems += _problems(row, figure, value, examples)
    if not figures and row.verdict not in (INPUT, RULE):
        problems.append("no worked example gives it")
    ours = "; ".join(dict.fromkeys(_shown(value) for _, value in values))
    difference = _difference(*values[0]) if values and row.verdict != RULE else None
    if problems:
        return Reconciled(row, ours, difference, FAILED, "; ".join(problems), False)
    verdict = VERDICTS.get(row.verdict, FAILED)
    right = next((figure.right for figure in figures if figure.right), "")
    return Reconciled(row, ours, difference, verdict, _why(row, figures), verdict != FAILED, right)


def _why(row: Published, figures: Sequence[Figure]) -> str:
    reasons = [f"right: {f.right}; {f.why}" if f.right else f.why for f in figures if f.why]
    if reasons:
        return "; ".join(dict.fromkeys(reasons))
    if row.verdict in (INPUT, RULE):
        return row.note or ("given by the document" if row.verdict == INPUT else "a statement without a calculation")
    return ""


def _problems(row: Published, figure: Figure, value: Value, examples: Examples) -> list[str]:
    """What speaks against the verdict on a figure; nothing where it holds."""
    if row.verdict != figure.verdict:
        return [f"the list says {row.verdict}, the worked example {figure.verdict}"]
    if _normal(row.printed) != _normal(figure.printed):
        return [f"the list prints {row.printed}, the worked example {figure.printed}"]
    return list(_against(figure, value, examples))


def _against(figure: Figure, value: Value, examples: Examples) -> Iterable[str]:
    agrees = agrees_in_digits(value, figure.reads or figure.printed, end=figure.end, at_least=figure.at_least)
    if figure.verdict == EXACT and not agrees:
        yield f"the engine gives {_shown(value)}"
    if figure.verdict == ROUNDED:
        difference = _difference(figure, value)
        if not agrees and (difference is None or abs(difference) > figure.within):
            yield f"the engine gives {_shown(value)}, beyond the rounding that is explained"
        if not figure.why:
            yield "nothing explains the rounding"
        if figure.via:
            explained = scaled(figure, examples.value(figure.via))
            if not agrees_in_digits(explained, figure.printed, end=figure.end):
                yield f"the printed intermediate gives {_shown(explained)}"
    if figure.verdict == WRONG:
        if agrees:
            yield f"the engine gives {_shown(value)}, as printed"
        if not figure.why or not figure.right:
            yield "a wrong figure needs the right one and a reason"
        elif not agrees_in_digits(value, figure.right):
            yield f"the engine gives {_shown(value)}, not {figure.right}"


def scaled(figure: Figure, value: Value) -> Value:
    """An engine value in the unit in which the figure is printed."""
    return value * figure.scale.factor if isinstance(value, float) else value


def agrees_in_digits(value: Value, printed: str, *, end: str = "", at_least: bool = False) -> bool:
    """Whether a value rounds to the printed digits; to one end of a printed range, or anywhere in it.

    A figure printed as a bound agrees where the value keeps to it.
    """
    if isinstance(value, str):
        return value == printed
    ends = _range(printed)
    if ends and end:
        printed = ends[0] if end == "low" else ends[1]
    elif ends:
        low, high = (_number(text) for text in ends)
        return low is not None and high is not None and float(low) <= value <= float(high)
    number = _number(printed)
    if number is None or not math.isfinite(value):
        return False
    if at_least or printed.lstrip().startswith(">"):
        return value >= float(number)
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    half_a_digit = 0.5 * 10.0**exponent if printed not in _WORDS else 0.0
    return abs(value - float(number)) <= half_a_digit * (1 + 1e-9)


def _range(printed: str) -> tuple[str, str] | None:
    match = _RANGE.fullmatch(printed.translate(_DRESSING))
    return (match[1], match[2]) if match else None


def _number(printed: str) -> Decimal | None:
    if printed in _WORDS:
        return Decimal(_WORDS[printed])
    try:
        return Decimal(printed.translate(_DRESSING))
    except InvalidOperation:
        return None


def _normal(printed: str) -> str:
    """A printed figure without its dressing, so that `$1.20` and `1.20` are the same; 1.2 is another one."""
    return printed.translate(_DRESSING).lower()


def _difference(figure: Figure, value: Value) -> float | None:
    printed = figure.reads or figure.printed
    ends = _range(printed)
    if ends:
        printed = ends[1] if figure.end == "high" else ends[0]
    number = _number(printed)
    if number is None or not number or not isinstance(value, float) or not math.isfinite(value):
        return None
    return value / float(number) - 1


def _shown(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
