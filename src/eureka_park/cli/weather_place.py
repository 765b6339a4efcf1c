"""What `park weather import` and `fetch` share: the place, the repairs somebody allows, the file that is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from eureka_park.cli.energy_options import Between
from eureka_park.cli.output import clean, json_option, print_json
from eureka_park.cli.words import _
from eureka_park.foundation.errors import BadInput

if TYPE_CHECKING:
    from eureka_park.energy.core.readers.reading import PlaceFacts
    from eureka_park.energy.core.weather_fill import FillRule
    from eureka_park.energy.core.weather_import import Imported, Place
    from eureka_park.foundation.site_file import WeatherSite

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LABELS: Final = ("synthetic", "measured", "reanalysis", "forecast")


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--place --site --latitude --longitude --altitude --out --fill --fill-max-h --accept --json`."""
    for option in (
        json_option,
        click.option("--accept", is_flag=True, help="Take values that look wrong as they are; the file says so."),
        click.option(
            "--fill-max-h", type=click.IntRange(1, 8760), default=168, show_default=True, metavar="HOURS",
            help="Longest gap that --fill fills.",
        ),
        click.option(
            "--fill", is_flag=True,
            help="Repair: fill gaps, set what is below zero to zero, leave out 29 February and doubled rows.",
        ),
        click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write."),
        click.option("--altitude", type=float, metavar="M", help="Height above the sea."),
        click.option("--longitude", type=Between(-180, 180), metavar="DEG", help="East positive."),
        click.option("--latitude", type=Between(-90, 90), metavar="DEG", help="North positive."),
        click.option(
            "--site", default="eureka-park", show_default=True, metavar="NAME|FILE", help="Site that has the place."
        ),
        click.option("--place", required=True, metavar="ID", help="Id that the site file gives the place."),
    ):  # fmt: skip
        command = option(command)
    return command


def place_of(
    place: str,
    site: str,
    latitude: float | None,
    longitude: float | None,
    altitude: float | None,
    facts: PlaceFacts | None = None,
) -> tuple[Place, WeatherSite | None]:
    """Where the year is for: what was given, then what the file says, then what the site says. Raises BadInput."""
    from eureka_park.cli.site import machine_facts
    from eureka_park.energy.core.readers.reading import PLACE_LIMITS
    from eureka_park.energy.core.weather_import import Place
    from eureka_park.foundation.site_reading import load_site

    if not _ID.fullmatch(place):
        raise BadInput(
            f"'{place}' is no id of a place.", fix="Write lower-case letters, digits and hyphens.", field="place"
        )
    known = {one.id: one for one in load_site(site, machine_facts()).weather_sites}
    of_site = known.get(place)

    def chosen(given: float | None, of_file: float | None, of_place: float | None) -> float | None:
        return next((value for value in (given, of_file, of_place) if value is not None), None)

    north = chosen(latitude, facts.latitude_deg if facts else None, of_site.latitude_deg if of_site else None)
    east = chosen(longitude, facts.longitude_deg if facts else None, of_site.longitude_deg if of_site else None)
    height = chosen(altitude, facts.altitude_m if facts else None, of_site.altitude_m if of_site else None)
    if north is None or east is None:
        raise BadInput(
            f"Nothing says where '{place}' is.",
            fix=f"Give --latitude and --longitude, or a place of the site: {', '.join(known) or 'none'}.",
            field="place",
        )
    for name, value in zip(PLACE_LIMITS, (north, east, height or 0.0), strict=True):
        low, high = PLACE_LIMITS[name]
        if not low <= value <= high:
            raise BadInput(
                f"{name} = {value:g} is outside {low:g} to {high:g}.", fix=f"Give --{name.partition('_')[0]}.",
                field=name.partition("_")[0],
            )  # fmt: skip
    return Place(place, north, east, height or 0.0, of_site.temp_mean_c if of_site else None), of_site


def fill_rule(fill: bool, fill_max_h: int) -> FillRule | None:
    """What `--fill` allows."""
    from eureka_park.energy.core.weather_fill import FillRule

    return FillRule(long_h=fill_max_h) if fill else None


def written(found: Imported, place: Place, out: Path, *, as_json: bool, extra: dict[str, Any]) -> None:
    """Write the year and say what it is."""
    from eureka_park.energy.weather_file import write_weather

    write_weather(out, found.year, place, found.extra)
    year, told = found.year, found.year.provenance
    sums = {
        f"{name}_kwh_per_m2": round(float(getattr(year, f"{name}_w_per_m2").sum()) / 1000.0, 1)
        for name in ("dni", "dhi", "ghi")
    }
    facts = {
        "path": str(out), "place": place.id, "label": told.label, "origin": told.origin, "licence": told.licence,
        "content_id": told.content_id, **extra, **sums, "temp_c_mean": round(float(year.temp_c.mean()), 2),
        "wind_m_per_s_mean": round(float(year.wind_m_per_s.mean()), 2), "wind_height_m": year.wind_height_m,
        "n_filled": found.n_filled, "filled_hours": dict(found.filled_hours), "notes": list(found.notes),
        "warnings": list(found.warnings),
    }  # fmt: skip
    if as_json:
        print_json(facts)
        return
    click.echo(_("{file} is written: {label}, {origin}.", file=out, label=told.label, origin=clean(told.origin)))
    click.echo(
        _("DNI {dni} kWh/m2, GHI {ghi} kWh/m2, air {temp} degC, wind {wind} m/s.",
          dni=f"{sums['dni_kwh_per_m2']:,.0f}", ghi=f"{sums['ghi_kwh_per_m2']:,.0f}",
          temp=f"{facts['temp_c_mean']:.1f}", wind=f"{facts['wind_m_per_s_mean']:.1f}")
    )  # fmt: skip
    for warning in found.warnings:
        click.echo(_("Look at this: {warning}", warning=clean(warning)), err=True)
    click.echo(_("Use it: park energy year --weather {place}={file}", place=place.id, file=out))
