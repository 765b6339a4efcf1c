"""`park data`: data sets and models, listed, brought home, sent, compared; the store behind them looked after."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eureka_park.cli.data_card import card_of_data, open_data, seeking_options
from eureka_park.cli.data_carry import export_data, import_data
from eureka_park.cli.data_commit import commit_outputs
from eureka_park.cli.data_keep import hold, keep, quota
from eureka_park.cli.data_lineage import lineage
from eureka_park.cli.output import clean, json_option, park, print_items, print_json, print_table, quiet_option, say
from eureka_park.cli.params import home_option
from eureka_park.cli.project_keys import key
from eureka_park.cli.words import _
from eureka_park.client.address import default_home
from eureka_park.foundation.units import GIB, MIB, parse_duration_s

if TYPE_CHECKING:
    from eureka_park.client.data import RepositoryName

model_option = click.option("--model", "is_model", is_flag=True, help="A model; without it a data set.")
revision_option = click.option(
    "--rev", "revision", default="main", metavar="REVISION", help="A branch, a tag or a commit (default: main)."
)


@click.group()
def data() -> None:
    """Data sets and models with their history. REPOSITORY is PROJECT/NAME.

    \b
    park data put lab/dunes measurements --create
    park data ls lab/dunes
    park data log lab/dunes
    """


@data.command("ls")
@click.argument("repository", required=False)
@click.argument("folder", default="")
@model_option
@revision_option
@seeking_options
@json_option
def list_data(repository: str | None, folder: str, is_model: bool, revision: str, as_json: bool, **sought: str) -> None:
    """List data sets (or models), or what lies in one.

    \b
    park data ls
    park data ls --language ary --licence cc-by-4.0
    park data ls lab/dunes raw --rev v1
    """
    here = park().data
    if repository is None:
        found = here.repositories(_kind(is_model), **{name: text for name, text in sought.items() if text})
        if as_json:
            print_items(found)
            return
        rows = [
            [
                f"{one['project']}/{one['name']}", one["visibility"], one["changed_at"], one["card"]["licence"],
                one["card"]["personal_data"],
            ]
            for one in found
        ]  # fmt: skip
        print_table((_("name"), _("seen by"), _("changed"), _("licence"), _("personal data")), rows)
        return
    items = list(here.tree(_named(repository, is_model), folder, revision=revision))
    if as_json:
        print_items(items)
        return
    for item in items:
        size = "" if item["size_bytes"] is None else _size(item["size_bytes"])
        click.echo(f"{size:>9}  {clean(item['path'])}{'' if item['sha256'] else '/'}")


@data.command("get")
@click.argument("repository")
@click.argument("path", default="")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder to write into.")
@model_option
@revision_option
@quiet_option
@json_option
def get_data(repository: str, path: str, to: Path, is_model: bool, revision: str, quiet: bool, as_json: bool) -> None:
    """Bring a version home: all of it, a folder or a file.

    \b
    park data get lab/dunes --to dunes
    park data get lab/dunes raw/2026.csv --rev v1
    """
    written = park().data.get(_named(repository, is_model), path, to, revision=revision)
    if as_json:
        print_items({"path": str(target), "size_bytes": target.stat().st_size} for target in written)
        return
    for target in written if not quiet else ():
        click.echo(target)


@data.command("put")
@click.argument("repository")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True), metavar="FILE...")
@click.option("--into", "folder", default="", metavar="FOLDER", help="Folder of the repository to put them into.")
@click.option("-m", "--title", default="", metavar="TEXT", help="What changes, in one line.")
@click.option("--branch", default="main", metavar="BRANCH", help="Branch to commit to (default: main).")
@click.option("--create", is_flag=True, help="Begin the repository if there is none; it is private.")
@click.option("--again", is_flag=True, help="Send what is there too: that mends contents that were damaged.")
@model_option
@quiet_option
@json_option
def put_data(
    repository: str,
    sources: tuple[Path, ...],
    folder: str,
    title: str,
    branch: str,
    create: bool,
    again: bool,
    is_model: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Send files, and what lies in folders, as one commit. What is there already is not sent again.

    \b
    park data put lab/dunes measurements --create
    park data put lab/dunes new.csv --into raw -m "Add November"
    """
    from eureka_park.foundation.errors import Conflict

    here, name = park().data, _named(repository, is_model)
    if create:
        with suppress(Conflict):  # it is there
            here.new_repository(name)
    told: Callable[[str], object] = str if quiet or as_json else say
    made = here.put(name, sources, folder=folder, title=title, branch=branch, is_again=again, told=told)
    if as_json:
        print_json(made)
    else:
        click.echo(_("{commit}  {title}", commit=made["commit_id"][:12], title=clean(made["title"])))


@data.command("log")
@click.argument("repository")
@click.option("-n", "limit", type=click.IntRange(1, 500), default=20, show_default=True, help="How many.")
@model_option
@revision_option
@json_option
def log_data(repository: str, limit: int, is_model: bool, revision: str, as_json: bool) -> None:
    """List versions, the newest first.

    \b
    park data log lab/dunes
    """
    found = park().data.history(_named(repository, is_model), revision=revision, limit=limit)
    if as_json:
        print_items(found)
        return
    rows = [
        [
            one["commit_id"][:12],
            one["made_at"],
            one["by"] or "-",
            str(one["n_files"]),
            _size(one["size_bytes"]),
            one["title"],
        ]
        for one in found
    ]
    print_table((_("commit"), _("when"), _("by"), _("files"), _("size"), _("title")), rows)


@data.command("diff")
@click.argument("repository")
@click.argument("old")
@click.argument("new", default="main")
@model_option
@json_option
def diff_data(repository: str, old: str, new: str, is_model: bool, as_json: bool) -> None:
    """Say which files differ between two versions: + added, - removed, ~ changed.

    \b
    park data diff lab/dunes v1
    park data diff lab/dunes v1 v2
    """
    found = park().data.diff(_named(repository, is_model), old, new)
    if as_json:
        print_items(found)
        return
    marks = {"added": "+", "removed": "-", "changed": "~"}
    for one in found:
        click.echo(f"{marks[one['change']]} {clean(one['path'])}")


data.add_command(lineage)
data.add_command(commit_outputs)
data.add_command(card_of_data)
data.add_command(open_data)
data.add_command(import_data)
data.add_command(export_data)


@data.command("scrub")
@home_option
@click.option(
    "--last", is_flag=True, help="Read nothing: tell what the park itself has found, which reads all the time."
)
@json_option
def scrub_data(home: Path | None, last: bool, as_json: bool) -> None:
    """Read all contents of this machine's park and compare them with their hashes; exit 1 and say what is damaged, and
    in which files. Whoever sends these again mends them.

    The park may run meanwhile.

    \b
    park data scrub
    park data scrub --last
    """
    if last:
        _tell_last(park().data.store(), as_json)
        return
    begun_s = time.monotonic()
    opened = _opened(home)
    begun_real_s = opened.clock.real_s()
    try:
        done = opened.data.collector.scrub()
        damage = opened.data.upkeep.note_whole(done, begun_real_s)
    finally:
        opened.close()
    if as_json:
        figures = {name: getattr(done, name) for name in ("n_objects", "n_bytes", "n_nodes", "n_locked")}
        told = [
            {"content_hash": one.content_hash, "places": [_as_json(at) for at in one.places or ()]} for one in damage
        ]
        print_json({"is_sound": not done.findings, **figures, "findings": done.findings, "damage": told})
    elif not done.findings:
        time_s = time.monotonic() - begun_s
        size, n = _size(done.n_bytes), done.n_objects - done.n_locked
        click.echo(_("{n} contents ({size}) are what they were. [{time_s:.1f} s]", n=n, size=size, time_s=time_s))
    else:
        for finding in done.findings:
            click.echo(clean(finding))
        for one in damage:
            for at in one.places or ():
                _tell_place(_as_json(at))
    if done.n_locked and not as_json:
        click.echo(_("{n} were not read: the keys of their projects are not here.", n=done.n_locked))
    if done.findings:
        raise click.exceptions.Exit(1)


@data.command("collect")
@home_option
@click.option("--grace", default="1d", show_default=True, metavar="TIME", help="What was needed lately stays.")
@json_option
def collect_data(home: Path | None, grace: str, as_json: bool) -> None:
    """Take away contents of this machine's park that nothing needs any more. The park may run meanwhile.

    \b
    park data collect
    """
    from dataclasses import asdict

    opened = _opened(home)
    try:
        done = opened.data.collector.collect(max(3600.0, parse_duration_s(grace)))
    finally:
        opened.close()
    if as_json:
        print_json(asdict(done))
    else:
        click.echo(_("Took away {n} contents, {m} files.", n=done.n_blobs + done.n_packs, m=done.n_objects))


def _tell_last(found: dict[str, Any], as_json: bool) -> None:
    """What the park has found itself; exit 1 where something is damaged."""
    if as_json:
        print_json(found)
    else:
        for one in found["damage"]:
            click.echo(clean(one["reason"]))
            for at in one["places"]:
                _tell_place(at)
        scrub = found["scrub"]
        n, size, when = scrub["n_contents"], _size(scrub["n_bytes"]), scrub["ended_at"] or "-"
        click.echo(
            _("Read in this round: {n} contents ({size}). The last round ended: {when}.", n=n, size=size, when=when)
        )
    if found["n_damaged"]:
        raise click.exceptions.Exit(1)


def _tell_place(at: dict[str, Any]) -> None:
    click.echo(clean(f"  {at['kind']} {at['project']}/{at['name']} {at['path']} ({at['revision']})"))


def _as_json(at: Any) -> dict[str, Any]:
    return {
        "project": at.project_id, "kind": at.kind, "name": at.name, "revision": at.revision, "path": at.path,
    }  # fmt: skip


def _opened(home: Path | None) -> Any:
    from eureka_park.bootstrap import open_park

    return open_park((home or default_home()).absolute())


def _kind(is_model: bool) -> str:
    return "model" if is_model else "dataset"


def _named(text: str, is_model: bool) -> RepositoryName:
    from eureka_park.client.data import RepositoryName

    return RepositoryName.of(text, _kind(is_model))


def _size(n_bytes: int) -> str:
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (1024, "KiB")):
        if n_bytes >= unit:
            return f"{n_bytes / unit:.1f} {name}"
    return f"{n_bytes} B"


for command in (quota, keep, hold):
    data.add_command(command)
data.add_command(key)
