"""Currencies: which amounts come to a grain converted, and at which rates. Knows not what an amount is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.scenarios.sources import Chosen, Converted, Filled, Looked, Said, Source
from engine.sheets import BY_NAME, CURRENCY, EXCHANGE_RATES, Sheet
from engine.units import unit_of
from engine.workbook.read import Inputs


def in_report_currency(sources: Mapping[str, Source], inputs: Inputs) -> dict[str, Source]:
    """The sources, with amounts converted that stand on a sheet which names a currency other than the report's."""
    return {
        name: Converted(source)
        if isinstance(source, Looked | Filled | Chosen | Said)
        and unit_of(source.annotation).is_money
        and _names_another(inputs, _sheet_of(source))
        else source
        for name, source in sources.items()
    }


def rates(inputs: Inputs, currencies: Any) -> Any:
    """What one unit of each of these currencies is worth in the report's."""
    table = inputs.tables[EXCHANGE_RATES.name]
    known = {row["currency"]: row["exchange_rate"] for row in table}
    return np.array([1.0 if is_own(inputs, currency) else known[currency] for currency in currencies], dtype=float)


def is_own(inputs: Inputs, currency: str) -> bool:
    """Whether a currency is the report's, as a blank cell is."""
    return currency in ("", inputs.settings["currency"])


def _sheet_of(source: Looked | Filled | Chosen | Said) -> Sheet:
    match source:
        case Chosen(choice):
            return BY_NAME[choice.sheet]
        case Filled(looked) | Said(looked):
            return looked.sheet
    return source.sheet


def _names_another(inputs: Inputs, sheet: Sheet) -> bool:
    if CURRENCY not in sheet.columns:
        return False
    return any(not is_own(inputs, currency) for currency in inputs.tables[sheet.name].columns[CURRENCY.name])
