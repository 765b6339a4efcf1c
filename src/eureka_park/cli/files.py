"""`park files`: files of projects in buckets, sent, listed, brought home, deleted and brought back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eureka_park.cli.data import _size
from eureka_park.cli.output import clean, json_option, park, print_items, print_json, print_table, quiet_option
from eureka_park.cli.params import home_option
from eureka_park.cli.words import _

if TYPE_CHECKING:
    from eureka_park.client.files import FileName

version_option = click.option("--version", "version", default="", metavar="ID", help="A version, not the newest.")


@click.group()
def files() -> None:
    """Files of projects, in buckets. PLACE is BUCKET, BUCKET/FOLDER/ or BUCKET/KEY.

    \b
    park files bucket new lab-plots --project lab
    park files put lab-plots/2026/ plots
    park files ls lab-plots/2026/
    """


@files.command("ls")
@click.argument("place", required=False)
@click.option("-r", "--recursive", is_flag=True, help="All that lies below.")
@json_option
def list_files(place: str | None, recursive: bool, as_json: bool) -> None:
    """List buckets, or what lies in one.

    \b
    park files ls
    park files ls lab-plots/2026/
    """
    here = park().files
    if place is None:
        found = here.buckets()
        if as_json:
            print_items(found)
            return
        heads = (_("bucket"), _("project"), _("versions kept"), _("versions"), _("size"))
        print_table(
            heads,
            [
                [one["name"], one["project"], one["versioning"], str(one["n_versions"]), _size(one["size_bytes"])]
                for one in found
            ],
        )
        return
    items = here.files(_named(place), recursive=recursive)
    if as_json:
        print_items(items)
        return
    for item in items:
        size = _size(item["size_bytes"]) if "key" in item else ""
        click.echo(f"{size:>9}  {clean(item.get('key') or item['prefix'])}")


@files.command("put")
@click.argument("place")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True), metavar="FILE...")
@quiet_option
@json_option
def put_files(place: str, sources: tuple[Path, ...], quiet: bool, as_json: bool) -> None:
    """Send files, and what lies in folders, below a folder of a bucket; one file may be given its key.

    \b
    park files put lab-plots/2026/ plots
    park files put lab-plots/latest.png plots/november.png
    """
    from eureka_park.cli.progress import Line

    with Line(quiet or as_json) as line:
        keys = park().files.put(_named(place), sources, told=_showing(line))
    if as_json:
        print_items({"key": key} for key in keys)
        return
    for key in keys if not quiet else ():
        click.echo(clean(key))


@files.command("get")
@click.argument("place")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder to write into.")
@version_option
@quiet_option
@json_option
def get_files(place: str, to: Path, version: str, quiet: bool, as_json: bool) -> None:
    """Bring a file home, or all that lies below a folder.

    \b
    park files get lab-plots/2026/ --to plots
    park files get lab-plots/latest.png --version 00000000002a...
    """
    from eureka_park.cli.progress import Line

    with Line(quiet or as_json) as line:
        written = park().files.get(_named(place), to, version=version, told=_showing(line))
    if as_json:
        print_items({"path": str(target), "size_bytes": target.stat().st_size} for target in written)
        return
    for target in written if not quiet else ():
        click.echo(target)


@files.command("rm")
@click.argument("places", nargs=-1, required=True, metavar="PLACE...")
@click.option("-r", "--recursive", is_flag=True, help="All files whose keys begin so.")
@version_option
@json_option
def remove_files(places: tuple[str, ...], recursive: bool, version: str, as_json: bool) -> None:
    """Delete files. A bucket that keeps versions keeps those; --version deletes one of them for good.

    \b
    park files rm lab-plots/latest.png
    park files rm -r lab-plots/tmp/
    """
    here, n_gone = park().files, 0
    for place in places:
        name = _named(place)
        if recursive:
            n_gone += here.delete_below(name)
        else:
            here.delete(name, version)
            n_gone += 1
    if as_json:
        print_json({"n_deleted": n_gone})
    else:
        click.echo(_("Deleted {n}.", n=n_gone))


@files.command("versions")
@click.argument("place")
@json_option
def list_versions(place: str, as_json: bool) -> None:
    """List the versions of files, the newest first; a deleted file shows when.

    \b
    park files versions lab-plots/latest.png
    """
    found = park().files.versions(_named(place))
    if as_json:
        print_items(found)
        return
    rows = [
        [
            one["key"], one["version_id"], one["made_at"],
            _("deleted") if one["is_delete_marker"] else _size(one["size_bytes"]), "*" if one["is_latest"] else "",
        ]
        for one in found
    ]  # fmt: skip
    print_table((_("file"), _("version"), _("when"), _("size"), _("newest")), rows)


@files.command("restore")
@click.argument("place")
@version_option
@json_option
def restore_file(place: str, version: str, as_json: bool) -> None:
    """Make a former version the newest again; without --version the last one before now.

    \b
    park files restore lab-plots/latest.png
    """
    made = park().files.restore(_named(place), version)
    if as_json:
        print_json(made)
    else:
        click.echo(_("{name} is as it was: {size}.", name=clean(place), size=_size(made["size_bytes"])))


# -- buckets -----------------------------------------------------------------------------------------------------------
@files.group("bucket")
def bucket() -> None:
    """Buckets: make one, set whether it keeps versions, take it away.

    \b
    park files bucket new lab-plots --project lab --versions
    """


@bucket.command("new")
@click.argument("name")
@click.option("--project", required=True, metavar="PROJECT", help="The project whose files it holds.")
@click.option("--versions", "is_kept", is_flag=True, help="Keep former versions.")
@json_option
def new_bucket(name: str, project: str, is_kept: bool, as_json: bool) -> None:
    """Make a bucket. Names are one list for the whole park: begin yours with the project's.

    \b
    park files bucket new lab-plots --project lab
    """
    here = park().files
    made = here.new_bucket(project, name)
    if is_kept:
        made = here.change_bucket(name, versioning="on")
    if as_json:
        print_json(made)
    else:
        click.echo(_("Made {name}.", name=clean(name)))


@bucket.command("set")
@click.argument("name")
@click.option(
    "--versions/--no-versions", "is_kept", required=True, help="Keep former versions from now on, or no more."
)
@json_option
def set_bucket(name: str, is_kept: bool, as_json: bool) -> None:
    """Keep former versions from now on, or no more; those that there are stay.

    \b
    park files bucket set lab-plots --versions
    """
    made = park().files.change_bucket(name, versioning="on" if is_kept else "suspended")
    if as_json:
        print_json(made)
    else:
        click.echo(_("Versions of {name}: {versioning}.", name=clean(name), versioning=made["versioning"]))


@bucket.command("rm")
@click.argument("name")
@json_option
def remove_bucket(name: str, as_json: bool) -> None:
    """Take an empty bucket away.

    \b
    park files bucket rm lab-plots
    """
    park().files.drop_bucket(name)
    if as_json:
        print_json({"name": name, "is_ended": True})
    else:
        click.echo(_("Ended {name}.", name=clean(name)))


@files.command("lifecycle")
@click.argument("place")
@click.option("--after", "current_days", type=int, metavar="DAYS", help="Files go so long after they were written.")
@click.option("--former-after", "noncurrent_days", type=int, metavar="DAYS", help="Former versions go after so long.")
@click.option("--keep", "n_newer_kept", type=int, default=0, metavar="N", help="But the newest N of each file stay.")
@click.option(
    "--uploads-after", "upload_days", type=int, metavar="DAYS", help="Uploads that never ended go after so long."
)
@click.option("--markers", is_flag=True, help="Marks of deleted files go once nothing else is left of them.")
@click.option("--name", "rule_id", default="", metavar="NAME", help="Name of the rule; one of that name is replaced.")
@click.option("--off", is_flag=True, help="Take the rule of that --name away, or all.")
@json_option
def lifecycle(place: str, rule_id: str, off: bool, as_json: bool, **asked: Any) -> None:
    """Show or set what goes by itself from a bucket, or from a folder of it.

    \b
    park files lifecycle lab-plots
    park files lifecycle lab-plots/tmp/ --after 30
    park files lifecycle lab-plots --former-after 90 --keep 3
    """
    here, name = park().files, _named(place)
    rules = here.bucket(name.bucket)["rules"]
    is_set = any(asked[key] for key in ("current_days", "noncurrent_days", "upload_days", "markers"))
    if off or is_set:
        label = rule_id or name.key or "all"
        rules = [one for one in rules if one["rule_id"] != label and not (off and not rule_id)]
        rules += [{"rule_id": label, "prefix": name.key, "is_on": True, **asked}] if is_set and not off else []
        rules = here.change_bucket(name.bucket, rules=rules)["rules"]
    if as_json:
        print_items(rules)
        return
    keys = ("rule_id", "prefix", "current_days", "noncurrent_days", "n_newer_kept", "upload_days")
    heads = (_("rule"), _("below"), _("files"), _("former"), _("kept"), _("uploads"))
    print_table(heads, [["-" if one[key] is None else str(one[key]) for key in keys] for one in rules])


@files.command("expire")
@home_option
@click.option("--dry-run", is_flag=True, help="Say what would go; nothing goes.")
@json_option
def expire_files(home: Path | None, dry_run: bool, as_json: bool) -> None:
    """Apply the rules of all buckets of this machine's park now. The park does so by itself every hour.

    \b
    park files expire --dry-run
    """
    from dataclasses import asdict

    from eureka_park.cli.data import _opened

    opened = _opened(home)
    try:
        rules = opened.data.files.lifecycle
        found = list(rules.expiring()) if dry_run else []
        lap = rules.begin()
        while not dry_run and rules.step(lap):
            pass
    finally:
        opened.close()
    if as_json:
        print_items([asdict(one) for one in found]) if dry_run else print_json({"n_gone": lap.n_gone})
        return
    for one in found:
        click.echo(f"{one.what:>7}  {clean(one.bucket)}/{clean(one.key)}  {clean(one.version_id)}")
    click.echo(_("{n} would go.", n=len(found)) if dry_run else _("{n} went.", n=lap.n_gone))


# -- access keys -------------------------------------------------------------------------------------------------------
@files.group("key")
def key() -> None:
    """Access keys for S3 clients: for you, in one project.

    \b
    park files key new --project lab --name rclone
    """


@key.command("new")
@click.option("--project", required=True, metavar="PROJECT", help="The project whose buckets it opens.")
@click.option("--name", default="", metavar="TEXT", help="What it is for.")
@click.option("--read-only", "is_read_only", is_flag=True, help="It reads; without it, it writes too.")
@click.option("--expires", default="", metavar="TIME", help="How long it lasts, such as 30d (default: 90d).")
@click.option("--of", default="", metavar="ID", help="The machine's account that it is for (default: your own).")
@json_option
def new_key(project: str, name: str, is_read_only: bool, expires: str, of: str, as_json: bool) -> None:
    """Make an access key and print it with its secret, this once, as environment variables.

    \b
    eval "$(park files key new --project lab --name laptop)"
    """
    scope = "read" if is_read_only else "write"
    made = park().files.new_access_key(project, name=name, scope=scope, expires=expires, of=of)
    if as_json:
        print_json(made)
        return
    click.echo(f"export AWS_ACCESS_KEY_ID={made['access_key_id']}")
    click.echo(f"export AWS_SECRET_ACCESS_KEY={made['secret']}")
    if made.get("endpoint_url"):
        click.echo(f"export AWS_ENDPOINT_URL={made['endpoint_url']}\nexport AWS_REGION=us-east-1")
    click.echo(
        _(
            "good for project {project} ({scope}) until {until}; the secret is not shown again.",
            project=clean(project),
            scope=scope,
            until=made["expires_at"],
        ),
        err=True,
    )


@key.command("ls")
@click.option("--project", default="", metavar="PROJECT", help="Those of a project; all people's, for its leads.")
@json_option
def list_keys(project: str, as_json: bool) -> None:
    """List your access keys, without their secrets.

    \b
    park files key ls
    """
    found = park().files.access_keys(project)
    if as_json:
        print_items(found)
        return
    keys = ("access_key_id", "name", "project", "scope", "expires_at", "last_used_at")
    heads = (_("key"), _("name"), _("project"), _("scope"), _("ends"), _("last used"))
    print_table(heads, [[str(one[key] or "-") for key in keys] for one in found])


@key.command("revoke")
@click.argument("access_key_id")
@click.option("--project", default="", metavar="PROJECT", help="Its project, where it is not your own key.")
@json_option
def revoke_key(access_key_id: str, project: str, as_json: bool) -> None:
    """End an access key.

    \b
    park files key revoke PARK4ZR3Q...
    """
    park().files.revoke_access_key(access_key_id, project)
    if as_json:
        print_json({"access_key_id": access_key_id, "is_ended": True})
    else:
        click.echo(_("Ended {name}.", name=clean(access_key_id)))


def _named(text: str) -> FileName:
    from eureka_park.client.files import FileName

    return FileName.of(text)


def _showing(line: Any) -> Callable[[str, int, int], None]:
    from eureka_park.cli.progress import got_line

    def told(name: str, n_bytes: int, size_bytes: int) -> None:
        line.show(name, lambda: got_line(name, n_bytes, size_bytes))

    return told
