"""Rows of accounts. Secrets (tokens, sessions, sign-in codes) are kept as SHA-256 only; they are random, so no salt."""

from __future__ import annotations

import hashlib

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Double,
    ForeignKey,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
)

from eureka_park.accounts.core.permissions import Principal, Project
from eureka_park.foundation.store import insert_or_ignore

metadata = MetaData()

people = Table(
    "people",
    metadata,
    Column("person_id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("is_operator", Boolean, nullable=False),
    Column("created_at_s", Double, nullable=False),
)
projects = Table(
    "projects",
    metadata,
    Column("project_id", String(63), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("is_public", Boolean, nullable=False),
    Column("created_at_s", Double, nullable=False),
)
members = Table(
    "members",
    metadata,
    Column("project_id", ForeignKey("projects.project_id"), primary_key=True),
    Column("person_id", ForeignKey("people.person_id"), primary_key=True, index=True),
    Column("joined_at_s", Double, nullable=False),
)
tokens = Table(
    "tokens",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.person_id"), nullable=False, index=True),
    Column("label", String(200), nullable=False),
    Column("created_at_s", Double, nullable=False),
)
sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("code_sha256", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.person_id"), nullable=False),
    Column("expires_at_s", Double, nullable=False),
)
sessions = Table(
    "sessions",
    metadata,
    Column("session_sha256", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.person_id"), nullable=False, index=True),
    Column("created_at_s", Double, nullable=False),
    Column("expires_at_s", Double, nullable=False),
)


def hashed(secret: str) -> str:
    """What is kept of a secret. Look-up by this hash leaks nothing by its timing that helps to guess the secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def add_person(conn: Connection, person_id: str, name: str, is_operator: bool, now_s: float) -> None:
    """Add a person."""
    row = {"person_id": person_id, "name": name, "is_operator": is_operator, "created_at_s": now_s}
    conn.execute(insert(people), row)


def first_operator(conn: Connection) -> str | None:
    """The person who has operated this park longest."""
    query = select(people.c.person_id).where(people.c.is_operator).order_by(people.c.created_at_s, people.c.person_id)
    return conn.execute(query.limit(1)).scalar()


def principal(conn: Connection, person_id: str) -> Principal | None:
    """A person with the projects that they are a member of."""
    person = conn.execute(select(people).where(people.c.person_id == person_id)).one_or_none()
    if person is None:
        return None
    joined = conn.execute(select(members.c.project_id).where(members.c.person_id == person_id)).scalars()
    return Principal(person.person_id, person.name, person.is_operator, frozenset(joined))


def ensure_project(conn: Connection, project: Project) -> None:
    """Add a project unless one of that id is there."""
    row = {
        "project_id": project.project_id,
        "title": project.title,
        "is_public": project.is_public,
        "created_at_s": project.created_at_s,
    }
    insert_or_ignore(conn, projects, [row])


def project(conn: Connection, project_id: str) -> Project | None:
    """A project by its id."""
    row = conn.execute(select(projects).where(projects.c.project_id == project_id)).one_or_none()
    return None if row is None else Project(row.project_id, row.title, row.is_public, row.created_at_s)


def all_projects(conn: Connection) -> list[Project]:
    """Every project by its id."""
    rows = conn.execute(select(projects).order_by(projects.c.project_id))
    return [Project(row.project_id, row.title, row.is_public, row.created_at_s) for row in rows]


def add_member(conn: Connection, project_id: str, person_id: str, now_s: float) -> None:
    """Make a person a member of a project; once more changes nothing."""
    row = {"project_id": project_id, "person_id": person_id, "joined_at_s": now_s}
    insert_or_ignore(conn, members, [row])


def add_token(conn: Connection, token: str, person_id: str, label: str, now_s: float) -> None:
    """Keep the hash of a token."""
    row = {"token_sha256": hashed(token), "person_id": person_id, "label": label, "created_at_s": now_s}
    conn.execute(insert(tokens), row)


def person_of_token(conn: Connection, token: str) -> str | None:
    """Whose token this is."""
    return conn.execute(select(tokens.c.person_id).where(tokens.c.token_sha256 == hashed(token))).scalar()


def drop_token(conn: Connection, token: str) -> None:
    """Forget one token."""
    conn.execute(delete(tokens).where(tokens.c.token_sha256 == hashed(token)))


def drop_tokens(conn: Connection, person_id: str, label: str) -> int:
    """Forget a person's tokens of one label; how many there were."""
    return conn.execute(delete(tokens).where(tokens.c.person_id == person_id, tokens.c.label == label)).rowcount


def add_sign_in_link(conn: Connection, code: str, person_id: str, now_s: float, expires_at_s: float) -> None:
    """Keep the hash of a sign-in code, and forget those that have expired."""
    conn.execute(delete(sign_in_links).where(sign_in_links.c.expires_at_s <= now_s))
    row = {"code_sha256": hashed(code), "person_id": person_id, "expires_at_s": expires_at_s}
    conn.execute(insert(sign_in_links), row)


def has_sign_in_link(conn: Connection, code: str) -> bool:
    """Whether there is such a code; it may have expired."""
    return conn.execute(select(1).where(sign_in_links.c.code_sha256 == hashed(code))).scalar() is not None


def take_sign_in_link(conn: Connection, code: str, now_s: float) -> str | None:
    """Whose sign-in code this is; the code is gone afterwards."""
    link = sign_in_links.c
    query = select(link.person_id).where(link.code_sha256 == hashed(code), link.expires_at_s > now_s)
    person_id = conn.execute(query).scalar()
    conn.execute(delete(sign_in_links).where(link.code_sha256 == hashed(code)))
    return person_id


def add_session(conn: Connection, session: str, person_id: str, now_s: float, expires_at_s: float) -> None:
    """Keep the hash of a session, and forget those that have expired."""
    conn.execute(delete(sessions).where(sessions.c.expires_at_s <= now_s))
    row = {
        "session_sha256": hashed(session),
        "person_id": person_id,
        "created_at_s": now_s,
        "expires_at_s": expires_at_s,
    }
    conn.execute(insert(sessions), row)


def person_of_session(conn: Connection, session: str, now_s: float) -> str | None:
    """Whose session this is, while it lasts."""
    query = select(sessions.c.person_id).where(
        sessions.c.session_sha256 == hashed(session), sessions.c.expires_at_s > now_s
    )
    return conn.execute(query).scalar()


def drop_session(conn: Connection, session: str) -> None:
    """Forget a session."""
    conn.execute(delete(sessions).where(sessions.c.session_sha256 == hashed(session)))
