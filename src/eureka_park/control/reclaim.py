"""Kernels of reclaiming: what was lent beyond shares goes back to a share that draws less than its floor and waits.

Only jobs that write checkpoints are asked for it, never firm ones, never before their minimum run time, and never more
of them in an hour than the policy allows.
"""

from __future__ import annotations

from eureka_park.compute.core.board import DUE, FLEX, GREEN, INF, N_SET, NONE, RUNNING, UP, Board
from eureka_park.compute.core.gangs import may_run_on
from eureka_park.compute.core.moves import pausing
from eureka_park.compute.core.rooms import empty_row, fits_without, is_within
from eureka_park.compute.core.share_tree import most_served_leaves
from eureka_park.control.codes import PAUSE, RECLAIMED, RESERVED, ROOM
from eureka_park.control.give_way import may_stop
from eureka_park.control.say import log, say
from eureka_park.foundation.kernels import kernel

VICTIMS_MAX = 256


@kernel
def floor_kw(board: Board, share: int) -> float:
    """What is guaranteed to a share now: a part of the power that is forecast, not of the machines."""
    g = board.g[0]
    return float(board.shares[share].floor_frac * g.floor_base_kw)


@kernel
def _claimant(board: Board, share: int, now_s: float) -> int:
    """The first job of a share that has waited long enough for room and whose start its floor covers."""
    jobs, g = board.jobs, board.g[0]
    for index in range(g.n_blocked):
        slot = board.g[0].blocked[index]
        if jobs[slot].node != NONE or not is_within(board, jobs[slot].leaf, share):
            continue
        if jobs[slot].reason != ROOM and jobs[slot].reason != RESERVED:
            continue
        need_kw = jobs[slot].idle_kw + jobs[slot].dynamic_kw
        waited_s = now_s - jobs[slot].refused_room_s
        if waited_s >= g.reclaim_after_s and board.shares[share].committed_kw + need_kw <= floor_kw(board, share):
            return int(slot)
    return NONE


@kernel
def _is_spared(board: Board, leaf: int, claimant_share: int) -> bool:
    """Whether a leaf belongs to the claimant, or to a share that does not draw more than its own floor."""
    at = leaf
    while at > 0:  # the root's floor is all there is, and spares nobody
        if at == claimant_share:
            return True
        if board.shares[at].floor_frac > 0.0 and board.shares[at].committed_kw <= floor_kw(board, at):
            return True
        at = board.shares[at].parent
    return False


@kernel
def _n_up(board: Board, slot: int) -> int:
    """How many nodes of a gang are up: others start nothing when it leaves them."""
    job = board.jobs[slot]
    n, node = 0, job.node
    while node != NONE:
        n += 1 if board.nodes[node].up == UP else 0
        node = board.nodes[node].gang_next
    return n


@kernel
def _helps(board: Board, claimant: int, slot: int) -> bool:
    """Whether pausing a job makes room where the claimant may run."""
    job = board.jobs[slot]
    jobs, nodes = board.jobs, board.nodes
    node = job.node
    if not may_run_on(board, claimant, nodes[node].klass):
        return False
    if jobs[claimant].gang:
        return bool(job.gang)
    if job.gang:
        return _n_up(board, slot) > 0
    return bool(nodes[node].up == UP and fits_without(board, claimant, slot))


@kernel
def _victims(board: Board, claimant: int, share: int, now_s: float) -> int:
    """Jobs whose pause would make room for the claimant, the most served share's newest first; 0 when none would."""
    jobs = board.jobs
    n_leaves, n, klass, got = most_served_leaves(board), 0, NONE, 0
    for tier in (GREEN, FLEX):
        for index in range(n_leaves):
            slot = board.lines[3 * board.shares[index].leaf + tier].newest
            while slot != NONE and n < VICTIMS_MAX:
                is_fit = jobs[slot].state == RUNNING and jobs[slot].checkpoint and may_stop(board, slot, now_s)
                if is_fit and not _is_spared(board, board.shares[index].leaf, share) and _helps(board, claimant, slot):
                    here = board.nodes[jobs[slot].node].klass
                    if klass == NONE:
                        klass, got = here, board.bitmaps[empty_row(board, here), N_SET]
                    if here == klass or not jobs[claimant].gang:
                        board.heaps[DUE, n].slot = slot
                        n += 1
                        got += _n_up(board, slot) if jobs[slot].gang else 1
                    if not jobs[claimant].gang or got >= jobs[claimant].n_nodes:
                        return n
                slot = jobs[slot].next
    return 0


@kernel
def reclaim(board: Board, now_s: float) -> None:
    """Pause borrowed work for the first share below its floor that waits for room, if that makes room."""
    g, shares = board.g[0], board.shares
    if g.reclaim_after_s == INF or now_s - g.reclaimed_s < g.reclaim_gap_s:
        return
    for share in range(1, shares.shape[0]):
        if shares[share].floor_frac <= 0.0 or shares[share].n_waiting == 0:
            continue
        if shares[share].committed_kw >= floor_kw(board, share):
            continue
        claimant = _claimant(board, share, now_s)
        if claimant == NONE:
            continue
        n = _victims(board, claimant, share, now_s)
        for index in range(n):
            slot = board.heaps[DUE, index].slot
            say(board, slot, RECLAIMED, float(share), floor_kw(board, share), INF, now_s)
            pausing(board, slot, now_s)
            log(board, PAUSE, slot, 1.0, float(share))
        if n > 0:
            g.reclaimed_s = now_s
            return
