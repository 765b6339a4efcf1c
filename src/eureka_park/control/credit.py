"""Work that has gone on beyond its declared time and for which there is no credit: paused until there is, or ended.

Who writes checkpoints and is not firm is paused, holds no machine, and goes on when credit has come. Firm work, and
what would lose all its work by a pause, runs on for an hour of notice at the park's cost, and is ended then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import WAITING, Job, JobClass, JobState, Reason, Tier
from eureka_park.compute.core.state import ParkState
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.units import HOUR_S, duration_text
from eureka_park.ledger.core.exact import MICRO
from eureka_park.ledger.core.holding import Unpaid

CREDIT: Final = "credit"
NOTICE_S: Final = float(HOUR_S)  # of park time between the notice and the end of work that cannot be paused


def of_credit(state: ParkState, unpaid: Mapping[str, Unpaid] | None, now_s: float) -> Iterator[ev.Event]:
    """What must happen for want of credit, or as it has come. `unpaid` is None where nobody asks for any."""
    if unpaid is None:
        return
    for aside in [job for job in state.held.values() if job.held_for == CREDIT and job.job_id not in unpaid]:
        yield ev.JobReleased(aside.job_id, now_s)
    for job_id in sorted(unpaid):
        job = state.jobs.get(JobId(job_id))
        if job is not None:
            yield from _of_one(state, job, unpaid[job_id], now_s)


def _of_one(state: ParkState, job: Job, lacks: Unpaid, now_s: float) -> Iterator[ev.Event]:
    if job.state in WAITING:
        if job.job_id not in state.held:
            yield ev.JobHeld(job.job_id, now_s, CREDIT)
    elif job.ending:
        return
    elif may_pause(job):
        if job.state is JobState.RUNNING and not job.resized_from and not job.is_regrouping:
            yield ev.JobPausing(job.job_id, now_s, CREDIT)
    elif now_s >= lacks.since_s + NOTICE_S:
        yield ev.JobEnding(job.job_id, now_s, CREDIT)


def may_pause(job: Job) -> bool:
    """Whether a job can be stopped without losing its work, and was promised no power of its own."""
    is_kept = job.spec.checkpoint or job.spec.job_class is JobClass.SERVICE
    return is_kept and job.spec.tier is not Tier.FIRM


def reasons_of_credit(state: ParkState, unpaid: Mapping[str, Unpaid] | None) -> dict[JobId, Reason]:
    """Why those that are there are paused, or will be ended, and what would change it."""
    found = ((state.jobs.get(JobId(job_id)), lacks) for job_id, lacks in (unpaid or {}).items())
    return {job.job_id: _reason(job, lacks) for job, lacks in found if job is not None}


def _reason(job: Job, lacks: Unpaid) -> Reason:
    need, left = lacks.need_micro / MICRO, lacks.left_micro / MICRO
    values = {
        "need_credits": round(need, 6), "left_credits": round(left, 6), "project": lacks.project,
        "paid_s": lacks.declared_s, "ends": not may_pause(job),
    }  # fmt: skip
    lead = f"Its {duration_text(lacks.declared_s)} are used up; to go on it takes {need:,.2f} credits, and "
    what = lead + f"{lacks.project} has {left:,.2f}."
    if may_pause(job) or job.state in WAITING:
        return Reason("no_credit", f"{what} It is paused until there are more.", values)
    return Reason("no_credit", f"{what} It is ended unless there are more by then.", values, lacks.since_s + NOTICE_S)
