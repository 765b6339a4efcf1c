"""What compute needs from outside: an engine that runs what was admitted, and a meter."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from eureka_park.foundation.ids import JobId
from eureka_park.foundation.wire.engine import Capability, EngineReport, JobUsage, MeterReading, StartOrder

Attempts = Iterable[tuple[JobId, int]]


class Engine(Protocol):
    """Runs attempts of jobs. Every call is idempotent by (job_id, attempt); an engine never calls services."""

    def capabilities(self) -> frozenset[Capability]:
        """What it can do; callers ask, they never test names."""

    def submit(self, order: StartOrder) -> None:
        """Start an attempt, unless it was started before."""

    def cancel(self, job_id: JobId, attempt: int, grace_s: float) -> None:
        """Ask to stop, then kill after `grace_s` real seconds."""

    def suspend(self, job_id: JobId, attempt: int, how: str, grace_s: float) -> None:
        """`checkpoint`: SIGTERM, grace, kill. `freeze`: stop the processes where they stand."""

    def resume(self, job_id: JobId, attempt: int) -> None:
        """Thaw a frozen attempt."""

    def set_cap(self, job_id: JobId, attempt: int, cap_frac: float) -> None:
        """Limit it to a fraction of its power; 1.0 lifts the cap."""

    def status(self, attempts: Attempts) -> list[EngineReport]:
        """The newest truth about attempts; one that was never taken over gives no report."""

    def usage(self, attempts: Attempts) -> tuple[JobUsage, ...]:
        """Cumulative counters of attempts."""

    def log_path(self, job_id: JobId) -> Path:
        """Where the job's log is."""

    def close(self) -> None:
        """Let go of the engine; jobs go on."""


class Meter(Protocol):
    """Reads the node's energy."""

    def read(self, usages: tuple[JobUsage, ...]) -> MeterReading:
        """One reading, with the jobs' counters of the same moment."""
