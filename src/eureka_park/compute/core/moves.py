"""Kernels of the moves: what may happen to a job, each in one place.

Live applies the events of its journal through these, kernels decide through the very same, and the twin plays through
them. Instants are park time in seconds. `ran_s` is work at full speed: a capped job does less of it in an hour.
"""

from __future__ import annotations

import math

from eureka_park.compute.core.board import (
    DEFERRED,
    FIRM,
    FLEX,
    FREE,
    FROZEN,
    GREEN,
    HELD_BACK,
    IN_LINE,
    INF,
    NONE,
    PAUSED,
    PAUSING,
    QUEUED,
    RING,
    RUNNING,
    SKY_BINDING,
    SKY_OBSERVED,
    STARTING,
    Board,
)  # fmt: skip
from eureka_park.compute.core.ends import drop_end, hour_of, note_end
from eureka_park.compute.core.lines import line_of, note_latest, note_urgent, put_aside, put_in_line, take_from_line
from eureka_park.compute.core.rooms import free_room, take_room
from eureka_park.compute.core.share_tree import charge
from eureka_park.foundation.kernels import kernel

URGENT_S = 1.0  # a job is urgent this long before it must run, so that rounding does not decide


@kernel
def kw_of(kw: float) -> float:
    """Power as the board holds it; see `board.quantised_kw`."""
    return math.floor(kw * 1048576.0 + 0.5) / 1048576.0


@kernel
def rate(board: Board, slot: int, klass: int, n_nodes: int) -> None:
    """Work out a job's power on so many nodes of a class: its share of idle, at nameplate, and as predicted."""
    job = board.jobs[slot]
    classes = board.classes
    if job.gang:  # whole nodes, whatever the class has
        job.mcpu, job.mem_mib = classes[klass].mcpu, classes[klass].mem_mib
    gpus, of_cpus = job.gpus, job.mcpu / classes[klass].mcpu
    gpus_kw = classes[klass].gpus_kw
    cpus_kw = classes[klass].rated_kw - classes[klass].idle_kw - gpus_kw
    of_idle, full_kw = min(1.0, of_cpus), cpus_kw * of_cpus
    if classes[klass].n_gpus > 0 and gpus > 0:
        of_idle = min(1.0, gpus / classes[klass].n_gpus)
        full_kw += gpus_kw * gpus / classes[klass].n_gpus
    job.idle_kw = n_nodes * kw_of(classes[klass].idle_kw * of_idle)
    job.full_kw = n_nodes * kw_of(full_kw)
    if job.declared_kw > 0.0:
        whole_kw = job.declared_kw * n_nodes / job.n_nodes
        job.dynamic_kw = kw_of(min(job.full_kw, max(0.0, whole_kw - job.idle_kw)))
    else:
        job.dynamic_kw = kw_of(job.full_kw * job.power_frac)


@kernel
def first_class(board: Board, slot: int) -> int:
    """The first class of nodes that a job may run on; NONE when there is none."""
    job = board.jobs[slot]
    for klass in range(board.classes.shape[0]):
        if (job.classes >> klass) & 1:
            return klass
    return NONE


@kernel
def power_at(board: Board, slot: int, step: int) -> float:
    """Part of its uncapped dynamic power that a job draws at a cap step: GPUs by the measured curve, CPUs linearly."""
    job = board.jobs[slot]
    return float(board.caps[step].power_frac if job.gpus > 0 else board.caps[step].cap_frac)


@kernel
def speed_at(board: Board, slot: int, step: int) -> float:
    """Part of its full speed that a job runs at under a cap step, and on fewer nodes than it asked for."""
    job = board.jobs[slot]
    frac = board.caps[step].speed_frac if job.gpus > 0 else board.caps[step].cap_frac
    return float(frac * job.n_held / job.n_nodes)


@kernel
def run_s(board: Board, slot: int, now_s: float) -> float:
    """Work done so far, in seconds at full speed."""
    job = board.jobs[slot]
    if job.state == RUNNING or job.state == PAUSING:
        return float(job.ran_s + max(0.0, now_s - job.since_s) * job.speed)
    return float(job.ran_s)


@kernel
def left_s(board: Board, slot: int, now_s: float) -> float:
    """Declared work that is left, in seconds at full speed."""
    job = board.jobs[slot]
    return max(0.0, job.time_s - run_s(board, slot, now_s))


@kernel
def is_urgent(board: Board, slot: int, now_s: float) -> bool:
    """Whether a job must run now at full speed to end by its deadline."""
    job = board.jobs[slot]
    deadline_s = job.deadline_s
    return bool(now_s >= deadline_s - left_s(board, slot, now_s) - URGENT_S)


@kernel
def would_be_bound(board: Board, slot: int, now_s: float) -> bool:
    """Whether the sky may hold, cap, pause or freeze this job now."""
    g = board.g[0]
    job = board.jobs[slot]
    sky, tier = g.sky, job.tier
    if sky == SKY_OBSERVED or tier == FIRM or job.is_first:
        return False
    return bool(tier == GREEN or (sky == SKY_BINDING and not is_urgent(board, slot, now_s)))


# -- sums --------------------------------------------------------------------------------------------------------------


@kernel
def _add(board: Board, slot: int, sign: float) -> None:
    """Count a job's present draw into the sums (or out of them)."""
    job = board.jobs[slot]
    g = board.g[0]
    kw, tier = sign * job.drawn_kw, job.tier
    if tier == FIRM:
        g.firm_kw += kw
        if job.state != PAUSING:
            g.firm_rated_kw += sign * (job.idle_kw + job.full_kw)
    elif tier == FLEX:
        g.flex_kw += kw
    else:
        g.green_kw += kw
    if job.bound:
        g.bound_kw += kw
    elif tier == GREEN:
        g.free_green_kw += kw
    at = job.leaf
    while at != NONE:
        board.shares[at].committed_kw += kw
        at = board.shares[at].parent


@kernel
def _draw(board: Board, slot: int) -> None:
    """Set what a job on its nodes draws, after its state and cap."""
    job = board.jobs[slot]
    state = job.state
    if state == PAUSING:
        job.drawn_kw = 0.0  # its power is on the way out
    elif state == FROZEN:
        job.drawn_kw = job.idle_kw
    else:
        job.drawn_kw = job.idle_kw + kw_of(job.dynamic_kw * power_at(board, slot, job.cap_step))
    job.speed = speed_at(board, slot, job.cap_step)


@kernel
def _bind(board: Board, slot: int, now_s: float) -> None:
    """Set whether the sky binds a job on its nodes, and when that may change: its slack shrinks while it is slow."""
    job = board.jobs[slot]
    job.bound = 1 if would_be_bound(board, slot, now_s) else 0
    if job.tier != FLEX or not job.bound or job.deadline_s == INF:
        note_urgent(board, slot, INF)
        return
    pace = job.speed if job.state == RUNNING else 0.0
    if pace >= 1.0:
        note_urgent(board, slot, INF)
        return
    slack_s = job.deadline_s - left_s(board, slot, now_s) - now_s - URGENT_S
    note_urgent(board, slot, max(now_s + 1e-3, now_s + slack_s / (1.0 - pace) - 1e-3))


@kernel
def _expect(board: Board, slot: int, now_s: float) -> None:
    """Enter when a job on its nodes is expected to end by its declared time."""
    g = board.g[0]
    job = board.jobs[slot]
    if job.state == FROZEN:
        note_end(board, slot, INF)
    elif job.state == PAUSING:
        note_end(board, slot, now_s)
    else:
        ends_s = now_s + left_s(board, slot, now_s) / job.speed
        note_end(board, slot, max(ends_s, g.turn_s))  # nobody looks at what lies before the last turn


@kernel
def _out(board: Board, slot: int) -> None:
    drop_end(board, slot)
    _add(board, slot, -1.0)


@kernel
def _in(board: Board, slot: int, now_s: float) -> None:
    _draw(board, slot)
    _bind(board, slot, now_s)
    _add(board, slot, 1.0)
    _expect(board, slot, now_s)


@kernel
def rebind(board: Board, slot: int, now_s: float) -> None:
    """Look again whether the sky binds a job on its nodes."""
    _add(board, slot, -1.0)
    _bind(board, slot, now_s)
    _add(board, slot, 1.0)


@kernel
def _settle(board: Board, slot: int, now_s: float) -> None:
    """Count the work done so far."""
    job = board.jobs[slot]
    job.ran_s = run_s(board, slot, now_s)
    job.since_s = now_s


# -- the queue ---------------------------------------------------------------------------------------------------------


@kernel
def _enter(board: Board, slot: int) -> None:
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
def _rate_waiting(board: Board, slot: int) -> None:
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
    _rate_waiting(board, slot)
    if held_back:
        job.where = HELD_BACK
        job.latest_key = INF
    else:
        _enter(board, slot)


@kernel
def released(board: Board, slot: int) -> None:
    """What a job was held back for has ended well."""
    _enter(board, slot)


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
def _list_running(board: Board, slot: int) -> None:
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
def _take(board: Board, slot: int, n_nodes: int, gpu_mask: int) -> None:
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
    _take(board, slot, n_nodes, gpu_mask)
    job.state, job.cap_step, job.began_s = STARTING, cap_step, now_s
    g.shared_kw += job.idle_kw
    charge(board, slot, max(0.0, job.time_s - job.ran_s) / 3600.0, now_s)
    _list_running(board, slot)
    _in(board, slot, now_s)


@kernel
def started(board: Board, slot: int, at_s: float) -> None:
    """The command runs."""
    job = board.jobs[slot]
    if job.state != STARTING:
        return
    _out(board, slot)
    job.state, job.since_s, job.began_s = RUNNING, at_s, max(at_s, job.began_s)
    _in(board, slot, at_s)
    count_down(board, slot)


@kernel
def capped(board: Board, slot: int, cap_step: int, now_s: float) -> None:
    """Its power is capped to a step of the policy; step 0 lifts the cap."""
    job = board.jobs[slot]
    if job.state == RUNNING:
        _settle(board, slot, now_s)
    _out(board, slot)
    job.cap_step = cap_step
    _in(board, slot, now_s)
    count_down(board, slot)


@kernel
def power_learned(board: Board, slot: int, power_frac: float, now_s: float) -> None:
    """A better prediction of its dynamic power: the part of its nameplate that it draws uncapped."""
    job = board.jobs[slot]
    job.power_frac = power_frac
    if job.declared_kw > 0.0:
        job.declared_kw = 0.0
    if job.node == NONE:
        _rate_waiting(board, slot)
        return
    if job.state == RUNNING:
        _settle(board, slot, now_s)
    _out(board, slot)
    rate(board, slot, board.nodes[job.node].klass, job.n_held)
    _in(board, slot, now_s)


@kernel
def repowered(board: Board, slot: int, cap_step: int, now_s: float) -> None:
    """Another policy holds: set anew what a job on its nodes draws, how fast it runs, whether the sky binds it."""
    job = board.jobs[slot]
    if job.state == RUNNING or job.state == PAUSING:
        _settle(board, slot, now_s)
    _out(board, slot)
    job.cap_step = cap_step
    _in(board, slot, now_s)
    count_down(board, slot)


@kernel
def put_back_waiting(board: Board, slot: int, state: int, held_back: bool) -> None:
    """Put a waiting job of another board onto this one; its declaration and work stand in its slot."""
    job = board.jobs[slot]
    job.state = state
    _rate_waiting(board, slot)
    if held_back:
        job.where = HELD_BACK
        job.latest_key = INF
    else:
        _enter(board, slot)


@kernel
def put_back(board: Board, slot: int, n_nodes: int, gpu_mask: int, state: int, cap_step: int, now_s: float) -> None:
    """Put a job of another board onto the nodes in `board.pick`, as far as it had come; its share is not charged."""
    job = board.jobs[slot]
    g = board.g[0]
    rate(board, slot, board.nodes[board.pick[0]].klass, n_nodes)
    _take(board, slot, n_nodes, gpu_mask)
    job.state, job.cap_step = state, cap_step
    g.shared_kw += job.idle_kw
    _list_running(board, slot)
    _in(board, slot, now_s)
    count_down(board, slot)
    if job.ending:
        ending(board, slot, now_s)


@kernel
def pausing(board: Board, slot: int, now_s: float) -> None:
    """It was asked to write a checkpoint and stop."""
    job = board.jobs[slot]
    _out(board, slot)
    job.state, job.last_pause_s = PAUSING, now_s
    job.n_pauses += 1
    _in(board, slot, now_s)
    count_down(board, slot)


@kernel
def frozen(board: Board, slot: int, now_s: float) -> None:
    """Its processes stand still, work and memory are kept."""
    job = board.jobs[slot]
    _settle(board, slot, now_s)
    _out(board, slot)
    job.state, job.last_pause_s = FROZEN, now_s
    job.n_pauses += 1
    _in(board, slot, now_s)
    count_down(board, slot)


@kernel
def thawed(board: Board, slot: int, now_s: float) -> None:
    """Its processes run again."""
    job = board.jobs[slot]
    _out(board, slot)
    job.state, job.since_s, job.began_s = RUNNING, now_s, now_s
    _in(board, slot, now_s)
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
        _settle(board, slot, now_s)
    _out(board, slot)
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
    _in(board, slot, now_s)
    count_down(board, slot)


@kernel
def _leave_nodes(board: Board, slot: int, now_s: float) -> None:
    g = board.g[0]
    job = board.jobs[slot]
    _settle(board, slot, now_s)
    _out(board, slot)
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
    _rate_waiting(board, slot)
    _enter(board, slot)


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
    _rate_waiting(board, slot)
    _enter(board, slot)


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
