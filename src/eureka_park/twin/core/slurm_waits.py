"""Why Slurm's jobs waited, from the record: what was free on which machines meanwhile, with the number that decided.

A wait has two parts. Until Slurm calls a job eligible it waits for something of its own: another job, a time, a hold;
the record's `Reason` names it. From then on it waits for machines: at up to SAMPLES_PER_JOB instants its partition's
machines (of the kind it asked for) are looked at, and what was true most often is the reason.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.twin.core.sacct import SlurmJob
from eureka_park.twin.core.slurm_nodes import OutOfService, SlurmNode
from eureka_park.twin.core.slurm_use import Use

TURN_S: Final = 60.0  # a wait up to this is Slurm's own round, no reason of the machines
SAMPLES_PER_JOB: Final = 8
MIB_PER_GIB: Final = 1024.0

TURN, NO_GPU, NO_CPU, FRAGMENTED, NO_CPU_BESIDE, NO_MEMORY, OUT, LIMIT, RESERVED, ORDER, UNKNOWN = (
    "turn", "no_free_gpu", "no_free_cpu", "fragmented", "no_cpu_beside_gpu", "no_memory", "out_of_service", "limit",
    "reserved", "order", "not_sampled",
)  # fmt: skip
DEPENDENCY, BEGIN, HELD, ARRAY, NOT_ELIGIBLE = "dependency", "begin_time", "held", "array_limit", "not_eligible"
REASONS: Final = (
    NO_GPU, NO_CPU, FRAGMENTED, NO_CPU_BESIDE, NO_MEMORY, ORDER, LIMIT, OUT, RESERVED, DEPENDENCY, BEGIN, HELD, ARRAY,
    NOT_ELIGIBLE, TURN, UNKNOWN,
)  # fmt: skip
_BEFORE: Final = (
    ("dependency", DEPENDENCY), ("begintime", BEGIN), ("jobheld", HELD), ("arraytasklimit", ARRAY),
)  # fmt: skip
_LIMITS: Final = ("assoc", "qos", "maxjobs", "partitiontimelimit", "partitionnodelimit", "licenses", "accountlimit")
_RESERVED: Final = ("reserv", "nodenotavail", "nodedown", "partitiondown", "partitioninactive", "maint")

Cells = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a job waited: a reason of REASONS, the instant looked at (nan: none), and the numbers that decided there."""

    reason: str
    at_s: float = math.nan
    numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wait:
    """A job's wait: seconds before it was eligible and after, each with its reason."""

    before_s: float
    before: str
    queued_s: float
    queued: Verdict

    @property
    def main(self) -> str:
        """The reason of the longer part."""
        return self.before if self.before_s > self.queued_s else self.queued.reason


def before_reason(reason: str) -> str:
    """What kept a job from being eligible, by the record's last Reason."""
    word = reason.lower()
    return next((found for part, found in _BEFORE if part in word), NOT_ELIGIBLE)


def spans_of(job: SlurmJob, until_s: float) -> tuple[float, float, float]:
    """Submission, eligibility and start; a job that has not started waits until its end or `until_s`."""
    start_s = job.start_s if job.has_started else min(until_s, job.end_s if job.end_s == job.end_s else until_s)
    start_s = max(start_s, job.submit_s)
    eligible_s = job.eligible_s if job.eligible_s == job.eligible_s else start_s
    return job.submit_s, min(max(eligible_s, job.submit_s), start_s), start_s


class Machines:
    """The machines beside what was held on them: made after `Use` is closed."""

    def __init__(self, nodes: Sequence[SlurmNode], use: Use, outs: Sequence[OutOfService] = ()) -> None:
        self._use, self._nodes = use, {node.name: node for node in nodes}
        self._held = use.held()
        listed = [self._nodes.get(name) for name in use.places]
        self._known = [node for node in listed if node is not None]
        self._at = np.array([place for place, node in enumerate(listed) if node is not None], dtype=np.int64)
        self._total = tuple(
            np.array([getattr(node, name) for node in self._known], dtype=np.int64)
            for name in ("n_gpus", "n_cpus", "mem_mib")
        )
        self._waiting = use.waiting()
        self._out = self._out_of(outs)
        self._pools: dict[tuple[str, str], npt.NDArray[np.int64]] = {}

    def _out_of(self, outs: Sequence[OutOfService]) -> npt.NDArray[np.bool_] | None:
        """Which machines were out of service at which samples; None where nothing is known."""
        place = {node.name: at for at, node in enumerate(self._known)}
        outs = [one for one in outs if one.node in place]
        if not outs:
            return None
        found = np.zeros((self._use.n_samples, len(self._known)), dtype=np.bool_)
        for one in outs:
            last = self._use.sample_of(one.end_s) if math.isfinite(one.end_s) else self._use.n_samples
            found[self._use.sample_of(one.start_s) : last, place[one.node]] = True
        return found

    def pool(self, partition: str, gpu_type: str) -> npt.NDArray[np.int64]:
        """Machines of a job's partitions with the kind of GPU it asked for; all where no partition is known."""
        key = (partition, gpu_type)
        if key not in self._pools:
            wanted = set(partition.split(","))
            rows = [
                at for at, node in enumerate(self._known)
                if (not node.partitions or not wanted.isdisjoint(node.partitions))
                and (not gpu_type or node.gpu_type == gpu_type)
            ]  # fmt: skip
            self._pools[key] = np.array(rows, dtype=np.int64)
        return self._pools[key]

    def free_gpus(self) -> Cells:
        """GPUs that were free on machines in service, in all, by sample."""
        held = self._held[0][:, self._at].astype(np.int64) if len(self._at) else np.zeros((self._use.n_samples, 0))
        free = np.maximum(0, self._total[0] - held)
        if self._out is not None:
            free = np.where(self._out, 0, free)
        return np.asarray(free.sum(axis=1), dtype=np.int64)

    def wait_of(self, job: SlurmJob, until_s: float) -> Wait:
        """How long a job waited, and why."""
        submit_s, eligible_s, start_s = spans_of(job, until_s)
        before_s, queued_s = eligible_s - submit_s, start_s - eligible_s
        verdict = self._judged(job, eligible_s, start_s) if queued_s > TURN_S else Verdict(TURN)
        return Wait(before_s, before_reason(job.reason), queued_s, verdict)

    def _judged(self, job: SlurmJob, eligible_s: float, start_s: float) -> Verdict:
        first, last = self._use.sample_of(eligible_s), self._use.sample_of(start_s)
        if first >= last:
            return Verdict(UNKNOWN)
        samples = np.unique(np.linspace(first, last - 1, min(SAMPLES_PER_JOB, last - first)).astype(np.int64))
        found = [self._at_sample(job, int(sample)) for sample in samples]
        most = Counter(reason for reason, _numbers in found).most_common(1)[0][0]
        places = [place for place, (reason, _numbers) in enumerate(found) if reason == most]
        middle = places[len(places) // 2]
        return Verdict(most, self._use.instant_of(int(samples[middle])), found[middle][1])

    def _at_sample(self, job: SlurmJob, sample: int) -> tuple[str, dict[str, int]]:
        pool = self.pool(job.partition, job.asked_type)
        if not len(pool):
            return UNKNOWN, {}
        held = [cells[sample, self._at[pool]].astype(np.int64) for cells in self._held]
        free = [np.maximum(0, self._total[0][pool] - held[0]), np.maximum(0, self._total[1][pool] - held[1])]
        free.append(np.maximum(0, self._total[2][pool] - held[2] * int(MIB_PER_GIB)))
        if self._out is not None and self._out[sample, pool].any():
            out = self._out[sample, pool]
            would, _numbers = self._of_free(job, free, sample)
            reason, numbers = self._of_free(job, [np.where(out, 0, part) for part in free], sample)
            if reason != would and would in {ORDER, LIMIT, RESERVED}:
                return OUT, {**numbers, "n_out": int(out.sum()), "n_machines": len(pool)}
            return reason, numbers
        return self._of_free(job, free, sample)

    def _of_free(self, job: SlurmJob, free: Sequence[Cells], sample: int) -> tuple[str, dict[str, int]]:
        """The reason for what is free of GPUs, CPUs and memory on the machines of a pool."""
        gpus, cpus, mem = free
        n = max(1, job.n_nodes)
        main, asked = (gpus, job.n_gpus) if job.n_gpus else (cpus, max(1, job.n_cpus))
        each = -(-asked // n)
        numbers = {
            "free": int(main.sum()), "asked": asked, "n_nodes": n, "each": each,
            "most": int(main.max(initial=0)), "n_fit": int((main >= each).sum()),
        }  # fmt: skip
        if numbers["free"] < asked:
            return (NO_GPU if job.n_gpus else NO_CPU), numbers
        if numbers["n_fit"] < n:
            return FRAGMENTED, numbers
        for enough, reason in (
            ((main >= each) & (cpus >= -(-job.n_cpus // n)), NO_CPU_BESIDE),
            ((main >= each) & (cpus >= -(-job.n_cpus // n)) & (mem >= job.mem_mib / n), NO_MEMORY),
        ):
            if int(enough.sum()) < n:
                return reason, {**numbers, "n_fit": int(enough.sum())}
        waiting_jobs, waiting_gpus = (int(part[sample]) for part in self._waiting)
        numbers |= {"n_waiting": waiting_jobs, "gpus_waiting": waiting_gpus}
        word = job.reason.lower()
        if any(part in word for part in _RESERVED):
            return RESERVED, numbers
        return (LIMIT if any(part in word for part in _LIMITS) else ORDER), numbers


def told(wait: Wait) -> dict[str, Any]:
    """A wait as plain JSON values."""
    return {
        "reason": wait.main, "before_s": wait.before_s, "before": wait.before if wait.before_s > TURN_S else None,
        "queued_s": wait.queued_s, "queued": wait.queued.reason, "numbers": dict(wait.queued.numbers),
        "looked_at_s": wait.queued.at_s if math.isfinite(wait.queued.at_s) else None,
    }  # fmt: skip
