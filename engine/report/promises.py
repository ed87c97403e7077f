"""Promises: what users of a configuration are promised, and which of it is missed, in words. Calculates nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.report.values import Figure
from engine.scenarios import Grain
from engine.sheets import TRAFFIC
from engine.units import NO_BREAK, Milliseconds, TokensPerSecond, digits, plain

NO_FIRST_TOKEN = TRAFFIC.column("first_token_target").default  # a target of this size is none
MILLI = 1e3


def promised_speed(grain: Grain, name: str) -> float | None:
    """Tokens per second that each user is promised; None where nothing is."""
    return grain.value("target_user_speed", name) or None


def promised_first_token(grain: Grain, name: str) -> float | None:
    """Seconds within which a first token is promised, in the mean; None where nothing is."""
    target: float = grain.value("first_token_target", name)
    return target if target < NO_FIRST_TOKEN else None


def is_promised(grain: Grain, name: str) -> bool:
    """Whether anything is."""
    return promised_speed(grain, name) is not None or promised_first_token(grain, name) is not None


def is_slow(grain: Grain, name: str) -> bool:
    """Whether users get fewer tokens per second than promised; of a configuration that fits."""
    return bool(grain.value("user_speed", name) < grain.value("target_user_speed", name))


def is_late(grain: Grain, name: str) -> bool:
    """Whether the first token comes later than promised; of a configuration that fits."""
    return bool(grain.value("time_to_first_token", name) > grain.value("first_token_target", name))


def speed_cell(grain: Grain, name: str) -> Any:
    """The speed of a user in tok/s, marked where it is less than promised."""
    speed = grain.value("user_speed", name)
    return Figure(speed, TokensPerSecond, tone="bad") if is_slow(grain, name) else speed


def first_token_cell(grain: Grain, name: str) -> Any:
    """The time to a first token in ms, marked where it is more than promised."""
    time = grain.value("time_to_first_token", name) * MILLI
    return Figure(time, Milliseconds, tone="bad") if is_late(grain, name) else time


def orange_words(grain: Grain, names: Sequence[str]) -> str:
    """What a marked cell of these configurations says; nothing where none is marked."""
    missed = [
        word
        for word, missed in (("slower", is_slow), ("a later first token", is_late))
        if any(missed(grain, name) for name in names)
    ]
    return f"Orange: {' or '.join(missed)} than users are promised." if missed else ""


def promise_words(grain: Grain, name: str) -> str:
    """`30 tok/s and a first token within 900 ms`; empty where nothing is promised."""
    speed, first = promised_speed(grain, name), promised_first_token(grain, name)
    said = [f"{digits(speed)} tok/s"] if speed else []
    return " and ".join([*said, *([f"a first token within {time_words(first)}"] if first else [])])


def time_words(seconds: float) -> str:
    """`900 ms`, `1.5 s`."""
    return f"{digits(seconds * MILLI)}{NO_BREAK}ms" if seconds < 1 else f"{plain(round(seconds, 2))}{NO_BREAK}s"


def missed(grain: Grain, name: str) -> tuple[float, str]:
    """The worse of what is missed: as what users have of it (0.5: half the speed, or twice the time), and in words.

    `get 20 tok/s and are promised 30`. Errors: ValueError where nothing is missed.
    """
    found = []
    if is_slow(grain, name):
        speed, target = (grain.value(each, name) for each in ("user_speed", "target_user_speed"))
        found.append((speed / target, f"get {digits(speed)} tok/s and are promised {digits(target)}"))
    if is_late(grain, name):
        time, target = (grain.value(each, name) for each in ("time_to_first_token", "first_token_target"))
        words = f"wait {time_words(time)} for a first token and are promised {time_words(target)}"
        found.append((target / time, words))
    return min(found)
