"""Whether a board agrees with itself: every sum, list, bitmap, heap and calendar worked out anew from job records."""

from __future__ import annotations

import math
from collections import defaultdict

from eureka_park.compute.core import board as b
from eureka_park.compute.core.standing import would_be_bound

ON_NODES = (b.STARTING, b.RUNNING, b.PAUSING, b.FROZEN)
WAITING = (b.QUEUED, b.PAUSED)


def check_board(board: b.Board, now_s: float) -> None:
    """Raises AssertionError with what disagrees. Call it between turns, after a turn at `now_s`."""
    used = [slot for slot in range(board.jobs.shape[0]) if board.jobs.state[slot] != b.FREE]
    on = [slot for slot in used if board.jobs.state[slot] in ON_NODES]
    check_nodes(board, on)
    check_bitmaps(board)
    check_powers(board, on)
    check_lines(board, used, on)
    check_heaps(board, used, now_s)
    check_calendar(board, on)


def nodes_of(board: b.Board, slot: int) -> list[int]:
    """The nodes that a job holds, first to last."""
    node, found = int(board.jobs.node[slot]), []
    while node != b.NONE:
        found.append(node)
        node = int(board.nodes.gang_next[node]) if board.jobs.gang[slot] else b.NONE
    return found


def check_nodes(board: b.Board, on: list[int]) -> None:
    """What is free on each node is what it has less what its jobs hold; no GPU is held twice."""
    jobs, nodes, classes = board.jobs, board.nodes, board.classes
    held: dict[int, list[int]] = defaultdict(list)
    for slot in on:
        own = nodes_of(board, slot)
        assert len(own) == jobs.n_held[slot], f"job {jobs.order[slot]} holds {own}, counted {jobs.n_held[slot]}"
        for node in own:
            held[node].append(slot)
    for node in range(nodes.shape[0]):
        row = classes[nodes.klass[node]]
        gpus, mcpu, mem, mask = int(row.n_gpus), int(row.mcpu), int(row.mem_mib), (1 << int(row.n_gpus)) - 1
        shared = check_parts(board, node, held[node])
        gpus, mask = gpus - shared.bit_count(), mask & ~shared
        for slot in held[node]:
            its_mask = (1 << int(row.n_gpus)) - 1 if jobs.gang[slot] else int(jobs.gpu_mask[slot])
            assert its_mask.bit_count() == jobs.gpus[slot], f"job {jobs.order[slot]} holds {its_mask:b}"
            if jobs.gpu_milli[slot] == b.MILLI:
                assert mask & its_mask == its_mask, (
                    f"node {node}: GPUs {its_mask:b} of job {jobs.order[slot]} are held twice"
                )
                gpus, mask = gpus - int(jobs.gpus[slot]), mask & ~its_mask
            mcpu, mem = mcpu - int(jobs.mcpu[slot]), mem - int(jobs.mem_mib[slot])
        found = (nodes.free_gpus[node], nodes.free_mcpu[node], nodes.free_mem_mib[node], nodes.free_mask[node])
        assert found == (gpus, mcpu, mem, mask), f"node {node}: free {found}, worked out {(gpus, mcpu, mem, mask)}"
        assert min(gpus, mcpu, mem) >= 0, f"node {node} is overfull: {gpus}, {mcpu}, {mem}"
        assert nodes.n_jobs[node] == len(held[node])
        listed, slot = [], int(nodes.first_job[node])
        while slot != b.NONE:
            listed.append(slot)
            slot = b.NONE if jobs.gang[slot] else int(jobs.node_next[slot])
        assert sorted(listed) == sorted(held[node]), f"node {node} lists {listed}, holds {held[node]}"
    free = sum(int(nodes.free_gpus[node]) for node in range(nodes.shape[0]) if nodes.up[node] == b.UP)
    assert board.g.free_gpus[0] == free


def check_parts(board: b.Board, node: int, held: list[int]) -> int:
    """What jobs hold of shared GPUs is what is written down, and never more than a GPU; those GPUs as a mask."""
    jobs = board.jobs
    parts: dict[int, int] = defaultdict(int)
    for slot in (slot for slot in held if jobs.gpu_milli[slot] < b.MILLI):
        parts[int(jobs.gpu_mask[slot]).bit_length() - 1] += int(jobs.gpu_milli[slot])
        assert int(jobs.gpu_mask[slot]).bit_count() == 1
    assert sum(1 for slot in held if jobs.gpu_milli[slot] < b.MILLI) == board.nodes.n_parts[node]
    assert max(parts.values(), default=0) <= b.MILLI, f"node {node} shares more than a GPU: {dict(parts)}"
    for gpu in range(board.parts.shape[1]):
        assert board.parts[node, gpu] == parts[gpu], f"node {node}: {parts[gpu]} thousandths of GPU {gpu}"
    return sum(1 << gpu for gpu, milli in parts.items() if milli)


def check_bitmaps(board: b.Board) -> None:
    """Each node stands in the row of its class and free GPUs, of its shared GPUs, of empty ones, exactly if it should;
    racks stand in rows by the empty nodes that they are said to have, and these are right while they count.
    """
    nodes, classes = board.nodes, board.classes
    wanted: dict[int, set[int]] = defaultdict(set)
    for rack, n_empty in enumerate(board.empties[b.RACK]):
        if n_empty:
            wanted[int(board.g.rack_row[0]) + int(n_empty)].add(rack)
    for klass in range(classes.shape[0]):
        if classes.counted[klass] == board.g.turn[0] and classes.by_counts[klass]:
            is_here = (nodes.klass == klass) & (nodes.up == b.UP) & (nodes.n_jobs == 0)
            for kind, of in ((b.RACK, nodes.rack), (b.POD, nodes.pod)):
                for at in set(map(int, of[nodes.klass == klass])):
                    assert board.empties[kind, at] == int((is_here & (of == at)).sum())
    for node in range(nodes.shape[0]):
        row = int(classes.row[nodes.klass[node]])
        is_up = nodes.up[node] == b.UP
        if is_up and nodes.free_mcpu[node] >= 50 and nodes.free_mem_mib[node] >= 16:
            wanted[row + int(nodes.free_gpus[node])].add(node)
            for used in (int(used) for used in board.parts[node] if 0 < used <= b.MILLI - b.LEVEL_MILLI):
                wanted[int(classes.level_row[nodes.klass[node]]) + (b.MILLI - used) // b.LEVEL_MILLI].add(node)
        if is_up and nodes.n_jobs[node] == 0:
            wanted[row + int(classes.n_gpus[nodes.klass[node]]) + 1].add(node)
    for klass in classes:
        levels = [level for level in range(b.LEVELS) if wanted[int(klass.level_row) + level]]
        assert klass.levels == sum(1 << level for level in levels), f"levels {klass.levels:b}, should {levels}"
    for row in range(board.bits.shape[0]):
        found = {
            word * b.WORD + bit
            for word in range(board.bits.shape[1])
            for bit in range(b.WORD)
            if (int(board.bits[row, word]) >> bit) & 1
        }
        assert found == wanted[row], f"row {row} holds {found}, should hold {wanted[row]}"
        assert board.buckets[row, 0] == len(found)
        if found:
            assert board.buckets[row, 1] <= min(found) // b.WORD


def check_powers(board: b.Board, on: list[int]) -> None:
    """Sums of power, exact."""
    jobs, g, nodes, classes = board.jobs, board.g, board.nodes, board.classes
    sums: dict[str, float] = defaultdict(float)
    committed: dict[int, float] = defaultdict(float)
    n_on: dict[int, int] = defaultdict(int)
    for slot in on:
        kw, tier = float(jobs.drawn_kw[slot]), int(jobs.tier[slot])
        assert kw * 2**20 == math.floor(kw * 2**20), "power is a multiple of 2**-20 kW"
        sums[("firm_kw", "flex_kw", "green_kw")[tier]] += kw
        if jobs.state[slot] != b.PAUSING:
            sums["shared_kw"] += float(jobs.idle_kw[slot])
        if tier == b.FIRM and jobs.state[slot] != b.PAUSING:
            sums["firm_rated_kw"] += float(jobs.idle_kw[slot] + jobs.full_kw[slot])
        if jobs.bound[slot]:
            sums["bound_kw"] += kw
        elif tier == b.GREEN:
            sums["free_green_kw"] += kw
        at = int(jobs.leaf[slot])
        while at != b.NONE:
            committed[at] += kw
            n_on[at] += 1
            at = int(board.shares.parent[at])
    for node in range(nodes.shape[0]):
        row = classes[nodes.klass[node]]
        kw = 0.0 if nodes.up[node] == b.DOWN else float(row.idle_kw if nodes.n_jobs[node] else row.sleep_kw)
        sums["base_kw"] += kw
    for name in (
        "firm_kw",
        "flex_kw",
        "green_kw",
        "shared_kw",
        "firm_rated_kw",
        "bound_kw",
        "free_green_kw",
        "base_kw",
    ):
        assert g[name][0] == sums[name], f"{name} is {g[name][0]}, worked out {sums[name]}"
    for share in range(board.shares.shape[0]):
        assert board.shares.committed_kw[share] == committed[share], f"share {share}"
        assert board.shares.n_on[share] == n_on[share], f"share {share}"
        assert (board.used[share] >= 0.0).all()


def check_lines(board: b.Board, used: list[int], on: list[int]) -> None:
    """Lines hold who waits, in order; lists of running jobs who runs, newest first."""
    jobs, g = board.jobs, board.g
    standing: dict[int, set[int]] = defaultdict(set)
    running: dict[int, set[int]] = defaultdict(set)
    waiting: dict[int, int] = defaultdict(int)
    for slot in used:
        line = 3 * int(jobs.leaf[slot]) + int(jobs.tier[slot])
        if jobs.state[slot] in WAITING and jobs.where[slot] == b.IN_LINE:
            standing[line].add(slot)
            at = int(jobs.leaf[slot])
            while at != b.NONE:
                waiting[at] += 1
                at = int(board.shares.parent[at])
    for slot in on:
        running[3 * int(jobs.leaf[slot]) + int(jobs.tier[slot])].add(slot)
    for line in range(board.lines.shape[0]):
        listed = _walk_line(board, line)
        key = [(jobs.state[s] != b.PAUSED, -int(jobs.priority[s]), int(jobs.order[s])) for s in listed]
        assert key == sorted(key), f"line {line} is out of order"
        assert set(listed) == standing[line], f"line {line} lists {listed}, should {standing[line]}"
        assert board.lines.n[line] == len(listed)
        newest = _walk_running(board, line)
        assert set(newest) == running[line], f"line {line} lists {newest} as running, should {running[line]}"
        assert board.lines.n_on[line] == len(newest)
        down = [s for s in newest if _is_down(board, s)]
        assert board.lines.n_down[line] == len(down)
        late = [s for s in down if jobs.state[s] == b.RUNNING and jobs.bound[s] and jobs.gpus[s] > 0]
        for index, some in enumerate(([s for s in down if s not in late], late)):
            assert _walk_down(board, line, index) == sorted(some, key=lambda s: int(jobs.seq[s]))
        assert board.lines.n_up_first[line] == len(down) - len(late)
        assert board.lines.gives_kw[line] == sum(float(jobs.gives_kw[s]) for s in newest)
        can = [s for s in newest if jobs.bound[s] and jobs.state[s] == b.RUNNING and not jobs.ending[s]]
        assert board.lines.n_uncapped[line] == sum(jobs.cap_step[s] == 0 < g.n_caps[0] - 1 for s in can)
        assert board.lines.n_cappable[line] == sum(jobs.cap_step[s] < g.n_caps[0] - 1 for s in can)
        assert board.lines.n_stoppable[line] == sum(_may_stop(board, s) for s in can)
        assert board.lines.n_planned[line] == 0
        narrow = [s for s in newest if jobs.n_nodes_min[s] > 0 and jobs.n_held[s] < jobs.n_nodes[s]]
        assert board.lines.n_narrow[line] == len(narrow)
    for share in range(board.shares.shape[0]):
        assert board.shares.n_waiting[share] == waiting[share]
    away = [s for s in used if jobs.state[s] in WAITING and jobs.where[s] == b.DEFERRED]
    assert g.n_deferred[0] == len(away)
    assert g.n_waiting[0] == len(away) + sum(len(names) for names in standing.values())
    assert g.n_on[0] == len(on)
    assert g.n_narrow[0] == board.lines.n_narrow.sum()
    assert g.n_down[0] == sum(1 for slot in on if _is_down(board, slot))


def _may_stop(board: b.Board, slot: int) -> bool:
    g, job = board.g[0], board.jobs[slot]
    return bool(g.can_freeze or job.checkpoint or job.job_class == b.SERVICE or (g.can_resize and job.n_nodes_min > 0))


def _is_down(board: b.Board, slot: int) -> bool:
    state = board.jobs.state[slot]
    return bool(state == b.FROZEN or (state == b.RUNNING and board.jobs.cap_step[slot] > 0))


def _walk_line(board: b.Board, line: int) -> list[int]:
    found, run = [], int(board.lines.first_run[line])
    while run != b.NONE:
        slot, n = int(board.runs.head[run]), 0
        while slot != b.NONE:
            assert board.jobs.run[slot] == run
            found.append(slot)
            n += 1
            slot = int(board.jobs.next[slot])
        assert board.runs.n[run] == n > 0
        run = int(board.runs.next[run])
    return found


def _walk_down(board: b.Board, line: int, late: int) -> list[int]:
    """Capped and frozen jobs of a line, the oldest start first; its ends and its hint lie in it."""
    found, slot = [], int(board.lines.down_oldest[line, late])
    while slot != b.NONE:
        assert int(board.jobs.down_prev[slot]) == (found[-1] if found else b.NONE)
        found.append(slot)
        slot = int(board.jobs.down_next[slot])
    assert int(board.lines.down_newest[line, late]) == (found[-1] if found else b.NONE)
    assert (
        (int(board.lines.down_hint[line, late]) in found)
        if found
        else (int(board.lines.down_hint[line, late]) == b.NONE)
    )
    return found


def _walk_running(board: b.Board, line: int) -> list[int]:
    found, slot, before = [], int(board.lines.newest[line]), b.NONE
    while slot != b.NONE:
        assert board.jobs.prev[slot] == before
        found.append(slot)
        before, slot = slot, int(board.jobs.next[slot])
    assert board.lines.oldest[line] == before
    return found


def check_heaps(board: b.Board, used: list[int], now_s: float) -> None:
    """Every key that counts stands in its heap; heaps are in order; nobody is bound who should not be."""
    jobs, g = board.jobs, board.g
    for name in ("latest", "wake", "urgent"):
        heap, n = getattr(board, name), int(g[f"{name}_n"][0])
        rows = [(float(heap.key[at]), int(heap.order[at])) for at in range(n)]
        assert all(rows[(at - 1) // 2] <= rows[at] for at in range(1, n)), f"heap {name} is out of order"
        there = {(float(heap.key[at]), int(heap.order[at]), int(heap.slot[at])) for at in range(n)}
        beside = {"latest": (b.FRESH, "fresh_n"), "urgent": (b.BEGINS, "begins_n")}.get(name)
        fresh = {int(slot) for slot in board.heaps[beside[0]].slot[: g[beside[1]][0]]} if beside else set()
        for slot in used:
            key = float(jobs[f"{name}_key"][slot])
            if key < b.INF and slot not in fresh:
                assert (key, int(jobs.order[slot]), slot) in there, f"{name} of job {jobs.order[slot]} is missing"
    for slot in used:
        if jobs.state[slot] in ON_NODES:
            should = would_be_bound(board, slot, now_s)
            assert bool(jobs.bound[slot]) == should, f"job {jobs.order[slot]}: bound {jobs.bound[slot]}, {should}"
        elif jobs.where[slot] == b.DEFERRED:
            assert jobs.wake_key[slot] > now_s


def check_calendar(board: b.Board, on: list[int]) -> None:
    """Every job that is expected to end stands in the calendar once; loads by hour add up."""
    jobs, g = board.jobs, board.g
    there: dict[int, int] = {}
    for bucket in range(b.CALENDAR):
        slot = int(board.calendar[bucket])
        while slot != b.NONE:
            assert slot not in there
            there[slot] = bucket
            slot = int(jobs.cal_next[slot])
    ending: dict[int, float] = defaultdict(float)
    planned: dict[int, float] = defaultdict(float)
    total = 0.0
    for slot in range(jobs.shape[0]):
        if slot in there:
            kw = max(0.0, float(jobs.drawn_kw[slot] - jobs.idle_kw[slot]))
            ending[int(jobs.ends_s[slot] // 3600) % b.RING] += kw
            total += kw
        if jobs.state[slot] in WAITING and jobs.where[slot] == b.DEFERRED:
            planned[int(jobs.target_s[slot] // 3600) % b.RING] += float(jobs.planned_kw[slot])
    assert set(there) == {slot for slot in on if jobs.ends_s[slot] < b.INF}
    assert g.n_cal[0] == len(there)
    assert g.dynamic_kw[0] == total
    for hour in range(b.RING):
        assert board.ending_kw[hour] == ending[hour], f"hour {hour}"
        assert board.planned_kw[hour] == planned[hour], f"hour {hour}"
