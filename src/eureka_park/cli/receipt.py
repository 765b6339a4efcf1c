"""`park receipt`: what a job used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from eureka_park.cli.output import JOB, SOURCE_STYLES, cell, clean, console, json_option, park, print_json
from eureka_park.cli.words import N_, _

_REFUNDED: Final = {
    "lost_node": N_("a failed node lost the work"),
    "disturbed": N_("firm work was disturbed"),
    "unknown": N_("not known any more"),
}

if TYPE_CHECKING:
    from eureka_park.client import Receipt


@click.command()
@click.argument("job", type=JOB)
@json_option
def receipt(job: str, as_json: bool) -> None:
    """Print what a job used: kWh at the site meter by hour and source, gCO2, credits.

    \b
    park receipt job-4zr3q...
    park receipt job-4zr3q... --json
    """
    found = park().receipt(job)
    if as_json:
        print_json(found)
        return
    _print_heading(found)
    _print_hours(found)
    for row in found.get("refunds", []):
        why = refund_text(row["why"])
        hours, credits = f"{row['node_h']:.2f}", f"{row['credits']:.4g}"
        click.echo(_("paid back: {credits} credits, {hours} hours: {why}", credits=credits, hours=hours, why=why))
    for name, text in found.get("labels", {}).items():
        click.echo(f"{clean(name)}: {clean(text)}")
    if found.get("price"):
        price = ", ".join(f"{clean(key)} {clean(value)}" for key, value in found["price"].items())
        click.echo(_("price: {price}", price=price))


def refund_text(why: str) -> str:
    """Why something was paid back, in words."""
    return _(_REFUNDED.get(why, _REFUNDED["unknown"]))


def _print_heading(found: Receipt) -> None:
    from eureka_park.foundation.units import energy_text

    scale = _(", scale model") if found["scale_model"] else ""
    click.echo(
        _("Receipt of {job} ({method}{scale})", job=clean(found["job_id"]), method=_(found["method"]), scale=scale)
    )
    click.echo(
        _(
            "{site} at the site meter, {it} in the machines; {gco2} gCO2; {credits} credits; "
            "{cpu_h} CPU-hours, {gpu_h} GPU-hours",
            site=energy_text(found["kwh"]),
            it=energy_text(found["it_kwh"]),
            gco2=f"{found['gco2']:.4g}",
            credits=f"{found['credits']:.4g}",
            cpu_h=f"{found['cpu_h']:.4g}",
            gpu_h=f"{found['gpu_h']:.4g}",
        )
    )


def _print_hours(found: Receipt) -> None:
    from rich.table import Table

    from eureka_park.cli.times import instant_text

    sources = sorted(found["kwh_by_source"], key=lambda name: (name == "grid", name))
    scale, unit = energy_scale(found["kwh"])
    table = Table(box=None, pad_edge=False, header_style="bold", show_footer=True)
    table.add_column(_("hour"), _("total"), no_wrap=True)
    table.add_column(f"{unit}", _figure(found["kwh"] * scale), justify="right", no_wrap=True)
    for name in sources:
        total = found["kwh_by_source"][name]
        table.add_column(cell(name, SOURCE_STYLES.get(name, "")), _figure(total * scale), justify="right", no_wrap=True)
    table.add_column("gCO2", _figure(found["gco2"]), justify="right", no_wrap=True)
    table.add_column(_("credits"), _figure(found["credits"]), justify="right", no_wrap=True)
    for hour in found["hours"]:
        by_source = (_figure(hour["kwh_by_source"].get(name, 0.0) * scale) for name in sources)
        figures = (_figure(hour["kwh"] * scale), *by_source, _figure(hour["gco2"]), _figure(hour["credits"]))
        table.add_row(instant_text(hour["hour_at"]), *figures)
    console().print(table)


def energy_scale(kwh: float) -> tuple[float, str]:
    """One unit for a whole table: the factor from kWh and its name."""
    if kwh >= 1e4:
        return 1e-3, "MWh"
    return (1.0, "kWh") if kwh >= 1 else (1e3, "Wh")


def _figure(value: float) -> str:
    return "0" if value == 0 else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
