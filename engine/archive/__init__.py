"""Archive: one folder for each revision of a month's report. Knows files, states and figures, not what they mean."""

from engine.archive.locking import ArchiveError, locked
from engine.archive.runs import (
    DRAFT,
    PUBLISHED,
    RECORD,
    SENT,
    Run,
    fingerprint,
    folder_name,
    folders,
    month_before,
    place_of,
    record_of,
    revision_of,
    run_at,
    run_of,
    run_of_folder,
    speaks_for,
)
from engine.archive.writing import mark, replace_run, write_json, write_run

__all__ = [
    "DRAFT",
    "PUBLISHED",
    "RECORD",
    "SENT",
    "ArchiveError",
    "Run",
    "fingerprint",
    "folder_name",
    "folders",
    "locked",
    "mark",
    "month_before",
    "place_of",
    "record_of",
    "replace_run",
    "revision_of",
    "run_at",
    "run_of",
    "run_of_folder",
    "speaks_for",
    "write_json",
    "write_run",
]
