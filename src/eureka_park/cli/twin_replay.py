"""`park twin replay`: what really ran elsewhere, played again under this park's policy."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import click

from eureka_park.cli.energy_options import DEFAULT_SITE, Between, server_part
from eureka_park.cli.observe_options import SLURM, Asked, power_of, record_options, source_of
from eureka_park.cli.observe_words import energy_text, mass_text, span_text, wait_text
from eureka_park.cli.output import clean, console, json_option, print_json, quiet_option
from eureka_park.cli.progress import Line
from eureka_park.cli.words import N_, _

HEADS: Final = {
    "recorded": N_("as it was"),
    "fcfs-easy": N_("first come, backfill"),
    "park": N_("this park's policy"),
}
LEFT: Final = {
    "never_started": N_("never started"),
    "earlier_attempts": N_("attempts that ran again later"),
    "too_large": N_("fit no machine"),
    "still_running": N_("still running, with the time so far"),
    "became_gangs_or_smaller": N_("took another form: whole machines, or one instead of several"),
}


@click.command()
@click.option(
    "--from", "record", required=True, metavar="slurm|FILE", help="Slurm's own commands, or what sacct printed."
)
@click.option(
    "--site", metavar="NAME|FILE",
    help="Whose sun, wind, salt and grid carry the cluster, in proportion. Default: a grid without limit.",
)  # fmt: skip
@click.option(
    "--tier", type=click.Choice(("firm", "flex", "green")), default="flex", show_default=True, help="Tier of all jobs."
)
@click.option("--slack", "slack_h", type=Between(0.0, 1000.0), default=24.0, show_default=True, metavar="HOURS",
              help="Deadline of a flex job: so long after its time limit would end.")  # fmt: skip
@record_options
@quiet_option
@json_option
def replay(asked: Asked, record: str, site: str | None, tier: str, slack_h: float, quiet: bool, as_json: bool) -> None:
    """What this park's policy would have changed in a Slurm cluster's last days: waits, energy, CO2, idle GPUs.

    The same jobs on the same machines, three times: as Slurm recorded them; in the twin, first come, first served with
    backfill, which shows how far the twin is from the cluster; in the twin under the park's policy. The twin knows no
    reservations, limits, outages nor partitions of the cluster.

    \b
    park twin replay --from slurm
    park twin replay --from jobs.txt --nodes nodes.txt --days 7 --json
    park twin replay --from jobs.txt --site eureka-park --tier flex --slack 12
    """
    with server_part("twin replay"):
        from eureka_park.cli.site import machine_facts
        from eureka_park.control.of_site import policy_of
        from eureka_park.foundation.site_reading import load_site
        from eureka_park.foundation.wire.engine import Capability
        from eureka_park.twin.slurm_replay import ReplayRequest
        from eureka_park.twin.slurm_replay import replay as played

        found_site = load_site(site, machine_facts()) if site else None
        rules = policy_of(found_site or load_site(DEFAULT_SITE), frozenset(Capability))
        source = source_of(asked, None if record == SLURM else Path(record))
        with Line(quiet=quiet or as_json) as line:

            def told(n: int) -> None:
                line.show("read", lambda: _("reading {name}: {n} lines", name=source.name, n=f"{n:,}"))

            def told_play(side: str, frac: float) -> None:
                line.show(side, lambda: _("playing {side}: {percent}", side=_(HEADS[side]), percent=f"{frac:.0%}"))

            request = ReplayRequest(
                source, power_of(asked, found_site), time.time(), rules, found_site, tier, slack_h, told=told,
                told_play=told_play,
            )  # fmt: skip
            found = played(request)
    if as_json:
        print_json(found)
    else:
        print_replay(found)


def print_replay(found: dict[str, Any]) -> None:
    """The three columns, for a terminal."""
    click.echo(
        _("{name}, {span}: {n} jobs played again as {tier}, on {power}.", name=clean(found["source"]),
          span=span_text(found), n=f"{found['n_jobs']:,}", tier=found["tier"],
          power=clean(found["site"]) if found["site"] else _("a grid without limit"))
    )  # fmt: skip
    console().print(_sides(found["sides"]))
    if found["left_out"]:
        told = ", ".join(f"{_(LEFT[name])} {n:,}" for name, n in found["left_out"].items())
        click.echo(_("jobs that count otherwise or not: {what}", what=told))
    for line in (
        _("The twin decides every {tick}: a job that finds room waits half of that on average.",
          tick=wait_text(found["tick_s"])),
        _("Energy is modelled by kind of GPU, the same in all columns; free GPUs are left out."),
        _("Carbon: {g} g/kWh, {source}.", g=f"{found['assumed']['gco2_per_kwh']:,.0f}",
          source=clean(found["assumed"]["gco2_source"])),
    ):  # fmt: skip
        click.echo(line)
    if not found["site"]:
        click.echo(_("Nothing binds the jobs to sun and wind here: --site names a park whose sky does."))


def _sides(sides: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for name in sides:
        table.add_column(_(HEADS[name]), justify="right")
    every = list(sides.values())
    rows = (
        (_("wait, half of the jobs at most"), [wait_text(one["wait_s"]["p50"]) for one in every]),
        (_("wait, 95 % at most"), [wait_text(one["wait_s"]["p95"]) for one in every]),
        (_("mean wait"), [wait_text(one["wait_s"]["mean"]) for one in every]),
        (_("mean wait by GPU hours"), [wait_text(one["wait_s_by_gpu_h"]["mean"]) for one in every]),
        (_("GPU hours free while as many were waited for"),
         [f"{one['idle_while_waiting_gpu_h']:,.0f}" for one in every]),
        (_("energy"), [energy_text(one["kwh"]) for one in every]),
        (_("CO2"), [mass_text(one["gco2_kg"]) for one in every]),
        (_("pauses"), [f"{one['n_pauses']:,}" for one in every]),
        (_("not started by the end"), [f"{one['n_never_started']:,}" for one in every]),
    )  # fmt: skip
    for head, cells in rows:
        table.add_row(head, *cells)
    return table
