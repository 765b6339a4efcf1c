"""Jobs that have ended, counted as they come out of a run: sums, histograms, hours and what a bound must serve.

A run of 10^8 jobs keeps none of them; each is added here once, when it leaves the board or when the run is over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from eureka_park.compute.core.board import MILLI, Board, records
from eureka_park.foundation.kernels import kernel
from eureka_park.twin.core.bound_work import CORRECT_FROM, GROUPS, MOVED, NO_GPU, STEADY, note_job
from eureka_park.twin.core.fairness import Hours, add_hours, new_hours
from eureka_park.twin.core.tally import Jobs, Tally, add_job, new_tally
from eureka_park.twin.core.truth import CLOSED
from eureka_park.twin.core.workload import FIRM

SAMPLE: Final = 2_000  # jobs that are kept as examples
N_GROUPS: Final = len(GROUPS)
GROUP_KIND: Final = np.array([kind for kind, _slack_h in GROUPS])
GROUP_SLACK_H: Final = np.array([slack_h for _kind, slack_h in GROUPS])


class Marks(NamedTuple):
    """Marks of the ramps that a bound must stay between; the most power of a GPU, kW; see `bound_work`."""

    early: Any
    late: Any
    gpu_kw: Any


class Knobs(NamedTuple):
    """The run's length; what a bound leaves out of each job's work and power; whether jobs hold CPUs, not GPUs."""

    until_s: float
    trim_s: float
    error_frac: float
    per_cpu: bool


@kernel
def count_closed(
    closed: Any, n: int, classes: Any, one: Jobs, tally: Tally, hours: Hours, marks: Marks, knobs: Knobs
) -> None:
    """Add the first `n` jobs. `one` is room for a single job, as the rows of `tally.Jobs` are."""
    for index in range(n):
        job = closed[index]
        n_gpus = job.gpus * job.n_nodes * job.gpu_milli / MILLI
        one.leaf[0], one.tier[0], one.n_gpus[0], one.submit_s[0] = job.leaf, job.tier, n_gpus, job.submit_s
        one.deadline_s[0], one.run_s[0], one.first_start_s[0] = job.deadline_s, job.run_s, job.first_start_s
        one.end_s[0], one.done_s[0], one.n_pauses[0] = job.end_s, job.done_s, job.n_pauses
        one.held_gpu_s[0], one.lost_gpu_s[0], one.alone_end_s[0] = job.held_gpu_s, job.lost_gpu_s, job.alone_end_s
        one.ending[0] = job.ending
        first_kw, least_kw = _full_kw(classes, job)
        one.kw[0] = job.idle_kw + first_kw * job.power_frac
        add_job(tally, one, 0, knobs.until_s)
        held = job.n_nodes * (job.mcpu / 1000.0) if knobs.per_cpu else n_gpus
        add_hours(hours, one, 0, held, knobs.until_s)
        if marks.early.shape[1] > 1:
            _mark(marks, job, n_gpus, least_kw * max(0.0, job.power_frac - knobs.error_frac), knobs)


@kernel
def _full_kw(classes: Any, job: Any) -> tuple[float, float]:
    """Rated power above idle on all nodes: on the first class that the job may run on, and the least of all; kW."""
    first_kw, least_kw = -1.0, math.inf
    for index in range(classes.shape[0]):
        if not (job.classes >> index) & 1:
            continue
        klass = classes[index]
        of_cpus = 1.0 if job.n_nodes > 1 else job.mcpu / klass.mcpu
        kw = (klass.rated_kw - klass.idle_kw - klass.gpus_kw) * of_cpus
        if klass.n_gpus > 0:
            kw += klass.gpus_kw * (job.gpus * job.gpu_milli / MILLI) / klass.n_gpus
        kw *= job.n_nodes
        first_kw = kw if first_kw < 0.0 else first_kw
        least_kw = min(least_kw, kw)
    return max(0.0, first_kw), least_kw if first_kw >= 0.0 else 0.0


@kernel
def _mark(marks: Marks, job: Any, n_gpus: float, kw: float, knobs: Knobs) -> None:
    """What a bound must have done of this job, and by when; as `bound_work.served_of` has it of a table."""
    ended_s = job.end_s if job.end_s <= knobs.until_s else knobs.until_s
    if job.tier == FIRM:
        due_s = ended_s
    else:
        due_s = max(job.deadline_s, ended_s) if job.deadline_s < math.inf else knobs.until_s
    due_s = min(due_s, knobs.until_s)
    window_h = max(0.0, due_s - job.submit_s) / 3600.0
    work_h = min(max(0.0, job.done_s - knobs.trim_s) / 3600.0, window_h)
    if n_gpus > 0.0:
        marks.gpu_kw[0] = max(marks.gpu_kw[0], kw / n_gpus)
    if work_h > 0.0:
        group = _group(job.tier, n_gpus, window_h - work_h, due_s >= knobs.until_s)
        note_job(marks.early, marks.late, group, job.submit_s / 3600.0, due_s / 3600.0, work_h, kw)


@kernel
def _group(tier: int, n_gpus: float, slack_h: float, is_last: bool) -> int:
    """The group of a job; see `bound_work.group_of`."""
    kind = NO_GPU if n_gpus <= 0.0 else (STEADY if tier == FIRM else MOVED)
    found, of_last = -1, -1
    for at in range(N_GROUPS):
        if GROUP_KIND[at] == kind:
            of_last = at
            if found < 0 and slack_h <= GROUP_SLACK_H[at]:
                found = at
    is_open = GROUP_SLACK_H[found] == math.inf
    return of_last if is_last and is_open else found


@dataclass(slots=True, eq=False)
class Counting:
    """Counts of a run of jobs that nobody keeps, and a sample of them."""

    tally: Tally
    hours: Hours
    marks: Marks
    knobs: Knobs
    classes: Any
    sample: Any
    every: int
    n_sampled: int = 0
    _one: Any = None

    def __post_init__(self) -> None:
        """Room for one job, of the types of a table's rows."""
        f8, i4 = np.zeros, np.int32
        self._one = Jobs(np.zeros(1, i4), np.zeros(1, np.int8), f8(1), f8(1), f8(1), f8(1), f8(1),
                         f8(1), f8(1), f8(1), np.zeros(1, i4), f8(1), f8(1), f8(1), np.zeros(1, np.int8))  # fmt: skip

    def take(self, closed: Any, until_s: float | None = None) -> None:
        """Count these jobs (records of `truth.CLOSED`). `until_s`: when the run ended, where that was early."""
        if len(closed) == 0:
            return
        knobs = self.knobs if until_s is None else self.knobs._replace(until_s=until_s)
        count_closed(closed, len(closed), self.classes, self._one, self.tally, self.hours, self.marks, knobs)
        chosen = np.flatnonzero(closed["row"] % self.every == 0)[: len(self.sample) - self.n_sampled]
        self.sample[self.n_sampled : self.n_sampled + len(chosen)] = closed[chosen]
        self.n_sampled += len(chosen)


def new_counting(
    board: Board,
    n_jobs: int,
    n_leaves: int,
    until_s: float,
    *,
    tick_s: float,
    learns: bool = True,
    bounds: bool = True,
    per_cpu: bool = False,
) -> Counting:
    """Empty counts of a run that ends at `until_s`; `bounds`: with what a bound must serve."""
    n_hours = max(1, math.ceil(until_s / 3600.0 - 1e-9))
    early, late = (np.zeros((N_GROUPS, n_hours + 1 if bounds else 1, 2)) for _ in range(2))
    knobs = Knobs(until_s, tick_s if learns else 0.0, CORRECT_FROM if learns else 0.0, per_cpu)
    return Counting(
        new_tally(n_leaves), new_hours(until_s, n_leaves), Marks(early, late, np.zeros(1)), knobs, board.classes,
        records(SAMPLE + 1, CLOSED), max(1, math.ceil(n_jobs / SAMPLE)),
    )  # fmt: skip


def sample_of(counting: Counting, leaves: Sequence[str], tiers: Sequence[str]) -> dict[str, Any]:
    """The jobs of the sample by column, in the order of their submission. Instants from the start of the run; nan for
    what did not come to pass.
    """
    rows = np.sort(counting.sample[: counting.n_sampled], order="row")
    found: dict[str, Any] = {"leaf": [leaves[at] for at in rows["leaf"]], "tier": [tiers[at] for at in rows["tier"]]}
    found["n_gpus"] = rows["gpus"].astype(np.int64) * rows["n_nodes"] * rows["gpu_milli"] / MILLI
    for name in ("submit_s", "first_start_s", "end_s", "n_pauses", "run_s", "deadline_s"):
        found[name] = np.array(rows[name])
    return found
