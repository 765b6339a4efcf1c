"""Kernels of expected ends: running jobs by the minute in which their declared work ends, and load by the hour."""

from __future__ import annotations

from eureka_park.compute.core.board import CALENDAR, CALENDAR_S, INF, NONE, RING, Board
from eureka_park.compute.core.rooms import mark_stale
from eureka_park.foundation.kernels import kernel


@kernel
def hour_of(at_s: float) -> int:
    """Whole hours since the epoch."""
    return int(at_s // 3600.0)


@kernel
def _bucket_of(board: Board, ends_s: float) -> int:
    """The calendar's bucket of an instant; what lies too far ahead stands in the last one until it comes nearer."""
    g = board.g[0]
    far_s = g.cal_s + (CALENDAR - 2) * CALENDAR_S
    return int(min(max(ends_s, g.cal_s), far_s) // CALENDAR_S) % CALENDAR


@kernel
def load_kw(board: Board, slot: int) -> float:
    """Power that a job adds to its nodes' idle power now."""
    job = board.jobs[slot]
    return max(0.0, job.drawn_kw - job.idle_kw)


@kernel
def note_end(board: Board, slot: int, ends_s: float) -> None:
    """Enter a running job's expected end; INF for one that stands still (it is in no bucket then)."""
    g = board.g[0]
    job = board.jobs[slot]
    jobs = board.jobs
    if job.ends_s != ends_s:
        node = job.node
        while node != NONE:
            mark_stale(board, node)
            node = board.nodes[node].gang_next if job.gang else NONE
    job.ends_s = ends_s
    if ends_s == INF:
        job.bucket = NONE
        return
    bucket = _bucket_of(board, ends_s)
    head = board.calendar[bucket]
    job.bucket, job.cal_prev, job.cal_next = bucket, NONE, head
    if head != NONE:
        jobs[head].cal_prev = slot
    board.calendar[bucket] = slot
    g.n_cal += 1
    board.ending_kw[hour_of(ends_s) % RING] += load_kw(board, slot)
    g.dynamic_kw += load_kw(board, slot)


@kernel
def drop_end(board: Board, slot: int) -> None:
    """Forget a job's expected end. Call before its power changes."""
    g = board.g[0]
    job = board.jobs[slot]
    jobs = board.jobs
    bucket = job.bucket
    if bucket == NONE:
        return
    before, after = job.cal_prev, job.cal_next
    if before == NONE:
        board.calendar[bucket] = after
    else:
        jobs[before].cal_next = after
    if after != NONE:
        jobs[after].cal_prev = before
    job.bucket = NONE
    g.n_cal -= 1
    board.ending_kw[hour_of(job.ends_s) % RING] -= load_kw(board, slot)
    g.dynamic_kw -= load_kw(board, slot)


@kernel
def roll_calendar(board: Board, now_s: float) -> None:
    """Let time pass: the calendar begins at this minute, and jobs that were too far ahead find their bucket."""
    g = board.g[0]
    minute_s = (now_s // CALENDAR_S) * CALENDAR_S
    if g.cal_s < 0.0:
        g.cal_s = minute_s
        return
    passed_s = minute_s - g.cal_s
    if passed_s < CALENDAR_S * CALENDAR / 64:
        return
    # Whoever stood in a minute that has passed stands in the present one; whoever was too far ahead may have come near.
    far = int((g.cal_s + (CALENDAR - 2) * CALENDAR_S) // CALENDAR_S) % CALENDAR
    first, n_passed = int(g.cal_s // CALENDAR_S), min(int(passed_s // CALENDAR_S), CALENDAR)
    g.cal_s = minute_s
    for minute in range(first, first + n_passed):
        _enter_anew(board, minute % CALENDAR)
    _enter_anew(board, far)


@kernel
def _enter_anew(board: Board, bucket: int) -> None:
    """Find each job of a bucket its place in the calendar as it begins now."""
    g = board.g[0]
    jobs = board.jobs
    slot = board.calendar[bucket]
    board.calendar[bucket] = NONE
    while slot != NONE:
        after = jobs[slot].cal_next
        ends_s, kw = jobs[slot].ends_s, load_kw(board, slot)
        g.n_cal -= 1
        board.ending_kw[hour_of(ends_s) % RING] -= kw
        g.dynamic_kw -= kw
        note_end(board, slot, ends_s)
        slot = after
