"""Kernels of expected ends: running jobs by the minute in which their declared work ends, and load by the hour."""

from __future__ import annotations

from eureka_park.compute.core.board import CALENDAR, CALENDAR_S, INF, NONE, RING, Board
from eureka_park.compute.core.rooms import mark_stale
from eureka_park.foundation.kernels import kernel


@kernel
def hour_of(at_s: float) -> int:
    """Whole hours since the epoch."""
    return int(at_s / 3600.0)


@kernel
def minute_of(at_s: float) -> int:
    """Whole minutes since the epoch: buckets of the calendar, counted on."""
    return int(at_s / CALENDAR_S)


@kernel
def _bucket_of(board: Board, ends_s: float) -> int:
    """The calendar's bucket of an instant; what lies too far ahead stands in the last one until it comes nearer."""
    first_s = board.g[0].cal_s
    far_s = first_s + (CALENDAR - 2) * CALENDAR_S
    return minute_of(min(max(ends_s, first_s), far_s)) % CALENDAR


@kernel
def expect(board: Board, slot: int, ends_s: float) -> None:
    """Enter when a job is expected to end, and its load until then; INF for one that stands still or has left."""
    job, g = board.jobs[slot], board.g[0]
    bucket, load_kw = NONE, 0.0
    if ends_s < INF:
        bucket, load_kw = _bucket_of(board, ends_s), max(0.0, job.drawn_kw - job.idle_kw)
    if job.load_kw != 0.0:
        board.g[0].ending_kw[hour_of(job.ends_s) % RING] -= job.load_kw
    if load_kw != 0.0:
        board.g[0].ending_kw[hour_of(ends_s) % RING] += load_kw
    g.dynamic_kw += load_kw - job.load_kw
    if bucket != job.bucket:
        _move(board, slot, bucket)
    job.load_kw = load_kw
    if job.ends_s != ends_s:
        job.ends_s, node = ends_s, job.node
        while node != NONE:
            mark_stale(board, node)
            node = board.nodes[node].gang_next if job.gang else NONE


@kernel
def _move(board: Board, slot: int, bucket: int) -> None:
    """Take a job from its bucket of the calendar and stand it into another; NONE for no bucket."""
    jobs, job = board.jobs, board.jobs[slot]
    if job.bucket != NONE:
        board.g[0].n_cal -= 1
        if job.cal_prev == NONE:
            board.calendar[job.bucket] = job.cal_next
        else:
            jobs[job.cal_prev].cal_next = job.cal_next
        if job.cal_next != NONE:
            jobs[job.cal_next].cal_prev = job.cal_prev
    if bucket != NONE:
        board.g[0].n_cal += 1
        first = board.calendar[bucket]
        job.cal_prev, job.cal_next = NONE, first
        if first != NONE:
            jobs[first].cal_prev = slot
        board.calendar[bucket] = slot
    job.bucket = bucket


@kernel
def roll_calendar(board: Board, now_s: float) -> None:
    """Let time pass: the calendar begins at this minute, and jobs that were too far ahead find their bucket."""
    g, jobs = board.g[0], board.jobs
    first, last = minute_of(g.cal_s), minute_of(now_s)
    if g.cal_s < 0.0:
        g.cal_s = last * CALENDAR_S
        return
    if last - first < CALENDAR // 64:
        return
    # Whoever stood in a minute that has passed stands in the present one; whoever was too far ahead may have come near.
    g.cal_s = last * CALENDAR_S
    for minute in range(first - 2, first + min(last - first, CALENDAR)):
        slot = board.calendar[minute % CALENDAR]
        while slot != NONE:
            after = jobs[slot].cal_next
            _move(board, slot, _bucket_of(board, jobs[slot].ends_s))
            slot = after
