"""Scenes by chance in which elastic gangs shrink and grow."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.helpers.plain_park import INF
from tests.helpers.plain_world import HOUR_S, Scene, random_plans, random_scene


def elastic_scene(seed: int, hours: int = 12, step_s: float = 300.0) -> Scene:
    """A few elastic gangs on a park that can take nodes from them and cannot cap: they shrink and grow with the sky."""
    rng, scene = random.Random(seed), random_scene(seed, 10, hours, step_s)
    rules = replace(
        scene.rules, can_resize=True, can_cap=False, min_run_s=rng.choice((0.0, 300.0, 900.0)), pause_gap_s=600.0
    )
    classes = [replace(row, n_nodes=row.n_nodes + 3) for row in scene.classes]
    jobs = []
    for job in scene.jobs:
        n_nodes, time_s = rng.randint(3, 4), rng.uniform(1.0, 5.0) * HOUR_S
        gang = replace(
            job, n_nodes=n_nodes, n_nodes_min=rng.randint(1, 2), gpus=8, classes=rng.choice(((0,), (1,), (0, 1))),
            checkpoint=True, gpu_milli=1000, time_s=time_s, true_s=time_s * rng.uniform(0.7, 1.1), deadline_s=INF,
        )  # fmt: skip
        jobs.append(gang if rng.random() < 0.8 else job)
    total_kw = sum(row.n_nodes * row.rated_kw for row in classes)
    plans = random_plans(rng, hours + 1, total_kw, 0.1)
    return replace(scene, rules=rules, classes=classes, jobs=jobs, changes=scene.changes[:4], plans=plans)
