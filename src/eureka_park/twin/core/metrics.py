"""What is measured of a run: waits, deadlines, slowdown, fairness. Definitions: docs/guide/twin.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.twin.core.played import Played
from eureka_park.twin.core.workload import TIER_NAMES, Workload

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

QUANTILES: Final = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
SLOWDOWN_RUN_S_MIN: Final = 10.0


def jain_index(served: Floats) -> float:
    """(sum x)^2 / (n sum x^2) of service over entitlement: 1 when all are served alike, 1/n when one has all.

    1 for nobody, and where nobody was served.
    """
    x = np.asarray(served, dtype=np.float64)
    most = float(x.max()) if len(x) else 0.0
    if most <= 0.0:
        return 1.0
    x = x / most  # so that no square overflows or vanishes
    return float(x.sum() ** 2 / (len(x) * (x**2).sum()))


def weighted_quantile(values: Floats, weights: Floats, level: float) -> float:
    """The least value at or below which `level` of the weight lies; 0 without weight."""
    total = float(weights.sum())
    if len(values) == 0 or total <= 0.0:
        return 0.0
    order = np.argsort(values, kind="stable")
    until = np.cumsum(weights[order])
    place = int(np.searchsorted(until, level * until[-1] * (1.0 - 1e-12), side="left"))
    return float(values[order[min(place, len(order) - 1)]])


def told_waits(wait_s: Floats, weights: Floats | None = None) -> dict[str, float]:
    """Mean and quantiles of waits; `weights` (GPU seconds) let large work count for what it is. s."""
    if weights is None:
        weights = np.ones(len(wait_s))
    total = float(weights.sum())
    mean = float((wait_s * weights).sum()) / total if total > 0.0 else 0.0
    return {"mean": mean, **{name: weighted_quantile(wait_s, weights, level) for name, level in QUANTILES}}


def waits_by_tier(
    work: Workload, first_start_s: Floats, until_s: float, *, by_gpu_s: bool = False
) -> dict[str, dict[str, float]]:
    """Waits from submission to the first start, by tier; who has not started by `until_s` has waited until then.

    Such waits would be longer in a longer run: `n_waiting` of a report says how many there are.
    """
    wait_s = waited_s(work, first_start_s, until_s)
    weights = np.maximum(work.gpu_s, work.run_s) if by_gpu_s else None
    return {
        name: told_waits(wait_s[work.tier == tier], None if weights is None else weights[work.tier == tier])
        for tier, name in enumerate(TIER_NAMES)
    }


def waited_s(work: Workload, first_start_s: Floats, until_s: float) -> Floats:
    """From the submission to the first start, or to `until_s` where there is none by then (nan or later); s."""
    started_s = np.where(np.isfinite(first_start_s), first_start_s, until_s)
    return np.asarray(np.maximum(0.0, np.minimum(started_s, until_s) - work.submit_s))


def deadline_hit_frac(work: Workload, end_s: Floats, until_s: float) -> dict[str, float]:
    """Share of jobs that ended by their deadline, by tier, of those whose deadline lies in the run; 1 for none."""
    counts = np.isfinite(work.deadline_s) & (work.deadline_s <= until_s)
    hit = counts & np.isfinite(end_s) & (end_s <= work.deadline_s)
    return {
        name: float(hit[work.tier == tier].sum() / counts[work.tier == tier].sum())
        if counts[work.tier == tier].any()
        else 1.0
        for tier, name in enumerate(TIER_NAMES)
    }


def bounded_slowdown(work: Workload, end_s: Floats) -> dict[str, float]:
    """Of ended jobs, turnaround over run time at full speed (10 s at least), never below 1: mean and quantiles."""
    ended = np.isfinite(end_s)
    turnaround_s = end_s[ended] - work.submit_s[ended]
    slowdown = np.maximum(1.0, turnaround_s / np.maximum(SLOWDOWN_RUN_S_MIN, work.run_s[ended]))
    return told_waits(np.asarray(slowdown))


def service_over_entitlement(service: Floats, weight: Floats, demand: Floats) -> Floats:
    """Service over entitlement of the leaves that demand more than they are entitled to.

    Entitlement is what max-min fairness gives of all service: shares by weight, and what a leaf does not ask for goes
    to the others. Who is satisfied is left out, so nobody is left where all are. One unit for service and demand.
    """
    level = water_level(weight, demand, float(service.sum()))
    entitled = level * weight
    demanding = (weight > 0.0) & (demand > entitled * (1.0 + 1e-9))
    return np.asarray(service[demanding] / entitled[demanding]) if 0.0 < level < np.inf else np.zeros(0)


def water_level(weight: Floats, demand: Floats, total: float) -> float:
    """The level at which the least of demand and level times weight sums to a total; inf where all demand fits."""
    counts = weight > 0.0
    weights, demands = weight[counts], demand[counts]
    if total >= float(demands.sum()) * (1.0 - 1e-12):
        return float("inf")
    fills_at = demands / weights
    order = np.argsort(fills_at, kind="stable")
    filled, open_weight = 0.0, float(weights.sum())
    for row in order:
        if filled + float(fills_at[row]) * open_weight >= total:
            break
        filled += float(demands[row])
        open_weight -= float(weights[row])
    return (total - filled) / open_weight if open_weight > 0.0 else float("inf")


def by_leaf(work: Workload, amounts: Floats) -> Floats:
    """Sums of a value of jobs, by leaf."""
    return np.bincount(work.leaf, weights=amounts, minlength=len(work.leaves)).astype(np.float64)


def leaf_weights(leaves: Sequence[str], shares: Sequence[tuple[str, float, float]]) -> Floats:
    """Each leaf's part of the whole, by the weights from it up to the root; a path that is not listed weighs 1."""
    listed = {path: weight for path, weight, _floor in shares}
    parts = [tuple(path.split("/")) for path in leaves]
    nodes = {part[:n] for part in parts for n in range(1, len(part) + 1)}
    weight = {node: listed.get("/".join(node), 1.0) for node in nodes}
    sums: dict[tuple[str, ...], float] = {}
    for node in sorted(nodes):
        sums[node[:-1]] = sums.get(node[:-1], 0.0) + weight[node]
    whole = [[weight[part[:n]] / sums[part[: n - 1]] for n in range(1, len(part) + 1)] for part in parts]
    return np.array([float(np.prod(one)) for one in whole])


def units(work: Workload) -> Floats:
    """What a job holds while it runs: GPUs, or CPUs where nobody asks for a GPU."""
    has_gpus = bool((work.gpus > 0).any())
    return np.asarray(work.n_gpus if has_gpus else work.n_nodes * (work.mcpu / 1000.0), dtype=np.float64)


def report(work: Workload, played: Played, shares: Sequence[tuple[str, float, float]]) -> dict[str, Any]:
    """All figures of a run. Times in s; `_by_gpu_h` counts jobs by their GPU hours."""
    until_s = played.until_s
    started, ended = np.isfinite(played.first_start_s), np.isfinite(played.end_s)
    held = units(work)
    could_s = np.minimum(work.run_s, np.maximum(0.0, until_s - work.submit_s))  # what no wait at all would have done
    service, demand = by_leaf(work, held * played.done_s), by_leaf(work, held * could_s)
    served = service_over_entitlement(service, leaf_weights(work.leaves, shares), demand)
    return {
        "jobs": work.n_jobs,
        "jobs_started": int(started.sum()),
        "jobs_finished": int(ended.sum()),
        "wait_s": waits_by_tier(work, played.first_start_s, until_s),
        "wait_s_by_gpu_h": waits_by_tier(work, played.first_start_s, until_s, by_gpu_s=True),
        "deadline_hit_frac": deadline_hit_frac(work, played.end_s, until_s),
        "bounded_slowdown": bounded_slowdown(work, played.end_s),
        "n_pauses": int(played.n_pauses.sum()),
        "firm_disturbed": int(played.firm_disturbed),
        "overrun_mwh": float(played.overrun_mwh),
        "jain_index": jain_index(served),
        "n_demanding": len(served),
        "done_frac": float((held * played.done_s).sum() / max(1e-300, float((held * work.run_s).sum()))),
        **{name: float(value) for name, value in played.totals.items()},
        "digest": played.digest,
    }


def flattened(report: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A report as rows of dotted names."""
    rows: dict[str, Any] = {}
    for name, value in report.items():
        rows |= flattened(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return rows
