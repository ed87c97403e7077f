"""Workbooks that can be read, with something in them that is most likely wrong: each a warning, in words."""

from __future__ import annotations

from datetime import date
from typing import Any

from bad_workbooks.valid import SEEN, Defect, Edit, at, both, coordinate, fill, more
from openpyxl import Workbook

from engine.sheets import MONTH_NAMES


def figure(name: str, column: str, value: Any, says: str, hardware: str = "H100 SXM") -> Defect:
    found = f"{column} of '{hardware}' is {says}"
    edit = both(fill("Hardware", {"hardware": hardware, column: value}), fill("Configurations", {"hardware": hardware}))
    return Defect(name, edit, at("Hardware", column), found)


def hide(sheet: str, *rows: int) -> Edit:
    def edit(book: Workbook) -> None:
        for row in rows:
            book[sheet].row_dimensions[row].hidden = True

    return edit


MEASURED = {"measured_output_speed": 1000, "measured_input_speed": 3000}

WARNINGS = (
    Defect(
        "a rate of another month",
        fill(
            "Exchange rates",
            {"currency": "EUR", "exchange_rate": 1.08, "rate_date": date(2026, 10, 30), "source": "a central bank"},
        ),
        at("Exchange rates", "rate_date"),
        "the rate of EUR is of 2026-10-30; that is not in the month reported, 2026-11. Look up a rate of the month.",
    ),
    figure(
        "a sparse peak",
        "bf16_compute",
        1979,
        "1,979 TFLOP/s; the catalogue has 989 TFLOP/s for H100 SXM, and twice that is the peak for sparse matrices. "
        "Type the dense peak.",
    ),
    figure(
        "a sparse peak of one of a family",
        "fp8_compute",
        3026,
        "3,026 TFLOP/s; the catalogue has 1,513 TFLOP/s for H100 PCIe, and twice that is the peak for sparse matrices. "
        "Type the dense peak.",
        "NVIDIA H100 80GB",
    ),
    figure(
        "a sparse peak under a name of one's own",
        "fp8_compute",
        3958,
        "3,958 TFLOP/s; the catalogue has 1,978 TFLOP/s for H100 SXM, and twice that is the peak for sparse matrices. "
        "Type the dense peak.",
        "rented",
    ),
    Defect(
        "the price of a server without the number of its accelerators",
        fill("Hardware", {"node_purchase_price": 270000, "service_life": 5, "accelerator_power": 0.7}),
        at("Hardware", "node_purchase_price"),
        "node_purchase_price of 'H100' is $270,000; that is the rent of its accelerators, 1 "
        f"({coordinate('Hardware', 'accelerators_per_node')}), for 10 years. "
        "Check that it is the price of a whole server, and how many accelerators that has.",
    ),
    Defect(
        "a peak four times another",
        both(
            fill("Hardware", {"hardware": "new chip", "bf16_compute": 700, "fp8_compute": 2800}),
            fill("Configurations", {"hardware": "new chip"}),
        ),
        at("Hardware", "fp8_compute"),
        "fp8_compute of 'new chip' is 2,800 TFLOP/s; that is 4 times bf16_compute (C5), and a dense peak is at most "
        "twice. Check that neither is a figure for sparse matrices.",
    ),
    figure(
        "GiB counted in GB",
        "accelerator_memory",
        85.9,
        "85.9 GB; the catalogue has 80 GB for H100 SXM, and this is that many GiB. Type it in GB of 1e9 bytes.",
    ),
    figure(
        "GB counted in GiB",
        "accelerator_memory",
        74.5,
        "74.5 GB; the catalogue has 80 GB for H100 SXM, and this is that much in GiB. Type it in GB of 1e9 bytes.",
    ),
    figure(
        "links in both directions",
        "link_bandwidth",
        900,
        "900 GB/s; the catalogue has 450 GB/s for H100 SXM, and twice that counts both directions. "
        "Type the bandwidth of one direction.",
    ),
    figure(
        "links in bits",
        "link_bandwidth",
        3600,
        "3,600 GB/s; the catalogue has 450 GB/s for H100 SXM, and eight times that is in Gbit/s. "
        "Type it in GB/s, of one direction.",
    ),
    figure(
        "a price with its point in the wrong place",
        "on_demand_price",
        29.5,
        "$29.5/h; the catalogue has $2.95/h for H100 SXM. "
        "Check the decimal point, and that it is the rent of one accelerator for an hour.",
    ),
    figure(
        "a price a tenth of any known",
        "three_year_price",
        0.1,
        "$0.1/h; the catalogue has $1.25/h for H100 SXM. "
        "Check the decimal point, and that it is the rent of one accelerator for an hour.",
    ),
    Defect(
        "a hidden row",
        hide("Hardware", 2, 5, 9),
        "Hardware!A5",
        "row 5 is hidden, by hand or by a filter; it counts all the same. Show it, and delete what is not meant.",
    ),
    Defect(
        "hidden rows",
        both(more("Models", {"model": "Llama 9B"}, {"model": "Llama 10B"}), hide("Models", 5, 7)),
        "Models!A5",
        "rows 5, 7 are hidden, by hand or by a filter; they count all the same. "
        "Show them, and delete what is not meant.",
    ),
    Defect(
        "a measurement that cannot be of this traffic",
        fill("Configurations", MEASURED),
        at("Configurations", "measured_input_speed"),
        "measured_input_speed is 3,000 tok/s; 1,000 tok/s of output "
        f"({coordinate('Configurations', 'measured_output_speed')}) come with 4,000 tok/s of input in 'chat'. "
        "Check that both were measured together, on traffic of these lengths.",
    ),
    Defect(
        "a day in another century's middle",
        fill("Hardware", {"checked_on": date(2062, 11, 3)}),
        at("Hardware", "checked_on"),
        "checked_on is 2062-11-03; that lies 36 years after the month reported, 2026-11. Check the year.",
    ),
    Defect(
        "the first day that is too far ahead",
        fill("Traffic", {"checked_on": date(2027, 3, 3)}),
        at("Traffic", "checked_on"),
        "checked_on is 2027-03-03; that lies 4 months after the month reported, 2026-11. Check the year.",
    ),
    Defect(
        "prices of others from next year",
        fill(
            "Competitors",
            {
                "competitor": "them",
                "api_input_price": 1,
                "api_output_price": 2,
                "source": "assumption",
                "as_of": date(2027, 11, 3),
            },
        ),
        at("Competitors", "as_of"),
        "as_of is 2027-11-03; that lies 12 months after the month reported, 2026-11. Check the year.",
    ),
    Defect(
        "a price list that nothing uses, of a year to come",
        more("Prices", {"price_list": "next", "valid_from": date(2062, 12, 1)}),
        at("Prices", "valid_from", 1),
        "valid_from is 2062-12-01; that lies 36 years after the month reported, 2026-11. Check the year.",
    ),
    Defect(
        "demand that nothing serves",
        fill("Configurations", {"requests_share": None}),
        at("Traffic", "traffic"),
        "'chat' has demand, but no configuration with a requests_share serves it. "
        "Its requests are in no total; give a configuration a share if they should be.",
    ),
    Defect(
        "a season of percents",
        fill("Seasons", {"season": "Office year", **dict.fromkeys(MONTH_NAMES, 80), **SEEN}),
        at("Seasons", "january"),
        "the factors of season 'Office year' have a mean of 80; they are multiples of a mean month, so about 1. "
        "Check all twelve.",
    ),
)
