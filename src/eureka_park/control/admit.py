"""Kernels of admission: who starts now, who waits, and why. Shares in turn, each start moving along the price curve."""

from __future__ import annotations

import numpy as np

from eureka_park.compute.core.board import FIRM, FLEX, GREEN, INF, NONE, SKY_OBSERVED, Board
from eureka_park.compute.core.gangs import find_gang, find_single, may_run_on, n_empty
from eureka_park.compute.core.lines import heap_pop, heap_push, is_waiting
from eureka_park.compute.core.moves import (
    URGENT_S, deferred, first_class, is_urgent, left_s, rate, start, would_be_bound,
)  # fmt: skip
from eureka_park.compute.core.reservations import note_start, reserve
from eureka_park.compute.core.rooms import lowest_gpus
from eureka_park.compute.core.share_tree import build_order, first_leaf, leaf_is_done, leaf_was_served
from eureka_park.control.budget import add_load, all_kw, better_hour, bound_hour_s, firm_free_kw, room_kw
from eureka_park.control.codes import (
    BETTER_HOUR, CLEAN_POWER, DEFER, FIRM_POWER, NO_REASON, NO_SUCH_NODE, RESERVED, ROOM, SITE_POWER, START,
)  # fmt: skip
from eureka_park.control.say import log, note, say, tell
from eureka_park.foundation.kernels import kernel

LATE_S = 60.0  # a start later than promised by more than this is a broken promise


# -- power ---------------------------------------------------------------------------------------------------------------


@kernel
def _power_reason(board: Board, slot: int, n_nodes: int, now_s: float) -> int:
    """Why power does not let a job start now; NO_REASON when it does. A flexible job may choose a better hour."""
    jobs, g = board.jobs, board.g
    if g.sky[0] == SKY_OBSERVED or jobs.is_first[slot]:
        return NO_REASON
    tier, drawn_kw = jobs.tier[slot], jobs.idle_kw[slot] + jobs.dynamic_kw[slot]
    if tier == FIRM:
        rated_kw = jobs.idle_kw[slot] + jobs.full_kw[slot]
        need_s = left_s(board, slot, now_s) * jobs.n_nodes[slot] / n_nodes
        free_kw = firm_free_kw(board, now_s + need_s)
        if rated_kw > free_kw:
            return say(board, slot, FIRM_POWER, rated_kw, free_kw, board.sky.end_s[0], now_s)
        return _site_reason(board, slot, now_s)
    if would_be_bound(board, slot, now_s):
        if drawn_kw >= g.refused_least_kw[0] or drawn_kw > room_kw(board):
            g.refused_least_kw[0] = min(g.refused_least_kw[0], drawn_kw)
            return _say_clean(board, slot, drawn_kw, now_s)
        if tier == GREEN:
            return NO_REASON
    reason = _site_reason(board, slot, now_s)
    return reason if reason != NO_REASON else _hour_reason(board, slot, drawn_kw, now_s)


@kernel
def _site_reason(board: Board, slot: int, now_s: float) -> int:
    free_kw = board.sky.clean_kw[0] + board.sky.grid_kw[0] - all_kw(board)
    need_kw = board.jobs.dynamic_kw[slot]
    if need_kw <= free_kw:
        return NO_REASON
    return say(board, slot, SITE_POWER, need_kw, free_kw, board.sky.end_s[0], now_s)


@kernel
def _say_clean(board: Board, slot: int, need_kw: float, now_s: float) -> int:
    jobs = board.jobs
    until_s = INF
    if board.g.explain[0]:
        until_s = bound_hour_s(board, board.g.bound_kw[0] + need_kw)
        if jobs.tier[slot] == FLEX and jobs.deadline_s[slot] < INF:
            until_s = min(until_s, jobs.deadline_s[slot] - left_s(board, slot, now_s))
    return say(board, slot, CLEAN_POWER, need_kw, room_kw(board), until_s, now_s)


@kernel
def _hour_reason(board: Board, slot: int, need_kw: float, now_s: float) -> int:
    """Whether waiting for a cheaper, cleaner hour pays; a job without a deadline has not offered to wait."""
    jobs = board.jobs
    if jobs.deadline_s[slot] == INF or is_urgent(board, slot, now_s):
        return NO_REASON
    latest_s = jobs.deadline_s[slot] - left_s(board, slot, now_s)
    best, price, now_price = better_hour(board, need_kw, latest_s)
    if best == 0:
        return NO_REASON
    target_s = board.sky.start_s[best]
    until_s = min(board.sky.end_s[0], latest_s - URGENT_S)
    say(board, slot, BETTER_HOUR, now_price, price, target_s, now_s)
    deferred(board, slot, until_s, target_s)
    board.sky.load_kw[best] += jobs.dynamic_kw[slot]
    log(board, DEFER, slot, until_s, target_s)
    return BETTER_HOUR


# -- room ----------------------------------------------------------------------------------------------------------------


@kernel
def _find(board: Board, slot: int, n_nodes: int, now_s: float) -> bool:
    """Put a place for the job into `board.pick`."""
    jobs = board.jobs
    if jobs.gang[slot]:
        end_s = now_s + left_s(board, slot, now_s) * jobs.n_nodes[slot] / n_nodes
        return find_gang(board, slot, n_nodes, now_s, end_s)
    node = find_single(board, slot, now_s, now_s + left_s(board, slot, now_s))
    board.pick[0] = node
    return node != NONE


@kernel
def _reserve_blocked(board: Board, now_s: float) -> None:
    """Work out the reservations of those that were refused for room before, as far as that has not been done."""
    g, jobs = board.g, board.jobs
    while g.n_reserved[0] < g.n_blocked[0]:
        slot = board.blocked[g.n_reserved[0]]
        g.n_reserved[0] += 1
        from_s = reserve(board, slot, now_s)
        jobs.reason_until_s[slot] = from_s
        if from_s < INF and jobs.promised_s[slot] == INF:
            jobs.promised_s[slot] = from_s
            g.n_promised[0] += 1


@kernel
def _room_reason(board: Board, slot: int, had_room: bool, now_s: float) -> int:
    jobs, g = board.jobs, board.g
    if first_class(board, slot) == NONE:
        return say(board, slot, NO_SUCH_NODE, 0.0, 0.0, INF, now_s)
    if g.n_blocked[0] < g.reserve_depth[0]:
        board.blocked[g.n_blocked[0]] = slot
        g.n_blocked[0] += 1
    jobs.refused_room_s[slot] = min(jobs.refused_room_s[slot], now_s)
    parts, free = float(jobs.n_nodes[slot] if jobs.gang[slot] else jobs.gpus[slot]), 0.0
    if g.explain[0]:
        free = _free_parts(board, slot, now_s)
    return note(board, slot, RESERVED if had_room else ROOM, parts, free, INF)


@kernel
def _free_parts(board: Board, slot: int, now_s: float) -> float:
    """What is free now for a job to look at: empty nodes for a gang, the most free GPUs of a node for one part."""
    jobs = board.jobs
    if jobs.gang[slot]:
        return float(n_empty(board, slot, now_s, now_s))
    for free in range(board.g.gpus_max[0], -1, -1):
        for klass in range(board.classes.shape[0]):
            if free <= board.classes.n_gpus[klass] and may_run_on(board, slot, klass):
                if board.buckets[board.classes.row[klass] + free, 0] > 0:
                    return float(free)
    return 0.0


# -- one job -------------------------------------------------------------------------------------------------------------


@kernel
def _try_with(board: Board, slot: int, n_nodes: int, now_s: float) -> int:
    """Start a job on so many nodes, or say why not."""
    jobs, g = board.jobs, board.g
    klass = first_class(board, slot)
    if klass != NONE and (jobs.gang[slot] and jobs.n_nodes_min[slot] > 0):
        rate(board, slot, klass, n_nodes)
    reason = _power_reason(board, slot, n_nodes, now_s)
    if reason != NO_REASON:
        return reason
    n_before = g.n_reserved[0]
    found = _find(board, slot, n_nodes, now_s)
    had_room = found
    if found and n_before < g.n_blocked[0]:
        _reserve_blocked(board, now_s)
        found = _find(board, slot, n_nodes, now_s)
    if not found:
        return _room_reason(board, slot, had_room, now_s)
    _begin(board, slot, n_nodes, now_s)
    return NO_REASON


@kernel
def _begin(board: Board, slot: int, n_nodes: int, now_s: float) -> None:
    jobs, g = board.jobs, board.g
    node = board.pick[0]
    mask = 0 if jobs.gang[slot] else lowest_gpus(board.nodes.free_mask[node], jobs.gpus[slot])
    if now_s > jobs.promised_s[slot] + LATE_S:
        g.n_broken[0] += 1
        jobs.broken_s[slot], jobs.broken_why[slot] = now_s - jobs.promised_s[slot], jobs.reason[slot]
    jobs.promised_s[slot] = jobs.refused_room_s[slot] = INF
    start(board, slot, n_nodes, mask, 0, now_s)
    if g.n_reserved[0] > 0:
        for index in range(n_nodes):
            note_start(board, slot, board.pick[index])
    add_load(board, slot)
    jobs.reason[slot] = NO_REASON
    log(board, START, slot, float(jobs.n_held[slot]), 1.0)


@kernel
def try_start(board: Board, slot: int, now_s: float) -> int:
    """Start a job, an elastic one with as few nodes as it takes where all are not to be had; else why not."""
    jobs = board.jobs
    if jobs.tried[slot] == board.g.turn[0]:
        return int(jobs.reason[slot])
    jobs.tried[slot] = board.g.turn[0]
    board.g.n_considered[0] += 1
    reason = _try_with(board, slot, jobs.n_nodes[slot], now_s)
    least = jobs.n_nodes_min[slot]
    if reason == NO_REASON or reason == BETTER_HOUR or least <= 0 or least >= jobs.n_nodes[slot]:
        return reason
    if reason == ROOM or reason == RESERVED:
        least = max(least, min(jobs.n_nodes[slot] - 1, n_empty(board, slot, now_s, now_s)))
        if board.g.n_blocked[0] > 0 and board.blocked[board.g.n_blocked[0] - 1] == slot:
            board.g.n_blocked[0] -= 1  # it is not blocked yet: the smaller try tells
            board.g.n_reserved[0] = min(board.g.n_reserved[0], board.g.n_blocked[0])
    reason = _try_with(board, slot, least, now_s)
    if reason != NO_REASON and is_waiting(board, slot):
        rate(board, slot, first_class(board, slot), jobs.n_nodes[slot])
    return reason


# -- one turn ------------------------------------------------------------------------------------------------------------


@kernel
def _urgent_first(board: Board, now_s: float) -> None:
    """Jobs that must start by now to end by their deadline, the most pressing first; they stay urgent until they do."""
    g, jobs = board.g, board.jobs
    n = 0
    due = np.empty(64, np.int64)
    while g.latest_n[0] > 0 and board.latest.key[0] - URGENT_S <= now_s:
        slot, order, key = board.latest.slot[0], board.latest.order[0], board.latest.key[0]
        g.latest_n[0] = heap_pop(board.latest, g.latest_n[0])
        if jobs.order[slot] != order or jobs.latest_key[slot] != key:
            continue
        if n == due.shape[0]:
            due = np.append(due, np.empty(n, np.int64))
        due[n] = slot
        n += 1
    for index in range(n):
        slot = due[index]
        try_start(board, slot, now_s)
        if is_waiting(board, slot):
            g.latest_n[0] = heap_push(board.latest, g.latest_n[0], jobs.latest_key[slot], jobs.order[slot], slot)


@kernel
def _after(board: Board, slot: int) -> int:
    """The next job of a line."""
    jobs, runs = board.jobs, board.runs
    if jobs.next[slot] != NONE:
        return int(jobs.next[slot])
    run = runs.next[jobs.run[slot]]
    return int(runs.head[run]) if run != NONE else NONE


@kernel
def _serve_line(board: Board, leaf: int, tier: int, now_s: float) -> bool:
    """Start the first job of a line that may start, from where this turn has come to; False when none may."""
    line, lines, g = 3 * leaf + tier, board.lines, board.g
    if lines.stamp[line] != g.turn[0]:
        lines.stamp[line] = g.turn[0]
        lines.n_refused[line] = lines.n_scanned[line] = 0
        first = lines.first_run[line]
        lines.cursor[line] = board.runs.head[first] if first != NONE else NONE
    while lines.cursor[line] != NONE:
        if lines.n_refused[line] >= g.lookahead[0] or lines.n_scanned[line] >= g.scan[0]:
            return False
        slot = lines.cursor[line]
        lines.cursor[line] = _after(board, slot)
        lines.n_scanned[line] += 1
        reason = try_start(board, slot, now_s)
        if reason == NO_REASON:
            return True
        if reason == BETTER_HOUR:
            continue  # it has chosen to wait; others stand behind it
        lines.n_refused[line] += 1
        if reason == CLEAN_POWER:
            lines.cursor[line] = NONE  # whoever stands behind asks for the same
    return False


@kernel
def admit(board: Board, now_s: float) -> None:
    """Start what may start: urgent jobs, then shares in turn."""
    g = board.g
    g.n_considered[0] = g.n_blocked[0] = g.n_reserved[0] = g.n_held[0] = 0
    g.refused_least_kw[0] = INF
    if g.n_waiting[0] == 0:
        return
    _urgent_first(board, now_s)
    build_order(board)
    leaf = first_leaf(board)
    while leaf != NONE and g.n_considered[0] < g.n_considered_max[0]:
        served = False
        for tier in (FIRM, GREEN, FLEX):  # green earns priority over flex when the sky gives
            if not served:
                served = _serve_line(board, leaf, tier, now_s)
        if served:
            leaf_was_served(board, leaf)
        else:
            leaf_is_done(board, leaf)
        leaf = first_leaf(board)
    if g.explain[0]:
        _reserve_blocked(board, now_s)
        for index in range(g.n_blocked[0]):
            tell(board, board.blocked[index], now_s)
