"""Where a job could run, and what is promised to those who wait for room (rules 7 and 9), in plain Python."""

from __future__ import annotations

from dataclasses import dataclass

from tests.helpers.plain_park import FULL_MCPU, FULL_MIB, INF, UP, PlainJob, PlainNode, PlainPark


@dataclass
class Hold:
    """What is reserved on a node: from when, until when, and what is left beside it."""

    from_s: float
    until_s: float
    gpus: int
    mcpu: int
    mem_mib: int

    def fits(self, job: PlainJob) -> bool:
        """Whether a single fits beside."""
        return job.gpus <= self.gpus and job.mcpu <= self.mcpu and job.mem_mib <= self.mem_mib

    def note_start(self, job: PlainJob, ends_s: float) -> None:
        """A job has started on the node."""
        self.until_s = max(self.until_s, ends_s)
        if ends_s >= self.from_s:
            self.take(job)

    def take(self, job: PlainJob) -> None:
        """A single is put beside."""
        self.gpus, self.mcpu, self.mem_mib = self.gpus - job.gpus, self.mcpu - job.mcpu, self.mem_mib - job.mem_mib


def fits(job: PlainJob, free: tuple[int, int, int]) -> bool:
    """Whether a part of a job fits into free GPUs, CPUs, MiB."""
    return job.gpus <= free[0] and job.mcpu <= free[1] and job.mem_mib <= free[2]


def window_allows(park: PlainPark, node: PlainNode, job: PlainJob, now_s: float, until_s: float) -> bool:
    """Whether a node's window leaves time for a job."""
    if node.window is None:
        return True
    from_s, to_s, owner = node.window
    return now_s >= to_s or until_s <= from_s or (owner != -1 and park.under(job.leaf, owner))


def promise_allows(holds: dict[int, Hold], node: PlainNode, job: PlainJob, until_s: float) -> bool:
    """Whether what is reserved on a node leaves time or place for a job."""
    hold = holds.get(node.index)
    return hold is None or until_s < hold.from_s or (not job.is_gang and hold.fits(job))


def single_room(
    park: PlainPark, job: PlainJob, holds: dict[int, Hold], now_s: float, speed: float = 1.0
) -> PlainNode | None:
    """The node for a single that runs at a speed; None if there is none."""
    until_s = now_s + park.left_s(job, now_s) / speed
    may = []
    for node in park.nodes:
        _, mcpu, mem_mib = park.free(node)
        if node.up != UP or node.klass not in job.classes or mcpu < max(FULL_MCPU, job.mcpu):
            continue
        if mem_mib < max(FULL_MIB, job.mem_mib) or not window_allows(park, node, job, now_s, until_s):
            continue
        if promise_allows(holds, node, job, until_s):
            may.append(node)
    shared = [node for node in may if tightest(park, node, job) is not None]
    if shared:
        return min(shared, key=lambda node: (park.shared(node)[tightest(park, node, job) or 0], node.index))
    may = [node for node in may if fits(job, park.free(node))]
    return min(may, key=lambda node: (park.free(node)[0], node.index), default=None)


def tightest(park: PlainPark, node: PlainNode, job: PlainJob, without: list[PlainJob] | None = None) -> int | None:
    """The shared GPU of a node with least room, in whole steps, for a part, the lowest of equal ones; None if none."""
    rooms = [(room, gpu) for gpu, room in park.shared(node, without).items() if room >= job.gpu_milli]
    return min(rooms)[1] if rooms and job.is_part else None


def gpus_for(park: PlainPark, node: PlainNode, job: PlainJob) -> int:
    """The GPUs that a single gets on a node, as a mask."""
    gpu = tightest(park, node, job)
    return lowest_gpus(park.free_mask(node), job.gpus) if gpu is None else 1 << gpu


def lowest_gpus(mask: int, n: int) -> int:
    """The lowest `n` bits of a mask."""
    taken = 0
    for _ in range(n):
        taken |= mask & ~taken & -(mask & ~taken)
    return taken


def gang_room(
    park: PlainPark, job: PlainJob, n: int, holds: dict[int, Hold], now_s: float, speed: float = 1.0
) -> list[PlainNode] | None:
    """`n` whole nodes for a gang that runs at a speed; None if there are not."""
    until_s = now_s + park.left_s(job, now_s) * job.n_nodes / n / speed
    for klass in job.classes:
        empty = [node for node in _empty(park, job, klass, now_s, until_s) if promise_allows(holds, node, job, until_s)]
        if len(empty) >= n:
            return _near(empty, n)
    return None


def more_room(park: PlainPark, job: PlainJob, more: int, now_s: float, until_s: float) -> list[PlainNode] | None:
    """So many further nodes of its class for a gang that runs; None if there are not."""
    empty = _empty(park, job, job.klass, now_s, until_s)
    return _near(empty, more) if len(empty) >= more else None


def _empty(park: PlainPark, job: PlainJob, klass: int, now_s: float, until_s: float) -> list[PlainNode]:
    """Nodes of a class that are up and empty and that no window keeps from a job until then."""
    here = [node for node in park.nodes if node.klass == klass and node.up == UP and not node.jobs]
    return [node for node in here if window_allows(park, node, job, now_s, until_s)]


def _near(empty: list[PlainNode], n: int) -> list[PlainNode]:
    """`n` of these nodes, as near to each other as may be."""
    racks = {node.rack: [other for other in empty if other.rack == node.rack] for node in empty}
    pods = {node.pod: [other for other in empty if other.pod == node.pod] for node in empty}
    holding = [rack for rack in racks if len(racks[rack]) >= n]
    if holding:
        best = min(holding, key=lambda rack: (len(racks[rack]), rack))
        return racks[best][:n]
    holding = [pod for pod in pods if len(pods[pod]) >= n]
    if holding:
        order = [min(holding, key=lambda pod: (len(pods[pod]), pod))]
    else:
        order = sorted(pods, key=lambda pod: (-len(pods[pod]), pod))
    found: list[PlainNode] = []
    for pod in order:
        own = sorted({node.rack for node in pods[pod]}, key=lambda rack: (-len(racks[rack]), rack))
        for rack in own:
            found.extend(racks[rack])
    return found[:n]


def most_empty(park: PlainPark, job: PlainJob, holds: dict[int, Hold], now_s: float) -> int:
    """Empty nodes, that no window and no promise keeps now, of the class, of a job's, that has most."""
    empty = [node for node in park.nodes if node.up == UP and not node.jobs]
    empty = [node for node in empty if window_allows(park, node, job, now_s, now_s)]
    empty = [node for node in empty if promise_allows(holds, node, job, now_s)]
    return max(sum(1 for node in empty if node.klass == klass) for klass in job.classes)


def reserve(park: PlainPark, job: PlainJob, holds: dict[int, Hold], now_s: float) -> float:
    """A place for one who waits for room, after those before; when it would start."""
    return _reserve_gang(park, job, holds, now_s) if job.is_gang else _reserve_single(park, job, holds, now_s)


def _free_s(park: PlainPark, node: PlainNode, now_s: float) -> float:
    """When the last job of a node is expected to end."""
    return max([now_s, *(park.ends_s(job, now_s) for job in node.jobs)])


def _reserve_gang(park: PlainPark, job: PlainJob, holds: dict[int, Hold], now_s: float) -> float:
    n = job.least
    need_s = park.left_s(job, now_s) * job.n_nodes / n
    best: list[tuple[float, int]] = []
    best_s = INF
    for klass in job.classes:
        free = []
        for node in park.nodes:
            if node.klass == klass and node.up == UP:
                free_s = holds[node.index].until_s if node.index in holds else _free_s(park, node, now_s)
                if free_s < INF and window_allows(park, node, job, free_s, free_s + need_s):
                    free.append((free_s, node.index))
        free.sort()
        if len(free) >= n and free[n - 1][0] < best_s:
            best_s, best = free[n - 1][0], free[:n]
    for _, index in best:
        had = holds.get(index)
        holds[index] = Hold(best_s if had is None else had.from_s, best_s + need_s, 0, 0, 0)
    return best_s


def _room_s(park: PlainPark, node: PlainNode, job: PlainJob, now_s: float) -> float:
    """When an expected end leaves room for a single on a node."""
    left_s = park.left_s(job, now_s)
    for end_s in sorted(park.ends_s(other, now_s) for other in node.jobs):
        gone = [other for other in node.jobs if park.ends_s(other, now_s) <= end_s]
        has_room = end_s < INF and fits(job, park.free(node, gone))
        if has_room and window_allows(park, node, job, end_s, end_s + left_s):
            return end_s
    return INF


def _reserve_single(park: PlainPark, job: PlainJob, holds: dict[int, Hold], now_s: float) -> float:
    best_s, best, how = INF, -1, ""
    left_s = park.left_s(job, now_s)
    for node in park.nodes:
        row = park.classes[node.klass]
        if node.up != UP or node.klass not in job.classes or not fits(job, (row.n_gpus, row.mcpu, row.mem_mib)):
            continue
        hold = holds.get(node.index)
        if hold is None:
            at_s, way = _room_s(park, node, job, now_s), "first"
        elif hold.fits(job):
            at_s, way = hold.from_s, "beside"
        else:
            at_s, way = hold.until_s, "after"
        if at_s < best_s and window_allows(park, node, job, at_s, at_s + left_s):
            best_s, best, how = at_s, node.index, way
    if best == -1:
        return INF
    node = park.nodes[best]
    if how == "first":
        gone = [other for other in node.jobs if park.ends_s(other, now_s) <= best_s]
        gpus, mcpu, mem = park.free(node, gone)
        holds[best] = Hold(best_s, max(_free_s(park, node, now_s), best_s + left_s), gpus, mcpu, mem)
        holds[best].take(job)
    elif how == "beside":
        holds[best].take(job)
        holds[best].until_s = max(holds[best].until_s, best_s + left_s)
    else:
        holds[best] = Hold(holds[best].from_s, best_s + left_s, 0, 0, 0)
    return best_s
