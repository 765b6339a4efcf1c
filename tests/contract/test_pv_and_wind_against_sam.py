"""PV and wind against NREL's SAM (PySAM) under the same weather: within 3 % over the year, hour by hour nearly alike.

At Ouarzazate (synthetic) and Daggett (real, NSRDB), the same figures at both places: nothing is tuned to a place.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eureka_park.energy.core.pv import kept_frac, pv_mw
from eureka_park.energy.core.sun import sun_at
from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.core.weather_year import REFERENCE_YEAR_S, Provenance, WeatherYear
from eureka_park.energy.core.wind import hub_wind_m_per_s, wind_mw
from eureka_park.foundation.plant_data import parameter, series_parameter
from eureka_park.foundation.site_file import Plant, WeatherSite
from eureka_park.foundation.site_reading import load_site

DAGGETT = Path(__file__).parents[3] / "shared" / "data" / "weather" / "daggett-ca-nsrdb-psm3-tmy.csv"
PARK = load_site("eureka-park")
OUARZAZATE, KOUDIA = PARK.weather_sites
PLANTS = {plant.id: plant for plant in PARK.plants}
MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def ouarzazate() -> tuple[WeatherSite, WeatherYear, int]:
    """The synthetic year; its wind is the one that panels are given where a place says none."""
    year = typical_year(OUARZAZATE, 1)
    if not year.wind_m_per_s.any():
        calm = parameter(PLANTS["noor-iv"], "wind_if_unknown_m_per_s")
        year = replace(year, wind_m_per_s=np.full(8760, calm))
    return OUARZAZATE, year, 0


def daggett() -> tuple[WeatherSite, WeatherYear, int]:
    """The real year in the hours of its own clock: models look at single hours, so the order does not matter."""
    if not DAGGETT.is_file():
        pytest.skip("the real year of Daggett is not in this checkout's neighbourhood")
    with DAGGETT.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    head = dict(zip(rows[0], rows[1], strict=False))
    latitude, longitude, zone = (float(head[name]) for name in ("Latitude", "Longitude", "Time Zone"))
    column = {name: np.array([float(row[at]) for row in rows[3:]]) for at, name in enumerate(rows[2][:13])}
    starts_s = REFERENCE_YEAR_S + (np.arange(8760) + 0.5 - zone) * 3600.0
    year = WeatherYear(
        "daggett", Provenance("measured", "NSRDB", "free", "daggett"), sun_at(starts_s, latitude, longitude),
        column["DNI"], column["DHI"], column["GHI"], column["Temperature"], np.full(8760, 0.3),
        column["Pressure"] * 100.0, column["Wind Speed"],
    )  # fmt: skip
    changes = {"id": "daggett", "latitude_deg": latitude, "longitude_deg": longitude, "altitude_m": 561.0}
    return OUARZAZATE.model_copy(update=changes), year, int(zone)


def sam_pv_mw(plant: Plant, place: WeatherSite, year: WeatherYear, zone: int) -> Any:
    module = pytest.importorskip("PySAM.Pvwattsv8", reason="NREL-PySAM is not installed: the reference of this test")
    model = module.default("PVWattsNone")
    days = [day for length in MONTH_DAYS for day in range(1, length + 1)]
    months = [month for month, length in enumerate(MONTH_DAYS, 1) for _ in range(length)]
    model.SolarResource.solar_resource_data = {
        "lat": place.latitude_deg, "lon": place.longitude_deg, "tz": zone, "elev": place.altitude_m,
        "year": [2025] * 8760, "month": np.repeat(months, 24).tolist(), "day": np.repeat(days, 24).tolist(),
        "hour": list(range(24)) * 365, "minute": [30] * 8760, "dn": year.dni_w_per_m2.tolist(),
        "df": year.dhi_w_per_m2.tolist(), "gh": year.ghi_w_per_m2.tolist(), "tdry": year.temp_c.tolist(),
        "wspd": year.wind_m_per_s.tolist(),
    }  # fmt: skip
    tracks = plant.tracking == "one-axis"
    for name, value in {
        "system_capacity": 1000.0 * plant.gross_mw * plant.dc_ac_ratio, "dc_ac_ratio": plant.dc_ac_ratio,
        "array_type": 3.0 if tracks else 0.0, "tilt": 0.0 if tracks else place.latitude_deg, "azimuth": 180.0,
        "gcr": parameter(plant, "ground_cover_frac"), "inv_eff": 100.0 * parameter(plant, "inverter_frac"),
        "losses": 100.0 * (1.0 - kept_frac(plant)),
    }.items():  # fmt: skip
        setattr(model.SystemDesign, name, value)
    model.execute(0)
    return np.array(model.Outputs.ac) / 1e6


def sam_wind_mw(plant: Plant, year: WeatherYear) -> Any:
    module = pytest.importorskip("PySAM.Windpower", reason="NREL-PySAM is not installed: the reference of this test")
    model = module.default("WindPowerNone")
    hub_m = float(plant.hub_m or 0.0)
    pressure = year.pressure_pa * np.exp(-9.80665 * hub_m / (287.05 * (year.temp_c + 273.15)))
    rows = zip(year.temp_c, pressure / 101325.0, hub_wind_m_per_s(plant, year), strict=True)
    data = [[*map(float, row), 0.0] for row in rows]
    model.Resource.wind_resource_data = {"heights": [hub_m] * 4, "fields": [1, 2, 3, 4], "data": data}
    speeds, shares = series_parameter(plant, "curve_m_per_s"), series_parameter(plant, "curve_pu")
    stop = parameter(plant, "cut_out_m_per_s")
    model.Turbine.wind_turbine_powercurve_windspeeds = (0.0, speeds[0] - 0.01, *speeds, stop, stop + 0.01, 40.0)
    model.Turbine.wind_turbine_powercurve_powerout = tuple(5000.0 * x for x in (0.0, 0.0, *shares, 1.0, 0.0, 0.0))
    model.Turbine.wind_turbine_rotor_diameter, model.Turbine.wind_turbine_hub_ht = plant.rotor_m, hub_m
    model.Farm.system_capacity, model.Farm.wind_farm_wake_model = 1000.0 * plant.gross_mw, 3.0
    model.Farm.wind_farm_xCoordinates = tuple(400.0 * index for index in range(int(plant.n_turbines or 1)))
    model.Farm.wind_farm_yCoordinates = (0.0,) * int(plant.n_turbines or 1)
    for name in (name for name in dir(model.Losses) if name.endswith("_loss")):
        setattr(model.Losses, name, 0.0)
    model.execute(0)
    return np.array(model.Outputs.gen) / 1000.0


@pytest.mark.parametrize("weather", [ouarzazate, daggett])
@pytest.mark.parametrize("tracking", ["one-axis", "fixed"])
def test_a_pv_year_agrees(weather: Any, tracking: str) -> None:
    place, year, zone = weather()
    plant = PLANTS["noor-iv"].model_copy(update={"tracking": tracking})
    ours, theirs = pv_mw(plant, place, year), sam_pv_mw(plant, place, year, zone)
    assert ours.sum() == pytest.approx(theirs.sum(), rel=0.02)
    assert np.corrcoef(ours, theirs)[0, 1] > 0.998


@pytest.mark.parametrize("seed", [1, 2])
def test_a_wind_year_agrees_under_the_same_curve(seed: int) -> None:
    free = {"wake_frac": 0.0, "electrical_frac": 0.0, "performance_frac": 0.0, "blade_wear_frac": 0.0}
    plant = PLANTS["koudia"].model_copy(update={"parameters": free})
    year = typical_year(KOUDIA, seed)
    ours, theirs = wind_mw(plant, KOUDIA, year), sam_wind_mw(plant, year)
    assert ours.sum() == pytest.approx(theirs.sum(), rel=0.02)
    calm = year.wind_m_per_s < 22.0  # above, ours stop by the wind itself and wait; SAM's by the curve's wind
    assert np.corrcoef(ours[calm], theirs[calm])[0, 1] > 0.998
    low = replace(year, wind_height_m=10.0, wind_m_per_s=year.wind_m_per_s / 8.4**0.14)
    assert wind_mw(plant, KOUDIA, low).sum() == pytest.approx(ours.sum(), rel=1e-6)
