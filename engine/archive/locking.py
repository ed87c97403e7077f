"""Locking: one writer in an archive at a time, whatever month it writes. Knows processes, not what they do.

The lock is the operating system's own, on a hidden file of the archive. It ends with the process that holds it,
however that ends, so that a lock can never be stale; the file says who holds it, and is removed with it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

NAME = ".lock"
WAIT = 60.0  # seconds that a second writer waits for the first
_LOOK = 0.1  # seconds between two tries

_held: set[Path] = set()


class ArchiveError(Exception):
    """What was asked of the archive cannot be done; nothing in it was changed. One sentence says why."""


@contextmanager
def locked(
    reports: Path, doing: str, wait: float = WAIT, waiting: Callable[[str], None] = lambda holder: None
) -> Iterator[None]:
    """Keeps other processes from writing into the archive; `doing` is what they are told, such as `report 2026-11`.

    Where another process holds it, `waiting` is told which, once.
    Within this process it may be asked for again while it is held, such as by `mark` while a run is sent.

    Errors: ArchiveError naming the holder where another process does not let go within `wait` seconds.
    """
    reports = reports.resolve()
    if reports in _held:
        yield
        return
    reports.mkdir(parents=True, exist_ok=True)
    file = _taken(reports, wait, waiting)
    try:
        _held.add(reports)
        _introduce(file, doing)
        yield
    finally:
        _held.discard(reports)
        # While it is still held: who has opened the removed file by now sees that, and tries again.
        (reports / NAME).unlink(missing_ok=True)
        file.close()


def _taken(reports: Path, wait: float, waiting: Callable[[str], None]) -> IO[str]:
    """The lock file, locked."""
    path, until, told = reports / NAME, time.monotonic() + wait, False
    while True:
        file = path.open("a+", encoding="utf-8")
        if _locks(file, reports) and _is_still(file, path):
            return file
        holder = _holder(file)
        file.close()
        if time.monotonic() >= until:
            raise ArchiveError(
                f"{reports.name} is in use by {holder}, and was so for {wait:g} seconds; "
                "nothing was written. Try again when that has ended."
            )
        if not told:
            waiting(holder)
            told = True
        time.sleep(_LOOK)


def _locks(file: IO[str], reports: Path) -> bool:
    """Whether nobody else held it, so that it is now ours."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL):
            raise ArchiveError(
                f"{reports} lies on a drive that cannot lock files, so that two runs could mix there; "
                "nothing was written. Name a folder on another drive (--out)."
            ) from None
        raise
    return True


def _is_still(file: IO[str], path: Path) -> bool:
    """Whether the file that was locked is the one that others find; the holder before us has removed its own."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _introduce(file: IO[str], doing: str) -> None:
    file.truncate(0)
    file.write(f"process {os.getpid()} on {platform.node()}, {doing}, since {datetime.now():%H:%M:%S}")
    file.flush()


def _holder(file: IO[str]) -> str:
    """What the holder wrote; it may not have come to that yet."""
    file.seek(0)
    return file.read() or "another process"
