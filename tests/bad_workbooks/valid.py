"""A small valid workbook, and edits that spoil a copy of it. Knows the columns by name, never by letter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter

from engine.sheets import BY_NAME, CALIBRATION, FIRST_ROW
from engine.workbook.blank import write_blank
from engine.workbook.problems import address

TODAY = date(2026, 12, 1)
SEEN = {"source": "assumption", "checked_on": date(2026, 11, 3)}

# Any figures within bounds do: what is tested here is reading them.
CALIBRATED = {
    column.name: max(column.at_least or 0.0, min(1.0, column.at_most or 1.0))
    for column in CALIBRATION.columns
    if column.unit.is_number
}

ROWS: dict[str, list[dict[str, Any]]] = {
    "Settings": [{"report_month": date(2026, 11, 1), "headroom": 0.2}],
    "Configurations": [
        {
            "configuration": "chat on H100",
            "model": "Llama 8B",
            "hardware": "H100",
            "precision": "fp8",
            "tensor_parallel": 2,
            "requested_batch_size": "max",
            "price_basis": "on demand",
            "traffic": "chat",
            "price_list": "list",
            "requests_share": 1,
        }
    ],
    "Traffic": [
        {
            "traffic": "chat",
            "mean_requests": 20,
            "peak_requests": 45,
            "input_tokens": 1200,
            "output_tokens": 300,
            **SEEN,
        }
    ],
    "Prices": [
        {
            "price_list": "list",
            "input_price": 0.1,
            "cached_input_price": 0.05,
            "output_price": 0.3,
            "reasoning_price": 0.3,
            "valid_from": date(2026, 1, 1),
            **SEEN,
        }
    ],
    "Hardware": [
        {
            "hardware": "H100",
            "vendor": "NVIDIA",
            "bf16_compute": 989,
            "fp8_compute": 1978,
            "accelerator_memory": 80,
            "memory_bandwidth": 3350,
            "link_bandwidth": 450,
            "on_demand_price": 2.95,
            "price_source": "assumption",
            **SEEN,
        }
    ],
    "Models": [
        {
            "model": "Llama 8B",
            "total_parameters": 8.03,
            "active_parameters": 8.03,
            "layers": 32,
            "hidden_size": 4096,
            "attention_heads": 32,
            "kv_heads": 8,
            "head_dim": 128,
            "maximum_context": 131072,
            **SEEN,
        }
    ],
    "Precisions": [
        {"precision": "fp8", "weight_bits": 8, "mixture_dense_bits": 8, "kv_bits": 8, "compute": "fp8", **SEEN}
    ],
    "Calibration": [{"calibration": "all", **CALIBRATED, **SEEN}],
}

Edit = Callable[[Workbook], None]


@dataclass(frozen=True)
class Defect:
    """One thing wrong with the valid workbook: how to bring it about, the cell it must name, what it must say."""

    name: str
    edit: Edit
    place: str
    says: str


def coordinate(sheet: str, column: str, row: int = 0) -> str:
    """The cell of a value in a workbook that `write_blank` wrote."""
    position = [each.name for each in BY_NAME[sheet].columns].index(column)
    if BY_NAME[sheet].vertical:
        return f"B{FIRST_ROW + position}"
    return f"{get_column_letter(position + 1)}{FIRST_ROW + row}"


def at(sheet: str, column: str, row: int = 0) -> str:
    """The cell as a message names it."""
    return address(sheet, coordinate(sheet, column, row))


def fill(sheet: str, *rows: dict[str, Any], start: int = 0) -> Edit:
    """Writes values into rows of a sheet; what a row does not name stays as it is."""

    def edit(book: Workbook) -> None:
        for index, row in enumerate(rows, start=start):
            for column, value in row.items():
                book[sheet][coordinate(sheet, column, index)].value = value

    return edit


def put(sheet: str, cell: str, value: Any) -> Edit:
    """Writes one cell by its address: a head, or something of the analyst's own."""

    def edit(book: Workbook) -> None:
        book[sheet][cell].value = value

    return edit


def more(sheet: str, *rows: dict[str, Any]) -> Edit:
    """Adds rows below, like the first row but for what they name."""
    first = ROWS.get(sheet, [{}])[0]
    return fill(sheet, *({**first, **row} for row in rows), start=1)


def both(*edits: Edit) -> Edit:
    """One edit after the other."""

    def edit(book: Workbook) -> None:
        for each in edits:
            each(book)

    return edit


def write_valid(path: Path) -> Path:
    write_blank(path, ROWS, today=TODAY)
    return path


def spoil(valid: Path, path: Path, *edits: Edit) -> Path:
    """A copy of the valid workbook with these edits."""
    book = load_workbook(valid)
    both(*edits)(book)
    book.save(path)
    return path
