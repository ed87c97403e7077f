"""Who may import whom: a file imports only rooms above its own."""

import ast
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[1] / "engine"

# In reading order; a room may import the rooms before it and its own files.
ROOMS = (
    "units",
    "distributions",
    "formulas",
    "sheets",
    "spreads",
    "calculation",
    "tracing",
    "fusing",
    "catalogue",
    "measured",
    "workbook",
    "filling",
    "scenarios",
    "derivation",
    "formulary",
    "studies",
    "sweeping",
    "report",
    "render",
    "archive",
    "comparing",
    "sending",
    "run",
    "publishing",
    "verification",
    "watching",
    "commands",
    "__main__",
)
NARROWER = {
    "distributions": set(),
    "formulas": {"units", "distributions"},
    "sheets": {"units"},
    "spreads": {"sheets"},
    "calculation": {"formulas"},
    "tracing": {"units", "distributions", "formulas"},
    "fusing": {"units", "distributions", "formulas", "calculation", "tracing"},
    "catalogue": {"sheets"},
    "measured": {"sheets"},
    "workbook": {"units", "sheets", "spreads", "catalogue"},
    "archive": set(),
}
FOREIGN = {
    "openpyxl": {"workbook", "render"},
    "pandas": set(),
    "pyarrow": {"run", "sweeping", "verification"},
    "pypdfium2": {"render"},
    "rich": {"commands"},
    "scipy": {"spreads", "studies"},
    "llvmlite": {"fusing"},
    "dask": {"sweeping"},
    "distributed": {"sweeping"},
    "weasyprint": {"render"},
    "matplotlib": {"render"},
    "smtplib": {"sending"},
    "jinja2": {"render"},
    "typer": {"commands", "__main__"},
}
FILES = sorted(ENGINE.rglob("*.py"))


def _room(path):
    return path.relative_to(ENGINE).parts[0].removesuffix(".py")


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [alias.name for alias in node.names]
            yield from (f"engine.{name}" for name in names) if node.module == "engine" else (node.module,)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ENGINE)))
def test_imports_only_rooms_above(path):
    room = _room(path)
    if room == "__init__":
        return
    allowed = NARROWER.get(room, set(ROOMS[: ROOMS.index(room)])) | {room, "__version__"}
    for module in _imports(path):
        parts = module.split(".")
        if parts[0] == "engine" and len(parts) > 1:
            assert parts[1] in allowed, f"{room} may not import {module}"
        elif parts[0] in FOREIGN:
            assert room in FOREIGN[parts[0]], f"{room} may not import {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ENGINE)))
def test_every_file_says_what_it_owns(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_formulas_do_not_call_formulas():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ENGINE / "formulas").glob("[a-z]*.py")]
    names = {node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}
    called = {
        node.func.id
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not {name for name in names & called if not name.startswith("_")}
