"""`park weather import`: a file of measured or modelled weather made into a year that the models run on."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from eureka_park.cli.energy_options import Between, server_part
from eureka_park.cli.weather_place import LABELS, fill_rule, place_of, place_options, written

if TYPE_CHECKING:
    from eureka_park.energy.core.readers.reading import Reading

FORMATS: Final = ("epw", "sam-csv", "tmy3", "pvgis-json", "pvgis-csv", "ninja", "plain-csv")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--format", "form", type=click.Choice(FORMATS), help="Form of the file; without it, found by itself.")
@click.option("--column", "columns", multiple=True, metavar="COLUMN=NAME[:UNIT]", help="A column of a plain CSV.")
@click.option("--time-column", default="", metavar="NAME", help="Where a plain CSV has its times.")
@click.option("--time-format", default="", metavar="FORM", help="Form of these times, such as '%d.%m.%Y %H:%M'.")
@click.option("--timezone", default="UTC", show_default=True, metavar="ZONE", help="Clock of a plain CSV's times.")
@click.option(
    "--stamp", type=click.Choice(("start", "middle", "end")), default="start", show_default=True,
    help="What of its interval a time of a plain CSV names.",
)  # fmt: skip
@click.option("--step", type=click.IntRange(1, 60), metavar="MINUTES", help="Interval of a plain CSV's rows.")
@click.option("--wind-height", type=Between(1, 300), metavar="M", help="Height of the wind above ground.")
@click.option("--year", type=int, help="The year to take of a file that has several.")
@click.option("--label", type=click.Choice(LABELS), help="What the values are; without it, what the form says.")
@click.option("--licence", default="", metavar="TEXT", help="Under which terms the file may be used.")
@click.option("--origin", default="", metavar="TEXT", help="Where the file comes from.")
@place_options
def import_(file: Path, as_json: bool, **options: Any) -> None:
    """Make a weather file of the park's own from an EPW, SAM CSV, TMY3, PVGIS, renewables.ninja or plain CSV file.

    What is wrong (gaps, a clock that is off, foreign units) is told, not repaired, unless --fill is given.

    \b
    park weather import koudia.epw --place koudia
    park weather import tetouan.csv --place tetouan --latitude 35.57 --longitude -5.37 --timezone +01:00 \\
        --time-column Date --column 'ghi_w_per_m2=general diffuse flows' --column 'temp_c=T [K]:K' --fill
    """
    with server_part("weather import"):
        _import(file, as_json, options)


def _import(file: Path, as_json: bool, options: dict[str, Any]) -> None:
    from eureka_park.energy.core.weather_import import Wish, import_year
    from eureka_park.energy.weather_file import read_bytes

    raw = read_bytes(file)
    reading = _reading(file, raw, options)
    place, of_site = place_of(
        options["place"], options["site"], options["latitude"], options["longitude"], options["altitude"], reading.place
    )
    wish = Wish(
        hashlib.sha256(raw).hexdigest(), fill_rule(options["fill"], options["fill_max_h"]), options["accept"],
        options["year"], options["label"], options["licence"],
        options["origin"] or f"{reading.origin}, from {file.name}",
        None if of_site is None else (of_site.latitude_deg, of_site.longitude_deg),
    )  # fmt: skip
    found = import_year(reading, place, wish)
    out = options["out"] or file.with_name(f"{file.stem}-{place.id}.park.csv")
    written(found, place, out, as_json=as_json, extra={"format": reading.format, "n_rows": len(reading.lines)})


def _reading(file: Path, raw: bytes, options: dict[str, Any]) -> Reading:
    from dataclasses import replace

    from eureka_park.energy.core.readers.plain_csv import Mapped, mapped_column
    from eureka_park.energy.core.readers.recognise import read
    from eureka_park.energy.weather_file import decoded, named

    how = Mapped(
        dict(mapped_column(text) for text in options["columns"]), options["time_column"], options["timezone"],
        options["stamp"], options["step"] * 60 if options["step"] else None, options["time_format"],
        label=options["label"] or "measured", wind_height_m=options["wind_height"],
    )  # fmt: skip
    with named(file):
        reading = read(decoded(raw), options["form"] or "", how)
    return reading if options["wind_height"] is None else replace(reading, wind_height_m=options["wind_height"])
