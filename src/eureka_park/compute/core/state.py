"""The park's state of jobs: rebuilt from a snapshot and the journal's tail, changed by `apply` alone."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.fair_share import FairShare
from eureka_park.compute.core.job import ENDED, ON_NODE, WAITING, Job, JobSpec, JobState, Tier
from eureka_park.compute.core.placement import Rooms, dominant_frac, rated_kw
from eureka_park.compute.core.queues import Queues
from eureka_park.foundation.ids import JobId, array_of, task_id

SCHEMA_VERSION: Final = 2
REMEMBERED_MAX: Final = 5_000  # ended jobs whose end a job submitted just then may still depend on


class ParkState:
    """All jobs that have not ended, their queues, the nodes' free room and the projects' remembered use."""

    def __init__(self) -> None:
        self.nodes: dict[str, ev.Node] = {}
        self.rooms = Rooms()
        self.jobs: dict[JobId, Job] = {}
        self.queues = Queues()
        self.on_node: dict[JobId, Job] = {}
        self.held: dict[JobId, Job] = {}  # waiting for other jobs
        self.dependents: dict[JobId, list[JobId]] = {}
        self.open_tasks: dict[JobId, int] = {}  # by array
        self.array_sizes: dict[JobId, int] = {}  # of arrays with open tasks
        self.bad_arrays: dict[JobId, JobState] = {}  # open arrays one of whose tasks did not finish
        self.recently_ended: dict[JobId, JobState] = {}  # jobs and arrays, the oldest first
        self.broken: dict[JobId, tuple[JobId, JobState]] = {}  # held for a job that did not finish
        self.fair = FairShare()
        self.known_projects: set[str] = set()
        self.queued_kw = 0.0  # power of everything that waits, above idle
        self.queued_kwh = 0.0  # and its declared energy
        self.meter: Mapping[str, Any] = {}
        self.next_order = 0
        self._by_latest_start: list[tuple[float, int, JobId]] = []  # a heap; entries of jobs that left are skipped
        self.just_ended: list[Job] = []  # filled by apply, emptied by the caller that settles

    # -- the one way in --------------------------------------------------------------------------------------------
    def apply(self, event: ev.Event) -> None:
        """Let one event happen. Raises KeyError or ValueError when it cannot have happened to this state."""
        _APPLY[type(event)](self, event)

    def job(self, job_id: JobId) -> Job:
        """A job that has not ended; KeyError otherwise."""
        return self.jobs[job_id]

    # -- events ----------------------------------------------------------------------------------------------------
    def _nodes_declared(self, event: ev.NodesDeclared) -> None:
        self.nodes = {node.node_id: node for node in event.nodes}
        self.rooms = Rooms(event.nodes)
        for job in self.on_node.values():
            if job.node in self.rooms.by_node:
                n_gpus = self.nodes[job.node].n_gpus
                self.rooms.take(job.node, job.spec, [index for index in job.gpu_indices if index < n_gpus])
        self.queued_kw = self.queued_kwh = 0.0
        for job in self.jobs.values():
            self._rate(job)
            if job.job_id not in self.on_node:
                self._count(job, 1)

    def _submitted(self, event: ev.JobSubmitted) -> None:
        is_first = event.spec.project not in self.known_projects
        self.known_projects.add(event.spec.project)
        if event.spec.is_array:
            self.open_tasks[event.job_id] = self.array_sizes[event.job_id] = event.spec.n_tasks
        for index in range(event.spec.n_tasks):
            job_id = task_id(event.job_id, index) if event.spec.is_array else event.job_id
            if job_id in self.jobs:
                raise ValueError(f"{job_id} was already submitted")
            job = Job(
                job_id,
                event.spec,
                self.next_order,
                event.at_s,
                deadline_s=event.deadline_s,
                waiting_for=event.waiting_for,
            )
            job.is_first = is_first and index == 0
            self.next_order += 1
            self.jobs[job_id] = job
            self._rate(job)
            self._count(job, 1)
            self._hold_or_queue(job, event.waiting_for)

    def _hold_or_queue(self, job: Job, deps: tuple[JobId, ...]) -> None:
        """Queue a job, or hold it for what is open; one that waits in vain is marked for the next tick to cancel."""
        bad = next((dep for dep in deps if self._how_ended(dep) not in (None, JobState.FINISHED)), None)
        job.waiting_for = tuple(dep for dep in deps if self._is_open(dep) or dep == bad)
        if not job.waiting_for:
            self._enqueue(job)
            return
        self.held[job.job_id] = job
        for dep in job.waiting_for:
            self.dependents.setdefault(dep, []).append(job.job_id)
        if bad is not None:
            self.broken[job.job_id] = (bad, self._how_ended(bad) or JobState.FAILED)

    def _how_ended(self, name: JobId) -> JobState | None:
        """How a job or array ended, as far as is remembered; an open array with a task that did not finish counts."""
        return self.bad_arrays.get(name) or self.recently_ended.get(name)

    def urgent(self, now_s: float) -> list[Job]:
        """Waiting jobs that must start by now to end by their deadline, the most pressing first."""
        found = []
        heap = self._by_latest_start
        while heap and heap[0][0] <= now_s:
            entry = heapq.heappop(heap)
            job = self.jobs.get(entry[2])
            if job is not None and job in self.queues:
                found.append((entry, job))
        for entry, _ in found:  # they stay urgent until they start
            heapq.heappush(heap, entry)
        return [job for _, job in found]

    def _enqueue(self, job: Job) -> None:
        self.queues.add(job)
        if job.deadline_s is not None:
            latest_s = job.deadline_s - max(0.0, job.spec.time_s - job.ran_s)
            heapq.heappush(self._by_latest_start, (latest_s, job.order, job.job_id))

    def tasks_of(self, job_id: JobId) -> list[JobId]:
        """The open jobs that an id stands for: itself, or the open tasks of an array."""
        if job_id in self.jobs:
            return [job_id]
        names = (task_id(job_id, index) for index in range(self.array_sizes.get(job_id, 0)))
        return [name for name in names if name in self.jobs]

    def _starting(self, event: ev.JobStarting) -> None:
        job = self.jobs[event.job_id]
        if job.state not in WAITING:
            raise ValueError(f"{job.job_id} is {job.state}, it cannot start")
        self.queues.remove(job)
        self._count(job, -1)
        self.rooms.take(event.node, job.spec, event.gpu_indices)
        if job.state is JobState.PAUSED:
            job.resume_count += 1
            job.resumed_s = event.at_s
        job.state = JobState.STARTING
        job.attempt, job.node, job.gpu_indices, job.cap_frac = (
            event.attempt,
            event.node,
            event.gpu_indices,
            event.cap_frac,
        )
        self.on_node[job.job_id] = job
        self._rate(job)
        self.fair.charge(job.spec.project, self._share(job) * job.left_s(event.at_s) / 3600.0, event.at_s)

    def _started(self, event: ev.JobStarted) -> None:
        job = self.jobs[event.job_id]
        if job.state is JobState.STARTING:
            job.state = JobState.RUNNING
            job.since_s = event.at_s
        job.sandbox_level = event.sandbox_level or job.sandbox_level
        if job.first_started_s is None:
            job.first_started_s = event.at_s

    def _capped(self, event: ev.JobCapped) -> None:
        self.jobs[event.job_id].cap_frac = event.cap_frac

    def _pausing(self, event: ev.JobPausing) -> None:
        job = self.jobs[event.job_id]
        job.state = JobState.PAUSING
        job.n_pauses += 1
        job.last_pause_s = event.at_s

    def _paused(self, event: ev.JobPaused) -> None:
        job = self.jobs[event.job_id]
        self._leave_node(job, event.at_s)
        job.state = JobState.PAUSED
        self._enqueue(job)
        self._count(job, 1)

    def _frozen(self, event: ev.JobFrozen) -> None:
        job = self.jobs[event.job_id]
        job.state = JobState.FROZEN
        job.n_pauses += 1
        job.last_pause_s = event.at_s
        self._stop_stint(job, event.at_s)

    def _thawed(self, event: ev.JobThawed) -> None:
        job = self.jobs[event.job_id]
        job.state = JobState.RUNNING
        job.since_s = event.at_s
        job.resumed_s = event.at_s

    def _ending(self, event: ev.JobEnding) -> None:
        self.jobs[event.job_id].ending = event.why

    def _ended(self, event: ev.JobEnded) -> None:
        job = self.jobs.pop(event.job_id)
        if job.job_id in self.on_node:
            self._leave_node(job, event.at_s)
        else:
            self.queues.remove(job)
            self.held.pop(job.job_id, None)
            self.broken.pop(job.job_id, None)
            self._count(job, -1)
        job.state, job.ended_s = event.state, event.at_s
        job.exit_code, job.exit_signal, job.detail = event.exit_code, event.exit_signal, event.detail or job.detail
        self.just_ended.append(job)
        self._release_dependents(job)

    def _meter_read(self, event: ev.MeterRead) -> None:
        self.meter = event.reading

    # -- parts -----------------------------------------------------------------------------------------------------
    def _release_dependents(self, ended: Job) -> None:
        over = {ended.job_id: ended.state}
        array_id = array_of(ended.job_id)
        if array_id is not None:
            self.open_tasks[array_id] -= 1
            if ended.state is not JobState.FINISHED:
                self.bad_arrays.setdefault(array_id, ended.state)
            if not self.open_tasks[array_id] or array_id in self.bad_arrays:
                over[array_id] = self.bad_arrays.get(array_id, JobState.FINISHED)
            if not self.open_tasks[array_id]:
                for kept in (self.open_tasks, self.array_sizes, self.bad_arrays):
                    kept.pop(array_id, None)
        for name, ended_as in over.items():
            if not self._is_open(name):
                self.recently_ended[name] = ended_as
            for waiter_id in self.dependents.pop(name, []):
                self._let_go(waiter_id, name, ended_as)
        while len(self.recently_ended) > REMEMBERED_MAX:
            del self.recently_ended[next(iter(self.recently_ended))]

    def _let_go(self, waiter_id: JobId, name: JobId, ended_as: JobState) -> None:
        waiter = self.held.get(waiter_id)
        if waiter is None:
            return
        if ended_as is not JobState.FINISHED:
            self.broken[waiter_id] = (name, ended_as)
            return
        waiter.waiting_for = tuple(dep for dep in waiter.waiting_for if dep != name)
        if not waiter.waiting_for:
            del self.held[waiter_id]
            self._enqueue(waiter)

    def _is_open(self, name: JobId) -> bool:
        return name in self.jobs or name in self.open_tasks

    def _leave_node(self, job: Job, now_s: float) -> None:
        self._stop_stint(job, now_s)
        self.fair.charge(job.spec.project, -self._share(job) * max(0.0, job.spec.time_s - job.ran_s) / 3600.0, now_s)
        self.rooms.give_back(job)
        del self.on_node[job.job_id]

    @staticmethod
    def _stop_stint(job: Job, now_s: float) -> None:
        job.ran_s = job.run_s(now_s)
        job.since_s = None

    def _share(self, job: Job) -> float:
        node = self.nodes.get(job.node)
        return dominant_frac(job.spec, node) / len(self.nodes) if node else 0.0

    def _rate(self, job: Job) -> None:
        node = self.nodes.get(job.node) or next(iter(self.nodes.values()), None)
        if node:
            job.rated_kw, job.dynamic_kw = rated_kw(job.spec, node)

    def _count(self, job: Job, sign: int) -> None:
        """Count a waiting job in or out; an empty queue is exactly zero, whatever rounding has left."""
        self.queued_kw += sign * job.dynamic_kw
        self.queued_kwh += sign * self._left_kwh(job)
        if sign < 0 and not self.queues.n_waiting and not self.held:
            self.queued_kw = self.queued_kwh = 0.0

    @staticmethod
    def _left_kwh(job: Job) -> float:
        return job.dynamic_kw * max(0.0, job.spec.time_s - job.ran_s) / 3600.0

    # -- snapshot --------------------------------------------------------------------------------------------------
    def to_json(self) -> dict[str, Any]:
        """Everything, as plain JSON; `from_json` rebuilds an equal state. Tasks of an array share one declaration."""
        specs = {id(job.spec): job.spec for job in self.jobs.values()}
        place = {key: index for index, key in enumerate(specs)}
        return {
            "schema": SCHEMA_VERSION,
            "nodes": [asdict(node) for node in self.nodes.values()],
            "specs": [spec.to_json() for spec in specs.values()],
            "jobs": [{**job.to_json(), "spec": place[id(job.spec)]} for job in self.jobs.values()],
            "waiting": [
                job_id
                for project in self.queues.projects()
                for tier in Tier
                for job_id in self.queues.waiting(project, tier)
            ],
            "fair": self.fair.to_json(),
            "known_projects": sorted(self.known_projects),
            "broken": {waiter: [name, ended_as] for waiter, (name, ended_as) in self.broken.items()},
            "bad_arrays": dict(self.bad_arrays),
            "recently_ended": list(self.recently_ended.items()),
            "meter": dict(self.meter),
            "next_order": self.next_order,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ParkState:
        """Read what `to_json` wrote. Raises ValueError for another schema version."""
        if value.get("schema") != SCHEMA_VERSION:
            raise ValueError(f"snapshot schema {value.get('schema')} is not {SCHEMA_VERSION}")
        state = cls()
        specs = [JobSpec.from_json(item) for item in value["specs"]]
        jobs = [Job.from_json(item, specs[item["spec"]]) for item in value["jobs"]]
        state.bad_arrays = {name: JobState(ended_as) for name, ended_as in value["bad_arrays"].items()}
        state.recently_ended = {name: JobState(ended_as) for name, ended_as in value["recently_ended"]}
        state.jobs = {job.job_id: job for job in jobs}
        state.on_node = {job.job_id: job for job in jobs if job.state in ON_NODE}
        state.held = {job.job_id: job for job in jobs if job.waiting_for}
        for job in state.held.values():
            for dep in job.waiting_for:
                state.dependents.setdefault(dep, []).append(job.job_id)
        for job_id in value["waiting"]:
            state._enqueue(state.jobs[job_id])
        state.broken = {waiter: (name, JobState(ended_as)) for waiter, (name, ended_as) in value["broken"].items()}
        for job in jobs:
            array_id = array_of(job.job_id)
            if array_id is not None:
                state.open_tasks[array_id] = state.open_tasks.get(array_id, 0) + 1
                state.array_sizes[array_id] = job.spec.n_tasks
        state.fair = FairShare.from_json(value["fair"])
        state.known_projects = set(value["known_projects"])
        state.meter = value["meter"]
        state.next_order = value["next_order"]
        state.apply(ev.NodesDeclared(0.0, tuple(ev.Node(**node) for node in value["nodes"])))
        return state

    # -- invariants ------------------------------------------------------------------------------------------------
    def validate(self) -> None:
        """Check every invariant; AssertionError names the one that is broken. Called by tests and, now and then, by
        live.
        """
        for job_id, job in self.jobs.items():
            assert job.job_id == job_id and job.state not in ENDED, f"{job_id} ended but is still held"
            places = [job_id in self.on_node, job_id in self.held, job in self.queues]
            assert sum(places) == 1, f"{job_id} stands in {sum(places)} places"
            assert (job.state in ON_NODE) == places[0], f"{job_id} is {job.state} but on_node is {places[0]}"
        self._validate_rooms()
        waiting_kwh = sum(self._left_kwh(job) for job in self.jobs.values() if job.job_id not in self.on_node)
        assert abs(waiting_kwh - self.queued_kwh) <= 1e-6 * (1 + waiting_kwh), (
            f"queued_kwh {self.queued_kwh} is not {waiting_kwh}"
        )

    def _validate_rooms(self) -> None:
        for node_id, room in self.rooms.by_node.items():
            held = [job for job in self.on_node.values() if job.node == node_id]
            gpus = [index for job in held for index in job.gpu_indices if index < room.node.n_gpus]
            assert len(gpus) == len(set(gpus)), f"a GPU of {node_id} is held twice"
            assert sorted(gpus + room.free_gpus) == list(range(room.node.n_gpus)), f"GPUs of {node_id} do not add up"
            cpus = sum(job.spec.n_cpus for job in held)
            assert abs(cpus + room.free_cpus - room.node.n_cpus) < 1e-3, f"CPUs of {node_id} do not add up"
            assert room.free_cpus > -1e-3 and room.free_memory_bytes >= 0, f"{node_id} is over-full"


_APPLY: Final[dict[type[Any], Callable[[ParkState, Any], None]]] = {
    ev.NodesDeclared: ParkState._nodes_declared,
    ev.JobSubmitted: ParkState._submitted,
    ev.JobStarting: ParkState._starting,
    ev.JobStarted: ParkState._started,
    ev.JobCapped: ParkState._capped,
    ev.JobPausing: ParkState._pausing,
    ev.JobPaused: ParkState._paused,
    ev.JobFrozen: ParkState._frozen,
    ev.JobThawed: ParkState._thawed,
    ev.JobEnding: ParkState._ending,
    ev.JobEnded: ParkState._ended,
    ev.MeterRead: ParkState._meter_read,
}
