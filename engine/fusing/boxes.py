"""Boxes: a grid cut into runs of rows, each found from its number. Knows nothing of what stands in a row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Box = tuple[slice, ...]


@dataclass(frozen=True)
class Boxes:
    """A grid of this shape cut into boxes of about so many rows at most, each a run of rows in order."""

    shape: tuple[int, ...]
    most: int

    @cached_property
    def _cut(self) -> tuple[int, int, int]:
        """The axis that is cut, into how many pieces, and how many places a piece has at most."""
        inner = 1
        for axis in range(len(self.shape) - 1, -1, -1):
            if inner * self.shape[axis] > self.most:
                # As even as they can be.
                pieces = -(-self.shape[axis] // (self.most // inner))
                step = -(-self.shape[axis] // pieces)
                return axis, -(-self.shape[axis] // step), step
            inner *= self.shape[axis]
        return 0, 1, self.shape[0]

    def __len__(self) -> int:
        axis, pieces, _ = self._cut
        return math.prod(self.shape[:axis]) * pieces

    def __iter__(self) -> Iterator[Box]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> Box:
        axis, pieces, step = self._cut
        before, piece = divmod(number, pieces)
        fixed = np.unravel_index(before, self.shape[:axis]) if axis else ()
        cut = slice(piece * step, min((piece + 1) * step, self.shape[axis]))
        whole = (slice(0, length) for length in self.shape[axis + 1 :])
        return (*(slice(int(at), int(at) + 1) for at in fixed), cut, *whole)


def part(column: NDArray[Any], box: Box) -> NDArray[Any]:
    """What of a column lies in a box; along an axis that does not change it, all of it."""
    return column[tuple(cut if length > 1 else slice(None) for cut, length in zip(box, column.shape, strict=True))]
