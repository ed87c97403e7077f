"""Listing: an archive as lines of text, one for each run. Reads run.json only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine import archive
from engine.units import Share, brief_money, money_in, show

_KEPT = 8  # characters of a hash


def lines(reports: Path) -> list[str]:
    """Month, revision, state, gross profit, margin, input, engine, and when it was published or sent.

    A run whose run.json cannot be read has a line that says so.
    """
    rows = [_row(folder, revision) for _, revision, folder in archive.folders(reports)]
    widths = [max(map(len, column)) for column in zip(*(row for row in rows if len(row) > 1), strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        if len(row) > 1
        else row[0]
        for row in rows
    ]


def _row(folder: Path, revision: int) -> list[str]:
    try:
        record = archive.record_of(folder)
    except archive.ArchiveError as error:
        return [f"{folder.name}  {error}"]
    figures = record["figures"]
    with money_in(record.get("currency", "USD")):
        profit = brief_money(figures["gross_profit"]) if "gross_profit" in figures else "no profit"
    margin = show(figures["gross_margin"], Share) if "gross_margin" in figures else "no revenue"
    return [
        folder.name,
        f"revision {revision}",
        record["state"] + ("" if record["passed"] else ", FAILED"),
        profit,
        margin,
        f"input {record['input']['sha256'][:_KEPT]}",
        f"engine {record['engine']['version']}",
        ", ".join(_when(record)),
    ]


def _when(record: Mapping[str, Any]) -> Iterator[str]:
    """The days on which a run was published and last sent, in UTC."""
    if "published" in record:
        yield f"published {record['published']['at'][:10]}"
    sent = [sending["at"] for sending in record.get("sent", ()) if sending.get("to")]
    if sent:
        yield f"sent {max(sent)[:10]}"
