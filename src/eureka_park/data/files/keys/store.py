"""Rows of access keys. Their secrets are sealed with the park's key: signatures are checked with the secret itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Double, Index, Row, String, Table, delete, insert, select, update

from eureka_park.data.store import metadata

access_keys = Table(
    "access_keys",
    metadata,
    Column("access_key_id", String(32), primary_key=True),
    Column("person_id", String(80), nullable=False),
    Column("project_id", String(80), nullable=False),
    Column("label", String(200), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("sealed_secret", String(200), nullable=False),
    Column("made_at_s", Double, nullable=False),
    Column("expires_at_s", Double, nullable=False),
    Column("last_used_at_s", Double),
    Index("access_keys_of_person", "person_id", "project_id"),
    Index("access_keys_of_project", "project_id"),
)


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key without its secret. `scope`: `read` or `write`."""

    access_key_id: str
    person_id: str
    project_id: str
    label: str
    scope: str
    made_at_s: float
    expires_at_s: float
    last_used_at_s: float | None = None


def add(conn: Connection, made: AccessKey, sealed_secret: str) -> None:
    """Keep a new key."""
    row = {
        "access_key_id": made.access_key_id, "person_id": made.person_id, "project_id": made.project_id,
        "label": made.label, "scope": made.scope, "sealed_secret": sealed_secret, "made_at_s": made.made_at_s,
        "expires_at_s": made.expires_at_s,
    }  # fmt: skip
    conn.execute(insert(access_keys), row)


def find(conn: Connection, access_key_id: str) -> tuple[AccessKey, str] | None:
    """A key with its sealed secret."""
    row = conn.execute(select(access_keys).where(access_keys.c.access_key_id == access_key_id)).one_or_none()
    return None if row is None else (_key(row), row.sealed_secret)


def of_person(conn: Connection, person_id: str, project_id: str = "") -> list[AccessKey]:
    """A person's keys, of all projects or one, the newest first."""
    query = select(access_keys).where(access_keys.c.person_id == person_id)
    if project_id:
        query = query.where(access_keys.c.project_id == project_id)
    return [_key(row) for row in conn.execute(query.order_by(access_keys.c.made_at_s.desc()))]


def of_project(conn: Connection, project_id: str) -> list[AccessKey]:
    """All keys of a project, the newest first."""
    query = select(access_keys).where(access_keys.c.project_id == project_id)
    return [_key(row) for row in conn.execute(query.order_by(access_keys.c.made_at_s.desc()))]


def use(conn: Connection, access_key_id: str, now_s: float) -> None:
    """Note when a key was used last."""
    query = update(access_keys).where(access_keys.c.access_key_id == access_key_id)
    conn.execute(query.values(last_used_at_s=now_s))


def drop(conn: Connection, access_key_id: str) -> bool:
    """Forget a key; whether there was one."""
    return conn.execute(delete(access_keys).where(access_keys.c.access_key_id == access_key_id)).rowcount == 1


def drop_ended(conn: Connection, person_id: str, before_s: float) -> None:
    """Forget a person's keys that ended before an instant."""
    of = access_keys.c
    conn.execute(delete(access_keys).where(of.person_id == person_id, of.expires_at_s < before_s))


def _key(row: Row[Any]) -> AccessKey:
    return AccessKey(
        row.access_key_id, row.person_id, row.project_id, row.label, row.scope, row.made_at_s, row.expires_at_s,
        row.last_used_at_s,
    )  # fmt: skip
