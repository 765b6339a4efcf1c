"""A watched day on a stepped clock: the story, the live loop, the plans and the ledger are real; engine and meter are
recorders.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eureka_park import bootstrap
from eureka_park.foundation.clock import SteppedClock
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.wire.engine import StartOrder
from eureka_park.live.story import Story
from tests.helpers.live_park import START_S, LivePark
from tests.helpers.recorder import CounterMeter, PlanInProcess, RecorderEngine


class StoryEngine(RecorderEngine):
    """Takes the work of a story's job from its command line: real seconds at full speed, standing still not counted."""

    stood_s: dict[JobId, float]

    def __init__(self, clock: SteppedClock) -> None:
        super().__init__(clock)
        self.stood_s = {}

    def submit(self, order: StartOrder) -> None:
        self.run_s.setdefault(order.job_id, float(order.command[-1]))
        super().submit(order)

    def suspend(self, job_id: JobId, attempt: int, how: str, grace_s: float) -> None:
        super().suspend(job_id, attempt, how, grace_s)
        if how == "freeze":
            self.stood_s.setdefault(job_id, self.clock.real_s())

    def resume(self, job_id: JobId, attempt: int) -> None:
        super().resume(job_id, attempt)
        if job_id in self.stood_s:
            self.run_s[job_id] += self.clock.real_s() - self.stood_s.pop(job_id)


@dataclass
class Seen:
    """One look at the park."""

    park_s: float
    chapter: str
    salt_frac: float
    clean_frac: float
    states: dict[str, str]


@dataclass
class WatchedDay(LivePark):
    """Use `watch` to let the story pass; `seen` is what a person would have seen."""

    folder: Path
    home: dict[str, Any]
    start_s: float = START_S
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder = self.folder / "home"
        bootstrap.make_home(self.folder, now_real_s=self.start_s, **self.home)
        bootstrap.prepare(self.folder)
        self.clock = SteppedClock(self.start_s, bootstrap.Home(self.folder).facts().pace)
        self.engine, self.meter, self.maker = StoryEngine(self.clock), CounterMeter(self.clock), PlanInProcess()
        self.story: Story | None = None
        self.open()

    def open(self) -> None:
        super().open()
        self.story = bootstrap.story_of(self.park)

    def watch(self, until: float = 1.0, step_s: float = 1.0) -> None:
        """Let the loop and the story go on until the story has come this far."""
        while True:
            told = self.park.story_now()
            assert told is not None
            if told["progress"] >= until:
                return
            assert self.story is not None
            self.story.step(self.clock.park_s(), self.clock.real_s())
            self.clock.step(step_s)
            self.live.cycle()
            self._look(told)

    def _look(self, told: dict[str, Any]) -> None:
        plan, now_s = self.park.energy.current_plan(), self.clock.park_s()
        if plan is None or not plan.start_s <= now_s < plan.end_s:
            return
        index, most = plan.index_at(now_s), sum(plan.tes_mwh_th_max.values())
        salt = sum(series[index] for series in plan.tes_mwh_th.values()) / most
        clean = plan.clean_available_mw_p50[index] / (self.park.site.site_kw_rated / 1000.0)
        states = {job.spec.name: str(job.state) for job in self.live.state.jobs.values()}
        self.seen.append(Seen(now_s, told["chapter"], salt, clean, states))
