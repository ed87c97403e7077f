"""Documentation: what is generated is fresh, what is shown is real, and what is named exists."""

import ast
import re
import shutil
import tomllib
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
from openpyxl import load_workbook
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from test_layers import ROOMS

from engine import archive
from engine.__main__ import app
from engine.catalogue import example
from engine.commands.listing import lines
from engine.derivation import derive
from engine.formulary import formulary
from engine.scenarios import CONFIGURED, scenario
from engine.sheets import HEAD_ROW
from engine.units import unit_of
from engine.workbook.blank import write_blank
from engine.workbook.guide import guide
from engine.workbook.problems import InvalidWorkbook
from engine.workbook.read import read

ROOT = Path(__file__).parents[1]
README, CONTRIBUTING, PICTURE = ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "reports/example-page-1.png"
EXAMPLE = ROOT / "inputs/example.xlsx"
CONFIGURATION = "Chat on 4 H100"
DOCUMENTS = sorted(path for path in ROOT.rglob("*.md") if not {".venv", "build"} & set(path.relative_to(ROOT).parts))
MODULES = sorted([*ROOT.glob("engine/**/*.py"), *ROOT.glob("tests/**/*.py")])
# What documents must not say: a machine's own folders, where packages were fetched, how the text came about.
UNWANTED = r"(?<![\w.*])/(work|home|root|tmp|Users)/|pypi\.org|pythonhosted|index-url|\bsessions?\b"


@pytest.fixture
def update(request):
    return request.config.getoption("--update-golden")


def _text(path):
    return path.read_text(encoding="utf-8")


# What is generated


@pytest.mark.parametrize(
    ("path", "build"), [("inputs/README.md", guide), ("engine/formulas/README.md", formulary)], ids=lambda p: str(p)
)
def test_generated_document_is_fresh(path, build, update):
    if update:
        (ROOT / path).write_text(build(), encoding="utf-8")
    assert _text(ROOT / path) == build(), "make golden writes it anew"


def test_formulary_has_every_function():
    for path in (ROOT / "engine/formulas").glob("[a-z]*.py"):
        for node in ast.parse(_text(path)).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                assert f"**`{node.name}`**" in _text(ROOT / "engine/formulas/README.md"), f"{path.name}: {node.name}"


def _messages(november, folder):
    """What the engine says of the example with four slips in it."""
    rows = example("november")
    rows["Configurations"][0]["hardware"] = "H100"
    rows["Configurations"][1]["requests_share"] = 0.4
    rows["Traffic"][0]["cached_share"] = 45
    rows["Hardware"][0]["memory_bandwidth"] = "3,350"
    write_blank(folder / "slips.xlsx", rows, today=date(2026, 11, 30))
    with pytest.raises(InvalidWorkbook) as caught:
        read(folder / "slips.xlsx")
    return str(caught.value)


def _trail(november, folder):
    """A bill of the PDF, cell by cell, down to the price that somebody typed."""
    formulas = load_workbook(november / "results.xlsx")
    values = load_workbook(november / "results.xlsx", data_only=True)

    def step(sheet, head, key=CONFIGURATION, keys="configuration"):
        heads = [cell.value for cell in values[sheet][HEAD_ROW]]
        column, of_keys = heads.index(head), heads.index(keys)
        rows = zip(values[sheet].iter_rows(), formulas[sheet].iter_rows(), strict=True)
        cell = next(live[column] for shown, live in rows if shown[of_keys].value == key)
        return [f"{sheet}!{cell.coordinate}", head, str(cell.value)]

    steps = [step("Fleet", "Bill", keys="Configuration")]
    path = {"Calculation": "fleet_cost", "Joined inputs": "hourly_bill", "Fleets": "bill"}
    steps += [step(sheet, head) for sheet, head in path.items()]
    steps += [step("Bills", head) for head in ("hour_bill", "rented_hour_cost", "rented_price")]
    steps.append(step("Joined inputs", "accelerator_price"))
    paid = re.search(r"INDEX\(tblHardware\[one_year_price\].*?,0\)\)", steps[-1][2])
    steps[-1][2] = f"=... {paid[0]} ..."
    steps.append(step("Hardware", "one_year_price", "H100 SXM", "hardware"))
    widths = [max(len(line[column]) for line in steps) for column in (0, 1)]
    return "\n".join(f"{cell:<{widths[0]}}  {head:<{widths[1]}}  {text}" for cell, head, text in steps)


def _explained(november, folder):
    """The first lines of a derivation three steps deep, to the first price in it."""
    lines = derive(EXAMPLE, "output_cost", configuration=CONFIGURATION, most=3)
    first = next(place for place, line in enumerate(lines) if "Hardware!" in line)
    return "\n".join([*lines[: first + 1], "  ..."])


def _listed(november, folder):
    """The archive of the example's months, October published."""
    reports = shutil.copytree(november.parent, folder / "reports")
    published = {"state": archive.PUBLISHED, "published": {"at": "2026-11-04T09:30:00Z"}}
    archive.mark(reports / "2026-10", **published)
    return "\n".join(lines(reports))


@pytest.mark.parametrize("excerpt", [_messages, _trail, _explained, _listed], ids=lambda excerpt: excerpt.__name__[1:])
def test_excerpt_is_real(excerpt, november, tmp_path, update):
    head = f"<!-- {excerpt.__name__[1:]} -->\n```text\n"
    before, _, rest = _text(README).partition(head)
    assert rest
    shown, fence, after = rest.partition("```\n")
    real = excerpt(november, tmp_path) + "\n"
    if update:
        README.write_text(before + head + real + fence + after, encoding="utf-8")
        shown = real
    assert shown == real, "make golden writes it anew"


def test_picture_is_page_1(november, pages_of, update):
    """The picture carries the words of the page, because the same page may differ in its bytes."""
    words = pages_of(november / "report.pdf")[0]
    if update:
        document = pypdfium2.PdfDocument(november / "report.pdf")
        page = document[0]
        # Drawn large and made smaller, because PDFium loses thin strokes of small letters.
        large = page.render(scale=4 * 900 / page.get_width()).to_pil().convert("RGB")
        drawn = large.reduce(4).quantize(256)
        document.close()
        note = PngInfo()
        note.add_itxt("page", words)
        drawn.save(PICTURE, optimize=True, pnginfo=note)
    with Image.open(PICTURE) as picture:
        assert picture.text["page"] == words, "make golden draws it anew"
        assert picture.width == 900
    assert PICTURE.stat().st_size < 200_000
    assert f"]({PICTURE.relative_to(ROOT)})" in _text(README)


# What is named


def test_every_module_opens_with_a_sentence():
    for path in MODULES:
        first = (ast.get_docstring(ast.parse(_text(path))) or "").split("\n\n")[0]
        assert first.endswith("."), path


def test_readme_shows_every_command():
    groups = [("", app), *((f"{group.name} ", group.typer_instance) for group in app.registered_groups)]
    for prefix, command in [(prefix, command) for prefix, group in groups for command in group.registered_commands]:
        name = prefix + (command.name or command.callback.__name__)
        assert f".venv/bin/python -m engine {name} " in " ".join(_text(README).split()), name


def test_make_targets_exist_and_are_told():
    makefile = _text(ROOT / "Makefile")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for document in DOCUMENTS:
        named = set(re.findall(r"(?:`|^ +|^)make ([a-z]+)", _text(document), re.MULTILINE))
        assert named <= targets, document
    for target in re.findall(r"^([a-z]+):[^#\n]*## ", makefile, re.MULTILINE):
        assert f"`make {target}" in _text(CONTRIBUTING), target


def test_rooms_exist_and_are_told():
    paths = re.findall(r"^\| `([^`]+)` \|", _text(README), re.MULTILINE)
    assert all((ROOT / path).exists() for path in paths)
    for room in ROOMS:
        assert {f"engine/{room}.py", f"engine/{room}/"} & set(paths), room


def test_links_lead_somewhere():
    for document in DOCUMENTS:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", _text(document)):
            assert (document.parent / link).exists(), f"{document}: {link}"


def test_fidelity_has_its_section():
    """Formulas name it as the source of what was fitted."""
    assert "## Fidelity\n" in _text(README)


def test_parquet_units():
    grain = scenario(read(EXAMPLE))[CONFIGURED]
    kinds = {"text": "text", "flag": "true or false", "share": "share", "number": "count"}
    contract = _text(README).partition("<!-- parquet -->")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ([^`|]+) \| (.*`.*) \|$", contract, re.MULTILINE)
    told = {name: unit for unit, names in rows for name in re.findall(r"`(\w+)`", names)}
    assert len(told) >= 30
    for name, shown in told.items():
        unit = unit_of(grain.annotation(name))
        assert shown == (unit.symbol or kinds[unit.kind]), name


def test_every_dependency_has_its_reason():
    project = tomllib.loads(_text(ROOT / "pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    for requirement in [*project["dependencies"], *(named for extra in extras for named in extra)]:
        name = re.match(r"[\w-]+", requirement)[0]
        if name == project["name"]:
            continue  # one extra that takes another along
        assert re.search(rf"^\| [^|]*\b{name}\b[^|]*\|", _text(CONTRIBUTING), re.MULTILINE), name


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_speak_of_the_project_only(path):
    assert not re.search(UNWANTED, _text(path)), re.search(UNWANTED, _text(path))[0]


def test_there_is_no_docs_folder():
    assert not (ROOT / "docs").exists()
