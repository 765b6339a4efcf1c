"""Sums and histograms of jobs, by tier and by tenant, in arrays of a size that no number of jobs changes.

Jobs are added one by one, by a kernel: those of a table row by row, or by a compiled loop as each comes to its end.
Each figure is kept twice: every job counts alike, and every job counts by its work, in GPU seconds at full speed (a job
without GPUs as if it had one).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from eureka_park.compute.core.board import records
from eureka_park.foundation.kernels import kernel
from eureka_park.twin.core.log_histogram import N_BINS, bin_of, quantile
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.workload import FIRM, TIER_NAMES, Workload

Floats = npt.NDArray[np.float64]

N_TIERS: Final = len(TIER_NAMES)
WAIT, TURNAROUND, SLOWDOWN = 0, 1, 2
N_FIGURES: Final = 3
BY_JOB, BY_GPU_H = 0, 1
SLOWDOWN_RUN_S_MIN: Final = 10.0
GROUP: Final = np.dtype(
    [("n_jobs", "i8"), ("n_started", "i8"), ("n_ended", "i8"), ("n_pauses", "i8"),
     ("gpu_s", "f8"), ("done_gpu_s", "f8"), ("held_gpu_s", "f8"), ("lost_gpu_s", "f8"),
     ("due", "f8", (2,)), ("hit", "f8", (2,)), ("due_finished", "f8", (2,)), ("shared_s", "f8"), ("alone_s", "f8"),
     ("unserved_kwh", "f8"), ("total", "f8", (N_FIGURES, 2)), ("weight", "f8", (N_FIGURES, 2))],
    align=True,
)  # fmt: skip


class Jobs(NamedTuple):
    """What became of jobs, a row each: a table of them, or the slots of a loop. Instants from the start of the run.

    `first_start_s` and `end_s` are nan, or later than now, for what has not come to pass; `alone_end_s` is when it had
    ended on its tenant's own machines; `kw` what it draws on machines without a cap.
    """

    leaf: Any
    tier: Any
    n_gpus: Any
    submit_s: Any
    deadline_s: Any
    run_s: Any
    kw: Any
    first_start_s: Any
    end_s: Any
    done_s: Any
    n_pauses: Any
    held_gpu_s: Any
    lost_gpu_s: Any
    alone_end_s: Any


class Tally(NamedTuple):
    """Groups are the tiers, then the tenants. Histograms of tiers by figure and weight; of tenants, of waits by job.

    Histograms of slowdowns hold what is above 1, so that no slowdown is told as exactly 1.
    """

    groups: Any
    by_tier: Any
    by_leaf: Any


def new_tally(n_leaves: int) -> Tally:
    """An empty tally of so many tenants: about 20 KB for each, and 0.4 MB."""
    by_tier = np.zeros((N_TIERS, N_FIGURES, 2, N_BINS))
    return Tally(records(N_TIERS + n_leaves, GROUP), by_tier, np.zeros((n_leaves, N_BINS), np.int64))


@kernel
def _add(tally: Tally, group: int, figure: int, value: float, weight: float) -> None:
    one = tally.groups[group]
    one.total[figure, 0] += value
    one.total[figure, 1] += value * weight
    one.weight[figure, 0] += 1.0
    one.weight[figure, 1] += weight


@kernel
def _add_figure(tally: Tally, tier: int, leaf: int, figure: int, value: float, weight: float) -> None:
    """Add a value of a job to its tier and its tenant."""
    place = bin_of(value - 1.0 if figure == SLOWDOWN else value)
    tally.by_tier[tier, figure, 0, place] += 1.0
    tally.by_tier[tier, figure, 1, place] += weight
    if figure == WAIT:
        tally.by_leaf[leaf, place] += 1
    _add(tally, tier, figure, value, weight)
    _add(tally, N_TIERS + leaf, figure, value, weight)


@kernel
def unserved_s(jobs: Jobs, row: int, until_s: float) -> float:
    """Work that was owed and not supplied, s at full speed: what was left at a deadline inside the run (at most: it is
    taken to have run at full speed since), and of a firm job without one what could be done by now and is not.
    """
    run_s, end_s, deadline_s = jobs.run_s[row], jobs.end_s[row], jobs.deadline_s[row]
    has_ended = end_s <= until_s
    if deadline_s <= until_s:
        late_s = (end_s if has_ended else until_s) - deadline_s
        left_s = 0.0 if has_ended else run_s - jobs.done_s[row]
        return max(0.0, min(run_s, left_s + max(0.0, late_s)))
    if jobs.tier[row] == FIRM and not has_ended:
        return max(0.0, min(run_s, max(0.0, until_s - jobs.submit_s[row])) - jobs.done_s[row])
    return 0.0


@kernel
def _add_group(tally: Tally, group: int, jobs: Jobs, row: int, until_s: float) -> None:
    """Add what a job asked for and got to one of its groups."""
    one, end_s, run_s = tally.groups[group], jobs.end_s[row], jobs.run_s[row]
    n_gpus, has_ended = float(jobs.n_gpus[row]), end_s <= until_s
    weight = max(1.0, n_gpus) * run_s
    one.n_jobs += 1
    one.n_started += jobs.first_start_s[row] <= until_s
    one.n_ended += has_ended
    one.n_pauses += jobs.n_pauses[row]
    one.gpu_s += n_gpus * run_s
    one.done_gpu_s += n_gpus * jobs.done_s[row]
    one.held_gpu_s += jobs.held_gpu_s[row]
    one.lost_gpu_s += jobs.lost_gpu_s[row]
    if jobs.deadline_s[row] <= until_s:
        is_hit = has_ended and end_s <= jobs.deadline_s[row]
        one.due[0] += 1.0
        one.due[1] += weight
        if has_ended:
            one.due_finished[0] += 1.0
            one.due_finished[1] += weight
        if is_hit:
            one.hit[0] += 1.0
            one.hit[1] += weight
    one.unserved_kwh += jobs.kw[row] * unserved_s(jobs, row, until_s) / 3600.0
    if jobs.submit_s[row] < until_s:
        one.shared_s += (end_s if has_ended else until_s) - jobs.submit_s[row]
        one.alone_s += min(jobs.alone_end_s[row], until_s) - jobs.submit_s[row]


@kernel
def add_job(tally: Tally, jobs: Jobs, row: int, until_s: float) -> None:
    """Add a job that has ended, or whatever came of it by `until_s`, the end of the run."""
    tier, leaf, submit_s = jobs.tier[row], jobs.leaf[row], jobs.submit_s[row]
    run_s, end_s, start_s = jobs.run_s[row], jobs.end_s[row], jobs.first_start_s[row]
    weight = max(1.0, float(jobs.n_gpus[row])) * run_s
    _add_group(tally, tier, jobs, row, until_s)
    _add_group(tally, N_TIERS + leaf, jobs, row, until_s)
    waited_s = max(0.0, (start_s if start_s <= until_s else until_s) - submit_s)
    _add_figure(tally, tier, leaf, WAIT, waited_s, weight)
    if end_s <= until_s:
        took_s = max(0.0, end_s - submit_s)
        _add_figure(tally, tier, leaf, TURNAROUND, took_s, weight)
        _add_figure(tally, tier, leaf, SLOWDOWN, max(1.0, took_s / max(SLOWDOWN_RUN_S_MIN, run_s)), weight)


@kernel
def add_jobs(tally: Tally, jobs: Jobs, until_s: float) -> None:
    """Add all rows."""
    for row in range(jobs.submit_s.shape[0]):
        add_job(tally, jobs, row, until_s)


def jobs_of(work: Workload, played: Played, alone_end_s: Floats, kw: Floats) -> Jobs:
    """The rows of a workload as they were played; what was not counted is 0."""
    held_gpu_s = lost_gpu_s = np.zeros(work.n_jobs)
    if played.counted is not None:
        held_gpu_s, lost_gpu_s = played.counted.held_gpu_s, played.counted.lost_gpu_s
    first_start_s, end_s, done_s = (_plain(one) for one in (played.first_start_s, played.end_s, played.done_s))
    return Jobs(
        work.leaf, work.tier, work.n_gpus, work.submit_s, work.deadline_s, work.run_s, _plain(kw), first_start_s, end_s,
        done_s, np.ascontiguousarray(played.n_pauses, dtype=np.int32), held_gpu_s, lost_gpu_s, _plain(alone_end_s),
    )  # fmt: skip


def _plain(values: Floats) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float64)


# What a tally tells ---------------------------------------------------------------------------------------------------

QUANTILES: Final = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


def told_figure(tally: Tally, tier: int, figure: int, by: int = BY_JOB) -> dict[str, float]:
    """Mean (exact) and quantiles (see `log_histogram`) of a figure of a tier; 0 of nobody."""
    counts = tally.by_tier[tier, figure, by]
    least = 1.0 if figure == SLOWDOWN and counts.any() else 0.0
    told = {name: least + quantile(counts, level) for name, level in QUANTILES}
    return {"mean": mean_of(tally, tier, figure, by), **told}


def mean_of(tally: Tally, group: int, figure: int, by: int = BY_JOB) -> float:
    """Mean of a figure of a group; 0 of nobody."""
    total = float(tally.groups["weight"][group, figure, by])
    return float(tally.groups["total"][group, figure, by]) / total if total > 0.0 else 0.0


def parts(tally: Tally, name: str, of: str, by: int | None = None) -> Floats:
    """By group, one sum over another; 1 where there is nothing to be a part of."""
    top, whole = (tally.groups[one] if by is None else tally.groups[one][:, by] for one in (name, of))
    return np.where(whole > 0.0, top / np.where(whole > 0.0, whole, 1.0), 1.0)
