"""The command fidelity, and how its summary is told and written. Knows no formula."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.catalogue import FOLDER
from engine.commands.exits import INVALID

if TYPE_CHECKING:
    from engine.studies.fidelity import Error, Prediction

_MOST_REASONS = 10
_OUT = ("predicted", "measured", "ratio", "level", "verdict", "band_low", "band_high", "inside", "reason")


def fidelity(
    measured: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Measured speeds, as CSV.")],
    hardware: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Their accelerators, as CSV; else those that ship.")
    ] = FOLDER / "accelerators.csv",
    models: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Their models, as CSV; else those that ship.")
    ] = FOLDER / "models.csv",
    calibration: Annotated[
        str, typer.Option(help="Row of the shipped Calibration for all of them; else that of each one's engine.")
    ] = "",
    calibrate_on: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of every stack's runs to fit a row of its own on.")
    ] = 0,
    out: Annotated[Path | None, typer.Option(help="CSV file for every row beside its prediction.")] = None,
) -> None:
    """Predict measured speeds, and say how far off the predictions are."""
    from engine.catalogue import catalogue, priors
    from engine.measured import MeasuredError, Point, points, rows_of
    from engine.studies.blind import given_a_share
    from engine.studies.calibration import ALL, priors_of
    from engine.studies.fidelity import Level, errors, parameters_of, predictions

    levels = {
        str(row["calibration"]): Level(str(row["calibration"]), parameters_of(row)) for row in catalogue("calibration")
    }
    if calibration and calibration not in levels:
        raise typer.BadParameter(f"there is no row '{calibration}'; there are {', '.join(levels)}")
    try:
        fitted = [row for row in rows_of(FOLDER / "measured.csv", ()) if row["fit"] == "yes"]
        given = points(measured, hardware, models, fitted)
    except MeasuredError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(INVALID) from None

    def level_of(point: Point) -> Level:
        return levels[calibration or (point.engine if point.engine in levels else ALL)]

    if calibrate_on:
        found, used = given_a_share(given, level_of, priors_of(priors()), calibrate_on)
        print(f"{len(used)} rows were given to the fits of their stacks, and are left out of what follows.")
    else:
        found = predictions(given, level_of)
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
    heads = ("", "rows", "median error", "mean error", "factor", "bias", "in band")
    lines = [
        (
            f"{each.group}: {each.name}" if each.group != "all" else each.name,
            str(each.count),
            f"{each.median:.1%}",
            f"{each.mean:.1%}",
            f"x{each.factor:.2f}",
            f"{each.bias:+.1%}",
            f"{each.coverage:.0%}",
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
            told = ["", each.point.value, *[""] * 6] if each.reason else _told(each)
            writer.writerow([*(each.point.row[name] for name in own), *told, each.reason])


def _told(each: Prediction) -> list[object]:
    ends = (each.predicted / each.band, each.predicted * each.band)
    inside = "yes" if each.is_inside else "no"
    return [each.predicted, each.point.value, each.ratio, each.level, each.verdict, *ends, inside]
