"""How many rows a second the model takes, read in every way that it can be read, beside what the memory gives.

python tests/benchmarks/sweep.py [--seconds N] [--largest N]
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pandas as pd
from openpyxl import load_workbook
from report import ROOT, best, measured

sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from oracles import SOFFICE, recalculated_by_libreoffice  # noqa: E402

from engine.calculation import behind, calculate, depending_on  # noqa: E402
from engine.formulas import FORMULAS, needs  # noqa: E402
from engine.fusing.chunks import Chunked  # noqa: E402
from engine.fusing.graph import read as read_formulas  # noqa: E402
from engine.fusing.kernels import kernel  # noqa: E402
from engine.scenarios import CONFIGURED, scenario  # noqa: E402
from engine.sheets import HEAD_ROW  # noqa: E402
from engine.sweeping.grid import Axis, Grid  # noqa: E402
from engine.sweeping.plans import plan  # noqa: E402
from engine.sweeping.running import cores  # noqa: E402
from engine.workbook.read import read  # noqa: E402

EXAMPLE = ROOT / "inputs" / "example.xlsx"
WANTED = ("blended_cost", "user_speed", "fits", "meets_target")
# Two dense models and two mixtures of experts; requests of two of them have a promised wait.
NAMES = ("Chat on 4 H100", "Search on 2 H100", "Extraction on MI300X", "Code on 8 H200")
SPEED = (
    Axis("configuration", NAMES),
    Axis("tensor_parallel", (1.0, 2.0, 4.0, 8.0)),
    Axis("requested_batch_size", (), 64, (1, 64)),
    Axis("output_tokens", (), 40, (100, 2000)),
    Axis("input_tokens", (), 500, (500, 8000)),
)
MONEY = Axis("accelerator_price", (), 200, (1, 4))
BILLION = """
[axes]
configuration = ["Chat on 4 H100", "Search on 2 H100", "Code on 8 H200"]
hardware = ["H100 SXM", "H200 SXM", "B200 SXM", "MI300X"]
tensor_parallel = [1, 2, 4, 8]
requested_batch_size = {{ from = 1, to = {batches}, count = {batches} }}
accelerator_price = {{ from = 1, to = 5, count = {prices} }}
"""
GRIDS = {10_000: (4, 52), 100_000: (16, 130), 1_000_000: (32, 651), 10**7: (64, 3255), 10**8: (128, 16276)}
GRIDS[10**9] = (256, 81381)


def line(name, figure, unit="", note=""):
    print(f"  {name:44}{figure:>12}  {unit:10}{note}", flush=True)


def speed_of(planned, seconds, threads):
    """Rows a second of as many pieces as fit into so many seconds."""
    planned.calculate(0)
    pieces, begun = cycle(range(len(planned.pieces))), time.perf_counter()
    rows = 0
    with ThreadPoolExecutor(threads) as pool:
        while time.perf_counter() - begun < seconds:
            rows += sum(record["rows"] for record in pool.map(planned.calculate, islice(pieces, 2 * threads)))
    return rows / (time.perf_counter() - begun)


def in_order(planned, count):
    """The columns of rows all over the grid, as long as the rows."""
    rows = np.random.default_rng(1).integers(0, planned.rows, count)
    places = np.unravel_index(rows, planned.shape)
    return {
        name: column[tuple(place if length > 1 else 0 for place, length in zip(places, column.shape, strict=True))]
        for name, column in planned.columns.items()
    } | {axis.quantity: planned.values_of(rows)[axis.quantity] for axis in planned.axes if not axis.is_text}


def plain(example, planned, kind, count):
    """Rows a second of the formulas as they stand, on this kind of operands."""
    found = {name: FORMULAS[name] for name in behind(WANTED, planned.columns)}
    missing = set().union(*(needs(formula) for formula in found.values())) - set(found) - set(planned.columns)
    columns = in_order(planned, count) | {
        name: np.full(count, float(example[CONFIGURED].value(name, NAMES[0]) or 0)) for name in missing
    }
    begun = time.perf_counter()
    if kind == "python":
        for row in range(count):
            calculate({name: float(values[row]) for name, values in columns.items()}, found)
    else:
        calculate({name: pd.Series(values) for name, values in columns.items()} if kind == "pandas" else columns, found)
    return count / (time.perf_counter() - begun)


def bandwidth():
    """Bytes a second that all cores together move when they copy what no cache holds."""
    size = 1 << 24
    pairs = [(np.ones(size), np.zeros(size)) for _ in range(cores())]

    def copied(pair):
        np.copyto(pair[1], pair[0])

    with ThreadPoolExecutor(cores()) as pool:
        taken = []
        for _ in range(5):
            begun = time.perf_counter()
            list(pool.map(copied, pairs))
            taken.append(time.perf_counter() - begun)
    return 2 * 8 * size * len(pairs) / min(taken)


def money_of_columns(example, rows):
    """Seconds that the money takes over columns that are read from memory, fused and in chunks, and the bytes moved."""
    grain = example[CONFIGURED]
    speed = set(depending_on("requested_batch_size")) - set(depending_on("accelerator_price"))
    given = {name for name in (*grain.sources, *speed) if name in grain.values and grain.values[name].dtype.kind == "f"}
    given -= {name for name in given if name.startswith("hourly") or name == "is_billed_hourly"}
    constant = {name: np.zeros(1) for name in grain.sources if name.startswith("hourly") or name == "is_billed_hourly"}
    few = {name: grain.values[name].astype(float) for name in given} | constant
    found = read_formulas(FORMULAS, ["blended_cost", "gross_margin"], few)
    columns = {name: np.resize(few[name], rows) for name in found.columns}
    fused, chunked = kernel(found, columns), Chunked(found)
    taken = {}
    for name, evaluator in (("fused", fused), ("chunked", chunked)):
        fitted = {column: evaluator.fitted(column, values) for column, values in columns.items()}

        def part(first, evaluator=evaluator, fitted=fitted):
            here = {column: values[first : first + evaluator.rows] for column, values in fitted.items()}
            evaluator(here, (len(next(iter(here.values()))),))

        part(0)
        with ThreadPoolExecutor(cores()) as pool:
            runs = []
            for _ in range(3):
                begun = time.perf_counter()
                list(pool.map(part, range(0, rows, evaluator.rows)))
                runs.append(time.perf_counter() - begun)
        taken[name] = min(runs)
    return taken, 8 * rows * (len(columns) + 2), len(columns)


def machine():
    described = Path("/proc/cpuinfo")
    rows = described.read_text().splitlines() if described.exists() else []
    model = next((row.split(":")[1].strip() for row in rows if "model name" in row), "")
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "llvmlite", "pandas"))
    print(f"{model or platform.processor()}, {cores()} cores; Python {platform.python_version()}, {packages}")
    print(f"load when begun: {os.getloadavg()[0]:.1f}\n")


def readings(example, seconds):
    print("\nrows a second, full model")
    alone = plan(example, Grid(SPEED, WANTED, ""), "frontier")
    priced = plan(example, Grid((*SPEED, MONEY), WANTED, ""), "frontier")
    for name, planned in (("speed alone", alone), (f"{len(MONEY)} prices for each speed", priced)):
        for reading, compiles in (("fused kernel", True), ("NumPy in chunks", False)):
            planned._evaluator, planned._axes, planned.compiles = None, {}, compiles
            for threads in dict.fromkeys((1, cores())):
                rate = speed_of(planned, seconds, threads)
                line(f"{reading}, {name}", f"{rate / 1e6:,.2f} M", "rows/s", f"{threads} threads")
    for kind, count in (("numpy", 20_000), ("pandas", 20_000), ("python", 200)):
        names = {"numpy": "NumPy, all rows at once", "pandas": "pandas", "python": "plain Python, row by row"}
        line(names[kind], f"{plain(example, alone, kind, count):,.0f}", "rows/s", f"{count:,} rows")


def memory(example):
    print("\nmoney over columns that are read from memory")
    most = bandwidth()
    rows = 1 << 23
    taken, moved, columns = money_of_columns(example, rows)
    line("copying", f"{most / 1e9:,.1f}", "GB/s", "the bound")
    for name, seconds in taken.items():
        rate, share = rows / seconds, moved / seconds / most
        line(f"{name}, {columns} columns", f"{rate / 1e6:,.1f} M", "rows/s", f"{share:.0%} of the bound")
    line("fused over chunked", f"{taken['chunked'] / taken['fused']:.1f}", "times")


def growth(largest):
    print("the command, to its frontier")
    with tempfile.TemporaryDirectory() as folder:
        for rows, (batches, prices) in GRIDS.items():
            if rows > largest:
                break
            grid = Path(folder) / f"{rows}.toml"
            grid.write_text(BILLION.format(batches=batches, prices=prices))
            out = ("--out", str(Path(folder) / str(rows)), "--keep", "frontier", "--yes")
            command = ("-m", "engine", "sweep", str(EXAMPLE), "--grid", str(grid), *out, "--quiet")
            seconds, used, code = measured(*command)
            count = 3 * 4 * 4 * batches * prices
            line(f"{count:,} rows", f"{seconds:,.1f}", "s", f"{used:,.0f} MB" + (f", FAILED {code}" if code else ""))


def oracle():
    print("\nthe report, and LibreOffice over its rows")
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder)
        seconds, used = best(1, "-m", "engine", "report", str(EXAMPLE), "--out", folder)
        line("report of the example", f"{seconds:,.1f}", "s", f"{used:,.0f} MB")
        (run,) = reports.glob("*/run.json")
        for name, took in json.loads(run.read_text(encoding="utf-8"))["seconds"].items():
            line(f"of it: {name}", f"{took:,.1f}", "s")
        if SOFFICE is None:
            line("LibreOffice", "-", "", "not installed")
            return
        results = run.with_name("results.xlsx")
        sheets = load_workbook(results, read_only=True)
        rows = sum(sheets[name].max_row - HEAD_ROW for name in ("Calculation", "Cases"))
        begun = time.perf_counter()
        recalculated_by_libreoffice(results, reports)
        taken = time.perf_counter() - begun
        line("LibreOffice, all its sheets", f"{taken:,.1f}", "s", f"{rows / taken:,.1f} rows/s of the model")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="for each figure")
    parser.add_argument("--largest", type=int, default=10**9, help="rows of the largest grid")
    asked = parser.parse_args()
    machine()
    # First, because a child's peak memory begins with what its parent holds.
    growth(asked.largest)
    example = scenario(read(EXAMPLE))
    readings(example, asked.seconds)
    memory(example)
    oracle()


if __name__ == "__main__":
    main()
