"""One turn of the policy, compiled: end what is over, come down the ladder, go up again, start what may start, grow.

The live park and the twin call this very function. It changes the board through the moves alone and leaves rows of
actions and reasons behind. What it decides depends on the board, the sky on it and `now_s`: on nothing else.
"""

from __future__ import annotations

from eureka_park.compute.core.board import CALENDAR, CALENDAR_S, DUE, NONE, RUNNING, WAKE, Board
from eureka_park.compute.core.ends import roll_calendar
from eureka_park.compute.core.lines import heap_pop, sort_by_order
from eureka_park.compute.core.moves import ending, woken
from eureka_park.compute.core.standing import run_s
from eureka_park.control.admit import admit
from eureka_park.control.budget import read_sky
from eureka_park.control.codes import END
from eureka_park.control.give_way import bind_anew, descend, lift_caps, thaw
from eureka_park.control.reclaim import reclaim
from eureka_park.control.say import log
from eureka_park.control.widen import widen
from eureka_park.foundation.kernels import kernel


@kernel
def _wake(board: Board, now_s: float) -> None:
    """Deferred jobs whose hour has come stand in line again."""
    g, jobs = board.g[0], board.jobs
    while g.wake_n > 0 and board.heaps[WAKE, 0].key <= now_s:
        slot, order, key = board.heaps[WAKE, 0].slot, board.heaps[WAKE, 0].order, board.heaps[WAKE, 0].key
        g.wake_n = heap_pop(board.heaps[WAKE], g.wake_n)
        if jobs[slot].order == order and jobs[slot].wake_key == key:
            woken(board, slot)


@kernel
def _end_what_is_over(board: Board, now_s: float) -> None:
    """Jobs that have done all the work that they declared and still run, the oldest first."""
    g, jobs = board.g[0], board.jobs
    n, at_s = 0, max(g.cal_s, (g.turn_s // CALENDAR_S) * CALENDAR_S)
    while at_s <= now_s:
        slot = board.calendar[int(at_s // CALENDAR_S) % CALENDAR]
        while slot != NONE:
            if (
                jobs[slot].state == RUNNING
                and not jobs[slot].ending
                and run_s(board.jobs[slot], now_s) > jobs[slot].time_s
            ):
                board.heaps[DUE, n].order, board.heaps[DUE, n].slot = jobs[slot].order, slot
                n += 1
            slot = jobs[slot].cal_next
        at_s += CALENDAR_S
    sort_by_order(board.heaps[DUE], n)
    for index in range(n):
        ending(board, board.heaps[DUE, index].slot, now_s)
        log(board, END, board.heaps[DUE, index].slot, 0.0, 0.0)


@kernel
def turn(board: Board, now_s: float) -> None:
    """Decide for the instant `now_s` (park time). While the board has no sky nothing starts and nothing gives way."""
    g = board.g[0]
    g.turn += 1
    g.n_actions = g.n_told = g.n_aged = 0
    roll_calendar(board, now_s)
    _wake(board, now_s)
    bind_anew(board, now_s)
    _end_what_is_over(board, now_s)
    g.turn_s = now_s
    if g.n_sky == 0:
        return
    read_sky(board, now_s)
    descend(board, now_s)
    thaw(board, now_s)
    read_sky(board, now_s)
    admit(board, now_s)
    lift_caps(board, now_s)
    widen(board, now_s)
    reclaim(board, now_s)
