"""The policy's kernels do what the rules say: compared, turn by turn, with a reference in plain Python."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.helpers.check_board import check_board
from tests.helpers.elastic_scene import elastic_scene
from tests.helpers.plain_park import FIRM, FLEX, GREEN
from tests.helpers.plain_sides import KernelSide, PlainSide
from tests.helpers.plain_world import T0_S, World, big_scene, random_scene
from tests.helpers.shared_scene import shared_scene

SLOW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(seed=st.integers(0, 1_000_000), n_jobs=st.integers(5, 60))
def test_every_action_is_that_of_the_rules(seed: int, n_jobs: int) -> None:
    scene = random_scene(seed, n_jobs)
    world = World(scene, [PlainSide(scene), KernelSide(scene)])
    world.play()  # raises where the two differ
    assert world.n_told == n_jobs


def test_gangs_shrink_and_grow_as_the_rules_say() -> None:
    n_shrunk, grown_of = 0, dict.fromkeys((FIRM, FLEX, GREEN), 0)
    for seed in (2, 7, 8, 10):
        scene = elastic_scene(seed)
        side = KernelSide(scene)
        world = World(scene, [PlainSide(scene), side])
        for _ in range(scene.n_steps):
            held, now_s = {order: len(job.nodes) for order, job in world.jobs.items()}, world.now_s
            for action in world.step():  # raises where the two differ
                if action.what == "resize" and len(action.nodes) > held[action.order]:
                    grown_of[world.jobs[action.order].row.tier] += 1
                n_shrunk += action.what == "resize" and len(action.nodes) < held[action.order]
            check_board(side.board, now_s)
    assert n_shrunk >= 3 and min(grown_of[FLEX], grown_of[GREEN]) >= 2, f"too little happens: {n_shrunk}, {grown_of}"
    assert grown_of[FIRM] == 0


@SLOW
@given(seed=st.integers(0, 1_000_000))
def test_every_action_on_elastic_gangs_is_that_of_the_rules(seed: int) -> None:
    scene = elastic_scene(seed)
    World(scene, [PlainSide(scene), KernelSide(scene)]).play()


@SLOW
@given(seed=st.integers(0, 1_000_000))
def test_every_action_on_shared_gpus_is_that_of_the_rules(seed: int) -> None:
    scene = shared_scene(seed)
    World(scene, [PlainSide(scene), KernelSide(scene)]).play()


def test_reasons_change_no_action() -> None:
    for seed in range(3):
        scene = random_scene(seed, 50)
        World(scene, [KernelSide(scene, explain=True), KernelSide(scene, explain=False)]).play()


def test_the_board_agrees_with_itself_all_the_way() -> None:
    for scene in (random_scene(11, 50, hours=8, step_s=300.0), shared_scene(12), shared_scene(13)):
        side = KernelSide(scene, n_slots=8)  # it grows on the way
        world = World(scene, [side])
        for _ in range(scene.n_steps):
            now_s = world.now_s
            world.step()
            check_board(side.board, now_s)


@pytest.mark.timeout(900)
def test_each_of_20_000_jobs_starts_pauses_and_ends_as_the_rules_say() -> None:
    scene = big_scene(1)
    plain, kernels = PlainSide(scene), KernelSide(scene, n_slots=1024)
    world = World(scene, [plain, kernels])
    world.play()  # raises where an action differs: who, what, when, on which nodes and GPUs, under which cap
    jobs = world.jobs.values()
    assert len(jobs) == 20_000
    # Everything was on: else this compares less than it says.
    assert sum(len(job.starts) for job in jobs) > 10_000
    assert sum(len(job.pauses) for job in jobs) > 100
    assert sum(len(job.caps) for job in jobs) > 100
    assert any(len(job.starts) > 2 for job in jobs)
    assert max(job.ended_s or 0.0 for job in jobs) > T0_S + 86_400.0
    check_board(kernels.board, world.now_s - scene.step_s)
