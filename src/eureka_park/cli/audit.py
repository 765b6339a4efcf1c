"""`park audit`: who did what, and whether the log is whole."""

from __future__ import annotations

import click

from eureka_park.cli.output import clean, json_option, park, print_items, print_json, print_table
from eureka_park.cli.words import _


@click.group()
def audit() -> None:
    """The audit log: who did what. It is only ever added to, and each entry seals the ones before it.

    \b
    park audit verify
    park audit list --thing project:solar
    """


@audit.command("list")
@click.option("--person", default="", metavar="ID", help="What one person did.")
@click.option("--thing", default="", metavar="ID", help="What was done to one thing, such as project:solar.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, the newest first."
)
@json_option
def list_audit(person: str, thing: str, limit: int, as_json: bool) -> None:
    """List what was done, the newest first. For operators and auditors.

    \b
    park audit list
    park audit list --thing project:solar --limit 10
    """
    found = park().accounts.audit(limit, person=person, thing=thing)
    if as_json:
        print_items(found)
        return
    heads = (_("entry"), _("at"), _("who"), _("act"), _("thing"), _("outcome"))
    rows = [
        [str(item["seq"] or "-"), item["at"], item["who"] or "-", item["act"], item["thing"] or "-", item["outcome"]]
        for item in found
    ]
    print_table(heads, rows)


@audit.command("verify")
@json_option
def verify_audit(as_json: bool) -> None:
    """Follow the chain of the log from its beginning; exit 1 and name the first entry that is altered or missing.

    \b
    park audit verify
    """
    found = park().accounts.check_audit()
    if as_json:
        print_json(found)
    elif found["is_sound"]:
        click.echo(
            _("The audit log is whole: {n} entries, the last {hash}.", n=found["n_entries"], hash=found["hash"][:16])
        )
    else:
        click.echo(_("The audit log is damaged: {fault}", fault=clean(found["fault"])))
    if not found["is_sound"]:
        raise click.exceptions.Exit(1)
