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
    before = 0 if board.jobs.state[slot] == PAUSED else _PAUSED_FIRST
    return before - board.jobs.priority[slot]


@kernel
def line_of(board: Board, slot: int) -> int:
    """The line of a job."""
    return 3 * board.jobs.leaf[slot] + board.jobs.tier[slot]


@kernel
def _run_for(board: Board, line: int, rank: int) -> int:
    """The run of that rank in a line, made when there is none."""
    before, run = NONE, board.lines.first_run[line]
    while run != NONE and board.runs.rank[run] < rank:
        before, run = run, board.runs.next[run]
    if run != NONE and board.runs.rank[run] == rank:
        return run
    new = board.g.run_free[0]
    board.g.run_free[0] = board.runs.next[new]
    board.runs.rank[new] = rank
    board.runs.head[new] = board.runs.tail[new] = board.runs.hint[new] = NONE
    board.runs.n[new] = 0
    board.runs.next[new] = run
    if before == NONE:
        board.lines.first_run[line] = new
    else:
        board.runs.next[before] = new
    return new


@kernel
def _drop_run(board: Board, line: int, run: int) -> None:
    before, other = NONE, board.lines.first_run[line]
    while other != run:
        before, other = other, board.runs.next[other]
    if before == NONE:
        board.lines.first_run[line] = board.runs.next[run]
    else:
        board.runs.next[before] = board.runs.next[run]
    board.runs.next[run] = board.g.run_free[0]
    board.g.run_free[0] = run


@kernel
def _place_before(board: Board, run: int, order: int) -> int:
    """The first job of a run that is younger than `order`; NONE at its end."""
    jobs, runs = board.jobs, board.runs
    tail = runs.tail[run]
    if tail == NONE or jobs.order[tail] < order:
        return NONE
    at = runs.hint[run]
    if at == NONE or jobs.order[at] > order:
        at = runs.head[run]
    while jobs.order[at] < order:
        at = jobs.next[at]
    return at


@kernel
def put_in_line(board: Board, slot: int) -> None:
    """Stand a waiting job into its line, by rank and age."""
    jobs, runs = board.jobs, board.runs
    line = line_of(board, slot)
    run = _run_for(board, line, rank_of(board, slot))
    after = _place_before(board, run, jobs.order[slot])
    before = runs.tail[run] if after == NONE else jobs.prev[after]
    jobs.prev[slot], jobs.next[slot], jobs.run[slot] = before, after, run
    if before == NONE:
        runs.head[run] = slot
    else:
        jobs.next[before] = slot
    if after == NONE:
        runs.tail[run] = slot
    else:
        jobs.prev[after] = slot
    runs.hint[run] = slot
    runs.n[run] += 1
    board.lines.n[line] += 1
    jobs.where[slot] = IN_LINE
    at = jobs.leaf[slot]
    while at != NONE:
        board.shares.n_waiting[at] += 1
        at = board.shares.parent[at]


@kernel
def take_from_line(board: Board, slot: int) -> None:
    """Take a job out of its line."""
    jobs, runs = board.jobs, board.runs
    line, run = line_of(board, slot), jobs.run[slot]
    before, after = jobs.prev[slot], jobs.next[slot]
    if before == NONE:
        runs.head[run] = after
    else:
        jobs.next[before] = after
    if after == NONE:
        runs.tail[run] = before
    else:
        jobs.prev[after] = before
    if runs.hint[run] == slot:
        runs.hint[run] = before
    runs.n[run] -= 1
    board.lines.n[line] -= 1
    if runs.n[run] == 0:
        _drop_run(board, line, run)
    jobs.run[slot] = NONE
    at = jobs.leaf[slot]
    while at != NONE:
        board.shares.n_waiting[at] -= 1
        at = board.shares.parent[at]


# -- heaps by an instant ---------------------------------------------------------------------------------------------
# An entry counts while the job's own key is the entry's; others are skipped, and thrown out when the heap is full.


@kernel
def heap_before(heap: Array, a: int, b: int) -> bool:
    """Whether entry a comes before entry b: by key, then by age."""
    return heap.key[a] < heap.key[b] or (heap.key[a] == heap.key[b] and heap.order[a] < heap.order[b])


@kernel
def _swap(heap: Array, a: int, b: int) -> None:
    key, order, slot = heap.key[a], heap.order[a], heap.slot[a]
    heap.key[a], heap.order[a], heap.slot[a] = heap.key[b], heap.order[b], heap.slot[b]
    heap.key[b], heap.order[b], heap.slot[b] = key, order, slot


@kernel
def heap_push(heap: Array, n: int, key: float, order: int, slot: int) -> int:
    """Add an entry to a heap of `n`; the new length."""
    heap.key[n], heap.order[n], heap.slot[n] = key, order, slot
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
        slot = heap.slot[at]
        if orders[slot] == heap.order[at] and keys[slot] == heap.key[at]:
            heap.key[kept], heap.order[kept], heap.slot[kept] = heap.key[at], heap.order[at], slot
            kept += 1
    for at in range(kept // 2, -1, -1):
        _sift(heap, kept, at)
    return kept


@kernel
def note_latest(board: Board, slot: int) -> None:
    """Remember by when a waiting job must start to end in time."""
    jobs, g = board.jobs, board.g
    if jobs.deadline_s[slot] == INF:
        jobs.latest_key[slot] = INF
        return
    key = jobs.deadline_s[slot] - max(0.0, jobs.time_s[slot] - jobs.ran_s[slot])
    jobs.latest_key[slot] = key
    if g.latest_n[0] == board.latest.shape[0]:
        g.latest_n[0] = _compact(board.latest, g.latest_n[0], jobs.order, jobs.latest_key)
    g.latest_n[0] = heap_push(board.latest, g.latest_n[0], key, jobs.order[slot], slot)


@kernel
def note_wake(board: Board, slot: int, key: float) -> None:
    """Remember when a deferred job is looked at again."""
    jobs, g = board.jobs, board.g
    jobs.wake_key[slot] = key
    if g.wake_n[0] == board.wake.shape[0]:
        g.wake_n[0] = _compact(board.wake, g.wake_n[0], jobs.order, jobs.wake_key)
    g.wake_n[0] = heap_push(board.wake, g.wake_n[0], key, jobs.order[slot], slot)


@kernel
def note_urgent(board: Board, slot: int, key: float) -> None:
    """Remember when a job on a node may become urgent."""
    jobs, g = board.jobs, board.g
    jobs.urgent_key[slot] = key
    if key == INF:
        return
    if g.urgent_n[0] == board.urgent.shape[0]:
        g.urgent_n[0] = _compact(board.urgent, g.urgent_n[0], jobs.order, jobs.urgent_key)
    g.urgent_n[0] = heap_push(board.urgent, g.urgent_n[0], key, jobs.order[slot], slot)


@kernel
def put_aside(board: Board, slot: int, until_s: float) -> None:
    """Let a waiting job stand aside until an instant; it is in no line then."""
    board.jobs.where[slot] = DEFERRED
    board.g.n_deferred[0] += 1
    note_wake(board, slot, until_s)


@kernel
def is_waiting(board: Board, slot: int) -> bool:
    """Whether a job waits for a start."""
    state = board.jobs.state[slot]
    return state == QUEUED or state == PAUSED
