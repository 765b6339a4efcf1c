"""Wind farms: wind at the hub, density of the air, power curve, stops in high wind, losses.

Density and its effect as an equivalent wind speed: IEC 61400-12-1, which speaks of machines that turn their blades.
The curve, the losses and what they rest on stand in the plant data.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_year import WeatherYear
from eureka_park.foundation.plant_data import parameter, series_parameter, type_facts
from eureka_park.foundation.site_file import Plant, WeatherSite

KELVIN: Final = 273.15
DRY_AIR_J_PER_KG_AND_K: Final = 287.05
VAPOUR_J_PER_KG_AND_K: Final = 461.5
GRAVITY_M_PER_S2: Final = 9.80665
_LOSSES: Final = ("wake_frac", "electrical_frac", "performance_frac", "blade_wear_frac")


def wind_mw(plant: Plant, place: WeatherSite, year: WeatherYear) -> Floats:
    """Output of the farm at its substation, losses taken off, before outages; MW."""
    speed = hub_wind_m_per_s(plant, year)
    density = hub_air_kg_per_m3(plant, year)
    equal = speed * np.cbrt(density / parameter(plant, "reference_kg_per_m3"))
    return plant.gross_mw * curve_pu(plant, equal) * is_turning(plant, speed) * kept_frac(plant)


def hub_wind_m_per_s(plant: Plant, year: WeatherYear) -> Floats:
    """Wind at the hub: as given, or carried from the height of the measurement by the power law."""
    if year.wind_height_m is None or plant.hub_m is None:
        return year.wind_m_per_s
    ratio = plant.hub_m / year.wind_height_m
    return np.asarray(year.wind_m_per_s * ratio ** parameter(plant, "shear_exponent"), dtype=np.float64)


def hub_air_kg_per_m3(plant: Plant, year: WeatherYear) -> Floats:
    """Density of moist air at the hub (IEC 61400-12-1, equation for density from temperature, pressure, humidity)."""
    kelvin = year.temp_c + KELVIN
    pressure = year.pressure_pa * np.exp(-GRAVITY_M_PER_S2 * float(plant.hub_m or 0.0) / (287.05 * kelvin))
    vapour = year.humidity_frac * 0.0000205 * np.exp(0.0631846 * kelvin)
    dry = pressure / DRY_AIR_J_PER_KG_AND_K
    wet = vapour * (1 / DRY_AIR_J_PER_KG_AND_K - 1 / VAPOUR_J_PER_KG_AND_K)
    return np.asarray((dry - wet) / kelvin, dtype=np.float64)


def curve_pu(plant: Plant, speed_m_per_s: Floats) -> Floats:
    """The power curve of a machine, of its rating, at the density of the curve; without its stop in high wind.

    A machine with more power on its rotor than the curve's own needs more wind for the same share of its rating.
    """
    speeds, shares = series_parameter(plant, "curve_m_per_s"), series_parameter(plant, "curve_pu")
    needed = np.asarray(speed_m_per_s, dtype=np.float64) / np.cbrt(_power_on_rotor(plant))
    return np.where(needed >= parameter(plant, "cut_in_m_per_s"), np.interp(needed, speeds, shares), 0.0)


def is_turning(plant: Plant, speed_m_per_s: Floats) -> Floats:
    """1 where the machines may turn, 0 after a stop in high wind until it has fallen enough; hour by hour."""
    too_much = speed_m_per_s > parameter(plant, "cut_out_m_per_s")
    calm = speed_m_per_s < parameter(plant, "restart_m_per_s")
    said = np.where(too_much | calm, np.arange(speed_m_per_s.size), -1)
    last = np.maximum.accumulate(said)  # the last hour that said anything
    return np.where(last < 0, 1.0, np.where(too_much[np.maximum(last, 0)], 0.0, 1.0))


def kept_frac(plant: Plant) -> float:
    """What wake, cables and worn blades leave of the energy; 1 minus `loss_frac` where the site file gives it."""
    if plant.loss_frac is not None:
        return 1.0 - plant.loss_frac
    return float(np.prod([1.0 - parameter(plant, name) for name in _LOSSES]))


def _power_on_rotor(plant: Plant) -> float:
    """Rating for each square metre swept, over that of the machine whose curve it is; 1 without machines."""
    usual = type_facts("wind")
    if plant.n_turbines is None or plant.rotor_m is None or "curve_pu" in plant.parameters:
        return 1.0
    own = plant.gross_mw / plant.n_turbines / plant.rotor_m**2
    rotor, rating = usual["rotor_m"].value, usual["turbine_mw"].value
    assert isinstance(rotor, float) and isinstance(rating, float)
    return own / (rating / rotor**2)
