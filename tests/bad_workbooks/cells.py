"""Defects of single cells: text where a number belongs, shares typed as percent, names that are not known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bad_workbooks.valid import Defect, at, both, fill, more


def cell(name: str, sheet: str, column: str, value: Any, says: str) -> Defect:
    return Defect(name, fill(sheet, {column: value}), at(sheet, column), says)


DEFECTS = (
    cell(
        "a name too long to be looked up",
        "Configurations",
        "configuration",
        "H" * 256,
        f"'{'H' * 40}...' has 256 characters; Excel looks up no more than 255. Shorten it.",
    ),
    cell(
        "text with a percent sign",
        "Configurations",
        "requests_share",
        "12 %",
        "requests_share is the text '12 %'; allowed is 0.0001 % to 100 %. Type 12 % or 0.12 as a number.",
    ),
    cell(
        "text with a separator",
        "Hardware",
        "memory_bandwidth",
        "3,350",
        "memory_bandwidth is the text '3,350'; allowed is 50 to 100,000 GB/s. Type 3350 as a number.",
    ),
    cell(
        "n/a where a figure may be unknown",
        "Hardware",
        "spot_price",
        "n/a",
        "spot_price is the text 'n/a'; allowed is $0/h to $1,000/h. "
        "Type a number, or clear the cell where there is none.",
    ),
    cell(
        "n/a where a figure is needed",
        "Hardware",
        "accelerator_memory",
        "n/a",
        "accelerator_memory is the text 'n/a'; allowed is 1 to 2,000 GB. Type a number.",
    ),
    cell(
        "a comma that may be a decimal one",
        "Hardware",
        "accelerator_memory",
        "80,5",
        "accelerator_memory is the text '80,5'; allowed is 1 to 2,000 GB. Type a number.",
    ),
    cell(
        "a percent typed as a number",
        "Settings",
        "usable_memory_share",
        60,
        "usable_memory_share is 6000 %; allowed is 30 % to 100 %. Type 60 % or 0.6.",
    ),
    cell(
        "a server that serves no time",
        "Hardware",
        "service_life",
        0,
        "service_life is 0 years; allowed is 0.5 to 30 years. Check the figure and its unit: the column holds years.",
    ),
    cell(
        "a server that sells for more than it cost",
        "Hardware",
        "residual_share",
        1.1,
        "residual_share is 110 %; allowed is 0 % to 100 %. Type 1.1 % or 0.011.",
    ),
    cell(
        "power in watts",
        "Hardware",
        "accelerator_power",
        700,
        "accelerator_power is 700 kW; allowed is 0.005 to 20 kW. Check the figure and its unit: the column holds kW.",
    ),
    cell(
        "a building that takes less power than its servers",
        "Settings",
        "power_usage_effectiveness",
        0.9,
        "power_usage_effectiveness is 0.9; allowed is 1 to 5. Check the figure.",
    ),
    cell(
        "a crossover within half a token",
        "Settings",
        "crossover_limit",
        0.5,
        "crossover_limit is 0.5 tokens/month; allowed is 1 to 10,000,000,000,000,000 tokens/month. "
        "Check the figure and its unit: the column holds tokens/month.",
    ),
    cell(
        "a percent typed into a percent cell, twice over",
        "Configurations",
        "assumed_utilization",
        120,
        "assumed_utilization is 12000 %; allowed is 1 % to 100 %. Type 12 % or 0.12.",
    ),
    cell(
        "a figure in another unit",
        "Hardware",
        "accelerator_memory",
        80000,
        "accelerator_memory is 80,000 GB; allowed is 1 to 2,000 GB. "
        "Check the figure and its unit: the column holds GB.",
    ),
    cell(
        "a fraction of an accelerator",
        "Configurations",
        "tensor_parallel",
        2.5,
        "tensor_parallel is 2.5; allowed is a whole number, 1 to 1,024. Type 2, or another whole number.",
    ),
    cell(
        "a percent typed as text without its sign",
        "Configurations",
        "requests_share",
        "60",
        "requests_share is the text '60'; allowed is 0.0001 % to 100 %. Type 60 % or 0.6.",
    ),
    cell(
        "a number as text in another unit",
        "Hardware",
        "accelerator_memory",
        "80,000",
        "accelerator_memory is the text '80,000'; allowed is 1 to 2,000 GB. "
        "Check the figure and its unit: the column holds GB.",
    ),
    cell(
        "a number where a name belongs",
        "Configurations",
        "model",
        8,
        "model is the number 8; allowed is a name on the Models sheet. Choose one from the list.",
    ),
    cell(
        "a figure without a source",
        "Models",
        "source",
        None,
        "source is blank; every row needs one. Fill it in.",
    ),
    cell(
        "a figure without a day",
        "Models",
        "checked_on",
        None,
        "checked_on is blank; allowed is a date, such as 2026-11-03. Fill it in.",
    ),
    cell(
        "a negative price",
        "Prices",
        "output_price",
        -0.3,
        "output_price is -$0.3/Mtoken; allowed is $0/Mtoken to $10,000/Mtoken. "
        "Check the figure and its unit: the column holds $/Mtoken.",
    ),
    cell(
        "an error value where a name belongs",
        "Configurations",
        "model",
        "#REF!",
        "model is the error #REF!; allowed is a name on the Models sheet. Correct the formula, or type the value.",
    ),
    cell(
        "TRUE where a number belongs",
        "Traffic",
        "mean_requests",
        True,
        "mean_requests is TRUE; allowed is 0.000001 to 100,000,000 requests/s. "
        "Type a number, in a cell with a number format.",
    ),
    cell(
        "TRUE where yes belongs",
        "Configurations",
        "shared_pool",
        True,
        "shared_pool is TRUE; allowed is one of yes, no. Choose one from the list.",
    ),
    cell(
        "a date where a number belongs",
        "Models",
        "layers",
        datetime(2026, 11, 3),
        "layers is the date 2026-11-03; allowed is a whole number, 1 to 1,000. "
        "Type a number, in a cell with a number format.",
    ),
    cell(
        "a date as text",
        "Prices",
        "valid_from",
        "03.11.2026",
        "valid_from is '03.11.2026'; allowed is a date, such as 2026-11-03. "
        "Type it as a date, such as 2026-11-03, in a cell with a date format.",
    ),
    cell(
        "a date that cannot be meant",
        "Prices",
        "checked_on",
        datetime(1926, 11, 3),
        "checked_on is 1926-11-03; allowed are the years 2000 to 2099. Check the date.",
    ),
    cell(
        "a number where text belongs",
        "Models",
        "source",
        2024,
        "source is the number 2,024; allowed is text. Type an apostrophe before it to make it text.",
    ),
    cell(
        "a name with spaces around it",
        "Configurations",
        "hardware",
        " H100 ",
        "' H100 ' has spaces around it. Type 'H100'.",
    ),
    cell(
        "a word with spaces around it",
        "Configurations",
        "shared_pool",
        "yes ",
        "'yes ' has spaces around it. Type 'yes'.",
    ),
    cell(
        "a name with a no-break space",
        "Models",
        "model",
        "Llama\u00a08B",
        "'Llama\u00a08B' holds a character that cannot be seen. Type the name again by hand.",
    ),
    cell(
        "a name that Excel would look up as a pattern",
        "Models",
        "model",
        "Llama*",
        "'Llama*' holds one of * ? ~, which Excel takes for placeholders when it looks a name up. Rename it.",
    ),
    cell(
        "a name that is not there",
        "Configurations",
        "hardware",
        "v5p",
        "'v5p' is not on the Hardware sheet, which has: H100. Choose one, or add a row there.",
    ),
    cell(
        "a name that is nearly there",
        "Configurations",
        "model",
        "llama-8b",
        "'llama-8b' is not on the Models sheet, which has: Llama 8B. "
        "Did you mean Llama 8B? Choose one, or add a row there.",
    ),
    cell(
        "a name of another size",
        "Configurations",
        "model",
        "Llama 70B",
        "'Llama 70B' is not on the Models sheet, which has: Llama 8B. Choose one, or add a row there.",
    ),
    cell(
        "the beginning of a name",
        "Configurations",
        "model",
        "llama",
        "'llama' is not on the Models sheet, which has: Llama 8B. "
        "Did you mean Llama 8B? Choose one, or add a row there.",
    ),
    cell(
        "a name with a number more",
        "Configurations",
        "hardware",
        "H100 80",
        "'H100 80' is not on the Hardware sheet, which has: H100. Did you mean H100? Choose one, or add a row there.",
    ),
    Defect(
        "the beginning of two names",
        both(
            more("Hardware", {"hardware": "H100 PCIe"}),
            fill("Hardware", {"hardware": "H100 SXM"}),
            fill("Configurations", {"hardware": "H100"}),
        ),
        at("Configurations", "hardware"),
        "'H100' is not on the Hardware sheet, which has: H100 SXM, H100 PCIe. Choose one, or add a row there.",
    ),
    cell(
        "traffic that is neither a class nor a mix",
        "Configurations",
        "traffic",
        "chatt",
        "'chatt' is on neither of the Traffic and Traffic mixes sheets, which have: chat. "
        "Did you mean chat? Choose one, or add a row there.",
    ),
    Defect(
        "a default that is not there",
        fill("Calibration", {"calibration": "ours"}),
        at("Configurations", "calibration"),
        "is blank, which means 'all', and that is not on the Calibration sheet, which has: ours. "
        "Choose one, or add a row there.",
    ),
    cell(
        "a word that is not in the list",
        "Precisions",
        "compute",
        "bf-16",
        "compute is 'bf-16'; allowed is one of bf16, fp8, int8, fp4. Did you mean bf16? Choose one from the list.",
    ),
    cell(
        "a word with capitals",
        "Configurations",
        "requested_batch_size",
        "Max",
        "requested_batch_size is the text 'Max'; allowed is a whole number, 1 to 1,000,000 sequences or max "
        "or demand. Type a number or max or demand.",
    ),
    cell(
        "a blank that must be filled",
        "Hardware",
        "memory_bandwidth",
        None,
        "memory_bandwidth is blank; allowed is 50 to 100,000 GB/s. Fill it in.",
    ),
    cell(
        "a row without its name",
        "Hardware",
        "hardware",
        None,
        "hardware is blank; every row needs a name. Fill it in, or clear the whole row.",
    ),
    cell(
        "only spaces",
        "Hardware",
        "spot_price",
        "  ",
        "spot_price looks blank but holds spaces. Clear the cell, or fill it in.",
    ),
    Defect(
        "a name that stands twice",
        more("Hardware", {"hardware": "h100"}),
        at("Hardware", "hardware", 1),
        "'h100' is already in Hardware!A5; a name stands once (capitals make no difference). "
        "Rename or delete one of the two.",
    ),
    cell(
        "a formula that was never calculated",
        "Hardware",
        "memory_bandwidth",
        "=3.35*1000",
        "is a formula that was never calculated (the file was saved by a program that does not calculate). "
        "Open it in Excel, save, and run again.",
    ),
    cell(
        "an error value",
        "Hardware",
        "on_demand_price",
        "#N/A",
        "on_demand_price is the error #N/A; allowed is $0/h to $1,000/h. Correct the formula, or type the value.",
    ),
)
