"""Words: numbers and lists as a sentence has them. Knows no figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.units import NO_BREAK, digits, in_currency

SMALL_BILL = 100_000
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class MoneyScale:
    """What money is divided by in the tables and charts of one report, and how their heads say so."""

    divisor: float
    words: str

    def of(self, dollars: float) -> float:
        return dollars / self.divisor


def money_scale(bill: float) -> MoneyScale:
    """Thousands, but plain dollars where the whole bill is too small to be read in thousands."""
    return MoneyScale(1e3, in_currency("$ thousand")) if abs(bill) >= SMALL_BILL else MoneyScale(1, in_currency("$"))


def in_words(number: int) -> str:
    """Small numbers as words."""
    return _NUMBERS[number] if number < len(_NUMBERS) else digits(number)


def count_of(number: int, noun: str) -> str:
    """`two checks`, `one check`, `no checks`."""
    return f"{in_words(number)} {noun}{'' if number == 1 else 's'}"


def some_of(number: int, total: int, noun: str) -> str:
    """`Two of seven traffics`, `None of three traffics`, `The one traffic`: how a sentence about a part begins."""
    if total == 1:
        return f"The one {noun}" if number else f"Not the one {noun}"
    return f"{sentence(in_words(number)) if number else 'None'} of {in_words(total)} {noun}s"


def large(number: float) -> str:
    """A large number with three figures: `39.3 billion`, `1.25 trillion`; smaller ones in full."""
    for scale, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if number >= scale * 0.9995:
            return f"{float(f'{number / scale:.3g}'):,g}{NO_BREAK}{word}"
    return digits(number)


def listed(names: Sequence[str]) -> str:
    """`Chat`, `Chat and Code`, `Chat, Code and Search`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "none"


def does(names: Sequence[str], verb: str) -> str:
    """The verb as its subjects want it: one loses, two lose."""
    return f"{verb}s" if len(names) == 1 else verb


def shortened(text: str, most: int) -> str:
    """The text, or as much of it as so many characters hold, with an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}\u2026"


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
