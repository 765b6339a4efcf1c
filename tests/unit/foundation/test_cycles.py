"""Cycles among jobs that run after others: found where there is one, never where there is none."""

from __future__ import annotations

import graphlib
import itertools

from hypothesis import given
from hypothesis import strategies as st

from eureka_park.foundation.cycles import chain_text, find_cycle

NAMES = st.sampled_from("abcdefgh")
AFTER = st.dictionaries(NAMES, st.lists(NAMES, max_size=4), max_size=8)


@given(AFTER)
def test_it_agrees_with_a_topological_sort(after: dict[str, list[str]]) -> None:
    found = find_cycle(after)
    try:
        tuple(graphlib.TopologicalSorter(after).static_order())
    except graphlib.CycleError:
        assert found is not None
        assert found[0] == found[-1] and len(set(found)) == len(found) - 1, "each job of the chain once"
        assert all(late in after[early] for early, late in itertools.pairwise(found))
    else:
        assert found is None


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30))
def test_jobs_after_earlier_ones_only_are_no_cycle(picks: list[int]) -> None:
    after = {str(job): [str(pick % job)] if job else [] for job, pick in enumerate(picks)}
    assert find_cycle(after) is None


def test_itself_and_a_chain() -> None:
    assert find_cycle({"a": ["a"]}) == ("a", "a")
    assert chain_text(find_cycle({"c": ["a"], "a": ["x", "b"], "b": ["a"]}) or ()) == "a -> b -> a"
    assert find_cycle({}) is None and find_cycle({"a": ["gone"]}) is None


def test_a_very_long_chain_needs_no_recursion() -> None:
    after = {str(n): [str(n + 1)] for n in range(200_000)}
    assert find_cycle(after) is None
    after["200000"] = ["0"]
    found = find_cycle(after)
    assert found is not None and len(found) == 200_002
    assert chain_text(found) == "0 -> 1 -> 2 -> 3 -> ... (199995 more) -> 199999 -> 200000 -> 0"


def test_a_wide_diamond_is_seen_once() -> None:
    after = {f"{n}": [f"{n + 1}", f"{n + 1}", f"{n + 2}"] for n in range(2000)}
    assert find_cycle(after) is None
