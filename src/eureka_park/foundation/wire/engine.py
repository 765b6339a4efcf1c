"""What the park tells an engine and what the engine reports back. Instants here are *real* UTC epoch seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from eureka_park.foundation.ids import JobId


class Phase(StrEnum):
    """Where one attempt of a job is, as its engine sees it."""

    PREPARING = "preparing"  # taken over; building the environment, laying out files
    RUNNING = "running"
    PAUSING = "pausing"  # asked to write a checkpoint and stop
    FROZEN = "frozen"
    EXITED = "exited"  # see `outcome`
    LOST = "lost"  # its supervisor died without a last word


class Outcome(StrEnum):
    """How an attempt ended. `paused`: exit 75 or death by our signal after a request to pause."""

    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"


class Capability(StrEnum):
    """What an engine on this machine can do; callers ask, they never test names."""

    CHECKPOINT = "checkpoint"  # stop with SIGTERM, grace, then kill
    FREEZE = "freeze"
    CAP = "cap"
    MEMORY_LIMIT = "memory_limit"  # enforced by the kernel, not only by rlimits
    GPU = "gpu"
    GANG = "gang"  # run the parts of a job on several nodes at once, and let them find each other
    RESIZE = "resize"  # start a gang that stopped after its checkpoint again on fewer nodes or on more


@dataclass(frozen=True, slots=True)
class StagedFile:
    """One file of a job's snapshot: its path inside the job and the blob on disk that holds it."""

    path: str
    blob_path: str
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class InputFolder:
    """Data that a job reads: a folder or a file of a version, laid out read-only under `mount`."""

    mount: str
    repository_id: str
    commit_id: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class GangPart:
    """One part of a gang: its node, and the GPUs that it has there, by their index on the engine's machine."""

    node: str
    gpu_indices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StartOrder:
    """Everything an engine needs to run one attempt. Idempotent by (job_id, attempt): a repeated order starts
    nothing twice.

    A gang has `parts`, the first is rank 0: each runs the command with `n_cpus` and `memory_bytes` of its own.
    `gpu_indices` are those of all parts together.
    """

    job_id: JobId
    attempt: int
    project: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    files: tuple[StagedFile, ...]
    n_cpus: float
    memory_bytes: int
    gpu_indices: tuple[int, ...] = ()
    cap_frac: float = 1.0
    checkpoint: bool = False
    grace_s: float = 30.0
    resume_count: int = 0
    dependencies: tuple[str, ...] = ()
    requires_python: str = ""
    uses_python: bool = False
    is_trusted: bool = True
    secrets: tuple[tuple[str, str], ...] = ()  # variables with sealed values
    parts: tuple[GangPart, ...] = ()
    inputs: tuple[InputFolder, ...] = ()

    @property
    def n_parts(self) -> int:
        """How many times the command runs at once."""
        return max(1, len(self.parts))

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> StartOrder:
        """Read what `to_json` wrote."""
        data = dict(value)
        data["files"] = tuple(StagedFile(**item) for item in data["files"])
        data["parts"] = tuple(GangPart(item["node"], tuple(item["gpu_indices"])) for item in data.get("parts", ()))
        data["inputs"] = tuple(InputFolder(**item) for item in data.get("inputs", ()))
        data["secrets"] = tuple((key, text) for key, text in data.get("secrets", ()))
        for name in ("command", "gpu_indices", "dependencies"):
            data[name] = tuple(data[name])
        return cls(**data)


@dataclass(frozen=True, slots=True)
class EngineReport:
    """The newest known truth about one attempt."""

    job_id: JobId
    attempt: int
    phase: Phase
    at_s: float
    outcome: Outcome | None = None
    exit_code: int | None = None  # 0..255; None when it died by a signal
    exit_signal: int | None = None
    started_at_s: float | None = None
    ended_at_s: float | None = None
    cpu_s: float = 0.0  # user + system of the whole job so far, preparation included
    memory_bytes_max: int = 0
    sandbox_level: str = ""
    detail: str = ""  # one line for a person, such as why preparation failed

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> EngineReport:
        """Read what `to_json` wrote."""
        data = dict(value)
        data["phase"] = Phase(data["phase"])
        data["outcome"] = Outcome(data["outcome"]) if data.get("outcome") else None
        return cls(**data)


@dataclass(frozen=True, slots=True)
class JobUsage:
    """Cumulative counters of one attempt, since it began."""

    job_id: JobId
    attempt: int
    at_s: float
    cpu_s: float
    gpu_j: float | None = None
    gpu_idle_j: float = 0.0  # of `gpu_j`, what its GPUs would have drawn idle, which `MeterReading.idle_w` holds too


@dataclass(frozen=True, slots=True)
class MeterReading:
    """One reading of the node's meter: cumulative joules since some start; `range_j` > 0 where the counter wraps
    round.
    """

    at_s: float
    energy_j: float
    idle_w: float
    method: str  # measured | modelled
    range_j: float = 0.0
    epoch: str = ""  # changes when the counter started anew (reboot, driver reload)
    jobs: tuple[JobUsage, ...] = field(default=())
    cpu_s: float | None = None  # cumulative CPU seconds of the whole node, where known
