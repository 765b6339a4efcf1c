"""Kernels of fair share: hierarchical weighted dominant-resource fairness with a memory.

Use is counted in resource-hours at every node of the tree (GPU-hours by type, CPU-hours, GiB-hours, kWh) with
exponential decay; a node's rank is its dominant share of the park over its weight (dominant resource fairness, Ghodsi
et al., NSDI 2011; order down a tree as in Slurm's fair tree). Nothing decays in place: new use weighs more instead
(`growth`), in steps of an hour, so that ranks compare the same and nothing is rewritten.
"""

from __future__ import annotations

import numpy as np

from eureka_park.compute.core.board import N_RESOURCES, NONE, R_CPU, R_GPU, R_KWH, R_MEMORY, Array, Board
from eureka_park.foundation.kernels import kernel


@kernel
def growth_at(board: Board, now_s: float) -> float:
    """What one resource-hour used now weighs; starts anew, all use scaled down, once the table is at its end."""
    g = board.g[0]
    if g.growth_epoch_s < 0.0:
        g.growth_epoch_s = (now_s // 3600.0) * 3600.0
    hours = int((now_s - g.growth_epoch_s) // 3600.0)
    last = board.growth.shape[0] - 1
    while hours >= last:
        for share in range(board.used.shape[0]):
            for resource in range(N_RESOURCES):
                board.used[share, resource] /= board.growth[last]
        g.growth_epoch_s += last * 3600.0
        hours -= last
    return float(board.growth[max(0, hours)])


@kernel
def _charge_one(board: Board, leaf: int, resource: int, amount: float) -> None:
    at = leaf
    while at != NONE:
        board.used[at, resource] = max(0.0, board.used[at, resource] + amount)
        at = board.shares[at].parent


@kernel
def charge(board: Board, slot: int, hours: float, now_s: float) -> None:
    """Charge a job's leaf, and all above it, for so many hours of what the job holds; negative gives back."""
    job = board.jobs[slot]
    weight = growth_at(board, now_s) * hours
    leaf, n = job.leaf, job.n_held
    _charge_one(board, leaf, R_CPU, weight * (n * job.mcpu / 1000.0))
    _charge_one(board, leaf, R_MEMORY, weight * (n * job.mem_mib / 1024.0))
    _charge_one(board, leaf, R_KWH, weight * (job.idle_kw + job.dynamic_kw))
    if job.gpus > 0:
        gpu_type = board.classes.gpu_type[board.nodes[job.node].klass]
        _charge_one(board, leaf, R_GPU + gpu_type, weight * (n * job.gpus))


@kernel
def rank_share(board: Board, share: int) -> float:
    """Dominant share of the park over weight: the smaller, the sooner. Comparable at any one time."""
    most = 0.0
    for resource in range(N_RESOURCES):
        if board.capacity[resource] > 0.0:
            most = max(most, board.used[share, resource] / board.capacity[resource])
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
    shares, heap = board.shares, board.heap
    start, n = shares[parent].child_start, shares[parent].heap_n
    while True:
        first = at
        for child in (2 * at + 1, 2 * at + 2):
            if child < n and _sooner(board, heap[start + child], heap[start + first]):
                first = child
        if first == at:
            return
        heap[start + at], heap[start + first] = heap[start + first], heap[start + at]
        at = first


@kernel
def build_order(board: Board) -> None:
    """Order the shares with somebody waiting: one heap of children per node of the tree. Share 0 is the root."""
    shares, heap = board.shares, board.heap
    for share in range(shares.shape[0]):
        if shares[share].n_waiting > 0:
            _rate(board, share)
    for share in range(shares.shape[0]):
        shares[share].heap_n = 0
        if shares[share].n_waiting == 0:
            continue
        start, n = shares[share].child_start, 0
        for at in range(start, start + shares[share].n_children):
            child = board.children[at]
            if shares[child].n_waiting > 0:
                heap[start + n] = child
                n += 1
        shares[share].heap_n = n
        for at in range(n // 2, -1, -1):
            _sift(board, share, at)


@kernel
def first_leaf(board: Board) -> int:
    """The leaf whose turn it is; NONE when every line has been looked at."""
    shares = board.shares
    at = 0
    if shares[0].n_waiting == 0 or shares[0].heap_n == 0:
        return NONE
    while shares[at].heap_n > 0:
        at = board.heap[shares[at].child_start]
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
        board.heap[start] = board.heap[start + n]
        shares[parent].heap_n = n
        if n > 0:
            _sift(board, parent, 0)
            return
        at = parent


@kernel
def most_served_leaves(board: Board, out: Array) -> int:
    """Leaves with jobs on nodes, most served beyond its share first, level by level down the tree; returns how many.

    `out` needs room for every share. A share with both children and jobs of its own does not exist.
    """
    shares = board.shares
    n_out, n_open = 0, 1
    stack = np.zeros(shares.shape[0] + 1, np.int32)
    while n_open > 0:
        n_open -= 1
        at = stack[n_open]
        if shares[at].n_children == 0:
            out[n_out] = at
            n_out += 1
            continue
        begin = n_open
        for index in range(shares[at].child_start, shares[at].child_start + shares[at].n_children):
            child = board.children[index]
            if shares[child].n_on == 0:
                continue
            shares[child].rank = rank_share(board, child)
            place = n_open
            # ascending on the stack, so that the most served is taken from its top first
            while place > begin and _is_less_served(board, child, stack[place - 1]):
                stack[place] = stack[place - 1]
                place -= 1
            stack[place] = child
            n_open += 1
    return n_out


@kernel
def _is_less_served(board: Board, a: int, b: int) -> bool:
    rank = board.shares.rank
    return bool(rank[a] < rank[b] or (rank[a] == rank[b] and a > b))
