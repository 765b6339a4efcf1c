"""Decisions turned into calls on the engine after the journal's commit; a restart may repeat them, none acts twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import Job, JobState
from eureka_park.compute.ports import Engine
from eureka_park.data.service import DataService
from eureka_park.foundation.errors import ParkError, Unavailable
from eureka_park.foundation.ids import JobId, array_of
from eureka_park.foundation.wire.engine import Capability, GangPart, InputFolder, StagedFile, StartOrder

if TYPE_CHECKING:
    from eureka_park.compute.core.state import ParkState


@dataclass(slots=True)
class Actions:
    """Carries decisions out. `refused` hears of orders that no engine will take.

    A node that a shrinking gang gives up is the next job's in the books at once, and on the machine when the gang's
    attempt there has stopped: until then the order to start is held back (`start_held_back`). A gang that grows begins
    anew on all its nodes in the same way.
    """

    engine: Engine
    data: DataService
    grace_s: float
    refused: Callable[[JobId, str], None]
    _shrinking: set[JobId] | None = None  # None: nobody has looked yet, as after a restart
    _held_back: set[JobId] = field(default_factory=set)

    def act(self, state: ParkState, event: ev.Event) -> None:
        """Carry one decision out, if it asks for anything."""
        job = state.jobs.get(getattr(event, "job_id", JobId("")))
        if job is None:
            return
        match event:
            case ev.JobStarting() | ev.JobRegrouped():
                self.start(state, job)
            case ev.JobCapped():
                self.engine.set_cap(job.job_id, job.attempt, job.cap_frac)
            case ev.JobPausing():
                self.engine.suspend(job.job_id, job.attempt, "checkpoint", self.grace_s)
            case ev.JobResized():
                self._shrinking_of(state).add(job.job_id)
                if job.job_id in self._held_back:
                    return  # nothing of it runs; it is stopped when its order has been given
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

    def repeat(self, state: ParkState, job: Job, *, is_known: bool) -> None:
        """Say again what the state asks of one job. `is_known`: the engine has a report of its attempt."""
        if not is_known and (job.state is JobState.STARTING or job.is_regrouping):
            self.start(state, job)
            # the pause that it was asked for meanwhile is for this attempt
            is_known = job.is_regrouping and job.job_id not in self._held_back
        if job.ending:
            self.engine.cancel(job.job_id, job.attempt, self.grace_s)
        elif is_known and (job.state is JobState.PAUSING or (job.state is JobState.RUNNING and job.resized_from)):
            self.engine.suspend(job.job_id, job.attempt, "checkpoint", self.grace_s)
        elif is_known and job.state is JobState.FROZEN:
            self.engine.suspend(job.job_id, job.attempt, "freeze", self.grace_s)
        elif is_known and job.state is JobState.RUNNING:
            self.engine.resume(job.job_id, job.attempt)
            self.engine.set_cap(job.job_id, job.attempt, job.cap_frac)

    def start(self, state: ParkState, job: Job) -> None:
        """Order one attempt of a job, or hold the order back until its nodes have been left."""
        if not self._left_nodes(state).isdisjoint((job.node, *job.nodes)):
            self._held_back.add(job.job_id)
            return
        self._held_back.discard(job.job_id)
        try:
            if job.nodes and Capability.GANG not in self.engine.capabilities():
                raise _no_gangs()
            self.engine.submit(self._order(state, job))
        except ParkError as error:
            self.refused(job.job_id, error.line())

    def start_held_back(self, state: ParkState) -> None:
        """Give the orders that were held back, as far as their nodes have been left since. Called in each cycle."""
        for job_id in sorted(self._held_back):
            job = state.on_node.get(job_id)
            if job is None or not (job.state is JobState.STARTING or job.is_regrouping):
                self._held_back.discard(job_id)
                continue
            try:
                self.start(state, job)
                if job_id not in self._held_back and (job.resized_from or job.state is JobState.PAUSING):
                    self.engine.suspend(job.job_id, job.attempt, "checkpoint", self.grace_s)
            except OSError:  # a full disk, say: tried again in the next cycle
                self._held_back.add(job_id)

    def _shrinking_of(self, state: ParkState) -> set[JobId]:
        if self._shrinking is None:
            self._shrinking = {job.job_id for job in state.on_node.values() if job.leaving}
        return self._shrinking

    def _left_nodes(self, state: ParkState) -> set[str]:
        """Nodes that were taken from gangs and on which an attempt of theirs has not stopped yet."""
        shrinking = self._shrinking_of(state)
        nodes: set[str] = set()
        for job_id in list(shrinking):
            job = state.on_node.get(job_id)
            if job is None or not job.leaving:
                shrinking.discard(job_id)
            else:
                nodes.update(job.leaving)
        return nodes

    def _order(self, state: ParkState, job: Job) -> StartOrder:
        spec = job.spec
        files = self.data.snapshot(spec.snapshot_id) if spec.snapshot_id else ()
        env = dict(spec.env)
        if array_of(job.job_id) is not None:
            env["PARK_ARRAY_INDEX"] = job.job_id.rsplit("[", 1)[1].rstrip("]")
            env["PARK_ARRAY_SIZE"] = str(spec.n_tasks)
        parts = parts_of(state, job)
        return StartOrder(
            job_id=job.job_id,
            attempt=job.attempt,
            project=spec.project,
            command=spec.command,
            env=env,
            secrets=spec.secrets,
            files=tuple(StagedFile(item.path, str(self.data.blob_path(item.sha256)), item.mode) for item in files),
            n_cpus=spec.n_cpus,
            memory_bytes=spec.memory_bytes,
            gpu_indices=tuple(index for part in parts for index in part.gpu_indices),
            cap_frac=job.cap_frac,
            checkpoint=spec.checkpoint,
            grace_s=self.grace_s,
            resume_count=job.resume_count,
            dependencies=spec.dependencies,
            requires_python=spec.requires_python,
            uses_python=spec.uses_python,
            is_trusted=spec.is_trusted,
            parts=parts if job.nodes else (),
            inputs=tuple(InputFolder(*item) for item in spec.inputs),
        )


def parts_of(state: ParkState, job: Job) -> tuple[GangPart, ...]:
    """The parts of a job: one on each of its nodes, with the GPUs that it has there.

    GPUs are counted through all nodes of the engine in their order: several nodes on one machine share none.
    """
    if not job.spec.n_gpus:
        return tuple(GangPart(name) for name in job.nodes or (job.node,))
    first = {}
    n_gpus = 0
    for node in state.nodes.values():
        first[node.node_id] = n_gpus
        n_gpus += node.n_gpus
    if not job.nodes:
        return (GangPart(job.node, tuple(first[job.node] + index for index in job.gpu_indices)),)
    held = ((name, first[name], state.nodes[name].n_gpus) for name in job.nodes)
    return tuple(GangPart(name, tuple(range(at, at + n))) for name, at, n in held)


def _no_gangs() -> Unavailable:
    return Unavailable(
        "The engine here cannot run a job on several machines.",
        fix="Ask for one machine, or for a park whose engine can (`park status` names what an engine can do).",
        code="engine_without_gangs",
    )
