"""What a run has served, as the clairvoyant bound must serve it: sums of jobs by how far they could have been moved.

A job that did `w` hours of work may do it from its submission at the earliest and up to when it is due at the latest,
at no more than its full speed. What of it is done by hour `t` lies between two ramps of its full power: `latest` climbs
in the last `w` hours before it is due, `earliest` in the first `w` after its submission. Sums of such ramps over a
group of jobs hold whatever a scheduler does, so a bound that knows the sums alone is never too small. Where all jobs of
a group could have been moved equally far, the sums say as much as the jobs; so they are grouped by that.

Due is: for jobs that met their deadline, the deadline; for later ones, when they ended; for firm jobs, which no sky
may move, when they ended; for others the end of the run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.compute.core.board_setup import ClassRow
from eureka_park.foundation.kernels import kernel
from eureka_park.foundation.units import HOUR_S
from eureka_park.twin.core.failures import Failures
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.workload import FIRM, Workload

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STEADY, MOVED, NO_GPU = 0, 1, 2  # firm work on GPUs; other work on GPUs, which caps may slow; work without GPUs
# Kind of work, and the hours by which its jobs could have been moved at most; the last of a kind: due at the end.
# Three groups more lowered the bounds of a year by less than 0.0002; one of firm work less raised them by 0.003.
GROUPS: Final[tuple[tuple[int, float], ...]] = (
    (STEADY, 1.0), (STEADY, math.inf),
    (MOVED, 40.0), (MOVED, math.inf), (MOVED, math.inf),
    (NO_GPU, 40.0), (NO_GPU, math.inf), (NO_GPU, math.inf),
)  # fmt: skip
FIGURES: Final = ("cfe_bound_frac", "cfe_bound_same_salt_frac", "cfe_regret_frac")
ROWS_AT_ONCE: Final = 1 << 20
CORRECT_FROM: Final = 0.05  # of rated power: by so much the board's power may lie below the true one unnoticed


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """What a bound must serve in T hours. `earliest` and `latest` are sums done by the beginning of hour 0..T.

    Their rows are groups; kWh at full speed, above idle. `base_kwh` by hour is drawn by machines whatever they do,
    `gpus_kw` the most that work on GPUs draws together. `it_kwh` and `clean_kwh` are what the run drew, in all and of
    clean power.
    """

    earliest: Floats
    latest: Floats
    base_kwh: Floats
    gpus_kw: float
    it_kwh: float
    clean_kwh: float
    tick_h: float = 0.0

    @property
    def n_hours(self) -> int:
        """Hours of the run."""
        return len(self.base_kwh)


@kernel
def _ramp(marks: Any, row: int, from_h: float, until_h: float, rate: float) -> None:
    """A sum that climbs by `rate` an hour from one instant to another: its kinks, and where they lie in the hour."""
    first, last = math.ceil(from_h), math.ceil(until_h)
    end = marks.shape[1] - 1
    if first <= end:
        marks[row, first, 0] += rate
        marks[row, first, 1] += rate * (first - from_h)
    if last <= end:
        marks[row, last, 0] -= rate
        marks[row, last, 1] -= rate * (last - until_h)


@kernel
def note_job(early: Any, late: Any, group: int, submit_h: float, due_h: float, work_h: float, kw: float) -> None:
    """Count a job that has done `work_h` hours at full speed, at which it draws `kw` above idle."""
    _ramp(early, group, submit_h, min(submit_h + work_h, due_h), kw)
    _ramp(late, group, max(submit_h, due_h - work_h), due_h, kw)


@kernel
def _note_all(early: Any, late: Any, group: Any, submit_h: Any, due_h: Any, work_h: Any, kw: Any) -> None:
    for row in range(group.shape[0]):
        if work_h[row] > 0.0:
            note_job(early, late, group[row], submit_h[row], due_h[row], work_h[row], kw[row])


def sums_of(marks: Floats) -> Floats:
    """Sums by the beginning of each hour from marks of ramps; never falling."""
    slope, within = np.cumsum(marks[..., 0], axis=1), np.cumsum(marks[..., 1], axis=1)
    before = np.concatenate([np.zeros((len(marks), 1)), np.cumsum(slope, axis=1)[:, :-1]], axis=1)
    return np.asarray(np.maximum.accumulate(np.maximum(0.0, within + before), axis=1))


def served_of(
    work: Workload,
    played: Played,
    classes: Sequence[ClassRow],
    types: Sequence[str],
    failures: Failures,
    *,
    tick_s: float = 60.0,
    learns: bool = True,
) -> Served:
    """What a run has served. `classes` and `types` (of GPUs) as of a board; `learns` as in `play`.

    Where power is learned the run's own meter may be low by a twentieth of rated power, and by anything in a job's
    first turn: so much less is asked of the bound, which makes it larger.
    """
    n_hours = max(1, math.ceil(played.until_s / HOUR_S - 1e-9))
    early, late = (np.zeros((len(GROUPS), n_hours + 1, 2)) for _ in range(2))
    trim_s, error_frac, kw_per_gpu = (tick_s, CORRECT_FROM, 0.0) if learns else (0.0, 0.0, 0.0)
    for first in range(0, work.n_jobs, ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        gpus = work.n_gpus[rows]
        kw = rated_kw_of(work, classes, types, rows) * np.maximum(0.0, work.power_frac[rows] - error_frac)
        group, submit_h, due_h, work_h = _columns(work, played, rows, gpus, trim_s)
        _note_all(early, late, group, submit_h, due_h, work_h, kw)
        kw_per_gpu = max(kw_per_gpu, float((kw[gpus > 0] / gpus[gpus > 0]).max(initial=0.0)))
    earliest, latest = sums_of(early), sums_of(late)
    n_gpus, totals = sum(klass.n_nodes * klass.n_gpus for klass in classes), played.totals
    it_kwh = float(totals["it_kwh"] if played.counted is None else played.counted.load_kwh.sum())
    return Served(
        np.maximum(earliest, latest), latest, base_kwh_of(classes, failures, n_hours, tick_s), n_gpus * kw_per_gpu,
        it_kwh, min(it_kwh, float(totals["clean_kwh"])), tick_s / HOUR_S,
    )  # fmt: skip


def _columns(work: Workload, played: Played, rows: slice, gpus: Floats, trim_s: float) -> tuple[Any, Any, Any, Any]:
    """Of some jobs: group, submission, due, work; hours."""
    until_s, submit_s, end_s = played.until_s, work.submit_s[rows], played.end_s[rows]
    due_s = due_s_of(work.tier[rows], work.deadline_s[rows], end_s, until_s)
    window_h = np.maximum(0.0, due_s - submit_s) / HOUR_S
    work_h = np.minimum(np.maximum(0.0, played.done_s[rows] - trim_s) / HOUR_S, window_h)
    group = group_of(work.tier[rows], gpus, window_h - work_h, due_s >= until_s)
    return group, submit_s / HOUR_S, due_s / HOUR_S, work_h


def due_s_of(tier: Any, deadline_s: Floats, end_s: Floats, until_s: float) -> Floats:
    """By when a bound must have done what the run has done of each job; s from the start."""
    ended_s = np.where(np.isfinite(end_s), end_s, until_s)
    movable_s = np.where(np.isfinite(deadline_s), np.maximum(deadline_s, ended_s), until_s)
    return np.asarray(np.minimum(until_s, np.where(tier == FIRM, ended_s, movable_s)))


def group_of(tier: Any, gpus: Floats, slack_h: Floats, is_last: Any) -> Ints:
    """The group of each job: by kind, by how far it could have been moved, and whether it was due by the end only."""
    kind = np.where(gpus <= 0.0, NO_GPU, np.where(tier == FIRM, STEADY, MOVED))
    group = np.zeros(len(kind), dtype=np.int64)
    for one in (STEADY, MOVED, NO_GPU):
        places = [at for at, (other, _slack) in enumerate(GROUPS) if other == one]
        edges = np.array([GROUPS[at][1] for at in places if math.isfinite(GROUPS[at][1])])
        found = np.searchsorted(edges, slack_h, side="left")
        found = np.where(is_last & (found == len(edges)), len(places) - 1, found)
        group[kind == one] = np.array(places)[found[kind == one]]
    return group


def rated_kw_of(work: Workload, classes: Sequence[ClassRow], types: Sequence[str], rows: slice) -> Floats:
    """Rated power above idle of jobs on all of their nodes: the least of the classes on which they may run; kW.

    As `standing.rate` has it.
    """
    gpus, mcpu, n_nodes = work.gpus[rows], work.mcpu[rows], work.n_nodes[rows]
    wanted = _wanted_types(work, types, rows)
    least = np.full(len(gpus), np.inf)
    for klass in classes:
        fits = (gpus <= klass.n_gpus) & (mcpu <= klass.mcpu) & (work.mem_mib[rows] <= klass.mem_mib)
        fits &= (wanted < 0) | (wanted == klass.gpu_type)
        gpus_kw = min(klass.n_gpus * klass.gpu_kw_max, klass.rated_kw - klass.idle_kw)
        of_cpus = np.where(n_nodes > 1, 1.0, mcpu / klass.mcpu)
        kw = (klass.rated_kw - klass.idle_kw - gpus_kw) * of_cpus
        if klass.n_gpus > 0:
            kw = kw + gpus_kw * (gpus * work.gpu_milli[rows] / 1000.0) / klass.n_gpus
        least = np.minimum(least, np.where(fits, kw * n_nodes, np.inf))
    return np.asarray(np.where(np.isfinite(least), least, 0.0))


def _wanted_types(work: Workload, types: Sequence[str], rows: slice) -> Any:
    """The board's index of the GPU that each job asks for; -1 for any."""
    known = [types.index(name) if name in types else -1 for name in work.gpu_types]
    return np.append(np.array(known, dtype=np.int64), -1)[work.gpu_type[rows]]


def base_kwh_of(classes: Sequence[ClassRow], failures: Failures, n_hours: int, tick_s: float) -> Floats:
    """What machines that are up draw in each hour at the very least: idle, or asleep where they can.

    The first turn of a run is not metered; a node that fails is taken to be down until a turn after it is back.
    """
    lowest_kw = [klass.idle_kw if klass.sleep_kw is None else min(klass.idle_kw, klass.sleep_kw) for klass in classes]
    counts = [klass.n_nodes for klass in classes]
    all_kw = float(np.dot(counts, lowest_kw))
    down = np.zeros((1, n_hours + 1, 2))
    node_kw = np.repeat(lowest_kw, counts)[failures.node] if failures.n_failures else np.zeros(0)
    for at_s, up_s, kw in zip(failures.at_s, failures.up_again_s, node_kw, strict=True):
        _ramp(down, 0, at_s / HOUR_S, (up_s + tick_s) / HOUR_S, kw)
    base = all_kw - np.diff(sums_of(down)[0])
    base[0] -= all_kw * tick_s / HOUR_S
    return np.asarray(np.maximum(0.0, base))
