"""Kernels of the moves: what may happen to a job, each in one place.

Live applies the events of its journal through these, kernels decide through the very same, and the twin plays through
them.
"""

from __future__ import annotations

from eureka_park.compute.core.board import (
    DEFERRED,
    FREE,
    FROZEN,
    HELD_BACK,
    IN_LINE,
    INF,
    NONE,
    PAUSED,
    PAUSING,
    QUEUED,
    RING,
    RUNNING,
    STARTING,
    Board,
)
from eureka_park.compute.core.ends import drop_end, hour_of, note_end
from eureka_park.compute.core.lines import line_of, note_latest, put_aside, put_in_line, take_from_line
from eureka_park.compute.core.rooms import free_room, take_room
from eureka_park.compute.core.share_tree import charge
from eureka_park.compute.core.standing import count_in, first_class, left_s, rate, settle, uncount
from eureka_park.foundation.kernels import kernel

# -- the queue ---------------------------------------------------------------------------------------------------------


@kernel
def enter(board: Board, slot: int) -> None:
    """A waiting job stands in its line, and is known by when it must start."""
    g = board.g[0]
    put_in_line(board, slot)
    note_latest(board, slot)
    g.n_waiting += 1


@kernel
def _leave_queue(board: Board, slot: int) -> None:
    job = board.jobs[slot]
    g = board.g[0]
    if job.where == IN_LINE:
        take_from_line(board, slot)
    elif job.where == DEFERRED:
        _unplan(board, slot)
    if job.where != HELD_BACK:
        g.n_waiting -= 1
    job.latest_key = INF


@kernel
def _unplan(board: Board, slot: int) -> None:
    """A deferred job gives up the hour that it has chosen."""
    g = board.g[0]
    job = board.jobs[slot]
    g.n_deferred -= 1
    board.planned_kw[hour_of(job.target_s) % RING] -= job.planned_kw
    job.wake_key = INF


@kernel
def rate_waiting(board: Board, slot: int) -> None:
    """A job that waits is rated with all that it asks for on the first class that it may run on."""
    job = board.jobs[slot]
    klass = first_class(board, slot)
    if klass != NONE:
        rate(board, slot, klass, job.n_nodes)


@kernel
def submitted(board: Board, slot: int, held_back: bool) -> None:
    """A job whose declaration stands in its slot enters its line, or is held back until others have ended."""
    job = board.jobs[slot]
    job.state = QUEUED
    rate_waiting(board, slot)
    if held_back:
        job.where = HELD_BACK
        job.latest_key = INF
    else:
        enter(board, slot)


@kernel
def released(board: Board, slot: int) -> None:
    """What a job was held back for has ended well."""
    enter(board, slot)


@kernel
def deferred(board: Board, slot: int, until_s: float, target_s: float) -> None:
    """A flexible job has chosen a better hour; it is looked at again at `until_s`."""
    job = board.jobs[slot]
    if job.where == IN_LINE:
        take_from_line(board, slot)
    else:
        _unplan(board, slot)
    job.target_s, job.planned_kw = target_s, job.dynamic_kw
    board.planned_kw[hour_of(target_s) % RING] += job.planned_kw
    put_aside(board, slot, until_s)


@kernel
def woken(board: Board, slot: int) -> None:
    """A deferred job stands in its line again."""
    _unplan(board, slot)
    put_in_line(board, slot)


# -- nodes -------------------------------------------------------------------------------------------------------------


@kernel
def list_running(board: Board, slot: int) -> None:
    """The newest start stands first in the list of its leaf and tier."""
    job = board.jobs[slot]
    jobs, line = board.jobs, line_of(board, slot)
    newest = board.lines[line].newest
    job.prev, job.next = NONE, newest
    if newest == NONE:
        board.lines[line].oldest = slot
    else:
        jobs[newest].prev = slot
    board.lines[line].newest = slot
    board.lines[line].n_on += 1
    _count_on(board, slot, 1)


@kernel
def _count_on(board: Board, slot: int, sign: int) -> None:
    g = board.g[0]
    job = board.jobs[slot]
    g.n_on += sign
    at = job.leaf
    while at != NONE:
        board.shares[at].n_on += sign
        at = board.shares[at].parent


@kernel
def _unlist_running(board: Board, slot: int) -> None:
    job = board.jobs[slot]
    jobs, line = board.jobs, line_of(board, slot)
    before, after = job.prev, job.next
    if before == NONE:
        board.lines[line].newest = after
    else:
        jobs[before].next = after
    if after == NONE:
        board.lines[line].oldest = before
    else:
        jobs[after].prev = before
    board.lines[line].n_on -= 1
    _count_on(board, slot, -1)


@kernel
def count_down(board: Board, slot: int) -> None:
    """Keep the number of frozen and capped jobs of a line; call after state or cap has changed."""
    g = board.g[0]
    job = board.jobs[slot]
    down = job.state == FROZEN or (job.state == RUNNING and job.cap_step > 0)
    change = (1 if down else 0) - job.counted
    job.counted += change
    board.lines[line_of(board, slot)].n_down += change
    g.n_down += change


@kernel
def _link_single(board: Board, slot: int, node: int) -> None:
    job = board.jobs[slot]
    jobs, nodes = board.jobs, board.nodes
    first = nodes[node].first_job
    job.node_prev, job.node_next = NONE, first
    if first != NONE:
        jobs[first].node_prev = slot
    nodes[node].first_job = slot


@kernel
def _unlink_single(board: Board, slot: int, node: int) -> None:
    job = board.jobs[slot]
    jobs, nodes = board.jobs, board.nodes
    before, after = job.node_prev, job.node_next
    if before == NONE:
        nodes[node].first_job = after
    else:
        jobs[before].node_next = after
    if after != NONE:
        jobs[after].node_prev = before


@kernel
def take(board: Board, slot: int, n_nodes: int, gpu_mask: int) -> None:
    """Hold the first `n_nodes` of `board.pick`; `gpu_mask` are the GPUs on a single node."""
    job = board.jobs[slot]
    nodes = board.nodes
    job.node, job.n_held = board.pick[0], n_nodes
    if not job.gang:
        job.gpu_mask = gpu_mask
        take_room(board, slot, board.pick[0], gpu_mask)
        _link_single(board, slot, board.pick[0])
        return
    for index in range(n_nodes):
        node = board.pick[index]
        take_room(board, slot, node, nodes[node].free_mask)
        nodes[node].gang_next = board.pick[index + 1] if index + 1 < n_nodes else NONE
        nodes[node].first_job = slot


@kernel
def _give_back(board: Board, slot: int) -> None:
    job = board.jobs[slot]
    nodes = board.nodes
    if not job.gang:
        _unlink_single(board, slot, job.node)
        free_room(board, slot, job.node, job.gpu_mask)
    else:
        node = job.node
        while node != NONE:
            after = nodes[node].gang_next
            nodes[node].first_job = NONE
            nodes[node].gang_next = NONE
            free_room(board, slot, node, (1 << nodes[node].n_gpus) - 1)
            node = after
    job.node, job.n_held, job.gpu_mask = NONE, 0, 0


@kernel
def start(board: Board, slot: int, n_nodes: int, gpu_mask: int, cap_step: int, now_s: float) -> None:
    """Hold the nodes in `board.pick` for a job and charge its share for all the time that it has declared."""
    job = board.jobs[slot]
    g = board.g[0]
    _leave_queue(board, slot)
    rate(board, slot, board.nodes[board.pick[0]].klass, n_nodes)
    take(board, slot, n_nodes, gpu_mask)
    job.state, job.cap_step, job.began_s = STARTING, cap_step, now_s
    g.shared_kw += job.idle_kw
    charge(board, slot, max(0.0, job.time_s - job.ran_s) / 3600.0, now_s)
    list_running(board, slot)
    count_in(board, slot, now_s)


@kernel
def started(board: Board, slot: int, at_s: float) -> None:
    """The command runs."""
    job = board.jobs[slot]
    if job.state != STARTING:
        return
    uncount(board, slot)
    job.state, job.since_s, job.began_s = RUNNING, at_s, max(at_s, job.began_s)
    count_in(board, slot, at_s)
    count_down(board, slot)


@kernel
def capped(board: Board, slot: int, cap_step: int, now_s: float) -> None:
    """Its power is capped to a step of the policy; step 0 lifts the cap."""
    job = board.jobs[slot]
    if job.state == RUNNING:
        settle(board, slot, now_s)
    uncount(board, slot)
    job.cap_step = cap_step
    count_in(board, slot, now_s)
    count_down(board, slot)


@kernel
def power_learned(board: Board, slot: int, power_frac: float, now_s: float) -> None:
    """A better prediction of its dynamic power: the part of its nameplate that it draws uncapped."""
    job = board.jobs[slot]
    job.power_frac = power_frac
    if job.declared_kw > 0.0:
        job.declared_kw = 0.0
    if job.node == NONE:
        rate_waiting(board, slot)
        return
    if job.state == RUNNING:
        settle(board, slot, now_s)
    uncount(board, slot)
    rate(board, slot, board.nodes[job.node].klass, job.n_held)
    count_in(board, slot, now_s)


@kernel
def pausing(board: Board, slot: int, now_s: float) -> None:
    """It was asked to write a checkpoint and stop."""
    job = board.jobs[slot]
    uncount(board, slot)
    job.state, job.last_pause_s = PAUSING, now_s
    job.n_pauses += 1
    count_in(board, slot, now_s)
    count_down(board, slot)


@kernel
def frozen(board: Board, slot: int, now_s: float) -> None:
    """Its processes stand still, work and memory are kept."""
    job = board.jobs[slot]
    settle(board, slot, now_s)
    uncount(board, slot)
    job.state, job.last_pause_s = FROZEN, now_s
    job.n_pauses += 1
    count_in(board, slot, now_s)
    count_down(board, slot)


@kernel
def thawed(board: Board, slot: int, now_s: float) -> None:
    """Its processes run again."""
    job = board.jobs[slot]
    uncount(board, slot)
    job.state, job.since_s, job.began_s = RUNNING, now_s, now_s
    count_in(board, slot, now_s)
    count_down(board, slot)


@kernel
def ending(board: Board, slot: int, now_s: float) -> None:
    """It is being ended; its nodes are expected to come free now."""
    job = board.jobs[slot]
    job.ending = 1
    drop_end(board, slot)
    note_end(board, slot, now_s)


@kernel
def resized(board: Board, slot: int, n_nodes: int, now_s: float) -> None:
    """An elastic gang goes on with its first `n_nodes` nodes; the others come free."""
    g = board.g[0]
    job = board.jobs[slot]
    nodes = board.nodes
    if job.state == RUNNING:
        settle(board, slot, now_s)
    uncount(board, slot)
    charge(board, slot, -left_s(board, slot, now_s) / 3600.0, now_s)
    g.shared_kw -= job.idle_kw
    node = job.node
    for _ in range(n_nodes - 1):
        node = nodes[node].gang_next
    dropped = nodes[node].gang_next
    nodes[node].gang_next = NONE
    while dropped != NONE:
        after = nodes[dropped].gang_next
        nodes[dropped].first_job = NONE
        nodes[dropped].gang_next = NONE
        free_room(board, slot, dropped, (1 << nodes[dropped].n_gpus) - 1)
        dropped = after
    job.n_held = n_nodes
    rate(board, slot, nodes[job.node].klass, n_nodes)
    g.shared_kw += job.idle_kw
    charge(board, slot, left_s(board, slot, now_s) / 3600.0, now_s)
    count_in(board, slot, now_s)
    count_down(board, slot)


@kernel
def _leave_nodes(board: Board, slot: int, now_s: float) -> None:
    g = board.g[0]
    job = board.jobs[slot]
    settle(board, slot, now_s)
    uncount(board, slot)
    charge(board, slot, -max(0.0, job.time_s - job.ran_s) / 3600.0, now_s)
    g.shared_kw -= job.idle_kw
    _unlist_running(board, slot)
    _give_back(board, slot)
    job.drawn_kw, job.bound, job.cap_step = 0.0, 0, 0
    job.urgent_key = INF


@kernel
def paused(board: Board, slot: int, now_s: float) -> None:
    """It stopped after its checkpoint and waits to be resumed, before the queued jobs of its line."""
    job = board.jobs[slot]
    _leave_nodes(board, slot, now_s)
    job.state = PAUSED
    count_down(board, slot)
    rate_waiting(board, slot)
    enter(board, slot)


@kernel
def requeued(board: Board, slot: int, now_s: float) -> None:
    """Its node failed: it waits again, from its last checkpoint if it writes any, else from its beginning."""
    job = board.jobs[slot]
    _leave_nodes(board, slot, now_s)
    job.state = PAUSED if job.checkpoint else QUEUED
    if not job.checkpoint:
        job.ran_s = 0.0
    job.ending = 0
    count_down(board, slot)
    rate_waiting(board, slot)
    enter(board, slot)


@kernel
def ended(board: Board, slot: int, now_s: float) -> None:
    """It came to an end; its slot is free again."""
    job = board.jobs[slot]
    g = board.g[0]
    if job.node != NONE:
        _leave_nodes(board, slot, now_s)
    else:
        _leave_queue(board, slot)
    job.state = FREE
    count_down(board, slot)
    job.latest_key = job.wake_key = job.urgent_key = INF
    job.order = NONE
    job.next = g.free_head
    g.free_head = slot
