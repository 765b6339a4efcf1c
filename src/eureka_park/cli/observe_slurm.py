"""`park observe slurm`: receipts of a Slurm cluster's last days, and why its jobs waited."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import click

from eureka_park.cli.energy_options import server_part
from eureka_park.cli.observe_options import Asked, power_of, record_options, source_of
from eureka_park.cli.observe_words import (
    assumed_lines,
    caution_lines,
    energy_text,
    mass_text,
    numbers_text,
    reason_text,
    span_text,
    wait_text,
)
from eureka_park.cli.output import cell, clean, console, json_option, print_json, quiet_option, say
from eureka_park.cli.progress import Line
from eureka_park.cli.words import _

N_REASONS: Final = 8
N_LONGEST: Final = 8


@click.command()
@click.option(
    "--from", "jobs", type=click.Path(path_type=Path), metavar="FILE", help="What sacct printed; default: sacct itself."
)
@click.option("--site", metavar="NAME|FILE", help="A site file whose machines and grid the energy rests on.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write a page and tables into this folder: index.html, receipts.csv, hours.csv.",
)  # fmt: skip
@click.option("--commands", is_flag=True, help="Print what to run on the cluster to look at it elsewhere, and end.")
@record_options
@quiet_option
@json_option
def slurm(
    asked: Asked, jobs: Path | None, site: str | None, out: Path | None, commands: bool, quiet: bool, as_json: bool
) -> None:
    """What the jobs of a Slurm cluster drew in the last 30 days, and why each of them waited.

    Reads sacct, scontrol and sacctmgr, as any user, and writes nothing on the cluster. Energy is modelled by kind of
    GPU and said so. A wait is told from the record: what was free on the machines of its partition meanwhile, with the
    number that decided.

    \b
    park observe slurm
    park observe slurm --days 7 --gco2 60 --pue 1.3 --out look
    park observe slurm --commands
    park observe slurm --from jobs.txt --nodes nodes.txt --events events.txt --out look
    """
    with server_part("observe slurm"):
        from eureka_park.cli.observe_files import Written
        from eureka_park.cli.site import machine_facts
        from eureka_park.foundation.site_reading import load_site
        from eureka_park.twin.observe import ObserveRequest, observe

        if commands:
            from eureka_park.twin.slurm_files import commands_of

            click.echo("\n".join(commands_of(asked.days)))
            return
        found_site = load_site(site, machine_facts()) if site else None
        source, power = source_of(asked, jobs), power_of(asked, found_site)
        with Line(quiet=quiet or as_json) as line, Written(out) as written:
            line.show("read", lambda: _("reading {name}", name=source.name))

            def told(n: int) -> None:
                line.show("read", lambda: _("reading {name}: {n} lines", name=source.name, n=f"{n:,}"))

            found = observe(ObserveRequest(source, power, time.time(), told, written.receipt if out else None))
            written.tables(found)
    if as_json:
        print_json(found)
    else:
        print_summary(found)
    if out is not None and not quiet:
        say(_("{file} is written.", file=out / "index.html"))


def print_summary(found: dict[str, Any]) -> None:
    """The first page, for a terminal."""
    jobs, machines, energy, wait = found["jobs"], found["machines"], found["energy"], found["wait_s"]
    click.echo(
        _(
            "{name}, {span}: {n} jobs of {users} users on {nodes} machines with {gpus} GPUs.",
            name=clean(found["source"]), span=span_text(found), n=f"{jobs['n']:,}", users=f"{jobs['n_users']:,}",
            nodes=f"{machines['n_nodes']:,}", gpus=f"{machines['n_gpus']:,}",
        )
    )  # fmt: skip
    for line in (
        _("wait: mean {mean}, half of the jobs at most {p50}, 95 % at most {p95}, 99 % at most {p99}",
          **{name: wait_text(wait[name]) for name in ("mean", "p50", "p95", "p99")}),
        _("GPUs: {busy} held; {free} GPU hours free, {wasted} of them while jobs waited for as many",
          busy=f"{found['busy_frac']:.0%}", free=f"{found['gpu_h_free']:,.0f}",
          wasted=f"{found['idle_while_waiting_gpu_h']:,.0f}"),
        _("energy (modelled): {jobs} of jobs, {free} of free GPUs; {co2} of CO2 for the jobs",
          jobs=energy_text(energy["kwh"]), free=energy_text(found["free_kwh"]), co2=mass_text(energy["gco2_kg"])),
    ):  # fmt: skip
        click.echo(line)
    click.echo()
    console().print(_reasons(found))
    if found["longest"]:
        click.echo()
        console().print(_longest(found))
    click.echo()
    for line in (*caution_lines(found), *assumed_lines(found["assumed"])):
        click.echo(line)


def _reasons(found: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (_("of all waiting"), _("jobs"), _("hours")):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column(_("why jobs waited"))
    for row in found["reasons"][:N_REASONS]:
        table.add_row(f"{row['frac']:.1%}", f"{row['n_jobs']:,}", f"{row['wait_h']:,.1f}", reason_text(row["reason"]))
    return table


def _longest(found: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (_("job"), _("account"), _("asked for"), _("waited"), _("why the longest waits lasted")):
        table.add_column(head, no_wrap=head != _("why the longest waits lasted"))
    for item in found["longest"][:N_LONGEST]:
        why = ": ".join(filter(None, (reason_text(item["reason"]), numbers_text(item))))
        waited = wait_text(item["before_s"] + item["queued_s"])
        table.add_row(cell(item["job"]), cell(item["account"]), cell(asked_text(item)), waited, cell(why))
    return table


def asked_text(item: dict[str, Any]) -> str:
    """What a job asked for, in short."""
    what = f"{item['n_gpus']} × {item['gpu_type'] or 'GPU'}" if item["n_gpus"] else f"{item['n_cpus']} CPU"
    return what if item["n_nodes"] == 1 else f"{what} / {item['n_nodes']}"
