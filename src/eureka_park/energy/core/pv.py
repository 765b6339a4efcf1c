"""Photovoltaic plants: light on the plane of the panels, cell temperature, losses, inverter and its limit.

Diffuse light: Perez and others 1990 (doi:10.1016/0038-092X(90)90055-H), coefficients of all sites. Tracker with
backtracking: Anderson and Mikofski 2020 (NREL/TP-5K00-76626). Glass: De Soto and others 2006
(doi:10.1016/j.solener.2005.06.010); for diffuse light at the angles of Brandemuehl and Beckman 1980
(doi:10.1016/0038-092X(80)90453-0). Cells: Faiman 2008 (doi:10.1002/pip.813). Inverter: PVWatts version 5
(NREL/TP-6A20-62641). Every figure stands in the plant data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from eureka_park.energy.core.sun import Floats, Sun, air_mass
from eureka_park.energy.core.weather_year import WeatherYear
from eureka_park.foundation.plant_data import parameter, series_parameter
from eureka_park.foundation.site_file import Plant, WeatherSite

REFERENCE_W_PER_M2: Final = 1000.0
REFERENCE_C: Final = 25.0
_INVERTER_REFERENCE_FRAC: Final = 0.9637
_LOSSES: Final = ("soiling_frac", "shading_frac", "mismatch_frac", "wiring_frac", "light_fade_frac", "nameplate_frac")
_PEREZ_EDGES: Final = (1.065, 1.23, 1.5, 1.95, 2.8, 4.5, 6.2)
_PEREZ: Final = np.array([
    [-0.0083117, 0.5877285, -0.0620636, -0.0596012, 0.0721249, -0.0220216],
    [0.1299457, 0.6825954, -0.1513752, -0.0189325, 0.0659650, -0.0288748],
    [0.3296958, 0.4868735, -0.2210958, 0.0554140, -0.0639588, -0.0260542],
    [0.5682053, 0.1874525, -0.2951290, 0.1088631, -0.1519229, -0.0139754],
    [0.8730280, -0.3920403, -0.3616149, 0.2255647, -0.4620442, 0.0012448],
    [1.1326077, -1.2367284, -0.4118494, 0.2877813, -0.8230357, 0.0558651],
    [1.0601591, -1.5999137, -0.3589221, 0.2642124, -1.1272340, 0.1310694],
    [0.6777470, -0.3272588, -0.2504286, 0.1561313, -1.3765031, 0.2506212],
])  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Where the panels face, one value per instant: tilt from level (rad), cosine of the beam on them (0 behind)."""

    tilt_rad: Floats
    cos_incidence: Floats


def pv_mw(plant: Plant, place: WeatherSite, year: WeatherYear) -> Floats:
    """AC output before outages: a one-axis tracker, or panels tilted at the latitude towards noon; MW."""
    tracks = plant.tracking == "one-axis"
    plane = tracker_plane(plant, year.sun) if tracks else fixed_plane(year.sun, place.latitude_deg)
    light, used = light_on_plane(plant, year, plane)
    cell_c = year.temp_c + light / _cooling_w_per_m2_and_k(plant, year)
    warm = 1.0 + parameter(plant, "power_per_k") * (cell_c - REFERENCE_C)
    direct = plant.gross_mw * plant.dc_ac_ratio * used / REFERENCE_W_PER_M2 * np.maximum(0.0, warm) * kept_frac(plant)
    return inverter_mw(plant, direct)


def kept_frac(plant: Plant) -> float:
    """What soiling, shade, mismatch, wires and worn or weak panels leave of the direct current."""
    return float(np.prod([1.0 - parameter(plant, name) for name in _LOSSES]))


def tracker_plane(plant: Plant, sun: Sun) -> Plane:
    """Panels on a level axis north-south that follow the sun, turned back so that no row shades the next."""
    east = np.sin(sun.zenith_rad) * np.sin(sun.azimuth_rad)
    wanted = np.arctan2(east, sun.cos_zenith)  # positive to the east
    cover = parameter(plant, "ground_cover_frac")
    back = np.arccos(np.clip(np.abs(np.cos(wanted)) / cover, 0.0, 1.0))
    most = np.radians(parameter(plant, "rotation_max_deg"))
    turn = np.clip(wanted - np.sign(wanted) * back, -most, most)
    facing = east * np.sin(turn) + sun.cos_zenith * np.cos(turn)
    return Plane(np.abs(turn), np.maximum(0.0, facing) * (sun.cos_zenith > 0))


def fixed_plane(sun: Sun, latitude_deg: float) -> Plane:
    """Panels tilted by the latitude towards noon."""
    tilt = np.radians(abs(latitude_deg))
    noon = np.pi if latitude_deg >= 0 else 0.0
    level = np.sin(sun.zenith_rad) * np.sin(tilt) * np.cos(sun.azimuth_rad - noon)
    facing = np.maximum(0.0, sun.cos_zenith * np.cos(tilt) + level)
    return Plane(np.full_like(sun.cos_zenith, tilt), facing * (sun.cos_zenith > 0))


def light_on_plane(plant: Plant, year: WeatherYear, plane: Plane) -> tuple[Floats, Floats]:
    """Light on the plane, and what of it passes the glass: beam, sky (Perez) and ground; W/m2."""
    beam = year.dni_w_per_m2 * plane.cos_incidence
    around_sun, dome = perez_w_per_m2(year, plane)
    ground = year.ghi_w_per_m2 * parameter(plant, "albedo_frac") * (1.0 - np.cos(plane.tilt_rad)) / 2.0
    tilt_deg = np.degrees(plane.tilt_rad)
    straight = glass_frac(plant, np.arccos(np.clip(plane.cos_incidence, 0.0, 1.0)))
    sky = glass_frac(plant, np.radians(59.7 - 0.1388 * tilt_deg + 0.001497 * tilt_deg**2))
    earth = glass_frac(plant, np.radians(90.0 - 0.5788 * tilt_deg + 0.002693 * tilt_deg**2))
    used = (beam + around_sun) * straight + dome * sky + ground * earth
    return np.maximum(0.0, beam + around_sun + dome + ground), np.maximum(0.0, used)


def perez_w_per_m2(year: WeatherYear, plane: Plane) -> tuple[Floats, Floats]:
    """Diffuse light of the sky on a plane: the part from around the sun, and the rest; W/m2."""
    dhi, dni, zenith = year.dhi_w_per_m2, year.dni_w_per_m2, year.sun.zenith_rad
    is_day = (year.sun.cos_zenith > 0) & (dhi > 0)
    safe = np.where(is_day, dhi, 1.0)
    bend = 1.041 * zenith**3
    clearness = ((safe + dni) / safe + bend) / (1.0 + bend)
    brightness = safe * np.where(is_day, air_mass(year.sun), 1.0) / year.sun.beam_w_per_m2
    row = _PEREZ[np.digitize(clearness, _PEREZ_EDGES)]
    around = np.maximum(0.0, row[:, 0] + row[:, 1] * brightness + row[:, 2] * zenith)
    edge = row[:, 3] + row[:, 4] * brightness + row[:, 5] * zenith
    near_sun = around * plane.cos_incidence / np.maximum(np.cos(np.radians(85.0)), year.sun.cos_zenith)
    dome = (1.0 - around) * (1.0 + np.cos(plane.tilt_rad)) / 2.0 + edge * np.sin(plane.tilt_rad)
    return np.where(is_day, dhi * near_sun, 0.0), np.where(is_day, np.maximum(0.0, dhi * dome), 0.0)


def glass_frac(plant: Plant, angle_rad: Floats) -> Floats:
    """What passes the cover at an angle of incidence, over what passes it straight on; 0 at a right angle."""
    path = parameter(plant, "glass_extinction_per_m") * parameter(plant, "glass_thickness_m")
    index = parameter(plant, "glass_index")
    angle = np.clip(angle_rad, 1e-4, np.pi / 2)
    inside = np.arcsin(np.sin(angle) / index)
    minus, plus = inside - angle, inside + angle
    reflected = (np.sin(minus) ** 2 / np.sin(plus) ** 2 + np.tan(minus) ** 2 / np.tan(plus) ** 2) / 2.0
    straight = np.exp(-path) * (1.0 - ((1.0 - index) / (1.0 + index)) ** 2)
    passed = np.exp(-path / np.cos(inside)) * (1.0 - np.minimum(1.0, reflected)) / straight
    return np.where(angle_rad >= np.pi / 2, 0.0, np.clip(passed, 0.0, 1.0))


def inverter_mw(plant: Plant, direct_mw: Floats) -> Floats:
    """AC from DC: the part-load curve of the inverters, then their limit; MW."""
    nominal = parameter(plant, "inverter_frac")
    slope, start, middle = series_parameter(plant, "inverter_coefficients")
    load = direct_mw / (plant.gross_mw / nominal)
    curve = slope * load + start / np.maximum(load, 1e-3) + middle
    given = direct_mw * np.maximum(0.0, curve) * nominal / _INVERTER_REFERENCE_FRAC
    return np.clip(np.where(load >= 1.0, plant.gross_mw, given), 0.0, plant.gross_mw)


def _cooling_w_per_m2_and_k(plant: Plant, year: WeatherYear) -> Floats:
    """Heat that a panel gives to the air for each kelvin; a year that has no wind at all gets an assumed one."""
    wind = year.wind_m_per_s
    if not bool(np.any(wind > 0)):
        wind = np.full_like(wind, parameter(plant, "wind_if_unknown_m_per_s"))
    return parameter(plant, "cell_heat_u0_w_per_m2_and_k") + parameter(plant, "cell_heat_u1_w_per_m2_and_k") * wind
