"""A run whose jobs nobody keeps: drawn as they come, counted as they go. For more jobs than a table should hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from eureka_park.compute.core.board_setup import ClassRow
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.twin.core.arrivals import Arrivals
from eureka_park.twin.core.bound_work import Served, base_kwh_of, sums_of
from eureka_park.twin.core.closing import Counting, new_counting, sample_of
from eureka_park.twin.core.energy_figures import kw_of_jobs
from eureka_park.twin.core.failures import Failures
from eureka_park.twin.core.fairness import new_alone
from eureka_park.twin.core.metrics import Park, leaf_weights, streamed_report, units
from eureka_park.twin.core.opening import Opening, class_rows, site_gpu_types
from eureka_park.twin.core.own_supply import Asked
from eureka_park.twin.core.play import TAIL_H, play_from
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sky_series import SkySeries
from eureka_park.twin.core.sources import StreamedWork
from eureka_park.twin.core.stream import begin, chunk_of, drawn
from eureka_park.twin.core.workload import DTYPES, TIER_NAMES, Workload, workload_of

if TYPE_CHECKING:
    from eureka_park.control.policy import Policy

SAMPLE_JOBS: Final = 65_536  # drawn in advance, to know what jobs ask for
DEEP: Final = 64  # jobs of a line, of one priority, that have slots of the board while others behind them have none


@dataclass(frozen=True, slots=True, eq=False)
class Streamed:
    """A run of a stream: how it went, and its counts."""

    played: Played
    counting: Counting
    tick_s: float

    def figures(self, leaves: Sequence[str], shares: Sequence[tuple[str, float, float]], park: Park) -> dict[str, Any]:
        """Its figures, as `core.metrics.report` has those of a table."""
        return streamed_report(leaves, self.counting.tally, self.counting.hours, self.played, shares, park)

    def served(self, classes: Sequence[ClassRow], failures: Failures) -> Served:
        """What a bound must serve, as `bound_work.served_of` has it of a table."""
        marks, tick_s, totals = self.counting.marks, self.tick_s, self.played.totals
        earliest, latest = sums_of(marks.early), sums_of(marks.late)
        n_gpus = sum(klass.n_nodes * klass.n_gpus for klass in classes)
        counted = self.played.counted
        it_kwh = float(totals["it_kwh"] if counted is None else counted.load_kwh.sum())
        return Served(
            np.maximum(earliest, latest), latest, base_kwh_of(classes, failures, earliest.shape[1] - 1, tick_s),
            n_gpus * float(marks.gpu_kw[0]), it_kwh, min(it_kwh, float(totals["clean_kwh"])), tick_s / HOUR_S,
        )  # fmt: skip

    def sample(self, leaves: Sequence[str]) -> dict[str, Any]:
        """Some of its jobs; see `run_record.SAMPLE`."""
        found = sample_of(self.counting, leaves, TIER_NAMES)
        due_s = found["deadline_s"]
        return found | {"deadline_s": np.where(np.isfinite(due_s), due_s, np.nan)}


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
    deep: int = DEEP,
    told: Callable[[float], None] = lambda _frac: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Streamed:
    """Draw the jobs of a seed and play them; `deep` as in `play_from`. Raises BadInput for what cannot be drawn."""
    alone = new_alone(leaf_weights(what.leaves, shares), n_gpus)
    source = StreamedWork(begin(what, tree), what.n_jobs, what.days * DAY_S, alone)
    until_s = min(np.ceil(source.span_s / 3600.0) * 3600.0 + TAIL_H * 3600.0, sky.n_hours * 3600.0)
    counting = new_counting(opening.board, what.n_jobs, len(what.leaves), until_s, tick_s=policy.tick_s, bounds=bounds)
    played = play_from(
        opening, source, sky, failures, policy, policy.tick_s, name, by_leaf=name == "park", told=told, stopped=stopped,
        closed=counting.take, deep=deep,
    )  # fmt: skip
    return Streamed(played, counting, policy.tick_s)


def first_jobs(what: Arrivals, tree: SeedTree, n_jobs: int = SAMPLE_JOBS) -> Workload:
    """The first jobs of a stream, as a table."""
    n = min(n_jobs, what.n_jobs)
    chunk = chunk_of(n)
    n = drawn(begin(what, tree), chunk)
    return workload_of(what.leaves, {name: np.array(chunk[name][:n]) for name in DTYPES})


def asked_of_stream(site: Site, first: Workload, what: Arrivals, n_units: float) -> Asked:
    """What the jobs of a stream ask for: its load, each GPU second with the power that those of the first jobs draw."""
    kw, unit_s = kw_of_jobs(first, class_rows(site), site_gpu_types(site)), units(first) * first.run_s
    load_frac = what.load_frac or 0.0
    each_kw = float((kw * first.run_s).sum()) / float(unit_s.sum())
    return Asked(each_kw * load_frac * n_units * what.days * 24.0, load_frac)
