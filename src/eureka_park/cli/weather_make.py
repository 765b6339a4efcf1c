"""`park weather make-typical`: synthetic years of a site's places as weather files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eureka_park.cli.energy_options import DEFAULT_SITE, SEEDS, server_part
from eureka_park.cli.output import json_option, print_json
from eureka_park.cli.words import _
from eureka_park.foundation.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from eureka_park.foundation.site_file import Site


@click.command("make-typical")
@click.option("--site", default=DEFAULT_SITE, show_default=True, metavar="NAME|FILE", help="Site that has the places.")
@click.option("--place", "places", multiple=True, metavar="ID", help="One of its places; default: all.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="The year to make; default: 1.")
@click.option("--seeds", type=SEEDS, help="Several years at once: 1-20 or 1,4,7-9.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path(), metavar="DIR", help="Folder to write to."
)
@json_option
def make_typical(
    site: str, places: tuple[str, ...], seed: int | None, seeds: tuple[int, ...] | None, out: Path, as_json: bool
) -> None:
    """Make synthetic years for the places of a site, fitted to its published yearly figures and labelled synthetic.

    A seed always gives the same year. Places of one seed share their weather by distance.

    \b
    park weather make-typical --seed 7
    park weather make-typical --site my-university.toml --seeds 1-20 --out weather
    """
    if seed is not None and seeds is not None:
        raise BadInput("--seed and --seeds are given.", fix="Give one of them.", field="seeds")
    with server_part("weather make-typical"):
        from eureka_park.cli.site import machine_facts
        from eureka_park.foundation.site_reading import load_site

        found = load_site(site, machine_facts())
        made = _made(found, places, seeds or (1 if seed is None else seed,), out)
    if as_json:
        print_json({"items": made})
        return
    for one in made:
        click.echo(_("{file} is written: {figures}.", file=one["path"], figures=", ".join(_figures(one))))
    click.echo(_("These years are synthetic. Look at one: park weather describe {file}", file=made[0]["path"]))


def _figures(one: dict[str, Any]) -> Iterator[str]:
    """What a year has: sun, wind or both."""
    if one["dni_kwh_per_m2"] > 0:
        yield f"DNI {one['dni_kwh_per_m2']:,.0f} kWh/m2"
        yield f"GHI {one['ghi_kwh_per_m2']:,.0f} kWh/m2"
    if one["wind_m_per_s_mean"] > 0:
        yield _("wind {wind} m/s", wind=f"{one['wind_m_per_s_mean']:.1f}")
    yield _("air {temp} degC", temp=f"{one['temp_c_mean']:.1f}")


def _made(site: Site, wanted: tuple[str, ...], seeds: tuple[int, ...], out: Path) -> list[dict[str, Any]]:
    from eureka_park.energy.core.weather import typical_years
    from eureka_park.energy.weather_file import write_weather

    known = {place.id: place for place in site.weather_sites}
    for name in wanted:
        if name not in known:
            raise BadInput(
                f"There is no place '{name}'.", fix=f"Places of {site.name}: {', '.join(known) or 'none'}.",
                field="place",
            )  # fmt: skip
    if not known:
        raise BadInput(f"{site.name} has no weather sites.", fix="Add [[weather_sites]] to its site file.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"'{out}' cannot be made: {error.strerror}.", fix="Choose another folder.") from None
    made = []
    for seed in seeds:
        for name, year in typical_years([known[name] for name in wanted or known], seed).items():
            path = out / f"{name}-{seed}.park.csv"
            write_weather(path, year, known[name], {"site": site.name})
            made.append(
                {
                    "path": str(path), "place": name, "seed": seed, "label": year.provenance.label,
                    "content_id": year.provenance.content_id,
                    **{
                        f"{kind}_kwh_per_m2": round(float(getattr(year, f"{kind}_w_per_m2").sum()) / 1000.0, 1)
                        for kind in ("dni", "dhi", "ghi")
                    },
                    "temp_c_mean": round(float(year.temp_c.mean()), 2),
                    "wind_m_per_s_mean": round(float(year.wind_m_per_s.mean()), 2),
                }
            )  # fmt: skip
    return made
