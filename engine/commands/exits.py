"""Exits: with which code a command ends, and the sentence it ends with. Knows no command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from engine.archive import ArchiveError

# 0: done. 1: a defect of this program, which shows where it is. 2: not understood, or the archive forbids it.
# 3: the workbook has problems. 4: a check failed, or something differs. 5: a file could not be made, or not be sent.
REFUSED, INVALID, FAILED_CHECK, NOT_DONE = 2, 3, 4, 5


@contextmanager
def told() -> Iterator[None]:
    """Ends a command that cannot do its work with one sentence and the code of its kind."""
    from engine.comparing import NoRunError
    from engine.publishing import FailedChecksError
    from engine.run import RenderingError
    from engine.sending import FailedCheckError, SendingError

    codes = {
        ArchiveError: REFUSED,
        NoRunError: REFUSED,
        FailedChecksError: FAILED_CHECK,
        FailedCheckError: FAILED_CHECK,
        RenderingError: NOT_DONE,
        SendingError: NOT_DONE,
    }
    try:
        yield
    except tuple(codes) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(codes[type(error)]) from None
