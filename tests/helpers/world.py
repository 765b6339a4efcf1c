"""A small stepped world that plays truth for the tick: jobs really need their run time, pauses really stop them.

The tick sees only what it would see live: events and a supply. Nothing here decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import Job, JobSpec, JobState, Tier
from eureka_park.compute.core.state import ParkState
from eureka_park.control.policy import Policy
from eureka_park.control.supply import Interval, Step, Supply
from eureka_park.control.tick import Decision, policy_used, tick
from eureka_park.foundation.ids import JobId

HOUR = 3600.0


def node(
    node_id: str = "n0", n_cpus: float = 8, n_gpus: int = 0, rated_kw: float = 1.0, idle_kw: float = 0.2
) -> ev.Node:
    return ev.Node(node_id, "local", n_cpus, 64 * 1024**3, n_gpus, "x" if n_gpus else "", rated_kw, idle_kw, 0.05)


def spec(project: str = "p", tier: Tier = Tier.FLEX, **more: object) -> JobSpec:
    base: dict[str, object] = {"command": ("true",), "name": "j", "time_s": HOUR, "memory_bytes": 1024**3}
    return JobSpec(project=project, tier=tier, **{**base, **more})  # type: ignore[arg-type]


def supply_of(clean_kw: Callable[[float], float], now_s: float, grid_kw: float = 10.0, hours: int = 48) -> Supply:
    """Hourly supply from `now_s`: clean power is cheap, the grid dear."""
    intervals = []
    for index in range(hours):
        start_s = now_s // HOUR * HOUR + index * HOUR
        clean = clean_kw(start_s)
        steps = (Step(clean, 200.0, "koudia"), Step(clean + grid_kw, 900.0, "grid"))
        intervals.append(Interval(start_s, start_s + HOUR, clean, 0.8 * clean, grid_kw, steps))
    return Supply(tuple(intervals))


@dataclass
class World:
    """State, policy and the truth about run times."""

    policy: Policy
    clean_kw: Callable[[float], float]
    nodes: tuple[ev.Node, ...] = (node(),)
    grid_kw: float = 10.0
    now_s: float = 0.0
    state: ParkState = field(default_factory=ParkState)
    run_s: dict[JobId, float] = field(default_factory=dict)
    log: list[ev.Event] = field(default_factory=list)
    ended: dict[JobId, Job] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    known: set[str] = field(default_factory=set)  # projects that had a job before the world began

    def __post_init__(self) -> None:
        self.happen(ev.NodesDeclared(self.now_s, self.nodes), policy_used(self.policy, self.now_s))

    def happen(self, *events: ev.Event) -> None:
        for event in events:
            self.state.apply(event)
            self.log.append(event)
        for job in self.state.just_ended:
            self.ended[job.job_id] = job
        self.state.just_ended.clear()

    def submit(self, name: str, job_spec: JobSpec, run_s: float = HOUR, waiting_for: Iterable[str] = ()) -> JobId:
        job_id = JobId(name)
        deps = tuple(JobId(item) for item in waiting_for)
        self.happen(ev.JobSubmitted(job_id, self.now_s, job_spec, job_spec.deadline_s, deps))
        self.run_s[job_id] = run_s
        return job_id

    def not_first(self, *projects: str) -> None:
        """Let the sky hold the first jobs of these projects too."""
        self.known.update(projects)
        self.state.known_projects.update(projects)

    def step(self, seconds: float = 60.0) -> Decision:
        """The engine's truth over `seconds`, then one tick; invariants are checked each time."""
        self.now_s += seconds
        for job in list(self.state.on_node.values()):
            self._truth(job)
        decision = tick(self.state, supply_of(self.clean_kw, self.now_s, self.grid_kw), self.policy, self.now_s)
        self.log += decision.events
        for job in self.state.just_ended:
            self.ended[job.job_id] = job
        self.state.just_ended.clear()
        self.decisions.append(decision)
        self.state.validate()
        for job in self.state.on_node.values():
            assert job.cap_frac >= 0.5, "never below half of rated power"
        return decision

    def _truth(self, job: Job) -> None:
        if job.state is JobState.STARTING:
            self.happen(ev.JobStarted(job.job_id, self.now_s))
        elif job.ending:
            self.happen(ev.JobEnded(job.job_id, self.now_s, JobState.FAILED))
        elif job.run_s(self.now_s) >= self.run_s.get(job.job_id, HOUR):  # before it could stop for a pause
            self.happen(ev.JobEnded(job.job_id, self.now_s, JobState.FINISHED, 0))
        elif job.state is JobState.PAUSING:
            self.happen(ev.JobPaused(job.job_id, self.now_s))

    def run(self, hours: float, step_s: float = 60.0) -> None:
        for _ in range(round(hours * HOUR / step_s)):
            self.step(step_s)

    def of(self, kind: type) -> list[ev.Event]:
        return [event for event in self.log if isinstance(event, kind)]

    def started(self, job_id: str) -> float | None:
        return next((e.at_s for e in self.log if isinstance(e, ev.JobStarting) and e.job_id == job_id), None)

    def bound_kw(self) -> float:
        return sum(job.drawn_kw() for job in self.state.on_node.values() if job.state is not JobState.PAUSING)


def day_sun(start_s: float) -> float:
    """Clean power of a sunny day: nothing at night, up to 0.9 kW at noon."""
    hour = start_s % 86400 / HOUR
    return max(0.0, 0.9 * (1 - abs(hour - 12) / 6)) if 6 < hour < 18 else 0.0
