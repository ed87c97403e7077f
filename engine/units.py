"""Units: how a number is labelled, rounded and shown, and the constants that convert one unit into another.

Knows nothing else of the engine. A unit is used as an annotation, `def step_time(...) -> Seconds`; its
`dimension` is what the unit check multiplies and cancels (`G` and `T` are prefixes and cancel like the rest).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

MINUS = "\u2212"
NO_BREAK = "\u00a0"

# Currencies by ISO code, each with its symbol where that is nobody else's, and its name.
CURRENCIES = {
    "USD": ("$", "US dollars"),
    "EUR": ("\u20ac", "euros"),
    "GBP": ("\u00a3", "pounds sterling"),
    "JPY": ("\u00a5", "yen"),
    "INR": ("\u20b9", "Indian rupees"),
    "KRW": ("\u20a9", "won"),
    **{code: (code, code) for code in ("AED", "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "HKD", "ILS")},
    **{code: (code, code) for code in ("MXN", "NOK", "NZD", "PLN", "SAR", "SEK", "SGD", "TRY", "TWD", "ZAR")},
}
# What stands between thousands and before decimals, by language; `ch` is Switzerland's way.
NUMBER_LANGUAGES = {
    "en": (",", "."),
    **dict.fromkeys(("de", "es", "it", "nl", "pt"), (".", ",")),
    **dict.fromkeys(("fr", "sv", "nb", "pl"), (NO_BREAK, ",")),
    "ch": ("\u2019", "."),
}
_WRITTEN: ContextVar[str] = ContextVar("language of numbers", default="en")
_REPORTED: ContextVar[str] = ContextVar("currency of the report", default="USD")


@contextmanager
def money_in(currency: str) -> Iterator[None]:
    """Within it, money is shown in this currency: `$` in units and labels stands for the currency of the report."""
    token = _REPORTED.set(currency)
    try:
        yield
    finally:
        _REPORTED.reset(token)


@contextmanager
def numbers_in(language: str) -> Iterator[None]:
    """Within it, numbers are shown as this language writes them; one of NUMBER_LANGUAGES."""
    token = _WRITTEN.set(language)
    try:
        yield
    finally:
        _WRITTEN.reset(token)


def in_currency(words: str) -> str:
    """Words of ours about money, in the currency of the report."""
    return words.replace("$", CURRENCIES[_REPORTED.get()][0])


def with_currency(digits: str) -> str:
    """Digits with the symbol of the report's currency: $604k, CHF 604k."""
    symbol = CURRENCIES[_REPORTED.get()][0]
    return symbol + (NO_BREAK if symbol.isalpha() else "") + digits


@dataclass(frozen=True)
class Unit:
    """One unit: how it is printed, `dimension` as algebra, `decimals` shown; `kind` says how a cell is formatted."""

    in_dollars: str
    dimension: str
    decimals: int = 0
    kind: str = "number"  # number, share, money, text, flag, date, month

    @property
    def symbol(self) -> str:
        """The unit as printed; money in the currency of the report."""
        return in_currency(self.in_dollars)

    @property
    def of_money(self) -> str:
        """What follows the symbol of a currency, `/h` of `$/h`."""
        return self.in_dollars[1:]

    @property
    def is_money(self) -> bool:
        return self.in_dollars.startswith("$")

    @property
    def excel_format(self) -> str:
        """The number format of a cell that holds this unit. A cell holds the number its reader sees; nothing scales."""
        if self.kind in _FORMATS:
            return _FORMATS[self.kind]
        digits = "0" if self.decimals == 0 else "0." + "0" * self.decimals
        if self.kind == "share":
            return f"{digits}%;{MINUS}{digits}%"
        return f"#,##{digits};{MINUS}#,##{digits};{digits}"

    @property
    def is_number(self) -> bool:
        return self.kind in ("number", "share", "money", "flag")


_DAY_ZERO = date(1899, 12, 30).toordinal()
_FORMATS = {"text": "@", "flag": "0", "date": "yyyy-mm-dd", "month": "yyyy-mm"}


class Constant(float):
    """A conversion factor with its unit, written into formulas like any number."""

    unit: str

    def __new__(cls, value: float, unit: str) -> Constant:
        constant = super().__new__(cls, value)
        constant.unit = unit
        return constant


def unit_of(annotation: Any) -> Unit:
    """The Unit behind an annotation such as `Seconds`.

    Errors: TypeError where the annotation carries none.
    """
    for item in getattr(annotation, "__metadata__", ()):
        if isinstance(item, Unit):
            return item
    raise TypeError(f"{annotation!r} is not a unit")


def digits(value: float, decimals: int = 0) -> str:
    """A number with so many decimals, as the report's language writes it, with a true minus."""
    return (MINUS if value < 0 else "") + _marked(f"{abs(value):,.{decimals}f}")


def plain(value: float) -> str:
    """A number with the decimals that it has, as the report's language writes it."""
    return (MINUS if value < 0 else "") + _marked(f"{abs(value):g}")


def _marked(text: str) -> str:
    """A number in English with the marks of the report's language."""
    thousands, decimal = NUMBER_LANGUAGES[_WRITTEN.get()]
    return text.translate({ord(","): thousands, ord("."): decimal})


def digits_for(value: float, decimals: int) -> int:
    """Decimals that keep three significant figures of a small number, never fewer than the unit's own."""
    if value == 0 or not math.isfinite(value):
        return decimals
    return max(decimals, 2 - math.floor(math.log10(abs(value))))


def show(value: Any, annotation: Any, *, label: bool = True) -> str:
    """The value as a reader sees it: separators, decimals, true minus, unit after a no-break space.

    A missing number (None or NaN) shows as an en dash; seconds below one show in ms or \u00b5s.
    """
    unit = unit_of(annotation)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "\u2013"
    if unit.kind == "text":
        return str(value)
    if unit.kind == "flag":
        return "yes" if value else "no"
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}" if unit.kind == "date" else f"{value:%B %Y}"
    number = float(value)
    if unit.kind == "date":
        # As a workbook counts days.
        return f"{date.fromordinal(_DAY_ZERO + int(number)):%Y-%m-%d}"
    if unit.kind == "share":
        return digits(number * 100, unit.decimals) + "%"
    if unit.symbol == "s" and label and number != 0 and abs(number) < 1:
        scale, symbol = (1e3, "ms") if abs(number) >= 1e-3 else (1e6, "\u00b5s")
        return digits(number * scale, digits_for(number * scale, 1)) + NO_BREAK + symbol
    decimals = digits_for(number, unit.decimals) if abs(number) < 1 else unit.decimals
    text = digits(number, decimals)
    if unit.is_money:
        text = (MINUS if number < 0 else "") + with_currency(text.removeprefix(MINUS))
        return text + (unit.of_money if label else "")
    return text + (NO_BREAK + unit.symbol if label and unit.symbol else "")


Text = Annotated[Any, Unit("", "", kind="text")]
Flag = Annotated[Any, Unit("", "", kind="flag")]
Date = Annotated[Any, Unit("", "", kind="date")]
Month = Annotated[Any, Unit("", "", kind="month")]

Count = Annotated[Any, Unit("", "")]
Number = Annotated[Any, Unit("", "", 3)]
# A figure of whatever unit, with the decimals that the smallest of them needs.
AnyFigure = Annotated[Any, Unit("", "figure", 9)]
Amount = Annotated[Any, Unit("", "", 6)]  # of money, for each of a driver that the row names
Share = Annotated[Any, Unit("", "", 1, "share")]
Days = Annotated[Any, Unit("days", "day", 1)]
Years = Annotated[Any, Unit("years", "year", 2)]
DaysPerMonth = Annotated[Any, Unit("days", "day/month", 1)]
Months = Annotated[Any, Unit("months", "month")]
HoursPerDay = Annotated[Any, Unit("h/day", "h/day", 1)]
HoursPerMonth = Annotated[Any, Unit("h/month", "h/month")]
HoursPerMillionTokens = Annotated[Any, Unit("h/Mtoken", "h/M*token", 4)]
Hours = Annotated[Any, Unit("h", "h", 1)]
SharePerYear = Annotated[Any, Unit("per year", "1/year", 4)]
Kilowatts = Annotated[Any, Unit("kW", "k*W", 2)]

Bits = Annotated[Any, Unit("bit", "bit/value", 2)]
Billions = Annotated[Any, Unit("billion", "G*value", 2)]
Elements = Annotated[Any, Unit("elements", "value/token")]
Gigabytes = Annotated[Any, Unit("GB", "G*B", 2)]
GigabytesPerSequence = Annotated[Any, Unit("GB", "G*B/request", 3)]
BytesPerToken = Annotated[Any, Unit("B/token", "B/token")]
GigabytesPerSecond = Annotated[Any, Unit("GB/s", "G*B/s")]
Teraflops = Annotated[Any, Unit("TFLOP/s", "T*FLOP/s", 1)]
FlopPerByte = Annotated[Any, Unit("FLOP/B", "FLOP/B")]
FlopPerDollar = Annotated[Any, Unit("FLOP/$", "FLOP/$")]
PetaflopPerDollar = Annotated[Any, Unit("PFLOP/$", "P*FLOP/$")]
BandwidthPerDollar = Annotated[Any, Unit("GB/s per $/h", "G*B*h/s/$", 1)]
MemoryPerDollar = Annotated[Any, Unit("GB per $/h", "G*B*h/$", 1)]

Seconds = Annotated[Any, Unit("s", "s", 5)]
SecondsPerRequest = Annotated[Any, Unit("s", "s/request", 5)]
Milliseconds = Annotated[Any, Unit("ms", "m*s", 1)]
Microseconds = Annotated[Any, Unit("\u00b5s", "u*s", 1)]
SecondsPerToken = Annotated[Any, Unit("s/token", "s/token", 7)]
MillisecondsPerRequest = Annotated[Any, Unit("ms", "m*s/request", 1)]
MillisecondsPerToken = Annotated[Any, Unit("ms/token", "m*s/token", 1)]
MicrosecondsPerRequest = Annotated[Any, Unit("\u00b5s", "u*s/request", 1)]
SequencesByRequests = Annotated[Any, Unit("sequences x requests/month", "request*request/month")]
Sequences = Annotated[Any, Unit("sequences", "request")]
Tokens = Annotated[Any, Unit("tokens", "token")]
TokensPerRequest = Annotated[Any, Unit("tokens", "token/request")]
Requests = Annotated[Any, Unit("requests", "request")]
RequestsPerMonth = Annotated[Any, Unit("requests/month", "request/month")]
RequestsPerDay = Annotated[Any, Unit("requests/day", "request/day")]
RequestsPerSecond = Annotated[Any, Unit("requests/s", "request/s", 2)]
TokensPerMonth = Annotated[Any, Unit("tokens/month", "token/month")]
BillionTokensPerMonth = Annotated[Any, Unit("billion tokens/month", "G*token/month", 3)]
TokensPerSecond = Annotated[Any, Unit("tok/s", "token/s")]
TrillionTokens = Annotated[Any, Unit("T tokens", "T*token", 2)]
MillionTokensPerMonth = Annotated[Any, Unit("Mtoken/month", "M*token/month")]
MillionTokensPerYear = Annotated[Any, Unit("Mtoken/year", "M*token/year")]

Dollars = Annotated[Any, Unit("$", "$", 2)]
DollarsPerSecond = Annotated[Any, Unit("$/s", "$/s", 6)]
DollarsPerHour = Annotated[Any, Unit("$/h", "$/h", 2)]
DollarsPerDay = Annotated[Any, Unit("$/day", "$/day", 2)]
DollarsPerMonth = Annotated[Any, Unit("$/month", "$/month")]
DollarsPerYear = Annotated[Any, Unit("$/year", "$/year")]
DollarsPerKilowattHour = Annotated[Any, Unit("$/kWh", "$/k*W/h", 4)]
DollarsPerKilowattMonth = Annotated[Any, Unit("$/kW/month", "$/k*W/month", 2)]
DollarsPerRequest = Annotated[Any, Unit("$/request", "$/request", 6)]
DollarsPerToken = Annotated[Any, Unit("$/token", "$/token", 9)]
DollarsPerGigabyte = Annotated[Any, Unit("$/GB", "$/G*B", 4)]
DollarsPerGigabyteHour = Annotated[Any, Unit("$/GB/h", "$/G*B/h", 5)]
DollarsPerMillionTokens = Annotated[Any, Unit("$/Mtoken", "$/M*token", 3)]
ExchangeRate = Annotated[Any, Unit("", "$/currency", 5)]

# What a formula gives where its quantity has no value; an Excel cell stays empty.
NOT_AVAILABLE = float("nan")

GIGA = Constant(1e9, "1/G")
TERA = Constant(1e12, "1/T")
MICRO = Constant(1e-6, "1/u")
MILLI = Constant(1e-3, "1/m")
BITS_PER_BYTE = Constant(8, "bit/B")
BYTES_PER_ACTIVATION = Constant(2, "B/value")
# A matrix has one weight for each pair of an element that goes in and one that comes out.
WEIGHT_PER_PAIR = Constant(1, "token*token/value")
FLOP_PER_PARAMETER = Constant(2, "FLOP/value/token")
FLOP_PER_ELEMENT = Constant(2, "FLOP/value")
ONE_TOKEN = Constant(1, "token")
A_MONTH = Constant(1, "month")
A_YEAR = Constant(1, "year")
ONE_REQUEST = Constant(1, "request")
ONE_TOKEN_PER_REQUEST = Constant(1, "token/request")
ONE_REQUEST_PER_SECOND = Constant(1, "request/s")
PETAFLOP = Constant(1000, "T*FLOP/s")
SECONDS_PER_HOUR = Constant(3600, "s/h")
SECONDS_PER_DAY = Constant(86400, "s/day")
HOURS_PER_DAY = Constant(24, "h/day")
DAYS_PER_YEAR = Constant(365, "day/year")
MONTHS_PER_YEAR = Constant(12, "month/year")
TOKENS_PER_MILLION = Constant(1e6, "1/M")

# What the words for how prompts and answers take turns stand for; 0 is as the calibration found its engine.
CHUNKED = Constant(1, "")
PREFILL_FIRST = Constant(2, "")
DECODE_FIRST = Constant(3, "")


def brief_money(value: float, *, signed: bool = False) -> str:
    """Money for a sentence: $604k, \u2212$31k, $1.83m; `signed` puts a plus before gains."""
    size = abs(value)
    for scale, suffix, decimals in ((1e9, "bn", 2), (1e6, "m", 2), (1e3, "k", 0)):
        if size >= scale * 0.9995:
            text = with_currency(f"{digits(size / scale, decimals)}{suffix}")
            break
    else:
        text = with_currency(digits(size))
    return (MINUS if value < 0 else "+" if signed else "") + text


def points(value: float) -> str:
    """A change of a share, in percentage points with its sign."""
    sign = MINUS if value < 0 else "+"
    return f"{sign}{digits(abs(value) * 100, 1)}{NO_BREAK}pts"
