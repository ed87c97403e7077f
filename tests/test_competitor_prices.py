"""The price list of genai-prices as rows of Competitors: every one is valid, none is dated back, nothing is fetched."""

from __future__ import annotations

import socket
import tomllib
from pathlib import Path

import pytest
from bad_workbooks.valid import coordinate
from genai_prices.data import providers
from openpyxl import load_workbook
from typer.testing import CliRunner

from engine.__main__ import app
from engine.filling import UnknownNameError
from engine.filling.competitor_prices import AS_OF, competitor_rows, same_model
from engine.sheets import COMPETITORS
from engine.workbook.cells import value_of
from engine.workbook.grid import Cell
from engine.workbook.read import read

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "inputs" / "example.xlsx"


def test_every_provider_gives_valid_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("something is fetched"))
    rows = [row for provider in providers for row in _rows_of(provider.id)]
    assert len(rows) > 1000
    for row in rows:
        for name, value in row.items():
            _, problem = value_of(COMPETITORS.column(name), Cell(value), (COMPETITORS.name, name), {})
            assert problem is None, problem
    names = [row["competitor"].casefold() for row in rows]
    assert len(names) == len(set(names))
    assert {row["as_of"] for row in rows} == {AS_OF}


def _rows_of(provider: str) -> list[dict[str, object]]:
    """The rows of a provider; none where it sells nothing by tokens."""
    try:
        return competitor_rows([provider])
    except UnknownNameError:
        return []


def test_a_price_that_rises_with_length_is_that_of_short_requests() -> None:
    (row,) = (row for row in competitor_rows(["openai"]) if row["competitor"] == "openai gpt-5.4")
    assert (row["api_input_price"], row["api_output_price"]) == (2.5, 15.0)
    assert row["note"] == "longer requests cost more: from 272,000 tokens"


def test_the_day_goes_with_the_version() -> None:
    """Whoever changes the version looks up the day of its release."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert ("genai-prices==0.2.3" in wanted, AS_OF.isoformat()) == (True, "2026-11-10")


def test_the_command(tmp_path: Path) -> None:
    def add(*arguments: object) -> list[str]:
        done = CliRunner().invoke(app, ["add", "prices", *map(str, arguments)], env={"COLUMNS": "400"})
        assert done.exit_code == 0, done.output
        return done.stdout.splitlines()

    asked = ("--provider", "openai", "--provider", "together", "--model", "gpt-4o-mini", "--model", "llama-3.3-70b")
    added = add(*asked, "--to", EXAMPLE, "--out", tmp_path / "one.xlsx")
    before = read(EXAMPLE).tables["Competitors"]
    table = read(tmp_path / "one.xlsx").tables["Competitors"]
    assert len(table) == len(before) + len(added) - 1
    row = table.find("openai gpt-4o-mini")
    assert row is not None
    assert (row["api_input_price"], row["api_cached_price"], row["api_output_price"]) == (0.15, 0.075, 0.6)
    assert (row["provider"], row["as_of"], row["for_model"]) == ("OpenAI", AS_OF, "")
    assert row["source"].startswith("genai-prices 0.2.3, https://")
    files = ("--to", f"{tmp_path}/one.xlsx", "--out", f"{tmp_path}/two.xlsx")
    again = CliRunner().invoke(app, ["add", "prices", *asked, *files])
    assert "'openai gpt-4o-mini' is already here" in str(again.exception)
    over = add(*asked, "--update", *files)
    assert over[:-1] == [f"{line.partition(', for')[0]}, typed over" for line in added[:-1]]
    assert len(read(tmp_path / "two.xlsx").tables["Competitors"]) == len(table)


def test_a_row_is_for_our_model_of_that_name(tmp_path: Path) -> None:
    def add(to: Path, *arguments: object) -> tuple[list[str], str]:
        out = tmp_path / f"{to.stem} more.xlsx"
        call = ["add", "prices", "--provider", "together", *map(str, arguments), "--to", str(to), "--out", str(out)]
        done = CliRunner().invoke(app, call)
        assert done.exit_code == 0, done.output
        return done.stdout.splitlines(), done.stderr

    said, notes = add(EXAMPLE, "--provider", "anthropic", "--model", "llama-3.1-8b", "--model", "dpo")
    cells = f"A15:{coordinate('Competitors', 'note', 10)}"
    assert said[1] == f"Competitors!{cells}  together meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo, for Llama 3.1 8B"
    assert said[0].endswith("Hermes-2-Mixtral-8x7B-DPO, for_model blank: no such name on Models")
    assert notes.startswith("Note: no row of anthropic is added: it sells no model with llama-3.1-8b or dpo in")
    # What somebody has chosen since stays chosen.
    book = load_workbook(tmp_path / "example more.xlsx")
    book["Competitors"]["C15"] = "gpt-oss-20b"
    book.save(tmp_path / "own.xlsx")
    said, notes = add(tmp_path / "own.xlsx", "--update", "--model", "llama-3.1-8b")
    assert (said[0].endswith("Turbo, typed over"), notes) == (True, "")
    assert load_workbook(tmp_path / "own more.xlsx")["Competitors"]["C15"].value == "gpt-oss-20b"


@pytest.mark.parametrize(
    ("sold", "ours", "same"),
    [
        ("groq llama-3.3-70b-versatile", "Llama 3.3 70B", True),
        ("groq llama-3.1-8b-instant", "llama_3.1-8B Instruct", True),
        ("fireworks llama-v3p1-8b-instruct", "Llama 3.1 8B", True),
        ("novita deepseek/deepseek_v3", "DeepSeek-V3", True),
        ("groq llama-3.3-70b-versatile", "Llama 3.1 70B", False),
        ("openrouter openai/gpt-oss-120b:batch", "gpt-oss-120b", False),
        ("together NousResearch/Nous-Hermes-2-Mixtral-8x7B-DPO", "Mixtral 8x7B", False),
        ("openrouter qwen/qwen3-30b-a3b-thinking-2507", "Qwen3 30B A3B", False),
    ],
)
def test_names_are_the_same_however_written(sold: str, ours: str, same: bool) -> None:
    assert same_model({"competitor": sold}, ["another", ours]) == (ours if same else "")


def test_an_offer_under_two_spellings_is_there_once() -> None:
    names = [row["competitor"] for row in competitor_rows(["together"], ["llama-3.3-70b"])]
    assert names == ["together meta-llama/Llama-3.3-70B-Instruct-Turbo"]
    # At other prices it is another offer.
    names = [row["competitor"] for row in competitor_rows(["openrouter"], ["llama-3.1-405b"])]
    assert {"openrouter llama-3.1-405b", "openrouter llama-3.1-405b-instruct"} <= set(names)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--provider", "opena"), "'opena' is not in the price list of genai-prices; did you mean openai?"),
        (("--provider", "openai", "--model", "claude"), "no model of openai has claude in its name"),
        (("--provider", "voyageai"), "no model of voyageai is sold by input and output tokens"),
    ],
)
def test_what_is_not_listed_is_said(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    where = ["--to", str(EXAMPLE), "--out", str(tmp_path / "new.xlsx")]
    done = CliRunner().invoke(app, ["add", "prices", *arguments, *where], env={"COLUMNS": "400"})
    assert (done.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert says in done.stderr
