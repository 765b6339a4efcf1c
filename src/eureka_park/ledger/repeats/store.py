"""Rows of keys under which something was asked for: hashed, with a hash of what was asked and what came of it."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Double, Index, String, Table, delete, select, update

from eureka_park.foundation.store import insert_or_ignore
from eureka_park.ledger.store import metadata

repeats = Table(
    "repeats",
    metadata,
    Column("key_sha256", String(64), primary_key=True),
    Column("asked_sha256", String(64), nullable=False),
    Column("result", String(64), nullable=False),  # the id of what was made; '' while it is being made
    Column("at_s", Double, nullable=False),  # park time
    Index("repeats_by_time", "at_s"),
)


def claim(conn: Connection, key_sha256: str, asked_sha256: str, at_s: float) -> tuple[str, str]:
    """Take a key, or find who took it: what was asked under it, and what came of it ('' for what begins now).

    Of two that come at once the second waits here until the first is done.
    """
    row = {"key_sha256": key_sha256, "asked_sha256": asked_sha256, "result": "", "at_s": at_s}
    insert_or_ignore(conn, repeats, [row])
    table = repeats.c
    found = conn.execute(select(table.asked_sha256, table.result).where(table.key_sha256 == key_sha256)).one()
    return found.asked_sha256, found.result


def close(conn: Connection, key_sha256: str, result: str) -> None:
    """Note what came of a key."""
    conn.execute(update(repeats).where(repeats.c.key_sha256 == key_sha256).values(result=result))


def forget(conn: Connection, before_s: float) -> None:
    """Forget keys that were taken before an instant."""
    conn.execute(delete(repeats).where(repeats.c.at_s < before_s))
