"""Kernels of promises: when and where the first jobs that wait for room will start, under what is believed now.

A reservation holds nodes from an instant on. Whoever passes must end before it or fit beside it, so no start that has
been reserved moves later by a backfill. All of it is scratch of one turn: nothing is remembered from turn to turn, so a
turn depends on the state alone. What `board.release_s` keeps follows from the jobs on the nodes: it only saves walking.

A GPU that is shared is free when the last of its jobs is expected to have ended. Who waits for a part is promised a
whole GPU, and a part that starts beside a reservation takes one of what is spare there, wherever it comes to lie.
"""

from __future__ import annotations

from eureka_park.compute.core.board import INF, NONE, UP, Array, Board
from eureka_park.compute.core.gangs import may_run_on
from eureka_park.compute.core.rooms import n_bits, window_allows
from eureka_park.compute.core.standing import left_s
from eureka_park.foundation.kernels import kernel, prefetch

STRIDE = 64  # nodes that are looked at together

# -- when nodes come free ----------------------------------------------------------------------------------------------


@kernel
def _refresh(board: Board) -> None:
    """Work out anew when nodes come free where jobs have come, gone or changed; held ones are looked at next turn."""
    g, kept = board.g[0], 0
    for index in range(g.n_stale):
        _fetch(board, index)
        node = board.nodes[index].stale_at
        if board.nodes[node].stamp == g.turn:
            board.nodes[kept].stale_at = node
            kept += 1
        else:
            board.nodes[node].stale = 0
            _note_releases(board, node)
    g.n_stale = kept


@kernel
def _fetch(board: Board, index: int) -> None:
    """Bring nodes that are looked at soon, and their first jobs, nearer: each is known when the one before is."""
    n, nodes, jobs = board.g[0].n_stale, board.nodes, board.jobs
    if index + 12 < n:
        prefetch(nodes, nodes[index + 12].stale_at, 0, 1)
    if index + 8 < n:
        prefetch(jobs, nodes[nodes[index + 8].stale_at].first_job, 0, 1)
    if index + 4 < n:
        slot = nodes[nodes[index + 4].stale_at].first_job
        if slot != NONE:
            prefetch(jobs, jobs[slot].node_next, 0, 1)


@kernel
def _note_releases(board: Board, node: int) -> None:
    """Keep when expected ends first leave so many GPUs of a node free (row by number), and all of it (last row)."""
    here, jobs, release_s = board.nodes[node], board.jobs, board.release_s
    whole = release_s.shape[0] - 1
    for row in range(whole):
        release_s[row, node] = INF
    release_s[whole, node] = -INF if here.up == UP else INF
    if here.up != UP or here.n_jobs == 0:
        return
    slot = here.first_job
    if jobs[slot].gang:
        for row in range(here.n_gpus + 1):
            release_s[row, node] = jobs[slot].ends_s
        release_s[whole, node] = jobs[slot].ends_s
        return
    if here.n_parts > 0:
        _note_shared(board, node)
    else:
        _note_whole(board, node)
    while slot != NONE:
        release_s[whole, node] = max(release_s[whole, node], jobs[slot].ends_s)
        slot = jobs[slot].node_next


@kernel
def _note_whole(board: Board, node: int) -> None:
    """Keep when so many GPUs of a node are free, none of which is shared."""
    here, jobs, release_s = board.nodes[node], board.jobs, board.release_s
    slot, at_s, n_free, row = here.first_job, -INF, here.free_gpus, 0
    while at_s < INF:  # from one expected end to the next
        after_s, n_freed, other = INF, 0, slot
        while other != NONE:
            end_s = jobs[other].ends_s
            if end_s > at_s:
                if end_s < after_s:
                    after_s, n_freed = end_s, 0
                if end_s == after_s:
                    n_freed += jobs[other].gpus
            other = jobs[other].node_next
        n_free += n_freed
        while after_s < INF and row <= n_free:
            release_s[row, node] = after_s
            row += 1
        if row > here.n_gpus:
            break
        at_s = after_s


@kernel
def _note_shared(board: Board, node: int) -> None:
    """The same where GPUs are shared: each is free when the last of its jobs has ended."""
    here, jobs, release_s = board.nodes[node], board.jobs, board.release_s
    for row in range(1, here.n_gpus + 1):
        release_s[row, node] = -INF
    first_s, slot = INF, here.first_job
    while slot != NONE:
        first_s, mask, row = min(first_s, jobs[slot].ends_s), jobs[slot].gpu_mask, 1
        while mask != 0:
            if mask & 1:
                release_s[row, node] = max(release_s[row, node], jobs[slot].ends_s)
            mask >>= 1
            row += 1
        slot = jobs[slot].node_next
    release_s[0, node] = first_s
    for row in range(1, here.n_gpus + 1):  # in the order of time
        at_s, at = max(first_s, release_s[row, node]), row
        while at > 1 and release_s[at - 1, node] > at_s:
            release_s[at, node] = release_s[at - 1, node]
            at -= 1
        release_s[at, node] = at_s


@kernel
def _any_by(free_s: Array, limit_s: float) -> bool:
    """Whether any of some nodes is free by then; without a branch for each, so that many are compared at once."""
    n = 0
    for index in range(free_s.shape[0]):
        n += free_s[index] <= limit_s
    return n > 0


# -- holding nodes -----------------------------------------------------------------------------------------------------


@kernel
def _hold(board: Board, node: int, from_s: float, until_s: float, gpus: int, mcpu: int, mem_mib: int) -> None:
    """Hold a node from an instant on; what is spare beside the reservation at that instant."""
    here, g, release_s = board.nodes[node], board.g[0], board.release_s
    if here.stamp == g.turn:
        here.hold_from_s = min(here.hold_from_s, from_s)
        here.avail_s = max(here.avail_s, until_s)
    else:
        here.stamp = g.turn
        here.hold_from_s, here.avail_s = from_s, until_s
        board.nodes[g.n_held].held = node
        g.n_held += 1
        for row in range(release_s.shape[0] - 1):
            release_s[row, node] = INF
        if not here.stale:
            here.stale = 1
            board.nodes[g.n_stale].stale_at = node
            g.n_stale += 1
    release_s[release_s.shape[0] - 1, node] = here.avail_s
    here.spare_gpus, here.spare_mcpu, here.spare_mem_mib = gpus, mcpu, mem_mib


@kernel
def note_start(board: Board, slot: int, node: int) -> None:
    """A job has just started on a node: what it takes beside a reservation is spare no longer."""
    here, job = board.nodes[node], board.jobs[slot]
    if here.stamp != board.g[0].turn:
        return
    here.avail_s = max(here.avail_s, job.ends_s)
    board.release_s[board.release_s.shape[0] - 1, node] = here.avail_s
    if job.ends_s >= here.hold_from_s:
        here.spare_gpus -= job.gpus
        here.spare_mcpu -= job.mcpu
        here.spare_mem_mib -= job.mem_mib


@kernel
def reserve(board: Board, slot: int, now_s: float) -> float:
    """Hold what a job that waits for room will need, as early as it can be; from when, INF for never as far as seen."""
    _refresh(board)
    if board.jobs[slot].gang:
        return _reserve_gang(board, slot, now_s)
    return _reserve_single(board, slot, now_s)


# -- gangs -------------------------------------------------------------------------------------------------------------


@kernel
def _gang_from_s(board: Board, slot: int, klass: int, n_nodes: int, need_s: float, now_s: float) -> float:
    """When so many nodes of a class are first free together, each for as long as is needed.

    The soonest `n_nodes` found so far stand in a heap, the latest of them on top.
    """
    free, nodes, n = board.release_s[board.release_s.shape[0] - 1], board.nodes, 0
    first, limit_s, node = board.classes[klass].first, INF, board.classes[klass].first - 1
    end = first + board.classes[klass].n_nodes
    while node + 1 < end:
        node += 1
        if (node - first) % STRIDE == 0 and not _any_by(free[node : min(node + STRIDE, end)], limit_s):
            node += STRIDE - 1
            continue
        free_s = max(now_s, free[node])
        if free_s == INF or (n == n_nodes and free_s >= nodes[0].soonest_s):
            continue
        if not window_allows(board, slot, node, free_s, free_s + need_s):
            continue
        if n < n_nodes:
            n += 1
            at = n - 1
            while at > 0 and nodes[(at - 1) >> 1].soonest_s < free_s:
                nodes[at].soonest_s = nodes[(at - 1) >> 1].soonest_s
                at = (at - 1) >> 1
        else:
            at = 0
            while True:
                child = 2 * at + 1
                if child + 1 < n and nodes[child + 1].soonest_s > nodes[child].soonest_s:
                    child += 1
                if child >= n or nodes[child].soonest_s <= free_s:
                    break
                nodes[at].soonest_s = nodes[child].soonest_s
                at = child
        nodes[at].soonest_s = free_s
        if n == n_nodes:
            limit_s = nodes[0].soonest_s
    return float(nodes[0].soonest_s) if n == n_nodes else INF


@kernel
def _reserve_gang(board: Board, slot: int, now_s: float) -> float:
    job = board.jobs[slot]
    n_nodes = job.n_nodes_min if job.n_nodes_min > 0 else job.n_nodes
    from_s, best = INF, NONE
    need_s = left_s(board.jobs[slot], now_s) * job.n_nodes / n_nodes  # on fewer nodes its work takes longer
    for klass in range(board.classes.shape[0]):
        if may_run_on(board, slot, klass) and board.classes[klass].n_nodes >= n_nodes:
            at_s = _gang_from_s(board, slot, klass, n_nodes, need_s, now_s)
            if at_s < from_s:
                from_s, best = at_s, klass
    if best == NONE:
        return INF
    n = _pick_soonest(board, slot, best, n_nodes, from_s, need_s, now_s)
    for index in range(n):  # held once all are chosen: a job with no declared work left holds them for no time
        _hold(board, board.nodes[index].pick, from_s, from_s + need_s, 0, 0, 0)
    return from_s


@kernel
def _pick_soonest(board: Board, slot: int, klass: int, n_nodes: int, from_s: float, need_s: float, now_s: float) -> int:
    """Choose nodes that are free by then: those that are free before, then as many of those free just then as are
    needed; how many.
    """
    free, first, n = board.release_s[board.release_s.shape[0] - 1], board.classes[klass].first, 0
    end = first + board.classes[klass].n_nodes
    for is_tie in range(1 if from_s <= now_s else 0, 2):
        for begin in range(first, end, STRIDE):
            if n == n_nodes:
                return n
            if not _any_by(free[begin : min(begin + STRIDE, end)], from_s):
                continue
            for node in range(begin, min(begin + STRIDE, end)):
                if n == n_nodes or free[node] > from_s:
                    continue
                free_s = max(now_s, free[node])
                if (free_s == from_s) != (is_tie == 1) or not window_allows(board, slot, node, free_s, free_s + need_s):
                    continue
                board.nodes[n].pick = node
                n += 1
    return n


# -- one part beside others --------------------------------------------------------------------------------------------


@kernel
def _fits_into(board: Board, slot: int, gpus: int, mcpu: int, mem_mib: int) -> bool:
    job = board.jobs[slot]
    return bool(job.gpus <= gpus and job.mcpu <= mcpu and job.mem_mib <= mem_mib)


@kernel
def _reserve_single(board: Board, slot: int, now_s: float) -> float:
    """The earliest of: beside an earlier reservation, after one, or on the node where ends first leave room."""
    nodes, job = board.nodes, board.jobs[slot]
    need_s = left_s(board.jobs[slot], now_s)
    from_s, best, is_beside = INF, NONE, False
    for index in range(board.g[0].n_held):
        node = board.nodes[index].held
        here = nodes[node]
        # an empty node would have to be large enough
        if not _fits_into(board, slot, here.n_gpus, here.mcpu, here.mem_mib) or here.up != UP:
            continue
        beside = _fits_into(board, slot, here.spare_gpus, here.spare_mcpu, here.spare_mem_mib)
        at_s = max(now_s, here.hold_from_s) if beside else here.avail_s
        if at_s > from_s or (at_s == from_s and node >= best) or not may_run_on(board, slot, here.klass):
            continue
        if window_allows(board, slot, node, at_s, at_s + need_s):
            from_s, best, is_beside = at_s, node, beside
    other_s, other = _first_release(board, slot, now_s, need_s, from_s)
    if other != NONE and (other_s < from_s or (other_s == from_s and other < best)):
        gpus, mcpu, mem_mib, _ = _free_then(board, other, other_s, now_s)
        whole_s = max(now_s, board.release_s[board.release_s.shape[0] - 1, other])
        until_s = max(whole_s, other_s + need_s)
        _hold(board, other, other_s, until_s, gpus - job.gpus, mcpu - job.mcpu, mem_mib - job.mem_mib)
        return other_s
    if best == NONE:
        return INF
    here, until_s = nodes[best], from_s + need_s
    if is_beside:
        gpus, mcpu, mem_mib = here.spare_gpus - job.gpus, here.spare_mcpu - job.mcpu, here.spare_mem_mib - job.mem_mib
        _hold(board, best, from_s, until_s, gpus, mcpu, mem_mib)
    else:
        _hold(board, best, from_s, until_s, 0, 0, 0)
    return from_s


@kernel
def _free_then(board: Board, node: int, at_s: float, now_s: float) -> tuple[int, int, int, float]:
    """GPUs, CPUs and memory that are free on a node once all that ends by `at_s` has, and the next end."""
    here, jobs = board.nodes[node], board.jobs
    gpus, mcpu, mem_mib, next_s, slot = here.free_gpus, here.free_mcpu, here.free_mem_mib, INF, here.first_job
    held = 0  # GPUs of which anybody holds a part still
    if slot != NONE and jobs[slot].gang:
        return here.n_gpus, here.mcpu, here.mem_mib, INF
    while slot != NONE:
        end_s = max(now_s, jobs[slot].ends_s)
        if end_s <= at_s:
            gpus += jobs[slot].gpus
            mcpu += jobs[slot].mcpu
            mem_mib += jobs[slot].mem_mib
        else:
            next_s = min(next_s, end_s)
            if here.n_parts > 0:
                held |= jobs[slot].gpu_mask
        slot = jobs[slot].node_next
    if here.n_parts > 0:
        gpus = here.n_gpus - n_bits(held)
    return gpus, mcpu, mem_mib, next_s


@kernel
def _first_release(board: Board, slot: int, now_s: float, need_s: float, before_s: float) -> tuple[float, int]:
    """Where and when expected ends first leave room for one part, on nodes that nothing is reserved on."""
    gpus, best_s, best, limit_s = board.jobs[slot].gpus, INF, NONE, before_s
    release_s = board.release_s[gpus]
    for klass in range(board.classes.shape[0]):
        if not may_run_on(board, slot, klass) or gpus > board.classes[klass].n_gpus:
            continue
        end = board.classes[klass].first + board.classes[klass].n_nodes
        for first in range(board.classes[klass].first, end, STRIDE):
            if not _any_by(release_s[first : min(first + STRIDE, end)], limit_s):
                continue
            for node in range(first, min(first + STRIDE, end)):
                at_s = max(now_s, release_s[node])  # GPUs may be free then, other things later
                while at_s < best_s and at_s <= before_s:
                    free_gpus, mcpu, mem_mib, next_s = _free_then(board, node, at_s, now_s)
                    if _fits_into(board, slot, free_gpus, mcpu, mem_mib) and window_allows(
                        board, slot, node, at_s, at_s + need_s
                    ):
                        best_s, best, limit_s = at_s, node, at_s
                    at_s = next_s
    return best_s, best
