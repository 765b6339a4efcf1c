"""Energy of a run, on a few hours worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eureka_park.compute.core.board import JOB, records
from eureka_park.compute.core.board_setup import ClassRow, new_board
from eureka_park.compute.core.standing import rate
from eureka_park.twin.core.counted import Counted
from eureka_park.twin.core.energy_figures import (
    Meter,
    energy_figures,
    imbalance_kwh,
    kw_of_jobs,
    matched,
    planned_clean_kw,
)
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sky_series import SkySeries, known_sky
from eureka_park.twin.core.workload import workload_of

NONE = np.zeros(0)


def counted(load_kwh: list[float], last_s: float = 3600.0) -> Counted:
    hour_s = np.full(len(load_kwh), 3600.0)
    hour_s[-1] = last_s
    return Counted(np.array(load_kwh), hour_s, NONE, NONE)


def sky_of(clean_kw: list[float]) -> SkySeries:
    return known_sky(np.concatenate([clean_kw, np.zeros(48)]), 100.0)


def played(load_kwh: list[float], clean_kwh: float, counts: Counted | None) -> Played:
    totals = {"it_kwh": float(sum(load_kwh)), "clean_kwh": clean_kwh}
    return Played(NONE, NONE, NONE.astype(np.int32), NONE, 3600.0 * len(load_kwh), 0, 2.0, "d", totals, counted=counts)


LOADS = [10.0, 30.0, 20.0]
SKY = sky_of([20.0, 20.0, 20.0])


def test_surplus_of_an_hour_covers_no_other_hour() -> None:
    hours = matched(counted(LOADS), SKY)
    assert hours.matched_kwh.tolist() == [10.0, 20.0, 20.0]
    assert hours.bought_kwh.tolist() == [0.0, 10.0, 0.0]
    found = energy_figures(played(LOADS, 0.0, counted(LOADS)), SKY, Meter(), 4.0)
    assert found["cfe_frac"] == pytest.approx(50 / 60)
    assert found["curtailed_mwh"] == pytest.approx(0.010)
    assert found["bought_mwh"] == pytest.approx(0.010)
    assert found["site_mwh"] == pytest.approx(0.060)
    assert found["kwh_per_gpu_h"] == pytest.approx(15.0)
    assert found["imbalance_mwh"] == 0.0


def test_only_the_counted_part_of_an_hour_has_clean_power() -> None:
    assert matched(counted([10.0, 10.0], 900.0), SKY).clean_kwh.tolist() == [20.0, 5.0]


def test_the_meter_adds_what_cools_and_supplies() -> None:
    meter = Meter(per_it=1.2, fixed_kw=2.0, grid_gco2_per_kwh=600.0, own_gco2_per_kwh=10.0)
    found = energy_figures(played(LOADS, 0.0, counted(LOADS)), SKY, meter, 4.0)
    site_kwh, bought_kwh = 60 * 1.2 + 2.0 * 3, 10 * 1.2
    assert found["site_mwh"] == pytest.approx(site_kwh / 1000)
    assert found["bought_mwh"] == pytest.approx(bought_kwh / 1000)
    assert found["curtailed_mwh"] == pytest.approx(0.012)
    assert found["gco2"] == pytest.approx(bought_kwh * 600 + (site_kwh - bought_kwh) * 10)
    assert found["gco2_per_kwh"] == pytest.approx(found["gco2"] / site_kwh)
    assert found["overrun_mwh"] == pytest.approx(2.4)


def test_without_hours_the_sums_of_the_loop_are_used_and_what_needs_hours_is_not_told() -> None:
    found = energy_figures(played(LOADS, 45.0, None), SKY, Meter(), 4.0)
    assert found["cfe_frac"] == pytest.approx(45 / 60)
    assert found["curtailed_mwh"] == pytest.approx((60 - 45) / 1000)
    assert found["imbalance_mwh"] is None
    bare = energy_figures(replace(played(LOADS, 0.0, None), totals={}), SKY, Meter(), 4.0)
    assert bare["cfe_frac"] is None
    assert bare["overrun_mwh"] == 2.0


def test_imbalance_is_what_is_bought_because_the_sky_gave_less_than_planned() -> None:
    # planned 20 kW; the truth is 15, 25 and 0 kW: bought 0, 5 and 20, of which planned 0, 10 and 0
    sky = replace(SKY, true_clean_kw=np.concatenate([[15.0, 25.0, 0.0], np.zeros(48)]))
    assert imbalance_kwh(counted([10.0, 30.0, 20.0]), sky) == pytest.approx(20.0)
    assert imbalance_kwh(counted([20.0, 30.0, 20.0]), sky) == pytest.approx(5.0 + 20.0)


def test_the_newest_plan_of_an_hour_counts() -> None:
    clean_kw = np.arange(60.0)
    sky = known_sky(clean_kw, 0.0)
    told = sky.plan_clean_kw + 100.0 * np.arange(sky.n_plans)[:, None]
    sky = replace(sky, plan_clean_kw=told)
    assert planned_clean_kw(sky, 8).tolist() == [0, 1, 2, 3, 4, 5, 106, 107]


@pytest.mark.parametrize("gpu_kw_max", [0.0, 0.7, 5.0])
def test_jobs_draw_what_the_board_rates_them_at(gpu_kw_max: float) -> None:
    kinds = (ClassRow(4, 8_000, 1 << 14, 0, 0, 1.0, 0.25), ClassRow(4, 64_000, 1 << 19, 8, 0, 10.0, 2.0, gpu_kw_max))
    columns = {"submit_s": [0.0] * 5, "run_s": [1.0] * 5, "gpus": [0, 2, 8, 0, 1], "n_nodes": [1, 1, 3, 1, 1],
               "mcpu": [4_000, 16_000, 1_000, 32_000, 2_000], "power_frac": [1.0, 0.5, 0.25, 1.0, 0.5],
               "gpu_milli": [1000, 1000, 1000, 1000, 320]}  # fmt: skip
    work = workload_of(("a",), columns)
    found = kw_of_jobs(work, kinds, ("any",))
    board = new_board(kinds, ((-1, 1.0, 0.0),))
    for row, klass in enumerate((0, 1, 1, 1, 1)):
        job = records(1, JOB)[0]
        job.n_nodes, job.gpus, job.mcpu, job.power_frac = (
            int(work.n_nodes[row]), int(work.gpus[row]), int(work.mcpu[row]), float(work.power_frac[row])
        )  # fmt: skip
        job.gpu_milli = int(work.gpu_milli[row])
        job.gang = 1 if work.n_nodes[row] > 1 else 0
        getattr(rate, "py_func", rate)(job, board.classes[klass], int(work.n_nodes[row]))
        assert found[row] == pytest.approx(job.idle_kw + job.dynamic_kw, abs=1e-5)
