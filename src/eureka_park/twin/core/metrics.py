"""What is measured of a run. Definitions and their sources: docs/nomenclature.md, "Measures of a run"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.twin.core.energy_figures import PLAIN_METER, Meter, energy_figures
from eureka_park.twin.core.fairness import (
    Hours,
    Served,
    add_all_hours,
    all_ends_alone,
    new_alone,
    new_hours,
    served_by_window,
    told_fairness,
)
from eureka_park.twin.core.log_histogram import quantile
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sky_series import SkySeries
from eureka_park.twin.core.tally import (
    BY_GPU_H,
    BY_JOB,
    QUANTILES,
    SLOWDOWN,
    TURNAROUND,
    WAIT,
    Sums,
    Tally,
    add_jobs,
    hit_fracs,
    jobs_of,
    leaf_sums,
    means,
    new_tally,
    part,
    tier_sums,
    told_ends,
    told_figure,
)
from eureka_park.twin.core.workload import FIRM, TIER_NAMES, Workload

Floats = npt.NDArray[np.float64]
Shares = Sequence[tuple[str, float, float]]

FIGURES: Final = (("wait_s", WAIT), ("turnaround_s", TURNAROUND), ("bounded_slowdown", SLOWDOWN))


@dataclass(frozen=True, slots=True, eq=False)
class Park:
    """What figures need of the park beside its jobs: how many GPUs and CPUs it has, its sky and meter, what each job
    draws without a cap (kW), and whether it is known how jobs end.
    """

    n_gpus: float = 0.0
    n_cpus: float = 0.0
    sky: SkySeries | None = None
    meter: Meter = PLAIN_METER
    job_kw: Floats | None = None
    knows_ends: bool = True

    def n_units(self, work: Workload) -> float:
        """What the park has of what jobs hold; see `units`."""
        return self.n_gpus if (work.gpus > 0).any() else self.n_cpus


def report(work: Workload, played: Played, shares: Shares, park: Park | None = None) -> dict[str, Any]:
    """All figures of a run. Times in s; `_by_gpu_h` counts jobs by their GPU hours. None: it was not counted."""
    park = park or Park()
    weight, held = leaf_weights(work.leaves, shares), units(work)
    jobs = jobs_of(work, played, ends_alone(work, weight, park), _kw(work, park))
    tally, hours = new_tally(len(work.leaves)), new_hours(played.until_s, len(work.leaves))
    add_jobs(tally, jobs, played.until_s)
    add_all_hours(hours, jobs, held, played.until_s)
    asked, done = float((held * work.run_s).sum()), float((held * played.done_s).sum())
    return {
        **told_figures(
            work.leaves, tally, served_by_window(hours, weight), played, park, knows_alone=park.n_units(work) > 0.0
        ),
        "done_frac": done / max(1e-300, asked),
    }


def streamed_report(
    leaves: Sequence[str], tally: Tally, hours: Hours, played: Played, shares: Shares, park: Park
) -> dict[str, Any]:
    """As `report`, of jobs that were counted as they went (see `closing`)."""
    served = served_by_window(hours, leaf_weights(leaves, shares))
    found = told_figures(leaves, tally, served, played, park, knows_alone=True, knows_kw=True)
    return {**found, "done_frac": found["gpu_h_done"] / max(1e-300, found["gpu_h"])}


def told_figures(
    leaves: Sequence[str],
    tally: Tally,
    served: Served,
    played: Played,
    park: Park,
    *,
    knows_alone: bool,
    knows_kw: bool = False,
) -> dict[str, Any]:
    """The figures that a tally tells. `knows_kw`: it knows what each job draws."""
    sums = tier_sums(tally)
    tenants = tenant_figures(leaves, played, tally, served, knows_alone=knows_alone)
    knows_kw = knows_kw or park.job_kw is not None
    return {
        "jobs": int(sums["n_jobs"].sum()),
        "jobs_started": int(sums["n_started"].sum()),
        "jobs_finished": int(sums["n_ended"].sum()),
        **(told_ends(tally) if park.knows_ends else dict.fromkeys(("jobs_ended", "gpu_h_ended", "gpu_h_failed_frac"))),
        **_by_tier(tally, sums),
        "n_pauses": int(sums["n_pauses"].sum()),
        # what the loop counted; of a policy that knows no tiers, the pauses of jobs that were sent as firm
        "firm_disturbed": max(int(played.firm_disturbed), int(sums["n_pauses"][FIRM])),
        **energy_figures(played, park.sky, park.meter, float(sums["done_gpu_s"].sum()) / 3600.0),
        "unserved_mwh": _mwh(float(sums["unserved_kwh"].sum()), park) if knows_kw else None,
        **_use(played, sums, park),
        **told_fairness(served),
        "rho_max": _most(tenants, "rho"),
        "rho_max_by_gpu_h": _most(tenants, "rho_by_gpu_h"),
        **_promises(played.totals),
        **{name: float(value) for name, value in played.totals.items()},
        "tiers": {
            name: {**_group(sums, tier, played, park if knows_kw else None), "it_kwh": _of(played.tier_kwh, tier)}
            for tier, name in enumerate(TIER_NAMES)
        },
        "tenants": tenants,
        "digest": played.digest,
    }


# Parts of a report ----------------------------------------------------------------------------------------------------


def _by_tier(tally: Tally, sums: Sums) -> dict[str, Any]:
    """Waits, turnarounds, slowdowns and deadlines of each tier, by jobs and by GPU hours."""
    found: dict[str, Any] = {}
    for suffix, by in (("", BY_JOB), ("_by_gpu_h", BY_GPU_H)):
        for name, figure in FIGURES:
            told = {one: told_figure(tally, sums, tier, figure, by) for tier, one in enumerate(TIER_NAMES)}
            found[name + suffix] = told
        hits = hit_fracs(sums, by)
        found[f"deadline_hit_frac{suffix}"] = {one: float(hits[tier]) for tier, one in enumerate(TIER_NAMES)}
    found["gpu_h_finished_frac"] = float(part(sums["due_ended_weight"].sum(), sums["due_weight"].sum()))
    return found


def _use(played: Played, sums: Sums, park: Park) -> dict[str, Any]:
    """How much of the park was held, and what became of it."""
    asked, done, held, lost = (float(sums[f"{name}gpu_s"].sum()) for name in ("", "done_", "held_", "lost_"))
    is_counted = played.counted is not None and held > 0.0
    installed = park.n_gpus * played.until_s
    return {
        "gpu_h": asked / 3600.0,
        "gpu_h_done": done / 3600.0,
        "utilisation_frac": held / installed if is_counted and installed > 0.0 else None,
        "goodput_frac": done / held if is_counted else None,
        "checkpoint_loss_frac": lost / held if is_counted else None,
    }


def _group(sums: Sums, group: int, played: Played, park: Park | None = None) -> dict[str, Any]:
    """What a tier or a tenant asked for and got."""
    one = {name: float(values[group]) for name, values in sums.items()}
    is_counted = played.counted is not None and one["held_gpu_s"] > 0.0
    found = {
        "jobs": int(one["n_jobs"]),
        "jobs_started": int(one["n_started"]),
        "jobs_finished": int(one["n_ended"]),
        "n_pauses": int(one["n_pauses"]),
        "gpu_h": one["gpu_s"] / 3600.0,
        "gpu_h_done": one["done_gpu_s"] / 3600.0,
        "goodput_frac": one["done_gpu_s"] / one["held_gpu_s"] if is_counted else None,
        "checkpoint_loss_frac": one["lost_gpu_s"] / one["held_gpu_s"] if is_counted else None,
        "gpu_h_finished_frac": one["due_ended_weight"] / one["due_weight"] if one["due_weight"] > 0.0 else 1.0,
    }
    if park is not None:
        found["unserved_mwh"] = _mwh(one["unserved_kwh"], park)
    return found


def tenant_figures(
    leaves: Sequence[str], played: Played, tally: Tally, served: Served, *, knows_alone: bool = True
) -> dict[str, dict[str, Any]]:
    """Figures of each leaf that sent jobs. `served_frac` is its service over its entitlement in the whole run."""
    due, got, sums = served.due.sum(axis=0), served.got.sum(axis=0), leaf_sums(tally)
    by = {suffix: {name: means(sums, figure, at) for name, figure in FIGURES}
          for suffix, at in (("", BY_JOB), ("_by_gpu_h", BY_GPU_H))}  # fmt: skip
    hits = {"": hit_fracs(sums), "_by_gpu_h": hit_fracs(sums, BY_GPU_H)}
    found: dict[str, dict[str, Any]] = {}
    for leaf in np.flatnonzero(sums["n_jobs"]).tolist():
        quantiles = {name: quantile(tally.by_leaf[leaf], level) for name, level in QUANTILES}
        found[leaves[leaf]] = {
            **_group(sums, leaf, played),
            "wait_s": {"mean": float(by[""]["wait_s"][leaf]), **quantiles},
            **{f"{name}_mean": float(by[""][name][leaf]) for name, _figure in FIGURES[1:]},
            **{f"{name}_mean_by_gpu_h": float(by["_by_gpu_h"][name][leaf]) for name, _figure in FIGURES},
            **{f"deadline_hit_frac{suffix}": float(values[leaf]) for suffix, values in hits.items()},
            "served_frac": float(got[leaf] / due[leaf]) if due[leaf] > 0.0 else None,
            "rho": _rho(sums, leaf, "") if knows_alone else None,
            "rho_by_gpu_h": _rho(sums, leaf, "_weighed") if knows_alone else None,
            "it_kwh": _of(played.leaf_kwh, leaf),
        }
    return found


def _of(values: Floats, group: int) -> float | None:
    """A group's part of what was counted; None where it was not."""
    return float(values[group]) if len(values) else None


def _rho(sums: Sums, leaf: int, suffix: str) -> float | None:
    """Time in the park over time alone, of all jobs of a tenant."""
    alone_s = float(sums[f"alone_s{suffix}"][leaf])
    return float(sums[f"shared_s{suffix}"][leaf]) / alone_s if alone_s > 0.0 else None


def _most(tenants: Mapping[str, Mapping[str, Any]], name: str) -> float | None:
    return max((one[name] for one in tenants.values() if one[name] is not None), default=None)


def _promises(totals: Mapping[str, float]) -> dict[str, Any]:
    """Share of promised starts that were kept; 1 where none was given."""
    n_promised, n_broken = (totals.get(name) for name in ("n_promised", "n_broken"))
    if n_promised is None or n_broken is None:
        return {"promises_kept_frac": None}
    return {"promises_kept_frac": 1.0 - n_broken / n_promised if n_promised > 0.0 else 1.0}


def _mwh(it_kwh: float, park: Park) -> float:
    """Energy of machines, at the site meter."""
    return it_kwh * park.meter.per_it / 1000.0


# What jobs hold and are entitled to -----------------------------------------------------------------------------------


def units(work: Workload) -> Floats:
    """What a job holds while it runs: GPUs, or CPUs where nobody asks for a GPU."""
    has_gpus = bool((work.gpus > 0).any())
    return np.asarray(work.n_gpus if has_gpus else work.n_nodes * (work.mcpu / 1000.0), dtype=np.float64)


def ends_alone(work: Workload, weight: Floats, park: Park) -> Floats:
    """When each job had ended on machines of its tenant's own, as large as its part of the park; inf: not known."""
    n_units, ends_s = park.n_units(work), np.full(work.n_jobs, np.inf)
    if n_units > 0.0:
        held = np.ceil(units(work) - 1e-9).astype(np.int64)
        all_ends_alone(new_alone(weight, n_units), work.leaf, work.submit_s, work.run_s, held, ends_s)
    return ends_s


def leaf_weights(leaves: Sequence[str], shares: Shares) -> Floats:
    """Each leaf's part of the whole, by the weights from it up to the root; a path that is not listed weighs 1."""
    listed = {path: weight for path, weight, _floor in shares}
    parts_of = [tuple(path.split("/")) for path in leaves]
    nodes = {part[:n] for part in parts_of for n in range(1, len(part) + 1)}
    weight = {node: listed.get("/".join(node), 1.0) for node in nodes}
    sums: dict[tuple[str, ...], float] = {}
    for node in sorted(nodes):
        sums[node[:-1]] = sums.get(node[:-1], 0.0) + weight[node]
    whole = [[weight[part[:n]] / sums[part[: n - 1]] for n in range(1, len(part) + 1)] for part in parts_of]
    return np.array([float(np.prod(one)) for one in whole])


def _kw(work: Workload, park: Park) -> Floats:
    return park.job_kw if park.job_kw is not None else np.zeros(work.n_jobs)


# Exact figures of a few jobs ------------------------------------------------------------------------------------------


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
    """Mean and exact quantiles of waits; `weights` (GPU seconds) let large work count for what it is. s."""
    if weights is None:
        weights = np.ones(len(wait_s))
    total = float(weights.sum())
    mean = float((wait_s * weights).sum()) / total if total > 0.0 else 0.0
    return {"mean": mean, **{name: weighted_quantile(wait_s, weights, level) for name, level in QUANTILES}}


def waited_s(work: Workload, first_start_s: Floats, until_s: float) -> Floats:
    """From the submission to the first start, or to `until_s` where there is none by then (nan or later); s."""
    started_s = np.where(np.isfinite(first_start_s), first_start_s, until_s)
    return np.asarray(np.maximum(0.0, np.minimum(started_s, until_s) - work.submit_s))


def flattened(report: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A report as rows of dotted names."""
    rows: dict[str, Any] = {}
    for name, value in report.items():
        rows |= flattened(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return rows
