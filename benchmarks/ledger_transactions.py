"""How many ledger transactions a second are on the disk, on SQLite and on PostgreSQL, with durable settings?

    .venv/bin/python benchmarks/ledger_transactions.py [--seconds 5] [--url postgresql://...]

A transaction moves credits between two accounts under an idempotency key: looked up, then its head, two postings,
balances and sums by day. `batch` is how many are booked together in one commit, as settlement does; `writers` are
processes. Without --url a PostgreSQL of its own is started, with fsync on.

Beside the rates stands what does not depend on what else the machine does: CPU microseconds of a transaction in the
client and in the server's processes (all of them together, where it runs on this machine), fsyncs of a transaction, and
what one fsync costs here. `bound_per_s` is what CPU and fsyncs together would allow one writer on a machine with
nothing else to do.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import Connection
from tests.helpers import postgres

from eureka_park.adapters.database import SqlDatabase
from eureka_park.ledger.books import store as books
from eureka_park.ledger.core.posting import CREDIT, INCOME, Transaction, project_account, transfer
from eureka_park.migrations import migrate

DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "autovacuum": "on"}
DAY = 20_000
CASES = ((1, 1), (1, 2), (10, 1), (100, 1), (100, 2))  # batch, writers


def deed(key: str, number: int) -> Transaction:
    """Credits from one of fifty projects to the park."""
    source = project_account(f"project-{number % 50}")
    return transfer(key, "bench", 0.0, source=source, target=INCOME, commodity=CREDIT, amount_micro=1_000_000)


def book(conn: Connection, deeds: list[Transaction]) -> None:
    """Book those that are not booked yet."""
    known = books.known(conn, [one.idempotency_key for one in deeds])
    books.add(conn, [(one, DAY) for one in deeds if one.idempotency_key not in known])


class Server:
    """What a PostgreSQL server on this machine has used so far: CPU seconds of all its processes, syncs of its log."""

    def __init__(self, url: str) -> None:
        import psycopg

        self._conn = psycopg.connect(url, autocommit=True)

    def cpu_s(self) -> float:
        """CPU seconds of the server's first process and its children; those that ended are in its own count."""
        row = self._conn.execute("SELECT pg_backend_pid()").fetchone()
        try:
            first = int(_stat(row[0] if row else 0)[1])
            pids = [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]
            return sum(sum(map(int, _stat(pid)[11:15])) for pid in pids) / os.sysconf("SC_CLK_TCK")
        except (OSError, IndexError):
            return 0.0  # on another machine

    def n_syncs(self) -> int:
        """How often its log was made durable."""
        self._conn.execute("SELECT pg_stat_force_next_flush()")
        if self._conn.info.server_version >= 180_000:
            query = "SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal'"
        else:
            query = "SELECT wal_sync FROM pg_stat_wal"
        row = self._conn.execute(query).fetchone()
        return int(row[0] or 0) if row else 0


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def write(url: str, batch: int, seconds: float, name: str, begin: Any, done: Any) -> None:
    """One writer: transactions until the time is over; how many, and its CPU seconds."""
    db, number = SqlDatabase(url), 0
    with db.write() as conn:
        book(conn, [deed(f"{name}-warm", 0)])
    begin.wait()
    cpu_s, end_s = time.process_time(), time.monotonic() + seconds
    while time.monotonic() < end_s:
        deeds = [deed(f"{name}-{at}", at) for at in range(number, number + batch)]
        with db.write() as conn:
            book(conn, deeds)
        number += batch
    done.put((number, time.process_time() - cpu_s))
    db.close()


def rate(url: str, batch: int, n_writers: int, seconds: float, sync_ms: float) -> dict[str, Any]:
    """Transactions per second over all writers, and what one costs."""
    begin, done = multiprocessing.Barrier(n_writers), multiprocessing.Queue()
    names = [f"{batch}-{n_writers}-{at}" for at in range(n_writers)]
    writers = [multiprocessing.Process(target=write, args=(url, batch, seconds, name, begin, done)) for name in names]
    server = Server(url) if url.startswith("postgres") else None
    used_s, synced = (server.cpu_s(), server.n_syncs()) if server else (0.0, 0)
    for writer in writers:
        writer.start()
    found = [done.get() for _ in writers]
    for writer in writers:
        writer.join()
    n, cpu_s = sum(item[0] for item in found), sum(item[1] for item in found)
    # SQLite syncs its log once in a commit, and twice more every thousand pages.
    server_s, syncs = (server.cpu_s() - used_s, server.n_syncs() - synced) if server else (0.0, n / batch)
    bound_s = (cpu_s + server_s) / n + syncs / n * sync_ms / 1e3
    return {
        "batch": batch, "writers": n_writers, "per_s": round(n / seconds), "client_cpu_us": round(cpu_s / n * 1e6),
        "server_cpu_us": round(server_s / n * 1e6), "fsyncs": round(syncs / n, 4), "bound_per_s": round(1 / bound_s),
    }  # fmt: skip


def fsync_ms(folder: Path) -> float:
    """What it costs to have 4 KiB more on this disk."""
    costs = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(50):
            begun_s = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            costs.append(time.perf_counter() - begun_s)
    return round(median(costs) * 1e3, 3)


def main() -> None:
    """Measure all cases, and print one JSON document."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("--url", default="")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="park-ledger-") as folder:
        sqlite_url = f"sqlite:///{Path(folder) / 'park.sqlite3'}"
        migrate(sqlite_url)
        sync_ms = fsync_ms(Path(folder))
        found: dict[str, Any] = {"fsync_ms": sync_ms, "load": os.getloadavg()[0]}
        found["sqlite"] = [rate(sqlite_url, *case, given.seconds, sync_ms) for case in CASES]
        if given.url:
            migrate(given.url)
            found["postgresql"] = [rate(given.url, *case, given.seconds, sync_ms) for case in CASES]
        elif why := postgres.missing():
            found["postgresql"] = why
        else:
            try:
                with postgres.Server(DURABLE).fresh() as url:
                    found["postgresql"] = [rate(url, *case, given.seconds, sync_ms) for case in CASES]
            finally:
                postgres.end_run()
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
