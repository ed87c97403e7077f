"""What expensive tests share: one archive of both example months, one pass of LibreOffice; and how goldens are accepted."""

from pathlib import Path

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
