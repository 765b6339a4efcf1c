"""What engines and people say, turned into events of the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import ENDED, Job, JobClass, JobSpec, JobState
from eureka_park.foundation.ids import JobId, task_id
from eureka_park.foundation.units import duration_text
from eureka_park.foundation.wire.engine import EngineReport, Outcome, Phase

if TYPE_CHECKING:
    from eureka_park.compute.core.state import ParkState

ParkTime = Callable[[float], float]

_OVER = frozenset({"time", "credit"})
_LOST_TEXT = "Its supervisor died without a last word (killed, or the machine restarted)."


def events_of_report(job: Job, report: EngineReport, park_of: ParkTime) -> Iterator[ev.Event]:
    """Events that follow from a report about the present attempt of a job."""
    if report.attempt != job.attempt:
        return
    if (job.state is JobState.STARTING or job.is_regrouping) and report.started_at_s is not None:
        yield ev.JobStarted(job.job_id, park_of(report.started_at_s), report.sandbox_level)
    if report.phase is Phase.LOST:
        yield ev.JobEnded(job.job_id, park_of(report.at_s), JobState.LOST, detail=report.detail or _LOST_TEXT)
    elif report.phase is Phase.EXITED:
        yield _end_of(job, report, park_of(report.ended_at_s or report.at_s))


def _end_of(job: Job, report: EngineReport, at_s: float) -> ev.Event:
    slept = job.state is JobState.PAUSING and job.spec.job_class is JobClass.SERVICE
    if not job.ending and (report.outcome is Outcome.PAUSED or (slept and report.outcome is Outcome.FINISHED)):
        if job.resized_from and job.state is JobState.RUNNING:
            return ev.JobRegrouped(job.job_id, at_s, job.attempt + 1)
        return ev.JobPaused(job.job_id, at_s)
    state, detail = JobState.FAILED, report.detail
    if report.outcome is Outcome.FINISHED:
        state = JobState.FINISHED
    elif job.ending in _OVER:
        detail = f"{_over_text(job)} {report.detail}".strip()
    elif job.ending == "cancel" or report.outcome is Outcome.CANCELLED:
        state = JobState.CANCELLED
    if job.deadline_s is not None and at_s > job.deadline_s:
        detail = f"{detail} It ended {duration_text(at_s - job.deadline_s)} after its deadline.".strip()
    return ev.JobEnded(job.job_id, at_s, state, report.exit_code, report.exit_signal, detail)


def _over_text(job: Job) -> str:
    if job.ending == "credit":
        return f"It took longer than its declared {duration_text(job.spec.time_s)}, and there was no credit for more."
    return f"It ran longer than its declared {duration_text(job.spec.time_s)}."


def loss_of(job: Job, now_s: float, why: str) -> ev.Event:
    """What becomes of a job whose node is lost: it waits again, unless it was being ended."""
    if job.ending == "cancel":
        return ev.JobEnded(job.job_id, now_s, JobState.CANCELLED, detail=f"It was being cancelled when {why}.")
    if job.ending:
        detail = _over_text(job)
        return ev.JobEnded(job.job_id, now_s, JobState.FAILED, detail=detail)
    return ev.JobRequeued(job.job_id, now_s, why)


def events_of_command(
    state: ParkState, command: Mapping[str, Any], now_s: float, ended_deps: Mapping[str, str]
) -> Iterator[ev.Event]:
    """Events that follow from a command of the inbox. `ended_deps`: how the dependencies that are over ended."""
    job_id = JobId(command["job_id"])
    if command["kind"] == "submit":
        payload = command["payload"]
        spec = JobSpec.from_json(payload["spec"])
        waiting = tuple(dep for dep in spec.after if dep not in ended_deps)
        yield ev.JobSubmitted(job_id, payload["at_s"], spec, payload["deadline_s"], waiting)
        bad = next((dep for dep in spec.after if ended_deps.get(dep, "finished") != "finished"), None)
        if bad is not None:
            detail = f"It was to run after {bad}, which is {ended_deps[bad]}."
            for name in _ids_of(job_id, spec):
                yield ev.JobEnded(name, now_s, JobState.CANCELLED, detail=detail)
    elif command["kind"] == "cancel":
        for name in state.tasks_of(job_id):
            yield from _cancel(state.jobs[name], now_s)
    else:
        yield from _events_of_nodes(state, command, now_s)


def _events_of_nodes(state: ParkState, command: Mapping[str, Any], now_s: float) -> Iterator[ev.Event]:
    """What operators ask of nodes: `job_id` names the node or the window."""
    name, payload = str(command["job_id"]), command["payload"]
    if command["kind"] == "node_down" and name in state.nodes:
        yield ev.NodeDown(name, now_s, payload["why"])
    elif command["kind"] == "node_up" and name in state.closed:
        yield ev.NodeUp(name, now_s)
    elif command["kind"] == "window_set":
        window = payload["window"]
        yield ev.WindowSet(
            name, now_s, tuple(window["node_ids"]), window["from_s"], window["to_s"], window["project"], window["why"]
        )
    elif command["kind"] == "window_cleared" and name in state.windows:
        yield ev.WindowCleared(name, now_s)


def _ids_of(job_id: JobId, spec: JobSpec) -> list[JobId]:
    return [task_id(job_id, index) for index in range(spec.n_tasks)] if spec.is_array else [job_id]


def _cancel(job: Job, now_s: float) -> Iterator[ev.Event]:
    if job.state in ENDED:
        return
    if job.state in (JobState.QUEUED, JobState.PAUSED):
        yield ev.JobEnded(job.job_id, now_s, JobState.CANCELLED, detail="Cancelled before it ran on.")
    else:
        yield ev.JobEnding(job.job_id, now_s, "cancel")
