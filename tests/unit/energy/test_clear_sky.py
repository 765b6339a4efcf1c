"""The clear sky against pvlib's: same inputs, same irradiance; the sun against NREL's algorithm."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from eureka_park.energy.core.clear_sky import clear_sky, standard_pressure_pa, turbidity_of_days
from eureka_park.energy.core.sun import air_mass, sun_at
from eureka_park.foundation.site_reading import load_site

STARTS_S = 1735689600.0 + 3600.0 * np.arange(8760.0)
MONTHLY = (2.95, 3.6, 3.2, 3.85, 4.0, 4.75, 4.9, 5.05, 4.75, 4.25, 3.95, 3.5)
PLACES = [
    (31.049, -6.869, 1260.0),
    (35.82, -5.45, 400.0),
    (64.1, 20.9, 0.0),
    (-33.9, 151.2, 40.0),
    (-16.5, -68.1, 4000.0),
]


@pytest.mark.parametrize(("latitude_deg", "longitude_deg", "altitude_m"), PLACES)
def test_it_is_the_clear_sky_of_pvlib(latitude_deg: float, longitude_deg: float, altitude_m: float) -> None:
    pvlib = pytest.importorskip("pvlib", reason="pvlib is an optional reference")
    sun = sun_at(STARTS_S + 1800.0, latitude_deg, longitude_deg)
    turbidity = turbidity_of_days(MONTHLY)[np.arange(8760) // 24]
    ours = clear_sky(sun, altitude_m, turbidity)
    mass = np.where(sun.cos_zenith > 0, air_mass(sun), np.nan)
    mass = mass * standard_pressure_pa(altitude_m) / 101325.0
    with np.errstate(divide="ignore", invalid="ignore"):  # pvlib divides by the height of a sun that is down
        theirs = pvlib.clearsky.ineichen(np.degrees(sun.zenith_rad), mass, turbidity, altitude_m, sun.beam_w_per_m2)
    for name in ("ghi", "dni", "dhi"):
        mine = getattr(ours, f"{name}_w_per_m2")
        assert mine == pytest.approx(theirs[name], rel=1e-6, abs=1e-6), name
    assert ours.ghi_w_per_m2.max() > 500 and ours.dni_w_per_m2.min() == 0


@pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear")  # pvlib with a younger pandas
def test_the_turbidity_of_a_day_is_that_of_pvlib() -> None:
    """Its table for the two places of the site, led from middle to middle of the months; days apart by rounding."""
    pandas = pytest.importorskip("pandas", reason="pvlib is an optional reference")
    pvlib = pytest.importorskip("pvlib", reason="pvlib is an optional reference")
    pytest.importorskip("h5py", reason="pvlib reads its turbidity table by h5py")
    days = pandas.date_range("2025-01-01 12:00", periods=365, freq="D", tz="UTC")
    for place in load_site("eureka-park").weather_sites:
        assert place.linke_turbidity is not None
        table = pvlib.clearsky.lookup_linke_turbidity(days, place.latitude_deg, place.longitude_deg)
        assert turbidity_of_days(place.linke_turbidity) == pytest.approx(table.to_numpy(), abs=0.06)


@pytest.mark.parametrize(("latitude_deg", "longitude_deg", "altitude_m"), PLACES[:4])
def test_the_sun_is_where_nrel_sees_it(latitude_deg: float, longitude_deg: float, altitude_m: float) -> None:
    pvlib = pytest.importorskip("pvlib", reason="pvlib is an optional reference")
    pandas = pytest.importorskip("pandas", reason="pvlib is an optional reference")
    for year in ("2019", "2026", "2041"):
        times = pandas.date_range(f"{year}-01-01 00:30", periods=1460, freq="6h10min", tz="UTC")
        instants_s = np.array([datetime.timestamp(time) for time in times])
        sun = sun_at(instants_s, latitude_deg, longitude_deg)
        theirs = pvlib.solarposition.spa_python(times, latitude_deg, longitude_deg, altitude_m, how="numpy")
        assert np.abs(np.degrees(sun.zenith_rad) - theirs["zenith"].to_numpy()).max() < 0.02
        turn = (np.degrees(sun.azimuth_rad) - theirs["azimuth"].to_numpy() + 180.0) % 360.0 - 180.0
        assert np.abs(turn * np.sin(sun.zenith_rad)).max() < 0.02  # as an angle on the sky


def test_dust_dims_the_beam_and_height_brightens_it() -> None:
    noon = sun_at(np.array([datetime.fromisoformat("2025-06-21T12:30:00+00:00").timestamp()]), 31.0, -6.9)
    clean, dusty = clear_sky(noon, 1260.0, 2.0), clear_sky(noon, 1260.0, 6.0)
    assert 700 < dusty.dni_w_per_m2[0] < 0.85 * clean.dni_w_per_m2[0] < 900
    assert dusty.dhi_w_per_m2[0] > 2 * clean.dhi_w_per_m2[0]
    assert clear_sky(noon, 1260.0, 3.0).dni_w_per_m2[0] > clear_sky(noon, 0.0, 3.0).dni_w_per_m2[0]
    night = sun_at(np.array([datetime.fromisoformat("2025-06-21T00:30:00+00:00").timestamp()]), 31.0, -6.9)
    dark = clear_sky(night, 0.0, 3.0)
    assert dark.dni_w_per_m2[0] == dark.dhi_w_per_m2[0] == dark.ghi_w_per_m2[0] == 0


def test_months_are_led_over_without_a_step() -> None:
    days = turbidity_of_days(MONTHLY)
    assert len(days) == 365 and days[15] == pytest.approx(2.95, abs=0.02) and days[227] == pytest.approx(5.05, abs=0.02)
    assert np.abs(np.diff(np.append(days, days[0]))).max() < 0.03
