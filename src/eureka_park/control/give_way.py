"""Kernels of the ladder under shortage: cap, shrink, pause or freeze, least harm first; and back up with a margin.

Holding new starts is the first rung (admission does it by itself), buying from the grid for firm the last. Green gives
way before flex, then the share served most beyond what is due to it, then the newest start. Jobs without a checkpoint
are never stopped to save power: they are frozen where the engine can, else they run on.
"""

from __future__ import annotations

import math

from eureka_park.compute.core.board import (
    BEGINS,
    FLEX,
    FROZEN,
    GREEN,
    INF,
    NONE,
    RUNNING,
    SERVICE,
    SKY_BINDING,
    STARTING,
    URGENT,
    Board,
)
from eureka_park.compute.core.lines import heap_pop
from eureka_park.compute.core.moves import capped, frozen, pausing, resized, thawed
from eureka_park.compute.core.share_tree import most_served_leaves
from eureka_park.compute.core.standing import STOPPABLE, kw_of, power_at, rebind
from eureka_park.control.budget import bound_hour_s, budget_kw, room_kw
from eureka_park.control.codes import (
    CAP,
    CAPPED,
    FREEZE,
    FROZEN_FOR_POWER,
    PAUSE,
    PAUSED_FOR_POWER,
    RESIZE,
    RESUMED,
    SHRUNK,
    STAYS_CAPPED,
    STAYS_FROZEN,
    THAW,
)  # fmt: skip
from eureka_park.control.say import log, say
from eureka_park.foundation.kernels import kernel

STOP, STAND_STILL, SHRINK = 1, 2, 3


@kernel
def bind_anew(board: Board, now_s: float) -> None:
    """Jobs whose deadline has come so near that the sky may hold them no longer."""
    g, jobs, begins, kept = board.g[0], board.jobs, board.heaps[BEGINS], 0
    for index in range(g.begins_n):
        slot = begins[index].slot
        if jobs[slot].state == STARTING and jobs[slot].urgent_key < INF:
            if jobs[slot].urgent_key <= now_s:
                rebind(board, slot, now_s)
            else:
                begins[kept].slot = slot
                kept += 1
    g.begins_n = kept
    while g.urgent_n > 0 and board.heaps[URGENT, 0].key <= now_s:
        slot, order, key = board.heaps[URGENT, 0].slot, board.heaps[URGENT, 0].order, board.heaps[URGENT, 0].key
        g.urgent_n = heap_pop(board.heaps[URGENT], g.urgent_n)
        if jobs[slot].order == order and jobs[slot].urgent_key == key and jobs[slot].node != NONE:
            rebind(board, slot, now_s)


@kernel
def may_stop(board: Board, slot: int, now_s: float) -> bool:
    """Minimum run time since it last began, and no more pauses than the policy allows."""
    job = board.jobs[slot]
    g = board.g[0]
    if now_s - job.began_s < g.min_run_s or job.ending:
        return False
    return bool(now_s - job.last_pause_s >= g.pause_gap_s)


@kernel
def _saved_by_stop(board: Board, slot: int) -> float:
    """Power that a stop saves beyond the cap that it has or is planned already."""
    job = board.jobs[slot]
    return kw_of(job.dynamic_kw * power_at(board, slot, max(job.cap_step, job.plan_cap)))


@kernel
def _plan_caps(board: Board, n: int, short_kw: float) -> float:
    """Cap bound jobs step by step, in order, until it is enough; what is still missing."""
    g = board.g[0]
    for step in range(1, g.n_caps if g.can_cap else 1):
        for tier in (GREEN, FLEX):
            for index in range(n):
                if short_kw <= 0.0:
                    return short_kw
                short_kw = _plan_line_caps(board, 3 * board.shares[index].leaf + tier, step, short_kw)
    return short_kw


@kernel
def _plan_line_caps(board: Board, line: int, step: int, short_kw: float) -> float:
    """Bring jobs of a line down to a cap step, the newest first; what is still missing."""
    here, jobs = board.lines[line], board.jobs
    slot, n_left = here.newest, here.n_uncapped if step == 1 else here.n_cappable
    while n_left > 0 and short_kw > 0.0:
        job = jobs[slot]
        if job.bound and job.state == RUNNING and not job.ending and job.cap_step < board.g[0].n_caps - 1:
            at = job.plan_cap if job.plan_cap > 0 else job.cap_step
            if job.cap_step == 0 or step > 1:
                n_left -= 1
            if board.caps[at].cap_frac > board.caps[step].cap_frac:
                here.n_planned += job.plan_cap == 0
                job.plan_cap, job.reason_a = step, short_kw
                before_kw = kw_of(job.dynamic_kw * power_at(board, slot, at))
                short_kw -= before_kw - kw_of(job.dynamic_kw * power_at(board, slot, step))
        slot = job.next
    return short_kw


@kernel
def _plan_stops(board: Board, n: int, short_kw: float, now_s: float, may_shrink: bool) -> float:
    """Then stop, freeze or shrink bound jobs, in order, until it is enough; what is still missing."""
    for tier in (GREEN, FLEX):
        for index in range(n):
            if short_kw <= 0.0:
                return short_kw
            short_kw = _plan_line_stops(board, 3 * board.shares[index].leaf + tier, short_kw, now_s, may_shrink)
    return short_kw


@kernel
def _plan_line_stops(board: Board, line: int, short_kw: float, now_s: float, may_shrink: bool) -> float:
    """Stop, freeze or shrink jobs of a line, the newest first; what is still missing."""
    here, jobs = board.lines[line], board.jobs
    slot, n_left = here.newest, here.n_stoppable
    while n_left > 0 and short_kw > 0.0:
        job = jobs[slot]
        if job.counted & STOPPABLE:
            n_left -= 1
            if may_stop(board, slot, now_s):
                is_new = job.plan_stop == 0 and job.plan_cap == 0
                short_kw -= _plan_stop(board, slot, short_kw, may_shrink)
                here.n_planned += is_new and job.plan_stop != 0
        slot = job.next
    return short_kw


@kernel
def _plan_stop(board: Board, slot: int, short_kw: float, may_shrink: bool) -> float:
    """What one job bears; the power that it saves."""
    job = board.jobs[slot]
    g = board.g[0]
    least, held = job.n_nodes_min, job.n_held
    if job.plan_stop == STOP or job.plan_stop == STAND_STILL:
        return 0.0
    saved_kw = _saved_by_stop(board, slot)
    # Where idle power is counted anyway a stop does not save its nodes' part of it.
    whole_kw = saved_kw if g.sky == SKY_BINDING else saved_kw + job.idle_kw
    if whole_kw <= 0.0:
        return 0.0
    if may_shrink and g.can_resize and least > 0 and held > least:
        each_kw = whole_kw / held
        keep = max(least, held - math.ceil(short_kw / each_kw))
        job.plan_stop, job.plan_keep, job.reason_a = SHRINK, keep, short_kw
        return (held - keep) * each_kw
    already_kw = 0.0
    if job.plan_stop == SHRINK:
        already_kw = (held - job.plan_keep) * whole_kw / held
    if job.checkpoint or job.job_class == SERVICE:
        job.plan_stop, job.reason_a = STOP, short_kw
        return whole_kw - already_kw
    if g.can_freeze and saved_kw > already_kw:
        job.plan_stop, job.reason_a = STAND_STILL, short_kw
        return saved_kw - already_kw
    return 0.0


@kernel
def _carry_out(board: Board, slot: int, now_s: float) -> None:
    """Do what was planned for one job."""
    job = board.jobs[slot]
    stop, step, short_kw = job.plan_stop, job.plan_cap, job.reason_a
    job.plan_stop = job.plan_cap = 0
    if stop == STOP:
        say(board, slot, PAUSED_FOR_POWER, short_kw, 0.0, _spared_s(board, short_kw), now_s)
        pausing(board, slot, now_s)
        log(board, PAUSE, slot, 0.0, 0.0)
    elif stop == STAND_STILL:
        say(board, slot, FROZEN_FOR_POWER, short_kw, 0.0, _spared_s(board, short_kw), now_s)
        frozen(board, slot, now_s)
        log(board, FREEZE, slot, 0.0, 0.0)
    elif stop == SHRINK:
        keep = job.plan_keep
        say(board, slot, SHRUNK, short_kw, float(keep), _spared_s(board, short_kw), now_s)
        resized(board, slot, keep, now_s)
        log(board, RESIZE, slot, float(keep), 0.0)
    else:
        frac = board.caps[step].cap_frac
        say(board, slot, CAPPED, short_kw, frac, _spared_s(board, short_kw), now_s)
        capped(board, slot, step, now_s)
        log(board, CAP, slot, frac, 0.0)


@kernel
def _spared_s(board: Board, short_kw: float) -> float:
    """An hour with so much more than now would spare the job."""
    g = board.g[0]
    if not g.explain:
        return INF
    return bound_hour_s(board, budget_kw(board, g.clean_lead_kw) + short_kw)


@kernel
def descend(board: Board, now_s: float) -> None:
    """Bring bound power down to the least budget of the time that it takes to give way, this interval's included."""
    g = board.g[0]
    budget = budget_kw(board, g.clean_lead_kw)
    short_kw = g.bound_kw - budget
    if short_kw <= 1e-9 * (1.0 + budget):
        return
    n = most_served_leaves(board)
    short_kw = _plan_caps(board, n, short_kw)
    for may_shrink in (True, False):
        if short_kw > 0.0 and (may_shrink or g.can_resize):
            short_kw = _plan_stops(board, n, short_kw, now_s, may_shrink)
    _carry_out_all(board, n, now_s)


@kernel
def _carry_out_all(board: Board, n: int, now_s: float) -> None:
    """Do what was planned, line by line."""
    jobs = board.jobs
    for tier in (GREEN, FLEX):
        for index in range(n):
            line = board.lines[3 * board.shares[index].leaf + tier]
            slot, n_left = line.newest, line.n_planned
            line.n_planned = 0
            while n_left > 0:
                after = jobs[slot].next
                if jobs[slot].plan_stop != 0 or jobs[slot].plan_cap != 0:
                    n_left -= 1
                    _carry_out(board, slot, now_s)
                slot = after


# -- up again ----------------------------------------------------------------------------------------------------------


@kernel
def thaw(board: Board, now_s: float) -> None:
    """Before admission: let those go on that the sky does not bind, thaw frozen jobs, and lift caps of those without
    GPUs while the budget leaves a margin: flex before green, the least served share first, its oldest start first.
    """
    if board.g[0].n_up_first > 0:
        _ascend(board, now_s, False)


@kernel
def lift_caps(board: Board, now_s: float) -> None:
    """After admission: lift caps of bound jobs with GPUs in the same order, while the budget leaves a margin still.

    A GPU under a cap does more for its power than one without, so who waits goes before; CPUs do not.
    """
    if board.g[0].n_down > board.g[0].n_up_first:
        _ascend(board, now_s, True)


@kernel
def _ascend(board: Board, now_s: float, is_late: bool) -> None:
    if _all_stay_down(board, board.g[0].n_down_free):
        return
    n = most_served_leaves(board)
    for tier in (FLEX, GREEN):
        for index in range(n - 1, -1, -1):
            line = 3 * board.shares[index].leaf + tier
            here = board.lines[line]
            n_wanted = here.n_down - here.n_up_first if is_late else here.n_up_first
            if n_wanted > 0 and not _stays_down(board, line, is_late):
                _raise_line(board, line, now_s, is_late)


@kernel
def _all_stay_down(board: Board, n_free: int) -> bool:
    """Whether the sky binds all that are down and leaves nothing; who is to be told why is asked one by one."""
    return bool(n_free == 0 and not board.g[0].explain and room_kw(board) < 0.0)


@kernel
def _stays_down(board: Board, line: int, is_late: bool) -> bool:
    """Whether nobody of a line can go up: all are bound, and those that would be asked need more than there is."""
    here, g = board.lines[line], board.g[0]
    if here.n_down_free > 0 or g.explain:
        return False
    room = room_kw(board)
    return bool(room < 0.0 or (is_late and room < here.least_down_kw))


@kernel
def _raise_line(board: Board, line: int, now_s: float, is_late: bool) -> None:
    g, jobs, n_refused, least_kw = board.g[0], board.jobs, 0, INF
    slot = board.lines[line].down_oldest[1 if is_late else 0]
    while slot != NONE and (n_refused < g.lookahead or board.lines[line].n_down_free > 0):
        younger = jobs[slot].down_next
        if not jobs[slot].ending and (not jobs[slot].bound or n_refused < g.lookahead):
            if not _raise(board, slot, now_s):
                n_refused += 1
                least_kw = min(least_kw, _need_kw(board, slot))
            else:
                least_kw = 0.0
        slot = younger
    if is_late:
        board.lines[line].least_down_kw = least_kw if n_refused > 0 and board.lines[line].n_down_free == 0 else 0.0


@kernel
def _need_kw(board: Board, slot: int) -> float:
    """Power that a job which is capped or frozen takes to have its full power, or to go on."""
    job = board.jobs[slot]
    drawn_kw = kw_of(job.dynamic_kw * power_at(board, slot, job.cap_step))
    return drawn_kw if job.state == FROZEN else job.dynamic_kw - drawn_kw


@kernel
def _raise(board: Board, slot: int, now_s: float) -> bool:
    """Let one job go on or have its full power, if there is room; else say why it must stay down."""
    g = board.g[0]
    job = board.jobs[slot]
    is_still = job.state == FROZEN
    step, need_kw = job.cap_step, _need_kw(board, slot)
    if job.bound:
        room = room_kw(board)
        if need_kw > room:
            until_s = bound_hour_s(board, g.bound_kw + need_kw) if g.explain else INF
            code = STAYS_FROZEN if is_still else STAYS_CAPPED
            say(board, slot, code, need_kw - room, board.caps[step].cap_frac, until_s, now_s)
            return False
    say(board, slot, RESUMED, board.sky[0].clean_kw, 1.0 if is_still else 0.0, INF, now_s)
    if is_still:
        thawed(board, slot, now_s)
        log(board, THAW, slot, 0.0, 0.0)
    else:
        capped(board, slot, 0, now_s)
        log(board, CAP, slot, 1.0, 0.0)
    return True
