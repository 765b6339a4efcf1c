"""Who starts now, who waits, and why: projects by fair share, each start moving along the plan's price curve."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import Job, JobState, Reason, Tier
from eureka_park.compute.core.placement import NodeRoom
from eureka_park.compute.core.state import ParkState
from eureka_park.control.ladder import Reasons, bound_hour_s, is_bound, is_urgent, room_kw, totals, with_started
from eureka_park.control.policy import Policy, Sky, Totals
from eureka_park.control.supply import Interval, Supply
from eureka_park.foundation.units import duration_text, power_text

_ESTIMATES_MAX = 16  # starts that one tick works out for jobs that wait for room
_TIER_ORDER = (Tier.FIRM, Tier.GREEN, Tier.FLEX)  # green earns priority over flex when the sky gives


@dataclass(slots=True)
class Reservation:
    """The place that is kept for the first job that waits for room: from when, where, and what is free beside it."""

    start_s: float
    node_id: str
    spare: list[float]

    def leaves(self, job: Job) -> bool:
        """Whether a longer job fits beside the reservation; what it takes is then no longer spare."""
        wants = (job.spec.n_cpus, job.spec.memory_bytes, job.spec.n_gpus)
        if any(want > have + 1e-9 for want, have in zip(wants, self.spare, strict=True)):
            return False
        self.spare = [have - want for want, have in zip(wants, self.spare, strict=True)]
        return True


@dataclass(slots=True)
class Admission:
    """One tick's admissions; `reasons` gathers why each considered job did not start."""

    state: ParkState
    supply: Supply
    policy: Policy
    now_s: float
    reasons: Reasons
    n_considered: int = 0
    _held_back: Reservation | None = None
    _sky_refused: tuple[float, float] | None = None  # the least power that the sky has refused, and what was free; kW
    _n_estimates: int = 0
    _committed: Totals = field(default_factory=lambda: Totals(0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    _load_kw: list[float] = field(default_factory=list)  # per interval: what runs, and what chose to start there

    def run(self) -> Iterator[ev.Event]:
        """Start what may start; yields each event after it was applied to the state."""
        self._load_kw = self._running_load()
        self._committed = totals(self.state, self.policy, self.now_s)
        for job in self.state.urgent(self.now_s):
            event = self._try(job) if job in self.state.queues else None
            if event is not None:
                yield self._start(event)
        heap = [(self.state.fair.rank(name), name) for name in self.state.queues.projects()]
        heapq.heapify(heap)
        while heap and self.n_considered < self.policy.n_considered_max:
            _, project = heapq.heappop(heap)
            event = self._first_of(project)
            if event is not None:
                yield self._start(event)
                heapq.heappush(heap, (self.state.fair.rank(project), project))

    def _start(self, event: ev.JobStarting) -> ev.JobStarting:
        self.state.apply(event)
        job = self.state.jobs[event.job_id]
        self._committed = with_started(self._committed, job, self.policy, self.now_s)
        return event

    def _first_of(self, project: str) -> ev.JobStarting | None:
        for tier in _TIER_ORDER:
            n_refused = 0
            for job_id in islice(self.state.queues.waiting(project, tier), self.policy.scan):
                event = self._try(self.state.jobs[job_id])
                if event is not None:
                    return event
                reason = self.reasons.get(job_id)
                if (
                    reason is None or reason.code != "better_hour"
                ):  # those have chosen to wait; others stand behind them
                    n_refused += 1
                    if n_refused >= self.policy.lookahead:
                        break
                if reason is not None and reason.code == "clean_power":
                    break  # no clean power for it; whoever stands behind asks for the same
        return None

    def _try(self, job: Job) -> ev.JobStarting | None:
        reason = self._known_refusal(job)
        if reason is None:
            self.n_considered += 1
            reason = self._power_reason(job)
        room = self._room_for(job) if reason is None else None
        if reason is None and room is None:
            reason = self._room_reason(job)
            if self._held_back is None and self._n_estimates <= _ESTIMATES_MAX:
                self._held_back = self._reservation(job)
        if reason is not None or room is None:
            if reason is not None:
                self.reasons[job.job_id] = reason
                if reason.code == "clean_power":
                    least_kw = self._sky_refused[0] if self._sky_refused else math.inf
                    self._sky_refused = (min(least_kw, job.rated_kw), float(reason.values["free_kw"]))
            return None
        self.reasons.pop(job.job_id, None)
        self._reserve(job, self.now_s)
        gpus = tuple(room.free_gpus[: job.spec.n_gpus])
        return ev.JobStarting(job.job_id, self.now_s, job.attempt + 1, room.node.node_id, gpus, 1.0)

    def _known_refusal(self, job: Job) -> Reason | None:
        """The sky's refusal that a smaller or equal job had in this tick: clean power only shrinks as jobs start."""
        if self._sky_refused is None or job.rated_kw < self._sky_refused[0]:
            return None
        if not is_bound(job, self.policy.sky, self.now_s):
            return None
        return self._refusal(job, self._sky_refused[1])

    # -- the place of the first that waits for room ----------------------------------------------------------------
    def _room_for(self, job: Job) -> NodeRoom | None:
        """A node for it that leaves alone what is promised to the first job that waits for room."""
        room = self.state.rooms.find(job.spec)
        held = self._held_back
        if room is None or held is None or room.node.node_id != held.node_id:
            return room
        if self.now_s + job.left_s(self.now_s) <= held.start_s or held.leaves(job):
            return room
        return None

    def _until_of(self, job: Job) -> float | None:
        if self._n_estimates >= _ESTIMATES_MAX:
            return None
        self._n_estimates += 1
        found = self._reservation(job)
        return found.start_s if found else None

    def _reservation(self, job: Job) -> Reservation | None:
        """When and where declared run times first leave room for a job, and what is over then beside it."""
        free = {
            name: [room.free_cpus, room.free_memory_bytes, len(room.free_gpus)]
            for name, room in self.state.rooms.by_node.items()
        }
        ends = sorted(
            (self.now_s + other.left_s(self.now_s), other.order, other) for other in self.state.on_node.values()
        )
        wants = (job.spec.n_cpus, job.spec.memory_bytes, job.spec.n_gpus)
        for end_s, _, other in ends:
            left = free.get(other.node)
            if left is None or other.state is JobState.FROZEN:
                continue
            left[0] += other.spec.n_cpus
            left[1] += other.spec.memory_bytes
            left[2] += other.spec.n_gpus
            if all(want <= have + 1e-9 for want, have in zip(wants, left, strict=True)):
                spare = [have - want for want, have in zip(wants, left, strict=True)]
                return Reservation(end_s, other.node, spare)
        return None

    # -- power -----------------------------------------------------------------------------------------------------
    def _power_reason(self, job: Job) -> Reason | None:
        if self.policy.sky is Sky.OBSERVED or job.is_first:
            return None
        if job.spec.tier is Tier.FIRM:
            return self._firm_reason(job) or self._site_reason(job)
        if is_bound(job, self.policy.sky, self.now_s):
            reason = self._sky_reason(job)
            if reason is not None or job.spec.tier is Tier.GREEN:
                return reason
        return self._site_reason(job) or self._hour_reason(job)

    def _firm_reason(self, job: Job) -> Reason | None:
        """Firm work is promised for its whole declared time: the weakest hour until then counts."""
        end_s = self.now_s + job.left_s(self.now_s)
        hours = [item for item in self.supply.intervals if item.start_s < end_s]
        free_kw = min(item.grid_kw + item.clean_kw_p10 for item in hours) - self._committed.firm_rated_kw
        return None if job.rated_kw <= free_kw else self._firm_refusal(job, free_kw)

    def _firm_refusal(self, job: Job, free_kw: float) -> Reason:
        text = f"It needs {_power(job.rated_kw)} of firm power; {_power(max(0.0, free_kw))} can be promised now."
        return Reason("firm_power", text, {"need_kw": job.rated_kw, "free_kw": free_kw}, self.supply.now.end_s)

    def _site_reason(self, job: Job) -> Reason | None:
        now = self.supply.now
        free_kw = now.clean_kw + now.grid_kw - self._committed.all_kw
        if job.dynamic_kw <= free_kw:
            return None
        text = f"It needs {_power(job.dynamic_kw)}; plants and grid together leave {_power(max(0.0, free_kw))} now."
        return Reason("site_power", text, {"need_kw": job.dynamic_kw, "free_kw": free_kw}, now.end_s)

    def _sky_reason(self, job: Job) -> Reason | None:
        free_kw = room_kw(self._committed, self.supply, self.policy, self.now_s)
        return None if job.rated_kw <= free_kw else self._refusal(job, free_kw)

    def _refusal(self, job: Job, free_kw: float) -> Reason:
        wanted_kw = self._committed.bound_kw + job.rated_kw
        until_s = bound_hour_s(self.supply, self._committed, self.policy, wanted_kw)
        latest_s = job.latest_start_s(self.now_s) if job.spec.tier is Tier.FLEX else None
        if latest_s is not None and (until_s is None or latest_s < until_s):
            until_s = latest_s
        free = _power(max(0.0, free_kw))
        text = f"It needs {_power(job.rated_kw)} of the park's own sun, wind or salt; {free} is free now."
        return Reason("clean_power", text, {"need_kw": job.rated_kw, "free_kw": free_kw}, until_s)

    def _hour_reason(self, job: Job) -> Reason | None:
        """Whether waiting for a cheaper, cleaner hour pays; a job without a deadline has not offered to wait."""
        latest_s = job.latest_start_s(self.now_s)
        if latest_s is None or is_urgent(job, self.now_s):
            return None
        now_price = self._price(0, self.supply.now, job.rated_kw)
        best_index, best_price = 0, now_price
        for index, item in enumerate(self.supply.intervals):
            if index and item.start_s <= latest_s:
                price = self._price(index, item, job.rated_kw)
                if price < best_price * (1.0 - 1e-9):
                    best_index, best_price = index, price
        if best_index == 0 or best_price > now_price * (1.0 - self.policy.flex_wait_gain_frac):
            return None
        best = self.supply.intervals[best_index]
        self._reserve(job, best.start_s)
        text = (
            f"It waits for a better hour: {best_price:.0f} MAD/MWh then (carbon priced in), {now_price:.0f} now; "
            f"its deadline leaves {duration_text(latest_s - self.now_s)}."
        )
        return Reason("better_hour", text, {"now_mad_per_mwh": now_price, "then_mad_per_mwh": best_price}, best.start_s)

    def _price(self, index: int, item: Interval, need_kw: float) -> float:
        return item.price_of(self._load_kw[index], need_kw)

    # -- load on the intervals -------------------------------------------------------------------------------------
    def _running_load(self) -> list[float]:
        idle_kw = sum(node.idle_kw for node in self.state.nodes.values())
        load = [idle_kw] * len(self.supply.intervals)
        for job in self.state.on_node.values():
            end_s = self.now_s + job.left_s(self.now_s)
            for index, item in enumerate(self.supply.intervals):
                if index and item.start_s >= end_s:
                    break
                load[index] += job.dynamic_kw * job.cap_frac
        return load

    def _reserve(self, job: Job, start_s: float) -> None:
        end_s = start_s + job.left_s(self.now_s)
        for index, item in enumerate(self.supply.intervals):
            if item.start_s < end_s and item.end_s > start_s:
                self._load_kw[index] += job.dynamic_kw

    # -- room ------------------------------------------------------------------------------------------------------
    def _room_reason(self, job: Job) -> Reason:
        spec = job.spec
        if not self.state.rooms.ever_fits(spec):
            return Reason("no_such_node", "No node of the park is large enough for it.", {})
        best = max(self.state.rooms.by_node.values(), key=lambda room: (len(room.free_gpus), room.free_cpus))
        text = f"It needs {_asks(job)}; {_free(best)}"
        values = {
            "cpus": spec.n_cpus,
            "free_cpus": best.free_cpus,
            "gpus": spec.n_gpus,
            "free_gpus": len(best.free_gpus),
            "memory_bytes": spec.memory_bytes,
            "free_memory_bytes": best.free_memory_bytes,
        }
        return Reason("room", text, values, self._until_of(job))


def _asks(job: Job) -> str:
    parts = [f"{job.spec.n_gpus} GPU"] if job.spec.n_gpus else []
    parts.append(f"{job.spec.n_cpus:g} CPU")
    return ", ".join(parts) + f" and {job.spec.memory_bytes / 1024**3:.3g} GiB"


def _free(room: NodeRoom) -> str:
    gpus = f"{len(room.free_gpus)} GPU, " if room.node.n_gpus else ""
    return f"{gpus}{room.free_cpus:g} CPU and {room.free_memory_bytes / 1024**3:.3g} GiB are free."


def _power(kw: float) -> str:
    return power_text(kw / 1000.0)
