"""Kernels of admission: who starts now, who waits, and why. Shares in turn, each start moving along the price curve."""

from __future__ import annotations

from eureka_park.compute.core.board import (
    DUE,
    FIRM,
    FLEX,
    GREEN,
    IN_LINE,
    INF,
    LATEST,
    N_SET,
    NONE,
    SKY_OBSERVED,
    Board,
)
from eureka_park.compute.core.gangs import find_gang, find_single, may_run_on, n_empty
from eureka_park.compute.core.job import LATE_S
from eureka_park.compute.core.lines import heap_pop, heap_push, is_waiting, push_fresh
from eureka_park.compute.core.moves import deferred, start
from eureka_park.compute.core.reservations import note_start, reserve
from eureka_park.compute.core.rooms import gpus_for
from eureka_park.compute.core.share_tree import build_order, first_leaf, leaf_is_done, leaf_was_served
from eureka_park.compute.core.standing import (
    URGENT_S,
    first_class,
    is_urgent,
    kw_of,
    left_s,
    power_at,
    rate,
    would_be_bound,
)
from eureka_park.compute.core.yard import next_in_run
from eureka_park.control.budget import (
    add_load,
    all_kw,
    better_hour,
    bound_hour_s,
    budget_kw,
    firm_free_kw,
    need_kw,
    room_kw,
)  # fmt: skip
from eureka_park.control.codes import (
    BETTER_HOUR,
    CLEAN_POWER,
    DEFER,
    FIRM_POWER,
    NO_REASON,
    NO_SUCH_NODE,
    RESERVED,
    ROOM,
    SITE_POWER,
    START,
)  # fmt: skip
from eureka_park.control.say import log, note, say, tell
from eureka_park.control.squeeze import begin_squeezing, capped_need_kw, has_room_capped, squeeze, step_for
from eureka_park.foundation.kernels import kernel

PRESS_S = 43_200.0  # so long before its last chance a flexible job goes before others
PRESS_TRIES = 4  # so many of them are tried in vain, then the others have their turn

# -- power -------------------------------------------------------------------------------------------------------------


@kernel
def _power_reason(board: Board, slot: int, n_nodes: int, now_s: float) -> int:
    """Why power does not let a job start now; NO_REASON when it does. A flexible job may choose a better hour."""
    job = board.jobs[slot]
    g = board.g[0]
    g.start_step = 0
    if g.sky == SKY_OBSERVED or job.is_first:
        return NO_REASON
    tier = job.tier
    if tier == FIRM:
        rated_kw = job.idle_kw + job.full_kw
        need_s = left_s(board.jobs[slot], now_s) * job.n_nodes / n_nodes
        free_kw = firm_free_kw(board, now_s + need_s)
        if rated_kw > free_kw:
            return say(board, slot, FIRM_POWER, rated_kw, free_kw, board.sky[0].end_s, now_s)
        return _site_reason(board, slot, now_s)
    if would_be_bound(board, slot, now_s):
        clean_kw = need_kw(board, slot, 0)
        least_kw = g.refused_least_kw if tier == FLEX else min(g.refused_least_kw, g.refused_green_kw)
        is_starved = _is_starved(board, slot, now_s)  # it has waited long: power comes together for all of it
        step = step_for(board, slot, not is_starved) if clean_kw < least_kw else NONE
        if step == NONE:
            _count_refused(board, slot, clean_kw, is_starved)
            return _say_clean(board, slot, clean_kw, now_s)
        g.start_step = step
        if tier == GREEN:
            return NO_REASON
    reason = _site_reason(board, slot, now_s)
    return reason if reason != NO_REASON else _hour_reason(board, slot, job.idle_kw + job.dynamic_kw, now_s)


@kernel
def _count_refused(board: Board, slot: int, clean_kw: float, is_starved: bool) -> None:
    """Who needs as much is not tried again in this turn; what green work is refused may yet be had by flexible work."""
    g = board.g[0]
    if board.jobs[slot].tier == GREEN:
        g.refused_green_kw = min(g.refused_green_kw, clean_kw)
    else:
        g.refused_least_kw = 0.0 if is_starved else min(g.refused_least_kw, clean_kw)


@kernel
def _is_starved(board: Board, slot: int, now_s: float) -> bool:
    """Whether smaller jobs have long kept a job from power that would do for it: none of them starts after it then."""
    job, g = board.jobs[slot], board.g[0]
    if job.tier != FLEX or now_s - max(job.submitted_s, job.last_pause_s) < g.patient_s:
        return False
    most_kw = budget_kw(board, g.clean_min_kw) * (1.0 - g.margin_frac)
    return bool(need_kw(board, slot, 0) <= most_kw)


@kernel
def _site_reason(board: Board, slot: int, now_s: float) -> int:
    job = board.jobs[slot]
    free_kw = board.sky[0].clean_kw + board.sky[0].grid_kw - all_kw(board)
    asked_kw = kw_of(job.dynamic_kw * power_at(board, slot, board.g[0].start_step))
    if asked_kw <= free_kw:
        return NO_REASON
    return say(board, slot, SITE_POWER, asked_kw, free_kw, board.sky[0].end_s, now_s)


@kernel
def _say_clean(board: Board, slot: int, clean_kw: float, now_s: float) -> int:
    g = board.g[0]
    job = board.jobs[slot]
    until_s = INF
    if g.explain:
        until_s = bound_hour_s(board, g.bound_kw + clean_kw)
        if job.tier == FLEX and job.deadline_s < INF:
            until_s = min(until_s, job.deadline_s - left_s(board.jobs[slot], now_s))
    return say(board, slot, CLEAN_POWER, clean_kw, room_kw(board), until_s, now_s)


@kernel
def _hour_reason(board: Board, slot: int, drawn_kw: float, now_s: float) -> int:
    """Whether waiting for a cheaper, cleaner hour pays; a job without a deadline has not offered to wait."""
    job = board.jobs[slot]
    if job.deadline_s == INF or is_urgent(board.jobs[slot], now_s):
        return NO_REASON
    latest_s = job.deadline_s - left_s(board.jobs[slot], now_s)
    best, price, now_price = better_hour(board, drawn_kw, latest_s)
    if best == 0:
        return NO_REASON
    target_s = board.sky[best].start_s
    until_s = min(board.sky[0].end_s, latest_s - URGENT_S)
    say(board, slot, BETTER_HOUR, now_price, price, target_s, now_s)
    deferred(board, slot, until_s, target_s)
    board.sky[best].load_kw += job.dynamic_kw
    log(board, DEFER, slot, until_s, target_s)
    return BETTER_HOUR


# -- room --------------------------------------------------------------------------------------------------------------


@kernel
def _find(board: Board, slot: int, n_nodes: int, now_s: float) -> bool:
    """Put a place for the job into `board.pick`."""
    job = board.jobs[slot]
    need_s = left_s(board.jobs[slot], now_s) * job.n_nodes / n_nodes
    step = board.g[0].start_step
    if step > 0:
        need_s /= board.caps[step].speed_frac
    if job.gang:
        return find_gang(board, slot, n_nodes, now_s, now_s + need_s)
    node = find_single(board, slot, now_s, now_s + need_s)
    board.nodes[0].pick = node
    return node != NONE


@kernel
def _reserve_blocked(board: Board, now_s: float) -> None:
    """Work out the reservations of those that were refused for room before, as far as that has not been done."""
    g, jobs = board.g[0], board.jobs
    while g.n_reserved < g.n_blocked:
        slot = board.g[0].blocked[g.n_reserved]
        g.n_reserved += 1
        from_s = reserve(board, slot, now_s)
        jobs[slot].reason_until_s = from_s
        if from_s < INF and jobs[slot].promised_s == INF:
            jobs[slot].promised_s = from_s
            g.n_promised += 1


@kernel
def _room_reason(board: Board, slot: int, had_room: bool, now_s: float) -> int:
    job = board.jobs[slot]
    g = board.g[0]
    if first_class(board, slot) == NONE:
        return say(board, slot, NO_SUCH_NODE, 0.0, 0.0, INF, now_s)
    if g.n_blocked < g.reserve_depth:
        board.g[0].blocked[g.n_blocked] = slot
        g.n_blocked += 1
    job.refused_room_s = min(job.refused_room_s, now_s)
    parts, free = float(job.n_nodes if job.gang else job.gpus), 0.0
    if g.explain:
        free = _free_parts(board, slot, now_s)
    return note(board, slot, RESERVED if had_room else ROOM, parts, free, INF)


@kernel
def _free_parts(board: Board, slot: int, now_s: float) -> float:
    """What is free now for a job to look at: empty nodes for a gang, the most free GPUs of a node for one part."""
    g = board.g[0]
    job = board.jobs[slot]
    if job.gang:
        return float(n_empty(board, slot, now_s, now_s))
    for free in range(g.gpus_max, -1, -1):
        for klass in range(board.classes.shape[0]):
            if free <= board.classes[klass].n_gpus and may_run_on(board, slot, klass):
                if board.bitmaps[board.classes[klass].row + free, N_SET] > 0:
                    return float(free)
    return 0.0


# -- one job -----------------------------------------------------------------------------------------------------------


@kernel
def _try_with(board: Board, slot: int, n_nodes: int, now_s: float) -> int:
    """Start a job on so many nodes, or say why not."""
    job = board.jobs[slot]
    g = board.g[0]
    klass = first_class(board, slot)
    if klass != NONE and (job.gang and job.n_nodes_min > 0):
        rate(board.jobs[slot], board.classes[klass], n_nodes)
    reason = _power_reason(board, slot, n_nodes, now_s)
    if reason != NO_REASON:
        return reason
    n_before = g.n_reserved
    found = _find(board, slot, n_nodes, now_s)
    had_room = found
    if found and n_before < g.n_blocked:
        _reserve_blocked(board, now_s)
        found = _find(board, slot, n_nodes, now_s)
    if not found:
        return _room_reason(board, slot, had_room, now_s)
    _begin(board, slot, n_nodes, now_s)
    return NO_REASON


@kernel
def _begin(board: Board, slot: int, n_nodes: int, now_s: float) -> None:
    job = board.jobs[slot]
    g = board.g[0]
    node = board.nodes[0].pick
    mask = 0 if job.gang else gpus_for(board, slot, node)
    if now_s > job.promised_s + LATE_S:
        g.n_broken += 1
        job.broken_s, job.broken_why = now_s - job.promised_s, job.reason
    job.promised_s = job.refused_room_s = INF
    step = g.start_step
    if step > 0:
        squeeze(board, slot, step, now_s)
    start(board, slot, n_nodes, mask, step, now_s)
    if g.n_reserved > 0:
        for index in range(n_nodes):
            note_start(board, slot, board.nodes[index].pick)
    add_load(board, slot)
    job.reason = NO_REASON
    log(board, START, slot, float(job.n_held), board.caps[step].cap_frac)


@kernel
def try_start(board: Board, slot: int, now_s: float) -> int:
    """Start a job, an elastic one with as few nodes as it takes where all are not to be had; else why not."""
    g = board.g[0]
    job = board.jobs[slot]
    if job.tried == g.turn:
        return int(job.reason)
    job.tried = g.turn
    g.n_considered += 1
    reason = _try_sizes(board, slot, now_s)
    if reason != NO_REASON and reason != BETTER_HOUR and reason != NO_SUCH_NODE:
        g.n_refused += 1
    return reason


@kernel
def _try_sizes(board: Board, slot: int, now_s: float) -> int:
    """Try a job with all its nodes, then an elastic one with as few as it takes."""
    g = board.g[0]
    job = board.jobs[slot]
    reason = _try_with(board, slot, job.n_nodes, now_s)
    least = job.n_nodes_min
    if reason == NO_REASON or reason == BETTER_HOUR or least <= 0 or least >= job.n_nodes:
        return reason
    if reason == ROOM or reason == RESERVED:
        least = max(least, min(job.n_nodes - 1, n_empty(board, slot, now_s, now_s)))
        if g.n_blocked > 0 and board.g[0].blocked[g.n_blocked - 1] == slot:
            g.n_blocked -= 1  # it is not blocked yet: the smaller try tells
            g.n_reserved = min(g.n_reserved, g.n_blocked)
    reason = _try_with(board, slot, least, now_s)
    if reason != NO_REASON and is_waiting(board, slot):
        rate(board.jobs[slot], board.classes[first_class(board, slot)], job.n_nodes)
    return reason


# -- one turn ----------------------------------------------------------------------------------------------------------


@kernel
def _pressing_first(board: Board, now_s: float) -> None:
    """Jobs with a deadline by when they must start: urgent ones, which stay so until they do, then those whose last
    chance comes within `PRESS_S`, until `PRESS_TRIES` have been tried in vain. What is short goes to who would buy it.
    """
    g, jobs = board.g[0], board.jobs
    n, n_failed = 0, 0
    push_fresh(board, now_s + PRESS_S + URGENT_S)
    while g.latest_n > 0 and board.heaps[LATEST, 0].key - URGENT_S <= now_s + PRESS_S:
        slot, order, key = board.heaps[LATEST, 0].slot, board.heaps[LATEST, 0].order, board.heaps[LATEST, 0].key
        is_late = key - URGENT_S <= now_s
        if n_failed >= PRESS_TRIES and not is_late:
            break
        g.latest_n = heap_pop(board.heaps[LATEST], g.latest_n)
        if jobs[slot].order != order or jobs[slot].latest_key != key:
            continue
        if is_late:
            board.lines[3 * jobs[slot].leaf + jobs[slot].tier].refused_kw = 0.0  # the sky binds it no longer
        if is_late or jobs[slot].where == IN_LINE:
            n_failed += try_start(board, slot, now_s) != NO_REASON
        if is_waiting(board, slot):
            board.heaps[DUE, n].slot = slot
            n += 1
    for index in range(n):
        slot = board.heaps[DUE, index].slot
        g.latest_n = heap_push(board.heaps[LATEST], g.latest_n, jobs[slot].latest_key, jobs[slot].order, slot)


@kernel
def _after(board: Board, slot: int) -> int:
    """The next job of a line."""
    job = board.jobs[slot]
    runs = board.runs
    if job.next != NONE:
        return int(job.next)
    if runs[job.run].n_beyond > 0:
        return next_in_run(board, slot)
    run = runs[job.run].next
    return int(runs[run].head) if run != NONE else NONE


@kernel
def _serve_line(board: Board, leaf: int, tier: int, now_s: float) -> bool:
    """Start the first job of a line that may start, from where this turn has come to; False when none may."""
    line, lines, g = 3 * leaf + tier, board.lines, board.g[0]
    if lines[line].stamp != g.turn:
        lines[line].stamp = g.turn
        lines[line].n_refused = lines[line].n_scanned = 0
        if _is_refused_still(board, line, tier, now_s):
            lines[line].cursor = NONE
            return False
        first = lines[line].first_run
        lines[line].cursor = board.runs[first].head if first != NONE else NONE
    while lines[line].cursor != NONE:
        if lines[line].n_refused >= g.lookahead or lines[line].n_scanned >= g.scan:
            return False
        slot = lines[line].cursor
        lines[line].cursor = _after(board, slot)
        reason = try_start(board, slot, now_s)
        if reason == NO_REASON:
            return True
        lines[line].n_scanned += 1
        if reason == BETTER_HOUR:
            continue  # it has chosen to wait; others stand behind it
        lines[line].n_refused += 1
        if reason == CLEAN_POWER:
            lines[line].cursor = NONE  # whoever stands behind asks for the same
            if lines[line].n_scanned == 1 and board.jobs[slot].n_nodes_min == 0:
                _note_refused(board, line, slot)
    return False


@kernel
def _note_refused(board: Board, line: int, slot: int) -> None:
    """Remember what the first job of a line was refused: until the line changes it need not be asked again."""
    job = board.jobs[slot]
    board.lines[line].refused_kw = need_kw(board, slot, 0)
    board.lines[line].refused_capped_kw = capped_need_kw(board, slot)
    starved_s = max(job.submitted_s, job.last_pause_s) + board.g[0].patient_s - 1.0  # asked again a little too soon
    board.lines[line].starved_s = starved_s if job.tier == FLEX else INF


@kernel
def _is_refused_still(board: Board, line: int, tier: int, now_s: float) -> bool:
    """Whether the first job of a line would be refused clean power again; it counts as asked. Who is to be told why is
    asked.
    """
    here, g = board.lines[line], board.g[0]
    if here.refused_kw <= 0.0 or g.explain or now_s >= here.starved_s:
        return False
    if board.jobs[board.runs[here.first_run].head].tried == g.turn:
        return False  # it has been asked as a pressing one
    least_kw = g.refused_least_kw if tier == FLEX else min(g.refused_least_kw, g.refused_green_kw)
    if here.refused_kw < least_kw:
        if here.refused_kw <= room_kw(board) or has_room_capped(board, tier, here.refused_capped_kw):
            return False
    here.n_scanned = here.n_refused = 1
    g.n_considered += 1
    g.n_refused += 1
    if tier == GREEN:
        g.refused_green_kw = min(g.refused_green_kw, here.refused_kw)
    else:
        g.refused_least_kw = min(g.refused_least_kw, here.refused_kw)
    return True


@kernel
def admit(board: Board, now_s: float) -> None:
    """Start what may start: urgent and pressing jobs, then shares in turn."""
    g = board.g[0]
    g.n_considered = g.n_refused = g.n_blocked = g.n_reserved = g.n_held = 0
    g.refused_least_kw = INF
    begin_squeezing(board)
    if g.n_waiting == 0:
        g.fresh_n = 0
        return
    _pressing_first(board, now_s)
    build_order(board)
    leaf = first_leaf(board)
    while leaf != NONE and g.n_considered < g.n_considered_max:
        served = False
        for tier in (FIRM, FLEX, GREEN):  # flexible work has a deadline, and buys when it comes
            if not served:
                served = _serve_line(board, leaf, tier, now_s)
        if served:
            leaf_was_served(board, leaf)
        else:
            leaf_is_done(board, leaf)
        leaf = first_leaf(board)
    push_fresh(board, INF)
    if g.explain:
        _reserve_blocked(board, now_s)
        for index in range(g.n_blocked):
            tell(board, board.g[0].blocked[index], now_s)
