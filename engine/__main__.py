"""The commands. Each is a few lines that call a room."""

from __future__ import annotations

import gc
import json
import math
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from engine.workbook.problems import InvalidWorkbook, counted, listing

INVALID, FAILED_CHECK = 3, 4

app = typer.Typer(
    help="What served tokens cost, and what they earn: from one Excel workbook to a report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Workbook = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The input workbook.")]


def _month(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m").date()
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a month; write it as 2026-11") from None


@app.command()
def report(
    workbook: Workbook,
    month: Annotated[
        str, typer.Option(help="Month to report, such as 2026-11; the workbook's own where left out.")
    ] = "",
    out: Annotated[Path, typer.Option(help="Folder of the archive.")] = Path("reports"),
) -> None:
    """Write the month's results.xlsx, report.pdf and results.parquet."""
    from engine.run import report_month

    def progress(stage: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\033[K{stage} ...", end="", file=sys.stderr, flush=True)

    outcome = report_month(workbook, out, _month(month) if month else None, progress)
    progress("done")
    print(file=sys.stderr)
    for warning in outcome.warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    print(f"{outcome.headline}.\nWritten: {outcome.folder}/report.pdf and results.xlsx")
    if not outcome.passed:
        print("FAILED: " + "; ".join(check.name for check in outcome.checks if not check.passed), file=sys.stderr)
        raise typer.Exit(FAILED_CHECK)


@app.command()
def check(
    workbook: Workbook,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON list, for another program.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as problems.")] = False,
) -> None:
    """List everything that is wrong with a workbook, and what is doubtful; write nothing."""
    from engine.workbook.read import problems_of

    found = problems_of(workbook)
    if as_json:
        print(json.dumps([problem.record for problem in found], indent=2, ensure_ascii=False))
    else:
        print(*filter(None, (listing(found), f"{workbook.name}: {counted(found)}.")), sep="\n")
    if any(strict or problem.severity == "error" for problem in found):
        raise typer.Exit(INVALID)


@app.command()
def blank(
    path: Annotated[Path, typer.Argument(help="Where to write the empty workbook.")] = Path("inputs/new.xlsx"),
    example: Annotated[bool, typer.Option("--example", help="Write those that ship into inputs/ instead.")] = False,
) -> None:
    """Write an empty input workbook, or those that ship: the example's two months and the published cases."""
    from engine.workbook.shipped import write_blank_workbook, write_examples

    if path.exists() and not example:
        raise typer.BadParameter(f"{path} exists and is not overwritten; choose another name or remove it")
    for written in write_examples() if example else [write_blank_workbook(path)]:
        print(f"Written: {written}")


@app.command()
def explain(
    workbook: Workbook,
    quantity: Annotated[str, typer.Option(help="The figure to derive, such as output_cost.")],
    configuration: Annotated[str, typer.Option(help="Of this row of the Configurations sheet.")] = "",
    traffic: Annotated[str, typer.Option(help="Of this traffic instead; of the whole month without either.")] = "",
    depth: Annotated[int | None, typer.Option(min=0, help="Steps to go down; else down to every input cell.")] = None,
) -> None:
    """Derive one figure, formula by formula, down to input cells."""
    from engine.derivation import UnknownNameError, derive

    if configuration and traffic:
        raise typer.BadParameter("name a configuration or a traffic, not both")
    try:
        most = math.inf if depth is None else depth
        print("\n".join(derive(workbook, quantity, configuration=configuration, traffic=traffic, most=most)))
    except UnknownNameError as unknown:
        raise typer.BadParameter(str(unknown)) from None


@app.command()
def reconcile(
    figures: Annotated[
        Path | None, typer.Option(exists=True, help="List of published figures; else the shipped one.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write every figure beside the engine's here, as CSV.")] = None,
    examples: Annotated[
        Path | None, typer.Option(exists=True, help="Folder of worked examples; else the tests'.")
    ] = None,
) -> None:
    """Set every published figure beside the engine's own: reproduced, or wrong and why."""
    from engine.studies.reconcile import EXAMPLES, LIST, published_figures, reconcile_figures, write_csv
    from engine.studies.worked_examples import ExampleError, Examples

    try:
        outcome = reconcile_figures(published_figures(figures or LIST), Examples(examples or EXAMPLES))
    except ExampleError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(INVALID) from None
    if out:
        write_csv(outcome, out)
    print(outcome.summary)
    for row in outcome.failures:
        print(f"FAILED: {row.published.identity} prints {row.published.printed}: {row.why}", file=sys.stderr)
    if outcome.failures:
        raise typer.Exit(FAILED_CHECK)


def main() -> None:
    """Runs the command line. Exit codes: 0 ok, 1 our bug, 2 usage, 3 invalid input, 4 a check failed."""
    # A command is short: looking for cycles among its cells and boxes takes a sixth of its time and frees nothing.
    gc.disable()
    try:
        app()
    except InvalidWorkbook as invalid:
        print(invalid, file=sys.stderr)
        sys.exit(INVALID)
    finally:
        # Else the interpreter looks once more before it ends.
        gc.freeze()


if __name__ == "__main__":
    main()
