"""Waiting jobs: one first-in-first-out line per project, tier and priority, so that nothing is ever sorted by job."""

from __future__ import annotations

from collections.abc import Iterator

from eureka_park.compute.core.job import Job, JobState, Tier
from eureka_park.foundation.ids import JobId

Line = dict[JobId, None]  # insertion order is the order of the line; removal is O(1)


class Queues:
    """The lines of all projects. Paused jobs stand before queued ones of their project and tier."""

    def __init__(self) -> None:
        self._lines: dict[str, dict[Tier, dict[tuple[int, int], Line]]] = {}
        self.n_waiting = 0

    @staticmethod
    def _rank(job: Job) -> tuple[int, int]:
        return (0 if job.state is JobState.PAUSED else 1, -job.spec.priority)

    def add(self, job: Job) -> None:
        """Put a job at the end of its line."""
        tiers = self._lines.setdefault(job.spec.project, {})
        line = tiers.setdefault(job.spec.tier, {}).setdefault(self._rank(job), {})
        line[job.job_id] = None
        self.n_waiting += 1

    def remove(self, job: Job) -> None:
        """Take a job out; call before its state changes. A job that stands in no line is left alone."""
        tiers = self._lines.get(job.spec.project, {})
        lines = tiers.get(job.spec.tier, {})
        rank = self._rank(job)
        line = lines.get(rank)
        if line is None or job.job_id not in line:
            return
        del line[job.job_id]
        self.n_waiting -= 1
        if not line:
            del lines[rank]
        if not lines:
            tiers.pop(job.spec.tier, None)
        if not tiers:
            self._lines.pop(job.spec.project, None)

    def projects(self) -> list[str]:
        """Projects that have somebody waiting, by name."""
        return sorted(self._lines)

    def waiting(self, project: str, tier: Tier) -> Iterator[JobId]:
        """The line of one project and tier: paused first, then by priority, then by age."""
        lines = self._lines.get(project, {}).get(tier, {})
        for rank in sorted(lines):
            yield from lines[rank]

    def __contains__(self, job: Job) -> bool:
        return job.job_id in self._lines.get(job.spec.project, {}).get(job.spec.tier, {}).get(self._rank(job), {})
