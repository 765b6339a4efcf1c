"""Rows of keys of confidential projects. Each function is a part of its caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Double, Index, Row, String, Table, Text, insert, select, update

from eureka_park.data.store import metadata

project_keys = Table(
    "project_keys",
    metadata,
    Column("project_id", String(80), primary_key=True),
    Column("realm", String(16), nullable=False),  # how names of its contents begin
    Column("keeper", String(16), nullable=False),  # park, kms, customer
    Column("wrapped_key", Text, nullable=False),  # '' once it was destroyed
    Column("made_at_s", Double, nullable=False),
    Column("made_by", String(80), nullable=False),
    Column("destroyed_at_s", Double),
    Column("open_key", Text),  # sealed by the park's key while the customer lends theirs
    Column("open_until_s", Double),
    Column("open_job_id", String(64)),  # the job for whose length they lend it; null: for the time alone
    Index("project_keys_realm", "realm", unique=True),
)


@dataclass(frozen=True, slots=True)
class KeyRow:
    """The key of a project, as it is kept."""

    project_id: str
    realm: str
    keeper: str
    wrapped_key: str
    made_at_s: float
    made_by: str
    destroyed_at_s: float | None = None
    open_key: str | None = None
    open_until_s: float | None = None
    open_job_id: str | None = None


def add(conn: Connection, row: KeyRow) -> None:
    """Keep the key of a project that has none."""
    conn.execute(
        insert(project_keys).values(
            project_id=row.project_id,
            realm=row.realm,
            keeper=row.keeper,
            wrapped_key=row.wrapped_key,
            made_at_s=row.made_at_s,
            made_by=row.made_by,
        )
    )


def of_project(conn: Connection, project_id: str) -> KeyRow | None:
    """The key of a project; None where it is not confidential."""
    return _row(conn.execute(select(project_keys).where(project_keys.c.project_id == project_id)).one_or_none())


def of_realm(conn: Connection, realm: str) -> KeyRow | None:
    """The key of a realm."""
    return _row(conn.execute(select(project_keys).where(project_keys.c.realm == realm)).one_or_none())


def realm(conn: Connection, project_id: str) -> str:
    """How names of a project's contents begin: '' where it is not confidential."""
    return conn.execute(select(project_keys.c.realm).where(project_keys.c.project_id == project_id)).scalar() or ""


def change(conn: Connection, project_id: str, **values: Any) -> None:
    """Change columns of a key."""
    conn.execute(update(project_keys).where(project_keys.c.project_id == project_id).values(**values))


def lent(conn: Connection) -> list[KeyRow]:
    """Keys that customers lend, or have lent until a while ago."""
    rows = conn.execute(select(project_keys).where(project_keys.c.open_until_s.is_not(None))).all()
    return [KeyRow(**row._mapping) for row in rows]


def close(conn: Connection, project_ids: Sequence[str]) -> int:
    """Forget lent keys; how many."""
    given = update(project_keys).where(project_keys.c.project_id.in_(project_ids))
    return conn.execute(given.values(open_key=None, open_until_s=None, open_job_id=None)).rowcount


def _row(row: Row[Any] | None) -> KeyRow | None:
    return None if row is None else KeyRow(**row._mapping)
