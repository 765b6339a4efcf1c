"""Jobs behind the front of a deep run: they leave the yard in the order in which they came; its room is used again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.helpers.small_board import plain, small_board

from eureka_park.compute.core import board_setup, lines, moves, share_tree, standing, yard
from eureka_park.compute.core.board import CACHE_LINE, FREE, GREEN, JOB, NONE, Board, grown, records, stretched
from eureka_park.compute.core.board_setup import claim_slot
from eureka_park.foundation.kernels import Kernel

DEEP = 3


@pytest.fixture(scope="module", autouse=True)
def _as_python() -> Iterator[None]:
    """Kernels as the Python that they are written in."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (board_setup, lines, moves, share_tree, standing, yard):
            for name, found in list(vars(module).items()):
                if isinstance(found, Kernel):
                    patch.setattr(module, name, plain(found))
        yield


def come(board: Board, leaf: int, priority: int) -> int:
    """A job comes to its line, on the board or in the yard; its order."""
    slot = claim_slot(board)
    job = board.jobs[slot]
    job.leaf, job.tier, job.priority, job.time_s = leaf, GREEN, priority, 600.0
    job.mcpu = job.mem_mib = job.gpus = 1
    order = int(job.order)
    if yard.is_deep(board, slot, DEEP):
        yard.put_by(board, slot)
    else:
        moves.submitted(board, slot, False)
    return order


def start_first(board: Board, leaf: int) -> int:
    """The order of the first job of a line, which leaves it as a turn would have it; NONE where none waits."""
    run = board.lines[3 * leaf + GREEN].first_run
    if run == NONE:
        return NONE
    slot = int(board.runs[run].head)
    board.g[0].n_spare = (board.jobs.state == FREE).sum()
    if board.jobs[slot].next == NONE:
        yard.next_in_run(board, slot)
    order = int(board.jobs[slot].order)
    moves.ended(board, slot, 0.0)
    return order


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from([2, 3]), st.integers(0, 1), st.integers(1, 40), st.integers(0, 60)), max_size=8),
    st.booleans(),
)
def test_a_line_is_served_in_order(waves: list[tuple[int, int, int, int]], has_spare: bool) -> None:
    board, expected, n_runs_most = grown(small_board(), 128), dict[int, list[tuple[int, int]]](), 4
    board.g.n_considered_max[0] = 0 if has_spare else 1_000  # then jobs leave the yard one by one
    for leaf, priority, n_more, n_starts in waves:
        board = yard.with_yard(board, int(yard.blocks_wanted(board, n_more, DEEP)))
        for _ in range(n_more):
            expected.setdefault(leaf, []).append((-priority, come(board, leaf, priority)))
        expected[leaf].sort()
        for _ in range(min(n_starts, len(expected[leaf]))):
            assert start_first(board, leaf) == expected[leaf].pop(0)[1]
        n_waiting = sum(len(line) for line in expected.values())
        g, places = board.g[0], board.yard[board.yard.slot == NONE]
        assert g.n_waiting == board.shares[0].n_waiting == n_waiting
        assert len(places) == g.n_yard == board.runs.n_beyond.sum() == n_waiting - board.lines.n.sum()
        assert g.n_deep == (board.runs.n_beyond > 0).sum()
        n_blocks = len(board.yard_next) - g.n_yard_free
        assert g.n_yard / yard.BLOCK <= n_blocks <= g.n_yard / yard.BLOCK + 2 * n_runs_most
        assert g.yard_kwh == pytest.approx(g.yard_kw / 6.0, rel=1e-5)
    for leaf, line in expected.items():
        while line:
            assert start_first(board, leaf) == line.pop(0)[1]
    assert (board.g[0].n_yard, board.g[0].yard_kw, board.g[0].yard_kwh) == (0, 0.0, 0.0)
    assert board.g[0].n_yard_free == len(board.yard_next)


def test_a_job_that_leaves_the_yard_is_what_it_was() -> None:
    board = yard.with_yard(small_board(), 4)
    orders = [come(board, 3, 1) for _ in range(DEEP + 1)]
    first = int(board.runs[board.lines[3 * 3 + GREEN].first_run].tail)
    left = int(yard.next_in_run(board, first))
    same = [name for name in board.jobs.dtype.names or () if name not in {"order", "next", "prev"}]
    for name in same:
        assert board.jobs[left][name] == board.jobs[first][name], name
    assert board.jobs[left].order == orders[-1]
    assert (board.yard[board.g[0].left_yard].slot, board.yard[board.g[0].left_yard].next) == (left, NONE)


def test_records_that_are_stretched_keep_what_they_hold() -> None:
    rows = stretched(records(0, JOB), 5)
    rows.order[:] = np.arange(5)
    for n in (100, 100_000, 200_000):
        rows = stretched(rows, n)
        assert len(rows) == n
        assert rows.ctypes.data % CACHE_LINE == 0
        assert rows.order[:5].tolist() == [0, 1, 2, 3, 4]
        assert not rows.order[5:].any()


def test_a_board_grows_in_place() -> None:
    board, other = small_board(), small_board()
    for one in (board, other):
        for priority in (0, 1, 0):
            come(one, 2, priority)
    board, other = grown(board, 1_000, in_place=True), grown(other, 1_000)
    assert (board.jobs == other.jobs).all()
    assert all(claim_slot(board) == claim_slot(other) for _ in range(900))
