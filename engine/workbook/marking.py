"""Marking: a copy of a workbook that shows every problem in its cell, and lists them with links. Finds none itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from engine.sheets import FIRST_ROW, HEAD_ROW
from engine.workbook.copying import Copy, Target, copied
from engine.workbook.looks import add_missing_styles, put, put_title, row_height, set_print, set_widths
from engine.workbook.problems import Problem, address, counted

INDEX = "Problems"
PURPOSE = "What is wrong with this workbook, each with its cell. Correct the original; this copy is for looking."
HEADS = ("Cell", "What", "Found", "Allowed", "What to do")
WIDTHS = [24.0, 10.0, 52.0, 52.0, 48.0]
FILLS = {"error": PatternFill("solid", fgColor="FFF4B6B6"), "warning": PatternFill("solid", fgColor="FFFCDD9A")}
WORDS = {"error": "problem", "warning": "warning"}
AUTHOR = "check"
NOTE_WIDTH, NOTE_LINE, LETTERS = 320, 17, 48  # pixels, and letters of a line


def write_marked(workbook: Path, found: Sequence[Problem], target: Target) -> Copy:
    """A copy with each problem in its place: red, amber for a warning, with a note; and the sheet Problems in front.

    Errors: as `copied`.
    """
    return copied(workbook, target, lambda book: _mark(book, found))


def _mark(book: Workbook, found: Sequence[Problem]) -> list[str]:
    cells: dict[tuple[str, str], list[Problem]] = {}
    for problem in found:
        if problem.cell and problem.sheet in book.sheetnames:
            cells.setdefault((problem.sheet, problem.cell), []).append(problem)
    for (sheet, cell), problems in cells.items():
        _mark_cell(_seen(book[sheet], cell), problems)
    add_missing_styles(book)
    index = _index(book, found)
    marked = f"{len(cells)} {'cell is' if len(cells) == 1 else 'cells are'} marked"
    return [f"{marked}; the sheet {index} of the copy lists {counted(found)}"]


def _seen(sheet: Worksheet, coordinate: str) -> Cell:
    """The cell that shows there: of merged ones, the first."""
    cell = sheet[coordinate]
    if isinstance(cell, MergedCell):
        area = next(area for area in sheet.merged_cells.ranges if coordinate in area)
        cell = sheet.cell(area.min_row, area.min_col)
    assert isinstance(cell, Cell)
    return cell


def _mark_cell(cell: Cell, problems: Iterable[Problem]) -> None:
    """Fills the cell, and adds to its note."""
    problems = sorted(problems, key=lambda problem: problem.severity)
    cell.fill = copy(FILLS[problems[0].severity])
    lines = [f"{WORDS[problem.severity].capitalize()}: {problem.sentence}" for problem in problems]
    if cell.comment:
        lines.insert(0, cell.comment.text)
    text = "\n\n".join(lines)
    height = NOTE_LINE * sum(1 + len(line) // LETTERS for line in text.split("\n")) + NOTE_LINE
    cell.comment = Comment(text, cell.comment.author if cell.comment else AUTHOR, height, NOTE_WIDTH)


def _index(book: Workbook, found: Sequence[Problem]) -> str:
    """Adds the list in front; gives the name of its sheet."""
    names = {name.casefold() for name in book.sheetnames}
    name = next(name for name in _names() if name.casefold() not in names)
    sheet = book.create_sheet(name, 0)
    put_title(sheet, "Problems", PURPOSE, len(HEADS))
    for column, head in enumerate(HEADS, start=1):
        put(sheet.cell(HEAD_ROW, column), head, "Head Text" if column == 1 else "Head Text After")
    for row, problem in enumerate(found, start=FIRST_ROW):
        texts = (problem.place, WORDS[problem.severity], problem.found, problem.allowed, problem.advice)
        for column, text in enumerate(texts, start=1):
            put(sheet.cell(row, column), text, "Row Label" if column == 1 else "Text")
        sheet.row_dimensions[row].height = max(map(row_height, texts, WIDTHS))
        sheet.cell(row, 2).fill = copy(FILLS[problem.severity])
        if problem.sheet in book.sheetnames:
            place = address(problem.sheet, problem.cell or "A1")
            sheet.cell(row, 1).hyperlink = Hyperlink(ref=f"A{row}", location=place)
            sheet.cell(row, 1).style = "Hyperlink"
    set_widths(sheet, WIDTHS)
    set_print(sheet, "Problems of this workbook", WIDTHS, f"{HEAD_ROW}:{HEAD_ROW}")
    sheet.freeze_panes, sheet.sheet_view.showGridLines = f"A{FIRST_ROW}", False
    book.active = sheet
    return name


def _names() -> Iterable[str]:
    yield INDEX
    for number in range(2, 1000):
        yield f"{INDEX} {number}"
