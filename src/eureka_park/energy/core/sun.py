"""Where the sun stands, how strong its beam is outside the air, and how much air it crosses.

Position: low-precision formulas of the Astronomical Almanac (0.01 deg from 1950 to 2050; within 0.02 deg of NREL's
algorithm, tested). Air mass: Kasten and Young 1989 (doi:10.1364/AO.28.004735).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SOLAR_W_PER_M2: Final = 1361.0


@dataclass(frozen=True, slots=True, eq=False)
class Sun:
    """Position and beam outside the air, one value per instant: angles in radians, azimuth clockwise from north."""

    cos_zenith: Floats
    zenith_rad: Floats
    azimuth_rad: Floats
    beam_w_per_m2: Floats

    @property
    def elevation_rad(self) -> Floats:
        """Height above the horizon, negative at night; radians."""
        return np.pi / 2 - self.zenith_rad


def sun_at(instants_s: Floats, latitude_deg: float, longitude_deg: float) -> Sun:
    """The sun at UTC instants over a place; `longitude_deg` is positive to the east."""
    days = instants_s / 86400.0 + 2440587.5 - 2451545.0
    anomaly = np.radians(357.528 + 0.9856003 * days)
    ecliptic = np.radians(280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.radians(23.439 - 0.0000004 * days)
    ascension = np.arctan2(np.cos(tilt) * np.sin(ecliptic), np.cos(ecliptic))
    declination = np.arcsin(np.sin(tilt) * np.sin(ecliptic))
    sidereal_deg = (18.697374558 + 24.06570982441908 * days) * 15.0 + longitude_deg
    hour_angle = np.radians(sidereal_deg) - ascension
    latitude = np.radians(latitude_deg)
    cos_zenith = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle)
    cos_zenith = np.clip(cos_zenith, -1.0, 1.0)
    east = -np.cos(declination) * np.sin(hour_angle)
    north = np.cos(latitude) * np.sin(declination) - np.sin(latitude) * np.cos(declination) * np.cos(hour_angle)
    distance = 1.00014 - 0.01671 * np.cos(anomaly) - 0.00014 * np.cos(2 * anomaly)
    return Sun(cos_zenith, np.arccos(cos_zenith), np.arctan2(east, north) % (2 * np.pi), SOLAR_W_PER_M2 / distance**2)


def air_mass(sun: Sun) -> Floats:
    """How much air the beam crosses, 1 with the sun overhead; infinite below the horizon."""
    zenith_deg = np.degrees(sun.zenith_rad)
    above = zenith_deg < 90.0
    safe_deg = np.where(above, zenith_deg, 0.0)
    mass = 1.0 / (np.cos(np.radians(safe_deg)) + 0.50572 * (96.07995 - safe_deg) ** -1.6364)
    return np.where(above, mass, np.inf)
