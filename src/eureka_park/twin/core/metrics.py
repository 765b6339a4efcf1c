"""What is measured of a run: waits, deadlines, slowdown, fairness. Definitions: docs/nomenclature.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

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
    """Service over entitlement of the leaves that demand at least what they are entitled to.

    Entitlement is the leaf's share, by weight, of all service given. A leaf that asked for less than that is satisfied
    by less and is left out. Units are those of `service` and `demand`, the same for both.
    """
    total = float(service.sum())
    share = weight / weight.sum() if weight.sum() > 0 else np.zeros(len(weight))
    entitled = share * total
    demanding = (demand >= entitled * (1.0 - 1e-9)) & (entitled > 0.0)
    return np.asarray(service[demanding] / entitled[demanding])


def by_leaf(work: Workload, amounts: Floats) -> Floats:
    """Sums of a value of jobs, by leaf."""
    return np.bincount(work.leaf, weights=amounts, minlength=len(work.leaves)).astype(np.float64)


def flattened(report: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A report as rows of dotted names."""
    rows: dict[str, Any] = {}
    for name, value in report.items():
        rows |= flattened(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return rows
