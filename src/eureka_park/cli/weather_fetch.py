"""`park weather fetch`: a year of a place from PVGIS, NASA POWER or Open-Meteo, or its next days from Open-Meteo."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from eureka_park.cli.energy_options import server_part
from eureka_park.cli.output import say
from eureka_park.cli.weather_place import fill_rule, place_of, place_options, written
from eureka_park.cli.words import _
from eureka_park.foundation.errors import BadInput

if TYPE_CHECKING:
    from eureka_park.adapters.weather.http import Fetched
    from eureka_park.energy.core.readers.reading import Reading
    from eureka_park.energy.core.weather_import import Imported, Place, Wish
    from eureka_park.foundation.site_file import WeatherSite

SERVICES: Final = ("pvgis", "nasa-power", "open-meteo")


@click.command()
@click.argument("service", type=click.Choice(SERVICES))
@click.option("--year", type=click.IntRange(1940, 2100), help="A past year. Without it: typical year, or forecast.")
@click.option("--url", metavar="URL", help="Address of the service, where it is not the usual one.")
@place_options
def fetch(service: str, year: int | None, url: str | None, as_json: bool, **options: Any) -> None:
    """Fetch the weather of a place and make a weather file of it; what came is kept beside it, byte by byte.

    pvgis: the typical year, or one year with --year. nasa-power: one year. open-meteo: the next 16 days laid over a
    synthetic year, or one past year. PVGIS and NASA POWER need: pip install 'eureka-park[weather]'

    \b
    park weather fetch pvgis --place ouarzazate
    park weather fetch nasa-power --place koudia --year 2023
    park weather fetch open-meteo --place koudia --out koudia-coming.csv
    """
    with server_part("weather fetch"):
        _fetch(service, year, url, as_json, options)


def _fetch(service: str, year: int | None, url: str | None, as_json: bool, options: dict[str, Any]) -> None:
    from eureka_park.energy.core.weather_import import Wish
    from eureka_park.energy.weather_file import write_whole

    place, of_site = place_of(
        options["place"], options["site"], options["latitude"], options["longitude"], options["altitude"]
    )
    reading, came = _asked(service, place, year, url)
    out: Path = options["out"] or Path(f"{place.id}-{service}{f'-{year}' if year else ''}.park.csv")
    raw = out.with_name(f"{out.name.removesuffix('.csv').removesuffix('.park')}.raw.json")
    write_whole(raw, came.content)
    if not as_json:
        say(_("what came is kept in {file}", file=raw))
    wish = Wish(
        hashlib.sha256(came.content).hexdigest(), fill_rule(options["fill"], options["fill_max_h"]),
        options["accept"], year,
    )  # fmt: skip
    found = _year(reading, place, of_site, wish)
    written(found, place, out, as_json=as_json, extra={"raw_path": str(raw), "url": came.url, "format": reading.format})


def _asked(service: str, place: Place, year: int | None, url: str | None) -> tuple[Reading, Fetched]:
    from eureka_park.adapters.weather.nasa_power import fetch_nasa_power
    from eureka_park.adapters.weather.open_meteo import fetch_open_meteo
    from eureka_park.adapters.weather.pvgis import fetch_pvgis

    by_name = {"pvgis": fetch_pvgis, "nasa-power": fetch_nasa_power, "open-meteo": fetch_open_meteo}
    return by_name[service](place.latitude_deg, place.longitude_deg, year, url)


def _year(reading: Reading, place: Place, of_site: WeatherSite | None, wish: Wish) -> Imported:
    from eureka_park.energy.core.weather import typical_year
    from eureka_park.energy.core.weather_import import Imported, import_year
    from eureka_park.energy.core.weather_splice import forecast_over

    if reading.label != "forecast":
        return import_year(reading, place, wish)
    if of_site is None:
        raise BadInput(
            f"A forecast is laid over a year, and the site has no place '{place.id}' to make one for.",
            fix="Name a place of a site with --place and --site.", field="place",
        )  # fmt: skip
    return Imported(forecast_over(typical_year(of_site, 1), reading, wish.content_id), {}, (), ())
