"""Kernels of how a job stands: work done and left, power, urgency, whether the sky binds it; and the sums over all.

Instants are park time in seconds. `ran_s` is work at full speed: a capped job does less of it in an hour.
"""

from __future__ import annotations

import math

from eureka_park.compute.core.board import (
    FIRM,
    FLEX,
    FROZEN,
    GREEN,
    INF,
    MILLI,
    NONE,
    PAUSING,
    RUNNING,
    SERVICE,
    SKY_BINDING,
    SKY_OBSERVED,
    STARTING,
    Array,
    Board,
)  # fmt: skip
from eureka_park.compute.core.ends import expect
from eureka_park.compute.core.lines import note_begins, note_urgent
from eureka_park.foundation.kernels import kernel

URGENT_S = 1.0  # a job is urgent this long before it must run, so that rounding does not decide
_DOWN, _DOWN_UNBOUND, UP_FIRST, _UNCAPPED, _CAPPABLE, STOPPABLE = 1, 2, 4, 8, 16, 32


@kernel
def kw_of(kw: float) -> float:
    """Power as the board holds it; see `board.quantised_kw`."""
    return math.floor(kw * 1048576.0 + 0.5) / 1048576.0


@kernel
def n_gpus_of(job: Array) -> float:
    """GPUs that a job asks for on each of its nodes; a part of one counts as that."""
    return float(job.gpus * job.gpu_milli / MILLI)


@kernel
def rate(job: Array, klass: Array, n_nodes: int) -> None:
    """Work out a job's power on so many nodes of a class: its share of idle, at nameplate, and as predicted."""
    if job.gang:  # whole nodes, whatever the class has
        job.mcpu, job.mem_mib = klass.mcpu, klass.mem_mib
    of_cpus = job.mcpu / klass.mcpu
    of_idle, full_kw = min(1.0, of_cpus), (klass.rated_kw - klass.idle_kw - klass.gpus_kw) * of_cpus
    if klass.n_gpus > 0 and job.gpus > 0:
        gpus = n_gpus_of(job)
        of_idle = min(1.0, gpus / klass.n_gpus)
        full_kw += klass.gpus_kw * gpus / klass.n_gpus
    job.idle_kw = n_nodes * kw_of(klass.idle_kw * of_idle)
    job.full_kw = n_nodes * kw_of(full_kw)
    if job.declared_kw > 0.0:
        whole_kw = job.declared_kw * n_nodes / job.n_nodes
        job.dynamic_kw = kw_of(min(job.full_kw, max(0.0, whole_kw - job.idle_kw)))
    else:
        job.dynamic_kw = kw_of(job.full_kw * job.power_frac)


@kernel
def first_class(board: Board, slot: int) -> int:
    """The first class of nodes that a job may run on; NONE when there is none."""
    for klass in range(board.classes.shape[0]):
        if (board.jobs[slot].classes >> klass) & 1:
            return klass
    return NONE


@kernel
def power_at(board: Board, slot: int, step: int) -> float:
    """Part of its uncapped dynamic power that a job draws at a cap step: GPUs by the measured curve, CPUs linearly."""
    cap = board.caps[step]
    return float(cap.power_frac if board.jobs[slot].gpus > 0 else cap.cap_frac)


@kernel
def run_s(job: Array, now_s: float) -> float:
    """Work done so far, in seconds at full speed."""
    if job.state == RUNNING or job.state == PAUSING:
        return float(job.ran_s + max(0.0, now_s - job.since_s) * job.speed)
    return float(job.ran_s)


@kernel
def left_s(job: Array, now_s: float) -> float:
    """Declared work that is left, in seconds at full speed."""
    return max(0.0, job.time_s - run_s(job, now_s))


@kernel
def is_urgent(job: Array, now_s: float) -> bool:
    """Whether a job must run now at full speed to end by its deadline."""
    return bool(now_s >= job.deadline_s - left_s(job, now_s) - URGENT_S)


@kernel
def would_be_bound(board: Board, slot: int, now_s: float) -> bool:
    """Whether the sky may hold, cap, pause or freeze this job now."""
    job, sky = board.jobs[slot], board.g[0].sky
    if sky == SKY_OBSERVED or job.tier == FIRM or job.is_first:
        return False
    return bool(job.tier == GREEN or (sky == SKY_BINDING and not is_urgent(job, now_s)))


# -- sums --------------------------------------------------------------------------------------------------------------


@kernel
def _count(board: Board, slot: int, drawn_kw: float, bound: bool, rated_kw: float) -> None:
    """Bring the sums from what they hold of a job to this; `rated_kw` counts for firm ones."""
    job, g = board.jobs[slot], board.g[0]
    change_kw = drawn_kw - job.drawn_kw
    held_kw, was_held_kw = drawn_kw if bound else 0.0, job.drawn_kw if job.bound else 0.0
    g.bound_kw += held_kw - was_held_kw
    if job.tier == FIRM:
        g.firm_kw += change_kw
        g.firm_rated_kw += rated_kw - job.rated_kw
        job.rated_kw = rated_kw
    elif job.tier == FLEX:
        g.flex_kw += change_kw
    else:
        g.green_kw += change_kw
        g.free_green_kw += (drawn_kw - held_kw) - (job.drawn_kw - was_held_kw)
    job.drawn_kw, job.bound = drawn_kw, 1 if bound else 0
    if change_kw != 0.0:
        at = job.leaf
        while at != NONE:
            board.shares[at].committed_kw += change_kw
            at = board.shares[at].parent


@kernel
def _note_bits(board: Board, slot: int, counted: int) -> None:
    """Keep the numbers, line by line, of who is down, of who goes up before others, and of who can give way."""
    job, g = board.jobs[slot], board.g[0]
    line, had = board.lines[3 * job.leaf + job.tier], job.counted
    line.least_down_kw = 0.0
    if counted == had:
        return
    job.counted = counted
    down, free = (counted & 1) - (had & 1), ((counted >> 1) & 1) - ((had >> 1) & 1)
    first = ((counted >> 2) & 1) - ((had >> 2) & 1)
    line.n_down += down
    line.n_down_free += free
    g.n_down += down
    g.n_down_free += free
    line.n_up_first += first
    g.n_up_first += first
    line.n_uncapped += ((counted >> 3) & 1) - ((had >> 3) & 1)
    line.n_cappable += ((counted >> 4) & 1) - ((had >> 4) & 1)
    line.n_stoppable += (counted >> 5) - (had >> 5)
    if (counted ^ had) & (_DOWN | UP_FIRST):
        if had & _DOWN:
            _unlist_down(board, slot, 0 if had & UP_FIRST else 1)
        if counted & _DOWN:
            _list_down(board, slot, 0 if counted & UP_FIRST else 1)


@kernel
def note_standing(board: Board, slot: int) -> None:
    """After whatever it depends on has changed: count a job on its nodes among those of its line that it is one of."""
    _note_bits(board, slot, _bits(board, slot))
    _note_gives(board, slot)


@kernel
def _note_gives(board: Board, slot: int) -> None:
    """Keep what running jobs that the sky binds would give by the last cap: GPUs that have no cap yet."""
    job, gives_kw = board.jobs[slot], 0.0
    if job.bound and job.state == RUNNING and not job.ending and job.cap_step == 0 and job.gpus > 0:
        gives_kw = job.dynamic_kw - kw_of(job.dynamic_kw * power_at(board, slot, board.g[0].n_caps - 1))
    _give(board, slot, gives_kw)


@kernel
def _give(board: Board, slot: int, gives_kw: float) -> None:
    job = board.jobs[slot]
    board.lines[3 * job.leaf + job.tier].gives_kw += gives_kw - job.gives_kw
    job.gives_kw = gives_kw


@kernel
def _note_narrow(board: Board, slot: int, narrow: int) -> None:
    """Keep the numbers of elastic gangs that hold fewer nodes than they ask for."""
    job = board.jobs[slot]
    change = narrow - job.narrow
    if change != 0:
        job.narrow = narrow
        board.lines[3 * job.leaf + job.tier].n_narrow += change
        board.g[0].n_narrow += change


@kernel
def _list_down(board: Board, slot: int, late: int) -> None:
    """Stand a job that is frozen or capped into a list of those of its line, the oldest start first."""
    job, jobs, line = board.jobs[slot], board.jobs, board.lines[3 * board.jobs[slot].leaf + board.jobs[slot].tier]
    before, after = line.down_newest[late], NONE
    if before != NONE and jobs[before].seq > job.seq:  # it goes between others: most often beside the last that did
        after = line.down_hint[late]
        while after != NONE and jobs[after].seq < job.seq:
            after = jobs[after].down_next
        before = jobs[after].down_prev
        while before != NONE and jobs[before].seq > job.seq:
            before, after = jobs[before].down_prev, before
    job.down_prev, job.down_next = before, after
    if before == NONE:
        line.down_oldest[late] = slot
    else:
        jobs[before].down_next = slot
    if after == NONE:
        line.down_newest[late] = slot
    else:
        jobs[after].down_prev = slot
    line.down_hint[late] = slot


@kernel
def _unlist_down(board: Board, slot: int, late: int) -> None:
    """Take a job out of such a list."""
    job, jobs, line = board.jobs[slot], board.jobs, board.lines[3 * board.jobs[slot].leaf + board.jobs[slot].tier]
    if job.down_prev == NONE:
        line.down_oldest[late] = job.down_next
    else:
        jobs[job.down_prev].down_next = job.down_next
    if job.down_next == NONE:
        line.down_newest[late] = job.down_prev
    else:
        jobs[job.down_next].down_prev = job.down_prev
    if line.down_hint[late] == slot:
        line.down_hint[late] = job.down_next if job.down_next != NONE else job.down_prev


@kernel
def _bits(board: Board, slot: int) -> int:
    """What a job on its nodes counts among: frozen or capped; of these who is not bound by the sky, and who goes up
    before admission (all but GPUs under a cap, for those do more for their power than others would without); then those
    that have no cap, that a cap brings further down, and that could be stopped for power.
    """
    job, g, bits = board.jobs[slot], board.g[0], 0
    if job.state == FROZEN:
        bits = _DOWN | UP_FIRST
    elif job.state != RUNNING:
        return 0
    elif job.cap_step > 0:
        bits = _DOWN if job.gpus > 0 else _DOWN | UP_FIRST
    if not job.bound:
        return bits | _DOWN_UNBOUND | UP_FIRST if bits else 0
    if job.state == RUNNING and not job.ending:
        if job.cap_step < g.n_caps - 1:
            bits |= _CAPPABLE if job.cap_step > 0 else _CAPPABLE | _UNCAPPED
        if g.can_freeze or job.checkpoint or job.job_class == SERVICE or (g.can_resize and job.n_nodes_min > 0):
            bits |= STOPPABLE
    return bits


@kernel
def _watch(board: Board, slot: int, now_s: float) -> None:
    """Note when the sky may bind a job no longer: its slack shrinks while it is slow."""
    job = board.jobs[slot]
    pace = job.speed if job.state == RUNNING else 0.0
    if job.tier != FLEX or not job.bound or job.deadline_s == INF or pace >= 1.0:
        job.urgent_key = INF
        return
    slack_s = job.deadline_s - left_s(job, now_s) - now_s - URGENT_S
    key = max(now_s + 1e-3, now_s + slack_s / (1.0 - pace) - 1e-3)
    if job.state == STARTING:
        note_begins(board, slot, key)
    else:
        note_urgent(board, slot, key)


@kernel
def redraw(board: Board, slot: int, now_s: float) -> None:
    """After its state, cap, nodes or rating have changed: what a job on its nodes draws, its speed, when it may end."""
    job, cap = board.jobs[slot], board.caps[board.jobs[slot].cap_step]
    power_frac, speed_frac = cap.cap_frac, cap.cap_frac
    if job.gpus > 0:
        power_frac, speed_frac = cap.power_frac, cap.speed_frac
    job.speed = speed_frac * job.n_held / job.n_nodes
    drawn_kw, rated_kw = job.idle_kw, job.idle_kw + job.full_kw
    if job.state == PAUSING:
        drawn_kw, rated_kw, ends_s = 0.0, 0.0, now_s  # its power is on the way out
    elif job.state == FROZEN:
        ends_s = INF
    else:
        drawn_kw += kw_of(job.dynamic_kw * power_frac)
        # nobody looks at what lies before the last turn
        ends_s = max(now_s + left_s(job, now_s) / job.speed, board.g[0].turn_s)
    _count(board, slot, drawn_kw, would_be_bound(board, slot, now_s), rated_kw)
    _watch(board, slot, now_s)
    expect(board, slot, ends_s)
    note_standing(board, slot)
    _note_narrow(board, slot, 1 if job.n_nodes_min > 0 and job.n_held < job.n_nodes else 0)


@kernel
def draw_nothing(board: Board, slot: int) -> None:
    """A job leaves its nodes."""
    _count(board, slot, 0.0, False, 0.0)
    board.jobs[slot].urgent_key = INF
    expect(board, slot, INF)
    _note_bits(board, slot, 0)
    _give(board, slot, 0.0)
    _note_narrow(board, slot, 0)


@kernel
def rebind(board: Board, slot: int, now_s: float) -> None:
    """Look again whether the sky binds a job on its nodes."""
    job = board.jobs[slot]
    _count(board, slot, job.drawn_kw, would_be_bound(board, slot, now_s), job.rated_kw)
    _watch(board, slot, now_s)
    note_standing(board, slot)


@kernel
def settle(job: Array, now_s: float) -> None:
    """Count the work done so far."""
    job.ran_s = run_s(job, now_s)
    job.since_s = now_s
