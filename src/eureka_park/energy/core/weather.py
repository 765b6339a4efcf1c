"""A synthetic typical year for a place: seeded, hourly, fitted to published yearly figures, and labelled synthetic.

Clearness and wind are circular AR(1) series (so 31 December runs into 1 January). The same year serves as truth and as
forecast.
"""

from __future__ import annotations

from math import gamma
from typing import Final

import numpy as np

from eureka_park.energy.core.sun import Floats, Sun, clear_dni_w_per_m2, sun_at
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, REFERENCE_YEAR_S, Provenance, WeatherYear, hour_of_year
from eureka_park.foundation.canonical import content_id
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import WeatherSite

ORIGIN: Final = "made by park weather make-typical"
LICENCE: Final = "CC0-1.0"
_DAY_MEMORY: Final = 0.55  # correlation of cloudiness from day to day
_HOUR_MEMORY: Final = 0.75
_WIND_MEMORY: Final = 0.96  # from hour to hour
_DAY_SPREAD: Final = 1.5  # of the logit of clearness
_HOUR_SPREAD: Final = 0.8


def typical_year(place: WeatherSite, seed: int) -> WeatherYear:
    """The typical year of a place. Raises BadInput when the published DNI exceeds what a clear sky can give."""
    tree = SeedTree(seed).child("weather").child(place.id)
    hours = np.arange(HOURS_PER_YEAR, dtype=np.float64)
    sun = sun_at(REFERENCE_YEAR_S + (hours + 0.5) * 3600.0, place.latitude_deg, place.longitude_deg)
    dni, dhi = _irradiance(place, sun, tree.child("sky"))
    temp = _temperature(place, hours, tree.child("air"))
    return WeatherYear(
        place.id,
        Provenance("synthetic", ORIGIN, LICENCE, content_id([place.model_dump(mode="json"), seed]), seed),
        sun,
        dni,
        dhi,
        dhi + dni * np.maximum(0.0, sun.cos_zenith),
        temp,
        np.full(HOURS_PER_YEAR, 0.5),
        np.full(HOURS_PER_YEAR, 101325.0 * np.exp(-place.altitude_m / 8434.0)),
        _wind(place, tree.child("wind")),
    )


def circular_ar1(tree: SeedTree, n_values: int, memory: float) -> Floats:
    """A closed AR(1) series with mean 0 and variance 1: no seam between its end and its start."""
    noise = tree.generator().standard_normal(n_values)
    turns = np.exp(-2j * np.pi * np.arange(n_values // 2 + 1) / n_values)
    series = np.fft.irfft(np.fft.rfft(noise) / (1 - memory * turns), n_values)
    return np.asarray((series - series.mean()) / series.std(), dtype=np.float64)


def _irradiance(place: WeatherSite, sun: Sun, tree: SeedTree) -> tuple[Floats, Floats]:
    if place.dni_kwh_per_m2_year is None:
        return np.zeros(HOURS_PER_YEAR), np.zeros(HOURS_PER_YEAR)
    clear = clear_dni_w_per_m2(sun, place.altitude_m)
    days = circular_ar1(tree.child("day"), HOURS_PER_YEAR // 24, _DAY_MEMORY)
    logit = _DAY_SPREAD * np.repeat(days, 24)
    logit = logit + _HOUR_SPREAD * circular_ar1(tree.child("hour"), HOURS_PER_YEAR, _HOUR_MEMORY)
    clearness = _fitted_clearness(clear, logit, place)
    dhi = sun.beam_w_per_m2 * np.maximum(0.0, sun.cos_zenith) * (0.08 + 0.30 * (1 - clearness))
    return clear * clearness, dhi


def _fitted_clearness(clear: Floats, logit: Floats, place: WeatherSite) -> Floats:
    """Shift all skies alike until the year's beam has the published sum."""
    wanted_wh = 1000.0 * float(place.dni_kwh_per_m2_year or 0.0)
    if wanted_wh > 0.99 * float(clear.sum()):
        raise BadInput(
            f"weather site '{place.id}': dni_kwh_per_m2_year = {wanted_wh / 1000:g} is more than a clear sky "
            f"gives there ({clear.sum() / 1000:.0f} kWh/m2).",
            fix="Check the figure, the latitude and the altitude.",
            field="weather_sites",
        )
    low, high = -12.0, 12.0
    for _ in range(60):
        middle = (low + high) / 2
        too_little = float((clear / (1 + np.exp(-(logit + middle)))).sum()) < wanted_wh
        low, high = (middle, high) if too_little else (low, middle)
    return np.asarray(1 / (1 + np.exp(-(logit + low))), dtype=np.float64)


def _temperature(place: WeatherSite, hours: Floats, tree: SeedTree) -> Floats:
    """Season with its peak in late July, day with its peak at 15 h solar time, weather on top."""
    northern = 1.0 if place.latitude_deg >= 0 else -1.0
    season = -northern * place.temp_season_c * np.cos(2 * np.pi * (hours / 24 - 24) / 365)
    day = place.temp_day_c * np.cos(2 * np.pi * (hours + 0.5 + place.longitude_deg / 15 - 15) / 24)
    weather = 2.5 * np.repeat(circular_ar1(tree, HOURS_PER_YEAR // 24, 0.7), 24)
    return np.asarray(place.temp_mean_c + season + day + weather, dtype=np.float64)


def _wind(place: WeatherSite, tree: SeedTree) -> Floats:
    """Exact Weibull marginals laid over an AR(1) series by rank; no season, because the sources disagree about it."""
    if place.wind_m_per_s_mean is None:
        return np.zeros(HOURS_PER_YEAR)
    ranks = np.argsort(np.argsort(circular_ar1(tree, HOURS_PER_YEAR, _WIND_MEMORY)))
    levels = (ranks + 0.5) / HOURS_PER_YEAR
    scale = place.wind_m_per_s_mean / gamma(1 + 1 / place.wind_k)
    return np.asarray(scale * (-np.log1p(-levels)) ** (1 / place.wind_k), dtype=np.float64)


__all__ = ["HOURS_PER_YEAR", "REFERENCE_YEAR_S", "circular_ar1", "hour_of_year", "typical_year"]
