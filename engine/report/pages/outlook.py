"""The months ahead: monthly revenue, bill and profit, the month a model stops earning, and what that rests on."""

from __future__ import annotations

from collections.abc import Iterator

from engine.derivation import label
from engine.report.live import LiveSheet
from engine.report.outlook import ALL, BY_MODEL, BY_MONTH, last_month, milestones, month_of
from engine.report.pages.deployments import MOST_ROWS
from engine.report.values import Figure, Head, Line, Lines, Margin, Paragraph, Row, Section, Table
from engine.report.words import MoneyScale, count_of, does, listed, money_scale, sentence
from engine.scenarios import (
    CONFIGURED,
    DEMAND_AHEAD,
    MODEL_OUTLOOK,
    MODELS_AHEAD,
    PAYBACK,
    TOTAL,
    TOTALS_AHEAD,
    Scenario,
)
from engine.scenarios.ahead import EXPECTED, contracts_that_change
from engine.sheets import CONFIGURATIONS, MONTH_NAMES, SEASONS, SETTINGS, TRAFFIC
from engine.units import Date, DollarsPerMonth, Share, Text, brief_money, digits, plain

LONGEST_SOURCE = 110
UNCHANGED = (
    "Requests keep their lengths, and peaks grow as means do. Every fleet stays on its accelerators, batch and terms; "
    "contracts and commitments are paid to their last day, and all else costs the rent of its month. Prices fall alike "
    "for all models. Other costs keep their amounts and move with what drives them."
)


def outlook_pages(scenario: Scenario, sheet: LiveSheet) -> tuple[Section, ...]:
    """What the months ahead earn, and what the outlook rests on."""
    return (_months(scenario, sheet), _rests_on(scenario, sheet))


def _name(scenario: Scenario, ahead: float) -> str:
    return f"{month_of(scenario, ahead):%B %Y}"


def _months(scenario: Scenario, sheet: LiveSheet) -> Section:
    months, money = last_month(scenario), money_scale(scenario[TOTAL].value("fleet_cost", "Total"))
    blocks = (Paragraph(_lead(scenario)), _course(scenario, sheet, money), _by_model(scenario, sheet, money))
    return Section(f"The next {months} months", _finding(scenario), blocks)


def _totals(scenario: Scenario, quantity: str) -> list[float]:
    return [float(value) for value in scenario[TOTALS_AHEAD].values[quantity]]


def _finding(scenario: Scenario) -> str:
    profit = _totals(scenario, "forward_earnings")
    first, last = brief_money(profit[0]), brief_money(profit[-1])
    months = last_month(scenario)
    if first == last:
        moved = f"Profit after all costs is {first} a month today and in {months} months"
    else:
        course = "rises" if profit[-1] > profit[0] else "falls"
        moved = f"Profit after all costs {course} from {first} a month to {last} in {months} months"
    stops = _stopping(scenario)
    if not stops:
        return moved
    first_model, ahead = stops[0]
    others = f", the first of {count_of(len(stops), 'model')}" if len(stops) > 1 else ""
    return f"{moved}; {first_model} stops earning in {_name(scenario, ahead)}{others}"


def _stopping(scenario: Scenario) -> list[tuple[str, float]]:
    """Models that stop earning, with the months ahead, the first to stop first."""
    grain = scenario[MODEL_OUTLOOK]
    found = [(str(key), grain.value("stopping_month", key)) for key in grain.keys]
    return sorted(((key, ahead) for key, ahead in found if ahead is not None), key=lambda item: item[1])


def _lead(scenario: Scenario) -> str:
    months, grain = last_month(scenario), scenario[PAYBACK]
    revenue, bill, other, accelerators = (
        _totals(scenario, f"forward_{name}") for name in ("revenue", "bill", "other_cost", "mean_accelerators")
    )
    earned = grain.value("outlook_earnings", ALL)
    parts = [
        f"From {_name(scenario, 1)} to {_name(scenario, months)} all models together "
        f"{'earn' if earned >= 0 else 'lose'} {brief_money(abs(earned))} on revenue of "
        f"{brief_money(grain.value('outlook_revenue', ALL))}.",
        f"Each month revenue goes from {brief_money(revenue[0])} to {brief_money(revenue[-1])}, the bill from "
        f"{brief_money(bill[0])} to {brief_money(bill[-1])}, other costs from {brief_money(other[0])} to "
        f"{brief_money(other[-1])}, the accelerators needed on average from {digits(accelerators[0])} to "
        f"{digits(accelerators[-1])}.",
    ]
    models = scenario[MODEL_OUTLOOK]
    never = [str(key) for key in models.keys if not models.value("last_earning_months", key)]
    if never:
        parts.append(f"{listed(never)} {does(never, 'earn')} in no month.")
    return " ".join(parts)


def _course(scenario: Scenario, sheet: LiveSheet, money: MoneyScale) -> Lines:
    def line(name: str, quantity: str, tone: str) -> Line:
        return Line(name, tuple(money.of(value) for value in _totals(scenario, quantity)), tone)

    months, profit = last_month(scenario), _totals(scenario, "forward_earnings")
    best = profit.index(max(profit))
    return Lines(
        title=f"The best month is {_name(scenario, best)}, at {brief_money(profit[best])}."
        if best
        else f"No month ahead earns as much as {_name(scenario, 0)}.",
        description=f"Revenue, accelerator bill and profit after all costs, {money.words} a month",
        labels=_labels(scenario),
        lines=(
            line("revenue", "forward_revenue", "plain"),
            line("bill", "forward_bill", "dashed"),
            line("profit", "forward_earnings", "strong"),
        ),
        unit=DollarsPerMonth,
        value_head=f"{money.words} a month",
        note=Margin("Chart", sheet.range(BY_MONTH), f"{_name(scenario, 0)} is the month reported"),
        alt=f"Revenue, accelerator bill and profit after all costs by month over {months} months: profit goes from "
        f"{brief_money(profit[0])} to {brief_money(profit[-1])} a month.",
    )


def _labels(scenario: Scenario) -> tuple[str, ...]:
    return tuple(f"{month_of(scenario, ahead):%b %Y}" for ahead in range(last_month(scenario) + 1))


def _by_model(scenario: Scenario, sheet: LiveSheet, money: MoneyScale) -> Table:
    grain, ahead, shown = scenario[MODEL_OUTLOOK], scenario[MODELS_AHEAD], milestones(scenario)
    names = [str(key) for key in scenario[TOTALS_AHEAD].keys]
    every = sorted((str(key) for key in grain.keys), key=lambda key: -grain.value("outlook_earnings", key))
    kept = every[: MOST_ROWS - 1]

    def profit(value: float) -> Figure:
        return Figure(money.of(value), DollarsPerMonth, tone="bad" if value < 0 else "plain")

    rows = [
        Row(
            (
                key,
                *(profit(ahead.value("forward_earnings", f"{key}, {names[place]}")) for place in shown),
                profit(grain.value("outlook_earnings", key)),
                _share(ahead.value("forward_margin", f"{key}, {names[-1]}")),
                _verdict(scenario, key),
            )
        )
        for key in every[: MOST_ROWS - 1]
    ]
    totals = scenario[TOTALS_AHEAD]
    rows.append(
        Row(
            (
                ALL,
                *(profit(totals.value("forward_earnings", names[place])) for place in shown),
                profit(scenario[PAYBACK].value("outlook_earnings", ALL)),
                _share(totals.value("forward_margin", names[-1])),
                "",
            ),
            "total",
        )
    )
    return Table(
        "Profit after all costs, by model",
        money.words,
        (
            Head("Model"),
            *(Head(f"{month_of(scenario, place):%b %Y}", DollarsPerMonth, "a month") for place in shown),
            Head("Together", DollarsPerMonth, f"{last_month(scenario)} months"),
            Head("Margin", Share, "last month"),
            Head("Earning"),
        ),
        tuple(rows),
        Margin("Table", sheet.range(BY_MODEL)),
        "Together: the months after the one reported. A model stops earning in the month from which on it no longer "
        "earns at all; a loss that is made good does not count."
        + (f" {len(every) - len(kept)} smaller ones are on the {sheet.name} sheet." if kept != every else ""),
    )


def _share(margin: float | None) -> Figure | None:
    return None if margin is None else Figure(margin, Share, tone="bad" if margin < 0 else "plain")


def _verdict(scenario: Scenario, key: str) -> Figure | str:
    grain = scenario[MODEL_OUTLOOK]
    verdict, ahead = str(grain.value("earning_verdict", key)), grain.value("stopping_month", key)
    if ahead is None:
        return verdict if grain.value("last_earning_months", key) else Figure(verdict, Text, tone="bad")
    return Figure(f"stops in {month_of(scenario, ahead):%b %Y}", Text, tone="bad")


def _rests_on(scenario: Scenario, sheet: LiveSheet) -> Section:
    found, said = tuple(_assumptions(scenario)), str(scenario.inputs.settings["outlook_source"])
    cell = scenario.inputs.cell(SETTINGS.name, "outlook_source")
    table = Table(
        "What is assumed to change",
        f"{min(len(found), MOST_ROWS)} of {len(found)}; what is blank on the input sheets stays as it is",
        (Head("Cell", tone="quiet"), Head("Assumption"), Head("Value", Share, tone="strong"), Head("Source")),
        found[:MOST_ROWS],
        None,
        f"{UNCHANGED} {cell}: {said}." if said else UNCHANGED,
    )
    blocks = (_balance(scenario, sheet), table)
    return Section("Outlook: assumptions", _payback_finding(scenario), blocks)


def _payback_finding(scenario: Scenario) -> str:
    grain, months = scenario[PAYBACK], last_month(scenario)
    invested, ahead = scenario.inputs.settings["investment"], grain.value("payback_month", ALL)
    if not invested:
        earned = brief_money(grain.value("outlook_earnings", ALL))
        return f"In {months} months profit after all costs adds up to {earned}"
    if ahead is None:
        short = brief_money(-_totals(scenario, "forward_balance")[-1])
        return f"The investment of {brief_money(invested)} is not paid back in {months} months: {short} is missing"
    return f"The investment of {brief_money(invested)} is paid back by the end of {_name(scenario, ahead)}"


def _balance(scenario: Scenario, sheet: LiveSheet) -> Lines:
    balance, ahead = _totals(scenario, "forward_balance"), scenario[PAYBACK].value("payback_month", ALL)
    money = money_scale(max(abs(value) for value in balance))
    invested = ", less what was invested" if scenario.inputs.settings["investment"] else ""
    return Lines(
        title=f"By {_name(scenario, last_month(scenario))} the months ahead have brought {brief_money(balance[-1])}"
        f"{invested}.",
        description=f"Profit of the months ahead after all costs, added up{invested}, {money.words}",
        labels=_labels(scenario),
        lines=(Line("added up", tuple(money.of(value) for value in balance), "strong"),),
        unit=DollarsPerMonth,
        value_head=money.words,
        mark=None if ahead is None else (int(ahead), f"paid back: {_name(scenario, ahead)}"),
        note=Margin("Chart", sheet.range(BY_MONTH), "last column"),
        alt=f"Profit of the months ahead after all costs, added up{invested}: {brief_money(balance[-1])} at the end.",
    )


def _assumptions(scenario: Scenario) -> Iterator[Row]:
    """Every input that says how something will change, with its cell and source."""
    inputs, configured = scenario.inputs, scenario[CONFIGURED]
    settings = inputs.settings
    source = f"{inputs.cell(SETTINGS.name, 'outlook_source')}, below" if settings["outlook_source"] else ""
    for name in EXPECTED:
        cell, given = inputs.cell(SETTINGS.name, name), settings[name]
        if given and name == "investment":
            yield Row((cell, "Investment to be paid back", Figure(brief_money(given), Text), source))
        elif given:
            value = Figure(given, SETTINGS.column(name).annotation)
            yield Row((cell, f"{sentence(label(name))}, a year", value, source))
    served = {str(name) for name in scenario[DEMAND_AHEAD].values["traffic_class"]}
    seasons = dict.fromkeys(str(name) for name in scenario[DEMAND_AHEAD].values["season"] if name)
    for row in inputs.tables[TRAFFIC.name]:
        if row["traffic"] in served and row["demand_growth"]:
            value = Figure(row["demand_growth"], Share)
            yield Row((row.cell("demand_growth"), f"{row['traffic']}, growth a month", value, _short(row["source"])))
    for row in inputs.tables[SEASONS.name]:
        if row["season"] in seasons:
            low, high = (of(MONTH_NAMES, key=lambda name: row[name]) for of in (min, max))
            users = [each["traffic"] for each in inputs.tables[TRAFFIC.name] if each["season"] == row["season"]]
            text = f"{row['season']}, for {listed(users)}: lowest in {low.title()}, highest in {high.title()}"
            value = Figure(f"{plain(row[low])} to {plain(row[high])}", Text)
            yield Row((row.cell(low), text, value, _short(row["source"])))
    for row in inputs.tables[CONFIGURATIONS.name]:
        if row["committed_until"] and configured.value("counts", row["configuration"]):
            value = Figure(row["committed_until"], Date)
            yield Row((row.cell("committed_until"), f"{label(row['configuration'])}, committed until", value, ""))
    for row in contracts_that_change(inputs):
        for name, says in (("contract_start", "in force from"), ("contract_end", "in force until")):
            if month_of(scenario, 1) <= row[name] < month_of(scenario, last_month(scenario) + 1):
                value = Figure(row[name], Date)
                yield Row((row.cell(name), f"{row['contract']}, {says}", value, _short(row["source"])))


def _short(source: str) -> str:
    return source if len(source) <= LONGEST_SOURCE else source[:LONGEST_SOURCE].rstrip() + " \u2026"
