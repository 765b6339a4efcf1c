"""The park's state of jobs: rebuilt from a snapshot and the journal's tail, changed by events alone.

What people are told of jobs is kept here; all that decisions rest on stands on a board beside it (`board_side`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.board import Board
from eureka_park.compute.core.board_side import UP, BoardSide
from eureka_park.compute.core.job import WAITING, Job, JobSpec, JobState
from eureka_park.compute.core.machines import Machines
from eureka_park.compute.core.state_check import check_state
from eureka_park.foundation.ids import JobId, array_of, task_id

SCHEMA_VERSION: Final = 3
REMEMBERED_MAX: Final = 5_000  # ended jobs whose end a job submitted just then may still depend on
_TIMED: Final = frozenset({ev.NodesDeclared, ev.JobSubmitted, *ev.OF_JOBS})


class ParkState:
    """All jobs that have not ended, the nodes, the share tree, and the board on which they stand."""

    def __init__(self) -> None:
        self.nodes: dict[str, ev.Node] = {}
        self.closed: dict[str, ev.NodeDown] = {}  # nodes that take no job
        self.windows: dict[str, ev.WindowSet] = {}
        self.side = BoardSide()
        self.jobs: dict[JobId, Job] = {}
        self.on_node: dict[JobId, Job] = {}  # in order of their starts
        self.held: dict[JobId, Job] = {}  # waiting for other jobs, or aside until credit comes
        self.newly_held: list[Job] = []  # filled by apply, emptied by the tick that tells them why
        self.dependents: dict[JobId, list[JobId]] = {}
        self.open_tasks: dict[JobId, int] = {}  # by array
        self.array_sizes: dict[JobId, int] = {}  # of arrays with open tasks
        self.bad_arrays: dict[JobId, JobState] = {}  # open arrays one of whose tasks did not finish
        self.recently_ended: dict[JobId, JobState] = {}  # jobs and arrays, the oldest first
        self.broken: dict[JobId, tuple[JobId, JobState]] = {}  # held for a job that did not finish
        self.known_projects: set[str] = set()
        self.nodes_kw = self.nodes_idle_kw = 0.0  # what all nodes draw when busy, and when idle
        self.queued_kw = 0.0  # power of everything that waits, above idle
        self.queued_kwh = 0.0  # and its declared energy
        self.meter: Mapping[str, Any] = {}
        self.next_order = 0
        self.just_ended: list[Job] = []  # filled by apply, emptied by the caller that settles
        self.on_board: tuple[Any, ...] | None = None  # what the last tick had put there: kept by `control.tick`
        self._waiting: dict[JobId, tuple[float, float]] = {}  # kW and kWh of each job that waits

    # -- the board -------------------------------------------------------------------------------------------------
    @property
    def board(self) -> Board | None:
        """What kernels decide on; None before nodes have been declared."""
        return self.side.board

    @property
    def slot_of(self) -> dict[JobId, int]:
        """Where each job stands on the board."""
        return self.side.slots

    @property
    def job_at(self) -> dict[int, JobId]:
        """The job in each slot of the board that is taken."""
        return self.side.jobs_at

    @property
    def node_ids(self) -> list[str]:
        """Names of the nodes by their index on the board."""
        return self.side.machines.node_ids

    @property
    def share_paths(self) -> list[str]:
        """Paths of the shares by their index on the board."""
        return [row.path for row in self.side.tree.rows]

    def project_rows(self) -> dict[str, int]:
        """The share on the board of each project that has ever sent a job."""
        tree = self.side.tree
        return {project: tree.project_row(project) for project, _ in tree.leaves()}

    def copied(self) -> ParkState:
        """A state to try things on; the jobs themselves are shared and must not be changed."""
        other = copy.copy(self)
        other.side = self.side.copied()
        for name, value in vars(other).items():
            if isinstance(value, dict | set | list):
                setattr(other, name, copy.copy(value))
        return other

    # -- the one way in --------------------------------------------------------------------------------------------
    def apply(self, event: ev.Event) -> None:
        """Let one event happen. Raises KeyError or ValueError when it cannot have happened to this state."""
        kind = type(event)
        if kind in _TIMED:
            self.side.roll(event.at_s)
        if kind not in ev.OF_JOBS:
            _APPLY[kind](self, event)
            return
        if kind in ev.ON_NODES and event.job_id not in self.on_node:  # type: ignore[union-attr]
            return  # an older park let jobs run on where their node had gone
        _APPLY[kind](self, event)
        if self.board is not None:
            self.side.move(event)
        self._told(event)

    def follow(self, events: Iterable[ev.JobEvent]) -> None:
        """Let events happen that kernels have decided, and so have done to the board already."""
        for event in events:
            _APPLY[type(event)](self, event)
            self._told(event)

    def _told(self, event: Any) -> None:
        """Take over what the board now knows of an event's job."""
        job = self.jobs.get(event.job_id)
        if job is not None:
            self.side.mirror(job)
            self._count(job)
            if type(event) in ev.CHANGE_DRAW:
                job.steady_s = event.at_s

    def refresh(self, now_s: float) -> None:
        """Let windows come to hold and pass. Called before each turn."""
        if now_s >= self.side.windows_until_s:
            self.side.show_windows(self.windows.values(), now_s)

    def jobs_without(self, nodes: Collection[ev.Node]) -> list[Job]:
        """Jobs on nodes that would not be there any more. A single machine of a local engine is the same under any
        name.
        """
        names = {node.node_id for node in nodes}
        engines = {node.engine for node in (*self.nodes.values(), *nodes)}
        if len(self.nodes) == len(nodes) == 1 and engines == {"local"}:
            return []
        return [job for job in self.on_node.values() if not names >= {job.node, *job.nodes}]

    def jobs_on(self, node_id: str) -> list[Job]:
        """Jobs that hold a node, in order of their starts."""
        return [job for job in self.on_node.values() if node_id in (job.node, *job.nodes)]

    # -- nodes, shares, policy -------------------------------------------------------------------------------------
    def _nodes_declared(self, event: ev.NodesDeclared) -> None:
        nodes = {node.node_id: node for node in event.nodes}
        for job in self.jobs_without(event.nodes):
            self.apply(ev.JobRequeued(job.job_id, event.at_s, "its node is gone"))
        for job in self.on_node.values():
            if job.node not in nodes:
                job.node = next(iter(nodes))
        self.nodes = nodes
        self.nodes_kw = sum(node.rated_kw for node in nodes.values())
        self.nodes_idle_kw = sum(node.idle_kw for node in nodes.values())
        self.closed = {name: closed for name, closed in self.closed.items() if name in nodes}
        self.side.machines = Machines.of(event.nodes, self.side.machines.gpu_types)
        self._rebuild(event.at_s)

    def _rebuild(self, at_s: float, used: Any = None) -> None:
        if not self.nodes:
            self.side.board = None
            return
        self.side.rebuild(self.jobs.values(), self.on_node.values(), self.held, at_s, used)
        for name, closed in self.closed.items():
            self.side.set_node(name, closed.state)
        self.side.show_windows(self.windows.values(), at_s)
        for job in self.jobs.values():
            self.side.mirror(job)
            self._count(job)

    def _node_down(self, event: ev.NodeDown) -> None:
        if event.state == ev.DOWN:
            for job in self.jobs_on(event.node_id):
                self.apply(ev.JobRequeued(job.job_id, event.at_s, event.why))
        self.closed[event.node_id] = event
        self.side.set_node(event.node_id, event.state)

    def _node_up(self, event: ev.NodeUp) -> None:
        self.closed.pop(event.node_id, None)
        self.side.set_node(event.node_id, UP)

    def _window_set(self, event: ev.WindowSet) -> None:
        self.windows[event.window_id] = event
        self.side.show_windows(self.windows.values(), event.at_s)

    def _window_cleared(self, event: ev.WindowCleared) -> None:
        self.windows.pop(event.window_id, None)
        self.side.show_windows(self.windows.values(), event.at_s)

    def _shares_declared(self, event: ev.SharesDeclared) -> None:
        used = self.side.declare_shares(event.shares)
        if used is not None:
            self._rebuild(event.at_s, used)

    def _policy_used(self, event: ev.PolicyUsed) -> None:
        self.side.use_policy(event, self.on_node.values())
        for job in self.on_node.values():
            self.side.mirror(job)

    def _power_learned(self, event: ev.PowerLearned) -> None:
        self.side.learn(event)

    # -- jobs ------------------------------------------------------------------------------------------------------
    def _submitted(self, event: ev.JobSubmitted) -> None:
        spec = event.spec
        is_first = spec.project not in self.known_projects
        self.known_projects.add(spec.project)
        if spec.is_array:
            self.open_tasks[event.job_id] = self.array_sizes[event.job_id] = spec.n_tasks
        for index in range(spec.n_tasks):
            job_id = task_id(event.job_id, index) if spec.is_array else event.job_id
            if job_id in self.jobs:
                raise ValueError(f"{job_id} was already submitted")
            job = Job(
                job_id, spec, self.next_order, event.at_s, deadline_s=event.deadline_s, waiting_for=event.waiting_for
            )  # fmt: skip
            job.is_first = is_first and index == 0
            self.next_order += 1
            self.jobs[job_id] = job
            self._hold(job, event.waiting_for)
            if self.board is not None:
                self.side.submit(job, is_held=job_id in self.held)
                self.side.mirror(job)
            self._count(job)

    def _hold(self, job: Job, deps: tuple[JobId, ...]) -> None:
        """Hold a job for what is open; one that waits in vain is marked for the next tick to cancel."""
        bad = next((dep for dep in deps if self._how_ended(dep) not in (None, JobState.FINISHED)), None)
        job.waiting_for = tuple(dep for dep in deps if self._is_open(dep) or dep == bad)
        if not job.waiting_for:
            return
        self.held[job.job_id] = job
        self.newly_held.append(job)
        for dep in job.waiting_for:
            self.dependents.setdefault(dep, []).append(job.job_id)
        if bad is not None:
            self.broken[job.job_id] = (bad, self._how_ended(bad) or JobState.FAILED)

    def _how_ended(self, name: JobId) -> JobState | None:
        """How a job or array ended, as far as is remembered; an open array with a task that did not finish counts."""
        return self.bad_arrays.get(name) or self.recently_ended.get(name)

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
        if not self.nodes.keys() >= {event.node, *event.nodes}:
            raise ValueError(f"unknown node {event.node}")
        if job.state is JobState.PAUSED:
            job.resume_count += 1
            job.resumed_s = event.at_s
        job.state, job.blocked_s, job.promised_s = JobState.STARTING, None, None
        job.attempt, job.cap_frac = event.attempt, event.cap_frac
        job.node, job.nodes, job.gpu_indices = event.node, event.nodes, event.gpu_indices
        self.on_node[job.job_id] = job

    def _started(self, event: ev.JobStarted) -> None:
        job = self.jobs[event.job_id]
        if job.state is JobState.STARTING:
            job.state = JobState.RUNNING
            job.since_s = event.at_s
        job.is_regrouping = False
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
        self._leave_node(self.jobs[event.job_id], event.at_s).state = JobState.PAUSED

    def _requeued(self, event: ev.JobRequeued) -> None:
        job = self._leave_node(self.jobs[event.job_id], event.at_s)
        job.state = JobState.PAUSED if job.spec.checkpoint else JobState.QUEUED
        job.ending = ""

    def _frozen(self, event: ev.JobFrozen) -> None:
        job = self.jobs[event.job_id]
        job.state = JobState.FROZEN
        job.n_pauses += 1
        job.last_pause_s = event.at_s
        job.stop_stint(event.at_s)

    def _thawed(self, event: ev.JobThawed) -> None:
        job = self.jobs[event.job_id]
        job.state = JobState.RUNNING
        job.since_s = event.at_s
        job.resumed_s = event.at_s

    def _held_aside(self, event: ev.JobHeld) -> None:
        job = self.jobs[event.job_id]
        if job.state not in WAITING or job.job_id in self.held:
            raise ValueError(f"{job.job_id} is {job.state}, it cannot stand aside")
        job.held_for, job.promised_s = event.why, None
        self.held[job.job_id] = job

    def _ending(self, event: ev.JobEnding) -> None:
        self.jobs[event.job_id].ending = event.why

    def _ended(self, event: ev.JobEnded) -> None:
        job = self.jobs[event.job_id]
        if job.job_id in self.on_node:
            self._leave_node(job, event.at_s)
        self.held.pop(job.job_id, None)
        self.broken.pop(job.job_id, None)
        del self.jobs[job.job_id]
        job.state, job.ended_s = event.state, event.at_s
        job.exit_code, job.exit_signal, job.detail = event.exit_code, event.exit_signal, event.detail or job.detail
        self._count(job)
        self.just_ended.append(job)
        self._release_dependents(job)

    def _metered(self, event: ev.JobMetered) -> None:
        self.jobs[event.job_id].power_from = "meter"

    def _meter_read(self, event: ev.MeterRead) -> None:
        self.meter = event.reading
        for job_id, seen_j, rated_j in event.drawn:
            job = self.jobs.get(job_id)
            if job is not None:
                job.seen_j += seen_j
                job.seen_rated_j += rated_j

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
                self._let_go(waiter_id, name, ended_as, ended.ended_s or 0.0)
        while len(self.recently_ended) > REMEMBERED_MAX:
            del self.recently_ended[next(iter(self.recently_ended))]

    def _let_go(self, waiter_id: JobId, name: JobId, ended_as: JobState, now_s: float) -> None:
        waiter = self.held.get(waiter_id)
        if waiter is None:
            return
        if ended_as is not JobState.FINISHED:
            self.broken[waiter_id] = (name, ended_as)
            return
        waiter.waiting_for = tuple(dep for dep in waiter.waiting_for if dep != name)
        if waiter.waiting_for:
            self.newly_held.append(waiter)
            return
        del self.held[waiter_id]
        if self.board is not None:
            self.side.release(waiter, now_s)
            self.side.mirror(waiter)
        self._count(waiter)

    def _is_open(self, name: JobId) -> bool:
        return name in self.jobs or name in self.open_tasks

    def _leave_node(self, job: Job, now_s: float) -> Job:
        job.leave_nodes(now_s)
        del self.on_node[job.job_id]
        return job

    def _count(self, job: Job) -> None:
        """Count a job among those that wait, or no longer; an empty queue is exactly zero, whatever rounding left."""
        kw, kwh = self._waiting.pop(job.job_id, (0.0, 0.0))
        self.queued_kw -= kw
        self.queued_kwh -= kwh
        if job.state in WAITING:
            kw, kwh = job.dynamic_kw, self._left_kwh(job)
            self._waiting[job.job_id] = kw, kwh
            self.queued_kw += kw
            self.queued_kwh += kwh
        elif not self._waiting:
            self.queued_kw = self.queued_kwh = 0.0

    @staticmethod
    def _left_kwh(job: Job) -> float:
        return job.dynamic_kw * max(0.0, job.spec.time_s - job.done_s) / 3600.0

    # -- snapshot --------------------------------------------------------------------------------------------------
    def to_json(self) -> dict[str, Any]:
        """Everything, as plain JSON; `from_json` rebuilds an equal state. Tasks of an array share one declaration."""
        specs = {id(job.spec): job.spec for job in self.jobs.values()}
        place = {key: index for index, key in enumerate(specs)}
        return {
            "schema": SCHEMA_VERSION,
            "nodes": [asdict(node) for node in self.nodes.values()],
            "closed": [ev.event_to_json(closed)[1] for closed in self.closed.values()],
            "windows": [ev.event_to_json(window)[1] for window in self.windows.values()],
            "specs": [spec.to_json() for spec in specs.values()],
            "jobs": [{**job.to_json(), "spec": place[id(job.spec)]} for job in self.jobs.values()],
            "on_node": list(self.on_node),
            "known_projects": sorted(self.known_projects),
            "broken": {waiter: [name, ended_as] for waiter, (name, ended_as) in self.broken.items()},
            "bad_arrays": dict(self.bad_arrays),
            "recently_ended": list(self.recently_ended.items()),
            "meter": dict(self.meter),
            "next_order": self.next_order,
            "queued": [self.queued_kw, self.queued_kwh],
            "side": self.side.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ParkState:
        """Read what `to_json` wrote. Raises ValueError for another schema version, or another layout of the board."""
        if value.get("schema") != SCHEMA_VERSION:
            raise ValueError(f"snapshot schema {value.get('schema')} is not {SCHEMA_VERSION}")
        state = cls()
        nodes = [ev.Node(**node) for node in value["nodes"]]
        state.nodes = {node.node_id: node for node in nodes}
        state.nodes_kw, state.nodes_idle_kw = sum(node.rated_kw for node in nodes), sum(node.idle_kw for node in nodes)
        state.closed = {item["node_id"]: ev.NodeDown(**item) for item in value["closed"]}
        windows = [ev.WindowSet(**{**item, "node_ids": tuple(item["node_ids"])}) for item in value["windows"]]
        state.windows = {window.window_id: window for window in windows}
        state.side = BoardSide.from_json(value["side"], nodes)
        state._take_jobs(value)
        state.bad_arrays = {name: JobState(ended_as) for name, ended_as in value["bad_arrays"].items()}
        state.recently_ended = {name: JobState(ended_as) for name, ended_as in value["recently_ended"]}
        state.broken = {waiter: (name, JobState(ended_as)) for waiter, (name, ended_as) in value["broken"].items()}
        state.known_projects = set(value["known_projects"])
        state.meter = value["meter"]
        state.next_order = value["next_order"]
        state.queued_kw, state.queued_kwh = value["queued"]
        state.side.windows_until_s = float("-inf")
        return state

    def _take_jobs(self, value: Mapping[str, Any]) -> None:
        specs = [JobSpec.from_json(item) for item in value["specs"]]
        jobs = [Job.from_json(item, specs[item["spec"]]) for item in value["jobs"]]
        self.jobs = {job.job_id: job for job in jobs}
        self.on_node = {job_id: self.jobs[job_id] for job_id in value["on_node"]}
        self.held = {job.job_id: job for job in jobs if job.waiting_for or job.held_for}
        self.newly_held = [job for job in self.held.values() if job.waiting_for]
        for job in jobs:
            self._count(job)
            for dep in job.waiting_for:
                self.dependents.setdefault(dep, []).append(job.job_id)
            array_id = array_of(job.job_id)
            if array_id is not None:
                self.open_tasks[array_id] = self.open_tasks.get(array_id, 0) + 1
                self.array_sizes[array_id] = job.spec.n_tasks

    # -- invariants ------------------------------------------------------------------------------------------------
    def validate(self) -> None:
        """Check every invariant, for tests; AssertionError names the one that is broken."""
        check_state(self, self._waiting, self._left_kwh)


_APPLY: Final[dict[type[Any], Callable[[ParkState, Any], None]]] = {
    ev.NodesDeclared: ParkState._nodes_declared,
    ev.NodeDown: ParkState._node_down,
    ev.NodeUp: ParkState._node_up,
    ev.WindowSet: ParkState._window_set,
    ev.WindowCleared: ParkState._window_cleared,
    ev.SharesDeclared: ParkState._shares_declared,
    ev.PolicyUsed: ParkState._policy_used,
    ev.PowerLearned: ParkState._power_learned,
    ev.JobSubmitted: ParkState._submitted,
    ev.JobStarting: ParkState._starting,
    ev.JobStarted: ParkState._started,
    ev.JobCapped: ParkState._capped,
    ev.JobPausing: ParkState._pausing,
    ev.JobPaused: ParkState._paused,
    ev.JobRequeued: ParkState._requeued,
    ev.JobFrozen: ParkState._frozen,
    ev.JobThawed: ParkState._thawed,
    ev.JobEnding: ParkState._ending,
    ev.JobEnded: ParkState._ended,
    ev.JobDeferred: lambda _state, _event: None,  # where it waits is the board's
    ev.JobHeld: ParkState._held_aside,
    ev.JobReleased: lambda state, event: setattr(state.held.pop(event.job_id), "held_for", ""),
    ev.JobBlocked: lambda state, event: setattr(state.jobs[event.job_id], "blocked_s", event.since_s),
    ev.JobPromised: lambda state, event: setattr(state.jobs[event.job_id], "promised_s", event.start_s),
    ev.JobResized: lambda state, event: state.jobs[event.job_id].resize(event.nodes, event.n_nodes, event.at_s),
    ev.JobRegrouped: lambda state, event: state.jobs[event.job_id].regroup(event.attempt),
    ev.JobMetered: ParkState._metered,
    ev.MeterRead: ParkState._meter_read,
}
