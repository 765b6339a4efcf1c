import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.small_board import HOUR_S, LEAVES, check, decide, plain, small_board, submit, tell

from eureka_park.compute.core import board as b
from eureka_park.compute.core import happen as what
from eureka_park.compute.core.standing import kw_of, rate

MOVES = {
    b.STARTING: (what.STARTED, what.REQUEUED, what.ENDED),
    b.RUNNING: (
        what.CAPPED,
        what.PAUSING_ASKED,
        what.FROZEN,
        what.ENDING,
        what.ENDED,
        what.REQUEUED,
        what.POWER_LEARNED,
    ),
    b.PAUSING: (what.PAUSED,),
    b.PAUSED: (what.ENDED,),
    b.QUEUED: (what.ENDED, what.POWER_LEARNED),
    b.FROZEN: (what.THAWED, what.ENDED, what.REQUEUED),
}


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), min_size=5, max_size=60))
def test_sums_and_lists_agree_with_the_jobs_whatever_happens(steps: list[tuple[int, int]]) -> None:
    board, now_s = small_board(), 0.0
    slots: list[int] = []
    for which, how in steps:
        now_s += 30.0
        if how < 4 and len(slots) < 60:
            n_nodes = 1 if which % 5 else 2
            slots.append(
                submit(
                    board, gpus=4 if n_nodes > 1 else 1 + which % 4, n_nodes=n_nodes, tier=which % 3,
                    leaf=LEAVES[which % 3], priority=how, deadline_s=now_s + 5 * HOUR_S if which % 2 else np.inf,
                )
            )  # fmt: skip
        elif how == 4:
            decide(board, now_s)
        elif slots:
            slot = slots[which % len(slots)]
            codes = MOVES.get(int(board.jobs.state[slot]), ())
            if codes and not (board.jobs.ending[slot] and how != 5):
                code = codes[how % len(codes)]
                tell(board, slot, code, now_s, step=1 if code == what.CAPPED else 0, a=0.5)
                if code == what.ENDED:
                    slots.remove(slot)
        check(board)


def test_a_paused_job_goes_on_from_where_it_was() -> None:
    board = small_board()
    slot = submit(board)
    decide(board, 60.0)
    tell(board, slot, what.STARTED, 60.0)
    tell(board, slot, what.PAUSING_ASKED, 660.0)
    tell(board, slot, what.PAUSED, 720.0)
    assert board.jobs.ran_s[slot] == 660.0 and board.jobs.node[slot] == b.NONE
    assert decide(board, 780.0) == [(1, slot)]
    assert board.jobs.ends_s[slot] == 780.0 + HOUR_S - 660.0


def test_a_job_that_fails_without_a_checkpoint_begins_anew_and_one_with_does_not() -> None:
    board = small_board()
    slots = [submit(board, checkpoint=0), submit(board, checkpoint=1)]
    decide(board, 60.0)
    for slot in slots:
        tell(board, slot, what.STARTED, 60.0)
        tell(board, slot, what.REQUEUED, 360.0)
    assert board.jobs.ran_s[slots].tolist() == [0.0, 300.0]
    assert board.jobs.state[slots].tolist() == [b.QUEUED, b.PAUSED]


def test_what_a_start_was_charged_comes_back_for_what_it_did_not_use() -> None:
    board = small_board()
    slot = submit(board, gpus=2)
    decide(board, 0.0)
    gpu = b.R_GPU
    assert board.used[3, gpu] == board.used[1, gpu] == board.used[0, gpu] == 2.0
    tell(board, slot, what.STARTED, 0.0)
    tell(board, slot, what.ENDED, 1800.0)
    assert board.used[3, gpu] == board.used[0, gpu] == 1.0 and board.used[2, gpu] == 0.0


def test_power_is_rated_by_the_class_and_rounded() -> None:
    board = small_board()
    job = board.jobs[0]
    job.gpus, job.gpu_milli, job.mcpu, job.n_nodes, job.power_frac = 2, 1000, 2000, 1, 0.5
    plain(rate)(job, board.classes[0], 1)
    assert job.idle_kw == 0.5
    assert abs(job.full_kw - (2 * 0.8 + 0.5 * (5.0 - 1.0 - 3.2))) < 2.0**-20
    assert plain(kw_of)(1.0 / 3.0) * 2**20 == round(2**20 / 3)
