"""Agreement: what sheets must say together for a configuration to make sense. Knows tables and cells, no Excel file.

Each check is a generator of problems and passes over cells that could not be read; they have problems of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median_high

import numpy as np

from engine.sheets import BY_NAME, CHOICES, CONFIGURATIONS, MODELS, SEEN_ON, Choice
from engine.workbook.actuals import CHECKS as ACTUALS_CHECKS
from engine.workbook.billing import CHECKS as BILLING_CHECKS
from engine.workbook.billing import month_of
from engine.workbook.currencies import CHECKS as CURRENCY_CHECKS
from engine.workbook.demand import CHECKS as DEMAND_CHECKS
from engine.workbook.demand import classes_of
from engine.workbook.describe import amount, number
from engine.workbook.drivers import CHECKS as DRIVER_CHECKS
from engine.workbook.hours import CHECKS as HOUR_CHECKS
from engine.workbook.mail import CHECKS as MAIL_CHECKS
from engine.workbook.outlook import CHECKS as OUTLOOK_CHECKS
from engine.workbook.ownership import CHECKS as OWNERSHIP_CHECKS
from engine.workbook.plausibility import doubts
from engine.workbook.problems import Problem, listed
from engine.workbook.tables import Row, Tables
from engine.workbook.uncertainty import CHECKS as UNCERTAINTY_CHECKS

# On Models, the sum of the first is at most the second.
PARTS = (
    (("experts_per_token",), "experts"),
    (("routed_parameters",), "total_parameters"),
    (("active_parameters",), "total_parameters"),
    (("window_layers", "linear_layers"), "layers"),
    (("kv_heads",), "attention_heads"),
)
MEASURED_TOLERANCE = 0.05
DAYS = (*SEEN_ON, "valid_from")
FURTHEST_AHEAD = 92  # days after the month, in which sources may still be looked at and prices be known
# Settings that a question of the report needs together.
TOGETHER = (
    (("draft_model", "acceptance"), "the question of speculative decoding"),
    (("first_price", "last_price", "price_years"), "the question of falling prices"),
)


def disagreements(tables: Tables) -> list[Problem]:
    """Everything that sheets or columns say against each other; warnings among them."""
    every = (
        *(*CHECKS, *DEMAND_CHECKS, *HOUR_CHECKS, *CURRENCY_CHECKS, *BILLING_CHECKS),
        *(*OUTLOOK_CHECKS, *OWNERSHIP_CHECKS, *ACTUALS_CHECKS, *MAIL_CHECKS, *UNCERTAINTY_CHECKS),
        *(*DRIVER_CHECKS, doubts),
    )
    return [problem for check in every for problem in check(tables)]


def _models(tables: Tables) -> Iterator[Problem]:
    """A part of a model is no larger than the whole."""
    for row in tables["Models"]:
        for parts, whole in PARTS:
            size = sum(row[part] for part in parts)
            if row.sound(*parts, whole) and size > row[whole]:
                column = MODELS.column(whole)
                together = f"{' and '.join(parts)} of '{row['model']}'"
                found = f"{together} {'are' if len(parts) > 1 else 'is'} {amount(column, size)}"
                allowed = f"allowed is at most {whole}, {amount(column, row[whole])} ({row.address(whole)})"
                yield Problem(*row.place(parts[0]), found, allowed, "Correct whichever is wrong.")


def _chosen_columns(tables: Tables) -> Iterator[Problem]:
    """The column of Hardware that a word chooses is filled for the accelerator that is used."""
    for row in tables["Configurations"]:
        hardware = _named(tables, row, "hardware")
        for choice in CHOICES:
            word, column = _word(tables, row, choice)
            if hardware is None or not word or not hardware.sound(choice.columns[word]):
                continue
            if hardware.is_blank(choice.columns[word]):
                possible = [other for other, name in choice.columns.items() if not hardware.is_blank(name)]
                found = f"'{row[column]}' needs {choice.columns[word]} of {row['hardware']}"
                blank = f"which is blank in {hardware.cell(choice.columns[word])}"
                advice = "Fill that in."
                if possible:
                    instead = "choose" if column == choice.by else f"choose a {column} with {choice.by}"
                    advice = f"Fill that in, or {instead} {' or '.join(possible)}."
                yield Problem(*row.place(column), found, blank, advice)


def _word(tables: Tables, row: Row, choice: Choice) -> tuple[str, str]:
    """The word that a configuration chooses by, its own or of a row it names, and the configuration's column for it."""
    if choice.by in row.table.columns:
        return row[choice.by], choice.by
    for column in CONFIGURATIONS.columns:
        for sheet in column.refers_to:
            if any(other.name == choice.by for other in BY_NAME[sheet].columns):
                named = _named(tables, row, column.name)
                return (named[choice.by] if named else ""), column.name
    raise KeyError(choice.by)


def _named(tables: Tables, row: Row, column: str) -> Row | None:
    """The row that a configuration names in this column, if there is one."""
    (sheet,) = CONFIGURATIONS.column(column).refers_to
    return tables[sheet].find(row[column])


def _parallelism(tables: Tables) -> Iterator[Problem]:
    """Accelerators of one replica are linked, and attention's groups of ranks are equally large."""
    for row in tables["Configurations"]:
        ranks, groups = row["tensor_parallel"], row["attention_data_parallel"]
        hardware = _named(tables, row, "hardware")
        for name in ("tensor_parallel", "pipeline_stages"):
            if hardware and row[name] > 1 and hardware.is_blank("link_bandwidth"):
                found = f"{name} is {number(row[name])}, which needs link_bandwidth of {row['hardware']}"
                blank = f"it is blank in {hardware.cell('link_bandwidth')}"
                yield Problem(*row.place(name), found, blank, "Fill that in, or type 1 here.")
        if row.sound("tensor_parallel", "attention_data_parallel") and ranks % groups:
            found = f"attention_data_parallel is {number(groups)}"
            allowed = f"allowed are divisors of tensor_parallel, {number(ranks)} ({row.address('tensor_parallel')})"
            yield Problem(*row.place("attention_data_parallel"), found, allowed, "Change one of the two.")


def _batch(tables: Tables) -> Iterator[Problem]:
    """No batch is asked for that the engine would not take."""
    for row in tables["Configurations"]:
        limit = row["engine_batch_limit"] * row["attention_data_parallel"]
        if row["requested_batch_size"] > limit:
            found = f"requested_batch_size is {number(row['requested_batch_size'])}"
            limited_by = f"engine_batch_limit ({row.address('engine_batch_limit')}) for each attention rank"
            allowed = f"allowed are {number(limit)}: {limited_by}"
            yield Problem(*row.place("requested_batch_size"), found, allowed, "Type fewer or max, or raise the limit.")


def _prompts(tables: Tables) -> Iterator[Problem]:
    """The prompts that a configuration is sent are not longer than its model takes."""
    for row in tables["Configurations"]:
        model = _named(tables, row, "model")
        for member, _ in classes_of(tables, row["traffic"]):
            if model and member["input_tokens"] > model["maximum_context"]:
                length, limit = number(member["input_tokens"]), number(model["maximum_context"])
                found = f"'{member['traffic']}' sends prompts of {length} tokens ({member.cell('input_tokens')})"
                allowed = f"{row['model']} takes {limit} ({model.cell('maximum_context')})"
                advice = "Serve it with another model, or correct either figure."
                yield Problem(*row.place("traffic"), found, allowed, advice)


def _future_dates(tables: Tables) -> Iterator[Problem]:
    """Warns of days so long after the month that their year must be a slip."""
    days_of_month = month_of(tables)
    if days_of_month is None:
        return
    month, end = days_of_month
    columns = [(table, column) for table in tables.values() for column in table.sheet.columns if column.name in DAYS]
    days = [(row, column.name) for table, column in columns for row in table if row[column.name]]
    # A workbook of an old month may have been made much later: most of its days then say so.
    latest = max(end, median_high([row[name] for row, name in days] or [month]))
    used = set(tables["Configurations"].columns["price_list"])
    for row, name in days:
        # A price list in use that does not hold yet is a problem already.
        told = name == "valid_from" and row["price_list"] in used
        if (row[name] - latest).days > FURTHEST_AHEAD and not told:
            months = 12 * (row[name].year - month.year) + row[name].month - month.month
            later = f"{months} months" if months < 24 else f"{months // 12} years"
            allowed = f"that lies {later} after the month reported, {month:%Y-%m}"
            yield Problem(*row.place(name), f"{name} is {row[name]:%Y-%m-%d}", allowed, "Check the year.", "warning")


def _measured_speeds(tables: Tables) -> Iterator[Problem]:
    """Warns where the input speed measured in a shared pool is not what comes with the output speed measured."""
    for row in tables["Configurations"]:
        measured = row["measured_input_speed"]
        if row["shared_pool"] != 1 or not measured or not row["measured_output_speed"]:
            continue
        lengths = _mean_lengths(tables, row["traffic"])
        if not lengths:
            continue
        expected = row["measured_output_speed"] * lengths[0] / lengths[1]
        if abs(measured / expected - 1) > MEASURED_TOLERANCE:
            found = f"measured_input_speed is {number(measured)} tok/s"
            allowed = (
                f"{number(row['measured_output_speed'])} tok/s of output ({row.address('measured_output_speed')})"
                f" come with {expected:,.0f} tok/s of input in '{row['traffic']}'"
            )
            advice = "Check that both were measured together, on traffic of these lengths."
            yield Problem(*row.place("measured_input_speed"), found, allowed, advice, "warning")


def _mean_lengths(tables: Tables, traffic: str) -> tuple[float, float] | None:
    """Mean tokens of a prompt and of an answer with its reasoning, weighted with requests where they are known."""
    needed = ("mean_requests", "input_tokens", "output_tokens", "reasoning_tokens")
    members = [(row, share) for row, share in classes_of(tables, traffic) if row.sound(*needed)]
    weights = [share * (1 if row.is_blank("mean_requests") else row["mean_requests"]) for row, share in members]
    if not sum(weights) > 0:
        return None
    lengths = [(row["input_tokens"], row["output_tokens"] + row["reasoning_tokens"]) for row, _ in members]
    prompt, answer = np.average(lengths, axis=0, weights=weights)
    return float(prompt), float(answer)


def _draft_model(tables: Tables) -> Iterator[Problem]:
    """The model that drafts is dense; and what a question of the Settings needs is there together."""
    for row in tables["Settings"]:
        model = tables["Models"].find(row["draft_model"])
        if model and (model["experts"] > 1 or model["kv_lora_rank"] > 0 or model["linear_layers"] > 0):
            found = f"draft_model is '{row['draft_model']}'"
            allowed = "allowed is a dense model with an ordinary KV cache, which is what its step is calculated for"
            yield Problem(*row.place("draft_model"), found, allowed, "Name another one, or clear the cell.")
        for names, question in TOGETHER:
            missing = [name for name in names if row.is_blank(name)]
            given = [name for name in names if not row.is_blank(name)]
            if given and missing and row.sound(*names):
                found = f"{missing[0]} is blank although {listed(given)} {'is' if len(given) == 1 else 'are'} given"
                allowed = f"{question} needs {listed(names)}"
                yield Problem(*row.place(missing[0]), found, allowed, "Fill it in to have that page.", "warning")


CHECKS = (
    _models,
    _chosen_columns,
    _parallelism,
    _batch,
    _prompts,
    _future_dates,
    _measured_speeds,
    _draft_model,
)
