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
    NONE,
    PAUSING,
    RUNNING,
    SKY_BINDING,
    SKY_OBSERVED,
    Board,
)
from eureka_park.compute.core.ends import drop_end, note_end
from eureka_park.compute.core.lines import note_urgent
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
    return float(max(0.0, job.time_s - run_s(board, slot, now_s)))


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
def uncount(board: Board, slot: int) -> None:
    """Take a job on its nodes out of sums and calendar; call before it changes."""
    drop_end(board, slot)
    _add(board, slot, -1.0)


@kernel
def count_in(board: Board, slot: int, now_s: float) -> None:
    """Count a job on its nodes as it is now: draw, hold of the sky, sums, expected end."""
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
def settle(board: Board, slot: int, now_s: float) -> None:
    """Count the work done so far."""
    job = board.jobs[slot]
    job.ran_s = run_s(board, slot, now_s)
    job.since_s = now_s
