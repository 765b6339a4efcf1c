"""`park energy max-load`: the largest constant load that a site carries to a given clean share."""

from __future__ import annotations

from typing import Any

import click

from eureka_park.cli.energy_options import (
    SHARE,
    YearsLine,
    basis,
    basis_options,
    flex_option,
    print_basis,
    server_part,
    years_text,
)
from eureka_park.cli.output import clean, console, print_json
from eureka_park.cli.words import _


@click.command("max-load")
@click.option(
    "--cfe",
    "cfe",
    type=SHARE,
    multiple=True,
    default=("0.9",),
    show_default=True,
    metavar="SHARE",
    help="Hour-matched clean share to reach; may be given several times.",
)
@flex_option
@basis_options
def max_load(cfe: tuple[float, ...], flex_frac: float, as_json: bool, **options: Any) -> None:
    """The largest constant load that sun, wind and salt would carry to a clean share, hour by hour, to 0.5 MW.

    \b
    park energy max-load --cfe 0.90
    park energy max-load --cfe 0.99 --cfe 0.90 --cfe 0.75 --seeds 1-20 --json
    park energy max-load --cfe 0.90 --scenario noor-iii-out
    """
    with server_part("energy max-load"):
        from eureka_park.energy.studies import largest_load

        asked = basis(**options)
        with YearsLine(len(asked.seeds)) as line:
            shares = cfe[0] if len(cfe) == 1 else list(cfe)
            found = largest_load(asked.site, shares, flex_frac=flex_frac, progress=line.show, **asked.years)
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    from rich.table import Table

    click.echo(f"{clean(found['site'])}: {years_text(found)}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (
        _("clean share"), _("largest load"), "p10", "p90", _("bought, GWh"), _("surplus, GWh"), "gCO2/kWh", "MAD/kWh",
    ):  # fmt: skip
        table.add_column(head, justify="right", no_wrap=True)
    for entry in found.get("loads", [found]):
        loads = (f"{entry['load_mw' + ending]:,.5g} MW" for ending in ("", "_p10", "_p90"))
        figures = (f"{entry[name]:,.4g}" for name in ("import_gwh", "export_gwh", "gco2_per_kwh", "mad_per_kwh"))
        table.add_row(f"{entry['asked_cfe_frac']:.4g}", *loads, *figures)
    console().print(table)
    print_basis(found)
