"""The tower by itself: its table, its starts, its limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.energy.test_trough import PARK, PLACE, SUN, year

from eureka_park.energy.core.tower import field_share, tower_field, tower_flows, tower_heat_mw

PLANT = next(plant for plant in PARK.plants if plant.id == "noor-iii")
TOWER = tower_field(PLANT, PLACE)


def test_the_table_is_met_at_its_nodes_and_lies_between_them() -> None:
    share = field_share(TOWER, year())
    overhead = int(np.argmin(SUN.zenith_rad))
    assert share[overhead] == pytest.approx(TOWER.field_frac[0, 0], abs=0.01)
    assert share.max() <= TOWER.field_frac.max()
    assert np.all(share[np.degrees(SUN.elevation_rad) < TOWER.deploy_elevation_deg] == 0)


def test_morning_and_evening_are_alike() -> None:
    share = field_share(TOWER, year())
    west = replace(TOWER, azimuth_deg=TOWER.azimuth_deg)
    mirrored = replace(year(), sun=replace(SUN, azimuth_rad=(2 * np.pi - SUN.azimuth_rad) % (2 * np.pi)))
    assert np.allclose(field_share(west, mirrored), share)


def test_south_of_the_equator_the_table_is_turned() -> None:
    turned = replace(year(), sun=replace(SUN, azimuth_rad=(SUN.azimuth_rad + np.pi) % (2 * np.pi)))
    assert np.allclose(field_share(replace(TOWER, is_south=True), turned), field_share(TOWER, year()))


def test_a_start_takes_its_heat_and_its_time() -> None:
    flows = tower_flows(TOWER, year())
    day = slice(24 * 171, 24 * 172)
    assert TOWER.start_mwh <= flows.start_mw[day].sum() < 1.5 * TOWER.start_mwh  # the least time may take more
    first = int(np.flatnonzero(flows.heat_mw[day])[0])
    assert flows.start_mw[day][first] > 0 or flows.start_mw[day][first - 1] > 0


def test_weak_sun_never_starts_it_and_strong_sun_is_cut() -> None:
    assert tower_flows(TOWER, year(dni=200.0)).heat_mw.max() == 0
    small = replace(TOWER, most_frac=0.5)
    assert tower_flows(small, year(dni=1000.0)).heat_mw.max() == pytest.approx(0.5 * TOWER.rated_mw)


def test_wind_stows_the_mirrors_and_cools_the_receiver() -> None:
    assert tower_flows(TOWER, year(wind=16.0)).heat_mw.max() == 0
    assert tower_flows(TOWER, year(wind=10.0)).heat_mw.sum() < tower_flows(TOWER, year()).heat_mw.sum()


def test_a_cloud_costs_a_new_start() -> None:
    clear = year()
    cloud = clear.dni_w_per_m2.copy()
    cloud[24 * 171 + 12] = 0.0
    flows = tower_flows(TOWER, replace(clear, dni_w_per_m2=cloud))
    day = slice(24 * 171, 24 * 172)
    assert flows.start_mw[day].sum() >= 2 * TOWER.start_mwh
    assert flows.heat_mw[day][12] == 0 < flows.heat_mw[day][13] < flows.heat_mw[day][14]


def test_the_plant_function_is_the_tower() -> None:
    assert np.array_equal(tower_heat_mw(PLANT, PLACE, year()), tower_flows(TOWER, year()).heat_mw)
