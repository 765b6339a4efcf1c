"""A park in plain Python: classes of nodes, nodes, shares, jobs and what happens to them; slow and obvious.

Written from docs/operate/policy-rules.md alone. Every sum is worked out anew by looping over everything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

INF = math.inf
QUEUED, STARTING, RUNNING, PAUSING, PAUSED, FROZEN, ENDED = range(7)
ON_NODES = (STARTING, RUNNING, PAUSING, FROZEN)
FIRM, FLEX, GREEN = 0, 1, 2
BATCH, INTERACTIVE, SERVICE = 0, 1, 2
DOWN, UP, DRAINED = 0, 1, 2
HOUR_S = 3600.0
FULL_MCPU, FULL_MIB = 50, 16  # a node with less than this free counts as full


def q(kw: float) -> float:
    """Power rounded to multiples of 2**-20 kW."""
    return math.floor(kw * 2**20 + 0.5) / 2**20


@dataclass
class PlainClass:
    """Nodes of one kind."""

    mcpu: int
    mem_mib: int
    n_gpus: int
    gpu_type: int
    rated_kw: float
    idle_kw: float
    gpu_kw_max: float
    sleep_kw: float
    n_nodes: int

    @property
    def gpus_kw(self) -> float:
        """Power of all GPUs of a node beyond idle."""
        return min(self.n_gpus * self.gpu_kw_max, self.rated_kw - self.idle_kw)

    @property
    def cpus_kw(self) -> float:
        """The rest of a node's power beyond idle."""
        return self.rated_kw - self.idle_kw - self.gpus_kw


@dataclass
class PlainShare:
    """A node of the share tree, its use by resource: CPU-hours, GiB-hours, kWh, GPU-hours of five types."""

    parent: int
    weight: float
    floor_frac: float
    used: list[float] = field(default_factory=lambda: [0.0] * 8)


@dataclass(eq=False)
class PlainJob:
    """A job as declared, and where it has got to."""

    order: int
    leaf: int
    tier: int
    job_class: int
    n_nodes: int
    n_nodes_min: int
    gpus: int
    mcpu: int
    mem_mib: int
    classes: list[int]
    time_s: float
    deadline_s: float
    priority: int
    checkpoint: bool
    is_first: bool
    declared_kw: float
    power_frac: float
    submitted_s: float
    state: int = QUEUED
    nodes: list[int] = field(default_factory=list)
    gpu_milli: int = 1000  # of its one GPU
    gpu_mask: int = 0
    klass: int = -1  # of the nodes it is on
    cap: int = 0  # index of its step; 0 is none
    ran_s: float = 0.0
    since_s: float = 0.0
    began_s: float = -INF
    last_pause_s: float = -INF
    ending: bool = False
    start_number: int = -1
    expected_s: float = INF  # when it would end, as worked out when its speed last changed
    deferred: bool = False
    planned_kw: float = 0.0  # what it takes of the hour that it has chosen
    target_s: float = 0.0
    wake_s: float = INF
    refused_room_s: float = INF

    @property
    def is_gang(self) -> bool:
        """Whether it takes whole nodes."""
        return self.n_nodes > 1

    @property
    def is_part(self) -> bool:
        """Whether it takes a part of one GPU."""
        return self.gpu_milli < 1000

    @property
    def n_gpus(self) -> float:
        """GPUs on each node; a part of one counts as that."""
        return self.gpus * self.gpu_milli / 1000

    @property
    def is_elastic(self) -> bool:
        """Whether it may have fewer nodes than it asks for."""
        return self.n_nodes_min > 0

    @property
    def least(self) -> int:
        """The fewest nodes that it runs on."""
        return self.n_nodes_min if self.n_nodes_min > 0 else self.n_nodes


@dataclass
class PlainNode:
    """A machine."""

    index: int
    klass: int
    rack: int
    pod: int
    up: int = UP
    jobs: list[PlainJob] = field(default_factory=list)
    window: tuple[float, float, int] | None = None  # from, to, the share that may use it (-1: nobody)


@dataclass
class PlainInterval:
    """An hour of the plan."""

    start_s: float
    end_s: float
    clean_kw: float
    p10_kw: float
    grid_kw: float
    steps: list[tuple[float, float]]  # up to kW, price


@dataclass
class PlainRules:
    """Numbers of the policy. `caps`: (cap, power, speed) of each step, no cap first."""

    sky: str
    service_reserve_kw: float
    caps: list[tuple[float, float, float]]
    min_run_s: float
    lead_s: float
    pause_gap_s: float
    wait_gain_frac: float
    margin_frac: float
    can_cap: bool
    can_freeze: bool
    can_resize: bool
    n_considered_max: int
    lookahead: int
    scan: int
    half_life_s: float
    reserve_depth: int
    patient_s: float
    reclaim_after_s: float
    reclaim_gap_s: float


class PlainPark:
    """Everything there is, and the moves of jobs and nodes."""

    def __init__(self, rules: PlainRules, classes: list[PlainClass], shares: list[PlainShare]) -> None:
        self.rules = rules
        self.classes = classes
        self.shares = shares
        self.nodes: list[PlainNode] = []
        self.jobs: list[PlainJob] = []  # those that wait or are on nodes
        self.plan: list[PlainInterval] = []
        self.epoch_s: float | None = None
        self.n_starts = 0
        self.reclaimed_s = -INF

    # Facts of one job

    def cap_power(self, job: PlainJob, cap: int) -> float:
        """Power under a cap over power without."""
        return self.rules.caps[cap][1] if job.gpus > 0 else self.rules.caps[cap][0]

    def speed(self, job: PlainJob) -> float:
        """Work done per second."""
        frac = self.rules.caps[job.cap][2] if job.gpus > 0 else self.rules.caps[job.cap][0]
        return frac * len(job.nodes) / job.n_nodes

    def run_s(self, job: PlainJob, now_s: float) -> float:
        """Work done so far, in seconds at full speed."""
        if job.state in (RUNNING, PAUSING):
            return job.ran_s + (now_s - job.since_s) * self.speed(job)
        return job.ran_s

    def left_s(self, job: PlainJob, now_s: float) -> float:
        """Declared work that is left."""
        return max(0.0, job.time_s - self.run_s(job, now_s))

    def ends_s(self, job: PlainJob, now_s: float) -> float:
        """When its nodes are expected to be free of it."""
        if job.state == FROZEN:
            return INF
        if job.state == PAUSING or job.ending:
            return now_s
        return max(now_s, job.expected_s)

    def expect(self, job: PlainJob, now_s: float) -> None:
        """Work out when it will end, now that its speed has changed."""
        job.expected_s = now_s + self.left_s(job, now_s) / self.speed(job)

    def is_urgent(self, job: PlainJob, now_s: float) -> bool:
        """Whether it must run now to meet its deadline."""
        return now_s >= job.deadline_s - self.left_s(job, now_s) - 1

    def is_bound(self, job: PlainJob, now_s: float) -> bool:
        """Whether the sky may stop it."""
        if self.rules.sky == "observed" or job.tier == FIRM or job.is_first:
            return False
        return job.tier == GREEN or (self.rules.sky == "binding" and not self.is_urgent(job, now_s))

    def powers(self, job: PlainJob, klass: int, n: int) -> tuple[float, float, float]:
        """Idle, full and dynamic power on `n` nodes of a class; kW."""
        row = self.classes[klass]
        mcpu = row.mcpu if job.is_gang else job.mcpu
        of_idle = job.n_gpus / row.n_gpus if job.gpus > 0 else min(1.0, mcpu / row.mcpu)
        idle_kw = n * q(row.idle_kw * of_idle)
        gpus_part = row.gpus_kw * job.n_gpus / row.n_gpus if job.gpus > 0 else 0.0
        full_kw = n * q(row.cpus_kw * (mcpu / row.mcpu) + gpus_part)
        if job.declared_kw > 0:
            dynamic_kw = q(min(full_kw, max(0.0, job.declared_kw * n / job.n_nodes - idle_kw)))
        else:
            dynamic_kw = q(full_kw * job.power_frac)
        return idle_kw, full_kw, dynamic_kw

    def own_powers(self, job: PlainJob) -> tuple[float, float, float]:
        """Idle, full and dynamic power where it is, or where it would be rated while it waits."""
        if job.nodes:
            return self.powers(job, job.klass, len(job.nodes))
        return self.powers(job, job.classes[0], job.n_nodes)

    def drawn_kw(self, job: PlainJob) -> float:
        """What it draws now."""
        idle_kw, _, dynamic_kw = self.own_powers(job)
        if job.state in (STARTING, RUNNING):
            return idle_kw + q(dynamic_kw * self.cap_power(job, job.cap))
        return idle_kw if job.state == FROZEN else 0.0

    # Facts of nodes and shares

    def on_nodes(self) -> list[PlainJob]:
        """Jobs that hold nodes, by order."""
        return [job for job in self.jobs if job.state in ON_NODES]

    def waiting(self) -> list[PlainJob]:
        """Jobs that stand in a line."""
        return [job for job in self.jobs if job.state in (QUEUED, PAUSED) and not job.deferred]

    def node_kw(self, node: PlainNode) -> float:
        """What a node draws without its jobs' work."""
        if node.up == DOWN:
            return 0.0
        row = self.classes[node.klass]
        return row.idle_kw if node.jobs else row.sleep_kw

    def free(self, node: PlainNode, without: list[PlainJob] | None = None) -> tuple[int, int, int]:
        """Free whole GPUs, thousandths of CPUs and MiB; `without` jobs that are thought away."""
        row = self.classes[node.klass]
        mcpu, mem, mask = row.mcpu, row.mem_mib, 0
        for job in node.jobs:
            if without is not None and job in without:
                continue
            if job.is_gang:
                return 0, 0, 0
            mcpu, mem, mask = mcpu - job.mcpu, mem - job.mem_mib, mask | job.gpu_mask
        return row.n_gpus - mask.bit_count(), mcpu, mem

    def shared(self, node: PlainNode, without: list[PlainJob] | None = None) -> dict[int, int]:
        """Thousandths free of each GPU that jobs share, in whole steps of 20; `without` jobs that are thought away."""
        found: dict[int, int] = {}
        for job in node.jobs:
            if job.is_part and (without is None or job not in without):
                gpu = job.gpu_mask.bit_length() - 1
                found[gpu] = found.get(gpu, 1000) - job.gpu_milli
        return {gpu: room // 20 * 20 for gpu, room in found.items()}

    def free_mask(self, node: PlainNode) -> int:
        """The free GPUs, one bit each."""
        mask = (1 << self.classes[node.klass].n_gpus) - 1
        for job in node.jobs:
            mask &= 0 if job.is_gang else ~job.gpu_mask
        return mask

    def under(self, leaf: int, share: int) -> bool:
        """Whether a leaf is a share or lies below it."""
        while leaf != -1:
            if leaf == share:
                return True
            leaf = self.shares[leaf].parent
        return False

    def path(self, leaf: int) -> list[int]:
        """A leaf and all shares above."""
        found = []
        while leaf != -1:
            found.append(leaf)
            leaf = self.shares[leaf].parent
        return found

    def share_kw(self, share: int) -> float:
        """What the jobs of a share draw."""
        return sum(self.drawn_kw(job) for job in self.on_nodes() if self.under(job.leaf, share))

    def capacity(self) -> list[float]:
        """What all nodes have of each resource."""
        have = [0.0] * 8
        for row in self.classes:
            have[0] += row.n_nodes * row.mcpu / 1000
            have[1] += row.n_nodes * row.mem_mib / 1024
            have[2] += row.n_nodes * row.rated_kw
            have[3 + row.gpu_type] += row.n_nodes * row.n_gpus
        return have

    def rank(self, share: int) -> float:
        """How much of its due a share has had."""
        row = self.shares[share]
        parts = [used / have for used, have in zip(row.used, self.capacity(), strict=True) if have > 0]
        return max(parts) / row.weight

    # Moves

    def _use(self, job: PlainJob, now_s: float, sign: float) -> None:
        idle_kw, _, dynamic_kw = self.own_powers(job)
        n = len(job.nodes)
        if self.epoch_s is None:
            self.epoch_s = math.floor(now_s / HOUR_S) * HOUR_S
        weight = 2.0 ** (math.floor((now_s - self.epoch_s) / HOUR_S) * HOUR_S / self.rules.half_life_s)
        hours = self.left_s(job, now_s) / HOUR_S * weight
        row = self.classes[job.klass]
        mcpu, mem_mib = (row.mcpu, row.mem_mib) if job.is_gang else (job.mcpu, job.mem_mib)
        amounts = [0.0] * 8
        amounts[0], amounts[1], amounts[2] = n * mcpu / 1000, n * mem_mib / 1024, idle_kw + dynamic_kw
        amounts[3 + row.gpu_type] = n * job.n_gpus
        for share in self.path(job.leaf):
            used = self.shares[share].used
            for at, amount in enumerate(amounts):
                used[at] = max(0.0, used[at] + sign * amount * hours)

    def _settle(self, job: PlainJob, now_s: float) -> None:
        """Bring the work done up to now, before the speed changes."""
        job.ran_s = self.run_s(job, now_s)
        job.since_s = now_s

    def submit(self, job: PlainJob) -> None:
        """A job comes into its line."""
        self.jobs.append(job)

    def start(self, job: PlainJob, nodes: list[int], gpu_mask: int, now_s: float, cap: int = 0) -> None:
        """A job takes nodes; its command runs from `started` on."""
        job.state, job.nodes, job.gpu_mask, job.cap = STARTING, list(nodes), gpu_mask, cap
        job.klass = self.nodes[nodes[0]].klass
        job.began_s, job.ending, job.deferred, job.refused_room_s = now_s, False, False, INF
        self.n_starts += 1
        job.start_number = self.n_starts
        for node in nodes:
            self.nodes[node].jobs.append(job)
        self._use(job, now_s, 1.0)
        self.expect(job, now_s)

    def started(self, job: PlainJob, now_s: float) -> None:
        """Its command runs."""
        job.state, job.since_s, job.began_s = RUNNING, now_s, now_s
        self.expect(job, now_s)

    def leave(self, job: PlainJob, now_s: float) -> None:
        """A job leaves its nodes; what it has not used is given back."""
        self._use(job, now_s, -1.0)
        self._settle(job, now_s)
        for node in job.nodes:
            self.nodes[node].jobs.remove(job)
        job.nodes, job.gpu_mask = [], 0

    def pause(self, job: PlainJob, now_s: float) -> None:
        """Told to write its checkpoint and stop."""
        job.state, job.last_pause_s = PAUSING, now_s

    def paused(self, job: PlainJob, now_s: float) -> None:
        """It has stopped; it waits again."""
        self.leave(job, now_s)
        job.state = PAUSED

    def ended(self, job: PlainJob, now_s: float) -> None:
        """It is over."""
        self.leave(job, now_s)
        job.state = ENDED
        self.jobs.remove(job)

    def requeued(self, job: PlainJob, now_s: float) -> None:
        """It has lost its nodes and waits again: as a paused one, or from its beginning."""
        self.leave(job, now_s)
        job.state, job.ending = PAUSED if job.checkpoint else QUEUED, False
        if not job.checkpoint:
            job.ran_s = 0.0

    def set_cap(self, job: PlainJob, cap: int, now_s: float) -> None:
        """Another cap."""
        self._settle(job, now_s)
        job.cap = cap
        self.expect(job, now_s)

    def freeze(self, job: PlainJob, now_s: float) -> None:
        """It stands still on its nodes."""
        self._settle(job, now_s)
        job.state, job.last_pause_s = FROZEN, now_s

    def thaw(self, job: PlainJob, now_s: float) -> None:
        """It goes on."""
        job.state, job.since_s, job.began_s = RUNNING, now_s, now_s
        self.expect(job, now_s)

    def shrink(self, job: PlainJob, keep: int, now_s: float) -> None:
        """It gives up its last nodes, and what it would have used of them."""
        job.last_pause_s = now_s
        self._use(job, now_s, -1.0)
        self._settle(job, now_s)
        for node in job.nodes[keep:]:
            self.nodes[node].jobs.remove(job)
        job.nodes = job.nodes[:keep]
        self._use(job, now_s, 1.0)
        self.expect(job, now_s)

    def widen(self, job: PlainJob, more: list[int], now_s: float) -> None:
        """It takes further nodes after its own, and is charged for them."""
        job.last_pause_s = now_s
        self._use(job, now_s, -1.0)
        self._settle(job, now_s)
        for node in more:
            self.nodes[node].jobs.append(job)
        job.nodes = job.nodes + more
        self._use(job, now_s, 1.0)
        self.expect(job, now_s)

    def defer(self, job: PlainJob, planned_kw: float, target_s: float, wake_s: float) -> None:
        """It waits for a better hour."""
        job.deferred, job.planned_kw, job.target_s, job.wake_s = True, planned_kw, target_s, wake_s


def plain_park(
    rules: PlainRules, classes: list[PlainClass], shares: list[PlainShare], nodes_per_rack: int, racks_per_pod: int
) -> PlainPark:
    """A park with all nodes up and empty; racks and pods are counted on from class to class."""
    park = PlainPark(rules, classes, shares)
    rack = pod = 0
    for klass, row in enumerate(classes):
        for at in range(row.n_nodes):
            node = PlainNode(
                len(park.nodes), klass, rack + at // nodes_per_rack, pod + at // (nodes_per_rack * racks_per_pod)
            )
            park.nodes.append(node)
        rack, pod = park.nodes[-1].rack + 1, park.nodes[-1].pod + 1
    return park
