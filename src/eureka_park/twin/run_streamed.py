"""A run whose jobs nobody keeps: drawn as they come, counted as they go. For more jobs than a table should hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import DAY_S
from eureka_park.twin.core.arrivals import Arrivals
from eureka_park.twin.core.closing import Counting, new_counting
from eureka_park.twin.core.failures import Failures
from eureka_park.twin.core.fairness import new_alone
from eureka_park.twin.core.metrics import Park, leaf_weights, streamed_report
from eureka_park.twin.core.opening import Opening
from eureka_park.twin.core.play import TAIL_H, play_from
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sky_series import SkySeries
from eureka_park.twin.core.sources import StreamedWork
from eureka_park.twin.core.stream import begin, chunk_of, drawn
from eureka_park.twin.core.workload import DTYPES, Workload, workload_of

if TYPE_CHECKING:
    from eureka_park.control.policy import Policy

SAMPLE_JOBS: Final = 65_536  # drawn in advance, to know what jobs ask for


@dataclass(frozen=True, slots=True, eq=False)
class Streamed:
    """A run of a stream: how it went, and its counts."""

    played: Played
    counting: Counting

    def figures(self, leaves: Sequence[str], shares: Sequence[tuple[str, float, float]], park: Park) -> dict[str, Any]:
        """Its figures, as `core.metrics.report` has those of a table."""
        return streamed_report(leaves, self.counting.tally, self.counting.hours, self.played, shares, park)


def play_stream(
    opening: Opening,
    what: Arrivals,
    tree: SeedTree,
    sky: SkySeries,
    failures: Failures,
    policy: Policy,
    name: str,
    shares: Sequence[tuple[str, float, float]],
    n_gpus: float,
    *,
    bounds: bool = True,
    told: Callable[[float], None] = lambda _frac: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Streamed:
    """Draw the jobs of a seed and play them. Raises BadInput for what cannot be drawn."""
    alone = new_alone(leaf_weights(what.leaves, shares), n_gpus)
    source = StreamedWork(begin(what, tree), what.n_jobs, what.days * DAY_S, alone)
    until_s = min(np.ceil(source.span_s / 3600.0) * 3600.0 + TAIL_H * 3600.0, sky.n_hours * 3600.0)
    counting = new_counting(opening.board, what.n_jobs, len(what.leaves), until_s, tick_s=policy.tick_s, bounds=bounds)
    played = play_from(
        opening, source, sky, failures, policy, policy.tick_s, name, by_leaf=name == "park", told=told, stopped=stopped,
        closed=counting.take,
    )  # fmt: skip
    return Streamed(played, counting)


def first_jobs(what: Arrivals, tree: SeedTree, n_jobs: int = SAMPLE_JOBS) -> Workload:
    """The first jobs of a stream, as a table."""
    n = min(n_jobs, what.n_jobs)
    chunk = chunk_of(n)
    n = drawn(begin(what, tree), chunk)
    return workload_of(what.leaves, {name: np.array(chunk[name][:n]) for name in DTYPES})
