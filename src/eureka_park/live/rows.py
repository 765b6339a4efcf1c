"""What a cycle writes for people to read: job rows, reasons and timelines, derived from events and state."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from eureka_park.compute import store
from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import Job, JobState, Reason
from eureka_park.control.tick import REFRESH_S
from eureka_park.foundation.ids import JobId, array_of
from eureka_park.foundation.units import iso_from_s

if TYPE_CHECKING:
    from eureka_park.compute.core.state import ParkState

REFRESH_REAL_S: Final = 5.0  # and not more often than this in real time, whatever the pace

DERIVED: Final = frozenset({"dependency", "no_plan"})  # told from the job itself whenever somebody asks

_WORDS: Final = {
    "JobSubmitted": ("queued", "Submitted."),
    "JobStarting": ("starting", "Admitted; its place on {node} is held."),
    "JobStarted": ("running", "Runs."),
    "JobCapped": ("capped", "Power cap {cap_frac:.0%}."),
    "JobPausing": ("pausing", "Asked to write a checkpoint."),
    "JobPaused": ("paused", "Paused; its checkpoint is kept."),
    "JobFrozen": ("frozen", "Frozen in place; its work is kept."),
    "JobThawed": ("running", "Runs again."),
    "JobReleased": ("queued", "There is credit for it again; it waits for its turn."),
    "JobPromised": ("promised", "A start at {start_at} is promised to it."),
    "JobRequeued": ("queued", "Waits again: {why}."),
    "JobResized": ("running", "Goes on with {n_nodes} nodes."),
    "JobRegrouped": ("running", "Has stopped after its checkpoint; begins again on the nodes that it holds now."),
    "JobEnding": ("ending", "Is being ended: {why}."),
    "JobEnded": ("", "{detail}"),
}

_ROWLESS: Final = (ev.JobDeferred, ev.JobHeld, ev.JobBlocked, ev.JobPromised)  # they change nothing that a row shows
_UNTOLD: Final = (
    ev.JobDeferred,
    ev.JobHeld,
    ev.JobBlocked,
    ev.JobMetered,
)  # nor a timeline: they are no news


@dataclass(slots=True)
class RowWriter:
    """Keeps what was last written of each job's reasons, so that unchanged ones cost nothing."""

    refresh_s: float = REFRESH_S
    _written: dict[JobId, tuple[str, float | None, float]] = field(default_factory=dict)
    _kept: dict[JobId, Reason] = field(default_factory=dict)

    def last_reason(self, job_id: JobId) -> Reason | None:
        """The reason that was last written of a job."""
        return self._kept.get(job_id)

    def changed_jobs(self, state: ParkState, events: Iterable[ev.Event]) -> dict[JobId, Job]:
        """The jobs that events touched, those that ended included."""
        ended = {job.job_id: job for job in state.just_ended}
        touched: dict[JobId, Job] = {}
        for event in events:
            if not isinstance(event, ev.JobEvent) or isinstance(event, _ROWLESS):
                continue
            if isinstance(event, ev.JobSubmitted) and event.spec.is_array:
                names = [JobId(f"{event.job_id}[{index}]") for index in range(event.spec.n_tasks)]
            else:
                names = [event.job_id]
            for name in names:
                job = state.jobs.get(name) or ended.get(name)
                if job is not None:
                    touched[name] = job
        return touched

    def rows(self, touched: Mapping[JobId, Job], reasons: Mapping[JobId, Reason], now_s: float) -> list[dict[str, Any]]:
        """Rows of the touched jobs with the reason that holds now."""
        rows = []
        for job_id, job in touched.items():
            self._note(job, reasons.get(job_id), now_s)
            shown = [self._kept[job_id]] if job_id in self._kept else []
            rows.append(store.row_of(job, array_of(job_id), _task_index(job_id), shown))
        return rows

    def fresh_reasons(
        self, state: ParkState, touched: Mapping[JobId, Job], reasons: Mapping[JobId, Reason], now_s: float
    ) -> dict[str, list[Reason]]:
        """Reasons of untouched jobs that differ from what was written, or whose numbers have grown old."""
        fresh: dict[str, list[Reason]] = {}
        for job_id, reason in reasons.items():
            if job_id in touched or job_id not in state.jobs or reason.code in DERIVED:
                continue
            written = self._written.get(job_id)
            is_old = written is None or now_s - written[2] >= self.refresh_s
            if written is not None and not is_old and self._is_same(written, reason) and self._is_known(job_id, reason):
                continue
            self._note(state.jobs[job_id], reason, now_s)
            fresh[job_id] = [reason]
        return fresh

    def _note(self, job: Job, reason: Reason | None, now_s: float) -> None:
        if reason is not None and reason.code not in DERIVED:
            self._kept[job.job_id] = reason
            self._written[job.job_id] = (reason.code, reason.until_s, now_s)
        elif not _keeps_reason(job):
            self._kept.pop(job.job_id, None)
            self._written.pop(job.job_id, None)

    def _is_known(self, job_id: JobId, reason: Reason) -> bool:
        """Whether the start that it should expect is what was written last."""
        kept = self._kept.get(job_id)
        return kept is not None and kept.values.get("start_p50") == reason.values.get("start_p50")

    def _is_same(self, written: tuple[str, float | None, float], reason: Reason) -> bool:
        """The same code until about the same time: an estimate that shifts by seconds is no news."""
        code, until_s, _ = written
        if code != reason.code or (until_s is None) != (reason.until_s is None):
            return False
        return abs((until_s or 0.0) - (reason.until_s or 0.0)) < self.refresh_s


def _keeps_reason(job: Job) -> bool:
    """A capped, shrunk, pausing, paused or frozen job keeps its reason until something else happens to it."""
    held = job.state in (JobState.PAUSING, JobState.PAUSED, JobState.FROZEN)
    is_less = job.cap_frac < 1.0 or 0 < len(job.nodes) < job.spec.n_nodes
    return held or (job.state is JobState.RUNNING and is_less)


def _task_index(job_id: JobId) -> int | None:
    return int(job_id.rsplit("[", 1)[1].rstrip("]")) if array_of(job_id) is not None else None


def timeline_rows(
    first_seq: int,
    events: Iterable[ev.Event],
    reasons: Mapping[JobId, Reason],
    waited_for: Callable[[JobId], Reason | None] = lambda _: None,
) -> list[dict[str, Any]]:
    """One line per event of a job, numbered as in the journal from `first_seq` on.

    `waited_for`: the last reason a job was given before these events; a start keeps it, as a reason of the past.
    """
    rows = []
    for seq, event in enumerate(events, first_seq):
        if not isinstance(event, ev.JobEvent) or isinstance(event, _UNTOLD):
            continue  # a reason tells of a better hour, again in each hour
        what, words = _WORDS[type(event).__name__]
        if isinstance(event, ev.JobEnded):
            what = str(event.state)
        values = {name: getattr(event, name) for name in event.__slots__}
        if isinstance(event, ev.JobPromised):
            values["start_at"] = iso_from_s(event.start_s)
        text = words.format(**values)
        reason = reasons.get(event.job_id)
        if reason is not None and isinstance(
            event, ev.JobCapped | ev.JobEnding | ev.JobPausing | ev.JobFrozen | ev.JobThawed | ev.JobResized
        ):
            text = f"{text} {reason.text}"
        elif isinstance(event, ev.JobPromised):
            reason = Reason("promised", text, {"promised_at": values["start_at"]})
        else:
            reason = waited_for(event.job_id) if isinstance(event, ev.JobStarting) else None
        rows.append(
            {
                "seq": seq, "job_id": event.job_id, "at_s": event.at_s, "what": what, "text": text,
                "reason": json.dumps(reason.to_json()) if reason is not None else None,
                "cap_frac": event.cap_frac if isinstance(event, ev.JobCapped) else None,
                "node": event.node if isinstance(event, ev.JobStarting) else None,
            }
        )  # fmt: skip
    return rows
