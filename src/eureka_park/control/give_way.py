"""Kernels of the ladder under shortage: cap, shrink, pause or freeze, least harm first; and back up with a margin.

Holding new starts is the first rung (admission does it by itself), buying from the grid for firm the last. Green gives
way before flex, then the share served most beyond what is due to it, then the newest start. Jobs without a checkpoint
are never stopped to save power: they are frozen where the engine can, else they run on.
"""

from __future__ import annotations

import numpy as np

from eureka_park.compute.core.board import FLEX, FROZEN, GREEN, INF, NONE, RUNNING, SERVICE, Array, Board
from eureka_park.compute.core.lines import heap_pop
from eureka_park.compute.core.moves import (
    capped, frozen, kw_of, pausing, power_at, rebind, resized, thawed,
)  # fmt: skip
from eureka_park.compute.core.share_tree import most_served_leaves
from eureka_park.control.budget import bound_hour_s, budget_kw, room_kw
from eureka_park.control.codes import (
    CAP, CAPPED, FREEZE, FROZEN_FOR_POWER, PAUSE, PAUSED_FOR_POWER, RESIZE, RESUMED, SHRUNK, STAYS_CAPPED, STAYS_FROZEN,
    THAW,
)  # fmt: skip
from eureka_park.control.say import log, say
from eureka_park.foundation.kernels import kernel

STOP, STAND_STILL, SHRINK = 1, 2, 3


@kernel
def bind_anew(board: Board, now_s: float) -> None:
    """Jobs whose deadline has come so near that the sky may hold them no longer."""
    g, jobs = board.g, board.jobs
    while g.urgent_n[0] > 0 and board.urgent.key[0] <= now_s:
        slot, order, key = board.urgent.slot[0], board.urgent.order[0], board.urgent.key[0]
        g.urgent_n[0] = heap_pop(board.urgent, g.urgent_n[0])
        if jobs.order[slot] == order and jobs.urgent_key[slot] == key and jobs.node[slot] != NONE:
            rebind(board, slot, now_s)


@kernel
def may_stop(board: Board, slot: int, now_s: float) -> bool:
    """Minimum run time since it last began, and no more pauses than the policy allows."""
    jobs, g = board.jobs, board.g
    if now_s - jobs.began_s[slot] < g.min_run_s[0] or jobs.ending[slot]:
        return False
    return bool(now_s - jobs.last_pause_s[slot] >= g.pause_gap_s[0])


@kernel
def _saved_by_stop(board: Board, slot: int) -> float:
    """Power that a stop saves beyond the cap that is planned already."""
    jobs = board.jobs
    return kw_of(jobs.dynamic_kw[slot] * power_at(board, slot, jobs.plan_cap[slot]))


@kernel
def _plan_caps(board: Board, leaves: Array, n: int, short_kw: float) -> float:
    """Cap bound jobs step by step, in order, until it is enough; what is still missing."""
    jobs, g = board.jobs, board.g
    for step in range(1, g.n_caps[0] if g.can_cap[0] else 1):
        for tier in (GREEN, FLEX):
            for index in range(n):
                slot = board.lines.newest[3 * leaves[index] + tier]
                while slot != NONE:
                    if short_kw <= 0.0:
                        return short_kw
                    at = jobs.plan_cap[slot]
                    if jobs.bound[slot] and jobs.state[slot] == RUNNING and not jobs.ending[slot]:
                        if board.caps.cap_frac[at] > board.caps.cap_frac[step]:
                            jobs.plan_cap[slot] = step
                            jobs.reason_a[slot] = short_kw
                            full_kw = jobs.dynamic_kw[slot]
                            before_kw = kw_of(full_kw * power_at(board, slot, at))
                            short_kw -= before_kw - kw_of(full_kw * power_at(board, slot, step))
                    slot = jobs.next[slot]
    return short_kw


@kernel
def _plan_stops(board: Board, leaves: Array, n: int, short_kw: float, now_s: float, may_shrink: bool) -> float:
    """Then stop, freeze or shrink bound jobs, in order, until it is enough; what is still missing."""
    jobs, g = board.jobs, board.g
    for tier in (GREEN, FLEX):
        for index in range(n):
            slot = board.lines.newest[3 * leaves[index] + tier]
            while slot != NONE:
                if short_kw <= 0.0:
                    return short_kw
                if jobs.bound[slot] and jobs.state[slot] == RUNNING and may_stop(board, slot, now_s):
                    short_kw -= _plan_stop(board, slot, short_kw, may_shrink)
                slot = jobs.next[slot]
    return short_kw


@kernel
def _plan_stop(board: Board, slot: int, short_kw: float, may_shrink: bool) -> float:
    """What one job bears; the power that it saves."""
    jobs, g = board.jobs, board.g
    least, held = jobs.n_nodes_min[slot], jobs.n_held[slot]
    if jobs.plan_stop[slot] == STOP or jobs.plan_stop[slot] == STAND_STILL:
        return 0.0
    saved_kw = _saved_by_stop(board, slot)
    if may_shrink and g.can_resize[0] and least > 0 and held > least:
        each_kw = (saved_kw + jobs.idle_kw[slot]) / held
        keep = max(least, held - int(np.ceil(short_kw / each_kw)))
        jobs.plan_stop[slot], jobs.plan_keep[slot], jobs.reason_a[slot] = SHRINK, keep, short_kw
        return (held - keep) * each_kw
    already_kw = 0.0
    if jobs.plan_stop[slot] == SHRINK:
        already_kw = (held - jobs.plan_keep[slot]) * (saved_kw + jobs.idle_kw[slot]) / held
    if jobs.checkpoint[slot] or jobs.job_class[slot] == SERVICE:
        jobs.plan_stop[slot], jobs.reason_a[slot] = STOP, short_kw
        return saved_kw + jobs.idle_kw[slot] - already_kw  # its nodes' share comes free with its checkpoint
    if g.can_freeze[0] and saved_kw > already_kw:
        jobs.plan_stop[slot], jobs.reason_a[slot] = STAND_STILL, short_kw
        return saved_kw - already_kw
    return 0.0


@kernel
def _carry_out(board: Board, slot: int, now_s: float) -> None:
    """Do what was planned for one job."""
    jobs = board.jobs
    stop, step, short_kw = jobs.plan_stop[slot], jobs.plan_cap[slot], jobs.reason_a[slot]
    jobs.plan_stop[slot] = 0
    if stop == STOP:
        say(board, slot, PAUSED_FOR_POWER, short_kw, 0.0, _spared_s(board, short_kw), now_s)
        pausing(board, slot, now_s)
        log(board, PAUSE, slot, 0.0, 0.0)
    elif stop == STAND_STILL:
        say(board, slot, FROZEN_FOR_POWER, short_kw, 0.0, _spared_s(board, short_kw), now_s)
        frozen(board, slot, now_s)
        log(board, FREEZE, slot, 0.0, 0.0)
    elif stop == SHRINK:
        keep = jobs.plan_keep[slot]
        say(board, slot, SHRUNK, short_kw, float(keep), _spared_s(board, short_kw), now_s)
        resized(board, slot, keep, now_s)
        log(board, RESIZE, slot, float(keep), 0.0)
    elif step != jobs.cap_step[slot]:
        frac = board.caps.cap_frac[step]
        say(board, slot, CAPPED, short_kw, frac, _spared_s(board, short_kw), now_s)
        capped(board, slot, step, now_s)
        log(board, CAP, slot, frac, 0.0)


@kernel
def _spared_s(board: Board, short_kw: float) -> float:
    """An hour with so much more than now would spare the job."""
    if not board.g.explain[0]:
        return INF
    return bound_hour_s(board, budget_kw(board, board.g.clean_lead_kw[0]) + short_kw)


@kernel
def descend(board: Board, now_s: float) -> None:
    """Bring bound power down to the least budget of the time that it takes to give way, this interval's included."""
    jobs, g = board.jobs, board.g
    budget = budget_kw(board, g.clean_lead_kw[0])
    short_kw = g.bound_kw[0] - budget
    if short_kw <= 1e-9 * (1.0 + budget):
        return
    leaves = np.empty(board.shares.shape[0], np.int64)
    n = most_served_leaves(board, leaves)
    for tier in (GREEN, FLEX):
        for index in range(n):
            slot = board.lines.newest[3 * leaves[index] + tier]
            while slot != NONE:
                jobs.plan_cap[slot], jobs.plan_stop[slot] = jobs.cap_step[slot], 0
                slot = jobs.next[slot]
    short_kw = _plan_caps(board, leaves, n, short_kw)
    if short_kw > 0.0:
        short_kw = _plan_stops(board, leaves, n, short_kw, now_s, True)
    if short_kw > 0.0 and g.can_resize[0]:
        _plan_stops(board, leaves, n, short_kw, now_s, False)
    for tier in (GREEN, FLEX):
        for index in range(n):
            slot = board.lines.newest[3 * leaves[index] + tier]
            while slot != NONE:
                after = jobs.next[slot]
                if jobs.plan_stop[slot] != 0 or jobs.plan_cap[slot] != jobs.cap_step[slot]:
                    _carry_out(board, slot, now_s)
                slot = after


# -- up again ------------------------------------------------------------------------------------------------------------


@kernel
def ascend(board: Board, now_s: float) -> None:
    """Thaw frozen jobs, then lift caps, while the budget leaves a margin: flex before green, the least served share
    first, its oldest start first.
    """
    if board.g.n_down[0] == 0:
        return
    leaves = np.empty(board.shares.shape[0], np.int64)
    n = most_served_leaves(board, leaves)
    for tier in (FLEX, GREEN):
        for index in range(n - 1, -1, -1):
            line = 3 * leaves[index] + tier
            if board.lines.n_down[line] > 0:
                _raise_line(board, line, now_s)


@kernel
def _raise_line(board: Board, line: int, now_s: float) -> None:
    jobs, n_refused = board.jobs, 0
    slot = board.lines.oldest[line]
    while slot != NONE:
        older = jobs.prev[slot]
        is_down = jobs.state[slot] == FROZEN or (jobs.state[slot] == RUNNING and jobs.cap_step[slot] > 0)
        if is_down and not jobs.ending[slot]:
            if not jobs.bound[slot] or n_refused < board.g.lookahead[0]:
                if not _raise(board, slot, now_s):
                    n_refused += 1
        slot = older


@kernel
def _raise(board: Board, slot: int, now_s: float) -> bool:
    """Let one job go on or have its full power, if there is room; else say why it must stay down."""
    jobs = board.jobs
    is_still = jobs.state[slot] == FROZEN
    step = jobs.cap_step[slot]
    full_kw = jobs.dynamic_kw[slot]
    drawn_kw = kw_of(full_kw * power_at(board, slot, step))
    need_kw = drawn_kw if is_still else full_kw - drawn_kw
    if jobs.bound[slot]:
        room = room_kw(board)
        if need_kw > room:
            until_s = bound_hour_s(board, board.g.bound_kw[0] + need_kw) if board.g.explain[0] else INF
            code = STAYS_FROZEN if is_still else STAYS_CAPPED
            say(board, slot, code, need_kw - room, board.caps.cap_frac[step], until_s, now_s)
            return False
    say(board, slot, RESUMED, board.sky.clean_kw[0], 1.0 if is_still else 0.0, INF, now_s)
    if is_still:
        thawed(board, slot, now_s)
        log(board, THAW, slot, 0.0, 0.0)
    else:
        capped(board, slot, 0, now_s)
        log(board, CAP, slot, 1.0, 0.0)
    return True
