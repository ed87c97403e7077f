"""The example report as text: whatever moves, moves where everybody can see it.

`make golden` accepts what is there now; the diff of tests/golden/example.txt then says what a change did.
"""

import difflib
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from test_run import CONTRACT

GOLDEN = Path(__file__).parent / "golden" / "example.txt"
MOST_LINES = 150


def figure(value):
    """A cell of the parquet as text: numbers with six significant figures, a blank as a dash."""
    if pd.isna(value) or value == "":
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@pytest.fixture(scope="module")
def now(november, november_lines):
    """The report's pages and the figures that other programs read, without what differs from file to file."""
    run = json.loads((november / "run.json").read_text(encoding="utf-8"))
    lines = []
    for number, page in enumerate(november_lines, 1):
        lines += [f"--- page {number}", *page, ""]
    text = "\n".join(lines).replace(run["input"]["sha256"][:8], "<input>")
    text = text.replace(f"engine {run['engine']['version']}", "engine <version>")
    frame = pd.read_parquet(november / "results.parquet").set_index("configuration")
    rows = [
        f"{key} | {name} | {figure(row[name])}" for key, row in frame.iterrows() for name in CONTRACT if name in row
    ]
    return text + "\n".join(["--- figures", *rows, ""])


def test_the_example_is_as_accepted(now, request):
    golden = GOLDEN.read_text(encoding="utf-8") if GOLDEN.exists() else ""
    # Where a line breaks is the typesetter's affair.
    if now.split() == golden.split():
        return
    if request.config.getoption("--update-golden"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(now, encoding="utf-8")
        return
    diff = list(difflib.unified_diff(golden.splitlines(), now.splitlines(), "accepted", "now", n=0, lineterm=""))
    shown = [line for line in diff if not line.startswith("@@")]
    more = [f"... and {len(shown) - MOST_LINES} more lines"] if len(shown) > MOST_LINES else []
    pytest.fail(
        "\n".join(["The example report moved. If it should have: make golden", *shown[:MOST_LINES], *more]),
        pytrace=False,
    )


def test_the_diff_shows_lines(now):
    """What is compared is text that a person can read, line by line."""
    lines = now.splitlines()
    assert "--- page 1" in lines and "--- figures" in lines
    assert len(lines) > 500 and max(map(len, lines)) < 400
    assert any(re.fullmatch(r"Chat on 4 H100 \| step_time \| 0\.0\d+", line) for line in lines)
    assert any(line == "Chat on 4 TPU v5e | step_time | -" for line in lines)
