"""How long a workbook of many configurations takes to check, and how much memory, beside what parsing its XML takes.

python tests/benchmarks/check.py [--rows N] [--runs N]
"""

import argparse
import sys
import tempfile
from datetime import date
from multiprocessing import get_context
from pathlib import Path

from report import best, measured

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

# The least that any reader does: every sheet through the quickest parser that Python brings.
PARSING = """
import sys, zipfile
from xml.etree.ElementTree import iterparse
with zipfile.ZipFile(sys.argv[1]) as package:
    for name in package.namelist():
        if name.startswith("xl/worksheets/sheet"):
            for _, element in iterparse(package.open(name)):
                if element.tag.endswith("}row"):
                    element.clear()
"""


def write_many(path, count):
    """The example with so many configurations; those that are added are compared only."""
    from engine.catalogue import example
    from engine.workbook.blank import write_blank

    rows = example("november")
    own = rows["Configurations"]
    compared = [{name: value for name, value in row.items() if name != "requests_share"} for row in own]
    more = ({**compared[number % len(own)], "configuration": f"more {number}"} for number in range(count - len(own)))
    write_blank(path, {**rows, "Configurations": [*own, *more]}, today=date(2026, 11, 30))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000, help="rows of Configurations")
    parser.add_argument("--runs", type=int, default=3, help="the quickest counts")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.xlsx"
        # In a process of its own, because a child's peak memory begins with what its parent held.
        writing = get_context("spawn").Process(target=write_many, args=(path, asked.rows))
        writing.start()
        writing.join()
        # Once beforehand, so that neither side pays for compiling bytecode or a cold disk.
        measured("-m", "engine", "check", str(path))
        parsing, parsed = best(asked.runs, "-c", PARSING, str(path))
        seconds, memory = best(asked.runs, "-m", "engine", "check", str(path))
    print(f"{'':34}{'seconds':>9}{'peak MB':>9}")
    print(f"{f'check {asked.rows:,} configurations':34}{seconds:9.2f}{memory:9.0f}")
    print(f"{'parsing the XML of its sheets':34}{parsing:9.2f}{parsed:9.0f}")
    print(f"{'ratio':34}{seconds / parsing:9.1f}{memory / parsed:9.1f}")


if __name__ == "__main__":
    main()
