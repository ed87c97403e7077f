"""Live sheets: draws grains and sheets for readers, every figure a formula. Knows no particular figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.chart import BarChart, LineChart, Reference, ScatterChart, Series
from openpyxl.chart.legend import Legend
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from engine.derivation import label, meaning, source
from engine.render.cells import fit_to_page, head, put, sheet_of, width_for, words
from engine.render.lookups import ROW, Lookups
from engine.report.live import Live, LiveChart, LiveSheet, sheet_and_column, sheets_of
from engine.report.values import Head
from engine.scenarios import Grain, Key, Scenario
from engine.sheets import FIRST_ROW, HEAD_ROW, UNIT_ROW
from engine.tracing import written
from engine.units import in_currency, unit_of
from engine.workbook.looks import set_widths

BLUE, INK = "17517E", "16212B"
DASHES: tuple[Any, ...] = ("solid", "dash", "sysDot")
ROW_STYLES = {"plain": "Calculation", "total": "Total", "key": "Output", "group": "Total"}
COLUMNS_A_PAGE = 12


def draw_grain(book: Workbook, scenario: Scenario, grain: Grain, purposes: Mapping[str, str]) -> None:
    """The live sheets of a grain: keys as text, inputs looked up, figures calculated; one formula per column."""
    for name, quantities in sheets_of(grain).items():
        sheet = sheet_of(book, name, name, purposes[name])
        units = [unit_of(grain.annotation(quantity)) for quantity in quantities]
        head(sheet, HEAD_ROW, quantities, [column for column, unit in enumerate(units, 1) if unit.is_number])
        for column, (quantity, unit) in enumerate(zip(quantities, units, strict=True), 1):
            put(sheet, UNIT_ROW, column, "%" if unit.kind == "share" else unit.symbol, "Unit")
            texts = [quantity] if unit.is_number else [quantity, *grain.values[quantity]]
            sheet.column_dimensions[get_column_letter(column)].width = width_for(texts)
        lookups = Lookups(scenario, grain, name)
        keys = {quantity for quantity, source in grain.sources.items() if isinstance(source, Key)}
        formulas = {quantity: lookups.formula(quantity) for quantity in quantities if quantity not in keys}
        for row in range(len(grain.keys)):
            for column, (quantity, unit) in enumerate(zip(quantities, units, strict=True), 1):
                changed = (quantity, row) in grain.typed
                typed = changed or quantity in keys
                value = grain.values[quantity][row] if typed else formulas[quantity].replace(ROW, str(FIRST_ROW + row))
                if (quantity, row) in grain.moved:
                    value = lookups.moved(value, grain.moved[quantity, row], FIRST_ROW + row)
                style = "Calculation" if unit.is_number else words("Text", column) if column > 1 else "Row Label"
                style = ("Input" if unit.is_number else "Input Text") if changed else style
                shown = "General" if unit.kind == "text" else unit.excel_format
                put(sheet, FIRST_ROW + row, column, value, style, shown, live=not typed)
        sheet.freeze_panes = "B5"
        sheet.print_title_cols = "A:A"
        fit_to_page(sheet, landscape=True, wide=-(-len(quantities) // COLUMNS_A_PAGE))


def draw_live_sheet(book: Workbook, live: LiveSheet) -> None:
    """A sheet for readers: its tables one under the other, then its charts."""
    sheet = sheet_of(book, live.name, live.title, live.sentence)
    for index, table in enumerate(live.tables):
        head_row = live.head_row(index)
        numbers = [column for column, item in enumerate(table.heads, 1) if unit_of(item.unit).is_number]
        if table.title:
            put(sheet, head_row - 2, 1, table.title, "Total Text")
        head(sheet, head_row, [item.name for item in table.heads], numbers)
        for column, item in enumerate(table.heads, 1):
            if item.unit_label:
                put(sheet, head_row - 1, column, in_currency(item.unit_label), "Unit")
        for row, line in enumerate(table.rows, head_row + 1):
            for column, cell in enumerate(line.cells, 1):
                _draw_cell(sheet, row, column, cell, line.style)
    set_widths(sheet, _widths(live))
    last = live.head_row(len(live.tables) - 1) + len(live.tables[-1].rows) + 3
    for chart in live.charts:
        _draw_chart(sheet, live, chart, f"A{last}")
        last += 22
    one_table = len(live.tables) == 1
    sheet.freeze_panes = f"A{FIRST_ROW}" if one_table else None
    fit_to_page(sheet, landscape=live.landscape, one_page=bool(live.charts), one_table=one_table)


def _widths(live: LiveSheet) -> list[float]:
    """Columns as wide as their words; figures need no more than their heads or a million."""
    widths: list[float] = []
    for column in range(max(len(table.heads) for table in live.tables)):
        texts = ["1,234,567"]
        for table in live.tables:
            cells = [row.cells[column] for row in table.rows if column < len(row.cells)]
            texts += [table.heads[column].name] if column < len(table.heads) else []
            texts += [str(cell.value) for cell in cells if unit_of(cell.annotation).kind == "text"]
        widths.append(width_for(texts))
    return widths


def _draw_cell(sheet: Worksheet, row: int, column: int, live: Live, line: str) -> None:
    unit = unit_of(live.annotation)
    if unit.kind == "text":
        style = words("Total Text", column) if line == "total" else "Row Label" if column == 1 else "Text After"
    else:
        style = ROW_STYLES[line]
    shown = "General" if unit.kind == "text" else unit.excel_format
    put(sheet, row, column, live.formula or live.value, style, shown, live=bool(live.formula))


def _draw_chart(sheet: Worksheet, live: LiveSheet, chart: LiveChart, anchor: str) -> None:
    table = live.tables[chart.table]
    first = live.head_row(chart.table) + 1
    shown = chart.rows or tuple(range(len(table.rows)))
    rows = (first + shown[0], first + shown[-1])
    across = Reference(sheet, min_col=chart.across + 1, min_row=rows[0], max_row=rows[1])
    up = Reference(sheet, min_col=chart.up + 1, min_row=rows[0], max_row=rows[1])
    drawn: Any
    if chart.kind == "bar":
        drawn = BarChart()
        drawn.type, drawn.gapWidth = "bar", 50
        drawn.add_data(up)
        drawn.set_categories(across)
        drawn.y_axis.number_format = "#,##0;\u2212#,##0"
        # Labels stand at the left edge also where bars run leftwards, and the first row on top.
        drawn.x_axis.tickLblPos, drawn.x_axis.scaling.orientation = "low", "maxMin"
        series = drawn.series[0]
        series.graphicalProperties = GraphicalProperties(solidFill=BLUE)
        series.invertIfNegative = False
    elif chart.kind == "line":
        drawn = LineChart()
        for column in (chart.up, *chart.others):
            _add_line(drawn, sheet, column, rows[0], rows[1], strong=column == chart.up)
        drawn.set_categories(across)
        drawn.y_axis.number_format, drawn.x_axis.tickLblPos = "#,##0;\u2212#,##0", "low"
    else:
        drawn = ScatterChart()
        drawn.style, drawn.scatterStyle = 13, "lineMarker"
        series = Series(up, across)
        series.marker.symbol, series.marker.size = "circle", 8
        series.marker.graphicalProperties = GraphicalProperties(solidFill=BLUE)
        series.graphicalProperties.line.noFill = True
        drawn.series.append(series)
        drawn.y_axis.scaling.logBase = 10
        drawn.y_axis.number_format, drawn.x_axis.number_format = "0.00", "0"
        drawn.y_axis.crosses = "min"
    drawn.title = chart.title
    # Only where there are several lines must a legend tell them apart.
    drawn.legend = Legend("b") if chart.others else None
    drawn.x_axis.title, drawn.y_axis.title = chart.x_axis or None, chart.y_axis
    drawn.x_axis.delete = drawn.y_axis.delete = False
    drawn.y_axis.majorGridlines.spPr = GraphicalProperties()
    drawn.y_axis.majorGridlines.spPr.line.solidFill = "E3E8EC"
    drawn.width, drawn.height = 22, 10
    sheet.add_chart(drawn, anchor)


def _add_line(chart: LineChart, sheet: Worksheet, column: int, first: int, last: int, *, strong: bool) -> None:
    """A column as a line, named by its head; lines beside the one that matters differ by their dashes."""
    cells = Reference(sheet, min_col=column + 1, min_row=first - 1, max_row=last)
    series = Series(cells, title_from_data=True)
    dashes = DASHES[len(chart.series) % len(DASHES)]
    series.graphicalProperties.line = LineProperties(
        solidFill=BLUE if strong else INK, w=28575 if strong else 15875, prstDash="solid" if strong else dashes
    )
    series.marker.symbol, series.smooth = "none", False
    chart.series.append(series)


def draw_words(book: Workbook, name: str, scenario: Scenario, purpose: str) -> None:
    """Every formula in words: its quantity, unit, text, meaning, source, and the column it stands in."""
    sheet = sheet_of(book, name, name, purpose)
    heads = ("Quantity", "Sheet", "Column", "Unit", "In words", "Meaning", "Source")
    head(sheet, HEAD_ROW, heads)
    row = FIRST_ROW
    for grain in scenario.grains.values():
        for quantity, formula in grain.formulas.items():
            if quantity in grain.inlined:
                continue
            unit = unit_of(grain.annotation(quantity))
            cells = (
                quantity,
                *sheet_and_column(grain, quantity),
                "%" if unit.kind == "share" else unit.symbol,
                written(formula, label),
                meaning(grain, quantity),
                source(grain, quantity),
            )
            for column, text in enumerate(cells, 1):
                put(sheet, row, column, text, "Text")
            row += 1
    set_widths(sheet, [34, 17, 8, 13, 70, 60, 40])
    sheet.freeze_panes = "B5"
    fit_to_page(sheet, landscape=True)


def draw_values(
    book: Workbook, name: str, purpose: str, heads: Sequence[Head], rows: Iterable[Sequence[Any]]
) -> None:
    """A sheet of plain values. Numbers of no unit are shown as Excel would show them, because they range widely."""
    sheet = sheet_of(book, name, name, purpose)
    units = [unit_of(item.unit) for item in heads]
    head(sheet, HEAD_ROW, [item.name for item in heads], [n for n, unit in enumerate(units, 1) if unit.is_number])
    written_rows = list(rows)
    for row, values in enumerate(written_rows, FIRST_ROW):
        for column, (value, unit) in enumerate(zip(values, units, strict=True), 1):
            style = "Calculation" if unit.is_number else words("Text", column)
            put(sheet, row, column, value, style, unit.excel_format if unit.kind == "share" else "General")
    columns = zip(*([item.name for item in heads], *written_rows), strict=True)
    set_widths(sheet, [width_for(text for text in column if isinstance(text, str)) for column in columns])
    sheet.freeze_panes = f"B{FIRST_ROW}"
    fit_to_page(sheet, landscape=True)
