"""`park maintenance`: a notice on the pages of this machine's park while its operator works on it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eureka_park.cli.output import json_option, print_json
from eureka_park.cli.params import home_option
from eureka_park.cli.words import _
from eureka_park.client.address import default_home
from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.foundation.units import iso_from_s, parse_when_s

if TYPE_CHECKING:
    from eureka_park.adapters.home import Home

MESSAGE_MAX = 500


@click.group()
def maintenance() -> None:
    """Put up a notice on this machine's park, take it away, or look whether there is one.

    Jobs run on meanwhile, and the park decides as always; people see the notice instead of pages.

    \b
    park maintenance on --message "New disks." --until 2h
    park maintenance status
    park maintenance off
    """


@maintenance.command()
@click.option("--message", default="", metavar="TEXT", help="One line for people.")
@click.option(
    "--until", default=None, metavar="WHEN", help="When it will be over, real time: 2h, or 2026-11-22T18:00:00Z."
)
@home_option
def on(message: str, until: str | None, home: Path | None) -> None:
    """Put up the notice, or change the one that is there. With --until it ends by itself.

    \b
    park maintenance on
    park maintenance on --message "New disks." --until 2h
    """
    from eureka_park.adapters.maintenance import read_maintenance, write_maintenance

    now_s, house = time.time(), _house(home)
    line = " ".join(message.split())
    if len(line) > MESSAGE_MAX:
        raise BadInput(f"The message has {len(line)} characters.", fix=f"Write at most {MESSAGE_MAX}.", field="message")
    until_s = None if until is None else parse_when_s(until, now_s)
    if until_s is not None and until_s <= now_s:
        raise BadInput(f"{until} lies in the past.", fix="Give an instant that is still to come.", field="until")
    before = read_maintenance(house, now_s)
    write_maintenance(house, line, before["since_s"] if before else now_s, until_s)
    click.echo(_say(read_maintenance(house, now_s)))


@maintenance.command()
@home_option
def off(home: Path | None) -> None:
    """Take the notice away.

    \b
    park maintenance off
    """
    from eureka_park.adapters.maintenance import end_maintenance

    was_there = end_maintenance(_house(home))
    click.echo(_("The notice is gone.") if was_there else _("There was no notice."))


@maintenance.command()
@home_option
@json_option
def status(home: Path | None, as_json: bool) -> None:
    """Say whether the notice is up, since when and until when.

    \b
    park maintenance status
    park maintenance status --json
    """
    from eureka_park.adapters.maintenance import read_maintenance

    note = read_maintenance(_house(home), time.time())
    if not as_json:
        click.echo(_say(note))
    elif note is None:
        print_json({"on": False})
    else:
        since, until = iso_from_s(note["since_s"]), iso_from_s(note["until_s"])
        print_json({"on": True, "message": note["message"], "since": since, "until": until})


def _house(home: Path | None) -> Home:
    """The home on this machine. Raises NotFound where no park was made."""
    from eureka_park.adapters.home import Home

    house = Home((home or default_home()).absolute())
    if not house.exists():
        raise NotFound(f"There is no park in {house.folder}.", fix="Name its folder with --home.", code="no_home")
    return house


def _say(note: dict[str, Any] | None) -> str:
    if note is None:
        return _("No maintenance: people see their pages.")
    until = _(" until {time}", time=_instant(note["until_s"])) if note["until_s"] is not None else ""
    message = f": {note['message']}" if note["message"] else "."
    return _("Maintenance since {time}", time=_instant(note["since_s"])) + until + message


def _instant(instant_s: float) -> str:
    return f"{(iso_from_s(instant_s) or '')[:16].replace('T', ' ')} UTC"
