"""What expensive tests share: an archive of the example months, one pass of LibreOffice, and the golden switch."""

from pathlib import Path

import pypdfium2
import pytest
from oracles import SOFFICE, recalculated_by_libreoffice

from engine.run import report_month

INPUTS = Path(__file__).parents[1] / "inputs"


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="accept what the tests now see as the golden texts")


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """An archive with the example's October, then its November."""
    reports = tmp_path_factory.mktemp("archive") / "reports"
    for name in ("example-october.xlsx", "example.xlsx"):
        report_month(INPUTS / name, reports)
    return reports


@pytest.fixture(scope="session")
def november(archive):
    """The folder of November."""
    return archive / "2026-11"


@pytest.fixture(scope="session")
def recalculated(november, tmp_path_factory):
    """November's results.xlsx with every formula calculated by LibreOffice."""
    if SOFFICE is None:
        pytest.skip("LibreOffice is not installed; it is the second oracle")
    return recalculated_by_libreoffice(november / "results.xlsx", tmp_path_factory.mktemp("recalculated"))


def _pages(path):
    document = pypdfium2.PdfDocument(path)
    try:
        return [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()


@pytest.fixture(scope="session")
def pages_of():
    """A function that reads the text of a PDF, page by page, with every run of white space as one space."""
    return lambda path: [" ".join(page.split()) for page in _pages(path)]


@pytest.fixture(scope="session")
def november_lines(november):
    """November's report.pdf as the lines of each page."""
    return [[" ".join(line.split()) for line in page.splitlines()] for page in _pages(november / "report.pdf")]
