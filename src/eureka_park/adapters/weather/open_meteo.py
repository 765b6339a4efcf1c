"""Open-Meteo: the forecast of the coming days, or the hours of a past year from ERA5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from eureka_park.adapters.weather.http import Fetched, Service, fetch
from eureka_park.energy.core.readers.reading import IRRADIANCE, PlaceFacts, Reading, Stamps
from eureka_park.foundation.errors import Unavailable

LICENCE: Final = "CC BY 4.0, weather data by Open-Meteo.com; its free service is for non-commercial use"
FORECAST: Final = Service("Open-Meteo", "https://api.open-meteo.com/v1/", LICENCE)
ARCHIVE: Final = Service("Open-Meteo", "https://archive-api.open-meteo.com/v1/", LICENCE)
FORECAST_DAYS: Final = 16
# The park's column: the service's name, and what its number is multiplied by.
_COLUMNS: Final[Mapping[str, tuple[str, float]]] = {
    "ghi_w_per_m2": ("shortwave_radiation", 1.0),
    "dni_w_per_m2": ("direct_normal_irradiance", 1.0),
    "dhi_w_per_m2": ("diffuse_radiation", 1.0),
    "temp_c": ("temperature_2m", 1.0),
    "humidity_frac": ("relative_humidity_2m", 0.01),
    "pressure_pa": ("surface_pressure", 100.0),
}
_UNITS: Final = {
    "shortwave_radiation": "W/m²", "direct_normal_irradiance": "W/m²", "diffuse_radiation": "W/m²",
    "temperature_2m": "°C", "relative_humidity_2m": "%", "surface_pressure": "hPa", "wind": "m/s",
}  # fmt: skip


def fetch_open_meteo(
    latitude_deg: float, longitude_deg: float, year: int | None = None, url: str | None = None
) -> tuple[Reading, Fetched]:
    """The next 16 days, or a past year. Raises BadInput for what the service refuses, Unavailable."""
    height_m = 80 if year is None else 100
    wind = f"wind_speed_{height_m}m"
    names = [name for name, _ in _COLUMNS.values()] + [wind]
    params: dict[str, object] = {
        "latitude": latitude_deg, "longitude": longitude_deg, "hourly": ",".join(names), "timeformat": "unixtime",
        "timezone": "GMT", "wind_speed_unit": "ms",
    }  # fmt: skip
    if year is None:
        service, path = FORECAST.at(url), "forecast"
        params["forecast_days"] = FORECAST_DAYS
    else:
        service, path = ARCHIVE.at(url), "archive"
        params |= {"start_date": f"{year}-01-01", "end_date": f"{year + 1}-01-01"}
    came = fetch(service, service.url + path, params)
    return _reading(service, came, wind, height_m, year), came


def _reading(service: Service, came: Fetched, wind: str, height_m: int, year: int | None) -> Reading:
    value = came.json(service)
    try:
        hourly, units = value["hourly"], value["hourly_units"]
        stamps = np.array(hourly["time"], dtype=np.int64)
        wanted = {**_COLUMNS, "wind_m_per_s": (wind, 1.0)}
        columns = {name: _column(hourly[theirs]) * factor for name, (theirs, factor) in wanted.items()}
        place = PlaceFacts(float(value["latitude"]), float(value["longitude"]), float(value["elevation"]))
        odd = [name for name in hourly if name != "time" and units[name] != _UNITS["wind" if name == wind else name]]
    except (KeyError, TypeError, ValueError) as error:
        raise _strange(service, f"{error} is missing" if isinstance(error, KeyError) else str(error)) from None
    if odd or len(stamps) < 2 or any(len(values) != len(stamps) for values in columns.values()):
        raise _strange(service, f"unit of {odd[0]}: {units[odd[0]]}" if odd else "columns of different lengths")
    # Light is the mean of the hour before its stamp; all else holds at the stamp.
    columns = {name: values[1:] if name in IRRADIANCE else values[:-1] for name, values in columns.items()}
    what = "forecast of the next days" if year is None else f"{year} from ERA5"
    return Reading(
        "open-meteo",
        place,
        Stamps(stamps[:-1], 3600, "start", 0.0),
        columns,
        np.arange(1, len(stamps)),
        "forecast" if year is None else "reanalysis",
        f"Open-Meteo, {what} (open-meteo.com)",
        LICENCE,
        float(height_m),
    )


def _column(values: list[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)


def _strange(service: Service, why: str) -> Unavailable:
    return Unavailable(
        f"{service.name} answered in a form that is not known here ({' '.join(why.split())[:100]}).",
        fix="Check --url.", code="bad_answer",
    )  # fmt: skip
