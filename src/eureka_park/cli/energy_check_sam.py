"""`park energy check-sam`: our plants beside NREL's SAM, under the same weather and the same dispatch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from eureka_park.cli.energy_options import DEFAULT_SITE, POWER, server_part
from eureka_park.cli.lazy import FAILURE
from eureka_park.cli.output import cell, clean, console, json_option, print_json
from eureka_park.cli.progress import Line, bar
from eureka_park.cli.words import N_, _
from eureka_park.foundation.errors import BadInput

if TYPE_CHECKING:
    from eureka_park.energy.core.plants_in_park import ParkPlan
    from eureka_park.energy.core.weather_year import WeatherYear
    from eureka_park.energy.sam.check import Compared
    from eureka_park.foundation.site_file import Plant, Site, WeatherSite

    Task = tuple[Plant, WeatherSite, WeatherYear]

DISPATCHES: Final = ("alone", "park")
DOING: Final = {
    "ours": N_("{plant}: our model"),
    "sam-field": N_("{plant}: SAM, heat of the field"),
    "sam-dispatch": N_("{plant}: SAM, following our dispatch"),
    "sam": N_("{plant}: SAM"),
}
FAULTS: Final = {"heat": N_("heat"), "net": N_("electricity"), "correlation": N_("correlation")}


@click.command("check-sam")
@json_option
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the synthetic year.")
@click.option(
    "--weather",
    "weather_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A park weather file: solar plants are put at its place. Default: synthetic years of the site's places.",
)
@click.option(
    "--dispatch",
    type=click.Choice(DISPATCHES),
    default=DISPATCHES[0],
    show_default=True,
    help="What plants with salt follow: the plan of each by itself, or that of the whole site for the year.",
)
@click.option(
    "--load-mw", type=POWER, metavar="MW", help="Constant load under --dispatch park; default: the site's largest."
)
@click.option("--plant", "names", multiple=True, metavar="PLANT", help="Only this plant; may be given several times.")
@click.option(
    "--site", "site_name", default=DEFAULT_SITE, show_default=True, metavar="NAME|FILE",
    help="A built-in site or a site file.",
)  # fmt: skip
def check_sam(
    site_name: str,
    names: tuple[str, ...],
    weather_path: Path | None,
    seed: int,
    dispatch: str,
    load_mw: float | None,
    as_json: bool,
) -> None:
    """Compare our plants with NREL's SAM: heat, electricity under the same dispatch, correlation of the hours.

    Needs the extra: pip install 'eureka-park[sam]'. A trough takes a minute, a tower half of that. Ends with exit code
    1 where a plant is more than 5 % (PV and wind 3 %) off, or the heat of its hours correlates by less than 0.98.

    \b
    park energy check-sam --plant noor-iv
    park energy check-sam --weather daggett.csv --json
    park energy check-sam --dispatch park --plant noor-iii
    """
    with server_part("energy check-sam"):
        from eureka_park.energy.sam.check import check_plant
        from eureka_park.energy.sam.runs import sam_version
        from eureka_park.foundation.site_reading import load_site

        version = sam_version()
        site = load_site(site_name)
        tasks = _tasks(site, names, weather_path, seed)
        found = []
        with Line() as line:
            if dispatch == "park":
                line.show("park", lambda: bar(0.0) + " " + _("dispatch of the whole site"))
            plan = _plan(site, dispatch, weather_path, seed, load_mw)
            for index, (plant, place, year) in enumerate(tasks):
                done = bar(index / len(tasks))

                def tell(what: str, name: str = plant.id, done: str = done) -> None:
                    line.show(f"{name} {what}", lambda: f"{done} " + _(DOING[what], plant=clean(name)))

                found.append(check_plant(plant, place, year, tell, plan))
    if as_json:
        rows = [row.to_json() for row in found]
        load = {} if plan is None else {"load_mw": float(plan.problem.load_mw.max())}
        print_json({"sam": version, "dispatch": dispatch, **load, "plants": rows, "is_within": _are_within(found)})
    else:
        _print(found, version)
    if not _are_within(found):
        click.get_current_context().exit(FAILURE)


def _plan(site: Site, dispatch: str, weather_path: Path | None, seed: int, load_mw: float | None) -> ParkPlan | None:
    """The site's dispatch where it is asked for. Raises BadInput for options that do not go together."""
    if dispatch != "park":
        if load_mw is not None:
            raise BadInput(
                "A plant by itself follows no load.",
                fix="Add --dispatch park, or leave --load-mw out.",
                field="load_mw",
            )
        return None
    if weather_path is not None:
        raise BadInput(
            "The dispatch of the site needs the weather of all its places.",
            fix="Leave out --weather, or --dispatch park.",
            field="weather",
        )
    from eureka_park.energy.sam.check import plan_of_park

    return plan_of_park(site, seed, site.site_mw_max if load_mw is None else load_mw)


def _tasks(site: Site, names: tuple[str, ...], weather_path: Path | None, seed: int) -> list[Task]:
    """Plants with place and weather. Raises BadInput for an unknown plant or a plant without a model in SAM."""
    from eureka_park.energy.core.weather import typical_years
    from eureka_park.energy.sam.check import at_place
    from eureka_park.energy.weather_file import read_weather_file

    plants = _chosen(site, names, has_file=weather_path is not None)
    if weather_path is not None:
        given = read_weather_file(weather_path)
        return [(plant, at_place(site, plant, given), given.year) for plant in plants]
    places = {place.id: place for place in site.weather_sites}
    needed = tuple(place for place in site.weather_sites if any(plant.weather_site == place.id for plant in plants))
    years = typical_years(needed, seed)
    return [(plant, places[plant.weather_site], years[plant.weather_site]) for plant in plants]


def _chosen(site: Site, names: tuple[str, ...], has_file: bool) -> list[Plant]:
    from eureka_park.energy.sam.runs import MODULES

    checked = {plant.id: plant for plant in site.plants if plant.type in MODULES}
    for name in names:
        if name not in checked:
            raise BadInput(
                f"There is no plant '{name}' that SAM has a model for.",
                fix=f"Plants: {', '.join(checked) or 'none'}.",
                field="plant",
            )
    if names:
        return [checked[name] for name in dict.fromkeys(names)]
    return [plant for plant in checked.values() if not (has_file and plant.type == "wind")]


def _are_within(found: list[Compared]) -> bool:
    return not any(row.faults for row in found)


def _print(found: list[Compared], version: str) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    is_planned = any(row.planned_gwh is not None for row in found)
    table.add_column(_("plant"))
    table.add_column(_("place"))
    for head in (
        _("heat, GWh"), "SAM", _("ratio"), _("electricity, GWh"), "SAM", _("ratio"), _("correlation"),
    ):  # fmt: skip
        table.add_column(head, justify="right", no_wrap=True)
    if is_planned:
        table.add_column(_("planned, GWh"), justify="right", no_wrap=True)
    table.add_column("")
    for row in found:
        heat = (_figure(row.heat_gwh), _figure(row.sam_heat_gwh), _ratio(row.heat_ratio))
        power = (_figure(row.net_gwh), _figure(row.sam_net_gwh), _ratio(row.net_ratio), _ratio(row.correlation))
        verdict = ", ".join(_(FAULTS[name]) for name in row.faults)
        told = cell(_("off: {what}", what=verdict), "red") if verdict else cell(_("within"), "green")
        planned = (_figure(row.planned_gwh),) if is_planned else ()
        table.add_row(clean(row.plant), clean(row.place), *heat, *power, *planned, told)
    console().print(table)
    for text in dict.fromkeys(f"{clean(row.place)}: {clean(row.weather)}" for row in found):
        click.echo(text)
    if is_planned:
        click.echo(_("Planned: what the site's program counts on from the heat that it draws."))
    click.echo(
        _(
            "{version}; before calibration and outages; electricity under the same dispatch; correlation of heat for "
            "CSP, of power else.",
            version=version,
        )
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
