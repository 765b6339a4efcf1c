"""Kernels of the queue: one line per leaf of the share tree and tier, in runs of equal rank; and heaps by an instant.

A line's order: paused before queued, then priority, then age. Nothing is ever sorted by job.
"""

from __future__ import annotations

import math

from eureka_park.compute.core.board import (
    BEGINS,
    FRESH,
    IN_LINE,
    INF,
    LATEST,
    NONE,
    PAUSED,
    QUEUED,
    URGENT,
    WAKE,
    Array,
    Board,
)  # fmt: skip
from eureka_park.foundation.kernels import kernel

_PAUSED_FIRST = 10_000


@kernel
def line_of(job: Array) -> int:
    """The line of a job."""
    return int(3 * job.leaf + job.tier)


@kernel
def _run_for(board: Board, line: int, rank: int) -> int:
    """The run of that rank in a line, made when there is none: the smaller its rank, the sooner."""
    runs, g = board.runs, board.g[0]
    before, run = NONE, board.lines[line].first_run
    while run != NONE and runs[run].rank < rank:
        before, run = run, runs[run].next
    if run != NONE and runs[run].rank == rank:
        return int(run)
    new = g.run_free
    made = runs[new]
    g.run_free = made.next
    made.rank, made.n, made.next = rank, 0, run
    made.head = made.tail = made.hint = NONE
    made.n_beyond, made.beyond, made.beyond_end = 0, NONE, NONE
    if before == NONE:
        board.lines[line].first_run = new
    else:
        runs[before].next = new
    return int(new)


@kernel
def run_of_rank(board: Board, line: int, rank: int) -> int:
    """The run of that rank in a line; NONE when there is none."""
    runs, run = board.runs, board.lines[line].first_run
    while run != NONE and runs[run].rank < rank:
        run = runs[run].next
    return int(run) if run != NONE and runs[run].rank == rank else NONE


@kernel
def rank_of(job: Array) -> int:
    """The rank of a waiting job in its line: the smaller, the sooner."""
    return int((0 if job.state == PAUSED else _PAUSED_FIRST) - job.priority)


@kernel
def _drop_run(board: Board, line: int, run: int) -> None:
    runs, g = board.runs, board.g[0]
    before, other = NONE, board.lines[line].first_run
    while other != run:
        before, other = other, runs[other].next
    if before == NONE:
        board.lines[line].first_run = runs[run].next
    else:
        runs[before].next = runs[run].next
    runs[run].next = g.run_free
    g.run_free = run


@kernel
def put_in_line(board: Board, slot: int) -> None:
    """Stand a waiting job into its line, by rank and age. Its shares count it apart (`share_tree.count_jobs`)."""
    jobs, job, line = board.jobs, board.jobs[slot], line_of(board.jobs[slot])
    number = _run_for(board, line, rank_of(job))
    run = board.runs[number]
    after = NONE  # the first job of the run that is younger
    if run.tail != NONE and jobs[run.tail].order > job.order:
        after = run.hint
        if after == NONE or jobs[after].order > job.order:
            after = run.head
        while jobs[after].order < job.order:
            after = jobs[after].next
    before = run.tail if after == NONE else jobs[after].prev
    job.prev, job.next, job.run = before, after, number
    if before == NONE:
        run.head = slot
    else:
        jobs[before].next = slot
    if after == NONE:
        run.tail = slot
    else:
        jobs[after].prev = slot
    run.hint = slot
    run.n += 1
    board.lines[line].n += 1
    board.lines[line].refused_kw = 0.0
    job.where = IN_LINE


@kernel
def take_from_line(board: Board, slot: int) -> None:
    """Take a job out of its line. Its shares count it apart."""
    jobs, job, line = board.jobs, board.jobs[slot], line_of(board.jobs[slot])
    run = board.runs[job.run]
    if job.prev == NONE:
        run.head = job.next
    else:
        jobs[job.prev].next = job.next
    if job.next == NONE:
        run.tail = job.prev
    else:
        jobs[job.next].prev = job.prev
    if run.hint == slot:
        run.hint = job.prev
    run.n -= 1
    board.lines[line].n -= 1
    board.lines[line].refused_kw = 0.0
    if run.n == 0:
        _drop_run(board, line, job.run)
    job.run = NONE


# -- heaps by an instant ---------------------------------------------------------------------------------------------
# An entry counts while the job's own key is the entry's; others are skipped, and thrown out when the heap is full.


@kernel
def heap_push(heap: Array, n: int, key: float, order: int, slot: int) -> int:
    """Add an entry to a heap of `n`, by key, then by order; the new length."""
    at = n
    while at > 0:
        above = (at - 1) >> 1
        if heap[above].key < key or (heap[above].key == key and heap[above].order < order):
            break
        heap[at].key, heap[at].order, heap[at].slot = heap[above].key, heap[above].order, heap[above].slot
        at = above
    heap[at].key, heap[at].order, heap[at].slot = key, order, slot
    return n + 1


@kernel
def heap_pop(heap: Array, n: int) -> int:
    """Drop the first entry of a heap of `n`; the new length. Read the first entry before."""
    n -= 1
    if n > 0:
        _sift(heap, n, 0, heap[n].key, heap[n].order, heap[n].slot)
    return n


@kernel
def _sift(heap: Array, n: int, at: int, key: float, order: int, slot: int) -> None:
    """Find an entry its place from `at` downwards."""
    while True:
        child = 2 * at + 1
        if child >= n:
            break
        other = child + 1
        if other < n and (
            heap[other].key < heap[child].key
            or (heap[other].key == heap[child].key and heap[other].order < heap[child].order)
        ):
            child = other
        if key < heap[child].key or (key == heap[child].key and order < heap[child].order):
            break
        heap[at].key, heap[at].order, heap[at].slot = heap[child].key, heap[child].order, heap[child].slot
        at = child
    heap[at].key, heap[at].order, heap[at].slot = key, order, slot


@kernel
def _compact(heap: Array, n: int, orders: Array, keys: Array) -> int:
    """Throw out the entries that no longer count; the new length, at most one entry for each job."""
    kept = 0
    for at in range(n):
        slot = heap[at].slot
        if orders[slot] == heap[at].order and keys[slot] == heap[at].key:
            heap[kept].key, heap[kept].order, heap[kept].slot = heap[at].key, heap[at].order, slot
            keys[slot] = math.nan  # a job that comes back with the same key has several entries: one is enough
            kept += 1
    for at in range(kept):
        keys[heap[at].slot] = heap[at].key
    for at in range(kept // 2, -1, -1):
        if at < kept:
            _sift(heap, kept, at, heap[at].key, heap[at].order, heap[at].slot)
    return kept


@kernel
def sort_by_order(due: Array, n: int) -> None:
    """Sort the first `n` entries by the order of their jobs (in steps that shrink, after Shell)."""
    gap = 1
    while 3 * gap + 1 < n:
        gap = 3 * gap + 1
    while gap > 0:
        for index in range(gap, n):
            order, slot, at = due[index].order, due[index].slot, index
            while at >= gap and due[at - gap].order > order:
                due[at].order, due[at].slot = due[at - gap].order, due[at - gap].slot
                at -= gap
            due[at].order, due[at].slot = order, slot
        gap //= 3


@kernel
def note_latest(board: Board, slot: int) -> None:
    """Remember by when a waiting job must start to end in time."""
    job = board.jobs[slot]
    g = board.g[0]
    if job.deadline_s == INF:
        job.latest_key = INF
        return
    job.latest_key = job.deadline_s - max(0.0, job.time_s - job.ran_s)
    if g.fresh_n == board.heaps.shape[1]:
        push_fresh(board, INF)
    board.heaps[FRESH, g.fresh_n].slot = slot
    g.fresh_n += 1


@kernel
def push_fresh(board: Board, until_s: float) -> None:
    """Stand those who have just come and must start by then into the heap of latest starts; others stay fresh.

    Most jobs start in the first turn that sees them: the heap never hears of them.
    """
    jobs, g, fresh, kept = board.jobs, board.g[0], board.heaps[FRESH], 0
    for index in range(g.fresh_n):
        slot = fresh[index].slot
        if jobs[slot].latest_key == INF or not is_waiting(board, slot):
            continue
        if jobs[slot].latest_key > until_s:
            fresh[kept].slot = slot
            kept += 1
            continue
        if g.latest_n == board.heaps.shape[1]:
            g.latest_n = _compact(board.heaps[LATEST], g.latest_n, jobs.order, jobs.latest_key)
        g.latest_n = heap_push(board.heaps[LATEST], g.latest_n, jobs[slot].latest_key, jobs[slot].order, slot)
    g.fresh_n = kept


@kernel
def note_wake(board: Board, slot: int, key: float) -> None:
    """Remember when a deferred job is looked at again."""
    job = board.jobs[slot]
    jobs, g = board.jobs, board.g[0]
    job.wake_key = key
    if g.wake_n == board.heaps.shape[1]:
        g.wake_n = _compact(board.heaps[WAKE], g.wake_n, jobs.order, jobs.wake_key)
    g.wake_n = heap_push(board.heaps[WAKE], g.wake_n, key, job.order, slot)


@kernel
def note_urgent(board: Board, slot: int, key: float) -> None:
    """Remember when a job on a node may become urgent."""
    job = board.jobs[slot]
    jobs, g = board.jobs, board.g[0]
    job.urgent_key = key
    if key == INF:
        return
    if g.urgent_n == board.heaps.shape[1]:
        g.urgent_n = _compact(board.heaps[URGENT], g.urgent_n, jobs.order, jobs.urgent_key)
    g.urgent_n = heap_push(board.heaps[URGENT], g.urgent_n, key, job.order, slot)


@kernel
def is_waiting(board: Board, slot: int) -> bool:
    """Whether a job waits for a start."""
    job = board.jobs[slot]
    state = job.state
    return state == QUEUED or state == PAUSED


@kernel
def note_begins(board: Board, slot: int, key: float) -> None:
    """Remember when a job that is about to run may become urgent: soon it runs, and the heap need not hear of it."""
    g = board.g[0]
    if g.begins_n == board.heaps.shape[1]:
        note_urgent(board, slot, key)
        return
    board.jobs[slot].urgent_key = key
    board.heaps[BEGINS, g.begins_n].slot = slot
    g.begins_n += 1
