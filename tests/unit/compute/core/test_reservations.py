import math

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.small_board import HOUR_S, decide, small_board, submit, tell

from eureka_park.compute.core import board as b
from eureka_park.compute.core import happen as what


def test_what_waits_for_room_is_promised_the_first_end_that_leaves_it() -> None:
    board = small_board(n_nodes=2)
    for gpus, hours in ((4, 3.0), (2, 1.0), (2, 2.0)):
        submit(board, gpus=gpus, time_s=hours * HOUR_S)
    decide(board, 0.0)
    slot = submit(board, gpus=4)
    decide(board, 60.0)
    assert board.jobs.promised_s[slot] == 2 * HOUR_S


def test_a_gang_is_promised_when_enough_nodes_are_free_together() -> None:
    board = small_board(n_nodes=3)
    for hours in (1.0, 3.0, 2.0):
        submit(board, gpus=4, time_s=hours * HOUR_S)
    decide(board, 0.0)
    slot = submit(board, gpus=4, n_nodes=2)
    decide(board, 60.0)
    assert board.jobs.promised_s[slot] == 2 * HOUR_S


def test_nobody_passes_who_would_move_a_promise() -> None:
    board = small_board(n_nodes=2)
    submit(board, gpus=4, time_s=HOUR_S)
    submit(board, gpus=2, time_s=HOUR_S)
    decide(board, 0.0)
    submit(board, gpus=4, n_nodes=2)
    long, short = submit(board, gpus=1, time_s=2 * HOUR_S), submit(board, gpus=1, time_s=0.5 * HOUR_S)
    assert decide(board, 60.0) == [(1, short)]
    assert board.jobs.state[long] == b.QUEUED


def test_who_fits_beside_what_is_promised_may_pass() -> None:
    board = small_board(n_nodes=1)
    submit(board, gpus=3, time_s=HOUR_S)
    decide(board, 0.0)
    submit(board, gpus=2)
    beside = submit(board, gpus=1, time_s=9 * HOUR_S)
    assert decide(board, 60.0) == [(1, beside)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(0, 3)), min_size=1, max_size=25))
def test_nodes_come_free_when_their_jobs_are_expected_to_end(rows: list[tuple[int, int, int]]) -> None:
    board, now_s = small_board(n_nodes=5), 0.0
    for gpus, hours, how in rows:
        now_s += 60.0
        slot = submit(board, gpus=gpus, time_s=hours * HOUR_S)
        decide(board, now_s)
        if how == 0 and board.jobs.node[slot] != b.NONE:
            tell(board, slot, what.STARTED, now_s)
            tell(board, slot, what.FROZEN, now_s)
        elif how == 1 and board.jobs.node[slot] != b.NONE:
            tell(board, slot, what.ENDED, now_s)
    submit(board, gpus=4, n_nodes=5)
    decide(board, now_s + 60.0)
    held = {int(board.nodes.held[index]) for index in range(int(board.g.n_held[0]))}
    for node in range(5):
        if node in held or board.nodes.stale[node]:
            continue
        found = [float(at_s) for at_s in board.release_s[:, node]]
        assert found == worked_out(board, node)


def worked_out(board: b.Board, node: int) -> list[float]:
    """When so many GPUs of a node are first free after an end, and all of it."""
    jobs, slot, ends = board.jobs, int(board.nodes.first_job[node]), []
    while slot != b.NONE:
        ends.append((float(jobs.ends_s[slot]), int(jobs.gpus[slot])))
        slot = int(jobs.node_next[slot])
    whole_s = max((at_s for at_s, _ in ends), default=-math.inf)
    free, found = int(board.nodes.free_gpus[node]), []
    for gpus in range(5):
        moments = sorted(at_s for at_s, _ in ends if at_s < math.inf)
        fits = [at_s for at_s in moments if free + sum(n for end_s, n in ends if end_s <= at_s) >= gpus]
        found.append(fits[0] if fits else math.inf)
    return [*found, whole_s]
