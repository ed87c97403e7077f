"""Watching: reports a workbook again whenever it has been saved. Looks at the file; knows nothing of what is in it.

Twice a second, because network drives, where workbooks lie, tell nobody of a change.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TextIO
from zipfile import is_zipfile

from engine.archive import ArchiveError
from engine.run import Outcome, Progress, RenderingError, report_month
from engine.workbook.problems import InvalidWorkbook, counted, listing
from engine.workbook.safety import ZIP, open_elsewhere

LOOK = 0.5  # seconds between two looks
Stamp = tuple[int, int, int] | None  # when it was changed, its size, which file it is; None where there is none


def watch(path: Path, reports: Path, bar: Callable[[], AbstractContextManager[Progress]], out: TextIO) -> None:
    """Reports the workbook now and after every save, and says in a line how it went, until it is interrupted.

    Errors: ArchiveError where the name is that of Excel's own note beside a workbook.
    """

    def build() -> Outcome:
        with bar() as progress:
            return report_month(path, reports, progress=progress)

    def tell(line: str) -> None:
        print(f"{datetime.now():%H:%M:%S}  {line}", file=out, flush=True)

    watcher = Watcher(path, build, tell)
    while True:
        watcher.look()
        time.sleep(LOOK)


@dataclass
class Watcher:
    """What is known of a workbook from one look to the next."""

    path: Path
    build: Callable[[], Outcome]
    tell: Callable[[str], None]
    seen: Stamp = field(init=False)
    done: Stamp = field(init=False, default=None)
    state: str = field(init=False, default="")

    def __post_init__(self) -> None:
        if self.path.name.startswith("~$"):
            raise ArchiveError(f"{self.path.name} is Excel's note that a workbook is open; name the workbook itself.")
        self.seen = _stamp(self.path)

    def look(self) -> None:
        """Builds where the file was saved since it was last built and has come to rest; says else why not, once."""
        before, self.seen = self.seen, _stamp(self.path)
        if self.seen is None:
            self._say("is not there; waiting for it")
        elif self.seen == self.done:
            self._say("is open in another program; it is reported whenever it is saved there" if self._is_open else "")
        elif self.seen != before:
            self._say("has changed; waiting until it is written")
        elif self._is_half_written:
            self._say("is half written; waiting until it is saved again")
        else:
            self.done = self.seen
            self._build()

    def _say(self, state: str) -> None:
        """Says how things stand with the file, where that is new."""
        if state and state != self.state:
            self.tell(f"{self.path.name} {state}.")
        self.state = state

    @property
    def _is_open(self) -> bool:
        return any(open_elsewhere(self.path))

    @property
    def _is_half_written(self) -> bool:
        """Whether it begins as a workbook does, or not yet, and lacks its end."""
        try:
            with self.path.open("rb") as file:
                begun = ZIP.startswith(file.read(len(ZIP)))
            return begun and not is_zipfile(self.path)
        except OSError:
            # Gone between two looks, or not ours to read: the next look, or the run, says so.
            return False

    def _build(self) -> None:
        try:
            told = _told(self.build())
        except InvalidWorkbook as invalid:
            found = f"{counted(invalid.problems)}; nothing was written:\n{listing(invalid.problems)}"
            told = f"{self.path.name} has {found}"
        except (ArchiveError, RenderingError) as error:
            told = str(error)
        # The command line runs without looking for cycles, which here would add up. Before anything is told, because
        # a Ctrl-C that meets the clearing up of an object is lost.
        gc.collect()
        self.tell(told)
        self.state = ""


def _told(outcome: Outcome) -> str:
    failed = "; ".join(check.name for check in outcome.checks if not check.passed)
    warnings = counted(outcome.warnings) if outcome.warnings else ""
    marks = [*([f"CHECKS FAILED: {failed}"] if failed else []), *([warnings] if warnings else [])]
    return f"{outcome.headline}. Written: {outcome.folder}" + "".join(f"; {mark}" for mark in marks)


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
