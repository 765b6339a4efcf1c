"""Decisions turned into calls on the engine after the journal's commit; a restart may repeat them, none acts twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import Job, JobState
from eureka_park.compute.ports import Engine
from eureka_park.data.service import DataService
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.ids import JobId, array_of
from eureka_park.foundation.wire.engine import StagedFile, StartOrder

if TYPE_CHECKING:
    from eureka_park.compute.core.state import ParkState


@dataclass(frozen=True, slots=True)
class Actions:
    """Carries decisions out. `refused` hears of orders that no engine will take."""

    engine: Engine
    data: DataService
    grace_s: float
    refused: Callable[[JobId, str], None]

    def act(self, state: ParkState, event: ev.Event) -> None:
        """Carry one decision out, if it asks for anything."""
        job = state.jobs.get(getattr(event, "job_id", JobId("")))
        if job is None:
            return
        match event:
            case ev.JobStarting():
                self.start(job)
            case ev.JobCapped():
                self.engine.set_cap(job.job_id, job.attempt, job.cap_frac)
            case ev.JobPausing():
                self.engine.suspend(job.job_id, job.attempt, "checkpoint", self.grace_s)
            case ev.JobFrozen():
                self.engine.suspend(job.job_id, job.attempt, "freeze", self.grace_s)
            case ev.JobThawed():
                self.engine.resume(job.job_id, job.attempt)
            case ev.JobEnding():
                self.engine.cancel(job.job_id, job.attempt, self.grace_s)
            case ev.JobRequeued():  # it may have been started anew since
                lost = job.attempt - (job.job_id in state.on_node)
                self.engine.cancel(job.job_id, lost, self.grace_s)
            case _:
                pass

    def repeat(self, job: Job, *, is_known: bool) -> None:
        """Say again what the state asks of one job. `is_known`: the engine has a report of its attempt."""
        if not is_known and job.state is JobState.STARTING:
            self.start(job)
        if job.ending:
            self.engine.cancel(job.job_id, job.attempt, self.grace_s)
        elif is_known and job.state is JobState.PAUSING:
            self.engine.suspend(job.job_id, job.attempt, "checkpoint", self.grace_s)
        elif is_known and job.state is JobState.FROZEN:
            self.engine.suspend(job.job_id, job.attempt, "freeze", self.grace_s)
        elif is_known and job.state is JobState.RUNNING:
            self.engine.resume(job.job_id, job.attempt)
            self.engine.set_cap(job.job_id, job.attempt, job.cap_frac)

    def start(self, job: Job) -> None:
        """Order one attempt of a job."""
        try:
            self.engine.submit(self._order(job))
        except ParkError as error:
            self.refused(job.job_id, error.line())

    def _order(self, job: Job) -> StartOrder:
        spec = job.spec
        files = self.data.snapshot(spec.snapshot_id) if spec.snapshot_id else ()
        env = dict(spec.env)
        if array_of(job.job_id) is not None:
            env["PARK_ARRAY_INDEX"] = job.job_id.rsplit("[", 1)[1].rstrip("]")
            env["PARK_ARRAY_SIZE"] = str(spec.n_tasks)
        return StartOrder(
            job_id=job.job_id,
            attempt=job.attempt,
            project=spec.project,
            command=spec.command,
            env=env,
            files=tuple(StagedFile(item.path, str(self.data.blob_path(item.sha256)), item.mode) for item in files),
            n_cpus=spec.n_cpus,
            memory_bytes=spec.memory_bytes,
            gpu_indices=job.gpu_indices,
            cap_frac=job.cap_frac,
            checkpoint=spec.checkpoint,
            grace_s=self.grace_s,
            resume_count=job.resume_count,
            dependencies=spec.dependencies,
            requires_python=spec.requires_python,
            uses_python=spec.uses_python,
            is_trusted=spec.is_trusted,
        )
