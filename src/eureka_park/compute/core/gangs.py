"""Kernels of placement: one part beside others with the least left over, a gang on whole nodes close together."""

from __future__ import annotations

from eureka_park.compute.core.board import LEVELS, N_SET, NONE, Board
from eureka_park.compute.core.racks import is_counted, pick_close
from eureka_park.compute.core.rooms import (
    empty_row,
    fits,
    fits_beside,
    hold_allows,
    is_part,
    level_for,
    next_in_row,
    window_allows,
)
from eureka_park.foundation.kernels import kernel


@kernel
def may_run_on(board: Board, slot: int, klass: int) -> bool:
    """Whether a job may run on nodes of a class."""
    job = board.jobs[slot]
    return bool((job.classes >> klass) & 1)


@kernel
def find_single(board: Board, slot: int, now_s: float, end_s: float) -> int:
    """The node for one part: fewest free GPUs, then lowest index, that fits and is promised to nobody; else NONE.

    A part of a GPU goes to a GPU that is shared already, if there is one, before a free one is opened for it.
    """
    g = board.g[0]
    job = board.jobs[slot]
    classes = board.classes
    if is_part(job):
        node = _find_shared(board, slot, now_s, end_s)
        if node != NONE:
            return node
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
def _find_shared(board: Board, slot: int, now_s: float, end_s: float) -> int:
    """The node with the shared GPU for a part: least room, in steps, then lowest index; else NONE."""
    for level in range(level_for(board.jobs[slot]), LEVELS):
        for klass in range(board.classes.shape[0]):
            if not (board.classes[klass].levels >> level) & 1 or not may_run_on(board, slot, klass):
                continue
            row = board.classes[klass].level_row + level
            node = next_in_row(board, row, 0)
            while node != NONE:
                if fits_beside(board, slot, node) and window_allows(board, slot, node, now_s, end_s):
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
        if is_counted(board, klass, now_s):
            if pick_close(board, slot, klass, n_nodes, end_s):
                return True
            continue
        n_free = _list_free(board, slot, klass, now_s, end_s)
        if n_free >= n_nodes:
            _pick_close(board, n_free, n_nodes)
            return True
    return False


@kernel
def n_empty(board: Board, slot: int, now_s: float, end_s: float) -> int:
    """The most empty nodes of one class that a gang could have now."""
    most = 0
    for klass in range(board.classes.shape[0]):
        if may_run_on(board, slot, klass) and board.bitmaps[empty_row(board, klass), N_SET] > most:
            most = max(most, _list_free(board, slot, klass, now_s, end_s))
    return most


@kernel
def _list_free(board: Board, slot: int, klass: int, now_s: float, end_s: float) -> int:
    """List the nodes of a class that a gang may take now, by index, in `nodes[0 ...].free_at`; how many."""
    nodes, row, n = board.nodes, empty_row(board, klass), 0
    node = next_in_row(board, row, 0)
    while node != NONE:
        if window_allows(board, slot, node, now_s, end_s) and hold_allows(board, slot, node, end_s):
            nodes[n].free_at = node
            n += 1
        node = next_in_row(board, row, node + 1) if node + 1 < nodes.shape[0] else NONE
    return n


@kernel
def _pick_close(board: Board, n_free: int, n_nodes: int) -> None:
    """Fill `board.pick` from the listed nodes: one rack that just holds it, else one pod, else as few as can be.

    Free nodes are counted by rack and by pod in `nodes[rack].in_rack` and `nodes[pod].in_pod`. Nodes go by index, so
    the first of equal groups is found first.
    """
    nodes = board.nodes
    for index in range(n_free):
        node = nodes[nodes[index].free_at]
        nodes[node.rack].in_rack = nodes[node.pod].in_pod = 0
    for index in range(n_free):
        node = nodes[nodes[index].free_at]
        nodes[node.rack].in_rack += 1
        nodes[node.pod].in_pod += 1
    rack = pod = NONE  # those with the fewest that still hold all
    for index in range(n_free):
        node = nodes[nodes[index].free_at]
        n = nodes[node.rack].in_rack
        if n >= n_nodes and (rack == NONE or n < nodes[rack].in_rack):
            rack = node.rack
        n = nodes[node.pod].in_pod
        if n >= n_nodes and (pod == NONE or n < nodes[pod].in_pod):
            pod = node.pod
    if rack != NONE:
        _from_rack(board, n_free, rack, 0, n_nodes)
        return
    n = 0
    while n < n_nodes:
        if pod == NONE or nodes[pod].in_pod == 0:  # the fullest
            pod = nodes[nodes[0].free_at].pod
            for index in range(1, n_free):
                other = nodes[nodes[index].free_at].pod
                if nodes[other].in_pod > nodes[pod].in_pod:
                    pod = other
        n = _from_pod(board, n_free, pod, n, n_nodes)
        nodes[pod].in_pod = 0


@kernel
def _from_pod(board: Board, n_free: int, pod: int, n: int, n_nodes: int) -> int:
    """Add nodes of a pod to the pick, its fullest racks first; how many are picked then."""
    nodes = board.nodes
    while n < n_nodes:
        rack = NONE
        for index in range(n_free):
            node = nodes[nodes[index].free_at]
            if node.pod == pod and nodes[node.rack].in_rack > (0 if rack == NONE else nodes[rack].in_rack):
                rack = node.rack
        if rack == NONE:
            return n
        n = _from_rack(board, n_free, rack, n, n_nodes)
        nodes[rack].in_rack = 0
    return n


@kernel
def _from_rack(board: Board, n_free: int, rack: int, n: int, n_nodes: int) -> int:
    nodes = board.nodes
    for index in range(n_free):
        if n == n_nodes:
            break
        if nodes[nodes[index].free_at].rack == rack:
            nodes[n].pick = nodes[index].free_at
            n += 1
    return n


@kernel
def find_more(board: Board, slot: int, klass: int, n_more: int, now_s: float, end_s: float) -> bool:
    """Put so many further nodes for a gang on that class into `board.pick`; False when there are not enough."""
    n_free = _list_free(board, slot, klass, now_s, end_s)
    if n_free < n_more:
        return False
    _pick_close(board, n_free, n_more)
    return True
