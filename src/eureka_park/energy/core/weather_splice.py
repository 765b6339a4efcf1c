"""A forecast of some days laid over a year, so that a plan of the coming hours reads it like any other year."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from eureka_park.energy.core.readers.reading import COLUMNS, Reading, fail
from eureka_park.energy.core.weather_hours import YEAR_S
from eureka_park.energy.core.weather_year import Provenance, WeatherYear, hour_of_year


def forecast_over(base: WeatherYear, reading: Reading, content_id: str) -> WeatherYear:
    """The base year with the forecast's hours in place. The origin says from when to when, and what the rest is.

    Hours without a value at the end of the forecast are left to the base; a gap inside is refused. Raises BadInput.
    """
    starts_s = reading.stamps.starts_s
    good = np.logical_and.reduce([np.isfinite(values) for values in reading.columns.values()])
    n_hours = int(np.argmin(good)) if not good.all() else len(good)
    if n_hours == 0 or n_hours > YEAR_S // 3600 or np.any(np.diff(starts_s[:n_hours]) != 3600):
        fail("The forecast has no unbroken hours from its start on.", "Fetch it again later.")
    hours = hour_of_year(starts_s[:n_hours].astype(np.float64))
    columns = {}
    for name in COLUMNS:
        values = np.array(getattr(base, name))
        if name in reading.columns:
            values[hours] = reading.columns[name][:n_hours]
        columns[name] = values
    first, last = (datetime.fromtimestamp(int(moment), UTC) for moment in (starts_s[0], starts_s[n_hours - 1] + 3600))
    span = f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    origin = f"{reading.origin}, {span}; all other hours: {base.provenance.text}"
    columns["wind_m_per_s"][hours] *= _to_height(reading.wind_height_m, base.wind_height_m)
    if reading.wind_height_m is not None and base.wind_height_m is None:
        origin += f"; wind at {reading.wind_height_m:g} m stands for that at the hub"
    provenance = Provenance("forecast", origin, reading.licence, content_id)
    return WeatherYear(base.weather_site, provenance, base.sun, **columns, wind_height_m=base.wind_height_m)


def _to_height(from_m: float | None, to_m: float | None) -> float:
    """The power law with 1/7, where both heights are known."""
    return 1.0 if from_m is None or to_m is None else float((to_m / from_m) ** (1 / 7))
