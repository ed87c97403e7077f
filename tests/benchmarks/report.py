"""How long a report takes and how much memory: beside what merely loading its libraries costs, and stage by stage.

python tests/benchmarks/report.py [WORKBOOK] [--runs N]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIBRARIES = "import pyarrow.parquet, weasyprint, matplotlib"
# Linux counts in KiB, macOS in bytes.
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def measured(*arguments):
    """Seconds and peak MB of a Python process with its children, and its exit code."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    # Told to Popen, which would otherwise wait for it again.
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - started, usage.ru_maxrss * RSS_UNIT / 1e6, process.returncode


def best(runs, *arguments):
    """The quickest of some runs, which is the least disturbed one."""
    results = [measured(*arguments) for _ in range(runs)]
    if any(code for *_, code in results):
        sys.exit(f"{' '.join(arguments)} failed")
    return min(seconds for seconds, *_ in results), max(memory for _, memory, _ in results)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workbook", nargs="?", type=Path, default=ROOT / "inputs" / "example.xlsx")
    parser.add_argument("--runs", type=int, default=3, help="the quickest counts")
    asked = parser.parse_args()
    # Once beforehand, so that neither side pays for compiling bytecode or a cold disk.
    measured("-c", LIBRARIES)
    loading, loaded = best(asked.runs, "-c", LIBRARIES)
    with tempfile.TemporaryDirectory() as folder:
        report = ("-m", "engine", "report", str(asked.workbook.resolve()), "--out", folder)
        seconds, memory = best(asked.runs, *report)
        (run,) = Path(folder).glob("*/run.json")
        stages = json.loads(run.read_text(encoding="utf-8"))["seconds"]
    print(f"{'':34}{'seconds':>9}{'peak MB':>9}")
    print(f"{'report ' + asked.workbook.name:34}{seconds:9.2f}{memory:9.0f}")
    print(f"{LIBRARIES:34.34}{loading:9.2f}{loaded:9.0f}")
    print(f"{'ratio':34}{seconds / loading:9.1f}{memory / loaded:9.1f}")
    print("\nstages of the last run")
    for name, took in stages.items():
        print(f"  {name:32}{took:9.2f}")


if __name__ == "__main__":
    main()
