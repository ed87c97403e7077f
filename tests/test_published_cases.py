"""The published cases as a workbook: read and reported like any other, and their documents' figures come out."""

import pandas as pd
import pytest
from openpyxl import load_workbook
from test_catalogue import _broken

from engine.catalogue import INPUTS, PUBLISHED_CASES, published_cases
from engine.run import report_month
from engine.scenarios import scenario
from engine.studies.alternatives import cheapest_moves
from engine.workbook.read import read
from engine.workbook.shipped import write_examples

AUSTIN = "Austin et al. (2025), part 8"
POST = "Lepton AI, post on the price of Llama 3.1 405B (2024)"
JIA = "Jia, The math behind inference for Llama 3.1 405B (2024)"
SANGER = "Sanger, Inference characteristics of Llama (2023)"
GLOSSARY = "Glossary of inference cost economics (2025)"


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """A run of the workbook as it ships."""
    return report_month(INPUTS / PUBLISHED_CASES, tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def results(outcome):
    return pd.read_parquet(outcome.folder / "results.parquet").set_index("configuration")


# What a document prints, or what its givens come to, to all digits shown: configuration, quantity, scale, figure.
FIGURES = (
    (AUSTIN, "70B int8 on 4x2, batch 32", "step_time", 1e3, "17.06"),
    (AUSTIN, "70B int8 on 4x2, batch 32", "step_time_floor", 1e3, "10.67"),
    (AUSTIN, "70B int8 on 4x2, batch 32", "attention_time", 1e3, "6.39"),
    (AUSTIN, "70B int8 on 4x2, full", "batch_size_limit", 1, "44"),
    (AUSTIN, "70B int8 on 4x2, full", "step_time", 1e3, "19.5"),
    (AUSTIN, "70B int8 on 4x2, full", "output_cost", 1, "1.18"),
    (AUSTIN, "70B int8 on 4x4, batch 1", "step_time", 1e3, "5.435"),
    (AUSTIN, "70B int8 on 4x4, batch 1", "output_cost", 1, "28.99"),
    (AUSTIN, "70B int8 on 4x4, batch 8", "step_time", 1e3, "6.135"),
    (AUSTIN, "70B int8 on 4x4, batch 8", "output_cost", 1, "4.09"),
    (AUSTIN, "70B int8 on 4x4, batch 32", "step_time", 1e3, "8.53"),
    (AUSTIN, "70B int8 on 4x4, batch 32", "output_cost", 1, "1.42"),
    (AUSTIN, "70B int8 on 4x4, batch 32", "prefill_time", 1, "0.9096"),
    (AUSTIN, "70B int8 on 4x4, batch 64", "step_time", 1e3, "11.73"),
    (AUSTIN, "70B int8 on 4x4, batch 64", "output_cost", 1, "0.977"),
    (AUSTIN, "70B int8 on 4x4, batch 120", "step_time", 1e3, "17.32"),
    (AUSTIN, "70B int8 on 4x4, batch 120", "output_cost", 1, "0.770"),
    (AUSTIN, "70B int8 on 4x4, batch 120", "batch_size_limit", 1, "141"),
    (AUSTIN, "70B bf16 on 4x4, full", "batch_size_limit", 1, "88"),
    (AUSTIN, "70B bf16 on 4x4, full", "output_cost", 1, "1.18"),
    (AUSTIN, "70B bf16 on 4x4, 16-bit cache, full", "batch_size_limit", 1, "43"),
    (AUSTIN, "70B bf16 on 4x4, 16-bit cache, full", "output_cost", 1, "2.41"),
    (AUSTIN, "70B int4 on 2x2, full", "batch_size_limit", 1, "22"),
    (AUSTIN, "70B int4 on 2x2, full", "output_cost", 1, "1.18"),
    (AUSTIN, "70B bf16 on 4x8, full", "batch_size_limit", 1, "283"),
    (AUSTIN, "70B bf16 on 4x8, full", "step_time", 1e3, "20.42"),
    (AUSTIN, "70B bf16 on 4x8, full", "output_speed", 1, "13858"),
    (AUSTIN, "405B int8 on 4x8, batch 50", "kv_cache_per_token", 1, "258048"),
    (AUSTIN, "405B int8 on 4x8, batch 50", "batch_size_limit", 1, "50"),
    (AUSTIN, "405B int8 on 4x8, batch 50", "step_time", 1e3, "19.46"),
    (AUSTIN, "405B int8 on 4x8, batch 50", "output_cost", 1, "4.15"),
    (AUSTIN, "8B int8 on 2x2, full", "batch_size_limit", 1, "104"),
    (AUSTIN, "10,000 queries/s, both pools", "replica_count", 1, "939"),
    (AUSTIN, "10,000 queries/s, both pools", "prefill_replica_count", 1, "9097"),
    (AUSTIN, "10,000 queries/s, both pools", "fleet_accelerators", 1, "160576"),
    (AUSTIN, "10,000 queries/s, both pools", "fleet_cost_per_day", 1e-6, "4.62"),
    (AUSTIN, "10,000 queries/s, both pools", "request_cost", 1, "0.00535"),
    (AUSTIN, "10,000 queries/s, both pools", "input_cost", 1, "0.592"),
    (AUSTIN, "10,000 queries/s, both pools", "blended_cost", 1, "0.615"),
    (AUSTIN, "10,000 queries/s, as printed", "request_rate", 1, "11.2"),
    (AUSTIN, "10,000 queries/s, as printed", "fleet_accelerators", 1, "14288"),
    (AUSTIN, "10,000 queries/s, as printed", "fleet_cost_per_day", 1, "411494"),
    (AUSTIN, "10,000 queries/s, as printed", "request_cost", 1, "0.000476"),
    (JIA, "405B on 8 H100, GPU cloud", "input_speed", 1, "3000"),
    (JIA, "405B on 8 H100, GPU cloud", "revenue_per_day", 1, "798.34"),
    (JIA, "405B on 8 H100, GPU cloud", "fleet_cost_per_day", 1, "670.08"),
    (JIA, "405B on 8 H100, GPU cloud", "gross_margin", 100, "16.07"),
    (JIA, "405B on 8 H100, GPU cloud", "break_even_utilization", 100, "83.93"),
    (JIA, "405B on 8 H100, AWS", "fleet_cost_per_day", 1, "2359.7"),
    (JIA, "405B on 8 H100, AWS", "gross_profit", 1 / 30, "-1561.3"),
    (POST, "405B, three in for one out", "revenue_per_day", 1, "290.30"),
    (POST, "405B, three in for one out", "gross_profit", 1 / 30, "-379.78"),
    (SANGER, "Llama 2 on 2 A100, one answer", "user_speed", 1, "18.6"),
    (SANGER, "Llama 2 on 2 A100, one answer", "output_cost", 1e-3, "0.066"),
    (SANGER, "Llama 2 on 2 A100, one answer", "input_cost", 1e-3, "0.00043"),
    (SANGER, "Llama 2 on 2 A100, 64 prompts", "time_to_first_token", 1, "11.47"),
    (SANGER, "Llama 2 on 8 A100, 64 prompts", "time_to_first_token", 1, "2.87"),
    (GLOSSARY, "Glossary, 70B in one H100", "step_time_floor", 1e3, "41.8"),
)


@pytest.mark.parametrize(("source", "configuration", "quantity", "scale", "figure"), FIGURES)
def test_figure_comes_out(results, source, configuration, quantity, scale, figure):
    digits = len(figure.partition(".")[2])
    assert results.at[configuration, quantity] * scale == pytest.approx(float(figure), abs=0.501 * 10**-digits), source


def test_every_case_is_tested(results):
    tested = {configuration for _, configuration, *_ in FIGURES}
    # What the questions of the report start from is nobody's printed case.
    assert set(results.index) - tested == {"10,000 queries/s, cache by shape"}


def test_what_does_not_fit_says_why(results):
    alone = results.loc["Glossary, 70B in one H100"]
    assert not alone["fits"] and alone["reason"] == "the weights exceed the usable memory"
    assert pd.isna(alone["step_time"])
    assert results.drop("Glossary, 70B in one H100")["fits"].all()


def test_the_shipped_workbook_makes_a_report(outcome):
    assert outcome.passed and not outcome.warnings
    assert (outcome.folder / "report.pdf").exists()


def test_no_move_to_a_fleet_without_prompts():
    """The fleet that leaves prompts out is cheaper only because it does; no recommendation may rest on it."""
    assert not list(cheapest_moves(scenario(read(INPUTS / PUBLISHED_CASES))))


def test_rows_obey_the_declaration_and_have_their_documents():
    sheets = published_cases()
    assert not _broken(sheets)
    for name in ("Hardware", "Models", "Traffic", "Prices", "Calibration", "Precisions"):
        assert all(len(row["source"]) > 10 for row in sheets[name]), name


def test_shipped_workbooks_are_what_the_catalogue_writes(tmp_path):
    for path in write_examples(tmp_path):
        written, shipped = load_workbook(path), load_workbook(INPUTS / path.name)
        assert written.sheetnames == shipped.sheetnames
        for sheet in written:
            assert _cells(sheet) == _cells(shipped[sheet.title]), (
                f"{path.name}, {sheet.title}: make example writes it anew"
            )


def _cells(sheet):
    """What stands in every cell; of a formula over many cells its text."""
    return [[getattr(cell.value, "text", cell.value) for cell in row] for row in sheet.iter_rows()]
