"""What the world counts by hour and by job, against sums made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eureka_park.compute.core.board import NONE, Board, grown, with_runs
from eureka_park.compute.core.board_setup import ClassRow
from eureka_park.control.policy import Policy, Sky
from eureka_park.control.setup import set_policy
from eureka_park.foundation.seeds import SeedTree
from eureka_park.twin.core.arrivals import Arrivals, make_workload
from eureka_park.twin.core.baselines import CODES, most_runs, settings_of
from eureka_park.twin.core.counted import Counted, counted
from eureka_park.twin.core.failures import Failures, failures_of, no_failures
from eureka_park.twin.core.opening import opening_on
from eureka_park.twin.core.play import world_of
from eureka_park.twin.core.sky_series import SkySeries, day_sun_sky, flat_sky, known_sky
from eureka_park.twin.core.workload import NodeShape, Workload, workload_of
from eureka_park.twin.core.world import DONE, play_on

TICK_S = 60.0
KIND = ClassRow(4, 64_000, 1 << 19, 8, 0, 10.0, 2.0, 0.7)


def played(
    columns: dict[str, Any],
    sky: SkySeries,
    hours: float,
    failures: Failures | None = None,
    policy: Policy | None = None,
) -> tuple[Board, Any, Workload, Counted]:
    work = workload_of(("a/b",), columns)
    opening = opening_on((KIND,), ("any",), work, [("a/b", 1.0, 0.0)])
    board = with_runs(opening.board, work.n_jobs + 64)
    set_policy(board, policy or Policy(), explain=False)
    world = world_of(board, work, sky, failures or no_failures(), opening.leaf_rows, opening.gpu_types, learns=False)
    world.place.tick_s[0], world.place.until_s[0] = TICK_S, hours * 3600.0
    assert play_on(board, world) == DONE
    return board, world, work, counted(board, world)


def test_who_runs_undisturbed_holds_its_gpus_for_its_run_time_and_loses_none() -> None:
    columns = {"submit_s": [0.0, 600.0], "run_s": [1200.0, 7200.0], "gpus": [4, 8], "n_nodes": [1, 2]}
    _board, world, _work, found = played(columns, flat_sky(1000.0, 1.0), 2.0)
    start_s = world.fate.first_start_s
    assert found.held_gpu_s[0] == pytest.approx(4 * 1200.0)
    assert found.held_gpu_s[1] == pytest.approx(16 * (7200.0 - start_s[1]))  # it still runs when the run is over
    assert found.lost_gpu_s.tolist() == [0.0, 0.0]


def test_energy_of_the_hours_is_the_energy_of_the_run() -> None:
    columns = {"submit_s": [0.0, 4000.0], "run_s": [3000.0, 5000.0], "gpus": [8, 8]}
    _board, world, _work, found = played(columns, flat_sky(1000.0, 1.0), 3.0)
    assert found.hour_s.tolist() == [3600.0 - TICK_S, 3600.0, 3600.0, TICK_S]
    assert len(found.load_kwh) == 4
    assert found.load_kwh.sum() == pytest.approx(world.place.it_kwh[0], rel=1e-12)
    assert (found.load_kwh > 0).all()


def test_a_pause_costs_the_time_until_the_checkpoint_is_written() -> None:
    """Power for an hour, none in the second, then again: one pause, which ends by the next turn."""
    columns = {"submit_s": [0.0], "run_s": [7200.0], "time_s": [7300.0], "gpus": [8], "n_nodes": [2],
               "checkpoint": [True]}  # fmt: skip
    clean_kw = np.where(np.arange(100) == 1, 9.0, 60.0)
    policy = Policy(sky=Sky.BINDING, can_cap=False, can_resize=False, min_run_s=0.0, margin_frac=0.0)
    _board, world, _work, found = played(columns, known_sky(clean_kw, 0.0), 8.0, policy=policy)
    assert world.fate.n_pauses[0] >= 1
    assert found.lost_gpu_s[0] == pytest.approx(16 * TICK_S * world.fate.n_pauses[0])
    assert found.held_gpu_s[0] == pytest.approx(16 * (7200.0 + TICK_S * world.fate.n_pauses[0]), rel=1e-3)


@pytest.mark.parametrize("checkpoint", [True, False])
def test_a_failure_costs_the_work_that_no_checkpoint_holds(checkpoint: bool) -> None:
    columns = {"submit_s": [0.0], "run_s": [3600.0], "time_s": [4000.0], "gpus": [8], "n_nodes": [4],
               "checkpoint": [checkpoint]}  # fmt: skip
    fails = Failures(np.array([1800.0]), np.array([0], np.int32), np.array([2400.0]))
    _board, world, _work, found = played(columns, flat_sky(1000.0, 1.0), 4.0, fails)
    start_s = world.fate.first_start_s[0]
    did_s = 1800.0 - start_s
    assert world.place.n_requeued[0] == 1
    assert np.isfinite(world.fate.end_s[0])
    assert found.lost_gpu_s[0] == pytest.approx(0.0 if checkpoint else 32 * did_s)
    assert found.held_gpu_s[0] == pytest.approx(32 * (3600.0 + (0.0 if checkpoint else did_s)))


@pytest.mark.parametrize("name", ["park", "hard-cut", "edf-surplus"])
def test_the_power_of_a_tier_is_what_its_jobs_draw(name: str) -> None:
    """After any turn, whatever a policy makes of the tiers: caps, pauses, failures and corrected meters included."""
    leaves = ("a/b", "a/c")
    work = make_workload(Arrivals(200, 1.0, leaves, (NodeShape(4, 8, 64_000, 1 << 19),), 0.9), SeedTree(3))
    opening = opening_on((KIND,), ("any",), work, [(leaf, 1.0, 0.0) for leaf in leaves])
    rules = settings_of(name, Policy(sky=Sky.BINDING, lead_s=120.0))
    board = with_runs(grown(opening.board, 1024), max(most_runs(name), 600))
    set_policy(board, rules, explain=False)
    sky, failures = day_sun_sky(30.0, 1.0, 4.0, 40.0), failures_of(4, 1.0, SeedTree(3), mtbf_s=86_400.0)
    world = world_of(board, work, sky, failures, opening.leaf_rows, opening.gpu_types)
    world.place.how[0], world.place.tick_s[0] = CODES[name], TICK_S
    seen = set()
    for until_h in (1.0, 3.0, 7.5, 8.0, 12.0, 13.0, 20.0, 24.0):
        world.place.until_s[0] = sky.hour0_s + until_h * 3600.0
        assert play_on(board, world) == DONE
        is_there = world.truth.row != NONE
        drawn_kw, tiers = board.jobs.drawn_kw[is_there], world.truth.tier[is_there]
        by_tier = [float(drawn_kw[tiers == tier].sum()) for tier in range(3)]
        assert world.place.tier_kw[0].tolist() == pytest.approx(by_tier, abs=1e-9)
        seen |= {tier for tier in range(3) if by_tier[tier] > 0.0}
    assert seen == {0, 1, 2}
    assert world.place.n_requeued[0] > 0
    assert 0.0 < world.place.tier_kwh[0].sum() < world.place.it_kwh[0]
