"""PVGIS of the European Commission's Joint Research Centre: the typical year, or the hours of one year."""

from __future__ import annotations

from typing import Final

from eureka_park.adapters.weather.by_pvlib import asked
from eureka_park.adapters.weather.http import Fetched, Service
from eureka_park.energy.core.readers.pvgis import LICENCE, read_pvgis_json
from eureka_park.energy.core.readers.reading import Reading

SERVICE: Final = Service("PVGIS", "https://re.jrc.ec.europa.eu/api/v5_2/", LICENCE)


def fetch_pvgis(
    latitude_deg: float, longitude_deg: float, year: int | None = None, url: str | None = None
) -> tuple[Reading, Fetched]:
    """The typical year of a place, or its hours of one year on level ground. Raises BadInput, Unavailable."""
    service = SERVICE.at(url)
    if year is None:
        _, came = asked(
            service, "pvgis", lambda pvgis: pvgis.get_pvgis_tmy(latitude_deg, longitude_deg, url=service.url)
        )
    else:
        _, came = asked(
            service,
            "pvgis",
            lambda pvgis: pvgis.get_pvgis_hourly(
                latitude_deg, longitude_deg, start=year, end=year, components=True, surface_tilt=0, url=service.url
            ),
        )
    return read_pvgis_json(came.content.decode("utf-8", "replace")), came
