from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.small_board import LEAVES, SHARES, decide, small_board, submit, tell

from eureka_park.compute.core import board as b
from eureka_park.compute.core import happen as what
from eureka_park.compute.core.board_setup import with_shares


def test_shares_take_turns_by_weight() -> None:
    board = small_board(n_nodes=3, gpus=4)
    for _ in range(12):
        submit(board, leaf=2)  # weight 2
        submit(board, leaf=3)  # weight 1, with its sibling 4
    started = [int(board.jobs.leaf[slot]) for code, slot in decide(board, 60.0) if code == 1]
    assert len(started) == 12
    assert started.count(2) == 8 and started.count(3) == 4


def test_a_share_below_its_floor_comes_first() -> None:
    shares = [*SHARES[:4], (1, 1.0, 0.5)]
    board = small_board(n_nodes=1, gpus=1, shares=shares)
    submit(board, leaf=3)
    floor = submit(board, leaf=4)
    assert decide(board, 60.0) == [(1, floor)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LEAVES), st.booleans()), max_size=40))
def test_who_has_somebody_waiting_stands_first_among_siblings(steps: list[tuple[int, bool]]) -> None:
    board = small_board()
    slots: list[int] = []
    for leaf, goes in steps:
        if goes and slots:
            tell(board, slots.pop(leaf % len(slots)), what.ENDED, 10.0)
        else:
            slots.append(submit(board, leaf=leaf))
        check_children(board)
    check_children(with_shares(board, [*SHARES, (0, 1.0, 0.0), (1, 3.0, 0.0)]))


def check_children(board: b.Board) -> None:
    """Children stand side by side, those with somebody waiting first, each at its place."""
    shares = board.shares
    for parent in range(shares.shape[0]):
        start, n = int(shares.child_start[parent]), int(shares.n_children[parent])
        children = [int(child) for child in board.children[start : start + n]]
        assert sorted(children) == [at for at in range(shares.shape[0]) if shares.parent[at] == parent]
        assert [int(shares.place[child]) for child in children] == list(range(start, start + n))
        wants = [bool(shares.n_waiting[child] > 0) for child in children]
        assert wants == sorted(wants, reverse=True) and sum(wants) == shares.n_wanting[parent]
