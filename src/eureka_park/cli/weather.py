"""`park weather`: years of weather made, imported, fetched and described."""

from __future__ import annotations

import click

from eureka_park.cli.lazy import Lazy, LazyGroup

_CLI = "eureka_park.cli"
COMMANDS: dict[str, Lazy] = {
    "import": Lazy(f"{_CLI}.weather_import:import_", "Make a weather file from one of another form."),
    "fetch": Lazy(f"{_CLI}.weather_fetch:fetch", "Fetch weather from PVGIS, NASA POWER or Open-Meteo."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def weather() -> None:
    """Make, import and fetch years of weather. Every file says what it is, where it comes from and its licence.

    \b
    park weather import koudia.epw --place koudia
    park weather fetch pvgis --place ouarzazate
    """
