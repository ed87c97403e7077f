"""Page 1: what tokens cost, what they earn, what changed, what to do, and whether the checks passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.derivation import label
from engine.formulas import ACTION_FORMULAS, COMPARISON_FORMULAS
from engine.report.comparison import told_steps
from engine.report.live import LiveSheet
from engine.report.promises import missed
from engine.report.standing import compared, is_reconciled, report_key, standing_line
from engine.report.values import Action, Answer, Bars, KeyFigure, Margin, Side, Verdict
from engine.report.words import count_of, does, listed, money_scale, sentence, some_of
from engine.report.workbook import HEADLINES
from engine.scenarios import ACTUAL_MONTHS, APIS, BY_TRAFFIC, CONFIGURED, TOTAL, Scenario
from engine.studies.alternatives import Move, nearest_apis
from engine.units import (
    DollarsPerMillionTokens,
    DollarsPerMonth,
    Share,
    brief_money,
    digits,
    points,
    show,
)
from engine.workbook.read import Inputs

KEY_FIGURES = ("gross_profit", "gross_margin", "served_cost", "idle_share", "busy_share")


@dataclass(frozen=True)
class Check:
    """One check of the run: what was found, what is expected, and by how much it may be off."""

    name: str
    found: float
    expected: float
    allowed: float
    passed: bool


@dataclass(frozen=True)
class Earlier:
    """The month before, where the archive has it: its name, its figures by name, those of every traffic, its inputs.

    `inputs` is None where its workbook cannot be read by this version.
    """

    name: str
    figures: Mapping[str, float]
    traffics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    inputs: Inputs | None = None


def headline(scenario: Scenario) -> str:
    """What the month earned, its margin, and who gave most of it away."""
    total, by_traffic = scenario[TOTAL], scenario[BY_TRAFFIC]
    profit, margin = total.value("gross_profit", "Total"), total.value("gross_margin", "Total")
    month = f"{scenario.inputs.settings['report_month']:%B}"
    if not len(by_traffic.keys):
        return f"{month}: no configuration serves any requests"
    if is_reconciled(scenario):
        return _actual_headline(scenario, month)
    if margin is None:
        return f"{month} lost {brief_money(-profit)}: nothing that was served brought revenue"
    worst = min(by_traffic.keys, key=lambda key: by_traffic.value("gross_profit", key))
    loss = by_traffic.value("gross_profit", worst)
    gave = f"; {worst} gave {brief_money(-loss)} of it away" if loss < 0 < profit else ""
    verb = "earned" if profit >= 0 else "lost"
    return f"{month} {verb} a modelled {brief_money(abs(profit))}, a {show(margin, Share)} gross margin{gave}"


def _actual_headline(scenario: Scenario, month: str) -> str:
    """The same of a reconciled month: what was billed and invoiced, beside what was modelled."""
    grain, key = scenario[ACTUAL_MONTHS], report_key(scenario)
    profit, margin = grain.value("actual_profit", key), grain.value("actual_margin", key)
    verb = "earned" if profit >= 0 else "lost"
    share = f", a {show(margin, Share)} gross margin" if margin is not None else ""
    difference = compared(grain.value("profit_difference", key))
    return f"{month} {verb} {brief_money(abs(profit))} as billed and invoiced{share}, {difference}"


def lead(scenario: Scenario, earlier: Earlier | None, moves: Sequence[Move]) -> str:
    """Three sentences: the change since last month, who loses money, what the bill pays for."""
    total, by_traffic = scenario[TOTAL], scenario[BY_TRAFFIC]
    losing = [key for key in by_traffic.keys if by_traffic.value("gross_profit", key) < 0]
    if earlier is None:
        change = "No earlier month is in the archive, so there is no change to show."
    else:
        profit = total.value("gross_profit", "Total") - earlier.figures["gross_profit"]
        verb = "rose" if profit >= 0 else "fell"
        moved = f"{brief_money(abs(profit))}{_margin_moved(total.value('gross_margin', 'Total'), earlier)}"
        steps = f": {', '.join(told)}" if (told := told_steps(scenario)) else ""
        change = f"Gross profit {verb} by {moved} on {earlier.name}{steps}."
    total_number = len(by_traffic.keys)
    loss = f"{some_of(len(losing), total_number, 'traffic')} {does(losing or [''], 'lose')} money."
    if not losing:
        loss = "Every traffic earns money." if total_number else ""
    idle = total.value("idle_share", "Total")
    idle_cost = total.value("idle_cost", "Total")
    if idle is None:
        return change
    bill = f"Of the bill, {show(idle, Share)} ({brief_money(idle_cost)}) paid for capacity that served nobody."
    return " ".join(part for part in (change, loss, _broken_promise(scenario), bill) if part)


def _margin_moved(margin: float | None, earlier: Earlier) -> str:
    """How the margin moved; nothing where one of the months has no revenue."""
    if margin is None or "gross_margin" not in earlier.figures:
        return ""
    by = margin - earlier.figures["gross_margin"]
    held = points(by) in (points(0.0), points(-0.0))
    return f" and the margin {'held' if held else f'moved {points(by)}'}"


def _broken_promise(scenario: Scenario) -> str:
    """The served configurations that break what their users are promised; nothing where all keep it."""
    grain = scenario[CONFIGURED]
    broken = [str(key) for key in grain.keys if grain.value("counts", key) and not grain.value("meets_target", key)]
    if not broken:
        return ""
    (_, words), worst = min((missed(grain, key), key) for key in broken)
    others = f", and {count_of(len(broken) - 1, 'other')} break theirs" if len(broken) > 1 else ""
    return f"Users of {label(worst)} {words}{others}."


def _key_figures(scenario: Scenario, earlier: Earlier | None, sheet: LiveSheet) -> tuple[KeyFigure, ...]:
    total = scenario[TOTAL]
    figures = []
    for name in KEY_FIGURES:
        place = next(index for index, item in enumerate(HEADLINES) if item[0] == name)
        _, title, annotation, _, more_is_better = HEADLINES[place]
        value = total.value(name, "Total")
        shown = brief_money(value) if annotation is DollarsPerMonth else show(value, annotation, label=False)
        change, tone = "", "plain"
        if earlier is not None and name in earlier.figures and value is not None:
            change, tone = _change(value, earlier.figures[name], annotation, more_is_better)
        elif name == "busy_share":
            change = f"break-even {show(total.value('break_even_utilization', 'Total'), Share)}"
        # Beside a headline of what was billed and invoiced.
        title += ", modelled" if name in ("gross_profit", "gross_margin") and is_reconciled(scenario) else ""
        figures.append(KeyFigure(title, shown, change, sheet.cell(0, place, 2), tone))
    return tuple(figures)


def _change(value: float, before: float, annotation: object, more_is_better: bool | None) -> tuple[str, str]:
    """Direction, size and verdict of a change, in words, and its tone."""
    by = value - before
    if abs(by) < 1e-12:
        return "unchanged", "plain"
    arrow = "\u25b2" if by > 0 else "\u25bc"
    if annotation is DollarsPerMonth:
        size = brief_money(by, signed=True)
    elif annotation is Share:
        size = points(by)
    else:
        share = float(COMPARISON_FORMULAS["relative_change"](value, before))
        size = show(share, Share) if by < 0 else "+" + show(share, Share)
    if more_is_better is None:
        return f"{arrow} {size}", "plain"
    good = (by > 0) == more_is_better
    return f"{arrow} {size}, {'better' if good else 'worse'}", "good" if good else "bad"


def _chart(scenario: Scenario, earlier: Earlier | None, sheet: LiveSheet) -> Bars:
    grain = scenario[BY_TRAFFIC]
    month = f"{scenario.inputs.settings['report_month']:%B}"
    keys = sorted((str(key) for key in grain.keys), key=lambda key: -grain.value("gross_profit", key))
    profits = [grain.value("gross_profit", key) for key in keys]
    gains, losses = sum(p for p in profits if p > 0), sum(p for p in profits if p < 0)
    lost = f"; the rest loses {brief_money(-losses)}" if losses < 0 else ""
    money = money_scale(scenario[TOTAL].value("fleet_cost", "Total"))
    before = tuple((earlier.figures.get(f"gross_profit of {key}") if earlier else None) for key in keys)
    sides = [
        Side("margin", tuple(grain.value("gross_margin", key) for key in keys), Share),
        Side("revenue", tuple(money.of(grain.value("revenue", key)) for key in keys), DollarsPerMonth),
    ]
    if earlier:
        changes = tuple(None if b is None else money.of(p - b) for p, b in zip(profits, before, strict=True))
        sides.insert(0, Side(f"vs {earlier.name}", changes, DollarsPerMonth, signed=True))
    return Bars(
        title=f"Traffic that earns brings {brief_money(gains)}{lost}."
        if gains > 0
        else f"No traffic earns; together they lose {brief_money(-losses)}.",
        description=f"Gross profit by traffic, {money.words}, {month}",
        labels=tuple(keys),
        values=tuple(money.of(profit) for profit in profits),
        unit=DollarsPerMonth,
        value_head="gross profit",
        before=tuple(None if b is None else money.of(b) for b in before) if earlier else (),
        before_label=earlier.name if earlier else "",
        sides=tuple(sides),
        note=Margin("Chart", sheet.range(1), f"bars {month}" + (f", lines {earlier.name}" if earlier else "")),
        alt=f"Gross profit by traffic in {month}: "
        + ", ".join(f"{key} {brief_money(profit)}" for key, profit in zip(keys, profits, strict=True)),
    )


def actions(scenario: Scenario, moves: Sequence[Move]) -> tuple[Action, ...]:
    """What to do, largest effect first: cheaper accelerators for the same requests, and prices that pay their bill."""
    grain = scenario[BY_TRAFFIC]
    found = [
        (
            move.saving,
            f"Move {label(move.serving)} to {label(move.alternative)}{_once_free(move)}: the same requests at "
            f"{_speeds(move)} tok/s for each user.",
        )
        for move in moves
    ]
    for key in grain.keys:
        given = {name: grain.values[name][grain.row(key)] for name in ("fleet_cost", "revenue")}
        gain = float(ACTION_FORMULAS["break_even_gain"](**given))
        if gain > 0:
            rise = grain.value("break_even_price_rise", key)
            price = show(grain.value("served_price", key), DollarsPerMillionTokens)
            text = f"Raise the prices of {key} by {show(rise, Share)} (now {price} on average): then it pays its bill."
            found.append((gain, text))
    found += [
        (
            -scenario[APIS].value("own_saving", pair),
            f"Weigh buying what {label(scenario[APIS].value('configuration', pair))} serves from "
            f"{scenario[APIS].value('competitor', pair)}: at list prices that costs less than the rent.",
        )
        for pair in nearest_apis(scenario)
        if scenario[APIS].value("own_saving", pair) < 0
    ]
    found.sort(key=lambda item: -item[0])
    return tuple(Action(text, f"{brief_money(effect, signed=True)} a month") for effect, text in found[:3])


def _speeds(move: Move) -> str:
    now, then = f"{digits(move.user_speed)}", f"{digits(move.alternative_user_speed)}"
    return f"the same {now}" if now == then else f"{then} instead of {now}"


def _once_free(move: Move) -> str:
    conditions = []
    if move.kept_replicas > 1:
        conditions.append(f"{digits(move.kept_replicas)} replicas need not be kept")
    if move.precision:
        conditions.append(f"answers at {move.precision} are tested")
    return f", once {listed(conditions)}" if conditions else ""


def verdict(checks: Sequence[Check], cell: str) -> Verdict:
    """The strip on page 1: all checks passed, or which did not."""
    failed = [check.name for check in checks if not check.passed]
    if failed:
        return Verdict(False, f"{sentence(count_of(len(failed), 'check'))} failed.", "; ".join(failed) + ".", cell)
    compared = checks[0].found if checks else 0
    tied = f"{digits(compared)} live figures equal the engine\u2019s, each to a relative 1e-9"
    detail = f"{tied}; request costs add up to the bill, traffics to the total."
    return Verdict(True, f"All {len(checks)} checks passed.", detail, cell)


def answer(
    scenario: Scenario,
    earlier: Earlier | None,
    moves: Sequence[Move],
    summary: LiveSheet,
    checks: Sequence[Check],
    check_cell: str,
    recommended: str,
) -> Answer:
    """Page 1 as values; `check_cell` and `recommended` are where verdict and actions stand in the workbook."""
    return Answer(
        headline(scenario),
        lead(scenario, earlier, moves),
        _key_figures(scenario, earlier, summary),
        _chart(scenario, earlier, summary),
        actions(scenario, moves),
        verdict(checks, check_cell),
        Margin("Effect", recommended, "predicted, each action alone; measure before moving; not a live figure"),
        Margin("Standing", "", standing_line(scenario)),
    )
