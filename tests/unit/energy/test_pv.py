"""PV: light on a tracker and on a roof, glass, inverter, and the year against PVWatts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eureka_park.energy.core.pv import (
    fixed_plane,
    glass_frac,
    inverter_mw,
    light_on_plane,
    perez_w_per_m2,
    pv_mw,
    tracker_plane,
)
from eureka_park.energy.core.weather import typical_year
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
PLACE = PARK.weather_sites[0]
PLANT = PARK.plants[3]
YEAR = typical_year(PLACE, 1)
DAY = YEAR.sun.cos_zenith > 0.05


def test_a_tracker_gathers_more_than_a_roof_and_a_roof_more_than_the_ground() -> None:
    tracked = light_on_plane(PLANT, YEAR, tracker_plane(PLANT, YEAR.sun))[0].sum()
    tilted = light_on_plane(PLANT, YEAR, fixed_plane(YEAR.sun, PLACE.latitude_deg))[0].sum()
    assert tracked > 1.1 * tilted > 1.1 * YEAR.ghi_w_per_m2.sum()


def test_a_level_plane_sees_the_horizontal_light() -> None:
    light, used = light_on_plane(PLANT, YEAR, fixed_plane(YEAR.sun, 0.0))
    assert light[DAY] == pytest.approx(YEAR.ghi_w_per_m2[DAY], rel=0.02, abs=8.0)
    assert np.all(used <= light + 1e-9)


def test_sky_light_agrees_with_pvlib() -> None:
    pvlib = pytest.importorskip("pvlib", reason="pvlib is not installed: the reference of the sky model")
    plane = tracker_plane(PLANT, YEAR.sun)
    around, dome = perez_w_per_m2(YEAR, plane)
    zenith_deg = np.degrees(YEAR.sun.zenith_rad)
    turn_deg = np.degrees(plane.tilt_rad)
    azimuth = np.where(np.degrees(YEAR.sun.azimuth_rad) < 180.0, 90.0, 270.0)
    theirs = pvlib.irradiance.perez(
        turn_deg, azimuth, YEAR.dhi_w_per_m2, YEAR.dni_w_per_m2, YEAR.sun.beam_w_per_m2, zenith_deg,
        np.degrees(YEAR.sun.azimuth_rad), pvlib.atmosphere.get_relative_airmass(np.minimum(zenith_deg, 89.9)),
        model="allsitescomposite1990",
    )  # fmt: skip
    lit = DAY & (plane.cos_incidence > 0.1)
    assert (around + dome)[lit] == pytest.approx(np.asarray(theirs)[lit], rel=0.03, abs=3.0)


def test_a_tracker_turns_back_when_the_sun_is_low_and_stops_at_its_limit() -> None:
    plane = tracker_plane(PLANT, YEAR.sun)
    assert np.degrees(plane.tilt_rad.max()) == pytest.approx(45.0)
    low = (YEAR.sun.cos_zenith > 0) & (YEAR.sun.cos_zenith < 0.05)
    assert np.degrees(plane.tilt_rad[low]).max() < 25.0
    assert np.all(plane.cos_incidence[YEAR.sun.cos_zenith <= 0] == 0)


def test_glass_passes_all_straight_on_and_nothing_from_the_side() -> None:
    angles = np.radians([0.0, 30.0, 60.0, 80.0, 90.0])
    passed = glass_frac(PLANT, angles)
    assert passed[0] == pytest.approx(1.0, abs=1e-3) and passed[-1] == 0.0
    assert np.all(np.diff(passed) < 1e-9)
    assert passed[2] == pytest.approx(0.94, abs=0.02)


def test_the_inverter_loses_most_at_low_load_and_never_passes_its_rating() -> None:
    direct = np.array([0.0, 0.5, 7.5, 37.5, 75.0, 90.0])
    given = inverter_mw(PLANT, direct)
    assert given[0] == 0.0 and np.all(np.diff(given) >= 0) and given[-1] == PLANT.gross_mw
    assert given[3] / direct[3] == pytest.approx(0.96, abs=0.01)
    assert given[2] / direct[2] < given[3] / direct[3]


def test_heat_and_calm_air_cost_power() -> None:
    hot = replace(YEAR, temp_c=YEAR.temp_c + 10.0)
    windy = replace(YEAR, wind_m_per_s=np.full(8760, 8.0))
    calm = replace(YEAR, wind_m_per_s=np.full(8760, 0.5))
    usual = pv_mw(PLANT, PLACE, YEAR).sum()
    assert 0.955 < pv_mw(PLANT, PLACE, hot).sum() / usual < 0.975
    assert pv_mw(PLANT, PLACE, windy).sum() > usual > pv_mw(PLANT, PLACE, calm).sum()


def test_a_year_without_any_wind_gets_the_assumed_wind() -> None:
    none = replace(YEAR, wind_m_per_s=np.zeros(8760))
    assumed = replace(YEAR, wind_m_per_s=np.full(8760, 2.0))
    assert np.array_equal(pv_mw(PLANT, PLACE, none), pv_mw(PLANT, PLACE, assumed))
