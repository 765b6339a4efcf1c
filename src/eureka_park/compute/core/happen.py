"""Kernels for the state beside the board: its events through the moves, and jobs put back onto another board.

`happen` is one kernel for all events of jobs, so that one compiled form serves whatever the journal tells.
"""

from __future__ import annotations

from typing import Final

from eureka_park.compute.core.board import HELD_BACK, INF, PAUSING, RUNNING, Board
from eureka_park.compute.core.moves import (
    capped,
    deferred,
    ended,
    ending,
    enter,
    frozen,
    list_running,
    paused,
    pausing,
    power_learned,
    rate_waiting,
    released,
    requeued,
    resized,
    start,
    started,
    submitted,
    take,
    thawed,
    widened,
)
from eureka_park.compute.core.share_tree import count_jobs
from eureka_park.compute.core.standing import rate, redraw, settle
from eureka_park.foundation.kernels import kernel

SUBMITTED: Final = 1  # n: 1 for a job that is held back
RELEASED: Final = 2
DEFERRED: Final = 3  # a: looked at again, b: the hour that it has chosen
START: Final = 4  # n: nodes, which stand in `board.pick`; mask: GPUs; step: cap
STARTED: Final = 5
CAPPED: Final = 6  # step
PAUSING_ASKED: Final = 7
PAUSED: Final = 8
FROZEN: Final = 9
THAWED: Final = 10
ENDING: Final = 11
ENDED: Final = 12
REQUEUED: Final = 13
RESIZED: Final = 14  # n: nodes
WIDENED: Final = 15  # n: further nodes, which stand in `board.pick`
POWER_LEARNED: Final = 16  # a: part of the nameplate
REPOWERED: Final = 17  # step
PUT_BACK_WAITING: Final = 18  # step: state; n: 1 for a job that is held back
PUT_BACK: Final = 19  # n: nodes, which stand in `board.pick`; mask: GPUs; step: cap; a: state


@kernel
def happen(board: Board, slot: int, what: int, n: int, mask: int, step: int, a: float, b: float, at_s: float) -> None:
    """Let one thing happen to one job; see the codes above for what `n`, `mask`, `step`, `a` and `b` mean."""
    if what < START:
        _happen_waiting(board, slot, what, n, a, b)
    elif what < ENDING:
        _happen_on_node(board, slot, what, n, mask, step, at_s)
    elif what < POWER_LEARNED:
        _happen_at_end(board, slot, what, n, at_s)
    elif what == POWER_LEARNED:
        power_learned(board, slot, a, at_s)
    elif what == REPOWERED:
        repowered(board, slot, step, at_s)
    elif what == PUT_BACK_WAITING:
        put_back_waiting(board, slot, step, n == 1)
    else:
        put_back(board, slot, n, mask, int(a), step, at_s)


@kernel
def _happen_waiting(board: Board, slot: int, what: int, n: int, a: float, b: float) -> None:
    if what == SUBMITTED:
        submitted(board, slot, n == 1)
    elif what == RELEASED:
        released(board, slot)
    else:
        deferred(board, slot, a, b)


@kernel
def _happen_on_node(board: Board, slot: int, what: int, n: int, mask: int, step: int, at_s: float) -> None:
    if what == START:
        start(board, slot, n, mask, step, at_s)
    elif what == STARTED:
        started(board, slot, at_s)
    elif what == CAPPED:
        capped(board, slot, step, at_s)
    elif what == PAUSING_ASKED:
        pausing(board, slot, at_s)
    elif what == PAUSED:
        paused(board, slot, at_s)
    elif what == FROZEN:
        frozen(board, slot, at_s)
    else:
        thawed(board, slot, at_s)


@kernel
def _happen_at_end(board: Board, slot: int, what: int, n: int, at_s: float) -> None:
    if what == ENDING:
        ending(board, slot, at_s)
    elif what == ENDED:
        ended(board, slot, at_s)
    elif what == REQUEUED:
        requeued(board, slot, at_s)
    elif what == RESIZED:
        resized(board, slot, n, at_s)
    else:
        widened(board, slot, n, at_s)


@kernel
def repowered(board: Board, slot: int, cap_step: int, now_s: float) -> None:
    """Another policy holds: set anew what a job on its nodes draws, how fast it runs, whether the sky binds it."""
    job = board.jobs[slot]
    if job.state == RUNNING or job.state == PAUSING:
        settle(job, now_s)
    job.cap_step = cap_step
    redraw(board, slot, now_s)


@kernel
def put_back_waiting(board: Board, slot: int, state: int, held_back: bool) -> None:
    """Put a waiting job of another board onto this one; its declaration and work stand in its slot."""
    job = board.jobs[slot]
    job.state = state
    rate_waiting(board, slot)
    if held_back:
        job.where = HELD_BACK
        job.latest_key = INF
    else:
        enter(board, slot)


@kernel
def put_back(board: Board, slot: int, n_nodes: int, gpu_mask: int, state: int, cap_step: int, now_s: float) -> None:
    """Put a job of another board onto the nodes in `board.pick`, as far as it had come; its share is not charged."""
    job = board.jobs[slot]
    rate(job, board.classes[board.nodes[board.nodes[0].pick].klass], n_nodes)
    take(board, slot, n_nodes, gpu_mask)
    job.state, job.cap_step = state, cap_step
    if state != PAUSING:
        board.g[0].shared_kw += job.idle_kw
    count_jobs(board, job.leaf, 0, 1)
    list_running(board, slot)
    redraw(board, slot, now_s)
    if job.ending:
        ending(board, slot, now_s)
