"""Checks: the sheet of live checks in the input workbook, written from the declaration of the others. Reads no cell.

The formulas name whole columns of tables, and so follow the tables as they grow. They are Excel's of 2007.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Border, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from engine.sheets import (
    BY_NAME,
    CALIBRATION,
    CONFIGURATIONS,
    FIRST_ROW,
    HEAD_ROW,
    LOAD_PROFILES,
    MEASUREMENTS,
    PRICES,
    SCENARIOS,
    SEEN_ON,
    SENSITIVITY,
    SETTINGS,
    SHEETS,
    TRAFFIC,
    TRAFFIC_MIXES,
    UNCERTAINTY,
    Column,
    Sheet,
)
from engine.workbook.looks import BLUE, GRID, protect, put, put_title, set_print, set_widths

NAME, MASTER = "Checks", "Master_Check"
PURPOSE = "Live checks of this workbook. Whatever else may be wrong, the command check says, with its cell."
HEADS = ("check", "found", "allowed", "result")
WIDTHS = [64.0, 16.0, 16.0, 12.0, 4.0, 24.0, 24.0, 4.0, 24.0, 24.0, 24.0, 24.0]
SPARE_LINES = 12  # for classes and mixes of traffic, and for prices, that are added later
MIX, PRICE = 6, 9  # columns of the names of mixes and of price lists, right of the checks
COUNT, DAY, SHARE = "0", "yyyy-mm-dd", "0.0%"

# The second engine takes only so many columns of tables that formulas name. No live figure of the month comes from most
# of these; rows of Calibration, the widest, are written by a command and seldom typed.
CHECKED = tuple(
    sheet for sheet in SHEETS if sheet not in (CALIBRATION, SENSITIVITY, SCENARIOS, UNCERTAINTY, MEASUREMENTS)
)
LINED = (TRAFFIC, TRAFFIC_MIXES, PRICES)  # sheets whose rows have lines here

END_OF_MONTH = "DATE(YEAR(Report_Month),MONTH(Report_Month)+1,0)"


@dataclass(frozen=True)
class LiveCheck:
    """One line: what is checked, formulas for what is found and what is allowed, and when it passes.

    `passes` is a condition on the cells {found} and {allowed}; a line without a `name` does not count.
    """

    name: str
    found: str
    allowed: str = "0"
    passes: str = "{found}={allowed}"
    shown_as: str = COUNT


def write_checks(book: Workbook, header: str, classes: int, mix_rows: int, price_rows: int) -> None:
    """Adds the sheet, with lines for so many classes, mixes and prices and some more, and names its verdict."""
    sheet = book.create_sheet(NAME)
    put_title(sheet, NAME, PURPOSE, len(HEADS))
    for number, head in enumerate(HEADS, 1):
        put(sheet.cell(HEAD_ROW, number), head, "Head Text" if number == 1 else "Head")
    lines = {TRAFFIC_MIXES.name: mix_rows + SPARE_LINES, PRICES.name: price_rows + SPARE_LINES}
    checks = [*_of_sheets(lines), *_served(classes + SPARE_LINES)]
    first, last = FIRST_ROW + 2, FIRST_ROW + 1 + len(checks)
    failed = LiveCheck("Checks that failed", f'COUNTIF(D{first}:D{last},"FAIL")')
    _write(sheet, FIRST_ROW, failed, ("Total Text", "Total", "Total", "Check Cell"))
    for row, check in enumerate(checks, first):
        _write(sheet, row, check, ("Row Label", "Calculation", "Calculation", "Calculation"))
    _rule_named(sheet, f"A{first}:D{last}")
    _write_names(sheet, TRAFFIC_MIXES, MIX, lines[TRAFFIC_MIXES.name])
    _write_names(sheet, PRICES, PRICE, lines[PRICES.name])
    _write_days(sheet, lines[PRICES.name])
    book.defined_names[MASTER] = DefinedName(MASTER, attr_text=f"{NAME}!$B${FIRST_ROW}")
    set_widths(sheet, WIDTHS)
    set_print(sheet, header, WIDTHS[: len(HEADS)], f"{HEAD_ROW}:{HEAD_ROW}")
    sheet.print_area = f"A1:D{last}"
    protect(sheet)
    sheet.freeze_panes = f"A{FIRST_ROW}"
    sheet.sheet_view.showGridLines = False
    sheet.sheet_properties.tabColor = BLUE


def _write(sheet: Worksheet, row: int, check: LiveCheck, styles: tuple[str, str, str, str]) -> None:
    passes = check.passes.format(found=f"B{row}", allowed=f"C{row}")
    # A line without a name, or whose cells hold an error, is not left out: it is blank, or it fails.
    verdict = f'IF(A{row}="","",IFERROR(IF({passes},"pass","FAIL"),"FAIL"))'
    found = f'IF(A{row}="","",IFERROR({check.found},"error"))'
    cells = (check.name, f"={found}", f'=IF(A{row}="","",{check.allowed})', f"={verdict}")
    for column, (content, style) in enumerate(zip(cells, styles, strict=True), 1):
        put(sheet.cell(row, column), None, style, check.shown_as if 1 < column < 4 else "")
        # What looks along two tables at once is calculated as an array, which Excel of 2007 must be told.
        here = sheet.cell(row, column)
        here.value = ArrayFormula(here.coordinate, content) if "TRANSPOSE" in content else content


def _rule_named(sheet: Worksheet, cells: str) -> None:
    """Leaves a line below the checks that have a name, so that spare ones are blank on paper."""
    for row in sheet[cells]:
        for cell in row:
            cell.border = Border()
    rule = DifferentialStyle(border=Border(bottom=Side("thin", GRID)))
    named = f'${cells.split(":")[0]}<>""'
    sheet.conditional_formatting.add(cells, Rule("expression", dxf=rule, formula=[named]))


def _write_names(sheet: Worksheet, named: Sheet, column: int, lines: int) -> None:
    """Beside the checks, the names of mixes or price lists, each spread over the rows that it stands in."""
    what = named.keys[0].name.replace("_", " ")
    put(sheet.cell(HEAD_ROW, column), f"row of {named.name}", "Head Text")
    put(sheet.cell(HEAD_ROW, column + 1), f"share of the {what}, which may have several rows", "Head")
    for line, row in enumerate(range(FIRST_ROW, FIRST_ROW + lines), 1):
        name, here = f"INDEX({_key(named)},{line})", sheet.cell(row, column).coordinate
        put(sheet.cell(row, column), None, "Row Label")
        put(sheet.cell(row, column + 1), None, "Calculation", "0.00")
        sheet.cell(row, column).value = f'=IFERROR(IF({name}="","",{name}),"")'
        sheet.cell(row, column + 1).value = f'=IF({here}="",0,1/COUNTIF({_key(named)},{here}))'


def _write_days(sheet: Worksheet, lines: int) -> None:
    """Beside each row of Prices, its configurations where the list holds only after the month, and rows on its days."""
    put(sheet.cell(HEAD_ROW, PRICE + 2), "configurations before the first day it holds, by row", "Head")
    put(sheet.cell(HEAD_ROW, PRICE + 3), "other rows of the list that hold on the same days", "Head")
    since, until = _cells(PRICES, "valid_from"), _cells(PRICES, "valid_until")
    for line, row in enumerate(range(FIRST_ROW, FIRST_ROW + lines), 1):
        here, share = (sheet.cell(row, PRICE + place).coordinate for place in (0, 1))
        users = f"COUNTIF({_cells(CONFIGURATIONS, 'price_list')},{here})*{share}"
        same = f"({_key(PRICES)}={here})"
        first, last = f"INDEX({since},{line})", f"INDEX({until},{line})"
        early = f'OR(Report_Month="",SUMPRODUCT({same}*({since}<={END_OF_MONTH}))>0)'
        meets = f'{same}*(({until}="")+({until}>={first})>0)*(({last}="")+({since}<={last})>0)'
        for place, formula in ((2, f"IF({early},0,{users})"), (3, f"SUMPRODUCT({meets})-1")):
            put(sheet.cell(row, PRICE + place), None, "Calculation", "0.00" if place == 2 else COUNT)
            sheet.cell(row, PRICE + place).value = f'=IF({here}="",0,{formula})'


def _beside(column: int, lines: int) -> str:
    """A column beside the checks."""
    letter = get_column_letter(column)
    return f"{letter}{FIRST_ROW}:{letter}{FIRST_ROW + lines - 1}"


def _of_sheets(lines: Mapping[str, int]) -> Iterator[LiveCheck]:
    """What holds for every sheet: nothing is missing, below zero, unknown by name, or too old."""
    for sheet in CHECKED:
        if sheet.vertical or sheet.keys:
            yield LiveCheck(f"{sheet.name}: cells that must be filled and are blank", _missing(sheet))
    for sheet in CHECKED:
        if negatives := [_count_below_zero(sheet, column) for column in sheet.columns if _never_negative(column)]:
            yield LiveCheck(f"{sheet.name}: numbers below zero", "+".join(dict.fromkeys(negatives)))
    for sheet in CHECKED:
        for column in sheet.columns:
            if set(column.refers_to) & {each.name for each in CHECKED}:
                there = " or ".join(column.refers_to)
                yield LiveCheck(f"{sheet.name}: {column.name} that is not on {there}", _unknown(sheet, column, lines))
    named = {name for each in SHEETS for column in each.columns for name in column.refers_to}
    for sheet in CHECKED:
        # Every name beside every other would be too much for a sheet that may be thousands of rows long.
        if sheet.name in named and len(sheet.keys) == 1 and sheet is not CONFIGURATIONS:
            yield LiveCheck(f"{sheet.name}: names that stand twice", _repeated(sheet))
    for sheet in CHECKED:
        for column in sheet.columns:
            if column.name in SEEN_ON:
                yield _age(sheet, column.name)
    for sheet in (TRAFFIC_MIXES, PRICES):
        more = f'MAX(0,SUMPRODUCT(({_key(sheet)}<>"")*1)-{lines[sheet.name]})'
        yield LiveCheck(f"{sheet.name}: rows beyond the lines on the right", more)
    early, meeting = (_beside(PRICE + place, lines[PRICES.name]) for place in (2, 3))
    yield LiveCheck(f"{CONFIGURATIONS.name}: prices that hold only after the month", f"SUM({early})")
    yield LiveCheck(f"{PRICES.name}: rows of a list that hold on the same days", f"SUM({meeting})")


def _cells(sheet: Sheet, column: str) -> str:
    """A column of a table; of an upright one all its values."""
    return f"{sheet.table}[{'value' if sheet.vertical else column}]"


def _setting(name: str) -> str:
    return f'INDEX({SETTINGS.table}[value],MATCH("{name}",{SETTINGS.table}[setting],0))'


def _missing(sheet: Sheet) -> str:
    """How many required cells are blank, in rows that hold anything required; one where a sheet has no row at all."""
    if sheet.vertical:
        return "+".join(("0", *(f'({_setting(column.name)}="")' for column in sheet.columns if column.required)))
    key, *others = (_cells(sheet, column.name) for column in sheet.columns if column.key or column.required)
    named = f'({key}<>"")'
    blank = "+".join(f'({cells}="")' for cells in others) or "0"
    filled = "+".join(f'({cells}<>"")' for cells in others) or "0"
    empty = "" if sheet.may_be_empty else f"+(SUMPRODUCT({named}*1)=0)"
    return f'SUMPRODUCT({named}*({blank}))+SUMPRODUCT(({key}="")*(({filled})>0)){empty}'


def _never_negative(column: Column) -> bool:
    return column.unit.is_number and column.at_least is not None and column.at_least >= 0


def _count_below_zero(sheet: Sheet, column: Column) -> str:
    count = f'COUNTIF({_cells(sheet, column.name)},"<0")'
    if not sheet.vertical:
        return count
    # All settings stand in one column; some may fall below zero.
    free = [other.name for other in sheet.columns if other.unit.is_number and not _never_negative(other)]
    below = "".join(f'-SUMPRODUCT(({sheet.table}[setting]="{name}")*({sheet.table}[value]<0))' for name in free)
    return count + below


def _unknown(sheet: Sheet, column: Column, lines: Mapping[str, int]) -> str:
    """How many names are on none of the sheets that they may be on, where those hold no name twice."""
    # A mix or price list stands in several rows, and counts once.
    several = {TRAFFIC_MIXES.name: MIX, PRICES.name: PRICE}
    names = _cells(sheet, column.name)
    this = f'({sheet.table}[setting]="{column.name}")*' if sheet.vertical else ""
    there = this + f'({names}<>"")'

    def found(target: Sheet) -> str:
        if target is LOAD_PROFILES:
            # A profile has a row for every hour, and counts at midnight.
            midnight = f"TRANSPOSE(({_cells(target, 'hour')}=0)*({_cells(target, 'hour')}<>\"\"))"
            return f"SUM({there}*({names}=TRANSPOSE({_key(target)}))*{midnight})"
        if target.name not in several:
            return f"SUM({there}*({names}=TRANSPOSE({_key(target)})))"
        known, share = (_beside(several[target.name] + place, lines[target.name]) for place in (0, 1))
        return f"SUM({there}*({names}=TRANSPOSE({known}))*TRANSPOSE({share}))"

    return "-".join((f"SUM({there}*1)", *(found(BY_NAME[target]) for target in column.refers_to)))


def _repeated(sheet: Sheet) -> str:
    """How many names stand above or below themselves."""
    return f'(SUM(({_key(sheet)}<>"")*({_key(sheet)}=TRANSPOSE({_key(sheet)})))-SUM(({_key(sheet)}<>"")*1))/2'


def _key(sheet: Sheet) -> str:
    return _cells(sheet, sheet.keys[0].name)


def _age(sheet: Sheet, column: str) -> LiveCheck:
    """The day that the source seen longest ago was seen on, and the first that is not too long ago."""
    days = _cells(sheet, column)
    limit, default = _setting("staleness_limit"), SETTINGS.column("staleness_limit").default
    return LiveCheck(
        f"{sheet.name}: oldest {column}",
        f'IF(COUNT({days})=0,"",MIN({days}))',
        f'IF(Report_Month="","",{END_OF_MONTH}-IF({limit}="",{default},{limit}))',
        'OR({found}="",{allowed}="",AND(ISNUMBER({found}),{found}>={allowed}))',
        DAY,
    )


def _served(lines: int) -> Iterator[LiveCheck]:
    """What is served of each class, directly and through mixes: all of it, or nothing where it has no demand."""
    configured, shares = _cells(CONFIGURATIONS, "traffic"), _cells(CONFIGURATIONS, "requests_share")
    classes, members = _cells(TRAFFIC, "traffic"), _cells(TRAFFIC_MIXES, "traffic")
    through = f"{shares}*({configured}=TRANSPOSE({_cells(TRAFFIC_MIXES, 'traffic_mix')}))"
    beyond = f'MAX(0,SUMPRODUCT(({classes}<>"")*1)-{lines})'
    yield LiveCheck(f"{TRAFFIC.name}: classes beyond the lines below", beyond)
    for line in range(1, lines + 1):
        name = f"INDEX({classes},{line})"
        mixed = f"SUM({through}*TRANSPOSE(({members}={name})*{_cells(TRAFFIC_MIXES, 'mix_share')}))"
        yield LiveCheck(
            f'=IFERROR(IF({name}="","","Requests served of "&{name}),"")',
            f"SUMIF({configured},{name},{shares})+{mixed}",
            f'IF(INDEX({_cells(TRAFFIC, "mean_requests")},{line})="",0,1)',
            "ABS({found}-{allowed})<0.000001",
            SHARE,
        )
