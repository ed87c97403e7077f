"""The commands about runs: publish, list, verify, watch. Each is a few lines that call a room."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.commands.exits import FAILED_CHECK, told
from engine.commands.progress import bar

Run = Annotated[Path, typer.Argument(help="Folder of a run, such as reports/2026-11.")]
Out = Annotated[Path, typer.Option("--out", help="Folder of the archive.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say only what went wrong.")]
REPORTS = Path("reports")


def publish(
    run: Run,
    force: Annotated[bool, typer.Option("--force", help="Publish it although checks failed.")] = False,
    quiet: Quiet = False,
) -> None:
    """Make a draft the report of its month: without its marks, and never replaced."""
    from engine import publishing
    from engine.run import STAGES

    with told(), bar(STAGES, quiet) as progress:
        record = publishing.publish(run, force=force, progress=progress)
    if not quiet:
        print(f"Published: {run}/report.pdf and results.xlsx\n{record['headline']}.")
    if not record["passed"]:
        print("Published although checks failed; every page says so.", file=sys.stderr)


def list_runs(out: Out = REPORTS) -> None:
    """List the runs of the archive: month, revision, state, profit, input, and when it was published or sent."""
    from engine.commands.listing import lines

    print(*(lines(out) or [f"{out} has no runs."]), sep="\n")


def verify(run: Run, quiet: Quiet = False) -> None:
    """Make a run once more from its stored input, and say what comes out otherwise. Writes nothing."""
    from engine import verification
    from engine.run import STAGES

    with told(), bar((*STAGES, verification.COMPARISON), quiet) as progress:
        verdict = verification.verify(run, progress)
    for note in verdict.notes:
        print(f"Note: {note}", file=sys.stderr)
    if verdict.differences:
        print(*verdict.differences, sep="\n")
        raise typer.Exit(FAILED_CHECK)
    if not quiet:
        print(f"{run}: everything comes out as it was.")


def watch(
    workbook: Annotated[Path, typer.Argument(dir_okay=False, help="The input workbook.")],
    out: Out = REPORTS,
    quiet: Quiet = False,
) -> None:
    """Report a workbook now and whenever it is saved, until Ctrl-C."""
    from engine.run import STAGES
    from engine.watching import watch as watched

    try:
        with told():
            watched(workbook, out, lambda: bar(STAGES, quiet), sys.stdout)
    except KeyboardInterrupt:
        # How it is meant to end.
        print(file=sys.stderr)
