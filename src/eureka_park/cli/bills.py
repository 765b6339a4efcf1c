"""`park grant`, `park price`, `park statement`: what projects may spend, what work costs, what it came to."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import click

from eureka_park.cli.output import clean, json_option, park, print_items, print_json, print_table
from eureka_park.cli.receipt import refund_text
from eureka_park.cli.tokens import _shown
from eureka_park.cli.words import _


@click.group()
def grant() -> None:
    """Credits: what a project has been given, what is left of it, and until when. 1 credit is 1 MAD.

    \b
    park grant list solar
    """


@grant.command("list")
@click.argument("project")
@json_option
def list_grants(project: str, as_json: bool) -> None:
    """List the grants of a project, those that end first before others.

    \b
    park grant list solar
    """
    bill = park().bills.bill(project)
    if as_json:
        print_json(bill)
        return
    keys = ("grant_id", "kind", "title", "credits", "left_credits", "valid_until", "state")
    heads = (_("grant"), _("kind"), _("title"), _("credits"), _("left"), _("ends"), _("state"))
    print_table(heads, [[_shown(item[key]) for key in keys] for item in bill["grants"]])
    click.echo(_("{credits:.2f} credits to spend", credits=bill["usable_credits"]))


@grant.command("give")
@click.argument("project")
@click.argument("credits", type=float)
@click.option("--title", default="", metavar="TEXT", help="What it is for.")
@click.option("--until", metavar="INSTANT", help="When it ends, such as 2027-12-31 (default: never).")
@click.option("--in-halves", is_flag=True, help="The second half comes by a report: when half of the first is spent.")
@click.option("--bridge-to", "awaits", metavar="TEXT", help="A bridge: the grant that it reaches to, and ends with.")
@json_option
def give_grant(
    project: str, credits: float, title: str, until: str | None, in_halves: bool, awaits: str | None, as_json: bool
) -> None:
    """Give credits to a project. For operators.

    \b
    park grant give solar 5000 --until 2027-12-31
    park grant give solar 200 --until 2027-03-31 --bridge-to "award of March"
    """
    kind = {"kind": "bridge", "awaits": awaits} if awaits is not None else {}
    made = park().bills.give(project, credits, title=title, valid_until=until, in_halves=in_halves, **kind)
    if as_json:
        print_json(made)
    else:
        given = made["given_credits"]
        click.echo(
            _("{grant}: {credits:.2f} credits for {project}", grant=made["grant_id"], credits=given, project=project)
        )


@grant.command("report")
@click.argument("grant_id", metavar="GRANT")
@json_option
def report_grant(grant_id: str, as_json: bool) -> None:
    """What was really spent of a grant: by whom, on what, when. By it the second half comes; nobody writes an essay.

    \b
    park grant report grant-4zr3q
    """
    told = park().bills.report(grant_id)
    if as_json:
        print_json(told)
        return
    click.echo(
        _(
            "{spent:.2f} of {given:.2f} credits spent, {held:.2f} held by jobs, {left:.2f} left",
            spent=told["spent_credits"],
            given=told["given_credits"],
            held=told["held_credits"],
            left=told["left_credits"],
        )
    )
    figures = (_("jobs"), _("credits"), _("GPU-hours"), "kWh")
    for heads, rows in (
        ((_("person"),), [(row["person_id"], row) for row in told["people"]]),
        ((_("work"),), [(_work(row), row) for row in told["work"]]),
        ((_("month"),), [(row["month"], row) for row in told["months"]]),
    ):
        if rows:
            print_table((*heads, *figures), [[clean(name), *_used(row)] for name, row in rows])
    if told["storage_credits"]:
        click.echo(_("{credits:.2f} credits for storage", credits=told["storage_credits"]))
    if told["released_by"]:
        click.echo(_("The second half came by the report of {at}.", at=told["released_by"]["at"]))


def _work(row: dict[str, Any]) -> str:
    return " ".join(filter(None, (row["tier"], row["class"], row["gpu_type"])))


def _used(row: dict[str, Any]) -> list[str]:
    return [str(row["n_jobs"]), f"{row['credits']:.2f}", f"{row['gpu_h']:.2f}", f"{row['kwh']:.3f}"]


@grant.command("end")
@click.argument("grant_id", metavar="GRANT")
@json_option
def end_grant(grant_id: str, as_json: bool) -> None:
    """End a grant now; what jobs hold of it stays theirs. For operators.

    \b
    park grant end grant-4zr3q
    """
    ended = park().bills.end_grant(grant_id)
    if as_json:
        print_json(ended)
    else:
        click.echo(_("{grant} has ended.", grant=grant_id))


@grant.command("move")
@click.argument("source")
@click.argument("target")
@click.argument("credits", type=float)
def move_credits(source: str, target: str, credits: float) -> None:
    """Move credits from one project that you lead to another; their ends move with them.

    \b
    park grant move solar wind 200
    """
    park().bills.move(source, target, credits)
    click.echo(_("{credits:.2f} credits moved to {project}", credits=credits, project=target))


@click.group()
def price() -> None:
    """What an hour of a GPU or a CPU costs by tier. Energy comes on top, at each hour's cost.

    \b
    park price list
    """


@price.command("list")
@json_option
def list_prices(as_json: bool) -> None:
    """List the price lists, the oldest first; none where work is only counted.

    \b
    park price list
    """
    found = park().bills.prices()
    if as_json:
        print_items(found)
        return
    rows = [
        [item["valid_from"], kind, name, *(f"{row[tier]:g}" for tier in ("firm", "flex", "green"))]
        for item in found
        for kind, of in (*item["mad_per_gpu_h"].items(), ("CPU", item["mad_per_cpu_h"]))
        for name, row in of.items()
    ]
    print_table((_("since"), _("of"), _("class"), "firm", "flex", "green"), rows)


@price.command("set")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "valid_from", metavar="INSTANT", help="Since when it holds (default: now).")
def set_prices(file: Path, valid_from: str | None) -> None:
    """Set the prices from a TOML or JSON file. Jobs that were submitted keep theirs. For operators.

    \b
    park price set prices.toml --from 2027-01-01
    """
    text = file.read_text(encoding="utf-8")
    try:
        body: dict[str, Any] = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise click.BadParameter(_("{file} cannot be read: {error}", file=file, error=error)) from None
    made = park().bills.set_prices(body | ({"valid_from": valid_from} if valid_from else {}))
    click.echo(_("Prices hold since {at}.", at=made["valid_from"]))


@click.command()
@click.argument("project")
@json_option
def refunds(project: str, as_json: bool) -> None:
    """What was taken off the bills of a project's jobs: hours that a failed node lost, and disturbed firm work.

    \b
    park refunds solar
    """
    found = park().bills.bill(project)["refunds"]
    if as_json:
        print_items(found)
        return
    from eureka_park.cli.times import instant_text

    heads = (_("when"), _("job"), _("why"), _("hours"), _("credits"))
    rows = [
        [
            instant_text(row["at"]),
            clean(row["job_id"]),
            refund_text(row["why"]),
            f"{row['node_h']:.2f}",
            f"{row['credits']:.2f}",
        ]
        for row in found
    ]
    print_table(heads, rows)


@click.command()
@click.argument("project")
@click.argument("month")
@json_option
def statement(project: str, month: str, as_json: bool) -> None:
    """What a project used and paid in a month, by day.

    \b
    park statement solar 2027-03
    """
    told = park().bills.statement(project, month)
    if as_json:
        print_json(told)
        return
    rows = [[row["date"], f"{row['credits']:.2f}", f"{row['gpu_h']:.2f}", f"{row['kwh']:.3f}"] for row in told["days"]]
    print_table((_("day"), _("credits"), _("GPU-hours"), "kWh"), rows)
    kwh = sum(told["kwh_by_source"].values())
    click.echo(_("{n} jobs, {credits:.2f} credits, {kwh:.3f} kWh", n=told["n_jobs"], credits=told["credits"], kwh=kwh))
    if told["gib_months"]:
        gib, credits = told["gib_months"], told["storage_credits"]
        click.echo(_("{gib:.2f} GiB-months of storage, {credits:.2f} credits", gib=gib, credits=credits))
