"""From weather to what each plant can give: heat of the mirror fields (MW heat), PV and wind (MW), hour by hour.

Light models on purpose: they give the shape, and the published yearly output gives the size. The factor between the two
is kept beside the result (`raw_gwh`, `calibration_factor`), never hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from eureka_park.energy.core.sun import Floats, Sun
from eureka_park.energy.core.weather_year import WeatherYear
from eureka_park.foundation.site_file import Plant, WeatherSite

TROUGH_OPTICAL_FRAC: Final = 0.70  # clean LS-3 class troughs, with soiling and availability of loops
TROUGH_LOSS_W_PER_M2: Final = 25.0  # receivers and pipes while collecting
ROW_PITCH_PER_WIDTH: Final = 2.9
RECEIVER_FRAC: Final = 0.86  # absorbed less radiated and convected
RECEIVER_START_FRAC: Final = 0.12  # below this share of its rating a receiver stays down
# Share of the beam that a surround field brings to its receiver (cosine, blocking, air, spill) by elevation.
FIELD_ELEVATION_DEG: Final = (0.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0)
FIELD_FRAC: Final = (0.0, 0.18, 0.36, 0.50, 0.57, 0.62, 0.64, 0.65)
PV_SYSTEM_FRAC: Final = 0.86
PV_PER_K: Final = -0.0037
PV_CELL_K_PER_W_PER_M2: Final = 0.028
AIR_KG_PER_M3: Final = 1.225
TURBINE_CP: Final = 0.44
CUT_IN_M_PER_S: Final = 3.0
CUT_OUT_M_PER_S: Final = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class PlantYear:
    """A plant's typical year after calibration. `series_mw` is heat from the field for CSP, electricity else."""

    plant: Plant
    series_mw: Floats
    raw_gwh: float
    calibration_factor: float

    @property
    def is_csp(self) -> bool:
        """Whether the series is heat that goes through salt and a power block."""
        return self.plant.type.startswith("csp")

    @property
    def calibrated_gwh(self) -> float:
        """Yearly electricity at the plant before spill and line loss; GWh."""
        return self.raw_gwh * self.calibration_factor


def plant_year(plant: Plant, place: WeatherSite, year: WeatherYear) -> PlantYear:
    """The typical year of a plant, scaled so that its electricity equals `year_gwh_published` where that is given."""
    series = _MODELS[plant.type](plant, place, year)
    per_mwh = float(plant.eta_frac or 1.0) if plant.type.startswith("csp") else 1.0
    raw_gwh = float(series.sum()) * per_mwh / 1000.0
    factor = plant.year_gwh_published / raw_gwh if plant.year_gwh_published and raw_gwh > 0 else 1.0
    return PlantYear(plant, series * factor, raw_gwh, factor)


def north_south_axis_cos(sun: Sun) -> Floats:
    """Cosine of the angle between the beam and the normal of a plane that turns about a level north-south axis."""
    along = np.sin(sun.zenith_rad) * np.cos(sun.azimuth_rad)
    return np.sqrt(np.maximum(0.0, 1.0 - along**2)) * (sun.cos_zenith > 0)


def trough_heat_mw(plant: Plant, place: WeatherSite, year: WeatherYear) -> Floats:
    """Heat of a trough field with axes north-south; incidence modifier of the LS-2 test (SAND94-1884), row shading."""
    cosine = north_south_axis_cos(year.sun)
    angle_deg = np.degrees(np.arccos(np.clip(cosine, 0.0, 1.0)))
    modified = np.clip(cosine + 0.000884 * angle_deg - 0.00005369 * angle_deg**2, 0.0, 1.0)
    lit = np.clip(ROW_PITCH_PER_WIDTH * np.maximum(0.0, year.sun.cos_zenith) / np.maximum(cosine, 1e-6), 0.0, 1.0)
    taken = year.dni_w_per_m2 * TROUGH_OPTICAL_FRAC * modified * lit
    return np.maximum(0.0, taken - TROUGH_LOSS_W_PER_M2) * float(plant.mirror_area_m2 or 0.0) / 1e6


def tower_heat_mw(plant: Plant, place: WeatherSite, year: WeatherYear) -> Floats:
    """Heat of a salt receiver over a surround field, limited by the receiver; it stays down under weak sun."""
    share = np.interp(np.degrees(year.sun.elevation_rad), FIELD_ELEVATION_DEG, FIELD_FRAC)
    heat = year.dni_w_per_m2 * share * RECEIVER_FRAC * float(plant.mirror_area_m2 or 0.0) / 1e6
    rated = plant.receiver_mw_th or 2.5 * float(plant.power_block_mw or 0.0) / float(plant.eta_frac or 1.0)
    return np.where(heat < RECEIVER_START_FRAC * rated, 0.0, np.minimum(heat, rated))


def pv_mw(plant: Plant, place: WeatherSite, year: WeatherYear) -> Floats:
    """AC output of panels on a one-axis tracker or tilted at the latitude towards noon, clipped by the inverter."""
    if plant.tracking == "one-axis":
        cosine, sky_frac = north_south_axis_cos(year.sun), 0.95
    else:
        tilt = np.radians(abs(place.latitude_deg))
        towards = np.pi if place.latitude_deg >= 0 else 0.0
        level = np.sin(year.sun.zenith_rad) * np.sin(tilt) * np.cos(year.sun.azimuth_rad - towards)
        cosine = np.maximum(0.0, year.sun.cos_zenith * np.cos(tilt) + level) * (year.sun.cos_zenith > 0)
        sky_frac = float((1 + np.cos(tilt)) / 2)
    plane = year.dni_w_per_m2 * cosine + sky_frac * year.dhi_w_per_m2
    warm = 1 + PV_PER_K * (year.temp_c + PV_CELL_K_PER_W_PER_M2 * plane - 25.0)
    direct = plant.gross_mw * plant.dc_ac_ratio * plane / 1000.0 * warm * PV_SYSTEM_FRAC
    return np.clip(direct, 0.0, plant.gross_mw)


def wind_mw(plant: Plant, place: WeatherSite, year: WeatherYear) -> Floats:
    """Output of a wind farm; air density acts as an equivalent wind speed (IEC 61400-12-1)."""
    height_m = place.altitude_m + float(plant.hub_m or 0.0)
    density = 101325.0 * np.exp(-height_m / 8434.0) / (287.05 * (year.temp_c + 273.15))
    speed = year.wind_m_per_s * (density / AIR_KG_PER_M3) ** (1 / 3)
    turbine_mw = plant.gross_mw / float(plant.n_turbines or 1)
    curve = turbine_curve_pu(speed, turbine_mw, float(plant.rotor_m or 0.0))
    return np.asarray(plant.gross_mw * curve * (1 - plant.loss_frac), dtype=np.float64)


def turbine_curve_pu(speed_m_per_s: Floats, turbine_mw: float, rotor_m: float) -> Floats:
    """Our own power curve: Cp 0.44 led smoothly into the rating; 5 MW on 132 m reach it at 11 to 14 m/s."""
    swept_m2 = np.pi * rotor_m**2 / 4
    free = 0.5 * AIR_KG_PER_M3 * TURBINE_CP * swept_m2 * speed_m_per_s**3 / (turbine_mw * 1e6)
    bent = free / (1 + free**5) ** 0.2
    running = (speed_m_per_s >= CUT_IN_M_PER_S) & (speed_m_per_s <= CUT_OUT_M_PER_S)
    return np.where(running, bent, 0.0)


_MODELS: Final[dict[str, Callable[[Plant, WeatherSite, WeatherYear], Floats]]] = {
    "csp-trough": trough_heat_mw,
    "csp-tower": tower_heat_mw,
    "pv": pv_mw,
    "wind": wind_mw,
}
