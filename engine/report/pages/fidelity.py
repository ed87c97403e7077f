"""The page of fidelity: how wrong predicted speeds are, in one picture, and what that means for cost and margin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.catalogue import left_out
from engine.derivation import label
from engine.report.fidelity import AROUND, BLIND, ERRORS, NAME, Compared
from engine.report.live import LiveSheet
from engine.report.pages.deployments import MOST_ROWS, serving
from engine.report.values import Head, Kind, Margin, Paragraph, Row, Section, Square, Squares, Table
from engine.scenarios import CONFIGURED, Grain, Scenario
from engine.studies.fidelity import Prediction, model_class
from engine.units import (
    DollarsPerMillionTokens,
    Milliseconds,
    Share,
    TokensPerSecond,
    digits,
    show,
)

# Square, its unit, and the metrics whose points stand in it.
SQUARES = (
    ("Output speed", TokensPerSecond, ("output_tok_s_total", "output_tok_s_per_chip")),
    ("Time per token", Milliseconds, ("tpot_ms",)),
    ("First token", Milliseconds, ("ttft_ms",)),
)
OWN = "your measurements"
KINDS = (("dense", "blue"), ("mixture of experts", "orange"), (OWN, "ink"))


def fidelity_page(scenario: Scenario, found: Compared, sheet: LiveSheet) -> Section:
    """Predicted against measured, the errors of blind fits, and the bands of what serves."""
    grain = scenario[CONFIGURED]
    keys = serving(grain)[:MOST_ROWS]
    widest = max((grain.value("speed_band", key) for key in keys), default=1.0)
    headline = (
        f"Eight times in ten, a speed lies within a factor of {digits(widest, 2)} of what is predicted"
        if widest > 1
        else "All speeds are as they were measured, or of parameters that nobody fitted"
    )
    blocks = (Paragraph(_told(found, grain, keys)), _chart(found), _blind(sheet), _bands(grain, keys, sheet))
    return Section(NAME, headline, blocks)


def _told(found: Compared, grain: Grain, keys: Sequence[str]) -> str:
    inside = [each for each in found.public if not each.reason]
    outside = [key for key in keys if str(grain.value("calibration_verdict", key)).startswith("outside")]
    measured = [key for key in keys if grain.value("calibration_verdict", key) == "measured"]
    parts = [
        f"The speed model is fitted on {digits(len(inside))} public figures. What it predicts was tried where it is "
        "blind: the fit was made again without an accelerator, a family of models, a source or an engine, and asked "
        "for them. The bands come from sources left out, and widen for what no figure is of.",
    ]
    if own := [each for each in found.own if not each.reason]:
        errors = sorted(abs(each.ratio - 1) for each in own)
        parts.append(
            f"Of your own measurements {digits(len(own))} can be predicted; the median error is "
            f"{show(errors[len(errors) // 2], Share)}."
        )
    else:
        parts.append("Your own measurements on the sheet Measurements, and the command calibrate, narrow the bands.")
    if measured:
        parts.append(f"{digits(len(measured))} of those that serve run at a speed that was measured.")
    if outside:
        names = ", ".join(label(key) for key in outside[:4])
        more = f" and {digits(len(outside) - 4)} more" if len(outside) > 4 else ""
        parts.append(f"Outside what was measured: {names}{more}.")
    return " ".join(parts)


def _chart(found: Compared) -> Squares:
    known = [each for each in found.public if not each.reason]
    own = [each for each in found.own if not each.reason]
    squares = []
    for name, unit, metrics in SQUARES:
        mine = [each for each in known if each.point.row["metric"] in metrics]
        kinds = [
            Kind(kind, tone, _pairs(each for each in mine if model_class(each.point) == kind))
            for kind, tone in KINDS[:2]
        ]
        if ours := [each for each in own if each.point.row["metric"] in metrics]:
            kinds.append(Kind(*KINDS[2], _pairs(ours)))
        if mine:
            band = sorted(each.band for each in mine)[len(mine) // 2]
            squares.append(Square(name, unit, tuple(kinds), band))
    return Squares(
        title="Predicted against measured: on the line they are equal.",
        description="Public figures that the fit has seen, log scales; dashed: eight of ten unseen ones lie between",
        squares=tuple(squares),
        note=Margin("Chart", "", f"{digits(len(known) + len(own))} figures of inputs/catalogue/measured.csv"),
        alt="Predicted against measured speeds and times, one point for each measured figure.",
    )


def _pairs(found: Iterable[Prediction]) -> tuple[tuple[float, float], ...]:
    return tuple((each.predicted, each.point.value) for each in found)


def _blind(sheet: LiveSheet) -> Table:
    return Table(
        "How wrong the fit is where it is blind",
        "median errors of what was left out, and the share of it that lay in its band",
        (
            Head("Left out"),
            Head("Throughput", Share),
            Head("Per token", Share),
            Head("First token", Share),
            Head("Mixtures", Share),
            Head("In band", Share, decimals=0),
        ),
        tuple(Row((str(row["left_out"]), *(row[name] for name in ERRORS))) for row in left_out()),
        Margin("Table", _range(sheet, BLIND)),
        "Of the calibration that ships. Mixtures: speeds of mixtures of experts. A source is a document or data set.",
    )


def _bands(grain: Grain, keys: Sequence[str], sheet: LiveSheet) -> Table:
    return Table(
        "What that means for those that serve",
        "lower and upper end of the band",
        (
            Head("Configuration"),
            Head("Rests on"),
            Head("Output from", TokensPerSecond, "tok/s"),
            Head("to", TokensPerSecond, "tok/s"),
            Head("Cost from", DollarsPerMillionTokens, "$/Mtoken"),
            Head("to", DollarsPerMillionTokens, "$/Mtoken"),
            Head("Margin from", Share),
            Head("to", Share),
        ),
        tuple(
            Row(
                (
                    label(key),
                    str(grain.value("calibration_verdict", key)),
                    *(
                        grain.value(f"{end}_{figure}", key)
                        for figure in ("output_speed", "blended_cost", "gross_margin")
                        for end in ("lower", "upper")
                    ),
                )
            )
            for key in keys
        ),
        Margin("Table", _range(sheet, AROUND)),
        "Cost and margin are those of the fleets that such speeds need, at the same utilization; one configuration's "
        "error says little of another's, so that the month's is smaller than theirs together.",
    )


def _range(sheet: LiveSheet, title: str) -> str:
    place = sheet.place_of(title)
    assert place is not None  # the sheet has both tables
    return sheet.range(place)
