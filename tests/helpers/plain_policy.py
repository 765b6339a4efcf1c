"""The rules of the policy (docs/operate/policy-rules.md) in plain Python: slow, obvious, nothing remembered.

The reference that the kernels are compared with. Sections named in the comments are those of the rules.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tests.helpers.plain_ladder import Action, Ladder
from tests.helpers.plain_park import (
    FIRM,
    FLEX,
    GREEN,
    HOUR_S,
    INF,
    PAUSED,
    RUNNING,
    STARTING,
    UP,
    PlainJob,
    PlainNode,
    PlainPark,
    q,
)
from tests.helpers.plain_rooms import (
    Hold,
    fits,
    gang_room,
    gpus_for,
    more_room,
    most_empty,
    reserve,
    single_room,
    tightest,
)

PRESS_S = 43_200.0
STARTED, REFUSED, NO_CLEAN, NO_ROOM, BETTER_HOUR = "started", "refused", "clean power", "room", "better hour"


@dataclass
class LineWalk:
    """How far a turn has come in a line."""

    refused: int = 0
    scanned: int = 0
    left: bool = False
    seen: set[int] = field(default_factory=set)


def in_line(job: PlainJob) -> tuple[bool, int, int]:
    """By what jobs of a line stand in it."""
    return job.state != PAUSED, -job.priority, job.order


def plain_turn(park: PlainPark, now_s: float) -> list[Action]:
    """One turn; what it does is done to the park, and told."""
    return Turn(park, now_s).run()


class Turn(Ladder):
    """One turn of the policy (4)."""

    def __init__(self, park: PlainPark, now_s: float) -> None:
        super().__init__(park, now_s)
        self.tried: dict[int, str] = {}
        self.blocked: list[PlainJob] = []  # refused for room
        self.holds: dict[int, Hold] = {}  # what is reserved for them, by node
        self.lines: dict[tuple[int, int], LineWalk] = {}
        self.done: set[int] = set()  # leaves
        self.refused_kw = {FLEX: INF, GREEN: INF}  # the least need that was refused for want of clean power
        self.gives: dict[int, list[PlainJob]] | None = None  # running work that may be capped for others, by tier
        self.start_step = 0  # under which the present try would start
        self.load: list[float] = []

    def run(self) -> list[Action]:
        """The steps of a turn."""
        for job in self.park.jobs:
            if job.deferred and job.wake_s <= self.now_s:
                job.deferred = False
        for job in sorted(self.park.jobs, key=lambda one: one.order):
            if job.state == RUNNING and not job.ending and self.park.run_s(job, self.now_s) > job.time_s:
                job.ending = True
                self.actions.append(Action("end", job.order))
        if self.park.plan:
            self.descend()
            self.ascend(is_late=False)
            self.admit()
            self.ascend(is_late=True)
            if self.rules.can_resize and not any(how in (REFUSED, NO_CLEAN, NO_ROOM) for how in self.tried.values()):
                self.widen()
            self.reclaim()
        return self.actions

    # Admission (7)

    def work_out_load(self) -> list[float]:
        """Power that is expected in each interval; kW."""
        park = self.park
        nodes_kw = sum(park.node_kw(node) for node in park.nodes)
        found = []
        for at, item in enumerate(park.plan):
            load = nodes_kw
            for job in park.on_nodes():
                if job.state in (STARTING, RUNNING):
                    ends_s = park.ends_s(job, self.now_s)
                    if math.floor(ends_s / HOUR_S) >= math.floor(item.start_s / HOUR_S):
                        load += q(park.own_powers(job)[2] * park.cap_power(job, job.cap))
            if at > 0:
                load += sum(self.deferred_kw(job, item.start_s) for job in park.jobs)
            found.append(load)
        return found

    def deferred_kw(self, job: PlainJob, start_s: float) -> float:
        """What a deferred job takes of an hour."""
        same = job.deferred and math.floor(job.target_s / HOUR_S) == math.floor(start_s / HOUR_S)
        return job.planned_kw if same else 0.0

    def price(self, at: int, kw: float) -> float:
        """Mean price of so much more in an interval."""
        if kw <= 0:
            return 0.0
        steps = self.park.plan[at].steps
        from_kw, left_kw, cost = self.load[at], kw, 0.0
        for up_to_kw, price in steps:
            part = min(left_kw, max(0.0, up_to_kw - from_kw))
            cost += part * price
            left_kw -= part
            from_kw += part
        return (cost + left_kw * 2 * steps[-1][1]) / kw

    def admit(self) -> None:
        """Urgent and pressing jobs first, then leaf by leaf."""
        self.load = self.work_out_load()
        in_vain = 0
        for job in sorted(self.park.waiting(), key=lambda one: (self.latest_s(one), one.order)):
            is_pressing = self.latest_s(job) - 1 <= self.now_s + PRESS_S and in_vain < 4
            if is_pressing or self.park.is_urgent(job, self.now_s):
                in_vain += self.try_job(job) != STARTED
        while len(self.tried) < self.rules.n_considered_max:
            leaf = self.next_leaf()
            if leaf is None:
                return
            if not self.try_leaf(leaf):
                self.done.add(leaf)

    def latest_s(self, job: PlainJob) -> float:
        """When a job must start to end by its deadline."""
        return job.deadline_s - self.park.left_s(job, self.now_s)

    def next_leaf(self) -> int | None:
        """The leaf whose turn it is."""
        waiting = {job.leaf for job in self.park.waiting()} - self.done
        if not waiting:
            return None
        share = 0
        while True:
            below = [
                at
                for at, row in enumerate(self.park.shares)
                if row.parent == share and any(self.park.under(leaf, at) for leaf in waiting)
            ]
            if not below:
                return share
            share = min(below, key=lambda at: (not self.below_floor(at), self.park.rank(at), at))

    def try_leaf(self, leaf: int) -> bool:
        """Try the jobs of a leaf until one starts."""
        for tier in (FIRM, FLEX, GREEN):
            walk = self.lines.setdefault((leaf, tier), LineWalk())
            line = [job for job in self.park.waiting() if job.leaf == leaf and job.tier == tier]
            for job in sorted(line, key=in_line):
                if walk.left:
                    break
                if job.order in walk.seen:
                    continue
                walk.seen.add(job.order)
                outcome = self.tried[job.order] if job.order in self.tried else self.try_job(job)
                walk.scanned += outcome != STARTED
                walk.refused += outcome in (REFUSED, NO_CLEAN, NO_ROOM)
                walk.left = (
                    walk.refused >= self.rules.lookahead or walk.scanned >= self.rules.scan or outcome == NO_CLEAN
                )
                if outcome == STARTED:
                    return True
        return False

    def try_job(self, job: PlainJob) -> str:
        """Start a job if power and room allow; elastic ones with fewer nodes if need be."""
        outcome = self.try_with(job, job.n_nodes)
        if outcome in (REFUSED, NO_CLEAN, NO_ROOM) and job.is_elastic and job.least < job.n_nodes:
            n = job.least
            if outcome == NO_ROOM:
                n = max(job.least, min(job.n_nodes - 1, most_empty(self.park, job, self.holds, self.now_s)))
            outcome = self.try_with(job, n)
        if outcome == NO_ROOM and len(self.blocked) < self.rules.reserve_depth:
            self.blocked.append(job)
            reserve(self.park, job, self.holds, self.now_s)
        self.tried[job.order] = outcome
        return outcome

    def try_with(self, job: PlainJob, n: int) -> str:
        """Start a job on `n` nodes if power and room allow."""
        self.start_step = 0
        refusal = self.power_refusal(job, n)
        if refusal is not None:
            return refusal
        found = self.fit(job, n)
        if found is None:
            job.refused_room_s = min(job.refused_room_s, self.now_s)
            return NO_ROOM
        nodes, mask = found
        step = self.start_step
        if step > 0:
            self.squeeze(job, n, step)
        self.park.start(job, nodes, mask, self.now_s, step)
        ends_s = self.park.ends_s(job, self.now_s)
        for node in nodes:
            if node in self.holds:
                self.holds[node].note_start(job, ends_s)
        for at, item in enumerate(self.park.plan):
            if item.start_s < ends_s:
                self.load[at] += q(self.park.own_powers(job)[2] * self.park.cap_power(job, step))
        self.actions.append(
            Action("start", job.order, nodes=tuple(nodes), gpu_mask=mask, cap_frac=self.rules.caps[step][0])
        )
        return STARTED

    def fit(self, job: PlainJob, n: int) -> tuple[list[int], int] | None:
        """Nodes and GPUs for a job."""
        if job.is_gang:
            nodes = gang_room(self.park, job, n, self.holds, self.now_s, self.rules.caps[self.start_step][2])
            return None if nodes is None else ([node.index for node in nodes], 0)
        node = single_room(self.park, job, self.holds, self.now_s, self.rules.caps[self.start_step][2])
        if node is None:
            return None
        return [node.index], gpus_for(self.park, node, job)

    def power_refusal(self, job: PlainJob, n: int) -> str | None:
        """Why power does not allow a job now; None if it does."""
        if self.rules.sky == "observed" or job.is_first:
            return None
        park, now_s = self.park, self.now_s
        idle_kw, full_kw, dynamic_kw = park.powers(job, job.classes[0], n)
        left_s = park.left_s(job, now_s)
        plan = park.plan
        if job.tier == FIRM:
            sure_kw = min(
                item.grid_kw + item.p10_kw
                for at, item in enumerate(plan)
                if at == 0 or item.start_s < now_s + left_s * job.n_nodes / n
            )
            if idle_kw + full_kw > sure_kw - self.sums().firm_rated:
                return REFUSED
        elif park.is_bound(job, now_s):
            need_kw = self.need_kw(job, n, 0)
            least_kw = self.refused_kw[FLEX] if job.tier == FLEX else min(self.refused_kw.values())
            starved = self.is_starved(job, need_kw)
            step = self.step_for(job, n, not starved) if need_kw < least_kw else None
            if step is None:
                self.refused_kw[job.tier] = 0.0 if starved else min(self.refused_kw[job.tier], need_kw)
                return NO_CLEAN
            self.start_step = step
            if job.tier == GREEN:
                return None
        if q(dynamic_kw * park.cap_power(job, self.start_step)) > plan[0].clean_kw + plan[0].grid_kw - self.sums().all:
            return REFUSED
        if job.tier == FLEX and job.deadline_s < INF and not park.is_urgent(job, now_s):
            return self.better_hour(job, idle_kw + dynamic_kw, dynamic_kw, left_s)
        return None

    # Squeezing (7)

    def need_kw(self, job: PlainJob, n: int, step: int) -> float:
        """Clean power that must be there for a start on `n` nodes under a cap."""
        row = self.park.classes[job.classes[0]]
        idle_kw, _, dynamic_kw = self.park.powers(job, job.classes[0], n)
        capped_kw = q(dynamic_kw * self.park.cap_power(job, step))
        return capped_kw if self.rules.sky == "binding" and row.sleep_kw >= row.idle_kw else idle_kw + capped_kw

    def step_for(self, job: PlainJob, n: int, may_squeeze: bool) -> int | None:
        """The cap under which clean power lets a job start; None if there is none."""
        room, last = self.room_kw(), len(self.rules.caps) - 1
        if self.need_kw(job, n, 0) <= room:
            return 0
        if not may_squeeze or not self.rules.can_cap or last == 0 or job.gpus == 0:
            return None
        short = self.need_kw(job, n, last) - room
        if short <= 0:
            return last
        if self.gives is None:
            on = [other for other in self.in_order((GREEN, FLEX), down=True) if not self.has_floor(other)]
            self.gives = {tier: [other for other in on if other.tier == tier] for tier in (GREEN, FLEX)}
        lower = (GREEN, FLEX) if job.tier == FLEX else (GREEN,)
        return last if short <= sum(self.gives_kw(other) for tier in lower for other in self.gives[tier]) else None

    def has_floor(self, job: PlainJob) -> bool:
        """Whether a share above it, the root left out, has a floor."""
        return any(at > 0 and self.park.shares[at].floor_frac > 0 for at in self.park.path(job.leaf))

    def gives_kw(self, job: PlainJob) -> float:
        """What a running job could give."""
        if job.state != RUNNING or job.ending or job.cap > 0 or job.gpus == 0:
            return 0.0
        if not self.park.is_bound(job, self.now_s):
            return 0.0
        dynamic_kw = self.park.own_powers(job)[2]
        return q(dynamic_kw) - q(dynamic_kw * self.park.cap_power(job, len(self.rules.caps) - 1))

    def squeeze(self, job: PlainJob, n: int, step: int) -> None:
        """Cap others until a job fits."""
        short = self.need_kw(job, n, step) - self.room_kw()
        for other in [*self.gives[GREEN], *self.gives[FLEX]] if self.gives else []:
            gives_kw = self.gives_kw(other)
            if short > 0 and gives_kw > 0:
                short -= gives_kw
                self.cap(other, step)

    def has_waited_long(self, job: PlainJob) -> bool:
        """Whether it has waited, since it was submitted or last stopped, as long as the policy calls patient."""
        return self.now_s - max(job.submitted_s, job.last_pause_s) >= self.rules.patient_s

    def is_starved(self, job: PlainJob, need_kw: float) -> bool:
        """Whether a flexible job has waited for long and would have power enough without the other bound ones."""
        if job.tier != FLEX or not self.has_waited_long(job):
            return False
        budget = self.budget(self.least_clean_kw(self.rules.min_run_s), self.sums())
        return need_kw <= budget * (1 - self.rules.margin_frac)

    def better_hour(self, job: PlainJob, need_kw: float, dynamic_kw: float, left_s: float) -> str | None:
        """Defer a job if a later hour is cheaper by enough."""
        plan = self.park.plan
        best, best_at = self.price(0, need_kw), 0
        price_now = best
        for at in range(1, len(plan)):
            if plan[at].start_s <= job.deadline_s - left_s:
                price = self.price(at, need_kw)
                if price < best - 1e-9 * best:
                    best, best_at = price, at
        if best_at == 0 or best > price_now * (1 - self.rules.wait_gain_frac):
            return None
        wake_s = min(plan[0].end_s, job.deadline_s - left_s - 1)
        self.park.defer(job, dynamic_kw, plan[best_at].start_s, wake_s)
        for at in range(1, len(plan)):
            self.load[at] += self.deferred_kw(job, plan[at].start_s)
        self.actions.append(Action("defer", job.order, until_s=wake_s, target_s=plan[best_at].start_s))
        return BETTER_HOUR

    # Growing (7a)

    def widen(self) -> None:
        """Gangs on fewer nodes than they ask for take more, but firm ones."""
        for job in self.in_order((FLEX, GREEN), down=False):
            if job.is_elastic and len(job.nodes) < job.n_nodes and job.cap == 0 and self.may_stop(job):
                self.widen_one(job)

    def widen_one(self, job: PlainJob) -> None:
        """As many more nodes as there are, as power allows and as pay."""
        held, now_s = len(job.nodes), self.now_s
        work_s = self.park.left_s(job, now_s) * job.n_nodes
        for more in range(job.n_nodes - held, 0, -1):
            need_s = work_s / (held + more)
            saved_s = work_s / held - need_s
            nodes = more_room(self.park, job, more, now_s, now_s + need_s)
            pays = saved_s > 0 and saved_s >= self.rules.min_run_s
            if nodes is not None and pays and self.has_power(job, held + more):
                self.park.widen(job, [node.index for node in nodes], now_s)
                self.actions.append(Action("resize", job.order, nodes=tuple(job.nodes)))
                return

    def has_power(self, job: PlainJob, n: int) -> bool:
        """Whether there is power for what a gang draws more on `n` nodes."""
        if self.rules.sky == "observed" or job.is_first:
            return True
        park, plan = self.park, self.park.plan
        more = [then - now for then, now in zip(park.powers(job, job.klass, n), park.own_powers(job), strict=True)]
        idle_kw, _, dynamic_kw = more
        if park.is_bound(job, self.now_s):
            row = park.classes[job.klass]
            is_idle = self.rules.sky == "binding" and row.sleep_kw >= row.idle_kw
            if (dynamic_kw if is_idle else idle_kw + dynamic_kw) > self.room_kw():
                return False
            if job.tier == GREEN:
                return True
        return dynamic_kw <= plan[0].clean_kw + plan[0].grid_kw - self.sums().all

    # Reclaiming (8)

    def reclaim(self) -> None:
        """Pause others for a share that misses its floor."""
        park = self.park
        if self.now_s - park.reclaimed_s < self.rules.reclaim_gap_s:
            return
        waiting = park.waiting()
        for share in range(1, len(park.shares)):
            if not self.below_floor(share) or not any(park.under(job.leaf, share) for job in waiting):
                continue
            floor_kw, drawn_kw = self.floor_kw(share), park.share_kw(share)
            for job in self.blocked:
                idle_kw, _, dynamic_kw = park.own_powers(job)
                waits = self.now_s - job.refused_room_s >= self.rules.reclaim_after_s
                if waits and park.under(job.leaf, share) and drawn_kw + idle_kw + dynamic_kw <= floor_kw:
                    if self.pause_for(job, share):
                        return
                    break

    def pause_for(self, job: PlainJob, share: int) -> bool:
        """Pause as many as make room for a job, or nobody."""
        victims = [other for other in self.in_order((GREEN, FLEX), down=True) if self.lends(other, share)]
        chosen = self.victims_for(job, victims)
        for other in chosen:
            self.park.pause(other, self.now_s)
            self.actions.append(Action("pause", other.order))
            self.park.reclaimed_s = self.now_s
        return len(chosen) > 0

    def lends(self, job: PlainJob, share: int) -> bool:
        """Whether a job may be paused for a share."""
        if not job.checkpoint or not self.may_stop(job) or self.park.under(job.leaf, share):
            return False
        for own in self.park.path(job.leaf):
            if own > 0 and self.park.shares[own].floor_frac > 0 and self.park.share_kw(own) <= self.floor_kw(own):
                return False
        return True

    def victims_for(self, job: PlainJob, victims: list[PlainJob]) -> list[PlainJob]:
        """Whose leaving makes room; nobody if all together do not."""
        park = self.park
        if not job.is_gang:
            for other in victims:
                for index in other.nodes:
                    node = park.nodes[index]
                    if node.up == UP and node.klass in job.classes and self.fits_without(job, node, other):
                        return [other]
            return []
        gangs = [other for other in victims if other.is_gang and other.klass in job.classes]
        if not gangs:
            return []
        klass = gangs[0].klass
        have = sum(1 for node in park.nodes if node.klass == klass and node.up == UP and not node.jobs)
        for n, other in enumerate(gangs):
            if other.klass == klass:
                have += sum(1 for index in other.nodes if park.nodes[index].up == UP)
            if have >= job.n_nodes:
                return [one for one in gangs[: n + 1] if one.klass == klass]
        return []

    def fits_without(self, job: PlainJob, node: PlainNode, other: PlainJob) -> bool:
        """Whether a single fits on a node once another job has left."""
        gpus, mcpu, mem_mib = self.park.free(node, [other])
        if tightest(self.park, node, job, [other]) is not None:
            gpus = max(1, gpus)
        return fits(job, (gpus, mcpu, mem_mib))
