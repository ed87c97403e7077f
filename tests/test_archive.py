"""The archive: revisions, states, one writer at a time, and that a killed process leaves the old run or the new one."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from datetime import date
from pathlib import Path

import pytest
from small_runs import put_run, record, said_by, write_tiny
from typer.testing import CliRunner

from engine import archive
from engine.__main__ import app
from engine.archive import ArchiveError
from engine.run import STAGES, report_month

ROOT = Path(__file__).parents[1]
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
KILLS = 10


def python(script, *arguments, **options):
    """Another process that knows the engine and the tests."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests")))},
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )


def names(reports):
    return sorted(entry.name for entry in reports.iterdir())


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Revisions and states


def test_a_draft_is_replaced_until_it_is_published_or_sent(tmp_path):
    first = put_run(tmp_path, NOVEMBER, "one")
    assert put_run(tmp_path, NOVEMBER, "two") == first == tmp_path / "2026-11"
    archive.mark(first, state=archive.PUBLISHED)
    second = put_run(tmp_path, NOVEMBER, "three")
    assert second == tmp_path / "2026-11-r2" and said_by(second)["revision"] == 2
    assert put_run(tmp_path, NOVEMBER, "four") == second
    archive.mark(second, state=archive.SENT)
    assert put_run(tmp_path, NOVEMBER, "five").name == "2026-11-r3"
    assert [(tmp_path / name / "report.txt").read_text() for name in names(tmp_path)] == ["two", "four", "five"]


def test_ten_revisions_stand_in_their_order(tmp_path):
    for _ in range(11):
        archive.mark(put_run(tmp_path, NOVEMBER), state=archive.PUBLISHED)
    assert [revision for _, revision, _ in archive.folders(tmp_path)] == list(range(1, 12))
    assert archive.run_of(tmp_path, NOVEMBER)["revision"] == 11


def test_the_latest_published_revision_speaks_for_its_month_else_the_draft(tmp_path):
    assert archive.run_of(tmp_path, NOVEMBER) is None and archive.place_of(tmp_path, NOVEMBER) is None
    first = put_run(tmp_path, NOVEMBER, profit=1.0)
    assert archive.run_of(tmp_path, NOVEMBER)["figures"]["gross_profit"] == 1
    archive.mark(first, state=archive.SENT)
    second = put_run(tmp_path, NOVEMBER, profit=2.0)
    assert archive.run_of(tmp_path, NOVEMBER)["figures"]["gross_profit"] == 1
    archive.mark(second, state=archive.PUBLISHED)
    put_run(tmp_path, NOVEMBER, profit=3.0)
    assert archive.run_of(tmp_path, date(2026, 11, 28))["figures"]["gross_profit"] == 2
    assert archive.place_of(tmp_path, NOVEMBER) == second
    assert archive.run_of(tmp_path, OCTOBER) is None


def test_other_folders_of_the_archive_are_no_runs(tmp_path):
    put_run(tmp_path, NOVEMBER)
    for name in ("2026-13", "2026-1", "2026-11-r0", "2026-11-old", "notes", ".2026-12.new-abc"):
        (tmp_path / name).mkdir()
        archive.write_json(tmp_path / name / "run.json", record(NOVEMBER))
    (tmp_path / "2026-10").mkdir()
    assert [folder.name for _, _, folder in archive.folders(tmp_path)] == ["2026-11"]
    assert list(archive.folders(tmp_path / "none")) == []


def test_marking_a_run_keeps_the_rest_of_it(tmp_path):
    folder = put_run(tmp_path, NOVEMBER)
    before = said_by(folder)
    told = archive.mark(folder, sent=[{"at": "2026-12-03T10:00:00+00:00", "to": ["a@example.com"]}], state="sent")
    assert told == said_by(folder) == {**before, "state": "sent", "sent": told["sent"]}
    assert archive.fingerprint(told) == archive.fingerprint(before)
    assert names(tmp_path) == ["2026-11"] and names(folder) == ["report.txt", "run.json"]
    with pytest.raises(ArchiveError, match="2026-12 is no run"):
        archive.mark(tmp_path / "2026-12", state="sent")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "draft"}', '{"state": "draft", "revision": "x"}'])
def test_a_damaged_record_is_said_in_a_sentence(tmp_path, text):
    put_run(tmp_path, OCTOBER)
    (put_run(tmp_path, NOVEMBER) / "run.json").write_text(text)
    with pytest.raises(ArchiveError, match=r"2026-11/run.json is damaged or cannot be read; run"):
        archive.run_of(tmp_path, NOVEMBER)
    done = CliRunner().invoke(app, ["list", "--out", str(tmp_path)])
    assert done.exit_code == 0
    october, november = done.stdout.splitlines()
    assert october.startswith("2026-10  revision 1  draft") and "is damaged" in november


def test_the_list_has_a_line_a_run(tmp_path):
    published = {"state": archive.PUBLISHED, "published": {"at": "2026-11-03T10:00:00+00:00"}}
    sent = [{"at": "2026-11-04T08:00:00+00:00", "to": ["a@example.com"]}, {"at": "2026-11-05T08:00:00+00:00", "to": []}]
    put_run(tmp_path, OCTOBER, **published, currency="EUR", profit=-31_000.0)
    archive.mark(tmp_path / "2026-10", state=archive.SENT, sent=sent)
    put_run(tmp_path, NOVEMBER, **published)
    put_run(tmp_path, NOVEMBER, passed=False, figures={"gross_profit": 1_830_000.0})
    done = CliRunner().invoke(app, ["list", "--out", str(tmp_path)])
    assert [line.split("  ") for line in done.stdout.splitlines()] and done.exit_code == 0
    cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in done.stdout.splitlines()]
    key = ["input 01234567", "engine 0.1.0"]
    when = "published 2026-11-03"
    assert cells == [
        ["2026-10", "revision 1", "sent", "−€31k", "61.0%", *key, f"{when}, sent 2026-11-04"],
        ["2026-11", "revision 1", "published", "$7k", "61.0%", *key, when],
        ["2026-11-r2", "revision 2", "draft, FAILED", "$1.83m", "no revenue", *key],
    ]
    empty = CliRunner().invoke(app, ["list", "--out", str(tmp_path / "none")])
    assert empty.stdout == f"{tmp_path / 'none'} has no runs.\n" and not (tmp_path / "none").exists()


# One writer at a time

HOLDS = """
    import sys, time
    from pathlib import Path
    from engine import archive
    with archive.locked(Path(sys.argv[1]), "report 2026-11"):
        print("held", flush=True)
        time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def holder(tmp_path):
    """A function that has another process hold the archive for some seconds, and returns it once it does."""
    started = []

    def holds(seconds):
        process = python(HOLDS, tmp_path, seconds)
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield holds
    for process in started:
        process.kill()
        process.communicate()


def test_a_second_writer_is_told_who_holds_the_archive(tmp_path, holder):
    process = holder(60)
    begun = time.monotonic()
    with pytest.raises(ArchiveError) as refused, archive.locked(tmp_path, "report 2026-11", wait=0.3):
        pass
    assert 0.3 <= time.monotonic() - begun < 5
    assert f"is in use by process {process.pid} on " in str(refused.value)
    assert ", report 2026-11, since " in str(refused.value) and "for 0.3 seconds" in str(refused.value)


def test_a_second_writer_waits_for_the_first(tmp_path, holder):
    process, told = holder(0.5), []
    with archive.locked(tmp_path, "report 2026-11", wait=20, waiting=told.append):
        assert names(tmp_path) == [".lock"]
    assert len(told) == 1 and told[0].startswith(f"process {process.pid} on ")
    assert names(tmp_path) == []


def test_the_lock_of_a_killed_process_blocks_nobody(tmp_path, holder):
    process = holder(60)
    process.kill()
    process.wait()
    assert names(tmp_path) == [".lock"]
    with archive.locked(tmp_path, "report 2026-11", wait=0):
        assert f"process {os.getpid()} on" in (tmp_path / ".lock").read_text()
    assert names(tmp_path) == []


def test_who_holds_the_archive_may_ask_again(tmp_path, holder):
    with archive.locked(tmp_path, "send 2026-11"):
        with archive.locked(tmp_path / "." / "", "marking 2026-11", wait=0):
            pass
        assert names(tmp_path) == [".lock"]
    with archive.locked(tmp_path, "again", wait=0):
        pass


def test_writers_of_one_month_do_not_mix(tmp_path):
    """Each writes its own name into every file, slowly; whoever ends last stays."""
    script = """
        import sys, time
        from datetime import date
        from pathlib import Path
        from engine import archive
        from small_runs import record
        def write(folder, revision):
            for name in "abcdef":
                (folder / name).write_text(sys.argv[2])
                time.sleep(0.02)
            archive.write_json(folder / "run.json", record(date(2026, 11, 1), revision))
        for _ in range(3):
            archive.write_run(Path(sys.argv[1]), date(2026, 11, 1), write)
    """
    writers = [python(script, tmp_path, name) for name in ("one", "two", "three")]
    for writer in writers:
        _, error = writer.communicate(timeout=60)
        assert writer.returncode == 0, error
    assert names(tmp_path) == ["2026-11"]
    assert len({(tmp_path / "2026-11" / name).read_text() for name in "abcdef"}) == 1


# Killed processes

REPLACES = """
    import os, shutil, signal, sys
    from datetime import date
    from pathlib import Path
    from small_runs import put_run
    left = int(sys.argv[2])
    def deadly(change):
        def changes(*arguments, **options):
            global left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return change(*arguments, **options)
        return changes
    for owner, name in ((os, "rename"), (os, "unlink"), (os, "rmdir"), (os, "mkdir"), (os, "fsync"), (os, "chmod")):
        setattr(owner, name, deadly(getattr(owner, name)))
    put_run(Path(sys.argv[1]), date(2026, 11, 1), "new", profit=2.0)
"""


def test_a_process_killed_at_any_step_leaves_the_old_run_or_the_new_one(tmp_path):
    """At every call that changes the archive in turn; two of them stand on either side of the gap between renames."""
    seen, set_aside = [], 0
    for step in range(40):
        reports = tmp_path / str(step)
        put_run(reports, NOVEMBER, "old", profit=1.0)
        process = python(REPLACES, reports, step)
        _, error = process.communicate(timeout=60)
        assert process.returncode in (0, -signal.SIGKILL), error
        set_aside += not (reports / "2026-11").exists()
        # Whoever reads finds it, before anything is put right.
        found = archive.run_of(reports, NOVEMBER)["figures"]["gross_profit"]
        place = archive.place_of(reports, NOVEMBER)
        assert (place / "report.txt").read_text() == {1.0: "old", 2.0: "new"}[found]
        assert [folder.name for _, _, folder in archive.folders(reports)] == ["2026-11"]
        assert CliRunner().invoke(app, ["list", "--out", str(reports)]).stdout.startswith("2026-11  revision 1  draft")
        seen.append(found)
        # And whoever writes next, if only another month, puts it in its place and clears up.
        put_run(reports, OCTOBER)
        assert names(reports) == ["2026-10", "2026-11"]
        assert names(reports / "2026-11") == ["report.txt", "run.json"]
        assert archive.run_of(reports, NOVEMBER)["figures"]["gross_profit"] == found
        if process.returncode == 0:
            break
    assert process.returncode == 0 and set_aside >= 1
    assert seen == sorted(seen) and set(seen) == {1.0, 2.0} and len(seen) > 8


REPORTS = """
    import sys
    from pathlib import Path
    import weasyprint, matplotlib, pyarrow.parquet, engine.render.excel, engine.render.pdf, engine.run
    workbook, reports = map(Path, sys.argv[1:])
    sys.stdin.readline()
    engine.run.report_month(workbook, reports, progress=lambda stage: print(stage, flush=True))
    print("done", flush=True)
"""


def is_complete(folder):
    """Whether a run has every file that it wrote, each as it wrote it."""
    files = said_by(folder)["files"]
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names(folder)}
    del hashes["run.json"]
    return hashes == files and len(files) >= 4


def test_a_run_killed_at_ten_moments_leaves_the_old_archive_or_the_new_one(tmp_path):
    workbook, stages = write_tiny(tmp_path), [*STAGES, "done"]

    def ready(kill):
        """A process that has loaded what it needs, or soon will, and waits to be told to run."""
        return python(REPORTS, workbook, tmp_path / str(kill), stdin=subprocess.PIPE)

    coming = ready(0)
    # Spread over the stages, each at a moment of chance within it.
    for kill in range(KILLS):
        reports = tmp_path / str(kill)
        put_run(reports, OCTOBER, "October")
        old = put_run(reports, NOVEMBER, "old")
        before = files_of(reports)
        process, coming = coming, ready(kill + 1)
        process.stdin.write("\n")
        process.stdin.flush()
        reached = stages[kill * len(stages) // KILLS]
        assert any(line.strip() == reached for line in process.stdout)
        time.sleep(random.uniform(0, 0.4))
        process.kill()
        process.communicate()
        assert archive.run_of(reports, OCTOBER)["figures"]["gross_profit"] == 7000
        place = archive.place_of(reports, NOVEMBER)
        if "files" in said_by(place):
            assert is_complete(place) and said_by(place)["looked_at"][0]["month"] == "2026-10"
        else:
            assert {f"2026-11/{name}": content for name, content in files_of(place).items()}.items() <= before.items()
            assert names(place) == ["report.txt", "run.json"]
    coming.kill()
    coming.communicate()
    # The last kill may have come too late; here something was left for the next run to clear away.
    (reports / ".2026-11.new-leftover").mkdir(exist_ok=True)
    report_month(workbook, reports)
    assert names(reports) == ["2026-10", "2026-11"] and is_complete(old)
