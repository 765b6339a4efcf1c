"""SQLite behind `adapters.database`: one file in WAL mode, many readers, one writer at a time.

Readers are opened with `query_only`, so a read that would write fails at once. The writer pool holds one connection per
process: threads of one process wait for each other in a queue, which is fair and wakes at once, and only processes
compete for SQLite's own lock, which is polled.
"""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from eureka_park.foundation.errors import BadInput, Unavailable

READERS: Final = 8
_WAL_BYTES_MAX: Final = 64 * 1024**2  # the log file is cut back to this after a checkpoint

# What SQLite says (primary result code) and what the park answers: code, message, fix.
_ANSWERS: Final[dict[int, tuple[str, str, str]]] = {
    sqlite3.SQLITE_BUSY: (
        "database_busy",
        "The database was locked by another program for {lock_wait_s:.0f} s.",
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
        "Stop the park and restore its last backup: park restore",
    ),
    sqlite3.SQLITE_NOTADB: (
        "database_damaged",
        "The database file is not a database.",
        "Stop the park and restore its last backup: park restore",
    ),
}
_ANSWERS[sqlite3.SQLITE_LOCKED] = _ANSWERS[sqlite3.SQLITE_BUSY]


class SqliteSide:
    """The engines of one SQLite file. Raises BadInput for a URL without one."""

    def __init__(self, url: URL, lock_wait_s: float) -> None:
        if not url.database or url.database == ":memory:":
            raise BadInput(
                "The database URL is not one of a SQLite file.",
                fix="Write it as sqlite:////absolute/path/park.sqlite3.",
                code="bad_database_url",
            )
        self._lock_wait_s = lock_wait_s
        self.reader = _engine(url, "BEGIN", lock_wait_s, READERS, query_only=True)
        self.writer = _engine(url, "BEGIN IMMEDIATE", lock_wait_s, 1, query_only=False)

    def begin_write(self, _conn: Connection, *, alone: bool) -> None:
        """Nothing is left to do: BEGIN IMMEDIATE has taken the one lock there is, also where others might join in."""

    def notify(self, _channel: str) -> bool:
        """False: a file wakes nobody."""
        return False

    def listen(self, _channel: str) -> None:
        """None: a file has no channels."""

    def answer_to(self, error: BaseException | None) -> Unavailable | None:
        """What a person is told of an error of the driver; None for a defect."""
        code = getattr(error, "sqlite_errorcode", None)
        primary = code & 0xFF if isinstance(code, int) else None  # the low byte; the rest is detail
        return self._unavailable(primary) if primary in _ANSWERS else None

    def busy(self) -> Unavailable:
        """What a person is told who waited too long for a connection."""
        return self._unavailable(sqlite3.SQLITE_BUSY)

    def _unavailable(self, primary: int) -> Unavailable:
        code, message, fix = _ANSWERS[primary]
        return Unavailable(message.format(lock_wait_s=self._lock_wait_s), fix=fix, code=code)


def _engine(url: URL, begin: str, lock_wait_s: float, size: int, *, query_only: bool) -> Engine:
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
