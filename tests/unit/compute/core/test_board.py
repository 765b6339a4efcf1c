import numpy as np
import pytest
from tests.helpers.small_board import SHARES, check, decide, small_board, submit

from eureka_park.compute.core import board as b
from eureka_park.compute.core.board_setup import ClassRow, new_board, with_shares


def busy() -> b.Board:
    """A board with jobs that run and jobs that wait."""
    board = small_board(n_nodes=3)
    for index in range(14):
        submit(board, gpus=1 + index % 4, leaf=2 + index % 3, tier=index % 3, time_s=600.0 * (1 + index % 5))
    decide(board, 60.0)
    return board


def test_a_board_that_was_put_away_decides_the_same() -> None:
    board = busy()
    other = b.board_from_json(b.board_to_json(board))
    check(other)
    submit(board, gpus=4, n_nodes=2)
    submit(other, gpus=4, n_nodes=2)
    for index in range(12):
        now_s = 120.0 + 300.0 * index
        assert decide(board, now_s) == decide(other, now_s)
        assert (board.jobs.promised_s == other.jobs.promised_s).all()


def test_a_board_of_another_layout_is_refused() -> None:
    value = b.board_to_json(small_board())
    with pytest.raises(ValueError, match="laid out"):
        b.board_from_json({**value, "schema": "other"})


def test_a_grown_board_keeps_its_jobs() -> None:
    board = busy()
    other = b.with_runs(b.grown(board, 256), 64)
    check(other)
    slots = {submit(other) for _ in range(200)}
    assert len(slots) == 200
    check(other)


def test_more_shares_keep_what_was_used() -> None:
    board = busy()
    used = np.array(board.used)
    other = with_shares(board, [*SHARES, (0, 1.0, 0.0)])
    assert (other.used[: len(SHARES)] == used).all() and (other.used[len(SHARES) :] == 0.0).all()
    check(other)


def test_power_is_kept_in_steps_that_add_up_exactly() -> None:
    parts = [b.quantised_kw(0.1 * index) for index in range(100)]
    assert sum(parts) == sum(reversed(parts)) == sum(sorted(parts, key=lambda kw: -kw % 1.7))


def test_a_new_board_has_all_nodes_up_and_empty() -> None:
    board = new_board([ClassRow(33, 4000, 4000, 2, 0, 3.0, 1.0), ClassRow(2, 8000, 8000, 0, 0, 2.0, 0.5)], SHARES)
    check(board)
    assert board.g.free_gpus[0] == 66 and board.g.base_kw[0] == 34.0
    assert board.capacity[b.R_CPU] == 33 * 4.0 + 2 * 8.0


def test_a_board_holds_what_it_holds() -> None:
    with pytest.raises(ValueError, match="classes"):
        new_board([], SHARES)
    with pytest.raises(ValueError, match="GPUs"):
        new_board([ClassRow(1, 1000, 1000, 61, 0, 1.0, 0.5)], SHARES)


def test_a_waiting_job_takes_less_than_a_thousand_bytes() -> None:
    assert b.job_bytes() < 1000
