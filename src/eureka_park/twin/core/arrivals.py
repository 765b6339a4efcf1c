"""A seeded workload: when jobs come, from whom, how large they are and how long they run.

Arrivals are a weekly profile (Helios Venus) times a burst factor whose logarithm is AR(1), and tenants submit sweeps of
geometric length. Given their number, they are spread over the hours as a Poisson process of that rate would be. Sizes
and run times follow `mix`. What is offered is brought to `load_frac` of the site's GPU hours: run times are stretched
at most fourfold either way, then sizes are doubled or halved.

GPUs draw 0.46 of their rated dynamic power on average. With three quarters of a fleet allocated and idle GPUs at 15 %
of their rating that is 44 % of the rating, inside the 42 to 48 % measured in two clusters (Acme, 2023).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.twin.core.mix import Mix
from eureka_park.twin.core.promises import SLICES, asked, chosen, largest, powers, promises, whole_nodes
from eureka_park.twin.core.workload import BATCH, INTERACTIVE, SERVICE, Floats, Longs, NodeShape, Workload, workload_of

WEEK_H: Final = 168
STRETCH_MAX: Final = 4.0
JOBS_MAX: Final = 200_000_000
N_TENANTS: Final = 100


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What a workload is made from. `load_frac` is offered GPU work over the site's; None: run times stay Philly's.

    `first_hour_of_week` is the local hour of the week (0: Monday 00:00) at the start.
    """

    n_jobs: int
    days: float
    leaves: tuple[str, ...]
    shapes: tuple[NodeShape, ...]
    load_frac: float | None = 0.7
    first_hour_of_week: int = 0
    mix: Mix = field(default_factory=Mix)


def tenant_paths(n_tenants: int = N_TENANTS) -> tuple[str, ...]:
    """Paths of made-up tenants: organisations of five projects each; no two projects have one name."""
    return tuple(f"org-{index // 5 + 1:02}/project-{index + 1:03}" for index in range(n_tenants))


def make_workload(what: Arrivals, tree: SeedTree, *, stream: bool = False) -> Workload:
    """The workload of a seed: exactly `n_jobs` jobs within `days`. Raises BadInput.

    `stream`: gathered from `twin.core.stream`, which draws other jobs of the same mix in a quarter to half of the time.
    """
    if stream:
        from eureka_park.twin.core.stream import streamed_workload

        return streamed_workload(what, tree)
    check(what)
    mix = what.mix
    sweep, at_s = _arrive(what, tree)
    n_sweeps, draw = int(sweep.max()) + 1, tree.child("jobs").generator()
    columns: dict[str, Any] = {"submit_s": at_s}
    columns["leaf"] = _tenants(what, draw.random(n_sweeps))[sweep]
    gpus, run_s = _sizes(what, sweep, n_sweeps, tree.child("sizes"))
    job_class = _classes(mix, gpus, draw.random(n_sweeps)[sweep])
    short = job_class == INTERACTIVE
    run_s, gpus = _scaled(what, gpus, np.where(short, np.minimum(run_s, mix.interactive_s_max), run_s))
    columns |= {"job_class": job_class, "run_s": run_s}
    columns |= asked(what.shapes, mix, gpus, draw.random(n_sweeps)[sweep])
    columns |= promises(mix, columns, sweep, n_sweeps, tree.child("promises"))
    columns |= powers(mix, columns["leaf"], sweep, n_sweeps, len(what.leaves), tree.child("power"))
    return workload_of(what.leaves, columns)


def check(what: Arrivals) -> None:
    """Raise BadInput for a request that no workload can meet."""
    for name, is_right, told in (
        ("jobs", 1 <= what.n_jobs <= JOBS_MAX, f"jobs = {what.n_jobs} is outside 1 to {JOBS_MAX:,}"),
        ("days", 0.0 < what.days <= 3660.0, f"days = {what.days:g} is outside 0 to 3,660"),
        ("load_frac", what.load_frac is None or 0.0 < what.load_frac <= 10.0, "load_frac is outside 0 to 10"),
        ("shares", bool(what.leaves), "there are no tenants"),
        ("nodes", bool(what.shapes), "the site has no nodes"),
    ):
        if not is_right:
            raise BadInput(f"{told[0].upper()}{told[1:]}.", fix="Give another number.", field=name)


# Arrivals ---------------------------------------------------------------------------------------


def hourly_rates(what: Arrivals, tree: SeedTree) -> Floats:
    """Relative rate of each hour of the run: weekly profile times burst factor.

    With a tilt t, the logarithm of the factor spreads as the hour's usual rate to the power -t: quiet hours burst more.
    """
    mix, n_hours = what.mix, int(np.ceil(what.days * 24 - 1e-9))
    week = (np.array(mix.days)[:, None] * np.array(mix.hours)[None, :]).reshape(WEEK_H)
    hours = (what.first_hour_of_week + np.arange(n_hours)) % WEEK_H
    burst = burst_factor(n_hours, mix.burst_cv, mix.burst_lag1, tree)
    if mix.burst_tilt > 0.0:
        wider, half = (week / week.mean())[hours] ** -mix.burst_tilt, np.log1p(mix.burst_cv**2) / 2.0
        burst = np.exp(wider * (np.log(burst) + half) - wider**2 * half)
    return np.asarray(week[hours] * burst)


def burst_factor(n_hours: int, cv: float, lag1: float, tree: SeedTree) -> Floats:
    """A positive series of mean 1 whose logarithm is AR(1), with this coefficient of variation and lag-1 correlation.

    For a log-normal of variance v of the logarithm, CV^2 = e^v - 1 and the correlation is (e^(v r) - 1) / (e^v - 1).
    """
    variance = float(np.log1p(cv**2))
    if variance <= 0.0:
        return np.ones(n_hours)
    memory = float(np.log1p(lag1 * np.expm1(variance)) / variance)
    white = tree.child("burst").generator().standard_normal(n_hours)
    scores, fresh, last = np.empty(n_hours), float(np.sqrt(1.0 - memory**2)), 0.0
    for hour in range(n_hours):
        last = float(white[hour]) if hour == 0 else memory * last + fresh * float(white[hour])
        scores[hour] = last
    return np.asarray(np.exp(np.sqrt(variance) * scores - variance / 2.0))


def _arrive(what: Arrivals, tree: SeedTree) -> tuple[Longs, Floats]:
    """For each job, in the order of time, its sweep and its instant."""
    draw, mix = tree.child("arrivals").generator(), what.mix
    lengths = _lengths(what.n_jobs, mix.sweep_jobs, tree.child("sweeps"))
    until = np.concatenate([[0.0], np.cumsum(hourly_rates(what, tree))])
    marks_s = np.minimum(np.arange(len(until)) * float(HOUR_S), what.days * DAY_S)
    begins_s = np.sort(np.interp(draw.random(len(lengths)) * until[-1], until, marks_s))
    sweep = np.repeat(np.arange(len(lengths)), lengths)
    firsts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    place = np.arange(what.n_jobs) - firsts[sweep]
    at_s = begins_s[sweep] + place * mix.sweep_gap_s
    at_s = np.round(np.minimum(at_s, what.days * DAY_S), 3)
    order = np.argsort(at_s, kind="stable")
    return sweep[order], at_s[order]


def _lengths(n_jobs: int, mean: float, tree: SeedTree) -> Longs:
    """Lengths of sweeps that hold exactly `n_jobs` jobs."""
    draw = tree.generator()
    found = draw.geometric(1.0 / mean, int(n_jobs / mean * 1.05) + 100)
    while found.sum() < n_jobs:
        found = np.concatenate([found, draw.geometric(1.0 / mean, len(found))])
    ends = np.cumsum(found)
    n_sweeps = int(np.searchsorted(ends, n_jobs)) + 1
    found = found[:n_sweeps]
    found[-1] -= ends[n_sweeps - 1] - n_jobs
    return found


def _tenants(what: Arrivals, uniform: Floats) -> Longs:
    weights = np.arange(1, len(what.leaves) + 1, dtype=np.float64) ** -what.mix.tenant_power
    return chosen(weights, uniform)


# Sizes and run times ----------------------------------------------------------------------------


def _sizes(what: Arrivals, sweep: Longs, n_sweeps: int, tree: SeedTree) -> tuple[Longs, Floats]:
    """GPUs in all and the unscaled run time of each job; a sweep has one size and run times that are alike."""
    bins, alike, draw = what.mix.bins, what.mix.alike_sigma, tree.generator()
    which = chosen([one.jobs_frac for one in bins], draw.random(n_sweeps))
    size = np.ones(n_sweeps, dtype=np.int64)
    uniform = draw.random(n_sweeps)
    for index, one in enumerate(bins):
        if len(one.gpus) > 1 or one.gpus[0] != 1:
            at = which == index
            size[at] = np.array(one.gpus)[chosen(one.weights, uniform[at])]
    medians = np.log([one.median_s for one in bins])
    between = np.sqrt([max(0.0, one.sigma**2 - alike**2) for one in bins])
    middle = medians[which] + between[which] * draw.standard_normal(n_sweeps)
    return size[sweep], np.exp(middle[sweep] + alike * draw.standard_normal(len(sweep)))


def _classes(mix: Mix, gpus: Longs, uniform: Floats) -> Longs:
    """Interactive work and services are small."""
    small = gpus <= 2
    classes = np.where(small & (uniform < mix.interactive_frac), INTERACTIVE, BATCH)
    return np.where(small & (uniform >= 1.0 - mix.service_frac), SERVICE, classes)


def _scaled(what: Arrivals, gpus: Longs, run_s: Floats) -> tuple[Floats, Longs]:
    """Run times, then sizes, such that the offered work is `load_frac` of the site's; bounded by site and horizon."""
    mix = what.mix
    most_s = min(mix.run_s_max, max(DAY_S / 2, what.days * DAY_S / 2))
    shape = largest(what.shapes)
    units = most_gpus = shape.n_nodes * (shape.gpus or SLICES)
    gpus = whole_nodes(np.minimum(gpus, most_gpus), what.shapes)
    if what.load_frac is None:
        return np.clip(run_s, mix.run_s_min, most_s), gpus
    wanted = what.load_frac * units * what.days * DAY_S
    doubled = np.log2(wanted / float((gpus * np.clip(run_s, mix.run_s_min, most_s)).sum()))
    times = int(np.trunc(doubled / np.log2(STRETCH_MAX))) * int(np.log2(STRETCH_MAX))
    gpus = whole_nodes(np.clip(np.ceil(gpus * 2.0**times), 1, most_gpus).astype(np.int64), what.shapes)
    return _stretched(gpus, run_s, wanted, mix.run_s_min, most_s), gpus


def _stretched(gpus: Longs, run_s: Floats, wanted: float, least_s: float, most_s: float) -> Floats:
    """Run times times one factor, within bounds, whose GPU seconds sum to `wanted` as far as the bounds let them."""
    found, factor = np.clip(run_s, least_s, most_s), 1.0
    for _ in range(8):
        free = float((gpus * found * (found < most_s)).sum())
        bound = float((gpus * found).sum()) - free
        if free <= 0.0 or abs(free + bound - wanted) < 1e-3 * wanted:
            break
        factor = min(STRETCH_MAX * 4, factor * max(0.05, (wanted - bound) / free))
        found = np.clip(run_s * factor, least_s, most_s)
    return np.round(found, 3)
