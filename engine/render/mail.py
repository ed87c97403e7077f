"""The mail that brings the report, as a draft in a file: two bodies from templates, and what is attached.

Knows no quantity and no formula, and no mail server. Whatever a cell holds is text of a body or of the subject.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from engine.render.typesetting import TEMPLATES, UNPRINTABLE, brand
from engine.report.values import Mail
from engine.report.words import shortened
from engine.units import NO_BREAK, Month, show

LONGEST_SUBJECT = 200
LONGEST_TEXT = 1500  # of a single text of a body; the whole of it stands in the workbook
KINDS = {
    ".pdf": ("application", "pdf"),
    ".xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
# Joins letters of some scripts, and turns no text around as others of its kind do.
_HARMLESS = {"\u200c", "\u200d"}


def write_mail(mail: Mail, path: Path, *, created: datetime, attachments: Sequence[Path]) -> None:
    """Write the draft; the same values, attachments and `created` give the same bytes."""
    message = EmailMessage(policy=SMTP)
    message["X-Unsent"] = "1"  # mail programs open it for writing
    message["Date"] = format_datetime(created)
    message["Message-ID"] = f"<{mail.report.month:%Y-%m}.{mail.report.input_hash}@inference-margin.invalid>"
    for header, addresses in (("From", (mail.sender,)), ("To", mail.to), ("Cc", mail.cc)):
        if any(addresses):
            message[header] = ", ".join(addresses)
    message["Subject"] = shortened(plain(mail.subject), LONGEST_SUBJECT).replace(NO_BREAK, " ")
    message.set_content(body(mail, "txt"), cte="quoted-printable")
    message.add_alternative(body(mail, "html"), subtype="html", cte="quoted-printable")
    for file in attachments:
        maintype, subtype = KINDS[file.suffix]
        message.add_attachment(file.read_bytes(), maintype=maintype, subtype=subtype, filename=file.name)
    for place, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{mail.report.input_hash}_{place}")
    path.write_bytes(message.as_bytes())


def body(mail: Mail, kind: str) -> str:
    """The body of a kind, `txt` or `html`."""
    report = mail.report
    template = _environment().get_template(f"mail.{kind}.jinja")
    return template.render(mail=mail, report=report, answer=report.answer, brand=brand())


def plain(text: str) -> str:
    """The text in one line, and in the order in which it is written.

    A control character would begin another header, or move what follows it in a terminal; others turn text around.
    """
    return "".join(_seen(character) for character in unicodedata.normalize("NFC", text))


def _seen(character: str) -> str:
    kind = unicodedata.category(character)
    if character in "\t\n\v\f\r" or kind in ("Zl", "Zp"):
        return " "
    hidden = kind in ("Cc", "Cf", "Cs") and character not in _HARMLESS
    return UNPRINTABLE if hidden else character


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        # In a plain text `&lt;` would be read as it stands.
        autoescape=lambda name: name is None or ".txt." not in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printed,
    )
    environment.globals["month_unit"] = Month
    environment.filters["show"] = show
    return environment


def _printed(value: Any) -> Any:
    """What a template prints: text in one line and of a reasonable length; what a macro has made stays as it is."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else shortened(plain(value), LONGEST_TEXT)
