"""Drivers and scenarios that name what is not there, or say in two ways how far an input moves."""

from __future__ import annotations

from typing import Any

from bad_workbooks.valid import Defect, Edit, at, fill

RENT = {"input_sheet": "Hardware", "input_column": "on_demand_price"}


def driver(*rows: dict[str, Any]) -> Edit:
    """Rows of Sensitivity, by default a rent that falls and rises by a tenth."""
    tenth = {"low_change": -0.1, "high_change": 0.1}
    return fill("Sensitivity", *({"driver": f"driver {n}", **RENT, **tenth, **row} for n, row in enumerate(rows)))


def scenario(**row: Any) -> Edit:
    return fill("Scenarios", {"scenario": "High", **RENT, **row})


DEFECTS = (
    Defect(
        "a driver of a sheet that is none",
        driver({"input_sheet": "Prizes"}),
        at("Sensitivity", "input_sheet"),
        "input_sheet is 'Prizes'; allowed is one of Settings, Configurations, Traffic, Traffic mixes, Load profiles, "
        "Prices, Other costs, Competitors, Exchange rates, Hardware, Commitments, Models, Precisions, Calibration. Did "
        "you mean Prices? Choose one from the list.",
    ),
    Defect(
        "a driver of a column that is not there",
        driver({"input_column": "spot"}),
        at("Sensitivity", "input_column"),
        "'spot' is no column of Hardware; it has spot_price. Type the head as it stands there.",
    ),
    Defect(
        "one of several columns is not there",
        driver({"input_column": "on_demand_price, weekly_price"}),
        at("Sensitivity", "input_column"),
        "'weekly_price' is no column of Hardware; it has hardware, vendor, bf16_compute, fp8_compute, int8_compute, "
        "fp4_compute, accelerator_memory, memory_bandwidth and 23 more. Type the head as it stands there.",
    ),
    Defect(
        "a driver of names",
        driver({"input_column": "vendor"}),
        at("Sensitivity", "input_column"),
        "vendor holds no figures; only figures are moved. Choose another column.",
    ),
    Defect(
        "a driver of a row that is not there",
        driver({"input_row": "H1000"}),
        at("Sensitivity", "input_row"),
        "'H1000' is no row of Hardware; it has H100. Type one of them, or clear the cell.",
    ),
    Defect(
        "a driver of a row of Settings",
        driver({"input_sheet": "Settings", "input_column": "headroom", "input_row": "headroom"}),
        at("Sensitivity", "input_row"),
        "input_row is 'headroom'; Settings has one value for each setting. Clear it.",
    ),
    Defect(
        "a driver that does not move",
        driver({"low_change": None, "high_change": None}),
        at("Sensitivity", "low_change"),
        "nothing says how far it is moved; a driver has low_change or high_change, or values. "
        "Type how far, such as -20 % and 20 %.",
    ),
    Defect(
        "a driver that moves in two ways",
        driver({"high_value": 4}),
        at("Sensitivity", "high_value"),
        "low_change, high_change, high_value are given; a driver moves by shares, or takes values. "
        "Clear the ones or the others.",
    ),
    Defect(
        "a driver whose sides are exchanged",
        driver({"low_change": 0.1, "high_change": -0.1}),
        at("Sensitivity", "low_change"),
        "low_change is 0.1, and high_change is -0.1; the low side is the smaller one. Exchange them.",
    ),
    Defect(
        "a pair with one side",
        driver({"pair": "rents", "low_change": None}, {"pair": "rents"}),
        at("Sensitivity", "high_change"),
        "high_change alone is given; a driver of a pair (I5) has a low and a high side. "
        "Fill in the other side, or clear the pair.",
    ),
    Defect(
        "a pair of three",
        driver({"pair": "rents"}, {"pair": "rents"}, {"pair": "rents"}),
        at("Sensitivity", "pair"),
        "3 drivers have the pair 'rents'; a two-way table has two. Name the pair on two rows.",
    ),
    Defect(
        "two drivers of one name",
        driver({"driver": "Rent"}, {"driver": "rent"}),
        at("Sensitivity", "driver", 1),
        "'rent' is already in Sensitivity!A5; a name stands once (capitals make no difference). "
        "Rename or delete one of the two.",
    ),
    Defect(
        "a driver of a long name",
        driver({"driver": "r" * 256}),
        at("Sensitivity", "driver"),
        f"'{'r' * 40}...' has 256 characters; Excel looks up no more than 255. Shorten it.",
    ),
    Defect(
        "a scenario that changes nothing",
        scenario(),
        at("Scenarios", "change"),
        "nothing says what changes; a row has a change, or a new_value, or a new_name. Fill in one of the three.",
    ),
    Defect(
        "a scenario that changes in two ways",
        scenario(change=0.1, new_value=3),
        at("Scenarios", "change"),
        "change, new_value are given; a row has a change, or a new_value, or a new_name. Fill in one of the three.",
    ),
    Defect(
        "a name for a figure",
        scenario(new_name="cheap"),
        at("Scenarios", "new_name"),
        "on_demand_price holds figures; allowed is a figure in new_value. Type it there.",
    ),
    Defect(
        "a figure for a name",
        scenario(input_sheet="Configurations", input_column="hardware", new_value=3),
        at("Scenarios", "input_column"),
        "hardware holds no figures; a name takes its place, typed into new_name. Choose another column.",
    ),
)
