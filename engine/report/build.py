"""Puts the report together: first what the workbook shows, then, once its checks are known, the pages of the PDF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from engine.report import workbook
from engine.report.actuals import model_and_actual
from engine.report.answer import Check, Earlier, actions, answer, headline, lead
from engine.report.bill import bill
from engine.report.comparison import changed, comparison
from engine.report.fidelity import Compared, compared, fidelity_sheet
from engine.report.further import further_questions
from engine.report.live import LiveSheet
from engine.report.outlook import outlook
from engine.report.owning import own_or_rent
from engine.report.pages.actuals import actuals
from engine.report.pages.assumptions import assumptions
from engine.report.pages.bill import bill as bill_page
from engine.report.pages.comparison import since, so_far
from engine.report.pages.costs import costs
from engine.report.pages.crossovers import crossovers
from engine.report.pages.decisions import checklist, decisions
from engine.report.pages.fidelity import fidelity_page
from engine.report.pages.fleet import fleet
from engine.report.pages.further import further_pages, per_dollar
from engine.report.pages.margins import margins
from engine.report.pages.method import method
from engine.report.pages.outlook import outlook_pages
from engine.report.pages.owning import owning
from engine.report.pages.phases import phases
from engine.report.pages.profit import profit
from engine.report.pages.questions import question_pages
from engine.report.pages.search import search_page
from engine.report.pages.sensitivity import sensitivity_pages
from engine.report.pages.speed import speed
from engine.report.pages.uncertainty import uncertainty
from engine.report.profit import profit_and_loss
from engine.report.published import published
from engine.report.recommendation import recommendation
from engine.report.search import search_sheet
from engine.report.sensitivity import sensitivities
from engine.report.standing import is_reconciled
from engine.report.uncertainty import uncertainties
from engine.report.values import Issue, Report, Section
from engine.report.words import shortened
from engine.report.workbook import HEADLINES
from engine.scenarios import BY_TRAFFIC, CONFIGURED, MODELLED, TOTAL, Archived, Scenario, with_actuals
from engine.studies.alternatives import Move, cheapest_moves
from engine.studies.bridge import Change, bridged, changes
from engine.studies.owning import crossed
from engine.studies.questions import Asked, answered, questions
from engine.studies.reconcile import Reconciliation, shipped_figures
from engine.studies.uncertainty import Uncertain, uncertain
from engine.units import CURRENCIES

CHECK_SHEET = "Run checks"
FIRST_DRAFT = Issue()
LONGEST_TITLE = 80  # characters; it stands on every page


@dataclass(frozen=True)
class Draft:
    """What is decided before the workbook is written and recalculated."""

    scenario: Scenario
    issue: Issue
    earlier: Earlier | None
    moves: tuple[Move, ...]
    title: str
    summary: LiveSheet
    costs: LiveSheet
    margins: LiveSheet
    profit: LiveSheet
    fleet: LiveSheet
    bill: LiveSheet | None
    speed: LiveSheet
    outlook: LiveSheet | None
    asked: Asked | None
    questions: LiveSheet | None
    frontier: LiveSheet | None
    sensitivities: LiveSheet | None
    search: LiveSheet | None
    further: LiveSheet | None
    owning: LiveSheet | None
    uncertain: Uncertain | None
    uncertainties: LiveSheet | None
    compared: Compared | None
    fidelity: LiveSheet | None
    actuals: LiveSheet | None
    comparison: LiveSheet | None
    changed: LiveSheet | None
    changes: tuple[Change, ...] | None
    recommendation: LiveSheet
    published: Reconciliation | None

    @property
    def sheets(self) -> tuple[LiveSheet, ...]:
        some = (self.bill, self.outlook, self.questions, self.further, self.owning)
        decided = (self.frontier, self.search, self.sensitivities, self.uncertainties)
        compared = (self.comparison, self.changed, self.actuals, self.recommendation)
        profit = self.profit if self.profit.tables else None
        every = (*compared, self.costs, self.margins, profit, self.fleet, *decided, self.speed, self.fidelity, *some)
        return (self.summary, *(sheet for sheet in every if sheet))

    @cached_property
    def findings(self) -> tuple[Section, ...]:
        """The pages that do not wait for the checks. Without a serving configuration only those that need none."""
        scenario = self.scenario
        serving = len(scenario[BY_TRAFFIC].keys) > 0
        sections = [actuals(scenario, self.actuals)] if self.actuals else []
        if self.comparison and self.changed and self.earlier:
            sections.append(since(scenario, self.earlier.name, self.changes, self.comparison, self.changed))
            sections += filter(None, [so_far(scenario, self.comparison)])
        sections.append(costs(scenario, self.moves, self.costs))
        if serving:
            sections += [
                margins(scenario, self.margins),
                profit(scenario, self.profit),
                phases(scenario, self.profit),
                fleet(scenario, self.fleet),
                *([bill_page(scenario, self.bill)] if self.bill else []),
                *(outlook_pages(scenario, self.outlook) if self.outlook else ()),
                *self._how_sure(),
                speed(scenario, self.speed),
                *self._how_wrong(),
                decisions(scenario),
            ]
        if self.asked:
            sections += filter(None, [search_page(scenario, self.asked, self.search)])
        if self.asked and self.questions:
            beside = per_dollar(scenario, self.asked, self.further) if self.further else None
            sections.append(checklist(scenario, self.asked.base, beside))
            sections += question_pages(scenario, self.asked, self.questions, self.further)
            sections += further_pages(scenario, self.asked, self.further) if self.further else []
        asked = (owning(scenario, self.owning), crossovers(scenario, self.owning))
        sections += [section for section in asked if section]
        if serving:
            sections.append(assumptions(scenario))
        return tuple(sections)

    def _how_sure(self) -> list[Section]:
        """What gross profit depends on, and how far it may lie from what is said."""
        pages = sensitivity_pages(self.scenario, self.asked, self.sensitivities) if self.asked else []
        if self.uncertain and self.uncertainties:
            pages.append(uncertainty(self.scenario, self.uncertain, self.uncertainties))
        return pages

    def _how_wrong(self) -> list[Section]:
        """How far predicted speeds lie from measured ones."""
        return [fidelity_page(self.scenario, self.compared, self.fidelity)] if self.compared and self.fidelity else []


def draft(
    scenario: Scenario, earlier: Earlier | None, archived: Mapping[date, Archived], issue: Issue = FIRST_DRAFT
) -> Draft:
    """The sheets for readers, and what the studies found; `archived` are the runs of earlier months."""
    scenario = with_actuals(scenario, archived)
    moves = tuple(cheapest_moves(scenario))
    asked = questions(scenario)
    if asked:
        scenario = answered(scenario, asked)
    scenario = crossed(scenario)
    drawn = uncertain(scenario)
    typed = changes(earlier.inputs, scenario.inputs) if earlier and earlier.inputs else None
    if earlier:
        scenario = bridged(scenario, earlier.traffics, earlier.inputs)
    title, told = headline(scenario), lead(scenario, earlier, moves)
    if is_reconciled(scenario):
        told = f"{told} The figures of this sheet are modelled."
    before = dict(earlier.figures) if earlier else None
    sensitive = sensitivities(scenario, asked) if asked else None
    searched = search_sheet(scenario, asked) if asked else None
    spread = uncertainties(scenario, drawn) if drawn else None
    values = (searched, sensitive, spread)
    return Draft(
        scenario,
        issue,
        earlier,
        moves,
        title,
        workbook.summary(scenario, title, told, before, earlier.name if earlier else ""),
        workbook.costs(scenario, "Cost by configuration"),
        workbook.margins(scenario, "Profit and loss by traffic"),
        profit_and_loss(scenario),
        workbook.fleet(scenario, "Fleet and idle money"),
        bill(scenario),
        workbook.speed(scenario, "What a decode step is made of"),
        outlook(scenario),
        asked,
        workbook.questions(scenario, asked) if asked and asked.cases else None,
        workbook.frontier(scenario, asked) if asked else None,
        sensitive,
        searched,
        further_questions(scenario, asked) if asked else None,
        own_or_rent(scenario),
        drawn,
        spread,
        compared(scenario),
        fidelity_sheet(scenario),
        model_and_actual(scenario),
        comparison(scenario, earlier.name, archived) if earlier else None,
        changed(scenario, earlier.name, typed, earlier.figures) if earlier else None,
        typed,
        recommendation(scenario, actions(scenario, moves), tuple(sheet for sheet in values if sheet)),
        shipped_figures() if scenario.inputs.settings["published_figures"] else None,
    )


def report(draft: Draft, checks: tuple[Check, ...], *, input_hash: str, engine_version: str) -> Report:
    """The PDF as values."""
    scenario, settings = draft.scenario, draft.scenario.inputs.settings
    check_range = f"'{CHECK_SHEET}'!A4:E{4 + len(checks)}"
    recommended = draft.recommendation.range(0)
    appendix = (published(draft.published),) if draft.published else ()
    return Report(
        title=shortened(str(settings["report_title"]), LONGEST_TITLE),
        month=settings["report_month"],
        currency=CURRENCIES[str(settings["currency"])][1],
        input_hash=input_hash,
        engine_version=engine_version,
        answer=answer(scenario, draft.earlier, draft.moves, draft.summary, checks, "Report!B11", recommended),
        sections=(*draft.findings, method(scenario, checks, check_range), *appendix),
        issue=draft.issue,
    )


def figures(scenario: Scenario) -> dict[str, float]:
    """What later months compare themselves with: the headline figures, profits of traffics, costs of what serves."""
    total, by_traffic, configured = scenario[TOTAL], scenario[BY_TRAFFIC], scenario[CONFIGURED]
    names = dict.fromkeys((*(name for name, *_ in HEADLINES), *MODELLED.values()))
    headlines = {name: total.value(name, "Total") for name in names}
    profits = {f"gross_profit of {key}": by_traffic.value("gross_profit", key) for key in by_traffic.keys}
    serving = (key for key in configured.keys if configured.value("counts", key))
    costs = {f"blended_cost of {key}": configured.value("blended_cost", key) for key in serving}
    return {name: float(value) for name, value in {**headlines, **profits, **costs}.items() if value is not None}
