"""The command fidelity, and how its summary is told and written. Knows no formula."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.commands.exits import INVALID

if TYPE_CHECKING:
    from engine.studies.fidelity import Error, Prediction

_MOST_REASONS = 10
_OUT = ("predicted", "measured", "ratio", "reason")


def fidelity(
    measured: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Measured speeds, as CSV.")],
    hardware: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Their accelerators, as CSV.")],
    models: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Their models, as CSV.")],
    out: Annotated[Path | None, typer.Option(help="CSV file for every row beside its prediction.")] = None,
) -> None:
    """Predict measured speeds, and say how far off the predictions are."""
    from engine.catalogue import catalogue
    from engine.measured import MeasuredError, points
    from engine.studies.fidelity import errors, parameters_of, predictions

    try:
        given = points(measured, hardware, models)
    except MeasuredError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(INVALID) from None
    (row,) = (row for row in catalogue("calibration") if row["calibration"] == "all")
    found = predictions(given, parameters_of(row))
    print(*_lines(found, errors(found)), sep="\n")
    if out:
        _write(found, out)
        print(f"Written: {out}")


def _lines(found: list[Prediction], groups: list[Error]) -> Iterator[str]:
    reasons = Counter(each.reason for each in found if each.reason)
    yield f"{len(found)} rows, {len(found) - reasons.total()} predicted."
    for reason, count in reasons.most_common(_MOST_REASONS):
        yield f"  {count} not: {reason}"
    if len(reasons) > _MOST_REASONS:
        yield f"  and {len(reasons) - _MOST_REASONS} more reasons; --out has each row's"
    heads = ("", "rows", "median error", "mean error", "factor", "bias")
    lines = [
        (
            f"{each.group}: {each.name}" if each.group != "all" else each.name,
            str(each.count),
            f"{each.median:.1%}",
            f"{each.mean:.1%}",
            f"x{each.factor:.2f}",
            f"{each.bias:+.1%}",
        )
        for each in groups
    ]
    widths = [max(len(line[place]) for line in (heads, *lines)) for place in range(len(heads))]
    for first, *others in (heads, *lines):
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        yield "  ".join((first.ljust(widths[0]), *cells)).rstrip()


def _write(found: list[Prediction], path: Path) -> None:
    own = list(found[0].point.row) if found else []
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow([*own, *_OUT])
        for each in found:
            figures = ("", each.point.value, "") if each.reason else (each.predicted, each.point.value, each.ratio)
            writer.writerow([*(each.point.row[name] for name in own), *figures, each.reason])
