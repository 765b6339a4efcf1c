"""`park energy year`: a whole year of a site under a load, over one or many years of weather."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from eureka_park.cli.energy_options import (
    POWER,
    Basis,
    YearsLine,
    basis,
    basis_options,
    flex_option,
    print_basis,
    server_part,
    years_text,
)
from eureka_park.cli.output import SOURCE_STYLES, cell, clean, console, print_json, say
from eureka_park.cli.plan import blocks
from eureka_park.cli.words import N_, _
from eureka_park.foundation.errors import BadInput

FIGURES = (
    ("cfe_frac", N_("clean, matched hour by hour"), "%"),
    ("volume_frac", N_("clean, by the year's volume"), "%"),
    ("hours_fully_clean_frac", N_("hours fully clean"), "%"),
    ("with_grid_clean_frac", N_("with the grid's own clean share"), "%"),
    ("physical_grid_frac", N_("clean in the wire, as the grid's mix"), "%"),
    ("contracted_frac", N_("contracted to the park"), "%"),
    ("load_gwh", N_("load"), "GWh"),
    ("import_gwh", N_("bought"), "GWh"),
    ("export_gwh", N_("surplus sold"), "GWh"),
    ("curtailed_gwh", N_("curtailed"), "GWh"),
    ("unserved_gwh", N_("unserved"), "GWh"),
    ("import_peak_mw", N_("highest draw from the grid"), "MW"),
    ("gco2_per_kwh", N_("carbon of the load"), "g/kWh"),
    ("mad_per_kwh", N_("cost of the load's energy"), "MAD/kWh"),
    ("water_m3", N_("water of the plants"), "m3"),
)


@click.command()
@click.option(
    "--load-mw", type=POWER, metavar="MW", help="Constant load at the site meter; default: the site's largest."
)
@click.option(
    "--load-profile",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="CSV of 8,760 hourly MW (UTC), or of a week: 24 rows of 7 values by local hour.",
)
@flex_option
@click.option(
    "--hourly",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write every hour of the first year to a .csv, .xlsx or .parquet file.",
)
@basis_options
def year(
    load_mw: float | None,
    load_profile: Path | None,
    flex_frac: float,
    hourly: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """How clean a load would be over a year, and what it would buy, sell, cost and emit.

    The whole year is known in advance: a bound that no operation with forecasts can beat. Figures are p50 over the
    years of weather, with p10 and p90 where there are several.

    \b
    park energy year --load-mw 386
    park energy year --load-mw 200 --flex-frac 0.2 --seeds 1-20 --json
    park energy year --load-profile week.csv --hourly hours.xlsx
    """
    with server_part("energy year"):
        asked = basis(**options)
        found = _computed(asked, load_mw, load_profile, flex_frac, hourly)
    if as_json:
        print_json(found)
    else:
        print_year(found)


def _computed(
    asked: Basis, load_mw: float | None, load_profile: Path | None, flex_frac: float, hourly: Path | None
) -> dict[str, Any]:
    from eureka_park.energy.hourly_file import about_hours, check_hourly_path, write_hourly
    from eureka_park.energy.load_file import read_load
    from eureka_park.energy.studies import run_years

    if load_mw is not None and load_profile is not None:
        raise BadInput("Both --load-mw and --load-profile are given.", fix="Give one of them.", field="load_mw")
    if hourly is not None:
        check_hourly_path(hourly)
    load: float | list[float] = asked.site.site_mw_max if load_mw is None else load_mw
    if load_profile is not None:
        load = read_load(load_profile, asked.site.timezone)
    with YearsLine(len(asked.seeds)) as line:
        found = run_years(
            asked.site, load, flex_frac=flex_frac, hourly=hourly is not None,
            load_name=load_profile.name if load_profile else "", progress=line.show, **asked.years,
        )  # fmt: skip
    if hourly is not None:
        write_hourly(hourly, found.pop("hourly"), about_hours(found))
        found["hourly_file"] = str(hourly)
        say(_("{file} is written.", file=hourly))
    return found


def print_year(found: dict[str, Any]) -> None:
    """The figures, the sources, the months, and what all of it rests on."""
    load = f"{found['load_mw']:.6g} MW" + ("" if found["load"] == "constant" else f" ({clean(found['load'])})")
    click.echo(f"{clean(found['site'])}: {load}, {years_text(found)}")
    print_figures(found)
    _print_sources(found)
    _print_months(found)
    print_basis(found)


def print_figures(found: dict[str, Any]) -> None:
    """One line for each figure, with p10 to p90 where there are several years."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    for column in ("left", "right", "left", "left"):
        table.add_column(justify=column, no_wrap=True)
    for name, label, unit in FIGURES:
        middle, low, high = (_figure(found[name + ending], unit) for ending in ("", "_p10", "_p90"))
        span = "" if found["n_years"] == 1 else _("p10 {low}, p90 {high}", low=low, high=high)
        table.add_row(_(label), middle, unit, span)
    console().print(table)


def _print_sources(found: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (_("GWh by source"), _("load"), _("through salt"), _("through a battery"), _("surplus")):
        table.add_column(head, justify="left" if head == _("GWh by source") else "right", no_wrap=True)
    parts = ("salt_gwh_by_source", "battery_gwh_by_source", "export_gwh_by_source")
    for name, gwh in found["gwh_by_source"].items():
        more = (_figure(found[part][name], "GWh") if name in found[part] else "" for part in parts)
        table.add_row(cell(name, SOURCE_STYLES.get(name, "")), _figure(gwh, "GWh"), *more)
    console().print(table)


def _print_months(found: dict[str, Any]) -> None:
    for key, label in (
        ("by_month", _("clean by month, January to December")),
        ("by_hour", _("by local hour, from 0 h")),
    ):
        shares = [part["cfe_frac"] for part in found[key]]
        bars = blocks(shares, 1.0)
        click.echo(f"{label}: {bars} {min(shares):.0%} - {max(shares):.0%}")


def _figure(value: float, unit: str) -> str:
    if unit == "%":
        return f"{100 * value:.1f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
