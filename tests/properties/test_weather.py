"""Whatever the place and the seed, a synthetic year keeps its sums, its bounds and its bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.core.weather_checks import check_year
from eureka_park.energy.core.weather_year import REFERENCE_YEAR_S
from eureka_park.foundation.site_file import WeatherSite

STARTS_S = REFERENCE_YEAR_S + 3600.0 * np.arange(8760.0)
COLUMNS = (
    "dni_w_per_m2", "dhi_w_per_m2", "ghi_w_per_m2", "temp_c", "humidity_frac", "pressure_pa", "wind_m_per_s",
)  # fmt: skip


@st.composite
def places(draw: st.DrawFn) -> WeatherSite:
    """Any place between the polar circles, with sun that its sky can give."""
    latitude_deg = draw(st.floats(-55.0, 55.0))
    return WeatherSite(
        id="place",
        latitude_deg=latitude_deg,
        longitude_deg=draw(st.floats(-180.0, 180.0)),
        altitude_m=draw(st.floats(0.0, 3000.0)),
        dni_kwh_per_m2_year=draw(st.floats(700.0, 2100.0 - 18.0 * max(0.0, abs(latitude_deg) - 30.0))),
        temp_mean_c=draw(st.floats(0.0, 28.0)),
        temp_season_c=draw(st.floats(0.0, 15.0)),
        temp_day_c=draw(st.floats(0.0, 8.0)),
        wind_m_per_s_mean=draw(st.floats(3.0, 12.0)),
        wind_k=draw(st.floats(1.5, 3.0)),
        wind_day_frac=draw(st.floats(0.0, 0.3)),
        humidity_mean_frac=draw(st.floats(0.2, 0.9)),
    )


@settings(max_examples=40, deadline=None)
@given(place=places(), seed=st.integers(0, 2**31))
def test_any_year_keeps_its_sums_and_passes_its_own_checks(place: WeatherSite, seed: int) -> None:
    year = typical_year(place, seed)
    columns = {name: getattr(year, name) for name in COLUMNS}
    assert all(np.isfinite(values).all() and len(values) == 8760 for values in columns.values())
    assert year.dni_w_per_m2.sum() / 1000 == pytest.approx(place.dni_kwh_per_m2_year, rel=1e-6)
    assert min(year.dni_w_per_m2.min(), year.dhi_w_per_m2.min(), year.wind_m_per_s.min()) >= 0.0
    assert year.wind_m_per_s.mean() == pytest.approx(place.wind_m_per_s_mean, rel=2e-3)
    assert year.humidity_frac.mean() == pytest.approx(place.humidity_mean_frac, abs=2e-3)
    assert [fault.text for fault in check_year(columns, place, STARTS_S) if fault.is_grave] == []
    again = typical_year(place, seed)
    assert all(getattr(again, name).tobytes() == values.tobytes() for name, values in columns.items())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_memories_stay_inside_their_ranges_over_seeds(seed: int) -> None:
    place = WeatherSite(
        id="desert", latitude_deg=31.049, longitude_deg=-6.869, altitude_m=1260.0, dni_kwh_per_m2_year=2508.0,
        wind_m_per_s_mean=9.5, linke_turbidity=(2.95, 3.6, 3.2, 3.85, 4.0, 4.75, 4.9, 5.05, 4.75, 4.25, 3.95, 3.5),
    )  # fmt: skip
    year = typical_year(place, seed)
    wind = year.wind_m_per_s
    assert 0.92 < float(np.corrcoef(wind, np.roll(wind, 1))[0, 1]) < 0.985
    daily = year.dni_w_per_m2.reshape(365, 24).sum(axis=1)
    best = np.max([np.roll(daily, step) for step in range(-20, 21)], axis=0)
    clearness = daily / best
    assert 0.05 < float(np.corrcoef(clearness, np.roll(clearness, 1))[0, 1]) < 0.6  # Daggett 0.37
    assert 0.12 < float(clearness.std()) < 0.32  # Daggett 0.25
    assert 2030 < year.ghi_w_per_m2.sum() / 1000 < 2250
