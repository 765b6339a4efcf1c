"""What was held on each machine through a stretch of time, sampled, in bounded memory: no job is kept.

Samples lie `step_s` apart; the step grows with the number of machines, so that all samples fit SAMPLES_MAX. A job
counts at a sample when start <= sample < end. What a job holds is spread evenly over its machines: sacct tells no more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Cells = npt.NDArray[np.int16]
SAMPLES_MAX: Final = 24_000_000  # machines x samples, for each of GPUs, CPUs and memory: 144 MB in all
STEP_S_MIN: Final = 30.0
BATCH: Final = 200_000
_ROUND_STEPS_S: Final = (30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0)


def step_of(span_s: float, n_nodes: int) -> float:
    """Seconds between samples: a round figure with which so many machines fit."""
    least = max(STEP_S_MIN, span_s * max(1, n_nodes) / SAMPLES_MAX)
    return next((step for step in _ROUND_STEPS_S if step >= least), math.ceil(least / 3600.0) * 3600.0)


class Use:
    """GPUs, CPUs and memory (GiB) held by machine and sample. `add` until `close`; then `held` may be read.

    When more machines come than fit, every second sample is given up and `step_s` doubles.
    """

    def __init__(self, from_s: float, to_s: float, step_s: float, samples_max: int = SAMPLES_MAX) -> None:
        self.from_s, self.to_s, self.step_s, self.samples_max = from_s, to_s, step_s, samples_max
        self.n_samples = max(1, math.ceil((to_s - from_s) / step_s))
        self.places: dict[str, int] = {}
        self._cells = [np.zeros((self.n_samples + 1, 64), dtype=np.int16) for _ in range(3)]
        self._waits = np.zeros((self.n_samples + 1, 2), dtype=np.int64)
        self._batch: list[tuple[int, int, int, int, int, int]] = []

    def place_of(self, node: str) -> int:
        """The column of a machine; a new one where it is not known."""
        place = self.places.setdefault(node, len(self.places))
        if place >= self._cells[0].shape[1]:
            self._flush()
            while self.n_samples * 2 * place > self.samples_max and self.n_samples > 1:
                self._coarsen()
            wider = [np.zeros((self.n_samples + 1, 2 * place), dtype=np.int16) for _ in range(3)]
            for old, new in zip(self._cells, wider, strict=True):
                new[:, : old.shape[1]] = old
            self._cells = wider
        return place

    def _coarsen(self) -> None:
        """Give up every second sample: what began or ended between two that stay counts from the later one on."""
        self.step_s *= 2.0
        self.n_samples = (self.n_samples + 1) // 2
        self._cells = [_halved(cells, self.n_samples) for cells in self._cells]
        self._waits = _halved(self._waits, self.n_samples)

    def sample_of(self, instant_s: float) -> int:
        """The first sample at or after an instant, 0 to n_samples."""
        return min(self.n_samples, max(0, math.ceil((instant_s - self.from_s) / self.step_s)))

    def instant_of(self, sample: int) -> float:
        """When a sample lies."""
        return self.from_s + sample * self.step_s

    def add(self, nodes: Sequence[str], start_s: float, end_s: float, n_gpus: int, n_cpus: int, mem_gib: int) -> None:
        """Enter a job that holds so much in all on its machines."""
        if not nodes:
            return
        n, places = len(nodes), [self.place_of(node) for node in nodes]  # first: a new machine may change the samples
        first, last = self.sample_of(start_s), self.sample_of(end_s)
        if first >= last:
            return
        for index, place in enumerate(places):
            gpus, cpus, mem = ((amount + n - 1 - index) // n for amount in (n_gpus, n_cpus, mem_gib))
            self._batch.append((first, last, place, gpus, cpus, min(mem, 32_000)))
        if len(self._batch) > BATCH:
            self._flush()

    def add_wait(self, eligible_s: float, start_s: float, n_gpus: int, n_jobs: int = 1) -> None:
        """Enter a job that waited for so many GPUs from one instant to another."""
        first, last = self.sample_of(eligible_s), self.sample_of(start_s)
        if first < last:
            self._waits[first] += (n_jobs, n_jobs * n_gpus)
            self._waits[last] -= (n_jobs, n_jobs * n_gpus)

    def _flush(self) -> None:
        if not self._batch:
            return
        rows = np.array(self._batch, dtype=np.int64)
        self._batch.clear()
        for cells, amount in zip(self._cells, rows.T[3:], strict=True):
            np.add.at(cells, (rows[:, 0], rows[:, 2]), amount.astype(np.int16))
            np.subtract.at(cells, (rows[:, 1], rows[:, 2]), amount.astype(np.int16))

    def close(self) -> None:
        """Turn what was entered into what is held at each sample; nothing can be added any more."""
        self._flush()
        for index, cells in enumerate(self._cells):
            np.cumsum(cells, axis=0, out=cells)
            self._cells[index] = cells[: self.n_samples, : max(1, len(self.places))]

    def held(self) -> tuple[Cells, Cells, Cells]:
        """GPUs, CPUs and GiB, each by sample and machine."""
        gpus, cpus, mem = self._cells
        return gpus, cpus, mem

    def waiting(self) -> tuple[Ints, Ints]:
        """Jobs that waited, and the GPUs they asked for, by sample."""
        jobs, gpus = np.cumsum(self._waits, axis=0)[:-1].T
        return jobs, gpus


def _halved(cells: npt.NDArray[Any], n_samples: int) -> npt.NDArray[Any]:
    """Changes at samples moved to every second sample, the later one."""
    found = np.zeros((n_samples + 1, cells.shape[1]), dtype=cells.dtype)
    found[: len(cells[::2])] += cells[::2]
    odd = cells[1::2]
    found[1 : len(odd) + 1] += odd[:n_samples]
    return found
