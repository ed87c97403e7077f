"""Recalculation: the cached value of every formula of a workbook, by a second engine. Knows no sheet and no formula."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.workbook.aside import put_back, set_aside
from engine.workbook.problems import address

MOST_ERRORS = 1_000_000  # all of them are listed


class RecalculationError(RuntimeError):
    """The second engine could not calculate the workbook."""


@dataclass(frozen=True)
class Recalculation:
    """What the second engine made of a workbook: cells in error with their errors, and functions it does not know."""

    errors: Mapping[str, str]
    unknown_functions: tuple[str, ...]


def recalculate(path: Path) -> Recalculation:
    """Fills in the cached value of every formula, changing nothing else, with the command of formualizer.

    Errors: RecalculationError where it refuses the file, which is then as it was.
    """
    original = path.read_bytes()
    bare, aside = set_aside(original)
    path.write_bytes(bare)
    try:
        found = _calculated(path)
    except RecalculationError:
        path.write_bytes(original)
        raise
    path.write_bytes(put_back(path.read_bytes(), aside))
    return found


def _calculated(path: Path) -> Recalculation:
    command = shutil.which("formualizer", path=str(Path(sys.executable).parent)) or "formualizer"
    call = [command, "recalc", str(path), "--json", "--max-errors", str(MOST_ERRORS)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout) if done.stdout else {}
    if done.returncode != 0:
        refusal = answer.get("refusal") or {}
        reason = " ".join(str(refusal[key]) for key in ("feature", "context") if refusal.get(key))
        raise RecalculationError(reason or done.stderr or done.stdout)
    return Recalculation(
        {address(error["sheet"], error["cell"]): error["error"] for error in answer["errors"] or ()},
        tuple(function["name"] for function in answer["unknown_functions"] or ()),
    )
