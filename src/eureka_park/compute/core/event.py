"""What happened to jobs: the entries of the journal. State changes through these and through nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, TypeAlias, get_args

from eureka_park.compute.core.job import JobSpec, JobState
from eureka_park.foundation.ids import JobId

DRAINED: Final = "drained"
DOWN: Final = "down"


@dataclass(frozen=True, slots=True)
class Node:
    """A machine (or one node of a class) that jobs are placed on."""

    node_id: str
    engine: str
    n_cpus: float
    memory_bytes: int
    n_gpus: int
    gpu_type: str
    rated_kw: float
    idle_kw: float
    gpu_kw_max: float = 0.0
    rack: int = 0
    pod: int = 0
    sleep_kw: float | None = None  # None: it cannot be put to sleep


@dataclass(frozen=True, slots=True)
class NodesDeclared:
    """The park's nodes, as the site file and the machine tell; replaces what was known."""

    at_s: float
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class JobSubmitted:
    """A job entered the queue. `job_id` names the array for arrays; `waiting_for` are those dependencies that had
    not ended.
    """

    job_id: JobId
    at_s: float
    spec: JobSpec
    deadline_s: float | None = None
    waiting_for: tuple[JobId, ...] = ()


@dataclass(frozen=True, slots=True)
class JobStarting:
    """The park decided to start an attempt and holds the node's resources for it; `nodes` are all nodes of a gang."""

    job_id: JobId
    at_s: float
    attempt: int
    node: str
    gpu_indices: tuple[int, ...] = ()
    cap_frac: float = 1.0
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobStarted:
    """The engine reports that the command runs."""

    job_id: JobId
    at_s: float
    sandbox_level: str = ""


@dataclass(frozen=True, slots=True)
class JobCapped:
    """Its power was capped (or, with 1.0, the cap was lifted)."""

    job_id: JobId
    at_s: float
    cap_frac: float


@dataclass(frozen=True, slots=True)
class JobPausing:
    """It was asked to write a checkpoint and stop; `why` is power, reclaim or credit."""

    job_id: JobId
    at_s: float
    why: str = "power"


@dataclass(frozen=True, slots=True)
class JobPaused:
    """It stopped after its checkpoint and waits to be resumed."""

    job_id: JobId
    at_s: float


@dataclass(frozen=True, slots=True)
class JobFrozen:
    """Its processes stand still; work and memory are kept."""

    job_id: JobId
    at_s: float


@dataclass(frozen=True, slots=True)
class JobThawed:
    """Its processes run again."""

    job_id: JobId
    at_s: float


@dataclass(frozen=True, slots=True)
class JobEnding:
    """It is being ended: `why` is cancel, time or credit."""

    job_id: JobId
    at_s: float
    why: str


@dataclass(frozen=True, slots=True)
class JobEnded:
    """It came to one of the four ends."""

    job_id: JobId
    at_s: float
    state: JobState
    exit_code: int | None = None
    exit_signal: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class JobDeferred:
    """A waiting job chose a better hour, which begins at `target_s`; it is looked at again at `until_s`."""

    job_id: JobId
    at_s: float
    until_s: float
    target_s: float


@dataclass(frozen=True, slots=True)
class JobHeld:
    """A waiting job stands aside until what it lacks has come; `why` is credit."""

    job_id: JobId
    at_s: float
    why: str


@dataclass(frozen=True, slots=True)
class JobReleased:
    """What a job stood aside for has come: it stands in its line again."""

    job_id: JobId
    at_s: float


@dataclass(frozen=True, slots=True)
class JobBlocked:
    """A job below a guaranteed floor has been refused for room since then: what was lent may be claimed for it."""

    job_id: JobId
    at_s: float
    since_s: float


@dataclass(frozen=True, slots=True)
class JobPromised:
    """A waiting job was told a start for the first time since it waits: whatever comes, it is measured by that."""

    job_id: JobId
    at_s: float
    start_s: float


@dataclass(frozen=True, slots=True)
class JobRequeued:
    """Its node is gone: it waits again, from its last checkpoint if it writes any, else from its beginning."""

    job_id: JobId
    at_s: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class JobResized:
    """An elastic gang goes on with fewer nodes or with more: with `nodes`, in this order.

    Empty where an older park wrote it: then with the first `n_nodes` of those that it has.
    """

    job_id: JobId
    at_s: float
    n_nodes: int
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobRegrouped:
    """A resized gang has stopped after its checkpoint: another attempt begins on the nodes that it holds now."""

    job_id: JobId
    at_s: float
    attempt: int


@dataclass(frozen=True, slots=True)
class JobMetered:
    """The meter corrected what is predicted of a job on its nodes: a part of their nameplate's dynamic power."""

    job_id: JobId
    at_s: float
    frac: float


@dataclass(frozen=True, slots=True)
class NodeDown:
    """A node takes no new job. Where it is drained what runs there goes on; where it is down its jobs wait again."""

    node_id: str
    at_s: float
    why: str = ""
    state: str = DRAINED


@dataclass(frozen=True, slots=True)
class NodeUp:
    """A node takes jobs again."""

    node_id: str
    at_s: float


@dataclass(frozen=True, slots=True)
class WindowSet:
    """Nodes are kept from `from_s` to `to_s`: for a project (advance reservation), or for nobody (maintenance)."""

    window_id: str
    at_s: float
    node_ids: tuple[str, ...]
    from_s: float
    to_s: float
    project: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class WindowCleared:
    """A window is taken back."""

    window_id: str
    at_s: float


@dataclass(frozen=True, slots=True)
class SharesDeclared:
    """The share tree as the site file lists it: path, weight, floor as a part of forecast power."""

    at_s: float
    shares: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class PolicyUsed:
    """What of the policy the state itself depends on: what the sky binds, how long use is remembered, what caps do.

    `caps`: cap, part of the power and part of the speed under it, the first without a cap.
    """

    at_s: float
    sky: str
    half_life_s: float
    caps: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class PowerLearned:
    """What jobs of this name draw in this project, as `n_jobs` of them did: a part of their nameplate's dynamic power.

    It is predicted of jobs that enter the queue from then on.
    """

    at_s: float
    project: str
    name: str
    frac: float
    n_jobs: int = 1


@dataclass(frozen=True, slots=True)
class MeterRead:
    """The node's meter was read and the energy since the reading before it was booked.

    `drawn`: by job, joules above idle that it drew under a steady cap, and what it would have drawn at nameplate.
    """

    at_s: float
    reading: Mapping[str, Any] = field(default_factory=dict)
    drawn: tuple[tuple[JobId, float, float], ...] = ()


JobEvent: TypeAlias = (
    JobSubmitted
    | JobStarting
    | JobStarted
    | JobCapped
    | JobPausing
    | JobPaused
    | JobFrozen
    | JobThawed
    | JobEnding
    | JobEnded
    | JobDeferred
    | JobHeld
    | JobReleased
    | JobBlocked
    | JobPromised
    | JobRequeued
    | JobResized
    | JobRegrouped
    | JobMetered
)
Event: TypeAlias = (
    JobEvent
    | NodesDeclared
    | NodeDown
    | NodeUp
    | WindowSet
    | WindowCleared
    | SharesDeclared
    | PolicyUsed
    | PowerLearned
    | MeterRead
)

OF_JOBS: Final = frozenset(get_args(JobEvent)) - {JobSubmitted}
ON_NODES: Final = frozenset({
    JobStarted, JobCapped, JobPausing, JobPaused, JobFrozen, JobThawed, JobEnding, JobRequeued, JobResized,
    JobRegrouped, JobMetered,
})  # fmt: skip
CHANGE_DRAW: Final = frozenset({JobStarting, JobStarted, JobCapped, JobThawed, JobResized, JobRegrouped})

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        NodesDeclared, JobSubmitted, JobStarting, JobStarted, JobCapped, JobPausing, JobPaused, JobFrozen,
        JobThawed, JobEnding, JobEnded, JobDeferred, JobHeld, JobReleased, JobBlocked, JobPromised, JobRequeued,
        JobResized, JobRegrouped, JobMetered, NodeDown, NodeUp, WindowSet, WindowCleared, SharesDeclared, PolicyUsed,
        PowerLearned, MeterRead,
    )
}  # fmt: skip
KINDS: Final = frozenset(_KINDS)
_TUPLES: Final = {
    "JobSubmitted": ("waiting_for",), "JobStarting": ("gpu_indices", "nodes"),
    "JobResized": ("nodes",), "WindowSet": ("node_ids",),
}  # fmt: skip


def event_to_json(event: Event) -> tuple[str, dict[str, Any]]:
    """The kind and the payload of an event for the journal."""
    payload = {name: getattr(event, name) for name in event.__slots__}
    if isinstance(event, JobSubmitted):
        payload["spec"] = event.spec.to_json()
    elif isinstance(event, NodesDeclared):
        payload["nodes"] = [asdict(node) for node in event.nodes]
    return type(event).__name__, payload


def event_from_json(kind: str, payload: Mapping[str, Any]) -> Event:
    """Read what `event_to_json` wrote. Raises KeyError for a kind that is not known."""
    data = dict(payload)
    if kind == "NodesDeclared":
        data["nodes"] = tuple(Node(**node) for node in data["nodes"])
    if kind == "JobSubmitted":
        data["spec"] = JobSpec.from_json(data["spec"])
    for name in _TUPLES.get(kind, ()):
        data[name] = tuple(data.get(name, ()))
    for name in ("shares", "caps", "drawn"):
        if name in data:
            data[name] = tuple(tuple(row) for row in data[name])
    if kind == "JobEnded":
        data["state"] = JobState(data["state"])
    event: Event = _KINDS[kind](**data)
    return event
