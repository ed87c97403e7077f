"""Fidelity: the bands around what each configuration is predicted to do, and predicted speeds beside measured ones.

Knows neither Excel nor HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.catalogue import FOLDER, left_out
from engine.filling.calibrating import own_points
from engine.measured import Point, points
from engine.report.live import Live, LiveRow, LiveSheet, LiveTable, as_text
from engine.report.values import Head
from engine.report.workbook import MILLI_PER_UNIT, by_name
from engine.scenarios import CONFIGURED, Scenario
from engine.sheets import CALIBRATION
from engine.studies.calibration import ALL, marked
from engine.studies.fidelity import Level, Prediction, parameters_of, predictions
from engine.units import DollarsPerMillionTokens, Milliseconds, Number, Share, Text, TokensPerSecond

# Columns of the sheet: head, quantity, reader's unit, how many of them make one of the grain's.
BANDS = (
    ("Calibration", "calibration", Text, 1.0),
    ("Rests on", "calibration_verdict", Text, 1.0),
    ("Band of speeds", "speed_band", Number, 1.0),
    ("Lower output speed", "lower_output_speed", TokensPerSecond, 1.0),
    ("Output speed", "output_speed", TokensPerSecond, 1.0),
    ("Upper output speed", "upper_output_speed", TokensPerSecond, 1.0),
    ("Lower speed per user", "lower_user_speed", TokensPerSecond, 1.0),
    ("Upper speed per user", "upper_user_speed", TokensPerSecond, 1.0),
    ("Lower first token", "lower_time_to_first_token", Milliseconds, MILLI_PER_UNIT),
    ("Upper first token", "upper_time_to_first_token", Milliseconds, MILLI_PER_UNIT),
    ("Lower all-in cost", "lower_blended_cost", DollarsPerMillionTokens, 1.0),
    ("Upper all-in cost", "upper_blended_cost", DollarsPerMillionTokens, 1.0),
    ("Lower gross margin", "lower_gross_margin", Share, 1.0),
    ("Upper gross margin", "upper_gross_margin", Share, 1.0),
)
NAME = "Fidelity"
AROUND, BLIND = "Bands", "Median errors"
ERRORS = ("throughput", "time_per_output_token", "time_to_first_token", "mixtures_of_experts", "in_their_band")


@dataclass(frozen=True)
class Compared:
    """Predicted beside measured: the public points that the calibration was fitted on, and the workbook's own."""

    public: Sequence[Prediction]
    own: Sequence[Prediction]


def compared(scenario: Scenario) -> Compared | None:
    """Both, by the workbook's rows of Calibration; None where that is not asked for, or there is no row of all."""
    table = scenario.inputs.tables[CALIBRATION.name]
    levels = {
        str(row["calibration"]): Level(str(row["calibration"]), parameters_of({n: row[n] for n in table.columns}))
        for row in table
    }
    if not scenario.inputs.settings["study_fidelity"] or ALL not in levels:
        return None
    measured, accelerators, models = (FOLDER / f"{name}.csv" for name in ("measured", "accelerators", "models"))
    known = {name: level for name, level in levels.items() if level.parameters["speed_error"] > 1}

    def level_of(point: Point) -> Level:
        return known.get(point.stack_name) or known.get(point.engine) or levels[ALL]

    return Compared(
        predictions(marked(points(measured, accelerators, models)), level_of),
        predictions(own_points(scenario.inputs.tables), level_of),
    )


def fidelity_sheet(scenario: Scenario) -> LiveSheet | None:
    """Every configuration with its bands, and how wrong the fit was where it was blind; None where not asked for."""
    if not scenario.inputs.settings["study_fidelity"]:
        return None
    heads = (Head("Left out of the fit"), *(Head(name.replace("_", " ").capitalize(), Share) for name in ERRORS))
    rows = tuple(
        LiveRow((as_text(row["left_out"]), *(Live(row[name], Share, "") for name in ERRORS))) for row in left_out()
    )
    return LiveSheet(
        NAME,
        "Predicted speeds and their bands",
        "Eight of ten measured figures are to lie between lower and upper; costs and margins are those of fleets that "
        "such speeds need. What was left out of the fit is a value, of the calibration that ships.",
        (by_name(scenario[CONFIGURED], BANDS, AROUND), LiveTable(heads, rows, BLIND)),
        landscape=True,
    )
