"""`park login`, `park logout`, `park whoami`: parks elsewhere, each with a token of one's own."""

from __future__ import annotations

import platform
import sys
import time
from typing import TYPE_CHECKING

import click

from eureka_park.cli.complete import ParkName
from eureka_park.cli.output import clean, json_option, park, print_items, print_json, say
from eureka_park.cli.words import _
from eureka_park.foundation.errors import BadInput, ParkError

if TYPE_CHECKING:
    from eureka_park.client.logins import Login, Logins


@click.command()
@click.argument("url", required=False)
@click.option("--code", metavar="CODE", help="A one-time code from the park's page /connect, where no browser is near.")
@click.option("--name", metavar="TEXT", help="What the token is for (default: the name of this machine).")
@click.option("--list", "lists", is_flag=True, help="List the parks that you are logged in to.")
@click.option(
    "--use",
    type=ParkName(),
    metavar="PARK",
    help="Make one of them the current one; 'here' means the park of this machine.",
)
@json_option
def login(url: str | None, code: str | None, name: str | None, lists: bool, use: str | None, as_json: bool) -> None:
    """Log in to a park elsewhere; commands then go there.

    It shows a code and an address: open that in a browser where you are signed in, and say yes. Where there is no
    terminal, the page /connect of the park gives a code for --code. Either becomes a token of its own for this machine,
    kept where nobody else can read it.

    PARK_URL and PARK_TOKEN stand above a login, and so does a park that runs in the folder of PARK_HOME. A login stands
    above the park of this machine.

    \b
    park login https://park.example.org
    park login https://park.example.org --code abcd-efgh-jkmn
    park login --list
    park login --use here
    """
    if lists:
        _list(as_json)
    elif use is not None:
        _use(use, as_json)
    elif url is None:
        raise click.UsageError(_("name the park: park login URL."))
    else:
        _log_in(url, code, name or platform.node() or "park login", as_json)


def _log_in(address: str, code: str | None, name: str, as_json: bool) -> None:
    from eureka_park.client import signing_in
    from eureka_park.client.logins import read_logins, write_logins

    url = signing_in.park_url(address)
    kept = read_logins()  # what cannot be kept is told before the code is spent
    signing_in.greet(url)
    if signing_in.is_in_the_clear(url):
        say(_("{url} speaks no TLS: others on the way can read the token.", url=url))
    got = signing_in.redeem(url, code, name[:200]) if code else _let_in(url, name[:200])
    person = signing_in.check(got.url, got.token)
    try:
        write_logins(kept.added(got))
    except ParkError:
        signing_in.give_up(got)  # a token that nobody keeps should not live on
        raise
    if as_json:
        print_json({"url": url, "person": person, "is_current": True})
    else:
        click.echo(_("Logged in to {url} as {name}.", url=url, name=clean(person["name"])))


def _let_in(url: str, name: str) -> Login:
    """Show a code and wait for a yes in a browser; a park that is older is asked with a code of its own."""
    from eureka_park.client import signing_in

    page = f"{url}/connect"
    if not sys.stdin.isatty():
        raise BadInput(
            "A code is needed.", fix=f"Get one at {page}, then: park login {url} --code CODE", code="no_code"
        )
    waiting = signing_in.begin(url, name)
    if waiting is None:
        return signing_in.redeem(url, _asked(page), name)
    say(_("open {link} in a browser and say yes to the code {code}.", link=waiting.link, code=waiting.code))
    return signing_in.wait(waiting, time.sleep)


def _asked(page: str) -> str:
    say(_("open {page} where you are signed in; it shows a code.", page=page))
    return str(click.prompt(_("Code"), hide_input=True, err=True))


def _list(as_json: bool) -> None:
    from eureka_park.client.logins import read_logins

    logins = read_logins()
    if as_json:
        print_items(
            {"url": url, "person": item.person, "is_current": url == logins.current}
            for url, item in logins.parks.items()
        )
        return
    for url, item in logins.parks.items():
        click.echo(f"{'*' if url == logins.current else ' '} {clean(url)}  {clean(item.person)}".rstrip())
    if not logins.parks:
        say(_("no logins. Log in: park login URL"))
    elif logins.current is None:
        say(_("none of them is current: commands go to the park of this machine. Choose: park login --use URL"))


def _use(word: str, as_json: bool) -> None:
    from eureka_park.client.logins import read_logins, write_logins

    logins = read_logins()
    url = None if word == "here" else logins.found(word).url
    write_logins(logins.using(url))
    if as_json:
        print_json({"url": url, "is_current": True})
    elif url is None:
        click.echo(_("Commands go to the park of this machine."))
    else:
        click.echo(_("Commands go to {url}.", url=url))


@click.command()
@click.argument("url", required=False, type=ParkName())
@click.option("--all", "everywhere", is_flag=True, help="Log out of all parks.")
@json_option
def logout(url: str | None, everywhere: bool, as_json: bool) -> None:
    """Log out of a park (without a name: the current one) and end the token there.

    \b
    park logout
    park logout https://park.example.org
    park logout --all
    """
    from eureka_park.client.logins import read_logins, write_logins

    logins = read_logins()
    for item in _chosen(logins, url, everywhere):
        is_ended = _end(item)
        logins = logins.without(item.url)
        write_logins(logins)
        if as_json:
            continue
        click.echo(_("Logged out of {url}.", url=clean(item.url)))
        if not is_ended:
            say(_("{url} could not be asked to end the token; end it there when it is back.", url=clean(item.url)))
    if as_json:
        print_items({"url": name} for name in logins.parks)


def _chosen(logins: Logins, url: str | None, everywhere: bool) -> list[Login]:
    if everywhere:
        return list(logins.parks.values())
    word = url or logins.current
    if word is None:
        raise BadInput("You are not logged in to any park.", fix="See: park login --list", code="no_login")
    return [logins.found(word)]


def _end(item: Login) -> bool:
    from eureka_park.client import signing_in

    try:
        signing_in.give_up(item)
    except ParkError as error:
        return error.http_status == 401  # it has ended before
    return True


@click.command()
@json_option
def whoami(as_json: bool) -> None:
    """Say which park commands go to, who named it, and who you are there.

    \b
    park whoami
    park whoami --json
    """
    here = park()
    person = here.person() if here.has_token else None
    if as_json:
        print_json({"url": here.url, "named_by": here.named_by, "person": person})
        return
    click.echo(_("park    {url}, named by {source}", url=clean(here.url), source=clean(here.named_by)))
    if person is None:
        click.echo(_("you     a visitor: you see what is public. Log in: park login {url}", url=clean(here.url)))
        return
    role = _("operator") if person["is_operator"] else _("member")
    click.echo(_("you     {name}, {role}", name=clean(person["name"]), role=role))
    if person["projects"]:
        click.echo(_("member  {projects}", projects=", ".join(map(clean, person["projects"]))))
