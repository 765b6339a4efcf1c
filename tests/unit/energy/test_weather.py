"""Synthetic years: published sums, the marginals and memories that are stated, shared weather, site fields."""

from __future__ import annotations

from math import gamma

import numpy as np
import numpy.typing as npt
import pytest

from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather import typical_year, typical_years
from eureka_park.energy.core.weather_checks import check_year
from eureka_park.energy.core.weather_year import REFERENCE_YEAR_S, WeatherYear
from eureka_park.foundation.site_file import WeatherSite

DESERT = WeatherSite(
    id="desert", latitude_deg=31.049, longitude_deg=-6.869, altitude_m=1260.0, dni_kwh_per_m2_year=2508.0,
    temp_mean_c=19.0, temp_season_c=10.0, temp_day_c=7.0, wind_m_per_s_mean=4.0, humidity_mean_frac=0.35,
    linke_turbidity=(2.95, 3.6, 3.2, 3.85, 4.0, 4.75, 4.9, 5.05, 4.75, 4.25, 3.95, 3.5),
)  # fmt: skip
COAST = WeatherSite(
    id="coast", latitude_deg=35.82, longitude_deg=-5.45, altitude_m=400.0, temp_mean_c=17.0, temp_season_c=5.5,
    temp_day_c=3.0, wind_m_per_s_mean=9.5, wind_k=1.9, humidity_mean_frac=0.68,
)  # fmt: skip
STARTS_S = REFERENCE_YEAR_S + 3600.0 * np.arange(8760.0)
COLUMNS = (
    "dni_w_per_m2", "dhi_w_per_m2", "ghi_w_per_m2", "temp_c", "humidity_frac", "pressure_pa", "wind_m_per_s",
)  # fmt: skip


def memory(series: Floats, lag: int = 1) -> float:
    return float(np.corrcoef(series, np.roll(series, lag))[0, 1])


def by_day(series: Floats) -> Floats:
    return np.asarray(series.reshape(365, 24).mean(axis=1))


def day_clearness(year: WeatherYear) -> Floats:
    """Beam of each day over the best beam of the days around it."""
    daily = by_day(year.dni_w_per_m2)
    best = np.max([np.roll(daily, step) for step in range(-20, 21)], axis=0)
    return np.asarray(daily / best)


def test_the_parts_of_the_light_add_up_in_every_hour() -> None:
    year = typical_year(DESERT, 3)
    beam = year.dni_w_per_m2 * np.maximum(0.0, year.sun.cos_zenith)
    assert year.ghi_w_per_m2 == pytest.approx(year.dhi_w_per_m2 + beam, abs=1e-9)
    assert year.dni_w_per_m2.sum() / 1000 == pytest.approx(2508, rel=1e-9)
    assert 2050 < year.ghi_w_per_m2.sum() / 1000 < 2250  # satellite figure of the region: 2,253
    assert 450 < year.dhi_w_per_m2.sum() / 1000 < 650


@pytest.mark.parametrize("place", [DESERT, COAST], ids=lambda place: place.id)
def test_the_checks_find_nothing_in_it(place: WeatherSite) -> None:
    year = typical_year(place, 2)
    assert check_year({name: getattr(year, name) for name in COLUMNS}, place, STARTS_S) == ()


def test_most_desert_days_are_clear_and_few_are_dark() -> None:
    clearness = np.concatenate([day_clearness(typical_year(DESERT, seed)) for seed in range(1, 5)])
    assert 0.5 < float((clearness > 0.8).mean()) < 0.85
    assert 0.01 < float((clearness < 0.2).mean()) < 0.08


def test_wind_has_its_weibull_law_and_its_memory() -> None:
    speed = typical_year(COAST, 3).wind_m_per_s
    scale = 9.5 / gamma(1 + 1 / 1.9)
    levels = np.array([0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99])
    assert np.quantile(speed, levels) == pytest.approx(scale * (-np.log1p(-levels)) ** (1 / 1.9), rel=5e-3)
    assert 0.93 < memory(speed) < 0.98


def swing(series: Floats, groups: npt.NDArray[np.int64]) -> float:
    """Half the distance between the groups' lowest and highest mean, over the mean."""
    means = np.bincount(groups, series) / np.bincount(groups)
    return float((means.max() - means.min()) / 2 / series.mean())


def test_the_swings_of_the_wind_are_the_site_s() -> None:
    hours, months = np.arange(8760) % 24, np.arange(8760) * 12 // 8760
    still = COAST.model_copy(update={"wind_day_frac": 0.0})
    strong = COAST.model_copy(update={"wind_day_frac": 0.2, "wind_season_frac": 0.25, "wind_season_peak_month": 7})
    years = {place: [typical_year(place, seed).wind_m_per_s for seed in range(8)] for place in (still, COAST, strong)}
    mean = {place: np.mean(series, axis=0) for place, series in years.items()}
    assert swing(mean[still], hours) < 0.04
    assert swing(mean[COAST], hours) == pytest.approx(0.08, abs=0.04)
    assert swing(mean[strong], hours) == pytest.approx(0.2, abs=0.05)
    assert int(np.argmax(np.bincount(hours, mean[strong]))) in (14, 15, 16)
    assert swing(mean[strong], months) == pytest.approx(0.25, abs=0.1)
    assert int(np.argmax(np.bincount(months, mean[strong]))) in (5, 6, 7)


def test_air_follows_the_clouds() -> None:
    spread, wet = [], []
    for seed in range(1, 5):
        year = typical_year(DESERT, seed)
        clearness = day_clearness(year)
        ranges = np.ptp(year.temp_c.reshape(365, 24), axis=1)
        spread.append(ranges[clearness > 0.9].mean() / ranges[clearness < 0.4].mean())
        wet.append(np.corrcoef(by_day(year.humidity_frac), clearness)[0, 1])
        assert year.temp_c.mean() == pytest.approx(19.0) and year.humidity_frac.mean() == pytest.approx(0.35, abs=1e-3)
        assert year.humidity_frac.min() >= 0.02 and year.humidity_frac.max() <= 1.0
    assert 1.2 < float(np.mean(spread)) < 2.6  # Daggett 2.4, Tetouan 2.6 between clear and overcast
    assert -0.6 < float(np.mean(wet)) < -0.1


def test_pressure_is_that_of_the_height_and_of_the_weather() -> None:
    year = typical_year(DESERT, 1)
    assert year.pressure_pa.mean() == pytest.approx(101325 * np.exp(-1260 / 8434), rel=2e-4)
    assert 200 < by_day(year.pressure_pa).std() < 400 and 0.4 < memory(by_day(year.pressure_pa)) < 0.8


def test_a_place_has_the_same_year_alone_as_in_company() -> None:
    both, other_way = typical_years((DESERT, COAST), 7), typical_years((COAST, DESERT), 7)
    for place in (DESERT, COAST):
        alone = typical_year(place, 7)
        for name in COLUMNS:
            assert getattr(alone, name).tobytes() == getattr(both[place.id], name).tobytes()
            assert getattr(alone, name).tobytes() == getattr(other_way[place.id], name).tobytes()
        assert alone.provenance == both[place.id].provenance


def test_places_of_one_seed_share_their_weather_by_distance() -> None:
    near = DESERT.model_copy(update={"id": "near", "latitude_deg": 31.4})
    pressures, clouds, close = [], [], []
    for seed in range(1, 9):
        years = typical_years((DESERT, COAST.model_copy(update={"dni_kwh_per_m2_year": 1700.0}), near), seed)
        pressures.append(np.corrcoef(by_day(years["desert"].pressure_pa), by_day(years["coast"].pressure_pa))[0, 1])
        clouds.append(np.corrcoef(day_clearness(years["desert"]), day_clearness(years["coast"]))[0, 1])
        close.append(np.corrcoef(day_clearness(years["desert"]), day_clearness(years["near"]))[0, 1])
    assert 0.7 < float(np.mean(pressures)) < 0.9
    assert 0.03 < float(np.mean(clouds)) < 0.3
    assert float(np.mean(close)) > 0.75


def test_local_days_are_the_place_s_own() -> None:
    """In the Pacific a day's clouds change at local midnight, not in the afternoon: hours of one afternoon agree."""
    west = DESERT.model_copy(update={"longitude_deg": -160.0})
    year = typical_year(west, 1)
    high = year.sun.cos_zenith > 0.5
    steps = np.abs(np.diff(year.dni_w_per_m2))[high[1:] & high[:-1]]
    home = typical_year(DESERT, 1)
    at_home = home.sun.cos_zenith > 0.5
    assert steps.mean() == pytest.approx(np.abs(np.diff(home.dni_w_per_m2))[at_home[1:] & at_home[:-1]].mean(), rel=0.2)


def test_a_place_south_of_the_line_has_its_summer_in_january() -> None:
    year = typical_year(DESERT.model_copy(update={"latitude_deg": -31.0}), 1)
    assert year.temp_c[:744].mean() > year.temp_c[4344:5088].mean() + 10
    assert year.dni_w_per_m2[:744].sum() > year.dni_w_per_m2[4344:5088].sum()


def test_a_figure_of_the_site_changes_the_content_id() -> None:
    dusty = DESERT.model_copy(update={"linke_turbidity": (4.5,) * 12})
    ids = {typical_year(place, seed).provenance.content_id for place in (DESERT, dusty) for seed in (1, 2)}
    assert len(ids) == 4
