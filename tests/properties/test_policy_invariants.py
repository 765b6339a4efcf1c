"""What must hold whatever comes: played with the kernels in small worlds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest
from tests.helpers.plain_ladder import Action
from tests.helpers.plain_park import (
    BATCH,
    FIRM,
    FLEX,
    GREEN,
    INF,
    SERVICE,
    PlainClass,
    PlainInterval,
    PlainJob,
    PlainRules,
    q,
)
from tests.helpers.plain_policy import Turn
from tests.helpers.plain_rooms import Hold, reserve
from tests.helpers.plain_sides import KernelSide, PlainSide
from tests.helpers.plain_world import HOUR_S, T0_S, JobRow, Scene, World, random_scene
from tests.helpers.shared_scene import shared_scene

CAPS = [(1.0, 1.0, 1.0), (0.625, 0.66, 0.84), (0.5, 0.53, 0.73)]
RULES = PlainRules(
    sky="binding",
    service_reserve_kw=0.0,
    caps=CAPS,
    min_run_s=300.0,
    lead_s=0.0,
    pause_gap_s=1800.0,
    wait_gain_frac=0.1,
    margin_frac=0.05,
    can_cap=True,
    can_freeze=True,
    can_resize=True,
    n_considered_max=4096,
    lookahead=16,
    scan=64,
    half_life_s=604_800.0,
    reserve_depth=64,
    patient_s=172_800.0,
    reclaim_after_s=1800.0,
    reclaim_gap_s=60.0,
)
NODE = PlainClass(64_000, 262_144, 8, 0, q(8.0), q(1.0), q(0.75), q(1.0), 8)
JOB = JobRow(
    submit_s=T0_S,
    leaf=1,
    tier=FLEX,
    job_class=BATCH,
    n_nodes=1,
    n_nodes_min=0,
    gpus=1,
    mcpu=4000,
    mem_mib=8192,
    classes=(0,),
    time_s=3600.0,
    true_s=3600.0,
    deadline_s=INF,
    priority=0,
    checkpoint=True,
    is_first=False,
    declared_kw=0.0,
    power_frac=1.0,
)


def plan_of(clean_kw: list[float], grid_kw: float = 0.0) -> list[list[PlainInterval]]:
    """A plan for each hour that knows all clean power to come, on one price."""
    rows = [
        PlainInterval(T0_S + at * HOUR_S, T0_S + (at + 1) * HOUR_S, q(kw), q(kw), q(grid_kw), [(1e6, 100.0)])
        for at, kw in enumerate(clean_kw)
    ]
    return [rows[at : at + 24] for at in range(len(rows))]


def scene_of(
    jobs: list[JobRow], clean_kw: list[float], leaves: int = 1, step_s: float = 300.0, **more: object
) -> Scene:
    """A park of one class of nodes; so many leaves of equal weight below the root."""
    given: dict[str, object] = {
        "rules": RULES,
        "classes": [NODE],
        "shares": [(-1, 1.0, 0.0)] + [(0, 1.0, 0.0)] * leaves,
        "jobs": sorted(jobs, key=lambda job: job.submit_s),
        "changes": [],
        "plans": plan_of(clean_kw),
        "step_s": step_s,
        "n_steps": int(len(clean_kw) * HOUR_S / step_s),
        "nodes_per_rack": 4,
    }
    return Scene(**{**given, **more})  # type: ignore[arg-type]


def played(scene: Scene) -> tuple[World, list[tuple[float, Action]]]:
    """The world after all its steps, and what was done when."""
    world = World(scene, [KernelSide(scene)])
    done = []
    for _ in range(scene.n_steps):
        now_s = world.now_s
        done += [(now_s, action) for action in world.step()]
    return world, done


@pytest.mark.parametrize("seed", range(6))
def test_no_firm_job_is_disturbed_and_nothing_is_paused_without_a_checkpoint(seed: int) -> None:
    scene = random_scene(5000 + seed, 60)
    world, done = played(scene)
    assert done
    for _, action in done:
        row = world.jobs[action.order].row
        if action.what in ("cap", "pause", "freeze", "thaw", "resize"):
            assert row.tier != FIRM
        if action.what == "pause":
            assert row.checkpoint or row.job_class == SERVICE
        if action.what == "defer":
            assert row.tier == FLEX
            assert action.target_s <= row.deadline_s - row.time_s + world.jobs[action.order].work_s


@pytest.mark.parametrize("scene", [random_scene(6000, 60), random_scene(6001, 60), shared_scene(1), shared_scene(2)])
def test_no_gpu_is_given_twice_and_never_more_than_all_of_it(scene: Scene) -> None:
    n_shared = 0
    world = World(scene, [KernelSide(scene)])
    masks: dict[int, int] = {}
    for _ in range(scene.n_steps):
        for action in world.step():
            if action.what == "start":
                masks[action.order] = action.gpu_mask
        held: dict[int, list[JobRow]] = defaultdict(list)
        milli: dict[tuple[int, int], int] = defaultdict(int)
        for order in world.alive:
            job = world.jobs[order]
            for node in job.nodes:
                held[node].append(job.row)
                mask = 0xFF if job.row.n_nodes > 1 and job.row.gpus else masks[order]
                assert job.row.n_nodes > 1 or mask.bit_count() == job.row.gpus
                for gpu in range(8):
                    milli[node, gpu] += (mask >> gpu & 1) * job.row.gpu_milli
        assert max(milli.values(), default=0) <= 1000, "more than a GPU"
        n_shared += any(0 < part < 1000 for part in milli.values())
        for rows in held.values():
            assert len(rows) == 1 or all(row.n_nodes == 1 for row in rows), "a gang has its nodes to itself"
    assert n_shared > 10


def test_equal_jobs_on_one_price_do_not_swing() -> None:
    jobs = [replace(JOB, time_s=4 * HOUR_S, true_s=4 * HOUR_S, deadline_s=T0_S + 200 * HOUR_S)] * 1000
    world, done = played(scene_of(jobs, [40.0] * 24))
    whats = [action.what for _, action in done]
    assert whats.count("start") > 100
    assert not {"pause", "freeze", "thaw"} & set(whats)
    assert all(len(job.starts) <= 1 for job in world.jobs.values())
    assert all(len(job.caps) <= 2 for job in world.jobs.values()), "capped for others once, and let go once"


def test_work_ramps_up_from_idle_in_the_turn_in_which_power_comes() -> None:
    world, done = played(scene_of([JOB] * 200, [0.0, 0.0, 64.0, 64.0]))
    starts = [at_s - T0_S for at_s, action in done if action.what == "start"]
    assert min(starts) == 2 * HOUR_S
    assert sum(1 for at_s in starts if at_s == 2 * HOUR_S) >= 55  # of 64 GPUs; a margin is left
    assert world.n_told == 200


@pytest.mark.parametrize("clean_kw", [80.0, 200.0])
def test_a_large_gang_is_not_starved_by_small_jobs(clean_kw: float) -> None:
    """Nor where each takes the machine that another left, and is expected to end just when the last that began is."""
    days = 2
    small = [
        replace(JOB, submit_s=T0_S + at * 400.0, leaf=1 + at % 2, gpus=4, time_s=2 * HOUR_S, true_s=1.5 * HOUR_S)
        for at in range(int(days * 86_400 / 400))
    ]
    gang = replace(JOB, submit_s=T0_S + HOUR_S, leaf=2, n_nodes=8, gpus=8, time_s=6 * HOUR_S, true_s=6 * HOUR_S)
    world, _ = played(scene_of([*small, gang], [clean_kw] * 24 * days, leaves=2, step_s=600.0))
    (job,) = [job for job in world.jobs.values() if job.row.n_nodes == 8]
    assert job.starts
    assert job.starts[0] - job.row.submit_s < 3 * HOUR_S, "once all that ran have ended"


def days_to_start_beside_green(days: int, clean_kw: float, green: JobRow, flex: JobRow) -> float:
    """Days until the first start of a flex job of whose leaf one green job after the other waits; inf for none."""
    every_s = 900.0
    stream = [replace(green, submit_s=T0_S + at * every_s) for at in range(int(days * 86_400 / every_s))]
    flex = replace(flex, submit_s=T0_S + 24 * HOUR_S)  # all is taken then
    world, _ = played(scene_of([*stream, flex], [clean_kw] * 24 * days, step_s=600.0))
    (job,) = [job for job in world.jobs.values() if job.row.tier == FLEX]
    return (job.starts[0] - job.row.submit_s) / 86_400.0 if job.starts else INF


@pytest.mark.parametrize("clean_kw", [80.0, 30.0])  # room is short, or power is
def test_endless_green_work_of_its_own_leaf_does_not_starve_a_flexible_job(clean_kw: float) -> None:
    green = replace(JOB, tier=GREEN, gpus=8, mcpu=32_000, time_s=4 * HOUR_S, true_s=4 * HOUR_S)
    assert days_to_start_beside_green(9, clean_kw, green, replace(green, tier=FLEX)) < 7.0


def test_a_sudden_loss_of_power_is_answered_within_one_turn() -> None:
    jobs = [replace(JOB, time_s=20 * HOUR_S, true_s=20 * HOUR_S, checkpoint=at % 2 == 0) for at in range(64)]
    scene = scene_of(jobs, [70.0] * 3)
    lost = plan_of([70.0, 49.0, 49.0])
    scene.plans = [plan_of([70.0] * 3)[0], lost[1], lost[2]]
    side = KernelSide(scene)
    world = World(scene, [side])
    for _ in range(12):
        world.step()
    assert side.board.g.bound_kw[0] > 55.0
    world.step()  # nobody has known of it before
    assert world.now_s - T0_S == HOUR_S + scene.step_s
    assert side.board.g.bound_kw[0] <= 49.0


def test_equal_tenants_get_equal_parts() -> None:
    jobs = []
    for leaf in range(1, 7):  # small and large, short and long, gangs and parts of nodes; all want all the time
        shape = replace(JOB, leaf=leaf, gpus=2 ** (leaf % 4), mcpu=4000 * 2 ** (leaf % 4))
        if leaf == 6:
            shape = replace(shape, n_nodes=2, gpus=8)
        hours = 0.5 + 0.5 * leaf
        jobs += [replace(shape, time_s=hours * HOUR_S, true_s=hours * HOUR_S)] * 600
    world, _ = played(scene_of(jobs, [70.0] * 24 * 4, leaves=6, step_s=600.0))
    used: dict[int, float] = defaultdict(float)
    for job in world.jobs.values():
        used[job.row.leaf] += job.work_s * job.row.gpus * job.row.n_nodes
    parts = [used[leaf] for leaf in range(1, 7)]
    assert sum(parts) ** 2 / (6 * sum(part * part for part in parts)) >= 0.95, parts


def test_a_floor_is_taken_back() -> None:
    lent = [replace(JOB, leaf=2, time_s=40 * HOUR_S, true_s=40 * HOUR_S, gpus=8)] * 8
    mine = [replace(JOB, submit_s=T0_S + 2 * HOUR_S, leaf=1, gpus=8, time_s=10 * HOUR_S, true_s=10 * HOUR_S)] * 2
    shares = [(-1, 1.0, 0.0), (0, 1.0, 0.25), (0, 1.0, 0.0)]
    world, _ = played(scene_of([*lent, *mine], [90.0] * 8, shares=shares))
    waited = [job.starts[0] - job.row.submit_s for job in world.jobs.values() if job.row.leaf == 1 and job.starts]
    assert len(waited) == 2
    assert max(waited) <= 1800.0 + 5 * 300.0  # what the policy gives the lender, and a few turns


# -- promises ---------------------------------------------------------------------------------------------------------


class Watching(Turn):
    """A turn that looks whether a start makes anybody wait longer who has a place reserved."""

    n_watched = 0

    def try_with(self, job: PlainJob, n: int) -> str:
        """Start a job; those who were refused for room before get their places no later than without it."""
        holds: dict[int, Hold] = {}
        before = [reserve(self.park, other, holds, self.now_s) for other in self.blocked]
        outcome = super().try_with(job, n)
        if outcome == "started" and before:
            holds = {}
            after = [reserve(self.park, other, holds, self.now_s) for other in self.blocked]
            moved = [was for was, now in zip(before, after, strict=True) if now > was + 1e-3]
            assert not moved, f"{before} became {after} by the start of {job.order}"
            Watching.n_watched += 1
        return outcome


def test_a_backfill_moves_no_reserved_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.helpers.plain_policy.Turn", Watching)
    Watching.n_watched = 0
    for scene in [*(random_scene(7000 + seed, 60) for seed in range(7)), *(shared_scene(seed) for seed in range(3))]:
        scene.changes = [change for change in scene.changes if change.window is None]
        World(scene, [PlainSide(scene)]).play()
    assert Watching.n_watched > 50
