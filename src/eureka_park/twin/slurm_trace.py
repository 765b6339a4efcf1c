"""What `sacct --parsable2` printed as a trace for `park twin run`: the park's own columns.

A job arrives when Slurm called it eligible, needs as long as it ran, and belongs to `account/user`. GPUs are those of
the whole job: on another site's machines it becomes a gang where they have fewer. CPUs and memory are kept only where
no GPU is asked for. Tiers, deadlines, checkpoints and power are nowhere in the record; the seed draws them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from eureka_park.foundation.errors import BadInput
from eureka_park.twin.core.sacct import RUNNING_STATES, SlurmJob
from eureka_park.twin.core.slurm_waits import spans_of
from eureka_park.twin.core.slurm_workload import JOBS_MAX, leaf_of
from eureka_park.twin.core.traces import Table
from eureka_park.twin.slurm_files import Counts, SlurmSource, read_jobs

WELL: Final = frozenset({"COMPLETED", *RUNNING_STATES})  # of those that still run nothing worse is known
CANCELLED: Final = frozenset({"CANCELLED", "REVOKED"})


def sacct_table(path: Path) -> Table:
    """The jobs of a file that ran, as a table. Raises BadInput, NotFound and Unavailable."""
    counts, left_out = Counts(), 0
    rows: list[tuple[Any, ...]] = []
    lines: list[int] = []
    for job in read_jobs(SlurmSource(path), counts):
        if job.has_started and job.elapsed_s > 0.0:
            rows.append(_row(job))
            lines.append(counts.n_lines + 1)
        else:
            left_out += job.n_tasks
        if len(rows) > JOBS_MAX:
            raise BadInput(f"{path.name} holds more than {JOBS_MAX:,} jobs.", fix="Cut it.", field="trace")
    names = ("submit_s", "run_s", "gpus", "mcpu", "mem_mib", "time_s", "leaf", "ending")
    columns: dict[str, Any] = {name: np.array([row[at] for row in rows]) for at, name in enumerate(names)}
    if rows:
        columns["submit_s"] = columns["submit_s"] - columns["submit_s"].min()
    notes = {name: n for name, n in (("left_out", left_out), ("wrong_lines", counts.n_wrong)) if n}
    return Table(path.name, columns, lines, notes=notes)


def _row(job: SlurmJob) -> tuple[Any, ...]:
    _submit_s, eligible_s, start_s = spans_of(job, job.start_s)
    alone = job.n_gpus == 0
    return (
        min(eligible_s, start_s), job.elapsed_s, float(job.n_gpus), job.n_cpus * 1000.0 if alone else np.nan,
        max(1.0, job.mem_mib) if alone else np.nan,
        max(job.limit_s, job.elapsed_s) if np.isfinite(job.limit_s) else np.nan, leaf_of(job),
        "finished" if job.state in WELL else "cancelled" if job.state in CANCELLED else "failed",
    )  # fmt: skip
