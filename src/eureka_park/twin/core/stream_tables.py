"""The tables from which streamed jobs are drawn: kinds of jobs, run times over scores, tenants, images, hours.

Run times keep the published quantiles of all jobs: one-GPU jobs take what the bins of larger jobs leave of them, piece
by piece log-normal between the quantiles. What is offered is an expectation over these tables, and so is the load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.twin.core.arrivals import STRETCH_MAX, Arrivals, hourly_rates
from eureka_park.twin.core.chance import alias_table, below, grid, over_scores
from eureka_park.twin.core.mix import Mix, SizeBin
from eureka_park.twin.core.promises import SLICES, largest, whole_nodes
from eureka_park.twin.core.workload import Floats, Longs

KIND: Final = np.dtype(
    [("n_nodes", "i4"), ("gpus", "i4"), ("gpu_milli", "i4"), ("bin", "i4"), ("n_gpus", "f8"), ("is_gang", "i4"),
     ("cores_low", "f8"), ("cores_span", "f8"), ("interactive", "f8"), ("service", "f8")], align=True
)  # fmt: skip
RULES: Final = np.dtype(
    [("cpus", "f8"), ("cpu_mcpu", "i8"), ("mem_mib", "i8"), ("end_s", "f8"), ("gap_s", "f8"), ("stretch", "f8"),
     ("least_s", "f8"), ("most_s", "f8"), ("interactive_s", "f8"),
     ("firm", "f8"), ("flex", "f8"), ("checkpoint", "f8"), ("elastic", "f8"), ("low_priority", "f8"),
     ("mid_priority", "f8"), ("declared", "f8"), ("due", "f8"), ("after", "f8"), ("own", "f8"), ("shared", "f8"),
     ("n_images", "i8"), ("heavy_gpu_s", "f8"), ("light_done", "f8"), ("light_cancelled", "f8"),
     ("heavy_done", "f8"), ("heavy_cancelled", "f8")], align=True
)  # fmt: skip
HEAVY_FRAC: Final = 0.01  # of jobs, by GPU time: they end otherwise than the rest
Q_MAX: Final = 5.5  # scores at which quantiles are taken to be bounds


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """What draws read and never change; arrays of records as kernels take them. `sweeps` counts begins by hour."""

    rules: Any
    kinds: Any
    kind_odds: Any
    leaf_odds: Any
    run_s: Floats  # by bin and score, before stretching
    slack_s: Floats  # by score
    power: Floats  # by image
    sweeps: Longs
    hour_s: Floats  # length of each hour


def tables_of(what: Arrivals, tree: SeedTree) -> Tables:
    """The tables of a seed. `what` is taken to be checked."""
    mix = what.mix
    run_s, unscaled = run_tables(mix), kinds_of(what)
    kinds, stretch = _loaded(what, unscaled, run_s)
    rules = _rules(what, stretch)
    shares = unscaled.jobs_frac
    _set_endings(rules, mix, shares, kinds, run_s)
    hour_s = np.minimum(float(HOUR_S), what.days * DAY_S - np.arange(np.ceil(what.days * 24 - 1e-9)) * HOUR_S)
    rates = hourly_rates(what, tree) * hour_s
    n_sweeps = min(what.n_jobs, max(1, round(what.n_jobs / mix.sweep_jobs)))
    weights = np.arange(1, len(what.leaves) + 1, dtype=np.float64) ** -mix.tenant_power
    return Tables(
        rules=rules, kinds=kinds, kind_odds=alias_table(shares), leaf_odds=alias_table(weights), run_s=run_s,
        slack_s=over_scores(mix.slack_median_s * np.exp(mix.slack_sigma * grid())),
        power=image_powers(mix, len(what.leaves), tree.child("images")),
        sweeps=tree.child("sweeps").generator().multinomial(n_sweeps, rates / rates.sum()), hour_s=hour_s,
    )  # fmt: skip


# Run times --------------------------------------------------------------------------------------


def run_tables(mix: Mix) -> Floats:
    """Run times of each bin at each score of `grid()`, in seconds."""
    z, rows = grid(), []
    for index, one in enumerate(mix.bins):
        knots = _left_over(mix) if index == 0 and mix.run_quantiles else one.quantiles
        rows.append(_log_s_at(_scores_of(knots, mix), z) if knots else np.log(one.median_s) + one.sigma * z)
    return over_scores(np.exp(np.array(rows)))


def _scores_of(knots: Sequence[tuple[float, float]], mix: Mix) -> tuple[Floats, Floats]:
    """Scores and log run times of quantiles, from the shortest run time on."""
    inverse = NormalDist().inv_cdf
    found = [(-Q_MAX, float(np.log(mix.run_s_min)))]
    for share, at_s in knots:
        if 0.0 < share < 1.0 and inverse(share) > found[-1][0]:
            found.append((inverse(share), float(np.log(at_s))))
    at_z, log_s = np.array(found).T
    return at_z, log_s


def _log_s_at(known: tuple[Floats, Floats], z: Floats) -> Floats:
    """Log run times at scores: linear between those known, and on as between the last two."""
    at_z, log_s = known
    slope = (log_s[-1] - log_s[-2]) / (at_z[-1] - at_z[-2])
    return np.where(z > at_z[-1], log_s[-1] + slope * (z - at_z[-1]), np.interp(z, at_z, log_s))


def _left_over(mix: Mix) -> list[tuple[float, float]]:
    """Quantiles of the first bin: those of all jobs, less what the other bins hold."""
    first, others = mix.bins[0], mix.bins[1:]
    total = sum(one.jobs_frac for one in mix.bins)
    return [
        ((share * total - sum(one.jobs_frac * _below(one, at_s, mix) for one in others)) / first.jobs_frac, at_s)
        for share, at_s in mix.run_quantiles
    ]


def _below(one: SizeBin, at_s: float, mix: Mix) -> float:
    """The share of a bin's jobs that run less long."""
    if not one.quantiles:
        return float(below(np.array([np.log(at_s / one.median_s) / one.sigma]))[0])
    z = grid()
    at_z = np.interp([np.log(at_s)], _log_s_at(_scores_of(one.quantiles, mix), z), z)
    return float(below(at_z)[0])


# Kinds ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """GPU counts of kinds of jobs, as in the mix, with the bin, the share of all jobs and the part of each GPU."""

    gpus: Longs
    gpu_milli: Longs
    bin: Longs
    jobs_frac: Floats


def kinds_of(what: Arrivals) -> Kinds:
    """One kind for each GPU count of a bin, and for each part of a GPU."""
    mix = what.mix
    rows: list[tuple[int, int, int, float]] = []
    has_gpus = largest(what.shapes).gpus > 0
    parts = np.array([weight for _milli, weight in mix.parts])
    for index, one in enumerate(mix.bins):
        for gpus, weight in zip(one.gpus, np.array(one.weights) / sum(one.weights), strict=True):
            part_frac = mix.part_frac if gpus == 1 and has_gpus else 0.0
            rows.append((gpus, 1000, index, one.jobs_frac * weight * (1.0 - part_frac)))
            rows += [
                (gpus, milli, index, one.jobs_frac * weight * part_frac * part)
                for (milli, _weight), part in zip(mix.parts, parts / parts.sum(), strict=True)
                if part_frac > 0.0
            ]
    size, milli, bins, shares = (np.array(column) for column in zip(*rows, strict=True))
    return Kinds(size, milli, bins, shares / shares.sum())


def _kind_rows(what: Arrivals, kinds: Kinds, times: int) -> Any:
    """The kinds as kernels take them, on this site, with sizes multiplied by 2**times."""
    shape = largest(what.shapes)
    per_node = shape.gpus or SLICES
    grown = np.ceil(kinds.gpus * 2.0**times).clip(1, shape.n_nodes * per_node).astype(np.int64)
    in_all = whole_nodes(grown, what.shapes)
    rows = np.zeros(len(in_all), KIND).view(np.recarray)
    rows.n_nodes[:] = np.minimum(-(-in_all // per_node), shape.n_nodes)
    is_gang = rows.n_nodes > 1
    each = np.where(is_gang, per_node, in_all)
    rows.gpus[:] = each if shape.gpus else 0
    rows.gpu_milli[:] = np.where(in_all == 1, kinds.gpu_milli, 1000)
    rows.bin[:], rows.is_gang[:], is_small = kinds.bin, is_gang, kinds.gpus <= 2
    rows.n_gpus[:] = in_all * (rows.gpu_milli / 1000.0)
    low, high = what.mix.cores_frac
    part = each / per_node * rows.gpu_milli / 1000.0
    rows.interactive[:] = np.where(is_small, what.mix.interactive_frac, 0.0)
    rows.service[:] = np.where(is_small, 1.0 - what.mix.service_frac, 1.0)
    rows.cores_low[:] = np.where(is_gang, 1.0, part * low)
    rows.cores_span[:] = np.where(is_gang, 0.0, part * (high - low))
    return rows


# Load -------------------------------------------------------------------------------------------


def most_s_of(what: Arrivals) -> float:
    """The longest run time of a run; s."""
    return min(what.mix.run_s_max, max(DAY_S / 2, what.days * DAY_S / 2))


def _loaded(what: Arrivals, kinds: Kinds, run_s: Floats) -> tuple[Any, float]:
    """Kinds and the factor of run times with which the expected work is `load_frac` of the site's."""
    rows = _kind_rows(what, kinds, 0)
    if what.load_frac is None:
        return rows, 1.0
    shape = largest(what.shapes)
    wanted = what.load_frac * shape.n_nodes * (shape.gpus or SLICES) * what.days * DAY_S / what.n_jobs
    doubled = np.log2(wanted / expected_gpu_s(what, kinds.jobs_frac, rows, run_s, 1.0))
    times = int(np.trunc(doubled / np.log2(STRETCH_MAX))) * int(np.log2(STRETCH_MAX))
    rows = _kind_rows(what, kinds, times)
    return rows, factor_for(wanted, lambda factor: expected_gpu_s(what, kinds.jobs_frac, rows, run_s, factor))


def factor_for(wanted: float, offered: Any, first: float = 1.0) -> float:
    """The factor, from 1/16 to 16 times the first, at which a rising function meets what is wanted, if it does."""
    low, high = first / 16.0, first * 16.0
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if offered(middle) < wanted else (low, middle)
    return float(np.sqrt(low * high))


def score_shares() -> Floats:
    """The share of all at each score of `grid()`."""
    z = grid()
    edges = below(np.concatenate([[-50.0], (z[1:] + z[:-1]) / 2.0, [50.0]]))
    return np.diff(edges)


def expected_gpu_s(what: Arrivals, shares: Floats, rows: Any, run_s: Floats, factor: float) -> float:
    """Mean GPU seconds of a job whose run times are stretched by a factor."""
    mix, weights, most_s = what.mix, score_shares(), most_s_of(what)
    long_s = np.clip(run_s * factor, mix.run_s_min, most_s) @ weights
    short_s = np.clip(np.minimum(run_s, mix.interactive_s_max) * factor, mix.run_s_min, most_s) @ weights
    part = rows.interactive
    mean_s = (1.0 - part) * long_s[rows.bin] + part * short_s[rows.bin]
    return float((shares * rows.n_gpus * mean_s).sum())


def _set_endings(rules: Any, mix: Mix, shares: Floats, rows: Any, run_s: Floats) -> None:
    """Endings of the largest jobs by GPU time and of the others, so that both published shares come about.

    With a share g of GPU time in the heaviest part h of jobs, x of heavy and y of light jobs ending in a way:
    h x + (1 - h) y is its share of jobs, g x + (1 - g) y that of GPU time.
    """
    gpu_s = rows.n_gpus[:, None] * np.clip(run_s * rules.stretch[0], rules.least_s[0], rules.most_s[0])[rows.bin]
    weight = (shares[:, None] * score_shares()[None, :]).ravel()
    order = np.argsort(-gpu_s.ravel(), kind="stable")
    sums, work = np.cumsum(weight[order]), np.cumsum((weight * gpu_s.ravel())[order])
    last = int(np.searchsorted(sums, HEAVY_FRAC))
    heavy, work_frac = float(sums[last]), float(work[last] / work[-1])
    by_jobs, by_work = np.array(mix.ending_jobs), np.array(mix.ending_gpu_h)
    by_jobs, by_work = by_jobs / by_jobs.sum(), by_work / by_work.sum()
    gap = (by_work - by_jobs) / max(1e-9, work_frac - heavy)
    heavy_frac = np.clip(by_jobs + (1.0 - heavy) * gap, 0.0, 1.0)
    light_frac = np.clip(by_jobs - heavy * gap, 0.0, 1.0)
    heavy_until, light_until = np.cumsum(heavy_frac / heavy_frac.sum()), np.cumsum(light_frac / light_frac.sum())
    rules.heavy_gpu_s[0] = gpu_s.ravel()[order[last]]
    rules.light_done[0], rules.light_cancelled[0] = light_until[:2]
    rules.heavy_done[0], rules.heavy_cancelled[0] = heavy_until[:2]


# Other tables -----------------------------------------------------------------------------------


def _rules(what: Arrivals, stretch: float) -> Any:
    mix, shape = what.mix, largest(what.shapes)
    per_node, tiers, ranks = shape.gpus or SLICES, np.cumsum(mix.tier_frac), np.cumsum(mix.priority_frac)
    spread = max(one.sigma for one in mix.bins)
    own, cpu_mcpu = min(1.0, mix.alike_sigma / spread), 1000 if shape.mcpu >= 1000 * per_node else 1
    values = {
        "cpus": shape.mcpu / cpu_mcpu, "cpu_mcpu": cpu_mcpu, "mem_mib": shape.mem_mib,
        "end_s": what.days * DAY_S, "gap_s": mix.sweep_gap_s, "stretch": stretch, "least_s": mix.run_s_min,
        "most_s": most_s_of(what), "interactive_s": mix.interactive_s_max,
        "firm": tiers[0] / tiers[2], "flex": tiers[1] / tiers[2],
        "checkpoint": mix.checkpoint_frac, "elastic": mix.elastic_frac, "low_priority": ranks[0] / ranks[2],
        "mid_priority": ranks[1] / ranks[2], "declared": mix.declared_max - 1.0, "due": mix.deadline_frac,
        "after": mix.after_frac, "own": own, "shared": float(np.sqrt(1.0 - own**2)), "n_images": mix.images_per_leaf,
    }  # fmt: skip
    rules = np.zeros(1, RULES).view(np.recarray)
    for name, value in values.items():
        rules[name][0] = value
    return rules


def image_powers(mix: Mix, n_leaves: int, tree: SeedTree) -> Floats:
    """What images usually draw: as many of each tenant feed their GPUs badly as well, at places spread evenly."""
    draw, n = tree.generator(), mix.images_per_leaf
    turn = draw.random(n_leaves)
    order = draw.permuted(np.tile(np.arange(n), (n_leaves, 1)), axis=1)
    place = ((order + turn[:, None]) / n).ravel()
    (low, low_up), (high, high_up) = mix.low_power, mix.high_power
    badly, well = low + (low_up - low) * 2.0 * place, high + (high_up - high) * (2.0 * place - 1.0)
    return np.ascontiguousarray(np.where(place < 0.5, badly, well))


def stretched(tables: Tables, stretch: float) -> Tables:
    """The same tables with another factor of run times."""
    rules = tables.rules.copy().view(np.recarray)
    rules.heavy_gpu_s[0] *= stretch / float(rules.stretch[0])
    rules.stretch[0] = stretch
    return replace(tables, rules=rules)
