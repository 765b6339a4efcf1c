"""When the sun rises and sets over a place: plain arithmetic without arrays, for those who read a clock."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import DAY_S, HOUR_S

HORIZON_DEG: Final = -0.833  # the upper edge of the sun on a level horizon, the air's bending counted


@dataclass(frozen=True, slots=True)
class Daylight:
    """One solar day, midnight to midnight, of a place; instants in UTC epoch seconds.

    Where the sun stays down, rise and set fall on noon; where it stays up, on the midnights.
    """

    sunrise_s: float
    noon_s: float
    sunset_s: float


def elevation_deg(instant_s: float, latitude_deg: float, longitude_deg: float) -> float:
    """Height of the sun's middle above the horizon; degrees. Same formulas as `sun.sun_at`."""
    days = instant_s / DAY_S + 2440587.5 - 2451545.0
    anomaly = math.radians(357.528 + 0.9856003 * days)
    ecliptic = math.radians(280.460 + 0.9856474 * days + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    tilt = math.radians(23.439 - 0.0000004 * days)
    ascension = math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    hour_angle = math.radians((18.697374558 + 24.06570982441908 * days) * 15.0 + longitude_deg) - ascension
    latitude = math.radians(latitude_deg)
    sine = math.sin(latitude) * math.sin(declination)
    sine += math.cos(latitude) * math.cos(declination) * math.cos(hour_angle)
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))


def daylight(instant_s: float, latitude_deg: float, longitude_deg: float) -> Daylight:
    """The solar day that holds an instant."""
    shift_s = longitude_deg / 360.0 * DAY_S
    day = (instant_s + shift_s) // DAY_S
    noon_s = _highest((day + 0.5) * DAY_S - shift_s, latitude_deg, longitude_deg)

    def above(at_s: float) -> float:
        return elevation_deg(at_s, latitude_deg, longitude_deg) - HORIZON_DEG

    if above(noon_s) <= 0:
        return Daylight(noon_s, noon_s, noon_s)
    before_s, after_s = noon_s - DAY_S / 2, noon_s + DAY_S / 2
    return Daylight(
        before_s if above(before_s) > 0 else _crossing(above, before_s, noon_s),
        noon_s,
        after_s if above(after_s) > 0 else _crossing(above, after_s, noon_s),
    )


def _highest(guess_s: float, latitude_deg: float, longitude_deg: float) -> float:
    low_s, high_s = guess_s - HOUR_S, guess_s + HOUR_S
    while high_s - low_s > 1.0:
        third_s = (high_s - low_s) / 3
        left, right = (elevation_deg(at_s, latitude_deg, longitude_deg) for at_s in (low_s + third_s, high_s - third_s))
        low_s, high_s = (low_s + third_s, high_s) if left < right else (low_s, high_s - third_s)
    return (low_s + high_s) / 2


def _crossing(above: Callable[[float], float], dark_s: float, light_s: float) -> float:
    while abs(light_s - dark_s) > 1.0:
        middle_s = (dark_s + light_s) / 2
        dark_s, light_s = (dark_s, middle_s) if above(middle_s) > 0 else (middle_s, light_s)
    return (dark_s + light_s) / 2


def place_of(site: Site) -> tuple[float, float]:
    """Latitude and longitude where the site's sun is gathered: of the first weather site that has beam, else of any."""
    places = sorted(site.weather_sites, key=lambda place: place.dni_kwh_per_m2_year is None)
    return (places[0].latitude_deg, places[0].longitude_deg) if places else (0.0, 0.0)
