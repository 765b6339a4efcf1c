"""Kernels of promises: when and where the first jobs that wait for room will start, under what is believed now.

A reservation holds nodes from an instant on. Whoever passes must end before it or fit beside it, so no start that has
been reserved moves later by a backfill. All of it is scratch of one turn: nothing is remembered from turn to turn, so a
turn depends on the state alone.
"""

from __future__ import annotations

import numpy as np

from eureka_park.compute.core.board import CALENDAR, CALENDAR_S, INF, NONE, UP, Board
from eureka_park.compute.core.gangs import may_run_on
from eureka_park.compute.core.moves import left_s
from eureka_park.compute.core.rooms import window_allows
from eureka_park.foundation.kernels import kernel


@kernel
def whole_free_s(board: Board, node: int, now_s: float) -> float:
    """When a node is expected to be without jobs; INF for one that is down or holds a job that stands still."""
    nodes, jobs = board.nodes, board.jobs
    if nodes.up[node] != UP:
        return INF
    free_s, slot = now_s, nodes.first_job[node]
    if nodes.n_jobs[node] == 0:
        return free_s
    if jobs.gang[slot]:
        return max(free_s, float(jobs.ends_s[slot]))
    while slot != NONE:
        free_s = max(free_s, float(jobs.ends_s[slot]))
        slot = jobs.node_next[slot]
    return free_s


@kernel
def _avail_s(board: Board, node: int, now_s: float) -> float:
    """When a node is free of its jobs and of what is reserved on it."""
    nodes = board.nodes
    if nodes.stamp[node] == board.g.turn[0]:
        return float(nodes.avail_s[node])
    return whole_free_s(board, node, now_s)


@kernel
def _hold(board: Board, node: int, from_s: float, until_s: float, gpus: int, mcpu: int, mem_mib: int) -> None:
    """Hold a node from an instant on; what is spare beside the reservation at that instant."""
    nodes, g = board.nodes, board.g
    if nodes.stamp[node] == g.turn[0]:
        nodes.hold_from_s[node] = min(nodes.hold_from_s[node], from_s)
        nodes.avail_s[node] = max(nodes.avail_s[node], until_s)
    else:
        nodes.stamp[node] = g.turn[0]
        nodes.hold_from_s[node], nodes.avail_s[node] = from_s, until_s
        board.held[g.n_held[0]] = node
        g.n_held[0] += 1
    nodes.spare_gpus[node], nodes.spare_mcpu[node], nodes.spare_mem_mib[node] = gpus, mcpu, mem_mib


@kernel
def note_start(board: Board, slot: int, node: int) -> None:
    """A job has just started on a node: what it takes beside a reservation is spare no longer."""
    nodes, jobs = board.nodes, board.jobs
    if nodes.stamp[node] != board.g.turn[0]:
        return
    end_s = jobs.ends_s[slot]
    nodes.avail_s[node] = max(nodes.avail_s[node], end_s)
    if end_s > nodes.hold_from_s[node]:
        nodes.spare_gpus[node] -= jobs.gpus[slot]
        nodes.spare_mcpu[node] -= jobs.mcpu[slot]
        nodes.spare_mem_mib[node] -= jobs.mem_mib[slot]


@kernel
def reserve(board: Board, slot: int, now_s: float) -> float:
    """Hold what a job that waits for room will need, as early as it can be; from when, INF for never as far as seen."""
    if board.jobs.gang[slot]:
        return _reserve_gang(board, slot, now_s)
    return _reserve_single(board, slot, now_s)


# -- gangs -------------------------------------------------------------------------------------------------------------


@kernel
def _gang_from_s(board: Board, slot: int, klass: int, n_nodes: int, need_s: float, now_s: float) -> float:
    """When so many nodes of a class are first free together, each for as long as is needed."""
    n, first = board.classes.n_nodes[klass], board.classes.first[klass]
    avail = np.full(n, INF)
    for index in range(n):
        free_s = _avail_s(board, first + index, now_s)
        if free_s < INF and window_allows(board, slot, first + index, free_s, free_s + need_s):
            avail[index] = free_s
    return float(np.partition(avail, n_nodes - 1)[n_nodes - 1])


@kernel
def _reserve_gang(board: Board, slot: int, now_s: float) -> float:
    jobs = board.jobs
    n_nodes = jobs.n_nodes_min[slot] if jobs.n_nodes_min[slot] > 0 else jobs.n_nodes[slot]
    from_s, best = INF, NONE
    need_s = left_s(board, slot, now_s) * jobs.n_nodes[slot] / n_nodes  # on fewer nodes its work takes longer
    for klass in range(board.classes.shape[0]):
        if may_run_on(board, slot, klass) and board.classes.n_nodes[klass] >= n_nodes:
            at_s = _gang_from_s(board, slot, klass, n_nodes, need_s, now_s)
            if at_s < from_s:
                from_s, best = at_s, klass
    if best == NONE:
        return INF
    first, left = board.classes.first[best], n_nodes
    for is_tie in (False, True):  # those that are free before, then as many of those free just then as are needed
        for node in range(first, first + board.classes.n_nodes[best]):
            free_s = _avail_s(board, node, now_s) if left > 0 else INF
            if (free_s == from_s if is_tie else free_s < from_s) and window_allows(
                board, slot, node, free_s, free_s + need_s
            ):
                _hold(board, node, from_s, from_s + need_s, 0, 0, 0)
                left -= 1
    return from_s


# -- one part beside others ----------------------------------------------------------------------------------------------


@kernel
def _reserve_single(board: Board, slot: int, now_s: float) -> float:
    """The earliest of: beside an earlier reservation, after one, or on the node where declared ends first leave room."""
    jobs, nodes = board.jobs, board.nodes
    need_s = left_s(board, slot, now_s)
    from_s, best, is_beside = INF, NONE, False
    for index in range(board.g.n_held[0]):
        node = board.held[index]
        if not may_run_on(board, slot, nodes.klass[node]) or not _could_fit(board, slot, node):
            continue
        beside = (
            jobs.gpus[slot] <= nodes.spare_gpus[node]
            and jobs.mcpu[slot] <= nodes.spare_mcpu[node]
            and jobs.mem_mib[slot] <= nodes.spare_mem_mib[node]
        )
        at_s = max(now_s, float(nodes.hold_from_s[node])) if beside else float(nodes.avail_s[node])
        if (at_s < from_s or (at_s == from_s and node < best)) and window_allows(
            board, slot, node, at_s, at_s + need_s
        ):
            from_s, best, is_beside = at_s, node, beside
    other_s, other = _first_release(board, slot, now_s, need_s, from_s)
    if other != NONE and (other_s < from_s or (other_s == from_s and other < best)):
        free_gpus = nodes.free_gpus[other] + nodes.freed_gpus[other]
        free_mcpu = nodes.free_mcpu[other] + nodes.freed_mcpu[other]
        free_mem = nodes.free_mem_mib[other] + nodes.freed_mem_mib[other]
        until_s = max(whole_free_s(board, other, now_s), other_s + need_s)
        _hold(
            board, other, other_s, until_s,
            free_gpus - jobs.gpus[slot], free_mcpu - jobs.mcpu[slot], free_mem - jobs.mem_mib[slot],
        )  # fmt: skip
        return other_s
    if best == NONE:
        return INF
    if is_beside:
        _hold(
            board, best, from_s, from_s + need_s, nodes.spare_gpus[best] - jobs.gpus[slot],
            nodes.spare_mcpu[best] - jobs.mcpu[slot], nodes.spare_mem_mib[best] - jobs.mem_mib[slot],
        )  # fmt: skip
    else:
        _hold(board, best, from_s, from_s + need_s, 0, 0, 0)
    return from_s


@kernel
def _could_fit(board: Board, slot: int, node: int) -> bool:
    """Whether an empty node would be large enough."""
    jobs, nodes = board.jobs, board.nodes
    return bool(
        nodes.up[node] == UP
        and jobs.gpus[slot] <= nodes.n_gpus[node]
        and jobs.mcpu[slot] <= nodes.mcpu[node]
        and jobs.mem_mib[slot] <= nodes.mem_mib[node]
    )


@kernel
def _release(board: Board, ended: int, node: int) -> None:
    """Count what an expected end frees on a node."""
    nodes, jobs = board.nodes, board.jobs
    if nodes.freed_stamp[node] != board.g.freed_stamp[0]:
        nodes.freed_stamp[node] = board.g.freed_stamp[0]
        nodes.freed_gpus[node] = nodes.freed_mcpu[node] = nodes.freed_mem_mib[node] = 0
    nodes.freed_gpus[node] += nodes.n_gpus[node] if jobs.gang[ended] else jobs.gpus[ended]
    nodes.freed_mcpu[node] += jobs.mcpu[ended]
    nodes.freed_mem_mib[node] += jobs.mem_mib[ended]


@kernel
def _fits_then(board: Board, slot: int, node: int) -> bool:
    jobs, nodes = board.jobs, board.nodes
    return bool(
        jobs.gpus[slot] <= nodes.free_gpus[node] + nodes.freed_gpus[node]
        and jobs.mcpu[slot] <= nodes.free_mcpu[node] + nodes.freed_mcpu[node]
        and jobs.mem_mib[slot] <= nodes.free_mem_mib[node] + nodes.freed_mem_mib[node]
    )


@kernel
def _first_release(board: Board, slot: int, now_s: float, need_s: float, before_s: float) -> tuple[float, int]:
    """Where and when expected ends first leave room for one part, on nodes that nothing is reserved on."""
    jobs, nodes, g = board.jobs, board.nodes, board.g
    g.freed_stamp[0] += 1
    n_seen, bucket = 0, int(g.cal_s[0] // CALENDAR_S) % CALENDAR
    at_s, best = INF, NONE
    ends = np.empty(64, np.float64)
    who = np.empty(64, np.int64)
    for _ in range(CALENDAR):
        if n_seen >= g.n_cal[0] or best != NONE:
            break
        n, other = 0, board.calendar[bucket]
        while other != NONE:
            if n == ends.shape[0]:
                ends, who = np.append(ends, np.empty(n)), np.append(who, np.empty(n, np.int64))
            ends[n], who[n] = jobs.ends_s[other], other
            n += 1
            other = jobs.cal_next[other]
        n_seen += n
        for index in np.argsort(ends[:n], kind="mergesort") if n > 1 else np.arange(n):
            end_s = max(now_s, ends[index])
            if end_s > before_s or (best != NONE and end_s > at_s):
                return at_s, best
            node = jobs.node[who[index]]
            while node != NONE:
                if (
                    nodes.up[node] == UP
                    and nodes.stamp[node] != g.turn[0]
                    and may_run_on(board, slot, nodes.klass[node])
                ):
                    _release(board, who[index], node)
                    if (
                        (best == NONE or node < best)
                        and _fits_then(board, slot, node)
                        and window_allows(board, slot, node, end_s, end_s + need_s)
                    ):
                        at_s, best = end_s, node
                node = nodes.gang_next[node] if jobs.gang[who[index]] else NONE
        bucket = (bucket + 1) % CALENDAR
    return at_s, best
