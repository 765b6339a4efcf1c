"""`park sign-in`: letting people in from the park's own machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from eureka_park.cli.output import json_option, print_json
from eureka_park.cli.params import home_option
from eureka_park.cli.words import _
from eureka_park.client.address import default_home
from eureka_park.foundation.errors import NotFound

if TYPE_CHECKING:
    from eureka_park.bootstrap import Park


@click.group("sign-in")
def sign_in() -> None:
    """Let people in who have lost their way, from the park's own machine.

    \b
    park sign-in link
    park sign-in link mina@uni.example
    """


@sign_in.command("link")
@click.argument("whom", required=False, metavar="[WHOM]")
@home_option
@json_option
def link(whom: str | None, home: Path | None, as_json: bool) -> None:
    """Print a link that signs somebody in once, within 15 minutes: WHOM by id or e-mail address, else the owner.

    \b
    park sign-in link
    park sign-in link mina@uni.example
    """
    from eureka_park import bootstrap

    park = bootstrap.open_park(home or default_home())
    try:
        person_id = park.accounts.ensure_owner()[0] if whom is None else _found(park, whom)
        url = park.sign_in.settings().url or json.loads(park.home.read("run/client.json") or "{}").get("url") or ""
        address = f"{url}/sign-in?code={park.accounts.new_sign_in_link(person_id)}"
    finally:
        park.close()
    if as_json:
        print_json({"person_id": person_id, "link": address})
    else:
        click.echo(_("Sign in once, within 15 minutes: {link}", link=address))


def _found(park: Park, whom: str) -> str:
    if "@" not in whom:
        return whom
    with park.db.read() as conn:
        person = park.accounts.people.by_email(conn, whom)
    if person is None:
        raise NotFound(_("Nobody here has this address."), fix=_("See: park people list"), code="no_such_person")
    return person.person_id
