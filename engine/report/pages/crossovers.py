"""The page of crossovers: from which volume owning, renting or calling an API costs least.

What cannot be set beside the others is named, with the cell where it would be filled in.
"""

from __future__ import annotations

from engine.derivation import label
from engine.report.live import LiveSheet
from engine.report.owning import BILLIONTH, BY_VOLUME, CROSSOVERS, ways_in
from engine.report.pages.tables import table_of
from engine.report.values import Block, Curve, Curves, Margin, Paragraph, Point, Section
from engine.report.words import large, listed, sentence
from engine.scenarios import CONFIGURED, CROSSINGS, VOLUMES, WAYS, Grain, Scenario
from engine.scenarios.owning import volume_key
from engine.sheets import COMPETITORS, HARDWARE
from engine.studies.crossovers import FOUND, NOT_VERIFIED
from engine.studies.owning import API, OWN, RENT
from engine.units import BillionTokensPerMonth, DollarsPerMonth, Share, brief_money, in_currency, show

DOING = {OWN: "owning", RENT: "renting", API: "the API"}
COLUMN_OF = {OWN: "own_volume_cost", RENT: "rent_volume_cost", API: "api_volume_cost"}
TONES = {OWN: "blue", RENT: "ink", API: "text2"}


def crossovers(scenario: Scenario, sheet: LiveSheet | None) -> Section | None:
    """Nothing where there is one way to serve, or where the question is not asked."""
    if CROSSINGS not in scenario.grains or sheet is None:
        return None
    volumes = scenario[VOLUMES]
    base = str(scenario[WAYS].keys[0])
    table = table_of(sheet, CROSSOVERS, "the first whole token at which each way is the cheapest", _foot(scenario))
    text = " ".join(
        part
        for part in (
            _today(scenario),
            "A volume takes whole servers, rented or owned, each driven to "
            f"{show(scenario.inputs.settings['utilization_cap'], Share)} of what it could serve; a fleet built for its "
            "peak takes more.",
            _again(scenario),
            _missing(scenario),
        )
        if part
    )
    place = sheet.place_of(in_currency(BY_VOLUME))
    assert place is not None  # the sheet has the table where the grain is
    chart = Curves(
        title=f"{base}: each step is a further server; an API bills every token.",
        description=in_currency("$ a month against tokens a month, both on log scales; dots mark the first token at ")
        + "which a way is the cheapest",
        curves=tuple(_curve(volumes, head, quantity, scenario) for head, quantity, *_ in ways_in(volumes)),
        marks=tuple(_marks(scenario)),
        x_axis="volume",
        y_axis=in_currency("$ a month"),
        x_unit=BillionTokensPerMonth,
        y_unit=DollarsPerMonth,
        limit=_billions(scenario[WAYS].at("today_tokens", 0)) or None,
        limit_words="this month",
        note=Margin("Chart", sheet.range(place), base),
        alt="Cost of a month by owning, renting and calling an API, against tokens a month.",
    )
    blocks: tuple[Block | None, ...] = (Paragraph(text), chart, table)
    return Section(
        "Own, rent or call an API", _headline(scenario), tuple(block for block in blocks if block is not None)
    )


def _billions(tokens: float) -> float:
    return tokens * BILLIONTH


def _least_shown(volumes: Grain) -> float:
    """Where the chart begins: a first token of 1 would stretch it over ten decades."""
    return float(min(tokens for tokens in volumes.values["monthly_tokens"] if tokens > 1))


def _curve(volumes: Grain, head: str, quantity: str, scenario: Scenario) -> Curve:
    way = next(way for way, column in COLUMN_OF.items() if column == quantity)
    least = _least_shown(volumes)
    points = tuple(
        (_billions(tokens), cost)
        for tokens, cost in zip(volumes.values["monthly_tokens"], volumes.values[quantity], strict=True)
        if tokens >= least
    )
    name = label(str(scenario[WAYS].at("competitor", 0))) if way == API else head.lower()
    return Curve(name, points, TONES[way], dashed=way == API)


def _marks(scenario: Scenario) -> list[Point]:
    volumes = scenario[VOLUMES]
    found = _found(scenario)
    return [
        Point(
            f"{DOING[way]} from {large(first)}",
            _billions(first),
            volumes.value(COLUMN_OF[way], volume_key(first)),
            highlighted=True,
        )
        for way, first in found
        if first > 1
    ]


def _found(scenario: Scenario) -> list[tuple[str, float]]:
    """The ways that become cheapest somewhere, with their first tokens, smallest first."""
    grain = scenario[CROSSINGS]
    found = [(str(way), grain.value("first_tokens", way)) for way in grain.keys if grain.value("answer", way) == FOUND]
    return sorted(found, key=lambda pair: pair[1])


def _headline(scenario: Scenario) -> str:
    found = _found(scenario)
    limit = scenario.inputs.settings["crossover_limit"]
    if not found:
        return "No way to serve is cheaper than all others at any volume that was looked at"
    (first, _), *later = found
    if not later:
        least = f"{sentence(DOING[first])} costs least at every volume that was looked at"
        return f"{least}, up to {large(limit)} tokens a month" if not _not_verified(scenario) else least
    told: list[str] = []
    for (before, _), (way, tokens) in zip(found, later, strict=False):
        unit = "" if told else " tokens a month"
        told.append(f"{DOING[way]} first beats {DOING[before]} at {large(tokens)}{unit}")
    return sentence("; ".join(told))


def _not_verified(scenario: Scenario) -> list[str]:
    grain = scenario[CROSSINGS]
    return [str(way) for way in grain.keys if grain.value("answer", way) == NOT_VERIFIED]


def _today(scenario: Scenario) -> str:
    """What each way would cost at this month's tokens."""
    volumes, tokens = scenario[VOLUMES], scenario[WAYS].at("today_tokens", 0)
    key = volume_key(tokens)
    if key not in volumes.keys:
        return ""
    costs = [
        f"{DOING[way]} {brief_money(volumes.value(column, key))}"
        for way, column in COLUMN_OF.items()
        if column in volumes.values
    ]
    return f"This month\u2019s {large(tokens)} tokens would cost by {listed(costs)}."


def _again(scenario: Scenario) -> str:
    """Whether a further server turns an answer back among the volumes that are shown."""
    volumes = scenario[VOLUMES]
    cheapest = [str(way) for way in volumes.values["cheapest_way"]]
    changes = [way for place, way in enumerate(cheapest) if not place or cheapest[place - 1] != way]
    if len(changes) <= len(set(changes)):
        return ""
    return "Just after a further server the way before can be cheaper again for a while, as the steps show."


def _missing(scenario: Scenario) -> str:
    """What cannot be set beside the others, and where it would be filled in."""
    ways, volumes = scenario[WAYS], scenario[VOLUMES]
    told = []
    if COLUMN_OF[OWN] not in volumes.values:
        hardware = str(ways.at("hardware", 0))
        row = scenario.inputs.tables[HARDWARE.name].find(hardware)
        assert row is not None  # a configuration in use names it
        told.append(f"Owning is left out: {hardware} has no purchase price ({row.cell('node_purchase_price')}).")
    if COLUMN_OF[API] not in volumes.values:
        model = scenario[CONFIGURED].value("model", str(ways.keys[0]))
        told.append(f"An API is left out: none on {COMPETITORS.name} names {model}.")
    return " ".join(told)


def _foot(scenario: Scenario) -> str:
    settings = scenario.inputs.settings
    told = [
        "First tokens are values of a search, exact over whole tokens; costs beside them are live. Before it: with one "
        "token less."
    ]
    base = settings["own_base_cost"]
    if COLUMN_OF[OWN] in scenario[VOLUMES].values and base:
        told.append(f"Owning costs {brief_money(base)} a month at any volume.")
    told += [f"{sentence(DOING[way])} takes too many steps to be looked at further." for way in _not_verified(scenario)]
    return " ".join(told)
