"""A small, full park in which most jobs ask for a part of one GPU, some for whole ones, a few are gangs."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.helpers.plain_park import PlainClass
from tests.helpers.plain_world import JobRow, Scene, random_jobs, random_scene

PARTS = (200, 320, 470, 630, 810)


def shared_scene(seed: int, n_jobs: int = 120) -> Scene:
    """Machines of four GPUs, too few of them, and parts of all sizes; else as `random_scene`."""
    rng = random.Random(f"shared {seed}")
    scene = random_scene(seed, 1, hours=8, step_s=300.0)
    scene.classes = [_smaller(rng, row) for row in scene.classes]
    jobs = random_jobs(rng, n_jobs, 8, scene.classes, scene.shares)
    scene.jobs = [_part_of(rng, job) for job in jobs]
    nodes = sum(row.n_nodes for row in scene.classes)
    scene.changes = [change for change in scene.changes if change.node < nodes]
    return scene


def _smaller(rng: random.Random, row: PlainClass) -> PlainClass:
    return replace(row, n_gpus=4, n_nodes=rng.randint(1, 3)) if row.n_gpus else row


def _part_of(rng: random.Random, job: JobRow) -> JobRow:
    """Of jobs with GPUs two in three ask for a part of one; gangs take nodes of four."""
    if job.gpus == 0:
        return job
    if job.n_nodes > 1 and rng.random() < 0.3:
        return replace(job, gpus=4, gpu_milli=1000)
    milli = rng.choice((*PARTS, *PARTS, rng.randint(1, 999), 1000, 1000, 1000))
    asks = {"mcpu": rng.choice((500, 4000)), "mem_mib": rng.choice((10, 2048)), "gpu_milli": milli}
    gpus = 1 if milli < 1000 else min(4, job.gpus)
    return replace(job, n_nodes=1, n_nodes_min=0, gpus=gpus, **asks)
