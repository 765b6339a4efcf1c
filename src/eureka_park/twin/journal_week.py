"""What a park's journal tells of a stretch of time, as a workload that can be played again.

True work is what a job did until it ended, in seconds at full speed; who was cancelled while it ran, failed or was lost
did as much as it ran, and what has not ended is taken at its declared time. Who was there already when the stretch
began comes first, with what was left of its work: it stands in the way as it did then, but its wait is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import JobSpec, JobState
from eureka_park.compute.core.machines import Machines, mcpu_of, mem_mib_of
from eureka_park.compute.core.share_paths import ShareTree
from eureka_park.control.learn import frac_of
from eureka_park.foundation.ids import JobId, task_id
from eureka_park.foundation.units import HOUR_S
from eureka_park.twin.core.failures import Failures, no_failures
from eureka_park.twin.core.workload import CLASS_NAMES, RUN_S_MIN, TIER_NAMES, Workload, workload_of

SpeedOf = Callable[[float], float]  # part of full speed under a cap


@dataclass(slots=True)
class RecordedJob:
    """One job (or task) as the journal tells it. `done_s` counts seconds at full speed; instants are park time."""

    job_id: JobId
    spec: JobSpec
    submitted_s: float
    deadline_s: float | None = None
    waiting_for: tuple[JobId, ...] = ()
    is_first: bool = False  # the first that its project ever had
    first_start_s: float | None = None
    done_s: float = 0.0
    n_pauses: int = 0
    ended_s: float | None = None
    ended_as: JobState | None = None
    learned_frac: float = 1.0  # of its dynamic power at nameplate, as was predicted when it came
    metered_frac: float | None = None  # what the meter last corrected that to
    seen_j: float = 0.0  # what it drew above idle, as far as the meter told, and what it would have at nameplate
    seen_rated_j: float = 0.0
    done_before_s: float = 0.0  # when the stretch began
    was_on_node: bool = False
    _since_s: float | None = None
    _speed: float = 1.0
    _cap_frac: float = 1.0
    _on_node: bool = False
    _n_held: int = 1

    @property
    def is_over(self) -> bool:
        """Whether it came to an end."""
        return self.ended_as is not None

    def done_at(self, now_s: float) -> float:
        """Work done by an instant at or after the last event of it."""
        return self.done_s + (max(0.0, now_s - self._since_s) * self._speed if self._since_s is not None else 0.0)

    @property
    def run_s(self) -> float:
        """Work that it does in all, as far as is known; seconds at full speed."""
        return self.done_s if self.is_over else max(self.spec.time_s, self.done_s)


@dataclass(slots=True)
class RecordedWeek:
    """A stretch of the journal. `jobs`: those that were there in it, in the order of their submission."""

    from_s: float
    to_s: float
    jobs: list[RecordedJob] = field(default_factory=list)
    nodes: tuple[ev.Node, ...] = ()
    shares: tuple[tuple[str, float, float], ...] = ()
    down: list[tuple[float, str, float]] = field(default_factory=list)  # from, node, until
    n_cancelled: int = 0  # while they waited; left out
    n_changes: int = 0  # of policy or shares within the stretch
    n_closed: int = 0  # nodes drained and windows set within it, which are not played
    last_s: float = 0.0  # the last submission that the journal tells of, of any time

    @property
    def n_submitted(self) -> int:
        """Jobs that came within it."""
        return sum(job.submitted_s >= self.from_s for job in self.jobs)

    @property
    def n_open(self) -> int:
        """Jobs whose end is not known: they run as long as they declared."""
        return sum(not job.is_over for job in self.jobs)


def read_week(
    events: Iterable[ev.Event], from_s: float, to_s: float, speed_of: SpeedOf = lambda cap: cap
) -> RecordedWeek:
    """Read a journal from its beginning; what happened after `to_s` tells how long jobs ran."""
    return _Reader(RecordedWeek(from_s, to_s), speed_of).read(events)


class _Reader:
    def __init__(self, week: RecordedWeek, speed_of: SpeedOf) -> None:
        self.week, self.speed_of = week, speed_of
        self.jobs: dict[JobId, RecordedJob] = {}
        self.down: dict[str, float] = {}
        self.learned: dict[tuple[str, str], float] = {}
        self.projects: set[str] = set()
        self.has_begun = False
        self.known: set[type[Any]] = set()
        self.take: Mapping[type[Any], Callable[[Any], None]] = {
            ev.NodesDeclared: self._nodes, ev.SharesDeclared: self._shares, ev.PolicyUsed: self._changed,
            ev.PowerLearned: self._learned, ev.NodeDown: self._node_down, ev.NodeUp: self._node_up,
            ev.WindowSet: self._window, ev.JobSubmitted: self._submitted, ev.JobStarting: self._starting,
            ev.JobStarted: self._started, ev.JobCapped: self._capped, ev.JobPausing: self._pausing,
            ev.JobPaused: self._left, ev.JobFrozen: self._frozen, ev.JobThawed: self._started,
            ev.JobRequeued: self._requeued, ev.JobResized: self._resized, ev.JobEnded: self._ended,
            ev.JobMetered: self._metered, ev.MeterRead: self._meter_read,
        }  # fmt: skip

    def read(self, events: Iterable[ev.Event]) -> RecordedWeek:
        week = self.week
        for event in events:
            if not self.has_begun and event.at_s >= week.from_s:
                self._begin()
            take = self.take.get(type(event))
            if take is not None:
                take(event)
        if not self.has_begun:
            self._begin()
        for node, at_s in self.down.items():
            self._note_down(node, at_s, float("inf"))
        found = [job for job in self.jobs.values() if job.submitted_s < week.to_s]
        week.n_cancelled = sum(job.is_over and job.first_start_s is None for job in found)
        week.jobs = [job for job in found if not job.is_over or job.first_start_s is not None]
        week.jobs.sort(key=lambda job: (max(job.submitted_s, week.from_s), not job.was_on_node))
        return week

    def _begin(self) -> None:
        """The stretch begins: forget what is over, and note how far everybody has come."""
        self.has_begun = True
        self.jobs = {name: job for name, job in self.jobs.items() if not job.is_over}
        for job in self.jobs.values():
            job.done_before_s, job.was_on_node = job.done_at(self.week.from_s), job._on_node
            job.n_pauses = 0

    def _is_within(self, at_s: float) -> bool:
        return self.week.from_s <= at_s < self.week.to_s

    # -- the park --------------------------------------------------------------------------------------------------
    def _nodes(self, event: ev.NodesDeclared) -> None:
        if event.at_s < self.week.to_s or not self.week.nodes:
            self.week.nodes = event.nodes

    def _shares(self, event: ev.SharesDeclared) -> None:
        if event.at_s < self.week.to_s and event.shares != self.week.shares:
            self._changed(event)
            self.week.shares = event.shares

    def _changed(self, event: ev.SharesDeclared | ev.PolicyUsed) -> None:
        """Shares or policy came to hold; the first ever are no change."""
        self.week.n_changes += self._is_within(event.at_s) and type(event) in self.known
        self.known.add(type(event))

    def _learned(self, event: ev.PowerLearned) -> None:
        self.learned[event.project, event.name] = event.frac

    def _node_down(self, event: ev.NodeDown) -> None:
        if event.why == ev.DRAINED:
            self.week.n_closed += self._is_within(event.at_s)
        else:
            self.down.setdefault(event.node_id, event.at_s)

    def _node_up(self, event: ev.NodeUp) -> None:
        if event.node_id in self.down:
            self._note_down(event.node_id, self.down.pop(event.node_id), event.at_s)

    def _note_down(self, node: str, at_s: float, until_s: float) -> None:
        if at_s < self.week.to_s and until_s > self.week.from_s:
            self.week.down.append((max(at_s, self.week.from_s), node, until_s))

    def _window(self, event: ev.WindowSet) -> None:
        self.week.n_closed += event.from_s < self.week.to_s and event.to_s > self.week.from_s

    # -- jobs ------------------------------------------------------------------------------------------------------
    def _submitted(self, event: ev.JobSubmitted) -> None:
        self.week.last_s = max(self.week.last_s, event.at_s)
        spec = event.spec
        for index in range(spec.n_tasks):
            name = task_id(event.job_id, index) if spec.is_array else event.job_id
            job = self.jobs[name] = RecordedJob(name, spec, event.at_s, event.deadline_s, event.waiting_for)
            job.learned_frac = self.learned.get((spec.project, spec.name), 1.0)
            job.is_first = index == 0 and spec.project not in self.projects
        self.projects.add(spec.project)

    def _starting(self, event: ev.JobStarting) -> None:
        job = self.jobs.get(event.job_id)
        if job is None:
            return
        if job._on_node:  # its node was no longer declared: it waited again, which no entry tells
            self._lose(job, event.at_s)
        if job.first_start_s is None:
            job.first_start_s = event.at_s
        job._on_node, job._cap_frac, job._n_held = True, event.cap_frac, max(1, len(event.nodes))
        self._set_speed(job)

    def _started(self, event: ev.JobStarted | ev.JobThawed) -> None:
        job = self.jobs.get(event.job_id)
        if job is not None and job._on_node and job._since_s is None:
            job._since_s = event.at_s

    def _set_speed(self, job: RecordedJob) -> None:
        part = job._n_held / job.spec.n_nodes if job.spec.n_nodes > 1 else 1.0
        job._speed = (self.speed_of(job._cap_frac) if job.spec.n_gpus else job._cap_frac) * min(1.0, part)

    def _mark(self, job: RecordedJob, at_s: float) -> None:
        """Count what is done so far, at the speed until now."""
        job.done_s = job.done_at(at_s)
        if job._since_s is not None:
            job._since_s = at_s

    def _capped(self, event: ev.JobCapped) -> None:
        job = self.jobs.get(event.job_id)
        if job is not None:
            self._mark(job, event.at_s)
            job._cap_frac = event.cap_frac
            self._set_speed(job)

    def _resized(self, event: ev.JobResized) -> None:
        job = self.jobs.get(event.job_id)
        if job is not None:
            self._mark(job, event.at_s)
            job._n_held = event.n_nodes
            self._set_speed(job)

    def _metered(self, event: ev.JobMetered) -> None:
        job = self.jobs.get(event.job_id)
        if job is not None:
            job.metered_frac = event.frac

    def _meter_read(self, event: ev.MeterRead) -> None:
        for job_id, seen_j, rated_j in event.drawn:
            job = self.jobs.get(job_id)
            if job is not None:
                job.seen_j += seen_j
                job.seen_rated_j += rated_j

    def _pausing(self, event: ev.JobPausing) -> None:
        job = self.jobs.get(event.job_id)
        if job is not None:
            job.n_pauses += self._is_within(event.at_s)

    def _stop(self, job: RecordedJob, at_s: float) -> None:
        self._mark(job, at_s)
        job._since_s = None

    def _left(self, event: ev.JobPaused) -> None:
        job = self.jobs.get(event.job_id)
        if job is not None:
            self._stop(job, event.at_s)
            job._on_node = False

    def _frozen(self, event: ev.JobFrozen) -> None:
        job = self.jobs.get(event.job_id)
        if job is not None:
            self._stop(job, event.at_s)
            job.n_pauses += self._is_within(event.at_s)

    def _requeued(self, event: ev.JobRequeued) -> None:
        job = self.jobs.get(event.job_id)
        if job is not None:
            self._lose(job, event.at_s)

    def _lose(self, job: RecordedJob, at_s: float) -> None:
        self._stop(job, at_s)
        job._on_node = False
        if not job.spec.checkpoint:
            job.done_s = job.done_before_s = 0.0

    def _ended(self, event: ev.JobEnded) -> None:
        job = self.jobs.get(event.job_id)
        if job is None:
            return
        self._stop(job, event.at_s)
        job._on_node = False
        job.ended_s, job.ended_as = event.at_s, event.state
        if not self.has_begun:
            del self.jobs[event.job_id]


# From jobs to rows ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A week as rows. `jobs`: the job of each row; `counts`: those that came within the stretch; `learned`: by image
    the part of its rated power that a job draws; `n_too_large`: jobs that no machine of the site holds.
    """

    work: Workload
    jobs: tuple[RecordedJob, ...]
    counts: Any
    learned: Any
    n_too_large: int


def rows_of(week: RecordedWeek, machines: Machines) -> Rows:
    """The workload of a week on these machines; leaves are projects and persons (see `leaves_under`), hours count from
    the full hour at or before the stretch.
    """
    fits = [machines.classes_for(job.spec) != 0 for job in week.jobs]
    jobs = tuple(job for job, does in zip(week.jobs, fits, strict=True) if does)
    hour0_s = week.from_s // HOUR_S * HOUR_S
    keys = list(dict.fromkeys(_leaf_name(job.spec) for job in jobs)) or [""]
    index = {name: at for at, name in enumerate(keys)}
    images: dict[tuple[str, str, float], int] = {}
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    rows = {job.job_id: row for row, job in enumerate(jobs)}
    learned: list[float] = []
    for row, job in enumerate(jobs):
        spec, before_s = job.spec, job.done_before_s
        image = (spec.project, spec.name, _power_frac(job, machines))
        if image not in images:
            images[image] = len(images)
            learned.append(image[2])
        values = (
            max(job.submitted_s, week.from_s) - hour0_s, index[_leaf_name(spec)], spec.n_nodes, spec.n_nodes_min,
            spec.n_gpus, max(1, mcpu_of(spec.n_cpus)), max(1, mem_mib_of(spec.memory_bytes)),
            TIER_NAMES.index(spec.tier), CLASS_NAMES.index(spec.job_class), spec.checkpoint, spec.priority,
            max(RUN_S_MIN, spec.time_s - before_s), max(RUN_S_MIN, job.run_s - before_s),
            _deadline_s(job, week.from_s) - hour0_s,
            _row_before(job, rows, row), images[image], _gpu_type(spec, machines), job.is_first,
        )  # fmt: skip
        for name, value in zip(_COLUMNS, values, strict=True):
            columns[name].append(value)
    work = workload_of(keys, columns, gpu_types=machines.gpu_types)
    counts = np.array([job.submitted_s >= week.from_s for job in jobs], dtype=np.bool_)
    return Rows(work, jobs, counts, np.array(learned or [1.0]), len(fits) - len(jobs))


_COLUMNS: Final = (
    "submit_s", "leaf", "n_nodes", "n_nodes_min", "gpus", "mcpu", "mem_mib", "tier", "job_class", "checkpoint",
    "priority", "time_s", "run_s", "deadline_s", "after", "image", "gpu_type", "is_first",
)  # fmt: skip


def leaves_under(work: Workload, shares: Iterable[tuple[str, float, float]]) -> Workload:
    """The same work with each leaf's place in a share tree."""
    tree = ShareTree(shares)
    names = (name.split("/") for name in work.leaves)
    paths = tuple(tree.rows[tree.leaf(parts[0], "/".join(parts[1:]))].path for parts in names)
    return replace(work, leaves=paths)


def failures_in(week: RecordedWeek, machines: Machines) -> Failures:
    """The nodes that fell out within the stretch, counted from its full hour."""
    hour0_s = week.from_s // HOUR_S * HOUR_S
    rows = sorted((at_s - hour0_s, machines.index[node], up_s - hour0_s) for at_s, node, up_s in week.down
                  if node in machines.index)  # fmt: skip
    if not rows:
        return no_failures()
    at, nodes, up = zip(*rows, strict=True)
    return Failures(np.array(at), np.array(nodes, dtype=np.int32), np.array(up))


def _deadline_s(job: RecordedJob, from_s: float) -> float:
    """Its deadline, never before it comes; inf for none."""
    return np.inf if job.deadline_s is None else max(job.deadline_s, max(job.submitted_s, from_s) + 1.0)


def _leaf_name(spec: JobSpec) -> str:
    return f"{spec.project}/{spec.person}" if spec.person else spec.project


def _row_before(job: RecordedJob, rows: Mapping[JobId, int], row: int) -> int:
    """The row that this one was really held back for longest; of an array its last task."""
    found = [at for name in job.waiting_for for at in _rows_named(name, rows) if at < row]
    return max(found, default=-1)


def _rows_named(name: JobId, rows: Mapping[JobId, int]) -> list[int]:
    if name in rows:
        return [rows[name]]
    found, index = [], 0
    while (task := task_id(name, index)) in rows:
        found.append(rows[task])
        index += 1
    return found


def _gpu_type(spec: JobSpec, machines: Machines) -> int:
    return machines.gpu_types.index(spec.gpu_type) if spec.gpu_type in machines.gpu_types else -1


def _power_frac(job: RecordedJob, machines: Machines) -> float:
    """The part of its rated dynamic power that a job drew, as far as the meter told, else what was counted for it; see
    the rules of the policy, 2.
    """
    seen, spec = frac_of(job.seen_j, job.seen_rated_j) or job.metered_frac, job.spec
    if seen is not None or not spec.declared_kw:
        return job.learned_frac if seen is None else seen
    mask = machines.classes_for(spec)
    row = machines.classes[(mask & -mask).bit_length() - 1]
    cpus = min(1.0, mcpu_of(spec.n_cpus) / row.mcpu)
    gpus = spec.n_gpus / row.n_gpus if row.n_gpus else 0.0
    idle_kw = row.idle_kw * (gpus if spec.n_gpus else cpus)
    gpus_kw = min(row.n_gpus * row.gpu_kw_max, row.rated_kw - row.idle_kw)
    full_kw = (row.rated_kw - row.idle_kw - gpus_kw) * cpus + gpus_kw * gpus
    wanted_kw = spec.declared_kw / spec.n_nodes - idle_kw
    return min(1.0, max(0.0, wanted_kw / full_kw)) if full_kw > 0.0 else 1.0
