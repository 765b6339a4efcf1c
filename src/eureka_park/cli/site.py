"""`park site`: site files made, checked and shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from eureka_park.cli.lazy import server_part
from eureka_park.cli.output import json_option, park, print_json
from eureka_park.cli.words import _
from eureka_park.foundation.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from eureka_park.foundation.machine import MachineFacts


@click.group()
def site() -> None:
    """Describe a park: one TOML file names plants, weather, grid, machines, policy and prices.

    \b
    park site new my-university          writes my-university.toml to start from
    park site check my-university.toml
    park site show eureka-park           a built-in site; without a name: the site of the running park
    """


@site.command()
@click.argument("name")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="File to write (default: NAME.toml here).")
@json_option
def new(name: str, to: Path | None, as_json: bool) -> None:
    """Write a commented site file to start from. Never overwrites a file."""
    with server_part("site new"):
        from eureka_park.foundation.site_reading import new_site_text

        text = new_site_text(Path(name).stem if name.endswith(".toml") else name)
    target = to or Path(name if name.endswith(".toml") else f"{name}.toml")
    try:
        with target.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise Conflict(
            f"'{target}' exists.", fix="Choose another name, or another file with --to.", code="file_exists"
        ) from None
    except OSError as error:
        raise Unavailable(
            f"'{target}' cannot be written: {error.strerror}.", fix="Choose another file with --to."
        ) from None
    if as_json:
        print_json({"path": str(target)})
    else:
        click.echo(_("{file} is written. Edit it, then: park site check {file}", file=target))


@site.command()
@click.argument("file")
@json_option
def check(file: str, as_json: bool) -> None:
    """Check a site file (or a built-in site by name): what is wrong comes with line, field and allowed range."""
    with server_part("site check"):
        from eureka_park.foundation.site_file import site_to_json
        from eureka_park.foundation.site_reading import load_site

        found = site_to_json(load_site(file, machine_facts()))
    if as_json:
        print_json({"is_valid": True, "name": found["name"]})
    else:
        n_plants = len(found.get("plants") or [])
        click.echo(_("{file} is a good site file: {name}, {n} plants.", file=file, name=found["name"], n=n_plants))


@site.command()
@click.argument("name", required=False)
@json_option
def show(name: str | None, as_json: bool) -> None:
    """Show the site of the running park as JSON, or a built-in site or a file as it is written, with the
    figures of its known plants and their sources."""
    if name is None:
        print_json(park().site())
        return
    with server_part("site show"):
        from eureka_park.foundation.site_file import site_to_json
        from eureka_park.foundation.site_reading import load_site, site_shown

        if as_json:
            print_json(site_to_json(load_site(name, machine_facts())))
        else:
            click.echo(site_shown(name))


def machine_facts() -> MachineFacts:
    """This machine's CPUs and memory, for site files that say `found = true`; GPUs are found when a park starts."""
    import psutil

    from eureka_park.foundation.machine import MachineFacts

    return MachineFacts(n_cpus=psutil.cpu_count() or 1, memory_bytes=psutil.virtual_memory().total)
