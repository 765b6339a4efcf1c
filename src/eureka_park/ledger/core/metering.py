"""Who used the energy between two readings of a node's meter: jobs and the idle account, adding up to it exactly.

The rule, for one interval of one node:

1. *Node energy* E is the counter's step. A counter that wraps (`range_j` > 0) may wrap once between two readings. A
   counter that started anew (another epoch, or a step back without a range) says nothing about the gap: then E is
   modelled as the node's idle power over the interval, nothing above it, and the method says so.
2. The *idle part* is `idle_w` x time, at most E. A job gets of it the fraction of the node allocated to it, for the
   part of the interval in which it was; nobody's fraction goes to the idle account.
3. The rest is *dynamic*. First each job gets the step of its own GPU counters above what these GPUs draw idle; if
   these claim more than there is (sensors disagree), they share it in proportion. What is left goes by CPU seconds: of
   the node's, where they are known (the system's own part then goes to the idle account), else of the jobs' alone.

A job seen only in the later reading counts from zero; one seen only in the earlier used nothing more, so whoever knows
the last counters of an ended job adds them to the later reading. A counter that falls back counts as standing still.
The same reading twice gives no energy to anybody, so a reader that starts again may begin with its last reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from eureka_park.foundation.wire.engine import JobUsage, MeterReading
from eureka_park.ledger.core.exact import micro, split

IDLE: Final = "idle"  # the account of energy that is no job's
MEASURED: Final = "measured"
MODELLED: Final = "modelled"


@dataclass(frozen=True, slots=True)
class Allocation:
    """A job had `share_frac` (0 to 1) of the node during `[start_s, end_s)`, in the meter's (real) time."""

    job_id: str
    share_frac: float
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """The energy of one node over one interval, in whole microjoules: `sum(jobs_uj.values()) + idle_uj == node_uj`."""

    start_s: float
    end_s: float
    node_uj: int
    jobs_uj: Mapping[str, int]
    idle_uj: int
    method: str
    counter_restarted: bool
    dynamic_uj: Mapping[str, int] = field(default_factory=dict)  # of `jobs_uj`, what lies above the node's idle power

    def by_account(self) -> dict[str, int]:
        """Microjoules by account: each job, and `idle`."""
        return {**self.jobs_uj, IDLE: self.idle_uj}


def attribute(
    before: MeterReading,
    after: MeterReading,
    allocations: Sequence[Allocation],
    *,
    node_cpu_s: float | None = None,
) -> Attribution:
    """Attribute the energy between two readings of one node to its jobs and to the idle account, exactly.

    `node_cpu_s`: CPU seconds the whole node used in the interval, where known. See the rule at the top of this file.
    """
    elapsed_s = max(0.0, after.at_s - before.at_s)
    idle_w = max(0.0, after.idle_w)
    step_uj = _counter_step_uj(before, after)
    node_uj = micro(idle_w * elapsed_s) if step_uj is None else step_uj
    base_uj = min(node_uj, micro(idle_w * elapsed_s))
    shares = _shares(before.at_s, after.at_s, allocations)
    parts = (
        _of_whole(base_uj, shares, whole=1.0),
        _dynamic(node_uj - base_uj, before, after, node_cpu_s),
    )
    jobs_uj = dict.fromkeys([*shares, *(usage.job_id for usage in after.jobs)], 0)
    for part in parts:
        for job_id, energy_uj in part.items():
            jobs_uj[job_id] += energy_uj
    is_measured = step_uj is not None and before.method == after.method == MEASURED
    return Attribution(
        start_s=before.at_s,
        end_s=max(before.at_s, after.at_s),
        node_uj=node_uj,
        jobs_uj=jobs_uj,
        idle_uj=node_uj - sum(jobs_uj.values()),
        method=MEASURED if is_measured else MODELLED,
        counter_restarted=step_uj is None,
        dynamic_uj=parts[1],
    )


def site_energy(it_uj_by_account: Mapping[str, int], pue: float) -> dict[str, int]:
    """Energy at the site meter by account: the node's times PUE (>= 1), split as the node's own; adds up exactly."""
    total_uj = sum(it_uj_by_account.values())
    if total_uj == 0:
        return dict(it_uj_by_account)
    site_uj = total_uj * round(max(1.0, pue) * 1_000_000) // 1_000_000
    return dict(zip(it_uj_by_account, split(site_uj, list(it_uj_by_account.values())), strict=True))


def _counter_step_uj(before: MeterReading, after: MeterReading) -> int | None:
    """How far the counter went on; None when it started anew. Both ends are rounded, so steps add up over readings."""
    if before.epoch != after.epoch:
        return None
    step_uj = micro(after.energy_j) - micro(before.energy_j)
    if step_uj < 0 and after.range_j > 0:
        step_uj += micro(after.range_j)
    return step_uj if step_uj >= 0 else None


def _shares(start_s: float, end_s: float, allocations: Sequence[Allocation]) -> dict[str, float]:
    """By job, the fraction of the node over the whole interval; scaled down where together they claim more than all."""
    shares: dict[str, float] = {}
    for given in allocations:
        overlap_s = min(end_s, given.end_s) - max(start_s, given.start_s)
        if overlap_s > 0 and end_s > start_s:
            part = max(0.0, given.share_frac) * overlap_s / (end_s - start_s)
            shares[given.job_id] = shares.get(given.job_id, 0.0) + part
    return shares


def _dynamic(dynamic_uj: int, before: MeterReading, after: MeterReading, node_cpu_s: float | None) -> dict[str, int]:
    """Energy above idle by job: its own GPUs' first, then by CPU seconds."""
    gpu_j, cpu_s = _usage_steps(before.jobs, after.jobs)
    by_gpu = _of_whole(dynamic_uj, gpu_j, whole=dynamic_uj / 1e6)
    left_uj = dynamic_uj - sum(by_gpu.values())
    by_cpu = _of_whole(left_uj, cpu_s, whole=node_cpu_s or 0.0)
    return {job_id: by_gpu.get(job_id, 0) + by_cpu.get(job_id, 0) for job_id in {**by_gpu, **by_cpu}}


def _usage_steps(before: Sequence[JobUsage], after: Sequence[JobUsage]) -> tuple[dict[str, float], dict[str, float]]:
    """By job, joules of its own GPUs above idle and CPU seconds in the interval, its attempts together."""
    first = {(usage.job_id, usage.attempt): usage for usage in before}
    gpu_j: dict[str, float] = {}
    cpu_s: dict[str, float] = {}
    for usage in after:
        old = first.get((usage.job_id, usage.attempt))
        step_j = _gpu_j_above_idle(usage) - (_gpu_j_above_idle(old) if old else 0.0)
        gpu_j[usage.job_id] = gpu_j.get(usage.job_id, 0.0) + max(0.0, step_j)
        cpu_s[usage.job_id] = cpu_s.get(usage.job_id, 0.0) + max(0.0, usage.cpu_s - (old.cpu_s if old else 0.0))
    return gpu_j, cpu_s


def _gpu_j_above_idle(usage: JobUsage) -> float:
    return 0.0 if usage.gpu_j is None else usage.gpu_j - usage.gpu_idle_j


def _of_whole(energy_uj: int, claims: Mapping[str, float], whole: float) -> dict[str, int]:
    """Each claim's part of an energy, where all of it is `whole`; claims for more than `whole` share what there is.

    What nobody claims stays out of the answer.
    """
    claimed = sum(claims.values())
    if claimed <= 0 or energy_uj == 0:
        return dict.fromkeys(claims, 0)
    unclaimed = max(0.0, whole - claimed)
    amounts = split(energy_uj, [*claims.values(), unclaimed])
    return dict(zip(claims, amounts, strict=False))
