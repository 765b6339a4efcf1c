"""Where the rows of a home are: in its SQLite file, or in the PostgreSQL database that PARK_DATABASE_URL names."""

from __future__ import annotations

import json
import logging
import os
import secrets
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import inspect

from eureka_park.adapters.database import SqlDatabase, is_postgres
from eureka_park.adapters.home import Home, wake_sender
from eureka_park.foundation.errors import BadInput, Conflict, Unavailable

VARIABLE: Final = "PARK_DATABASE_URL"
INBOX_CHANNEL: Final = "park_inbox"  # of the database, where it has channels
PATIENCE_S: Final = 60.0  # a server that is being started again answers within this
_NOTE: Final = "database.json"
_FILE: Final = "park.sqlite3"
_AGAIN_S: Final = 1.0

_log = logging.getLogger("eureka_park")


def named_url() -> str | None:
    """The PostgreSQL database that the environment names; None for SQLite. Raises BadInput for anything else."""
    url = os.environ.get(VARIABLE, "").strip()
    if not url:
        return None
    if not is_postgres(url):
        raise BadInput(
            f"{VARIABLE} names no PostgreSQL database.",
            fix="Write it as postgresql://user@host/name, or leave it out: then the home has a SQLite file.",
            code="bad_database_url",
        )
    return url


def url_of(home: Home) -> str:
    """The URL of a home's rows. Raises Conflict when they are in another kind of database than the one named now."""
    url, note = named_url(), home.read(_NOTE)
    if url is None and note is not None:
        raise Conflict(
            f"The rows of {home.folder} are in PostgreSQL.",
            fix=f"Name that database: {VARIABLE}=postgresql://...",
            code="database_elsewhere",
        )
    if url is not None and note is None and (home.folder / _FILE).exists():
        raise Conflict(
            f"The rows of {home.folder} are in its SQLite file, and {VARIABLE} names PostgreSQL.",
            fix="Leave it out, or move the park: park backup, then park restore into a new home.",
            code="database_elsewhere",
        )
    return url or home.database_url


def home_id(home: Home) -> str | None:
    """By what a PostgreSQL database knows its home, made at the first call; None for a home with a SQLite file."""
    if named_url() is None:
        return None
    note = home.read(_NOTE)
    if note is None:
        note = json.dumps({"kind": "postgresql", "home_id": secrets.token_hex(16)})
        home.write(_NOTE, note)
    return str(json.loads(note)["home_id"])


def check_not_emptied(home: Home, url: str) -> None:
    """Raises Conflict for an empty PostgreSQL database of a home that has had rows: they are elsewhere, or lost."""
    if not is_postgres(url) or home.read(_NOTE) is None:
        return
    db = SqlDatabase(url)
    try:
        with db.read() as conn:
            is_empty = not inspect(conn).has_table("alembic_version")
    finally:
        db.close()
    if is_empty:
        raise Conflict(
            f"{home.folder} has had rows in PostgreSQL, and the database named now is empty.",
            fix=f"Name its own database in {VARIABLE}, or restore its last backup into a new home: park restore",
            code="database_empty",
        )


def inbox_wake(home: Home, db: SqlDatabase) -> Callable[[], None]:
    """A call that wakes `live`: through the database where that can reach other machines, else on this one."""
    local = wake_sender(home.run, b"inbox")

    def wake() -> None:
        if not db.notify(INBOX_CHANNEL):
            local()

    return wake


def wait_until_there(url: str, patience_s: float) -> None:
    """Wait for a PostgreSQL server that does not answer yet. Raises Unavailable when it stays away."""
    if not is_postgres(url):
        return
    db, end_s, is_told = SqlDatabase(url), time.monotonic() + patience_s, False
    try:
        while True:
            try:
                with db.read() as conn:
                    conn.exec_driver_sql("SELECT 1")
                return
            except Unavailable as error:
                if error.code != "database_missing" or time.monotonic() >= end_s:
                    raise
                if not is_told:
                    _log.warning("%s Tried again for %.0f s.", error.message, patience_s)
                is_told = True
            time.sleep(_AGAIN_S)
    finally:
        db.close()
