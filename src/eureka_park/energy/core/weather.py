"""A synthetic typical year for a place: seeded, hourly, fitted to published yearly figures, and labelled synthetic.

Clearness and wind are circular AR(1) series (so 31 December runs into 1 January). Hour `i` of the year is the UTC
interval `[i, i+1)` h after 1 January 00:00; 29 February repeats 28 February. The same year serves as truth and as
forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gamma
from typing import Final

import numpy as np
import numpy.typing as npt

from eureka_park.energy.core.sun import Floats, Sun, clear_dni_w_per_m2, sun_at
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import WeatherSite

HOURS_PER_YEAR: Final = 8760
REFERENCE_YEAR_S: Final = 1735689600.0  # 2025-01-01T00:00:00Z, a year of 365 days
_DAY_MEMORY: Final = 0.55  # correlation of cloudiness from day to day
_HOUR_MEMORY: Final = 0.75
_WIND_MEMORY: Final = 0.96  # from hour to hour
_DAY_SPREAD: Final = 1.5  # of the logit of clearness
_HOUR_SPREAD: Final = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class TypicalYear:
    """8,760 hourly values of a place: sun, irradiance in W/m2, air in degC, wind at hub height in m/s."""

    weather_site: str
    seed: int
    sun: Sun
    dni_w_per_m2: Floats
    dhi_w_per_m2: Floats
    temp_c: Floats
    wind_m_per_s: Floats

    @property
    def label(self) -> str:
        """What every figure made from it must say."""
        return f"synthetic typical year, seed {self.seed}"


def typical_year(place: WeatherSite, seed: int) -> TypicalYear:
    """The typical year of a place. Raises BadInput when the published DNI exceeds what a clear sky can give."""
    tree = SeedTree(seed).child("weather").child(place.id)
    hours = np.arange(HOURS_PER_YEAR, dtype=np.float64)
    sun = sun_at(REFERENCE_YEAR_S + (hours + 0.5) * 3600.0, place.latitude_deg, place.longitude_deg)
    dni, dhi = _irradiance(place, sun, tree.child("sky"))
    return TypicalYear(
        place.id, seed, sun, dni, dhi, _temperature(place, hours, tree.child("air")), _wind(place, tree.child("wind"))
    )


def hour_of_year(instants_s: Floats | float) -> npt.NDArray[np.int64]:
    """The hour of the typical year, 0 to 8759, in which UTC instants fall, in any year."""
    instants = np.floor(np.atleast_1d(np.asarray(instants_s, dtype=np.float64))).astype("int64").astype("datetime64[s]")
    years = instants.astype("datetime64[Y]")
    days = (instants.astype("datetime64[D]") - years.astype("datetime64[D]")).astype("int64")
    lengths = ((years + 1).astype("datetime64[D]") - years.astype("datetime64[D]")).astype("int64")
    days = days - ((lengths == 366) & (days >= 59))  # 29 February is day 59
    hours = (instants - instants.astype("datetime64[D]")).astype("int64") // 3600
    return np.asarray(days * 24 + hours, dtype=np.int64)


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
