"""`park data key`: confidential projects, and the keys under which their contents lie."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import click

from eureka_park.cli.output import json_option, park, print_json, say
from eureka_park.cli.words import _
from eureka_park.foundation.errors import BadInput, Conflict
from eureka_park.foundation.units import parse_duration_s

key_option = click.option(
    "--key", "key_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="The customer's key."
)


@click.group()
def key() -> None:
    """Confidential projects: all that they hold lies sealed, under a key of their own.

    \b
    park data key seal clinic
    park data key show clinic
    """


@key.command("show")
@click.argument("project")
@json_option
def show_key(project: str, as_json: bool) -> None:
    """Say whether a project is confidential, and whether the park can read it now.

    \b
    park data key show clinic
    """
    _tell(park().data.keys.state(project), as_json)


@key.command("new")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def new_key(file: Path) -> None:
    """Make a key to keep yourself. Whoever loses it loses what it seals.

    \b
    park data key new clinic.key
    """
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Conflict(f"There is a file {file} already.", fix="Name another one.", code="file_taken") from None
    except OSError as error:
        raise BadInput(f"{file} cannot be written: {error.strerror}.", fix="Name another place.") from None
    with os.fdopen(handle, "w") as out:
        out.write(base64.b64encode(os.urandom(32)).decode() + "\n")
    say(_("Keep {file} safe, and a copy elsewhere: without it the contents are lost.", file=str(file)))


@key.command("seal")
@click.argument("project")
@click.option("--keeper", type=click.Choice(["park", "kms", "customer"]), default="park", show_default=True)
@key_option
@json_option
def seal_project(project: str, keeper: str, key_file: Path | None, as_json: bool) -> None:
    """Make a project that holds nothing yet confidential, for ever.

    \b
    park data key seal clinic
    park data key seal clinic --keeper customer --key clinic.key
    """
    _tell(park().data.keys.seal(project, keeper, _read(key_file) if keeper == "customer" else ""), as_json)


@key.command("unlock")
@click.argument("project")
@key_option
@click.option("--for", "time", default="4h", show_default=True, metavar="TIME", help="How long, up to 7d.")
@click.option("--job", default="", metavar="JOB", help="Only until this job is over and its outputs are kept.")
@json_option
def unlock_project(project: str, key_file: Path | None, time: str, job: str, as_json: bool) -> None:
    """Lend the park your key for a while, so that jobs and people can read the project.

    \b
    park data key unlock clinic --key clinic.key --for 8h
    park data key unlock clinic --key clinic.key --for 3d --job job-7f3a...
    """
    _tell(park().data.keys.unlock(project, _read(key_file), parse_duration_s(time), job), as_json)


@key.command("lock")
@click.argument("project")
@json_option
def lock_project(project: str, as_json: bool) -> None:
    """Take your key back: within five seconds the park can read nothing of the project any more.

    \b
    park data key lock clinic
    """
    _tell(park().data.keys.lock(project), as_json)


@key.command("rewrap")
@click.argument("project")
@click.option("--keeper", type=click.Choice(["park", "kms"]), default="park", show_default=True)
@json_option
def rewrap_key(project: str, keeper: str, as_json: bool) -> None:
    """Have the key wrapped anew, by the park or by its key service.

    \b
    park data key rewrap clinic --keeper kms
    """
    _tell(park().data.keys.rewrap(project, keeper), as_json)


@key.command("destroy")
@click.argument("project")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@json_option
def destroy_key(project: str, is_sure: bool, as_json: bool) -> None:
    """Destroy the key: nothing that the project holds can ever be read again.

    Backups of the park from before still have the wrapped key; end them too.

    \b
    park data key destroy clinic
    """
    if not is_sure:
        said = click.prompt(_("Type {project} to destroy all that it holds", project=project), err=True)
        if said != project:
            raise BadInput("Nothing was destroyed.", fix="Type the project's name.", code="not_confirmed")
    _tell(park().data.keys.destroy(project), as_json)


def _read(file: Path | None) -> str:
    if file is None:
        raise BadInput("The customer's key is not named.", fix="Add --key FILE.", code="no_key", field="key")
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise BadInput(
            f"{file} cannot be read as a key.", fix="Make one: park data key new FILE", field="key"
        ) from None


def _tell(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(found)
    elif not found["is_confidential"]:
        click.echo(_("{project} lies in clear.", project=found["project"]))
    elif found["destroyed_at"]:
        click.echo(_("{project}: its key was destroyed at {at}.", project=found["project"], at=found["destroyed_at"]))
    elif not found["is_open"]:
        click.echo(_("{project} is confidential and locked; its customer has the key.", project=found["project"]))
    elif found["open_until"]:
        until = found["open_until"]
        click.echo(_("{project} is confidential, and open until {until}.", project=found["project"], until=until))
    else:
        keeper = found["keeper"]
        click.echo(_("{project} is confidential; {keeper} keeps its key.", project=found["project"], keeper=keeper))
