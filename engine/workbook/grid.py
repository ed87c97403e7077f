"""Grid: a workbook's filled cells as they stand in the file. Knows openpyxl's reading side, no meaning of a cell.

A sheet's XML is read once, and every cell gives its formula beside the value it had when the file was saved.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, iterparse

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries
from openpyxl.utils.datetime import from_excel, from_ISO8601
from openpyxl.worksheet._reader import FORMULA_TAG, INLINE_STRING, MERGE_TAG, ROW_TAG, VALUE_TAG, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

ROW_LIMIT, CELL_LIMIT = 20_000, 600_000
# Start tags, with or without a prefix.
ROW, CELL, TEXT = (re.compile(rb"<(?:\w+:)?%s[\s/>]" % name) for name in (b"row", b"c", b"si"))
STRING_TAG, TEXT_TAG, RUN_TAG = (f"{{{SHEET_MAIN_NS}}}{name}" for name in ("si", "t", "r"))


@dataclass(frozen=True, slots=True)
class Cell:
    """One filled cell: its value, the formula behind it if any, and whether it shows an error such as #N/A."""

    value: Any
    formula: str = ""
    is_error: bool = False

    @property
    def never_calculated(self) -> bool:
        return bool(self.formula) and self.value is None


Grid = dict[tuple[int, int], Cell]  # by row and column, both from 1
Box = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True)
class Contents:
    """The filled cells of a sheet, the rows that are hidden, and the first and last column and row of merged ranges."""

    cells: Grid
    hidden_rows: frozenset[int] = frozenset()
    merged: tuple[Box, ...] = ()


class TooLargeError(Exception):
    """A sheet, or the file where none is named, holds more of something than inputs are made of."""

    def __init__(self, sheet: str, what: str, count: int, limit: int) -> None:
        self.sheet, self.what, self.count, self.limit = sheet, what, count, limit
        super().__init__(f"{sheet}: {count} {what}")


def contents(data: bytes, wanted: Collection[str]) -> tuple[dict[str, Contents], list[str]]:
    """The wanted sheets, and the names of all worksheets.

    Errors: TooLargeError; whatever openpyxl raises on a damaged file.
    """
    with warnings.catch_warnings():
        # What openpyxl would lose on saving does not matter here: nothing is saved.
        warnings.simplefilter("ignore")
        reader = ExcelReader(io.BytesIO(data), read_only=True, keep_links=False)
        reader.read_manifest()
        reader.read_workbook()
        apply_stylesheet(reader.archive, reader.wb)
        sheets = dict(_sheets(reader))
        texts = _texts(reader)
        return {
            name: _contents(name, reader.archive.read(part), _Cells(reader.wb, texts))
            for name, part in sheets.items()
            if name in wanted
        }, list(sheets)


def _sheets(reader: ExcelReader) -> Iterator[tuple[str, str]]:
    """The name of every worksheet and of the part of the file that it lies in."""
    for sheet, part in reader.parser.find_sheets():
        if "chartsheet" not in part.Type and part.target in reader.valid_files:
            yield sheet.name, part.target


def _check_size(sheet: str, xml: bytes, kinds: Iterable[tuple[str, re.Pattern[bytes], int]]) -> None:
    """Counts in the XML as text, which takes a hundredth of the time that reading it would."""
    for what, tag, limit in kinds:
        count = sum(1 for _ in tag.finditer(xml))
        if count > limit:
            raise TooLargeError(sheet, what, count, limit)


def _texts(reader: ExcelReader) -> list[str]:
    """The texts that cells share."""
    part = reader.package.find(SHARED_STRINGS)  # type: ignore[no-untyped-call]
    if part is None:
        return []
    xml = reader.archive.read(part.PartName.removeprefix("/"))
    _check_size("", xml, (("texts", TEXT, CELL_LIMIT),))
    return [_text(element) for element in _elements(xml, STRING_TAG)]


def _elements(xml: bytes, *tags: str) -> Iterator[Element]:
    """The elements with these tags, each emptied when the next is asked for."""
    # The standard library's parser is quicker than openpyxl's, and safe where every DOCTYPE has been refused.
    for _, element in iterparse(io.BytesIO(xml)):
        if element.tag in tags:
            yield element
            element.clear()


def _text(element: Element) -> str:
    """Plain text, or the runs of formatted text; how it is pronounced is left out."""
    parts = element.findall(TEXT_TAG) + element.findall(f"{RUN_TAG}/{TEXT_TAG}")
    return "".join(part.text or "" for part in parts).replace("x005F_", "")


def _contents(sheet: str, xml: bytes, reading: _Cells) -> Contents:
    _check_size(sheet, xml, (("rows", ROW, ROW_LIMIT), ("cells", CELL, CELL_LIMIT)))
    cells: Grid = {}
    hidden: list[int] = []
    merged: list[Box] = []
    row = 0
    for element in _elements(xml, ROW_TAG, MERGE_TAG):
        if element.tag == MERGE_TAG:
            merged += [_box(part.get("ref", "")) for part in element]
            continue
        row = int(element.get("r", row + 1))
        cells.update(reading.of_row(row, element))
        if element.get("hidden") in ("1", "true"):
            hidden.append(row)
    return Contents(cells, frozenset(hidden), tuple(merged))


def _box(cells: str) -> Box:
    left, top, right, bottom = range_boundaries(cells)
    if left is None or top is None or right is None or bottom is None:
        raise ValueError(f"no range of cells: {cells}")
    return left, top, right, bottom


class _Cells:
    """Reads the cells of one sheet, whose formulas may repeat each other."""

    def __init__(self, book: Any, strings: Sequence[str]) -> None:
        self.book, self.strings = book, strings
        self.formulas = WorkSheetParser(b"", [])

    def of_row(self, row: int, elements: Iterable[Element]) -> Iterator[tuple[tuple[int, int], Cell]]:
        column, passed = 0, ""
        for element in elements:
            place = element.get("r")
            if place and not len(element):
                # Most cells of a large sheet are blank, and where they are is seldom asked for.
                passed = place
                continue
            if not place and passed:
                column, passed = coordinate_to_tuple(passed)[1], ""
            row, column = coordinate_to_tuple(place) if place else (row, column + 1)
            kind, value = element.get("t", "n"), self._value(element)
            if element.find(FORMULA_TAG) is not None:
                # A formula that gives empty text is Excel's way of leaving a cell blank.
                if kind != "str" or value:
                    yield (row, column), Cell(value, self._formula(element), kind == "e")
            elif value not in (None, ""):
                yield (row, column), Cell(value, "", kind == "e")

    def _formula(self, element: Element) -> str:
        formula = self.formulas.parse_formula(element)  # type: ignore[no-untyped-call]
        return str(getattr(formula, "text", formula))

    def _value(self, element: Element) -> Any:
        """What the cell showed when the file was saved; None where nothing did."""
        kind, text = element.get("t", "n"), element.findtext(VALUE_TAG)
        if kind == "inlineStr":
            inline = element.find(INLINE_STRING)
            return None if inline is None else _text(inline)
        if not text or kind in ("e", "str"):
            return text or None
        if kind == "s":
            return self.strings[int(text)]
        if kind == "b":
            return bool(int(text))
        if kind == "d":
            return from_ISO8601(text)  # type: ignore[no-untyped-call]
        return self._number(float(text), int(element.get("s", 0)))

    def _number(self, value: float, style: int) -> Any:
        """The number, or the day or time that its format shows it as."""
        if style not in self.book._date_formats:
            return value
        try:
            return from_excel(value, self.book.epoch, timedelta=style in self.book._timedelta_formats)
        except (OverflowError, ValueError):
            return value
