"""Attempts: sends a letter, tries again what fails for a while, and keeps what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import make_msgid
from typing import Any

from engine.sending import SendingError
from engine.sending.letters import Letter, keep
from engine.sending.servers import Refusal, Server, TemporaryError, deliver

ATTEMPTS, PAUSE = 3, 10.0  # seconds between two attempts


@dataclass(frozen=True)
class Delivery:
    """Who took the mail, and who was refused, with the reason."""

    accepted: tuple[str, ...]
    refused: Mapping[str, str]


def send(letter: Letter, server: Server, tell: Callable[[str], None]) -> Delivery:
    """Sends the mail to its recipients, and keeps in run.json who took it and who was refused.

    What is refused for a while, or lost on its way, is tried again under the same Message-ID, by which mail programs
    know what they have already. Errors: SendingError where it is not known that anybody took it.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    # Kept before anything is sent, and as not known: a machine that stops midway must not send twice afterwards.
    record: dict[str, Any] = {
        "at": now.isoformat(),
        "message_id": make_msgid(domain=letter.sender.rpartition("@")[2]),
        "eml_sha256": letter.digest,
        "from": letter.sender,
        "to": [],
        "refused": {},
        "unknown": list(letter.recipients),
    }
    keep(letter.folder, record)
    failure = _attempts(letter, server, record, letter.sent_as(record["message_id"], now), tell)
    keep(letter.folder, record)
    if failure and not record["to"]:
        fate = "whether it arrived is not known" if record["unknown"] else "nothing was sent"
        raise SendingError(f"{failure}; {fate}.")
    lost = dict.fromkeys(letter.recipients, failure) if failure else {}
    missing = {address: reason for address, reason in lost.items() if address not in record["to"]}
    return Delivery(tuple(record["to"]), {**missing, **record["refused"]})


def _attempts(
    letter: Letter, server: Server, record: dict[str, Any], content: bytes, tell: Callable[[str], None]
) -> str:
    """Fills in the record; gives what went wrong with the connection in the end, or nothing."""
    pending, unsure = list(letter.recipients), False
    for attempt in range(1, ATTEMPTS + 1):
        try:
            refused = deliver(server, letter.sender, pending, content)
            failure = ""
        except TemporaryError as error:
            failure, unsure = str(error), unsure or error.unsure
        except SendingError as error:
            record["unknown"] = pending if unsure else []
            return str(error)
        else:
            pending, unsure = _sorted_out(record, pending, refused), False
            record["unknown"] = pending
            keep(letter.folder, record)
        if not pending:
            return ""
        if attempt < ATTEMPTS:
            why = failure or f"{len(pending)} of {len(letter.recipients)} recipients refused for now"
            tell(f"{why}. Attempt {attempt + 1} of {ATTEMPTS} in {PAUSE:g} s.")
            time.sleep(PAUSE)
    record["unknown"] = pending if unsure else []
    return f"{failure}, {ATTEMPTS} times" if failure else ""


def _sorted_out(record: dict[str, Any], asked: list[str], refused: Mapping[str, Refusal]) -> list[str]:
    """Keeps who took the mail and who was refused; gives those whom another attempt may help."""
    record["to"] += [address for address in asked if address not in refused]
    for address in asked:
        record["refused"].pop(address, None)
    record["refused"] |= {address: refusal.reason for address, refusal in refused.items()}
    return [address for address, refusal in refused.items() if refusal.temporary]
