"""From Slurm's jobs to a workload for the twin: what the park would have been given, and what it can make of it.

A job arrives when Slurm called it eligible, and needs as long as it ran. On one machine it keeps its CPUs and memory;
over several it becomes a gang of whole machines, as gangs are in the park. It stays on the kind of GPU it ran on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.compute.core.board_setup import ClassRow
from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.foundation.machine import CPU_RATED_W_PER_CPU
from eureka_park.foundation.units import DAY_S
from eureka_park.twin.core.sacct import AGAIN_STATES, SlurmJob
from eureka_park.twin.core.slurm_nodes import SlurmNode
from eureka_park.twin.core.slurm_power import CPU_IDLE_W, PowerModel
from eureka_park.twin.core.slurm_waits import spans_of
from eureka_park.twin.core.workload import FLEX, Workload, workload_of

Floats = npt.NDArray[np.float64]
JOBS_MAX: Final = 3_000_000  # about 1 GB with what the run itself needs
KINDS_MAX: Final = 5
CLASSES_MAX: Final = 60
GPUS_PER_NODE_MAX: Final = 60
NO_LIMIT_S: Final = 7 * DAY_S  # declared run time of a job that declared none
CPU_KIND: Final = "cpu"
_NOT_IN_A_PATH: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Rows:
    """Jobs as they ran, by row: instants in UTC epoch seconds, `counts` false for those of before."""

    eligible_s: Floats
    start_s: Floats
    end_s: Floats
    run_s: Floats
    n_gpus: Floats
    kw: Floats
    kind: npt.NDArray[np.int64]
    counts: npt.NDArray[np.bool_]


@dataclass(slots=True)
class Gathered:
    """Jobs as they are heard, one after another; `left` counts what is left out and why."""

    power: PowerModel
    from_s: float
    to_s: float
    jobs: list[tuple[Any, ...]] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    again: dict[str, list[int]] = field(default_factory=dict)  # rows of attempts that may have run again, by job

    def add(self, job: SlurmJob) -> None:
        """Hear a job. Raises BadInput where there are more than a run can hold."""
        if not job.has_started:
            self.left["never_started"] += job.n_tasks
            return
        if len(self.jobs) >= JOBS_MAX:
            raise BadInput(
                f"There are more than {JOBS_MAX:,} jobs: a run of them would need more than about 2 GB.",
                fix="Replay fewer days: --days 7.", code="too_many_jobs", field="days",
            )  # fmt: skip
        _submit_s, eligible_s, _start_s = spans_of(job, self.to_s)
        end_s = job.end_s if job.end_s == job.end_s else self.to_s
        run_s = max(1.0, min(job.elapsed_s or end_s - job.start_s, end_s - max(job.start_s, self.from_s)))
        if job.end_s != job.end_s:
            self.left["still_running"] += 1  # they count, with the time they have run so far
        limit_s = job.limit_s if job.limit_s < np.inf else NO_LIMIT_S
        kw = self.power.job_kw(job.gpu_type, job.n_gpus, job.n_cpus)
        if job.state in AGAIN_STATES:
            self.again.setdefault(job.job_id, []).append(len(self.jobs))
        self.jobs.append((
            eligible_s, job.start_s, end_s, run_s, max(run_s, limit_s), job.n_nodes, job.n_gpus, max(1, job.n_cpus),
            max(1.0, job.mem_mib), job.gpu_type if job.n_gpus else CPU_KIND, leaf_of(job),
            kw, job.job_id if job.state not in AGAIN_STATES else "",
        ))  # fmt: skip

    def without_lost_attempts(self) -> list[tuple[Any, ...]]:
        """Jobs without the attempts that ran again later: the park is given each job once, as it ran last."""
        if not self.again:
            return self.jobs
        ended = {row[-1] for row in self.jobs} & set(self.again)
        lost: set[int] = set()
        for job_id, rows in self.again.items():
            last = () if job_id in ended else (max(rows, key=lambda row: self.jobs[row][1]),)
            lost |= set(rows) - set(last)
        self.left["earlier_attempts"] += len(lost)
        return [one for row, one in enumerate(self.jobs) if row not in lost]


def leaf_of(job: SlurmJob) -> str:
    """A job's place in the share tree: `account/user`, in letters that a path may have."""
    return f"{_word(job.account)}/{_word(job.user)}"


def _word(text: str) -> str:
    return _NOT_IN_A_PATH.sub("-", text.lower()).strip("-") or "none"


@dataclass(frozen=True, slots=True)
class Shapes:
    """Machines by class, and the index of each kind of GPU."""

    classes: tuple[ClassRow, ...]
    kinds: tuple[str, ...]
    n_left_out: int

    @property
    def n_gpus(self) -> Floats:
        """GPUs of each kind."""
        found = np.zeros(len(self.kinds))
        for row in self.classes:
            found[row.gpu_type] += row.n_gpus * row.n_nodes
        return found


def shapes_of(nodes: Sequence[SlurmNode], power: PowerModel) -> Shapes:
    """Classes of alike machines: the most frequent ones, and the kinds of GPU with most GPUs, as a board holds them."""
    fit = [node for node in nodes if node.n_gpus <= GPUS_PER_NODE_MAX and node.n_cpus and node.mem_mib]
    kinds = Counter[str]()
    for node in fit:
        kinds[node.gpu_type if node.n_gpus else CPU_KIND] += node.n_gpus or 1
    known = tuple(kind for kind, _n in kinds.most_common(KINDS_MAX))
    alike = Counter(
        (node.n_gpus, node.gpu_type if node.n_gpus else CPU_KIND, node.n_cpus, node.mem_mib // 1024 * 1024 or 1024)
        for node in fit
        if (node.gpu_type if node.n_gpus else CPU_KIND) in known
    ).most_common(CLASSES_MAX)
    if not alike:
        raise NotFound("No machine is known.", fix="Give the machines: --nodes FILE, of scontrol show node.")
    rows = tuple(_class(*key, n, known, power) for key, n in sorted(alike))
    return Shapes(rows, known, len(nodes) - sum(n for _key, n in alike))


def _class(
    n_gpus: int, kind: str, n_cpus: int, mem_mib: int, n_nodes: int, kinds: Sequence[str], power: PowerModel
) -> ClassRow:
    gpu = power.gpu(kind)
    by_cpus = n_gpus == 0 or gpu.around_cpus
    idle_w = n_gpus * gpu.idle_w + (n_cpus * CPU_IDLE_W if by_cpus else 0.0)
    rated_w = n_gpus * gpu.rated_w + (n_cpus * (CPU_IDLE_W + CPU_RATED_W_PER_CPU) if by_cpus else 0.0)
    return ClassRow(
        n_nodes, n_cpus * 1000, mem_mib, n_gpus, kinds.index(kind), rated_w / 1000.0, idle_w / 1000.0,
        (gpu.rated_w - gpu.idle_w) / 1000.0,
    )  # fmt: skip


def workload_and_rows(
    gathered: Gathered, shapes: Shapes, tier: int = FLEX, slack_s: float = DAY_S
) -> tuple[Workload, Rows, dict[str, int]]:
    """The workload, the same jobs as they really ran, and counts of what was left out or changed. Raises NotFound.

    `tier`: of all jobs; of flex ones the deadline is `slack_s` after they would end by their declared time if they
    began at once.
    """
    jobs = sorted(gathered.without_lost_attempts(), key=lambda one: (max(one[0], gathered.from_s), one[1]))
    kinds = {kind: index for index, kind in enumerate(shapes.kinds)}
    known: dict[tuple[Any, ...], tuple[int, ...] | None] = {}
    for one in jobs:
        if one[5:10] not in known:
            known[one[5:10]] = _shaped(one, shapes, kinds)
    fitted = [(one, known[one[5:10]]) for one in jobs]
    kept = [(one, shape) for one, shape in fitted if shape is not None]
    left = {**gathered.left, "too_large": len(fitted) - len(kept)}
    if not kept:
        raise NotFound("No job of these days can be replayed.", fix="Look at more days: --days 90.", code="empty_span")
    columns = list(zip(*(one for one, _shape in kept), strict=True))
    eligible_s, start_s, end_s, run_s, time_s = (np.array(column, dtype=np.float64) for column in columns[:5])
    n_nodes, gpus, mcpu, mem_mib, kind, changed = np.array([shape for _one, shape in kept], dtype=np.int64).T
    left["became_gangs_or_smaller"] = int(changed.sum())
    leaves, leaf = np.unique(np.array(columns[10]), return_inverse=True)
    submit_s = np.maximum(0.0, eligible_s - gathered.from_s)
    work = workload_of(
        [str(name) for name in leaves],
        {
            "submit_s": submit_s, "run_s": run_s, "time_s": time_s, "leaf": leaf, "n_nodes": n_nodes, "gpus": gpus,
            "mcpu": mcpu, "mem_mib": mem_mib, "tier": tier, "gpu_type": kind,
            "deadline_s": submit_s + time_s + slack_s if tier == FLEX else np.inf,
            "power_frac": gathered.power.power_frac,
        },
        gpu_types=shapes.kinds,
    )  # fmt: skip
    rows = Rows(
        eligible_s, start_s, end_s, run_s, np.array(columns[6], dtype=np.float64),
        np.array(columns[11], dtype=np.float64), kind, eligible_s >= gathered.from_s,
    )  # fmt: skip
    return work, rows, {name: n for name, n in left.items() if n}


def _shaped(one: tuple[Any, ...], shapes: Shapes, kinds: Mapping[str, int]) -> tuple[int, ...] | None:
    """Nodes, GPUs, CPUs, memory and kind as the park takes them, and whether that is another form; None: no room."""
    n_nodes, n_gpus, n_cpus, mem_mib, kind = (one[5], one[6], one[7], one[8], kinds.get(one[9], -1))
    rows = [row for row in shapes.classes if row.gpu_type == kind or (not n_gpus and kind < 0)]
    if not n_gpus and not rows:
        rows = list(shapes.classes)
    for row in rows:  # as it is, on one machine
        if n_gpus <= row.n_gpus and n_cpus * 1000 <= row.mcpu and mem_mib <= row.mem_mib and (n_nodes == 1 or n_gpus):
            return 1, n_gpus, n_cpus * 1000, int(mem_mib), _kind(row, n_gpus), int(n_nodes > 1)
    if n_nodes == 1:
        row = max(rows, key=lambda one: (one.n_gpus, one.mcpu)) if rows else shapes.classes[0]
        if not rows or n_gpus > row.n_gpus:
            return None
        return 1, n_gpus, min(n_cpus * 1000, row.mcpu), int(min(mem_mib, row.mem_mib)), _kind(row, n_gpus), 1
    for row in sorted(rows, key=lambda one: -one.n_nodes):
        wanted = -(-n_gpus // row.n_gpus) if n_gpus and row.n_gpus else n_nodes
        wanted = max(wanted, -(-n_cpus * 1000 // row.mcpu))
        is_right = row.n_gpus > 0 if n_gpus else row.n_gpus == 0
        if is_right and wanted <= row.n_nodes:
            mem = row.mem_mib if n_gpus else int(min(row.mem_mib, max(1, mem_mib // wanted)))
            return wanted, row.n_gpus if n_gpus else 0, row.mcpu, mem, _kind(row, n_gpus), int(wanted != n_nodes)
    return None


def _kind(row: ClassRow, n_gpus: int) -> int:
    return row.gpu_type if n_gpus else -1
