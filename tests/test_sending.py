"""Sending: what reaches a real mail server, what is never sent, and what run.json keeps of it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from mail_server import PASSWORD, Certificate, Mailbox, certificate, serving
from test_pdf import CREATED, REPORT
from typer.testing import CliRunner

from engine import archive
from engine.__main__ import app
from engine.archive import write_json
from engine.archive.locking import NAME
from engine.commands.exits import FAILED_CHECK, NOT_DONE, REFUSED
from engine.render.mail import write_mail
from engine.report.mail import mail
from engine.sending import SendingError
from engine.sending.attempts import ATTEMPTS
from engine.sending.letters import letter_of
from engine.sending.servers import server_of

ROOT = Path(__file__).parents[1]
# The server's own log-in is told not to ask for TLS where all of the connection is encrypted.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
ANN, BOB, EVE, US = "ann@example.com", "bob@example.com", "eve@example.com", "finance@example.com"
SETTINGS = {"mail_to": f"{ANN}; {BOB}", "mail_cc": EVE, "mail_from": US}


@pytest.fixture(autouse=True)
def no_server_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SMTP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("engine.sending.attempts.PAUSE", 0.0)
    monkeypatch.setattr("engine.sending.servers.TIMEOUT", 10.0)


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("trusted"))


def write_run(folder: Path, passed: bool = True, **settings: str) -> Path:
    """The folder of a run, with nothing in it but what sending needs."""
    folder.mkdir()
    files = [folder / "report.pdf", folder / "results.xlsx"]
    for file in files:
        file.write_bytes(f"the bytes of {file.name}\r\n.\r\n".encode())
    answer = replace(REPORT.answer, verdict=replace(REPORT.answer.verdict, passed=passed))
    report = replace(REPORT, answer=answer)
    write_mail(mail(report, {**SETTINGS, **settings}), folder / "report.eml", created=CREATED, attachments=files)
    made_by = {"input": {"sha256": "0" * 64}, "engine": {"version": "1", "commit": ""}, "figures": {}}
    facts = {"state": "draft", "month": "2026-11", "revision": 1, "passed": passed, "seconds": {"read": 0.1}}
    write_json(folder / "run.json", {**facts, **made_by})
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "2026-11")


Send = Callable[..., Any]


@pytest.fixture
def send(run: Path) -> Send:
    """Runs the command on the run, with a server at this port of this machine."""

    def command(*options: str, port: int = 1, security: str = "none", **environment: str) -> Any:
        server = {"SMTP_HOST": "localhost", "SMTP_PORT": str(port), "SMTP_SECURITY": security}
        return CliRunner().invoke(app, ["send", str(run), *options], env={**server, **environment})

    return command


def run_of(folder: Path) -> dict[str, Any]:
    run: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return run


def parsed(content: bytes) -> Any:
    message: EmailMessage = message_from_bytes(content, policy=SMTP)
    return message


# What arrives


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_the_mail_arrives_encrypted_and_logged_in(security: str, trusted: Certificate, run: Path, send: Send) -> None:
    mailbox = Mailbox()
    with serving(mailbox, security, trusted, login=True) as port:
        done = send(
            port=port, security=security, SMTP_USER="us", SMTP_PASSWORD=PASSWORD, SMTP_CA_FILE=str(trusted.file)
        )
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"Sent: {run}/report.eml to {ANN}, {BOB}, {EVE}.\n"
    ((sender, recipients, content),) = mailbox.taken
    assert (sender, recipients, mailbox.users) == (US, (ANN, BOB, EVE), ["us"])
    assert security == "tls" or mailbox.encrypted == [True]
    message, draft = parsed(content), parsed((run / "report.eml").read_bytes())
    assert "X-Unsent" not in message and "X-Unsent" in draft
    assert message["Message-ID"] != draft["Message-ID"] and message["Date"] != draft["Date"]
    for header in ("From", "To", "Cc", "Subject"):
        assert message[header] == draft[header]
    assert {part.get_filename(): part.get_content() for part in message.iter_attachments()} == {
        name: (run / name).read_bytes() for name in ("report.pdf", "results.xlsx")
    }
    for kind in ("plain", "html"):
        assert message.get_body((kind,)).get_content() == draft.get_body((kind,)).get_content()


def test_run_json_keeps_who_got_it_and_when(run: Path, send: Send) -> None:
    before, mailbox = run_of(run), Mailbox()
    with serving(mailbox, "none") as port:
        assert send(port=port).exit_code == 0
    after = run_of(run)
    (record,) = after.pop("sent")
    assert after == {**before, "state": "sent"}
    message = parsed(mailbox.taken[0][2])
    assert record == {
        "at": message["Date"].datetime.isoformat(),
        "message_id": message["Message-ID"],
        "eml_sha256": sha256((run / "report.eml").read_bytes()).hexdigest(),
        "from": US,
        "to": [ANN, BOB, EVE],
        "refused": {},
        "unknown": [],
    }
    assert sorted(path.name for path in run.iterdir()) == ["report.eml", "report.pdf", "results.xlsx", "run.json"]


def test_who_logs_in_sends_where_nobody_else_is_named(tmp_path: Path, trusted: Certificate) -> None:
    run, mailbox = write_run(tmp_path / "run", mail_from=""), Mailbox()
    with serving(mailbox, "tls", trusted, login=True) as port:
        server = {"SMTP_HOST": "localhost", "SMTP_PORT": str(port), "SMTP_SECURITY": "tls"}
        login = {"SMTP_USER": US, "SMTP_PASSWORD": PASSWORD, "SMTP_CA_FILE": str(trusted.file)}
        assert CliRunner().invoke(app, ["send", str(run)], env={**server, **login}).exit_code == 0
    assert mailbox.taken[0][0] == US and parsed(mailbox.taken[0][2])["From"] == US


# Never twice, never what failed, never by accident


def test_it_is_sent_once(run: Path, send: Send) -> None:
    mailbox = Mailbox()
    with serving(mailbox, "none") as port:
        assert send(port=port).exit_code == 0
        refused = send(port=port)
        assert refused.exit_code == NOT_DONE and len(mailbox.taken) == 1
        assert refused.stderr.startswith(f"{run} was sent on 20") and "say --again" in refused.stderr
        assert send("--again", port=port).exit_code == 0
    assert [taken[1] for taken in mailbox.taken] == [(ANN, BOB, EVE)] * 2
    assert len({record["message_id"] for record in run_of(run)["sent"]}) == 2


def test_a_sending_that_was_interrupted_is_not_repeated(run: Path, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a power cut: whether the mail went out is not known."""

    def stops(*_: object) -> None:
        raise KeyboardInterrupt

    mailbox = Mailbox()
    with serving(mailbox, "none") as port:
        with monkeypatch.context() as patch:
            patch.setattr("engine.sending.attempts.deliver", stops)
            send(port=port)
        assert run_of(run)["sent"][0]["unknown"] == [ANN, BOB, EVE] and run_of(run)["state"] == "draft"
        refused = send(port=port)
        assert refused.exit_code == NOT_DONE and mailbox.taken == []
        assert "may have been sent on" in refused.stderr and "interrupted" in refused.stderr
        assert send("--again", port=port).exit_code == 0
    assert len(mailbox.taken) == 1


def test_two_at_once_send_it_once(run: Path, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes into the archive keeps others from sending, and from making the run anew meanwhile."""
    mailbox, waits = Mailbox(), partial(archive.locked, wait=0.1)
    with serving(mailbox, "none") as port:
        with (run.parent / NAME).open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with monkeypatch.context() as patch:
                patch.setattr("engine.archive.locked", waits)
                refused = send(port=port)
        assert refused.exit_code == REFUSED and mailbox.taken == []
        (run.parent / NAME).unlink()
        assert send(port=port).exit_code == 0
    assert len(mailbox.taken) == 1


def test_a_failed_check_is_not_sent_unless_forced(tmp_path: Path) -> None:
    run, mailbox = write_run(tmp_path / "run", passed=False), Mailbox()
    with serving(mailbox, "none") as port:
        server = {"SMTP_HOST": "localhost", "SMTP_PORT": str(port), "SMTP_SECURITY": "none"}
        for options in ((), ("--dry-run",), ("--again",)):
            done = CliRunner().invoke(app, ["send", str(run), *options], env=server)
            assert done.exit_code == FAILED_CHECK and "failed" in done.stderr and mailbox.taken == []
        assert CliRunner().invoke(app, ["send", str(run), "--force"], env=server).exit_code == 0
    message = parsed(mailbox.taken[0][2])
    assert message["Subject"].startswith("FAILED: ")
    assert "Do not use these figures." in message.get_body(("plain",)).get_content()


def test_a_dry_run_says_all_and_sends_nothing(run: Path, send: Send) -> None:
    before, mailbox = (run / "run.json").read_bytes(), Mailbox()
    with serving(mailbox, "none") as port:
        done = send("--dry-run", port=port, SMTP_USER="us", SMTP_PASSWORD="secret")
    assert done.exit_code == 0 and done.stdout.splitlines() == [
        f"From:     {US}",
        f"To:       {ANN}, {BOB}, {EVE}",
        "Subject:  Inference margin, November 2026: November earned $604k gross profit, and Reasoning gave $152k of it "
        "away",
        "Attached: report.pdf (0.0 MB), results.xlsx (0.0 MB)",
        f"Through:  localhost:{port} (no encryption, logged in as us)",
        "Nothing was sent.",
    ]
    assert mailbox.offered == [] and (run / "run.json").read_bytes() == before


def test_a_dry_run_needs_no_server(run: Path) -> None:
    done = CliRunner().invoke(app, ["send", str(run), "--dry-run"])
    assert done.exit_code == 0 and "Through:  no server yet. SMTP_HOST is not set." in done.stdout


# Refusals


def test_one_refused_recipient_is_said_kept_and_tried_when_asked_again(run: Path, send: Send) -> None:
    mailbox = Mailbox(refused={BOB: ["550 5.1.1 No such user here"]})
    with serving(mailbox, "none") as port:
        done = send(port=port)
        assert done.exit_code == NOT_DONE
        assert done.stdout == f"Sent: {run}/report.eml to {ANN}, {EVE}.\n"
        assert done.stderr == f"Not sent to {BOB}: 550 5.1.1 No such user here.\n"
        kept = run_of(run)
        assert kept["state"] == "sent" and kept["sent"][0]["to"] == [ANN, EVE]
        assert kept["sent"][0]["refused"] == {BOB: "550 5.1.1 No such user here"}
        plan = send("--dry-run", port=port)
        assert f"To:       {BOB}\n" in plan.stdout and f"Has it:   {ANN}, {EVE}\n" in plan.stdout
        assert send(port=port).exit_code == 0
    assert [taken[1] for taken in mailbox.taken] == [(ANN, EVE), (BOB,)]


def test_a_full_mailbox_is_said_after_one_attempt(run: Path, send: Send) -> None:
    mailbox = Mailbox(on_data=["552 5.2.2 Mailbox full"])
    with serving(mailbox, "none") as port:
        done = send(port=port)
    assert done.exit_code == NOT_DONE and done.stdout == "" and len(mailbox.offered) == 1
    assert done.stderr.splitlines() == [f"Not sent to {each}: 552 5.2.2 Mailbox full." for each in (ANN, BOB, EVE)]
    kept = run_of(run)
    assert kept["state"] == "draft" and set(kept["sent"][0]["refused"]) == {ANN, BOB, EVE}


def test_a_mailbox_full_for_now_is_tried_again(run: Path, send: Send) -> None:
    mailbox = Mailbox(refused={BOB: ["452 4.2.2 Mailbox full"]})
    with serving(mailbox, "none") as port:
        done = send(port=port)
    assert done.exit_code == 0
    assert done.stderr == f"1 of 3 recipients refused for now. Attempt 2 of {ATTEMPTS} in 0 s.\n"
    assert [taken[1] for taken in mailbox.taken] == [(ANN, EVE), (BOB,)]
    (record,) = run_of(run)["sent"]
    assert record["to"] == [ANN, EVE, BOB] and record["refused"] == {}


def test_attempts_have_an_end(run: Path, send: Send) -> None:
    full = "452 4.3.1 Insufficient system storage"
    mailbox = Mailbox(on_data=[full] * 99)
    with serving(mailbox, "none") as port:
        done = send(port=port)
    assert done.exit_code == NOT_DONE and len(mailbox.offered) == ATTEMPTS
    assert f"Not sent to {ANN}: {full}.\n" in done.stderr
    assert run_of(run)["state"] == "draft"


def test_a_connection_dropped_midway_is_tried_again_as_the_same_mail(run: Path, send: Send) -> None:
    mailbox = Mailbox(on_data=["drop"])
    with serving(mailbox, "none") as port:
        done = send(port=port)
    assert done.exit_code == 0 and len(mailbox.taken) == 1 and len(mailbox.offered) == 2
    assert "failed while the mail was handed over" in done.stderr and "Attempt 2 of 3" in done.stderr
    assert len({parsed(content)["Message-ID"] for content in mailbox.offered}) == 1
    assert run_of(run)["sent"][0]["to"] == [ANN, BOB, EVE]


def test_what_is_always_dropped_may_have_arrived(run: Path, send: Send) -> None:
    mailbox = Mailbox(on_data=["drop"] * 99)
    with serving(mailbox, "none") as port:
        done = send(port=port)
        assert done.exit_code == NOT_DONE and len(mailbox.offered) == ATTEMPTS
        assert done.stderr.splitlines()[-1].endswith("3 times; whether it arrived is not known.")
        assert send(port=port).exit_code == NOT_DONE and len(mailbox.offered) == ATTEMPTS
    assert run_of(run)["sent"][0]["unknown"] == [ANN, BOB, EVE]


# Servers that are not there, or not to be trusted


def test_nobody_listens(run: Path, send: Send) -> None:
    before = run_of(run)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = send(port=unused.getsockname()[1])
    assert done.exit_code == NOT_DONE and len(done.stderr.splitlines()) == ATTEMPTS
    assert done.stderr.splitlines()[-1].endswith("(Connection refused), 3 times; nothing was sent.")
    assert run_of(run) == {**before, "sent": []}


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(
    security: str, trusted: Certificate, run: Path, send: Send
) -> None:
    mailbox = Mailbox()
    with serving(mailbox, security, trusted, login=True) as port:
        done = send(port=port, security=security, SMTP_USER="us", SMTP_PASSWORD=PASSWORD)
    assert done.exit_code == NOT_DONE and mailbox.offered == [] and mailbox.users == []
    assert done.stderr == (
        f"localhost:{port} is not known to be itself: its certificate is not trusted (self-signed certificate); "
        "SMTP_CA_FILE may name the authority that issued it; nothing was sent.\n"
    )


def test_a_certificate_of_another_server_is_refused(tmp_path: Path, run: Path, send: Send) -> None:
    other, mailbox = certificate(tmp_path, "other.example.com"), Mailbox()
    with serving(mailbox, "tls", other) as port:
        done = send(port=port, security="tls", SMTP_CA_FILE=str(other.file))
    assert done.exit_code == NOT_DONE and "not known to be itself" in done.stderr and mailbox.offered == []


def test_without_encryption_nothing_is_sent(trusted: Certificate, run: Path, send: Send) -> None:
    """A server, or somebody in between, that does not offer STARTTLS gets neither the mail nor the password."""
    mailbox = Mailbox()
    with serving(mailbox, "none") as port:
        done = send(port=port, security="starttls", SMTP_USER="us", SMTP_PASSWORD=PASSWORD)
        assert done.stderr.startswith(f"localhost:{port} does not offer STARTTLS")
        wrong = send(port=port, security="tls")
        assert wrong.stderr.startswith(f"localhost:{port} does not speak TLS as asked")
    assert (done.exit_code, wrong.exit_code) == (NOT_DONE, NOT_DONE)
    assert mailbox.offered == [] and mailbox.users == []


def test_a_wrong_password_is_one_sentence(trusted: Certificate, run: Path, send: Send) -> None:
    mailbox = Mailbox()
    with serving(mailbox, "starttls", trusted, login=True) as port:
        done = send(
            port=port, security="starttls", SMTP_USER="us", SMTP_PASSWORD="wrong", SMTP_CA_FILE=str(trusted.file)
        )
    assert done.exit_code == NOT_DONE and mailbox.offered == [] and set(mailbox.users) == {"us"}
    assert done.stderr.startswith(f"localhost:{port} refused the log-in of us: 5.7.8")
    assert done.stderr.endswith("; nothing was sent.\n") and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "SMTP_HOST is not set"),
        ({"SMTP_HOST": "mail.example.com", "SMTP_SECURITY": "none"}, "allowed for localhost alone"),
        ({"SMTP_HOST": "mail.example.com", "SMTP_SECURITY": "ssl"}, "SMTP_SECURITY is 'ssl'; allowed are"),
        ({"SMTP_HOST": "mail.example.com", "SMTP_PORT": "smtp"}, "SMTP_PORT is 'smtp'; allowed is a number"),
        ({"SMTP_HOST": "mail.example.com", "SMTP_USER": "us"}, "one is set. Set both"),
        ({"SMTP_HOST": "mail.example.com", "SMTP_CA_FILE": "/nowhere.pem"}, "there is no such file"),
    ],
)
def test_a_server_is_named_in_full(environment: Mapping[str, str], says: str) -> None:
    with pytest.raises(SendingError, match=says):
        server_of(environment)


def test_the_usual_ports() -> None:
    for security, port in (("", 587), ("starttls", 587), ("TLS", 465)):
        assert server_of({"SMTP_HOST": "mail.example.com", "SMTP_SECURITY": security}).port == port
    secret = server_of({"SMTP_HOST": "mail.example.com", "SMTP_USER": "us", "SMTP_PASSWORD": "secret"})
    assert "secret" not in f"{secret} {secret!r}"


# What cannot be sent


def test_no_recipients(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", mail_to="", mail_cc="")
    with pytest.raises(SendingError, match="Fill in mail_to on Settings"):
        letter_of(run)
    with pytest.raises(SendingError, match="Fill in mail_from on Settings"):
        letter_of(write_run(tmp_path / "other", mail_from=""), user="no address")


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["send", str(tmp_path), "--dry-run"])
    assert done.exit_code == NOT_DONE and "is not the folder of a run" in done.stderr


def test_a_draft_that_carries_another_report_is_not_sent(run: Path) -> None:
    (run / "report.pdf").write_bytes(b"another")
    with pytest.raises(SendingError, match=r"carries another report\.pdf"):
        letter_of(run)
    (run / "report.pdf").unlink()
    with pytest.raises(SendingError, match=r"lacks report\.pdf"):
        letter_of(run)


@pytest.mark.parametrize("written", ["no address", "<a b@example.com>", "ann@example.com@example.com", "-@-"])
def test_a_draft_that_names_no_address_is_not_sent(written: str, run: Path) -> None:
    draft = (run / "report.eml").read_bytes()
    (run / "report.eml").write_bytes(draft.replace(b"To: ann@example.com, bob@example.com", f"To: {written}".encode()))
    with pytest.raises(SendingError, match="which is no mail address"):
        letter_of(run)


def test_a_server_that_lies_cannot_write_to_the_terminal(run: Path, send: Send) -> None:
    mailbox = Mailbox(refused={each: ["550 \x1b[2Jgone\u202e" + "x" * 500] for each in (ANN, BOB, EVE)})
    with serving(mailbox, "none") as port:
        done = send(port=port)
    assert "\x1b" not in done.stderr and max(map(len, done.stderr.splitlines())) < 300


def test_the_command_line(run: Path) -> None:
    """As a person runs it: one sentence, no traceback."""
    call = [sys.executable, "-m", "engine", "send", str(run)]
    environment = {**os.environ, "SMTP_HOST": "no-such-host.invalid"}
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == NOT_DONE and "Traceback" not in done.stderr
    assert "no-such-host.invalid:587" in done.stderr.splitlines()[-1]
