"""Counts: how many rows a piece of a grid has, and how many of them fit and keep their promise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.sweeping.grid import FITS, TARGET

Answers = Mapping[str, Any]
Record = Mapping[str, Any]

MOST_PIECES = 10_000
_SHARE_OF_ALL, _LARGEST_PIECE = 200, 1 << 26


def piece_rows(rows: int) -> int:
    """A two-hundredth of the grid, or so much that there are not too many pieces."""
    return max(1 << 18, min(rows // _SHARE_OF_ALL, _LARGEST_PIECE), rows // MOST_PIECES)


def add_counts(state: dict[str, Any], answers: Answers, shape: tuple[int, ...]) -> None:
    """Counts the rows that fit, and of those the ones that keep what is promised."""
    for name in (FITS, TARGET):
        flags = answers[name]
        state[name] += int(np.count_nonzero(flags > 0)) * (math.prod(shape) // flags.size)
