"""The note of the board: written and read again, whatever stands there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.compute.board_facts import BoardFacts, Window


def test_it_is_read_as_it_was_written() -> None:
    window = Window("window-a", ("n1", "n2"), 1.0, 2.0, "solar", "new fans")
    facts = BoardFacts({"solar": {"used_frac": 0.5, "due_frac": 0.25}}, {"n1": {"state": "down", "why": ""}}, (window,),
                       {"job-a": ("n1", "n2")})  # fmt: skip
    assert BoardFacts.from_text(facts.to_text()) == facts


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "3", '{"windows": [{}]}', '{"windows": 3}', '{"shares": 3}', '{"gangs": 3}']
)
def test_what_cannot_be_read_tells_nothing(text: str | None) -> None:
    assert BoardFacts.from_text(text) == BoardFacts()


TIMES = st.tuples(st.integers(0, 20), st.integers(1, 10)).map(lambda pair: (float(pair[0]), float(sum(pair))))
NODES = st.sets(st.sampled_from(["n1", "n2", "n3"]), min_size=1).map(lambda names: tuple(sorted(names)))


@given(TIMES, TIMES, NODES, NODES)
def test_windows_overlap_where_an_instant_and_a_node_are_in_both(
    one: tuple[float, float], two: tuple[float, float], nodes: tuple[str, ...], others: tuple[str, ...]
) -> None:
    a, b = Window("a", nodes, *one), Window("b", others, *two)
    instants = [at for at in range(40) if one[0] <= at < one[1] and two[0] <= at < two[1]]
    assert a.overlaps(b) == b.overlaps(a) == (bool(instants) and bool(set(nodes) & set(others)))
