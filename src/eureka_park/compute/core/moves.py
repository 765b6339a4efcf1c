"""Kernels of the moves: what may happen to a job, each in one place.

Live applies the events of its journal through these, kernels decide through the very same, and the twin plays through
them. Instants are park time in seconds. `ran_s` is work at full speed: a capped job does less of it in an hour.
"""

from __future__ import annotations

import math

from eureka_park.compute.core.board import (
    DEFERRED, FIRM, FLEX, FREE, FROZEN, GREEN, HELD_BACK, IN_LINE, INF, NONE, PAUSED, PAUSING, QUEUED, RING, RUNNING,
    SKY_BINDING, SKY_OBSERVED, STARTING, Board,
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
    jobs, classes = board.jobs, board.classes
    if jobs.gang[slot]:  # whole nodes, whatever the class has
        jobs.mcpu[slot], jobs.mem_mib[slot] = classes.mcpu[klass], classes.mem_mib[klass]
    gpus, of_cpus = jobs.gpus[slot], jobs.mcpu[slot] / classes.mcpu[klass]
    gpus_kw = classes.gpus_kw[klass]
    cpus_kw = classes.rated_kw[klass] - classes.idle_kw[klass] - gpus_kw
    of_idle, full_kw = min(1.0, of_cpus), cpus_kw * of_cpus
    if classes.n_gpus[klass] > 0 and gpus > 0:
        of_idle = min(1.0, gpus / classes.n_gpus[klass])
        full_kw += gpus_kw * gpus / classes.n_gpus[klass]
    jobs.idle_kw[slot] = n_nodes * kw_of(classes.idle_kw[klass] * of_idle)
    jobs.full_kw[slot] = n_nodes * kw_of(full_kw)
    if jobs.declared_kw[slot] > 0.0:
        whole_kw = jobs.declared_kw[slot] * n_nodes / jobs.n_nodes[slot]
        jobs.dynamic_kw[slot] = kw_of(min(jobs.full_kw[slot], max(0.0, whole_kw - jobs.idle_kw[slot])))
    else:
        jobs.dynamic_kw[slot] = kw_of(jobs.full_kw[slot] * jobs.power_frac[slot])


@kernel
def first_class(board: Board, slot: int) -> int:
    """The first class of nodes that a job may run on; NONE when there is none."""
    for klass in range(board.classes.shape[0]):
        if (board.jobs.classes[slot] >> klass) & 1:
            return klass
    return NONE


@kernel
def power_at(board: Board, slot: int, step: int) -> float:
    """Part of its uncapped dynamic power that a job draws at a cap step: GPUs by the measured curve, CPUs linearly."""
    return float(board.caps.power_frac[step] if board.jobs.gpus[slot] > 0 else board.caps.cap_frac[step])


@kernel
def speed_at(board: Board, slot: int, step: int) -> float:
    """Part of its full speed that a job runs at under a cap step, and on fewer nodes than it asked for."""
    frac = board.caps.speed_frac[step] if board.jobs.gpus[slot] > 0 else board.caps.cap_frac[step]
    return float(frac * board.jobs.n_held[slot] / board.jobs.n_nodes[slot])


@kernel
def run_s(board: Board, slot: int, now_s: float) -> float:
    """Work done so far, in seconds at full speed."""
    jobs = board.jobs
    if jobs.state[slot] == RUNNING or jobs.state[slot] == PAUSING:
        return float(jobs.ran_s[slot] + max(0.0, now_s - jobs.since_s[slot]) * jobs.speed[slot])
    return float(jobs.ran_s[slot])


@kernel
def left_s(board: Board, slot: int, now_s: float) -> float:
    """Declared work that is left, in seconds at full speed."""
    return max(0.0, board.jobs.time_s[slot] - run_s(board, slot, now_s))


@kernel
def is_urgent(board: Board, slot: int, now_s: float) -> bool:
    """Whether a job must run now at full speed to end by its deadline."""
    deadline_s = board.jobs.deadline_s[slot]
    return bool(now_s >= deadline_s - left_s(board, slot, now_s) - URGENT_S)


@kernel
def would_be_bound(board: Board, slot: int, now_s: float) -> bool:
    """Whether the sky may hold, cap, pause or freeze this job now."""
    sky, tier = board.g.sky[0], board.jobs.tier[slot]
    if sky == SKY_OBSERVED or tier == FIRM or board.jobs.is_first[slot]:
        return False
    return bool(tier == GREEN or (sky == SKY_BINDING and not is_urgent(board, slot, now_s)))


# -- sums --------------------------------------------------------------------------------------------------------------


@kernel
def _add(board: Board, slot: int, sign: float) -> None:
    """Count a job's present draw into the sums (or out of them)."""
    jobs, g = board.jobs, board.g
    kw, tier = sign * jobs.drawn_kw[slot], jobs.tier[slot]
    if tier == FIRM:
        g.firm_kw[0] += kw
        if jobs.state[slot] != PAUSING:
            g.firm_rated_kw[0] += sign * (jobs.idle_kw[slot] + jobs.full_kw[slot])
    elif tier == FLEX:
        g.flex_kw[0] += kw
    else:
        g.green_kw[0] += kw
    if jobs.bound[slot]:
        g.bound_kw[0] += kw
    elif tier == GREEN:
        g.free_green_kw[0] += kw
    at = jobs.leaf[slot]
    while at != NONE:
        board.shares.committed_kw[at] += kw
        at = board.shares.parent[at]


@kernel
def _draw(board: Board, slot: int) -> None:
    """Set what a job on its nodes draws, after its state and cap."""
    jobs = board.jobs
    state = jobs.state[slot]
    if state == PAUSING:
        jobs.drawn_kw[slot] = 0.0  # its power is on the way out
    elif state == FROZEN:
        jobs.drawn_kw[slot] = jobs.idle_kw[slot]
    else:
        jobs.drawn_kw[slot] = jobs.idle_kw[slot] + kw_of(
            jobs.dynamic_kw[slot] * power_at(board, slot, jobs.cap_step[slot])
        )
    jobs.speed[slot] = speed_at(board, slot, jobs.cap_step[slot])


@kernel
def _bind(board: Board, slot: int, now_s: float) -> None:
    """Set whether the sky binds a job on its nodes, and when that may change: its slack shrinks while it is slow."""
    jobs = board.jobs
    jobs.bound[slot] = 1 if would_be_bound(board, slot, now_s) else 0
    if jobs.tier[slot] != FLEX or not jobs.bound[slot] or jobs.deadline_s[slot] == INF:
        note_urgent(board, slot, INF)
        return
    pace = jobs.speed[slot] if jobs.state[slot] == RUNNING else 0.0
    if pace >= 1.0:
        note_urgent(board, slot, INF)
        return
    slack_s = jobs.deadline_s[slot] - left_s(board, slot, now_s) - now_s - URGENT_S
    note_urgent(board, slot, max(now_s + 1e-3, now_s + slack_s / (1.0 - pace) - 1e-3))


@kernel
def _expect(board: Board, slot: int, now_s: float) -> None:
    """Enter when a job on its nodes is expected to end by its declared time."""
    jobs = board.jobs
    if jobs.state[slot] == FROZEN:
        note_end(board, slot, INF)
    elif jobs.state[slot] == PAUSING:
        note_end(board, slot, now_s)
    else:
        ends_s = now_s + left_s(board, slot, now_s) / jobs.speed[slot]
        note_end(board, slot, max(ends_s, board.g.turn_s[0]))  # nobody looks at what lies before the last turn


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
    jobs = board.jobs
    jobs.ran_s[slot] = run_s(board, slot, now_s)
    jobs.since_s[slot] = now_s


# -- the queue ---------------------------------------------------------------------------------------------------------


@kernel
def _enter(board: Board, slot: int) -> None:
    put_in_line(board, slot)
    note_latest(board, slot)
    board.g.n_waiting[0] += 1


@kernel
def _leave_queue(board: Board, slot: int) -> None:
    jobs, g = board.jobs, board.g
    if jobs.where[slot] == IN_LINE:
        take_from_line(board, slot)
    elif jobs.where[slot] == DEFERRED:
        _unplan(board, slot)
    if jobs.where[slot] != HELD_BACK:
        g.n_waiting[0] -= 1
    jobs.latest_key[slot] = INF


@kernel
def _unplan(board: Board, slot: int) -> None:
    """A deferred job gives up the hour that it has chosen."""
    board.g.n_deferred[0] -= 1
    board.planned_kw[hour_of(board.jobs.target_s[slot]) % RING] -= board.jobs.planned_kw[slot]
    board.jobs.wake_key[slot] = INF


@kernel
def _rate_waiting(board: Board, slot: int) -> None:
    """A job that waits is rated with all that it asks for on the first class that it may run on."""
    klass = first_class(board, slot)
    if klass != NONE:
        rate(board, slot, klass, board.jobs.n_nodes[slot])


@kernel
def submitted(board: Board, slot: int, held_back: bool) -> None:
    """A job whose declaration stands in its slot enters its line, or is held back until others have ended."""
    jobs = board.jobs
    jobs.state[slot] = QUEUED
    _rate_waiting(board, slot)
    if held_back:
        jobs.where[slot] = HELD_BACK
        jobs.latest_key[slot] = INF
    else:
        _enter(board, slot)


@kernel
def released(board: Board, slot: int) -> None:
    """What a job was held back for has ended well."""
    _enter(board, slot)


@kernel
def deferred(board: Board, slot: int, until_s: float, target_s: float) -> None:
    """A flexible job has chosen a better hour; it is looked at again at `until_s`."""
    jobs = board.jobs
    if jobs.where[slot] == IN_LINE:
        take_from_line(board, slot)
    else:
        _unplan(board, slot)
    jobs.target_s[slot], jobs.planned_kw[slot] = target_s, jobs.dynamic_kw[slot]
    board.planned_kw[hour_of(target_s) % RING] += jobs.planned_kw[slot]
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
    jobs, line = board.jobs, line_of(board, slot)
    newest = board.lines.newest[line]
    jobs.prev[slot], jobs.next[slot] = NONE, newest
    if newest == NONE:
        board.lines.oldest[line] = slot
    else:
        jobs.prev[newest] = slot
    board.lines.newest[line] = slot
    board.lines.n_on[line] += 1
    _count_on(board, slot, 1)


@kernel
def _count_on(board: Board, slot: int, sign: int) -> None:
    board.g.n_on[0] += sign
    at = board.jobs.leaf[slot]
    while at != NONE:
        board.shares.n_on[at] += sign
        at = board.shares.parent[at]


@kernel
def _unlist_running(board: Board, slot: int) -> None:
    jobs, line = board.jobs, line_of(board, slot)
    before, after = jobs.prev[slot], jobs.next[slot]
    if before == NONE:
        board.lines.newest[line] = after
    else:
        jobs.next[before] = after
    if after == NONE:
        board.lines.oldest[line] = before
    else:
        jobs.prev[after] = before
    board.lines.n_on[line] -= 1
    _count_on(board, slot, -1)


@kernel
def count_down(board: Board, slot: int) -> None:
    """Keep the number of frozen and capped jobs of a line; call after state or cap has changed."""
    jobs = board.jobs
    down = jobs.state[slot] == FROZEN or (jobs.state[slot] == RUNNING and jobs.cap_step[slot] > 0)
    change = (1 if down else 0) - jobs.counted[slot]
    jobs.counted[slot] += change
    board.lines.n_down[line_of(board, slot)] += change
    board.g.n_down[0] += change


@kernel
def _link_single(board: Board, slot: int, node: int) -> None:
    jobs, nodes = board.jobs, board.nodes
    first = nodes.first_job[node]
    jobs.node_prev[slot], jobs.node_next[slot] = NONE, first
    if first != NONE:
        jobs.node_prev[first] = slot
    nodes.first_job[node] = slot


@kernel
def _unlink_single(board: Board, slot: int, node: int) -> None:
    jobs, nodes = board.jobs, board.nodes
    before, after = jobs.node_prev[slot], jobs.node_next[slot]
    if before == NONE:
        nodes.first_job[node] = after
    else:
        jobs.node_next[before] = after
    if after != NONE:
        jobs.node_prev[after] = before


@kernel
def _take(board: Board, slot: int, n_nodes: int, gpu_mask: int) -> None:
    """Hold the first `n_nodes` of `board.pick`; `gpu_mask` are the GPUs on a single node."""
    jobs, nodes = board.jobs, board.nodes
    jobs.node[slot], jobs.n_held[slot] = board.pick[0], n_nodes
    if not jobs.gang[slot]:
        jobs.gpu_mask[slot] = gpu_mask
        take_room(board, slot, board.pick[0], gpu_mask)
        _link_single(board, slot, board.pick[0])
        return
    for index in range(n_nodes):
        node = board.pick[index]
        take_room(board, slot, node, nodes.free_mask[node])
        nodes.gang_next[node] = board.pick[index + 1] if index + 1 < n_nodes else NONE
        nodes.first_job[node] = slot


@kernel
def _give_back(board: Board, slot: int) -> None:
    jobs, nodes = board.jobs, board.nodes
    if not jobs.gang[slot]:
        _unlink_single(board, slot, jobs.node[slot])
        free_room(board, slot, jobs.node[slot], jobs.gpu_mask[slot])
    else:
        node = jobs.node[slot]
        while node != NONE:
            after = nodes.gang_next[node]
            nodes.first_job[node] = NONE
            nodes.gang_next[node] = NONE
            free_room(board, slot, node, (1 << nodes.n_gpus[node]) - 1)
            node = after
    jobs.node[slot], jobs.n_held[slot], jobs.gpu_mask[slot] = NONE, 0, 0


@kernel
def start(board: Board, slot: int, n_nodes: int, gpu_mask: int, cap_step: int, now_s: float) -> None:
    """Hold the nodes in `board.pick` for a job and charge its share for all the time that it has declared."""
    jobs, g = board.jobs, board.g
    _leave_queue(board, slot)
    rate(board, slot, board.nodes.klass[board.pick[0]], n_nodes)
    _take(board, slot, n_nodes, gpu_mask)
    jobs.state[slot], jobs.cap_step[slot], jobs.began_s[slot] = STARTING, cap_step, now_s
    g.shared_kw[0] += jobs.idle_kw[slot]
    charge(board, slot, max(0.0, jobs.time_s[slot] - jobs.ran_s[slot]) / 3600.0, now_s)
    _list_running(board, slot)
    _in(board, slot, now_s)


@kernel
def started(board: Board, slot: int, at_s: float) -> None:
    """The command runs."""
    jobs = board.jobs
    if jobs.state[slot] != STARTING:
        return
    _out(board, slot)
    jobs.state[slot], jobs.since_s[slot], jobs.began_s[slot] = RUNNING, at_s, max(at_s, jobs.began_s[slot])
    _in(board, slot, at_s)
    count_down(board, slot)


@kernel
def capped(board: Board, slot: int, cap_step: int, now_s: float) -> None:
    """Its power is capped to a step of the policy; step 0 lifts the cap."""
    jobs = board.jobs
    if jobs.state[slot] == RUNNING:
        _settle(board, slot, now_s)
    _out(board, slot)
    jobs.cap_step[slot] = cap_step
    _in(board, slot, now_s)
    count_down(board, slot)


@kernel
def power_learned(board: Board, slot: int, power_frac: float, now_s: float) -> None:
    """A better prediction of its dynamic power: the part of its nameplate that it draws uncapped."""
    jobs = board.jobs
    jobs.power_frac[slot] = power_frac
    if jobs.declared_kw[slot] > 0.0:
        jobs.declared_kw[slot] = 0.0
    if jobs.node[slot] == NONE:
        _rate_waiting(board, slot)
        return
    if jobs.state[slot] == RUNNING:
        _settle(board, slot, now_s)
    _out(board, slot)
    rate(board, slot, board.nodes.klass[jobs.node[slot]], jobs.n_held[slot])
    _in(board, slot, now_s)


@kernel
def repowered(board: Board, slot: int, cap_step: int, now_s: float) -> None:
    """Another policy holds: set anew what a job on its nodes draws, how fast it runs, whether the sky binds it."""
    jobs = board.jobs
    if jobs.state[slot] == RUNNING or jobs.state[slot] == PAUSING:
        _settle(board, slot, now_s)
    _out(board, slot)
    jobs.cap_step[slot] = cap_step
    _in(board, slot, now_s)
    count_down(board, slot)


@kernel
def put_back_waiting(board: Board, slot: int, state: int, held_back: bool) -> None:
    """Put a waiting job of another board onto this one; its declaration and work stand in its slot."""
    jobs = board.jobs
    jobs.state[slot] = state
    _rate_waiting(board, slot)
    if held_back:
        jobs.where[slot] = HELD_BACK
        jobs.latest_key[slot] = INF
    else:
        _enter(board, slot)


@kernel
def put_back(board: Board, slot: int, n_nodes: int, gpu_mask: int, state: int, cap_step: int, now_s: float) -> None:
    """Put a job of another board onto the nodes in `board.pick`, as far as it had come; its share is not charged."""
    jobs, g = board.jobs, board.g
    rate(board, slot, board.nodes.klass[board.pick[0]], n_nodes)
    _take(board, slot, n_nodes, gpu_mask)
    jobs.state[slot], jobs.cap_step[slot] = state, cap_step
    g.shared_kw[0] += jobs.idle_kw[slot]
    _list_running(board, slot)
    _in(board, slot, now_s)
    count_down(board, slot)
    if jobs.ending[slot]:
        ending(board, slot, now_s)


@kernel
def pausing(board: Board, slot: int, now_s: float) -> None:
    """It was asked to write a checkpoint and stop."""
    jobs = board.jobs
    _out(board, slot)
    jobs.state[slot], jobs.last_pause_s[slot] = PAUSING, now_s
    jobs.n_pauses[slot] += 1
    _in(board, slot, now_s)
    count_down(board, slot)


@kernel
def frozen(board: Board, slot: int, now_s: float) -> None:
    """Its processes stand still, work and memory are kept."""
    jobs = board.jobs
    _settle(board, slot, now_s)
    _out(board, slot)
    jobs.state[slot], jobs.last_pause_s[slot] = FROZEN, now_s
    jobs.n_pauses[slot] += 1
    _in(board, slot, now_s)
    count_down(board, slot)


@kernel
def thawed(board: Board, slot: int, now_s: float) -> None:
    """Its processes run again."""
    jobs = board.jobs
    _out(board, slot)
    jobs.state[slot], jobs.since_s[slot], jobs.began_s[slot] = RUNNING, now_s, now_s
    _in(board, slot, now_s)
    count_down(board, slot)


@kernel
def ending(board: Board, slot: int, now_s: float) -> None:
    """It is being ended; its nodes are expected to come free now."""
    jobs = board.jobs
    jobs.ending[slot] = 1
    drop_end(board, slot)
    note_end(board, slot, now_s)


@kernel
def resized(board: Board, slot: int, n_nodes: int, now_s: float) -> None:
    """An elastic gang goes on with its first `n_nodes` nodes; the others come free."""
    jobs, nodes = board.jobs, board.nodes
    if jobs.state[slot] == RUNNING:
        _settle(board, slot, now_s)
    _out(board, slot)
    charge(board, slot, -left_s(board, slot, now_s) / 3600.0, now_s)
    board.g.shared_kw[0] -= jobs.idle_kw[slot]
    node = jobs.node[slot]
    for _ in range(n_nodes - 1):
        node = nodes.gang_next[node]
    dropped = nodes.gang_next[node]
    nodes.gang_next[node] = NONE
    while dropped != NONE:
        after = nodes.gang_next[dropped]
        nodes.first_job[dropped] = NONE
        nodes.gang_next[dropped] = NONE
        free_room(board, slot, dropped, (1 << nodes.n_gpus[dropped]) - 1)
        dropped = after
    jobs.n_held[slot] = n_nodes
    rate(board, slot, nodes.klass[jobs.node[slot]], n_nodes)
    board.g.shared_kw[0] += jobs.idle_kw[slot]
    charge(board, slot, left_s(board, slot, now_s) / 3600.0, now_s)
    _in(board, slot, now_s)
    count_down(board, slot)


@kernel
def _leave_nodes(board: Board, slot: int, now_s: float) -> None:
    jobs = board.jobs
    _settle(board, slot, now_s)
    _out(board, slot)
    charge(board, slot, -max(0.0, jobs.time_s[slot] - jobs.ran_s[slot]) / 3600.0, now_s)
    board.g.shared_kw[0] -= jobs.idle_kw[slot]
    _unlist_running(board, slot)
    _give_back(board, slot)
    jobs.drawn_kw[slot], jobs.bound[slot], jobs.cap_step[slot] = 0.0, 0, 0
    jobs.urgent_key[slot] = INF


@kernel
def paused(board: Board, slot: int, now_s: float) -> None:
    """It stopped after its checkpoint and waits to be resumed, before the queued jobs of its line."""
    _leave_nodes(board, slot, now_s)
    board.jobs.state[slot] = PAUSED
    count_down(board, slot)
    _rate_waiting(board, slot)
    _enter(board, slot)


@kernel
def requeued(board: Board, slot: int, now_s: float) -> None:
    """Its node failed: it waits again, from its last checkpoint if it writes any, else from its beginning."""
    jobs = board.jobs
    _leave_nodes(board, slot, now_s)
    jobs.state[slot] = PAUSED if jobs.checkpoint[slot] else QUEUED
    if not jobs.checkpoint[slot]:
        jobs.ran_s[slot] = 0.0
    jobs.ending[slot] = 0
    count_down(board, slot)
    _rate_waiting(board, slot)
    _enter(board, slot)


@kernel
def ended(board: Board, slot: int, now_s: float) -> None:
    """It came to an end; its slot is free again."""
    jobs, g = board.jobs, board.g
    if jobs.node[slot] != NONE:
        _leave_nodes(board, slot, now_s)
    else:
        _leave_queue(board, slot)
    jobs.state[slot] = FREE
    count_down(board, slot)
    jobs.latest_key[slot] = jobs.wake_key[slot] = jobs.urgent_key[slot] = INF
    jobs.order[slot] = NONE
    jobs.next[slot] = g.free_head[0]
    g.free_head[0] = slot
