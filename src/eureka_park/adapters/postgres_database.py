"""PostgreSQL behind `adapters.database`, through psycopg 3 (the extra `postgres`).

A read is REPEATABLE READ and READ ONLY: one view from its first statement. A write is READ COMMITTED and, unless it may
run beside others, takes one advisory lock of the database first: writes follow each other as they do on SQLite, so the
stores' "look, then write" holds on both. Channels (LISTEN, NOTIFY) wake processes on other machines.
"""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from eureka_park.foundation.errors import BadInput, ParkError, Unavailable

try:
    import psycopg
except ImportError as missing:
    raise Unavailable(
        "PostgreSQL needs a driver that is not installed.",
        fix="Install it: pip install 'eureka-park[server,postgres]'",
        code="no_postgres_driver",
    ) from missing

READERS: Final = 8
WRITERS: Final = 4
CONNECT_WAIT_S: Final = 5
IDLE_WRITE_S: Final = 60  # a write whose process has frozen lets go of its lock after this
AGAIN_S: Final = 10.0  # between two tries of a listener to connect
WRITE_LOCK: Final = 0x7061726B  # "park": the advisory lock of all writes that stand alone
_KEEPALIVE: Final = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}

# What PostgreSQL says (SQLSTATE, or its class) and what the park answers: code, message, fix.
_BUSY: Final = (
    "database_busy",
    "The database was locked by another program for {lock_wait_s:.0f} s.",
    "Try again; if it stays so, look into pg_stat_activity for what holds the lock.",
)
_MISSING: Final = (
    "database_missing",
    "The database server cannot be reached.",
    "Check that it runs, and the address in PARK_DATABASE_URL.",
)
_REFUSED: Final = (
    "database_refused",
    "The database server lets this user in no further.",
    "Check user, password and name in PARK_DATABASE_URL, and the rights of that user in the database.",
)
_DAMAGED: Final = (
    "database_damaged",
    "The database is damaged.",
    "Stop the park and restore its last backup: park restore",
)
_UNKEEPABLE: Final = "This cannot be kept: a text holds a NUL character, or a value is too long or too large."
_ANSWERS: Final[dict[str, tuple[str, str, str]]] = {
    "55P03": _BUSY,
    "40P01": _BUSY,
    "40001": _BUSY,
    "57014": _BUSY,
    "25P03": _BUSY,
    "53100": ("disk_full", "The disk that holds the database is full.", "Free some space, then try again."),
    "53300": (
        "database_busy",
        "The database server has no connection left.",
        "Raise its max_connections, or run fewer processes.",
    ),
    "25006": (
        "database_read_only",
        "The database may not be written.",
        "Name the primary server in PARK_DATABASE_URL, not a standby.",
    ),
    "3D000": _REFUSED,
    "42501": _REFUSED,
    "28": _REFUSED,
    "08": _MISSING,
    "57": _MISSING,
    "58": ("database_io", "The database server cannot read or write its files.", "Check the disk of that server."),
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}


class PostgresSide:
    """The engines of one PostgreSQL database."""

    def __init__(self, url: URL, lock_wait_s: float) -> None:
        self._url, self._lock_wait_s = url, lock_wait_s
        self.reader = _engine(url, lock_wait_s, READERS, is_reader=True)
        self.writer = _engine(url, lock_wait_s, WRITERS, is_reader=False)

    def begin_write(self, conn: Connection, *, alone: bool) -> None:
        """Take the lock of all writes that stand alone; it goes with the transaction."""
        if alone:
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")

    def notify(self, channel: str) -> bool:
        """Wake whoever listens on a channel, on any machine."""
        with self.writer.begin() as conn:
            conn.exec_driver_sql("SELECT pg_notify(%s, '')", (channel,))
        return True

    def listen(self, channel: str) -> Listener:
        """Something that hears a channel."""
        return Listener(self._url, channel)

    def answer_to(self, error: BaseException | None) -> ParkError | None:
        """What a person is told of an error of the driver; None for a defect."""
        if isinstance(error, psycopg.DataError):
            return BadInput(_UNKEEPABLE, fix="Leave NUL characters out; write less.", code="unkeepable")
        if not isinstance(error, psycopg.Error):
            return None
        state = error.sqlstate or ""
        found = _ANSWERS.get(state) or _ANSWERS.get(state[:2])
        if found is None and isinstance(error, psycopg.OperationalError):
            found = _MISSING if not state else None
            if "authentication failed" in str(error) or "does not exist" in str(error) or "no pg_hba" in str(error):
                found = _REFUSED  # while connecting the driver passes words on, no code
        return None if found is None else self._unavailable(found)

    def busy(self) -> ParkError:
        """What a person is told who waited too long for a connection."""
        return self._unavailable(_BUSY)

    def _unavailable(self, answer: tuple[str, str, str]) -> Unavailable:
        code, message, fix = answer
        return Unavailable(message.format(lock_wait_s=self._lock_wait_s), fix=fix, code=code)


def _engine(url: URL, lock_wait_s: float, size: int, *, is_reader: bool) -> Engine:
    engine = create_engine(
        url,
        connect_args={"connect_timeout": CONNECT_WAIT_S, "application_name": "eureka-park", **_KEEPALIVE},
        pool_size=size,
        max_overflow=0,
        pool_timeout=lock_wait_s,
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: psycopg.Connection[Any], _record: Any) -> None:
        connection.autocommit = True
        connection.execute(
            "SELECT set_config('lock_timeout', %s, false), set_config('timezone', 'UTC', false),"
            " set_config('idle_in_transaction_session_timeout', %s, false),"
            " CASE WHEN current_setting('synchronous_commit') = 'off'"
            " THEN set_config('synchronous_commit', 'on', false) END",
            (f"{lock_wait_s * 1000:.0f}", "0" if is_reader else f"{IDLE_WRITE_S * 1000}"),
        )
        connection.autocommit = False
        connection.isolation_level = (
            psycopg.IsolationLevel.REPEATABLE_READ if is_reader else psycopg.IsolationLevel.READ_COMMITTED
        )
        connection.read_only = is_reader

    return engine


class Listener:
    """Hears a channel of the database; to be waited for beside other wake-ups (`fileno`, `drain`).

    While the server is away it is silent and tries again by itself, so the timer must come anyway.
    """

    def __init__(self, url: URL, channel: str) -> None:
        self._url = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._channel = channel
        self._silent, self._other_end = os.pipe()  # never readable: what is waited for while there is no connection
        self._connection: psycopg.Connection[Any] | None = None
        self._again_s = 0.0

    def fileno(self) -> int:
        """For select."""
        if self._connection is None and time.monotonic() >= self._again_s:
            self._connect()
        return self._silent if self._connection is None else self._connection.fileno()

    def drain(self) -> None:
        """Take all that was said; a connection that broke off is given up."""
        if self._connection is None:
            return
        try:
            for _ in self._connection.notifies(timeout=0):
                pass
        except psycopg.Error:
            self._drop()
        else:
            if self._connection.broken:
                self._drop()

    def wait(self, timeout_s: float) -> bool:
        """Whether something was said within a time; all that was said is taken."""
        ready = self.fileno() in select.select([self.fileno()], [], [], timeout_s)[0]
        if ready:
            self.drain()
        return ready

    def close(self) -> None:
        """Hear no more."""
        self._drop()
        for handle in (self._silent, self._other_end):
            with suppress(OSError):
                os.close(handle)

    def _connect(self) -> None:
        try:
            self._connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=CONNECT_WAIT_S, application_name="eureka-park wake-up"
            )
            self._connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(self._channel)))
        except psycopg.Error:
            self._drop()

    def _drop(self) -> None:
        self._again_s = time.monotonic() + AGAIN_S
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = None
