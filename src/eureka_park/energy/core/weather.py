"""Synthetic typical years: seeded, hourly, fitted to published yearly figures, and labelled synthetic.

Clouds are drawn over a clear sky (`clearness`, `clear_sky`), wind has a Weibull law exactly, air follows the clouds.
All series are circular, so 31 December runs into 1 January. Places of one seed share their weather by distance
(assumption: correlation exp(-(d / reach)^2) with the reaches below).

Measured, and what is taken from it: daily means of temperature stray by 0.27 of the half-season (Daggett 3.2 of 12.0 K,
Tetouan 1.8 of 6.8 K) with a memory of 0.77 and 0.66 from day to day; the dew point strays by 1.5 times that, the more
the cloudier (correlation with clearness -0.41 and -0.33); temperature does not follow clearness from day to day (0.00,
0.09), but its range within a day does (16 K clear, 7 K overcast at Daggett; 8.7 and 3.3 K at Tetouan); daily pressure
strays by 330 Pa with a memory of 0.53 and a correlation of 0.23 with clearness (Daggett); beam of clear days strays by
5 % with a memory of 0.27 (Daggett), which a turbidity that strays by 10 % gives.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import gamma, sqrt
from typing import Final

import numpy as np

from eureka_park.energy.core.clear_sky import ClearSky, clear_sky, standard_pressure_pa, turbidity_of_days
from eureka_park.energy.core.clearness import (
    DAY_MEMORY,
    DAY_SHARE,
    HOUR_MEMORY,
    USUAL_MIDDLE,
    clearness_of,
    clouded,
    fitted_middle,
)
from eureka_park.energy.core.sun import Floats, Sun, sun_at
from eureka_park.energy.core.weather_field import shared_noise
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, REFERENCE_YEAR_S, Provenance, WeatherYear, hour_of_year
from eureka_park.foundation.canonical import content_id
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import WeatherSite

ORIGIN: Final = "made by park weather make-typical"
LICENCE: Final = "CC0-1.0"
MODEL: Final = "clearness-2"  # part of the content id: another model gives other years
DAYS: Final = HOURS_PER_YEAR // 24
CLOUD_REACH_KM: Final = 450.0  # assumption: of a day's cloudiness
HOUR_REACH_KM: Final = 40.0  # assumption: of an hour's cloudiness
PRESSURE_REACH_KM: Final = 1200.0  # assumption; also of warm and moist spells, and of dust
WIND_REACH_KM: Final = 300.0  # assumption
HAZE_SPREAD: Final = 0.10
HAZE_MEMORY: Final = 0.3
TEMP_SPREAD: Final = 0.27
TEMP_MEMORY: Final = 0.7
DEW_SPREAD: Final = 1.5
DEW_SEASON: Final = 0.6  # of the season of temperature: Daggett 0.38, Tetouan 0.81
DEW_CLEARNESS: Final = -0.38
PRESSURE_SPREAD_PA: Final = 330.0
PRESSURE_MEMORY: Final = 0.53
PRESSURE_CLEARNESS: Final = 0.23
OVERCAST_RANGE: Final = 0.35  # of the range of temperature on a clear day
WARMEST_SOLAR_H: Final = 14.0
WINDIEST_SOLAR_H: Final = 15.0
WIND_MEMORY: Final = 0.96  # from hour to hour
USUAL_TURBIDITY: Final = 3.0  # assumption where a site gives none


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """What all series of a place are made from: its chance, its sun, its local days and solar hours."""

    place: WeatherSite
    tree: SeedTree
    sun: Sun
    day: Floats
    solar_h: Floats

    def daily(self, name: str, reach_km: float, memory: float) -> Floats:
        """A circular daily series of mean 0 and variance 1, shared with places within reach."""
        return _remembering(self._noise(name, reach_km, DAYS), memory)

    def hourly(self, name: str, reach_km: float, memory: float) -> Floats:
        """The same by hour."""
        return _remembering(self._noise(name, reach_km, HOURS_PER_YEAR), memory)

    def by_hour(self, daily: Floats) -> Floats:
        """Daily values led from noon to noon."""
        days = np.arange(-1, DAYS + 1) + 0.5
        return np.asarray(np.interp(self.day, days, np.concatenate((daily[-1:], daily, daily[:1]))))

    def steps(self, daily: Floats) -> Floats:
        """Daily values that change at the place's midnight."""
        return daily[np.floor(self.day).astype(np.int64) % DAYS]

    def _noise(self, name: str, reach_km: float, n_values: int) -> Floats:
        place = self.place
        return shared_noise(self.tree.child(name), place.latitude_deg, place.longitude_deg, reach_km, n_values)


def typical_year(place: WeatherSite, seed: int) -> WeatherYear:
    """The typical year of a place: the same alone as in company. Raises BadInput as `typical_years` does."""
    return typical_years((place,), seed)[place.id]


def typical_years(places: Iterable[WeatherSite], seed: int) -> dict[str, WeatherYear]:
    """The typical years of places by their id, correlated by distance.

    Raises BadInput when a published DNI exceeds what a clear sky can give.
    """
    return {place.id: _year(_frame(place, seed), seed) for place in places}


def circular_ar1(tree: SeedTree, n_values: int, memory: float) -> Floats:
    """A closed AR(1) series with mean 0 and variance 1: no seam between its end and its start."""
    return _remembering(tree.generator().standard_normal(n_values), memory)


def _remembering(noise: Floats, memory: float) -> Floats:
    n_values = len(noise)
    turns = np.exp(-2j * np.pi * np.arange(n_values // 2 + 1) / n_values)
    series = np.fft.irfft(np.fft.rfft(noise) / (1 - memory * turns), n_values)
    return np.asarray((series - series.mean()) / series.std(), dtype=np.float64)


def _frame(place: WeatherSite, seed: int) -> _Frame:
    hours = np.arange(HOURS_PER_YEAR, dtype=np.float64) + 0.5
    sun = sun_at(REFERENCE_YEAR_S + hours * 3600.0, place.latitude_deg, place.longitude_deg)
    solar = hours + place.longitude_deg / 15.0
    return _Frame(place, SeedTree(seed).child("weather"), sun, solar / 24.0, solar % 24.0)


def _year(frame: _Frame, seed: int) -> WeatherYear:
    place = frame.place
    cloud = frame.daily("cloud", CLOUD_REACH_KM, DAY_MEMORY)
    clear = _clear(frame)
    latent = sqrt(DAY_SHARE) * frame.steps(cloud)
    latent = latent + sqrt(1.0 - DAY_SHARE) * frame.hourly("cloud-hour", HOUR_REACH_KM, HOUR_MEMORY)
    clearness = clearness_of(latent, _middle(frame, clear, latent))
    dni, dhi, ghi = clouded(clear, frame.sun, clearness)
    if place.dni_kwh_per_m2_year is None:
        dni = dhi = ghi = np.zeros(HOURS_PER_YEAR)
    temp, season = _temperature(frame, _of_days(frame, clear, clearness))
    return WeatherYear(
        place.id,
        Provenance("synthetic", ORIGIN, LICENCE, content_id([MODEL, place.model_dump(mode="json"), seed]), seed),
        frame.sun,
        dni,
        dhi,
        ghi,
        temp,
        _humidity(frame, temp, season, cloud),
        _pressure(frame, cloud),
        _wind(frame),
    )


def _clear(frame: _Frame) -> ClearSky:
    monthly = frame.place.linke_turbidity or (USUAL_TURBIDITY,) * 12
    haze = np.exp(HAZE_SPREAD * frame.daily("haze", PRESSURE_REACH_KM, HAZE_MEMORY))
    turbidity = 1.0 + (turbidity_of_days(monthly) - 1.0) * haze
    return clear_sky(frame.sun, frame.place.altitude_m, frame.steps(turbidity))


def _middle(frame: _Frame, clear: ClearSky, latent: Floats) -> float:
    """Where the curve of clearness lies, so that the year's beam has the published sum."""
    place = frame.place
    if place.dni_kwh_per_m2_year is None:
        return USUAL_MIDDLE
    middle = fitted_middle(clear, frame.sun, latent, place.dni_kwh_per_m2_year)
    if middle is None:
        raise BadInput(
            f"weather site '{place.id}': dni_kwh_per_m2_year = {place.dni_kwh_per_m2_year:g} is more than a clear sky "
            f"gives there ({clear.dni_w_per_m2.sum() / 1000:.0f} kWh/m2).",
            fix="Check the figure, the latitude, the altitude and linke_turbidity.",
            field="weather_sites",
        )
    return middle


def _of_days(frame: _Frame, clear: ClearSky, clearness: Floats) -> Floats:
    """Clearness of each day, weighted by the clear sky."""
    days = np.floor(frame.day).astype(np.int64) % DAYS
    light = np.bincount(days, clear.ghi_w_per_m2, DAYS)
    return np.bincount(days, clear.ghi_w_per_m2 * clearness, DAYS) / np.maximum(light, 1e-9)


def _temperature(frame: _Frame, clearness: Floats) -> tuple[Floats, Floats]:
    """Air by hour and the season in it, degC: peak in late July and at 14 h solar time, wider in clear days."""
    place = frame.place
    northern = 1.0 if place.latitude_deg >= 0 else -1.0
    season = -northern * place.temp_season_c * np.cos(2 * np.pi * (frame.day - 24) / DAYS)
    width = OVERCAST_RANGE + (1.0 - OVERCAST_RANGE) * clearness
    day = frame.by_hour(place.temp_day_c * width / width.mean())
    day = day * np.cos(2 * np.pi * (frame.solar_h - WARMEST_SOLAR_H) / 24)
    spell = temp_spread_c(place) * frame.by_hour(frame.daily("warmth", PRESSURE_REACH_KM, TEMP_MEMORY))
    air = season + day + spell
    return place.temp_mean_c + air - air.mean(), season


def temp_spread_c(place: WeatherSite) -> float:
    """By how much a day's mean temperature strays from its season; K."""
    return max(1.0, TEMP_SPREAD * place.temp_season_c)


def _humidity(frame: _Frame, temp_c: Floats, season_c: Floats, cloud: Floats) -> Floats:
    """Relative humidity from a dew point that keeps through the day; the year's mean is the site's."""
    own = frame.daily("dew", PRESSURE_REACH_KM, TEMP_MEMORY)
    stray = DEW_CLEARNESS * cloud + sqrt(1.0 - DEW_CLEARNESS**2) * own
    dew = DEW_SEASON * season_c + DEW_SPREAD * temp_spread_c(frame.place) * frame.by_hour(stray)
    full = _magnus(temp_c)
    low, high = -60.0, 45.0
    for _ in range(24):
        middle = (low + high) / 2
        too_dry = float(_relative(dew + middle, full).mean()) < frame.place.humidity_mean_frac
        low, high = (middle, high) if too_dry else (low, middle)
    return _relative(dew + low, full)


def _relative(dew_c: Floats, full: Floats) -> Floats:
    return np.clip(np.exp(_magnus(dew_c) - full), 0.02, 1.0)


def _magnus(temp_c: Floats) -> Floats:
    """Logarithm of the saturation pressure over that at 0 degC (Alduchov and Eskridge 1996)."""
    return 17.625 * temp_c / (243.04 + temp_c)


def _pressure(frame: _Frame, cloud: Floats) -> Floats:
    own = frame.daily("pressure", PRESSURE_REACH_KM, PRESSURE_MEMORY)
    stray = PRESSURE_CLEARNESS * cloud + sqrt(1.0 - PRESSURE_CLEARNESS**2) * own
    return standard_pressure_pa(frame.place.altitude_m) + PRESSURE_SPREAD_PA * frame.by_hour(stray)


def _wind(frame: _Frame) -> Floats:
    """Exact Weibull marginals laid by rank over an AR(1) series with the site's swing of day and season."""
    place = frame.place
    if place.wind_m_per_s_mean is None:
        return np.zeros(HOURS_PER_YEAR)
    scale = place.wind_m_per_s_mean / gamma(1 + 1 / place.wind_k)
    spread = sqrt(gamma(1 + 2 / place.wind_k) / gamma(1 + 1 / place.wind_k) ** 2 - 1.0)  # standard deviation over mean
    latent = frame.hourly("wind", WIND_REACH_KM, WIND_MEMORY)
    day = np.cos(2 * np.pi * (frame.solar_h - WINDIEST_SOLAR_H) / 24)
    season = np.cos(2 * np.pi * (frame.day / DAYS - (place.wind_season_peak_month - 0.5) / 12))
    latent = latent + (place.wind_day_frac * day + place.wind_season_frac * season) / spread
    levels = (np.argsort(np.argsort(latent)) + 0.5) / HOURS_PER_YEAR
    return np.asarray(scale * (-np.log1p(-levels)) ** (1 / place.wind_k), dtype=np.float64)


__all__ = [
    "HOURS_PER_YEAR", "REFERENCE_YEAR_S", "circular_ar1", "hour_of_year", "temp_spread_c", "typical_year",
    "typical_years",
]  # fmt: skip
