"""Wind: the power curve and how it was made, density, shear, stops in high wind, losses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.core.wind import (
    curve_pu,
    hub_air_kg_per_m3,
    hub_wind_m_per_s,
    is_turning,
    kept_frac,
    wind_mw,
)
from eureka_park.foundation.plant_data import parameter, series_parameter
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
PLACE = PARK.weather_sites[1]
PLANT = PARK.plants[4]
YEAR = typical_year(PLACE, 1)


def test_the_5_mw_machine_on_132_m() -> None:
    curve = curve_pu(PLANT, np.array([2.9, 3.0, 8.0, 11.0, 14.0, 25.0]))
    assert curve[0] == 0 and curve[1] > 0
    assert 0.3 < curve[2] < 0.5 and 0.8 < curve[3] < 0.95 and curve[4] > 0.99
    assert np.all(np.diff(curve) >= 0) and curve[-1] == 1.0


def test_the_curve_is_what_its_source_says_it_is() -> None:
    """Cp 0.44, less 1 % of rating, limited, averaged over a normal wind of 10 %: the text beside the table."""
    area_m2, steps = np.pi * 132.0**2 / 4, np.linspace(-4, 4, 801)
    weight = np.exp(-(steps**2) / 2) / np.exp(-(steps**2) / 2).sum()

    def ideal(speed: np.ndarray) -> np.ndarray:
        free = 0.5 * 1.225 * 0.44 * area_m2 * speed**3 / 5e6 - 0.01
        return np.where(speed >= 3.0, np.clip(free, 0.0, 1.0), 0.0)

    speeds = series_parameter(PLANT, "curve_m_per_s")
    made = [float((ideal(speed * (1 + 0.1 * steps)) * weight).sum()) for speed in speeds]
    assert series_parameter(PLANT, "curve_pu") == pytest.approx(made, abs=6e-4)


def test_more_power_on_the_rotor_needs_more_wind() -> None:
    small = PLANT.model_copy(update={"rotor_m": 110.0})
    assert curve_pu(small, np.array([8.0]))[0] < curve_pu(PLANT, np.array([8.0]))[0]
    low = PLANT.model_copy(update={"rotor_m": 160.0})
    assert curve_pu(low, np.array([8.0]))[0] > curve_pu(PLANT, np.array([8.0]))[0]


def test_air_is_thinner_where_it_is_warm_moist_or_high() -> None:
    standard = replace(
        YEAR, temp_c=np.full(8760, 15.0), pressure_pa=np.full(8760, 101325.0), humidity_frac=np.zeros(8760)
    )
    level = PLANT.model_copy(update={"hub_m": 1e-6})
    assert hub_air_kg_per_m3(level, standard)[0] == pytest.approx(1.225, abs=0.001)
    assert hub_air_kg_per_m3(PLANT, standard)[0] == pytest.approx(1.225 * np.exp(-84 / 8434), abs=0.001)
    warm, moist = replace(standard, temp_c=np.full(8760, 35.0)), replace(standard, humidity_frac=np.ones(8760))
    assert hub_air_kg_per_m3(level, warm)[0] == pytest.approx(1.225 * 288.15 / 308.15, abs=0.001)
    assert 0.99 < hub_air_kg_per_m3(level, moist)[0] / 1.225 < 0.9975
    assert wind_mw(PLANT, PLACE, warm).sum() < wind_mw(PLANT, PLACE, standard).sum()


def test_wind_is_carried_to_the_hub_by_the_power_law() -> None:
    low = replace(YEAR, wind_height_m=10.0)
    assert hub_wind_m_per_s(PLANT, low) == pytest.approx(YEAR.wind_m_per_s * 8.4**0.14)
    assert hub_wind_m_per_s(PLANT, YEAR) is YEAR.wind_m_per_s


def test_after_a_storm_machines_wait_until_it_has_fallen() -> None:
    speeds = np.array([20.0, 25.5, 24.0, 22.5, 21.9, 23.0, 24.9, 25.1, 23.0, 10.0])
    assert is_turning(PLANT, speeds).tolist() == [1, 0, 0, 0, 1, 1, 1, 0, 0, 1]
    assert is_turning(PLANT, np.array([23.0, 24.0])).tolist() == [1, 1]


def test_losses_are_those_of_the_data_or_of_the_site_file() -> None:
    assert kept_frac(PLANT) == pytest.approx(0.95 * 0.98 * 0.964 * 0.982)
    assert kept_frac(PLANT.model_copy(update={"loss_frac": 0.2})) == 0.8
    own = PLANT.model_copy(update={"parameters": {"wake_frac": 0.0}})
    assert parameter(own, "wake_frac") == 0.0 and kept_frac(own) > kept_frac(PLANT)


def test_the_raw_year_stands_near_other_tools() -> None:
    gwh = wind_mw(PLANT, PLACE, YEAR).sum() / 1000
    assert 350 < gwh < 410  # SAM gave 367 with its own curve and losses
    assert wind_mw(PLANT, PLACE, YEAR).min() >= 0 and wind_mw(PLANT, PLACE, YEAR).max() <= PLANT.gross_mw
