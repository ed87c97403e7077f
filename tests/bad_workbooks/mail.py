"""Defects of whom the report is mailed to: what is no address, and what would begin another line of the mail."""

from __future__ import annotations

from bad_workbooks.valid import Defect, at, fill

_SEVERAL = "allowed are addresses such as ann@example.com, with commas or semicolons between them"


def setting(name: str, column: str, value: str, says: str) -> Defect:
    return Defect(name, fill("Settings", {column: value}), at("Settings", column), says)


DEFECTS = (
    setting(
        "a name where an address belongs",
        "mail_to",
        "ann@example.com; bob",
        f"'bob' of mail_to is no mail address; {_SEVERAL}. Correct it, or take it out.",
    ),
    setting(
        "addresses with a space between them",
        "mail_cc",
        "ann@example.com bob@example.com",
        f"'ann@example.com bob@example.com' of mail_cc is no mail address; {_SEVERAL}. Correct it, or take it out.",
    ),
    setting(
        "an address with a line break and another header",
        "mail_to",
        "ann@example.com\nBcc: eve@example.com",
        "mail_to holds a line break or a character that cannot be seen, which no address has. "
        "Write several addresses in one line, with commas between them.",
    ),
    setting(
        "a sender with a carriage return",
        "mail_from",
        "ann@example.com\r",
        "mail_from holds a line break or a character that cannot be seen, which no address has. Type it again.",
    ),
    setting(
        "two senders",
        "mail_from",
        "ann@example.com, bob@example.com",
        "mail_from names 2 addresses; a mail comes from one. Keep one of them.",
    ),
    setting(
        "a sender with two at signs",
        "mail_from",
        "ann@bob@example.com",
        "'ann@bob@example.com' of mail_from is no mail address; allowed is an address such as ann@example.com. "
        "Correct it, or clear the cell.",
    ),
    setting(
        "an address of letters that mail servers do not all take",
        "mail_to",
        "\u00e4nn@example.com",
        f"'\u00e4nn@example.com' of mail_to is no mail address; {_SEVERAL}. Correct it, or take it out.",
    ),
    setting(
        "a very long address",
        "mail_to",
        "a" * 300 + "@example.com",
        f"'{'a' * 60}...' of mail_to is no mail address; {_SEVERAL}. Correct it, or take it out.",
    ),
)
