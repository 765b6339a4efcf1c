"""Sums and histograms of jobs, by tier and by tenant, in arrays of a size that no number of jobs changes.

Jobs are added one by one, by a kernel: those of a table row by row, or by a compiled loop as each comes to its end.
Each figure is kept twice: every job counts alike, and every job counts by its work, in GPU seconds at full speed (a job
without GPUs as if it had one).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from eureka_park.compute.core.board import records
from eureka_park.foundation.kernels import kernel
from eureka_park.twin.core.log_histogram import N_BINS, bin_of, quantile
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.workload import ENDING_NAMES, FAILED, FIRM, TIER_NAMES, Workload

Floats = npt.NDArray[np.float64]

N_TIERS: Final = len(TIER_NAMES)
WAIT, TURNAROUND, SLOWDOWN = 0, 1, 2
N_FIGURES: Final = 3
BY_JOB, BY_GPU_H = 0, 1
SLOWDOWN_RUN_S_MIN: Final = 10.0
ENDS: Final = (*ENDING_NAMES, "timed_out")  # how jobs end; the last: at the end of their declared time
TIMED_OUT: Final = len(ENDING_NAMES)
GROUP: Final = np.dtype(
    [("n_jobs", "i8"), ("n_started", "i8"), ("n_ended", "i8"), ("n_pauses", "i8"), ("n_due", "i8"), ("n_hit", "i8"),
     ("gpu_s", "f8"), ("done_gpu_s", "f8"), ("held_gpu_s", "f8"), ("lost_gpu_s", "f8"),
     ("weight", "f8"), ("ended_weight", "f8"), ("due_weight", "f8"), ("hit_weight", "f8"), ("due_ended_weight", "f8"),
     ("shared_s", "f8"), ("alone_s", "f8"), ("shared_s_weighed", "f8"), ("alone_s_weighed", "f8"),
     ("unserved_kwh", "f8"),
     ("wait", "f8"), ("wait_weighed", "f8"), ("turnaround", "f8"), ("turnaround_weighed", "f8"),
     ("slowdown", "f8"), ("slowdown_weighed", "f8")],
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
    ending: Any


class Tally(NamedTuple):
    """Sums by tenant and tier; histograms of tiers by figure and weight; of tenants, of waits by job. `by_end`: jobs
    that ended, by how (`ENDS`), and the GPU seconds that they did.

    Histograms of slowdowns hold what is above 1, so that no slowdown is told as exactly 1.
    """

    groups: Any
    by_tier: Any
    by_leaf: Any
    by_end: Any


def new_tally(n_leaves: int) -> Tally:
    """An empty tally of so many tenants: about 11 KB for each, and 0.4 MB."""
    by_tier = np.zeros((N_TIERS, N_FIGURES, 2, N_BINS))
    by_leaf, by_end = np.zeros((n_leaves, N_BINS), np.int32), np.zeros((len(ENDS), 2))
    return Tally(records((n_leaves, N_TIERS), GROUP), by_tier, by_leaf, by_end)


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
def _note(tally: Tally, tier: int, figure: int, place: int, weight: float) -> None:
    tally.by_tier[tier, figure, 0, place] += 1.0
    tally.by_tier[tier, figure, 1, place] += weight


@kernel
def add_job(tally: Tally, jobs: Jobs, row: int, until_s: float) -> None:
    """Add a job that has ended, or whatever came of it by `until_s`, the end of the run."""
    tier, leaf, submit_s, run_s = jobs.tier[row], jobs.leaf[row], jobs.submit_s[row], jobs.run_s[row]
    end_s, start_s, deadline_s = jobs.end_s[row], jobs.first_start_s[row], jobs.deadline_s[row]
    n_gpus, has_ended, has_started = jobs.n_gpus[row], end_s <= until_s, start_s <= until_s
    weight = (n_gpus if n_gpus > 0.0 else 1.0) * run_s
    one = tally.groups[leaf, tier]
    one.n_jobs += 1
    one.n_pauses += jobs.n_pauses[row]
    one.weight += weight
    one.gpu_s += n_gpus * run_s
    one.done_gpu_s += n_gpus * jobs.done_s[row]
    one.held_gpu_s += jobs.held_gpu_s[row]
    one.lost_gpu_s += jobs.lost_gpu_s[row]
    one.unserved_kwh += jobs.kw[row] * unserved_s(jobs, row, until_s) / 3600.0
    if submit_s < until_s:
        shared_s = (end_s if has_ended else until_s) - submit_s
        alone_s = min(jobs.alone_end_s[row], until_s) - submit_s
        one.shared_s += shared_s
        one.alone_s += alone_s
        one.shared_s_weighed += shared_s * weight
        one.alone_s_weighed += alone_s * weight
    waited_s = max(0.0, (start_s if has_started else until_s) - submit_s)
    one.n_started += has_started
    one.wait += waited_s
    one.wait_weighed += waited_s * weight
    place = bin_of(waited_s)
    _note(tally, tier, WAIT, place, weight)
    tally.by_leaf[leaf, place] += 1
    if deadline_s <= until_s:
        one.n_due += 1
        one.due_weight += weight
        if has_ended:
            one.due_ended_weight += weight
        if has_ended and end_s <= deadline_s:
            one.n_hit += 1
            one.hit_weight += weight
    if has_ended:
        took_s = max(0.0, end_s - submit_s)
        slowdown = max(1.0, took_s / max(SLOWDOWN_RUN_S_MIN, run_s))
        one.n_ended += 1
        one.ended_weight += weight
        one.turnaround += took_s
        one.turnaround_weighed += took_s * weight
        one.slowdown += slowdown
        one.slowdown_weighed += slowdown * weight
        _note(tally, tier, TURNAROUND, bin_of(took_s), weight)
        _note(tally, tier, SLOWDOWN, bin_of(slowdown - 1.0), weight)
        how = jobs.ending[row] if jobs.done_s[row] >= run_s else TIMED_OUT
        tally.by_end[how, 0] += 1.0
        tally.by_end[how, 1] += n_gpus * jobs.done_s[row]


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
        work.ending,
    )  # fmt: skip


def _plain(values: Floats) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float64)


# What a tally tells ---------------------------------------------------------------------------------------------------

QUANTILES: Final = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


Sums = Mapping[str, Floats]


def tier_sums(tally: Tally) -> Sums:
    """Each sum, by tier."""
    return {name: tally.groups[name].sum(axis=0).astype(np.float64) for name in GROUP.names or ()}


def leaf_sums(tally: Tally) -> Sums:
    """Each sum, by tenant."""
    return {name: tally.groups[name].sum(axis=1).astype(np.float64) for name in GROUP.names or ()}


def told_ends(tally: Tally) -> dict[str, Any]:
    """Jobs that ended, by how; the GPU hours that they did; and of all these the part of jobs that failed."""
    n_jobs, gpu_s = tally.by_end[:, 0], tally.by_end[:, 1]
    return {
        "jobs_ended": {name: int(n_jobs[how]) for how, name in enumerate(ENDS)},
        "gpu_h_ended": {name: float(gpu_s[how]) / 3600.0 for how, name in enumerate(ENDS)},
        "gpu_h_failed_frac": float(part(gpu_s[FAILED], gpu_s.sum(), 0.0)),
    }


def told_figure(tally: Tally, sums: Sums, tier: int, figure: int, by: int = BY_JOB) -> dict[str, float]:
    """Mean (exact) and quantiles (see `log_histogram`) of a figure of a tier; 0 of nobody."""
    counts = tally.by_tier[tier, figure, by]
    least = 1.0 if figure == SLOWDOWN and counts.any() else 0.0
    told = {name: least + quantile(counts, level) for name, level in QUANTILES}
    return {"mean": float(means(sums, figure, by)[tier]), **told}


def means(sums: Sums, figure: int, by: int = BY_JOB) -> Floats:
    """Means of a figure, by group; 0 of nobody."""
    name, is_of_all = ("wait", "turnaround", "slowdown")[figure], figure == WAIT
    if by == BY_JOB:
        return part(sums[name], sums["n_jobs" if is_of_all else "n_ended"], 0.0)
    return part(sums[f"{name}_weighed"], sums["weight" if is_of_all else "ended_weight"], 0.0)


def hit_fracs(sums: Sums, by: int = BY_JOB) -> Floats:
    """Deadlines inside the run that were met, by group; 1 where there is none."""
    return part(sums["n_hit"], sums["n_due"]) if by == BY_JOB else part(sums["hit_weight"], sums["due_weight"])


def part(top: Any, whole: Any, of_nothing: float = 1.0) -> Floats:
    """One sum over another; where there is nothing to be a part of, `of_nothing`."""
    return np.where(whole > 0.0, top / np.where(whole > 0.0, whole, 1.0), of_nothing)
