"""Estimates of starts: run times drawn from what ended, the board played forward, and how well that is calibrated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eureka_park.compute.core.board import FREE, NONE, RUNNING, Board, grown, with_runs
from eureka_park.control.policy import Policy
from eureka_park.control.setup import set_policy
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import load_site
from eureka_park.twin.core.arrivals import Arrivals, make_workload
from eureka_park.twin.core.failures import no_failures
from eureka_park.twin.core.opening import opening_of
from eureka_park.twin.core.play import with_room, world_of
from eureka_park.twin.core.sky_series import flat_sky
from eureka_park.twin.core.starts import (
    ANY,
    N_DRAWS,
    Ratios,
    _expect,
    draws,
    one_draw,
    quantiles,
    sky_on,
    to_json,
    waiting_orders,
)
from eureka_park.twin.core.truth import World
from eureka_park.twin.core.workload import Workload
from eureka_park.twin.core.world import DONE, play_on
from eureka_park.twin.run import node_shapes

HOUR = 3600.0
LEAVES = ("a", "b", "c")


def forecast(board: Board, ratios: Ratios, now_s: float, seed: int, n_draws: int = N_DRAWS) -> Any:
    """Orders of the waiting jobs, and the instants by which each starts in half and in nine of ten futures."""
    return waiting_orders(board), *quantiles(list(draws(board, ratios, now_s, seed, n_draws)))


def small_site(n_nodes: int) -> Site:
    site = load_site("eureka-park")
    return site.model_copy(update={"nodes": (site.nodes[0].model_copy(update={"n_nodes": n_nodes}),)})


def begun(
    seed: int, until_h: float, n_jobs: int = 800, n_nodes: int = 6, load: float = 3.0
) -> tuple[Board, World, Workload]:
    """A park that has played its first hours, with a queue; nobody comes after them."""
    site = small_site(n_nodes)
    work = make_workload(Arrivals(n_jobs, until_h / 24.0, LEAVES, node_shapes(site), load), SeedTree(seed))
    opening = opening_of(site, work, ())
    board = with_runs(grown(opening.board, 1024), 256)
    set_policy(board, Policy(), explain=False)
    sky = flat_sky(1e6, 20.0, 1e6)
    world = world_of(board, work, sky, no_failures(), opening.leaf_rows, opening.gpu_types, learns=False)
    world = with_room(world, board)
    world.place.tick_s[0] = 60.0
    play_until(board, world, until_h * HOUR)
    return board, world, work


def play_until(board: Board, world: World, until_s: float) -> None:
    world.place.until_s[0] = until_s
    while play_on(board, world) != DONE:
        world.place.n_log[0] = 0
    world.place.n_log[0] = 0


def seen(board: Board, world: World, work: Workload) -> Ratios:
    over = np.flatnonzero(np.isfinite(world.fate.end_s))
    ended = [
        (int(world.leaf_rows[work.leaf[row]]), float(work.time_s[row]), float(work.run_s[row] / work.time_s[row]))
        for row in over
    ]
    return Ratios.on(board, ended, float(world.place.now_s[0]))


def test_run_times_are_drawn_among_those_that_ran_as_long() -> None:
    own = [(7, 3600.0, 0.1)] * 30 + [(7, 3600.0, 0.6)] * 30 + [(7, 1e5, 0.3)] * 20
    ratios = Ratios.of(own + [(8, 3600.0, 0.9)] * 5)
    assert {key for key in ratios.levels if key[0] != ANY} == {(7, 1), (7, 4)}, "five ends are too few"
    n = 2000
    uniform = (np.arange(n) + 0.5) / n
    leaf, time_s = np.full(n, 7), np.full(n, 1000.0)
    fresh = ratios.run_s(leaf, time_s, np.zeros(n), uniform)
    assert set(fresh.round()) == {100.0, 600.0} and np.mean(fresh == 100.0) == pytest.approx(0.5, abs=0.02)
    assert set(ratios.run_s(leaf, time_s, np.full(n, 200.0), uniform).round()) == {600.0}
    assert set(ratios.run_s(leaf, time_s, np.full(n, 700.0), uniform).round()) == {1000.0}, "no other ran as long"
    assert ratios.run_s(leaf[:1], time_s[:1], np.array([1500.0]), uniform[:1])[0] > 1500.0
    other = ratios.run_s(np.full(n, 3), time_s, np.zeros(n), uniform)
    assert set(other.round()) == {100.0, 600.0, 900.0}, "a leaf without ends follows all of its size"
    assert set(ratios.run_s(leaf, np.full(n, 9e4), np.zeros(n), uniform).round()) == {27000.0}
    assert len(set(Ratios.of([]).run_s(leaf, time_s, np.zeros(n), uniform))) >= 5


def test_who_runs_still_tells_that_jobs_may_take_as_long() -> None:
    """Half of the jobs ended at a tenth of their time; the others have run for half of it."""
    ended, running = [(1, 3600.0, 0.1)] * 30, [(1, 3600.0, 0.5)] * 30
    uniform = (np.arange(1000) + 0.5) / 1000
    found = Ratios.of(ended, running).run_s(np.full(1000, 1), np.full(1000, 3600.0), np.zeros(1000), uniform)
    assert set(found) == {360.0, 3600.0} and np.mean(found == 360.0) == pytest.approx(0.5, abs=0.02)


def test_a_forecast_is_the_seeds_and_leaves_the_board_as_it_is() -> None:
    board, world, work = begun(1, 6.0)
    before = [array.copy() for array in board]
    one, two = (forecast(board, seen(board, world, work), 6 * HOUR, 3, 5) for _ in range(2))
    other = forecast(board, seen(board, world, work), 6 * HOUR, 4, 5)
    for was, now in zip(before, board, strict=True):
        assert np.array_equal(was, now)
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[1], other[1])
    orders, p50_s, p90_s = one
    assert len(orders) == int(board.g.n_waiting[0]) > 20
    assert (p50_s <= p90_s).all() and (p50_s > 6 * HOUR).all()
    assert np.array_equal(orders, waiting_orders(board))
    rows = to_json(orders, p50_s, p90_s)
    assert len(rows) == np.isfinite(p90_s).sum() and rows[0][0] in orders.tolist()


def test_with_true_run_times_known_the_forecast_is_the_truth() -> None:
    """With one ratio that every job keeps to there is one future, and it is the one that comes."""
    board, world, work = begun(2, 6.0)
    world.coming.run_s[:] = 0.5 * work.time_s
    live = np.flatnonzero(np.asarray(board.jobs.state) == RUNNING)
    did_s = board.jobs.ran_s[live] + (6 * HOUR - board.jobs.since_s[live]) * board.jobs.speed[live]
    late = board.jobs.user[live[did_s >= 0.5 * board.jobs.time_s[live]]]
    world.coming.run_s[late] = work.time_s[late]  # no ratio is known that is as long
    expected = one_draw(
        board, Ratios.of([(ANY, 900.0 * 4.0**size, 0.5) for size in range(9) for _ in range(30)]), 6 * HOUR, 1
    )
    orders, users = waiting_orders(board), board.jobs.user.copy()
    rows = users[np.flatnonzero(np.isin(board.jobs.order, orders) & (board.jobs.state != FREE))]
    taken = np.flatnonzero(np.asarray(board.jobs.state) != FREE)
    world.truth["run_s"][taken] = world.coming.run_s[users[taken]]
    world.truth["ends_s"], world.truth["turn"], world.ahead[:] = np.inf, NONE, NONE
    left_s = np.maximum(0.0, world.coming.run_s[users[live]] - board.jobs.ran_s[live])
    _expect(world, live, np.maximum(6 * HOUR, board.jobs.since_s[live] + left_s / board.jobs.speed[live]))
    play_until(board, world, 4 * 24 * HOUR)
    truth = world.fate.first_start_s[rows]
    near = np.isfinite(expected) & np.isfinite(truth)
    assert near.sum() > 0.8 * len(rows)
    assert np.median(np.abs(expected - truth)[near]) <= 15 * 60.0


@pytest.mark.parametrize(("n", "at_50", "at_90"), [(1, 0, 0), (3, 1, 2), (9, 4, 8), (11, 5, 10), (19, 9, 17)])
def test_quantiles_are_those_of_a_further_draw(n: int, at_50: int, at_90: int) -> None:
    p50, p90 = quantiles([np.array([float(at), np.inf]) for at in reversed(range(n))])
    assert (p50.tolist(), p90.tolist()) == ([at_50, np.inf], [at_90, np.inf])


def test_half_of_the_jobs_start_by_p50_and_nine_in_ten_by_p90() -> None:
    """Calibration where nobody else comes; measured: see docs/guide/policy.md."""
    by_50, by_90 = calibration(range(1, 9))
    print(f"by p50 {np.mean(by_50):.2f}, by p90 {np.mean(by_90):.2f} of {len(by_50)}")
    assert 0.40 < np.mean(by_50) < 0.60
    assert 0.80 < np.mean(by_90) < 0.97


def calibration(seeds: Any) -> tuple[list[bool], list[bool]]:
    by_50: list[bool] = []
    by_90: list[bool] = []
    for seed in seeds:
        board, world, work = begun(seed, 8.0)
        orders, p50_s, p90_s = forecast(board, seen(board, world, work), 8 * HOUR, seed)
        slots = np.flatnonzero((np.asarray(board.jobs.state) != FREE) & np.isin(board.jobs.order, orders))
        rows = board.jobs.user[slots].copy()
        play_until(board, world, 6 * 24 * HOUR)
        told = np.isfinite(p90_s)
        start_s = np.nan_to_num(world.fate.first_start_s[rows], nan=np.inf)[told]
        by_50 += (start_s <= p50_s[told]).tolist()
        by_90 += (start_s <= p90_s[told]).tolist()
    return by_50, by_90


@pytest.mark.parametrize("n_hours", [1, 30, 48])
def test_beyond_the_plan_its_last_day_repeats(n_hours: int) -> None:
    board, _, _ = begun(1, 0.5, n_jobs=5)
    for at in range(n_hours):
        board.sky.start_s[at], board.sky.end_s[at], board.sky.clean_kw[at] = at * HOUR, (at + 1) * HOUR, 100.0 + at
        board.sky.p10_kw[at], board.sky.n_steps[at] = at, 1
    board.g.n_sky[0] = n_hours
    sky = sky_on(board, 0.5 * HOUR, 96 * HOUR)
    day = min(24, n_hours)
    for hour in range(96):
        expected = 100.0 + (hour if hour < n_hours else n_hours - day + (hour - n_hours) % day)
        assert sky.true_clean_kw[hour] == expected
    assert sky.plan_clean_kw.shape == (len(sky.plan_issued_s), 48)
    assert np.array_equal(sky.plan_clean_kw[1], sky.true_clean_kw[6:54])
