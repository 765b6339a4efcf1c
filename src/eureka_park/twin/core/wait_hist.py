"""Waits of any number of jobs in bounded memory: a logarithmic histogram."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

BIN: Final = 1.02  # each bin is so much wider than the one before: an error of at most 1 %
N_BINS: Final = 1_024


class WaitHist:
    """Waits in logarithmic bins: quantiles with an error of at most 1 %, of any number of jobs; mean and sum exact."""

    def __init__(self) -> None:
        self.counts = np.zeros(N_BINS, dtype=np.int64)
        self.n, self.sum_s = 0, 0.0

    def add(self, wait_s: float, n: int = 1) -> None:
        """Enter a wait; seconds."""
        place = min(N_BINS - 1, int(math.log1p(wait_s) / math.log(BIN))) if wait_s > 0.0 else 0
        self.counts[place] += n
        self.n += n
        self.sum_s += n * wait_s

    def quantile(self, level: float) -> float:
        """The wait at or below which `level` of the jobs lie; 0 without jobs. Seconds."""
        if not self.n:
            return 0.0
        place = int(np.searchsorted(np.cumsum(self.counts), math.ceil(level * self.n)))
        return BIN ** (place + 0.5) - 1.0 if place else 0.0

    def told(self) -> dict[str, float]:
        """Mean and quantiles; seconds."""
        mean = self.sum_s / self.n if self.n else 0.0
        return {"mean": mean, **{f"p{level * 100:g}": self.quantile(level) for level in (0.5, 0.95, 0.99)}}
