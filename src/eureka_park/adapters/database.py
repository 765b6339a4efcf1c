"""The database behind `foundation.database.Database`: one SQLite file, or a PostgreSQL database when a URL names one.

What the two do differently stands in `sqlite_database` and `postgres_database`; stores write SQL that both read.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from eureka_park.adapters.sqlite_database import SqliteSide
from eureka_park.foundation.errors import BadInput, Internal, ParkError

LOCK_WAIT_S: Final = 10.0
POSTGRES_NAMES: Final = ("postgresql", "postgres")


class Listener(Protocol):
    """Hears a channel; to be waited for beside other wake-ups."""

    def fileno(self) -> int:
        """For select."""

    def drain(self) -> None:
        """Take all that was said."""

    def close(self) -> None:
        """Hear no more."""


class Side(Protocol):
    """What a kind of database does in its own way."""

    reader: Engine
    writer: Engine

    def begin_write(self, conn: Connection, *, alone: bool) -> None:
        """First statement of a write: with `alone`, no other such write is open beside it from here on."""

    def notify(self, channel: str) -> bool:
        """Wake whoever listens on a channel, on any machine; False where this kind of database cannot."""

    def listen(self, channel: str) -> Listener | None:
        """Something that hears a channel; None where this kind of database has none."""

    def answer_to(self, error: BaseException | None) -> ParkError | None:
        """What a person is told of an error of the driver; None for a defect."""

    def busy(self) -> ParkError:
        """What a person is told who waited too long for a connection."""


class SqlDatabase:
    """A database by its URL (`sqlite:////absolute/path` or `postgresql://user@host/name`); safe to use from several
    threads and processes.

    Reads see one view from their first statement to their end. Writes hold the write lock from their first line.
    Raises BadInput for a URL of another kind; `read` and `write` raise Unavailable when the database is locked, cannot
    be read or written, or its disk is full.
    """

    def __init__(self, url: str, *, lock_wait_s: float = LOCK_WAIT_S) -> None:
        self._side = _side_of(parsed(url), lock_wait_s)
        self._inside = threading.local()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only transaction with one consistent view; inside another read of the thread it is that one."""
        outer: Connection | None = getattr(self._inside, "reader", None)
        if outer is not None:  # a second connection per reader could leave every thread waiting for its second
            yield outer
            return
        with self.translated(), self._side.reader.begin() as conn:
            self._inside.reader = conn
            try:
                yield conn
            finally:
                self._inside.reader = None

    @contextmanager
    def write(self, *, alone: bool = True) -> Iterator[Connection]:
        """A transaction that takes the write lock at once and is on disk when the block ends; an error undoes it.

        `alone` false is for a block that only appends rows and decides nothing by what it reads: where the database
        can, it runs beside other writes.
        """
        if getattr(self._inside, "write", False):  # it would wait for itself
            raise Internal("A write was begun inside another write.", fix="Hand the open connection down instead.")
        self._inside.write = True
        try:
            with self.translated(), self._side.writer.begin() as conn:
                self._side.begin_write(conn, alone=alone)
                yield conn
        finally:
            self._inside.write = False

    def notify(self, channel: str) -> bool:
        """Wake whoever listens on a channel, on any machine; False where the database cannot, or cannot now."""
        try:
            return self._side.notify(channel)
        except DBAPIError:  # a wake-up only saves time: the timer comes anyway
            return False

    def listen(self, channel: str) -> Listener | None:
        """Something that hears a channel, from all machines; None where the database has none."""
        return self._side.listen(channel)

    def close(self) -> None:
        """Close all idle connections; the next use opens fresh ones."""
        self._side.reader.dispose()
        self._side.writer.dispose()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the driver's troubles that a person can mend into errors of the park; leave defects as they are."""
        try:
            yield
        except PoolTimeout as error:
            raise self._side.busy() from error
        except DBAPIError as error:
            answer = self._side.answer_to(error.orig)
            if answer is None:
                raise
            raise answer from error
        except sqlite3.Error as error:  # from COMMIT or from a pragma of a fresh connection
            answer = self._side.answer_to(error)
            if answer is None:
                raise
            raise answer from error


def parsed(url: str) -> URL:
    """A database URL with the driver that the park uses. Raises BadInput, which never repeats the URL: it may hold a
    password.
    """
    try:
        found = make_url(url)
    except ArgumentError:
        found = None
    name = found.drivername.partition("+")[0] if found is not None else ""
    if found is not None and name in POSTGRES_NAMES and found.database:
        return found.set(drivername="postgresql+psycopg")
    if found is not None and name == "sqlite":
        return found
    raise BadInput(
        "The database URL is neither one of PostgreSQL nor of a SQLite file.",
        fix="Write it as postgresql://user@host/name, or as sqlite:////absolute/path/park.sqlite3.",
        code="bad_database_url",
    )


def is_postgres(url: str) -> bool:
    """Whether a URL names a PostgreSQL database."""
    return parsed(url).get_backend_name() == "postgresql"


def _side_of(url: URL, lock_wait_s: float) -> Side:
    if url.get_backend_name() == "sqlite":
        return SqliteSide(url, lock_wait_s)
    from eureka_park.adapters.postgres_database import PostgresSide  # its driver is an extra

    return PostgresSide(url, lock_wait_s)
