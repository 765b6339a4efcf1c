"""`park weather`: years of weather made, imported, fetched and described."""

from __future__ import annotations

import click

from eureka_park.cli.lazy import Lazy, LazyGroup

_CLI = "eureka_park.cli"
COMMANDS: dict[str, Lazy] = {
    "make-typical": Lazy(
        f"{_CLI}.weather_make:make_typical", "Make synthetic years for a site's places.", see=("weather describe",)
    ),
    "import": Lazy(f"{_CLI}.weather_import:import_", "Make a weather file from one of another form."),
    "fetch": Lazy(f"{_CLI}.weather_fetch:fetch", "Fetch weather from PVGIS, NASA POWER or Open-Meteo."),
    "score": Lazy(f"{_CLI}.weather_score:score", "How good forecasts are, by lead.", see=("weather describe",)),
    "describe": Lazy(f"{_CLI}.weather_describe:describe", "A weather file in figures, with a plot."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def weather() -> None:
    """Make, import, fetch and describe years of weather. Every file says what it is, its origin and its licence.

    \b
    park weather make-typical --seed 7
    park weather describe ouarzazate-7.park.csv
    park weather import koudia.epw --place koudia
    park weather fetch pvgis --place ouarzazate
    """
