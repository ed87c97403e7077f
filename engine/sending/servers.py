"""Servers: the mail server that the environment names, and one conversation with it. Knows no run and no archive."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from engine.sending import SendingError

TIMEOUT = 120.0  # seconds without an answer; servers look for viruses before they take a mail
PORTS = {"starttls": 587, "tls": 465, "none": 25}
OWN_MACHINE = ("localhost", "127.0.0.1", "::1")
NAMES = ("HOST", "PORT", "USER", "CA_FILE")
TAKEN = (250, 251, 252)
REASON_LIMIT = 200


class TemporaryError(Exception):
    """What may go better in a while. `unsure`: the mail may have arrived all the same."""

    def __init__(self, sentence: str, *, unsure: bool = False) -> None:
        super().__init__(sentence)
        self.unsure = unsure


@dataclass(frozen=True)
class Server:
    """A mail server, and how to talk to it."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Refusal:
    """Why a recipient does not get the mail, in the server's words, and whether another attempt may help."""

    reason: str
    temporary: bool


def server_of(environment: Mapping[str, str]) -> Server:
    """The server that the environment names.

    Errors: SendingError where it is not said how to reach one safely.
    """
    host, port, user, ca_file = (environment.get(f"SMTP_{name}", "").strip() for name in NAMES)
    security = environment.get("SMTP_SECURITY", "").strip().lower() or "starttls"
    password = environment.get("SMTP_PASSWORD", "")
    if not host:
        raise SendingError("SMTP_HOST is not set. Name the mail server there, such as mail.example.com.")
    if security not in PORTS:
        raise SendingError(f"SMTP_SECURITY is '{security}'; allowed are starttls and tls.")
    if security == "none" and host not in OWN_MACHINE:
        raise SendingError(f"SMTP_SECURITY is none, which is allowed for localhost alone, and SMTP_HOST is {host}.")
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise SendingError(f"SMTP_PORT is '{port}'; allowed is a number from 1 to 65535.")
    if ca_file and not Path(ca_file).is_file():
        raise SendingError(f"SMTP_CA_FILE is {ca_file}, and there is no such file.")
    if bool(user) != bool(password):
        raise SendingError("Of SMTP_USER and SMTP_PASSWORD one is set. Set both, or none where no log-in is needed.")
    return Server(host, int(port or PORTS[security]), security, user, password, ca_file)


def described(environment: Mapping[str, str]) -> str:
    """For a reader who wants to know how a mail would go out, or why it could not; never with the password."""
    try:
        server = server_of(environment)
    except SendingError as error:
        return f"no server yet. {error}"
    login = f", logged in as {server.user}" if server.user else ""
    return f"{server} ({'no encryption' if server.security == 'none' else server.security}{login})"


def deliver(server: Server, sender: str, recipients: Sequence[str], content: bytes) -> dict[str, Refusal]:
    """One attempt to hand over the mail; gives those who were refused.

    Errors: TemporaryError, or SendingError where no other attempt would help; both without the full stop, because what
    became of the mail is still to be said.
    """
    with _told(server, "before the mail was handed over"):
        connection = _connected(server)
    try:
        with _told(server, "before the mail was handed over"):
            size = [f"size={len(content)}"] if connection.has_extn("size") else []
            code, text = connection.mail(sender, size)
            if code not in TAKEN:
                raise smtplib.SMTPResponseException(code, text)
            answers = {address: connection.rcpt(address) for address in recipients}
        refused = {address: _refusal(*answer) for address, answer in answers.items() if answer[0] not in TAKEN}
        if len(refused) == len(recipients):
            return refused
        with _told(server, "while the mail was handed over", unsure=True):
            code, text = _data(connection, content)
        if code not in TAKEN:
            refused |= {address: _refusal(code, text) for address in recipients if address not in refused}
        return refused
    finally:
        # What the server says to a good-bye changes nothing.
        with suppress(OSError, smtplib.SMTPException):
            connection.quit()
        connection.close()


def _connected(server: Server) -> smtplib.SMTP:
    """A connection that may be used: encrypted, of a server whose certificate is trusted, and logged in."""
    context = ssl.create_default_context(cafile=server.ca_file or None)
    if server.security == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT, context=context)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
    try:
        connection.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            connection.starttls(context=context)
            connection.ehlo()
        if server.user:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _data(connection: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
    try:
        return connection.data(content)
    except smtplib.SMTPDataError as error:  # not even asked for
        return error.smtp_code, _bytes(error.smtp_error)


@contextmanager
def _told(server: Server, when: str, *, unsure: bool = False) -> Iterator[None]:
    """Turns what goes wrong with a connection into one sentence, and tells what may go better in a while."""
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        sentence = f"{server} refused the log-in of {server.user}: {_words(error.smtp_error)}"
        raise _failure(error.smtp_code, sentence) from None
    except smtplib.SMTPResponseException as error:
        sentence = f"{server} refused {when}: {error.smtp_code} {_words(error.smtp_error)}"
        raise _failure(error.smtp_code, sentence) from None
    except smtplib.SMTPNotSupportedError:
        lacks = "STARTTLS" if server.security == "starttls" else "a log-in"
        raise SendingError(f"{server} does not offer {lacks}, and without it nothing is sent") from None
    except ssl.SSLCertVerificationError as error:
        why = f"its certificate is not trusted ({error.verify_message.rstrip('.')})"
        way_out = "SMTP_CA_FILE may name the authority that issued it"
        raise SendingError(f"{server} is not known to be itself: {why}; {way_out}") from None
    except ssl.SSLError as error:
        why = f"({error.reason or error})"
        raise SendingError(f"{server} does not speak TLS as asked {why}; check SMTP_PORT and SMTP_SECURITY") from None
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise TemporaryError(f"{server} cannot be looked up now") from None
        raise SendingError(f"{server} is not known; check SMTP_HOST") from None
    except (OSError, smtplib.SMTPException) as error:
        raise TemporaryError(f"The connection to {server} failed {when} ({_cause(error)})", unsure=unsure) from None
    except ValueError:
        raise SendingError(f"{server} cannot be reached under this name; check SMTP_HOST") from None


def _failure(code: int, sentence: str) -> Exception:
    return TemporaryError(sentence) if 400 <= code < 500 else SendingError(sentence)


def _cause(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer for {TIMEOUT:g} s"
    return _words((error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__)


def _refusal(code: int, text: bytes) -> Refusal:
    return Refusal(f"{code} {_words(text)}", 400 <= code < 500)


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _words(text: bytes | str) -> str:
    """What a server says, in one line: it is another's text, and printed on a terminal."""
    told = " ".join(_bytes(text).decode("ascii", "replace").split())
    shown = "".join(letter if letter.isprintable() else "?" for letter in told)
    return shown[:REASON_LIMIT].rstrip(".")
