"""A real mail server for tests: it takes mail, refuses whom it is told to, and drops connections."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

PASSWORD = "correct horse"


@dataclass
class Mailbox:
    """What a server answers, and what it took. The answer `drop` closes the connection; lists are used up."""

    refused: dict[str, list[str]] = field(default_factory=dict)
    on_data: list[str] = field(default_factory=list)
    taken: list[tuple[str, tuple[str, ...], bytes]] = field(default_factory=list)
    offered: list[bytes] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if answers := self.refused.get(address):
            return answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        self.offered.append(bytes(envelope.content or b""))
        if self.on_data:
            answer = self.on_data.pop(0)
            if answer == "drop":
                server.transport.abort()
            return answer
        self.encrypted.append(session.ssl is not None)
        self.taken.append((str(envelope.mail_from), tuple(envelope.rcpt_tos), bytes(envelope.content or b"")))
        return "250 OK"

    def log_in(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.users.append(data.login.decode())
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)


@dataclass(frozen=True)
class Certificate:
    """A server's certificate, which is also the authority that issued it, and its key."""

    file: Path
    key: Path

    @property
    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context


def certificate(folder: Path, host: str = "localhost") -> Certificate:
    """A certificate for a host, made anew."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed; it makes the certificate of the mail server")
    made = Certificate(folder / f"{host}.pem", folder / f"{host}.key")
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={host}"]
    names = ["-addext", f"subjectAltName=DNS:{host}", "-keyout", str(made.key), "-out", str(made.file)]
    subprocess.run([openssl, *request, *names], check=True, capture_output=True)
    return made


@contextmanager
def serving(mailbox: Mailbox, security: str, made: Certificate | None = None, *, login: bool = False) -> Iterator[int]:
    """A server on a port of this machine: `none`, `starttls` or `tls`."""
    options: dict[str, Any] = {}
    if security == "tls" and made:
        options["ssl_context"] = made.context
    if security == "starttls" and made:
        options |= {"tls_context": made.context, "require_starttls": True}
    if login:
        options |= {"authenticator": mailbox.log_in, "auth_required": True, "auth_require_tls": security == "starttls"}
    controller = _AnyPort(mailbox, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        yield controller.bound
    finally:
        controller.stop()


class _AnyPort(Controller):
    """Listens at a port that the machine chooses, and says which."""

    @property
    def bound(self) -> int:
        return int(self.server.sockets[0].getsockname()[1])  # type: ignore[union-attr]

    def _trigger_server(self) -> None:
        self.port = self.bound
        super()._trigger_server()
