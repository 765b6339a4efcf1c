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
    return hold is None or until_s <= hold.from_s or (not job.is_gang and hold.fits(job))


def single_room(park: PlainPark, job: PlainJob, holds: dict[int, Hold], now_s: float) -> PlainNode | None:
    """The node for a single; None if there is none."""
    until_s = now_s + park.left_s(job, now_s)
    found = None
    for node in park.nodes:
        free = park.free(node)
        if node.up != UP or node.klass not in job.classes or not fits(job, free):
            continue
        if free[1] < FULL_MCPU or free[2] < FULL_MIB:
            continue
        if not window_allows(park, node, job, now_s, until_s) or not promise_allows(holds, node, job, until_s):
            continue
        if found is None or free[0] < park.free(found)[0]:
            found = node
    return found


def lowest_gpus(mask: int, n: int) -> int:
    """The lowest `n` bits of a mask."""
    taken = 0
    for _ in range(n):
        taken |= mask & ~taken & -(mask & ~taken)
    return taken


def gang_room(park: PlainPark, job: PlainJob, n: int, holds: dict[int, Hold], now_s: float) -> list[PlainNode] | None:
    """`n` whole nodes for a gang; None if there are not."""
    until_s = now_s + park.left_s(job, now_s) * job.n_nodes / n
    for klass in job.classes:
        empty = [
            node
            for node in park.nodes
            if node.klass == klass and node.up == UP and not node.jobs
            if window_allows(park, node, job, now_s, until_s) and promise_allows(holds, node, job, until_s)
        ]
        if len(empty) >= n:
            return _near(empty, n)
    return None


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


def most_empty(park: PlainPark, job: PlainJob) -> int:
    """Empty nodes of the class, of a job's, that has most."""
    return max(
        sum(1 for node in park.nodes if node.klass == klass and node.up == UP and not node.jobs)
        for klass in job.classes
    )


def reserve(park: PlainPark, blocked: list[PlainJob], now_s: float) -> tuple[dict[int, Hold], list[float]]:
    """Places for all who wait for room, in order: what is held on each node, and when each would start."""
    holds: dict[int, Hold] = {}
    starts = [
        _reserve_gang(park, job, holds, now_s) if job.is_gang else _reserve_single(park, job, holds, now_s)
        for job in blocked
    ]
    return holds, starts


def _free_s(park: PlainPark, node: PlainNode, now_s: float) -> float:
    """When the last job of a node is expected to end."""
    return max([now_s, *(park.ends_s(job, now_s) for job in node.jobs)])


def _reserve_gang(park: PlainPark, job: PlainJob, holds: dict[int, Hold], now_s: float) -> float:
    n = job.least
    best: list[tuple[float, int]] = []
    best_s = INF
    for klass in job.classes:
        free = sorted(
            (holds[node.index].until_s if node.index in holds else _free_s(park, node, now_s), node.index)
            for node in park.nodes
            if node.klass == klass and node.up == UP
        )
        if len(free) >= n and free[n - 1][0] < best_s:
            best_s, best = free[n - 1][0], free[:n]
    for _, index in best:
        until_s = best_s + park.left_s(job, now_s) * job.n_nodes / n
        had = holds.get(index)
        holds[index] = Hold(best_s if had is None else had.from_s, until_s, 0, 0, 0)
    return best_s


def _room_s(park: PlainPark, node: PlainNode, job: PlainJob, now_s: float) -> float:
    """When expected ends leave room for a single on a node."""
    if fits(job, park.free(node)):
        return now_s
    gone: list[PlainJob] = []
    for other in sorted(node.jobs, key=lambda one: park.ends_s(one, now_s)):
        gone.append(other)
        if fits(job, park.free(node, gone)):
            return park.ends_s(other, now_s)
    return INF


def _reserve_single(park: PlainPark, job: PlainJob, holds: dict[int, Hold], now_s: float) -> float:
    best_s, best, how = INF, -1, ""
    left_s = park.left_s(job, now_s)
    for node in park.nodes:
        row = park.classes[node.klass]
        if node.up != UP or node.klass not in job.classes or not fits(job, (row.n_gpus, row.mcpu, row.mem_mib)):
            continue
        hold = holds.get(node.index)
        ways: list[tuple[float, str]]
        if hold is None:
            ways = [(_room_s(park, node, job, now_s), "first")]
        else:
            ways = [(hold.from_s, "beside")] if hold.fits(job) else []
            ways.append((hold.until_s, "after"))
        for at_s, way in ways:
            if at_s < best_s:
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
        hold, row = holds[best], park.classes[node.klass]
        rest = (row.n_gpus - job.gpus, row.mcpu - job.mcpu, row.mem_mib - job.mem_mib)
        holds[best] = Hold(
            hold.from_s,
            best_s + left_s,
            min(hold.gpus, rest[0]),
            min(hold.mcpu, rest[1]),
            min(hold.mem_mib, rest[2]),
        )
    return best_s
