"""Migration 0008: what an older park dated by UTC, or not at all, is of the site's days; counters are 64 bits wide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from eureka_park.adapters.database import parsed
from eureka_park.compute import store as compute_store
from eureka_park.live import store as live_store
from eureka_park.migrations import migrate, upgrade

HOUR_S = 3600.0
DAY = 20_000
MIDNIGHT_S = DAY * 86_400.0  # UTC; 01:00 of the same day in Casablanca
RECEIPT = (
    "INSERT INTO receipts (job_id, project, credits_micro, it_uj, site_uj, receipt)"
    " VALUES (:id, 'p', 1, '1', '1', '{}')"
)
DEED = "INSERT INTO transactions (idempotency_key, why, at_s) VALUES (:key, 'w', :at_s)"
POSTING = "INSERT INTO postings VALUES (:key, :line, :account, 'credit', :amount)"


@pytest.fixture(params=["sqlite", "postgres"])
def conn(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    """A database as the version before the ledger's days left it, with three deeds around midnight."""
    if request.param == "sqlite":
        url, server = f"sqlite:///{tmp_path / 'x.sqlite3'}", None
    else:
        server = request.getfixturevalue("postgres_server").fresh(is_empty=True)
        url = server.__enter__()
    engine = create_engine(parsed(url))
    with engine.begin() as made:
        upgrade(made, "0006")
        for job, at_s in (("a", MIDNIGHT_S - 0.5 * HOUR_S), ("b", MIDNIGHT_S - 2 * HOUR_S), ("c[0]", MIDNIGHT_S)):
            key = f"settle:{job}"
            made.execute(text(DEED), {"key": key, "at_s": at_s})
            rows = [(0, "project/p", -5), (1, "income", 5)]
            for line, account, amount in rows:
                posting = {"key": key, "line": line, "account": account, "amount": amount}
                made.execute(text(POSTING), posting)
            made.execute(text(RECEIPT), {"id": job})
        upgrade(made, "0007")
    with engine.connect() as open_:
        open_.info["url"] = url
        yield open_
    engine.dispose()
    if server is not None:
        server.__exit__(None, None, None)


def rows(conn: Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in conn.execute(text(query))]


def test_older_rows_get_the_days_of_the_site(conn: Connection) -> None:
    url = conn.info["url"]
    conn.rollback()
    assert migrate(url, "Africa/Casablanca")
    days = rows(conn, "SELECT idempotency_key, day FROM transactions ORDER BY 1")
    assert days == [("settle:a", DAY), ("settle:b", DAY - 1), ("settle:c[0]", DAY)]
    assert rows(conn, "SELECT job_id, day FROM receipts ORDER BY 1") == [("a", DAY), ("b", DAY - 1), ("c[0]", DAY)]
    sums = rows(conn, "SELECT day, kind, amount_micro, n FROM day_sums WHERE account = 'income' ORDER BY day")
    assert sums == [(DAY - 1, "settle", 5, 1), (DAY, "settle", 10, 2)]


def test_counters_pass_two_thousand_million(conn: Connection) -> None:
    url = conn.info["url"]
    conn.rollback()
    migrate(url)
    head = live_store.append_journal(conn, 2**31 - 1, 2**32, 0.0, [("X", {}), ("Y", {})])
    assert head == 2**31 + 1 and live_store.journal_head(conn) == head
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT setval(pg_get_serial_sequence('inbox', 'inbox_seq'), 2147483647)"))
    else:
        conn.execute(
            text(
                "INSERT INTO inbox (inbox_seq, idempotency_key, kind, job_id, payload, posted_real_s)"
                " VALUES (2147483647, 'x', 'cancel', 'j', '{}', 0)"
            )
        )
    compute_store.post_command(conn, "key", "cancel", "job", {}, 0.0)
    compute_store.close_commands(conn, [2**31], head)
    assert rows(conn, "SELECT inbox_seq, done_seq FROM inbox WHERE idempotency_key = 'key'") == [(2**31, head)]
