"""`park group` and `park invitation`: people who hold roles together, and people who are asked in."""

from __future__ import annotations

from typing import Any

import click

from eureka_park.cli.output import clean, json_option, park, print_items, print_json, print_table, say
from eureka_park.cli.projects import ROLES
from eureka_park.cli.tokens import _shown
from eureka_park.cli.words import _


@click.group()
def group() -> None:
    """Groups: give a role to the group once, and everybody in it has it.

    \b
    park group new "Night shift" --organisation um6p
    park group add group-4zr3q... person-7x2mk...
    park project give solar group-4zr3q... --role member
    """


@group.command("list")
@json_option
def list_groups(as_json: bool) -> None:
    """List the groups that you may know of: your own, and those of your organisations.

    \b
    park group list
    """
    found = park().accounts.groups()
    if as_json:
        print_items(found)
        return
    keys = ("group_id", "name", "organisation")
    print_table((_("group"), _("name"), _("organisation")), [[_shown(item[key]) for key in keys] for item in found])


@group.command("show")
@click.argument("group_id", metavar="GROUP")
@json_option
def show_group(group_id: str, as_json: bool) -> None:
    """Show who is in a group, what it holds, and who decides about it.

    \b
    park group show group-4zr3q...
    """
    found = park().accounts.group(group_id)
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['group_id']}  {clean(found['name'])}  {clean(found['organisation'] or _('this park'))}")
    for item in found["people"]:
        click.echo(_("in it     {name}  {person}", name=clean(item["name"]), person=item["person_id"]))
    for item in found["roles"]:
        click.echo(_("holds     {role} ({place})", role=item["role"], place=clean(item["at"])))
    for item in found["managers"]:
        click.echo(_("decides   {name}", name=clean(item["name"])))


@group.command("new")
@click.argument("name")
@click.option("--organisation", metavar="ID", help="Whose group it is (default: the park's).")
@json_option
def new_group(name: str, organisation: str | None, as_json: bool) -> None:
    """Make a group: of an organisation that you lead, or, as an operator, of the park.

    \b
    park group new "Doctoral students" --organisation um6p
    """
    made = park().accounts.new_group(name, organisation)
    if as_json:
        print_json(made)
    else:
        click.echo(f"{made['group_id']}  {clean(made['name'])}")


@group.command("rename")
@click.argument("group_id", metavar="GROUP")
@click.argument("name")
@json_option
def rename_group(group_id: str, name: str, as_json: bool) -> None:
    """Give a group another name.

    \b
    park group rename group-4zr3q... "Day shift"
    """
    park().accounts.rename_group(group_id, name)
    _told({"group_id": group_id, "name": name}, _("It is called {name} now.", name=clean(name)), as_json)


@group.command("end")
@click.argument("group_id", metavar="GROUP")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def end_group(group_id: str, yes: bool, as_json: bool) -> None:
    """End a group with the roles that it holds.

    \b
    park group end group-4zr3q...
    """
    if not yes:
        click.confirm(_("End {name} with all its roles?", name=clean(group_id)), abort=True, err=True)
    park().accounts.end_group(group_id)
    _told({"group_id": group_id, "is_ended": True}, _("Ended {name}.", name=clean(group_id)), as_json)


@group.command("add")
@click.argument("group_id", metavar="GROUP")
@click.argument("person_id", metavar="PERSON")
@json_option
def add_to_group(group_id: str, person_id: str, as_json: bool) -> None:
    """Put a person into a group: they hold its roles from then on.

    \b
    park group add group-4zr3q... person-7x2mk...
    """
    park().accounts.set_in_group(group_id, person_id, is_in=True)
    said = _("{person} is in {group} now.", person=clean(person_id), group=clean(group_id))
    _told({"group_id": group_id, "person_id": person_id, "is_in": True}, said, as_json)


@group.command("take")
@click.argument("group_id", metavar="GROUP")
@click.argument("person_id", metavar="PERSON")
@json_option
def take_from_group(group_id: str, person_id: str, as_json: bool) -> None:
    """Take a person out of a group; everybody may leave one.

    \b
    park group take group-4zr3q... person-7x2mk...
    """
    park().accounts.set_in_group(group_id, person_id, is_in=False)
    said = _("{person} is in {group} no more.", person=clean(person_id), group=clean(group_id))
    _told({"group_id": group_id, "person_id": person_id, "is_in": False}, said, as_json)


# -- invitations -------------------------------------------------------------------------------------------------------
@click.group()
def invitation() -> None:
    """Ask people in by a letter, whether or not they have an account.

    PLACE is a project, organisation:ID, or 'park'.

    \b
    park invitation new solar mina@uni.example --role member
    park invitation list solar
    """


@invitation.command("new")
@click.argument("place")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), default="member", show_default=True, help="The role.")
@click.option("--days", type=click.IntRange(1, 30), default=14, show_default=True, help="How long it is good.")
@click.option("--name", metavar="TEXT", help="As the letter greets them; they choose their own.")
@json_option
def invite(place: str, email: str, role: str, days: int, name: str | None, as_json: bool) -> None:
    """Ask somebody to hold a role in PLACE. An earlier invitation of theirs to the same place is replaced.

    \b
    park invitation new solar mina@uni.example --role member --days 7
    park invitation new organisation:um6p karim@uni.example --role lead
    """
    made = park().accounts.invite(place, email, role=role, days=days, name=name)
    if as_json:
        print_json(made)
        return
    click.echo(f"{made['invitation_id']}  {clean(made['email'])}  {made['role']} ({clean(made['at'])})")
    if made["link"]:
        click.echo(made["link"])
        say(_("this park sends no e-mail: give them the link yourself; whoever has it makes the account."))
    else:
        say(_("a letter is under way; good until {until}.", until=made["expires_at"]))


@invitation.command("list")
@click.argument("place")
@json_option
def list_invitations(place: str, as_json: bool) -> None:
    """List the invitations to PLACE that nobody has answered.

    \b
    park invitation list solar
    """
    found = park().accounts.invitations(place)
    if as_json:
        print_items(found)
        return
    keys = ("invitation_id", "email", "role", "invited_by", "expires_at")
    heads = (_("invitation"), _("address"), _("role"), _("by"), _("ends"))
    print_table(heads, [[_shown(item[key]) for key in keys] for item in found])


@invitation.command("withdraw")
@click.argument("place")
@click.argument("invitation_id", metavar="INVITATION")
@json_option
def withdraw(place: str, invitation_id: str, as_json: bool) -> None:
    """End an invitation: its link is good for nothing.

    \b
    park invitation withdraw solar invitation-4zr3q...
    """
    park().accounts.withdraw(place, invitation_id)
    done = {"invitation_id": invitation_id, "is_withdrawn": True}
    _told(done, _("Ended {name}.", name=clean(invitation_id)), as_json)


def _told(done: dict[str, Any], said: str, as_json: bool) -> None:
    if as_json:
        print_json(done)
    else:
        click.echo(said)
