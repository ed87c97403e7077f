"""Numbers in columns, glyphs, widths and the brand: what the PDF and its charts set text with."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.render.typesetting import balanced_width, brand, number, printable, text_width
from engine.units import (
    Count,
    Date,
    DollarsPerHour,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    Flag,
    Milliseconds,
    Number,
    Share,
)


@pytest.mark.parametrize(
    ("shown", "value", "unit", "how"),
    [
        ("+356", 355.6, Number, {"decimals": 0, "signed": True}),
        ("−31", -31.3, Number, {"decimals": 0, "signed": True}),
        ("–", 0, Number, {"signed": True}),
        ("–", 1e-13, Number, {"signed": True}),
        ("0.000", 1e-13, Number, {}),
        ("0.000", 0, Number, {}),
        ("–", None, Number, {}),
        ("–", float("nan"), Share, {}),
        ("∞", float("inf"), Number, {}),
        ("−0.2%", -0.002, Share, {"decimals": 0}),
        ("−110%", -1.1, Share, {"decimals": 0}),
        ("1,234,568", 1234567.8, Count, {}),
        ("0.009", 0.009, DollarsPerMillionTokens, {}),
        ("−$2.10/h", -2.1, DollarsPerHour, {"label": True}),
        ("+$146,000/month", 146000, DollarsPerMonth, {"label": True, "signed": True}),
        ("13.6\u00a0ms", 13.62, Milliseconds, {"label": True}),
        ("48 / 560", "48 / 560", Number, {"signed": True}),
        ("yes", True, Flag, {}),
        ("2026-11-03", date(2026, 11, 3), Date, {}),
    ],
)
def test_a_number_in_a_column(shown: str, value: object, unit: object, how: dict[str, Any]) -> None:
    assert number(value, unit, **how) == shown


def test_glyphs_the_fonts_lack_become_boxes() -> None:
    assert printable("Zoe\u0308 → ≤ ✓ ✗ ▲ 千\u202e\ud800\x07") == "Zoë → ≤ ✓ ✗ ▲ □□□□"


def test_headlines_are_balanced() -> None:
    headline = "November earned $604k gross profit, and Reasoning gave $152k of it away"
    whole = text_width(headline, 22, "headline", "semibold")
    width = balanced_width(headline, 22, "headline", 150)
    assert whole / 2 < width < whole / 2 + 25
    assert balanced_width("Short", 22, "headline", 150) < 30


def test_each_font_family_brings_its_licence() -> None:
    for face in brand().faces:
        assert "SIL OPEN FONT LICENSE" in (face.file.parent / "LICENSE.md").read_text(encoding="utf-8").upper()
