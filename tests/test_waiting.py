"""Waiting: against published tables, exact recursion and simulation; and the fewest replicas that keep a target."""

import heapq
import math
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from oracles import needs_libreoffice, recalculated_by_libreoffice
from test_parity import FORMUALIZER

from engine.calculation import behind, calculate
from engine.distributions import MOST_COUNTED, normal_cumulative, poisson_cumulative, poisson_probability
from engine.formulas import EVERY_FORMULA, HOUR_FORMULAS
from engine.formulas.groups.waiting import FLEET_WAITING, at_replicas, of_prompts
from engine.report.live import letters
from engine.tracing import EXCEL, written

# Every run draws the same cases, and a slow machine fails none.
STEADY = settings(deadline=None, derandomize=True, max_examples=60)
# A queue by itself, beside the hour's demand.
QUEUE = FLEET_WAITING | at_replicas("hour", "needed_replicas")
OF_HOURS = EVERY_FORMULA | HOUR_FORMULAS | QUEUE | of_prompts(QUEUE)
ONE_SLOT = {
    "replica_slots": 1.0,
    "deferrable_requests": 0.0,
    "peak_multiple": 1.0,
    "service_time": 1.0,
    "service_variability": 1.0,
    "waiting_percentile": 0.99,
    "utilization_cap": 0.85,
    "headroom": 0.15,
    "kept_replicas": 0.0,
    "waiting_target": 0.5,
}


def ask(*wanted, **columns):
    """The columns asked for, over one-slot replicas that serve a request in a second unless something else is given."""
    given_ = {name: np.asarray(value, float) for name, value in {**ONE_SLOT, **columns}.items()}
    rows = np.broadcast_arrays(*(np.atleast_1d(value) for value in given_.values()))
    needed = behind(wanted, given_, OF_HOURS)
    result = calculate(dict(zip(given_, rows, strict=True)), {name: OF_HOURS[name] for name in needed})
    return result[wanted[0]] if len(wanted) == 1 else [result[name] for name in wanted]


def erlang_c(slots, load):
    """Probability of waiting by Erlang's recursion for loss, one slot at a time; exact where the load is a fraction."""
    loss = 1
    for slot in range(1, slots + 1):
        loss = load * loss / (slot + load * loss)
    return loss / (1 - load / slots * (1 - loss))


# The probability of waiting


# As printed by the ErlangC package for R (CRAN, 2024), ten erlangs.
@pytest.mark.parametrize(("slots", "printed"), [(11, 0.6821182), (12, 0.4493882), (13, 0.2852705), (14, 0.1741319)])
def test_published_table(slots, printed):
    assert ask("waiting_probability", hour_requests=10, replica_count=slots)[0] == pytest.approx(printed, abs=5.1e-8)


@pytest.mark.parametrize(
    ("slots", "load", "exact"), [(1, 0.7, 0.7), (2, 1, 1 / 3), (2, 1.5, 9 / 14), (3, 2, 4 / 9), (4, 3, 27 / 53)]
)
def test_small_systems_solved_by_hand(slots, load, exact):
    assert ask("waiting_probability", hour_requests=load, replica_count=slots)[0] == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("slots", [1, 2, 5, 20, 60, 99, 100, 101, 102, 110, 150, 256, 500, 1000, 10_000, 100_000])
def test_exact_recursion_to_a_millionth(slots):
    uses = np.array([1e-3, 0.1, 0.3, 0.5, 0.7, 0.85, 0.9, 0.95, 0.99, 0.999, 1 - 1e-5, 1 - 1e-8, 1 - 1e-15])
    found = ask("waiting_probability", hour_requests=uses * slots, replica_count=slots)
    exact = np.array([erlang_c(slots, use * slots) for use in uses])
    assert found == pytest.approx(exact, rel=1e-6, abs=1e-12)


def test_the_recursion_that_is_the_yardstick_is_exact():
    for slots, load in ((14, 10), (100, 85)):
        exact = erlang_c(slots, Fraction(load))
        assert isinstance(exact, Fraction)
        assert erlang_c(slots, float(load)) == pytest.approx(float(exact), rel=1e-12)


def test_the_two_forms_meet():
    """No step where the form changes that a neighbouring count would not make anyway."""
    counts = np.arange(MOST_COUNTED - 3, MOST_COUNTED + 5)
    change = np.diff(np.log(ask("waiting_probability", hour_requests=0.9 * counts, replica_count=counts)))
    assert np.abs(np.diff(change)).max() < 2e-4


# Times


def simulated(slots, load, requests, draw, seed):
    """Waits of requests that arrive at random to slots that serve them in turn, after a warm-up."""
    random = np.random.default_rng(seed)
    arrivals = np.cumsum(random.exponential(1 / load, requests))
    services = draw(random, requests)
    free = [0.0] * slots
    waits = np.empty(requests)
    for request, (arrival, service) in enumerate(zip(arrivals.tolist(), services.tolist(), strict=True)):
        begin = max(arrival, free[0])
        waits[request] = begin - arrival
        heapq.heapreplace(free, begin + service)
    return waits[requests // 5 :]


def _exponential(random, count):
    return random.exponential(1.0, count)


@pytest.mark.parametrize(
    ("slots", "use", "requests"), [(1, 0.7, 400_000), (4, 0.8, 400_000), (30, 0.9, 600_000), (120, 0.95, 1_200_000)]
)
def test_simulation_of_random_service(slots, use, requests):
    waits = simulated(slots, use * slots, requests, _exponential, seed=slots)
    tail, mean = ask("tail_waiting_time", "mean_waiting_time", hour_requests=use * slots, replica_count=slots)
    assert tail[0] > 0
    assert tail[0] == pytest.approx(np.quantile(waits, 0.99), rel=0.05)
    assert mean[0] == pytest.approx(waits.mean(), rel=0.05)


def busy_share(slots, load, chains, warm_up, measured, seed):
    """Share of the time in which all slots are busy: many systems side by side, times in service times.

    Events are drawn by the lump, a thousandth of a service time; in it the rates hardly change.
    """
    random = np.random.default_rng(seed)
    lump = round(2 * load / 1000)
    inside, time, busy = np.full(chains, round(load)), 0.0, 0.0
    for step in range(round((warm_up + measured) * 2 * load / lump)):
        rate = load + np.minimum(inside, slots)
        if step * lump >= warm_up * 2 * load:
            time += (1 / rate).sum()
            busy += (1 / rate)[inside >= slots].sum()
        inside = inside + 2 * random.binomial(lump, load / rate) - lump
    return busy / time


@pytest.mark.parametrize("slots", [1_000, 100_000])
def test_simulation_of_many_slots(slots):
    """Where all slots are busy requests leave at the rate of all: the wait of those who wait is known, its share not.

    A direct percentile of 100,000 slots would take billions of events.
    """
    load = slots - 0.7 * slots**0.5
    share = busy_share(slots, load, chains=300, warm_up=6, measured=30, seed=7)
    probability, tail = ask("waiting_probability", "tail_waiting_time", hour_requests=load, replica_count=slots)
    assert probability[0] == pytest.approx(share, rel=0.1)
    assert tail[0] == pytest.approx(np.log(share / 0.01) / (slots - load), rel=0.05)


VARIABILITIES = {
    "every request alike": (0.0, lambda random, count: np.ones(count)),
    "half as variable": (0.5, lambda random, count: random.gamma(2, 0.5, count)),
    "twice as variable": (2.0, lambda random, count: random.gamma(0.5, 2, count)),
    "four times as variable": (4.0, lambda random, count: random.gamma(0.25, 4, count)),
}


@pytest.mark.parametrize("kind", VARIABILITIES)
@pytest.mark.parametrize(("slots", "use"), [(4, 0.8), (30, 0.93)])
def test_other_variability_is_an_approximation(kind, slots, use):
    """What the approximation is off by is printed (pytest -rP); it is within 40 % here."""
    variability, draw = VARIABILITIES[kind]
    waits = simulated(slots, use * slots, 300_000, draw, seed=3)
    given_ = {"hour_requests": use * slots, "replica_count": slots, "service_variability": variability}
    tail, mean = ask("tail_waiting_time", "mean_waiting_time", **given_)
    off_tail, off_mean = tail[0] / np.quantile(waits, 0.99) - 1, mean[0] / waits.mean() - 1
    print(f"{kind}, {slots} slots at {use:.0%}: wait at 99 % {off_tail:+.1%}, mean wait {off_mean:+.1%}")
    assert abs(off_tail) < 0.4 and abs(off_mean) < 0.4


# What must hold at any size

sizes = st.integers(1, 3000)
uses = st.floats(0.01, 0.999)


@STEADY
@given(slots=sizes, use=uses, batch=st.integers(1, 300))
def test_more_replicas_never_wait_longer(slots, use, batch):
    counts = np.arange(slots, slots + 40)
    columns = {"hour_requests": use * slots * batch, "replica_slots": batch, "replica_count": counts}
    probability, tail, mean = ask("waiting_probability", "tail_waiting_time", "mean_waiting_time", **columns)
    for figure in (probability, tail, mean):
        assert np.all(np.diff(figure) <= 1e-15)


@STEADY
@given(slots=sizes, use=uses)
def test_more_requests_never_wait_less(slots, use):
    loads = use * slots * np.linspace(0.5, 1, 30)
    tail, mean = ask("tail_waiting_time", "mean_waiting_time", hour_requests=loads, replica_count=slots)
    assert np.all(np.diff(tail) >= -1e-15) and np.all(np.diff(mean) >= -1e-15)


@STEADY
@given(slots=sizes, over=st.floats(1, 10))
def test_a_load_at_or_above_capacity_has_no_wait_but_a_reason(slots, over):
    wanted = ("waiting_probability", "tail_waiting_time", "mean_waiting_time", "waiting_warning")
    *figures, warning = ask(*wanted, hour_requests=over * slots, replica_count=slots)
    assert np.isnan(figures).all()
    assert warning[0] == "demand exceeds what the replicas can serve"


def test_nobody_waits_where_nobody_comes():
    for count in (0, 3):
        wanted = ("waiting_probability", "tail_waiting_time", "mean_waiting_time")
        assert [each[0] for each in ask(*wanted, hour_requests=0, replica_count=count)] == [0, 0, 0]
        assert ask("waiting_warning", hour_requests=0, replica_count=count)[0] == ""


def test_a_missed_target_is_said():
    given_ = {"hour_requests": 9, "replica_count": 10}
    tail = ask("tail_waiting_time", **given_)[0]
    assert ask("waiting_warning", waiting_target=tail, **given_)[0] == ""
    assert "longer than the target" in ask("waiting_warning", waiting_target=tail * 0.99, **given_)[0]


def test_percentile_and_variability_scale_the_wait():
    given_ = {"hour_requests": 9, "replica_count": 10}
    probability, median = ask("waiting_probability", "tail_waiting_time", waiting_percentile=0.5, **given_)
    assert median[0] == pytest.approx(np.log(probability[0] / 0.5))
    assert ask("tail_waiting_time", service_variability=0, **given_)[0] == pytest.approx(
        ask("tail_waiting_time", **given_)[0] / 2
    )


# The fewest replicas


def searched(load, batch, target, cap, kept=0):
    """The first of sixteen counts that keeps the target, tried one by one."""
    fewest = max(kept, int(np.ceil(load / (batch * cap) - 1e-9)))
    counts = np.arange(fewest, fewest + 16)
    waits = ask("tail_waiting_time", hour_requests=load, replica_slots=batch, replica_count=counts)
    keeping = counts[waits <= target]
    return int(keeping[0]) if len(keeping) else None


@settings(STEADY, max_examples=200)
@given(
    load=st.floats(0.01, 5000),
    batch=st.sampled_from([1, 1, 2, 8, 64, 256]),
    target=st.sampled_from([0.0, 0.01, 0.1, 0.5, 3.0]),
    cap=st.sampled_from([0.6, 0.85, 0.97]),
)
def test_halving_finds_the_first_that_keeps_the_target(load, batch, target, cap):
    columns = {"hour_requests": load, "replica_slots": batch, "waiting_target": target, "utilization_cap": cap}
    needed, fewest, warning = ask("needed_replicas", "fewest_replicas", "waiting_warning_hour", **columns)
    first = searched(load, batch, target, cap)
    assert needed[0] == (fewest[0] + 15 if first is None else first)
    assert (warning[0] == "") == (first is not None)
    assert load <= cap * needed[0] * batch * (1 + 1e-9)


def test_an_exhausted_search_is_said():
    given_ = {"hour_requests": 5000, "utilization_cap": 0.9999, "waiting_target": 0}
    needed, fewest, warning = ask("needed_replicas", "fewest_replicas", "waiting_warning_hour", **given_)
    assert needed[0] == fewest[0] + 15
    assert "longer than the target" in warning[0]


@STEADY
@given(batch=st.sampled_from([1, 4, 64]), target=st.sampled_from([0.0, 0.2, 2.0]))
def test_more_demand_never_needs_fewer_replicas(batch, target):
    loads = np.linspace(0, 400, 300)
    needed = ask("needed_replicas", hour_requests=loads, replica_slots=batch, waiting_target=target)
    assert np.all(np.diff(needed) >= 0)


def test_without_demand_only_what_is_kept():
    assert ask("needed_replicas", hour_requests=0, kept_replicas=0)[0] == 0
    assert ask("needed_replicas", hour_requests=0, kept_replicas=2)[0] == 2
    assert ask("needed_replicas", hour_requests=1e-9, kept_replicas=0)[0] >= 1


def test_the_default_cap_leaves_sixteen_candidates_enough():
    """With a cap of 85 % no load has so little to spare that the target of no wait is out of reach."""
    loads = np.concatenate([np.arange(0.1, 300, 0.7), np.geomspace(300, 1e6, 200)])
    assert not ask("waiting_warning_hour", hour_requests=loads, waiting_target=0).astype(bool).any()


def test_a_prefill_pool_is_found_the_same_way():
    prompts = {"hour_requests": 20.0, "prefill_time": 0.9, "service_variability": 0.3}
    same = {"hour_requests": 20.0, "service_time": 0.9, "service_variability": 0.3}
    assert ask("needed_replicas_prefill", **prompts) == ask("needed_replicas", **same)
    waits = ask("tail_waiting_time_prefill", **prompts, prefill_replica_count=21)
    assert waits == ask("tail_waiting_time", **same, replica_count=21) and waits[0] > 0
    assert ask("needed_replicas_prefill", **{**prompts, "prefill_time": 0.0})[0] == 0


# In a spreadsheet


@pytest.fixture(scope="module")
def searches(tmp_path_factory):
    """A sheet that searches replicas for loads of many sizes; what NumPy finds, and the column of each quantity."""
    loads = np.tile(np.concatenate([[0, 1e-6, 0.5], np.geomspace(1, 80_000, 40)]), 2)
    columns = {name: np.full(len(loads), value) for name, value in ONE_SLOT.items()}
    columns |= {"hour_requests": loads, "replica_slots": np.repeat([1.0, 24.0], len(loads) // 2)}
    columns["replica_count"] = np.ceil(loads * 1.01 / columns["replica_slots"])
    asked = ("tail_waiting_time", "mean_waiting_time", "waiting_warning_hour", "mean_waiting_time_hour")
    formulas = {name: OF_HOURS[name] for name in behind(asked, columns, OF_HOURS)}
    found = calculate(columns, formulas)
    place = {name: letters(column) for column, name in enumerate(found, 1)}
    book = Workbook()
    for row in range(1, len(loads) + 1):
        for name in found:
            text = f"={written(formulas[name], lambda q, r=row: f'{place[q]}{r}', EXCEL)}" if name in formulas else ""
            book.active[f"{place[name]}{row}"] = text or float(columns[name][row - 1])
    path = tmp_path_factory.mktemp("searches") / "searches.xlsx"
    book.save(path)
    return path, {name: found[name] for name in formulas}, place


def differences(path, found, place):
    sheet, wrong = load_workbook(path, data_only=True).active, []
    for name, values in found.items():
        for row, expected in enumerate(values.tolist(), 1):
            cell = sheet[f"{place[name]}{row}"].value
            if isinstance(expected, str) or math.isnan(expected):
                same = (cell or "") == (expected if isinstance(expected, str) else "")
            else:
                same = isinstance(cell, int | float) and math.isclose(cell, expected, rel_tol=1e-9, abs_tol=1e-12)
            if not same:
                wrong.append((name, row, expected, cell))
    return wrong


def test_formualizer_finds_the_same(searches, tmp_path):
    path = Path(shutil.copy(searches[0], tmp_path / "searches.xlsx"))
    subprocess.run([FORMUALIZER, "recalc", str(path)], check=True, capture_output=True)
    assert not differences(path, *searches[1:])


@needs_libreoffice
def test_libreoffice_finds_the_same(searches, tmp_path):
    assert not differences(recalculated_by_libreoffice(searches[0], tmp_path), *searches[1:])


# The distributions


def test_poisson_against_sums_of_fractions():
    for mean in (Fraction(1, 10), Fraction(9, 2), Fraction(60), Fraction(99)):
        terms = [mean**0]
        for count in range(1, 101):
            terms.append(terms[-1] * mean / count)
        one = float(np.exp(-float(mean)))
        counts = np.array([0, 1, 7, 50, 100])
        exact = [float(terms[count]) * one for count in counts]
        below = [float(sum(terms[: count + 1])) * one for count in counts]
        assert poisson_probability(counts, float(mean)) == pytest.approx(exact, rel=1e-11)
        assert poisson_cumulative(counts, float(mean)) == pytest.approx(below, rel=1e-11)


def test_what_is_not_counted_is_not_available():
    count, mean = np.array([-1.0, 101.0, 5.0, 5.0, np.nan]), np.array([3.0, 3.0, 0.0, -2.0, 3.0])
    assert np.isnan(poisson_probability(count, mean)).all()
    assert np.isnan(poisson_cumulative(count, mean)).all()
    assert poisson_cumulative(2.9, 3.0) == poisson_cumulative(2, 3.0)


def test_normal_against_tables():
    assert normal_cumulative(np.array([-1.0, 0.0, 1.0, 1.959963984540054])) == pytest.approx(
        [0.158655253931457, 0.5, 0.841344746068543, 0.975], abs=1e-14
    )
