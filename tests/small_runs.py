"""Small runs for tests of the archive: a workbook that takes seconds, and runs that are no reports at all."""

import json

from bad_workbooks.valid import fill, spoil, write_valid

from engine import archive
from engine.sheets import SETTINGS

PAGES = [column.name for column in SETTINGS.columns if column.name.startswith("study_") and column.words]


def write_tiny(folder, name="tiny.xlsx", *edits):
    """The valid workbook without the pages that are asked for, edited."""
    valid = write_valid(folder / "valid.xlsx")
    return spoil(valid, folder / name, fill("Settings", dict.fromkeys([*PAGES, "published_figures"], "no")), *edits)


def record(month, revision=1, profit=7000.0, **facts):
    """What run.json of a run says, as far as the archive and its list read it."""
    said = {
        "state": archive.DRAFT,
        "month": f"{month:%Y-%m}",
        "revision": revision,
        "currency": "USD",
        "input": {"file": "a.xlsx", "sha256": "0123456789abcdef"},
        "engine": {"version": "0.1.0", "commit": ""},
        "figures": {"gross_profit": profit, "gross_margin": 0.61},
        "passed": True,
    }
    return {**said, **facts}


def put_run(reports, month, text="", **facts):
    """Writes a run of two files, through the archive."""

    def write(folder, revision):
        (folder / "report.txt").write_text(text, encoding="utf-8")
        archive.write_json(folder / "run.json", record(month, revision, **facts))

    return archive.write_run(reports, month, write)


def said_by(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))
