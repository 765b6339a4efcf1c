"""Tank and power block: heat adds up, starts, least load, weather, water; and the plan of a plant alone."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.energy.test_trough import PARK, PLACE, year

from eureka_park.energy.core.plant_alone import targets_alone_mw_th
from eureka_park.energy.core.power_block import power_block, replay, through_the_hours, wet_bulb_c
from eureka_park.energy.core.trough import trough_heat_mw
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR

PLANTS = {plant.id: plant for plant in PARK.plants}
CSP = ["noor-i", "noor-ii", "noor-iii"]


def series(value: float = 0.0) -> np.ndarray:
    return np.full(HOURS_PER_YEAR, value)


@pytest.mark.parametrize("name", CSP)
def test_heat_adds_up_and_the_tank_keeps_its_limits(name: str) -> None:
    block = power_block(PLANTS[name])
    hours = np.arange(HOURS_PER_YEAR)
    heat = np.where((hours % 24 > 8) & (hours % 24 < 18), 1.8 * block.design_mw_th, 0.0)
    target = np.where(hours % 24 > 11, block.design_mw_th, 0.0)
    flows = through_the_hours(block, heat, target)
    lost = block.tank_loss_frac_per_h * block.tank_mwh_th
    assert flows.tes_mwh_th.min() >= 0 and flows.tes_mwh_th.max() <= block.tank_mwh_th + 1e-9
    change = np.diff(np.concatenate([[0.0], flows.tes_mwh_th]))
    missing = heat - flows.drawn_mw_th - flows.spill_mw_th - change
    assert missing.min() > -1e-9 and missing.max() <= lost + 1e-9
    assert np.all(flows.drawn_mw_th <= target + 1e-9) and flows.spill_mw_th.sum() > 0


@pytest.mark.parametrize("name", CSP)
def test_one_start_takes_its_heat(name: str) -> None:
    block = power_block(PLANTS[name])
    target = series()
    target[100:106] = block.design_mw_th
    flows = through_the_hours(block, series(2 * block.design_mw_th), target)
    assert flows.start_mw_th.sum() == pytest.approx(block.start_mwh_th)
    assert flows.runs_frac[100] == pytest.approx(1 - max(block.start_h, block.start_mwh_th / block.design_mw_th))
    assert np.all(flows.runs_frac[101:106] == 1) and flows.runs_frac[106] == 0


def test_under_the_least_load_nothing_runs() -> None:
    block = power_block(PLANTS["noor-iii"])
    flows = through_the_hours(block, series(200.0), series(0.9 * block.least_frac * block.design_mw_th))
    assert flows.drawn_mw_th.max() == 0


def test_tanks_alone_give_less_than_the_field_through_an_exchanger() -> None:
    block = power_block(PLANTS["noor-i"])
    heat, target = series(), series(block.design_mw_th)
    heat[:10] = 3 * block.design_mw_th
    flows = through_the_hours(block, heat, target)
    assert flows.drawn_mw_th[5] == pytest.approx(block.design_mw_th)
    assert flows.drawn_mw_th[11] == pytest.approx(block.tank_draw_frac * block.design_mw_th)


@pytest.mark.parametrize("name", CSP)
def test_full_load_gives_about_the_rating_and_heat_outside_costs_power(name: str) -> None:
    plant = PLANTS[name]
    block = power_block(plant)
    full = series(block.design_mw_th)
    mild, hot = (replay(plant, year(temp_c=temp), full, full).gross_mw[5] for temp in (15.0, 45.0))
    assert 0.95 * plant.gross_mw < mild < 1.15 * plant.gross_mw
    assert hot < 0.95 * mild


def test_standing_still_a_plant_draws_its_fixed_use() -> None:
    told = replay(PLANTS["noor-iii"], year(), series(), series())
    assert told.net_mw.max() == pytest.approx(-0.0055 * 150)
    assert told.water_m3.sum() == 0


def test_water_cooling_takes_water_and_dry_cooling_little() -> None:
    used = {}
    for name in ("noor-i", "noor-ii"):
        full = series(power_block(PLANTS[name]).design_mw_th)
        told = replay(PLANTS[name], year(), full, full)
        used[name] = told.water_m3.sum() / told.net_mw.sum()
    assert used["noor-i"] > 10 * used["noor-ii"] > 0


def test_wet_bulb_of_a_known_state() -> None:
    found = wet_bulb_c(year(temp_c=20.0))  # 50 % humidity: 13.7 degC by Stull's paper
    assert found[0] == pytest.approx(13.7, abs=0.1)


def test_a_plant_alone_starts_about_once_a_day_and_its_targets_can_be_met() -> None:
    plant = PLANTS["noor-i"]
    heat = trough_heat_mw(plant, PLACE, year())
    target = targets_alone_mw_th(plant, PLACE, heat)
    told = replay(plant, year(), heat, target)
    runs = target > 0
    assert 300 < int((runs & ~np.roll(runs, 1)).sum()) < 800
    steady = runs & (told.heat.start_mw_th == 0)
    assert np.abs(target - told.heat.drawn_mw_th)[steady].mean() < 1.0
