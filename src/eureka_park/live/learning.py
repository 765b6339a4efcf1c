"""From what the meter tells of jobs to what is predicted of them: of one that runs at once, of its name when it ends.

A reading counts where it tells of the job itself (its own GPUs' counters, or CPU seconds of a job without GPUs on a
machine whose energy is measured), and where the job ran under the same cap on the same nodes since long enough before
it. What a cap leaves is taken out by the policy's curve. The rule itself is `control.learn`; the twin goes by it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import Job, JobState
from eureka_park.control.learn import SETTLE_S, SURE_S, Lately, frac_of, is_off, remembered
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.wire.engine import MeterReading

if TYPE_CHECKING:
    from eureka_park.compute.core.state import ParkState

NAMEPLATE: Final = 1.0  # what is predicted of a name of which nothing is known
_SLACK_S: Final = 1e-3  # clocks are not better
_SPARE: Final = 100


class Metered(NamedTuple):
    """What the meter told of jobs between two readings: joules above idle by job; real seconds."""

    before: MeterReading
    after: MeterReading
    dynamic_j: Mapping[JobId, float]
    since_real_s: Mapping[JobId, float]  # when each job was started, or its cap or nodes changed last


class Seen(NamedTuple):
    """A steady stretch of one job: what it drew above idle, and what it would have at nameplate under its cap."""

    job: Job
    seen_j: float
    rated_j: float
    span_s: float


@dataclass(slots=True)
class Learning:
    """Remembers what jobs on nodes have drawn of late. Waits `settle_s` real seconds after each change of a job."""

    settle_s: float = SETTLE_S
    sure_s: float = SURE_S
    _lately: dict[JobId, Lately] = field(default_factory=dict)

    def look(
        self, state: ParkState, told: Metered, began_real_s: Mapping[JobId, float], ended_real_s: Mapping[JobId, float]
    ) -> list[Seen]:
        """What counts of a reading, by the jobs' order. Call while the board is as it was when the reading began.

        `began_real_s`, `ended_real_s`: of the present attempts' commands, as engines report them.
        """
        found = []
        for job_id, seen_j in told.dynamic_j.items():
            job, began_s = state.on_node[job_id], began_real_s.get(job_id)
            if began_s is None or job.state not in (JobState.STARTING, JobState.RUNNING):
                continue
            since_s = max(began_s, told.since_real_s[job_id])
            span_s = min(told.after.at_s, ended_real_s.get(job_id, told.after.at_s)) - told.before.at_s
            if span_s <= 0.0 or since_s + self.settle_s > told.before.at_s + _SLACK_S:
                continue
            full_kw, cap_part = state.side.rating(job_id)
            found.append(Seen(job, seen_j, full_kw * cap_part * 1000.0 * span_s, span_s))
        return sorted(found, key=lambda seen: seen.job.order)

    def events(self, state: ParkState, seen: Sequence[Seen], now_s: float) -> Iterator[ev.Event]:
        """What follows for predictions. Call when reports are applied; apply each event before asking for the next."""
        now = {one.job.job_id: one for one in seen}
        for one in seen:
            lately = self._lately.setdefault(one.job.job_id, Lately())
            lately.note(one.seen_j, one.rated_j, one.span_s)
            frac, job_id = lately.frac(self.sure_s), one.job.job_id
            goes_on = job_id in state.on_node and one.job.state is JobState.RUNNING
            if goes_on and frac is not None and is_off(state.side.predicted_frac(job_id), frac):
                yield ev.JobMetered(job_id, now_s, frac)
        for job in sorted(state.just_ended, key=lambda ended: ended.order):
            learned = self._of_ended(state, job, now.get(job.job_id), now_s)
            if learned is not None:
                yield learned
        if len(self._lately) > 2 * len(state.jobs) + _SPARE:  # who was cancelled while it was paused
            self._lately = {job_id: lately for job_id, lately in self._lately.items() if job_id in state.jobs}

    def _of_ended(self, state: ParkState, job: Job, last: Seen | None, now_s: float) -> ev.PowerLearned | None:
        """What a job that is over teaches of its name: what it drew in all."""
        lately = self._lately.pop(job.job_id, Lately())
        if lately.seen_s < self.sure_s and job.seen_rated_j <= 0.0:
            return None
        more_j, more_rated_j = (last.seen_j, last.rated_j) if last is not None else (0.0, 0.0)
        frac = frac_of(job.seen_j + more_j, job.seen_rated_j + more_rated_j)
        known = state.side.learned.get((job.spec.project, job.spec.name))
        was, n_jobs = (NAMEPLATE, 0) if known is None else known
        if frac is None or (new := remembered(was, frac)) == was:
            return None
        return ev.PowerLearned(now_s, job.spec.project, job.spec.name, new, n_jobs + 1)


def journal_form(seen: Sequence[Seen]) -> tuple[tuple[JobId, float, float], ...]:
    """What the journal keeps of it: joules, to a thousandth."""
    return tuple((one.job.job_id, round(one.seen_j, 3), round(one.rated_j, 3)) for one in seen)
