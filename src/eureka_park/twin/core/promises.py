"""What a job asks of nodes, is promised and draws: rules by which a seed fills what nobody wrote down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import HOUR_S
from eureka_park.twin.core.mix import Mix
from eureka_park.twin.core.workload import BATCH, FIRM, FLEX, SERVICE, Flags, Floats, Longs, NodeShape

QUARTER_S: Final = 900.0
SLICES: Final = 8  # into which a node without GPUs is thought divided


def chosen(weights: Sequence[float] | Floats, uniform: Floats) -> Longs:
    """Indices drawn with the given weights, one for each uniform number."""
    until = np.cumsum(np.asarray(weights, dtype=np.float64))
    return np.searchsorted(until / until[-1], uniform, side="right").clip(0, len(until) - 1)


def largest(shapes: Sequence[NodeShape]) -> NodeShape:
    """The class with most GPUs (most nodes, where there are none): generated jobs fit on it."""
    return max(shapes, key=lambda one: one.n_nodes * (one.gpus * SLICES or 1))


def whole_nodes(gpus: Longs, shapes: Sequence[NodeShape]) -> Longs:
    """Sizes above a node's, rounded up to whole nodes."""
    per_node = largest(shapes).gpus or SLICES
    return np.where(gpus > per_node, -(-gpus // per_node) * per_node, gpus)


def asked(shapes: Sequence[NodeShape], mix: Mix, gpus: Longs, uniform: Floats) -> dict[str, Any]:
    """Nodes, and what is asked of each: up to a node's GPUs a fraction of a node, above it whole nodes."""
    shape = largest(shapes)
    per_node = shape.gpus or SLICES
    n_nodes = np.minimum(-(-gpus // per_node), shape.n_nodes)
    is_gang = n_nodes > 1
    each = np.where(is_gang, per_node, gpus)
    low, high = mix.cores_frac
    part = np.where(is_gang, 1.0, each / per_node * (low + (high - low) * uniform))
    whole_cpu = 1000 if shape.mcpu >= 1000 * per_node else 1
    mcpu = np.maximum(whole_cpu, (shape.mcpu * part).astype(np.int64) // whole_cpu * whole_cpu)
    mem_mib = np.maximum(1, (shape.mem_mib * part).astype(np.int64))
    return {"n_nodes": n_nodes, "gpus": each if shape.gpus else 0 * each, "mcpu": mcpu, "mem_mib": mem_mib}


def promises(mix: Mix, columns: Mapping[str, Any], sweep: Longs, n_sweeps: int, tree: SeedTree) -> dict[str, Any]:
    """Tiers, checkpoints, elasticity, priorities, declared times, deadlines and dependencies."""
    draw, n_jobs = tree.generator(), len(sweep)
    run_s, job_class, leaf = columns["run_s"], columns["job_class"], columns["leaf"]
    tier = chosen(mix.tier_frac, draw.random(n_sweeps))[sweep]
    tier = np.where(job_class == SERVICE, FIRM, tier)
    checkpoint = (draw.random(n_sweeps)[sweep] < mix.checkpoint_frac) & (job_class == BATCH)
    is_elastic = checkpoint & (draw.random(n_sweeps)[sweep] < mix.elastic_frac) & (columns["n_nodes"] > 1)
    time_s = declared_s(run_s, mix, draw.random(n_jobs))
    return {
        "tier": tier,
        "checkpoint": checkpoint,
        "n_nodes_min": np.where(is_elastic, (columns["n_nodes"] + 1) // 2, 0),
        "priority": chosen(mix.priority_frac, draw.random(n_sweeps))[sweep],
        "time_s": time_s,
        "deadline_s": deadlines_s(columns["submit_s"], time_s, tier, mix, draw.random((3, n_jobs))),
        "after": _after(leaf, draw.random(n_jobs) < mix.after_frac),
    }


def declared_s(run_s: Floats, mix: Mix, uniform: Floats) -> Floats:
    """Declared times: the run time times 1 to `declared_max`, rounded up to the quarter of an hour."""
    return np.asarray(np.ceil(run_s * (1.0 + (mix.declared_max - 1.0) * uniform) / QUARTER_S) * QUARTER_S)


def deadlines_s(submit_s: Floats, time_s: Floats, tier: Longs, mix: Mix, uniform: Floats) -> Floats:
    """Deadlines of flex jobs: submission, one to two declared times and 2 to 24 h; inf where there is none."""
    one, two, three = uniform
    due_s = submit_s + time_s * (1.0 + two) + HOUR_S * (2.0 + 22.0 * three)
    return np.where((tier == FLEX) & (one < mix.deadline_frac), np.round(due_s, 3), np.inf)


def slack_deadlines_s(submit_s: Floats, time_s: Floats, tier: Longs, mix: Mix, tree: SeedTree) -> Floats:
    """Deadlines of flex jobs as in streamed workloads: submission, declared time, log-normal slack; inf for others."""
    draw, n_jobs = tree.generator(), len(submit_s)
    has_one = (tier == FLEX) & (draw.random(n_jobs) < mix.deadline_frac)
    slack_s = mix.slack_median_s * np.exp(mix.slack_sigma * draw.standard_normal(n_jobs))
    return np.where(has_one, np.round(submit_s + time_s + slack_s, 3), np.inf)


def _after(leaf: Longs, is_chained: Flags) -> Longs:
    """The job before it of the same tenant, for jobs that are chained; -1 for others."""
    order = np.argsort(leaf, kind="stable")
    before = np.full(len(leaf), -1, dtype=np.int64)
    same = leaf[order[1:]] == leaf[order[:-1]]
    before[order[1:]] = np.where(same, order[:-1], -1)
    return np.where(is_chained, before, -1)


def powers(mix: Mix, leaf: Longs, sweep: Longs, n_sweeps: int, n_leaves: int, tree: SeedTree) -> dict[str, Any]:
    """Images of a tenant, and a power that is much the image's own."""
    draw, n_images = tree.generator(), mix.images_per_leaf * n_leaves
    is_low, place = draw.random(n_images) < 0.5, draw.random(n_images)
    low, high = mix.low_power, mix.high_power
    usual = np.where(is_low, low[0] + (low[1] - low[0]) * place, high[0] + (high[1] - high[0]) * place)
    which = (draw.random(n_sweeps) * mix.images_per_leaf).astype(np.int64)
    image = leaf * mix.images_per_leaf + which[sweep]
    power = usual[image] + 0.03 * draw.standard_normal(len(leaf))
    return {"image": image, "power_frac": np.clip(power, 0.1, 1.0)}
