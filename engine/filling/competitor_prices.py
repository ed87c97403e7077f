"""Competitor prices: rows of the sheet Competitors from the price list of the package genai-prices. Knows no workbook.

The list says neither when a price was looked at nor, reliably, when it began: its prices are as of the release of the
package, which is pinned, and nothing is dated back. Nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from importlib.metadata import version
from typing import Any

from engine.filling import UnknownNameError
from engine.workbook.problems import listed, nearest

Row = dict[str, Any]

PACKAGE = "genai-prices"
# Released on this day, as the package index says; goes with the pinned version in pyproject.toml.
AS_OF = date(2026, 11, 10)
# The columns of the sheet, and the prices of the list, in $ for a million tokens.
PRICES = {
    "api_input_price": "input_mtok",
    "api_cached_price": "cache_read_mtok",
    "api_output_price": "output_mtok",
}
REQUIRED = ("api_input_price", "api_output_price")
# Words that vendors add to the name of a model, and that leave it the same model.
ADDED_WORDS = {"meta", "instruct", "it", "turbo", "versatile", "instant", "basic"}


def competitor_rows(providers: Sequence[str], parts: Sequence[str] = ()) -> list[Row]:
    """A row for every model of these providers that is sold by input and output tokens.

    Where `parts` are given, only for models whose names hold one of them. What a provider sells at the same prices
    under another spelling of its name is there once.
    Errors: UnknownNameError for a provider that is not in the list, or where no model is left.
    """
    rows = [row for name in dict.fromkeys(providers) for row in _rows(_provider(name))]
    names = [part.casefold() for part in parts]
    kept = [row for row in rows if not names or any(name in row["competitor"].casefold() for name in names)]
    if not kept:
        reason = f"has {' or '.join(parts)} in its name" if rows else "is sold by input and output tokens"
        raise UnknownNameError(f"no model of {listed(providers)} {reason}")
    offers: dict[tuple[Any, ...], Row] = {}
    for row in kept:
        offers.setdefault(_sold(row), row)
    return list(offers.values())


def without_rows(providers: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """The providers that none of the rows are of."""
    return [name for name in dict.fromkeys(providers) if name not in {_parts(row)[0] for row in rows}]


def same_model(row: Row, models: Iterable[str]) -> str:
    """The first of these names that is the model of the row, however it is written; empty where none is."""
    bare = _bare(_parts(row)[1])
    return next((model for model in models if _bare(model) == bare), "")


def _parts(row: Row) -> tuple[str, str]:
    """The provider and the model that are named in a row."""
    provider, _, model = row["competitor"].partition(" ")
    return provider, model


def _sold(row: Row) -> tuple[Any, ...]:
    """What two rows share that are the same offer."""
    provider, model = _parts(row)
    return provider, _bare(model), *(row.get(column) for column in (*PRICES, "context_limit"))


def _bare(model: str) -> str:
    """The name of a model without its maker, without what vendors add, and without how it is written."""
    name = re.sub(r"(?<=\d)p(?=\d)", ".", model.casefold().rpartition("/")[2])
    words = (re.sub(r"^v(?=\d)", "", word) for word in re.split(r"[\s_-]+", name))
    return "".join(word for word in words if word not in ADDED_WORDS)


def _provider(name: str) -> Any:
    # Slow to import, which nobody else should wait for.
    from genai_prices.data import providers

    known = {provider.id: provider for provider in providers}
    if name not in known:
        near = nearest(name, known)
        meant = f"did you mean {near}?" if near else f"it has: {listed(known)}"
        raise UnknownNameError(f"'{name}' is not in the price list of {PACKAGE}; {meant}")
    return known[name]


def _rows(provider: Any) -> Iterator[Row]:
    day = datetime.combine(AS_OF, time(12), UTC)
    source = f"{PACKAGE} {version(PACKAGE)}"
    if provider.pricing_urls:
        source += f", {provider.pricing_urls[0]}"
    for model in provider.models:
        prices = [getattr(model.get_prices(day), name) for name in PRICES.values()]
        row: Row = dict(zip(PRICES, map(_price, prices), strict=True)) | {
            "competitor": f"{provider.id} {model.id}",
            "provider": provider.name,
            "context_limit": model.context_window,
            "currency": "USD",
            "as_of": AS_OF,
            "source": source,
            "note": _note(prices),
        }
        # A name that begins with ~ stands for whichever model is newest.
        if all(row[column] for column in REQUIRED) and not model.deprecated and not model.id.startswith("~"):
            yield {column: value for column, value in row.items() if value is not None}


def _price(listed_price: Any) -> float | None:
    """The price of short requests, where it rises with their length."""
    return None if listed_price is None else float(getattr(listed_price, "base", listed_price))


def _note(prices: Sequence[Any]) -> str | None:
    starts = [tier.start for price in prices for tier in getattr(price, "tiers", ())]
    return f"longer requests cost more: from {min(starts):,} tokens" if starts else None
