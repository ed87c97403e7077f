"""The command calibrate: the parameters of the speed model, from public measurements or from a workbook's own points.

Knows no formula.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.commands.exits import INVALID, REFUSED

if TYPE_CHECKING:
    from engine.measured import Point
    from engine.studies.blind import LeftOut
    from engine.studies.calibration import Fit
    from engine.studies.fidelity import Level, Prediction

WIDTH = 28


def calibrate(
    workbook: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="Workbook whose Measurements are fitted on.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the result goes: of a workbook a copy; else the shipped table.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over a file that exists.")] = False,
) -> None:
    """Fit the speed model: on public measurements, or for the stacks that a workbook's Measurements are of."""
    if workbook is None:
        _shipped(out)
    elif out is None:
        raise typer.BadParameter("say with --out where the copy of the workbook goes")
    else:
        _own(workbook, out, replace)


def _shipped(out: Path | None) -> None:
    """Fits the public measurements, says how wrong the fit is where it is blind, and writes the table that ships."""
    from engine.catalogue import FOLDER, priors
    from engine.measured import points
    from engine.studies.blind import KINDS, SOURCE, left_out, quartered, with_errors
    from engine.studies.calibration import ALL, NO_ERRORS, fit, marked, priors_of
    from engine.studies.fidelity import predictions

    measured, accelerators, models = (FOLDER / f"{name}.csv" for name in ("measured", "accelerators", "models"))
    given, before = marked(points(measured, accelerators, models)), priors_of(priors())
    year = max(point.quantities["engine_year"] for point in given)
    found = fit(given, before, year)
    hidden = {kind: left_out(given, before, year, kind) for kind in KINDS}
    levels = with_errors(found, given, tuple(hidden.values()), quartered(hidden[SOURCE], before, NO_ERRORS))
    table = [("nothing", predictions(given, lambda point: levels[found.level_of(point).name]))]
    table += [(_one(kind), each.found(levels)) for kind, each in hidden.items()]
    errors = {name: levels[ALL].parameters[name] for name in NO_ERRORS}
    table.append((f"{_one(SOURCE)}, but for a quarter", quartered(hidden[SOURCE], before, errors)))
    print(*_lines(given, table), sep="\n")
    path = out or FOLDER / "calibration.csv"
    _write(path, [_row(level, found, given, tuple(hidden.values())) for level in levels.values()])
    beside = path.with_name("left_out.csv")
    _write_errors(beside, table)
    print(f"Written: {path}, {beside}")


def _one(kind: str) -> str:
    return f"an {kind}" if kind[0] in "ae" else f"a {kind}"


def _lines(given: Sequence[Point], table: Sequence[tuple[str, Sequence[Prediction]]]) -> Iterator[str]:
    from engine.studies.blind import summary

    stacks = len({point.stack for point in given})
    yield f"Fitted on {len(given)} measured figures of {stacks} stacks. Median errors of what was left out:"
    heads = [*summary(table[0][1]), "in their band"]
    yield "".join(("left out".ljust(WIDTH), *(head.rjust(WIDTH) for head in heads))).rstrip()
    for name, found in table:
        inside = sum(each.is_inside for each in found) / len(found)
        figures = [*summary(found).values(), inside]
        yield "".join((name.ljust(WIDTH), *(f"{figure:.1%}".rjust(WIDTH) for figure in figures))).rstrip()


def _row(level: Level, found: Fit, given: Sequence[Point], hidden: Sequence[LeftOut]) -> dict[str, Any]:
    """A row of the table that ships, with what an auditor asks of it."""
    from engine.studies.blind import summary
    from engine.studies.calibration import ALL

    runs = len({point.run for point in given})
    stacks = len({point.stack for point in given})
    blind = {each.kind: summary(each.found()) for each in hidden}
    errors = "; ".join(
        f"{kind} left out: throughput {known['throughput']:.1%}, time per output token "
        f"{known['time per output token']:.1%}, time to first token {known['time to first token']:.1%}"
        for kind, known in blind.items()
    )
    own = "" if level.name == ALL else f", of which {level.parameters['measured_points']:g} are of {level.name}"
    intervals = (f"{name} {low:.3g} to {high:.3g}" for name, (low, high) in found.intervals.items())
    return {
        "calibration": level.name,
        **level.parameters,
        "interval": f"80 %: {'; '.join(intervals)}; the others are fixed (inputs/catalogue/priors.csv)",
        "source": f"Fit of this project on {len(given)} public serving measurements ({runs} runs, {stacks} stacks)"
        f"{own}; median errors with {errors}",
        "note": "all engines together: for one that is not named here"
        if level.name == ALL
        else "as all, with this engine's own order of prompts and steps",
    }


def _write_errors(path: Path, table: Sequence[tuple[str, Sequence[Prediction]]]) -> None:
    from engine.studies.blind import summary

    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(["left_out", *(name.replace(" ", "_") for name in summary(table[0][1])), "in_their_band"])
        for name, found in table:
            inside = sum(each.is_inside for each in found) / len(found)
            writer.writerow([name, *(f"{figure:.4f}" for figure in (*summary(found).values(), inside))])


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes fitted rows before those of the table that are not fitted; days stay as they are."""
    from engine.catalogue import FOLDER
    from engine.sheets import CALIBRATION

    with (FOLDER / "calibration.csv").open(newline="", encoding="utf-8") as lines:
        there = {row["calibration"]: row for row in csv.DictReader(lines)}
    fitted = {str(row["calibration"]) for row in rows}
    day = next(iter(there.values()))["checked_on"]
    heads = [column.name for column in CALIBRATION.columns]
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, heads, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _text(value) for name, value in row.items()} | {"checked_on": day})
    # A column that the sheet no longer has goes.
    others = (row for name, row in there.items() if name not in fitted)
    writer.writerows({name: row.get(name, "") for name in heads} for row in others)
    # At once, so that the table that ships is never half a table.
    path.write_text(written.getvalue(), encoding="utf-8", newline="")


def _text(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, int | float) else str(value)


def _own(workbook: Path, out: Path, replace: bool) -> None:
    """Fits every stack that the workbook has points of, from the row of Calibration that its engine has there."""
    from engine.catalogue import priors
    from engine.filling.calibrating import calibrated, own_points
    from engine.sheets import CALIBRATION, CONFIGURATIONS
    from engine.studies.calibration import ALL, priors_of, stack_fit
    from engine.studies.fidelity import Level, at_level, parameters_of
    from engine.workbook.copying import Target, TargetError
    from engine.workbook.problems import InvalidWorkbook, listing
    from engine.workbook.read import read

    try:
        inputs = read(workbook)
    except InvalidWorkbook as invalid:
        print(listing(invalid.problems), file=sys.stderr)
        raise typer.Exit(INVALID) from None
    table = inputs.tables[CALIBRATION.name]
    known = {
        str(row["calibration"]): Level(
            str(row["calibration"]), parameters_of({name: row[name] for name in table.columns})
        )
        for row in table
    }
    if ALL not in known:
        print(f"The sheet Calibration has no row '{ALL}' to begin from; add it from a new workbook.", file=sys.stderr)
        raise typer.Exit(INVALID)
    points = own_points(inputs.tables)
    for reason in dict.fromkeys(f"{point.row['id']}: {point.reason}" for point in points if point.reason):
        print(f"Not used: {reason}")
    points = [point for point in points if not point.reason]
    stacks: dict[tuple[str, ...], list[Point]] = {}
    for point in points:
        stacks.setdefault(point.stack, []).append(point)
    rows, uses = [], {}
    for own in stacks.values():
        first = own[0]
        start = known.get(first.engine, known[ALL])
        level = stack_fit(own, start, priors_of(priors()), first.stack_name)
        if level is start:
            print(f"Not used: {first.stack_name}: the weights and one sequence do not fit")
            continue
        before, after = (at_level(own, each) for each in (start, level))
        print(f"{level.name}: {len(own)} figures, median error {_median(before):.1%}, then {_median(after):.1%}")
        rows.append(_own_row(level, start, own))
        for row in inputs.tables[CONFIGURATIONS.name]:
            same = all(row[name] == first.row[key] for name, key in _SAME.items())
            # A configuration that names an engine, or a published case, keeps to it.
            if same and row["calibration"] in (ALL, start.name, level.name):
                uses[str(row["configuration"])] = level.name
    if not rows:
        print("Nothing to fit: the sheet Measurements has no figure that can be predicted.", file=sys.stderr)
        raise typer.Exit(INVALID)
    try:
        copy = calibrated(inputs, rows, uses, Target(out, replace))
    except TargetError as refused:
        print(refused, file=sys.stderr)
        raise typer.Exit(REFUSED) from None
    except InvalidWorkbook as invalid:
        print(listing(invalid.problems), file=sys.stderr)
        raise typer.Exit(INVALID) from None
    print(*copy.done, *copy.notes, f"Written: {copy.path}", sep="\n")


_SAME = {"model": "model", "hardware": "system", "precision": "weight_precision"}


def _own_row(level: Level, start: Level, points: Sequence[Point]) -> dict[str, Any]:
    sources = "; ".join(dict.fromkeys(point.row["source"] for point in points))
    return {
        "calibration": level.name,
        **level.parameters,
        "interval": f"from the row {start.name}, moved by {len(points)} measured figures as far as they say so",
        "source": f"Fit on the sheet Measurements: {sources}"[:500],
        "checked_on": date.today(),
    }


def _median(found: Sequence[Prediction]) -> float:
    known = sorted(abs(each.ratio - 1) for each in found if not each.reason)
    return known[len(known) // 2]
