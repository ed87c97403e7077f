"""The commands about runs: publish, send, compare, list, verify, watch. Each is a few lines that call a room."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from engine import archive
from engine.commands.exits import FAILED_CHECK, NOT_DONE, told
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


def send(
    run: Run,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go to whom, and send nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Send it although a check failed.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Send it also to those who have it.")] = False,
) -> None:
    """Send a run's report.eml to those whom Settings names, over SMTP."""
    from engine.sending.attempts import send as send_letter
    from engine.sending.letters import letter_of, plan
    from engine.sending.servers import described, server_of

    with told():
        if dry_run:
            letter = letter_of(run, user=os.environ.get("SMTP_USER", ""), again=again, force=force)
            print(*plan(letter), f"Through:  {described(os.environ)}", "Nothing was sent.", sep="\n")
            return
        server = server_of(os.environ)
        # Also before it is locked, because locking makes the archive's folder where there is none.
        letter_of(run, user=server.user, again=again, force=force)
        # A run of the month that waits meanwhile makes a revision, because what was sent stays.
        with archive.locked(run.resolve().parent, f"send {run.name}"):
            letter = letter_of(run, user=server.user, again=again, force=force)
            delivery = send_letter(letter, server, lambda line: print(line, file=sys.stderr))
    if delivery.accepted:
        print(f"Sent: {run}/report.eml to {', '.join(delivery.accepted)}.")
    for address, reason in delivery.refused.items():
        print(f"Not sent to {address}: {reason}.", file=sys.stderr)
    if delivery.refused:
        raise typer.Exit(NOT_DONE)


def compare(
    before: Annotated[Path, typer.Argument(help="Folder of the earlier run, such as reports/2026-10.")],
    now: Annotated[Path, typer.Argument(help="Folder of the later run.")],
    fail_above: Annotated[
        str, typer.Option(help="Fail where gross profit moved by more: an amount such as 50000, or a share such as 5%.")
    ] = "",
) -> None:
    """Say what moved from one run to another: inputs by cell, figures by size, gross profit step by step."""
    from engine.comparing import compare as compare_runs

    limit = _limit(fail_above)
    with told():
        found = compare_runs(before, now)
    print("\n".join(found.lines))
    if limit and limit.is_passed(found.change, found.before):
        print(f"FAILED: gross profit moved by more than {fail_above}.", file=sys.stderr)
        raise typer.Exit(FAILED_CHECK)


class _Limit(NamedTuple):
    """By how much a figure may move: an amount, or a share of what it was."""

    number: float
    is_share: bool

    def is_passed(self, change: float, before: float) -> bool:
        return abs(change) > (self.number * abs(before) if self.is_share else self.number)


def _limit(text: str) -> _Limit | None:
    if not text:
        return None
    is_share = text.endswith("%")
    try:
        number = float(text.removesuffix("%").replace(",", ""))
    except ValueError:
        number = -1.0
    if not 0 <= number < math.inf:
        raise typer.BadParameter(f"'{text}' is no limit; write an amount such as 50000, or a share such as 5%")
    return _Limit(number / 100 if is_share else number, is_share)


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
