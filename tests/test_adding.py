"""The commands `add ...`: what exists, typed into a copy, with a sentence for all that stands in the way."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from engine.sheets import MODELS
from engine.workbook.blank import write_blank
from engine.workbook.read import read

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "inputs" / "example.xlsx"
CONFIGS = ROOT / "tests" / "model_configs"


def engine(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "engine", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "400"},
        check=False,
    )


def test_a_config_becomes_a_row(tmp_path: Path) -> None:
    before = hashlib.sha256(EXAMPLE.read_bytes()).hexdigest()
    seen = ("--checked-on", "2026-11-20")
    config = CONFIGS / "qwen3-30b-a3b.json"
    done = engine("add", "model", config, "--to", EXAMPLE, "--out", "new.xlsx", *seen, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    last = get_column_letter(len(MODELS.columns))
    assert done.stdout == f"Models!A16:{last}16  Qwen3-30B-A3B\nWritten: new.xlsx\n"
    row = read(tmp_path / "new.xlsx").tables["Models"].find("Qwen3-30B-A3B")
    assert row is not None
    assert row["total_parameters"] == pytest.approx(30.5, rel=0.01)
    assert (row["experts"], row["experts_per_token"], row["kv_heads"]) == (128, 8, 4)
    assert row["source"] == "config.json of Qwen/Qwen3-30B-A3B"
    assert row["checked_on"] == date(2026, 11, 20)
    assert hashlib.sha256(EXAMPLE.read_bytes()).hexdigest() == before


def test_the_catalogue_fills_a_blank_workbook(tmp_path: Path) -> None:
    write_blank(tmp_path / "blank.xlsx", today=date(2026, 12, 1))
    to, name = ("--to", "blank.xlsx", "--out", "one.xlsx"), ("--name", "H100")
    done = engine("add", "hardware", "h100 sxm", *to, *name, folder=tmp_path)
    assert done.stdout.splitlines()[0] == "Hardware!A5:R5  H100"
    done = engine("add", "hardware", "L4", "--to", "one.xlsx", "--out", "two.xlsx", folder=tmp_path)
    assert done.stdout.splitlines()[0] == "Hardware!A6:R6  L4"
    sheet = load_workbook(tmp_path / "two.xlsx")["Hardware"]
    assert [sheet[cell].value for cell in ("A5", "A6", "A7", "H5")] == ["H100", "L4", None, 3350]
    assert sheet.tables["tblHardware"].ref == "A4:R12"
    assert sheet["A6"].style == "Input Name"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("hardware", "H200 SMX"), 2, "'H200 SMX' is not in inputs/catalogue/accelerators.csv; did you mean H200 SXM?"),
        (("hardware", "h100"), 2, "did you mean H100 SXM, H100 PCIe, H100 NVL?"),
        (("model", "nothing of the kind"), 2, "models.csv; it has: GPT-J 6B, Llama 2 7B"),
        (("model", "Llama 3.1 8B"), 3, "Models!A9  'Llama 3.1 8B' is already here; a name stands once"),
        (("model", "config.json"), 3, "config.json cannot be read as JSON; name a model's config.json."),
        (("model", "Phi-4", "--checked-on", "3/11/2026"), 2, "'3/11/2026' is not a day; write it as 2026-11-03"),
    ],
)
def test_what_stands_in_the_way_is_said(arguments: tuple[str, ...], code: int, says: str, tmp_path: Path) -> None:
    done = engine("add", *arguments, "--to", EXAMPLE, "--out", "new.xlsx", folder=tmp_path)
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (code, "", [])
