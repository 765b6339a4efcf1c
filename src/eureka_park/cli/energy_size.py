"""`park energy size`: what must be built so that a load reaches a clean share, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import click

from eureka_park.cli.energy_options import (
    POWER,
    SEEDS,
    SHARE,
    Basis,
    basis,
    basis_options,
    flex_option,
    print_basis,
    server_part,
    years_text,
)
from eureka_park.cli.output import clean, console, print_json
from eureka_park.cli.progress import Line, bar
from eureka_park.cli.words import N_, _
from eureka_park.foundation.errors import BadInput

TYPES: Final = {
    "wind": N_("wind"),
    "pv": N_("PV"),
    "csp-tower": N_("salt tower"),
    "csp-trough": N_("trough with salt"),
    "battery": N_("battery"),
}
FIGURES: Final = (
    ("cfe_frac", N_("clean, matched hour by hour"), "%"),
    ("capital_musd", N_("capital of the additions"), "M USD"),
    ("yearly_mmad", N_("their yearly cost"), "M MAD"),
    ("lcoe_new_mad_per_kwh", N_("cost of a kWh of theirs"), "MAD/kWh"),
    ("further_clean_mad_per_kwh", N_("cost of a further clean kWh"), "MAD/kWh"),
    ("all_mad_per_kwh", N_("cost of all the load draws"), "MAD/kWh"),
    ("all_before_mad_per_kwh", N_("the same without additions"), "MAD/kWh"),
    ("gco2_per_kwh", N_("carbon of the load"), "g/kWh"),
    ("import_gwh", N_("bought"), "GWh"),
    ("export_gwh", N_("surplus sold"), "GWh"),
    ("curtailed_gwh", N_("curtailed"), "GWh"),
    ("land_ha", N_("land"), "ha"),
)


@click.command("size")
@click.option(
    "--load-mw", type=POWER, metavar="MW", help="Constant load at the site meter; default: the site's largest."
)
@click.option(
    "--cfe",
    type=SHARE,
    default="0.9",
    show_default=True,
    metavar="SHARE",
    help="Hour-matched clean share to reach in every year of weather.",
)
@click.option("--pareto", is_flag=True, help="Eight shares from 0.5 to 0.99 instead of one.")
@click.option("--sensitivities", is_flag=True, help="Also what changes the answer: costs, interest, outages, prices.")
@click.option(
    "--least",
    type=click.Choice(["additions", "all"]),
    default="additions",
    show_default=True,
    help="Whose yearly cost is least: the additions', or that of all energy with what is bought and sold.",
)
@flex_option
@click.option("--most", multiple=True, metavar="TYPE=MW", help="At most so much new power of a type, such as wind=140.")
@click.option(
    "--life-years",
    type=click.FloatRange(1, 100),
    metavar="YEARS",
    help="One life for everything; default: that of each technology in the cost table.",
)
@click.option("--weather-seeds", type=SEEDS, metavar="SEEDS", help="The same as --seeds.")
@basis_options
def size(
    load_mw: float | None,
    cfe: float,
    pareto: bool,
    sensitivities: bool,
    least: str,
    flex_frac: float,
    most: tuple[str, ...],
    life_years: float | None,
    weather_seeds: tuple[int, ...] | None,
    as_json: bool,
    **options: Any,
) -> None:
    """What must be built so that a load reaches a clean share in every year of weather, at the least cost.

    Wind, PV, towers and troughs with hours of salt, and batteries, beside the plants that stand. Every hour of every
    year is looked at; the sizes are then tried on whole years. Costs: docs/reference/costs.md.

    \b
    park energy size --load-mw 386 --cfe 0.90
    park energy size --load-mw 386 --cfe 0.90 --weather-seeds 1-5 --life-years 20 --json
    park energy size --load-mw 386 --pareto
    park energy size --load-mw 386 --cfe 0.90 --sensitivities
    """
    with server_part("energy size"):
        from eureka_park.energy.studies_size import PARETO_SHARES

        asked = basis(**{**options, "seeds": weather_seeds or options["seeds"]})
        load = asked.site.site_mw_max if load_mw is None else load_mw
        shared = {"flex_frac": flex_frac, "life_years": life_years}
        found = _sized(asked, load, PARETO_SHARES if pareto else (cfe,), least, _most(most), shared)
        if sensitivities:
            found["sensitivities"] = _sensitive(asked, load, cfe, shared)
    if as_json:
        print_json(found)
    else:
        print_sizes(found)


def _sized(
    asked: Basis, load_mw: float, shares: tuple[float, ...], least: str, most: dict[str, float], shared: dict[str, Any]
) -> dict[str, Any]:
    from eureka_park.energy.studies_size import sizing_study

    with Line() as line:
        return sizing_study(
            asked.site, load_mw, shares, least=least, most_mw=most, step=lambda what, number: _step(line, what, number),
            progress=lambda done, of: _parts(line, done, of), **shared, **asked.years,
        )  # fmt: skip


def _sensitive(asked: Basis, load_mw: float, share: float, shared: dict[str, Any]) -> list[dict[str, Any]]:
    from eureka_park.energy.studies_size import sensitivities

    with Line() as line:
        return sensitivities(
            asked.site, load_mw, share, progress=lambda done, of: _parts(line, done, of), **shared, **asked.years
        )


def _step(line: Line, what: str, number: int) -> None:
    texts = {
        "search": _("searching, round {n}", n=number),
        "year": _("trying a whole year, number {n}", n=number),
        "share": _("share number {n}", n=number),
    }
    line.show(what, lambda: texts.get(what, what))


def _parts(line: Line, done: int, of: int) -> None:
    line.show("parts", lambda: f"{bar(done / of if of else 1.0)} " + _("{done} of {of} parts", done=done, of=of))


def _most(given: tuple[str, ...]) -> dict[str, float]:
    """`wind=140` and so on. Raises BadInput."""
    limits = {}
    for text in given:
        name, _equals, amount = text.partition("=")
        try:
            limits[name] = float(amount)
        except ValueError:
            limits[name] = -1.0
        if name not in TYPES or not 0.0 <= limits[name] < float("inf"):
            raise BadInput(
                f"'{text}' limits nothing.", fix=f"Write TYPE=MW with one of: {', '.join(TYPES)}.", field="most"
            )
    return limits


def print_sizes(found: dict[str, Any]) -> None:
    """One share with its plants and figures, or a line for each share; then what changes it, and what it rests on."""
    click.echo(f"{clean(found['site'])}: {found['load_mean_mw']:.6g} MW, {years_text(found)}")
    if "sizes" in found:
        _print_pareto(found["sizes"])
    else:
        _print_one(found)
    if "sensitivities" in found:
        _print_sensitivities(found["sensitivities"])
    print_basis(found)
    for name in ("existing", "flexible", "method", "error"):
        click.echo(f"{name}: {clean(found[name])}")
    click.echo(
        _(
            "costs: docs/reference/costs.md; {rate} MAD/USD, {interest} a year",
            rate=f"{found['mad_per_usd']:g}", interest=f"{100 * found['discount_frac']:.3g} %",
        )
    )  # fmt: skip


def _print_one(size: dict[str, Any]) -> None:
    share = f"{100 * size['cfe_target_frac']:.4g} %"
    if not size["is_reached"]:
        click.echo(
            _("{share} is out of reach; the most is {most}.", share=share, most=f"{100 * size['cfe_most_frac']:.2f} %")
        )
        return
    if not size["additions"]:
        click.echo(_("{share} is reached without additions.", share=share))
    else:
        _print_additions(size["additions"])
    _print_figures(size)
    for year in size["by_year"]:
        searched = "-" if year["cfe_searched_frac"] is None else f"{100 * year['cfe_searched_frac']:.2f}"
        click.echo(
            f"{clean(year['year'])}: "
            + _(
                "clean {before} % before, {after} % with the additions; the search said {searched} %",
                before=f"{100 * year['cfe_before_frac']:.2f}", after=f"{100 * year['cfe_frac']:.2f}", searched=searched,
            )
        )  # fmt: skip


def _print_additions(additions: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    heads = (_("to be built"), "MW", _("storage"), _("solar multiple"), "M USD", _("M MAD a year"), _("GWh a year"))
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number == 0 else "right", no_wrap=True)
    for item in additions:
        storage = f"{item['tes_h']:.1f} h" if item["tes_h"] is not None else ""
        storage = f"{item['energy_mwh']:,.0f} MWh" if item["energy_mwh"] else storage
        multiple = f"{item['solar_multiple']:.2f}" if item["solar_multiple"] else ""
        table.add_row(
            _place(item), f"{item['power_mw']:,.1f}", storage, multiple,
            f"{item['capital_musd']:,.0f}", f"{item['yearly_mmad']:,.0f}", f"{item['year_gwh']:,.0f}",
        )  # fmt: skip
    console().print(table)


def _place(item: dict[str, Any]) -> str:
    """A battery stands at the site, whatever weather it is listed under."""
    kind = _(TYPES[item["type"]])
    return kind if item["type"] == "battery" else f"{kind}, {clean(item['weather_site'])}"


def _print_figures(size: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    for column in ("left", "right", "left"):
        table.add_column(justify=column, no_wrap=True)
    for name, label, unit in FIGURES:
        table.add_row(_(label), _figure(size[name], unit), unit)
    console().print(table)


def _print_pareto(sizes: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    types = tuple(TYPES)
    heads = (_("clean share"), _("reached"), *(_(TYPES[kind]) for kind in types), "MWh", "M USD", "MAD/kWh", "gCO2/kWh")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for size in sizes:
        table.add_row(*_pareto_row(size, types))
    console().print(table)


def _pareto_row(size: dict[str, Any], types: tuple[str, ...]) -> Iterator[str]:
    yield f"{100 * size['cfe_target_frac']:.4g} %"
    if not size["is_reached"]:
        yield _("at most {most}", most=f"{100 * size['cfe_most_frac']:.2f} %")
        return
    yield f"{100 * size['cfe_frac']:.2f} %"
    for kind in types:
        power = sum(item["power_mw"] for item in size["additions"] if item["type"] == kind)
        yield f"{power:,.0f} MW" if power else "-"
    energy = sum(item["energy_mwh"] or 0.0 for item in size["additions"])
    yield f"{energy:,.0f}" if energy else "-"
    yield f"{size['capital_musd']:,.0f}"
    yield f"{size['all_mad_per_kwh']:.3f}"
    yield f"{size['gco2_per_kwh']:.0f}"


def _print_sensitivities(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    heads = (_("what changes"), *(_(label) for label in TYPES.values()), "MWh", "M USD", _("M MAD a year"))
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number == 0 else "right", no_wrap=True)
    for row in rows:
        now = row["by_type_mw"]
        cells = [f"{now[kind]:,.0f}" if kind in now else "-" for kind in (*TYPES, "battery_mwh")]
        capital, yearly = row["size"]["capital_musd"], row["size"]["yearly_mmad"]
        table.add_row(clean(row["name"]), *cells, f"{capital:,.0f}", f"{yearly:,.0f}")
    console().print(table)


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "%":
        return f"{100 * value:.2f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
