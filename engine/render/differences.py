"""Differences: where two workbooks or two PDFs of the same report say other things. Knows no quantity, no archive."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pypdfium2
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from engine.report.live import quoted

_SHOWN = 60  # characters of a text
_WORDS_BEFORE, _WORDS_AFTER = 3, 5  # that are shown around the first one that differs


def differing_cells(stored: Path, made: Path) -> list[str]:
    """Every cell that differs in value or formula, as `Costs!F7 holds 1.2, recomputed 1.3`, and sheets of one alone."""
    found: list[str] = []
    # Values first: a formula that differs gives another value as a rule, and that is what a reader sees.
    for data_only, what in ((True, "holds"), (False, "is written as")):
        if not found:
            found = list(_cells(stored, made, data_only, what))
    return found


def _cells(stored: Path, made: Path, data_only: bool, what: str) -> Iterator[str]:
    old, new = (load_workbook(path, read_only=True, data_only=data_only) for path in (stored, made))
    try:
        yield from (f"the sheet {name} is missing" for name in new.sheetnames if name not in old.sheetnames)
        yield from (f"the sheet {name} is not of this report" for name in old.sheetnames if name not in new.sheetnames)
        for name in (name for name in new.sheetnames if name in old.sheetnames):
            pairs = zip_longest(*(book[name].iter_rows(values_only=True) for book in (old, new)), fillvalue=())
            for row, (before, after) in enumerate(pairs, 1):
                if before != after:
                    for column, (one, other) in enumerate(zip_longest(before, after), 1):
                        if one != other:
                            place = f"{quoted(name)}!{get_column_letter(column)}{row}"
                            yield f"{place} {what} {_shown(one)}, recomputed {_shown(other)}"
    finally:
        old.close()
        new.close()


def differing_pages(stored: Path, made: Path) -> list[str]:
    """Every page whose words differ, with the first that do: `page 2 says "$6k", recomputed "$7k"`."""
    old, new = _pages(stored), _pages(made)
    if len(old) != len(new):
        return [f"it has {len(old)} pages, recomputed {len(new)}"]
    found = []
    for number, (before, after) in enumerate(zip(old, new, strict=True), 1):
        pairs = enumerate(zip_longest(before, after))
        if (first := next((place for place, (one, other) in pairs if one != other), None)) is not None:
            part = slice(max(0, first - _WORDS_BEFORE), first + _WORDS_AFTER)
            one, other = (_shown(" ".join(words[part])) for words in (before, after))
            found.append(f"page {number} says {one}, recomputed {other}")
    return found


def _pages(path: Path) -> list[list[str]]:
    """The words of each page."""
    document = pypdfium2.PdfDocument(path)
    try:
        return [page.get_textpage().get_text_range().split() for page in document]
    finally:
        document.close()


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if not isinstance(value, str):
        return str(value)
    return f"'{value}'" if len(value) <= _SHOWN else f"'{value[:_SHOWN]}\u2026'"
