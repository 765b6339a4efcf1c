"""A small world in steps of time, the same for the plain policy and for the kernels: jobs, weather, failures, windows.

What happens is told to every side in the same order; each then decides, and what it does is compared. The truth follows
the first side: a started job runs from the next step on, a pausing one is paused at the next, a job ends when it has
done its true work or at the step after it was ended for its time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from tests.helpers.plain_ladder import Action
from tests.helpers.plain_park import (
    BATCH,
    DOWN,
    DRAINED,
    FIRM,
    FLEX,
    GREEN,
    INF,
    SERVICE,
    UP,
    PlainClass,
    PlainInterval,
    PlainRules,
    q,
)

T0_S = 1_767_225_600.0  # an hour begins
HOUR_S = 3600.0


@dataclass(frozen=True)
class JobRow:
    """A job as declared, when it comes, and its true work in seconds at full speed."""

    submit_s: float
    leaf: int
    tier: int
    job_class: int
    n_nodes: int
    n_nodes_min: int
    gpus: int
    mcpu: int
    mem_mib: int
    classes: tuple[int, ...]
    time_s: float
    true_s: float
    deadline_s: float
    priority: int
    checkpoint: bool
    is_first: bool
    declared_kw: float
    power_frac: float
    gpu_milli: int = 1000


@dataclass(frozen=True)
class NodeChange:
    """A node fails, comes up or is drained; or a window is set on it."""

    at_s: float
    node: int
    up: int | None = None
    window: tuple[float, float, int] | None = None


@dataclass
class Scene:
    """All that is given: the park, its policy, and what will happen."""

    rules: PlainRules
    classes: list[PlainClass]
    shares: list[tuple[int, float, float]]  # parent, weight, floor
    jobs: list[JobRow]
    changes: list[NodeChange]
    plans: list[list[PlainInterval]]  # one an hour, each from its hour on; an empty one: no plan
    step_s: float
    n_steps: int
    nodes_per_rack: int = 2
    racks_per_pod: int = 2


class Side(Protocol):
    """What decides."""

    def submit(self, order: int, row: JobRow) -> None:
        """A job comes."""

    def happens(self, what: str, order: int, now_s: float) -> None:
        """A job has `started`, `paused`, `ended`, or is `requeued`."""

    def change(self, change: NodeChange) -> None:
        """A node changes."""

    def turn(self, plan: Sequence[PlainInterval], now_s: float) -> list[Action]:
        """Decide."""


@dataclass
class Truth:
    """Where a job really is."""

    row: JobRow
    state: str = "waits"
    nodes: tuple[int, ...] = ()
    work_s: float = 0.0
    speed: float = 0.0
    cap_frac: float = 1.0
    is_over: bool = False  # ended for its time
    starts: list[float] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    caps: list[tuple[float, float]] = field(default_factory=list)
    ended_s: float | None = None


class World:
    """The truth, and the sides that are told of it."""

    def __init__(self, scene: Scene, sides: Sequence[Side]) -> None:
        self.scene, self.sides = scene, sides
        self.jobs: dict[int, Truth] = {}
        self.alive: list[int] = []
        self.now_s = T0_S
        self.n_told = self.n_changed = 0
        self.down: set[int] = set()

    def play(self) -> None:
        """All steps. Raises AssertionError where two sides do not do the same."""
        for _ in range(self.scene.n_steps):
            self.step()

    def step(self) -> list[Action]:
        """One step: what happened, then a turn of each side; what the first does is done."""
        self.happen()
        hour = int((self.now_s - T0_S) // HOUR_S)
        plan = self.scene.plans[hour] if hour < len(self.scene.plans) else []
        done = [side.turn(plan, self.now_s) for side in self.sides]
        for other in done[1:]:
            if other != done[0]:
                at = next((i for i, (a, b) in enumerate(zip(done[0], other, strict=False)) if a != b), "end")
                raise AssertionError(f"at {self.now_s - T0_S:g} s action {at}:\n{done[0]}\n{other}")
        for action in done[0]:
            self.act(action)
        self.now_s += self.scene.step_s
        return done[0]

    def tell(self, what: str, order: int) -> None:
        """Tell all sides."""
        for side in self.sides:
            side.happens(what, order, self.now_s)

    def happen(self) -> None:
        """What has happened since the last step: work, nodes, ends, pauses, starts, arrivals."""
        for order in self.alive:
            job = self.jobs[order]
            job.work_s += job.speed * self.scene.step_s if job.state in ("runs", "pausing") else 0.0
        self.change_nodes()
        for order in list(self.alive):
            self.come_about(order)
        while self.n_told < len(self.scene.jobs) and self.scene.jobs[self.n_told].submit_s <= self.now_s:
            row = self.scene.jobs[self.n_told]
            for side in self.sides:
                side.submit(self.n_told, row)
            self.jobs[self.n_told] = Truth(row)
            self.alive.append(self.n_told)
            self.n_told += 1

    def come_about(self, order: int) -> None:
        """What the last turn asked of a job has come about, or it has done its work."""
        job = self.jobs[order]
        if job.state == "pausing":
            job.state, job.nodes, job.speed = "waits", (), 0.0
            self.tell("paused", order)
        elif job.state == "starts":
            job.state, job.cap_frac = "runs", 1.0
            self.set_speed(job)
            self.tell("started", order)
        elif job.is_over or (job.state == "runs" and job.work_s >= job.row.true_s):
            job.state, job.nodes, job.ended_s = "ended", (), self.now_s
            self.alive.remove(order)
            self.tell("ended", order)

    def set_speed(self, job: Truth) -> None:
        """Work per second under its cap and on its nodes."""
        caps = {cap: speed for cap, _, speed in self.scene.rules.caps}
        frac = caps[job.cap_frac] if job.row.gpus > 0 else job.cap_frac
        job.speed = frac * len(job.nodes) / job.row.n_nodes

    def change_nodes(self) -> None:
        """Failures, repairs, drains, windows; jobs of a failed node are lost."""
        while self.n_changed < len(self.scene.changes) and self.scene.changes[self.n_changed].at_s <= self.now_s:
            change = self.scene.changes[self.n_changed]
            self.n_changed += 1
            if change.up == DOWN:
                for order in list(self.alive):
                    job = self.jobs[order]
                    if change.node in job.nodes:
                        self.tell("requeued", order)
                        job.state, job.nodes, job.speed, job.is_over = "waits", (), 0.0, False
                        job.work_s = job.work_s if job.row.checkpoint else 0.0
            for side in self.sides:
                side.change(change)

    def act(self, action: Action) -> None:
        """What the first side does, comes true."""
        job = self.jobs[action.order]
        if action.what == "start":
            assert job.state == "waits"
            job.state, job.nodes = "starts", action.nodes
            job.starts.append(self.now_s)
        elif action.what == "cap":
            job.cap_frac = action.cap_frac
            job.caps.append((self.now_s, action.cap_frac))
            self.set_speed(job)
        elif action.what == "pause":
            assert job.state == "runs"
            job.state = "pausing"
            job.pauses.append(self.now_s)
        elif action.what == "freeze":
            job.state = "frozen"
            job.pauses.append(self.now_s)
        elif action.what == "thaw":
            job.state = "runs"
        elif action.what == "resize":
            job.nodes = action.nodes
            self.set_speed(job)
        elif action.what == "end":
            job.is_over = True


# -- scenes by chance --------------------------------------------------------------------------------------------------


def random_scene(seed: int, n_jobs: int = 40, hours: int = 12, step_s: float = 120.0) -> Scene:
    """A small park, its policy and its weather, all by chance from a seed."""
    rng = random.Random(seed)
    classes = random_classes(rng)
    shares = random_shares(rng)
    rules = random_rules(rng)
    total_kw = sum(row.n_nodes * row.rated_kw for row in classes)
    return Scene(
        rules=rules,
        classes=classes,
        shares=shares,
        jobs=random_jobs(rng, n_jobs, hours, classes, shares),
        changes=random_changes(rng, classes, hours, shares),
        plans=random_plans(rng, hours + 1, total_kw),
        step_s=step_s,
        n_steps=int(hours * HOUR_S / step_s),
        nodes_per_rack=rng.choice((1, 2, 3)),
        racks_per_pod=rng.choice((1, 2)),
    )


def random_classes(rng: random.Random) -> list[PlainClass]:
    """Two classes with GPUs, one without."""
    found = []
    for gpu_type, n_gpus in ((0, 8), (1, 8), (0, 0)):
        idle_kw = q(rng.uniform(0.2, 1.0))
        found.append(
            PlainClass(
                mcpu=rng.choice((32_000, 64_000, 96_000)),
                mem_mib=rng.choice((131_072, 262_144)),
                n_gpus=n_gpus,
                gpu_type=gpu_type,
                rated_kw=q(idle_kw + rng.uniform(1.0, 8.0)),
                idle_kw=idle_kw,
                gpu_kw_max=q(rng.uniform(0.3, 1.2)) if n_gpus else 0.0,
                sleep_kw=q(idle_kw * rng.choice((1.0, 0.25))),
                n_nodes=rng.randint(1, 5),
            )
        )
    return found


def random_shares(rng: random.Random) -> list[tuple[int, float, float]]:
    """Organisations, projects, persons; some have floors."""
    rows = [(-1, 1.0, 0.0)]
    for _ in range(rng.randint(1, 3)):
        organisation = len(rows)
        rows.append((0, rng.choice((1.0, 1.0, 2.0)), rng.choice((0.0, 0.2, 0.4, 0.8))))
        for _ in range(rng.randint(1, 3)):
            project = len(rows)
            rows.append((organisation, rng.choice((1.0, 1.0, 3.0)), rng.choice((0.0, 0.15, 0.6))))
            if rng.random() < 0.5:
                rows += [(project, 1.0, 0.0)] * rng.randint(1, 3)
    return rows


def random_rules(rng: random.Random) -> PlainRules:
    """A policy."""
    caps = rng.choice(
        (
            [(1.0, 1.0, 1.0), (0.625, 0.66, 0.84), (0.5, 0.53, 0.73)],
            [(1.0, 1.0, 1.0), (0.75, 0.79, 0.91)],
            [(1.0, 1.0, 1.0), (0.875, 0.9, 0.955), (0.625, 0.66, 0.84), (0.25, 0.27, 0.21)],
        )
    )
    return PlainRules(
        sky=rng.choice(("binding", "binding", "binding", "green", "observed")),
        service_reserve_kw=q(rng.choice((0.0, 0.5))),
        caps=caps,
        min_run_s=rng.choice((0.0, 300.0, 900.0)),
        lead_s=rng.choice((0.0, 0.0, 600.0)),
        pause_gap_s=rng.choice((600.0, 1800.0, 7200.0)),
        wait_gain_frac=rng.choice((0.0, 0.1, 0.3)),
        margin_frac=rng.choice((0.0, 0.05, 0.1)),
        can_cap=rng.random() < 0.6,
        can_freeze=rng.random() < 0.7,
        can_resize=rng.random() < 0.8,
        n_considered_max=rng.choice((5, 64, 4096)),
        lookahead=rng.choice((1, 2, 16)),
        scan=rng.choice((2, 8, 64)),
        half_life_s=rng.choice((86_400.0, 604_800.0)),
        reserve_depth=rng.choice((0, 1, 4, 64)),
        reclaim_after_s=rng.choice((0.0, 0.0, 600.0, 1800.0)),
        patient_s=rng.choice((0.0, 3600.0, 172_800.0)),
        reclaim_gap_s=rng.choice((60.0, 600.0)),
    )


def random_jobs(
    rng: random.Random,
    n: int,
    hours: int,
    classes: list[PlainClass],
    shares: list[tuple[int, float, float]],
    at_once: float = 0.5,
) -> list[JobRow]:
    """Jobs of all kinds, by when they come."""
    parents = {parent for parent, _, _ in shares}
    leaves = [at for at in range(1, len(shares)) if at not in parents]
    seen: set[int] = set()
    found = []
    comes = sorted(T0_S + (0.0 if rng.random() < at_once else rng.uniform(0.0, hours * 0.7 * HOUR_S)) for _ in range(n))
    for submit_s in comes:
        leaf = rng.choice(leaves)
        is_first = leaf not in seen and rng.random() < 0.3
        seen.add(leaf)
        job = random_job(rng, submit_s, leaf, is_first, classes)
        is_over = at_once > 0.0 and rng.random() < 0.1  # nothing is left of what it declared
        found.append(replace(job, time_s=0.0) if is_over else job)
    return found


def random_job(rng: random.Random, submit_s: float, leaf: int, is_first: bool, classes: list[PlainClass]) -> JobRow:
    """One job: a gang, a part of a node with or without GPUs."""
    tier = rng.choice((FIRM, FLEX, FLEX, FLEX, GREEN, GREEN))
    time_s = rng.choice((rng.randint(1, 24) * 600.0, rng.uniform(300.0, 20_000.0)))
    true_s = time_s * rng.choice((1.0, rng.uniform(0.1, 1.0), rng.uniform(0.5, 1.0), rng.uniform(1.0, 1.4)))
    job_class = rng.choice((BATCH, BATCH, BATCH, SERVICE))
    deadline_s = INF
    if (tier != GREEN and rng.random() < 0.5) or rng.random() < 0.1:
        deadline_s = submit_s + time_s * rng.uniform(1.0, 8.0) + rng.uniform(0.0, 3600.0)
    kind = rng.choice(("gang", "gang", "gpus", "gpus", "cpus"))
    n_nodes, least, gpus, mcpu, mem_mib = 1, 0, 0, rng.choice((40, 500, 4000, 16_000)), rng.choice((10, 2048, 65_536))
    allowed = rng.choice(((0, 1), (0,), (1,))) if kind != "cpus" else rng.choice(((0, 1, 2), (2,), (2,), (0, 2)))
    if kind == "gang":
        most = max(classes[at].n_nodes for at in allowed)
        n_nodes, gpus = rng.randint(2, max(2, most)), 8
        least = rng.randint(1, n_nodes) if rng.random() < 0.7 else 0
    elif kind == "gpus":
        gpus = rng.choice((1, 1, 2, 4, 8))
    chance = random.Random(f"{submit_s} {true_s}")  # of its own, so that the other jobs stay what they are
    parts = (1000, 1000, 200, 320, 470, 630, 810, chance.randint(1, 999)) if (n_nodes, gpus) == (1, 1) else (1000,)
    return JobRow(
        submit_s=submit_s,
        leaf=leaf,
        tier=tier,
        job_class=job_class,
        n_nodes=n_nodes,
        n_nodes_min=least,
        gpus=gpus,
        mcpu=mcpu,
        mem_mib=mem_mib,
        classes=tuple(allowed),
        time_s=time_s,
        true_s=true_s,
        deadline_s=deadline_s,
        priority=rng.choice((0, 0, 0, 5, -3)),
        checkpoint=rng.random() < 0.6,
        is_first=is_first,
        declared_kw=rng.choice((0.0, 0.0, rng.uniform(0.1, 12.0))),
        power_frac=rng.choice((1.0, 0.7, rng.uniform(0.2, 1.0))),
        gpu_milli=chance.choice(parts),
    )


def random_changes(
    rng: random.Random, classes: list[PlainClass], hours: int, shares: list[tuple[int, float, float]]
) -> list[NodeChange]:
    """Failures, drains and windows."""
    n_nodes = sum(row.n_nodes for row in classes)
    found = []
    for _ in range(rng.randint(0, 4)):
        at_s, node = T0_S + rng.uniform(0.0, hours * HOUR_S), rng.randrange(n_nodes)
        found.append(NodeChange(at_s, node, up=rng.choice((DOWN, DOWN, DRAINED))))
        found.append(NodeChange(at_s + rng.uniform(0.0, 2.0 * HOUR_S), node, up=UP))
    for node in rng.sample(range(n_nodes), rng.randint(0, min(3, n_nodes))):
        from_s = T0_S + rng.uniform(1.0, hours * HOUR_S)
        window = (from_s, from_s + rng.uniform(600.0, 3.0 * HOUR_S), rng.randrange(-1, len(shares)))
        found.append(NodeChange(max(T0_S, from_s - rng.uniform(0.0, 4.0 * HOUR_S)), node, window=window))
    return sorted(found, key=lambda change: change.at_s)


def random_plans(
    rng: random.Random, hours: int, total_kw: float, least: float = 0.0, ahead: int = 12
) -> list[list[PlainInterval]]:
    """A plan for each hour: clean power that falls and rises, prices in steps, never quite what was planned before."""
    clean, level = [], rng.uniform(0.2, 1.2)
    for _ in range(hours + ahead):
        level = min(1.3, max(least, level + rng.uniform(-0.35, 0.35)))
        clean.append(level * total_kw * rng.choice((1.0, 1.0, 1.0, 1.0, 0.2)))
    grid_kw = q(rng.choice((0.0, 0.1, 0.5)) * total_kw)
    plans = []
    for hour in range(hours):
        plan = []
        for at in range(hour, hour + ahead):
            clean_kw = q(clean[at] * (1.0 if at == hour else rng.uniform(0.8, 1.2)))
            start_s = T0_S + at * HOUR_S
            first, price = max(0.1, clean_kw), rng.choice((100.0, 200.0, 400.0))
            steps = [(first, price), (first + 5.0, price * 2.0), (first + grid_kw + 5.0, 900.0)]
            p10_kw = q(clean_kw * rng.uniform(0.4, 1.0))
            plan.append(PlainInterval(start_s, start_s + HOUR_S, clean_kw, p10_kw, grid_kw, steps))
        plans.append(plan if rng.random() < 0.97 else [])
    return plans


def big_scene(seed: int, n_jobs: int = 20_000, days: float = 16.0) -> Scene:
    """A park of 18 nodes with a long queue, power that is short part of the time, and everything on."""
    rng = random.Random(seed)
    classes = [
        PlainClass(64_000, 262_144, 8, 0, q(7.25), q(0.85), q(0.7), q(0.2), 8),
        PlainClass(96_000, 524_288, 8, 1, q(11.0), q(1.15), q(1.0), q(1.15), 6),
        PlainClass(128_000, 524_288, 0, 0, q(0.9), q(0.2), 0.0, q(0.05), 4),
    ]
    shares = [(-1, 1.0, 0.0)]
    for organisation in range(3):
        shares.append((0, 1.0 + organisation % 2, (0.25, 0.1, 0.0)[organisation]))
        top = len(shares) - 1
        for project in range(2):
            shares.append((top, 1.0 + project, 0.05 * project))
            shares += [(len(shares) - 1, 1.0, 0.0)] * 2
    rules = PlainRules(
        sky="binding",
        service_reserve_kw=q(0.5),
        caps=[(1.0, 1.0, 1.0), (0.625, 0.66, 0.84), (0.5, 0.53, 0.73)],
        min_run_s=600.0,
        lead_s=600.0,
        pause_gap_s=1800.0,
        wait_gain_frac=0.1,
        margin_frac=0.05,
        can_cap=True,
        can_freeze=True,
        can_resize=True,
        n_considered_max=4096,
        lookahead=4,
        scan=16,
        half_life_s=172_800.0,
        reserve_depth=16,
        patient_s=172_800.0,
        reclaim_after_s=1800.0,
        reclaim_gap_s=600.0,
    )
    hours = int(days * 24) + 24
    jobs = [_shorter(rng, job, classes) for job in random_jobs(rng, n_jobs, int(days * 24 / 0.7), classes, shares, 0.0)]
    total_kw = sum(row.n_nodes * row.rated_kw for row in classes)
    changes = [change for _ in range(10) for change in random_changes(rng, classes, hours, shares)]
    return Scene(
        rules=rules,
        classes=classes,
        shares=shares,
        jobs=jobs,
        changes=sorted(changes, key=lambda change: change.at_s),
        plans=random_plans(rng, hours, total_kw, 0.5),
        step_s=300.0,
        n_steps=int(hours * 12),
        nodes_per_rack=3,
    )


def _shorter(rng: random.Random, job: JobRow, classes: list[PlainClass]) -> JobRow:
    """The same job, done within half an hour, more often a single."""
    while job.n_nodes > 4 or (job.n_nodes > 1 and rng.random() < 0.7):
        job = random_job(rng, job.submit_s, job.leaf, job.is_first, classes)
    time_s = rng.choice((rng.randint(1, 6) * 300.0, rng.uniform(120.0, 1800.0)))
    deadline_s = job.deadline_s
    if deadline_s < INF:
        deadline_s = job.submit_s + time_s * rng.uniform(1.0, 8.0) + rng.uniform(0.0, 86_400.0)
    return replace(job, time_s=time_s, true_s=time_s * job.true_s / job.time_s, deadline_s=deadline_s)
