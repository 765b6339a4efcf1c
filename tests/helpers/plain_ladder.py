"""The ladder down and up (rules 4 to 6) in plain Python: slow, obvious, nothing remembered."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tests.helpers.plain_park import (
    FIRM,
    FLEX,
    FROZEN,
    GREEN,
    PAUSING,
    RUNNING,
    SERVICE,
    STARTING,
    PlainJob,
    PlainPark,
    q,
)


@dataclass(frozen=True)
class Action:
    """One thing that a turn does."""

    what: str
    order: int
    nodes: tuple[int, ...] = ()
    gpu_mask: int = 0
    cap_frac: float = 0.0
    until_s: float = 0.0
    target_s: float = 0.0


@dataclass
class Sums:
    """Power drawn now; kW."""

    idle: float
    firm: float
    flex: float
    green: float
    bound: float
    free_green: float
    firm_rated: float

    @property
    def all(self) -> float:
        """Everything."""
        return self.idle + self.firm + self.flex + self.green


class Ladder:
    """Sums, orders and the ladder of one turn."""

    def __init__(self, park: PlainPark, now_s: float) -> None:
        self.park, self.now_s, self.rules = park, now_s, park.rules
        self.actions: list[Action] = []

    # Sums (4)

    def sums(self) -> Sums:
        """Power drawn now, worked out anew."""
        park = self.park
        on = park.on_nodes()
        bound = [job for job in on if park.is_bound(job, self.now_s)]
        nodes_kw = sum(park.node_kw(node) for node in park.nodes)
        tiers = [sum(park.drawn_kw(job) for job in on if job.tier == tier) for tier in (FIRM, FLEX, GREEN)]
        rated = [park.own_powers(job) for job in on if job.tier == FIRM and job.state in (STARTING, RUNNING, FROZEN)]
        return Sums(
            idle=max(0.0, nodes_kw - sum(park.own_powers(job)[0] for job in on if job.state != PAUSING)),
            firm=tiers[0],
            flex=tiers[1],
            green=tiers[2],
            bound=sum(park.drawn_kw(job) for job in bound),
            free_green=sum(park.drawn_kw(job) for job in on if job.tier == GREEN and job not in bound),
            firm_rated=sum(idle_kw + full_kw for idle_kw, full_kw, _ in rated),
        )

    def budget(self, clean_kw: float, sums: Sums) -> float:
        """Clean power that bound jobs may draw."""
        if self.rules.sky == "binding":
            claims = self.rules.service_reserve_kw + (sums.all - sums.bound)
        else:
            claims = self.rules.service_reserve_kw + sums.free_green
        return max(0.0, clean_kw - claims)

    def least_clean_kw(self, for_s: float) -> float:
        """The least clean power of the present interval and those that begin so soon."""
        until_s = self.now_s + for_s
        return min(item.clean_kw for at, item in enumerate(self.park.plan) if at == 0 or item.start_s < until_s)

    def room_kw(self) -> float:
        """Clean power for one more bound job."""
        sums = self.sums()
        budget = self.budget(self.least_clean_kw(self.rules.min_run_s), sums)
        return budget * (1 - self.rules.margin_frac) - sums.bound

    # Down (5)

    def leaves(self) -> list[int]:
        """All leaves, the most served first."""
        found: list[int] = []

        def walk(share: int) -> None:
            below = [at for at, row in enumerate(self.park.shares) if row.parent == share]
            if not below:
                found.append(share)
            for child in sorted(below, key=lambda at: (-self.park.rank(at), at)):
                walk(child)

        walk(0)
        return found

    def in_order(self, tiers: tuple[int, ...], down: bool) -> list[PlainJob]:
        """Running and frozen jobs in the order of the ladder."""
        found = []
        leaves = self.leaves() if down else self.leaves()[::-1]
        for tier in tiers:
            for leaf in leaves:
                own = [job for job in self.park.on_nodes() if job.tier == tier and job.leaf == leaf]
                found += sorted(own, key=lambda job: -job.start_number if down else job.start_number)
        return [job for job in found if job.state in (RUNNING, FROZEN)]

    def may_stop(self, job: PlainJob) -> bool:
        """Whether it has run long enough, and not been paused too lately."""
        return (
            job.state == RUNNING
            and not job.ending
            and self.now_s - job.began_s >= self.rules.min_run_s
            and self.now_s - job.last_pause_s >= self.rules.pause_gap_s
        )

    def descend(self) -> None:
        """Cap, pause, freeze and shrink until the bound jobs fit."""
        sums = self.sums()
        budget = self.budget(self.least_clean_kw(self.rules.lead_s), sums)
        self.short = sums.bound - budget
        if self.short <= 1e-9 * (1 + budget):
            return
        park = self.park
        order = self.in_order((GREEN, FLEX), down=True)
        order = [job for job in order if job.state == RUNNING and park.is_bound(job, self.now_s)]
        self.caps = {job.order: job.cap for job in order}
        self.stops: dict[int, str] = {}
        self.keeps: dict[int, int] = {}
        self.shrink_saved: dict[int, float] = {}
        if self.rules.can_cap:
            self.plan_caps(order)
        self.plan_stops(order, shrinks=self.rules.can_resize)
        if self.rules.can_resize and self.short > 0:
            self.plan_stops(order, shrinks=False)
        for job in order:
            self.carry_out(job)

    def plan_caps(self, order: list[PlainJob]) -> None:
        """One step after the other, each through all jobs."""
        for step in range(1, len(self.rules.caps)):
            for job in order:
                if self.short <= 0:
                    return
                had = self.caps[job.order]
                if had >= step or job.ending:
                    continue
                dynamic_kw = self.park.own_powers(job)[2]
                before_kw = q(dynamic_kw * self.park.cap_power(job, had))
                self.short -= before_kw - q(dynamic_kw * self.park.cap_power(job, step))
                self.caps[job.order] = step

    def plan_stops(self, order: list[PlainJob], shrinks: bool) -> None:
        """Shrink, pause or freeze one after the other."""
        for job in order:
            if self.short <= 0:
                return
            if job.order in self.stops or not self.may_stop(job):
                continue
            idle_kw, _, dynamic_kw = self.park.own_powers(job)
            saved = q(dynamic_kw * self.park.cap_power(job, self.caps[job.order]))
            held = len(job.nodes)
            had = self.shrink_saved.get(job.order, 0.0)
            whole = saved if self.rules.sky == "binding" else saved + idle_kw
            if whole <= 0:
                continue
            if shrinks and job.is_elastic and held > job.least:
                each = whole / held
                keep = max(job.least, held - math.ceil(self.short / each))
                self.keeps[job.order], self.shrink_saved[job.order] = keep, each * (held - keep)
                self.short -= each * (held - keep)
            elif job.checkpoint or job.job_class == SERVICE:
                self.stops[job.order] = "pause"
                self.short -= whole - had
            elif self.rules.can_freeze and saved > had:
                self.stops[job.order] = "freeze"
                self.short -= saved - had

    def carry_out(self, job: PlainJob) -> None:
        """What was planned for a job."""
        if self.stops.get(job.order) == "pause":
            self.park.pause(job, self.now_s)
            self.actions.append(Action("pause", job.order))
        elif self.stops.get(job.order) == "freeze":
            self.park.freeze(job, self.now_s)
            self.actions.append(Action("freeze", job.order))
        elif job.order in self.keeps:
            self.park.shrink(job, self.keeps[job.order], self.now_s)
            self.actions.append(Action("resize", job.order, nodes=tuple(job.nodes)))
        elif self.caps[job.order] != job.cap:
            self.cap(job, self.caps[job.order])

    def cap(self, job: PlainJob, step: int) -> None:
        """Another cap."""
        self.park.set_cap(job, step, self.now_s)
        self.actions.append(Action("cap", job.order, cap_frac=self.rules.caps[step][0]))

    # Up (6)

    def ascend(self, is_late: bool) -> None:
        """Early: thaw, and lift caps of those that are not bound or have no GPUs; late: lift those of the others. As
        far as there is room.
        """
        refused: dict[tuple[int, int], int] = {}
        for job in self.in_order((FLEX, GREEN), down=False):
            dynamic_kw = self.park.own_powers(job)[2]
            drawn_kw = q(dynamic_kw * self.park.cap_power(job, job.cap))
            if job.state == FROZEN:
                need_kw = drawn_kw
            elif job.cap > 0 and not job.ending:
                need_kw = dynamic_kw - drawn_kw
            else:
                continue
            if is_late != (job.state != FROZEN and job.gpus > 0 and self.park.is_bound(job, self.now_s)):
                continue
            if self.park.is_bound(job, self.now_s):
                line = (job.leaf, job.tier)
                if refused.get(line, 0) >= self.rules.lookahead:
                    continue
                if need_kw > self.room_kw():
                    refused[line] = refused.get(line, 0) + 1
                    continue
            if job.state == FROZEN:
                self.park.thaw(job, self.now_s)
                self.actions.append(Action("thaw", job.order))
            else:
                self.cap(job, 0)

    def floor_kw(self, share: int) -> float:
        """Power that is guaranteed to a share."""
        item = self.park.plan[0]
        return self.park.shares[share].floor_frac * (item.p10_kw + item.grid_kw)

    def below_floor(self, share: int) -> bool:
        """Whether a share draws less than it is guaranteed."""
        return self.park.shares[share].floor_frac > 0 and self.park.share_kw(share) < self.floor_kw(share)
