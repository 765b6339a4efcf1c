"""The weather of a run from park weather files, each at its own place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from eureka_park.energy.core.weather_year import WeatherYear
from eureka_park.energy.weather_file import read_weather
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_file import Site


def weather_of(site: Site, files: Mapping[str, Path]) -> dict[str, WeatherYear]:
    """The years in files by place. Raises BadInput for a file of another place of the site, and what reading raises."""
    places = {place.id for place in site.weather_sites}
    found: dict[str, WeatherYear] = {}
    for place, path in files.items():
        found[place] = year = read_weather(path)
        if year.weather_site != place and year.weather_site in places:
            raise BadInput(
                f"{path.name} is the weather of '{year.weather_site}', not of '{place}'.",
                fix=f"Give it as --weather {year.weather_site}={path.name}.",
                field="weather",
            )
    return found
