"""`park who-can`: who may do what, by which rule, and what would change it."""

from __future__ import annotations

from typing import Any, Final

import click

from eureka_park.cli.output import clean, json_option, park, print_json
from eureka_park.cli.words import _

ACTS: Final = (
    "see", "submit", "store", "label", "teach", "review", "see_bill", "spend", "manage", "found", "grant", "price",
    "see_people", "audit", "operate", "account",
)  # fmt: skip


@click.command("who-can")
@click.argument("act", type=click.Choice(ACTS), metavar="ACT")
@click.argument("thing", default="park", metavar="[OBJECT]")
@json_option
def who_can(act: str, thing: str, as_json: bool) -> None:
    """Say who may do something, by which rule, whether you may, and what would change it.

    ACT is one of see, submit, label, teach, review, see_bill, spend, manage, found, grant, price, see_people, audit,
    operate, account. OBJECT is a project, organisation:ID, or the park itself. Names are told to those who are in it.

    \b
    park who-can submit solar
    park who-can spend organisation:um6p
    park who-can operate
    """
    found = park().accounts.who_can(act, thing)
    if as_json:
        print_json(found)
        return
    you = found["you"]
    said = _("you may      {why}") if you["is_allowed"] else _("you may not  {why}")
    click.echo(said.format(why=clean(you["why"])))
    if not you["is_allowed"] and you["fix"]:
        click.echo(_("to change    {fix}", fix=clean(you["fix"])))
    click.echo(_("rule         {rule}", rule=clean(found["rule"])))
    for item in found["people"] or ():
        click.echo(f"  {_person(item)}")


def _person(item: dict[str, Any]) -> str:
    text = f"{clean(item['name'])}  {clean(item['role'])} ({clean(item['at'])})"
    return _("{text} through {group}", text=text, group=clean(item["group"])) if item["group"] else text
