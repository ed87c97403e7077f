"""Letters: a run's mail, whom it goes to, and what run.json keeps of its sendings. Knows no mail server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from engine import archive
from engine.sending import FailedCheckError, SendingError
from engine.workbook.mail import ADDRESS

RUN, DRAFT = "run.json", "report.eml"


@dataclass(frozen=True)
class Letter:
    """A run's mail, those it goes to now, and those who are left out because they have it, or may have it."""

    folder: Path
    draft: bytes
    sender: str
    recipients: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.draft, policy=SMTP)

    @property
    def digest(self) -> str:
        return sha256(self.draft).hexdigest()

    def sent_as(self, message_id: str, at: datetime) -> bytes:
        """The mail as it goes out: no longer a draft, and of the day it is sent."""
        message = self.message
        for header in ("X-Unsent", "Date", "Message-ID", "From", "Bcc"):
            del message[header]
        message["From"], message["Date"], message["Message-ID"] = self.sender, format_datetime(at), message_id
        return message.as_bytes()


def letter_of(folder: Path, *, user: str = "", again: bool = False, force: bool = False) -> Letter:
    """The mail of a run, to those who do not have it yet, or to all of them `again`.

    Without mail_from it comes from the `user` who logs in. Errors: FailedCheckError where the master check failed,
    unless by `force`; SendingError where there is nothing to send, nobody to send it to, or nobody it comes from.
    """
    run = _run_of(folder)
    if not run.get("passed") and not force:
        raise FailedCheckError(f"A check of {folder} failed. Correct its workbook, or say --force to send it as it is.")
    draft = _draft_of(folder)
    message: Any = message_from_bytes(draft, policy=SMTP)
    senders, *named = (_addresses(message[header]) for header in ("From", "To", "Cc"))
    everybody = tuple(dict.fromkeys(address for some in named for address in some))
    if not everybody:
        raise SendingError("The mail names no recipients. Fill in mail_to on Settings, and run the report again.")
    sender = senders[0] if senders else user
    if not ADDRESS.fullmatch(sender):
        raise SendingError("The mail names no sender. Fill in mail_from on Settings, and run the report again.")
    known = {address for record in run.get("sent", []) for address in (*record["to"], *record["unknown"])}
    left_out = () if again else tuple(address for address in everybody if address in known)
    if len(left_out) == len(everybody):
        raise SendingError(f"{folder} {_earlier(run['sent'])}. To send it to all of them once more, say --again.")
    return Letter(folder, draft, sender, tuple(a for a in everybody if a not in left_out), left_out)


def plan(letter: Letter) -> list[str]:
    """What goes to whom, line by line."""
    message = letter.message
    sizes = [(str(part.get_filename()), len(part.get_payload(decode=True))) for part in message.iter_attachments()]
    lines = {
        "From": letter.sender,
        "To": ", ".join(letter.recipients),
        "Has it": ", ".join(letter.left_out),
        "Subject": str(message["Subject"]),
        "Attached": ", ".join(f"{name} ({size / 1e6:.1f} MB)" for name, size in sizes),
    }
    return [f"{name + ':':<10}{text}" for name, text in lines.items() if text]


def keep(folder: Path, record: dict[str, Any]) -> None:
    """Puts a sending into run.json, in place of what was kept of it before; what somebody took is a sent run."""
    run = _run_of(folder)
    sent = [other for other in run.get("sent", []) if other["message_id"] != record["message_id"]]
    if record["to"] or record["refused"] or record["unknown"]:
        sent.append(record)
    archive.mark(folder, sent=sent, state=archive.SENT if record["to"] else run["state"])


def _run_of(folder: Path) -> dict[str, Any]:
    try:
        run: dict[str, Any] = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SendingError(f"{folder} is not the folder of a run; name one such as reports/2026-11.") from None
    return run


def _draft_of(folder: Path) -> bytes:
    """The draft, which carries the files that lie beside it."""
    try:
        draft = (folder / DRAFT).read_bytes()
        message: Any = message_from_bytes(draft, policy=SMTP)
        for part in message.iter_attachments():
            name = Path(str(part.get_filename())).name
            if part.get_payload(decode=True) != (folder / name).read_bytes():
                raise SendingError(f"{DRAFT} carries another {name} than lies beside it. Run the report again.")
    except OSError as error:
        raise SendingError(f"{folder} lacks {Path(str(error.filename)).name}. Run the report again.") from None
    return draft


def _addresses(header: Any) -> list[str]:
    found = [address.addr_spec for address in header.addresses] if header is not None else []
    for address in found:
        if not ADDRESS.fullmatch(address):
            raise SendingError(f"{DRAFT} names {address!r}, which is no mail address. Run the report again.")
    return found


def _earlier(records: list[dict[str, Any]]) -> str:
    """What became of it before: `was sent on 2026-12-03 09:15 UTC`."""
    sent = [record for record in records if record["to"]]
    last = (sent or records)[-1]
    when = f"{datetime.fromisoformat(last['at']):%Y-%m-%d %H:%M} UTC"
    if sent and not records[-1]["unknown"]:
        return f"was sent on {when}"
    return f"may have been sent on {when}: that sending was interrupted"
