"""Mail: that whom the report is sent to can be sent to. Knows tables and cells, no mail server."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.workbook.problems import Problem
from engine.workbook.tables import Row, Tables

RECIPIENTS = ("mail_to", "mail_cc")
SENDER = "mail_from"
LONGEST = 254  # characters of an address that mail servers pass on
SHOWN = 60

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")


def addresses(text: str) -> tuple[str, ...]:
    """The addresses of a cell, each once whatever its capitals."""
    found: dict[str, str] = {}
    for address in filter(None, (part.strip(" ") for part in re.split("[,;]", text))):
        found.setdefault(address.casefold(), address)
    return tuple(found.values())


def _addresses(tables: Tables) -> Iterator[Problem]:
    """Each address can be one, and nothing else stands beside it: a line break would begin another line of the mail."""
    for row in tables["Settings"]:
        for column in (*RECIPIENTS, SENDER):
            if row.sound(column) and row[column]:
                yield from _of_cell(row, column)


def _of_cell(row: Row, column: str) -> Iterator[Problem]:
    several = column in RECIPIENTS
    if not row[column].isprintable():
        found = f"{column} holds a line break or a character that cannot be seen"
        advice = "Write several addresses in one line, with commas between them." if several else "Type it again."
        yield Problem(*row.place(column), found, "which no address has", advice)
        return
    named = addresses(row[column])
    for address in named:
        if len(address) > LONGEST or not ADDRESS.fullmatch(address):
            shown = address if len(address) <= SHOWN else f"{address[:SHOWN]}..."
            apart = ", with commas or semicolons between them" if several else ""
            allowed = f"allowed {'are addresses' if several else 'is an address'} such as ann@example.com{apart}"
            advice = "Correct it, or take it out." if several else "Correct it, or clear the cell."
            yield Problem(*row.place(column), f"'{shown}' of {column} is no mail address", allowed, advice)
    if not several and len(named) > 1:
        found = f"{column} names {len(named)} addresses"
        yield Problem(*row.place(column), found, "a mail comes from one", "Keep one of them.")


CHECKS = (_addresses,)
