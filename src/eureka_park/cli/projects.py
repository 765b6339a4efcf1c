"""`park project` and `park people`: who works together, and who is there at all."""

from __future__ import annotations

from typing import Final

import click

from eureka_park.cli.output import clean, json_option, park, print_items, print_json, print_table
from eureka_park.cli.tokens import _shown
from eureka_park.cli.words import _

ROLES: Final = ("learner", "annotator", "teacher", "reviewer", "member", "lead", "operator", "auditor")


@click.group()
def project() -> None:
    """Projects: jobs run in one, and who sees them follows from it.

    \b
    park project new solar
    park project people solar
    """


@project.command("list")
@json_option
def list_projects(as_json: bool) -> None:
    """List the projects that you may see.

    \b
    park project list
    """
    found = park().accounts.projects()
    if as_json:
        print_items(found)
        return
    heads = (_("project"), _("title"), _("organisation"), _("public"))
    rows = [[item["project_id"], item["title"], item["organisation"] or "-", _yes(item["is_public"])] for item in found]
    print_table(heads, rows)


@project.command("new")
@click.argument("project_id", metavar="PROJECT")
@click.option("--title", metavar="TEXT", help="Its title (default: its name).")
@click.option("--organisation", metavar="ID", help="The organisation that it belongs to.")
@click.option("--public", "is_public", is_flag=True, help="Everybody sees its jobs.")
@json_option
def new_project(project_id: str, title: str | None, organisation: str | None, is_public: bool, as_json: bool) -> None:
    """Begin a project; you are its lead.

    \b
    park project new solar --title "Solar cells" --organisation um6p
    """
    accounts = park().accounts
    made = accounts.new_project(project_id, title or project_id, organisation=organisation, is_public=is_public)
    if as_json:
        print_json(made)
    else:
        click.echo(_("Began {project}; you are its lead.", project=clean(made["project_id"])))


@project.command("people")
@click.argument("project_id", metavar="PROJECT")
@json_option
def list_project_people(project_id: str, as_json: bool) -> None:
    """List who is in a project, with their roles.

    \b
    park project people solar
    """
    found = park().accounts.people_of(project_id)
    if as_json:
        print_items(found)
        return
    keys = ("person_id", "name", "role", "through")
    print_table((_("id"), _("name"), _("role"), _("group")), [[_shown(item[key]) for key in keys] for item in found])


@project.command("give")
@click.argument("project_id", metavar="PROJECT")
@click.argument("person_id", metavar="PERSON")
@click.option("--role", type=click.Choice(ROLES), default="member", show_default=True, help="The role.")
@json_option
def give_role(project_id: str, person_id: str, role: str, as_json: bool) -> None:
    """Let a person or a group hold a role in a project; in 'park', park-wide; in organisation:ID, there.

    PERSON is an id: see park people list, park group list.

    \b
    park project give solar person-4zr3q... --role member
    park project give park person-4zr3q... --role auditor
    """
    park().accounts.set_role(project_id, person_id, role, is_held=True)
    _told(project_id, person_id, role, True, as_json)


@project.command("take")
@click.argument("project_id", metavar="PROJECT")
@click.argument("person_id", metavar="PERSON")
@click.option("--role", type=click.Choice(ROLES), default="member", show_default=True, help="The role.")
@json_option
def take_role(project_id: str, person_id: str, role: str, as_json: bool) -> None:
    """End a role of a person or a group in a project; in 'park', park-wide; in organisation:ID, there.

    \b
    park project take solar person-4zr3q... --role member
    """
    park().accounts.set_role(project_id, person_id, role, is_held=False)
    _told(project_id, person_id, role, False, as_json)


def _told(project_id: str, person_id: str, role: str, is_held: bool, as_json: bool) -> None:
    if as_json:
        print_json({"project": project_id, "person_id": person_id, "role": role, "is_held": is_held})
    elif is_held:
        click.echo(_("{person} is {role} of {project} now.", person=clean(person_id), role=role, project=project_id))
    else:
        click.echo(
            _("{person} is no {role} of {project} any more.", person=clean(person_id), role=role, project=project_id)
        )


@click.group()
def people() -> None:
    """Everybody who has an account. For operators.

    \b
    park people list
    park people add "Mina Alami" --email mina@example.org
    """


@people.command("list")
@click.argument("text", default="")
@json_option
def list_people(text: str, as_json: bool) -> None:
    """List people whose name or address holds a text.

    \b
    park people list
    park people list example.org
    """
    found = list(park().accounts.people(text))
    if as_json:
        print_items(found)
        return
    keys = ("person_id", "name", "kind", "email")
    print_table((_("id"), _("name"), _("kind"), _("address")), [[_shown(item[key]) for key in keys] for item in found])


@people.command("add")
@click.argument("name")
@click.option("--email", default="", metavar="ADDRESS", help="Their e-mail address.")
@json_option
def add_person(name: str, email: str, as_json: bool) -> None:
    """Add somebody, and print a link that signs them in once within 15 minutes.

    \b
    park people add "Mina Alami" --email mina@example.org
    """
    here = park()
    made = here.accounts.add_person(name, email)
    if as_json:
        print_json(made)
        return
    click.echo(f"{made['person_id']}  {clean(made['name'])}")
    click.echo(f"{here.url}/sign-in?code={made['sign_in_code']}")


@people.command("erase")
@click.argument("person_id", metavar="PERSON")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def erase_person(person_id: str, yes: bool, as_json: bool) -> None:
    """Have the park forget who somebody is. It cannot be undone; books and the audit log keep the id.

    \b
    park people erase person-4zr3q...
    """
    if not yes:
        click.confirm(_("Forget {name} for good?", name=clean(person_id)), abort=True, err=True)
    park().accounts.erase_person(person_id)
    if as_json:
        print_json({"person_id": person_id, "is_erased": True})
    else:
        click.echo(_("The park has forgotten who {name} was.", name=clean(person_id)))


def _yes(is_so: bool) -> str:
    return _("yes") if is_so else "-"
