"""Plausibility: figures of accelerators that cannot be right, beside each other or beside the catalogue's.

Knows the slips that are made with datasheets. All of it is warnings, because a catalogue may be behind the times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.catalogue import catalogue
from engine.sheets import COMPUTE, CURRENCY, HARDWARE, PRICE_BASES, SETTINGS
from engine.workbook.describe import amount, number
from engine.workbook.problems import Problem, listed
from engine.workbook.tables import Row, Tables

Fact = Mapping[str, Any]

GIB_PER_GB = 1e9 / 2**30
TOLERANCE = 0.01  # between two datasheets of the same thing
FP8_LIMIT = 2.2  # dense fp8 is at most twice as fast as dense bf16, and datasheets round
PRICE_LIMIT = 6.0  # rents of one accelerator differ less between clouds; a server of eight, or a decimal point, more


@dataclass(frozen=True)
class Slip:
    """A figure that is wrong by a factor: in which columns, what it then is, and what to type."""

    columns: tuple[str, ...]
    factor: float
    meaning: str
    advice: str


PEAKS = tuple(COMPUTE.values())
SLIPS = (
    Slip(PEAKS, 2, "twice that is the peak for sparse matrices", "Type the dense peak."),
    Slip(("accelerator_memory",), 1 / GIB_PER_GB, "this is that many GiB", "Type it in GB of 1e9 bytes."),
    Slip(("accelerator_memory",), GIB_PER_GB, "this is that much in GiB", "Type it in GB of 1e9 bytes."),
    Slip(("link_bandwidth",), 2, "twice that counts both directions", "Type the bandwidth of one direction."),
    Slip(("link_bandwidth",), 8, "eight times that is in Gbit/s", "Type it in GB/s, of one direction."),
)


def doubts(tables: Tables) -> Iterator[Problem]:
    """What cannot be right of the accelerators of a workbook."""
    for row in tables[HARDWARE.name]:
        facts = _facts(row)
        for column in (*PEAKS, "accelerator_memory", "link_bandwidth"):
            if _given(row, column):
                yield from _slip(row, column, facts)
        for column in PRICE_BASES.values() if _in_dollars(tables, row) else ():
            if _given(row, column):
                yield from _price(row, column, facts)


def _in_dollars(tables: Tables, row: Row) -> bool:
    """Whether the rents of a row are in the currency of the catalogue."""
    reported = next((settings["currency"] for settings in tables[SETTINGS.name]), "")
    return (row[CURRENCY.name] or reported) == "USD"


def _given(row: Row, column: str) -> bool:
    return row.sound(column) and not row.is_blank(column)


@cache
def _known() -> tuple[Fact, ...]:
    return tuple(catalogue("accelerators"))


def _facts(row: Row) -> list[Fact]:
    """What the catalogue has of this accelerator: all of its kinds where the name leaves that open."""
    same_name = [fact for fact in _known() if _same_name(_words(row["hardware"]), _words(fact["hardware"]))]
    return same_name or [fact for fact in _known() if _same_shape(row, fact)]


def _same_name(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether one name is the other with words added or left out."""
    return bool(one) and (one <= other or one >= other)


@cache
def _words(name: str) -> frozenset[str]:
    """The words of a name without vendors and memory sizes, which are left out as often as not."""
    vendors = {fact["vendor"].casefold() for fact in _known()}
    words = re.findall(r"[a-z0-9]+", name.casefold())
    return frozenset(word for word in words if word not in vendors and not re.fullmatch(r"\d+gb", word))


def _same_shape(row: Row, fact: Fact) -> bool:
    """Whether bandwidth and peak are those of an accelerator of another name."""
    bandwidth, peak = row["memory_bandwidth"], row["bf16_compute"]
    peaks = (fact["bf16_compute"], 2 * fact["bf16_compute"])
    return _equal(bandwidth, fact["memory_bandwidth"]) and any(_equal(peak, known) for known in peaks)


def _equal(value: float, known: float) -> bool:
    return abs(value / known - 1) < TOLERANCE


def _slip(row: Row, column: str, facts: Iterable[Fact]) -> Iterator[Problem]:
    """A figure that no accelerator of this name has, and that a slip would make of one that it has."""
    value, declared = row[column], HARDWARE.column(column)
    known = [fact for fact in facts if column in fact]
    if any(_equal(value, fact[column]) for fact in known):
        return
    found = f"{column} of '{row['hardware']}' is {amount(declared, value)}"
    for slip in SLIPS:
        for fact in known:
            if column in slip.columns and _equal(value, fact[column] * slip.factor):
                of = f"the catalogue has {amount(declared, fact[column])} for {fact['hardware']}, and {slip.meaning}"
                yield Problem(*row.place(column), found, of, slip.advice, "warning")
                return
    if column == "fp8_compute" and value > FP8_LIMIT * row["bf16_compute"]:
        times = number(round(value / row["bf16_compute"], 1))
        of = f"that is {times} times bf16_compute ({row.address('bf16_compute')}), and a dense peak is at most twice"
        advice = "Check that neither is a figure for sparse matrices."
        yield Problem(*row.place(column), found, of, advice, "warning")


def _price(row: Row, column: str, facts: list[Fact]) -> Iterator[Problem]:
    """A rent far from all that the catalogue has for this accelerator: on these terms, or on any where it has none."""
    same_terms = {fact["hardware"]: fact[column] for fact in facts if column in fact}
    any_terms = {fact["hardware"]: fact[basis] for fact in facts for basis in PRICE_BASES.values() if basis in fact}
    known, value = same_terms or any_terms, row[column]
    if not known or not value:
        return
    if not min(known.values()) / PRICE_LIMIT <= value <= max(known.values()) * PRICE_LIMIT:
        declared = HARDWARE.column(column)
        found = f"{column} of '{row['hardware']}' is {amount(declared, value)}"
        rents = listed(f"{amount(declared, rent)} for {name}" for name, rent in known.items())
        advice = "Check the decimal point, and that it is the rent of one accelerator for an hour."
        yield Problem(*row.place(column), found, f"the catalogue has {rents}", advice, "warning")
