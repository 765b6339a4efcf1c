"""What a job is: its declaration, its state and the typed reasons it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from eureka_park.foundation.ids import JobId
from eureka_park.foundation.units import iso_from_s


class Tier(StrEnum):
    """What the park promises about power; see docs/nomenclature.md."""

    FIRM = "firm"
    FLEX = "flex"
    GREEN = "green"


class JobClass(StrEnum):
    """What kind of work it is."""

    BATCH = "batch"
    INTERACTIVE = "interactive"
    SERVICE = "service"


class JobState(StrEnum):
    """Where a job is; the last four are ends."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    FROZEN = "frozen"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


ENDED: Final = frozenset({JobState.FINISHED, JobState.FAILED, JobState.CANCELLED, JobState.LOST})
WAITING: Final = frozenset({JobState.QUEUED, JobState.PAUSED})
ON_NODE: Final = frozenset({JobState.STARTING, JobState.RUNNING, JobState.PAUSING, JobState.FROZEN})
LATE_S: Final = 60.0  # a start later than promised by more than this is a broken promise


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is so: a stable code, the numbers that decided it, and until when (park time) as far as is
    known.
    """

    code: str
    text: str
    values: Mapping[str, Any] = field(default_factory=dict)
    until_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The form of the API: `until` is ISO 8601 or null."""
        return {"code": self.code, "text": self.text, "values": dict(self.values), "until": iso_from_s(self.until_s)}


class JobInput(NamedTuple):
    """Data that a job reads: a folder or a file (`path`) of one version, under `mount` in its folder of inputs."""

    mount: str
    repository_id: str
    commit_id: str
    path: str = ""


class JobOutput(NamedTuple):
    """Files of a job that are committed when it is over: of `folder`, '' for its folders of outputs."""

    kind: str
    project: str
    name: str
    folder: str = ""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A checked declaration of a job. Power follows from what is asked for and the node's table, unless it is declared.

    A gang runs on `n_nodes` whole nodes at once; `n_gpus`, `n_cpus` and `memory_bytes` are those of each node.
    """

    project: str
    name: str
    command: tuple[str, ...]
    uses_python: bool = False
    snapshot_id: str | None = None
    tier: Tier = Tier.FLEX
    job_class: JobClass = JobClass.BATCH
    n_gpus: int = 0
    n_cpus: float = 1.0
    memory_bytes: int = 1024**3
    time_s: float = 3600.0
    deadline_s: float | None = None
    n_tasks: int = 1
    is_array: bool = False
    after: tuple[JobId, ...] = ()
    checkpoint: bool = False
    env: tuple[tuple[str, str], ...] = ()
    dependencies: tuple[str, ...] = ()
    requires_python: str = ""
    priority: int = 0
    purpose: str = ""
    is_trusted: bool = True  # submitted by an operator; others need a container, unless the operator allows less
    n_nodes: int = 1
    n_nodes_min: int = 0  # an elastic job may shrink to so many; 0: it is not elastic
    gpu_type: str = ""  # as the site file spells it; "": any
    person: str = ""  # who submitted it: the leaf below the project in the share tree
    labels: tuple[tuple[str, str], ...] = ()  # its sender's own words about it; the park reads none
    secrets: tuple[tuple[str, str], ...] = ()  # variables too; once it is sent, their values are sealed
    declared_kw: float | None = None  # IT power of the whole job while it runs; None: the node's table says it
    inputs: tuple[JobInput, ...] = ()
    outputs: tuple[JobOutput, ...] = ()
    output_always: bool = False  # outputs of a job that failed are committed too

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value; shallow, as every field is plain already."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> JobSpec:
        """Read what `to_json` wrote; fields that an older park did not write yet take their usual values."""
        data = dict(value)
        data["tier"] = Tier(data["tier"])
        data["job_class"] = JobClass(data["job_class"])
        for name in ("command", "after", "dependencies"):
            data[name] = tuple(data[name])
        for name in ("env", "labels", "secrets"):
            data[name] = tuple((key, text) for key, text in data.get(name, ()))
        data["inputs"] = tuple(JobInput(*item) for item in data.get("inputs", ()))
        data["outputs"] = tuple(JobOutput(*item) for item in data.get("outputs", ()))
        return cls(**data)


@dataclass(slots=True)
class Job:
    """One job (or one task of an array) as the park's state holds it. Instants are park time."""

    job_id: JobId
    spec: JobSpec
    order: int
    submitted_s: float
    state: JobState = JobState.QUEUED
    deadline_s: float | None = None  # the declared one, or the tier's default for flex
    rated_kw: float = 0.0  # IT power at full draw on all its nodes, its share of their idle included
    dynamic_kw: float = 0.0  # the part of it that capping and pausing save
    now_kw: float = 0.0  # what the plan counts for it now
    attempt: int = 0
    node: str = ""
    nodes: tuple[str, ...] = ()  # all nodes of a gang; empty for a job on one
    gpu_indices: tuple[int, ...] = ()
    cap_frac: float = 1.0
    first_started_s: float | None = None
    since_s: float | None = None  # start of the present stint on a node
    ran_s: float = 0.0  # of stints that are over
    node_s: float = 0.0  # the same, times the nodes that it held; what it pays for
    done_s: float = 0.0  # work done up to `mark_s`, in seconds at full speed
    mark_s: float = 0.0
    speed: float = 1.0  # part of full speed at which it runs
    ended_s: float | None = None
    exit_code: int | None = None
    exit_signal: int | None = None
    resume_count: int = 0
    n_pauses: int = 0
    last_pause_s: float | None = None
    resumed_s: float | None = None
    ending: str = ""  # why it is being ended: cancel, time, credit
    detail: str = ""
    sandbox_level: str = ""
    is_first: bool = False  # first job of its project: the sky does not hold it
    waiting_for: tuple[JobId, ...] = ()
    held_for: str = ""  # it stands aside until that has come: credit
    blocked_s: float | None = None  # refused for room since then, where a floor may be claimed for it
    promised_s: float | None = None  # the start that it was told first since it waits
    power_from: str = "table"  # what its predicted power rests on: table, declared, learned, meter
    n_learned_from: int = 0  # jobs of its name that had ended before, where it is learned
    steady_s: float = 0.0  # since when it draws under the same cap on the same nodes
    seen_j: float = 0.0  # energy above idle that the meter told of it under steady caps
    seen_rated_j: float = 0.0  # and what it would have been at nameplate
    resized_from: tuple[str, ...] = ()  # nodes of a gang's present attempt, which stops to begin anew on `nodes`
    is_regrouping: bool = False  # its attempt on the nodes that it holds now is not known to run yet

    def run_s(self, now_s: float) -> float:
        """Work done so far, in seconds at full speed: a capped or shrunk job does less of it in an hour."""
        if self.state is JobState.RUNNING or self.state is JobState.PAUSING:
            return self.done_s + max(0.0, now_s - self.mark_s) * self.speed
        return self.done_s

    def stop_stint(self, now_s: float) -> None:
        """Count the present stint on a node as over."""
        if self.since_s is not None:
            ran_s = max(0.0, now_s - self.since_s)
            self.ran_s += ran_s
            self.node_s += ran_s * max(1, len(self.nodes))
            self.since_s = None

    @property
    def leaving(self) -> tuple[str, ...]:
        """Nodes taken from a gang on which its present attempt still writes its checkpoint."""
        return tuple(name for name in self.resized_from if name not in self.nodes)

    def resize(self, nodes: tuple[str, ...], n_nodes: int, now_s: float) -> None:
        """Hold these nodes; the present attempt leaves its own when it has stopped, the next begins on these.

        Without `nodes` (an older park named none) it keeps the first `n_nodes` of those that it has.
        """
        if self.since_s is not None:
            self.stop_stint(now_s)
            self.since_s = now_s
        self.last_pause_s = now_s
        self.resized_from, self.nodes = self.resized_from or self.nodes, nodes or self.nodes[:n_nodes]

    def regroup(self, attempt: int) -> None:
        """Begin another attempt on the nodes that it holds now."""
        self.attempt, self.resized_from, self.is_regrouping = attempt, (), True
        self.resume_count += 1

    def leave_nodes(self, now_s: float) -> None:
        """Hold no node any more."""
        self.stop_stint(now_s)
        self.resized_from, self.is_regrouping = (), False

    def left_s(self, now_s: float) -> float:
        """Declared work that is left, in seconds at full speed, never below zero."""
        return max(0.0, self.spec.time_s - self.run_s(now_s))

    def drawn_kw(self) -> float:
        """IT power that the plan counts for it now, its cap considered; zero off the node and while it pauses."""
        return self.now_kw if self.state in ON_NODE else 0.0

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value for the snapshot, the declaration left out."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "spec"}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], spec: JobSpec) -> Job:
        """Read what `to_json` wrote; the declaration is kept apart."""
        data = {"node_s": value["ran_s"] * max(1, len(value["nodes"])), **value, "spec": spec}
        data["state"] = JobState(data["state"])
        leaving = data.pop("leaving", ())  # as an older park had it
        if leaving:
            data["resized_from"] = (*data["nodes"], *leaving)
        for name in ("gpu_indices", "nodes", "waiting_for", "resized_from"):
            data[name] = tuple(data.get(name, ()))
        return cls(**data)
