"""Watching and progress: when a workbook is reported again, what is said meanwhile, and what is drawn on a terminal."""

import os
import pty
import re
import shutil
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from bad_workbooks.valid import at, fill
from small_runs import said_by, write_tiny
from test_archive import python
from typer.testing import CliRunner

from engine.__main__ import app
from engine.archive import ArchiveError
from engine.run import RenderingError
from engine.watching import Watcher
from engine.workbook.problems import InvalidWorkbook, Problem

PROBLEMS = (
    Problem("Hardware", "E9", "price is 12", "allowed is 1", "Type 1."),
    Problem("Hardware", "E10", "a", "", "B."),
)
CHECKS = (SimpleNamespace(name="Sums agree", passed=False), SimpleNamespace(name="Others", passed=True))


@pytest.fixture
def watched(tmp_path):
    """A workbook that is watched: its path, what was told, how often it was built, and what a build does next."""
    path = write_tiny(tmp_path)
    told, built, next_time = [], [], []

    def build():
        built.append(path.read_bytes())
        if next_time:
            raise next_time.pop()
        return SimpleNamespace(headline="November earned $7k", folder="reports/2026-11", checks=(), warnings=())

    watcher = Watcher(path, build, told.append)
    return SimpleNamespace(path=path, told=told, built=built, next_time=next_time, watcher=watcher)


def save(path, content):
    """Writes the file with another time of change, however coarse the file system's clock is."""
    before = path.stat().st_mtime_ns if path.exists() else time.time_ns()
    path.write_bytes(content)
    os.utime(path, ns=(before + 10**9, before + 10**9))


# When it is reported


def test_a_workbook_is_reported_at_once_and_after_every_save(watched):
    watched.watcher.look()
    assert watched.told == ["November earned $7k. Written: reports/2026-11"]
    for _ in range(3):
        watched.watcher.look()
    assert len(watched.built) == 1 and len(watched.told) == 1
    save(watched.path, watched.path.read_bytes())
    watched.watcher.look()
    assert watched.told[1:] == ["tiny.xlsx has changed; waiting until it is written."] and len(watched.built) == 1
    watched.watcher.look()
    assert len(watched.built) == 2 and len(watched.told) == 3


def test_a_workbook_that_is_still_being_written_is_waited_for(watched):
    whole = watched.path.read_bytes()
    watched.watcher.look()
    for share in (0.2, 0.5, 0.8):
        save(watched.path, whole[: int(share * len(whole))])
        watched.watcher.look()
    assert watched.told[1:] == ["tiny.xlsx has changed; waiting until it is written."]
    # Its writer has stopped halfway; said once, and again only when it was saved again.
    for _ in range(3):
        watched.watcher.look()
    assert watched.told[2:] == ["tiny.xlsx is half written; waiting until it is saved again."]
    save(watched.path, b"")
    watched.watcher.look()
    watched.watcher.look()
    assert watched.told[-1] == "tiny.xlsx is half written; waiting until it is saved again."
    assert len(watched.built) == 1
    save(watched.path, whole)
    watched.watcher.look()
    watched.watcher.look()
    assert watched.built == [whole, whole]


def test_a_workbook_that_is_replaced_may_be_gone_for_a_moment(watched):
    """Excel writes another file and renames it."""
    watched.watcher.look()
    other = shutil.copy2(watched.path, watched.path.with_name("A1B2C3D4"))
    watched.path.unlink()
    watched.watcher.look()
    watched.watcher.look()
    assert watched.told[1:] == ["tiny.xlsx is not there; waiting for it."]
    # The same time and size, and yet another file.
    Path(other).rename(watched.path)
    watched.watcher.look()
    watched.watcher.look()
    assert len(watched.built) == 2


def test_an_open_workbook_is_said_once_and_reported_when_saved(watched):
    note = watched.path.with_name("~$tiny.xlsx")
    watched.watcher.look()
    note.write_bytes(b"somebody")
    watched.watcher.look()
    watched.watcher.look()
    said = "tiny.xlsx is open in another program; it is reported whenever it is saved there."
    assert watched.told[1:] == [said]
    save(watched.path, watched.path.read_bytes())
    watched.watcher.look()
    watched.watcher.look()
    assert len(watched.built) == 2
    note.unlink()
    watched.watcher.look()
    note.write_bytes(b"somebody")
    watched.watcher.look()
    assert watched.told.count(said) == 2


def test_what_is_no_workbook_is_told_by_the_run(watched):
    """An encrypted or old workbook is whole, and never becomes a zip file by waiting."""
    save(watched.path, b"\xd0\xcf\x11\xe0" + bytes(600))
    watched.watcher.look()
    watched.watcher.look()
    assert len(watched.built) == 1


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (
            InvalidWorkbook(PROBLEMS),
            "tiny.xlsx has 2 problems; nothing was written:\n"
            "Hardware!E9   price is 12; allowed is 1. Type 1.\nHardware!E10  a. B.",
        ),
        (ArchiveError("reports is in use by process 12."), "reports is in use by process 12."),
        (RenderingError("report.pdf could not be made: no font"), "report.pdf could not be made: no font"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_goes_wrong_is_told_and_watching_goes_on(watched, cause, said):
    watched.next_time.append(cause)
    watched.watcher.look()
    assert watched.told == [said]
    watched.watcher.look()
    assert len(watched.built) == 1
    save(watched.path, watched.path.read_bytes())
    watched.watcher.look()
    watched.watcher.look()
    assert watched.told[-1] == "November earned $7k. Written: reports/2026-11"


def test_failed_checks_and_warnings_are_told(watched):
    outcome = SimpleNamespace(
        headline="H", folder="f", checks=CHECKS, warnings=(Problem("a", "", "b", "", "c", "warning"),)
    )
    watched.watcher.build = lambda: outcome
    watched.watcher.look()
    assert watched.told == ["H. Written: f; CHECKS FAILED: Sums agree; 1 warning"]


def test_excels_note_is_not_watched(tmp_path):
    done = CliRunner().invoke(app, ["watch", str(tmp_path / "~$a.xlsx")])
    assert done.exit_code == 2 and "is Excel's note that a workbook is open; name the workbook itself." in done.stderr


def test_watching_from_end_to_end(tmp_path):
    """A process: a workbook with a problem, saved without it, and Ctrl-C."""
    good = write_tiny(tmp_path)
    path = write_tiny(tmp_path, "november.xlsx", fill("Hardware", {"memory_bandwidth": "3,350"}))
    # What is started in the background may be deaf to Ctrl-C.
    hears = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    call = f"{hears}; import sys; from engine.__main__ import main; sys.argv[0] = 'engine'; main()"
    process = python(call, "watch", path, "--out", tmp_path / "reports")
    try:
        first, second = process.stdout.readline(), process.stdout.readline()
        assert first[8:] == "  november.xlsx has 1 problem; nothing was written:\n"
        assert second.startswith(f"{at('Hardware', 'memory_bandwidth')}  memory_bandwidth is the text '3,350'")
        assert not (tmp_path / "reports").exists()
        save(path, good.read_bytes())
        changed, written = process.stdout.readline(), process.stdout.readline()
        assert changed[8:] == "  november.xlsx has changed; waiting until it is written.\n"
        assert "  November earned a modelled $7k" in written and f"Written: {tmp_path / 'reports/2026-11'}" in written
        assert said_by(tmp_path / "reports" / "2026-11")["input"]["file"] == "november.xlsx"
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0 and (out, error.strip()) == ("", "")


# Progress

DRAWS = """
    import sys
    from engine.commands.progress import bar
    with bar(["read", "calculate", "report.pdf"], quiet=len(sys.argv) > 1) as begun:
        for stage in ("read", "calculate", "report.pdf", "of another room"):
            begun(stage)
"""


def drawn(monkeypatch, *arguments, **environment):
    """What a terminal of 80 columns is sent."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "80", **environment}.items():
        monkeypatch.setenv(name, value)
    ours, theirs = pty.openpty()
    process = python(DRAWS, *arguments, stderr=theirs)
    os.close(theirs)
    sent = b""
    try:
        while part := os.read(ours, 4096):
            sent += part
    except OSError:
        # How Linux says that the other end is closed.
        pass
    finally:
        os.close(ours)
    process.communicate()
    assert process.returncode == 0
    return sent.decode()


def test_a_bar_names_the_stages_on_a_terminal(monkeypatch):
    sent = drawn(monkeypatch)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sent)
    places = [shown.index(words) for words in ("0/3 read", "1/3 calculate", "2/3 report.pdf", "2/3 of another room")]
    assert places == sorted(places) and re.search(r"\x1b\[[34][0-9]", sent)


def test_a_bar_has_no_colours_where_none_are_wanted(monkeypatch):
    sent = drawn(monkeypatch, NO_COLOR="1")
    assert "1/3 calculate" in sent and not re.search(r"\x1b\[[34][0-9]", sent)


def test_a_bar_is_not_drawn_when_quiet_or_off_a_terminal(monkeypatch):
    assert drawn(monkeypatch, "--quiet") == ""
    process = python(DRAWS)
    assert process.communicate() == ("", "") and process.returncode == 0
