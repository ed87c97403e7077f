"""The commands. Each is a few lines that call a room."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from engine.commands import calibrate, fidelity, runs, sweeps
from engine.commands.exits import FAILED_CHECK, INVALID, told
from engine.commands.progress import bar
from engine.workbook.problems import InvalidWorkbook, counted, listing

if TYPE_CHECKING:
    from engine.workbook.copying import Copy


class Commands(TyperGroup):
    """Answers a call that is not understood with one sentence; how a command is called, its --help says."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except TyperException as error:
            # Without any arguments a group of commands has shown its help, and has no more to say.
            if sentence := error.format_message().removeprefix("Invalid value: "):
                print(f"Error: {sentence}", file=sys.stderr)
            raise typer.Exit(error.exit_code) from None


app = typer.Typer(
    cls=Commands,
    help="What served tokens cost, and what they earn: from one Excel workbook to a report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

add = typer.Typer(help="Add rows to a copy of a workbook, from what exists.", no_args_is_help=True)
app.add_typer(add, name="add")

Workbook = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The input workbook.")]
To = Annotated[
    Path, typer.Option("--to", exists=True, dir_okay=False, help="The workbook to add to; it is not changed.")
]
Out = Annotated[Path, typer.Option("--out", help="Where to write the copy.")]
Name = Annotated[str, typer.Option(help="What to call it in the workbook, where not as it is called there.")]
Replace = Annotated[bool, typer.Option("--replace", help="Write over a file of the copy's name.")]
AcceptLoss = Annotated[
    bool, typer.Option("--accept-loss", help="Copy also what loses something by it, such as a chart of your own.")
]


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
    out: runs.Out = runs.REPORTS,
    quiet: runs.Quiet = False,
) -> None:
    """Write the month's report.pdf, results.xlsx, report.eml and results.parquet."""
    from engine.run import STAGES, report_month

    asked = _month(month) if month else None
    with told(), bar(STAGES, quiet) as progress:
        outcome = report_month(workbook, out, asked, progress)
    for warning in outcome.warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    if not quiet:
        print(f"{outcome.headline}.\nWritten: {outcome.folder}/report.pdf and results.xlsx")
    if not outcome.passed:
        print("FAILED: " + "; ".join(check.name for check in outcome.checks if not check.passed), file=sys.stderr)
        raise typer.Exit(FAILED_CHECK)


for command in (runs.publish, runs.send, runs.compare, runs.verify, runs.watch):
    app.command()(command)
app.command("list")(runs.list_runs)
app.command()(sweeps.sweep)
app.command()(fidelity.fidelity)
app.command()(calibrate.calibrate)


@app.command()
def check(
    workbook: Workbook,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON list, for another program.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as problems.")] = False,
    marked: Annotated[
        Path | None, typer.Option(help="Write a copy that shows each problem in its cell.", show_default=False)
    ] = None,
    replace: Replace = False,
    accept_loss: AcceptLoss = False,
) -> None:
    """List everything that is wrong with a workbook, and what is doubtful."""
    from engine.workbook.copying import Target
    from engine.workbook.marking import write_marked
    from engine.workbook.read import problems_of

    found = problems_of(workbook)
    if as_json:
        print(json.dumps([problem.record for problem in found], indent=2, ensure_ascii=False))
    else:
        print(*filter(None, (listing(found), f"{workbook.name}: {counted(found)}.")), sep="\n")
    if marked:
        try:
            _tell(lambda: write_marked(workbook, found, Target(marked, replace, accept_loss)), sys.stderr)
        except InvalidWorkbook as refused:
            if not set(refused.problems) <= set(found):
                raise
            print(f"Not written: {marked}, because the workbook cannot be opened.", file=sys.stderr)
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
def migrate(
    old: Workbook,
    new: Annotated[Path, typer.Argument(help="Where to write the copy.")],
    month: Annotated[
        str, typer.Option(help="Month the copy is for, such as 2026-12; the workbook's own where left out.")
    ] = "",
    replace: Replace = False,
    accept_loss: AcceptLoss = False,
) -> None:
    """Bring a copy of a workbook into this version's layout, and to another month."""
    from engine.workbook.copying import Target
    from engine.workbook.migration import migrated

    target = Target(new, replace, accept_loss)
    _tell(lambda: migrated(old, target, _month(month) if month else None))


@app.command()
def explain(
    workbook: Workbook,
    quantity: Annotated[str, typer.Option(help="The figure to derive, such as output_cost.")],
    configuration: Annotated[str, typer.Option(help="Of this row of the Configurations sheet.")] = "",
    traffic: Annotated[str, typer.Option(help="Of this traffic instead; of the whole month without either.")] = "",
    depth: Annotated[int, typer.Option(min=0, help="Steps to go down; 99 reaches every input cell.")] = 4,
) -> None:
    """Derive one figure, formula by formula, down to input cells."""
    from engine.derivation import UnknownNameError, derive

    if configuration and traffic:
        raise typer.BadParameter("name a configuration or a traffic, not both")
    try:
        print("\n".join(derive(workbook, quantity, configuration=configuration, traffic=traffic, most=depth)))
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


@add.command()
def model(
    source: Annotated[str, typer.Argument(help="A model's config.json, or a name in inputs/catalogue/models.csv.")],
    to: To,
    out: Out,
    name: Name = "",
    checked_on: Annotated[str, typer.Option(help="Day the config.json was looked at; today where left out.")] = "",
    replace: Replace = False,
    accept_loss: AcceptLoss = False,
) -> None:
    """Add a row to Models: the shapes and parameters that a config.json gives, or a row of the catalogue."""
    from engine.filling.additions import add_model
    from engine.workbook.copying import Target

    day, target = _day(checked_on), Target(out, replace, accept_loss)
    _tell(lambda: add_model(source, to, target, name=name, checked_on=day))


@add.command()
def hardware(
    source: Annotated[str, typer.Argument(help="A name in inputs/catalogue/accelerators.csv.")],
    to: To,
    out: Out,
    name: Name = "",
    replace: Replace = False,
    accept_loss: AcceptLoss = False,
) -> None:
    """Add a row of the catalogue to Hardware."""
    from engine.filling.additions import add_hardware
    from engine.workbook.copying import Target

    target = Target(out, replace, accept_loss)
    _tell(lambda: add_hardware(source, to, target, name=name))


@add.command()
def calibration(
    source: Annotated[str, typer.Argument(help="A name in inputs/catalogue/calibration.csv, such as all or vLLM.")],
    to: To,
    out: Out,
    update: Annotated[bool, typer.Option("--update", help="Type over the row that is there.")] = False,
    replace: Replace = False,
    accept_loss: AcceptLoss = False,
) -> None:
    """Add a row of the catalogue to Calibration: the speed parameters of all engines, or of one."""
    from engine.filling.additions import add_calibration
    from engine.workbook.copying import Target

    target = Target(out, replace, accept_loss)
    _tell(lambda: add_calibration(source, to, target, over=update))


@add.command()
def prices(
    provider: Annotated[list[str], typer.Option(help="Whose prices, such as openai; may be given several times.")],
    to: To,
    out: Out,
    model: Annotated[
        list[str] | None, typer.Option(help="Only models with this in their names; may be given several times.")
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Type over the prices of those that are there.")] = False,
    replace: Replace = False,
    accept_loss: AcceptLoss = False,
) -> None:
    """Add rows to Competitors: what other vendors ask, from the price list that is installed with this program."""
    from engine.filling.additions import add_prices
    from engine.workbook.copying import Target

    target = Target(out, replace, accept_loss)
    _tell(lambda: add_prices(provider, model or [], to, target, over=update))


@add.command()
def measurements(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file of measured points, or a benchmark's JSON.")
    ],
    to: To,
    out: Out,
    model: Annotated[str, typer.Option(help="Of a benchmark: the model, as Models has it.")] = "",
    hardware: Annotated[str, typer.Option(help="Of a benchmark: the accelerator, as Hardware has it.")] = "",
    precision: Annotated[str, typer.Option(help="Of a benchmark: the precision, as Precisions has it.")] = "",
    accelerators: Annotated[int, typer.Option(min=0, help="Of a benchmark: accelerators of the replica.")] = 0,
    engine: Annotated[str, typer.Option(help="Of a benchmark: the serving engine.")] = "",
    update: Annotated[bool, typer.Option("--update", help="Type over the points that are there.")] = False,
    replace: Replace = False,
    accept_loss: AcceptLoss = False,
) -> None:
    """Add rows to Measurements: measured points, kept with their sources."""
    from engine.filling.additions import add_measurements
    from engine.workbook.copying import Target

    target = Target(out, replace, accept_loss)
    ran_on = {
        "model": model,
        "hardware": hardware,
        "precision": precision,
        "accelerators": accelerators,
        "engine": engine,
    }
    _tell(lambda: add_measurements(file, to, target, over=update, ran_on=ran_on))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text) if text else date.today()
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a day; write it as 2026-11-03") from None


def _tell(write: Callable[[], Copy], out: TextIO | None = None) -> None:
    """Writes a copy and says what was done to it."""
    from engine.filling import UnknownNameError
    from engine.filling.measurements import MeasurementsError
    from engine.filling.model_config import ConfigError
    from engine.workbook.copying import TargetError

    try:
        copy = write()
    except (TargetError, UnknownNameError) as error:
        raise typer.BadParameter(str(error)) from None
    except ConfigError as error:
        print(f"{error}.", file=sys.stderr)
        raise typer.Exit(INVALID) from None
    except MeasurementsError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(INVALID) from None
    for note in copy.notes:
        print(f"Note: {note}", file=sys.stderr)
    needs = ("Needs a person:", *copy.needs) if copy.needs else ()
    print(*copy.done, f"Written: {copy.path}", *needs, sep="\n", file=out)


def main() -> None:
    """Runs the command line. What ends it, and with which code: `engine/commands/exits.py`."""
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
