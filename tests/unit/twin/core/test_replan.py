"""A sky that hears the load: plans are the park's own, made from what is really there; no run beats the bound."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from eureka_park.compute.core.board import Board
from eureka_park.control.policy import Policy, Sky
from eureka_park.control.supply import Work, potential_demand_mw
from eureka_park.energy.core.cooling import site_mw_from_it_mw
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.energy.core.supply import problem_from
from eureka_park.foundation.errors import Internal
from eureka_park.foundation.plant_filling import filled_plant
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import Plant, Site
from eureka_park.foundation.site_reading import parse_site
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.live.loop import EXPECTED_LOAD_FRAC as LIVE_EXPECTS
from eureka_park.twin.core.arrivals import Arrivals, make_workload
from eureka_park.twin.core.bound import cfe_bound
from eureka_park.twin.core.bound_work import served_of
from eureka_park.twin.core.energy_figures import PLAIN_METER, energy_figures
from eureka_park.twin.core.failures import no_failures
from eureka_park.twin.core.faults import Faults, faults_of
from eureka_park.twin.core.opening import class_rows, opening_of, site_gpu_types
from eureka_park.twin.core.play import play, world_of
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.replan import EXPECTED_LOAD_FRAC, Planner, demand_of, first_demand_mw, open_sky
from eureka_park.twin.core.sky_series import TAIL_H, SkyRequest, SkySeries, it_kw_of, sky_of
from eureka_park.twin.core.workload import NodeShape, Workload

START_S = 1_772_409_600.0  # a Monday in March
LEAVES = ("a/b", "a/c")
N_NODES = 16
TEXT = f"""
name = "mini"
title = "Mini"
[scale]
of = "eureka-park"
[[nodes]]
id = "n"
n_nodes = {N_NODES}
n_cpus = 224
memory_gib = 2048
n_gpus = 8
rated_kw = 10.2
idle_kw = 1.9
"""


@cache
def mini() -> Site:
    return parse_site(TEXT, "mini.toml")


@cache
def with_battery() -> Site:
    store = Plant.model_validate(
        filled_plant({"id": "store", "type": "battery", "gross_mw": 80.0, "charge_mw": 40.0, "energy_mwh": 300.0,
                      "weather_site": "koudia", "status": "operating"})
    )  # fmt: skip
    return mini().model_copy(update={"plants": (*mini().plants, store)})


def request(days: float = 2.0, faults: str = "", seed: int = 1) -> SkyRequest:
    return SkyRequest(START_S, days, seed, faults=faults_of(faults) if faults else Faults())


@cache
def work(load: float = 0.7, seed: int = 1) -> Workload:
    shape = NodeShape(N_NODES, 8, 224_000, 2048 * 1024)
    return make_workload(Arrivals(600, 2.0, LEAVES, (shape,), load), SeedTree(seed))


def ran(site: Site, sky: SkySeries, name: str = "park", load: float = 0.7) -> Played:
    policy = Policy(sky=Sky.BINDING, lead_s=120.0)
    jobs = work(load)
    opening = opening_of(site, jobs, [(leaf, 1.0, 0.0) for leaf in LEAVES])
    return play(opening, jobs, sky, no_failures(), policy, policy.tick_s, name, tail_h=12.0)


def played_sky(played: Played) -> SkySeries:
    assert played.sky is not None
    return played.sky


@cache
def one() -> tuple[SkySeries, Played]:
    sky = open_sky(mini(), request())
    return sky, ran(mini(), sky)


# -- before it is played ---------------------------------------------------------------------------------------------


def test_truth_is_the_weather_and_plans_are_due_every_six_hours() -> None:
    sky = open_sky(mini(), request())
    planner = sky.planner
    assert planner is not None
    assert sky.n_hours == 48 + TAIL_H
    assert planner.due_s.tolist() == [START_S + 6 * HOUR_S * at for at in range(16)]
    real = problem_from(planner.supply, START_S, np.zeros(96), {})
    assert sky.true_clean_kw.tolist() == it_kw_of(mini(), real.direct_sum_mw * mini().factor).tolist()
    salt = planner.salt()
    assert salt.heat_kw.sum() == pytest.approx(
        sum(float(one.heat_mw_th.sum()) * one.per_heat for one in real.salt.values()) * planner.kw_per_mw
    )


def test_outages_are_in_the_truth_and_ask_for_a_plan_when_they_begin_and_end() -> None:
    whole, cut = (
        open_sky(mini(), request()),
        open_sky(mini(), request(1.0, "plant:koudia@2h+90m, plant:noor-iii@9h+6h")),
    )
    planner = cut.planner
    assert planner is not None
    assert whole.planner is not None
    hours = ((planner.due_s - START_S) / HOUR_S).tolist()
    assert hours[:7] == [0.0, 2.0, 3.5, 6.0, 9.0, 12.0, 15.0]
    lost = whole.planner.direct_kw[:72] - planner.direct_kw
    assert np.flatnonzero(lost > 0.0).tolist() == [2, 3]
    row = list(planner.tanks).index("noor-iii")
    blocks = planner.salt().block_kw[row]
    assert np.flatnonzero(blocks == 0.0).tolist() == list(range(9, 15))


# -- demand ----------------------------------------------------------------------------------------------------------


def test_it_expects_what_the_live_park_expects() -> None:
    assert EXPECTED_LOAD_FRAC == LIVE_EXPECTS


def test_demand_is_declared_work_at_the_power_it_wants_then_what_is_expected() -> None:
    site, jobs = mini(), work()
    board: Board = opening_of(site, jobs, [(leaf, 1.0, 0.0) for leaf in LEAVES]).board
    idle, rated = 1.9 * N_NODES, 10.2 * N_NODES

    def wanted(work_: Work) -> tuple[float, ...]:
        return potential_demand_mw(
            48, HOUR_S, rated, idle, LIVE_EXPECTS, work_, lambda kw: site_mw_from_it_mw(kw / 1000, site.pue)
        )

    assert demand_of(board, site, START_S) == pytest.approx(wanted(Work(0.0, 0.0)))
    assert first_demand_mw(site) == pytest.approx(wanted(Work(0.0, 0.0))[0])
    g, hour = board.g, int(START_S // 3600)
    g.dynamic_kw[0] = 50.0  # two jobs on nodes: 30 kW for two hours and the rest for five
    g.ending_kw[0][(hour + 1) % 1024], g.ending_kw[0][(hour + 4) % 1024] = 30.0, 20.0
    assert demand_of(board, site, START_S) == pytest.approx(wanted(Work(50.0, 30 * 2 + 20 * 5)))
    jobs_ = board.jobs
    jobs_.state[:2], g.n_waiting[0] = 0, 4
    g.n_yard[0], g.yard_kw[0], g.yard_kwh[0] = 2, 12.0, 12.0  # two of four stand in the yard
    jobs_.dynamic_kw[:2], jobs_.time_s[:2], jobs_.ran_s[:2] = (8.0, 4.0), (7200.0, 3600.0), (3600.0, 0.0)
    from eureka_park.compute.core.board import PAUSED, QUEUED

    jobs_.state[0], jobs_.state[1] = PAUSED, QUEUED
    assert demand_of(board, site, START_S) == pytest.approx(wanted(Work(50.0 + 24.0, 160.0 + 2 * (8.0 + 4.0))))


# -- played ----------------------------------------------------------------------------------------------------------


def test_the_first_plan_is_the_live_parks_own() -> None:
    sky, played = one()
    planner, found = sky.planner, played_sky(played)
    assert planner is not None
    idle = site_mw_from_it_mw(1.9 * N_NODES / 1000, mini().pue)
    asked = idle + (site_mw_from_it_mw(10.2 * N_NODES / 1000, mini().pue) - idle) * LIVE_EXPECTS
    plan = make_plan(
        mini(), PlanRequest(START_S, asked / mini().factor, planner.stores, 1), planner.supply, planner.seen,
        prices_stores=False,
    )  # fmt: skip
    clean = it_kw_of(mini(), np.array(plan.clean_available_mw_p50))
    assert found.plan_clean_kw[0] == pytest.approx(clean, abs=1e-3)
    assert (found.plan_p10_kw <= found.plan_clean_kw + 1e-9).all()
    assert found.plan_salt_kw is not None
    assert (found.plan_salt_kw >= 0.0).all()


def test_a_run_leaves_its_sky_as_it_was_and_may_be_repeated() -> None:
    sky, played = one()
    again = ran(mini(), sky)
    assert again.digest == played.digest
    assert np.isinf(sky.plan_issued_s).all()
    assert not sky.plan_clean_kw.any()
    found, second = played_sky(played), played_sky(again)
    assert second.plan_clean_kw.tolist() == found.plan_clean_kw.tolist()
    assert second.true_clean_kw.tolist() == found.true_clean_kw.tolist()


def test_plans_of_a_run_are_those_that_were_due() -> None:
    found = played_sky(one()[1])
    assert found.planner is None
    assert found.plan_issued_s.tolist() == [START_S + 6 * HOUR_S * at for at in range(11)]
    assert found.plan_first_hour.tolist() == [6 * at for at in range(11)]


def test_salt_that_nobody_draws_is_kept() -> None:
    sky, played = one()
    found = played_sky(played)
    tanks, counted = found.tanks, played.counted
    assert tanks is not None
    assert tanks.spilt_kwh is not None
    assert counted is not None
    load = counted.load_kwh
    n = len(load)
    direct = sky.true_clean_kw[:n] * counted.hour_s / HOUR_S
    given = found.true_clean_kw[:n] * counted.hour_s / HOUR_S - direct
    assert (given <= np.maximum(0.0, load - direct) + 1e-6).all(), "no more is drawn than is needed"
    held = tanks.level_mwh_th.sum(axis=0)
    size = tanks.size_mwh_th[:, None]
    full = (tanks.level_mwh_th[:, 1 : n + 1] >= 0.999 * size).any(axis=0)
    assert not tanks.spilt_kwh[:n][~full & (tanks.level_mwh_th[:, 1 : n + 1] < 0.9 * size).all(axis=0)].any()
    fed = sky_of(mini(), request())
    before = ran(mini(), fed)
    assert cfe(before, fed) < cfe(played, found)
    assert held[60] > 0.0


def cfe(played: Played, sky: SkySeries) -> float:
    return float(energy_figures(played, sky, PLAIN_METER, 1.0)["cfe_frac"])


def test_what_is_spilt_counts_as_curtailed() -> None:
    _, played = one()
    found = played_sky(played)
    figures = energy_figures(played, found, PLAIN_METER, 1.0)
    assert found.tanks is not None
    assert found.tanks.spilt_kwh is not None
    assert figures["curtailed_mwh"] >= found.tanks.spilt_kwh.sum() / 1000.0


@pytest.mark.parametrize("name", ["park", "fcfs-easy"])
@pytest.mark.parametrize("site_of", [mini, with_battery])
@pytest.mark.parametrize(("load", "seed"), [(0.4, 1), (1.1, 2)])
def test_no_run_is_better_than_the_bound(name: str, site_of: Any, load: float, seed: int) -> None:
    site = site_of()
    sky = open_sky(site, request(seed=seed))
    played = ran(site, sky, name, load)
    found = played_sky(played)
    served = served_of(
        work(load), played, class_rows(site), site_gpu_types(site), no_failures(), tick_s=Policy().tick_s
    )
    for salt in (True, False):
        bound = cfe_bound(served, found, Policy().cap_curve, salt=salt)
        assert 0.0 < bound.cfe_frac <= bound.cfe_bound_frac <= 1.0
    assert cfe(played, found) <= bound.cfe_bound_frac + 1e-9


def test_while_the_tie_is_open_nothing_is_bought_beyond_it() -> None:
    found = played_sky(ran(mini(), open_sky(mini(), request(1.0, "grid@90m+3h"))))
    at = (found.plan_issued_s - START_S) / HOUR_S
    assert at[:3].tolist() == [0.0, 1.5, 4.5]
    assert (found.plan_grid_kw[0] > 0.0).all(), "nobody knows of it before"
    assert found.plan_grid_kw[1][:3].tolist() == [0.0, 0.0, 0.0]
    assert 0.0 < found.plan_grid_kw[1][3] < found.plan_grid_kw[1][4]
    assert (found.plan_grid_kw[2] > 0.0).all()


def test_a_planner_serves_many_runs() -> None:
    planner = Planner(open_sky(mini(), request()).planner.supply, request(3 * HOUR_S / DAY_S))  # type: ignore[union-attr]
    one_, two = planner.salt(), planner.salt()
    one_.level_kwh[:] = 0.0
    assert two.level_kwh.any() or not planner.stores
    assert planner.begin() is not planner.begin()


def test_a_solver_that_fails_is_told_as_such_and_no_policy_is_blamed() -> None:
    plans = open_sky(mini(), request()).planner.begin()  # type: ignore[union-attr]

    class Broken:
        def plan(self, *_all: object) -> None:
            raise RuntimeError("no basis.")

    plans._quick = Broken()
    opening = opening_of(mini(), work(), [(leaf, 1.0, 0.0) for leaf in LEAVES])
    sky = open_sky(mini(), request())
    world = world_of(opening.board, work(), sky, no_failures(), opening.leaf_rows, opening.gpu_types)
    with pytest.raises(
        Internal, match=r"plan of hour 0 of the run could not be made: RuntimeError: no basis\.$"
    ) as told:
        plans.make(opening.board, world)
    assert told.value.code == "plan_failed"
