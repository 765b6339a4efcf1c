"""Where the jobs of a run come from: a workload whose rows all stand there, or a stream drawn as it is played."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from eureka_park.compute.core.board import Board, records
from eureka_park.twin.core.coming import prepare
from eureka_park.twin.core.fairness import Alone
from eureka_park.twin.core.stream import CHUNK, Stream, drawn
from eureka_park.twin.core.truth import COMING, World
from eureka_park.twin.core.workload import DTYPES, Workload


class Source(Protocol):
    """Jobs in the order of their submission, chunk by chunk.

    `n_rows` is how many fates are kept (0: none), `span_s` the instant after which nobody comes.
    """

    @property
    def n_rows(self) -> int:
        """Jobs whose fates are kept, row by row; 0: those of none."""

    @property
    def n_jobs(self) -> int:
        """Jobs in all."""

    @property
    def n_leaves(self) -> int:
        """Leaves of the work."""

    @property
    def n_images(self) -> int:
        """Images, from 0 on."""

    @property
    def n_priorities(self) -> int:
        """Different priorities."""

    @property
    def span_s(self) -> float:
        """Seconds from the start of the run after which no job comes."""

    def begin(self, board: Board, gpu_types: Any) -> tuple[Any, int, bool]:
        """Rows to come, how many of them are filled, and whether there are more."""

    def refill(self, world: World, board: Board, gpu_types: Any) -> World:
        """The world with its next rows: those that are left first."""


class WholeWork:
    """A workload, as one chunk."""

    def __init__(self, work: Workload, alone: Alone | None = None, *, per_cpu: bool = False) -> None:
        self.work, self.alone, self.per_cpu = work, alone or no_alone(), per_cpu
        self.n_rows = self.n_jobs = work.n_jobs
        self.n_leaves = len(work.leaves)
        self.n_images = int(work.image.max()) + 1 if work.n_jobs else 1
        self.n_priorities = len(np.unique(work.priority))
        self.span_s = float(work.submit_s[-1]) if work.n_jobs else 0.0

    def begin(self, board: Board, gpu_types: Any) -> tuple[Any, int, bool]:
        """All rows."""
        n = self.work.n_jobs
        coming = records(n, COMING)
        for name in DTYPES:
            coming[name] = getattr(self.work, name)
        prepare(board, coming, 0, n, _types(gpu_types), self.alone, self.per_cpu)
        return coming, n, False

    def refill(self, world: World, board: Board, gpu_types: Any) -> World:
        """Nothing is left to bring."""
        return world


class StreamedWork:
    """Jobs as they are drawn. `until_s`: none comes later."""

    def __init__(
        self, stream: Stream, n_jobs: int, until_s: float, alone: Alone | None = None, n_rows: int = CHUNK
    ) -> None:
        self.stream, self.n_jobs, self.span_s, self.alone = stream, n_jobs, until_s, alone or no_alone()
        self.n_rows, self._room = 0, n_rows
        self.n_leaves, self.n_images = len(stream.last), len(stream.power)
        self.n_priorities = 3

    def begin(self, board: Board, gpu_types: Any) -> tuple[Any, int, bool]:
        """The first rows."""
        coming = records(self._room, COMING)
        n = drawn(self.stream, coming)
        prepare(board, coming, 0, n, _types(gpu_types), self.alone, False)
        return coming, n, n > 0

    def refill(self, world: World, board: Board, gpu_types: Any) -> World:
        """Rows that are left move to the front; more follow. Where too few find room, the chunk is made larger."""
        place, coming = world.place, world.coming
        first, had = int(place.next_job[0]), int(place.n_coming[0])
        left = had - first
        if left > len(coming) // 2:
            larger = records(2 * len(coming), COMING)
            larger[:left] = coming[first:had]
            coming = larger
        else:
            coming[:left] = coming[first:had].copy()
        n = drawn(self.stream, coming[left:])
        prepare(board, coming, left, left + n, _types(gpu_types), self.alone, False)
        place.first_row[0] += first
        place.next_job[0], place.n_coming[0], place.more[0] = 0, left + n, n > 0
        return world._replace(coming=coming)


def no_alone() -> Alone:
    """Nobody has machines of his own: then it is not known when a job had ended on them."""
    none = np.zeros(0, np.int64)
    return Alone(np.zeros(0), none, none, none, none)


def _types(gpu_types: Any) -> Any:
    return np.append(np.asarray(gpu_types, dtype=np.int32), np.int32(-1))
