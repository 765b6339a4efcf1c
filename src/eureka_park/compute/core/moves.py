"""Kernels of the moves: what may happen to a job, each in one place.

Live applies the events of its journal through these (`happen`), kernels decide through the very same, and
the twin plays through them. Instants are park time in seconds. `ran_s` is work at full speed: a capped job does less
of it in an hour.
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
)  # fmt: skip
from eureka_park.compute.core.ends import expect, hour_of
from eureka_park.compute.core.lines import line_of, note_latest, note_wake, put_in_line, take_from_line
from eureka_park.compute.core.rooms import free_room, take_room
from eureka_park.compute.core.share_tree import charge, count_jobs
from eureka_park.compute.core.standing import draw_nothing, first_class, left_s, note_standing, rate, redraw, settle
from eureka_park.foundation.kernels import kernel

# -- the queue ---------------------------------------------------------------------------------------------------------


@kernel
def rate_waiting(board: Board, slot: int) -> None:
    """A job that waits is rated with all that it asks for on the first class that it may run on."""
    klass = first_class(board, slot)
    if klass != NONE:
        rate(board.jobs[slot], board.classes[klass], board.jobs[slot].n_nodes)
    board.lines[line_of(board.jobs[slot])].refused_kw = 0.0


@kernel
def enter(board: Board, slot: int) -> None:
    """A waiting job stands in its line, and is known by when it must start."""
    put_in_line(board, slot)
    count_jobs(board, board.jobs[slot].leaf, 1, 0)
    note_latest(board, slot)
    board.g[0].n_waiting += 1


@kernel
def _leave_queue(board: Board, slot: int, n_on: int) -> None:
    """A job waits no longer, nor stands aside; `n_on` jobs of its shares more are on nodes."""
    job, n_waiting = board.jobs[slot], 0
    if job.where == IN_LINE:
        take_from_line(board, slot)
        n_waiting = -1
    elif job.where == DEFERRED:
        _unplan(board, slot)
    if n_waiting != 0 or n_on != 0:
        count_jobs(board, job.leaf, n_waiting, n_on)
    if job.where != HELD_BACK:
        board.g[0].n_waiting -= 1
    job.latest_key = INF


@kernel
def _unplan(board: Board, slot: int) -> None:
    """A deferred job gives up the hour that it has chosen."""
    job = board.jobs[slot]
    board.g[0].n_deferred -= 1
    board.g[0].planned_kw[hour_of(job.target_s) % RING] -= job.planned_kw
    job.wake_key = INF


@kernel
def submitted(board: Board, slot: int, held_back: bool) -> None:
    """A job whose declaration stands in its slot enters its line, or is held back until others have ended."""
    job = board.jobs[slot]
    job.state = QUEUED
    rate_waiting(board, slot)
    if held_back:
        job.where, job.latest_key = HELD_BACK, INF
    else:
        enter(board, slot)


@kernel
def released(board: Board, slot: int) -> None:
    """What a job was held back for has ended well."""
    enter(board, slot)


@kernel
def held_back(board: Board, slot: int) -> None:
    """A job that waits stands aside until what it lacks has come: no line and no hour knows it (`released` then)."""
    _leave_queue(board, slot, 0)
    board.jobs[slot].where = HELD_BACK


@kernel
def deferred(board: Board, slot: int, until_s: float, target_s: float) -> None:
    """A flexible job has chosen a better hour; it is looked at again at `until_s`."""
    job = board.jobs[slot]
    if job.where == IN_LINE:
        take_from_line(board, slot)
        count_jobs(board, job.leaf, -1, 0)
    else:
        _unplan(board, slot)
    job.target_s, job.planned_kw, job.where = target_s, job.dynamic_kw, DEFERRED
    board.g[0].planned_kw[hour_of(target_s) % RING] += job.planned_kw
    board.g[0].n_deferred += 1
    note_wake(board, slot, until_s)


@kernel
def woken(board: Board, slot: int) -> None:
    """A deferred job stands in its line again."""
    _unplan(board, slot)
    put_in_line(board, slot)
    count_jobs(board, board.jobs[slot].leaf, 1, 0)


# -- nodes -------------------------------------------------------------------------------------------------------------


@kernel
def list_running(board: Board, slot: int) -> None:
    """The newest start stands first in the list of its leaf and tier."""
    job, line = board.jobs[slot], board.lines[line_of(board.jobs[slot])]
    job.prev, job.next = NONE, line.newest
    if line.newest == NONE:
        line.oldest = slot
    else:
        board.jobs[line.newest].prev = slot
    line.newest = slot
    line.n_on += 1
    board.g[0].n_on += 1
    job.seq = board.g[0].n_started
    board.g[0].n_started += 1


@kernel
def _unlist_running(board: Board, slot: int) -> None:
    job, line = board.jobs[slot], board.lines[line_of(board.jobs[slot])]
    if job.prev == NONE:
        line.newest = job.next
    else:
        board.jobs[job.prev].next = job.next
    if job.next == NONE:
        line.oldest = job.prev
    else:
        board.jobs[job.next].prev = job.prev
    line.n_on -= 1
    board.g[0].n_on -= 1


@kernel
def take(board: Board, slot: int, n_nodes: int, gpu_mask: int) -> None:
    """Hold the first `n_nodes` of `board.pick`; `gpu_mask` are the GPUs on a single node."""
    job, jobs, nodes, node = board.jobs[slot], board.jobs, board.nodes, board.nodes[0].pick
    job.node, job.n_held = node, n_nodes
    if not job.gang:
        job.gpu_mask = gpu_mask
        take_room(board, slot, node, gpu_mask)
        first = nodes[node].first_job
        job.node_prev, job.node_next = NONE, first
        if first != NONE:
            jobs[first].node_prev = slot
        nodes[node].first_job = slot
        return
    for index in range(n_nodes):
        node = board.nodes[index].pick
        take_room(board, slot, node, nodes[node].free_mask)
        nodes[node].gang_next = board.nodes[index + 1].pick if index + 1 < n_nodes else NONE
        nodes[node].first_job = slot


@kernel
def _give_back(board: Board, slot: int) -> None:
    job, jobs = board.jobs[slot], board.jobs
    if not job.gang:
        if job.node_prev == NONE:
            board.nodes[job.node].first_job = job.node_next
        else:
            jobs[job.node_prev].node_next = job.node_next
        if job.node_next != NONE:
            jobs[job.node_next].node_prev = job.node_prev
        free_room(board, slot, job.node, job.gpu_mask)
    else:
        _drop(board, slot, job.node)
    job.node, job.n_held, job.gpu_mask = NONE, 0, 0


@kernel
def _drop(board: Board, slot: int, first: int) -> None:
    """Take back the nodes of a gang from one of them on."""
    node = first
    while node != NONE:
        here = board.nodes[node]
        after = here.gang_next
        here.first_job = here.gang_next = NONE
        free_room(board, slot, node, (1 << here.n_gpus) - 1)
        node = after


@kernel
def start(board: Board, slot: int, n_nodes: int, gpu_mask: int, cap_step: int, now_s: float) -> None:
    """Hold the nodes in `board.pick` for a job and charge its share for all the time that it has declared."""
    job = board.jobs[slot]
    _leave_queue(board, slot, 1)
    rate(job, board.classes[board.nodes[board.nodes[0].pick].klass], n_nodes)
    take(board, slot, n_nodes, gpu_mask)
    job.state, job.cap_step, job.began_s = STARTING, cap_step, now_s
    board.g[0].shared_kw += job.idle_kw
    charge(board, slot, max(0.0, job.time_s - job.ran_s) / 3600.0, now_s)
    list_running(board, slot)
    redraw(board, slot, now_s)


@kernel
def started(board: Board, slot: int, at_s: float) -> None:
    """The command runs."""
    job = board.jobs[slot]
    if job.state == STARTING:
        job.state, job.since_s, job.began_s = RUNNING, at_s, max(at_s, job.began_s)
        redraw(board, slot, at_s)


@kernel
def capped(board: Board, slot: int, cap_step: int, now_s: float) -> None:
    """Its power is capped to a step of the policy; step 0 lifts the cap."""
    job = board.jobs[slot]
    if job.state == RUNNING:
        settle(job, now_s)
    job.cap_step = cap_step
    redraw(board, slot, now_s)


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
        settle(job, now_s)
    rate(job, board.classes[board.nodes[job.node].klass], job.n_held)
    redraw(board, slot, now_s)


@kernel
def pausing(board: Board, slot: int, now_s: float) -> None:
    """It was asked to write a checkpoint and stop."""
    job = board.jobs[slot]
    if job.state != PAUSING:
        board.g[0].shared_kw -= job.idle_kw  # its machines draw on when it is gone
    job.state, job.last_pause_s = PAUSING, now_s
    job.n_pauses += 1
    redraw(board, slot, now_s)


@kernel
def frozen(board: Board, slot: int, now_s: float) -> None:
    """Its processes stand still, work and memory are kept."""
    job = board.jobs[slot]
    settle(job, now_s)
    job.state, job.last_pause_s = FROZEN, now_s
    job.n_pauses += 1
    redraw(board, slot, now_s)


@kernel
def thawed(board: Board, slot: int, now_s: float) -> None:
    """Its processes run again."""
    job = board.jobs[slot]
    job.state, job.since_s, job.began_s = RUNNING, now_s, now_s
    redraw(board, slot, now_s)


@kernel
def ending(board: Board, slot: int, now_s: float) -> None:
    """It is being ended; its nodes are expected to come free now."""
    board.jobs[slot].ending = 1
    note_standing(board, slot)
    expect(board, slot, now_s)


@kernel
def resized(board: Board, slot: int, n_nodes: int, now_s: float) -> None:
    """An elastic gang goes on with its first `n_nodes` nodes; the others come free."""
    job, nodes, g = board.jobs[slot], board.nodes, board.g[0]
    if job.state == RUNNING:
        settle(job, now_s)
    charge(board, slot, -left_s(job, now_s) / 3600.0, now_s)
    g.shared_kw -= job.idle_kw
    node = job.node
    for _ in range(n_nodes - 1):
        node = nodes[node].gang_next
    dropped = nodes[node].gang_next
    nodes[node].gang_next = NONE
    job.last_pause_s = now_s  # it stops for a checkpoint: that is not asked of it all the time
    _drop(board, slot, dropped)
    job.n_held = n_nodes
    rate(job, board.classes[nodes[job.node].klass], n_nodes)
    g.shared_kw += job.idle_kw
    charge(board, slot, left_s(job, now_s) / 3600.0, now_s)
    redraw(board, slot, now_s)


@kernel
def widened(board: Board, slot: int, n_more: int, now_s: float) -> None:
    """An elastic gang takes the first `n_more` nodes of `board.pick`, all of its class and empty, after its own."""
    job, nodes, g = board.jobs[slot], board.nodes, board.g[0]
    if job.state == RUNNING:
        settle(job, now_s)
    charge(board, slot, -left_s(job, now_s) / 3600.0, now_s)
    g.shared_kw -= job.idle_kw
    job.last_pause_s = now_s  # it stops for a checkpoint, as a gang that shrinks
    last = job.node
    while nodes[last].gang_next != NONE:
        last = nodes[last].gang_next
    for index in range(n_more):
        node = board.nodes[index].pick
        take_room(board, slot, node, nodes[node].free_mask)
        nodes[node].first_job, nodes[node].gang_next = slot, NONE
        nodes[last].gang_next = node
        last = node
    job.n_held += n_more
    rate(job, board.classes[nodes[job.node].klass], job.n_held)
    g.shared_kw += job.idle_kw
    charge(board, slot, left_s(job, now_s) / 3600.0, now_s)
    redraw(board, slot, now_s)


@kernel
def _leave_nodes(board: Board, slot: int, now_s: float) -> None:
    job = board.jobs[slot]
    settle(job, now_s)
    draw_nothing(board, slot)
    charge(board, slot, -max(0.0, job.time_s - job.ran_s) / 3600.0, now_s)
    if job.state != PAUSING:
        board.g[0].shared_kw -= job.idle_kw
    count_jobs(board, job.leaf, 0, -1)
    _unlist_running(board, slot)
    _give_back(board, slot)
    job.cap_step = 0


@kernel
def paused(board: Board, slot: int, now_s: float) -> None:
    """It stopped after its checkpoint and waits to be resumed, before the queued jobs of its line."""
    _leave_nodes(board, slot, now_s)
    board.jobs[slot].state = PAUSED
    rate_waiting(board, slot)
    enter(board, slot)


@kernel
def requeued(board: Board, slot: int, now_s: float) -> None:
    """Its node failed: it waits again, from its last checkpoint if it writes any, else from its beginning."""
    job = board.jobs[slot]
    _leave_nodes(board, slot, now_s)
    if not job.checkpoint:
        job.ran_s = 0.0
    job.ending = 0
    job.state = PAUSED if job.checkpoint else QUEUED
    rate_waiting(board, slot)
    enter(board, slot)


@kernel
def ended(board: Board, slot: int, now_s: float) -> None:
    """It came to an end; its slot is free again."""
    job, g = board.jobs[slot], board.g[0]
    if job.node != NONE:
        _leave_nodes(board, slot, now_s)
    else:
        _leave_queue(board, slot, 0)
    job.state = FREE
    job.latest_key = job.wake_key = job.urgent_key = INF
    job.order = NONE
    job.next = g.free_head
    g.free_head = slot
