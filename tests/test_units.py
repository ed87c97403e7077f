"""What a number looks like to a reader, in text and in a cell."""

from datetime import date

import numpy as np
import pytest
from openpyxl.styles.numbers import is_date_format

from engine import units
from engine.sheets import SHEETS
from engine.units import (
    BytesPerToken,
    Count,
    Date,
    Days,
    DollarsPerHour,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    DollarsPerRequest,
    Flag,
    Gigabytes,
    Milliseconds,
    Month,
    Number,
    RequestsPerSecond,
    Seconds,
    SecondsPerRequest,
    Share,
    Text,
    TokensPerSecond,
    Unit,
    brief_money,
    digits,
    digits_for,
    numbers_in,
    plain,
    points,
    show,
    unit_of,
)

NBSP = "\u00a0"
MINUS = "\u2212"
DASH = "\u2013"
UNITS = {
    name: annotation
    for name, annotation in vars(units).items()
    if any(isinstance(item, Unit) for item in getattr(annotation, "__metadata__", ()))
}


@pytest.mark.parametrize(
    ("value", "annotation", "text"),
    [
        # Separators, decimals, and the unit behind a space that does not break.
        (70.55, Gigabytes, f"70.55{NBSP}GB"),
        (1234567.891, Gigabytes, f"1,234,567.89{NBSP}GB"),
        (163840, BytesPerToken, f"163,840{NBSP}B/token"),
        (2273.6, TokensPerSecond, f"2,274{NBSP}tok/s"),
        (190.0, RequestsPerSecond, f"190.00{NBSP}requests/s"),
        (30, Days, f"30.0{NBSP}days"),
        (801, Count, "801"),
        (1.5, Number, "1.500"),
        # Small numbers keep three figures.
        (0.000123456, Gigabytes, f"0.000123{NBSP}GB"),
        (0.05, TokensPerSecond, f"0.0500{NBSP}tok/s"),
        (0.0062, Number, "0.00620"),
        (0.5, Count, "0.500"),
        (1e-9, Number, "0.00000000100"),
        (0, Number, "0.000"),
        (0.0, Gigabytes, f"0.00{NBSP}GB"),
        # A true minus.
        (-12.5, Gigabytes, f"{MINUS}12.50{NBSP}GB"),
        (-1234.5, TokensPerSecond, f"{MINUS}1,234{NBSP}tok/s"),
        (-0.453, Share, f"{MINUS}45.3%"),
        # Money: the sign before the dollar, the rest of the unit behind the number.
        (2.35, DollarsPerHour, "$2.35/h"),
        (-2.35, DollarsPerHour, f"{MINUS}$2.35/h"),
        (634571.856, DollarsPerMonth, "$634,572/month"),
        (-20360.7, DollarsPerMonth, f"{MINUS}$20,361/month"),
        (0.2820, DollarsPerMillionTokens, "$0.282/Mtoken"),
        (0.00015, DollarsPerMillionTokens, "$0.000150/Mtoken"),
        (0.0062, DollarsPerRequest, "$0.006200/request"),
        (0, DollarsPerMonth, "$0/month"),
        # Percent.
        (0.328, Share, "32.8%"),
        (1, Share, "100.0%"),
        (0, Share, "0.0%"),
        (1.108, Share, "110.8%"),
        # Seconds below one in ms, below a thousandth in microseconds.
        (0.015, Seconds, f"15.0{NBSP}ms"),
        (0.0031547, Seconds, f"3.15{NBSP}ms"),
        (0.5, Seconds, f"500.0{NBSP}ms"),
        (0.001, Seconds, f"1.00{NBSP}ms"),
        (0.000839, Seconds, f"839.0{NBSP}\u00b5s"),
        (0.0000021, Seconds, f"2.10{NBSP}\u00b5s"),
        (-0.015, Seconds, f"{MINUS}15.0{NBSP}ms"),
        (1.0, Seconds, f"1.00000{NBSP}s"),
        (22.000591, SecondsPerRequest, f"22.00059{NBSP}s"),
        (0, Seconds, f"0.00000{NBSP}s"),
        (15.0, Milliseconds, f"15.0{NBSP}ms"),
        # Words, days, yes and no.
        ("fp8", Text, "fp8"),
        ("", Text, ""),
        (1.0, Flag, "yes"),
        (0.0, Flag, "no"),
        (True, Flag, "yes"),
        (date(2026, 11, 5), Date, "2026-11-05"),
        (date(2026, 11, 5), Month, "November 2026"),
        # What is missing.
        (None, Gigabytes, DASH),
        (float("nan"), DollarsPerMonth, DASH),
        (np.float64("nan"), Share, DASH),
        (None, Text, DASH),
        (None, Date, DASH),
        # What NumPy brings along.
        (np.float64(70.55), Gigabytes, f"70.55{NBSP}GB"),
        (np.int64(801), Count, "801"),
    ],
)
def test_shown(value, annotation, text):
    assert show(value, annotation) == text


@pytest.mark.parametrize(
    ("value", "annotation", "text"),
    [
        (70.55, Gigabytes, "70.55"),
        (2.35, DollarsPerHour, "$2.35"),
        (-2.35, DollarsPerHour, f"{MINUS}$2.35"),
        (0.328, Share, "32.8%"),
        # Without a unit to say so, seconds stay seconds.
        (0.015, Seconds, "0.01500"),
        (0.000015, Seconds, "0.0000150"),
        (None, Seconds, DASH),
    ],
)
def test_shown_without_its_unit(value, annotation, text):
    assert show(value, annotation, label=False) == text


def test_nothing_shown_has_a_hyphen_for_a_minus_or_a_space_that_breaks():
    for annotation in UNITS.values():
        if unit_of(annotation).is_number:
            for value in (-1234.5, -0.00123, 0.00123, 1e12):
                text = show(value, annotation).removesuffix(unit_of(annotation).symbol.removeprefix("$"))
                assert "-" not in text and " " not in text and "e+" not in text, text


@pytest.mark.parametrize(
    ("value", "decimals", "digits"),
    [(0, 2, 2), (1, 2, 2), (0.1, 2, 3), (0.0123, 2, 4), (123, 0, 0), (12.3, 0, 1), (-0.5, 0, 3), (float("inf"), 3, 3)],
)
def test_digits(value, decimals, digits):
    assert digits_for(value, decimals) == digits


@pytest.mark.parametrize(
    ("value", "text", "signed"),
    [
        (634571.856, "$635k", "+$635k"),
        (-103009.5, f"{MINUS}$103k", f"{MINUS}$103k"),
        (1830000, "$1.83m", "+$1.83m"),
        (2.5e9, "$2.50bn", "+$2.50bn"),
        (1.234e12, "$1,234.00bn", "+$1,234.00bn"),
        (999, "$999", "+$999"),
        (12.4, "$12", "+$12"),
        (0, "$0", "+$0"),
        # What would round up to the next scale is told in it.
        (999.4, "$999", "+$999"),
        (999.6, "$1k", "+$1k"),
        (999_400, "$999k", "+$999k"),
        (999_600, "$1.00m", "+$1.00m"),
        (999_600_000, "$1.00bn", "+$1.00bn"),
        (-999_600, f"{MINUS}$1.00m", f"{MINUS}$1.00m"),
    ],
)
def test_brief_money(value, text, signed):
    assert brief_money(value) == text
    assert brief_money(value, signed=True) == signed


def test_points():
    assert points(0.0293) == f"+2.9{NBSP}pts"
    assert points(-0.027) == f"{MINUS}2.7{NBSP}pts"
    assert points(0) == f"+0.0{NBSP}pts"
    assert points(1.5) == f"+150.0{NBSP}pts"


@pytest.mark.parametrize(
    ("annotation", "pattern"),
    [
        (Gigabytes, f"#,##0.00;{MINUS}#,##0.00;0.00"),
        (Count, f"#,##0;{MINUS}#,##0;0"),
        (Seconds, f"#,##0.00000;{MINUS}#,##0.00000;0.00000"),
        (Share, "0.0%;−0.0%"),
        (Text, "@"),
        (Flag, "0"),
        (Date, "yyyy-mm-dd"),
        (Month, "yyyy-mm"),
    ],
)
def test_excel_formats(annotation, pattern):
    assert unit_of(annotation).excel_format == pattern


def test_no_format_scales_what_is_in_the_cell():
    """A comma behind the last digit would divide by a thousand, and a percent sign multiplies: only for shares."""
    for name, annotation in UNITS.items():
        unit = unit_of(annotation)
        for part in unit.excel_format.split(";"):
            assert not part.rstrip('"% ').endswith(","), name
            assert ("%" in part) == (unit.kind == "share"), name
        assert is_date_format(unit.excel_format) == (unit.kind in ("date", "month")), name


def test_a_unit_is_found_behind_an_annotation():
    assert unit_of(Seconds).symbol == "s"
    with pytest.raises(TypeError, match="is not a unit"):
        unit_of(float)


def test_every_unit_and_constant_is_labelled():
    assert len(UNITS) > 30
    for name, annotation in UNITS.items():
        unit = unit_of(annotation)
        assert unit.is_number or not unit.symbol, name
        assert unit.decimals >= 0 and " " not in unit.dimension, name
    constants = {name: value for name, value in vars(units).items() if isinstance(value, units.Constant)}
    assert len(constants) > 10
    for name, value in constants.items():
        assert isinstance(value.unit, str), name
    assert (units.GIGA, units.TERA, units.MILLI, units.MICRO) == (1e9, 1e12, 1e-3, 1e-6)
    assert (units.SECONDS_PER_HOUR, units.SECONDS_PER_DAY, units.HOURS_PER_DAY) == (3600, 86400, 24)
    assert (units.BITS_PER_BYTE, units.TOKENS_PER_MILLION, units.PETAFLOP) == (8, 1e6, 1000)


def test_every_column_of_a_sheet_has_a_unit():
    for sheet in SHEETS:
        for column in sheet.columns:
            assert column.unit.excel_format


# The language of numbers


@pytest.mark.parametrize(
    ("language", "many", "small", "money", "share", "point"),
    [
        ("en", "1,234,567.9", "0.0123", "\u2212$1.83m", "12.3%", "+2.2"),
        ("de", "1.234.567,9", "0,0123", "\u2212$1,83m", "12,3%", "+2,2"),
        ("fr", "1\u00a0234\u00a0567,9", "0,0123", "\u2212$1,83m", "12,3%", "+2,2"),
        ("ch", "1\u2019234\u2019567.9", "0.0123", "\u2212$1.83m", "12.3%", "+2.2"),
    ],
)
def test_numbers_are_written_as_their_language_does(language, many, small, money, share, point):
    with numbers_in(language):
        assert digits(1234567.89, 1) == many
        assert show(0.0123, DollarsPerMillionTokens, label=False).lstrip("$") == small
        assert brief_money(-1.83e6) == money and show(0.123, Share) == share
        assert points(0.022).startswith(point) and plain(-0.5) == "\u22120" + small[1] + "5"
    assert digits(1234.5, 1) == "1,234.5"
