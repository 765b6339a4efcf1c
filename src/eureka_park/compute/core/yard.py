"""The yard: jobs that wait far behind the front of their run, kept small until the queue comes to them.

A job on the board takes some 1,300 bytes, in the yard 80. Who stands there counts as waiting everywhere; it only has no
slot. Jobs leave in the order in which they came, each when a turn comes to the last one of its run that has a slot
(`next_in_run`), so a turn does what it would do if all had slots. That holds where nothing but a line's turn starts
them: of jobs without a deadline that wait for nobody. A run that has jobs in the yard has one with a slot at least.

Places lie in blocks; each run fills its own blocks one after another, and empty blocks are used again. The live park
has no yard: it has no room.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from eureka_park.compute.core.board import FREE, NONE, QUEUED, Array, Board, stretched
from eureka_park.compute.core.board_setup import blank
from eureka_park.compute.core.lines import line_of, put_in_line, rank_of, run_of_rank
from eureka_park.compute.core.moves import rate_waiting
from eureka_park.compute.core.share_tree import count_jobs
from eureka_park.compute.core.standing import kw_of
from eureka_park.foundation.kernels import kernel

BLOCK: Final = 16  # places
TOGETHER: Final = 64  # jobs that leave the yard at once, where there are slots


@kernel
def is_deep(board: Board, slot: int, deep: int) -> bool:
    """Whether a job that comes now stands so far behind that it can do without a slot: behind `deep` others of its run,
    or behind others in the yard.
    """
    run = run_of_rank(board, line_of(board.jobs[slot]), rank_of(board.jobs[slot]))
    return bool(run != NONE and (board.runs[run].n_beyond > 0 or board.runs[run].n >= deep))


@kernel
def put_by(board: Board, slot: int) -> int:
    """Let a job that comes wait in the yard; its slot is free again. Its run is deep, and there are free blocks (see
    `blocks_wanted`). Returns its place.
    """
    job, g = board.jobs[slot], board.g[0]
    job.state = QUEUED
    rate_waiting(board, slot)
    count_jobs(board, job.leaf, 1, 0)
    g.n_waiting += 1
    g.n_yard += 1
    g.yard_kw += job.dynamic_kw
    g.yard_kwh += kwh_of(job)
    run = board.runs[run_of_rank(board, line_of(board.jobs[slot]), rank_of(board.jobs[slot]))]
    at = _place_after(board, run)
    one = board.yard[at]
    one.order, one.classes, one.time_s, one.submitted_s = job.order, job.classes, job.time_s, job.submitted_s
    one.power_frac, one.user, one.mcpu, one.mem_mib = job.power_frac, job.user, job.mcpu, job.mem_mib
    one.n_nodes, one.n_nodes_min, one.gpus, one.slot = job.n_nodes, job.n_nodes_min, job.gpus, NONE
    one.gpu_milli = job.gpu_milli
    one.job_class, one.checkpoint = job.job_class, job.checkpoint
    job.state, job.order, job.user = FREE, NONE, NONE
    job.next = g.free_head
    g.free_head = slot
    return at


@kernel
def _place_after(board: Board, run: Array) -> int:
    """The place behind a run's last one in the yard."""
    g, end = board.g[0], run.beyond_end
    if run.n_beyond == 0 or end % BLOCK == 0:
        block = g.yard_free
        g.yard_free = board.yard_next[block]
        g.n_yard_free -= 1
        board.yard_next[block] = NONE
        if run.n_beyond == 0:
            run.beyond = block * BLOCK
            g.n_deep += 1
        else:
            board.yard_next[(end - 1) // BLOCK] = block
        end = block * BLOCK
    run.n_beyond += 1
    run.beyond_end = end + 1
    return int(end)


@kernel
def next_in_run(board: Board, slot: int) -> int:
    """The job behind the last one of a run that has a slot, out of the yard; NONE when there is none."""
    run = board.runs[board.jobs[slot].run]
    if run.n_beyond == 0:
        return NONE
    g = board.g[0]
    line, n = board.lines[line_of(board.jobs[slot])], min(run.n_beyond, TOGETHER)
    kept_kw = line.refused_kw
    if g.n_spare - n < slots_kept(board):
        n = 1
    for _ in range(n):
        _leave(board, slot)
    line.refused_kw = kept_kw  # they came before: nothing at the front is new
    return int(board.jobs[slot].next)


@kernel
def slots_kept(board: Board) -> int:
    """Slots that must be free in a turn, so that whoever it comes to finds one."""
    g = board.g[0]
    return int(g.n_considered_max + max(g.scan, g.lookahead) + 2)


@kernel
def _leave(board: Board, ahead: int) -> None:
    """The first of a run's jobs in the yard takes a slot and stands behind the run's others; `ahead` is one of them."""
    g, jobs, run = board.g[0], board.jobs, board.runs[board.jobs[ahead].run]
    at, slot = run.beyond, g.free_head
    g.free_head = jobs[slot].next
    g.n_spare -= 1
    blank(jobs, slot)
    job, one = jobs[slot], board.yard[at]
    job.order, job.classes, job.time_s, job.submitted_s = one.order, one.classes, one.time_s, one.submitted_s
    job.power_frac, job.user, job.mcpu, job.mem_mib = one.power_frac, one.user, one.mcpu, one.mem_mib
    job.n_nodes, job.n_nodes_min, job.gpus = one.n_nodes, one.n_nodes_min, one.gpus
    job.job_class, job.checkpoint, job.gpu_milli = one.job_class, one.checkpoint, one.gpu_milli
    job.gang = 1 if one.n_nodes > 1 else 0
    job.leaf, job.tier, job.priority = jobs[ahead].leaf, jobs[ahead].tier, jobs[ahead].priority
    job.state = QUEUED
    one.slot, one.next = slot, g.left_yard
    g.left_yard = at
    rate_waiting(board, slot)
    g.n_yard -= 1
    g.yard_kw -= job.dynamic_kw
    g.yard_kwh -= kwh_of(job)
    _free_place(board, run)
    put_in_line(board, slot)


@kernel
def _free_place(board: Board, run: Array) -> None:
    """A run's first place in the yard is empty; so may its block be."""
    g, at = board.g[0], run.beyond
    run.n_beyond -= 1
    run.beyond = at + 1
    if run.n_beyond == 0:
        g.n_deep -= 1
    elif (at + 1) % BLOCK != 0:
        return
    else:
        run.beyond = board.yard_next[at // BLOCK] * BLOCK
    board.yard_next[at // BLOCK] = g.yard_free
    g.yard_free = at // BLOCK
    g.n_yard_free += 1


@kernel
def kwh_of(job: Array) -> float:
    """Energy above idle that a waiting job will draw; kWh as the board holds power, so that sums are exact."""
    return float(kw_of(job.dynamic_kw * max(0.0, job.time_s - job.ran_s) / 3600.0))


@kernel
def blocks_wanted(board: Board, n_new: int, deep: int) -> int:
    """Blocks that must be free before so many jobs come, wherever they come to stand: what they fill, and one begun for
    each run that is deep or may become so.
    """
    g = board.g[0]
    n_begun = g.n_deep + (g.n_waiting - g.n_yard + n_new) // max(1, deep) + 1
    return int(n_new // BLOCK + min(n_new, n_begun) + 1)


# -- room --------------------------------------------------------------------------------------------------------------


def with_yard(board: Board, n_blocks: int) -> Board:
    """The same board with so many blocks more in its yard. Boards made before have a yard no longer."""
    had = board.yard_next.shape[0]
    yard_next = np.arange(1, had + n_blocks + 1, dtype=np.int32)
    yard_next[:had] = board.yard_next
    yard_next[-1] = board.g.yard_free[0]
    board.g.yard_free[0] = had
    board.g.n_yard_free[0] += n_blocks
    return board._replace(yard=stretched(board.yard, (had + n_blocks) * BLOCK), yard_next=yard_next)
