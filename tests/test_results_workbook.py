"""results.xlsx: every figure lives, in three engines alike; the inputs are as they were; text stays text."""

import copy
import io
import math
import re
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest
from bad_workbooks.valid import ROWS, TODAY, coordinate
from openpyxl import load_workbook
from openpyxl.formula import Tokenizer
from openpyxl.utils.datetime import to_excel
from oracles import needs_libreoffice, recalculated_by_libreoffice

from engine.report.checks import TIE_OUT
from engine.report.live import sheets_of
from engine.run import report_month
from engine.scenarios import CONFIGURED, DECISIONS, POOLS, SLICES, TOTAL, scenario
from engine.scenarios.grains import day_number
from engine.sheets import BY_NAME, CHANGE_LOG, FIRST_ROW, HEAD_ROW, SHEETS
from engine.workbook.aside import set_aside
from engine.workbook.blank import write_blank
from engine.workbook.read import READ, read

NOVEMBER = Path(__file__).parents[1] / "inputs" / "example.xlsx"
# fmt: off
EXCEL_2007 = {
    "ABS", "AND", "COUNT", "COUNTIF", "DATE", "DAY", "EXP", "IF", "IFERROR", "INDEX", "INT", "LN", "LOG", "MATCH",
    "MAX", "MIN", "MONTH", "N", "NETWORKDAYS", "NORMSDIST", "OR", "POISSON", "ROUND", "ROWS", "SIGN", "SQRT", "SUM",
    "SUBSTITUTE", "SUMIFS", "SUMPRODUCT", "YEAR",
}
# fmt: on
MOST_TABLE_COLUMNS = 256
# What the engine lays out before it calculates stays as laid out: the pools that hours are rented from, and the slices
# of the need for accelerators, which are cut where needs lie. A change may lay out others.
GRAINS = tuple(name for name in scenario(read(NOVEMBER)).grains if name not in (DECISIONS, POOLS, SLICES))
LAID_OUT = {"rented_hour", "contract_saving"}
# How far apart two engines may be where sums are set beside each other, or costs that are nearly equal.
NOISE = {"Run checks": 1e-9, "Sensitivities": 1e-12}


@pytest.fixture(scope="module")
def live(november):
    """Every formula of results.xlsx by sheet and cell."""
    book = load_workbook(november / "results.xlsx")
    return {
        (sheet.title, cell.coordinate): cell.value
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }


@pytest.fixture(scope="module")
def cached(november):
    """The values that results.xlsx brings along, as the second engine left them."""
    return load_workbook(november / "results.xlsx", data_only=True)


def alike(one, other, noise=0.0):
    """Whether two engines mean the same; an empty text is a blank."""
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=max(noise, 1e-15))
    return (one or "") == (other or "")


# Three engines


def test_libreoffice_agrees_on_every_live_cell(live, cached, recalculated):
    book = load_workbook(recalculated, data_only=True)
    pairs = {place: (cached[place[0]][place[1]].value, book[place[0]][place[1]].value) for place in live}
    wrong = {place: pair for place, pair in pairs.items() if not alike(*pair, NOISE.get(place[0], 0))}
    assert not wrong, dict(list(wrong.items())[:10])
    assert len(live) > 10_000
    assert {sheet for sheet, _ in live} >= {"Summary", "Costs", "Margins", "Fleet", "Speed", *GRAINS}


def test_live_figures_are_the_engines(november, cached):
    """The parquet holds the engine's own; the sheet was calculated by another."""
    frame = pd.read_parquet(november / "results.parquet").set_index("configuration")
    compared = 0
    for name in sheets_of(scenario(read(NOVEMBER))[CONFIGURED]):
        rows = cached[name].iter_rows(min_row=FIRST_ROW - 1, values_only=True)
        heads = next(rows)
        for key, *values in rows:
            for quantity, value in zip(heads[1:], values, strict=True):
                if quantity == "batch_size":
                    continue  # The contract's is the batch that runs; running_batch_size is compared.
                own = frame[quantity][key]
                assert alike(value, None if pd.isna(own) else own.item() if hasattr(own, "item") else own), quantity
                compared += 1
    assert compared > 5_000


def test_no_cell_is_in_error(cached):
    values = ((sheet.title, cell.coordinate, cell.value) for sheet in cached for row in sheet.rows for cell in row)
    assert not [each for each in values if isinstance(each[2], str) and re.match(r"#[A-Z/0!?]+$|Err:\d", each[2])]


def test_the_sheet_itself_finds_no_difference(cached):
    lines = list(cached[TIE_OUT].iter_rows(min_row=FIRST_ROW, min_col=4, max_col=5, values_only=True))
    assert sum(compared for compared, _ in lines) > 20_000
    assert {differ for _, differ in lines} == {0}


def test_the_last_rows_of_profit_and_loss_are_live_sums(live, cached, november):
    """The sums of its tables are the total's figures, of money and of volumes."""
    total = scenario(read(NOVEMBER))[TOTAL]
    sheet, sums = cached["Profit and loss"], 0
    heads: dict[int, str] = {}
    quantity_of = {"Net revenue": "revenue", "Accelerator bill": "fleet_cost", "Profit": "profit_after_other_costs"}
    quantity_of |= {"Prefill": "prefill_month", "Decode": "decode_month", "Served": "served_requests"}
    for row in sheet.iter_rows(min_row=HEAD_ROW):
        if row[0].value in ("Model", "Class", "Traffic", "Serves, class", "Cost"):
            heads = {cell.column: cell.value for cell in row}
        for cell in row if row[0].value == "Total" else ():
            quantity = quantity_of.get(heads.get(cell.column, ""))
            if quantity:
                assert re.fullmatch(r"=SUM\([A-Z]+\d+:[A-Z]+\d+\)", live["Profit and loss", cell.coordinate])
                assert cell.value == pytest.approx(total.value(quantity, "Total"), abs=0.005), cell.coordinate
                sums += 1
    assert sums == 12


# What the file is made of


def test_only_functions_of_excel_2007(live):
    used = set()
    for formula in set(live.values()):
        for token in Tokenizer(formula).items:
            if token.type == "FUNC" and token.subtype == "OPEN":
                used.add(token.value.rstrip("("))
    assert used <= EXCEL_2007, used - EXCEL_2007
    assert {"INDEX", "MATCH", "IF", "MAX", "INT"} <= used


def test_formulas_name_nothing_outside_the_file(live, november):
    book = load_workbook(november / "results.xlsx")
    tables = {name for sheet in book for name in sheet.tables}
    names = set(book.defined_names)
    for formula in set(live.values()):
        for token in Tokenizer(formula).items:
            if token.type == "OPERAND" and token.subtype == "RANGE":
                sheet, _, cells = token.value.rpartition("!")
                assert not sheet or sheet.strip("'") in book.sheetnames, formula
                assert re.fullmatch(
                    rf"\$?[A-Z]+\$?\d+(:\$?[A-Z]+\$?\d+)?|({'|'.join(tables)})\[\w+\]|{'|'.join(names)}", cells
                ), formula


def test_the_package_holds_no_macros_or_links(november):
    with ZipFile(november / "results.xlsx") as package:
        assert package.testzip() is None
        names = package.namelist()
        for part in names:
            assert not re.search("vba|macro|external|connection|embedding|activeX|queryTable|customXml", part, re.I)
            if part.endswith(".rels"):
                # A place in the same file may be linked; nothing outside it.
                targets = re.findall(r'Target="([^"]*)" TargetMode="External"', package.read(part).decode())
                assert all(target.startswith("#") for target in targets), part
        workbook = package.read("xl/workbook.xml").decode()
        dates = {entry.date_time for entry in package.infolist()}
    assert 'state="hidden"' not in workbook and "veryHidden" not in workbook
    assert len(dates) == 1


def test_tables_stay_within_what_the_second_engine_reads(november, live):
    book = load_workbook(november / "results.xlsx")
    tables = [table for sheet in book for table in sheet.tables.values()]
    # An upright sheet is no table, nor is one without rows.
    filled = [sheet for sheet, columns in read(NOVEMBER).tables.items() if len(columns)]
    assert {table.displayName for table in tables} == {BY_NAME[name].table for name in filled if name != "Settings"}
    # Of each table what lies right of the last column that a formula names stands aside while that engine calculates.
    formulas = "".join(set(live.values()))

    def last_named(table):
        heads = [f"{table.displayName}[{column.name}]" for column in table.tableColumns]
        return max((place for place, head in enumerate(heads, 1) if head in formulas), default=0)

    assert sum(map(last_named, tables)) <= MOST_TABLE_COLUMNS
    bare, _ = set_aside((november / "results.xlsx").read_bytes())
    kept = [table for sheet in load_workbook(io.BytesIO(bare)) for table in sheet.tables.values()]
    assert {table.displayName: len(table.tableColumns) for table in kept} == {
        table.displayName: last_named(table) for table in tables if last_named(table)
    }
    assert all(sheet.max_column <= MOST_TABLE_COLUMNS for sheet in book)
    assert not [sheet.title for sheet in book if sheet.merged_cells.ranges]


def test_a_column_is_one_formula(live):
    """Copied down, a formula changes only in its row; an auditor reads one cell and knows the column."""
    columns = {}
    for (sheet, cell), formula in live.items():
        if sheet in ("Joined inputs", "Calculation", "Operating points", *GRAINS):
            letters, row = re.fullmatch(r"([A-Z]+)(\d+)", cell).groups()
            general = re.sub(rf"(?<![$\d])([A-Z]{{1,3}}){row}(?!\d)", r"\1<row>", formula)
            columns.setdefault((sheet, letters), set()).add(general)
    assert len(columns) > 200
    assert {place: forms for place, forms in columns.items() if len(forms) > 1} == {}


# The inputs, as they were


def plain(value):
    return value.date() if isinstance(value, datetime) else value


def test_inputs_stand_at_their_own_addresses(november):
    typed, frozen = load_workbook(NOVEMBER, data_only=True), load_workbook(november / "results.xlsx")
    for sheet in SHEETS:
        if sheet is CHANGE_LOG:
            continue
        there = {cell.coordinate: plain(cell.value) for row in typed[sheet.name].rows for cell in row}
        here = {cell.coordinate: plain(cell.value) for row in frozen[sheet.name].rows for cell in row}
        assert {place: value for place, value in here.items() if value not in (None, "")} == {
            place: value for place, value in there.items() if value is not None
        }, sheet.name


def test_inputs_keep_their_formats(november):
    typed, frozen = load_workbook(NOVEMBER), load_workbook(november / "results.xlsx")
    for sheet in SHEETS:
        if sheet is not CHANGE_LOG:
            for row in typed[sheet.name].iter_rows(min_row=FIRST_ROW):
                for cell in row:
                    if isinstance(cell.value, int | float | date):
                        assert frozen[sheet.name][cell.coordinate].number_format == cell.number_format


# Text stays text

NAMES = {
    "configuration": "=1+1",
    "model": "+Llama",
    "hardware": "@H100",
    "precision": "-fp8",
    "calibration": '=cmd|"/C calc"!A0',
    "traffic": "-chat",
    "price_list": "<b>list</b>",
}
NOTE = '=HYPERLINK("http://127.0.0.1/","x") & <img src=x onerror=alert(1)> \' " {{ 7 * 7 }}'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The folder of a run over a workbook whose every text would like to be something else."""
    rows = copy.deepcopy(ROWS)
    rows["Configurations"][0] |= NAMES | {"note": NOTE}
    for sheet, key in (
        ("Traffic", "traffic"),
        ("Hardware", "hardware"),
        ("Models", "model"),
        ("Precisions", "precision"),
        ("Prices", "price_list"),
        ("Calibration", "calibration"),
    ):
        rows[sheet][0] |= {key: NAMES[key], "source": "=1+1", "note": NOTE}
    rows["Settings"][0] |= {"report_title": "=1+1 <b>Title</b>", "owner": "@owner"}
    folder = tmp_path_factory.mktemp("hostile")
    write_blank(folder / "hostile.xlsx", rows, today=TODAY)
    outcome = report_month(folder / "hostile.xlsx", folder / "reports")
    assert outcome.passed
    return outcome.folder


def test_text_that_looks_like_a_formula_stays_text(hostile):
    book = load_workbook(hostile / "results.xlsx")
    inputs = {sheet.name for sheet in SHEETS}
    found = set()
    for sheet in book:
        for cell in chain.from_iterable(sheet.rows):
            if isinstance(cell.value, str) and cell.value in {*NAMES.values(), NOTE, "=1+1 <b>Title</b>", "@owner"}:
                found.add(cell.value)
                assert cell.data_type == "s", (sheet.title, cell.coordinate)
                assert cell.quotePrefix == (cell.value[0] in "=+-@"), (sheet.title, cell.coordinate)
            # A live cell reads names of the inputs, and never is one.
            assert cell.data_type != "f" or (sheet.title not in inputs and "cmd|" not in cell.value)
    assert found == {*NAMES.values(), NOTE, "=1+1 <b>Title</b>", "@owner"}
    frozen = book["Configurations"][coordinate("Configurations", "note")]
    assert frozen.value == NOTE and frozen.hyperlink is None


@needs_libreoffice
def test_libreoffice_takes_it_for_text_too(hostile, tmp_path):
    ours = load_workbook(hostile / "results.xlsx", data_only=True)
    theirs = load_workbook(recalculated_by_libreoffice(hostile / "results.xlsx", tmp_path), data_only=True)
    for sheet in ours:
        for cell in chain.from_iterable(sheet.rows):
            if cell.data_type != "d":
                other = theirs[sheet.title][cell.coordinate].value
                assert alike(cell.value, plain(other), NOISE.get(sheet.title, 0)), (sheet.title, cell.coordinate)


def test_markup_is_text_in_the_pdf(hostile, pages_of):
    text = " ".join(pages_of(hostile / "report.pdf"))
    assert "=1+1 <b>Title</b>" in text and "<b>list</b>" in text
    assert NAMES["traffic"] in text and NAMES["hardware"] in text


# A changed input follows

CHANGES = (
    ("Settings", "headroom", "", 0.4),
    ("Settings", "usable_memory_share", "", 0.8),
    ("Traffic", "output_tokens", "Chat", 700),
    ("Traffic", "mean_requests", "Search", 200),
    ("Traffic", "demand_growth", "Moderation", -0.05),
    ("Traffic", "season", "Chat", "Office year"),
    ("Seasons", "november", "Office year", 0.9),
    ("Settings", "price_decline", "", 0.5),
    ("Settings", "software_speed_up", "", 0.6),
    ("Settings", "investment", "", 1e9),
    ("Settings", "idle", "", "spread"),
    ("Settings", "target_margin", "", 0.5),
    ("Settings", "storage_price", "", 0.001),
    ("Settings", "cache_retention", "", 2),
    ("Traffic", "batch_share", "Chat", 0.3),
    ("Traffic", "free_share", "Search", 0.1),
    ("Traffic", "refund_share", "Moderation", 0.05),
    ("Traffic mixes", "customer_discount", "Partners", 0.3),
    ("Prices", "output_price", "DeepSeek-V3", 2.5),
    ("Prices", "long_context_threshold", "DeepSeek-V3", 5000),
    ("Prices", "long_context_input_multiple", "DeepSeek-V3", 2),
    ("Prices", "batch_discount", "Llama 3.1 70B", 0.25),
    ("Prices", "cached_input_price", "Qwen3 32B", None),
    ("Prices", "valid_until", "gpt-oss-120b", date(2026, 11, 10)),
    ("Other costs", "amount", "Payment fees", 0.03),
    ("Other costs", "driver", "Egress and logs", "month"),
    ("Other costs", "model", "Gateways and observability", "Llama 3.1 70B"),
    ("Other costs", "traffic", "Support of chat users", None),
    ("Models", "licence_price", "Mixtral 8x7B", 0.02),
    ("Models", "revenue_share", "DeepSeek-V3", 0.1),
    ("Hardware", "memory_bandwidth", "H100 SXM", 2500),
    ("Hardware", "one_year_price", "H200 SXM", 4.25),
    ("Models", "window_layers", "Llama 3.1 70B", 40),
    ("Models", "window", "Llama 3.1 70B", 1024),
    ("Calibration", "softness", "all", 0.25),
    ("Precisions", "compute", "fp8", "bf16"),
    # A blank that is filled, a filled cell that is cleared, another choice, and one that now fits.
    ("Configurations", "measured_output_speed", "Search on B200", 5000),
    ("Configurations", "minimum_replicas", "Code on 8 H200", None),
    ("Configurations", "price_basis", "Chat on 4 H100", "on demand"),
    ("Configurations", "committed_until", "Chat on 4 H100", None),
    ("Configurations", "committed_until", "Search on B200", date(2027, 2, 10)),
    ("Configurations", "shared_pool", "Chat on 2 H200", "no"),
    ("Configurations", "tensor_parallel", "Chat on 4 TPU v5e", 8),
    ("Configurations", "requested_batch_size", "Reasoning on 8 H100", "max"),
)


def apply_changes(book):
    """Types the changes into the input sheets of a workbook, wherever their rows stand."""
    for sheet, column, key, value in CHANGES:
        rows = book[sheet].iter_rows(min_row=FIRST_ROW, max_col=1)
        row = FIRST_ROW if BY_NAME[sheet].vertical else next(cell.row for (cell,) in rows if cell.value == key)
        cell = book[sheet][coordinate(sheet, column, row - FIRST_ROW)]
        assert cell.value != value
        cell.value = value


@pytest.fixture(scope="module")
def changed(november, tmp_path_factory):
    """The engine's grains for a changed input, and results.xlsx with the same cells changed, calculated anew."""
    folder = tmp_path_factory.mktemp("changed")
    for source, target in ((NOVEMBER, "input.xlsx"), (november / "results.xlsx", "results.xlsx")):
        book = load_workbook(source)
        apply_changes(book)
        book.save(folder / target)
    book = load_workbook(recalculated_by_libreoffice(folder / "results.xlsx", folder), data_only=True)
    return scenario(read(folder / "input.xlsx")), book


@needs_libreoffice
@pytest.mark.parametrize("name", GRAINS)
def test_a_changed_input_follows(changed, name):
    calculated, book = changed
    grain = calculated[name]
    wrong, compared = [], 0
    for sheet in sheets_of(grain):
        rows = book[sheet].iter_rows(min_row=FIRST_ROW - 1, values_only=True)
        heads = next(rows)
        for row, values in enumerate(rows):
            assert values[0] == grain.keys[row]
            for quantity, value in zip(heads, values, strict=True):
                own = grain.at(quantity, row)
                value = to_excel(value) if isinstance(value, datetime) else value
                compared += 1
                value = day_number(value.date()) if isinstance(value, datetime) else value
                if quantity not in LAID_OUT and not alike(value, own.item() if hasattr(own, "item") else own):
                    wrong.append((sheet, values[0], quantity, value, own))
    assert not wrong, wrong[:10]
    assert compared == len(grain.keys) * sum(map(len, sheets_of(grain).values()))


@needs_libreoffice
def test_a_change_is_seen_by_the_tie_out(changed, cached):
    calculated, book = changed
    assert calculated[CONFIGURED].value("fits", "Chat on 4 TPU v5e") == 1
    differing = {
        (sheet, quantity): count
        for sheet, quantity, _, _, count in book[TIE_OUT].iter_rows(min_row=FIRST_ROW, values_only=True)
    }
    assert differing["Calculation", "step_time"] > 1 and differing["Total", "gross_profit"] == 1
    cover = [cell.value for cell in chain.from_iterable(book["Report"].rows)]
    assert any(str(value).endswith(" FAILED") for value in cover)
    assert "ALL CHECKS PASSED" in [cell.value for cell in chain.from_iterable(cached["Report"].rows)]
    # What the change does not touch still ties.
    grain = calculated[CONFIGURED]
    untouched = FIRST_ROW + grain.row("Search on L40S, gpt-oss-20b")
    before, after = cached["Calculation"][untouched], book["Calculation"][untouched]
    same = [alike(one.value, other.value) for one, other in zip(before, after, strict=True)]
    assert sum(same) > len(same) / 4


def test_the_contents_say_what_each_sheet_answers(november):
    book = load_workbook(november / "results.xlsx")
    cover = book["Report"]
    told = {row[0].value: row[1].value for row in cover.iter_rows(min_row=14, max_col=2) if row[0].hyperlink}
    assert list(told) == book.sheetnames[1:]
    frozen = {name for name, words in told.items() if words == "Inputs as they were"}
    assert frozen == {sheet.name for sheet in READ}


def test_heads_are_repeated_in_print_where_a_whole_sheet_has_the_same(november):
    book = load_workbook(november / "results.xlsx")
    assert book["Fleet"].print_title_rows == f"${HEAD_ROW}:${HEAD_ROW}"
    assert book["Further questions"].print_title_rows is None
