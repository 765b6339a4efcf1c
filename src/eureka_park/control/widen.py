"""Kernels of growing: an elastic gang that runs on fewer nodes than it asks for takes more when nobody else wants them.

It stops for a checkpoint to do so: that must save more time than it costs, and is asked no more often than a pause.
"""

from __future__ import annotations

from eureka_park.compute.core.board import FLEX, GREEN, INF, N_SET, NONE, RUNNING, SKY_BINDING, SKY_OBSERVED, Board
from eureka_park.compute.core.gangs import find_more
from eureka_park.compute.core.moves import widened
from eureka_park.compute.core.rooms import empty_row
from eureka_park.compute.core.share_tree import most_served_leaves
from eureka_park.compute.core.standing import left_s, rate
from eureka_park.control.budget import all_kw, has_idle, room_kw
from eureka_park.control.codes import RESIZE, RESUMED
from eureka_park.control.give_way import may_stop
from eureka_park.control.say import log, say
from eureka_park.foundation.kernels import kernel


@kernel
def widen(board: Board, now_s: float) -> None:
    """Give gangs more of their nodes, if nobody was refused in this turn: flex, then green, the least served share
    first, its oldest start first. Firm ones are left alone: growing stops them for a checkpoint.
    """
    g, jobs = board.g[0], board.jobs
    if not g.can_resize or g.n_narrow == 0 or g.n_refused > 0:
        return
    n = most_served_leaves(board)
    for tier in (FLEX, GREEN):
        for index in range(n - 1, -1, -1):
            line = 3 * board.shares[index].leaf + tier
            left, slot = board.lines[line].n_narrow, board.lines[line].oldest
            while slot != NONE and left > 0:
                younger = jobs[slot].prev
                if jobs[slot].narrow:
                    left -= 1
                    if jobs[slot].state == RUNNING and jobs[slot].cap_step == 0 and may_stop(board, slot, now_s):
                        _widen(board, slot, now_s)
                slot = younger


@kernel
def _widen(board: Board, slot: int, now_s: float) -> None:
    """Give one gang as many more nodes as there are, power allows and pay."""
    job, klass = board.jobs[slot], board.nodes[board.jobs[slot].node].klass
    work_s = left_s(board.jobs[slot], now_s) * job.n_nodes
    most = min(job.n_nodes - job.n_held, board.bitmaps[empty_row(board, klass), N_SET])
    for more in range(most, 0, -1):
        need_s = work_s / (job.n_held + more)
        saved_s = work_s / job.n_held - need_s
        if saved_s <= 0.0 or saved_s < board.g[0].min_run_s:
            return
        if not _has_power(board, slot, klass, more):
            continue
        if find_more(board, slot, klass, more, now_s, now_s + need_s):
            widened(board, slot, more, now_s)
            say(board, slot, RESUMED, board.sky[0].clean_kw, float(job.n_held), INF, now_s)
            log(board, RESIZE, slot, float(job.n_held), 0.0)
            return


@kernel
def _has_power(board: Board, slot: int, klass: int, more: int) -> bool:
    """Whether what so many more nodes would draw is to be had, as for a start."""
    job, g = board.jobs[slot], board.g[0]
    if g.sky == SKY_OBSERVED or job.is_first:
        return True
    idle_kw, dynamic_kw = job.idle_kw, job.dynamic_kw
    rate(board.jobs[slot], board.classes[klass], job.n_held + more)
    idle_kw, dynamic_kw = job.idle_kw - idle_kw, job.dynamic_kw - dynamic_kw
    rate(board.jobs[slot], board.classes[klass], job.n_held)
    if job.bound:
        is_idle = board.g[0].sky == SKY_BINDING and has_idle(board, klass)
        if (dynamic_kw if is_idle else idle_kw + dynamic_kw) > room_kw(board):
            return False
        if job.tier == GREEN:
            return True
    return bool(dynamic_kw <= board.sky[0].clean_kw + board.sky[0].grid_kw - all_kw(board))
