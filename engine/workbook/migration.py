"""Migration: last month's workbook in today's layout, for the next month. Knows the declaration, no figure.

What the layout has gained is added blank; an analyst's own columns and sheets stay where they are. What only a person
can decide is listed.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.filters import FilterColumn
from openpyxl.worksheet.table import Table, TableColumn
from openpyxl.worksheet.worksheet import Worksheet

from engine.sheets import SEEN_ON, SETTINGS, SHEETS, TRAFFIC, TRAFFIC_MIXES, Column, Sheet
from engine.workbook import checks, describe
from engine.workbook.actuals import SIGNATURES
from engine.workbook.adding import Standing, standing_of
from engine.workbook.blank import NAMED_CELLS, NARROWEST, add_sheet, put_column, put_setting
from engine.workbook.copying import Copy, Target, copied
from engine.workbook.cover import TITLE
from engine.workbook.layout import Layout, coordinate
from engine.workbook.looks import add_missing_styles, retype
from engine.workbook.problems import InvalidWorkbook, Problem, address, listed, nearest
from engine.workbook.read import Inputs, read
from engine.workbook.shipped import given_rows

REPORT_MONTH = "report_month"
UPRIGHT = 90  # degrees
MONTHLY = (TRAFFIC, TRAFFIC_MIXES)  # sheets whose figures are of one month


def migrated(workbook: Path, target: Target, month: date | None = None) -> Copy:
    """A copy in today's layout, for `month` where one is given.

    Errors: as `copied`.
    """
    renamed: list[str] = []

    def change(book: Workbook) -> list[str]:
        renamed.extend(_perhaps_renamed(book))
        return _migrate(book, month)

    copy = copied(workbook, target, change)
    return replace(copy, needs=(*renamed, *_needs(target.path, month)))


def _migrate(book: Workbook, month: date | None) -> list[str]:
    add_missing_styles(book)
    done: list[str] = []
    for declared in SHEETS:
        if declared.name in book.sheetnames:
            done += _complete(book, declared)
        elif not nearest(declared.name, set(book.sheetnames) - {sheet.name for sheet in SHEETS}):
            done.append(_insert_sheet(book, declared))
    if SETTINGS.name in book.sheetnames:
        done += _name_cells(book)
        done += _add_checks(book)
        done += _set_month(book, month) if month else []
    return done


def _insert_sheet(book: Workbook, declared: Sheet) -> str:
    """Adds a sheet behind those that come before it in our order, with the rows that every workbook begins with."""
    before = [sheet.name for sheet in SHEETS[: SHEETS.index(declared)] if sheet.name in book.sheetnames]
    position = book.sheetnames.index(before[-1]) + 1 if before else 0
    rows = given_rows().get(declared.name, ())
    add_sheet(book, declared, rows)
    book.move_sheet(declared.name, position - len(book.sheetnames) + 1)
    return f"{declared.name}  the sheet is added, {f'with {len(rows)} rows' if rows else 'without rows'}"


def _complete(book: Workbook, declared: Sheet) -> Iterator[str]:
    """Adds the columns or settings that the sheet lacks, but for those that seem to be there under another name."""
    place = standing_of(book, declared)
    add = _add_setting if declared.vertical else _add_column
    for name in _lacking(place.layout):
        column = declared.column(name)
        at = address(declared.name, add(place, declared, column))
        meaning = "and must be filled in" if column.required else f"blank: {describe.blank(column)}"
        yield f"{at}  {name} is added, {meaning}"


def _lacking(layout: Layout) -> list[str]:
    """The columns that a sheet with heads lacks, and that no other head of it stands for in all likelihood."""
    likely = {name for name, candidates in layout.missing.items() if any(each.is_likely for each in candidates)}
    return [name for name in layout.missing if layout.heads and name not in likely]


def _perhaps_renamed(book: Workbook) -> Iterator[str]:
    """The heads that may stand for a column which is to be added."""
    for declared in SHEETS:
        if declared.name in book.sheetnames:
            layout = standing_of(book, declared).layout
            strange: dict[str, list[str]] = {}
            for name in _lacking(layout):
                for each in layout.missing[name]:
                    head = f"{address(declared.name, coordinate(each.position))}  '{each.head}'"
                    strange.setdefault(head, []).append(name)
            for head, names in strange.items():
                added = f"which {'is' if len(names) == 1 else 'are'} added blank"
                way_out = "if so, rename it and delete what was added"
                yield f"{head} may be the renamed {listed(names)}, {added}: {way_out}"


def _add_setting(place: Standing, declared: Sheet, column: Column) -> str:
    """Adds a line below the table, or below what stands there; gives the cell of its value."""
    sheet, table = place.sheet, place.table
    line = max(row for row, _ in place.layout.heads.values()) + 1
    while any(cell.value is not None for cell in sheet[line]):
        line += 1
    put_setting(sheet, declared, column, line)
    if table is not None and CellRange(table.ref).max_row == line - 1:
        _extend(table, down=1)
    return f"B{line}"


def _add_column(place: Standing, declared: Sheet, column: Column) -> str:
    """Adds a column right of the table, or of what stands there; gives the cell of its head."""
    sheet, table = place.sheet, place.table
    number = place.width[-1] + 1
    while any(cell.value is not None for cell in next(sheet.iter_cols(number, number))):
        number += 1
    letter = get_column_letter(number)
    _part_columns(sheet, number)
    upright = any(cell.alignment.textRotation == UPRIGHT for cell in sheet[place.head_row])
    last = place.last_row if table is None else CellRange(table.ref).max_row
    put_column(sheet, declared, column, (place.head_row, number), last, upright=upright)
    room = len(describe.unit(column)) if upright else len(column.name)
    sheet.column_dimensions[letter].width = max(NARROWEST, room + 1.5)
    if table is not None and CellRange(table.ref).max_col == number - 1:
        table.tableColumns.append(TableColumn(id=1 + max(each.id for each in table.tableColumns), name=column.name))
        _extend(table, right=1)
        if table.autoFilter is not None and column.unit.is_number:
            hidden = FilterColumn(colId=len(table.tableColumns) - 1, hiddenButton=True)
            table.autoFilter.filterColumn.append(hidden)
    return f"{letter}{place.head_row}"


def _part_columns(sheet: Worksheet, number: int) -> None:
    """Takes one column out of a run of columns that share their looks, so that it can have its own."""
    for letter, run in list(sheet.column_dimensions.items()):
        if run.min is not None and run.max is not None and run.min <= number <= run.max and run.min < run.max:
            del sheet.column_dimensions[letter]
            for first, last in ((run.min, number - 1), (number, number), (number + 1, run.max)):
                if first <= last:
                    part = ColumnDimension(sheet, get_column_letter(first), min=first, max=last, width=run.width)
                    part._style = run._style  # type: ignore[attr-defined]
                    sheet.column_dimensions[part.index] = part


def _extend(table: Table, *, right: int = 0, down: int = 0) -> None:
    area = CellRange(table.ref)
    area.expand(right=right, down=down)
    table.ref = area.coord
    if table.autoFilter is not None:
        table.autoFilter.ref = area.coord


def _name_cells(book: Workbook) -> Iterator[str]:
    """Names the cells of Settings that workbooks of this version name."""
    positions = standing_of(book, SETTINGS).layout.positions
    for name, setting in NAMED_CELLS.items():
        if name not in book.defined_names and setting in positions:
            row, column = positions[setting][0]
            at = f"{SETTINGS.name}!${get_column_letter(column)}${row}"
            book.defined_names[name] = DefinedName(name, attr_text=at)
            yield f"{at.replace('$', '')}  the cell has the name {name} now"


def _add_checks(book: Workbook) -> Iterator[str]:
    """Adds the sheet of live checks, where it is not there and the tables hold every column that it names."""
    if checks.NAME in book.sheetnames or not all(_in_table(book, declared) for declared in SHEETS):
        return
    rows = {each.name: len(standing_of(book, each).layout.positions[each.keys[0].name]) for each in checks.LINED}
    checks.write_checks(book, TITLE, *rows.values())
    book.move_sheet(checks.NAME, book.sheetnames.index(SHEETS[-1].name) - len(book.sheetnames) + 2)
    yield f"{checks.NAME}  the sheet is added: {checks.PURPOSE}"


def _in_table(book: Workbook, declared: Sheet) -> bool:
    """Whether the sheet's native table has its name and covers every column or setting."""
    if declared.name not in book.sheetnames:
        return False
    found = standing_of(book, declared)
    if found.table is None or found.table.displayName != declared.table:
        return False
    heads, area = found.layout.heads, CellRange(found.table.ref)
    rows, columns = range(area.min_row, area.max_row + 1), range(area.min_col, area.max_col + 1)
    inside = [row in rows and column in columns for row, column in heads.values()]
    return len(inside) == len(declared.columns) and all(inside)


def _set_month(book: Workbook, month: date) -> Iterator[str]:
    place = standing_of(book, SETTINGS)
    if REPORT_MONTH not in place.layout.positions:
        return
    row, column = place.layout.positions[REPORT_MONTH][0]
    cell = place.sheet.cell(row, column)
    if cell.data_type == "f":
        advice = "Type a month there, or migrate without --month."
        raise InvalidWorkbook([Problem(SETTINGS.name, cell.coordinate, "report_month is a formula", "", advice)])
    before = f"{cell.value:%Y-%m}" if isinstance(cell.value, date) else str(cell.value or "blank")
    retype(cell, month)
    yield f"{address(SETTINGS.name, cell.coordinate)}  report_month was {before} and is {month:%Y-%m}"


# What needs a person


def _needs(path: Path, month: date | None) -> Iterator[str]:
    """Every problem and warning of the copy; and for another month, what is of the month before or stale."""
    try:
        inputs = read(path)
    except InvalidWorkbook as invalid:
        yield from map(str, invalid.problems)
        return
    yield from map(str, inputs.warnings)
    if month is not None:
        yield from _of_last_month(inputs, month)
        yield from _stale(inputs, month)


def _of_last_month(inputs: Inputs, month: date) -> Iterator[str]:
    for sheet in MONTHLY:
        if len(inputs.tables[sheet.name]):
            yield f"{sheet.name}  the figures are those of the old workbook: type those of {month:%B %Y}"
    settings = inputs.tables[SETTINGS.name]
    if ("days_in_month", 0) not in settings.blank:
        yield f"{inputs.cell(SETTINGS.name, 'days_in_month')}  days_in_month is typed: correct it, or clear it"
    for name in SIGNATURES:
        if (name, 0) not in settings.blank:
            yield f"{inputs.cell(SETTINGS.name, name)}  {name} is of the old workbook: clear it until it is done again"


def _stale(inputs: Inputs, month: date) -> Iterator[str]:
    """Sources that somebody should look at again, sheet by sheet."""
    end = month.replace(day=calendar.monthrange(month.year, month.month)[1])
    limit = int(inputs.settings["staleness_limit"])
    for name, table in inputs.tables.items():
        for column in SEEN_ON:
            seen = table if column in table.addresses else ()
            old = [row.address(column) for row in seen if (end - row[column]).days > limit]
            if old:
                rows = "1 row" if len(old) == 1 else f"{len(old)} rows"
                reason = f"the sources of {rows} were last looked at more than {limit} days before {end:%Y-%m-%d}"
                yield f"{name}  {reason}: {listed(old)}"
