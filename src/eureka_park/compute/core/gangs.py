"""Kernels of placement: one part beside others with the least left over, a gang on whole nodes close together."""

from __future__ import annotations

import numpy as np

from eureka_park.compute.core.board import N_SET, NONE, Array, Board
from eureka_park.compute.core.rooms import empty_row, fits, next_in_row, window_allows
from eureka_park.foundation.kernels import kernel


@kernel
def may_run_on(board: Board, slot: int, klass: int) -> bool:
    """Whether a job may run on nodes of a class."""
    job = board.jobs[slot]
    return bool((job.classes >> klass) & 1)


@kernel
def hold_allows(board: Board, slot: int, node: int, end_s: float) -> bool:
    """Whether a start leaves alone what is promised on a node: it ends before, or fits beside."""
    g = board.g[0]
    job = board.jobs[slot]
    nodes = board.nodes
    if nodes[node].stamp != g.turn or end_s <= nodes[node].hold_from_s:
        return True
    return bool(
        not job.gang
        and job.gpus <= nodes[node].spare_gpus
        and job.mcpu <= nodes[node].spare_mcpu
        and job.mem_mib <= nodes[node].spare_mem_mib
    )


@kernel
def find_single(board: Board, slot: int, now_s: float, end_s: float) -> int:
    """The node for one part: fewest free GPUs, then lowest index, that fits and is promised to nobody; else NONE."""
    g = board.g[0]
    job = board.jobs[slot]
    classes = board.classes
    for free in range(job.gpus, g.gpus_max + 1):
        for klass in range(classes.shape[0]):
            if free > classes[klass].n_gpus or not may_run_on(board, slot, klass):
                continue
            row = classes[klass].row + free
            node = next_in_row(board, row, 0)
            while node != NONE:
                if fits(board, slot, node) and window_allows(board, slot, node, now_s, end_s):
                    if hold_allows(board, slot, node, end_s):
                        return int(node)
                node = next_in_row(board, row, node + 1) if node + 1 < board.nodes.shape[0] else NONE
    return NONE


@kernel
def find_gang(board: Board, slot: int, n_nodes: int, now_s: float, end_s: float) -> bool:
    """Put so many empty nodes of one class into `board.pick`, close together; False when there are not enough."""
    for klass in range(board.classes.shape[0]):
        if not may_run_on(board, slot, klass) or board.bitmaps[empty_row(board, klass), N_SET] < n_nodes:
            continue
        if _mark_free(board, slot, klass, now_s, end_s) >= n_nodes:
            _pick_close(board, klass, n_nodes)
            return True
    return False


@kernel
def n_empty(board: Board, slot: int, now_s: float, end_s: float) -> int:
    """The most empty nodes of one class that a gang could have now."""
    most = 0
    for klass in range(board.classes.shape[0]):
        if may_run_on(board, slot, klass):
            most = max(most, _mark_free(board, slot, klass, now_s, end_s))
    return most


@kernel
def _mark_free(board: Board, slot: int, klass: int, now_s: float, end_s: float) -> int:
    """Mark the nodes of a class that a gang may take now; how many."""
    nodes, row = board.nodes, empty_row(board, klass)
    first, last = board.classes[klass].first, board.classes[klass].first + board.classes[klass].n_nodes
    for node in range(first, last):
        nodes[node].marked = 0
    n, node = 0, next_in_row(board, row, 0)
    while node != NONE:
        if window_allows(board, slot, node, now_s, end_s) and hold_allows(board, slot, node, end_s):
            nodes[node].marked = 1
            n += 1
        node = next_in_row(board, row, node + 1) if node + 1 < nodes.shape[0] else NONE
    return n


@kernel
def _smallest_that_holds(counts: Array, n: int) -> int:
    """The group with the fewest free nodes that still holds `n`; NONE when none does."""
    best = NONE
    for group in range(counts.shape[0]):
        if counts[group] >= n and (best == NONE or counts[group] < counts[best]):
            best = group
    return best


@kernel
def _fullest(counts: Array) -> int:
    """The group with the most free nodes, the first of equals."""
    best = 0
    for group in range(1, counts.shape[0]):
        if counts[group] > counts[best]:
            best = group
    return best


@kernel
def _pick_close(board: Board, klass: int, n_nodes: int) -> None:
    """Fill `board.pick` from the marked nodes: one rack that just holds it, else one pod, else as few as can be."""
    g = board.g[0]
    nodes = board.nodes
    first, last = board.classes[klass].first, board.classes[klass].first + board.classes[klass].n_nodes
    racks, pods = np.zeros(g.n_racks, np.int64), np.zeros(g.n_pods, np.int64)
    for node in range(first, last):
        if nodes[node].marked:
            racks[nodes[node].rack] += 1
            pods[nodes[node].pod] += 1
    rack = _smallest_that_holds(racks, n_nodes)
    if rack != NONE:
        _from_rack(board, first, last, rack, 0, n_nodes)
        return
    pod = _smallest_that_holds(pods, n_nodes)
    n = 0
    while n < n_nodes:
        if pod == NONE or pods[pod] == 0:
            pod = _fullest(pods)
        n = _from_pod(board, first, last, pod, n, n_nodes)
        pods[pod] = 0


@kernel
def _from_pod(board: Board, first: int, last: int, pod: int, n: int, n_nodes: int) -> int:
    """Add nodes of a pod to the pick, its fullest racks first; how many are picked then."""
    g = board.g[0]
    nodes = board.nodes
    racks = np.zeros(g.n_racks, np.int64)
    for node in range(first, last):
        if nodes[node].marked and nodes[node].pod == pod:
            racks[nodes[node].rack] += 1
    while n < n_nodes:
        rack = _fullest(racks)
        if racks[rack] == 0:
            return n
        n = _from_rack(board, first, last, rack, n, n_nodes)
        racks[rack] = 0
    return n


@kernel
def _from_rack(board: Board, first: int, last: int, rack: int, n: int, n_nodes: int) -> int:
    for node in range(first, last):
        if n == n_nodes:
            return n
        if board.nodes[node].marked and board.nodes[node].rack == rack:
            board.nodes[n].pick = node
            n += 1
    return n
