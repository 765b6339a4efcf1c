"""Kernels of expected ends: running jobs by the minute in which their declared work ends, and load by the hour."""

from __future__ import annotations

from eureka_park.compute.core.board import CALENDAR, CALENDAR_S, INF, NONE, RING, Board
from eureka_park.foundation.kernels import kernel


@kernel
def hour_of(at_s: float) -> int:
    """Whole hours since the epoch."""
    return int(at_s // 3600.0)


@kernel
def _bucket_of(board: Board, ends_s: float) -> int:
    """The calendar's bucket of an instant; what lies too far ahead stands in the last one until it comes nearer."""
    far_s = board.g.cal_s[0] + (CALENDAR - 2) * CALENDAR_S
    return int(min(max(ends_s, board.g.cal_s[0]), far_s) // CALENDAR_S) % CALENDAR


@kernel
def load_kw(board: Board, slot: int) -> float:
    """Power that a job adds to its nodes' idle power now."""
    return max(0.0, board.jobs.drawn_kw[slot] - board.jobs.idle_kw[slot])


@kernel
def note_end(board: Board, slot: int, ends_s: float) -> None:
    """Enter a running job's expected end; INF for one that stands still (it is in no bucket then)."""
    jobs = board.jobs
    jobs.ends_s[slot] = ends_s
    if ends_s == INF:
        jobs.bucket[slot] = NONE
        return
    bucket = _bucket_of(board, ends_s)
    head = board.calendar[bucket]
    jobs.bucket[slot], jobs.cal_prev[slot], jobs.cal_next[slot] = bucket, NONE, head
    if head != NONE:
        jobs.cal_prev[head] = slot
    board.calendar[bucket] = slot
    board.g.n_cal[0] += 1
    board.ending_kw[hour_of(ends_s) % RING] += load_kw(board, slot)
    board.g.dynamic_kw[0] += load_kw(board, slot)


@kernel
def drop_end(board: Board, slot: int) -> None:
    """Forget a job's expected end. Call before its power changes."""
    jobs = board.jobs
    bucket = jobs.bucket[slot]
    if bucket == NONE:
        return
    before, after = jobs.cal_prev[slot], jobs.cal_next[slot]
    if before == NONE:
        board.calendar[bucket] = after
    else:
        jobs.cal_next[before] = after
    if after != NONE:
        jobs.cal_prev[after] = before
    jobs.bucket[slot] = NONE
    board.g.n_cal[0] -= 1
    board.ending_kw[hour_of(jobs.ends_s[slot]) % RING] -= load_kw(board, slot)
    board.g.dynamic_kw[0] -= load_kw(board, slot)


@kernel
def roll_calendar(board: Board, now_s: float) -> None:
    """Let time pass: the calendar begins at this minute, and jobs that were too far ahead find their bucket."""
    g = board.g
    minute_s = (now_s // CALENDAR_S) * CALENDAR_S
    if g.cal_s[0] < 0.0:
        g.cal_s[0] = minute_s
        return
    passed_s = minute_s - g.cal_s[0]
    if passed_s < CALENDAR_S * CALENDAR / 64:
        return
    # Whoever stood in a minute that has passed stands in the present one; whoever was too far ahead may have come near.
    far = int((g.cal_s[0] + (CALENDAR - 2) * CALENDAR_S) // CALENDAR_S) % CALENDAR
    first, n_passed = int(g.cal_s[0] // CALENDAR_S), min(int(passed_s // CALENDAR_S), CALENDAR)
    g.cal_s[0] = minute_s
    for minute in range(first, first + n_passed):
        _enter_anew(board, minute % CALENDAR)
    _enter_anew(board, far)


@kernel
def _enter_anew(board: Board, bucket: int) -> None:
    """Find each job of a bucket its place in the calendar as it begins now."""
    jobs = board.jobs
    slot = board.calendar[bucket]
    board.calendar[bucket] = NONE
    while slot != NONE:
        after = jobs.cal_next[slot]
        ends_s, kw = jobs.ends_s[slot], load_kw(board, slot)
        board.g.n_cal[0] -= 1
        board.ending_kw[hour_of(ends_s) % RING] -= kw
        board.g.dynamic_kw[0] -= kw
        note_end(board, slot, ends_s)
        slot = after
