"""Kernels of the queue: one line per leaf of the share tree and tier, in runs of equal rank; and heaps by an instant.

A line's order: paused before queued, then priority, then age. Nothing is ever sorted by job.
"""

from __future__ import annotations

from eureka_park.compute.core.board import DEFERRED, IN_LINE, INF, NONE, PAUSED, QUEUED, Array, Board
from eureka_park.foundation.kernels import kernel

_PAUSED_FIRST = 10_000


@kernel
def rank_of(board: Board, slot: int) -> int:
    """Place of a job's run within its line: the smaller, the sooner."""
    job = board.jobs[slot]
    before = 0 if job.state == PAUSED else _PAUSED_FIRST
    return before - job.priority


@kernel
def line_of(board: Board, slot: int) -> int:
    """The line of a job."""
    job = board.jobs[slot]
    return 3 * job.leaf + job.tier


@kernel
def _run_for(board: Board, line: int, rank: int) -> int:
    """The run of that rank in a line, made when there is none."""
    g = board.g[0]
    before, run = NONE, board.lines[line].first_run
    while run != NONE and board.runs[run].rank < rank:
        before, run = run, board.runs[run].next
    if run != NONE and board.runs[run].rank == rank:
        return run
    new = g.run_free
    g.run_free = board.runs[new].next
    board.runs[new].rank = rank
    board.runs[new].head = board.runs[new].tail = board.runs[new].hint = NONE
    board.runs[new].n = 0
    board.runs[new].next = run
    if before == NONE:
        board.lines[line].first_run = new
    else:
        board.runs[before].next = new
    return new


@kernel
def _drop_run(board: Board, line: int, run: int) -> None:
    g = board.g[0]
    before, other = NONE, board.lines[line].first_run
    while other != run:
        before, other = other, board.runs[other].next
    if before == NONE:
        board.lines[line].first_run = board.runs[run].next
    else:
        board.runs[before].next = board.runs[run].next
    board.runs[run].next = g.run_free
    g.run_free = run


@kernel
def _place_before(board: Board, run: int, order: int) -> int:
    """The first job of a run that is younger than `order`; NONE at its end."""
    jobs, runs = board.jobs, board.runs
    tail = runs[run].tail
    if tail == NONE or jobs[tail].order < order:
        return NONE
    at = runs[run].hint
    if at == NONE or jobs[at].order > order:
        at = runs[run].head
    while jobs[at].order < order:
        at = jobs[at].next
    return at


@kernel
def put_in_line(board: Board, slot: int) -> None:
    """Stand a waiting job into its line, by rank and age."""
    job = board.jobs[slot]
    jobs, runs = board.jobs, board.runs
    line = line_of(board, slot)
    run = _run_for(board, line, rank_of(board, slot))
    after = _place_before(board, run, job.order)
    before = runs[run].tail if after == NONE else jobs[after].prev
    job.prev, job.next, job.run = before, after, run
    if before == NONE:
        runs[run].head = slot
    else:
        jobs[before].next = slot
    if after == NONE:
        runs[run].tail = slot
    else:
        jobs[after].prev = slot
    runs[run].hint = slot
    runs[run].n += 1
    board.lines[line].n += 1
    job.where = IN_LINE
    at = job.leaf
    while at != NONE:
        board.shares[at].n_waiting += 1
        at = board.shares[at].parent


@kernel
def take_from_line(board: Board, slot: int) -> None:
    """Take a job out of its line."""
    job = board.jobs[slot]
    jobs, runs = board.jobs, board.runs
    line, run = line_of(board, slot), job.run
    before, after = job.prev, job.next
    if before == NONE:
        runs[run].head = after
    else:
        jobs[before].next = after
    if after == NONE:
        runs[run].tail = before
    else:
        jobs[after].prev = before
    if runs[run].hint == slot:
        runs[run].hint = before
    runs[run].n -= 1
    board.lines[line].n -= 1
    if runs[run].n == 0:
        _drop_run(board, line, run)
    job.run = NONE
    at = job.leaf
    while at != NONE:
        board.shares[at].n_waiting -= 1
        at = board.shares[at].parent


# -- heaps by an instant ---------------------------------------------------------------------------------------------
# An entry counts while the job's own key is the entry's; others are skipped, and thrown out when the heap is full.


@kernel
def heap_before(heap: Array, a: int, b: int) -> bool:
    """Whether entry a comes before entry b: by key, then by age."""
    return heap[a].key < heap[b].key or (heap[a].key == heap[b].key and heap[a].order < heap[b].order)


@kernel
def _swap(heap: Array, a: int, b: int) -> None:
    key, order, slot = heap[a].key, heap[a].order, heap[a].slot
    heap[a].key, heap[a].order, heap[a].slot = heap[b].key, heap[b].order, heap[b].slot
    heap[b].key, heap[b].order, heap[b].slot = key, order, slot


@kernel
def heap_push(heap: Array, n: int, key: float, order: int, slot: int) -> int:
    """Add an entry to a heap of `n`; the new length."""
    heap[n].key, heap[n].order, heap[n].slot = key, order, slot
    at = n
    while at > 0 and heap_before(heap, at, (at - 1) >> 1):
        _swap(heap, at, (at - 1) >> 1)
        at = (at - 1) >> 1
    return n + 1


@kernel
def heap_pop(heap: Array, n: int) -> int:
    """Drop the first entry of a heap of `n`; the new length. Read the first entry before."""
    n -= 1
    if n > 0:
        _swap(heap, 0, n)
        _sift(heap, n, 0)
    return n


@kernel
def _sift(heap: Array, n: int, at: int) -> None:
    while True:
        least = at
        for child in (2 * at + 1, 2 * at + 2):
            if child < n and heap_before(heap, child, least):
                least = child
        if least == at:
            return
        _swap(heap, at, least)
        at = least


@kernel
def _compact(heap: Array, n: int, orders: Array, keys: Array) -> int:
    """Throw out the entries that no longer count; the new length."""
    kept = 0
    for at in range(n):
        slot = heap[at].slot
        if orders[slot] == heap[at].order and keys[slot] == heap[at].key:
            heap[kept].key, heap[kept].order, heap[kept].slot = heap[at].key, heap[at].order, slot
            kept += 1
    for at in range(kept // 2, -1, -1):
        _sift(heap, kept, at)
    return kept


@kernel
def note_latest(board: Board, slot: int) -> None:
    """Remember by when a waiting job must start to end in time."""
    job = board.jobs[slot]
    jobs, g = board.jobs, board.g[0]
    if job.deadline_s == INF:
        job.latest_key = INF
        return
    key = job.deadline_s - max(0.0, job.time_s - job.ran_s)
    job.latest_key = key
    if g.latest_n == board.latest.shape[0]:
        g.latest_n = _compact(board.latest, g.latest_n, jobs.order, jobs.latest_key)
    g.latest_n = heap_push(board.latest, g.latest_n, key, job.order, slot)


@kernel
def note_wake(board: Board, slot: int, key: float) -> None:
    """Remember when a deferred job is looked at again."""
    job = board.jobs[slot]
    jobs, g = board.jobs, board.g[0]
    job.wake_key = key
    if g.wake_n == board.wake.shape[0]:
        g.wake_n = _compact(board.wake, g.wake_n, jobs.order, jobs.wake_key)
    g.wake_n = heap_push(board.wake, g.wake_n, key, job.order, slot)


@kernel
def note_urgent(board: Board, slot: int, key: float) -> None:
    """Remember when a job on a node may become urgent."""
    job = board.jobs[slot]
    jobs, g = board.jobs, board.g[0]
    job.urgent_key = key
    if key == INF:
        return
    if g.urgent_n == board.urgent.shape[0]:
        g.urgent_n = _compact(board.urgent, g.urgent_n, jobs.order, jobs.urgent_key)
    g.urgent_n = heap_push(board.urgent, g.urgent_n, key, job.order, slot)


@kernel
def put_aside(board: Board, slot: int, until_s: float) -> None:
    """Let a waiting job stand aside until an instant; it is in no line then."""
    g = board.g[0]
    job = board.jobs[slot]
    job.where = DEFERRED
    g.n_deferred += 1
    note_wake(board, slot, until_s)


@kernel
def is_waiting(board: Board, slot: int) -> bool:
    """Whether a job waits for a start."""
    job = board.jobs[slot]
    state = job.state
    return state == QUEUED or state == PAUSED
