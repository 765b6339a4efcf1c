"""`park backup` and `park restore`: a whole park as one file, and a park from such a file."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eureka_park.cli.output import json_option, print_json
from eureka_park.cli.params import home_option
from eureka_park.cli.words import _
from eureka_park.client.address import default_home
from eureka_park.foundation.units import MIB

if TYPE_CHECKING:
    from eureka_park.adapters.archive import Manifest


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--with-jobs", is_flag=True, help="Logs, outputs and checkpoints of jobs too.")
@home_option
@json_option
def backup(file: Path, with_jobs: bool, home: Path | None, as_json: bool) -> None:
    """Write all rows, blobs, settings and keys of this machine's park into one new file; the park may run meanwhile.

    The rows are those of one instant. Folders of jobs (logs, outputs, checkpoints) are in it with --with-jobs alone.
    FILE may be a folder: then the file is named by the time. It holds the park's keys, so only you may read it.

    \b
    park backup park.zip
    park backup park.zip --with-jobs      what jobs left, too
    park backup /backups/                 park-20261122-180000.zip in that folder
    """
    from eureka_park.migrations.backup import back_up

    now_s, begun_s = time.time(), time.monotonic()
    target = file / f"park-{datetime.fromtimestamp(now_s, UTC):%Y%m%d-%H%M%S}.zip" if file.is_dir() else file
    manifest = back_up((home or default_home()).absolute(), target.absolute(), now_s, with_jobs=with_jobs)
    what = _what(manifest, target)
    _tell(
        _("Backup {file}: {what} [{time_s:.1f} s]", file=target, what=what, time_s=_since(begun_s))
        + _left_out(manifest),
        {"file": str(target), **_facts(manifest)} if as_json else None,
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@home_option
@click.option("--check", "is_check", is_flag=True, help="Only read the file and compare it with its SHA-256s.")
@json_option
def restore(file: Path, home: Path | None, is_check: bool, as_json: bool) -> None:
    """Make a park from a backup, in a new home: every row and blob is compared with the file, or nothing is made.

    Rows go into the home's SQLite file, or into the empty PostgreSQL database that PARK_DATABASE_URL names, wherever
    they came from: so a park moves from one to the other. Jobs that ran when the backup was made end as lost.

    \b
    park restore park.zip --home ~/restored
    park restore park.zip --check
    PARK_DATABASE_URL=postgresql://park@db/park park restore park.zip --home /srv/park
    """
    from eureka_park.migrations.backup import check
    from eureka_park.migrations.backup import restore as restored

    folder, begun_s = (home or default_home()).absolute(), time.monotonic()
    manifest = check(file) if is_check else restored(file, folder)
    what, time_s = _what(manifest, file), _since(begun_s)
    if is_check:
        line = _("{file} is whole: {what} [{time_s:.1f} s]", file=file, what=what, time_s=time_s)
    else:
        line = _("Restored in {home}: {what}, all compared [{time_s:.1f} s]", home=folder, what=what, time_s=time_s)
        line += "\n" + _("Start it: {command}", command=f"park up --home {folder}")
    _tell(line, {"home": None if is_check else str(folder), **_facts(manifest)} if as_json else None)


def _tell(line: str, facts: dict[str, Any] | None) -> None:
    if facts is None:
        click.echo(line)
    else:
        print_json(facts)


def _what(manifest: Manifest, file: Path) -> str:
    n_of_jobs = sum(one.path.startswith("jobs/") for one in manifest.trees)
    return _(
        "{n_rows} rows of {n_tables} tables, {n_blobs} blobs, {n_files} files of jobs, {size_mib:.1f} MiB",
        n_rows=manifest.n_rows,
        n_tables=len(manifest.tables),
        n_blobs=len(manifest.blobs) + len(manifest.trees) - n_of_jobs,
        n_files=n_of_jobs,
        size_mib=file.stat().st_size / MIB,
    )


def _left_out(manifest: Manifest) -> str:
    if manifest.with_jobs:
        return ""
    return "\n" + _("Not in it: logs, outputs and checkpoints of jobs; --with-jobs takes them along.")


def _facts(manifest: Manifest) -> dict[str, Any]:
    own = {key: value for key, value in asdict(manifest).items() if key not in ("blobs", "files", "trees")}
    return {**own, "n_rows": manifest.n_rows, "n_blobs": len(manifest.blobs), "n_files": len(manifest.trees)}


def _since(begun_s: float) -> float:
    return time.monotonic() - begun_s
