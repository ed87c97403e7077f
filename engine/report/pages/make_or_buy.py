"""The page of serving or buying: the requests of each configuration beside what an API would bill for them."""

from __future__ import annotations

from datetime import date

from engine.derivation import label
from engine.report.further import BY_RATIO, MAKE_OR_BUY
from engine.report.live import LiveSheet
from engine.report.pages.tables import present, table_of
from engine.report.values import Figure, Paragraph, Row, Section, Table
from engine.report.words import count_of, in_words, listed, sentence
from engine.scenarios import APIS, RATIOS, Scenario
from engine.sheets import COMPETITORS
from engine.studies.alternatives import nearest_apis
from engine.studies.questions import Asked
from engine.units import Date, DollarsPerMillionTokens, brief_money, in_currency

MOST_PAIRS = 12  # with the table of ratios, a page


def make_or_buy(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Section | None:
    """Own bill and API bill, pair by pair; None where no API is listed."""
    if APIS not in scenario.grains:
        return None
    grain = scenario[APIS]
    table = table_of(sheet, MAKE_OR_BUY, "the requests that each configuration serves", most=len(grain.keys))
    assert table is not None  # the grain has rows, so the sheet has its table
    nearest = nearest_apis(scenario)
    dear = sorted(
        (key for key in nearest if grain.value("own_saving", key) < 0), key=lambda key: grain.value("own_saving", key)
    )
    names = [label(str(grain.value("configuration", key))) for key in dear]
    if not nearest:
        finding = "No API on the list sells a model of ours; others are shown beside it"
    elif dear:
        less = brief_money(-sum(grain.value("own_saving", key) for key in dear))
        finding = f"An API would serve {listed(names)} for {less} a month less"
    else:
        finding = "Serving costs less than any API that sells the same model"
    text = (
        f"{sentence(count_of(len(nearest), 'configuration'))} with an API for the same model: at its cheapest, "
        f"{in_words(len(dear))} would cost less there. Own bill: the rent of accelerators, idle time included, and "
        "nothing else. Own from: requests per second at which the API\u2019s bill reaches that rent, if the fleet can "
        f"serve them. APIs that name no model of ours stand beside {label(asked.base)}; a lower "
        "price says nothing about their answers."
    )
    shown = _with_ages(scenario, _cut(scenario, table), table)
    return Section("Serving or buying", finding, present(Paragraph(text), shown, _ratios(scenario, asked, sheet)))


def _cut(scenario: Scenario, table: Table) -> tuple[Row, ...]:
    """Of many rows first the cheapest API of each configuration's own model, then those of it, then the others."""
    grain = scenario[APIS]
    named = {str(row["competitor"]) for row in scenario.inputs.tables[COMPETITORS.name] if row["for_model"]}
    nearest = {(grain.value("configuration", key), grain.value("competitor", key)) for key in nearest_apis(scenario)}

    def rank(row: Row) -> tuple[bool, bool, float]:
        return tuple(row.cells[:2]) not in nearest, row.cells[1] not in named, row.cells[2]

    kept = sorted(table.rows, key=rank)[:MOST_PAIRS]
    return tuple(row for row in table.rows if row in kept)


def _with_ages(scenario: Scenario, rows: tuple[Row, ...], table: Table) -> Table:
    """The table with stale prices marked, and a foot that says what was left out and where limits are passed."""
    month: date = scenario.inputs.settings["report_month"]
    limit = int(scenario.inputs.settings["staleness_limit"])
    end = date(month.year + month.month // 12, month.month % 12 + 1, 1)

    def aged(row: Row) -> Row:
        as_of = row.cells[-1]
        if (end - as_of).days - 1 <= limit:
            return row
        return Row((*row.cells[:-1], Figure(as_of, Date, tone="bad")), row.style)

    grain = scenario[APIS]
    longer = [str(key) for key in grain.keys if grain.value("context_warning", key)]
    feet = [f"{len(rows)} of {len(grain.keys)} pairs; all on the sheet Further questions. Dates in orange are stale."]
    if longer:
        feet.append(f"Requests are longer than prices hold for: {listed(longer)}.")
    return Table(
        table.title, table.description, table.heads, tuple(map(aged, rows)), table.note, " ".join(feet), table.alike
    )


def _ratios(scenario: Scenario, asked: Asked, sheet: LiveSheet) -> Table | None:
    if RATIOS not in scenario.grains:
        return None
    grain = scenario[RATIOS]
    api = label(str(grain.value("competitor", str(grain.keys[0]))))
    table = table_of(
        sheet,
        BY_RATIO,
        f"{asked.base} at other batches against {api}, {in_currency('$')} per million tokens",
        "Input tokens for each output token, at the costs of a fresh input token and of an output token under "
        "today\u2019s mix. Orange: the API is cheaper. Equal at: the ratio at which both cost the same; a dash where "
        "one of them always wins.",
    )
    if table is None:
        return None
    ratios = list(dict.fromkeys(grain.values["input_ratio"].tolist()))
    cases = list(dict.fromkeys(str(case) for case in grain.values["case"]))

    def toned(case: str, row: Row) -> Row:
        cells = list(row.cells)
        for place, ratio in enumerate(ratios, 1):
            if grain.value("cheaper_side", f"{case}, {ratio:g} to 1") == "API":
                cells[place] = Figure(cells[place], DollarsPerMillionTokens, tone="bad")
        return Row(tuple(cells), row.style)

    rows = (table.rows[0], *(toned(case, row) for case, row in zip(cases, table.rows[1:], strict=True)))
    return Table(table.title, table.description, table.heads, rows, table.note, table.footnote)
