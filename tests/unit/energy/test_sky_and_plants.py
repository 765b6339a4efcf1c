"""Sun and typical year: known positions, published sums, seeds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from eureka_park.energy.core.sun import sun_at
from eureka_park.energy.core.weather import circular_ar1, hour_of_year, typical_year
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
PLACES = {place.id: place for place in PARK.weather_sites}


def sun_of(text: str, latitude_deg: float, longitude_deg: float):
    return sun_at(np.array([datetime.fromisoformat(text).timestamp()]), latitude_deg, longitude_deg)


@pytest.mark.parametrize(
    ("instant", "latitude_deg", "longitude_deg", "elevation_deg", "azimuth_deg"),
    [
        # NREL's solar position algorithm (TP-560-34302), worked example: zenith 50.11162, azimuth 194.34024.
        ("2003-10-17T12:30:30-07:00", 39.742476, -105.1786, 90 - 50.11162, 194.34024),
        # Solstice on the northern tropic, mean noon less the equation of time (about -1.8 min): overhead.
        ("2025-06-21T12:01:50+00:00", 23.436, 0.0, 90.0, None),
    ],
)  # fmt: skip
def test_the_sun_stands_where_it_should(instant, latitude_deg, longitude_deg, elevation_deg, azimuth_deg) -> None:
    sun = sun_of(instant, latitude_deg, longitude_deg)
    assert np.degrees(sun.elevation_rad[0]) == pytest.approx(elevation_deg, abs=0.1)
    if azimuth_deg is not None:
        assert np.degrees(sun.azimuth_rad[0]) == pytest.approx(azimuth_deg, abs=0.1)


def test_hour_of_year_wraps_and_repeats_28_february_on_leap_days() -> None:
    def hour(*when: int) -> int:
        return int(hour_of_year(datetime(*when, tzinfo=UTC).timestamp())[0])  # type: ignore[misc]

    assert hour(2025, 1, 1) == hour(2028, 1, 1) == 0
    assert hour(2025, 12, 31, 23, 59) == hour(2028, 12, 31, 23) == 8759
    assert hour(2028, 2, 29, 5) == hour(2028, 2, 28, 5) == hour(2025, 2, 28, 5)
    assert hour(2028, 3, 1) == hour(2025, 3, 1) == 59 * 24
    start = datetime(2027, 12, 31, 20, tzinfo=UTC)
    across = np.array([(start + timedelta(hours=step)).timestamp() for step in range(8)])
    assert hour_of_year(across).tolist() == [8756, 8757, 8758, 8759, 0, 1, 2, 3]


def test_the_year_has_the_published_sums() -> None:
    sky, wind = typical_year(PLACES["ouarzazate"], 7), typical_year(PLACES["koudia"], 7)
    assert sky.dni_w_per_m2.sum() / 1000 == pytest.approx(2508, rel=1e-6)
    assert sky.dni_w_per_m2.min() == 0 and sky.dni_w_per_m2.max() < 1100
    ghi = (sky.dni_w_per_m2 * np.maximum(0, sky.sun.cos_zenith) + sky.dhi_w_per_m2).sum() / 1000
    assert 1900 < ghi < 2350  # satellite figure of the region: 2,253
    assert wind.wind_m_per_s.mean() == pytest.approx(9.5, rel=1e-3)
    assert wind.dni_w_per_m2.max() == 0
    assert sky.provenance.text == "synthetic typical year, seed 7"
    assert -10 < sky.temp_c.min() < 5 < 35 < sky.temp_c.max() < 48


def test_a_seed_gives_its_year_bit_by_bit_and_another_seed_another() -> None:
    first, again, other = (typical_year(PLACES["ouarzazate"], seed) for seed in (3, 3, 4))
    assert np.array_equal(first.dni_w_per_m2, again.dni_w_per_m2) and np.array_equal(first.temp_c, again.temp_c)
    assert not np.array_equal(first.dni_w_per_m2, other.dni_w_per_m2)


def test_the_series_has_no_seam_and_the_stated_memory() -> None:
    series = circular_ar1(SeedTree(1), 8760, 0.96)
    assert np.corrcoef(series, np.roll(series, 1))[0, 1] == pytest.approx(0.96, abs=0.01)
    assert abs(series[0] - series[-1]) < 2.0


def test_more_sun_than_a_clear_sky_gives_is_refused() -> None:
    cloudy = PLACES["ouarzazate"].model_copy(update={"latitude_deg": 62.0, "dni_kwh_per_m2_year": 3500.0})
    with pytest.raises(BadInput, match="more than a clear sky"):
        typical_year(cloudy, 1)
