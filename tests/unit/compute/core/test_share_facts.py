"""What a share has used of late and what is due to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eureka_park.compute.core.board import R_CPU, R_GPU, Board
from eureka_park.compute.core.board_setup import ClassRow, new_board
from eureka_park.compute.core.share_facts import project_facts, share_fracs


def board() -> Board:
    """Root; a (weight 1) and b (weight 3) under it; c and d (1 each) under b."""
    kind = ClassRow(2, 32_000, 128 * 1024, 4, 0, 3.0, 1.0, 0.4)
    at = new_board([kind], [(-1, 1.0, 1.0), (0, 1.0, 0.0), (0, 3.0, 0.0), (2, 1.0, 0.0), (2, 1.0, 0.0)])
    at.shares.n_waiting[:] = 1
    return at


def test_what_is_due_follows_the_weights_of_those_who_want() -> None:
    at = board()
    assert [round(share_fracs(at, share).due_frac, 6) for share in range(5)] == [1.0, 0.25, 0.75, 0.375, 0.375]
    at.shares.n_waiting[4] = 0
    assert share_fracs(at, 3).due_frac == 0.75 and share_fracs(at, 4).due_frac == 0.375, "it counts as wanting itself"
    at.shares.n_on[4] = 1
    assert share_fracs(at, 3).due_frac == 0.375


def test_used_is_of_the_resource_that_was_used_most() -> None:
    at = board()
    assert share_fracs(at, 1).used_frac == 0.0
    at.used[0, R_CPU], at.used[1, R_CPU] = 100.0, 10.0
    at.used[0, R_GPU], at.used[1, R_GPU] = 50.0, 21.0
    assert share_fracs(at, 1).used_frac == 0.42
    assert project_facts(at, {"solar": 1, "new": 9}) == {"solar": {"used_frac": 0.42, "due_frac": 0.25}}


@given(st.lists(st.floats(0, 1e9), min_size=2, max_size=2), st.floats(0.01, 100.0))
def test_fractions_are_fractions(used: list[float], weight: float) -> None:
    at = board()
    at.used[1, R_CPU], at.used[2, R_CPU] = used
    at.used[0, R_CPU] = sum(used)
    at.shares.weight[1] = weight
    both = [share_fracs(at, share) for share in (1, 2)]
    assert all(0.0 <= value <= 1.0 for item in both for value in item)
    assert abs(sum(item.due_frac for item in both) - 1.0) < 1e-9
    assert abs(sum(item.used_frac for item in both) - (1.0 if sum(used) else 0.0)) < 1e-6
