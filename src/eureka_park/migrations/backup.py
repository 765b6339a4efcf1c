"""Backup and restore of a whole park: all rows of one instant, all blobs, the small files of its home.

The rows are read in one transaction, so a backup of a running park is of one instant; blobs never change, and what a
row names was there before the row. What is restored is compared row by row with the backup before anybody sees it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from eureka_park import __version__
from eureka_park.adapters import archive
from eureka_park.adapters.database import SqlDatabase, is_postgres, parsed
from eureka_park.adapters.home import Home
from eureka_park.adapters.home_database import home_id, named_url, url_of
from eureka_park.foundation.disk import sync_folder
from eureka_park.foundation.errors import BadInput, Conflict, Internal
from eureka_park.foundation.units import iso_from_s
from eureka_park.live.store import LEASE_TTL_S, claim_for_home
from eureka_park.migrations import is_known, migrate, present_revision, rows, trees, upgrade

_NOT_COPIED: Final = frozenset({"database.json"})  # says where this home's rows are
_DATABASE_FILE: Final = "park.sqlite3"


def back_up(folder: Path, target: Path, now_real_s: float, *, with_jobs: bool = False) -> archive.Manifest:
    """Write a backup of a home, which may be in use, to a new file; what it holds. `with_jobs`: outputs, checkpoints
    and logs of jobs too.

    Raises NotFound for no home, Conflict for a file that is there, Unavailable when disk or database will not.
    """
    home = Home(folder)
    home.facts()
    url = url_of(home)
    db = SqlDatabase(url)
    kind = "postgresql" if is_postgres(url) else "sqlite"
    manifest = archive.Manifest(
        archive.FORMAT, __version__, "", iso_from_s(now_real_s) or "", kind, with_jobs=with_jobs
    )
    try:
        with archive.written(target, manifest) as writer:
            for name in _small_files(home):  # before the rows: what they say of rows is of rows that are there
                writer.file(name, home.folder / name)
            with db.read() as conn:
                manifest.revision = _revision(conn)
                for table in rows.tables_of(conn):
                    names = table.columns.keys()
                    writer.table(table.name, names, rows.lines_of(conn, table, names))
            for path in _blobs(home):
                writer.blob(path.name, path)
            for name in _objects(home):
                with suppress(FileNotFoundError):  # collected meanwhile: nothing needed it
                    writer.file(name, home.folder / name)
            if with_jobs:
                trees.take(writer, home.folder)
    finally:
        db.close()
    return manifest


def check(source: Path) -> archive.Manifest:
    """Read a whole backup and compare all of it with its SHA-256s. Raises BadInput."""
    with archive.opened(source) as reader:
        _check_revision(reader.manifest)
        reader.check()
        return reader.manifest


def restore(source: Path, folder: Path) -> archive.Manifest:
    """Make a park from a backup, in a new home and an empty database; what it holds.

    Rows go into SQLite, or into PostgreSQL where PARK_DATABASE_URL names one, wherever they came from. The home appears
    whole, or nothing is left. Raises BadInput for a damaged backup, Conflict for a target that is not empty.
    """
    target = Home(folder)
    if folder.exists() and not target.is_empty():
        raise Conflict(f"{folder} is not empty.", fix="Name a new folder with --home.", code="home_not_empty")
    with archive.opened(source) as reader:
        _check_revision(reader.manifest)
        with _new_folder(folder) as made:
            home = Home(made)
            home.make_folders()
            _copy_files(reader, home)
            with archive.disk_told(home.folder):
                trees.put_back(reader, home.folder)
            url = named_url() or home.database_url
            if url == home.database_url:
                _fill_database(url, reader, home)
                migrate(url, home.zone())
                _put_in_place(made, folder)
            else:
                with _taken_back(made, folder):
                    _fill_database(url, reader, home, lambda: _put_in_place(made, folder))
        return reader.manifest


def _small_files(home: Home) -> Iterator[str]:
    """Files of the home that are neither rows nor blobs nor of the moment: its facts, its site, its keys, its notes."""
    for path in sorted(home.folder.iterdir()):
        is_own = not path.name.startswith(_DATABASE_FILE) and path.name not in _NOT_COPIED
        if is_own and archive.is_file_name(path.name) and path.is_file() and not path.is_symlink():
            yield path.name
    for path in sorted((home.folder / "keys").iterdir()):
        if archive.is_file_name(path.name) and path.is_file() and not path.is_symlink():
            yield f"keys/{path.name}"


def _blobs(home: Home) -> Iterator[Path]:
    yield from sorted((home.folder / "blobs").glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"))


def _objects(home: Home) -> Iterator[str]:
    """What the store of data sets and models keeps in the home; a bucket is not the home's."""
    for pattern in ("??/??/*", "packs/??/??/*"):
        for path in sorted((home.folder / "blobs" / "store").glob(pattern)):
            if path.is_file() and archive.is_file_name(path.name):
                yield str(path.relative_to(home.folder))


def _revision(conn: Connection) -> str:
    revision = present_revision(conn)
    if revision is None:
        raise Conflict("The database of this home is empty.", fix="Start the park once: park up", code="no_rows")
    return revision


def _check_revision(manifest: archive.Manifest) -> None:
    if not is_known(manifest.revision):
        raise BadInput(
            f"The backup was made by a newer park ({manifest.version}, revision {manifest.revision}).",
            fix="Use that version, or a newer one.",
            code="newer_backup",
            field="file",
        )


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """A folder beside the one that is to be; it is gone after the block, unless it was put in place."""
    made = folder.with_name(f".{folder.name}.restoring-{os.getpid()}")
    with archive.disk_told(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        made.mkdir(mode=0o700)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _copy_files(reader: archive.Reader, home: Home) -> None:
    """All files and blobs, and the folders that name them, on the disk."""
    folders = {home.folder / "keys", home.folder / "blobs"}
    with archive.disk_told(home.folder):
        for name in reader.manifest.files:
            place, is_object = home.folder / name, name.startswith("blobs/")
            place.parent.mkdir(parents=True, exist_ok=True)
            _copy(reader, name, place, 0o444 if is_object else 0o600)
            folders |= {*place.parents[: name.count("/")]}
        for name in reader.manifest.blobs:
            place = home.folder / "blobs" / name[:2] / name[2:4] / name
            place.parent.mkdir(parents=True, exist_ok=True)
            _copy(reader, name, place, 0o444)
            folders |= {place.parent, place.parent.parent}
        for folder in sorted(folders, reverse=True):
            sync_folder(folder)


def _copy(reader: archive.Reader, name: str, place: Path, mode: int) -> None:
    with place.open("xb") as target:
        reader.file(name, target)
        os.fchmod(target.fileno(), mode)
        target.flush()
        os.fsync(target.fileno())


def _fill_database(url: str, reader: archive.Reader, home: Home, at_last: Callable[[], None] = lambda: None) -> None:
    """All tables at the backup's own revision, then the newest: one transaction, so all of it or nothing. `at_last` is
    done before its end: when that fails, nothing stays.
    """
    db = SqlDatabase(url)
    engine = create_engine(parsed(url), poolclass=NullPool)
    owner = home_id(home)
    try:
        with db.translated(), engine.begin() as conn:
            _check_empty(conn)
            upgrade(conn, reader.manifest.revision)
            _insert(conn, reader)
            _let_go(conn, owner)
            if conn.dialect.name == "postgresql":
                upgrade(conn, zone=home.zone())
            at_last()
    finally:
        engine.dispose()
        db.close()


def _check_empty(conn: Connection) -> None:
    if inspect(conn).get_table_names():
        raise Conflict(
            "The database is not empty.", fix="Make a new one for PARK_DATABASE_URL.", code="database_in_use"
        )


def _insert(conn: Connection, reader: archive.Reader) -> None:
    tables, told = rows.tables_of(conn), reader.manifest.tables
    if {table.name for table in tables} != set(told):
        raise BadInput("The backup has other tables than its revision.", fix="Take another backup.", field="file")
    for table in tables:
        conn.execute(table.delete())  # a migration may have filled it
        rows.insert_lines(conn, table, told[table.name]["columns"], reader.lines(table.name))
    rows.go_on_counting(conn, tables)
    for table in tables:
        _compare(conn, table, told[table.name])


def _compare(conn: Connection, table: Any, told: dict[str, Any]) -> None:
    """Read back what was inserted: its lines are those of the backup, byte by byte."""
    digest = hashlib.sha256()
    for line in rows.lines_of(conn, table, told["columns"]):
        digest.update(line)
    if digest.hexdigest() != told["sha256"]:
        raise Internal(f"Table {table.name} was not restored as it was.", fix="Please report this.")


def _let_go(conn: Connection, owner: str | None) -> None:
    """Nobody decides for the restored park yet; a database of its own is its home's alone from the beginning."""
    conn.execute(text(f"UPDATE lease SET until_real_s = until_real_s - {LEASE_TTL_S}"))
    conn.execute(text("DELETE FROM lease WHERE name = 'home'"))
    if owner is not None:
        claim_for_home(conn, owner)


def _put_in_place(made: Path, folder: Path) -> None:
    with archive.disk_told(folder):
        sync_folder(made)
        made.rename(folder)
        with suppress(OSError):
            sync_folder(folder.parent)


@contextmanager
def _taken_back(made: Path, folder: Path) -> Iterator[None]:
    """A home that was put in place, and whose rows were then not kept, goes again."""
    try:
        yield
    except BaseException:
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
        raise
