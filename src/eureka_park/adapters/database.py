"""The database behind `foundation.database.Database`: one SQLite file in WAL mode, many readers, one writer at a time.

Two pools share the file. Readers are opened with `query_only`, so a read that would write fails at once. The writer
pool holds one connection per process: threads of one process wait for each other in a queue, which is fair and wakes at
once, and only processes compete for SQLite's own lock, which is polled. Stores write SQL that PostgreSQL reads too.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from eureka_park.foundation.errors import BadInput, Internal, ParkError, Unavailable

LOCK_WAIT_S: Final = 10.0
READERS: Final = 8
_WAL_BYTES_MAX: Final = 64 * 1024**2  # the log file is cut back to this after a checkpoint

# What SQLite says (primary result code) and what the park answers: code, message, fix.
_ANSWERS: Final[dict[int, tuple[str, str, str]]] = {
    sqlite3.SQLITE_BUSY: (
        "database_busy",
        f"The database was locked by another program for {LOCK_WAIT_S:.0f} s.",
        "Try again; if it stays so, find the program that holds park.sqlite3 open.",
    ),
    sqlite3.SQLITE_FULL: ("disk_full", "The disk that holds the database is full.", "Free some space, then try again."),
    sqlite3.SQLITE_IOERR: (
        "database_io",
        "The database file cannot be read or written.",
        "Check the disk that holds it: free space, then its health.",
    ),
    sqlite3.SQLITE_READONLY: (
        "database_read_only",
        "The database file may not be written.",
        "Give the user that runs the park write access to its home.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "database_missing",
        "The database file cannot be opened.",
        "Check that the park's home exists and may be entered.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "database_damaged",
        "The database file is damaged.",
        "Stop the park and put back the last copy of its home.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "database_damaged",
        "The database file is not a database.",
        "Stop the park and put back the last copy of its home.",
    ),
}
_ANSWERS[sqlite3.SQLITE_LOCKED] = _ANSWERS[sqlite3.SQLITE_BUSY]


class SqlDatabase:
    """A database by its URL, `sqlite:////absolute/path`; safe to use from several threads and processes.

    Reads see one view from their first statement to their end. Writes hold the write lock from their first line.
    Raises BadInput for a URL of another kind; `read` and `write` raise Unavailable when the file is locked, cannot be
    read or written, or the disk is full.
    """

    def __init__(self, url: str, *, lock_wait_s: float = LOCK_WAIT_S) -> None:
        _check(url)
        self._reader = _engine(url, "BEGIN", lock_wait_s, READERS, query_only=True)
        self._writer = _engine(url, "BEGIN IMMEDIATE", lock_wait_s, 1, query_only=False)
        self._inside = threading.local()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only transaction with one consistent view; inside another read of the thread it is that one."""
        outer: Connection | None = getattr(self._inside, "reader", None)
        if outer is not None:  # a second connection per reader could leave every thread waiting for its second
            yield outer
            return
        with _translated(), self._reader.begin() as conn:
            self._inside.reader = conn
            try:
                yield conn
            finally:
                self._inside.reader = None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that takes the write lock at once and is on disk when the block ends; an error undoes it."""
        if getattr(self._inside, "write", False):  # it would wait for itself
            raise Internal("A write was begun inside another write.", fix="Hand the open connection down instead.")
        self._inside.write = True
        try:
            with _translated(), self._writer.begin() as conn:
                yield conn
        finally:
            self._inside.write = False

    def close(self) -> None:
        """Close all idle connections; the next use opens fresh ones."""
        self._reader.dispose()
        self._writer.dispose()


def _check(url: str) -> None:
    try:
        parts = make_url(url)
    except ArgumentError:
        parts = None
    if parts is None or parts.get_backend_name() != "sqlite" or not parts.database or parts.database == ":memory:":
        raise BadInput(
            "The database URL is not one of a SQLite file.",
            fix="Write it as sqlite:////absolute/path/park.sqlite3.",
            code="bad_database_url",
        )


def _engine(url: str, begin: str, lock_wait_s: float, size: int, *, query_only: bool) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": lock_wait_s, "isolation_level": None},  # None: the driver begins nothing by itself
        pool_size=size,
        max_overflow=0,
        pool_timeout=lock_wait_s,
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_MAX}")
        connection.execute(f"PRAGMA query_only = {'ON' if query_only else 'OFF'}")

    @event.listens_for(engine, "begin")
    def open_transaction(conn: Connection) -> None:
        conn.exec_driver_sql(begin)

    return engine


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's troubles that a person can mend into Unavailable; leave defects as they are."""
    try:
        yield
    except PoolTimeout as error:
        raise _unavailable(sqlite3.SQLITE_BUSY) from error
    except DBAPIError as error:
        answer = _answer_to(error.orig)
        if answer is None:
            raise
        raise answer from error
    except sqlite3.Error as error:  # from COMMIT or from a pragma of a fresh connection
        answer = _answer_to(error)
        if answer is None:
            raise
        raise answer from error


def _answer_to(error: BaseException | None) -> ParkError | None:
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None  # the low byte; the rest is detail
    return _unavailable(primary) if primary in _ANSWERS else None


def _unavailable(primary: int) -> Unavailable:
    code, message, fix = _ANSWERS[primary]
    return Unavailable(message, fix=fix, code=code)
