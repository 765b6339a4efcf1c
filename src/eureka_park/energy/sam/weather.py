"""A year of weather in the form that SAM reads, and SAM's answers back in hours of the UTC year."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, REFERENCE_YEAR_S, WeatherYear
from eureka_park.foundation.site_file import WeatherSite

_DRY_AIR_J_PER_KG_AND_K: Final = 287.05
_HUMIDITY_FRAC_MIN: Final = 0.01


def zone_h(place: WeatherSite) -> int:
    """Whole hours by which SAM's local standard time is ahead of UTC: SAM wants years that begin at local midnight."""
    return round(place.longitude_deg / 15.0)


def solar_resource(place: WeatherSite, year: WeatherYear, wind_if_none_m_per_s: float = 0.0) -> dict[str, Any]:
    """SAM's `solar_resource_data`: beam, sky, air and wind, hour by hour in local standard time."""
    zone = zone_h(place)
    has_wind = bool(np.any(year.wind_m_per_s > 0))
    wind = year.wind_m_per_s if has_wind else np.full(HOURS_PER_YEAR, wind_if_none_m_per_s)
    return {
        **_calendar(30),
        "lat": place.latitude_deg,
        "lon": place.longitude_deg,
        "tz": float(zone),
        "elev": place.altitude_m,
        "dn": _local(year.dni_w_per_m2, zone),
        "df": _local(year.dhi_w_per_m2, zone),
        "gh": _local(year.ghi_w_per_m2, zone),
        "tdry": _local(year.temp_c, zone),
        "tdew": _local(dew_point_c(year), zone),
        "rhum": _local(100.0 * year.humidity_frac, zone),
        "pres": _local(year.pressure_pa / 100.0, zone),
        "wspd": _local(wind, zone),
        "wdir": (0.0,) * HOURS_PER_YEAR,
    }


def wind_resource(place: WeatherSite, year: WeatherYear, hub_m: float) -> dict[str, Any]:
    """SAM's `wind_resource_data` at one height: degC, atmospheres at the hub, m/s, degrees."""
    height_m = year.wind_height_m if year.wind_height_m is not None else hub_m
    kelvin = year.temp_c + 273.15
    pressure_pa = year.pressure_pa * np.exp(-9.80665 * hub_m / (_DRY_AIR_J_PER_KG_AND_K * kelvin))
    rows = np.stack([year.temp_c, pressure_pa / 101325.0, year.wind_m_per_s, np.zeros(HOURS_PER_YEAR)], axis=1)
    return {
        "heights": [height_m] * 4,
        "fields": [1, 2, 3, 4],
        "data": np.roll(rows, zone_h(place), axis=0).tolist(),
        "lat": place.latitude_deg,
        "lon": place.longitude_deg,
        "elev": place.altitude_m,
    }


def from_local(series: Any, place: WeatherSite) -> Floats:
    """A series of SAM's local year in hours of the UTC year."""
    return np.roll(np.asarray(series, dtype=np.float64), -zone_h(place))


def to_local(series: Floats, place: WeatherSite) -> Floats:
    """A series of the UTC year in hours of SAM's local year."""
    return np.roll(series, zone_h(place))


def dew_point_c(year: WeatherYear) -> Floats:
    """Dew point, degC: Alduchov and Eskridge 1996 (doi:10.1175/1520-0450(1996)035<0601:IMFAOS>2.0.CO;2)."""
    humidity = np.clip(year.humidity_frac, _HUMIDITY_FRAC_MIN, 1.0)
    level = np.log(humidity) + 17.625 * year.temp_c / (243.04 + year.temp_c)
    return np.asarray(243.04 * level / (17.625 - level), dtype=np.float64)


def _local(series: Floats, zone: int) -> tuple[float, ...]:
    return tuple(np.roll(series, zone).tolist())


def _calendar(minute: int) -> dict[str, tuple[int, ...]]:
    hours = np.datetime64(int(REFERENCE_YEAR_S), "s") + np.arange(HOURS_PER_YEAR) * np.timedelta64(1, "h")
    days = hours.astype("datetime64[D]")
    months = hours.astype("datetime64[M]")
    return {
        "year": tuple((hours.astype("datetime64[Y]").astype(int) + 1970).tolist()),
        "month": tuple((months.astype(int) % 12 + 1).tolist()),
        "day": tuple(((days - months.astype("datetime64[D]")).astype(int) + 1).tolist()),
        "hour": tuple(((hours - days).astype("timedelta64[h]").astype(int)).tolist()),
        "minute": (minute,) * HOURS_PER_YEAR,
    }
