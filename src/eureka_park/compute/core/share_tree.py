"""Kernels of fair share: hierarchical weighted dominant-resource fairness with a memory.

Use is counted in resource-hours at every node of the tree (GPU-hours by type, CPU-hours, GiB-hours, kWh) with
exponential decay; a node's rank is its dominant share of the park over its weight (dominant resource fairness, Ghodsi
et al., NSDI 2011; order down a tree as in Slurm's fair tree). Nothing decays in place: new use weighs more instead
(`growth`), in steps of an hour, so that ranks compare the same and nothing is rewritten.
"""

from __future__ import annotations

from eureka_park.compute.core.board import MILLI, N_RESOURCES, NONE, R_CPU, R_GPU, R_KWH, R_MEMORY, Board
from eureka_park.foundation.kernels import kernel


@kernel
def growth_at(board: Board, now_s: float) -> float:
    """What one resource-hour used now weighs; starts anew, all use scaled down, once the table is at its end."""
    g = board.g[0]
    if g.growth_epoch_s < 0.0:
        g.growth_epoch_s = (now_s // 3600.0) * 3600.0
    hours = int((now_s - g.growth_epoch_s) / 3600.0)
    last = board.growth.shape[0] - 1
    while hours >= last:
        for share in range(board.shares.shape[0]):
            for resource in range(N_RESOURCES):
                board.shares[share].used[resource] /= board.growth[last]
        g.growth_epoch_s += last * 3600.0
        hours -= last
    return float(board.growth[max(0, hours)])


@kernel
def charge(board: Board, slot: int, hours: float, now_s: float) -> None:
    """Charge a job's leaf, and all above it, for so many hours of what the job holds; negative gives back."""
    job = board.jobs[slot]
    weight, n, gpu = growth_at(board, now_s) * hours, job.n_held, NONE
    cpu_h, mem_h = weight * (n * job.mcpu / 1000.0), weight * (n * job.mem_mib / 1024.0)
    kwh, gpu_h = weight * (job.idle_kw + job.dynamic_kw), weight * (n * (job.gpus * job.gpu_milli / MILLI))
    if job.gpus > 0:
        gpu = R_GPU + board.classes[board.nodes[job.node].klass].gpu_type
    at = job.leaf
    while at != NONE:
        used = board.shares[at].used
        used[R_CPU] = max(0.0, used[R_CPU] + cpu_h)
        used[R_MEMORY] = max(0.0, used[R_MEMORY] + mem_h)
        used[R_KWH] = max(0.0, used[R_KWH] + kwh)
        if gpu != NONE:
            used[gpu] = max(0.0, used[gpu] + gpu_h)
        at = board.shares[at].parent


@kernel
def count_jobs(board: Board, leaf: int, n_waiting: int, n_on: int) -> None:
    """Count jobs that wait in line, and jobs on nodes, at a leaf and all above it."""
    at = leaf
    while at != NONE:
        share = board.shares[at]
        had = share.n_waiting
        share.n_waiting += n_waiting
        share.n_on += n_on
        if (had == 0) != (share.n_waiting == 0) and share.parent != NONE:
            _list_wanting(board, at, 1 if had == 0 else -1)
        at = share.parent


@kernel
def _list_wanting(board: Board, at: int, change: int) -> None:
    """Among the children of a share those with somebody waiting stand first."""
    shares = board.shares
    share, parent = shares[at], shares[shares[at].parent]
    border = parent.child_start + parent.n_wanting + (0 if change > 0 else -1)
    other, place = shares[border].child, share.place
    shares[border].child, shares[place].child = at, other
    share.place, shares[other].place = border, place
    parent.n_wanting += change


@kernel
def rank_share(board: Board, share: int) -> float:
    """Dominant share of the park over weight: the smaller, the sooner. Comparable at any one time."""
    most, capacity, used = 0.0, board.g[0].capacity, board.shares[share].used
    for resource in range(N_RESOURCES):
        if capacity[resource] > 0.0:
            most = max(most, used[resource] / capacity[resource])
    return float(most / board.shares[share].weight)


@kernel
def _rate(board: Board, share: int) -> None:
    """Note a node's rank, and whether it draws less than its floor."""
    g = board.g[0]
    shares = board.shares
    shares[share].rank = rank_share(board, share)
    floor_kw = shares[share].floor_frac * g.floor_base_kw
    shares[share].below = 1 if shares[share].committed_kw < floor_kw else 0


@kernel
def _sooner(board: Board, a: int, b: int) -> bool:
    """Whether share a is served before share b: below its floor first, then by rank, then the one known longer."""
    shares = board.shares
    if shares[a].below != shares[b].below:
        return bool(shares[a].below > shares[b].below)
    if shares[a].rank != shares[b].rank:
        return bool(shares[a].rank < shares[b].rank)
    return a < b


@kernel
def _sift(board: Board, parent: int, at: int) -> None:
    shares = board.shares
    start, n = shares[parent].child_start, shares[parent].heap_n
    while True:
        first = at
        for child in (2 * at + 1, 2 * at + 2):
            if child < n and _sooner(board, shares[start + child].heap, shares[start + first].heap):
                first = child
        if first == at:
            return
        shares[start + at].heap, shares[start + first].heap = shares[start + first].heap, shares[start + at].heap
        at = first


@kernel
def build_order(board: Board) -> None:
    """Order the shares with somebody waiting: one heap of children per node of the tree. Share 0 is the root."""
    shares = board.shares
    n_open, shares[0].walk = 1, 0
    while n_open > 0:
        n_open -= 1
        parent = shares[n_open].walk
        start, n = shares[parent].child_start, shares[parent].n_wanting
        shares[parent].heap_n = n
        for at in range(start, start + n):
            child = board.shares[at].child
            shares[at].heap = child
            _rate(board, child)
            shares[n_open].walk = child
            n_open += 1
        for at in range(n // 2, -1, -1):
            _sift(board, parent, at)


@kernel
def first_leaf(board: Board) -> int:
    """The leaf whose turn it is; NONE when every line has been looked at."""
    shares = board.shares
    at = 0
    if shares[0].n_waiting == 0 or shares[0].heap_n == 0:
        return NONE
    while shares[at].heap_n > 0:
        at = shares[shares[at].child_start].heap
    return at


@kernel
def leaf_was_served(board: Board, leaf: int) -> None:
    """Its use has grown, and that of all above it: each finds its new place among its siblings."""
    at = leaf
    while at != 0:
        _rate(board, at)
        at = board.shares[at].parent
    at = leaf
    while at != 0:
        parent = board.shares[at].parent
        _sift(board, parent, 0)
        at = parent


@kernel
def leaf_is_done(board: Board, leaf: int) -> None:
    """Nobody of this leaf can start any more in this turn."""
    shares, at = board.shares, leaf
    while at != 0:
        parent = shares[at].parent
        start, n = shares[parent].child_start, shares[parent].heap_n - 1
        shares[start].heap = shares[start + n].heap
        shares[parent].heap_n = n
        if n > 0:
            _sift(board, parent, 0)
            return
        at = parent


@kernel
def most_served_leaves(board: Board) -> int:
    """Leaves with jobs on nodes, most served beyond its share first, level by level down the tree; returns how many.

    They stand in `shares[0 ...].leaf`. A share with both children and jobs of its own does not exist.
    """
    shares = board.shares
    n_out, n_open, shares[0].walk = 0, 1, 0
    while n_open > 0:
        n_open -= 1
        at = shares[n_open].walk
        if shares[at].n_children == 0:
            shares[n_out].leaf = at
            n_out += 1
            continue
        begin = n_open
        for index in range(shares[at].child_start, shares[at].child_start + shares[at].n_children):
            child = board.shares[index].child
            if shares[child].n_on > 0:
                shares[child].rank = rank_share(board, child)
                shares[n_open].walk = child
                n_open += 1
        _sort_by_rank(board, begin, n_open)
    return n_out


@kernel
def _sort_by_rank(board: Board, begin: int, end: int) -> None:
    """Sort a part of the walk: the most served last, of equals the lower index (in steps that shrink, after Shell)."""
    shares, gap = board.shares, 1
    while 3 * gap + 1 < end - begin:
        gap = 3 * gap + 1
    while gap > 0:
        for index in range(begin + gap, end):
            share, at = shares[index].walk, index
            rank = shares[share].rank
            while at >= begin + gap:
                other = shares[at - gap].walk
                if shares[other].rank < rank or (shares[other].rank == rank and other > share):
                    break
                shares[at].walk = other
                at -= gap
            shares[at].walk = share
        gap //= 3
