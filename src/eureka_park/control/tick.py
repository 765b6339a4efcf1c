"""One pure tick: end what is over, come down the ladder, go up again, start what may start; with a reason for the
rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import Job, JobState, Reason
from eureka_park.compute.core.state import ParkState
from eureka_park.control.admission import Admission
from eureka_park.control.ladder import Reasons, ascend, descend
from eureka_park.control.policy import Policy
from eureka_park.control.supply import Supply
from eureka_park.foundation.ids import JobId


@dataclass(frozen=True, slots=True)
class Decision:
    """What one tick decided: events in order (already applied) and the newest reasons of the jobs it looked at."""

    events: tuple[ev.Event, ...]
    reasons: dict[JobId, Reason] = field(default_factory=dict)


def tick(state: ParkState, supply: Supply | None, policy: Policy, now_s: float) -> Decision:
    """Decide for the instant `now_s` (park time). While `supply` is None nothing new starts (see `supply.grid_only`).

    The state is changed only through the returned events. Deterministic: ties go by project name, then by order.
    """
    reasons: Reasons = {}
    events: list[ev.Event] = list(_end_what_is_over(state, now_s))
    for event in events:
        state.apply(event)
    if supply is None:
        reasons.update(_without_plan(state))
        return Decision(tuple(events), reasons)
    events += descend(state, supply, policy, now_s, reasons)
    events += ascend(state, supply, policy, now_s, reasons)
    events += Admission(state, supply, policy, now_s, reasons).run()
    for job in state.held.values():
        reasons[job.job_id] = _dependency_reason(job)
    return Decision(tuple(events), reasons)


def _end_what_is_over(state: ParkState, now_s: float) -> Iterator[ev.Event]:
    for job in list(state.on_node.values()):
        if not job.ending and job.state is JobState.RUNNING and job.run_s(now_s) > job.spec.time_s:
            yield ev.JobEnding(job.job_id, now_s, "time")
    for waiter_id, (name, ended_as) in list(state.broken.items()):
        detail = f"It was to run after {name}, which {_ENDED_WORDS[ended_as]}."
        yield ev.JobEnded(waiter_id, now_s, JobState.CANCELLED, detail=detail)


_ENDED_WORDS = {
    JobState.FINISHED: "finished",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "was cancelled",
    JobState.LOST: "was lost",
}


def _dependency_reason(job: Job) -> Reason:
    names = ", ".join(job.waiting_for[:3]) + (
        f" and {len(job.waiting_for) - 3} more" if len(job.waiting_for) > 3 else ""
    )
    return Reason("dependency", f"It runs after {names}.", {"after": list(job.waiting_for)})


def _without_plan(state: ParkState) -> Reasons:
    reason = Reason("no_plan", "There is no power plan yet; one is being made.", {})
    waiting = (job for job in state.jobs.values() if job.state in (JobState.QUEUED, JobState.PAUSED))
    return {job.job_id: reason for _, job in zip(range(256), waiting, strict=False)}
