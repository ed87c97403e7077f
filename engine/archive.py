"""Archive: one folder a month, written all at once or not at all. Knows files and figures, not what they mean."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any


def folder_name(month: date) -> str:
    return f"{month:%Y-%m}"


def month_before(month: date) -> date:
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def run_of(reports: Path, month: date) -> dict[str, Any] | None:
    """run.json of a month in the archive, or None where that month is not there."""
    path = reports / folder_name(month) / "run.json"
    if not path.is_file():
        return None
    run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return run


def write_run(reports: Path, month: date, write: Callable[[Path], None]) -> Path:
    """Lets `write` fill a folder beside the archive, then puts it in the month's place in one step.

    Where `write` fails, or the machine stops, the month's folder stays as it was. The folder is a draft: a run of the
    same month takes its place.
    """
    reports.mkdir(parents=True, exist_ok=True)
    folder = reports / folder_name(month)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=reports))
    old = reports / f".{folder.name}-old-{os.getpid()}"
    try:
        write(beside)
        beside.chmod(0o755)
        if folder.exists():
            folder.rename(old)
        beside.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise
    return folder


def write_json(path: Path, run: Mapping[str, Any]) -> None:
    """Keys in the order given, numbers in full, readable."""
    path.write_text(json.dumps(run, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
