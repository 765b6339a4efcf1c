"""A PostgreSQL of the test run's own: one server for all its processes, a database per test made from a template.

The server lies in a temporary folder, listens on a socket there alone, and ends with the run, however that ends. It
does not wait for the disk (`fsync = off`): what is tested is the park, not the server.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

FOLDER: Final = "PARK_TEST_POSTGRES"  # variable: where the run's server lies, or is to lie
TEMPLATE: Final = "park_template"
USER: Final = "park"
_SETTINGS: Final = {
    "listen_addresses": "", "fsync": "off", "full_page_writes": "off", "autovacuum": "off", "jit": "off",
    "shared_buffers": "48MB", "max_connections": "120", "wal_level": "minimal", "max_wal_senders": "0",
    "max_wal_size": "256MB", "timezone": "Africa/Casablanca",
}  # fmt: skip
# The server's parent: ends it when the test run is gone, whatever became of that.
_GUARD: Final = (
    '"$0" -D "$1" & server=$!; while [ -d "/proc/$2" ] && [ -d "/proc/$server" ]; do sleep 1; done; '
    'kill -INT "$server" 2>/dev/null; wait "$server"'
)


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    name = shutil.which("initdb")
    return Path(name).parent if name else None


def _runner() -> dict[str, Any]:
    """As whom the server runs: it refuses root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return {}


def missing() -> str:
    """Why no PostgreSQL can be started here; empty where it can."""
    if _programs() is None:
        return "no initdb: install postgresql"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "no psycopg: install the extra postgres"
    return "" if os.geteuid() != 0 or _runner() else "PostgreSQL refuses root, and there is no user postgres or nobody"


def begin_run() -> None:
    """Name a folder for the run's server, before its worker processes start; nothing is started yet."""
    if FOLDER not in os.environ:
        os.environ[FOLDER] = f"{tempfile.mkdtemp(prefix='park-postgres-')}:{os.getpid()}"


def end_run() -> None:
    """Stop the server, if this process is the run's first and one was started."""
    folder, _, pid = os.environ.get(FOLDER, "").rpartition(":")
    if pid != str(os.getpid()):
        return
    with suppress(OSError, ValueError):
        server = int((Path(folder) / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(server, 3)  # SIGQUIT: at once, nothing of it is kept
        _wait_gone(server)
    shutil.rmtree(folder, ignore_errors=True)
    del os.environ[FOLDER]


def _wait_gone(pid: int) -> None:
    end_s = time.monotonic() + 10.0
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end_s:
        time.sleep(0.02)


class Server:
    """The run's server; started by whoever asks first, with more settings where they are given."""

    def __init__(self, more: dict[str, str] | None = None) -> None:
        self._more = more or {}
        begin_run()
        folder, _, pid = os.environ[FOLDER].rpartition(":")
        self.folder, self._run_pid = Path(folder), pid
        self._n_made = 0
        with self._alone():
            if not (self.folder / "ready").exists():
                self._start()
                (self.folder / "ready").touch()

    def url(self, name: str) -> str:
        """Of a database of this server."""
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    @contextmanager
    def fresh(self, *, is_empty: bool = False) -> Iterator[str]:
        """The URL of a database of one's own: with the tables of the newest revision, or without any."""
        self._n_made += 1
        name = f"t{os.getpid()}_{self._n_made}"
        self.say(f"CREATE DATABASE {name} TEMPLATE {'template0' if is_empty else TEMPLATE} STRATEGY FILE_COPY")
        try:
            yield self.url(name)
        finally:
            self.say(f"DROP DATABASE {name} WITH (FORCE)")

    def say(self, *statements: str, database: str = "postgres") -> None:
        """Statements of the administrator."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as conn:
            for text in statements:
                conn.execute(text)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _start(self) -> None:
        programs, data, who = _programs(), self.folder / "data", _runner()
        assert programs is not None
        if who:
            os.chown(self.folder, who["user"], who["group"])
        words = ["-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        run = {"capture_output": True, "text": True, "cwd": self.folder, **who}
        done = subprocess.run([str(programs / "initdb"), *words], check=False, **run)
        assert done.returncode == 0, done.stdout + done.stderr
        settings = {**_SETTINGS, **self._more, "unix_socket_directories": str(self.folder)}
        (data / "postgresql.auto.conf").write_text("".join(f"{key} = '{value}'\n" for key, value in settings.items()))
        with (self.folder / "server.log").open("wb") as log:
            words = ["sh", "-c", f"({_GUARD}) &", str(programs / "postgres"), str(data), self._run_pid]
            quiet = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            subprocess.run(words, check=True, cwd=self.folder, start_new_session=True, **quiet, **who)
        self._wait_ready()
        self._make_template()

    def _wait_ready(self) -> None:
        import psycopg

        end_s = time.monotonic() + 30.0
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < end_s, (self.folder / "server.log").read_text()
                time.sleep(0.05)

    def _make_template(self) -> None:
        from eureka_park.migrations import migrate

        self.say(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        migrate(self.url(TEMPLATE))


class Emptied:
    """A database that many tests use one after the other; emptying it is a hundred times quicker than making one."""

    def __init__(self, url: str) -> None:
        import psycopg

        self._url = url
        self._conn = psycopg.connect(url, autocommit=True)
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        names = [row[0] for row in self._conn.execute(query)]
        statements = ("SET session_replication_role = replica", *(f'DELETE FROM "{name}"' for name in names))
        self._empty = "; ".join(statements)

    def url_of_empty(self) -> str:
        """Its URL, all rows gone."""
        self._conn.execute(self._empty)
        return self._url

    def close(self) -> None:
        """Let the database go."""
        self._conn.close()
