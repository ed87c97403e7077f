"""Ownership: what must be known of servers that are bought. Knows tables and cells, no Excel file.

A server is bought where it has a purchase price. What is needed then has no default, because no figure is safe.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.sheets import HARDWARE
from engine.workbook.describe import amount
from engine.workbook.problems import Problem
from engine.workbook.tables import Tables

NEEDED = ("service_life", "accelerator_power")
# Rents for as long as a purchase price pays, by far: a price for one accelerator, or with a slip, lies outside.
SHORTEST, LONGEST = 0.1, 10.0  # years
HOURS_A_YEAR = 8760


def _bought(tables: Tables) -> Iterator[Problem]:
    """A server that is bought has a life and draws power."""
    for row in tables[HARDWARE.name]:
        if not row.sound("node_purchase_price") or row.is_blank("node_purchase_price"):
            continue
        for name in NEEDED:
            if row.sound(name) and row.is_blank(name):
                found = f"{name} of '{row['hardware']}' is blank although it has a purchase price"
                where = f"owning it cannot be costed without ({row.address('node_purchase_price')})"
                yield Problem(*row.place(name), found, where, "Fill it in, or clear the price.")


def _price_of_one(tables: Tables) -> Iterator[Problem]:
    """Warns of a price that is a few weeks' rent of the server, or many years': of one accelerator, or a slip."""
    for row in tables[HARDWARE.name]:
        names = ("node_purchase_price", "accelerators_per_node", "on_demand_price")
        if not row.sound(*names) or row.is_blank("node_purchase_price") or not row["on_demand_price"] > 0:
            continue
        rent = row["on_demand_price"] * row["accelerators_per_node"] * HOURS_A_YEAR
        years = row["node_purchase_price"] / rent
        if not SHORTEST <= years <= LONGEST:
            price = amount(HARDWARE.column("node_purchase_price"), row["node_purchase_price"])
            found = f"node_purchase_price of '{row['hardware']}' is {price}"
            count = f"{row['accelerators_per_node']:.0f} ({row.address('accelerators_per_node')})"
            of = f"that is the rent of its accelerators, {count}, for {years:.2g} years"
            advice = "Check that it is the price of a whole server, and how many accelerators that has."
            yield Problem(*row.place("node_purchase_price"), found, of, advice, "warning")


CHECKS = (_bought, _price_of_one)
