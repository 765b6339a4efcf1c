"""When people came, sent their first job, saw it start and had its receipt. Real time; ids alone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, Double, String, Table, delete, select, update

from eureka_park.foundation.store import insert_or_ignore
from eureka_park.ledger.store import metadata

first_jobs = Table(
    "first_jobs",
    metadata,
    Column("person_id", String(64), primary_key=True),
    Column("signed_up_real_s", Double, nullable=False),
    Column("submitted_real_s", Double, nullable=True),
    Column("started_real_s", Double, nullable=True),
    Column("receipt_real_s", Double, nullable=True),
)


def add(conn: Connection, person_id: str, real_s: float) -> None:
    """Somebody came; the first time counts."""
    insert_or_ignore(conn, first_jobs, [{"person_id": person_id, "signed_up_real_s": real_s}])


def note(conn: Connection, person_id: str, step: str, real_s: float) -> bool:
    """Note when a step was first taken: submitted, started or receipt; whether it was new."""
    column = first_jobs.c[f"{step}_real_s"]
    where = (first_jobs.c.person_id == person_id, column.is_(None))
    return bool(conn.execute(update(first_jobs).where(*where).values({column: real_s})).rowcount)


def forget(conn: Connection, person_id: str) -> None:
    """Forget when somebody came."""
    conn.execute(delete(first_jobs).where(first_jobs.c.person_id == person_id))


def waits_s(conn: Connection) -> list[dict[str, Any]]:
    """Of everybody who came: seconds until each step, None for what has not happened; nobody is named."""
    table = first_jobs.c
    query = select(table.signed_up_real_s, table.submitted_real_s, table.started_real_s, table.receipt_real_s)
    names = ("submitted", "started", "receipt")
    return [
        {name: None if at_s is None else at_s - row[0] for name, at_s in zip(names, row[1:], strict=True)}
        for row in conn.execute(query.order_by(table.signed_up_real_s))
    ]
