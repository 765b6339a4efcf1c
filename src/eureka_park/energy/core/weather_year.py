"""A year of weather at one place: the form in which every model reads it, with where it came from.

Hour `i` of the year is the UTC interval `[i, i+1)` h after 1 January 00:00; 29 February repeats 28 February.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from eureka_park.energy.core.sun import Floats, Sun

HOURS_PER_YEAR: Final = 8760
REFERENCE_YEAR_S: Final = 1735689600.0  # 2025-01-01T00:00:00Z, a year of 365 days

WeatherLabel = Literal["synthetic", "measured", "reanalysis", "forecast"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a series came from; every result made from it repeats this."""

    label: WeatherLabel
    origin: str
    licence: str
    content_id: str
    seed: int | None = None

    @property
    def text(self) -> str:
        """One line for people: the label first."""
        return (
            f"{self.label} typical year, seed {self.seed}" if self.seed is not None else f"{self.label}: {self.origin}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class WeatherYear:
    """8,760 hourly means of a place.

    Irradiance in W/m2 (direct normal, diffuse and global horizontal), air in degC, humidity 0 to 1, pressure in Pa at
    the place, wind in m/s at `wind_height_m` above ground (None: at the hub of the machines there).
    """

    weather_site: str
    provenance: Provenance
    sun: Sun
    dni_w_per_m2: Floats
    dhi_w_per_m2: Floats
    ghi_w_per_m2: Floats
    temp_c: Floats
    humidity_frac: Floats
    pressure_pa: Floats
    wind_m_per_s: Floats
    wind_height_m: float | None = None

    @property
    def is_typical(self) -> bool:
        """Whether it was fitted to the published sums of its place, so that published outputs belong to it."""
        return self.provenance.label == "synthetic"


def hour_of_year(instants_s: Floats | float) -> npt.NDArray[np.int64]:
    """The hour of the year, 0 to 8759, in which UTC instants fall, in any year."""
    instants = np.floor(np.atleast_1d(np.asarray(instants_s, dtype=np.float64))).astype("int64").astype("datetime64[s]")
    years = instants.astype("datetime64[Y]")
    days = (instants.astype("datetime64[D]") - years.astype("datetime64[D]")).astype("int64")
    lengths = ((years + 1).astype("datetime64[D]") - years.astype("datetime64[D]")).astype("int64")
    days = days - ((lengths == 366) & (days >= 59))  # 29 February is day 59
    hours = (instants - instants.astype("datetime64[D]")).astype("int64") // 3600
    return np.asarray(days * 24 + hours, dtype=np.int64)
