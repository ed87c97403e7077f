"""Variants of a configuration: each has a name of its own, whatever accelerators and precisions are called."""

from datetime import date

import pytest

from engine.catalogue import example
from engine.scenarios import CASES, Case, scenario, with_cases
from engine.studies.questions import BATCH, CACHING, LOAD, PLACES, PRECISION, REASONING, answered, questions, within
from engine.studies.variants import named
from engine.workbook.blank import write_blank
from engine.workbook.read import read

BASE = "Chat on 4 H100"


@pytest.fixture
def asked(tmp_path):
    """A function that asks every question of the example with other rows, and answers them."""

    def ask(change=lambda rows: None):
        rows = {name: [dict(row) for row in sheet] for name, sheet in example("november").items()}
        change(rows)
        write_blank(tmp_path / "asked.xlsx", rows, today=date(2026, 11, 30))
        calculated = scenario(read(tmp_path / "asked.xlsx"))
        found = questions(calculated)
        return found, answered(calculated, found)

    return ask


def names_of(found, study):
    """What the cases of a study are called within it."""
    return [within(case) for case in found.of(study)]


def row_of(rows, sheet, key):
    """The row whose first column holds the key."""
    return next(row for row in rows[sheet] if next(iter(row.values())) == key)


def test_a_name_with_a_colon_is_told_whole(asked):
    def rename(rows):
        for sheet in ("Hardware", "Configurations", "Commitments"):
            for row in rows[sheet]:
                if row["hardware"] == "H100 SXM":
                    row["hardware"] = "AWS: H100"

    found, answers = asked(rename)
    assert "AWS: H100" in names_of(found, PLACES)
    case = next(case for case in found.of(PLACES) if within(case) == "AWS: H100")
    assert answers[CASES].value("hardware", case) == "AWS: H100"


def test_within_keeps_what_follows_the_study():
    assert within("accelerators: AWS: H100") == "AWS: H100"


def test_two_cases_of_one_name_are_refused(asked):
    _, answers = asked()
    twice = [Case("trial: again", "trial", BASE, {}), Case("trial: once", "trial", BASE, {})]
    with pytest.raises(ValueError, match=r"two cases have one name: \['trial: again'\]"):
        with_cases(answers, [*twice, twice[0]])


def test_variants_that_read_the_same_are_numbered():
    cases = named("trial", BASE, [("fp8", {}), ("FP8", {"kv_bits": 8}), ("fp8 (2)", {}), ("fp8", {"kv_bits": 4})])
    assert [case.name for case in cases] == ["trial: fp8", "trial: FP8 (2)", "trial: fp8 (2) (2)", "trial: fp8 (3)"]
    assert [case.changes.get("kv_bits") for case in cases] == [None, 8, None, 4]


def test_a_precision_called_as_a_variant_is_told_apart(asked):
    """`fp8, weights only` is what the weights of fp8 with today's cache are called too."""

    def add(rows):
        (int8,) = (row for row in rows["Precisions"] if row["precision"] == "fp8")
        rows["Precisions"].append({**int8, "precision": "bf16, weights only"})
        rows["Precisions"].append({**int8, "precision": "fp8, KV fp8, compute bf16"})

    found, answers = asked(add)
    names = names_of(found, PRECISION)
    assert {"bf16, weights only", "bf16, weights only (2)", "fp8, KV fp8, compute bf16"} <= set(names)
    bits = {answers[CASES].value("weight_bits", case) for case in found.of(PRECISION) if "weights only" in case}
    assert len(bits) > 1


@pytest.mark.parametrize(
    ("study", "sheet", "key", "change", "today"),
    [
        (CACHING, "Traffic", "Chat", {"cached_share": 0.5001}, 0.5001),
        (REASONING, "Traffic", "Chat", {"reasoning_tokens": 420.04}, 420.04 / 420),
        (BATCH, "Configurations", BASE, {"requested_batch_size": 64}, 64),
    ],
)
def test_of_settings_that_read_the_same_todays_stays(asked, study, sheet, key, change, today):
    found, answers = asked(lambda rows: row_of(rows, sheet, key).update(change))
    names, grain = names_of(found, study), answers[CASES]
    assert len(set(names)) == len(names)
    shown = {CACHING: "50%", REASONING: "1", BATCH: "64"}[study]
    case = next(case for case in found.of(study) if within(case) == shown)
    held = {
        CACHING: lambda: grain.value("cached_tokens", case) / grain.value("input_tokens", case),
        REASONING: lambda: grain.value("reasoning_tokens", case) / grain.value("output_tokens", case),
        BATCH: lambda: grain.value("batch_size", case),
    }[study]()
    assert held == pytest.approx(today, rel=1e-12)


def test_no_two_cases_of_a_report_have_one_name(asked):
    """Excel looks rows up without regard to capitals."""
    found, answers = asked()
    names = [case.name.casefold() for case in found.cases]
    assert len(set(names)) == len(names) == len(answers[CASES].keys) > 80
    assert found.of(LOAD) and found.of(BATCH)
