"""Crossovers: the exact first token, against counting every one, and the three honest answers."""

from fractions import Fraction

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.formulas import EVERY_FORMULA
from engine.studies.crossovers import (
    FOUND,
    NOT_REACHED,
    NOT_VERIFIED,
    Crossover,
    api,
    exact_cost,
    first_cheapest,
    own,
    rent,
)

LIMIT = 400
DRAWN = settings(max_examples=80, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate))
cents = st.integers(0, 4000).map(lambda amount: amount / 100)
steps = st.integers(1, 120)
counts = st.integers(1, 3)


def _rented(tokens, prefill_tokens, shared, fewest, in_a_node, nodes, cost):
    return {
        "replica_tokens": tokens,
        "prefill_replica_tokens": tokens if shared else prefill_tokens,
        "shared_pool": shared,
        "minimum_replicas": fewest,
        "replicas_per_node": in_a_node,
        "nodes_per_replica": nodes if in_a_node == 1 else 1,
        "rented_node_cost": cost,
    }


fleets = st.builds(_rented, steps, steps, st.integers(0, 1), counts, counts, counts, cents)
rented = fleets.map(rent)
owned = st.builds(
    lambda fleet, base, cost: own({**fleet, "own_base_cost": base, "node_month_cost": cost}), fleets, cents, cents
)
called = st.builds(lambda price: api({"api_token_price": price / 1000}), st.integers(0, 500))


def _by_counting(way, others, limit):
    """The answer by looking at every volume, with costs written out here once more."""
    for tokens in range(1, limit + 1):
        if all(_cost(way, tokens) < _cost(other, tokens) for other in others):
            return Crossover(FOUND, tokens)
    return Crossover(NOT_REACHED, limit)


def _cost(way, tokens):
    given_ = {name: Fraction(str(value)) for name, value in way.given.items()}
    if "api_token_price" in given_:
        return given_["api_token_price"] * tokens
    replicas = max(given_["minimum_replicas"], -(-tokens // given_["replica_tokens"]))
    prompts = 0 if given_["shared_pool"] else -(-tokens // given_["prefill_replica_tokens"])
    nodes = -(-(replicas + prompts) // given_["replicas_per_node"]) * given_["nodes_per_replica"]
    if "node_month_cost" in given_:
        return given_["own_base_cost"] + nodes * given_["node_month_cost"]
    return nodes * given_["rented_node_cost"]


@DRAWN
@given(st.permutations(["own", "rent", "api"]), owned, rented, called)
def test_the_first_token_is_the_one_found_by_counting(order, own_way, rent_way, api_way):
    ways = {"own": own_way, "rent": rent_way, "api": api_way}
    first, *others = (ways[name] for name in order)
    for against in (others, others[:1], others[1:]):
        assert first_cheapest(first, against, LIMIT) == _by_counting(first, against, LIMIT)


NODE = {**_rented(1000, 1000, 1, 1, 1, 1, 0), "own_base_cost": 50, "node_month_cost": 10}


def test_an_equal_cost_is_not_yet_cheaper():
    # 60 $ for the first 1,000 tokens; the API reaches that at 1,000 and passes it at the first token of the next node.
    assert first_cheapest(own(NODE), [api({"api_token_price": 0.06})], 10_000) == Crossover(FOUND, 1167)
    assert exact_cost(own(NODE), 1000) == exact_cost(api({"api_token_price": 0.06}), 1000) == 60
    assert exact_cost(own(NODE), 1001) == 70


def test_a_crossover_in_the_trillions_is_exact():
    tokens = 25_000_000_007
    node = {**_rented(tokens, tokens, 1, 1, 1, 1, 0), "own_base_cost": 1_234_567.89, "node_month_cost": 21_000.07}
    way, price = own(node), api({"api_token_price": 0.0000009})
    found = first_cheapest(way, [price], 10**14)
    assert found.answer == FOUND and found.tokens > 10**12
    assert exact_cost(way, found.tokens) < exact_cost(price, found.tokens)
    assert exact_cost(way, found.tokens - 1) >= exact_cost(price, found.tokens - 1)


def test_a_way_that_is_never_cheaper_is_not_reached():
    assert first_cheapest(own(NODE), [api({"api_token_price": 0.009})], 1_000_000) == Crossover(NOT_REACHED, 1_000_000)


def test_what_takes_too_long_to_look_through_is_not_verified():
    cheap = api({"api_token_price": 0.0101})
    found = first_cheapest(own(NODE), [cheap], 10**9)
    assert found.answer == FOUND
    cut = first_cheapest(own(NODE), [cheap], 10**9, most_steps=100)
    assert cut == Crossover(NOT_VERIFIED, 100_999) and cut.tokens < found.tokens
    small = own({**NODE, "replica_tokens": 1, "prefill_replica_tokens": 1})
    assert first_cheapest(small, [cheap], 10, most_steps=0) == Crossover(NOT_VERIFIED, 0)


@pytest.mark.parametrize("tokens", [0, -5, 1.5])
def test_a_step_without_whole_tokens_is_refused(tokens):
    with pytest.raises(ValueError, match=r"replica_tokens is .*; allowed is a whole number from 1 on"):
        first_cheapest(own({**NODE, "replica_tokens": tokens}), [api({"api_token_price": 1})], 100)
    with pytest.raises(ValueError, match="the limit is 0 tokens"):
        first_cheapest(own(NODE), [api({"api_token_price": 1})], 0)


def test_one_token_more_than_whole_replicas_takes_another():
    replicas, size = EVERY_FORMULA["volume_replicas"], 25_000_000_007
    assert [replicas(tokens, size, 1) for tokens in (0, size * 3 - 1, size * 3, size * 3 + 1)] == [1, 3, 3, 4]
