"""results.xlsx: draws the report's sheets, live over the frozen inputs. Knows neither quantities nor formulas.

openpyxl writes formulas without values; the file is then recalculated by a second, independent engine, whose checks
are read back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from engine.render import frozen
from engine.render.cells import fit_to_page, head, put, sheet_of
from engine.render.live import draw_grain, draw_live_sheet, draw_values, draw_words
from engine.report import published
from engine.report.answer import Check
from engine.report.build import Draft
from engine.report.checks import CHECKS, ENGINE, GRAINS, TIE_OUT, LiveCheck, blocks, live_checks, tied_columns
from engine.report.live import quoted
from engine.report.standing import standing_line
from engine.scenarios import Scenario
from engine.sheets import COMPETITORS, CONFIGURATIONS, FIRST_ROW, HEAD_ROW
from engine.units import unit_of
from engine.workbook.looks import new_book, row_height, set_widths
from engine.workbook.package import repacked
from engine.workbook.problems import InvalidWorkbook, listed, too_many_formulas
from engine.workbook.recalculation import RecalculationError, recalculate

MOST_FORMULAS = 100_000  # of formualizer 0.13
COVER = "Report"
CHECK_CELL = "B11"
COVER_WIDTHS = [26.0, 74.0]
WORDS = "Formulas in words"
PURPOSES = {
    "Summary": "What did the month earn, and what changed?",
    "Costs": "What does a token cost on each configuration?",
    "Margins": "Which traffic earns money, and why?",
    "Comparison": "What moved gross profit since last month, step by step?",
    "Changes": "Which inputs were typed anew since, and which figures moved?",
    "Recommendation": "What to do, and which figures are values: do they still stand?",
    "Profit and loss": "From list value to profit: by model, class, traffic, bucket and phase.",
    "Fleet": "How many accelerators, how busy, at what bill?",
    "Bill": "What was each dollar for, on which terms, and which contract would save?",
    "Frontier": "Which slice, precision and batch is beaten by no other in cost and speed?",
    "Search": "Which set-up would serve the largest bill's requests for least, and what holds it back?",
    "Sensitivities": "Which input matters most, two of them together, and what do scenarios do?",
    "Speed": "What is a decode step made of?",
    "Fidelity": "How far may speeds, costs and margins lie from what is predicted?",
    "Outlook": "What do the months ahead earn, and which model stops earning when?",
    "Questions": "What would a change cost: batch, slice, precision, accelerator, model, levers?",
    "Model and actual": "Do invoices, billing, meters and budget bear the model out?",
    "Further questions": "Memory, accelerators by the dollar, APIs, techniques, loads, reasoning, training, prices.",
    "Uncertainties": "How sure are profit and costs, and which input moves them most? Values, with whether they stand.",
    "Own or rent": "What does an owned accelerator cost, and from which volume is owning, renting or an API cheapest?",
    "Joined inputs": "What each configuration reads from the input sheets. Live.",
    "Parts of the month": "Days between which no contract begins or ends. Live.",
    "Calendar": "How many hours of the month look like each hour of the profile. Live.",
    "Traffic lines": "What each class adds to a traffic. Live.",
    "Classes by hour": "Requests of each class, hour by hour of a weekday and a weekend day. Live.",
    "Requests by hour": "The same of each traffic that is served. Live.",
    "Valleys": "What each configuration serves in an hour, and where batch work finds room. Live.",
    "Days": "How much of a day’s room batch work takes. Live.",
    "Hours": "Replicas and accelerators of each hour that keep the promised wait. Live.",
    "Batches": "The batch that each hour\u2019s requests make, where it follows demand. Live.",
    "Contracts": "Which commitments are in force, and what they cost. Live.",
    "Held": "What is owned and reserved of each accelerator, and its mean price. Live.",
    "Pools": "Accelerators of one kind that all configurations on it need, hour by hour. Live.",
    "Slices": "On which terms each further part of that need costs least. Live.",
    "Load of the day": "Accelerators that are busy and that run in each hour, all fleets together. Live.",
    "Bills": "How each hour’s accelerators are paid for, and what each part was for. Live.",
    "Month in the books": "The month\u2019s bill beside depreciation, promises and payments. Live.",
    "Fleets": "The month’s bill of each configuration that serves, in lines that add up to it. Live.",
    "Price rows": "Rows of Prices, each with its days in the month. Live.",
    "Price lists": "Prices and terms of the month, one row per price list. Live.",
    "Billed requests": "What a request of a class is billed under a price list, bucket by bucket. Live.",
    "Tariffs": "Which share of its list value a traffic brings under a price list. Live.",
    "Ledger": "Every class on every configuration that serves it: billing steps, and cost by phase. Live.",
    "Other cost lines": "Rows of Other costs over all that they belong to. Live.",
    "Profit lines": "The other costs that fall on each line of the ledger. Live.",
    "By model": "Sums over the lines of a model. Live.",
    "By class": "Sums over the lines of a class of requests. Live.",
    "Calculation": "How each figure follows from the inputs, one formula per column. Live.",
    "Operating points": "The same formulas at the passes that settle the batch, and for a prefill chunk. Live.",
    "Case inputs": "What each case shares with its configuration, and what it types over. Live.",
    "Cases": "Configurations with something changed, for the questions of the report. Live.",
    "Case points": "Their passes and prefill chunks. Live.",
    "Two-way": "Two drivers together on one case: what they move, the rest is the case's. Live.",
    "Accelerators": "What a dollar buys, beside the accelerator in use. Live.",
    "APIs": "Serving oneself beside what an API would bill. Live.",
    "Ratios": "A million tokens at several ratios of input to output, own and API. Live.",
    "Drafts": "Speculative decoding with the draft model of the Settings. Live.",
    "Price course": "A market price that goes on falling. Live.",
    "Calendar ahead": "The months to come: their days, and how prices, speed and rents will have changed. Live.",
    "Demand ahead": "What growth and season make of each class in the months to come. Live.",
    "Needs ahead": "Replicas and accelerator-hours that each configuration needs in the months to come. Live.",
    "Contracts ahead": "How long each contract is in force in the months to come, and what it costs. Live.",
    "Months ahead": "Revenue, bill and other costs of each configuration in the months to come. Live.",
    "Models ahead": "The same added up by model. Live.",
    "Totals ahead": "The same added up over all models, with what has come back of an investment. Live.",
    "Model outlook": "What the months to come bring each model, and when it stops earning. Live.",
    "Payback": "When the months to come have paid back what was invested. Live.",
    "Ownership": "What a bought accelerator costs in an hour, part by part. Live.",
    "Books": "What the books show of a server in each year of its life. Live.",
    "Hours of use": "The cheapest terms of an accelerator by its hours of use a day. Live.",
    "Ways to serve": "What a server serves in a month, and costs owned and rented; what an API bills. Live.",
    "Volumes": "What volumes cost when owned, rented and called. Live; the volumes themselves are values.",
    "Searched from": "The figures that crossovers were searched from: frozen, beside what they are now. Live.",
    "Crossovers": "Values of a search over whole tokens; the last column says live whether they still stand.",
    "Actual months": "Invoices, billing and meters beside the model, by month; of earlier months values.",
    "Year to date": "Months of the year whose profit can be compared, together. Live.",
    "Twelve months": "Months of the last twelve whose profit can be compared, together. Live.",
    "Decisions": "What each configuration suggests: memory, links, pools, requests. Live.",
    "Bridge by traffic": "Every traffic in both months, and the steps between them; last month\u2019s are values.",
    "Bridge": "The steps of all traffics together. Live.",
    "By traffic": "Sums over the configurations that serve a traffic. Live.",
    "Total": "Sums over all configurations that serve. Live.",
    WORDS: "Every formula in words, with its meaning and source.",
    published.SHEET: "Which figures of others do our formulas reproduce, and which are wrong?",
    ENGINE: "The engine\u2019s own figures, as values.",
    TIE_OUT: "How many live figures of a column differ from the engine\u2019s by more than a relative 1e-9? Live.",
    CHECKS: "Do both agree, and do the parts add up?",
}


def write_results(draft: Draft, path: Path) -> tuple[LiveCheck, ...]:
    """Writes results.xlsx, its formulas without values, and returns its checks as formulas."""
    scenario = draft.scenario
    book = new_book()
    checks = live_checks(scenario)
    cover = sheet_of(book, COVER, str(scenario.inputs.settings["report_title"]), "")
    for sheet in draft.sheets:
        draw_live_sheet(book, sheet)
    for name in GRAINS:
        if name in scenario.grains:
            draw_grain(book, scenario, scenario[name], PURPOSES)
    frozen.copy_inputs(book, scenario.inputs)
    draw_words(book, WORDS, scenario, PURPOSES[WORDS])
    if draft.published:
        draw_values(book, published.SHEET, published.PURPOSE, published.HEADS, published.cells(draft.published))
    _draw_engine(book, scenario)
    _draw_tie_out(book, scenario)
    _draw_checks(book, checks)
    _draw_cover(cover, draft, book.sheetnames[1:])
    book.properties.title, book.properties.creator = draft.title, "inference-margin"
    book.save(path)
    _refuse_too_many_formulas(path, scenario)
    return checks


def _refuse_too_many_formulas(path: Path, scenario: Scenario) -> None:
    """The second engine takes so many formulas and no more; what cannot be recalculated is no result."""
    # Counted in the file, because openpyxl makes every blank cell that it is asked to look at.
    with ZipFile(path) as parts:
        sheets = (parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/sheet"))
        formulas = sum(sheet.count(b"<f>") + sheet.count(b"<f ") for sheet in sheets)
    if formulas > MOST_FORMULAS:
        rows = (len(scenario.inputs.tables[sheet.name]) for sheet in (CONFIGURATIONS, COMPETITORS))
        raise InvalidWorkbook([too_many_formulas(formulas, MOST_FORMULAS, *rows)])


def recalculated(path: Path, checks: Sequence[LiveCheck], *, created: datetime) -> tuple[Check, ...]:
    """Has results.xlsx recalculated, and returns its checks as the second engine found them.

    Errors: RecalculationError where the second engine refuses the file, or finds a cell in error.
    """
    if errors := recalculate(path).errors:
        raise RecalculationError(f"{len(errors)} cells in error: {listed(f'{at} {e}' for at, e in errors.items())}")
    path.write_bytes(repacked(path.read_bytes(), created.date()))
    return _read_checks(path, checks)


def _draw_cover(sheet: Worksheet, draft: Draft, names: Sequence[str]) -> None:
    settings, inputs = draft.scenario.inputs.settings, draft.scenario.inputs
    put(sheet, 2, 1, f"{settings['report_month']:%B %Y} \u00b7 results workbook", "Purpose")
    facts = (
        ("Purpose", "The figures of report.pdf as live formulas over the inputs; last month's are values."),
        ("Owner", str(settings["owner"]) or "\u2013"),
        ("Month", f"{settings['report_month']:%B %Y}"),
        ("Currency", str(settings["currency"])),
        ("Standing", standing_line(draft.scenario)),
        ("State", draft.issue.sentence),
        ("Input", f"{inputs.path.name}, sha256 {inputs.sha256[:8]} \u2026 {inputs.sha256[-4:]}"),
    )
    for row, (name, text) in enumerate(facts, 4):
        put(sheet, row, 1, name, "Row Label")
        put(sheet, row, 2, text, "Text")
        sheet.row_dimensions[row].height = max(16, row_height(text, COVER_WIDTHS[1]))
    put(sheet, 11, 1, "Run check", "Row Label")
    verdict = 'Run_Check&IF(Run_Check=1," CHECK FAILED"," CHECKS FAILED")'
    put(sheet, 11, 2, f'=IF(Run_Check=0,"ALL CHECKS PASSED",{verdict})', "Check Cell", live=True)
    head(sheet, 13, ("Sheet", "What it answers"))
    for row, name in enumerate(names, 14):
        put(sheet, row, 1, name, "Hyperlink").hyperlink = f"#{quoted(name)}!A1"
        put(sheet, row, 2, "Inputs as they were" if name in inputs.tables else PURPOSES[name], "Text")
    start = 15 + len(names)
    head(sheet, start, ("How cells look", "Meaning"))
    for offset, (sample, style, meaning) in enumerate(
        (
            (12.5, "Input", "Input: typed by an analyst, frozen here"),
            (12.5, "Calculation", "Calculation: a formula; do not type here"),
            (12.5, "Output", "Output: a figure the PDF quotes"),
            ("PASS", "Check Cell", "Check Cell: pass or fail"),
            ("see Run checks", "Note", "Note: an explanation"),
        ),
        start + 1,
    ):
        put(sheet, offset, 1, sample, style)
        put(sheet, offset, 2, meaning, "Text")
    set_widths(sheet, COVER_WIDTHS)
    fit_to_page(sheet, landscape=False, one_page=True)


def _draw_engine(book: Workbook, scenario: Scenario) -> None:
    """The engine's figures as values, one block a live sheet."""
    sheet = sheet_of(book, ENGINE, ENGINE, PURPOSES[ENGINE])
    for block in blocks(scenario):
        head(sheet, block.first_row - 1, block.quantities)
        for column, quantity in enumerate(block.quantities, 1):
            unit = unit_of(block.grain.annotation(quantity))
            style = "Calculation" if unit.is_number else "Text"
            for row, value in enumerate(block.grain.values[quantity], block.first_row):
                put(sheet, row, column, value, style, unit.excel_format)
    sheet.freeze_panes = "B5"
    sheet.column_dimensions["A"].width = 34
    fit_to_page(sheet, landscape=True)


def _draw_tie_out(book: Workbook, scenario: Scenario) -> None:
    """One line a column: how many of its figures are compared with the engine's, and how many differ."""
    sheet = sheet_of(book, TIE_OUT, TIE_OUT, PURPOSES[TIE_OUT])
    head(sheet, HEAD_ROW, ("Sheet", "Quantity", "Cells", "Compared", "That differ"), numbers=(4, 5))
    for row, column in enumerate(tied_columns(scenario), FIRST_ROW):
        put(sheet, row, 1, column.sheet, "Row Label")
        put(sheet, row, 2, column.quantity, "Text After")
        put(sheet, row, 3, column.cells, "Text After")
        put(sheet, row, 4, column.rows, "Calculation", "0")
        put(sheet, row, 5, column.differing, "Calculation", "0", live=True)
    set_widths(sheet, [20, 40, 16, 12, 12])
    sheet.freeze_panes = f"A{FIRST_ROW}"
    fit_to_page(sheet, landscape=False)


def _draw_checks(book: Workbook, checks: Sequence[LiveCheck]) -> None:
    sheet = sheet_of(book, CHECKS, CHECKS, PURPOSES[CHECKS])
    head(sheet, HEAD_ROW, ("Check", "Found", "Expected", "Allowed", "Result"), numbers=(2, 3, 4))
    for row, check in enumerate(checks, FIRST_ROW):
        put(sheet, row, 1, check.name, "Row Label")
        put(sheet, row, 2, check.found, "Calculation", "General", live=True)
        put(sheet, row, 3, check.expected, "Calculation", "General", live=True)
        put(sheet, row, 4, check.allowed, "Calculation", "General")
        put(sheet, row, 5, f'=IF(ABS(B{row}-C{row})<=D{row},"pass","fail")', "Check Cell", live=True)
    last = FIRST_ROW + len(checks) - 1
    put(sheet, last + 2, 1, "Checks that failed", "Row Label")
    failed = f'=ROWS(E{FIRST_ROW}:E{last})-COUNTIF(E{FIRST_ROW}:E{last},"pass")'
    put(sheet, last + 2, 2, failed, "Calculation", "0", live=True)
    book.defined_names["Run_Check"] = DefinedName("Run_Check", attr_text=f"{quoted(CHECKS)}!$B${last + 2}")
    set_widths(sheet, [66, 18, 18, 12, 12])
    fit_to_page(sheet, landscape=True)


def _read_checks(path: Path, checks: Sequence[LiveCheck]) -> tuple[Check, ...]:
    book = load_workbook(path, read_only=True, data_only=True)
    rows = book[CHECKS].iter_rows(min_row=FIRST_ROW, max_row=FIRST_ROW + len(checks) - 1, max_col=5, values_only=True)
    read = tuple(
        Check(check.name, float(str(found)), float(str(expected)), check.allowed, result == "pass")
        for check, (_, found, expected, _, result) in zip(checks, rows, strict=True)
    )
    book.close()
    return read
