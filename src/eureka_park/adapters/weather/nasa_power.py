"""NASA POWER: hours of one year from satellites (CERES SYN1deg) and reanalysis (MERRA-2), on a coarse grid."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from eureka_park.adapters.weather.by_pvlib import asked
from eureka_park.adapters.weather.http import Fetched, Service
from eureka_park.energy.core.readers.reading import PlaceFacts, Reading, Stamps, fail

# What the POWER project asks of those who use its data.
LICENCE: Final = (
    "free of charge; obtained from the NASA Langley Research Center POWER project funded through the NASA Earth "
    "Science/Applied Science Program"
)
SERVICE: Final = Service("NASA POWER", "https://power.larc.nasa.gov/api/temporal/hourly/point/", LICENCE)
WIND_HEIGHT_M: Final = 50.0
_COLUMNS: Final = {
    "ghi_w_per_m2": ("ghi", 1.0),
    "dni_w_per_m2": ("dni", 1.0),
    "dhi_w_per_m2": ("dhi", 1.0),
    "temp_c": ("temp_air", 1.0),
    "humidity_frac": ("relative_humidity", 0.01),
    "pressure_pa": ("pressure", 1.0),
    "wind_m_per_s": ("WS50M", 1.0),
}
_ASKED: Final = ("ghi", "dni", "dhi", "temp_air", "RH2M", "PS", "WS50M")


def fetch_nasa_power(
    latitude_deg: float, longitude_deg: float, year: int | None, url: str | None = None
) -> tuple[Reading, Fetched]:
    """The hours of a year. Raises BadInput, Unavailable."""
    if year is None:
        fail("NASA POWER gives the hours of a year, not a typical one.", "Name one: --year 2023.", name="year")
    service = SERVICE.at(url)
    (frame, meta), came = asked(
        service,
        "nasa_power",
        lambda power: power.get_nasa_power(
            latitude_deg, longitude_deg, f"{year}-01-01", f"{year}-12-31", list(_ASKED), url=service.url.rstrip("/")
        ),
    )
    return _reading(frame, meta, year), came


def _reading(frame: Any, meta: Any, year: int) -> Reading:
    renamed = frame.rename(columns={"RH2M": "relative_humidity", "PS": "pressure"})
    columns = {
        name: np.asarray(renamed[theirs], dtype=np.float64) * factor
        for name, (theirs, factor) in _COLUMNS.items()
        if theirs in renamed
    }
    if "PS" in frame and "pressure_pa" in columns:
        columns["pressure_pa"] = columns["pressure_pa"] * 1000.0  # kPa where pvlib does not know the name
    stamps = np.asarray(frame.index.as_unit("s").asi8, dtype=np.int64)
    place = PlaceFacts(float(meta["latitude"]), float(meta["longitude"]), float(meta["altitude"]))
    return Reading(
        "nasa-power",
        place,
        Stamps(stamps, 3600, "start", 0.0),
        columns,
        np.arange(1, len(stamps) + 1),
        "reanalysis",
        f"NASA POWER {year}, CERES SYN1deg and MERRA-2 (power.larc.nasa.gov)",
        LICENCE,
        WIND_HEIGHT_M,
    )
