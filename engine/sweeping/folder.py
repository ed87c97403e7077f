"""Folder: what is finished of a sweep, piece by piece, so that a run that is stopped goes on where it was.

A piece is written beside its place and renamed, so it is there whole or not at all. Knows files, not what is in them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.units import Unit

MANIFEST, SUMMARY, _PIECES, _ROWS = "sweep.json", "summary.json", "pieces", "rows"
_PIECE = re.compile(r"(\d+)\.json")


class SweepError(Exception):
    """The sweep cannot begin. Says why in one sentence."""


class UnfinishedError(Exception):
    """The sweep had to stop. Says in one sentence why, and what is kept."""


@dataclass(frozen=True)
class Folder:
    """The folder of one sweep. `manifest` says of which: workbook, grid, version of the engine, what is kept."""

    path: Path
    manifest: Mapping[str, Any]

    def begin(self) -> None:
        """Makes the folder, or finds it begun by the same sweep.

        Errors: SweepError where another one began it, or where other files lie there.
        """
        place = self.path / MANIFEST
        if place.exists():
            self._compare(place)
        elif self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise SweepError(f"{self.path} holds other files; choose another folder.")
        for folder in (_PIECES, _ROWS):
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        for left in self.path.rglob(".*.part"):
            left.unlink()
        _write(place, json.dumps(self.manifest, indent=2).encode())

    def _compare(self, place: Path) -> None:
        try:
            begun = json.loads(place.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise SweepError(f"{place} cannot be read; remove {self.path}, or choose another folder.") from None
        other = [name for name in self.manifest if begun.get(name) != self.manifest[name]]
        if other:
            raise SweepError(
                f"{self.path} holds another sweep: another {', '.join(other)}. Choose another folder, or remove it."
            )

    @property
    def finished(self) -> set[int]:
        """Numbers of the pieces that are done."""
        names = (_PIECE.fullmatch(path.name) for path in (self.path / _PIECES).iterdir())
        return {int(found[1]) for found in names if found}

    def keep(self, record: Mapping[str, Any], columns: bytes | None) -> None:
        """Writes one piece: its rows first where it has a file of them, because its record says that it is done.

        Errors: OSError where it could not be written; nothing of it is left then.
        """
        number = record["piece"]
        if columns is not None:
            _write(self.path / _ROWS / f"{number:08}.parquet", columns)
        _write(self.path / _PIECES / f"{number:08}.json", json.dumps(record).encode())

    def records(self) -> Iterator[dict[str, Any]]:
        """The records of all finished pieces, in order."""
        for path in sorted((self.path / _PIECES).glob("*.json")):
            yield json.loads(path.read_text(encoding="utf-8"))

    def finish(self, summary: Mapping[str, Any], rows: bytes | None) -> None:
        """Writes what became of all pieces."""
        if rows is not None:
            _write(self.path / _ROWS / "kept.parquet", rows)
        _write(self.path / SUMMARY, json.dumps(summary, indent=2).encode())


def _write(place: Path, data: bytes) -> None:
    """Writes a file whole, or leaves what was there."""
    beside = place.with_name(f".{place.name}.part")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def parquet(columns: Mapping[str, Any], units: Mapping[str, Unit]) -> bytes:
    """A parquet file of these columns: numbers, names as words of a dictionary, whole numbers."""
    import pyarrow
    from pyarrow import parquet as arrow_parquet

    # From buffers, because pyarrow loads pandas, where that is installed, to convert what stands in Python's memory.
    def array(values: Any) -> Any:
        if values.dtype.kind == "U":
            words, places = np.unique(values, return_inverse=True)
            kind = pyarrow.int32()
            index = pyarrow.Array.from_buffers(kind, len(values), [None, pyarrow.py_buffer(places.astype(np.int32))])
            return pyarrow.DictionaryArray.from_arrays(index, _words(words.tolist()))
        kind = pyarrow.int64() if values.dtype.kind == "i" else pyarrow.float64()
        return pyarrow.Array.from_buffers(kind, len(values), [None, pyarrow.py_buffer(np.ascontiguousarray(values))])

    table = pyarrow.Table.from_arrays([array(values) for values in columns.values()], names=list(columns))
    attributes = {"PANDAS_ATTRS": json.dumps({name: unit.symbol for name, unit in units.items()})}
    sink = pyarrow.BufferOutputStream()
    arrow_parquet.write_table(table.replace_schema_metadata(attributes), sink)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _words(words: list[str]) -> Any:
    import pyarrow

    encoded = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, encoded)]).astype(np.int32)
    buffers = [None, pyarrow.py_buffer(ends), pyarrow.py_buffer(b"".join(encoded))]
    return pyarrow.Array.from_buffers(pyarrow.string(), len(words), buffers)
