"""Tables: what a workbook holds, each value with the cell it came from. Knows no Excel file and no way to read one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from engine.sheets import SETTINGS, Sheet
from engine.workbook.problems import Place, Problem, address

Spot = tuple[str, int]  # column name and row index within a table


@dataclass(frozen=True, eq=False)
class Table:
    """One sheet as columns of equal length.

    Numbers are floats, unknown ones NaN; words that stand for numbers are those numbers; names and text are strings;
    dates are `datetime.date`, unknown ones None. `addresses` gives the cell of every value, such as `E9`. `blank`
    tells where a default or a setting was filled in; `formulas` what an analyst's own formula was. `broken` marks
    cells with a problem; in a table that `read` returns there are none.
    """

    sheet: Sheet
    columns: Mapping[str, NDArray[Any]]
    addresses: Mapping[str, tuple[str, ...]]
    blank: frozenset[Spot] = frozenset()
    formulas: Mapping[Spot, str] = field(default_factory=dict)
    broken: frozenset[Spot] = frozenset()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __iter__(self) -> Iterator[Row]:
        return (Row(self, index) for index in range(len(self)))

    def find(self, name: str) -> Row | None:
        """The row with this name in the first key column; None where there is none."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, Row]:
        """The first row of every name."""
        key = self.sheet.keys[0].name
        return {row[key]: row for row in reversed(list(self)) if row[key]}

    def sound(self, *columns: str) -> bool:
        """Whether every cell of these columns could be read."""
        return not any(name in columns for name, _ in self.broken)


Tables = Mapping[str, Table]  # by sheet name


@dataclass(frozen=True)
class Row:
    """One row of a table: `row["model"]` is its value, `row.address("model")` the cell."""

    table: Table
    index: int

    def __getitem__(self, column: str) -> Any:
        return self.table.columns[column].item(self.index)

    def address(self, column: str) -> str:
        return self.table.addresses[column][self.index]

    def place(self, column: str) -> Place:
        return self.table.sheet.name, self.address(column)

    def cell(self, column: str) -> str:
        """The cell as Excel writes it, such as `Hardware!E9`."""
        return address(*self.place(column))

    def is_blank(self, column: str) -> bool:
        return (column, self.index) in self.table.blank

    def sound(self, *columns: str) -> bool:
        """Whether these cells could be read."""
        return not any((column, self.index) in self.table.broken for column in columns)


@dataclass(frozen=True)
class Inputs:
    """A workbook that has been read and checked: its tables by sheet name, and which file it was.

    `content` is the file as it was read, because it may be saved again before a report of it is written.
    """

    path: Path
    sha256: str
    content: bytes = field(repr=False)
    tables: Tables
    warnings: tuple[Problem, ...] = ()

    @property
    def settings(self) -> Mapping[str, Any]:
        """The Settings sheet by name of the setting."""
        return {name: values.item(0) for name, values in self.tables[SETTINGS.name].columns.items()}

    def cell(self, sheet: str, column: str, row: int = 0) -> str:
        """Where a value stands, such as `Hardware!E9`."""
        return Row(self.tables[sheet], row).cell(column)
