"""The page of owning: what an owned accelerator costs in an hour, beside what it is rented for and in the books."""

from __future__ import annotations

from engine.report.live import LiveSheet
from engine.report.owning import AN_HOUR, BY_HOURS, IN_THE_BOOKS, PARTS, TERMS
from engine.report.pages.tables import table_of
from engine.report.values import Block, Margin, Paragraph, Section, Segment, Side, Stack
from engine.scenarios import OWNERSHIP, WAYS, Grain, Scenario
from engine.sheets import HARDWARE
from engine.units import DollarsPerHour, Share, brief_money, digits, in_currency, plain, show, with_currency

PART_TONES = ("blue", "blue2", "blue3", "grey", "grey", "grey")
MOST_OWNED = 8


def owning(scenario: Scenario, sheet: LiveSheet | None) -> Section | None:
    """Nothing where no server is bought."""
    if OWNERSHIP not in scenario.grains or sheet is None:
        return None
    grain = scenario[OWNERSHIP]
    keys = [str(key) for key in grain.keys][:MOST_OWNED]
    in_use = str(scenario[WAYS].value("hardware", str(scenario[WAYS].keys[0]))) if WAYS in scenario.grains else ""
    first = in_use if in_use in keys else keys[0]
    owned = _dollars(grain.value("owned_cost", first))
    beside = next(
        (
            f"; {words} costs {_dollars(grain.value(price, first))}"
            for price, words in (
                ("one_year_price", "renting it for a year"),
                ("three_year_price", "renting it for three years"),
                ("rented_price", "renting it on demand"),
            )
            if grain.value(price, first) is not None
        ),
        "; no rent is given to set beside it",
    )
    chart = Stack(
        title=f"Of an owned {first}\u2019s hour, {_share_of_capital(grain, first)} is capital.",
        description=in_currency("An accelerator\u2019s part of a whole server, $ an hour, busy or not"),
        labels=tuple(keys),
        segments=tuple(
            Segment(name.lower(), tuple(grain.value(quantity, key) for key in keys), tone)
            for (name, quantity, *_), tone in zip(PARTS, PART_TONES, strict=True)
            if any(grain.value(quantity, key) for key in keys)
        ),
        unit=DollarsPerHour,
        sides=tuple(
            Side(head, tuple(grain.value(quantity, key) for key in keys), DollarsPerHour)
            for head, quantity in (
                ("all-in", "owned_cost"),
                ("on demand", "rented_price"),
                ("1 year", "one_year_price"),
                ("3 years", "three_year_price"),
            )
        ),
        note=Margin("Chart", sheet.range(sheet.place_of(in_currency(AN_HOUR)) or 0)),
        alt="Cost of an owned accelerator-hour by its parts, beside rents.",
    )
    terms = table_of(
        sheet,
        in_currency(TERMS),
        "from: hours of use a day above which it beats renting on demand",
        "An owned or reserved accelerator is paid around the clock, one on demand in the hours it is used. Above 24 "
        "hours it never pays.",
        most=MOST_OWNED,
    )
    by_hours = table_of(sheet, BY_HOURS, "rented: on demand, in those hours only", most=MOST_OWNED)
    books = table_of(
        sheet,
        IN_THE_BOOKS,
        "a server at the start of the year; an accelerator-hour",
        "The books write price and installation off in equal parts down to the residual, and charge no interest. After "
        "its life a server costs only what it takes to run.",
    )
    blocks: tuple[Block | None, ...] = (Paragraph(_assumed(scenario, first)), chart, terms, by_hours, books)
    return Section(
        "Owning an accelerator",
        f"An owned {first} costs {owned} an hour all-in{beside}",
        tuple(block for block in blocks if block is not None),
    )


def _dollars(value: float) -> str:
    return with_currency(digits(value, 2))


def _share_of_capital(grain: Grain, key: str) -> str:
    return f"{_dollars(grain.value('owned_capital_cost', key))} of {_dollars(grain.value('owned_cost', key))}"


def _assumed(scenario: Scenario, hardware: str) -> str:
    """The inputs that decide, with the cell of the price."""
    row = scenario.inputs.tables[HARDWARE.name].find(hardware)
    assert row is not None  # the grain's rows were made from that sheet
    settings = scenario.inputs.settings
    # The grain has them in the currency of the report, the row in its own.
    grain = scenario[OWNERSHIP]
    price = brief_money(grain.value("node_purchase_price", hardware))
    installed = brief_money(grain.value("installation_cost", hardware))
    source = f" Sources: {row.cell('ownership_source')}." if row["ownership_source"] else ""
    base = settings["own_base_cost"]
    beside = f" The {brief_money(base)} a month that owning costs at any volume are not in it." if base else ""
    return (
        f"A server of {row['accelerators_per_node']:.0f} costs {price} and {installed} to install "
        f"({row.cell('node_purchase_price')}), serves {plain(row['service_life'])} years and then sells for "
        f"{show(row['residual_share'], Share)} of its price. Money costs {show(settings['cost_of_capital'], Share)} a "
        f"year; a kW takes {plain(settings['power_usage_effectiveness'])} kW of its building\u2019s, at "
        f"{with_currency(format(settings['electricity_price'], 'g'))} a kWh, and "
        f"{with_currency(format(settings['hosting_price'], 'g'))} a month of space."
        f"{beside}{source}"
    )
