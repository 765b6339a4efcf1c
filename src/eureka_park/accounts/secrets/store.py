"""Rows of tokens, sessions and one-time codes. They are kept as SHA-256 only; they are random, so no salt."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Row,
    String,
    Table,
    delete,
    insert,
    or_,
    select,
    update,
)

from eureka_park.accounts.store import metadata

tokens = Table(
    "tokens",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("token_id", String(64), nullable=False),
    Column("person_id", ForeignKey("people.person_id"), nullable=False, index=True),
    Column("label", String(200), nullable=False),
    Column("created_at_s", Double, nullable=False),
    Column("scopes", String(200)),  # JSON; null: all that the person may
    Column("project_id", String(63)),  # null: every project
    Column("expires_at_s", Double),
    Column("last_used_at_s", Double),
    Index("tokens_by_id", "token_id", unique=True),
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
    Column("session_id", String(64), primary_key=True),
    Column("secret_sha256", String(64), nullable=False),
    Column("next_sha256", String(64)),  # given out, not seen yet
    Column("previous_sha256", String(64)),
    Column("previous_until_s", Double),
    Column("person_id", ForeignKey("people.person_id"), nullable=False, index=True),
    Column("method", String(16), nullable=False),  # how the person signed in
    Column("client", String(200), nullable=False),  # what the browser calls itself
    Column("address", String(64), nullable=False),
    Column("created_at_s", Double, nullable=False),
    Column("seen_at_s", Double, nullable=False),  # when its secret was last renewed
    Column("expires_at_s", Double, nullable=False),
    Index("sessions_by_secret", "secret_sha256", unique=True),
    Index("sessions_by_next", "next_sha256", unique=True),
    Index("sessions_by_previous", "previous_sha256"),
)


def hashed(secret: str) -> str:
    """What is kept of a secret. Look-up by this hash leaks nothing by its timing that helps to guess the secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


# -- tokens ------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. `scopes` None: all that the person may; `project_id` '': every project."""

    token_id: str
    person_id: str
    label: str
    scopes: tuple[str, ...] | None
    project_id: str
    created_at_s: float
    expires_at_s: float | None
    last_used_at_s: float | None


def add_token(conn: Connection, secret: str, token: Token) -> None:
    """Keep the hash of a token."""
    row = {
        "token_sha256": hashed(secret), "token_id": token.token_id, "person_id": token.person_id,
        "label": token.label, "created_at_s": token.created_at_s,
        "scopes": None if token.scopes is None else json.dumps(token.scopes), "project_id": token.project_id or None,
        "expires_at_s": token.expires_at_s,
    }  # fmt: skip
    conn.execute(insert(tokens), row)


def token_of(conn: Connection, secret: str, now_s: float) -> Token | None:
    """The token of this secret, while it lasts."""
    row = conn.execute(select(tokens).where(tokens.c.token_sha256 == hashed(secret))).one_or_none()
    if row is None or (row.expires_at_s is not None and row.expires_at_s <= now_s):
        return None
    return _token(row)


def token_by_id(conn: Connection, token_id: str) -> Token | None:
    """A token by its id."""
    row = conn.execute(select(tokens).where(tokens.c.token_id == token_id)).one_or_none()
    return None if row is None else _token(row)


def tokens_of(conn: Connection, person_id: str) -> list[Token]:
    """A person's tokens, the newest first."""
    query = select(tokens).where(tokens.c.person_id == person_id)
    return [_token(row) for row in conn.execute(query.order_by(tokens.c.created_at_s.desc(), tokens.c.token_id))]


def use_token(conn: Connection, token_id: str, now_s: float) -> None:
    """Note when a token was used last."""
    conn.execute(update(tokens).where(tokens.c.token_id == token_id).values(last_used_at_s=now_s))


def drop_token(conn: Connection, token_id: str) -> bool:
    """Forget a token; whether there was one."""
    return conn.execute(delete(tokens).where(tokens.c.token_id == token_id)).rowcount == 1


def drop_tokens(conn: Connection, person_id: str, label: str | None = None) -> int:
    """Forget a person's tokens, or those of one label; how many there were."""
    query = delete(tokens).where(tokens.c.person_id == person_id)
    return conn.execute(query if label is None else query.where(tokens.c.label == label)).rowcount


def _token(row: Row[Any]) -> Token:
    return Token(
        row.token_id, row.person_id, row.label, None if row.scopes is None else tuple(json.loads(row.scopes)),
        row.project_id or "", row.created_at_s, row.expires_at_s, row.last_used_at_s,
    )  # fmt: skip


# -- one-time codes ----------------------------------------------------------------------------------------------------
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
    taken = conn.execute(delete(sign_in_links).where(link.code_sha256 == hashed(code))).rowcount
    return person_id if taken == 1 else None  # of two who spend it at once, one finds it gone


def drop_sign_in_links(conn: Connection, person_id: str) -> None:
    """Forget all codes that would sign a person in."""
    conn.execute(delete(sign_in_links).where(sign_in_links.c.person_id == person_id))


# -- sessions ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Session:
    """A session without its secrets. `role`: which of them was shown: secret, next or previous."""

    session_id: str
    person_id: str
    method: str
    client: str
    address: str
    created_at_s: float
    seen_at_s: float
    expires_at_s: float
    role: str = "secret"
    has_next: bool = False
    previous_until_s: float = 0.0


def add_session(conn: Connection, secret: str, session: Session, now_s: float) -> None:
    """Keep the hash of a session, and forget those that have expired."""
    conn.execute(delete(sessions).where(sessions.c.expires_at_s <= now_s))
    row = {
        "session_id": session.session_id, "secret_sha256": hashed(secret), "person_id": session.person_id,
        "method": session.method, "client": session.client, "address": session.address,
        "created_at_s": session.created_at_s, "seen_at_s": session.seen_at_s, "expires_at_s": session.expires_at_s,
    }  # fmt: skip
    conn.execute(insert(sessions), row)


def session_of(conn: Connection, secret: str, now_s: float) -> Session | None:
    """The session of this secret, also of the one that comes next or was before, while the session lasts."""
    found, table = hashed(secret), sessions.c
    shown = or_(table.secret_sha256 == found, table.next_sha256 == found, table.previous_sha256 == found)
    row = conn.execute(select(sessions).where(shown, table.expires_at_s > now_s).limit(1)).one_or_none()
    return None if row is None else _session(row, found)


def sessions_of(conn: Connection, person_id: str, now_s: float) -> list[Session]:
    """A person's sessions, the newest first."""
    query = select(sessions).where(sessions.c.person_id == person_id, sessions.c.expires_at_s > now_s)
    rows = conn.execute(query.order_by(sessions.c.created_at_s.desc(), sessions.c.session_id))
    return [_session(row, row.secret_sha256) for row in rows]


def offer_secret(conn: Connection, session: Session, secret: str, now_s: float) -> bool:
    """Give a session its next secret, unless somebody else did since it was read; whether it was given."""
    table = sessions.c
    query = update(sessions).where(table.session_id == session.session_id, table.seen_at_s == session.seen_at_s)
    return conn.execute(query.values(next_sha256=hashed(secret), seen_at_s=now_s)).rowcount == 1


def accept_secret(conn: Connection, session_id: str, secret: str, now_s: float, previous_until_s: float) -> None:
    """The next secret has been seen: it stands now, and the one before for a short while."""
    table, found = sessions.c, hashed(secret)
    query = update(sessions).where(table.session_id == session_id, table.next_sha256 == found)
    conn.execute(
        query.values(
            previous_sha256=table.secret_sha256,
            previous_until_s=previous_until_s,
            secret_sha256=found,
            next_sha256=None,
            seen_at_s=now_s,
        )
    )


def drop_session(conn: Connection, session_id: str) -> bool:
    """Forget a session; whether there was one."""
    return conn.execute(delete(sessions).where(sessions.c.session_id == session_id)).rowcount == 1


def drop_sessions(conn: Connection, person_id: str, but: str = "") -> int:
    """Forget a person's sessions but one; how many there were."""
    table = sessions.c
    return conn.execute(delete(sessions).where(table.person_id == person_id, table.session_id != but)).rowcount


def _session(row: Row[Any], shown: str) -> Session:
    role = "secret" if row.secret_sha256 == shown else "next" if row.next_sha256 == shown else "previous"
    return Session(
        row.session_id, row.person_id, row.method, row.client, row.address, row.created_at_s, row.seen_at_s,
        row.expires_at_s, role, row.next_sha256 is not None, row.previous_until_s or 0.0,
    )  # fmt: skip
