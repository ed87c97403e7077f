"""Workbooks whose every text would like to be something else: a formula, a link, a tag, another line. Knows columns."""

from __future__ import annotations

import copy
import random
from datetime import date
from pathlib import Path
from typing import Any

from bad_workbooks.valid import ROWS, SEEN, TODAY

from engine.sheets import BY_NAME, SETTINGS, SHEETS, Column, Sheet
from engine.workbook.blank import write_blank
from engine.workbook.mail import RECIPIENTS, SENDER

MARKUP = (
    "<script>alert(1)</script><img src=file:///etc/passwd><link rel=attachment href='file:///etc/passwd'>"
    '<a href="javascript:alert(1)">x</a> {{ 7 }} & http://127.0.0.1:9/x'
)
FORMULAS = ("=cmd|' /C calc'!A0 ", "+1", "-1+1", "@SUM(1) ")
# What a cell may hold and nobody sees: tabs and line breaks, escape sequences, and marks that turn text around.
UNSEEN = "a\tb\nBcc: eve@example.com\r\nc\x7f\x85\x9b31m\u2028\u202egnp.exe\u2066\u200b\ufeff_x000D__x000A_"
LENGTH = 29_900  # characters; a cell takes 32,767
LONGEST_NAME = 255  # characters that Excel looks up
# Addresses, columns and beginnings of names: what stands there must be there.
CHECKED = (*RECIPIENTS, SENDER, "input_column", "measured_points", "new_name")

# What the sheets hold beside text.
FIGURES: dict[str, list[dict[str, Any]]] = {
    **ROWS,
    "Load profiles": [{"hour": hour, "weekday_share": 1 / 24, "weekend_share": 1 / 24, **SEEN} for hour in range(24)],
    "Seasons": [{"january": 0.9, **{column.name: 1 for column in BY_NAME["Seasons"].columns[2:13]}, **SEEN}],
    "Traffic mixes": [{"mix_share": 1, **SEEN}],
    "Other costs": [{"amount": 10, "driver": "month", **SEEN}],
    "Competitors": [{"api_input_price": 1, "api_output_price": 2, "as_of": date(2026, 11, 3)}],
    "Exchange rates": [{"currency": "EUR", "exchange_rate": 1.1, "rate_date": date(2026, 11, 30)}],
    "Commitments": [
        {
            "term": "1 year",
            "contract_accelerators": 1,
            "contract_price": 2,
            "contract_start": date(2026, 11, 10),
            "contract_end": date(2027, 11, 9),
            **SEEN,
        }
    ],
    "Sensitivity": [
        {"input_sheet": "Traffic", "input_column": "output_tokens", "low_change": -0.1, "high_change": 0.1, "steps": 2}
    ],
    "Scenarios": [{"input_sheet": "Traffic", "input_column": "output_tokens", "change": 0.1}],
    "Uncertainty": [
        {
            "input_sheet": "Traffic",
            "input_column": "output_tokens",
            "distribution": "uniform",
            "low": 0.9,
            "high": 1.1,
            "correlation": 0.5,
            **SEEN,
        }
    ],
    "Measurements": [{"accelerators": 2}],
    "Actuals": [{"actual_month": date(2026, 11, 1), "line": "invoice", "amount": 4000}],
    "Change log": [{"changed_on": date(2026, 11, 1)}],
}


def is_text(column: Column) -> bool:
    """Whether anything may be typed: no number, no word of a list, nothing that is checked."""
    listed = column.words or column.choices or column.name in CHECKED
    return column.unit.kind == "text" and not listed


def is_name(column: Column) -> bool:
    """Whether other sheets look it up, or it looks up another sheet's."""
    return column.key or bool(column.refers_to) or column.name in ("input_row", "driver")


def name_of(sheet: Sheet, column: Column, prefix: str) -> str:
    """The name in a column; what refers to another sheet has the name of its row."""
    if column.refers_to or column.name == "input_row":
        target = BY_NAME[column.refers_to[0] if column.refers_to else "Traffic"]
        return name_of(target, target.keys[0], prefix)
    return f"{prefix}{column.name} {MARKUP}"


def long_text(of: str) -> str:
    """A text as long as a cell takes, another for each column: the same again and again would look like a zip bomb."""
    letters = random.Random(of)
    words = ("".join(letters.choices("aeilmnorst", k=letters.randint(1, 12))) for _ in range(9_999))
    return " ".join(words)[:LENGTH]


def write_hostile(path: Path, prefix: str, text: str, *, questions: bool) -> dict[tuple[str, str], str]:
    """Writes a workbook whose texts begin with the prefix; those that are no names go on with the text, or a long one.

    Gives what stands in each sheet and column of text. Without `questions` the report is short.
    """
    filled, typed = copy.deepcopy(FIGURES), {}
    for sheet in SHEETS:
        for column in filter(is_text, sheet.columns):
            told = f"{prefix}{sheet.name} {column.name} {text or long_text(column.name)}"
            value = name_of(sheet, column, prefix) if is_name(column) else told
            typed[sheet.name, column.name] = value
            for row in filled[sheet.name]:
                row[column.name] = value
    for name in ("Sensitivity", "Uncertainty"):
        (first,) = filled[name]
        filled[name].append({**first, "driver": f"{first['driver']} too"})  # no group and no pair has one alone
    filled["Settings"][0] |= {"acceptance": 0.7, "prepared_on": date(2026, 12, 1), "mail_to": "ann@example.com"}
    if not questions:
        asked = [column.name for column in SETTINGS.columns if set(column.words) == {"yes", "no"}]
        filled["Settings"][0] |= dict.fromkeys(asked, "no")
    write_blank(path, filled, today=TODAY)
    return typed
